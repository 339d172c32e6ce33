#include "stage/asking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "lib/standing.h"
#include "stage/asked.h"
#include "stage/chosen.h"
#include "stage/shown.h"

/* ---- names: the same things have the same ones (lib/standing.h) ---- */

/* Of the time of the event: so lists are in order. Else another one each time: what was signed for a question that has gone is no answer to the same one, asked
 * again. */
static int name_question(const struct stage_meta *m, uint8_t id[AUTHORITY_ID], struct err *e)
{
	id_put_time(id, id_ms(m->event));
	return getrandom(id + ID_TIME, ID_RANDOM, 0) == ID_RANDOM
		       ? 0
		       : err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes for a question");
}

/* ---- the authority ---- */

static uint64_t expires_ms(const struct role *role)
{
	return clock_unix_ms() + role->ask.keep_ns / 1000000; /* as long as the changes are kept */
}

struct stops {
	authority_ref grants[STAGE_NAMES_MAX];
	size_t n;
	bool any;
};

static int take_stop(void *of, const struct keeper_row *row)
{
	struct stops *s = of;

	for (size_t i = 0; i < s->n && row->ask.state == ASK_REFUSED && row->ask.stop; i++)
		s->any = s->any || s->grants[i] == row->ask.grant;
	return 0;
}

int asking_stream(struct keeper *k, const struct stage_meta *m, struct standing *ret, struct err *e)
{
	char stream[ID_TEXT_MAX];

	standing_stream(NULL, m->agent, m->workspace, stream); /* of a stage that an older program made */
	return standing_take(k, m->stream[0] != 0 ? m->stream : stream, m->agent, NULL, ret, e);
}

static int grant_of(struct keeper *k, const struct standing *who, const char *name, authority_ref *ret, struct err *e)
{
	const struct standing_grant g = { .verb = VERB_WRITE, .object = name, .terms = "", .flags = AUTHORITY_ASK };

	return standing_grant(k, who, &g, ret, e);
}

/* Whether to any of the grants that ask the answer was a no for all of it: what another one asks is no way past that. 1, 0. */
static int is_stopped(struct keeper *k, const struct standing *who, const struct stage_meta *m, const bool *asks,
		      struct err *e)
{
	struct stops s = { .n = 0 };
	int r = 0;

	for (uint32_t i = 0; i < m->n_names && r == 0; i++)
		if (asks[i])
			r = grant_of(k, who, m->names[i], &s.grants[s.n++], e);
	r = r < 0 || s.n < 2 ? r : keeper_list(k, KEEPER_ASKS, take_stop, &s, e); /* of one the authority knows it */
	return r < 0 ? r : s.any;
}

int asking_use(struct keeper *k, struct role *role, const struct standing *who, enum grant_verb verb,
	       authority_ref grant, const struct buf *shown, struct keeper_answer *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_USE,
				       .flags = AUTHORITY_KEYED,
				       .verb = (uint8_t)verb, /* below VERB_COUNT */
				       .badge = who->badge,
				       .grant = grant,
				       .minute = AUTHORITY_MINUTE_NONE,
				       .object = "",
				       .terms = "" };
	char once[STAGE_ID_MAX + 16];
	int r = name_question(role->meta, q.id, e);

	if (r < 0)
		return r;
	id_read(role->meta->event, q.event);
	standing_digest(shown, q.digest);
	(void)snprintf(once, sizeof once, "%s %u", role->meta->event, role->meta->undone); /* fits */
	standing_name("commit", once, strlen(once), q.digest, sizeof q.digest, q.key);
	q.until_ms = expires_ms(role);
	r = keeper_step_shown(k, &q, shown->data, shown->len, ret, e);
	if (r < 0 || ret->verdict != AUTHORITY_ASKS)
		return r;
	standing_question(k, ret->made, role->end.approval);
	return 0;
}

static int use(struct keeper *k, struct role *role, uint32_t first, const bool *asks, const struct buf *shown,
	       struct keeper_answer *ret, struct err *e)
{
	authority_ref grant = 0;
	struct standing who;
	int r = asking_stream(k, role->meta, &who, e);

	r = r < 0 ? r : grant_of(k, &who, role->meta->names[first], &grant, e);
	r = r < 0 ? r : is_stopped(k, &who, role->meta, asks, e);
	if (r == 1) {
		*ret = (struct keeper_answer){ .verdict = AUTHORITY_DENIED, .why = WHY_REFUSED };
		return 0;
	}
	return r < 0 ? r : asking_use(k, role, &who, VERB_WRITE, grant, shown, ret, e);
}

static int put_to_person(struct role *role, uint32_t first, const bool *asks, const bool *goes, struct err *e)
{
	auto_buf shown = { .max = 0 };
	struct keeper_answer a = { .step = 0 };
	struct keeper *k = NULL;
	int r;

	buf_init(&shown, SHOWN_BYTES_MAX);
	r = shown_put(role, role->meta->names[first], NULL, goes, &shown, e);
	r = r < 0 ? r : standing_open(role->ask.store, role->meta->ledger, &k, e);
	r = r < 0 ? r : use(k, role, first, asks, &shown, &a, e);
	keeper_close(k);
	if (r < 0)
		return err_context(e, r, "a person is to be asked about %s", role->meta->event);
	role->approved = a.verdict == AUTHORITY_ALLOWED;
	role->end.asked_why = a.why;
	return role->approved;
}

int asking_allows(struct role *role, struct err *e)
{
	auto_free bool *goes = calloc(role->n_changes + 1, sizeof *goes);
	bool asks[STAGE_NAMES_MAX] = { false };
	int first = -1, by;

	if (goes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what is to be asked");
	chosen_go(&role->ask, role->meta, role->changes, role->n_changes, goes);
	for (size_t i = 0; i < role->n_changes; i++) {
		const struct change *c = role->changes[i];

		if (c->held == HELD_NOT || !goes[i])
			continue;
		if (c->held != HELD_ASKED)
			return 0; /* held in any case: nobody is asked for nothing */
		by = asked_by(role->meta, c, asks);
		first = first < 0 ? by : first;
	}
	if (first < 0)
		return 1;
	if (role->in_use) /* what is shown would be something else by the time it is committed */
		return 0;
	return put_to_person(role, (uint32_t)first, asks, goes, e);
}

/* ---- what is thrown away ---- */

struct forgetting {
	authority_ref badge;
	uint8_t time[ID_TIME]; /* the first bytes of its id */
	authority_ref asks[AUTHORITY_WAITING_MAX];
	size_t n;
};

/* Of that agent in that workspace, and of the moment in which the event began. */
static int take_ask(void *of, const struct keeper_row *row)
{
	struct forgetting *f = of;

	if (row->ask.badge == f->badge && row->ask.state == ASK_WAITS && memcmp(row->ask.id, f->time, ID_TIME) == 0 &&
	    f->n < AUTHORITY_WAITING_MAX)
		f->asks[f->n++] = row->ask.ref;
	return 0;
}

static bool may_be_asked(const struct stage_meta *m)
{
	return m->why == STAGE_WHY_ASKS; /* asked once, at least */
}

void asking_forget(const struct role *role)
{
	const struct stage_meta *m = role->meta;
	struct authority_request q = { .op = AUTHORITY_FORGET, .object = "", .terms = "" };
	struct forgetting f = { .n = 0 };
	struct keeper_answer a;
	struct keeper *k = NULL;
	struct standing s;

	if (!may_be_asked(m) || standing_open(role->ask.store, m->ledger, &k, NULL) < 0)
		return;
	id_put_time(f.time, id_ms(m->event));
	if (asking_stream(k, m, &s, NULL) == 0) {
		f.badge = s.badge;
		(void)keeper_list(k, KEEPER_ASKS, take_ask, &f, NULL);
	}
	for (size_t i = 0; i < f.n; i++) {
		q.ask = f.asks[i];
		(void)keeper_step(k, &q, &a, NULL);
	}
	keeper_close(k);
}
