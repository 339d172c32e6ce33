/* key - the file of the key that signs a ledger.
 *
 * Owns:   the form of `ledger.key`, one line as Go's note package writes it: PRIVATE+KEY+name+id+base64 of the type and the seed.
 * Holds:  a key that others may read, or whose id is not that of its name and public half, is not used. The secret lies in the caller's
 *         memory only. What is written to disk is there before it signs anything.
 * Called: the role ambit-ledger. */
#ifndef LEDGER_KEY_H
#define LEDGER_KEY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "ledger/disk.h"
#include "ledger/head.h"

/* What the file of this name says, if it is there. */
int key_read(struct disk *dir, const char *name, struct log_key *ret, bool *ret_missing, struct err *e);
/* A new key with a new name, which is in no file yet. */
int key_make(struct log_key *ret, struct err *e);
int key_write(struct disk *dir, const char *name, const struct log_key *key, struct err *e);
/* One line of text, for tests. -MALFORMED. */
int key_parse(struct span line, struct log_key *ret, struct err *e);

#endif
