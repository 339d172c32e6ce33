/* setup_hook - what a client asks before it runs a command of its own.
 *
 * Called: cli/setup.c. */
#ifndef CLI_SETUP_HOOK_H
#define CLI_SETUP_HOOK_H

#include <limits.h>

#include "base/buf.h"
#include "setup/ask.h"

#define SETUP_HOOK_BLOCKS 2 /* the exit status by which clients do not go on; by any other they would */

/* `ambit`, or the path of this one. */
void setup_hook_program(char ret[PATH_MAX]);
/* The command that a client's configuration has: "ambit setup hook CLIENT [-- WORDS] || exit 2". */
void setup_hook_command(struct buf *out, enum setup_client c, const struct setup_words *run);
/* `ambit setup hook CLIENT [-- WORDS]`: argv begins with the client. Gives the exit status. */
int setup_hook_run(int argc, char **argv);

#endif
