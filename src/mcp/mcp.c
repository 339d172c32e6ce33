#include "mcp/mcp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define LINES_A_TURN 32
#define PIPE_ATOMIC 4096u /* PIPE_BUF: what poll(2) says there is room for */
#define LINE_BYTES 16384  /* a longer one counts as several */
#define GONE (POLLHUP | POLLERR)

struct mcp *mcp_new(int in, int out, int owner, const struct mcp_begin *begin)
{
	struct mcp *m = calloc(1, sizeof *m);

	if (m == NULL) {
		fd_close(&in);
		fd_close(&out);
		fd_close(&owner);
		return NULL;
	}
	m->in = in;
	m->out_fd = out;
	m->begin = *begin;
	m->session.fd = -1;
	port_init(&m->owner, owner);
	frame_init(&m->lines);
	buf_init(&m->out, MCP_OUT_MAX);
	buf_init(&m->held, FRAME_LINE_MAX);
	pace_init(&m->pace);
	return m;
}

void mcp_free(struct mcp *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < MCP_CALLS_MAX; i++)
		if (m->calls[i].state != CALL_FREE)
			call_free(&m->calls[i]);
	port_finish(&m->session);
	port_finish(&m->owner);
	frame_finish(&m->lines);
	buf_finish(&m->out);
	buf_finish(&m->about);
	buf_finish(&m->held);
	fd_close(&m->in);
	fd_close(&m->out_fd);
	free(m);
}

/* ---- the client ---- */

static bool has_room(const struct mcp *m)
{
	return m->deaf || m->out.len - m->out_at < MCP_OUT_LOW;
}

static void compact(struct mcp *m)
{
	buf_drop(&m->out, m->deaf ? m->out.len : m->out_at);
	m->out_at = 0;
	if (m->out.len == 0 && m->out.cap > MCP_OUT_LOW && !m->out.failed)
		buf_finish(&m->out);
}

/* The stream is the client's own, and may be shared with whoever made it: it is not made to be one that does not block, but asked first. */
static void give(struct mcp *m)
{
	while (!m->deaf && m->out_at < m->out.len) {
		struct pollfd p = { .fd = m->out_fd, .events = POLLOUT };
		const size_t left = m->out.len - m->out_at;
		ssize_t n;

		if (poll(&p, 1, 0) <= 0 || (p.revents & (POLLOUT | GONE)) == 0)
			break;
		n = write(m->out_fd, m->out.data + m->out_at, left < PIPE_ATOMIC ? left : PIPE_ATOMIC);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			m->deaf = true;
		else
			m->out_at += (size_t)n;
	}
	compact(m);
}

static bool hear_line(struct mcp *m)
{
	const char *line;
	size_t n;

	switch (frame_next(&m->lines, m->said_all, &line, &n)) {
	case FRAME_NONE: return false;
	case FRAME_LINE: mcp_heard(m, line, n); return true;
	case FRAME_LONG: mcp_heard_too_long(m); return true;
	}
	return false;
}

static void read_client(struct mcp *m)
{
	const ssize_t n = read(m->in, m->page, FRAME_READ);

	_Static_assert(FRAME_READ <= MCP_STDOUT_MAX, "the room of an answer is that of what is read");
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0 || !frame_add(&m->lines, m->page, (size_t)n))
		m->said_all = true;
	m->dry = false;
}

/* ---- turns ---- */

static bool is_busy(const struct mcp *m)
{
	for (size_t i = 0; i < MCP_CALLS_MAX; i++)
		if (m->calls[i].state != CALL_FREE && m->calls[i].state < CALL_PERSON && !m->calls[i].cancelled)
			return true;
	return m->open == OPEN_ASKED || m->out.len > m->out_at;
}

/* A client that says nothing more has gone, by the protocol: what it did not wait for is not waited for. */
static bool is_over(const struct mcp *m)
{
	if (m->out.failed || m->deaf || m->owner.fd < 0 || (m->open == OPEN_IS && m->session.fd < 0))
		return true;
	return m->said_all && m->dry && !is_busy(m);
}

static void tell_owner_why(struct mcp *m)
{
	const struct buf none = { .len = 0 };
	struct err e;

	if (m->owner.fd >= 0 && !m->out.failed && (m->deaf || m->said_all))
		(void)port_send(&m->owner, WIRE_MCP_LEFT, &none, &e); /* else that it ends is all that is known */
}

static bool may_hear(struct mcp *m)
{
	return !m->dry && m->open != OPEN_ASKED && has_room(m) && !pace_rests(&m->pace);
}

static void hear(struct mcp *m)
{
	const size_t from = m->lines.from;

	m->dry = !hear_line(m);
	if (!m->dry)
		pace_take(&m->pace, 1 + (m->lines.from - from) / LINE_BYTES);
}

static void look_at_port(struct mcp *m, struct port *p, short what, bool (*told)(struct mcp *m))
{
	bool is_there = true;

	if ((what & POLLOUT) != 0)
		is_there = port_flush(p);
	if (is_there && (what & (POLLIN | GONE)) != 0)
		is_there = told(m);
	if (!is_there)
		port_finish(p);
}

static short wanted(const struct mcp *m, const struct port *p)
{
	return (short)((has_room(m) ? POLLIN : 0) | (port_waits(p) ? POLLOUT : 0));
}

static int least(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void wait_and_look(struct mcp *m, int wait_ms)
{
	struct pollfd p[4 + MCP_CALLS_MAX] = {
		{ .fd = m->dry && has_room(m) && !m->said_all ? m->in : -1, .events = POLLIN },
		{ .fd = m->out_fd, .events = m->out.len > m->out_at ? POLLOUT : 0 },
		{ .fd = m->session.fd, .events = wanted(m, &m->session) },
		{ .fd = m->owner.fd, .events = wanted(m, &m->owner) },
	};

	for (size_t i = 0; i < MCP_CALLS_MAX; i++)
		p[4 + i] = (struct pollfd){ .fd = m->calls[i].state == CALL_FREE ? -1 : m->calls[i].input_fd,
					    .events = POLLOUT };
	if (poll(p, 4 + MCP_CALLS_MAX,
		 least(wait_ms, least(call_timeout(m, clock_ms()), task_timeout(m, clock_ms())))) <= 0)
		return;
	if ((p[1].revents & GONE) != 0)
		m->deaf =
			true; /* nobody has its other end: POLLERR of a pipe, POLLHUP of a socket, which would be told again and again */
	if ((p[0].revents & (POLLIN | GONE)) != 0)
		read_client(m);
	look_at_port(m, &m->session, p[2].revents, mcp_told_by_session);
	look_at_port(m, &m->owner, p[3].revents, mcp_told_by_owner);
	for (size_t i = 0; i < MCP_CALLS_MAX; i++)
		if (p[4 + i].revents != 0 && m->calls[i].input_fd == p[4 + i].fd && m->calls[i].state != CALL_FREE)
			call_write_input(m, &m->calls[i]);
}

bool mcp_turn(struct mcp *m, int wait_ms)
{
	for (unsigned i = 0; i < LINES_A_TURN && may_hear(m); i++)
		hear(m);
	call_tell_progress(m, clock_ms());
	task_tell(m, clock_ms());
	give(m);
	if (is_over(m)) {
		tell_owner_why(m);
		return false;
	}
	wait_and_look(m, may_hear(m) ? 0 : pace_timeout(&m->pace, wait_ms));
	return true;
}
