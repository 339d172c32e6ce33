#include "supervisor/hostlook.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12: only what the kernel knows without asking */
#endif

static int open_name(int dir_fd, const char *name, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | resolve };

	return (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
}

bool hostlook_is_plain(const char *path, bool follow_last)
{
	auto_fd int fd = open_name(AT_FDCWD, path, RESOLVE_NO_XDEV | RESOLVE_CACHED);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return !follow_last || (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode));
}

static bool is_automounter(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == AUTOFS_SUPER_MAGIC;
}

/* How much of path the known directory has in common with it, in whole parts. */
static size_t known_part(const struct hostlook *h, const char *path)
{
	size_t common = 0;

	for (size_t i = 0;; i++) {
		if ((h->plain[i] == 0 || h->plain[i] == '/') && (path[i] == 0 || path[i] == '/'))
			common = i;
		if (h->plain[i] != path[i] || path[i] == 0)
			return common;
	}
}

/* The next part of a path, from a directory that is no link. */
static int step(int dir, const char *name, bool asks)
{
	char text[1];
	const int fd = open_name(dir, name, asks ? RESOLVE_CACHED : 0);

	if (fd >= 0)
		return fd;
	if (asks)
		return -EAGAIN;
	return errno == ENOTDIR && readlinkat(dir, "", text, sizeof text) > 0 ? -ELOOP : -errno;
}

/* Opens path a part at a time from the known directory on. -EAGAIN: an automounter would be asked. */
static int open_quietly(struct hostlook *h, const char *path)
{
	char at[EFFECT_OBJECT_MAX];
	size_t n = known_part(h, path);
	int fd;

	(void)snprintf(at, sizeof at, "%.*s", (int)n, path); /* objects are shorter */
	fd = open_name(AT_FDCWD, n > 0 ? at : "/", 0);
	if (fd < 0)
		return -errno;
	while (path[n] != 0 && path[n + 1] != 0) {
		auto_fd int dir = fd;
		const size_t len = strcspn(path + n + 1, "/");
		const bool asks = is_automounter(dir);

		if (!asks)
			(void)snprintf(h->plain, sizeof h->plain, "%.*s", (int)n, path); /* as above */
		(void)snprintf(at, sizeof at, "%.*s", (int)len, path + n + 1);
		fd = step(dir, at, asks);
		if (fd < 0)
			return fd;
		n += 1 + len;
	}
	return fd;
}

/* Whether path is a known directory or lies in one: then one call is enough. */
static bool is_in_known(const struct hostlook *h, const char *path)
{
	const size_t n = known_part(h, path);

	return n > 0 && (path[n] == 0 || strchr(path + n + 1, '/') == NULL);
}

bool hostlook_is_there(struct hostlook *h, const char *path)
{
	struct stat st;
	auto_fd int fd = -1;

	if (is_in_known(h, path))
		return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 || errno == EACCES;
	fd = open_quietly(h, path);
	return fd >= 0 || fd == -EACCES || fd == -ELOOP || fd == -EAGAIN;
}

bool hostlook_may(struct hostlook *h, const char *path, int mode)
{
	auto_fd int fd = open_quietly(h, path);

	if (fd < 0)
		return fd != -EACCES;
	return syscall(SYS_faccessat2, fd, "", mode, AT_EACCESS | AT_EMPTY_PATH) == 0 ||
	       (errno != EACCES && errno != EPERM && errno != EROFS);
}

size_t hostlook_link(struct hostlook *h, const char *path, char *ret, size_t size)
{
	auto_fd int fd = is_in_known(h, path) ? AT_FDCWD : open_quietly(h, path);
	const ssize_t n = fd == AT_FDCWD ? readlink(path, ret, size) : readlinkat(fd, "", ret, size);

	return n > 0 ? (size_t)n : 0;
}
