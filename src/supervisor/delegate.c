#include "supervisor/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cell/base.h"
#include "supervisor/clones.h"
#include "wire/wire.h"

#define END_ROOM 2400

void delegates_init(struct delegates *d)
{
	d->listener = -1;
	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++)
		d->places[i] = (struct delegate){ .door = -1 };
}

void delegates_listen(struct delegates *d, int *fd)
{
	fd_close(&d->listener);
	d->listener = steal_fd(fd);
}

/* ---- who hears one that asks: a process of its own ---- */

enum { ASKER = 3, ABOVE = 4 };

static bool is_stream(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (fcntl(fd, F_GETFL) & O_PATH) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode));
}

static void answer(int sock, const struct sibling_end *end)
{
	uint8_t room[END_ROOM];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	sibling_put_end(&b, end);
	(void)wire_send(sock, WIRE_DELEGATE_DONE, &b, NULL, 0); /* who went is seen elsewhere */
}

static void refuse(int sock, const struct err *e)
{
	struct sibling_end end = { .number = 0 };

	sibling_refuse(&end, e);
	answer(sock, &end);
}

/* Passed on as it came, if it is one at all. */
static bool pass_on(void)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	struct wire_message m; /* its descriptors are closed by the end of this process */
	struct buf body;
	struct err e;

	if (wire_receive(ASKER, WIRE_CLIENT, WIRE_NEW, room, sizeof room, &m) != 1 || m.number != WIRE_DELEGATE_ASK)
		return false;
	for (size_t i = 0; i < m.n_fds; i++)
		if (!is_stream(m.fds[i])) {
			(void)err_set(&e, AMBIT_USAGE, "redirect it to a file, a pipe or /dev/null",
				      "a stream of the sub-agent is neither file, pipe, socket nor terminal");
			refuse(ASKER, &e);
			return false;
		}
	buf_init_in(&body, room + WIRE_HEAD, sizeof room - WIRE_HEAD);
	body.len = rbuf_left(&m.body);
	return wire_send(ABOVE, WIRE_DELEGATE_ASK, &body, m.fds, m.n_fds) == 0;
}

_Noreturn static void hear(int asker, int above, pid_t parent)
{
	uint8_t room[WIRE_HEAD + END_ROOM];
	struct pollfd p[] = { { .fd = ASKER, .events = POLLIN }, { .fd = ABOVE, .events = POLLIN } };
	ssize_t n = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent || dup2(asker, ASKER) < 0 ||
	    dup2(above, ABOVE) < 0 || syscall(SYS_close_range, ABOVE + 1, ~0u, 0) < 0)
		_exit(1);
	(void)fd_set_nonblock(ASKER, false);
	if (!pass_on())
		_exit(1);
	while (p[1].revents == 0 && poll(p, 2, -1) >= 0)
		if (p[0].revents !=
		    0) { /* it went, or says more than there is to say: the supervisor ends what it asked for, and says when */
			(void)shutdown(ABOVE, SHUT_WR);
			p[0].fd = -1;
			p[0].revents = 0;
		}
	n = recv(ABOVE, room, sizeof room, 0);
	if (n > 0)
		(void)send(ASKER, room, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	_exit(0);
}

/* ---- places ---- */

static struct delegate *free_place(struct delegates *d)
{
	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++)
		if (d->places[i].pid == 0)
			return &d->places[i];
	return NULL;
}

/* The process ends by that, and its place is free when it has. */
static void part(struct delegate *place)
{
	place->number = 0;
	place->unwanted = place->ending = false;
	fd_close(&place->door);
}

/* One that cannot be heard keeps its place, and is never closed here: what it sent already could hold us up. */
static void admit(struct delegates *d)
{
	struct delegate *place = free_place(d);
	const pid_t parent = getpid();
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof peer;
	int pair[2], asker = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC);

	if (asker < 0 || place == NULL)
		return;
	if (getsockopt(asker, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != d->uid ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		place->pid = -1;
		return;
	}
	place->pid = fork();
	if (place->pid == 0)
		hear(asker, pair[1], parent);
	fd_close(&pair[1]);
	if (place->pid < 0) {
		fd_close(&pair[0]);
		return;
	}
	fd_close(&asker);
	place->door = pair[0];
	(void)fd_set_nonblock(place->door, true);
}

void delegates_reap(struct delegates *d)
{
	if (d->held_up > 0 && waitpid(d->held_up, NULL, WNOHANG) != 0)
		d->held_up = 0;
	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++) {
		struct delegate *place = &d->places[i];

		if (place->pid > 0 && place->door < 0 && waitpid(place->pid, NULL, WNOHANG) == place->pid)
			place->pid = 0;
	}
}

/* ---- what is asked ---- */

static bool is_staged(const struct cell_spec *spec, const char *path)
{
	const struct cell_path *at = NULL;

	for (uint32_t i = 0; i < spec->n_paths; i++) /* parents first: the last is the narrowest */
		if (spec->paths[i].grant != GRANT_NONE &&
		    (spec->paths[i].flags & (CELL_PATH_LINK | CELL_PATH_HIDE)) == 0 &&
		    path_is_beneath(path, spec_text(spec, spec->paths[i].path)))
			at = &spec->paths[i];
	return at != NULL && (at->stage != 0 || (at->flags & CELL_PATH_STAGED) != 0);
}

/* Of a grant of its own, or of what this one is asked by: whoever sees it could connect. */
static bool holds_socket(const struct cell_spec *spec, const char *path)
{
	for (uint32_t i = 0; i < spec->n_endpoints; i++)
		if (spec_endpoint_is_socket(&spec->endpoints[i]) &&
		    path_is_beneath(spec_text(spec, spec->endpoints[i].name), path))
			return true;
	return false;
}

/* What is written in place (a pipe) is so through any mount of it: no fewer rights keep a sub-agent from that. */
static bool holds_what_is_written(const struct cell_spec *spec, const struct grant_set *given, const char *path)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		const struct cell_path *p = &spec->paths[i];
		const char *written = spec_text(spec, p->path);
		bool may = false;

		if (p->grant == GRANT_NONE || (p->rights & RIGHT_WRITE) == 0 || p->stage != 0 ||
		    (p->flags &
		     (CELL_PATH_LINK | CELL_PATH_HIDE | CELL_PATH_DEVICE | CELL_PATH_PIN | CELL_PATH_STAGED)) != 0 ||
		    !path_is_beneath(written, path))
			continue;
		for (uint32_t k = 0; k < given->count && !may; k++)
			may = (given->grants[k].rights & RIGHT_WRITE) != 0 &&
			      path_is_beneath(written, grant_object(given, k));
		if (!may)
			return true;
	}
	return false;
}

/* The trees that the sub-agent's cell is made of: as the caller sees them, with what it has staged. */
static int collect(const struct delegates *d, const struct derived *g, struct clones *c, uint32_t *grants,
		   struct err *e)
{
	c->n = 0;
	for (uint32_t i = 0; i < g->grants.count; i++) {
		const char *object = grant_object(&g->grants, i);
		const uint32_t rights = g->grants.grants[i].rights;

		if (rights == 0 || object[0] != '/' || base_shows((enum cell_base)d->q->base, object, rights))
			continue;
		if (c->n == SIBLING_TREES_MAX)
			return err_set(e, AMBIT_LIMIT, "name the directory in which they lie",
				       "more than %d paths for a sub-agent", SIBLING_TREES_MAX);
		if (holds_socket(d->spec, object))
			return err_set(e, AMBIT_UNAVAILABLE, "name what lies beside it",
				       "a socket that the caller was granted lies in %s, and would go with it", object);
		if (holds_what_is_written(d->spec, &g->grants, object))
			return err_set(
				e, AMBIT_UNAVAILABLE, "name what lies beside it, or grant it for writing as well",
				"what the caller writes in place (a pipe) lies in %s, and would go with it", object);
		c->path[c->n] = object;
		grants[c->n++] = i | (is_staged(d->spec, object) ? SIBLING_STAGED : 0);
	}
	return 0;
}

/* One that somebody stopped must not hold us up. A socket that takes more has room for three quarters of what it holds (unix_writable). */
static bool takes_more(int lib)
{
	struct pollfd p = { .fd = lib, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static int forward(struct delegates *d, struct delegate *place, struct sibling_ask *a, const struct derived *g,
		   const int streams[3], struct err *e)
{
	static uint8_t room[WIRE_BODY_MAX];
	uint32_t grants[SIBLING_TREES_MAX] = { 0 }, there = 0;
	struct clones c = { .n = 0 };
	int fds[3 + SIBLING_TREES_MAX], r = 0;
	struct buf b;

	if ((a->flags & SIBLING_HANDED) == 0) /* else it has trees of its own */
		r = collect(d, g, &c, grants, e);

	if (r == 0 && d->held_up > 0)
		r = err_set(e, AMBIT_HOST, "see what is mounted there",
			    "a file system of this cell has not answered yet, for the sub-agent before");
	r = r < 0 ? r : clones_make(&c, d->proc_fd, d->mounts_fd, e);
	d->held_up = c.left > 0 ? c.left : d->held_up;
	if (r < 0)
		return r;
	memcpy(fds, streams, 3 * sizeof fds[0]);
	for (size_t i = 0; i < c.n; i++)
		if (c.fd[i] >= 0) {
			fds[3 + there] = c.fd[i];
			grants[there++] = grants[i];
		}
	(void)memcpy(a->agent, g->agent, sizeof a->agent);
	a->grants = g->grants;
	a->flags &= ~SIBLING_INHERITS;
	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, d->last + 1);
	buf_put_u32(&b, d->uid);
	buf_put_u32(&b, there);
	for (uint32_t i = 0; i < there; i++)
		buf_put_u32(&b, grants[i]);
	sibling_put_from(&b, &g->of);
	sibling_put(&b, a);
	if (!b.failed && !takes_more(d->lib)) {
		clones_finish(&c);
		return err_set(e, AMBIT_LIMIT, "try again", "who would start the sub-agent is busy");
	}
	r = b.failed ? err_set(e, AMBIT_LIMIT, "name the grants that it needs",
			       "the grants of the sub-agent are too long")
		     : wire_send(d->lib, WIRE_EVENT_DELEGATE, &b, fds, 3 + there);
	clones_finish(&c);
	if (r == 0)
		place->number = ++d->last;
	return r == 0 || b.failed ? r : err_sys(e, AMBIT_GONE, -r, NULL, "nobody is there to start a sub-agent");
}

static int begin(struct delegates *d, struct delegate *place, struct wire_message *m, struct err *e)
{
	static struct sibling_ask ask; /* some 80 KB each, and one thread */
	static struct derived given;
	const struct derive_from from = {
		.grants = &d->q->grants, .withdrawn = d->withdrawn, .used = d->used, .together = d->q->kept != 0
	};
	int r = sibling_take(&m->body, &ask, e);

	r = r < 0 ? r : derive(&from, &ask, &given, e);
	if (r < 0)
		return r;
	for (enum limit i = 0; i < LIMIT_COUNT; i++) {
		const uint64_t most = d->q->limits.value[i];

		if (most != 0 && (ask.limits.value[i] == 0 || ask.limits.value[i] > most))
			ask.limits.value[i] = most;
	}
	if ((ask.flags & SIBLING_HANDED) == 0)
		ask.limits.value[LIMIT_OUTPUT] = 0; /* it goes to the caller's streams, and is counted there */
	memcpy(place->from, given.from, sizeof place->from);
	return forward(d, place, &ask, &given, m->fds, e);
}

/* Again and again, where the library has no room for it. */
static void tell_end(struct delegates *d, struct delegate *place)
{
	uint8_t room[4];
	struct buf b;

	if (place->number == 0 || place->ending)
		return;
	place->unwanted = true;
	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, place->number);
	place->ending = wire_send(d->lib, WIRE_EVENT_DELEGATE_END, &b, NULL, 0) ==
			0; /* without a library all end by themselves */
}

static void take(struct delegates *d, struct delegate *place)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	struct wire_message m;
	struct err e;
	int r = wire_receive(place->door, WIRE_CLIENT, WIRE_NEW, room, sizeof room, &m);

	if (r == -EAGAIN)
		return;
	if (r != 1 || m.number != WIRE_DELEGATE_ASK || place->number != 0) {
		wire_message_finish(&m);
		if (place->number == 0)
			part(place);
		else
			tell_end(d, place);
		return;
	}
	r = begin(d, place, &m, &e);
	wire_message_finish(&m); /* it has them, too, and ends later */
	if (r == 0)
		return;
	refuse(place->door, &e);
	part(place);
}

void delegates_watch(const struct delegates *d, bool hears, struct pollfd p[DELEGATES_POLLED])
{
	bool room = false;

	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++) {
		const struct delegate *place = &d->places[i];

		room = room || place->pid == 0;
		p[1 + i] = (struct pollfd){ .fd = !hears || place->unwanted ? -1 : place->door, .events = POLLIN };
	}
	p[0] = (struct pollfd){ .fd = hears && room ? d->listener : -1, .events = POLLIN };
}

void delegates_serve(struct delegates *d, const struct pollfd p[DELEGATES_POLLED])
{
	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++)
		if (p[1 + i].revents != 0 && d->places[i].door >= 0)
			take(d, &d->places[i]);
	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++)
		if (d->places[i].unwanted)
			tell_end(d, &d->places[i]);
	if (p[0].revents != 0)
		admit(d);
}

/* ---- what becomes of it ---- */

void delegates_ended(struct delegates *d, struct rbuf *body)
{
	struct sibling_end end;

	if (!sibling_take_end(body, &end) || end.number == 0)
		return;
	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++)
		if (d->places[i].number == end.number) {
			answer(d->places[i].door, &end);
			part(&d->places[i]);
			return;
		}
}

void delegates_withdraw(struct delegates *d, uint32_t grant)
{
	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++)
		if (d->places[i].from[grant])
			tell_end(d, &d->places[i]);
}

bool delegates_end(struct delegates *d)
{
	bool over = true;

	for (unsigned i = 0; i < DELEGATES_AT_ONCE; i++) {
		tell_end(d, &d->places[i]);
		over = over && d->places[i].number == 0;
	}
	return over;
}
