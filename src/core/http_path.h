/* http_path - the path of a request in one form, and whether a rule's pattern means it.
 *
 * Owns:   the normal form, and its order. Nothing else: texts are the caller's.
 * Holds:  a path that servers could read in two ways has no normal form: what is not percent-encoded but has to be, a control character, a
 *         backslash, an encoded dot, a percent sign that would be one again when decoded twice, bytes that are not UTF-8, a part of dots and
 *         blanks alone, an empty part but the last, a `#`. Everything else is decoded once. What some servers read as an end of a part or of
 *         the path stays itself, an encoded slash (HTTP_PATH_SLASH), `;`, and an encoded `?` or `#`, but no wildcard means it: only a pattern
 *         that has one there.
 * Called: from any process, on what programs in a cell send as well; pure. */
#ifndef CORE_HTTP_PATH_H
#define CORE_HTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_PATH_MAX 8192     /* of a request, decoded, with its NUL: as much as servers take */
#define HTTP_PATTERN_MAX 256   /* of a rule, likewise */
#define HTTP_PATH_SLASH '\x01' /* in a normal form: a slash that was written %2F */
#define HTTP_PATH_WILD                                                                                                 \
	'\x02' /* in a pattern's: a wildcard; a `*` there is one itself. Show a pattern by http_pattern_put */

/* The n bytes before a query are a path; ret has its normal form. NULL, or what is wrong with it, as the end of a sentence. */
const char *http_path_take(const char *path, size_t n, char *ret, size_t size);
/* The same of a pattern: `*` is any text within one part, but of a part that is `*` alone, not none; `**` alone any number of parts, also
 * none. A `*` that is meant itself is %2A. */
const char *http_pattern_take(const char *pattern, size_t n, char ret[HTTP_PATTERN_MAX]);
/* Both in their normal form. Takes as long as the product of the lengths at most. */
bool http_pattern_matches(const char *pattern, const char *path);
/* Whether outer matches whatever inner does; false also where only a longer look would tell. */
bool http_pattern_is_within(const char *inner, const char *outer);
/* Whether some path may be meant by both; true also where only a longer look would tell that there is none. */
bool http_patterns_may_meet(const char *a, const char *b);
/* Whether some server takes a path for one that the pattern means: in letters of the other size, with a slash or an ending (`.json`) behind it, or, of
 * a pattern without a wildcard, with more beneath it. */
bool http_pattern_is_like(const char *pattern, const char *path);
/* Whether such a path may be meant by other; true also where only a longer look would tell. */
bool http_patterns_may_be_like(const char *pattern, const char *other);
/* The one way of writing a pattern, or a path: printable ASCII without blanks, quotes and commas. False: no room. */
bool http_pattern_put(const char *pattern, char *ret, size_t size);

#endif
