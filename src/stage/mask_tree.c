#include "stage/mask_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "stage/listing.h"

#define OVERLAY "user.overlay."
#define VALUE_MAX 65536 /* the kernel gives no longer value, and no longer list of names */

struct job {
	int real_fd, mask_fd;
	struct err *e;
	char names[VALUE_MAX], value[VALUE_MAX];
};

static int failed(struct job *j, int sys_errno, const char *what, const char *path)
{
	const enum ambit_code code = sys_errno == EPERM || sys_errno == ENOTSUP ? AMBIT_HOST : AMBIT_SYSTEM;

	return err_sys(j->e, code, sys_errno,
		       code == AMBIT_HOST
			       ? "set XDG_STATE_HOME to a directory on another file system (ext4, xfs, btrfs)"
			       : NULL,
		       "hidden names: %s for '%s'", what, path);
}

static int place_entry(struct job *j, struct mask_entry entry)
{
	if (mask_kind_is_absent(entry.kind)) /* a whiteout; no privilege is needed since Linux 5.8 */
		return mknodat(j->mask_fd, entry.path, S_IFCHR, 0) < 0 ? failed(j, errno, "make a whiteout", entry.path)
								       : 0;
	if (entry.path[0] != 0 && mkdirat(j->mask_fd, entry.path, 0700) < 0)
		return failed(j, errno, "make a directory", entry.path);
	return 0;
}

static bool is_copied(const char *name, bool with_access)
{
	if (strncmp(name, "user.", 5) == 0)
		return strncmp(name, OVERLAY, strlen(OVERLAY)) != 0;
	return with_access && strncmp(name, "system.posix_acl_", strlen("system.posix_acl_")) == 0;
}

/* What this file system cannot keep is not copied. */
static void copy_attributes(struct job *j, int from, int to, bool with_access)
{
	const ssize_t n = flistxattr(from, j->names, sizeof j->names);

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(j->names + at) + 1) {
		const char *name = j->names + at;
		const ssize_t m = is_copied(name, with_access) ? fgetxattr(from, name, j->value, sizeof j->value) : -1;

		if (m >= 0)
			(void)fsetxattr(to, name, j->value, (size_t)m, 0); /* as said above */
	}
}

/* The owner's bits that give what the person has without being the owner. */
static mode_t rights_of(const struct job *j, const char *path)
{
	static const struct {
		int ask;
		mode_t bit;
	} rights[] = { { R_OK, 0400 }, { W_OK, 0200 }, { X_OK, 0100 } };
	mode_t mode = 0;

	for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
		if (faccessat(j->real_fd, path[0] != 0 ? path : ".", rights[i].ask, AT_EACCESS) == 0)
			mode |= rights[i].bit;
	return mode;
}

/* Whether the owner is the real one's afterwards. */
static bool give(int fd, const struct stat *real)
{
	struct stat st;

	if (fchown(fd, real->st_uid, real->st_gid) < 0 && fchown(fd, (uid_t)-1, real->st_gid) < 0 && errno != EPERM)
		return false; /* EPERM: the group is not the person's either, who keeps their own */
	return fstat(fd, &st) == 0 && st.st_uid == real->st_uid;
}

/* Gone, or not to be opened: it stays as it was made. */
static bool is_out_of_reach(int sys_errno)
{
	return sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == ELOOP || sys_errno == EACCES ||
	       sys_errno == EXDEV;
}

/* Attributes first: a directory takes them from who may write it. */
static int dress_as(struct job *j, const char *path, int fd, const struct stat *real, int real_fd)
{
	const struct timespec times[2] = { real->st_atim, real->st_mtim };
	const bool is_owner = give(fd, real);
	const mode_t mode = is_owner ? real->st_mode & 07777 : (real->st_mode & 07077) | rights_of(j, path);

	if (real_fd >= 0)
		copy_attributes(j, real_fd, fd, is_owner);
	if (fchmod(fd, mode) < 0 || futimens(fd, times) < 0)
		return failed(j, errno, "set mode and times", path);
	return 0;
}

static int dress(struct job *j, struct mask_entry entry)
{
	auto_fd int fd = openat(j->mask_fd, entry.path[0] != 0 ? entry.path : ".",
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int real_fd = entry.kind == MASK_ON_THE_WAY ? scan_open(j->real_fd, entry.path) : -1;
	struct stat st;

	if (fd < 0)
		return failed(j, errno, "open a directory", entry.path);
	if (entry.kind != MASK_ON_THE_WAY && fsetxattr(fd, OVERLAY "opaque", "y", 1, 0) < 0)
		return failed(j, errno, "set a user attribute", entry.path);
	if (real_fd < 0 ? scan_stat(j->real_fd, entry.path, &st) < 0 : fstat(real_fd, &st) < 0)
		return is_out_of_reach(errno) ? 0 : failed(j, errno, "look at the directory", entry.path);
	return S_ISDIR(st.st_mode) ? dress_as(j, entry.path, fd, &st, real_fd) : 0;
}

/* Dressed from the deepest on: a directory may not let us in any more then, and times are those of the last change in it. */
static int fill(struct job *j, const struct mask_list *l)
{
	int r = 0;

	for (uint32_t i = 0; i < l->n && r == 0; i++)
		r = place_entry(j, mask_list_entry(l, i));
	for (uint32_t i = l->n; i > 0 && r == 0; i--)
		if (!mask_kind_is_absent(mask_list_entry(l, i - 1).kind))
			r = dress(j, mask_list_entry(l, i - 1));
	return r;
}

int mask_tree_make(int tree_fd, const struct mask_list *l, int dir_fd, const char *name, struct err *e)
{
	auto_free struct job *j = malloc(sizeof *j);
	auto_fd int mask_fd = -1;

	if (j == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "hidden names: begin");
	if (mkdirat(dir_fd, name, 0700) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: make '%s'", name);
	mask_fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (mask_fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: open '%s'", name);
	j->real_fd = tree_fd;
	j->mask_fd = mask_fd;
	j->e = e;
	return fill(j, l);
}

/* Removes what is in the directory at path. 1 and path longer by a name: a directory in it has to go first. */
static int empty(int dir_fd, char *path, size_t size, struct listing *l)
{
	auto_fd int fd = -1;
	const char *name;
	enum listing_kind kind;

	if (fchmodat(dir_fd, path, 0700, 0) < 0)
		return -errno;
	fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	listing_begin(l, fd);
	while ((name = listing_next(l, &kind)) != NULL) {
		const size_t n = strlen(path);

		if (unlinkat(fd, name, kind == LISTING_DIRECTORY ? AT_REMOVEDIR : 0) == 0)
			continue;
		if (kind != LISTING_DIRECTORY || (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES))
			return -errno;
		return snprintf(path + n, size - n, "/%s", name) < (int)(size - n) ? 1 : -ENAMETOOLONG;
	}
	return -l->sys_errno;
}

/* Down to a directory that can be emptied, and up again, until the one that it began with is gone. */
int mask_tree_remove(int dir_fd, const char *name)
{
	auto_free struct listing *l = malloc(sizeof *l);
	char path[4096 + 64];
	const int n = snprintf(path, sizeof path, "%s", name);
	int r = 0;

	if (l == NULL)
		return -ENOMEM;
	while (r >= 0) {
		r = empty(dir_fd, path, sizeof path, l);
		if (r != 0)
			continue;
		if (unlinkat(dir_fd, path, AT_REMOVEDIR) < 0)
			return -errno;
		if (strlen(path) <= (size_t)n)
			return 0;
		*strrchr(path, '/') = 0;
	}
	return r == -ENOENT ? 0 : r;
}
