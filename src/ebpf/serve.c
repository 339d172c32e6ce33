#include "ebpf/serve.h"

#include <errno.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "wire/wire.h"

#define IDLE_MS 60000
#define REST_MS 50 /* so long nobody asked anything: there is time to make rings */

struct client {
	int sock;  /* owned, -1: a free place */
	int ns_fd; /* owned, -1: nothing is watched. While it is held its number is nobody else's */
	uint32_t ns, place;
};

struct server {
	int listen_fd; /* borrowed */
	struct serve_self self;
	struct programs *programs;
	struct client clients[SEEN_CELLS_MAX];
	bool prepares;    /* rings are to be made ahead */
	uint64_t idle_ms; /* since boot: from when on nobody was there; 0: somebody is */
};

static void part_with(struct server *s, struct client *c)
{
	if (c->ns_fd >= 0)
		programs_leave(s->programs, c->ns, c->place);
	fd_close(&c->ns_fd);
	fd_close(&c->sock);
}

/* ---- what is watched ---- */

/* Whose it is: of root's cells the owner is another id, and root may look at all. */
static bool is_mine(const struct server *s, int ns_fd)
{
	auto_fd int user_ns = s->self.uid == 0 ? -1 : ioctl(ns_fd, NS_GET_USERNS);
	uid_t owner = 0;

	return s->self.uid == 0 ||
	       (user_ns >= 0 && ioctl(user_ns, NS_GET_OWNER_UID, &owner) == 0 && owner == s->self.uid);
}

static int watch(struct server *s, struct client *c, struct wire_message *m, struct err *e)
{
	auto_fd int ns_fd = steal_fd(&m->fds[0]);
	struct stat st;
	int ring, r;

	if (fstat(ns_fd, &st) < 0 || ioctl(ns_fd, NS_GET_NSTYPE) != CLONE_NEWPID || st.st_ino > UINT32_MAX)
		return err_set(e, AMBIT_PROTOCOL, NULL, "no namespace of processes");
	if (st.st_ino == s->self.pid_ns || !is_mine(s, ns_fd))
		return err_set(e, AMBIT_DENIED, NULL, "what is watched is a cell of the caller's own");
	if (c->ns_fd >= 0) /* a supervisor that makes another cell in place of that */
		programs_leave(s->programs, c->ns, c->place);
	fd_close(&c->ns_fd);
	r = programs_watch(s->programs, (uint32_t)st.st_ino, &c->place, &ring, e);
	if (r < 0)
		return r;
	c->ns = (uint32_t)st.st_ino;
	c->ns_fd = steal_fd(&ns_fd);
	return wire_send(c->sock, WIRE_EBPF_RING, NULL, &ring, 1) < 0 ? -AMBIT_GONE : 0;
}

static int count(const struct server *s, const struct client *c, struct err *e)
{
	uint64_t put, lost;
	uint8_t body[16];
	struct buf b;

	if (c->ns_fd < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "nothing is watched");
	programs_count(s->programs, c->ns, &put, &lost);
	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, put);
	buf_put_u64(&b, lost);
	return wire_send(c->sock, WIRE_EBPF_COUNTED, &b, NULL, 0) < 0 ? -AMBIT_GONE : 0;
}

static void hear(struct server *s, struct client *c)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[64];
	const int got = wire_receive(c->sock, WIRE_SUPERVISOR, WIRE_RUNNING, room, sizeof room, &m);
	struct err e = { .code = AMBIT_OK };
	int r = -AMBIT_GONE;

	if (got == -EAGAIN)
		return;
	if (got > 0)
		r = m.number == WIRE_EBPF_WATCH ? watch(s, c, &m, &e) : count(s, c, &e);
	if (r < 0 && r != -AMBIT_GONE)
		(void)wire_tell_error(c->sock, WIRE_EBPF_FAILED, &e); /* it is over anyway */
	if (r < 0)
		part_with(s, c);
}

/* ---- connections ---- */

static void meet(struct server *s)
{
	auto_fd int sock = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t size = sizeof peer;
	struct err e;

	if (sock < 0 || getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != s->self.uid)
		return;
	for (size_t i = 0; i < SEEN_CELLS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->sock >= 0)
			continue;
		if (wire_send(sock, WIRE_EBPF_HELLO, NULL, NULL, 0) == 0)
			c->sock = steal_fd(&sock);
		return;
	}
	(void)err_set(&e, AMBIT_LIMIT, "try again when others have ended", "%d cells are watched by eBPF already",
		      SEEN_CELLS_MAX);
	(void)wire_tell_error(sock, WIRE_EBPF_FAILED, &e); /* or it went */
}

static bool is_alone(const struct server *s)
{
	for (size_t i = 0; i < SEEN_CELLS_MAX; i++)
		if (s->clients[i].sock >= 0)
			return false;
	return true;
}

static bool is_over(struct server *s)
{
	if (!is_alone(s))
		s->idle_ms = 0;
	else if (s->idle_ms == 0)
		s->idle_ms = clock_boot_ms();
	return s->idle_ms != 0 && clock_boot_ms() - s->idle_ms >= IDLE_MS;
}

int serve_run(int listen_fd, struct programs *p, const struct serve_self *self, struct err *e)
{
	auto_free struct server *s = calloc(1, sizeof *s);
	int n;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to watch cells");
	*s = (struct server){ .listen_fd = listen_fd, .self = *self, .programs = p };
	for (size_t i = 0; i < SEEN_CELLS_MAX; i++)
		s->clients[i] = (struct client){ .sock = -1, .ns_fd = -1 };
	s->prepares = true;
	while (!is_over(s)) {
		struct pollfd polled[1 + SEEN_CELLS_MAX] = { { .fd = listen_fd, .events = POLLIN } };

		for (size_t i = 0; i < SEEN_CELLS_MAX; i++)
			polled[1 + i] = (struct pollfd){ .fd = s->clients[i].sock, .events = POLLIN };
		n = poll(polled, sizeof polled / sizeof polled[0], s->prepares ? REST_MS : is_alone(s) ? IDLE_MS : -1);
		if (n < 0 && errno != EINTR)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for supervisors");
		s->prepares = n == 0 ? s->prepares && programs_prepare(p) : true;
		if (n <= 0)
			continue;
		for (size_t i = 0; i < SEEN_CELLS_MAX; i++)
			if (s->clients[i].sock >= 0 && polled[1 + i].revents != 0)
				hear(s, &s->clients[i]);
		if (polled[0].revents != 0)
			meet(s);
	}
	return 0;
}
