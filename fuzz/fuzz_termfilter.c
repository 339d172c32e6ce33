#include "relay/termfilter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses mode and charset. What the filter says is kept inside its bounds by the sanitizers, and by buf:
 * a piece larger than promised would be lost. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const enum termfilter_mode mode = size > 0 && (data[0] & 1) != 0 ? TERMFILTER_PLAIN : TERMFILTER_PTY;
	const size_t skip = size > 0 ? 1 : 0;
	size_t at = skip;
	struct termfilter f;
	auto_buf out;

	termfilter_init(&f, mode, size > 0 ? data[0] >> 1 & 3 : 0);
	buf_init(&out, 2 * TERMFILTER_PIECE_MAX);
	while (at < size) {
		at += termfilter_run(&f, data + at, size - at, &out);
		if (out.failed)
			__builtin_trap();
		buf_reset(&out);
	}
	termfilter_end(&f, &out);
	termfilter_reset(&f, &out);
	if (out.failed)
		__builtin_trap();
	return 0;
}
