#include "warden/eye.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/effect.h"
#include "warden/calls.h"

/* Linux 6.6, SECCOMP_IOCTL_NOTIF_SET_FLAGS and SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP. */
#define NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SYNC_WAKE_UP UINT64_C(1)

static ssize_t read_memory(pid_t pid, uint64_t address, void *room, size_t n)
{
	struct iovec here = { .iov_base = room, .iov_len = n };
	struct iovec there = { .iov_base = (void *)(uintptr_t)address, .iov_len = n };

	return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

#define PAGE 4096u
/* Read at once: nearly every path is shorter, and more would only push other things out of the caches. */
#define PIECE 256u

/* A string of the workload, piece by piece, each within a page, since the page after it may not be there. */
static ssize_t read_string(pid_t pid, uint64_t address, char *room, size_t size)
{
	size_t got = 0;

	while (got < size) {
		const uint64_t at = address + got;
		size_t want = got == 0 ? PIECE : PAGE;
		ssize_t n;
		const char *end;

		if (want > PAGE - (size_t)(at % PAGE))
			want = PAGE - (size_t)(at % PAGE);
		if (want > size - got)
			want = size - got;
		n = read_memory(pid, at, room + got, want);
		if (n <= 0)
			return -1;
		end = memchr(room + got, 0, (size_t)n);
		if (end != NULL)
			return end - room;
		got += (size_t)n;
	}
	return -1; /* longer than any path: the call will fail with ENAMETOOLONG */
}

/* The directory that a relative path starts from. */
static ssize_t read_start(const struct eye *eye, pid_t pid, const struct call *call, const uint64_t *args, char *room,
			  size_t size)
{
	char name[64];
	const int dir = call->dir == CALL_NO ? AT_FDCWD : (int)(uint32_t)args[call->dir];

	if (dir == AT_FDCWD)
		(void)snprintf(name, sizeof name, "%d/cwd", pid);
	else
		(void)snprintf(name, sizeof name, "%d/fd/%d", pid, dir);
	return readlinkat(eye->proc_fd, name, room, size);
}

/* The path as the workload meant it, absolute, links and ".." as they are, in eye->object. -1: could not be read. */
static ssize_t read_path(struct eye *eye, pid_t pid, const struct call *call, const uint64_t *args)
{
	char *object = eye->object;
	const ssize_t n = read_string(pid, args[call->path], object, sizeof eye->object);
	ssize_t start;

	if (n < 0 || (n > 0 && object[0] == '/'))
		return n;
	memcpy(eye->given, object, (size_t)n);
	start = read_start(eye, pid, call, args, object, sizeof eye->object);
	return call_put_path(object, start, eye->given, (size_t)n);
}

static ssize_t read_address(struct eye *eye, pid_t pid, const uint64_t *args)
{
	char address[CALL_ADDRESS_MAX];
	const size_t n = args[2] < sizeof address ? (size_t)args[2] : sizeof address;

	if (n == 0 || read_memory(pid, args[1], address, n) != (ssize_t)n)
		return -1;
	return call_put_address(address, n, eye->object, sizeof eye->object);
}

/* Opening, executing and changing modes goes through a link; changing names does not. */
static enum decoys_way way_of(enum how how)
{
	if (how == AS_MOVE || how == AS_RENAME) /* which may exchange two */
		return DECOYS_MOVED;
	return how == BY_FLAGS || how == AS_READ || how == AS_WRITE || how == AS_EXEC || how == AS_MODE
		       ? DECOYS_FOLLOWED
		       : DECOYS_NAMED;
}

static void look(struct eye *eye, const struct seccomp_notif *asked)
{
	uint64_t args[6];
	const pid_t pid = (pid_t)asked->pid;

	for (size_t i = 0; i < 6; i++)
		args[i] = asked->data.args[i];
	for (size_t i = 0; i < calls_n; i++) {
		const struct call *c = &calls[i];
		ssize_t n;

		if (c->nr != asked->data.nr || (c->how == AS_LINKED && eye->decoys.n == 0))
			continue;
		n = c->how == AS_CONNECT ? read_address(eye, pid, args) : read_path(eye, pid, c, args);
		if (c->how != AS_CONNECT && n >= 0 && (size_t)n < sizeof eye->object) {
			eye->object[n] = 0;
			decoys_meet(&eye->decoys, asked->pid, eye->object, way_of(c->how));
		}
		if (c->how != AS_LINKED)
			call_note(&eye->arena, asked->pid, c, c->flags == CALL_NO ? 0 : args[c->flags], eye->object, n);
	}
}

/* Whether who asks wakes the eye on its own processor, and the answer wakes it on the eye's. */
static int wake_here(const struct eye *eye, uint64_t flags)
{
	return ioctl(eye->listener_fd, NOTIF_SET_FLAGS, flags);
}

void eye_open(struct eye *eye, int listener_fd)
{
	eye->listener_fd = listener_fd;
	eye->steers = wake_here(eye, SYNC_WAKE_UP) == 0;
}

static int answer(const struct eye *eye, uint64_t id)
{
	struct seccomp_notif_resp says = { .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	/* ENOENT: the caller died meanwhile */
	return ioctl(eye->listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &says) < 0 && errno != ENOENT ? -errno : 0;
}

/* Whether the thread waits on the processor that the eye runs on. It nearly always does, since its asking brings the eye there; but
 * an eye that is at work, or went to sleep a moment ago, stays where it is (EEVDF leaves who owes time in its queue), and then the
 * answer would pull the thread over behind whatever else runs here, while its own processor stands idle until the next balancing.
 * Who asks for the first time is answered wherever the scheduler likes, and has its place the second time; but the very first, the
 * program that is about to be executed, is alone with the eye. */
static bool is_here(struct eye *eye, uint32_t thread)
{
	struct eye_place *place = &eye->places[thread % EYE_PLACES];
	const int here = sched_getcpu(); /* no system call, or refused: -1, and everybody is here */

	if (place->thread != thread) {
		*place = (struct eye_place){ .thread = thread, .cpu = -1 };
		if (eye->asked++ > 0)
			return false;
	}
	if (place->cpu < 0)
		place->cpu = here;
	return place->cpu == here;
}

int eye_serve(struct eye *eye)
{
	union {
		struct seccomp_notif notif;
		char room[512]; /* a newer kernel may write more than we know */
	} asked;
	bool lets;
	int r;

	memset(&asked, 0, sizeof asked); /* the kernel insists on zeroes */
	if (ioctl(eye->listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return errno == EINTR || errno == ENOENT ? 0 : -errno; /* ENOENT: the same */
	look(eye, &asked.notif);
	if (eye->decoys.ends && decoys_untold(&eye->decoys) != 0)
		return 0; /* it gets no answer, and the cell ends */
	lets = eye->steers && !is_here(eye, asked.notif.pid);
	if (lets)
		(void)wake_here(eye, 0); /* cannot fail where it was once set, and costs only time */
	r = answer(eye, asked.notif.id);
	if (lets)
		(void)wake_here(eye, SYNC_WAKE_UP); /* the same */
	return r;
}
