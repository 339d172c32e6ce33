/* What issuers answer, honestly and not; what is told of it, and taken; and which scopes grants use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ask/answer.h"
#include "ask/scopes.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define OK "200 OK\r\n"
#define EXPIRES "GitHub-Authentication-Token-Expiration: "
#define LONG_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_127 LONG_63 LONG_63 "a"
#define LONG_159 LONG_127 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void judge(enum issuer issuer, const char *fields, const char *body, struct ask_answer *ret)
{
	static struct http_head head;
	static char text[8192];
	const char *why = NULL;

	(void)snprintf(text, sizeof text, "HTTP/1.1 %s\r\n", fields);
	assert_int_equal(http_head_answer((const uint8_t *)text, strlen(text), &head, &why), 1);
	answer_judge(issuer, &head, body, strlen(body), ret);
}

/* `gist,repo`; `-`: they were not told. */
static const char *written(const struct ask_answer *a)
{
	static char text[8192];
	size_t n = 0;

	(void)snprintf(text, sizeof text, "%s", a->told_scopes != 0 ? "" : "-");
	for (uint32_t i = 0; i < a->n_scopes; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? "," : "", a->scopes[i]);
	return text;
}

static void answers(void **state)
{
	static const struct {
		enum issuer issuer;
		const char *fields, *body;
		enum ask_state is;
		const char *scopes, *expires;
		unsigned left_out;
	} rows[] = {
		{ ISSUER_GITHUB, OK "X-OAuth-Scopes: gist, repo\r\n" EXPIRES "2026-12-31 00:00:00 UTC\r\n", "",
		  ASK_VALID, "gist,repo", "2026-12-31 00:00:00 UTC", 0 },
		{ ISSUER_GITHUB, OK "X-OAuth-Scopes:\r\n", "", ASK_VALID, "", "", 0 },
		{ ISSUER_GITHUB, OK, "{}", ASK_VALID, "-", "", 0 },
		{ ISSUER_GITHUB, OK "X-OAuth-Scopes: ,, a ,,\r\nx-oauth-scopes: b\r\n", "", ASK_VALID, "a,b", "", 0 },
		{ ISSUER_GITHUB, OK "X-OAuth-Scopes: a b, <c>, \xc2\x9b, d\r\n", "", ASK_VALID, "d", "", 3 },
		{ ISSUER_GITHUB, OK "X-OAuth-Scopes: " LONG_127 "," LONG_127 "a\r\n", "", ASK_VALID, LONG_127, "", 1 },
		{ ISSUER_GITHUB, OK EXPIRES "soon<\r\n", "", ASK_VALID, "-", "", 0 },
		{ ISSUER_GITHUB, OK EXPIRES LONG_63 "\r\n", "", ASK_VALID, "-", "", 0 },
		{ ISSUER_GITHUB, "401 Unauthorized\r\nX-OAuth-Scopes: repo\r\n", "", ASK_REFUSED, "-", "", 0 },
		{ ISSUER_GITHUB, "302 Found\r\nX-OAuth-Scopes: repo\r\n", "", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_GITHUB, "403 Forbidden\r\n", "", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_GITLAB, OK,
		  "{\"scopes\":[\"api\"],\"expires_at\":\"2026-12-31\",\"active\":true,\"revoked\":false}", ASK_VALID,
		  "api", "2026-12-31", 0 },
		{ ISSUER_GITLAB, OK, "{\"scopes\":[],\"expires_at\":null}", ASK_VALID, "", "", 0 },
		{ ISSUER_GITLAB, OK, "{\"scopes\":[\"api\"],\"revoked\":true}", ASK_REFUSED, "api", "", 0 },
		{ ISSUER_GITLAB, OK, "{\"scopes\":[\"api\"],\"active\":false}", ASK_REFUSED, "api", "", 0 },
		{ ISSUER_GITLAB, OK, "{\"scopes\":[\"\\u001b[2J\",7,[],\"api\"],\"expires_at\":\"\\u202e\"}", ASK_VALID,
		  "api", "", 3 },
		{ ISSUER_GITLAB, OK, "{\"scopes\":\"api\"}", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_GITLAB, OK, "{\"scopes\":[\"a\"],\"scopes\":[\"api\"]}", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_GITLAB, OK, "{\"scopes\":[\"api\"]", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_GITLAB, OK "X-OAuth-Scopes: repo\r\n", "", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_GITLAB, OK, "[]", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_NPM, OK, "{\"username\":\"me\"}", ASK_VALID, "-", "", 0 },
		{ ISSUER_NPM, OK, "{\"username\":1}", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_NPM, "401 No\r\n", "{}", ASK_REFUSED, "-", "", 0 },
		{ ISSUER_SLACK, OK "X-OAuth-Scopes: chat:write,users:read\r\n", "{\"ok\":true}", ASK_VALID,
		  "chat:write,users:read", "", 0 },
		{ ISSUER_SLACK, OK, "{\"ok\":false,\"error\":\"token_expired\"}", ASK_REFUSED, "-", "", 0 },
		{ ISSUER_SLACK, OK, "{\"ok\":false,\"error\":\"ratelimited\"}", ASK_UNCLEAR, "-", "", 0 },
		{ ISSUER_SLACK, OK "X-OAuth-Scopes: a\r\n", "{\"ok\":1,\"error\":\"invalid_auth\"}", ASK_UNCLEAR, "-",
		  "", 0 },
	};
	static struct ask_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		judge(rows[i].issuer, rows[i].fields, rows[i].body, &a);
		if (a.state != rows[i].is || strcmp(written(&a), rows[i].scopes) != 0 ||
		    strcmp(a.expires, rows[i].expires) != 0 || a.left_out != rows[i].left_out)
			fail_msg("row %zu, %s: %u %s (%s) %u", i, rows[i].fields, a.state, written(&a), a.expires,
				 a.left_out);
	}
}

/* `client|user|subject|issuer|type|audience,audience`. */
static const char *claims_of(const struct ask_answer *a)
{
	static char text[8192];
	size_t n = 0;

	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s|", a->claims[i]);
	for (uint32_t i = 0; i < a->n_audiences; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? "," : "", a->audiences[i]);
	return text;
}

#define ON "\"active\":true"
#define NONE "|||||"

static void introspections(void **state)
{
	static const struct {
		const char *fields, *body;
		enum ask_state is;
		const char *scopes, *expires, *claims;
		unsigned left_out;
	} rows[] = {
		{ OK, "{" ON "}", ASK_VALID, "-", "", NONE, 0 },
		{ OK, "{\"active\":false}", ASK_REFUSED, "-", "", NONE, 0 },
		{ OK, "{\"active\":false,\"scope\":\"a\",\"exp\":1798761600}", ASK_REFUSED, "-", "", NONE, 0 },
		{ OK,
		  "{" ON
		  ",\"scope\":\"read  write \",\"client_id\":\"app\",\"username\":\"ann b\",\"token_type\":\"Bearer\",\"exp\":1798761600,\"iat\":1,"
		  "\"sub\":\"42\",\"aud\":\"https://a/\",\"iss\":\"https://id/\",\"jti\":\"x\"}",
		  ASK_VALID, "read,write", "2027-01-01T00:00:00Z", "app|ann b|42|https://id/|Bearer|https://a/", 0 },
		{ OK, "{" ON ",\"scope\":\"\",\"aud\":[\"a\",\"b\"]}", ASK_VALID, "", "", NONE "a,b", 0 },
		{ OK, "{" ON ",\"scope\":[\"a\",\"b\",7,[]]}", ASK_VALID, "a,b", "", NONE, 2 },
		{ OK, "{" ON ",\"scope\":\"https://a/b?c=d&e#f user.read+x a<b d\\\"e f,g \\u001b[2J\"}", ASK_VALID,
		  "https://a/b?c=d&e#f,user.read+x", "", NONE, 4 },
		{ OK, "{" ON ",\"scope\":\"" LONG_127 " " LONG_127 "a\"}", ASK_VALID, LONG_127, "", NONE, 1 },
		/* of another type, or that no terminal should see */
		{ OK,
		  "{" ON
		  ",\"scope\":7,\"client_id\":1,\"username\":{},\"exp\":\"1798761600\",\"sub\":null,\"aud\":{\"a\":\"b\"},\"iss\":[],\"token_type\":true}",
		  ASK_VALID, "-", "", NONE, 0 },
		{ OK,
		  "{" ON
		  ",\"client_id\":\"\\u001b[2J\",\"username\":\"a\\u007f\",\"sub\":\"a\\nb\",\"iss\":\" a\",\"token_type\":\"\",\"aud\":[\"\\u009b\",1,\"ok\"]}",
		  ASK_VALID, "-", "", NONE "ok", 0 },
		{ OK, "{" ON ",\"sub\":\"" LONG_159 "\",\"iss\":\"" LONG_159 "a\"}", ASK_VALID, "-", "",
		  "||" LONG_159 "|||", 0 },
		{ OK, "{" ON ",\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}", ASK_VALID, "-", "",
		  NONE "1,2,3,4,5,6,7,8", 0 },
		{ OK, "{" ON ",\"exp\":0}", ASK_VALID, "-", "", NONE, 0 },
		{ OK, "{" ON ",\"exp\":-5}", ASK_VALID, "-", "", NONE, 0 },
		{ OK, "{" ON ",\"exp\":1.5}", ASK_VALID, "-", "", NONE, 0 },
		{ OK, "{" ON ",\"exp\":253402300799}", ASK_VALID, "-", "9999-12-31T23:59:59Z", NONE, 0 },
		{ OK, "{" ON ",\"exp\":253402300800}", ASK_VALID, "-", "", NONE, 0 },
		{ OK, "{" ON ",\"exp\":9223372036854775807}", ASK_VALID, "-", "", NONE, 0 },
		/* what is not understood is never valid */
		{ OK, "{\"active\":\"true\"}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "{\"active\":1}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "{\"active\":null}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "{\"scope\":\"a\"}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "{" ON ",\"active\":false}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "{" ON "", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "[{" ON "}]", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "true", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ OK, "", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ "302 Found\r\n", "{" ON "}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ "201 Made\r\n", "{" ON "}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ "404 No\r\n", "{\"active\":false}", ASK_UNCLEAR, "-", "", NONE, 0 },
		/* of who asks, and not of the token */
		{ "401 No\r\n", "", ASK_ASKER, "-", "", NONE, 0 },
		{ "403 No\r\n", "{}", ASK_ASKER, "-", "", NONE, 0 },
		{ "400 No\r\n", "{\"error\":\"invalid_client\"}", ASK_ASKER, "-", "", NONE, 0 },
		{ "400 No\r\n", "{\"error\":\"unauthorized_client\"}", ASK_ASKER, "-", "", NONE, 0 },
		{ "400 No\r\n", "{\"error\":\"invalid_request\"}", ASK_UNCLEAR, "-", "", NONE, 0 },
		{ "400 No\r\n", "{\"error\":7}", ASK_UNCLEAR, "-", "", NONE, 0 },
	};
	static struct ask_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		judge(ISSUER_OAUTH, rows[i].fields, rows[i].body, &a);
		if (a.state != rows[i].is || strcmp(written(&a), rows[i].scopes) != 0 ||
		    strcmp(a.expires, rows[i].expires) != 0 || strcmp(claims_of(&a), rows[i].claims) != 0 ||
		    a.left_out != rows[i].left_out)
			fail_msg("row %zu, %s: %u %s (%s) %s %u", i, rows[i].body, a.state, written(&a), a.expires,
				 claims_of(&a), a.left_out);
	}
}

static void put(struct buf *out, uint8_t outcome, uint8_t is, uint16_t status, const char *expires, uint32_t n,
		const char *scope, const char *claim, uint32_t n_audiences)
{
	buf_put_u8(out, outcome);
	buf_put_u8(out, is);
	buf_put_u16(out, status);
	buf_put_u8(out, 1);
	buf_put_u32(out, 0);
	buf_put_str(out, expires);
	buf_put_u32(out, n);
	for (uint32_t i = 0; i < n && i <= ASK_SCOPES_MAX; i++)
		buf_put_str(out, scope);
	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++)
		buf_put_str(out, claim);
	buf_put_u32(out, n_audiences);
	for (uint32_t i = 0; i < n_audiences; i++)
		buf_put_str(out, claim);
}

/* As if the role were somebody else's. */
static void what_is_told_is_checked(void **state)
{
	static const struct {
		const char *name;
		uint8_t outcome, is;
		uint16_t status;
		const char *expires;
		uint32_t n;
		const char *scope;
		bool good;
		const char *claim;
		uint32_t n_audiences;
	} rows[] = {
		{ "plain", ASK_ANSWERED, ASK_VALID, 200, "2026-12-31", 2, "repo", true, "", 0 },
		{ "most scopes", ASK_ANSWERED, ASK_VALID, 200, "", ASK_SCOPES_MAX, LONG_127, true, "", 0 },
		{ "one more", ASK_ANSWERED, ASK_VALID, 200, "", ASK_SCOPES_MAX + 1, "a", false, "", 0 },
		{ "a longer one", ASK_ANSWERED, ASK_VALID, 200, "", 1, LONG_127 "a", false, "", 0 },
		{ "an empty one", ASK_ANSWERED, ASK_VALID, 200, "", 1, "", false, "", 0 },
		{ "an escape", ASK_ANSWERED, ASK_VALID, 200, "", 1, "\x1b[2J", false, "", 0 },
		{ "an escape as a day", ASK_ANSWERED, ASK_VALID, 200, "\x1b[2J", 0, "", false, "", 0 },
		{ "a long day", ASK_ANSWERED, ASK_VALID, 200, LONG_63, 0, "", false, "", 0 },
		{ "no outcome", ASK_OUTCOME_COUNT, ASK_VALID, 200, "", 0, "", false, "", 0 },
		{ "no state", ASK_ANSWERED, ASK_STATE_COUNT, 200, "", 0, "", false, "", 0 },
		{ "no status", ASK_ANSWERED, ASK_VALID, 1000, "", 0, "", false, "", 0 },
		{ "most claims", ASK_ANSWERED, ASK_VALID, 200, "", ASK_SCOPES_MAX, LONG_127, true, LONG_159,
		  ASK_AUDIENCES_MAX },
		{ "a longer claim", ASK_ANSWERED, ASK_VALID, 200, "", 0, "", false, LONG_159 "a", 0 },
		{ "an escape as a claim", ASK_ANSWERED, ASK_VALID, 200, "", 0, "", false, "\x1b[2J", 0 },
		{ "a line's end in a claim", ASK_ANSWERED, ASK_VALID, 200, "", 0, "", false, "a\nb", 0 },
		{ "more audiences", ASK_ANSWERED, ASK_VALID, 200, "", 0, "", false, "a", ASK_AUDIENCES_MAX + 1 },
		{ "an empty audience", ASK_ANSWERED, ASK_VALID, 200, "", 0, "", false, "", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_buf out = { .max = ASK_ANSWER_MAX };
		static struct ask_answer a;

		put(&out, rows[i].outcome, rows[i].is, rows[i].status, rows[i].expires, rows[i].n, rows[i].scope,
		    rows[i].claim, rows[i].n_audiences);
		assert_false(out.failed);
		if (ask_answer_take(out.data, out.len, &a) != rows[i].good)
			fail_msg("%s", rows[i].name);
		assert_false(ask_answer_take(out.data, out.len - 1, &a));
		buf_put_u8(&out, 0);
		assert_false(ask_answer_take(out.data, out.len, &a));
	}
}

static void uses(void **state)
{
	static const struct {
		enum issuer issuer;
		const char *scope, *http, *graphql; /* NULL: none */
		enum scope_use use;
	} rows[] = {
		{ ISSUER_GITHUB, "repo", "GET /repos/**", NULL, SCOPE_ONLY_READ },
		{ ISSUER_GITHUB, "repo", "GET /repos/**, POST /gists", NULL, SCOPE_ONLY_READ },
		{ ISSUER_GITHUB, "repo", "GET /user, POST /repos/*/*/pulls", NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "repo", "* /**", NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "repo", NULL, NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "repo", "GET /user", NULL, SCOPE_UNUSED },
		{ ISSUER_GITHUB, "repo", "HEAD /api/v3/repos/a/b, OPTIONS /api/v3/repos/a/b", NULL, SCOPE_ONLY_READ },
		{ ISSUER_GITHUB, "repo", "PATCH /api/v3/repos/a/b", NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "repo", "POST /acme/tool.git/git-receive-pack", NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "repo", "POST /acme/tool.git/git-upload-pack, GET /acme/tool.git/info/refs", NULL,
		  SCOPE_ONLY_READ },
		{ ISSUER_GITHUB, "read:org", "GET /orgs/acme", NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "admin:org", "GET /orgs/acme", NULL, SCOPE_ONLY_READ },
		{ ISSUER_GITHUB, "delete_repo", "DELETE /repos/a/b/issues/1", NULL, SCOPE_UNUSED },
		{ ISSUER_GITHUB, "delete_repo", "DELETE /repos/a/*", NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "gist", "POST /gists", NULL, SCOPE_USED },
		{ ISSUER_GITHUB, "gist", "GET /repos/**", NULL, SCOPE_UNUSED },
		{ ISSUER_GITHUB, "repo", NULL, "query viewer", SCOPE_ONLY_READ },
		{ ISSUER_GITHUB, "read:org", NULL, "query viewer", SCOPE_USED },
		{ ISSUER_GITHUB, "repo", "GRAPHQL /graphql", "query viewer, mutation createIssue", SCOPE_USED },
		{ ISSUER_GITHUB, "repo", "GRAPHQL /graphql, GET /repos/**", "query viewer", SCOPE_ONLY_READ },
		{ ISSUER_GITHUB, "of tomorrow", "* /**", NULL, SCOPE_UNKNOWN },
		{ ISSUER_GITLAB, "api", "GET /api/v4/projects/**", NULL, SCOPE_ONLY_READ },
		{ ISSUER_GITLAB, "api", "POST /api/v4/projects/1/issues", NULL, SCOPE_USED },
		{ ISSUER_GITLAB, "read_api", "GET /api/v4/projects/**", NULL, SCOPE_USED },
		{ ISSUER_GITLAB, "write_repository", "POST /a/b/c.git/git-upload-pack", NULL, SCOPE_UNUSED },
		{ ISSUER_GITLAB, "write_repository", "POST /a/b/c.git/git-receive-pack", NULL, SCOPE_USED },
		{ ISSUER_GITLAB, "sudo", NULL, NULL, SCOPE_UNUSED },
		{ ISSUER_GITLAB, "repo", "* /**", NULL, SCOPE_UNKNOWN },
		{ ISSUER_SLACK, "chat:write", "* /**", NULL, SCOPE_UNKNOWN },
		{ ISSUER_OAUTH, "api", "* /**", NULL, SCOPE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct terms t;
		enum scope_use use;

		t = (struct terms){ .credentials = 0 };
		assert_true(rows[i].http == NULL || terms_set(&t, TERM_HTTP, rows[i].http, NULL) == 0);
		assert_true(rows[i].graphql == NULL || terms_set(&t, TERM_GRAPHQL, rows[i].graphql, NULL) == 0);
		use = scope_use_of(rows[i].issuer, rows[i].scope, &t);
		if (use != rows[i].use)
			fail_msg("%s, http %s, graphql %s: %u and not %u", rows[i].scope, rows[i].http, rows[i].graphql,
				 use, rows[i].use);
	}
}

/* A pattern of the table that could not be read would meet nothing. */
static void each_area_of_the_table_is_a_pattern(void **state)
{
	static const char *const areas[] = {
#define SCOPE(issuer, scope, writes, areas) areas,
#include "ask/scopes.def"
#undef SCOPE
	};

	(void)state;
	for (size_t i = 0; i < COUNT(areas); i++)
		for (const char *at = areas[i]; *at != 0; at += strspn(at, " ")) {
			char normal[HTTP_PATTERN_MAX];
			const size_t n = strcspn(at, " ");

			assert_null(http_pattern_take(at, n, normal));
			at += n;
		}
}

static void issuers(void **state)
{
	enum issuer which = ISSUER_COUNT;

	(void)state;
	assert_true(issuer_find("gitlab", &which));
	assert_int_equal(which, ISSUER_GITLAB);
	assert_false(issuer_find("GitLab", &which));
	assert_string_equal(issuer_path(ISSUER_GITHUB, "api.github.com"), "/user");
	assert_string_equal(issuer_path(ISSUER_GITHUB, "ghe.example.com"), "/api/v3/user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(introspections),
		cmocka_unit_test(what_is_told_is_checked),
		cmocka_unit_test(uses),
		cmocka_unit_test(each_area_of_the_table_is_a_pattern),
		cmocka_unit_test(issuers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
