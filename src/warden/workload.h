/* workload - the first process of foreign code: from fork to exec.
 *
 * Owns:   the child's path: terminal, descriptors, limits, its own Landlock layer, its filter, then the program.
 * Holds:  everything is in place before execve; a step that fails is reported as {step, errno} and nothing is executed.
 * Called: warden, once for each cell. */
#ifndef WARDEN_WORKLOAD_H
#define WARDEN_WORKLOAD_H

#include <sys/types.h>

#include "cell/build.h"

struct workload {
	const struct cell_spec *spec;
	const struct cell_program *program; /* NULL: it comes later, with the streams (workload_give) */
	const struct cell_made *made;
	int stdio_fd[3]; /* borrowed: what becomes 0, 1, 2; -1: the private terminal */
	int code_fd[2];  /* borrowed: of code: what becomes CELL_CODE_FD and CELL_RESULT_FD; else -1 */
	int program_fd;  /* borrowed: with CELL_BY_FD */
};

/* Forks; the child puts up what is its own of the wall and waits before it executes anything. On success *ret_report_fd is a socket on which the child sends {u32 step, u32 errno} if it could not be executed
 * (end of file: it was), and, first, its listener if it is to be observed. */
int workload_start(const struct workload *w, pid_t *ret_pid, int *ret_report_fd, struct cell_failure *f);
/* What one without a program is to execute: a memory file of it, then what becomes 0, 1 and 2, by the bits of present (where a bit is missing, the private terminal), and with CELL_HAS_CODE
 * what becomes CELL_CODE_FD and CELL_RESULT_FD. As workload_release. */
int workload_give(int report_fd, uint32_t present, const int *fds, size_t n_fds);
/* Lets it execute the program. 0 or -errno: it has ended already, and its report says why. */
int workload_release(int report_fd);

#endif
