/* stream - one side of a connection: bytes in, bytes out, under TLS or plain.
 *
 * Owns:   struct stream: the socket, what was read of it and not yet taken, what is to be written.
 *         What has a secret in it goes to `first`, which is of other memory, and is written before all that waits: so it is put there when nothing does.
 * Holds:  nothing here waits. What is read is bounded by the caller's asking, what is written by his not putting more while something waits. The end of a stream that
 *         TLS did not say itself is broken, not ended: whoever cuts a connection must not be able to shorten what is said on it.
 * Called: role ambit-http. OpenSSL 3.0, over read(2) and write(2). */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <openssl/ssl.h>

#include "base/buf.h"

#define STREAM_READ 16384 /* of one record of TLS, and one read */
#define STREAM_IN_MAX                                                                                                  \
	(192u << 10) /* twice of what waits at most, since what was taken goes once it is half, and one read */
#define STREAM_OUT_MAX (256u << 10)

struct stream {
	int fd;        /* owned; -1 */
	SSL *tls;      /* owned; NULL: plain */
	bool ended;    /* the peer has said all */
	bool broken;   /* or is gone */
	bool closed;   /* we have said all, and it was told so */
	struct buf in; /* read, not yet taken: from `taken` on */
	size_t taken;
	struct buf first; /* before `out`; from `written` on */
	struct buf out;   /* from `written` on, once `first` is empty */
	size_t written;
};

/* memory: of what stream_head gives; NULL: it has no secret. */
void stream_init(struct stream *s, int fd, const struct memory *memory);
void stream_finish(struct stream *s);

/* Reads what is there, as long as less than `most` bytes wait to be taken. True: something came, also an end. */
bool stream_fill(struct stream *s, size_t most);
static inline const uint8_t *stream_at(const struct stream *s)
{
	return s->in.data + s->taken;
}
static inline size_t stream_has(const struct stream *s)
{
	return s->in.len - s->taken;
}
void stream_take(struct stream *s, size_t n);

/* Writes what can be written. True: something went. */
bool stream_flush(struct stream *s);
static inline size_t stream_waits(const struct stream *s)
{
	return s->first.len + s->out.len - s->written;
}
/* Where a head is put, which may have a secret in it: only while nothing waits. */
static inline struct buf *stream_head(struct stream *s)
{
	return s->first.memory != NULL ? &s->first : &s->out;
}
/* Bytes of memory. */
static inline size_t stream_held(const struct stream *s)
{
	return s->in.cap + s->first.cap + s->out.cap;
}
/* After what waits: the peer is told that this is all. True: now it was. */
bool stream_close(struct stream *s);

enum stream_shake {
	STREAM_SHAKING,
	STREAM_SHOOK,
	STREAM_FAILED,
	STREAM_PAUSED /* its hello was read: the caller's turn */
};
/* One turn of the handshake. */
enum stream_shake stream_shake(struct stream *s);

#endif
