#include "lib/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cell/spec.h"
#include "core/denial.h"
#include "core/kind.h"
#include "lib/record_change.h"
#include "lib/record_usual.h"
#include "profile/trace.h"

/* How RECORD_MAX is kept: what was captured and the trace take at most 4/3 of their bytes as base64, and json_put_bytes chooses
 * nothing larger; effects RECORD_EFFECTS_MAX; grants at most six times their pool; arguments CELL_PROGRAM_MAX, six times; objects of what brought labels likewise. */
_Static_assert(RECORD_OUTPUT_MAX / 3 * 4 + TRACE_BYTES_MAX / 3 * 4 + RECORD_EFFECTS_MAX + 6 * GRANT_POOL_MAX +
			       6 * CELL_PROGRAM_MAX + 6 * RESULT_SOURCES_MAX + RESULT_STEPS_MAX * 256 +
			       6 * RESULT_LABELS_MAX * GRANT_OBJECT_MAX + (1u << 20) <
		       RECORD_MAX,
	       "a record that the reader would refuse");

#define METER_FRAME 240                       /* of its meter */
#define EFFECT_FRAME 176                      /* bytes of an effect beside its texts: keys, numbers, the grant's id */
#define SUGGESTION_MAX (2 * GRANT_OBJECT_MAX) /* longer ones are left out: nobody types them */

static void count_or_null(struct json *j, bool there, uint64_t n)
{
	if (there)
		json_put_count(j, n);
	else
		json_put_null(j);
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

static void limits_put(struct json *j, const struct limits *l)
{
	json_put_object(j);
	for (enum limit i = 0; i < LIMIT_COUNT; i++) {
		char key[32];

		(void)snprintf(key, sizeof key, "%s%s", limit_word(i),
			       unit_suffix(limit_unit(i))); /* words are short */
		count_or_null(json_put_key(j, key), l->value[i] != 0, l->value[i]);
	}
	json_put_object_end(j);
}

static void argv_put(struct json *j, char *const *argv)
{
	json_put_array(j);
	for (size_t i = 0; argv != NULL && argv[i] != NULL; i++)
		json_put_name(j, argv[i]);
	json_put_array_end(j);
}

/* The properties of the set, by word. */
static void properties_put(struct json *j, uint32_t set)
{
	json_put_array(j);
	for (enum property p = 0; p < PROPERTY_COUNT; p++)
		if ((set >> p & 1) != 0)
			json_put_word(j, property_word(p));
	json_put_array_end(j);
}

static void asked_put(struct json *j, const struct event_result *r)
{
	json_put_object(j);
	argv_put(json_put_key(j, "argv"), r->argv);
	json_put_name(json_put_key(j, "workdir"), r->workdir);
	json_put_name(json_put_key(j, "home"), r->home);
	json_put_word(json_put_key(j, "base"), spec_base_word(r->base));
	json_put_word(json_put_key(j, "observe"), spec_observe_word(r->observe));
	properties_put(json_put_key(j, "without"), r->without);
	limits_put(json_put_key(j, "limits"), &r->limits);
	json_put_object_end(j);
}

/* ---- grants ---- */

static void grant_id_put(struct json *j, const struct event_result *r, uint32_t id)
{
	const bool known = r->grants != NULL && r->grant_ids != NULL && id < r->grants->count;

	json_put_word(j, known ? r->grant_ids[id] : NULL);
}

static void rights_put(struct json *j, uint32_t rights)
{
	static const struct {
		uint32_t right;
		const char *word;
	} words[] = { { RIGHT_READ, "read" }, { RIGHT_WRITE, "write" }, { RIGHT_RUN, "run" } };

	json_put_array(j);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if ((rights & words[i].right) != 0)
			json_put_word(j, words[i].word);
	json_put_array_end(j);
}

/* At which port of the host a server is reached, which the kernel may have chosen. */
static void port_put(struct json *j, const struct event_result *r, uint32_t id)
{
	for (uint32_t i = 0; i < r->n_ports; i++)
		if (r->ports[i].grant == id)
			json_put_count(json_put_key(j, "port"), r->ports[i].port);
}

static void grant_put(struct json *j, const struct event_result *r, uint32_t id)
{
	const struct grant *g = &r->grants->grants[id];

	json_put_object(j);
	grant_id_put(json_put_key(j, "id"), r, id);
	json_put_word(json_put_key(j, "verb"), verb_word((enum grant_verb)g->verb));
	json_put_bytes(json_put_key(j, "object"), grant_object(r->grants, id), grant_told(r->grants, id));
	rights_put(json_put_key(j, "rights"), g->rights);
	port_put(j, r, id);
	json_put_bool(json_put_key(j, "optional"), (g->flags & GRANT_OPTIONAL) != 0);
	json_put_key(j, "qualifiers");
	if (grant_has_conditions(r->grants, id))
		grant_put_conditions_json(j, r->grants, id);
	else
		json_put_null(j);
	grant_id_put(json_put_key(j, "parent"), r, g->parent);
	if (r->withdrawn_ns != NULL && r->withdrawn_ns[id] != 0)
		json_put_time(json_put_key(j, "withdrawn"), r->withdrawn_ns[id]);
	json_put_object_end(j);
}

static void grants_put(struct json *j, const struct event_result *r)
{
	json_put_array(j);
	for (uint32_t i = 0; r->grants != NULL && i < r->grants->count; i++)
		grant_put(j, r, i);
	json_put_array_end(j);
}

/* ---- wall ---- */

static void wall_put(struct json *j, const struct event_result *r)
{
	const mechanism_set achieved = r->achieved & ~MECHANISM_BIT(MECHANISM_GIVEN_UP);

	json_put_object(j);
	for (enum property p = 0; p < PROPERTY_COUNT; p++) {
		const mechanism_set held = property_held_by(p, achieved);
		char text[256];

		property_describe(held, text, sizeof text);
		json_put_word(json_put_key(j, property_word(p)), held != 0 ? text : NULL);
	}
	json_put_object_end(j);
}

/* ---- effects ---- */

struct effect_texts { /* scratch of one effect; large, so it is on the heap once */
	struct denial denial;
	char line[SUGGESTION_MAX], flag[SUGGESTION_MAX];
};

/* What would have allowed it, as text; empty texts if no grant can, or if nobody would type it. */
static void suggest(const struct event_result *r, const struct effect *f, struct effect_texts *t)
{
	static const struct grant_set nothing;

	t->flag[0] = t->line[0] = 0;
	denial_of(r->grants != NULL ? r->grants : &nothing, f, &t->denial);
	if (t->denial.grantable)
		grant_suggest(&(struct grant_request){ .verb = t->denial.verb, .object = t->denial.object }, t->line,
			      sizeof t->line, t->flag, sizeof t->flag);
}

static void would_put(struct json *j, const struct effect_texts *t)
{
	if (!t->denial.grantable) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	json_put_word(json_put_key(j, "flag"), t->flag[0] != 0 ? t->flag : NULL);
	json_put_word(json_put_key(j, "policy"), t->line[0] != 0 ? t->line : NULL);
	json_put_object_end(j);
}

static const char *object_key(uint8_t kind)
{
	if (kind == EFFECT_OPAQUE)
		return "call";
	if (kind == EFFECT_REQUEST)
		return "request";
	return kind == EFFECT_CONNECT ? "address" : "path";
}

static void denial_put(struct json *j, const struct effect *f, const struct effect_texts *t)
{
	json_put_bool(json_put_key(j, "new"), f->verdict == EFFECT_DENIED_NEW);
	would_put(json_put_key(j, "would"), t);
	json_put_word(json_put_key(j, "why"), denial_word(t->denial.reason));
	if (f->kind == EFFECT_REQUEST)
		json_put_word(json_put_key(j, "rule"), t->denial.rule[0] != 0 ? t->denial.rule : NULL);
}

static void effect_put(struct json *j, const struct event_result *r, const struct effect *f,
		       const struct effect_texts *t)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "kind"), effect_word(f->kind));
	json_put_name(json_put_key(j, object_key(f->kind)), f->object);
	json_put_word(json_put_key(j, "source"), f->source == EFFECT_PROVED ? "proved" : "requested");
	json_put_count(json_put_key(j, "count"), f->count);
	if (effect_has_meter(f))
		meter_put_json(json_put_key(j, "meter"), &f->meter);
	json_put_word(json_put_key(j, "verdict"), effect_verdict_word(f->verdict));
	if (f->verdict == EFFECT_ALLOWED && f->base != 0)
		json_put_word(json_put_key(j, "grant"), "base");
	else if (f->verdict == EFFECT_ALLOWED)
		grant_id_put(json_put_key(j, "grant"), r, f->grant);
	if (f->base == EFFECT_BASE_GONE)
		json_put_bool(json_put_key(j, "gone"), true);
	if (effect_is_denied(f->verdict))
		denial_put(j, f, t);
	json_put_object_end(j);
}

/* What an effect may take in the record: a name six bytes for one at most, a flag and a line as long as they are. */
static size_t effect_size(const struct effect *f, const struct effect_texts *t)
{
	const size_t name = strnlen(f->object, sizeof f->object);

	return EFFECT_FRAME + (size_t)(effect_has_meter(f) ? METER_FRAME : 0) + 6 * name +
	       (effect_is_denied(f->verdict) ? 6 * (strlen(t->flag) + strlen(t->line)) + strlen(t->denial.rule) : 0);
}

/* Effects until there is no room for more; *dropped counts those that are left out. */
static void effects_put(struct json *j, const struct event_result *r, uint64_t *dropped)
{
	auto_free struct effect_texts *t = calloc(1, sizeof *t);
	size_t room = RECORD_EFFECTS_MAX;

	if (t == NULL)
		j->out->failed = true;
	json_put_array(j);
	for (size_t i = 0; t != NULL && i < r->n_effects; i++) {
		const struct effect *f = &r->effects[i];
		size_t size;

		if (effect_is_denied(f->verdict))
			suggest(r, f, t);
		size = effect_size(f, t);
		if (size > room) {
			*dropped += r->n_effects - i;
			break;
		}
		room -= size;
		effect_put(j, r, f, t);
	}
	record_changes_put(j, &r->stage, true, &room, dropped);
	json_put_array_end(j);
}

/* ---- the trace ---- */

/* It is no text, so it is told as base64. */
static void trace_put(struct json *j, const struct result_trace *t, uint32_t source)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 s;

	if (t->form.len == 0) {
		json_put_null(j);
		return;
	}
	sha256_init(&s);
	sha256_add(&s, t->form.data, t->form.len);
	sha256_end(&s, digest);
	json_put_object(j);
	json_put_hex(json_put_key(j, "sha256"), digest, sizeof digest);
	json_put_word(json_put_key(j, "by"), spec_source_word(source));
	json_put_count(json_put_key(j, "threads"), t->threads);
	json_put_count(json_put_key(j, "calls"), t->calls);
	json_put_count(json_put_key(j, "dropped"), t->dropped);
	json_put_bytes(json_put_key(j, "form"), t->form.data, t->form.len);
	json_put_object_end(j);
}

/* ---- usage, outcome, times, output ---- */

static void used_put(struct json *j, const char *key, uint64_t value, bool exact)
{
	json_put_object(j);
	json_put_count(json_put_key(j, key), value);
	json_put_word(json_put_key(j, "how"), exact ? "exact" : "sampled");
	json_put_object_end(j);
}

/* The processor time is of the processes that the warden waited for: a killed one's last moments are missing. */
static void cpu_put(struct json *j, const struct event_usage *u)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "user_ms"), u->cpu_user_ms);
	json_put_word(json_put_key(j, "how"), "sampled");
	json_put_count(json_put_key(j, "system_ms"), u->cpu_system_ms);
	json_put_object_end(j);
}

static void wall_used_put(struct json *j, const struct event_result *r)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "ms"), r->usage.wall_ms);
	json_put_word(json_put_key(j, "how"), "exact");
	if (r->frozen_ms > 0)
		json_put_count(json_put_key(j, "frozen_ms"), r->frozen_ms);
	json_put_object_end(j);
}

static void usage_put(struct json *j, const struct event_result *r)
{
	const struct event_usage *u = &r->usage;

	json_put_object(j);
	wall_used_put(json_put_key(j, "wall"), r);
	cpu_put(json_put_key(j, "cpu"), u);
	used_put(json_put_key(j, "memory"), "peak_bytes", u->memory_peak_bytes, u->memory_exact != 0);
	used_put(json_put_key(j, "tasks"), "peak", u->tasks_peak, u->tasks_exact != 0);
	used_put(json_put_key(j, "disk"), "written_bytes", u->written_bytes, u->disk_exact != 0);
	json_put_object_end(j);
}

void record_put_error(struct json *j, const struct err *e)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "code"), err_code_name((int)e->code));
	json_put_name(json_put_key(j, "message"), e->msg);
	json_put_name(json_put_key(j, "why"), e->why[0] != 0 ? e->why : NULL);
	json_put_name(json_put_key(j, "hint"), e->hint[0] != 0 ? e->hint : NULL);
	json_put_object_end(j);
}

static void canaries_put(struct json *j, const struct event_result *r)
{
	json_put_array(j);
	for (size_t i = 0; i < r->n_canaries; i++)
		json_put_name(j, r->canaries[i]);
	json_put_array_end(j);
}

static void outcome_put(struct json *j, const struct event_result *r)
{
	json_put_object(j);
	count_or_null(json_put_key(j, "exit"), r->exit_status >= 0, (uint64_t)r->exit_status);
	count_or_null(json_put_key(j, "signal"), r->signal > 0, (uint64_t)r->signal);
	json_put_word(json_put_key(j, "cause"), cause_word(r->cause));
	json_put_word(json_put_key(j, "limit"), r->cause == CAUSE_LIMIT ? limit_word(r->limit) : NULL);
	if (r->error.code != AMBIT_OK)
		record_put_error(json_put_key(j, "error"), &r->error);
	else if (r->unrecorded.code != AMBIT_OK)
		record_put_error(json_put_key(j, "error"), &r->unrecorded);
	else
		json_put_null(json_put_key(j, "error"));
	json_put_word(json_put_key(j, "workspace"), workspace_word(r->workspace));
	if (r->n_canaries > 0)
		canaries_put(json_put_key(j, "canaries"), r);
	if (r->revoked > 0)
		json_put_count(json_put_key(j, "revoked"), r->revoked);
	if (result_question(r)[0] != 0)
		json_put_word(json_put_key(j, "approval"), result_question(r));
	json_put_object_end(j);
}

static void times_put(struct json *j, const struct event_result *r)
{
	json_put_object(j);
	json_put_time(json_put_key(j, "started"), r->started_ns);
	json_put_time(json_put_key(j, "ended"), r->ended_ns);
	json_put_object_end(j);
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

static void stream_put(struct json *j, const struct buf *b, const struct buf *other, uint64_t total)
{
	size_t n = share(b, other);
	const uint64_t all = total > b->len ? total : b->len;

	if (all > n && n > 0 && text_is_utf8(b->data, whole_characters(b->data, n), NULL))
		n = whole_characters(b->data, n);
	json_put_object(j);
	json_put_bytes(json_put_key(j, "data"), b->data, n);
	json_put_count(json_put_key(j, "total"), all);
	json_put_bool(json_put_key(j, "cut"), all > n);
	json_put_object_end(j);
}

static void output_put(struct json *j, const struct event_result *r)
{
	if (!r->captured) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	stream_put(json_put_key(j, "stdout"), &r->out, &r->err, r->out_total);
	stream_put(json_put_key(j, "stderr"), &r->err, &r->out, r->err_total);
	json_put_object_end(j);
}

/* ---- the steps of a kernel ---- */

static void step_put(struct json *j, const struct result_step *s)
{
	static const char *const words[1 + STEP_SAYS_COUNT] = { "ended", "ok", "error", "exit" };

	json_put_object(j);
	json_put_count(json_put_key(j, "step"), s->step);
	json_put_name(json_put_key(j, "source"), s->source);
	json_put_count(json_put_key(j, "size"), s->bytes);
	json_put_hex(json_put_key(j, "sha256"), s->sha256, sizeof s->sha256);
	json_put_word(json_put_key(j, "end"), words[s->how]);
	json_put_time(json_put_key(j, "begun"), s->begun_ns);
	json_put_key(j, "ended");
	if (s->how != 0)
		json_put_time(j, s->ended_ns);
	else
		json_put_null(j);
	json_put_object_end(j);
}

static void kernel_put(struct json *j, const struct result_kernel *k)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "steps"), k->steps);
	json_put_array(json_put_key(j, "told"));
	for (size_t i = 0; i < k->n; i++)
		step_put(j, &k->told[i]);
	json_put_array_end(j);
	json_put_object_end(j);
}

/* ---- labels ---- */

static void closing_put(struct json *j, const struct event_result *r)
{
	json_put_array(j);
	for (size_t i = 0; i < r->n_closing; i++) {
		const struct result_closing *c = &r->closing[i];

		json_put_object(j);
		json_put_word(json_put_key(j, "label"), c->label);
		json_put_word(json_put_key(j, "event"), c->event[0] != 0 ? c->event : NULL);
		json_put_word(json_put_key(j, "by"), c->by[0] != 0 ? c->by : NULL);
		json_put_name(json_put_key(j, "object"), c->object);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

/* ---- the whole ---- */

static void record_put(struct json *j, const struct event_result *r)
{
	uint64_t dropped = r->effects_dropped;

	json_put_object(j);
	json_put_count(json_put_key(j, "v"), RECORD_VERSION);
	json_put_word(json_put_key(j, "event"), r->event);
	json_put_word(json_put_key(j, "parent"), r->parent[0] != 0 ? r->parent : NULL);
	json_put_word(json_put_key(j, "session"), r->session);
	json_put_count(json_put_key(j, "n"), r->n);
	json_put_name(json_put_key(j, "agent"), r->agent[0] != 0 ? r->agent : NULL);
	json_put_word(json_put_key(j, "kind"), kind_word(r->kind));
	asked_put(json_put_key(j, "asked"), r);
	if (r->kernel.is)
		kernel_put(json_put_key(j, "kernel"), &r->kernel);
	grants_put(json_put_key(j, "grants"), r);
	wall_put(json_put_key(j, "wall"), r);
	properties_put(json_put_key(j, "given_up"), r->without);
	json_put_word(json_put_key(j, "observed"), spec_observe_word(r->observe));
	effects_put(json_put_key(j, "effects"), r, &dropped);
	json_put_count(json_put_key(j, "effects_dropped"), dropped);
	json_put_count(json_put_key(j, "base_effects"), r->base_effects);
	trace_put(json_put_key(j, "trace"), &r->trace, r->source);
	record_usual_put(json_put_key(j, "usual"), &r->usual);
	usage_put(json_put_key(j, "usage"), r);
	labels_put_json(json_put_key(j, "labels"), &r->labels);
	json_put_word(json_put_key(j, "stream"), r->stream[0] != 0 ? r->stream : NULL);
	closing_put(json_put_key(j, "labelled"), r);
	outcome_put(json_put_key(j, "outcome"), r);
	times_put(json_put_key(j, "times"), r);
	output_put(json_put_key(j, "output"), r);
	json_put_object_end(j);
}

int record_end_line(struct buf *out, size_t before)
{
	buf_put_u8(out, '\n');
	if (!out->failed)
		return 0;
	out->len = before;
	return -AMBIT_MEMORY;
}

static void beside_put(struct json *j, const struct event_result *r)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "event"), r->event[0] != 0 ? r->event : NULL);
	outcome_put(json_put_key(j, "outcome"), r);
	output_put(json_put_key(j, "output"), r);
	json_put_object_end(j);
}

static int write_line(const struct event_result *r, void (*put)(struct json *, const struct event_result *),
		      struct buf *out, struct err *e)
{
	const size_t before = out->len;
	struct json j;

	if (cause_word(r->cause) == NULL)
		return err_set(e, AMBIT_MALFORMED, NULL, "the record of an event that has not ended");
	json_begin(&j, out);
	put(&j, r);
	if (record_end_line(out, before) == 0)
		return 0;
	return err_set(e, AMBIT_MEMORY, "capture less of the output, or observe less", "the record of the event");
}

int record_write(const struct event_result *r, struct buf *out, struct err *e)
{
	return write_line(r, record_put, out, e);
}

int record_write_beside(const struct event_result *r, struct buf *out, struct err *e)
{
	return write_line(r, beside_put, out, e);
}

int record_write_error(const struct err *error, struct buf *out, struct err *e)
{
	const size_t before = out->len;
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	record_put_error(json_put_key(&j, "error"), error);
	json_put_object_end(&j);
	return record_end_line(out, before) == 0 ? 0 : err_set(e, AMBIT_MEMORY, NULL, "out of memory");
}
