/* setup_measure - a command of a client's shell by the way it takes now and by its hook: how long each takes, and what stands around it.
 *
 * Owns:   nothing.
 * Holds:  nothing is concluded from a version or a setting: what is told was tried. Of what is started the exit status is heard alone.
 * Called: cli/setup.c. */
#ifndef CLI_SETUP_MEASURE_H
#define CLI_SETUP_MEASURE_H

#include "setup/ask.h"

/* run: the options of `ambit run`, which the hook has. Prints what it found. */
int setup_measure(enum setup_client c, const struct setup_words *run, struct err *e);

#endif
