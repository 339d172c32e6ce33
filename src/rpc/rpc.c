#include "rpc/rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define LINES_A_TURN 32
#define LINE_BYTES 16384 /* a longer one counts as several */

struct rpc *rpc_new(int client, int daemon)
{
	struct rpc *r = calloc(1, sizeof *r);

	if (r == NULL) {
		fd_close(&client);
		fd_close(&daemon);
		return NULL;
	}
	r->client = client;
	(void)fd_set_nonblock(client, true);
	port_init(&r->daemon, daemon);
	frame_init(&r->in);
	buf_init(&r->out, RPC_OUT_MAX);
	pace_init(&r->pace);
	return r;
}

void rpc_free(struct rpc *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++)
		if (r->requests[i].awaits != AWAIT_NONE)
			request_free(&r->requests[i]);
	for (size_t i = 0; i < RPC_FOLLOWED_MAX; i++)
		if (r->followed[i].channel != NULL)
			followed_free(&r->followed[i]);
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] != NULL) {
			port_finish(&r->channels[i]->port);
			free(r->channels[i]);
		}
	port_finish(&r->daemon);
	frame_finish(&r->in);
	buf_finish(&r->out);
	fd_close(&r->client);
	free(r);
}

/* ---- the client ---- */

static bool has_room(const struct rpc *r)
{
	return r->deaf || r->out.len - r->out_at < RPC_OUT_LOW;
}

/* What was taken makes room. */
static void compact(struct rpc *r)
{
	buf_drop(&r->out, r->deaf ? r->out.len : r->out_at);
	r->out_at = 0;
	if (r->out.len == 0 && r->out.cap > RPC_OUT_LOW && !r->out.failed)
		buf_finish(&r->out);
}

static void give(struct rpc *r)
{
	while (!r->deaf && r->out_at < r->out.len) {
		const ssize_t n = write(r->client, r->out.data + r->out_at, r->out.len - r->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			r->deaf = true;
		else
			r->out_at += (size_t)n;
	}
	compact(r);
}

/* True: a line was there. */
static bool hear_line(struct rpc *r)
{
	const char *line;
	size_t n;

	switch (frame_next(&r->in, r->said_all, &line, &n)) {
	case FRAME_NONE: return false;
	case FRAME_LINE: rpc_asked(r, line, n); return true;
	case FRAME_LONG: rpc_asked_too_long(r); return true;
	}
	return false;
}

static void read_client(struct rpc *r)
{
	const ssize_t n = read(r->client, r->page, FRAME_READ);

	_Static_assert(FRAME_READ <= RPC_PAGE_MAX, "the room of a page is that of what is read");
	if (n < 0 &&
	    (errno == EINTR || errno == EAGAIN || errno == ECONNRESET)) /* which is told before what was sent */
		r->deaf = r->deaf || errno == ECONNRESET;
	else if (n <= 0 || !frame_add(&r->in, r->page, (size_t)n))
		r->said_all = true;
	r->dry = false;
}

/* ---- the others ---- */

static void lose_daemon(struct rpc *r)
{
	struct json j;
	struct err why;

	(void)err_set(&why, AMBIT_GONE, "connect again", "the daemon is gone");
	port_finish(&r->daemon);
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++)
		if (r->requests[i].awaits > AWAIT_NOW && r->requests[i].channel == NULL &&
		    r->requests[i].awaits != AWAIT_READY)
			request_fail(r, &r->requests[i], &why);
	say_note(&j, &r->out, NOTE_DAEMON_LOST);
	say_why(&j, &why);
	say_note_end(&j);
}

static void lose_channel(struct rpc *r, struct channel *c)
{
	struct err why;

	(void)err_set(&why, AMBIT_GONE, "session.open it again: what was acknowledged is there",
		      "the process of session %s is gone", c->session);
	channel_lost(r, c, &why);
}

/* ---- turns ---- */

static bool has_channels(const struct rpc *r)
{
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] != NULL)
			return true;
	return false;
}

/* Somebody still waits for something, or it is on its way. */
static bool is_busy(const struct rpc *r)
{
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] != NULL &&
		    (port_waits(&r->channels[i]->port) || (r->channels[i]->watched && !r->deaf)))
			return true;
	for (size_t i = 0; i < RPC_FOLLOWED_MAX && !r->deaf; i++)
		if (r->followed[i].channel != NULL && r->followed[i].told)
			return true;
	for (size_t i = 0; i < RPC_REQUESTS_MAX && !r->deaf; i++)
		if (r->requests[i].awaits != AWAIT_NONE)
			return true;
	return port_waits(&r->daemon) || (!r->deaf && r->out.len > r->out_at);
}

static bool is_over(const struct rpc *r)
{
	if (r->out.failed)
		return true; /* what was cut off cannot be gone on with */
	if (r->daemon.fd < 0 && (!r->greeted || !has_channels(r)))
		return r->deaf || r->out.len == r->out_at;
	return r->said_all && r->dry && !is_busy(r);
}

struct waiting {
	struct pollfd fds[2 + RPC_CHANNELS_MAX + RPC_FOLLOWED_MAX];
	void *whose[2 + RPC_CHANNELS_MAX + RPC_FOLLOWED_MAX];
	nfds_t n;
};

static void wait_for(struct waiting *w, int fd, int events, void *whose)
{
	w->fds[w->n] = (struct pollfd){ .fd = fd, .events = (short)events };
	w->whose[w->n++] = whose;
}

/* Of an end that nothing is wanted of poll(2) would tell its end again and again. */
static void wait_for_port(const struct rpc *r, struct waiting *w, const struct port *p, void *whose)
{
	const int events = (has_room(r) ? POLLIN : 0) | (port_waits(p) ? POLLOUT : 0);

	wait_for(w, events != 0 ? p->fd : -1, events, whose);
}

static void gather(struct rpc *r, struct waiting *w)
{
	const int in = r->dry && has_room(r) && !r->said_all ? POLLIN : 0;
	const int out = !r->deaf && r->out.len > r->out_at ? POLLOUT : 0;

	w->n = 0;
	wait_for(w, !r->greeted || (r->deaf && in == 0) ? -1 : r->client, in | out, NULL);
	wait_for_port(r, w, &r->daemon, NULL);
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] != NULL)
			wait_for_port(r, w, &r->channels[i]->port, r->channels[i]);
	for (size_t i = 0; i < RPC_FOLLOWED_MAX; i++)
		if (r->followed[i].channel != NULL && r->followed[i].input >= 0)
			wait_for(w, r->followed[i].input, POLLOUT, &r->followed[i]);
}

static bool is_there(const struct rpc *r, const struct channel *c)
{
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] == c)
			return true;
	return false;
}

#define GONE (POLLHUP | POLLERR)

static void look_at_client(struct rpc *r, short what)
{
	if ((what & GONE) != 0)
		r->deaf = true;
	if ((what & (POLLIN | GONE)) != 0 && r->dry && !r->said_all)
		read_client(r);
}

/* False: it is gone. */
static bool look_at_port(const struct rpc *r, struct port *p, short what, bool *ret_heard)
{
	*ret_heard = (what & (POLLIN | GONE)) != 0 && has_room(r);
	return (what & (POLLOUT | GONE)) == 0 || !port_waits(p) || port_flush(p);
}

static void look_at_channel(struct rpc *r, struct channel *c, short what)
{
	bool heard;

	if (!is_there(r, c))
		return;
	if (!look_at_port(r, &c->port, what, &heard) || (heard && !rpc_told_by_session(r, c)))
		lose_channel(r, c);
}

static void look_at_daemon(struct rpc *r, short what)
{
	bool heard;

	if (r->daemon.fd < 0)
		return;
	if (!look_at_port(r, &r->daemon, what, &heard) || (heard && !rpc_told_by_daemon(r)))
		lose_daemon(r);
}

static void look(struct rpc *r, const struct waiting *w)
{
	look_at_daemon(r, w->fds[1].revents);
	for (nfds_t i = 2; i < w->n; i++) {
		struct followed *f = w->whose[i];

		if (w->fds[i].revents == 0)
			continue;
		if (f >= r->followed && f < r->followed + RPC_FOLLOWED_MAX) {
			if (f->channel != NULL && f->input == w->fds[i].fd)
				input_write(r, f);
		} else {
			look_at_channel(r, w->whose[i], w->fds[i].revents);
		}
	}
	look_at_client(r, w->fds[0].revents);
}

/* Whether a line may be looked at now. */
static bool may_hear(struct rpc *r)
{
	return r->greeted && !r->dry && has_room(r) && !pace_rests(&r->pace);
}

static void hear(struct rpc *r)
{
	const size_t from = r->in.from;

	r->dry = !hear_line(r);
	if (!r->dry)
		pace_take(&r->pace, 1 + (r->in.from - from) / LINE_BYTES);
}

/* What can be done without waiting. True: there is more of it. */
static bool work(struct rpc *r)
{
	bool told_all = false;

	for (unsigned i = 0; i < LINES_A_TURN && may_hear(r); i++)
		hear(r);
	while (!told_all && has_room(r) && !r->deaf)
		told_all = !rpc_pump(r);
	give(r);
	return may_hear(r) || (has_room(r) && !told_all && !r->deaf);
}

bool rpc_turn(struct rpc *r, int wait_ms)
{
	struct waiting w;
	const bool more = work(r);

	if (is_over(r))
		return false;
	gather(r, &w);
	if (poll(w.fds, w.n, more ? 0 : pace_timeout(&r->pace, wait_ms)) > 0)
		look(r, &w);
	return true;
}
