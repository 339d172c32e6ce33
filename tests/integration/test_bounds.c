/* Real process trees over real limits: as an ordinary user by sampling, as root by cgroups as this host has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "minicell.h"
#include "supervisor/bounds.h"
#include "supervisor/proctext.h"

#define MIB (UINT64_C(1) << 20)
#define ORDINARY 65534
#define PATIENCE_MS 8000 /* a slow, busy machine */

static uid_t cell_uid(void)
{
	return geteuid() == 0 ? ORDINARY : geteuid();
}

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A fake host: no cgroups, and memory as the test says. */
static char fake_root[] = "/tmp/ambit-test-bounds-XXXXXX";

static void fake_write(const char *file, const char *text)
{
	char path[128];
	auto_fd int fd = -1;

	(void)snprintf(path, sizeof path, "%s/%s", fake_root, file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void fake_memory(uint64_t total, uint64_t available)
{
	char text[160];

	(void)snprintf(text, sizeof text, "MemTotal: %lu kB\nMemFree: 0 kB\nMemAvailable: %lu kB\n", total / 1024,
		       available / 1024);
	fake_write("proc/meminfo", text);
}

static int fake_begin(void **state)
{
	char path[64];

	(void)state;
	(void)strcpy(fake_root, "/tmp/ambit-test-bounds-XXXXXX");
	assert_non_null(mkdtemp(fake_root));
	(void)snprintf(path, sizeof path, "%s/proc", fake_root);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/proc/self", fake_root);
	assert_int_equal(mkdir(path, 0755), 0);
	fake_write("proc/self/cgroup", "");
	fake_write("proc/self/mountinfo", "");
	fake_memory(65536 * MIB, 32768 * MIB);
	return 0;
}

static int fake_end(void **state)
{
	static const char *const files[] = { "proc/self/cgroup",
					     "proc/self/mountinfo",
					     "proc/self",
					     "proc/sys/kernel/core_pattern",
					     "proc/sys/kernel",
					     "proc/sys",
					     "proc/meminfo",
					     "proc",
					     "" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", fake_root, files[i]);
		(void)remove(path);
	}
	return 0;
}

struct run {
	struct minicell cell;
	struct bounds bounds;
	enum limit over;
};

static struct limits limits_of(enum limit which, uint64_t value)
{
	struct limits l = { .value = { 0 } };

	l.value[which] = value;
	return l;
}

/* A cell whose work has not begun, watched, without any cgroup. */
static void run_begin(struct run *r, struct limits l, bool jit, void (*work)(void *), void *arg)
{
	const struct bounds_ask ask = { .limits = &l, .event_id = "e_test", .root = fake_root };
	struct err e = { .code = AMBIT_OK };
	int error = 0;

	assert_int_equal(bounds_prepare(&ask, &r->bounds, &e), 0);
	if (!minicell_start(&r->cell, cell_uid(), work, arg, &error)) {
		print_message("SKIP: no user namespaces here: %s\n", strerror(error));
		if (getenv("AMBIT_MUST_RUN") != NULL)
			fail();
		skip();
	}
	if (bounds_watch(&r->bounds,
			 &(struct bounds_watch_ask){
				 .proc_fd = r->cell.proc_fd, .scratch_fd = r->cell.scratch_fd, .jit = jit },
			 &e) < 0)
		fail_msg("%s", e.msg);
	assert_true((bounds_mechanisms(&r->bounds) & MECHANISM_BIT(MECHANISM_SAMPLER)) != 0);
}

/* Ticks as the supervisor does until a limit is passed or the time is over. */
static bool run_until_over(struct run *r, int ms)
{
	const uint64_t end = now_ns() + (uint64_t)ms * 1000000u;

	while (now_ns() < end) {
		if (bounds_tick(&r->bounds, now_ns(), &r->over) != 0)
			return true;
		(void)poll(NULL, 0, 20); /* the supervisor's timer */
	}
	return false;
}

/* Samples until the figure is there. */
static bool run_until(struct run *r, bool (*there)(const struct sample *s, uint64_t want), uint64_t want)
{
	const uint64_t end = now_ns() + PATIENCE_MS * UINT64_C(1000000);

	while (now_ns() < end) {
		sampler_read(r->bounds.sampler, r->bounds.limits.value[LIMIT_MEMORY], &r->bounds.last);
		if (there(&r->bounds.last, want))
			return true;
		(void)poll(NULL, 0, 5);
	}
	return false;
}

static void run_end(struct run *r, struct event_usage *ret)
{
	struct rusage usage;
	struct err e;

	minicell_end(&r->cell, &usage);
	if (ret != NULL)
		bounds_usage(&r->bounds, &usage, ret);
	assert_int_equal(bounds_finish(&r->bounds, &e), 0);
}

static void touch(volatile char *at, size_t n)
{
	for (size_t i = 0; i < n; i += 4096)
		at[i] = 1;
}

static void nap(int ms)
{
	(void)poll(NULL, 0, ms);
}

static void *map(size_t n, int flags)
{
	return mmap(NULL, n, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
}

/* ---- memory ---- */

static void hog(void *arg)
{
	if (arg != NULL)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (int i = 0; i < 100; i++) {
		touch(map(4 * MIB, MAP_PRIVATE), 4 * MIB);
		nap(5);
	}
	(void)pause();
}

static void a_hog_is_found(void **state)
{
	static char yes[] = "not dumpable";
	static const struct {
		const char *name;
		void *arg;
	} rows[] = { { "plain", NULL }, { "one whose shares cannot be read", yes } };
	struct event_usage usage = { 0 };
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		run_begin(&r, limits_of(LIMIT_MEMORY, 64 * MIB), false, hog, rows[i].arg);
		minicell_go(&r.cell);
		if (!run_until_over(&r, PATIENCE_MS))
			fail_msg("%s: not found", rows[i].name);
		assert_int_equal(r.over, LIMIT_MEMORY);
		assert_false(bounds_host_low(&r.bounds));
		run_end(&r, &usage);
		assert_in_range(usage.memory_peak_bytes, 64 * MIB, 400 * MIB);
		assert_int_equal(usage.memory_exact, 0);
	}
}

static void crowd(void *arg)
{
	char *shared = map(32 * MIB, MAP_SHARED);

	for (int i = 0; i < 9; i++)
		if (fork() == 0)
			break;
	touch(shared, 32 * MIB);
	(void)!write(*(int *)arg, "x", 1);
	(void)pause();
}

static bool tells(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, PATIENCE_MS) == 1 && read(fd, &byte, 1) == 1;
}

static bool processes_at_least(const struct sample *s, uint64_t want)
{
	return s->processes >= want;
}

static bool memory_at_least(const struct sample *s, uint64_t want)
{
	return s->memory_bytes >= want;
}

/* Ten processes over the same 32 MiB: counted one by one it would be 320. */
static void shared_pages_count_once(void **state)
{
	struct run r;
	int ready[2];

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	run_begin(&r, limits_of(LIMIT_MEMORY, 100 * MIB), false, crowd, &ready[1]);
	minicell_go(&r.cell);
	for (int i = 0; i < 10; i++)
		assert_true(tells(ready[0]));
	assert_false(run_until_over(&r, 300));
	assert_in_range(r.bounds.last.memory_bytes, 32 * MIB, 100 * MIB);
	r.bounds.limits.value[LIMIT_MEMORY] = 0; /* the twin: without a limit nobody looks so closely */
	assert_true(run_until(&r, memory_at_least, 300 * MIB));
	run_end(&r, NULL);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void fill_scratch(void *arg)
{
	static char block[1 << 20];
	const int fd = open("/tmp/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)arg;
	(void)unlink("/tmp/x"); /* a name is not needed */
	for (int i = 0; i < 100; i++)
		(void)!write(fd, block, sizeof block);
	(void)pause();
}

static void fill_memfd(void *arg)
{
	static char block[1 << 20];
	const int fd = memfd_create((const char *)arg, MFD_CLOEXEC);

	for (int i = 0; i < 100; i++)
		(void)!write(fd, block, sizeof block);
	(void)!dup(fd); /* counts once */
	if (fork() == 0)
		(void)pause();
	(void)pause();
}

static void memory_that_nobody_maps_is_found(void **state)
{
	static char name[] = "x (deleted) /tmp/";
	static const struct {
		const char *name;
		void (*work)(void *);
		bool jit;
	} rows[] = { { "scratch", fill_scratch, false }, { "memfd", fill_memfd, true } };
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		run_begin(&r, limits_of(LIMIT_MEMORY, 64 * MIB), rows[i].jit, rows[i].work, name);
		minicell_go(&r.cell);
		if (!run_until_over(&r, PATIENCE_MS))
			fail_msg("%s: not found", rows[i].name);
		assert_int_equal(r.over, LIMIT_MEMORY);
		(void)poll(NULL, 0, 100);
		r.bounds.limits.value[LIMIT_MEMORY] = 0;
		assert_true(run_until(&r, memory_at_least, 100 * MIB));
		assert_in_range(r.bounds.last.memory_bytes, 100 * MIB, 120 * MIB); /* and once only */
		run_end(&r, NULL);
	}
}

/* ---- the host's memory ---- */

static void hold(void *arg)
{
	touch(map(*(size_t *)arg, MAP_PRIVATE), *(size_t *)arg);
	(void)pause();
}

static void the_largest_goes_when_the_host_is_low(void **state)
{
	static size_t large = 100 * MIB, small = 20 * MIB;
	struct run a, b;

	(void)state;
	fake_memory(1024 * MIB, 512 * MIB);
	run_begin(&a, limits_of(LIMIT_MEMORY, 1024 * MIB), false, hold, &large);
	run_begin(&b, limits_of(LIMIT_MEMORY, 1024 * MIB), false, hold, &small);
	minicell_go(&a.cell);
	minicell_go(&b.cell);
	assert_true(run_until(&a, memory_at_least, large));
	assert_true(run_until(&b, memory_at_least, small));
	assert_false(run_until_over(&a, 200)); /* with memory there is no reason */
	fake_memory(1024 * MIB, 32 * MIB);
	for (unsigned i = 0; i < 20; i++) {
		if (bounds_tick(&b.bounds, now_ns(), &b.over) != 0)
			fail_msg("the small one went in tick %u", i);
		if (bounds_tick(&a.bounds, now_ns(), &a.over) != 0)
			break;
		assert_true(i < 10);
	}
	assert_int_equal(a.over, LIMIT_MEMORY);
	assert_true(bounds_host_low(&a.bounds));
	fake_memory(1024 * MIB, 132 * MIB); /* it has gone */
	assert_false(run_until_over(&b, 200));
	assert_int_equal(b.bounds.floor.share, 0);
	run_end(&a, NULL);
	run_end(&b, NULL);
}

/* The period may be long; what fills the memory within it shows in the host's. */
static void a_sudden_fall_makes_a_sample_due(void **state)
{
	static size_t size = 80 * MIB;
	struct sample s = { 0 };
	struct run r;

	(void)state;
	fake_memory(8192 * MIB, 4096 * MIB);
	run_begin(&r, limits_of(LIMIT_MEMORY, 64 * MIB), false, hold, &size);
	assert_int_equal(bounds_tick(&r.bounds, now_ns(), &r.over), 0);
	r.bounds.due_ns = UINT64_MAX;
	minicell_go(&r.cell);
	for (int i = 0; i < PATIENCE_MS && !memory_at_least(&s, size); i++) {
		nap(1);
		sampler_read(r.bounds.sampler, 0, &s); /* on a slow machine it takes its time */
	}
	assert_false(run_until_over(&r, 100)); /* nobody looks */
	fake_memory(8192 * MIB, 4040 * MIB);
	assert_int_equal(bounds_tick(&r.bounds, now_ns(), &r.over), 1);
	assert_int_equal(r.over, LIMIT_MEMORY);
	run_end(&r, NULL);
}

/* ---- tasks ---- */

static void *idle(void *arg)
{
	(void)pause();
	return arg;
}

static void threads(void *arg)
{
	pthread_t t;

	(void)arg;
	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			break;
	(void)prctl(PR_SET_NAME, ") R 9 9 9\nThre", 0, 0, 0);
	for (int i = 0; i < 5; i++)
		(void)pthread_create(&t, NULL, idle, NULL);
	(void)pause();
}

static bool tasks_at_least(const struct sample *s, uint64_t want)
{
	return s->tasks >= want;
}

static void threads_count_whatever_they_are_called(void **state)
{
	struct event_usage usage = { 0 };
	struct run r;

	(void)state;
	run_begin(&r, limits_of(LIMIT_CPU, 100000), false, threads, NULL);
	minicell_go(&r.cell);
	(void)run_until(&r, tasks_at_least, 3 * 6 + BOUNDS_OWN_TASKS);
	assert_int_equal(r.bounds.last.tasks, 3 * 6 + BOUNDS_OWN_TASKS);
	assert_int_equal(r.bounds.last.processes, 3 + 1);
	assert_false(run_until_over(&r, 60));
	run_end(&r, &usage);
	assert_int_equal(usage.tasks_peak, 3 * 6);
}

static void bomb(void *arg)
{
	const int n = *(int *)arg;

	for (int i = 0; i < n; i++)
		if (fork() == 0)
			(void)pause();
	(void)pause();
}

static void a_fork_bomb_is_found(void **state)
{
	static int n = 200;
	struct run r;

	(void)state;
	run_begin(&r, limits_of(LIMIT_TASKS, 50), false, bomb, &n);
	minicell_go(&r.cell);
	assert_true(run_until_over(&r, PATIENCE_MS));
	assert_int_equal(r.over, LIMIT_TASKS);
	run_end(&r, NULL);
}

static void exactly_the_limit_is_fine(void **state)
{
	static int n = 20;

	(void)state;
	for (uint64_t limit = 20; limit <= 21; limit++) { /* the work itself is one */
		struct run r;

		run_begin(&r, limits_of(LIMIT_TASKS, limit), false, bomb, &n);
		minicell_go(&r.cell);
		assert_true(run_until(&r, tasks_at_least, 21 + BOUNDS_OWN_TASKS));
		assert_int_equal(run_until_over(&r, 200), limit == 20);
		run_end(&r, NULL);
	}
}

/* Processes come and go while they are read. */
static void churn(void *arg)
{
	(void)arg;
	for (;;) {
		for (int i = 0; i < 20; i++)
			if (fork() == 0)
				_exit(0);
		while (waitpid(-1, NULL, 0) > 0)
			;
	}
}

static void a_storm_does_no_harm(void **state)
{
	struct limits l = { .value = { [LIMIT_MEMORY] = 512 * MIB, [LIMIT_CPU] = 1000000, [LIMIT_DISK] = 512 * MIB } };
	struct sample s, before = { 0 };
	struct run r;

	(void)state;
	run_begin(&r, l, true, churn, NULL);
	minicell_go(&r.cell);
	for (int i = 0; i < 300; i++) {
		sampler_read(r.bounds.sampler, 1, &s); /* 1: each time the whole way */
		assert_in_range(s.processes, 1, 64);
		assert_true(s.memory_bytes < 512 * MIB);
		assert_true(s.cpu_ms >= before.cpu_ms);
		before = s;
	}
	assert_true(s.cpu_ms > 0);
	run_end(&r, NULL);
}

static void a_dear_sample_is_followed_by_rest(void **state)
{
	static int n = 150;
	struct timespec t;
	uint64_t begin, cost;
	struct run r;

	(void)state;
	run_begin(&r, limits_of(LIMIT_MEMORY, 4096 * MIB), false, bomb, &n);
	assert_int_equal(bounds_tick(&r.bounds, 1000, &r.over), 0);
	assert_in_range(r.bounds.due_ns, 1000 + BOUNDS_PERIOD_NS, 1000 + 10 * BOUNDS_PERIOD_NS);
	minicell_go(&r.cell);
	assert_true(run_until(&r, processes_at_least, 151));
	r.bounds.due_ns = 0;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	begin = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	assert_int_equal(bounds_tick(&r.bounds, 1000, &r.over), 0);
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	cost = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - begin;
	assert_in_range(r.bounds.due_ns, cost * 30, 1000 + cost * 51); /* 2 % but for the rest of the tick */
	assert_true(r.bounds.due_ns > 1000 + BOUNDS_PERIOD_NS);
	run_end(&r, NULL);
}

/* ---- processor time ---- */

static void spin(void *arg)
{
	(void)arg;
	(void)signal(SIGCHLD, SIG_IGN); /* the kernel drops the figures of who ends */
	for (;;) {
		const uint64_t end = now_ns() + 150000000u;

		if (fork() == 0) {
			while (now_ns() < end)
				;
			_exit(0);
		}
		(void)wait(NULL);
	}
}

static void a_spinner_is_found_whoever_waits_for_it(void **state)
{
	struct event_usage usage = { 0 };
	struct run r;

	(void)state;
	run_begin(&r, limits_of(LIMIT_CPU, 400), false, spin, NULL);
	minicell_go(&r.cell);
	assert_true(run_until_over(&r, PATIENCE_MS));
	assert_int_equal(r.over, LIMIT_CPU);
	run_end(&r, &usage);
	assert_in_range(usage.cpu_user_ms + usage.cpu_system_ms, 400, 4000);
}

/* ---- bytes written ---- */

struct writer {
	char dir[64];
	bool ignore; /* SIGCHLD */
	bool truncate;
	int ready; /* the child tells that it has written */
	int end;   /* and waits for this */
};

static void write_file(struct writer *w)
{
	static char block[1 << 20];
	char path[96];
	int fd;

	(void)snprintf(path, sizeof path, "%s/x", w->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	for (int i = 0; i < 8; i++)
		(void)!write(fd, block, sizeof block);
	if (w->truncate)
		(void)!ftruncate(fd, 0);
	(void)!write(w->ready, "x", 1);
	(void)!read(w->end, block, 1);
	_exit(0);
}

static void writer(void *arg)
{
	struct writer *w = arg;

	if (w->ignore)
		(void)signal(SIGCHLD, SIG_IGN);
	if (fork() == 0)
		write_file(w);
	(void)wait(NULL);
	(void)!write(w->ready, "y", 1);
	(void)pause();
}

static void what_ended_children_wrote_counts(void **state)
{
	static const struct {
		const char *name;
		bool ignore, truncate;
		uint64_t least, most;
	} rows[] = {
		{ "waited for", false, false, 8 * MIB, 9 * MIB },
		{ "not waited for", true, false, 8 * MIB, 9 * MIB },
		{ "taken back before it reached the disk", false, true, 0, 4 * MIB }, /* some of it may have */
	};

	unsigned again = 5;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool quicker;
		struct writer w = { .dir = "/var/tmp/ambit-test-XXXXXX",
				    .ignore = rows[i].ignore,
				    .truncate = rows[i].truncate };
		struct event_usage usage = { 0 };
		int ready[2], end[2];
		char path[96];
		struct run r;

		assert_non_null(mkdtemp(w.dir));
		assert_int_equal(chmod(w.dir, 0777), 0);
		assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(end, O_CLOEXEC), 0);
		w.ready = ready[1];
		w.end = end[0];
		run_begin(&r, limits_of(LIMIT_DISK, 100 * MIB), false, writer, &w);
		minicell_go(&r.cell);
		assert_true(tells(ready[0]));
		assert_int_equal(bounds_tick_last(&r.bounds, &r.over), 0);
		quicker = rows[i].truncate && r.bounds.last.written_bytes > rows[i].most && again > 0; /* the disk */
		assert_true(quicker || (r.bounds.last.written_bytes >= rows[i].least &&
					r.bounds.last.written_bytes <= rows[i].most));
		assert_int_equal(write(end[1], "x", 1), 1);
		assert_true(tells(ready[0]));
		r.bounds.limits.value[LIMIT_DISK] = 4 * MIB;
		if (!quicker)
			assert_int_equal(bounds_tick_last(&r.bounds, &r.over), rows[i].least > 0);
		run_end(&r, &usage);
		if (!quicker && (usage.written_bytes < rows[i].least || usage.written_bytes > rows[i].most))
			fail_msg("%s: %lu", rows[i].name, usage.written_bytes);
		if (rows[i].least > 0)
			assert_int_equal(r.over, LIMIT_DISK);
		(void)snprintf(path, sizeof path, "%s/x", w.dir);
		(void)unlink(path);
		(void)rmdir(w.dir);
		for (int k = 0; k < 2; k++) {
			(void)close(ready[k]);
			(void)close(end[k]);
		}
		if (quicker) {
			again--;
			i--;
		}
	}
}

static void write_and_end(void *arg)
{
	struct writer *w = arg;

	w->ready = w->end = -1;
	write_file(w);
}

static bool first_is_zombie(const struct minicell *c)
{
	auto_fd int fd = openat(c->proc_fd, "1/stat", O_RDONLY | O_CLOEXEC);
	struct proctext_stat stat;
	char text[1024];
	const ssize_t n = fd_read_all(fd, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = 0;
	return proctext_stat(text, &stat) && stat.state == 'Z';
}

/* An event shorter than a period: nobody looked while it ran. */
static void what_all_wrote_shows_after_the_end(void **state)
{
	struct writer w = { .dir = "/var/tmp/ambit-test-XXXXXX" };
	char path[96];
	struct run r;

	(void)state;
	assert_non_null(mkdtemp(w.dir));
	assert_int_equal(chmod(w.dir, 0777), 0);
	run_begin(&r, limits_of(LIMIT_DISK, MIB), false, write_and_end, &w);
	minicell_go(&r.cell);
	for (int i = 0; i < PATIENCE_MS && !first_is_zombie(&r.cell); i++)
		nap(1);
	assert_true(first_is_zombie(&r.cell));
	assert_int_equal(bounds_tick_last(&r.bounds, &r.over), 1);
	assert_int_equal(r.over, LIMIT_DISK);
	assert_in_range(r.bounds.last.written_bytes, 8 * MIB, 9 * MIB);
	run_end(&r, NULL);
	(void)snprintf(path, sizeof path, "%s/x", w.dir);
	(void)unlink(path);
	(void)rmdir(w.dir);
}

static void hide(void *arg)
{
	if (fork() == 0)
		_exit(0); /* nobody waits for it */
	if (arg != NULL)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)pause();
}

static void who_hides_its_writing_is_ended(void **state)
{
	static char yes[] = "not dumpable";
	struct run r;

	(void)state;
	if (geteuid() == 0)
		skip(); /* nothing is hidden from root */
	for (int i = 0; i < 2; i++) {
		run_begin(&r, limits_of(LIMIT_DISK, MIB), false, hide, i == 0 ? NULL : yes);
		minicell_go(&r.cell);
		assert_true(run_until(&r, processes_at_least, 3));
		assert_int_equal(run_until_over(&r, i == 0 ? 300 : PATIENCE_MS), i); /* a zombie hides nothing */
		if (i == 1)
			assert_int_equal(r.over, LIMIT_DISK);
		run_end(&r, NULL);
	}
}

/* ---- what is not a cell's /proc ---- */

static void only_the_root_of_a_proc_is_taken(void **state)
{
	static const struct {
		const char *path;
		int want;
	} rows[] = { { "/tmp", -AMBIT_PROTOCOL },
		     { "/proc/self", -AMBIT_PROTOCOL },
		     { "/proc/sys", -AMBIT_PROTOCOL },
		     { "/dev/null", -AMBIT_HOST } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct limits l = limits_of(LIMIT_MEMORY, MIB);
		const struct bounds_ask ask = { .limits = &l, .event_id = "e_test", .root = fake_root };
		auto_fd int fd = open(rows[i].path, O_PATH | O_CLOEXEC);
		struct bounds b;
		struct err e;
		int got;

		assert_int_equal(bounds_prepare(&ask, &b, &e), 0);
		got = bounds_watch(&b, &(struct bounds_watch_ask){ .proc_fd = fd, .scratch_fd = -1 }, &e);
		if (got != rows[i].want)
			fail_msg("%s: %d", rows[i].path, got);
		assert_true((bounds_mechanisms(&b) & MECHANISM_BIT(MECHANISM_SAMPLER)) == 0);
		assert_int_equal(bounds_finish(&b, &e), 0);
	}
}

/* ---- cores ---- */

/* In a process of its own, which cannot raise it again. */
static int prepared_with(rlim_t most)
{
	const struct limits l = limits_of(LIMIT_MEMORY, MIB);
	const struct bounds_ask ask = { .limits = &l, .event_id = "e_test", .root = fake_root };
	int status;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { .code = AMBIT_OK };
		struct bounds b;

		if (setrlimit(RLIMIT_CORE, &(struct rlimit){ most, most }) < 0)
			_exit(100);
		_exit(-bounds_prepare(&ask, &b, &e));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void a_crash_starts_nothing_outside(void **state)
{
	static const struct {
		const char *pattern; /* NULL: it cannot be read */
		rlim_t most;
		int want;
	} rows[] = { { NULL, 0, -AMBIT_HOST },
		     { NULL, 1, 0 },
		     { "core\n", 0, 0 },
		     { "\n", 0, 0 },
		     { "", 0, 0 },
		     { "|/lib/helper %P\n", 0, -AMBIT_HOST },
		     { "|/lib/helper %P\n", 1, 0 },
		     { "@/run/cores\n", 0, -AMBIT_HOST },
		     { "@/run/cores\n", 1, -AMBIT_HOST },
		     { "@@/run/cores\n", RLIM_INFINITY, -AMBIT_HOST },
		     { "core.%p\n", RLIM_INFINITY, 0 } };
	struct rlimit own;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/proc/sys", fake_root);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/proc/sys/kernel", fake_root);
	assert_int_equal(mkdir(path, 0755), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int got;

		if (rows[i].most == RLIM_INFINITY &&
		    !(getrlimit(RLIMIT_CORE, &own) == 0 && own.rlim_max == RLIM_INFINITY))
			continue; /* it cannot be had here; 1 is the same */
		if (rows[i].pattern != NULL)
			fake_write("proc/sys/kernel/core_pattern", rows[i].pattern);
		got = prepared_with(rows[i].most);
		if (got != rows[i].want)
			fail_msg("row %zu: %d", i, got);
	}
}

static void a_dead_cell_reads_as_nothing(void **state)
{
	static int n = 3;
	struct sample s;
	struct run r;

	(void)state;
	run_begin(&r, limits_of(LIMIT_MEMORY, MIB), false, bomb, &n);
	minicell_end(&r.cell, NULL);
	sampler_read(r.bounds.sampler, 1, &s);
	assert_int_equal(s.processes, 0);
	assert_int_equal(s.tasks, 0);
	run_end(&r, NULL);
}

/* ---- root: cgroups ---- */

static void cgroups_prepare(struct bounds *b, struct limits l)
{
	const struct bounds_ask ask = { .limits = &l, .event_id = "e_test", .root = "" };
	struct err e = { .code = AMBIT_OK };

	assert_int_equal(bounds_prepare(&ask, b, &e), 0);
	if (cgroup_has(&b->cgroup, CGROUP_MEMORY) && cgroup_has(&b->cgroup, CGROUP_TASKS))
		return;
	print_message("SKIP: no cgroups here: %s; %s\n", b->cgroup.why[0], b->cgroup.why[1]);
	(void)bounds_finish(b, &e);
	if (getenv("AMBIT_MUST_RUN") != NULL)
		fail();
	skip();
}

/* Process 1 of the cell as the host numbers it: the only child of the one that minicell started. */
static pid_t first_of(const struct minicell *c)
{
	char path[64], text[32];
	uint32_t pid;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)c->pid, (int)c->pid);

	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd_read_all(fd, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = 0;
	text[strcspn(text, " ")] = 0;
	assert_true(parse_u32(text, 1, INT32_MAX, &pid));
	return (pid_t)pid;
}

static void cgroups_begin(struct run *r, struct limits l, void (*work)(void *), void *arg)
{
	struct err e = { .code = AMBIT_OK };
	int error = 0;

	cgroups_prepare(&r->bounds, l);
	bounds_enter(&r->bounds);
	assert_true(minicell_start(&r->cell, ORDINARY, work, arg, &error));
	assert_int_equal(bounds_leave(&r->bounds, &e), 0);
	bounds_place(&r->bounds, first_of(&r->cell)); /* with version 2, which has not put it inside yet */
	if (bounds_watch(&r->bounds,
			 &(struct bounds_watch_ask){ .proc_fd = r->cell.proc_fd, .scratch_fd = r->cell.scratch_fd },
			 &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(cgroup_holds(&r->bounds.cgroup, CGROUP_MEMORY) && cgroup_holds(&r->bounds.cgroup, CGROUP_TASKS));
}

static bool own_cgroup_is_ours(void)
{
	char text[4096];
	auto_fd int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd_read_all(fd, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = 0;
	return strstr(text, "ambit-") != NULL;
}

static void the_kernel_ends_a_hog(void **state)
{
	struct limits l = { .value = { [LIMIT_MEMORY] = 64 * MIB, [LIMIT_TASKS] = 20 } };
	struct event_usage usage = { 0 };
	struct run r;

	(void)state;
	cgroups_begin(&r, l, hog, NULL);
	assert_false(own_cgroup_is_ours());
	minicell_go(&r.cell);
	assert_true(run_until_over(&r, PATIENCE_MS));
	assert_int_equal(r.over, LIMIT_MEMORY);
	assert_int_equal(bounds_enforced(&r.bounds), 1u << LIMIT_MEMORY);
	run_end(&r, &usage);
	assert_int_equal(usage.memory_exact, 1);
	assert_in_range(usage.memory_peak_bytes, 60 * MIB, 64 * MIB);
}

static void the_kernel_refuses_forks(void **state)
{
	static int n = 200;
	struct limits l = { .value = { [LIMIT_MEMORY] = 64 * MIB, [LIMIT_TASKS] = 20 } };
	struct event_usage usage = { 0 };
	struct run r;

	(void)state;
	cgroups_begin(&r, l, bomb, &n);
	minicell_go(&r.cell);
	assert_false(run_until_over(&r, 300)); /* a refused fork is the program's business */
	assert_int_equal(bounds_enforced(&r.bounds), 1u << LIMIT_TASKS);
	sampler_read(r.bounds.sampler, 0, &r.bounds.last);
	assert_in_range(r.bounds.last.processes, 10, 21);
	run_end(&r, &usage);
	assert_int_equal(usage.tasks_peak, 20);
	assert_int_equal(usage.tasks_exact, 1);
}

static void a_process_is_placed(void **state)
{
	static int n = 200;
	struct limits l = { .value = { [LIMIT_MEMORY] = 64 * MIB, [LIMIT_TASKS] = 20 } };
	struct bounds b;
	struct err e;
	int go[2];
	pid_t pid;
	char byte;

	(void)state;
	cgroups_prepare(&b, l);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)!read(go[0], &byte, 1);
		bomb(&n);
	}
	assert_int_equal(bounds_mechanisms(&b), 0);
	bounds_place(&b, pid);
	assert_true((bounds_mechanisms(&b) & MECHANISM_BIT(MECHANISM_CGROUP_TASKS)) != 0);
	assert_int_equal(bounds_enforced(&b), 0);
	assert_int_equal(write(go[1], "g", 1), 1);
	for (int i = 0; i < PATIENCE_MS && bounds_enforced(&b) == 0; i++)
		(void)poll(NULL, 0, 1);
	assert_int_equal(bounds_enforced(&b), 1u << LIMIT_TASKS);
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(bounds_finish(&b, &e), 0);
	(void)close(go[0]);
	(void)close(go[1]);
}

static bool gone(const struct cgroup *c)
{
	static const char *const controllers[] = { "memory", "pids", "" };
	char cgroup[4096], mountinfo[65536], own[PROCTEXT_PATH_MAX], path[PROCTEXT_PATH_MAX + 200];
	bool ret = true;
	struct {
		const char *path;
		char *room;
		size_t size;
	} files[] = { { "/proc/self/cgroup", cgroup, sizeof cgroup },
		      { "/proc/self/mountinfo", mountinfo, sizeof mountinfo } };

	for (size_t i = 0; i < 2; i++) {
		auto_fd int fd = open(files[i].path, O_RDONLY | O_CLOEXEC);
		const ssize_t n = fd_read_all(fd, files[i].room, files[i].size - 1);

		files[i].room[n < 0 ? 0 : n] = 0;
	}
	for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++)
		if (proctext_own_cgroup(cgroup, mountinfo, controllers[i], own)) {
			(void)snprintf(path, sizeof path, "%s/%s", own, c->name);
			ret = ret && access(path, F_OK) < 0;
		}
	return ret;
}

/* The supervisor does not wait for a cell's end before it removes the directory. */
static void finish_outlasts_what_is_dying(void **state)
{
	static int n = 50;
	struct limits l = { .value = { [LIMIT_MEMORY] = 256 * MIB, [LIMIT_TASKS] = 100 } };
	struct cgroup copy;
	struct run r;
	struct err e;

	(void)state;
	for (int i = 0; i < 5; i++) {
		cgroups_begin(&r, l, bomb, &n);
		minicell_go(&r.cell);
		assert_true(run_until(&r, processes_at_least, 51));
		copy = r.bounds.cgroup;
		assert_false(gone(&copy));
		(void)kill(r.cell.pid, SIGTERM);
		if (bounds_finish(&r.bounds, &e) < 0)
			fail_msg("%s", e.msg);
		assert_true(gone(&copy));
		minicell_end(&r.cell, NULL);
	}
}

/* A supervisor is killed as hard as can be; the next one clears up, but spares the living. */
static void sweep_takes_what_the_dead_left(void **state)
{
	struct limits l = { .value = { [LIMIT_MEMORY] = 64 * MIB, [LIMIT_TASKS] = 20 } };
	const struct bounds_ask ask = { .limits = &l, .event_id = "e_dead", .root = "" };
	struct cgroup *left = map(sizeof *left, MAP_SHARED);
	struct run r;
	struct err e;
	int pair[2];
	pid_t pid;

	(void)state;
	cgroups_begin(&r, l, hold, &(size_t){ 4096 });
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct bounds b;

		(void)bounds_prepare(&ask, &b, &e);
		*left = b.cgroup;
		(void)!write(pair[1], "x", 1);
		(void)pause();
	}
	assert_true(tells(pair[0]));
	(void)bounds_sweep();
	assert_false(gone(left)); /* it lives */
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	assert_true(bounds_sweep() >= 1);
	assert_true(gone(left));
	assert_false(gone(&r.bounds.cgroup));
	run_end(&r, NULL);
	(void)munmap(left, sizeof *left);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* Version 2 without memory and pids controllers still places and kills: the part of it that every host can show. */
static void version_2_kills_what_is_inside(void **state)
{
	char cgroup[4096], mountinfo[65536], own[PROCTEXT_PATH_MAX];
	/* a name of no process, which no sweep of another test's takes for a dead one's */
	struct cgroup c = { .name = "ambit-test-e_test",
			    .dirs = { { .version = 2, .parent_fd = -1, .fd = -1 }, { .parent_fd = -1, .fd = -1 } } };
	struct pollfd ended = { .fd = -1, .events = POLLIN };
	auto_fd int fd_c = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	auto_fd int fd_m = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	uint64_t user, sys;
	struct err e;
	pid_t pid;

	(void)state;
	cgroup[fd_read_all(fd_c, cgroup, sizeof cgroup - 1)] = 0;
	mountinfo[fd_read_all(fd_m, mountinfo, sizeof mountinfo - 1)] = 0;
	if (proctext_own_cgroup(cgroup, mountinfo, "", own))
		c.dirs[0].parent_fd = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.dirs[0].parent_fd < 0 || mkdirat(c.dirs[0].parent_fd, c.name, 0755) < 0) {
		print_message("SKIP: no cgroups of version 2 to write to here\n");
		skip();
	}
	c.dirs[0].fd = openat(c.dirs[0].parent_fd, c.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid = fork();
	if (pid == 0)
		(void)pause();
	cgroup_place(&c, pid);
	assert_int_equal(c.dirs[0].version, 2);
	assert_true(cgroup_clone_fd(&c) >= 0);
	assert_true(cgroup_cpu(&c, &user, &sys));
	ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_int_equal(poll(&ended, 1, 50), 0); /* it lives */
	if (cgroup_finish(&c, 2000, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(poll(&ended, 1, 0), 1);
	(void)waitpid(pid, NULL, 0);
	(void)close(ended.fd);
}

/* ---- both ---- */

#define ON_FAKE(test) cmocka_unit_test_setup_teardown(test, fake_begin, fake_end)

static int sampled(void)
{
	static const struct CMUnitTest tests[] = {
		ON_FAKE(a_hog_is_found),
		ON_FAKE(shared_pages_count_once),
		ON_FAKE(memory_that_nobody_maps_is_found),
		ON_FAKE(the_largest_goes_when_the_host_is_low),
		ON_FAKE(a_sudden_fall_makes_a_sample_due),
		ON_FAKE(threads_count_whatever_they_are_called),
		ON_FAKE(a_fork_bomb_is_found),
		ON_FAKE(exactly_the_limit_is_fine),
		ON_FAKE(a_storm_does_no_harm),
		ON_FAKE(a_dear_sample_is_followed_by_rest),
		ON_FAKE(a_spinner_is_found_whoever_waits_for_it),
		ON_FAKE(what_ended_children_wrote_counts),
		ON_FAKE(what_all_wrote_shows_after_the_end),
		ON_FAKE(who_hides_its_writing_is_ended),
		ON_FAKE(only_the_root_of_a_proc_is_taken),
		ON_FAKE(a_crash_starts_nothing_outside),
		ON_FAKE(a_dead_cell_reads_as_nothing),
	};

	return cmocka_run_group_tests_name("sampled", tests, NULL, NULL);
}

static int as_ordinary_user(void)
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(ORDINARY, ORDINARY, ORDINARY) < 0 ||
		    setresuid(ORDINARY, ORDINARY, ORDINARY) < 0)
			_exit(1);
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		exit(sampled());
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_ends_a_hog),
		cmocka_unit_test(the_kernel_refuses_forks),
		cmocka_unit_test(a_process_is_placed),
		cmocka_unit_test(finish_outlasts_what_is_dying),
		cmocka_unit_test(sweep_takes_what_the_dead_left),
		cmocka_unit_test(version_2_kills_what_is_inside),
	};

	if (geteuid() != 0) {
		print_message("SKIP: cgroups by root: not root\n");
		return sampled();
	}
	return as_ordinary_user() + cmocka_run_group_tests_name("cgroups", tests, NULL, NULL);
}
