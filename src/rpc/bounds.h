/* bounds - how much there may be in one line of JSON.
 *
 * Owns:   these numbers.
 * Holds:  what a line becomes in memory is a few times what it was.
 * Called: rpc/parse.h; the command line, which tells others of them. */
#ifndef RPC_BOUNDS_H
#define RPC_BOUNDS_H

#define PARSE_DEPTH_MAX 16u
#define PARSE_VALUES_MAX 20000u /* a run has 8192 texts at most, and half of them a name */

#endif
