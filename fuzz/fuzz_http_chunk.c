/* A body in chunks, at once, and in pieces of which the first byte of each says how long it is: the same either way. */
#include <string.h>

#include "fuzz.h"
#include "http/chunk.h"

struct outcome {
	enum chunk_result result;
	size_t taken, n;
	uint64_t sum; /* of the body's bytes, in their order */
};

static void take(struct chunked *c, const uint8_t *bytes, size_t n, struct outcome *ret)
{
	size_t end = ret->taken + n;

	do {
		size_t taken = 0, data = 0;

		ret->result = chunked_take(c, bytes + ret->taken, end - ret->taken, &taken, &data);
		promise(taken <= end - ret->taken && data <= taken && (data > 0) == (ret->result == CHUNK_DATA));
		promise(ret->result != CHUNK_MORE || taken == end - ret->taken);
		ret->taken += taken;
		ret->n += data;
		for (size_t i = data; i > 0; i--)
			ret->sum = ret->sum * 31 + bytes[ret->taken - i];
	} while (ret->taken < end && ret->result < CHUNK_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = { .result = CHUNK_MORE }, pieces = { .result = CHUNK_MORE };
	struct chunked c;

	chunked_init(&c);
	take(&c, data, size, &whole);
	chunked_init(&c);
	while (pieces.taken < size && pieces.result < CHUNK_END) {
		const size_t wanted = 1 + data[pieces.taken] % 16u, left = size - pieces.taken;

		take(&c, data, wanted < left ? wanted : left, &pieces);
	}
	promise(whole.taken == pieces.taken && whole.n == pieces.n && whole.sum == pieces.sum);
	promise((whole.result >= CHUNK_END ? whole.result : CHUNK_MORE) ==
		(pieces.result >= CHUNK_END ? pieces.result : CHUNK_MORE));
	return 0;
}
