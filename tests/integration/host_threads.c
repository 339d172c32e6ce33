/* A host that does everything at once: threads with events, a thread that forks, a main thread that waits for any child, a handler for the end of children, and
 * a timer whose signals break whatever waits. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#define CHILDREN_MAX 100000
#define TICK_US 3000

static struct {
	atomic_int busy; /* threads that are not done */
	int children_fd; /* the forker's: a pid for each child, and its end */
	atomic_int n_heard, ticks;
	_Atomic pid_t heard[CHILDREN_MAX];           /* of whom the handler was told */
	pid_t own[CHILDREN_MAX], seen[CHILDREN_MAX]; /* forked; waited for */
	int n_own;
	const struct ambit_policy *policy;
	int events;
} host;

/* ---- signals ---- */

static void on_child(int number, siginfo_t *info, void *unused)
{
	const int at = atomic_fetch_add(&host.n_heard, 1);

	(void)number;
	(void)unused;
	if (at < CHILDREN_MAX)
		atomic_store(&host.heard[at], info->si_pid);
}

static void on_tick(int number)
{
	(void)number;
	atomic_fetch_add(&host.ticks, 1);
}

static void catch_signals(void)
{
	struct sigaction child = { .sa_flags = SA_SIGINFO }, tick = { .sa_handler = on_tick }; /* no SA_RESTART */
	const struct itimerval each = { .it_interval.tv_usec = TICK_US, .it_value.tv_usec = TICK_US };

	child.sa_sigaction = on_child;
	(void)sigaction(SIGCHLD, &child, NULL);
	(void)sigaction(SIGALRM, &tick, NULL);
	(void)setitimer(ITIMER_REAL, &each, NULL);
}

static void stop_ticking(void)
{
	const struct itimerval never = { .it_value.tv_usec = 0 };

	(void)setitimer(ITIMER_REAL, &never, NULL);
}

/* ---- children of the host ---- */

/* One looks at what it inherited (`host look`), the other goes on for a moment with copies of everything. */
static pid_t fork_one(unsigned which)
{
	static char *const look[] = { (char *)(uintptr_t) "host", (char *)(uintptr_t) "look", NULL };
	const struct timespec moment = { .tv_nsec = 20000000 };
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (which % 2 == 0)
		(void)execve("/proc/self/exe", look, environ);
	else
		(void)nanosleep(&moment, NULL);
	_exit(which % 2 == 0 ? 99 : 0);
}

static void write_pid(pid_t pid)
{
	ssize_t n;

	do
		n = write(host.children_fd, &pid, sizeof pid);
	while (n < 0 && errno == EINTR);
}

static void *fork_on(void *unused)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	(void)unused;
	for (unsigned i = 0; atomic_load(&host.busy) > 0; i++) {
		write_pid(fork_one(i));
		(void)nanosleep(&pause, NULL); /* not as many as the machine has */
	}
	(void)close(host.children_fd);
	return NULL;
}

static bool read_pid(int fd, pid_t *ret)
{
	ssize_t n;

	do
		n = read(fd, ret, sizeof *ret);
	while (n < 0 && errno == EINTR);
	return n == sizeof *ret;
}

static bool is_own(pid_t pid)
{
	for (int i = 0; i < host.n_own; i++)
		if (host.own[i] == pid)
			return true;
	return false;
}

/* Any child; -1: there is none. */
static pid_t wait_for_any(void)
{
	pid_t pid;
	int status = 0;

	do
		pid = waitpid(-1, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid > 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		host_problem("child %d ends with %d: had it inherited something?", (int)pid, status);
	return pid;
}

/* As many as were forked, while helpers come and go: nobody else's may turn up. */
static void wait_for_children(int fd)
{
	pid_t pid;

	while (read_pid(fd, &pid) && host.n_own < CHILDREN_MAX) {
		host.own[host.n_own] = pid;
		host.seen[host.n_own++] = wait_for_any();
	}
	for (int i = 0; i < host.n_own; i++)
		if (!is_own(host.seen[i]))
			host_problem("waitpid(-1) gave %d, which is not its child", (int)host.seen[i]);
	pid = wait_for_any();
	if (pid >= 0)
		host_problem("%d is a child too many", (int)pid);
}

static void check_heard(void)
{
	const int n = atomic_load(&host.n_heard);

	for (int i = 0; i < n && i < CHILDREN_MAX; i++)
		if (!is_own(atomic_load(&host.heard[i])))
			host_problem("SIGCHLD told of process %d, which is not its child",
				     (int)atomic_load(&host.heard[i]));
	if (host.n_own == 0 || n == 0 || atomic_load(&host.ticks) == 0)
		host_problem("the host was not busy: %d children, %d signals of them, %d ticks", host.n_own, n,
			     atomic_load(&host.ticks));
}

/* ---- events ---- */

static void run_and_wait(int number)
{
	char command[64], output[32];
	struct ambit_event *ev;

	(void)snprintf(command, sizeof command, "echo $((%d + 1)); exit %d", number, number % 7);
	(void)snprintf(output, sizeof output, "%d\n", number + 1);
	ev = host_start(host.policy, command);
	host_expect(ev, number % 7, output);
	ambit_event_free(ev);
}

/* Two at once, by their descriptors. */
static void run_in_loop(int number)
{
	struct ambit_event *ev[2] = { host_start(host.policy, "cat /etc/hostname >/dev/null; echo a"),
				      host_start(host.policy, "echo b") };
	bool done[2] = { ev[0] == NULL, ev[1] == NULL };

	(void)number;
	while (!done[0] || !done[1]) {
		struct pollfd p[2];

		for (int i = 0; i < 2; i++)
			p[i] = (struct pollfd){ .fd = done[i] ? -1 : ambit_event_fd(ev[i]), .events = POLLIN };
		if (poll(p, 2, -1) <= 0)
			continue; /* a tick */
		for (int i = 0; i < 2; i++)
			if (p[i].revents != 0)
				done[i] = ambit_event_step(ev[i], NULL) != 0;
	}
	for (int i = 0; i < 2; i++) {
		host_expect(ev[i], 0, i == 0 ? "a\n" : "b\n");
		ambit_event_free(ev[i]);
	}
}

static void run_and_kill(int number)
{
	struct ambit_event *ev = host_start(host.policy, "sleep 1000");

	if (ev != NULL && number % 2 == 0 &&
	    (ambit_event_kill(ev, NULL) < 0 || ambit_event_wait(ev, NULL) < 0 ||
	     ambit_event_exit_status(ev) != 128 + SIGKILL))
		host_problem("killed, it ends with %d", ambit_event_exit_status(ev));
	ambit_event_free(ev); /* of the others it is the end */
}

static void fail_to_run(int number)
{
	static char *argv[] = { (char *)(uintptr_t) "no-such-program", NULL };
	const struct ambit_event_options o = {
		.size = sizeof o, .argv = argv, .stream_fd = { -1, -1, -1 }, .unrecorded = 1
	};
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;

	(void)number;
	if (ambit_event_start(host.policy, &o, &ev, &e) != -AMBIT_NO_PROGRAM || e.code != AMBIT_NO_PROGRAM ||
	    ev != NULL)
		host_problem("no program, and %d: %s", e.code, e.message);
}

static void load_policy(int number)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = host_policy();

	if (ambit_policy_preset(p, number % 2 == 0 ? "python" : "node", &e) < 0)
		host_problem("a preset: %s: %s", e.message, e.why);
	ambit_policy_free(p);
}

static void *run_events(void *arg)
{
	static void (*const ways[])(int) = { run_and_wait, run_in_loop, run_and_kill, fail_to_run, load_policy };
	const int thread = (int)(intptr_t)arg;
	sigset_t before, after;

	(void)sigemptyset(&before);
	(void)sigaddset(&before, SIGCHLD);
	(void)sigaddset(&before, thread % 2 == 0 ? SIGUSR1 : SIGALRM);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (int i = 0; i < host.events; i++) {
		ways[(size_t)(i + thread) % (sizeof ways / sizeof ways[0])](i + thread);
		(void)sigemptyset(&after);
		(void)pthread_sigmask(SIG_BLOCK, NULL, &after);
		for (int s = 1; s < NSIG; s++)
			if (sigismember(&before, s) != sigismember(&after, s))
				host_problem("signal %d in the mask of thread %d", s, thread);
	}
	atomic_fetch_sub(&host.busy, 1);
	return NULL;
}

/* ---- all of it ---- */

#define THREADS_MAX 64

static void run_threads(int n, int children_fd)
{
	pthread_t threads[THREADS_MAX], forker;

	atomic_store(&host.busy, n);
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, run_events, (void *)(intptr_t)i) != 0)
			abort();
	if (pthread_create(&forker, NULL, fork_on, NULL) != 0)
		abort();
	wait_for_children(children_fd);
	for (int i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_join(forker, NULL);
}

static void *do_nothing(void *unused)
{
	return unused;
}

void host_threads(int threads, int events)
{
	struct ambit_policy *p = host_policy();
	char *before, *after;
	pthread_t first; /* with which glibc takes a signal of its own */
	int ends[2];

	if (pthread_create(&first, NULL, do_nothing, NULL) != 0 || pthread_join(first, NULL) != 0)
		abort();

	host.policy = p;
	host.events = events;
	catch_signals();
	before = host_state();
	if (threads > THREADS_MAX || pipe2(ends, O_CLOEXEC) < 0)
		abort();
	host.children_fd = ends[1];
	run_threads(threads, ends[0]);
	(void)close(ends[0]);
	check_heard();
	after = host_state();
	stop_ticking();
	host_compare(before, after);
	printf("%d children, %d signals, %d ticks\n", host.n_own, atomic_load(&host.n_heard), atomic_load(&host.ticks));
	free(before);
	free(after);
	ambit_policy_free(p);
}
