/* Flow: each value as it is written and read, what makes no sense, which allows no more than others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/flow.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define NAME_31 "a123456789012345678901234567890"

/* The parts of a flow by their words; NULL: not said. */
struct said {
	const char *label, *unless;
	bool ask;
};

static int say(const struct said *s, struct flow *f, struct err *e)
{
	int rc;

	memset(f, 0, sizeof *f);
	rc = s->label != NULL ? flow_set_label(f, s->label, e) : 0;
	if (rc == 0 && s->unless != NULL)
		rc = flow_set_unless(f, s->unless, e);
	f->ask = s->ask;
	return rc;
}

static bool is_same(const struct flow *a, const struct flow *b)
{
	return memcmp(&a->label, &b->label, sizeof a->label) == 0 && a->n_unless == b->n_unless &&
	       memcmp(a->unless, b->unless, sizeof a->unless) == 0 && a->none == b->none && a->ask == b->ask;
}

static void a_flow_has_one_way_of_being_written(void **state)
{
	static const struct {
		struct said said;
		const char *text;
	} rows[] = {
		{ { NULL, NULL, false }, "" },
		{ { "private", NULL, false }, "label=private" },
		{ { " private , mail", NULL, false }, "label=mail+private" },
		{ { "private+mail", NULL, false }, "label=mail+private" },
		{ { "b,a,b", NULL, false }, "label=a+b" },
		{ { NAME_31, NULL, false }, "label=" NAME_31 },
		{ { "0.x_y-z", NULL, false }, "label=0.x_y-z" },
		{ { "nonesuch", NULL, false }, "label=nonesuch" },
		{ { "h,g,f,e,d,c,b,a,a", NULL, false }, "label=a+b+c+d+e+f+g+h" },
		{ { NULL, "none", false }, "unless=none" },
		{ { NULL, "private+untrusted", false }, "unless=private+untrusted" },
		{ { NULL, "untrusted + private", false }, "unless=private+untrusted" },
		{ { NULL, "secret, private+untrusted", false }, "unless=private+untrusted,secret" },
		{ { NULL, "a+b, a", false }, "unless=a" },
		{ { NULL, "a, a+b", false }, "unless=a" },
		{ { NULL, "a+b,b+a", false }, "unless=a+b" },
		{ { NULL, "a+b+c, a+c, b", false }, "unless=a+c,b" },
		{ { NULL, "a+b, a+c, b+c", false }, "unless=a+b,a+c,b+c" },
		{ { NULL, "d,c,b,a", false }, "unless=a,b,c,d" },
		{ { NULL, NULL, true }, "ask=labelled" },
		{ { "x", NULL, true }, "label=x ask=labelled" },
		{ { "private,mail", "secret,private+untrusted", true },
		  "label=mail+private unless=private+untrusted,secret ask=labelled" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct flow f, again;
		char text[FLOW_TEXT_MAX];

		assert_int_equal(say(&rows[i].said, &f, NULL), 0);
		flow_format(&f, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(flow_is_empty(&f), text[0] == 0);
		memset(&again, 0xff, sizeof again);
		assert_int_equal(flow_take(text, &again), 0);
		flow_format(&again, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void what_is_no_flow_is_refused(void **state)
{
	static const struct {
		bool is_label;
		const char *value;
		int rc;
		const char *msg;
	} rows[] = {
		{ true, "", -AMBIT_MALFORMED, "label: a label is missing" },
		{ true, " ", -AMBIT_MALFORMED, "label: a label is missing" },
		{ true, "a,", -AMBIT_MALFORMED, "label: a label is missing" },
		{ true, "a++b", -AMBIT_MALFORMED, "label: a label is missing" },
		{ true, "none", -AMBIT_MALFORMED, "label: 'none' is not the name of a label" },
		{ true, "labelled", -AMBIT_MALFORMED, "label: 'labelled' is not the name of a label" },
		{ true, "Private", -AMBIT_MALFORMED, "label: 'Private' is not the name of a label" },
		{ true, ".a", -AMBIT_MALFORMED, "label: '.a' is not the name of a label" },
		{ true, "a b", -AMBIT_MALFORMED, "label: 'a b' is not the name of a label" },
		{ true, "a\x1b", -AMBIT_MALFORMED, "label: 'a\\x1b' is not the name of a label" },
		{ true, NAME_31 "1", -AMBIT_MALFORMED, "label: '" NAME_31 "1' is not the name of a label" },
		{ true, "a,b,c,d,e,f,g,h,i", -AMBIT_LIMIT, "label: more than 8 labels together" },
		{ false, "", -AMBIT_MALFORMED, "unless: a label is missing" },
		{ false, "a,,b", -AMBIT_MALFORMED, "unless: a label is missing" },
		{ false, "a+", -AMBIT_MALFORMED, "unless: a label is missing" },
		{ false, "none,a", -AMBIT_MALFORMED, "unless: 'none' is not the name of a label" },
		{ false, " none", -AMBIT_MALFORMED, "unless: 'none' is not the name of a label" },
		{ false, "a+none", -AMBIT_MALFORMED, "unless: 'none' is not the name of a label" },
		{ false, "a,b,c,d,e", -AMBIT_LIMIT, "unless: more than 4 combinations of labels" },
		{ false, "a,a,a,a,a", -AMBIT_LIMIT, "unless: more than 4 combinations of labels" },
		{ false, "a+b+c+d+e+f+g+h+i", -AMBIT_LIMIT, "unless: more than 8 labels together" },
	};
	static const struct said before = { "mail", "x+y,z", true };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = { .msg = "" };
		struct flow f, same;
		int rc;

		assert_int_equal(say(&before, &f, &e), 0);
		same = f;
		rc = rows[i].is_label ? flow_set_label(&f, rows[i].value, &e) : flow_set_unless(&f, rows[i].value, &e);
		assert_int_equal(rc, rows[i].rc);
		assert_string_equal(e.msg, rows[i].msg);
		assert_true(e.hint[0] != 0);
		assert_true(is_same(&f, &same));
	}
}

static void what_takes_the_place_of_another_leaves_nothing_of_it(void **state)
{
	static const struct said before = { "a,b,c", "x+y,z", true }, after = { "d", "none", true };
	struct flow f, want;

	(void)state;
	assert_int_equal(say(&before, &f, NULL), 0);
	assert_int_equal(say(&after, &want, NULL), 0);
	assert_int_equal(flow_set_label(&f, "d", NULL), 0);
	assert_int_equal(flow_set_unless(&f, "none", NULL), 0);
	assert_true(is_same(&f, &want));
}

static void the_normal_form_alone_is_taken(void **state)
{
	static const char *const rows[] = {
		" ",
		"label=",
		"label=b+a",
		"label=a,b",
		"label=a+a",
		"label=a ",
		" label=a",
		"label=a  unless=b",
		"unless=a label=b",
		"label=a label=a",
		"unless=a,a+b",
		"unless=b,a",
		"unless=",
		"unless=none,a",
		"ask=true",
		"ask=labelled label=a",
		"ask=labelled ask=labelled",
		"unless=none ask=labelled",
		"uses=1",
		"x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct flow f = { .ask = true }, same = f;

		if (flow_take(rows[i], &f) != -AMBIT_MALFORMED)
			fail_msg("%s", rows[i]);
		assert_true(is_same(&f, &same));
	}
}

static void the_longest_is_written_and_read(void **state)
{
	static const char *const first[] = { "a", "b", "c", "d" };
	struct flow f = { .ask = true, .n_unless = FLOW_UNLESS_MAX, .label = { .n = FLOW_SET_MAX } }, again;
	char text[FLOW_TEXT_MAX];

	(void)state;
	for (uint32_t i = 0; i < FLOW_SET_MAX; i++)
		for (uint32_t k = 0; k < FLOW_UNLESS_MAX; k++) {
			f.unless[k].n = FLOW_SET_MAX;
			(void)snprintf(f.unless[k].names[i], FLOW_LABEL_MAX, "%s%u%s", first[k], (unsigned)i,
				       &NAME_31[2]);
			(void)snprintf(f.label.names[i], FLOW_LABEL_MAX, "%s%u%s", first[k], (unsigned)i, &NAME_31[2]);
		}
	flow_format(&f, text);
	assert_true(strlen(text) > (size_t)(1 + FLOW_UNLESS_MAX) * FLOW_SET_MAX * FLOW_LABEL_MAX);
	assert_int_equal(flow_take(text, &again), 0);
	assert_true(is_same(&f, &again));
}

static void asking_needs_something_that_closes(void **state)
{
	struct err e = { .msg = "" };
	struct flow f = { .ask = true };

	(void)state;
	assert_int_equal(flow_check(&f, &e), 0);
	assert_int_equal(flow_set_unless(&f, "none", &e), 0);
	assert_int_equal(flow_check(&f, &e), -AMBIT_MALFORMED);
	assert_string_equal(e.msg, "ask: labelled beside unless: none: no label closes it, and nobody would be asked");
	f.ask = false;
	assert_int_equal(flow_check(&f, &e), 0);
}

static void what_closes_has_the_usual_combination(void **state)
{
	static const struct {
		const char *text;
		uint32_t n;
		const char *of[2][3];
	} rows[] = {
		{ "", 1, { { "private", "untrusted" } } },
		{ "label=a ask=labelled", 1, { { "private", "untrusted" } } },
		{ "unless=none", 0, { { NULL } } },
		{ "unless=private+untrusted", 1, { { "private", "untrusted" } } },
		{ "unless=a+b,c", 2, { { "a", "b" }, { "c" } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct flow_set closes[FLOW_UNLESS_MAX];
		struct flow f;

		assert_int_equal(flow_take(rows[i].text, &f), 0);
		assert_int_equal(flow_closes(&f, closes), rows[i].n);
		for (uint32_t k = 0; k < rows[i].n; k++) {
			uint32_t n = 0;

			for (; rows[i].of[k][n] != NULL; n++)
				assert_string_equal(closes[k].names[n], rows[i].of[k][n]);
			assert_int_equal(closes[k].n, n);
		}
	}
}

static void what_is_within(void **state)
{
	static const struct {
		const char *inner, *outer;
		bool is;
	} rows[] = {
		{ "label=a", "", true },
		{ "", "label=a", false },
		{ "label=a+b", "label=b", true },
		{ "label=a", "label=a+b", false },
		{ "unless=none", "", false },
		{ "", "unless=none", true },
		{ "unless=a", "unless=none", true },
		{ "unless=private", "", true },
		{ "unless=private+untrusted", "", true },
		{ "", "unless=private+untrusted", true },
		{ "", "unless=private", false },
		{ "unless=a", "", false },
		{ "unless=a,private", "", true },
		{ "unless=a", "unless=a+b,a+c", true },
		{ "unless=a+b", "unless=a", false },
		{ "unless=a,b", "unless=a", true },
		{ "unless=a", "unless=a,b", false },
		{ "ask=labelled", "", false },
		{ "", "ask=labelled", true },
		{ "ask=labelled", "ask=labelled", true },
		{ "unless=a ask=labelled", "unless=none", true },
		{ "unless=a ask=labelled", "unless=a", false },
		{ "label=x unless=a", "unless=a ask=labelled", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct flow inner, outer;

		assert_int_equal(flow_take(rows[i].inner, &inner), 0);
		assert_int_equal(flow_take(rows[i].outer, &outer), 0);
		if (flow_is_within(&inner, &outer) != rows[i].is)
			fail_msg("%s within %s", rows[i].inner, rows[i].outer);
	}
}

/* ---- drawn ---- */

/* Some of four names, as a value; "": none. */
static void draw_names(struct prop *p, unsigned least, char ret[32])
{
	static const char *const names[] = { "a", "b", "private", "untrusted" };
	const unsigned mask = least + (unsigned)prop_below(p, 16 - least);
	size_t n = 0;

	ret[0] = 0;
	for (unsigned i = 0; i < COUNT_OF(names); i++)
		if ((mask >> i & 1u) != 0)
			n += (size_t)snprintf(ret + n, 32 - n, "%s%s", n > 0 ? "+" : "", names[i]);
}

static void draw(struct prop *p, struct flow *f)
{
	const unsigned n = (unsigned)prop_below(p, 6); /* 0: none given; 5: `none` */
	char value[128] = "", names[32];

	memset(f, 0, sizeof *f);
	draw_names(p, 0, names);
	if (names[0] != 0)
		assert_int_equal(flow_set_label(f, names, NULL), 0);
	for (unsigned i = 0; i < n && n < 5; i++) {
		draw_names(p, 1, names);
		(void)snprintf(value + strlen(value), sizeof value - strlen(value), "%s%s", i > 0 ? "," : "", names);
	}
	if (n > 0)
		assert_int_equal(flow_set_unless(f, n < 5 ? value : "none", NULL), 0);
	f->ask = n < 5 && prop_below(p, 3) == 0;
}

/* Whether it is closed to whoever has these labels of the four, said without the code above. */
static bool is_closed(const struct flow *f, unsigned labels)
{
	static const char *const names[] = { "a", "b", "private", "untrusted" };

	if (f->n_unless == 0)
		return !f->none && (labels & 12u) == 12u;
	for (uint32_t i = 0; i < f->n_unless; i++) {
		bool all = true;

		for (uint32_t k = 0; k < f->unless[i].n; k++)
			for (unsigned m = 0; m < COUNT_OF(names); m++)
				if (strcmp(names[m], f->unless[i].names[k]) == 0)
					all = all && (labels >> m & 1u) != 0;
		if (all)
			return true;
	}
	return false;
}

static void what_was_written_is_read_as_it_was(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(20000); round++) {
		struct prop p = prop_round(round);
		struct flow f, again;
		char text[FLOW_TEXT_MAX];

		draw(&p, &f);
		flow_format(&f, text);
		if (flow_take(text, &again) != 0 || !is_same(&f, &again))
			prop_fail(&p, "%s", text);
		for (uint32_t i = 0; i < f.n_unless; i++)
			for (uint32_t k = 0; k < f.n_unless; k++) {
				const struct flow inner = { .n_unless = 1, .unless = { f.unless[k] } },
						  outer = { .n_unless = 1, .unless = { f.unless[i] } };

				if (i != k && flow_is_within(&inner, &outer))
					prop_fail(&p, "%s: one is too many", text);
			}
	}
}

static void what_is_within_is_closed_wherever_the_other_is(void **state)
{
	unsigned within = 0, chains = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(40000); round++) {
		struct prop p = prop_round(round);
		struct flow f[3];
		char text[3][FLOW_TEXT_MAX];
		bool closes = true;

		for (size_t i = 0; i < COUNT_OF(f); i++) {
			draw(&p, &f[i]);
			flow_format(&f[i], text[i]);
			if (!flow_is_within(&f[i], &f[i]))
				prop_fail(&p, "%s is not within itself", text[i]);
		}
		for (unsigned labels = 0; labels < 16; labels++)
			closes = closes && (!is_closed(&f[1], labels) || is_closed(&f[0], labels));
		if (flow_is_within(&f[0], &f[1]) && !closes)
			prop_fail(&p, "%s is open where %s is not", text[0], text[1]);
		if (closes && f[1].label.n == 0 && !f[0].ask && !flow_is_within(&f[0], &f[1]))
			prop_fail(&p, "%s is within %s", text[0], text[1]);
		within += flow_is_within(&f[0], &f[1]);
		if (!flow_is_within(&f[0], &f[1]) || !flow_is_within(&f[1], &f[2]))
			continue;
		chains++;
		if (!flow_is_within(&f[0], &f[2]))
			prop_fail(&p, "%s, %s, %s", text[0], text[1], text[2]);
	}
	assert_true(within > 1000 && chains > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_has_one_way_of_being_written),
		cmocka_unit_test(what_is_no_flow_is_refused),
		cmocka_unit_test(what_takes_the_place_of_another_leaves_nothing_of_it),
		cmocka_unit_test(the_normal_form_alone_is_taken),
		cmocka_unit_test(the_longest_is_written_and_read),
		cmocka_unit_test(asking_needs_something_that_closes),
		cmocka_unit_test(what_closes_has_the_usual_combination),
		cmocka_unit_test(what_is_within),
		cmocka_unit_test(what_was_written_is_read_as_it_was),
		cmocka_unit_test(what_is_within_is_closed_wherever_the_other_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
