#include "supervisor/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervisor/proctext.h"

#define COST_SHARE 50 /* a sample that took t is followed by 50 t of rest */
#define FINISH_TIMEOUT_MS 2000
#define FLOOR_PART 64                   /* of the host's memory ... */
#define FLOOR_MIN (UINT64_C(64) << 20)  /* ... but not so little that the kernel kills first ... */
#define FLOOR_MAX (UINT64_C(512) << 20) /* ... nor so much that large hosts waste it */
#define HIDDEN_MAX 3                    /* samples: a program that nobody may read can have run for that long */
#define SHARE_LEAST 256                 /* a cell below this part of the host's memory is not to blame */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- the host's memory ---- */

static bool meminfo_read(int fd, char *text, size_t size)
{
	const ssize_t n = fd < 0 ? -1 : pread(fd, text, size - 1, 0);

	if (n <= 0)
		return false;
	text[n] = 0;
	return true;
}

static uint64_t available_bytes(const struct bounds *b)
{
	char text[1024]; /* the third line */
	uint64_t kb;

	return meminfo_read(b->meminfo_fd, text, sizeof text) && proctext_field(text, "MemAvailable", &kb) ? kb * 1024
													   : UINT64_MAX;
}

static void floor_init(struct bounds *b)
{
	char text[1024]; /* the first line */
	uint64_t kb;

	if (!meminfo_read(b->meminfo_fd, text, sizeof text) || !proctext_field(text, "MemTotal", &kb))
		return;
	b->floor.total = kb * 1024;
	b->floor.least = max_u64(FLOOR_MIN, min_u64(FLOOR_MAX, b->floor.total / FLOOR_PART));
}

/* While the host's memory is low, the share that a cell may use halves with each tick, from the half of the host down.
 * All supervisors do the same without knowing of each other, so the largest cell meets its share first; when it has gone
 * and there is memory again, the others go on. */
static uint64_t floor_step(struct bounds_floor *f, uint64_t available)
{
	if (available >= f->least)
		f->share = 0;
	else if (f->share == 0)
		f->share = f->total / 2;
	else
		f->share = max_u64(f->share / 2, f->total / SHARE_LEAST);
	return f->share;
}

/* ---- setting up ---- */

static void take_mechanisms(struct bounds *b)
{
	b->mechanisms &= ~(MECHANISM_BIT(MECHANISM_CGROUP_MEMORY) | MECHANISM_BIT(MECHANISM_CGROUP_TASKS));
	if (cgroup_holds(&b->cgroup, CGROUP_MEMORY))
		b->mechanisms |= MECHANISM_BIT(MECHANISM_CGROUP_MEMORY);
	if (cgroup_holds(&b->cgroup, CGROUP_TASKS))
		b->mechanisms |= MECHANISM_BIT(MECHANISM_CGROUP_TASKS);
}

/* What core_pattern names (`|` a program, since Linux 6.16 `@` a socket) would be started, or told, as root of the host for a crash in the cell (core(5)). A limit of 1, as the cell has it
 * (cell/rlimits.c), keeps the program from that, and 0, which cannot be raised, does not; nothing keeps the socket from it. */
static int crashes_stay_inside(const char *root, struct err *e)
{
	char path[PROCTEXT_PATH_MAX], first = 0;
	struct rlimit now;
	auto_fd int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/proc/sys/kernel/core_pattern", root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, &first, 1);
	if (first == '@')
		return err_set(e, AMBIT_HOST, "let core_pattern name a file, or a program (`|`)",
			       "a crash in the cell would be told to the socket of the host that %s names", path);
	if ((n >= 0 && first != '|') || getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_max >= 1)
		return 0;
	return err_set(
		e, AMBIT_HOST,
		"let the hard limit of core dumps be 1, with which there are none (`* hard core 1` in limits.conf, LimitCORE=1), or core_pattern name a file",
		"a crash in the cell would start what %s names, as root of this host: the hard limit of core dumps is 0, which does not keep it from that",
		path);
}

int bounds_prepare(const struct bounds_ask *ask, struct bounds *ret, struct err *e)
{
	const uint64_t tasks = ask->limits->value[LIMIT_TASKS];
	const struct cgroup_ask cgroup = {
		.root = ask->root,
		.event_id = ask->event_id,
		.value = { [CGROUP_MEMORY] = ask->limits->value[LIMIT_MEMORY],
			   [CGROUP_TASKS] = tasks != 0 ? tasks + BOUNDS_START_TASKS : 0 },
		.companion = ask->companion,
	};
	char path[PROCTEXT_PATH_MAX];

	*ret = (struct bounds){ .limits = *ask->limits, .meminfo_fd = -1, .available = UINT64_MAX };
	if ((size_t)snprintf(path, sizeof path, "%s/proc/meminfo", ask->root) >= sizeof path)
		return err_set(e, AMBIT_SYSTEM, NULL, "a path that is too long: %s", ask->root);
	ret->meminfo_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ret->meminfo_fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "mount /proc", "cannot open %s", path);
	if (crashes_stay_inside(ask->root, e) < 0) {
		fd_close(&ret->meminfo_fd);
		return -AMBIT_HOST;
	}
	floor_init(ret);
	cgroup_create(&cgroup, &ret->cgroup);
	return 0;
}

mechanism_set bounds_mechanisms(const struct bounds *b)
{
	return b->mechanisms;
}

int bounds_clone_fd(const struct bounds *b)
{
	return cgroup_clone_fd(&b->cgroup);
}

void bounds_cloned(struct bounds *b)
{
	cgroup_cloned(&b->cgroup);
	take_mechanisms(b);
}

void bounds_enter(struct bounds *b)
{
	cgroup_enter(&b->cgroup);
	take_mechanisms(b);
}

int bounds_leave(const struct bounds *b, struct err *e)
{
	return cgroup_leave(&b->cgroup, e);
}

void bounds_place(struct bounds *b, pid_t pid)
{
	cgroup_place(&b->cgroup, pid);
	take_mechanisms(b);
}

/* What no cgroup keeps. Memory and tasks also without a limit of their own: the record tells the peak. */
static unsigned what_to_sample(const struct bounds *b)
{
	uint64_t user, sys;
	unsigned what = 0;

	if (!cgroup_has(&b->cgroup, CGROUP_MEMORY))
		what |= SAMPLE_MEMORY;
	if (!cgroup_has(&b->cgroup, CGROUP_TASKS))
		what |= SAMPLE_TASKS;
	if (b->limits.value[LIMIT_CPU] != 0 && !cgroup_cpu(&b->cgroup, &user, &sys))
		what |= SAMPLE_CPU;
	return what | SAMPLE_WRITTEN;
}

int bounds_watch(struct bounds *b, const struct bounds_watch_ask *ask, struct err *e)
{
	struct sampler_ask sampler = { .proc_fd = ask->proc_fd, .scratch_fd = ask->scratch_fd, .memfd = ask->jit };
	int r;

	cgroup_settle(&b->cgroup, b->limits.value[LIMIT_TASKS] + BOUNDS_OWN_TASKS);
	take_mechanisms(b);
	sampler.what = what_to_sample(b);
	r = sampler_create(&sampler, &b->sampler, e);
	r = r < 0 ? r
		  : uncounted_find(&b->uncounted,
				   &(struct uncounted_ask){ .proc_fd = ask->proc_fd,
							    .scratch_fd = ask->scratch_fd,
							    .also = ask->stage_fd,
							    .n_also = ask->n_stages,
							    .limited = b->limits.value[LIMIT_DISK] != 0 },
				   e);
	if (r < 0)
		return r;
	b->what = sampler.what;
	b->mechanisms |= MECHANISM_BIT(MECHANISM_SAMPLER);
	return 0;
}

void bounds_again(struct bounds *b)
{
	uncounted_again(&b->uncounted);
}

/* ---- watching ---- */

static bool over(const struct bounds *b, enum limit which, uint64_t value)
{
	return b->limits.value[which] != 0 && value > b->limits.value[which];
}

static uint64_t cpu_ms(const struct bounds *b)
{
	uint64_t user, sys;

	return cgroup_cpu(&b->cgroup, &user, &sys) ? (user + sys) / 1000 : b->last.cpu_ms;
}

/* The first limit that is passed; false if none is. */
static bool find_over(const struct bounds *b, enum limit *ret)
{
	const struct sample *s = &b->last;
	const bool limited = b->limits.value[LIMIT_MEMORY] != 0 || b->limits.value[LIMIT_DISK] != 0 ||
			     b->limits.value[LIMIT_CPU] != 0;
	const struct {
		enum limit limit;
		bool over;
	} rows[] = {
		{ LIMIT_MEMORY, (b->what & SAMPLE_MEMORY) != 0 && over(b, LIMIT_MEMORY, s->memory_bytes) },
		{ LIMIT_TASKS, (b->what & SAMPLE_TASKS) != 0 && s->tasks > BOUNDS_OWN_TASKS &&
				       over(b, LIMIT_TASKS, s->tasks - BOUNDS_OWN_TASKS) },
		{ LIMIT_CPU, over(b, LIMIT_CPU, cpu_ms(b)) },
		{ LIMIT_DISK, over(b, LIMIT_DISK, s->written_bytes) },
		/* what cannot be watched any more is not bounded any more */
		{ LIMIT_DISK, b->hidden >= HIDDEN_MAX && b->limits.value[LIMIT_DISK] != 0 },
		{ LIMIT_TASKS, s->cut && limited },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].over) {
			*ret = rows[i].limit;
			return true;
		}
	return false;
}

static void take_peak(struct bounds *b)
{
	b->peak.memory_bytes = max_u64(b->peak.memory_bytes, b->last.memory_bytes);
	b->peak.tasks = max_u64(b->peak.tasks, b->last.tasks);
	b->peak.cpu_ms = max_u64(b->peak.cpu_ms, b->last.cpu_ms);
	b->peak.written_bytes = max_u64(b->peak.written_bytes, b->last.written_bytes);
}

static uint64_t thread_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Others fill the same file systems, but a control group knows what of all files in memory is the cell's. */
static uint64_t written_in_memory(const struct bounds *b)
{
	const uint64_t grown = uncounted_grown(&b->uncounted);
	uint64_t own;

	return grown != 0 && cgroup_memory_files(&b->cgroup, &own) ? min_u64(grown, own) : grown;
}

static void look(struct bounds *b, uint64_t now_ns, uint64_t available)
{
	const uint64_t begin = thread_ns();

	sampler_read(b->sampler, b->limits.value[LIMIT_MEMORY], &b->last);
	b->last.written_bytes += written_in_memory(b);
	take_peak(b);
	b->hidden += b->last.hidden != 0;
	b->available = available;
	b->due_ns = now_ns + max_u64(BOUNDS_PERIOD_NS, (thread_ns() - begin) * COST_SHARE);
}

/* A thousand idle processes make a sample dear and the period long; one of them could then fill the memory within it. So
 * a fall of the host's free memory by half of what the cell still may take makes a sample due at once. */
static bool is_due(const struct bounds *b, uint64_t now_ns, uint64_t available)
{
	const uint64_t limit = b->limits.value[LIMIT_MEMORY], used = b->last.memory_bytes;

	if (b->sampler == NULL)
		return false;
	if (now_ns >= b->due_ns)
		return true;
	return (b->what & SAMPLE_MEMORY) != 0 && limit > used && b->available != UINT64_MAX &&
	       available < b->available && b->available - available > (limit - used) / 2;
}

static uint64_t memory_now(const struct bounds *b)
{
	uint64_t bytes;

	return cgroup_memory_now(&b->cgroup, &bytes) ? bytes : b->last.memory_bytes;
}

int bounds_tick(struct bounds *b, uint64_t now_ns, enum limit *ret_over)
{
	const uint64_t available = available_bytes(b);
	const uint64_t share = floor_step(&b->floor, available);

	if (cgroup_oom_kills(&b->cgroup) >
	    0) { /* version 1 kills one process: the event ends whole, as with version 2 */
		*ret_over = LIMIT_MEMORY;
		return 1;
	}
	if (is_due(b, now_ns, available) || (share != 0 && b->sampler != NULL))
		look(b, now_ns, available);
	if (share != 0 && memory_now(b) >= share) {
		b->host_low = true;
		*ret_over = LIMIT_MEMORY;
		return 1;
	}
	return find_over(b, ret_over) ? 1 : 0;
}

void bounds_add_written(struct bounds *b, uint64_t bytes)
{
	if (b->sampler != NULL)
		sampler_add_written(b->sampler, bytes);
}

int bounds_tick_last(struct bounds *b, enum limit *ret_over)
{
	if (b->sampler != NULL)
		look(b, b->due_ns, b->available);
	return find_over(b, ret_over) ? 1 : 0;
}

bool bounds_host_low(const struct bounds *b)
{
	return b->host_low;
}

/* ---- the end ---- */

uint32_t bounds_enforced(const struct bounds *b)
{
	return (cgroup_oom_kills(&b->cgroup) > 0 ? UINT32_C(1) << LIMIT_MEMORY : 0) |
	       (cgroup_forks_refused(&b->cgroup) > 0 ? UINT32_C(1) << LIMIT_TASKS : 0);
}

static uint64_t timeval_ms(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_usec / 1000;
}

static void usage_cpu(const struct bounds *b, const struct rusage *waited, struct event_usage *ret)
{
	uint64_t user, sys, known;

	if (cgroup_cpu(&b->cgroup, &user, &sys)) {
		ret->cpu_user_ms = user / 1000;
		ret->cpu_system_ms = sys / 1000;
		return;
	}
	ret->cpu_user_ms = waited != NULL ? timeval_ms(waited->ru_utime) : 0;
	ret->cpu_system_ms = waited != NULL ? timeval_ms(waited->ru_stime) : 0;
	known = ret->cpu_user_ms + ret->cpu_system_ms;
	if (b->peak.cpu_ms > known) /* of processes that nobody waited for; which half it was is not known */
		ret->cpu_user_ms += b->peak.cpu_ms - known;
}

void bounds_usage(const struct bounds *b, const struct rusage *waited, struct event_usage *ret)
{
	uint64_t v;

	usage_cpu(b, waited, ret);
	ret->memory_exact = cgroup_memory_peak(&b->cgroup, &v);
	if (!ret->memory_exact) /* an event too short for a sample: the largest of its processes */
		v = max_u64(b->peak.memory_bytes, waited != NULL ? (uint64_t)waited->ru_maxrss * 1024 : 0);
	ret->memory_peak_bytes = v;
	/* a peak that the start alone can have made tells nothing */
	ret->tasks_exact = cgroup_tasks_peak(&b->cgroup, &v) && v > BOUNDS_START_TASKS;
	if (!ret->tasks_exact)
		v = max_u64(b->peak.tasks, BOUNDS_OWN_TASKS + 1);
	ret->tasks_peak = v > BOUNDS_OWN_TASKS ? v - BOUNDS_OWN_TASKS : 0;
	ret->written_bytes = b->last.written_bytes;
	ret->disk_exact = 0;
}

int bounds_finish(struct bounds *b, struct err *e)
{
	int r;

	if (b == NULL)
		return 0;
	sampler_destroy(b->sampler);
	b->sampler = NULL;
	uncounted_close(&b->uncounted);
	r = cgroup_finish(&b->cgroup, FINISH_TIMEOUT_MS, e);
	/* in a zeroed one 0 is not a descriptor of ours */
	if (b->floor.total != 0 || b->meminfo_fd > 0)
		fd_close(&b->meminfo_fd);
	b->mechanisms = 0;
	return r;
}

unsigned bounds_sweep(void)
{
	return cgroup_sweep("");
}
