#include "mcp/seal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "base/text.h"
#include "core/id.h"

#define STATE_S (UINT64_C(3600)) /* for so long a client may bring it back */
#define SCOPE_MAX 128

static void seal(const uint8_t key[SEAL_KEY_BYTES], const char *scope, const char *text, char ret[SEAL_DIGEST_MAX])
{
	uint8_t inner[64], outer[64], digest[SHA256_BYTES];
	struct sha256 s;

	_Static_assert(SEAL_KEY_BYTES <= sizeof inner, "a key is not longer than a block");
	memset(inner, 0x36, sizeof inner);
	memset(outer, 0x5c, sizeof outer);
	for (size_t i = 0; i < SEAL_KEY_BYTES; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	sha256_init(&s);
	sha256_add(&s, inner, sizeof inner);
	sha256_add(&s, scope, strlen(scope) + 1);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, digest);
	sha256_init(&s);
	sha256_add(&s, outer, sizeof outer);
	sha256_add(&s, digest, sizeof digest);
	sha256_end(&s, digest);
	hex_write(digest, sizeof digest, ret);
}

void seal_make(const uint8_t key[SEAL_KEY_BYTES], const char *scope, const char *question, const char *digest,
	       char ret[SEAL_MAX])
{
	char mac[SEAL_DIGEST_MAX];

	(void)snprintf(ret, SEAL_MAX, SEAL_PREFIX "%s.%llu.%s", question, (unsigned long long)time(NULL) + STATE_S,
		       digest);
	seal(key, scope, ret, mac);
	(void)snprintf(ret + strlen(ret), SEAL_MAX - strlen(ret), ".%s", mac);
}

/* All of the bytes are looked at, whichever differs. */
static bool is_same(const char *a, const char *b, size_t n)
{
	uint8_t differs = 0;

	for (size_t i = 0; i < n; i++)
		differs |= (uint8_t)(a[i] ^ b[i]);
	return differs == 0;
}

/* Cuts the text at its last dot, and gives what was behind it. */
static const char *cut(char *text)
{
	char *at = strrchr(text, '.');

	if (at == NULL)
		return "";
	*at = 0;
	return at + 1;
}

bool seal_take(const uint8_t key[SEAL_KEY_BYTES], const char *scope, const char *state, const char *digest)
{
	char text[SEAL_MAX], mac[SEAL_DIGEST_MAX];
	const char *behind;
	uint64_t until;

	if (!text_copy(text, sizeof text, state))
		return false;
	behind = cut(text);
	seal(key, scope, text, mac);
	if (strlen(behind) != SEAL_DIGEST_MAX - 1 || !is_same(mac, behind, SEAL_DIGEST_MAX - 1))
		return false;
	/* it is ours: what is in it is as we made it */
	return strcmp(cut(text), digest) == 0 && parse_u64(cut(text), 0, UINT64_MAX, &until) &&
	       (uint64_t)time(NULL) <= until;
}
