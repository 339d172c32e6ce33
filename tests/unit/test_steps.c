/* In which order the eye saw what it saw, and what is left of it when there is no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/effect.h"
#include "prop.h"
#include "warden/arena.h"

struct area {
	void *shared;
	struct steps steps;
};

static void begin(struct area *a)
{
	a->shared = calloc(1, STEPS_BYTES);
	assert_non_null(a->shared);
	assert_int_equal(steps_init(&a->steps, a->shared), 0);
}

static struct trace_step *end(struct area *a, struct steps_head *ret)
{
	struct trace_step *steps;

	steps_finish(&a->steps);
	steps = steps_read(a->shared, ret);
	free(a->shared);
	return steps;
}

static void threads_are_numbered_as_they_come(void **state)
{
	static const uint32_t threads[] = { 4711, 9, 4711, 0, 9, UINT32_MAX - 1, 0 };
	static const uint16_t numbers[] = { 0, 1, 0, 2, 1, 3, 2 };
	struct steps_head head;
	struct trace_step *steps;
	struct area a;

	(void)state;
	begin(&a);
	for (size_t i = 0; i < 7; i++)
		steps_note(&a.steps, threads[i], (uint16_t)i);
	steps = end(&a, &head);
	assert_int_equal(head.n, 7);
	assert_int_equal(head.threads, 4);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(steps[i].thread, numbers[i]);
		assert_int_equal(steps[i].symbol, i);
	}
	free(steps);
}

static void threads_beyond_the_limit_share_the_last_number(void **state)
{
	struct steps_head head;
	struct trace_step *steps;
	struct area a;

	(void)state;
	begin(&a);
	for (uint32_t i = 0; i < TRACE_THREADS_MAX + 3; i++)
		steps_note(&a.steps, 100 + 7 * i, 1);
	steps_note(&a.steps, 100, 2); /* the first still has its own */
	steps = end(&a, &head);
	assert_int_equal(head.threads, TRACE_THREADS_MAX);
	assert_int_equal(steps[TRACE_THREADS_MAX + 2].thread, TRACE_THREADS_MAX - 1);
	assert_int_equal(steps[TRACE_THREADS_MAX + 3].thread, 0);
	free(steps);
}

/* A loop of two calls that fills it, by two threads; then what is new of one of them. */
static void behind_the_whole_only_what_is_new_is_kept(void **state)
{
	static const struct trace_step want[] = { { 1, TRACE_GAP }, { 1, 9 }, { 1, 1 }, { 1, 2 },
						  { 1, TRACE_GAP }, { 1, 9 }, { 1, 9 } };
	struct steps_head head;
	struct trace_step *steps;
	struct area a;

	(void)state;
	begin(&a);
	for (uint32_t i = 0; i < TRACE_WHOLE_MAX + 5000; i++)
		steps_note(&a.steps, 1 + i / 2 % 2, (uint16_t)(1 + i % 2));
	steps_note(&a.steps, 2, 9); /* 1 2 9 */
	for (uint32_t i = 0; i < 5000; i++)
		steps_note(&a.steps, 2, (uint16_t)(1 + i % 2)); /* 2 9 1, 9 1 2, and then it repeats */
	steps_note(&a.steps, 2, 9);                             /* 1 2 9 was there */
	steps_note(&a.steps, 2, 9);                             /* 2 9 9 was not */
	steps_note(&a.steps, 2, 9);                             /* 9 9 9 */
	steps = end(&a, &head);
	assert_int_equal(head.n, TRACE_WHOLE_MAX + sizeof want / sizeof want[0]);
	assert_memory_equal(steps + TRACE_WHOLE_MAX, want, sizeof want);
	free(steps);
}

/* The same calls by another thread are its own to be new; their order alone is what counts. */
static void an_order_is_new_once_for_all_threads(void **state)
{
	struct steps_head head;
	struct area a;

	(void)state;
	begin(&a);
	for (uint32_t i = 0; i < TRACE_WHOLE_MAX; i++)
		steps_note(&a.steps, 1, 1);
	for (uint32_t thread = 2; thread < 50; thread++)
		for (uint16_t what = 1; what < 5; what++)
			steps_note(&a.steps, thread,
				   what); /* the first of them: nothing nothing 1, nothing 1 2, 1 2 3, 2 3 4 */
	free(end(&a, &head));
	/* thread 1 began with nothing nothing 1, too */
	assert_int_equal(head.n, TRACE_WHOLE_MAX + 1 + 3);
}

static void what_is_made_up_fills_the_tail_and_no_more(void **state)
{
	struct steps_head head;
	struct prop p = prop_round(0);
	struct area a;

	(void)state;
	begin(&a);
	for (uint32_t i = 0; i < TRACE_STEPS_MAX + 40000; i++)
		steps_note(&a.steps, 1, (uint16_t)prop_below(&p, 12000));
	free(end(&a, &head));
	assert_int_equal(head.n, TRACE_STEPS_MAX);
}

static void a_head_that_says_too_much_is_nothing(void **state)
{
	struct steps_head *shared = calloc(1, STEPS_BYTES), head;

	(void)state;
	shared->n = TRACE_STEPS_MAX + 1;
	assert_null(steps_read(shared, &head));
	assert_int_equal(head.n, 0);
	free(shared);
}

struct counted {
	size_t n;
	uint64_t calls;
};

static void count(void *user, uint8_t kind, uint32_t times, const char *object, size_t length)
{
	struct counted *c = user;

	(void)kind;
	(void)object;
	(void)length;
	c->n++;
	c->calls += times;
}

/* Of each call there is a step, with the number of its entry; also where the arena has no room for that. */
static void each_call_has_a_step(void **state)
{
	const uint32_t calls = 20000;
	void *shared = calloc(1, ARENA_BYTES);
	struct counted c = { .n = 0 };
	struct arena_head head;
	struct steps_head order;
	struct trace_step *steps;
	struct arena a;

	(void)state;
	assert_int_equal(arena_init(&a, shared), 0);
	for (uint32_t i = 0; i < calls; i++) {
		char object[32];
		const int n = snprintf(object, sizeof object, "/x/%u", i % 15000);

		arena_note(&a, 1, i % 2 == 0 ? EFFECT_READ : EFFECT_WRITE, object, (size_t)n);
	}
	arena_finish(&a);
	arena_read(shared, count, &c, &head);
	steps = steps_read((char *)shared + ARENA_ENTRIES_BYTES, &order);
	assert_int_equal(order.n, calls);
	assert_int_equal(c.calls + head.dropped, calls);
	for (uint32_t i = 0; i < calls; i++) {
		const uint16_t kind = i % 2 == 0 ? EFFECT_READ : EFFECT_WRITE;
		const uint32_t number = i % 15000;

		if (steps[i].symbol != (number < c.n ? number : TRACE_UNKEPT + kind))
			fail_msg("step %u: %u", i, steps[i].symbol);
	}
	free(steps);
	free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_are_numbered_as_they_come),
		cmocka_unit_test(threads_beyond_the_limit_share_the_last_number),
		cmocka_unit_test(behind_the_whole_only_what_is_new_is_kept),
		cmocka_unit_test(an_order_is_new_once_for_all_threads),
		cmocka_unit_test(what_is_made_up_fills_the_tail_and_no_more),
		cmocka_unit_test(a_head_that_says_too_much_is_nothing),
		cmocka_unit_test(each_call_has_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
