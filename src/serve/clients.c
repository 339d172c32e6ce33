#include "serve/clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/event.h"
#include "lib/role.h"
#include "session/sealed.h"

#define TURN 16        /* requests before others have their turn */
#define ROWS_AT_ONCE 8 /* of a list, likewise */
#define END_MS 5000    /* for the end of a cell whose client went, and of all of them when the daemon goes */
#define LOOK_MS 1000   /* after which ends are looked at again that may not come */

static void init(struct client *c)
{
	memset(c, 0, sizeof *c);
	line_init(&c->line);
	buf_init(&c->parts, DESCRIPTION_BYTES_MAX);
	speaker_init(&c->speaker);
	halts_init(&c->halts);
}

void clients_init(struct clients *c, struct roles *roles, uint64_t now_ms)
{
	memset(c, 0, sizeof *c);
	c->roles = roles;
	c->spare_fd = -1;
	c->started_ms = now_ms;
	rate_init(&c->by_rpc, COME_RATE, 1000, clock_ms());
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		init(&c->client[i]);
	speaker_init(&c->spare);
	for (unsigned i = 0; i < LEAVING_ROOM; i++)
		speaker_init(&c->leaving[i]);
}

void clients_place(struct clients *c)
{
	struct stat st;

	c->goes_on = true; /* what was handed over may be in the middle of something */
	if (fstat(c->roles->sessions_fd, &st) < 0)
		return; /* then nobody finds it the same, and says so */
	c->dev = st.st_dev;
	c->ino = st.st_ino;
}

/* Nobody waits for the end of a cell, whose supervisor may be stopped: it is told to end, and gone when that shows. There is room for all. */
static void let_leave(struct clients *all, struct speaker *speaker)
{
	for (unsigned i = 0; speaker_is_there(speaker) && i < LEAVING_ROOM; i++)
		if (!speaker_is_there(&all->leaving[i])) {
			speaker_end(speaker);
			all->leaving[i] = *speaker;
			speaker_init(speaker);
		}
}

static void part_with(struct clients *all, struct client *c)
{
	line_finish(&c->line);
	buf_finish(&c->parts);
	halts_finish(&c->halts);
	let_leave(all, &c->speaker);
	init(c);
}

void clients_finish(struct clients *c)
{
	const uint64_t until = clock_ms() + END_MS;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		part_with(c, &c->client[i]);
	fd_close(&c->spare_fd);
	let_leave(c, &c->spare);
	for (unsigned i = 0; i < LEAVING_ROOM; i++)
		speaker_finish_by(&c->leaving[i], until);
	rows_finish(&c->rows);
}

/* ---- answers ---- */

static void fail(struct client *c, uint32_t request, const struct err *e)
{
	uint8_t room[LINE_ANSWER_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_failed_put(&b, request, e);
	line_answer(&c->line, WIRE_SERVE_FAILED, &b, NULL, 0);
}

static void done(struct client *c, uint32_t request, uint64_t value)
{
	uint8_t room[16];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = request, .value = value });
	line_answer(&c->line, WIRE_SERVE_DONE, &b, NULL, 0);
}

/* ---- who comes ---- */

static struct client *free_place(struct clients *c)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (c->client[i].line.sock < 0)
			return &c->client[i];
	return NULL;
}

static pid_t pid_of(int sock)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof peer;

	(void)getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size); /* as when it was let in */
	return peer.pid;
}

/* Why nobody more is let in; NULL: he is. */
static const char *no_place(const struct clients *c, pid_t pid, bool by_rpc)
{
	unsigned all = 0, translated = 0, of_his = 0, translated_of_his = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *one = &c->client[i];
		const bool is_his = one->pid == pid;

		if (one->line.sock < 0)
			continue;
		all++;
		translated += speaker_is_there(&one->speaker);
		of_his += is_his;
		translated_of_his += is_his && speaker_is_there(&one->speaker);
	}
	if (all == CLIENTS_MAX || (by_rpc && translated == TRANSLATED_MAX))
		return "the daemon has as many clients as may be";
	if (of_his >= CLIENTS_MAX / 2 || (by_rpc && translated_of_his >= TRANSLATED_MAX / 2))
		return "this process has as many connections as one may have";
	return NULL;
}

static void say_hello(const struct clients *all, struct client *c)
{
	struct serve_hello h = {
		.revision = SESSION_REVISION, .pid = (uint32_t)getpid(), .dev = all->dev, .ino = all->ino
	};
	uint8_t room[64];
	struct buf b;

	(void)text_copy(h.version, sizeof h.version, AMBIT_VERSION); /* fits */
	buf_init_in(&b, room, sizeof room);
	serve_hello_put(&b, &h);
	(void)line_tell(&c->line, WIRE_SERVE_HELLO, &b, NULL, 0); /* its first word has room, or it went */
}

/* The last word, which answers nothing. */
static void refuse(int sock, const struct err *why)
{
	uint8_t room[LINE_ANSWER_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_failed_put(&b, 0, why);
	(void)wire_send(sock, WIRE_SERVE_FAILED, &b, NULL, 0); /* it has room, or he went */
}

void clients_come(struct clients *c, int sock)
{
	const pid_t pid = pid_of(sock);
	const char *why = no_place(c, pid, false);
	struct client *place = free_place(c);
	auto_fd int own = sock;
	struct err e;

	c->came++;
	if (why != NULL) {
		(void)err_set(&e, AMBIT_LIMIT, "close some, or try again", "%s", why);
		refuse(own, &e);
		return;
	}
	place->pid = pid;
	line_open(&place->line, steal_fd(&own));
	say_hello(c, place);
}

static void make_spare(struct clients *c)
{
	if (!speaker_is_there(&c->spare))
		(void)speaker_start(&c->spare, &c->spare_fd); /* who comes next is told why */
}

/* For who gets no role to speak for him, which is where JSON is made otherwise. */
static void refuse_rpc(int sock, const char *why)
{
	char text[640];
	const int n = snprintf(
		text, sizeof text,
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"%s\",\"data\":{\"code\":\"LIMIT\",\"hint\":null,\"why\":null}}}\n",
		why);

	(void)!send(sock, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT); /* it fits, or he went */
}

/* The role gets what the client says, and a connection to us: all that it can do is what this client may. */
static int hand_over(struct clients *c, struct client *place, int sock)
{
	auto_fd int ours = -1, theirs = -1;
	int fds[2] = { sock, -1 }, r = role_pair(&ours, &theirs, NULL);

	if (r < 0)
		return r;
	fds[1] = theirs;
	r = wire_send(c->spare_fd, WIRE_RPC_CLIENT, NULL, fds, 2);
	fd_close(&c->spare_fd);
	if (r < 0) {
		let_leave(c, &c->spare);
		return r;
	}
	place->speaker = c->spare;
	speaker_init(&c->spare);
	line_open(&place->line, steal_fd(&ours));
	say_hello(c, place);
	return 0;
}

void clients_come_by_rpc(struct clients *c, int sock)
{
	const pid_t pid = pid_of(sock);
	const char *why = no_place(c, pid, true);
	struct client *place = free_place(c);
	auto_fd int own = sock;
	int r = -1;

	(void)rate_take(&c->by_rpc, clock_ms()); /* there is one: clients_rpc_wait */
	c->came++;
	if (why != NULL) {
		refuse_rpc(own, why);
		return;
	}
	place->pid = pid;
	for (unsigned i = 0; i < 2 && r < 0; i++) { /* the one that waited may just have been ended */
		make_spare(c);
		if (speaker_is_there(&c->spare))
			r = hand_over(c, place, own);
	}
	if (r < 0)
		refuse_rpc(own, "a cell for the reader of JSON cannot be made; ambit doctor says what is missing");
	make_spare(c);
}

/* ---- what they ask ---- */

static bool may(struct client *c, uint32_t request, const char *session)
{
	struct err e;

	if (c->only[0] == 0 || strcmp(c->only, session) == 0)
		return true;
	(void)err_set(&e, AMBIT_DENIED, "connect anew, if that is yours to do", "this connection has session %s alone",
		      c->only);
	fail(c, request, &e);
	return false;
}

static void give_channel(struct clients *all, struct client *c, uint32_t request, const char *session, bool is_new,
			 int description_fd)
{
	struct serve_name name = { .request = request };
	uint8_t room[64];
	struct err e;
	struct buf b;
	int fd = -1, r = roles_connect(all->roles, session, is_new, description_fd, &fd, &e);

	if (r < 0) {
		all->refused++;
		fail(c, request, &e);
		return;
	}
	(void)text_copy(name.session, sizeof name.session, session); /* an id */
	buf_init_in(&b, room, sizeof room);
	serve_name_put(&b, &name);
	line_answer(&c->line, WIRE_SERVE_CHANNEL, &b, &fd, 1);
}

/* Whoever has most of it goes, which need not be whoever came last. */
static void make_room(struct clients *all, size_t n)
{
	size_t sum = n;
	struct client *most = &all->client[0];
	struct err e;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		sum += all->client[i].parts.len;
		if (all->client[i].parts.len > most->parts.len)
			most = &all->client[i];
	}
	if (sum <= PARTS_MAX)
		return;
	(void)err_set(&e, AMBIT_LIMIT, "send a description at once", "more descriptions are begun than fit");
	refuse(most->line.sock, &e);
	part_with(all, most);
}

static bool on_part(struct clients *all, struct client *c, struct rbuf *in)
{
	const size_t n = rbuf_left(in);

	make_room(all, n);
	if (c->line.sock < 0)
		return true; /* it was he */
	buf_put(&c->parts, rbuf_bytes(in, n), n);
	return !c->parts.failed;
}

/* Whether it is there, or is being made right now; one that was never finished being made, or was taken away, is nobody's. */
static bool is_there(const struct roles *roles, const char *session)
{
	struct session_row row;

	if (roles_state(roles, session, NULL))
		return true;
	rows_read(roles->sessions_fd, session, &row);
	return row.state != SESSION_BROKEN;
}

/* A key that is there names its session; one that is not names this one from now on. */
static int name_session(const struct roles *roles, uint64_t key, char ret[ID_TEXT_MAX], bool *ret_new, struct err *e)
{
	int r;

	*ret_new = key == 0 || !rows_keyed(roles->sessions_fd, key, ret) || !is_there(roles, ret);
	if (!*ret_new)
		return 0;
	r = event_new_id('s', rows_now_ms(), ret);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot get random numbers");
	return key != 0 ? rows_key(roles->sessions_fd, key, ret, e) : 0;
}

static bool on_new(struct clients *all, struct client *c, struct wire_message *m)
{
	auto_buf bytes = c->parts; /* taken, whatever comes of it */
	auto_fd int fd = sealed_make("ambit-session", &bytes);
	char session[ID_TEXT_MAX];
	struct link_number q;
	bool is_new = true;
	struct err e;
	int r;

	buf_init(&c->parts, DESCRIPTION_BYTES_MAX);
	if (!link_number_take(&m->body, &q))
		return false;
	if (!may(c, q.request, ""))
		return true;
	r = fd < 0 ? err_sys(&e, AMBIT_SYSTEM, -fd, NULL, "cannot make a memory file")
		   : name_session(all->roles, q.value, session, &is_new, &e);
	if (r < 0)
		fail(c, q.request, &e);
	else
		give_channel(all, c, q.request, session, is_new, fd);
	return true;
}

static bool on_open(struct clients *all, struct client *c, struct rbuf *in)
{
	struct serve_name q;

	if (!serve_name_take(in, &q))
		return false;
	if (may(c, q.request, q.session))
		give_channel(all, c, q.request, q.session, false, -1);
	return true;
}

static bool on_narrow(struct client *c, struct rbuf *in)
{
	struct serve_name q;

	if (!serve_name_take(in, &q))
		return false;
	if (may(c, q.request, q.session)) {
		(void)text_copy(c->only, sizeof c->only, q.session); /* of the same size */
		done(c, q.request, 0);
	}
	return true;
}

static bool on_list(struct client *c, struct rbuf *in)
{
	struct serve_name q;

	if (!serve_list_take(in, &q) || q.request == 0)
		return false;
	if (!may(c, q.request, ""))
		return true;
	c->list_request = q.request;
	c->told = 0;
	memcpy(c->listed, q.session, sizeof c->listed);
	return true;
}

static bool on_status(struct clients *all, struct client *c, struct rbuf *in)
{
	struct serve_status s = { .pid = (uint32_t)getpid(), .started_ms = all->started_ms, .clients = all->came };
	struct role_state sum;
	struct link_number q;
	uint8_t room[128];
	struct buf b;

	if (!link_number_take(in, &q))
		return false;
	if (!may(c, q.request, ""))
		return true;
	roles_sum(all->roles, &sum);
	s.request = q.request;
	s.clients_now = clients_now(all);
	s.sessions_now = all->roles->n;
	s.sessions_made = all->roles->made;
	s.running_now = sum.running;
	s.events_taken = sum.taken;
	s.events_ended = sum.ended;
	s.events_failed = sum.failed;
	s.events_interrupted = sum.interrupted;
	s.denials = sum.denials;
	s.refused = all->refused;
	buf_init_in(&b, room, sizeof room);
	serve_status_put(&b, &s);
	line_answer(&c->line, WIRE_SERVE_TOLD, &b, NULL, 0);
	return true;
}

static bool on_reload(struct clients *all, struct client *c, struct rbuf *in)
{
	struct link_number q;

	if (!link_number_take(in, &q) || q.request == 0 || speaker_is_there(&c->speaker))
		return false;
	if (may(c, q.request, "")) {
		c->reload = q.request; /* answered when it is done: nothing else is heard before */
		all->reload = true;
	}
	return true;
}

static bool on_halt(struct clients *all, struct client *c, struct rbuf *in)
{
	struct link_halt q;
	struct err e;

	if (!link_halt_take(in, &q) || q.n != 0 || q.what[0] != 0)
		return false;
	if (!may(c, q.request, ""))
		return true;
	memcpy(q.what, HALT_ALL, sizeof HALT_ALL);
	if (halts_ask(&c->halts, &q, all->roles->environment, &e) < 0)
		fail(c, q.request, &e);
	return true;
}

/* false: it said what nobody may. */
static bool take(struct clients *all, struct client *c, struct wire_message *m)
{
	if (m->number == WIRE_SERVE_PART)
		return on_part(all, c, &m->body);
	if (m->number == WIRE_SERVE_NEW)
		return on_new(all, c, m);
	if (m->number == WIRE_SERVE_OPEN)
		return on_open(all, c, &m->body);
	if (m->number == WIRE_SERVE_NARROW)
		return on_narrow(c, &m->body);
	if (m->number == WIRE_SERVE_RELOAD)
		return on_reload(all, c, &m->body);
	if (m->number == WIRE_SERVE_LIST)
		return on_list(c, &m->body);
	if (m->number == WIRE_SERVE_HALT)
		return on_halt(all, c, &m->body);
	return m->number == WIRE_SERVE_STATUS && on_status(all, c, &m->body);
}

static bool hear(struct clients *all, struct client *c)
{
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(c->line.sock, WIRE_CLIENT, WIRE_RUNNING, all->room, sizeof all->room, &m);

	if (r == -EAGAIN)
		return false;
	if (r > 0)
		line_heard(&c->line, 1);
	if (r <= 0 || !take(all, c, &m))
		part_with(all, c);
	return c->line.sock >= 0;
}

/* ---- lists ---- */

static bool tell_row(struct clients *all, struct client *c, struct session_row *row)
{
	uint8_t room[4352];
	struct role_state now;
	struct buf b;

	row->request = c->list_request;
	if (roles_state(all->roles, row->session, &now)) {
		row->running = (uint32_t)(now.running & UINT32_MAX);
		if (row->state == SESSION_IDLE && now.running > 0)
			row->state = SESSION_BUSY;
	}
	buf_init_in(&b, room, sizeof room);
	session_row_put(&b, row);
	return line_tell(&c->line, WIRE_SERVE_ROW, &b, NULL, 0);
}

/* As far as there is room, some at a time. */
static void tell_list(struct clients *all, struct client *c)
{
	const unsigned left = SERVE_PAGE - c->told, most = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
	char names[ROWS_AT_ONCE][ID_TEXT_MAX];
	const unsigned n = rows_after(&all->rows, all->roles->sessions_fd, c->listed, names, most);
	struct session_row row;

	for (unsigned i = 0; i < n; i++) {
		rows_read(all->roles->sessions_fd, names[i], &row);
		if (!tell_row(all, c, &row))
			return;
		c->told++;
		memcpy(c->listed, names[i], sizeof c->listed);
	}
	line_heard(&c->line, (n + 1) / 2); /* rows cost, too */
	if (n == most && c->told < SERVE_PAGE) {
		all->goes_on = true;
		return;
	}
	done(c, c->list_request, c->told);
	c->list_request = 0;
}

/* ---- who waits for what ---- */

/* What is answered bit by bit is answered before the next is heard: else a narrowed connection would be told the rest of a list, and the end of one could be forgotten for
 * another answer that waits for room. */
static bool is_heard(struct client *c)
{
	return c->reload == 0 && c->list_request == 0 && line_may_hear(&c->line);
}

static void step(struct clients *all, struct client *c)
{
	/* the cell of who speaks for a client, whose end shows by the connection */
	if (speaker_is_there(&c->speaker) && speaker_step(&c->speaker)) {
		part_with(all, c);
		return;
	}
	for (unsigned i = 0; i < TURN && is_heard(c) && line_flush(&c->line) && hear(all, c); i++)
		;
	if (c->line.sock >= 0 && line_flush(&c->line) && c->list_request != 0 && line_has_room(&c->line))
		tell_list(all, c);
	halts_tell(&c->halts, &c->line, WIRE_SERVE_HALTED, WIRE_SERVE_FAILED, all->roles->environment);
	if (c->line.sock < 0)
		part_with(all, c);
}

static bool has_news(const struct client *c, const struct pollfd *polled)
{
	for (unsigned i = 0; c->polled != 0 && i < c->n_polled; i++)
		if (polled[c->polled - 1 + i].revents != 0)
			return true;
	return c->polled == 0 || c->list_request != 0;
}

/* A supervisor that somebody stopped would keep others out. */
static void step_leaving(struct clients *c)
{
	for (unsigned i = 0; i < LEAVING_ROOM; i++) {
		struct speaker *s = &c->leaving[i];

		if (speaker_is_there(s) && speaker_is_gone(s))
			speaker_finish(s);
		else if (speaker_is_there(s) && clock_ms() >= s->told_ms + END_MS)
			speaker_abandon(s);
	}
}

void clients_step(struct clients *c, const struct pollfd *polled)
{
	c->goes_on = false;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (c->client[i].line.sock >= 0 && has_news(&c->client[i], polled))
			step(c, &c->client[i]);
	step_leaving(c);
	if (speaker_is_there(&c->spare) && speaker_step(&c->spare)) { /* somebody ended it */
		let_leave(c, &c->spare);
		fd_close(&c->spare_fd);
	}
}

unsigned clients_wants(struct clients *c, struct pollfd *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *one = &c->client[i];

		if (one->line.sock < 0)
			continue;
		one->polled = n + 1;
		ret[n++] = (struct pollfd){ .fd = one->line.sock,
					    .events = (short)(is_heard(one) ? line_wants(&one->line)
									    : line_wants(&one->line) & ~POLLIN) };
		if (speaker_is_there(&one->speaker))
			ret[n++] = (struct pollfd){ .fd = speaker_fd(&one->speaker), .events = POLLIN };
		if (one->halts.n > 0 && one->line.answer == 0) /* else it waits for room, as that does */
			ret[n++] = halts_wants(&one->halts);
		one->n_polled = n + 1 - one->polled;
	}
	for (unsigned i = 0; i < LEAVING_ROOM; i++)
		if (speaker_is_there(&c->leaving[i]))
			ret[n++] = (struct pollfd){ .fd = speaker_fd(&c->leaving[i]), .events = POLLIN };
	if (speaker_is_there(&c->spare))
		ret[n++] = (struct pollfd){ .fd = speaker_fd(&c->spare), .events = POLLIN };
	return n;
}

static unsigned leaving_now(const struct clients *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LEAVING_ROOM; i++)
		n += speaker_is_there(&c->leaving[i]);
	return n;
}

int clients_patience(const struct clients *c, int timeout)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		timeout = line_patience(&c->client[i].line, timeout);
	return leaving_now(c) > 0 && (timeout < 0 || timeout > LOOK_MS) ? LOOK_MS : timeout;
}

unsigned clients_rpc_wait(struct clients *c)
{
	return leaving_now(c) >= LEAVING_MAX ? LOOK_MS : (unsigned)rate_wait_ms(&c->by_rpc, clock_ms());
}

void clients_tell_reload(struct clients *c, const struct err *why)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *one = &c->client[i];

		if (one->line.sock < 0 || one->reload == 0)
			continue;
		if (why != NULL)
			fail(one, one->reload, why);
		else
			done(one, one->reload, c->generation);
		one->reload = 0;
	}
	c->reload = false;
}

bool clients_halt(const struct clients *c)
{
	bool some = false;

	for (unsigned i = 0; i < CLIENTS_MAX && !some; i++)
		some = c->client[i].halts.n > 0;
	return some;
}

unsigned clients_now(const struct clients *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		n += c->client[i].line.sock >= 0;
	return n;
}
