/* result - what an entry of the type `result` names beside the log.
 *
 * Owns:   the reading of its body. Its writer is lib/event_record.c.
 * Called: ledger (before the entry is durable, beside.h), audit; pure. */
#ifndef LEDGER_RESULT_H
#define LEDGER_RESULT_H

#include "ledger/entry.h"
#include "ledger/payload.h"

/* Whether the entry is a `result` with a payload. -MALFORMED: it is one, and does not say which. 1, 0. */
int payload_of(const struct entry *entry, struct payload *ret);

#endif
