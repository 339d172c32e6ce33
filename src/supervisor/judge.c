#include "supervisor/judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "authority/link.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/text.h"
#include "supervisor/judge_shown.h"

#define PATIENCE_MS 2000
#define END_MS 1000
/* Of counted bytes, first and at most at once: a piece that passes in less than 20 ms makes a quick connection stop and go (network_may). Where less is left, less, but no less than that. */
#define PIECE_FIRST (UINT64_C(256) << 10)
#define PIECE_MOST (UINT64_C(64) << 20)
#define PIECE_LEAST UINT64_C(1024)

void judge_init(struct judge *j)
{
	memset(j, 0, sizeof *j);
	j->sock = j->watch = j->ledger = -1;
}

void judge_finish(struct judge *j)
{
	fd_close(&j->sock);
	fd_close(&j->watch);
	fd_close(&j->ledger);
}

int judge_take(struct judge *j, struct wire_message *m, struct err *e)
{
	struct judge_told told;

	if (m->n_fds < 2 || m->n_fds > 3 || j->sock >= 0 || !judge_told_take(&m->body, &told) ||
	    fd_set_nonblock(m->fds[0], true) < 0 || fd_set_nonblock(m->fds[1], true) < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "what the authority is to be asked is not well-formed");
	j->badge = told.badge;
	j->keep_ms = told.keep_ms;
	for (uint32_t i = 0; i < told.n; i++)
		j->grants[told.grants[i].grant] = told.grants[i];
	j->sock = steal_fd(&m->fds[0]);
	j->watch = steal_fd(&m->fds[1]);
	if (m->n_fds == 3)
		j->ledger = steal_fd(&m->fds[2]);
	return 0;
}

/* ---- asking ---- */

static bool put_shown(struct buf *out, const struct judge *j, uint32_t grant, const char *to)
{
	struct cell_program p;
	struct rbuf program = *j->program;

	if (program_decode(&program, &p, NULL) < 0)
		return false;
	judge_shown_put(out, "connect", to, j->q, p.argv, grant);
	program_finish(&p);
	return !out->failed;
}

static bool say(struct judge *j, enum wire_number number, struct buf *b)
{
	return !b->failed && wire_send(j->sock, number, b, NULL, 0) == 0;
}

/* again: what is to be shown is there already. */
static bool ask(struct judge *j, const struct judge_asked *what, bool again)
{
	static uint8_t shown_room[JUDGE_SHOWN_MAX], room[8192];
	const uint64_t now = clock_unix_ms();
	struct authority_request q = { .op = AUTHORITY_USE,
				       .verb = VERB_CONNECT,
				       .badge = j->badge,
				       .grant = j->grants[what->grant].ref,
				       .until_ms = now + j->keep_ms,
				       .bytes = what->bytes,
				       .minute = AUTHORITY_MINUTE_NONE,
				       .object = what->to,
				       .terms = "" };
	const bool shows = !again && j->grants[what->grant].asks; /* else nobody is asked */
	struct sha256 sum;
	struct buf shown, b;

	buf_init_in(&shown, shown_room, sizeof shown_room);
	if (!put_shown(&shown, j, what->grant, what->to))
		return false;
	sha256_init(&sum);
	sha256_add(&sum, shown.data, shown.len);
	sha256_end(&sum, q.digest);
	id_put_time(q.id, now);
	if (getrandom(q.id + ID_TIME, ID_RANDOM, 0) != ID_RANDOM)
		return false;
	id_read(j->q->event, q.event);
	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, 0); /* it waits until what it closes is closed, which is heard meanwhile */
	authority_put_request(&b, &q);
	return (!shows || say(j, WIRE_AUTHORITY_PART, &shown)) && say(j, WIRE_AUTHORITY_STEP, &b);
}

static bool ask_amount(struct judge *j, enum authority_op op, uint32_t grant, uint64_t bytes)
{
	const struct authority_request q = { .op = (uint8_t)op,
					     .badge = j->badge,
					     .grant = j->grants[grant].ref,
					     .bytes = bytes,
					     .minute = AUTHORITY_MINUTE_NONE,
					     .object = "",
					     .terms = "" };
	uint8_t room[512];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, 0);
	authority_put_request(&b, &q);
	return say(j, WIRE_AUTHORITY_STEP, &b);
}

/* again: of the same, whose first word was heard. */
static bool ask_of(struct judge *j, bool again)
{
	const struct judge_open *o = &j->open[j->at];

	switch (j->doing) {
	case JUDGE_NOTHING: break;
	case JUDGE_MAY: return ask(j, &j->asked[j->first], again);
	case JUDGE_MORE: return ask_amount(j, AUTHORITY_MORE, o->grant, o->piece);
	case JUDGE_RETURN: return ask_amount(j, AUTHORITY_RETURN, o->grant, o->back);
	}
	return true;
}

/* One of those that want something: what is given back first, so that there is more to be had. */
static void choose_open(struct judge *j)
{
	for (uint32_t i = 0; i < j->n_open; i++) {
		if (!j->open[i].over && !j->open[i].wants)
			continue;
		j->at = i;
		j->doing = j->open[i].wants ? JUDGE_MORE : JUDGE_RETURN;
		if (j->doing == JUDGE_RETURN)
			return;
	}
}

static void refuse(struct judge *j);

static void ask_next(struct judge *j)
{
	if (j->doing != JUDGE_NOTHING)
		return;
	do {
		j->given = 0;
		if (j->n_wait > 0)
			choose_open(j);
		else if (j->n > 0)
			j->doing = JUDGE_MAY;
		if (ask_of(j, false))
			return;
		refuse(j);
	} while (j->doing != JUDGE_NOTHING || j->n > 0 || j->n_wait > 0);
}

static bool holds(void *user, uint32_t grant)
{
	const struct judge *j = user;

	return j->sock >= 0 && grant < GRANTS_MAX && j->grants[grant].ref != 0;
}

static void may(void *user, uint32_t grant, uint64_t number, const struct endpoint *to)
{
	struct judge *j = user;
	struct judge_asked *a = &j->asked[(j->first + j->n) % JUDGE_ASKED_MAX];

	if (j->sock < 0 || j->n == JUDGE_ASKED_MAX) {
		network_may(j->network, number, METER_OTHER, 0);
		return;
	}
	*a = (struct judge_asked){ .number = number,
				   .grant = grant,
				   .bytes = j->grants[grant].counted ? PIECE_FIRST : 0 };
	endpoint_put(to, a->to);
	j->n++;
	ask_next(j);
}

static struct judge_open *open_of(struct judge *j, uint64_t number)
{
	for (uint32_t i = 0; i < j->n_open; i++)
		if (j->open[i].number == number)
			return &j->open[i];
	return NULL;
}

static void more(void *user, uint64_t number, uint64_t up, uint64_t down)
{
	struct judge *j = user;
	struct judge_open *o = open_of(j, number);

	(void)up;
	(void)down;
	if (j->sock < 0 || o == NULL || o->wants || o->over) {
		network_may(j->network, number, METER_OTHER, 0);
		return;
	}
	o->piece = o->piece < PIECE_MOST / 2 ? o->piece * 2 : PIECE_MOST;
	o->wants = true;
	j->n_wait++;
	ask_next(j);
}

static void drop(struct judge *j, struct judge_open *o)
{
	j->n_wait -= o->wants || o->over;
	*o = (struct judge_open){ .number = 0 };
	while (j->n_open > 0 && j->open[j->n_open - 1].number == 0)
		j->n_open--;
}

/* What is charged next of what it passed above all that it was lent; false: nothing is left. */
static bool charges_above(struct judge_open *o)
{
	o->piece = o->above < PIECE_MOST ? o->above : PIECE_MOST;
	o->wants = o->above > 0;
	return o->wants;
}

/* How much it passed: what it did not need goes back, and what it passed above that, before it was held, is charged as far as there is room. */
static void used(void *user, uint64_t number, bool opened, uint64_t up, uint64_t down)
{
	struct judge *j = user;
	struct judge_open *o = open_of(j, number);

	(void)opened;
	if (o == NULL || o->over)
		return;
	o->back = up + down < o->lent ? o->lent - up - down : 0;
	o->above = up + down > o->lent ? up + down - o->lent : 0;
	j->n_wait += !o->wants;
	o->over = true;
	if (j->doing == JUDGE_MORE && &j->open[j->at] == o)
		return; /* when that is known */
	if ((!charges_above(o) && o->back == 0) || j->sock < 0)
		drop(j, o);
	ask_next(j);
}

const struct network_judge judge_of_connections = { .holds = holds, .may = may, .more = more, .used = used };

/* ---- hearing ---- */

static enum meter_why why_of(const struct keeper_answer *a)
{
	if (a->verdict == AUTHORITY_ASKS)
		return METER_ASKED;
	switch ((enum authority_why)a->why) {
	case WHY_REFUSED: return METER_REFUSED;
	case WHY_FROZEN: return METER_FROZEN;
	case WHY_LABELLED: return METER_LABELLED;
	case WHY_SPENT: return METER_SPENT;
	case WHY_NOT_NOW: return METER_NOT_NOW;
	case WHY_REVOKED:
	case WHY_EXPIRED: return METER_ENDED;
	case WHY_NONE:
	case WHY_RECORDED:
	case WHY_ALREADY:
	case WHY_NOT_HELD:
	case WHY_BEYOND:
	case WHY_DEPTH:
	case WHY_FLOOD:
	case WHY_CONFLICT:
	case WHY_MISMATCH:
	case WHY_ANSWERED:
	case WHY_TAKEN:
	case WHY_FULL:
	case WHY_MALFORMED:
	case WHY_COUNT: break;
	}
	return METER_OTHER;
}

static void note_open(struct judge *j, const struct judge_asked *a)
{
	uint32_t i = 0;

	while (i < j->n_open && j->open[i].number != 0)
		i++;
	if (i == LINK_CONNECTIONS_MAX) /* the dialer has no more: it is charged, and that is all */
		return;
	j->open[i] = (struct judge_open){ .number = a->number, .grant = a->grant, .lent = a->bytes, .piece = a->bytes };
	if (i == j->n_open)
		j->n_open++;
}

/* Of a connection that is over. 0: nothing was, and less is not asked for. */
static void charged(struct judge *j, struct judge_open *o, uint64_t bytes)
{
	const uint64_t above = o->above < bytes ? o->above : bytes;

	o->back += bytes - above; /* it was asked for while it went on */
	o->above = bytes == 0 ? 0 : o->above - above;
	if (!charges_above(o) && o->back == 0)
		drop(j, o);
}

/* Of what is being decided: LINK_YES, or why not. */
static void answer(struct judge *j, uint32_t why)
{
	const struct judge_asked *a = &j->asked[j->first];
	struct judge_open *o = &j->open[j->at];
	const enum judge_doing doing = j->doing;

	j->doing = JUDGE_NOTHING;
	if (doing == JUDGE_RETURN) {
		drop(j, o);
	} else if (doing == JUDGE_MORE && !o->over) {
		o->lent += why == LINK_YES ? o->piece : 0;
		o->wants = false;
		j->n_wait--;
		network_may(j->network, o->number, why, why == LINK_YES ? o->piece : 0);
	} else if (doing == JUDGE_MORE) {
		charged(j, o, why == LINK_YES ? o->piece : 0);
	} else if (doing == JUDGE_MAY) {
		j->first = (j->first + 1) % JUDGE_ASKED_MAX;
		j->n--;
		if (why == LINK_YES && a->bytes != 0)
			note_open(j, a);
		network_may(j->network, a->number, why, why == LINK_YES ? a->bytes : 0);
	}
}

static void refuse(struct judge *j)
{
	answer(j, METER_OTHER);
}

/* There is not so much left: less of it may be. */
static bool asks_for_less(struct judge *j, const struct keeper_answer *a)
{
	const bool passed = j->doing == JUDGE_MORE && j->open[j->at].over; /* of that the last byte is charged */
	uint64_t *bytes = j->doing == JUDGE_MAY ? &j->asked[j->first].bytes : &j->open[j->at].piece;

	if (a->verdict != AUTHORITY_DENIED || a->why != WHY_SPENT || a->limit != AUTHORITY_BYTES ||
	    j->doing == JUDGE_RETURN || *bytes / 2 < (passed ? 1 : PIECE_LEAST))
		return false;
	*bytes /= 2;
	return ask_of(j, false);
}

/* It and its connections end, also those of other grants that name the same. */
static void close_grant(struct judge *j, uint32_t grant)
{
	int n;

	if (j->closed[grant])
		return;
	j->closed[grant] = true;
	n = j->withdraw(j->user, grant);
	j->withdrawing += n > 0 ? (uint32_t)n : 0;
}

/* It has gone, or says what it may not: nothing is connected by these grants any more. */
static void lose(struct judge *j)
{
	fd_close(&j->sock);
	fd_close(&j->watch);
	j->done = 0;
	for (uint32_t i = 0; i < GRANTS_MAX; i++)
		if (j->grants[i].ref != 0)
			close_grant(j, i);
	while (j->n > 0) {
		j->doing = JUDGE_MAY;
		refuse(j);
	}
	for (uint32_t i = 0; i < j->n_open; i++)
		if (j->open[i].wants && !j->open[i].over)
			network_may(j->network, j->open[i].number, METER_OTHER, 0);
	j->n_open = j->n_wait = 0;
	j->doing = JUDGE_NOTHING;
}

/* The keeper lets go of a ledger that it does not use, so that it can end. */
static bool give_ledger(struct judge *j)
{
	return j->ledger >= 0 && j->given++ < JUDGE_GIVEN_MAX &&
	       wire_send(j->sock, WIRE_AUTHORITY_LEDGER, NULL, &j->ledger, 1) == 0 && ask_of(j, true);
}

static void hear(struct judge *j, struct wire_message *m)
{
	struct keeper_answer a;

	if (j->doing == JUDGE_NOTHING) {
		lose(j);
	} else if (m->number == WIRE_AUTHORITY_UNRECORDED) {
		if (!give_ledger(j))
			lose(j);
	} else if (m->number == WIRE_AUTHORITY_REFUSED) {
		refuse(j);
		ask_next(j);
	} else if (m->number != WIRE_AUTHORITY_ANSWERED || !keeper_answer_take(&m->body, &a)) {
		lose(j);
	} else if (!asks_for_less(j, &a)) {
		if (a.n_late > 0) /* what it brings would have closed something that is not known to be */
			a.verdict = AUTHORITY_DENIED;
		j->waits = j->waits || a.verdict == AUTHORITY_ASKS;
		j->labels = a.labels;
		answer(j, a.verdict == AUTHORITY_ALLOWED ? LINK_YES : (uint32_t)why_of(&a));
		ask_next(j);
	}
}

/* ---- what is closed ---- */

static void tell_done(struct judge *j)
{
	uint8_t room[8];
	struct buf b;

	if (j->done == 0 || j->withdrawing > 0 || j->watch < 0)
		return;
	buf_init_in(&b, room, sizeof room);
	buf_put_u64(&b, j->done);
	j->done = 0;
	if (wire_send(j->watch, WIRE_AUTHORITY_DONE, &b, NULL, 0) < 0)
		lose(j);
}

void judge_withdrawn(struct judge *j)
{
	if (j->withdrawing > 0 && --j->withdrawing == 0)
		tell_done(j);
}

static void act(struct judge *j, const struct authority_action *a)
{
	for (uint32_t i = 0; i < GRANTS_MAX; i++)
		if (j->grants[i].ref != 0 && ((a->act == AUTHORITY_ACT_CLOSE && a->ref == j->grants[i].ref) ||
					      (a->act == AUTHORITY_ACT_END && a->ref == j->badge)))
			close_grant(j, i);
}

static void hear_watch(struct judge *j)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX]; /* one thread */
	static struct keeper_actions told;
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(j->watch, WIRE_KEEPER, WIRE_RUNNING, room, sizeof room, &m);

	if (r == -EAGAIN)
		return;
	if (r <= 0 || m.number != WIRE_AUTHORITY_ACTIONS || !keeper_actions_take(&m.body, &told)) {
		lose(j);
		return;
	}
	for (uint32_t i = 0; i < told.n; i++)
		act(j, &told.actions[i]);
	if (told.more)
		return;
	j->done = told.step; /* of all before it, too */
	tell_done(j);
}

/* ---- the loop ---- */

void judge_watch(const struct judge *j, struct pollfd p[JUDGE_POLLED])
{
	p[0] = (struct pollfd){ .fd = j->sock, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = j->watch, .events = POLLIN };
}

/* What is closed comes first: an answer may be a yes for what came with it. */
void judge_serve(struct judge *j, const struct pollfd p[JUDGE_POLLED])
{
	auto_message m = { .n_fds = 0 };
	int r;

	if (j->watch >= 0 && p[1].revents != 0)
		hear_watch(j);
	if (j->sock < 0 || p[0].revents == 0)
		return;
	r = wire_receive(j->sock, WIRE_KEEPER, WIRE_RUNNING, j->room, sizeof j->room, &m);
	if (r > 0)
		hear(j, &m);
	else if (r != -EAGAIN)
		lose(j);
}

/* ---- the end ---- */

/* Hears what was asked until nothing is; what nobody waits for any more is not asked. */
static void settle(struct judge *j, unsigned ms)
{
	const uint64_t until_ms = clock_ms() + ms;
	uint64_t now;

	j->n = j->doing == JUDGE_MAY ? 1 : 0;
	while (j->sock >= 0 && j->doing != JUDGE_NOTHING && (now = clock_ms()) < until_ms) {
		struct pollfd p[JUDGE_POLLED] = { { .fd = j->sock, .events = POLLIN }, { .fd = -1 } };

		if (poll(p, 1, (int)(until_ms - now)) > 0)
			judge_serve(j, p);
	}
	if (j->doing != JUDGE_NOTHING)
		lose(j);
}

/* Asked once more if the keeper wants the ledger first: it lets go of one that it has not used for a second. */
static bool ask_labels(struct judge *j, uint64_t *ret)
{
	const struct authority_request q = { .op = AUTHORITY_LABEL, .badge = j->badge, .object = "", .terms = "" };
	uint8_t room[1024];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, 0);
	authority_put_request(&b, &q);
	for (unsigned tries = 0; tries < 2; tries++) {
		struct pollfd p = { .fd = j->sock, .events = POLLIN };
		auto_message m = { .n_fds = 0 };
		struct keeper_answer a;

		if (!say(j, WIRE_AUTHORITY_STEP, &b) || poll(&p, 1, PATIENCE_MS) != 1 ||
		    wire_receive(j->sock, WIRE_KEEPER, WIRE_RUNNING, j->room, sizeof j->room, &m) != 1)
			return false;
		if (m.number == WIRE_AUTHORITY_UNRECORDED && j->ledger >= 0 &&
		    wire_send(j->sock, WIRE_AUTHORITY_LEDGER, NULL, &j->ledger, 1) == 0)
			continue;
		if (m.number != WIRE_AUTHORITY_ANSWERED || !keeper_answer_take(&m.body, &a) || a.why != WHY_ALREADY)
			return false;
		*ret = a.labels;
		return true;
	}
	return false;
}

uint64_t judge_labels(struct judge *j)
{
	if (j->badge == 0)
		return j->q->labels;
	fd_close(&j->watch); /* nobody waits for us any more */
	settle(j, PATIENCE_MS);
	if (j->sock < 0 || !ask_labels(j, &j->labels))
		j->labels |= j->q->labels_most;
	return j->labels;
}

void judge_end(struct judge *j)
{
	settle(j, END_MS);
	judge_finish(j);
}

uint32_t judge_closed(const struct judge *j, uint32_t grant)
{
	const struct judge_told_grant *g = &j->grants[grant];

	if (!j->closed[grant])
		return 0;
	for (uint8_t i = 0; i < g->n_unless; i++)
		if ((g->unless[i] & ~j->labels) == 0)
			return METER_BY(METER_LABELLED);
	return METER_BY(j->sock < 0 ? METER_OTHER : METER_ENDED);
}
