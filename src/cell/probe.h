/* probe - what this host can enforce, each thing found out by doing it.
 *
 * Owns:   the table of probes: a mechanism, what uses it, and what to do where it is missing.
 * Holds:  a probe runs in a child of its own that ends with it; it changes nothing on the host: the
 *         one that needs a directory makes it and takes it away again. Versions are asked only of
 *         interfaces that have one (Landlock); nothing is concluded from the kernel's release.
 * Called: doctor. Forks, so only from a process without threads. */
#ifndef CELL_PROBE_H
#define CELL_PROBE_H

#include <stdbool.h>
#include <stddef.h>

enum probe_need {
	PROBE_NEEDED,
	PROBE_BETTER /* something else stands in where it is missing */,
	PROBE_ROOT /* for root's cells only */
};

struct probe {
	const char *name;
	const char *text;   /* what it is for */
	const char *advice; /* where it is missing */
	enum probe_need need;
	int (*run)(char *ret_detail,
		   size_t size); /* in a child: 0, or -errno; detail is a short word of more, or why not */
};

struct finding {
	int result; /* 0, or -errno */
	char detail[96];
};

size_t probe_list(const struct probe **ret);
/* Forks, runs it, and takes what it found; a child that died says -EFAULT. */
void probe_run(const struct probe *p, struct finding *ret);

#endif
