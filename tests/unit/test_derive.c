/* What a sub-agent gets out of its caller's grants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/derive.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define GIVEN_MAX 6

struct line {
	enum grant_verb verb; /* VERB_COUNT: no more */
	const char *object;
	struct qualifiers q;
};
#define END                                                                                                            \
	{                                                                                                              \
		.verb = VERB_COUNT                                                                                     \
	}

static struct grant_set own;
static struct sibling_ask ask;
static struct derived got;
static bool withdrawn[GRANTS_MAX];
static uint32_t used[GRANTS_MAX];

static void fill(struct grant_set *set, const struct line *lines)
{
	grant_set_init(set);
	for (size_t i = 0; i < GIVEN_MAX && lines[i].verb != VERB_COUNT; i++)
		assert_int_equal(
			grant_add_qualified(set, lines[i].verb, lines[i].object, 0, &lines[i].q, "", NULL, NULL, NULL),
			0);
}

static int try(const struct line *has, const struct line *wants, const char *agent)
{
	const struct derive_from from = { .grants = &own, .withdrawn = withdrawn, .used = used };

	memset(&ask, 0, sizeof ask);
	fill(&own, has);
	if (wants != NULL)
		fill(&ask.grants, wants);
	else
		ask.flags = SIBLING_INHERITS;
	(void)snprintf(ask.agent, sizeof ask.agent, "%s", agent);
	return derive(&from, &ask, &got, NULL);
}

static void nothing_wider_is_given(void **state)
{
	static const struct {
		const char *name;
		struct line has[GIVEN_MAX], wants[GIVEN_MAX];
		int expected;
	} rows[] = {
		{ "no grant of it", { { VERB_WORK, "/w", { 0 } }, END }, { END }, -AMBIT_DENIED },
		{ "nothing", { { VERB_DELEGATE, "*", { 0 } }, END }, { END }, 0 },
		{ "the same",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_WORK, "/w", { 0 } }, END },
		  { { VERB_WORK, "/w", { 0 } }, END },
		  0 },
		{ "beneath",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_WORK, "/w", { 0 } }, END },
		  { { VERB_READ, "/w/a", { 0 } }, END },
		  0 },
		{ "above",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_READ, "/w/a", { 0 } }, END },
		  { { VERB_READ, "/w", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "a name that begins alike",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_READ, "/w", { 0 } }, END },
		  { { VERB_READ, "/wide", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "another right",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_READ, "/w", { 0 } }, END },
		  { { VERB_WRITE, "/w", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "two that make one",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_WRITE, "/w", { 0 } }, { VERB_RUN, "/w", { 0 } }, END },
		  { { VERB_WORK, "/w", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "another value",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_ENV, "A=1", { 0 } }, END },
		  { { VERB_ENV, "A=2", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "jit", { { VERB_DELEGATE, "*", { 0 } }, END }, { { VERB_JIT, "", { 0 } }, END }, -AMBIT_DENIED },
		{ "a host",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_CONNECT, "a.test:1", { 0 } }, END },
		  { { VERB_CONNECT, "a.test:1", { 0 } }, END },
		  0 },
		{ "another",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_CONNECT, "a.test:1", { 0 } }, END },
		  { { VERB_CONNECT, "a.test:2", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "a counted one",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_CONNECT, "a.test:1", { .uses = 9 } }, END },
		  { { VERB_CONNECT, "a.test:1", { .uses = 1 } }, END },
		  -AMBIT_UNAVAILABLE },
		{ "a later end",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_CONNECT, "a.test:1", { .until_s = 5 } }, END },
		  { { VERB_CONNECT, "a.test:1", { .until_s = 6 } }, END },
		  -AMBIT_DENIED },
		{ "an earlier end",
		  { { VERB_DELEGATE, "*", { 0 } }, { VERB_CONNECT, "a.test:1", { .until_s = 5 } }, END },
		  { { VERB_CONNECT, "a.test:1", { .until_s = 4 } }, END },
		  0 },
		{ "a longer day",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .between = { 540, 1080, "UTC" } } },
		    END },
		  { { VERB_CONNECT, "a.test:1", { .between = { 540, 1081, "UTC" } } }, END },
		  -AMBIT_DENIED },
		{ "at any time",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .between = { 540, 1080, "UTC" } } },
		    END },
		  { { VERB_CONNECT, "a.test:1", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "a part of the day",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .between = { 540, 1080, "UTC" } } },
		    END },
		  { { VERB_CONNECT, "a.test:1", { .between = { 600, 1080, "UTC" } } }, END },
		  0 },
		{ "of its own",
		  { { VERB_DELEGATE, "*", { 0 } }, END },
		  { { VERB_DELEGATE, "*", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "one below",
		  { { VERB_DELEGATE, "*", { .depth = 2 } }, END },
		  { { VERB_DELEGATE, "*", { 0 } }, END },
		  0 },
		{ "as deep",
		  { { VERB_DELEGATE, "*", { .depth = 2 } }, END },
		  { { VERB_DELEGATE, "*", { .depth = 2 } }, END },
		  -AMBIT_DENIED },
		{ "without a number",
		  { { VERB_DELEGATE, "*", { .uses = 3, .depth = 2 } }, END },
		  { { VERB_DELEGATE, "*", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "all but itself",
		  { { VERB_DELEGATE, "*", { .uses = 3, .depth = 2 } }, END },
		  { { VERB_DELEGATE, "*", { .uses = 2 } }, END },
		  0 },
		{ "as many",
		  { { VERB_DELEGATE, "*", { .uses = 3, .depth = 2 } }, END },
		  { { VERB_DELEGATE, "*", { .uses = 3 } }, END },
		  -AMBIT_DENIED },
		{ "around one that asks, by its name",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .ask = 1 } },
		    END },
		  { { VERB_CONNECT, "a.test:1", { .until_s = 1 } }, END },
		  0 },
		{ "around one that ends, by its name",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .until_s = 5 } },
		    END },
		  { { VERB_CONNECT, "a.test:1", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "around one that is counted, by its name",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .uses = 5 } },
		    END },
		  { { VERB_CONNECT, "a.test:1", { 0 } }, END },
		  -AMBIT_UNAVAILABLE },
		{ "around one that asks, by what it lies in",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .ask = 1 } },
		    END },
		  { { VERB_CONNECT, "*:1", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "around one that asks, by a pattern",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "a.b.test:1", { .ask = 1 } },
		    END },
		  { { VERB_CONNECT, "*.b.test:1", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "around a range that asks",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "8.0.0.0/8:1", { .ask = 1 } },
		    END },
		  { { VERB_CONNECT, "*:1", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "both",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .ask = 1 } },
		    END },
		  { { VERB_CONNECT, "*:1", { 0 } }, { VERB_CONNECT, "a.test:1", { 0 } }, END },
		  0 },
		{ "beside it",
		  { { VERB_DELEGATE, "*", { 0 } },
		    { VERB_CONNECT, "*:1", { 0 } },
		    { VERB_CONNECT, "a.test:1", { .ask = 1 } },
		    END },
		  { { VERB_CONNECT, "b.test:1", { 0 } }, END },
		  0 },
		{ "around a name that is counted",
		  { { VERB_DELEGATE, "*", { .depth = 2 } }, { VERB_DELEGATE, "a", { .uses = 1 } }, END },
		  { { VERB_DELEGATE, "*", { 0 } }, END },
		  -AMBIT_DENIED },
		{ "any name of one",
		  { { VERB_DELEGATE, "a", { .depth = 2 } }, END },
		  { { VERB_DELEGATE, "*", { 0 } }, END },
		  -AMBIT_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		memset(used, 0, sizeof used);
		if (try(rows[i].has, rows[i].wants, "") != rows[i].expected)
			fail_msg("%s", rows[i].name);
		if (rows[i].expected != 0)
			assert_int_equal(used[0], 0); /* what is refused costs nothing */
	}
}

/* What a sub-agent that asks for `verb object` with a flow gets: it, or a code. */
static void labels_come_with_what_is_given(void **state)
{
	static const struct {
		enum grant_verb verb;
		const char *object, *flow;
		int expected;
		const char *gets;
	} rows[] = {
		{ VERB_READ, "/w/a", "", 0, "" },
		{ VERB_READ, "/w/mail", "", 0, "label=mail" },
		{ VERB_READ, "/w/mail/in", "", 0, "label=mail" },
		{ VERB_READ, "/w", "", 0, "label=mail" },
		{ VERB_READ, "/w/mail", "label=own", 0, "label=mail+own" },
		{ VERB_ENV, "TOKEN", "", 0, "label=private" },
		{ VERB_ENV, "TOKEN", "label=own", -AMBIT_DENIED, NULL },
		{ VERB_ENV, "TOKEN", "label=own+private", 0, "label=own+private" },
		{ VERB_CONNECT, "a.test:1", "", 0, "unless=x ask=labelled" },
		{ VERB_CONNECT, "a.test:1", "unless=x,y", 0, "unless=x,y" },
		{ VERB_CONNECT, "a.test:1", "unless=none", -AMBIT_DENIED, NULL },
		{ VERB_CONNECT, "a.test:1", "unless=y", -AMBIT_DENIED, NULL },
		{ VERB_CONNECT, "b.test:1", "", 0, "" },
		{ VERB_CONNECT, "b.test:1", "unless=none", -AMBIT_DENIED, NULL },
		{ VERB_CONNECT, "*:1", "", -AMBIT_DENIED, NULL }, /* around a.test */
		{ VERB_DECLASSIFY, "mail", "", 0, "" },
		{ VERB_DECLASSIFY, "private", "", -AMBIT_DENIED, NULL },
		{ VERB_DECLASSIFY, "counted", "", -AMBIT_UNAVAILABLE, NULL },
	};
	static const struct qualifiers none, twice = { .uses = 2 }, asks = { .ask = 1 };
	const struct derive_from from = { .grants = &own, .withdrawn = withdrawn, .used = used };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		memset(used, 0, sizeof used);
		memset(&ask, 0, sizeof ask);
		grant_set_init(&own);
		grant_set_init(&ask.grants);
		assert_int_equal(grant_add(&own, VERB_DELEGATE, "*", 0, NULL, NULL), 0);
		assert_int_equal(grant_add(&own, VERB_WORK, "/w", 0, NULL, NULL), 0);
		assert_int_equal(
			grant_add_qualified(&own, VERB_READ, "/w/mail", 0, &none, "", "label=mail", NULL, NULL), 0);
		assert_int_equal(
			grant_add_qualified(&own, VERB_ENV, "TOKEN", 0, &none, "", "label=private", NULL, NULL), 0);
		assert_int_equal(grant_add(&own, VERB_CONNECT, "*:1", 0, NULL, NULL), 0);
		assert_int_equal(grant_add_qualified(&own, VERB_CONNECT, "a.test:1", 0, &none, "",
						     "unless=x ask=labelled", NULL, NULL),
				 0);
		assert_int_equal(grant_add_qualified(&own, VERB_DECLASSIFY, "mail", 0, &asks, "", NULL, NULL, NULL), 0);
		assert_int_equal(grant_add_qualified(&own, VERB_DECLASSIFY, "counted", 0, &twice, "", NULL, NULL, NULL),
				 0);
		assert_int_equal(grant_add_qualified(&ask.grants, rows[i].verb, rows[i].object, 0, &none, "",
						     rows[i].flow, NULL, NULL),
				 0);
		if (derive(&from, &ask, &got, NULL) != rows[i].expected)
			fail_msg("%s %s %s", verb_word(rows[i].verb), rows[i].object, rows[i].flow);
		if (rows[i].expected < 0)
			continue;
		assert_string_equal(grant_flow(&got.grants, 0), rows[i].gets);
		assert_int_equal(got.grants.grants[0].qualifiers.ask, rows[i].verb == VERB_DECLASSIFY);
	}
}

static void all_is_inherited_but_what_is_its_callers_alone(void **state)
{
	static const struct line has[] = { { VERB_DELEGATE, "helper", { .uses = 2 } },
					   { VERB_WORK, "/w", { .ask = 1 } },
					   { VERB_LISTEN, "80", { 0 } },
					   { VERB_READ, "/r", { 0 } },
					   { VERB_ENV, "A", { 0 } },
					   END };
	static const struct line counted[] = { { VERB_DELEGATE, "*", { 0 } },
					       { VERB_CONNECT, "a.test:1", { .rate = 1, .period_s = 1 } },
					       END };

	(void)state;
	memset(used, 0, sizeof used);
	withdrawn[3] = true;
	assert_int_equal(try(has, NULL, ""), 0);
	withdrawn[3] = false;
	assert_string_equal(got.agent, "helper");
	assert_int_equal(got.grants.count, 2);
	assert_int_equal(got.grants.grants[0].verb, VERB_WORK);
	assert_int_equal(got.grants.grants[0].qualifiers.ask, 1);
	assert_int_equal(got.grants.grants[1].verb, VERB_ENV);
	assert_true(got.from[0] && got.from[1] && !got.from[2] && !got.from[3] && got.from[4]);
	assert_int_equal(got.of.delegate, 0);
	assert_int_equal(got.of.n, 2);
	assert_int_equal(got.of.grant[0], 1);
	assert_int_equal(got.of.grant[1], 4);
	assert_int_equal(try(counted, NULL, ""), -AMBIT_UNAVAILABLE);
}

static void what_was_withdrawn_is_not_reached_by_a_wider_one(void **state)
{
	static const struct line has[] = {
		{ VERB_DELEGATE, "*", { 0 } }, { VERB_CONNECT, "*:1", { 0 } }, { VERB_CONNECT, "a.test:1", { 0 } }, END
	};
	static const struct line name[] = { { VERB_CONNECT, "a.test:1", { 0 } }, END };
	static const struct line any[] = { { VERB_CONNECT, "*:1", { 0 } }, END };
	static const struct line both[] = { { VERB_CONNECT, "*:1", { 0 } }, { VERB_CONNECT, "a.test:1", { 0 } }, END };
	static const struct line *const wants[] = { NULL, name, any, both };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wants); i++) {
		memset(used, 0, sizeof used);
		assert_int_equal(try(has, wants[i], ""), 0);
		withdrawn[2] = true;
		assert_int_equal(try(has, wants[i], ""), -AMBIT_DENIED);
		withdrawn[2] = false;
	}
	assert_int_equal(try(has, any, ""), 0);
}

static void the_number_ends(void **state)
{
	static const struct line has[] = { { VERB_DELEGATE, "*", { .uses = 2 } }, END };

	(void)state;
	memset(used, 0, sizeof used);
	assert_int_equal(try(has, NULL, "a"), 0);
	assert_string_equal(got.agent, "a");
	assert_int_equal(try(has, NULL, ""), 0);
	assert_int_equal(try(has, NULL, ""), -AMBIT_DENIED);
	withdrawn[0] = true;
	memset(used, 0, sizeof used);
	assert_int_equal(try(has, NULL, ""), -AMBIT_DENIED);
	withdrawn[0] = false;
}

static void who_is_named_must_be_granted(void **state)
{
	static const struct line has[] = { { VERB_DELEGATE, "a", { 0 } }, { VERB_DELEGATE, "b", { 0 } }, END };

	(void)state;
	memset(used, 0, sizeof used);
	assert_int_equal(try(has, NULL, "b"), 0);
	assert_true(got.from[1] && !got.from[0]);
	assert_int_equal(got.of.delegate, 1);
	assert_int_equal(try(has, NULL, "c"), -AMBIT_DENIED);
}

/* One that is handed over finds its files by itself: a part of a grant could be what is hidden in it, or held. */
static void what_is_handed_over_is_no_part_of_a_grant(void **state)
{
	static const struct line has[] = { { VERB_DELEGATE, "*", { 0 } },   { VERB_WORK, "/w", { 0 } },
					   { VERB_READ, "/w/.env", { 0 } }, { VERB_CONNECT, "*:1", { 0 } },
					   { VERB_LISTEN, "80", { 0 } },    END };
	static const struct {
		struct line wants[GIVEN_MAX];
		int expected;
	} rows[] = {
		{ { { VERB_WORK, "/w", { 0 } }, END }, 0 },
		{ { { VERB_READ, "/w", { 0 } }, END }, 0 },
		{ { { VERB_READ, "/w/.env", { 0 } }, END }, 0 },
		{ { { VERB_CONNECT, "a.test:1", { 0 } }, END }, 0 },
		{ { { VERB_WRITE, "/w", { 0 } }, END }, -AMBIT_DENIED },
		{ { { VERB_READ, "/w/.ssh", { 0 } }, END }, -AMBIT_DENIED },
		{ { { VERB_WORK, "/w/.git", { 0 } }, END }, -AMBIT_DENIED },
		{ { { VERB_RUN, "/w/x", { 0 } }, END }, -AMBIT_DENIED },
		{ { { VERB_LISTEN, "80", { 0 } }, END }, -AMBIT_UNAVAILABLE },
	};
	const struct derive_from from = { .grants = &own, .withdrawn = withdrawn, .used = used };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (unsigned is_handed = 0; is_handed < 2; is_handed++) {
			memset(used, 0, sizeof used);
			memset(&ask, 0, sizeof ask);
			fill(&own, has);
			fill(&ask.grants, rows[i].wants);
			ask.flags = is_handed ? SIBLING_HANDED : 0;
			if (derive(&from, &ask, &got, NULL) != (is_handed ? rows[i].expected : 0))
				fail_msg("row %zu, %u", i, is_handed);
			assert_int_equal(used[0], is_handed && rows[i].expected != 0 ? 0 : 1);
		}
	own.grants[2].rights = RIGHT_WRITE; /* what asks in a part of it makes all of it ask */
	own.grants[2].qualifiers.ask = 1;
	memset(&ask, 0, sizeof ask);
	fill(&ask.grants, rows[0].wants);
	ask.flags = SIBLING_HANDED;
	assert_int_equal(derive(&from, &ask, &got, NULL), 0);
	assert_int_equal(got.grants.grants[0].qualifiers.ask, 1);
	fill(&own, has);
	memset(&ask, 0, sizeof ask);
	ask.flags = SIBLING_INHERITS | SIBLING_HANDED;
	assert_int_equal(derive(&from, &ask, &got, NULL), 0);
	assert_int_equal(got.grants.count, 3);
}

/* Which of its caller's each is derived from goes to the library, which believes no number that is none. */
static void what_they_are_derived_from_is_passed_on(void **state)
{
	static const struct {
		struct sibling_from f;
		uint32_t has; /* grants of the caller */
		bool taken;
	} rows[] = {
		{ { .delegate = 2, .n = 3, .grant = { 0, 2, 0 } }, 3, true },
		{ { .delegate = 0, .n = 0 }, 1, true },
		{ { .delegate = 0, .n = 0 }, 0, false },
		{ { .delegate = 3, .n = 0 }, 3, false },
		{ { .delegate = 0, .n = 2, .grant = { 0, 3 } }, 3, false },
		{ { .delegate = 0, .n = 1, .grant = { UINT32_MAX } }, 3, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t room[64];
		static struct sibling_from back;
		struct buf b;
		struct rbuf in;

		buf_init_in(&b, room, sizeof room);
		sibling_put_from(&b, &rows[i].f);
		rbuf_init(&in, b.data, b.len);
		if (sibling_take_from(&in, rows[i].has, &back) != rows[i].taken)
			fail_msg("row %zu", i);
		if (!rows[i].taken)
			continue;
		assert_true(rbuf_done(&in));
		assert_int_equal(back.delegate, rows[i].f.delegate);
		assert_int_equal(back.n, rows[i].f.n);
		assert_memory_equal(back.grant, rows[i].f.grant, back.n * sizeof back.grant[0]);
		rbuf_init(&in, b.data, b.len - 1);
		assert_false(sibling_take_from(&in, rows[i].has, &back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_wider_is_given),
		cmocka_unit_test(labels_come_with_what_is_given),
		cmocka_unit_test(all_is_inherited_but_what_is_its_callers_alone),
		cmocka_unit_test(what_was_withdrawn_is_not_reached_by_a_wider_one),
		cmocka_unit_test(the_number_ends),
		cmocka_unit_test(who_is_named_must_be_granted),
		cmocka_unit_test(what_is_handed_over_is_no_part_of_a_grant),
		cmocka_unit_test(what_they_are_derived_from_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
