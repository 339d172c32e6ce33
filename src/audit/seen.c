#include "audit/seen.h"

#include "base/fnv.h"

static uint64_t hash_of(const char *name, size_t n)
{
	const uint64_t h = fnv(FNV_BASIS, name, n);

	return h != 0 ? h : 1;
}

/* Where it is, or the free slot where it would be: at least half of them are free. */
static size_t find(const struct seen *s, uint64_t hash)
{
	size_t at = hash % (2 * SEEN_MAX);

	while (s->slot[at] != 0 && s->slot[at] != hash)
		at = (at + 1) % (2 * SEEN_MAX);
	return at;
}

void seen_add(struct seen *s, const char *name, size_t n)
{
	const uint64_t hash = hash_of(name, n);
	const size_t at = find(s, hash);

	if (s->slot[at] != 0 || seen_is_full(s))
		return;
	s->slot[at] = hash;
	s->n++;
}

bool seen_has(const struct seen *s, const char *name, size_t n)
{
	return s->slot[find(s, hash_of(name, n))] != 0;
}
