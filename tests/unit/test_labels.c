/* Names of labels as one text: none is left out in silence. */
#include "core/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void names_come_back_in_order(void **state)
{
	struct labels l = { .text = "" };
	const char *at = l.text;
	char name[FLOW_LABEL_MAX];

	(void)state;
	assert_false(labels_next(&at, name));
	labels_add(&l, "private");
	labels_add(&l, "a");
	assert_string_equal(l.text, "private,a");
	assert_true(labels_next(&at, name));
	assert_string_equal(name, "private");
	assert_true(labels_next(&at, name));
	assert_string_equal(name, "a");
	assert_false(labels_next(&at, name));
}

/* As many as there can be, each as long as it may be; one more, or what is none, makes all of it unknown, and it stays so. */
static void what_has_no_room_is_unknown(void **state)
{
	struct labels l = { .text = "" };
	char name[FLOW_LABEL_MAX + 1];
	const char *at = l.text;
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < LABELS_TEXT_MAX / FLOW_LABEL_MAX; i++) {
		(void)snprintf(name, sizeof name, "%0*u", FLOW_LABEL_MAX - 1, i);
		labels_add(&l, name);
	}
	while (labels_next(&at, name))
		n++;
	assert_int_equal(n, 64);
	assert_int_equal(strlen(l.text), LABELS_TEXT_MAX - 1);
	assert_false(labels_are_unknown(&l));
	labels_add(&l, "x");
	assert_true(labels_are_unknown(&l));
	at = l.text;
	assert_false(labels_next(&at, name));
	labels_add(&l, "x");
	assert_true(labels_are_unknown(&l));
	for (unsigned i = 0; i < 3; i++) {
		struct labels other = { .text = "private" };

		labels_add(&other, ((const char *const[]){ "", "Upper", "a,b" })[i]);
		assert_true(labels_are_unknown(&other));
	}
}

static void json_has_a_list_or_null(void **state)
{
	static const struct {
		struct labels l;
		const char *json;
	} rows[] = { { { "" }, "[]" }, { { "private,a" }, "[\"private\",\"a\"]" }, { { "?" }, "null" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 4096 };
		struct json j;

		json_begin(&j, &out);
		labels_put_json(&j, &rows[i].l);
		assert_string_equal(buf_cstr(&out), rows[i].json);
	}
}

static void only_labels_are_taken(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} rows[] = { { "", true },     { "?", true },
		     { "a", true },    { "private,untrusted", true },
		     { ",", false },   { "a,", false },
		     { ",a", false },  { "a,,b", false },
		     { "A", false },   { "?,a", false },
		     { "a,?", false }, { "none", false },
		     { "a b", false }, { "0123456789012345678901234567890x", false } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 4096 };
		struct labels back;
		struct rbuf in;

		buf_put_str(&out, rows[i].text);
		rbuf_init(&in, out.data, out.len);
		labels_take(&in, &back);
		if (rbuf_done(&in) != rows[i].fine)
			fail_msg("%s", rows[i].text);
		if (rows[i].fine)
			assert_string_equal(back.text, rows[i].text);
	}
}

static void what_is_given_is_put_in_order(void **state)
{
	static const struct {
		const char *text, *given; /* NULL: it is refused */
	} rows[] = { { NULL, "" },
		     { "", "" },
		     { "untrusted, private,untrusted", "private,untrusted" },
		     { "b+a", "a,b" },
		     { "A", NULL },
		     { "a,", NULL },
		     { "?", NULL },
		     { "none", NULL },
		     { "a,b,c,d,e,f,g,h", "a,b,c,d,e,f,g,h" },
		     { "a,b,c,d,e,f,g,h,i", NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct labels l = { .text = "as it was" };
		struct err e;
		const int r = labels_take_given(rows[i].text, &l, &e);

		if ((r == 0) != (rows[i].given != NULL))
			fail_msg("row %zu gives %d", i, r);
		assert_string_equal(l.text, r == 0 ? rows[i].given : "as it was");
		if (r < 0)
			assert_true(e.hint[0] != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_back_in_order),      cmocka_unit_test(what_has_no_room_is_unknown),
		cmocka_unit_test(json_has_a_list_or_null),       cmocka_unit_test(only_labels_are_taken),
		cmocka_unit_test(what_is_given_is_put_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
