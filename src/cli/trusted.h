/* trusted - a policy file that the person names, held against what the person trusted before.
 *
 * Owns:   the question that is asked when a trusted policy has changed.
 * Holds:  the bytes that are used are those that were shown and checked; the file is not opened again. A file that was never
 *         trusted is used because it was named; one that was trusted and has changed is used only after a yes, which only a
 *         person at a terminal can give.
 * Called: options (--policy), cli_policy (trust). */
#ifndef CLI_TRUSTED_H
#define CLI_TRUSTED_H

#include "ambit/ambit.h"

/* Loads the policy for one use. */
int trusted_load(struct ambit_policy *p, const char *file, struct ambit_error *e);
/* Trusts it as it is now, after showing what changed; *ret_how: "trusted", "trusted already". */
int trusted_store(const char *file, const char **ret_how, struct ambit_error *e);

#endif
