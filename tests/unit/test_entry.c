#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "err_text.h"
#include "json_again.h"
#include "ledger/entry.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define EVENT "e_01KDVQJZ00000000000000EVEN"
#define GRANT_ID "g_01KDV000000000000000000000"
#define BOOT "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21"
#define NOWHERE INT_MIN

/* The places that rows name are in here. */
static const char sample[] =
	"{\"body\":{\"count\":2,\"path\":\"/srv/a\"},\"boot\":\"" BOOT "\",\"event\":\"" EVENT
	"\",\"grant\":\"" GRANT_ID
	"\",\"seq\":12,\"t_mono\":7382911234,\"t_wall\":\"2026-01-31T09:15:02.123Z\",\"type\":\"effect\",\"v\":1}";

static struct canonical_value value_of(const char *text)
{
	return (struct canonical_value){ .at = (const uint8_t *)text, .n = strlen(text) };
}

static struct entry entry_of(enum entry_type type, const char *body)
{
	return (struct entry){ .type = type,
			       .seq = 12,
			       .wall_ms = 1769850902123,
			       .mono_us = 7382911234,
			       .boot = BOOT,
			       .event = EVENT,
			       .grant = GRANT_ID,
			       .body = value_of(body) };
}

static void all_of_an_entry_comes_back(void **state)
{
	const struct entry entry = entry_of(ENTRY_EFFECT, "{\"count\":2,\"path\":\"/srv/a\"}");
	auto_buf out = { .max = ENTRY_MAX };
	struct canonical_value path;
	struct entry same;
	struct err e = { .msg = "" };

	(void)state;
	if (entry_put(&entry, &out, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(out.len, sizeof sample - 1);
	assert_memory_equal(out.data, sample, out.len);
	if (entry_take(out.data, out.len, &same, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(same.type, ENTRY_EFFECT);
	assert_int_equal(same.seq, 12);
	assert_int_equal(same.wall_ms, 1769850902123);
	assert_int_equal(same.mono_us, 7382911234);
	assert_string_equal(same.boot, BOOT);
	assert_string_equal(same.event, EVENT);
	assert_string_equal(same.grant, GRANT_ID);
	assert_true(canonical_is(same.body, "{\"count\":2,\"path\":\"/srv/a\"}"));
	assert_ptr_equal(same.body.at, out.data + 8);
	assert_true(canonical_find(same.body, "path", &path) && canonical_is(path, "\"/srv/a\""));
}

/* Puts `to` in the place of the first `from`; *ret_at is where. */
static size_t with(const char *from, const char *to, char *ret, size_t size, size_t *ret_at)
{
	const char *found = strstr(sample, from);

	assert_non_null(found);
	*ret_at = (size_t)(found - sample);
	assert_true(strlen(sample) + strlen(to) < size);
	return (size_t)snprintf(ret, size, "%.*s%s%s", (int)*ret_at, sample, to, found + strlen(from));
}

static void what_is_no_entry_and_where(void **state)
{
	static const struct {
		const char *name, *from, *to;
		int at; /* of the flaw, from where `from` was; NOWHERE: it is an entry */
		int rc;
		const char *says;
	} rows[] = {
		{ "the same", "{", "{", NOWHERE, 0, "" },
		{ "an empty body", "{\"count\":2,\"path\":\"/srv/a\"}", "{}", NOWHERE, 0, "" },
		{ "no event", "\"" EVENT "\"", "null", 0, -AMBIT_MALFORMED, "must name its event" },
		{ "no grant", "\"" GRANT_ID "\"", "null", NOWHERE, 0, "" },
		{ "another type", "\"effect\"", "\"result\"", NOWHERE, 0, "" },
		{ "a grant of a type that has none", "\"effect\"", "\"verdict\"", -103, -AMBIT_MALFORMED,
		  "type verdict has no grant" },
		{ "the first number", ":12,", ":0,", NOWHERE, 0, "" },
		{ "the last number", ":12,", ":9007199254740991,", NOWHERE, 0, "" },
		{ "a number beyond", ":12,", ":9007199254740992,", 1, -AMBIT_MALFORMED, "seq is not" },
		{ "a negative number", ":12,", ":-1,", 1, -AMBIT_MALFORMED, "seq is not" },
		{ "a number with a zero", ":12,", ":012,", 1, -AMBIT_MALFORMED, "seq is not" },
		{ "a number as text", ":12,", ":\"12\",", 1, -AMBIT_MALFORMED, "seq is not" },
		{ "no number", ":12,", ":,", 1, -AMBIT_MALFORMED, "seq is not" },
		{ "a fraction", ":12,", ":12.5,", 1, -AMBIT_MALFORMED, "seq is not" },
		{ "the last microsecond", "7382911234", "9007199254740991", NOWHERE, 0, "" },
		{ "a microsecond beyond", "7382911234", "9007199254740992", 0, -AMBIT_MALFORMED, "t_mono is not" },

		{ "a body that is a list", "{\"count\":2,\"path\":\"/srv/a\"}", "[]", 0, -AMBIT_MALFORMED,
		  "not an object" },
		{ "a body that is null", "{\"count\":2,\"path\":\"/srv/a\"}", "null", 0, -AMBIT_MALFORMED,
		  "not an object" },
		{ "a body out of order", "\"count\":2,\"path\"", "\"path\":2,\"count\"", 9, -AMBIT_MALFORMED,
		  "out of order" },
		{ "a body with a blank", "\"count\":2", "\"count\": 2", 8, -AMBIT_MALFORMED, "a blank" },
		{ "a body that is not UTF-8", "/srv/a", "/srv/\xff", 5, -AMBIT_MALFORMED, "not UTF-8" },
		{ "a body with a number too large", "\"count\":2", "\"count\":9007199254740992", 8, -AMBIT_LIMIT,
		  "2^53" },

		{ "a body as deep as may be", "2,\"path\"", "[[[[[[[[[[[[[[]]]]]]]]]]]]]],\"path\"", NOWHERE, 0, "" },
		{ "a body that is deeper", "2,\"path\"", "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]],\"path\"", 14, -AMBIT_LIMIT,
		  "nested too deep" },

		{ "a blank in front", "{\"body\"", " {\"body\"", 0, -AMBIT_MALFORMED, "must stand here" },
		{ "a blank behind", "\"v\":1}", "\"v\":1} ", 6, -AMBIT_MALFORMED, "after the entry" },
		{ "a newline behind", "\"v\":1}", "\"v\":1}\n", 6, -AMBIT_MALFORMED, "after the entry" },
		{ "a blank between", ",\"boot\"", ", \"boot\"", 1, -AMBIT_MALFORMED, "\"boot\": must stand here" },
		{ "no bracket at the end", "\"v\":1}", "\"v\":1", 5, -AMBIT_MALFORMED, "} must" },
		{ "an unknown key first", "{\"body\"", "{\"a\":1,\"body\"", 1, -AMBIT_MALFORMED, "\"body\": must" },
		{ "an unknown key between", ",\"seq\"", ",\"index\":1,\"seq\"", 1, -AMBIT_MALFORMED, "\"seq\": must" },
		{ "an unknown key at the end", "\"v\":1}", "\"v\":1,\"w\":1}", 5, -AMBIT_MALFORMED, "} must" },
		{ "a key twice", ",\"seq\":12", ",\"seq\":12,\"seq\":12", 10, -AMBIT_MALFORMED, "\"t_mono\": must" },
		{ "a key is missing", ",\"seq\":12", "", 1, -AMBIT_MALFORMED, "\"seq\": must" },
		{ "the version is missing", ",\"v\":1", "", 0, -AMBIT_MALFORMED, ",\"v\": must" },
		{ "two keys the other way", "\"event\":\"" EVENT "\",\"grant\":\"" GRANT_ID "\"",
		  "\"grant\":\"" GRANT_ID "\",\"event\":\"" EVENT "\"", 0, -AMBIT_MALFORMED, "\"event\": must" },
		{ "a key in other letters", "\"body\"", "\"Body\"", 0, -AMBIT_MALFORMED, "\"body\": must" },
		{ "an escaped key", "\"body\"", "\"\\u0062ody\"", 0, -AMBIT_MALFORMED, "\"body\": must" },

		{ "another version", "\"v\":1", "\"v\":2", 4, -AMBIT_MALFORMED, "version" },
		{ "a version as text", "\"v\":1", "\"v\":\"1\"", 4, -AMBIT_MALFORMED, "version" },
		{ "version ten", "\"v\":1", "\"v\":10", 4, -AMBIT_MALFORMED, "version" },
		{ "an unknown type", "\"effect\"", "\"affect\"", 0, -AMBIT_MALFORMED, "the type is not" },
		{ "a type in capitals", "\"effect\"", "\"Effect\"", 0, -AMBIT_MALFORMED, "the type is not" },
		{ "half a type", "\"effect\"", "\"effec\"", 0, -AMBIT_MALFORMED, "the type is not" },
		{ "an empty type", "\"effect\"", "\"\"", 0, -AMBIT_MALFORMED, "the type is not" },
		{ "a type that is null", "\"effect\"", "null", 0, -AMBIT_MALFORMED, "the type is not" },
		{ "a type that is a quote", "\"effect\"", "\"", 0, -AMBIT_MALFORMED, "the type is not" },
		{ "a type that is nothing", "\"effect\"", "", 0, -AMBIT_MALFORMED, "the type is not" },
		{ "a type without an end", "\"effect\"", "\"effect", 0, -AMBIT_MALFORMED, "the type is not" },

		{ "an event of another kind", EVENT, "g_01KDVQJZ00000000000000EVEN", -1, -AMBIT_MALFORMED,
		  "the event is" },
		{ "an event in small letters", EVENT, "e_01kdvqjz00000000000000even", -1, -AMBIT_MALFORMED,
		  "the event is" },
		{ "an event with an I", EVENT, "e_01KDVQJZ0000000000000IEVEN", -1, -AMBIT_MALFORMED, "the event is" },
		{ "an event that is too large", EVENT, "e_81KDVQJZ00000000000000EVEN", -1, -AMBIT_MALFORMED,
		  "the event is" },
		{ "an event that is too short", EVENT, "e_01KDVQJZ00000000000000EVE", -1, -AMBIT_MALFORMED,
		  "the event is" },
		{ "an event that is empty", EVENT, "", -1, -AMBIT_MALFORMED, "the event is" },
		{ "an event that is a number", "\"" EVENT "\"", "1", 0, -AMBIT_MALFORMED, "the event is" },
		{ "an event that is no word", "\"" EVENT "\"", "nulL", 0, -AMBIT_MALFORMED, "the event is" },
		{ "a grant that is an event", GRANT_ID, EVENT, -1, -AMBIT_MALFORMED, "the grant is" },

		{ "a boot in capitals", "7e9b", "7E9b", -1, -AMBIT_MALFORMED, "the boot is" },
		{ "a boot with a g", "7e9b", "7g9b", -1, -AMBIT_MALFORMED, "the boot is" },
		{ "a boot without a line", "-0a4d-", "00a4d-", -9, -AMBIT_MALFORMED, "the boot is" },
		{ "a boot that is short", "7e9b", "7e9", -1, -AMBIT_MALFORMED, "the boot is" },
		{ "a boot that is long", "7e9b", "07e9b", -1, -AMBIT_MALFORMED, "the boot is" },
		{ "a boot that goes on", "6e21\"", "6e210\"", -33, -AMBIT_MALFORMED, "the boot is" },
		{ "a boot in brackets", "\"" BOOT "\"", "{}", 0, -AMBIT_MALFORMED, "the boot is" },
		{ "a boot that is null", "\"" BOOT "\"", "null", 0, -AMBIT_MALFORMED, "the boot is" },

		{ "a leap day", "2026-01-31", "2024-02-29", NOWHERE, 0, "" },
		{ "a day that is none", "2026-01-31", "2026-02-29", -1, -AMBIT_MALFORMED, "t_wall is" },
		{ "an hour that is none", "T09", "T24", -11, -AMBIT_MALFORMED, "t_wall is" },
		{ "no milliseconds", ".123Z", "Z", -20, -AMBIT_MALFORMED, "t_wall is" },
		{ "another zone", ".123Z", ".123+00:00", -20, -AMBIT_MALFORMED, "t_wall is" },
		{ "before 1970", "2026-01-31", "1969-12-31", -1, -AMBIT_MALFORMED, "t_wall is" },
		{ "a time as a number", "\"2026-01-31T09:15:02.123Z\"", "1769850902123", 0, -AMBIT_MALFORMED,
		  "t_wall is" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[sizeof sample + 128], place[32];
		size_t from;
		const size_t n = with(rows[i].from, rows[i].to, text, sizeof text, &from);
		struct entry entry = { .seq = 77 };
		struct canonical_flaw flaw;
		struct err e = { .msg = "" };
		const int rc = entry_take(text, n, &entry, &e);

		if (rc != rows[i].rc || !err_says(&e, rows[i].says))
			fail_msg("%s: %d, '%s'", rows[i].name, rc, e.msg);
		(void)snprintf(place, sizeof place, "byte %d:", (int)from + rows[i].at);
		if (rc != 0 && !err_says(&e, place))
			fail_msg("%s: '%s', not %s", rows[i].name, e.msg, place);
		if (rc == 0 ? canonical_check(text, n, &flaw) != 0 : entry.seq != 77)
			fail_msg("%s", rows[i].name);
		assert_int_equal(entry_take(text, n, &entry, NULL), rc);
	}
}

static void each_beginning_is_refused(void **state)
{
	struct entry entry;
	struct err e;

	(void)state;
	for (size_t n = 0; n < sizeof sample - 1; n++) {
		char *cut = strndup(sample, n); /* a sanitizer sees one byte too far */

		assert_non_null(cut);
		if (entry_take(cut, n, &entry, &e) != -AMBIT_MALFORMED)
			fail_msg("%.*s", (int)n, sample);
		free(cut);
	}
	assert_int_equal(entry_take(sample, sizeof sample - 1, &entry, &e), 0);
}

/* What header says of each type, once more. */
static void which_type_names_what(void **state)
{
	static const struct {
		const char *word;
		char event, grant; /* '-' never, '?' perhaps, '!' always */
	} rows[] = {
		{ "start", '?', '-' },      { "stop", '?', '-' },     { "crash", '?', '-' },   { "policy", '?', '-' },
		{ "grant", '?', '!' },      { "derive", '?', '!' },   { "revoke", '?', '!' },  { "expire", '?', '?' },
		{ "request", '?', '?' },    { "decision", '?', '?' }, { "intent", '!', '!' },  { "effect", '!', '?' },
		{ "result", '!', '?' },     { "commit", '!', '-' },   { "discard", '!', '-' }, { "ask", '?', '?' },
		{ "approve", '?', '?' },    { "freeze", '?', '-' },   { "thaw", '?', '-' },    { "label", '?', '?' },
		{ "declassify", '?', '?' }, { "verdict", '!', '-' },  { "prune", '-', '-' },   { "key", '-', '-' },
		{ "step", '!', '-' },
	};
	enum entry_type type;

	(void)state;
	assert_int_equal(COUNT_OF(rows), ENTRY_TYPE_COUNT);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (unsigned named = 0; named < 4; named++) {
			const bool event = (named & 1) != 0, grant = (named & 2) != 0;
			const bool good = rows[i].event != (event ? '-' : '!') && rows[i].grant != (grant ? '-' : '!');
			auto_buf out = { .max = ENTRY_MAX };
			struct entry entry;
			struct err e;
			int rc;

			assert_true(entry_type_of(rows[i].word, strlen(rows[i].word), &type));
			assert_string_equal(entry_type_word(type), rows[i].word);
			entry = entry_of(type, "{}");
			entry.event[0] = event ? 'e' : 0;
			entry.grant[0] = grant ? 'g' : 0;
			rc = entry_put(&entry, &out, &e);
			if (rc != (good ? 0 : -AMBIT_MALFORMED))
				fail_msg("%s with%s event and with%s grant: %d", rows[i].word, event ? "" : "out",
					 grant ? "" : "out", rc);
		}
	assert_null(entry_type_word(ENTRY_TYPE_COUNT));
	assert_false(entry_type_of("", 0, &type));
	assert_false(entry_type_of("startx", 6, &type));
}

static void what_cannot_be_put_leaves_nothing(void **state)
{
	static const struct {
		const char *name, *body;
		int rc;
		const char *says;
	} rows[] = {
		{ "nothing", "", -AMBIT_MALFORMED, "the body of an entry, byte 0: it ends too early" },
		{ "a list", "[]", -AMBIT_MALFORMED, "the body of an entry, byte 0: not an object" },
		{ "a string", "\"{}\"", -AMBIT_MALFORMED, "byte 0: not an object" },
		{ "two objects", "{}{}", -AMBIT_MALFORMED, "the body of an entry, byte 2: something after" },
		{ "the rest of an entry", "{},\"boot\":\"x\"", -AMBIT_MALFORMED, "byte 2: something after" },
		{ "a blank", "{\"a\": 1}", -AMBIT_MALFORMED, "the body of an entry, byte 5: a blank" },
		{ "a key twice", "{\"a\":1,\"a\":1}", -AMBIT_MALFORMED, "byte 7: a key for the second time" },
		{ "as deep as may be", "{\"a\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]}", 0, "" },
		{ "deeper", "{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", -AMBIT_LIMIT, "byte 19: nested too deep" },
	};
	auto_buf out = { .max = ENTRY_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct entry entry = entry_of(ENTRY_EFFECT, rows[i].body);
		struct err e = { .msg = "" };
		int rc;

		buf_reset(&out);
		buf_put(&out, "before", 6);
		rc = entry_put(&entry, &out, &e);
		if (rc != rows[i].rc || !err_says(&e, rows[i].says))
			fail_msg("%s: %d, '%s'", rows[i].name, rc, e.msg);
		assert_true(rc == 0 || (out.len == 6 && !out.failed));
	}
}

/* Each other part of what is put is looked at as well. */
static void what_is_not_valid_is_not_put(void **state)
{
	static const struct {
		const char *name, *says;
		int rc;
	} rows[] = {
		{ "seq", "2^53", -AMBIT_LIMIT },
		{ "t_mono", "2^53", -AMBIT_LIMIT },
		{ "t_wall", "t_wall is", -AMBIT_MALFORMED },
		{ "type", "the type is not", -AMBIT_MALFORMED },
		{ "boot", "the boot is", -AMBIT_MALFORMED },
		{ "event", "the event is", -AMBIT_MALFORMED },
		{ "grant", "the grant is", -AMBIT_MALFORMED },
	};
	auto_buf out = { .max = ENTRY_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct entry entry = entry_of(ENTRY_EFFECT, "{}");
		struct err e = { .msg = "" };
		int rc;

		switch (i) {
		case 0: entry.seq = CANONICAL_COUNT_MAX + 1; break;
		case 1: entry.mono_us = CANONICAL_COUNT_MAX + 1; break;
		case 2: entry.wall_ms = UINT64_C(253402300800000); break;
		case 3: entry.type = ENTRY_TYPE_COUNT; break;
		case 4: entry.boot[0] = '"'; break;
		case 5: (void)snprintf(entry.event, sizeof entry.event, "%s", "\",\"x\":\""); break;
		default: entry.grant[5] = '\xff';
		}
		rc = entry_put(&entry, &out, &e);
		if (rc != rows[i].rc || !err_says(&e, rows[i].says))
			fail_msg("%s: %d, '%s'", rows[i].name, rc, e.msg);
		assert_int_equal(out.len, 0);
	}
}

/* {"x":"xxx..."} of n bytes. */
static struct canonical_value long_body(char *room, size_t n)
{
	memset(room, 'x', n);
	memcpy(room, "{\"x\":\"", 6);
	memcpy(room + n - 2, "\"}", 2);
	return (struct canonical_value){ .at = (const uint8_t *)room, .n = n };
}

static void the_longest_entry(void **state)
{
	auto_free char *room = malloc(ENTRY_MAX + 1);
	auto_free uint8_t *bytes = malloc(ENTRY_MAX + 2);
	struct entry entry = entry_of(ENTRY_DECLASSIFY, ""), same;
	struct err e = { .msg = "" };
	struct buf out;

	(void)state;
	assert_true(room != NULL && bytes != NULL);
	entry.seq = entry.mono_us = CANONICAL_COUNT_MAX;
	buf_init_in(&out, bytes, ENTRY_MAX);
	entry.body = long_body(room, ENTRY_BODY_MAX);
	if (entry_put(&entry, &out, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(out.len, ENTRY_MAX);
	assert_int_equal(entry_take(out.data, out.len, &same, &e), 0);
	assert_int_equal(same.body.n, ENTRY_BODY_MAX);

	buf_init_in(&out, bytes, ENTRY_MAX + 2);
	entry.body = long_body(room, ENTRY_BODY_MAX + 1);
	assert_int_equal(entry_put(&entry, &out, &e), -AMBIT_LIMIT);
	assert_int_equal(out.len, 0);
	entry.body = long_body(room, ENTRY_MAX + 1);
	assert_int_equal(entry_put(&entry, &out, &e), -AMBIT_LIMIT);
	assert_true(err_says(&e, "the body of an entry: 65536 bytes"));
	assert_int_equal(out.len, 0);

	/* one byte of the body more than there was, in what is taken */
	entry.body = long_body(room, ENTRY_BODY_MAX);
	assert_int_equal(entry_put(&entry, &out, &e), 0);
	memmove(bytes + 15, bytes + 14, ENTRY_MAX - 14);
	assert_int_equal(entry_take(bytes, ENTRY_MAX + 1, &same, &e), -AMBIT_LIMIT);
	assert_true(err_says(&e, "byte 65535"));
}

static void a_full_buffer_stays_of_use(void **state)
{
	const struct entry entry = entry_of(ENTRY_EFFECT, "{}");
	auto_buf out = { .max = 700 }; /* two entries */
	size_t before = 0;
	struct err e;
	int rc;

	(void)state;
	while ((rc = entry_put(&entry, &out, &e)) == 0)
		before = out.len;
	assert_int_equal(rc, -AMBIT_MEMORY);
	assert_true(before > 0 && out.len == before && !out.failed);
	out.failed = true; /* by somebody else, which must not be forgotten */
	assert_int_equal(entry_put(&entry, &out, &e), -AMBIT_MEMORY);
	assert_true(out.failed);
}

/* ---- the golden file ---- */

/* One entry of each type, as the rules of the types want it. */
static void put_all_types(struct buf *out)
{
	for (enum entry_type t = 0; t < ENTRY_TYPE_COUNT; t++) {
		struct entry entry =
			entry_of(t, "{\"\\\\\\u001f\":[-1,0,9007199254740991],\"text\":\"caf\xc3\xa9 \\\"\\n\"}");
		struct err e;

		entry.seq = (uint64_t)t;
		entry.mono_us += (uint64_t)t * 1000;
		entry.wall_ms += (uint64_t)t;
		/* all names, then fewer, until it may be so */
		if (entry_put(&entry, out, &e) != 0) {
			entry.grant[0] = 0;
			if (entry_put(&entry, out, &e) != 0) {
				entry.event[0] = 0;
				if (entry_put(&entry, out, &e) != 0)
					fail_msg("%s: %s", entry_type_word(t), e.msg);
			}
		}
		buf_put_u8(out, '\n');
	}
}

static void entries_are_as_they_always_were(void **state)
{
	auto_buf out = { .max = 1u << 20 }, golden = { .max = 1u << 20 };
	const char *write = getenv("AMBIT_GOLDEN");
	FILE *file = fopen(GOLDEN, write != NULL && strcmp(write, "write") == 0 ? "w+e" : "re");
	int c;

	(void)state;
	assert_non_null(file);
	put_all_types(&out);
	if (write != NULL && strcmp(write, "write") == 0) {
		assert_int_equal(fwrite(out.data, 1, out.len, file), out.len);
		rewind(file);
	}
	while ((c = getc(file)) != EOF)
		buf_put_u8(&golden, (uint8_t)c);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(out.len, golden.len);
	assert_memory_equal(out.data, golden.data, out.len);
}

/* ---- any entries at all ---- */

static void random_id(struct prop *p, char prefix, char ret[ID_TEXT_MAX])
{
	uint8_t random[ID_RANDOM];

	for (size_t i = 0; i < sizeof random; i++)
		random[i] = (uint8_t)prop_below(p, 256);
	id_write(prefix, prop_next(p) >> 16, random, ret);
}

static void random_entry(struct prop *p, struct entry *ret)
{
	static const char *const bodies[] = { "{}", "{\"a\":[1,\"}\",null]}", "{\",\":{\"\\\"\":-1}}",
					      "{\"body\":{\"body\":{}},\"v\":2}" };

	*ret = entry_of((enum entry_type)prop_below(p, ENTRY_TYPE_COUNT), bodies[prop_below(p, COUNT_OF(bodies))]);
	ret->seq = prop_next(p) >> (11 + prop_below(p, 53));
	ret->mono_us = prop_next(p) >> (11 + prop_below(p, 53));
	ret->wall_ms = prop_next(p) % UINT64_C(253402300800000);
	for (size_t i = 0; i < ENTRY_BOOT_LEN; i++)
		if (ret->boot[i] != '-')
			ret->boot[i] = "0123456789abcdef"[prop_below(p, 16)];
	random_id(p, 'e', ret->event);
	random_id(p, 'g', ret->grant);
	if (prop_below(p, 2) == 0)
		ret->event[0] = 0;
	if (prop_below(p, 2) == 0)
		ret->grant[0] = 0;
}

/* One byte is changed, put in or taken out: what is still taken is canonical, and comes out of being put as it is. */
static void what_is_taken_is_what_is_put(void **state)
{
	uint64_t put = 0, taken = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(20000); round++) {
		struct prop p = prop_round(round);
		auto_buf out = { .max = 2048 }, again = { .max = 2048 };
		struct entry entry, same;
		struct err e;
		size_t at;

		random_entry(&p, &entry);
		if (entry_put(&entry, &out, &e) != 0)
			continue; /* a type that wants or refuses a name */
		put++;
		if (entry_take(out.data, out.len, &same, &e) != 0)
			prop_fail(&p, "%s", e.msg);
		assert_true(same.type == entry.type && same.seq == entry.seq && same.mono_us == entry.mono_us &&
			    same.wall_ms == entry.wall_ms && strcmp(same.boot, entry.boot) == 0 &&
			    strcmp(same.event, entry.event) == 0 && strcmp(same.grant, entry.grant) == 0 &&
			    same.body.n == entry.body.n && memcmp(same.body.at, entry.body.at, entry.body.n) == 0);
		at = prop_below(&p, (uint32_t)out.len);
		if (prop_below(&p, 2) == 0) {
			out.data[at] = (uint8_t)(prop_below(&p, 4) == 0 ? prop_below(&p, 256)
									: '0' + prop_below(&p, 10));
		} else {
			memmove(out.data + at, out.data + at + 1, out.len - at - 1);
			out.len--;
		}
		if (entry_take(out.data, out.len, &same, &e) != 0)
			continue;
		taken++;
		if (!json_again_same(out.data, out.len))
			prop_fail(&p, "not canonical: %.*s", (int)out.len, out.data);
		if (entry_put(&same, &again, &e) != 0 || again.len != out.len ||
		    memcmp(again.data, out.data, out.len) != 0)
			prop_fail(&p, "not the same: %.*s", (int)out.len, out.data);
	}
	assert_true(put > 4000 && taken > 400);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_an_entry_comes_back),
		cmocka_unit_test(what_is_no_entry_and_where),
		cmocka_unit_test(each_beginning_is_refused),
		cmocka_unit_test(which_type_names_what),
		cmocka_unit_test(what_cannot_be_put_leaves_nothing),
		cmocka_unit_test(what_is_not_valid_is_not_put),
		cmocka_unit_test(the_longest_entry),
		cmocka_unit_test(a_full_buffer_stays_of_use),
		cmocka_unit_test(entries_are_as_they_always_were),
		cmocka_unit_test(what_is_taken_is_what_is_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
