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

#define PATIENCE_MS 2000

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

static void put_line(struct buf *out, const char *what, const char *text, const char *more)
{
	static char room[4 * GRANT_OBJECT_MAX];

	buf_printf(out, "%s: %s%s\n", what, text_escape(room, sizeof room, text, strlen(text)), more);
}

/* All of what runs: what is in a list of events may be cut. */
static void put_arguments(struct buf *out, const struct judge *j)
{
	const size_t before = out->len;
	struct cell_program p;
	struct rbuf program = *j->program;
	uint8_t digest[SHA256_BYTES];
	struct sha256 sum;
	size_t n = 0;

	if (program_decode(&program, &p, NULL) < 0) {
		out->failed = true;
		return;
	}
	sha256_init(&sum);
	for (char **arg = p.argv; *arg != NULL; arg++, n++) {
		const size_t length = strlen(*arg);

		sha256_add(&sum, *arg, length + 1);
		if (out->len - before < JUDGE_ARGUMENTS_MAX && length < GRANT_OBJECT_MAX)
			put_line(out, "argument", *arg, "");
	}
	sha256_end(&sum, digest);
	program_finish(&p);
	buf_printf(out, "arguments: %zu, sha256 ", n);
	for (size_t i = 0; i < sizeof digest; i++)
		buf_printf(out, "%02x", digest[i]);
	buf_printf(out, "\n");
}

/* What a person is shown: the same for the same connection of the same command, in this event and in the next. */
static void put_shown(struct buf *out, const struct judge *j, uint32_t grant, const char *to)
{
	char room[GRANT_OBJECT_MAX];
	struct buf conditions;

	buf_init_in(&conditions, room, sizeof room);
	grant_put_conditions(&j->q->grants, grant, &conditions);
	buf_printf(out, "what: connect\n");
	put_line(out, "to", to, "");
	if (j->q->agent[0] != 0)
		put_line(out, "agent", j->q->agent, "");
	put_line(out, "workspace", j->q->workspace, "");
	put_line(out, "command", j->q->command, "");
	put_arguments(out, j);
	put_line(out, "asked for by a grant of", grant_object(&j->q->grants, grant),
		 buf_cstr(&conditions) != NULL ? room : "");
}

static bool say(struct judge *j, enum wire_number number, struct buf *b)
{
	return !b->failed && wire_send(j->sock, number, b, NULL, 0) == 0;
}

/* again: what is to be shown is there already. */
static bool ask(struct judge *j, const struct judge_asked *what, bool again)
{
	static uint8_t shown_room[JUDGE_SHOWN_MAX], room[8192];
	struct authority_request q = { .op = AUTHORITY_USE,
				       .verb = VERB_CONNECT,
				       .badge = j->badge,
				       .grant = j->grants[what->grant].ref,
				       .until_ms = clock_unix_ms() + j->keep_ms,
				       .minute = AUTHORITY_MINUTE_NONE,
				       .object = what->to,
				       .terms = "" };
	const uint64_t now = clock_unix_ms();
	const bool shows = !again && j->grants[what->grant].asks; /* else nobody is asked */
	struct sha256 sum;
	struct buf shown, b;

	buf_init_in(&shown, shown_room, sizeof shown_room);
	put_shown(&shown, j, what->grant, what->to);
	sha256_init(&sum);
	sha256_add(&sum, shown.data, shown.len);
	sha256_end(&sum, q.digest);
	for (int i = 0; i < AUTHORITY_ID - ID_RANDOM; i++)
		q.id[i] = (uint8_t)(now >> (40 - 8 * i)); /* the lowest 48 bits, the first first */
	if (getrandom(q.id + AUTHORITY_ID - ID_RANDOM, ID_RANDOM, 0) != ID_RANDOM)
		return false;
	id_read(j->q->event, q.event);
	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, 0); /* it waits until what it closes is closed, which is heard meanwhile */
	authority_put_request(&b, &q);
	return (!shows || say(j, WIRE_AUTHORITY_PART, &shown)) && say(j, WIRE_AUTHORITY_STEP, &b);
}

/* The first one. What cannot be asked is refused, and the next one's turn comes. */
static void answer(struct judge *j, uint32_t why);

static void ask_next(struct judge *j)
{
	j->given = 0;
	while (j->n > 0 && !ask(j, &j->asked[j->first], false))
		answer(j, METER_OTHER);
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
	*a = (struct judge_asked){ .number = number, .grant = grant };
	endpoint_put(to, a->to);
	if (j->n++ == 0)
		ask_next(j);
}

/* No bytes were bounded. */
static void more(void *user, uint64_t number, uint64_t up, uint64_t down)
{
	struct judge *j = user;

	(void)up;
	(void)down;
	network_may(j->network, number, METER_OTHER, 0);
}

static void used(void *user, uint64_t number, bool opened, uint64_t up, uint64_t down)
{
	(void)user;
	(void)number;
	(void)opened;
	(void)up;
	(void)down;
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

static void answer(struct judge *j, uint32_t why)
{
	const uint64_t number = j->asked[j->first].number;

	j->first = (j->first + 1) % JUDGE_ASKED_MAX;
	j->n--;
	network_may(j->network, number, why, 0);
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
	while (j->n > 0)
		answer(j, METER_OTHER);
}

/* The keeper lets go of a ledger that it does not use, so that it can end. */
static bool give_ledger(struct judge *j)
{
	return j->ledger >= 0 && j->given++ < JUDGE_GIVEN_MAX &&
	       wire_send(j->sock, WIRE_AUTHORITY_LEDGER, NULL, &j->ledger, 1) == 0 && ask(j, &j->asked[j->first], true);
}

static void hear(struct judge *j, struct wire_message *m)
{
	struct keeper_answer a;

	if (j->n == 0) {
		lose(j);
	} else if (m->number == WIRE_AUTHORITY_UNRECORDED) {
		if (!give_ledger(j))
			lose(j);
	} else if (m->number == WIRE_AUTHORITY_REFUSED) {
		answer(j, METER_OTHER);
		ask_next(j);
	} else if (m->number != WIRE_AUTHORITY_ANSWERED || !keeper_answer_take(&m->body, &a)) {
		lose(j);
	} else {
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

/* The answer to the last of what was asked. */
static bool hear_last(struct judge *j, struct keeper_answer *ret)
{
	const uint64_t until_ms = clock_ms() + PATIENCE_MS;
	uint64_t now;

	while ((now = clock_ms()) < until_ms) {
		struct pollfd p = { .fd = j->sock, .events = POLLIN };
		auto_message m = { .n_fds = 0 };
		int r;

		(void)poll(&p, 1, (int)(until_ms - now));
		r = wire_receive(j->sock, WIRE_KEEPER, WIRE_RUNNING, j->room, sizeof j->room, &m);
		if (r == -EAGAIN)
			continue;
		if (r <= 0)
			return false;
		if (m.number == WIRE_AUTHORITY_UNRECORDED &&
		    j->n > 0) { /* of a connection that nobody waits for any more */
			j->n = 0;
			continue;
		}
		if (j->n > 0 && (m.number == WIRE_AUTHORITY_ANSWERED || m.number == WIRE_AUTHORITY_REFUSED)) {
			j->n = 0;
			continue;
		}
		return m.number == WIRE_AUTHORITY_ANSWERED && keeper_answer_take(&m.body, ret);
	}
	return false;
}

uint64_t judge_labels(struct judge *j)
{
	struct authority_request q = { .op = AUTHORITY_LABEL, .badge = j->badge, .object = "", .terms = "" };
	uint8_t room[1024];
	struct keeper_answer a;
	struct buf b;

	if (j->badge == 0)
		return j->q->labels;
	fd_close(&j->watch); /* nobody waits for us any more */
	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, 0);
	authority_put_request(&b, &q);
	j->labels = j->sock >= 0 && say(j, WIRE_AUTHORITY_STEP, &b) && hear_last(j, &a) && a.why == WHY_ALREADY
			    ? a.labels
			    : j->q->labels_most;
	return j->labels;
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
