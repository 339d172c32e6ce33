#include "ledger/merkle.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

_Static_assert(HASH_BYTES == crypto_hash_sha256_BYTES, "a hash is one of SHA-256");

bool hash_is(const struct hash *a, const struct hash *b)
{
	return memcmp(a->bytes, b->bytes, HASH_BYTES) == 0; /* nothing here is secret */
}

void merkle_leaf(const void *entry, size_t n, struct hash *ret)
{
	static const uint8_t prefix[] = { 0 };
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, prefix, sizeof prefix);
	crypto_hash_sha256_update(&state, entry, n);
	crypto_hash_sha256_final(&state, ret->bytes);
}

void merkle_node(const struct hash *left, const struct hash *right, struct hash *ret)
{
	uint8_t both[1 + 2 * HASH_BYTES] = { 1 };

	memcpy(both + 1, left->bytes, HASH_BYTES);
	memcpy(both + 1 + HASH_BYTES, right->bytes, HASH_BYTES);
	crypto_hash_sha256(ret->bytes, both, sizeof both);
}

void merkle_nothing(struct hash *ret)
{
	crypto_hash_sha256(ret->bytes, NULL, 0);
}

/* The root over 2^height hashes. */
static void perfect(const struct hash *row, unsigned height, struct hash *ret)
{
	struct hash up[TILE_WIDTH];
	size_t n = (size_t)1 << height;

	memcpy(up, row, n * sizeof *up);
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			merkle_node(&up[2 * i], &up[2 * i + 1], &up[i]);
	*ret = up[0];
}

/* Hangs a row in front of what stands to its right: acc, if there is any. Its complete subtrees are those of the binary digits of n, the
 * smallest last. */
static void fold(const struct hash *row, size_t n, struct hash *acc, bool *any)
{
	for (unsigned height = 0; n >> height != 0; height++) {
		const size_t end = n >> height << height;
		struct hash part;

		if ((n >> height & 1) == 0)
			continue;
		perfect(row + end - ((size_t)1 << height), height, &part);
		if (*any)
			merkle_node(&part, acc, acc);
		else
			*acc = part;
		*any = true;
	}
}

void merkle_row(const struct hash *row, size_t n, struct hash *ret)
{
	bool any = false;

	fold(row, n, ret, &any);
}

/* How many hashes a level of tiles has in all. */
static uint64_t level_width(uint64_t size, unsigned level)
{
	return size >> (TILE_HEIGHT * level);
}

unsigned tile_width(uint64_t size, unsigned level, uint64_t index)
{
	const uint64_t all = level < TILE_LEVELS ? level_width(size, level) : 0;
	const uint64_t full = all / TILE_WIDTH;

	return index < full ? TILE_WIDTH : index == full ? (unsigned)(all % TILE_WIDTH) : 0;
}

uint64_t tile_at_edge(uint64_t size, unsigned level)
{
	return level_width(size, level) / TILE_WIDTH;
}

/* ---- the right edge ---- */

void edge_init(struct edge *e)
{
	e->size = 0;
}

unsigned edge_width(const struct edge *e, unsigned level)
{
	return (unsigned)(level_width(e->size, level) % TILE_WIDTH);
}

int edge_add(struct edge *e, const struct hash *leaf, edge_full_fn *full, void *arg)
{
	struct hash up = *leaf;

	if (e->size == TREE_SIZE_MAX)
		return -EOVERFLOW;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		const unsigned width = edge_width(e, level);
		int r;

		e->row[level][width] = up;
		if (width + 1 < TILE_WIDTH)
			break;
		perfect(e->row[level], TILE_HEIGHT, &up);
		r = full(arg, level, tile_at_edge(e->size, level), e->row[level]);
		if (r < 0)
			return r;
	}
	e->size++;
	return 0;
}

void edge_root(const struct edge *e, struct hash *ret)
{
	bool any = false;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		fold(e->row[level], edge_width(e, level), ret, &any);
	if (!any)
		merkle_nothing(ret);
}

int edge_load(struct edge *ret, uint64_t size, const struct tile_source *s, struct err *e)
{
	ret->size = size;
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		const unsigned width = edge_width(ret, level);
		const int r = width == 0 ? 0
					 : s->read(s->arg, level, tile_at_edge(size, level), width, ret->row[level], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- parts of a tree, from tiles ---- */

/* The root of entries [start, start + 2^height), where start is a multiple of 2^height and the tree of this size has all of them. */
static int complete(uint64_t start, unsigned height, uint64_t size, const struct tile_source *s, struct hash *ret,
		    struct err *e)
{
	const unsigned level = height / TILE_HEIGHT, rest = height % TILE_HEIGHT;
	const uint64_t first = start >> (TILE_HEIGHT * level);
	const uint64_t index = first / TILE_WIDTH;
	struct hash row[TILE_WIDTH];
	const int r = s->read(s->arg, level, index, tile_width(size, level, index), row, e);

	if (r < 0)
		return r;
	perfect(row + first % TILE_WIDTH, rest, ret);
	return 0;
}

/* The largest power of two, as its exponent, that is smaller than n > 1. */
static unsigned split(uint64_t n)
{
	return 63u - (unsigned)__builtin_clzll(n - 1);
}

static bool is_power(uint64_t n)
{
	return (n & (n - 1)) == 0;
}

/* The root of entries [start, end), of which start is a multiple of a power of two not below end - start, as in each step of a proof. */
static int range(uint64_t start, uint64_t end, uint64_t size, const struct tile_source *s, struct hash *ret,
		 struct err *e)
{
	struct hash left[MERKLE_PROOF_MAX];
	size_t n = 0;
	int r = 0;

	while (!is_power(end - start) && r == 0) {
		const unsigned height = split(end - start);

		r = complete(start, height, size, s, &left[n++], e);
		start += UINT64_C(1) << height;
	}
	if (r == 0)
		r = complete(start, (unsigned)__builtin_ctzll(end - start), size, s, ret, e);
	while (r == 0 && n > 0)
		merkle_node(&left[--n], ret, ret);
	return r;
}

static void reverse(struct hash *proof, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		const struct hash kept = proof[i];

		proof[i] = proof[n - 1 - i];
		proof[n - 1 - i] = kept;
	}
}

int merkle_prove(uint64_t index, uint64_t size, const struct tile_source *s, struct hash ret[MERKLE_PROOF_MAX],
		 size_t *ret_n, struct err *e)
{
	uint64_t start = 0, end = size;
	size_t n = 0;
	int r = 0;

	while (end - start > 1 && r == 0) {
		const uint64_t middle = start + (UINT64_C(1) << split(end - start));

		if (index < middle) {
			r = range(middle, end, size, s, &ret[n++], e);
			end = middle;
		} else {
			r = range(start, middle, size, s, &ret[n++], e);
			start = middle;
		}
	}
	if (r < 0)
		return r;
	reverse(ret, n);
	*ret_n = n;
	return 0;
}

bool merkle_check(const struct hash *leaf, uint64_t index, uint64_t size, const struct hash *proof, size_t n,
		  const struct hash *root)
{
	uint64_t at = index, last = size - 1;
	struct hash up = *leaf;

	if (index >= size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (last == 0)
			return false;
		if ((at & 1) == 0 && at != last) {
			merkle_node(&up, &proof[i], &up);
		} else {
			merkle_node(&proof[i], &up, &up);
			while ((at & 1) == 0 && at != 0) {
				at >>= 1;
				last >>= 1;
			}
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && hash_is(&up, root);
}

int merkle_prove_growth(uint64_t old, uint64_t size, const struct tile_source *s, struct hash ret[MERKLE_PROOF_MAX],
			size_t *ret_n, struct err *e)
{
	uint64_t start = 0, end = size;
	size_t n = 0;
	int r = 0;

	while (old != end && r == 0) {
		const uint64_t middle = start + (UINT64_C(1) << split(end - start));

		if (old <= middle) {
			r = range(middle, end, size, s, &ret[n++], e);
			end = middle;
		} else {
			r = range(start, middle, size, s, &ret[n++], e);
			start = middle;
		}
	}
	if (r == 0 && start != 0) /* else it is the old root itself, which the other side has */
		r = range(start, end, size, s, &ret[n++], e);
	if (r < 0)
		return r;
	reverse(ret, n);
	*ret_n = n;
	return 0;
}

bool merkle_check_growth(uint64_t old, const struct hash *old_root, uint64_t size, const struct hash *root,
			 const struct hash *proof, size_t n)
{
	uint64_t at = old - 1, last = size - 1;
	struct hash of_old, of_new;
	size_t i = 0;

	if (old == 0 || old > size)
		return false;
	if (old == size)
		return n == 0 && hash_is(old_root, root);
	while ((at & 1) != 0) {
		at >>= 1;
		last >>= 1;
	}
	if (at == 0) /* a complete tree: its root is the first hash of the proof */
		of_old = *old_root;
	else if (n == 0)
		return false;
	else
		of_old = proof[i++];
	of_new = of_old;
	for (; i < n; i++) {
		if (last == 0)
			return false;
		if ((at & 1) == 0 && at != last) {
			merkle_node(&of_new, &proof[i], &of_new);
		} else {
			merkle_node(&proof[i], &of_old, &of_old);
			merkle_node(&proof[i], &of_new, &of_new);
			while ((at & 1) == 0 && at != 0) {
				at >>= 1;
				last >>= 1;
			}
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && hash_is(&of_old, old_root) && hash_is(&of_new, root);
}
