/* The stored form of a trace, and what is made of what the eye left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cell/spec.h"
#include "core/effect.h"
#include "profile/trace.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const char entries[][SYMBOL_MAX] = { "exec:sh", "read:/usr/lib", "read:work.py", "read:/usr/lib", "write:work" };

static void make(struct trace *t, const struct trace_step *steps, size_t n, uint64_t calls)
{
	*t = (struct trace){ .observed = CELL_OBSERVE_FULL, .calls = calls };
	assert_int_equal(trace_make(t, entries, COUNT_OF(entries), steps, n), 0);
}

static void steps_name_symbols_and_threads_in_their_order(void **state)
{
	static const struct trace_step steps[] = { { 7, 0 },  { 7, 3 },         { 2, 2 },
						   { 7, 1 },  { 7, TRACE_GAP }, { 2, TRACE_UNKEPT + EFFECT_READ },
						   { 2, 99 }, { 9999, 1 },      { 2, TRACE_UNKEPT } };
	static const char *const symbols[] = { "exec:sh", "read:/usr/lib", "read:work.py", "...", "read:unkept" };
	static const struct trace_step want[] = { { 0, 0 }, { 0, 1 }, { 1, 2 }, { 0, 1 }, { 0, 3 }, { 1, 4 } };
	struct trace t;

	(void)state;
	make(&t, steps, COUNT_OF(steps), 11);
	assert_int_equal(t.n_symbols, COUNT_OF(symbols));
	for (size_t i = 0; i < COUNT_OF(symbols); i++)
		assert_string_equal(t.symbols[i], symbols[i]);
	assert_int_equal(t.n_steps, COUNT_OF(want));
	assert_memory_equal(t.steps, want, sizeof want);
	assert_int_equal(t.threads, 2);
	assert_int_equal(t.calls, 11);
	assert_int_equal(t.dropped, 6); /* a gap is no call */
	trace_finish(&t);
}

static void hostile_counts_are_made_true(void **state)
{
	static const struct trace_step steps[] = { { 0, 0 }, { 1, 0 } };
	struct trace t = { .observed = CELL_OBSERVE_FULL, .threads = UINT32_MAX, .calls = 1 };

	(void)state;
	assert_int_equal(trace_make(&t, entries, 1, steps, 2), 0);
	assert_int_equal(t.threads, TRACE_THREADS_MAX);
	assert_int_equal(t.calls, 2);
	assert_int_equal(t.dropped, 0);
	trace_finish(&t);
	t = (struct trace){ .observed = CELL_OBSERVE_FULL, .calls = UINT64_MAX };
	assert_int_equal(trace_make(&t, entries, 1, steps, 2), 0);
	assert_int_equal(t.calls, TRACE_CALLS_MAX);
	trace_finish(&t);
	assert_int_equal(trace_make(&t, entries, TRACE_SYMBOLS_MAX, steps, 2), -AMBIT_MEMORY);
	assert_int_equal(trace_make(&t, entries, 1, steps, TRACE_STEPS_MAX + 1), -AMBIT_MEMORY);
}

static bool is_same(const struct trace *a, const struct trace *b)
{
	return a->observed == b->observed && a->threads == b->threads && a->calls == b->calls &&
	       a->dropped == b->dropped && a->n_symbols == b->n_symbols && a->n_steps == b->n_steps &&
	       (a->n_steps == 0 || memcmp(a->steps, b->steps, a->n_steps * sizeof *a->steps) == 0) &&
	       (a->n_symbols == 0 || memcmp(a->symbols, b->symbols, a->n_symbols * sizeof *a->symbols) == 0);
}

/* Made of anything, encoded and decoded it is the same; and with one byte changed or cut it is refused, or another whole trace. */
static void what_is_written_is_read_again(void **state)
{
	const uint64_t rounds = prop_rounds(400);

	(void)state;
	for (uint64_t i = 0; i < rounds; i++) {
		struct prop p = prop_round(i);
		const size_t n = prop_below(&p, 200);
		struct trace_step steps[200];
		auto_buf out = { .max = TRACE_BYTES_MAX }, again = { .max = TRACE_BYTES_MAX };
		struct trace t, back;
		struct err e;

		for (size_t k = 0; k < n; k++)
			steps[k] = k > 0 && prop_below(&p, 2) == 0 ? steps[k - 1]
								   : (struct trace_step){ (uint16_t)prop_below(&p, 300),
											  (uint16_t)prop_below(&p, 6) };
		make(&t, steps, n, n + prop_below(&p, 3));
		trace_encode(&t, &out);
		assert_false(out.failed);
		if (trace_decode(out.data, out.len, &back, &e) < 0 || !is_same(&t, &back))
			fail_msg("seed %" PRIu64, p.seed);
		trace_finish(&back);
		assert_true(trace_decode(out.data, prop_below(&p, (uint32_t)out.len), &back, &e) < 0);
		out.data[prop_below(&p, (uint32_t)out.len)] ^= (uint8_t)(1u << prop_below(&p, 8));
		if (trace_decode(out.data, out.len, &back, &e) == 0) {
			trace_encode(&back, &again);
			assert_true(buf_is_same(&out, &again));
			trace_finish(&back);
		}
		trace_finish(&t);
	}
}

#define HEAD "\xfftrc\x01\0\x02\0"

static void a_damaged_one_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
		int code;
		const char *says;
	} rows[] = {
#define ROW(name, bytes, code, says) { name, bytes, sizeof(bytes) - 1, code, says }
		ROW("empty", "", -AMBIT_MALFORMED, "no trace"),
		ROW("another file", "{\"v\":1}", -AMBIT_MALFORMED, "no trace"),
		ROW("cut", HEAD "\1\0\1", -AMBIT_MALFORMED, "ends in its head"),
		ROW("a later version", "\xfftrc\x02\0\x02\0", -AMBIT_UNAVAILABLE, "version 2"),
		ROW("no level", "\xfftrc\x01\0\x00\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", -AMBIT_MALFORMED, "level"),
		ROW("too many steps", HEAD "\1\0\0\0\1\x40\1\0\0\0\0\0\0\0\0\0", -AMBIT_LIMIT, "more than"),
		ROW("a blank in a symbol", HEAD "\1\0\1\0\1\0\0\0\1\0\0\0\0\0\0\0\3a b\0", -AMBIT_MALFORMED,
		    "not a symbol"),
		ROW("an empty symbol", HEAD "\1\0\1\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0", -AMBIT_MALFORMED, "not a symbol"),
		ROW("a symbol twice", HEAD "\1\0\2\0\2\0\0\0\2\0\0\0\0\0\0\0\1a\1a\0\4", -AMBIT_MALFORMED, "twice"),
		ROW("a symbol without a step", HEAD "\1\0\2\0\1\0\0\0\1\0\0\0\0\0\0\0\1a\1b\0", -AMBIT_MALFORMED,
		    "without a step"),
		ROW("symbols out of order", HEAD "\1\0\2\0\2\0\0\0\2\0\0\0\0\0\0\0\1a\1b\4\0", -AMBIT_MALFORMED,
		    "order"),
		ROW("a thread that is not", HEAD "\1\0\1\0\1\0\0\0\1\0\0\0\0\0\0\0\1a\1\1", -AMBIT_MALFORMED,
		    "thread out of"),
		ROW("a run in two", HEAD "\1\0\1\0\2\0\0\0\2\0\0\0\0\0\0\0\1a\0\0", -AMBIT_MALFORMED,
		    "part of that before"),
		ROW("a number in two forms", HEAD "\1\0\1\0\2\0\0\0\2\0\0\0\0\0\0\0\1a\2\x80\0", -AMBIT_MALFORMED,
		    "more steps"),
		ROW("a run too long", HEAD "\1\0\1\0\2\0\0\0\2\0\0\0\0\0\0\0\1a\2\1", -AMBIT_MALFORMED, "more steps"),
		ROW("fewer calls", HEAD "\1\0\1\0\2\0\0\0\1\0\0\0\0\0\0\0\1a\2\0", -AMBIT_MALFORMED,
		    "more steps than calls"),
		ROW("something behind", HEAD "\1\0\1\0\1\0\0\0\1\0\0\0\0\0\0\0\1a\0x", -AMBIT_MALFORMED, "behind"),
		ROW("good", HEAD "\1\0\1\0\1\0\0\0\1\0\0\0\0\0\0\0\1a\0", 0, ""),
		ROW("good, and without a step", HEAD "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0, ""),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = { .code = AMBIT_OK };
		struct trace t;
		const int r = trace_decode(rows[i].bytes, rows[i].n, &t, &e);

		if (r != rows[i].code || (r < 0 && strstr(e.msg, rows[i].says) == NULL))
			fail_msg("%s: %d %s", rows[i].name, r, e.msg);
		if (r == 0)
			trace_finish(&t);
	}
}

/* The largest there can be fits where it is told to. */
static void the_largest_fits(void **state)
{
	const size_t n = TRACE_SYMBOLS_MAX - 32;
	char(*texts)[SYMBOL_MAX] = calloc(n, sizeof *texts);
	struct trace_step *steps = calloc(TRACE_STEPS_MAX, sizeof *steps);
	auto_buf out = { .max = TRACE_BYTES_MAX };
	struct trace t = { .observed = CELL_OBSERVE_FULL }, back;
	struct err e;

	(void)state;
	for (size_t i = 0; i < n; i++)
		(void)snprintf(texts[i], SYMBOL_MAX, "read:%042zu", i);
	for (size_t i = 0; i < TRACE_STEPS_MAX; i++)
		steps[i] = (struct trace_step){ (uint16_t)(i * 7 % TRACE_THREADS_MAX), (uint16_t)(i * 3 % n) };
	assert_int_equal(trace_make(&t, (const char(*)[SYMBOL_MAX])texts, n, steps, TRACE_STEPS_MAX), 0);
	trace_encode(&t, &out);
	assert_false(out.failed);
	assert_int_equal(trace_decode(out.data, out.len, &back, &e), 0);
	assert_true(is_same(&t, &back));
	trace_finish(&back);
	trace_finish(&t);
	free(texts);
	free(steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_name_symbols_and_threads_in_their_order),
		cmocka_unit_test(hostile_counts_are_made_true),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_damaged_one_is_refused_with_its_place),
		cmocka_unit_test(the_largest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
