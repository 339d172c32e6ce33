#include "export/otlp_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"

#define KEY_MAX 128
#define PREFIX_MAX 32

void otlp_put_number(struct json *j, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRIu64, n); /* it fits */
	json_put_word(j, text);
}

static void put_kv(struct json *j, const char *key)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "key"), key);
	(void)json_put_key(j, "value");
}

/* Opens {"name": {"values": [, and closes it. */
static void put_list(struct json *j, const char *name)
{
	json_put_object(j);
	json_put_object(json_put_key(j, name));
	json_put_array(json_put_key(j, "values"));
}

static void put_list_end(struct json *j)
{
	json_put_array_end(j);
	json_put_object_end(j);
	json_put_object_end(j);
}

static void put_made(struct json *j, const char *name, struct canonical_value v)
{
	json_put_object(j);
	json_put_made(json_put_key(j, name), v.at, v.n);
	json_put_object_end(j);
}

static void put_integer(struct json *j, struct canonical_value v)
{
	json_put_object(j);
	json_put_bytes(json_put_key(j, "intValue"), v.at, v.n);
	json_put_object_end(j);
}

static void put_any(struct json *j, struct canonical_value v);

static void put_object(struct json *j, struct canonical_value v)
{
	struct canonical_value key, value;
	size_t at = 0;

	put_list(j, "kvlistValue");
	while (canonical_member(v, &at, &key, &value)) {
		json_put_object(j);
		json_put_made(json_put_key(j, "key"), key.at, key.n);
		(void)json_put_key(j, "value");
		put_any(j, value);
		json_put_object_end(j);
	}
	put_list_end(j);
}

static void put_items(struct json *j, struct canonical_value v)
{
	struct canonical_value item;
	size_t at = 0;

	put_list(j, "arrayValue");
	while (canonical_item(v, &at, &item))
		put_any(j, item);
	put_list_end(j);
}

/* {"b64": ...} and nothing else, as base/json.h writes it: what only looks like that is an object as any other. */
static bool is_bytes(struct canonical_value v, struct canonical_value *ret_b64)
{
	struct canonical_value key, more;
	size_t at = 0, n;

	return canonical_member(v, &at, &key, ret_b64) && canonical_is(key, "\"b64\"") && ret_b64->at[0] == '"' &&
	       base64_is((const char *)ret_b64->at + 1, ret_b64->n - 2, &n) && !canonical_member(v, &at, &key, &more);
}

/* As deep as an entry can be, CANONICAL_DEPTH_MAX. */
static void put_any(struct json *j, struct canonical_value v)
{
	struct canonical_value b64;

	switch (v.n > 0 ? v.at[0] : 'n') {
	case '"': put_made(j, "stringValue", v); break;
	case 't':
	case 'f': put_made(j, "boolValue", v); break;
	case '[': put_items(j, v); break;
	case '{':
		if (is_bytes(v, &b64))
			put_made(j, "bytesValue", b64);
		else
			put_object(j, v);
		break;
	case 'n': /* a value that is not set is an empty one */
		json_put_object(j);
		json_put_object_end(j);
		break;
	default: put_integer(j, v); break;
	}
}

void otlp_put(struct json *j, const char *key, struct canonical_value v)
{
	if (v.n == 0 || canonical_is(v, "null"))
		return;
	put_kv(j, key);
	put_any(j, v);
	json_put_object_end(j);
}

void otlp_put_text(struct json *j, const char *key, const char *text)
{
	put_kv(j, key);
	json_put_object(j);
	json_put_word(json_put_key(j, "stringValue"), text);
	json_put_object_end(j);
	json_put_object_end(j);
}

void otlp_put_count(struct json *j, const char *key, uint64_t n)
{
	put_kv(j, key);
	json_put_object(j);
	otlp_put_number(json_put_key(j, "intValue"), n);
	json_put_object_end(j);
	json_put_object_end(j);
}

void otlp_put_bool(struct json *j, const char *key, bool value)
{
	put_kv(j, key);
	json_put_object(j);
	json_put_bool(json_put_key(j, "boolValue"), value);
	json_put_object_end(j);
	json_put_object_end(j);
}

void otlp_put_array(struct json *j, const char *key)
{
	put_kv(j, key);
	put_list(j, "arrayValue");
}

void otlp_put_array_end(struct json *j)
{
	put_list_end(j);
	json_put_object_end(j);
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

/* A key of a body is a word of ours, if the ledger wrote it. */
uint64_t otlp_put_all(struct json *j, const char *prefix, struct canonical_value object, const char *const *but)
{
	struct canonical_value key, value;
	char name[KEY_MAX], word[KEY_MAX - PREFIX_MAX];
	size_t at = 0;
	uint64_t left_out = 0;

	while (canonical_member(object, &at, &key, &value)) {
		if (!canonical_string(key, word, sizeof word) || word[0] == 0 || is_one_of(word, but)) {
			left_out++;
			continue;
		}
		(void)snprintf(name, sizeof name, "%.*s%s", PREFIX_MAX - 1, prefix, word); /* it fits */
		otlp_put(j, name, value);
	}
	return left_out;
}
