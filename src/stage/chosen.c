#include "stage/chosen.h"

#include <string.h>

#include "core/grant.h"
#include "stage/pattern.h"

const char *chosen_beneath(const char *tree, const char *pattern)
{
	const size_t n = strcmp(tree, "/") == 0 ? 0 : strlen(tree);

	if (path_is_beneath(tree, pattern))
		return "";
	return strncmp(pattern, tree, n) == 0 && pattern[n] == '/' ? pattern + n + 1 : NULL;
}

bool chosen_by(const char *pattern, const struct stage_meta *meta, const struct change *c)
{
	const char *beneath = chosen_beneath(meta->trees[c->tree].real, pattern);

	return beneath != NULL &&
	       (pattern_fits(beneath, c->path) || (c->from[0] != 0 && pattern_fits(beneath, c->from)));
}

bool chosen(const struct stage_ask *ask, const struct stage_meta *meta, const struct change *c)
{
	for (uint32_t i = 0; i < ask->n_selected; i++)
		if (chosen_by(ask->selected[i], meta, c))
			return true;
	return ask->n_selected == 0;
}

static bool is_new_directory(const struct change *c)
{
	return c->type == CHANGE_DIRECTORY && (c->kind == CHANGE_ADDED || c->kind == CHANGE_MODIFIED);
}

static bool holds(const struct change *dir, const struct change *c)
{
	const size_t n = strlen(dir->path);

	return dir->tree == c->tree && strncmp(dir->path, c->path, n) == 0 && c->path[n] == '/';
}

/* What lies in a directory follows it at once. */
void chosen_go(const struct stage_ask *ask, const struct stage_meta *meta, struct change *const *changes, size_t n,
	       bool *ret)
{
	const struct change *next = NULL;

	for (size_t i = n; i-- > 0;) {
		const struct change *c = changes[i];

		ret[i] = chosen(ask, meta, c) || (next != NULL && is_new_directory(c) && holds(c, next));
		next = ret[i] ? c : next;
	}
}
