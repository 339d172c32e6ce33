#include "cells/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/scarce.h"

#define COME_MAX (2 * SAID_BYTES_MAX)
#define WANTED_MAX 8   /* of a form, however many are taken at once */
#define COLD_MAX 2     /* that are made at once */
#define RESTS_MS 4     /* after one was taken: who has it is about to use it */
#define FADES_MS 10000 /* without one being taken, before one fewer waits */
#define POLLED_MAX (2 + 2 * CELLS_MAX)

/* ---- answers ---- */

/* What it does not take it does not want: it is alone with us, and waits for the answer. */
static void tell(struct keep *k, const char *text, size_t n)
{
	if (fd_write_all(k->told_fd, text, n + 1) < 0)
		k->ends = true;
}

static void tell_error(struct keep *k, const struct err *e)
{
	char line[sizeof e->msg + sizeof e->hint + sizeof e->why + 64];
	const int n = snprintf(line, sizeof line, "error\n%s\n%s\n%s\n%s", err_code_name((int)e->code), e->msg, e->hint,
			       e->why); /* fits */

	tell(k, line, (size_t)n);
}

static void tell_ended(struct keep *k, struct lent *l)
{
	const struct lent_end *end = &l->end;
	char line[sizeof *end + 64];
	const int n = snprintf(line, sizeof line, "ended\n%s\n%s\n%s\n%s\n%s\n%s", end->cause, end->how,
			       end->error.code != AMBIT_OK ? err_code_name((int)end->error.code) : "", end->error.msg,
			       end->error.hint, end->error.why); /* fits */

	l->asked = false;
	tell(k, line, (size_t)n);
}

/* One that is full was not looked at since, and will be. */
static void ring(struct keep *k)
{
	(void)!write(k->bell_fd, "", 1);
}

/* ---- cells that wait ---- */

static struct lent *free_place(struct keep *k)
{
	for (unsigned i = 0; i < CELLS_MAX; i++)
		if (k->cells[i].state == LENT_NONE)
			return &k->cells[i];
	return NULL;
}

/* The one that waits longest, rather one whose program has begun. */
static struct lent *find_waiting(struct keep *k, const struct form *f)
{
	struct lent *found = NULL;

	for (unsigned i = 0; i < CELLS_MAX; i++) {
		struct lent *l = &k->cells[i];

		if (l->state == LENT_WAITS && l->form == f &&
		    (found == NULL || l->warm > found->warm || (l->warm == found->warm && l->number < found->number)))
			found = l;
	}
	return found;
}

static unsigned count(const struct keep *k, const struct form *f, bool cold)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CELLS_MAX; i++)
		n += k->cells[i].state == LENT_WAITS && (cold ? !k->cells[i].warm : k->cells[i].form == f);
	return n;
}

static int begin(struct keep *k, struct form *f, struct lent **ret, struct err *e)
{
	struct lent *l = free_place(k);
	int r;

	if (l == NULL)
		return err_set(e, AMBIT_LIMIT, "let go of those that are of no more use", "there are %d cells",
			       CELLS_MAX);
	r = lent_begin(l, f, ++k->last, e);
	if (r == 0)
		*ret = l;
	return r;
}

/* Makes what is missing, and lets go of what is too much. One that cannot be made is not tried again: who asks for a cell is told why. */
static void refill(struct keep *k, struct form *f)
{
	struct lent *l;
	struct err e;

	if (f->wanted > f->ready && clock_ms() - f->taken_ms > FADES_MS) {
		f->wanted--;
		f->taken_ms = clock_ms();
	}
	while (count(k, f, false) > f->wanted && (l = find_waiting(k, f)) != NULL)
		lent_finish(l);
	if (clock_ms() - f->taken_ms < RESTS_MS)
		return;
	while (count(k, f, false) < f->wanted && count(k, f, true) < COLD_MAX && !memory_is_scarce())
		if (begin(k, f, &l, &e) < 0) {
			f->wanted = 0;
			f->ready = 0;
		}
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
	for (unsigned i = 0; i < CELLS_MAX; i++)
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
}

/* A mistake in a form is told when it is whole, and there is none then. */
static void gather(struct keep *k, const struct said *s)
{
	struct form *f = k->gathers;

	if (f != NULL && k->wrong.code == AMBIT_OK)
		(void)form_take(f, s, &k->wrong); /* told below */
	if (s->word != SAID_DONE)
		return;
	k->gathers = NULL;
	if (k->wrong.code == AMBIT_OK) {
		tell(k, "ok", 2);
		return;
	}
	tell_error(k, &k->wrong);
	err_clear(&k->wrong);
	if (f != NULL && !f->whole)
		form_finish(f);
}

static int find_or_begin(struct keep *k, uint32_t number, struct lent **ret, struct err *e)
{
	struct form *f = find_form(k, number);

	if (f == NULL)
		return err_set(e, AMBIT_NOT_FOUND, NULL, "there is no form %u", number);
	*ret = find_waiting(k, f);
	f->taken_ms = clock_ms();
	if ((*ret == NULL || !(*ret)->warm) && f->wanted > 0 && f->wanted < WANTED_MAX)
		f->wanted++;
	return *ret != NULL ? 0 : begin(k, f, ret, e);
}

static void take(struct keep *k, uint32_t number)
{
	struct lent *l = NULL;
	char line[64];
	struct err e;

	if (find_or_begin(k, number, &l, &e) < 0) {
		tell_error(k, &e);
		return;
	}
	l->state = LENT_TAKEN;
	tell(k, line,
	     (size_t)snprintf(line, sizeof line, "cell\n%u\n%d\n%d", l->number, l->to_fd, l->from_fd)); /* fits */
}

static void drop(struct lent *l)
{
	l->dropped = true;
	if (l->state == LENT_OVER)
		lent_finish(l);
	else
		lent_kill(l);
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
		l->asked = true; /* its pipes ended: so does it, by itself or not */
		lent_kill(l);
	}
}

static void let_go(struct keep *k, uint32_t number)
{
	struct form *f = find_form(k, number);

	if (f == NULL)
		return;
	f->ready = f->wanted = 0;
	refill(k, f);
	for (unsigned i = 0; i < CELLS_MAX; i++)
		if (k->cells[i].state != LENT_NONE && k->cells[i].form == f)
			return; /* it is of use, and stays */
	form_finish(f);
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
			l->until_ms = s->number[1] != 0 ? clock_ms() + s->number[1] : 0;
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
	case SAID_READY:
	case SAID_DONE:
	case SAID_WORDS: k->ends = true; break; /* of no form */
	}
}

static void answer(struct keep *k, const char *message)
{
	struct said s;
	struct err e;

	for (unsigned i = 0; i < 3; i++)
		fd_close(&k->program_end[i]); /* it speaks, so it has its own */
	if (said_take(message, &s, &e) < 0) {
		tell_error(k, &e);
		k->ends = true; /* it is of another version */
	} else if (k->gathers != NULL) {
		gather(k, &s);
	} else {
		obey(k, &s);
	}
}

static void hear(struct keep *k)
{
	uint8_t *room = buf_room(&k->came, 65536);
	const ssize_t n = room != NULL ? read(k->said_fd, room, 65536) : -1;
	size_t at = 0;

	if (n == 0 || room == NULL || (n < 0 && errno != EAGAIN && errno != EINTR))
		k->ends = true;
	if (n <= 0)
		return;
	k->came.len += (size_t)n;
	for (const uint8_t *end; !k->ends && (end = memchr(k->came.data + at, 0, k->came.len - at)) != NULL;
	     at = (size_t)(end - k->came.data) + 1)
		answer(k, (const char *)k->came.data + at);
	buf_drop(&k->came, at);
	if (k->came.len >= SAID_BYTES_MAX)
		k->ends = true;
}

/* ---- its life ---- */

int keep_init(struct keep *k, int program_pidfd, struct err *e)
{
	int said[2] = { -1, -1 }, told[2] = { -1, -1 }, bell[2] = { -1, -1 };

	k->program_pidfd = program_pidfd;
	buf_init(&k->came, COME_MAX);
	for (unsigned i = 0; i < CELLS_MAX; i++)
		k->cells[i] = (struct lent){ .to_fd = -1, .from_fd = -1, .bell_fd = -1 };
	if (pipe2(said, O_CLOEXEC) < 0 || pipe2(told, O_CLOEXEC) < 0 || pipe2(bell, O_CLOEXEC) < 0 ||
	    fd_set_nonblock(said[0], true) < 0 || fd_set_nonblock(bell[1], true) < 0)
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

static int patience(const struct keep *k)
{
	int timeout = -1;

	for (unsigned i = 0; i < CELLS_MAX; i++)
		if (k->cells[i].state != LENT_NONE)
			timeout = lent_patience(&k->cells[i], timeout);
	for (unsigned i = 0; i < FORMS_MAX; i++) {
		const struct form *f = &k->forms[i];

		if (f->wanted > f->ready && (timeout < 0 || timeout > FADES_MS))
			timeout = FADES_MS;
		if (f->wanted > 0 && (timeout < 0 || timeout > RESTS_MS) && clock_ms() - f->taken_ms <= RESTS_MS)
			timeout = RESTS_MS;
	}
	return timeout;
}

static void step(struct keep *k, struct lent *l, bool rang)
{
	const bool waits = l->state == LENT_WAITS;

	if (rang && lent_hear(l) && !waits)
		ring(k);
	if (!lent_step(l))
		return;
	if (l->asked)
		tell_ended(k, l);
	if (waits && !l->warm) /* none of it can be made: who asks for one is told why */
		l->form->ready = l->form->wanted = 0;
	if (waits || l->dropped)
		lent_finish(l);
	else
		ring(k);
}

/* What is looked at: the program, what it says, and two descriptors of each cell that is there. Gives how many. */
static unsigned look_at(const struct keep *k, struct pollfd polled[POLLED_MAX])
{
	const uint64_t now = clock_ms();
	unsigned n = 0;

	polled[n++] = (struct pollfd){ .fd = k->program_pidfd, .events = POLLIN };
	polled[n++] = (struct pollfd){ .fd = k->said_fd, .events = POLLIN };
	for (unsigned i = 0; i < CELLS_MAX; i++) {
		const struct lent *l = &k->cells[i];

		if (l->state == LENT_NONE)
			continue;
		polled[n++] = (struct pollfd){ .fd = l->ev != NULL ? ambit_event_fd(l->ev) : -1, .events = POLLIN };
		polled[n++] = (struct pollfd){ .fd = now < l->quiet_ms ? -1 : l->bell_fd, .events = POLLIN };
	}
	return n;
}

void keep_run(struct keep *k)
{
	static struct pollfd polled[POLLED_MAX];

	while (!k->ends) {
		unsigned at = 2;

		if (poll(polled, look_at(k, polled), patience(k)) < 0 && errno != EINTR)
			return;
		if (polled[0].revents != 0)
			return;
		for (unsigned i = 0; i < CELLS_MAX; i++) {
			if (k->cells[i].state == LENT_NONE)
				continue;
			step(k, &k->cells[i], polled[at + 1].revents != 0);
			at += 2;
		}
		if (polled[1].revents != 0)
			hear(k);
		for (unsigned i = 0; i < FORMS_MAX; i++)
			if (k->forms[i].whole)
				refill(k, &k->forms[i]);
	}
}

void keep_finish(struct keep *k)
{
	for (unsigned i = 0; i < CELLS_MAX; i++)
		lent_kill(&k->cells[i]); /* all at once, then one after the other is waited for */
	for (unsigned i = 0; i < CELLS_MAX; i++)
		lent_finish(&k->cells[i]);
	for (unsigned i = 0; i < FORMS_MAX; i++)
		form_finish(&k->forms[i]);
	buf_finish(&k->came);
	fd_close(&k->program_pidfd);
	fd_close(&k->said_fd);
	fd_close(&k->told_fd);
	fd_close(&k->bell_fd);
	for (unsigned i = 0; i < 3; i++)
		fd_close(&k->program_end[i]);
}
