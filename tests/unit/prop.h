/* prop - seeded randomness for property tests.
 *
 * Owns:   struct prop: the seed and the state of a small generator (splitmix64).
 * Holds:  the same seed gives the same run. AMBIT_SEED sets it; without that it is a fixed number, so that a build is
 *         repeatable, and AMBIT_SOAK=n runs n times as many rounds with new seeds in each.
 * Called: from tests; a failing round prints its seed. */
#ifndef TESTS_PROP_H
#define TESTS_PROP_H

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

struct prop {
	uint64_t seed;
	uint64_t state;
};

static inline uint64_t prop_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	char *end;
	uint64_t number;

	if (text == NULL || text[0] == 0)
		return otherwise;
	number = strtoull(text, &end, 10);
	if (*end != 0)
		abort(); /* "large" would be no rounds at all: a test that cannot fail */
	return number;
}

static inline struct prop prop_round(uint64_t round)
{
	const uint64_t seed = prop_env("AMBIT_SEED", 20250) + round;

	return (struct prop){ .seed = seed, .state = seed };
}

static inline uint64_t prop_rounds(uint64_t few)
{
	const uint64_t times = prop_env("AMBIT_SOAK", 1);

	return few * (times > 0 ? times : 1);
}

static inline uint64_t prop_next(struct prop *p)
{
	uint64_t z = p->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 <= result < n */
static inline uint32_t prop_below(struct prop *p, uint32_t n)
{
	return (uint32_t)(prop_next(p) % n);
}

#define prop_fail(p, fmt, ...) fail_msg("AMBIT_SEED=%" PRIu64 ": " fmt, (p)->seed, ##__VA_ARGS__)

#endif
