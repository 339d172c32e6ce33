/* Any bytes as what ambit-index answers: what is taken ascends, is of the size that is told, and is written again as it came. */
#include <string.h>

#include "audit/numbers.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t each[NUMBERS_MAX];
	auto_buf out = { .max = NUMBERS_BYTES_MAX };
	struct numbers v;

	if (!numbers_decode(span_bytes(data, size), &v)) {
		promise(!v.any && v.n == 0 && v.size == 0);
		return 0;
	}
	promise(v.n <= NUMBERS_MAX && (v.any || v.size == 0));
	for (size_t i = 0; i < v.n; i++) {
		each[i] = numbers_at(&v, i);
		promise(each[i] < v.size && (i == 0 || each[i] > each[i - 1]));
	}
	numbers_encode(&v, each, &out);
	promise(span_equal(span_bytes(out.data, out.len), span_bytes(data, size)));
	return 0;
}
