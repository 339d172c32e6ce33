/* Where a message ends: at the last byte of what came, in one piece and in all others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/framed.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define BYTES(text) text, sizeof text - 1
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define HUNDRED FIFTY FIFTY

static const struct row {
	const char *name;
	enum framed_kind kind;
	const char *bytes;
	size_t n;
	bool ends;
} rows[] = {
	{ "no messages", FRAMED_NOT, BYTES("\x81\x01x"), false },
	{ "a frame", FRAMED_WEBSOCKET, BYTES("\x81\x05hello"), true },
	{ "one of no bytes", FRAMED_WEBSOCKET, BYTES("\x89\x00"), true },
	{ "half a head", FRAMED_WEBSOCKET, BYTES("\x81"), false },
	{ "a head alone", FRAMED_WEBSOCKET, BYTES("\x81\x05"), false },
	{ "one byte less", FRAMED_WEBSOCKET, BYTES("\x81\x05hell"), false },
	{ "one byte more", FRAMED_WEBSOCKET, BYTES("\x81\x05hello\x81"), false },
	{ "two frames", FRAMED_WEBSOCKET, BYTES("\x81\x05hello\x82\x01!"), true },
	{ "a length of two bytes", FRAMED_WEBSOCKET, BYTES("\x82\x7e\x00\x7e" HUNDRED TEN TEN "012345"), true },
	{ "and one byte less", FRAMED_WEBSOCKET, BYTES("\x82\x7e\x00\x7f" HUNDRED TEN TEN "012345"), false },
	{ "a length of eight", FRAMED_WEBSOCKET, BYTES("\x82\x7f\0\0\0\0\0\0\0\x0a" TEN), true },
	{ "one that is never reached", FRAMED_WEBSOCKET, BYTES("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff" TEN), false },
	{ "half of that length", FRAMED_WEBSOCKET, BYTES("\x82\x7f\0\0\0\0"), false },
	{ "behind a mask", FRAMED_WEBSOCKET, BYTES("\x82\x82mask!!"), true },
	{ "behind a mask, and a long length", FRAMED_WEBSOCKET, BYTES("\x82\xff\0\0\0\0\0\0\0\x02mask!!"), true },
	{ "half of a mask", FRAMED_WEBSOCKET, BYTES("\x82\x80mas"), false },
	{ "a message of gRPC", FRAMED_GRPC, BYTES("\0\0\0\0\x05hello"), true },
	{ "one that is compressed", FRAMED_GRPC, BYTES("\1\0\0\0\x01x"), true },
	{ "of no bytes", FRAMED_GRPC, BYTES("\0\0\0\0\0"), true },
	{ "two", FRAMED_GRPC, BYTES("\0\0\0\0\x02hi\0\0\0\0\x01!"), true },
	{ "half of its head", FRAMED_GRPC, BYTES("\0\0\0\0"), false },
	{ "half of it", FRAMED_GRPC, BYTES("\0\0\0\0\x05he"), false },
	{ "the last one of Connect", FRAMED_GRPC, BYTES("\x02\0\0\0\x02{}"), true },
	{ "a trailer of gRPC-Web", FRAMED_GRPC, BYTES("\x80\0\0\0\x02\r\n"), true },
	{ "a text", FRAMED_GRPC, BYTES("{\0\0\0\x01x"), false },
	{ "one, and then a text", FRAMED_GRPC, BYTES("\0\0\0\0\x01x\x04\0\0\0\x01x"), false },
	{ "a text, and then what looks like one", FRAMED_GRPC, BYTES("{\0\0\0\0\0\0\0\0\0\0"), false },
	{ "a long one", FRAMED_GRPC, BYTES("\0\xff\xff\xff\xff" HUNDRED), false },
	{ "of 256 bytes", FRAMED_GRPC, BYTES("\0\0\0\x01\0" HUNDRED HUNDRED FIFTY "012345"), true },
	{ "of 257", FRAMED_GRPC, BYTES("\0\0\0\x01\x01" HUNDRED HUNDRED FIFTY "012345"), false },
};

/* Each piece in memory of its own size. */
static bool run_in_pieces(const struct row *r, size_t piece)
{
	struct framed f = { .kind = (uint8_t)r->kind };
	bool ends = false;

	for (size_t at = 0, n; at < r->n; at += n) {
		uint8_t *exact;

		n = piece < r->n - at ? piece : r->n - at;
		exact = malloc(n);
		assert_non_null(exact);
		memcpy(exact, r->bytes + at, n);
		ends = framed_run(&f, exact, n);
		free(exact);
	}
	return ends;
}

static void ends_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 1; piece <= rows[i].n; piece++)
			if (run_in_pieces(&rows[i], piece) != rows[i].ends)
				fail_msg("%s, in pieces of %zu", rows[i].name, piece);
}

static void types_are_known(void **state)
{
	static const struct {
		const char *type;
		enum framed_kind kind;
	} types[] = {
		{ "application/grpc", FRAMED_GRPC },
		{ "application/grpc+proto", FRAMED_GRPC },
		{ "Application/GRPC-web+proto; x=y", FRAMED_GRPC },
		{ "application/connect+json", FRAMED_GRPC },
		{ "application/connect", FRAMED_NOT },
		{ "application/grp", FRAMED_NOT },
		{ "application/json", FRAMED_NOT },
		{ "text/event-stream", FRAMED_NOT },
		{ "", FRAMED_NOT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		const struct http_text t = { types[i].type, strlen(types[i].type) };

		assert_int_equal(framed_of_type(&t), types[i].kind);
	}
	assert_int_equal(framed_of_type(NULL), FRAMED_NOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ends_are_found), cmocka_unit_test(types_are_known) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
