#include "ledger/payload.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void payload_name(const uint8_t digest[SHA256_BYTES], char ret[PAYLOAD_NAME_MAX])
{
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[2 * SHA256_BYTES] = 0;
}

bool payload_name_take(const void *name, size_t n, uint8_t ret[SHA256_BYTES])
{
	const char *at = name;
	uint8_t digest[SHA256_BYTES] = { 0 };

	if (n != 2 * SHA256_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *digit = memchr(digits, at[i], sizeof digits - 1);

		if (digit == NULL)
			return false;
		digest[i / 2] = (uint8_t)(digest[i / 2] << 4 | (digit - digits));
	}
	memcpy(ret, digest, sizeof digest);
	return true;
}
