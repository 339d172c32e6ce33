#include "http/two_frames.h"

#include <nghttp2/nghttp2.h>

#define HEAD 9
#define S_MS 1000

void two_frames_init(struct two_frames *f, bool from_client)
{
	*f = (struct two_frames){ .noise = TWO_NOISE_MAX, .magic = from_client ? NGHTTP2_CLIENT_MAGIC_LEN : 0 };
}

static void refill(struct two_frames *f, uint64_t now_ms)
{
	const uint64_t passed = now_ms > f->at_ms ? now_ms - f->at_ms : 0;
	const uint64_t more = passed >= S_MS * (TWO_NOISE_MAX / TWO_NOISE_EACH_S) ? TWO_NOISE_MAX
										  : passed * TWO_NOISE_EACH_S / S_MS;

	if (more == 0)
		return; /* parts of one add up */
	f->noise = f->noise + more > TWO_NOISE_MAX ? TWO_NOISE_MAX : f->noise + (uint32_t)more;
	f->at_ms = now_ms;
}

void two_frames_credit(struct two_frames *f)
{
	f->noise = f->noise + TWO_NOISE_FOR_DATA > TWO_NOISE_MAX ? TWO_NOISE_MAX : f->noise + TWO_NOISE_FOR_DATA;
}

static bool is_noise(uint8_t type, uint8_t flags, uint32_t length)
{
	if (type == NGHTTP2_HEADERS)
		return false;
	if (type == NGHTTP2_DATA)
		return length == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0;
	return type != NGHTTP2_CONTINUATION || length == 0;
}

/* A head is whole. */
static bool begin(struct two_frames *f)
{
	const uint8_t type = f->head[3], flags = f->head[4];

	f->n = 0;
	f->left = (uint32_t)f->head[0] << 16 | (uint32_t)f->head[1] << 8 | f->head[2];
	f->number += type != NGHTTP2_CONTINUATION;
	f->block = (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION) && (flags & NGHTTP2_FLAG_END_HEADERS) == 0;
	if (!is_noise(type, flags, f->left))
		return true;
	if (f->noise == 0)
		return false;
	f->noise--;
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool two_frames_run(struct two_frames *f, const uint8_t *bytes, size_t n, uint64_t now_ms)
{
	size_t at = least(n, f->magic);

	f->magic -= (uint8_t)at; /* no more than it was */
	refill(f, now_ms);
	while (at < n) {
		const size_t skipped = least(n - at, f->left);

		at += skipped;
		f->left -= (uint32_t)skipped;
		if (at == n)
			return true;
		f->head[f->n++] = bytes[at++];
		if (f->n == HEAD && !begin(f))
			return false;
	}
	return true;
}

uint64_t two_frames_unfinished(const struct two_frames *f)
{
	const bool in_frame = f->left > 0 && f->head[3] != NGHTTP2_DATA;

	if (f->n > 0 && !f->block)
		return f->number + 2; /* the one that begins */
	return f->magic > 0 || f->block || in_frame ? f->number + 1 : 0;
}
