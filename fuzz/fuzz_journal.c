/* Any bytes as the ledger's journal: a group that is taken is written again as it came; one that follows leaves the log with as many
 * entries more, and with its seal; and it is ours as it is, or with the MAC that we give it, not with both. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ledger/journal.h"

static void once_more(const struct journal_group *g, const uint8_t *from)
{
	uint8_t head_room[JOURNAL_HEAD_BYTES], tail_room[JOURNAL_TAIL_BYTES];
	struct buf head, tail;

	buf_init_in(&head, head_room, sizeof head_room);
	buf_init_in(&tail, tail_room, sizeof tail_room);
	journal_put_head(&head, g);
	journal_put_tail(&tail, g);
	promise(!head.failed && head.len == JOURNAL_HEAD_BYTES && memcmp(head.data, from, head.len) == 0);
	promise(g->entries == from + JOURNAL_HEAD_BYTES && g->bytes <= JOURNAL_GROUP_MAX);
	promise(!tail.failed && tail.len == JOURNAL_TAIL_BYTES &&
		memcmp(g->entries + g->bytes, tail.data, tail.len) == 0);
}

static void whose(const struct journal_group *g, const struct edge *edge)
{
	static const uint8_t seed[JOURNAL_SEED_BYTES]; /* with which some of the corpus was written */
	struct journal_group ours = *g;
	struct hash root;

	edge_root(edge, &root);
	journal_seal(&ours, &root, seed);
	promise(journal_is_ours(&ours, edge, seed));
	promise(journal_is_ours(g, edge, seed) == hash_is(&g->mac, &ours.mac));
	promise(hash_is(&g->seal, &ours.seal) == hash_is(&g->mac, &ours.mac));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edge *edge = calloc(1, sizeof *edge);
	struct journal_group g;
	struct rbuf r;
	size_t at = 0;

	rbuf_init(&r, data, size);
	for (; edge != NULL && journal_next(&r, &g); at = r.at) {
		const uint64_t before = edge->size;

		promise(at > 0 || !journal_is_older(data, size));
		once_more(&g, data + at);
		if (!journal_follows(&g, edge))
			break;
		promise(edge->size == before + g.n && g.first == before);
		whose(&g, edge);
	}
	free(edge);
	return 0;
}
