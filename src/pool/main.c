/* ambit-pool: keeps cells for events outside of sessions, each made as the last of its kind was asked for. It has the person's authority, as `ambit run` has, and parses nothing but our own messages.
 * Descriptor 3 is the daemon's connection, whose end is ours, and that of all that waits; the daemon gives what listens for command lines. What was given away is nobody's here any more. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/ground.h"
#include "lib/scarce.h"
#include "pool/kept.h"
#include "wire/wire.h"

#define DAEMON_FD 3
#define KEPT_MAX 8     /* cells that wait */
#define SAME_MAX 4     /* of them for the same */
#define CALLERS_MAX 64 /* whose events run; whoever comes then has a cell of his own */
#define DEAF_MS 100

/* A command line: from its question to the end of its event. */
struct caller {
	int sock;           /* owned; -1: a free place */
	bool asked;         /* once, and no more */
	bool told;          /* by the daemon, that there is none */
	struct buf wanted;  /* what is made again when its event is over; empty: nothing */
	struct kept *waits; /* for this, which does not stand yet; NULL */
};

struct pool {
	int listen_fd; /* owned */
	struct kept kept[KEPT_MAX];
	struct caller caller[CALLERS_MAX];
	uint64_t rests_since_ms; /* 0: it does not */
	uint64_t deaf_until_ms;  /* nobody is let in: there are no descriptors */
	int alarm_fd;            /* owned, -1 */
	struct pollfd polled[3 + CALLERS_MAX + KEPT_MAX];
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

/* ---- answers ---- */

static void tell_none(struct caller *c)
{
	c->waits = NULL;
	if (!c->told)
		(void)wire_send(c->sock, WIRE_POOL_NONE, NULL, NULL, 0); /* it has room, or he went */
}

/* A cell that cannot be given to who asked for it stays for the next. */
static void give(struct caller *c, struct kept *k)
{
	c->waits = NULL;
	k->waited_for = false;
	if (pool_give(k->ev, c->sock) < 0)
		return;
	k->ev = NULL;
	kept_finish(k);
}

/* ---- who asks ---- */

static void init(struct caller *c)
{
	*c = (struct caller){ .sock = -1 };
	buf_init(&c->wanted, WIRE_BODY_MAX);
}

/* Rather one that stands, and the last that was made: what there is too much of is not taken, and goes after its minute. */
static bool is_better(const struct kept *k, const struct kept *than)
{
	const bool stands = event_is_ready(k->ev), other = event_is_ready(than->ev);

	return stands != other ? stands : k->made_ms > than->made_ms;
}

static struct kept *find(struct pool *p, const struct pool_ask *a)
{
	struct kept *found = NULL;

	for (unsigned i = 0; i < KEPT_MAX; i++) {
		struct kept *k = &p->kept[i];

		/* last what takes longest */
		if (!k->waited_for && kept_step(k) && (found == NULL || is_better(k, found)) && kept_fits(k, a))
			found = k;
	}
	return found;
}

static unsigned count(struct pool *p, const struct pool_ask *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KEPT_MAX; i++)
		n += !p->kept[i].waited_for && kept_step(&p->kept[i]) && kept_fits(&p->kept[i], a);
	return n;
}

/* A free place, rather one with nothing to be remembered, or that of the one which was made first. NULL: somebody waits for each. */
static struct kept *make_room(struct pool *p)
{
	struct kept *first = NULL, *spare = NULL;

	for (unsigned i = 0; i < KEPT_MAX; i++) {
		struct kept *k = &p->kept[i];

		if (k->ev == NULL && (spare == NULL || !k->barren))
			spare = k;
		if (!k->waited_for && (first == NULL || k->made_ms < first->made_ms))
			first = k;
	}
	return spare != NULL ? spare : first;
}

static bool is_barren(const struct pool *p, const struct pool_ask *a)
{
	for (unsigned i = 0; i < KEPT_MAX; i++)
		if (kept_is_barren(&p->kept[i], a))
			return true;
	return false;
}

/* His event is over: who had one asks for another, mostly. So there come to be as many of a kind as ran at once. */
static void make_next(struct pool *p, const struct buf *wanted)
{
	struct pool_ask a;
	struct rbuf in;
	struct kept *k;

	rbuf_init(&in, wanted->data, wanted->len);
	if (wanted->len == 0 || !pool_ask_take(&in, &a) || count(p, &a) >= SAME_MAX || is_barren(p, &a) ||
	    memory_is_scarce())
		return;
	k = make_room(p);
	if (k != NULL)
		kept_make(k, wanted);
}

static void part_with(struct pool *p, struct caller *c)
{
	if (c->waits != NULL)
		c->waits->waited_for = false;
	fd_close(&c->sock);
	make_next(p, &c->wanted);
	buf_finish(&c->wanted);
	init(c);
}

static void answer(struct pool *p, struct caller *c, const struct wire_message *m)
{
	struct pool_ask a;
	struct rbuf in = m->body;
	struct kept *k;

	c->asked = true;
	/* what he says of himself is one thing, what the kernel says of him another; that he sees us he had to look at himself (lib/pool.c) */
	if (!pool_ask_take(&in, &a) || !ground_is_peers(c->sock) || !kept_is_same_ground(&a)) {
		tell_none(c); /* nor is one made: it would not be his */
		return;
	}
	buf_put(&c->wanted, m->body.data + m->body.at, rbuf_left(&m->body));
	k = c->told ? NULL : find(p, &a);
	if (k == NULL) {
		tell_none(c);
	} else if (event_is_ready(k->ev)) {
		give(c, k);
	} else {
		k->waited_for = true; /* it stands sooner than one that is begun now */
		c->waits = k;
	}
}

static void hear(struct pool *p, struct caller *c)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(c->sock, WIRE_LIBRARY, WIRE_NEW, p->room, sizeof p->room, &m);

	if (n == -EAGAIN)
		return;
	if (n <= 0 || c->asked || m.number != WIRE_POOL_ASK)
		part_with(p, c);
	else
		answer(p, c, &m);
}

/* Takes sock, of the person's own alone; who does not find a place has a cell of his own. told: that there is none. */
static void admit(struct pool *p, int sock, bool told)
{
	auto_fd int own = sock;
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (own < 0 || getsockopt(own, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return;
	for (unsigned i = 0; i < CALLERS_MAX; i++) {
		struct caller *c = &p->caller[i];

		if (c->sock >= 0)
			continue;
		c->sock = steal_fd(&own);
		c->told = told;
		return;
	}
}

/* ---- what waits ---- */

static struct caller *who_waits(struct pool *p, const struct kept *k)
{
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		if (p->caller[i].waits == k)
			return &p->caller[i];
	return NULL;
}

static void step(struct pool *p, struct kept *k)
{
	const bool there = kept_step(k);
	struct caller *c = who_waits(p, k);

	if (there && !event_is_ready(k->ev) && clock_boot_ms() - k->made_ms >= UNWANTED_MS) { /* it never will be */
		if (c != NULL)
			tell_none(c);
		kept_finish(k);
	} else if (c != NULL && !there)
		tell_none(c);
	else if (c != NULL && event_is_ready(k->ev))
		give(c, k);
	else if (c == NULL && there && clock_boot_ms() - k->made_ms >= UNWANTED_MS)
		kept_finish(k);
}

/* ---- its life ---- */

static bool is_at_rest(const struct pool *p)
{
	for (unsigned i = 0; i < KEPT_MAX; i++)
		if (p->kept[i].ev != NULL)
			return false;
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		if (p->caller[i].sock >= 0)
			return false;
	return true;
}

/* Until the next thing that is due; -1: nothing is. */
static int patience(const struct pool *p)
{
	const uint64_t now = clock_boot_ms();
	uint64_t due = p->rests_since_ms != 0 ? p->rests_since_ms + UNWANTED_MS : UINT64_MAX;

	if (now < p->deaf_until_ms && p->deaf_until_ms < due)
		due = p->deaf_until_ms;
	for (unsigned i = 0; i < KEPT_MAX; i++)
		if (p->kept[i].ev != NULL && p->kept[i].made_ms + UNWANTED_MS < due)
			due = p->kept[i].made_ms + UNWANTED_MS;
	return due == UINT64_MAX ? -1 : due <= now ? 0 : (int)(due - now); /* a minute at most */
}

static bool is_over(struct pool *p)
{
	if (!is_at_rest(p))
		p->rests_since_ms = 0;
	else if (p->rests_since_ms == 0)
		p->rests_since_ms = clock_boot_ms();
	return p->rests_since_ms != 0 && clock_boot_ms() - p->rests_since_ms >= UNWANTED_MS;
}

/* Without descriptors whoever waits to be let in would wake us without end. */
static void admit_next(struct pool *p)
{
	const int sock = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		p->deaf_until_ms = clock_boot_ms() + DEAF_MS;
	admit(p, sock, false);
}

static void loop(struct pool *p)
{
	while (!is_over(p)) {
		struct pollfd *of_callers = p->polled + 3, *of_kept = of_callers + CALLERS_MAX;

		p->polled[0] = (struct pollfd){ .fd = DAEMON_FD, .events = POLLIN };
		p->polled[1] = (struct pollfd){ .fd = clock_boot_ms() < p->deaf_until_ms ? -1 : p->listen_fd,
						.events = POLLIN };
		p->polled[2] = (struct pollfd){ .fd = p->alarm_fd, .events = POLLIN };
		for (unsigned i = 0; i < CALLERS_MAX; i++)
			of_callers[i] = (struct pollfd){ .fd = p->caller[i].sock, .events = POLLIN };
		for (unsigned i = 0; i < KEPT_MAX; i++)
			of_kept[i] = (struct pollfd){ .fd = p->kept[i].ev != NULL ? event_wait_fd(p->kept[i].ev) : -1,
						      .events = POLLIN };
		if (poll(p->polled, sizeof p->polled / sizeof p->polled[0], clock_alarm(p->alarm_fd, patience(p))) <
			    0 &&
		    errno != EINTR)
			return;
		if (p->polled[0].revents != 0)
			return; /* the daemon went: it says nothing */
		for (unsigned i = 0; i < CALLERS_MAX; i++)
			if (p->caller[i].sock >= 0 && of_callers[i].revents != 0)
				hear(p, &p->caller[i]);
		for (unsigned i = 0; i < KEPT_MAX; i++)
			step(p, &p->kept[i]);
		if (p->polled[1].revents != 0)
			admit_next(p);
	}
}

static int begin(struct pool *p)
{
	auto_message m = { .n_fds = 0 };

	if (wire_receive(DAEMON_FD, WIRE_DAEMON, WIRE_NEW, p->room, sizeof p->room, &m) <= 0 ||
	    m.number != WIRE_POOL_BEGIN)
		return -1;
	p->listen_fd = steal_fd(&m.fds[0]);
	p->alarm_fd = clock_alarm_open();
	for (unsigned i = 0; i < KEPT_MAX; i++)
		kept_init(&p->kept[i]);
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		init(&p->caller[i]);
	admit(p, steal_fd(&m.fds[1]), true);
	return 0;
}

int main(void)
{
	static struct pool p;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (fd_reserve_standard() < 0 || fd_set_cloexec(DAEMON_FD, true) < 0 || begin(&p) < 0)
		return 2;
	loop(&p);
	for (unsigned i = 0; i < KEPT_MAX; i++)
		kept_finish(&p.kept[i]);
	return 0;
}
