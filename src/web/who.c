/* Whose request it is. */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "web/web.h"

bool who_is_same(const struct who *a, const struct who *b)
{
	return memcmp(a->id, b->id, sizeof a->id) == 0;
}

static bool refuse(struct no *no, const char *error, const char *why)
{
	(void)no_set(no, 401, NO_HTTP, "Authorization: Bearer TOKEN", "%s", why);
	no->err.code = AMBIT_DENIED;
	no->challenged = true;
	no->error = error;
	return false;
}

/* 1, 0: there is none. -1: it is there twice, or of another kind. */
static int find_token(const struct http_head *h, struct http_text *ret)
{
	static const char scheme[] = "Bearer ";
	int n = 0;

	for (uint32_t i = 0; i < h->n_fields; i++)
		if (http_text_is(&h->fields[i].name, "authorization") && ++n == 1)
			*ret = h->fields[i].value;
	if (n != 1)
		return n == 0 ? 0 : -1;
	if (ret->n < sizeof scheme || strncasecmp(ret->at, scheme, sizeof scheme - 1) != 0)
		return -1;
	*ret = http_trimmed(ret->at + sizeof scheme - 1, ret->n - (sizeof scheme - 1));
	return ret->n > 0 ? 1 : -1;
}

/* Digests are compared, and all of them: what a comparison takes says nothing of the token. */
static bool is_the_token(const struct web *w, const struct http_text *token)
{
	uint8_t digest[SHA256_BYTES], differs = 0;
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, token->at, token->n);
	sha256_end(&s, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		differs |= digest[i] ^ w->rules.token[i];
	return differs == 0;
}

static bool by_issuer(const struct web *w, const struct http_text *token, struct who *ret, struct no *no)
{
	const struct jwt_rules rules = { .issuer = w->rules.issuer,
					 .audience = w->rules.audience,
					 .scope = w->rules.scope,
					 .keys = &w->keys,
					 .now_s = (uint64_t)time(NULL) };
	const char *why;
	struct jwt jwt;

	switch (jwt_check(token->at, token->n, &rules, &jwt, &why)) {
	case JWT_GOOD:
		memcpy(ret->id, jwt.who, sizeof ret->id);
		ret->until_s = jwt.until_s;
		return true;
	case JWT_NARROW:
		(void)refuse(no, "insufficient_scope", "the token has not the scope that is wanted");
		no->status = 403;
		return false;
	case JWT_BAD: break;
	}
	(void)refuse(no, "invalid_token", "the token is refused");
	(void)err_set(&no->err, AMBIT_DENIED, "get another of the issuer", "the token is refused: %s", why);
	return false;
}

bool who_is(const struct web *w, const struct http_head *h, struct who *ret, struct no *no)
{
	struct http_text token = { .n = 0 };
	int n;

	*ret = (struct who){ .until_s = 0 };
	if (w->rules.auth == WEB_AUTH_NONE)
		return true;
	n = find_token(h, &token);
	if (n <= 0)
		return refuse(no, n == 0 ? NULL : "invalid_request", "a token is wanted");
	if (w->rules.auth == WEB_AUTH_OAUTH)
		return by_issuer(w, &token, ret, no);
	return is_the_token(w, &token) || refuse(no, "invalid_token", "the token is refused");
}
