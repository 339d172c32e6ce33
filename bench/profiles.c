/* What a person's profiles cost when there are many: a verdict with its lesson by one that is on disk, by one that is in memory, a list of them all, and the keeper's memory.
 *
 *   bench_profiles DIRECTORY [PROFILES]      10,000 of them unless told, in DIRECTORY, which is empty; each has a profile of its agent beside it */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "command.h"
#include "series.h"
#include "usual/book.h"

#define CALLS 200u
#define KINDS 60u
#define ROUNDS 300u

static bool event_make(struct deeds *d, unsigned agent)
{
	static char names[KINDS][SYMBOL_MAX];
	static unsigned sessions;
	struct trace_step steps[CALLS];

	memset(d, 0, sizeof *d);
	for (unsigned i = 0; i < KINDS; i++)
		(void)snprintf(names[i], sizeof names[i], "read:/usr/p%u", i);
	for (unsigned i = 0; i < CALLS; i++)
		steps[i] = (struct trace_step){ .symbol = (uint16_t)((i * 7 + series_draw(3)) % KINDS) };
	d->trace.observed = 2;
	d->trace.threads = 1;
	d->trace.calls = CALLS;
	(void)snprintf(d->agent, sizeof d->agent, "agent%u", agent);
	(void)snprintf(d->tool, sizeof d->tool, "run");
	(void)snprintf(d->program, sizeof d->program, "git");
	(void)snprintf(d->principal, sizeof d->principal, "s%u", sessions++);
	for (unsigned i = 0; i < AMOUNTS; i++)
		d->amounts[i] = series_draw(1000);
	return trace_make(&d->trace, (const char(*)[SYMBOL_MAX])names, KINDS, steps, CALLS) == 0 &&
	       deeds_add(d, DEED_PROGRAM, "/usr/bin/git", 12) && deeds_add(d, DEED_DIRECTORY, "./src", 5);
}

/* Below 0: it failed, and was told. */
static double one(struct book *b, unsigned agent)
{
	const struct usual_ask ask = { .use = USUAL_TEACH, .event = "e_1", .time_s = 1800000000 };
	struct usual_found found;
	struct deeds d;
	struct err e;
	double began;
	int r;

	if (!event_make(&d, agent))
		return -1;
	began = now_ms();
	r = book_score(b, &ask, &d, &found, &e);
	began = now_ms() - began;
	deeds_finish(&d);
	if (r < 0)
		(void)fprintf(stderr, "%s\n", e.msg);
	return r < 0 ? -1 : began;
}

static int list_all(struct book *b, unsigned *ret_n)
{
	static struct usual_row rows[BOOK_PAGE];
	char after[NAME_MAX + 1] = "", last[NAME_MAX + 1];
	struct err e;
	size_t n;

	for (*ret_n = 0;; *ret_n += (unsigned)n) {
		if (book_page(b, after, rows, &n, last, &e) < 0)
			return -1;
		if (n == 0)
			return 0;
		memcpy(after, last, sizeof after);
	}
}

int main(int argc, char **argv)
{
	const unsigned profiles = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10000;
	auto_fd int dir = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct book *b = malloc(sizeof *b);
	struct series cold, hot;
	double began;
	unsigned listed;
	struct err e;

	if (dir < 0 || b == NULL || profiles == 0 || book_open(b, dir, &e) < 0 || series_init(&cold, ROUNDS) < 0 ||
	    series_init(&hot, ROUNDS) < 0)
		return 2;
	began = now_ms();
	for (unsigned i = 0; i < profiles; i++)
		if (one(b, i) < 0)
			return 1;
	printf("%u made in %.1f s\n", profiles, (now_ms() - began) / 1e3);
	for (unsigned i = 0; i < ROUNDS; i++) {
		const unsigned agent = series_draw(profiles);

		series_add(&cold, one(b, agent));
		series_add(&hot, one(b, agent));
	}
	figure_tell("profiles.hot", series_median(&hot), 1, "ms");
	printf("a verdict and a lesson by profiles that are on disk: median %.2f ms, p99 %.2f ms\n",
	       series_median(&cold), series_at(&cold, 0.99));
	began = now_ms();
	if (list_all(b, &listed) < 0)
		return 1;
	printf("a list of %u in %.2f s; memory %.1f MiB\n", listed, (now_ms() - began) / 1e3,
	       (double)(mallinfo2().uordblks + mallinfo2().hblkhd) / 1048576);
	book_close(b);
	free(b);
	series_finish(&cold);
	series_finish(&hot);
	return 0;
}
