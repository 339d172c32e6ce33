/* The file tree: a small tmpfs with each path of the spec attached at the place that it has on the host. Paths are opened
 * once, by descriptor, without following links; that descriptor is what is mounted and what Landlock's rules name.
 * The new mount calls are those of Linux 5.2, mount_setattr is of 5.12. */
#include "cell/build.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/kernel.h"
#include "core/grant.h"

static int path_failed(struct cell_failure *f, enum cell_step step, int sys_errno, uint32_t index)
{
	*f = (struct cell_failure){ .step = step, .sys_errno = sys_errno, .index = index };
	return -1;
}

static int open_plain(int dir_fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_NO_MAGICLINKS | resolve };

	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
}

int root_open(int dir_fd, const char *path)
{
	return open_plain(dir_fd, path, O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
}

int root_open_host(const char *path)
{
	return open_plain(AT_FDCWD, path, O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
}

int root_attach_aside(int mount_fd)
{
	return move_mount(mount_fd, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH);
}

/* -1 with ELOOP for a link, which O_NOFOLLOW would open itself. */
static int open_directory(int dir_fd, const char *name)
{
	return open_plain(dir_fd, name, O_DIRECTORY, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
}

static bool is_mounted(const struct cell_path *p)
{
	return (p->flags & (CELL_PATH_LINK | CELL_PATH_HIDE)) == 0;
}

/* What lies in a stage is opened there, and not on the host. */
static int open_staged(const struct cell_spec *spec, const struct cell_path *p, const int stage_fd[CELL_STAGES_MAX])
{
	const char *tree = spec_text(spec, spec->stages[p->stage - 1].tree), *path = spec_text(spec, p->path);
	const char *rest = path + (tree[1] == 0 ? 0 : strlen(tree));

	return rest[0] == 0 ? fcntl(stage_fd[p->stage - 1], F_DUPFD_CLOEXEC, 3)
			    : root_open(stage_fd[p->stage - 1], rest + 1);
}

/* Opens each path of the host, or each one of the stages. Rule: what was checked as a path without links must still be one. */
static int open_paths(const struct cell_spec *spec, const struct cell_trees *trees, const int stage_fd[CELL_STAGES_MAX],
		      struct cell_root *root, struct cell_failure *f)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		const struct cell_path *p = &spec->paths[i];

		if (!is_mounted(p) || (p->stage != 0) != (stage_fd != NULL))
			continue;
		if (p->stage != 0)
			root->path_fd[i] = open_staged(spec, p, stage_fd);
		else
			root->path_fd[i] = trees->fd[i] >= 0 ? fcntl(trees->fd[i], F_DUPFD_CLOEXEC, 3)
							     : root_open_host(spec_text(spec, p->path));
		if (root->path_fd[i] >= 0)
			continue;
		if (errno == ELOOP)
			return path_failed(f, STEP_LINK_PATH, errno, i);
		if ((p->flags & CELL_PATH_OPTIONAL) == 0 || errno != ENOENT)
			return path_failed(f, STEP_OPEN_PATH, errno, i);
	}
	return 0;
}

static uint64_t mount_flags(const struct cell_path *p)
{
	uint64_t set = MOUNT_ATTR_NOSUID;

	if ((p->flags & CELL_PATH_DEVICE) == 0)
		set |= MOUNT_ATTR_NODEV;
	if ((p->rights & RIGHT_WRITE) == 0)
		set |= MOUNT_ATTR_RDONLY;
	if ((p->rights & RIGHT_RUN) == 0)
		set |= MOUNT_ATTR_NOEXEC;
	return set;
}

/* A detached copy of the mount at path i, with its restrictions, not yet anywhere. */
static int clone_tree(const struct cell_spec *spec, struct cell_trees *trees, const struct cell_root *root, uint32_t i,
		      struct cell_failure *f)
{
	struct mount_attr attr = { .attr_set = mount_flags(&spec->paths[i]) };
	auto_fd int tree = steal_fd(&trees->fd[i]);

	/* staged trees are stacked on each other aside: without AT_RECURSIVE, or each would bring those above it */
	if (tree < 0)
		tree = open_tree(root->path_fd[i], "",
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
					 (spec->paths[i].stage == 0 ? AT_RECURSIVE : 0u));
	if (tree < 0)
		return path_failed(f, STEP_CLONE_PATH, errno, i);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
		return path_failed(f, STEP_FLAGS_PATH, errno, i);
	return steal_fd(&tree);
}

static int clone_trees(const struct cell_spec *spec, struct cell_trees *trees, const struct cell_root *root,
		       struct cell_failure *f)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		if (root->path_fd[i] < 0)
			continue;
		trees->fd[i] = clone_tree(spec, trees, root, i, f);
		if (trees->fd[i] < 0)
			return -1;
	}
	return 0;
}

/* What is there already (a granted tree that contains the path) stays as it is. */
static bool is_there(int sys_errno)
{
	return sys_errno == EEXIST || sys_errno == EROFS;
}

/* Enters `name` of a directory, which is closed, and makes it if it is missing. A link is not followed: an absolute one
 * would lead into the host's tree, which is the root of this process until the cell's own is entered. */
static int step_into(int dir_fd, const char *name)
{
	auto_fd int dir = dir_fd;
	int r = open_directory(dir, name);

	if (r < 0 && errno == ENOENT) {
		if (mkdirat(dir, name, 0755) < 0 && !is_there(errno))
			return -errno;
		r = open_directory(dir, name);
	}
	return r < 0 ? -errno : r;
}

int root_parent(int root_fd, const char *path, const char **ret_name)
{
	const char *last = strrchr(path, '/');
	char at[GRANT_OBJECT_MAX], *rest = at, *name;
	int dir = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);

	*ret_name = last + 1;
	if (dir < 0)
		return -errno;
	(void)snprintf(at, sizeof at, "%.*s", (int)(last - path), path); /* a path of a spec is shorter */
	while (dir >= 0 && (name = strsep(&rest, "/")) != NULL)
		if (*name != 0)
			dir = step_into(dir, name);
	return dir;
}

/* The directory of the path before, which is most often that of the next as well. Paths are sorted, so that whatever stands
 * between two of one directory lies beneath it: nothing is mounted on a directory that is held here. */
struct parent {
	int fd;           /* owned, -1 if none */
	const char *path; /* borrowed: the path whose parent it is */
};

static bool is_same_parent(const char *a, const char *b)
{
	const size_t n = (size_t)(strrchr(a, '/') - a);

	return (size_t)(strrchr(b, '/') - b) == n && memcmp(a, b, n) == 0;
}

/* Borrowed: it stays the parent's. */
static int parent_of(struct parent *p, int root_fd, const char *path, const char **ret_name)
{
	if (p->fd >= 0 && is_same_parent(p->path, path)) {
		*ret_name = strrchr(path, '/') + 1;
		return p->fd;
	}
	fd_close(&p->fd);
	p->fd = root_parent(root_fd, path, ret_name);
	p->path = path;
	return p->fd;
}

/* An empty directory or file for something to be mounted on. */
static int make_place(int dir_fd, const char *name, bool directory)
{
	if (directory ? mkdirat(dir_fd, name, 0755) < 0 : mknodat(dir_fd, name, S_IFREG | 0644, 0) < 0)
		return is_there(errno) ? 0 : -errno;
	return 0;
}

static int attach(struct parent *parent, int root_fd, int tree_fd, const char *path)
{
	auto_fd int place = -1;
	const char *name;
	struct stat st;
	int dir, r;

	if (fstat(tree_fd, &st) < 0)
		return -errno;
	dir = parent_of(parent, root_fd, path, &name);
	r = dir < 0 ? dir : make_place(dir, name, S_ISDIR(st.st_mode));
	if (r < 0)
		return r;
	place = root_open(dir, name);
	if (place < 0)
		return -errno;
	return move_mount(tree_fd, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

#define HIDDEN_FILE "dev/.hidden"

/* Nothing is to be seen at a hidden path: something empty without any mode stands on it, of the same kind. */
static int hide(int root_fd, const char *path)
{
	auto_fd int place = root_open(root_fd, path + 1), tree = -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOEXEC };
	struct stat st;

	if (place < 0) /* not there, not shown at all, or nowhere that this user gets to: nothing to hide */
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	if (fstat(place, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode) ? mkdirat(root_fd, HIDDEN_FILE ".d", 0000) < 0 && errno != EEXIST
				: mknodat(root_fd, HIDDEN_FILE, S_IFREG | 0000, 0) < 0 && errno != EEXIST)
		return -errno;
	tree = open_tree(root_fd, S_ISDIR(st.st_mode) ? HIDDEN_FILE ".d" : HIDDEN_FILE,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return -errno;
	return move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Beneath a link the name leads somewhere else, and there is nothing to make. */
static int make_link(struct parent *parent, int root_fd, const char *path, const char *text)
{
	const char *name;
	const int dir = parent_of(parent, root_fd, path, &name);

	if (dir < 0)
		return dir == -ELOOP ? 0 : dir;
	return symlinkat(text, dir, name) < 0 && !is_there(errno) ? -errno : 0;
}

/* No mount keeps a pipe from being written, and Landlock's rule of a place that the cell has for itself holds for all that is mounted
 * beneath. In an overlay it is another one. */
static bool could_be_written(const struct cell_spec *spec, const struct cell_path *p, int tree_fd)
{
	const char *path = spec_text(spec, p->path);
	struct stat st;

	if (p->stage != 0 || (p->rights & RIGHT_WRITE) != 0 ||
	    (p->flags & (CELL_PATH_DEVICE | CELL_PATH_STAGED)) != 0 ||
	    !(path_is_beneath(path, "/tmp") || path_is_beneath(path, "/dev/shm") ||
	      path_is_beneath(path, spec_text(spec, spec->home))))
		return false;
	return fstat(tree_fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static int attach_path(const struct cell_spec *spec, int tree_fd, const struct cell_root *root, struct parent *parent,
		       uint32_t i)
{
	const struct cell_path *p = &spec->paths[i];
	const char *path = spec_text(spec, p->path);

	if ((p->flags & CELL_PATH_LINK) != 0)
		return make_link(parent, root->root_fd, path, spec_text(spec, p->link));
	if ((p->flags & CELL_PATH_HIDE) != 0)
		return hide(root->root_fd, path);
	return tree_fd >= 0 ? attach(parent, root->root_fd, tree_fd, path) : 0;
}

static int attach_paths(const struct cell_spec *spec, struct cell_trees *trees, const struct cell_root *root,
			struct cell_failure *f)
{
	struct parent parent = { .fd = -1 };
	int r = 0;

	for (uint32_t i = 0; i < spec->n_paths && r == 0; i++) {
		if (trees->fd[i] >= 0 && could_be_written(spec, &spec->paths[i], trees->fd[i])) {
			r = path_failed(f, STEP_PIPE, EPERM, i);
			break;
		}
		r = attach_path(spec, trees->fd[i], root, &parent, i);
		fd_close(&trees->fd[i]);
		if (r < 0)
			(void)path_failed(f, STEP_ATTACH_PATH, -r, i);
	}
	fd_close(&parent.fd);
	return r < 0 ? -1 : 0;
}

/* The root itself: one tmpfs for the skeleton and for /tmp, home and /dev/shm. Nothing on it can be executed, and which
 * parts can be written is Landlock's to say. */
static int make_root(const struct cell_spec *spec, struct cell_root *root, struct cell_failure *f)
{
	auto_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	char size[32];

	(void)snprintf(size, sizeof size, "%llu", (unsigned long long)spec->scratch_bytes);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "262144", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return build_failed(f, STEP_ROOT, errno);
	root->root_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (root->root_fd < 0)
		return build_failed(f, STEP_ROOT, errno);
	if (root_attach_aside(root->root_fd) < 0)
		return build_failed(f, STEP_ROOT, errno);
	return 0;
}

static void root_init(struct cell_root *root)
{
	root->root_fd = -1;
	for (size_t i = 0; i < CELL_PATHS_MAX; i++)
		root->path_fd[i] = -1;
}

/* The staged trees, and what of them the cell sees. */
static int build_stages(const struct cell_spec *spec, struct cell_trees *trees, struct cell_root *root, int proc_fd,
			struct cell_failure *f)
{
	int stage_fd[CELL_STAGES_MAX], r;

	for (uint32_t i = 0; i < CELL_STAGES_MAX; i++)
		stage_fd[i] = -1;
	r = overlay_mount(spec, trees, proc_fd, stage_fd, f);
	r = r < 0 ? r : open_paths(spec, trees, stage_fd, root, f);
	for (uint32_t i = 0; i < spec->n_stages; i++)
		fd_close(&stage_fd[i]);
	return r;
}

/* What is granted, and then what stands in places within that. */
static int attach_all(const struct cell_spec *spec, struct cell_trees *trees, struct cell_root *root,
		      struct cell_failure *f)
{
	struct cell_names names;
	int r = names_keep(spec, root->root_fd, &names, f);

	r = r < 0 ? r : attach_paths(spec, trees, root, f);
	r = r < 0 ? r : names_build(spec, root->root_fd, &names, f);
	names_finish(&names);
	return r < 0 ? r : trust_build(spec, root->root_fd, f);
}

int root_build(const struct cell_spec *spec, struct cell_trees *trees, struct cell_root *root, struct cell_made *made,
	       struct cell_failure *f)
{
	root_init(root);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return build_failed(f, STEP_DETACH, errno);
	if (open_paths(spec, trees, NULL, root, f) < 0 || pseudo_proc(made, f) < 0)
		return -1;
	if (spec->n_stages > 0 && build_stages(spec, trees, root, made->proc_fd, f) < 0)
		return -1;
	if (clone_trees(spec, trees, root, f) < 0 || make_root(spec, root, f) < 0)
		return -1;
	made->scratch_fd = openat(root->root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (made->scratch_fd < 0)
		return build_failed(f, STEP_ROOT, errno);
	/* without a base its /proc is the supervisor's to look through, and in no tree */
	if (spec->base != CELL_BASE_NONE &&
	    (skeleton_make(spec, root->root_fd, f) < 0 || pseudo_attach(spec, root->root_fd, made, f) < 0))
		return -1;
	return attach_all(spec, trees, root, f);
}

int root_enter(const struct cell_spec *spec, struct cell_root *root, struct cell_failure *f)
{
	/* With both names the same, the old root lies on top of the new one, and is taken off (pivot_root(2)). */
	if (fchdir(root->root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return build_failed(f, STEP_PIVOT, errno);
	if ((spec->flags & CELL_LATE) == 0 && chdir(spec_text(spec, spec->workdir)) < 0)
		return build_failed(f, STEP_WORKDIR, errno);
	return 0;
}

void root_finish(struct cell_root *root)
{
	fd_close(&root->root_fd);
	for (size_t i = 0; i < CELL_PATHS_MAX; i++)
		fd_close(&root->path_fd[i]);
}
