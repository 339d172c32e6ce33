/* setup_role - asking those who read a configuration, and who show what changed.
 *
 * Called: cli/setup.c, cli/setup_hook.c. */
#ifndef CLI_SETUP_ROLE_H
#define CLI_SETUP_ROLE_H

#include "cli/setup_file.h"
#include "setup/ask.h"

/* Asks the role ambit-setup. What is told lies in *room, which the caller finishes. */
int setup_role_ask(const struct setup_ask *ask, struct buf *room, struct setup_told *ret, struct err *e);
/* The difference between the file and those bytes (gone: and nothing), on standard output, harmless. */
int setup_role_diff(const struct setup_file *f, const void *bytes, size_t n, bool gone, struct err *e);

#endif
