#include "stage/chosen.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "core/grant.h"

const char *chosen_beneath(const char *tree, const char *pattern)
{
	const size_t n = strcmp(tree, "/") == 0 ? 0 : strlen(tree);

	if (path_is_beneath(tree, pattern))
		return "";
	return strncmp(pattern, tree, n) == 0 && pattern[n] == '/' ? pattern + n + 1 : NULL;
}

/* Whether the pattern fits path or a directory above it. */
static bool fits(const char *pattern, const char *path)
{
	char part[CHANGE_PATH_MAX];
	size_t n = 0;

	if (pattern[0] == 0 || strcmp(pattern, path) == 0)
		return true;
	do {
		n += strcspn(path + n, "/");
		(void)snprintf(part, sizeof part, "%.*s", (int)n, path); /* no longer than the path */
		if (strcmp(pattern, part) == 0 || fnmatch(pattern, part, FNM_PATHNAME) == 0)
			return true;
	} while (path[n++] != 0);
	return false;
}

bool chosen_by(const char *pattern, const struct stage_meta *meta, const struct change *c)
{
	const char *beneath = chosen_beneath(meta->trees[c->tree].real, pattern);

	return beneath != NULL && (fits(beneath, c->path) || (c->from[0] != 0 && fits(beneath, c->from)));
}

bool chosen(const struct stage_ask *ask, const struct stage_meta *meta, const struct change *c)
{
	for (uint32_t i = 0; i < ask->n_selected; i++)
		if (chosen_by(ask->selected[i], meta, c))
			return true;
	return ask->n_selected == 0;
}
