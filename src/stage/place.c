#include "stage/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/fd.h"
#include "base/filesystem.h"
#include "core/grant.h"
#include "stage/store.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

int place_open(const char *path)
{
	const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
				      .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int place_open_store(const char *store, int *ret_fd, struct err *e)
{
	const int r = directory_open_own(store, ret_fd);

	if (r == -EPERM)
		return err_why(e,
			       err_set(e, AMBIT_HOST, "chmod 700 it, or set XDG_STATE_HOME to a directory of your own",
				       "cannot keep changes in %s", store),
			       "it is another's, or others can look into it");
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r,
			       "set XDG_STATE_HOME to a directory of your own; --direct writes in place",
			       "cannot keep changes in %s", store)
		     : 0;
}

/* Names can be moved between two directories of the same mount only (rename(2): EXDEV). 0: unknown. */
uint64_t place_mount_of(int dir_fd, const char *path)
{
	struct statx st;

	if (syscall(SYS_statx, dir_fd, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st) < 0 ||
	    (st.stx_mask & STATX_MNT_ID) == 0)
		return 0;
	return st.stx_mnt_id;
}

#define OWN_NAME_MAX 32
#define ELSEWHERE "/var/tmp" /* where it is on the tree's mount, and for a tree that holds the store */

static void own_name(char ret[OWN_NAME_MAX])
{
	(void)snprintf(ret, OWN_NAME_MAX, &STORE_BESIDE[1], geteuid()); /* it fits */
}

/* Where others may rename what is ours, they could put theirs in its place. */
static bool keeps_names(int dir_fd)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return false;
	return (st.st_mode & S_ISVTX) != 0 ||
	       ((st.st_mode & S_IWOTH) == 0 && ((st.st_mode & S_IWGRP) == 0 || st.st_gid == getegid()));
}

/* The directory of this person in `above`, made if it is missing. Who else may write there may have made it first. */
static int open_own(const char *above, char *ret_path, size_t size)
{
	char name[OWN_NAME_MAX];
	auto_fd int dir = place_open(above), own = -1;

	own_name(name);
	if (dir < 0 || !keeps_names(dir) ||
	    snprintf(ret_path, size, "%s/%s", strcmp(above, "/") == 0 ? "" : above, name) >= (int)size)
		return -1;
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return -1;
	own = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return own >= 0 && directory_is_own(own) ? steal_fd(&own) : -1;
}

int place_open_spare(char *ret_path, size_t size)
{
	return open_own(ELSEWHERE, ret_path, size);
}

/* The highest directory of the tree's mount that is not the tree and takes one of ours; -1 if there is none. */
static int open_beside(const struct place_ask *ask, char *ret_path, size_t size)
{
	const uint64_t mount = place_mount_of(ask->tree_fd, "");
	char at[STAGE_PATH_MAX];

	for (size_t n = 0; mount != 0; n++) {
		int fd;

		n += strcspn(ask->tree + n, "/"); /* the end of a part, or of all */
		if (ask->tree[n] == 0)
			return -1;
		(void)snprintf(at, sizeof at, "%.*s", (int)(n == 0 ? 1 : n), ask->tree); /* as long as the tree */
		if (place_mount_of(AT_FDCWD, at) != mount)
			continue;
		fd = open_own(at, ret_path, size);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* parent_fd/name, where the number of the tree goes. */
static int make_at(int parent_fd, const char *path, uint32_t index, char *ret_path, size_t size, int *ret_fd,
		   struct err *e)
{
	char name[16];

	(void)snprintf(name, sizeof name, "%u", index);
	if (snprintf(ret_path, size, "%s/%s", path, name) >= (int)size)
		return err_set(e, AMBIT_LIMIT, "set XDG_STATE_HOME to a shorter path", "%s: the path is too long",
			       path);
	if (mkdirat(parent_fd, name, 0700) < 0 ||
	    (*ret_fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "free some space; or --direct writes in place", "cannot make %s",
			       ret_path);
	return 0;
}

static int make_beside(const struct place_ask *ask, int own_fd, const char *own_path, char *ret_path, size_t size,
		       int *ret_fd, struct err *e)
{
	char path[STAGE_PATH_MAX];
	auto_fd int dir = -1;

	if (snprintf(path, sizeof path, "%s/%s", own_path, ask->event) >= (int)sizeof path)
		return err_set(e, AMBIT_LIMIT, NULL, "%s: the path is too long", own_path);
	if (mkdirat(own_fd, ask->event, 0700) < 0 && errno != EEXIST)
		return err_sys(e, AMBIT_SYSTEM, errno, "free some space; or --direct writes in place", "cannot make %s",
			       path);
	dir = openat(own_fd, ask->event, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open %s", path);
	return make_at(dir, path, ask->index, ret_path, size, ret_fd, e);
}

/* A directory of this person outside of a tree that holds the store, or whose mount the store is not on; -1: there is none. */
static int open_outside(const struct place_ask *ask, char *ret_path, size_t size)
{
	const bool may = !path_is_beneath(ELSEWHERE, ask->tree);
	int fd = -1;

	if (ask->apart)
		return may ? open_own(ELSEWHERE, ret_path, size) : -1;
	if (may && place_mount_of(AT_FDCWD, ELSEWHERE) == place_mount_of(ask->tree_fd, ""))
		fd = open_own(ELSEWHERE, ret_path, size);
	if (fd < 0)
		fd = open_beside(ask, ret_path, size);
	if (fd < 0 && may && path_is_beneath(ask->store, ask->tree))
		fd = open_own(ELSEWHERE, ret_path, size);
	return fd;
}

static int in_the_tree(const struct place_ask *ask, struct err *e)
{
	return err_why(e,
		       err_set(e, AMBIT_HOST,
			       "grant a directory in it; or set XDG_STATE_HOME to a directory outside of it; or "
			       "--direct writes in place",
			       "cannot stage changes of %s", ask->tree),
		       "it contains %s, where they would lie", ask->store);
}

int place_open_cache(const struct place_ask *ask, char *ret_path, size_t size, int *ret_fd, struct err *e)
{
	const bool in_tree = path_is_beneath(ask->store, ask->tree);

	/* in a container the store mostly is on an overlay, which takes no mask, and the tree in a volume, or on the same overlay */
	const bool beside = in_tree ||
			    (!filesystem_takes_overlay(ask->store_fd) && filesystem_takes_overlay(ask->tree_fd));

	*ret_fd = beside ? open_outside(ask, ret_path, size) : -1;
	if (*ret_fd < 0 && !in_tree) {
		(void)snprintf(ret_path, size, "%s", ask->store);
		*ret_fd = fcntl(ask->store_fd, F_DUPFD_CLOEXEC, 3);
		return *ret_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open %s", ask->store) : 0;
	}
	return *ret_fd < 0 ? in_the_tree(ask, e) : 0;
}

int place_make_part(const struct place_ask *ask, char *ret_path, size_t size, int *ret_fd, struct err *e)
{
	const uint64_t mount = place_mount_of(ask->tree_fd, "");
	const bool holds_store = path_is_beneath(ask->store, ask->tree);
	char path[STAGE_PATH_MAX];
	auto_fd int own = -1;

	if (holds_store || (!ask->apart && (mount == 0 || mount != place_mount_of(ask->store_fd, ""))))
		own = open_outside(ask, path, sizeof path);
	if (own < 0 && holds_store)
		return in_the_tree(ask, e);
	if (own >= 0)
		return make_beside(ask, own, path, ret_path, size, ret_fd, e);
	if (snprintf(path, sizeof path, "%s/%s", ask->store, ask->event) >= (int)sizeof path)
		return err_set(e, AMBIT_LIMIT, "set XDG_STATE_HOME to a shorter path", "%s: the path is too long",
			       ask->store);
	return make_at(ask->event_fd, path, ask->index, ret_path, size, ret_fd, e);
}
