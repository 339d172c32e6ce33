/* What clients, the daemon and roles of sessions tell each other: what is taken is written as it came. The first byte says which. */
#include <string.h>

#include "fuzz.h"
#include "session/link.h"

/* Of what was taken, all that came is written again: nothing was passed over. */
static void check(const struct buf *out, const uint8_t *data, size_t size)
{
	promise(!out->failed && out->len == size && memcmp(out->data, data, size) == 0);
}

#define TRY(kind, take)                                                                                                \
	do {                                                                                                           \
		struct kind v;                                                                                         \
                                                                                                                       \
		if (take(in, &v)) {                                                                                    \
			kind##_put(&out, &v);                                                                          \
			check(&out, data, size);                                                                       \
		}                                                                                                      \
	} while (0)

/* Its outcome is looked at, if it has one. */
static void event_row(struct rbuf *in)
{
	struct event_row v;

	if (event_row_take(in, &v))
		promise(v.state != EVENT_OVER ||
			(cause_word(v.outcome.cause) != NULL && workspace_word(v.outcome.workspace) != NULL));
}

static void message(uint8_t which, struct rbuf *in, const uint8_t *data, size_t size)
{
	auto_buf out = { .max = 65536 };

	switch (which) {
	case 'n': TRY(serve_name, serve_name_take); break;
	case 'l': TRY(serve_name, serve_list_take); break;
	case 'r': TRY(session_row, session_row_take); break;
	case 'y': TRY(session_ready, session_ready_take); break;
	case '#': TRY(link_number, link_number_take); break;
	case 's': TRY(serve_status, serve_status_take); break;
	case 't': TRY(session_taken, session_taken_take); break;
	case 'v': TRY(session_event, session_event_take); break;
	case 'g': TRY(session_grew, session_grew_take); break;
	case 'f': TRY(link_halt, link_halt_take); break;
	case 'F': TRY(link_halted, link_halted_take); break;
	case 'h': TRY(serve_hello, serve_hello_take); break;
	case 'p': TRY(session_step, session_step_take); break;
	case 'w': TRY(step_row, step_row_take); break;
	case 'e': event_row(in); break;
	default: break;
	}
}

static void description(struct rbuf *in, const uint8_t *data, size_t size)
{
	auto_buf out = { .max = DESCRIPTION_BYTES_MAX };
	struct description d;
	struct err e;

	if (description_take(in, &d, &e) < 0)
		return;
	description_put(&out, &d);
	check(&out, data, size);
	description_finish(&d);
}

static void run(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = RUN_BYTES_MAX };
	uint8_t digest[32];
	struct run r;
	struct err e;

	if (run_take(data, size, &r, digest, &e) < 0)
		return;
	run_put(&out, &r);
	check(&out, data, size);
	run_finish(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf in;

	if (size == 0)
		return 0;
	rbuf_init(&in, data + 1, size - 1);
	if (data[0] == 'd')
		description(&in, data + 1, size - 1);
	else if (data[0] == 'x')
		run(data + 1, size - 1);
	else
		message(data[0], &in, data + 1, size - 1);
	return 0;
}
