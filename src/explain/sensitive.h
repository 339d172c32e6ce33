/* sensitive - what may not be granted without a person's decision.
 *
 * Owns:   the tables sensitive.def and broad.def.
 * Holds:  what lies beneath a sensitive place is sensitive; a directory that could hold one is told apart. Each name that a
 *         cell hides is sensitive, by the code that hides it (stage/hidden.h).
 * Called: by learn; pure. Paths are absolute and normal; home is NULL if there is none. */
#ifndef EXPLAIN_SENSITIVE_H
#define EXPLAIN_SENSITIVE_H

#include <stdbool.h>

/* Why this path is sensitive; NULL if it is not. */
const char *sensitive_reason(const char *path, const char *home);
/* Why a cell hides this path, or what it lies beneath, whatever is granted around it; NULL if it does not. */
const char *sensitive_hidden(const char *path);
/* Whether a sensitive place of the table, one that is not told by its name alone, would lie beneath this directory. */
bool sensitive_is_beneath(const char *directory, const char *home);
/* Whether a grant of this directory would be too much, whatever was used of it. */
bool is_broad(const char *directory, const char *home);

#endif
