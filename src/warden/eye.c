#include "warden/eye.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/address.h"
#include "core/effect.h"

/* Linux 6.6, SECCOMP_IOCTL_NOTIF_SET_FLAGS and SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP. */
#define NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SYNC_WAKE_UP UINT64_C(1)

/* How the arguments of a system call name what it acts on: NAMED(call, directory, path, flags or mode, how) gives the
 * positions of the directory descriptor, of the path and of the flags (NO: there is none) and what kind of effect it is. */
#define NO 9

/* AS_MOVE: what a renaming takes away, told as deleted. AS_LINKED: what gets a second name; told is the new one. */
enum how {
	BY_FLAGS,
	AS_READ,
	AS_WRITE,
	AS_EXEC,
	AS_DELETE,
	AS_MOVE,
	AS_RENAME,
	AS_MKDIR,
	AS_LINK,
	AS_LINKED,
	AS_MODE,
	AS_CONNECT
};

struct call {
	int nr;
	uint8_t dir, path, flags;
	enum how how;
};

/* clang-format off */
static const struct call calls[] = {
#ifdef SYS_open
	{ SYS_open, NO, 0, 1, BY_FLAGS },
	{ SYS_creat, NO, 0, NO, AS_WRITE },
	{ SYS_unlink, NO, 0, NO, AS_DELETE },
	{ SYS_rmdir, NO, 0, NO, AS_DELETE },
	{ SYS_rename, NO, 0, NO, AS_MOVE },
	{ SYS_rename, NO, 1, NO, AS_RENAME },
	{ SYS_mkdir, NO, 0, NO, AS_MKDIR },
	{ SYS_link, NO, 0, NO, AS_LINKED },
	{ SYS_link, NO, 1, NO, AS_LINK },
	{ SYS_symlink, NO, 1, NO, AS_LINK },
	{ SYS_chmod, NO, 0, NO, AS_MODE },
	{ SYS_chown, NO, 0, NO, AS_MODE },
	{ SYS_lchown, NO, 0, NO, AS_MODE },
#endif
	{ SYS_openat, 0, 1, 2, BY_FLAGS },
	{ SYS_execve, NO, 0, NO, AS_EXEC },
	{ SYS_execveat, 0, 1, NO, AS_EXEC },
	{ SYS_unlinkat, 0, 1, NO, AS_DELETE },
#ifdef SYS_renameat
	{ SYS_renameat, 0, 1, NO, AS_MOVE },
	{ SYS_renameat, 2, 3, NO, AS_RENAME },
#endif
	{ SYS_renameat2, 0, 1, NO, AS_MOVE },
	{ SYS_renameat2, 2, 3, NO, AS_RENAME },
	{ SYS_mkdirat, 0, 1, NO, AS_MKDIR },
	{ SYS_linkat, 0, 1, NO, AS_LINKED },
	{ SYS_linkat, 2, 3, NO, AS_LINK },
	{ SYS_symlinkat, 1, 2, NO, AS_LINK },
	{ SYS_truncate, NO, 0, NO, AS_WRITE },
	{ SYS_fchmodat, 0, 1, NO, AS_MODE },
	{ 452 /* fchmodat2, Linux 6.6 */, 0, 1, NO, AS_MODE },
	{ SYS_fchownat, 0, 1, NO, AS_MODE },
	{ SYS_connect, NO, 1, 2, AS_CONNECT },
};
/* clang-format on */

/* With O_PATH the kernel looks at no other flag. (Not O_ACCMODE: musl counts O_PATH among its bits.) */
static uint8_t kind_of_flags(uint64_t flags)
{
	if ((flags & O_PATH) != 0)
		return EFFECT_READ;
	if ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0)
		return EFFECT_WRITE;
	return EFFECT_READ;
}

static uint8_t kind_of(enum how how)
{
	switch (how) {
	case BY_FLAGS:
	case AS_READ: return EFFECT_READ;
	case AS_WRITE: return EFFECT_WRITE;
	case AS_EXEC: return EFFECT_EXEC;
	case AS_DELETE:
	case AS_MOVE: return EFFECT_DELETE;
	case AS_RENAME: return EFFECT_RENAME;
	case AS_MKDIR: return EFFECT_MKDIR;
	case AS_LINK:
	case AS_LINKED: return EFFECT_LINK;
	case AS_MODE: return EFFECT_MODE;
	case AS_CONNECT: return EFFECT_CONNECT;
	}
	return EFFECT_OPAQUE;
}

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
	const int dir = call->dir == NO ? AT_FDCWD : (int)(uint32_t)args[call->dir];

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
	if (start <= 0 || object[0] != '/' || (size_t)start + 1 + (size_t)n > sizeof eye->object)
		return -1;
	if (n == 0) /* AT_EMPTY_PATH: the descriptor itself */
		return start;
	if (start > 1)
		object[start++] = '/';
	memcpy(object + start, eye->given, (size_t)n);
	return start + n;
}

/* As grants are written: an IPv4 address that is mapped into IPv6 is the IPv4 one, which is what is connected to; and nobody's is the loopback. */
static ssize_t put_internet(struct address *at, in_port_t port, char *room, size_t size)
{
	static const uint8_t nobody[sizeof at->bytes];
	char text[ADDRESS_TEXT_MAX];

	address_unmap(at);
	if (memcmp(at->bytes, nobody, sizeof nobody) == 0)
		*at = address_loopback((enum address_family)at->family);
	address_put(at, text);
	return snprintf(room, size, at->family == ADDRESS_IPV4 ? "inet %s:%u" : "inet [%s]:%u", text, ntohs(port));
}

/* "inet 192.0.2.1:443" and the like. The kind of socket is not known here without another look; the family is. 0: a connection is dissolved. */
static ssize_t read_address(pid_t pid, const uint64_t *args, char *room, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address = { .any = { .sa_family = AF_UNSPEC } };
	struct address at = { .family = 0 };
	size_t n = args[2] < sizeof address ? (size_t)args[2] : sizeof address;

	if (n < sizeof address.any.sa_family || read_memory(pid, args[1], &address, n) != (ssize_t)n)
		return -1;
	switch (address.any.sa_family) {
	case AF_UNSPEC: return 0;
	case AF_INET:
		at.family = ADDRESS_IPV4;
		memcpy(at.bytes, &address.in.sin_addr, 4);
		return put_internet(&at, address.in.sin_port, room, size);
	case AF_INET6:
		at.family = ADDRESS_IPV6;
		memcpy(at.bytes, &address.in6.sin6_addr, 16);
		return put_internet(&at, address.in6.sin6_port, room, size);
	case AF_UNIX:
		n -= offsetof(struct sockaddr_un, sun_path);
		if (n > 0 && address.un.sun_path[0] == 0)
			return snprintf(room, size, "unix @%.*s", (int)n - 1, address.un.sun_path + 1);
		return snprintf(room, size, "unix %.*s", (int)n, address.un.sun_path);
	default: return snprintf(room, size, "family %u", address.any.sa_family);
	}
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

static uint8_t read_kind(const struct call *call, const uint64_t *args)
{
	return call->how == BY_FLAGS ? kind_of_flags(args[call->flags]) : kind_of(call->how);
}

static void look(struct eye *eye, const struct seccomp_notif *asked)
{
	uint64_t args[6];
	const pid_t pid = (pid_t)asked->pid;

	for (size_t i = 0; i < 6; i++)
		args[i] = asked->data.args[i];
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		const size_t size = sizeof eye->object;
		uint8_t kind;
		ssize_t n;

		if (calls[i].nr != asked->data.nr || (calls[i].how == AS_LINKED && eye->decoys.n == 0))
			continue;
		kind = read_kind(&calls[i], args);
		n = calls[i].how == AS_CONNECT ? read_address(pid, args, eye->object, size)
					       : read_path(eye, pid, &calls[i], args);
		if (calls[i].how == AS_CONNECT && n == 0)
			continue;
		if (calls[i].how != AS_CONNECT && n >= 0 && (size_t)n < size) {
			eye->object[n] = 0;
			decoys_meet(&eye->decoys, asked->pid, eye->object, way_of(calls[i].how));
		}
		if (calls[i].how == AS_LINKED)
			continue;
		if (n < 0) {
			kind = EFFECT_OPAQUE;
			n = snprintf(eye->object, size, "system call %d", asked->data.nr);
		}
		arena_note(&eye->arena, asked->pid, kind, eye->object, (size_t)n < size ? (size_t)n : size - 1);
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
