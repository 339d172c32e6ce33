/* decoy - what a canary looks like.
 *
 * Owns:   the form of each kind of decoy, and where one of it lies if nobody says so.
 * Holds:  what is written is of the form that programs write and read, with random bytes where the secret is: it
 *         opens nothing anywhere.
 * Called: cli/canary.c. */
#ifndef CLI_DECOY_H
#define CLI_DECOY_H

#include "base/buf.h"
#include "core/canary.h"

/* A name beneath the home (~/...) or the current directory (./...), which no program reads by itself, and which cells see
 * (stage/hidden.def). */
const char *decoy_place(enum canary_kind kind);
/* -errno: there are no random bytes. */
int decoy_write(enum canary_kind kind, struct buf *out);

#endif
