#include "rpc/port.h"

#include <errno.h>

#include "base/fd.h"

#define HEAD (2u + 4u)

void port_init(struct port *p, int fd)
{
	*p = (struct port){ .fd = fd };
	buf_init(&p->queue, PORT_QUEUE_MAX);
	(void)fd_set_nonblock(fd, true); /* or else whoever is slow here holds up one client */
}

void port_finish(struct port *p)
{
	fd_close(&p->fd);
	buf_finish(&p->queue);
}

bool port_waits(const struct port *p)
{
	return p->queue.len > 0;
}

static int gone(struct err *e)
{
	return err_set(e, AMBIT_GONE, NULL, "the other side is gone");
}

static int enqueue(struct port *p, enum wire_number number, const struct buf *body, struct err *e)
{
	const size_t n = body == NULL ? 0 : body->len, before = p->queue.len;

	buf_put_u16(&p->queue, (uint16_t)number);
	buf_put_u32(&p->queue, (uint32_t)n);
	if (n > 0)
		buf_put(&p->queue, body->data, n);
	if (!p->queue.failed && (body == NULL || !body->failed))
		return 0;
	p->queue.len = before;
	p->queue.failed = false;
	return err_set(e, AMBIT_LIMIT, "wait for some of the answers", "more is asked than is taken");
}

int port_send(struct port *p, enum wire_number number, const struct buf *body, struct err *e)
{
	int r;

	if (p->fd < 0)
		return gone(e);
	if (port_waits(p))
		return enqueue(p, number, body, e);
	r = wire_write(p->fd, number, body);
	if (r == -EAGAIN)
		return enqueue(p, number, body, e);
	return r < 0 ? gone(e) : 0;
}

int port_send_parts(struct port *p, enum wire_number part, const struct buf *text, enum wire_number number,
		    const struct buf *body, struct err *e)
{
	const size_t before = p->queue.len;
	int r = p->fd < 0 ? gone(e) : 0;

	for (size_t at = 0; r == 0 && at < text->len; at += WIRE_BODY_MAX) {
		const size_t n = text->len - at < WIRE_BODY_MAX ? text->len - at : WIRE_BODY_MAX;
		struct buf piece = { .data = text->data + at, .len = n, .cap = n, .max = n, .lent = true };

		r = enqueue(p, part, &piece, e);
	}
	r = r < 0 ? r : enqueue(p, number, body, e);
	if (r < 0) {
		p->queue.len = before;
		return r;
	}
	return port_flush(p) ? 0 : gone(e);
}

bool port_flush(struct port *p)
{
	size_t at = 0;
	bool alive = p->fd >= 0;

	while (alive && at < p->queue.len) {
		struct rbuf in;
		struct buf body;
		uint16_t number;
		int r;

		rbuf_init(&in, p->queue.data + at, p->queue.len - at);
		number = rbuf_u16(&in);
		body = (struct buf){ .len = rbuf_u32(&in), .lent = true };
		body.data = p->queue.data + at + HEAD;
		r = wire_write(p->fd, (enum wire_number)number, &body);
		if (r == -EAGAIN)
			break;
		alive = r == 0;
		at += HEAD + body.len;
	}
	buf_drop(&p->queue, at);
	if (p->queue.len == 0 && p->queue.cap > 0)
		buf_finish(&p->queue);
	return alive;
}
