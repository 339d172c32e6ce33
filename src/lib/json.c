#include "lib/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/text.h"

#define COUNT_MAX ((UINT64_C(1) << 53) - 1)
#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define YEAR_10000_S UINT64_C(253402300800) /* no four digits hold it */

void json_put(json_t **object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(*object, key, value) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

void json_add(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) == 0)
		return;
	json_decref(*array);
	*array = NULL;
}

json_t *json_word(const char *s)
{
	return s != NULL ? json_string(s) : json_null();
}

static json_t *b64(const void *bytes, size_t n)
{
	json_t *o = json_object();
	auto_buf text = { .max = 0 };

	buf_init(&text, BASE64_LEN(n));
	base64_put(&text, bytes, n);
	json_put(&o, "b64", text.failed ? NULL : json_stringn((const char *)text.data, text.len));
	return o;
}

static json_t *text_or_b64(const void *bytes, size_t n)
{
	if (n == 0)
		return json_string("");
	return text_is_utf8(bytes, n, NULL) ? json_stringn_nocheck(bytes, n) : b64(bytes, n);
}

json_t *json_name(const char *s)
{
	return s != NULL ? text_or_b64(s, strlen(s)) : json_null();
}

/* How many bytes JSON needs for it: a quote, a backslash and five controls take two, the other controls six. */
static size_t text_size(const uint8_t *s, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\' || (s[i] >= 8 && s[i] <= 13 && s[i] != 11))
			size += 2;
		else
			size += s[i] < 0x20 ? 6 : 1;
	}
	return size;
}

json_t *json_bytes(const void *bytes, size_t n)
{
	return n > 0 && text_size(bytes, n) > BASE64_LEN(n) ? b64(bytes, n) : text_or_b64(bytes, n);
}

json_t *json_count(uint64_t n)
{
	return json_integer((json_int_t)(n < COUNT_MAX ? n : COUNT_MAX));
}

json_t *json_time(uint64_t ns)
{
	const time_t seconds = (time_t)(ns / NS_PER_S); /* fits: below 2^35 */
	char text[32];
	struct tm tm;
	size_t n;

	if (ns == 0 || ns / NS_PER_S >= YEAR_10000_S || gmtime_r(&seconds, &tm) == NULL)
		return json_null();
	n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof text - n, ".%03uZ", (unsigned int)(ns % NS_PER_S / NS_PER_MS));
	return json_string(text);
}
