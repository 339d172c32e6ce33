#include "stage/nearby.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "stage/sys.h"

void nearby_finish(struct nearby *n)
{
	if (n->fd >= 0)
		fd_close(&n->fd);
}

int nearby_open(struct nearby *n, int root, const char *path)
{
	if (n->fd >= 0 && n->root == root && strcmp(n->path, path) == 0)
		return n->fd;
	nearby_finish(n);
	if (!text_copy(n->path, sizeof n->path, path))
		return -ENAMETOOLONG;
	n->fd = sys_open_beneath(root, path, O_PATH | O_DIRECTORY);
	n->root = root;
	return n->fd;
}

int nearby_parent(struct nearby *n, int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[CHANGE_PATH_MAX];
	const size_t length = slash != NULL ? (size_t)(slash - path) : 0;

	*ret_name = slash != NULL ? slash + 1 : path;
	if (length >= sizeof parent)
		return -ENAMETOOLONG;
	memcpy(parent, path, length);
	parent[length] = 0;
	return nearby_open(n, root, parent);
}
