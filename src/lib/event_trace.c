/* The trace of an event, as its supervisor tells it: bytes that nobody here looks into. */
#include "lib/event.h"
#include "profile/trace.h"

static void add(struct result_trace *t, const uint8_t *bytes, size_t n)
{
	if (t->form.max == 0)
		buf_init(&t->form, TRACE_BYTES_MAX);
	buf_put(&t->form, bytes, n);
}

void event_trace_piece(struct ambit_event *ev, struct wire_message *m)
{
	const size_t n = rbuf_left(&m->body);

	add(&ev->result.trace, rbuf_bytes(&m->body, n), n);
}

void event_trace_end(struct ambit_event *ev, struct wire_message *m)
{
	struct result_trace *t = &ev->result.trace;
	const uint8_t *bytes;
	size_t n;

	t->threads = rbuf_u32(&m->body);
	t->calls = rbuf_u64(&m->body);
	t->dropped = rbuf_u64(&m->body);
	n = rbuf_u32(&m->body);
	bytes = rbuf_bytes(&m->body, n);
	if (bytes != NULL && n > 0)
		add(t, bytes, n);
	if (t->form.failed) /* no memory, or not from our supervisor: none is better than a part */
		buf_finish(&t->form);
}
