/* What a witness's answer means; who is asked; and what the command line and the role say to each other. The cosignatures are those of public
 * witnesses, and of another implementation of Ed25519 (note_vectors.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "err_text.h"
#include "note_vectors.h"
#include "witness/answer.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define SOFA SOFA_TEXT "\n" SOFA_LINE
#define OK(body) "HTTP/1.1 200 OK\r\n\r\n" body
#define SIZE_OF(number) "HTTP/1.1 409 Conflict\r\nContent-Type: text/x.tlog.size\r\n\r\n" number

static void judge(const char *text, size_t piece, const struct witness_ask *ask, struct buf *room,
		  struct witness_verdict *v)
{
	struct answer a;
	bool more = true;
	const size_t n = strlen(text);

	answer_init(&a);
	for (size_t at = 0; at < n && more; at += piece)
		more = answer_take(&a, text + at, n - at < piece ? n - at : piece);
	if (more)
		(void)answer_take(&a, "", 0);
	answer_judge(&a, ask, room, v);
	answer_finish(&a);
}

static void ask_of(struct witness_ask *ask, const char *checkpoint, const char *key, uint64_t now_s)
{
	*ask = (struct witness_ask){ .now_s = now_s, .old = 5, .n_hashes = 1, .checkpoint = span_of(checkpoint) };
	assert_true(snprintf(ask->key, sizeof ask->key, "%s", key) < (int)sizeof ask->key);
}

static void answers_are_what_they_are(void **state)
{
	static const struct {
		const char *name, *text;
		enum witness_outcome want;
		uint64_t size, time_s;
		const char *line; /* what is kept */
	} rows[] = {
		{ "cosigned", OK(WITNESS_LINE), WITNESS_COSIGNED, 20852163, WITNESS_TIME, WITNESS_LINE },
		{ "with its length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" WITNESS_LINE, WITNESS_NO_LINES, 0,
		  0, NULL },
		{ "in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", WITNESS_NO_LINES, 0, 0,
		  NULL },
		{ "with another's", OK(SOFA_WITNESS WITNESS_LINE SOFA_SECOND), WITNESS_COSIGNED, 20852163, WITNESS_TIME,
		  WITNESS_LINE },
		{ "twice", OK(WITNESS_LINE WITNESS_LINE), WITNESS_COSIGNED, 20852163, WITNESS_TIME,
		  WITNESS_LINE WITNESS_LINE },
		{ "another's alone", OK(SOFA_WITNESS), WITNESS_UNSIGNED, 0, 0, NULL },
		{ "the first time", OK(WITNESS_FIRST), WITNESS_BAD_TIME, 0, 0, NULL },
		{ "the last time", OK(WITNESS_LAST), WITNESS_BAD_TIME, 0, 0, NULL },
		{ "beyond it", OK(WITNESS_TOO_LATE), WITNESS_BAD_SIGNATURE, 0, 0, NULL },
		{ "an empty line before", OK("\n" WITNESS_LINE), WITNESS_NO_LINES, 0, 0, NULL },
		{ "nothing", OK(""), WITNESS_NO_LINES, 0, 0, NULL },
		{ "a size", SIZE_OF("7\n"), WITNESS_OTHER_SIZE, 7, 0, NULL },
		{ "the size that was named", SIZE_OF("5\n"), WITNESS_OTHER_SIZE, 5, 0, NULL },
		{ "a size with a zero", SIZE_OF("07\n"), WITNESS_NO_SIZE, 0, 0, NULL },
		{ "a size without an end", SIZE_OF("7"), WITNESS_NO_SIZE, 0, 0, NULL },
		{ "a size and more", SIZE_OF("7\n\n"), WITNESS_NO_SIZE, 0, 0, NULL },
		{ "a size that is none", SIZE_OF("9223372036854775808\n"), WITNESS_NO_SIZE, 0, 0, NULL },
		{ "a size of another type", "HTTP/1.1 409 X\r\nContent-Type: text/plain\r\n\r\n7\n", WITNESS_NO_SIZE, 0,
		  0, NULL },
		{ "400", "HTTP/1.1 400 X\r\n\r\n", WITNESS_BAD_REQUEST, 0, 0, NULL },
		{ "403", "HTTP/1.1 403 X\r\n\r\n", WITNESS_FORBIDDEN, 0, 0, NULL },
		{ "404", "HTTP/1.1 404 X\r\n\r\n", WITNESS_UNKNOWN_LOG, 0, 0, NULL },
		{ "422", "HTTP/1.1 422 X\r\n\r\n", WITNESS_NO_GROWTH, 0, 0, NULL },
		{ "307", "HTTP/1.1 307 X\r\nLocation: /\r\n\r\n", WITNESS_REDIRECT, 0, 0, NULL },
		{ "503", "HTTP/1.1 503 X\r\n\r\n", WITNESS_STATUS, 0, 0, NULL },
		{ "cut in its headers", "HTTP/1.1 200 OK\r\nA: b\r\n", WITNESS_CLOSED, 0, 0, NULL },
		{ "cut in its body", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" WITNESS_LINE, WITNESS_CLOSED, 0,
		  0, NULL },
		{ "no HTTP", "220 mail.example ESMTP\r\n", WITNESS_NO_HTTP, 0, 0, NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t piece = 1; piece < 10000; piece = piece * 5 + 2) {
			auto_buf room = { .max = NOTE_MAX };
			struct witness_ask ask;
			struct witness_verdict v;

			ask_of(&ask, SOFA, WITNESS_KEY, WITNESS_TIME);
			judge(rows[i].text, piece, &ask, &room, &v);
			if (v.outcome != rows[i].want || v.size != rows[i].size || v.time_s != rows[i].time_s)
				fail_msg("%s, in pieces of %zu: %d, %llu, %llu", rows[i].name, piece, (int)v.outcome,
					 (unsigned long long)v.size, (unsigned long long)v.time_s);
			if (rows[i].line != NULL) {
				char want[4096];

				(void)snprintf(want, sizeof want, "%s%s", SOFA, rows[i].line);
				assert_true(span_equal(v.note, span_of(want)));
			}
		}
}

/* One checkpoint of a public log, as each of four public witnesses cosigned it. */
static void public_witnesses_are_understood(void **state)
{
	static const char *const keys[] = { GARDEN_KEY, SMARTIT_KEY, REMORA_KEY, STAGEMOLE_KEY };
	static const char note[] = ARCHE_NOTE;
	const char *lines = strstr(note, DASH "transparency.dev/DEV"); /* what is behind the log's own */
	char checkpoint[sizeof note], answer[sizeof note + 32];
	(void)state;

	(void)snprintf(checkpoint, sizeof checkpoint, "%.*s", (int)(lines - note), note);
	(void)snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\n\r\n%s", lines);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		auto_buf room = { .max = NOTE_MAX };
		struct witness_ask ask;
		struct witness_verdict v;

		ask_of(&ask, checkpoint, keys[i], ARCHE_TIME);
		judge(answer, 100000, &ask, &room, &v);
		assert_int_equal(v.outcome, WITNESS_COSIGNED);
		assert_true(v.time_s == ARCHE_TIME && v.size == 1432088532);
		ask.now_s = ARCHE_TIME - WITNESS_EARLY_S;
		judge(answer, 100000, &ask, &room, &v);
		assert_int_equal(v.outcome, WITNESS_COSIGNED);
		ask.now_s--; /* its clock would be too far ahead */
		judge(answer, 100000, &ask, &room, &v);
		assert_int_equal(v.outcome, WITNESS_BAD_TIME);
	}
}

static void an_answer_has_its_limits(void **state)
{
	static const char *const heads[] = { "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA: " };
	(void)state;

	for (size_t i = 0; i < COUNT_OF(heads); i++)
		for (int over = 0; over <= 1; over++) {
			const size_t most = i == 0 ? ANSWER_BODY_MAX : ANSWER_HEAD_MAX - strlen(heads[i]) - 16;
			struct answer a;
			bool more;

			answer_init(&a);
			assert_true(answer_take(&a, heads[i], strlen(heads[i])));
			more = true;
			for (size_t at = 0; at < most + (size_t)over * (i == 0 ? 1 : 1024) && more; at++)
				more = answer_take(&a, "x", 1);
			assert_int_equal(more, over == 0);
			assert_int_equal(a.wrong, over == 0 ? WITNESS_COSIGNED : WITNESS_TOO_MUCH);
			answer_finish(&a);
		}
}

static void same_size_and_another_root_is_another_history(void **state)
{
	static const char *const texts[] = { SIZE_OF("5\n"), "HTTP/1.1 409 X\r\n\r\nroot\n" };
	(void)state;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		auto_buf room = { .max = NOTE_MAX };
		struct witness_ask ask;
		struct witness_verdict v;

		ask_of(&ask, SOFA, WITNESS_KEY, WITNESS_TIME);
		ask.n_hashes = 0; /* it was shown a log of as many entries as it saw */
		judge(texts[i], 100, &ask, &room, &v);
		assert_int_equal(v.outcome, WITNESS_OTHER_HISTORY);
	}
}

static void requests_are_as_specified(void **state)
{
	static const char want[] = "POST /w/add-checkpoint HTTP/1.1\r\nHost: [::1]:8080\r\n";
	auto_buf out = { .max = WITNESS_ASK_MAX };
	struct witness_ask ask;
	(void)state;

	ask_of(&ask, SOFA, WITNESS_KEY, 1);
	assert_int_equal(witness_url_parse("http://[::1]:8080/w/", &ask.url, NULL), 0);
	answer_request(&ask, &out);
	assert_memory_equal(out.data, want, strlen(want));
	assert_non_null(strstr(buf_cstr(&out), "\r\n\r\nold 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" SOFA));
}

static void addresses(void **state)
{
	static const struct {
		const char *text, *host, *port, *path; /* host NULL: it is none */
	} rows[] = {
		{ "https://w.example", "w.example", "443", "" },
		{ "http://w.example:8080/a/b/", "w.example", "8080", "/a/b" },
		{ "http://[2001:db8::1]/x", "2001:db8::1", "80", "/x" },
		{ "http://127.0.0.1:65535", "127.0.0.1", "65535", "" },
		{ "http://w:65536", NULL, NULL, NULL },
		{ "http://w:", NULL, NULL, NULL },
		{ "http://w:080", NULL, NULL, NULL },
		{ "http://", NULL, NULL, NULL },
		{ "http:///x", NULL, NULL, NULL },
		{ "http://u@w/", NULL, NULL, NULL },
		{ "http://w/x?y", NULL, NULL, NULL },
		{ "http://w/x#y", NULL, NULL, NULL },
		{ "http://w/x y", NULL, NULL, NULL },
		{ "http://w/x\r\nHost: v", NULL, NULL, NULL },
		{ "http://[::1", NULL, NULL, NULL },
		{ "ftp://w", NULL, NULL, NULL },
		{ "", NULL, NULL, NULL },
		{ "h", NULL, NULL, NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct witness_url u;
		struct err e;
		const int r = witness_url_parse(rows[i].text, &u, &e);

		if ((r == 0) != (rows[i].host != NULL))
			fail_msg("%s", rows[i].text);
		if (r < 0)
			continue;
		assert_string_equal(u.host, rows[i].host);
		assert_string_equal(u.port, rows[i].port);
		assert_string_equal(u.path, rows[i].path);
	}
}

static void files_have_the_keys_in_their_names(void **state)
{
	uint8_t material[1 + VKEY_PUBLIC_BYTES];
	char name[WITNESS_FILE_LEN + 1];
	(void)state;

	assert_true(witness_file(GARDEN_KEY, name));
	assert_string_equal(name, "BCtusOxINQNUTN5Oj8HObRkh2yHf_MwYaGX4CPdiVEPM");
	assert_true(witness_file_take(name, material));
	assert_int_equal(material[0], VKEY_COSIGNATURE);
	assert_false(witness_file_take("BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM", material));
	assert_false(witness_file_take("BCtusOxINQNUTN5Oj8HObRkh2yHf_MwYaGX4CPdiVEP", material));
	assert_false(witness_file_take("..", material));
	assert_false(witness_file(ARCHE_KEY, name)); /* a log's */
	assert_false(witness_file("n+00000000", name));
}

static void lists_are_as_strict_as_written(void **state)
{
#define LINE(url) url " " WITNESS_KEY "\n"
	static const struct {
		const char *text;
		int n; /* -1: it is none */
	} rows[] = {
		{ "", 0 },
		{ LINE("http://w"), 1 },
		{ LINE("http://w") LINE("https://w"), 2 },
		{ LINE("http://w") LINE("http://w"), -1 },
		{ "http://w " WITNESS_KEY, -1 },
		{ "http://w\t" WITNESS_KEY "\n", -1 },
		{ "http://w " ARCHE_KEY "\n", -1 },
		{ "\n" LINE("http://w"), -1 },
		{ LINE("http://w") "#\n", -1 },
		{ LINE("x"), -1 },
	};
	struct witness_list *l = calloc(1, sizeof *l);
	(void)state;

	assert_non_null(l);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e;
		const int r = witness_list_parse(span_of(rows[i].text), l, &e);

		if ((r == 0 ? (int)l->n : -1) != rows[i].n)
			fail_msg("row %zu: %d", i, r);
	}
	free(l);
}

static void lists_have_so_many_and_no_more(void **state)
{
	struct witness_list *l = calloc(1, sizeof *l);
	struct witness w = { .key = WITNESS_KEY };
	struct err e;
	(void)state;

	assert_non_null(l);
	for (int i = 0; i < WITNESSES_MAX; i++) {
		(void)snprintf(w.url, sizeof w.url, "http://w%d", i);
		assert_int_equal(witness_list_add(l, &w, &e), 0);
	}
	assert_int_equal(witness_list_add(l, &w, &e), 0); /* it is there */
	(void)snprintf(w.url, sizeof w.url, "http://one.more");
	assert_int_equal(witness_list_add(l, &w, &e), -AMBIT_LIMIT);
	assert_true(witness_list_remove(l, "http://w0") && !witness_list_remove(l, "http://w0"));
	assert_string_equal(l->w[0].url, "http://w1");
	assert_int_equal(witness_list_add(l, &w, &e), 0);
	free(l);
}

static void messages_come_through_whole_or_not(void **state)
{
	const struct witness_verdict v = {
		.outcome = WITNESS_COSIGNED, .status = 200, .size = 3, .time_s = 4, .note = span_of(SOFA)
	};
	auto_buf ask_bytes = { .max = WITNESS_ASK_MAX }, verdict_bytes = { .max = WITNESS_VERDICT_MAX };
	struct witness_ask ask, heard;
	struct witness_verdict told;
	(void)state;

	ask_of(&ask, SOFA, WITNESS_KEY, 7);
	assert_int_equal(witness_url_parse("https://w.example/x", &ask.url, NULL), 0);
	witness_ask_encode(&ask, &ask_bytes);
	witness_verdict_encode(&v, &verdict_bytes);
	assert_int_equal(witness_ask_decode(ask_bytes.data, ask_bytes.len, &heard, NULL), 0);
	assert_true(heard.url.tls && heard.now_s == 7 && heard.old == 5 && heard.n_hashes == 1);
	assert_string_equal(heard.key, WITNESS_KEY);
	assert_true(span_equal(heard.checkpoint, span_of(SOFA)));
	assert_int_equal(witness_verdict_decode(verdict_bytes.data, verdict_bytes.len, &told, NULL), 0);
	assert_true(told.size == 3 && told.time_s == 4 && span_equal(told.note, span_of(SOFA)));
	for (size_t n = 0; n < ask_bytes.len; n++)
		assert_int_equal(witness_ask_decode(ask_bytes.data, n, &heard, NULL), -AMBIT_PROTOCOL);
	for (size_t n = 0; n < verdict_bytes.len; n++)
		assert_int_equal(witness_verdict_decode(verdict_bytes.data, n, &told, NULL), -AMBIT_PROTOCOL);
	verdict_bytes.data[4] = WITNESS_OUTCOME_COUNT;
	assert_int_equal(witness_verdict_decode(verdict_bytes.data, verdict_bytes.len, &told, NULL), -AMBIT_PROTOCOL);
	verdict_bytes.data[4] = WITNESS_SLOW; /* which stores nothing */
	assert_int_equal(witness_verdict_decode(verdict_bytes.data, verdict_bytes.len, &told, NULL), -AMBIT_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_what_they_are),
		cmocka_unit_test(public_witnesses_are_understood),
		cmocka_unit_test(an_answer_has_its_limits),
		cmocka_unit_test(same_size_and_another_root_is_another_history),
		cmocka_unit_test(requests_are_as_specified),
		cmocka_unit_test(addresses),
		cmocka_unit_test(files_have_the_keys_in_their_names),
		cmocka_unit_test(lists_are_as_strict_as_written),
		cmocka_unit_test(lists_have_so_many_and_no_more),
		cmocka_unit_test(messages_come_through_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
