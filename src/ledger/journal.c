#include "ledger/journal.h"

#include <sodium.h>
#include <string.h>

#include "ledger/tile.h"

#define MAGIC 0x32474c41u       /* "ALG2" */
#define MAGIC_OLDER 0x31474c41u /* "ALG1": a root in the place of MAC and seal */

_Static_assert(JOURNAL_SEED_BYTES == crypto_kdf_KEYBYTES, "a seed is what keys are derived from");

static void make_mac(const struct journal_group *g, const struct hash *root, const uint8_t seed[JOURNAL_SEED_BYTES],
		     struct hash *ret)
{
	static const char what_for[crypto_kdf_CONTEXTBYTES] = "journal"; /* the seed signs, too */
	uint8_t key[crypto_generichash_KEYBYTES], room[JOURNAL_HEAD_BYTES + HASH_BYTES];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	journal_put_head(&text, g);
	buf_put(&text, root, sizeof *root);
	(void)crypto_kdf_derive_from_key(key, sizeof key, 1, what_for, seed); /* both know these lengths */
	(void)crypto_generichash(ret->bytes, sizeof ret->bytes, text.data, text.len, key, sizeof key);
	sodium_memzero(key, sizeof key);
}

void journal_seal(struct journal_group *g, const struct hash *root, const uint8_t seed[JOURNAL_SEED_BYTES])
{
	make_mac(g, root, seed, &g->mac);
	merkle_node(root, &g->mac, &g->seal);
}

void journal_put_head(struct buf *out, const struct journal_group *g)
{
	buf_put_u32(out, MAGIC);
	buf_put_u32(out, g->n);
	buf_put_u64(out, g->first);
	buf_put_u32(out, g->bytes);
}

void journal_put_tail(struct buf *out, const struct journal_group *g)
{
	buf_put(out, &g->mac, sizeof g->mac);
	buf_put(out, &g->seal, sizeof g->seal);
}

bool journal_is_older(const void *bytes, size_t n)
{
	struct rbuf r;

	rbuf_init(&r, bytes, n);
	return rbuf_u32(&r) == MAGIC_OLDER;
}

static void take_hash(struct rbuf *r, struct hash *ret)
{
	const uint8_t *bytes = rbuf_bytes(r, HASH_BYTES);

	if (bytes != NULL)
		memcpy(ret, bytes, HASH_BYTES);
}

bool journal_next(struct rbuf *r, struct journal_group *ret)
{
	if (rbuf_u32(r) != MAGIC)
		return false;
	ret->n = rbuf_u32(r);
	ret->first = rbuf_u64(r);
	ret->bytes = rbuf_u32(r);
	if (ret->bytes > JOURNAL_GROUP_MAX || ret->first > TREE_SIZE_MAX)
		return false;
	ret->entries = rbuf_bytes(r, ret->bytes);
	take_hash(r, &ret->mac);
	take_hash(r, &ret->seal);
	return !r->failed;
}

static int full_is_nothing(void *arg, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH])
{
	(void)arg, (void)level, (void)index, (void)row;
	return 0;
}

bool journal_follows(const struct journal_group *g, struct edge *edge)
{
	const uint8_t *entry;
	struct hash root, seal;
	uint32_t n = 0;
	struct rbuf r;
	size_t len;

	if (g->first != edge->size)
		return false;
	rbuf_init(&r, g->entries, g->bytes);
	for (; n < g->n && (entry = bundle_next(&r, &len)) != NULL; n++) {
		struct hash leaf;

		merkle_leaf(entry, len, &leaf);
		if (edge_add(edge, &leaf, full_is_nothing, NULL) < 0)
			return false;
	}
	edge_root(edge, &root);
	merkle_node(&root, &g->mac, &seal);
	return n == g->n && n > 0 && rbuf_done(&r) && hash_is(&seal, &g->seal);
}

bool journal_is_ours(const struct journal_group *g, const struct edge *edge, const uint8_t seed[JOURNAL_SEED_BYTES])
{
	struct hash root, mac;

	edge_root(edge, &root);
	make_mac(g, &root, seed, &mac);
	return sodium_memcmp(&mac, &g->mac, sizeof mac) == 0;
}
