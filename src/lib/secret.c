#include "lib/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/layout.h"
#include "base/directory.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/helper.h"
#include "lib/state.h"
#include "wire/wire.h"

#define ROLE "ambit-secret"
#define ROOM 8704 /* for the longest answer */

/* ---- where they are ---- */

static int key_path(char *ret, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char path[GRANT_OBJECT_MAX];
	struct stat st;
	int n = -1;

	if (config != NULL && config[0] == '/')
		n = snprintf(path, sizeof path, "%s/ambit/secret-key", config);
	else if (home != NULL && home[0] == '/' && stat(home, &st) == 0) /* nobody's home is not made */
		n = snprintf(path, sizeof path, "%s/.config/ambit/secret-key", home);
	return n > 0 && (size_t)n < sizeof path && path_normalise("/", path, ret, size) ? 0 : -AMBIT_HOST;
}

/* Both, made where they are missing. */
static int open_places(int ret_fds[2], struct err *e)
{
	char store[GRANT_OBJECT_MAX], key[GRANT_OBJECT_MAX];
	int r;

	if (key_path(key, sizeof key) < 0 || state_path("secrets", store, sizeof store) < 0)
		return err_set(e, AMBIT_HOST, "set HOME; or XDG_STATE_HOME and XDG_CONFIG_HOME, to absolute paths",
			       "there is no place for secrets");
	r = state_open(store, &ret_fds[0], e);
	return r < 0 ? r : state_open(key, &ret_fds[1], e);
}

/* ---- the role ---- */

static void finish(struct secret_role *role)
{
	fd_close(&role->fd); /* by which it ends */
	helper_part(&role->pidfd);
}

/* With its first message. input_fd: -1 for none. */
static int start(struct secret_role *ret, enum wire_number number, const struct buf *body, int input_fd, struct err *e)
{
	int fds[3] = { -1, -1, input_fd }, pair[2] = { -1, -1 };
	auto_fd int exe = -1;
	int r = open_places(fds, e);

	*ret = (struct secret_role){ .pidfd = -1, .fd = -1 };
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for " ROLE);
	ret->fd = pair[0];
	r = r < 0 ? r : helper_open(ROLE, &exe, e);
	r = r < 0 ? r : helper_start_with(exe, ROLE, pair[1], environ, &ret->pidfd, e);
	fd_close(&pair[1]);
	if (r == 0 && wire_send(ret->fd, number, body, fds, input_fd >= 0 ? 3 : 2) < 0)
		r = err_set(e, AMBIT_GONE, NULL, ROLE " ended at once");
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	if (r < 0)
		finish(ret);
	return r;
}

/* What it says next: 1: a row; 0: it is done, and *ret_done what it said of that; or what it failed with. */
static int hear(const struct secret_role *role, struct secret_row *ret_row, uint32_t *ret_done, struct err *e)
{
	uint8_t room[ROOM];
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(role->fd, WIRE_SECRET, WIRE_RUNNING, room, sizeof room, &m);

	if (n == 0)
		return err_set(e, AMBIT_GONE, "try again; a computer that is out of memory ends programs",
			       ROLE " ended without an answer");
	if (n > 0 && m.number == WIRE_SECRET_FAILED)
		return wire_take_error(&m.body, e);
	if (n > 0 && m.number == WIRE_SECRET_DONE) {
		*ret_done = rbuf_u32(&m.body);
		return 0;
	}
	if (n > 0 && m.number == WIRE_SECRET_ROW && ret_row != NULL && secret_take_row(&m.body, ret_row))
		return 1;
	return err_set(e, AMBIT_PROTOCOL, NULL, ROLE " said what it may not");
}

int secret_set(const struct secret_set *set, int input_fd, struct secret_row *ret, bool *ret_replaced, struct err *e)
{
	uint8_t room[16384];
	struct secret_role role;
	struct buf body;
	uint32_t what = 0;
	int r;

	buf_init_in(&body, room, sizeof room);
	secret_put_set(&body, set);
	r = secret_name_check(set->name, e);
	r = r < 0 ? r : start(&role, WIRE_SECRET_SET, &body, input_fd, e);
	if (r < 0)
		return r;
	r = hear(&role, ret, &what, e);
	r = r == 1   ? hear(&role, NULL, &what, e)
	    : r == 0 ? err_set(e, AMBIT_PROTOCOL, NULL, ROLE " did not say what it set")
		     : r;
	*ret_replaced = what != 0;
	finish(&role);
	return r;
}

int secret_list(int (*take)(void *arg, const struct secret_row *row), void *arg, struct err *e)
{
	struct secret_role role;
	struct secret_row row;
	uint32_t n = 0;
	int r = start(&role, WIRE_SECRET_LIST, NULL, -1, e);

	if (r < 0)
		return r;
	while ((r = hear(&role, &row, &n, e)) == 1)
		if ((r = take(arg, &row)) < 0)
			break;
	finish(&role);
	return r;
}

int secret_remove(const char *name, struct err *e)
{
	uint8_t room[SECRET_NAME_MAX + 4];
	struct secret_role role;
	struct buf body;
	uint32_t what = 0;
	int r = secret_name_check(name, e);

	buf_init_in(&body, room, sizeof room);
	buf_put_str(&body, name);
	r = r < 0 ? r : start(&role, WIRE_SECRET_REMOVE, &body, -1, e);
	if (r < 0)
		return r;
	r = hear(&role, NULL, &what, e);
	finish(&role);
	return r;
}

/* ---- giving ---- */

int secret_terminal(void)
{
	auto_fd int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 && tcgetpgrp(fd) == getpgrp() ? steal_fd(&fd) : -1;
}

int secret_role_start(struct secret_role *ret, struct err *e)
{
	auto_fd int terminal = secret_terminal();
	uint32_t what = 0;
	int r = start(ret, WIRE_SECRET_OPEN, NULL, terminal, e);

	r = r < 0 ? r : hear(ret, NULL, &what, e);
	if (r < 0)
		finish(ret);
	return r;
}

int secret_give(const struct secret_role *role, const char *name, const char *host, int to, struct err *e)
{
	uint8_t room[384];
	struct secret_give give;
	struct buf body;
	uint32_t what = 0;
	int r = secret_name_check(name, e);

	if (r < 0)
		return r;
	(void)text_copy(give.name, sizeof give.name, name); /* it is one */
	if (!text_copy(give.host, sizeof give.host, host))
		return err_set(e, AMBIT_LIMIT, NULL, "the name of the host is too long");
	buf_init_in(&body, room, sizeof room);
	secret_put_give(&body, &give);
	r = wire_send(role->fd, WIRE_SECRET_GIVE, &body, &to, 1);
	return r < 0 ? err_set(e, AMBIT_GONE, NULL, ROLE " is gone") : hear(role, NULL, &what, e);
}

void secret_role_finish(struct secret_role *role)
{
	finish(role);
}

/* ---- what no cell sees ---- */

/* As it would be called without links: those on the way to what is missing count. */
static void real_of(char path[GRANT_OBJECT_MAX])
{
	char at[GRANT_OBJECT_MAX], real[PATH_MAX], whole[GRANT_OBJECT_MAX];

	(void)text_copy(at, sizeof at, path); /* of the same size */
	while (realpath(at, real) == NULL) {
		char *slash = strrchr(at, '/');

		if (slash == NULL || slash == at)
			return;
		*slash = 0;
	}
	if (snprintf(whole, sizeof whole, "%s%s", real, path + strlen(at)) < (int)sizeof whole)
		(void)text_copy(path, GRANT_OBJECT_MAX, whole); /* of the same size */
}

/* A socket of the host that lies in it, as `connect` names it. */
static bool is_socket_in(const struct grant_set *set, uint32_t i, const char *place)
{
	static const char form[] = "unix:";
	const char *object = grant_object(set, i);

	return set->grants[i].verb == VERB_CONNECT && strncmp(object, form, sizeof form - 1) == 0 &&
	       path_is_beneath(object + sizeof form - 1, place);
}

static int keep_out(struct event_request *q, char place[GRANT_OBJECT_MAX], const char *holds, const char *hint,
		    struct err *e)
{
	auto_fd int fd = -1;

	real_of(place);
	for (uint32_t i = 0; i < q->grants.count; i++) {
		const char *object = grant_object(&q->grants, i);
		const uint32_t rights = q->grants.grants[i].rights;

		if ((rights != 0 && path_is_beneath(object, place)) || is_socket_in(&q->grants, i, place))
			return err_set(e, AMBIT_USAGE, hint, "%s is granted, and holds %s", object, holds);
		/* what is missing a cell could make, with a key that it knows; where we cannot make it, nor can it */
		if ((rights & RIGHT_WRITE) != 0 && fd < 0 && path_is_beneath(place, object))
			(void)directory_open_own(place, &fd);
	}
	return 0;
}

int secret_keep_out(struct event_request *q, struct err *e)
{
	static const char hint[] = "no cell sees it; connect: HOST:PORT with secret: NAME has one attached to requests";
	int r = 0;

	if (state_path("secrets", q->secrets, sizeof q->secrets) < 0)
		q->secrets[0] = 0;
	else
		r = keep_out(q, q->secrets, "your secrets", hint, e);
	if (key_path(q->secrets_key, sizeof q->secrets_key) < 0)
		q->secrets_key[0] = 0;
	else
		r = r < 0 ? r : keep_out(q, q->secrets_key, "your secrets", hint, e);
	if (state_path("approvers", q->approvers, sizeof q->approvers) < 0)
		q->approvers[0] = 0;
	else
		r = r < 0 ? r : keep_out(q, q->approvers, "your approver's keys", "no cell sees it", e);
	if (state_path(AUTHORITY_DIRECTORY, q->authority, sizeof q->authority) < 0)
		q->authority[0] = 0;
	else
		r = r < 0 ? r : keep_out(q, q->authority, "your authority", "no cell sees it", e);
	return r;
}
