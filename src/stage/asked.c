#include "stage/asked.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What is removed, moved or replaced takes all in it along, and what is no directory leads elsewhere; what is merely beside it in a directory that was
 * changed does not. */
static bool takes_along(const struct change *c)
{
	return c->kind == CHANGE_DELETED || c->kind == CHANGE_RENAMED || c->kind == CHANGE_MODIFIED ||
	       c->type != CHANGE_DIRECTORY;
}

/* In whatever case: some directories take them for one. */
static bool is_beneath(const char *path, const char *of)
{
	const size_t n = of[1] == 0 ? 0 : strlen(of); /* of "/" */

	return strncasecmp(path, of, n) == 0 && (path[n] == 0 || path[n] == '/');
}

static int name_asks(const struct stage_meta *m, const struct change *c, const char *path, bool *all)
{
	char full[STAGE_PATH_MAX + CHANGE_PATH_MAX];
	const char *real = m->trees[c->tree].real;
	int first = -1;

	(void)snprintf(full, sizeof full, "%s%s%s", real[1] == 0 ? "" : real, path[0] == 0 && real[1] != 0 ? "" : "/",
		       path); /* fits: both are bounded */
	for (uint32_t i = 0; i < m->n_names && (first < 0 || all != NULL); i++) {
		if (m->asks[i] == STAGE_ASKS_NOT ||
		    (!is_beneath(full, m->names[i]) && !(takes_along(c) && is_beneath(m->names[i], full))))
			continue;
		first = first < 0 ? (int)i : first; /* below STAGE_NAMES_MAX */
		if (all != NULL)
			all[i] = true;
	}
	return first;
}

int asked_by(const struct stage_meta *m, const struct change *c, bool *all)
{
	const int by = name_asks(m, c, c->path, all);
	const int also = c->from[0] == 0 || (by >= 0 && all == NULL) ? -1 : name_asks(m, c, c->from, all);

	return by >= 0 ? by : also;
}
