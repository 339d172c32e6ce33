/* Mounts, old and new calls. args[0] is a directory with the secret `file` in it, args[1] a directory to mount on. The
 * twins run in a mount namespace of their own (unshare -rm). */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static int by_bind(struct attempt *a)
{
	if (mount(a->args[0], a->args[1], NULL, MS_BIND, NULL) < 0)
		return -errno;
	return got(open(joined(a->args[1], "file").text, O_RDONLY | O_CLOEXEC));
}

static int by_tmpfs(struct attempt *a)
{
	return got(mount("tmpfs", a->args[1], "tmpfs", 0, NULL));
}

static int by_overlay(struct attempt *a)
{
	char options[4400];

	(void)snprintf(options, sizeof options, "lowerdir=%s:%s", a->args[0], a->args[1]);
	if (mount("overlay", a->args[1], "overlay", 0, options) < 0)
		return -errno;
	return got(open(joined(a->args[1], "file").text, O_RDONLY | O_CLOEXEC));
}

/* The whole tree is made writable again: the mount of args[1] was read-only, or is made so first in the twin. */
static int by_remount(struct attempt *a)
{
	return got(mount(NULL, a->args[1], NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int by_unmount(struct attempt *a)
{
	return got(umount2(a->args[1], MNT_DETACH));
}

static int by_propagation(struct attempt *a)
{
	(void)a;
	return got(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL));
}

static int by_open_tree(struct attempt *a)
{
	const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a->args[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return tree < 0 ? -errno : got(openat(tree, "file", O_RDONLY | O_CLOEXEC));
}

static int by_move_mount(struct attempt *a)
{
	const int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a->args[1], O_CLOEXEC);

	if (tree < 0)
		return -errno;
	return got(syscall(SYS_move_mount, tree, "", AT_FDCWD, a->args[0], MOVE_MOUNT_F_EMPTY_PATH));
}

static int by_fsopen(struct attempt *a)
{
	const int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int tree;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	tree = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (tree < 0)
		return -errno;
	return got(move_mount(tree, "", AT_FDCWD, a->args[1], MOVE_MOUNT_F_EMPTY_PATH));
}

static int by_fspick(struct attempt *a)
{
	const int fs = fspick(AT_FDCWD, a->args[1], FSPICK_CLOEXEC);

	return fs < 0 ? -errno : got(fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
}

static int by_setattr(struct attempt *a)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	return got(mount_setattr(AT_FDCWD, a->args[1], 0, &attr, sizeof attr));
}

static int by_pivot(struct attempt *a)
{
	const struct path old = joined(a->args[1], "old");

	if (mkdir(old.text, 0700) < 0 && errno != EEXIST)
		return failed_try(a, "%s", old.text);
	return got(syscall(SYS_pivot_root, a->args[1], old.text));
}

static int by_umount_proc(struct attempt *a)
{
	(void)a;
	return got(umount2("/proc", MNT_DETACH));
}

static int by_statmount(struct attempt *a)
{
	struct {
		unsigned int size, spare;
		unsigned long long mount_id, param;
	} request = { .size = 24, .mount_id = ~0ULL /* LSMT_ROOT */ };
	unsigned long long ids[64];
	const long n = syscall(458 /* listmount, Linux 6.8 */, &request, ids, 64UL, 0U);

	return n < 0 ? -errno : said(a, "%ld mounts", n);
}

const struct probe probes_mount[] = {
	{ "mount-bind", 2, .opens = by_bind },
	{ "mount-tmpfs", 2, .tries = by_tmpfs },
	{ "mount-overlay", 2, .opens = by_overlay },
	{ "mount-remount", 2, .tries = by_remount },
	{ "mount-unmount", 2, .tries = by_unmount },
	{ "mount-propagation", 2, .tries = by_propagation },
	{ "mount-open-tree", 2, .opens = by_open_tree },
	{ "mount-move", 2, .tries = by_move_mount },
	{ "mount-fsopen", 2, .tries = by_fsopen },
	{ "mount-fspick", 2, .tries = by_fspick },
	{ "mount-setattr", 2, .tries = by_setattr },
	{ "mount-pivot", 2, .tries = by_pivot },
	{ "mount-unmount-proc", 2, .tries = by_umount_proc },
	{ "mount-list", 2, .tries = by_statmount },
	{ .name = NULL },
};
