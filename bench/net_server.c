/* The host's side of bench/network.py: four ports of the loopback, told on standard output; runs until it is killed.
 *
 *   echo      says each piece again; one process for all of them, so that a new connection costs no more than itself
 *   source    says zeros for as long as somebody listens
 *   sink      hears everything, and says at its end how much that was (8 bytes, little-endian)
 *   stuck     neither hears nor says anything */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE (256u << 10)
#define BACKLOG 1024
#define EVENTS 64

enum port { ECHO, SOURCE, SINK, STUCK, PORTS, OF_ECHO = PORTS };

static uint8_t room[PIECE];

static int listen_somewhere(uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		return -1;
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void say_zeros(int fd)
{
	while (send(fd, room, sizeof room, MSG_NOSIGNAL) > 0)
		;
}

static void hear_all(int fd)
{
	uint64_t heard = 0;
	ssize_t n;

	while ((n = recv(fd, room, sizeof room, 0)) > 0)
		heard += (uint64_t)n;
	for (unsigned i = 0; i < 8; i++)
		room[i] = (uint8_t)(heard >> (8 * i));
	(void)send(fd, room, 8, MSG_NOSIGNAL);
}

/* What moves much has a process of its own. */
static void serve_apart(enum port port, int fd)
{
	if (fork() == 0) {
		if (port == SOURCE)
			say_zeros(fd);
		else
			hear_all(fd);
		_exit(0);
	}
	(void)close(fd);
}

static int watch(int epoll_fd, int fd, enum port kind)
{
	struct epoll_event want = { .events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &want);
}

static int take(int epoll_fd, enum port port, int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR ? 0 : -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (port == ECHO)
		return watch(epoll_fd, fd, OF_ECHO);
	if (port != STUCK)
		serve_apart(port, fd);
	return 0;
}

static int say_again(int fd)
{
	const ssize_t n = recv(fd, room, sizeof room, 0);

	if (n <= 0 || send(fd, room, (size_t)n, MSG_NOSIGNAL) != n)
		(void)close(fd);
	return 0;
}

int main(void)
{
	const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS];
	int r = epoll_fd < 0 ? -1 : 0;

	(void)signal(SIGCHLD, SIG_IGN);
	for (unsigned p = ECHO; p < PORTS && r == 0; p++) {
		uint16_t number = 0;
		const int fd = listen_somewhere(&number);

		r = fd < 0 ? -1 : watch(epoll_fd, fd, (enum port)p);
		(void)printf("%u%c", number, p + 1 < PORTS ? ' ' : '\n');
	}
	(void)fflush(stdout);
	while (r == 0) {
		const int n = epoll_wait(epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < n && r == 0; i++) {
			const enum port kind = (enum port)(events[i].data.u64 >> 32);
			const int fd = (int)(uint32_t)events[i].data.u64;

			r = kind == OF_ECHO ? say_again(fd) : take(epoll_fd, kind, fd);
		}
	}
	perror("net_server");
	return 1;
}
