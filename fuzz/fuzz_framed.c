/* Bytes of a protocol with messages: one ends where slow code says, whatever the pieces are.
 * Input: which protocol, how long the pieces are; the rest is what comes. */
#include <string.h>

#include "fuzz.h"
#include "http/framed.h"

/* How long the message is that begins there, with its head; more than n: it does not end there. */
static uint64_t message(enum framed_kind kind, const uint8_t *at, size_t n)
{
	unsigned head = 2, bytes = 0;
	uint64_t length = 0;

	if (kind == FRAMED_GRPC) {
		head = 5;
		bytes = 4;
	} else if (n >= 2) {
		bytes = (at[1] & 127) == 126 ? 2 : (at[1] & 127) == 127 ? 8 : 0;
		head = 2 + bytes + ((at[1] & 128) != 0 ? 4 : 0);
		length = bytes == 0 ? at[1] & 127 : 0;
	}
	if (n < head)
		return n + 1;
	for (unsigned i = 0; i < bytes; i++)
		length = length << 8 | at[(kind == FRAMED_GRPC ? 1 : 2) + i];
	return length > n - head ? n + 1 : head + length;
}

static bool ends(enum framed_kind kind, const uint8_t *bytes, size_t n)
{
	size_t at = 0;

	while (at < n) {
		const uint64_t whole = message(kind, bytes + at, n - at);

		if (kind == FRAMED_GRPC && (bytes[at] & 0x7c) != 0)
			return false;

		if (whole > n - at)
			return false;
		at += whole;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct framed f = { .kind = FRAMED_NOT };
	enum framed_kind kind;
	size_t piece;

	if (size < 2)
		return 0;
	kind = data[0] % 2 == 0 ? FRAMED_WEBSOCKET : FRAMED_GRPC;
	f.kind = (uint8_t)kind;
	piece = data[1] + 1u;
	data += 2;
	size -= 2;
	for (size_t at = 0, n; at < size; at += n) {
		n = piece < size - at ? piece : size - at;
		promise(framed_run(&f, data + at, n) == ends(kind, data, at + n));
	}
	return 0;
}
