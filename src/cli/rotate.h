/* rotate - `ambit ledger rotate`: the log is closed, and goes on in another under another key.
 *
 * Owns:   nothing: the ledger's process does it (ledger/store.h).
 * Holds:  it is done when this says so. While events are being recorded it is not, and with `wait` is tried until they have ended.
 * Called: cli_ledger. */
#ifndef CLI_ROTATE_H
#define CLI_ROTATE_H

#include <stdbool.h>

#include "cli/place.h"

/* Gives the exit status. */
int rotate(const struct place *place, bool wait, bool json);

#endif
