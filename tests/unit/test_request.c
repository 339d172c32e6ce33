/* What the supervisor is asked for: it comes as it was sent, and what is wrong in it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "err_text.h"
#include "supervisor/request.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct event_request sent, got;

static void fill(void)
{
	memset(&sent, 0, sizeof sent);
	memcpy(sent.event, "e_1", 4);
	memcpy(sent.session, "s_1", 4);
	memcpy(sent.agent, "coder", 6);
	sent.n = 1;
	grant_set_init(&sent.grants);
	sent.budgets[BUDGET_SESSION] =
		(struct qualifiers){ .uses = 100, .bytes = 10u << 20, .rate = 10, .period_s = 1 };
	sent.budgets[BUDGET_AGENT] = (struct qualifiers){ .bytes = 1u << 30 };
}

static int pass(struct err *e)
{
	auto_buf out = { .max = REQUEST_BYTES_MAX };
	struct rbuf in;

	memset(&got, 0, sizeof got);
	request_encode(&sent, &out);
	rbuf_init(&in, out.data, out.len);
	return request_decode(&in, &got, e);
}

static void budgets_come_as_they_were_sent(void **state)
{
	struct err e;

	(void)state;
	fill();
	if (pass(&e) < 0)
		fail_msg("%s", err_text(&e).s);
	for (size_t i = 0; i < BUDGET_COUNT; i++)
		assert_true(qualifiers_are_same(&got.budgets[i], &sent.budgets[i]));
}

static void what_no_budget_has_is_refused(void **state)
{
	static const struct qualifiers rows[] = {
		{ .ask = 1 },  { .ech = 1 }, { .depth = 1 }, { .until_s = 1 }, { .between = { 540, 1080, "UTC" } },
		{ .rate = 1 }, /* in no time */
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t which = 0; which < BUDGET_COUNT; which++) {
			fill();
			sent.budgets[which] = rows[i];
			if (pass(&e) != -AMBIT_MALFORMED ||
			    strcmp(e.msg, "request: its budgets are not well-formed") != 0)
				fail_msg("row %zu of budget %zu", i, which);
		}
}

/* It would be that of all who have no name. */
static void an_agent_without_a_name_has_no_budget(void **state)
{
	struct err e;

	(void)state;
	fill();
	sent.agent[0] = 0;
	assert_int_equal(pass(&e), -AMBIT_MALFORMED);
	sent.budgets[BUDGET_AGENT] = (struct qualifiers){ .uses = 0 };
	assert_int_equal(pass(&e), 0);
}

static void a_cell_serves_whatever_the_budget_is(void **state)
{
	static struct event_request other;

	(void)state;
	fill();
	other = sent;
	memset(other.budgets, 0, sizeof other.budgets);
	assert_true(request_same_cell(&sent, &other));
	other.umask = 077;
	assert_false(request_same_cell(&sent, &other));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(budgets_come_as_they_were_sent),
		cmocka_unit_test(what_no_budget_has_is_refused),
		cmocka_unit_test(an_agent_without_a_name_has_no_budget),
		cmocka_unit_test(a_cell_serves_whatever_the_budget_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
