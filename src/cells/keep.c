#include "cells/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/libraries.h"
#include "lib/scarce.h"

#define COME_MAX (2 * SAID_BYTES_MAX)
#define READ_MAX 65536
#define TELL_MAX                                                                                                       \
	65536 /* answers that were not taken; one is not longer than a few thousand bytes, and further ones are not made then */
#define FDS 3 /* polled besides cells': the program, what it says, what it is told */
#define POLLED_MAX (FDS + LENT_FDS * PLACES_MAX)

/* ---- answers ---- */

static void flush(struct keep *k)
{
	const ssize_t n = k->goes.len > 0 ? write(k->told_fd, k->goes.data, k->goes.len) : 0;

	if (n > 0)
		buf_drop(&k->goes, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		k->ends = true; /* nobody takes it any more */
}

/* Lines up to NULL. What is within one may be what a grant or a file was called: it does not make two of it. */
static void tell(struct keep *k, const char *const *lines)
{
	for (size_t i = 0; lines[i] != NULL; i++) {
		if (i > 0)
			buf_put_u8(&k->goes, '\n');
		for (const char *c = lines[i]; *c != 0; c++)
			buf_put_u8(&k->goes, (uint8_t)(*c == '\n' ? ' ' : *c));
	}
	buf_put_u8(&k->goes, 0);
	k->ends = k->ends || k->goes.failed;
	flush(k);
}

static void tell_error(struct keep *k, const struct err *e)
{
	tell(k, (const char *const[]){ "error", err_code_name((int)e->code), e->msg, e->hint, e->why, NULL });
}

static void tell_ended(struct keep *k, const struct lent *l)
{
	const struct lent_end *end = &l->end;
	const char *code = end->error.code != AMBIT_OK ? err_code_name((int)end->error.code) : "";

	tell(k, (const char *const[]){ "ended", end->cause, end->how, code, end->error.msg, end->error.hint,
				       end->error.why, NULL });
}

static void tell_cell(struct keep *k, const struct lent *l)
{
	char number[16], to[16], from[16];

	(void)snprintf(number, sizeof number, "%u", l->number); /* these fit */
	(void)snprintf(to, sizeof to, "%d", l->to_fd);
	(void)snprintf(from, sizeof from, "%d", l->from_fd);
	tell(k, (const char *const[]){ "cell", number, to, from, NULL });
}

/* One that is full was not looked at since, and will be. */
static void ring(struct keep *k)
{
	(void)!write(k->bell_fd, "", 1);
}

/* ---- cells that wait ---- */

/* NULL: there are as many as may be. */
static struct lent *free_place(struct keep *k)
{
	struct lent *l = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < PLACES_MAX; i++) {
		const enum lent_state state = k->cells[i].state;

		if (state == LENT_NONE && l == NULL)
			l = &k->cells[i];
		n += state != LENT_NONE && state != LENT_ENDS;
	}
	return n < CELLS_MAX ? l : NULL;
}

static struct lent *find_waiting(struct keep *k, const struct form *f)
{
	struct lent *found = NULL;

	for (unsigned i = 0; i < PLACES_MAX; i++) {
		struct lent *l = &k->cells[i];

		if (l->state == LENT_WAITS && l->form == f &&
		    (found == NULL || stock_is_before((struct stock_cell){ l->warm, l->number },
						      (struct stock_cell){ found->warm, found->number })))
			found = l;
	}
	return found;
}

static unsigned count_waiting(const struct keep *k, const struct form *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PLACES_MAX; i++)
		n += k->cells[i].state == LENT_WAITS && k->cells[i].form == f;
	return n;
}

static unsigned count_cold(const struct keep *k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PLACES_MAX; i++)
		n += k->cells[i].state == LENT_WAITS && !k->cells[i].warm;
	return n;
}

static int begin(struct keep *k, struct form *f, struct lent **ret, struct err *e)
{
	struct lent *l = free_place(k);
	int r;

	if (l == NULL)
		return err_set(e, AMBIT_LIMIT, "let go of those that are of no more use", "there are %d cells",
			       CELLS_MAX);
	r = lent_begin(l, f, k->known, ++k->last, e);
	if (r == 0)
		*ret = l;
	return r;
}

static void drop(struct lent *l)
{
	lent_drop(l);
	if (l->ev == NULL)
		lent_finish(l);
}

/* Lets go of what is too much, and makes one that is missing: what the program says, and the time of cells, come between it and the next. */
static void refill(struct keep *k, struct form *f)
{
	const uint64_t now = clock_ms();
	struct lent *l;
	struct err e;

	for (uint32_t n = stock_surplus(&f->stock, count_waiting(k, f), now); n > 0; n--)
		drop(find_waiting(k, f));
	if (!stock_lacks(&f->stock, count_waiting(k, f), count_cold(k), now))
		return;
	if (memory_is_scarce() || begin(k, f, &l, &e) < 0) /* who asks for one is told why there is none */
		stock_fail(&f->stock, now);
}

/* ---- what the program says ---- */

static struct form *find_form(struct keep *k, uint32_t number)
{
	for (unsigned i = 0; i < FORMS_MAX; i++)
		if (k->forms[i].there && k->forms[i].number == number)
			return &k->forms[i];
	return NULL;
}

static struct lent *find_cell(struct keep *k, uint32_t number)
{
	for (unsigned i = 0; i < PLACES_MAX; i++)
		if (k->cells[i].state >= LENT_TAKEN && k->cells[i].number == number)
			return &k->cells[i];
	return NULL;
}

static void begin_form(struct keep *k, uint32_t number)
{
	struct form *f = NULL;

	err_clear(&k->wrong);
	for (unsigned i = 0; i < FORMS_MAX && f == NULL; i++)
		if (!k->forms[i].there)
			f = &k->forms[i];
	if (find_form(k, number) != NULL)
		(void)err_set(&k->wrong, AMBIT_CONFLICT, NULL, "form %u is there", number); /* told by `done` */
	else if (f == NULL)
		(void)err_set(&k->wrong, AMBIT_LIMIT, "let go of one", "there are %d forms", FORMS_MAX); /* likewise */
	else
		(void)form_init(f, number, &k->wrong); /* likewise */
	k->gathers = f;
	k->tells_form = true;
}

/* A mistake in a form is told when it is whole, and there is none then. */
static void gather(struct keep *k, const struct said *s)
{
	struct form *f = k->gathers;

	if (k->wrong.code == AMBIT_OK)
		(void)form_take(f, s, &k->wrong); /* told below; there is one, else that was wrong */
	if (s->word != SAID_DONE)
		return;
	k->gathers = NULL;
	k->tells_form = false;
	if (k->wrong.code == AMBIT_OK) {
		tell(k, (const char *const[]){ "ok", NULL });
		return;
	}
	tell_error(k, &k->wrong);
	err_clear(&k->wrong);
	if (f != NULL && f->there && !f->whole)
		form_finish(f);
}

/* NULL: there is none, and e says why. */
static struct lent *find_or_begin(struct keep *k, uint32_t number, struct err *e)
{
	struct form *f = find_form(k, number);
	struct lent *l = f != NULL ? find_waiting(k, f) : NULL;

	if (f == NULL) {
		(void)err_set(e, AMBIT_NOT_FOUND, NULL, "there is no form %u", number); /* told */
		return NULL;
	}
	stock_take(&f->stock, l != NULL && l->warm, clock_ms());
	if (l == NULL && begin(k, f, &l, e) < 0)
		return NULL;
	return l;
}

static void take(struct keep *k, uint32_t number)
{
	struct err e;
	struct lent *l = find_or_begin(k, number, &e);

	if (l == NULL) {
		tell_error(k, &e);
		return;
	}
	l->state = LENT_TAKEN;
	l->form = NULL;
	tell_cell(k, l);
}

static void why(struct keep *k, struct lent *l, uint32_t number)
{
	struct err e;

	if (l == NULL) {
		(void)err_set(&e, AMBIT_NOT_FOUND, NULL, "there is no cell %u", number); /* told */
		tell_error(k, &e);
	} else if (l->state == LENT_OVER) {
		tell_ended(k, l);
	} else {
		k->awaited = l;
		lent_ask(l); /* its pipes ended: so does it, by itself or not */
	}
}

/* Those of its cells that were taken have no more need of it. */
static void let_go(struct keep *k, uint32_t number)
{
	struct form *f = find_form(k, number);

	if (f == NULL)
		return;
	for (struct lent *l; (l = find_waiting(k, f)) != NULL;)
		drop(l);
	form_finish(f);
}

static void arm(struct lent *l, uint32_t ms)
{
	if (l->state == LENT_TAKEN)
		l->until_ms = ms != 0 ? clock_ms() + ms : 0;
}

static void misplaced(struct keep *k)
{
	struct err e;

	(void)err_set(&e, AMBIT_PROTOCOL, "doc/CELLS.md has the order", "a word of a form that is none"); /* told */
	tell_error(k, &e);
	k->ends = true;
}

static void obey(struct keep *k, const struct said *s)
{
	struct lent *l = find_cell(k, s->number[0]);

	switch (s->word) {
	case SAID_FORM: begin_form(k, s->number[0]); break;
	case SAID_TAKE: take(k, s->number[0]); break;
	case SAID_OPENED:
		if (l != NULL)
			lent_opened(l);
		break;
	case SAID_ARM:
		if (l != NULL)
			arm(l, s->number[1]);
		break;
	case SAID_DROP:
		if (l != NULL)
			drop(l);
		break;
	case SAID_WHY: why(k, l, s->number[0]); break;
	case SAID_FREE: let_go(k, s->number[0]); break;
	case SAID_PROGRAM:
	case SAID_ARGUMENT:
	case SAID_GRANT:
	case SAID_LIMIT:
	case SAID_WORKSPACE:
	case SAID_AGENT:
	case SAID_LEDGER:
	case SAID_OBSERVE:
	case SAID_READY:
	case SAID_DONE:
	case SAID_WORDS: misplaced(k); break;
	}
}

static void refuse(struct keep *k, const struct err *e)
{
	tell_error(k, e);
	k->ends = true; /* it is of another version */
}

static void answer(struct keep *k, const char *message, size_t n)
{
	struct said s;
	struct err e;

	for (unsigned i = 0; i < FDS; i++)
		fd_close(&k->program_end[i]); /* it speaks, so it has its own */
	if (n >= SAID_BYTES_MAX) {
		(void)err_set(&e, AMBIT_LIMIT, NULL, "a message has less than %u bytes", SAID_BYTES_MAX); /* told */
		refuse(k, &e);
	} else if (said_take(message, &s, &e) < 0) {
		refuse(k, &e);
	} else if (k->tells_form) {
		gather(k, &s);
	} else {
		obey(k, &s);
	}
}

/* Whether what is said next may be done. */
static bool is_free(const struct keep *k)
{
	return !k->ends && k->awaited == NULL && k->goes.len == 0;
}

/* Up to one for which a cell was made: before the next it is looked at what became of the others. */
static void answer_some(struct keep *k)
{
	const uint32_t last = k->last;
	const uint8_t *end = NULL;
	size_t at = 0;

	while (is_free(k) && k->last == last && (end = memchr(k->came.data + at, 0, k->came.len - at)) != NULL) {
		const size_t n = (size_t)(end - k->came.data) - at;

		answer(k, (const char *)k->came.data + at, n);
		at += n + 1;
	}
	if (at > 0)
		buf_drop(&k->came, at);
	k->more = memchr(k->came.data, 0, k->came.len) != NULL;
	if (!k->more && k->came.len >= SAID_BYTES_MAX)
		answer(k, "", k->came.len);
}

static void hear(struct keep *k)
{
	uint8_t *room = buf_room(&k->came, READ_MAX);
	const ssize_t n = room != NULL ? read(k->said_fd, room, READ_MAX) : -1;

	if (n == 0 || room == NULL || (n < 0 && errno != EAGAIN && errno != EINTR))
		k->ends = true;
	if (n > 0)
		k->came.len += (size_t)n;
}

/* ---- its life ---- */

int keep_init(struct keep *k, int program_pidfd, struct err *e)
{
	int said[2] = { -1, -1 }, told[2] = { -1, -1 }, bell[2] = { -1, -1 };

	k->program_pidfd = program_pidfd;
	k->begun_ms = clock_ms();
	k->known = libraries_new(); /* else they are looked for each time */
	buf_init(&k->came, COME_MAX);
	buf_init(&k->goes, TELL_MAX);
	for (unsigned i = 0; i < PLACES_MAX; i++)
		k->cells[i] = (struct lent){ .to_fd = -1, .from_fd = -1, .bell_fd = -1 };
	if (pipe2(said, O_CLOEXEC) < 0 || pipe2(told, O_CLOEXEC) < 0 || pipe2(bell, O_CLOEXEC) < 0 ||
	    fd_set_nonblock(said[0], true) < 0 || fd_set_nonblock(told[1], true) < 0 ||
	    fd_set_nonblock(bell[1], true) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL,
			       "no pipes for the program"); /* what is open ends with us */
	k->said_fd = said[0];
	k->told_fd = told[1];
	k->bell_fd = bell[1];
	k->program_end[0] = said[1];
	k->program_end[1] = told[0];
	k->program_end[2] = bell[0];
	return 0;
}

static int patience(const struct keep *k, uint64_t now)
{
	int timeout = -1;

	if (k->more && is_free(k))
		return 0;
	if (k->program_end[0] >= 0)
		timeout = stock_sooner(timeout, k->begun_ms + SPEAKS_MS, now);
	for (unsigned i = 0; i < PLACES_MAX; i++)
		if (k->cells[i].state != LENT_NONE)
			timeout = lent_patience(&k->cells[i], timeout, now);
	for (unsigned i = 0; i < FORMS_MAX; i++) {
		const struct form *f = &k->forms[i];

		if (!f->whole)
			continue;
		timeout = stock_patience(&f->stock, count_waiting(k, f), timeout, now);
		if (stock_lacks(&f->stock, count_waiting(k, f), count_cold(k), now))
			return 0; /* one was made, and the next is missing */
	}
	return timeout;
}

static void step(struct keep *k, struct lent *l, const struct pollfd *seen, uint64_t now)
{
	switch (lent_step(l, seen, now)) {
	case LENT_NOTHING: break;
	case LENT_RANG:
		if (l->state != LENT_WAITS)
			ring(k);
		break;
	case LENT_ENDED:
		if (k->awaited == l) {
			k->awaited = NULL;
			tell_ended(k, l);
		}
		if (l->state == LENT_WAITS) {
			stock_fail(&l->form->stock, now);
			drop(l);
		} else if (l->state == LENT_OVER) {
			ring(k);
		}
		break;
	case LENT_GONE: lent_finish(l); break;
	}
}

/* What is looked at. Gives how many. */
static unsigned look_at(const struct keep *k, struct pollfd polled[POLLED_MAX], uint64_t now)
{
	unsigned n = FDS;

	polled[0] = (struct pollfd){ .fd = k->program_pidfd, .events = POLLIN };
	polled[1] = (struct pollfd){ .fd = is_free(k) && !k->more ? k->said_fd : -1, .events = POLLIN };
	polled[2] = (struct pollfd){ .fd = k->goes.len > 0 ? k->told_fd : -1, .events = POLLOUT };
	for (unsigned i = 0; i < PLACES_MAX; i++)
		if (k->cells[i].state != LENT_NONE) {
			lent_look_at(&k->cells[i], &polled[n], now);
			n += LENT_FDS;
		}
	return n;
}

static void step_cells(struct keep *k, const struct pollfd *seen)
{
	const uint64_t now = clock_ms();

	for (unsigned i = 0; i < PLACES_MAX; i++)
		if (k->cells[i].state != LENT_NONE) {
			step(k, &k->cells[i], seen, now);
			seen += LENT_FDS;
		}
}

static void step_forms(struct keep *k)
{
	for (unsigned i = 0; i < FORMS_MAX; i++)
		if (k->forms[i].whole)
			refill(k, &k->forms[i]);
}

void keep_run(struct keep *k)
{
	static struct pollfd polled[POLLED_MAX];

	while (!k->ends) {
		const uint64_t now = clock_ms();

		if (poll(polled, look_at(k, polled, now), patience(k, now)) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (polled[0].revents != 0 || (k->program_end[0] >= 0 && clock_ms() >= k->begun_ms + SPEAKS_MS))
			return;
		step_cells(k, polled + FDS);
		if (polled[2].revents != 0)
			flush(k);
		if (polled[1].revents != 0)
			hear(k);
		answer_some(k);
		step_forms(k);
	}
}

/* What was recorded is told by its end, so each is seen to that; all at once, and none longer than it may take. */
static void see_out(struct keep *k)
{
	static struct pollfd polled[PLACES_MAX * LENT_FDS];

	for (;;) {
		const uint64_t now = clock_ms();
		int timeout = -1;
		unsigned n = 0;

		for (unsigned i = 0; i < PLACES_MAX; i++)
			if (lent_goes_on(&k->cells[i])) {
				lent_look_at(&k->cells[i], &polled[n], now);
				timeout = lent_patience(&k->cells[i], timeout, now);
				n += LENT_FDS;
			}
		if (n == 0)
			return;
		if (poll(polled, n, timeout) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		n = 0;
		for (unsigned i = 0; i < PLACES_MAX; i++)
			if (lent_goes_on(&k->cells[i])) {
				(void)lent_step(&k->cells[i], &polled[n], clock_ms()); /* looked at above */
				n += LENT_FDS;
			}
	}
}

void keep_finish(struct keep *k)
{
	for (unsigned i = 0; i < PLACES_MAX; i++)
		lent_kill(&k->cells[i]);
	see_out(k);
	for (unsigned i = 0; i < PLACES_MAX; i++)
		lent_finish(&k->cells[i]);
	for (unsigned i = 0; i < FORMS_MAX; i++)
		form_finish(&k->forms[i]);
	libraries_free(k->known);
	buf_finish(&k->came);
	buf_finish(&k->goes);
	fd_close(&k->program_pidfd);
	fd_close(&k->said_fd);
	fd_close(&k->told_fd);
	fd_close(&k->bell_fd);
	for (unsigned i = 0; i < 3; i++)
		fd_close(&k->program_end[i]);
}
