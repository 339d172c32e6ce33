/* tile - where the parts of a log lie, and what an entry bundle is.
 *
 * Owns:   the names of tiles and entry bundles (C2SP tlog-tiles v1).
 * Holds:  a path is relative to the log's directory and has no part but those of the specification.
 * Called: ledger; pure. */
#ifndef LEDGER_TILE_H
#define LEDGER_TILE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TILE_ENTRIES UINT_MAX /* in place of a level: the bundle of a tile's entries */
#define TILE_PATH_MAX 64      /* "tile/entries/x009/x223/x372/x036/x854/x775/807.p/255" */
#define ENTRY_BYTES_MAX 65535u

/* tile/<level>/<index>[.p/<width>]; width from 1 to TILE_WIDTH, which is full. */
void tile_path(char ret[TILE_PATH_MAX], unsigned level, uint64_t index, unsigned width);

/* The next entry of a bundle, in place; NULL at its end, and where it is cut (then r->failed). */
const uint8_t *bundle_next(struct rbuf *r, size_t *ret_n);
void bundle_put(struct buf *out, const void *entry, size_t n); /* n <= ENTRY_BYTES_MAX */

#endif
