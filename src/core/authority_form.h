/* authority_form - whether what a request says can be kept: its names, bounds and grants, each by itself.
 *
 * Owns:   nothing.
 * Holds:  a state has nothing that is not well-formed, whoever sent the requests, or wrote the state.
 * Called: core/authority*.c. */
#ifndef CORE_AUTHORITY_FORM_H
#define CORE_AUTHORITY_FORM_H

#include "core/authority.h"

bool form_is_name(const char *name);
/* Of a grant or a use, in the form in which it is kept. */
bool form_is_object(enum grant_verb verb, const char *object);
/* None that ask: a grant does by its flag. */
bool form_is_bounds(const struct authority_bounds *b);
/* Those of a badge or an agent: no time, nothing but numbers. */
bool form_is_total(const struct authority_bounds *b);
bool form_is_none(const struct authority_bounds *b);
bool form_is_grant(const struct authority_request *q);
/* Of the terms of two tools. */
bool form_is_where_within(const char *inner, const char *outer);
/* Whether a grant like this one is within that one: in all but its depth, and whoever holds it. */
bool form_is_within(const struct authority_request *q, const struct authority_grant_told *parent);

#endif
