/* session - one event in the foreground of a person's terminal or script.
 *
 * Owns:   the loop: the event, the signals that the person sends, and the terminal while a private one stands in for it.
 * Holds:  signals are events (signalfd): interrupts go to the program, a second one ends the cell; the terminal is
 *         as it was, whatever way this is left.
 * Called: cli_run, cli_learn. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "ambit/ambit.h"

/* Starts the event (hide as for launch_event) and waits for its end. The caller frees *ret. */
int session_run(const struct ambit_policy *p, const struct ambit_event_options *o, char *const *hide,
		struct ambit_event **ret, struct ambit_error *e);
/* On standard error, if this event made its ledger. */
void session_tell_key(struct ambit_event *ev);
/* To be called last. Where an interrupt ended the program this process ends by it as well: a shell that waits goes on with its loop
 * otherwise, since whoever handles an interrupt and returns a status has dealt with it. */
void session_pass_interrupt(const struct ambit_event *ev);

#endif
