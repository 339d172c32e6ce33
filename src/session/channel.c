#include "session/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "code/code.h"
#include "session/keep.h"

#define TURN 16 /* requests before others have their turn */

void channel_init(struct channel *c)
{
	memset(c, 0, sizeof *c);
	line_init(&c->line);
	buf_init(&c->parts, RUN_BYTES_MAX);
	halts_init(&c->halts);
}

void channel_finish(struct channel *c)
{
	bool was_tied;

	line_finish(&c->line);
	halts_finish(&c->halts);
	buf_finish(&c->parts);
	was_tied = c->ties;
	channel_init(c);
	c->was_tied = was_tied;
}

/* ---- telling ---- */

static void answer_number(struct channel *c, uint32_t request, uint64_t value)
{
	uint8_t room[16];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = request, .value = value });
	line_answer(&c->line, WIRE_SESSION_DONE, &b, NULL, 0);
}

static void answer_failed(struct channel *c, uint32_t request, const struct err *e)
{
	uint8_t room[LINE_ANSWER_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_failed_put(&b, request, e);
	line_answer(&c->line, WIRE_SESSION_FAILED, &b, NULL, 0);
}

/* 0 is an answer of `value`. */
static void answer_with(struct channel *c, uint32_t request, int r, uint64_t value, const struct err *e)
{
	if (r < 0)
		answer_failed(c, request, e);
	else
		answer_number(c, request, value);
}

static bool tell_row(struct channel *c, enum wire_number number, const struct event_row *row)
{
	uint8_t room[4096];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	event_row_put(&b, row);
	return line_tell(&c->line, number, &b, NULL, 0);
}

void channel_begin(struct channel *c, struct keep *k, const struct err *why)
{
	uint8_t room[4608];
	struct session_ready ready = { .next = k->shelf.next, .oldest = k->shelf.oldest, .row = k->row };
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	if (why != NULL) {
		link_failed_put(&b, 0, why);
		(void)line_tell(&c->line, WIRE_SESSION_FAILED, &b, NULL, 0);
		channel_finish(c);
		return;
	}
	session_ready_put(&b, &ready);
	if (!line_tell(&c->line, WIRE_SESSION_READY, &b, NULL, 0))
		channel_finish(c); /* its first word always has room, unless somebody filled it up */
}

/* ---- what is told beside answers ---- */

static struct follow *find_follow(struct channel *c, uint64_t n)
{
	for (unsigned i = 0; i < CHANNEL_FOLLOWS_MAX; i++)
		if (c->follows[i].n == n)
			return &c->follows[i];
	return NULL;
}

static bool tell_grew(struct channel *c, struct follow *f, const struct event_row *row)
{
	uint8_t room[32];
	struct buf b;

	if (f->told || (f->out == row->out_bytes && f->err == row->err_bytes))
		return true;
	buf_init_in(&b, room, sizeof room);
	session_grew_put(&b, &(struct session_grew){ .n = f->n, .out = row->out_bytes, .err = row->err_bytes });
	if (!line_tell(&c->line, WIRE_SESSION_GREW, &b, NULL, 0))
		return false;
	f->told = true;
	f->out = row->out_bytes;
	f->err = row->err_bytes;
	return true;
}

static bool tell_follow(struct channel *c, struct keep *k, struct follow *f)
{
	struct event_row row;

	if (!keep_row(k, f->n, &row))
		return true;
	if (row.state == EVENT_TAKEN || row.state == EVENT_RUNS)
		return tell_grew(c, f, &row);
	if (!tell_row(c, WIRE_SESSION_OVER, &row))
		return false;
	*f = (struct follow){ .n = 0 };
	return true;
}

/* Before its event's: who waits for a step hears how that ended, and then how its kernel did. */
static bool tell_step(struct channel *c, struct keep *k, struct step_wait *w)
{
	const struct job *j = keep_job(k, w->n);
	uint8_t room[STEP_ROW_BYTES];
	struct step_row row;
	struct buf b;

	if (j != NULL && j->kernel == NULL)
		j = NULL;
	if (!kernel_row(j != NULL ? j->kernel : NULL, &k->shelf, w->n, w->step, &row))
		row = (struct step_row){ .n = w->n, .step = w->step, .state = STEP_NEVER }; /* its rows were pruned */
	if (!step_is_over(row.state))
		return true;
	buf_init_in(&b, room, sizeof room);
	step_row_put(&b, &row);
	if (!line_tell(&c->line, WIRE_SESSION_STEPPED, &b, NULL, 0))
		return false;
	*w = (struct step_wait){ .n = 0 };
	return true;
}

void channel_missed(struct channel *c, uint64_t n)
{
	if (c->missed_next == 0 || n < c->missed_next)
		c->missed_next = n;
	if (n > c->missed_end)
		c->missed_end = n;
}

static bool tell_list(struct channel *c, struct keep *k)
{
	struct event_row row;

	for (; c->list_next != 0 && c->list_next <= c->list_end; c->list_next++) /* until there is no room */
		if ((!c->list_live || keep_job(k, c->list_next) != NULL) && keep_row(k, c->list_next, &row) &&
		    !tell_row(c, WIRE_SESSION_ROW, &row))
			return false;
	if (c->list_request == 0)
		return true;
	c->list_next = c->list_end = 0;
	answer_number(c, c->list_request, k->shelf.next - 1);
	c->list_request = 0;
	return line_flush(&c->line);
}

static bool tell_change(struct channel *c, const struct event_row *row)
{
	if (c->last.n == row->n && c->last.state == row->state && c->last.flags == row->flags)
		return true;
	if (!tell_row(c, WIRE_SESSION_CHANGED, row))
		return false;
	c->last.n = row->n;
	c->last.state = row->state;
	c->last.flags = row->flags;
	return true;
}

/* Of what changes again it is told then. */
static bool changes_again(const struct keep *k, uint64_t seen, uint64_t n)
{
	for (uint64_t i = seen; i < k->n_changes; i++)
		if (k->changes[i % KEEP_CHANGES] == n)
			return true;
	return false;
}

/* Whatever it lists beside: who asked for those that run alone hears of the ends of all. */
static bool tell_missed(struct channel *c, struct keep *k)
{
	struct event_row row;

	for (; c->missed_next != 0 && c->missed_next <= c->missed_end; c->missed_next++)
		if (!changes_again(k, c->changes_seen, c->missed_next) && keep_row(k, c->missed_next, &row) &&
		    !tell_change(c, &row))
			return false;
	c->missed_next = c->missed_end = 0;
	return true;
}

static bool tell_changes(struct channel *c, struct keep *k)
{
	struct event_row row;

	while (c->follows_all && c->changes_seen < k->n_changes) {
		const uint64_t n = k->changes[c->changes_seen % KEEP_CHANGES];

		if (!changes_again(k, c->changes_seen + 1, n) && keep_row(k, n, &row) && !tell_change(c, &row))
			return false;
		c->changes_seen++;
	}
	return true;
}

static bool tell_news(struct channel *c, struct keep *k)
{
	for (unsigned i = 0; i < CHANNEL_FOLLOWS_MAX; i++)
		if (c->steps[i].n != 0 && !tell_step(c, k, &c->steps[i]))
			return false;
	for (unsigned i = 0; i < CHANNEL_FOLLOWS_MAX; i++)
		if (c->follows[i].n != 0 && !tell_follow(c, k, &c->follows[i]))
			return false;
	return tell_list(c, k) && tell_missed(c, k) && tell_changes(c, k);
}

/* ---- what it asks ---- */

static void on_part(struct channel *c, struct wire_message *m)
{
	const size_t n = rbuf_left(&m->body);

	buf_put(&c->parts, rbuf_bytes(&m->body, n), n);
	if (c->parts.failed)
		channel_finish(c);
}

static void on_run(struct channel *c, struct keep *k, struct wire_message *m)
{
	auto_buf bytes = c->parts; /* taken, whatever comes of it */
	struct link_number q;
	struct session_taken taken;
	uint8_t room[64];
	struct buf b;
	struct err e;

	buf_init(&c->parts, RUN_BYTES_MAX);
	if (!link_number_take(&m->body, &q)) {
		channel_finish(c);
		return;
	}
	if (keep_take(k, bytes.data, bytes.len, &taken, &e) < 0) {
		answer_failed(c, q.request, &e);
		return;
	}
	taken.request = q.request;
	buf_init_in(&b, room, sizeof room);
	session_taken_put(&b, &taken);
	line_answer(&c->line, WIRE_SESSION_TAKEN, &b, NULL, 0);
}

/* ---- steps ---- */

static struct kernel *kernel_of(struct keep *k, uint64_t n, struct err *e)
{
	struct job *j = keep_job(k, n);
	const unsigned long long number = n;
	struct event_row row;

	if (j != NULL && j->kernel != NULL && j->row.state != EVENT_OVER)
		return j->kernel;
	if (n == 0 || !keep_row(k, n, &row))
		(void)err_set(e, AMBIT_NOT_FOUND, "ambit events", "the session has no event %llu", number);
	else if ((row.flags & EVENT_KERNEL) == 0)
		(void)err_set(e, AMBIT_USAGE, "name one that `ambit events` lists as a kernel, or start one",
			      "event %llu is no kernel", number);
	else
		(void)err_set(e, AMBIT_GONE, "start another", "the kernel %llu has ended", number);
	return NULL;
}

/* A place for whoever waits for its end. */
static int wait_for(struct channel *c, uint64_t n, uint64_t step, struct err *e)
{
	for (unsigned i = 0; step != 0 && i < CHANNEL_FOLLOWS_MAX; i++)
		if (c->steps[i].n == n && c->steps[i].step == step)
			return 0; /* told once, to all who asked here */
	for (unsigned i = 0; i < CHANNEL_FOLLOWS_MAX; i++)
		if (c->steps[i].n == 0) {
			c->steps[i] = (struct step_wait){ .n = n, .step = step };
			return 0;
		}
	return err_set(e, AMBIT_LIMIT, "wait for some of them", "%d steps are waited for on this connection",
		       CHANNEL_FOLLOWS_MAX);
}

static int take_step(struct channel *c, struct keep *k, const struct buf *source, const struct session_step *q,
		     uint64_t *ret, struct err *e)
{
	struct kernel *kernel = kernel_of(k, q->n, e);
	const char *text = source->len > 0 ? (const char *)source->data : "";
	int r = kernel != NULL ? wait_for(c, q->n, 0, e) : -(int)e->code;

	if (r == 0 && (source->len > CODE_SOURCE_MAX || memchr(text, 0, source->len) != NULL))
		r = err_set(e, AMBIT_USAGE, "put it into a file, and run that",
			    "the code has more than %u bytes, or a NUL in it", CODE_SOURCE_MAX);
	r = r < 0 ? r : kernel_take(kernel, text, source->len, q, ret, e);
	for (unsigned i = 0; i < CHANNEL_FOLLOWS_MAX; i++)
		if (c->steps[i].n == q->n && c->steps[i].step == 0)
			c->steps[i] = r < 0 ? (struct step_wait){ .n = 0 }
					    : (struct step_wait){ q->n, *ret, q->request };
	return r;
}

static void on_step(struct channel *c, struct keep *k, struct wire_message *m)
{
	auto_buf source = c->parts; /* taken, whatever comes of it */
	struct session_step q;
	uint64_t step = 0;
	struct err e;
	int r;

	buf_init(&c->parts, RUN_BYTES_MAX);
	if (!session_step_take(&m->body, &q)) {
		channel_finish(c);
		return;
	}
	r = take_step(c, k, &source, &q, &step, &e);
	answer_with(c, q.request, r, step, &e);
}

static int on_step_wait(struct channel *c, struct keep *k, const struct session_event *q, struct err *e)
{
	const struct job *j = keep_job(k, q->n);
	struct step_row row;

	if (q->n == 0 || !kernel_row(j != NULL ? j->kernel : NULL, &k->shelf, q->n, q->a, &row))
		return err_set(e, AMBIT_NOT_FOUND, NULL, "event %llu has no step %u", (unsigned long long)q->n, q->a);
	return wait_for(c, q->n, q->a, e);
}

/* Who gave a step may not know its number yet. 0: it is over, or was none. */
static uint64_t step_given(const struct channel *c, uint64_t n, uint32_t request)
{
	for (unsigned i = 0; request != 0 && i < CHANNEL_FOLLOWS_MAX; i++)
		if (c->steps[i].n == n && c->steps[i].request == request)
			return c->steps[i].step;
	return 0;
}

static int on_step_stop(const struct channel *c, struct keep *k, const struct session_event *q, struct err *e)
{
	struct kernel *kernel = kernel_of(k, q->n, e);
	const uint64_t step = q->a != 0 ? q->a : step_given(c, q->n, q->b);

	return kernel == NULL ? -(int)e->code : kernel_stop(kernel, step, keep_job(k, q->n)->ev, e);
}

static int on_steps_end(struct keep *k, uint64_t n, struct err *e)
{
	struct kernel *kernel = kernel_of(k, n, e);

	if (kernel == NULL)
		return -(int)e->code;
	kernel_end(kernel);
	return 0;
}

/* Of what was pruned, or wrote nothing, there is an empty file. */
static int open_kept(const struct keep *k, uint64_t n, enum shelf_kind kind)
{
	const int fd = shelf_file(&k->shelf, n, kind, O_RDONLY);

	return fd == -ENOENT ? open("/dev/null", O_RDONLY | O_CLOEXEC) : fd;
}

/* An end of its own, since flags go with the open file: who writes to it never waits, whatever another client does to his. */
static int open_input(const struct job *j)
{
	char path[40];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", j->input_fd); /* fits */
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void give_files(struct channel *c, uint32_t request, uint64_t n, int *fds, unsigned n_fds)
{
	uint8_t room[16];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .request = request, .value = n });
	line_answer(&c->line, WIRE_SESSION_FILES, &b, fds, n_fds);
}

/* a: 1: with what its input is written to; 2: with its result. */
static void on_follow(struct channel *c, struct keep *k, const struct session_event *q)
{
	struct follow *f = find_follow(c, q->n), *place = f != NULL ? f : find_follow(c, 0);
	struct job *j = keep_job(k, q->n);
	int fds[3] = { -1, -1, -1 };
	unsigned n = 2;
	struct event_row row;
	struct err e;

	if (q->n == 0 || !keep_row(k, q->n, &row) || place == NULL) {
		if (place == NULL)
			(void)err_set(&e, AMBIT_LIMIT, "follow fewer, or on another connection",
				      "%d events are followed already", CHANNEL_FOLLOWS_MAX);
		else
			(void)err_set(&e, AMBIT_NOT_FOUND, "ambit events", "the session has no event %llu",
				      (unsigned long long)q->n);
		answer_failed(c, q->request, &e);
		return;
	}
	fds[0] = open_kept(k, q->n, SHELF_OUT);
	fds[1] = open_kept(k, q->n, SHELF_ERR);
	if (q->a == 1 && j != NULL && j->input_fd >= 0)
		fds[n++] = open_input(j);
	else if (q->a == 2)
		fds[n++] = open_kept(k, q->n, SHELF_RESULT);
	if (fds[0] < 0 || fds[1] < 0 || fds[n - 1] < 0) {
		(void)err_set(&e, AMBIT_SYSTEM, NULL, "cannot open what the event wrote");
		answer_failed(c, q->request, &e);
		for (unsigned i = 0; i < 3; i++)
			if (fds[i] >= 0)
				fd_close(&fds[i]);
		return;
	}
	*place = (struct follow){ .n = q->n };
	give_files(c, q->request, q->n, fds, n);
}

static void on_record(struct channel *c, const struct keep *k, const struct session_event *q)
{
	const enum shelf_kind kind = q->a == 1 ? SHELF_RESULT : SHELF_RECORD;
	int fd = shelf_file(&k->shelf, q->n, kind, O_RDONLY);
	struct err e;

	if (q->n > 0 && q->n < k->shelf.next && fd >= 0) {
		give_files(c, q->request, q->n, &fd, 1);
		return;
	}
	if (fd >= 0)
		fd_close(&fd);
	(void)err_set(
		&e, AMBIT_NOT_FOUND, "`ambit ledger show` has it, if it was recorded there",
		"there is no %s of event %llu: it is not over, was interrupted, has none, or is not kept any more",
		kind == SHELF_RESULT ? "result" : "record", (unsigned long long)q->n);
	answer_failed(c, q->request, &e);
}

static void on_seen(struct channel *c, const struct session_event *q)
{
	struct follow *f = q->n != 0 ? find_follow(c, q->n) : NULL;

	if (f != NULL)
		f->told = false;
}

static int on_input_end(struct keep *k, uint64_t n, struct err *e)
{
	struct job *j = keep_job(k, n);

	if (j == NULL || j->input_fd < 0)
		return err_set(e, AMBIT_GONE, NULL, "the event takes no input");
	fd_close(&j->input_fd);
	return 0;
}

static int gone(uint64_t n, struct err *e)
{
	return err_set(e, AMBIT_GONE, "ambit events", "event %llu does not run", (unsigned long long)n);
}

/* The last of a list that was asked for. */
static uint64_t last_of(const struct keep *k, const struct session_event *q)
{
	const uint64_t last = k->shelf.next - 1;

	return q->b != 0 && q->n <= last && q->b < last - q->n + 1 ? q->n + q->b - 1 : last;
}

static void on_list(struct channel *c, struct keep *k, const struct session_event *q)
{
	struct err e;

	if (q->request == 0 || q->n == 0) {
		channel_finish(c); /* numbers begin at 1, as requests do that are answered at some time */
		return;
	}
	if (c->list_request != 0) {
		(void)err_set(&e, AMBIT_CONFLICT, "wait for its end", "a list is being told already");
		answer_failed(c, q->request, &e);
		return;
	}
	if (q->a == 1 && !c->follows_all) {
		c->follows_all = true;
		c->changes_seen = k->n_changes;
	}
	c->list_request = q->request;
	c->list_live = q->a == 2;
	c->list_next = c->list_live && q->n < keep_oldest_job(k) ? keep_oldest_job(k) : q->n;
	c->list_end = last_of(k, q); /* before the first, if there is none: then it ends at once */
}

static void on_event(struct channel *c, struct keep *k, enum wire_number what, const struct session_event *q)
{
	struct job *j = keep_job(k, q->n);
	struct err e;

	if (what == WIRE_SESSION_FOLLOW)
		on_follow(c, k, q);
	else if (what == WIRE_SESSION_RECORD)
		on_record(c, k, q);
	else if (what == WIRE_SESSION_SEEN)
		on_seen(c, q);
	else if (what == WIRE_SESSION_LIST)
		on_list(c, k, q);
	else if (what == WIRE_SESSION_CANCEL)
		answer_with(c, q->request, keep_cancel(k, q->n, &e), q->n, &e);
	else if (what == WIRE_SESSION_INPUT_END)
		answer_with(c, q->request, on_input_end(k, q->n, &e), q->n, &e);
	else if (what == WIRE_SESSION_STEP_WAIT)
		answer_with(c, q->request, on_step_wait(c, k, q, &e), q->a, &e);
	else if (what == WIRE_SESSION_STEPS_END)
		answer_with(c, q->request, on_steps_end(k, q->n, &e), q->n, &e);
	else if (what == WIRE_SESSION_STEP_STOP)
		answer_with(c, q->request, on_step_stop(c, k, q, &e), q->a, &e);
	else if (what == WIRE_SESSION_SIGNAL)
		answer_with(c, q->request, j == NULL ? gone(q->n, &e) : job_signal(j, q->a <= 64 ? (int)q->a : 0, &e),
			    q->n, &e);
	else
		answer_with(c, q->request, j == NULL ? gone(q->n, &e) : job_resize(j, q->a, q->b, &e), q->n, &e);
}

static void on_close(struct channel *c, struct keep *k, struct wire_message *m)
{
	struct link_number q;
	struct err e;

	if (!link_number_take(&m->body, &q) || q.value > 1) {
		channel_finish(c);
		return;
	}
	c->ties = c->ties || q.value == 1;
	answer_with(c, q.request, q.value == 1 ? 0 : keep_close(k, &e), k->shelf.next - 1, &e);
}

/* ---- what is to stand still ---- */

/* One event of it. 1: it had not begun, and never does. */
static int name_event(struct keep *k, struct link_halt *q, struct err *e)
{
	const struct job *j = keep_job(k, q->n);
	struct event_row row;

	if (!keep_row(k, q->n, &row))
		return err_set(e, AMBIT_NOT_FOUND, "ambit events", "the session has no event %llu",
			       (unsigned long long)q->n);
	if (j != NULL && !j->runs && j->row.state == EVENT_TAKEN && q->deed == HALT_KILL)
		return keep_cancel(k, q->n, e) < 0 ? -(int)e->code : 1;
	if ((j == NULL || !j->runs) && q->deed != HALT_THAW)
		return gone(q->n, e);
	memcpy(q->what, row.event, sizeof q->what);
	return 0;
}

/* It can be nothing but this session, and what runs in it. */
static void on_halt(struct channel *c, struct keep *k, struct rbuf *in)
{
	struct link_halted done = { .cancelled = 1 };
	struct link_halt q;
	uint8_t room[16];
	struct err e;
	struct buf b;
	int r = 0;

	if (!link_halt_take(in, &q) || q.what[0] != 0) {
		channel_finish(c);
		return;
	}
	if (q.n != 0)
		r = name_event(k, &q, &e);
	else
		memcpy(q.what, k->row.session, sizeof q.what);
	if (r == 0)
		r = halts_ask(&c->halts, &q, environ, &e);
	if (r < 0) {
		answer_failed(c, q.request, &e);
	} else if (r == 1) {
		buf_init_in(&b, room, sizeof room);
		done.request = q.request;
		link_halted_put(&b, &done);
		line_answer(&c->line, WIRE_SESSION_HALTED, &b, NULL, 0);
	}
}

static void hear(struct channel *c, struct keep *k)
{
	auto_message m = { .n_fds = 0 };
	struct session_event q;
	const int r = wire_receive(c->line.sock, WIRE_CLIENT, WIRE_RUNNING, k->room, sizeof k->room, &m);

	if (r == -EAGAIN)
		return;
	line_heard(&c->line, 1);
	if (r <= 0)
		channel_finish(c); /* it went, or said what nobody may */
	else if (m.number == WIRE_SESSION_PART)
		on_part(c, &m);
	else if (m.number == WIRE_SESSION_RUN)
		on_run(c, k, &m);
	else if (m.number == WIRE_SESSION_STEP)
		on_step(c, k, &m);
	else if (m.number == WIRE_SESSION_CLOSE)
		on_close(c, k, &m);
	else if (m.number == WIRE_SESSION_HALT)
		on_halt(c, k, &m.body);
	else if (m.number >= WIRE_SESSION_READY && session_event_take(&m.body, &q))
		on_event(c, k, m.number, &q);
	else
		channel_finish(c); /* it speaks to the daemon */
}

void channel_hear(struct channel *c, struct keep *k)
{
	struct pollfd p = { .fd = c->line.sock, .events = POLLIN };

	for (unsigned i = 0; i < TURN && line_may_hear(&c->line) && line_flush(&c->line) && poll(&p, 1, 0) == 1; i++)
		hear(c, k);
}

void channel_tell(struct channel *c, struct keep *k)
{
	halts_tell(&c->halts, &c->line, WIRE_SESSION_HALTED, WIRE_SESSION_FAILED, environ);
	if (line_flush(&c->line) && line_has_room(&c->line))
		(void)tell_news(c, k);
}
