#include "mask_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "stage/hidden.h"
#include "stage/mask_tree.h"

#define NOBODY 65534

void world_drop(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		abort();
	(void)prctl(PR_SET_DUMPABLE, 1); /* else /proc/self is still root's, and no user namespace can be mapped */
}

static int open_made(int fd, const char *name)
{
	int made;

	assert_int_equal(mkdirat(fd, name, 0755), 0);
	made = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(made >= 0);
	return made;
}

void world_init(struct world *w)
{
	struct err e;

	(void)snprintf(w->root, sizeof w->root, "/tmp/ambit-mask-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	w->root_fd = open(w->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->root_fd >= 0);
	w->tree_fd = open_made(w->root_fd, "tree");
	w->store_fd = open_made(w->root_fd, "store");
	(void)snprintf(w->path, sizeof w->path, "%s/tree", w->root);
	if (mask_cache_open(w->store_fd, w->tree_fd, w->path, &w->cache_fd, &e) < 0)
		fail_msg("%s: %s", e.msg, e.why);
	w->ask = (struct mask_ask){
		.tree_fd = w->tree_fd, .path = "/srv/tree", .cache_fd = w->cache_fd, .store_fd = w->store_fd
	};
}

void world_finish(struct world *w)
{
	const char *name = strrchr(w->root, '/') + 1;
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	fd_close(&w->tree_fd);
	fd_close(&w->store_fd);
	fd_close(&w->cache_fd);
	fd_close(&w->root_fd);
	assert_int_equal(mask_tree_remove(tmp, name), 0);
	fd_close(&tmp);
}

void world_add(const struct world *w, const char *path)
{
	char part[4096];

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		if (mkdirat(w->tree_fd, part, 0755) < 0)
			assert_int_equal(errno, EEXIST);
	}
	if (path[strlen(path) - 1] != '/')
		assert_int_equal(mknodat(w->tree_fd, path, S_IFREG | 0644, 0), 0);
}

void world_add_all(const struct world *w, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		world_add(w, paths[i]);
}

void world_remove(const struct world *w, const char *path)
{
	if (unlinkat(w->tree_fd, path, 0) < 0)
		assert_int_equal(mask_tree_remove(w->tree_fd, path), 0);
}

void world_settle(void)
{
	const struct timespec t = { .tv_nsec = 70000000 };

	(void)nanosleep(&t, NULL);
}

void world_make(struct world *w, struct mask *m)
{
	struct err e;

	if (mask_make(&w->ask, m, &e) < 0)
		fail_msg("%s: %s", e.msg, e.why);
}

static bool is_shown_empty(struct mask_entry entry)
{
	return entry.kind != MASK_ON_THE_WAY && !mask_kind_is_absent(entry.kind);
}

const char *world_hidden(const struct mask *m, char *room, size_t size)
{
	size_t n = 0;

	room[0] = 0;
	for (uint32_t i = 0; i < m->list.n; i++) {
		const struct mask_entry entry = mask_list_entry(&m->list, i);

		if (entry.kind == MASK_ON_THE_WAY)
			continue;
		n += (size_t)snprintf(room + n, size - n, "%s%s%s", n > 0 ? " " : "", entry.path,
				      is_shown_empty(entry) ? "/" : "");
		assert_true(n < size);
	}
	return room;
}

static void check_directory(const struct world *w, const char *path, const struct stat *st)
{
	struct stat real;

	assert_int_equal(fstatat(w->tree_fd, path[0] != 0 ? path : ".", &real, AT_SYMLINK_NOFOLLOW), 0);
	if (st->st_mode != real.st_mode || st->st_uid != real.st_uid || st->st_gid != real.st_gid ||
	    st->st_mtim.tv_sec != real.st_mtim.tv_sec || st->st_mtim.tv_nsec != real.st_mtim.tv_nsec)
		fail_msg("'%s' of the layer is not as the real one: mode %o, not %o", path, st->st_mode, real.st_mode);
}

/* The number of entries in the layer. */
static uint32_t check_entries(const struct world *w, const struct mask *m, int fd, const char *path)
{
	DIR *d = fdopendir(openat(fd, path[0] != 0 ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	uint32_t n = 1;

	if (d == NULL) /* not ours to read: counted from the list */
		return n;
	while ((entry = readdir(d)) != NULL) {
		char below[4096];
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof below, "%s%s%s", path, path[0] != 0 ? "/" : "", entry->d_name);
		assert_int_equal(fstatat(fd, below, &st, AT_SYMLINK_NOFOLLOW), 0);
		if (S_ISCHR(st.st_mode))
			assert_int_equal(st.st_rdev, 0);
		if (S_ISCHR(st.st_mode) != mask_kind_is_absent(mask_list_find(&m->list, below)) ||
		    mask_list_find(&m->list, below) == MASK_NOTHING)
			fail_msg("'%s' of the layer is not what the list says", below);
		n += S_ISDIR(st.st_mode) ? check_entries(w, m, fd, below) : 1;
		if (S_ISDIR(st.st_mode))
			check_directory(w, below, &st);
	}
	(void)closedir(d);
	return n;
}

void world_check_layer(const struct world *w, const struct mask *m)
{
	int fd;
	struct stat st;

	if (m->dir[0] == 0) {
		assert_int_equal(m->list.n, 0);
		return;
	}
	fd = openat(w->cache_fd, m->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	check_directory(w, "", &st);
	assert_int_equal(check_entries(w, m, fd, ""), m->list.n);
	fd_close(&fd);
}

/* Gives how many names are to be hidden in and beneath path. */
static uint32_t walk(const struct world *w, const struct mask *m, const char *path, const char *name)
{
	DIR *d = fdopendir(openat(w->tree_fd, path[0] != 0 ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	uint32_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		char below[4096];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof below, "%s%s%s", path, path[0] != 0 ? "/" : "", entry->d_name);
		if (hidden_match(name, entry->d_name) != NULL) {
			if (mask_list_find(&m->list, below) != MASK_HIDDEN || !mask_hides(m, below))
				fail_msg("'%s' is not hidden", below);
			n++;
		} else if (mask_hides(m, below)) {
			fail_msg("'%s' is hidden", below);
		} else if (entry->d_type == DT_DIR) {
			n += walk(w, m, below, entry->d_name);
		}
	}
	(void)closedir(d);
	return n;
}

void world_check_walk(const struct world *w, const struct mask *m)
{
	uint32_t n = walk(w, m, "", "tree");

	for (uint32_t i = 0; i < m->list.n; i++)
		n -= mask_list_entry(&m->list, i).kind == MASK_HIDDEN;
	assert_int_equal(n, 0);
}
