/* xattr - extended attributes: the overlay's own, which never reach the real tree, and those that belong to a file.
 *
 * Owns:   which attributes are the overlay's (user.overlay.*), which are a file's (the rest of user.*, POSIX access lists), which
 *         are nobody's concern (security.selinux) and that all others are foreign.
 * Holds:  descriptors are open for reading, of a regular file or a directory.
 * Called: from stage/ only. */
#ifndef STAGE_XATTR_H
#define STAGE_XATTR_H

#include <stdbool.h>

#include "base/sha256.h"

struct xattr_scan {
	bool overlay; /* has any of the overlay's */
	bool origin, opaque;
	bool own;     /* has any of a file's */
	bool foreign; /* has one that cannot be committed (security.capability) */
};

int xattr_scan(int fd, struct xattr_scan *ret); /* 0 or -errno, as all of these */
/* 1 if the files' own attributes are the same, 0 if not; of_a is what was found on `a`. */
int xattr_same(const struct xattr_scan *of_a, int a, int b);
/* The digest of names and values of the file's own attributes. 1, or 0: it has none. */
int xattr_sum(int fd, uint8_t ret[SHA256_BYTES]);
int xattr_strip(int fd);
/* Makes the own attributes of `to` those of `from`. */
int xattr_copy(int from, int to);
int xattr_set_opaque(int fd);
int xattr_unset_opaque(int fd);
int xattr_set_origin(int fd);

#endif
