/* What a gate learns from arguments that a role which was taken over tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/guard_learn.h"

static void take(struct guard_learn *l, enum where_kind kind, const void *value, size_t n)
{
	auto_buf bytes = { .max = WHERE_BYTES_MAX };
	struct where_arguments args;

	where_put(&bytes, "say", kind, value, n);
	args = (struct where_arguments){ .bytes = bytes.data, .n = bytes.len };
	assert_true(where_are_arguments(&args)); /* the command line takes it */
	assert_true(guard_learn_ask(l, 1, "echo", &args));
	assert_true(guard_learn_over(l, 1, true));
}

/* No client can say a NUL: with a sanitizer nothing is read or written behind a copy that ends there. */
static void a_nul_ends_no_copy(void **state)
{
	static const char text[] = "a\0bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	struct guard_learn *l = guard_learn_new();
	auto_buf out = { .max = 1 << 16 };

	(void)state;
	assert_non_null(l);
	for (int i = 0; i < 9; i++)
		take(l, WHERE_TEXT, text, sizeof text - 1);
	guard_learn_write(l, "bad", &out);
	assert_string_equal(
		buf_cstr(&out),
		"grants:\n  - tool: bad/echo\n    where: '{\"*\":null,\"say\":{\"length\":64}}'\n    # called 9 times\n");
	guard_learn_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_nul_ends_no_copy) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
