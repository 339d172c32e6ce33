#include "lib/halt.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "lib/standing.h"
#include "lib/throttle.h"

_Static_assert(HALT_REASON_MAX == FROZEN_REASON_MAX && sizeof HALT_ALL == sizeof FROZEN_ALL,
	       "what is asked for is what is written");

/* Of the first that did not do what was asked. */
static int failed(const struct held_events *h, struct err *e)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct held_event *ev = &h->list[i];

		if (ev->why.code != AMBIT_OK) {
			*e = ev->why;
			return -(int)e->code;
		}
		if (ev->held.result == REACH_LATE)
			return err_why(e,
				       err_set(e, AMBIT_LIMIT, "`ambit kill` ends it; it is tried on",
					       "not everything of %s stands still", ev->run.event),
				       "%u of its threads wait in the kernel, which does not let them go",
				       ev->held.running);
	}
	return 0;
}

/* ---- freeze ---- */

static struct frozen word_of(const struct halt *h)
{
	struct frozen f = { .since_ms = clock_unix_ms(), .by = getuid() };

	(void)text_copy(f.what, sizeof f.what, h->what); /* fits, as does the reason */
	(void)text_copy(f.reason, sizeof f.reason, h->reason);
	return f;
}

/* The word, then who runs; also where the word cannot be written: what runs is stopped all the same, and that it may begin again is told. An event
 * that ended meanwhile takes its word with it. */
static int freeze_now(const struct halt *h, const char *place, struct halted *ret, struct err *e)
{
	const struct frozen f = word_of(h);
	const int written = frozen_write(place, &f, e);
	struct held_events *held = &ret->held;
	struct err later;
	struct err *why = written < 0 ? &later : e; /* the first is told */
	int r = freeze_gather(h->what, held, why);

	ret->before = written != 1;
	if (r == 0) {
		freeze_events(held, h->reason);
		if (h->what[0] == 'e' && (held->n == 0 || held->list[held->n - 1].held.result == REACH_ENDED))
			(void)frozen_remove(place, h->what, NULL);
		r = failed(held, why);
	}
	return written < 0 ? written : r;
}

static int freeze(const struct halt *h, const char *place, struct halted *ret, struct err *e)
{
	int r = freeze_now(h, place, ret, e);

	r = r < 0 ? r : freeze_commits(e);
	if (r == 0 && h->what[0] == 'e' && ret->held.n == 0)
		return err_set(e, AMBIT_NOT_FOUND, NULL, "event %s ended meanwhile", h->what);
	return r;
}

/* ---- thaw ---- */

struct removal {
	const char *place, *of; /* of: the event whose gate goes on with it */
	int r;
	unsigned n;
	struct err *e;
};

static void remove_one(void *user, const struct frozen *f)
{
	struct removal *rm = user;
	const int r = rm->r < 0 ? 0 : frozen_remove(rm->place, f->what, rm->e);

	rm->r = r < 0 ? r : rm->r;
	rm->n += r == 1;
}

static void remove_gate(void *user, const struct frozen *f)
{
	const struct removal *rm = user;

	if (f->what[0] == 'c' && strncmp(f->reason, FROZEN_GATE, strlen(FROZEN_GATE)) == 0 &&
	    strcmp(f->reason + strlen(FROZEN_GATE), rm->of) == 0)
		remove_one(user, f);
}

static int remove_words(const char *place, const char *what, struct err *e)
{
	struct removal rm = { .place = place, .e = e };
	int r;

	if (strcmp(what, FROZEN_ALL) != 0) {
		r = frozen_remove(place, what, e);
		rm.of = what;
		if (r >= 0 && what[0] == 'e' && frozen_list(place, remove_gate, &rm, e) < 0)
			return -AMBIT_SYSTEM;
		return r < 0 ? r : rm.r < 0 ? rm.r : r + (int)rm.n;
	}
	r = frozen_list(place, remove_one, &rm, e);
	return r < 0 ? r : rm.r < 0 ? rm.r : (int)rm.n;
}

/* Of those that are meant, the ones that nothing else holds. */
static int keep_free(const char *place, struct held_events *h, struct err *e)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct held_event *ev = &h->list[i];
		const int frozen = frozen_refuse(place, ev->told.session, ev->run.event, h->n == 1 ? e : NULL);

		if (frozen == 0)
			h->list[kept++] = *ev;
		else
			running_finish(&ev->run);
		r = frozen;
	}
	r = h->n == 1 ? r : 0; /* of several, each stays as what else was said of it wants */
	h->n = kept;
	return r;
}

/* What is let go on begins as it comes, too. */
static int lift(const char *place, const char *what, struct err *e)
{
	char stream[ID_TEXT_MAX];

	if (strcmp(what, FROZEN_ALL) == 0)
		return throttle_lift(place, NULL, NULL, e);
	if (what[0] == 'e')
		return throttle_lift(place, NULL, what, e);
	if (what[0] != 's') /* a gate */
		return 0;
	standing_stream(what, "", "", stream);
	return throttle_lift(place, stream, NULL, e);
}

static int thaw(const struct halt *h, const char *place, struct halted *ret, struct err *e)
{
	const int removed = remove_words(place, h->what, e);
	int r = removed < 0 ? removed : lift(place, h->what, e);

	ret->before = removed > 0 || r > 0;
	r = r < 0 ? r : freeze_gather(h->what, &ret->held, e);
	r = r < 0 ? r : keep_free(place, &ret->held, e);
	if (r < 0)
		return r;
	thaw_events(&ret->held);
	return failed(&ret->held, e);
}

/* ---- kill ---- */

static int end(const struct halt *h, const char *place, struct halted *ret, struct err *e)
{
	int r = freeze_now(h, place, ret, e), cancelled = 0;
	struct err unused;

	if (r == 0 || ret->held.n > 0) { /* what does not stand still ends all the same */
		kill_events(&ret->held);
		r = failed(&ret->held, e);
	}
	if (h->what[0] != 'e')
		cancelled = freeze_cancel(h->what, r < 0 ? &unused : e);
	r = r < 0 ? r : cancelled < 0 ? cancelled : 0;
	ret->cancelled = cancelled > 0 ? (unsigned)cancelled : 0;
	if (!ret->before && !h->keep && frozen_remove(place, h->what, r < 0 ? &unused : e) < 0)
		r = r < 0 ? r : -AMBIT_SYSTEM;
	return r;
}

int halt_do(const struct halt *h, struct halted *ret, struct err *e)
{
	char place[GRANT_OBJECT_MAX];
	int r;

	*ret = (struct halted){ .before = false };
	r = freeze_place(place, e);
	if (r < 0)
		return r;
	switch (h->deed) {
	case HALT_FREEZE: return freeze(h, place, ret, e);
	case HALT_THAW: return thaw(h, place, ret, e);
	case HALT_KILL: return end(h, place, ret, e);
	case HALT_DEED_COUNT: break;
	}
	return err_set(e, AMBIT_USAGE, NULL, "nothing is asked for");
}

void halted_finish(struct halted *h)
{
	freeze_part(&h->held);
}
