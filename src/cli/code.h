/* code - the source of `ambit run --python|--node|--shell`.
 *
 * Owns:   reading it, as bytes: what it says only the cell gets to know.
 * Called: options.c. */
#ifndef CLI_CODE_H
#define CLI_CODE_H

#include "cli/options.h"

/* From that file, or standard input (NULL), which the code does not get then. Sets o->code and the event's argv. */
int code_read(struct run_options *o, const char *path, struct ambit_error *e);

#endif
