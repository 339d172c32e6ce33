/* What entries become in the forms of others, those too that nobody of ours would have written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/verdict.h"
#include "base/cleanup.h"
#include "export/ocsf.h"
#include "export/otlp.h"

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
		struct otlp *o = otlp_create(snapshot());

		assert_non_null(o);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_that_cannot_be_read_is_strange),
		cmocka_unit_test(no_form_takes_a_strange_verdict_for_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
