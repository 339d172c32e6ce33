/* What entries become in the forms of others, those too that nobody of ours would have written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/verdict.h"
#include "base/cleanup.h"
#include "base/sat.h"
#include "export/known.h"
#include "export/ocsf.h"
#include "export/otlp.h"
#include "export/otlp_value.h"
#include "export/written.h"

#define EVENT "e_01KDVQJZ00000000000000EVEN"
#define GRANT "g_01KDV000000000000000000000"
#define REQUEST "{\"argv\":[\"true\"],\"program\":\"/bin/true\"}"
#define STOP "{\"cause\":\"exited\",\"exit\":0}"

static struct snapshot *snapshot(void)
{
	static struct snapshot s;

	(void)snprintf(s.key.name, sizeof s.key.name, "ambit.test/export");
	s.key.type = VKEY_ED25519;
	s.key.id = 0x0a1b2c3d;
	return &s;
}

struct given {
	enum entry_type type;
	const char *body;
	bool is_unsigned;
	const char *event; /* NULL: EVENT */
	bool by_grant;
};

/* clang-format off */
#define SIGNED(t, b) { .type = (t), .body = (b) }
/* clang-format on */

static struct entry entry_of(const struct given *given, uint64_t seq)
{
	struct entry entry = { .type = given->type, .seq = seq, .wall_ms = UINT64_C(1790000000000) + seq };

	(void)snprintf(entry.event, sizeof entry.event, "%s", given->event != NULL ? given->event : EVENT);
	(void)snprintf(entry.grant, sizeof entry.grant, "%s",
		       given->by_grant || given->type == ENTRY_GRANT ? GRANT : "");
	entry.body = (struct canonical_value){ (const uint8_t *)given->body, strlen(given->body) };
	return entry;
}

/* Entries in a row, from this number. */
static void otlp_give(struct otlp *o, struct buf *out, uint64_t seq, const struct given *given, size_t n)
{
	static const struct hash leaf;

	for (size_t i = 0; i < n; i++) {
		const struct entry entry = entry_of(&given[i], seq + i);
		const struct reading_entry r = { .entry = &entry, .leaf = &leaf, .is_signed = !given[i].is_unsigned };

		assert_int_equal(otlp_take(o, &r, out), 0);
	}
}

static void ocsf_give(struct buf *out, const struct given *given)
{
	static const struct hash leaf;
	const struct entry entry = entry_of(given, 7);
	const struct reading_entry r = { .entry = &entry, .leaf = &leaf, .is_signed = true };
	struct ocsf *o = ocsf_create(snapshot());

	assert_non_null(o);
	assert_int_equal(ocsf_take(o, &r, out), 0);
	ocsf_destroy(o);
}

static void expect(struct buf *out, const char *text)
{
	const char *const all = buf_cstr(out);

	assert_non_null(all);
	if (strstr(all, text) == NULL)
		fail_msg("no %s in %s", text, all);
}

static void expect_not(struct buf *out, const char *text)
{
	const char *const all = buf_cstr(out);

	assert_non_null(all);
	if (strstr(all, text) != NULL)
		fail_msg("%s in %s", text, all);
}

/* ---- verdicts ---- */

#define LONG "denied-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *body;
	enum verdict verdict;
} verdicts[] = {
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"allowed\"}", VERDICT_ALLOWED },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"absent\"}", VERDICT_ALLOWED },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"denied\"}", VERDICT_DENIED },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"denied-hidden\"}", VERDICT_DENIED },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"held\"}", VERDICT_HELD },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"refused\"}", VERDICT_REFUSED },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"maybe\"}", VERDICT_STRANGE },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"" LONG "\"}", VERDICT_STRANGE },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":\"allowed\\u0000\"}", VERDICT_STRANGE },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":[\"allowed\"]}", VERDICT_STRANGE },
	{ "{\"kind\":\"read\",\"object\":\"/o\",\"verdict\":null}", VERDICT_STRANGE },
	{ "{\"kind\":\"read\",\"object\":\"/o\"}", VERDICT_STRANGE },
};

#define N_VERDICTS (sizeof verdicts / sizeof verdicts[0])

static void a_verdict_that_cannot_be_read_is_strange(void **state)
{
	static const enum entry_type types[] = { ENTRY_EFFECT, ENTRY_DECISION };

	(void)state;
	for (size_t i = 0; i < N_VERDICTS; i++)
		for (size_t t = 0; t < 2; t++) {
			const struct given given = SIGNED(types[t], verdicts[i].body);
			const struct entry entry = entry_of(&given, 1);

			if (verdict_of(&entry) != verdicts[i].verdict)
				fail_msg("%s: %d", verdicts[i].body, (int)verdict_of(&entry));
		}
	for (unsigned type = 0; type < ENTRY_TYPE_COUNT; type++) {
		const struct given given = SIGNED((enum entry_type)type, verdicts[0].body);
		const struct entry entry = entry_of(&given, 1);

		assert_int_equal(verdict_of(&entry) == VERDICT_NONE, type != ENTRY_EFFECT && type != ENTRY_DECISION);
	}
}

/* Only what says so was allowed; and all else is an alert. */
static void no_form_takes_a_strange_verdict_for_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_VERDICTS; i++) {
		static const struct {
			const char *control, *status, *severity;
			bool by_grant;
		} of[] = {
			[VERDICT_ALLOWED] = { "\"action_id\":1,\"disposition_id\":1,\"is_alert\":false",
					      "\"status_id\":1", "\"severity_id\":1", true },
			[VERDICT_DENIED] = { "\"action_id\":2,\"disposition_id\":2,\"is_alert\":true",
					     "\"status_id\":2", "\"severity_id\":2", false },
			[VERDICT_HELD] = { "\"action_id\":2,\"disposition_id\":3,\"is_alert\":true", "\"status_id\":2",
					   "\"severity_id\":2", true },
			[VERDICT_REFUSED] = { "\"action_id\":2,\"disposition_id\":2,\"is_alert\":true",
					      "\"status_id\":2", "\"severity_id\":2", false },
			[VERDICT_STRANGE] = { "\"action_id\":0,\"disposition_id\":0,\"is_alert\":true",
					      "\"status_id\":0", "\"severity_id\":2", false },
		};
		const struct given given[] = { SIGNED(ENTRY_REQUEST, REQUEST),
					       { .type = ENTRY_EFFECT, .body = verdicts[i].body, .by_grant = true },
					       SIGNED(ENTRY_RESULT, "{}") };
		const enum verdict verdict = verdicts[i].verdict;
		auto_buf spans = { .max = 1 << 20 }, line = { .max = 1 << 20 };
		struct otlp *o = otlp_create();

		assert_non_null(o);
		otlp_begin(o, snapshot());
		otlp_give(o, &spans, 1, given, 3);
		otlp_destroy(o);
		expect(&spans, verdict == VERDICT_ALLOWED ? "\"ambit.effects.allowed\",\"value\":{\"intValue\":\"1\"}"
							  : "\"ambit.effects.allowed\",\"value\":{\"intValue\":\"0\"}");
		expect(&spans, verdict == VERDICT_ALLOWED || verdict == VERDICT_HELD
				       ? "\"ambit.effects.denied\",\"value\":{\"intValue\":\"0\"}"
				       : "\"ambit.effects.denied\",\"value\":{\"intValue\":\"1\"}");
		ocsf_give(&line, &given[1]);
		expect(&line, of[verdict].control);
		expect(&line, of[verdict].status);
		expect(&line, of[verdict].severity);
		(of[verdict].by_grant ? expect : expect_not)(&line, "\"authorizations\"");
	}
}

/* ---- ids of spans ---- */

#define SPANS_MAX 16

/* As they are written, in hexadecimal; a parent is empty where there is none. */
struct ids {
	char trace[33], span[17], parent[17];
	bool is_signed;
};

static void take_hex(const char *line, const char *key, char *ret, size_t size)
{
	const char *at = strstr(line, key);

	(void)snprintf(ret, size, "%s", at != NULL ? at + strlen(key) : "");
}

static size_t ids_of(struct buf *out, struct ids ret[SPANS_MAX])
{
	char *line = (char *)out->data;
	size_t n = 0;

	assert_non_null(buf_cstr(out));
	for (char *end; out->len > 0 && *line != 0; line = end + 1, n++) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = 0;
		assert_true(n < SPANS_MAX);
		take_hex(line, "\"traceId\":\"", ret[n].trace, sizeof ret[n].trace);
		take_hex(line, "\"spanId\":\"", ret[n].span, sizeof ret[n].span);
		take_hex(line, "\"parentSpanId\":\"", ret[n].parent, sizeof ret[n].parent);
		ret[n].is_signed = strstr(line, "\"ambit.entry.signed\",\"value\":{\"boolValue\":true}") != NULL;
		*end = '\n';
	}
	return n;
}

/* clang-format off */
#define S(t, b) { .type = ENTRY_##t, .body = (b) }
#define U(t, b) { .type = ENTRY_##t, .body = (b), .is_unsigned = true }
#define NEXT_LOG { .type = ENTRY_TYPE_COUNT }
/* clang-format on */

/* Which spans there are: "E" is the event's own, "e" one that is a child of it; an exclamation mark follows where it is not signed. */
static const struct {
	const char *name, *spans;
	struct given given[10];
} rows[] = {
	{ "an event", "E", { S(REQUEST, REQUEST), S(STOP, STOP), S(RESULT, "{}") } },
	{ "still at work", "E", { S(REQUEST, REQUEST), S(STOP, STOP) } },
	{ "what a person does afterwards",
	  "Ee",
	  { S(REQUEST, REQUEST), S(RESULT, "{}"), S(COMMIT, "{\"state\":\"begins\"}"),
	    S(COMMIT, "{\"state\":\"done\"}") } },
	{ "the same event again",
	  "Ee",
	  { S(REQUEST, REQUEST), S(RESULT, "{}"), S(REQUEST, REQUEST), S(RESULT, "{}") } },
	{ "and again",
	  "Eee",
	  { S(GRANT, "{}"), S(CRASH, "{}"), S(GRANT, "{}"), S(CRASH, "{}"), S(POLICY, "{}"), S(CRASH, "{}") } },
	{ "again in the journal",
	  "Ee!",
	  { S(REQUEST, REQUEST), S(RESULT, "{}"), U(REQUEST, REQUEST), U(RESULT, "{}") } },
	{ "again in the next log",
	  "Ee",
	  { S(REQUEST, REQUEST), S(RESULT, "{}"), NEXT_LOG, S(REQUEST, REQUEST), S(RESULT, "{}") } },
	{ "the same numbers in two more logs",
	  "Eeee",
	  { S(REQUEST, REQUEST), S(RESULT, "{}"), S(REQUEST, REQUEST), NEXT_LOG, S(REQUEST, REQUEST), S(RESULT, "{}"),
	    S(REQUEST, REQUEST) } },
	{ "goes on in the next log", "Ee", { S(REQUEST, REQUEST), NEXT_LOG, S(STOP, STOP), S(RESULT, "{}") } },
	{ "the journal of an earlier log has it first",
	  "e!Ee!",
	  { U(REQUEST, REQUEST), U(RESULT, "{}"), NEXT_LOG, S(REQUEST, REQUEST), S(RESULT, "{}"), U(STOP, STOP) } },
	{ "not signed at all",
	  "e!",
	  { U(REQUEST, REQUEST), U(STOP, STOP), U(COMMIT, "{\"state\":\"done\"}"), U(RESULT, "{}") } },
	{ "half of it is signed", "Ee!", { S(REQUEST, REQUEST), S(START, "{}"), U(STOP, STOP), U(RESULT, "{}") } },
	{ "the end alone", "e", { S(STOP, STOP), S(RESULT, "{}") } },
};

#undef S
#undef U
#undef NEXT_LOG

static void spans_have_ids_of_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct snapshot logs[2];
		struct ids ids[SPANS_MAX];
		auto_buf out = { .max = 1 << 20 };
		char spans[2 * SPANS_MAX + 1] = "";
		struct otlp *o = otlp_create();
		uint64_t seq = 5;
		size_t n;

		assert_non_null(o);
		logs[0] = logs[1] = *snapshot();
		logs[1].key.id++; /* another key of the same name */
		otlp_begin(o, &logs[0]);
		for (size_t g = 0; g < 10 && rows[i].given[g].body != NULL; g++) {
			otlp_give(o, &out, seq++, &rows[i].given[g], 1);
			if (g + 1 < 10 && rows[i].given[g + 1].type == ENTRY_TYPE_COUNT) {
				assert_int_equal(otlp_end(o, &out), 0);
				otlp_begin(o, &logs[1]);
				seq = 5;
				g++;
			}
		}
		assert_int_equal(otlp_end(o, &out), 0);
		otlp_destroy(o);
		n = ids_of(&out, ids);
		for (size_t k = 0; k < n; k++) {
			const bool own = ids[k].parent[0] == 0;

			(void)strcat(spans, own ? "E" : "e");
			(void)strcat(spans, ids[k].is_signed ? "" : "!");
			assert_string_equal(ids[k].trace, ids[0].trace);
			assert_string_equal(own ? ids[k].span : ids[k].parent, ids[k].trace + 16);
			for (size_t before = 0; before < k; before++)
				if (strcmp(ids[before].span, ids[k].span) == 0)
					fail_msg("%s: two spans are %s", rows[i].name, ids[k].span);
		}
		if (strcmp(spans, rows[i].spans) != 0)
			fail_msg("%s: %s", rows[i].name, spans);
	}
}

/* What is not signed says nothing in the span of what is. */
static void what_is_not_signed_changes_no_signed_span(void **state)
{
	static const struct given given[] = {
		SIGNED(ENTRY_REQUEST, "{\"argv\":[\"rm\"],\"program\":\"/bin/rm\"}"),
		{ .type = ENTRY_REQUEST, .body = REQUEST, .is_unsigned = true },
		{ .type = ENTRY_EFFECT, .body = "{\"count\":7,\"verdict\":\"denied\"}", .is_unsigned = true },
		{ .type = ENTRY_STOP, .body = "{\"exit\":3}", .is_unsigned = true },
	};
	auto_buf alone = { .max = 1 << 20 }, with = { .max = 1 << 20 };

	(void)state;
	for (unsigned all = 0; all < 2; all++) {
		struct buf *out = all != 0 ? &with : &alone;
		struct otlp *o = otlp_create();

		assert_non_null(o);
		otlp_begin(o, snapshot());
		otlp_give(o, out, 0, given, all != 0 ? 4 : 1);
		assert_int_equal(otlp_end(o, out), 0);
		otlp_destroy(o);
	}
	assert_true(with.len > alone.len && memcmp(with.data, alone.data, alone.len) == 0);
	buf_drop(&with, alone.len);
	expect(&with, "\"name\":\"execute_tool true\"");
	expect(&with, "\"ambit.entry.signed\",\"value\":{\"boolValue\":false}");
	expect(&with, "\"ambit.effects.denied\",\"value\":{\"intValue\":\"7\"}");
}

/* The limit, and one more: where it cannot be known that one is new, it is not taken for new. */
static void a_trace_has_its_own_span_once_however_many_there_are(void **state)
{
	struct written *w = calloc(1, sizeof *w);
	uint64_t taken = 0, n = 0;

	(void)state;
	assert_non_null(w);
	for (; n < UINT64_C(2) * WRITTEN_SETS * SEEN_MAX; n++)
		taken += written_take(w, &n, sizeof n) ? 1 : 0;
	assert_int_equal(taken, WRITTEN_SETS * SEEN_MAX);
	for (uint64_t i = 0; i <= n; i++)
		assert_false(written_take(w, &i, sizeof i));
	free(w);
}

/* Zeros are no trace in OTLP; the id that is taken for it instead is another event's, which then has no other span by the same ids. */
static void no_trace_is_zero(void **state)
{
	static const struct given given[] = {
		{ .type = ENTRY_REQUEST, .body = REQUEST, .event = "e_00000000000000000000000000" },
		{ .type = ENTRY_REQUEST, .body = REQUEST, .event = "e_00000000000000000000000001" },
		{ .type = ENTRY_REQUEST, .body = REQUEST, .event = "e_00000000000010000000000000" },
		{ .type = ENTRY_REQUEST, .body = REQUEST, .event = "e_7ZZZZZZZZZZZZZZZZZZZZZZZZZ" },
	};
	struct ids ids[SPANS_MAX];
	auto_buf out = { .max = 1 << 20 };
	struct otlp *o = otlp_create();

	(void)state;
	assert_non_null(o);
	otlp_begin(o, snapshot());
	otlp_give(o, &out, 0, given, 4);
	assert_int_equal(otlp_end(o, &out), 0);
	otlp_destroy(o);
	assert_int_equal(ids_of(&out, ids), 4);
	assert_string_equal(ids[0].trace, "00000000000000000000000000000001");
	assert_string_equal(ids[0].span, "0000000000000001");
	assert_string_equal(ids[1].trace, ids[0].trace);
	assert_string_not_equal(ids[1].span, ids[0].span);
	assert_string_equal(ids[1].parent, ids[0].span);
	assert_string_equal(ids[2].trace, "00000000000000020000000000000000");
	assert_string_equal(ids[2].span, "0000000000000001");
	assert_string_equal(ids[3].trace, "ffffffffffffffffffffffffffffffff");
	assert_string_equal(ids[3].span, "ffffffffffffffff");
}

/* ---- values ---- */

static void only_base64_alone_is_bytes(void **state)
{
	static const struct {
		const char *value, *is;
	} values[] = {
		{ "{\"b64\":\"//4bXQ==\"}", "{\"bytesValue\":\"//4bXQ==\"}" },
		{ "{\"b64\":\"\"}", "{\"bytesValue\":\"\"}" },
		{ "{\"b64\":\"!!! no base64\"}",
		  "{\"kvlistValue\":{\"values\":[{\"key\":\"b64\",\"value\":{\"stringValue\":\"!!! no base64\"}}]}}" },
		{ "{\"b64\":\"/w=\"}",
		  "{\"kvlistValue\":{\"values\":[{\"key\":\"b64\",\"value\":{\"stringValue\":\"/w=\"}}]}}" },
		{ "{\"b64\":\"/w==\",\"x\":1}",
		  "{\"kvlistValue\":{\"values\":[{\"key\":\"b64\",\"value\":{\"stringValue\":\"/w==\"}},{\"key\":\"x\",\"value\":{\"intValue\":\"1\"}}]}}" },
		{ "{\"a\":1,\"b64\":\"/w==\"}",
		  "{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"intValue\":\"1\"}},{\"key\":\"b64\",\"value\":{\"stringValue\":\"/w==\"}}]}}" },
		{ "{\"b64\":7}", "{\"kvlistValue\":{\"values\":[{\"key\":\"b64\",\"value\":{\"intValue\":\"7\"}}]}}" },
		{ "{}", "{\"kvlistValue\":{\"values\":[]}}" },
		{ "[-3,true,null,\"\\\"\"]",
		  "{\"arrayValue\":{\"values\":[{\"intValue\":\"-3\"},{\"boolValue\":true},{},{\"stringValue\":\"\\\"\"}]}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		const struct canonical_value v = { (const uint8_t *)values[i].value, strlen(values[i].value) };
		auto_buf out = { .max = 1 << 12 };
		char is[256];
		struct json j;

		json_begin(&j, &out);
		otlp_put(&j, "k", v);
		(void)snprintf(is, sizeof is, "{\"key\":\"k\",\"value\":%s}", values[i].is);
		assert_string_equal(buf_cstr(&out), is);
	}
}

static void a_sum_stays_at_its_most(void **state)
{
	static const struct {
		uint64_t a, b, max, sum;
	} sums[] = {
		{ 1, 2, 10, 3 },
		{ 4, 6, 10, 10 },
		{ 5, 6, 10, 10 },
		{ 11, 0, 10, 10 },
		{ 0, 11, 10, 10 },
		{ 0, 0, 0, 0 },
		{ INT53_MAX, 1, INT53_MAX, INT53_MAX },
		{ INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX },
		{ UINT64_MAX, 1, UINT64_MAX, UINT64_MAX },
		{ UINT64_MAX - 1, 1, UINT64_MAX, UINT64_MAX },
	};
	const struct given effect = SIGNED(ENTRY_EFFECT, "{\"count\":9007199254740991,\"verdict\":\"allowed\"}");
	const struct given rest[] = { SIGNED(ENTRY_EFFECT, "{\"count\":2048,\"verdict\":\"allowed\"}"),
				      SIGNED(ENTRY_RESULT, "{}") };
	auto_buf out = { .max = 1 << 20 };
	struct otlp *o = otlp_create();

	(void)state;
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
		if (sat_add(sums[i].a, sums[i].b, sums[i].max) != sums[i].sum)
			fail_msg("row %zu", i);
	assert_non_null(o);
	otlp_begin(o, snapshot());
	for (uint64_t seq = 0; seq < 2048; seq++) /* 2^64 - 2048 */
		otlp_give(o, &out, seq, &effect, 1);
	otlp_give(o, &out, 2048, rest, 2);
	otlp_destroy(o);
	expect(&out, "\"ambit.effects.allowed\",\"value\":{\"intValue\":\"9223372036854775807\"}");
}

/* ---- attributes ---- */

static size_t times(struct buf *out, const char *text)
{
	size_t n = 0;

	assert_non_null(buf_cstr(out));
	for (const char *at = (const char *)out->data; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

#define KEY_95 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define LONG_KEY KEY_95 "k"

/* What a body says is beside what the exporter says, and never instead; what is left out is counted. */
static void no_attribute_stands_there_twice(void **state)
{
	static const struct given given[] = {
		SIGNED(ENTRY_GRANT, "{\"\":1,\"id\":\"g_FALSE\",\"object\":\"/x\"}"),
		SIGNED(ENTRY_REQUEST, "{\"argv\":[\"first\"],\"program\":\"/bin/first\"}"),
		SIGNED(ENTRY_REQUEST, "{\"argv\":[\"second\"],\"program\":\"/bin/second\"}"),
		SIGNED(ENTRY_START, "{\"wall\":{\"files\":\"first\"}}"),
		SIGNED(ENTRY_START, "{\"wall\":{\"files\":null}}"),
		SIGNED(ENTRY_EFFECT, "{\"entry\":999,\"entry.leaf\":\"00\",\"" KEY_95 "\":1,\"" LONG_KEY
				     "\":1,\"verdict\":\"denied\"}"),
		SIGNED(ENTRY_STOP, "{\"cause\":\"exited\",\"exit\":3}"),
		SIGNED(ENTRY_STOP, "{\"cause\":\"exited\",\"exit\":0}"),
		SIGNED(ENTRY_RESULT, "{}"),
	};
	static const struct {
		const char *text;
		size_t n;
	} found[] = {
		{ "\"key\":\"ambit.entry\"", 4 }, /* of the four events that are told */
		{ "\"key\":\"ambit.entry.leaf\"", 4 },
		{ "\"key\":\"ambit.entry\",\"value\":{\"intValue\":\"5\"}", 1 },
		{ "\"key\":\"ambit." KEY_95 "\"", 1 },
		{ "\"key\":\"ambit." LONG_KEY "\"", 0 },
		{ "g_FALSE", 0 },
		{ "\"key\":\"id\",\"value\":{\"stringValue\":\"" GRANT "\"}", 1 },
		{ "\"key\":\"\"", 0 },
		{ "\"name\":\"execute_tool first\"", 1 },
		{ "\"key\":\"gen_ai.tool.name\"", 1 },
		{ "\"key\":\"process.command_args\"", 1 },
		{ "\"key\":\"ambit.wall\"", 2 }, /* of the span, and of the second start as an event */
		{ "\"key\":\"ambit.wall.given_up\"", 1 },
		{ "\"key\":\"process.exit.code\",\"value\":{\"intValue\":\"3\"}", 1 },
		{ "\"key\":\"process.exit.code\"", 1 },
		{ "\"name\":\"ambit.request\"", 1 },
		{ "\"name\":\"ambit.start\"", 1 },
		{ "\"name\":\"ambit.stop\"", 1 },
		{ "\"key\":\"ambit.exit\",\"value\":{\"intValue\":\"0\"}", 1 },
		{ "\"code\":2,\"message\":\"3\"", 1 },
		{ "\"droppedAttributesCount\":3}", 1 }, /* of the effect */
		{ "\"droppedAttributesCount\":2,", 1 }, /* of the grant: counted for the span */
	};
	auto_buf out = { .max = 1 << 20 };
	struct otlp *o = otlp_create();

	(void)state;
	assert_non_null(o);
	otlp_begin(o, snapshot());
	otlp_give(o, &out, 0, given, sizeof given / sizeof given[0]);
	otlp_destroy(o);
	for (size_t i = 0; i < sizeof found / sizeof found[0]; i++)
		if (times(&out, found[i].text) != found[i].n)
			fail_msg("%s: %zu times in %s", found[i].text, times(&out, found[i].text), buf_cstr(&out));
}

/* Only an exit with 0 is no error. */
static void an_end_that_cannot_be_read_is_an_error(void **state)
{
	static const struct {
		const char *body, *status;
	} ends[] = {
		{ "{\"cause\":\"exited\",\"exit\":0}", "\"status\":{}" },
		{ "{\"cause\":\"exited\",\"exit\":7}", "\"status\":{\"code\":2,\"message\":\"7\"}" },
		{ "{\"cause\":\"limit\"}", "\"status\":{\"code\":2,\"message\":\"limit\"}" },
		{ "{\"cause\":\"limit\",\"exit\":\"0\"}", "\"status\":{\"code\":2,\"message\":\"limit\"}" },
		{ "{\"cause\":\"\"}", "\"status\":{\"code\":2,\"message\":\"_OTHER\"}" },
		{ "{\"cause\":\"" LONG_KEY "\"}", "\"status\":{\"code\":2,\"message\":\"_OTHER\"}" },
		{ "{\"exit\":-1}", "\"status\":{\"code\":2,\"message\":\"_OTHER\"}" },
		{ "{}", "\"status\":{\"code\":2,\"message\":\"_OTHER\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const struct given given[] = { SIGNED(ENTRY_STOP, ends[i].body), SIGNED(ENTRY_RESULT, "{}") };
		auto_buf out = { .max = 1 << 20 };
		struct otlp *o = otlp_create();

		assert_non_null(o);
		otlp_begin(o, snapshot());
		otlp_give(o, &out, 0, given, 2);
		otlp_destroy(o);
		expect(&out, ends[i].status);
	}
}

/* ---- addresses ---- */

static void only_an_address_is_an_ip(void **state)
{
	static const struct {
		const char *object, *endpoint;
	} ends[] = {
		{ "inet 192.0.2.1:443", "{\"ip\":\"192.0.2.1\",\"port\":443}" },
		{ "inet [2001:db8::1]:0", "{\"ip\":\"2001:db8::1\",\"port\":0}" },
		{ "inet [::ffff:192.0.2.1]:65535", "{\"ip\":\"::ffff:192.0.2.1\",\"port\":65535}" },
		{ "inet 192.0.2.1:65536", "{\"name\":\"inet 192.0.2.1:65536\"}" },
		{ "inet 192.0.2.1:", "{\"name\":\"inet 192.0.2.1:\"}" },
		{ "inet 192.0.2.1", "{\"name\":\"inet 192.0.2.1\"}" },
		{ "inet 192.0.2:443", "{\"name\":\"inet 192.0.2:443\"}" },
		{ "inet 192.0.2.256:443", "{\"name\":\"inet 192.0.2.256:443\"}" },
		{ "inet [192.0.2.1]:443", "{\"name\":\"inet [192.0.2.1]:443\"}" },
		{ "inet 2001:db8::1:443", "{\"name\":\"inet 2001:db8::1:443\"}" },
		{ "inet [fe80::1%eth0]:443", "{\"name\":\"inet [fe80::1%eth0]:443\"}" },
		{ "inet [2001:db8::1:443", "{\"name\":\"inet [2001:db8::1:443\"}" },
		{ "inet host.example:443", "{\"hostname\":\"host.example\",\"port\":443}" },
		{ "unix host.example:443", "{\"name\":\"unix host.example:443\"}" },
		{ "inet not an ip:443", "{\"name\":\"inet not an ip:443\"}" },
		{ "inet 192.0.2.1\xe2\x80\xae:443", "{\"name\":\"inet 192.0.2.1\xe2\x80\xae:443\"}" },
		{ "inet []:443", "{\"name\":\"inet []:443\"}" },
		{ "inet [:443", "{\"name\":\"inet [:443\"}" },
		{ "inet ]:443", "{\"name\":\"inet ]:443\"}" },
		{ "inet :443", "{\"name\":\"inet :443\"}" },
		{ "inet 0000000000000000000000000000000000000000000000000192.0.2.1:1",
		  "{\"name\":\"inet 0000000000000000000000000000000000000000000000000192.0.2.1:1\"}" },
		{ "unix 192.0.2.1:443", "{\"name\":\"unix 192.0.2.1:443\"}" },
		{ "unix /run/x", "{\"name\":\"unix /run/x\"}" },
		{ "192.0.2.1:443", "{\"name\":\"192.0.2.1:443\"}" },
		{ "", "{\"name\":\"unknown\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		auto_buf out = { .max = 1 << 16 };
		char body[256], endpoint[256];

		(void)snprintf(body, sizeof body, "{\"kind\":\"connect\",\"object\":\"%s\",\"verdict\":\"allowed\"}",
			       ends[i].object);
		(void)snprintf(endpoint, sizeof endpoint, "\"dst_endpoint\":%s,", ends[i].endpoint);
		ocsf_give(&out, &(struct given)SIGNED(ENTRY_EFFECT, body));
		expect(&out, endpoint);
	}
}

/* What has not the form of a hash is none. */
static void only_a_hash_is_a_hash(void **state)
{
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
	static const struct {
		const char *digest;
		bool is;
	} digests[] = {
		{ HEX "f", true },  { HEX, false },      { HEX "F", false },
		{ HEX "g", false }, { HEX "ff", false }, { "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
		auto_buf file = { .max = 1 << 16 }, policy = { .max = 1 << 16 };
		char body[256];

		(void)snprintf(body, sizeof body,
			       "{\"kind\":\"added\",\"object\":\"/x\",\"sha256\":\"%s\",\"verdict\":\"allowed\"}",
			       digests[i].digest);
		ocsf_give(&file, &(struct given)SIGNED(ENTRY_EFFECT, body));
		(digests[i].is ? expect : expect_not)(&file, "\"hashes\"");
		ocsf_give(&policy, &(struct given)SIGNED(ENTRY_POLICY, body));
		(digests[i].is ? expect_not : expect)(&policy, "\"uid\":\"none\"");
	}
#undef HEX
}

/* ---- whose an entry is ---- */

/* One request more changes nothing of what the event's entries are said to be of. */
static void an_event_is_known_by_its_first_request(void **state)
{
	static const char *const requests[] = { "{\"agent\":\"first\",\"argv\":[\"one\"],\"program\":\"/bin/one\"}",
						"{\"agent\":\"second\",\"argv\":[\"two\"],\"program\":\"/bin/two\"}" };
	struct known *k = calloc(1, sizeof *k);
	const struct known_event *e;

	(void)state;
	assert_non_null(k);
	for (size_t i = 0; i < 2; i++) {
		const struct given given = SIGNED(ENTRY_REQUEST, requests[i]);
		const struct entry entry = entry_of(&given, i);

		known_take(k, &entry);
	}
	e = known_find(k, EVENT);
	assert_non_null(e);
	assert_string_equal(e->agent, "first");
	assert_string_equal(e->command, "one");
	assert_string_equal(e->program, "/bin/one");
	assert_null(known_find(k, "e_00000000000000000000000001"));
	free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_that_cannot_be_read_is_strange),
		cmocka_unit_test(no_form_takes_a_strange_verdict_for_allowed),
		cmocka_unit_test(spans_have_ids_of_their_own),
		cmocka_unit_test(what_is_not_signed_changes_no_signed_span),
		cmocka_unit_test(a_trace_has_its_own_span_once_however_many_there_are),
		cmocka_unit_test(no_trace_is_zero),
		cmocka_unit_test(only_base64_alone_is_bytes),
		cmocka_unit_test(a_sum_stays_at_its_most),
		cmocka_unit_test(no_attribute_stands_there_twice),
		cmocka_unit_test(an_end_that_cannot_be_read_is_an_error),
		cmocka_unit_test(only_an_address_is_an_ip),
		cmocka_unit_test(only_a_hash_is_a_hash),
		cmocka_unit_test(an_event_is_known_by_its_first_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
