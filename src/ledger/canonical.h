/* canonical - JSON of which there is only one form (RFC 8785), so that equal values are equal bytes and have equal hashes.
 *
 * Owns:   the rules, which are a subset of RFC 8785's:
 *         1. objects, arrays, strings, true, false, null, and integers from -(2^53 - 1) to 2^53 - 1. Other numbers are left
 *            out: their form is the shortest decimal that gives the same double, which nobody should have to prove; and beyond
 *            2^53 an integer is not the same for every reader. What has a fraction is told in smaller units, or as text.
 *         2. no blanks, no -0, no zero in front of a number, no fraction, no exponent;
 *         3. strings are UTF-8 as it is, but for \" \\ \b \t \n \f \r and \u00xx (lower-case) for the other controls;
 *         4. keys of an object in the order of their UTF-16 code units, each once. No key has a NUL: readers that keep keys as
 *            strings of C (jansson) refuse it, and one that cut it would find two keys to be the same;
 *         5. brackets nest at most CANONICAL_DEPTH_MAX deep, so that no reader's stack is at risk;
 *         6. nothing before the value and nothing after it.
 *         Characters that Unicode leaves without a meaning (U+FFFF) may be in strings: names of files have them.
 * Holds:  one pass, no recursion, no allocation. Readers stay within the value that they are given, even where it was
 *         not checked; they then find nothing, or what a checked value would have there.
 * Called: from everywhere; pure. base/json.h writes this form as long as its caller puts keys in order. */
#ifndef LEDGER_CANONICAL_H
#define LEDGER_CANONICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sat.h"

#define CANONICAL_DEPTH_MAX 16u
#define CANONICAL_COUNT_MAX INT53_MAX

struct canonical_flaw {
	size_t at; /* of the byte that is wrong, or of the key or number that is; the length where something is missing */
	const char *why; /* static */
};

/* Whether the n bytes are one such value. -AMBIT_MALFORMED, or -AMBIT_LIMIT by rule 5 and for an integer out of range; then
 * *ret tells the first flaw. */
int canonical_check(const void *bytes, size_t n, struct canonical_flaw *ret);

/* The same of one value that begins at `at` and may have `levels` of brackets; what comes behind it is the caller's. */
int canonical_scan(const void *bytes, size_t n, size_t at, unsigned levels, size_t *ret_end,
		   struct canonical_flaw *ret);

/* A value within somebody's bytes. Its first byte tells its type: { [ " t f n - or a digit. */
struct canonical_value {
	const uint8_t *at; /* borrowed */
	size_t n;
};

/* Whether it is written like this: "null", "true", "\"word\"". */
bool canonical_is(struct canonical_value v, const char *text);
/* The value of the key with this name (as it is, not escaped). False: there is none, or v is no object. */
bool canonical_find(struct canonical_value v, const char *name, struct canonical_value *ret);
/* The next key of an object and its value; *at is 0 at first. False: there is none, or v is no object. */
bool canonical_member(struct canonical_value v, size_t *at, struct canonical_value *ret_key,
		      struct canonical_value *ret_value);
/* The next item of an array; *at is 0 at first. False: there is none, or v is no array. */
bool canonical_item(struct canonical_value v, size_t *at, struct canonical_value *ret);
/* A string without its escapes, terminated. False, and an empty dst: it is none, has a NUL, or does not fit. */
bool canonical_string(struct canonical_value v, char *dst, size_t dst_size);
/* An integer that is not negative. */
bool canonical_count(struct canonical_value v, uint64_t *ret);

#endif
