#include "warden/template.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wire/wire.h"

static int open_pairs(int report[2], int status[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0)
		return -errno;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, status) < 0 ? -errno : 0;
}

int template_ask(int template_fd, const struct cell_spec *spec, const struct cell_made *made,
		 const int streams[TEMPLATE_STREAMS], int *ret_report_fd, int *ret_status_fd)
{
	const struct template_wall wall = { .flags = spec->flags,
					    .observe = spec->observe,
					    .umask = spec->umask,
					    .achieved = made->achieved,
					    .limits = spec->limits };
	auto_fd int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int report[2] = { -1, -1 }, status[2] = { -1, -1 }, fds[FD_PASS_MAX];
	uint8_t body[128];
	size_t n = 0;
	struct buf b;
	int r = self < 0 ? -errno : open_pairs(report, status);

	buf_init_in(&b, body, sizeof body);
	template_wall_encode(&wall, &b);
	fds[n++] = self;
	fds[n++] = report[1];
	fds[n++] = status[1];
	for (int i = 0; i < TEMPLATE_STREAMS; i++)
		fds[n++] = streams[i];
	if (made->ruleset_fd >= 0)
		fds[n++] = made->ruleset_fd;
	r = r < 0 ? r : wire_send(template_fd, WIRE_TEMPLATE_COPY, &b, fds, n);
	fd_close(&report[1]);
	fd_close(&status[1]);
	if (r < 0) {
		fd_close(&report[0]);
		fd_close(&status[0]);
		return r;
	}
	*ret_report_fd = report[0];
	*ret_status_fd = status[0];
	return 0;
}

#define PATIENCE_MS 5000 /* a template that somebody stopped makes no copies */

pid_t template_await(int report_fd, struct cell_failure *f)
{
	struct pollfd p = { .fd = report_fd, .events = POLLIN };
	uint32_t told[2];
	int fds[FD_PASS_MAX], r;
	size_t n_fds = 0;
	ssize_t n = -1;

	do
		r = poll(&p, 1, PATIENCE_MS); /* signals are data here, and interrupt nothing */
	while (r < 0 && errno == EINTR);
	if (r == 1)
		n = fd_receive(report_fd, told, sizeof told, fds, &n_fds);
	for (size_t i = 0; n >= 0 && i < n_fds; i++)
		fd_close(&fds[i]);
	if (n == sizeof told)
		(void)build_failed(f, (enum cell_step)told[0], (int)told[1]);
	else if (n != sizeof told[0] || told[0] == 0)
		(void)build_failed(f, STEP_FORK, ECHILD);
	else
		return (pid_t)told[0];
	return 0;
}

int template_ended(int status_fd, struct template_end *ret)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[WIRE_HEAD + 64];

	if (wire_receive(status_fd, WIRE_TEMPLATE, WIRE_RUNNING, room, sizeof room, &m) <= 0)
		return 0;
	template_end_decode(&m.body, ret);
	return 1;
}
