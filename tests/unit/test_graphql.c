#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "http/gql_document.h"
#include "http/graphql.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#define OF_ME "fb3f19a70751147dec9d3b3e38bb4014696b3b7462c9ced98568e30b739feb4d" /* the SHA-256 of {me} */
#define LISTED "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define UNLISTED "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OK NULL

static const struct terms terms = {
	.n_operations = 4,
	.operations = { { TERMS_MUTATION, "createIssue" },
			{ TERMS_QUERY, "me" },
			{ TERMS_QUERY, "projects" },
			{ TERMS_SUBSCRIPTION, "*" } },
	.n_listed = 1,
	.listed = { LISTED },
};

struct row {
	const char *text, *why; /* why: a part of it, or OK */
};

static void judge_rows(enum graphql_form form, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct graphql_verdict v;

		graphql_judge(&terms, form, rows[i].text, strlen(rows[i].text), &v);
		if (v.allowed != (rows[i].why == OK) || (rows[i].why != OK && strstr(v.why, rows[i].why) == NULL))
			fail_msg("%s: %d '%s'", rows[i].text, v.allowed, v.why);
		if (v.allowed && v.why[0] != 0)
			fail_msg("%s: allowed, and '%s'", rows[i].text, v.why);
	}
}

#define DELETE "mutation volumeDelete is not granted"

static const struct row documents[] = {
	{ "{me}", OK },
	{ "{me{volumeDelete}}", OK },
	{ "query{me projects}", OK },
	{ "query Q($a:Int=1,$b:[[ID!]!]!=[[\"x\"]] @d(x:1)) @e(a:$a) {me(x:$a){id}}", OK },
	{ "mutation M{createIssue(input:{title:\"x\",n:-1.5e+3,l:[1 2 []],e:RED,o:{},z:null,t:true}){id}}", OK },
	{ "subscription{anything}", OK },
	{ "\xef\xbb\xbf{me}", OK },
	{ "{me\xef\xbb\xbf,,,# volumeDelete\r\nprojects}#end", OK },
	{ "{me(a:\"\\u00e9\\n\\ud83d\\ude00\\\"}\")}", OK },
	{ "{me(a:\"\"\"mutation{volumeDelete} \"\" \\\"\"\" } \n\"\"\")}", OK },
	{ "{me(a:\"\")}", OK },
	{ "{volumeDelete:me}", OK },
	{ "{query:me mutation:projects on:me}", OK },
	{ "{...F}fragment F on Query{me ...G}fragment G on Q{projects}", OK },
	{ "{me ...on Query{projects}...@include(if:true){me}}", OK },
	{ "{me}fragment U on Mutation{volumeDelete}", OK },
	{ "query A{me}query B{projects}fragment A on X{me}", OK },
	{ "{me{...F}}fragment F on User{volumeDelete}", OK },
	{ "mutation volumeDelete{createIssue}", OK },

	/* the incident, plainly and by tricks */
	{ "mutation{volumeDelete(volumeId:\"3d2c42fb\")}", DELETE },
	{ "mutation{createIssue:volumeDelete(volumeId:\"x\")}", DELETE },
	{ "mutation{createIssue volumeDelete}", DELETE },
	{ "mutation{...F}fragment F on Mutation{volumeDelete}", DELETE },
	{ "mutation{...A}fragment C on M{x:volumeDelete}fragment A on M{...B}fragment B on M{...{...C}}", DELETE },
	{ "mutation{...on Mutation{...on Other{volumeDelete}}}", DELETE },
	{ "mutation{...@skip(if:true){volumeDelete}}", DELETE },
	{ "mutation{createIssue volumeDelete@include(if:false)}", DELETE },
	{ "mutation @harmless(a:\"query\"){volumeDelete}", DELETE },
	{ "query A{me}mutation B{volumeDelete}", DELETE },
	{ "subscription S{x}mutation B{volumeDelete}", DELETE },
	{ "# {me}\nmutation{volumeDelete}", DELETE },
	{ "#\rmutation{volumeDelete}", DELETE },
	{ "query A{me(a:\"\"\"\\\"\"\"\"\"\")}mutation B{volumeDelete}", DELETE },
	{ "query A{...F}mutation B{...F}fragment F on X{me}", "mutation me is not granted" },
	{ "query{createIssue}", "query createIssue is not granted" },
	{ "{__typename}", "query __typename is not granted" },
	{ "{__schema{types{name}}}", "query __schema is not granted" },
	{ "{mee}", "query mee" },
	{ "{m}", "query m is" },
	{ "{ME}", "query ME" },

	/* not a document */
	{ "", "too early" },
	{ "#", "too early" },
	{ "{", "too early (line 1, column 2)" },
	{ "{}", "no name" },
	{ "{me", "too early" },
	{ "{me}}", "no operation or fragment" },
	{ "{me{}}", "no name" },
	{ "{me()}", "no name" },
	{ "query(){me}", "no variable" },
	{ "query($a){me}", "without a type" },
	{ "query($a:[Int){me}", "does not end" },
	{ "query($a:Int=$b){me}", "no value" },
	{ "query", "too early" },
	{ "MUTATION{volumeDelete}", "no operation or fragment" },
	{ "{me:}", "no name" },
	{ "{a:b:c}", "no name" },
	{ "{me(a:)}", "no value" },
	{ "{me(a:{b})}", "no colon" },
	{ "{me @}", "no name" },
	{ "{...}", "no selection" },
	{ "{...on}", "no name" },
	{ "{...F}", "does not have" },
	{ "{me{...F}}", "does not have" },
	{ "{me}fragment on on X{me}", "without a name" },
	{ "{me}fragment F{me}", "on what" },
	{ "{me}fragment F($a:Int) on X{me}", "on what" },
	{ "{me}fragment F on X", "too early" },
	{ "fragment F on X{me}", "no operation" },
	{ "{...F}fragment F on Q{me ...F}", "spreads itself" },
	{ "{me}fragment F on Q{a{...G}}fragment G on Q{a{...F}}", "spreads itself" },
	{ "{me}{me}", "without a name" },
	{ "{me}query A{me}", "without a name" },
	{ "query A{me}mutation A{createIssue}", "name twice" },
	{ "{...F}fragment F on Q{me}fragment F on Q{projects}", "name twice" },
	{ "{me}type T{a:Int}", "defines or extends" },
	{ "extend type Query{a:Int}", "defines or extends" },
	{ "schema{query:Q}", "defines or extends" },
	{ "\"d\"type T{a:Int}", "no operation or fragment" },
	{ "{\\u006de}", "no token" },
	{ "{m\xc3\xa9}", "no token" },
	{ "{me..projects}", "no token" },
	{ "{me&projects}", "no name" },
	{ "{me(a:01)}", "begins with 0" },
	{ "{me(a:1x)}", "does not end" },
	{ "{me(a:1.)}", "without digits" },
	{ "{me(a:-)}", "without digits" },
	{ "{me(a:1e)}", "without digits" },
	{ "{me(a:1.2.3)}", "does not end" },
	{ "{me(a:\"x)}", "within a text" },
	{ "{me(a:\"x\n\")}", "over its line" },
	{ "{me(a:\"\\x\")}", "escape" },
	{ "{me(a:\"\\u12g4\")}", "escape" },
	{ "{me(a:\"\\u{41}\")}", "escape" },
	{ "{me(a:\"\\ud83d\")}", "half" },
	{ "{me(a:\"\\ude00\")}", "half" },
	{ "{me(a:\"\"\"x\"\")}", "within a text" },
	{ "{me(a:\"\x01\")}", "over its line" },
	{ "{me}#\x01", "control" },
	{ "{me}#\xe2\x80\xa8mutation{volumeDelete}", "two places" },
	{ "{me}#\xff", "UTF-8" },
	{ "{me}\xc2\xa0", "no token" },
	{ "{me}\x0b", "no token" },
};

static const struct row jsons[] = {
	{ "{\"query\":\"{me}\"}", OK },
	{ " {\"query\":\"{me}\",\"operationName\":null,\"variables\":null,\"extensions\":null}\n", OK },
	{ "{\"query\":\"{me}\",\"operationName\":\"A\",\"variables\":{\"a\":[1,{\"b\":2}]},\"extensions\":{}}", OK },
	{ "{\"query\":\"{me}\",\"extensions\":{\"clientLibrary\":{\"name\":\"x\"}}}", OK },
	{ "[{\"query\":\"{me}\"},{\"query\":\"mutation{createIssue}\"}]", OK },
	{ "{\"\\u0071uery\":\"{me}\"}", OK },
	{ "{\"id\":\"" LISTED "\"}", OK },
	{ "{\"documentId\":\"sha256:" LISTED "\"}", OK },
	{ "{\"extensions\":{\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"" LISTED "\"}}}", OK },
	{ "{\"query\":\"{me}\",\"extensions\":{\"persistedQuery\":{\"version\":1,\"sha256Hash\":"
	  "\"" OF_ME "\"}}}",
	  OK },
	{ "{\"query\":\"{me }\",\"hash\":\"" OF_ME "\"}", "not the one" },

	{ "{\"query\":\"mutation{volumeDelete}\"}", DELETE },
	{ "{\"query\":\"mutation{volume\\u0044elete}\"}", DELETE },
	{ "{\"query\":\"query A{me} mutation B{volumeDelete}\",\"operationName\":\"A\"}", DELETE },
	{ "[{\"query\":\"{me}\"},{\"query\":\"mutation{volumeDelete}\"}]", DELETE },
	{ "{\"query\":\"{me}\",\"query\":\"mutation{volumeDelete}\"}", "JSON" },
	{ "{\"query\":\"{me}\",\"q\\u0075ery\":\"mutation{volumeDelete}\"}", "JSON" },
	{ "{\"query\":\"{me}\"}{\"query\":\"mutation{volumeDelete}\"}", "JSON" },
	{ "{\"query\":\"{me}\"}x", "JSON" },
	{ "\xef\xbb\xbf{\"query\":\"{me}\"}", "JSON" },
	{ "{\"query\":\"{me}\",}", "JSON" },
	{ "{\"query\":\"{me}\\u0000\"}", "JSON" },
	{ "{'query':'{me}'}", "JSON" },
	{ "{\"query\":\"{me}\xff\"}", "JSON" },
	{ "", "JSON" },
	{ "\"{me}\"", "not" },
	{ "{\"Query\":\"{me}\"}", "key that is not known" },
	{ "{\"query\":\"{me}\",\"mutation\":\"x\"}", "key that is not known" },
	{ "{\"query\":[\"{me}\"]}", "not a text" },
	{ "{\"query\":null}", "no query" },
	{ "{}", "no query" },
	{ "[]", "batch" },
	{ "[[{\"query\":\"{me}\"}]]", "not an object" },
	{ "{\"query\":\"{me}\",\"variables\":\"{}\"}", "variables" },
	{ "{\"query\":\"{me}\",\"variables\":{\"a\":1,\"a\":2}}", "JSON" },
	{ "{\"query\":\"{me}\",\"operationName\":1}", "operationName" },
	{ "{\"query\":\"{me}\",\"extensions\":[]}", "extensions" },
	{ "{\"query\":\"{me}\",\"extensions\":{\"other\":1}}", "extension that" },
	{ "{\"id\":\"" UNLISTED "\"}", "not listed" },
	{ "{\"id\":7}", "not named by a text" },
	{ "{\"id\":null,\"query\":\"{me}\"}", "not named by a text" },
	{ "{\"id\":\"" LISTED "\",\"query\":\"{me}\"}", "not the one" },
	{ "{\"id\":\"" LISTED "\",\"hash\":\"" UNLISTED "\"}", "two persisted" },
	{ "{\"extensions\":{\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"" UNLISTED "\"}}}", "not listed" },
	{ "{\"extensions\":{\"persistedQuery\":{\"version\":2,\"sha256Hash\":\"" LISTED "\"}}}", "version" },
	{ "{\"extensions\":{\"persistedQuery\":\"" LISTED "\"}}", "version" },
};

static const struct row parameters[] = {
	{ "query={me}", OK },
	{ "query=%7Bme+projects%7d&operationName=&variables=&extensions=", OK },
	{ "query=%7Bme%7D&variables=%7B%22a%22%3A1%7D", OK },
	{ "extensions={%22persistedQuery%22:{%22version%22:1,%22sha256Hash%22:%22" LISTED "%22}}", OK },
	{ "id=" LISTED, OK },
	{ "query=mutation{createIssue}", "never sent as parameters" },
	{ "query=query+A{me}mutation+B{createIssue}", "never sent as parameters" },
	{ "query=%6Dutation{volumeDelete}", "never sent as parameters" },
	{ "query={me}&query={projects}", "twice" },
	{ "query={me}&qu%65ry={projects}", "twice" },
	{ "query={me}&x=1", "not known" },
	{ "query[]={me}", "not known" },
	{ "query={me};query={projects}", "encoded" },
	{ "query={me}&", "no value" },
	{ "query", "no value" },
	{ "", "it asks for nothing of GraphQL" },
	{ "query=", "too early" },
	{ "query={me}%0", "encoded" },
	{ "query={me}%zz", "encoded" },
	{ "query={me}%00", "encoded" },
	{ "query={me projects}", "encoded" },
	{ "query={me}%ff", "UTF-8" },
	{ "query={me}&variables=[]", "variables" },
	{ "query={me}&variables={%22a%22:1,%22a%22:2}", "JSON" },
	{ "id=" UNLISTED, "not listed" },
	{ "query={me}&id=" LISTED, "not the one" },
};

static void each_document(void **state)
{
	(void)state;
	judge_rows(GRAPHQL_DOCUMENT, documents, COUNT_OF(documents));
}

static void each_json(void **state)
{
	(void)state;
	judge_rows(GRAPHQL_JSON, jsons, COUNT_OF(jsons));
}

static void each_parameter(void **state)
{
	(void)state;
	judge_rows(GRAPHQL_PARAMETERS, parameters, COUNT_OF(parameters));
}

static void what_is_missing_is_named(void **state)
{
	static const char text[] = "query A{me}mutation B{createIssue x:volumeDelete}";
	struct graphql_verdict v;

	(void)state;
	graphql_judge(&terms, GRAPHQL_DOCUMENT, text, sizeof(text) - 1, &v);
	assert_false(v.allowed);
	assert_int_equal(v.type, TERMS_MUTATION);
	assert_string_equal(v.field, "volumeDelete");
	assert_int_equal(v.n_operations, 2);
	assert_true(v.has_mutation);
}

static void repeat(const char *before, const char *each, size_t times, const char *after, const char *why)
{
	const size_t room = GRAPHQL_BODY_MAX + 4096;
	auto_free char *text = malloc(room);
	struct graphql_verdict v;
	size_t n;

	assert_non_null(text);
	n = (size_t)snprintf(text, room, "%s", before);
	for (size_t i = 0; i < times; i++) {
		memcpy(text + n, each, strlen(each));
		n += strlen(each);
	}
	n += (size_t)snprintf(text + n, room - n, "%s", after);
	graphql_judge(&terms, text[0] == '[' ? GRAPHQL_JSON : GRAPHQL_DOCUMENT, text, n, &v);
	if (v.allowed != (why == OK) || (why != OK && strstr(v.why, why) == NULL))
		fail_msg("%s%s: '%s'", before, each, v.why);
}

static void work_is_bounded(void **state)
{
	(void)state;
	repeat("{", "a:me ", 100000, "}", OK);
	repeat("mutation{", "a:createIssue ", 50000, "volumeDelete}", DELETE);
	repeat("{me", "{a", GQL_DEPTH_MAX - 1, "", "too early");
	repeat("{me", "{a", GQL_DEPTH_MAX, "", "too deeply");
	repeat("{me(a:", "[", GQL_DEPTH_MAX, "", "too deeply");
	repeat("query($a:", "[", GQL_DEPTH_MAX + 1, "", "too deeply");
	repeat("{", "...on A{", 100000, "", "too deeply");
	repeat("{", "...F ", 100000, "}fragment F on Q{me}", OK);
	repeat("{me}", "#", GRAPHQL_BODY_MAX - 4, "", OK);
	repeat("{me}", "#", GRAPHQL_BODY_MAX - 3, "", "too long");
	repeat("[{\"query\":\"{me}\"}", ",{\"query\":\"{me}\"}", GRAPHQL_BATCH_MAX - 1, "]", OK);
	repeat("[{\"query\":\"{me}\"}", ",{\"query\":\"{me}\"}", GRAPHQL_BATCH_MAX, "]", "batch");
	repeat("[", "[", GRAPHQL_DEPTH_MAX, "", "nested too deeply");
	repeat("[1", ",1", GRAPHQL_VALUES_MAX, "]", "too many values");
}

/* Each fragment spreads the next twice: 2^5000 visits, were they not remembered. */
static void fragments_are_visited_once(void **state)
{
	const size_t room = 400000;
	auto_free char *text = malloc(room);
	struct graphql_verdict v;
	size_t n;

	(void)state;
	assert_non_null(text);
	n = (size_t)snprintf(text, room, "mutation{...F0}");
	for (int i = 0; i < 5000; i++)
		n += (size_t)snprintf(text + n, room - n, "fragment F%d on M{...F%d ...F%d createIssue{...F%d}}", i,
				      i + 1, i + 1, i + 1);
	n += (size_t)snprintf(text + n, room - n, "fragment F5000 on M{volumeDelete}");
	graphql_judge(&terms, GRAPHQL_DOCUMENT, text, n, &v);
	assert_string_equal(v.why, DELETE);
}

/* Each field at the root once, whatever it is called and wherever it stands; more than that is said, too. */
static void allowed_fields_are_noted(void **state)
{
	static const struct terms all = { .n_operations = 2,
					  .operations = { { TERMS_QUERY, "*" }, { TERMS_MUTATION, "*" } } };
	char text[1024];
	struct graphql_verdict v;
	size_t n = (size_t)snprintf(text, sizeof text,
				    "query a {x: me{id} y: me ...F} fragment F on Q {viewer} mutation b {me}");

	(void)state;
	graphql_judge(&all, GRAPHQL_DOCUMENT, text, n, &v);
	assert_true(v.allowed);
	assert_int_equal(v.n_fields, 3);
	assert_string_equal(v.fields[0].field, "me");
	assert_string_equal(v.fields[1].field, "viewer");
	assert_true(v.fields[1].type == TERMS_QUERY && v.fields[2].type == TERMS_MUTATION);
	assert_string_equal(v.fields[2].field, "me");
	for (unsigned more = 0; more <= 1; more++) {
		n = (size_t)snprintf(text, sizeof text, "{");
		for (unsigned i = 0; i < GRAPHQL_NOTED_MAX + more; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, "f%u f%u ", i, i);
		n += (size_t)snprintf(text + n, sizeof text - n, "}");
		graphql_judge(&all, GRAPHQL_DOCUMENT, text, n, &v);
		assert_true(v.allowed);
		assert_int_equal(v.n_fields, GRAPHQL_NOTED_MAX + more);
	}
	for (int digits = TERMS_NAME_MAX - 2; digits < TERMS_NAME_MAX; digits++) { /* what no term can name */
		n = (size_t)snprintf(text, sizeof text, "{f%0*d}", digits, 0);
		graphql_judge(&all, GRAPHQL_DOCUMENT, text, n, &v);
		assert_int_equal(v.n_fields, digits < TERMS_NAME_MAX - 1 ? 1 : GRAPHQL_NOTED_MAX + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_document),
		cmocka_unit_test(each_json),
		cmocka_unit_test(each_parameter),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(work_is_bounded),
		cmocka_unit_test(fragments_are_visited_once),
		cmocka_unit_test(allowed_fields_are_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
