/* When a session has a template, and when it does not: the clock, the template and what it is made from are played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "lib/scarce.h"
#include "lib/template.h"
#include "session/mould.h"

static uint64_t now;
static unsigned made, released;
static int step;              /* what template_step says */
static bool scarce, cannot;   /* there is no memory; none can be made */
static struct template whole; /* the one that there may be */
static struct ambit_event a_copy = { .started = true, .copied = true }, its_own = { .started = true },
			  without = { .started = true, .from = &whole };

uint64_t clock_boot_ms(void)
{
	return now;
}

bool memory_is_scarce(void)
{
	return scarce;
}

/* Of the tests root is one user, and has none. */
uid_t geteuid(void)
{
	return 1000;
}

struct template *template_new(void)
{
	made++;
	whole = (struct template){ .sock = -1 };
	return &whole;
}

void template_release(struct template *t)
{
	released += t != NULL;
}

int template_step(struct template *t)
{
	(void)t;
	return step;
}

int job_make_template(const struct job_terms *t, enum event_kind kind, struct template *template)
{
	(void)t;
	(void)template;
	assert_int_equal(kind, KIND_PYTHON);
	return cannot ? -AMBIT_UNAVAILABLE : 0;
}

bool event_went_without(const struct ambit_event *ev)
{
	return ev == &without;
}

bool event_was_copied(const struct ambit_event *ev)
{
	return ev == &a_copy;
}

int event_wait_fd(const struct ambit_event *ev)
{
	(void)ev;
	return 7;
}

static int begin(void **state)
{
	(void)state;
	now = 1000000;
	made = released = 0;
	step = 1;
	scarce = cannot = false;
	return 0;
}

/* An event ended after so many milliseconds, and the session looks after what it has. */
static void ends(struct mould *m, uint64_t after, const struct ambit_event *ev)
{
	now += after;
	mould_step(m);
	mould_note(m, ev);
	mould_make(m, NULL);
	mould_step(m);
}

static struct mould with_one(void)
{
	struct mould m = { .t = NULL };

	ends(&m, 0, &its_own);
	assert_null(m.t);
	ends(&m, 100, &its_own);
	assert_non_null(mould_template(&m));
	return m;
}

static void who_comes_seldom_has_none(void **state)
{
	struct mould m = { .t = NULL };

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		ends(&m, 5000, &its_own);
	assert_null(m.t);
	ends(&m, 4999, NULL);
	assert_non_null(m.t);
	assert_int_equal(made, 1);
}

static void there_is_none_where_memory_is_scarce(void **state)
{
	struct mould m = { .t = NULL };

	(void)state;
	scarce = true;
	for (unsigned i = 0; i < 5; i++)
		ends(&m, 100, &its_own);
	assert_int_equal(made, 0);
}

static void it_stays_as_long_as_it_is_used(void **state)
{
	struct mould m = with_one();

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		ends(&m, 59000, &a_copy);
	assert_non_null(m.t);
	assert_int_equal(mould_timeout(&m, -1), 60000);
	assert_int_equal(mould_timeout(&m, 5), 5);
	now += 60000;
	assert_int_equal(mould_timeout(&m, -1), 0);
	mould_step(&m);
	assert_null(m.t);
	assert_int_equal(released, 1);
	assert_int_equal(mould_timeout(&m, 12), 12);
	assert_int_equal(mould_fd(&m), -1);
}

/* Of the session's events each has a limit of its own, say. */
static void one_that_fits_nothing_goes(void **state)
{
	struct mould m = with_one();

	(void)state;
	for (unsigned i = 0; i < 59; i++)
		ends(&m, 1000, &its_own);
	assert_int_equal(released, 0);
	ends(&m, 1000, &its_own);
	assert_int_equal(released, 1);
	assert_int_equal(made, 2); /* it may be that the session is another now */
}

static void after_an_accident_another_is_tried(void **state)
{
	struct mould m = with_one();

	(void)state;
	step = -1;
	mould_step(&m);
	assert_null(m.t);
	step = 1;
	for (unsigned i = 0; i < 59; i++)
		ends(&m, 1000, &its_own);
	assert_int_equal(made, 1);
	ends(&m, 1000, &its_own);
	assert_int_equal(made, 2);
	assert_non_null(m.t);
	ends(&m, 1000, &without); /* the host does not let it be copied */
	assert_null(m.t);
	ends(&m, 1000, &its_own);
	assert_int_equal(made, 2);
}

static void one_that_cannot_be_made_is_not_tried_each_time(void **state)
{
	struct mould m = { .t = NULL };

	(void)state;
	cannot = true;
	for (unsigned i = 0; i < 60; i++)
		ends(&m, 1000, &its_own);
	assert_int_equal(made, 1);
	assert_int_equal(released, 1);
}

static void so_many_copies_and_no_more(void **state)
{
	struct mould m = with_one();

	(void)state;
	m.t->copies = MOULD_COPIES - 1;
	assert_non_null(mould_template(&m));
	m.t->copies = MOULD_COPIES;
	assert_null(mould_template(&m));
	ends(&m, 100, &a_copy);
	assert_int_equal(released, 1);
	assert_int_equal(made, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_comes_seldom_has_none, begin),
		cmocka_unit_test_setup(there_is_none_where_memory_is_scarce, begin),
		cmocka_unit_test_setup(it_stays_as_long_as_it_is_used, begin),
		cmocka_unit_test_setup(one_that_fits_nothing_goes, begin),
		cmocka_unit_test_setup(after_an_accident_another_is_tried, begin),
		cmocka_unit_test_setup(one_that_cannot_be_made_is_not_tried_each_time, begin),
		cmocka_unit_test_setup(so_many_copies_and_no_more, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
