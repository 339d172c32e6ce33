#include "ssh/agent.h"

#include <string.h>

#include "sign/request.h"
#include "sign/sshtext.h"

#define USERAUTH_REQUEST 50

/* ---- to sign ---- */

static bool take_method(struct rbuf *in, enum sign_method *ret)
{
	const struct span name = ssh_string(in);

	for (enum sign_method m = 0; m < SIGN_METHODS; m++) {
		*ret = m;
		if (span_equal(name, span_of(sign_method_name(m))))
			return true;
	}
	return false;
}

/* RFC 4252, section 7; in the order in which it stands. */
static bool take_request(struct span data, struct agent_message *ret)
{
	struct rbuf in = ssh_within(data);
	struct span service, key;

	ret->session = ssh_string(&in);
	if (rbuf_u8(&in) != USERAUTH_REQUEST || !sign_is_session(ret->session.len))
		return false;
	ret->user = ssh_string(&in);
	service = ssh_string(&in);
	if (!span_equal(service, span_of("ssh-connection")) || !take_method(&in, &ret->method) || rbuf_u8(&in) != 1)
		return false;
	ret->algorithm = algorithm_find(ssh_string(&in));
	key = ssh_string(&in);
	if (ret->method == SIGN_HOSTBOUND)
		ret->host_key = ssh_string(&in);
	return rbuf_done(&in) && ret->algorithm != ALGORITHM_NONE && span_equal(key, ret->key);
}

static bool take_sign(struct rbuf *in, struct agent_message *ret)
{
	struct span data;
	uint32_t flags;

	ret->key = ssh_string(in);
	data = ssh_string(in);
	flags = ssh_u32(in);
	return rbuf_done(in) && take_request(data, ret) && flags == algorithm_flags(ret->algorithm) &&
	       strcmp(algorithm_key(ret->algorithm), algorithm_key(algorithm_of_key(ret->key))) == 0;
}

/* ---- to bind ---- */

/* Two numbers, each in half of the proof. */
static bool take_pair(struct span text, size_t half, struct agent_message *ret)
{
	struct rbuf in = ssh_within(text);

	ret->proof_n = (uint32_t)(2 * half); /* half is at most 66 */
	return ssh_number(&in, ret->proof, half) && ssh_number(&in, ret->proof + half, half) && rbuf_done(&in);
}

static bool take_proof(struct span signature, struct agent_message *ret)
{
	struct rbuf in = ssh_within(signature);
	struct span bytes;

	ret->proof_algorithm = algorithm_find(ssh_string(&in));
	bytes = ssh_string(&in);
	if (!rbuf_done(&in) || !algorithm_proves(ret->proof_algorithm))
		return false;
	if (algorithm_half(ret->proof_algorithm) != 0)
		return take_pair(bytes, algorithm_half(ret->proof_algorithm), ret);
	if (bytes.len == 0 || bytes.len > sizeof ret->proof)
		return false;
	ret->proof_n = (uint32_t)bytes.len; /* at most SIGN_PROOF_MAX */
	memcpy(ret->proof, bytes.at, bytes.len);
	return true;
}

static bool take_bind(struct rbuf *in, struct agent_message *ret)
{
	struct span signature;
	uint8_t forwards;

	if (!span_equal(ssh_string(in), span_of("session-bind@openssh.com")))
		return false;
	ret->host_key = ssh_string(in);
	ret->session = ssh_string(in);
	signature = ssh_string(in);
	forwards = rbuf_u8(in);
	ret->forwards = forwards != 0;
	return rbuf_done(in) && sign_is_session(ret->session.len) && take_proof(signature, ret);
}

void agent_take(struct span body, struct agent_message *ret)
{
	struct rbuf in = ssh_within(body);
	const uint8_t kind = rbuf_u8(&in);
	enum agent_kind taken = AGENT_OTHER;

	memset(ret, 0, sizeof *ret);
	if (kind == AGENT_ASKS_LIST && rbuf_done(&in))
		taken = AGENT_LISTS;
	else if (kind == AGENT_ASKS_SIGN && take_sign(&in, ret))
		taken = AGENT_SIGNS;
	else if (kind == AGENT_ASKS_EXTENSION && take_bind(&in, ret))
		taken = AGENT_BINDS;
	ret->kind = taken;
}
