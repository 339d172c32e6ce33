/* tool - what the name of a tool tells.
 *
 * Owns:   nothing.
 * Holds:  a small table of verbs (profile/verbs.def), of no list of tools; a name that has none tells nothing, and what nothing is told of is taken for one that acts.
 * Called: profile/call.c, profile/value.c; pure. */
#ifndef PROFILE_TOOL_H
#define PROFILE_TOOL_H

#include <stddef.h>

#include "base/span.h"

/* Also what a person tells of it, or annotations that a person has seen. */
enum tool_told { TOOL_UNTOLD, TOOL_READS, TOOL_ACTS };

/* It is the part behind the last of / . : or __ that counts (the rest is a server's name), or the part before where that has no such word; in it the first verb, in snake_case,
 * kebab-case or camelCase; "and", "or" or "then" and a second verb behind it count, too (get_or_create). */
enum tool_told tool_tells(const char *name, size_t n);

/* Takes the next word of a name off it; false: no more. HTMLPage has two. */
bool tool_word(struct span *name, struct span *ret);

#endif
