/* found - a session by what a person calls it.
 *
 * Called: commands that speak to the daemon. */
#ifndef CLI_FOUND_H
#define CLI_FOUND_H

#include "lib/daemon.h"

/* word: an id, the beginning of one, or "last". -NOT_FOUND; -CONFLICT: several begin so. */
int found_session(struct daemon_link *d, const char *word, char ret[ID_TEXT_MAX], struct err *e);
/* Connects, starting the daemon if it is not there, and opens the session. The caller leaves both, also on failure. */
int found_open(struct daemon_link *d, struct daemon_channel *c, const char *word, struct err *e);
/* cli_refuse, of an error of our own. */
int found_refuse(bool json, const struct err *e);
/* Why an event that is over was refused, ended by a limit, or did not go through; with quiet the last is not said. */
void found_tell(const struct event_row *row, bool quiet);
/* The labels that it ended with, if it has any. */
void found_tell_labels(const struct event_row *row, bool quiet);

#endif
