/* mask - covers a secret in what a cell receives, wherever it stands literally.
 *
 * Owns:   struct mask_set: the texts to cover, which are the secret, and what is known of each; struct mask: how far each of them is matched,
 *         in numbers alone, so that no byte of a secret is outside of a set.
 * Holds:  each byte of a text becomes `*`, so lengths stay as they are. Bytes may come in any pieces; the end of what came is held back only as
 *         far as it is the beginning of a text and not covered yet. A text may begin within another, or within itself. Nobody may write
 *         what came while something of it is held: whoever has a host tell back what he guesses would see by that how far he is right (mask_let_go).
 * Called: role ambit-http; pure. */
#ifndef HTTP_MASK_H
#define HTTP_MASK_H

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

struct mask_text {
	const uint8_t *at; /* borrowed, and copied */
	size_t n;          /* MASK_TEXT_LEAST to MASK_TEXT_MAX */
};

struct mask_set;

/* The caller's, to give back by mask_set_free, which wipes it; in that memory, NULL: malloc's. NULL: no memory, or a number out of range. */
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

struct mask {
	const struct mask_set *set;     /* borrowed; NULL: covers nothing */
	size_t held;                    /* bytes that are held back: fewer than the longest text */
	uint32_t state[MASK_TEXTS_MAX]; /* how many bytes of each text are at the end of what came */
};

void mask_init(struct mask *m, const struct mask_set *set);
/* The most bytes that mask_run may give for n, and mask_end for 0. */
size_t mask_room(const struct mask *m, size_t n);
/* Takes n bytes, and gives those that are decided, in out; gives how many. All of out's room may be written; it is not where the bytes are. */
size_t mask_run(struct mask *m, const uint8_t *bytes, size_t n, uint8_t *out);
/* What is there is written now: gives what was held. What comes then may still end a text, of which the rest is covered. */
size_t mask_let_go(struct mask *m, uint8_t *out);
/* Nothing more comes: gives what was held. */
size_t mask_end(struct mask *m, uint8_t *out);

#endif
