/* What bounding costs: one look at a cell of 1, 64 and 1,000 tasks, the period that follows from it, and the calls at the
 * start and end of an event. Prints processor time in microseconds, the median of many. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "minicell.h"
#include "supervisor/bounds.h"

#define ROUNDS 25
#define ORDINARY 65534

static uint64_t ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double median_us(uint64_t *values)
{
	const size_t middle = ROUNDS / 2;

	qsort(values, ROUNDS, sizeof *values, by_size);
	return (double)values[middle] / 1000;
}

static void idle(void *arg)
{
	for (int n = *(int *)arg; n > 1; n--)
		if (fork() == 0)
			break;
	(void)pause();
}

static int fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "%s: %s\n", what, e->msg);
	return 1;
}

static double look(struct sampler *s, uint64_t limit)
{
	uint64_t values[ROUNDS];
	struct sample sample;

	for (size_t i = 0; i < ROUNDS; i++) {
		const uint64_t begin = ns(CLOCK_THREAD_CPUTIME_ID);

		sampler_read(s, limit, &sample);
		values[i] = ns(CLOCK_THREAD_CPUTIME_ID) - begin;
	}
	return median_us(values);
}

static int watch(int tasks)
{
	static const struct {
		const char *name;
		unsigned what;
		bool memfd;
		uint64_t limit;
	} rows[] = {
		{ "bytes written (with cgroups)", SAMPLE_WRITTEN, false, 0 },
		{ "all (without)", SAMPLE_WRITTEN | SAMPLE_MEMORY | SAMPLE_TASKS, false, 0 },
		{ "all, processor time too", SAMPLE_WRITTEN | SAMPLE_MEMORY | SAMPLE_TASKS | SAMPLE_CPU, false, 0 },
		{ "all, memory confirmed", SAMPLE_WRITTEN | SAMPLE_MEMORY | SAMPLE_TASKS, false, 1 },
	};
	struct minicell cell;
	struct sample sample = { 0 };
	int error = 0;

	if (!minicell_start(&cell, geteuid() == 0 ? ORDINARY : geteuid(), idle, &tasks, &error)) {
		(void)fprintf(stderr, "no user namespaces here: %s\n", strerror(error));
		return 77;
	}
	minicell_go(&cell);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct sampler_ask ask = { .proc_fd = cell.proc_fd,
						 .scratch_fd = cell.scratch_fd,
						 .memfd = rows[i].memfd,
						 .what = rows[i].what };
		struct sampler *s = NULL;
		struct err e;
		double us;

		if (sampler_create(&ask, &s, &e) < 0)
			return fail("sampler", &e);
		while (sample.processes < (unsigned)tasks + 1) {
			sampler_read(s, 0, &sample);
			(void)poll(NULL, 0, 1);
		}
		us = look(s, rows[i].limit);
		(void)printf("%5d tasks  %-30s %9.1f us  every %6.0f ms\n", tasks, rows[i].name, us,
			     us * 50 < 20000 ? 20.0 : us * 50 / 1000);
		sampler_destroy(s);
	}
	minicell_end(&cell, NULL);
	return 0;
}

static int life(void)
{
	static const char *const names[] = { "prepare", "enter and leave", "tick, nothing due", "finish" };
	struct limits limits = { .value = { [LIMIT_MEMORY] = 512u << 20, [LIMIT_TASKS] = 64 } };
	uint64_t values[4][ROUNDS];
	struct bounds b;
	struct err e;

	for (size_t i = 0; i < ROUNDS; i++) {
		char id[32];
		const struct bounds_ask ask = { .limits = &limits, .event_id = id, .root = "" };
		uint64_t at[5];
		enum limit over;

		(void)snprintf(id, sizeof id, "e_bench%zu", i);
		at[0] = ns(CLOCK_MONOTONIC);
		if (bounds_prepare(&ask, &b, &e) < 0)
			return fail("prepare", &e);
		at[1] = ns(CLOCK_MONOTONIC);
		bounds_enter(&b);
		if (bounds_leave(&b, &e) < 0)
			return fail("leave", &e);
		at[2] = ns(CLOCK_MONOTONIC);
		(void)bounds_tick(&b, 0, &over);
		at[3] = ns(CLOCK_MONOTONIC);
		if (i == 0)
			(void)printf("cgroups: memory %s, tasks %s\n",
				     b.cgroup.why[0][0] == 0 ? "yes" : b.cgroup.why[0],
				     b.cgroup.why[1][0] == 0 ? "yes" : b.cgroup.why[1]);
		if (bounds_finish(&b, &e) < 0)
			return fail("finish", &e);
		at[4] = ns(CLOCK_MONOTONIC);
		for (size_t k = 0; k < 4; k++)
			values[k][i] = at[k + 1] - at[k];
	}
	for (size_t k = 0; k < 4; k++)
		(void)printf("%-43s %9.1f us\n", names[k], median_us(values[k]));
	return 0;
}

int main(void)
{
	static const int tasks[] = { 1, 64, 1000 };
	int r = life();

	for (size_t i = 0; i < sizeof tasks / sizeof tasks[0] && r == 0; i++)
		r = watch(tasks[i]);
	return r;
}
