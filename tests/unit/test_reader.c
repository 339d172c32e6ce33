#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/reader.h"
#include "lib/record.h"
#include "prop.h"
#include "sample_results.h"
#include "stage/changes.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void write_sample(const char *name, struct buf *out)
{
	struct event_result r;

	buf_init(out, RECORD_MAX);
	sample_make(sample_find(name), &r);
	r.captured = false;
	assert_int_equal(record_write(&r, out, NULL), 0);
	sample_finish(&r);
}

/* Changes as the writer has them. Their paths are absolute: of no tree. */
static void changes_again(const struct told *t, struct stage_answer *ret)
{
	for (size_t i = 0; i < t->n_changes; i++) {
		const struct told_change *from = &t->changes[i];
		struct change c = { .kind = from->kind,
				    .type = from->type,
				    .held = from->held,
				    .later = from->later,
				    .has_digest = from->has_digest,
				    .mode_old = from->mode_old,
				    .mode_new = from->mode_new,
				    .size_old = from->size_old,
				    .size_new = from->size_new,
				    .path = from->path + 1,
				    .from = from->from != NULL ? from->from + 1 : "",
				    .reason = from->reason != NULL ? from->reason : "" };

		memcpy(c.digest, from->digest, sizeof c.digest);
		assert_int_equal(changes_add(&ret->changes, &ret->n_changes, &c), 0);
	}
}

/* What was read, written again, is what was read: nothing is lost and nothing invented. */
static void what_was_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sample_count(); i++) {
		struct event_result r;
		struct told told;
		auto_buf once, again;
		struct err e;

		write_sample(sample_name(i), &once);
		if (reader_read(once.data, once.len, &told, &e) != 0)
			fail_msg("%s: %s", sample_name(i), e.msg);
		sample_make(i, &r);
		told.result.achieved = r.achieved;                        /* read as texts */
		memcpy(told.result.session, r.session, sizeof r.session); /* not read: nothing is said of it, */
		told.result.n = r.n;                                      /* nor of its number there */
		changes_again(&told, &told.result.stage);
		assert_true((told.wall[PROPERTY_FILES] != NULL) == (r.achieved != 0));
		buf_init(&again, RECORD_MAX);
		assert_int_equal(record_write(&told.result, &again, &e), 0);
		if (once.len != again.len || memcmp(once.data, again.data, once.len) != 0)
			fail_msg("%s:\n%s\n%s", sample_name(i), buf_cstr(&once), buf_cstr(&again));
		sample_finish(&r);
		told_finish(&told);
	}
}

/* The record of a sample with the first `from` in place of which stands `to`. */
static void change(struct buf *out, const char *sample, const char *from, const char *to)
{
	auto_buf good = { .max = 0 };
	const char *text, *at;

	buf_init(out, RECORD_MAX);
	write_sample(sample, &good);
	text = buf_cstr(&good);
	at = text != NULL ? strstr(text, from) : NULL;
	if (at == NULL) {
		fail_msg("'%s' is not in the sample %s", from, sample);
		return;
	}
	buf_put(out, text, (size_t)(at - text));
	buf_put(out, to, strlen(to));
	buf_put(out, at + strlen(from), strlen(at + strlen(from)));
}

static void each_mistake_is_found_and_named(void **state)
{
	static const struct {
		const char *sample, *from, *to;
		int code; /* 0: still good */
		const char *says;
	} rows[] = {
		{ "denied", "\"v\":1", "\"v\":1,\"later\":{\"x\":[1]}", 0, NULL },
		{ "denied", "\"v\":1", "\"v\":2", -AMBIT_UNAVAILABLE, "record: v: a version" },
		{ "denied", "\"v\":1", "\"v\":1.0", -AMBIT_MALFORMED, "record: v: not a count" },
		{ "denied", "\"v\":1", "\"v\":99999999999999999999", -AMBIT_MALFORMED, "record: byte 25 (line 1" },
		{ "denied", "\"v\":1", "\"v\":1,\"v\":1", -AMBIT_MALFORMED, "duplicate" },
		{ "denied", "\"v\":1", "\"v\":1\\", -AMBIT_MALFORMED, "record: byte 7 " },
		{ "denied", "\"output\":null}", "\"output\":null}x", -AMBIT_MALFORMED, "end of file expected" },
		{ "denied", "\"output\":null}", "\"output\":null}{}", -AMBIT_MALFORMED, "end of file expected" },
		{ "denied", "\"output\":null}", "\"output\":null", -AMBIT_MALFORMED, "record: byte" },
		{ "denied", "\"event\":\"e_", "\"event\":\"e_000000000000", -AMBIT_MALFORMED,
		  "record: event: not an id" },
		{ "labelled", "\"private\"", "\"Private\"", -AMBIT_MALFORMED, "labels: not the name of a label" },
		{ "labelled", "\"private\"", "7", -AMBIT_MALFORMED, "labels: not the name of a label" },
		{ "labelled", "[\"private\",\"untrusted\"]", "{}", -AMBIT_MALFORMED, "record: labels" },
		{ "denied", "\"agent\":null", "\"agent\":7", -AMBIT_MALFORMED, "record: agent: not a name" },
		{ "denied", "\"python3\"", "\"py\\u0000\"", -AMBIT_MALFORMED,
		  "record: asked.argv[0].text: not a name" },
		{ "denied", "\"python3\"", "{\"b64\":\"AA==\"}", -AMBIT_MALFORMED,
		  "asked.argv[0].text: a name with a NUL" },
		{ "denied", "\"python3\"", "{\"b64\":\"A\"}", -AMBIT_MALFORMED, "asked.argv[0].text: not base64" },
		{ "denied", "\"python3\"", "{\"b64\":7}", -AMBIT_MALFORMED, "asked.argv[0].text: not base64" },
		{ "denied", "\"python3\"", "\"\xff\"", -AMBIT_MALFORMED, "unable to decode byte 0xff" },
		{ "denied", "\"python3\"", "\"\\ud800\"", -AMBIT_MALFORMED, "record: byte" },
		{ "denied", "\"/home/ann/shop\"", "\"/home/ann/../shop\"", -AMBIT_MALFORMED,
		  "asked.workdir: not an absolute" },
		{ "denied", "\"home\":\"/home/ann\"", "\"home\":\"ann\"", -AMBIT_MALFORMED,
		  "asked.home: not an absolute" },
		{ "denied", "\"base\":\"system\"", "\"base\":\"sytem\"", -AMBIT_MALFORMED, "asked.base: not a word" },
		{ "denied", "\"tasks\":1024", "\"tasks\":-1", -AMBIT_MALFORMED, "asked.tasks: not a count" },
		{ "denied", "\"verb\":\"read\"", "\"verb\":\"reed\"", -AMBIT_MALFORMED, "grants[0].verb: not a word" },
		{ "denied", "\"verb\":\"read\"", "\"verb\":\"query\"", -AMBIT_UNAVAILABLE,
		  "record: grants[0]: 'query'" },
		{ "denied", "\"object\":\"/home", "\"object\":\"home", -AMBIT_MALFORMED,
		  "record: grants[0]: read: 'home" },
		{ "denied", "\"files\":\"user namespace", "\"files\":7,\"x\":\"", -AMBIT_MALFORMED,
		  "wall.files: not a text" },
		{ "connected", "\"stream\":\"b_01JZ8Q6S1R9C8T7W5V4X3Y2Z1D\",\"labelled\"", "\"older\"", 0, NULL },
		{ "connected", "\"stream\":\"b_", "\"stream\":\"e_", -AMBIT_MALFORMED, "record: stream: not an id" },
		{ "connected", "\"labelled\":[", "\"labelled\":[7,", -AMBIT_MALFORMED, "record: labelled[0].label: " },
		{ "connected", "\"label\":\"bees\",\"event\":\"e_", "\"label\":\"bees\",\"event\":\"\\u001b",
		  -AMBIT_MALFORMED, "record: labelled[0].event: not an id" },
		{ "connected", "\"by\":\"given\"", "\"by\":\"aaaaaaaaaaaaaaaa\"", -AMBIT_MALFORMED,
		  "record: labelled[1].by: nothing that brings" },
		{ "connected", "\"by\":\"given\",\"object\":null", "\"by\":\"given\",\"object\":7", -AMBIT_MALFORMED,
		  "record: labelled[1].object: not a name" },
		{ "connected", "\"label\":\"bees\"", "\"label\":null", -AMBIT_MALFORMED,
		  "record: labelled[0].label: " },
		{ "denied", "\"given_up\":[]", "\"given_up\":[\"disc\"]", -AMBIT_MALFORMED,
		  "given_up: not a list of properties" },
		{ "denied", "\"given_up\":[]", "\"given_up\":[\"disk\",\"disk\"]", -AMBIT_MALFORMED, "given_up" },
		{ "denied", "\"given_up\":[]", "\"given_up\":[null]", -AMBIT_MALFORMED, "given_up" },
		{ "denied", "\"kind\":\"exec\"", "\"kind\":\"exac\"", -AMBIT_MALFORMED, "effects[0].kind: not a word" },
		{ "denied", "\"kind\":\"exec\"", "\"kind\":\"connect\"", -AMBIT_MALFORMED,
		  "effects[0].address: not a name" },
		{ "denied", "\"path\":\"/usr", "\"path\":\"/usr/..", -AMBIT_MALFORMED,
		  "effects[0].path: not an absolute" },
		{ "denied", "\"count\":2", "\"count\":4294967296", -AMBIT_MALFORMED, "effects[2].count: not a count" },
		{ "denied", "\"grant\":\"g_", "\"grant\":\"h_", -AMBIT_MALFORMED,
		  "effects[1].grant: no grant has this id" },
		{ "denied", "\"new\":false", "\"new\":0", -AMBIT_MALFORMED, "effects[2].new: not true or false" },
		{ "denied", "\"how\":\"exact\"", "\"how\":\"guessed\"", -AMBIT_MALFORMED, "usage.how: not a word" },
		{ "denied", "\"exit\":1", "\"exit\":256", -AMBIT_MALFORMED, "outcome.exit: not a count" },
		{ "denied", "\"cause\":\"exited\"", "\"cause\":\"limit\"", -AMBIT_MALFORMED,
		  "outcome.limit: not a text" },
		{ "refused", "\"code\":\"NO_PROGRAM\"", "\"code\":\"NEW_ONE\"", 0, NULL },
		{ "refused", "\"why\":\"no", "\"why\":7,\"m\":\"no", -AMBIT_MALFORMED,
		  "outcome.error.why: not a name" },
		{ "refused", "\"message\":\"", "\"message\":7,\"m\":\"", -AMBIT_MALFORMED,
		  "outcome.error.message: not a name" },
		{ "denied", "59.987Z", "59.987+01:00", -AMBIT_MALFORMED, "times.started: not a time" },
		{ "denied", "2025-12-31", "9999-12-31", -AMBIT_MALFORMED, "times.started: not a time" },
		{ "denied", "2025-12-31", "2025-11-31", -AMBIT_MALFORMED, "times.started: not a time" },
		{ "denied", "\"effects\":[", "\"effects\":[null,", -AMBIT_MALFORMED, "effects[0].kind: missing" },
		{ "denied", "\"outcome\":", "\"outcome\":[],\"o\":", -AMBIT_MALFORMED, "outcome: not an object" },
		{ "denied", "\"effects\":[", "\"effects\":{},\"e\":[", -AMBIT_MALFORMED, "effects: not a list" },
		{ "denied", "\"workspace\":\"none\"", "\"workspace\":\"lost\"", -AMBIT_MALFORMED,
		  "outcome.workspace: not a word" },
		{ "denied", "\"source\":\"requested\"", "\"source\":\"guessed\"", -AMBIT_MALFORMED,
		  "effects[0].source: not a word" },
		{ "denied", "\"source\":\"requested\"", "\"source\":\"proved\"", -AMBIT_MALFORMED,
		  "effects[0].kind: not a word" },
		{ "committed", "\"kind\":\"added\"", "\"kind\":\"read\"", -AMBIT_MALFORMED,
		  "effects[0].kind: not a word" },
		{ "committed", "\"source\":\"proved\"", "\"source\":\"requested\"", -AMBIT_MALFORMED,
		  "effects[0].kind: not a word" },
		{ "committed", "\"type\":\"directory\"", "\"type\":\"dir\"", -AMBIT_MALFORMED,
		  "effects[0].type: not a word" },
		{ "committed", "\"path\":\"/home/ann/shop/out\"", "\"path\":\"/home/ann/shop/../out\"",
		  -AMBIT_MALFORMED, "effects[0].path: not an absolute" },
		{ "committed", "\"path\":\"/home/ann/shop/out\"", "\"path\":\"out\"", -AMBIT_MALFORMED,
		  "effects[0].path: not an absolute" },
		{ "committed", "\"count\":1", "\"count\":2", -AMBIT_MALFORMED, "effects[0].count: not a count" },
		{ "committed", "\"verdict\":\"allowed\"", "\"verdict\":\"denied\"", -AMBIT_MALFORMED,
		  "effects[0].verdict: not a word" },
		{ "committed", "\"verdict\":\"allowed\"", "\"verdict\":\"held\"", -AMBIT_MALFORMED,
		  "effects[0].held: missing" },
		{ "committed", "\"verdict\":\"allowed\"", "\"verdict\":\"held\",\"held\":\"no\"", -AMBIT_MALFORMED,
		  "effects[0].held: not a word" },
		{ "committed", "\"mode\":\"0755\"", "\"mode\":\"0758\"", -AMBIT_MALFORMED,
		  "effects[0].mode: not a mode" },
		{ "committed", "\"mode\":\"0755\"", "\"mode\":\"755\"", -AMBIT_MALFORMED,
		  "effects[0].mode: not a mode" },
		{ "committed", "\"mode\":\"0755\"", "\"mode\":\"00755\"", -AMBIT_MALFORMED,
		  "effects[0].mode: not a mode" },
		{ "committed", "\"size\":8192", "\"size\":-1", -AMBIT_MALFORMED, "effects[1].size: not a count" },
		{ "committed", "\"size\":8192,", "", -AMBIT_MALFORMED, "effects[1].size: missing" },
		{ "committed", "\"size_before\":120,", "", -AMBIT_MALFORMED, "effects[2].size_before: missing" },
		{ "committed", "\"sha256\":\"", "\"sha256\":\"0", -AMBIT_MALFORMED, "effects[1].sha256: not a digest" },
		{ "committed", "\"sha256\":\"00", "\"sha256\":\"0G", -AMBIT_MALFORMED,
		  "effects[1].sha256: not a digest" },
		{ "committed", "\"from\":\"/home/ann/shop/src/old.py\",", "", -AMBIT_MALFORMED,
		  "effects[4].from: not a name" },
		{ "committed", "\"executes_later\":true", "\"executes_later\":1", -AMBIT_MALFORMED,
		  "effects[2].executes_later: not true" },
		{ "committed", "\"why\":\"make runs it\"", "\"why\":7", -AMBIT_MALFORMED,
		  "effects[2].why: not a name" },
		{ "committed", "\"kind\":\"added\"", "\"kind\":\"added\",\"later\":1", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = { .code = AMBIT_OK };
		struct told told;
		auto_buf text;
		int rc;

		change(&text, rows[i].sample, rows[i].from, rows[i].to);
		rc = reader_read(text.data, text.len, &told, &e);
		told_finish(&told);
		if (rc != rows[i].code || (rows[i].says != NULL && strstr(e.msg, rows[i].says) == NULL))
			fail_msg("%s -> %s: %d '%s'", rows[i].from, rows[i].to, rc, e.msg);
	}
}

static void an_error_alone_says_that_nothing_was_run(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "{\"error\":{\"code\":\"NO_PROGRAM\",\"message\":\"x: no such program\",\"why\":null,\"hint\":null}}\n",
		  "nothing was run: x: no such program" },
		{ "{\"error\":{\"code\":\"USAGE\",\"message\":\"m\",\"hint\":\"h\"}}", "nothing was run: m" },
		{ "{\"error\":{\"code\":\"USAGE\",\"message\":7,\"hint\":null}}", "record: error.message: not a name" },
		{ "{\"error\":{}}", "record: error.message: " },
		{ "{\"error\":null}", "record: v: missing" },
		{ "{\"error\":{\"code\":\"USAGE\",\"message\":\"m\",\"hint\":null},\"x\":1}", "record: v: missing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = { .code = AMBIT_OK };
		struct told told;
		const int rc = reader_read(rows[i].text, strlen(rows[i].text), &told, &e);

		told_finish(&told);
		if (rc != -AMBIT_MALFORMED || strstr(e.msg, rows[i].says) != e.msg)
			fail_msg("%s: %d '%s'", rows[i].text, rc, e.msg);
	}
}

/* "effects" with n entries. */
static int read_many_effects(const char *one, unsigned int n, struct err *e)
{
	auto_buf effects, text;
	struct told told;
	int rc;

	buf_init(&effects, 16u << 20);
	buf_printf(&effects, "\"effects\":[");
	for (unsigned int i = 0; i < n; i++)
		buf_printf(&effects, "%s%s", one, i + 1 == n ? "" : ",");
	buf_printf(&effects, "],\"seen\":[");
	change(&text, "signal", "\"effects\":[", buf_cstr(&effects));
	rc = reader_read(text.data, text.len, &told, e);
	told_finish(&told);
	return rc;
}

static void the_limit_and_one_more(void **state)
{
	static const struct {
		const char *one;
		unsigned int most;
	} rows[] = {
		{ "{\"kind\":\"read\",\"path\":\"/a\",\"source\":\"requested\",\"count\":1,\"verdict\":\"absent\"}",
		  EFFECTS_MAX },
		{ "{\"kind\":\"added\",\"path\":\"/a\",\"source\":\"proved\",\"count\":1,\"verdict\":\"allowed\","
		  "\"type\":\"fifo\",\"mode\":\"0600\"}",
		  STAGE_CHANGES_MAX },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_many_effects(rows[i].one, rows[i].most, &e), 0);
		assert_int_equal(read_many_effects(rows[i].one, rows[i].most + 1, &e), -AMBIT_LIMIT);
		assert_non_null(strstr(e.msg, "record: effects: longer"));
	}
}

static void half_a_record_is_none(void **state)
{
	auto_buf text;

	(void)state;
	write_sample("committed", &text);
	for (size_t n = 0; n + 1 < text.len; n++) { /* the last byte is the newline */
		struct told told;
		struct err e;

		if (reader_read(text.data, n, &told, &e) == 0)
			fail_msg("%zu bytes are enough", n);
		told_finish(&told);
	}
}

static void changed_bytes(const char *sample)
{
	auto_buf text;

	write_sample(sample, &text);
	for (uint64_t round = 0; round < prop_rounds(3000); round++) {
		struct prop p = prop_round(round);
		struct told told;
		auto_buf other;

		buf_init(&other, RECORD_MAX);
		buf_put(&other, text.data, text.len);
		for (uint32_t i = 1 + prop_below(&p, 4); i > 0; i--)
			other.data[prop_below(&p, (uint32_t)other.len)] =
				(uint8_t) "{}[]\",:\\0aenu\x80\xff\0"[prop_below(&p, 16)];
		(void)reader_read(other.data, other.len, &told, NULL);
		told_finish(&told);
	}
}

static void changed_bytes_never_hurt(void **state)
{
	(void)state;
	changed_bytes("names");
	changed_bytes("committed");
}

static size_t allocations_left;

static void *counted_malloc(size_t n)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(n);
}

static void memory_may_be_gone_at_any_time(void **state)
{
	size_t n = 0;
	int rc = -1;
	auto_buf text;

	(void)state;
	write_sample("committed", &text);
	json_set_alloc_funcs(counted_malloc, free);
	while (rc != 0) {
		struct told told;

		allocations_left = n++;
		rc = reader_read(text.data, text.len, &told, NULL);
		told_finish(&told);
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(n > 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(each_mistake_is_found_and_named),
		cmocka_unit_test(an_error_alone_says_that_nothing_was_run),
		cmocka_unit_test(the_limit_and_one_more),
		cmocka_unit_test(half_a_record_is_none),
		cmocka_unit_test(changed_bytes_never_hurt),
		cmocka_unit_test(memory_may_be_gone_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
