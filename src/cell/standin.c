#include "cell/build.h"

#include <errno.h>
#include <sys/stat.h>

#include "cell/kernel.h"
#include "core/grant.h"

/* A tree that the event may write is its own to arrange, such a file in it too. */
static bool is_writable(const struct cell_spec *spec, const char *path)
{
	bool writable = false;

	for (uint32_t i = 0; i < spec->n_paths; i++) /* sorted: the last is the narrowest */
		if (path_is_beneath(path, spec_text(spec, spec->paths[i].path)))
			writable = (spec->paths[i].rights & RIGHT_WRITE) != 0;
	return writable;
}

int standin_open(const struct cell_spec *spec, int root_fd, const char *path, bool or_link)
{
	auto_fd int place = root_open(root_fd, path + 1);
	struct stat st;

	if (place < 0 || fstat(place, &st) < 0 || (!S_ISREG(st.st_mode) && (!or_link || !S_ISLNK(st.st_mode))) ||
	    (st.st_mode & S_IROTH) == 0 || is_writable(spec, path))
		return -1;
	return steal_fd(&place);
}

int standin_put(int tree_fd, int place_fd)
{
	return move_mount(tree_fd, "", place_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno
													    : 0;
}
