#include "lib/usual_event.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/deeds.h"
#include "lib/event.h"
#include "lib/halter.h"
#include "lib/revoke.h"
#include "lib/standing.h"
#include "lib/throttle.h"
#include "lib/usual.h"
#include "policy/policy.h"
#include "supervisor/frozen.h"

static bool has_touched(const struct ambit_event *ev)
{
	return ev->result.n_canaries > 0 || ev->touched_beside;
}

static struct deeds *collect(const struct ambit_event *ev)
{
	struct deeds *d = malloc(sizeof *d);

	if (d == NULL || deeds_of(&ev->result, d) < 0) {
		free(d);
		return NULL;
	}
	d->form = NULL; /* its own order */
	return d;
}

/* What could not be told is one more thing that is not known. */
static bool join(struct deeds *d, const struct ambit_event *ev)
{
	return (ev->beside == NULL || deeds_join(d, ev->beside)) &&
	       (!ev->lost_beside || deeds_add(d, DEED_PROGRAM, DEED_MORE, strlen(DEED_MORE)));
}

void usual_beside(struct ambit_event *ev, const struct ambit_event *sub)
{
	struct deeds *of;

	ev->touched_beside = ev->touched_beside || has_touched(sub);
	if (!ev->collects)
		return;
	of = collect(sub);
	if (of == NULL || !join(of, sub)) {
		ev->lost_beside = true;
	} else if (ev->beside == NULL) {
		ev->beside = of;
		return;
	} else if (!deeds_join(ev->beside, of)) {
		ev->lost_beside = true;
	}
	if (of != NULL)
		deeds_finish(of);
	free(of);
}

static int score(const struct ambit_event *ev, struct result_usual *u, struct err *e)
{
	struct usual_ask ask = { .use = USUAL_TEACH,
				 .asks = u->profile >= PROFILE_ASK,
				 .slows = u->profile >= PROFILE_THROTTLE };
	char place[STANDING_PATH_MAX];
	struct usual_keeper *k = NULL;
	struct deeds d;
	int r = deeds_of(&ev->result, &d);

	if (r < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what the event did");
	if (!join(&d, ev)) {
		deeds_finish(&d);
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what its sub-agents did");
	}
	memcpy(ask.event, ev->result.event, sizeof ask.event); /* of the same size */
	ask.time_s = clock_unix_ms() / 1000;
	r = standing_place(ev->request->store, place, e);
	r = r < 0 ? r : usual_open(place, &k, e);
	r = r < 0 ? r : usual_score_event(k, &ask, &d, &u->found, e);
	usual_close(k);
	deeds_finish(&d);
	return r;
}

/* Its session stands still until a person thaws it; without one there is nothing more to stop. */
static void freeze(const struct ambit_event *ev, struct result_usual *u)
{
	struct link_halt q = { .deed = HALT_FREEZE, .reason = "an event was not like what is usual" };

	memcpy(q.what, ev->result.session, sizeof q.what); /* of the same size */
	u->froze = ev->request->kept != 0;                 /* else it is named for the record, and is over */
	if (u->froze && halter_do(&q, &u->unfrozen) < 0)
		(void)err_context(&u->unfrozen, -(int)u->unfrozen.code, "its session could not be frozen");
}

/* One event may be unusual by chance. Another one of its session that nobody has released is the second of two: it is ended, and what it was given over time goes. It is frozen by now, so nothing goes on meanwhile, and nobody waits
 * here: what waits for its turn is cancelled by the process of the session, which may be this one. */
static void end_session(struct ambit_event *ev, struct result_usual *u)
{
	struct link_halt q = { .deed = HALT_KILL, .keep = true, .reason = "a second event was not like what is usual" };
	struct halter h;

	halter_init(&h);
	memcpy(q.what, ev->result.session, sizeof q.what); /* of the same size */
	u->kills = halter_begin(&h, &q, environ, &u->unfrozen) == 0;
	halter_finish(&h);
	revoke_stream(ev->request, &ev->result);
}

/* What could not be written down is told as what could not be frozen is: it is as little a reason to hold anything. */
static void slow(const struct ambit_event *ev, struct result_usual *u)
{
	char place[GRANT_OBJECT_MAX], stream[ID_TEXT_MAX];

	if (!frozen_place(ev->request->store, place))
		return;
	revoke_whose(ev->request, stream);
	if (throttle_more(place, stream, ev->result.event, clock_unix_ms(), &u->pause_ms, &u->unfrozen) < 0)
		(void)err_context(&u->unfrozen, -(int)u->unfrozen.code, "its next events could not be slowed");
}

void usual_event(struct ambit_event *ev)
{
	struct event_result *r = &ev->result;
	struct result_usual *u = &r->usual;

	u->judged = true;
	u->profile = (uint8_t)ev->profile;
	if (u->profile <= PROFILE_OFF || r->cause == CAUSE_REFUSED || r->cause == CAUSE_LOST ||
	    r->cause == CAUSE_CANARY || (has_touched(ev) && u->profile < PROFILE_ASK)) {
		u->profile = PROFILE_OFF;
		return;
	}
	if (has_touched(ev)) { /* it teaches nothing; where a person is asked, it is no way around that */
		(void)err_set(&u->error, AMBIT_DENIED,
			      "a person looks at it by `ambit diff`, and commits or discards it",
			      "it touched a canary, so it is not held against what is usual");
		u->holds = true;
	} else if (score(ev, u, &u->error) < 0) {
		(void)err_context(&u->error, -(int)u->error.code, "it could not be held against what is usual");
		u->holds = u->profile >= PROFILE_ASK;
		return;
	} else {
		u->holds = u->profile >= PROFILE_ASK && u->found.asks;
	}
	if (u->profile >= PROFILE_THROTTLE && u->found.loud)
		slow(ev, u);
	if (u->holds && u->profile >= PROFILE_HOLD)
		freeze(ev, u);
	if (u->holds && u->profile >= PROFILE_KILL && u->found.others > 0 && ev->request->kept != 0)
		end_session(ev, u);
}
