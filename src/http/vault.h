/* vault - a secret of a grant, in memory of its own.
 *
 * Owns:   struct vault: its part of the locked memory (http/locked.h).
 * Holds:  the value is kept as it goes into its place. It comes once, and of a grant with one secret again whenever that is renewed. Without such memory there is no secret: -LIMIT.
 * Called: role ambit-http: vaults_init before it gives up mlock(2). */
#ifndef HTTP_VAULT_H
#define HTTP_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/terms.h"
#include "http/mask.h"

#define VAULT_PLACED_MAX (3 * MASK_SECRET_MAX + 256)

struct vault {
	uint8_t *pages; /* owned, for good; NULL: no value came */
	int sys_errno;  /* why there is no such memory; 0: there is */
	size_t n, n_placed;
};

/* Of all secrets that there may be. Never fails: what is missing is told when one is to be kept. */
void vaults_init(struct vault vaults[TERMS_SECRETS_MAX]);
/* Receives the value from who has the store, by the one message HTTP_SECRET, and makes what goes into the place. -LIMIT, -GONE, -MALFORMED: it has a character that no field can have. */
int vault_take(struct vault *v, int from, const struct terms_secret *place, struct err *e);
const char *vault_placed(const struct vault *v);
/* Of a value that comes in place of one: afterwards *now is that, and *was is given back. NULL: no memory, or it did not come; both are as they were. Else how both may be written. */
struct mask_set *vault_renew(struct vault *v, int from, const struct terms_secret *place, struct err *e);
/* How all of them may be written, to cover them; each of the terms' secrets has been taken. NULL: no memory. */
struct mask_set *vault_masks(const struct vault *vaults, const struct terms *t);

#endif
