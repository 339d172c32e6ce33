/* Bodies in chunks: what each gives, in one piece and in all others, and where it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/chunk.h"
#include "http/compose.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define BYTES(text) text, sizeof text - 1
#define LAST "0\r\n\r\n"
#define MOST ((CHUNK_TRAILER_MAX + CHUNK_LINE_MAX) * 2)

struct outcome {
	enum chunk_result result;
	size_t taken, n;
	uint8_t body[MOST];
};

/* In pieces of `piece` bytes, each in memory of its own size. */
static void take_pieces(const char *bytes, size_t n, size_t piece, struct outcome *ret)
{
	struct chunked c;

	chunked_init(&c);
	*ret = (struct outcome){ .result = CHUNK_MORE };
	while (ret->taken < n && ret->result != CHUNK_END && ret->result != CHUNK_BAD) {
		const size_t size = piece < n - ret->taken ? piece : n - ret->taken;
		uint8_t *exact = malloc(size);
		size_t taken = 0, data = 0;

		assert_non_null(exact);
		memcpy(exact, bytes + ret->taken, size);
		ret->result = chunked_take(&c, exact, size, &taken, &data);
		assert_true(taken <= size && data <= taken && (data > 0) == (ret->result == CHUNK_DATA));
		assert_true(ret->result != CHUNK_MORE || taken == size);
		memcpy(ret->body + ret->n, exact + taken - data, data);
		free(exact);
		ret->n += data;
		ret->taken += taken;
	}
}

static const struct row {
	const char *name, *bytes;
	size_t n;
	enum chunk_result result; /* MORE: of what is cut, too */
	const char *body;
	size_t over; /* bytes behind the end */
} rows[] = {
	{ "nothing", BYTES(LAST), CHUNK_END, "", 0 },
	{ "one", BYTES("5\r\nhello\r\n" LAST), CHUNK_END, "hello", 0 },
	{ "two", BYTES("5\r\nhello\r\n6\r\n world\r\n" LAST), CHUNK_END, "hello world", 0 },
	{ "small letters", BYTES("a\r\n0123456789\r\n" LAST), CHUNK_END, "0123456789", 0 },
	{ "capitals", BYTES("A\r\n0123456789\r\n" LAST), CHUNK_END, "0123456789", 0 },
	{ "zeros before a size", BYTES("005\r\nhello\r\n000\r\n\r\n"), CHUNK_END, "hello", 0 },
	{ "15 digits", BYTES("000000000000005\r\nhello\r\n" LAST), CHUNK_END, "hello", 0 },
	{ "lines in what it holds", BYTES("7\r\n0\r\n\r\nab\r\n" LAST), CHUNK_END, "0\r\n\r\nab", 0 },
	{ "an extension", BYTES("5;a=b\r\nhello\r\n0;c\r\n\r\n"), CHUNK_END, "hello", 0 },
	{ "an extension in quotes", BYTES("5;a=\"b;\\\"c\"\r\nhello\r\n" LAST), CHUNK_END, "hello", 0 },
	{ "a trailer", BYTES("0\r\nA: b\r\nC:\r\n\r\n"), CHUNK_END, "", 0 },
	{ "a request behind it", BYTES(LAST "GET / HTTP/1.1\r\n\r\n"), CHUNK_END, "", 18 },
	{ "an end of lines behind it", BYTES(LAST "\r\n"), CHUNK_END, "", 2 },
	{ "cut in a size", BYTES("5"), CHUNK_MORE, "", 0 },
	{ "cut in a chunk", BYTES("5\r\nhel"), CHUNK_DATA, "hel", 0 },
	{ "cut behind it", BYTES("5\r\nhello\r"), CHUNK_MORE, "hello", 0 },
	{ "cut before the end", BYTES("0\r\n\r"), CHUNK_MORE, "", 0 },
	{ "cut in a trailer", BYTES("0\r\nA: b\r\n"), CHUNK_MORE, "", 0 },

	{ "no size", BYTES("\r\nhello\r\n"), CHUNK_BAD, "", 0 },
	{ "no size, at the end", BYTES("\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "no size, and an extension, at the end", BYTES(";a\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "no size behind a chunk", BYTES("1\r\na\r\n\r\n\r\n"), CHUNK_BAD, "a", 0 },
	{ "an extension alone", BYTES(";a\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "0x5", BYTES("0x5\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "+5", BYTES("+5\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "-5", BYTES("-5\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "5_", BYTES("5_\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "5h", BYTES("5h\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "5.0", BYTES("5.0\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "in quotes", BYTES("\"5\"\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "a blank before", BYTES(" 5\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "a blank behind", BYTES("5 \r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "a tab behind", BYTES("5\t\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "a blank before an extension", BYTES("5 ;a\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "a blank in a size", BYTES("0 5\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "NUL behind", BYTES("5\0\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "beyond ASCII behind", BYTES("5\xa0\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "16 digits", BYTES("0000000000000005\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "over 64 bits", BYTES("10000000000000005\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "all of 64 bits", BYTES("ffffffffffffffff\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "LF behind a size", BYTES("5\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "CR behind a size", BYTES("5\rhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "CR CR LF", BYTES("5\r\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "LF in an extension", BYTES("5;a\nb\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "LF in quotes", BYTES("5;a=\"\n\"\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "CR LF in quotes", BYTES("1;a=\"\r\n\"\r\nhello\r\n" LAST), CHUNK_BAD, "\"", 0 },
	{ "CR in an extension", BYTES("5;a\rb\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "NUL in an extension", BYTES("5;a\0\r\nhello\r\n" LAST), CHUNK_BAD, "", 0 },
	{ "LF behind a chunk", BYTES("5\r\nhello\n" LAST), CHUNK_BAD, "hello", 0 },
	{ "CR CR behind a chunk", BYTES("5\r\nhello\r\r\n" LAST), CHUNK_BAD, "hello", 0 },
	{ "two bytes for an end of line", BYTES("5\r\nhelloXX" LAST), CHUNK_BAD, "hello", 0 },
	{ "another byte for CR", BYTES("5\r\nhelloX\n" LAST), CHUNK_BAD, "hello", 0 },
	{ "too long for its size", BYTES("4\r\nhello\r\n" LAST), CHUNK_BAD, "hell", 0 },
	{ "too short for its size", BYTES("6\r\nhello\r\n" LAST), CHUNK_BAD, "hello\r", 0 },
	{ "no end of line", BYTES("5\r\nhello" LAST), CHUNK_BAD, "hello", 0 },
	{ "an end of LF", BYTES("0\r\n\n"), CHUNK_BAD, "", 0 },
	{ "LF behind the last", BYTES("0\n\r\n"), CHUNK_BAD, "", 0 },
	{ "an end of CR and something", BYTES("0\r\n\rX"), CHUNK_BAD, "", 0 },
	{ "a request for a trailer", BYTES("0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "a trailer without a colon", BYTES("0\r\nA\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "a trailer without a name", BYTES("0\r\n: b\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "a blank before its colon", BYTES("0\r\nA : b\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "a trailer that is folded", BYTES("0\r\nA: b\r\n c\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "a trailer that ends in LF", BYTES("0\r\nA: b\n\r\n"), CHUNK_BAD, "", 0 },
	{ "a trailer with CR in it", BYTES("0\r\nA: b\rc\r\n\r\n"), CHUNK_BAD, "", 0 },
	{ "a trailer with NUL in it", BYTES("0\r\nA: \0\r\n\r\n"), CHUNK_BAD, "", 0 },
};

static void bodies_are_the_same_in_all_pieces(void **state)
{
	static struct outcome got;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 1; piece <= rows[i].n; piece++) {
			const struct row *r = &rows[i];
			const bool same = (take_pieces(r->bytes, r->n, piece, &got), got.result) == r->result;

			if (!same || got.n != strlen(r->body) || memcmp(got.body, r->body, got.n) != 0)
				fail_msg("%s, by %zu: %d, %zu bytes", r->name, piece, got.result, got.n);
			if (got.result != CHUNK_BAD && got.taken + r->over != r->n)
				fail_msg("%s, by %zu: %zu taken", r->name, piece, got.taken);
		}
}

static void what_ended_or_was_refused_stays_so(void **state)
{
	static const uint8_t more[] = "5\r\nhello\r\n";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *first = i == 0 ? LAST : "x";
		struct chunked c;
		size_t taken, data;

		chunked_init(&c);
		assert_int_equal(chunked_take(&c, (const uint8_t *)first, strlen(first), &taken, &data),
				 i == 0 ? CHUNK_END : CHUNK_BAD);
		assert_int_equal(chunked_take(&c, more, sizeof more - 1, &taken, &data),
				 i == 0 ? CHUNK_END : CHUNK_BAD);
		assert_true(taken == 0 && data == 0);
	}
}

static enum chunk_result take_filled(const char *before, size_t fill, const char *behind)
{
	static char text[MOST];
	static struct outcome got;
	const size_t n = strlen(before);

	memcpy(text, before, n);
	memset(text + n, 'a', fill);
	strcpy(text + n + fill, behind);
	take_pieces(text, n + fill + strlen(behind), MOST, &got);
	return got.result;
}

static void limits_are_where_they_are_said_to_be(void **state)
{
	static char text[MOST] = "0\r\n";
	static struct outcome got;
	size_t n = 3;

	(void)state;
	assert_int_equal(take_filled("0;", CHUNK_LINE_MAX, "\r\n\r\n"), CHUNK_END);
	assert_int_equal(take_filled("0;", CHUNK_LINE_MAX + 1, "\r\n\r\n"), CHUNK_BAD);
	assert_int_equal(take_filled("0\r\nA:", CHUNK_LINE_MAX - 1, "\r\n\r\n"), CHUNK_END);
	assert_int_equal(take_filled("0\r\nA:", CHUNK_LINE_MAX, "\r\n\r\n"), CHUNK_BAD);
	assert_int_equal(take_filled("0\r\n", CHUNK_LINE_MAX, ":\r\n\r\n"), CHUNK_END);
	assert_int_equal(take_filled("0\r\n", CHUNK_LINE_MAX + 1, ":\r\n\r\n"), CHUNK_BAD);
	for (; n + 8 <= 3 + CHUNK_TRAILER_MAX; n += 8)
		memcpy(text + n, "A: bcd\r\n", 8);
	memcpy(text + n - 8, "A: b\r\n\r\n", 8);
	take_pieces(text, n, MOST, &got);
	assert_int_equal(got.result, CHUNK_END);
	memcpy(text + n - 8, "A: bc\r\n\r\n", 9);
	take_pieces(text, n + 1, MOST, &got);
	assert_int_equal(got.result, CHUNK_BAD);
}

static void what_is_composed_is_read_again(void **state)
{
	static struct outcome got;
	auto_buf out = { 0 };

	(void)state;
	buf_init(&out, MOST);
	for (size_t n = 1; n <= 128; n++) {
		static const uint8_t text[128] = { '\r', '\n', '0' };

		buf_reset(&out);
		compose_chunk(&out, n);
		buf_put(&out, text, n);
		buf_put(&out, "\r\n" LAST, 7);
		take_pieces((const char *)out.data, out.len, 7, &got);
		assert_int_equal(got.result, CHUNK_END);
		assert_true(got.n == n && memcmp(got.body, text, n) == 0 && got.taken == out.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_the_same_in_all_pieces),
		cmocka_unit_test(what_ended_or_was_refused_stays_so),
		cmocka_unit_test(limits_are_where_they_are_said_to_be),
		cmocka_unit_test(what_is_composed_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
