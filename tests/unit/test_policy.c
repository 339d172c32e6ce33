#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "err_text.h"
#include "policy/policy.h"
#include "policy/words.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct policy policy, other; /* a megabyte each: not for a stack */

/* "verb object", with `?` for an optional one, and a line break between lines. */
static void describe(const struct policy *p, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = 0;
	for (uint32_t i = 0; i < p->n_lines; i++)
		n += (size_t)snprintf(ret + n, size - n, "%s%s %s%s", i > 0 ? "\n" : "",
				      verb_word((enum grant_verb)p->lines[i].verb), p->lines[i].object,
				      (p->lines[i].flags & GRANT_OPTIONAL) != 0 ? " ?" : "");
}

static void a_flag_is_a_grant(void **state)
{
	static const struct {
		const char *verb, *text, *expected;
	} rows[] = {
		{ "read", "/srv/data", "read /srv/data" },
		{ "read", "  ~/.gitconfig?  ", "read ~/.gitconfig ?" },
		{ "work", ".", "work ." },
		{ "write", "./out", "write ./out" },
		{ "read", "/srv/my data", "read /srv/my data" },
		{ "read", "/srv/my data files?", "read /srv/my data files ?" },
		{ "read", "/a=b", "read /a=b" },
		{ "read", "\"/srv/a b=c\"", "read /srv/a b=c" },
		{ "read", "'/it''s'", "read /it's" },
		{ "read", "\"/say \"\"x\"\"?\"", "read /say \"x\" ?" },
		{ "read", "[/a]", "read /a" },
		{ "read", "[ /a , ~/b? ,\"/c,d\" , '/e]' ]", "read /a\nread ~/b ?\nread /c,d\nread /e]" },
		{ "read", "[/a b, /c]", "read /a b\nread /c" },
		{ "read", "/a??", "read /a? ?" },
		{ "run", "node", "run node" },
		{ "run", "[node, ./x]", "run node\nrun ./x" },
		{ "run", "python3.11", "run python3.11" },
		{ "env", "TERM", "env TERM" },
		{ "env", "PAGER=less -R /x", "env PAGER=less -R /x" },
		{ "env", "A=b?", "env A=b?" },
		{ "env", "\"A=x y=z\"", "env A=x y=z" },
		{ "tool", "files/read", "tool files/read" },
		{ "tool", "*", "tool *" },
		{ "tool", "files/resources/read", "tool files/resources/read" },
		{ "tool", "[a/x, b/*, '*']", "tool a/x\ntool b/*\ntool *" },
		{ "jit", "", "jit " },
		{ "jit", NULL, "jit " },
	};
	char got[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e;

		memset(&policy, 0, sizeof policy);
		if (policy_add_flag(&policy, rows[i].verb, rows[i].text, &e) < 0)
			fail_msg("%s '%s': %s", rows[i].verb, rows[i].text, e.msg);
		describe(&policy, got, sizeof got);
		assert_string_equal(got, rows[i].expected);
		assert_int_equal(policy.lines[0].line, 0);
	}
}

static void a_wrong_flag_is_told(void **state)
{
	static const struct {
		const char *verb, *text;
		enum ambit_code code;
		const char *msg, *hint;
	} rows[] = {
		{ "raed", "/a", AMBIT_UNKNOWN, "'raed' is not a verb", "did you mean 'read'?" },
		{ "", "/a", AMBIT_UNKNOWN, "'' is not a verb", "verbs are work" },
		{ "query", "a:443", AMBIT_UNAVAILABLE, "verb 'query'", "leave the grant out" },
		{ "tool", "", AMBIT_MALFORMED, "'' is no tool of a server", "SERVER/TOOL" },
		{ "tool", "files", AMBIT_MALFORMED, "'files' is no tool of a server", "SERVER/TOOL" },
		{ "tool", "a/b/c", AMBIT_MALFORMED, "'a/b/c' is no tool", "resources/read" },
		{ "tool", "a/b c/d", AMBIT_MALFORMED, "'a/b c/d' is no tool", "SERVER/TOOL" },
		{ "tool", "a/b where={\"a\":5", AMBIT_MALFORMED, "where: byte 6", "a comma between conditions" },
		{ "tool", "a/b where='{}' where={\"a\":5} where='{}'", AMBIT_CONFLICT, "'where' stands here twice",
		  "keep one" },
		{ "tool", "a/b where='{\"a\": \"it''", AMBIT_MALFORMED, "a quote is open", "close the quote" },
		{ "tool", "a/b ech=true", AMBIT_MALFORMED, "'ech' belongs to connect", "leave it out" },
		{ "tool", "a/b http='GET /'", AMBIT_MALFORMED, "'http' belongs to connect", "beside the connect" },
		{ "tool", "a/b uses=0", AMBIT_MALFORMED, "uses: '0'", "whole number" },
		{ "connect", "a:1 where={}", AMBIT_MALFORMED, "'where' belongs to tool, and connect takes",
		  "beside the tool" },
		{ "read", "", AMBIT_MALFORMED, "'' is not a path", "name a path" },
		{ "read", "?", AMBIT_MALFORMED, "'' is not a path", "name a path" },
		{ "read", "srv", AMBIT_MALFORMED, "'srv' is not a path", "./x" },
		{ "read", "..", AMBIT_MALFORMED, "'..' is not a path", "`..` leaves" },
		{ "read", "./../x", AMBIT_MALFORMED, "is not a path", "`..` leaves" },
		{ "read", "~me", AMBIT_MALFORMED, "'~me' is not a path", "your own home" },
		{ "read", "\033[31m", AMBIT_MALFORMED, "'\\x1b[31m' is not a path", "./x" },
		{ "read", "/", AMBIT_DENIED, "read: '/' is never granted whole", "name the directories" },
		{ "work", "/.//?", AMBIT_DENIED, "work: '/' is never granted whole", "name the directories" },
		{ "read", "/proc", AMBIT_DENIED, "read: '/proc' is never granted: a cell", "leave the grant out" },
		{ "read", "/proc/self/", AMBIT_DENIED, "'/proc/self' is never granted: a cell", "leave the grant out" },
		{ "read", "/./proc//nothing?", AMBIT_DENIED, "'/proc/nothing' is never granted",
		  "leave the grant out" },
		{ "write", "/dev/null", AMBIT_DENIED, "'/dev/null' is never granted", "leave the grant out" },
		{ "write", "/dev/shm", AMBIT_DENIED, "'/dev/shm' is never granted", "leave the grant out" },
		{ "run", "/dev/x", AMBIT_DENIED, "run: '/dev/x' is never granted", "leave the grant out" },
		{ "read", "/a /b", AMBIT_MALFORMED, "two objects", "[/a, /b]" },
		{ "read", "/a ~/b", AMBIT_MALFORMED, "two objects", "[/a, /b]" },
		{ "read", "/a b ./c", AMBIT_MALFORMED, "two objects", "[/a, /b]" },
		{ "read", "\"/a", AMBIT_MALFORMED, "a quote is open", "close the quote" },
		{ "read", "'/a''", AMBIT_MALFORMED, "a quote is open", "close the quote" },
		{ "read", "\"/a\"b", AMBIT_MALFORMED, "more than an object", "key=value" },
		{ "read", "\"/a\" /b", AMBIT_MALFORMED, "more than an object", "key=value" },
		{ "read", "[", AMBIT_MALFORMED, "an empty place", "[/a, /b]" },
		{ "read", "[]", AMBIT_MALFORMED, "an empty place", "[/a, /b]" },
		{ "read", "[/a,]", AMBIT_MALFORMED, "an empty place", "[/a, /b]" },
		{ "read", "[/a", AMBIT_MALFORMED, "a list without a comma or its end", "[/a, /b]" },
		{ "read", "['/a' '/b']", AMBIT_MALFORMED, "a list without a comma or its end", "[/a, /b]" },
		{ "read", "[/a] x", AMBIT_MALFORMED, "more than an object", "key=value" },
		{ "read", "[/a, b]", AMBIT_MALFORMED, "'b' is not a path", "./x" },
		{ "read", "/a rows=5", AMBIT_UNAVAILABLE, "wider than you wrote", "leave the grant out" },
		{ "read", "/a uses=5", AMBIT_MALFORMED, "'uses' belongs to connect and tool, and read takes",
		  "leave it out" },
		{ "jit", "ech=true", AMBIT_MALFORMED, "'ech' belongs to connect, and jit takes", "leave it out" },
		{ "connect", "a:1 uses=0", AMBIT_MALFORMED, "uses: '0' is not a value", "such as 50" },
		{ "connect", "a:1 uses=", AMBIT_MALFORMED, "uses: '' is not a value", "such as 50" },
		{ "connect", "a:1 bytes=10X", AMBIT_MALFORMED, "bytes: '10X' is not a value", "such as 10M" },
		{ "connect", "a:1 rate=10", AMBIT_MALFORMED, "rate: '10' is not a value", "such as 10/s" },
		{ "connect", "[a:1, unix:/x] bytes=5", AMBIT_MALFORMED, "the bytes of a Unix socket", "uses or rate" },
		{ "connect", "a:1 ech=yes", AMBIT_MALFORMED, "ech: 'yes' is not a value", "write true" },
		{ "connect", "a:1 uses=5 uses=5", AMBIT_CONFLICT, "'uses' stands here twice", "keep one" },
		{ "connect", "[a:1] uses=5 b:2", AMBIT_MALFORMED, "more than an object", "key=value" },
		{ "connect", "a:1 http='GET /a' http='GET /b'", AMBIT_CONFLICT, "'http' stands here twice",
		  "keep one" },
		{ "connect", "a:1 http='GET /a", AMBIT_MALFORMED, "a quote is open", "close the quote" },
		{ "connect", "a:1 http='GET /a'uses=1", AMBIT_MALFORMED, "no blank behind a quote",
		  "all of the value" },
		{ "connect", "a:1 http=GET /a", AMBIT_MALFORMED, "http: 'GET' is not a method and a path",
		  "such as GET" },
		{ "connect", "a:1 http='GET /../a'", AMBIT_MALFORMED, "a part of dots alone", "without a query" },
		{ "connect", "a:1 credentials=pass", AMBIT_MALFORMED, "neither http, graphql nor secret",
		  "leave it out" },
		{ "connect", "a:1 http='GET /' credentials=replace", AMBIT_MALFORMED, "replace without a secret",
		  "secret=" },
		{ "connect", "a:1 http='GRAPHQL /'", AMBIT_MALFORMED, "graphql is not given", "graphql=" },
		{ "connect", "unix:/run/x secret=a", AMBIT_MALFORMED, "takes no http", "name a host" },
		{ "connect", "ssh://git@a.test secret=a", AMBIT_MALFORMED, "takes no http", "name a host" },
		{ "connect", "10.0.0.0/8:80 secret=a", AMBIT_MALFORMED, "takes no http", "name a host" },
		{ "read", "/a http='GET /'", AMBIT_MALFORMED, "'http' belongs to connect", "beside the connect" },
		{ "connect", "a:1 uses=5 rows=1", AMBIT_UNAVAILABLE, "qualifier 'rows'", "leave the grant out" },
		{ "read", "/a b  rows=x", AMBIT_UNAVAILABLE, "wider than you wrote", "leave the grant out" },
		{ "read", "[/a] label=X", AMBIT_MALFORMED, "label: 'X' is not the name of a label", "small letters" },
		{ "read", "/a label=", AMBIT_MALFORMED, "label: a label is missing", "such as private" },
		{ "read", "/a label=none", AMBIT_MALFORMED, "label: 'none' is not the name", "are no labels" },
		{ "read", "/a label=a label=b", AMBIT_CONFLICT, "'label' stands here twice", "keep one" },
		{ "read", "/a label=private, mail", AMBIT_MALFORMED, "label: a label is missing", "such as private" },
		{ "read", "/a unless=private", AMBIT_MALFORMED, "'unless' belongs to connect and tool",
		  "beside the connect or tool" },
		{ "jit", "label=x", AMBIT_MALFORMED, "'label' belongs to work, read,", "what brings the label" },
		{ "listen", "80 label=x", AMBIT_MALFORMED, "'label' belongs to work, read,", "leave it out" },
		{ "delegate", "* label=x", AMBIT_MALFORMED, "'label' belongs to work, read,", "leave it out" },
		{ "run", "node label=x", AMBIT_MALFORMED, "named without a path", "by its path" },
		{ "run", "[/opt/x, node] label=x", AMBIT_MALFORMED, "named without a path", "by its path" },
		{ "work", ". ask=labelled", AMBIT_MALFORMED, "no ask: labelled", "beside the connect" },
		{ "connect", "a:1 unless=a+b, c", AMBIT_MALFORMED, "unless: a label is missing", "such as private" },
		{ "connect", "a:1 unless=a,b,c,d,e", AMBIT_LIMIT, "more than 4 combinations", "write fewer" },
		{ "connect", "a:1 unless=none ask=labelled", AMBIT_MALFORMED, "nobody would be asked",
		  "one of the two" },
		{ "connect", "a:1 unless=none unless=a", AMBIT_CONFLICT, "'unless' stands here twice", "keep one" },
		{ "connect", "a:1 ask=labelled ask=true", AMBIT_CONFLICT, "'ask' stands here twice", "keep one" },
		{ "connect", "a:1 ask=labeled", AMBIT_MALFORMED, "ask: 'labeled'", "also labelled" },
		{ "declassify", "", AMBIT_MALFORMED, "declassify: a label is missing", "such as private" },
		{ "declassify", "Private", AMBIT_MALFORMED, "'Private' is not the name of a label", "small letters" },
		{ "declassify", "a bytes=5", AMBIT_MALFORMED, "'bytes' belongs to connect", "leave it out" },
		{ "declassify", "a ask=labelled", AMBIT_MALFORMED, "no ask: labelled", "leave it out" },
		{ "connect", "ssh://git@a.example ask=true", AMBIT_MALFORMED, "a key for ssh", "leave the ask out" },
		{ "connect", "a.example:1 ask=no", AMBIT_MALFORMED, "ask: 'no'", "write true" },
		{ "write", "/a ask=yes", AMBIT_MALFORMED, "ask: 'yes'", "write true" },
		{ "write", "/a uses=1", AMBIT_MALFORMED, "belongs to connect", "leave it out" },
		{ "read", "\"/a\" user=5", AMBIT_UNKNOWN, "'user' is not a verb or qualifier", "did you mean 'uses'?" },
		{ "run", "make", AMBIT_UNKNOWN, "run: 'make'", "programs of the base" },
		{ "run", "bin/x", AMBIT_MALFORMED, "'bin/x' is not a path", "./x" },
		{ "run", "", AMBIT_MALFORMED, "'' is not a path", "name a path" },
		{ "env", "A-B", AMBIT_MALFORMED, "'A-B' is not a name", "NAME=value" },
		{ "env", "A=x y=z", AMBIT_UNKNOWN, "'y' is not a verb or qualifier", "verbs are" },
		{ "env", "", AMBIT_MALFORMED, "'' is not a name", "NAME=value" },
		{ "jit", "true", AMBIT_MALFORMED, "more than an object", "key=value" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e;
		int rc;

		memset(&policy, 0, sizeof policy);
		rc = policy_add_flag(&policy, rows[i].verb, rows[i].text, &e);
		if (rc != -(int)rows[i].code || !err_says(&e, rows[i].msg) || strstr(e.hint, rows[i].hint) == NULL)
			fail_msg("%s '%s': %d %s (%s)", rows[i].verb, rows[i].text, rc, err_text(&e).s, e.hint);
		assert_int_equal(policy.n_lines, 0);
	}
}

static void qualifiers_are_read_from_flags_and_sent(void **state)
{
	static const struct {
		const char *text;
		uint32_t lines;
		const char *object, *qualifiers; /* of the last */
	} rows[] = {
		{ "a.test:443", 1, "a.test:443", "" },
		{ "a.test:443 uses=50 bytes=10M rate=10/s ech=true", 1, "a.test:443",
		  "uses=50 bytes=10M rate=10/s ech=true" },
		{ " a.test:443  ech=true\tuses=050 ", 1, "a.test:443", "uses=50 ech=true" },
		{ "[a.test:443, b:1] rate=1/h", 2, "b:1", "rate=1/h" },
		{ "[::1]:443 uses=1", 1, "[::1]:443", "uses=1" },
		{ "a:1 until=2026-12-01T00:00:00Z", 1, "a:1", "until=2026-12-01T00:00:00Z" },
		{ "a:1 between='09:00-18:00 Europe/Berlin' uses=5", 1, "a:1",
		  "uses=5 between='09:00-18:00 Europe/Berlin'" },
		{ "[a:1, unix:/run/x] between=\"22:00-06:30 UTC\"", 2, "unix:/run/x", "between='22:00-06:30 UTC'" },
		{ "api.a.test:443 http='GET /repos/**, POST /x' secret=github", 1, "api.a.test:443",
		  " http='GET /repos/**, POST /x' secret='github as bearer'" },
		{ "[a:1, *.b.test:2] secret=\"g as header:x-key\" credentials=replace uses=2", 2, "*.b.test:2",
		  "uses=2 secret='g as header:x-key' credentials=replace" },
		{ "*:443 graphql='query *, mutation createIssue'", 1, "*:443",
		  " graphql='query *, mutation createIssue'" },
		{ "10.0.0.1:80 http='* /'", 1, "10.0.0.1:80", " http='* /'" },
		{ "'unix:/run/x y=z' uses=1", 1, "unix:/run/x y=z", "uses=1" },
	};
	static struct policy decoded;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char has[QUALIFIERS_TEXT_MAX], both[QUALIFIERS_TEXT_MAX + TERMS_TEXT_MAX];
		auto_buf out = { .max = POLICY_ENCODED_MAX };
		struct rbuf in;
		struct err e;

		memset(&policy, 0, sizeof policy);
		if (policy_add_flag(&policy, "connect", rows[i].text, &e) < 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e).s);
		policy_encode(&policy, &out);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(policy_decode(&in, &decoded, &e), 0);
		assert_int_equal(decoded.n_lines, rows[i].lines);
		for (uint32_t j = 0; j < decoded.n_lines; j++) {
			qualifiers_format(&decoded.lines[j].qualifiers, has);
			(void)snprintf(both, sizeof both, "%s%s%s", has,
				       policy_terms(&decoded, &decoded.lines[j])[0] != 0 ? " " : "",
				       policy_terms(&decoded, &decoded.lines[j]));
			assert_string_equal(both, rows[i].qualifiers);
		}
		assert_string_equal(decoded.lines[decoded.n_lines - 1].object, rows[i].object);
	}
	policy.lines[0].verb = VERB_READ; /* which has none */
	policy.lines[0].object[0] = '/';
	{
		auto_buf out = { .max = POLICY_ENCODED_MAX };
		struct rbuf in;

		policy_encode(&policy, &out);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(policy_decode(&in, &decoded, NULL), -AMBIT_PROTOCOL);
	}
}

/* From a flag to the other side, to another policy, and to what is granted of tools. */
static void tools_are_read_from_flags_and_carried(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "a/b", "a/b" },
		{ "a/* uses=5 rate=10/m", "a/* uses=5 rate=10/m" },
		{ "a/b where='{\"path\": \"./docs/**\"}' uses=5", "a/b uses=5 where='{\"path\":[\"./docs/*\"]}'" },
		{ "a/b where={\"path\":[\"x\",5]}", "a/b where='{\"path\":[\"5\",\"x\"]}'" },
		{ "a/b where='{\"a\": \"it\\u0027s\"}'", "a/b where='{\"a\":[\"it\\u0027s\"]}'" },
		{ "a/b where=\"{\"\"a\"\": null}\" ask=true", "a/b ask=true where='{\"a\":null}'" },
		{ "a/b where='{\"a\": \"it''s\"}'", "a/b where='{\"a\":[\"it\\u0027s\"]}'" },
		{ "a/b where={}", "a/b" },
		{ "* unless=private+untrusted,secret ask=labelled label=untrusted",
		  "* label=untrusted unless=private+untrusted,secret ask=labelled" },
		{ "a/b until=2026-12-01T00:00:00Z between='09:00-18:00 UTC'",
		  "a/b until=2026-12-01T00:00:00Z between='09:00-18:00 UTC'" },
	};
	static struct policy decoded, all;
	static struct grant_set set;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = POLICY_ENCODED_MAX }, line = { .max = 8192 };
		struct rbuf in;
		struct err e;

		memset(&policy, 0, sizeof policy);
		memset(&all, 0, sizeof all);
		grant_set_init(&set);
		if (policy_add_flag(&policy, "tool", rows[i].text, &e) < 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e).s);
		policy_encode(&policy, &out);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(policy_decode(&in, &decoded, &e), 0);
		assert_int_equal(policy_add_flag(&all, "tool", "z/z where={\"z\":1}", &e), 0);
		assert_int_equal(policy_merge(&all, &decoded, "flags", &e), 0);
		assert_int_equal(policy_resolve_tools(&all, &set, &e), 0);
		assert_int_equal(set.count, 2);
		buf_printf(&line, "%s", grant_object(&set, 1));
		grant_put_conditions(&set, 1, &line);
		assert_string_equal(buf_cstr(&line), rows[i].line);
	}
}

/* Whose a line is, and who means it. */
static void a_guard_is_for_the_server(void **state)
{
	static const struct policy_place place = { .workspace = "/", .home = NULL };
	static struct policy file, all, decoded;
	static struct grant_set set;
	struct limits limits = { .value = { 0 } };
	auto_buf out = { .max = POLICY_ENCODED_MAX };
	struct rbuf in;
	uint32_t line;
	struct err e;

	(void)state;
	memset(&file, 0, sizeof file);
	memset(&all, 0, sizeof all);
	assert_int_equal(policy_add_flag(&file, "env", "OF_EVENTS", &e), 0);
	assert_int_equal(policy_add_flag(&file, "tool", "a/b", &e), 0);
	assert_int_equal(policy_add_flag(&file, "env", "OF_SERVER", &e), 0);
	assert_int_equal(policy_put_guard(&file, 2, 0, &line, &e), 0);
	assert_int_equal(policy_put_guard(&file, 1, 0, &line, &e), -AMBIT_MALFORMED);
	assert_int_equal(line, 1);
	assert_int_equal(policy_add_flag(&all, "env", "OF_FLAGS", &e), 0);
	assert_int_equal(policy_add_flag(&all, "tool", "a/c", &e), 0);
	assert_int_equal(policy_merge(&all, &file, "file", &e), 0);

	grant_set_init(&set);
	assert_int_equal(policy_resolve(&all, &place, &set, &limits, NULL, &e), 0);
	assert_int_equal(set.count, 2);
	assert_string_equal(grant_object(&set, 0), "OF_FLAGS");
	assert_string_equal(grant_object(&set, 1), "OF_EVENTS");

	all.use = POLICY_FOR_SERVER;
	policy_encode(&all, &out);
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(policy_decode(&in, &decoded, &e), 0);
	assert_int_equal(decoded.use, POLICY_FOR_SERVER);
	grant_set_init(&set);
	assert_int_equal(policy_resolve(&all, &place, &set, &limits, NULL, &e), 0);
	assert_int_equal(set.count, 2);
	assert_string_equal(grant_object(&set, 0), "OF_FLAGS");
	assert_string_equal(grant_object(&set, 1), "OF_SERVER");

	grant_set_init(&set);
	assert_int_equal(policy_resolve_tools(&all, &set, &e), 0);
	assert_int_equal(set.count, 2);
	assert_string_equal(grant_object(&set, 0), "a/c");
	assert_string_equal(grant_object(&set, 1), "a/b");
	assert_int_equal(policy_merge(&all, &file, "file", &e), 0); /* as it was */
	assert_int_equal(all.use, POLICY_FOR_SERVER);
}

/* From a flag to the other side, to another policy, and to the grants of a host. */
static void labels_are_read_from_flags_and_carried(void **state)
{
	static const struct {
		const char *verb, *text, *qualifiers, *flow;
	} rows[] = {
		{ "read", "/usr label=private", "", "label=private" },
		{ "read", "[/usr, /bin?] label='private, mail'", "", "label=mail+private" },
		{ "read", "[/usr, /etc] ask=true", "ask=true", "" },
		{ "run", "/bin/ls ask=true", "ask=true", "" },
		{ "env", "NAME ask=true", "ask=true", "" },
		{ "listen", "8000 ask=true", "ask=true", "" },
		{ "delegate", "a uses=3 ask=true", "uses=3 ask=true", "" },
		{ "work", "/usr ask=true label=mail+private", "ask=true", "label=mail+private" },
		{ "run", "/usr label=x", "", "label=x" },
		{ "env", "TOKEN label=private", "", "label=private" },
		{ "connect", "a:443 label=untrusted", "", "label=untrusted" },
		{ "connect", "a:443 unless=private+untrusted ask=labelled", "",
		  "unless=private+untrusted ask=labelled" },
		{ "connect", "a:443 unless='secret, private+untrusted' uses=2", "uses=2",
		  "unless=private+untrusted,secret" },
		{ "connect", "unix:/run/x unless=none", "", "unless=none" },
		{ "connect", "ssh://git@a.test ask=labelled", "", "ask=labelled" },
		{ "declassify", "private", "", "" },
		{ "declassify", "[a, b.c] uses=3 ask=true", "uses=3 ask=true", "" },
		{ "delegate", "* uses=3 depth=2", "uses=3 depth=2", "" },
	};
	static const struct policy_place place = { .workspace = "/", .home = NULL };
	static struct policy decoded, all;
	static struct grant_set set;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = POLICY_ENCODED_MAX };
		struct limits limits;
		struct rbuf in;
		struct err e;

		memset(&policy, 0, sizeof policy);
		memset(&all, 0, sizeof all);
		grant_set_init(&set);
		if (policy_add_flag(&policy, rows[i].verb, rows[i].text, &e) < 0)
			fail_msg("%s %s: %s", rows[i].verb, rows[i].text, err_text(&e).s);
		policy_encode(&policy, &out);
		rbuf_init(&in, out.data, out.len);
		if (policy_decode(&in, &decoded, &e) < 0 || policy_merge(&all, &decoded, "x", &e) < 0 ||
		    policy_resolve(&all, &place, &set, &limits, NULL, &e) < 0)
			fail_msg("%s %s: %s", rows[i].verb, rows[i].text, err_text(&e).s);
		assert_true(set.count > 0);
		for (uint32_t k = 0; k < set.count; k++) {
			char has[QUALIFIERS_TEXT_MAX];

			qualifiers_format(&set.grants[k].qualifiers, has);
			assert_string_equal(has, rows[i].qualifiers);
			assert_string_equal(grant_flow(&set, k), rows[i].flow);
		}
	}
	policy.lines[0].flow = policy.texts_used + 1; /* of delegate, which has none */
	memcpy(policy.texts + policy.lines[0].flow, "label=x", sizeof "label=x");
	{
		auto_buf out = { .max = POLICY_ENCODED_MAX };
		struct rbuf in;

		policy_encode(&policy, &out);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(policy_decode(&in, &decoded, NULL), -AMBIT_PROTOCOL);
	}
}

static void the_design_s_qualifiers_are_known(void **state)
{
	static const char *const words[] = { "rows", "allow" };
	static const char *const here[] = { "uses",    "bytes",  "rate",    "ech",    "until",
					    "between", "http",   "graphql", "secret", "credentials",
					    "label",   "unless", "ask",     "depth",  "where" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (!qualifier_find(words[i]) || qualifier_parse(words[i], NULL) != -AMBIT_UNAVAILABLE)
			fail_msg("%s", words[i]);
	for (size_t i = 0; i < COUNT_OF(here); i++)
		if (!qualifier_find(here[i]) || qualifier_parse(here[i], NULL) != 0)
			fail_msg("%s", here[i]);
	assert_false(qualifier_find("read"));
	assert_int_equal(qualifier_parse("zebra", NULL), -AMBIT_UNKNOWN);
}

static void limits_are_read_from_flags(void **state)
{
	static const struct {
		const char *text;
		int expected;
		uint64_t wall;
		const char *hint;
	} rows[] = {
		{ "wall=30s", 0, 30000, NULL },
		{ "wall=30s,tasks=5", 0, 30000, NULL },
		{ "tasks=5,wall=none", 0, 0, NULL },
		{ "", -AMBIT_MALFORMED, 0, "wall=30s" },
		{ "wall", -AMBIT_MALFORMED, 0, "wall=30s" },
		{ "wall=30s,", -AMBIT_MALFORMED, 0, "wall=30s" },
		{ "wal=30s", -AMBIT_UNKNOWN, 0, "did you mean 'wall'?" },
		{ "wall=30", -AMBIT_MALFORMED, 0, "ms, s, m or h" },
		{ "tasks=5,wall=x", -AMBIT_MALFORMED, 0, "ms, s, m or h" },
		{ "wall=000000000000000000000000000000000000000000000000000000000000001s", -AMBIT_MALFORMED, 0,
		  "wall=30s" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e;

		memset(&policy, 0, sizeof policy);
		if (policy_add_limit(&policy, rows[i].text, &e) != rows[i].expected)
			fail_msg("%s: %s", rows[i].text, e.msg);
		if (rows[i].expected < 0) {
			assert_int_equal(policy.limits_given, 0);
			assert_int_equal(policy.limits.value[LIMIT_TASKS], 0);
			assert_non_null(strstr(e.hint, rows[i].hint));
			continue;
		}
		assert_true((policy.limits_given & 1u << LIMIT_WALL) != 0);
		assert_int_equal(policy.limits.value[LIMIT_WALL], rows[i].wall);
	}
	memset(&policy, 0, sizeof policy);
	assert_int_equal(policy_add_limit(&policy, "wall=30s", NULL), 0);
	assert_int_equal(policy_add_limit(&policy, "wall=60s", NULL), 0); /* given again: the smaller */
	assert_int_equal(policy.limits.value[LIMIT_WALL], 30000);
	assert_int_equal(policy_add_limit(&policy, "wall=10s", NULL), 0);
	assert_int_equal(policy.limits.value[LIMIT_WALL], 10000);
}

static void budgets_are_read_from_flags(void **state)
{
	static const struct {
		const char *text;
		int expected;
		const char *session, *agent, *told; /* a part of the message, or of its hint */
	} rows[] = {
		{ "session uses=100 bytes=10M rate=10/s", 0, "uses=100 bytes=10M rate=10/s", "", "" },
		{ " agent\tbytes=1G ", 0, "", "bytes=1G", "" },
		{ "session rate=10/m uses=07", 0, "uses=7 rate=10/m", "", "" },
		{ "", -AMBIT_UNKNOWN, "", "", "budgets are session and agent" },
		{ "uses=100", -AMBIT_UNKNOWN, "", "", "'uses=100' is not a budget" },
		{ "sesion uses=100", -AMBIT_UNKNOWN, "", "", "did you mean 'session'?" },
		{ "session", -AMBIT_MALFORMED, "", "", "no number in 'session'" },
		{ "session 100", -AMBIT_MALFORMED, "", "", "no key=value in '100'" },
		{ "session uses", -AMBIT_MALFORMED, "", "", "no key=value" },
		{ "session uses=", -AMBIT_MALFORMED, "", "", "uses: '' is not a value" },
		{ "session uses=0", -AMBIT_MALFORMED, "", "", "uses: '0' is not a value" },
		{ "session uses=5 bytes=10X", -AMBIT_MALFORMED, "", "", "bytes: '10X'" },
		{ "session use=5", -AMBIT_UNKNOWN, "", "", "did you mean 'uses'?" },
		{ "session zebra=5", -AMBIT_UNKNOWN, "", "", "budgets have uses, bytes and rate" },
		{ "session until=2026-12-01T00:00:00Z", -AMBIT_MALFORMED, "", "", "'until' belongs to grants" },
		{ "session between=a", -AMBIT_MALFORMED, "", "", "'between' belongs to grants" },
		{ "session rows=5", -AMBIT_MALFORMED, "", "", "'rows' belongs to grants" },
		{ "session http=GET", -AMBIT_MALFORMED, "", "", "'http' belongs to grants" },
		{ "session ask=true", -AMBIT_MALFORMED, "", "", "'ask' belongs to grants" },
		{ "session uses=5 uses=5", -AMBIT_CONFLICT, "", "", "'uses' stands here twice" },
		{ "session uses=0000000000000000000000000000000000000000000000000000000000001", -AMBIT_MALFORMED, "",
		  "", "no key=value" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char session[QUALIFIERS_TEXT_MAX], agent[QUALIFIERS_TEXT_MAX];
		struct err e = { .code = AMBIT_OK };
		int rc;

		memset(&policy, 0, sizeof policy);
		rc = policy_add_budget(&policy, rows[i].text, &e);
		qualifiers_format(&policy.budgets[BUDGET_SESSION], session);
		qualifiers_format(&policy.budgets[BUDGET_AGENT], agent);
		if (rc != rows[i].expected || strcmp(session, rows[i].session) != 0 ||
		    strcmp(agent, rows[i].agent) != 0 || policy_has_budgets(&policy) != (rc == 0) ||
		    (strstr(e.msg, rows[i].told) == NULL && strstr(e.hint, rows[i].told) == NULL) ||
		    (rc < 0 && e.hint[0] == 0))
			fail_msg("'%s': %d %s | %s: %s", rows[i].text, rc, session, agent, err_text(&e).s);
	}
}

/* Of flags, and of policies that are put together. */
static void of_two_budgets_each_number_is_the_smaller(void **state)
{
	static const struct {
		const char *one, *other, *both; /* NULL: nobody says which is smaller */
	} rows[] = {
		{ "uses=5", "uses=7", "uses=5" },
		{ "uses=5", "bytes=7", "uses=5 bytes=7" },
		{ "uses=5 bytes=10M", "uses=7 bytes=1M", "uses=5 bytes=1M" },
		{ "rate=5/s", "rate=7/s", "rate=5/s" },
		{ "rate=5/s", "uses=5", "uses=5 rate=5/s" },
		{ "rate=5/s", "rate=5/m", NULL },
		{ "uses=9 rate=1/h", "uses=5 rate=100/s", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (unsigned turn = 0; turn < 4; turn++) { /* each first, and as flags or as policies */
			const char *first = turn % 2 == 0 ? rows[i].one : rows[i].other;
			const char *second = turn % 2 == 0 ? rows[i].other : rows[i].one;
			const char *expected = rows[i].both != NULL ? rows[i].both : first;
			char text[64], got[QUALIFIERS_TEXT_MAX];
			struct err e;
			int rc;

			memset(&policy, 0, sizeof policy);
			memset(&other, 0, sizeof other);
			(void)snprintf(text, sizeof text, "agent %s", first);
			assert_int_equal(policy_add_budget(&policy, text, &e), 0);
			(void)snprintf(text, sizeof text, "agent %s", second);
			rc = policy_add_budget(turn < 2 ? &policy : &other, text, &e);
			rc = turn < 2 ? rc : policy_merge(&policy, &other, "x", &e);
			qualifiers_format(&policy.budgets[BUDGET_AGENT], got);
			if (rc != (rows[i].both != NULL ? 0 : -AMBIT_CONFLICT) || strcmp(got, expected) != 0)
				fail_msg("%s, %s: %d %s", first, second, rc, got);
			assert_true(qualifiers_are_none(&policy.budgets[BUDGET_SESSION]));
			if (rc < 0)
				assert_non_null(strstr(e.msg, "budgets: the rate of agent is "));
		}
}

static void policies_are_merged(void **state)
{
	struct err e;
	char got[256];

	(void)state;
	memset(&policy, 0, sizeof policy);
	memset(&other, 0, sizeof other);
	assert_int_equal(policy_add_flag(&policy, "read", "/a", &e), 0);
	assert_int_equal(policy_add_limit(&policy, "wall=30s,memory=1G", &e), 0);
	assert_int_equal(policy_add(&other, VERB_WORK, ".", 3, 5, &e), 0);
	assert_int_equal(policy_set_agent(&other, "coder", &e), 0);
	assert_int_equal(policy_add_limit(&other, "wall=20s,tasks=7", &e), 0);
	assert_int_equal(policy_merge(&policy, &other, "a\033b.yaml", &e), 0);
	describe(&policy, got, sizeof got);
	assert_string_equal(got, "read /a\nwork .");
	assert_int_equal(policy.lines[0].source, 0);
	assert_string_equal(policy.sources[policy.lines[1].source], "a\\x1bb.yaml");
	assert_string_equal(policy.agent, "coder");
	assert_int_equal(policy.limits.value[LIMIT_WALL], 20000);
	assert_int_equal(policy.limits.value[LIMIT_TASKS], 7);
	assert_true(policy.limits.value[LIMIT_MEMORY] == UINT64_C(1) << 30);

	memset(&other, 0, sizeof other);
	assert_int_equal(policy_set_agent(&other, "another", &e), 0);
	assert_int_equal(policy_merge(&policy, &other, "b", &e), -AMBIT_CONFLICT);

	memset(&other, 0, sizeof other);
	for (unsigned int i = 1; i < POLICY_SOURCES_MAX - 1; i++)
		assert_int_equal(policy_merge(&policy, &other, "c", &e), 0);
	assert_int_equal(policy_merge(&policy, &other, "c", &e), -AMBIT_LIMIT);

	memset(&policy, 0, sizeof policy);
	for (unsigned int i = 0; i < POLICY_LINES_MAX; i++)
		assert_int_equal(policy_add(&policy, VERB_READ, "/a", 0, 0, &e), 0);
	assert_int_equal(policy_add(&policy, VERB_READ, "/a", 0, 0, &e), -AMBIT_LIMIT);
	assert_int_equal(policy_merge(&policy, &other, "empty", &e), 0);
	assert_int_equal(policy_add(&other, VERB_READ, "/a", 0, 0, &e), 0);
	assert_int_equal(policy_merge(&policy, &other, "one more", &e), -AMBIT_LIMIT);
}

/* ---- between processes ---- */

static void fill(struct policy *p)
{
	memset(p, 0, sizeof *p);
	assert_int_equal(policy_set_agent(p, "coder", NULL), 0);
	assert_int_equal(policy_add_warm(p, "python=/opt/python3 numpy", NULL), 0);
	assert_int_equal(policy_add_warm(p, "shell", NULL), 0);
	assert_int_equal(policy_add_limit(p, "wall=30s,memory=none", NULL), 0);
	assert_int_equal(policy_add_budget(p, "session uses=100 bytes=10M rate=10/s", NULL), 0);
	assert_int_equal(policy_add_budget(p, "agent uses=1000", NULL), 0);
	assert_int_equal(policy_add_secret(p, POLICY_TOKENS, NULL), 0);
	assert_int_equal(policy_add_secret(p, "[a-z]{8}", NULL), 0);
	assert_int_equal(policy_limit_answers(p, "64K", NULL), 0);
	assert_int_equal(policy_add(p, VERB_READ, "~/x?", 3, 5, NULL), 0);
	assert_int_equal(policy_add(p, VERB_JIT, "", 4, 5, NULL), 0);
	assert_int_equal(policy_add(p, VERB_ENV, "A=\xff", 5, 5, NULL), 0);
}

static void a_policy_survives_the_passage(void **state)
{
	struct policy_mistake m;
	auto_buf out = { .max = 0 };

	(void)state;
	fill(&policy);
	buf_init(&out, POLICY_ANSWER_MAX);
	policy_answer_encode(&policy, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), 0);
	assert_memory_equal(&policy, &other, sizeof policy);
}

static void a_mistake_survives_the_passage(void **state)
{
	static const struct policy_mistake told = {
		.line = 3,
		.column = 7,
		.err = { .code = AMBIT_UNKNOWN, .msg = "'\\x1b' \033[31m", .hint = "h\xe2\x80\xae" }
	};
	struct policy_mistake m;
	auto_buf out = { .max = 0 };

	(void)state;
	buf_init(&out, POLICY_ANSWER_MAX);
	policy_answer_encode_mistake(&told, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_UNKNOWN);
	assert_int_equal(m.line, 3);
	assert_int_equal(m.column, 7);
	assert_int_equal(m.err.code, AMBIT_UNKNOWN);
	assert_string_equal(m.err.msg, "'\\x1b' \\x1b[31m"); /* what was escaped stays, what was not is */
	assert_string_equal(m.err.hint, "h\\u{202e}");
}

static void what_the_parser_may_not_say_is_refused(void **state)
{
	static const struct {
		const char *name;
		uint32_t verb, flags;
		const char *object;
	} rows[] = {
		{ "a verb that does not exist", VERB_COUNT, 0, "/a" },
		{ "a verb of another build", VERB_QUERY, 0, "a:1" },
		{ "a flag that does not exist", VERB_READ, 4, "/a" },
		{ "no tool", VERB_TOOL, 0, "a" },
		{ "a tool under guard", VERB_TOOL, POLICY_GUARD, "a/b" },
		{ "of a server that is not there", VERB_READ, POLICY_GUARD | 1u << POLICY_SERVER_SHIFT, "/a" },
		{ "of a server, and of events", VERB_READ, 1u << POLICY_SERVER_SHIFT, "/a" },
		{ "a mark where none can be", VERB_ENV, GRANT_OPTIONAL, "A" },
		{ "no path", VERB_READ, 0, "a" },
		{ "a path that climbs", VERB_READ, 0, "./../a" },
		{ "no program", VERB_RUN, 0, "make" },
		{ "no name", VERB_ENV, 0, "=" },
		{ "an object for a verb without", VERB_JIT, 0, "x" },
	};
	struct policy_mistake m;
	auto_buf out = { .max = 0 };

	(void)state;
	buf_init(&out, POLICY_ANSWER_MAX);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		memset(&policy, 0, sizeof policy);
		policy.n_lines = 1;
		policy.lines[0].verb = rows[i].verb;
		policy.lines[0].flags = rows[i].flags;
		(void)snprintf(policy.lines[0].object, sizeof policy.lines[0].object, "%s", rows[i].object);
		buf_reset(&out);
		policy_answer_encode(&policy, &out);
		if (policy_answer_decode(out.data, out.len, &other, &m) != -AMBIT_PROTOCOL || m.line != 0)
			fail_msg("%s", rows[i].name);
	}
	fill(&policy);
	policy.limits_given |= 1u << LIMIT_COUNT;
	buf_reset(&out);
	policy_answer_encode(&policy, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
	for (unsigned i = 0; i < BUDGET_COUNT; i++) {
		static const struct qualifiers none_has[] = { { .ask = 1 },     { .ech = 1 },
							      { .until_s = 1 }, { .depth = 1 },
							      { .rate = 1 },    { .between = { 1, 2, "UTC" } } };

		for (size_t k = 0; k < COUNT_OF(none_has); k++) {
			fill(&policy);
			policy.budgets[i] = none_has[k];
			buf_reset(&out);
			policy_answer_encode(&policy, &out);
			assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
		}
	}
	fill(&policy);
	policy.limits.value[LIMIT_WALL] = UINT64_MAX;
	buf_reset(&out);
	policy_answer_encode(&policy, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
	fill(&policy);
	policy.use = POLICY_FOR_SERVER + 1;
	buf_reset(&out);
	policy_answer_encode(&policy, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
	fill(&policy);
	policy.profile = PROFILE_LAST + 1;
	buf_reset(&out);
	policy_answer_encode(&policy, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
	fill(&policy);
	memcpy(policy.agent, "a\033", 3);
	buf_reset(&out);
	policy_answer_encode(&policy, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
}

#define ANSWERS_BYTES 12 /* of none */

/* Where what is said of answers stands in an encoded policy that says nothing of them: before the lines, how many of which there are is the last of one without. */
static size_t place_of_answers(void)
{
	const uint32_t lines = policy.n_lines;
	auto_buf out = { .max = POLICY_ENCODED_MAX };

	policy.n_lines = 0;
	policy_encode(&policy, &out);
	policy.n_lines = lines;
	return out.len - ANSWERS_BYTES - 4;
}

/* Of a session that is older than answers, and than the use of a policy: it is for events. */
static void what_an_earlier_build_kept_is_read(void **state)
{
	static const char *const four[] = { NULL, "off", "log", "ask", "hold" };
	auto_buf out = { .max = POLICY_ENCODED_MAX };
	struct rbuf in;
	struct err e;
	size_t at, profile;

	(void)state;
	fill(&policy);
	memset(&policy.answers, 0, sizeof policy.answers);
	at = place_of_answers();
	policy_encode(&policy, &out);
	assert_int_equal(out.data[0], 12);
	profile = 8 + 4 + strlen(policy.agent); /* behind the version, the use, the servers and the agent */
	out.data[0] = 11;
	for (uint8_t i = 0; i < 6; i++) { /* off, log, ask and hold, by the numbers that they had */
		out.data[profile] = i;
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(policy_decode(&in, &other, &e), i < 5 ? 0 : -AMBIT_PROTOCOL);
		if (i > 0 && i < 5)
			assert_string_equal(policy_profile_word(other.profile), four[i]);
	}
	out.data[profile] = policy.profile == PROFILE_HOLD ? 4 : 0;
	memmove(out.data + profile + 1, out.data + profile + 2, out.len - profile - 2); /* without canary */
	out.len--;
	at--;
	out.data[0] = 10;
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(policy_decode(&in, &other, &e), 0);
	assert_memory_equal(&policy, &other, sizeof policy);
	memmove(out.data + profile, out.data + profile + 1, out.len - profile - 1);
	out.len--;
	at--;
	out.data[0] = 9;
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(policy_decode(&in, &other, &e), 0);
	assert_memory_equal(&policy, &other, sizeof policy);
	memmove(out.data + 3, out.data + 8, out.len - 8); /* without servers */
	out.len -= 5;
	at -= 5;
	out.data[0] = 8;
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(policy_decode(&in, &other, &e), 0);
	assert_memory_equal(&policy, &other, sizeof policy);
	memmove(out.data + at, out.data + at + ANSWERS_BYTES, out.len - at - ANSWERS_BYTES);
	out.len -= ANSWERS_BYTES;
	out.data[0] = 7;
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(policy_decode(&in, &other, &e), 0);
	assert_memory_equal(&policy, &other, sizeof policy);
	memmove(out.data + 2, out.data + 3, out.len - 3);
	out.data[0] = 6;
	rbuf_init(&in, out.data, out.len - 1);
	assert_int_equal(policy_decode(&in, &other, &e), 0);
	assert_memory_equal(&policy, &other, sizeof policy);
	out.data[0] = 13;
	rbuf_init(&in, out.data, out.len - 1);
	assert_int_equal(policy_decode(&in, &other, &e), -AMBIT_PROTOCOL);
}

static void a_mistake_must_be_one(void **state)
{
	static const enum ambit_code not_mistakes[] = { AMBIT_OK, AMBIT_HOST, AMBIT_UNTRUSTED, (enum ambit_code)99 };
	struct policy_mistake m, told = { .line = 1, .column = 1, .err = { .msg = "m" } };
	auto_buf out = { .max = 0 };

	(void)state;
	buf_init(&out, POLICY_ANSWER_MAX);
	for (size_t i = 0; i < COUNT_OF(not_mistakes); i++) {
		told.err.code = not_mistakes[i];
		buf_reset(&out);
		policy_answer_encode_mistake(&told, &out);
		if (policy_answer_decode(out.data, out.len, &other, &m) != -AMBIT_PROTOCOL || m.line != 0)
			fail_msg("code %d", (int)not_mistakes[i]);
	}
	told.err.code = AMBIT_MALFORMED;
	buf_reset(&out);
	policy_answer_encode_mistake(&told, &out);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_MALFORMED);
	buf_put_u8(&out, 'x'); /* one byte more than the mistake, and the frame says so */
	out.data[0]++;
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
}

/* Every byte cut off, one too many, and every byte changed: refused, or read as what it says; never a crash. */
static void a_damaged_answer_is_refused(void **state)
{
	struct policy_mistake m;
	auto_buf out, again;

	(void)state;
	fill(&policy);
	buf_init(&out, POLICY_ANSWER_MAX);
	buf_init(&again, POLICY_ANSWER_MAX);
	policy_answer_encode(&policy, &out);
	for (size_t n = 0; n < out.len; n++)
		assert_int_equal(policy_answer_decode(out.data, n, &other, &m), -AMBIT_PROTOCOL);
	buf_put_u8(&out, 0);
	assert_int_equal(policy_answer_decode(out.data, out.len, &other, &m), -AMBIT_PROTOCOL);
	out.len--;
	for (size_t i = 0; i < out.len; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			out.data[i] ^= (uint8_t)(1u << bit);
			if (policy_answer_decode(out.data, out.len, &other, &m) == 0) {
				buf_reset(&again);
				policy_answer_encode(&other, &again);
				assert_int_equal(again.len, out.len);
				assert_memory_equal(again.data, out.data, out.len);
			}
			out.data[i] ^= (uint8_t)(1u << bit);
		}
}

/* ---- what core suggests is read back ---- */

static void shell_unquotes(const char *flag, char *ret, size_t size)
{
	char command[600];
	FILE *pipe;
	size_t n;

	(void)snprintf(command, sizeof command,
		       "exec bash -c 'eval \"set -- $AMBIT_TEST_FLAG\"; printf %%s\"\\n\" \"$@\"'");
	assert_int_equal(setenv("AMBIT_TEST_FLAG", flag, 1), 0);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	n = fread(ret, 1, size - 1, pipe);
	ret[n] = 0;
	assert_int_equal(pclose(pipe), 0);
}

/* Through a real shell, then through the reader of flags: the same object. Names that each level could take apart. */
static void a_suggested_flag_reads_back(void **state)
{
	static const char *const parts[] = {
		"a",  " ",    "'", "\"",          "=", "[", "]", ",",      "?",  "\\",           "$x",   "~", "\n",
		"\t", "\xff", "*", "caf\xc3\xa9", "#", ";", ":", "uses=5", "/b", "\xe2\x80\xae", "`id`", "!"
	};

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(60); round++) {
		struct prop p = prop_round(round);
		char object[128] = "/x", line[512], flag[512], text[600];
		const struct grant_request want = { .verb = VERB_READ, .object = object };
		size_t n = 2;
		struct err e;

		for (uint32_t k = 1 + prop_below(&p, 6); k > 0; k--)
			n += (size_t)snprintf(object + n, sizeof object - n, "%s",
					      parts[prop_below(&p, COUNT_OF(parts))]);
		if (!path_is_normal(object))
			continue;
		grant_suggest(&want, line, sizeof line, flag, sizeof flag);
		shell_unquotes(flag, text, sizeof text);
		if (strncmp(text, "--read\n", 7) != 0)
			prop_fail(&p, "%s became %s", flag, text);
		text[strlen(text) - 1] = 0; /* printf's own line break */
		memset(&policy, 0, sizeof policy);
		if (policy_add_flag(&policy, "read", text + 7, &e) < 0)
			prop_fail(&p, "%s: %s", flag, e.msg);
		if (policy.n_lines != 1 || strcmp(policy.lines[0].object, object) != 0)
			prop_fail(&p, "'%s' became '%s' through %s", object, policy.lines[0].object, flag);
	}
}

/* ---- tables ---- */

static void runtimes_have_traits(void **state)
{
	static const struct {
		const char *name;
		int jit; /* -1: not in the table */
	} rows[] = {
		{ "node", 1 },       { "node-20", 1 },    { "java", 1 },    { "python3", 0 },
		{ "python3.11", 0 }, { "luajit-2.1", 1 }, { "pypy3.9", 1 }, { "make", -1 },
		{ "", -1 },          { "nod", -1 },       { "node-x", -1 }, { "3", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct program_traits *t = policy_program_traits(rows[i].name);

		if ((t == NULL ? -1 : t->jit) != rows[i].jit)
			fail_msg("%s", rows[i].name);
		if (t != NULL)
			assert_true(t->reason[0] != 0);
	}
}

static void presets_are_embedded(void **state)
{
	static const char *const names[] = { "agent", "c", "claude-code", "node", "python", "shell" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_string_equal(preset_name(i), names[i]);
		assert_non_null(strstr(preset_text(names[i]), "\nversion: 1\n"));
	}
	assert_null(preset_name(COUNT_OF(names)));
	assert_null(preset_text("nodes"));
}

/* By hand, and by what it becomes: an interpreter and modules, or nothing. */
static void what_waits_is_read(void **state)
{
	static const struct {
		const char *text, *program, *modules; /* NULL: it is refused */
		enum event_kind kind;
	} rows[] = {
		{ "python", "", "", KIND_PYTHON },
		{ "node", "", "", KIND_NODE },
		{ "shell=/bin/bash", "/bin/bash", "", KIND_SHELL },
		{ "python=python3.12 numpy pandas.core", "python3.12", "numpy pandas.core ", KIND_PYTHON },
		{ "python=/opt/a=b/python3", "/opt/a=b/python3", "", KIND_PYTHON },
		{ "node @scope/name", "", "@scope/name ", KIND_NODE },
		{ "python 1 2 3 4 5 6 7 8 9 a b c d e f g", "", "1 2 3 4 5 6 7 8 9 a b c d e f g ", KIND_PYTHON },
		{ "python 1 2 3 4 5 6 7 8 9 a b c d e f g h", NULL, NULL, KIND_PYTHON },
		{ "", NULL, NULL, KIND_PYTHON },
		{ "run", NULL, NULL, KIND_PYTHON },
		{ "pythons", NULL, NULL, KIND_PYTHON },
		{ "python ", NULL, NULL, KIND_PYTHON },
		{ "python=", NULL, NULL, KIND_PYTHON },
		{ "python= numpy", NULL, NULL, KIND_PYTHON },
		{ "python=./python3", NULL, NULL, KIND_PYTHON },
		{ "python=bin/python3", NULL, NULL, KIND_PYTHON },
		{ "python=-c", NULL, NULL, KIND_PYTHON },
		{ "python -c", NULL, NULL, KIND_PYTHON },
		{ "python ../x", NULL, NULL, KIND_PYTHON },
		{ "python /x", NULL, NULL, KIND_PYTHON },
		{ "python a;b", NULL, NULL, KIND_PYTHON },
		{ "python\tnumpy", NULL, NULL, KIND_PYTHON },
		{ "shell module", NULL, NULL, KIND_SHELL },
	};
	char room[POLICY_WARM_MAX], modules[POLICY_WARM_MAX], again[POLICY_WARM_MAX + 8];
	const char *program, *list[POLICY_MODULES_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static struct policy p;
		unsigned n;

		memset(&p, 0, sizeof p);
		if ((policy_add_warm(&p, rows[i].text, NULL) == 0) != (rows[i].program != NULL))
			fail_msg("row %zu: %s", i, rows[i].text);
		n = policy_warm(&p, rows[i].kind, room, &program, list);
		modules[0] = 0;
		for (unsigned k = 0; k < n; k++)
			(void)strcat(strcat(modules, list[k]), " ");
		assert_string_equal(program, rows[i].program != NULL ? rows[i].program : "");
		assert_string_equal(modules, rows[i].modules != NULL ? rows[i].modules : "");
		if (rows[i].program == NULL)
			continue;
		assert_int_equal(policy_add_warm(&p, rows[i].text, NULL), 0); /* the same again */
		(void)snprintf(again, sizeof again, "%s%s", rows[i].text, rows[i].kind == KIND_SHELL ? "x" : " x");
		assert_true(policy_add_warm(&p, again, NULL) < 0);
		assert_string_equal(p.warm[rows[i].kind], rows[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flag_is_a_grant),
		cmocka_unit_test(a_wrong_flag_is_told),
		cmocka_unit_test(qualifiers_are_read_from_flags_and_sent),
		cmocka_unit_test(tools_are_read_from_flags_and_carried),
		cmocka_unit_test(a_guard_is_for_the_server),
		cmocka_unit_test(labels_are_read_from_flags_and_carried),
		cmocka_unit_test(the_design_s_qualifiers_are_known),
		cmocka_unit_test(limits_are_read_from_flags),
		cmocka_unit_test(what_waits_is_read),
		cmocka_unit_test(policies_are_merged),
		cmocka_unit_test(budgets_are_read_from_flags),
		cmocka_unit_test(of_two_budgets_each_number_is_the_smaller),
		cmocka_unit_test(a_policy_survives_the_passage),
		cmocka_unit_test(a_mistake_survives_the_passage),
		cmocka_unit_test(what_the_parser_may_not_say_is_refused),
		cmocka_unit_test(what_an_earlier_build_kept_is_read),
		cmocka_unit_test(a_mistake_must_be_one),
		cmocka_unit_test(a_damaged_answer_is_refused),
		cmocka_unit_test(a_suggested_flag_reads_back),
		cmocka_unit_test(runtimes_have_traits),
		cmocka_unit_test(presets_are_embedded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
