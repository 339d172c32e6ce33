#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/effect.h"
#include "core/grant.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct effect good = { .kind = EFFECT_WRITE,
				    .verdict = EFFECT_DENIED,
				    .source = EFFECT_REQUESTED,
				    .beyond = 1,
				    .grant = GRANT_NONE,
				    .count = 3,
				    .object = "/srv/\xff" };

static void an_effect_survives_a_round_trip(void **state)
{
	struct effect back;
	auto_buf b = { .max = 0 };
	struct rbuf r;

	(void)state;
	buf_init(&b, 8192);
	effect_encode(&b, &good);
	assert_false(b.failed);
	rbuf_init(&r, b.data, b.len);
	effect_decode(&r, &back);
	assert_true(rbuf_done(&r));
	assert_int_equal(back.kind, good.kind);
	assert_int_equal(back.verdict, good.verdict);
	assert_int_equal(back.source, good.source);
	assert_int_equal(back.base, good.base);
	assert_int_equal(back.beyond, good.beyond);
	assert_int_equal(back.grant, good.grant);
	assert_int_equal(back.count, good.count);
	assert_string_equal(back.object, good.object);
}

static void what_is_out_of_range_fails_the_cursor(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t byte;
		bool good;
	} rows[] = {
		{ "as it was", 0, EFFECT_WRITE, true },
		{ "no such kind: 0", 0, 0, false },
		{ "the last kind", 0, EFFECT_REQUEST, true },
		{ "one kind more", 0, EFFECT_REQUEST + 1, false },
		{ "no verdict yet, and beyond", 1, 0, false },
		{ "the last verdict of what has a right", 1, EFFECT_DENIED_HELD, true },
		{ "a verdict of connections only", 1, EFFECT_DENIED_OTHER_NAME, false },
		{ "another verdict of connections only", 1, EFFECT_DENIED_WITHDRAWN, false },
		{ "a verdict of executions only", 1, EFFECT_DENIED_WRITTEN, false },
		{ "a verdict of requests only", 1, EFFECT_DENIED_REQUEST, false },
		{ "one verdict more", 1, EFFECT_DENIED_REQUEST + 1, false },
		{ "no source", 2, 0, false },
		{ "one source more", 2, EFFECT_PROVED + 1, false },
		{ "of the base", 3, 1, true },
		{ "gone with the base", 3, EFFECT_BASE_GONE, true },
		{ "no such base", 3, EFFECT_BASE_GONE + 1, false },
		{ "allowed, and beyond what may be granted", 1, EFFECT_ALLOWED, false },
		{ "within what may be granted", 4, 0, true },
		{ "more than beyond", 4, 2, false },
		{ "a grant number that cannot be", 6, 0x01, false },
		{ "no times", 9, 0, false },
		{ "a longer text than there is", 13, 0xf0, false },
		{ "a NUL inside", 18, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct effect back;
		auto_buf b = { .max = 0 };
		struct rbuf r;

		buf_init(&b, 8192);
		effect_encode(&b, &good);
		b.data[rows[i].at] = rows[i].byte;
		rbuf_init(&r, b.data, b.len);
		effect_decode(&r, &back);
		if (rbuf_done(&r) != rows[i].good)
			fail_msg("%s", rows[i].name);
	}
}

static void random_bytes_never_hurt(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		uint8_t bytes[64];
		const size_t n = prop_below(&p, sizeof bytes + 1);
		struct effect f, again;
		auto_buf b = { .max = 0 };
		struct rbuf r;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)prop_below(&p, i < 4 ? 4 : 256);
		if (n > 16) { /* half of them get past the numbers */
			memset(bytes + 5, 0, 3 * prop_below(&p, 2));
			memset(bytes + 13, 0, 3);
		}
		buf_init(&b, 8192);
		rbuf_init(&r, bytes, n);
		effect_decode(&r, &f);
		if (r.failed)
			continue;
		/* what is accepted is encoded as it came */
		effect_encode(&b, &f);
		if (b.len != r.at || memcmp(b.data, bytes, b.len) != 0)
			prop_fail(&p, "accepted, but encoded in another way");
		rbuf_init(&r, b.data, b.len);
		effect_decode(&r, &again);
		if (!rbuf_done(&r))
			prop_fail(&p, "not accepted again");
	}
}

static void words_and_rights(void **state)
{
	(void)state;
	assert_null(effect_word(0));
	assert_null(effect_word(EFFECT_REQUEST + 1));
	assert_string_equal(effect_word(EFFECT_READ), "read");
	assert_int_equal(effect_right(EFFECT_READ), RIGHT_READ);
	assert_int_equal(effect_right(EFFECT_EXEC), RIGHT_RUN);
	assert_int_equal(effect_right(EFFECT_DELETE), RIGHT_WRITE);
	assert_int_equal(effect_right(EFFECT_CONNECT), 0);
	assert_int_equal(effect_right(200), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_effect_survives_a_round_trip),
		cmocka_unit_test(what_is_out_of_range_fails_the_cursor),
		cmocka_unit_test(random_bytes_never_hurt),
		cmocka_unit_test(words_and_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
