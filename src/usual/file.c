#include "usual/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "usual/layout.h"

int file_cannot(struct err *e, const char *what, const char *name)
{
	return err_sys(e, errno == ENOSPC || errno == EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, errno,
		       "make room, or see who may write there", "cannot %s the profiles' %s", what, name);
}

int file_write(int dir_fd, const char *name, const struct buf *bytes, struct err *e)
{
	char beside[NAME_MAX + 1];
	auto_fd int fd = -1;

	(void)snprintf(beside, sizeof beside, "%.200s" USUAL_NEW, name);
	fd = openat(dir_fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, bytes->data, bytes->len) < 0 || fdatasync(fd) < 0 ||
	    renameat(dir_fd, beside, dir_fd, name) < 0) {
		const int error = errno;

		(void)unlinkat(dir_fd, beside, 0);
		errno = error;
		return file_cannot(e, "write", name);
	}
	return 0;
}

int file_read(int dir_fd, const char *name, size_t most, struct buf *ret, struct err *e)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit profile show` lists them", "there is no such profile");
	if (fd < 0 || fstat(fd, &st) < 0)
		return file_cannot(e, "read", name);
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > most)
		return err_set(e, AMBIT_LIMIT, "move it away", "%s is no file of %zu bytes at most", name, most);
	buf_init(ret, (size_t)st.st_size + 1);
	if (buf_room(ret, (size_t)st.st_size) == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile");
	n = fd_read_all(fd, ret->data, (size_t)st.st_size);
	if (n < 0)
		return file_cannot(e, "read", name);
	ret->len = (size_t)n;
	return 0;
}

/* getdents64 as it is: readdir wants a call that the role does not have. */
int file_each(int dir_fd, void (*each)(void *of, const char *name), void *of, struct err *e)
{
	_Alignas(struct dirent64) char room[8192];
	ssize_t n;

	if (lseek(dir_fd, 0, SEEK_SET) < 0)
		return file_cannot(e, "list", "directory");
	while ((n = getdents64(dir_fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const struct dirent64 *)(const void *)(room + at);

			at += entry->d_reclen;
			each(of, entry->d_name);
		}
	return n < 0 ? file_cannot(e, "list", "directory") : 0;
}
