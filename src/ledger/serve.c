#include "ledger/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "ledger/append.h"
#include "ledger/beside.h"
#include "ledger/hello.h"
#include "ledger/link.h"
#include "ledger/stamp.h"

struct client {
	int sock; /* owned; -1: a free place */
	struct append_client told;
	uint64_t first, count; /* what was taken from it and is to be answered */
	bool wants_durable;
};

struct server {
	const struct serve *how;
	struct log *log; /* how->store's */
	struct beside beside;
	struct client clients[SERVE_CLIENTS_MAX];
	struct pollfd polled[1 + SERVE_CLIENTS_MAX];
	uint64_t dirty_ms, last_ms;    /* the first and the last append that no checkpoint covers; 0: none */
	uint64_t idle_ms;              /* since when nobody is connected */
	uint8_t tells;                 /* enum hello: what the next who connects is told of the key */
	uint8_t told;                  /* what told_new was */
	const struct client *told_new; /* was told, and has appended nothing yet: when it goes, nobody knows */
	struct append message;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static uint64_t now_ms(void)
{
	return stamp_boot_us() / 1000;
}

/* ---- entries ---- */

/* What entries name is on disk before they are. */
static int settled(int r, struct err *e)
{
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "see the kernel's log",
			       "cannot sync what lies beside the ledger's log")
		     : 0;
}

static int settle_beside(struct server *s, struct err *e)
{
	return settled(beside_settle(&s->beside), e);
}

static int publish(struct server *s, struct err *e)
{
	const int r = settle_beside(s, e);

	return r < 0 ? r : log_publish(s->log, e);
}

/* For so many entries in one group, of so many bytes in all. */
static int make_room(struct server *s, size_t entries, size_t bytes, struct err *e)
{
	int r = 0;

	if (!log_group_room(s->log, entries, bytes + 2 * entries))
		r = log_write(s->log, e);
	return r == 0 && log_is_full(s->log) ? publish(s, e) : r;
}

static void note_append(struct server *s)
{
	s->last_ms = now_ms();
	if (s->dirty_ms == 0)
		s->dirty_ms = s->last_ms;
}

/* An entry of the ledger's own. */
static int add_own(struct server *s, enum entry_type type, const char *event, const struct buf *body, struct err *e)
{
	struct entry entry = { .type = type, .seq = log_size(s->log), .body = { .at = body->data, .n = body->len } };
	auto_buf made = { .max = 0 };
	int r;

	stamp(&entry, s->how->boot);
	memcpy(entry.event, event, strlen(event) + 1); /* an id, or "" */
	buf_init(&made, ENTRY_MAX);
	r = entry_put(&entry, &made, e);
	r = r < 0 ? r : make_room(s, 1, made.len, e);
	r = r < 0 ? r : log_add(s->log, made.data, made.len, e);
	note_append(s);
	return r;
}

static int add_plain(struct server *s, enum entry_type type, const char *event, struct err *e)
{
	uint8_t empty[2] = { '{', '}' };
	const struct buf body = { .data = empty, .len = 2, .cap = 2, .max = 2, .lent = true };

	return add_own(s, type, event, &body, e);
}

/* A message lies in one group. */
static int add_message(struct server *s, struct client *c, struct err *e)
{
	const struct append *a = &s->message;
	uint32_t from = 0;
	int r = make_room(s, a->n, a->made.len, e);

	c->first = log_size(s->log);
	for (unsigned i = 0; i < a->n && r == 0; i++) {
		r = log_add(s->log, a->made.data + from, a->ends[i] - from, e);
		from = a->ends[i];
	}
	for (size_t at = 0; at < a->results.len && r == 0; at += SHA256_BYTES)
		r = settled(beside_note(&s->beside, a->results.data + at), e);
	c->count = a->wants == APPEND_WANTS_NOTHING ? 0 : a->n;
	c->wants_durable = a->wants == APPEND_WANTS_DURABLE;
	if (c == s->told_new)
		s->told_new = NULL;
	note_append(s);
	return r;
}

static void put_pruned(struct buf *out, const char *before, uint64_t payloads, uint64_t bytes)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "before"), before);
	json_put_count(json_put_key(&j, "bytes"), bytes);
	json_put_count(json_put_key(&j, "payloads"), payloads);
	json_put_object_end(&j);
}

/* ---- connections ---- */

static void tell_crowd(int sock)
{
	struct err e;

	(void)err_set(&e, AMBIT_LIMIT, "start it again when others have ended",
		      "%d events are recorded in the ledger already", SERVE_CLIENTS_MAX);
	(void)wire_tell_error(sock, WIRE_LEDGER_FAILED, &e);
}

static int send_hello(struct server *s, int sock)
{
	uint8_t room[8 + VKEY_TEXT_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u8(&b, s->tells);
	vkey_put(&b, &s->how->store->key->public);
	return wire_send(sock, WIRE_LEDGER_HELLO, &b, NULL, 0);
}

static void meet(struct server *s)
{
	auto_fd int sock = accept4(s->how->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = s->clients;

	while (c < s->clients + SERVE_CLIENTS_MAX && c->sock >= 0)
		c++;
	if (sock >= 0 && c == s->clients + SERVE_CLIENTS_MAX) {
		tell_crowd(sock);
		return;
	}
	if (sock < 0 || send_hello(s, sock) < 0)
		return;
	*c = (struct client){ .sock = steal_fd(&sock) };
	if (s->tells != 0) {
		s->told_new = c;
		s->told = s->tells;
	}
	s->tells = 0;
}

/* It is gone, or said something that nobody may. */
static int part_with(struct server *s, struct client *c, struct err *e)
{
	fd_close(&c->sock);
	if (c == s->told_new) {
		s->told_new = NULL;
		s->tells = s->told;
	}
	return c->told.runs ? add_plain(s, ENTRY_CRASH, c->told.event, e) : 0;
}

static int send_away(struct server *s, struct client *c, const struct err *why, struct err *e)
{
	(void)wire_tell_error(c->sock, WIRE_LEDGER_FAILED, why);
	return part_with(s, c, e);
}

/* What was pruned is told in the ledger's own words. */
static int hear_prune(struct server *s, struct client *c, struct rbuf *r, struct err *e)
{
	const uint64_t before_ms = rbuf_u64(r), payloads = rbuf_u64(r), bytes = rbuf_u64(r);
	char before[TIMESTAMP_LEN + 1];
	auto_buf body = { .max = 256 };
	struct err wrong;

	if (append_tells(&c->told) || before_ms > stamp_wall_ms() || !timestamp_write(before_ms, before)) {
		(void)err_set(&wrong, AMBIT_PROTOCOL, NULL, "an event prunes nothing, and nobody what is to come");
		return send_away(s, c, &wrong, e);
	}
	put_pruned(&body, before, payloads, bytes);
	c->first = log_size(s->log);
	c->count = 1;
	c->wants_durable = true;
	return add_own(s, ENTRY_PRUNE, "", &body, e);
}

/* ---- another log ---- */

static unsigned others(const struct server *s, const struct client *c)
{
	unsigned n = 0;

	for (const struct client *other = s->clients; other < s->clients + SERVE_CLIENTS_MAX; other++)
		n += other != c && other->sock >= 0;
	return n;
}

static void tell_rotated(const struct server *s, int sock, unsigned number, uint64_t size)
{
	uint8_t room[12 + VKEY_TEXT_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, number);
	buf_put_u64(&b, size);
	vkey_put(&b, &s->how->store->key->public);
	(void)wire_send(sock, WIRE_LEDGER_ROTATED, &b, NULL, 0); /* it is done, whoever hears it */
}

/* The last entry of the log names the next key; the process's own stop stands before it, since it appends nothing there any more. */
static int close_log(struct server *s, struct err *e)
{
	const struct link link = { .kind = LINK_NEXT, .key = s->how->store->next->public };
	auto_buf body = { .max = LINK_BODY_MAX };
	int r = add_plain(s, ENTRY_STOP, "", e);

	link_put(&body, &link);
	if (r == 0 && body.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the ledger");
	r = r < 0 ? r : add_own(s, ENTRY_KEY, "", &body, e);
	return r < 0 ? r : publish(s, e);
}

static int rotate(struct server *s, struct client *c, struct err *e)
{
	struct store *store = s->how->store;
	uint64_t size;
	unsigned number = 0;
	int r = close_log(s, e);

	size = log_size(s->log);
	r = r < 0 ? r : store_rotate_finish(store, &number, e);
	s->log = store->current.log;
	if (r < 0)
		return r;
	s->dirty_ms = 0;
	s->tells = HELLO_NAMED;
	s->told_new = NULL;
	tell_rotated(s, c->sock, number, size);
	return add_plain(s, ENTRY_START, "", e);
}

/* What stands in the way of it is told to who asked, and nobody else is held up. */
static int hear_rotate(struct server *s, struct client *c, struct err *e)
{
	const unsigned n = others(s, c);
	struct err wrong;

	if (append_tells(&c->told))
		(void)err_set(&wrong, AMBIT_PROTOCOL, NULL,
			      "an event does not rotate the ledger that it is recorded in");
	else if (n > 0)
		(void)err_set(&wrong, AMBIT_CONFLICT, "try again when they have ended; --wait does",
			      "%u event%s recorded in the ledger just now", n, n == 1 ? " is being" : "s are being");
	else if (store_rotate_begin(s->how->store, &wrong) == 0)
		return rotate(s, c, e);
	return send_away(s, c, &wrong, e);
}

/* Negative only if the log has failed. */
static int hear(struct server *s, struct client *c, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int got = wire_receive(c->sock, WIRE_APPENDER, WIRE_RUNNING, s->room, sizeof s->room, &m);
	struct entry first = { .seq = log_size(s->log) };
	struct err wrong;

	if (got == -EAGAIN)
		return 0;
	if (got <= 0)
		return part_with(s, c, e);
	if (m.number == WIRE_LEDGER_PRUNE)
		return hear_prune(s, c, &m.body, e);
	if (m.number == WIRE_LEDGER_ROTATE)
		return hear_rotate(s, c, e);
	stamp(&first, s->how->boot);
	if (append_take(&s->message, &c->told, &first, &m.body, &wrong) < 0)
		return send_away(s, c, &wrong, e);
	return add_message(s, c, e);
}

static void answer(struct client *c, enum wire_number number)
{
	uint8_t room[16];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u64(&b, c->first);
	if (number == WIRE_LEDGER_ACCEPTED)
		buf_put_u64(&b, c->count);
	(void)wire_send(c->sock, number, &b, NULL, 0); /* one that does not read loses its answers only */
}

/* What was taken from all of them goes to the journal at once, and to disk if one of them asked for that. */
static int settle(struct server *s, struct err *e)
{
	bool durable = false;
	int r = log_write(s->log, e);

	for (struct client *c = s->clients; c < s->clients + SERVE_CLIENTS_MAX && r == 0; c++) {
		if (c->sock < 0 || c->count == 0)
			continue;
		answer(c, WIRE_LEDGER_ACCEPTED);
		durable = durable || c->wants_durable;
	}
	if (r == 0 && durable)
		r = settle_beside(s, e);
	if (r == 0 && durable)
		r = log_sync(s->log, e);
	for (struct client *c = s->clients; c < s->clients + SERVE_CLIENTS_MAX && r == 0; c++) {
		if (c->sock < 0 || c->count == 0)
			continue;
		if (c->wants_durable)
			answer(c, WIRE_LEDGER_DURABLE);
		c->count = 0;
	}
	return r;
}

/* ---- time ---- */

static bool is_due(const struct server *s, uint64_t now)
{
	return s->dirty_ms != 0 &&
	       (now - s->last_ms >= SERVE_QUIET_MS || now - s->dirty_ms >= SERVE_PUBLISH_MS || log_is_full(s->log));
}

/* Until a checkpoint is due, or the end. */
static int patience(const struct server *s)
{
	const uint64_t now = now_ms();
	uint64_t until = s->idle_ms != 0 ? s->idle_ms + SERVE_IDLE_MS : now + 3600000;

	if (s->dirty_ms != 0 && s->last_ms + SERVE_QUIET_MS < until)
		until = s->last_ms + SERVE_QUIET_MS;
	return until <= now ? 0 : (int)(until - now) + 1;
}

static nfds_t list(struct server *s)
{
	nfds_t n = 1;

	s->polled[0] = (struct pollfd){ .fd = s->how->listen_fd, .events = POLLIN };
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++)
		s->polled[n++] = (struct pollfd){ .fd = s->clients[i].sock, .events = POLLIN }; /* -1 is passed over */
	return n;
}

static bool is_alone(const struct server *s)
{
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++)
		if (s->clients[i].sock >= 0)
			return false;
	return true;
}

/* One round; *ret_over when nobody came for long enough. */
static int turn(struct server *s, bool *ret_over, struct err *e)
{
	const nfds_t n = list(s);
	int r = 0;

	if (poll(s->polled, n, patience(s)) < 0 && errno != EINTR)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for events");
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX && r == 0; i++)
		if (s->polled[1 + i].fd >= 0 && s->polled[1 + i].revents != 0)
			r = hear(s, &s->clients[i], e);
	r = r < 0 ? r : settle(s, e);
	if (r == 0 && is_due(s, now_ms())) {
		r = publish(s, e);
		s->dirty_ms = 0;
	}
	if (r == 0 && s->polled[0].revents != 0)
		meet(s);
	if (!is_alone(s))
		s->idle_ms = 0;
	else if (s->idle_ms == 0)
		s->idle_ms = now_ms();
	*ret_over = s->idle_ms != 0 && now_ms() - s->idle_ms >= SERVE_IDLE_MS;
	return r;
}

/* ---- beginning and end ---- */

/* How the log ended when it was written last: with a stop of its own, or it has no more than its link to the one before; or not. */
static bool has_stopped(const struct log *log)
{
	struct entry last;
	size_t n;
	const void *bytes = log_last(log, &n);

	return bytes == NULL || (entry_take(bytes, n, &last, NULL) == 0 && last.event[0] == 0 &&
				 (last.type == ENTRY_STOP || last.type == ENTRY_KEY));
}

/* Also if the one that made the key has died since. */
static uint8_t what_to_tell(const struct store *store)
{
	struct entry last;
	size_t n;
	const void *bytes = log_last(store->current.log, &n);

	if (store->current.found.signed_size == 0)
		return HELLO_NEW;
	return bytes != NULL && entry_take(bytes, n, &last, NULL) == 0 && last.type == ENTRY_KEY ? HELLO_NAMED
												 : HELLO_KNOWN;
}

static void put_found(struct buf *out, const struct log_found *found)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_count(json_put_key(&j, "replayed"), found->replayed);
	json_put_count(json_put_key(&j, "signed"), found->signed_size);
	json_put_count(json_put_key(&j, "torn_bytes"), found->torn_bytes);
	json_put_object_end(&j);
}

static int begin(struct server *s, const struct log_found *found, struct err *e)
{
	auto_buf body = { .max = 0 };
	int r = 0;

	buf_init(&body, 256);
	put_found(&body, found);
	if (!has_stopped(s->log))
		r = add_own(s, ENTRY_CRASH, "", &body, e);
	r = r < 0 ? r : add_plain(s, ENTRY_START, "", e);
	return r < 0 ? r : log_write(s->log, e);
}

static int end(struct server *s, struct err *e)
{
	const int r = add_plain(s, ENTRY_STOP, "", e);

	return r < 0 ? r : publish(s, e);
}

int serve_run(const struct serve *how, struct err *e)
{
	auto_free struct server *s = calloc(1, sizeof *s);
	bool over = false;
	int r;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the ledger");
	s->how = how;
	s->log = how->store->current.log;
	s->tells = what_to_tell(how->store);
	s->idle_ms = now_ms();
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++)
		s->clients[i].sock = -1;
	buf_init(&s->message.made, APPEND_MADE_MAX);
	buf_init(&s->message.results, APPEND_RESULTS_MAX);
	beside_init(&s->beside, how->store->dir_fd);
	r = begin(s, &how->store->current.found, e);
	while (r == 0 && !over)
		r = turn(s, &over, e);
	if (r == 0)
		r = end(s, e);
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++) {
		if (r < 0 && s->clients[i].sock >= 0)
			(void)wire_tell_error(s->clients[i].sock, WIRE_LEDGER_FAILED, e);
		fd_close(&s->clients[i].sock);
	}
	buf_finish(&s->message.made);
	buf_finish(&s->message.results);
	beside_finish(&s->beside);
	return r;
}
