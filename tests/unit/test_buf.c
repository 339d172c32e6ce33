#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/text.h"

static void numbers_survive_a_round_trip(void **state)
{
	auto_buf b = { .max = 0 };
	struct rbuf r;
	char text[8];

	(void)state;
	buf_init(&b, 64);
	buf_put_u8(&b, 0xfe);
	buf_put_u16(&b, 0xfedc);
	buf_put_u32(&b, 0xfedcba98);
	buf_put_u64(&b, UINT64_C(0xfedcba9876543210));
	buf_put_str(&b, "ambit");
	assert_false(b.failed);
	rbuf_init(&r, b.data, b.len);
	assert_int_equal(rbuf_u8(&r), 0xfe);
	assert_int_equal(rbuf_u16(&r), 0xfedc);
	assert_int_equal(rbuf_u32(&r), 0xfedcba98);
	assert_true(rbuf_u64(&r) == UINT64_C(0xfedcba9876543210));
	rbuf_str(&r, text, sizeof text);
	assert_string_equal(text, "ambit");
	assert_true(rbuf_done(&r));
}

static void numbers_of_the_network_are_big_endian(void **state)
{
	uint8_t room[6];
	struct buf b;
	struct rbuf r;

	(void)state;
	buf_init_in(&b, room, sizeof room);
	buf_put_be16(&b, 0x0102);
	buf_put_be32(&b, 0x03040506);
	assert_false(b.failed);
	assert_memory_equal(room, "\1\2\3\4\5\6", 6);
	rbuf_init(&r, room, 3);
	assert_int_equal(rbuf_be16(&r), 0x0102);
	assert_int_equal(rbuf_be16(&r), 0); /* one byte is left */
	assert_true(r.failed);
}

/* In the caller's room nothing is allocated, nothing is freed and nothing overruns. */
static void a_lent_room_is_all_there_is(void **state)
{
	uint8_t room[6] = { 0 };
	struct buf b;

	(void)state;
	buf_init_in(&b, room, 5);
	buf_put(&b, "abc", 3);
	assert_ptr_equal(b.data, room);
	buf_put(&b, "de", 2);
	assert_false(b.failed);
	buf_put(&b, "f", 1);
	assert_true(b.failed);
	assert_memory_equal(room, "abcde", 6);
	buf_reset(&b);
	buf_put(&b, "x", 1);
	assert_int_equal(b.len, 1);
	buf_finish(&b);
	buf_put(&b, "y", 1);
	assert_true(b.failed);
	assert_memory_equal(room, "xbcde", 6);
}

/* ---- other memory ---- */

static uint8_t region[4096];
static size_t region_used;
static unsigned n_given;

static void *region_grow(void *old, size_t size)
{
	uint8_t *at = region + region_used;

	if (size > sizeof region - region_used)
		return NULL;
	region_used += size;
	return old != NULL ? memcpy(at, old, size / 2) : at; /* a buffer doubles */
}

static void region_give(void *at)
{
	n_given += at != NULL;
}

static void storage_is_of_the_memory_that_was_named(void **state)
{
	const struct memory memory = { .grow = region_grow, .give = region_give };
	struct buf b;

	(void)state;
	buf_init_of(&b, 1 << 20, &memory);
	buf_put(&b, "begun", 5);
	assert_int_equal(region_used, b.cap);
	assert_non_null(buf_room(&b, b.cap)); /* which lets it grow once */
	assert_memory_equal(b.data, "begun", 5);
	assert_true(b.data > region && b.data < region + sizeof region);
	assert_int_equal(b.len, 5);
	assert_null(buf_room(&b, sizeof region)); /* there is no other */
	assert_true(b.failed);
	buf_finish(&b);
	assert_int_equal(n_given, 1);
	assert_ptr_equal(b.memory, &memory);
}

static void what_is_dropped_was_at_the_front(void **state)
{
	auto_buf b = { .max = 0 };

	(void)state;
	buf_init(&b, 8);
	buf_drop(&b, 0);
	buf_put(&b, "abcdef", 6);
	buf_drop(&b, 2);
	buf_put(&b, "ghij", 4);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.data, "cdefghij", 8);
	buf_drop(&b, 8);
	assert_int_equal(b.len, 0);
}

static void a_buffer_stops_at_its_maximum(void **state)
{
	auto_buf b = { .max = 0 };

	(void)state;
	buf_init(&b, 4);
	buf_put(&b, "abcd", 4);
	assert_false(b.failed);
	buf_put(&b, "e", 1);
	assert_true(b.failed);
	assert_int_equal(b.len, 4);
}

static void a_cursor_never_reads_beyond(void **state)
{
	static const uint8_t bytes[] = { 5, 0, 0, 0, 'a', 'b', 0, 'd', 'e' };
	struct rbuf r;
	char text[8];

	(void)state;
	rbuf_init(&r, bytes, 3);
	assert_int_equal(rbuf_u32(&r), 0);
	assert_true(r.failed);
	rbuf_init(&r, bytes, 8); /* the text says five and four are there */
	rbuf_str(&r, text, sizeof text);
	assert_true(r.failed);
	rbuf_init(&r, bytes, 9); /* a NUL inside */
	rbuf_str(&r, text, sizeof text);
	assert_true(r.failed);
	rbuf_init(&r, bytes, 9); /* no room for the end */
	rbuf_str(&r, text, 5);
	assert_true(r.failed);
}

static void what_failed_is_like_nothing(void **state)
{
	auto_buf a = { .max = 4 }, b = { .max = 4 }, empty = { .max = 4 };

	(void)state;
	buf_put(&a, "abc", 3);
	buf_put(&b, "abd", 3);
	assert_true(buf_is_same(&a, &a));
	assert_true(buf_is_same(&empty, &empty));
	assert_false(buf_is_same(&a, &b));
	assert_false(buf_is_same(&a, &empty));
	buf_put(&empty, "abcde", 5);
	assert_true(empty.failed);
	assert_false(buf_is_same(&empty, &empty));
}

static void numbers_from_text(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t value;
	} sizes[] = {
		{ "0", true, 0 },
		{ "512M", true, UINT64_C(512) << 20 },
		{ "2G", true, UINT64_C(2) << 30 },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1k", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "16777216T", false, 0 },
		{ "1GG", false, 0 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		if (parse_bytes(sizes[i].text, &v) != sizes[i].good)
			fail_msg("'%s'", sizes[i].text);
		if (sizes[i].good)
			assert_int_equal(v, sizes[i].value);
	}
	assert_true(parse_duration("250ms", &v) && v == 250);
	assert_true(parse_duration("5m", &v) && v == 300000);
	assert_false(parse_duration("5", &v));
}

static void bytes_are_written_in_hex(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x0f, 0xa5, 0xff, 0x10 };
	char text[2 * sizeof bytes + 2] = { 0 };
	auto_buf b = { .max = 64 };

	(void)state;
	text[2 * sizeof bytes + 1] = 'x'; /* behind the NUL */
	hex_write(bytes, sizeof bytes, text);
	assert_string_equal(text, "000fa5ff10");
	assert_int_equal(text[2 * sizeof bytes + 1], 'x');
	buf_put_hex(&b, bytes, sizeof bytes);
	assert_string_equal(buf_cstr(&b), "000fa5ff10");
	hex_write(bytes, 0, text);
	assert_string_equal(text, "");
}

static void text_is_escaped(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "\033]52;c;x\007", "\\x1b]52;c;x\\x07" },
		{ "a\\b", "a\\\\b" },
		{ "\xff", "\\xff" },
		{ "\xe2\x80\xae"
		  "x",
		  "\\u{202e}x" },
		{ "\xc2\x9b", "\\u{9b}" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
	};
	char out[64], small[8];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(text_escape(out, sizeof out, rows[i].in, strlen(rows[i].in)), rows[i].out);
	assert_string_equal(text_escape(small, sizeof small, "0123456789", 10), "0123...");
}

static void utf8_is_strict(void **state)
{
	static const struct {
		const char *bytes;
		size_t bad_at; /* SIZE_MAX: good */
	} rows[] = {
		{ "abc", SIZE_MAX },
		{ "\xc3\xa9", SIZE_MAX },
		{ "\xf0\x9f\x98\x80", SIZE_MAX },
		{ "\xc0\x80", 0 },
		{ "a\xed\xa0\x80", 1 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "ab\xc3", 2 },
		{ "\x80", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t at = SIZE_MAX;
		const bool good = text_is_utf8(rows[i].bytes, strlen(rows[i].bytes), &at);

		if (good != (rows[i].bad_at == SIZE_MAX) || at != rows[i].bad_at)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_survive_a_round_trip),
		cmocka_unit_test(numbers_of_the_network_are_big_endian),
		cmocka_unit_test(a_lent_room_is_all_there_is),
		cmocka_unit_test(a_buffer_stops_at_its_maximum),
		cmocka_unit_test(storage_is_of_the_memory_that_was_named),
		cmocka_unit_test(what_is_dropped_was_at_the_front),
		cmocka_unit_test(a_cursor_never_reads_beyond),
		cmocka_unit_test(what_failed_is_like_nothing),
		cmocka_unit_test(numbers_from_text),
		cmocka_unit_test(bytes_are_written_in_hex),
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(utf8_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
