#include "supervisor/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "supervisor/proctext.h"

#define LEAF "ambit.leaf"
#define PREFIX "ambit-"
#define HOST_TEXT_MAX (1u << 20) /* mountinfo of a host with thousands of containers */
#define SMALL_MAX 4096           /* control files that we read */
#define MEMBERS_MAX 64           /* processes awaited at once */

static const char *const controllers[CGROUP_SLOTS] = { [CGROUP_MEMORY] = "memory", [CGROUP_TASKS] = "pids" };

static unsigned bit(enum cgroup_slot slot)
{
	return 1u << slot;
}

/* ---- control files ---- */

static int put(int dir_fd, const char *name, const char *text)
{
	auto_fd int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static int put_number(int dir_fd, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRIu64, value); /* 20 digits at most */
	return put(dir_fd, name, text);
}

/* The text, ended by a NUL; cut if it is longer. 0 or -errno. */
static int get(int dir_fd, const char *name, char *ret, size_t size)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = fd_read_all(fd, ret, size - 1);
	if (n < 0)
		return (int)n;
	ret[n] = 0;
	return 0;
}

static bool get_field(int dir_fd, const char *name, const char *key, uint64_t *ret)
{
	char text[SMALL_MAX];

	return get(dir_fd, name, text, sizeof text) == 0 && proctext_field(text, key, ret);
}

static bool get_number(int dir_fd, const char *name, uint64_t *ret)
{
	char text[32];

	if (get(dir_fd, name, text, sizeof text) < 0)
		return false;
	text[strcspn(text, "\n")] = 0;
	return parse_u64(text, 0, UINT64_MAX, ret);
}

static bool get_has_word(int dir_fd, const char *name, const char *word)
{
	char text[SMALL_MAX];

	return get(dir_fd, name, text, sizeof text) == 0 && proctext_has_word(text, strlen(text), word);
}

/* ---- where the caller is ---- */

struct host {
	const char *root;
	unsigned there; /* slots of which the usual places have something, that the caller may not write to */
	struct buf cgroup, mountinfo; /* in the rooms */
	char cgroup_room[HOST_TEXT_MAX], mountinfo_room[HOST_TEXT_MAX];
};

static bool read_host_file(const char *root, const char *path, struct buf *ret)
{
	char full[PROCTEXT_PATH_MAX], room[4096];
	auto_fd int fd = -1;
	ssize_t n = -1;

	if ((size_t)snprintf(full, sizeof full, "%s%s", root, path) < sizeof full)
		fd = open(full, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = fd_read_all(fd, room, sizeof room)) > 0)
		buf_put(ret, room, (size_t)n);
	return n == 0 && buf_cstr(ret) != NULL;
}

static bool may(const char *root, const char *place, const char *path, size_t n, int mode)
{
	char full[PROCTEXT_PATH_MAX];

	return (size_t)snprintf(full, sizeof full, "%s/sys/fs/cgroup/%s%.*s", root, place, (int)n, path) <
		       sizeof full &&
	       faccessat(AT_FDCWD, full, mode, AT_EACCESS) == 0;
}

/* Whether the caller may write to the usual place of the cgroup that a line of /proc/self/cgroup tells of. */
static bool line_may_be_ours(struct host *h, const char *line, size_t n)
{
	static const char v2[] = "/cgroup.controllers"; /* where no other version is mounted over it */
	const char *names = memchr(line, ':', n), *end = line + n, *path;
	char place[64];

	path = names == NULL ? NULL : memchr(names + 1, ':', (size_t)(end - names - 1));
	if (path == NULL)
		return false;
	(void)snprintf(place, sizeof place, "%.*s", (int)(path - names - 1), names + 1); /* cut, it is none of ours */
	path++;
	if (place[0] == 0) {
		if (may(h->root, "", v2, strlen(v2), F_OK))
			h->there |= bit(CGROUP_MEMORY) | bit(CGROUP_TASKS);
		return may(h->root, "", path, (size_t)(end - path), W_OK) ||
		       may(h->root, "unified", path, (size_t)(end - path), W_OK);
	}
	for (unsigned s = 0; s < CGROUP_SLOTS; s++)
		if (strstr(place, controllers[s]) != NULL && may(h->root, place, path, (size_t)(end - path), F_OK))
			h->there |= 1u << s;
	return (strstr(place, "memory") != NULL || strstr(place, "pids") != NULL) &&
	       may(h->root, place, path, (size_t)(end - path), W_OK);
}

/* An ordinary user mostly has no cgroup to write to; saying so by the usual places takes a tenth of the time that the kernel needs
 * to write down all mounts. Where there is no such place the mounts have the word. */
static bool may_be_ours(struct host *h)
{
	char usual[PROCTEXT_PATH_MAX];

	(void)snprintf(usual, sizeof usual, "%s/sys/fs/cgroup", h->root); /* cut, it is not there */
	if (geteuid() == 0 || access(usual, F_OK) < 0)
		return true;
	for (const char *line = (const char *)h->cgroup.data, *next; line != NULL; line = next) {
		const size_t n = strcspn(line, "\n");

		if (line_may_be_ours(h, line, n))
			return true;
		next = line[n] == 0 ? NULL : line + n + 1;
	}
	return false;
}

static bool host_read(struct host *h, const char *root)
{
	h->root = root;
	h->there = 0;
	buf_init_in(&h->cgroup, h->cgroup_room, sizeof h->cgroup_room);
	buf_init_in(&h->mountinfo, h->mountinfo_room, sizeof h->mountinfo_room);
	return read_host_file(root, "/proc/self/cgroup", &h->cgroup) && may_be_ours(h) &&
	       read_host_file(root, "/proc/self/mountinfo", &h->mountinfo);
}

static void host_finish(struct host *h)
{
	buf_finish(&h->cgroup);
	buf_finish(&h->mountinfo);
}

/* Once Ambit has moved into its leaf, the cgroup that it was given is the one above. */
static void strip_leaf(char *path)
{
	char *last = strrchr(path, '/');

	if (last != NULL && strcmp(last, "/" LEAF) == 0)
		*last = 0;
}

/* The caller's own directory in the hierarchy of a controller ("": version 2); -1 if there is none. */
static int host_open(const struct host *h, const char *controller)
{
	char own[PROCTEXT_PATH_MAX], full[PROCTEXT_PATH_MAX];

	if (!proctext_own_cgroup((const char *)h->cgroup.data, (const char *)h->mountinfo.data, controller, own))
		return -1;
	strip_leaf(own);
	if ((size_t)snprintf(full, sizeof full, "%s%s", h->root, own) >= sizeof full)
		return -1;
	return open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- names: ambit-PID-START-EVENT ---- */

static bool start_of(const char *root, const char *pid, uint64_t *ret)
{
	char path[64], room[SMALL_MAX];
	struct proctext_stat stat;
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	(void)snprintf(path, sizeof path, "/proc/%s/stat", pid); /* pid is "self" or has at most 10 digits */
	if (!read_host_file(root, path, &text) || !proctext_stat((const char *)text.data, &stat))
		return false;
	*ret = stat.start_ticks;
	return true;
}

static bool name_make(const struct cgroup_ask *ask, char ret[CGROUP_NAME_MAX])
{
	uint64_t start = 0;
	int n;

	if (strchr(ask->event_id, '/') != NULL || !start_of(ask->root, "self", &start))
		return false;
	n = snprintf(ret, CGROUP_NAME_MAX, PREFIX "%d-%" PRIu64 "-%s", (int)getpid(), start, ask->event_id);
	return n > 0 && n < CGROUP_NAME_MAX;
}

/* Whether the process that the name tells of lives, as far as this pid namespace shows. False for *ret_ours: not a name
 * of this kind. */
static bool name_owner_lives(const char *root, const char *name, bool *ret_ours)
{
	char copy[CGROUP_NAME_MAX], *pid, *start, *end;
	uint32_t number;
	uint64_t want, is;

	*ret_ours = false;
	if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 || !text_copy(copy, sizeof copy, name))
		return false;
	pid = copy + sizeof PREFIX - 1;
	start = strchr(pid, '-');
	end = start == NULL ? NULL : strchr(start + 1, '-');
	if (end == NULL)
		return false;
	*start++ = 0;
	*end = 0;
	if (!parse_u32(pid, 1, INT32_MAX, &number) || !parse_u64(start, 0, UINT64_MAX, &want))
		return false;
	*ret_ours = true;
	return start_of(root, pid, &is) && is == want;
}

/* ---- making ---- */

static void why(struct cgroup *c, unsigned slots, const char *what, int error)
{
	for (unsigned s = 0; s < CGROUP_SLOTS; s++)
		if ((slots & 1u << s) != 0)
			(void)snprintf(c->why[s], sizeof c->why[s], "%s%s%s", what, error != 0 ? ": " : "",
				       error != 0 ? strerror(error) : "");
}

static void dir_close(struct cgroup_dir *d)
{
	fd_close(&d->parent_fd);
	fd_close(&d->fd);
	*d = (struct cgroup_dir){ .parent_fd = -1, .fd = -1 };
}

/* Gives up a directory that is of no use. */
static void dir_drop(struct cgroup *c, struct cgroup_dir *d, const char *what, int error)
{
	why(c, d->slots, what, error);
	(void)unlinkat(d->parent_fd, c->name, AT_REMOVEDIR); /* what stays is empty and swept later */
	dir_close(d);
}

enum need { MUST, IF_THERE /* ENOENT: this kernel lacks it */, TRY };

static const struct setting {
	int version;
	enum cgroup_slot slot;
	const char *file;
	bool limit; /* the limit, else `fixed` */
	uint64_t fixed;
	enum need need;
} settings[] = {
	{ 2, CGROUP_MEMORY, "memory.max", true, 0, MUST },
	{ 2, CGROUP_MEMORY, "memory.swap.max", false, 0, IF_THERE },
	{ 2, CGROUP_MEMORY, "memory.oom.group", false, 1, IF_THERE },
	{ 2, CGROUP_TASKS, "pids.max", true, 0, MUST },
	{ 1, CGROUP_MEMORY, "memory.limit_in_bytes", true, 0, MUST },
	/* memory and swap together, so no more in swap than would fit in memory; after the limit, never below it */
	{ 1, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", true, 0, IF_THERE },
	{ 1, CGROUP_MEMORY, "memory.swappiness", false, 0, TRY },
	{ 1, CGROUP_TASKS, "pids.max", true, 0, MUST },
};

static int dir_configure(const struct cgroup_dir *d, const struct cgroup_ask *ask, const char **ret_file)
{
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		const struct setting *s = &settings[i];
		int r;

		if (s->version != d->version || (d->slots & bit(s->slot)) == 0)
			continue;
		r = put_number(d->fd, s->file, s->limit ? ask->value[s->slot] : s->fixed);
		if (r == 0 || s->need == TRY || (s->need == IF_THERE && r == -ENOENT))
			continue;
		*ret_file = s->file;
		return r;
	}
	return 0;
}

/* Makes, locks and sets up the event's directory in the caller's own. Takes parent_fd. */
static void dir_make(struct cgroup *c, struct cgroup_dir *d, const struct cgroup_ask *ask, int version, unsigned slots,
		     int parent_fd)
{
	const char *file = NULL;
	int r;

	*d = (struct cgroup_dir){ .version = version, .slots = slots, .parent_fd = parent_fd, .fd = -1 };
	if (faccessat(parent_fd, ".", W_OK, AT_EACCESS) <
	    0) { /* an ordinary user's, most often: it needs no name then */
		why(c, slots, "make a cgroup in the caller's own", errno);
		dir_close(d);
		return;
	}
	if (!name_make(ask, c->name)) {
		why(c, slots, "no name for a cgroup", 0);
		dir_close(d);
		return;
	}
	if (mkdirat(parent_fd, c->name, 0755) < 0) {
		why(c, slots, "make a cgroup in the caller's own", errno);
		dir_close(d);
		return;
	}
	d->fd = openat(parent_fd, c->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* the lock tells a sweep, in whatever pid namespace, that the owner lives */
	if (d->fd < 0 || flock(d->fd, LOCK_EX | LOCK_NB) < 0) {
		dir_drop(c, d, "hold the new cgroup", errno);
		return;
	}
	r = dir_configure(d, ask, &file);
	if (r < 0)
		dir_drop(c, d, file, -r);
	else
		why(c, slots, "", 0);
}

/* ---- version 2: enabling controllers ---- */

/* True if each process of the caller's cgroup is this one or its companion. */
static bool all_ours(const char *procs, pid_t companion)
{
	char copy[SMALL_MAX], *rest = copy;

	if (!text_copy(copy, sizeof copy, procs))
		return false;
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
		uint32_t pid;

		if (*line == 0)
			continue;
		/* 0 is a process of another pid namespace */
		if (!parse_u32(line, 1, INT32_MAX, &pid) || ((pid_t)pid != getpid() && (pid_t)pid != companion))
			return false;
	}
	return true;
}

static int move_to_leaf(int own_fd, pid_t companion)
{
	const pid_t pids[] = { getpid(), companion };
	auto_fd int leaf = -1;

	if (mkdirat(own_fd, LEAF, 0755) < 0 && errno != EEXIST)
		return -errno;
	leaf = openat(own_fd, LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (leaf < 0)
		return -errno;
	for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
		const int r = pids[i] > 0 ? put_number(leaf, "cgroup.procs", (uint64_t)pids[i]) : 0;

		if (r < 0 && r != -ESRCH) /* it may have ended meanwhile */
			return r;
	}
	return 0;
}

static int enable(int own_fd, unsigned slots)
{
	char text[32] = "";

	for (unsigned s = 0; s < CGROUP_SLOTS; s++)
		if ((slots & 1u << s) != 0 && !get_has_word(own_fd, "cgroup.subtree_control", controllers[s])) {
			const size_t used = strlen(text);

			(void)snprintf(text + used, sizeof text - used, "%s+%s", used != 0 ? " " : "",
				       controllers[s]); /* two short words */
		}
	return text[0] != 0 ? put(own_fd, "cgroup.subtree_control", text) : 0;
}

/* EBUSY: there are processes in the cgroup itself. They are moved if all are ours. */
static int enable_or_settle(int own_fd, unsigned slots, pid_t companion)
{
	char procs[SMALL_MAX];
	int r = enable(own_fd, slots);

	if (r != -EBUSY)
		return r;
	if (get(own_fd, "cgroup.procs", procs, sizeof procs) < 0 || !all_ours(procs, companion))
		return -EBUSY;
	r = move_to_leaf(own_fd, companion);
	return r < 0 ? r : enable(own_fd, slots);
}

static void create_v2(struct cgroup *c, const struct host *h, const struct cgroup_ask *ask, unsigned want)
{
	auto_fd int own = host_open(h, "");
	unsigned slots = 0;
	int r;

	for (unsigned s = 0; own >= 0 && s < CGROUP_SLOTS; s++)
		if ((want & 1u << s) != 0 && get_has_word(own, "cgroup.controllers", controllers[s]))
			slots |= 1u << s;
	if (slots == 0)
		return;
	if (faccessat(own, ".", W_OK, AT_EACCESS) < 0) {
		why(c, slots, "the caller's own cgroup is not delegated", errno);
		return;
	}
	r = enable_or_settle(own, slots, ask->companion);
	if (r == -EBUSY)
		why(c, slots, "other processes than Ambit's are in the caller's own cgroup", 0);
	else if (r < 0)
		why(c, slots, "enable the controllers in the caller's own cgroup", -r);
	else
		dir_make(c, &c->dirs[(slots & bit(CGROUP_MEMORY)) != 0 ? CGROUP_MEMORY : CGROUP_TASKS], ask, 2, slots,
			 steal_fd(&own));
}

/* ---- version 1 ---- */

static bool same_directory(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void create_v1(struct cgroup *c, const struct host *h, const struct cgroup_ask *ask, unsigned want)
{
	int own[CGROUP_SLOTS] = { -1, -1 };
	unsigned together;

	for (unsigned s = 0; s < CGROUP_SLOTS; s++)
		if ((want & 1u << s) != 0)
			own[s] = host_open(h, controllers[s]);
	together = own[0] >= 0 && own[1] >= 0 && same_directory(own[0], own[1]) ? 3 : 0;
	for (unsigned s = 0; s < CGROUP_SLOTS; s++) {
		if (own[s] < 0)
			continue;
		if (together != 0 && s > 0)
			fd_close(&own[s]);
		else
			dir_make(c, &c->dirs[s], ask, 1, together != 0 ? together : 1u << s, own[s]);
	}
}

bool cgroup_has(const struct cgroup *c, enum cgroup_slot slot)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++)
		if (c->dirs[i].version != 0 && (c->dirs[i].slots & bit(slot)) != 0)
			return true;
	return false;
}

bool cgroup_holds(const struct cgroup *c, enum cgroup_slot slot)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++)
		if (c->dirs[i].inside && (c->dirs[i].slots & bit(slot)) != 0)
			return true;
	return false;
}

static void create(struct cgroup *c, const struct host *h, const struct cgroup_ask *ask, unsigned want)
{
	create_v2(c, h, ask, want);
	for (unsigned s = 0; s < CGROUP_SLOTS; s++)
		if (cgroup_has(c, s))
			want &= ~(1u << s);
	/* a controller belongs to one version: where version 2 has it and refused, version 1 does not show it */
	create_v1(c, h, ask, want);
}

void cgroup_create(const struct cgroup_ask *ask, struct cgroup *ret)
{
	unsigned want = 0;
	static struct host h; /* two megabytes, of which a page or two are touched */

	*ret = (struct cgroup){ 0 };
	for (unsigned s = 0; s < CGROUP_SLOTS; s++) {
		ret->dirs[s] = (struct cgroup_dir){ .parent_fd = -1, .fd = -1 };
		if (ask->value[s] != 0)
			want |= 1u << s;
		else
			why(ret, 1u << s, "no limit", 0);
	}
	if (want == 0)
		return;
	why(ret, want, "no such controller is mounted here", 0);
	if (host_read(&h, ask->root))
		create(ret, &h, ask, want);
	else
		why(ret, want & h.there, "mounted, but the caller may make no cgroup there", 0);
	host_finish(&h);
}

/* ---- placing ---- */

int cgroup_clone_fd(const struct cgroup *c)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++)
		if (c->dirs[i].version == 2)
			return c->dirs[i].fd;
	return -1;
}

void cgroup_cloned(struct cgroup *c)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++)
		if (c->dirs[i].version == 2)
			c->dirs[i].inside = true;
}

void cgroup_enter(struct cgroup *c)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++) {
		int r;

		if (c->dirs[i].version != 1)
			continue;
		r = put(c->dirs[i].fd, "tasks", "0");
		c->dirs[i].inside = r == 0;
		if (r < 0)
			dir_drop(c, &c->dirs[i], "enter the new cgroup", -r);
	}
}

int cgroup_leave(const struct cgroup *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < CGROUP_SLOTS; i++)
		if (c->dirs[i].version == 1) {
			const int one = put(c->dirs[i].parent_fd, "tasks", "0");

			r = one < 0 ? one : r;
		}
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot leave the cell's cgroup") : 0;
}

void cgroup_place(struct cgroup *c, pid_t pid)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++) {
		int r;

		if (c->dirs[i].version == 0 || c->dirs[i].inside)
			continue;
		r = put_number(c->dirs[i].fd, "cgroup.procs", (uint64_t)pid);
		c->dirs[i].inside = r == 0;
		if (r < 0)
			dir_drop(c, &c->dirs[i], "place the cell in the new cgroup", -r);
	}
}

void cgroup_settle(struct cgroup *c, uint64_t tasks)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++) {
		int r = 0;

		if (c->dirs[i].version == 0)
			continue;
		if (c->dirs[i].inside && (c->dirs[i].slots & bit(CGROUP_TASKS)) != 0)
			r = put_number(c->dirs[i].fd, "pids.max", tasks);
		if (!c->dirs[i].inside)
			dir_drop(c, &c->dirs[i], "the cell was not put in", 0);
		else if (r < 0) /* the cell is in it, so it stays: with the limit that it was made with */
			why(c, bit(CGROUP_TASKS), "set the final number of tasks", -r);
	}
}

/* ---- figures ---- */

static const struct cgroup_dir *dir_of(const struct cgroup *c, enum cgroup_slot slot)
{
	for (size_t i = 0; i < CGROUP_SLOTS; i++)
		if (c->dirs[i].version != 0 && (c->dirs[i].slots & bit(slot)) != 0)
			return &c->dirs[i];
	return NULL;
}

static bool number_of(const struct cgroup *c, enum cgroup_slot slot, const char *v1, const char *v2, uint64_t *ret)
{
	const struct cgroup_dir *d = dir_of(c, slot);

	return d != NULL && get_number(d->fd, d->version == 1 ? v1 : v2, ret);
}

bool cgroup_memory_now(const struct cgroup *c, uint64_t *ret_bytes)
{
	return number_of(c, CGROUP_MEMORY, "memory.usage_in_bytes", "memory.current", ret_bytes);
}

bool cgroup_memory_peak(const struct cgroup *c, uint64_t *ret_bytes)
{
	return number_of(c, CGROUP_MEMORY, "memory.max_usage_in_bytes", "memory.peak", ret_bytes);
}

bool cgroup_memory_files(const struct cgroup *c, uint64_t *ret_bytes)
{
	const struct cgroup_dir *d = dir_of(c, CGROUP_MEMORY);
	uint64_t there, swapped;

	if (d == NULL || !get_field(d->fd, "memory.stat", "shmem", &there) ||
	    !(d->version == 1 ? get_field(d->fd, "memory.stat", "swap", &swapped)
			      : get_number(d->fd, "memory.swap.current", &swapped)))
		return false;
	*ret_bytes = there + swapped;
	return true;
}

bool cgroup_tasks_peak(const struct cgroup *c, uint64_t *ret_tasks)
{
	return number_of(c, CGROUP_TASKS, "pids.peak", "pids.peak", ret_tasks);
}

bool cgroup_cpu(const struct cgroup *c, uint64_t *ret_user_us, uint64_t *ret_system_us)
{
	const int fd = cgroup_clone_fd(c);
	uint64_t user, sys;

	/* cpu.stat counts time in every cgroup of version 2, also where the cpu controller is off */
	if (fd < 0 || !get_field(fd, "cpu.stat", "user_usec", &user) || !get_field(fd, "cpu.stat", "system_usec", &sys))
		return false;
	*ret_user_us = user;
	*ret_system_us = sys;
	return true;
}

uint64_t cgroup_oom_kills(const struct cgroup *c)
{
	const struct cgroup_dir *d = dir_of(c, CGROUP_MEMORY);
	uint64_t n = 0;

	if (d == NULL || !get_field(d->fd, d->version == 1 ? "memory.oom_control" : "memory.events", "oom_kill", &n))
		return 0;
	return n;
}

uint64_t cgroup_forks_refused(const struct cgroup *c)
{
	const struct cgroup_dir *d = dir_of(c, CGROUP_TASKS);
	uint64_t n = 0, peak, max;

	if (d == NULL || (get_field(d->fd, "pids.events", "max", &n) && n > 0))
		return n;
	/* from 6.11 the kernel counts for version 2 only: all that is known is that the limit was reached */
	return d->version == 1 && get_number(d->fd, "pids.peak", &peak) && get_number(d->fd, "pids.max", &max) &&
	       peak >= max;
}

/* ---- the end ---- */

static int left_ms(const struct timespec *start, unsigned timeout_ms)
{
	struct timespec now;
	int64_t spent;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	spent = (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
	return spent >= (int64_t)timeout_ms ? 0 : (int)((int64_t)timeout_ms - spent);
}

/* Version 2 tells by cgroup.events when the last process has gone. True if there was something to wait for. */
static bool await_events(int dir_fd, int wait_ms)
{
	auto_fd int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	char text[256];
	uint64_t populated;
	ssize_t n;

	if (fd < 0)
		return false;
	n = fd_read_all(fd, text, sizeof text - 1); /* only a change after this reading wakes the poll */
	if (n <= 0)
		return false;
	text[n] = 0;
	if (!proctext_field(text, "populated", &populated) || populated == 0)
		return false;
	return poll(&p, 1, wait_ms) >= 0;
}

/* Version 1 tells nothing: wait for the processes themselves. */
static bool await_members(int dir_fd, int wait_ms)
{
	char text[SMALL_MAX], *rest = text;
	struct pollfd p[MEMBERS_MAX];
	nfds_t n = 0;
	uint32_t pid;

	if (get(dir_fd, "cgroup.procs", text, sizeof text) < 0)
		return false;
	for (char *line = strsep(&rest, "\n"); line != NULL && n < MEMBERS_MAX; line = strsep(&rest, "\n"))
		if (parse_u32(line, 1, INT32_MAX, &pid)) {
			const int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

			if (fd >= 0)
				p[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		}
	if (n > 0)
		(void)poll(p, n, wait_ms); /* one has ended, or the time is over: the caller looks again */
	for (nfds_t i = 0; i < n; i++)
		fd_close(&p[i].fd);
	return n > 0;
}

static int dir_remove(struct cgroup *c, struct cgroup_dir *d, const struct timespec *start, unsigned timeout_ms)
{
	for (;;) {
		int left, error;

		if (unlinkat(d->parent_fd, c->name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		error = errno;
		left = left_ms(start, timeout_ms);
		if (error != EBUSY || left == 0)
			return -error;
		/* A process that is not a member any more may still be on its way out, and no event tells of that last
		 * step: then, and only then, look again after a millisecond. */
		if (!(d->version == 2 ? await_events(d->fd, left) : await_members(d->fd, left)))
			(void)poll(NULL, 0, 1);
	}
}

int cgroup_finish(struct cgroup *c, unsigned timeout_ms, struct err *e)
{
	struct timespec start;
	int r = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &start); /* cannot fail */
	for (size_t i = 0; i < CGROUP_SLOTS; i++) {
		struct cgroup_dir *d = &c->dirs[i];
		int one;

		if (d->version == 0)
			continue;
		if (d->version == 2)
			(void)put(d->fd, "cgroup.kill", "1"); /* since 5.14; before, the pid namespace's end must do */
		one = dir_remove(c, d, &start, timeout_ms);
		r = one < 0 ? one : r;
		dir_close(d);
	}
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot remove the cgroup %s", c->name) : 0;
}

/* ---- what the dead left ---- */

static bool sweep_one(int parent_fd, const char *root, const char *name, bool v2)
{
	auto_fd int fd = -1;
	bool ours;

	if (name_owner_lives(root, name, &ours) || !ours)
		return false;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) /* held: the owner lives in another pid namespace */
		return false;
	if (v2)
		(void)put(fd, "cgroup.kill", "1");           /* a cell must not outlive its supervisor */
	return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0; /* EBUSY: the next sweep */
}

static unsigned sweep_dir(int parent_fd, const char *root, bool v2)
{
	const int again = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* closed by closedir */
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	unsigned n = 0;

	if (dir == NULL) {
		if (again >= 0)
			(void)close(again);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL)
		n += sweep_one(parent_fd, root, entry->d_name, v2);
	(void)closedir(dir);
	return n;
}

unsigned cgroup_sweep(const char *root)
{
	static const char *const hierarchies[] = { "", "memory", "pids" };
	unsigned n = 0;
	static struct host h; /* two megabytes, of which a page or two are touched */

	if (host_read(&h, root))
		for (size_t i = 0; i < sizeof hierarchies / sizeof hierarchies[0]; i++) {
			auto_fd int own = host_open(&h, hierarchies[i]);

			if (own >= 0)
				n += sweep_dir(own, root, i == 0);
		}
	host_finish(&h);
	return n;
}
