/* spoken - a symbol of a trace as words for a person.
 *
 * Holds:  whatever the symbol is, the text is bounded and says nothing that the symbol does not.
 * Called: profile/reasons.c; pure. */
#ifndef PROFILE_SPOKEN_H
#define PROFILE_SPOKEN_H

#include <stddef.h>

/* "write:work/.git/hooks!" is "write of .git/hooks in the workspace, denied". A symbol of another form is its own words. size: 160 holds all of any symbol. */
void symbol_speak(const char *symbol, char *ret, size_t size);
#define SPOKEN_MAX 160

#endif
