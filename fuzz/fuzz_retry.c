/* What a server sends, at once and byte by byte: decided alike, and no change after the end. */
#include "fuzz.h"
#include "net/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct retry whole, bytes;
	size_t at = 0;

	retry_init(&whole);
	retry_init(&bytes);
	(void)retry_read(&whole, data, size);
	while (at < size && bytes.state == RETRY_MORE)
		(void)retry_read(&bytes, data + at++, 1);
	promise(whole.state == bytes.state);
	promise(whole.state != RETRY_YES || at >= 43);
	promise(whole.state == RETRY_MORE || retry_read(&whole, data, size) == (enum retry_state)bytes.state);
	return 0;
}
