/* told - what the warden reports of a failed step, in words.
 *
 * Called: supervisor. */
#ifndef SUPERVISOR_TOLD_H
#define SUPERVISOR_TOLD_H

#include "cell/spec.h"

/* Fills e from {step, errno, index of the path}; program: the path that was to be executed. Gives the negative code. */
int told_failure(const struct cell_spec *spec, const char *program, uint32_t step, int sys_errno, uint32_t index,
		 struct err *e);
/* A socket is granted, and beside it a tree whose sockets nothing keeps apart from it: -HOST. */
int told_sockets(const struct cell_spec *spec, struct err *e);

#endif
