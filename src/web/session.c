/* The processes that serve, and whose they are. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "web/web.h"

#define SESSION_BYTES 16

/* ---- they come and go ---- */

static bool is_at_rest(const struct server *s)
{
	for (size_t i = 0; i < WEB_ASKED_MAX; i++)
		if (s->asked[i].used)
			return false;
	return s->state == SERVER_OPEN && s->listens == NULL;
}

static void forget(struct server *s)
{
	for (size_t i = 0; i < s->n_kept; i++)
		buf_finish(&s->kept[i].line);
	buf_finish(&s->in);
	buf_finish(&s->out);
	fd_close(&s->fd);
	memset(s, 0, sizeof *s);
	s->fd = -1;
}

/* why NULL: nobody is to be told. */
void session_end(struct web *w, struct server *s, const char *why)
{
	struct conn *listens = s->listens;

	for (size_t i = 0; i < WEB_ASKED_MAX; i++)
		if (s->asked[i].used)
			route_lost(w, s, &s->asked[i], why != NULL ? why : "the session is over");
	for (size_t i = 0; i < WEB_CONNS_MAX; i++)
		if (w->conns[i].from == s)
			w->conns[i].from = NULL;
	s->listens = NULL;
	if (listens != NULL) {
		stream_end(listens);
		listens->server = NULL;
		listens->closes = true;
		listens->state = CONN_ENDS;
		listens->since_ms = w->now_ms;
	}
	forget(s);
}

static unsigned count_of(const struct web *w, const struct who *who)
{
	unsigned n = 0;

	for (size_t i = 0; i < WEB_SERVERS_MAX; i++)
		n += w->servers[i].state != SERVER_NONE && who_is_same(&w->servers[i].who, who);
	return n;
}

/* Who heard what it was told and does not any more has gone, or comes back soon. */
static bool is_spare(const struct web *w, const struct server *s)
{
	return is_at_rest(s) && w->now_ms - s->used_ms > (s->was_heard ? WEB_GONE_MS : WEB_SPARE_MS);
}

/* whose: one of theirs is given up; NULL: of anybody's the one that was not used for longest, if none is free. */
static struct server *free_place(struct web *w, const struct who *whose)
{
	struct server *spare = NULL;

	for (size_t i = 0; i < WEB_SERVERS_MAX; i++) {
		struct server *s = &w->servers[i];

		if (s->state == SERVER_NONE && whose == NULL)
			return s;
		if (is_spare(w, s) && (whose == NULL || who_is_same(&s->who, whose)) &&
		    (spare == NULL || s->used_ms < spare->used_ms))
			spare = s;
	}
	if (spare != NULL)
		session_end(w, spare, NULL);
	return spare;
}

static bool is_full(struct no *no, const char *why)
{
	(void)no_set(no, 503, NO_SERVER, "end a session (DELETE), or wait", "%s", why);
	no->err.code = AMBIT_LIMIT;
	no->retry_s = 5;
	return false;
}

struct server *session_new(struct web *w, const struct who *who, bool modern, struct no *no)
{
	uint8_t id[SESSION_BYTES], room[8];
	struct server *s;
	struct buf body;
	struct err e;

	s = free_place(w, w->rules.auth == WEB_AUTH_OAUTH && count_of(w, who) >= WEB_SERVERS_EACH ? who : NULL);
	if (s == NULL) {
		(void)is_full(no, "there are as many sessions as there may be");
		return NULL;
	}
	*s = (struct server){
		.modern = modern, .number = ++w->last_server, .fd = -1, .who = *who, .used_ms = w->now_ms
	};
	buf_init(&s->in, WEB_LINE_MAX + WEB_READ);
	buf_init(&s->out, WEB_TO_SERVER_MAX + WEB_BODY_MAX);
	buf_init_in(&body, room, sizeof room);
	web_number_put(&body, s->number);
	if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id || port_send(&w->owner, WIRE_WEB_OPEN, &body, &e) < 0) {
		(void)is_full(no, "no process can be started");
		return NULL;
	}
	s->state = SERVER_OPENING;
	if (!modern)
		hex_write(id, sizeof id, s->id);
	return s;
}

struct server *session_find(struct web *w, const struct who *who, const char *id)
{
	for (size_t i = 0; i < WEB_SERVERS_MAX; i++) {
		struct server *s = &w->servers[i];

		if (s->state != SERVER_NONE && s->id[0] != 0 && strcmp(s->id, id) == 0 && who_is_same(&s->who, who))
			return s;
	}
	return NULL;
}

struct server *session_modern(struct web *w, const struct who *who)
{
	for (size_t i = 0; i < WEB_SERVERS_MAX; i++) {
		struct server *s = &w->servers[i];

		if (s->state != SERVER_NONE && s->modern && who_is_same(&s->who, who))
			return s;
	}
	return NULL;
}

void session_opened(struct web *w, uint32_t number, int fd)
{
	for (size_t i = 0; i < WEB_SERVERS_MAX; i++) {
		struct server *s = &w->servers[i];

		if (s->state != SERVER_OPENING || s->number != number)
			continue;
		if (fd < 0 || fd_set_nonblock(fd, true) < 0) {
			fd_close(&fd);
			session_end(w, s, "no process can be started");
			return;
		}
		s->fd = fd;
		s->state = SERVER_OPEN;
		return;
	}
	fd_close(&fd); /* nobody waits for it any more: it ends */
}

/* ---- bytes ---- */

/* A client that does not take what it is told holds its server up, and nobody else's. */
bool session_reads(const struct web *w, const struct server *s)
{
	for (size_t i = 0; i < WEB_CONNS_MAX; i++) {
		const struct conn *c = &w->conns[i];

		if (c->fd >= 0 && c->from == s && c->out.len - c->out_at > WEB_OUT_LOW)
			return false;
	}
	return true;
}

static bool tell(struct server *s)
{
	while (s->out_at < s->out.len) {
		const ssize_t n = write(s->fd, s->out.data + s->out_at, s->out.len - s->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			break;
		s->out_at += (size_t)n;
	}
	buf_drop(&s->out, s->out_at);
	s->out_at = 0;
	if (s->out.len == 0 && s->out.cap > WEB_OUT_LOW && !s->out.failed)
		buf_finish(&s->out);
	return !s->out.failed;
}

/* Lines that are whole, as long as who hears them takes them. */
static void take_lines(struct web *w, struct server *s)
{
	size_t from = 0;

	while (s->state == SERVER_OPEN && session_reads(w, s)) {
		const uint8_t *end = s->looked < s->in.len ? memchr(s->in.data + s->looked, '\n', s->in.len - s->looked)
							   : NULL;
		const uint32_t number = s->number;

		if (end == NULL) {
			s->looked = s->in.len;
			break;
		}
		s->looked = (size_t)(end + 1 - s->in.data);
		route_line(w, s, (const char *)s->in.data + from, (size_t)(end - s->in.data) - from);
		if (s->number != number)
			return; /* it is over, and its bytes are gone */
		from = s->looked;
	}
	buf_drop(&s->in, from);
	s->looked -= from;
	if (s->in.len == 0 && s->in.cap > WEB_OUT_LOW)
		buf_finish(&s->in);
}

static bool hear(struct web *w, struct server *s)
{
	const ssize_t n = read(s->fd, w->page, sizeof w->page);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	buf_put(&s->in, w->page, (size_t)n);
	return !s->in.failed;
}

void session_turn(struct web *w, struct server *s, short events)
{
	const uint32_t number = s->number;
	bool good = true;

	if ((events & POLLIN) != 0)
		good = hear(w, s);
	else if ((events & (POLLHUP | POLLERR)) != 0)
		good = false;
	take_lines(w, s);
	if (s->number == number && s->state == SERVER_OPEN && (!good || !tell(s)))
		session_end(w, s, "the server ended");
}

void session_tick(struct web *w, struct server *s)
{
	if (!is_at_rest(s) && s->state == SERVER_OPEN)
		s->used_ms = w->now_ms;
	else if (s->state == SERVER_OPEN && w->now_ms - s->used_ms > WEB_LEAVE_MS)
		session_end(w, s, NULL);
}
