#include "base/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define LOCK "lock"
#define LOCK_PATIENCE_MS 10000 /* nobody who holds it waits for a person; one that ends publishes what it has */
#define NEW ".new"

int own_check(int dir_fd, uid_t uid, const char *what, struct err *e)
{
	struct stat st;

	if (fstat(dir_fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid && (st.st_mode & 077) == 0)
		return 0;
	return err_set(e, AMBIT_DENIED, "chmod 700 it, if it is yours", "%s is not yours alone", what);
}

int own_lock(int dir_fd, const char *what, int *ret_fd, struct err *e)
{
	auto_fd int fd = openat(dir_fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	const int r = fd < 0 ? -errno : fd_lock(fd, LOCK_PATIENCE_MS);

	if (r < 0)
		return err_sys(e, r == -EWOULDBLOCK ? AMBIT_CONFLICT : AMBIT_SYSTEM, -r,
			       "see who may write there, and whether the directory is shared with another machine",
			       "cannot lock %s", what);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int own_read(int dir_fd, uid_t uid, const char *name, bool one_name, void *ret, size_t size, struct err *e)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return OWN_MISSING;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "see who may read it", "cannot open %s", name);
	if (!S_ISREG(st.st_mode) || st.st_uid != uid || (st.st_mode & 077) != 0)
		return err_set(e, AMBIT_DENIED, "it should be a file of yours with mode 0600: see who changed it",
			       "%s is not yours alone, or no file", name);
	if (one_name && st.st_nlink != 1)
		return err_set(e, AMBIT_DENIED, "copy it, and put the copy in its place", "%s has another name, too",
			       name);
	n = fd_read_all(fd, ret, size);
	if (n < 0)
		return err_sys(e, AMBIT_SYSTEM, (int)-n, NULL, "cannot read %s", name);
	return (int)n; /* at most size */
}

static int put_new(int dir_fd, const char *name, const void *bytes, size_t n)
{
	auto_fd int fd = -1;
	int r;

	(void)unlinkat(dir_fd, NEW, 0); /* of a death */
	fd = openat(dir_fd, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : fd_write_all(fd, bytes, n);
	if (r < 0)
		return r;
	return fsync(fd) < 0 || renameat(dir_fd, NEW, dir_fd, name) < 0 || fsync(dir_fd) < 0 ? -errno : 0;
}

int own_write(int dir_fd, const char *name, const void *bytes, size_t n, struct err *e)
{
	const int r = put_new(dir_fd, name, bytes, n);

	if (r == 0)
		return 0;
	(void)unlinkat(dir_fd, NEW, 0);
	return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
		       "make room, or see who may write there", "cannot write %s", name);
}

int own_remove(int dir_fd, const char *name, struct err *e)
{
	if (unlinkat(dir_fd, name, 0) < 0)
		return errno == ENOENT
			       ? OWN_MISSING
			       : err_sys(e, AMBIT_SYSTEM, errno, "see who may write there", "cannot remove %s", name);
	return fsync(dir_fd) < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write that %s is gone", name) : 0;
}

/* getdents64 as it is: readdir wants a call that roles do not have. */
int own_each(int dir_fd, int (*take)(void *arg, const char *name), void *arg)
{
	auto_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64) char room[4096];
	ssize_t n;

	while (fd >= 0 && (n = getdents64(fd, (void *)room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const struct dirent64 *)(const void *)(room + at);
			const int r = take(arg, entry->d_name);

			if (r != 0)
				return r;
			at += entry->d_reclen;
		}
	return fd < 0 || n < 0 ? -errno : 0;
}
