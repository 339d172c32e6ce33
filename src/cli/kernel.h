/* kernel - `ambit run --session S --python|--node --kernel NAME`: a step of a kernel, which is started if there is none of that name.
 *
 * Owns:   the loop: its end, and signals, which break it off.
 * Holds:  who leaves leaves the step, and the kernel: both go on. What the step wrote is shown when it is over, made harmless where it goes to a terminal.
 * Called: cli_run. */
#ifndef CLI_KERNEL_H
#define CLI_KERNEL_H

#include "cli/options.h"

/* Gives the exit status. */
int kernel_run(const struct run_options *o);

#endif
