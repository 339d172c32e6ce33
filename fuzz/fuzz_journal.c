/* Any bytes as the ledger's journal: a group that is taken is written again as it came, and one that follows leaves the log with as many
 * entries more, and with its root. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ledger/journal.h"

static void once_more(const struct journal_group *g, const uint8_t *from)
{
	uint8_t room[JOURNAL_HEAD_BYTES];
	struct buf head;

	buf_init_in(&head, room, sizeof room);
	journal_put_head(&head, g->n, g->first, g->bytes);
	promise(!head.failed && head.len == JOURNAL_HEAD_BYTES && memcmp(head.data, from, head.len) == 0);
	promise(g->entries == from + JOURNAL_HEAD_BYTES && g->bytes <= JOURNAL_GROUP_MAX);
	promise(memcmp(g->entries + g->bytes, &g->root, HASH_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edge *edge = calloc(1, sizeof *edge);
	struct journal_group g;
	struct hash root;
	struct rbuf r;
	size_t at = 0;

	rbuf_init(&r, data, size);
	for (; edge != NULL && journal_next(&r, &g); at = r.at) {
		const uint64_t before = edge->size;

		once_more(&g, data + at);
		if (!journal_follows(&g, edge))
			break;
		edge_root(edge, &root);
		promise(edge->size == before + g.n && g.first == before && hash_is(&root, &g.root));
	}
	free(edge);
	return 0;
}
