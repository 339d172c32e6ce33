/* The client of bench/network.py, bare and in a cell. Everything is of 127.0.0.1; times are of one run.
 *
 *   net_client down PORT BYTES           hears so much of a source; prints seconds, then waits until its standard input ends
 *   net_client up PORT BYTES             says so much to a sink, which has heard all of it; prints seconds
 *   net_client connect PORT COUNT        one after the other: connects, says a byte, hears it again, closes; prints the median, microseconds
 *   net_client many PORT COUNT           at one time, and each is heard; prints `open`, then waits until its standard input ends
 *   net_client ping PORT COUNT [STUCK SOURCE N]
 *                                        a byte there and back; prints the median and what 99 of 100 are below, microseconds. Before that, N
 *                                        connections each to two ports are made whose buffers are full and stay so */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "series.h"

#define PIECE (256u << 10)
#define FULL_MS 100 /* no room for so long: it stays full */

static uint8_t room[PIECE];

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int fail(const char *what)
{
	perror(what);
	return -1;
}

static int open_port(uint32_t port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) < 0)
		return fail("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static int there_and_back(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL) == 1 && recv(fd, room, 1, 0) == 1 ? 0 : fail("ping");
}

static void until_told(void)
{
	(void)fflush(stdout);
	while (read(STDIN_FILENO, room, sizeof room) > 0)
		;
}

/* ---- much ---- */

static int down(uint32_t port, uint64_t bytes)
{
	const int fd = open_port(port);
	const double begun = now_us();

	while (fd >= 0 && bytes > 0) {
		const ssize_t n = recv(fd, room, bytes < sizeof room ? (size_t)bytes : sizeof room, 0);

		if (n <= 0)
			return fail("down");
		bytes -= (uint64_t)n;
	}
	(void)printf("%f\n", (now_us() - begun) / 1e6);
	until_told();
	return fd < 0 ? -1 : 0;
}

static int up(uint32_t port, uint64_t bytes)
{
	const int fd = open_port(port);
	const double begun = now_us();
	uint64_t heard = 0, left = bytes;

	while (fd >= 0 && left > 0) {
		const ssize_t n = send(fd, room, left < sizeof room ? (size_t)left : sizeof room, MSG_NOSIGNAL);

		if (n <= 0)
			return fail("up");
		left -= (uint64_t)n;
	}
	if (fd < 0 || shutdown(fd, SHUT_WR) < 0 || recv(fd, room, 8, MSG_WAITALL) != 8)
		return fail("up");
	for (unsigned i = 0; i < 8; i++)
		heard |= (uint64_t)room[i] << (8 * i);
	(void)printf("%f\n", (now_us() - begun) / 1e6);
	return heard == bytes ? 0 : -1;
}

/* ---- many ---- */

static int connect_again(uint32_t port, uint64_t count)
{
	struct series took = { .n = 0 };
	int r = series_init(&took, (size_t)count);

	for (uint64_t i = 0; i < count && r == 0; i++) {
		const double begun = now_us();
		const int fd = open_port(port);

		r = fd < 0 ? -1 : there_and_back(fd);
		series_add(&took, now_us() - begun);
		(void)close(fd);
	}
	(void)printf("%f\n", series_median(&took));
	series_finish(&took);
	return r;
}

static int many(uint32_t port, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		const int fd = open_port(port); /* kept */

		if (fd < 0 || there_and_back(fd) < 0)
			return -1;
	}
	(void)printf("open\n");
	until_told();
	return 0;
}

/* ---- beside those that are stuck ---- */

/* Says until there is no room any more, and hears nothing. */
static int fill(uint32_t port)
{
	const int fd = open_port(port);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (fd >= 0 && poll(&p, 1, FULL_MS) == 1)
		if (send(fd, room, sizeof room, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && p.revents != POLLOUT)
			return fail("fill");
	return fd < 0 ? -1 : 0;
}

static int get_stuck(char **argv)
{
	uint32_t stuck, source, n;
	int r = 0;

	if (!parse_u32(argv[0], 1, UINT16_MAX, &stuck) || !parse_u32(argv[1], 1, UINT16_MAX, &source) ||
	    !parse_u32(argv[2], 0, 1000, &n))
		return -1;
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = open_port(source) < 0 ? -1 : fill(stuck);
	return r;
}

static int ping(uint32_t port, uint64_t count)
{
	struct series took = { .n = 0 };
	const int fd = open_port(port);
	int r = fd < 0 ? -1 : series_init(&took, (size_t)count);

	for (uint64_t i = 0; i < count && r == 0; i++) {
		const double begun = now_us();

		r = there_and_back(fd);
		series_add(&took, now_us() - begun);
	}
	(void)printf("%f %f\n", series_median(&took), series_at(&took, 0.99));
	series_finish(&took);
	return r;
}

static int run(int argc, char **argv)
{
	uint32_t port;
	uint64_t n;

	if (argc < 4 || !parse_u32(argv[2], 1, UINT16_MAX, &port) || !parse_u64(argv[3], 1, UINT64_MAX, &n))
		return -1;
	if (strcmp(argv[1], "down") == 0)
		return down(port, n);
	if (strcmp(argv[1], "up") == 0)
		return up(port, n);
	if (strcmp(argv[1], "connect") == 0)
		return connect_again(port, n);
	if (strcmp(argv[1], "many") == 0)
		return many(port, n);
	if (argc == 7 && get_stuck(argv + 4) < 0)
		return -1;
	return strcmp(argv[1], "ping") == 0 ? ping(port, n) : -1;
}

int main(int argc, char **argv)
{
	return run(argc, argv) == 0 ? 0 : 1;
}
