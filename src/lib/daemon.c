#include "lib/daemon.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/role.h"
#include "lib/state.h"

#define PATIENCE_MS 30000 /* for an answer, and for a daemon that is about to end */
#define AGAIN_MS 20

/* ---- finding it ---- */

static int try_connect(int *ret_fd, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char path[PATH_MAX];
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (runtime_path(DAEMON_NATIVE, path, sizeof path) < 0 || strlen(path) >= sizeof to.sun_path)
		return err_set(e, AMBIT_HOST, "set XDG_RUNTIME_DIR to a directory of your own with a shorter path",
			       "there is no place for the daemon's socket");
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket");
	memcpy(to.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) < 0)
		return errno == ENOENT || errno == ECONNREFUSED
			       ? 0
			       : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot connect to the daemon at %s", path);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return err_set(e, AMBIT_DENIED, "set XDG_RUNTIME_DIR to a directory of your own",
			       "the daemon at %s is another user's", path);
	*ret_fd = steal_fd(&fd);
	return 1;
}

static int hear(int sock, int wait_ms, enum wire_side from, enum wire_state state, uint8_t *room,
		struct wire_message *ret, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, wait_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	n = wire_receive(sock, from, state, room, WIRE_HEAD + WIRE_BODY_MAX, ret);
	if (n == 0 || n == -ECONNRESET)
		return err_set(e, AMBIT_GONE, "try again: what was taken is kept",
			       from == WIRE_DAEMON ? "the daemon ended" : "the session's process ended");
	return n < 0 ? err_set(e, AMBIT_PROTOCOL, "is it of another version of Ambit? `ambit serve --stop` ends it",
			       "the daemon said what it may not")
		     : 1;
}

static int silent(struct err *e)
{
	return err_set(e, AMBIT_GONE, "was it stopped?", "the daemon does not answer");
}

/* 1: it listens; 0: somebody else has the place, and will listen, or is about to go. */
static int start_daemon(struct err *e)
{
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	auto_fd int pidfd = -1, sock = -1;
	auto_message m = { .n_fds = 0 };
	uint32_t request;
	int r = role_start_on_host("ambit-serve", environ, &pidfd, &sock, e);

	r = r < 0 ? r : hear(sock, PATIENCE_MS, WIRE_DAEMON, WIRE_RUNNING, room, &m, e);
	if (r == 0)
		return silent(e);
	if (r < 0 || m.number == WIRE_SERVE_DONE)
		return r;
	r = link_failed_take(&m.body, &request, e);
	return r == -AMBIT_CONFLICT ? 0 : r;
}

static int reach(bool start, int *ret_fd, struct err *e)
{
	const uint64_t until = clock_ms() + PATIENCE_MS;
	int r;

	while ((r = try_connect(ret_fd, e)) == 0) {
		if (!start)
			return err_set(e, AMBIT_NOT_FOUND,
				       "`ambit serve` starts it, as does the first command that needs it",
				       "no daemon is there");
		r = start_daemon(e);
		if (r < 0)
			return r;
		if (clock_ms() > until)
			return err_set(e, AMBIT_GONE, "see which process has its lock (lslocks)",
				       "the daemon is about to end, and does not");
		if (r == 0)
			(void)poll(NULL, 0,
				   AGAIN_MS); /* it is another's to listen, or to go: there is nothing to wait for */
	}
	return r < 0 ? r : 0;
}

int daemon_connect(struct daemon_link *d, bool start, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	int r;

	d->sock = -1;
	d->request = 0;
	r = reach(start, &d->sock, e);
	r = r < 0 ? r : hear(d->sock, PATIENCE_MS, WIRE_DAEMON, WIRE_NEW, d->room, &m, e);
	if (r == 0)
		r = silent(e);
	else if (r > 0)
		r = serve_hello_take(&m.body, &d->hello)
			    ? 0
			    : err_set(e, AMBIT_PROTOCOL, NULL, "the daemon said what it may not");
	if (r == 0 && d->hello.revision != SESSION_REVISION)
		r = err_set(e, AMBIT_PROTOCOL, "`ambit serve --stop` ends it; the next command starts this one's",
			    "the daemon is of Ambit %s, and this is " AMBIT_VERSION, d->hello.version);
	if (r < 0)
		daemon_leave(d);
	return r;
}

void daemon_leave(struct daemon_link *d)
{
	fd_close(&d->sock);
}

/* ---- asking it ---- */

static int cannot_ask(int r, struct err *e)
{
	return err_sys(e, AMBIT_GONE, -r, "try again: what was taken is kept", "the daemon ended");
}

/* Sends, and waits for an answer. */
static int ask(struct daemon_link *d, enum wire_number what, const struct buf *body, struct wire_message *ret,
	       struct err *e)
{
	uint32_t request;
	int r = wire_send(d->sock, what, body, NULL, 0);

	if (r < 0)
		return cannot_ask(r, e);
	r = hear(d->sock, PATIENCE_MS, WIRE_DAEMON, WIRE_RUNNING, d->room, ret, e);
	if (r == 0)
		return silent(e);
	if (r > 0 && ret->number == WIRE_SERVE_FAILED)
		return link_failed_take(&ret->body, &request, e);
	return r < 0 ? r : 0;
}

static int send_parts(int sock, enum wire_number what, const struct buf *bytes)
{
	int r = 0;

	for (size_t at = 0; at < bytes->len && r == 0; at += WIRE_BODY_MAX) {
		const size_t n = bytes->len - at < WIRE_BODY_MAX ? bytes->len - at : WIRE_BODY_MAX;
		const struct buf part = { .data = bytes->data + at, .len = n, .cap = n, .max = n, .lent = true };

		r = wire_send(sock, what, &part, NULL, 0);
	}
	return r;
}

static int not_understood(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, NULL, "the daemon said what it may not");
}

static void put_name(struct daemon_link *d, const char *session, struct buf *b)
{
	struct serve_name name = { .request = ++d->request };

	(void)snprintf(name.session, sizeof name.session, "%s", session); /* an id */
	serve_name_put(b, &name);
}

int daemon_list(struct daemon_link *d, const char *after, struct session_row *ret, struct err *e)
{
	uint8_t room[64];
	struct buf b;
	int n = 0, r;

	buf_init_in(&b, room, sizeof room);
	put_name(d, after, &b);
	r = wire_send(d->sock, WIRE_SERVE_LIST, &b, NULL, 0);
	if (r < 0)
		return cannot_ask(r, e);
	for (;;) {
		auto_message m = { .n_fds = 0 };
		uint32_t request;

		r = hear(d->sock, PATIENCE_MS, WIRE_DAEMON, WIRE_RUNNING, d->room, &m, e);
		if (r <= 0)
			return r == 0 ? silent(e) : r;
		if (m.number == WIRE_SERVE_DONE)
			return n;
		if (m.number == WIRE_SERVE_FAILED)
			return link_failed_take(&m.body, &request, e);
		if (m.number != WIRE_SERVE_ROW || n == SERVE_PAGE || !session_row_take(&m.body, &ret[n]))
			return not_understood(e);
		n++;
	}
}

int daemon_status(struct daemon_link *d, struct serve_status *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[16];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++d->request });
	r = ask(d, WIRE_SERVE_STATUS, &b, &m, e);
	return r < 0 ? r : m.number == WIRE_SERVE_TOLD && serve_status_take(&m.body, ret) ? 0 : not_understood(e);
}

/* ---- channels ---- */

/* Its first word, which comes when the session is open. */
static int begin(struct daemon_channel *c, struct wire_message *given, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint32_t request;
	int r;

	c->request = 0;
	c->sock = steal_fd(&given->fds[0]);
	r = hear(c->sock, PATIENCE_MS, WIRE_SESSION, WIRE_NEW, c->room, &m, e);
	if (r == 0)
		r = silent(e);
	else if (r > 0 && m.number == WIRE_SESSION_FAILED)
		r = link_failed_take(&m.body, &request, e);
	else if (r > 0)
		r = m.number == WIRE_SESSION_READY && session_ready_take(&m.body, &c->ready) ? 0 : not_understood(e);
	if (r < 0)
		daemon_part(c);
	return r;
}

int daemon_new(struct daemon_link *d, const struct description *about, struct daemon_channel *ret, struct err *e)
{
	auto_buf bytes = { .max = DESCRIPTION_BYTES_MAX };
	auto_message m = { .n_fds = 0 };
	uint8_t room[16];
	struct buf b;
	int r;

	description_put(&bytes, about);
	if (bytes.failed)
		return err_set(e, AMBIT_LIMIT, "grant less in one session", "the session's description is too long");
	r = send_parts(d->sock, WIRE_SERVE_PART, &bytes);
	if (r < 0)
		return cannot_ask(r, e);
	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++d->request, .value = link_key(about->key) });
	r = ask(d, WIRE_SERVE_NEW, &b, &m, e);
	if (r < 0)
		return r;
	return m.number == WIRE_SERVE_CHANNEL ? begin(ret, &m, e) : not_understood(e);
}

int daemon_open(struct daemon_link *d, const char *session, struct daemon_channel *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[64];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	put_name(d, session, &b);
	r = ask(d, WIRE_SERVE_OPEN, &b, &m, e);
	if (r < 0)
		return r;
	return m.number == WIRE_SERVE_CHANNEL ? begin(ret, &m, e) : not_understood(e);
}

void daemon_part(struct daemon_channel *c)
{
	fd_close(&c->sock);
}

/* Answers begin with the number of their request. One that nobody waited for (daemon_say) may come first. */
static bool is_answer(const struct wire_message *m, uint32_t request)
{
	struct rbuf body = m->body;

	return (m->number == WIRE_SESSION_TAKEN || m->number == WIRE_SESSION_FILES || m->number == WIRE_SESSION_DONE ||
		m->number == WIRE_SESSION_FAILED) &&
	       rbuf_u32(&body) == request;
}

/* What is told beside its answer is passed over: who asks does not follow yet, or not any more. */
static int ask_channel(struct daemon_channel *c, enum wire_number what, const struct buf *body,
		       struct wire_message *ret, struct err *e)
{
	uint32_t request;
	int r = wire_send(c->sock, what, body, NULL, 0);

	if (r < 0)
		return err_sys(e, AMBIT_GONE, -r, "try again: what was taken is kept", "the session's process ended");
	do {
		wire_message_finish(ret);
		r = hear(c->sock, PATIENCE_MS, WIRE_SESSION, WIRE_RUNNING, c->room, ret, e);
	} while (r > 0 && !is_answer(ret, c->request));
	if (r == 0)
		return silent(e);
	if (r > 0 && ret->number == WIRE_SESSION_FAILED)
		return link_failed_take(&ret->body, &request, e);
	return r < 0 ? r : 0;
}

int daemon_run(struct daemon_channel *c, const struct run *run, struct session_taken *ret, struct err *e)
{
	auto_buf bytes = { .max = RUN_BYTES_MAX };
	auto_message m = { .n_fds = 0 };
	uint8_t room[16];
	struct buf b;
	int r;

	run_put(&bytes, run);
	if (bytes.failed)
		return err_set(e, AMBIT_LIMIT, "pass long input in a file or on standard input",
			       "the arguments are too long");
	r = send_parts(c->sock, WIRE_SESSION_PART, &bytes);
	if (r < 0)
		return cannot_ask(r, e);
	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++c->request });
	r = ask_channel(c, WIRE_SESSION_RUN, &b, &m, e);
	if (r < 0)
		return r;
	return m.number == WIRE_SESSION_TAKEN && session_taken_take(&m.body, ret) ? 0 : not_understood(e);
}

static int ask_of(struct daemon_channel *c, enum wire_number what, const struct session_event *v,
		  struct wire_message *ret, struct err *e)
{
	uint8_t room[32];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	session_event_put(&b, v);
	return ask_channel(c, what, &b, ret, e);
}

int daemon_follow(struct daemon_channel *c, uint64_t n, bool input, int ret_fds[3], struct err *e)
{
	const struct session_event v = { .request = ++c->request, .a = input ? 1 : 0, .n = n };
	auto_message m = { .n_fds = 0 };
	int r = ask_of(c, WIRE_SESSION_FOLLOW, &v, &m, e);

	if (r == 0 && (m.number != WIRE_SESSION_FILES || m.n_fds < 2))
		r = not_understood(e);
	for (unsigned i = 0; i < 3 && r == 0; i++)
		ret_fds[i] = i < m.n_fds ? steal_fd(&m.fds[i]) : -1;
	return r;
}

int daemon_record(struct daemon_channel *c, uint64_t n, int *ret_fd, struct err *e)
{
	const struct session_event v = { .request = ++c->request, .n = n };
	auto_message m = { .n_fds = 0 };
	const int r = ask_of(c, WIRE_SESSION_RECORD, &v, &m, e);

	if (r < 0)
		return r;
	if (m.number != WIRE_SESSION_FILES)
		return not_understood(e);
	*ret_fd = steal_fd(&m.fds[0]);
	return 0;
}

int daemon_end(struct daemon_channel *c, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[16];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++c->request });
	r = ask_channel(c, WIRE_SESSION_CLOSE, &b, &m, e);
	return r < 0 ? r : m.number == WIRE_SESSION_DONE ? 0 : not_understood(e);
}

static int send_of(struct daemon_channel *c, enum wire_number what, const struct session_event *v)
{
	uint8_t room[32];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	session_event_put(&b, v);
	return wire_send(c->sock, what, &b, NULL, 0);
}

int daemon_events(struct daemon_channel *c, uint64_t from, enum daemon_which which, struct err *e)
{
	const struct session_event v = { .request = ++c->request, .a = (uint32_t)which, .n = from };
	const int r = send_of(c, WIRE_SESSION_LIST, &v);

	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the session's process ended") : 0;
}

int daemon_say(struct daemon_channel *c, enum wire_number what, uint64_t n, uint32_t a, uint32_t b)
{
	const int r = send_of(c, what, &(struct session_event){ .request = ++c->request, .a = a, .b = b, .n = n });

	return r < 0 ? -AMBIT_GONE : 0;
}

int daemon_hear(struct daemon_channel *c, int wait_ms, struct daemon_news *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	bool taken = true;
	const int r = hear(c->sock, wait_ms, WIRE_SESSION, WIRE_RUNNING, c->room, &m, e);

	if (r <= 0)
		return r;
	ret->what = m.number;
	if (m.number == WIRE_SESSION_FAILED)
		(void)link_failed_take(&m.body, &ret->done.request, &ret->failed);
	else if (m.number == WIRE_SESSION_GREW)
		taken = session_grew_take(&m.body, &ret->grew);
	else if (m.number == WIRE_SESSION_DONE)
		taken = link_number_take(&m.body, &ret->done);
	else
		taken = (m.number == WIRE_SESSION_ROW || m.number == WIRE_SESSION_CHANGED ||
			 m.number == WIRE_SESSION_OVER) &&
			event_row_take(&m.body, &ret->row);
	return taken ? 1 : not_understood(e);
}
