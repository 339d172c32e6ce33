#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/promise.h"

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
	void *p = mmap(NULL, 192u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long write_nothing(void)
{
	return write(STDOUT_FILENO, "", 0);
}

enum outcome { DONE = 10, REFUSED_ENOSYS, REFUSED_ENOMEM, OTHERWISE, NO_PROMISE };

/* In a child, with or without the promise. */
static int try(long (*attempt)(void), bool promised)
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		long rc;

		if (promised && promise_keep(NULL) < 0)
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
#ifdef ROLE_READS
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

	return cmocka_run_group_tests(tests, NULL, NULL);
}
