#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/base64.h"
#include "lib/record.h"
#include "sample_results.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static json_t *record_of(const char *name)
{
	struct event_result r;
	struct err e;
	auto_buf out = { .max = 0 };
	json_t *json;

	buf_init(&out, RECORD_MAX);
	sample_make(sample_find(name), &r);
	if (record_write(&r, &out, &e) != 0)
		fail_msg("%s: %s", name, e.msg);
	sample_finish(&r);
	assert_int_equal(out.data[out.len - 1], '\n');
	assert_null(memchr(out.data, '\n', out.len - 1));
	json = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert_non_null(json);
	return json;
}

/* "outcome.exit", "effects.2.path"; what is there as compact JSON. */
static void at(const json_t *json, const char *path, char *ret, size_t size)
{
	size_t n;

	while (*path != 0) {
		char key[64];
		const size_t len = strcspn(path, ".");

		assert_true(len < sizeof key);
		memcpy(key, path, len);
		key[len] = 0;
		json = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10)) : json_object_get(json, key);
		path += len + (path[len] == '.');
	}
	n = json != NULL ? json_dumpb(json, ret, size - 1, JSON_COMPACT | JSON_ENCODE_ANY) : 0;
	assert_true(n < size - 1);
	ret[n] = 0;
}

static void what_is_where(void **state)
{
	static const struct {
		const char *sample, *path, *value;
	} rows[] = {
		{ "plain", "v", "1" },
		{ "plain", "agent", "\"coder\"" },
		{ "plain", "asked.argv", "[\"python3\",\"analyse.py\"]" },
		{ "plain", "asked.limits.wall_ms", "null" },
		{ "plain", "asked.limits.disk_bytes", "8589934592" },
		{ "plain", "times.started", "\"2025-12-31T23:59:59.987Z\"" },
		{ "plain", "times.ended", "\"2026-01-01T00:00:00.799Z\"" },
		{ "plain", "effects.0.grant", "\"base\"" },
		{ "plain", "effects.1.grant", "\"g_01KDV000000000000000000000\"" },
		{ "plain", "grants.0.rights", "[\"read\",\"write\",\"run\"]" },
		{ "plain", "grants.2.rights", "[]" },
		{ "plain", "outcome.workspace", "\"direct\"" },
		{ "plain", "usage.tasks", "{\"peak\":3,\"how\":\"exact\"}" },
		{ "plain", "usage.memory.how", "\"sampled\"" },
		{ "plain", "output", "null" },
		{ "denied", "outcome.workspace", "\"none\"" },
		{ "denied", "outcome.exit", "1" },
		{ "denied", "effects_dropped", "9" },
		{ "denied", "effects.2.would.flag", "\"--read /home/ann/.ssh/id_ed25519\"" },
		{ "denied", "effects.2.would.policy", "\"read: /home/ann/.ssh/id_ed25519\"" },
		{ "denied", "effects.2.why", "\"ungranted\"" },
		{ "denied", "effects.3.would.flag", "\"--write /home/ann/shop/package.json\"" },
		{ "denied", "effects.3.why", "\"read-only\"" },
		{ "denied", "effects.4.would.flag", "\"--write /home/ann/shop/.git/hooks\"" },
		{ "denied", "effects.5.would.flag", "\"--write /srv\"" },
		{ "denied", "effects.6.would", "null" },
		{ "denied", "effects.6.why", "\"top\"" },
		{ "denied", "effects.7.would.policy", "\"run: /home/ann/shop/tool\"" },
		{ "denied", "effects.7.why", "\"not-run\"" },
		{ "denied", "effects.8.would", "null" },
		{ "denied", "effects.8.why", "\"own\"" },
		{ "denied", "effects.9.address", "\"inet 192.0.2.1:443\"" },
		{ "denied", "effects.9.why", "\"network\"" },
		{ "denied", "effects.9.would.flag", "\"--connect 192.0.2.1:443\"" },
		{ "denied", "effects.10.why", "\"socket\"" },
		{ "denied", "effects.11.call", "\"openat\"" },
		{ "denied", "effects.12.verdict", "\"absent\"" },
		{ "signal", "outcome.exit", "null" },
		{ "signal", "outcome.signal", "6" },
		{ "limit-memory", "outcome.limit", "\"memory\"" },
		{ "limit-memory", "outcome.cause", "\"limit\"" },
		{ "limit-memory", "usage.memory.how", "\"exact\"" },
		{ "killed", "outcome.cause", "\"killed\"" },
		{ "killed", "effects.0.verdict", "\"denied\"" },
		{ "killed", "effects.0.would", "null" },
		{ "killed", "effects.0.why", "\"written\"" },
		{ "canary", "outcome.cause", "\"canary\"" },
		{ "canary", "outcome.canaries.0", "\"/home/ann/.aws/credentials.prod\"" },
		{ "canary-told", "outcome.cause", "\"exited\"" },
		{ "canary-told", "outcome.canaries.1", "\"/home/ann/.ssh/id_ed25519_deploy\"" },
		{ "lost", "outcome.error.code", "\"GONE\"" },
		{ "refused", "outcome.error.why", "\"no directory of its PATH has it\"" },
		{ "refused", "outcome.error.hint", "\"check the spelling, or install it\"" },
		{ "refused", "times.started", "null" },
		{ "refused", "wall.files", "null" },
		{ "given-up", "given_up", "[\"memory\",\"disk\"]" },
		{ "given-up", "wall.memory", "null" },
		{ "given-up", "observed", "\"effects\"" },
		{ "names", "asked.argv.0", "{\"b64\":\"Li///g==\"}" },
		{ "names", "asked.argv.1", "{\"b64\":\"7aCA\"}" },
		{ "names", "asked.argv.5", "\"\"" },
		{ "names", "effects.0.path", "{\"b64\":\"L3Nydi/DL2NhZsOp\"}" },
		{ "names", "effects.1.would.policy", "null" },
		{ "names", "effects.4.count", "4294967295" },
		{ "output-text", "output.stdout.data", "\"total: 12\\ncaf\xc3\xa9\\n\"" },
		{ "output-text", "output.stdout.cut", "false" },
		{ "output-text", "output.stderr", "{\"data\":\"\",\"total\":0,\"cut\":false}" },
		{ "output-binary", "output.stdout.data", "{\"b64\":\"iVBORw0KGgoA/w==\"}" },
		{ "output-nul", "output.stdout.data", "{\"b64\":\"AAAAAAAAAAAA\"}" },
		{ "output-cut", "output.stdout", "{\"data\":\"price: 5 \",\"total\":70000000000,\"cut\":true}" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *json = record_of(rows[i].sample);

		at(json, rows[i].path, text, sizeof text);
		json_decref(json);
		if (strcmp(text, rows[i].value) != 0)
			fail_msg("%s %s: %s, not %s", rows[i].sample, rows[i].path, text, rows[i].value);
	}
}

/* A record that its reader refuses would be none. */
static void what_does_not_fit_is_dropped_and_counted(void **state)
{
	json_t *json = record_of("many");
	const size_t listed = json_array_size(json_object_get(json, "effects"));
	const json_int_t dropped = json_integer_value(json_object_get(json, "effects_dropped"));
	json_t *all = record_of("thousands");

	(void)state;
	assert_true(listed > 100 && listed < EFFECTS_MAX);
	assert_int_equal((size_t)dropped, 1000 + EFFECTS_MAX - listed);
	json_decref(json);
	assert_int_equal(json_array_size(json_object_get(all, "effects")), EFFECTS_MAX);
	json_decref(all);
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
	struct event_result r;
	struct err e;
	auto_buf out = { .max = 0 };

	(void)state;
	sample_make(sample_find("plain"), &r);
	buf_init(&out, 600); /* a record has more */
	buf_put(&out, "before", 6);
	assert_int_equal(record_write(&r, &out, &e), -AMBIT_MEMORY);
	assert_int_equal(out.len, 6);
	buf_reset(&out);
	r.cause = 0;
	assert_int_equal(record_write(&r, &out, &e), -AMBIT_MALFORMED);
	assert_int_equal(out.len, 0);
	sample_finish(&r);
}

static size_t allocations_left = SIZE_MAX;

static bool may_allocate(void)
{
	if (allocations_left == 0)
		return false;
	if (allocations_left != SIZE_MAX)
		allocations_left--;
	return true;
}

/* The linker puts these in the place of the originals. */
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_realloc(void *p, size_t n)
{
	return may_allocate() ? __real_realloc(p, n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

/* Each allocation fails in turn: an error, no crash, no leak, no half of a record. */
static void memory_may_be_gone_at_any_time(void **state)
{
	struct event_result r;
	size_t n = 0;
	int rc = -1;

	(void)state;
	sample_make(sample_find("denied"), &r);
	r.captured = true;
	while (rc != 0) {
		auto_buf out = { .max = 0 };

		buf_init(&out, RECORD_MAX);
		allocations_left = n++;
		rc = record_write(&r, &out, NULL);
		allocations_left = SIZE_MAX;
		if (rc != 0)
			assert_int_equal(out.len, 0);
	}
	assert_true(n > 4); /* the buffer grows by doubling, and effects have a scratch */
	sample_finish(&r);
}

static void base64_is_strict(void **state)
{
	static const struct {
		const char *text, *bytes; /* bytes NULL: refused */
	} rows[] = {
		{ "", "" },           { "Zg==", "f" },        { "Zm8=", "fo" },
		{ "Zm9v", "foo" },    { "Zm9vYg==", "foob" }, { "/+8=", "\xff\xef" },
		{ "Zg", NULL },       { "Zg=", NULL },        { "Zh==", NULL },
		{ "Zm9=", NULL },     { "Z===", NULL },       { "====", NULL },
		{ "Zg==Zg==", NULL }, { "Zm 9", NULL },       { "Zm9v\n", NULL },
		{ "Zm_v", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf bytes, text;
		const bool good = (buf_init(&bytes, 64), base64_take(&bytes, rows[i].text, strlen(rows[i].text)));
		size_t n = SIZE_MAX;

		buf_init(&text, 64);
		if (good != (rows[i].bytes != NULL) || base64_is(rows[i].text, strlen(rows[i].text), &n) != good)
			fail_msg("'%s'", rows[i].text);
		assert_true(good || bytes.len == 0);
		assert_int_equal(n, good ? bytes.len : SIZE_MAX);
		if (!good)
			continue;
		assert_string_equal(buf_cstr(&bytes), rows[i].bytes);
		base64_put(&text, bytes.data, bytes.len);
		assert_string_equal(buf_cstr(&text), rows[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_where),
		cmocka_unit_test(what_does_not_fit_is_dropped_and_counted),
		cmocka_unit_test(what_cannot_be_written_leaves_nothing),
		cmocka_unit_test(memory_may_be_gone_at_any_time),
		cmocka_unit_test(base64_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
