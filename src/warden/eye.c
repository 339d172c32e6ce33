#include "warden/eye.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/effect.h"

/* How the arguments of a system call name what it acts on: NAMED(call, directory, path, flags or mode, how) gives the
 * positions of the directory descriptor, of the path and of the flags (NO: there is none) and what kind of effect it is. */
#define NO 9

enum how { BY_FLAGS, AS_READ, AS_WRITE, AS_EXEC, AS_DELETE, AS_RENAME, AS_MKDIR, AS_LINK, AS_MODE, AS_CONNECT };

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
	{ SYS_rename, NO, 0, NO, AS_DELETE },
	{ SYS_rename, NO, 1, NO, AS_RENAME },
	{ SYS_mkdir, NO, 0, NO, AS_MKDIR },
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
	{ SYS_renameat, 0, 1, NO, AS_DELETE },
	{ SYS_renameat, 2, 3, NO, AS_RENAME },
#endif
	{ SYS_renameat2, 0, 1, NO, AS_DELETE },
	{ SYS_renameat2, 2, 3, NO, AS_RENAME },
	{ SYS_mkdirat, 0, 1, NO, AS_MKDIR },
	{ SYS_linkat, 2, 3, NO, AS_LINK },
	{ SYS_symlinkat, 1, 2, NO, AS_LINK },
	{ SYS_truncate, NO, 0, NO, AS_WRITE },
	{ SYS_fchmodat, 0, 1, NO, AS_MODE },
	{ 452 /* fchmodat2, Linux 6.6 */, 0, 1, NO, AS_MODE },
	{ SYS_fchownat, 0, 1, NO, AS_MODE },
	{ SYS_connect, NO, 1, 2, AS_CONNECT },
};
/* clang-format on */

static uint8_t kind_of_flags(uint64_t flags)
{
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0)
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
	case AS_DELETE: return EFFECT_DELETE;
	case AS_RENAME: return EFFECT_RENAME;
	case AS_MKDIR: return EFFECT_MKDIR;
	case AS_LINK: return EFFECT_LINK;
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

/* A string of the workload: read up to a page's end at a time, since the page after it may not be there. */
static ssize_t read_string(pid_t pid, uint64_t address, char *room, size_t size)
{
	size_t got = 0;

	while (got < size) {
		const uint64_t at = address + got;
		size_t want = PAGE - (size_t)(at % PAGE);
		ssize_t n;
		const char *end;

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

/* The path as the workload meant it, absolute, links and ".." as they are. -1: could not be read. */
static ssize_t read_path(const struct eye *eye, pid_t pid, const struct call *call, const uint64_t *args, char *room,
			 size_t size)
{
	char given[EFFECT_OBJECT_MAX];
	const ssize_t n = read_string(pid, args[call->path], given, sizeof given);
	ssize_t start;

	if (n < 0)
		return -1;
	if (n > 0 && given[0] == '/') {
		memcpy(room, given, (size_t)n);
		return n;
	}
	start = read_start(eye, pid, call, args, room, size);
	if (start <= 0 || room[0] != '/' || (size_t)start + 1 + (size_t)n > size)
		return -1;
	if (n == 0) /* AT_EMPTY_PATH: the descriptor itself */
		return start;
	if (start > 1)
		room[start++] = '/';
	memcpy(room + start, given, (size_t)n);
	return start + n;
}

/* "tcp 192.0.2.1:443" and the like. The kind of socket is not known here without another look; the family is. */
static ssize_t read_address(pid_t pid, const uint64_t *args, char *room, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address = { .any = { .sa_family = AF_UNSPEC } };
	char text[INET6_ADDRSTRLEN];
	size_t n = args[2] < sizeof address ? (size_t)args[2] : sizeof address;

	if (n < sizeof address.any.sa_family || read_memory(pid, args[1], &address, n) != (ssize_t)n)
		return -1;
	switch (address.any.sa_family) {
	case AF_INET:
		if (inet_ntop(AF_INET, &address.in.sin_addr, text, sizeof text) == NULL)
			return -1;
		return snprintf(room, size, "inet %s:%u", text, ntohs(address.in.sin_port));
	case AF_INET6:
		if (inet_ntop(AF_INET6, &address.in6.sin6_addr, text, sizeof text) == NULL)
			return -1;
		return snprintf(room, size, "inet [%s]:%u", text, ntohs(address.in6.sin6_port));
	case AF_UNIX:
		n -= offsetof(struct sockaddr_un, sun_path);
		if (n > 0 && address.un.sun_path[0] == 0)
			return snprintf(room, size, "unix @%.*s", (int)n - 1, address.un.sun_path + 1);
		return snprintf(room, size, "unix %.*s", (int)n, address.un.sun_path);
	default: return snprintf(room, size, "family %u", address.any.sa_family);
	}
}

static uint8_t read_kind(const struct call *call, const uint64_t *args)
{
	return call->how == BY_FLAGS ? kind_of_flags(args[call->flags]) : kind_of(call->how);
}

static void look(struct eye *eye, const struct seccomp_notif *asked)
{
	uint64_t args[6];
	char object[EFFECT_OBJECT_MAX];
	const pid_t pid = (pid_t)asked->pid;

	for (size_t i = 0; i < 6; i++)
		args[i] = asked->data.args[i];
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		uint8_t kind;
		ssize_t n;

		if (calls[i].nr != asked->data.nr)
			continue;
		kind = read_kind(&calls[i], args);
		n = calls[i].how == AS_CONNECT ? read_address(pid, args, object, sizeof object)
					       : read_path(eye, pid, &calls[i], args, object, sizeof object);
		if (n < 0) {
			kind = EFFECT_OPAQUE;
			n = snprintf(object, sizeof object, "system call %d", asked->data.nr);
		}
		arena_note(&eye->arena, kind, object, (size_t)n < sizeof object ? (size_t)n : sizeof object - 1);
	}
}

int eye_serve(struct eye *eye)
{
	union {
		struct seccomp_notif notif;
		char room[512]; /* a newer kernel may write more than we know */
	} asked;
	struct seccomp_notif_resp answer;

	memset(&asked, 0, sizeof asked); /* the kernel insists on zeroes */
	if (ioctl(eye->listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return errno == EINTR || errno == ENOENT ? 0 : -errno; /* ENOENT: the caller died meanwhile */
	look(eye, &asked.notif);
	answer = (struct seccomp_notif_resp){ .id = asked.notif.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	if (ioctl(eye->listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}
