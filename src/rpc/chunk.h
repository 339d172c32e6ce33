/* chunk - text in pieces, each of whole characters.
 *
 * Called: the roles ambit-rpc and ambit-mcp; pure. */
#ifndef RPC_CHUNK_H
#define RPC_CHUNK_H

#include <stdbool.h>
#include <stddef.h>

/* So many of the n bytes are told now: those of whole characters, if it is text, else all. `last`: nothing comes behind them. */
size_t chunk_whole(const void *bytes, size_t n, bool last);

#endif
