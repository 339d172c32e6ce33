#include "contest.h"

#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 5u

extern char **environ;

int contestant_init(struct contestant *c, const char *name, size_t rounds)
{
	*c = (struct contestant){ .name = name };
	return series_init(&c->wall_us, rounds) < 0 || series_init(&c->gone_us, rounds) < 0 ||
			       series_init(&c->cpu_us, rounds) < 0
		       ? -1
		       : 0;
}

void contestant_add(struct contestant *c, const char *argument)
{
	if (c->n < CONTEST_ARGS_MAX - 1 && (c->argv[c->n] = strdup(argument)) != NULL)
		c->n++;
}

void contestant_add_all(struct contestant *c, const char *const *arguments)
{
	for (; *arguments != NULL; arguments++)
		contestant_add(c, *arguments);
}

static double micros_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) * 1e6 + (double)(now.tv_nsec - start->tv_nsec) / 1e3;
}

static double micros_of(const struct rusage *used)
{
	const struct timeval *user = &used->ru_utime, *sys = &used->ru_stime;

	return (double)(user->tv_sec + sys->tv_sec) * 1e6 + (double)(user->tv_usec + sys->tv_usec);
}

/* 0 or -1: it could not be run, or did not end well. */
static int once(struct contestant *c, bool keep)
{
	struct rusage used;
	struct timespec start;
	double wall, cpu;
	int status;
	pid_t pid;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (posix_spawn(&pid, c->argv[0], NULL, NULL, c->argv, environ) != 0)
		return -1;
	if (wait4(pid, &status, 0, &used) != pid)
		return -1;
	wall = micros_since(&start);
	cpu = micros_of(&used);
	while (wait4(-1, NULL, 0, &used) > 0) /* what it left has become ours */
		cpu += micros_of(&used);
	if (keep) {
		series_add(&c->wall_us, wall);
		series_add(&c->gone_us, micros_since(&start));
		series_add(&c->cpu_us, cpu);
	}
	return status == 0 ? 0 : -1;
}

/* Each round starts with another one, so that nobody always comes after the same. */
int contest_run(struct contestant *all, size_t n, size_t rounds)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -1;
	for (size_t round = 0; round < rounds + WARM_UP; round++)
		for (size_t i = 0; i < n; i++) {
			struct contestant *c = &all[(round + i) % n];

			if (c->argv[0] == NULL || once(c, round >= WARM_UP) == 0)
				continue;
			(void)printf("%s: does not run here, left out\n", c->name);
			c->argv[0] = NULL;
			c->wall_us.n = c->gone_us.n = c->cpu_us.n = 0;
		}
	return 0;
}

void contest_tell(const char *title, const struct contestant *all, size_t n, const struct contestant *bare)
{
	(void)printf("%-16s %8s %8s %8s %10s   %8s %8s   %8s %8s\n", title, "min", "median", "p95", "over bare",
		     "gone min", "median", "cpu min", "median");
	for (size_t i = 0; i < n; i++) {
		const struct contestant *c = &all[i];

		if (c->wall_us.n > 0)
			(void)printf("%-16s %8.2f %8.2f %8.2f %10.2f   %8.2f %8.2f   %8.2f %8.2f\n", c->name,
				     series_at(&c->wall_us, 0) / 1e3, series_median(&c->wall_us) / 1e3,
				     series_at(&c->wall_us, 0.95) / 1e3,
				     series_excess(&c->wall_us, &bare->wall_us) / 1e3, series_at(&c->gone_us, 0) / 1e3,
				     series_median(&c->gone_us) / 1e3, series_at(&c->cpu_us, 0) / 1e3,
				     series_median(&c->cpu_us) / 1e3);
	}
}
