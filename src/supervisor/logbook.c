#include "supervisor/logbook.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#define ARGUMENT_FRAME 12 /* what stands around one at most */

void logbook_init(struct logbook *l, int sock, const struct event_request *q)
{
	talk_init(&l->talk, sock, q->event);
	l->q = q;
	l->started = false;
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

static int put_policy(struct logbook *l, uint32_t i, struct err *e)
{
	struct json *j = talk_body(&l->talk);

	talk_put_text(json_put_key(j, "name"), l->q->policies[i].name);
	json_put_hex(json_put_key(j, "sha256"), l->q->policies[i].sha256, SHA256_BYTES);
	json_put_count(json_put_key(j, "size"), l->q->policies[i].size);
	return talk_put(&l->talk, ENTRY_POLICY, "", e);
}

static int put_grant(struct logbook *l, uint32_t i, struct err *e)
{
	const struct grant_set *set = &l->q->grants;
	struct json *j = talk_body(&l->talk);

	json_put_bytes(json_put_key(j, "object"), grant_object(set, i), grant_told(set, i));
	json_put_bool(json_put_key(j, "optional"), (set->grants[i].flags & GRANT_OPTIONAL) != 0);
	if (grant_has_conditions(set, i))
		grant_put_conditions_json(json_put_key(j, "qualifiers"), set, i);
	json_put_word(json_put_key(j, "verb"), verb_word((enum grant_verb)set->grants[i].verb));
	return talk_put(&l->talk, ENTRY_GRANT, l->q->grant_ids[i], e);
}

/* Where the program lies, if it was named by a link: by that it was granted. */
static void put_real(struct json *j, const struct event_request *q, const char *program)
{
	for (uint32_t i = 0; i < q->n_links; i++) {
		if (strcmp(q->links[i].name, program) != 0)
			continue;
		talk_put_text(json_put_key(j, "real"), q->links[i].real);
		return;
	}
}

static int put_request(struct logbook *l, struct rbuf *program, struct err *e)
{
	const struct event_request *q = l->q;
	const uint32_t argc = rbuf_u32(program);
	struct json *j = talk_body(&l->talk);
	char path[GRANT_OBJECT_MAX];

	(void)rbuf_u32(program); /* of the environment, whose values may be secret */
	rbuf_str(program, path, sizeof path);
	json_put_word(json_put_key(j, "agent"), q->agent[0] != 0 ? q->agent : NULL);
	json_put_count(json_put_key(j, "argc"), argc);
	put_argv(json_put_key(j, "argv"), program, argc);
	json_put_word(json_put_key(j, "base"), spec_base_word(q->base));
	talk_put_text(json_put_key(j, "home"), q->home);
	if (q->kernel != 0)
		json_put_bool(json_put_key(j, "kernel"), true);
	if (q->kind != KIND_RUN)
		json_put_word(json_put_key(j, "kind"), kind_word(q->kind));
	put_limits(json_put_key(j, "limits"), &q->limits);
	json_put_count(json_put_key(j, "n"), q->n);
	json_put_word(json_put_key(j, "observe"), spec_observe_word(q->observe));
	if (q->parent[0] != 0)
		json_put_word(json_put_key(j, "parent"), q->parent);
	talk_put_text(json_put_key(j, "program"), path);
	put_real(j, q, path);
	json_put_word(json_put_key(j, "session"), q->session);
	json_put_bool(json_put_key(j, "staged"), q->staged != 0);
	put_properties(json_put_key(j, "without"), q->without);
	talk_put_text(json_put_key(j, "workdir"), request_workdir(q));
	return talk_put(&l->talk, ENTRY_REQUEST, "", e);
}

int logbook_ask(struct logbook *l, struct rbuf program, struct err *e)
{
	int r = 0;

	if (l->talk.sock < 0)
		return 0;
	for (uint32_t i = 0; i < l->q->n_policies && r == 0; i++)
		r = put_policy(l, i, e);
	for (uint32_t i = 0; i < l->q->grants.count && r == 0; i++)
		r = put_grant(l, i, e);
	r = r < 0 ? r : put_request(l, &program, e);
	return r < 0 ? r : talk_flush(&l->talk, e);
}

int logbook_start(struct logbook *l, mechanism_set achieved, struct err *e)
{
	struct json *j;
	int r;

	if (l->talk.sock < 0)
		return 0;
	j = talk_body(&l->talk);
	put_wall(json_put_key(j, "wall"), achieved);
	l->started = true;
	r = talk_put(&l->talk, ENTRY_START, "", e);
	return r < 0 ? r : talk_settle(&l->talk, false, e);
}

void logbook_refuse(struct logbook *l, const struct err *why)
{
	struct json *j;

	if (l->talk.sock < 0)
		return;
	j = talk_body(&l->talk);
	if (l->started)
		json_put_word(json_put_key(j, "cause"), cause_word(CAUSE_REFUSED));
	json_put_word(json_put_key(j, "code"), err_code_name((int)why->code));
	talk_put_text(json_put_key(j, "message"), why->msg);
	if (!l->started)
		json_put_word(json_put_key(j, "verdict"), "refused");
	if (talk_put(&l->talk, l->started ? ENTRY_STOP : ENTRY_DECISION, "", NULL) == 0)
		(void)talk_settle(&l->talk, false, NULL); /* nothing happens in any case */
	talk_finish(&l->talk);
}

static bool takes_more(const struct logbook *l)
{
	struct pollfd p = { .fd = l->talk.sock, .events = POLLOUT };

	return poll(&p, 1, 0) == 1;
}

/* What happens while it runs never waits: it goes with what comes next where the ledger takes no more. */
static int put_now(struct logbook *l, enum entry_type type, const char *grant, struct err *e)
{
	const int r = talk_put(&l->talk, type, grant, e);

	return r < 0 || !takes_more(l) ? r : talk_flush(&l->talk, e);
}

int logbook_revoke(struct logbook *l, uint32_t grant, uid_t by, uint32_t connections, struct err *e)
{
	struct json *j;

	if (l->talk.sock < 0)
		return 0;
	j = talk_body(&l->talk);
	json_put_count(json_put_key(j, "by"), by);
	json_put_count(json_put_key(j, "connections"), connections);
	return put_now(l, ENTRY_REVOKE, l->q->grant_ids[grant], e);
}

int logbook_freeze(struct logbook *l, const struct frozen *why, uint32_t threads, struct err *e)
{
	struct json *j;

	if (l->talk.sock < 0)
		return 0;
	j = talk_body(&l->talk);
	json_put_count(json_put_key(j, "by"), why->by);
	talk_put_text(json_put_key(j, "reason"), why->reason);
	json_put_count(json_put_key(j, "threads"), threads);
	return put_now(l, ENTRY_FREEZE, "", e);
}

int logbook_thaw(struct logbook *l, uid_t by, uint64_t stood_ms, struct err *e)
{
	struct json *j;

	if (l->talk.sock < 0)
		return 0;
	j = talk_body(&l->talk);
	json_put_count(json_put_key(j, "by"), by);
	json_put_count(json_put_key(j, "stood_ms"), stood_ms);
	return put_now(l, ENTRY_THAW, "", e);
}

static void put_facts(struct json *j, uint32_t facts)
{
	json_put_array(j);
	for (enum fact f = 0; f < FACT_COUNT; f++)
		if ((facts & FACT_BIT(f)) != 0)
			json_put_word(j, fact_word(f));
	json_put_array_end(j);
}

int logbook_effect(struct logbook *l, const struct effect *f, uint32_t facts, const char *socket, struct err *e)
{
	const bool by_grant = f->verdict == EFFECT_ALLOWED && f->base == EFFECT_BASE_NOT &&
			      f->grant < l->q->grants.count;
	struct json *j;

	if (l->talk.sock < 0)
		return 0;
	j = talk_body(&l->talk);
	json_put_bool(json_put_key(j, "base"), f->base != EFFECT_BASE_NOT);
	json_put_count(json_put_key(j, "count"), f->count);
	put_facts(json_put_key(j, "facts"), facts);
	json_put_word(json_put_key(j, "kind"), effect_word(f->kind));
	if (effect_has_meter(f))
		meter_put_json(json_put_key(j, "meter"), &f->meter);
	talk_put_text(json_put_key(j, "object"), f->object);
	if (socket[0] != 0 && strcmp(socket, f->object + strlen("unix ")) != 0)
		talk_put_text(json_put_key(j, "socket"), socket);
	json_put_word(json_put_key(j, "source"), f->source == EFFECT_PROVED ? "proved" : "requested");
	json_put_word(json_put_key(j, "verdict"), effect_verdict_name(f->verdict));
	return talk_put(&l->talk, ENTRY_EFFECT, by_grant ? l->q->grant_ids[f->grant] : "", e);
}

int logbook_step(struct logbook *l, uint64_t step, uint64_t size, const uint8_t sha256[SHA256_BYTES], struct err *e)
{
	struct json *j;
	int r;

	if (l->talk.sock < 0)
		return 0;
	j = talk_body(&l->talk);
	json_put_hex(json_put_key(j, "sha256"), sha256, SHA256_BYTES);
	json_put_count(json_put_key(j, "size"), size);
	json_put_count(json_put_key(j, "step"), step);
	r = talk_put(&l->talk, ENTRY_STEP, "", e);
	return r < 0 ? r : talk_settle(&l->talk, false, e);
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

#define STOP_CANARIES 8 /* told of those that it touched: an entry is bounded */

static void put_canaries(struct json *j, uint64_t touched, const struct event_request *q)
{
	unsigned told = 0;

	json_put_array(j);
	for (uint32_t i = 0; i < q->n_decoys && told < STOP_CANARIES; i++)
		if ((touched >> i & 1) != 0) {
			talk_put_text(j, q->decoys[i]);
			told++;
		}
	json_put_array_end(j);
}

int logbook_stop(struct logbook *l, const struct event_outcome *o, const struct event_request *q, bool settled,
		 struct err *e)
{
	const bool exited = o->cause == CAUSE_EXITED;
	struct json *j;
	int r;

	if (l->talk.sock < 0)
		return 0;
	j = talk_body(&l->talk);
	if (o->canaries != 0)
		put_canaries(json_put_key(j, "canaries"), o->canaries, q);
	json_put_word(json_put_key(j, "cause"), cause_word(o->cause));
	put_effects(json_put_key(j, "effects"), o);
	put_if(json_put_key(j, "exit"), exited && WIFEXITED(o->status), (unsigned)WEXITSTATUS(o->status));
	json_put_word(json_put_key(j, "limit"), o->cause == CAUSE_LIMIT ? limit_word(o->limit) : NULL);
	put_if(json_put_key(j, "signal"), exited && WIFSIGNALED(o->status), (unsigned)WTERMSIG(o->status));
	put_usage(json_put_key(j, "usage"), &o->usage);
	json_put_word(json_put_key(j, "workspace"), workspace_word(o->workspace));
	r = talk_put(&l->talk, ENTRY_STOP, "", e);
	return r < 0 ? r : settled ? talk_settle(&l->talk, false, e) : talk_flush(&l->talk, e);
}
