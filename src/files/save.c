#include "files/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "files/content.h"

#define PERMISSIONS 0777u

/* A name under which a file can be made: not "", "." or "..". */
static bool ends_in_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

	return name[0] != 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int find_new(struct answer *a, const char *path, struct save *ret)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return answer_set(a, AMBIT_NOT_FOUND, "write where it leads, or remove it first",
				  "it is a symbolic link that leads nowhere", path);
	if (!text_copy(ret->real, sizeof ret->real, path))
		return answer_sys(a, ENAMETOOLONG, "write", path);
	if (!ends_in_name(path))
		return answer_sys(a, EISDIR, "write", path);
	ret->exists = false;
	return 0;
}

int save_find(struct answer *a, const char *path, struct save *ret)
{
	ret->path = path;
	if (realpath(path, ret->real) == NULL)
		return errno == ENOENT ? find_new(a, path, ret) : answer_sys(a, errno, "write", path);
	if (stat(ret->real, &ret->st) < 0)
		return answer_sys(a, errno, "write", path);
	if (!S_ISREG(ret->st.st_mode))
		return content_refuse(a, ret->st.st_mode, path);
	ret->exists = true;
	return 0;
}

static int make_parents(const char *path)
{
	char parent[PATH_MAX];

	if (!text_copy(parent, sizeof parent, path))
		return -ENAMETOOLONG;
	for (char *slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(parent, PERMISSIONS) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static bool is_unchanged(const struct save *s)
{
	struct stat now;

	if (stat(s->real, &now) < 0)
		return !s->exists;
	return s->exists && now.st_ino == s->st.st_ino && now.st_dev == s->st.st_dev && now.st_size == s->st.st_size &&
	       now.st_mtim.tv_sec == s->st.st_mtim.tv_sec && now.st_mtim.tv_nsec == s->st.st_mtim.tv_nsec;
}

#define CHANGED (-ESTALE) /* what is there is another than what was found */

static int fill(const struct save *s, int fd, const char *name, const void *bytes, size_t n)
{
	int r = fd_write_all(fd, bytes, n);

	if (r == 0 && s->exists && fchmod(fd, s->st.st_mode & PERMISSIONS) < 0)
		r = -errno;
	if (r == 0 && !is_unchanged(s))
		r = CHANGED;
	if (r == 0 && rename(name, s->real) < 0)
		r = -errno;
	return r;
}

/* Of the part that names the directory, with its slash; 0: the current one. */
static size_t directory_len(const char *real)
{
	const char *slash = strrchr(real, '/');

	return slash != NULL ? (size_t)(slash - real) + 1 : 0;
}

static int write_beside(const struct save *s, const void *bytes, size_t n)
{
	char name[PATH_MAX + 64];
	uint64_t number;
	auto_fd int fd = -1;
	int r;

	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return -EIO;
	(void)snprintf(name, sizeof name, "%.*s.ambit-files-%016llx", (int)directory_len(s->real), s->real,
		       (unsigned long long)number); /* fits */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | CONTENT_OPEN | O_CLOEXEC, s->exists ? 0600 : 0666);
	if (fd < 0)
		return -errno;
	r = fill(s, fd, name, bytes, n);
	if (r < 0)
		(void)unlink(name); /* nothing else can be done about it */
	return r;
}

static int write_in_place(const struct save *s, int fd, const void *bytes, size_t n)
{
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (s->exists && !is_unchanged(s)))
		return CHANGED;
	r = fd_write_all(fd, bytes, n);
	return r == 0 && ftruncate(fd, (off_t)n) < 0 ? -errno : r;
}

static bool may_make_beside(const char *real)
{
	char directory[PATH_MAX];
	const size_t n = directory_len(real);

	if (n == 0)
		return faccessat(AT_FDCWD, ".", W_OK, AT_EACCESS) == 0;
	(void)text_copy(directory, sizeof directory, real); /* they are as long */
	directory[n] = 0;
	return faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS) == 0;
}

/* No file may be made there; or this one is granted alone and so a mount, which nothing is renamed over. */
static bool is_alone(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS || r == -EBUSY;
}

/* What may not be written is not replaced either. It is opened under its own name first, so that what a cell is denied is told by the name that was meant and not by that of
 * the file beside it. */
static int replace(const struct save *s, const void *bytes, size_t n)
{
	const int flags = O_WRONLY | O_NOFOLLOW | CONTENT_OPEN | O_CLOEXEC;
	auto_fd int fd = s->exists ? open(s->real, flags) : -1;
	int r = fd < 0 && s->exists && errno != ETXTBSY ? -errno : 0; /* a program that runs can be replaced */

	if (r < 0)
		return r;
	r = may_make_beside(s->real) ? write_beside(s, bytes, n) : -EACCES;
	if (!is_alone(r))
		return r;
	if (!s->exists)
		fd = open(s->real, flags | O_CREAT | O_EXCL, 0666);
	return write_in_place(s, fd, bytes, n);
}

int save_do(struct answer *a, const struct save *s, const void *bytes, size_t n)
{
	int r = s->exists ? 0 : make_parents(s->real);

	if (r == 0)
		r = replace(s, bytes, n);
	if (r == CHANGED)
		return answer_set(a, AMBIT_CONFLICT, "read it again", "another program changed it meanwhile", s->path);
	return r < 0 ? answer_sys(a, -r, "write", s->path) : 0;
}
