/* What the eye is said to have left, whatever it is: a trace that its reader takes, or none. Two bytes say how much is of entries; the rest is of steps. */
#include <string.h>

#include "fuzz.h"
#include "supervisor/tracing.h"
#include "warden/arena.h"

static _Alignas(8) uint8_t arena[ARENA_BYTES];

static void judge(void *user, uint8_t kind, uint32_t count, const char *object, size_t length)
{
	static struct effect f;
	const bool is = effect_word(kind) != NULL && length < sizeof f.object && memchr(object, 0, length) == NULL;

	if (is) {
		f = (struct effect){ .kind = kind,
				     .count = count,
				     .verdict = (uint8_t)(count % (EFFECT_DENIED_REQUEST + 1)),
				     .grant = GRANT_NONE };
		memcpy(f.object, object, length);
	}
	tracing_add(user, is ? &f : NULL);
}

static void check(const struct buf *form, const struct tracing_counts *counts)
{
	auto_buf again = { .max = TRACE_BYTES_MAX };
	struct trace t;
	struct err e;

	promise(trace_decode(form->data, form->len, &t, &e) == 0);
	promise(t.threads == counts->threads && t.calls == counts->calls && t.dropped == counts->dropped);
	trace_encode(&t, &again);
	promise(again.len == form->len && memcmp(again.data, form->data, form->len) == 0);
	trace_finish(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct grant_set grants;
	struct tracing t = { .place = { .home = "/home/ann", .grants = &grants } };
	const size_t entries = size < 2 ? 0 : (size_t)data[0] | (size_t)data[1] << 8;
	const size_t first = size < 2 ? 0 : entries < size - 2 ? entries : size - 2;
	const size_t rest = size < 2 ? 0 : size - 2 - first;
	auto_buf form = { .max = TRACE_BYTES_MAX };
	struct tracing_counts counts;
	struct arena_head head;

	if (size < 2 || rest > STEPS_BYTES)
		return 0;
	memcpy(arena, data + 2, first);
	memcpy(arena + ARENA_ENTRIES_BYTES, data + 2 + first, rest);
	arena_read(arena, judge, &t, &head);
	tracing_end(&t, arena, 2, head.seen, &form, &counts);
	if (form.len > 0)
		check(&form, &counts);
	memset(arena, 0, first);
	memset(arena + ARENA_ENTRIES_BYTES, 0, rest);
	return 0;
}
