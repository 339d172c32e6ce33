/* stamp - when an entry was made, by the ledger's clocks.
 *
 * Owns:   nothing. Holds: only the ledger's process says when; whoever appends does not.
 * Called: ledger/serve.c, ledger/store.c. */
#ifndef LEDGER_STAMP_H
#define LEDGER_STAMP_H

#include "ledger/entry.h"

uint64_t stamp_wall_ms(void);
uint64_t stamp_boot_us(void);
/* boot: the machine's, as entries have it. */
void stamp(struct entry *entry, const char *boot);

#endif
