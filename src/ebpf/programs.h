/* programs - what runs in the kernel, and the maps by which it is told whom to watch.
 *
 * Owns:   the programs of seen.bpf.c, loaded once; what they are attached by; a few rings that are made ahead, since a change of what programs can find waits for all processors.
 * Holds:  nothing is pinned: all of it goes with the descriptors of this process. They are attached only while a cell is watched, since every system call of the host passes an attached one.
 * Called: the role ambit-ebpf. */
#ifndef EBPF_PROGRAMS_H
#define EBPF_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "warden/seen.h"

#define PROGRAMS 3
#define RINGS_READY 8 /* more than this many cells that come at once wait for theirs */

struct programs {
	int program_fd[PROGRAMS];    /* borrowed of the object, which is kept */
	int link_fd[PROGRAMS];       /* owned, -1: not attached */
	int cells_fd, rings_fd;      /* borrowed likewise */
	uint32_t watched;            /* cells */
	int ring_fd[SEEN_CELLS_MAX]; /* owned: of that place; -1: none */
	bool used[SEEN_CELLS_MAX];
};

/* device: of the file system of namespaces, as stat(2) has it. -HOST, with what is missing. */
int programs_load(struct programs *p, uint64_t device, struct err *e);

/* From now on what threads of that pid namespace do goes into a ring, which *ret_ring leads to (borrowed). -LIMIT, -SYSTEM. */
int programs_watch(struct programs *p, uint32_t ns, uint32_t *ret_place, int *ret_ring, struct err *e);
void programs_count(const struct programs *p, uint32_t ns, uint64_t *ret_put, uint64_t *ret_lost);
/* Its ring goes when its reader has closed it, and another was made in its place. */
void programs_leave(struct programs *p, uint32_t ns, uint32_t place);
/* Makes a ring ahead, which takes as long as all processors take: whoever has nothing else to do calls it. False: there are enough, or none can be made. */
bool programs_prepare(struct programs *p);

#endif
