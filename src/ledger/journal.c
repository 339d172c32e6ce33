#include "ledger/journal.h"

#include <string.h>

#include "ledger/tile.h"

#define MAGIC 0x31474c41u /* "ALG1" */

void journal_put_head(struct buf *out, uint32_t n, uint64_t first, uint32_t bytes)
{
	buf_put_u32(out, MAGIC);
	buf_put_u32(out, n);
	buf_put_u64(out, first);
	buf_put_u32(out, bytes);
}

bool journal_next(struct rbuf *r, struct journal_group *ret)
{
	const uint8_t *root;

	if (rbuf_u32(r) != MAGIC)
		return false;
	ret->n = rbuf_u32(r);
	ret->first = rbuf_u64(r);
	ret->bytes = rbuf_u32(r);
	if (ret->bytes > JOURNAL_GROUP_MAX || ret->first > TREE_SIZE_MAX)
		return false;
	ret->entries = rbuf_bytes(r, ret->bytes);
	root = rbuf_bytes(r, HASH_BYTES);
	if (r->failed || root == NULL)
		return false;
	memcpy(&ret->root, root, sizeof ret->root);
	return true;
}

static int full_is_nothing(void *arg, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH])
{
	(void)arg, (void)level, (void)index, (void)row;
	return 0;
}

bool journal_follows(const struct journal_group *g, struct edge *edge)
{
	const uint8_t *entry;
	struct hash root;
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
	return n == g->n && n > 0 && rbuf_done(&r) && hash_is(&root, &g->root);
}
