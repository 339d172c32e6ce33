#include "http/framed.h"

#include <string.h>
#include <strings.h>

#define GRPC_HEAD 5      /* flags, and its length */
#define GRPC_FLAGS 0x83u /* compressed, the last one (Connect), a trailer (gRPC-Web) */

enum framed_kind framed_of_type(const struct http_text *content_type)
{
	static const char *const types[] = { "application/grpc", "application/connect+" };

	for (unsigned i = 0; content_type != NULL && i < 2; i++) {
		const size_t n = strlen(types[i]);

		if (content_type->n >= n && strncasecmp(content_type->at, types[i], n) == 0)
			return FRAMED_GRPC;
	}
	return FRAMED_NOT;
}

static uint64_t number(const uint8_t *bytes, unsigned n)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* How long a head of WebSocket is, of which the first two bytes are there. */
static unsigned head_of_websocket(const uint8_t *head)
{
	const unsigned length = head[1] & 0x7f, mask = (head[1] & 0x80) != 0 ? 4 : 0;

	return 2u + (length == 126 ? 2u : length == 127 ? 8u : 0u) + mask;
}

static uint64_t length_in_websocket(const uint8_t *head)
{
	const unsigned length = head[1] & 0x7f;

	return length < 126 ? length : number(head + 2, length == 126 ? 2 : 8);
}

/* One more byte of a head: whether it is whole. */
static bool take_head(struct framed *f, uint8_t byte)
{
	f->head[f->n_head++] = byte;
	if (f->kind == FRAMED_GRPC) {
		if ((f->head[0] & ~GRPC_FLAGS) != 0)
			f->kind = FRAMED_NOT; /* the body is another, as a text */
		f->left = f->n_head == GRPC_HEAD ? number(f->head + 1, 4) : 0;
		return f->n_head == GRPC_HEAD;
	}
	if (f->n_head < 2 || f->n_head < head_of_websocket(f->head))
		return false;
	f->left = length_in_websocket(f->head);
	return true;
}

bool framed_run(struct framed *f, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n && f->kind != FRAMED_NOT;) {
		if (f->left > 0) {
			const uint64_t now = f->left < n - at ? f->left : n - at;

			f->left -= now;
			at += now;
		} else if (take_head(f, bytes[at++])) {
			f->n_head = 0;
		}
	}
	return f->kind != FRAMED_NOT && f->left == 0 && f->n_head == 0;
}
