/* What ambit-index answers: that all of it comes through, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/numbers.h"
#include "ledger/merkle.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define EVENT "e_01JDQ4ZK5T8XW3V9C2B7N6M1HG"

static struct span encoded(const struct numbers *head, const uint64_t *numbers, struct buf *room)
{
	numbers_encode(head, numbers, room);
	assert_false(room->failed);
	return span_bytes(room->data, room->len);
}

static void all_comes_through(void **state)
{
	static uint64_t most[NUMBERS_MAX];
	const struct numbers heads[] = {
		{ .any = false },
		{ .any = true },
		{ .any = true, .size = NUMBERS_MAX },
		{ .any = true, .size = NUMBERS_MAX, .n = 1 },
		{ .any = true, .size = NUMBERS_MAX, .n = NUMBERS_MAX, .event = EVENT },
		{ .any = true, .size = TREE_SIZE_MAX, .n = 7 },
	};

	(void)state;
	for (size_t i = 0; i < NUMBERS_MAX; i++)
		most[i] = i;
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		auto_buf room = { .max = NUMBERS_BYTES_MAX };
		struct numbers v;

		assert_true(numbers_decode(encoded(&heads[i], most, &room), &v));
		assert_int_equal(v.any, heads[i].any);
		assert_int_equal(v.size, heads[i].size);
		assert_int_equal(v.n, heads[i].n);
		assert_string_equal(v.event, heads[i].event);
		for (size_t k = 0; k < v.n; k++)
			assert_int_equal(numbers_at(&v, k), k);
	}
}

static void what_is_none(void **state)
{
	static const struct {
		const char *name;
		struct numbers head;
		uint64_t numbers[3];
		size_t at; /* a byte that is changed; 0 with 0: none */
		uint8_t by;
	} rows[] = {
		{ "as it is", { .any = true, .size = 9, .n = 3, .event = EVENT }, { 1, 2, 8 }, 0, 0 },
		{ "another magic", { .any = true, .size = 9, .n = 3 }, { 1, 2, 8 }, 0, 1 },
		{ "an index of a third kind", { .any = true, .size = 9, .n = 3 }, { 1, 2, 8 }, 4, 3 },
		{ "none of a third kind", { .any = false }, { 0 }, 4, 2 },
		{ "no index, and numbers", { .size = 9, .n = 3 }, { 1, 2, 8 }, 0, 0 },
		{ "no index, and a size", { .size = 9 }, { 0 }, 0, 0 },
		{ "no index, and an event", { .event = EVENT }, { 0 }, 0, 0 },
		{ "fewer than are told", { .any = true, .size = 9, .n = 3 }, { 1, 2, 8 }, 8, 4 },
		{ "more than are told", { .any = true, .size = 9, .n = 3 }, { 1, 2, 8 }, 8, 1 },
		{ "many more", { .any = true, .size = 9, .n = 3 }, { 1, 2, 8 }, 11, 0x80 },
		{ "twice the same", { .any = true, .size = 9, .n = 3 }, { 1, 1, 8 }, 0, 0 },
		{ "descending", { .any = true, .size = 9, .n = 3 }, { 2, 1, 8 }, 0, 0 },
		{ "the last descends", { .any = true, .size = 9, .n = 3 }, { 1, 8, 2 }, 0, 0 },
		{ "at the size", { .any = true, .size = 8, .n = 3 }, { 1, 2, 8 }, 0, 0 },
		{ "far behind it", { .any = true, .size = 8, .n = 3 }, { 1, 2, UINT64_MAX }, 0, 0 },
		{ "a log that cannot be", { .any = true, .size = TREE_SIZE_MAX + 1, .n = 3 }, { 1, 2, 8 }, 0, 0 },
		{ "half an event", { .any = true, .size = 9, .event = "e_01JDQ4ZK5T8" }, { 0 }, 0, 0 },
		{ "a grant", { .any = true, .size = 9, .event = "g_01JDQ4ZK5T8XW3V9C2B7N6M1HG" }, { 0 }, 0, 0 },
		{ "more behind an event", { .any = true, .size = 9, .event = EVENT }, { 0 }, 20 + ID_LEN, 'x' },
		{ "behind where none is", { .any = true, .size = 9 }, { 0 }, 20 + ID_TEXT_MAX - 1, 'x' },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf room = { .max = NUMBERS_BYTES_MAX };
		const struct span bytes = encoded(&rows[i].head, rows[i].numbers, &room);
		struct numbers v = { .any = true, .n = 7 };

		room.data[rows[i].at] ^= rows[i].by;
		if (numbers_decode(bytes, &v) != (i == 0))
			fail_msg("%s", rows[i].name);
		assert_true(i == 0 || (!v.any && v.n == 0 && v.size == 0 && v.event[0] == 0));
	}
}

static void each_length_but_its_own(void **state)
{
	static const uint64_t numbers[] = { 1, 2, 8 };
	const struct numbers head = { .any = true, .size = 9, .n = 3, .event = EVENT };
	auto_buf room = { .max = NUMBERS_BYTES_MAX };
	const size_t n = encoded(&head, numbers, &room).len;
	struct numbers v;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_false(numbers_decode(span_bytes(room.data, i), &v));
	buf_put(&room, "", 1);
	assert_false(numbers_decode(span_bytes(room.data, n + 1), &v));
	assert_true(numbers_decode(span_bytes(room.data, n), &v));
}

static void one_more_than_the_most(void **state)
{
	static uint64_t most[NUMBERS_MAX + 1];
	struct numbers head = { .any = true, .size = NUMBERS_MAX + 1, .n = NUMBERS_MAX + 1 }, v;
	auto_buf room = { .max = NUMBERS_BYTES_MAX + 8 };

	(void)state;
	for (size_t i = 0; i <= NUMBERS_MAX; i++)
		most[i] = i;
	assert_false(numbers_decode(encoded(&head, most, &room), &v));
	head.n--;
	buf_reset(&room);
	assert_true(numbers_decode(encoded(&head, most, &room), &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_comes_through),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(each_length_but_its_own),
		cmocka_unit_test(one_more_than_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
