/* Qualifiers: each value as it is written, read and sent, and which allow no more than others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "core/flow.h"
#include "core/qualifiers.h"
#include "core/terms.h"
#include "err_text.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void a_value_has_one_way_of_being_written(void **state)
{
	static const struct {
		enum qualifier which;
		const char *text, *again;
	} rows[] = {
		{ QUALIFIER_USES, "1", "uses=1" },
		{ QUALIFIER_USES, "0050", "uses=50" },
		{ QUALIFIER_USES, "1073741824", "uses=1073741824" },
		{ QUALIFIER_BYTES, "1", "bytes=1" },
		{ QUALIFIER_BYTES, "10M", "bytes=10M" },
		{ QUALIFIER_BYTES, "10240K", "bytes=10M" },
		{ QUALIFIER_BYTES, "1025", "bytes=1025" },
		{ QUALIFIER_BYTES, "1048576T", "bytes=1048576T" },
		{ QUALIFIER_RATE, "10/s", "rate=10/s" },
		{ QUALIFIER_RATE, "0100/m", "rate=100/m" },
		{ QUALIFIER_RATE, "1073741824/h", "rate=1073741824/h" },
		{ QUALIFIER_RATE, "60/m", "rate=60/m" }, /* not 1/s: 60 may begin at once */
		{ QUALIFIER_ECH, "true", "ech=true" },
		{ QUALIFIER_ASK, "true", "ask=true" },
		{ QUALIFIER_DEPTH, "1", "depth=1" },
		{ QUALIFIER_DEPTH, "8", "depth=8" },
		{ QUALIFIER_UNTIL, "2026-12-01T00:00:00Z", "until=2026-12-01T00:00:00Z" },
		{ QUALIFIER_UNTIL, "1970-01-01T00:00:01Z", "until=1970-01-01T00:00:01Z" },
		{ QUALIFIER_UNTIL, "9999-12-31T23:59:59Z", "until=9999-12-31T23:59:59Z" },
		{ QUALIFIER_BETWEEN, "09:00-18:00 Europe/Berlin", "between='09:00-18:00 Europe/Berlin'" },
		{ QUALIFIER_BETWEEN, "22:30-00:00 UTC", "between='22:30-00:00 UTC'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct qualifiers q = { .uses = 0 };
		char text[QUALIFIERS_TEXT_MAX];
		struct err e;

		if (qualifiers_set(&q, rows[i].which, rows[i].text, &e) != 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e).s);
		qualifiers_format(&q, text);
		assert_string_equal(text, rows[i].again);
		for (enum qualifier w = 0; w < QUALIFIER_COUNT; w++)
			assert_int_equal(qualifiers_has(&q, w), w == rows[i].which);
	}
}

#define LONGEST "00:00-23:59 America/Argentina/ComodRivadavia-and-morexxxxxx"
_Static_assert(sizeof LONGEST == 12 + WINDOW_ZONE_MAX, "no zone has a longer name");

static void all_together_fit(void **state)
{
	static const char *const values[] = {
		"1073741824", "1152921504606846975", "1073741824/h", "true", "2026-12-01T00:00:00Z", LONGEST, "true",
		"8"
	};
	struct qualifiers q = { .uses = 0 };
	char text[QUALIFIERS_TEXT_MAX];

	(void)state;
	qualifiers_format(&q, text);
	assert_string_equal(text, "");
	for (enum qualifier w = 0; w < QUALIFIER_COUNT; w++)
		assert_int_equal(qualifiers_set(&q, w, values[w], NULL), 0);
	qualifiers_format(&q, text);
	assert_string_equal(text, "uses=1073741824 bytes=1152921504606846975 rate=1073741824/h ech=true "
				  "until=2026-12-01T00:00:00Z between='" LONGEST "' ask=true depth=8");
}

static void what_is_no_value_is_refused(void **state)
{
	static const struct {
		enum qualifier which;
		const char *text;
	} rows[] = {
		{ QUALIFIER_DEPTH, "0" },
		{ QUALIFIER_DEPTH, "9" },
		{ QUALIFIER_USES, "" },
		{ QUALIFIER_USES, "0" },
		{ QUALIFIER_USES, "-1" },
		{ QUALIFIER_USES, "1.5" },
		{ QUALIFIER_USES, "1073741825" },
		{ QUALIFIER_USES, "none" },
		{ QUALIFIER_USES, "5K" },
		{ QUALIFIER_BYTES, "" },
		{ QUALIFIER_BYTES, "0" },
		{ QUALIFIER_BYTES, "10MB" },
		{ QUALIFIER_BYTES, "1048577T" },
		{ QUALIFIER_BYTES, "99999999999999999999" },
		{ QUALIFIER_BYTES, "none" },
		{ QUALIFIER_RATE, "" },
		{ QUALIFIER_RATE, "10" },
		{ QUALIFIER_RATE, "10/" },
		{ QUALIFIER_RATE, "/s" },
		{ QUALIFIER_RATE, "0/s" },
		{ QUALIFIER_RATE, "10/d" },
		{ QUALIFIER_RATE, "10/ss" },
		{ QUALIFIER_RATE, "10 /s" },
		{ QUALIFIER_RATE, "10/1s" },
		{ QUALIFIER_RATE, "1073741825/s" },
		{ QUALIFIER_RATE, "00000000000000010/s" },
		{ QUALIFIER_ECH, "" },
		{ QUALIFIER_ECH, "false" },
		{ QUALIFIER_ECH, "True" },
		{ QUALIFIER_ECH, "1" },
		{ QUALIFIER_UNTIL, "" },
		{ QUALIFIER_UNTIL, "never" },
		{ QUALIFIER_UNTIL, "2026-12-01" },
		{ QUALIFIER_UNTIL, "2026-12-01T00:00:00" },
		{ QUALIFIER_UNTIL, "2026-12-01T00:00:00z" },
		{ QUALIFIER_UNTIL, "2026-12-01 00:00:00Z" },
		{ QUALIFIER_UNTIL, "2026-12-01T00:00:00+00:00" },
		{ QUALIFIER_UNTIL, "2026-12-01T00:00:00.000Z" },
		{ QUALIFIER_UNTIL, "2026-02-29T00:00:00Z" },
		{ QUALIFIER_UNTIL, "2026-12-01T24:00:00Z" },
		{ QUALIFIER_UNTIL, "2026-12-01T00:00:60Z" },
		{ QUALIFIER_UNTIL, "1970-01-01T00:00:00Z" },
		{ QUALIFIER_UNTIL, "1969-12-31T23:59:59Z" },
		{ QUALIFIER_UNTIL, "10000-01-01T00:00:00Z" },
		{ QUALIFIER_BETWEEN, "" },
		{ QUALIFIER_BETWEEN, "09:00-18:00" },
		{ QUALIFIER_BETWEEN, "09:00-09:00 UTC" },
		{ QUALIFIER_BETWEEN, "09:00-24:00 UTC" },
		{ QUALIFIER_BETWEEN, "09:00-18:00 ../UTC" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct qualifiers q = { .uses = 7, .bytes = 7, .rate = 7, .period_s = 60, .between = { 1, 2, "UTC" } };
		const struct qualifiers before = q;
		struct err e;

		if (qualifiers_set(&q, rows[i].which, rows[i].text, &e) != -AMBIT_MALFORMED || e.hint[0] == 0 ||
		    strncmp(e.msg, qualifier_word(rows[i].which), strlen(qualifier_word(rows[i].which))) != 0)
			fail_msg("%s '%s'", qualifier_word(rows[i].which), rows[i].text);
		assert_true(qualifiers_are_same(&q, &before));
	}
}

static struct qualifiers random_qualifiers(struct prop *p)
{
	static const uint32_t periods[] = { 1, 60, 3600 };
	struct qualifiers q = { .uses = prop_below(p, 4), .bytes = prop_below(p, 4), .rate = prop_below(p, 80) };

	q.rate = prop_below(p, 4) == 0 ? 0 : q.rate;
	q.period_s = q.rate != 0 ? periods[prop_below(p, 3)] : 0;
	q.ech = prop_below(p, 2);
	q.until_s = prop_below(p, 4);
	q.depth = prop_below(p, QUALIFIERS_DEPTH_MAX + 1);
	q.ask = prop_below(p, 2);
	if (prop_below(p, 2) == 0) {
		q.between = (struct window){ .from = (uint16_t)prop_below(p, 4) };
		q.between.to = (uint16_t)(q.between.from + 1 + prop_below(p, WINDOW_DAY - 4)); /* below a day */
		(void)memcpy(q.between.zone, prop_below(p, 4) == 0 ? "GMT" : "UTC", 4);
	}
	return q;
}

static void they_come_as_they_were_sent(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		const struct qualifiers q = random_qualifiers(&p);
		uint8_t room[QUALIFIERS_BYTES];
		struct qualifiers again;
		struct buf out;
		struct rbuf in;

		buf_init_in(&out, room, sizeof room);
		qualifiers_put(&out, &q);
		rbuf_init(&in, out.data, out.len);
		qualifiers_take(&in, &again);
		if (out.failed || !rbuf_done(&in) || !qualifiers_are_same(&q, &again))
			prop_fail(&p, "not as it was");
	}
}

static void what_cannot_be_set_is_not_taken(void **state)
{
	static const struct {
		const char *name;
		struct qualifiers q;
		bool good;
	} rows[] = {
		{ "none", { .uses = 0 }, true },
		{ "the most",
		  { .uses = 1u << 30,
		    .bytes = UINT64_C(1) << 60,
		    .rate = 1u << 30,
		    .period_s = 3600,
		    .ech = 1,
		    .until_s = UINT64_C(253402300799) },
		  true },
		{ "after the year 9999", { .until_s = UINT64_C(253402300800) }, false },
		{ "more uses", { .uses = (1u << 30) + 1 }, false },
		{ "more bytes", { .bytes = (UINT64_C(1) << 60) + 1 }, false },
		{ "a larger rate", { .rate = (1u << 30) + 1, .period_s = 1 }, false },
		{ "a rate without a period", { .rate = 1 }, false },
		{ "a period without a rate", { .period_s = 1 }, false },
		{ "another period", { .rate = 1, .period_s = 2 }, false },
		{ "a time of day", { .between = { 540, 1080, "Europe/Berlin" } }, true },
		{ "a time beyond the day", { .between = { 540, 1440, "UTC" } }, false },
		{ "a time of day without a zone", { .between = { 540, 1080, "" } }, false },
		{ "a zone that is a path", { .between = { 540, 1080, "/UTC" } }, false },
	};
	enum { MARKS = 20, REST = 8 }; /* of ech, ask, depth, and whether a time of day follows */
	const struct window hours = { 540, 1080, "UTC" };
	uint8_t room[QUALIFIERS_BYTES];
	struct qualifiers again;
	struct buf out;
	struct rbuf in;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		buf_init_in(&out, room, sizeof room);
		qualifiers_put(&out, &rows[i].q);
		rbuf_init(&in, out.data, out.len);
		qualifiers_take(&in, &again);
		if (in.failed == rows[i].good || qualifiers_are_well_formed(&rows[i].q) != rows[i].good)
			fail_msg("%s", rows[i].name);
	}
	for (unsigned marks = 0; marks < 256; marks++) { /* two bits, a depth of at most 8, whether there is one */
		memset(room, 0, QUALIFIERS_BYTES);
		room[MARKS] = (uint8_t)marks;
		buf_init_in(&out, room + MARKS + 1 + REST, sizeof room - MARKS - 1 - REST);
		window_encode(&hours, &out);
		rbuf_init(&in, room, sizeof room);
		qualifiers_take(&in, &again);
		assert_int_equal(in.failed, marks >> 7 != 0 || (marks >> 2 & 15) > QUALIFIERS_DEPTH_MAX);
		assert_int_equal(rbuf_done(&in), !in.failed && (marks >> 6 & 1) != 0);
	}
	memset(room, 0, QUALIFIERS_BYTES);
	room[MARKS] = 1 << 6; /* it says so, and there is none */
	rbuf_init(&in, room, sizeof room);
	qualifiers_take(&in, &again);
	assert_true(in.failed);
}

static void which_allow_no_more(void **state)
{
	static const struct {
		const char *name;
		struct qualifiers inner, outer;
		bool within;
	} rows[] = {
		{ "none in none", { .uses = 0 }, { .uses = 0 }, true },
		{ "some in none", { .uses = 1, .bytes = 1, .rate = 1, .period_s = 1 }, { .uses = 0 }, true },
		{ "none in uses", { .uses = 0 }, { .uses = 1 }, false },
		{ "none in bytes", { .uses = 0 }, { .bytes = 1 }, false },
		{ "none in a rate", { .uses = 0 }, { .rate = 1, .period_s = 1 }, false },
		{ "none in a time", { .uses = 1 }, { .until_s = 5 }, false },
		{ "a time in none", { .until_s = 5 }, { .uses = 0 }, true },
		{ "the same time", { .until_s = 5 }, { .until_s = 5 }, true },
		{ "a longer time", { .until_s = 6 }, { .until_s = 5 }, false },
		{ "no depth is one", { .uses = 0 }, { .depth = 1 }, true },
		{ "one is no more than none", { .depth = 1 }, { .uses = 0 }, true },
		{ "deeper than none", { .depth = 2 }, { .uses = 0 }, false },
		{ "deeper", { .depth = 3 }, { .depth = 2 }, false },
		{ "as many", { .uses = 5 }, { .uses = 5 }, true },
		{ "more uses", { .uses = 6 }, { .uses = 5 }, false },
		{ "more bytes", { .bytes = 6 }, { .bytes = 5 }, false },
		{ "fewer of one, none of another", { .uses = 1 }, { .uses = 5, .bytes = 5 }, false },
		{ "the same rate", { .rate = 5, .period_s = 60 }, { .rate = 5, .period_s = 60 }, true },
		{ "as many in a longer time", { .rate = 5, .period_s = 60 }, { .rate = 5, .period_s = 1 }, true },
		{ "as many in a shorter time", { .rate = 5, .period_s = 1 }, { .rate = 5, .period_s = 60 }, false },
		{ "more at once, fewer in the long run",
		  { .rate = 100, .period_s = 3600 },
		  { .rate = 10, .period_s = 1 },
		  false },
		{ "fewer at once, more in the long run",
		  { .rate = 10, .period_s = 1 },
		  { .rate = 100, .period_s = 3600 },
		  false },
		{ "fewer at once, as many in the long run",
		  { .rate = 1, .period_s = 1 },
		  { .rate = 60, .period_s = 60 },
		  true },
		{ "ech in none", { .ech = 1 }, { .ech = 0 }, false },
		{ "ech in ech", { .ech = 1 }, { .ech = 1 }, true },
		{ "none in ech", { .ech = 0 }, { .ech = 1 }, true },
		{ "any time of day", { .uses = 1 }, { .between = { 540, 1080, "UTC" } }, false },
		{ "a time of day in none", { .between = { 540, 1080, "UTC" } }, { .uses = 0 }, true },
		{ "a part of the day", { .between = { 541, 1080, "UTC" } }, { .between = { 540, 1080, "UTC" } }, true },
		{ "a longer day", { .between = { 539, 1080, "UTC" } }, { .between = { 540, 1080, "UTC" } }, false },
		{ "another zone", { .between = { 540, 1080, "GMT" } }, { .between = { 540, 1080, "UTC" } }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct qualifiers *a = &rows[i].inner, *b = &rows[i].outer;

		if (qualifiers_are_within(a, b) != rows[i].within)
			fail_msg("%s", rows[i].name);
		if (qualifiers_are_same(a, b) != (rows[i].within && qualifiers_are_within(b, a)) ||
		    qualifiers_are_same(a, b) != qualifiers_are_same(b, a))
			fail_msg("the same: %s", rows[i].name);
	}
}

/* What a bucket lets through in so many seconds, from full: with a burst at the end of it. */
static uint64_t most_in(const struct qualifiers *q, uint64_t seconds)
{
	return q->rate == 0 ? UINT64_MAX : q->rate + q->rate * seconds / q->period_s;
}

static void within_is_an_order_and_allows_no_more(void **state)
{
	uint64_t found = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(20000); round++) {
		struct prop p = prop_round(round);
		const struct qualifiers a = random_qualifiers(&p), b = random_qualifiers(&p), c = random_qualifiers(&p);

		if (!qualifiers_are_within(&a, &a))
			prop_fail(&p, "not within itself");
		if (qualifiers_are_within(&a, &b) && qualifiers_are_within(&b, &a) && !qualifiers_are_same(&a, &b))
			prop_fail(&p, "two within each other");
		if (!qualifiers_are_within(&a, &b))
			continue;
		found++;
		if (qualifiers_are_within(&b, &c) && !qualifiers_are_within(&a, &c))
			prop_fail(&p, "not handed on");
		for (uint64_t s = 0; s < 20000; s += 1 + s / 3)
			if (most_in(&a, s) > most_in(&b, s))
				prop_fail(&p, "more in %u s", (unsigned)s);
		if ((b.uses != 0 && (a.uses == 0 || a.uses > b.uses)) || a.ech > b.ech ||
		    (b.bytes != 0 && (a.bytes == 0 || a.bytes > b.bytes)))
			prop_fail(&p, "allows more");
	}
	assert_true(found > 100); /* the property is not empty */
}

static void there_are_none_but_these(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		const struct qualifiers q = random_qualifiers(&p);
		const uint32_t set = prop_below(&p, 1u << QUALIFIER_COUNT);
		bool other = false;

		for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++)
			other = other || (qualifiers_has(&q, i) && (set & 1u << i) == 0);
		if (qualifiers_are_only(&q, set) == other)
			prop_fail(&p, "other than %x", set);
	}
}

static void json_has_keys_in_order(void **state)
{
	const struct qualifiers q = { .uses = 50,
				      .bytes = 10u << 20,
				      .rate = 10,
				      .period_s = 1,
				      .ech = 1,
				      .until_s = 60,
				      .between = { 540, 1080, "Etc/GMT+1" } };
	const struct qualifiers none = { .uses = 0 };
	const struct flow no_flow = { .ask = false };
	struct flow f;
	auto_buf out = { .max = 1024 };
	struct json j;

	(void)state;
	assert_int_equal(flow_take("label=a+b unless=c,d+e ask=labelled", &f), 0);
	json_begin(&j, &out);
	json_put_array(&j);
	qualifiers_put_json(&j, &q, "http='GET /a, GRAPHQL /b' graphql='query *' secret='x as bearer' credentials=pass",
			    &f);
	qualifiers_put_json(&j, &none, "", &no_flow);
	assert_int_equal(flow_take("unless=none", &f), 0);
	qualifiers_put_json(&j, &(const struct qualifiers){ .ask = 1 }, "", &f);
	qualifiers_put_json(&j, &(const struct qualifiers){ .uses = 5 }, "where='{\"a\":[\"x\\u0027\"]}'", &no_flow);
	json_put_array_end(&j);
	assert_string_equal(
		buf_cstr(&out),
		"[{\"ask\":\"labelled\",\"between\":\"09:00-18:00 Etc/GMT+1\",\"bytes\":10485760,\"credentials\":\"pass\",\"ech\":true,\"graphql\":\"query *\",\"http\":\"GET /a, GRAPHQL /b\","
		"\"label\":[\"a\",\"b\"],\"rate\":\"10/s\",\"secret\":\"x as bearer\",\"unless\":[[\"c\"],[\"d\",\"e\"]],"
		"\"until\":\"1970-01-01T00:01:00Z\",\"uses\":50},{},{\"ask\":true,\"unless\":\"none\"},"
		"{\"uses\":5,\"where\":\"{\\\"a\\\":[\\\"x\\\\u0027\\\"]}\"}]");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_has_one_way_of_being_written),
		cmocka_unit_test(all_together_fit),
		cmocka_unit_test(what_is_no_value_is_refused),
		cmocka_unit_test(they_come_as_they_were_sent),
		cmocka_unit_test(what_cannot_be_set_is_not_taken),
		cmocka_unit_test(which_allow_no_more),
		cmocka_unit_test(within_is_an_order_and_allows_no_more),
		cmocka_unit_test(json_has_keys_in_order),
		cmocka_unit_test(there_are_none_but_these),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
