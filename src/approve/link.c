#include "approve/link.h"

#include <string.h>

#include "base/text.h"
#include "secret/link.h"

_Static_assert(APPROVE_NAME_MAX == SECRET_NAME_MAX, "keys are called as secrets are");

bool approve_name_is_good(const char *name)
{
	return secret_name_is_good(name);
}

int approve_name_check(const char *name, struct err *e)
{
	char shown[2 * APPROVE_NAME_MAX];

	if (approve_name_is_good(name))
		return 0;
	return err_set(e, AMBIT_MALFORMED, "letters, digits, and . _ - within, 63 at most: laptop, yubikey.2",
		       "no key can be called '%s'", text_escape(shown, sizeof shown, name, strlen(name)));
}

size_t approve_sources_count(uint8_t sources)
{
	if ((sources & ~(APPROVE_TERMINAL | APPROVE_PIPE | APPROVE_AGENT)) != 0 ||
	    (sources & (APPROVE_TERMINAL | APPROVE_PIPE)) == (APPROVE_TERMINAL | APPROVE_PIPE))
		return 0;
	return (size_t)__builtin_popcount(sources);
}

static void put_statement(struct buf *out, const struct statement *s)
{
	uint8_t room[STATEMENT_MAX];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	statement_put(&text, s);
	out->failed = out->failed || text.failed;
	buf_put_bytes(out, room, text.len);
}

static struct span take_bytes(struct rbuf *in, size_t max)
{
	const uint32_t n = rbuf_u32(in);
	const uint8_t *at = n <= max ? rbuf_bytes(in, n) : NULL;

	in->failed = in->failed || at == NULL;
	return at == NULL ? (struct span){ .at = NULL } : span_bytes(at, n);
}

static bool take_statement(struct rbuf *in, struct statement *ret)
{
	return statement_take(take_bytes(in, STATEMENT_MAX), ret, NULL) == 0;
}

void approve_put_enroll(struct buf *out, const struct approve_enroll *q)
{
	buf_put_u8(out, q->sources);
	buf_put_str(out, q->name);
	buf_put_str(out, q->agent);
}

bool approve_take_enroll(struct rbuf *in, struct approve_enroll *ret)
{
	ret->sources = rbuf_u8(in);
	rbuf_str(in, ret->name, sizeof ret->name);
	rbuf_str(in, ret->agent, sizeof ret->agent);
	return rbuf_done(in) && approve_name_is_good(ret->name) && approve_sources_count(ret->sources) == 1 &&
	       (ret->sources == APPROVE_AGENT) == (ret->agent[0] != 0);
}

void approve_put_ask(struct buf *out, const struct approve_ask *q)
{
	buf_put_u8(out, q->sources);
	buf_put_str(out, q->name);
	put_statement(out, &q->statement);
}

bool approve_take_ask(struct rbuf *in, struct approve_ask *ret)
{
	ret->sources = rbuf_u8(in);
	rbuf_str(in, ret->name, sizeof ret->name);
	return take_statement(in, &ret->statement) && rbuf_done(in) && approve_name_is_good(ret->name) &&
	       (ret->sources == 0 || approve_sources_count(ret->sources) > 0);
}

void approve_put_check(struct buf *out, const struct approve_check *q)
{
	buf_put_u32(out, q->n_keys);
	for (uint32_t i = 0; i < q->n_keys; i++)
		buf_put(out, q->keys[i], sizeof q->keys[i]);
	put_statement(out, &q->statement);
	buf_put_bytes(out, q->signature.bytes, q->signature.n);
}

bool approve_take_check(struct rbuf *in, struct approve_check *ret)
{
	struct span signature;

	ret->n_keys = rbuf_u32(in);
	if (ret->n_keys > APPROVE_KEYS_MAX)
		return false;
	for (uint32_t i = 0; i < ret->n_keys; i++) {
		const uint8_t *at = rbuf_bytes(in, sizeof ret->keys[i]);

		if (at == NULL)
			return false;
		memcpy(ret->keys[i], at, sizeof ret->keys[i]);
	}
	if (!take_statement(in, &ret->statement))
		return false;
	signature = take_bytes(in, sizeof ret->signature.bytes);
	if (!rbuf_done(in) || signature.at == NULL)
		return false;
	ret->signature.n = (uint32_t)signature.len; /* fits */
	memcpy(ret->signature.bytes, signature.at, signature.len);
	return true;
}

void approve_put_key(struct buf *out, const struct approve_key *k)
{
	buf_put_u8(out, k->kind);
	buf_put_u64(out, k->made_ms);
	buf_put_str(out, k->name);
	buf_put_str(out, k->fingerprint);
	buf_put(out, k->key, sizeof k->key);
	buf_put_str(out, k->why);
}

bool approve_take_key(struct rbuf *in, struct approve_key *ret)
{
	const uint8_t *key;

	ret->kind = rbuf_u8(in);
	ret->made_ms = rbuf_u64(in);
	rbuf_str(in, ret->name, sizeof ret->name);
	rbuf_str(in, ret->fingerprint, sizeof ret->fingerprint);
	key = rbuf_bytes(in, sizeof ret->key);
	rbuf_str(in, ret->why, sizeof ret->why);
	if (key == NULL || !rbuf_done(in) || ret->kind > APPROVE_BY_AGENT || !approve_name_is_good(ret->name) ||
	    (ret->kind == 0) != (ret->why[0] != 0))
		return false;
	memcpy(ret->key, key, sizeof ret->key);
	return true;
}
