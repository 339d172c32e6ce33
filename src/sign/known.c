#include "sign/known.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/base64.h"

#define SHA1_BYTES 20

/* ---- names ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* `*` and `?`, as ssh has them. Goes back to the last star alone, which is enough. */
static bool is_like(struct span pattern, const char *name)
{
	size_t i = 0, star = SIZE_MAX;
	const char *from = name;

	while (*name != 0) {
		if (i < pattern.len && pattern.at[i] == '*') {
			star = i++;
			from = name;
		} else if (i < pattern.len && (pattern.at[i] == '?' || lower(pattern.at[i]) == lower(*name))) {
			i++;
			name++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			name = ++from;
		} else {
			return false;
		}
	}
	while (i < pattern.len && pattern.at[i] == '*')
		i++;
	return i == pattern.len;
}

/* |1|SALT|HASH */
static bool is_hash_of(struct span hash, const char *name)
{
	uint8_t salt[SHA1_BYTES], sum[SHA1_BYTES], own[SHA1_BYTES];
	struct span first;
	unsigned n = 0;

	return span_skip(&hash, "|1|") && span_until(&hash, '|', &first) && span_base64(first, salt, sizeof salt) &&
	       span_base64(hash, sum, sizeof sum) &&
	       HMAC(EVP_sha1(), salt, sizeof salt, (const unsigned char *)name, strlen(name), own, &n) != NULL &&
	       n == sizeof own && memcmp(own, sum, sizeof sum) == 0;
}

static struct span next_name(struct span *names)
{
	struct span name;

	if (!span_until(names, ',', &name)) {
		name = *names;
		*names = (struct span){ .at = NULL };
	}
	return name;
}

bool known_matches(struct span names, const char *host)
{
	bool found = false;

	if (names.len > 0 && names.at[0] == '|')
		return is_hash_of(names, host);
	while (names.len > 0) {
		struct span name = next_name(&names);
		const bool not = span_skip(&name, "!");

		if (name.len > 0 && is_like(name, host)) {
			if (not )
				return false; /* whatever else is there */
			found = true;
		}
	}
	return found;
}

/* ---- lines ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span next_word(struct span *line)
{
	struct span word = { .at = line->at };

	while (line->len > 0 && is_blank(*line->at)) {
		line->at++;
		line->len--;
	}
	word.at = line->at;
	while (line->len > 0 && !is_blank(*line->at)) {
		line->at++;
		line->len--;
		word.len++;
	}
	return word;
}

/* A key with which a host proves who it is, and of the type that stands before it. */
static bool take_key(struct span type, struct span text, struct sign_key *ret)
{
	struct buf blob;
	enum algorithm a;

	buf_init_in(&blob, ret->blob, sizeof ret->blob);
	if (!base64_take(&blob, text.at, text.len))
		return false;
	ret->grant = 0;
	ret->n = (uint32_t)blob.len; /* at most SIGN_BLOB_MAX */
	a = algorithm_of_key(span_bytes(ret->blob, ret->n));
	return algorithm_proves(a) && span_equal(type, span_of(algorithm_key(a)));
}

static bool is_same(const struct sign_key *a, const struct sign_key *b)
{
	return a->n == b->n && memcmp(a->blob, b->blob, a->n) == 0;
}

static bool has(const struct sign_key *list, uint32_t n, const struct sign_key *k)
{
	for (uint32_t i = 0; i < n; i++)
		if (is_same(&list[i], k))
			return true;
	return false;
}

static bool add(struct sign_key *list, uint32_t *n, const struct sign_key *k)
{
	if (has(list, *n, k))
		return true;
	if (*n == KNOWN_MAX)
		return false;
	list[(*n)++] = *k;
	return true;
}

static bool read_line(struct known *k, struct span line, const char *host)
{
	struct span first = next_word(&line), names = first, type;
	const bool marked = first.len > 0 && first.at[0] == '@';
	struct sign_key key;

	if (first.len == 0 || first.at[0] == '#')
		return true;
	if (marked)
		names = next_word(&line);
	type = next_word(&line);
	if (!known_matches(names, host) || !take_key(type, next_word(&line), &key))
		return true;
	if (!marked)
		return add(k->key, &k->n, &key);
	return !span_equal(first, span_of("@revoked")) || add(k->revoked, &k->n_revoked, &key);
}

bool known_read(struct known *k, struct span text, const char *host)
{
	bool fits = true;

	while (text.len > 0 && fits) {
		struct span line;

		if (!span_until(&text, '\n', &line)) {
			line = text;
			text.len = 0;
		}
		fits = read_line(k, line, host);
	}
	return fits;
}

void known_settle(struct known *k)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < k->n; i++)
		if (!has(k->revoked, k->n_revoked, &k->key[i]))
			k->key[left++] = k->key[i];
	k->n = left;
}
