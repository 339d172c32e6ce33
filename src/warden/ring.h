/* ring - reads what the kernel's programs saw of this cell, and notes it as the eye does.
 *
 * Owns:   the mapping of the cell's ring: records that the kernel writes, and the place up to which they were read.
 * Holds:  it decides nothing and holds nothing up: a call has gone on long before its record is read. Records are the kernel's, and what stands in them is the workload's: every length is checked, and what
 *         is none is counted as lost. The descriptor gives no more than that (bpf(2) is refused to the warden). What is read here was read by the kernel at the entry of the call (ebpf/seen.bpf.c), so a thread
 *         that changes an argument just then is seen wrongly.
 * Called: warden only. Linux 5.8. */
#ifndef WARDEN_RING_H
#define WARDEN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/effect.h"
#include "warden/arena.h"

struct ring {
	int fd;             /* owned, -1 if none: readable when so much is there that it should be read */
	uint64_t *consumed; /* mapped: how far it was read */
	const uint8_t *at;  /* mapped: a page with how far it is written, then the records, twice in a row */
	char object[EFFECT_OBJECT_MAX];
};

int ring_open(struct ring *r, int fd); /* takes fd. 0 or -errno */
/* All that is there when it is called. */
void ring_read(struct ring *r, struct arena *a);
void ring_close(struct ring *r);

/* One record, as the kernel wrote it; object: room for what it names. False: it is none. */
bool ring_note(struct arena *a, const uint8_t *bytes, size_t n, char object[EFFECT_OBJECT_MAX]);

#endif
