#include "authority/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "authority/client.h"
#include "authority/room.h"
#include "authority/scribe.h"
#include "authority/told.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define LOOK_MS 5000   /* poll's clock is not the one that is set: so often what expires is looked at again */
#define REST_MS 1000   /* after a step of the clock's that could not be written */
#define LIST_ROWS 4096 /* looked at for one page */

struct kin {
	authority_ref ref, parent;
};

struct server {
	const struct serve *how;
	struct book *book;
	struct client clients[SERVE_CLIENTS_MAX];
	struct pollfd polled[1 + SERVE_CLIENTS_MAX];
	struct room *space;    /* owned */
	struct kin *kin;       /* owned: by row, the badges that lived before a step that ends some */
	uint32_t numbers;      /* of connections, so far */
	uint64_t idle_ms;      /* since when nobody is connected; 0: somebody is */
	uint64_t dirty_ms;     /* since when something is written and not synced; 0: nothing is */
	uint64_t rests_ms;     /* until then the clock alone makes no step: it could not be written */
	unsigned places;       /* behind these no connection is */
	bool changed;          /* since the last commit */
	int failed;            /* -errno: what a step of this turn needed could not be written */
	struct err unrecorded; /* what the ledger did not take of this turn, and why; AMBIT_OK: nothing */
	bool wants_sync;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	char texts[AUTHORITY_TEXTS_MAX];
};

struct book_time serve_time(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail */
	return (struct book_time){ .now_ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000,
				   .boot_ms = clock_boot_ms() };
}

static struct client *client_at(struct server *s, unsigned i)
{
	return s->clients[i].sock >= 0 ? &s->clients[i] : NULL;
}

/* ---- telling ---- */

static void refuse(struct client *c, const struct err *why)
{
	uint8_t room[2048];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	wire_put_error(&b, why);
	client_put(c, WIRE_AUTHORITY_REFUSED, &b);
	client_commit(c);
}

static void tell_number(struct client *c, uint64_t number)
{
	uint8_t room[8];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u64(&b, number);
	client_put(c, WIRE_AUTHORITY_TAKEN, &b);
}

static void tell_answer(struct client *c)
{
	uint8_t room[160];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	keeper_answer_put(&b, &c->answer);
	client_put(c, WIRE_AUTHORITY_ANSWERED, &b);
	client_commit(c);
	c->asks = false;
	c->until_ms = 0;
}

static void part_with(struct server *s, struct client *c)
{
	const unsigned place = (unsigned)(c - s->clients);

	client_finish(c);
	for (unsigned i = 0; i < s->places; i++) /* nobody waits for it any more */
		s->clients[i].waits_for[place / 8] &= (uint8_t) ~(1u << place % 8);
}

static void send_away(struct server *s, struct client *c, const char *why)
{
	struct err e;

	(void)err_set(&e, AMBIT_PROTOCOL, NULL, "%s", why);
	(void)wire_tell_error(c->sock, WIRE_AUTHORITY_FAILED, &e);
	part_with(s, c);
}

/* ---- who watches ---- */

static bool is_waited_for(const struct client *c, unsigned place)
{
	return (c->waits_for[place / 8] & 1u << place % 8) != 0;
}

static bool waits(const struct client *c)
{
	for (size_t i = 0; i < sizeof c->waits_for; i++)
		if (c->waits_for[i] != 0)
			return true;
	return false;
}

static void remember_kin(struct server *s)
{
	struct authority_size used;
	struct authority_badge_told b;

	authority_used(s->book->a, &used);
	for (uint32_t i = 0; i < used.badges; i++) {
		s->kin[i].ref = 0;
		if (authority_badge_at(s->book->a, i, &b))
			s->kin[i] = (struct kin){ .ref = b.ref, .parent = b.parent };
	}
}

/* As it was before the step. */
static bool was_in(const struct server *s, authority_ref badge, authority_ref tree)
{
	while (badge != 0 && badge != tree) {
		const uint32_t row = AUTHORITY_ROW(badge);

		badge = row < authority_size(s->book->a)->badges && s->kin[row].ref == badge ? s->kin[row].parent : 0;
	}
	return badge == tree;
}

static bool concerns(const struct server *s, const struct client *w, const struct authority_action *act)
{
	if (!w->is_bound)
		return true;
	switch ((enum authority_act)act->act) {
	case AUTHORITY_ACT_CLOSE: return authority_is_in(s->book->a, authority_holder(s->book->a, act->ref), w->bound);
	case AUTHORITY_ACT_END: return was_in(s, act->ref, w->bound);
	case AUTHORITY_ACT_FREEZE:
	case AUTHORITY_ACT_THAW: break;
	}
	return authority_is_in(s->book->a, act->ref, w->bound);
}

static void put_actions(struct client *w, uint64_t step, bool more, const struct authority_action *actions, uint32_t n)
{
	auto_buf b = { .max = WIRE_BODY_MAX };

	keeper_actions_put(&b, step, more, actions, n);
	client_put(w, WIRE_AUTHORITY_ACTIONS, &b);
}

/* What of it concerns one, in messages of so many. Whether anything did. */
static bool tell_watcher(struct server *s, struct client *w, const struct authority_answer *answer)
{
	struct authority_action some[KEEPER_ACTIONS_MAX / 8];
	const uint32_t most = (uint32_t)(sizeof some / sizeof some[0]);
	uint32_t n = 0;
	bool any = false;

	for (uint32_t i = 0; i < answer->n_actions; i++) {
		if (!concerns(s, w, &answer->actions[i]))
			continue;
		if (n == most) {
			put_actions(w, s->book->steps, true, some, n);
			n = 0;
		}
		some[n++] = answer->actions[i];
		any = true;
	}
	if (any)
		put_actions(w, s->book->steps, false, some, n);
	return any;
}

/* asker: who waits for those who are told, but for its own one; NULL: nobody does. */
static void tell_watchers(struct server *s, struct client *asker, uint32_t own, const struct authority_answer *answer)
{
	for (unsigned i = 0; i < s->places && answer->n_actions > 0; i++) {
		struct client *w = client_at(s, i);

		if (w == NULL || !w->watches || !tell_watcher(s, w, answer))
			continue;
		w->told = s->book->steps;
		if (asker != NULL && w->number != own && !w->late)
			asker->waits_for[i / 8] |= (uint8_t)(1u << i % 8);
	}
}

/* Nobody waits for the one any more: it is true there, or has not been for too long. */
static void hear_done(struct server *s, struct client *w, uint64_t step)
{
	const unsigned place = (unsigned)(w - s->clients);

	w->done = step > w->done ? step : w->done;
	w->late = w->late && w->done < w->told;
	for (unsigned i = 0; i < s->places; i++)
		if (s->clients[i].answer.step <= w->done)
			s->clients[i].waits_for[place / 8] &= (uint8_t) ~(1u << place % 8);
}

static void tell_late(struct client *c, const struct client *w)
{
	if (c->answer.n_late < KEEPER_LATE_MAX) {
		c->answer.late[c->answer.n_late].bound = w->bound;
		c->answer.late[c->answer.n_late].number = w->number;
	}
	c->answer.n_late++;
}

static void count_late(struct server *s, struct client *c)
{
	for (unsigned i = 0; i < s->places; i++) {
		struct client *w = client_at(s, i);

		if (w == NULL || !is_waited_for(c, i))
			continue;
		w->late = true;
		tell_late(c, w);
	}
	memset(c->waits_for, 0, sizeof c->waits_for);
}

/* By labels: what it asks for comes with what closes others. A mark does that in any stream. */
static bool may_close(const struct authority_request *q)
{
	return q->op == AUTHORITY_USE || q->op == AUTHORITY_LABEL || q->op == AUTHORITY_TAKE ||
	       q->op == AUTHORITY_ENTER || q->op == AUTHORITY_MARK;
}

/* Who was late before is, as long as it has not caught up, also where there is nothing new to be told: else whoever asks a second time would hear that all is closed. */
static void count_still_late(struct server *s, struct client *c, const struct authority_request *q)
{
	for (unsigned i = 0; i < s->places; i++) {
		struct client *w = client_at(s, i);

		if (w != NULL && w->watches && w->late && w->is_bound &&
		    (q->op == AUTHORITY_MARK || authority_is_in(s->book->a, w->bound, q->badge) ||
		     authority_is_in(s->book->a, q->badge, w->bound)))
			tell_late(c, w);
	}
}

/* ---- steps ---- */

static uint64_t labels_of(const struct server *s, authority_ref badge)
{
	struct authority_badge_told b;

	return badge != 0 && authority_badge_at(s->book->a, AUTHORITY_ROW(badge), &b) && b.ref == badge ? b.labels : 0;
}

/* What only charges a budget, or gives back, is written, and synced soon: a loss of power may take it together with its answer. What a person said, what has
 * a key, or takes a label off, waits for the disk, since it is used up; what brings a label does, since what came with it may be on the disk by then; and all
 * else does. */
static bool is_charge(const struct server *s, const struct authority_request *q, const struct authority_answer *answer,
		      uint64_t labels_before)
{
	struct authority_grant_told g;

	if (answer->n_actions > 0 || answer->verdict != AUTHORITY_ALLOWED || answer->labels != labels_before)
		return false;
	if (q->op == AUTHORITY_RETURN || q->op == AUTHORITY_MORE)
		return true;
	return q->op == AUTHORITY_USE && (q->flags & AUTHORITY_KEYED) == 0 &&
	       authority_grant_by(s->book->a, q->grant, &g) && g.flags == 0 && g.n_unless == 0 &&
	       g.verb != VERB_DECLASSIFY;
}

static bool is_mine(const struct server *s, const struct client *c, authority_ref badge)
{
	return authority_is_in(s->book->a, badge, c->bound);
}

/* What is taken on a bound connection. */
static bool may_ask(const struct server *s, const struct client *c, const struct authority_request *q)
{
	if (!c->is_bound)
		return true;
	switch ((enum authority_op)q->op) {
	case AUTHORITY_OPEN:
	case AUTHORITY_DERIVE: /* `to` is a sub-agent of that badge, or refused */
	case AUTHORITY_EVENT_END:
	case AUTHORITY_HAND_OVER: /* likewise */
	case AUTHORITY_USE:
	case AUTHORITY_RETURN:
	case AUTHORITY_MORE:
	case AUTHORITY_LABEL:
	case AUTHORITY_ENTER: return is_mine(s, c, q->badge);
	case AUTHORITY_MARK: return is_mine(s, c, q->badge) && q->labels == 0; /* others would be fewer than it has */
	case AUTHORITY_TAKE: return is_mine(s, c, q->badge) && is_mine(s, c, q->to);
	case AUTHORITY_END: return q->badge != c->bound && is_mine(s, c, q->badge);
	case AUTHORITY_TIME:
	case AUTHORITY_GIVE:
	case AUTHORITY_REVOKE:
	case AUTHORITY_ANSWER:
	case AUTHORITY_FORGET:
	case AUTHORITY_FREEZE:
	case AUTHORITY_THAW:
	case AUTHORITY_AGENT:
	case AUTHORITY_RESTART:
	case AUTHORITY_RESTORE:
	case AUTHORITY_UNMARK:
	case AUTHORITY_JOIN:
	case AUTHORITY_OP_COUNT: break;
	}
	return false;
}

/* The machine's tables are looked at when a grant is made: later there is nobody to tell. */
static bool has_zone(const struct server *s, struct client *c, const struct authority_request *q)
{
	struct err e;

	if ((q->op != AUTHORITY_GIVE && q->op != AUTHORITY_DERIVE) || window_is_none(&q->bounds.window) ||
	    zone_is(s->how->zones, q->bounds.window.zone))
		return true;
	(void)err_set(&e, AMBIT_HOST,
		      "install the tables (tzdata), or name a zone as `timedatectl list-timezones` lists them",
		      "this machine has no time zone '%s'", q->bounds.window.zone);
	refuse(c, &e);
	return false;
}

static void fill_in(const struct server *s, const struct book_time *t, struct authority_request *q)
{
	struct authority_grant_told g;

	q->minute = AUTHORITY_MINUTE_NONE;
	if ((q->op == AUTHORITY_USE || q->op == AUTHORITY_MORE || q->op == AUTHORITY_OPEN) &&
	    authority_grant_by(s->book->a, q->grant, &g) && !window_is_none(&g.bounds.window))
		q->minute = zone_minute(s->how->zones, g.bounds.window.zone, t->now_ms);
}

static bool is_shown(const struct client *c, const uint8_t digest[AUTHORITY_DIGEST])
{
	uint8_t sum[SHA256_BYTES];
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, c->shown.data, c->shown.len);
	sha256_end(&h, sum);
	return memcmp(sum, digest, sizeof sum) == 0;
}

/* What came for the question, if it came to one. */
static void keep_shown(struct server *s, struct client *c, const struct authority_answer *answer)
{
	const bool is_new = answer->verdict == AUTHORITY_ASKS && answer->why == WHY_NONE;
	const int r = is_new && c->shown.len > 0 ? shown_keep(s->how->shown, answer->made, c->shown.data, c->shown.len)
						 : 0;

	s->failed = r < 0 ? r : s->failed;
}

static void keep_labelled(struct server *s, const struct authority_request *q, const struct authority_answer *answer)
{
	const int r = labelled_keep(s->how->labelled, q, answer);

	s->failed = r < 0 ? r : s->failed;
}

/* ---- the ledger ---- */

/* Whether its steps have where to go; else it is asked for that. */
static bool has_ledger(struct client *c)
{
	if (c->is_not_recorded || scribe_is_there(c->ledger))
		return true;
	fd_close(&c->ledger);
	client_put(c, WIRE_AUTHORITY_UNRECORDED, NULL);
	client_commit(c);
	return false;
}

static int write_told(struct client *c, const struct told *t, struct err *e)
{
	auto_buf message = { .max = WIRE_BODY_MAX };

	told_put(&message, t);
	return scribe_write(c->ledger, &message, e);
}

/* What the clock did since the last step that somebody asked for goes before it. */
static int write_owed(struct server *s, struct client *c, struct err *e)
{
	static const struct authority_answer allowed = { .verdict = AUTHORITY_ALLOWED };
	static const struct told_names none = { .verb = VERB_COUNT };
	struct authority_request q;
	struct authority_closed closed;
	struct told t = { .q = &q,
			  .answer = &allowed,
			  .names = &none,
			  .closed = &closed,
			  .a = s->book->a,
			  .n_labels = s->book->n_labels,
			  .labels = s->book->labels,
			  .realm = s->how->signers->realm };
	struct rbuf in;
	int r = 0;

	rbuf_init(&in, s->book->owed.data, s->book->owed.len);
	while (r == 0 && book_owed(&in, &t.step, &q, &closed))
		r = write_told(c, &t, e);
	return r;
}

/* Before it is written here: what is in no log has no effect. An entry of a step that was not kept then is followed by another of its number. */
static void record(struct server *s, struct client *c, const struct told *of)
{
	struct authority_closed closed;
	struct told t = *of;
	struct err e;
	int r = 0;

	authority_closed(s->book->a, t.answer, &closed);
	t.closed = &closed;
	t.step = s->book->steps;
	t.a = s->book->a;
	t.n_labels = s->book->n_labels;
	t.labels = s->book->labels;
	t.realm = s->how->signers->realm;
	if (!c->is_not_recorded) {
		r = write_owed(s, c, &e);
		r = r < 0 ? r : write_told(c, &t, &e);
		c->ledger_ms = clock_boot_ms();
	}
	buf_reset(&s->book->owed);
	if (r == 0)
		return;
	fd_close(&c->ledger);
	(void)err_context(&e, r, "what the authority does is to be in the ledger; nothing was changed");
	s->unrecorded = e;
}

/* ---- a step ---- */

/* Whether it is kept. signed_by: of *t who signed it, and nothing else. client NULL: of the clock. */
static bool make(struct server *s, struct client *c, uint32_t own, struct authority_request *q,
		 const struct told *signed_by, struct authority_answer *ret)
{
	const struct book_time now = serve_time();
	struct told_names names;
	struct told t = *signed_by;
	uint64_t labels_before;
	bool kept;

	t.q = q;
	t.answer = ret;
	t.names = &names;
	told_find(s->book->a, q, &names);
	labels_before = labels_of(s, q->badge);
	if (q->op == AUTHORITY_END || q->op == AUTHORITY_EVENT_END)
		remember_kin(s);
	fill_in(s, &now, q);
	kept = book_step(s->book, q, &now, ret);
	s->changed = s->changed || kept;
	s->wants_sync = s->wants_sync || (kept && !is_charge(s, q, ret, labels_before));
	if (kept)
		tell_watchers(s, c, own, ret);
	if (kept && c != NULL)
		record(s, c, &t);
	return kept;
}

/* ---- where it is full ---- */

static bool is_in_use(void *of, authority_ref badge)
{
	struct server *s = of;

	for (unsigned i = 0; i < s->places; i++) {
		const struct client *c = client_at(s, i);

		if (c != NULL && (c->about == badge || (c->is_bound && c->bound == badge)))
			return true;
	}
	return false;
}

/* Those that hold nothing. False: there are none, or the ledger does not take it. */
static bool end_idle(struct server *s, struct client *c, uint32_t own)
{
	authority_ref idle[ROOM_IDLE_MAX];
	const uint32_t n = room_idle(s->space, s->book->a, is_in_use, s, idle);

	for (uint32_t i = 0; i < n && s->unrecorded.code == AMBIT_OK; i++) {
		struct authority_request q = { .op = AUTHORITY_END, .badge = idle[i], .object = "", .terms = "" };
		struct told told = { .by = NULL };
		struct authority_answer ignored;

		(void)make(s, c, own, &q, &told, &ignored);
	}
	return n > 0 && s->unrecorded.code == AMBIT_OK;
}

static bool join_marks(struct server *s, struct client *c, uint32_t own)
{
	char directory[GRANT_OBJECT_MAX];
	struct authority_request q = { .op = AUTHORITY_JOIN, .object = directory, .terms = "" };
	struct told told = { .by = NULL };
	struct authority_answer ignored;

	if (!room_join(s->space, s->book->a, directory))
		return false;
	(void)make(s, c, own, &q, &told, &ignored);
	return s->unrecorded.code == AMBIT_OK;
}

/* For what a person's own connection makes, and for marks, which whoever commits needs. */
static bool make_room(struct server *s, struct client *c, uint32_t own, const struct authority_request *q)
{
	if (q->op == AUTHORITY_MARK)
		return join_marks(s, c, own);
	return (q->op == AUTHORITY_OPEN || q->op == AUTHORITY_GIVE || q->op == AUTHORITY_DERIVE) &&
	       (c == NULL || !c->is_bound) && end_idle(s, c, own);
}

/* ---- a step and its answer ---- */

/* Whose the step is: of a grant that is derived who gets it. */
static authority_ref about(const struct authority_request *q)
{
	return q->op == AUTHORITY_DERIVE && q->to != 0 ? q->to : q->badge;
}

static void note_used(struct server *s, struct client *c, const struct authority_request *q,
		      const struct authority_answer *answer)
{
	const bool opens = q->op == AUTHORITY_OPEN;

	if (opens && answer->verdict == AUTHORITY_ASKS) /* what was made is a question */
		return;
	c->about = opens ? answer->made : about(q);
	room_used(s->space, c->about);
}

/* by: of a person's answer, who signed it, with key. */
static void step_by(struct server *s, struct client *c, uint32_t own, struct authority_request *q,
		    const struct keeper_signed *by, const uint8_t *key)
{
	struct authority_answer answer;
	struct told told = { .by = by, .key = key };
	bool kept;

	if (s->unrecorded.code != AMBIT_OK) { /* all of this turn is refused */
		if (c != NULL)
			c->asks = true;
		return;
	}
	if (c != NULL)
		c->about = about(q);
	kept = make(s, c, own, q, &told, &answer);
	if (c == NULL)
		return;
	if (answer.why == WHY_FULL && s->unrecorded.code == AMBIT_OK && make_room(s, c, own, q))
		kept = make(s, c, own, q, &told, &answer);
	note_used(s, c, q, &answer);
	c->asks = true;
	if (s->unrecorded.code != AMBIT_OK)
		return;
	keep_shown(s, c, &answer);
	if (kept)
		keep_labelled(s, q, &answer);
	c->answer = (struct keeper_answer){ .step = kept ? s->book->steps : 0,
					    .verdict = answer.verdict,
					    .why = answer.why,
					    .limit = answer.limit,
					    .made = answer.made,
					    .labels = answer.labels };
	if (answer.verdict == AUTHORITY_ALLOWED && may_close(q))
		count_still_late(s, c, q);
}

/* client NULL: of the clock. */
static void step(struct server *s, struct client *c, uint32_t own, struct authority_request *q)
{
	step_by(s, c, own, q, NULL, NULL);
}

static void deny(struct client *c)
{
	c->asks = true;
	c->answer = (struct keeper_answer){ .verdict = AUTHORITY_DENIED, .why = WHY_NOT_HELD };
}

static void hear_step(struct server *s, struct client *c, struct rbuf *in)
{
	const uint32_t own = rbuf_u32(in);
	struct authority_request q;
	struct err e;

	if (!authority_take_request(in, &q, s->texts) || !rbuf_done(in) || q.op == AUTHORITY_RESTART) {
		send_away(s, c, "a step that is none");
		return;
	}
	if (c->shown.len > 0 && !is_shown(c, q.digest)) {
		(void)err_set(&e, AMBIT_MALFORMED, NULL, "what is to be shown has not the digest of the request");
		refuse(c, &e);
	} else if (q.op == AUTHORITY_ANSWER) {
		(void)err_set(&e, AMBIT_DENIED, "`ambit approve` signs it", "nobody answers without a signature");
		refuse(c, &e);
	} else if (!may_ask(s, c, &q)) {
		deny(c);
	} else if (!has_ledger(c)) {
		return; /* it says the same again, and what is to be shown is here */
	} else if (has_zone(s, c, &q)) {
		step(s, c, own, &q);
	}
	buf_reset(&c->shown);
}

static void hear_signed(struct server *s, struct client *c, struct rbuf *in)
{
	struct keeper_signed by;
	struct authority_request q;
	uint8_t key[APPROVE_KEY_BYTES];
	struct err e;

	if (!keeper_signed_take(in, &by)) {
		send_away(s, c, "an answer that is none");
		return;
	}
	if (c->is_bound)
		deny(c);
	else if (signed_take(s->how->signers, &by, s->book->a, &q, key, &e) < 0)
		refuse(c, &e);
	else if (has_ledger(c))
		step_by(s, c, 0, &q, &by, key);
}

/* ---- keeping them ---- */

static int lost(int r, struct err *e)
{
	return err_sys(e, AMBIT_SYSTEM, -r, "see the kernel's log", "cannot keep the authority on disk");
}

static void unwritten(int r, struct err *e)
{
	(void)err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r, "make room, and try again",
		      "the authority cannot be written; nothing was changed");
}

/* Nothing of this turn has happened. */
static int take_back(struct server *s, int why, struct err *e)
{
	struct err told;

	if (s->unrecorded.code != AMBIT_OK) { /* the clock's steps wait for no ledger, and need no rest */
		told = s->unrecorded;
		s->unrecorded.code = AMBIT_OK;
	} else {
		unwritten(why, &told);
		s->rests_ms = clock_boot_ms() + REST_MS;
	}
	for (unsigned i = 0; i < s->places; i++) {
		struct client *c = client_at(s, i);

		if (c == NULL)
			continue;
		client_forget(c);
		if (!c->asks || c->until_ms != 0)
			continue;
		memset(c->waits_for, 0, sizeof c->waits_for);
		c->asks = false;
		refuse(c, &told);
	}
	return book_again(s->book, e);
}

static int sync_all(struct server *s, struct err *e)
{
	const int r = book_sync(s->book);

	s->dirty_ms = 0;
	if (r < 0)
		return lost(r, e);
	shown_sweep(s->how->shown, s->book->a);
	return 0;
}

/* What was asked in this turn is answered. */
static void answer_all(struct server *s, uint64_t now)
{
	for (unsigned i = 0; i < s->places; i++) {
		struct client *c = client_at(s, i);

		if (c == NULL)
			continue;
		client_commit(c);
		if (!c->asks || c->until_ms != 0)
			continue;
		if (waits(c))
			c->until_ms = now + SERVE_WATCH_MS;
		else
			tell_answer(c);
	}
}

static int commit(struct server *s, struct err *e)
{
	const uint64_t now = clock_boot_ms();
	int r = s->unrecorded.code != AMBIT_OK ? -ECANCELED
		: s->failed < 0                ? s->failed
		: s->changed                   ? book_write(s->book)
					       : 0;

	s->failed = 0;
	if (r < 0) {
		s->changed = s->wants_sync = false;
		return take_back(s, r, e);
	}
	if (s->changed && s->dirty_ms == 0)
		s->dirty_ms = now;
	r = s->wants_sync ? sync_all(s, e) : 0;
	s->changed = s->wants_sync = false;
	if (r < 0)
		return r;
	answer_all(s, now);
	r = s->dirty_ms != 0 && now - s->dirty_ms >= SERVE_SYNC_MS ? sync_all(s, e) : 0; /* nobody waits for that */
	if (r < 0)
		return r;
	r = book_fold(s->book);
	return r < 0 ? lost(r, e) : 0;
}

/* ---- what else is asked ---- */

static void hear_bind(struct server *s, struct client *c, authority_ref badge)
{
	struct err e;

	if (!authority_is_in(s->book->a, badge, c->is_bound ? c->bound : badge)) {
		(void)err_set(&e, AMBIT_NOT_FOUND, NULL, "there is no such session or agent");
		refuse(c, &e);
		return;
	}
	c->is_bound = true;
	c->bound = badge;
	tell_number(c, 0);
}

static int hear_label_name(struct server *s, struct client *c, struct rbuf *in, struct err *e)
{
	char name[AUTHORITY_NAME_MAX];
	struct err told;
	int bit, r;

	rbuf_str(in, name, sizeof name);
	bit = rbuf_done(in) ? book_label(s->book, name, !c->is_bound) : -AMBIT_MALFORMED;
	r = bit < 0 ? 0 : book_write(s->book);
	if (r < 0) {
		unwritten(r, &told);
		refuse(c, &told);
		return book_again(s->book, e);
	}
	r = bit < 0 ? 0 : book_sync(s->book);
	if (r < 0)
		return lost(r, e);
	if (bit >= 0)
		tell_number(c, (uint64_t)bit);
	else {
		(void)err_set(
			&told, (enum ambit_code) - bit, NULL,
			bit == -AMBIT_LIMIT ? "there are %d labels already"
			: bit == -AMBIT_NOT_FOUND
				? "there is no such label (of at most %d)"
				: "not a label's name: 1 to 63 printable characters without blanks (of at most %d)",
			BOOK_LABELS_MAX);
		refuse(c, &told);
	}
	return 0;
}

static void tell_labels(struct server *s, struct client *c)
{
	auto_buf b = { .max = WIRE_BODY_MAX };

	buf_put_u8(&b, (uint8_t)s->book->n_labels); /* BOOK_LABELS_MAX */
	for (unsigned i = 0; i < s->book->n_labels; i++)
		buf_put_str(&b, s->book->labels[i]);
	client_put(c, WIRE_AUTHORITY_NAMES, &b);
}

static uint32_t rows_of(const struct server *s, enum keeper_kind kind)
{
	struct authority_size used;

	authority_used(s->book->a, &used);
	switch (kind) {
	case KEEPER_BADGES: return used.badges;
	case KEEPER_GRANTS: return used.grants;
	case KEEPER_ASKS: return used.asks;
	case KEEPER_MARKS: return used.marks;
	case KEEPER_AGENTS: return used.agents;
	case KEEPER_ORIGINS: return used.origins;
	case KEEPER_KIND_COUNT: break;
	}
	return 0;
}

/* Whether a bound connection may see it. */
static bool may_see(const struct server *s, const struct client *c, enum keeper_kind kind, uint32_t row)
{
	struct authority_badge_told b;
	struct authority_grant_told g;
	struct authority_ask_told k;
	struct authority_origin_told o;

	if (!c->is_bound)
		return true;
	if (kind == KEEPER_BADGES)
		return authority_badge_at(s->book->a, row, &b) && is_mine(s, c, b.ref);
	if (kind == KEEPER_GRANTS)
		return authority_grant_at(s->book->a, row, &g) && is_mine(s, c, g.badge);
	if (kind == KEEPER_ORIGINS)
		return authority_origin_at(s->book->a, row, &o) && is_mine(s, c, o.badge);
	return kind == KEEPER_ASKS && authority_ask_at(s->book->a, row, &k) && is_mine(s, c, k.badge);
}

static void tell_page(struct server *s, struct client *c, enum keeper_kind kind, uint32_t from)
{
	const uint32_t end = rows_of(s, kind);
	auto_buf rows = { .max = WIRE_BODY_MAX }, b = { .max = WIRE_BODY_MAX };
	uint32_t i = from;

	for (uint32_t seen = 0; i < end && seen < LIST_ROWS && rows.len + KEEPER_ROW_MAX < WIRE_BODY_MAX; i++, seen++)
		if (may_see(s, c, kind, i))
			(void)keeper_row_put(&rows, s->book->a, kind, i); /* or there is none there */
	buf_put_u8(&b, (uint8_t)kind);
	buf_put_u32(&b, i < end ? i : KEEPER_PAGE_END);
	if (rows.len > 0)
		buf_put(&b, rows.data, rows.len);
	client_put(c, WIRE_AUTHORITY_PAGE, &b);
}

static void hear_find(struct server *s, struct client *c, struct rbuf *in)
{
	const authority_ref badge = rbuf_u64(in);
	const uint8_t verb = rbuf_u8(in);

	rbuf_str(in, s->texts, GRANT_OBJECT_MAX);
	if (!rbuf_done(in) || verb >= VERB_COUNT)
		send_away(s, c, "a question that is none");
	else
		tell_number(c, c->is_bound && !is_mine(s, c, badge)
				       ? 0
				       : authority_find(s->book->a, badge, (enum grant_verb)verb, s->texts));
}

/* A descriptor cannot wait: whoever does not read when it asks is gone. */
static void tell_shown(struct server *s, struct client *c, authority_ref ask)
{
	auto_fd int fd = c->is_bound ? -ENOENT : shown_read(s->how->shown, ask);
	struct err e;

	if (fd < 0) {
		(void)err_set(&e, AMBIT_NOT_FOUND, NULL, "there is nothing that is shown with this question");
		refuse(c, &e);
		fd = -1;
	} else if (wire_send(c->sock, WIRE_AUTHORITY_SHOWS, NULL, &fd, 1) < 0) {
		part_with(s, c);
	}
}

static void hear_part(struct server *s, struct client *c, struct rbuf *in)
{
	const size_t n = rbuf_left(in);
	size_t all = n;

	for (unsigned i = 0; i < s->places; i++)
		all += client_at(s, i) != NULL ? s->clients[i].shown.len : 0;
	if (n > 0)
		buf_put(&c->shown, rbuf_bytes(in, n), n);
	if (c->shown.failed || all > SERVE_SHOWN_MAX)
		send_away(s, c, "more is to be shown than fits");
}

static int hear_other(struct server *s, struct client *c, struct wire_message *m, struct err *e)
{
	int r = commit(s, e); /* what is told below has happened */
	uint8_t kind;

	if (r < 0)
		return r;
	switch ((unsigned)m->number) {
	case WIRE_AUTHORITY_BIND: hear_bind(s, c, rbuf_u64(&m->body)); break;
	case WIRE_AUTHORITY_WATCH:
		c->watches = true;
		tell_number(c, c->number);
		break;
	case WIRE_AUTHORITY_LABEL_NAME: r = hear_label_name(s, c, &m->body, e); break;
	case WIRE_AUTHORITY_LABELS: tell_labels(s, c); break;
	case WIRE_AUTHORITY_LIST:
		kind = rbuf_u8(&m->body);
		if (kind < KEEPER_KIND_COUNT)
			tell_page(s, c, (enum keeper_kind)kind, rbuf_u32(&m->body));
		else
			send_away(s, c, "a list that is none");
		break;
	case WIRE_AUTHORITY_FIND: hear_find(s, c, &m->body); break;
	case WIRE_AUTHORITY_SHOWN: tell_shown(s, c, rbuf_u64(&m->body)); break;
	default: send_away(s, c, "a message that is not taken here");
	}
	if (r == 0 && c->sock >= 0)
		client_commit(c);
	return r;
}

/* That there is none is said before it is bound: a session's steps are not for it to leave out. */
static void hear_ledger(struct server *s, struct client *c, struct wire_message *m)
{
	fd_close(&c->ledger);
	c->is_not_recorded = m->n_fds == 0;
	if (c->is_not_recorded && c->is_bound) {
		send_away(s, c, "who is bound to a session does not say that nothing is recorded");
	} else if (m->n_fds > 0) {
		c->ledger = steal_fd(&m->fds[0]);
		c->ledger_ms = clock_boot_ms();
	}
}

static int hear(struct server *s, struct client *c, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int got = wire_receive(c->sock, WIRE_CLIENT, WIRE_RUNNING, s->room, sizeof s->room, &m);

	if (got == -EAGAIN)
		return 0;
	if (got <= 0)
		part_with(s, c);
	else if (c->watches != (m.number == WIRE_AUTHORITY_DONE))
		send_away(s, c, "who watches asks nothing, and who asks does not watch");
	else if (m.number == WIRE_AUTHORITY_DONE)
		hear_done(s, c, rbuf_u64(&m.body));
	else if (m.number == WIRE_AUTHORITY_STEP)
		hear_step(s, c, &m.body);
	else if (m.number == WIRE_AUTHORITY_SIGNED)
		hear_signed(s, c, &m.body);
	else if (m.number == WIRE_AUTHORITY_LEDGER)
		hear_ledger(s, c, &m);
	else if (m.number == WIRE_AUTHORITY_PART)
		hear_part(s, c, &m.body);
	else
		return hear_other(s, c, &m, e);
	return 0;
}

/* ---- connections ---- */

static void meet(struct server *s)
{
	auto_fd int sock = accept4(s->how->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uint8_t room[32];
	struct client *c = s->clients;
	struct buf hello;
	struct err e;

	while (c < s->clients + SERVE_CLIENTS_MAX && c->sock >= 0)
		c++;
	if (sock >= 0 && c == s->clients + SERVE_CLIENTS_MAX) {
		(void)err_set(&e, AMBIT_LIMIT, "try again when others have ended",
			      "%d connections to the authority are open already", SERVE_CLIENTS_MAX);
		(void)wire_tell_error(sock, WIRE_AUTHORITY_FAILED, &e);
		return;
	}
	buf_init_in(&hello, room, sizeof room);
	buf_put_u64(&hello, s->book->steps);
	buf_put_u64(&hello, s->how->cut_bytes);
	buf_put(&hello, s->how->signers->realm, STATEMENT_REALM_BYTES);
	if (sock < 0 || wire_send(sock, WIRE_AUTHORITY_HELLO, &hello, NULL, 0) < 0)
		return;
	client_init(c, steal_fd(&sock), ++s->numbers);
	if (s->places <= (unsigned)(c - s->clients))
		s->places = (unsigned)(c - s->clients) + 1;
}

static void release(struct server *s, uint64_t now)
{
	for (unsigned i = 0; i < s->places; i++) {
		struct client *c = client_at(s, i);

		if (c == NULL || c->until_ms == 0 || (waits(c) && now < c->until_ms))
			continue;
		count_late(s, c);
		tell_answer(c);
	}
}

/* So that it can end, or go on in another log. */
static void let_go_of_ledgers(struct server *s, uint64_t now)
{
	for (unsigned i = 0; i < s->places; i++) {
		struct client *c = client_at(s, i);

		if (c != NULL && c->ledger >= 0 && now - c->ledger_ms >= SCRIBE_IDLE_MS)
			fd_close(&c->ledger);
	}
}

static void flush(struct server *s)
{
	for (unsigned i = 0; i < s->places; i++)
		if (client_at(s, i) != NULL && !client_flush(&s->clients[i]))
			part_with(s, &s->clients[i]);
}

/* ---- time ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until something is to be done without a message. */
static int patience(const struct server *s)
{
	const struct book_time t = serve_time();
	const uint64_t next = authority_next_ms(s->book->a);
	uint64_t left = next == UINT64_MAX ? UINT64_MAX : next <= t.now_ms ? 0 : sooner(next - t.now_ms, LOOK_MS);
	uint64_t at = UINT64_MAX;

	if (left == 0 && s->rests_ms > t.boot_ms)
		left = s->rests_ms - t.boot_ms;

	if (s->idle_ms != 0)
		at = sooner(at, s->idle_ms + SERVE_IDLE_MS);
	if (s->dirty_ms != 0)
		at = sooner(at, s->dirty_ms + SERVE_SYNC_MS);
	for (unsigned i = 0; i < s->places; i++)
		if (s->clients[i].sock >= 0 && s->clients[i].until_ms != 0)
			at = sooner(at, s->clients[i].until_ms);
	for (unsigned i = 0; i < s->places; i++)
		if (s->clients[i].sock >= 0 && s->clients[i].ledger >= 0)
			at = sooner(at, s->clients[i].ledger_ms + SCRIBE_IDLE_MS);
	if (at != UINT64_MAX)
		left = sooner(left, at > t.boot_ms ? at - t.boot_ms : 0);
	return left == UINT64_MAX ? -1 : (int)left; /* SERVE_IDLE_MS at most */
}

static void tick(struct server *s)
{
	struct authority_request q = { .op = AUTHORITY_TIME, .object = "", .terms = "" };
	const struct book_time t = serve_time();

	if (t.now_ms >= authority_next_ms(s->book->a) && t.boot_ms >= s->rests_ms)
		step(s, NULL, 0, &q);
}

/* One that waits for others, or has not read its answers, is not heard meanwhile; who watches always is. */
static short events_of(const struct client *c)
{
	const bool unread = client_has_unread(c);

	return (short)((c->watches || (!unread && !c->asks) ? POLLIN : 0) | (unread ? POLLOUT : 0));
}

static nfds_t list(struct server *s)
{
	while (s->places > 0 && client_at(s, s->places - 1) == NULL)
		s->places--;
	s->polled[0] = (struct pollfd){ .fd = s->how->listen_fd, .events = POLLIN };
	for (unsigned i = 0; i < s->places; i++)
		s->polled[1 + i] = (struct pollfd){ .fd = s->clients[i].sock, /* -1 is passed over */
						    .events = client_at(s, i) != NULL ? events_of(&s->clients[i])
										      : (short)0 };
	return 1 + s->places;
}

static bool is_alone(const struct server *s)
{
	for (unsigned i = 0; i < s->places; i++)
		if (s->clients[i].sock >= 0)
			return false;
	return true;
}

/* Who hung up while it waits is gone: what it asked is done, and nobody hears it. */
static int hear_one(struct server *s, unsigned i, struct err *e)
{
	const struct pollfd *p = &s->polled[1 + i];

	if (p->fd < 0 || p->revents == 0 || client_at(s, i) == NULL)
		return 0;
	if ((p->events & POLLIN) == 0 && (p->revents & (POLLHUP | POLLERR)) != 0) {
		part_with(s, &s->clients[i]);
		return 0;
	}
	return (p->events & POLLIN) != 0 && (p->revents & ~POLLOUT) != 0 ? hear(s, &s->clients[i], e) : 0;
}

static int turn(struct server *s, bool *ret_over, struct err *e)
{
	const nfds_t n = list(s);
	uint64_t now;
	int r = 0;

	if (poll(s->polled, n, patience(s)) < 0 && errno != EINTR)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for events");
	tick(s);
	for (unsigned i = 0; i < s->places && r == 0; i++)
		r = hear_one(s, i, e);
	r = r < 0 ? r : commit(s, e);
	if (r < 0)
		return r;
	now = clock_boot_ms();
	release(s, now);
	flush(s);
	let_go_of_ledgers(s, now);
	if (s->polled[0].revents != 0)
		meet(s);
	s->idle_ms = !is_alone(s) ? 0 : s->idle_ms == 0 ? now : s->idle_ms;
	*ret_over = s->idle_ms != 0 && now - s->idle_ms >= SERVE_IDLE_MS;
	return 0;
}

int serve_run(const struct serve *how, struct err *e)
{
	auto_free struct server *s = calloc(1, sizeof *s);
	auto_free struct kin *kin = calloc(authority_size(how->book->a)->badges, sizeof *kin);
	struct room *space = room_create(authority_size(how->book->a));
	bool over = false;
	int r = 0;

	if (s == NULL || kin == NULL || space == NULL) {
		room_destroy(space);
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the authority");
	}
	s->how = how;
	s->book = how->book;
	s->kin = kin;
	s->space = space;
	s->idle_ms = clock_boot_ms();
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++)
		s->clients[i].sock = -1;
	while (r == 0 && !over)
		r = turn(s, &over, e);
	if (r == 0)
		r = sync_all(s, e);
	for (unsigned i = 0; i < s->places; i++) {
		if (client_at(s, i) == NULL)
			continue;
		if (r < 0)
			(void)wire_tell_error(s->clients[i].sock, WIRE_AUTHORITY_FAILED, e);
		client_finish(&s->clients[i]);
	}
	room_destroy(space);
	return r;
}
