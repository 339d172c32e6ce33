#include "sign/request.h"

#define USERAUTH_REQUEST 50
#define SERVICE "ssh-connection"

void request_put(struct buf *out, const struct request *q)
{
	ssh_put_string(out, q->session);
	buf_put_u8(out, USERAUTH_REQUEST);
	ssh_put_string(out, span_of(q->user));
	ssh_put_string(out, span_of(SERVICE));
	ssh_put_string(out, span_of(sign_method_name(q->method)));
	buf_put_u8(out, 1); /* with a signature */
	ssh_put_string(out, span_of(algorithm_name(q->algorithm)));
	ssh_put_string(out, q->key);
	if (q->method == SIGN_HOSTBOUND)
		ssh_put_string(out, q->host_key);
}

void request_put_ask(struct buf *out, struct span key, struct span data, uint32_t flags)
{
	buf_put_be32(out, (uint32_t)(1 + 4 + key.len + 4 + data.len + 4)); /* each is short */
	buf_put_u8(out, AGENT_ASKS_SIGN);
	ssh_put_string(out, key);
	ssh_put_string(out, data);
	buf_put_be32(out, flags);
}

void request_put_message(struct buf *out, const struct request *q)
{
	uint8_t room[REQUEST_MESSAGE_MAX];
	struct buf data;

	buf_init_in(&data, room, sizeof room);
	request_put(&data, q);
	request_put_ask(out, q->key, span_bytes(data.data, data.len), algorithm_flags(q->algorithm));
	out->failed = out->failed || data.failed;
}
