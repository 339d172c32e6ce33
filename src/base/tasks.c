#include "base/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

#define NAME_MAX_HERE 48 /* "PID/task/TID/syscall" */

struct walk {
	int proc_fd;
	tasks_each_fn *each;
	void *user;
	uint32_t pid; /* 0: of processes */
};

static int visit(struct walk *w, uint32_t number);

/* Numbers in a directory. One that is gone has none. */
static int walk(struct walk *w, const char *directory)
{
	char room[4096] __attribute__((aligned(8)));
	auto_fd int fd = openat(w->proc_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n = fd < 0 ? -1 : 0;
	int r = 0;

	while (r == 0 && fd >= 0 && (n = syscall(SYS_getdents64, fd, room, sizeof room)) > 0)
		for (long at = 0; at < n && r == 0;) {
			const struct dirent64 *entry = (const void *)(room + at);
			uint32_t number;

			at += entry->d_reclen;
			if (parse_u32(entry->d_name, 1, UINT32_MAX, &number))
				r = visit(w, number);
		}
	return n >= 0 || (w->pid != 0 && (errno == ENOENT || errno == ESRCH)) ? r : -errno;
}

static int visit(struct walk *w, uint32_t number)
{
	struct walk threads = *w;
	char name[NAME_MAX_HERE];

	if (w->pid != 0) {
		w->each(w->user, w->pid, number);
		return 0;
	}
	if (number == 1)
		return 0;
	threads.pid = number;
	(void)snprintf(name, sizeof name, "%u/task", number); /* fits */
	return walk(&threads, name);
}

int tasks_each(int proc_fd, tasks_each_fn *each, void *user)
{
	struct walk w = { .proc_fd = proc_fd, .each = each, .user = user };

	return walk(&w, ".");
}

static bool read_file(int proc_fd, uint32_t pid, uint32_t tid, const char *file, char *text, size_t size)
{
	char name[NAME_MAX_HERE];
	auto_fd int fd = -1;
	ssize_t n;

	(void)snprintf(name, sizeof name, "%u/task/%u/%s", pid, tid, file); /* fits */
	fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

char tasks_state(int proc_fd, uint32_t pid, uint32_t tid)
{
	char text[256]; /* the letter stands within a hundred bytes */
	const char *name_end = read_file(proc_fd, pid, tid, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;

	return name_end != NULL && name_end[1] == ' ' ? name_end[2] : 0;
}

int tasks_call(int proc_fd, uint32_t pid, uint32_t tid)
{
	char text[256];
	uint32_t number;

	if (!read_file(proc_fd, pid, tid, "syscall", text, sizeof text))
		return -1;
	text[strcspn(text, " \n")] = 0;
	return parse_u32(text, 0, INT32_MAX, &number) ? (int)number : -1;
}
