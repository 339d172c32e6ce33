/* prune - removing payloads beside the log, as the person.
 *
 * Owns:   what is removed: files in the directory of payloads that have a payload's name, and which an entry that was signed long enough ago names, or none.
 * Holds:  the ledger has durably that they go before the first one does. Which entries there are says the role ambit-audit, of a log that is what was
 *         signed, in messages of one size. How old something is says its entry; of what no entry names, the kernel (ctime), and then only if
 *         nobody is about to name it (lib/payload.h).
 * Called: cli_ledger. */
#ifndef CLI_PRUNE_H
#define CLI_PRUNE_H

#include <stdbool.h>

#include "audit/ask.h"
#include "cli/place.h"

struct prune_how {
	uint64_t before_ms;
	bool dry_run; /* say what would go, and remove nothing */
	bool json;
};

/* Gives the exit status. key: as of audit_ask. */
int prune(const struct place *place, const char *key, const struct prune_how *how);

#endif
