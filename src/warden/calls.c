#include "warden/calls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "core/address.h"

#define NO CALL_NO

/* clang-format off */
const struct call calls[] = {
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
const size_t calls_n = sizeof calls / sizeof calls[0];
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

uint8_t call_kind(const struct call *call, uint64_t flags)
{
	return call->how == BY_FLAGS ? kind_of_flags(flags) : kind_of(call->how);
}

ssize_t call_put_path(char object[EFFECT_OBJECT_MAX], ssize_t start, const char *given, size_t n)
{
	if (start <= 0 || object[0] != '/' || (size_t)start + 1 + n > EFFECT_OBJECT_MAX)
		return -1;
	if (n == 0) /* AT_EMPTY_PATH: the descriptor itself */
		return start;
	if (start > 1)
		object[start++] = '/';
	memcpy(object + start, given, n);
	return start + (ssize_t)n;
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

ssize_t call_put_address(const void *bytes, size_t n, char *room, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address = { .any = { .sa_family = AF_UNSPEC } };
	struct address at = { .family = 0 };

	if (n < sizeof address.any.sa_family || n > sizeof address)
		return -1;
	memcpy(&address, bytes, n);
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

void call_note(struct arena *a, uint32_t thread, const struct call *call, uint64_t flags,
	       char object[EFFECT_OBJECT_MAX], ssize_t n)
{
	uint8_t kind = call_kind(call, flags);

	if (call->how == AS_CONNECT && n == 0)
		return;
	if (n < 0) {
		kind = EFFECT_OPAQUE;
		n = snprintf(object, EFFECT_OBJECT_MAX, "system call %d", call->nr);
	}
	arena_note(a, thread, kind, object, n < EFFECT_OBJECT_MAX ? (size_t)n : EFFECT_OBJECT_MAX - 1);
}
