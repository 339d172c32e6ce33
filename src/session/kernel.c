#include "session/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "lib/event.h"

#define HEED_MS 3000   /* for an interpreter to end a step that was interrupted */
#define DEAF_MS 2000   /* for the end of one that closed where it would say how a step ended */
#define LEAVE_MS 10000 /* for its own end: threads, and what it does at exit */
#define LONGEST_MS (UINT64_C(1) << 42)

/* Times are added to the clock. */
static uint64_t at_most(uint64_t ms)
{
	return ms < LONGEST_MS ? ms : LONGEST_MS;
}

struct kernel *kernel_new(const struct shelf *shelf, uint64_t n, enum event_kind kind, uint64_t idle_ms)
{
	struct kernel *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	k->steps_fd = shelf_file(shelf, n, SHELF_STEPS, O_RDWR | O_CREAT | O_TRUNC);
	k->n = n;
	k->kind = kind;
	k->idle_ms = idle_ms != 0 ? at_most(idle_ms) : KERNEL_IDLE_MS;
	k->used_ms = clock_ms();
	if (k->steps_fd >= 0)
		return k;
	free(k);
	return NULL;
}

void kernel_free(struct kernel *k)
{
	if (k == NULL)
		return;
	for (unsigned i = 0; i < k->n_waiting; i++)
		free(k->waiting[i].source);
	fd_close(&k->steps_fd);
	free(k);
}

/* ---- rows ---- */

static int write_row(const struct kernel *k, const struct step_row *row)
{
	uint8_t room[STEP_ROW_BYTES];
	struct buf b;
	ssize_t done;

	buf_init_in(&b, room, sizeof room);
	step_row_put(&b, row);
	do
		done = pwrite(k->steps_fd, b.data, b.len, (off_t)((row->step - 1) * STEP_ROW_BYTES));
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done == STEP_ROW_BYTES ? 0 : -ENOSPC;
}

static bool read_row(int fd, uint64_t n, uint64_t step, struct step_row *ret)
{
	uint8_t room[STEP_ROW_BYTES];
	struct rbuf in;

	if (step == 0 || step > STEPS_MAX ||
	    pread(fd, room, sizeof room, (off_t)((step - 1) * STEP_ROW_BYTES)) != (ssize_t)sizeof room)
		return false;
	rbuf_init(&in, room, sizeof room);
	return step_row_take(&in, ret) && ret->n == n && ret->step == step;
}

bool kernel_row(const struct kernel *k, const struct shelf *shelf, uint64_t n, uint64_t step, struct step_row *ret)
{
	auto_fd int fd = k == NULL ? shelf_file(shelf, n, SHELF_STEPS, O_RDONLY) : -1;

	if (k != NULL && step != 0 && (k->runs.step == step || k->told.step == step)) { /* also where a disk was full */
		*ret = k->runs.step == step ? k->runs : k->told;
		return true;
	}
	if (!read_row(k != NULL ? k->steps_fd : fd, n, step, ret))
		return false;
	if (k == NULL && !step_is_over(ret->state)) /* the process that ran it did not come to say so */
		ret->state = ret->state == STEP_RUNS ? STEP_ENDED : STEP_NEVER;
	return true;
}

/* ---- what is asked of it ---- */

int kernel_take(struct kernel *k, const char *source, size_t bytes, const struct session_step *q, uint64_t *ret_step,
		struct err *e)
{
	struct step_row row = {
		.n = k->n, .step = k->count + 1, .state = STEP_TAKEN, .taken_ms = clock_unix_ms(), .bytes = bytes
	};
	const unsigned there = k->n_waiting + (k->runs.step != 0);
	struct sha256 sum;
	char *copy;
	int r;

	if (k->ends || k->killed)
		return err_set(e, AMBIT_GONE, "start another", "the kernel ends, and takes no more steps");
	if (there >= STEPS_WAITING_MAX || row.step > STEPS_MAX)
		return err_set(e, AMBIT_LIMIT, "wait for some of them, or start another kernel",
			       there >= STEPS_WAITING_MAX ? "%u steps of the kernel run or wait"
							  : "the kernel has had its %u steps",
			       there >= STEPS_WAITING_MAX ? there : STEPS_MAX);
	if (bytes > STEPS_WAITING_BYTES - k->waiting_bytes)
		return err_set(e, AMBIT_LIMIT, "wait for some of them",
			       "the sources of steps that wait have more than %u bytes", STEPS_WAITING_BYTES);
	sha256_init(&sum);
	sha256_add(&sum, source, bytes);
	sha256_end(&sum, row.sha256);
	copy = strndup(source, bytes);
	if (copy == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a step");
	r = write_row(k, &row);
	if (r < 0) {
		free(copy);
		return err_sys(e, AMBIT_SYSTEM, -r, "make room", "cannot write the step down");
	}
	k->waiting[k->n_waiting++] = (struct kernel_step){ .step = row.step,
							   .timeout_ms = at_most(q->timeout_ms),
							   .shows = (q->flags & STEP_SHOWS) != 0,
							   .source = copy };
	k->waiting_bytes += bytes;
	*ret_step = ++k->count;
	return 0;
}

static void take_out(struct kernel *k, unsigned i)
{
	k->waiting_bytes -= strlen(k->waiting[i].source);
	free(k->waiting[i].source);
	memmove(&k->waiting[i], &k->waiting[i + 1], (--k->n_waiting - i) * sizeof k->waiting[0]);
}

/* One that waited never runs. */
static void end_waiting(struct kernel *k, unsigned i, uint32_t flags)
{
	struct step_row row;

	if (read_row(k->steps_fd, k->n, k->waiting[i].step, &row)) {
		row.state = STEP_NEVER;
		row.flags |= flags;
		row.ended_ms = clock_unix_ms();
		(void)write_row(
			k, &row); /* else it is found as one that waits, which comes to the same when all is over */
	}
	take_out(k, i);
}

/* k->why is set. */
static void end_all(struct kernel *k, struct ambit_event *ev)
{
	k->killed = true;
	(void)ambit_event_kill(ev, NULL); /* ended meanwhile is as good */
}

static void end_with(struct kernel *k, struct ambit_event *ev)
{
	(void)err_set(&k->why, AMBIT_LIMIT, "start another: what was in its memory is to be made again",
		      "step %llu %s, and the kernel ended with it", (unsigned long long)k->runs.step,
		      (k->runs.flags & STEP_STOPPED) != 0 ? "was broken off" : "took longer than it may");
	end_all(k, ev);
}

/* Not before the interpreter has all of the step: it passes over what comes while it has none. What the supervisor has no room for is tried again, too. */
static void tell_interrupt(struct kernel *k, struct ambit_event *ev)
{
	if (event_step_is_given(ev) && (!event_step_is_read(ev) || ambit_event_signal(ev, SIGINT, NULL) < 0))
		return;
	k->interrupted = event_step_is_given(ev);
	k->stopped_ms = clock_ms(); /* also while the ledger is asked, which is no fault of the step's */
}

/* Python gets a KeyboardInterrupt; Node's code cannot be broken off, so its kernel goes with it. */
static void interrupt(struct kernel *k, struct ambit_event *ev, uint32_t flags)
{
	k->runs.flags |= flags;
	if (k->stopped_ms != 0 || k->killed)
		return;
	k->stopped_ms = clock_ms();
	if (k->kind == KIND_PYTHON)
		tell_interrupt(k, ev);
	else
		end_with(k, ev);
}

int kernel_stop(struct kernel *k, uint64_t step, struct ambit_event *ev, struct err *e)
{
	if (step != 0 && step == k->runs.step) {
		interrupt(k, ev, STEP_STOPPED);
		return 0;
	}
	for (unsigned i = 0; i < k->n_waiting; i++)
		if (step == k->waiting[i].step) {
			end_waiting(k, i, STEP_STOPPED);
			return 0;
		}
	return err_set(e, AMBIT_GONE, NULL, "there is no such step that runs or waits");
}

void kernel_end(struct kernel *k)
{
	k->ends = true;
}

/* ---- what there is to do ---- */

static uint64_t length(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void begin_next(struct kernel *k, struct ambit_event *ev, const struct kernel_files *files)
{
	struct kernel_step *s = &k->waiting[0];
	int r;

	if (!read_row(k->steps_fd, k->n, s->step, &k->runs)) {
		k->runs = (struct step_row){
			.n = k->n, .step = s->step, .taken_ms = clock_unix_ms(), .bytes = strlen(s->source)
		};
	}
	r = event_step_give(ev, (uint32_t)s->step, s->source, s->shows); /* STEPS_MAX */
	if (r < 0) {
		k->runs.step = 0; /* not now; or it has ended, which shows */
		return;
	}
	k->runs.state = STEP_RUNS;
	k->runs.begun_ms = clock_unix_ms();
	/* what came behind the one before, of a thread or a timer, is told with this one */
	k->runs.out_at = k->runs.out_end = k->told.out_end;
	k->runs.err_at = k->runs.err_end = k->told.err_end;
	k->runs.result_at = k->runs.result_end = length(files->result_fd);
	k->until_ms = s->timeout_ms != 0 ? clock_ms() + s->timeout_ms : 0;
	k->stopped_ms = k->deaf_ms = 0;
	k->given = k->interrupted = false;
	(void)write_row(k, &k->runs); /* else it is found as one that waits */
	take_out(k, 0);
}

/* What it wrote since it began is its own. */
static void measure(struct kernel *k, const struct kernel_files *files)
{
	k->runs.out_end = length(files->out_fd);
	k->runs.err_end = length(files->err_fd);
	k->runs.result_end = length(files->result_fd);
}

/* Gives the row back, written; what could not be is the last word of one that is asked for it later. */
static void end_running(struct kernel *k, uint32_t state, const struct kernel_files *files)
{
	if (state != STEP_NEVER)
		measure(k, files);
	else
		k->runs.begun_ms = 0;
	k->runs.ended_ms = clock_unix_ms();
	k->runs.state = state;
	(void)write_row(k, &k->runs); /* a full disk ends the kernel, by what it writes */
	k->told = k->runs;
	k->runs.step = 0;
	k->used_ms = clock_ms();
}

static void look_after(struct kernel *k, struct ambit_event *ev, const struct kernel_files *files)
{
	static const uint32_t states[STEP_SAYS_COUNT] = {
		[STEP_SAYS_OK] = STEP_OK, [STEP_SAYS_ERROR] = STEP_ERROR, [STEP_SAYS_EXIT] = STEP_EXIT
	};
	struct step_end end;
	const int r = event_step_over(ev, &end);
	const uint64_t now = clock_ms();

	k->given = k->given || event_step_is_given(ev);
	if (r == 1) {
		k->runs.flags |= end.lost ? STEP_LOST : 0;
		end_running(k, states[end.how], files);
		k->ends = k->ends || end.how == STEP_SAYS_EXIT; /* it takes no more */
		while (end.how == STEP_SAYS_EXIT && k->n_waiting > 0)
			end_waiting(k, 0, 0);
		return;
	}
	if (k->killed)
		return;
	if (r == -AMBIT_GONE && k->deaf_ms == 0)
		k->deaf_ms = now;
	if (r == -AMBIT_PROTOCOL || (k->deaf_ms != 0 && now - k->deaf_ms >= DEAF_MS)) {
		(void)err_set(
			&k->why, AMBIT_PROTOCOL,
			"start another, and leave descriptors alone that the code did not open",
			"step %llu wrote over what tells how a step ended, or closed it: the kernel ended with it",
			(unsigned long long)k->runs.step);
		end_all(k, ev);
	} else if (k->stopped_ms != 0 && now - k->stopped_ms >= HEED_MS) {
		end_with(k, ev);
	} else if (k->stopped_ms != 0 && !k->interrupted) {
		tell_interrupt(k, ev);
	} else if (k->until_ms != 0 && now >= k->until_ms) {
		interrupt(k, ev, STEP_TIMED_OUT);
	}
}

/* Nobody uses it, or nobody will. */
static void leave(struct kernel *k, struct ambit_event *ev)
{
	const uint64_t now = clock_ms();

	if (!event_has_started(ev))
		k->used_ms = now;
	if (now - k->used_ms >= k->idle_ms)
		k->ends = true;
	if (!k->ends || k->killed || !event_has_started(ev))
		return;
	if (k->ends_ms == 0) {
		k->ends_ms = now;
		event_steps_end(ev);
	} else if (now - k->ends_ms >= LEAVE_MS) {
		(void)err_set(&k->why, AMBIT_LIMIT, "end threads and servers before the kernel ends",
			      "the kernel did not end within %d seconds after its last step", LEAVE_MS / 1000);
		end_all(k, ev);
	}
}

void kernel_step(struct kernel *k, struct ambit_event *ev, const struct kernel_files *files)
{
	struct step_end unasked;

	if (ev->told_end) /* how it ended is known, and nothing is asked of it any more */
		k->killed = true;
	if (k->runs.step != 0)
		look_after(k, ev, files);
	else if (!k->killed && event_step_over(ev, &unasked) < 0) {
		(void)err_set(
			&k->why, AMBIT_PROTOCOL,
			"start another, and leave descriptors alone that the code did not open",
			"something wrote where the kernel tells how a step ended, and none ran: it ended with that");
		end_all(k, ev);
	}
	if (k->runs.step == 0 && k->n_waiting > 0 && !k->killed)
		begin_next(k, ev, files);
	if (k->runs.step == 0 && k->n_waiting == 0)
		leave(k, ev);
}

void kernel_over(struct kernel *k, const struct kernel_files *files)
{
	if (k->runs.step != 0)
		end_running(k, k->given ? STEP_ENDED : STEP_NEVER, files);
	while (k->n_waiting > 0)
		end_waiting(k, 0, 0);
}

static void until(uint64_t at, uint64_t now, int *timeout)
{
	const int left = at <= now ? 0 : at - now > 60000 ? 60000 : (int)(at - now);

	if (*timeout < 0 || left < *timeout)
		*timeout = left;
}

int kernel_patience(const struct kernel *k, int timeout)
{
	const uint64_t now = clock_ms();

	if (k->killed)
		return timeout;
	if (k->runs.step == 0 && k->n_waiting > 0)
		until(now + 100, now, &timeout); /* until the interpreter is there, and its supervisor hears */
	else if (k->runs.step == 0)
		until(k->ends_ms != 0 ? k->ends_ms + LEAVE_MS : k->used_ms + k->idle_ms, now, &timeout);
	else if (k->deaf_ms != 0)
		until(k->deaf_ms + DEAF_MS, now, &timeout);
	else if (k->stopped_ms != 0)
		until(k->interrupted ? k->stopped_ms + HEED_MS : now + 20, now, &timeout);
	else if (k->until_ms != 0)
		until(k->until_ms, now, &timeout);
	return timeout;
}
