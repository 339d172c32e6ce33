/* vault - the secret of a grant, in memory of its own.
 *
 * Owns:   struct vault: its part of the locked memory (http/locked.h).
 * Holds:  the value comes once, and is kept as it goes into its place. Without such memory there is no secret: -LIMIT.
 * Called: role ambit-http: vault_init before it gives up mlock(2). */
#ifndef HTTP_VAULT_H
#define HTTP_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/terms.h"
#include "http/mask.h"

#define VAULT_PLACED_MAX (3 * MASK_SECRET_MAX + 256)

struct vault {
	uint8_t *pages; /* owned, for good; NULL: none were to be had */
	int sys_errno;  /* why */
	size_t n, n_placed;
};

/* Never fails: what is missing is told when a secret is to be kept. */
void vault_init(struct vault *v);
/* Receives the value from who has the store, by the one message HTTP_SECRET, and makes what goes into the place. -LIMIT, -GONE, -MALFORMED: it has a character that no field can have. */
int vault_take(struct vault *v, int from, const struct terms_secret *place, struct err *e);
const char *vault_placed(const struct vault *v);
/* How it may be written, to cover it. NULL: no memory. */
struct mask_set *vault_masks(const struct vault *v, const struct terms_secret *place);

#endif
