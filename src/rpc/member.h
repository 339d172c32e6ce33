/* member - where the value of a member stands in a text of JSON, so that it can be replaced and all else stays as it was, to the byte.
 *
 * Owns:   nothing.
 * Holds:  nothing is read outside of the text, whatever it is; what is told of it is right where the text is good JSON, and no name in it is written with escapes or twice.
 * Called: the roles ambit-guard and ambit-web, of lines that a parser took, or that one of our roles wrote; pure. */
#ifndef RPC_MEMBER_H
#define RPC_MEMBER_H

#include <stdbool.h>
#include <stddef.h>

struct member {
	size_t from, to; /* of its value: to is behind it */
};

/* Of the object that stands there. False: it is none, or has no such member; *ret is as it was. */
bool member_find(const char *text, struct member object, const char *name, struct member *ret);
/* The same through several objects, each a member of the one before; names ends with NULL. */
bool member_find_in(const char *text, size_t n, const char *const *names, struct member *ret);

#endif
