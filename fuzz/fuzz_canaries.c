/* A list of canaries: what is taken is the same when it is written and read once more. */
#include <string.h>

#include "core/canary.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct canaries c;
	auto_buf again = { .max = CANARIES_TEXT_MAX };

	if (canaries_read((const char *)data, size, &c, NULL) < 0)
		return 0;
	canaries_write(&c, &again);
	promise(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);
	return 0;
}
