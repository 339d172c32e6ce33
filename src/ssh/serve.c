#include "ssh/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "ssh/client.h"
#include "wire/wire.h"

#define CLIENTS_MAX 32 /* at one time; who comes then waits in the kernel's queue */

enum { SUPERVISOR, SIGNER, LISTENER, FIRST_CLIENT };

struct connection {
	int fd;    /* owned, -1: free */
	bool asks; /* the signer, and waits for it */
	struct client client;
};

struct agent {
	int supervisor;       /* borrowed */
	int signer, listener; /* owned, -1 until they came */
	bool ready;           /* the signer has told all */
	bool still;           /* nothing passes */
	struct knowledge known;
	struct connection connections[CLIENTS_MAX];
	struct sign_ask ask;
	struct sign_done done;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

/* ---- clients ---- */

static void drop(struct connection *c)
{
	fd_close(&c->fd);
	client_finish(&c->client);
}

/* What is to be written, as far as it goes. */
static void flush(struct connection *c)
{
	struct buf *out = &c->client.answer;

	while (out->len > 0) {
		const ssize_t n = write(c->fd, out->data, out->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			drop(c);
			return;
		}
		buf_drop(out, (size_t)n);
	}
	if (c->client.ends)
		drop(c);
}

static int ask(struct agent *a, uint32_t i)
{
	struct buf b;

	a->connections[i].asks = true;
	a->ask.client = i;
	buf_init_in(&b, a->room, sizeof a->room);
	sign_put_ask(&b, &a->ask);
	return wire_write(a->signer, WIRE_SIGN_ASK, &b);
}

/* One message at most. */
static int on_client(struct agent *a, uint32_t i)
{
	struct connection *c = &a->connections[i];
	struct client *in = &c->client;
	enum client_next next;
	ssize_t n;

	if (in->answer.len > 0) {
		flush(c);
		return 0;
	}
	n = read(c->fd, in->room + in->n, client_wants(in));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		drop(c);
		return 0;
	}
	in->n += (size_t)n;
	if (client_wants(in) > 0)
		return 0;
	next = client_serve(in, &a->known, &a->ask);
	if (next == CLIENT_ASKS)
		return ask(a, i);
	if (next == CLIENT_BROKEN)
		drop(c);
	else
		flush(c);
	return 0;
}

static struct connection *free_connection(struct agent *a)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		if (a->connections[i].fd < 0)
			return &a->connections[i];
	return NULL;
}

static void on_listener(struct agent *a)
{
	struct connection *c = free_connection(a);
	const int fd = c == NULL ? -1 : accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return; /* nobody is there any more, or there are no descriptors just now */
	c->fd = fd;
	c->asks = false;
	client_init(&c->client);
}

/* ---- the signer ---- */

static int take_done(struct agent *a, struct rbuf *body)
{
	struct connection *c;

	if (!sign_take_done(body, &a->done) || a->done.client >= CLIENTS_MAX || !a->connections[a->done.client].asks)
		return -EPROTO;
	c = &a->connections[a->done.client];
	c->asks = false;
	client_signed(&c->client, a->done.signature, a->done.n);
	flush(c);
	return 0;
}

static int take_key(struct rbuf *body, struct sign_key *list, uint32_t most, uint32_t *n)
{
	if (*n == most || !sign_take_key(body, &list[*n]))
		return -EPROTO;
	++*n;
	return 0;
}

static int take_grant(struct agent *a, struct rbuf *body)
{
	struct knowledge *k = &a->known;

	if (k->n_grants == SIGN_GRANTS_MAX || !sign_take_grant(body, &k->grants[k->n_grants]) ||
	    k->grants[k->n_grants].index != k->n_grants)
		return -EPROTO;
	k->n_grants++;
	return 0;
}

static int learn(struct agent *a, struct wire_message *m)
{
	struct knowledge *k = &a->known;

	if (m->number == WIRE_SIGN_GRANT)
		return take_grant(a, &m->body);
	if (m->number == WIRE_SIGN_HOST)
		return take_key(&m->body, k->hosts, SIGN_HOSTS_MAX, &k->n_hosts);
	if (m->number == WIRE_SIGN_KEY)
		return take_key(&m->body, k->keys, SIGN_KEYS_MAX, &k->n_keys);
	a->ready = m->number == WIRE_SIGN_READY;
	return a->ready ? 0 : -EPROTO;
}

/* 1: it is gone. */
static int on_signer(struct agent *a)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(a->signer, WIRE_SIGNER, a->ready ? WIRE_RUNNING : WIRE_BUILDING, a->room,
				   sizeof a->room, &m);

	if (n <= 0)
		return n == 0 ? 1 : n;
	return a->ready ? take_done(a, &m.body) : learn(a, &m);
}

static int on_supervisor(struct agent *a)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(a->supervisor, WIRE_SUPERVISOR, a->signer < 0 ? WIRE_NEW : WIRE_RUNNING, a->room,
				   sizeof a->room, &m);

	if (n <= 0)
		return n == 0 ? 1 : n;
	if (m.number == WIRE_SSH_STILL)
		a->still = rbuf_u32(&m.body) != 0;
	else if (m.number == WIRE_SSH_SIGNER)
		a->signer = steal_fd(&m.fds[0]);
	else if (a->listener < 0)
		a->listener = steal_fd(&m.fds[0]);
	else
		return -EPROTO;
	return 0;
}

/* ---- all of them ---- */

static void watch(struct agent *a, struct pollfd *p)
{
	const bool accepts = a->ready && free_connection(a) != NULL;

	p[SUPERVISOR] = (struct pollfd){ .fd = a->supervisor, .events = POLLIN };
	p[SIGNER] = (struct pollfd){ .fd = a->signer, .events = POLLIN };
	p[LISTENER] = (struct pollfd){ .fd = accepts ? a->listener : -1, .events = POLLIN };
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		const struct connection *c = &a->connections[i];

		/* of one that waits for the signer nothing is to be seen, not even that it went: then it cannot be answered */
		p[FIRST_CLIENT + i] = (struct pollfd){ .fd = c->asks ? -1 : c->fd,
						       .events = c->client.answer.len > 0 ? POLLOUT : POLLIN };
	}
}

static int turn(struct agent *a)
{
	struct pollfd p[FIRST_CLIENT + CLIENTS_MAX];
	int r = 0;

	watch(a, p);
	if (poll(p, FIRST_CLIENT + CLIENTS_MAX, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	for (uint32_t i = 0; i < CLIENTS_MAX && r == 0; i++)
		if (p[FIRST_CLIENT + i].revents != 0)
			r = on_client(a, i);
	if (r == 0 && p[SIGNER].revents != 0)
		r = on_signer(a);
	if (r == 0 && p[SUPERVISOR].revents != 0)
		r = on_supervisor(a);
	if (r == 0 && p[LISTENER].revents != 0)
		on_listener(a);
	return r;
}

/* The turn in which that was said is over. */
static int stand(struct agent *a)
{
	int r = wire_write(a->supervisor, WIRE_SSH_STANDS, NULL);

	while (r == 0 && a->still) {
		wire_await(a->supervisor);
		r = on_supervisor(a);
		r = r == -EAGAIN ? 0 : r;
	}
	return r;
}

int serve_run(int supervisor, struct err *e)
{
	auto_free struct agent *a = calloc(1, sizeof *a);
	int n = 0;

	if (a == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to answer as an agent");
	a->supervisor = supervisor;
	a->signer = a->listener = -1;
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		a->connections[i].fd = -1;
	while (n == 0)
		n = a->still ? stand(a) : turn(a);
	return n >= 0 ? 0 /* what it holds goes with the process */
		      : err_sys(e, n == -EPROTO ? AMBIT_PROTOCOL : AMBIT_SYSTEM, -n, NULL, "cannot answer as an agent");
}
