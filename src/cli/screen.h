/* screen - the person's terminal while that of an event of a session stands behind it.
 *
 * Owns:   the terminal's modes, the relay, and the socket that is the relay's other side: what the event wrote goes in, what is typed comes out.
 * Holds:  what comes from a cell reaches the terminal through the relay alone (relay/termfilter.h), as with a private one. Whatever way it ends, the terminal is
 *         as it was. Nothing here waits but screen_end, for what the terminal is still to show.
 * Called: remote; screen_relay: session, too. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "cli/terminal.h"

struct screen {
	int sock; /* owned: to the relay; -1: the terminal is the person's alone */
	struct terminal terminal;
	struct relay_process relay;
};

/* clang-format off */
#define SCREEN_NONE { .sock = -1, .terminal = TERMINAL_NONE, .relay = RELAY_NONE }
/* clang-format on */

/* Standard input, output and error are one terminal: what somebody redirected is to go where it was sent, and a session's terminal is all three. */
bool screen_is_there(void);
/* The window's size; false: it has none. */
bool screen_size(uint32_t *ret_rows, uint32_t *ret_columns);

/* From here on keys are bytes, and what is typed is the event's. */
int screen_begin(struct screen *s, struct err *e);
/* Gives how many bytes the relay took, 0 for none now; -errno: it is gone. */
ssize_t screen_show(const struct screen *s, const void *bytes, size_t n);
/* Stops this process, the terminal as it was meanwhile. */
void screen_suspend(struct screen *s);
/* Continued after a stop that we did not see. */
void screen_continue(struct screen *s);
/* When all is shown the terminal is as it was. Gives enum relay_exit, or as relay_wait; 0 if it was over already. */
int screen_end(struct screen *s);

/* Starts Ambit's own relay, with the charset that the locale names: path and ascii of *how are set here. */
int screen_relay(struct relay_start *how, struct relay_process *ret, struct err *e);

#endif
