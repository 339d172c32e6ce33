/* base64 - bytes as text (RFC 4648, section 4: the usual alphabet, with padding).
 *
 * Owns:   nothing.
 * Holds:  decoding takes exactly what encoding gives: no blanks, no missing padding, no stray bits at the end.
 * Called: from everywhere; pure. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Appends BASE64_LEN(n) characters. */
void base64_put(struct buf *out, const void *bytes, size_t n);
/* Appends the bytes that the text stands for. False, and nothing appended, if it is not base64. */
bool base64_take(struct buf *out, const char *text, size_t len);
/* Whether the text is base64, and how many bytes it stands for: for what is decoded later, or never. */
bool base64_is(const char *text, size_t len, size_t *ret_n);

#endif
