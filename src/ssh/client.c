#include "ssh/client.h"

#include <string.h>

#include "sign/request.h"
#include "sign/sshtext.h"

#define LENGTH 4

void client_init(struct client *c)
{
	memset(c, 0, sizeof *c);
	buf_init(&c->answer, CLIENT_ANSWER_MAX);
}

void client_finish(struct client *c)
{
	buf_finish(&c->answer);
}

static uint32_t length_of(const struct client *c)
{
	struct rbuf in;

	rbuf_init(&in, c->room, c->n);
	return ssh_u32(&in);
}

size_t client_wants(const struct client *c)
{
	if (c->n < LENGTH)
		return LENGTH - c->n;
	/* what is too long, or of no length, is seen as it stands */
	return length_of(c) > sizeof c->room - LENGTH || length_of(c) == 0 ? 0 : LENGTH + length_of(c) - c->n;
}

/* ---- answers ---- */

static void answer(struct client *c, uint8_t kind)
{
	buf_put_be32(&c->answer, 1);
	buf_put_u8(&c->answer, kind);
}

static void answer_list(struct client *c, const struct knowledge *known)
{
	size_t n = 1 + 4;

	for (uint32_t i = 0; i < known->n_keys; i++)
		n += 4 + known->keys[i].n + 4;
	buf_put_be32(&c->answer, (uint32_t)n); /* at most CLIENT_ANSWER_MAX */
	buf_put_u8(&c->answer, AGENT_LIST);
	buf_put_be32(&c->answer, known->n_keys);
	for (uint32_t i = 0; i < known->n_keys; i++) {
		ssh_put_string(&c->answer, span_bytes(known->keys[i].blob, known->keys[i].n));
		ssh_put_string(&c->answer, span_of("")); /* a comment tells of the person */
	}
}

void client_signed(struct client *c, const uint8_t *signature, size_t n)
{
	if (n == 0) {
		answer(c, AGENT_FAILURE);
		return;
	}
	buf_put_be32(&c->answer, (uint32_t)(1 + 4 + n)); /* at most SIGN_SIGNATURE_MAX */
	buf_put_u8(&c->answer, AGENT_SIGNATURE);
	ssh_put_string(&c->answer, span_bytes(signature, n));
}

/* ---- decisions ---- */

static bool is_key(const struct sign_key *k, struct span blob)
{
	return span_equal(span_bytes(k->blob, k->n), blob);
}

static bool is_known_host(const struct knowledge *known, struct span blob)
{
	for (uint32_t i = 0; i < known->n_hosts; i++)
		if (is_key(&known->hosts[i], blob))
			return true;
	return false;
}

/* Once, and to no session that somebody else is to use. */
static bool bind_to(struct client *c, const struct knowledge *known, const struct agent_message *m)
{
	c->ends = c->bound || m->forwards;
	if (c->ends || !is_known_host(known, m->host_key) || m->host_key.len > sizeof c->held)
		return false;
	memcpy(c->held, m->host_key.at, m->host_key.len);
	c->host_key = span_bytes(c->held, m->host_key.len);
	c->binding.session_n = (uint32_t)m->session.len; /* sign_is_session */
	memcpy(c->binding.session, m->session.at, m->session.len);
	c->binding.proof_algorithm = (uint32_t)m->proof_algorithm;
	c->binding.proof_n = m->proof_n;
	memcpy(c->binding.proof, m->proof, m->proof_n);
	c->bound = true;
	return true;
}

/* The grant of this user and a host with this key. */
static bool find_grant(const struct client *c, const struct knowledge *known, struct span user, struct sign_ask *ret)
{
	for (uint32_t i = 0; i < known->n_hosts; i++) {
		const uint32_t grant = known->hosts[i].grant;

		if (!is_key(&known->hosts[i], c->host_key) || !span_equal(user, span_of(known->grants[grant].user)))
			continue;
		ret->grant = grant;
		ret->host = i;
		return true;
	}
	return false;
}

static bool find_key(const struct knowledge *known, struct span blob, uint32_t *ret)
{
	for (*ret = 0; *ret < known->n_keys; ++*ret)
		if (is_key(&known->keys[*ret], blob))
			return true;
	return false;
}

static bool may_ask(const struct client *c, const struct knowledge *known, const struct agent_message *m,
		    struct sign_ask *ret)
{
	if (!c->bound || !span_equal(m->session, span_bytes(c->binding.session, c->binding.session_n)) ||
	    (m->method == SIGN_HOSTBOUND && !span_equal(m->host_key, c->host_key)))
		return false;
	*ret = c->binding;
	ret->algorithm = (uint32_t)m->algorithm;
	ret->method = (uint32_t)m->method;
	return find_grant(c, known, m->user, ret) && find_key(known, m->key, &ret->key);
}

enum client_next client_serve(struct client *c, const struct knowledge *known, struct sign_ask *ret)
{
	const uint32_t n = length_of(c);
	struct agent_message m;
	bool asks = false;

	if (n == 0 || n > sizeof c->room - LENGTH)
		return CLIENT_BROKEN;
	agent_take(span_bytes(c->room + LENGTH, n), &m);
	switch (m.kind) {
	case AGENT_LISTS: answer_list(c, known); break;
	case AGENT_BINDS: answer(c, bind_to(c, known, &m) ? AGENT_SUCCESS : AGENT_FAILURE); break;
	case AGENT_SIGNS:
		asks = may_ask(c, known, &m, ret);
		if (!asks)
			answer(c, AGENT_FAILURE);
		break;
	case AGENT_OTHER: answer(c, AGENT_FAILURE); break;
	}
	c->n = 0;
	return c->answer.failed ? CLIENT_BROKEN : asks ? CLIENT_ASKS : CLIENT_READS;
}
