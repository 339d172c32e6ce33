/* value - a value of an argument in its one form, and what kind of value it is.
 *
 * Owns:   nothing.
 * Holds:  two ways to write the same have the same form, as far as that is known: letters, blanks, times.
 * Called: profile/call.c; pure. */
#ifndef PROFILE_VALUE_H
#define PROFILE_VALUE_H

#include "base/span.h"
#include "profile/call.h"

/* In small letters, with single blanks; "\\n" as models write it is one. *ret_words is how many. false: it is a text. */
bool value_form(struct span value, char room[CALL_TEXT_MIN], struct span *ret, size_t *ret_words);
enum item_kind value_kind_of(struct span path, struct span form, size_t words, enum value_kind is);
/* Seconds that are none, and the T between, are ways to write the same. form stands in room. */
struct span value_time(char *room, struct span form);
/* A number that a program wrote, 10.0, is the 10 of another. */
struct span value_number(struct span form);

#endif
