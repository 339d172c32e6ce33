#include "serve/roles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/role.h"
#include "session/shelf.h"
#include "wire/wire.h"

#define END_MS 10000 /* for the ends of all of them */

void roles_init(struct roles *r, int sessions_fd, char **environment)
{
	memset(r, 0, sizeof *r);
	r->sessions_fd = sessions_fd;
	r->environment = environment;
	for (unsigned i = 0; i < ROLES_MAX; i++)
		r->role[i].sock = r->role[i].pidfd = -1;
}

static void add(struct role_state *to, const struct role_state *s)
{
	to->running += s->running;
	to->taken += s->taken;
	to->ended += s->ended;
	to->failed += s->failed;
	to->interrupted += s->interrupted;
	to->denials += s->denials;
}

static void part_with(struct roles *r, struct session_role *s)
{
	s->now.running = 0;
	add(&r->gone, &s->now);
	fd_close(&s->sock);
	fd_close(&s->pidfd);
	*s = (struct session_role){ .sock = -1, .pidfd = -1 };
	r->n--;
}

/* They end what runs, and go; the events of those who do not are ended by the end of their supervisors' connections. */
void roles_finish(struct roles *r)
{
	const uint64_t until = clock_ms() + END_MS;

	for (unsigned i = 0; i < ROLES_MAX; i++)
		fd_close(&r->role[i].sock);
	for (unsigned i = 0; i < ROLES_MAX; i++) {
		struct pollfd p = { .fd = r->role[i].pidfd, .events = POLLIN };
		const uint64_t now = clock_ms();

		if (r->role[i].pidfd >= 0 && now < until)
			(void)poll(&p, 1, (int)(until - now)); /* then nobody waits for it any longer */
		fd_close(&r->role[i].pidfd);
	}
}

static struct session_role *find(struct roles *r, const char *session)
{
	for (unsigned i = 0; i < ROLES_MAX; i++)
		if (strcmp(r->role[i].session, session) == 0)
			return &r->role[i];
	return NULL;
}

static int begin(const struct roles *r, struct session_role *s, int description_fd, struct err *e)
{
	const int fds[] = { r->sessions_fd, description_fd };
	struct serve_name name = { .request = 0 };
	uint8_t room[64];
	struct buf b;
	int n;

	(void)text_copy(name.session, sizeof name.session, s->session); /* of the same size */
	buf_init_in(&b, room, sizeof room);
	serve_name_put(&b, &name);
	n = wire_send(s->sock, WIRE_ROLE_BEGIN, &b, fds, description_fd >= 0 ? 2 : 1);
	return n < 0 ? err_sys(e, AMBIT_GONE, -n, NULL, "ambit-session ended at once") : 0;
}

static int start(struct roles *r, struct session_role *s, const char *session, int description_fd, struct err *e)
{
	int n = role_start_on_host("ambit-session", r->environment, &s->pidfd, &s->sock, e);

	if (n == 0) {
		r->n++;
		(void)text_copy(s->session, sizeof s->session, session); /* an id */
		(void)fd_set_nonblock(s->sock, true);
		n = begin(r, s, description_fd, e);
		if (n < 0)
			part_with(r, s);
		return n;
	}
	fd_close(&s->sock);
	return n;
}

static int introduce(struct session_role *s, int description_fd, int *ret_fd, struct err *e)
{
	auto_fd int ours = -1, theirs = -1;
	uint8_t room[16];
	struct buf b;
	int fds[2], n = role_pair(&ours, &theirs, e);

	if (n < 0)
		return n;
	fds[0] = theirs;
	fds[1] = description_fd;
	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .value = s->sent + 1 });
	n = wire_send(s->sock, WIRE_ROLE_CLIENT, &b, fds, description_fd >= 0 ? 2 : 1);
	if (n == -EAGAIN)
		return err_set(e, AMBIT_LIMIT, "try again",
			       "more clients come to the session than it can take at a time");
	if (n < 0)
		return err_sys(e, AMBIT_GONE, -n, "try again", "the session's process ended just now");
	s->sent++;
	*ret_fd = steal_fd(&ours);
	return 0;
}

int roles_connect(struct roles *r, const char *session, bool is_new, int description_fd, int *ret_fd, struct err *e)
{
	struct session_role *s = find(r, session);
	struct session_row row;
	int n = 0;

	if (s == NULL) {
		if (!is_new && shelf_row(r->sessions_fd, session, &row) == -AMBIT_NOT_FOUND)
			return err_set(e, AMBIT_NOT_FOUND, "ambit session list", "there is no session %s", session);
		s = find(r, "");
		if (s == NULL)
			return err_set(e, AMBIT_LIMIT, "leave some", "%d sessions are in use", ROLES_MAX);
		n = start(r, s, session, is_new ? description_fd : -1, e);
		r->made += is_new && n == 0;
	}
	return n < 0 ? n : introduce(s, is_new ? -1 : description_fd, ret_fd, e);
}

/* ---- what they say ---- */

/* Nobody came since: then its connection ends, and it. */
static void on_rest(struct roles *r, struct session_role *s, struct rbuf *in)
{
	struct link_number came;

	if (!link_number_take(in, &came) || came.value == s->sent)
		part_with(r, s);
}

static void hear(struct roles *r, struct session_role *s)
{
	uint8_t room[WIRE_HEAD + 64];
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(s->sock, WIRE_SESSION, WIRE_RUNNING, room, sizeof room, &m);

	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		part_with(r, s);
	} else if (m.number == WIRE_ROLE_STATE) {
		role_state_take(&m.body, &s->now);
	} else if (m.number == WIRE_ROLE_REST) {
		on_rest(r, s, &m.body);
	} else {
		part_with(r, s);
	}
}

unsigned roles_wants(const struct roles *r, struct pollfd *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ROLES_MAX && n < r->n; i++)
		if (r->role[i].sock >= 0)
			ret[n++] = (struct pollfd){ .fd = r->role[i].sock, .events = POLLIN };
	return n;
}

void roles_step(struct roles *r, const struct pollfd *polled, unsigned n)
{
	for (unsigned i = 0, at = 0; i < ROLES_MAX && at < n; i++) {
		if (r->role[i].sock < 0 || r->role[i].sock != polled[at].fd)
			continue;
		if (polled[at++].revents != 0)
			hear(r, &r->role[i]);
	}
}

bool roles_state(const struct roles *r, const char *session, struct role_state *ret)
{
	for (unsigned i = 0; i < ROLES_MAX; i++)
		if (r->role[i].sock >= 0 && strcmp(r->role[i].session, session) == 0) {
			if (ret != NULL)
				*ret = r->role[i].now;
			return true;
		}
	return false;
}

void roles_sum(const struct roles *r, struct role_state *ret)
{
	*ret = r->gone;
	for (unsigned i = 0; i < ROLES_MAX; i++)
		if (r->role[i].sock >= 0)
			add(ret, &r->role[i].now);
}
