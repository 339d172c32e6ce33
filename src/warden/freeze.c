#include "warden/freeze.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/tasks.h"

/* So often is looked for threads that were made meanwhile: those of a held one are held from their beginning on. */
#define ROUNDS 32

struct walk {
	struct freeze *f;
	int proc_fd;
	uint32_t found; /* that were not held */
};

/* The kernel's own call: a C library's has an enum for what is asked, without the later ones. */
static int trace(unsigned long what, uint32_t tid, unsigned long data)
{
	return syscall(SYS_ptrace, what, (long)tid, 0L, data) < 0 ? -errno : 0;
}

static bool stands(char state)
{
	return state == 0 || strchr("TtZX", state) != NULL;
}

/* It may not be traced (a host that allows nobody to, a program that its own user may not read, a debugger of the person's). */
static void stop_by_signal(struct walk *w, uint32_t pid, uint32_t tid)
{
	struct freeze *f = w->f;

	if (stands(tasks_state(w->proc_fd, pid, tid)))
		return;
	for (uint32_t i = 0; i < f->n_signalled; i++)
		if (f->signalled[i] == pid) {
			(void)kill((pid_t)pid, SIGSTOP); /* somebody continued it */
			return;
		}
	if (f->n_signalled == FREEZE_SIGNALLED_MAX) /* who looks sees that it runs */
		return;
	f->signalled[f->n_signalled++] = pid;
	(void)kill((pid_t)pid, SIGSTOP); /* one that is gone stands still */
	w->found++;
}

/* Interrupting fails for one that is not held by us. */
static void hold(void *user, uint32_t pid, uint32_t tid)
{
	const unsigned long with_children = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	struct walk *w = user;
	int r;

	if (trace(PTRACE_INTERRUPT, tid, 0) == 0)
		return;
	r = trace(PTRACE_SEIZE, tid, with_children);
	if (r == -EPERM) {
		stop_by_signal(w, pid, tid);
	} else if (r == 0) {
		(void)trace(PTRACE_INTERRUPT, tid, 0); /* it was just seized, or is gone */
		w->found++;
	}
}

void freeze_hold(struct freeze *f, int proc_fd)
{
	struct walk w = { .f = f, .proc_fd = proc_fd };
	unsigned rounds = 0;

	f->holds = f->once = true;
	do {
		w.found = 0;
		(void)tasks_each(proc_fd, hold, &w); /* who looks sees what it missed */
	} while (w.found > 0 && ++rounds < ROUNDS);
}

/* With the signal that was about to be delivered, if it was that which it stopped for. */
static bool release(uint32_t tid)
{
	siginfo_t info;
	unsigned long number = 0;

	memset(&info, 0, sizeof info);
	if (trace(PTRACE_GETSIGINFO, tid, (unsigned long)&info) < 0)
		return false;
	if (info.si_code <= 0xff) /* above are stops of tracing: PTRACE_EVENT_STOP << 8 and others */
		number = (unsigned long)info.si_signo;
	return trace(PTRACE_DETACH, tid, number) == 0;
}

static void let_go(void *user, uint32_t pid, uint32_t tid)
{
	(void)user;
	(void)pid;
	(void)release(
		tid); /* one that waits for what it forked by vfork stops later, and is let go then (freeze_stopped) */
}

void freeze_let_go(struct freeze *f, int proc_fd)
{
	f->holds = false;
	(void)tasks_each(proc_fd, let_go, NULL);
	for (uint32_t i = 0; i < f->n_signalled; i++)
		(void)kill((pid_t)f->signalled[i], SIGCONT);
	f->n_signalled = 0;
}

bool freeze_stopped(const struct freeze *f, pid_t pid)
{
	return f->holds || (f->once && release((uint32_t)pid));
}
