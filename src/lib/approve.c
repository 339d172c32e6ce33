#include "lib/approve.h"

#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "core/grant.h"
#include "lib/helper.h"
#include "lib/network.h"
#include "lib/role.h"
#include "lib/secret.h"
#include "lib/state.h"
#include "wire/wire.h"

#define ROLE "ambit-approver"
#define ROOM 2560 /* for the longest question and answer */

/* ---- the role ---- */

struct role {
	int pidfd, fd; /* owned, -1 if none */
};

static void finish(struct role *role)
{
	fd_close(&role->fd); /* by which it ends */
	helper_part(&role->pidfd);
}

static int open_place(int *ret_fd, struct err *e)
{
	char path[GRANT_OBJECT_MAX];

	if (state_path("approvers", path, sizeof path) < 0)
		return err_set(e, AMBIT_HOST, "set HOME, or XDG_STATE_HOME to an absolute path",
			       "there is no place for keys");
	return state_open(path, ret_fd, e);
}

/* With its one question. */
static int start(struct role *ret, enum wire_number number, const struct buf *body, const int *fds, size_t n_fds,
		 struct err *e)
{
	char *const none[] = { NULL };
	int r;

	*ret = (struct role){ .pidfd = -1, .fd = -1 };
	r = role_start_on_host(ROLE, none, &ret->pidfd, &ret->fd, e);
	if (r == 0 && wire_send(ret->fd, number, body, fds, n_fds) < 0)
		r = err_set(e, AMBIT_GONE, NULL, ROLE " ended at once");
	if (r < 0)
		finish(ret);
	return r;
}

/* The same with the directory of keys, and what is behind it, which is borrowed. */
static int start_there(struct role *ret, enum wire_number number, const struct buf *body, const int *more,
		       size_t n_more, struct err *e)
{
	int fds[1 + APPROVE_SOURCES_MAX] = { -1 };
	int r = open_place(&fds[0], e);

	for (size_t i = 0; i < n_more; i++)
		fds[1 + i] = more[i];
	r = r < 0 ? r : start(ret, number, body, fds, 1 + n_more, e);
	fd_close(&fds[0]);
	return r;
}

/* What it says next: 1: what was wanted; 0: it is done, and *ret_done what it said of that; or what it failed with. */
static int hear(const struct role *role, enum wire_number wanted, uint8_t room[ROOM], struct rbuf *ret,
		uint32_t *ret_done, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(role->fd, WIRE_APPROVER, WIRE_RUNNING, room, ROOM, &m);

	if (n == 0)
		return err_set(e, AMBIT_GONE, "try again; a computer that is out of memory ends programs",
			       ROLE " ended without an answer");
	if (n > 0 && m.number == WIRE_APPROVE_FAILED)
		return wire_take_error(&m.body, e);
	if (n > 0 && m.number == WIRE_APPROVE_DONE) {
		*ret_done = rbuf_u32(&m.body);
		return 0;
	}
	if (n <= 0 || m.number != wanted)
		return err_set(e, AMBIT_PROTOCOL, NULL, ROLE " said what it may not");
	*ret = m.body;
	return 1;
}

static int hear_key(const struct role *role, struct approve_key *ret, struct err *e)
{
	uint8_t room[ROOM];
	struct rbuf body;
	uint32_t n;
	const int r = hear(role, WIRE_APPROVE_KEY, room, &body, &n, e);

	if (r == 1 && !approve_take_key(&body, ret))
		return err_set(e, AMBIT_PROTOCOL, NULL, ROLE " said what it may not");
	return r;
}

/* A key, and that all is done. */
static int hear_one_key(struct role *role, struct approve_key *ret, struct err *e)
{
	struct approve_key none;
	int r = hear_key(role, ret, e);

	r = r == 1 ? hear_key(role, &none, e) : r == 0 ? 1 : r;
	finish(role);
	return r == 1 ? err_set(e, AMBIT_PROTOCOL, NULL, ROLE " did not say of which key") : r;
}

/* ---- what it asks ---- */

struct sources {
	uint8_t which;
	size_t n;
	int fd[APPROVE_SOURCES_MAX]; /* owned, but for the pipe */
};

static void close_sources(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (i > 0 || (s->which & APPROVE_PIPE) == 0)
			fd_close(&s->fd[i]);
}

static void add_source(struct sources *s, enum approve_source which, int fd)
{
	if (fd < 0)
		return;
	s->which |= (uint8_t)which;
	s->fd[s->n++] = fd;
}

static void add_password(struct sources *s, int password_fd)
{
	if (password_fd >= 0)
		add_source(s, APPROVE_PIPE, password_fd);
	else
		add_source(s, APPROVE_TERMINAL, secret_terminal());
}

/* ---- questions ---- */

/* The one of the two that a new key needs. */
static int find_source(struct sources *s, const char *agent, int password_fd, struct err *e)
{
	int fd = -1, r = 0;

	if (agent != NULL)
		r = network_call_agent("a key of your ssh agent is named", &fd, e);
	else
		add_password(s, password_fd);
	add_source(s, APPROVE_AGENT, fd);
	if (r == 0 && s->n == 0)
		r = err_set(e, AMBIT_HOST, "give the password by --password-fd, or bring this to the foreground",
			    "there is no terminal to ask for the password");
	return r;
}

int approve_enroll(const char *name, const char *agent, int password_fd, struct approve_key *ret, struct err *e)
{
	struct approve_enroll q = { .sources = 0 };
	struct sources s = { .n = 0 };
	struct role role;
	uint8_t room[ROOM];
	struct buf body;
	int r = approve_name_check(name, e);

	if (r < 0)
		return r;
	(void)text_copy(q.name, sizeof q.name, name); /* it is one */
	if (agent != NULL && (agent[0] == 0 || !text_copy(q.agent, sizeof q.agent, agent)))
		return err_set(e, AMBIT_USAGE, "`ssh-add -l` names them by fingerprint and comment",
			       "no key is called so");
	r = find_source(&s, agent, password_fd, e);
	if (r < 0)
		return r;
	q.sources = s.which;
	buf_init_in(&body, room, sizeof room);
	approve_put_enroll(&body, &q);
	r = start_there(&role, WIRE_APPROVE_ENROLL, &body, s.fd, s.n, e);
	close_sources(&s);
	return r < 0 ? r : hear_one_key(&role, ret, e);
}

int approve_keys(int (*take)(void *arg, const struct approve_key *key), void *arg, struct err *e)
{
	struct approve_key key;
	struct role role;
	int r = start_there(&role, WIRE_APPROVE_LIST, NULL, NULL, 0, e);

	if (r < 0)
		return r;
	while ((r = hear_key(&role, &key, e)) == 1)
		if ((r = take(arg, &key)) < 0)
			break;
	finish(&role);
	return r;
}

int approve_forget(const char *which, struct approve_key *ret, struct err *e)
{
	char shown[256];
	uint8_t room[ROOM];
	struct role role;
	struct buf body;
	int r;

	if (which[0] == 0 || strlen(which) >= APPROVE_NAME_MAX)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit approve --keys` names them", "there is no key '%s'",
			       text_escape(shown, sizeof shown, which, strlen(which)));
	buf_init_in(&body, room, sizeof room);
	buf_put_str(&body, which);
	r = start_there(&role, WIRE_APPROVE_FORGET, &body, NULL, 0, e);
	return r < 0 ? r : hear_one_key(&role, ret, e);
}

static int hear_signature(struct role *role, struct approve_signature *ret, struct err *e)
{
	uint8_t room[ROOM];
	struct rbuf body;
	uint32_t n;
	int r = hear(role, WIRE_APPROVE_SIGNED, room, &body, &n, e);

	finish(role);
	if (r < 0)
		return r;
	if (r == 0 || rbuf_left(&body) == 0 || rbuf_left(&body) > sizeof ret->bytes)
		return err_set(e, AMBIT_PROTOCOL, NULL, ROLE " did not say what it signed");
	ret->n = (uint32_t)rbuf_left(&body);                   /* fits */
	memcpy(ret->bytes, rbuf_bytes(&body, ret->n), ret->n); /* all that is left */
	return 0;
}

int approve_sign(const struct statement *s, const char *name, int password_fd, struct approve_signature *ret,
		 struct err *e)
{
	struct approve_ask q = { .statement = *s };
	struct sources from = { .n = 0 };
	struct role role = { .pidfd = -1, .fd = -1 };
	uint8_t room[ROOM];
	struct buf body;
	int agent = -1, r = approve_name_check(name, e);

	if (r < 0)
		return r;
	(void)text_copy(q.name, sizeof q.name, name); /* it is one */
	add_password(&from, password_fd);
	(void)network_call_agent("", &agent,
				 NULL); /* which of both is needed, the key says, and that there is none, the role */
	add_source(&from, APPROVE_AGENT, agent);
	q.sources = from.which;
	buf_init_in(&body, room, sizeof room);
	approve_put_ask(&body, &q);
	r = body.failed ? err_set(e, AMBIT_INTERNAL, NULL, "the statement of an approval cannot be written")
			: start_there(&role, WIRE_APPROVE_SIGN, &body, from.fd, from.n, e);
	close_sources(&from);
	return r < 0 ? r : hear_signature(&role, ret, e);
}

int approve_verify(const struct statement *s, const struct approve_signature *signature, const struct approve_key *keys,
		   uint32_t n, uint32_t *ret_which, struct err *e)
{
	struct approve_check q = { .n_keys = n, .statement = *s, .signature = *signature };
	uint8_t room[ROOM];
	struct role role = { .pidfd = -1, .fd = -1 };
	struct rbuf none;
	struct buf body;
	uint32_t which = 0;
	int r;

	if (n > APPROVE_KEYS_MAX)
		return err_set(e, AMBIT_LIMIT, "forget some", "more than %d keys", APPROVE_KEYS_MAX);
	for (uint32_t i = 0; i < n; i++)
		memcpy(q.keys[i], keys[i].key, sizeof q.keys[i]);
	buf_init_in(&body, room, sizeof room);
	approve_put_check(&body, &q);
	r = body.failed ? err_set(e, AMBIT_MALFORMED, NULL, "the statement of an approval cannot be written")
			: start(&role, WIRE_APPROVE_CHECK, &body, NULL, 0, e);
	if (r < 0)
		return r;
	r = hear(&role, WIRE_APPROVE_DONE, room, &none, &which, e);
	finish(&role);
	if (r == 0 && which >= n)
		return err_set(e, AMBIT_PROTOCOL, NULL, ROLE " said what it may not");
	if (r == 0)
		*ret_which = which;
	return r;
}
