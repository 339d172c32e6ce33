/* uncounted - what an event writes where the kernel does not count it as written to a disk.
 *
 * Owns:   struct uncounted: one descriptor of each file system in memory that the cell can write to, and how full it was
 *         before foreign code ran.
 * Holds:  write_bytes counts the pages that are to be written back (mm/page-writeback.c, folio_account_dirtied), so a tmpfs is
 *         counted by how much fuller it is than before. That is never less than what the cell added, unless others take
 *         away meanwhile, and more where others add; the caller knows a tighter figure where there is a control group.
 *         Where neither can be had (what a server writes: fs/fuse/file.c, fs/9p), a limit cannot hold and is refused.
 * Called: supervisor, from bounds: find before foreign code runs, grown while it does. */
#ifndef SUPERVISOR_UNCOUNTED_H
#define SUPERVISOR_UNCOUNTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define UNCOUNTED_MAX 256u

struct uncounted {
	uint32_t n;
	struct {
		int fd; /* owned */
		dev_t dev;
		uint64_t before; /* bytes */
	} row[UNCOUNTED_MAX];
};

/* All descriptors are borrowed. */
struct uncounted_ask {
	int proc_fd;    /* root of the cell's /proc */
	int scratch_fd; /* the cell's own file system, which `memory` bounds; -1: none */
	const int *
		also; /* places outside of the cell that its writes go to (a stage), n_also of them; -1 stands for none */
	size_t n_also;
	bool limited; /* what is written has a limit */
};

/* -HOST: the cell's mounts cannot be read, more than UNCOUNTED_MAX are in memory, or the limit cannot hold. Nothing is left open
 * then. */
int uncounted_find(struct uncounted *ret, const struct uncounted_ask *ask, struct err *e);
/* Later is before now: what others wrote while a cell waited is not its own. */
void uncounted_again(struct uncounted *u);
uint64_t uncounted_grown(const struct uncounted *u); /* bytes, of all together */
void uncounted_close(struct uncounted *u);           /* accepts a zeroed one */

#endif
