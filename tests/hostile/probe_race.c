/* One thread calls, another changes what the call is about. Bounded; whoever reads an argument twice, or trusts what it
 * read, loses. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

struct race {
	atomic_bool over;
	void (*turn)(struct race *r, unsigned side); /* puts things so that a call gets what side says: 0 good, 1 bad */
	char text[4096];                             /* what the caller passes to the kernel */
	char other;                                  /* the byte at `at` that makes it the forbidden name */
	char own;
	size_t at;
	struct path name, plain, link; /* for swaps of names */
	struct open_how how;
};

static void *flip(void *argument)
{
	struct race *r = argument;

	for (unsigned side = 0; !r->over; side ^= 1)
		r->turn(r, side);
	return NULL;
}

/* Calls attempt until it gives 0 or n times; the other thread turns meanwhile. */
static int run_race(struct race *r, struct attempt *a, long n, int (*call)(struct race *r, struct attempt *a))
{
	pthread_t t;
	int answer = -ENODATA;

	if (pthread_create(&t, NULL, flip, r) != 0)
		return cannot(a, "no thread");
	for (long i = 0; i < n && answer < 0; i++)
		answer = call(r, a);
	r->over = true;
	(void)pthread_join(t, NULL);
	return answer < 0 && answer != CANNOT ? -ENODATA : answer;
}

/* ---- the text of a path: args[0] granted, args[1] not, and the two differ in one byte; args[2]: how often ---- */

static void turn_byte(struct race *r, unsigned side)
{
	__atomic_store_n(&r->text[r->at], side == 0 ? r->own : r->other, __ATOMIC_RELAXED);
}

static int prepare_text(struct race *r, struct attempt *a)
{
	const char *good = a->args[0], *bad = a->args[1];
	size_t at = 0;

	while (good[at] != 0 && good[at] == bad[at])
		at++;
	if (good[at] == 0 || strcmp(good + at + 1, bad + at + 1) != 0)
		return cannot(a, "%s and %s differ in more than one byte", good, bad);
	*r = (struct race){ .turn = turn_byte, .own = good[at], .other = bad[at], .at = at };
	(void)snprintf(r->text, sizeof r->text, "%s", good);
	return 0;
}

static int read_marker(int fd, struct attempt *a)
{
	int r;

	if (fd < 0)
		return -errno;
	r = find_marker(fd, a);
	(void)close(fd);
	return r;
}

static int open_text(struct race *r, struct attempt *a)
{
	return read_marker(open(r->text, O_RDONLY | O_CLOEXEC), a);
}

static int path_text(struct attempt *a)
{
	static struct race r;

	return prepare_text(&r, a) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), open_text);
}

static int openat2_text(struct race *r, struct attempt *a)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };

	return read_marker((int)syscall(SYS_openat2, AT_FDCWD, r->text, &how, sizeof how), a);
}

static int path_text_openat2(struct attempt *a)
{
	static struct race r;

	return prepare_text(&r, a) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), openat2_text);
}

static int link_text(struct race *r, struct attempt *a)
{
	char text[256];
	const ssize_t n = readlink(r->text, text, sizeof text - 1);

	if (n < 0)
		return -errno;
	text[n] = 0;
	return strstr(text, MARKER) != NULL ? said(a, "read %s", text) : -ENODATA;
}

static int path_text_readlink(struct attempt *a)
{
	static struct race r;

	return prepare_text(&r, a) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), link_text);
}

/* The bad one is a program that ends with 77. The child shares the memory in which the other thread goes on writing, but
 * not the address of its stack, as vfork would. */
static int execute_child(void *argument)
{
	const struct race *r = argument;
	char *argv[] = { (char[]){ "x" }, (char[]){ "ran" }, NULL }, *envp[] = { NULL };

	(void)execve(r->text, argv, envp);
	_exit(126);
}

static int execute_text(struct race *r, struct attempt *a)
{
	static char stack[65536] __attribute__((aligned(16)));
	const pid_t pid = clone(execute_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, r);
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return failed_try(a, "clone or waitpid");
	return WIFEXITED(status) && WEXITSTATUS(status) == 77 ? said(a, "it ran") : -EACCES;
}

static int path_text_execve(struct attempt *a)
{
	static struct race r;

	return prepare_text(&r, a) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), execute_text);
}

static int connect_text(struct race *r, struct attempt *a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int answer = fd < 0 ? -errno : 0;

	(void)snprintf(to.sun_path, sizeof to.sun_path, "%.107s", r->text);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		answer = -errno;
	if (answer == 0)
		answer = find_marker(fd, a);
	if (fd >= 0)
		(void)close(fd);
	return answer;
}

static int path_text_connect(struct attempt *a)
{
	static struct race r;

	return prepare_text(&r, a) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), connect_text);
}

/* ---- what a name is: args[0] the secret (a file, or for the second a directory with `file` in it), args[1] a writable
 * directory, args[2] how often ---- */

static void turn_name(struct race *r, unsigned side)
{
	/* the two are exchanged again and again: `name` is the plain thing, then the link */
	(void)side;
	(void)syscall(SYS_renameat2, AT_FDCWD, r->plain.text, AT_FDCWD, r->name.text, 2U /* RENAME_EXCHANGE */);
}

static int prepare_names(struct race *r, struct attempt *a, bool directory)
{
	*r = (struct race){ .turn = turn_name, .name = joined(a->args[1], "race-name") };
	(void)unlink(r->name.text);
	if (symlink(a->args[0], r->name.text) < 0)
		return failed_try(a, "symlink in %s", a->args[1]);
	r->plain = joined(a->args[1], directory ? "race-directory" : "race-plain");
	if (directory) {
		(void)mkdir(r->plain.text, 0700);
		(void)close(open(joined(r->plain.text, "file").text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	} else {
		(void)close(open(r->plain.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	}
	return 0;
}

static int open_name(struct race *r, struct attempt *a)
{
	return read_marker(open(r->name.text, O_RDONLY | O_CLOEXEC), a);
}

static int name_read(struct attempt *a)
{
	static struct race r;

	return prepare_names(&r, a, false) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), open_name);
}

static int open_beneath_name(struct race *r, struct attempt *a)
{
	return read_marker(open(joined(r->name.text, "file").text, O_RDONLY | O_CLOEXEC), a);
}

static int directory_read(struct attempt *a)
{
	static struct race r;

	return prepare_names(&r, a, true) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), open_beneath_name);
}

/* What is not empty is not ours: ours are. */
static int write_name(struct race *r, struct attempt *a)
{
	const int fd = open(r->name.text, O_WRONLY | O_CLOEXEC);
	struct stat st;
	int answer = -ENODATA;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		answer = write(fd, "!", 1) == 1 ? said(a, "written") : -errno;
	(void)close(fd);
	return answer;
}

static int name_write(struct attempt *a)
{
	static struct race r;

	return prepare_names(&r, a, false) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), write_name);
}

static int truncate_name(struct race *r, struct attempt *a)
{
	struct stat st;

	/* only the secret has a size, so only there it changes */
	if (truncate(r->name.text, 0) < 0 || stat(a->args[0], &st) < 0)
		return -errno;
	return st.st_size == 0 ? said(a, "truncated") : -ENODATA;
}

static int name_truncate(struct attempt *a)
{
	static struct race r;

	return prepare_names(&r, a, false) < 0 ? CANNOT : run_race(&r, a, number(a->args[2]), truncate_name);
}

/* ---- how a file is opened: args[0] may be read only ---- */

static void turn_how(struct race *r, unsigned side)
{
	__atomic_store_n(&r->how.flags, side == 0 ? (uint64_t)O_RDONLY : (uint64_t)O_RDWR, __ATOMIC_RELAXED);
}

static int open_how(struct race *r, struct attempt *a)
{
	const int fd = (int)syscall(SYS_openat2, AT_FDCWD, a->args[0], &r->how, sizeof r->how);
	int answer = -ENODATA;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, "!", 1, 0) == 1)
		answer = said(a, "written");
	(void)close(fd);
	return answer;
}

static int how_write(struct attempt *a)
{
	static struct race r;

	r = (struct race){ .turn = turn_how };
	return run_race(&r, a, number(a->args[2]), open_how);
}

const struct probe probes_race[] = {
	{ "race-path", 3, .tries = path_text },
	{ "race-path-openat2", 3, .tries = path_text_openat2 },
	{ "race-path-readlink", 3, .tries = path_text_readlink },
	{ "race-path-execve", 3, .tries = path_text_execve },
	{ "race-path-connect", 3, .tries = path_text_connect },
	{ "race-name-read", 3, .tries = name_read },
	{ "race-directory-read", 3, .tries = directory_read },
	{ "race-name-write", 3, .tries = name_write },
	{ "race-name-truncate", 3, .tries = name_truncate },
	{ "race-how", 3, .tries = how_write },
	{ .name = NULL },
};
