#include "audit/body.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "core/grant.h"

bool body_take_name(struct canonical_value v, char *ret, size_t size)
{
	char text[BASE64_LEN(GRANT_OBJECT_MAX) + 1];
	struct canonical_value b64;
	struct buf bytes;

	if (canonical_string(v, ret, size))
		return true;
	buf_init_in(&bytes, ret, size - 1);
	if (!canonical_find(v, "b64", &b64) || !canonical_string(b64, text, sizeof text) ||
	    !base64_take(&bytes, text, strlen(text)) || memchr(ret, 0, bytes.len) != NULL) {
		ret[0] = 0;
		return false;
	}
	ret[bytes.len] = 0;
	return true;
}

bool body_find_name(struct canonical_value body, const char *key, char *ret, size_t size)
{
	struct canonical_value v;

	ret[0] = 0;
	return canonical_find(body, key, &v) && body_take_name(v, ret, size);
}

bool body_find_bool(struct canonical_value body, const char *key, bool *ret)
{
	struct canonical_value v = { .n = 0 };

	*ret = canonical_find(body, key, &v) && canonical_is(v, "true");
	return *ret || canonical_is(v, "false");
}

bool body_find_word(struct canonical_value body, const char *key, char *ret, size_t size)
{
	struct canonical_value v;

	ret[0] = 0;
	return canonical_find(body, key, &v) && canonical_string(v, ret, size);
}

bool body_find_count(struct canonical_value body, const char *key, uint64_t *ret)
{
	struct canonical_value v;

	*ret = 0;
	return canonical_find(body, key, &v) && canonical_count(v, ret);
}

bool body_is(struct canonical_value body, const char *key, const char *word)
{
	char text[64];

	return body_find_word(body, key, text, sizeof text) && strcmp(text, word) == 0;
}

void body_command(struct canonical_value body, char *ret, size_t size)
{
	struct canonical_value argv, word;
	struct buf text;
	size_t at = 0;

	buf_init_in(&text, ret, size - 1);
	if (!canonical_find(body, "argv", &argv))
		argv = (struct canonical_value){ .n = 0 };
	for (bool first = true; canonical_item(argv, &at, &word); first = false) {
		char shown[64], name[GRANT_OBJECT_MAX];

		if (!body_take_name(word, name, sizeof name))
			(void)text_copy(name, sizeof name, "...");
		(void)text_escape(shown, sizeof shown, name, strlen(name));
		if (text.len + strlen(shown) + 5 > text.max) {
			buf_put(&text, " ...", 4);
			break;
		}
		buf_printf(&text, "%s%s", first ? "" : " ", shown);
	}
	ret[text.len] = 0;
}
