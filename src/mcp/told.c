/* What the role of the session, and the command line, say. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "mcp/mcp.h"

static struct call *call_of_number(struct mcp *m, uint32_t number)
{
	for (size_t i = 0; i < MCP_CALLS_MAX && number != 0; i++)
		if (m->calls[i].state != CALL_FREE &&
		    (m->calls[i].number == number || m->calls[i].input_number == number))
			return &m->calls[i];
	return NULL;
}

/* ---- files ---- */

static void got_files(struct mcp *m, struct call *c, struct wire_message *msg, uint32_t number)
{
	if (number == c->input_number) {
		c->input_number = 0;
		if (msg->n_fds > 2) {
			c->input_fd = steal_fd(&msg->fds[2]);
			call_write_input(m, c);
		}
		return;
	}
	if (c->state == CALL_FILES && msg->n_fds >= 2) {
		for (size_t i = 0; i < 3 && i < msg->n_fds; i++)
			c->file[i] = steal_fd(&msg->fds[i]);
		c->state = CALL_RUNS;
	} else if (c->state == CALL_RECORD) {
		answer_event(m, c, msg->fds[0]);
	} else if (c->state == CALL_ASKED) {
		answer_resource(m, c, msg->fds[c->stream < msg->n_fds ? c->stream : 0]);
	}
}

static bool on_files(struct mcp *m, struct wire_message *msg)
{
	struct link_number n;
	struct call *c;

	if (!link_number_take(&msg->body, &n) || msg->n_fds < 1)
		return false;
	c = call_of_number(m, n.request);
	if (c != NULL) /* else it was given up: the descriptors go with the message */
		got_files(m, c, msg, n.request);
	return true;
}

/* ---- its end ---- */

/* What was denied stands in its record. */
static void on_over(struct mcp *m, struct call *c, const struct event_row *row)
{
	c->row = *row;
	if (c->cancelled || (row->denied == 0 && row->code == 0 && row->outcome.workspace != WORKSPACE_KEPT &&
			     outcome_crash(0, (int)row->exit_status) == 0)) {
		answer_event(m, c, -1);
		return;
	}
	c->state = CALL_RECORD;
	c->number = call_next_number(m);
	(void)call_ask(m, c, WIRE_SESSION_RECORD, c->number, 0);
}

static bool hear_row(struct mcp *m, struct wire_message *msg)
{
	struct event_row row;

	if (!event_row_take(&msg->body, &row))
		return false;
	if (msg->number == WIRE_SESSION_ROW)
		answer_row(m, &row);
	for (size_t i = 0; msg->number == WIRE_SESSION_OVER && i < MCP_CALLS_MAX; i++)
		if (m->calls[i].state == CALL_RUNS && m->calls[i].n == row.n)
			on_over(m, &m->calls[i], &row);
	return true;
}

/* It is told again when call_tell_progress said that it was taken up. */
static void on_grew(struct mcp *m, const struct session_grew *g)
{
	for (size_t i = 0; i < MCP_CALLS_MAX; i++)
		if (m->calls[i].state == CALL_RUNS && m->calls[i].n == g->n)
			m->calls[i].bytes = g->out + g->err;
}

static bool on_failed(struct mcp *m, struct rbuf *in)
{
	uint32_t number;
	struct call *c;
	struct err e;

	(void)link_failed_take(in, &number, &e);
	c = call_of_number(m, number);
	if (c != NULL && c->input_number == number)
		c->input_number = 0; /* it reads nothing: its end says why */
	else if (c != NULL && c->state == CALL_RECORD)
		answer_event(m, c, -1);
	else if (c != NULL)
		answer_failed(m, c, &e);
	return !in->failed;
}

static bool on_taken(struct mcp *m, struct rbuf *in)
{
	struct session_taken t;
	struct call *c;

	if (!session_taken_take(in, &t))
		return false;
	c = call_of_number(m, t.request);
	if (c != NULL && c->state == CALL_TAKEN)
		call_taken(m, c, &t);
	return true;
}

static bool on_done(struct mcp *m, struct rbuf *in)
{
	struct link_number n;

	if (!link_number_take(in, &n))
		return false;
	if (n.request == m->listing && n.request != 0)
		answer_rows(m);
	return true;
}

static bool hear_session(struct mcp *m, struct wire_message *msg)
{
	struct session_grew grew;

	switch ((int)msg->number) {
	case WIRE_SESSION_TAKEN: return on_taken(m, &msg->body);
	case WIRE_SESSION_FILES: return on_files(m, msg);
	case WIRE_SESSION_GREW:
		if (!session_grew_take(&msg->body, &grew))
			return false;
		on_grew(m, &grew);
		return true;
	case WIRE_SESSION_ROW:
	case WIRE_SESSION_CHANGED:
	case WIRE_SESSION_OVER: return hear_row(m, msg);
	case WIRE_SESSION_DONE: return on_done(m, &msg->body);
	case WIRE_SESSION_FAILED: return on_failed(m, &msg->body);
	default: return false;
	}
}

bool mcp_told_by_session(struct mcp *m)
{
	auto_message msg = { .n_fds = 0 };
	const int r = wire_receive(m->session.fd, WIRE_SESSION, WIRE_RUNNING, m->room, sizeof m->room, &msg);

	return r == -EAGAIN || (r > 0 && hear_session(m, &msg));
}

#define ABOUT_MAX (256u << 10)

/* What waited for it goes on. Of one that could not be made it is told so, and the next call asks again. */
static bool on_session(struct mcp *m, struct wire_message *msg)
{
	struct buf line = m->held;
	struct mcp_session s;
	struct stat st;
	uint8_t *at;

	if (msg->number == WIRE_MCP_FAILED) {
		(void)wire_take_error(&msg->body, &m->why_not);
		m->open = OPEN_FAILED;
	} else {
		buf_init(&m->about, ABOUT_MAX);
		if (!mcp_session_take(&msg->body, &s) || fstat(msg->fds[1], &st) < 0 || st.st_size <= 0 ||
		    st.st_size > (off_t)ABOUT_MAX)
			return false;
		at = buf_room(&m->about, (size_t)st.st_size);
		if (at == NULL || pread(msg->fds[1], at, (size_t)st.st_size, 0) != st.st_size)
			return false;
		m->about.len = (size_t)st.st_size;
		(void)text_copy(m->name, sizeof m->name, s.session); /* same size */
		m->latest = s.latest;
		port_init(&m->session, steal_fd(&msg->fds[0]));
		m->open = OPEN_IS;
	}
	buf_init(&m->held, FRAME_LINE_MAX);
	mcp_heard(m, (const char *)line.data, line.len);
	buf_finish(&line);
	if (m->open == OPEN_FAILED)
		m->open = OPEN_NOT;
	return true;
}

/* What the command said of it is for a person. */
static void answer_no_diff(struct mcp *m, struct call *c)
{
	struct err e;

	(void)err_set(&e, AMBIT_NOT_FOUND, NULL, "event %llu has no changes that wait", (unsigned long long)c->n);
	answer_failed(m, c, &e);
}

bool mcp_told_by_owner(struct mcp *m)
{
	auto_message msg = { .n_fds = 0 };
	struct mcp_told told;
	struct call *c;
	const int r = wire_receive(m->owner.fd, WIRE_OWNER, WIRE_RUNNING, m->room, sizeof m->room, &msg);

	if (r == -EAGAIN)
		return true;
	if (r > 0 && (msg.number == WIRE_MCP_SESSION || msg.number == WIRE_MCP_FAILED))
		return m->open == OPEN_ASKED && on_session(m, &msg);
	if (r <= 0 || msg.number != WIRE_MCP_TOLD || !mcp_told_take(&msg.body, &told))
		return false;
	c = call_of_number(m, told.request);
	if (c != NULL && c->state == CALL_ASKED && c->tool < TOOL_COUNT)
		answer_stage(m, c, told.status, msg.fds[0]);
	else if (c != NULL && c->state == CALL_ASKED && told.status == 0)
		answer_resource(m, c, msg.fds[0]);
	else if (c != NULL && c->state == CALL_ASKED)
		answer_no_diff(m, c);
	return true;
}
