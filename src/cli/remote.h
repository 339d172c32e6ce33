/* remote - an event of a session, in the foreground of a person's terminal or script.
 *
 * Owns:   the loop: what it wrote, what it is given to read, signals, its terminal, its end; and finding the session again when its process ended.
 * Holds:  who leaves leaves the event: it goes on, and is found again by its number. What goes to a terminal is made harmless: by the relay where the event has a
 *         terminal for which the person's stands (screen.h), and as text where it has none. Until such an event begins the terminal is the person's, so that Ctrl-C ends the waiting.
 * Called: cli_run. */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "cli/options.h"

/* Gives the exit status. */
int remote_run(const struct run_options *o);

#endif
