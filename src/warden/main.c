/* The warden: process 1 of a cell. Takes what it is to build, builds the wall around itself, starts the workload behind one
 * more layer of it, locks itself down, then watches until the workload or the supervisor is gone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell/build.h"
#include "cell/filter.h"
#include "cell/spec.h"
#include "warden/eye.h"
#include "warden/freeze.h"
#include "warden/promise.h"
#include "warden/ring.h"
#include "warden/template.h"
#include "warden/workload.h"
#include "wire/wire.h"

#define SUPERVISOR_FD 3

struct warden {
	int sock;        /* owned: the supervisor; when it goes, the cell goes */
	int signal_fd;   /* owned */
	int patience_fd; /* owned: timer that runs out when the supervisor is silent for too long */
	int report_fd;   /* owned: the workload before exec, -1 after */
	int template_fd; /* owned: of which the workload is to be a copy; -1: of none */
	int status_fd;   /* owned: by which the end of a copy is told; -1: it is no copy */
	int stdio_fd[3];
	int program_fd;
	int code_fd[2]; /* -1: it is no code, or that comes with the program */
	struct cell_spec spec;
	struct cell_program program;
	struct cell_trees trees;
	struct cell_made made;
	struct net_making network;
	struct eye eye;
	struct ring ring; /* in place of it, where the kernel's programs see */
	struct freeze freeze;
	pid_t pid;
	struct template_end ended; /* its status as waitpid gives it; the rest of a copy alone, which is no child */
	bool done;
	bool waits;                              /* for its program, which comes when the cell stands */
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX]; /* touched as far as used */
};

_Noreturn static void end(int status)
{
	/* As process 1 it takes everything else in the cell with it, but the kernel does that only after its descriptors are closed,
	 * the listener among them. Started in any other way it would end whatever its user may end. */
	if (getpid() == 1)
		(void)kill(-1, SIGKILL);
	_exit(status);
}

/* Everything else in the cell ends first, and what it did is noted then. Whoever asked for it kills this process, too, if that takes long. */
_Noreturn static void end_all(struct warden *w)
{
	if (getpid() == 1)
		(void)kill(-1, SIGKILL);
	while (w->ring.fd >= 0 && (waitpid(-1, NULL, 0) > 0 || errno == EINTR))
		;
	ring_read(&w->ring, &w->eye.arena);
	_exit(1);
}

_Noreturn static void give_up(struct warden *w, const struct cell_failure *f)
{
	uint8_t body[12];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, (uint32_t)f->step);
	buf_put_u32(&b, (uint32_t)f->sys_errno);
	buf_put_u32(&b, f->index);
	(void)wire_send(w->sock, WIRE_CELL_FAILED, &b, NULL, 0); /* if the supervisor is gone, nobody asks */
	end(1);
}

_Noreturn static void give_up_at(struct warden *w, enum cell_step step, int sys_errno)
{
	struct cell_failure f;

	(void)build_failed(&f, step, sys_errno);
	give_up(w, &f);
}

/* Trees prepared by a privileged supervisor come one by one before the build message. */
static void take_tree(struct warden *w, struct wire_message *m)
{
	const uint32_t index = rbuf_u32(&m->body);

	if (index >= CELL_TREES_MAX)
		give_up_at(w, STEP_DECODE, EPROTO);
	fd_close(&w->trees.fd[index]);
	w->trees.fd[index] = steal_fd(&m->fds[0]);
}

static void take_build(struct warden *w, struct wire_message *m)
{
	const uint32_t present = rbuf_u32(&m->body);
	size_t next = 2;

	for (unsigned i = 0; i < 3; i++)
		if ((present & 1u << i) != 0 && next < m->n_fds)
			w->stdio_fd[i] = steal_fd(&m->fds[next++]);
	if ((present & CELL_HAS_PROGRAM) != 0 && next < m->n_fds)
		w->program_fd = steal_fd(&m->fds[next++]);
	for (unsigned i = 0; i < 2 && (present & CELL_HAS_CODE) != 0 && next < m->n_fds; i++)
		w->code_fd[i] = steal_fd(&m->fds[next++]);
	if ((present & CELL_HAS_TEMPLATE) != 0 && next < m->n_fds)
		w->template_fd = steal_fd(&m->fds[next++]);
	if (next != m->n_fds)
		give_up_at(w, STEP_DECODE, EPROTO);
	w->waits = (present & CELL_PROGRAM_LATER) != 0;
}

static void take_description(struct warden *w, int fd)
{
	struct stat st;
	struct rbuf r;
	void *bytes;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > CELL_SPEC_ENCODED_MAX + CELL_PROGRAM_MAX)
		give_up_at(w, STEP_DECODE, EPROTO);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		give_up_at(w, STEP_DECODE, errno);
	rbuf_init(&r, bytes, (size_t)st.st_size);
	if (spec_decode(&r, &w->spec, NULL) < 0 || (!w->waits && program_decode(&r, &w->program, NULL) < 0))
		give_up_at(w, STEP_DECODE, EPROTO);
	(void)munmap(bytes, (size_t)st.st_size);
}

static void take_arena(struct warden *w, int fd)
{
	void *shared = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (shared == MAP_FAILED || arena_init(&w->eye.arena, shared) < 0)
		give_up_at(w, STEP_DECODE, ENOMEM);
}

static void take_orders(struct warden *w)
{
	for (;;) {
		auto_message m = { .n_fds = 0 };

		if (wire_receive(w->sock, WIRE_SUPERVISOR, WIRE_NEW, w->room, sizeof w->room, &m) <= 0)
			end(1);
		if (m.number == WIRE_CELL_TREE) {
			take_tree(w, &m);
			continue;
		}
		take_build(w, &m);
		take_description(w, m.fds[0]);
		take_arena(w, m.fds[1]);
		return;
	}
}

/* Tells what stands. */
static void tell_built(struct warden *w)
{
	uint8_t body[16];
	struct buf b;
	const int fds[3] = { w->made.proc_fd, w->made.scratch_fd, w->made.terminal_fd };
	const size_t n_fds = w->made.terminal_fd < 0 ? 2 : 3;

	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, w->made.achieved);
	buf_put_u32(&b, w->made.landlock_abi);
	buf_put_u32(&b, 0);
	if (wire_send(w->sock, WIRE_CELL_BUILT, &b, fds, n_fds) < 0)
		end(1);
}

/* What listens in the cell is the supervisor's to hand on; nobody in here keeps it. */
static void tell_endpoints(struct warden *w)
{
	for (uint32_t at = 0; at < w->made.n_sockets;) {
		const uint32_t left = w->made.n_sockets - at, n = left < FD_PASS_MAX ? left : FD_PASS_MAX;
		uint8_t body[4];
		struct buf b;

		buf_init_in(&b, body, sizeof body);
		buf_put_u32(&b, at);
		if (wire_send(w->sock, WIRE_CELL_ENDPOINTS, &b, w->made.endpoint_fd + at, n) < 0)
			end(1);
		for (uint32_t i = at; i < at + n; i++)
			fd_close(&w->made.endpoint_fd[i]);
		at += n;
	}
}

/* The same for what leads to the cell's servers. */
static void tell_pool(struct warden *w)
{
	for (uint32_t at = 0; at < w->made.n_pool;) {
		const uint32_t left = w->made.n_pool - at, n = left < FD_PASS_MAX ? left : FD_PASS_MAX;

		if (wire_send(w->sock, WIRE_CELL_POOL, NULL, w->made.pool_fd + at, n) < 0)
			end(1);
		for (uint32_t i = at; i < at + n; i++)
			fd_close(&w->made.pool_fd[i]);
		at += n;
	}
}

/* What the child says between fork and exec: its listener, or why it could not be executed, or (by silence) that it was. */
static void on_report(struct warden *w)
{
	uint32_t told[2];
	int fds[FD_PASS_MAX];
	size_t n_fds;
	const ssize_t n = fd_receive(w->report_fd, told, sizeof told, fds, &n_fds);

	if (n == sizeof told[0] && n_fds == 1) {
		eye_open(&w->eye, fds[0]);
	} else if (n == sizeof told) {
		give_up_at(w, (enum cell_step)told[0], (int)told[1]);
	} else {
		fd_close(&w->report_fd);
	}
}

static void take_decoys(struct warden *w, struct wire_message *m)
{
	if (!decoys_take(&w->eye.decoys, &m->body))
		end(1);
}

/* One that waits for its program may wait long: whoever kills it ends the cell, and nobody is told of a program that never was. */
static void await_supervisor(struct warden *w)
{
	struct pollfd p[] = { { .fd = w->sock, .events = POLLIN }, { .fd = w->report_fd, .events = POLLIN } };

	while (w->waits && p[0].revents == 0) {
		p[1].fd = w->report_fd;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			end(1);
		if (p[1].revents != 0)
			on_report(w);
		if (w->report_fd < 0)
			end(1);
	}
}

/* A copy says who it is before anything else. */
static void await_copy(struct warden *w)
{
	struct cell_failure f;

	w->pid = template_await(w->report_fd, &f);
	if (w->pid == 0)
		give_up(w, &f);
}

/* No program is executed before the supervisor has accepted the wall. */
static void await_go(struct warden *w)
{
	for (;;) {
		auto_message m = { .n_fds = 0 };

		await_supervisor(w);
		if (wire_receive(w->sock, WIRE_SUPERVISOR, WIRE_BUILDING, w->room, sizeof w->room, &m) <= 0)
			end(1);
		if (m.number == WIRE_CELL_PROGRAM && w->waits) /* a child that has ended has said why */
			(void)workload_give(w->report_fd, rbuf_u32(&m.body), m.fds, m.n_fds);
		else if (m.number == WIRE_CELL_DECOYS)
			take_decoys(w, &m);
		else if (m.number == WIRE_CELL_RING && ring_open(&w->ring, steal_fd(&m.fds[0])) < 0)
			give_up_at(w, STEP_SELF, errno);
		else if (m.number == WIRE_CELL_GO)
			break;
	}
	if (w->status_fd >= 0)
		await_copy(w);
	(void)workload_release(w->report_fd); /* likewise */
}

/* Whether its program becomes a copy of one that was started before; what hinders that costs time alone. */
static bool start_copy(struct warden *w)
{
	const int streams[TEMPLATE_STREAMS] = { w->stdio_fd[0], w->stdio_fd[1], w->stdio_fd[2], w->code_fd[0],
						w->code_fd[1] };
	bool whole = w->template_fd >= 0;

	for (int i = 0; i < TEMPLATE_STREAMS; i++)
		whole = whole && streams[i] >= 0;
	return whole && template_ask(w->template_fd, &w->spec, &w->made, streams, &w->report_fd, &w->status_fd) == 0;
}

static void start(struct warden *w)
{
	const struct workload load = { .spec = &w->spec,
				       .program = w->waits ? NULL : &w->program,
				       .made = &w->made,
				       .stdio_fd = { w->stdio_fd[0], w->stdio_fd[1], w->stdio_fd[2] },
				       .code_fd = { w->code_fd[0], w->code_fd[1] },
				       .program_fd = w->program_fd };
	struct cell_failure f;

	if (w->made.slave_fd >= 0 && (setsid() < 0 || ioctl(w->made.slave_fd, TIOCSCTTY, 0) < 0))
		give_up_at(w, STEP_PTS, errno);
	if (!start_copy(w) && workload_start(&load, &w->pid, &w->report_fd, &f) < 0)
		give_up(w, &f);
	for (size_t i = 0; i < 3; i++)
		fd_close(&w->stdio_fd[i]);
	for (size_t i = 0; i < 2; i++)
		fd_close(&w->code_fd[i]);
	fd_close(&w->program_fd);
	fd_close(&w->template_fd); /* which nobody in the cell may ask for more */
	fd_close(&w->made.slave_fd);
	fd_close(&w->made.scratch_fd);
	fd_close(&w->made.terminal_fd);
	fd_close(&w->made.ruleset_fd);
}

/* From here on the warden has no more authority than the cell. */
static void lock_down(struct warden *w)
{
	struct cell_failure f;

	if (identity_drop_warden(&f) < 0)
		give_up(w, &f);
	if (promise_make() < 0)
		give_up_at(w, STEP_SELF, errno);
}

static void on_change(struct warden *w, int status)
{
	if (WIFSTOPPED(status)) {
		(void)wire_send(w->sock, WIRE_CELL_STOPPED, NULL, NULL, 0); /* if nobody listens, nobody asks */
		return;
	}
	w->ended.status = (uint32_t)status;
	w->done = true;
}

/* Children are asked for in any case: one signal may stand for several. */
static void on_signal(struct warden *w)
{
	struct signalfd_siginfo seen;

	if (read(w->signal_fd, &seen, sizeof seen) == (ssize_t)sizeof seen && seen.ssi_signo == SIGHUP && !w->done)
		(void)kill(-w->pid, SIGHUP); /* the terminal hung up, which is told to the leader of its session */
	for (;;) {
		int status;
		const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);

		if (pid <= 0)
			return;
		if (WIFSTOPPED(status) && freeze_stopped(&w->freeze, pid))
			continue;
		if (pid == w->pid && w->status_fd < 0)
			on_change(w, status);
	}
}

/* Without the template nobody would ever know how it ended. */
static void on_template(struct warden *w)
{
	if (template_ended(w->status_fd, &w->ended) == 0)
		end(1);
	on_change(w, (int)w->ended.status);
}

/* A supervisor that is stopped bounds nothing: the cell ends when it has been silent for too long. */
static void be_patient(struct warden *w)
{
	const struct itimerspec when = { .it_value = { .tv_sec = WIRE_PATIENCE_MS / 1000 } };

	if (timerfd_settime(w->patience_fd, 0, &when, NULL) < 0)
		end(1);
}

/* The supervisor sees for itself what stands still: this says when to look. */
static void hold_all(struct warden *w)
{
	freeze_hold(&w->freeze, w->made.proc_fd);
	(void)wire_send(w->sock, WIRE_CELL_HELD, NULL, NULL, 0); /* likewise */
}

static void on_supervisor(struct warden *w)
{
	auto_message m = { .n_fds = 0 };
	uint32_t number;

	be_patient(w);

	if (wire_receive(w->sock, WIRE_SUPERVISOR, WIRE_RUNNING, w->room, sizeof w->room, &m) <= 0)
		end_all(w);
	if (m.number == WIRE_CELL_FREEZE && !w->done)
		hold_all(w);
	else if (m.number == WIRE_CELL_THAW)
		freeze_let_go(&w->freeze, w->made.proc_fd);
	else if (m.number == WIRE_CELL_DECOYS)
		take_decoys(w, &m);
	if (m.number != WIRE_CELL_SIGNAL)
		return;
	number = rbuf_u32(&m.body);
	if (number >= NSIG || w->done)
		return;
	if (kill(-w->pid, (int)number) < 0) /* it has no group of its own yet, or none is left */
		(void)kill(w->pid, (int)number);
}

/* Who asked has no answer yet where the cell is to end: so what was touched was not opened. */
static void tell_touched(struct warden *w)
{
	struct decoys *d = &w->eye.decoys;
	uint8_t body[8];
	struct buf b;

	if (decoys_untold(d) == 0)
		return;
	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, d->touched);
	d->told = d->touched;
	(void)wire_send(w->sock, WIRE_CELL_TOUCHED, &b, NULL, 0); /* if nobody listens, nobody asks */
	if (d->ends)
		end(1);
}

static void watch(struct warden *w)
{
	be_patient(w);
	while (!w->done) {
		struct pollfd p[] = {
			{ .fd = w->sock, .events = POLLIN },        { .fd = w->signal_fd, .events = POLLIN },
			{ .fd = w->report_fd, .events = POLLIN },   { .fd = w->eye.listener_fd, .events = POLLIN },
			{ .fd = w->patience_fd, .events = POLLIN }, { .fd = w->status_fd, .events = POLLIN },
			{ .fd = w->ring.fd, .events = POLLIN },
		};

		if (poll(p, sizeof p / sizeof p[0], -1) < 0 && errno != EINTR)
			end(1);
		if (p[0].revents != 0) /* first: what code that was given now must not touch came before it */
			on_supervisor(w);
		else if (p[4].revents != 0)
			end(1);
		if ((p[3].revents & POLLIN) != 0 && eye_serve(&w->eye) < 0)
			fd_close(&w->eye.listener_fd);
		else if ((p[3].revents & (POLLHUP | POLLERR)) != 0 && (p[3].revents & POLLIN) == 0)
			fd_close(&w->eye.listener_fd); /* nobody is left under the filter */
		tell_touched(w);
		if (p[6].revents != 0)
			ring_read(&w->ring, &w->eye.arena);
		if (p[2].revents != 0)
			on_report(w);
		if (p[1].revents != 0)
			on_signal(w);
		if (p[5].revents != 0)
			on_template(w);
	}
}

/* Of process 1 all that lives in the cell are children, or come to be: without one nobody is left, and there is nobody else who could make one. */
static bool is_alone(void)
{
	return waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD;
}

/* The event is over when its program is: whatever it left behind ends now. What it used the kernel tells the supervisor. */
static void tell_end(struct warden *w)
{
	uint8_t body[40];
	struct buf b;

	if (!is_alone()) /* a look at each process of the machine */
		(void)kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	ring_read(&w->ring, &w->eye.arena);
	buf_init_in(&b, body, sizeof body);
	template_end_encode(&w->ended, &b);
	(void)wire_send(w->sock, WIRE_CELL_ENDED, &b, NULL, 0); /* if nobody listens, nobody needs to know */
}

/* Signals are data; SIGCHLD and SIGHUP are the only ones that are of use. As process 1 all others stay without effect. */
static int signals_as_data(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -1;
	(void)sigemptyset(&all);
	(void)sigaddset(&all, SIGCHLD);
	(void)sigaddset(&all, SIGHUP);
	return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(void)
{
	static struct warden w; /* 150 KiB of description: not for a stack */
	struct cell_failure f;

	/* field by field: clearing what is clear would cost its page faults */
	w.sock = SUPERVISOR_FD;
	w.report_fd = w.program_fd = w.template_fd = w.status_fd = w.eye.listener_fd = w.eye.proc_fd = w.ring.fd = -1;
	w.stdio_fd[0] = w.stdio_fd[1] = w.stdio_fd[2] = w.code_fd[0] = w.code_fd[1] = -1;
	for (size_t i = 0; i < CELL_TREES_MAX; i++)
		w.trees.fd[i] = -1;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* and the socket says the same if this is ever cleared */
	/* It stays dumpable, so that the supervisor of an ordinary user may read its accounts in /proc. What keeps the workload
	 * from tracing it is that it holds a capability which the workload lacks, and a Landlock layer. */
	if (fd_reserve_standard() < 0)
		give_up_at(&w, STEP_STDIO, errno);
	w.signal_fd = signals_as_data();
	w.patience_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w.signal_fd < 0 || w.patience_fd < 0)
		give_up_at(&w, STEP_SELF, errno);
	if (cell_begin(&w.network, &f) < 0)
		give_up(&w, &f);
	take_orders(&w);
	if (cell_build(&w.spec, &w.trees, w.program_fd, &w.network, &w.made, &f) < 0)
		give_up(&w, &f);
	tell_endpoints(&w);
	tell_pool(&w);
	tell_built(&w);
	w.eye.proc_fd = w.made.proc_fd;
	start(&w); /* as far as it goes without the supervisor's word, while that is being made up */
	lock_down(&w);
	await_go(&w);
	watch(&w);
	tell_end(&w);
	_exit(0); /* and not end(): nobody is left */
}
