/* How long a whole command takes, from spawn to reaped: /bin/true bare, in a cell at each level of observation, and in
 * bubblewrap with the same mounts. In turns, so that each round meets the same noise; beside the time that passed, the time
 * that processors spent, which other jobs on the machine disturb less.
 *
 * The time until the command is reaped is what its caller waits for. bubblewrap's returns before its cell is taken down
 * (it hears the exit status by an eventfd), so what it leaves is reaped here as well and the time until nothing is left is
 * the second figure: with it, teardown is included on both sides. That also keeps one from disturbing the next.
 *
 *   start AMBIT [ROUNDS] */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "cell/base.h"
#include "cell/spec.h"
#include "series.h"

#define ROUNDS 200u
#define WARM_UP 5u
#define ARGS_MAX 256

extern char **environ;

enum who { BARE, CELL_FULL, CELL_EFFECTS, CELL_OFF, BWRAP, WHO_COUNT };

struct contestant {
	const char *name;
	char *argv[ARGS_MAX];
	size_t n;
	struct series wall_us, gone_us, cpu_us;
};

static void add(struct contestant *c, const char *argument)
{
	if (c->n < ARGS_MAX - 1 && (c->argv[c->n] = strdup(argument)) != NULL)
		c->n++;
}

static void add_all(struct contestant *c, const char *const *arguments)
{
	for (; *arguments != NULL; arguments++)
		add(c, *arguments);
}

/* What the base of a cell shows, said to bubblewrap. Its --dev makes the devices. */
static int add_mounts(struct contestant *c)
{
	static struct cell_spec spec; /* 150 KiB */
	struct err e;

	spec_init(&spec);
	spec.base = CELL_BASE_SYSTEM;
	if (base_add(&spec, &e) < 0)
		return -1;
	for (uint32_t i = 0; i < spec.n_paths; i++) {
		const struct cell_path *p = &spec.paths[i];
		const char *path = spec_text(&spec, p->path), *text = spec_text(&spec, p->link);

		if ((p->flags & (CELL_PATH_DEVICE | CELL_PATH_HIDE)) != 0)
			continue;
		if ((p->flags & CELL_PATH_LINK) != 0)
			add_all(c, (const char *[]){ "--symlink", text, path, NULL });
		else
			add_all(c, (const char *[]){ "--ro-bind-try", path, path, NULL });
	}
	return 0;
}

static int contestants_init(struct contestant *all, const char *ambit, size_t rounds)
{
	static const char *const levels[] = { [CELL_FULL] = "full", [CELL_EFFECTS] = "effects", [CELL_OFF] = "off" };
	static const char *const names[] = { "bare", "ambit (full)", "ambit, effects", "ambit, off", "bwrap" };

	for (size_t i = 0; i < WHO_COUNT; i++) {
		all[i].name = names[i];
		if (series_init(&all[i].wall_us, rounds) < 0 || series_init(&all[i].gone_us, rounds) < 0 ||
		    series_init(&all[i].cpu_us, rounds) < 0)
			return -1;
	}
	for (size_t i = CELL_FULL; i <= CELL_OFF; i++)
		add_all(&all[i], (const char *[]){ ambit, "run", "--observe", levels[i], "--", NULL });
	add_all(&all[BWRAP], (const char *[]){ "/usr/bin/bwrap", "--unshare-all", NULL });
	if (add_mounts(&all[BWRAP]) < 0)
		return -1;
	add_all(&all[BWRAP], (const char *[]){ "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", NULL });
	for (size_t i = 0; i < WHO_COUNT; i++)
		add(&all[i], "/bin/true");
	return 0;
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
static void measure(struct contestant *all, size_t rounds)
{
	for (size_t round = 0; round < rounds + WARM_UP; round++)
		for (size_t i = 0; i < WHO_COUNT; i++) {
			struct contestant *c = &all[(round + i) % WHO_COUNT];

			if (c->argv[0] == NULL || once(c, round >= WARM_UP) == 0)
				continue;
			(void)printf("%s: does not run here, left out\n", c->name);
			c->argv[0] = NULL;
			c->wall_us.n = c->gone_us.n = c->cpu_us.n = 0;
		}
}

static void tell_table(const struct contestant *all)
{
	(void)printf("%-16s %8s %8s %8s %10s   %8s %8s   %8s %8s\n", "/bin/true, ms", "min", "median", "p95",
		     "over bare", "gone min", "median", "cpu min", "median");
	for (size_t i = 0; i < WHO_COUNT; i++) {
		const struct contestant *c = &all[i];

		if (c->wall_us.n > 0)
			(void)printf("%-16s %8.2f %8.2f %8.2f %10.2f   %8.2f %8.2f   %8.2f %8.2f\n", c->name,
				     series_at(&c->wall_us, 0) / 1e3, series_median(&c->wall_us) / 1e3,
				     series_at(&c->wall_us, 0.95) / 1e3,
				     series_excess(&c->wall_us, &all[BARE].wall_us) / 1e3,
				     series_at(&c->gone_us, 0) / 1e3, series_median(&c->gone_us) / 1e3,
				     series_at(&c->cpu_us, 0) / 1e3, series_median(&c->cpu_us) / 1e3);
	}
}

static void tell_figures(const struct contestant *all)
{
	const struct contestant *cell = &all[CELL_FULL], *bwrap = &all[BWRAP];

	if (bwrap->wall_us.n > 0) {
		figure_tell("start, of bubblewrap's, its teardown included",
			    series_ratio(&cell->gone_us, &bwrap->gone_us), 0.8, "");
		(void)printf("       as its caller waits, without its teardown: %.2f; of its processor time: %.2f\n",
			     series_ratio(&cell->wall_us, &bwrap->wall_us),
			     series_ratio(&cell->cpu_us, &bwrap->cpu_us));
	}
	figure_tell("start, above the bare spawn", series_excess(&cell->wall_us, &all[BARE].wall_us) / 1e3, 3.5, "ms");
}

int main(int argc, char **argv)
{
	static struct contestant all[WHO_COUNT];
	uint32_t rounds = ROUNDS;

	if (argc < 2 || (argc > 2 && !parse_u32(argv[2], 1, 100000, &rounds))) {
		(void)fprintf(stderr, "usage: start AMBIT [ROUNDS]\n");
		return 2;
	}
	if (contestants_init(all, argv[1], rounds) < 0)
		return 1;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return 1;
	measure(all, rounds);
	if (all[BARE].wall_us.n == 0 || all[CELL_FULL].wall_us.n == 0)
		return 1;
	tell_table(all);
	tell_figures(all);
	return 0;
}
