/* compose - lines of HTTP/1, written so that nothing that came from elsewhere makes one more of them.
 *
 * Called: role ambit-http; pure, but for the memory of the buffer. */
#ifndef HTTP_COMPOSE_H
#define HTTP_COMPOSE_H

#include "base/buf.h"
#include "http/head.h"

/* Appends a field. A value with a control character, or a name that is no token, fails the buffer: whoever gave it had to refuse it before. */
void compose_field(struct buf *out, const struct http_text *name, const struct http_text *value);
/* The head of a chunk of n bytes, which the caller appends, and CR LF behind them. */
void compose_chunk(struct buf *out, size_t n);

#endif
