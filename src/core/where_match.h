/* where_match - patterns and numbers of conditions, by themselves.
 *
 * Owns:   nothing.
 * Holds:  linear in both of what is compared.
 * Called: core/where*.c, and tests. */
#ifndef CORE_WHERE_MATCH_H
#define CORE_WHERE_MATCH_H

#include "core/match.h"
#include "core/where.h"

/* A pattern as struct where has it. A text may be a pattern, too: then all that it matches is matched. */
bool where_matches(const char *pattern, const char *text, size_t n);
/* Whether a part of it is `..`, to somebody who takes it for a path or a URL. */
bool where_climbs(const char *text, size_t n);
/* Whether all of a text that does not climb matches. */
bool where_is_expressed(const struct match *m, const char *text, size_t n);
/* As JSON has numbers; exact, of any size. */
bool where_is_number(const char *text, size_t n);
/* In the one way of writing it that bounds have: no exponent, no digit that means nothing. */
bool where_is_normal_number(const char *text);
/* Of a number: without a fraction. */
bool where_is_whole(const char *text, size_t n);
/* How many characters a text has. */
uint64_t where_characters(const struct where_argument *a);
/* A text of JSON that begins at *at, as it means, with a NUL. False: it is none there, or too long. */
bool where_read_text(const char *text, size_t n, size_t *at, char *ret, size_t size);
void where_write_text(struct buf *out, const char *text);
/* Below 0, 0, above 0. Both are numbers. */
int where_compare_numbers(const char *a, size_t a_n, const char *b, size_t b_n);
/* Whether path is the other, or lies beneath it. */
bool where_is_at(const char *path, size_t n, const char *of, size_t of_n);
/* Whether two names are one to whoever does not mind case, as far as ASCII has it, with the two characters beyond that fold into it (Kelvin's sign, long s). */
bool where_is_same_name(const char *a, const char *b);
/* Whether it looks at what the argument is. */
bool where_is_bounded(const struct where_condition *c);
/* Names of which each `.`, `*` and `\` has a `\` before it. */
bool where_is_path(const char *path, size_t n);

#endif
