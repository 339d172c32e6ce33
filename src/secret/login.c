#include "secret/login.h"

#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

_Static_assert(LOGIN_TEXT_MAX <= SECRET_LOGIN_MAX, "terms fit into a row");
_Static_assert(LOGIN_TEXT_MAX + LOGIN_TOKENS_MAX <= SECRET_VALUE_MAX, "all of it fits into a value");

#define NONE "-" /* in place of a word that is not there */

bool login_is_word(const char *text)
{
	for (const char *at = text; *at != 0; at++)
		if (*at < 0x21 || *at > 0x7e)
			return false;
	return *text != 0;
}

/* The next word, and what is behind its blank; the last one ends with the text. */
static bool word(const char **at, const char *end, bool is_last, char *ret, size_t size)
{
	const char *blank = memchr(*at, ' ', (size_t)(end - *at));
	const size_t n = (size_t)((blank != NULL ? blank : end) - *at);

	if ((blank == NULL) != is_last || n == 0 || n >= size)
		return false;
	memcpy(ret, *at, n);
	ret[n] = 0;
	*at += n + (is_last ? 0 : 1);
	return strlen(ret) == n && login_is_word(ret);
}

static void none_is_empty(char *text)
{
	if (strcmp(text, NONE) == 0)
		text[0] = 0;
}

void login_terms_put(struct buf *out, const struct login_terms *t)
{
	buf_printf(out, "%s %s %s %s", t->token_url, t->resource, t->client,
		   t->client_secret[0] != 0 ? t->client_secret : NONE);
}

bool login_terms_take(const char *text, size_t n, struct login_terms *ret)
{
	const char *at = text, *end = text + n;
	const bool ok = word(&at, end, false, ret->token_url, sizeof ret->token_url) &&
			word(&at, end, false, ret->resource, sizeof ret->resource) &&
			word(&at, end, false, ret->client, sizeof ret->client) &&
			word(&at, end, true, ret->client_secret, sizeof ret->client_secret);

	if (!ok)
		return false;
	none_is_empty(ret->client_secret);
	return ret->client_secret[0] == 0 || secret_name_is_good(ret->client_secret);
}

void login_tokens_put(struct buf *out, const struct login_tokens *t)
{
	buf_printf(out, "%" PRIu64 " %s %s", t->expires, t->access, t->refresh[0] != 0 ? t->refresh : NONE);
}

bool login_tokens_take(const char *text, size_t n, struct login_tokens *ret)
{
	const char *at = text, *end = text + n;
	char number[24];
	const bool ok = word(&at, end, false, number, sizeof number) &&
			parse_u64(number, 0, UINT64_MAX / 2, &ret->expires) &&
			word(&at, end, false, ret->access, sizeof ret->access) &&
			word(&at, end, true, ret->refresh, sizeof ret->refresh);

	if (ok)
		none_is_empty(ret->refresh);
	return ok;
}

void login_value_put(struct buf *out, const struct login_terms *terms, const struct login_tokens *tokens)
{
	login_terms_put(out, terms);
	buf_put_u8(out, ' ');
	login_tokens_put(out, tokens);
}

bool login_value_take(const char *text, size_t n, struct login_terms *ret_terms, struct login_tokens *ret_tokens)
{
	size_t at = 0;

	for (unsigned words = 0; at < n; at++) {
		words += text[at] == ' ';
		if (words == 4)
			break;
	}
	return at < n && login_terms_take(text, at, ret_terms) &&
	       login_tokens_take(text + at + 1, n - at - 1, ret_tokens);
}

bool login_is_refresh(const char *name, char ret[SECRET_NAME_MAX])
{
	const size_t n = strlen(name), m = strlen(LOGIN_REFRESH);

	if (n <= m || n >= SECRET_NAME_MAX || strcmp(name + n - m, LOGIN_REFRESH) != 0)
		return false;
	memcpy(ret, name, n - m);
	ret[n - m] = 0;
	return secret_name_is_good(ret);
}
