/* sse - server-sent events, out of bytes in any pieces (WHATWG HTML, 9.2.6).
 *
 * Owns:   struct sse: the line at hand, the event so far, and the number of the last one that was whole.
 * Holds:  lines end in LF, CR or both, however they are cut. An event of more than SSE_DATA_MAX bytes, or a line of more, is refused, and nothing is kept of it. A number that could not stand in a
 *         field of a request is none.
 * Called: ambit-bridge, on what servers send; pure but for memory. */
#ifndef BRIDGE_SSE_H
#define BRIDGE_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SSE_DATA_MAX (4u << 20) /* as a line of the gate's */
#define SSE_ID_MAX 1024         /* with its NUL */
#define SSE_RETRY_MAX 60000u    /* a server that wants to be left alone for longer is asked again all the same */

struct sse {
	struct buf line, data; /* owned */
	char next[SSE_ID_MAX]; /* of the event at hand */
	char id[SSE_ID_MAX];   /* of the last whole one; "": none */
	uint32_t retry_ms;
	bool has_retry, has_data;
	bool is_message; /* the event at hand has the kind that messages have */
	bool after_cr, begun, is_told;
};

enum sse_result { SSE_MORE, SSE_EVENT, SSE_BAD };

void sse_init(struct sse *s);
void sse_finish(struct sse *s);
/* Of what is kept between events: the number and the time stay, for a stream that goes on in another connection. */
void sse_again(struct sse *s);
/* Takes some of the n bytes, *ret_taken. EVENT: s->data has one, until this is called again. MORE: all were taken. */
enum sse_result sse_take(struct sse *s, const uint8_t *bytes, size_t n, size_t *ret_taken);

#endif
