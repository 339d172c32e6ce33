/* The mask where it is used: as the first layer of an overlay in a user namespace, made by an ordinary user. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "mask_world.h"
#include "stage/mask_tree.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define NO_NAMESPACE 77

static const char *const shown[] = { "main.c",  ".env.example",   "a/index.js",    "a/b/cacert.pem",
				     "a/b/c/d", "empty/",         "a/read-only/x", "a/sticky/x",
				     "plain/x", ".docker/daemon", "closed/" };
static const char *const hidden[] = { ".env",
				      "a/.env",
				      "a/b/id_rsa",
				      "a/b/c/.ENV",
				      ".ssh/config",
				      "a/read-only/x.key",
				      "a/sticky/prod.pem",
				      ".docker/config.json" };

/* In the child: what is wrong goes to standard error, and the status says that something is. */
#define MUST(ok, ...)                                                                                                  \
	do {                                                                                                           \
		if (!(ok)) {                                                                                           \
			(void)fprintf(stderr, __VA_ARGS__);                                                            \
			(void)fprintf(stderr, " (%s)\n", strerror(errno));                                             \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)

static bool write_text(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* The same ids inside, with all power over this namespace. */
static void enter_namespaces(void)
{
	char map[64];
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		(void)fprintf(stderr, "no user namespaces here: %s\n", strerror(errno));
		_exit(NO_NAMESPACE);
	}
	MUST(write_text("/proc/self/setgroups", "deny"), "setgroups");
	(void)snprintf(map, sizeof map, "%u %u 1", uid, uid);
	MUST(write_text("/proc/self/uid_map", map), "uid_map");
	(void)snprintf(map, sizeof map, "%u %u 1", gid, gid);
	MUST(write_text("/proc/self/gid_map", map), "gid_map");
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
}

/* Over the tree's own place beside it. Gives a descriptor of the merged tree. */
static int mount_overlay(const struct world *w, const struct mask *m)
{
	char options[1024], cache[256], at[128];
	ssize_t n;
	int fd;

	(void)snprintf(at, sizeof at, "/proc/self/fd/%d", w->cache_fd);
	n = readlink(at, cache, sizeof cache - 1);
	MUST(n > 0, "where the cache is");
	cache[n] = 0;
	MUST(mkdirat(w->root_fd, "upper", 0700) == 0 && mkdirat(w->root_fd, "work", 0700) == 0 &&
		     mkdirat(w->root_fd, "merged", 0700) == 0,
	     "directories");
	(void)snprintf(options, sizeof options, "lowerdir=%s/%s:%s/tree,upperdir=%s/upper,workdir=%s/work,userxattr",
		       cache, m->dir, w->root, w->root, w->root);
	(void)snprintf(at, sizeof at, "%s/merged", w->root);
	MUST(mount("overlay", at, "overlay", 0, options) == 0, "mount %s", options);
	fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(fd >= 0, "open the merged tree");
	return fd;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       (S_ISDIR(a->st_mode) || a->st_size == b->st_size) && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Everything of `from` that is not hidden is in `to`, and looks the same. Gives how much that is. */
static unsigned compare(const struct mask *m, int from, int to, const char *path)
{
	DIR *d = fdopendir(openat(from, path[0] != 0 ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	unsigned n = 0;

	MUST(d != NULL, "list '%s'", path);
	while ((entry = readdir(d)) != NULL) {
		char below[1024];
		struct stat one, other;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof below, "%s%s%s", path, path[0] != 0 ? "/" : "", entry->d_name);
		if (mask_hides(m, below))
			continue;
		MUST(fstatat(from, below, &one, AT_SYMLINK_NOFOLLOW) == 0, "look at '%s'", below);
		MUST(fstatat(to, below, &other, AT_SYMLINK_NOFOLLOW) == 0, "'%s' is missing", below);
		MUST(is_same(&one, &other), "'%s' is not the same: %o %o", below, one.st_mode, other.st_mode);
		n += 1;
		if (S_ISDIR(one.st_mode) && strcmp(below, "closed") != 0)
			n += compare(m, from, to, below);
	}
	(void)closedir(d);
	return n;
}

static void expect_hidden(int merged, const char *path)
{
	struct stat st;

	errno = 0;
	MUST(fstatat(merged, path, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT, "'%s' is seen", path);
	errno = 0;
	MUST(openat(merged, path, O_RDONLY | O_CLOEXEC) < 0 && errno == ENOENT, "'%s' opens", path);
}

/* What a cell may try with a directory that it owns but cannot list. */
static void try_closed(const struct world *w, int merged)
{
	struct stat st;

	expect_hidden(merged, "closed/.env");
	MUST(fchmodat(merged, "closed", 0755, 0) == 0, "chmod");
	expect_hidden(merged, "closed/.env");
	expect_hidden(merged, "closed/main.c");
	MUST(fstatat(w->tree_fd, "closed", &st, 0) == 0 && (st.st_mode & 0777) == 0300, "the real mode changed");
}

/* The cell's own file of a hidden name, and after that nothing again. */
static void try_own(int merged)
{
	int fd = openat(merged, "a/.env", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat st;

	MUST(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0, "make an own a/.env");
	(void)close(fd);
	MUST(unlinkat(merged, "a/.env", 0) == 0, "unlink the own a/.env");
	expect_hidden(merged, "a/.env");
}

static void look_through(const struct world *w, const struct mask *m)
{
	int merged;
	unsigned n;

	enter_namespaces();
	merged = mount_overlay(w, m);
	n = compare(m, w->tree_fd, merged, "");
	MUST(n >= COUNT_OF(shown), "only %u seen", n);
	MUST(compare(m, merged, w->tree_fd, "") == n, "more in the merged tree than in the real one");
	for (size_t i = 0; i < COUNT_OF(hidden); i++)
		expect_hidden(merged, hidden[i]);
	expect_hidden(merged, ".ssh");
	try_closed(w, merged);
	try_own(merged);
	_exit(0);
}

static void result_of(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_NAMESPACE) {
		if (getenv("AMBIT_MUST_RUN") != NULL)
			fail_msg("no user namespaces");
		skip();
	}
	assert_int_equal(status, 0);
}

static void a_cell_does_not_see_hidden_names_and_all_else_is_equal(void **state)
{
	const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000, .tv_nsec = 3 } };
	struct world w;
	struct mask m;
	pid_t child;

	(void)state;
	world_init(&w);
	world_add_all(&w, shown, COUNT_OF(shown));
	world_add_all(&w, hidden, COUNT_OF(hidden));
	world_add(&w, "closed/.env");
	world_add(&w, "closed/main.c");
	assert_int_equal(fchmodat(w.tree_fd, "closed", 0300, 0), 0);
	assert_int_equal(fchmodat(w.tree_fd, "a/read-only", 0555, 0), 0);
	assert_int_equal(fchmodat(w.tree_fd, "a/sticky", 01777, 0), 0);
	assert_int_equal(utimensat(w.tree_fd, "a/b", times, 0), 0);
	assert_int_equal(utimensat(w.tree_fd, ".", times, 0), 0);
	world_make(&w, &m);
	child = fork();
	if (child == 0)
		look_through(&w, &m);
	result_of(child);
	mask_finish(&m);
	world_finish(&w);
}

/* An overlay shows what lies under a mount of its lower tree. */
static void look_at_a_mount(struct world *w, bool same_file_system)
{
	char at[128], from[128];
	struct mask m;
	int merged;

	enter_namespaces();
	(void)snprintf(at, sizeof at, "%s/tree/volume", w->root);
	(void)snprintf(from, sizeof from, "%s/tree/plain", w->root);
	MUST((same_file_system ? mount(from, at, NULL, MS_BIND, NULL) : mount("tmpfs", at, "tmpfs", 0, "mode=0750")) ==
		     0,
	     "mount on volume");
	(void)snprintf(at, sizeof at, "%s/tree", w->root);
	w->ask.tree_fd = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC); /* the old one leads through the old mounts */
	MUST(mask_make(&w->ask, &m, NULL) == 0, "make the mask");
	MUST(mask_list_find(&m.list, "volume") == MASK_FOREIGN && mask_hides(&m, "volume/under"),
	     "volume is not closed");
	merged = mount_overlay(w, &m);
	expect_hidden(merged, "volume/under/.env");
	expect_hidden(merged, "volume/under");
	MUST(faccessat(merged, "volume", F_OK, 0) == 0, "volume itself is not there");
	MUST(faccessat(merged, "plain/x", F_OK, 0) == 0, "plain/x is not there");
	_exit(0);
}

static void what_lies_under_a_mount_is_not_shown(void **state)
{
	struct world w;
	pid_t child;

	(void)state;
	for (int round = 0; round < 4; round++) {
		const bool indexed = round % 2 != 0;

		world_init(&w);
		world_add(&w, "volume/under/.env");
		world_add(&w, "plain/x");
		if (indexed) {
			struct mask m;

			world_settle();
			world_make(&w, &m);
			mask_finish(&m);
		}
		child = fork();
		if (child == 0)
			look_at_a_mount(&w, round >= 2);
		result_of(child);
		world_finish(&w);
	}
}

/* Root's part, before it becomes nobody: a tree of somebody else. */
static int others_fd = -1;
static char others_root[] = "/tmp/ambit-others-XXXXXX";

static void make_others(void)
{
	static const struct {
		const char *path;
		mode_t mode;
	} directories[] = {
		{ "open", 0755 }, { "locked", 0755 }, { "locked/in", 0700 }, { "passable", 0711 }, { "shared", 01777 }
	};

	if (geteuid() != 0 || mkdtemp(others_root) == NULL || chmod(others_root, 0755) < 0)
		return;
	others_fd = open(others_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT_OF(directories); i++) {
		char name[64];

		(void)snprintf(name, sizeof name, "%s/.env", directories[i].path);
		if (mkdirat(others_fd, directories[i].path, 0755) < 0 ||
		    mknodat(others_fd, name, S_IFREG | 0644, 0) < 0 ||
		    fchmodat(others_fd, directories[i].path, directories[i].mode, 0) < 0)
			abort();
	}
}

static void somebody_elses_tree_gives_no_more_rights(void **state)
{
	struct world w;
	struct mask m;
	char room[256], path[64];
	struct stat st;

	(void)state;
	if (others_fd < 0) {
		print_message("not root: nobody else's files can be made\n");
		skip();
	}
	world_init(&w);
	w.ask.tree_fd = others_fd;
	world_make(&w, &m);
	assert_string_equal(world_hidden(&m, room, sizeof room), "locked/.env open/.env passable/ shared/.env");
	(void)snprintf(path, sizeof path, "%s/open", m.dir);
	assert_int_equal(fstatat(w.cache_fd, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	(void)snprintf(path, sizeof path, "%s/shared", m.dir);
	assert_int_equal(fstatat(w.cache_fd, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	mask_finish(&m);
	world_finish(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cell_does_not_see_hidden_names_and_all_else_is_equal),
		cmocka_unit_test(what_lies_under_a_mount_is_not_shown),
		cmocka_unit_test(somebody_elses_tree_gives_no_more_rights),
	};
	int failed;
	pid_t tester;

	make_others();
	tester = fork(); /* so that root is left to remove what it made */
	if (tester == 0) {
		world_drop();
		_exit(cmocka_run_group_tests(tests, NULL, NULL));
	}
	if (waitpid(tester, &failed, 0) != tester)
		return 1;
	if (others_fd >= 0 && mask_tree_remove(AT_FDCWD, others_root) < 0)
		return 1;
	return WIFEXITED(failed) ? WEXITSTATUS(failed) : 1;
}
