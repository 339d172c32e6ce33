#include "usual/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "usual/layout.h"
#include "wire/wire.h"

#define DEEDS_BYTES_MAX (4u << 20)
#define PART 60000
#define TEXTS_MAX 8 /* on their way at once: 8 MiB each */

/* A text that a client is told, as fast as it reads. */
struct telling {
	struct buf text; /* owned; empty: there is none */
	size_t at;
};

struct server {
	int listen_fd; /* borrowed */
	struct book *book;
	struct calls *calls;
	int clients[SERVE_CLIENTS_MAX];            /* owned; -1: none */
	struct calls_run *runs[SERVE_CLIENTS_MAX]; /* owned: of a gate; NULL: it is none */
	struct telling telling[SERVE_CLIENTS_MAX];
	uint64_t heard_ms[SERVE_CLIENTS_MAX]; /* since boot, likewise */
	uint64_t idle_ms;                     /* since boot: from when on nobody was there; 0: somebody is */
	struct usual_row rows[BOOK_PAGE];
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static void part_with(struct server *s, size_t i)
{
	fd_close(&s->clients[i]);
	s->clients[i] = -1;
	calls_end(s->calls, s->runs[i]);
	s->runs[i] = NULL;
	buf_finish(&s->telling[i].text);
}

static int tell(int sock, enum wire_number number, const struct buf *body)
{
	return wire_send(sock, number, body, NULL, 0);
}

/* All of a file that a client gave: it is read once, so what becomes of it meanwhile changes nothing. */
static int take_file(const struct wire_message *m, size_t most, struct buf *ret, struct err *e)
{
	struct stat st;
	ssize_t n;

	if (fstat(m->fds[0], &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > most)
		return err_set(e, AMBIT_LIMIT, NULL, "no file of %zu bytes at most", most);
	buf_init(ret, (size_t)st.st_size + 1);
	if (buf_room(ret, (size_t)st.st_size + 1) == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a file");
	n = pread(m->fds[0], ret->data, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return err_set(e, AMBIT_MALFORMED, NULL, "a file that cannot be read at once");
	ret->len = (size_t)n;
	return 0;
}

/* ---- one message ---- */

static int hear_score(struct server *s, int sock, struct wire_message *m, struct err *e)
{
	auto_buf bytes = { .max = 0 }, out = { .max = USUAL_FOUND_MAX };
	struct usual_found found;
	struct usual_ask ask;
	struct deeds d;
	int r = usual_ask_take(&m->body, &ask)
			? take_file(m, DEEDS_BYTES_MAX, &bytes, e)
			: err_set(e, AMBIT_PROTOCOL, NULL, "a question about an event that is none");

	r = r < 0 ? r : deeds_decode(bytes.data, bytes.len, &d, e);
	if (r < 0)
		return r;
	r = book_score(s->book, &ask, &d, &found, e);
	deeds_finish(&d);
	if (r < 0)
		return r;
	usual_found_put(&out, &found);
	return tell(sock, WIRE_USUAL_FOUND, &out) < 0 ? -AMBIT_GONE : 1;
}

static int hear_settle(struct server *s, struct wire_message *m, struct err *e)
{
	struct usual_settle settle;
	int r;

	if (!usual_settle_take(&m->body, &settle))
		return err_set(e, AMBIT_PROTOCOL, NULL, "a word on an event that is none");
	r = calls_settle(s->calls, &settle, e);
	return r == -AMBIT_NOT_FOUND ? book_settle(s->book, &settle, e) : r;
}

/* ---- gates ---- */

static int hear_calls(struct server *s, size_t i, struct wire_message *m, struct err *e)
{
	struct usual_begun begun = { .runs = 0 };
	auto_buf out = { .max = 64 };
	struct usual_calls who;
	int r = s->runs[i] == NULL && usual_calls_take(&m->body, &who)
			? calls_begin(s->calls, &who, &s->runs[i], &begun, e)
			: err_set(e, AMBIT_PROTOCOL, NULL, "a run of a gate that is none");

	if (r < 0)
		return r;
	usual_begun_put(&out, &begun);
	return tell(s->clients[i], WIRE_USUAL_BEGUN, &out) < 0 ? -AMBIT_GONE : 1;
}

static int hear_call(struct server *s, size_t i, struct wire_message *m, struct err *e)
{
	auto_buf out = { .max = 2048 };
	struct usual_verdict verdict;
	struct usual_call call;
	int r = s->runs[i] != NULL && usual_call_take(&m->body, &call)
			? calls_score(s->runs[i], &call, &verdict, e)
			: err_set(e, AMBIT_PROTOCOL, NULL, "a call that is none");

	if (r < 0)
		return r;
	usual_verdict_put(&out, &verdict);
	return tell(s->clients[i], WIRE_USUAL_VERDICT, &out) < 0 ? -AMBIT_GONE : 1;
}

static int hear_called(struct server *s, size_t i, struct wire_message *m, struct err *e)
{
	struct usual_called said;

	return s->runs[i] != NULL && usual_called_take(&m->body, &said)
		       ? calls_said(s->runs[i], &said, e)
		       : err_set(e, AMBIT_PROTOCOL, NULL, "a word on a call that is none");
}

/* ---- profiles ---- */

/* Those of calls first, and seeds last: so their names are in order. */
static int page_of(struct server *s, const char *after, size_t *ret_n, char ret_last[NAME_MAX + 1], struct err *e)
{
	const bool is_seed = strncmp(after, USUAL_SEED, strlen(USUAL_SEED)) == 0;
	const bool is_calls = after[0] == 0 || strncmp(after, USUAL_CALLS_OF, strlen(USUAL_CALLS_OF)) == 0;
	int r = is_calls ? calls_page(s->calls, after, s->rows, BOOK_PAGE, ret_n, ret_last, e) : 0;

	if (r < 0 || (is_calls && *ret_n > 0))
		return r;
	if (!is_seed)
		r = book_page(s->book, is_calls ? "" : after, s->rows, ret_n, ret_last, e);
	return r < 0 || (!is_seed && *ret_n > 0)
		       ? r
		       : seeds_page(s->book->seeds, after, s->rows, BOOK_PAGE, ret_n, ret_last);
}

static int hear_list(struct server *s, int sock, struct wire_message *m, struct err *e)
{
	auto_buf out = { .max = WIRE_BODY_MAX };
	char after[NAME_MAX + 1], last[NAME_MAX + 1];
	size_t n = 0;
	int r;

	rbuf_text(&m->body, after, sizeof after);
	if (!rbuf_done(&m->body))
		return err_set(e, AMBIT_PROTOCOL, NULL, "a list that is none");
	r = page_of(s, after, &n, last, e);
	if (r < 0)
		return r;
	buf_put_text(&out, last, sizeof last);
	buf_put_u32(&out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		usual_row_put(&out, &s->rows[i]);
	return tell(sock, WIRE_USUAL_PAGE, &out) < 0 ? -AMBIT_GONE : 1;
}

/* In parts, of which the last one is shorter, or empty. 1; -GONE. */
static int tell_on(struct server *s, size_t i)
{
	struct telling *t = &s->telling[i];

	for (;;) {
		const size_t left = t->text.len - t->at, n = left < PART ? left : PART;
		struct buf part = { .data = t->text.data + t->at, .len = n, .cap = n, .max = n, .lent = true };
		const int r = tell(s->clients[i], WIRE_USUAL_TEXT, &part);

		if (r == -EAGAIN)
			return 1; /* it has not read the others yet */
		if (r < 0)
			return -AMBIT_GONE;
		t->at += n;
		if (n < PART) {
			buf_finish(&t->text);
			return 1;
		}
	}
}

static int tell_text(struct server *s, size_t i, struct buf *text, struct err *e)
{
	size_t others = 0;

	for (size_t k = 0; k < SERVE_CLIENTS_MAX; k++)
		others += s->telling[k].text.len > 0;
	if (others >= TEXTS_MAX)
		return err_set(e, AMBIT_LIMIT, "try again", "%d profiles are being told already", TEXTS_MAX);
	s->telling[i] = (struct telling){ .text = *text };
	*text = (struct buf){ .max = 0 };
	return tell_on(s, i);
}

static int hear_key(struct server *s, size_t i, struct wire_message *m, struct err *e)
{
	auto_buf text = { .max = FORM_MAX };
	char key[PROFILE_NAME_MAX];
	const bool shadow = rbuf_bool(&m->body);
	int r;

	rbuf_text(&m->body, key, sizeof key);
	if (!rbuf_done(&m->body) || key[0] == 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a key that is none");
	if (seeds_is_key(key) && m->number != WIRE_USUAL_GET)
		return err_set(e, AMBIT_USAGE, "an empty file of its name in seeds.d is none (man ambit-profile)",
			       "a seed is changed by nobody here");
	switch ((unsigned)m->number) {
	case WIRE_USUAL_RESET: return calls_is_key(key) ? calls_reset(s->calls, key, e) : book_reset(s->book, key, e);
	case WIRE_USUAL_PROMOTE:
		return calls_is_key(key) ? err_set(e, AMBIT_USAGE, NULL, "what is usual of calls has no shadow")
					 : book_promote(s->book, key, e);
	default: break;
	}
	r = seeds_is_key(key)   ? seeds_get(s->book->seeds, key, &text, e)
	    : calls_is_key(key) ? calls_get(s->calls, key, &text, e)
				: book_get(s->book, key, shadow, &text, e);
	return r < 0 ? r : tell_text(s, i, &text, e);
}

static int hear_put(struct server *s, int sock, struct wire_message *m, struct err *e)
{
	auto_buf bytes = { .max = 0 }, out = { .max = PROFILE_NAME_MAX + 8 };
	char key[PROFILE_NAME_MAX];
	int r = take_file(m, FORM_MAX, &bytes, e);

	if (r == 0)
		r = call_form_is((const char *)bytes.data, bytes.len)
			    ? calls_put(s->calls, (const char *)bytes.data, bytes.len, key, e)
			    : book_put(s->book, (const char *)bytes.data, bytes.len, key, e);
	if (r < 0)
		return r;
	buf_put_text(&out, key, sizeof key);
	return tell(sock, WIRE_USUAL_KEY, &out) < 0 ? -AMBIT_GONE : 1;
}

/* 1: it was answered; 0: it is done, and that is the answer. */
static int answer(struct server *s, size_t i, struct wire_message *m, struct err *e)
{
	const int sock = s->clients[i];

	switch ((unsigned)m->number) {
	case WIRE_USUAL_SCORE: return hear_score(s, sock, m, e);
	case WIRE_USUAL_SETTLE: return hear_settle(s, m, e);
	case WIRE_USUAL_CALLS: return hear_calls(s, i, m, e);
	case WIRE_USUAL_CALL: return hear_call(s, i, m, e);
	case WIRE_USUAL_CALLED: return hear_called(s, i, m, e);
	case WIRE_USUAL_LIST: return hear_list(s, sock, m, e);
	case WIRE_USUAL_PUT: return hear_put(s, sock, m, e);
	default: return hear_key(s, i, m, e);
	}
}

static void hear(struct server *s, size_t i)
{
	auto_message m = { .n_fds = 0 };
	const int got = wire_receive(s->clients[i], WIRE_CLIENT, WIRE_RUNNING, s->room, sizeof s->room, &m);
	struct err e = { .code = AMBIT_OK };
	int r;

	if (got == -EAGAIN)
		return;
	s->heard_ms[i] = clock_boot_ms();
	if (got <= 0) {
		part_with(s, i);
		return;
	}
	r = answer(s, i, &m, &e);
	if (r == 0)
		r = tell(s->clients[i], WIRE_USUAL_DONE, NULL) < 0 ? -AMBIT_GONE : 1;
	else if (r < 0 && r != -AMBIT_GONE)
		r = wire_tell_error(s->clients[i], WIRE_USUAL_REFUSED, &e) < 0 ? -AMBIT_GONE : 1;
	if (r < 0)
		part_with(s, i); /* it does not read, or went */
}

/* ---- connections ---- */

/* A free place, or that of who has been quiet for longest; SERVE_CLIENTS_MAX: all are at work. */
static size_t make_room(struct server *s)
{
	const uint64_t now = clock_boot_ms();
	size_t quiet = SERVE_CLIENTS_MAX;

	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++) {
		if (s->clients[i] < 0)
			return i;
		if (s->telling[i].text.len == 0 && now - s->heard_ms[i] >= SERVE_QUIET_MS &&
		    (quiet == SERVE_CLIENTS_MAX || s->heard_ms[i] < s->heard_ms[quiet]))
			quiet = i;
	}
	if (quiet < SERVE_CLIENTS_MAX)
		part_with(s, quiet);
	return quiet;
}

static void meet(struct server *s)
{
	auto_fd int sock = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err e;
	size_t i;

	if (sock < 0)
		return;
	i = make_room(s);
	if (i == SERVE_CLIENTS_MAX) {
		(void)err_set(&e, AMBIT_LIMIT, "try again when others have ended",
			      "%d connections to the profiles are open already", SERVE_CLIENTS_MAX);
		(void)wire_tell_error(sock, WIRE_USUAL_FAILED, &e);
		return;
	}
	s->heard_ms[i] = clock_boot_ms();
	if (tell(sock, WIRE_USUAL_HELLO, NULL) == 0)
		s->clients[i] = steal_fd(&sock);
}

static int turn(struct server *s, bool *ret_over, struct err *e)
{
	struct pollfd p[1 + SERVE_CLIENTS_MAX] = { { .fd = s->listen_fd, .events = POLLIN } };
	bool alone = true;
	uint64_t now;

	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++) {
		p[1 + i] = (struct pollfd){ .fd = s->clients[i],
					    .events = s->telling[i].text.len > 0 ? POLLOUT : POLLIN };
		alone = alone && s->clients[i] < 0;
	}
	if (poll(p, 1 + SERVE_CLIENTS_MAX, alone ? SERVE_IDLE_MS : -1) < 0 && errno != EINTR)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for events");
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		if (s->clients[i] >= 0 && p[1 + i].revents != 0 && s->telling[i].text.len == 0)
			hear(s, i);
		else if (s->clients[i] >= 0 && p[1 + i].revents != 0 && tell_on(s, i) < 0)
			part_with(s, i);
	if (p[0].revents != 0)
		meet(s);
	now = clock_boot_ms();
	alone = true;
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		alone = alone && s->clients[i] < 0;
	s->idle_ms = !alone ? 0 : s->idle_ms == 0 ? now : s->idle_ms;
	*ret_over = s->idle_ms != 0 && now - s->idle_ms >= SERVE_IDLE_MS;
	return 0;
}

int serve_run(int listen_fd, struct book *b, struct calls *c, struct err *e)
{
	auto_free struct server *s = calloc(1, sizeof *s);
	bool over = false;
	int r = 0;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profiles");
	s->listen_fd = listen_fd;
	s->book = b;
	s->calls = c;
	s->idle_ms = clock_boot_ms();
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		s->clients[i] = -1;
	while (r == 0 && !over)
		r = turn(s, &over, e);
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		part_with(s, i);
	r = r < 0 ? r : calls_save(c, e);
	return r < 0 ? r : book_save(b, e);
}
