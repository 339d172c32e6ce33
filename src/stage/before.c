#include "stage/before.h"

#include <stdio.h>

#include "stage/scan_file.h"

void before_name(uint32_t tree, char ret[BEFORE_NAME_MAX])
{
	(void)snprintf(ret, BEFORE_NAME_MAX, "before.%u", tree); /* it fits */
}

const struct scan_dir *before_find(struct before *b, int stage_fd, uint32_t tree, const char *path)
{
	char name[BEFORE_NAME_MAX];
	uint32_t i;

	before_name(tree, name);
	if (!b->loaded)
		(void)scan_load(stage_fd, name, SCAN_TEXT_MAX, &b->scan); /* empty, if it cannot be */
	b->loaded = true;
	i = scan_find(&b->scan, path);
	return i < b->scan.n_dirs && b->scan.dirs[i].state <= SCAN_RECENT ? &b->scan.dirs[i] : NULL;
}

void before_finish(struct before *b)
{
	if (b->loaded)
		scan_finish(&b->scan);
	b->loaded = false;
}
