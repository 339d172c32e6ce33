#include "supervisor/tracing.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "warden/arena.h"

static bool make_room(struct tracing *t)
{
	const size_t room = t->room == 0 ? 256 : 2 * t->room;
	void *grown;

	if (t->n < t->room)
		return true;
	grown = t->failed || room > TRACE_SYMBOLS_MAX ? NULL : realloc(t->symbols, room * sizeof *t->symbols);
	if (grown == NULL) {
		t->failed = true;
		return false;
	}
	t->symbols = grown;
	t->room = room;
	return true;
}

void tracing_add(struct tracing *t, const struct effect *f)
{
	if (!make_room(t))
		return;
	if (f != NULL)
		symbol_of(&t->place, f, t->symbols[t->n]);
	else
		symbol_unkept(0, t->symbols[t->n]);
	t->n++;
}

static void make(struct tracing *t, const void *arena, struct trace *trace, struct buf *out, struct tracing_counts *ret)
{
	struct steps_head head;
	auto_free struct trace_step *steps = steps_read((const char *)arena + ARENA_ENTRIES_BYTES, &head);

	trace->threads = head.threads;
	if (steps == NULL || trace_make(trace, (const char(*)[SYMBOL_MAX])t->symbols, t->n, steps, head.n) < 0)
		return;
	trace_encode(trace, out);
	if (out->failed)
		buf_finish(out);
	else
		*ret = (struct tracing_counts){ .threads = trace->threads,
						.calls = trace->calls,
						.dropped = trace->dropped };
	trace_finish(trace);
}

void tracing_end(struct tracing *t, const void *arena, uint32_t observed, uint64_t seen, struct buf *out,
		 struct tracing_counts *ret)
{
	struct trace trace = { .observed = observed, .calls = seen };

	*ret = (struct tracing_counts){ .threads = 0 };
	if (!t->failed)
		make(t, arena, &trace, out, ret);
	free(t->symbols);
	t->symbols = NULL;
}
