/* keystore - certificates as Java reads them: its format JKS, version 2, of trusted certificates alone.
 *
 * Owns:   struct keystore: the bytes, while they are put together.
 * Holds:  each certificate has a name of its own; the same certificates give the same bytes. Its password is the one that everybody has, and
 *         protects nothing.
 * Called: cell only; pure but for the buffer. */
#ifndef CELL_KEYSTORE_H
#define CELL_KEYSTORE_H

#include "base/buf.h"

struct keystore {
	struct buf *out; /* borrowed */
	uint32_t n;
};

/* Into out, which is empty and the caller's. */
void keystore_begin(struct keystore *k, struct buf *out);
void keystore_add(struct keystore *k, const void *der, size_t n);
/* Whether it all fitted. */
bool keystore_end(struct keystore *k);

#endif
