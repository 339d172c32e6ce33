/* buf - the two types that carry all bytes.
 *
 * Owns:   struct buf owns its storage, growing up to a maximum given at creation; struct rbuf is a cursor over
 *         somebody else's bytes and owns nothing.
 * Holds:  an operation that would overrun marks the buffer as failed and does nothing; after the first failure
 *         every later operation does nothing and gives zeroes, so callers check once at the end. The first
 *         allocation is made on the first append.
 * Called: from everywhere. Numbers are little-endian, and big-endian where `be` says so: as the protocols of the network have them. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where storage comes from when it is not to come from malloc(3). */
struct memory {
	void *(*grow)(void *old, size_t size); /* as realloc(3): NULL is given, and old stays, when there is none */
	void (*give)(void *at);                /* back; NULL: nothing */
	size_t (*size)(void *at);              /* what there is for it; 0 for NULL */
};

struct buf {
	uint8_t *data; /* owned unless lent, NULL while empty */
	size_t len;
	size_t cap;
	size_t max;
	bool failed;                 /* over max, or memory is gone */
	bool lent;                   /* data is the caller's room, and all there is */
	const struct memory *memory; /* borrowed; NULL: malloc's */
};

void buf_init(struct buf *b, size_t max);
/* Of that memory, if it is not NULL; buf_finish keeps to it. */
void buf_init_of(struct buf *b, size_t max, const struct memory *memory);
/* In room of the caller's, which must live as long: for what is short, or where allocating would cost its page faults. */
void buf_init_in(struct buf *b, void *room, size_t size);
void buf_finish(struct buf *b);
void buf_reset(struct buf *b);          /* empties, keeps the storage, clears failed */
void buf_wipe(struct buf *b);           /* buf_finish, and nothing of what was in the storage is left there */
void buf_drop(struct buf *b, size_t n); /* the first n bytes, n <= len; the rest moves up */

/* Room for n bytes more, at b->data + b->len, for the caller to fill and to count. NULL: failed. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_double(struct buf *b, double v); /* its bits, IEEE 754 */
void buf_put_be16(struct buf *b, uint16_t v);
void buf_put_be32(struct buf *b, uint32_t v);
/* u32 length, then the bytes, no NUL. */
void buf_put_str(struct buf *b, const char *s);
void buf_put_bytes(struct buf *b, const void *bytes, size_t n);
/* In a room of fixed size, filled up with NULs; cut, with one NUL at least. */
void buf_put_text(struct buf *b, const char *s, size_t room);
/* Two hexadecimal digits for each, in small letters. */
void buf_put_hex(struct buf *b, const uint8_t *bytes, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends a NUL that is not counted in len, so that data reads as a string; NULL if failed. */
const char *buf_cstr(struct buf *b);
/* Of the same bytes; false if either has failed. */
bool buf_is_same(const struct buf *a, const struct buf *b);

#define auto_buf __attribute__((cleanup(buf_finish))) struct buf

struct rbuf {
	const uint8_t *data;
	size_t len;
	size_t at;
	bool failed; /* something was asked that is not there */
};

void rbuf_init(struct rbuf *r, const void *bytes, size_t n);
size_t rbuf_left(const struct rbuf *r);
uint8_t rbuf_u8(struct rbuf *r);
uint16_t rbuf_u16(struct rbuf *r);
uint32_t rbuf_u32(struct rbuf *r);
uint64_t rbuf_u64(struct rbuf *r);
double rbuf_double(struct rbuf *r); /* any, also one that is no number */
uint16_t rbuf_be16(struct rbuf *r);
/* Gives n bytes in place, or NULL. */
const uint8_t *rbuf_bytes(struct rbuf *r, size_t n);
void rbuf_fixed(struct rbuf *r, uint8_t *dst, size_t n); /* a copy; if they are not there dst stays as it was */
bool rbuf_bool(struct rbuf *r);                          /* 0 or 1; else it fails */
/* A u32 length and that many bytes into dst as a string; fails if length >= dst_size or a NUL is inside. */
void rbuf_str(struct rbuf *r, char *dst, size_t dst_size);
/* What buf_put_text wrote into that room: fails if it has no NUL in it, or anything behind the first. */
void rbuf_text(struct rbuf *r, char *dst, size_t room);
/* True if nothing failed and nothing is left over. */
bool rbuf_done(const struct rbuf *r);

#endif
