/* The loopback of the cell's own, otherwise empty network: programs expect to reach themselves. */
#include "cell/build.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

void net_loopback_up(void)
{
	auto_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_flags = IFF_UP };

	memcpy(request.ifr_name, "lo", sizeof "lo");
	if (sock >= 0)
		(void)ioctl(sock, SIOCSIFFLAGS, &request); /* a kernel without IPv4 has no loopback to raise */
}
