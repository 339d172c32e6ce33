/* text - strings that came from somewhere else.
 *
 * Owns:   nothing.
 * Holds:  nothing here changes its input; outputs are always terminated.
 * Called: from everywhere; pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the n bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF).
 * If not and ret_at is not NULL, *ret_at is the offset of the first byte that is wrong. */
bool text_is_utf8(const void *bytes, size_t n, size_t *ret_at);

/* One character of UTF-8: gives how many of the n bytes it is, 0 if they begin with none. */
size_t text_decode(const void *bytes, size_t n, uint32_t *ret);

/* A copy fit for a terminal or a log: control bytes, DEL and bytes that are not UTF-8 as \xNN, a backslash doubled,
 * C1 controls and bidirectional overrides as \u{...}; cut with "..." if dst is too small. Gives dst. */
char *text_escape(char *dst, size_t dst_size, const void *bytes, size_t n);

/* The same for text that was escaped once already by somebody who may not have done it: a backslash stays one. */
char *text_show(char *dst, size_t dst_size, const void *bytes, size_t n);

/* Whether text_show would change nothing of it, so that it can be shown as it is. */
bool text_is_plain(const void *bytes, size_t n);

/* One character of text_show's copy, for texts of any length: terminated, into piece. Gives how many of the n bytes (at
 * least one) it took, and the length of piece; what is copied as it is has the same length in both. */
#define TEXT_PIECE 16
size_t text_show_one(const void *bytes, size_t n, char piece[TEXT_PIECE], size_t *ret_len);

/* Copies with termination; false (and an empty dst) if it does not fit. */
bool text_copy(char *dst, size_t dst_size, const char *src);

/* "s" for what there is none or more than one of. */
const char *text_plural(uint64_t n);

#endif
