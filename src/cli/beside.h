/* beside - `ambit run` in a cell: a sub-agent in a cell beside it.
 *
 * Owns:   which of the options mean something there.
 * Called: cli_run. */
#ifndef CLI_BESIDE_H
#define CLI_BESIDE_H

#include <stdbool.h>

#include "cli/options.h"

bool beside_is_cell(void);
/* Gives the exit status. */
int beside_run(const struct run_options *o);

#endif
