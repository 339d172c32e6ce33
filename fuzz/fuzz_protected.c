/* Any bytes as the path of a change, behind one byte of what else there is to say of it: whatever is held is held deeper in
 * the tree, too, and whatever is said has a reason. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "judge/protected.h"

static enum git_dir any(void *arg, const char *path, size_t n)
{
	(void)arg;
	return n > 0 && path[n - 1] == 'G' ? GIT_DIR_IS : path[n - 1] == 'M' ? GIT_DIR_MADE_OF_OLD : GIT_DIR_NOT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *path = calloc(1, size + 1), *deeper = calloc(1, size + 3);
	struct name_case c = { .tree = "/t/p", .is_git_dir = any };
	struct name_verdict v, w;

	promise(path != NULL && deeper != NULL);
	if (size == 0)
		return 0;
	c.type = (uint8_t)(1 + (data[0] & 3));
	c.deleted = (data[0] & 4) != 0;
	c.replaced = (data[0] & 8) != 0;
	c.linked = (data[0] & 16) != 0;
	memcpy(path, data + 1, size - 1);
	c.path = path;
	protected_match(&c, &v);
	promise((v.reason[0] != 0) == (v.held != HELD_NOT || v.later == 1));
	promise(v.name_len <= strlen(path) && (v.held == HELD_JUDGED) == (v.judge != 0));
	(void)snprintf(deeper, size + 3, "d/%s", path);
	if (path[0] == 0)
		return 0;
	c.path = deeper;
	protected_match(&c, &w);
	promise(v.held == HELD_NOT || w.held != HELD_NOT);
	return 0;
}
