/* The eye against a real filter: a child under a listener opens paths, the eye serves it, and the arena has each path as it
 * was given, wherever in memory it lay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "warden/eye.h"

#define PAGE 4096u
#define UNREADABLE SIZE_MAX

/* A path of so many bytes, so far before the end of the first of two pages. */
static const struct row {
	const char *name;
	size_t length, before_end;
	bool relative, second_page;
} rows[] = {
	{ "short", 9, PAGE, false, true },
	{ "one less than a piece", 255, PAGE, false, true },
	{ "a piece", 256, PAGE, false, true },
	{ "one more than a piece", 257, PAGE, false, true },
	{ "several pieces", 700, PAGE, false, true },
	{ "up to the end of the page, and no page after it", 99, 100, false, false },
	{ "a piece up to the end of the page", 255, 256, false, false },
	{ "a piece and more up to the end of the page", 511, 512, false, false },
	{ "over the end of the page", 300, 20, false, true },
	{ "the zero on the next page", 100, 100, false, true },
	{ "no zero before the end of memory", UNREADABLE, 100, false, false },
	{ "relative", 20, PAGE, true, true },
	{ "relative, longer than a piece", 300, 30, true, true },
	{ "the longest", 4095, PAGE, false, true },
	{ "longer than any path", UNREADABLE, PAGE, false, true },
};
#define ROWS (sizeof rows / sizeof rows[0])

static char directory[PAGE];

/* The path of the row without a zero at its end; the same in both processes. */
static size_t write_path(const struct row *row, char *room, size_t size)
{
	const size_t n = row->length == UNREADABLE ? size : row->length;

	for (size_t i = 0; i < n; i++)
		room[i] = (char)('a' + (i * 7 + (size_t)(row - rows)) % 26);
	if (!row->relative)
		room[0] = '/';
	return n;
}

static void ask(const struct row *row, char *pages)
{
	char path[2 * PAGE];
	char *at = pages + PAGE - row->before_end;
	const size_t room = row->before_end + (row->second_page ? PAGE : 0);
	const size_t n = write_path(row, path, room);

	if (mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE) < 0)
		_exit(1);
	memset(pages, 'x', 2 * PAGE);
	memcpy(at, path, n);
	if (row->length != UNREADABLE)
		at[n] = 0;
	if (!row->second_page && mprotect(pages + PAGE, PAGE, PROT_NONE) < 0)
		_exit(1);
	(void)syscall(SYS_openat, AT_FDCWD, at, O_RDONLY | O_CLOEXEC);
}

static int listen_here(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof code / sizeof code[0], .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

_Noreturn static void child(int sock)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int listener = listen_here();

	if (pages == MAP_FAILED || listener < 0 || fd_send(sock, "", 1, &listener, 1) < 0)
		_exit(1);
	(void)close(listener);
	for (size_t i = 0; i < ROWS; i++)
		ask(&rows[i], pages);
	(void)syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY);
	_exit(0);
}

struct seen {
	size_t n, opaque;
	bool row[ROWS];
};

static void take(void *user, uint8_t kind, uint32_t count, const char *object, size_t length)
{
	struct seen *seen = user;

	seen->n++;
	if (kind == EFFECT_OPAQUE) {
		seen->opaque += count;
		return;
	}
	for (size_t i = 0; i < ROWS; i++) {
		char path[3 * PAGE] = "";
		const size_t n = rows[i].relative ? (size_t)snprintf(path, PAGE, "%s/", directory) : 0;
		const size_t whole = n + write_path(&rows[i], path + n, 2 * PAGE);

		if (rows[i].length != UNREADABLE && length == whole && memcmp(path, object, whole) == 0)
			seen->row[i] = true;
	}
}

static struct eye eye; /* its pages are touched as they are used */

static void serve_all(int sock)
{
	struct pollfd listener = { .events = POLLIN };
	char word;
	int fds[FD_PASS_MAX];
	size_t n_fds;

	assert_int_equal(fd_receive(sock, &word, 1, fds, &n_fds), 1);
	assert_int_equal(n_fds, 1);
	eye_open(&eye, fds[0]);
	listener.fd = fds[0];
	while (poll(&listener, 1, -1) >= 0 && (listener.revents & POLLIN) != 0)
		assert_int_equal(eye_serve(&eye), 0);
	(void)close(fds[0]);
}

static void every_path_is_noted_as_it_was_given(void **state)
{
	struct arena_head *shared = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct seen seen = { .n = 0 };
	struct arena_head head;
	size_t unreadable = 1; /* the null pointer */
	int pair[2], status;
	pid_t pid;

	(void)state;
	assert_true(shared != MAP_FAILED);
	assert_non_null(getcwd(directory, sizeof directory));
	assert_int_equal(arena_init(&eye.arena, shared), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	eye.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid = fork();
	if (pid == 0)
		child(pair[1]);
	serve_all(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	arena_read(shared, take, &seen, &head);
	for (size_t i = 0; i < ROWS; i++) {
		unreadable += rows[i].length == UNREADABLE;
		if (rows[i].length != UNREADABLE && !seen.row[i])
			fail_msg("%s: not noted", rows[i].name);
	}
	assert_int_equal(seen.opaque, unreadable);
	assert_int_equal(seen.n, ROWS - (unreadable - 1) + 1); /* nothing that was not asked for */
	assert_int_equal(head.seen, ROWS + 1);
	arena_finish(&eye.arena);
	(void)close(eye.proc_fd);
	(void)close(pair[0]);
	(void)close(pair[1]);
	(void)munmap(shared, ARENA_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_is_noted_as_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
