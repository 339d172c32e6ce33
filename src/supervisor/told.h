/* told - what the warden reports of a failed step, in words.
 *
 * Called: supervisor. */
#ifndef SUPERVISOR_TOLD_H
#define SUPERVISOR_TOLD_H

#include "cell/spec.h"

/* Fills e from {step, errno, index of the path}; gives the negative code. */
int told_failure(const struct cell_spec *spec, uint32_t step, int sys_errno, uint32_t index, struct err *e);

#endif
