#include "lib/pool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/daemon_place.h"
#include "lib/delegate.h"
#include "lib/ground.h"
#include "lib/network.h"
#include "wire/wire.h"

/* ---- what is asked ---- */

bool pool_ask_take(struct rbuf *in, struct pool_ask *ret)
{
	*ret = (struct pool_ask){ .flags = rbuf_u32(in), .files = rbuf_u64(in) };
	ret->ground_bytes = rbuf_u32(in);
	ret->ground = rbuf_bytes(in, ret->ground_bytes);
	ret->request_bytes = rbuf_left(in);
	ret->request = rbuf_bytes(in, ret->request_bytes);
	return !in->failed && (ret->flags & ~(uint32_t)POOL_FLAGS) == 0 && ret->ground_bytes > 0;
}

/* An interpreter has its pipes before it is known where they lead, so there must be some; and it reads nothing. */
static bool takes_interpreter(const struct ambit_event *ev, const struct event_plan *plan)
{
	return plan->pooled_code && ev->reads_nothing && ev->streams.relayed[1] && ev->streams.relayed[2];
}

static bool put_ask(struct ambit_event *ev, const struct event_plan *plan, struct buf *out)
{
	const bool code = takes_interpreter(ev, plan);
	auto_buf ground = { .max = GROUND_MAX };
	const uint64_t files = ground_files();
	const uint32_t kind = ev->request->kind;

	if (!ground_put(&ground, files))
		return false;
	buf_put_u32(out,
		    (code ? POOL_CODE : 0) | (code && ev->streams.relayed[STREAM_RESULT] ? (uint32_t)POOL_RESULT : 0));
	buf_put_u64(out, files);
	buf_put_bytes(out, ground.data, ground.len);
	ev->request->kind = code ? kind : KIND_RUN; /* without an interpreter any program can come */
	request_encode(ev->request, out);
	ev->request->kind = kind;
	if (code)
		program_encode(out, plan->path, plan->argv, plan->envp);
	return !out->failed;
}

/* ---- who is asked ---- */

/* Not waiting: one that has too many who wait is as good as none. Who listens is the daemon, and what it starts is as it is itself, or its role finds so; anybody else who could make that file and is confined is not as we are. -1: nobody. */
static int reach(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	auto_fd int fd = -1;
	char path[PATH_MAX];

	if (daemon_place_own(DAEMON_POOL, path, NULL) < 0 || strlen(path) >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) < 0 || !ground_is_peers(fd))
		return -1;
	return steal_fd(&fd);
}

static bool answers(int sock)
{
	const uint64_t until = clock_ms() + POOL_PATIENCE_MS;
	struct pollfd p = { .fd = sock, .events = POLLIN };
	uint64_t now;
	int n = -1;

	while (n < 0 && (now = clock_ms()) < until)
		n = poll(&p, 1, (int)(until - now)); /* interrupted: again */
	return n == 1;
}

/* ---- what is given ---- */

/* Of a program that waits in one: both ends of its pipes, since another may have to be given them. */
static size_t put_pipes(const struct streams *s, int *fds, size_t n)
{
	for (size_t i = 1; i < STREAMS; i++) {
		if (!s->relayed[i])
			continue;
		fds[n++] = s->relay[i].output ? s->relay[i].from_fd : s->relay[i].to_fd;
		fds[n++] = s->cell_fd[i];
	}
	return n;
}

static void take_pipes(struct streams *to, struct wire_message *m, size_t at)
{
	struct streams from;

	streams_init(&from);
	for (size_t i = 1; i < STREAMS; i++) {
		struct relay *r = &from.relay[i];

		if (!to->relayed[i])
			continue;
		from.relayed[i] = true;
		r->output = i != STREAM_CODE;
		*(r->output ? &r->from_fd : &r->to_fd) = steal_fd(&m->fds[at++]);
		from.cell_fd[i] = steal_fd(&m->fds[at++]);
	}
	streams_adopt(to, &from);
	streams_finish(&from);
}

int pool_give(struct ambit_event *ev, int sock)
{
	int fds[FD_PASS_MAX] = { ev->sock, ev->pidfd }, r;
	const size_t n = ev->request->kind != KIND_RUN ? put_pipes(&ev->streams, fds, 2) : 2;
	uint8_t room[ID_TEXT_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_text(&b, ev->result.event, ID_TEXT_MAX);
	r = wire_send(sock, WIRE_POOL_GIVEN, &b, fds, n);
	if (r == 0) { /* only ours are closed: the supervisor sees nothing of it */
		int handed_sock = -1, pidfd = -1;

		event_hand_on(ev, &handed_sock, &pidfd);
		fd_close(&handed_sock);
		fd_close(&pidfd);
	}
	return r;
}

static size_t pipes_of(const struct streams *s, bool code)
{
	size_t n = 0;

	for (size_t i = 1; i < STREAMS && code; i++)
		n += s->relayed[i] ? 2 : 0;
	return n;
}

/* Nothing of ev is touched unless all of it can be used. */
static bool take(struct ambit_event *ev, bool code, struct wire_message *m)
{
	char event[ID_TEXT_MAX];

	rbuf_text(&m->body, event, sizeof event);
	if (m->body.failed || !id_is('e', event, strlen(event)) || m->n_fds != 2 + pipes_of(&ev->streams, code))
		return false;
	memcpy(ev->result.event, event, sizeof event);
	memcpy(ev->request->event, event, sizeof event);
	ev->sock = steal_fd(&m->fds[0]);
	ev->pidfd = steal_fd(&m->fds[1]);
	if (code)
		take_pipes(&ev->streams, m, 2);
	return true;
}

static bool is_gone(int sock)
{
	struct pollfd p = { .fd = sock, .events = 0 };

	return poll(&p, 1, 0) != 0;
}

bool pool_take(struct ambit_event *ev, const struct event_plan *plan)
{
	auto_buf ask = { .max = WIRE_BODY_MAX };
	auto_message m = { .n_fds = 0 };

	if (!plan->pooled || ev->request->staged == 0 || (ev->request->flags & CELL_TTY_ANY) != 0 ||
	    network_roles_are_needed(&ev->request->grants) || delegate_is_granted(&ev->request->grants))
		return false;
	ev->pool_fd = reach();
	if (ev->pool_fd < 0)
		return false;
	if (!put_ask(ev, plan, &ask) || wire_send(ev->pool_fd, WIRE_POOL_ASK, &ask, NULL, 0) < 0 ||
	    !answers(ev->pool_fd)) {
		fd_close(&ev->pool_fd); /* what it may give now, nobody gets */
		return false;
	}
	if (wire_receive(ev->pool_fd, WIRE_POOL, WIRE_NEW, ev->room, sizeof ev->room, &m) <= 0) {
		fd_close(&ev->pool_fd);
		return false;
	}
	return m.number == WIRE_POOL_GIVEN && !is_gone(m.fds[0]) && take(ev, takes_interpreter(ev, plan), &m);
}
