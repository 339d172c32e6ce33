#include "cli/login_browser.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/login_step.h"
#include "cli/whose.h"

#define LINE_MS 5000u
#define TRIES_MAX 64
#define TYPED_END 2 /* nobody types any more */

static const char good_page[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\r\n"
	"Ambit has heard the answer. The terminal says what became of it; this page can be closed.\n";
static const char bad_page[] =
	"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nNobody waits for this.\n";

int browser_open(struct browser *b, unsigned port, struct err *e)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) /* in range: it was read so */ };
	socklen_t n = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (b->fd < 0 || bind(b->fd, (struct sockaddr *)&at, n) < 0 || listen(b->fd, 8) < 0 ||
	    getsockname(b->fd, (struct sockaddr *)&at, &n) < 0)
		return err_sys(e, errno == EADDRINUSE ? AMBIT_CONFLICT : AMBIT_SYSTEM, errno, NULL,
			       "cannot listen for your browser");
	(void)snprintf(b->uri, sizeof b->uri, "http://127.0.0.1:%u/callback", ntohs(at.sin_port));
	return 0;
}

void browser_close(struct browser *b)
{
	fd_close(&b->fd);
}

void browser_show(const char *url)
{
	char *const argv[] = { (char *)(uintptr_t) "xdg-open", (char *)(uintptr_t)url /* only copied */, NULL };
	pid_t pid;

	(void)posix_spawnp(&pid, "xdg-open", NULL, NULL, argv, environ);
}

/* Up to the end of the first line, which is left out. */
static bool read_line(int fd, char ret[LOGIN_VALUE_MAX])
{
	const uint64_t end = clock_ms() + LINE_MS;
	size_t n = 0;

	while (n < LOGIN_VALUE_MAX - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		const uint64_t now = clock_ms();
		ssize_t got;
		char *stop;

		if (now >= end || poll(&p, 1, (int)(end - now)) <= 0)
			return false;
		got = read(fd, ret + n, LOGIN_VALUE_MAX - 1 - n);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		n += got > 0 ? (size_t)got : 0;
		stop = memchr(ret, '\r', n);
		if (stop == NULL)
			continue;
		*stop = 0;
		return memchr(ret, 0, n) == stop;
	}
	return false;
}

/* Whether it is the answer. Less than 0: nothing can be read here. What does not have the state anywhere, which any page can send as often as it likes, needs no cell to say so. */
static int look(struct browser *b, const char *line, const char *state, struct login_answer *ret, struct err *e)
{
	static struct login_ask ask;
	int r;

	if (strstr(line, state) == NULL)
		return 0;
	b->tries++;
	ask = (struct login_ask){ .step = LOGIN_CALLBACK };
	if (!login_param(&ask, "request", line))
		return 0;
	r = login_step(&ask, NULL, ret, NULL, e);
	return r < 0 ? r : ret->outcome == LOGIN_ANSWERED && strcmp(ret->text[LOGIN_STATE], state) == 0;
}

static int hear(struct browser *b, const char *state, struct login_answer *ret, struct err *e)
{
	auto_fd int fd = accept4(b->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char line[LOGIN_VALUE_MAX];
	int r;

	if (fd < 0 || !whose_is_ours(fd) ||
	    !read_line(fd, line)) /* the address, with the state, may have been seen by others */
		return 0;
	r = look(b, line, state, ret, e);
	(void)fd_write_all(fd, r > 0 ? good_page : bad_page,
			   r > 0 ? sizeof good_page - 1 : sizeof bad_page - 1); /* whoever it was */
	(void)shutdown(fd, SHUT_WR);
	return r;
}

/* A line with the address, as the browser shows it: what is behind its host is what it would have asked for. */
static int read_typed(struct browser *b, int fd, const char *state, struct login_answer *ret, struct err *e)
{
	static const char path[] = "/callback?";
	char text[LOGIN_VALUE_MAX - 32], line[LOGIN_VALUE_MAX];
	const ssize_t n = read(fd, text, sizeof text - 1);
	const char *at;

	if (n <= 0)
		return TYPED_END;
	text[n] = 0;
	text[strcspn(text, " \r\n")] = 0;
	at = strstr(text, path);
	if (at == NULL)
		return 0;
	(void)snprintf(line, sizeof line, "GET %s HTTP/1.1", at); /* fits */
	return look(b, line, state, ret, e);
}

int browser_wait(struct browser *b, const char *state, int typed, struct login_answer *ret, struct err *e)
{
	const uint64_t end = clock_ms() + BROWSER_PATIENCE_MS;

	while (b->tries < TRIES_MAX) {
		struct pollfd p[] = { { .fd = b->fd, .events = POLLIN }, { .fd = typed, .events = POLLIN } };
		const uint64_t now = clock_ms();
		int r;

		if (now >= end)
			break;
		if (poll(p, 2, (int)(end - now)) <= 0)
			continue;
		r = p[0].revents != 0 ? hear(b, state, ret, e) : read_typed(b, typed, state, ret, e);
		if (r == TYPED_END)
			typed = -1;
		else if (r != 0)
			return r < 0 ? r : 0;
	}
	return err_set(e, AMBIT_LIMIT, "run it again, and open the address that it prints", "nobody logged in");
}
