/* host - names of hosts, as they are granted, asked for and compared.
 *
 * Owns:   struct host_name, and patterns of one label.
 * Holds:  a name is lower case, of labels of letters, digits, `-` and `_`, 1 to 63 each and none with `-` at an end, 253 at most together,
 *         without a final dot. What reads as an address somewhere (a last label of digits only, or that begins with `0x`: WHATWG URL, "ends in a
 *         number") is no name. Names in other scripts are written in their ASCII form (`xn--`); nothing is converted here, so that two names
 *         that look alike are two names.
 * Called: from any process; pure. */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define HOST_NAME_MAX_LEN 253

struct host_name {
	char text[HOST_NAME_MAX_LEN + 1];
};

/* Exactly n bytes; letters in any case, one final dot is left out. False: no name. */
bool host_take(const char *text, size_t n, struct host_name *ret);
/* The same for `*.` and a name of at least two labels, 253 together; ret has the star. */
bool host_pattern_take(const char *text, size_t n, struct host_name *ret);
/* Whether the name (as host_take gives it) has exactly one label more than the pattern after its star. */
bool host_matches(const struct host_name *pattern, const char *name);
/* `localhost`, and all below it (RFC 6761, 6.3): whoever says it means himself. */
bool host_is_local(const char *name);

/* For messages: whether the last label reads as a number, so that it is no name whatever stands before it. */
bool host_is_number(const char *text, size_t n);

#endif
