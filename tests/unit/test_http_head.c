/* Heads of HTTP/1: each way in which two servers could read one differently is refused, with its reason, beside a twin that is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/compose.h"
#include "http/head.h"
#include "prop.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a.example\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define END "\r\n"
#define BYTES(text) text, sizeof text - 1 /* a NUL may be among them */

#define FIRST "first line"
#define LINE "otherwise than in CR LF"
#define NAME "no name"
#define TOKEN "no token"
#define CONTROL "control character"
#define TWICE "there twice"
#define BOTH "both"
#define CODING "another than"
#define NUMBER "no number"

struct row {
	const char *name, *bytes;
	size_t n;
	const char *why; /* a part of it; NULL: it is taken */
	enum http_body body;
	uint64_t length;
};

typedef int take(const uint8_t *bytes, size_t n, struct http_head *ret, const char **ret_why);

/* In memory that ends where the bytes do, so that sanitizers see who reads further. */
static int take_exact(take *f, const char *bytes, size_t n, struct http_head *ret, const char **ret_why)
{
	static uint8_t *exact;

	free(exact);
	exact = malloc(n > 0 ? n : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, n);
	return f(exact, n, ret, ret_why);
}

static void expect_row(take *f, const struct row *row)
{
	static struct http_head h;
	const char *why = "";
	const int r = take_exact(f, row->bytes, row->n, &h, &why);

	if (r != (row->why == NULL ? 1 : -1) || (row->why != NULL && strstr(why, row->why) == NULL))
		fail_msg("%s: %d, %s", row->name, r, why);
	if (r == 1 && (h.length != row->n || h.body != row->body || h.body_length != row->length))
		fail_msg("%s: %zu bytes, body %d of %llu", row->name, h.length, h.body,
			 (unsigned long long)h.body_length);
}

/* A beginning is never whole; what is refused early is refused whole. */
static void expect_beginnings(take *f, const struct row *row)
{
	static struct http_head h;
	const char *why;

	for (size_t n = 0; n < row->n; n++) {
		const int r = take_exact(f, row->bytes, n, &h, &why);

		if (r == 1 || (r == -1 && row->why == NULL))
			fail_msg("%s: %d of its first %zu bytes", row->name, r, n);
	}
}

static void expect_rows(take *f, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		expect_row(f, &rows[i]);
		expect_beginnings(f, &rows[i]);
	}
}

static void requests_that_mean_one_thing_are_taken(void **state)
{
	static const struct row rows[] = {
		{ "the shortest", BYTES(GET END), NULL, HTTP_NO_BODY, 0 },
		{ "HTTP/1.0", BYTES("GET / HTTP/1.0\r\n" END), NULL, HTTP_NO_BODY, 0 },
		{ "a length", BYTES(POST "Content-Length: 5\r\n" END), NULL, HTTP_LENGTH, 5 },
		{ "a length in HTTP/1.0", BYTES("POST / HTTP/1.0\r\nContent-Length: 5\r\n" END), NULL, HTTP_LENGTH, 5 },
		{ "no bytes", BYTES(POST "Content-Length: 0\r\n" END), NULL, HTTP_LENGTH, 0 },
		{ "blanks around a length", BYTES(POST "Content-Length: \t 5 \t\r\n" END), NULL, HTTP_LENGTH, 5 },
		{ "no blank before it", BYTES(POST "content-length:5\r\n" END), NULL, HTTP_LENGTH, 5 },
		{ "18 digits", BYTES(POST "Content-Length: 999999999999999999\r\n" END), NULL, HTTP_LENGTH,
		  UINT64_C(999999999999999999) },
		{ "chunked", BYTES(POST CHUNKED END), NULL, HTTP_CHUNKED, 0 },
		{ "chunked in capitals", BYTES(POST "TRANSFER-ENCODING:CHUNKED\r\n" END), NULL, HTTP_CHUNKED, 0 },
		{ "an empty value", BYTES(GET "A:\r\n" END), NULL, HTTP_NO_BODY, 0 },
		{ "bytes beyond ASCII in a value", BYTES(GET "A: \x80\xff\r\n" END), NULL, HTTP_NO_BODY, 0 },
		{ "a tab in a value", BYTES(GET "A: b\tc\r\n" END), NULL, HTTP_NO_BODY, 0 },
		{ "a colon in a value", BYTES(GET "A: b:c\r\n" END), NULL, HTTP_NO_BODY, 0 },
		{ "a name with all that a token may have", BYTES(GET "!#$%&'*+-.^_`|~09azAZ: b\r\n" END), NULL,
		  HTTP_NO_BODY, 0 },
		{ "fields that are twice and may be", BYTES(GET "Cookie: a\r\nCookie: b\r\n" END), NULL, HTTP_NO_BODY,
		  0 },
		{ "a method of one's own", BYTES("M-SEARCH / HTTP/1.1\r\n" END), NULL, HTTP_NO_BODY, 0 },
		{ "a whole address", BYTES("GET http://a.example/b?c HTTP/1.1\r\n" END), NULL, HTTP_NO_BODY, 0 },
		{ "an asterisk", BYTES("OPTIONS * HTTP/1.1\r\n" END), NULL, HTTP_NO_BODY, 0 },
	};

	(void)state;
	expect_rows(http_head_request, rows, COUNT(rows));
}

static void first_lines_that_mean_two_things_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "HTTP/0.9", BYTES("GET /\r\n"), FIRST, 0, 0 },
		{ "no version", BYTES("GET / \r\n"), FIRST, 0, 0 },
		{ "the beginning of HTTP/2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), FIRST, 0, 0 },
		{ "HTTP/1.2", BYTES("GET / HTTP/1.2\r\n" END), FIRST, 0, 0 },
		{ "HTTP/1.10", BYTES("GET / HTTP/1.10\r\n" END), FIRST, 0, 0 },
		{ "HTTP/01.1", BYTES("GET / HTTP/01.1\r\n" END), FIRST, 0, 0 },
		{ "HTTP/1,1", BYTES("GET / HTTP/1,1\r\n" END), FIRST, 0, 0 },
		{ "HTTP/1", BYTES("GET / HTTP/1\r\n" END), FIRST, 0, 0 },
		{ "http/1.1", BYTES("GET / http/1.1\r\n" END), FIRST, 0, 0 },
		{ "a blank behind the version", BYTES("GET / HTTP/1.1 \r\n" END), FIRST, 0, 0 },
		{ "a tab behind the version", BYTES("GET / HTTP/1.1\t\r\n" END), FIRST, 0, 0 },
		{ "two versions", BYTES("GET / HTTP/1.1 HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "two blanks", BYTES("GET  / HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "two blanks before the version", BYTES("GET /  HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a tab for a blank", BYTES("GET\t/ HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a tab before the version", BYTES("GET /\tHTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a vertical tab", BYTES("GET\x0b/ HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a blank in front", BYTES(" GET / HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "an empty line in front", BYTES("\r\n" GET END), FIRST, 0, 0 },
		{ "an empty line of LF in front", BYTES("\n" GET END), FIRST, 0, 0 },
		{ "small letters", BYTES("get / HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "mixed letters", BYTES("Get / HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a method that is no token", BYTES("G(T / HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a colon in the method", BYTES("GET: / HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "NUL in the method", BYTES("GE\0T / HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "no method", BYTES("/ HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a fragment", BYTES("GET /a#b HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "NUL in the target", BYTES("GET /\0 HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "DEL in the target", BYTES("GET /\x7f HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "beyond ASCII", BYTES("GET /\xc3\xa4 HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "a lone CR", BYTES("GET /\rX: y HTTP/1.1\r\n" END), FIRST, 0, 0 },
		{ "LF alone", BYTES("GET / HTTP/1.1\n\n"), FIRST, 0, 0 },
		{ "CR CR LF", BYTES("GET / HTTP/1.1\r\r\n" END), FIRST, 0, 0 },
		{ "an answer", BYTES(OK END), FIRST, 0, 0 },
		{ "TLS", BYTES("\x16\x03\x01\x02\0\x01\n"), FIRST, 0, 0 },
	};

	(void)state;
	expect_rows(http_head_request, rows, COUNT(rows));
}

static void fields_that_mean_two_things_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "a blank before the colon", BYTES(POST "Content-Length : 5\r\n" END), TOKEN, 0, 0 },
		{ "a tab before the colon", BYTES(POST "Transfer-Encoding\t: chunked\r\n" END), TOKEN, 0, 0 },
		{ "a vertical tab before the colon", BYTES(POST "Transfer-Encoding\x0b: chunked\r\n" END), TOKEN, 0,
		  0 },
		{ "a blank before the name", BYTES(POST " " CHUNKED END), TOKEN, 0, 0 },
		{ "a field that is folded", BYTES(POST "A: b\r\n c\r\n" END), NAME, 0, 0 },
		{ "a coding that is folded", BYTES(POST "Transfer-Encoding:\r\n chunked\r\n" END), NAME, 0, 0 },
		{ "folded, with a colon", BYTES(POST "A: b\r\n\tHost: c\r\n" END), TOKEN, 0, 0 },
		{ "folded into the first", BYTES(GET " x: y\r\n" HOST END), TOKEN, 0, 0 },
		{ "no colon", BYTES(POST "Content-Length 5\r\n" END), NAME, 0, 0 },
		{ "a colon alone", BYTES(POST ": chunked\r\n" END), NAME, 0, 0 },
		{ "NUL in a name", BYTES(POST "Transfer\0-Encoding: chunked\r\n" END), TOKEN, 0, 0 },
		{ "a name in quotes", BYTES(POST "\"Transfer-Encoding\": chunked\r\n" END), TOKEN, 0, 0 },
		{ "a name beyond ASCII", BYTES(POST "Transf\xc3\xa9r: chunked\r\n" END), TOKEN, 0, 0 },
		{ "a mark of byte order", BYTES(POST "\xef\xbb\xbfHost: b\r\n" END), TOKEN, 0, 0 },
		{ "NUL in a value", BYTES(POST "A: b\0c\r\n" END), CONTROL, 0, 0 },
		{ "DEL in a value", BYTES(POST "A: b\x7f\r\n" END), CONTROL, 0, 0 },
		{ "a vertical tab in a value",
		  BYTES(POST "Transfer-Encoding: \x0b"
			     "chunked\r\n" END),
		  CONTROL, 0, 0 },
		{ "a form feed in a value", BYTES(POST "Content-Length: 5\x0c\r\n" END), CONTROL, 0, 0 },
		{ "LF alone", BYTES(POST "A: b\n" CHUNKED END), LINE, 0, 0 },
		{ "an end of LF alone", BYTES(POST "\n"), LINE, 0, 0 },
		{ "LF CR LF", BYTES(POST "A: b\n\r\n"), LINE, 0, 0 },
		{ "a lone CR", BYTES(POST "A: b\r" CHUNKED END), LINE, 0, 0 },
		{ "CR in a name", BYTES(POST "Foo\rTransfer-Encoding: chunked\r\n" END), LINE, 0, 0 },
		{ "CR CR LF", BYTES(POST "A: b\r\r\n" END), LINE, 0, 0 },
		{ "CR before the end", BYTES(POST "\r" END), LINE, 0, 0 },
		{ "two hosts", BYTES(POST "Host: b.example\r\n" END), TWICE, 0, 0 },
		{ "the same host twice", BYTES(POST HOST END), TWICE, 0, 0 },
		{ "two hosts, in other letters", BYTES(POST "hOST: b\r\n" END), TWICE, 0, 0 },
	};

	(void)state;
	expect_rows(http_head_request, rows, COUNT(rows));
}

static void bodies_of_two_lengths_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "CL.TE", BYTES(POST "Content-Length: 6\r\n" CHUNKED END), BOTH, 0, 0 },
		{ "TE.CL", BYTES(POST CHUNKED "Content-Length: 4\r\n" END), BOTH, 0, 0 },
		{ "a length of 0, and chunked", BYTES(POST "Content-Length: 0\r\n" CHUNKED END), BOTH, 0, 0 },
		{ "no chunks, and a length", BYTES(POST "Transfer-Encoding: identity\r\nContent-Length: 4\r\n" END),
		  BOTH, 0, 0 },
		{ "two lengths", BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n" END), TWICE, 0, 0 },
		{ "the same length twice", BYTES(POST "Content-Length: 5\r\ncontent-length: 5\r\n" END), TWICE, 0, 0 },
		{ "chunked twice", BYTES(POST CHUNKED CHUNKED END), TWICE, 0, 0 },
		{ "TE.TE", BYTES(POST CHUNKED "Transfer-encoding: x\r\n" END), TWICE, 0, 0 },
		{ "TE.TE, the other way", BYTES(POST "Transfer-Encoding: identity\r\n" CHUNKED END), TWICE, 0, 0 },
		{ "lengths as a list", BYTES(POST "Content-Length: 5, 5\r\n" END), NUMBER, 0, 0 },
		{ "+5", BYTES(POST "Content-Length: +5\r\n" END), NUMBER, 0, 0 },
		{ "-5", BYTES(POST "Content-Length: -5\r\n" END), NUMBER, 0, 0 },
		{ "0x5", BYTES(POST "Content-Length: 0x5\r\n" END), NUMBER, 0, 0 },
		{ "5_0", BYTES(POST "Content-Length: 5_0\r\n" END), NUMBER, 0, 0 },
		{ "5 0", BYTES(POST "Content-Length: 5 0\r\n" END), NUMBER, 0, 0 },
		{ "5.0", BYTES(POST "Content-Length: 5.0\r\n" END), NUMBER, 0, 0 },
		{ "5e1", BYTES(POST "Content-Length: 5e1\r\n" END), NUMBER, 0, 0 },
		{ "in quotes", BYTES(POST "Content-Length: \"5\"\r\n" END), NUMBER, 0, 0 },
		{ "a comma behind", BYTES(POST "Content-Length: 5,\r\n" END), NUMBER, 0, 0 },
		{ "a no-break space behind", BYTES(POST "Content-Length: 5\xa0\r\n" END), NUMBER, 0, 0 },
		{ "digits of another script", BYTES(POST "Content-Length: \xd9\xa5\r\n" END), NUMBER, 0, 0 },
		{ "empty", BYTES(POST "Content-Length:\r\n" END), NUMBER, 0, 0 },
		{ "over 64 bits", BYTES(POST "Content-Length: 18446744073709551621\r\n" END), NUMBER, 0, 0 },
		{ "19 digits", BYTES(POST "Content-Length: 1000000000000000000\r\n" END), NUMBER, 0, 0 },
		{ "xchunked", BYTES(POST "Transfer-Encoding: xchunked\r\n" END), CODING, 0, 0 },
		{ "chunkedx", BYTES(POST "Transfer-Encoding: chunkedx\r\n" END), CODING, 0, 0 },
		{ "chunk", BYTES(POST "Transfer-Encoding: chunk\r\n" END), CODING, 0, 0 },
		{ "empty coding", BYTES(POST "Transfer-Encoding:\r\n" END), CODING, 0, 0 },
		{ "identity", BYTES(POST "Transfer-Encoding: identity\r\n" END), CODING, 0, 0 },
		{ "gzip, chunked", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n" END), CODING, 0, 0 },
		{ "chunked, identity", BYTES(POST "Transfer-Encoding: chunked, identity\r\n" END), CODING, 0, 0 },
		{ "chunked, chunked", BYTES(POST "Transfer-Encoding: chunked, chunked\r\n" END), CODING, 0, 0 },
		{ "a comma before", BYTES(POST "Transfer-Encoding: ,chunked\r\n" END), CODING, 0, 0 },
		{ "a comma behind", BYTES(POST "Transfer-Encoding: chunked,\r\n" END), CODING, 0, 0 },
		{ "a parameter", BYTES(POST "Transfer-Encoding: chunked;a=b\r\n" END), CODING, 0, 0 },
		{ "in quotes", BYTES(POST "Transfer-Encoding: 'chunked'\r\n" END), CODING, 0, 0 },
		{ "two colons", BYTES(POST "Transfer-Encoding:: chunked\r\n" END), CODING, 0, 0 },
		{ "a no-break space",
		  BYTES(POST "Transfer-Encoding: \xa0"
			     "chunked\r\n" END),
		  CODING, 0, 0 },
		{ "another k",
		  BYTES(POST "Transfer-Encoding: chun\xe2\x84\xaa"
			     "ed\r\n" END),
		  CODING, 0, 0 },
		{ "in HTTP/1.0", BYTES("POST / HTTP/1.0\r\n" CHUNKED END), CODING, 0, 0 },
	};

	(void)state;
	expect_rows(http_head_request, rows, COUNT(rows));
}

static void answers_of_real_servers_are_taken(void **state)
{
	static const struct row rows[] = {
		{ "until the end", BYTES(OK END), NULL, HTTP_UNTIL_END, 0 },
		{ "an empty reason", BYTES("HTTP/1.1 200 \r\n" END), NULL, HTTP_UNTIL_END, 0 },
		{ "not even a blank", BYTES("HTTP/1.1 200\r\n" END), NULL, HTTP_UNTIL_END, 0 },
		{ "words", BYTES("HTTP/1.0 404 Not  Found\tat all\r\n" END), NULL, HTTP_UNTIL_END, 0 },
		{ "a reason beyond ASCII", BYTES("HTTP/1.1 404 Pas trouv\xe9\r\n" END), NULL, HTTP_UNTIL_END, 0 },
		{ "a value beyond ASCII", BYTES(OK "A: \xe9\r\n" END), NULL, HTTP_UNTIL_END, 0 },
		{ "a length", BYTES(OK "Content-Length: 7\r\n" END), NULL, HTTP_LENGTH, 7 },
		{ "chunked", BYTES(OK CHUNKED END), NULL, HTTP_CHUNKED, 0 },
		{ "100", BYTES("HTTP/1.1 100 Continue\r\n" END), NULL, HTTP_UNTIL_END, 0 },
		{ "599", BYTES("HTTP/1.1 599 x\r\n" END), NULL, HTTP_UNTIL_END, 0 },
		{ "99", BYTES("HTTP/1.1 099 x\r\n" END), FIRST, 0, 0 },
		{ "600", BYTES("HTTP/1.1 600 x\r\n" END), FIRST, 0, 0 },
		{ "two digits", BYTES("HTTP/1.1 20 OK\r\n" END), FIRST, 0, 0 },
		{ "four digits", BYTES("HTTP/1.1 2000 OK\r\n" END), FIRST, 0, 0 },
		{ "a sign", BYTES("HTTP/1.1 +20 OK\r\n" END), FIRST, 0, 0 },
		{ "two blanks", BYTES("HTTP/1.1  200 OK\r\n" END), FIRST, 0, 0 },
		{ "twelve bytes, and no blank", BYTES("HTTP/1.1\t200\r\n" END), FIRST, 0, 0 },
		{ "a control character", BYTES("HTTP/1.1 200 O\x01K\r\n" END), FIRST, 0, 0 },
		{ "HTTP/2", BYTES("HTTP/2 200 OK\r\n" END), FIRST, 0, 0 },
		{ "of a radio", BYTES("ICY 200 OK\r\n" END), FIRST, 0, 0 },
		{ "a request", BYTES(GET END), FIRST, 0, 0 },
		{ "both", BYTES(OK "Content-Length: 7\r\n" CHUNKED END), BOTH, 0, 0 },
		{ "two lengths", BYTES(OK "Content-Length: 7\r\nContent-Length: 8\r\n" END), TWICE, 0, 0 },
		{ "LF alone", BYTES(OK "A: b\n" END), LINE, 0, 0 },
	};

	(void)state;
	expect_rows(http_head_answer, rows, COUNT(rows));
}

static void what_follows_an_answer_depends_on_its_request(void **state)
{
	static const struct {
		const char *head, *method;
		enum http_body body;
	} rows[] = {
		{ OK "Content-Length: 7\r\n" END, "GET", HTTP_LENGTH },
		{ OK "Content-Length: 7\r\n" END, "HEAD", HTTP_NO_BODY },
		{ OK CHUNKED END, "HEAD", HTTP_NO_BODY },
		{ OK END, "GET", HTTP_UNTIL_END },
		{ "HTTP/1.1 103 x\r\n" END, "GET", HTTP_NO_BODY },
		{ "HTTP/1.1 204 x\r\n" CHUNKED END, "GET", HTTP_NO_BODY },
		{ "HTTP/1.1 304 x\r\nContent-Length: 7\r\n" END, "GET", HTTP_NO_BODY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct http_head h;
		const struct http_text method = { rows[i].method, strlen(rows[i].method) };
		const char *why;

		assert_int_equal(http_head_answer((const uint8_t *)rows[i].head, strlen(rows[i].head), &h, &why), 1);
		assert_int_equal(http_head_answer_body(&h, &method), rows[i].body);
	}
}

/* GET, n_fields of "a:" and one more that makes it `size` bytes long; 0: without that. */
static size_t long_head(char *room, uint32_t n_fields, size_t size)
{
	size_t n = sizeof GET - 1;

	memcpy(room, GET, n);
	for (uint32_t i = 0; i < n_fields; i++, n += 4)
		memcpy(room + n, "a:\r\n", 4);
	if (size > 0) {
		memset(room + n, 'b', size - n);
		room[n + 1] = ':';
		memcpy(room + size - 4, "\r\n", 2);
		n = size - 2;
	}
	memcpy(room + n, "\r\n", 2);
	return n + 2;
}

static void limits_are_where_they_are_said_to_be(void **state)
{
	static char room[HTTP_HEAD_MAX + 64];
	static struct http_head h;
	const char *why = "";

	(void)state;
	assert_int_equal(take_exact(http_head_request, room, long_head(room, HTTP_FIELDS_MAX, 0), &h, &why), 1);
	assert_int_equal(h.n_fields, HTTP_FIELDS_MAX);
	assert_int_equal(take_exact(http_head_request, room, long_head(room, HTTP_FIELDS_MAX + 1, 0), &h, &why), -1);
	assert_non_null(strstr(why, "too many"));
	assert_int_equal(take_exact(http_head_request, room, long_head(room, 0, HTTP_HEAD_MAX), &h, &why), 1);
	assert_int_equal(h.length, HTTP_HEAD_MAX);
	assert_int_equal(take_exact(http_head_request, room, HTTP_HEAD_MAX + 8, &h, &why), 1); /* and a body */
	assert_int_equal(take_exact(http_head_request, room, long_head(room, 0, HTTP_HEAD_MAX + 1), &h, &why), -1);
	assert_non_null(strstr(why, "too long"));
	memset(room, 'G', sizeof room);
	assert_int_equal(take_exact(http_head_request, room, HTTP_HEAD_MAX - 1, &h, &why), 0);
	assert_int_equal(take_exact(http_head_request, room, HTTP_HEAD_MAX, &h, &why), -1);
}

static void parts_are_where_they_stand(void **state)
{
	static const char text[] =
		"PUT /a?b HTTP/1.1\r\nConnection: close ,, Te\r\nX_Y:  b c \r\nconnection: Upgrade\r\n\r\nbody";
	static const char *const known[] = { "close", "te", "upgrade", NULL };
	static struct http_head h;
	const struct http_field *f;
	const char *why;

	(void)state;
	assert_int_equal(take_exact(http_head_request, text, sizeof text - 1, &h, &why), 1);
	assert_int_equal(h.length, sizeof text - 5);
	assert_true(h.method.n == 3 && memcmp(h.method.at, "PUT", 3) == 0);
	assert_true(h.target.n == 4 && memcmp(h.target.at, "/a?b", 4) == 0);
	f = http_head_find(&h, "x_y");
	assert_non_null(f);
	assert_true(f->value.n == 3 && memcmp(f->value.at, "b c", 3) == 0);
	assert_null(http_head_find(&h, "x-y"));
	assert_true(http_name_means(&f->name, "x-y") && http_name_means(&f->name, "x_y"));
	assert_false(http_name_means(&f->name, "xay") || http_name_means(&f->name, "x-y-"));
	assert_true(http_head_lists(&h, "connection", "te") && http_head_lists(&h, "connection", "upgrade"));
	assert_false(http_head_lists(&h, "connection", "t") || http_head_lists(&h, "connection", "close ,"));
	assert_true(http_head_lists_only(&h, "connection", known));
	assert_false(http_head_lists_only(&h, "connection", known + 1));
}

/* Whether a name and a value, composed, are read again as what they were. */
static void compose_again(const char *name, size_t name_n, const char *value, size_t value_n, bool is_taken)
{
	static struct http_head h;
	const struct http_text n = { name, name_n }, v = { value, value_n };
	auto_buf out = { 0 };
	const char *why;

	buf_init(&out, 4096);
	buf_put(&out, GET, sizeof GET - 1);
	compose_field(&out, &n, &v);
	if (out.failed != !is_taken)
		fail_msg("%.*s: %.*s", (int)name_n, name, (int)value_n, value);
	if (!is_taken)
		return;
	buf_put(&out, "\r\n", 2);
	assert_int_equal(http_head_request(out.data, out.len, &h, &why), 1);
	assert_int_equal(h.n_fields, 1);
	assert_true(h.fields[0].name.n == name_n && memcmp(h.fields[0].name.at, name, name_n) == 0);
	assert_true(h.fields[0].value.n == value_n && memcmp(h.fields[0].value.at, value, value_n) == 0);
}

/* Each byte, in a name and in a value: what is written is read again, and what would make another line is not written. */
static void what_is_composed_is_one_field(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const char name[] = { 'a', (char)c, 'b' };

		compose_again(name, 3, "v", 1, http_is_token((uint8_t)c));
		compose_again("a", 1, name, 3, c == '\t' || (c >= 0x20 && c != 0x7f));
	}
	compose_again("", 0, "v", 1, false);
	compose_again("a", 1, "", 0, true);
	compose_again("a", 1, "b\r\nc: d", 7, false);
	compose_again("a: b\r\nc", 7, "d", 1, false);
}

/* Heads of bytes that matter: a beginning that is refused stays refused, and what is taken is the same with more behind it. */
static void more_bytes_change_nothing(void **state)
{
	static const char *const parts[] = {
		"GET / HTTP/1.1\r\n",    "A: b\r\n", "\r\n", "\n", "\r", " ", ":", "Host: a\r\n", CHUNKED, "x", "\x80",
		"Content-Length: 1\r\n", "\t"
	};
	const uint64_t rounds = prop_rounds(2000);

	(void)state;
	for (uint64_t round = 0; round < rounds; round++) {
		static struct http_head whole, h;
		struct prop p = prop_round(round);
		char text[512] = "GET / HTTP/1.1\r\n";
		const char *why;
		int last, before = 0;

		for (uint32_t i = prop_below(&p, 10); i > 0; i--)
			strcat(text, parts[prop_below(&p, COUNT(parts))]);
		last = http_head_request((const uint8_t *)text, strlen(text), &whole, &why);
		for (size_t n = 0; n <= strlen(text); n++) {
			const int r = http_head_request((const uint8_t *)text, n, &h, &why);

			if ((before != 0 && r != before) || (r == 1 && h.length != whole.length))
				prop_fail(&p, "%zu bytes of %s: %d, then %d", n, text, before, r);
			before = r;
		}
		assert_int_equal(before, last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_that_mean_one_thing_are_taken),
		cmocka_unit_test(first_lines_that_mean_two_things_are_refused),
		cmocka_unit_test(fields_that_mean_two_things_are_refused),
		cmocka_unit_test(bodies_of_two_lengths_are_refused),
		cmocka_unit_test(answers_of_real_servers_are_taken),
		cmocka_unit_test(what_follows_an_answer_depends_on_its_request),
		cmocka_unit_test(limits_are_where_they_are_said_to_be),
		cmocka_unit_test(parts_are_where_they_stand),
		cmocka_unit_test(what_is_composed_is_one_field),
		cmocka_unit_test(more_bytes_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
