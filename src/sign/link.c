#include "sign/link.h"

#include <string.h>

static bool is_whole(const struct rbuf *in)
{
	return !in->failed && rbuf_left(in) == 0;
}

/* A length, and what is behind it. */
static bool take_bytes(struct rbuf *in, uint32_t *ret_n, uint8_t *ret, size_t most)
{
	const uint32_t n = rbuf_u32(in);
	const uint8_t *bytes = n <= most ? rbuf_bytes(in, n) : NULL;

	if (bytes == NULL)
		return false;
	memcpy(ret, bytes, n);
	*ret_n = n;
	return is_whole(in);
}

void sign_put_grant(struct buf *out, const struct sign_grant *g)
{
	buf_put_u32(out, g->index);
	buf_put_str(out, g->user);
	buf_put_str(out, g->host);
}

bool sign_take_grant(struct rbuf *in, struct sign_grant *ret)
{
	ret->index = rbuf_u32(in);
	rbuf_str(in, ret->user, sizeof ret->user);
	rbuf_str(in, ret->host, sizeof ret->host);
	return is_whole(in) && ret->index < SIGN_GRANTS_MAX && ret->user[0] != 0 && ret->host[0] != 0;
}

void sign_put_key(struct buf *out, const struct sign_key *k)
{
	buf_put_u32(out, k->grant);
	buf_put_bytes(out, k->blob, k->n);
}

bool sign_take_key(struct rbuf *in, struct sign_key *ret)
{
	ret->grant = rbuf_u32(in);
	return take_bytes(in, &ret->n, ret->blob, sizeof ret->blob) && ret->grant < SIGN_GRANTS_MAX &&
	       algorithm_of_key(span_bytes(ret->blob, ret->n)) != ALGORITHM_NONE;
}

const char *sign_method_name(enum sign_method m)
{
	return m == SIGN_HOSTBOUND ? "publickey-hostbound-v00@openssh.com" : "publickey";
}

void sign_put_ask(struct buf *out, const struct sign_ask *a)
{
	const uint32_t numbers[] = { a->client, a->grant,           a->host,      a->key,    a->algorithm,
				     a->method, a->proof_algorithm, a->session_n, a->proof_n };

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		buf_put_u32(out, numbers[i]);
	buf_put(out, a->session, sizeof a->session);
	buf_put(out, a->proof, sizeof a->proof);
}

bool sign_is_session(size_t n)
{
	return n == 20 || n == 32 || n == 48 || n == 64;
}

static bool ask_is_good(const struct sign_ask *a)
{
	return a->grant < SIGN_GRANTS_MAX && a->host < SIGN_HOSTS_MAX && a->key < SIGN_KEYS_MAX &&
	       a->algorithm > ALGORITHM_NONE && a->algorithm < ALGORITHM_COUNT && a->method < SIGN_METHODS &&
	       a->proof_algorithm < ALGORITHM_COUNT && algorithm_proves(a->proof_algorithm) &&
	       sign_is_session(a->session_n) && a->proof_n > 0 && a->proof_n <= SIGN_PROOF_MAX;
}

bool sign_take_ask(struct rbuf *in, struct sign_ask *ret)
{
	uint32_t *const numbers[] = {
		&ret->client, &ret->grant,           &ret->host,      &ret->key,    &ret->algorithm,
		&ret->method, &ret->proof_algorithm, &ret->session_n, &ret->proof_n
	};
	const uint8_t *session, *proof;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		*numbers[i] = rbuf_u32(in);
	session = rbuf_bytes(in, sizeof ret->session);
	proof = rbuf_bytes(in, sizeof ret->proof);
	if (!is_whole(in) || !ask_is_good(ret))
		return false;
	memcpy(ret->session, session, sizeof ret->session);
	memcpy(ret->proof, proof, sizeof ret->proof);
	return true;
}

void sign_put_done(struct buf *out, const struct sign_done *d)
{
	buf_put_u32(out, d->client);
	buf_put_bytes(out, d->signature, d->n);
}

bool sign_take_done(struct rbuf *in, struct sign_done *ret)
{
	ret->client = rbuf_u32(in);
	return take_bytes(in, &ret->n, ret->signature, sizeof ret->signature);
}
