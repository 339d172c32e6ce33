/* remote - an event of a session, in the foreground of a person's terminal or script.
 *
 * Owns:   the loop: what it wrote, what it is given to read, signals, its end; and finding the session again when its process ended.
 * Holds:  who leaves leaves the event: it goes on, and is found again by its number. What goes to a terminal is made harmless: no private one stands between.
 * Called: cli_run. */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "cli/options.h"

/* Gives the exit status. */
int remote_run(const struct run_options *o);

#endif
