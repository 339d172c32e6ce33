#include "lib/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cell/spec.h"
#include "core/denial.h"
#include "lib/json.h"

/* How RECORD_MAX is kept: what was captured takes at most 4/3 of RECORD_OUTPUT_MAX as base64, and json_bytes chooses
 * nothing larger; effects RECORD_EFFECTS_MAX; grants at most six times their pool; arguments CELL_PROGRAM_MAX, six times. */
_Static_assert(RECORD_OUTPUT_MAX / 3 * 4 + RECORD_EFFECTS_MAX + 6 * GRANT_POOL_MAX + 6 * CELL_PROGRAM_MAX + (1u << 20) <
		       RECORD_MAX,
	       "a record that the reader would refuse");

#define EFFECT_FRAME 160                      /* bytes of an effect beside its texts: keys, numbers, the grant's id */
#define SUGGESTION_MAX (2 * GRANT_OBJECT_MAX) /* longer ones are left out: nobody types them */

static const char *base_word(uint32_t base)
{
	static const char *const words[] = { [CELL_BASE_SYSTEM] = "system",
					     [CELL_BASE_MINIMAL] = "minimal",
					     [CELL_BASE_NONE] = "none",
					     [CELL_BASE_HOST] = "host" };

	return base < sizeof words / sizeof words[0] ? words[base] : NULL;
}

static const char *observe_word(uint32_t observe)
{
	static const char *const words[] = {
		[CELL_OBSERVE_OFF] = "off", [CELL_OBSERVE_EFFECTS] = "effects", [CELL_OBSERVE_FULL] = "full"
	};

	return observe < sizeof words / sizeof words[0] ? words[observe] : NULL;
}

static const char *cause_word(enum event_cause cause)
{
	switch (cause) {
	case CAUSE_EXITED: return "exited";
	case CAUSE_LIMIT: return "limit";
	case CAUSE_KILLED: return "killed";
	case CAUSE_LOST: return "lost";
	case CAUSE_REFUSED: return "refused";
	}
	return NULL;
}

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

static json_t *limits_json(const struct limits *l)
{
	json_t *o = json_object();

	for (enum limit i = 0; i < LIMIT_COUNT; i++) {
		char key[32];

		(void)snprintf(key, sizeof key, "%s%s", limit_word(i),
			       unit_suffix(limit_unit(i))); /* words are short */
		json_put(&o, key, l->value[i] != 0 ? json_count(l->value[i]) : json_null());
	}
	return o;
}

static json_t *argv_json(char *const *argv)
{
	json_t *a = json_array();

	for (size_t i = 0; argv != NULL && argv[i] != NULL; i++)
		json_add(&a, json_name(argv[i]));
	return a;
}

/* The properties of the set, by word. */
static json_t *properties_json(uint32_t set)
{
	json_t *a = json_array();

	for (enum property p = 0; p < PROPERTY_COUNT; p++)
		if ((set >> p & 1) != 0)
			json_add(&a, json_word(property_word(p)));
	return a;
}

static json_t *asked_json(const struct event_result *r)
{
	json_t *o = json_object();

	json_put(&o, "argv", argv_json(r->argv));
	json_put(&o, "workdir", json_name(r->workdir));
	json_put(&o, "home", json_name(r->home));
	json_put(&o, "base", json_word(base_word(r->base)));
	json_put(&o, "observe", json_word(observe_word(r->observe)));
	json_put(&o, "without", properties_json(r->without));
	json_put(&o, "limits", limits_json(&r->limits));
	return o;
}

/* ---- grants ---- */

static json_t *grant_id_json(const struct event_result *r, uint32_t id)
{
	if (r->grants == NULL || r->grant_ids == NULL || id >= r->grants->count)
		return json_null();
	return json_word(r->grant_ids[id]);
}

static json_t *rights_json(uint32_t rights)
{
	static const struct {
		uint32_t right;
		const char *word;
	} words[] = { { RIGHT_READ, "read" }, { RIGHT_WRITE, "write" }, { RIGHT_RUN, "run" } };
	json_t *a = json_array();

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if ((rights & words[i].right) != 0)
			json_add(&a, json_word(words[i].word));
	return a;
}

static json_t *grant_json(const struct event_result *r, uint32_t id)
{
	const struct grant *g = &r->grants->grants[id];
	json_t *o = json_object();

	json_put(&o, "id", grant_id_json(r, id));
	json_put(&o, "verb", json_word(verb_word((enum grant_verb)g->verb)));
	json_put(&o, "object", json_name(grant_object(r->grants, id)));
	json_put(&o, "rights", rights_json(g->rights));
	json_put(&o, "optional", json_boolean((g->flags & GRANT_OPTIONAL) != 0));
	json_put(&o, "parent", grant_id_json(r, g->parent));
	return o;
}

static json_t *grants_json(const struct event_result *r)
{
	json_t *a = json_array();

	for (uint32_t i = 0; r->grants != NULL && i < r->grants->count; i++)
		json_add(&a, grant_json(r, i));
	return a;
}

/* ---- wall ---- */

static json_t *wall_json(const struct event_result *r)
{
	const mechanism_set achieved = r->achieved & ~MECHANISM_BIT(MECHANISM_GIVEN_UP);
	json_t *o = json_object();

	for (enum property p = 0; p < PROPERTY_COUNT; p++) {
		const mechanism_set held = property_held_by(p, achieved);
		char text[256];

		property_describe(held, text, sizeof text);
		json_put(&o, property_word(p), held != 0 ? json_word(text) : json_null());
	}
	return o;
}

/* ---- effects ---- */

struct effect_texts { /* scratch of one effect; large, so it is on the heap once */
	struct denial denial;
	char line[SUGGESTION_MAX], flag[SUGGESTION_MAX];
};

static json_t *would_json(const struct event_result *r, const struct effect *f, struct effect_texts *t)
{
	static const struct grant_set nothing;
	json_t *o;

	denial_of(r->grants != NULL ? r->grants : &nothing, f, &t->denial);
	if (!t->denial.grantable)
		return json_null();
	grant_suggest(&(struct grant_request){ .verb = t->denial.verb, .object = t->denial.object }, t->line,
		      sizeof t->line, t->flag, sizeof t->flag);
	o = json_object();
	json_put(&o, "flag", t->flag[0] != 0 ? json_word(t->flag) : json_null());
	json_put(&o, "policy", t->line[0] != 0 ? json_word(t->line) : json_null());
	return o;
}

static const char *object_key(uint8_t kind)
{
	if (kind == EFFECT_OPAQUE)
		return "call";
	return kind == EFFECT_CONNECT ? "address" : "path";
}

static const char *verdict_word(uint8_t verdict)
{
	switch (verdict) {
	case EFFECT_ALLOWED: return "allowed";
	case EFFECT_DENIED:
	case EFFECT_DENIED_NEW:
	case EFFECT_DENIED_WRITTEN: return "denied";
	case EFFECT_ABSENT: return "absent";
	default: /* not an enum: the byte of a peer, 0 if nobody judged it */ return "unjudged";
	}
}

static json_t *effect_json(const struct event_result *r, const struct effect *f, struct effect_texts *t)
{
	json_t *o = json_object();

	json_put(&o, "kind", json_word(effect_word(f->kind)));
	json_put(&o, object_key(f->kind), json_name(f->object));
	json_put(&o, "source", json_word(f->source == EFFECT_PROVED ? "proved" : "requested"));
	json_put(&o, "count", json_count(f->count));
	json_put(&o, "verdict", json_word(verdict_word(f->verdict)));
	if (f->verdict == EFFECT_ALLOWED)
		json_put(&o, "grant", f->base != 0 ? json_word("base") : grant_id_json(r, f->grant));
	if (!effect_is_denied(f->verdict))
		return o;
	json_put(&o, "new", json_boolean(f->verdict == EFFECT_DENIED_NEW));
	json_put(&o, "would", would_json(r, f, t));
	json_put(&o, "why", json_word(denial_word(t->denial.reason)));
	return o;
}

/* What an effect may take in the record: a name six bytes for one at most, a flag and a line as long as they are. */
static size_t effect_size(const struct effect *f, const struct effect_texts *t)
{
	const size_t name = strnlen(f->object, sizeof f->object);

	return EFFECT_FRAME + 6 * name + (effect_is_denied(f->verdict) ? 6 * (strlen(t->flag) + strlen(t->line)) : 0);
}

/* Effects until there is no room for more; *dropped counts those that are left out. */
static json_t *effects_json(const struct event_result *r, uint64_t *dropped)
{
	auto_free struct effect_texts *t = calloc(1, sizeof *t);
	json_t *a = t != NULL ? json_array() : NULL;
	size_t room = RECORD_EFFECTS_MAX;

	for (size_t i = 0; a != NULL && i < r->n_effects; i++) {
		json_t *one = effect_json(r, &r->effects[i], t);
		const size_t size = effect_size(&r->effects[i], t);

		if (size <= room) {
			room -= size;
			json_add(&a, one);
			continue;
		}
		json_decref(one);
		*dropped += r->n_effects - i;
		break;
	}
	return a;
}

/* ---- usage, outcome, times, output ---- */

static json_t *used_json(const char *key, uint64_t value, bool exact)
{
	json_t *o = json_object();

	json_put(&o, key, json_count(value));
	json_put(&o, "how", json_word(exact ? "exact" : "sampled"));
	return o;
}

/* The processor time is of the processes that the warden waited for: a killed one's last moments are missing. */
static json_t *cpu_json(const struct event_usage *u)
{
	json_t *o = used_json("user_ms", u->cpu_user_ms, false);

	json_put(&o, "system_ms", json_count(u->cpu_system_ms));
	return o;
}

static json_t *usage_json(const struct event_usage *u)
{
	json_t *o = json_object();

	json_put(&o, "wall", used_json("ms", u->wall_ms, true));
	json_put(&o, "cpu", cpu_json(u));
	json_put(&o, "memory", used_json("peak_bytes", u->memory_peak_bytes, u->memory_exact != 0));
	json_put(&o, "tasks", used_json("peak", u->tasks_peak, u->tasks_exact != 0));
	json_put(&o, "disk", used_json("written_bytes", u->written_bytes, u->disk_exact != 0));
	return o;
}

static json_t *error_json(const struct err *e)
{
	json_t *o = json_object();

	json_put(&o, "code", json_word(err_code_name((int)e->code)));
	json_put(&o, "message", json_name(e->msg));
	json_put(&o, "hint", e->hint[0] != 0 ? json_name(e->hint) : json_null());
	return o;
}

/* In this version writes are direct: there is no stage. */
static const char *workspace_word(const struct event_result *r)
{
	for (uint32_t i = 0; r->cause != CAUSE_REFUSED && r->grants != NULL && i < r->grants->count; i++)
		if ((r->grants->grants[i].rights & RIGHT_WRITE) != 0)
			return "direct";
	return "none";
}

static json_t *outcome_json(const struct event_result *r)
{
	json_t *o = json_object();

	json_put(&o, "exit", r->exit_status >= 0 ? json_integer(r->exit_status) : json_null());
	json_put(&o, "signal", r->signal > 0 ? json_integer(r->signal) : json_null());
	json_put(&o, "cause", json_word(cause_word(r->cause)));
	json_put(&o, "limit", r->cause == CAUSE_LIMIT ? json_word(limit_word(r->limit)) : json_null());
	json_put(&o, "error", r->error.code != AMBIT_OK ? error_json(&r->error) : json_null());
	json_put(&o, "workspace", json_word(workspace_word(r)));
	return o;
}

static json_t *times_json(const struct event_result *r)
{
	json_t *o = json_object();

	json_put(&o, "started", json_time(r->started_ns));
	json_put(&o, "ended", json_time(r->ended_ns));
	return o;
}

/* A character that the cut went through is left out, so that text stays text. */
static size_t whole_characters(const uint8_t *s, size_t n)
{
	size_t at = n;

	while (at > 0 && n - at < 4 && (s[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && (s[at - 1] & 0xc0) == 0xc0)
		at--; /* at stands on the first byte of the last character */
	return text_is_utf8(s + at, n - at, NULL) ? n : at;
}

/* How much of a stream is told: what there is, if the other leaves room for it, and half of the room in any case. */
static size_t share(const struct buf *b, const struct buf *other)
{
	const size_t left = other->len < RECORD_OUTPUT_MAX / 2 ? RECORD_OUTPUT_MAX - other->len : RECORD_OUTPUT_MAX / 2;

	return b->len < left ? b->len : left;
}

static json_t *stream_json(const struct buf *b, const struct buf *other, uint64_t total)
{
	json_t *o = json_object();
	size_t n = share(b, other);
	const uint64_t all = total > b->len ? total : b->len;

	if (all > n && n > 0 && text_is_utf8(b->data, whole_characters(b->data, n), NULL))
		n = whole_characters(b->data, n);
	json_put(&o, "data", json_bytes(b->data, n));
	json_put(&o, "total", json_count(all));
	json_put(&o, "cut", json_boolean(all > n));
	return o;
}

static json_t *output_json(const struct event_result *r)
{
	json_t *o;

	if (!r->captured)
		return json_null();
	o = json_object();
	json_put(&o, "stdout", stream_json(&r->out, &r->err, r->out_total));
	json_put(&o, "stderr", stream_json(&r->err, &r->out, r->err_total));
	return o;
}

/* ---- the whole ---- */

static json_t *record_json(const struct event_result *r)
{
	uint64_t dropped = r->effects_dropped;
	json_t *o = json_object();

	json_put(&o, "v", json_integer(RECORD_VERSION));
	json_put(&o, "event", json_word(r->event));
	json_put(&o, "parent", json_null());
	json_put(&o, "session", json_word(r->session));
	json_put(&o, "n", json_integer(1)); /* a bare run is a session of one event */
	json_put(&o, "agent", r->agent[0] != 0 ? json_name(r->agent) : json_null());
	json_put(&o, "kind", json_word("run"));
	json_put(&o, "asked", asked_json(r));
	json_put(&o, "grants", grants_json(r));
	json_put(&o, "wall", wall_json(r));
	json_put(&o, "given_up", properties_json(r->without));
	json_put(&o, "observed", json_word(observe_word(r->observe)));
	json_put(&o, "effects", effects_json(r, &dropped));
	json_put(&o, "effects_dropped", json_count(dropped));
	json_put(&o, "base_effects", json_count(r->base_effects));
	json_put(&o, "usage", usage_json(&r->usage));
	json_put(&o, "labels", json_array());
	json_put(&o, "outcome", outcome_json(r));
	json_put(&o, "times", times_json(r));
	json_put(&o, "output", output_json(r));
	return o;
}

static int append(const char *bytes, size_t n, void *out)
{
	buf_put(out, bytes, n);
	return ((struct buf *)out)->failed ? -1 : 0;
}

/* value is taken. */
static int write_line(json_t *value, struct buf *out)
{
	const size_t before = out->len;
	const int rc = value != NULL ? json_dump_callback(value, append, out, JSON_COMPACT) : -1;

	json_decref(value);
	buf_put_u8(out, '\n');
	if (rc == 0 && !out->failed)
		return 0;
	out->len = before;
	return -AMBIT_MEMORY;
}

int record_write(const struct event_result *r, struct buf *out, struct err *e)
{
	if (cause_word(r->cause) == NULL)
		return err_set(e, AMBIT_MALFORMED, NULL, "the record of an event that has not ended");
	if (write_line(record_json(r), out) == 0)
		return 0;
	return err_set(e, AMBIT_MEMORY, "capture less of the output, or observe less", "the record of the event");
}

int record_write_error(const struct err *error, struct buf *out, struct err *e)
{
	json_t *o = json_object();

	json_put(&o, "error", error_json(error));
	return write_line(o, out) == 0 ? 0 : err_set(e, AMBIT_MEMORY, NULL, "out of memory");
}
