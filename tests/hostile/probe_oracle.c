/* Existence: each asks the kernel about a name without reading it. args[0] exists, args[1] does not, args[2] is a
 * directory that may be written. What an answer changes is put back, so that the twin leaves the tree as it was. */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

/* A descriptor says no more than that it was had. */
static int closed(int fd)
{
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

static int by_stat(const char *path, struct attempt *a)
{
	struct stat st;

	(void)a;
	return got(stat(path, &st));
}

static int by_lstat(const char *path, struct attempt *a)
{
	struct stat st;

	(void)a;
	return got(lstat(path, &st));
}

static int by_statx(const char *path, struct attempt *a)
{
	struct statx st;

	(void)a;
	return got(statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st));
}

static int by_access(const char *path, struct attempt *a)
{
	(void)a;
	return got(access(path, F_OK));
}

static int by_faccessat2(const char *path, struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_faccessat2, AT_FDCWD, path, F_OK, AT_EACCESS));
}

static int by_readlink(const char *path, struct attempt *a)
{
	char text[64];

	(void)a;
	return got(readlink(path, text, sizeof text));
}

static int by_getxattr(const char *path, struct attempt *a)
{
	char value[64];

	(void)a;
	return got(getxattr(path, "user.none", value, sizeof value));
}

static int by_listxattr(const char *path, struct attempt *a)
{
	(void)a;
	return got(listxattr(path, NULL, 0));
}

static int by_removexattr(const char *path, struct attempt *a)
{
	(void)a;
	return got(removexattr(path, "user.none"));
}

static int by_chmod(const char *path, struct attempt *a)
{
	(void)a;
	return got(chmod(path, 0600));
}

static int by_chown(const char *path, struct attempt *a)
{
	(void)a;
	return got(chown(path, (uid_t)-1, (gid_t)-1));
}

static int by_utimes(const char *path, struct attempt *a)
{
	(void)a;
	return got(utimensat(AT_FDCWD, path, NULL, 0));
}

static int by_open_path(const char *path, struct attempt *a)
{
	(void)a;
	return closed(open(path, O_PATH | O_CLOEXEC));
}

static int by_open_directory(const char *path, struct attempt *a)
{
	(void)a;
	return closed(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int by_create(const char *path, struct attempt *a)
{
	const int r = closed(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));

	(void)a;
	if (r == 0)
		(void)unlink(path);
	return r;
}

static int by_mkdir(const char *path, struct attempt *a)
{
	const int r = got(mkdir(path, 0700));

	(void)a;
	if (r == 0)
		(void)rmdir(path);
	return r;
}

static int by_mknod(const char *path, struct attempt *a)
{
	const int r = got(mknod(path, S_IFIFO | 0600, 0));

	(void)a;
	if (r == 0)
		(void)unlink(path);
	return r;
}

static int by_symlink_onto(const char *path, struct attempt *a)
{
	const int r = got(symlink("nowhere", path));

	(void)a;
	if (r == 0)
		(void)unlink(path);
	return r;
}

static int by_link_from(const char *path, struct attempt *a)
{
	const struct path name = joined(a->args[2], "oracle-link");
	const int r = got(link(path, name.text));

	(void)unlink(name.text);
	return r;
}

static int by_link_onto(const char *path, struct attempt *a)
{
	const struct path name = scratch_file(a->args[2], "oracle-onto");
	const int r = got(link(name.text, path));

	if (r == 0)
		(void)unlink(path);
	return r;
}

static int by_rename_from(const char *path, struct attempt *a)
{
	(void)a;
	return got(rename(path, path));
}

static int by_rename_onto(const char *path, struct attempt *a)
{
	const struct path name = scratch_file(a->args[2], "oracle-rename");
	const int r = got(syscall(SYS_renameat2, AT_FDCWD, name.text, AT_FDCWD, path, 1U /* RENAME_NOREPLACE */));

	if (r == 0)
		(void)unlink(path);
	return r;
}

static int by_exchange(const char *path, struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, path, 2U /* RENAME_EXCHANGE */));
}

static int by_rmdir(const char *path, struct attempt *a)
{
	(void)a;
	return got(rmdir(path));
}

static int by_chdir(const char *path, struct attempt *a)
{
	(void)a;
	return got(chdir(path));
}

static int by_chroot(const char *path, struct attempt *a)
{
	(void)a;
	return got(chroot(path));
}

static int by_statfs(const char *path, struct attempt *a)
{
	struct statfs st;

	(void)a;
	return got(statfs(path, &st));
}

static int by_inotify(const char *path, struct attempt *a)
{
	const int fd = inotify_init1(IN_CLOEXEC);
	int r;

	if (fd < 0)
		return failed_try(a, "inotify_init1");
	r = got(inotify_add_watch(fd, path, IN_ACCESS));
	(void)close(fd);
	return r < 0 ? r : 0;
}

static int by_fanotify(const char *path, struct attempt *a)
{
	const int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC, O_RDONLY);
	int r;

	(void)a;
	if (fd < 0)
		return -errno;
	r = got(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, path));
	(void)close(fd);
	return r;
}

static int by_execve(const char *path, struct attempt *a)
{
	char *argv[] = { a->args[0], NULL }, *envp[] = { NULL };

	return got(
		execve(path, argv, envp)); /* the file has no right to be executed: the answer says that it is there */
}

static int by_execveat(const char *path, struct attempt *a)
{
	char *argv[] = { a->args[0], NULL }, *envp[] = { NULL };

	return got(syscall(SYS_execveat, AT_FDCWD, path, argv, envp, AT_SYMLINK_NOFOLLOW));
}

static int by_unix_connect(const char *path, struct attempt *a)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0 || strlen(path) >= sizeof at.sun_path)
		return failed_try(a, "no Unix socket, or a path too long for one");
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	r = got(connect(fd, (struct sockaddr *)&at, sizeof at));
	(void)close(fd);
	return r;
}

static int by_unix_bind(const char *path, struct attempt *a)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0 || strlen(path) >= sizeof at.sun_path)
		return failed_try(a, "no Unix socket, or a path too long for one");
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	r = got(bind(fd, (struct sockaddr *)&at, sizeof at));
	(void)close(fd);
	if (r == 0)
		(void)unlink(path);
	return r;
}

static int by_name_to_handle(const char *path, struct attempt *a)
{
	struct file_handle h = { .handle_bytes = 0 };
	int mount_id;
	const int r = got(name_to_handle_at(AT_FDCWD, path, &h, &mount_id, 0));

	(void)a;
	return r;
}

static int by_open_tree(const char *path, struct attempt *a)
{
	(void)a;
	return closed((int)syscall(SYS_open_tree, AT_FDCWD, path, O_CLOEXEC));
}

static int by_path_through(const char *path, struct attempt *a)
{
	struct stat st;

	(void)a;
	return got(stat(joined(path, "x").text, &st)); /* ENOTDIR for a file, ENOENT for nothing */
}

static int by_dots_through(const char *path, struct attempt *a)
{
	struct stat st;

	(void)a;
	return got(stat(joined(parent_of(path).text, joined(base_of(path), "..").text).text, &st));
}

static int by_truncate(const char *path, struct attempt *a)
{
	struct stat st;

	(void)a;
	return got(truncate(path, stat(path, &st) == 0 ? st.st_size : 0));
}

static int by_symlink_stat(const char *path, struct attempt *a)
{
	const struct path name = joined(a->args[2], "oracle-symlink");
	struct stat st;

	(void)unlink(name.text);
	if (symlink(path, name.text) < 0)
		return failed_try(a, "symlink in %s", a->args[2]);
	return got(stat(name.text, &st));
}

static int by_swapoff(const char *path, struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_swapoff, path));
}

const struct probe probes_oracle[] = {
	{ "oracle-stat", 3, .asks = by_stat },
	{ "oracle-lstat", 3, .asks = by_lstat },
	{ "oracle-statx", 3, .asks = by_statx },
	{ "oracle-access", 3, .asks = by_access },
	{ "oracle-faccessat2", 3, .asks = by_faccessat2 },
	{ "oracle-readlink", 3, .asks = by_readlink },
	{ "oracle-getxattr", 3, .asks = by_getxattr },
	{ "oracle-listxattr", 3, .asks = by_listxattr },
	{ "oracle-removexattr", 3, .asks = by_removexattr },
	{ "oracle-chmod", 3, .asks = by_chmod },
	{ "oracle-chown", 3, .asks = by_chown },
	{ "oracle-utimes", 3, .asks = by_utimes },
	{ "oracle-open-path", 3, .asks = by_open_path },
	{ "oracle-open-directory", 3, .asks = by_open_directory },
	{ "oracle-create", 3, .asks = by_create },
	{ "oracle-mkdir", 3, .asks = by_mkdir },
	{ "oracle-mknod", 3, .asks = by_mknod },
	{ "oracle-symlink-onto", 3, .asks = by_symlink_onto },
	{ "oracle-link-from", 3, .asks = by_link_from },
	{ "oracle-link-onto", 3, .asks = by_link_onto },
	{ "oracle-rename-from", 3, .asks = by_rename_from },
	{ "oracle-rename-onto", 3, .asks = by_rename_onto },
	{ "oracle-exchange", 3, .asks = by_exchange },
	{ "oracle-rmdir", 3, .asks = by_rmdir },
	{ "oracle-chdir", 3, .asks = by_chdir },
	{ "oracle-chroot", 3, .asks = by_chroot },
	{ "oracle-statfs", 3, .asks = by_statfs },
	{ "oracle-inotify", 3, .asks = by_inotify },
	{ "oracle-fanotify", 3, .asks = by_fanotify },
	{ "oracle-execve", 3, .asks = by_execve },
	{ "oracle-execveat", 3, .asks = by_execveat },
	{ "oracle-unix-connect", 3, .asks = by_unix_connect },
	{ "oracle-unix-bind", 3, .asks = by_unix_bind },
	{ "oracle-name-to-handle", 3, .asks = by_name_to_handle },
	{ "oracle-open-tree", 3, .asks = by_open_tree },
	{ "oracle-path-through", 3, .asks = by_path_through },
	{ "oracle-dots-through", 3, .asks = by_dots_through },
	{ "oracle-truncate", 3, .asks = by_truncate },
	{ "oracle-symlink", 3, .asks = by_symlink_stat },
	{ "oracle-swapoff", 3, .asks = by_swapoff },
	{ .name = NULL },
};
