/* A file that says what is frozen: what is taken is the same when it is written and read once more. */
#include <string.h>

#include "fuzz.h"
#include "supervisor/frozen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frozen f = { .since_ms = 0 };
	uint8_t again[FROZEN_BYTES];
	struct buf b;

	if (!frozen_decode(data, size, &f))
		return 0;
	buf_init_in(&b, again, sizeof again);
	frozen_encode(&f, &b);
	promise(size == FROZEN_BYTES && b.len == size && memcmp(again, data, size) == 0);
	return 0;
}
