#include "ledger/tile.h"

#include <stdio.h>
#include <string.h>

#include "ledger/merkle.h"

void tile_path(char ret[TILE_PATH_MAX], unsigned level, uint64_t index, unsigned width)
{
	char number[TILE_PATH_MAX], of[12] = "entries", partial[8] = "";
	size_t at = sizeof number - 1;

	number[at] = 0;
	for (bool last = true; last || index > 0; last = false, index /= 1000) { /* from the last part to the first */
		char part[8];
		const int n = snprintf(part, sizeof part, last ? "%03u" : "x%03u/", (unsigned)(index % 1000));

		at -= (size_t)n;
		memcpy(number + at, part, (size_t)n);
	}
	if (level != TILE_ENTRIES)
		(void)snprintf(of, sizeof of, "%u", level);
	if (width < TILE_WIDTH)
		(void)snprintf(partial, sizeof partial, ".p/%u", width % TILE_WIDTH);
	(void)snprintf(ret, TILE_PATH_MAX, "tile/%s/%s%s", of, number + at,
		       partial); /* it fits: a test has the longest */
}

const uint8_t *bundle_next(struct rbuf *r, size_t *ret_n)
{
	uint8_t high;

	if (rbuf_left(r) == 0)
		return NULL;
	high = rbuf_u8(r);
	*ret_n = (size_t)high << 8 | rbuf_u8(r);
	return rbuf_bytes(r, *ret_n);
}

void bundle_put(struct buf *out, const void *entry, size_t n)
{
	buf_put_u8(out, (uint8_t)(n >> 8));
	buf_put_u8(out, (uint8_t)n);
	buf_put(out, entry, n);
}
