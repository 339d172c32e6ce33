#include "export/otlp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/body.h"
#include "audit/verdict.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/sat.h"
#include "base/text.h"
#include "core/grant.h"
#include "export/otlp_id.h"
#include "export/otlp_value.h"
#include "export/written.h"

#define ATTRIBUTES_MAX (64u << 10) /* bytes of a span's; an entry's longest list of words fits */
#define GRANTS_BYTES_MAX (32u << 10)
#define EVENTS_BYTES_MAX (96u << 10)
#define CAUSE_MAX 32
#define NS_PER_MS UINT64_C(1000000)

/* Appended to, one value whole at a time; what does not fit is counted. */
struct list {
	struct buf text; /* owned */
	uint64_t dropped;
};

struct otlp_span {
	char event[ID_TEXT_MAX];
	bool own;       /* the event's, of which there is one; else a child of that */
	bool is_signed; /* and so are all its entries; or none is */
	bool settles;   /* begins with what becomes of the changes: a person did that afterwards, mostly */
	uint64_t touched;
	uint64_t first_seq, last_seq, first_ms, last_ms;
	bool ended;
	bool told[ENTRY_TYPE_COUNT]; /* one of this type has given the span its attributes */
	struct hash last_leaf;
	struct list attributes, grants, events;
	uint64_t n_events;
	uint64_t allowed, denied, held;
	uint64_t connections, up, down; /* bytes */
	char tool[256];                 /* the program's name; empty: no request was there */
	char cause[CAUSE_MAX];          /* why it is an error; empty: it is none */
};

struct otlp {
	const struct snapshot *s;              /* borrowed: of the log at hand */
	struct otlp_span *open[OTLP_OPEN_MAX]; /* owned */
	struct written written;                /* of all logs */
	uint64_t clock;
};

/* ---- lists ---- */

static void drop(struct list *l, uint64_t n)
{
	l->dropped = sat_add(l->dropped, n, UINT32_MAX); /* as wide as the field is */
}

static size_t list_begin(struct list *l, struct json *j)
{
	json_begin(j, &l->text);
	j->comma = l->text.len > 0;
	return l->text.len;
}

/* False: it did not fit, and is not there. */
static bool list_end(struct list *l, size_t before)
{
	if (!l->text.failed)
		return true;
	l->text.failed = false;
	l->text.len = before;
	drop(l, 1);
	return false;
}

static void add(struct otlp_span *sp, const char *key, struct canonical_value v)
{
	struct json j;
	const size_t before = list_begin(&sp->attributes, &j);

	otlp_put(&j, key, v);
	(void)list_end(&sp->attributes, before);
}

static void add_found(struct otlp_span *sp, const char *key, struct canonical_value body, const char *name)
{
	struct canonical_value v;

	if (canonical_find(body, name, &v))
		add(sp, key, v);
}

static void add_text(struct otlp_span *sp, const char *key, const char *text)
{
	struct json j;
	const size_t before = list_begin(&sp->attributes, &j);

	otlp_put_text(&j, key, text);
	(void)list_end(&sp->attributes, before);
}

/* ---- a span ---- */

static void put_ids(struct json *j, const struct snapshot *s, const struct otlp_span *sp)
{
	uint8_t trace[OTLP_TRACE_BYTES], of_event[OTLP_SPAN_BYTES], of_entry[OTLP_SPAN_BYTES];

	otlp_trace_of(sp->event, trace);
	otlp_span_of_event(sp->event, of_event);
	otlp_span_of_entry(&s->key, sp->event, sp->first_seq, of_entry);
	json_put_hex(json_put_key(j, "traceId"), trace, sizeof trace);
	json_put_hex(json_put_key(j, "spanId"), sp->own ? of_event : of_entry, OTLP_SPAN_BYTES);
	if (!sp->own)
		json_put_hex(json_put_key(j, "parentSpanId"), of_event, sizeof of_event);
}

static void put_time(struct json *j, const char *key, uint64_t ms)
{
	const uint64_t most = UINT64_MAX / NS_PER_MS; /* of the year 2554; an entry may claim a later one */

	otlp_put_number(json_put_key(j, key), (ms < most ? ms : most) * NS_PER_MS);
}

static void put_list(struct json *j, const char *key, const struct list *l)
{
	json_put_array(json_put_key(j, key));
	if (l->text.len > 0)
		json_put_made(j, l->text.data, l->text.len);
	json_put_array_end(j);
}

static void put_leaf(struct json *j, const char *key, const struct hash *leaf)
{
	char hex[2 * HASH_BYTES + 1];

	hex_write(leaf->bytes, HASH_BYTES, hex);
	otlp_put_text(j, key, hex);
}

static void put_own_attributes(struct json *j, const struct otlp_span *sp)
{
	otlp_put_text(j, "ambit.event", sp->event);
	otlp_put_count(j, "ambit.entry.first", sp->first_seq);
	otlp_put_count(j, "ambit.entry.last", sp->last_seq);
	put_leaf(j, "ambit.entry.last.leaf", &sp->last_leaf);
	otlp_put_bool(j, "ambit.entry.signed", sp->is_signed);
	otlp_put_bool(j, "ambit.ended", sp->ended);
	otlp_put_count(j, "ambit.effects.allowed", sp->allowed);
	otlp_put_count(j, "ambit.effects.denied", sp->denied);
	otlp_put_count(j, "ambit.changes.held", sp->held);
	if (sp->connections > 0) {
		otlp_put_count(j, "ambit.connections", sp->connections);
		otlp_put_count(j, "ambit.connections.up_bytes", sp->up);
		otlp_put_count(j, "ambit.connections.down_bytes", sp->down);
	}
	if (sp->cause[0] != 0)
		otlp_put_text(j, "error.type", sp->cause);
	if (sp->grants.text.len > 0) {
		otlp_put_array(j, "ambit.grants");
		json_put_made(j, sp->grants.text.data, sp->grants.text.len);
		otlp_put_array_end(j);
	}
	if (sp->grants.dropped > 0)
		otlp_put_count(j, "ambit.grants.dropped", sp->grants.dropped);
}

static void put_attributes(struct json *j, const struct otlp_span *sp)
{
	json_put_array(json_put_key(j, "attributes"));
	put_own_attributes(j, sp);
	if (sp->attributes.text.len > 0)
		json_put_made(j, sp->attributes.text.data, sp->attributes.text.len);
	json_put_array_end(j);
	if (sp->attributes.dropped > 0)
		json_put_count(json_put_key(j, "droppedAttributesCount"), sp->attributes.dropped);
}

/* An end that says nothing is no success: 0 is "unset", 2 "error". */
static void put_status(struct json *j, const struct otlp_span *sp)
{
	json_put_object(json_put_key(j, "status"));
	if (sp->cause[0] != 0) {
		json_put_count(json_put_key(j, "code"), 2);
		json_put_word(json_put_key(j, "message"), sp->cause);
	}
	json_put_object_end(j);
}

static void put_name(struct json *j, const struct otlp_span *sp)
{
	char name[sizeof sp->tool + 32];

	if (sp->tool[0] != 0)
		(void)snprintf(name, sizeof name, "execute_tool %s", sp->tool); /* it fits */
	else
		(void)snprintf(name, sizeof name, "%s", sp->settles ? "ambit changes" : "ambit event");
	json_put_word(json_put_key(j, "name"), name);
}

static void put_span(struct json *j, const struct snapshot *s, const struct otlp_span *sp)
{
	const uint64_t end_ms = sp->last_ms >= sp->first_ms ? sp->last_ms
							    : sp->first_ms; /* a clock that was set back */

	json_put_object(j);
	put_ids(j, s, sp);
	put_name(j, sp);
	json_put_count(json_put_key(j, "kind"), 1); /* internal */
	put_time(j, "startTimeUnixNano", sp->first_ms);
	put_time(j, "endTimeUnixNano", end_ms);
	put_attributes(j, sp);
	put_list(j, "events", &sp->events);
	if (sp->events.dropped > 0)
		json_put_count(json_put_key(j, "droppedEventsCount"), sp->events.dropped);
	put_status(j, sp);
	json_put_object_end(j);
}

static void put_resource(struct json *j, const struct snapshot *s)
{
	auto_buf key = { .max = VKEY_TEXT_MAX + 1 };

	vkey_put(&key, &s->key);
	json_put_object(json_put_key(j, "resource"));
	json_put_array(json_put_key(j, "attributes"));
	otlp_put_text(j, "service.name", "ambit");
	otlp_put_text(j, "service.version", AMBIT_VERSION);
	otlp_put_text(j, "ambit.ledger.origin", s->key.name);
	otlp_put_text(j, "ambit.ledger.key", buf_cstr(&key));
	json_put_array_end(j);
	json_put_object_end(j);
}

static void put_request(struct buf *out, const struct snapshot *s, const struct otlp_span *sp)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_array(json_put_key(&j, "resourceSpans"));
	json_put_object(&j);
	put_resource(&j, s);
	json_put_array(json_put_key(&j, "scopeSpans"));
	json_put_object(&j);
	json_put_object(json_put_key(&j, "scope"));
	json_put_word(json_put_key(&j, "name"), "ambit.ledger");
	json_put_word(json_put_key(&j, "version"), AMBIT_VERSION);
	json_put_object_end(&j);
	json_put_array(json_put_key(&j, "spans"));
	put_span(&j, s, sp);
	json_put_array_end(&j);
	json_put_word(json_put_key(&j, "schemaUrl"), OTLP_SCHEMA);
	json_put_object_end(&j);
	json_put_array_end(&j);
	json_put_word(json_put_key(&j, "schemaUrl"), OTLP_SCHEMA);
	json_put_object_end(&j);
	json_put_array_end(&j);
	json_put_object_end(&j);
	buf_printf(out, "\n");
}

/* ---- spans that are open ---- */

static void free_span(struct otlp_span *sp)
{
	if (sp == NULL)
		return;
	buf_finish(&sp->attributes.text);
	buf_finish(&sp->grants.text);
	buf_finish(&sp->events.text);
	free(sp);
}

static void close_span(struct otlp *o, struct otlp_span **slot, struct buf *out)
{
	put_request(out, o->s, *slot);
	free_span(*slot);
	*slot = NULL;
}

static struct otlp_span **find_span(struct otlp *o, const char *event)
{
	for (size_t i = 0; i < OTLP_OPEN_MAX; i++)
		if (o->open[i] != NULL && strcmp(o->open[i]->event, event) == 0)
			return &o->open[i];
	return NULL;
}

static struct otlp_span **free_slot(struct otlp *o, struct buf *out)
{
	struct otlp_span **oldest = &o->open[0];

	for (size_t i = 0; i < OTLP_OPEN_MAX; i++) {
		if (o->open[i] == NULL)
			return &o->open[i];
		if (o->open[i]->touched < (*oldest)->touched)
			oldest = &o->open[i];
	}
	close_span(o, oldest, out);
	return oldest;
}

/* What an event has first. */
static bool begins(enum entry_type type)
{
	return type == ENTRY_POLICY || type == ENTRY_GRANT || type == ENTRY_REQUEST;
}

static bool settles(enum entry_type type)
{
	return type == ENTRY_COMMIT || type == ENTRY_DISCARD;
}

/* The id that is the event's is for what was signed, and for the first of that: who can write to the log cannot take it, nor what comes later. */
static bool takes_own(struct otlp *o, const struct reading_entry *r)
{
	uint8_t trace[OTLP_TRACE_BYTES];

	if (!r->is_signed || !begins(r->entry->type))
		return false;
	otlp_trace_of(r->entry->event, trace);
	return written_take(&o->written, trace, sizeof trace);
}

static struct otlp_span **open_span(struct otlp *o, const struct reading_entry *r, struct buf *out)
{
	const struct entry *entry = r->entry;
	struct otlp_span **slot = free_slot(o, out);
	struct otlp_span *sp = calloc(1, sizeof *sp);

	*slot = sp;
	if (sp == NULL)
		return NULL;
	memcpy(sp->event, entry->event, sizeof sp->event);
	sp->own = takes_own(o, r);
	sp->is_signed = r->is_signed;
	sp->settles = settles(entry->type);
	sp->first_seq = entry->seq;
	sp->first_ms = entry->wall_ms;
	buf_init(&sp->attributes.text, ATTRIBUTES_MAX);
	buf_init(&sp->grants.text, GRANTS_BYTES_MAX);
	buf_init(&sp->events.text, EVENTS_BYTES_MAX);
	return slot;
}

/* ---- entries ---- */

static void set_cause(struct otlp_span *sp, const char *cause)
{
	if (sp->cause[0] == 0)
		(void)snprintf(sp->cause, sizeof sp->cause, "%s", cause); /* cut: our own words are shorter */
}

/* All that the entry says, as an event in the span. */
static void tell(struct otlp_span *sp, const char *name, const struct reading_entry *r)
{
	static const char *const ours[] = { "entry", "entry.leaf", NULL };
	uint64_t left_out;
	struct json j;
	const size_t before = list_begin(&sp->events, &j);

	if (sp->n_events == OTLP_EVENTS_MAX) {
		drop(&sp->events, 1);
		return;
	}
	json_put_object(&j);
	put_time(&j, "timeUnixNano", r->entry->wall_ms);
	json_put_word(json_put_key(&j, "name"), name);
	json_put_array(json_put_key(&j, "attributes"));
	otlp_put_count(&j, "ambit.entry", r->entry->seq);
	put_leaf(&j, "ambit.entry.leaf", r->leaf);
	left_out = otlp_put_all(&j, "ambit.", r->entry->body, ours);
	json_put_array_end(&j);
	if (left_out > 0)
		json_put_count(json_put_key(&j, "droppedAttributesCount"), left_out);
	json_put_object_end(&j);
	if (list_end(&sp->events, before))
		sp->n_events++;
}

static void tell_by_type(struct otlp_span *sp, const struct reading_entry *r)
{
	char name[32];

	(void)snprintf(name, sizeof name, "ambit.%s", entry_type_word(r->entry->type)); /* it fits */
	tell(sp, name, r);
}

static void take_grant(struct otlp_span *sp, const struct entry *entry)
{
	static const char *const ours[] = { "id", NULL };
	struct json j;
	const size_t before = list_begin(&sp->grants, &j);

	json_put_object(&j);
	json_put_object(json_put_key(&j, "kvlistValue"));
	json_put_array(json_put_key(&j, "values"));
	otlp_put_text(&j, "id", entry->grant);
	drop(&sp->attributes, otlp_put_all(&j, "", entry->body, ours));
	json_put_array_end(&j);
	json_put_object_end(&j);
	json_put_object_end(&j);
	(void)list_end(&sp->grants, before);
}

static void take_program(struct otlp_span *sp, struct canonical_value body)
{
	char program[GRANT_OBJECT_MAX];
	const char *slash;

	if (!body_find_name(body, "program", program, sizeof program))
		(void)text_copy(program, sizeof program, "unknown");
	slash = strrchr(program, '/');
	(void)text_escape(sp->tool, sizeof sp->tool, slash != NULL ? slash + 1 : program,
			  strlen(slash != NULL ? slash + 1 : program));
}

static void take_request(struct otlp_span *sp, struct canonical_value body)
{
	take_program(sp, body);
	add_text(sp, "gen_ai.operation.name", "execute_tool");
	add_text(sp, "gen_ai.tool.name", sp->tool);
	add_found(sp, "gen_ai.agent.name", body, "agent");
	add_text(sp, "process.executable.name", sp->tool);
	add_found(sp, "process.executable.path", body, "program");
	add_found(sp, "process.command_args", body, "argv");
	add_found(sp, "process.working_directory", body, "workdir");
	add_found(sp, "ambit.argc", body, "argc");
	add_found(sp, "ambit.base", body, "base");
	add_found(sp, "ambit.limits", body, "limits");
	add_found(sp, "ambit.observe", body, "observe");
	add_found(sp, "ambit.staged", body, "staged");
	add_found(sp, "ambit.without", body, "without");
}

/* The properties of the wall that were given up, which the list above them has as empty values. */
static void take_wall(struct otlp_span *sp, struct canonical_value body)
{
	struct canonical_value wall, key, value;
	struct json j;
	size_t at = 0, before;

	if (!canonical_find(body, "wall", &wall))
		return;
	add(sp, "ambit.wall", wall);
	before = list_begin(&sp->attributes, &j);
	otlp_put_array(&j, "ambit.wall.given_up");
	while (canonical_member(wall, &at, &key, &value)) {
		if (!canonical_is(value, "null"))
			continue;
		json_put_object(&j);
		json_put_made(json_put_key(&j, "stringValue"), key.at, key.n);
		json_put_object_end(&j);
	}
	otlp_put_array_end(&j);
	(void)list_end(&sp->attributes, before);
}

static void take_stop(struct otlp_span *sp, struct canonical_value body)
{
	char cause[CAUSE_MAX], word[CAUSE_MAX];
	uint64_t code;

	add_found(sp, "process.exit.code", body, "exit");
	add_found(sp, "ambit.cause", body, "cause");
	add_found(sp, "ambit.limit", body, "limit");
	add_found(sp, "ambit.signal", body, "signal");
	add_found(sp, "ambit.code", body, "code");
	add_found(sp, "ambit.usage", body, "usage");
	add_found(sp, "ambit.effects", body, "effects");
	add_found(sp, "ambit.workspace", body, "workspace");
	if (body_find_count(body, "exit", &code)) {
		(void)snprintf(word, sizeof word, "%" PRIu64, code); /* it fits */
		if (code != 0)
			set_cause(sp, word);
	} else {
		set_cause(sp, body_find_word(body, "cause", cause, sizeof cause) && cause[0] != 0 ? cause : "_OTHER");
	}
}

static void count_in(uint64_t *sum, uint64_t count)
{
	*sum = sat_add(*sum, count, INT64_MAX);
}

static void take_meter(struct otlp_span *sp, struct canonical_value body)
{
	struct canonical_value meter;
	uint64_t n;

	if (!canonical_find(body, "meter", &meter))
		return;
	(void)body_find_count(meter, "opened", &n); /* 0 where it is none */
	count_in(&sp->connections, n);
	(void)body_find_count(meter, "up_bytes", &n);
	count_in(&sp->up, n);
	(void)body_find_count(meter, "down_bytes", &n);
	count_in(&sp->down, n);
}

static void take_effect(struct otlp_span *sp, const struct reading_entry *r)
{
	uint64_t count;
	const bool counted = body_find_count(r->entry->body, "count", &count);

	count = counted ? count : 1;
	take_meter(sp, r->entry->body);
	switch (verdict_of(r->entry)) {
	case VERDICT_ALLOWED: count_in(&sp->allowed, count); break;
	case VERDICT_HELD:
		count_in(&sp->held, count);
		tell(sp, "ambit.held", r);
		break;
	case VERDICT_NONE: /* no effect is told so */
	case VERDICT_DENIED:
	case VERDICT_REFUSED:
	case VERDICT_STRANGE:
		count_in(&sp->denied, count);
		tell(sp, "ambit.denied", r);
		break;
	}
}

static void take_result(struct otlp_span *sp, const struct entry *entry)
{
	add_found(sp, "ambit.record.digest", entry->body, "digest");
	add_found(sp, "ambit.record.size", entry->body, "size");
}

static void take_body(struct otlp_span *sp, const struct reading_entry *r)
{
	const struct entry *entry = r->entry;

	switch (entry->type) {
	case ENTRY_GRANT: take_grant(sp, entry); break;
	case ENTRY_REQUEST: take_request(sp, entry->body); break;
	case ENTRY_START: take_wall(sp, entry->body); break;
	case ENTRY_STOP: take_stop(sp, entry->body); break;
	case ENTRY_EFFECT: take_effect(sp, r); break;
	case ENTRY_RESULT: take_result(sp, entry); break;
	case ENTRY_CRASH:
		set_cause(sp, "lost");
		tell(sp, "ambit.crash", r);
		break;
	case ENTRY_DECISION:
		set_cause(sp, "refused");
		tell(sp, "ambit.refused", r);
		break;
	case ENTRY_POLICY:
	case ENTRY_DERIVE:
	case ENTRY_REVOKE:
	case ENTRY_EXPIRE:
	case ENTRY_INTENT:
	case ENTRY_COMMIT:
	case ENTRY_DISCARD:
	case ENTRY_ASK:
	case ENTRY_APPROVE:
	case ENTRY_FREEZE:
	case ENTRY_THAW:
	case ENTRY_LABEL:
	case ENTRY_DECLASSIFY:
	case ENTRY_VERDICT:
	case ENTRY_PRUNE:
	case ENTRY_KEY:
	case ENTRY_STEP:
	case ENTRY_TYPE_COUNT: tell_by_type(sp, r); break;
	}
}

/* Those that give a span its attributes do so once: a second one has the same names, and nobody knows which a reader takes. */
static bool has_been(struct otlp_span *sp, enum entry_type type)
{
	const bool was = sp->told[type];

	sp->told[type] = type == ENTRY_REQUEST || type == ENTRY_START || type == ENTRY_STOP || type == ENTRY_RESULT;
	return was;
}

/* The record comes when all is settled; of what a person does afterwards, the end of it is the last. */
static bool ends(const struct otlp_span *sp, const struct entry *entry)
{
	return entry->type == ENTRY_RESULT || entry->type == ENTRY_CRASH ||
	       (sp->settles && settles(entry->type) && !body_is(entry->body, "state", "begins"));
}

/* What tells that its program has ended, so that the span is no longer open, whatever else there is to say. */
static bool is_end(const struct entry *entry)
{
	return entry->type == ENTRY_STOP || entry->type == ENTRY_CRASH || entry->type == ENTRY_DECISION;
}

int otlp_take(struct otlp *o, const struct reading_entry *r, struct buf *out)
{
	struct otlp_span **slot, *sp;

	if (r->entry->event[0] == 0)
		return 0; /* of the ledger itself: no span */
	slot = find_span(o, r->entry->event);
	if (slot != NULL && (*slot)->is_signed != r->is_signed) {
		close_span(o, slot, out); /* what is not signed changes nothing of what is */
		slot = NULL;
	}
	slot = slot != NULL ? slot : open_span(o, r, out);
	if (slot == NULL)
		return -ENOMEM;
	sp = *slot;
	sp->touched = ++o->clock;
	sp->last_seq = r->entry->seq;
	sp->last_ms = r->entry->wall_ms;
	sp->last_leaf = *r->leaf;
	if (has_been(sp, r->entry->type))
		tell_by_type(sp, r);
	else
		take_body(sp, r);
	sp->ended = sp->ended || is_end(r->entry) || ends(sp, r->entry);
	if (ends(sp, r->entry))
		close_span(o, slot, out);
	return out->failed ? -ENOMEM : 0;
}

int otlp_end(struct otlp *o, struct buf *out)
{
	for (size_t i = 0; i < OTLP_OPEN_MAX; i++)
		if (o->open[i] != NULL)
			close_span(o, &o->open[i], out);
	return out->failed ? -ENOMEM : 0;
}

struct otlp *otlp_create(void)
{
	return calloc(1, sizeof(struct otlp));
}

void otlp_begin(struct otlp *o, const struct snapshot *s)
{
	o->s = s;
}

void otlp_destroy(struct otlp *o)
{
	for (size_t i = 0; o != NULL && i < OTLP_OPEN_MAX; i++)
		free_span(o->open[i]);
	free(o);
}
