/* form - what programs send as application/x-www-form-urlencoded, read strictly and written anew with the secrets that go into it.
 *
 * Owns:   nothing.
 * Holds:  what is written has one reading: each name and each value is decoded once, and encoded again so that nothing but letters, digits and `-._~`
 *         stands for itself. A parameter in the place of a secret, as any server may take its name, is left out or refused, and refused if it is there twice; each secret is there once.
 *         What is no form to the letter, or says that it has another encoding, is refused.
 * Called: role ambit-http, on what programs in the cell send; pure, but for the memory of the buffer. */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include "http/judge.h"

#define FORM_TYPE "application/x-www-form-urlencoded"
#define FORM_BODY_MAX (64u << 10) /* as it is sent: it is held in memory, and what goes beside a secret are words */

/* Initialises *ret in any case, which is the caller's and of that memory. False: refused, as *v says. */
bool form_write(const struct judge *j, const void *bytes, size_t n, const struct memory *memory, struct buf *ret,
		struct verdict *v);

#endif
