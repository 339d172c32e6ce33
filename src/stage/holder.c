#include "stage/holder.h"

#include <string.h>

#include "base/text.h"
#include "stage/claim.h"

struct search {
	const struct stage_tree *tree;
	const char *own;
	char *ret;
};

static bool has_tree(const struct stage_meta *m, const struct stage_tree *tree)
{
	for (uint32_t i = 0; i < m->n_trees; i++)
		if (m->trees[i].dev == tree->dev && m->trees[i].ino == tree->ino)
			return true;
	return false;
}

static int look(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	const struct search *search = user;

	if (!in_use || meta == NULL || strcmp(event, search->own) == 0 ||
	    (search->tree != NULL && !has_tree(meta, search->tree)))
		return 0;
	return text_copy(search->ret, STAGE_ID_MAX, event) ? 1 : 0;
}

bool holder_find(const struct shelf *s, const struct stage_tree *tree, const char *own, char ret[STAGE_ID_MAX])
{
	struct search search = { .tree = tree, .own = own, .ret = ret };

	ret[0] = 0;
	if (tree != NULL && claim_find(s->store_fd, tree->real, ret)) /* these keep out first */
		return ret[0] != 0;
	(void)shelf_each(s, look, &search); /* what cannot be read is not found */
	return ret[0] != 0;
}
