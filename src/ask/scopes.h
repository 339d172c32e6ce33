/* scopes - what a scope of a credential allows, beside what grants use of it.
 *
 * Owns:   the table of scopes (scopes.def), which is coarse: areas of an API, read or written.
 * Holds:  in doubt a scope counts as used: who is warned is warned of what no request that is granted could need.
 * Called: the command line; pure. */
#ifndef ASK_SCOPES_H
#define ASK_SCOPES_H

#include <stdbool.h>

#include "ask/issuer.h"
#include "core/terms.h"

enum scope_use {
	SCOPE_USED,
	SCOPE_UNKNOWN,   /* it is not in the table */
	SCOPE_UNUSED,    /* no request that is granted needs it */
	SCOPE_ONLY_READ, /* it writes, and all that is granted there reads */
};

/* What one grant's terms have to do with it: of several grants the least of these. */
enum scope_use scope_use_of(enum issuer issuer, const char *scope, const struct terms *t);

#endif
