#include "ledger/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

#define UNSETTLED_MAX (1u << 20) /* bytes of names; a journal's worth of tiles takes a hundredth */

struct disk {
	int dir_fd;           /* borrowed */
	int journal_fd;       /* owned, -1 if none */
	const char *journal;  /* borrowed: its name */
	struct buf unsettled; /* names that were written and not synced, each with its NUL */
};

int disk_create(int dir_fd, struct disk **ret)
{
	struct disk *d = calloc(1, sizeof *d);

	if (d == NULL)
		return -ENOMEM;
	d->dir_fd = dir_fd;
	d->journal_fd = -1;
	buf_init(&d->unsettled, UNSETTLED_MAX);
	*ret = d;
	return 0;
}

void disk_destroy(struct disk *d)
{
	if (d == NULL)
		return;
	fd_close(&d->journal_fd);
	buf_finish(&d->unsettled);
	free(d);
}

/* Directory by directory, since a cell has no openat2. Not blocking: what somebody put there may be a pipe. */
static int open_in(const struct disk *d, const char *name, int flags)
{
	auto_fd int dir = -1;
	int fd;

	for (const char *slash; (slash = strchr(name, '/')) != NULL; name = slash + 1) {
		char part[NAME_MAX + 1];
		int next;

		if ((size_t)(slash - name) >= sizeof part)
			return -ENAMETOOLONG;
		memcpy(part, name, (size_t)(slash - name));
		part[slash - name] = 0;
		next = openat(dir >= 0 ? dir : d->dir_fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		fd_close(&dir);
		dir = next;
	}
	fd = openat(dir >= 0 ? dir : d->dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	return fd < 0 ? -errno : fd;
}

static int open_regular(const struct disk *d, const char *name, struct stat *ret)
{
	auto_fd int fd = open_in(d, name, O_RDONLY);

	if (fd < 0)
		return fd;
	if (fstat(fd, ret) < 0)
		return -errno;
	return S_ISREG(ret->st_mode) ? steal_fd(&fd) : -EINVAL;
}

int disk_read(struct disk *d, const char *name, struct buf *ret)
{
	struct stat st;
	auto_fd int fd = open_regular(d, name, &st);

	return fd < 0 ? fd : fd_read_into(fd, ret);
}

int disk_mode(struct disk *d, const char *name, unsigned *ret)
{
	struct stat st;
	auto_fd int fd = open_regular(d, name, &st);

	*ret = fd < 0 ? 0 : st.st_mode & 0777;
	return fd < 0 ? fd : 0;
}

/* The directory of a name, ".", if it has none; false if it is too long. */
static bool parent_of(const char *name, char ret[PATH_MAX])
{
	const char *slash = strrchr(name, '/');

	if (slash == NULL)
		return text_copy(ret, PATH_MAX, ".");
	if (!text_copy(ret, PATH_MAX, name))
		return false;
	ret[slash - name] = 0;
	return true;
}

static int sync_directory(const struct disk *d, const char *name)
{
	auto_fd int fd = open_in(d, name, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : fsync(fd) < 0 ? -errno : 0;
}

/* Each directory of the name that is missing, which is then on disk in the one above it. */
static int make_directories(const struct disk *d, const char *name)
{
	char path[PATH_MAX], above[PATH_MAX];

	if (!text_copy(path, sizeof path, name))
		return -ENAMETOOLONG;
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int r = 0;

		*slash = 0;
		if (mkdirat(d->dir_fd, path, 0700) == 0)
			r = parent_of(path, above) ? sync_directory(d, above) : -ENAMETOOLONG;
		else if (errno != EEXIST)
			r = -errno;
		if (r < 0)
			return r;
		*slash = '/';
	}
	return 0;
}

static int create_in(const struct disk *d, const char *name, int flags)
{
	int fd = open_in(d, name, O_WRONLY | O_CREAT | flags);

	if (fd == -ENOENT) {
		const int r = make_directories(d, name);

		fd = r < 0 ? r : open_in(d, name, O_WRONLY | O_CREAT | flags);
	}
	return fd;
}

int disk_write(struct disk *d, const char *name, const void *bytes, size_t n)
{
	auto_fd int fd = create_in(d, name, O_TRUNC);
	const int r = fd < 0 ? fd : fd_write_all(fd, bytes, n);

	buf_put(&d->unsettled, name, strlen(name) + 1);
	return r < 0 ? r : d->unsettled.failed ? -ENOMEM : 0;
}

static int sync_file(const struct disk *d, const char *name)
{
	auto_fd int fd = open_in(d, name, O_WRONLY);

	return fd == -ENOENT ? 0 /* removed since */ : fd < 0 ? fd : fdatasync(fd) < 0 ? -errno : 0;
}

int disk_sync_all(struct disk *d)
{
	return syncfs(d->dir_fd) < 0 ? -errno : 0;
}

/* The directory is synced once for all names in a row that lie there. */
int disk_settle(struct disk *d)
{
	const char *name = (const char *)d->unsettled.data, *end = name + d->unsettled.len;
	char last[PATH_MAX] = "", parent[PATH_MAX];
	int r = 0;

	for (const char *at = name; at < end && r == 0; at += strlen(at) + 1)
		r = sync_file(d, at);
	for (const char *at = name; at < end && r == 0; at += strlen(at) + 1) {
		if (!parent_of(at, parent) || strcmp(parent, last) == 0)
			continue;
		r = sync_directory(d, parent);
		r = r == -ENOENT ? 0 : r;                   /* removed since */
		(void)text_copy(last, sizeof last, parent); /* same size */
	}
	if (r == 0)
		buf_reset(&d->unsettled);
	return r;
}

int disk_replace(struct disk *d, const char *name, const void *bytes, size_t n)
{
	char new[PATH_MAX], parent[PATH_MAX];
	auto_fd int fd = -1;
	int r;

	if (!text_copy(new, sizeof new - 4, name) || !parent_of(name, parent))
		return -ENAMETOOLONG;
	memcpy(new + strlen(new), ".new", sizeof ".new");
	(void)unlinkat(d->dir_fd, new, 0); /* of a death; or another's, who would read and write on through it */
	fd = create_in(d, new, O_EXCL);
	r = fd < 0 ? fd : fd_write_all(fd, bytes, n);
	if (r < 0)
		return r;
	if (fdatasync(fd) < 0 || renameat(d->dir_fd, new, d->dir_fd, name) < 0)
		return -errno;
	return sync_directory(d, parent);
}

int disk_remove(struct disk *d, const char *name)
{
	return unlinkat(d->dir_fd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

/* getdents64 as it is: readdir wants a call that the role does not have. What is not removed keeps the directory, which is told next. */
static void remove_files(int dir_fd)
{
	_Alignas(struct dirent64) char room[4096];
	ssize_t n;

	while ((n = getdents64(dir_fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const struct dirent64 *)(const void *)(room + at);

			if (entry->d_name[0] != '.')
				(void)unlinkat(dir_fd, entry->d_name, 0);
			at += entry->d_reclen;
		}
}

int disk_remove_directory(struct disk *d, const char *name)
{
	auto_fd int fd = open_in(d, name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	remove_files(fd);
	return unlinkat(d->dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

int disk_journal_begin(struct disk *d, const char *name)
{
	int r = disk_replace(d, name, "", 0);

	fd_close(&d->journal_fd);
	d->journal = name;
	if (r == 0)
		r = d->journal_fd = open_in(d, name, O_WRONLY | O_APPEND);
	return r < 0 ? r : 0;
}

/* Whether whoever opens the log next finds the journal that we write. */
static bool is_journal_there(const struct disk *d)
{
	struct stat ours, named;

	return fstat(d->journal_fd, &ours) == 0 && fstatat(d->dir_fd, d->journal, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

int disk_journal_append(struct disk *d, const void *bytes, size_t n)
{
	return is_journal_there(d) ? fd_write_all(d->journal_fd, bytes, n) : -ESTALE;
}

int disk_journal_sync(struct disk *d)
{
	return !is_journal_there(d) ? -ESTALE : fdatasync(d->journal_fd) < 0 ? -errno : 0;
}
