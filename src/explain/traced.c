#include "explain/traced.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cell/spec.h"
#include "lib/deeds.h"

#define SHOWN_MAX 200 /* bytes of what ran */
#define COLUMNS 100   /* of lines for people */
#define DESTINATIONS_SHOWN 8

/* ---- taking it ---- */

int traced_take(const struct told *told, struct trace *ret, struct err *e)
{
	const struct result_trace *t = &told->result.trace;
	int r;

	*ret = (struct trace){ .symbols = NULL };
	if (t->form.len == 0)
		return err_set(e, AMBIT_NOT_FOUND, NULL,
			       "the record has no trace: nothing was observed, or it is of before there were any");
	r = trace_decode(t->form.data, t->form.len, ret, e);
	if (r == 0 && (t->threads != ret->threads || t->calls != ret->calls || t->dropped != ret->dropped))
		r = err_set(e, AMBIT_MALFORMED, NULL, "record: the trace is not what is counted beside it");
	return r;
}

/* ---- what is counted beside it ---- */

struct counters {
	uint64_t up, down, opened, refused;
	uint64_t destinations; /* that were connected to, or tried */
	uint64_t effects, denied, changes, deleted;
};

static void count(const struct told *told, struct counters *ret)
{
	const struct event_result *r = &told->result;

	*ret = (struct counters){ .effects = r->n_effects, .changes = told->n_changes };
	for (size_t i = 0; i < r->n_effects; i++) {
		const struct effect *f = &r->effects[i];

		ret->denied += effect_is_denied(f->verdict);
		ret->destinations += f->kind == EFFECT_CONNECT;
		if (!effect_has_meter(f))
			continue;
		ret->up += f->meter.up;
		ret->down += f->meter.down;
		ret->opened += f->meter.opened;
		ret->refused += f->meter.refused;
	}
	for (size_t i = 0; i < told->n_changes; i++)
		ret->deleted += told->changes[i].kind == CHANGE_DELETED;
}

/* ---- for people ---- */

static void put_what_ran(const struct event_result *r, struct buf *out)
{
	char shown[SHOWN_MAX];

	for (size_t i = 0; r->argv != NULL && r->argv[i] != NULL && out->len < SHOWN_MAX; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "  ",
			   text_escape(shown, sizeof shown, r->argv[i], strlen(r->argv[i])));
	buf_printf(out, "\n");
}

static void put_head(const struct told *told, const struct trace *t, struct buf *out)
{
	buf_printf(out, "%s: %" PRIu64 " call%s of %" PRIu32 " thread%s, %zu symbol%s, observed %s%s\n",
		   told->result.event, t->calls, text_plural(t->calls), t->threads, text_plural(t->threads),
		   t->n_symbols, text_plural(t->n_symbols), spec_observe_word(t->observed),
		   told->result.source == CELL_SOURCE_EBPF ? " by eBPF" : "");
	if (t->dropped > 0)
		buf_printf(out,
			   "  left out: %" PRIu64
			   ", of calls that repeat what stands here, or that are more than a trace holds\n",
			   t->dropped);
}

static void put_counters(const struct told *told, struct buf *out)
{
	const struct event_usage *u = &told->result.usage;
	struct counters c;

	count(told, &c);
	buf_printf(out,
		   "  %" PRIu64 " ms, processor %" PRIu64 " ms, %" PRIu64 " task%s at once, memory %" PRIu64
		   " kB, written %" PRIu64 " kB\n",
		   u->wall_ms, u->cpu_user_ms + u->cpu_system_ms, u->tasks_peak, text_plural(u->tasks_peak),
		   u->memory_peak_bytes >> 10, u->written_bytes >> 10);
	buf_printf(out,
		   "  %" PRIu64 " change%s of files (%" PRIu64 " deleted), %" PRIu64 " destination%s, sent %" PRIu64
		   " bytes, received %" PRIu64 ", denied %" PRIu64 "\n",
		   c.changes, text_plural(c.changes), c.deleted, c.destinations, text_plural(c.destinations), c.up,
		   c.down, c.denied);
}

struct line {
	struct buf *out;
	size_t begun; /* where it begins */
};

static void put_folded(struct line *l, const char *symbol, size_t times)
{
	char text[SYMBOL_MAX + 24];
	const int n = times > 1 ? snprintf(text, sizeof text, " %s x%zu", symbol, times)
				: snprintf(text, sizeof text, " %s", symbol);

	if (l->out->len - l->begun + (size_t)n > COLUMNS) {
		buf_printf(l->out, "\n ");
		l->begun = l->out->len - 1;
	}
	buf_printf(l->out, "%s", text);
}

/* ---- each thread ---- */

/* Steps of each thread, one behind the other: `first` has where it begins, and the end behind the last. */
struct threads {
	uint16_t *symbols; /* owned */
	size_t *first;     /* owned */
	size_t n;
};

static bool by_thread(const struct trace *t, struct threads *ret)
{
	*ret = (struct threads){ .n = 0 };
	for (size_t i = 0; i < t->n_steps; i++)
		if (ret->n <= t->steps[i].thread)
			ret->n = (size_t)t->steps[i].thread + 1;
	ret->symbols = calloc(t->n_steps + 1, sizeof *ret->symbols);
	ret->first = calloc(ret->n + 2, sizeof *ret->first);
	if (ret->symbols == NULL || ret->first == NULL)
		return false;
	for (size_t i = 0; i < t->n_steps; i++)
		ret->first[t->steps[i].thread + 2]++;
	for (size_t i = 2; i < ret->n + 2; i++)
		ret->first[i] += ret->first[i - 1];
	for (size_t i = 0; i < t->n_steps; i++)
		ret->symbols[ret->first[t->steps[i].thread + 1]++] = t->steps[i].symbol;
	return true;
}

static void threads_finish(struct threads *t)
{
	free(t->symbols);
	free(t->first);
}

static void put_thread(const struct trace *t, const struct threads *all, size_t thread, struct buf *out)
{
	const size_t end = all->first[thread + 1];
	struct line l = { .out = out };

	buf_printf(out, "\nthread %zu\n ", thread);
	l.begun = out->len - 1;
	for (size_t at = all->first[thread], n; at < end; at += n) {
		for (n = 1; at + n < end && all->symbols[at + n] == all->symbols[at];)
			n++;
		put_folded(&l, t->symbols[all->symbols[at]], n);
	}
	buf_printf(out, "\n");
}

static void put_words(const struct trace *t, const struct threads *all, size_t thread, struct buf *out)
{
	for (size_t at = all->first[thread]; at < all->first[thread + 1]; at++)
		buf_printf(out, "%s%s", at > all->first[thread] ? " " : "", t->symbols[all->symbols[at]]);
}

static void put_line(const struct trace *t, const struct threads *all, size_t thread, struct buf *out)
{
	put_words(t, all, thread, out);
	buf_printf(out, "\n");
}

/* As profile/line.h reads it: a blank is between facts. */
static void put_item(const struct deeds_item *item, struct buf *out)
{
	buf_printf(out, " %s=", deed_word(item->kind));
	for (const char *at = item->text; *at != 0; at++)
		buf_printf(out, *at > ' ' && *at <= '~' && *at != '%' ? "%c" : "%%%02x", (unsigned char)*at);
}

/* In a line of its own what else a profile is told of it (lib/deeds.h). Of its output nobody kept how long it was. */
static void put_facts(const struct event_result *r, struct buf *out)
{
	struct deeds d;

	if (deeds_of(r, &d) < 0) {
		out->failed = true;
		return;
	}
	d.amounts[AMOUNT_OUTPUT_BYTES] = AMOUNT_UNKNOWN;
	buf_printf(out, "calls=%" PRIu64, d.amounts[AMOUNT_CALLS]);
	for (size_t i = AMOUNT_CALLS + 1; i < AMOUNTS; i++)
		if (d.amounts[i] != 0 && d.amounts[i] != AMOUNT_UNKNOWN)
			buf_printf(out, " %s=%" PRIu64, amount_word((enum amount)i), d.amounts[i]);
	if (r->session[0] != 0)
		buf_printf(out, " session=%s", r->session);
	for (size_t i = 0; i < d.n_items; i++)
		put_item(&d.items[i], out);
	buf_put_u8(out, '\n');
	deeds_finish(&d);
}

/* In one line with the others. */
static void put_part(const struct trace *t, const struct threads *all, size_t thread, struct buf *out)
{
	buf_printf(out, "%s", thread > 0 ? " | " : "");
	put_words(t, all, thread, out);
}

static void put_threads(const struct trace *t, struct buf *out,
			void (*put)(const struct trace *, const struct threads *, size_t, struct buf *))
{
	struct threads all;

	if (!by_thread(t, &all))
		out->failed = true;
	for (size_t i = 0; !out->failed && i < all.n; i++)
		put(t, &all, i, out);
	threads_finish(&all);
}

/* ---- for programs ---- */

static void put_json_counters(struct json *j, const struct told *told)
{
	const struct event_usage *u = &told->result.usage;
	struct counters c;

	count(told, &c);
	json_put_object(j);
	json_put_count(json_put_key(j, "changes"), c.changes);
	json_put_count(json_put_key(j, "cpu_ms"), u->cpu_user_ms + u->cpu_system_ms);
	json_put_count(json_put_key(j, "deleted"), c.deleted);
	json_put_count(json_put_key(j, "denied"), c.denied);
	json_put_count(json_put_key(j, "destinations"), c.destinations);
	json_put_count(json_put_key(j, "down_bytes"), c.down);
	json_put_count(json_put_key(j, "effects"), c.effects);
	json_put_count(json_put_key(j, "memory_bytes"), u->memory_peak_bytes);
	json_put_count(json_put_key(j, "opened"), c.opened);
	json_put_count(json_put_key(j, "refused"), c.refused);
	json_put_count(json_put_key(j, "tasks"), u->tasks_peak);
	json_put_count(json_put_key(j, "up_bytes"), c.up);
	json_put_count(json_put_key(j, "wall_ms"), u->wall_ms);
	json_put_count(json_put_key(j, "written_bytes"), u->written_bytes);
	json_put_object_end(j);
}

/* [thread, symbol, how often]. */
static void put_json_run(struct json *j, const struct trace_step *s, size_t times)
{
	json_put_array(j);
	json_put_count(j, s->thread);
	json_put_count(j, s->symbol);
	json_put_count(j, times);
	json_put_array_end(j);
}

static void put_json_steps(struct json *j, const struct trace *t)
{
	json_put_array(j);
	for (size_t at = 0, n; at < t->n_steps; at += n) {
		for (n = 1; at + n < t->n_steps && memcmp(&t->steps[at + n], &t->steps[at], sizeof t->steps[at]) == 0;)
			n++;
		put_json_run(j, &t->steps[at], n);
	}
	json_put_array_end(j);
}

static void put_json(const struct told *told, const struct trace *t, struct buf *out)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "event"), told->result.event);
	json_put_name(json_put_key(&j, "agent"), told->result.agent[0] != 0 ? told->result.agent : NULL);
	json_put_word(json_put_key(&j, "observed"), spec_observe_word(t->observed));
	json_put_word(json_put_key(&j, "by"), spec_source_word(told->result.source));
	json_put_time(json_put_key(&j, "started"), told->result.started_ns);
	json_put_time(json_put_key(&j, "ended"), told->result.ended_ns);
	put_json_counters(json_put_key(&j, "counters"), told);
	json_put_count(json_put_key(&j, "threads"), t->threads);
	json_put_count(json_put_key(&j, "calls"), t->calls);
	json_put_count(json_put_key(&j, "dropped"), t->dropped);
	json_put_array(json_put_key(&j, "symbols"));
	for (size_t i = 0; i < t->n_symbols; i++)
		json_put_word(&j, t->symbols[i]);
	json_put_array_end(&j);
	put_json_steps(json_put_key(&j, "steps"), t);
	json_put_object_end(&j);
	buf_put_u8(out, '\n');
}

void traced_write(const struct told *told, const struct trace *t, enum traced_how how, struct buf *out)
{
	switch (how) {
	case TRACED_JSON: put_json(told, t, out); return;
	case TRACED_FACTS:
	case TRACED_LINE:
		if (how == TRACED_FACTS)
			put_facts(&told->result, out);
		put_threads(t, out, put_part);
		buf_printf(out, "\n");
		return;
	case TRACED_LINES: put_threads(t, out, put_line); return;
	case TRACED_TEXT: break;
	}
	put_head(told, t, out);
	put_what_ran(&told->result, out);
	put_counters(told, out);
	put_threads(t, out, put_thread);
}
