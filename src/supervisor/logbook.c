#include "supervisor/logbook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/json.h"
#include "ledger/entry.h"

#define PATIENCE_S 15 /* for an answer: what is accepted waits for no disk, unless memory is full */
#define WINDOW 16     /* messages without an answer: their answers fit the socket's buffer */
#define ENTRY_HEAD (1 + 3 * 4 + 2 * ID_TEXT_MAX)
#define ARGUMENT_FRAME 12 /* what stands around one at most */

void logbook_init(struct logbook *l, int sock, const struct event_request *q)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	l->sock = sock;
	l->q = q;
	l->unanswered = 0;
	buf_init_in(&l->message, l->message_room, sizeof l->message_room);
	buf_init_in(&l->body, l->body_room, sizeof l->body_room);
	if (sock < 0)
		return;
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* ---- messages ---- */

static int unheard(struct err *e, int r)
{
	return err_sys(e, AMBIT_GONE, r, "start the event again; `ambit ledger verify` says what is there",
		       r == EAGAIN ? "the ledger does not answer" : "the ledger has gone");
}

/* One answer. */
static int hear(struct logbook *l, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(l->sock, WIRE_LEDGER, WIRE_RUNNING, l->answer_room, sizeof l->answer_room, &m);

	if (r <= 0)
		return unheard(e, r == 0 ? EPIPE : -r);
	if (m.number == WIRE_LEDGER_FAILED)
		return wire_take_error(&m.body, e);
	l->unanswered--;
	return 0;
}

static void begin_message(struct logbook *l)
{
	buf_reset(&l->message);
	buf_put_u8(&l->message, 0); /* accepted is enough: nothing here cannot be taken back */
}

static int flush(struct logbook *l, struct err *e)
{
	int r = 0;

	if (l->sock < 0 || l->message.len <= 1)
		return 0;
	while (l->unanswered >= WINDOW && r == 0)
		r = hear(l, e);
	if (r < 0)
		return r;
	r = wire_send(l->sock, WIRE_LEDGER_APPEND, &l->message, NULL, 0);
	begin_message(l);
	l->unanswered++;
	if (r == -EPIPE && hear(l, e) < 0 && e != NULL && e->code != AMBIT_GONE) /* it said why before it went */
		return -(int)e->code;
	return r < 0 ? unheard(e, -r) : 0;
}

static int await_answers(struct logbook *l, struct err *e)
{
	int r = flush(l, e);

	while (r == 0 && l->unanswered > 0)
		r = hear(l, e);
	return r;
}

/* The entry that lies in body. */
static int put_entry(struct logbook *l, enum entry_type type, const char *grant, struct err *e)
{
	int r = 0;

	if (l->body.failed || l->body.len > ENTRY_BODY_MAX)
		return err_set(e, AMBIT_LIMIT, "shorten the names that it is about",
			       "an entry of the ledger would be too long");
	if (l->message.len + l->body.len + ENTRY_HEAD > WIRE_BODY_MAX)
		r = flush(l, e);
	if (l->message.len == 0)
		begin_message(l);
	buf_put_u8(&l->message, (uint8_t)type);
	buf_put_str(&l->message, l->q->event);
	buf_put_str(&l->message, grant);
	buf_put_bytes(&l->message, l->body.data, l->body.len);
	return r;
}

static struct json begin_body(struct logbook *l)
{
	struct json j;

	buf_reset(&l->body);
	json_begin(&j, &l->body);
	json_put_object(&j);
	return j;
}

/* ---- words, in the order that canonical JSON wants ---- */

static void sort(const char *const *words, uint8_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = i;

		for (; at > 0 && strcmp(words[order[at - 1]], words[i]) > 0; at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)i;
	}
}

static void put_limits(struct json *j, const struct limits *l)
{
	const char *words[LIMIT_COUNT];
	uint8_t order[LIMIT_COUNT];

	for (enum limit i = 0; i < LIMIT_COUNT; i++)
		words[i] = limit_word(i);
	sort(words, order, LIMIT_COUNT);
	json_put_object(j);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (l->value[order[i]] != 0)
			json_put_count(json_put_key(j, words[order[i]]), l->value[order[i]]);
	json_put_object_end(j);
}

static void put_properties(struct json *j, uint32_t set)
{
	json_put_array(j);
	for (enum property p = 0; p < PROPERTY_COUNT; p++)
		if ((set >> p & 1) != 0)
			json_put_word(j, property_word(p));
	json_put_array_end(j);
}

static void put_wall(struct json *j, mechanism_set achieved)
{
	const char *words[PROPERTY_COUNT];
	uint8_t order[PROPERTY_COUNT];

	achieved &= ~MECHANISM_BIT(MECHANISM_GIVEN_UP);
	for (enum property p = 0; p < PROPERTY_COUNT; p++)
		words[p] = property_word(p);
	sort(words, order, PROPERTY_COUNT);
	json_put_object(j);
	for (size_t i = 0; i < PROPERTY_COUNT; i++) {
		const mechanism_set held = property_held_by((enum property)order[i], achieved);
		char text[256];

		property_describe(held, text, sizeof text);
		json_put_word(json_put_key(j, words[order[i]]), held != 0 ? text : NULL);
	}
	json_put_object_end(j);
}

/* Four thirds of its length at most, whatever it holds. */
static void put_text(struct json *j, const char *s)
{
	json_put_bytes(j, s, strlen(s));
}

/* As many arguments as there is room for. */
static void put_argv(struct json *j, struct rbuf *program, uint32_t argc)
{
	size_t room = LOGBOOK_ARGV_MAX;

	json_put_array(j);
	for (uint32_t i = 0; i < argc; i++) {
		const uint32_t n = rbuf_u32(program);
		const uint8_t *bytes = rbuf_bytes(program, n);

		if (program->failed || (size_t)n + ARGUMENT_FRAME > room)
			break;
		json_put_bytes(j, bytes, n);
		room -= (size_t)n + ARGUMENT_FRAME;
	}
	json_put_array_end(j);
}

/* ---- entries ---- */

static int put_grant(struct logbook *l, uint32_t i, struct err *e)
{
	const struct grant_set *set = &l->q->grants;
	struct json j = begin_body(l);

	put_text(json_put_key(&j, "object"), grant_object(set, i));
	json_put_bool(json_put_key(&j, "optional"), (set->grants[i].flags & GRANT_OPTIONAL) != 0);
	json_put_word(json_put_key(&j, "verb"), verb_word((enum grant_verb)set->grants[i].verb));
	json_put_object_end(&j);
	return put_entry(l, ENTRY_GRANT, l->q->grant_ids[i], e);
}

static int put_request(struct logbook *l, struct rbuf *program, struct err *e)
{
	const struct event_request *q = l->q;
	const uint32_t argc = rbuf_u32(program);
	struct json j = begin_body(l);
	char path[GRANT_OBJECT_MAX];

	(void)rbuf_u32(program); /* of the environment, whose values may be secret */
	rbuf_str(program, path, sizeof path);
	json_put_count(json_put_key(&j, "argc"), argc);
	put_argv(json_put_key(&j, "argv"), program, argc);
	json_put_word(json_put_key(&j, "base"), spec_base_word(q->base));
	put_limits(json_put_key(&j, "limits"), &q->limits);
	json_put_word(json_put_key(&j, "observe"), spec_observe_word(q->observe));
	put_text(json_put_key(&j, "program"), path);
	json_put_bool(json_put_key(&j, "staged"), q->staged != 0);
	put_properties(json_put_key(&j, "without"), q->without);
	put_text(json_put_key(&j, "workdir"), q->workspace);
	json_put_object_end(&j);
	return put_entry(l, ENTRY_REQUEST, "", e);
}

int logbook_ask(struct logbook *l, struct rbuf program, struct err *e)
{
	int r = 0;

	if (l->sock < 0)
		return 0;
	for (uint32_t i = 0; i < l->q->grants.count && r == 0; i++)
		r = put_grant(l, i, e);
	r = r < 0 ? r : put_request(l, &program, e);
	return r < 0 ? r : flush(l, e);
}

int logbook_start(struct logbook *l, mechanism_set achieved, struct err *e)
{
	struct json j;
	int r;

	if (l->sock < 0)
		return 0;
	j = begin_body(l);
	put_wall(json_put_key(&j, "wall"), achieved);
	json_put_object_end(&j);
	l->started = true;
	r = put_entry(l, ENTRY_START, "", e);
	return r < 0 ? r : await_answers(l, e);
}

void logbook_refuse(struct logbook *l, const struct err *why)
{
	struct json j;

	if (l->sock < 0)
		return;
	j = begin_body(l);
	if (l->started)
		json_put_word(json_put_key(&j, "cause"), cause_word(CAUSE_REFUSED));
	json_put_word(json_put_key(&j, "code"), err_code_name((int)why->code));
	put_text(json_put_key(&j, "message"), why->msg);
	if (!l->started)
		json_put_word(json_put_key(&j, "verdict"), "refused");
	json_put_object_end(&j);
	if (put_entry(l, l->started ? ENTRY_STOP : ENTRY_DECISION, "", NULL) == 0)
		(void)await_answers(l, NULL); /* nothing happens in any case */
	fd_close(&l->sock);
}

int logbook_effect(struct logbook *l, const struct effect *f, struct err *e)
{
	const bool by_grant = f->verdict == EFFECT_ALLOWED && f->base == EFFECT_BASE_NOT &&
			      f->grant < l->q->grants.count;
	struct json j;

	if (l->sock < 0)
		return 0;
	j = begin_body(l);
	json_put_bool(json_put_key(&j, "base"), f->base != EFFECT_BASE_NOT);
	json_put_count(json_put_key(&j, "count"), f->count);
	json_put_word(json_put_key(&j, "kind"), effect_word(f->kind));
	put_text(json_put_key(&j, "object"), f->object);
	json_put_word(json_put_key(&j, "source"), f->source == EFFECT_PROVED ? "proved" : "requested");
	json_put_word(json_put_key(&j, "verdict"), effect_verdict_word(f->verdict));
	json_put_object_end(&j);
	return put_entry(l, ENTRY_EFFECT, by_grant ? l->q->grant_ids[f->grant] : "", e);
}

static void put_effects(struct json *j, const struct event_outcome *o)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "base"), o->base_effects);
	json_put_count(json_put_key(j, "dropped"), o->effects_dropped);
	json_put_count(json_put_key(j, "seen"), o->effects_seen);
	json_put_object_end(j);
}

static void put_usage(struct json *j, const struct event_usage *u)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "cpu_system_ms"), u->cpu_system_ms);
	json_put_count(json_put_key(j, "cpu_user_ms"), u->cpu_user_ms);
	json_put_count(json_put_key(j, "memory_peak_bytes"), u->memory_peak_bytes);
	json_put_count(json_put_key(j, "tasks_peak"), u->tasks_peak);
	json_put_count(json_put_key(j, "wall_ms"), u->wall_ms);
	json_put_count(json_put_key(j, "written_bytes"), u->written_bytes);
	json_put_object_end(j);
}

static void put_if(struct json *j, bool there, unsigned n)
{
	if (there)
		json_put_count(j, n);
	else
		json_put_null(j);
}

int logbook_settle(struct logbook *l, struct err *e)
{
	return l->sock < 0 ? 0 : await_answers(l, e);
}

int logbook_stop(struct logbook *l, const struct event_outcome *o, struct err *e)
{
	const bool exited = o->cause == CAUSE_EXITED;
	struct json j;
	int r;

	if (l->sock < 0)
		return 0;
	j = begin_body(l);
	json_put_word(json_put_key(&j, "cause"), cause_word(o->cause));
	put_effects(json_put_key(&j, "effects"), o);
	put_if(json_put_key(&j, "exit"), exited && WIFEXITED(o->status), (unsigned)WEXITSTATUS(o->status));
	json_put_word(json_put_key(&j, "limit"), o->cause == CAUSE_LIMIT ? limit_word(o->limit) : NULL);
	put_if(json_put_key(&j, "signal"), exited && WIFSIGNALED(o->status), (unsigned)WTERMSIG(o->status));
	put_usage(json_put_key(&j, "usage"), &o->usage);
	json_put_word(json_put_key(&j, "workspace"), workspace_word(o->workspace));
	json_put_object_end(&j);
	r = put_entry(l, ENTRY_STOP, "", e);
	r = r < 0 ? r : await_answers(l, e);
	fd_close(&l->sock);
	return r;
}
