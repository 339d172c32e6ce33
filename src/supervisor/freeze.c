#include "supervisor/freeze.h"

#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/tasks.h"
#include "wire/wire.h"

#define FIRST_NS UINT64_C(20000000)   /* until it is looked though the warden does not answer */
#define LOOK_NS UINT64_C(1000000)     /* until the next look, while something runs */
#define ASK_LOOKS 8                   /* after so many the warden looks again, too */
#define WATCH_NS UINT64_C(1000000000) /* while nothing runs */
#define SURE 2                        /* looks */

void freeze_init(struct freeze *f)
{
	f->timer_fd = -1;
}

void freeze_finish(struct freeze *f)
{
	fd_close(&f->timer_fd);
}

/* ---- what stands still ---- */

struct look {
	int proc_fd;
	uint32_t threads, running;
};

/* Who waits for what it forked by vfork(2) does so in the kernel, until that goes on; held, it comes no further. */
static bool waits_for_child(int proc_fd, uint32_t pid, uint32_t tid)
{
	const int call = tasks_call(proc_fd, pid, tid);

#ifdef SYS_vfork
	if (call == SYS_vfork)
		return true;
#endif
	return call == SYS_clone || call == SYS_clone3;
}

static void look_at(void *user, uint32_t pid, uint32_t tid)
{
	struct look *l = user;
	const char state = tasks_state(l->proc_fd, pid, tid);

	if (state == 0)
		return;
	l->threads++;
	if (strchr("TtZX", state) == NULL && !(state == 'D' && waits_for_child(l->proc_fd, pid, tid)))
		l->running++;
}

/* ---- the course of it ---- */

static void set_timer(struct freeze *f, uint64_t ns)
{
	const struct timespec each = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	const struct itimerspec when = { .it_value = each, .it_interval = each };

	if (f->timer_fd < 0)
		f->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	(void)timerfd_settime(f->timer_fd, 0, &when, NULL); /* without one, the answer of the warden is what there is */
}

static void ask(struct freeze *f, int cell)
{
	if (!f->is_asked)
		f->is_asked = wire_send(cell, WIRE_CELL_FREEZE, NULL, NULL, 0) == 0; /* else at the next look */
}

void freeze_begin(struct freeze *f, int cell, uint64_t now_ns)
{
	f->is_wanted = true;
	f->is_true = f->is_late = f->is_asked = f->is_told = false;
	f->clean = 0;
	f->times++;
	f->since_ns = now_ns;
	f->looks = 0;
	ask(f, cell);
	set_timer(f, FIRST_NS);
}

bool freeze_look(struct freeze *f, int cell, int proc_fd, uint64_t now_ns)
{
	const bool was_true = f->is_true, was_late = f->is_late;

	do {
		struct look l = { .proc_fd = proc_fd };
		const bool whole = tasks_each(proc_fd, look_at, &l) == 0;

		f->threads = l.threads;
		f->running = l.running;
		f->clean = whole && l.running == 0 ? f->clean + 1 : 0;
	} while (f->clean > 0 && f->clean < SURE);
	f->is_true = f->clean >= SURE;
	f->is_late = f->is_late || (!f->is_true && now_ns - f->since_ns >= FREEZE_PATIENCE_MS * UINT64_C(1000000));
	if (f->is_true) {
		f->looks = 0;
		if (!was_true)
			set_timer(f, WATCH_NS);
	} else {
		if (was_true || f->looks == 0)
			set_timer(f, LOOK_NS);
		if (was_true || ++f->looks % ASK_LOOKS == 0)
			ask(f, cell);
	}
	return (f->is_true && !was_true) || (f->is_late && !was_late);
}

uint64_t freeze_end(struct freeze *f, int cell, uint64_t now_ns)
{
	const uint64_t stood = now_ns - f->since_ns;

	(void)wire_send(cell, WIRE_CELL_THAW, NULL, NULL, 0); /* one that is gone or stuck is seen elsewhere */
	f->is_wanted = f->is_true = false;
	f->total_ns += stood;
	fd_close(&f->timer_fd);
	return stood;
}

uint64_t freeze_total_ms(const struct freeze *f, uint64_t now_ns)
{
	return (f->total_ns + (f->is_wanted && f->since_ns != 0 ? now_ns - f->since_ns : 0)) / 1000000;
}
