/* directory - places of the caller's own.
 *
 * Owns:   how a place is made where only its owner may look.
 * Holds:  what is opened belongs to the caller, and nobody else can look into it. Links in the path are followed: it is the caller's word.
 * Called: whoever keeps something between events (stages, the ledger). */
#ifndef BASE_DIRECTORY_H
#define BASE_DIRECTORY_H

#include <stdbool.h>

/* Whether it is the caller's, and nobody else's to read. */
bool directory_is_own(int fd);
/* Opens the directory, which is made where it is missing, with its parents, each with mode 0700. Owned; -errno; -EPERM: it is there, and
 * another's or for others to look into. */
int directory_open_own(const char *path, int *ret_fd);

#endif
