/* What staging adds to the start and the end of an event that changes nothing: /bin/true with --work on an empty tree and on a
 * large one, beside --direct and beside no grant at all. In turns, as start.c does. The large tree has 100,000 files in 10,000
 * directories; it and the empty one are made in the directory that is named, and stay there.
 *
 *   start_staged AMBIT DIRECTORY [ROUNDS] */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/num.h"
#include "contest.h"

#define ROUNDS 200u
#define GROUPS 100u /* directories of the top */
#define SUBDIRECTORIES 99u
#define FILES 10u /* of each directory */

enum who { BARE, NO_GRANT, DIRECT_EMPTY, DIRECT_LARGE, STAGED_EMPTY, STAGED_LARGE, WHO_COUNT };

static int make_directory(int above_fd, const char *kind, unsigned n, int *ret_fd)
{
	char name[32];

	(void)snprintf(name, sizeof name, "%s%u", kind, n);
	if (mkdirat(above_fd, name, 0755) < 0)
		return -1;
	*ret_fd = openat(above_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? -1 : 0;
}

static int make_files(int dir_fd)
{
	for (unsigned i = 0; i < FILES; i++) {
		char name[32];
		auto_fd int fd = -1;

		(void)snprintf(name, sizeof name, "file%u.c", i);
		fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 || fd_write_all(fd, name, strlen(name)) < 0)
			return -1;
	}
	return 0;
}

static int make_group(int tree_fd, unsigned n)
{
	auto_fd int group = -1;
	int r = make_directory(tree_fd, "group", n, &group);

	r = r < 0 ? r : make_files(group);
	for (unsigned i = 0; i < SUBDIRECTORIES && r == 0; i++) {
		auto_fd int sub = -1;

		r = make_directory(group, "sub", i, &sub);
		r = r < 0 ? r : make_files(sub);
	}
	return r;
}

static int make_trees(const char *at)
{
	auto_fd int dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC), empty = -1, large = -1;
	int r = dir < 0 ? -1 : make_directory(dir, "empty", 0, &empty);

	r = r < 0 ? r : make_directory(dir, "large", 0, &large);
	for (unsigned i = 0; i < GROUPS && r == 0; i++)
		r = make_group(large, i);
	return r < 0 || syncfs(dir) < 0 ? -1 : 0; /* written before anything is timed */
}

static int contestants_init(struct contestant *all, const char *ambit, const char *at, size_t rounds)
{
	static const struct {
		const char *name, *tree; /* tree NULL: none */
		bool direct;
	} as[] = { { "bare", NULL, false },
		   { "no grant", NULL, false },
		   { "direct, empty", "empty0", true },
		   { "direct, large", "large0", true },
		   { "staged, empty", "empty0", false },
		   { "staged, large", "large0", false } };

	_Static_assert(sizeof as / sizeof as[0] == WHO_COUNT, "each has its row");
	for (size_t i = 0; i < WHO_COUNT; i++) {
		char tree[4096];

		if (contestant_init(&all[i], as[i].name, rounds) < 0)
			return -1;
		if (i != BARE)
			contestant_add_all(&all[i], (const char *[]){ ambit, "run", NULL });
		if (as[i].tree != NULL) {
			(void)snprintf(tree, sizeof tree, "%s/%s", at, as[i].tree);
			contestant_add_all(&all[i], (const char *[]){ "--work", tree, NULL });
		}
		if (as[i].direct)
			contestant_add(&all[i], "--direct");
		if (i != BARE)
			contestant_add(&all[i], "--");
		contestant_add(&all[i], "/bin/true");
	}
	return 0;
}

static void tell_figures(const struct contestant *all)
{
	figure_tell("staged start, 100,000 files, above an empty tree",
		    series_excess(&all[STAGED_LARGE].gone_us, &all[STAGED_EMPTY].gone_us) / 1e3, 1.0, "ms");
	(void)printf("       staged above --direct: %.2f ms; above no grant: %.2f ms; of processors: %.2f, %.2f ms\n",
		     series_excess(&all[STAGED_EMPTY].gone_us, &all[DIRECT_EMPTY].gone_us) / 1e3,
		     series_excess(&all[STAGED_EMPTY].gone_us, &all[NO_GRANT].gone_us) / 1e3,
		     series_excess(&all[STAGED_EMPTY].cpu_us, &all[DIRECT_EMPTY].cpu_us) / 1e3,
		     series_excess(&all[STAGED_EMPTY].cpu_us, &all[NO_GRANT].cpu_us) / 1e3);
}

int main(int argc, char **argv)
{
	static struct contestant all[WHO_COUNT];
	uint32_t rounds = ROUNDS;

	if (argc < 3 || (argc > 3 && !parse_u32(argv[3], 1, 100000, &rounds))) {
		(void)fprintf(stderr, "usage: start_staged AMBIT DIRECTORY [ROUNDS]\n");
		return 2;
	}
	if (make_trees(argv[2]) < 0) {
		(void)fprintf(stderr, "start_staged: cannot make the trees in %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	if (contestants_init(all, argv[1], argv[2], rounds) < 0 || contest_run(all, WHO_COUNT, rounds) < 0)
		return 1;
	contest_tell("/bin/true, ms", all, WHO_COUNT, &all[BARE]);
	if (all[STAGED_EMPTY].gone_us.n == 0 || all[STAGED_LARGE].gone_us.n == 0)
		return 1;
	tell_figures(all);
	return 0;
}
