#include "explain/json_take.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/timestamp.h"

#define NS_PER_MS UINT64_C(1000000)

void take_fail(struct take *t, enum ambit_code code, const char *key, const char *what)
{
	static const char hint[] = "is it a record of `ambit run`? doc/RECORD.md says what one holds";

	if (t->rc != 0)
		return;
	if (t->index != SIZE_MAX)
		t->rc = err_set(t->e, code, hint, "record: %s[%zu].%s: %s", t->in, t->index, key, what);
	else
		t->rc = err_set(t->e, code, hint, "record: %s%s%s: %s", t->in, t->in[0] != 0 ? "." : "", key, what);
}

static const json_t *member(struct take *t, const json_t *from, const char *key)
{
	const json_t *v = t->rc == 0 ? json_object_get(from, key) : NULL;

	if (v == NULL)
		take_fail(t, AMBIT_MALFORMED, key, "missing");
	return v;
}

const json_t *take_object(struct take *t, const json_t *from, const char *key)
{
	const json_t *v = member(t, from, key);

	if (v == NULL || json_is_object(v))
		return v;
	take_fail(t, AMBIT_MALFORMED, key, "not an object");
	return NULL;
}

const json_t *take_array(struct take *t, const json_t *from, const char *key, size_t most)
{
	const json_t *v = member(t, from, key);

	if (v != NULL && !json_is_array(v))
		take_fail(t, AMBIT_MALFORMED, key, "not a list");
	else if (json_array_size(v) > most)
		take_fail(t, AMBIT_LIMIT, key, "longer than a record's may be");
	return t->rc == 0 ? v : NULL;
}

uint64_t take_count(struct take *t, const json_t *from, const char *key, uint64_t most)
{
	const json_t *v = member(t, from, key);
	const json_int_t n = json_integer_value(v);

	if (v != NULL && (!json_is_integer(v) || n < 0 || (uint64_t)n > most))
		take_fail(t, AMBIT_MALFORMED, key, "not a count in its range");
	return t->rc == 0 ? (uint64_t)n : 0;
}

int take_small(struct take *t, const json_t *from, const char *key, int most)
{
	return json_is_null(member(t, from, key)) ? -1 : (int)take_count(t, from, key, (uint64_t)most);
}

uint64_t take_limit(struct take *t, const json_t *from, const char *key)
{
	return json_is_null(member(t, from, key)) ? 0 : take_count(t, from, key, INT64_MAX);
}

bool take_bool(struct take *t, const json_t *from, const char *key)
{
	const json_t *v = member(t, from, key);

	if (v != NULL && !json_is_boolean(v))
		take_fail(t, AMBIT_MALFORMED, key, "not true or false");
	return json_is_true(v);
}

static bool has_nul(const json_t *text)
{
	return strlen(json_string_value(text)) != json_string_length(text);
}

const char *take_text(struct take *t, const json_t *from, const char *key, bool may_be_null)
{
	const json_t *v = member(t, from, key);

	if (v == NULL || (may_be_null && json_is_null(v)))
		return NULL;
	if (!json_is_string(v) || has_nul(v))
		take_fail(t, AMBIT_MALFORMED, key, "not a text");
	return t->rc == 0 ? json_string_value(v) : NULL;
}

size_t take_word(struct take *t, const json_t *from, const char *key, const char *const *words, size_t n)
{
	const char *text = take_text(t, from, key, false);

	for (size_t i = 0; text != NULL && i < n; i++)
		if (words[i] != NULL && strcmp(words[i], text) == 0)
			return i;
	take_fail(t, AMBIT_MALFORMED, key, "not a word that this version knows");
	return 0;
}

static char *name_of_b64(struct take *t, const json_t *text, const char *key)
{
	auto_buf bytes;

	buf_init(&bytes, json_string_length(text) + 1);
	if (!json_is_string(text) || !base64_take(&bytes, json_string_value(text), json_string_length(text)))
		take_fail(t, AMBIT_MALFORMED, key, "not base64");
	else if (bytes.len > 0 && memchr(bytes.data, 0, bytes.len) != NULL)
		take_fail(t, AMBIT_MALFORMED, key, "a name with a NUL");
	else
		return strndup(bytes.len > 0 ? (const char *)bytes.data : "", bytes.len);
	return NULL;
}

static char *name_of_text(struct take *t, const json_t *text, const char *key)
{
	if (json_is_string(text) && !has_nul(text))
		return strdup(json_string_value(text));
	take_fail(t, AMBIT_MALFORMED, key, "not a name");
	return NULL;
}

char *take_name(struct take *t, const json_t *name, const char *key, bool may_be_null, size_t most)
{
	char *copy;

	if (t->rc != 0 || (may_be_null && json_is_null(name)))
		return NULL;
	copy = json_is_object(name) ? name_of_b64(t, json_object_get(name, "b64"), key) : name_of_text(t, name, key);
	if (copy == NULL)
		take_fail(t, AMBIT_MEMORY, key, "no memory");
	else if (strlen(copy) >= most)
		take_fail(t, AMBIT_LIMIT, key, "longer than it may be");
	if (t->rc == 0)
		return copy;
	free(copy);
	return NULL;
}

uint64_t take_time(struct take *t, const json_t *from, const char *key)
{
	const char *text = take_text(t, from, key, true);
	uint64_t ms;

	if (text == NULL)
		return 0;
	if (timestamp_read(text, strlen(text), &ms) && ms <= UINT64_MAX / NS_PER_MS) /* nanoseconds end in 2554 */
		return ms * NS_PER_MS;
	take_fail(t, AMBIT_MALFORMED, key, "not a time");
	return 0;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != 0 ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

bool take_hex(struct take *t, const json_t *from, const char *key, uint8_t *ret, size_t n)
{
	const char *text = take_text(t, from, key, false);
	bool whole = text != NULL && strlen(text) == 2 * n;

	for (size_t i = 0; whole && i < n; i++) {
		const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		whole = high >= 0 && low >= 0;
		ret[i] = (uint8_t)(whole ? high << 4 | low : 0); /* two digits: just checked */
	}
	if (text != NULL && !whole)
		take_fail(t, AMBIT_MALFORMED, key, "not a digest of 64 hexadecimal digits");
	return whole;
}

/* A code of a later version is still a refusal. */
static enum ambit_code code_of(const char *name)
{
	static const char *const names[] = {
#define CODE_NAME(n, number, text, exit_status, rpc) [AMBIT_##n] = #n,
		AMBIT_CODES(CODE_NAME)
#undef CODE_NAME
	};

	for (size_t i = 1; name != NULL && i < sizeof names / sizeof names[0]; i++)
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return (enum ambit_code)i;
	return AMBIT_INTERNAL;
}

void take_error(struct take *t, const json_t *holder, const char *in, struct err *ret)
{
	const json_t *from = json_object_get(holder, "error");
	auto_free char *message = NULL, *why = NULL, *hint = NULL;
	enum ambit_code code;

	if (t->rc != 0 || json_is_null(from))
		return;
	t->in = in;
	message = take_name(t, json_object_get(from, "message"), "message", false, ERR_MSG_MAX);
	why = json_object_get(from, "why") == NULL
		      ? NULL
		      : take_name(t, json_object_get(from, "why"), "why", true, ERR_WHY_MAX);
	hint = take_name(t, json_object_get(from, "hint"), "hint", true, ERR_HINT_MAX);
	code = code_of(take_text(t, from, "code", false));
	if (t->rc == 0)
		(void)err_why(ret, err_set(ret, code, hint, "%s", message), "%s", why != NULL ? why : "");
}
