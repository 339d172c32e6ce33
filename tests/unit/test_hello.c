/* What a hello says is the same however its bytes come, and what servers could read in two ways is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hello_vectors.h"
#include "net/hello.h"
#include "octets.h"
#include "prop.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define ROOM (2 * HELLO_MAX)

/* A hello, from its parts. */
#define RECORD(of) "160301 [2 " of "]"
#define MESSAGE(of) RECORD("01 [3 " of "]")
#define FIELDS "0303 32*11 [1] [2 1301 00ff] [1 00]"
#define WITH(extensions) MESSAGE(FIELDS "[2 " extensions "]")
#define NAME(n) "0000 [2 [2 00 [2 " n "]]]"
#define GOOD NAME("'api.example.com'")
#define PSK "0029 [2 00]"
#define LABEL "'abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0'" /* of 63 */

struct row {
	const char *name;
	const char *bytes; /* octets.h */
	size_t at;         /* with how many bytes it is decided; 0: with the last */
	const char *host;  /* NULL: none */
	bool ech;
};

struct said {
	enum hello_state state;
	size_t at;
	bool has_name, has_ech;
	char name[HOST_NAME_MAX_LEN + 1];
};

static struct hello hello, before;

/* ---- in every way in which bytes can come ---- */

static struct said said_so_far(size_t at)
{
	struct said said = {
		.state = (enum hello_state)hello.state, .at = at, .has_name = hello.has_name, .has_ech = hello.has_ech
	};

	memcpy(said.name, hello.name.text, sizeof said.name);
	return said;
}

static struct said read_whole(const uint8_t *bytes, size_t n)
{
	hello_init(&hello);
	(void)hello_read(&hello, bytes, n);
	return said_so_far(hello.seen);
}

static struct said read_bytewise(const uint8_t *bytes, size_t n)
{
	size_t at = 0;

	hello_init(&hello);
	while (at < n && hello_read(&hello, bytes, at + 1) == HELLO_MORE)
		at++;
	return said_so_far(hello.state == HELLO_MORE ? at : at + 1);
}

static struct said read_in_two(const uint8_t *bytes, size_t n, size_t first)
{
	hello_init(&hello);
	(void)hello_read(&hello, bytes, first);
	(void)hello_read(&hello, bytes, n);
	return said_so_far(hello.seen);
}

static void expect_same(const char *name, const char *way, size_t at, struct said expected, struct said got)
{
	if (expected.state != got.state || expected.at != got.at || expected.has_name != got.has_name ||
	    expected.has_ech != got.has_ech || strcmp(expected.name, got.name) != 0)
		fail_msg("%s, %s %zu: state %d at %zu, name '%s'; whole: %d at %zu, '%s'", name, way, at,
			 (int)got.state, got.at, got.name, (int)expected.state, expected.at, expected.name);
}

static void expect_same_in_pieces(const char *name, const uint8_t *bytes, size_t n)
{
	const struct said whole = read_whole(bytes, n);

	expect_same(name, "bytes", 1, whole, read_bytewise(bytes, n));
	for (size_t at = 0; at <= n; at++)
		expect_same(name, "in two at", at, whole, read_in_two(bytes, n, at));
	for (size_t at = 0; at < whole.at; at++)
		if (read_whole(bytes, at).state != HELLO_MORE)
			fail_msg("%s, cut at %zu: state %d", name, at, (int)hello.state);
}

static size_t put_record(uint8_t *out, const uint8_t *payload, size_t n)
{
	out[0] = 22;
	out[1] = 3;
	out[2] = 1;
	out[3] = (uint8_t)(n >> 8);
	out[4] = (uint8_t)n;
	memcpy(out + 5, payload, n);
	return n + 5;
}

/* The message of one record as two, and as one for each byte. */
static void expect_same_over_records(const char *name, const uint8_t *bytes, size_t n)
{
	static uint8_t again[ROOM];
	struct said whole = read_whole(bytes, n);
	size_t size = 0;

	whole.at += 5;
	for (size_t at = 1; at < n - 5; at++) {
		size = put_record(again, bytes + 5, at);
		size += put_record(again + size, bytes + 5 + at, n - 5 - at);
		expect_same(name, "records split at", at, whole, read_whole(again, size));
		expect_same(name, "records, in bytes, split at", at, whole, read_bytewise(again, size));
	}
	size = 0;
	for (size_t at = 5; at < n; at++)
		size += put_record(again + size, bytes + at, 1);
	whole.at = size;
	expect_same(name, "records of bytes", 1, whole, read_whole(again, size));
	for (size_t at = 0; at < size; at++)
		if (read_whole(again, at).state != HELLO_MORE)
			fail_msg("%s, in records, cut at %zu", name, at);
}

static void expect_said(const struct row *row, enum hello_state state)
{
	static uint8_t bytes[ROOM];
	const size_t n = octets(row->bytes, bytes, sizeof bytes);
	const struct said said = read_whole(bytes, n);

	if (said.state != state || said.at != (row->at > 0 ? row->at : n) || said.has_name != (row->host != NULL) ||
	    strcmp(said.name, row->host != NULL ? row->host : "") != 0 || said.has_ech != row->ech)
		fail_msg("%s: state %d at %zu of %zu, name '%s', ech %d", row->name, (int)said.state, said.at, n,
			 said.name, said.has_ech);
	expect_same_in_pieces(row->name, bytes, n);
}

static void expect_rows(const struct row *rows, size_t n, enum hello_state state)
{
	for (size_t i = 0; i < n; i++)
		expect_said(&rows[i], state);
}

/* ---- what is read ---- */

static void hellos_of_clients_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hello_vectors); i++) {
		static uint8_t bytes[ROOM];
		const struct row row = { hello_vectors[i].client, hello_vectors[i].bytes, 0, hello_vectors[i].name,
					 hello_vectors[i].ech };

		expect_said(&row, HELLO_DONE);
		expect_same_over_records(row.name, bytes, octets(row.bytes, bytes, sizeof bytes));
	}
}

static void what_every_server_takes_is_done(void **state)
{
	static const struct row rows[] = {
		{ "a name", WITH(GOOD), 0, "api.example.com", false },
		{ "a name in capitals", WITH(NAME("'API.Example.COM'")), 0, "api.example.com", false },
		{ "one label", WITH(NAME("'localhost'")), 0, "localhost", false },
		{ "the longest label", WITH(NAME(LABEL "'.example'")), 0,
		  "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0.example", false },
		{ "no extensions", MESSAGE(FIELDS), 0, NULL, false },
		{ "an empty block of extensions", WITH(""), 0, NULL, false },
		{ "extensions without a name", WITH("000a [2 [2 001d]] 0017 [2]"), 0, NULL, false },
		{ "a name between others", WITH("6a6a [2] " GOOD " 7a7a [2 00]"), 0, "api.example.com", false },
		{ "ECH", WITH(GOOD " fe0d [2 00 0001 0001 01 [2 11] [2 22]]"), 0, "api.example.com", true },
		{ "ECH that is none", WITH("fe0d [2]"), 0, NULL, true },
		{ "the first draft's ECH", WITH("fe08 [2]"), 0, NULL, true },
		{ "ESNI", WITH("ffce [2]"), 0, NULL, true },
		{ "numbers beside those", WITH("fe07 [2] fe0e [2] ffcd [2] ffcf [2]"), 0, NULL, false },
		{ "pre_shared_key at the end", WITH(GOOD PSK), 0, "api.example.com", false },
		{ "pre_shared_key alone", WITH(PSK), 0, NULL, false },
		{ "record of version 3.0", "160300 [2 01 [3 " FIELDS "]]", 0, NULL, false },
		{ "record of version 3.3", "160303 [2 01 [3 " FIELDS "]]", 0, NULL, false },
		{ "TLS 1.0", MESSAGE("0301 32*11 [1] [2 002f] [1 00]"), 0, NULL, false },
		{ "a session id of 32", MESSAGE("0303 32*11 [1 32*22] [2 1301] [1 00]"), 0, NULL, false },
		{ "bytes after it", WITH(GOOD) "140303 [2 01] 170303 [2 00]", 78, "api.example.com", false },
	};

	(void)state;
	expect_rows(rows, COUNT(rows), HELLO_DONE);
}

/* ---- what is refused ---- */

static void what_servers_read_in_two_ways_is_malformed(void **state)
{
	static const struct row rows[] = {
		{ "two names in the list", WITH("0000 [2 [2 00 [2 'a.example'] 00 [2 'b.example']]]"), 0, NULL, false },
		{ "twice the same name", WITH("0000 [2 [2 00 [2 'a.example'] 00 [2 'a.example']]]"), 0, NULL, false },
		{ "two lists", WITH(NAME("'a.example'") NAME("'b.example'")), 0, NULL, false },
		{ "two lists, other things between", WITH(GOOD " 000a [2 [2 001d]] " GOOD), 0, NULL, false },
		{ "two extensions that nobody knows", WITH(GOOD " abcd [2] abcd [2]"), 0, NULL, false },
		{ "two of ECH", WITH(GOOD " fe0d [2] fe0d [2]"), 0, NULL, false },
		{ "a name of type 1", WITH("0000 [2 [2 01 [2 'a.example']]]"), 0, NULL, false },
		{ "a name of type 1 after one", WITH("0000 [2 [2 00 [2 'a.example'] 01 [2 'b.example']]]"), 0, NULL,
		  false },
		{ "a name of type 1 before one", WITH("0000 [2 [2 01 [2 'a.example'] 00 [2 'b.example']]]"), 0, NULL,
		  false },
		{ "an empty list", WITH("0000 [2 [2]]"), 0, NULL, false },
		{ "no list", WITH("0000 [2]"), 0, NULL, false },
		{ "an empty name", WITH(NAME("")), 0, NULL, false },
		{ "a byte after the name", WITH("0000 [2 [2 00 [2 'a.example'] 00]]"), 0, NULL, false },
		{ "a byte after the list", WITH("0000 [2 [2 00 [2 'a.example']] 00]"), 0, NULL, false },
		{ "a list shorter than its name", WITH("0000 [2 0005 00 [2 'a.example']]"), 0, NULL, false },
		{ "a list longer than its extension", WITH("0000 [2 000d 00 [2 'a.example']] 0017 [2]"), 0, NULL,
		  false },
		{ "a name longer than its list", WITH("0000 [2 [2 00 000a 'a.example']] 0017 [2]"), 0, NULL, false },
		{ "a name shorter than its list", WITH("0000 [2 [2 00 0008 'a.example']]"), 0, NULL, false },
		{ "a list of one byte", WITH("0000 [2 00]"), 0, NULL, false },

		{ "a final dot", WITH(NAME("'a.example.'")), 0, NULL, false },
		{ "two final dots", WITH(NAME("'a.example..'")), 0, NULL, false },
		{ "a dot alone", WITH(NAME("'.'")), 0, NULL, false },
		{ "a NUL", WITH(NAME("'a.example' 00 '.evil.example'")), 0, NULL, false },
		{ "a NUL at the end", WITH(NAME("'a.example' 00")), 0, NULL, false },
		{ "an address", WITH(NAME("'192.0.2.7'")), 0, NULL, false },
		{ "an address of IPv6", WITH(NAME("'2001:db8::1'")), 0, NULL, false },
		{ "a space", WITH(NAME("'a.example '")), 0, NULL, false },
		{ "a letter that is none of ASCII", WITH(NAME("c3a9 '.example'")), 0, NULL, false },
		{ "a star", WITH(NAME("'*.example'")), 0, NULL, false },
		{ "a label of 64", WITH(NAME(LABEL "'1.example'")), 0, NULL, false },

		{ "an extension longer than the block", WITH("0017 0001"), 0, NULL, false },
		{ "an extension cut in its head", WITH(GOOD " 0017 00"), 0, NULL, false },
		{ "an extension cut in its type", WITH(GOOD " 00"), 0, NULL, false },
		{ "a block longer than the message", MESSAGE(FIELDS "0001"), 0, NULL, false },
		{ "a block shorter than the message", MESSAGE(FIELDS "[2 " GOOD "] 00"), 0, NULL, false },
		{ "half a length of a block", MESSAGE(FIELDS "00"), 0, NULL, false },
		{ "pre_shared_key before another", WITH(PSK " 0017 [2]"), 0, NULL, false },
		{ "pre_shared_key before the name", WITH(PSK GOOD), 0, NULL, false },
		{ "pre_shared_key twice", WITH(PSK PSK), 0, NULL, false },

		{ "an empty message", RECORD("01 [3]"), 0, NULL, false },
		{ "nothing after the random", MESSAGE("0303 32*11"), 0, NULL, false },
		{ "nothing after the session id", MESSAGE("0303 32*11 [1]"), 0, NULL, false },
		{ "nothing after the suites", MESSAGE("0303 32*11 [1] [2 1301]"), 0, NULL, false },
		{ "a session id of 33", MESSAGE("0303 32*11 [1 33*22] [2 1301] [1 00]"), 0, NULL, false },
		{ "no suites", MESSAGE("0303 32*11 [1] [2] [1 00]"), 0, NULL, false },
		{ "half a suite", MESSAGE("0303 32*11 [1] [2 130113] [1 00]"), 0, NULL, false },
		{ "no compression", MESSAGE("0303 32*11 [1] [2 1301] [1]"), 0, NULL, false },
		{ "deflate", MESSAGE("0303 32*11 [1] [2 1301] [1 01]"), 0, NULL, false },
		{ "deflate or none", MESSAGE("0303 32*11 [1] [2 1301] [1 0001]"), 0, NULL, false },
		{ "SSL 3", MESSAGE("0300 32*11 [1] [2 1301] [1 00]"), 0, NULL, false },
		{ "version 3.4", MESSAGE("0304 32*11 [1] [2 1301] [1 00]"), 0, NULL, false },
		{ "DTLS", MESSAGE("fefd 32*11 [1] [2 1301] [1 00]"), 0, NULL, false },

		{ "another message first", RECORD("00 [3] 01 [3 " FIELDS "]"), 6, NULL, false },
		{ "a server's hello", RECORD("02 [3 " FIELDS "]"), 6, NULL, false },
		{ "a message of 64 KiB and more", "160301 4000 01 010000", 9, NULL, false },
		{ "a byte after the message", RECORD("01 [3 " FIELDS "] 00"), 52, NULL, false },
		{ "another message in its record", RECORD("01 [3 " FIELDS "] 01 [3 " FIELDS "]"), 52, NULL, false },
		{ "an empty record first", "160301 0000" WITH(GOOD), 5, NULL, false },
		{ "an empty record within", RECORD("01") "160301 0000", 0, NULL, false },
		{ "a record over 2^14", "160301 4001", 0, NULL, false },
		{ "an alert first", "150301 [2 0100]" WITH(GOOD), 1, NULL, false },
		{ "an alert within", RECORD("01 00") "150301 [2 0100]", 8, NULL, false },
		{ "change_cipher_spec first", "140303 [2 01]" WITH(GOOD), 1, NULL, false },
		{ "change_cipher_spec within", RECORD("01 00") "140303 [2 01]", 8, NULL, false },
		{ "application data first", "170303 [2 00]", 1, NULL, false },
		{ "a heartbeat first", "180303 [2 01 [2]]", 1, NULL, false },
		{ "a record of version 2", "160200", 2, NULL, false },
		{ "a record of version 4", "160400", 2, NULL, false },
		{ "a record of version 3.4", "160304", 0, NULL, false },
		{ "a second record of version 2", RECORD("01 00") "1602", 0, NULL, false },
		{ "a second record of version 3.4", RECORD("01 00") "160304", 0, NULL, false },
		{ "DTLS' record", "16feff", 2, NULL, false },
		{ "plain text within", RECORD("01 00") "'GET'", 8, NULL, false },
		{ "SSL 2's hello", "802b 01 0303 [2] 0010 0010", 3, NULL, false },
		{ "SSL 2's shortest", "8009 01", 0, NULL, false },
		{ "SSL 2's longest", "c800 01", 0, NULL, false },
	};

	(void)state;
	expect_rows(rows, COUNT(rows), HELLO_MALFORMED);
}

static void other_protocols_are_told_at_once(void **state)
{
	static const struct row rows[] = {
		{ "HTTP", "'GET / HTTP/1.1' 0d0a", 1, NULL, false },
		{ "SSH", "'SSH-2.0-x' 0d0a", 1, NULL, false },
		{ "an empty line", "0d0a", 1, NULL, false },
		{ "SOCKS 5", "050100", 1, NULL, false },
		{ "PostgreSQL", "00000008 04d2162f", 1, NULL, false },
		{ "what stands before TLS' types", "13", 0, NULL, false },
		{ "what stands after them", "19", 0, NULL, false },
		{ "HTTP/2", "'PRI * HTTP/2.0'", 1, NULL, false },
		{ "telnet", "fffd01", 2, NULL, false },
		{ "ONC RPC", "8000 0128", 2, NULL, false },
		{ "shorter than SSL 2's hello", "8008 01", 2, NULL, false },
		{ "longer than any record", "c801 01", 2, NULL, false },
		{ "another message of SSL 2", "802b 02", 0, NULL, false },
	};

	(void)state;
	expect_rows(rows, COUNT(rows), HELLO_NOT_TLS);
}

/* ---- limits ---- */

/* A hello of exactly n bytes of message, in records of at most `piece`, padded by an extension. Gives its length. */
static size_t large(uint8_t *out, size_t n, size_t piece)
{
	static uint8_t message[ROOM];
	const size_t head = octets("01 000000 " FIELDS, message, sizeof message);
	const size_t extensions = n - head - 2, padding = extensions - 4;
	size_t size = 0;

	memset(message + head, 0, n - head);
	message[1] = (uint8_t)((n - 4) >> 16);
	message[2] = (uint8_t)((n - 4) >> 8);
	message[3] = (uint8_t)(n - 4);
	message[head] = (uint8_t)(extensions >> 8);
	message[head + 1] = (uint8_t)extensions;
	message[head + 3] = 21; /* padding (RFC 7685) */
	message[head + 4] = (uint8_t)(padding >> 8);
	message[head + 5] = (uint8_t)padding;
	for (size_t at = 0; at < n; at += piece)
		size += put_record(out + size, message + at, n - at < piece ? n - at : piece);
	return size;
}

static void a_hello_has_at_most_so_many_bytes(void **state)
{
	static const struct {
		size_t message, piece, size;
		enum hello_state state;
		size_t at;
	} rows[] = {
		{ 16384, 16384, 16389, HELLO_DONE, 16389 },
		{ 16385, 16385, 16390, HELLO_MALFORMED, 5 },
		{ HELLO_MAX - 4 * 5 - 5, 16000, HELLO_MAX, HELLO_DONE, HELLO_MAX },
		{ HELLO_MAX - 4 * 5 - 4, 16000, HELLO_MAX + 1, HELLO_MALFORMED, 4 * 16005 + 5 },
		{ HELLO_MAX - 4, 16384, HELLO_MAX + 16, HELLO_MALFORMED, 9 },
		{ 10922, 1, 65532, HELLO_DONE, 65532 },
		{ 10923, 1, 65538, HELLO_MALFORMED, HELLO_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static uint8_t bytes[ROOM];
		const size_t n = large(bytes, rows[i].message, rows[i].piece);
		const struct said said = read_whole(bytes, n);

		if (n != rows[i].size || said.state != rows[i].state || said.at != rows[i].at)
			fail_msg("row %zu, %zu bytes: state %d at %zu", i, n, (int)said.state, said.at);
		expect_same("large", "bytes", 1, said, read_bytewise(bytes, n));
	}
}

static void nothing_changes_after_the_end(void **state)
{
	static const char *const ends[] = { WITH(GOOD), WITH(NAME("'192.0.2.7'")), "'GET /'", "160304" };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		uint8_t bytes[256];
		const size_t n = octets(ends[i], bytes, sizeof bytes);
		const enum hello_state end = read_whole(bytes, n).state;

		memcpy(&before, &hello, sizeof before);
		assert_int_equal(hello_read(&hello, bytes, n), end);
		assert_int_equal(hello_read(&hello, bytes, 0), end);
		assert_memory_equal(&before, &hello, sizeof before);
	}
}

/* ---- any bytes ---- */

static void random_changes_never_tell_two_things(void **state)
{
	const uint64_t rounds = prop_rounds(3000);
	size_t done = 0;

	(void)state;
	for (uint64_t round = 0; round < rounds; round++) {
		static uint8_t bytes[ROOM];
		struct prop p = prop_round(round);
		size_t n = octets(hello_vectors[prop_below(&p, COUNT(hello_vectors))].bytes, bytes, sizeof bytes),
		       at = 0;
		struct said whole;

		for (uint32_t flips = prop_below(&p, 4); flips > 0; flips--)
			bytes[prop_below(&p, (uint32_t)n)] ^= (uint8_t)(1u << prop_below(&p, 8));
		n -= prop_below(&p, 8) == 0 ? prop_below(&p, (uint32_t)n) : 0;
		whole = read_whole(bytes, n);
		done += whole.state == HELLO_DONE;
		if ((whole.has_name || whole.has_ech) && whole.state != HELLO_DONE)
			prop_fail(&p, "something is told of what is not done");
		hello_init(&hello);
		while (at < n) {
			const size_t piece = 1 + prop_below(&p, (uint32_t)(n - at));

			if (hello_read(&hello, bytes, at + piece) != HELLO_MORE)
				break;
			at += piece;
		}
		if (hello.state != whole.state || hello.has_name != whole.has_name || hello.has_ech != whole.has_ech ||
		    strcmp(hello.name.text, whole.name) != 0 || hello.seen != whole.at)
			prop_fail(&p, "state %d, and %d in pieces", (int)whole.state, hello.state);
	}
	assert_in_range(done, rounds / 8, rounds - rounds / 8); /* the rounds are of both kinds */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hellos_of_clients_are_read),
		cmocka_unit_test(what_every_server_takes_is_done),
		cmocka_unit_test(what_servers_read_in_two_ways_is_malformed),
		cmocka_unit_test(other_protocols_are_told_at_once),
		cmocka_unit_test(a_hello_has_at_most_so_many_bytes),
		cmocka_unit_test(nothing_changes_after_the_end),
		cmocka_unit_test(random_changes_never_tell_two_things),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
