#include "lib/stage_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage/changes.h"

void stage_answer_finish(struct stage_answer *a)
{
	changes_free(a->changes, a->n_changes);
	free(a->entries);
	free(a->trees);
	*a = (struct stage_answer){ .changes = NULL };
}

void stage_answer_path(const struct stage_answer *a, const struct change *c, const char *path, char *ret, size_t size)
{
	const char *tree = c->tree < a->n_trees ? a->trees[c->tree] : "";

	(void)snprintf(ret, size, "%s%s%s", strcmp(tree, "/") == 0 ? "" : tree, path[0] != 0 ? "/" : "", path);
}

uint64_t stage_answer_later(const struct stage_answer *a, const struct change **ret_first)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->n_changes; i++) {
		const struct change *c = a->changes[i];

		if (c->later == 0 || c->held != HELD_NOT)
			continue;
		if (n++ == 0 && ret_first != NULL)
			*ret_first = c;
	}
	return n;
}
