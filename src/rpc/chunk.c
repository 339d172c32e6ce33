#include "rpc/chunk.h"

#include <stdint.h>

#include "base/text.h"

/* How long a character is that begins so; 0: none does. */
static size_t length_by(uint8_t first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* What could be the beginning of one character: its first byte, and more that may follow. */
static bool is_beginning(const uint8_t *bytes, size_t n)
{
	if (length_by(bytes[0]) <= n)
		return false;
	for (size_t i = 1; i < n; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t chunk_whole(const void *bytes, size_t n, bool last)
{
	size_t at = 0;

	if (n == 0 || last || text_is_utf8(bytes, n, &at))
		return n;
	return n - at < 4 && is_beginning((const uint8_t *)bytes + at, n - at) ? at : n;
}
