/* A stored trace: what is taken is given again byte by byte, and is all that a trace promises. */
#include <string.h>

#include "fuzz.h"
#include "profile/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = TRACE_BYTES_MAX };
	struct trace t;
	struct err e = { .code = AMBIT_OK };
	const int r = trace_decode(data, size, &t, &e);

	promise(r == 0 || (r == -(int)e.code && e.msg[0] != 0));
	if (r < 0)
		return 0;
	for (size_t i = 0; i < t.n_steps; i++)
		promise(t.steps[i].symbol < t.n_symbols && t.steps[i].thread < t.threads);
	for (size_t i = 0; i < t.n_symbols; i++)
		promise(symbol_is(t.symbols[i], strlen(t.symbols[i])));
	trace_encode(&t, &out);
	promise(!out.failed && out.len == size && memcmp(out.data, data, size) == 0);
	trace_finish(&t);
	return 0;
}
