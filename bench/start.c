/* How long a whole command takes, from spawn to reaped: /bin/true bare, in a cell at each level of observation, and in
 * bubblewrap with the same mounts. In turns, so that each round meets the same noise; beside the time that passed, the time
 * that processors spent, which other jobs on the machine disturb less.
 *
 * The time until the command is reaped is what its caller waits for. bubblewrap's returns before its cell is taken down
 * (it hears the exit status by an eventfd), so what it leaves is reaped here as well and the time until nothing is left is
 * the second figure: with it, teardown is included on both sides. That also keeps one from disturbing the next.
 *
 *   start AMBIT [ROUNDS] */
#include <stdio.h>

#include "base/num.h"
#include "cell/base.h"
#include "cell/spec.h"
#include "contest.h"

#define ROUNDS 200u

enum who { BARE, CELL_FULL, CELL_EFFECTS, CELL_OFF, BWRAP, WHO_COUNT };

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
			contestant_add_all(c, (const char *[]){ "--symlink", text, path, NULL });
		else
			contestant_add_all(c, (const char *[]){ "--ro-bind-try", path, path, NULL });
	}
	return 0;
}

static int contestants_init(struct contestant *all, const char *ambit, size_t rounds)
{
	static const char *const levels[] = { [CELL_FULL] = "full", [CELL_EFFECTS] = "effects", [CELL_OFF] = "off" };
	static const char *const names[] = { "bare", "ambit (full)", "ambit, effects", "ambit, off", "bwrap" };

	for (size_t i = 0; i < WHO_COUNT; i++)
		if (contestant_init(&all[i], names[i], rounds) < 0)
			return -1;
	for (size_t i = CELL_FULL; i <= CELL_OFF; i++)
		contestant_add_all(&all[i], (const char *[]){ ambit, "run", "--observe", levels[i], "--", NULL });
	contestant_add_all(&all[BWRAP], (const char *[]){ "/usr/bin/bwrap", "--unshare-all", NULL });
	if (add_mounts(&all[BWRAP]) < 0)
		return -1;
	contestant_add_all(&all[BWRAP],
			   (const char *[]){ "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", NULL });
	for (size_t i = 0; i < WHO_COUNT; i++)
		contestant_add(&all[i], "/bin/true");
	return 0;
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
	if (contest_run(all, WHO_COUNT, rounds) < 0 || all[BARE].wall_us.n == 0 || all[CELL_FULL].wall_us.n == 0)
		return 1;
	contest_tell("/bin/true, ms", all, WHO_COUNT, &all[BARE]);
	tell_figures(all);
	return 0;
}
