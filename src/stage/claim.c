#include "stage/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/grant.h"
#include "stage/listing.h"

#define NAME_SIZE (sizeof CLAIM_PREFIX + STAGE_ID_MAX)

static void name_of(const char *event, char ret[NAME_SIZE])
{
	(void)snprintf(ret, NAME_SIZE, CLAIM_PREFIX "%s", event); /* an id is shorter */
}

/* ---- making ---- */

static int cannot_make(int sys_errno, struct err *e)
{
	return err_sys(e, AMBIT_SYSTEM, sys_errno,
		       sys_errno == ENOSPC || sys_errno == EDQUOT
			       ? "free some space; `ambit stage list` shows what is kept"
			       : "set XDG_STATE_HOME to a directory of your own",
		       "cannot keep commits out of what is written in place");
}

static int lock_store(int store_fd, const char *tree, struct err *e)
{
	for (int waited = 0; flock(store_fd, LOCK_EX | LOCK_NB) < 0; waited += COMMIT_LOOK_MS) {
		if (errno != EWOULDBLOCK)
			return cannot_make(errno, e);
		if (waited >= COMMIT_PATIENCE_MS)
			return err_why(e,
				       err_set(e, AMBIT_CONFLICT, "wait until it is over, and run again",
					       "cannot begin on %s", tree),
				       "changes are being committed, to it or to another tree");
		(void)poll(NULL, 0, COMMIT_LOOK_MS);
	}
	return 0;
}

/* Who sweeps leftovers may find the file before it is locked, and take it away: that takes no time, and then it is made again. */
static int make_locked(int store_fd, const char *name, int *ret_fd)
{
	struct stat st;

	for (;;) {
		auto_fd int fd = openat(store_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
			return -errno;
		if (st.st_nlink == 0)
			continue;
		*ret_fd = steal_fd(&fd);
		return 0;
	}
}

static int make(int store_fd, const char *event, const char *const *trees, size_t n, int *ret_fd, struct err *e)
{
	char name[NAME_SIZE];
	int fd = -1, r;

	name_of(event, name);
	r = make_locked(store_fd, name, &fd);
	for (size_t i = 0; i < n && r == 0; i++)
		r = fd_write_all(fd, trees[i], strlen(trees[i]) + 1);
	*ret_fd = fd;
	if (r == 0 || (fd < 0 && r == -EROFS))
		return 0;
	claim_end(store_fd, event, ret_fd);
	return cannot_make(-r, e);
}

int claim_make(int store_fd, const char *event, const char *const *trees, size_t n, int *ret_fd, struct err *e)
{
	int r = lock_store(store_fd, trees[0], e);

	*ret_fd = -1;
	if (r < 0)
		return r;
	r = make(store_fd, event, trees, n, ret_fd, e);
	(void)flock(store_fd, LOCK_UN);
	return r;
}

void claim_end(int store_fd, const char *event, int *fd)
{
	char name[NAME_SIZE];

	if (*fd < 0)
		return;
	name_of(event, name);
	(void)unlinkat(store_fd, name, 0); /* the name is this file's as long as it is locked */
	fd_close(fd);
}

/* ---- looking ---- */

static bool overlaps(const char *trees, size_t n, const char *path)
{
	if (n == 0 || trees[n - 1] != 0)
		return true;
	for (size_t at = 0; at < n; at += strlen(trees + at) + 1)
		if (!path_is_normal(trees + at) || path_is_beneath(trees + at, path) ||
		    path_is_beneath(path, trees + at))
			return true;
	return false;
}

static bool claims(int fd, off_t size, const char *path)
{
	auto_free char *trees = NULL;
	ssize_t n;

	if (size <= 0 || size > (off_t)CLAIM_BYTES_MAX)
		return true;
	trees = malloc((size_t)size);
	if (trees == NULL)
		return true;
	n = fd_read_all(fd, trees, (size_t)size);
	return n != size || overlaps(trees, (size_t)n, path);
}

/* What is no regular file nobody made as a claim. */
static bool look(int store_fd, const char *name, const char *path)
{
	auto_fd int fd = openat(store_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno != ENOENT && errno != ELOOP && errno != EISDIR && errno != ENXIO;
	if (fstat(fd, &st) < 0)
		return true;
	if (!S_ISREG(st.st_mode))
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno != EWOULDBLOCK || claims(fd, st.st_size, path);
	if (fstat(fd, &st) == 0 && st.st_nlink > 0)
		(void)unlinkat(store_fd, name, 0); /* else it stays until the next time */
	return false;
}

bool claim_find(int store_fd, const char *path, char ret_event[STAGE_ID_MAX])
{
	auto_fd int fd = openat(store_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free struct listing *l = malloc(sizeof *l);
	const size_t skip = strlen(CLAIM_PREFIX);
	enum listing_kind unused;
	const char *name;

	ret_event[0] = 0;
	if (fd < 0 || l == NULL)
		return true;
	listing_begin(l, fd);
	while ((name = listing_next(l, &unused)) != NULL)
		if (strncmp(name, CLAIM_PREFIX, skip) == 0 && look(fd, name, path)) {
			if (strncmp(name + skip, "e_", 2) == 0)
				(void)text_copy(ret_event, STAGE_ID_MAX, name + skip); /* one that is longer is no id */
			return true;
		}
	return l->sys_errno != 0;
}
