/* How many bytes may pass, told the time: nobody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dial/allowance.h"

static struct allowance of(uint64_t bytes)
{
	return (struct allowance){ .most = bytes, .piece = bytes };
}

static void more_is_asked_for_at_half_and_at_the_end(void **state)
{
	struct allowance a = of(100);

	(void)state;
	assert_int_equal(allowance_look(&a, 49, 5), 0);
	assert_int_equal(allowance_look(&a, 50, 5), ALLOWANCE_ASK);
	assert_int_equal(allowance_look(&a, 99, 5), 0);
	assert_int_equal(allowance_look(&a, 100, 5), ALLOWANCE_PAUSE); /* it is asked already */
	assert_int_equal(allowance_look(&a, 100, 6), 0);
	assert_true(allowance_add(&a, 100, 100));
	assert_int_equal(allowance_look(&a, 149, 6), 0);
	assert_int_equal(allowance_look(&a, 250, 6), ALLOWANCE_PAUSE | ALLOWANCE_ASK);
	assert_false(allowance_add(&a, 40, 250)); /* that passed before it was paused */
	assert_int_equal(allowance_look(&a, 250, 6), ALLOWANCE_ASK);
	assert_true(allowance_add(&a, 11, 250));
	assert_int_equal(allowance_look(&a, 250, 6), ALLOWANCE_ASK);
	assert_false(allowance_add(&a, 0, 250)); /* no bound any more; it was not paused */
	assert_int_equal(allowance_look(&a, UINT64_MAX, 6), 0);
}

static void what_cannot_be_paused_has_less_time(void **state)
{
	struct allowance a = of(100);

	(void)state;
	assert_int_equal(allowance_look(&a, 100, 5), ALLOWANCE_PAUSE | ALLOWANCE_ASK);
	allowance_unpaused(&a, 5);
	assert_int_equal(allowance_look(&a, 200, 5 + UNPAUSED_MS - 1), 0);
	assert_true(allowance_add(&a, 200, 200)); /* a word in time */
	assert_int_equal(allowance_look(&a, 250, 1000), ALLOWANCE_ASK);
	assert_int_equal(allowance_look(&a, 299, 1000 + UNPAUSED_MS), 0); /* it is not used up */
	assert_int_equal(allowance_look(&a, 300, 2000), ALLOWANCE_PAUSE | ALLOWANCE_ASK);
	assert_int_equal(allowance_look(&a, 300, 2000 + UNPAUSED_MS), ALLOWANCE_END);
}

static void nothing_bounds_what_has_no_bound(void **state)
{
	struct allowance a = of(0);

	(void)state;
	assert_int_equal(allowance_look(&a, UINT64_MAX, 5), 0);
	assert_false(allowance_refuse(&a, UINT64_MAX));
}

static void a_sum_does_not_run_over(void **state)
{
	struct allowance a = of(UINT64_MAX - 1);

	(void)state;
	assert_false(allowance_add(&a, 5, 10));
	assert_true(a.most == UINT64_MAX);
}

static void a_no_counts_when_nothing_is_left(void **state)
{
	struct allowance a = of(100);

	(void)state;
	assert_int_equal(allowance_look(&a, 60, 5), ALLOWANCE_ASK);
	assert_false(allowance_refuse(&a, 60));
	assert_int_equal(allowance_look(&a, 99, 5), 0);
	assert_int_equal(allowance_look(&a, 120, 5), ALLOWANCE_PAUSE | ALLOWANCE_ASK);
	assert_true(allowance_refuse(&a, 120));
}

static void so_does_silence(void **state)
{
	struct allowance a = of(100);

	(void)state;
	assert_int_equal(allowance_look(&a, 60, 5), ALLOWANCE_ASK);
	assert_int_equal(allowance_look(&a, 60, 5 + HELD_PATIENCE_MS), 0);
	assert_int_equal(allowance_look(&a, 100, 5 + HELD_PATIENCE_MS), ALLOWANCE_PAUSE | ALLOWANCE_ASK);
	assert_int_equal(allowance_look(&a, 100, 4 + 2 * HELD_PATIENCE_MS), 0);
	assert_int_equal(allowance_look(&a, 100, 5 + 2 * HELD_PATIENCE_MS), ALLOWANCE_END);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_is_asked_for_at_half_and_at_the_end),
		cmocka_unit_test(what_cannot_be_paused_has_less_time),
		cmocka_unit_test(nothing_bounds_what_has_no_bound),
		cmocka_unit_test(a_sum_does_not_run_over),
		cmocka_unit_test(a_no_counts_when_nothing_is_left),
		cmocka_unit_test(so_does_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
