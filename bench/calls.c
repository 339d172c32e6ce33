/* What one system call costs, bare and inside a cell at each level of observation. The program measures itself: it starts
 * copies of itself in turns, bare twice, since the difference between two bare runs is what noise does.
 *
 *   calls AMBIT [ROUNDS]    the table
 *   calls --here            one copy's part: nanoseconds a call, a line each
 *   calls --nothing         ends at once: what fork+exec starts */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "series.h"

#define ROUNDS 15u
/* Each call is timed in short blocks and the best one counts: a block during which another job had the processor says
 * nothing of the call. */
#define BLOCKS 60
#define FILE_SEEN "/usr/bin/env" /* the same file of the same file system on both sides */

extern char **environ;

struct place {
	int file, null;
	const char *self;
	char page[4096];
};

static void call_getppid(struct place *p)
{
	(void)p;
	(void)syscall(SYS_getppid);
}

static void call_read(struct place *p)
{
	(void)!pread(p->file, p->page, sizeof p->page, 0);
}

static void call_write(struct place *p)
{
	(void)!write(p->null, p->page, sizeof p->page);
}

static void call_stat(struct place *p)
{
	struct stat st;

	(void)p;
	(void)stat(FILE_SEEN, &st);
}

static void call_map(struct place *p)
{
	char *at = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)p;
	if (at == MAP_FAILED)
		return;
	at[0] = 1;
	(void)munmap(at, 64 << 10);
}

static void call_open(struct place *p)
{
	(void)p;
	(void)close(open(FILE_SEEN, O_RDONLY | O_CLOEXEC));
}

static void call_spawn(struct place *p)
{
	char *argv[] = { (char[]){ "calls" }, (char[]){ "--nothing" }, NULL };
	pid_t pid;

	if (posix_spawn(&pid, p->self, NULL, NULL, argv, argv + 2) == 0)
		(void)waitpid(pid, NULL, 0);
}

static const struct kind {
	const char *name;
	void (*call)(struct place *p);
	unsigned times;     /* in a block */
	double equal;       /* targets: 1 if equal to bare within noise with `effects` and `full`, 0 if there is none */
	double full_excess; /* at most so many microseconds above bare with `full`; 0 if there is no such target */
} kinds[] = {
	{ "getppid", call_getppid, 2000, 0, 0 },     { "read 4 KiB", call_read, 1000, 1, 0 },
	{ "write 4 KiB", call_write, 2000, 1, 0 },   { "stat", call_stat, 500, 1, 0 },
	{ "mmap+touch+munmap", call_map, 60, 1, 0 }, { "open+close", call_open, 50, 0, 12 },
	{ "fork+exec+wait", call_spawn, 1, 0, 0 },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double best_of(const struct kind *k, struct place *p)
{
	double best = 0;

	for (unsigned block = 0; block < BLOCKS; block++) {
		const double start = now_ns();
		double each;

		for (unsigned i = 0; i < k->times; i++)
			k->call(p);
		each = (now_ns() - start) / k->times;
		if (block == 0 || each < best)
			best = each;
	}
	return best;
}

static int measure_here(const char *self)
{
	struct place p = { .file = open(FILE_SEEN, O_RDONLY | O_CLOEXEC),
			   .null = open("/dev/null", O_WRONLY | O_CLOEXEC),
			   .self = self };

	if (p.file < 0 || p.null < 0)
		return 1;
	for (size_t i = 0; i < KINDS; i++)
		(void)printf("%.2f\n", best_of(&kinds[i], &p));
	(void)fflush(stdout);
	return 0;
}

enum who { BARE, AGAIN, OFF, EFFECTS, FULL, WHO_COUNT };

static const struct {
	const char *name, *level;
} whos[WHO_COUNT] = {
	[BARE] = { "bare", NULL },   [AGAIN] = { "bare again", NULL },
	[OFF] = { "off", "off" },    [EFFECTS] = { "effects", "effects" },
	[FULL] = { "full", "full" },
};

struct table {
	struct series ns[WHO_COUNT][KINDS];
};

/* Runs one copy and takes its lines. */
static int run_one(const char *ambit, const char *self, const char *level, struct series *ns)
{
	char command[3 * 4096], line[64], *end;
	size_t i = 0;
	FILE *f;

	(void)snprintf(command, sizeof command,
		       level == NULL ? "%s'%s' --here" : "'%s' run --observe %s -- '%s' --here",
		       level == NULL ? "" : ambit, level == NULL ? self : level, self);
	f = popen(command, "re"); /* NOLINT(cert-env33-c): a command line of our own making */
	if (f == NULL)
		return -1;
	while (i < KINDS && fgets(line, sizeof line, f) != NULL) {
		const double value = strtod(line, &end);

		if (end == line)
			break;
		series_add(&ns[i++], value);
	}
	return pclose(f) == 0 && i == KINDS ? 0 : -1;
}

static int measure(struct table *t, const char *ambit, const char *self, size_t rounds)
{
	for (size_t who = 0; who < WHO_COUNT; who++)
		for (size_t i = 0; i < KINDS; i++)
			if (series_init(&t->ns[who][i], rounds) < 0)
				return -1;
	for (size_t round = 0; round < rounds; round++)
		for (size_t i = 0; i < WHO_COUNT; i++) {
			const size_t who = (round + i) % WHO_COUNT;

			if (run_one(ambit, self, whos[who].level, t->ns[who]) < 0) {
				(void)fprintf(stderr, "calls: '%s' does not run\n", whos[who].name);
				return -1;
			}
		}
	return 0;
}

static void tell_table(const struct table *t)
{
	(void)printf("%-20s", "ns a call");
	for (size_t who = 0; who < WHO_COUNT; who++)
		(void)printf(" %16s", whos[who].name);
	(void)printf("\n");
	for (size_t i = 0; i < KINDS; i++) {
		(void)printf("%-20s %9.0f       ", kinds[i].name, series_median(&t->ns[BARE][i]));
		for (size_t who = AGAIN; who < WHO_COUNT; who++)
			(void)printf(" %9.0f (%4.2f)", series_median(&t->ns[who][i]),
				     series_ratio(&t->ns[who][i], &t->ns[BARE][i]));
		(void)printf("\n");
	}
}

/* Equal within noise: the ratio's distance from 1 is no more than what two bare runs have. */
static void tell_equal(const struct table *t, size_t i, enum who who)
{
	char name[64];

	(void)snprintf(name, sizeof name, "%s, %s, of bare (1 + noise)", kinds[i].name, whos[who].name);
	figure_tell(name, series_ratio(&t->ns[who][i], &t->ns[BARE][i]),
		    1 + series_noise(&t->ns[AGAIN][i], &t->ns[BARE][i]), "");
}

static void tell_figures(const struct table *t)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].equal > 0) {
			tell_equal(t, i, FULL);
		} else if (kinds[i].full_excess > 0) {
			tell_equal(t, i, EFFECTS);
			figure_tell("open+close, full, above bare",
				    series_excess(&t->ns[FULL][i], &t->ns[BARE][i]) / 1e3, kinds[i].full_excess, "us");
		}
	}
}

int main(int argc, char **argv)
{
	static struct table t;
	uint32_t rounds = ROUNDS;
	char self[4096];

	if (argc == 2 && strcmp(argv[1], "--nothing") == 0)
		return 0;
	if (argc < 2 || argv[0][0] != '/' || (argc > 2 && !parse_u32(argv[2], 1, 10000, &rounds))) {
		(void)fprintf(stderr, "usage: /ABSOLUTE/calls AMBIT [ROUNDS]\n");
		return 2;
	}
	if (strcmp(argv[1], "--here") == 0)
		return measure_here(argv[0]);
	(void)snprintf(self, sizeof self, "%s", argv[0]);
	if (measure(&t, argv[1], self, rounds) < 0)
		return 1;
	tell_table(&t);
	tell_figures(&t);
	return 0;
}
