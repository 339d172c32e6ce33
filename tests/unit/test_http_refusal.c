/* What a request that is refused is answered with: by who reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/refusal.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define GIT "git/2.39.5"
#define FETCH "application/x-git-upload-pack-request"
#define PUSH "application/x-git-receive-pack-request"

static struct http_text text_of(const char *s)
{
	return (struct http_text){ s, strlen(s) };
}

static void git_is_told_in_its_own_words(void **state)
{
	static const struct {
		const char *method, *path, *agent, *type; /* NULL: it has none */
		enum refusal_reader to;
	} rows[] = {
		{ "POST", "/a.git/git-upload-pack", GIT, FETCH, REFUSAL_TO_GIT_FETCH },
		{ "POST", "/a.git/git-receive-pack", GIT, PUSH, REFUSAL_TO_GIT_PUSH },
		{ "POST", "/git-receive-pack", GIT, PUSH, REFUSAL_TO_GIT_PUSH },
		{ "POST", "git-receive-pack", GIT, PUSH, REFUSAL_TO_GIT },
		{ "GET", "/a.git/info/refs", GIT, NULL, REFUSAL_TO_GIT },
		{ "GET", "/a.git/git-upload-pack", GIT, FETCH, REFUSAL_TO_GIT },
		{ "POST", "/a.git/git-upload-pack", GIT, NULL, REFUSAL_TO_GIT },
		{ "POST", "/a.git/git-upload-pack", GIT, "application/json", REFUSAL_TO_GIT },
		{ "POST", "/a.git/git-upload-pack", GIT, PUSH, REFUSAL_TO_GIT },
		{ "POST", "/a.git/git-receive-pack", GIT, FETCH, REFUSAL_TO_GIT },
		{ "POST", "/a.git/git-receive-packs", GIT, PUSH, REFUSAL_TO_GIT },
		{ "POST", "/a.git/xgit-receive-pack", GIT, PUSH, REFUSAL_TO_GIT },
		{ "POST", "/a.git/git-receive-pack", "curl/7.88.1", PUSH, REFUSAL_TO_PROGRAM },
		{ "POST", "/a.git/git-receive-pack", "git/", PUSH, REFUSAL_TO_PROGRAM },
		{ "POST", "/a.git/git-receive-pack", NULL, PUSH, REFUSAL_TO_PROGRAM },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_field fields[2];
		struct http_request q = { .method = text_of(rows[i].method),
					  .path = text_of(rows[i].path),
					  .fields = fields };

		if (rows[i].agent != NULL)
			fields[q.n_fields++] = (struct http_field){ text_of("User-Agent"), text_of(rows[i].agent) };
		if (rows[i].type != NULL)
			fields[q.n_fields++] = (struct http_field){ text_of("Content-Type"), text_of(rows[i].type) };
		if (refusal_reader(&q) != rows[i].to)
			fail_msg("%s %s as %s, %s: %d", rows[i].method, rows[i].path,
				 rows[i].agent != NULL ? rows[i].agent : "nobody",
				 rows[i].type != NULL ? rows[i].type : "nothing", refusal_reader(&q));
	}
}

static void an_answer_is_what_its_reader_shows(void **state)
{
	static const struct {
		enum refusal_reader to;
		unsigned status;
		const char *type, *body;
	} rows[] = {
		{ REFUSAL_TO_PROGRAM, 403, "application/json",
		  "{\"error\":{\"code\":\"DENIED\",\"message\":\"GET /x is not granted\",\"hint\":\"grant it\"},"
		  "\"errors\":[{\"message\":\"GET /x is not granted\"}],\"message\":\"GET /x is not granted\"}\n" },
		{ REFUSAL_TO_GIT, 403, "text/plain", "GET /x is not granted\nhint: grant it\n" },
		{ REFUSAL_TO_GIT_FETCH, 200, "application/x-git-upload-pack-result",
		  "002dERR GET /x is not granted\nhint: grant it\n" },
		{ REFUSAL_TO_GIT_PUSH, 200, "application/x-git-receive-pack-result",
		  "0032\001002dERR GET /x is not granted\nhint: grant it\n"
		  "0017\003nothing was pushed" },
	};
	uint8_t room[REFUSAL_MAX];
	struct verdict v = { .status = 0 };
	struct buf b;

	(void)state;
	judge_refuse(&v, 403, AMBIT_DENIED, "grant it", "GET /x is not granted");
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_init_in(&b, room, sizeof room - 1);
		refusal_put_body(&b, &v, rows[i].to);
		assert_false(b.failed);
		room[b.len] = 0;
		assert_string_equal((const char *)room, rows[i].body);
		assert_string_equal(refusal_type(rows[i].to), rows[i].type);
		assert_int_equal(refusal_status(&v, rows[i].to), rows[i].status);
	}
	assert_int_equal(v.status, 403); /* which is what is counted */
}

/* The longest of messages have room in each form. */
static void no_answer_is_cut_off(void **state)
{
	char text[ERR_MSG_MAX];
	uint8_t room[REFUSAL_MAX];
	struct verdict v = { .status = 0 };
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	judge_refuse(&v, 403, AMBIT_DENIED, text, "%s", text);
	assert_int_equal(strlen(v.why.msg) + strlen(v.why.hint), ERR_MSG_MAX + ERR_HINT_MAX - 2);
	for (int to = REFUSAL_TO_PROGRAM; to <= REFUSAL_TO_GIT_PUSH; to++) {
		buf_init_in(&b, room, sizeof room);
		refusal_put(&b, &v, (enum refusal_reader)to, false, true);
		assert_false(b.failed);
		assert_non_null(memmem(b.data, b.len, v.why.hint, ERR_HINT_MAX - 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(git_is_told_in_its_own_words),
		cmocka_unit_test(an_answer_is_what_its_reader_shows),
		cmocka_unit_test(no_answer_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
