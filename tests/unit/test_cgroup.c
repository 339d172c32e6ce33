/* The module runs on a fake tree of plain files. The calls it makes are wrapped: they behave as a cgroup file system does
 * where plain files would not (a new directory has files, a write replaces, members move), and the nth can be made to
 * fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/cgroup.h"
#include "supervisor/proctext.h"

#define STRANGER "4000001"
#define COMPANION 4000002

int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_mkdirat(int dir, const char *path, mode_t mode);
int __real_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags);
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

/* Test programs may hold state: what the wrapped calls share. */
static struct world {
	bool on;
	char root[64];
	const char *absent; /* a control file that this kernel lacks */
	int countdown;      /* the call that fails; 0: none */
	int fail_errno;
	bool failed;
	int busy; /* how many removals find somebody still inside */
} w;

/* ---- plain files ---- */

static void text_put(const char *dir, const char *file, const char *text)
{
	char path[PROCTEXT_PATH_MAX + 64];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, file);
	fd = __real_open64(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static char *text_get(const char *dir, const char *file)
{
	static char room[4][4096];
	static unsigned next;
	char path[PROCTEXT_PATH_MAX + 400], *ret = room[next++ % 4];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/%s", dir, file);
	fd = __real_open64(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : __real_read(fd, ret, 4095);
	if (fd >= 0)
		(void)close(fd);
	ret[n < 0 ? 0 : n] = 0;
	return ret;
}

static bool exists(const char *dir, const char *file)
{
	char path[PROCTEXT_PATH_MAX + 64];

	(void)snprintf(path, sizeof path, "%s/%s", dir, file);
	return access(path, F_OK) == 0;
}

static void make_dir(const char *path)
{
	char copy[PROCTEXT_PATH_MAX];

	(void)snprintf(copy, sizeof copy, "%s", path);
	for (char *at = copy + strlen(w.root); at != NULL; at = strchr(at + 1, '/')) {
		const char saved = *at;

		*at = 0;
		(void)mkdir(copy, 0755);
		*at = saved;
		if (saved == 0)
			return;
	}
	assert_true(mkdir(copy, 0755) == 0 || errno == EEXIST);
}

/* ---- what a cgroup file system does ---- */

static bool path_of(int fd, char *ret, size_t size)
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, ret, size - 1);
	if (n < 0)
		return false;
	ret[n] = 0;
	return strncmp(ret, w.root, strlen(w.root)) == 0;
}

static void add_file(const char *dir, const char *file, const char *text)
{
	if (w.absent == NULL || strcmp(w.absent, file) != 0)
		text_put(dir, file, text);
}

static void add_memory_files(const char *dir, bool v2)
{
	add_file(dir, v2 ? "memory.max" : "memory.limit_in_bytes", "max\n");
	add_file(dir, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", "max\n");
	add_file(dir, v2 ? "memory.oom.group" : "memory.swappiness", "60\n");
	add_file(dir, v2 ? "memory.current" : "memory.usage_in_bytes", "1000\n");
	add_file(dir, v2 ? "memory.peak" : "memory.max_usage_in_bytes", "2000\n");
	add_file(dir, v2 ? "memory.events" : "memory.oom_control", "oom 2\noom_kill 1\n");
}

static void add_pids_files(const char *dir)
{
	add_file(dir, "pids.max", "max\n");
	add_file(dir, "pids.peak", "5\n");
	add_file(dir, "pids.events", "max 3\n");
}

static void populate(const char *parent, const char *dir)
{
	const bool v2 = exists(parent, "cgroup.subtree_control");
	const char *on = text_get(parent, "cgroup.subtree_control");

	text_put(dir, "cgroup.procs", "");
	if (v2) {
		text_put(dir, "cgroup.controllers", on);
		text_put(dir, "cgroup.subtree_control", "");
		text_put(dir, "cgroup.events", "populated 0\n");
		add_file(dir, "cgroup.kill", "");
		add_file(dir, "cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\n");
	} else {
		text_put(dir, "tasks", "");
	}
	if (v2 ? strstr(on, "memory") != NULL : strstr(dir, "/memory") != NULL)
		add_memory_files(dir, v2);
	if (v2 ? strstr(on, "pids") != NULL : strstr(dir, "/pids") != NULL)
		add_pids_files(dir);
}

/* True if this call is the one that is to fail. */
static bool fails(void)
{
	if (!w.on || w.countdown == 0 || --w.countdown > 0)
		return false;
	w.failed = true;
	errno = w.fail_errno;
	return true;
}

int __wrap_openat64(int dir, const char *path, int flags, ...)
{
	return fails() ? -1 : __real_openat64(dir, path, flags);
}

int __wrap_open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fails() ? -1 : __real_open64(path, flags, mode);
}

int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	char parent[PROCTEXT_PATH_MAX], made[PROCTEXT_PATH_MAX + 300];

	if (fails())
		return -1;
	if (__real_mkdirat(dir, path, mode) < 0)
		return -1;
	if (w.on && path_of(dir, parent, sizeof parent)) {
		(void)snprintf(made, sizeof made, "%s/%s", parent, path);
		populate(parent, made);
	}
	return 0;
}

static void empty_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_type == DT_REG)
			(void)__real_unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
	char parent[PROCTEXT_PATH_MAX], full[PROCTEXT_PATH_MAX + 300];

	if (!w.on || flags != AT_REMOVEDIR || !path_of(dir, parent, sizeof parent))
		return __real_unlinkat(dir, path, flags);
	if (fails())
		return -1;
	(void)snprintf(full, sizeof full, "%s/%s", parent, path);
	if (w.busy > 0 || text_get(full, "cgroup.procs")[0] != 0) {
		w.busy -= w.busy > 0;
		errno = EBUSY;
		return -1;
	}
	empty_dir(full);
	return __real_unlinkat(dir, path, flags);
}

static void leave_one(const char *dir, const char *pid)
{
	char line[32], *found, *text = text_get(dir, "cgroup.procs");

	(void)snprintf(line, sizeof line, "%s\n", pid);
	found = strstr(text, line);
	if (found == NULL || (found != text && found[-1] != '\n'))
		return;
	(void)memmove(found, found + strlen(line), strlen(found + strlen(line)) + 1);
	text_put(dir, "cgroup.procs", text);
}

static void leave_all(const char *dir, const char *pid)
{
	char below[PROCTEXT_PATH_MAX];
	DIR *d = opendir(dir);
	const struct dirent *entry;

	leave_one(dir, pid);
	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			(void)snprintf(below, sizeof below, "%s/%s", dir, entry->d_name);
			leave_all(below, pid);
		}
	if (d != NULL)
		(void)closedir(d);
}

static void join(const char *path, const char *pid)
{
	int fd;

	leave_all(w.root, pid);
	fd = __real_open64(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, pid, strlen(pid)), strlen(pid));
	assert_int_equal(__real_write(fd, "\n", 1), 1);
	(void)close(fd);
}

/* "+memory +pids": refused while there are processes in the directory itself. */
static bool turn_on(const char *dir, const char *text)
{
	char now[128];

	if (text_get(dir, "cgroup.procs")[0] != 0) {
		errno = EBUSY;
		return false;
	}
	(void)snprintf(now, sizeof now, "%s%s%s", text_get(dir, "cgroup.subtree_control"),
		       strstr(text, "+memory") != NULL ? "memory " : "", strstr(text, "+pids") != NULL ? "pids " : "");
	text_put(dir, "cgroup.subtree_control", now);
	return true;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	char path[PROCTEXT_PATH_MAX], text[64], *file;

	if (!w.on || !path_of(fd, path, sizeof path))
		return __real_write(fd, bytes, n);
	if (fails())
		return -1;
	(void)snprintf(text, sizeof text, "%.*s", (int)n, (const char *)bytes);
	file = strrchr(path, '/');
	if (strcmp(file, "/cgroup.procs") == 0) {
		join(path, text);
		return (ssize_t)n;
	}
	*file = 0;
	if (strcmp(file + 1, "cgroup.subtree_control") == 0)
		return turn_on(path, text) ? (ssize_t)n : -1;
	if (strcmp(file + 1, "cgroup.kill") == 0)
		text_put(path, "cgroup.procs", "");
	assert_int_equal(ftruncate(fd, 0), 0);
	return __real_write(fd, bytes, n);
}

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	return fails() ? -1 : __real_read(fd, bytes, n);
}

int __wrap_flock(int fd, int operation)
{
	return fails() ? -1 : __real_flock(fd, operation);
}

/* ---- hosts ---- */

#define STAT_SELF "7 (x) S 1 7 7 0 -1 0 0 0 0 0 1 1 1 1 20 0 1 0 5678 0 0\n"

static void put_host(const char *cgroup, const char *mountinfo)
{
	char proc[128];

	(void)snprintf(proc, sizeof proc, "%s/proc/self", w.root);
	make_dir(proc);
	text_put(proc, "cgroup", cgroup);
	text_put(proc, "mountinfo", mountinfo);
	text_put(proc, "stat", STAT_SELF);
}

/* The caller's own cgroup of version 2 with its members. */
static const char *host_v2(const char *own, const char *controllers, const char *on, const char *members)
{
	static char path[256];
	char cgroup[128];

	(void)snprintf(cgroup, sizeof cgroup, "0::%s\n", own);
	put_host(cgroup, "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
	(void)snprintf(path, sizeof path, "%s/cg%s", w.root, own);
	make_dir(path);
	text_put(path, "cgroup.controllers", controllers);
	text_put(path, "cgroup.subtree_control", on);
	text_put(path, "cgroup.procs", members);
	return path;
}

static void host_v1(void)
{
	static const char *const dirs[] = { "/cg/memory/own", "/cg/pids", "/cg/unified" };
	char path[256];

	put_host("8:pids:/\n4:memory:/own\n0::/\n", "35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n"
						    "39 31 0:36 / /cg/pids rw - cgroup cgroup rw,pids\n"
						    "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n");
	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", w.root, dirs[i]);
		make_dir(path);
		text_put(path, "cgroup.procs", STRANGER "\n");
		text_put(path, i == 2 ? "cgroup.controllers" : "tasks", "");
	}
}

static int begin(void **state)
{
	(void)state;
	w = (struct world){ .root = "/tmp/ambit-test-cgroup-XXXXXX" };
	assert_non_null(mkdtemp(w.root));
	w.on = true;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int end(void **state)
{
	(void)state;
	w.on = false;
	return nftw(w.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static unsigned count_ours(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	unsigned n = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		n += strncmp(entry->d_name, "ambit-", 6) == 0;
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static struct cgroup_ask ask_for(uint64_t memory, uint64_t tasks)
{
	return (struct cgroup_ask){
		.root = w.root, .event_id = "e_x", .value = { memory, tasks }, .companion = COMPANION
	};
}

static const char *event_dir(const char *own, const struct cgroup *c)
{
	static char path[PROCTEXT_PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", own, c->name);
	return path;
}

static const char *self(void)
{
	static char text[32];

	(void)snprintf(text, sizeof text, "%d\n", (int)getpid());
	return text;
}

/* ---- version 2 ---- */

static void ours_alone_move_to_the_leaf(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	const char *own, *dir;
	char members[64], leaf[300], pid[16];
	struct cgroup c;
	struct err e;

	(void)state;
	(void)snprintf(members, sizeof members, "%s%d\n", self(), COMPANION);
	own = host_v2("/run.scope", "cpu memory pids\n", "", members);
	cgroup_create(&ask, &c);
	assert_string_equal(c.why[CGROUP_MEMORY], "");
	assert_true(cgroup_has(&c, CGROUP_MEMORY) && cgroup_has(&c, CGROUP_TASKS));
	assert_string_equal(text_get(own, "cgroup.procs"), "");
	(void)snprintf(leaf, sizeof leaf, "%s/ambit.leaf", own);
	assert_string_equal(text_get(leaf, "cgroup.procs"), members);
	dir = event_dir(own, &c);
	assert_string_equal(text_get(dir, "memory.max"), "1048576");
	assert_string_equal(text_get(dir, "memory.swap.max"), "0");
	assert_string_equal(text_get(dir, "memory.oom.group"), "1");
	assert_string_equal(text_get(dir, "pids.max"), "10");
	assert_true(cgroup_clone_fd(&c) >= 0);
	assert_false(cgroup_holds(&c, CGROUP_MEMORY) || cgroup_holds(&c, CGROUP_TASKS));

	cgroup_place(&c, 4000003);
	assert_true(cgroup_holds(&c, CGROUP_MEMORY) && cgroup_holds(&c, CGROUP_TASKS));
	cgroup_settle(&c, 8);
	assert_true(cgroup_holds(&c, CGROUP_MEMORY) && cgroup_holds(&c, CGROUP_TASKS));
	assert_string_equal(text_get(dir, "pids.max"), "8");
	(void)snprintf(pid, sizeof pid, "4000003\n");
	assert_string_equal(text_get(dir, "cgroup.procs"), pid);
	assert_int_equal(cgroup_oom_kills(&c), 1);
	assert_int_equal(cgroup_forks_refused(&c), 3);
	assert_int_equal(cgroup_finish(&c, 100, &e), 0); /* kills what is inside */
	assert_int_equal(count_ours(own), 0);
}

/* Where nobody put the cell, there is nothing that holds it. */
static void what_the_cell_is_not_in_is_dropped(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	const char *own;
	struct cgroup c;
	struct err e;

	(void)state;
	own = host_v2("/run.scope", "memory pids\n", "memory pids\n", "");
	cgroup_create(&ask, &c);
	cgroup_enter(&c); /* does nothing for version 2 */
	assert_int_equal(cgroup_leave(&c, &e), 0);
	cgroup_settle(&c, 8);
	assert_false(cgroup_has(&c, CGROUP_MEMORY) || cgroup_has(&c, CGROUP_TASKS));
	assert_non_null(strstr(c.why[CGROUP_TASKS], "not put in"));
	assert_int_equal(count_ours(own), 0);
	cgroup_create(&ask, &c);
	cgroup_cloned(&c);
	cgroup_settle(&c, 8);
	assert_true(cgroup_holds(&c, CGROUP_MEMORY) && cgroup_holds(&c, CGROUP_TASKS));
	assert_int_equal(cgroup_finish(&c, 50, &e), 0);
}

static void a_stranger_is_never_moved(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	char members[64];
	const char *own;
	struct cgroup c;

	(void)state;
	(void)snprintf(members, sizeof members, "%s" STRANGER "\n", self());
	own = host_v2("/run.scope", "memory pids\n", "", members);
	cgroup_create(&ask, &c);
	assert_false(cgroup_has(&c, CGROUP_MEMORY) || cgroup_has(&c, CGROUP_TASKS));
	assert_non_null(strstr(c.why[CGROUP_MEMORY], "other processes"));
	assert_string_equal(text_get(own, "cgroup.procs"), members);
	assert_int_equal(count_ours(own), 0);
	assert_false(exists(own, "ambit.leaf"));
}

/* A process of another pid namespace shows as 0. */
static void a_nameless_member_is_a_stranger(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	char members[64];
	const char *own;
	struct cgroup c;

	(void)state;
	(void)snprintf(members, sizeof members, "%s0\n", self());
	own = host_v2("/run.scope", "memory pids\n", "", members);
	cgroup_create(&ask, &c);
	assert_false(cgroup_has(&c, CGROUP_MEMORY));
	assert_false(exists(own, "ambit.leaf"));
}

static void from_the_leaf_the_parent_is_used(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 0);
	char path[256], own[256];
	struct cgroup c;
	struct err e;

	(void)state;
	(void)snprintf(path, sizeof path, "%s", host_v2("/run.scope/ambit.leaf", "memory pids\n", "", self()));
	(void)snprintf(own, sizeof own, "%s/cg/run.scope", w.root);
	text_put(own, "cgroup.controllers", "memory pids\n");
	text_put(own, "cgroup.subtree_control", "memory pids\n");
	text_put(own, "cgroup.procs", "");
	cgroup_create(&ask, &c);
	assert_true(cgroup_has(&c, CGROUP_MEMORY));
	assert_string_equal(c.why[CGROUP_TASKS], "no limit");
	assert_int_equal(count_ours(own), 1);
	assert_int_equal(count_ours(path), 0);
	assert_int_equal(cgroup_finish(&c, 100, &e), 0);
}

static void one_controller_of_each_version(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	char path[256];
	struct cgroup c;
	struct err e;

	(void)state;
	host_v1();
	(void)snprintf(path, sizeof path, "%s/cg/unified", w.root);
	text_put(path, "cgroup.controllers", "pids\n");
	text_put(path, "cgroup.subtree_control", "pids\n");
	cgroup_create(&ask, &c);
	assert_true(cgroup_has(&c, CGROUP_MEMORY) && cgroup_has(&c, CGROUP_TASKS));
	assert_int_equal(count_ours(path), 1);
	(void)snprintf(path, sizeof path, "%s/cg/memory/own", w.root);
	assert_int_equal(count_ours(path), 1);
	(void)snprintf(path, sizeof path, "%s/cg/pids", w.root);
	assert_int_equal(count_ours(path), 0);
	assert_int_equal(cgroup_finish(&c, 100, &e), 0);
}

static void figures_of_version_2(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	uint64_t v, user, sys;
	struct cgroup c;
	struct err e;

	(void)state;
	(void)host_v2("/run.scope", "memory pids\n", "", "");
	w.absent = "memory.peak"; /* before 5.19 */
	cgroup_create(&ask, &c);
	assert_true(cgroup_memory_now(&c, &v) && v == 1000);
	assert_false(cgroup_memory_peak(&c, &v));
	assert_true(cgroup_tasks_peak(&c, &v) && v == 5);
	assert_true(cgroup_cpu(&c, &user, &sys) && user == 20 && sys == 10);
	assert_int_equal(cgroup_finish(&c, 100, &e), 0);
}

/* ---- version 1 ---- */

static void version_1_has_a_directory_for_each(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	char memory[256], pids[256], dir[PROCTEXT_PATH_MAX];
	struct cgroup c;
	uint64_t v;
	struct err e;

	(void)state;
	host_v1();
	(void)snprintf(memory, sizeof memory, "%s/cg/memory/own", w.root);
	(void)snprintf(pids, sizeof pids, "%s/cg/pids", w.root);
	cgroup_create(&ask, &c);
	assert_true(cgroup_has(&c, CGROUP_MEMORY) && cgroup_has(&c, CGROUP_TASKS));
	assert_int_equal(cgroup_clone_fd(&c), -1);
	(void)snprintf(dir, sizeof dir, "%s", event_dir(memory, &c));
	assert_string_equal(text_get(dir, "memory.limit_in_bytes"), "1048576");
	assert_string_equal(text_get(dir, "memory.memsw.limit_in_bytes"), "1048576");
	assert_string_equal(text_get(event_dir(pids, &c), "pids.max"), "10");
	cgroup_enter(&c);
	assert_true(cgroup_holds(&c, CGROUP_MEMORY) && cgroup_holds(&c, CGROUP_TASKS));
	assert_string_equal(text_get(dir, "tasks"), "0");
	assert_string_equal(text_get(event_dir(pids, &c), "tasks"), "0");
	assert_int_equal(cgroup_leave(&c, &e), 0);
	assert_string_equal(text_get(memory, "tasks"), "0");
	assert_string_equal(text_get(pids, "tasks"), "0");
	assert_true(cgroup_memory_peak(&c, &v) && v == 2000);
	assert_int_equal(cgroup_oom_kills(&c), 1);
	assert_string_equal(text_get(memory, "cgroup.procs"), STRANGER "\n"); /* strangers stay where they are */
	assert_int_equal(cgroup_finish(&c, 100, &e), 0);
	assert_int_equal(count_ours(memory) + count_ours(pids), 0);
}

/* ---- what goes wrong ---- */

static void a_missing_file_counts_only_where_it_must_be(void **state)
{
	static const struct {
		const char *file;
		bool memory, tasks;
	} rows[] = {
		{ "memory.swap.max", true, true }, { "memory.oom.group", true, true },
		{ "cgroup.kill", true, true },     { "memory.max", false, false }, /* one directory: nothing half set */
		{ "pids.max", false, false },
	};
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	const char *own;
	struct cgroup c;
	struct err e;

	(void)state;
	own = host_v2("/run.scope", "memory pids\n", "memory pids\n", "");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		w.absent = rows[i].file;
		cgroup_create(&ask, &c);
		if (cgroup_has(&c, CGROUP_MEMORY) != rows[i].memory || cgroup_has(&c, CGROUP_TASKS) != rows[i].tasks)
			fail_msg("without %s", rows[i].file);
		if (!rows[i].memory)
			assert_non_null(strstr(c.why[CGROUP_MEMORY], rows[i].file));
		assert_int_equal(cgroup_finish(&c, 100, &e), 0);
		assert_int_equal(count_ours(own), 0);
	}
}

static void what_refuses_the_cell_is_not_claimed(void **state)
{
	static const char *const files[] = { "tasks", "cgroup.procs" };
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	char memory[256], file[PROCTEXT_PATH_MAX + 32];
	struct cgroup c;
	struct err e;

	(void)state;
	host_v1();
	(void)snprintf(memory, sizeof memory, "%s/cg/memory/own", w.root);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		cgroup_create(&ask, &c);
		assert_true(cgroup_has(&c, CGROUP_MEMORY));
		(void)snprintf(file, sizeof file, "%s/%s", event_dir(memory, &c), files[i]);
		assert_int_equal(unlink(file), 0);
		if (i == 0)
			cgroup_enter(&c);
		else
			cgroup_place(&c, 4000003);
		assert_false(cgroup_has(&c, CGROUP_MEMORY));
		assert_string_not_equal(c.why[CGROUP_MEMORY], "");
		assert_true(cgroup_has(&c, CGROUP_TASKS));
		assert_int_equal(count_ours(memory), 0);
		leave_all(w.root, "4000003");
		assert_int_equal(cgroup_finish(&c, 50, &e), 0);
	}
}

static void a_busy_directory_is_waited_for_and_not_for_ever(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	const char *own;
	struct cgroup c;
	struct err e;

	(void)state;
	own = host_v2("/run.scope", "memory pids\n", "memory pids\n", "");
	cgroup_create(&ask, &c);
	w.busy = 3;
	assert_int_equal(cgroup_finish(&c, 2000, &e), 0);
	assert_int_equal(count_ours(own), 0);
	cgroup_create(&ask, &c);
	w.busy = 1 << 20;
	assert_int_equal(cgroup_finish(&c, 30, &e), -AMBIT_SYSTEM);
	assert_int_equal(e.sys_errno, EBUSY);
	assert_int_equal(count_ours(own), 1);
	w.busy = 0;
	assert_int_equal(cgroup_sweep(w.root), 1); /* the fake /proc knows no such owner, and the lock went with it */
	assert_int_equal(count_ours(own), 0);
}

static void sweep_spares_the_living(void **state)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	char path[PROCTEXT_PATH_MAX];
	const char *own;
	struct cgroup c;
	struct err e;
	int fd;
	static const struct {
		const char *name;
		bool stays;
	} rows[] = {
		{ "ambit-99-1-e_dead", false },
		{ "ambit-77-5678-e_living", true }, /* the fake /proc has it */
		{ "ambit-77-5679-e_other", false }, /* the number was used again */
		{ "ambit-99-e_short", true },       /* not a name of ours */
		{ "ambit-x-1-e_x", true },
		{ "ambit.leaf", true },
		{ "something", true },
	};

	(void)state;
	own = host_v2("/run.scope", "memory pids\n", "memory pids\n", "");
	(void)snprintf(path, sizeof path, "%s/proc/77", w.root);
	make_dir(path);
	text_put(path, "stat", STAT_SELF);
	fd = __real_open64(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(mkdirat(fd, rows[i].name, 0755), 0);
	(void)close(fd);
	cgroup_create(&ask, &c); /* its owner is not in the fake /proc either: only the lock speaks for it */
	assert_int_equal(cgroup_sweep(w.root), 2);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (exists(own, rows[i].name) != rows[i].stays)
			fail_msg("%s", rows[i].name);
	assert_true(exists(own, c.name));
	assert_int_equal(cgroup_finish(&c, 100, &e), 0);
}

/* One life of a cgroup; whatever fails in it, what is claimed is true. */
static void live(const char *own, const char *file)
{
	const struct cgroup_ask ask = ask_for(1 << 20, 10);
	uint64_t v, u;
	struct cgroup c;
	struct err e;

	cgroup_create(&ask, &c);
	for (unsigned s = 0; s < CGROUP_SLOTS; s++)
		if (cgroup_has(&c, s) != (c.why[s][0] == 0))
			fail_msg("call %s: slot %u: '%s'", file, s, c.why[s]);
	if (cgroup_has(&c, CGROUP_MEMORY))
		assert_string_equal(text_get(event_dir(own, &c), file), "1048576");
	cgroup_enter(&c);
	(void)cgroup_leave(&c, &e);
	cgroup_place(&c, 4000003);
	cgroup_settle(&c, 8);
	if (cgroup_holds(&c, CGROUP_MEMORY) != cgroup_has(&c, CGROUP_MEMORY))
		fail_msg("neither in nor dropped");
	(void)cgroup_memory_now(&c, &v);
	(void)cgroup_memory_peak(&c, &v);
	(void)cgroup_tasks_peak(&c, &v);
	(void)cgroup_cpu(&c, &v, &u);
	(void)cgroup_oom_kills(&c);
	(void)cgroup_forks_refused(&c);
	leave_all(w.root, "4000003"); /* the cell's end, with version 1 */
	(void)cgroup_finish(&c, 50, &e);
}

static void each_call_may_fail(void **state)
{
	static const int errors[] = { EACCES, EBUSY, ENOENT, EIO };
	const bool v1 = *(bool *)*state;
	const unsigned before = open_fds();
	char own[256];
	int calls = 0;

	if (v1)
		host_v1();
	(void)snprintf(own, sizeof own, "%s/%s", w.root, v1 ? "cg/memory/own" : "cg/run.scope");
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		for (calls = 1;; calls++) {
			if (!v1)
				(void)host_v2("/run.scope", "memory pids\n", "", "");
			w.countdown = calls;
			w.fail_errno = errors[i];
			w.failed = false;
			live(own, v1 ? "memory.limit_in_bytes" : "memory.max");
			if (!w.failed)
				break;
			w.countdown = 0;
			(void)cgroup_sweep(w.root); /* where the removal failed */
			assert_int_equal(count_ours(own), 0);
			assert_int_equal(open_fds(), before);
		}
		assert_true(calls > 20); /* the walk went through the whole life */
	}
}

int main(void)
{
	static bool version_1 = true, version_2 = false;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ours_alone_move_to_the_leaf, begin, end),
		cmocka_unit_test_setup_teardown(what_the_cell_is_not_in_is_dropped, begin, end),
		cmocka_unit_test_setup_teardown(a_stranger_is_never_moved, begin, end),
		cmocka_unit_test_setup_teardown(a_nameless_member_is_a_stranger, begin, end),
		cmocka_unit_test_setup_teardown(from_the_leaf_the_parent_is_used, begin, end),
		cmocka_unit_test_setup_teardown(one_controller_of_each_version, begin, end),
		cmocka_unit_test_setup_teardown(figures_of_version_2, begin, end),
		cmocka_unit_test_setup_teardown(version_1_has_a_directory_for_each, begin, end),
		cmocka_unit_test_setup_teardown(a_missing_file_counts_only_where_it_must_be, begin, end),
		cmocka_unit_test_setup_teardown(what_refuses_the_cell_is_not_claimed, begin, end),
		cmocka_unit_test_setup_teardown(a_busy_directory_is_waited_for_and_not_for_ever, begin, end),
		cmocka_unit_test_setup_teardown(sweep_spares_the_living, begin, end),
		cmocka_unit_test_prestate_setup_teardown(each_call_may_fail, begin, end, &version_1),
		cmocka_unit_test_prestate_setup_teardown(each_call_may_fail, begin, end, &version_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
