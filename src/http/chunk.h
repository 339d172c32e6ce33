/* chunk - a body in chunks, taken out of them.
 *
 * Owns:   struct chunked: how far it was read.
 * Holds:  sizes are hexadecimal digits alone, 15 at most; an extension and a trailer are read and dropped, within a bound (a trailer may be: RFC 9112, 7.1.2; doc/NETWORK.md says why); a line that does not end in CR LF is refused.
 *         Bytes may come in any pieces.
 * Called: role ambit-http, on what programs in the cell and servers send; pure. */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_LINE_MAX 4096 /* of a size with its extensions, and of one field of a trailer */
#define CHUNK_TRAILER_MAX 16384

struct chunked {
	uint8_t state;
	uint8_t digits;
	uint64_t left;          /* of the chunk at hand */
	uint32_t line, trailer; /* bytes of it so far */
};

enum chunk_result { CHUNK_MORE, CHUNK_DATA, CHUNK_END, CHUNK_BAD };

void chunked_init(struct chunked *c);
/* Takes some of the n bytes, *ret_taken, from the first on. DATA: of them the last *ret_data are of the body. MORE: all are taken, and none is. END: the body and its
 * trailer are over; what follows is not the body's. */
enum chunk_result chunked_take(struct chunked *c, const uint8_t *bytes, size_t n, size_t *ret_taken, size_t *ret_data);

#endif
