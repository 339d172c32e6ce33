#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef ROLE_KEEPS_ANYWHERE /* which files it reaches is its cell's to say */
#define ROLE_KEEPS
#include "index/promise.h"
#elif defined ROLE_KEEPS_TIME /* and reads tables of time zones and keys, if there are any */
#define ROLE_KEEPS
#include "authority/promise.h"
#define promise_keep(dir_fd, e) promise_keep(dir_fd, -1, -1, e)
#elif defined ROLE_KEEPS
#include "ledger/promise.h"
#else
#include "policy/promise.h" /* they are all alike */
#endif

#ifdef ROLE_KEEPS_ANYWHERE
#define ELSEWHERE DONE
#else
#define ELSEWHERE OTHERWISE
#endif

#ifdef ROLE_KEEPS_TIME
#define TOO_MUCH (1536u << 20)
#elif defined ROLE_HAS_MORE
#define TOO_MUCH (512u << 20)
#else
#define TOO_MUCH (192u << 20)
#endif
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static long open_a_file(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0);
}

static long open_a_file_to_write(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY, 0);
}

static long make_a_socket(void)
{
	return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static long start_a_process(void)
{
	const long pid = syscall(SYS_clone, 17 /* SIGCHLD */, NULL, NULL, NULL, NULL);

	if (pid == 0)
		syscall(SYS_exit, 0);
	return pid;
}

static long execute(void)
{
	char path[] = "/bin/true";
	char *const argv[] = { path, NULL }, *const envp[] = { NULL };

	return syscall(SYS_execve, path, argv, envp);
}

static long duplicate(void)
{
	return syscall(SYS_dup, 0);
}

static long take_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long take_too_much_memory(void)
{
	void *p = mmap(NULL, TOO_MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long write_nothing(void)
{
	return write(STDOUT_FILENO, "", 0);
}

#ifdef ROLE_KEEPS
/* ---- a role that keeps files: in one directory of two, and for one who waits to be accepted ---- */

static struct {
	char dir[64];
	int kept, other, listening;
} world;

static int make_place(const char *name)
{
	char path[80];

	(void)snprintf(path, sizeof path, "%s/%s", world.dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Each attempt finds it as it was. */
static void put_files(void)
{
	const int dirs[] = { world.kept, world.other };

	for (size_t i = 0; i < COUNT_OF(dirs); i++) {
		static const char *const gone[] = { "new", "renamed", "linked", "pipe" };
		const int fd = openat(dirs[i], "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		assert_int_equal(close(fd), 0);
		for (size_t k = 0; k < COUNT_OF(gone); k++)
			(void)unlinkat(dirs[i], gone[k], 0);
		(void)unlinkat(dirs[i], "directory", AT_REMOVEDIR);
	}
}

static int make_world(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock;

	(void)state;
	strcpy(world.dir, "/tmp/ambit-promise.XXXXXX"); /* fits */
	assert_non_null(mkdtemp(world.dir));
	world.kept = make_place("kept");
	world.other = make_place("other");
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", world.dir);
	world.listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(world.listening, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(world.listening, 8), 0);
	for (unsigned i = 0; i < 2; i++) { /* they wait until we end */
		sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(sock, (const struct sockaddr *)&address, sizeof address), 0);
	}
	return 0;
}

static int remove_world(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", world.dir);
	return system(command);
}

static long create(void)
{
	return syscall(SYS_openat, world.kept, "new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

static long create_for_others(void)
{
	return syscall(SYS_openat, world.kept, "new", O_WRONLY | O_CREAT | O_EXCL, 0644);
}

static long create_elsewhere(void)
{
	return syscall(SYS_openat, world.other, "new", O_WRONLY | O_CREAT | O_EXCL, 0600);
}

static long read_elsewhere(void)
{
	return syscall(SYS_openat, world.kept, "../other/file", O_RDONLY, 0);
}

static long replace(void)
{
	return syscall(SYS_renameat, world.kept, "file", world.kept, "renamed");
}

static long replace_elsewhere(void)
{
	return syscall(SYS_renameat, world.kept, "file", world.other, "renamed");
}

static long remove_one(void)
{
	return syscall(SYS_unlinkat, world.kept, "file", 0);
}

static long remove_elsewhere(void)
{
	return syscall(SYS_unlinkat, world.other, "file", 0);
}

static long make_directory(void)
{
	return syscall(SYS_mkdirat, world.kept, "directory", 0700);
}

static long sync_one(void)
{
	return syscall(SYS_fdatasync, world.kept) < 0 ? -1 : syscall(SYS_fsync, world.kept);
}

static long link_one(void)
{
	return syscall(SYS_linkat, world.kept, "file", world.kept, "linked", 0);
}

static long link_by_name(void)
{
	return syscall(SYS_symlinkat, "file", world.kept, "linked");
}

static long make_a_pipe(void)
{
	return syscall(SYS_mknodat, world.kept, "pipe", 010600 /* S_IFIFO */, 0);
}

static long change_a_mode(void)
{
	return syscall(SYS_fchmodat, world.kept, "file", 0644);
}

static long accept_one(void)
{
	return syscall(SYS_accept4, world.listening, NULL, NULL, SOCK_CLOEXEC);
}

static long send_a_signal(void)
{
	return syscall(SYS_kill, getpid(), 0);
}

static int keep(void)
{
#ifdef ROLE_KEEPS_ANYWHERE
	return promise_keep(NULL);
#else
	return promise_keep(world.kept, NULL);
#endif
}
#else
static void put_files(void)
{
}

static int make_world(void **state)
{
	(void)state;
	return 0;
}

static int remove_world(void **state)
{
	(void)state;
	return 0;
}

static int keep(void)
{
	return promise_keep(NULL);
}
#endif

enum outcome { DONE = 10, REFUSED_ENOSYS, REFUSED_ENOMEM, OTHERWISE, NO_PROMISE };

/* In a child, with or without the promise. */
static int try(long (*attempt)(void), bool promised)
{
	pid_t pid;
	int status;

	put_files();
	pid = fork();
	if (pid == 0) {
		long rc;

		if (promised && keep() < 0)
			_exit(NO_PROMISE);
		rc = attempt();
		syscall(SYS_exit_group, rc >= 0           ? DONE
					: errno == ENOSYS ? REFUSED_ENOSYS
					: errno == ENOMEM ? REFUSED_ENOMEM
							  : OTHERWISE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void nothing_but_what_was_promised(void **state)
{
	static const struct {
		const char *name;
		long (*attempt)(void);
		enum outcome promised;
	} rows[] = {
#ifdef ROLE_KEEPS
		{ "open a file", open_a_file, ELSEWHERE },
		{ "open a file to write", open_a_file_to_write, ELSEWHERE },
		{ "create", create, DONE },
		{ "create for others", create_for_others, OTHERWISE },
		{ "create elsewhere", create_elsewhere, ELSEWHERE },
		{ "read elsewhere", read_elsewhere, ELSEWHERE },
		{ "replace", replace, DONE },
		{ "replace elsewhere", replace_elsewhere, ELSEWHERE },
		{ "remove", remove_one, DONE },
		{ "remove elsewhere", remove_elsewhere, ELSEWHERE },
		{ "make a directory", make_directory, DONE },
		{ "sync", sync_one, DONE },
		{ "link", link_one, REFUSED_ENOSYS },
		{ "link by name", link_by_name, REFUSED_ENOSYS },
		{ "make a pipe", make_a_pipe, REFUSED_ENOSYS },
		{ "change a mode", change_a_mode, REFUSED_ENOSYS },
		{ "accept", accept_one, DONE },
		{ "send a signal", send_a_signal, REFUSED_ENOSYS },
#elif defined ROLE_READS
		{ "open a file", open_a_file, DONE },
		{ "open a file to write", open_a_file_to_write, OTHERWISE },
#else
		{ "open a file", open_a_file, REFUSED_ENOSYS },
		{ "open a file to write", open_a_file_to_write, REFUSED_ENOSYS },
#endif
		{ "make a socket", make_a_socket, REFUSED_ENOSYS },
		{ "start a process", start_a_process, REFUSED_ENOSYS },
		{ "duplicate a descriptor", duplicate, REFUSED_ENOSYS },
		{ "take memory", take_memory, DONE },
		{ "take too much memory", take_too_much_memory, REFUSED_ENOMEM },
		{ "write", write_nothing, DONE },
	};

	(void)state;
#ifdef AMBIT_SANITIZED
	print_message("skipped: the sanitizers need more than the promise\n");
	skip();
#endif
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (try(rows[i].attempt, false) != DONE) /* the attempt itself works */
			fail_msg("%s: without the promise: %d", rows[i].name, try(rows[i].attempt, false));
		if (try(rows[i].attempt, true) != (int)rows[i].promised)
			fail_msg("%s: %d", rows[i].name, try(rows[i].attempt, true));
	}
	assert_int_equal(try(execute, false), 0); /* true ends with 0 */
	assert_int_equal(try(execute, true), REFUSED_ENOSYS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_but_what_was_promised) };

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
