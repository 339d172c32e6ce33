#include "sign/algorithm.h"

#include <string.h>

#include "sign/sshtext.h"

static const struct {
	const char *name, *key;
	uint32_t flags;
	bool proves;
	size_t half;
} rows[ALGORITHM_COUNT] = {
	[ALGORITHM_NONE] = { "", "", 0, false, 0 },
	[ALGORITHM_ED25519] = { "ssh-ed25519", "ssh-ed25519", 0, true, 0 },
	[ALGORITHM_P256] = { "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", 0, true, 32 },
	[ALGORITHM_P384] = { "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", 0, true, 48 },
	[ALGORITHM_P521] = { "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", 0, true, 66 },
	[ALGORITHM_RSA_SHA256] = { "rsa-sha2-256", "ssh-rsa", 2, true, 0 },
	[ALGORITHM_RSA_SHA512] = { "rsa-sha2-512", "ssh-rsa", 4, true, 0 },
	[ALGORITHM_SK_ED25519] = { "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519@openssh.com", 0, false, 0 },
	[ALGORITHM_SK_P256] = { "sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", 0, false,
				0 },
};

const char *algorithm_name(enum algorithm a)
{
	return rows[a].name;
}

const char *algorithm_key(enum algorithm a)
{
	return rows[a].key;
}

uint32_t algorithm_flags(enum algorithm a)
{
	return rows[a].flags;
}

bool algorithm_proves(enum algorithm a)
{
	return rows[a].proves;
}

size_t algorithm_half(enum algorithm a)
{
	return rows[a].half;
}

static enum algorithm find(struct span text, bool by_key)
{
	for (enum algorithm a = ALGORITHM_NONE + 1; a < ALGORITHM_COUNT; a++)
		if (span_equal(text, span_of(by_key ? rows[a].key : rows[a].name)))
			return a;
	return ALGORITHM_NONE;
}

enum algorithm algorithm_find(struct span name)
{
	return find(name, false);
}

enum algorithm algorithm_of_key(struct span blob)
{
	struct rbuf in = ssh_within(blob);
	const struct span type = ssh_string(&in);

	return in.failed ? ALGORITHM_NONE : find(type, true);
}
