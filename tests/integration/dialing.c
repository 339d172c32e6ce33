/* A client by system calls alone, for static programs: names by its own C library, connects that do not block, epoll, an end in one
 * direction that the other outlives.
 *
 *   dialing NAME PORT TEXT           says TEXT, ends, prints what comes until the other ends
 *   dialing NAME PORT TEXT COUNT     the same COUNT times, AT_ONCE at a time; prints how many heard as much as the first one */
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 100
#define PATIENCE_MS 15000

struct client {
	int fd; /* -1: none */
	bool spoke;
	size_t heard;
};

struct all {
	const struct addrinfo *where;
	const char *text;
	bool prints;
	long left, open, whole;
	size_t expected; /* 0: the first one tells */
	int epoll_fd;
	struct client clients[AT_ONCE];
};

static int failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return -1;
}

static int begin(struct all *a, struct client *c)
{
	struct epoll_event want = { .events = EPOLLOUT, .data.ptr = c };

	*c = (struct client){ .fd = socket(a->where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
	if (c->fd < 0)
		return failed("socket");
	if (connect(c->fd, a->where->ai_addr, a->where->ai_addrlen) < 0 && errno != EINPROGRESS)
		return failed("connect");
	a->left--;
	a->open++;
	return epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, c->fd, &want) < 0 ? failed("epoll_ctl") : 0;
}

static int speak(struct all *a, struct client *c)
{
	struct epoll_event want = { .events = EPOLLIN, .data.ptr = c };
	int why = 0;
	socklen_t size = sizeof why;

	(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &why, &size);
	errno = why;
	if (why != 0)
		return failed("connect");
	if (send(c->fd, a->text, strlen(a->text), MSG_NOSIGNAL) < 0 || shutdown(c->fd, SHUT_WR) < 0)
		return failed("send");
	c->spoke = true;
	return epoll_ctl(a->epoll_fd, EPOLL_CTL_MOD, c->fd, &want) < 0 ? failed("epoll_ctl") : 0;
}

static int hear(struct all *a, struct client *c)
{
	char room[4096];
	const ssize_t n = recv(c->fd, room, sizeof room, 0);

	if (n < 0)
		return errno == EAGAIN ? 0 : failed("recv");
	if (n > 0) {
		c->heard += (size_t)n;
		if (a->prints)
			(void)fwrite(room, 1, (size_t)n, stdout);
		return 0;
	}
	(void)close(c->fd);
	c->fd = -1;
	a->open--;
	a->expected = a->expected == 0 ? c->heard : a->expected;
	a->whole += c->heard == a->expected;
	return 0;
}

static int run(struct all *a)
{
	struct epoll_event events[AT_ONCE];
	int r = 0;

	while (r == 0 && (a->left > 0 || a->open > 0)) {
		int n;

		for (int i = 0; i < AT_ONCE && a->left > 0 && r == 0; i++)
			if (a->clients[i].fd < 0)
				r = begin(a, &a->clients[i]);
		n = epoll_wait(a->epoll_fd, events, AT_ONCE, PATIENCE_MS);
		if (n <= 0)
			return failed("epoll_wait");
		for (int i = 0; i < n && r == 0; i++) {
			struct client *c = events[i].data.ptr;

			r = c->spoke ? hear(a, c) : speak(a, c);
		}
	}
	return r;
}

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found;
	struct all a = { .text = argv[3] };
	int r;

	if (argc < 4)
		return 2;
	r = getaddrinfo(argv[1], argv[2], &hints, &found);
	if (r != 0) {
		printf("%s\n", gai_strerror(r));
		return 1;
	}
	a.where = found;
	a.prints = argc == 4;
	a.left = argc == 4 ? 1 : strtol(argv[4], NULL, 10);
	a.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < AT_ONCE; i++)
		a.clients[i].fd = -1;
	r = run(&a);
	if (r == 0 && !a.prints)
		printf("%ld whole\n", a.whole);
	freeaddrinfo(found);
	return r == 0 ? 0 : 1;
}
