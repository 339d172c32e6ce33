/* The network of the cell: a namespace of its own with nothing in it but its own loopback, since programs expect to reach
 * themselves. Of all namespaces it is the one that takes the kernel long to make (half a millisecond, as long as all mounts
 * of the cell together), so a second process makes it while the first builds the tree. */
#include "cell/build.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Any socket does: the kernel only asks it for its network (netdevice(7)). */
static void loopback_up(int sock)
{
	struct ifreq request = { .ifr_flags = IFF_UP };

	memcpy(request.ifr_name, "lo", sizeof "lo");
	(void)ioctl(sock, SIOCSIFFLAGS, &request); /* programs that reach themselves miss it; nothing else does */
}

/* Shares memory, descriptors and root with the warden, which goes on beside it: writes nothing of the warden's but *making.
 * They share errno, too; but a call that fails here ends the cell, whatever the warden makes of the number. */
static int make(void *arg)
{
	struct net_making *making = arg;
	int sock = -1;

	if (unshare(CLONE_NEWNET) == 0)
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock >= 0)
		making->ns_fd = ioctl(sock, SIOCGSKNS); /* the namespace of the socket, so the new one */
	if (making->ns_fd < 0)
		making->sys_errno = errno;
	else
		loopback_up(sock);
	if (sock >= 0)
		(void)close(sock);
	/* not _exit: a sanitizer looks at the stack before functions that do not return, and this one is not the thread's own */
	return (int)syscall(SYS_exit_group, 0);
}

int net_begin(struct net_making *making, struct cell_failure *f)
{
	making->ns_fd = -1;
	making->sys_errno = 0;
	making->pid = clone(make, making->stack + sizeof making->stack, CLONE_VM | CLONE_FS | CLONE_FILES, making);
	return making->pid < 0 ? build_failed(f, STEP_NETWORK, errno) : 0;
}

int net_join(struct net_making *making, struct cell_made *made, struct cell_failure *f)
{
	auto_fd int ns = -1;

	while (waitpid(making->pid, NULL, __WALL) < 0)
		if (errno != EINTR)
			return build_failed(f, STEP_NETWORK, errno);
	ns = steal_fd(&making->ns_fd);
	if (ns < 0)
		return build_failed(f, STEP_NETWORK, making->sys_errno != 0 ? making->sys_errno : ESRCH);
	if (setns(ns, CLONE_NEWNET) < 0)
		return build_failed(f, STEP_NETWORK, errno);
	made->achieved |= MECHANISM_BIT(MECHANISM_NET_NS);
	return 0;
}
