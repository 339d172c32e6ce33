/* Where names lead is said by files of the cell's own. A tree of the host's that shows /etc (`--read /etc`, or all of it, as `ambit learn` does) has the host's in their place, by which
 * what is granted by a name would not be found: the cell's stand there all the same, where the host has a file or a link, as systemd-resolved makes one. */
#include "cell/build.h"

#include <errno.h>
#include <sys/stat.h>

#include "cell/kernel.h"

enum { HOSTS, RESOLVER, FILES };

static const char *const paths[FILES] = { [HOSTS] = "/etc/hosts", [RESOLVER] = "/etc/resolv.conf" };

_Static_assert(FILES == CELL_NAMES_FILES, "a descriptor for each");

static bool has_name(const struct cell_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_endpoints; i++)
		if (spec->endpoints[i].kind == ENDPOINT_NAME)
			return true;
	return false;
}

static int keep(int root_fd, const char *path)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd int tree = open_tree(root_fd, path + 1, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0 ? -errno : steal_fd(&tree);
}

int names_keep(const struct cell_spec *spec, int root_fd, struct cell_names *ret, struct cell_failure *f)
{
	/* the host's own account is read first, and has addresses that lead nowhere in the cell: it would be in the way of the responder's, too */
	const bool asks = spec_has_responder(spec);
	const bool wanted[FILES] = { [HOSTS] = asks || has_name(spec), [RESOLVER] = asks };
	int r = 0;

	for (int i = 0; i < FILES; i++)
		ret->fd[i] = -1;
	for (int i = 0; i < FILES && r == 0 && spec->base != CELL_BASE_NONE; i++) {
		ret->fd[i] = wanted[i] ? keep(root_fd, paths[i]) : -1;
		r = wanted[i] && ret->fd[i] < 0 ? ret->fd[i] : 0;
	}
	return r < 0 ? build_failed(f, STEP_SKELETON, -r) : 0;
}

/* The cell's own is there already where no tree shows another. */
static bool is_there(int tree_fd, int place_fd)
{
	struct stat a, b;

	return fstat(tree_fd, &a) == 0 && fstat(place_fd, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int names_build(const struct cell_spec *spec, int root_fd, struct cell_names *n, struct cell_failure *f)
{
	int r = 0;

	for (int i = 0; i < FILES && r == 0; i++) {
		auto_fd int place = n->fd[i] < 0 ? -1 : standin_open(spec, root_fd, paths[i], true);

		if (place >= 0 && !is_there(n->fd[i], place))
			r = standin_put(n->fd[i], place);
	}
	return r < 0 ? build_failed(f, STEP_SKELETON, -r) : 0;
}

void names_finish(struct cell_names *n)
{
	for (int i = 0; i < FILES; i++)
		fd_close(&n->fd[i]);
}
