#include "explain/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cell/spec.h"
#include "core/canary.h"
#include "core/conditions.h"
#include "core/denial.h"
#include "core/kind.h"
#include "explain/call.h"
#include "explain/json_take.h"
#include "explain/reader_trace.h"
#include "explain/reader_usual.h"

#define ARGUMENT_MAX CELL_PROGRAM_MAX

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- asked ---- */

static const char *unit_suffix(enum limit_unit unit)
{
	switch (unit) {
	case UNIT_MS: return "_ms";
	case UNIT_BYTES: return "_bytes";
	case UNIT_COUNT: return "";
	}
	return "";
}

static void read_limits(struct take *t, const json_t *asked, struct limits *ret)
{
	const json_t *from = take_object(t, asked, "limits");

	for (enum limit i = 0; i < LIMIT_COUNT; i++) {
		char key[32];

		(void)snprintf(key, sizeof key, "%s%s", limit_word(i),
			       unit_suffix(limit_unit(i))); /* words are short */
		ret->value[i] = take_limit(t, from, key);
	}
}

static void read_argv(struct take *t, const json_t *asked, struct told *ret)
{
	const json_t *from = take_array(t, asked, "argv", CELL_ARGS_MAX);

	ret->argv = calloc(json_array_size(from) + 1, sizeof *ret->argv);
	if (ret->argv == NULL) {
		take_fail(t, AMBIT_MEMORY, "argv", "no memory");
		return;
	}
	t->in = "asked.argv";
	for (t->index = 0; t->rc == 0 && t->index < json_array_size(from); t->index++)
		ret->argv[t->index] = take_name(t, json_array_get(from, t->index), "text", false, ARGUMENT_MAX);
	t->in = "asked";
	t->index = SIZE_MAX;
}

/* Absolute and normal, or none. */
static char *read_place(struct take *t, const json_t *asked, const char *key)
{
	char *path = take_name(t, json_object_get(asked, key), key, true, GRANT_OBJECT_MAX);

	if (path != NULL && !path_is_normal(path))
		take_fail(t, AMBIT_MALFORMED, key, "not an absolute, normalised path");
	return path;
}

static uint32_t read_properties(struct take *t, const json_t *from, const char *key)
{
	static const char *const words[] = {
#define PROPERTY(name, word, text) word,
#include "cell/properties.def"
#undef PROPERTY
	};
	const json_t *list = take_array(t, from, key, PROPERTY_COUNT);
	uint32_t set = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		for (enum property p = 0; p < PROPERTY_COUNT; p++)
			if (json_is_string(json_array_get(list, i)) &&
			    strcmp(json_string_value(json_array_get(list, i)), words[p]) == 0)
				set |= 1u << p;
	if ((size_t)__builtin_popcount(set) != json_array_size(list))
		take_fail(t, AMBIT_MALFORMED, key, "not a list of properties");
	return set;
}

static void read_step(struct take *t, const json_t *from, struct result_step *ret)
{
	static const char *const ends[1 + STEP_SAYS_COUNT] = { "ended", "ok", "error", "exit" };

	ret->step = take_count(t, from, "step", INT64_MAX);
	ret->source = take_name(t, json_object_get(from, "source"), "source", true, RESULT_SOURCES_MAX + 1);
	ret->bytes = take_count(t, from, "size", INT64_MAX);
	(void)take_hex(t, from, "sha256", ret->sha256, sizeof ret->sha256);
	ret->how = (uint32_t)take_word(t, from, "end", ends, COUNT_OF(ends));
	ret->begun_ns = take_time(t, from, "begun");
	ret->ended_ns = take_time(t, from, "ended");
}

/* The member is there of a kernel alone. */
static void read_kernel(struct take *t, const json_t *json, struct result_kernel *ret)
{
	const json_t *from = json_object_get(json, "kernel") != NULL ? take_object(t, json, "kernel") : NULL, *told;

	if (from == NULL)
		return;
	t->in = "kernel";
	ret->is = true;
	ret->steps = take_count(t, from, "steps", INT64_MAX);
	told = take_array(t, from, "told", RESULT_STEPS_MAX);
	ret->told = calloc(json_array_size(told) + 1, sizeof *ret->told);
	if (ret->told == NULL) {
		take_fail(t, AMBIT_MEMORY, "told", "no memory");
		return;
	}
	t->in = "kernel.told";
	for (t->index = 0; t->rc == 0 && t->index < json_array_size(told); t->index++)
		read_step(t, json_array_get(told, t->index), &ret->told[ret->n++]);
	t->in = "";
	t->index = SIZE_MAX;
}

static void read_asked(struct take *t, const json_t *json, struct told *ret)
{
	static const char *const bases[] = { [CELL_BASE_SYSTEM] = "system",
					     [CELL_BASE_MINIMAL] = "minimal",
					     [CELL_BASE_NONE] = "none",
					     [CELL_BASE_HOST] = "host" };
	static const char *const levels[] = {
		[CELL_OBSERVE_OFF] = "off", [CELL_OBSERVE_EFFECTS] = "effects", [CELL_OBSERVE_FULL] = "full"
	};
	static const char *const kinds[KIND_COUNT] = {
		[KIND_RUN] = "run", [KIND_PYTHON] = "python", [KIND_NODE] = "node", [KIND_SHELL] = "shell"
	};
	const json_t *asked = take_object(t, json, "asked");
	struct event_result *r = &ret->result;

	r->kind = (uint32_t)take_word(t, json, "kind", kinds, COUNT_OF(kinds));
	read_kernel(t, json, &r->kernel);
	r->observe = (uint32_t)take_word(t, json, "observed", levels, COUNT_OF(levels));
	r->without = read_properties(t, json, "given_up");
	t->in = "asked";
	read_argv(t, asked, ret);
	ret->workdir = read_place(t, asked, "workdir");
	ret->home = read_place(t, asked, "home");
	r->base = (uint32_t)take_word(t, asked, "base", bases, COUNT_OF(bases));
	read_limits(t, asked, &r->limits);
	t->in = "";
}

/* ---- grants ---- */

/* Labels in an array, with that between them: behind what stands in out. */
static bool put_labels(const json_t *list, char between, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name == NULL || !flow_is_name(name))
			return false;
		buf_printf(out, "%s%s", i > 0 ? (const char[]){ between, 0 } : "", name);
	}
	return json_array_size(list) > 0;
}

/* `label` is an array of labels, `unless` one of such arrays. */
static bool take_labels(const json_t *value, bool several, char *ret, size_t size)
{
	struct buf out;
	bool good = true;

	buf_init_in(&out, ret, size);
	if (!several)
		good = put_labels(value, ',', &out);
	for (size_t i = 0; several && good && i < json_array_size(value); i++) {
		buf_printf(&out, "%s", i > 0 ? "," : "");
		good = put_labels(json_array_get(value, i), '+', &out);
	}
	return buf_cstr(&out) != NULL && good;
}

/* As a person would write it; "", which none is, if nobody would. */
static void take_value(const char *word, const json_t *value, char *ret, size_t size)
{
	const char *text = json_is_true(value) ? "true" : json_is_string(value) ? json_string_value(value) : "";
	bool good;

	if (json_is_array(value))
		good = take_labels(value, strcmp(word, "unless") == 0, ret, size);
	else if (json_is_integer(value))
		good = snprintf(ret, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < (int)size;
	else
		good = text_copy(ret, size, text);
	if (!good)
		ret[0] = 0;
}

/* Records of before have no such key. */
static void read_conditions(struct take *t, const json_t *from, struct conditions *ret)
{
	json_t *all = json_object_get(from, "qualifiers"), *value;
	const char *word;

	memset(ret, 0, sizeof *ret);
	if (all != NULL && !json_is_null(all) && !json_is_object(all))
		take_fail(t, AMBIT_MALFORMED, "qualifiers", "not an object");
	json_object_foreach(all, word, value)
	{
		char text[CONDITION_MAX];

		take_value(word, value, text, sizeof text);
		if (conditions_set(ret, word, text, NULL) < 0)
			take_fail(t, AMBIT_MALFORMED, "qualifiers", "not a qualifier that this build knows");
	}
}

static void read_grant(struct take *t, const json_t *from, struct told *ret)
{
	static const char *const verbs[] = {
#define VERB(name, word, object, available) word,
#include "core/verbs.def"
#undef VERB
	};
	const enum grant_verb verb = (enum grant_verb)take_word(t, from, "verb", verbs, COUNT_OF(verbs));
	auto_free char *object = take_name(t, json_object_get(from, "object"), "object", false, GRANT_OBJECT_MAX);
	const uint32_t flags = take_bool(t, from, "optional") ? GRANT_OPTIONAL : 0;
	const char *id = take_text(t, from, "id", false);
	const uint32_t before = ret->grants->count;
	char terms[TERMS_TEXT_MAX], flow[FLOW_TEXT_MAX];
	struct conditions conditions;
	uint32_t at;

	read_conditions(t, from, &conditions);
	if (t->rc == 0 && conditions_terms(&conditions, terms, NULL) < 0)
		take_fail(t, AMBIT_MALFORMED, "qualifiers", "of two verbs");
	if (t->rc != 0)
		return;
	flow_format(&conditions.flow, flow);
	t->rc = grant_add_qualified(ret->grants, verb, object, flags, &conditions.qualifiers, terms, flow, &at, t->e);
	if (t->rc < 0)
		t->rc = err_context(t->e, t->rc, "record: grants[%zu]", t->index);
	else if (ret->grants->count == before)
		take_fail(t, AMBIT_MALFORMED, "object", "the same grant twice");
	else if (!text_copy(ret->result.grant_ids[at], ID_TEXT_MAX, id))
		take_fail(t, AMBIT_MALFORMED, "id", "not an id");
	else if (json_object_get(from, "withdrawn") != NULL)
		ret->result.withdrawn_ns[at] = take_time(t, from, "withdrawn");
}

static void read_grants(struct take *t, const json_t *json, struct told *ret)
{
	const json_t *list = take_array(t, json, "grants", GRANTS_MAX);

	ret->grants = calloc(1, sizeof *ret->grants);
	ret->result.grant_ids = calloc(GRANTS_MAX, sizeof *ret->result.grant_ids);
	ret->result.withdrawn_ns = calloc(GRANTS_MAX, sizeof *ret->result.withdrawn_ns);
	if (ret->grants == NULL || ret->result.grant_ids == NULL || ret->result.withdrawn_ns == NULL) {
		take_fail(t, AMBIT_MEMORY, "grants", "no memory");
		return;
	}
	t->in = "grants";
	for (t->index = 0; t->rc == 0 && t->index < json_array_size(list); t->index++)
		read_grant(t, json_array_get(list, t->index), ret);
	t->in = "";
	t->index = SIZE_MAX;
}

/* ---- effects ---- */

/* The grant of that id; GRANT_NONE if none has it. */
static uint32_t find_grant(const struct told *told, const char *id)
{
	for (uint32_t i = 0; id != NULL && i < told->grants->count; i++)
		if (strcmp(told->result.grant_ids[i], id) == 0)
			return i;
	return GRANT_NONE;
}

static void read_allowed(struct take *t, const json_t *from, const struct told *told, struct effect *f)
{
	const char *id = take_text(t, from, "grant", true);

	if (id != NULL && strcmp(id, "base") == 0)
		f->base = json_is_true(json_object_get(from, "gone")) ? EFFECT_BASE_GONE : EFFECT_BASE;
	f->grant = f->base != 0 ? GRANT_NONE : find_grant(told, id);
	if (id != NULL && f->base == 0 && f->grant == GRANT_NONE)
		take_fail(t, AMBIT_MALFORMED, "grant", "no grant has this id");
}

static const char *object_key(uint8_t kind)
{
	if (kind == EFFECT_OPAQUE)
		return "call";
	if (kind == EFFECT_REQUEST)
		return "request";
	return kind == EFFECT_CONNECT ? "address" : "path";
}

static void read_object(struct take *t, const json_t *from, struct effect *f)
{
	const char *key = object_key(f->kind);
	auto_free char *object = take_name(t, json_object_get(from, key), key, false, EFFECT_OBJECT_MAX);

	if (object == NULL)
		return;
	if (effect_right(f->kind) != 0 && !path_is_normal(object))
		take_fail(t, AMBIT_MALFORMED, key, "not an absolute, normalised path");
	(void)text_copy(f->object, sizeof f->object, object); /* fits: take_name */
}

static bool is_why(const json_t *from, enum denial_reason reason)
{
	const char *why = json_string_value(json_object_get(from, "why"));

	return why != NULL && strcmp(why, denial_word(reason)) == 0;
}

static uint8_t read_hello(const char *why)
{
	if (strcmp(why, denial_word(DENIAL_OTHER_NAME)) == 0)
		return EFFECT_DENIED_OTHER_NAME;
	if (strcmp(why, denial_word(DENIAL_BAD_HELLO)) == 0)
		return EFFECT_DENIED_BAD_HELLO;
	return strcmp(why, denial_word(DENIAL_HIDDEN_NAME)) == 0 ? EFFECT_DENIED_HIDDEN_NAME : EFFECT_DENIED;
}

/* Which denial it is. The other reasons follow from the grants. */
static uint8_t read_denied(struct take *t, const json_t *from, const struct effect *f)
{
	const char *why = json_string_value(json_object_get(from, "why"));

	if (take_bool(t, from, "new"))
		return EFFECT_DENIED_NEW;
	if (f->kind == EFFECT_REQUEST)
		return EFFECT_DENIED_REQUEST;
	if (why == NULL)
		return EFFECT_DENIED;
	if (f->kind == EFFECT_EXEC && strcmp(why, denial_word(DENIAL_WRITTEN)) == 0)
		return EFFECT_DENIED_WRITTEN;
	if (effect_right(f->kind) != 0 && strcmp(why, denial_word(DENIAL_HIDDEN)) == 0)
		return EFFECT_DENIED_HIDDEN;
	if (effect_right(f->kind) != 0 && strcmp(why, denial_word(DENIAL_STORE)) == 0)
		return EFFECT_DENIED_STORE;
	if (effect_right(f->kind) != 0 && strcmp(why, denial_word(DENIAL_HELD)) == 0)
		return EFFECT_DENIED_HELD;
	if (f->kind == EFFECT_CONNECT && strcmp(why, denial_word(DENIAL_WITHDRAWN)) == 0)
		return EFFECT_DENIED_WITHDRAWN;
	return f->kind == EFFECT_CONNECT ? read_hello(why) : EFFECT_DENIED;
}

static void read_stopped(struct take *t, const json_t *from, uint32_t *ret)
{
	const json_t *list = take_array(t, from, "stopped_by", QUALIFIER_COUNT + METER_WHY_COUNT);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		uint32_t bit;

		if (word == NULL || !meter_stop_is(word, &bit))
			take_fail(t, AMBIT_MALFORMED, "stopped_by", "nothing that stops");
		else
			*ret |= bit;
	}
}

static void read_meter(struct take *t, const json_t *effect, struct meter *ret)
{
	const json_t *from = take_object(t, effect, "meter");

	ret->opened = (uint32_t)take_count(t, from, "opened", UINT32_MAX);
	ret->failed = (uint32_t)take_count(t, from, "failed", UINT32_MAX);
	ret->refused = (uint32_t)take_count(t, from, "refused", UINT32_MAX);
	ret->sys_errno = json_is_null(json_object_get(from, "errno"))
				 ? 0
				 : (uint32_t)take_count(t, from, "errno", INT32_MAX);
	ret->up = take_count(t, from, "up_bytes", INT64_MAX);
	ret->down = take_count(t, from, "down_bytes", INT64_MAX);
	read_stopped(t, from, &ret->stopped);
}

static void read_effect(struct take *t, const json_t *from, struct told *told)
{
	static const char *const kinds[] = {
#define KIND_WORD(name, number, word, right) [EFFECT_##name] = (word),
		EFFECTS(KIND_WORD)
#undef KIND_WORD
	};
	static const char *const sources[] = { [EFFECT_REQUESTED] = "requested", [EFFECT_PROVED] = "proved" };
	static const char *const verdicts[] = {
		"unjudged", [EFFECT_ALLOWED] = "allowed", [EFFECT_DENIED] = "denied", [EFFECT_ABSENT] = "absent"
	};
	struct effect *f = &told->result.effects[told->result.n_effects];

	f->kind = (uint8_t)take_word(t, from, "kind", kinds, COUNT_OF(kinds));
	f->source = (uint8_t)take_word(t, from, "source", sources, COUNT_OF(sources));
	f->verdict = (uint8_t)take_word(t, from, "verdict", verdicts, COUNT_OF(verdicts));
	f->count = (uint32_t)take_count(t, from, "count", UINT32_MAX);
	f->grant = GRANT_NONE;
	read_object(t, from, f);
	if (t->rc == 0 && effect_has_meter(f))
		read_meter(t, from, &f->meter);
	if (t->rc == 0 && f->verdict == EFFECT_ALLOWED)
		read_allowed(t, from, told, f);
	if (t->rc == 0 && f->verdict == EFFECT_DENIED)
		f->verdict = read_denied(t, from, f);
	if (t->rc == 0 && effect_is_denied(f->verdict))
		f->beyond = effect_right(f->kind) != 0 && is_why(from, DENIAL_BEYOND);
	if (t->rc == 0)
		told->result.n_effects++;
}

static size_t count_changes(const json_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		n += change_is_told(json_array_get(list, i));
	return n;
}

/* Room for both kinds, each within its own bound. */
static bool make_room(struct take *t, const json_t *list, struct told *ret)
{
	const size_t changes = count_changes(list), effects = json_array_size(list) - changes;

	if (changes > STAGE_CHANGES_MAX || effects > EFFECTS_MAX) {
		take_fail(t, AMBIT_LIMIT, "effects", "longer than a record's may be");
		return false;
	}
	ret->result.effects = calloc(effects + 1, sizeof *ret->result.effects);
	ret->changes = calloc(changes + 1, sizeof *ret->changes);
	if (ret->result.effects != NULL && ret->changes != NULL)
		return true;
	take_fail(t, AMBIT_MEMORY, "effects", "no memory");
	return false;
}

static void read_effects(struct take *t, const json_t *json, struct told *ret)
{
	const json_t *list = take_array(t, json, "effects", EFFECTS_MAX + STAGE_CHANGES_MAX);

	if (!make_room(t, list, ret))
		return;
	t->in = "effects";
	for (t->index = 0; t->rc == 0 && t->index < json_array_size(list); t->index++) {
		const json_t *effect = json_array_get(list, t->index);

		if (change_is_told(effect))
			change_take(t, effect, &ret->changes[ret->n_changes++]);
		else
			read_effect(t, effect, ret);
	}
	t->in = "";
	t->index = SIZE_MAX;
	ret->result.effects_dropped = take_count(t, json, "effects_dropped", INT64_MAX);
	ret->result.base_effects = take_count(t, json, "base_effects", INT64_MAX);
}

static void read_labels(struct take *t, const json_t *json, struct labels *ret)
{
	const bool known = !json_is_null(json_object_get(json, "labels"));
	const json_t *list = known ? take_array(t, json, "labels", LABELS_TEXT_MAX / FLOW_LABEL_MAX) : NULL;

	if (!known)
		labels_set_unknown(ret);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name == NULL || !flow_is_name(name))
			take_fail(t, AMBIT_MALFORMED, "labels", "not the name of a label");
		else
			labels_add(ret, name);
	}
}

/* ---- usage, outcome ---- */

/* How a number was measured: the words of `how`, by what they mean to event_usage. */
static uint8_t read_used(struct take *t, const json_t *usage, const char *which, const char *key, uint64_t *ret)
{
	static const char *const how[] = { "sampled", "exact" };
	const json_t *from = take_object(t, usage, which);

	*ret = take_count(t, from, key, INT64_MAX);
	return (uint8_t)take_word(t, from, "how", how, COUNT_OF(how));
}

static void read_usage(struct take *t, const json_t *json, struct event_result *r)
{
	const json_t *from = take_object(t, json, "usage");
	struct event_usage *u = &r->usage;

	t->in = "usage";
	(void)read_used(t, from, "wall", "ms", &u->wall_ms);
	if (json_object_get(json_object_get(from, "wall"), "frozen_ms") != NULL)
		r->frozen_ms = take_count(t, take_object(t, from, "wall"), "frozen_ms", INT64_MAX);
	(void)read_used(t, from, "cpu", "user_ms", &u->cpu_user_ms);
	(void)read_used(t, from, "cpu", "system_ms", &u->cpu_system_ms);
	u->memory_exact = read_used(t, from, "memory", "peak_bytes", &u->memory_peak_bytes);
	u->tasks_exact = read_used(t, from, "tasks", "peak", &u->tasks_peak);
	u->disk_exact = read_used(t, from, "disk", "written_bytes", &u->written_bytes);
	t->in = "";
}

static void read_canaries(struct take *t, const json_t *from, struct event_result *r)
{
	const json_t *list = take_array(t, from, "canaries", CANARIES_MAX);

	r->canaries = json_array_size(list) == 0 ? NULL : calloc(json_array_size(list), sizeof *r->canaries);
	if (r->canaries == NULL)
		return;
	for (size_t i = 0; t->rc == 0 && i < json_array_size(list); i++) {
		r->canaries[r->n_canaries] = take_name(t, json_array_get(list, i), "canaries", false, CANARY_PATH_MAX);
		r->n_canaries += r->canaries[r->n_canaries] != NULL;
	}
}

static void read_outcome(struct take *t, const json_t *json, struct event_result *r)
{
	static const char *const causes[] = {
		[CAUSE_EXITED] = "exited", [CAUSE_LIMIT] = "limit",     [CAUSE_KILLED] = "killed",
		[CAUSE_LOST] = "lost",     [CAUSE_REFUSED] = "refused", [CAUSE_CANARY] = "canary"
	};
	static const char *const limits[] = {
#define LIMIT(name, word, unit, least, run, code, text) word,
#include "core/limits.def"
#undef LIMIT
	};
	static const char *const workspaces[] = { [WORKSPACE_NONE] = "none",           [WORKSPACE_DIRECT] = "direct",
						  [WORKSPACE_UNTOUCHED] = "untouched", [WORKSPACE_STAGED] = "staged",
						  [WORKSPACE_COMMITTED] = "committed", [WORKSPACE_KEPT] = "kept",
						  [WORKSPACE_DISCARDED] = "discarded" };
	const json_t *from = take_object(t, json, "outcome");
	int signal_number;

	t->in = "outcome";
	r->exit_status = take_small(t, from, "exit", 255);
	signal_number = take_small(t, from, "signal", 64);
	r->signal = signal_number > 0 ? signal_number : 0;
	r->cause = (enum event_cause)take_word(t, from, "cause", causes, COUNT_OF(causes));
	if (r->cause == CAUSE_LIMIT)
		r->limit = (enum limit)take_word(t, from, "limit", limits, COUNT_OF(limits));
	r->workspace = (enum event_workspace)take_word(t, from, "workspace", workspaces, COUNT_OF(workspaces));
	if (json_object_get(from, "approval") != NULL && t->rc == 0 &&
	    !text_copy(r->stage.end.approval, ID_TEXT_MAX, take_text(t, from, "approval", false)))
		take_fail(t, AMBIT_MALFORMED, "approval", "not an id");
	if (json_object_get(from, "canaries") != NULL)
		read_canaries(t, from, r);
	if (json_object_get(from, "revoked") != NULL)
		r->revoked = (uint32_t)take_count(t, from, "revoked", UINT32_MAX);
	take_error(t, from, "outcome.error", &r->error);
	t->in = "";
}

static void read_times(struct take *t, const json_t *json, struct event_result *r)
{
	const json_t *from = take_object(t, json, "times");

	t->in = "times";
	r->started_ns = take_time(t, from, "started");
	r->ended_ns = take_time(t, from, "ended");
	t->in = "";
}

/* ---- labels ---- */

/* An id is an event's, or nothing is told. */
static void read_event(struct take *t, const json_t *from, char ret[ID_TEXT_MAX])
{
	const char *event = take_text(t, from, "event", true);

	if (event != NULL && (!id_is('e', event, strlen(event)) || !text_copy(ret, ID_TEXT_MAX, event)))
		take_fail(t, AMBIT_MALFORMED, "event", "not an id");
}

static void read_closing(struct take *t, const json_t *from, struct result_closing *ret)
{
	const char *label = take_text(t, from, "label", false), *by = take_text(t, from, "by", true);

	if (label != NULL && !text_copy(ret->label, sizeof ret->label, label))
		take_fail(t, AMBIT_MALFORMED, "label", "not a label");
	if (by != NULL && !text_copy(ret->by, sizeof ret->by, by))
		take_fail(t, AMBIT_MALFORMED, "by", "nothing that brings a label");
	read_event(t, from, ret->event);
	ret->object = take_name(t, json_object_get(from, "object"), "object", true, GRANT_OBJECT_MAX);
}

/* Records of before have no such keys. */
static void read_labelled(struct take *t, const json_t *json, struct event_result *r)
{
	const char *stream = json_object_get(json, "stream") != NULL ? take_text(t, json, "stream", true) : NULL;
	const json_t *list = json_object_get(json, "labelled") != NULL
				     ? take_array(t, json, "labelled", RESULT_LABELS_MAX)
				     : NULL;

	if (stream != NULL && (!id_is('b', stream, strlen(stream)) || !text_copy(r->stream, sizeof r->stream, stream)))
		take_fail(t, AMBIT_MALFORMED, "stream", "not an id");
	if (json_array_size(list) == 0)
		return;
	r->closing = calloc(json_array_size(list), sizeof *r->closing);
	if (r->closing == NULL) {
		take_fail(t, AMBIT_MEMORY, "labelled", "no memory");
		return;
	}
	t->in = "labelled";
	for (t->index = 0; t->rc == 0 && t->index < json_array_size(list); t->index++)
		read_closing(t, json_array_get(list, t->index), &r->closing[r->n_closing++]);
	t->in = "";
	t->index = SIZE_MAX;
}

/* ---- the whole ---- */

static void read_wall(struct take *t, const json_t *json, struct told *ret)
{
	static const char *const words[] = {
#define PROPERTY(name, word, text) word,
#include "cell/properties.def"
#undef PROPERTY
	};
	const json_t *from = take_object(t, json, "wall");

	t->in = "wall";
	for (enum property p = 0; p < PROPERTY_COUNT; p++)
		ret->wall[p] = take_text(t, from, words[p], true);
	t->in = "";
}

static void read_ids(struct take *t, const json_t *json, struct told *ret)
{
	const char *event = take_text(t, json, "event", false), *session = take_text(t, json, "session", true);
	auto_free char *agent = take_name(t, json_object_get(json, "agent"), "agent", true, sizeof ret->result.agent);

	if (event != NULL && !text_copy(ret->result.event, sizeof ret->result.event, event))
		take_fail(t, AMBIT_MALFORMED, "event", "not an id");
	if (session != NULL && !text_copy(ret->result.session, sizeof ret->result.session, session))
		take_fail(t, AMBIT_MALFORMED, "session", "not an id");
	if (agent != NULL)
		(void)text_copy(ret->result.agent, sizeof ret->result.agent, agent); /* fits: take_name */
}

/* What `ambit run --json` writes where nothing was run: an error alone. */
static void read_refusal(struct take *t, const json_t *json)
{
	struct err told = { .code = AMBIT_OK };

	if (json_object_size(json) != 1 || !json_is_object(json_object_get(json, "error")))
		return;
	take_error(t, json, "error", &told);
	if (t->rc == 0)
		t->rc = err_set(t->e, AMBIT_MALFORMED, "there is nothing to explain", "nothing was run: %s", told.msg);
}

static void read_version(struct take *t, const json_t *json)
{
	if (!json_is_object(json))
		take_fail(t, AMBIT_MALFORMED, "v", "not an object, so not a record");
	else if (take_count(t, json, "v", INT64_MAX) != 1)
		take_fail(t, AMBIT_UNAVAILABLE, "v", "a version that this build does not know");
}

static void read_all(struct take *t, struct told *ret)
{
	read_refusal(t, ret->json);
	read_version(t, ret->json);
	read_ids(t, ret->json, ret);
	read_asked(t, ret->json, ret);
	read_grants(t, ret->json, ret);
	read_wall(t, ret->json, ret);
	read_effects(t, ret->json, ret);
	trace_take(t, ret->json, &ret->result);
	usual_take(t, ret->json, &ret->result.usual);
	read_labels(t, ret->json, &ret->result.labels);
	read_usage(t, ret->json, &ret->result);
	read_labelled(t, ret->json, &ret->result);
	read_outcome(t, ret->json, &ret->result);
	read_times(t, ret->json, &ret->result);
	ret->result.argv = ret->argv;
	ret->result.workdir = ret->workdir;
	ret->result.home = ret->home;
	ret->result.grants = ret->grants;
	ret->result.ended = true;
}

static int bad_json(const json_error_t *why, struct err *e)
{
	char text[2 * JSON_ERROR_TEXT_LENGTH]; /* may quote the record */

	if (json_error_code(why) == json_error_out_of_memory ||
	    why->text[0] == 0) /* jansson says nothing when memory is gone */
		return err_set(e, AMBIT_MEMORY, NULL, "the record is too large to be explained");
	return err_set(e, AMBIT_MALFORMED, "is it a record of `ambit run`, and all of it?",
		       "record: byte %d (line %d, column %d): %s", why->position, why->line, why->column,
		       text_escape(text, sizeof text, why->text, strlen(why->text)));
}

int reader_read(const void *bytes, size_t n, struct told *ret, struct err *e)
{
	struct take t = { .e = e, .in = "", .index = SIZE_MAX };
	json_error_t why;

	*ret = (struct told){ .json = NULL };
	if (n > READER_BYTES_MAX)
		return err_set(e, AMBIT_LIMIT, "a record is never that long", "the record is longer than %u MB",
			       READER_BYTES_MAX >> 20);
	ret->json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	if (ret->json == NULL)
		return bad_json(&why, e);
	ret->is_call = call_is(ret->json);
	if (ret->is_call)
		read_version(&t, ret->json);
	else
		read_all(&t, ret);
	return t.rc;
}

void told_finish(struct told *t)
{
	for (size_t i = 0; t->argv != NULL && t->argv[i] != NULL; i++)
		free(t->argv[i]);
	free(t->argv);
	for (size_t i = 0; i < t->n_changes; i++)
		told_change_finish(&t->changes[i]);
	free(t->changes);
	free(t->workdir);
	free(t->home);
	free(t->grants);
	result_finish(&t->result);
	json_decref(t->json);
	*t = (struct told){ .json = NULL };
}
