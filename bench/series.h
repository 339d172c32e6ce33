/* series - figures taken again and again, and what is said about them.
 *
 * Owns:   struct series: room for as many values as it was made for.
 * Holds:  two series that are compared were filled in turns, so that value i of one met the same noise as value i of the
 *         other. Nothing here fails a run: a missed target is a line of text.
 * Called: by the programs of bench/. */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include <stddef.h>

struct series {
	double *values; /* owned */
	size_t n, room;
};

int series_init(struct series *s, size_t room);
void series_finish(struct series *s);
/* Values over the room are not kept. */
void series_add(struct series *s, double value);

/* The value below which `share` (0 to 1) of all lie; 0 if there are none. */
double series_at(const struct series *s, double share);
double series_median(const struct series *s);
/* The median of a[i] / b[i], and of a[i] - b[i]. */
double series_ratio(const struct series *a, const struct series *b);
double series_excess(const struct series *a, const struct series *b);
/* How far the ratio of two halves of the same thing strays from 1 for 95 of 100 pairs: what noise alone does. */
double series_noise(const struct series *a, const struct series *b);

/* From 0 to n - 1, the same ones in each run. */
unsigned series_draw(unsigned n);

/* One line: `figure NAME VALUE UNIT target at most TARGET UNIT met|missed`. */
void figure_tell(const char *name, double value, double target, const char *unit);

#endif
