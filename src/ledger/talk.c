#include "ledger/talk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/fd.h"
#include "ledger/append.h"

#define PATIENCE_S 15 /* for an answer: what is accepted waits for no disk, unless memory is full */
#define ENTRY_HEAD (1 + 3 * 4 + 2 * ID_TEXT_MAX)

void talk_init(struct talk *t, int sock, const char *event)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	t->sock = sock;
	t->event = event;
	t->unanswered = 0;
	buf_init_in(&t->message, t->message_room, sizeof t->message_room);
	buf_init_in(&t->body, t->body_room, sizeof t->body_room);
	if (sock < 0)
		return;
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

void talk_finish(struct talk *t)
{
	fd_close(&t->sock);
}

/* ---- entries ---- */

struct json *talk_body(struct talk *t)
{
	buf_reset(&t->body);
	json_begin(&t->json, &t->body);
	json_put_object(&t->json);
	return &t->json;
}

void talk_put_text(struct json *j, const char *s)
{
	json_put_bytes(j, s, strlen(s));
}

int talk_put(struct talk *t, enum entry_type type, const char *grant, struct err *e)
{
	int r = 0;

	if (t->sock < 0)
		return 0;
	json_put_object_end(&t->json);
	if (t->body.failed || t->body.len > ENTRY_BODY_MAX)
		return err_set(e, AMBIT_LIMIT, "shorten the names that it is about",
			       "an entry of the ledger would be too long");
	if (t->message.len + t->body.len + ENTRY_HEAD > WIRE_BODY_MAX)
		r = talk_flush(t, e);
	if (t->message.len == 0)
		buf_put_u8(&t->message, 0); /* append_wants, when it is sent */
	buf_put_u8(&t->message, (uint8_t)type);
	buf_put_str(&t->message, t->event);
	buf_put_str(&t->message, grant);
	buf_put_bytes(&t->message, t->body.data, t->body.len);
	return r;
}

/* ---- messages ---- */

/* Whoever does not answer once is not waited for again. */
static int unheard(struct talk *t, struct err *e, int r)
{
	(void)shutdown(t->sock, SHUT_RDWR); /* what is tried later fails at once */
	return err_sys(e, AMBIT_GONE, r, "try again; `ambit ledger verify` says what is there",
		       r == EAGAIN ? "the ledger does not answer" : "the ledger has gone");
}

static int hear(struct talk *t, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(t->sock, WIRE_LEDGER, WIRE_RUNNING, t->answer_room, sizeof t->answer_room, &m);

	if (r <= 0)
		return unheard(t, e, r == 0 ? EPIPE : -r);
	if (m.number == WIRE_LEDGER_FAILED)
		return wire_take_error(&m.body, e);
	if (t->unanswered == 0)
		return unheard(t, e, EPROTO);
	t->unanswered--;
	return 0;
}

/* What it said before it went, if it did. */
static int last_words(struct talk *t, int failed, struct err *e)
{
	int r = 0;

	while (r == 0 && failed != -EAGAIN)
		r = hear(t, e);
	return r < 0 && r != -AMBIT_GONE ? r : unheard(t, e, -failed);
}

static int send_message(struct talk *t, enum append_wants wants, struct err *e)
{
	int r;

	t->message.data[0] = (uint8_t)wants;
	t->unanswered += wants == APPEND_WANTS_DURABLE ? 2 : wants == APPEND_WANTS_ACCEPTED ? 1 : 0;
	r = wire_send(t->sock, WIRE_LEDGER_APPEND, &t->message, NULL, 0);
	buf_reset(&t->message);
	return r < 0 ? last_words(t, r, e) : 0;
}

int talk_flush(struct talk *t, struct err *e)
{
	return t->sock < 0 || t->message.len == 0 ? 0 : send_message(t, APPEND_WANTS_NOTHING, e);
}

static int hear_all(struct talk *t, struct err *e)
{
	int r = 0;

	while (r == 0 && t->unanswered > 0)
		r = hear(t, e);
	return r;
}

int talk_settle(struct talk *t, bool durable, struct err *e)
{
	int r;

	if (t->sock < 0)
		return 0;
	r = send_message(t, durable ? APPEND_WANTS_DURABLE : APPEND_WANTS_ACCEPTED, e);
	return r < 0 ? r : hear_all(t, e);
}

int talk_prune(struct talk *t, uint64_t before_ms, uint64_t payloads, uint64_t bytes, struct err *e)
{
	int r;

	buf_reset(&t->message);
	buf_put_u64(&t->message, before_ms);
	buf_put_u64(&t->message, payloads);
	buf_put_u64(&t->message, bytes);
	t->unanswered += 2; /* accepted, and durable */
	r = wire_send(t->sock, WIRE_LEDGER_PRUNE, &t->message, NULL, 0);
	buf_reset(&t->message);
	return r < 0 ? last_words(t, r, e) : hear_all(t, e);
}

static int take_rotated(struct rbuf *r, struct talk_rotated *ret)
{
	const uint32_t number = rbuf_u32(r);
	const uint64_t entries = rbuf_u64(r);
	const size_t n = rbuf_left(r);
	const uint8_t *key = rbuf_bytes(r, n);

	if (r->failed || n == 0 || n >= sizeof ret->key)
		return -EPROTO;
	*ret = (struct talk_rotated){ .number = number, .entries = entries };
	memcpy(ret->key, key, n);
	return 0;
}

int talk_rotate(struct talk *t, struct talk_rotated *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	int r;

	buf_reset(&t->message);
	r = wire_send(t->sock, WIRE_LEDGER_ROTATE, &t->message, NULL, 0);
	if (r < 0)
		return last_words(t, r, e);
	r = wire_receive(t->sock, WIRE_LEDGER, WIRE_RUNNING, t->answer_room, sizeof t->answer_room, &m);
	if (r <= 0)
		return unheard(t, e, r == 0 ? EPIPE : -r);
	if (m.number == WIRE_LEDGER_FAILED)
		return wire_take_error(&m.body, e);
	r = m.number == WIRE_LEDGER_ROTATED ? take_rotated(&m.body, ret) : -EPROTO;
	return r < 0 ? unheard(t, e, -r) : 0;
}
