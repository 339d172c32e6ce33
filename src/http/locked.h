/* locked - memory for what has the secret of a grant in it: never written to a disk, neither as swap nor in a dump, and wiped when it is given back.
 *
 * Owns:   one region of the process, OpenSSL's secure heap; its keys lie there, too.
 * Holds:  its size is fixed before mlock(2) is given up: what the limit of locked memory allows, LOCKED_MAX at most. When it is full there is none: nothing falls back to other memory.
 * Called: role ambit-http. OpenSSL 3.0 (CRYPTO_secure_malloc_init), mlock2(2) since Linux 4.4. */
#ifndef HTTP_LOCKED_H
#define HTTP_LOCKED_H

#include "base/buf.h"

#define LOCKED_MAX (4u << 20)
#define LOCKED_LEAST                                                                                                   \
	(512u                                                                                                          \
	 << 10) /* a secret of two kilobytes, and some requests; the longest one wants four times as much, and is refused without */

/* 0, -errno: there is none. */
int locked_init(void);

extern const struct memory locked_memory;

#endif
