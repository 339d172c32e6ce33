#include "base/sha1.h"

#include <string.h>

static uint32_t turn(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void schedule(const uint8_t block[64], uint32_t w[80])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (size_t i = 16; i < 80; i++)
		w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
}

struct names {
	uint32_t a, b, c, d, e;
};

/* One round: its function's value with its constant, and its word. */
static inline void turn_round(struct names *s, uint32_t mixed, uint32_t word)
{
	const uint32_t next = turn(s->a, 5) + mixed + s->e + word;

	s->e = s->d, s->d = s->c, s->c = turn(s->b, 30), s->b = s->a, s->a = next;
}

static void add_block(uint32_t state[5], const uint8_t block[64])
{
	struct names s = { state[0], state[1], state[2], state[3], state[4] };
	uint32_t w[80];

	schedule(block, w);
	for (size_t i = 0; i < 20; i++)
		turn_round(&s, ((s.b & s.c) | (~s.b & s.d)) + 0x5a827999, w[i]);
	for (size_t i = 20; i < 40; i++)
		turn_round(&s, (s.b ^ s.c ^ s.d) + 0x6ed9eba1, w[i]);
	for (size_t i = 40; i < 60; i++)
		turn_round(&s, ((s.b & s.c) | (s.b & s.d) | (s.c & s.d)) + 0x8f1bbcdc, w[i]);
	for (size_t i = 60; i < 80; i++)
		turn_round(&s, (s.b ^ s.c ^ s.d) + 0xca62c1d6, w[i]);
	state[0] += s.a, state[1] += s.b, state[2] += s.c, state[3] += s.d, state[4] += s.e;
}

void sha1_init(struct sha1 *s)
{
	static const uint32_t start[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };

	memcpy(s->state, start, sizeof start);
	s->total = 0;
}

void sha1_add(struct sha1 *s, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n > 0) {
		const size_t have = s->total % sizeof s->block, room = sizeof s->block - have;
		const size_t part = n < room ? n : room;

		memcpy(s->block + have, at, part);
		if (part == room)
			add_block(s->state, s->block);
		s->total += part;
		at += part;
		n -= part;
	}
}

void sha1_end(struct sha1 *s, uint8_t ret[SHA1_BYTES])
{
	static const uint8_t pad[64] = { 0x80 };
	const uint64_t bits = s->total * 8;
	uint8_t length[8];

	for (size_t i = 0; i < sizeof length; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha1_add(s, pad, 1 + (sizeof s->block + 55 - s->total % sizeof s->block) % sizeof s->block);
	sha1_add(s, length, sizeof length);
	for (size_t i = 0; i < SHA1_BYTES; i++)
		ret[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}
