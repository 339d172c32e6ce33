/* What is left of a budget, told the time: nobody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dial/budget.h"
#include "prop.h"

#define SECOND 1000u
#define HOUR (3600u * SECOND)

static const struct qualifiers none;

static void begin(struct budget *b, struct qualifiers most)
{
	*b = (struct budget){ .taken = false };
	assert_true(budget_begin(b, &most, 5));
}

/* How many of n dials at that time may begin; *ret_which: what refused the last. */
static uint32_t take(struct budget *b, uint64_t now, uint32_t n, enum qualifier *ret_which)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < n; i++)
		taken += budget_take(b, now, ret_which);
	return taken;
}

static void nothing_bounds_what_has_no_budget(void **state)
{
	enum qualifier which;
	struct budget b;

	(void)state;
	begin(&b, none);
	b.bytes = UINT64_MAX;
	assert_int_equal(take(&b, 5, 5000, &which), 5000);
	assert_false(budget_is_over(&b));
}

static void a_moment_that_has_passed_stays_so(void **state)
{
	enum qualifier which = QUALIFIER_COUNT;
	struct budget b;

	(void)state;
	begin(&b, (struct qualifiers){ .uses = 5, .until_s = 1000 });
	assert_true(budget_will_end(&b));
	assert_false(budget_tell_time(&b, 999));
	assert_int_equal(take(&b, 5, 2, &which), 2);
	assert_true(budget_tell_time(&b, 1000));
	assert_false(budget_will_end(&b));
	assert_false(budget_tell_time(&b, 1001)); /* told once */
	assert_false(budget_tell_time(&b, 1));    /* the clock was set back */
	assert_int_equal(take(&b, 5, 2, &which), 0);
	assert_int_equal(which, QUALIFIER_UNTIL);
	begin(&b, (struct qualifiers){ .uses = 5 });
	assert_false(budget_will_end(&b));
	assert_false(budget_tell_time(&b, UINT64_MAX));
}

static void uses_are_those_that_were_opened(void **state)
{
	enum qualifier which = QUALIFIER_COUNT;
	struct budget b;

	(void)state;
	begin(&b, (struct qualifiers){ .uses = 2 });
	assert_int_equal(take(&b, 5, 9, &which), 2); /* under way, they count */
	assert_int_equal(which, QUALIFIER_USES);
	budget_settle(&b, false); /* it failed, and gives its use back */
	budget_settle(&b, true);
	assert_int_equal(take(&b, 5, 9, &which), 1);
	budget_settle(&b, true);
	assert_int_equal(take(&b, 5 + HOUR, 9, &which), 0); /* for good */
}

static void a_rate_comes_back_evenly(void **state)
{
	enum qualifier which = QUALIFIER_COUNT;
	struct budget b;

	(void)state;
	begin(&b, (struct qualifiers){ .rate = 10, .period_s = 60 });
	assert_int_equal(take(&b, 5, 20, &which), 10); /* at once */
	assert_int_equal(which, QUALIFIER_RATE);
	for (uint32_t i = 0; i < 10; i++)
		budget_settle(&b, false); /* a dial that failed gives nothing of it back */
	assert_int_equal(take(&b, 5 + 5999, 1, &which), 0);
	assert_int_equal(take(&b, 5 + 6000, 2, &which), 1);
	assert_int_equal(take(&b, 5 + 3 * 6000 + 100, 9, &which), 2);
	assert_int_equal(take(&b, UINT64_C(1) << 50, 99, &which), 10); /* it does not run over */
}

static void what_is_refused_takes_no_rate(void **state)
{
	enum qualifier which;
	struct budget b;

	(void)state;
	begin(&b, (struct qualifiers){ .uses = 1, .rate = 2, .period_s = 3600 });
	assert_int_equal(take(&b, 5, 9, &which), 1);
	assert_int_equal(which, QUALIFIER_USES);
	budget_settle(&b, false);
	assert_int_equal(take(&b, 5, 9, &which), 1);
}

static void bytes_end_what_is_open(void **state)
{
	static const struct {
		uint64_t bytes;
		bool has, over;
	} rows[] = { { 0, true, false }, { 99, true, false }, { 100, false, false }, { 101, false, true } };
	enum qualifier which;
	struct budget b;

	(void)state;
	begin(&b, (struct qualifiers){ .bytes = 100 });
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		b.bytes = rows[i].bytes;
		assert_int_equal(budget_has_bytes(&b), rows[i].has);
		assert_int_equal(budget_is_over(&b), rows[i].over);
		assert_int_equal(budget_take(&b, 5, &which), rows[i].has);
	}
	assert_int_equal(which, QUALIFIER_BYTES);
}

static void endpoints_of_one_grant_share_it(void **state)
{
	const struct qualifiers most = { .uses = 1 }, other = { .uses = 2 };
	enum qualifier which;
	struct budget b;

	(void)state;
	begin(&b, most);
	assert_int_equal(take(&b, 5, 1, &which), 1);
	assert_true(budget_begin(&b, &most, 9));
	assert_int_equal(take(&b, 9, 1, &which), 0);
	assert_false(budget_begin(&b, &other, 9));
}

/* However they come, no more begin in any time than the bucket holds, and what came back to it. */
static void a_rate_is_never_passed(void **state)
{
	static const uint32_t periods[] = { 1, 60, 3600 };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		const struct qualifiers most = { .rate = 1 + prop_below(&p, 200),
						 .period_s = periods[prop_below(&p, 3)] };
		uint64_t now = 5, n = 0;
		enum qualifier which;
		struct budget b;

		begin(&b, most);
		for (unsigned i = 0; i < 50; i++) {
			now += prop_below(&p, 2) == 0 ? prop_below(&p, 50) : prop_below(&p, 2 * HOUR);
			n += take(&b, now, prop_below(&p, 300), &which);
			if (n > most.rate + most.rate * (now - 5) / (most.period_s * SECOND))
				prop_fail(&p, "%u in %u ms", (unsigned)n, (unsigned)(now - 5));
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_bounds_what_has_no_budget),
		cmocka_unit_test(a_moment_that_has_passed_stays_so),
		cmocka_unit_test(uses_are_those_that_were_opened),
		cmocka_unit_test(a_rate_comes_back_evenly),
		cmocka_unit_test(what_is_refused_takes_no_rate),
		cmocka_unit_test(bytes_end_what_is_open),
		cmocka_unit_test(endpoints_of_one_grant_share_it),
		cmocka_unit_test(a_rate_is_never_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
