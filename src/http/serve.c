#include "http/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "http/link.h"
#include "http/session.h"
#include "http/tally.h"
#include "http/vault.h"
#include "wire/wire.h"

#define EVENTS 64
#define BUNDLE_MAX (4u << 20)
#define LOOK_MS 1000 /* so often it is looked who is late */

enum source { FROM_SUPERVISOR, FROM_DIALER, FROM_SESSION, FROM_VAULT };

struct serve {
	int supervisor; /* borrowed */
	int dialer;     /* owned, -1 until it came */
	int epoll_fd;   /* owned */
	struct http_orders orders;
	char object[ENDPOINT_TEXT_MAX];
	struct session_role role;
	struct buf authorities; /* owned, PEM; until the terms came */
	struct vault *vaults;   /* borrowed: TERMS_SECRETS_MAX */
	int vault_fd;           /* owned: the secrets come from there; -1: none will */
	struct mask_set *was;   /* owned: what covered before the secret was renewed last; NULL */
	struct session sessions[SERVE_SESSIONS_MAX];
	bool again[SERVE_SESSIONS_MAX];  /* it could go on */
	size_t held[SERVE_SESSIONS_MAX]; /* by each, */
	size_t all_held;                 /* and all together */
	uint32_t next;                   /* whose turn it is */
	uint64_t look_ms;
	uint64_t wakes_ms; /* the first of all sessions' */
	bool rests;        /* nobody can be late before something comes */
	bool still;        /* nothing passes, */
	uint64_t still_ms; /* since when */
	struct http_used used;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static int watch(struct serve *s, int fd, uint32_t events, enum source source, uint32_t index)
{
	struct epoll_event want = { .events = events, .data.u64 = (uint64_t)source << 32 | index };

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &want) < 0 ? -errno : 0;
}

/* ---- beginning ---- */

static int take_begin(struct serve *s, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	int r = wire_receive(s->supervisor, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);

	if (r <= 0 || m.number != WIRE_HTTP_BEGIN)
		return err_set(e, AMBIT_PROTOCOL, NULL, "no authorities came");
	buf_init(&s->authorities, BUNDLE_MAX);
	r = fd_read_into(m.fds[0], &s->authorities);
	if (m.n_fds == 2)
		s->vault_fd = steal_fd(&m.fds[1]);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read the authorities") : 0;
}

static int take_terms(struct serve *s, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(s->supervisor, WIRE_SUPERVISOR, WIRE_NEW, s->room, sizeof s->room, &m);

	if (r <= 0 || m.number != WIRE_HTTP_TERMS || !http_take_orders(&m.body, &s->orders))
		return err_set(e, AMBIT_PROTOCOL, NULL, "no terms came");
	s->dialer = steal_fd(&m.fds[0]);
	endpoint_put(&s->orders.to.what, s->object);
	s->role.judge.object = s->object;
	s->role.judge.uses = s->orders.budget.uses;
	rate_init(&s->role.judge.rate, s->orders.budget.rate, s->orders.budget.period_s * 1000, clock_ms());
	return terms_take(s->orders.terms, &s->role.judge.terms, e);
}

static int take_one(struct serve *s, uint32_t i, struct err *e)
{
	const struct terms_secret *place = &s->role.judge.terms.secrets[i];
	struct vault *v = &s->vaults[i];
	const int r = vault_take(v, s->vault_fd, place, e);

	if (r < 0)
		return r;
	s->role.judge.secrets[i] = (struct judge_secret){ vault_placed(v), v->n_placed };
	return v->n >= MASK_TEXT_LEAST
		       ? 0
		       : err_set(e, AMBIT_LIMIT, "set a longer one: ambit secret set NAME",
				 "the secret %s has fewer than %d bytes, which stand everywhere by chance", place->name,
				 MASK_TEXT_LEAST);
}

static int take_secrets(struct serve *s, struct err *e)
{
	const struct terms *t = &s->role.judge.terms;

	if (t->n_secrets == 0)
		return 0;
	if (s->vault_fd < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "no secret came");
	for (uint32_t i = 0; i < t->n_secrets; i++) {
		const int r = take_one(s, i, e);

		if (r < 0)
			return r;
	}
	if (t->n_secrets > 1)
		fd_close(&s->vault_fd); /* nobody could say which is renewed */
	s->role.masks = vault_masks(s->vaults, t);
	return s->role.masks != NULL ? 0
				     : err_set(e, AMBIT_LIMIT, "raise the limit of locked memory: ulimit -l 8192",
					       "no memory that is never written to a disk, to cover the secret %s",
					       t->secrets[0].name);
}

static int prepare(struct serve *s, struct err *e)
{
	int r = take_begin(s, e);

	r = r < 0 ? r : take_terms(s, e);
	r = r < 0 ? r : take_secrets(s, e);
	if (r < 0)
		return r;
	if (!session_prepare(&s->role, s->authorities.data, s->authorities.len))
		return err_set(e, AMBIT_NOT_FOUND, "see SSL_CERT_FILE, or the package ca-certificates",
			       "no authority that certifies hosts is in the file of authorities");
	buf_finish(&s->authorities);
	s->role.authority = authority_create(&s->orders.to.what);
	return s->role.authority != NULL ? 0 : err_set(e, AMBIT_MEMORY, NULL, "no authority could be made");
}

/* The supervisor waits for one of the two. */
static int answer(struct serve *s, int failed, struct err *e)
{
	uint8_t room[AUTHORITY_DER_MAX];
	struct buf b;
	int r;

	if (failed < 0) {
		buf_init_in(&b, s->room, 2048);
		wire_put_error(&b, e);
		(void)wire_write(s->supervisor, WIRE_HTTP_FAILED, &b);
		return failed;
	}
	buf_init_in(&b, room, sizeof room);
	b.len = authority_put(s->role.authority, room);
	r = wire_write(s->supervisor, WIRE_HTTP_READY, &b);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor is gone") : 0;
}

/* ---- sessions ---- */

static uint32_t free_session(const struct serve *s)
{
	uint32_t i = 0;

	while (i < SERVE_SESSIONS_MAX && s->sessions[i].state != SESSION_FREE)
		i++;
	return i;
}

static void weigh(struct serve *s, uint32_t i)
{
	const size_t held = session_held(&s->sessions[i]);

	s->all_held += held - s->held[i];
	s->held[i] = held;
}

static void close_one(struct serve *s, uint32_t i)
{
	session_close(&s->sessions[i]);
	s->again[i] = false;
	weigh(s, i);
}

static uint64_t wakes(const struct session *s)
{
	return s->state == SESSION_FREE ? UINT64_MAX : s->wakes_ms;
}

static uint32_t heaviest(const struct serve *s)
{
	uint32_t found = 0;

	for (uint32_t i = 1; i < SERVE_SESSIONS_MAX; i++)
		if (s->held[i] > s->held[found])
			found = i;
	return found;
}

static void run(struct serve *s, uint32_t i)
{
	s->again[i] = session_run(&s->sessions[i], clock_ms());
	s->rests = false;
	weigh(s, i);
	while (s->all_held > SERVE_HELD_MAX)
		close_one(s, heaviest(s));
}

/* Who it is that was connected: of a grant of one host, that one. */
static void host_of(const struct serve *s, const struct link_ask *ask, struct http_host *ret)
{
	const struct endpoint *p = &s->orders.to.what;

	*ret = (struct http_host){ .name = ask->name, .address = ask->address, .port = p->port };
	if (p->kind == ENDPOINT_NAME)
		ret->name = p->name;
	else if (p->kind == ENDPOINT_RANGE && ask->address.family == 0)
		ret->address = p->range.base;
}

/* 1: the dialer is gone. */
static int on_dialer(struct serve *s)
{
	const uint32_t both = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(s->dialer, WIRE_DIALER, WIRE_RUNNING, s->room, sizeof s->room, &m);
	const uint32_t i = free_session(s);
	struct http_host host;
	struct link_ask ask;

	if (n <= 0)
		return n == 0 ? 1 : n;
	if (!link_take_ask(&m.body, &ask))
		return -EPROTO;
	if (i == SERVE_SESSIONS_MAX)
		return 0; /* both ends are closed */
	host_of(s, &ask, &host);
	session_open(&s->sessions[i], &s->role, &host, m.fds[0], m.fds[1]);
	if (watch(s, m.fds[0], both, FROM_SESSION, i) < 0 || watch(s, m.fds[1], both, FROM_SESSION, i) < 0)
		close_one(s, i);
	else
		run(s, i);
	m.fds[0] = m.fds[1] = -1;
	return 0;
}

static void end_late(struct serve *s)
{
	const uint64_t now = clock_ms();

	if (now < s->look_ms)
		return;
	s->look_ms = now + LOOK_MS;
	s->rests = true;
	for (uint32_t i = 0; i < SERVE_SESSIONS_MAX; i++)
		if (s->sessions[i].state != SESSION_FREE && s->sessions[i].due_ms <= now)
			close_one(s, i);
		else if (s->sessions[i].state != SESSION_FREE && s->sessions[i].due_ms != UINT64_MAX)
			s->rests = false;
}

/* ---- the loop ---- */

static int report(struct serve *s)
{
	struct buf b;

	for (uint32_t i = 0; i < SERVE_SESSIONS_MAX; i++)
		if (s->sessions[i].state != SESSION_FREE)
			session_tell(&s->sessions[i]);
	buf_init_in(&b, s->room, HTTP_USED_BYTES_MAX);
	http_put_used(&b, &s->used);
	return wire_write(s->supervisor, WIRE_HTTP_USED, &b);
}

/* Nobody is late for what could not be. */
static void go_on(struct serve *s)
{
	const uint64_t stood = s->still ? clock_ms() - s->still_ms : 0;

	s->still = false;
	for (uint32_t i = 0; i < SERVE_SESSIONS_MAX; i++)
		if (s->sessions[i].state != SESSION_FREE && s->sessions[i].due_ms != UINT64_MAX)
			s->sessions[i].due_ms += stood;
}

/* 1: the supervisor is gone. */
static int on_supervisor(struct serve *s)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(s->supervisor, WIRE_SUPERVISOR, WIRE_RUNNING, s->room, sizeof s->room, &m);

	if (n <= 0)
		return n == 0 ? 1 : n;
	if (m.number != WIRE_HTTP_STILL)
		return m.number == WIRE_HTTP_REPORT ? report(s) : -EPROTO;
	if (rbuf_u32(&m.body) == 0) {
		go_on(s);
		return 0;
	}
	s->still = true;
	s->still_ms = clock_ms();
	return 0;
}

/* What was begun goes on, and is covered by what it began with; what has gone on since the time before that is ended. */
static void on_vault(struct serve *s)
{
	struct err e;
	struct mask_set *masks = vault_renew(s->vaults, s->vault_fd, s->role.judge.terms.secrets, &e);

	if (masks == NULL) { /* or nobody gives one any more: it stays as it is */
		fd_close(&s->vault_fd);
		return;
	}
	for (uint32_t i = 0; i < SERVE_SESSIONS_MAX && s->was != NULL; i++)
		if (s->sessions[i].state != SESSION_FREE && session_covers_by(&s->sessions[i], s->was))
			close_one(s, i);
	mask_set_free(s->was);
	s->was = s->role.masks;
	s->role.masks = masks;
	s->role.judge.secrets[0] = (struct judge_secret){ vault_placed(s->vaults), s->vaults->n_placed };
}

static int on_event(struct serve *s, const struct epoll_event *event)
{
	const uint32_t index = (uint32_t)event->data.u64;
	int r;

	switch ((enum source)(event->data.u64 >> 32)) {
	case FROM_SUPERVISOR: return on_supervisor(s);
	case FROM_DIALER:
		r = on_dialer(s);
		if (r != 0) /* nobody comes any more; what is open goes on */
			fd_close(&s->dialer);
		return 0;
	case FROM_VAULT: on_vault(s); return 0;
	case FROM_SESSION: s->again[index] |= s->sessions[index].state != SESSION_FREE; return 0;
	}
	return 0;
}

/* In turns, and no longer than it takes that others wait for a word. */
static bool run_all(struct serve *s)
{
	const uint64_t now = clock_ms(), end = now + SERVE_TURN_MS;
	bool any = false;

	for (uint32_t n = 0; n < SERVE_SESSIONS_MAX; n++) {
		const uint32_t i = s->next;

		s->next = (i + 1) % SERVE_SESSIONS_MAX;
		if (!s->again[i] && wakes(&s->sessions[i]) > now)
			continue;
		run(s, i);
		if (clock_ms() >= end)
			break;
	}
	s->wakes_ms = UINT64_MAX;
	for (uint32_t i = 0; i < SERVE_SESSIONS_MAX; i++) {
		any |= s->again[i];
		if (wakes(&s->sessions[i]) < s->wakes_ms)
			s->wakes_ms = wakes(&s->sessions[i]);
	}
	return any;
}

/* In milliseconds, until somebody is late or wakes; -1: nobody will be. */
static int patience(const struct serve *s)
{
	const uint64_t now = clock_ms();

	if (s->wakes_ms < now + LOOK_MS)
		return s->wakes_ms > now ? (int)(s->wakes_ms - now) : 0;
	return s->rests && s->wakes_ms == UINT64_MAX ? -1 : LOOK_MS;
}

static int turn(struct serve *s, bool more)
{
	struct epoll_event events[EVENTS];
	const int n = epoll_wait(s->epoll_fd, events, EVENTS, more ? 0 : patience(s));
	int r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n && r == 0; i++)
		r = on_event(s, &events[i]);
	end_late(s);
	return r;
}

static void count(void *arg, const struct http_host *host, const struct http_asked *asked, unsigned status)
{
	struct serve *s = arg;

	tally_add(&s->used, &s->role.judge.terms, host, !endpoint_is_wide(&s->orders.to.what), s->orders.learns, asked,
		  status);
}

/* The turn in which that was said is over. What comes meanwhile is told by epoll afterwards. */
static int stand(struct serve *s)
{
	int r = wire_write(s->supervisor, WIRE_HTTP_STANDS, NULL);

	while (r == 0 && s->still) {
		wire_await(s->supervisor);
		r = on_supervisor(s);
		r = r == -EAGAIN ? 0 : r;
	}
	return r;
}

static int serve(struct serve *s, struct err *e)
{
	int r = watch(s, s->supervisor, EPOLLIN, FROM_SUPERVISOR, 0);

	r = r < 0 ? r : watch(s, s->dialer, EPOLLIN, FROM_DIALER, 0);
	r = r < 0 || s->vault_fd < 0 ? r : watch(s, s->vault_fd, EPOLLIN, FROM_VAULT, 0);
	while (r == 0)
		r = s->still ? stand(s) : turn(s, run_all(s));
	return r >= 0 ? 0 : err_sys(e, r == -EPROTO ? AMBIT_PROTOCOL : AMBIT_SYSTEM, -r, NULL, "cannot judge requests");
}

int serve_run(int supervisor, struct vault *vaults, struct err *e)
{
	auto_free struct serve *s = calloc(1, sizeof *s);
	int r;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge requests");
	s->supervisor = supervisor;
	s->role.count = count;
	s->role.arg = s;
	s->dialer = s->vault_fd = -1;
	s->vaults = vaults;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = s->epoll_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for connections") : prepare(s, e);
	r = answer(s, r, e);
	return r < 0 ? r : serve(s, e); /* what it holds goes with the process */
}
