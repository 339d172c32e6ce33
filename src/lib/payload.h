/* payload - putting a payload beside the log, as the person.
 *
 * Owns:   the directory of payloads (ledger/payload.h has the form of what is in it).
 * Holds:  nothing there is followed, and nothing that is there is written to: each file is new. While one is written, and until the entry that
 *         names it is accepted, its directory is locked (shared); who holds it alone finds no payload that is still to be named.
 * Called: lib/event_record.c, cli/guard_log.c, cli/prune.c. */
#ifndef LIB_PAYLOAD_H
#define LIB_PAYLOAD_H

#include "base/err.h"
#include "ledger/payload.h"
#include "ledger/talk.h"

/* The directory in that of a ledger; owned. make: where it is missing, else -NOT_FOUND. -HOST: what is there is a link, another's, or for
 * others to look into. */
int payload_directory(int ledger_fd, bool make, int *ret_fd, struct err *e);

/* Writes it, with a salt and its name; on disk it is when the entry is that names it. *ret_dir_fd (owned) holds the lock. The version is the caller's. */
int payload_write(int ledger_fd, const void *bytes, size_t n, int *ret_dir_fd, struct payload *ret, struct err *e);

/* Puts the entry that names it, of the record of an event; among: of so many, which lie in it as lines; 0: it lies there alone. As talk_put. */
int payload_tell(struct talk *t, const struct payload *p, size_t among, struct err *e);

#endif
