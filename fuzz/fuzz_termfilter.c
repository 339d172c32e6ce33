/* Bytes of a program to a terminal. A piece larger than promised would not fit, and be seen here. */
#include "relay/termfilter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void filter(const uint8_t *data, size_t size, enum termfilter_mode mode, unsigned options)
{
	size_t at = 0;
	struct termfilter f;
	auto_buf out = { .max = 0 };

	termfilter_init(&f, mode, options);
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
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	filter(data, size, TERMFILTER_PTY, 0);
	filter(data, size, TERMFILTER_PTY, TERMFILTER_ASCII | TERMFILTER_MUTE);
	filter(data, size, TERMFILTER_PLAIN, 0);
	return 0;
}
