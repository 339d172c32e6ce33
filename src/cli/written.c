#include "cli/written.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* The directory, opened, and the name in it. */
static int open_above(const char *path, int *ret_fd, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	auto_free char *above = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));

	*ret_name = slash == NULL ? path : slash + 1;
	if (above == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a path");
	if ((*ret_name)[0] == 0 || strcmp(*ret_name, ".") == 0 || strcmp(*ret_name, "..") == 0)
		return err_set(e, AMBIT_CONFLICT, "name a file", "'%s' names no file", path);
	*ret_fd = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, errno == ENOENT ? AMBIT_NOT_FOUND : AMBIT_SYSTEM, errno,
				     "make the directory, or name another", "cannot write %s", path)
			   : 0;
}

/* 1: there is a file to be replaced; 0: nothing. */
static int look(int dir_fd, const char *name, const char *path, struct err *e)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, AMBIT_CONFLICT, "name another file, or - for standard output",
			       "%s is there, and no regular file", path);
	return 1;
}

int written_may(const char *path, struct err *e)
{
	auto_fd int dir_fd = -1;
	const char *name;
	int r = open_above(path, &dir_fd, &name, e);

	r = r < 0 ? r : look(dir_fd, name, path, e);
	return r < 0 ? r : 0;
}

int written_put(const char *path, const void *bytes, size_t n, struct err *e)
{
	auto_fd int dir_fd = -1, fd = -1;
	char beside[48];
	const char *name;
	uint64_t number = 0;
	int there, r = open_above(path, &dir_fd, &name, e);

	there = r < 0 ? r : look(dir_fd, name, path, e);
	if (there < 0)
		return there;
	(void)getrandom(&number, sizeof number, 0);                                          /* O_EXCL looks, too */
	(void)snprintf(beside, sizeof beside, ".ambit-%016llx", (unsigned long long)number); /* fits */
	fd = openat(dir_fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot write beside %s", path);
	r = fd_write_all(fd, bytes, n);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		r = err_sys(e, AMBIT_SYSTEM, -r, "free some space", "cannot write %s", path);
	/* a new one gets its name only if nobody took that meanwhile */
	else if ((there == 1 ? renameat(dir_fd, beside, dir_fd, name) : linkat(dir_fd, beside, dir_fd, name, 0)) < 0)
		r = err_sys(e, errno == EEXIST ? AMBIT_CONFLICT : AMBIT_SYSTEM, errno, NULL, "cannot write %s", path);
	if (r < 0 || there == 0)
		(void)unlinkat(dir_fd, beside, 0); /* nothing is lost by it */
	return r;
}
