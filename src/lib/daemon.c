#include "lib/daemon.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/role.h"

#define AGAIN_MS 20

/* ---- waiting, which has an end ---- */

static uint64_t end_of(int wait_ms)
{
	return clock_ms() + (uint64_t)wait_ms; /* not negative */
}

static int left_until(uint64_t until)
{
	const uint64_t now = clock_ms();

	return now >= until ? 0 : until - now > INT_MAX ? INT_MAX : (int)(until - now);
}

/* 1: there is something; 0: not in that time (-1: for ever). */
static int wait_for(int fd, short events, int wait_ms)
{
	const uint64_t until = wait_ms > 0 ? end_of(wait_ms) : 0;
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, wait_ms > 0 ? left_until(until) : wait_ms);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

static int silent(struct err *e)
{
	return err_set(e, AMBIT_GONE, "was it stopped?", "the daemon does not answer");
}

static int not_understood(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, "is it of another version of Ambit? `ambit serve --stop` ends it",
		       "the daemon said what it may not");
}

/* One message. 0: none in that time. */
static int hear(int sock, int wait_ms, enum wire_side from, enum wire_state state, uint8_t *room,
		struct wire_message *ret, struct err *e)
{
	int n;

	do {
		if (wait_for(sock, POLLIN, wait_ms) == 0)
			return 0;
		n = wire_receive(sock, from, state, room, WIRE_HEAD + WIRE_BODY_MAX, ret);
	} while (n == -EAGAIN);
	if (n == 0 || n == -ECONNRESET)
		return err_set(e, AMBIT_GONE, "try again: what was taken is kept",
			       from == WIRE_DAEMON ? "the daemon ended" : "the session's process ended");
	return n < 0 ? not_understood(e) : 1;
}

static int hear_until(int sock, uint64_t until, enum wire_side from, enum wire_state state, uint8_t *room,
		      struct wire_message *ret, struct err *e)
{
	const int r = hear(sock, left_until(until), from, state, room, ret, e);

	return r == 0 ? silent(e) : r;
}

static int send_until(int sock, uint64_t until, enum wire_number what, const struct buf *body)
{
	for (;;) {
		const int r = wire_send(sock, what, body, NULL, 0);

		if (r != -EAGAIN || wait_for(sock, POLLOUT, left_until(until)) == 0)
			return r;
	}
}

static int cannot_ask(int r, enum wire_side whom, struct err *e)
{
	return r == -EAGAIN ? silent(e)
			    : err_sys(e, AMBIT_GONE, -r, "try again: what was taken is kept",
				      whom == WIRE_DAEMON ? "the daemon ended" : "the session's process ended");
}

/* ---- finding it ---- */

/* One that was stopped takes so many that wait, and no more: then connect(2) itself would wait for ever. 0 or -errno. */
static int connect_until(int fd, const struct sockaddr_un *to, uint64_t until)
{
	for (;;) {
		const int ms = left_until(until);
		const struct timeval t = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 + 1 }; /* 0: for ever */

		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) < 0)
			return -errno;
		if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
			return fd_set_nonblock(fd, true);
		if (errno != EINTR)
			return -errno;
	}
}

static int connect_to(const char *path, uint64_t until, int *ret_fd, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct ucred peer;
	socklen_t size = sizeof peer;
	int r;

	if (strlen(path) >= sizeof to.sun_path)
		return err_set(e, AMBIT_HOST, "set XDG_RUNTIME_DIR to a directory of your own with a shorter path",
			       "a socket cannot be called %s", path);
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket");
	memcpy(to.sun_path, path, strlen(path));
	r = connect_until(fd, &to, until);
	if (r == -EAGAIN)
		return silent(e);
	if (r < 0)
		return r == -ENOENT || r == -ECONNREFUSED
			       ? 0
			       : err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot connect to the daemon at %s", path);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return err_set(e, AMBIT_DENIED, "set XDG_RUNTIME_DIR to a directory of your own",
			       "the daemon at %s is another user's", path);
	*ret_fd = steal_fd(&fd);
	return 1;
}

/* 1: connected; 0: nobody listens. */
static int try_connect(uint64_t until, int *ret_fd, struct err *e)
{
	char own[PATH_MAX], told[PATH_MAX];
	int r = daemon_place_own(DAEMON_NATIVE, own, e);

	r = r < 0 ? r : connect_to(own, until, ret_fd, e);
	if (r == 0 && daemon_place_told(DAEMON_NATIVE, told) && strcmp(own, told) != 0)
		r = connect_to(told, until, ret_fd, e);
	return r;
}

/* 1: it listens; 0: somebody else has the place, and will listen, or is about to go. */
static int start_daemon(uint64_t until, struct err *e)
{
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	auto_fd int pidfd = -1, sock = -1;
	auto_message m = { .n_fds = 0 };
	uint32_t request;
	int r = role_start_on_host("ambit-serve", environ, &pidfd, &sock, e);

	r = r < 0 ? r : hear_until(sock, until, WIRE_DAEMON, WIRE_RUNNING, room, &m, e);
	if (r < 0 || m.number == WIRE_SERVE_DONE)
		return r;
	r = link_failed_take(&m.body, &request, e);
	return r == -AMBIT_CONFLICT ? 0 : r;
}

static int reach(bool start, uint64_t until, int *ret_fd, struct err *e)
{
	int r;

	while ((r = try_connect(until, ret_fd, e)) == 0) {
		if (!start)
			return err_set(e, AMBIT_NOT_FOUND,
				       "`ambit serve` starts it, as does the first command that needs it",
				       "no daemon is there");
		r = start_daemon(until, e);
		if (r < 0)
			return r;
		if (left_until(until) == 0)
			return err_set(e, AMBIT_GONE, "see which process has its lock (lslocks)",
				       "the daemon is about to end, and does not");
		if (r == 0)
			(void)poll(NULL, 0,
				   AGAIN_MS); /* it is another's to listen, or to go: there is nothing to wait for */
	}
	return r < 0 ? r : 0;
}

/* What it says of itself. */
static int check_hello(const struct serve_hello *h, struct err *e)
{
	uint64_t dev, ino;

	if (h->revision != SESSION_REVISION)
		return err_set(e, AMBIT_PROTOCOL, "`ambit serve --stop` ends it; the next command starts this one's",
			       "the daemon is of Ambit %s, and this is " AMBIT_VERSION, h->version);
	daemon_place_sessions(&dev, &ino);
	if (h->dev != dev || h->ino != ino)
		return err_set(e, AMBIT_CONFLICT, "give each XDG_STATE_HOME an XDG_RUNTIME_DIR of its own",
			       "the daemon that listens (process %u) keeps the sessions of another XDG_STATE_HOME",
			       h->pid);
	return 0;
}

/* Its first word. -GONE: it went, and gave none. */
static int meet(struct daemon_link *d, bool start, uint64_t until, struct wire_message *ret, struct err *e)
{
	const int r = reach(start, until, &d->sock, e);

	return r < 0 ? r : hear_until(d->sock, until, WIRE_DAEMON, WIRE_NEW, d->room, ret, e);
}

int daemon_connect_within(struct daemon_link *d, bool start, int wait_ms, struct err *e)
{
	const uint64_t until = end_of(wait_ms);
	auto_message m = { .n_fds = 0 };
	int r;

	d->sock = -1;
	d->wait_ms = wait_ms;
	d->broken = false;
	d->request = 0;
	/* one that was idle, and ended while we came, is not there: another is started */
	while ((r = meet(d, start, until, &m, e)) == -AMBIT_GONE && start && d->sock >= 0 && left_until(until) > 0) {
		fd_close(&d->sock);
		(void)poll(NULL, 0, AGAIN_MS);
	}
	if (r > 0 && m.number == WIRE_SERVE_FAILED)
		r = link_failed_take(&m.body, &d->request, e);
	else if (r > 0)
		r = serve_hello_take(&m.body, &d->hello) ? 0 : not_understood(e);
	r = r < 0 ? r : check_hello(&d->hello, e);
	if (r < 0)
		daemon_leave(d);
	return r;
}

int daemon_connect(struct daemon_link *d, bool start, struct err *e)
{
	return daemon_connect_within(d, start, DAEMON_PATIENCE_MS, e);
}

void daemon_leave(struct daemon_link *d)
{
	fd_close(&d->sock);
}

/* ---- asking it ---- */

/* What failed is no answer, so what comes next would be taken for another's. Gives r. */
static int lose(bool *broken, int r)
{
	*broken = true;
	return r;
}

/* Each answer begins with the number of what it answers. 0: that one; -1: one before; 1: none that was asked. What ends the connection is told as the failure of number 0,
 * whatever was asked. */
static int compare(const struct wire_message *m, uint32_t request)
{
	const bool failed = m->number == WIRE_SERVE_FAILED || m->number == WIRE_SESSION_FAILED;
	struct rbuf ahead = m->body;
	const uint32_t of = rbuf_u32(&ahead);

	if (ahead.failed || of > request)
		return 1;
	return of == request || (of == 0 && failed) ? 0 : -1;
}

/* An answer of the daemon's. */
static int hear_answer(struct daemon_link *d, uint64_t until, struct wire_message *ret, struct err *e)
{
	const int r = hear_until(d->sock, until, WIRE_DAEMON, WIRE_RUNNING, d->room, ret, e);

	if (r < 0)
		return lose(&d->broken, r);
	return compare(ret, d->request) == 0 ? 0 : lose(&d->broken, not_understood(e));
}

/* Sends, and waits for an answer. */
static int ask(struct daemon_link *d, enum wire_number what, const struct buf *body, uint64_t until,
	       struct wire_message *ret, struct err *e)
{
	uint32_t request;
	int r = send_until(d->sock, until, what, body);

	if (r < 0)
		return lose(&d->broken, cannot_ask(r, WIRE_DAEMON, e));
	r = hear_answer(d, until, ret, e);
	if (r == 0 && ret->number == WIRE_SERVE_FAILED)
		return link_failed_take(&ret->body, &request, e);
	return r;
}

static int send_parts(int sock, uint64_t until, enum wire_number what, const struct buf *bytes)
{
	int r = 0;

	for (size_t at = 0; at < bytes->len && r == 0; at += WIRE_BODY_MAX) {
		const size_t n = bytes->len - at < WIRE_BODY_MAX ? bytes->len - at : WIRE_BODY_MAX;
		const struct buf part = { .data = bytes->data + at, .len = n, .cap = n, .max = n, .lent = true };

		r = send_until(sock, until, what, &part);
	}
	return r;
}

static void put_name(struct daemon_link *d, const char *session, struct buf *b)
{
	struct serve_name name = { .request = ++d->request };

	(void)snprintf(name.session, sizeof name.session, "%s", session); /* an id */
	serve_name_put(b, &name);
}

/* The rows of a list, until it ends. */
static int take_rows(struct daemon_link *d, uint64_t until, struct session_row *ret, struct err *e)
{
	int n = 0;

	for (;;) {
		auto_message m = { .n_fds = 0 };
		uint32_t request;
		const int r = hear_answer(d, until, &m, e);

		if (r < 0)
			return r;
		if (m.number == WIRE_SERVE_DONE)
			return n;
		if (m.number == WIRE_SERVE_FAILED)
			return link_failed_take(&m.body, &request, e);
		if (m.number != WIRE_SERVE_ROW || n == SERVE_PAGE || !session_row_take(&m.body, &ret[n]))
			return lose(&d->broken, not_understood(e));
		n++;
	}
}

int daemon_list(struct daemon_link *d, const char *after, struct session_row *ret, struct err *e)
{
	const uint64_t until = end_of(d->wait_ms);
	uint8_t room[64];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	put_name(d, after, &b);
	r = send_until(d->sock, until, WIRE_SERVE_LIST, &b);
	return r < 0 ? lose(&d->broken, cannot_ask(r, WIRE_DAEMON, e)) : take_rows(d, until, ret, e);
}

/* What has nothing but its number. */
static int ask_plain(struct daemon_link *d, enum wire_number what, struct wire_message *ret, struct err *e)
{
	uint8_t room[16];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++d->request });
	return ask(d, what, &b, end_of(d->wait_ms), ret, e);
}

int daemon_status(struct daemon_link *d, struct serve_status *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = ask_plain(d, WIRE_SERVE_STATUS, &m, e);

	if (r < 0)
		return r;
	return m.number == WIRE_SERVE_TOLD && serve_status_take(&m.body, ret) ? 0 : lose(&d->broken, not_understood(e));
}

int daemon_reload(struct daemon_link *d, uint64_t *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	struct link_number done;
	const int r = ask_plain(d, WIRE_SERVE_RELOAD, &m, e);

	if (r < 0)
		return r;
	if (m.number != WIRE_SERVE_DONE || !link_number_take(&m.body, &done))
		return lose(&d->broken, not_understood(e));
	*ret = done.value;
	return 0;
}

/* ---- channels ---- */

/* Its first word, which comes when the session is open. session: which it must be; NULL: a new one. */
static int begin(struct daemon_link *d, struct daemon_channel *c, const char *session, uint64_t until,
		 struct wire_message *given, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint32_t request;
	int r;

	c->request = 0;
	c->wait_ms = d->wait_ms;
	c->broken = c->lists = false;
	c->sock = steal_fd(&given->fds[0]);
	(void)fd_set_nonblock(c->sock, true); /* else it is no socket, which shows */
	r = hear_until(c->sock, until, WIRE_SESSION, WIRE_NEW, c->room, &m, e);
	if (r > 0 && m.number == WIRE_SESSION_FAILED)
		r = link_failed_take(&m.body, &request, e);
	else if (r > 0)
		r = m.number == WIRE_SESSION_READY && session_ready_take(&m.body, &c->ready) &&
				    (session == NULL || strcmp(session, c->ready.row.session) == 0)
			    ? 0
			    : not_understood(e);
	if (r < 0)
		daemon_part(c);
	return r;
}

/* Asks for one, and hears its first word. */
static int ask_for(struct daemon_link *d, enum wire_number what, const struct buf *body, const char *session,
		   uint64_t until, struct daemon_channel *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = ask(d, what, body, until, &m, e);

	if (r < 0)
		return r;
	return m.number == WIRE_SERVE_CHANNEL ? begin(d, ret, session, until, &m, e)
					      : lose(&d->broken, not_understood(e));
}

int daemon_new(struct daemon_link *d, const struct description *about, struct daemon_channel *ret, struct err *e)
{
	const uint64_t until = end_of(d->wait_ms);
	auto_buf bytes = { .max = DESCRIPTION_BYTES_MAX };
	uint8_t room[16];
	struct buf b;
	int r;

	description_put(&bytes, about);
	if (bytes.failed)
		return err_set(e, AMBIT_LIMIT, "grant less in one session", "the session's description is too long");
	r = send_parts(d->sock, until, WIRE_SERVE_PART, &bytes);
	if (r < 0)
		return lose(&d->broken, cannot_ask(r, WIRE_DAEMON, e));
	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++d->request, .value = link_key(about->key) });
	return ask_for(d, WIRE_SERVE_NEW, &b, NULL, until, ret, e);
}

int daemon_open(struct daemon_link *d, const char *session, struct daemon_channel *ret, struct err *e)
{
	uint8_t room[64];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	put_name(d, session, &b);
	return ask_for(d, WIRE_SERVE_OPEN, &b, session, end_of(d->wait_ms), ret, e);
}

void daemon_part(struct daemon_channel *c)
{
	fd_close(&c->sock);
}

static bool is_news(enum wire_number what)
{
	return what == WIRE_SESSION_GREW || what == WIRE_SESSION_CHANGED || what == WIRE_SESSION_OVER ||
	       what == WIRE_SESSION_STEPPED;
}

/* false: it is not well-formed. */
static bool take_news(struct wire_message *m, struct daemon_news *ret)
{
	ret->what = m->number;
	if (m->number == WIRE_SESSION_GREW)
		return session_grew_take(&m->body, &ret->grew);
	if (m->number == WIRE_SESSION_STEPPED)
		return step_row_take(&m->body, &ret->step);
	return event_row_take(&m->body, &ret->row);
}

static int pass_on(struct daemon_channel *c, struct wire_message *m, struct err *e)
{
	struct daemon_news news;

	if (c->on_news == NULL)
		return 0;
	if (!take_news(m, &news))
		return lose(&c->broken, not_understood(e));
	c->on_news(c->news_to, &news);
	return 0;
}

/* 1: it is the answer to the last request, or one of its rows, which have no number; 0: another's, which was only said. */
static int classify(struct daemon_channel *c, struct wire_message *m, bool rows, struct err *e)
{
	int which;

	if (is_news(m->number))
		return pass_on(c, m, e);
	if (m->number == WIRE_SESSION_ROW)
		return rows ? 1 : c->lists ? 0 : lose(&c->broken, not_understood(e));
	which = compare(m, c->request);
	return which > 0 ? lose(&c->broken, not_understood(e)) : which == 0;
}

/* What is told beside the answer is passed on, and may be as much as it likes: the time is over when it is. */
static int hear_channel(struct daemon_channel *c, uint64_t until, bool rows, struct wire_message *ret, struct err *e)
{
	uint32_t request;
	int r;

	do {
		wire_message_finish(ret);
		r = hear_until(c->sock, until, WIRE_SESSION, WIRE_RUNNING, c->room, ret, e);
		if (r < 0)
			return lose(&c->broken, r);
		r = classify(c, ret, rows, e);
	} while (r == 0 && left_until(until) > 0);
	if (r == 0)
		return lose(&c->broken, silent(e));
	return r > 0 && ret->number == WIRE_SESSION_FAILED ? link_failed_take(&ret->body, &request, e) : r < 0 ? r : 0;
}

static int ask_channel(struct daemon_channel *c, uint64_t until, enum wire_number what, const struct buf *body,
		       struct wire_message *ret, struct err *e)
{
	const int r = send_until(c->sock, until, what, body);

	return r < 0 ? lose(&c->broken, cannot_ask(r, WIRE_SESSION, e)) : hear_channel(c, until, false, ret, e);
}

int daemon_run(struct daemon_channel *c, const struct run *run, struct session_taken *ret, struct err *e)
{
	const uint64_t until = end_of(c->wait_ms);
	auto_buf bytes = { .max = RUN_BYTES_MAX };
	auto_message m = { .n_fds = 0 };
	uint8_t room[16];
	struct buf b;
	int r;

	run_put(&bytes, run);
	if (bytes.failed)
		return err_set(e, AMBIT_LIMIT, "pass long input in a file or on standard input",
			       "the arguments are too long");
	r = send_parts(c->sock, until, WIRE_SESSION_PART, &bytes);
	if (r < 0)
		return lose(&c->broken, cannot_ask(r, WIRE_SESSION, e));
	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++c->request });
	r = ask_channel(c, until, WIRE_SESSION_RUN, &b, &m, e);
	if (r < 0)
		return r;
	return m.number == WIRE_SESSION_TAKEN && session_taken_take(&m.body, ret) ? 0
										  : lose(&c->broken, not_understood(e));
}

int daemon_step(struct daemon_channel *c, uint64_t n, const char *source, uint32_t flags, uint64_t *ret, struct err *e)
{
	const uint64_t until = end_of(c->wait_ms);
	auto_buf bytes = { .max = RUN_BYTES_MAX };
	auto_message m = { .n_fds = 0 };
	struct link_number done;
	uint8_t room[32];
	struct buf b;
	int r;

	buf_put(&bytes, source, strlen(source));
	if (bytes.failed)
		return err_set(e, AMBIT_LIMIT, "put it into a file, and run that", "the code is too long");
	r = send_parts(c->sock, until, WIRE_SESSION_PART, &bytes);
	if (r < 0)
		return lose(&c->broken, cannot_ask(r, WIRE_SESSION, e));
	buf_init_in(&b, room, sizeof room);
	session_step_put(&b, &(struct session_step){ .request = ++c->request, .flags = flags, .n = n });
	r = ask_channel(c, until, WIRE_SESSION_STEP, &b, &m, e);
	if (r < 0)
		return r;
	if (m.number != WIRE_SESSION_DONE || !link_number_take(&m.body, &done))
		return lose(&c->broken, not_understood(e));
	*ret = done.value;
	return 0;
}

static void put_event(struct daemon_channel *c, uint64_t n, uint32_t a, uint32_t b, struct buf *out)
{
	session_event_put(out, &(struct session_event){ .request = ++c->request, .a = a, .b = b, .n = n });
}

/* Of one event, and whether the answer is that. */
static int ask_of(struct daemon_channel *c, enum wire_number what, uint64_t n, uint32_t a, enum wire_number answer,
		  uint32_t b, struct wire_message *ret, struct err *e)
{
	uint8_t room[32];
	struct buf body;
	int r;

	buf_init_in(&body, room, sizeof room);
	put_event(c, n, a, b, &body);
	r = ask_channel(c, end_of(c->wait_ms), what, &body, ret, e);
	if (r < 0)
		return r;
	return ret->number == answer ? 0 : lose(&c->broken, not_understood(e));
}

int daemon_follow(struct daemon_channel *c, uint64_t n, bool input, int ret_fds[3], struct err *e)
{
	auto_message m = { .n_fds = 0 };
	int r = ask_of(c, WIRE_SESSION_FOLLOW, n, input ? 1 : 0, WIRE_SESSION_FILES, 0, &m, e);

	if (r == 0 && m.n_fds < 2)
		r = lose(&c->broken, not_understood(e));
	for (unsigned i = 0; i < 3 && r == 0; i++)
		ret_fds[i] = i < m.n_fds ? steal_fd(&m.fds[i]) : -1;
	return r;
}

/* which: 0 of its record, 1 of its result. */
static int ask_kept(struct daemon_channel *c, uint64_t n, uint32_t which, int *ret_fd, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = ask_of(c, WIRE_SESSION_RECORD, n, which, WIRE_SESSION_FILES, 0, &m, e);

	if (r == 0)
		*ret_fd = steal_fd(&m.fds[0]);
	return r;
}

int daemon_record(struct daemon_channel *c, uint64_t n, int *ret_fd, struct err *e)
{
	return ask_kept(c, n, 0, ret_fd, e);
}

int daemon_result(struct daemon_channel *c, uint64_t n, int *ret_fd, struct err *e)
{
	return ask_kept(c, n, 1, ret_fd, e);
}

int daemon_tell(struct daemon_channel *c, enum wire_number what, uint64_t n, uint32_t a, uint32_t b, struct err *e)
{
	auto_message m = { .n_fds = 0 };

	return ask_of(c, what, n, a, WIRE_SESSION_DONE, b, &m, e);
}

static int ask_end(struct daemon_channel *c, uint64_t with_us, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[16];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = ++c->request, .value = with_us });
	r = ask_channel(c, end_of(c->wait_ms), WIRE_SESSION_CLOSE, &b, &m, e);
	return r < 0 || m.number == WIRE_SESSION_DONE ? r : lose(&c->broken, not_understood(e));
}

int daemon_end(struct daemon_channel *c, struct err *e)
{
	return ask_end(c, 0, e);
}

int daemon_tie(struct daemon_channel *c, struct err *e)
{
	return ask_end(c, 1, e);
}

/* ---- what is said, and told ---- */

static int say(struct daemon_channel *c, enum wire_number what, uint64_t n, uint32_t a, uint32_t b, int wait_ms)
{
	uint8_t room[32];
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	put_event(c, n, a, b, &body);
	return send_until(c->sock, end_of(wait_ms), what, &body);
}

int daemon_events(struct daemon_channel *c, uint64_t from, enum daemon_which which, struct err *e)
{
	const int r = say(c, WIRE_SESSION_LIST, from, (uint32_t)which, 0, c->wait_ms);

	c->lists = true;
	return r < 0 ? lose(&c->broken, cannot_ask(r, WIRE_SESSION, e)) : 0;
}

int daemon_say(struct daemon_channel *c, enum wire_number what, uint64_t n, uint32_t a, uint32_t b)
{
	return say(c, what, n, a, b, c->wait_ms) < 0 ? -AMBIT_GONE : 0;
}

int daemon_say_now(struct daemon_channel *c, enum wire_number what, uint64_t n)
{
	const int r = say(c, what, n, 0, 0, 0);

	return r < 0 && r != -EAGAIN ? -AMBIT_GONE : r;
}

int daemon_hear(struct daemon_channel *c, int wait_ms, struct daemon_news *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	bool taken = true;
	const int r = hear(c->sock, wait_ms, WIRE_SESSION, WIRE_RUNNING, c->room, &m, e);

	if (r <= 0)
		return r == 0 ? 0 : lose(&c->broken, r);
	ret->what = m.number;
	if (m.number == WIRE_SESSION_FAILED)
		(void)link_failed_take(&m.body, &ret->done.request, &ret->failed);
	else if (m.number == WIRE_SESSION_DONE)
		taken = link_number_take(&m.body, &ret->done);
	else
		taken = (is_news(m.number) || m.number == WIRE_SESSION_ROW) && take_news(&m, ret);
	return taken ? 1 : lose(&c->broken, not_understood(e));
}

/* Rows, each with a higher number than the one before, until the answer; gives how many. */
static int take_page(struct daemon_channel *c, uint64_t until, uint64_t from, struct event_row *ret, struct err *e)
{
	struct daemon_news news;
	int n = 0;

	for (;; from = news.row.n + 1) {
		auto_message m = { .n_fds = 0 };
		const int r = hear_channel(c, until, true, &m, e);

		if (r < 0)
			return r;
		if (m.number == WIRE_SESSION_DONE)
			return n;
		if (m.number != WIRE_SESSION_ROW || n == SERVE_PAGE || !take_news(&m, &news) || news.row.n < from)
			return lose(&c->broken, not_understood(e));
		ret[n++] = news.row;
	}
}

int daemon_page(struct daemon_channel *c, uint64_t from, struct event_row *ret, struct err *e)
{
	const uint64_t until = end_of(c->wait_ms);
	const int r = say(c, WIRE_SESSION_LIST, from, DAEMON_ALL, SERVE_PAGE, c->wait_ms);

	return r < 0 ? lose(&c->broken, cannot_ask(r, WIRE_SESSION, e)) : take_page(c, until, from, ret, e);
}
