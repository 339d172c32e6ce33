/* relay - what the command line and the role ambit-relay agree on.
 *
 * Owns:   the descriptors' numbers, the words of the arguments, the exit statuses.
 * Holds:  nothing else passes between the two: the relay has no other way to speak, and takes no message.
 * Called: by ambit-relay and by who starts it.
 *
 *     ambit-relay [ascii] [mute] [in|out|plain]...
 *
 * `ascii`: the person's terminal is 8-bit. `mute`: 0 is not the terminal, or it is not raw, so that its answers would
 * not reach the cell. Each other word stands for a pair of further descriptors, the one to read and the one to write: RELAY_FIRST_PAIR and the next for the first word, and so on. `in` carries bytes towards the cell,
 * and nobody waits for its end; `out` carries bytes from the cell and is drained before the relay ends; `plain` is
 * `out` to a terminal, made harmless as outside a pty session.
 *
 * All descriptors get O_NONBLOCK, a flag of the open file description: give the relay descriptions of its own
 * (terminal_open_own), or restore the flags after it. Nothing else may hold the other end of a pair open that is to
 * end. The parent sets raw mode and window sizes; the relay could not. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

enum relay_fd {
	RELAY_TERMINAL_IN = 0,
	RELAY_TERMINAL_OUT = 1,
	/* 2 is closed */
	RELAY_MASTER = 3,
	RELAY_FIRST_PAIR = 4,
};

#define RELAY_PAIRS_MAX 4 /* in, out, error, and one to spare */

enum relay_exit {
	RELAY_DONE = 0,          /* the cell hung up, all was shown, the terminal is reset */
	RELAY_TERMINAL_GONE = 1, /* nobody to show it to */
	RELAY_USAGE = 2,         /* arguments or descriptors are not as above */
	RELAY_LOCKDOWN = 3,      /* the kernel refused a part of the promise */
};

#endif
