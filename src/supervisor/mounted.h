/* mounted - which of the host's file systems a cell that waits has, and whether the host still has them.
 *
 * Owns:   struct mounted: their numbers, and the descriptor by which the kernel tells that the host's mounts have changed. Making a cell changes none of them.
 * Holds:  one that somebody unmounted on the host is told as gone when poll says so, and else costs nothing. What only the cell has (its /proc, its overlays) is none of them.
 * Called: supervisor, while a cell waits. */
#ifndef SUPERVISOR_MOUNTED_H
#define SUPERVISOR_MOUNTED_H

#include <stdbool.h>
#include <stdint.h>

#define MOUNTED_MAX 64 /* with more, any that goes is taken for one of them */

struct mounted {
	int fd;     /* owned, -1: nothing is watched; poll(2) gives POLLPRI */
	unsigned n; /* MOUNTED_MAX: there are more */
	struct mounted_one {
		uint32_t major, minor;
		bool is_there; /* on the host, when it was looked at last */
	} one[MOUNTED_MAX];
};

void mounted_init(struct mounted *m);
/* proc_fd: the cell's. Where nothing can be read nothing is watched. */
void mounted_look(struct mounted *m, int proc_fd);
/* Whether the host has all of them still. */
bool mounted_are_there(struct mounted *m);
void mounted_finish(struct mounted *m);

#endif
