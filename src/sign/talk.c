#include "sign/talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "sign/sshtext.h"

#define NO_AGENT_HINT "start an agent and give it your key: eval $(ssh-agent); ssh-add"

/* Until the agent says something; end_ms 0: as long as it takes. */
static bool await(const struct talk *t, uint64_t end_ms)
{
	for (;;) {
		struct pollfd p[] = { { .fd = t->agent, .events = POLLIN }, { .fd = t->supervisor, .events = 0 } };
		const uint64_t now = clock_ms();
		const int left = end_ms == 0 ? -1 : now < end_ms ? (int)(end_ms - now) : 0; /* TALK_LIST_MS at most */
		const int n = poll(p, 2, left);

		if (n < 0 && errno == EINTR)
			continue;
		return n > 0 && p[1].revents == 0;
	}
}

static bool read_bytes(const struct talk *t, void *ret, size_t n, uint64_t end_ms)
{
	uint8_t *at = ret;

	while (n > 0) {
		const ssize_t got = await(t, end_ms) ? read(t->agent, at, n) : 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* What it answers, without its length. */
static bool ask(struct talk *t, const struct buf *message, uint64_t end_ms, struct span *ret)
{
	uint8_t room[1024], length[4];
	struct rbuf in;
	uint32_t left;

	if (message->failed || fd_write_all(t->agent, message->data, message->len) < 0 ||
	    !read_bytes(t, length, sizeof length, end_ms))
		return false;
	rbuf_init(&in, length, sizeof length);
	left = ssh_u32(&in);
	buf_reset(&t->answer);
	while (left > 0 && left <= TALK_ANSWER_MAX) {
		const size_t n = left < sizeof room ? left : sizeof room;

		if (!read_bytes(t, room, n, end_ms))
			return false;
		buf_put(&t->answer, room, n);
		left -= (uint32_t)n;
	}
	*ret = span_bytes(t->answer.data, t->answer.len);
	return left == 0 && !t->answer.failed && t->answer.len > 0;
}

/* ---- the list ---- */

static bool each_key(struct span body, talk_take *take, void *arg)
{
	struct rbuf in = ssh_within(body);
	const uint8_t kind = rbuf_u8(&in);
	const uint32_t n = ssh_u32(&in);

	for (uint32_t i = 0; i < n && !in.failed; i++) {
		const struct span blob = ssh_string(&in), comment = ssh_string(&in);

		if (!in.failed)
			take(arg, blob, comment);
	}
	return kind == AGENT_LIST && rbuf_done(&in);
}

struct listed {
	struct sign_key *keys;
	uint32_t *n;
};

static void take_key(void *arg, struct span blob, struct span comment)
{
	const struct listed *l = arg;
	struct sign_key *k = &l->keys[*l->n];

	(void)comment; /* which is nobody's to see */
	if (*l->n == SIGN_KEYS_MAX || blob.len > SIGN_BLOB_MAX || algorithm_of_key(blob) == ALGORITHM_NONE)
		return;
	k->grant = 0;
	k->n = (uint32_t)blob.len; /* at most SIGN_BLOB_MAX */
	memcpy(k->blob, blob.at, blob.len);
	++*l->n;
}

bool talk_take_list(struct span body, struct sign_key *ret, uint32_t *ret_n)
{
	struct listed l = { ret, ret_n };

	*ret_n = 0;
	return each_key(body, take_key, &l);
}

int talk_each(struct talk *t, talk_take *take, void *arg, struct err *e)
{
	uint8_t room[8];
	struct buf message;
	struct span body;

	buf_init_in(&message, room, sizeof room);
	buf_put_be32(&message, 1);
	buf_put_u8(&message, AGENT_ASKS_LIST);
	if (!ask(t, &message, clock_ms() + TALK_LIST_MS, &body) || !each_key(body, take, arg))
		return err_set(e, AMBIT_NOT_FOUND, NO_AGENT_HINT, "your ssh agent does not say which keys it has");
	return 0;
}

int talk_list(struct talk *t, struct sign_key *ret, uint32_t *ret_n, struct err *e)
{
	struct listed l = { ret, ret_n };
	int r;

	*ret_n = 0;
	r = talk_each(t, take_key, &l, e);
	if (r == 0 && *ret_n == 0)
		return err_set(e, AMBIT_NOT_FOUND, "give it one: ssh-add", "your ssh agent has no key");
	return r;
}

/* ---- signatures ---- */

static int take_signature(struct span body, struct sign_done *ret)
{
	struct rbuf in = ssh_within(body);
	const uint8_t kind = rbuf_u8(&in);
	const struct span signature = ssh_string(&in);

	if (kind != AGENT_SIGNATURE || !rbuf_done(&in) || signature.len == 0 || signature.len > SIGN_SIGNATURE_MAX)
		return 0;
	ret->n = (uint32_t)signature.len; /* at most SIGN_SIGNATURE_MAX */
	memcpy(ret->signature, signature.at, signature.len);
	return 1;
}

int talk_sign_message(struct talk *t, const struct buf *message, struct sign_done *ret)
{
	struct span body;

	return ask(t, message, 0, &body) ? take_signature(body, ret) : -AMBIT_GONE;
}

int talk_sign(struct talk *t, const struct request *q, struct sign_done *ret)
{
	uint8_t room[2 * REQUEST_MESSAGE_MAX];
	struct buf message;

	buf_init_in(&message, room, sizeof room);
	request_put_message(&message, q);
	return talk_sign_message(t, &message, ret);
}
