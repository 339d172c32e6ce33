/* mask - covers a secret in what a cell receives, wherever it stands literally.
 *
 * Owns:   struct mask_set: the texts to cover, which are the secrets, and what is known of each; struct mask: how far each of them is matched, and the end of what came.
 * Holds:  each byte of a text becomes `*`, so lengths stay as they are. Bytes may come in any pieces: the end of what came is held back, as many bytes as a text may have begun in,
 *         *whatever they are*. Were only beginnings of a text held, whoever has a host tell back what he guesses would see by that how far he is right. A text may begin
 *         within another, or within itself. No text has a control character (mask_is_break), and nothing before one is held: lines and events pass as they come.
 * Called: role ambit-http; pure. */
#ifndef HTTP_MASK_H
#define HTTP_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define MASK_SECRETS_MAX 2
#define MASK_FORMS_MAX 20 /* of a secret, and how it may be written: http/mask_forms.c */
#define MASK_TEXTS_MAX (MASK_SECRETS_MAX * MASK_FORMS_MAX)
#define MASK_TEXT_LEAST 4    /* what is shorter stands everywhere by chance */
#define MASK_SECRET_MAX 8192 /* of mask_set_of */
#define MASK_USER_MAX 64     /* of Basic */
#define MASK_TEXT_MAX 36864  /* such a secret as Basic has it, each byte of which is written as three */
#define MASK_PAUSE_MS                                                                                                  \
	1000 /* who says nothing for so long, though he could, is not waited for: longer than a byte is on its way to a host and back */

struct mask_text {
	const uint8_t *at; /* borrowed, and copied */
	size_t n;          /* MASK_TEXT_LEAST to MASK_TEXT_MAX */
};

struct mask_set;

/* The caller's, to give back by mask_set_free, which wipes it; in that memory, NULL: malloc's. NULL: no memory, a number out of range, or a text with a break. */
struct mask_set *mask_set_create(const struct mask_text *texts, size_t n, const struct memory *memory);

struct mask_secret {
	const void *at; /* borrowed */
	size_t n;
	const char *user; /* borrowed: it goes behind him as Basic has it; NULL: not by Basic */
};
/* Secrets, and how others write each: in a query, in a form, in JSON, and as Basic has it. NULL: as above. */
struct mask_set *mask_set_of(const struct mask_secret *secrets, size_t n, const struct memory *memory);
void mask_set_free(struct mask_set *s);

/* As a query has it: what is not unreserved (RFC 3986, 2.3) is %XX; digits: the sixteen, in letters of one size. Who writes a secret so writes what is covered. */
void mask_put_percent(struct buf *out, const void *bytes, size_t n, const char *digits);
/* As gRPC has a text in its field grpc-message: a percent sign, and what is no visible ASCII nor a blank, is %XX. */
void mask_put_status(struct buf *out, const void *bytes, size_t n);

/* In no secret, and in no way to write one. */
static inline bool mask_is_break(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* Covers in place what is there as a whole. set NULL: covers nothing. */
void mask_whole(const struct mask_set *set, uint8_t *bytes, size_t n);

struct mask {
	const struct mask_set *set; /* borrowed; NULL: covers nothing */
	struct buf
		held; /* owned, of the set's memory: covered as far as it is known; fewer bytes than the longest text */
	uint32_t state[MASK_TEXTS_MAX]; /* how many bytes of each text are at the end of what came */
};

/* A new stream of bytes. m: zeroes, or begun before. False: no memory. */
bool mask_begin(struct mask *m, const struct mask_set *set);
void mask_finish(struct mask *m);
static inline size_t mask_held(const struct mask *m)
{
	return m->held.len;
}
/* The most bytes that mask_run may give for n. */
static inline size_t mask_room(const struct mask *m, size_t n)
{
	return mask_held(m) + n;
}
/* Takes n bytes, and gives those before what is held, in out; gives how many. All of mask_room may be written; out is not where the bytes are. */
size_t mask_run(struct mask *m, const uint8_t *bytes, size_t n, uint8_t *out);
/* Gives what is held, without waiting for more: a message is over (http/framed.h), or MASK_PAUSE_MS. What comes then may still end a text, of which the rest is covered. */
size_t mask_let_go(struct mask *m, uint8_t *out);

#endif
