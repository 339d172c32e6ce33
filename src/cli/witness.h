/* witness - asking witnesses to cosign the ledger's checkpoint, as the person.
 *
 * Owns:   LEDGER_WITNESS and LEDGER_WITNESSES beside the log: what was cosigned, one file for each key, and who is asked.
 * Holds:  what a witness answers is read by the role ambit-witness, which has the connected socket and nothing else; what is in the log, by ambit-audit.
 *         Here are only their messages of fixed size, and bytes that are stored. A file is replaced whole or not at all, and never by an older
 *         one: whoever asks holds a lock from before what is kept was read.
 * Called: cli_ledger. */
#ifndef CLI_WITNESS_H
#define CLI_WITNESS_H

#include <stdbool.h>

#include "cli/place.h"

struct witness_how {
	const char *url, *key; /* NULL: all that were asked before; as was given with the address before */
	bool list, forget;     /* say who they are; do not ask this one any more */
	bool json;
};

/* Gives the exit status. */
int witness(const struct place *place, const struct witness_how *how);

#endif
