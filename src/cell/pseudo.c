/* /proc and /dev/pts: instances of the cell's own. A fresh /proc needs the host's to be wholly visible in this user
 * namespace (mount_too_revealing in fs/namespace.c), which a container that masks parts of it prevents. */
#include "cell/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell/kernel.h"

/* hidepid=invisible keeps the warden out of sight: a process that may not be traced is not listed. */
int pseudo_proc(struct cell_made *made, struct cell_failure *f)
{
	auto_fd int fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "hidepid", "invisible", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return build_failed(f, STEP_PROC, errno);
	made->proc_fd = fsmount(fs, FSMOUNT_CLOEXEC,
				MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (made->proc_fd < 0)
		return build_failed(f, STEP_PROC, errno);
	made->achieved |= MECHANISM_BIT(MECHANISM_PROC);
	return 0;
}

/* Of the 3,072 that all but the host's own instance may have together. */
#define TERMINALS_MAX "256"

static int pts_mount(int root_fd)
{
	auto_fd int fs = fsopen("devpts", FSOPEN_CLOEXEC), tree = -1;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0600", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "max", TERMINALS_MAX, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	tree = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (tree < 0 || move_mount(tree, "", root_fd, "dev/pts", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* The pair comes from the cell's own /dev/pts, so that its name means the same inside: /dev/pts/0. */
static int open_terminal(int root_fd, struct cell_made *made)
{
	const int unlock = 0;

	made->terminal_fd = openat(root_fd, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (made->terminal_fd < 0 || ioctl(made->terminal_fd, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	made->slave_fd = openat(root_fd, "dev/pts/0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	return made->slave_fd < 0 ? -errno : 0;
}

int pseudo_attach(const struct cell_spec *spec, int root_fd, struct cell_made *made, struct cell_failure *f)
{
	int r;

	if (move_mount(made->proc_fd, "", root_fd, "proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return build_failed(f, STEP_PROC, errno);
	r = pts_mount(root_fd);
	if (r == 0 && (spec->flags & CELL_TTY_ANY) != 0)
		r = open_terminal(root_fd, made);
	return r < 0 ? build_failed(f, STEP_PTS, -r) : 0;
}
