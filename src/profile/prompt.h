/* prompt - the user's own words, and what they name.
 *
 * Owns:   nothing.
 * Holds:  linear in both, for what is short (CALL_FORM_MAX).
 * Called: profile/call.c and who has a prompt; pure. */
#ifndef PROFILE_PROMPT_H
#define PROFILE_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

struct prompt {
	const char *text; /* borrowed, as prompt_form wrote it; NULL: none is known */
	size_t n;
};

/* Small letters, single blanks, in room for n bytes; gives how many. */
size_t prompt_form(const char *text, size_t n, char *ret);
/* Whether it stands there, not as part of a longer word. */
bool prompt_names(const struct prompt *p, const char *value, size_t n);

#endif
