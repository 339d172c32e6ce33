/* claim - what says that an event writes trees in place while it lives.
 *
 * Owns:   <store>/.direct-e_...: a file with the paths of the trees, each with its NUL.
 * Holds:  it is locked for as long as its event lives; one that nobody has locked is a leftover of a supervisor that was killed, and who meets
 *         it removes it. A claim is made under the lock of the store, which a commit has from its look at the claims to its end: a
 *         commit that has begun is over before the claim is there, and any later one sees it. It keeps out commits, undos and
 *         recoveries of the same store, and nobody else; claims do not keep out each other. Trees are compared by path: what is mounted in
 *         a second place is another tree there.
 * Called: supervisor (makes and ends its own), role ambit-stage (looks). */
#ifndef STAGE_CLAIM_H
#define STAGE_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "stage/store.h"

#define CLAIM_PREFIX ".direct-"    /* then the event's id */
#define CLAIM_BYTES_MAX (1u << 20) /* what is granted takes less: GRANT_POOL_MAX */

/* Waits, bounded, for the commit that has begun. store_fd must be open for nobody else: its lock is taken and let go of. Trees are absolute,
 * normal and real, at least one. *ret_fd is owned, and -1 where the store cannot be written, so that nobody commits from it either.
 * -CONFLICT: the commit took too long. -SYSTEM. */
int claim_make(int store_fd, const char *event, const char *const *trees, size_t n, int *ret_fd, struct err *e);

/* Whether a living event claims the path, what lies beneath it, or what it lies beneath; which, "" if that is not known. What cannot be read, or
 * is none of ours, claims everything. Only with the lock of the store held it stays so. */
bool claim_find(int store_fd, const char *path, char ret_event[STAGE_ID_MAX]);

/* When no process of the event is left. *fd may be -1, and is so afterwards. */
void claim_end(int store_fd, const char *event, int *fd);

#endif
