#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "err_text.h"
#include "policy/yaml.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct policy policy, decoded; /* a megabyte each: not for a stack */

static void what_is_written_is_read(void **state)
{
	static const char text[] = "# the whole language\n"
				   "version: 1\n"
				   "agent: coder-2\n"
				   "grants:\n"
				   "  - work: .\n"
				   "  - read: [~/.gitconfig?, '/srv/a b', \"/x\\x3f?\"]\n"
				   "  - {run: node}\n"
				   "  - run:\n"
				   "      - ./bin/tool?\n"
				   "  - env: [TERM, \"A=b: c?\"]\n"
				   "  - jit: true\n"
				   "  - read: ~\n"
				   "limits: {wall: 30s, memory: 2G, cpu: none}\n";
	static const struct {
		enum grant_verb verb;
		const char *object;
		uint32_t flags, line, column;
	} rows[] = {
		{ VERB_WORK, ".", 0, 5, 11 },        { VERB_READ, "~/.gitconfig", GRANT_OPTIONAL, 6, 12 },
		{ VERB_READ, "/srv/a b", 0, 6, 27 }, { VERB_READ, "/x?", GRANT_OPTIONAL, 6, 39 },
		{ VERB_RUN, "node", 0, 7, 11 },      { VERB_RUN, "./bin/tool", GRANT_OPTIONAL, 9, 9 },
		{ VERB_ENV, "TERM", 0, 10, 11 },     { VERB_ENV, "A=b: c?", 0, 10, 17 },
		{ VERB_JIT, "", 0, 11, 10 },         { VERB_READ, "~", 0, 12, 11 },
	};
	struct policy_mistake m;

	(void)state;
	if (policy_parse_yaml(text, strlen(text), &policy, &m) < 0)
		fail_msg("%u:%u: %s", m.line, m.column, m.err.msg);
	assert_string_equal(policy.agent, "coder-2");
	assert_int_equal(policy.n_lines, COUNT_OF(rows));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct policy_line *l = &policy.lines[i];

		if (l->verb != rows[i].verb || strcmp(l->object, rows[i].object) != 0 || l->flags != rows[i].flags ||
		    l->line != rows[i].line || l->column != rows[i].column)
			fail_msg("row %zu: %s '%s' flags %u at %u:%u", i, verb_word((enum grant_verb)l->verb),
				 l->object, l->flags, l->line, l->column);
	}
	assert_int_equal(policy.limits_given, 1u << LIMIT_WALL | 1u << LIMIT_MEMORY | 1u << LIMIT_CPU);
	assert_int_equal(policy.limits.value[LIMIT_WALL], 30000);
	assert_true(policy.limits.value[LIMIT_MEMORY] == UINT64_C(2) << 30);
	assert_int_equal(policy.limits.value[LIMIT_CPU], 0);
}

#define V "version: 1\n"
#define G V "grants:\n"

/* Before their verb or behind it; those of a list are those of each object in it. */
static void qualifiers_stand_beside_their_verb(void **state)
{
	static const char text[] = G
		"  - connect: a.test:443\n"
		"    uses: 50\n"
		"    bytes: 10M\n"
		"    rate: 10/s\n"
		"    ech: true\n"
		"  - read: /x\n"
		"  - {uses: 2, connect: [b:1, \"[::1]:2\"]}\n"
		"  - connect: c:3\n"
		"  - connect: d:4\n"
		"    http: [GET /repos/**, POST /x]\n"
		"    secret: github as header:x-api-key\n"
		"    credentials: replace\n"
		"    until: 2026-12-01T00:00:00Z\n"
		"    between: 09:00-18:00 Europe/Berlin\n"
		"  - connect: e:5\n"
		"    http: POST /x, GET /y\n"
		"  - connect: f:6\n"
		"    graphql: {query: \"*\", mutation: [createIssue, addComment], subscription: []}\n"
		"  - read: /mail\n"
		"    label: private\n"
		"  - label: [private, mail]\n"
		"    work: /mail\n"
		"    ask: true\n"
		"  - env: TOKEN\n"
		"    label: private, mail\n"
		"  - connect: g:7\n"
		"    unless: [untrusted, private]\n"
		"  - connect: h:8\n"
		"    unless: [secret, [untrusted, private]]\n"
		"    ask: labelled\n"
		"    label: untrusted\n"
		"  - connect: i:9\n"
		"    unless: [[secret], [a, b], [b]]\n"
		"  - connect: j:1\n"
		"    http: GET /page\n"
		"    unless: none\n"
		"  - connect: k:1\n"
		"    unless: private+untrusted, secret\n"
		"  - declassify: private\n"
		"    uses: 3\n"
		"    ask: true\n"
		"  - delegate: \"*\"\n"
		"    uses: 3\n"
		"    depth: 2\n";
	static const char *const expected[] = {
		"uses=50 bytes=10M rate=10/s ech=true",
		"",
		"uses=2",
		"uses=2",
		"",
		"until=2026-12-01T00:00:00Z between='09:00-18:00 Europe/Berlin' http='GET /repos/**, POST /x' secret='github as header:x-api-key' credentials=replace",
		" http='GET /y, POST /x'",
		" graphql='query *, mutation addComment, mutation createIssue'",
		" label=private",
		"ask=true label=mail+private",
		" label=mail+private",
		" unless=private+untrusted",
		" label=untrusted unless=private+untrusted,secret ask=labelled",
		" unless=b,secret",
		" http='GET /page' unless=none",
		" unless=private+untrusted,secret",
		"uses=3 ask=true",
		"uses=3 depth=2",
	};
	struct policy_mistake m;

	(void)state;
	if (policy_parse_yaml(text, strlen(text), &policy, &m) < 0)
		fail_msg("%u:%u: %s", m.line, m.column, m.err.msg);
	assert_int_equal(policy.n_lines, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		const char *terms = policy_terms(&policy, &policy.lines[i]);
		const char *flow = policy_flow(&policy, &policy.lines[i]);
		char has[QUALIFIERS_TEXT_MAX], both[QUALIFIERS_TEXT_MAX + TERMS_TEXT_MAX + FLOW_TEXT_MAX];

		qualifiers_format(&policy.lines[i].qualifiers, has);
		(void)snprintf(both, sizeof both, "%s%s%s%s%s", has, terms[0] != 0 ? " " : "", terms,
			       flow[0] != 0 ? " " : "", flow);
		assert_string_equal(both, expected[i]);
	}
}

/* What YAML has of a tool's arguments is what is wanted of them. */
static void where_is_the_json_that_it_looks_like(void **state)
{
	static const struct {
		const char *yaml, *terms;
	} rows[] = {
		{ "{path: \"./docs/**\", mode: [rb, r], size: {max: 100}, cc: null, \"*\": null}",
		  "where='{\"*\":null,\"cc\":null,\"mode\":[\"r\",\"rb\"],\"path\":[\"./docs/*\"],\"size\":{\"max\":100}}'" },
		{ "\n      path: ./docs/**\n      options.deep: false\n      n:\n        - 1\n        - -0.5\n        - 1e3",
		  "where='{\"n\":[\"-0.5\",\"1\",\"1e3\"],\"options.deep\":[\"false\"],\"path\":[\"./docs/*\"]}'" },
		{ "{a: {of: [x, y], given: true, length: 5}, b: {}}",
		  "where='{\"a\":{\"given\":true,\"length\":5,\"of\":[\"x\",\"y\"]},\"b\":{}}'" },
		{ "{a: 'it''s \"quoted\"', b: \"\\ttab \\xe9\", c: 'a\\*b\\\\'}",
		  "where='{\"a\":[\"it\\u0027s \\\"quoted\\\"\"],\"b\":[\"\\u0009tab \\u00e9\"],\"c\":[\"a\\\\*b\\\\\\\\\"]}'" },
		{ "{a: '5', b: 'true', c: \"null\", d: !x, e: '~', 5: y, true: z}", NULL },
		{ "{a: '5', b: 'true', c: \"null\", e: '~', 5: y, true: z}",
		  "where='{\"5\":[\"y\"],\"a\":[\"5\"],\"b\":[\"true\"],\"c\":[\"null\"],\"e\":[\"~\"],\"true\":[\"z\"]}'" },
		{ "{a: hello world, b: 10.0.0.x, c: e-mail, d: -, e: 1g}",
		  "where='{\"a\":[\"hello world\"],\"b\":[\"10.0.0.x\"],\"c\":[\"e-mail\"],\"d\":[\"-\"],\"e\":[\"1g\"]}'" },
		{ "{a: |\n      two\n      lines\n    }", NULL },
		{ "\n      a: |-\n        two\n        lines", "where='{\"a\":[\"two\\u000alines\"]}'" },
		{ "{a: {match: '[a-z]+\\.test', given: true}, b: {match: \"\\\\d'\", of: [x]}, c: {match: x*y}}",
		  "where='{\"a\":{\"given\":true,\"match\":\"[a-z]+\\\\.test\"},\"b\":{\"match\":\"\\\\d\\u0027\",\"of\":[\"x\"]},\"c\":{\"match\":\"x*y\"}}'" },
		{ "{}", "" },
		{ "'{\"a\": [\"x\", 5]}'", "where='{\"a\":[\"5\",\"x\"]}'" },
	};
	char text[1024];
	struct policy_mistake m;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const int n = snprintf(text, sizeof text, G "  - tool: [a/b, \"*\"]\n    where: %s\n    uses: 5\n",
				       rows[i].yaml);
		const int rc = policy_parse_yaml(text, (size_t)n, &policy, &m);

		if (rows[i].terms == NULL && rc < 0)
			continue;
		if (rc < 0 || rows[i].terms == NULL || policy.n_lines != 2)
			fail_msg("%zu: %u:%u: %s: %s", i, m.line, m.column, m.err.msg, rows[i].yaml);
		assert_string_equal(policy_terms(&policy, &policy.lines[0]), rows[i].terms);
		assert_string_equal(policy_terms(&policy, &policy.lines[1]), rows[i].terms);
		assert_int_equal(policy.lines[1].qualifiers.uses, 5);
	}
}

static void as_many_conditions_are_read_as_there_may_be(void **state)
{
	static char text[POLICY_FILE_MAX];
	struct policy_mistake m;

	(void)state;
	for (unsigned many = WHERE_CONDITIONS_MAX; many <= WHERE_CONDITIONS_MAX + 1; many++) {
		size_t n = (size_t)snprintf(text, sizeof text, G "  - tool: a/b\n    where:\n");

		for (unsigned i = 0; i < many; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, "      a%u: {of: [x, y, z], given: true}\n",
					      i);
		assert_int_equal(policy_parse_yaml(text, n, &policy, &m),
				 many <= WHERE_CONDITIONS_MAX ? 0 : -AMBIT_LIMIT);
	}
	assert_int_equal(m.line, 5 + WHERE_CONDITIONS_MAX);
	for (unsigned many = 1000; many <= 5000; many += 4000) { /* more than is kept, by either bound */
		size_t n = (size_t)snprintf(text, sizeof text, G "  - tool: a/b\n    where: {a: [");

		for (unsigned i = 0; i < many; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, "x%u, ", i);
		n += (size_t)snprintf(text + n, sizeof text - n, "y]}\n");
		assert_int_equal(policy_parse_yaml(text, n, &policy, &m), -AMBIT_LIMIT);
		assert_int_equal(m.line, 4);
	}
}

/* The lines of both, which are told apart by a flag. */
static void servers_have_commands_and_grants(void **state)
{
	static const char text[] = V "servers:\n"
				     "  fs:\n"
				     "    command: [npx, -y, server-filesystem, .]\n"
				     "    guard:\n"
				     "      - read: /a\n"
				     "  mail: {command: [node]}\n"
				     "  log: {guard: [{read: /b}, {read: /c}], command: [sh, -c, '']}\n"
				     "guard: [{read: /d}]\n";
	static const uint32_t of[] = { 1, 3, 3, 0 };
	static struct policy p, other, all;
	struct policy_mistake m;
	char *words[POLICY_WORDS_MAX + 1];
	struct err e;

	(void)state;
	assert_int_equal(policy_parse_yaml(text, sizeof text - 1, &p, &m), 0);
	assert_int_equal(p.n_servers, 3);
	assert_string_equal(p.servers[2].name, "log");
	policy_command(&p, 0, words);
	assert_string_equal(words[3], ".");
	assert_null(words[4]);
	policy_command(&p, 2, words);
	assert_string_equal(words[2], "");
	assert_int_equal(p.n_lines, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(p.lines[i].flags, POLICY_GUARD | of[i] << POLICY_SERVER_SHIFT);
	p.use = POLICY_FOR_SERVER;
	for (uint8_t server = 0; server < 4; server++) {
		p.server = server;
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(policy_means(&p, &p.lines[i]), of[i] == 0 || of[i] == server);
	}
	/* behind those of another file they have other numbers */
	assert_int_equal(policy_add_server(&other, "first", &e), 0);
	assert_int_equal(policy_add_word(&other, "x", &e), 0);
	assert_int_equal(policy_merge(&all, &other, "other", &e), 0);
	assert_int_equal(policy_merge(&all, &p, "this", &e), 0);
	assert_int_equal(all.n_servers, 4);
	assert_string_equal(all.servers[3].name, "log");
	assert_int_equal(all.lines[0].flags, POLICY_GUARD | 2u << POLICY_SERVER_SHIFT);
	assert_int_equal(all.lines[3].flags, POLICY_GUARD);
	assert_int_equal(policy_merge(&all, &p, "again", &e), -AMBIT_CONFLICT);
}

static void a_guard_is_a_list_of_grants(void **state)
{
	static const char text[] = V "guard:\n"
				     "  - read: [/x?, ~/y]\n"
				     "  - connect: a:1\n"
				     "    uses: 5\n"
				     "grants:\n"
				     "  - read: /x\n"
				     "  - tool: \"*\"\n";
	static const uint32_t flags[] = { GRANT_OPTIONAL | POLICY_GUARD, POLICY_GUARD, POLICY_GUARD, 0, 0 };
	struct policy_mistake m;

	(void)state;
	if (policy_parse_yaml(text, strlen(text), &policy, &m) < 0)
		fail_msg("%u:%u: %s", m.line, m.column, m.err.msg);
	assert_int_equal(policy.n_lines, COUNT_OF(flags));
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		assert_int_equal(policy.lines[i].flags, flags[i]);
	assert_int_equal(policy.lines[2].qualifiers.uses, 5);
	assert_int_equal(policy.use, POLICY_FOR_EVENTS);
}

static void budgets_stand_at_the_top(void **state)
{
	static const char text[] = V "budgets:\n"
				     "  session: {uses: 100, bytes: 10M, rate: 10/s}\n"
				     "  agent:\n"
				     "    bytes: 1G\n"
				     "    uses: 1000\n"
				     "agent: coder\n";
	struct policy_mistake m;
	char has[QUALIFIERS_TEXT_MAX];

	(void)state;
	if (policy_parse_yaml(text, strlen(text), &policy, &m) < 0)
		fail_msg("%u:%u: %s", m.line, m.column, m.err.msg);
	qualifiers_format(&policy.budgets[BUDGET_SESSION], has);
	assert_string_equal(has, "uses=100 bytes=10M rate=10/s");
	qualifiers_format(&policy.budgets[BUDGET_AGENT], has);
	assert_string_equal(has, "uses=1000 bytes=1G");
	assert_int_equal(policy_parse_yaml(V "budgets: {}\n", strlen(V "budgets: {}\n"), &policy, &m), 0);
	assert_false(policy_has_budgets(&policy));
}

static void each_mistake_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text;
		enum ambit_code code;
		uint32_t line, column;
		const char *msg, *hint; /* parts of them */
	} rows[] = {
		/* the whole */
		{ "", AMBIT_MALFORMED, 1, 1, "policy is empty", "version: 1" },
		{ "# nothing\n", AMBIT_MALFORMED, 2, 1, "policy is empty", "version: 1" },
		{ "hello\n", AMBIT_MALFORMED, 1, 1, "not a mapping", "version: 1" },
		{ "- version: 1\n", AMBIT_MALFORMED, 1, 1, "not a mapping", "version: 1" },
		{ "grants: []\n", AMBIT_MALFORMED, 1, 1, "version is missing", "version: 1" },
		{ "{}", AMBIT_MALFORMED, 1, 1, "version is missing", "version: 1" },
		{ "version: 2\n", AMBIT_UNAVAILABLE, 1, 10, "version '2'", "version: 1" },
		{ "version: '1'\n", AMBIT_UNAVAILABLE, 1, 10, "in quotes", "leave the quotes out" },
		{ "version: \"1\"\n", AMBIT_UNAVAILABLE, 1, 10, "in quotes", "leave the quotes out" },
		{ "version: '2'\n", AMBIT_UNAVAILABLE, 1, 10, "version '2'", "version: 1" },
		{ "version: |-\n  1\n", AMBIT_UNAVAILABLE, 1, 10, "in quotes", "version: 1" },
		{ "version: [1]\n", AMBIT_MALFORMED, 1, 10, "version is not a text", "one word" },
		{ V "version: 1\n", AMBIT_MALFORMED, 2, 1, "'version' stands here twice", "keep one" },
		{ V "grant: []\n", AMBIT_UNKNOWN, 2, 1, "'grant' is not a part", "did you mean 'grants'?" },
		{ V "zebra: []\n", AMBIT_UNKNOWN, 2, 1, "'zebra' is not a part",
		  "version, agent, grants, limits, budgets, guard, servers, answers, warm, profile and canary" },
		{ V "read: /x\n", AMBIT_UNKNOWN, 2, 1, "'read' stands outside grants", "under grants:" },
		{ V "<<: {agent: x}\n", AMBIT_UNKNOWN, 2, 1, "'<<' is not a part", "version, agent" },
		{ V "[a]: x\n", AMBIT_MALFORMED, 2, 1, "a key is not a text", "one word" },
		{ V "---\nversion: 1\n", AMBIT_MALFORMED, 2, 1, "after the end of the policy", "one file" },
		{ V "...\nversion: 1\n", AMBIT_MALFORMED, 3, 1, "not YAML", "near this place" },
		{ "%YAML 1.1\n---\nversion: 1\n", AMBIT_MALFORMED, 1, 1, "directives", "leave the lines" },
		{ "%TAG ! tag:x,2000:\n---\nversion: 1\n", AMBIT_MALFORMED, 1, 1, "directives", "leave the lines" },
		/* what is said of HTTP */
		{ G "  - connect: a:1\n    http: [GET /a, get /b]\n", AMBIT_MALFORMED, 4, 20, "'get' is not a method",
		  "in capitals" },
		{ G "  - connect: a:1\n    http: []\n", AMBIT_MALFORMED, 4, 11, "http: ''", "such as GET" },
		{ G "  - connect: a:1\n    http: {GET: /a}\n", AMBIT_MALFORMED, 4, 11, "not a text", "one word" },
		{ G "  - connect: a:1\n    http: [[GET /a]]\n", AMBIT_MALFORMED, 4, 12, "not a text", "one word" },
		{ G "  - connect: a:1\n    http: GET /a?b\n", AMBIT_MALFORMED, 4, 11, "has a query",
		  "without a query" },
		{ G "  - connect: a:1\n    graphql: {}\n", AMBIT_MALFORMED, 4, 14, "graphql: ''", "write query" },
		{ G "  - connect: a:1\n    graphql: {fragment: a}\n", AMBIT_UNKNOWN, 4, 15, "not a part of graphql",
		  "write query" },
		{ G "  - connect: a:1\n    graphql: {query: a, query: b}\n", AMBIT_MALFORMED, 4, 25,
		  "'query' stands here twice", "keep one" },
		{ G "  - connect: a:1\n    graphql: {query: [a, a-b]}\n", AMBIT_MALFORMED, 4, 26, "query a-b",
		  "write query" },
		{ G "  - connect: a:1\n    graphql: [a]\n", AMBIT_MALFORMED, 4, 14, "not a text", "one word" },
		{ G "  - connect: a:1\n    secret: [[a]]\n", AMBIT_MALFORMED, 4, 14, "not a text", "one word" },
		{ G "  - connect: a:1\n    secret: {a: bearer}\n", AMBIT_MALFORMED, 4, 13, "not a text", "one word" },
		{ G "  - connect: a:1\n    secret: []\n", AMBIT_MALFORMED, 4, 13, "''", "letters, digits" },
		{ G "  - connect: a:1\n    secret: [a as query:b, c as queri:d]\n", AMBIT_MALFORMED, 4, 28,
		  "where the secret goes", "NAME as bearer" },
		{ G "  - connect: a:1\n    secret: [a as query:b, c as query:B]\n", AMBIT_MALFORMED, 4, 13,
		  "goes where another", "one secret for each place" },
		{ G "  - connect: a:1\n    secret: a as header:host\n", AMBIT_MALFORMED, 4, 13, "where the secret goes",
		  "NAME as bearer" },
		{ G "  - connect: a:1\n    credentials: pass\n", AMBIT_MALFORMED, 3, 14, "neither http",
		  "leave it out" },
		{ G "  - connect: [a:1, unix:/x]\n    secret: a\n", AMBIT_MALFORMED, 3, 20, "takes no http",
		  "name a host" },
		{ G "  - read: /x\n    secret: a\n", AMBIT_MALFORMED, 4, 5, "'secret' belongs to connect",
		  "beside the connect" },
		{ G "  - connect: a:1\n    until: 2026-12-01\n", AMBIT_MALFORMED, 4, 12, "until: '2026-12-01'",
		  "in UTC" },
		{ G "  - connect: a:1\n    between: 09:00-18:00\n", AMBIT_MALFORMED, 4, 14,
		  "between: '09:00-18:00' is not a value", "a time zone" },
		{ G "  - read: /x\n    between: 09:00-18:00 UTC\n", AMBIT_MALFORMED, 4, 5,
		  "'between' belongs to connect and tool", "beside the connect" },
		/* YAML that a policy does not take */
		{ G "  - read: &a /x\n", AMBIT_MALFORMED, 3, 11, "anchors", "in each place" },
		{ G "  - &a {read: /x}\n", AMBIT_MALFORMED, 3, 5, "anchors", "in each place" },
		{ G "  - read: *a\n", AMBIT_MALFORMED, 3, 11, "aliases", "in each place" },
		{ G "  - read: !!str /x\n", AMBIT_MALFORMED, 3, 11, "tags", "leave the tag out" },
		{ G "  - read: !x [/x]\n", AMBIT_MALFORMED, 3, 11, "tags", "leave the tag out" },
		{ V "grants: !!seq []\n", AMBIT_MALFORMED, 2, 9, "tags", "leave the tag out" },
		{ G "\t- read: /x\n", AMBIT_MALFORMED, 3, 1, "not YAML", "no tabs" },
		{ G "  - read: \"/x\n", AMBIT_MALFORMED, 4, 1, "not YAML", "quotes" },
		{ G "  - read: [/x\n", AMBIT_MALFORMED, 4, 1, "not YAML", "brackets" },
		{ V "grants: []\n  b: c\n", AMBIT_MALFORMED, 3, 3, "not YAML", "indentation" },
		/* the agent */
		{ V "agent: a b\n", AMBIT_MALFORMED, 2, 8, "'a b' is not the name of an agent", "letters, digits" },
		{ V "agent:\n", AMBIT_MALFORMED, 2, 7, "'' is not the name of an agent", "letters, digits" },
		{ V "agent: \"a\\x1b\"\n", AMBIT_MALFORMED, 2, 8, "'a\\x1b' is not the name", "letters, digits" },
		/* what waits */
		{ V "warm: {python: numpy}\n", AMBIT_MALFORMED, 2, 7, "warm is not a text", "" },
		{ V "warm: [python, ruby]\n", AMBIT_MALFORMED, 2, 16,
		  "'ruby' is nothing that can be kept warm: python, node and shell can", "numpy" },
		{ V "warm: python numpy;x\n", AMBIT_MALFORMED, 2, 7, "'numpy;x' is no name of a module", "" },
		{ V "warm: python a b c d e f g h i j k l m n o p q\n", AMBIT_MALFORMED, 2, 7,
		  "'q' is one module more than the 16", "" },
		{ V "warm: shell a\n", AMBIT_MALFORMED, 2, 7, "'a' cannot be kept warm: a shell has no modules", "" },
		{ V "warm: node=./node\n", AMBIT_MALFORMED, 2, 7, "'./node' is no interpreter", "" },
		{ V "warm: [python, python numpy]\n", AMBIT_CONFLICT, 2, 16, "two lines for python", "one line" },
		{ V "warm: run\n", AMBIT_MALFORMED, 2, 7, "'run' is nothing", "" },
		{ V "warm: \"python a  b\"\n", AMBIT_MALFORMED, 2, 7, "'' is no name of a module", "" },
		{ V "agent: [a]\n", AMBIT_MALFORMED, 2, 8, "agent is not a text", "one word" },
		/* budgets */
		{ V "budgets: []\n", AMBIT_MALFORMED, 2, 10, "budgets are not a mapping", "session" },
		{ V "budgets: {sesion: {uses: 5}}\n", AMBIT_UNKNOWN, 2, 11, "'sesion' is not a budget",
		  "did you mean 'session'?" },
		{ V "budgets: {zebra: {uses: 5}}\n", AMBIT_UNKNOWN, 2, 11, "'zebra' is not a budget",
		  "budgets are session and agent" },
		{ V "budgets: {session: 5}\n", AMBIT_MALFORMED, 2, 20, "a budget is not a mapping", "uses: 100" },
		{ V "budgets: {session: {}}\n", AMBIT_MALFORMED, 2, 20, "a budget without a number", "uses: 100" },
		{ V "budgets:\n  session: {uses: 5}\n  session: {uses: 5}\n", AMBIT_MALFORMED, 4, 3,
		  "'session' stands here twice", "keep one" },
		{ V "budgets: {session: {user: 5}}\n", AMBIT_UNKNOWN, 2, 21, "'user' is not a number of a budget",
		  "did you mean 'uses'?" },
		{ V "budgets: {session: {until: 2026-12-01T00:00:00Z}}\n", AMBIT_MALFORMED, 2, 21,
		  "'until' belongs to grants", "uses, bytes and rate" },
		{ V "budgets: {agent: {uses: 5, uses: 5}}\n", AMBIT_MALFORMED, 2, 28, "'uses' stands here twice",
		  "keep one" },
		{ V "budgets: {agent: {uses: [5]}}\n", AMBIT_MALFORMED, 2, 25, "a number of a budget is not a text",
		  "one word" },
		{ V "budgets: {agent: {uses: none}}\n", AMBIT_MALFORMED, 2, 25, "uses: 'none' is not a value",
		  "such as 50" },
		{ V "budgets: {agent: {rate: 10}}\n", AMBIT_MALFORMED, 2, 25, "rate: '10' is not", "such as 10/s" },
		/* grants */
		{ V "grants: {read: /x}\n", AMBIT_MALFORMED, 2, 9, "grants are not a list", "after `- `" },
		{ V "grants:\n", AMBIT_MALFORMED, 2, 8, "grants are not a list", "grants: []" },
		{ G "  - read\n", AMBIT_MALFORMED, 3, 5, "a grant is not a mapping", "read: /srv/data" },
		{ G "  - [read]\n", AMBIT_MALFORMED, 3, 5, "a grant is not a mapping", "read: /srv/data" },
		{ G "  - {}\n", AMBIT_MALFORMED, 3, 5, "a grant without a verb", "read: /srv/data" },
		{ G "  - raed: /x\n", AMBIT_UNKNOWN, 3, 5, "'raed' is not a verb", "did you mean 'read'?" },
		{ G "  - zebra: /x\n", AMBIT_UNKNOWN, 3, 5, "'zebra' is not a verb", "work, read, write" },
		{ G "  - Read: /x\n", AMBIT_UNKNOWN, 3, 5, "'Read' is not a verb", "did you mean 'read'?" },
		{ G "  - query: a:443\n", AMBIT_UNAVAILABLE, 3, 5, "'query' is not available", "leave the grant out" },
		{ G "  - read: /x\n    rows: 5\n", AMBIT_UNAVAILABLE, 4, 5, "wider than you wrote",
		  "leave the grant out" },
		{ G "  - read: /x\n    uses: 5\n", AMBIT_MALFORMED, 4, 5,
		  "'uses' belongs to connect and tool, and read takes", "leave it out" },
		{ G "  - connect: a:1\n    uses: 0\n", AMBIT_MALFORMED, 4, 11, "uses: '0' is not a value",
		  "such as 50" },
		{ G "  - connect: a:1\n    bytes: 10X\n", AMBIT_MALFORMED, 4, 12, "bytes: '10X' is not",
		  "such as 10M" },
		{ G "  - connect: a:1\n    rate: 10\n", AMBIT_MALFORMED, 4, 11, "rate: '10' is not", "such as 10/s" },
		{ G "  - connect: a:1\n    ech: false\n", AMBIT_MALFORMED, 4, 10, "ech: 'false' is not", "write true" },
		{ G "  - connect: a:1\n    uses: [5]\n", AMBIT_MALFORMED, 4, 11, "a qualifier is not a text",
		  "one word" },
		{ G "  - connect: [a:1, \"unix:/x\"]\n    bytes: 5\n", AMBIT_MALFORMED, 3, 20,
		  "unix:/x: nobody counts the bytes of a Unix socket", "uses or rate" },
		{ G "  - connect: https://a.test\n", AMBIT_MALFORMED, 3, 14, "'https://a.test' is not an endpoint",
		  "the host and the port alone" },
		{ G "  - connect:\n      - a:1\n      - \"*.test:443\"\n", AMBIT_MALFORMED, 5, 9,
		  "'*.test:443' is not an endpoint", "*.example.com:443" },
		{ G "  - listen: [80, 0]\n", AMBIT_MALFORMED, 3, 18, "listen: '0' is not a port", "write PORT" },
		{ G "  - connect: a:1\n    uses: 5\n    uses: 5\n", AMBIT_MALFORMED, 5, 5, "'uses' stands here twice",
		  "keep one" },
		{ G "  - uses: 5\n", AMBIT_MALFORMED, 3, 5, "a grant without a verb", "read: /srv/data" },
		{ G "  - read: /x\n    label: Private\n", AMBIT_MALFORMED, 4, 12, "'Private' is not the name",
		  "small letters" },
		{ G "  - read: /x\n    label: [a, none]\n", AMBIT_MALFORMED, 4, 16, "'none' is not the name",
		  "are no labels" },
		{ G "  - read: /x\n    label: [\"a,b\"]\n", AMBIT_MALFORMED, 4, 13, "'a,b' is not the name",
		  "small letters" },
		{ G "  - read: /x\n    label: [[a]]\n", AMBIT_MALFORMED, 4, 13, "a label is not a text", "one word" },
		{ G "  - read: /x\n    label: {a: b}\n", AMBIT_MALFORMED, 4, 12, "not a text", "one word" },
		{ G "  - read: /x\n    label: []\n", AMBIT_MALFORMED, 4, 12, "label: a list without labels",
		  "such as private" },
		{ G "  - read: /x\n    label:\n", AMBIT_MALFORMED, 4, 11, "label: a label is missing",
		  "such as private" },
		{ G "  - read: /x\n    label: a\n    unless: b\n", AMBIT_MALFORMED, 5, 5,
		  "'unless' belongs to connect and tool, and read takes", "beside the connect" },
		{ G "  - work: /x\n    ask: true\n    uses: 3\n", AMBIT_MALFORMED, 5, 5,
		  "'uses' belongs to connect and tool, and work takes", "beside the connect" },
		{ G "  - work: /x\n    ask: labelled\n", AMBIT_MALFORMED, 3, 11, "no ask: labelled",
		  "beside the connect" },
		{ G "  - run: [/x, node]\n    label: a\n", AMBIT_MALFORMED, 3, 15, "named without a path",
		  "by its path" },
		{ G "  - jit: true\n    label: a\n", AMBIT_MALFORMED, 4, 5, "'label' belongs to", "leave it out" },
		{ G "  - connect: a:1\n    unless: []\n", AMBIT_MALFORMED, 4, 13, "unless: a list without labels",
		  "or write none" },
		{ G "  - connect: a:1\n    unless: [a, []]\n", AMBIT_MALFORMED, 4, 17, "unless: a list without labels",
		  "such as private" },
		{ G "  - connect: a:1\n    unless: [none]\n", AMBIT_MALFORMED, 4, 14, "'none' is not the name",
		  "are no labels" },
		{ G "  - connect: a:1\n    unless: [a, [b, [c]]]\n", AMBIT_MALFORMED, 4, 21, "a label is not a text",
		  "one word" },
		{ G "  - connect: a:1\n    unless: [a+b, c]\n", AMBIT_MALFORMED, 4, 14, "'a+b' is not the name",
		  "small letters" },
		{ G "  - connect: a:1\n    unless: [[a], b, c, d, e]\n", AMBIT_LIMIT, 4, 13, "more than 4 combinations",
		  "write fewer" },
		{ G "  - connect: a:1\n    unless: none\n    ask: labelled\n", AMBIT_MALFORMED, 3, 14,
		  "nobody would be asked", "one of the two" },
		{ G "  - declassify: Private\n", AMBIT_MALFORMED, 3, 17, "'Private' is not the name", "small letters" },
		{ G "  - declassify: private\n    label: a\n", AMBIT_MALFORMED, 4, 5, "'label' belongs to",
		  "leave it out" },
		{ G "  - read: /x\n    where: {a: b}\n", AMBIT_MALFORMED, 4, 5,
		  "'where' belongs to tool, and read takes", "beside the tool" },
		{ G "  - connect: a:1\n    rows: 5\n", AMBIT_UNAVAILABLE, 4, 5, "wider than you wrote",
		  "leave the grant out" },
		/* tools */
		{ G "  - tool: files\n", AMBIT_MALFORMED, 3, 11, "'files' is no tool of a server", "SERVER/TOOL" },
		{ G "  - tool: [a/b, a/b/c]\n", AMBIT_MALFORMED, 3, 17, "'a/b/c' is no tool", "SERVER/TOOL" },
		{ G "  - tool: \"*/read\"\n", AMBIT_MALFORMED, 3, 11, "'*/read' is no tool", "SERVER/TOOL" },
		{ G "  - tool: *\n", AMBIT_MALFORMED, 3, 12, "not YAML", "quotes" },
		{ G "  - tool: a/b\n    http: GET /a\n", AMBIT_MALFORMED, 4, 5,
		  "'http' belongs to connect, and tool takes", "beside the connect" },
		{ G "  - tool: a/b\n    depth: 2\n", AMBIT_MALFORMED, 4, 5, "'depth' belongs to delegate",
		  "beside the delegate" },
		{ G "  - tool: a/b\n    where: a\n", AMBIT_MALFORMED, 4, 12, "byte 0 is not the { of an object",
		  "write JSON" },
		{ G "  - tool: a/b\n    where: [a]\n", AMBIT_MALFORMED, 4, 12, "not a text", "one word" },
		{ G "  - tool: a/b\n    where:\n      path: yes\n", AMBIT_MALFORMED, 5, 13, "'yes' is not read alike",
		  "into quotes" },
		{ G "  - tool: a/b\n    where: {a: [b, 012]}\n", AMBIT_MALFORMED, 4, 20, "'012' is not read alike",
		  "into quotes" },
		{ G "  - tool: a/b\n    where: {a: 2026-12-01}\n", AMBIT_MALFORMED, 4, 16, "not read alike",
		  "into quotes" },
		{ G "  - tool: a/b\n    where: {a: -.Inf}\n", AMBIT_MALFORMED, 4, 16, "not read alike", "into quotes" },
		{ G "  - tool: a/b\n    where: {a: Null}\n", AMBIT_MALFORMED, 4, 16, "not read alike", "into quotes" },
		{ G "  - tool: a/b\n    where: {a: ~}\n", AMBIT_MALFORMED, 4, 16, "not read alike", "null" },
		{ G "  - tool: a/b\n    where: {a: }\n", AMBIT_MALFORMED, 4, 16, "not read alike", "null" },
		{ G "  - tool: a/b\n    where: {a: &x b}\n", AMBIT_MALFORMED, 4, 16, "anchors", "in each place" },
		{ G "  - tool: a/b\n    where: {a: !!str 5}\n", AMBIT_MALFORMED, 4, 16, "tags", "tag out" },
		{ G "  - tool: a/b\n    where: {[a]: b}\n", AMBIT_MALFORMED, 4, 13, "the name of an argument",
		  "one word" },
		{ G "  - tool: a/b\n    where: {a: \"x\\0\"}\n", AMBIT_MALFORMED, 4, 16, "contains a NUL",
		  "leave it out" },
		{ G "  - tool: a/b\n    where: {a: b, c: d, a: e}\n", AMBIT_MALFORMED, 4, 25, "said before", "once" },
		{ G "  - tool: a/b\n    where: {a: b, c: [d, null]}\n", AMBIT_MALFORMED, 4, 26, "neither a text",
		  "texts in" },
		{ G "  - tool: a/b\n    where: {a: []}\n", AMBIT_MALFORMED, 4, 17, "neither a text", "texts in" },
		{ G "  - tool: a/b\n    where: {a: [[b]]}\n", AMBIT_MALFORMED, 4, 17, "neither a text", "texts in" },
		{ G "  - tool: a/b\n    where: {a: {of: [[b]]}}\n", AMBIT_MALFORMED, 4, 22, "no more in it",
		  "with dots" },
		{ G "  - tool: a/b\n    where: {a: {b: c}}\n", AMBIT_MALFORMED, 4, 17, "no part of a condition",
		  "write of, match, min" },
		{ G "  - tool: a/b\n    where: {a: {max: x}}\n", AMBIT_MALFORMED, 4, 22, "a bound begins", "digits" },
		{ G "  - tool: a/b\n    where: {a: {max: 1, min: 2}}\n", AMBIT_MALFORMED, 4, 32, "no number is",
		  "smaller one" },
		{ G "  - tool: a/b\n    where: {a: {length: 0}}\n", AMBIT_MALFORMED, 4, 25, "a length begins",
		  "characters" },
		{ G "  - tool: a/b\n    where: {b: c, a: {match: 'x(y'}}\n", AMBIT_MALFORMED, 4, 30,
		  "where: match: byte 1 of the expression begins what no ) ends", "for the character" },
		{ G "  - tool: a/b\n    where:\n      a:\n        of: [b]\n        match: a**\n", AMBIT_MALFORMED, 7,
		  16, "match: byte 2 of the expression", "none is lazy" },
		{ G "  - tool: a/b\n    where: {a: {match: '(a{255}){255}'}}\n", AMBIT_LIMIT, 4, 24,
		  "byte 8 of the expression: it has more than 512 states", "repeat less" },
		{ G "  - tool: a/b\n    where: {a: {match: [a-z]}}\n", AMBIT_MALFORMED, 4, 24,
		  "where an expression begins", "a text in" },
		{ G "  - tool: a/b\n    where: {a: {match: 5}}\n", AMBIT_MALFORMED, 4, 24, "where an expression begins",
		  "a text in" },
		{ G "  - tool: a/b\n    where: {a: {match: a, match: b}}\n", AMBIT_MALFORMED, 4, 27, "said before",
		  "once" },
		{ G "  - tool: a/b\n    where: {\"*\": x}\n", AMBIT_MALFORMED, 4, 18, "is not null",
		  "no other argument" },
		{ G "  - tool: a/b\n    where: {\"a*\": x}\n", AMBIT_MALFORMED, 4, 13, "a name with a star", "star" },
		{ G "  - tool: a/b\n    where: {b: x, a: ./docs/../**}\n", AMBIT_MALFORMED, 4, 22, "matches nothing",
		  "without .." },
		{ G "  - tool: a/b\n    where: {a: 'x\\y'}\n", AMBIT_MALFORMED, 4, 16, "neither * nor", "backslash" },
		{ G "  - {tool: a/b, where: {a: b}, where: {c: d}}\n", AMBIT_MALFORMED, 3, 32,
		  "'where' stands here twice", "keep one" },
		{ G "  - tool: a/b\n    ask: labelled\n    unless: none\n", AMBIT_MALFORMED, 3, 11,
		  "nobody would be asked", "one of the two" },
		/* what a guarded server may do */
		{ V "guard: {read: /x}\n", AMBIT_MALFORMED, 2, 8, "guard is not a list", "guard: []" },
		{ V "guard:\n  - read: x\n", AMBIT_MALFORMED, 3, 11, "'x' is not a path", "./x" },
		{ V "guard:\n  - read: /x\n  - tool: a/b\ngrants: []\n", AMBIT_MALFORMED, 4, 11,
		  "of the server's own process", "under grants:" },
		{ V "guard: []\nguard: []\n", AMBIT_MALFORMED, 3, 1, "'guard' stands here twice", "keep one" },
		/* several of them */
		{ V "servers: []\n", AMBIT_MALFORMED, 2, 10, "servers are not a mapping", "command" },
		{ V "servers: {fs: []}\n", AMBIT_MALFORMED, 2, 15, "a server is not a mapping", "command" },
		{ V "servers: {fs: {}}\n", AMBIT_MALFORMED, 2, 11, "a server without a command", "command" },
		{ V "servers: {fs: {command: []}}\n", AMBIT_MALFORMED, 2, 11, "a server without a command", "command" },
		{ V "servers: {fs: {command: x}}\n", AMBIT_MALFORMED, 2, 25, "not a list of words", "command" },
		{ V "servers: {fs: {command: ['']}}\n", AMBIT_MALFORMED, 2, 26, "begins with nothing",
		  "name a program" },
		{ V "servers: {fs: {command: [x], read: /x}}\n", AMBIT_UNKNOWN, 2, 30, "not a part of a server",
		  "guard" },
		{ V "servers: {fs: {command: [x], guard: [{tool: a/b}]}}\n", AMBIT_MALFORMED, 2, 45,
		  "guard is of the server's own", "grants" },
		{ V "servers: {FS: {command: [x]}}\n", AMBIT_MALFORMED, 2, 11, "'FS' is not the name",
		  "small letters" },
		{ V "servers: {f--s: {command: [x]}}\n", AMBIT_MALFORMED, 2, 11, "'f--s' is not the name", "small" },
		{ V "servers: {f_s: {command: [x]}}\n", AMBIT_MALFORMED, 2, 11, "'f_s' is not the name", "small" },
		{ V "servers: {fs-: {command: [x]}}\n", AMBIT_MALFORMED, 2, 11, "'fs-' is not the name", "small" },
		{ V "servers: {fl: {command: [x]}, f1: {command: [x]}}\n", AMBIT_CONFLICT, 2, 31, "look alike",
		  "otherwise" },
		{ V "servers: {fs: {command: [x]}, fs: {command: [x]}}\n", AMBIT_CONFLICT, 2, 31, "look alike",
		  "otherwise" },
		{ G "  - uses: 5\n    read: /x\n", AMBIT_MALFORMED, 3, 5, "'uses' belongs to connect", "leave it out" },
		{ G "  - read: /x\n    user: 5\n", AMBIT_UNKNOWN, 4, 5, "'user' is not a verb or qualifier",
		  "did you mean 'uses'?" },
		{ G "  - read: /x\n    write: /y\n", AMBIT_MALFORMED, 4, 5, "'read' and 'write' are two", "`- `" },
		{ G "  - read: /x\n    read: /y\n", AMBIT_MALFORMED, 4, 5, "'read' stands here twice", "keep one" },
		{ G "  - read:\n", AMBIT_MALFORMED, 3, 10, "read: nothing is named", "leave the line out" },
		{ G "  - read: []\n", AMBIT_MALFORMED, 3, 11, "read: nothing is named", "leave the line out" },
		{ G "  - read: [[/x]]\n", AMBIT_MALFORMED, 3, 12, "an object is not a text", "one word" },
		{ G "  - read: {a: b}\n", AMBIT_MALFORMED, 3, 11, "an object is not a text", "one word" },
		{ G "  - read: [/x, y]\n", AMBIT_MALFORMED, 3, 16, "read: 'y' is not a path", "./x" },
		{ G "  - read: ''\n", AMBIT_MALFORMED, 3, 11, "read: '' is not a path", "name a path" },
		{ G "  - read: '?'\n", AMBIT_MALFORMED, 3, 11, "read: '' is not a path", "name a path" },
		{ G "  - read: ../x\n", AMBIT_MALFORMED, 3, 11, "'../x' is not a path", "`..` leaves" },
		{ G "  - read: ./a/../../x\n", AMBIT_MALFORMED, 3, 11, "'./a/../../x' is not a path", "`..` leaves" },
		{ G "  - read: /a/..\n", AMBIT_MALFORMED, 3, 11, "'/a/..' is not a path", "`..` leaves" },
		{ G "  - read: ~root/x\n", AMBIT_MALFORMED, 3, 11, "'~root/x' is not a path", "your own home" },
		{ G "  - read: $HOME/x\n", AMBIT_MALFORMED, 3, 11, "'$HOME/x' is not a path", "nothing is expanded" },
		{ G "  - read: \"/x\\0y\"\n", AMBIT_MALFORMED, 3, 11, "contains a NUL", "leave it out" },
		{ G "  - \"re\\0ad\": /x\n", AMBIT_MALFORMED, 3, 5, "contains a NUL", "leave it out" },
		{ G "  - run: make\n", AMBIT_UNKNOWN, 3, 10, "run: 'make' is not a program",
		  "programs of the base may run anyway" },
		{ G "  - run: bin/x\n", AMBIT_MALFORMED, 3, 10, "run: 'bin/x' is not a path", "./x" },
		{ G "  - env: 9A\n", AMBIT_MALFORMED, 3, 10, "env: '9A' is not a name", "NAME=value" },
		{ G "  - env: {A: 1}\n", AMBIT_MALFORMED, 3, 10, "an object is not a text", "one word" },
		{ G "  - jit: false\n", AMBIT_MALFORMED, 3, 10, "jit takes nothing but `true`", "leave the line out" },
		{ G "  - jit: [true]\n", AMBIT_MALFORMED, 3, 10, "not a text", "one word" },
		/* limits */
		{ V "limits: 30s\n", AMBIT_MALFORMED, 2, 9, "limits are not a mapping", "{wall: 30s" },
		{ V "limits: {wal: 30s}\n", AMBIT_UNKNOWN, 2, 10, "'wal' is not a limit", "did you mean 'wall'?" },
		{ V "limits: {a-very-long-word-that-is-no-limit: 1}\n", AMBIT_UNKNOWN, 2, 10, "is not a limit",
		  "limits are wall" },
		{ V "limits: {wall: 30}\n", AMBIT_MALFORMED, 2, 16, "'30' is not a value", "ms, s, m or h" },
		{ V "limits: {memory: lots}\n", AMBIT_MALFORMED, 2, 18, "'lots' is not a value", "2G" },
		{ V "limits: {tasks: 0}\n", AMBIT_MALFORMED, 2, 17, "'0' is not a value", "whole number" },
		{ V "limits: {wall: 1s, wall: 2s}\n", AMBIT_MALFORMED, 2, 20, "'wall' stands here twice", "keep one" },
		{ V "limits: {wall: {}}\n", AMBIT_MALFORMED, 2, 16, "value of a limit is not a text", "one word" },
		{ V "limits: {wall: }\n", AMBIT_MALFORMED, 2, 16, "'' is not a value", "ms, s, m or h" },
		/* characters */
		{ "version: 1 # \xff\n", AMBIT_MALFORMED, 1, 14, "byte 13: this is not UTF-8", "as UTF-8" },
		{ V "# caf\xc3\xa9 \xe2\x80\xae\n", AMBIT_MALFORMED, 2, 8, "cannot be seen", "escape" },
		{ V "# \xe2\x81\xa6\n", AMBIT_MALFORMED, 2, 3, "cannot be seen", "escape" },
		{ V "# \xd8\x9c\n", AMBIT_MALFORMED, 2, 3, "cannot be seen", "escape" },
		{ V "# \xc2\x85\n", AMBIT_MALFORMED, 2, 3, "cannot be seen", "escape" },
		{ V "# a\033[31m\n", AMBIT_MALFORMED, 2, 4, "a control character", "escape" },
		{ V "# a\x7f\n", AMBIT_MALFORMED, 2, 4, "a control character", "escape" },
		{ "version: 1\r\n# \xc2\x9b\r\n", AMBIT_MALFORMED, 2, 3, "not YAML: control characters", "quotes" },
	};

	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct policy_mistake m;
		const int rc = policy_parse_yaml(rows[i].text, strlen(rows[i].text), &policy, &m);

		if (rc == -(int)rows[i].code && m.err.code == rows[i].code && m.line == rows[i].line &&
		    m.column == rows[i].column && err_says(&m.err, rows[i].msg) &&
		    strstr(m.err.hint, rows[i].hint) != NULL)
			continue;
		print_error("row %zu: %s\ngot %d at %u:%u: %s (%s)\n", i, rows[i].text, rc, m.line, m.column,
			    err_text(&m.err).s, m.err.hint);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void a_nul_is_a_mistake_of_its_own(void **state)
{
	static const char text[] = "version: 1\n# \0\n";
	struct policy_mistake m;

	(void)state;
	assert_int_equal(policy_parse_yaml(text, sizeof text - 1, &policy, &m), -AMBIT_MALFORMED);
	assert_int_equal(m.line, 2);
	assert_int_equal(m.column, 3);
	assert_non_null(strstr(m.err.msg, "byte 13: a NUL"));
}

/* Fills the file with comment up to n bytes. */
static size_t padded(char *text, size_t n)
{
	const size_t head = strlen(V);

	memcpy(text, V, head);
	memset(text + head, '#', n - head);
	return n;
}

static void sizes_have_limits(void **state)
{
	static char text[POLICY_FILE_MAX + 1];
	struct policy_mistake m;
	size_t n;

	(void)state;
	assert_int_equal(policy_parse_yaml(text, padded(text, POLICY_FILE_MAX), &policy, &m), 0);
	assert_int_equal(policy_parse_yaml(text, padded(text, POLICY_FILE_MAX + 1), &policy, &m), -AMBIT_LIMIT);

	for (size_t len = GRANT_OBJECT_MAX - 1; len <= GRANT_OBJECT_MAX; len++) { /* 4095 bytes fit */
		n = (size_t)snprintf(text, POLICY_FILE_MAX, G "  - read: /");
		memset(text + n, 'x', len - 1);
		n += len - 1;
		assert_int_equal(policy_parse_yaml(text, n, &policy, &m), len < GRANT_OBJECT_MAX ? 0 : -AMBIT_LIMIT);
		text[n] = '?'; /* the mark is not counted */
		assert_int_equal(policy_parse_yaml(text, n + 1, &policy, &m),
				 len < GRANT_OBJECT_MAX ? 0 : -AMBIT_LIMIT);
	}
	assert_int_equal(m.line, 3);
	assert_int_equal(m.column, 11);

	for (unsigned int many = POLICY_LINES_MAX; many <= POLICY_LINES_MAX + 1; many++) {
		n = (size_t)snprintf(text, POLICY_FILE_MAX, G);
		for (unsigned int i = 0; i < many; i++)
			n += (size_t)snprintf(text + n, POLICY_FILE_MAX - n, "  - read: /%u\n", i);
		assert_int_equal(policy_parse_yaml(text, n, &policy, &m), many <= POLICY_LINES_MAX ? 0 : -AMBIT_LIMIT);
	}
	assert_int_equal(m.line, 3 + POLICY_LINES_MAX);
}

/* Nothing is entered that a policy does not have, however deep it goes on. */
static void depth_is_never_followed(void **state)
{
	char text[POLICY_FILE_MAX];
	struct policy_mistake m;

	(void)state;
	memset(text, '[', sizeof text);
	memcpy(text, G "  - read: ", strlen(G "  - read: "));
	assert_int_equal(policy_parse_yaml(text, sizeof text, &policy, &m), -AMBIT_MALFORMED);
	assert_int_equal(m.line, 3);
	memset(text, '{', sizeof text);
	assert_int_equal(policy_parse_yaml(text, sizeof text, &policy, &m), -AMBIT_MALFORMED);
	assert_int_equal(m.line, 1);
}

/* Half-right policies: pieces of the language in any order, and bytes changed. */
static void random_policies_are_read_or_refused(void **state)
{
	static const char *const pieces[] = { "version: 1\n",
					      "grants:\n",
					      "  - read: /x\n",
					      "  - run: [node, ./a]\n",
					      "agent: a\n",
					      "limits: {wall: 1s}\n",
					      "budgets: {session: {uses: 1, rate: 5/m}}\n",
					      "    uses: 1\n",
					      "guard:\n",
					      "  - tool: a/b\n    where: {a: b, c: {max: 5}, d: {match: 'x+'}}\n",
					      "    where: {a: [x, 5], d: null}\n",
					      "    between: 09:00-18:00 UTC\n",
					      "  - connect: a:1\n    rate: 5/m\n",
					      "[",
					      "{",
					      "\"",
					      "&a ",
					      "*a",
					      "- ",
					      ": ",
					      "\t" };
	uint64_t good = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(3000); round++) {
		struct prop p = prop_round(round);
		char text[512] = "version: 1\ngrants:\n";
		size_t len = prop_below(&p, 2) * strlen(text);
		struct policy_mistake m, ignored;
		auto_buf out = { .max = 0 };

		for (uint32_t n = prop_below(&p, 8); n > 0; n--)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s",
						pieces[prop_below(&p, n < 5 ? 5 : COUNT_OF(pieces))]);
		if (len > 0 && prop_below(&p, 4) == 0)
			text[prop_below(&p, (uint32_t)len)] = (char)prop_below(&p, 256);
		buf_init(&out, POLICY_ANSWER_MAX);
		if (policy_parse_yaml(text, len, &policy, &m) < 0) {
			if (m.err.msg[0] == 0 || m.err.hint[0] == 0 || m.line == 0)
				prop_fail(&p, "a mistake without words: %s", text);
			continue;
		}
		good++;
		policy_answer_encode(&policy, &out);
		if (policy_answer_decode(out.data, out.len, &decoded, &ignored) < 0)
			prop_fail(&p, "not accepted on the other side: %s: %s", text, ignored.err.msg);
		if (memcmp(&policy, &decoded, sizeof policy) != 0)
			prop_fail(&p, "another policy on the other side: %s", text);
	}
	assert_true(good > 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(each_mistake_is_told_with_its_place),
		cmocka_unit_test(where_is_the_json_that_it_looks_like),
		cmocka_unit_test(as_many_conditions_are_read_as_there_may_be),
		cmocka_unit_test(a_guard_is_a_list_of_grants),
		cmocka_unit_test(servers_have_commands_and_grants),
		cmocka_unit_test(budgets_stand_at_the_top),
		cmocka_unit_test(a_nul_is_a_mistake_of_its_own),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(qualifiers_stand_beside_their_verb),
		cmocka_unit_test(depth_is_never_followed),
		cmocka_unit_test(random_policies_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
