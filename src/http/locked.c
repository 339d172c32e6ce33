#include "http/locked.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/resource.h>

#define LEAST_BLOCK 64 /* what it is divided into, in the end */

int locked_init(void)
{
	struct rlimit limit = { .rlim_cur = 0 };
	size_t size = LOCKED_MAX;

	(void)getrlimit(RLIMIT_MEMLOCK, &limit); /* of one's own process: cannot fail */
	while (size > limit.rlim_cur)
		size /= 2;
	if (size < LOCKED_LEAST)
		return -ENOMEM;
	errno = 0;
	return CRYPTO_secure_malloc_init(size, LEAST_BLOCK) == 1 ? 0 : errno != 0 ? -errno : -ENOMEM;
}

static size_t size_of(void *at)
{
	return at != NULL ? OPENSSL_secure_actual_size(at) : 0;
}

static void *grow(void *old, size_t size)
{
	const size_t has = size_of(old);
	void *grown;

	if (old != NULL && size <= has)
		return old;
	grown = OPENSSL_secure_malloc(size);
	if (grown != NULL && old != NULL) {
		memcpy(grown, old, has);
		OPENSSL_secure_free(old); /* which wipes it */
	}
	return grown;
}

static void give(void *at)
{
	OPENSSL_secure_free(at);
}

const struct memory locked_memory = { .grow = grow, .give = give, .size = size_of };
