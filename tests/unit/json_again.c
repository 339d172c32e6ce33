#include "json_again.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/canonical.h"

#define LARGEST 9007199254740991
#define LEVELS 16
#define TEXT_MAX (64u << 20)

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

/* ---- the order of keys ---- */

/* The code units of well-formed UTF-8; at most one for each byte. */
static size_t units_of(const char *s, uint16_t *ret)
{
	size_t n = 0;

	while (*s != 0) {
		const uint8_t lead = (uint8_t)*s++;
		uint32_t c = lead < 0x80 ? lead : lead < 0xe0 ? lead & 0x1fu : lead < 0xf0 ? lead & 0xfu : lead & 7u;

		for (; ((uint8_t)*s & 0xc0) == 0x80; s++)
			c = c << 6 | ((uint8_t)*s & 0x3fu);
		if (c >= 0x10000) {
			ret[n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + (c & 0x3ff);
		}
		ret[n++] = (uint16_t)c;
	}
	return n;
}

int json_again_order(const char *a, const char *b)
{
	uint16_t *units_a = must(calloc(strlen(a) + 1, sizeof *units_a));
	uint16_t *units_b = must(calloc(strlen(b) + 1, sizeof *units_b)); /* a unit of 0 ends both */
	size_t at = 0;
	int order;

	(void)units_of(a, units_a);
	(void)units_of(b, units_b);
	while (units_a[at] == units_b[at] && units_a[at] != 0)
		at++;
	order = units_a[at] - units_b[at];
	free(units_a);
	free(units_b);
	return order;
}

static int by_order(const void *a, const void *b)
{
	return json_again_order(*(const char *const *)a, *(const char *const *)b);
}

/* ---- writing ---- */

static void put(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text));
}

static void put_text(struct buf *out, const char *s, size_t n)
{
	put(out, "\"");
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = (uint8_t)s[i];

		switch (c) {
		case '"': put(out, "\\\""); break;
		case '\\': put(out, "\\\\"); break;
		case 8: put(out, "\\b"); break;
		case 9: put(out, "\\t"); break;
		case 10: put(out, "\\n"); break;
		case 12: put(out, "\\f"); break;
		case 13: put(out, "\\r"); break;
		default:
			if (c < 32)
				buf_printf(out, "\\u%04x", c);
			else
				buf_put_u8(out, c);
		}
	}
	put(out, "\"");
}

static bool put_value(struct buf *out, json_t *v, unsigned levels);

static bool put_object(struct buf *out, json_t *v, unsigned levels)
{
	const size_t n = json_object_size(v);
	const char **keys = must(calloc(n + 1, sizeof *keys));
	const char *key;
	json_t *member;
	size_t at = 0;
	bool good = true;

	json_object_foreach(v, key, member) keys[at++] = key;
	qsort(keys, n, sizeof *keys, by_order);
	put(out, "{");
	for (size_t i = 0; i < n && good; i++) {
		put(out, i > 0 ? "," : "");
		put_text(out, keys[i], strlen(keys[i]));
		put(out, ":");
		good = put_value(out, json_object_get(v, keys[i]), levels);
	}
	put(out, "}");
	free(keys);
	return good;
}

static bool put_array(struct buf *out, json_t *v, unsigned levels)
{
	bool good = true;

	put(out, "[");
	for (size_t i = 0; i < json_array_size(v) && good; i++) {
		put(out, i > 0 ? "," : "");
		good = put_value(out, json_array_get(v, i), levels);
	}
	put(out, "]");
	return good;
}

/* False: it is not of the subset. */
static bool put_value(struct buf *out, json_t *v, unsigned levels)
{
	const json_int_t number = json_integer_value(v);

	switch (json_typeof(v)) {
	case JSON_OBJECT: return levels > 0 && put_object(out, v, levels - 1);
	case JSON_ARRAY: return levels > 0 && put_array(out, v, levels - 1);
	case JSON_STRING: put_text(out, json_string_value(v), json_string_length(v)); return true;
	case JSON_INTEGER: buf_printf(out, "%lld", number); return number >= -LARGEST && number <= LARGEST;
	case JSON_REAL: return false;
	case JSON_TRUE: put(out, "true"); return true;
	case JSON_FALSE: put(out, "false"); return true;
	case JSON_NULL: put(out, "null"); return true;
	}
	return false;
}

static json_t *read_any(const void *bytes, size_t n)
{
	return json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

bool json_again_same(const void *bytes, size_t n)
{
	json_t *v = read_any(bytes, n);
	struct buf out;
	bool same;

	if (v == NULL)
		return false;
	buf_init(&out, TEXT_MAX);
	same = put_value(&out, v, LEVELS) && out.len == n && memcmp(out.data, bytes, n) == 0;
	if (out.failed)
		abort();
	buf_finish(&out);
	json_decref(v);
	return same;
}

/* ---- reading ---- */

static bool agrees(struct canonical_value v, json_t *theirs);

static bool object_agrees(struct canonical_value v, json_t *theirs)
{
	struct canonical_value found;
	const char *key;
	json_t *member;

	json_object_foreach(theirs, key,
			    member) if (!canonical_find(v, key, &found) || !agrees(found, member)) return false;
	return json_object_get(theirs, "no such key") != NULL || !canonical_find(v, "no such key", &found);
}

static bool array_agrees(struct canonical_value v, json_t *theirs)
{
	struct canonical_value item;
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(theirs); i++)
		if (!canonical_item(v, &at, &item) || !agrees(item, json_array_get(theirs, i)))
			return false;
	return !canonical_item(v, &at, &item);
}

/* In room of exactly its size, and in less. */
static bool string_agrees(struct canonical_value v, json_t *theirs)
{
	const size_t n = json_string_length(theirs);
	const bool has_nul = strlen(json_string_value(theirs)) < n;
	char *room = must(malloc(n + 1));
	bool good = canonical_string(v, room, n + 1) != has_nul;

	if (good)
		good = strcmp(room, has_nul ? "" : json_string_value(theirs)) == 0;
	if (good)
		good = !canonical_string(v, room, n) && (n == 0 || room[0] == 0);
	free(room);
	return good;
}

static bool agrees(struct canonical_value v, json_t *theirs)
{
	struct canonical_value none;
	uint64_t count = 0;
	size_t at = 0;
	char room[2];

	if (!json_is_object(theirs) && canonical_find(v, "", &none))
		return false;
	if (!json_is_array(theirs) && canonical_item(v, &at, &none))
		return false;
	if (!json_is_string(theirs) && canonical_string(v, room, sizeof room))
		return false;
	if (canonical_count(v, &count) != (json_is_integer(theirs) && json_integer_value(theirs) >= 0))
		return false;
	switch (json_typeof(theirs)) {
	case JSON_OBJECT: return object_agrees(v, theirs);
	case JSON_ARRAY: return array_agrees(v, theirs);
	case JSON_STRING: return string_agrees(v, theirs);
	case JSON_INTEGER: return json_integer_value(theirs) < 0 || (uint64_t)json_integer_value(theirs) == count;
	case JSON_REAL: return false;
	case JSON_TRUE: return canonical_is(v, "true");
	case JSON_FALSE: return canonical_is(v, "false");
	case JSON_NULL: return canonical_is(v, "null");
	}
	return false;
}

bool json_again_agrees(const void *bytes, size_t n)
{
	json_t *theirs = read_any(bytes, n);
	const bool good = theirs != NULL && agrees((struct canonical_value){ .at = bytes, .n = n }, theirs);

	json_decref(theirs);
	return good;
}
