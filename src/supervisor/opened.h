/* opened - which decoys of staged trees were touched in the cell, by the kernel's word.
 *
 * Owns:   watches (inotify(7)) on the cell's own files, made before anything that was asked for runs there.
 * Holds:  a file of a staged tree is the cell's: nobody else opens, links, moves or removes it, and that is told by
 *         whatever name or race it is done, and whether the eye looks or not. What is shown as it is on the host is
 *         opened by others, too, and not watched: there the eye tells (warden/decoys.h), alone. Where the host has no
 *         more watches the eye tells alone, too.
 * Called: supervisor. */
#ifndef SUPERVISOR_OPENED_H
#define SUPERVISOR_OPENED_H

#include "supervisor/request.h"

struct opened {
	int fd;                  /* owned, -1 if nothing is watched */
	int watch[CANARIES_MAX]; /* of each decoy; 0: none */
};

void opened_init(struct opened *o);
/* proc_fd: the cell's /proc. */
void opened_watch(struct opened *o, const struct event_request *q, int proc_fd);
/* By their bits, those since the last call. */
uint64_t opened_read(struct opened *o);

#endif
