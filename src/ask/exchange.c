#include "ask/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask/answer.h"
#include "ask/reach.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "http/chunk.h"
#include "http/head.h"

/* ---- before the role is locked down ---- */

/* Whoever listens there is ours, and takes it at once. */
static enum ask_outcome dial(struct exchange *x, const union reach_address *a, socklen_t n)
{
	x->fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (x->fd < 0 || connect(x->fd, &a->any, n) < 0 || fcntl(x->fd, F_SETFL, O_NONBLOCK) < 0)
		return ASK_UNREACHED;
	return ASK_ANSWERED;
}

enum ask_outcome exchange_open(struct exchange *x, const char *host, const char *port)
{
	union reach_address a;
	socklen_t n;
	uint32_t number;

	*x = (struct exchange){ .fd = -1, .url = { .tls = true } };
	buf_init(&x->authorities, REACH_AUTHORITIES_MAX);
	buf_init(&x->in, HTTP_HEAD_MAX + 2 * EXCHANGE_BODY_MAX);
	if (!parse_u32(port, 1, 65535, &number) || !text_copy(x->url.host, sizeof x->url.host, host))
		return ASK_NO_NAME;
	n = reach_find(&a, host, (uint16_t)number); /* in range: just checked */
	if (n == 0)
		return ASK_NO_NAME;
	if (!reach_authorities(&x->authorities))
		return ASK_NO_TRUST;
	return dial(x, &a, n);
}

void exchange_close(struct exchange *x)
{
	fd_close(&x->fd);
	buf_finish(&x->authorities);
	buf_finish(&x->in);
}

/* ---- afterwards ---- */

static enum ask_outcome outcome_of(enum witness_outcome o)
{
	switch ((int)o) {
	case WITNESS_COSIGNED: return ASK_ANSWERED;
	case WITNESS_SLOW: return ASK_SLOW;
	case WITNESS_CERTIFICATE: return ASK_NO_TRUST;
	default: return ASK_CLOSED;
	}
}

/* A form of OAuth's endpoint, in which ambit-http puts the token; of others nothing. */
static void put_body(struct buf *out, const struct ask_question *q)
{
	const char *client = q->client != NULL ? q->client : "", *name = client[0] != 0 ? "client_id=" : "";

	if (q->which == ISSUER_OAUTH)
		buf_printf(out, "Content-Type: application/x-www-form-urlencoded\r\n");
	if (strcmp(issuer_row(q->which)->method, "POST") == 0)
		buf_printf(out, "Content-Length: %zu\r\n", strlen(name) + strlen(client));
	buf_printf(out, "\r\n%s%s", name, client);
}

static enum witness_outcome say(struct channel *c, const struct exchange *x, const struct ask_question *q)
{
	const bool brackets = strchr(x->url.host, ':') != NULL;
	auto_buf out = { .max = 0 };

	buf_init(&out, 4096);
	buf_printf(&out, "%s %s HTTP/1.1\r\nHost: %s%s%s", issuer_row(q->which)->method, q->path, brackets ? "[" : "",
		   x->url.host, brackets ? "]" : "");
	if (strcmp(x->url.port, "443") != 0)
		buf_printf(&out, ":%s", x->url.port);
	buf_printf(&out, "\r\nUser-Agent: ambit\r\nAccept: application/json\r\nConnection: close\r\n");
	put_body(&out, q);
	return out.failed ? WITNESS_CLOSED : channel_write(c, out.data, out.len);
}

/* One piece more. False: that was all, and *ret why. */
static bool hear(struct channel *c, struct exchange *x, enum ask_outcome *ret)
{
	uint8_t piece[4096];
	size_t n = 0;

	*ret = outcome_of(channel_read(c, piece, sizeof piece, &n));
	if (*ret != ASK_ANSWERED || n == 0)
		return false;
	buf_put(&x->in, piece, n);
	return !x->in.failed;
}

/* The head of the answer, after those of others that come before it (1xx). */
static enum ask_outcome hear_head(struct channel *c, struct exchange *x, struct http_head *head)
{
	enum ask_outcome o = ASK_CLOSED;
	const char *why;

	for (;;) {
		const int r = http_head_answer(x->in.data, x->in.len, head, &why);

		if (r < 0 || x->in.failed)
			return ASK_NO_HTTP;
		if (r > 0 && head->status >= 200)
			return ASK_ANSWERED;
		if (r > 0)
			buf_drop(&x->in, head->length);
		else if (!hear(c, x, &o))
			return o == ASK_ANSWERED ? ASK_CLOSED : o;
	}
}

/* Of what is in chunks the data move up, over what held them. False: it is not whole. */
static bool join_chunks(uint8_t *at, size_t n, size_t *ret_n)
{
	struct chunked chunks;
	size_t from = 0, taken = 0, data = 0;

	*ret_n = 0;
	chunked_init(&chunks);
	for (;;) {
		const enum chunk_result r = chunked_take(&chunks, at + from, n - from, &taken, &data);

		from += taken;
		if (r != CHUNK_DATA)
			return r == CHUNK_END;
		memmove(at + *ret_n, at + from - data, data); /* never beyond what was taken */
		*ret_n += data;
	}
}

/* What of the body came within bounds, to its end or that of the connection: what is cut is no JSON. */
static size_t hear_body(struct channel *c, struct exchange *x, const struct http_head *head, enum http_body kind)
{
	const size_t most = kind == HTTP_LENGTH && head->body_length < EXCHANGE_BODY_MAX ? (size_t)head->body_length
											 : EXCHANGE_BODY_MAX;
	enum ask_outcome o;
	size_t n;

	while (x->in.len - head->length < most && hear(c, x, &o))
		;
	n = x->in.len - head->length;
	n = n < most ? n : most;
	if (kind == HTTP_CHUNKED && !join_chunks(x->in.data + head->length, n, &n))
		return 0;
	return n;
}

static enum ask_outcome talk(struct channel *c, struct exchange *x, const struct ask_question *q,
			     struct ask_answer *ret)
{
	static struct http_head head;
	const struct http_text method = { issuer_row(q->which)->method, strlen(issuer_row(q->which)->method) };
	enum ask_outcome o = outcome_of(say(c, x, q));
	enum http_body kind;
	size_t n;

	o = o == ASK_ANSWERED ? hear_head(c, x, &head) : o;
	if (o != ASK_ANSWERED)
		return o;
	kind = http_head_answer_body(&head, &method);
	n = kind == HTTP_NO_BODY || q->which == ISSUER_GITHUB ? 0 : hear_body(c, x, &head, kind);
	/* The fields stand in x->in, which has moved as it grew. */
	if (http_head_answer(x->in.data, head.length, &head, &(const char *){ NULL }) != 1)
		return ASK_NO_HTTP;
	answer_judge(q->which, &head, x->in.data + head.length, n, ret);
	return ASK_ANSWERED;
}

void exchange_run(struct exchange *x, const struct ask_question *q, struct ask_answer *ret)
{
	const struct span authorities = span_bytes(x->authorities.data, x->authorities.len);
	enum ask_outcome o;
	struct channel c;

	*ret = (struct ask_answer){ .outcome = ASK_CLOSED };
	o = outcome_of(channel_open(&c, x->fd, &x->url, authorities));
	o = o == ASK_ANSWERED ? talk(&c, x, q, ret) : o;
	channel_close(&c);
	ret->outcome = (uint8_t)o; /* in range */
}
