/* beside - `ambit run` in a cell: a sub-agent in a cell beside it.
 *
 * Owns:   the same as cli_run does outside, of the options that mean something there.
 * Called: cli_run. */
#ifndef CLI_BESIDE_H
#define CLI_BESIDE_H

#include "cli/options.h"

/* Gives the exit status. */
int beside_run(struct run_options *o);

#endif
