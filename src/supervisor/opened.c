#include "supervisor/opened.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* A second name is told as a change of what is known of the file: of an overlay it may be another file to the kernel.
 * */
#define TOUCHES (IN_OPEN | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)

void opened_init(struct opened *o)
{
	memset(o, 0, sizeof *o);
	o->fd = -1;
}

/* What stands there for the cell; -1: nothing, or a link. */
static int open_there(int root_fd, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, root_fd, path + 1, &how, sizeof how);
}

static bool is_the_cells(int fd, const char *path, uint64_t size)
{
	struct stat here, host;

	return fstat(fd, &here) == 0 && S_ISREG(here.st_mode) && (uint64_t)here.st_size == size &&
	       lstat(path, &host) == 0 && (here.st_dev != host.st_dev || here.st_ino != host.st_ino);
}

static int watch_one(int inotify_fd, int root_fd, const char *path, uint64_t size)
{
	auto_fd int fd = open_there(root_fd, path);
	char name[40];

	if (fd < 0 || !is_the_cells(fd, path, size))
		return 0;
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd); /* fits */
	return inotify_add_watch(inotify_fd, name, TOUCHES);
}

void opened_watch(struct opened *o, const struct event_request *q, int proc_fd)
{
	auto_fd int root_fd = openat(proc_fd, "1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool any = false;

	if (root_fd < 0)
		return;
	o->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (uint32_t i = 0; o->fd >= 0 && i < q->n_decoys; i++) {
		o->watch[i] = watch_one(o->fd, root_fd, q->decoys[i], q->decoy_sizes[i]);
		any = any || o->watch[i] > 0;
	}
	if (!any)
		fd_close(&o->fd);
}

static uint64_t bits_of(const struct opened *o, int watch)
{
	uint64_t bits = 0;

	for (unsigned i = 0; watch > 0 && i < CANARIES_MAX; i++)
		if (o->watch[i] == watch)
			bits |= UINT64_C(1) << i;
	return bits;
}

uint64_t opened_read(struct opened *o)
{
	_Alignas(struct inotify_event) char room[4096];
	uint64_t touched = 0;
	ssize_t n;

	while (o->fd >= 0 && (n = read(o->fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
			const struct inotify_event *seen = (const struct inotify_event *)(const void *)(room + at);

			if ((seen->mask & TOUCHES) != 0)
				touched |= bits_of(o, seen->wd);
			at += (ssize_t)(sizeof *seen + seen->len);
		}
	return touched;
}
