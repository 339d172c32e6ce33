/* The second process of a cell: what takes the kernel long and can be done beside the warden. Half a millisecond each, as
 * long as all mounts of the cell together: a network namespace, with nothing in it but its own loopback, since programs
 * expect to reach themselves; and a tenth: taking off the file tree of the host, which waits for all processors.
 *
 * It shares memory, descriptors and the root with the warden, and its errno too. So nothing here may fail but what ends the
 * cell, or the warden would misread a number of its own; and it waits by reading, which fails for no reason. */
#include "cell/build.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void loopback_up(void)
{
	auto_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_flags = IFF_UP };

	memcpy(request.ifr_name, "lo", sizeof "lo");
	if (sock >= 0)
		(void)ioctl(sock, SIOCSIFFLAGS, &request); /* a kernel without IPv4 has no loopback to raise */
}

static void make_network(struct second *s)
{
	int sock = -1;

	if (unshare(CLONE_NEWNET) == 0)
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock >= 0)
		s->ns_fd = ioctl(sock, SIOCGSKNS); /* the namespace of the socket, so the new one */
	if (s->ns_fd < 0)
		s->network_errno = errno;
	else
		loopback_up();
	if (sock >= 0)
		(void)close(sock);
	s->made = 1;
	(void)syscall(SYS_futex, &s->made, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The host's tree lies on top of the cell's, and umount takes what lies on top. */
static void take_off_the_host(struct second *s)
{
	eventfd_t word;

	if (eventfd_read(s->entered_fd, &word) < 0 || umount2("/", MNT_DETACH) < 0)
		s->tree_errno = errno;
}

static int work(void *arg)
{
	make_network(arg);
	take_off_the_host(arg);
	/* not _exit: a sanitizer looks at the stack before functions that do not return, and this one is not the thread's own */
	return (int)syscall(SYS_exit_group, 0);
}

int second_begin(struct second *s, struct cell_failure *f)
{
	s->ns_fd = -1;
	s->network_errno = s->tree_errno = 0;
	s->entered_fd = eventfd(0, EFD_CLOEXEC);
	if (s->entered_fd < 0)
		return build_failed(f, STEP_NETWORK, errno);
	s->pid = clone(work, s->stack + sizeof s->stack, CLONE_VM | CLONE_FS | CLONE_FILES, s);
	return s->pid < 0 ? build_failed(f, STEP_NETWORK, errno) : 0;
}

int second_network(struct second *s, struct cell_made *made, struct cell_failure *f)
{
	auto_fd int ns = -1;

	while (s->made == 0)
		(void)syscall(SYS_futex, &s->made, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0); /* asked again above */
	ns = steal_fd(&s->ns_fd);
	if (ns < 0)
		return build_failed(f, STEP_NETWORK, s->network_errno);
	if (setns(ns, CLONE_NEWNET) < 0)
		return build_failed(f, STEP_NETWORK, errno);
	made->achieved |= MECHANISM_BIT(MECHANISM_NET_NS);
	return 0;
}

int second_entered(struct second *s, struct cell_failure *f)
{
	return eventfd_write(s->entered_fd, 1) < 0 ? build_failed(f, STEP_PIVOT, errno) : 0;
}

int second_end(struct second *s, struct cell_failure *f)
{
	while (waitpid(s->pid, NULL, __WALL) < 0)
		if (errno != EINTR)
			return build_failed(f, STEP_PIVOT, errno);
	fd_close(&s->entered_fd);
	return s->tree_errno != 0 ? build_failed(f, STEP_PIVOT, s->tree_errno) : 0;
}
