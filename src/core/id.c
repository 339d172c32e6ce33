#include "core/id.h"

#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 5 bits of a 130-bit number whose top 2 bits are 0, counted from the left. */
static unsigned five_bits(const uint8_t bytes[16], unsigned position)
{
	unsigned value = 0;

	for (unsigned i = 0; i < 5; i++) {
		const unsigned bit = position * 5 + i;

		value <<= 1;
		if (bit >= 2)
			value |= bytes[(bit - 2) / 8] >> (7 - (bit - 2) % 8) & 1u;
	}
	return value;
}

void id_put_time(uint8_t ret[ID_TIME], uint64_t unix_ms)
{
	for (size_t i = 0; i < ID_TIME; i++)
		ret[i] = (uint8_t)(unix_ms >> (40 - 8 * i) & 0xff);
}

void id_write(char prefix, uint64_t unix_ms, const uint8_t random[ID_RANDOM], char ret[ID_TEXT_MAX])
{
	uint8_t bytes[ID_TIME + ID_RANDOM];

	id_put_time(bytes, unix_ms);
	memcpy(bytes + ID_TIME, random, ID_RANDOM);
	ret[0] = prefix;
	ret[1] = '_';
	for (unsigned i = 0; i < 26; i++)
		ret[2 + i] = alphabet[five_bits(bytes, i)];
	ret[ID_LEN] = 0;
}

static bool in_alphabet(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U');
}

bool id_is(char prefix, const void *bytes, size_t n)
{
	const char *s = bytes;

	if (n != ID_LEN || s[0] != prefix || s[1] != '_' || s[2] > '7')
		return false;
	for (size_t i = 2; i < ID_LEN; i++)
		if (!in_alphabet(s[i]))
			return false;
	return true;
}

/* The first ten characters. */
uint64_t id_ms(const char *id)
{
	uint64_t ms = 0;

	for (size_t i = 2; i < 12; i++)
		ms = ms << 5 | (uint64_t)(strchr(alphabet, id[i]) - alphabet);
	return ms;
}

void id_read(const char *id, uint8_t ret[ID_TIME + ID_RANDOM])
{
	uint32_t left = 0; /* bits that are no byte yet */
	unsigned n = 0;

	for (size_t i = 2, at = 0; i < ID_LEN; i++) {
		left = left << 5 | (uint32_t)(strchr(alphabet, id[i]) - alphabet);
		n += i == 2 ? 3 : 5; /* the first has three */
		if (n < 8)
			continue;
		n -= 8;
		ret[at++] = (uint8_t)(left >> n);
		left &= (1u << n) - 1;
	}
}
