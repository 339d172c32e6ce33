/* What hiding names costs before an event: the first look at a tree, and the one when nothing has changed since, when one file
 * has come in one directory, and when the mask has to be made anew. Milliseconds, the medians of many.
 *
 *   mask [DIRECTORIES FILES]    in a temporary directory; 10,000 and 100,000 unless told */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "series.h"
#include "stage/hidden.h"
#include "stage/mask.h"

#define ROUNDS 25
#define FIRST_ROUNDS 7
#define SECRETS 100 /* of the directories hold one */

/* Directories in three levels, as a tree of modules has them: at most 10 by 32 by the rest. */
static void directory_name(char room[64], unsigned i)
{
	(void)snprintf(room, 64, "package%u/module%u/part%u", i % 10, i / 10 % 32, i / 320);
}

static int make_directory(int fd, unsigned i, char room[64])
{
	char part[64];

	directory_name(room, i);
	for (const char *slash = strchr(room, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof part, "%.*s", (int)(slash - room), room);
		if (mkdirat(fd, part, 0755) < 0 && errno != EEXIST)
			return -1;
	}
	return mkdirat(fd, room, 0755);
}

static int make_tree(int fd, unsigned directories, unsigned files)
{
	char name[64], path[128];

	for (unsigned i = 0; i < directories; i++) {
		if (make_directory(fd, i, name) < 0)
			return -1;
		for (unsigned k = i; k < files; k += directories) {
			(void)snprintf(path, sizeof path, "%s/source_file_%u.c", name, k);
			if (mknodat(fd, path, S_IFREG | 0644, 0) < 0)
				return -1;
		}
		(void)snprintf(path, sizeof path, "%s/.env", name);
		if (i % (directories / SECRETS + 1) == 0 && mknodat(fd, path, S_IFREG | 0600, 0) < 0)
			return -1;
	}
	return 0;
}

static double now_ms(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Longer than what counts as recent. */
static void settle(void)
{
	const struct timespec t = { .tv_nsec = 80000000 };

	(void)nanosleep(&t, NULL);
}

struct figures {
	struct series passed, cpu;
	uint32_t listed;
};

static int once(const struct mask_ask *ask, struct figures *f)
{
	const double begin = now_ms(CLOCK_MONOTONIC), cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	struct mask m;
	struct err e;

	if (mask_make(ask, &m, &e) < 0) {
		(void)fprintf(stderr, "mask: %s\n", e.msg);
		return -1;
	}
	series_add(&f->passed, now_ms(CLOCK_MONOTONIC) - begin);
	series_add(&f->cpu, now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	f->listed = m.n_listed;
	mask_finish(&m);
	return 0;
}

enum change { NOTHING, ONE_FILE, ONE_SECRET, NO_INDEX };

static int change(const struct mask_ask *ask, enum change what, unsigned round)
{
	char path[128], directory[64];

	directory_name(directory, round);
	(void)snprintf(path, sizeof path, "%s/%u%s", directory, round, what == ONE_SECRET ? ".key" : ".txt");
	switch (what) {
	case NOTHING: return 0;
	case NO_INDEX: return unlinkat(ask->cache_fd, "index", 0) < 0 && errno != ENOENT ? -1 : 0;
	case ONE_FILE:
	case ONE_SECRET: break;
	}
	return mknodat(ask->tree_fd, path, S_IFREG | 0600, 0);
}

static int measure(const struct mask_ask *ask, const char *name, enum change what, double target)
{
	const unsigned rounds = what == NO_INDEX ? FIRST_ROUNDS : ROUNDS;
	struct figures f = { .listed = 0 };
	int r = series_init(&f.passed, rounds) < 0 || series_init(&f.cpu, rounds) < 0 ? -1 : 0;

	for (unsigned i = 0; i < rounds && r == 0; i++) {
		r = change(ask, what, i);
		if (what != NO_INDEX)
			settle();
		if (r == 0)
			r = once(ask, &f);
	}
	(void)printf("%-30s %8.2f ms  %8.2f worst  %8.2f processor  %6u directories listed\n", name,
		     series_median(&f.passed), series_at(&f.passed, 1), series_median(&f.cpu), f.listed);
	if (target > 0)
		figure_tell(name, series_median(&f.passed), target, "ms");
	series_finish(&f.passed);
	series_finish(&f.cpu);
	return r;
}

static int measure_all(const struct mask_ask *ask)
{
	int r = measure(ask, "first look", NO_INDEX, 400);

	if (r == 0)
		r = measure(ask, "nothing changed", NOTHING, 25);
	if (r == 0)
		r = measure(ask, "one file is new", ONE_FILE, 0);
	return r == 0 ? measure(ask, "one name more is to be hidden", ONE_SECRET, 0) : r;
}

/* The matcher alone. */
static void measure_names(void)
{
	static const char *const names[] = { "source_file_1.c", "index.js",     "README.md",
					     ".gitignore",      "package.json", "a.pyc" };
	const double begin = now_ms(CLOCK_MONOTONIC);
	unsigned hidden = 0;

	for (unsigned i = 0; i < 600000; i++)
		hidden += hidden_match("src", names[i % 6]) != NULL;
	(void)printf("%-34s %8.2f ns   %u hidden\n", "one name", (now_ms(CLOCK_MONOTONIC) - begin) / 600000 * 1e6,
		     hidden);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int run(const char *root, unsigned directories, unsigned files)
{
	auto_fd int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), tree_fd = -1, cache_fd = -1;
	struct mask_ask ask = { .path = "/srv/tree", .store_fd = -1 };
	struct err e;

	if (root_fd < 0 || mkdirat(root_fd, "tree", 0755) < 0)
		return -1;
	tree_fd = openat(root_fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree_fd < 0 || make_tree(tree_fd, directories, files) < 0 ||
	    mask_cache_open(root_fd, tree_fd, ask.path, &cache_fd, &e) < 0)
		return -1;
	ask.tree_fd = tree_fd;
	ask.cache_fd = cache_fd;
	(void)printf("%u files in %u directories\n", files, directories);
	measure_names();
	return measure_all(&ask);
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	uint32_t directories = 10000, files = 100000;
	char root[256];
	int r;

	if (argc == 3 && (!parse_u32(argv[1], 1, 1000000, &directories) || !parse_u32(argv[2], 0, 10000000, &files))) {
		(void)fprintf(stderr, "usage: mask [DIRECTORIES FILES]\n");
		return 1;
	}

	(void)snprintf(root, sizeof root, "%s/ambit-mask-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(root) == NULL) {
		perror(root);
		return 1;
	}
	r = run(root, directories, files);
	if (r < 0)
		perror("mask");
	(void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return r < 0;
}
