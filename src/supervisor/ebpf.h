/* ebpf - what the supervisor asks of the role ambit-ebpf: that the kernel's programs note what its cell does.
 *
 * Owns:   the connection to that role, which watches one cell for it; by its end that is over.
 * Holds:  the cell is watched before its program starts, or does not start. The supervisor never reads the ring: that is the warden's, and what is asked here are two counts.
 * Called: supervisor/main.c. */
#ifndef SUPERVISOR_EBPF_H
#define SUPERVISOR_EBPF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct ebpf {
	int sock; /* owned; -1: the eye sees, or nobody */
	bool watches;
};

static inline void ebpf_init(struct ebpf *s)
{
	*s = (struct ebpf){ .sock = -1 };
}

/* Whether who was asked to is still there: it says nothing unasked. */
bool ebpf_is_there(const struct ebpf *s);
/* proc_fd: the cell's /proc. The caller owns *ret_ring, which is the warden's. */
int ebpf_watch(struct ebpf *s, int proc_fd, int *ret_ring, struct err *e);
/* Of a cell that is dead: how many records there were, beside those that had no room. False: nobody says. */
bool ebpf_count(struct ebpf *s, uint64_t *ret_put, uint64_t *ret_lost);

#endif
