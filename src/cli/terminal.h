/* terminal - the terminal of the person while a cell has a pty of its own.
 *
 * Owns:   what the terminal was like before (struct terminal), and the relay process (struct relay_process).
 * Holds:  whatever way a function that has an auto_terminal is left, the terminal is cooked again and its input flushed.
 *         No handler, no global: signals are events of the caller's, and a call from it. Only one thing is beyond
 *         this: `ambit` killed by SIGKILL. Then the cell dies, so the relay ends and resets modes and colours, and
 *         the shell puts back line editing, as bash and zsh do after a job that died of a signal.
 * Called: by the command line, in its one thread. A typical use:
 *
 *     auto_terminal t = TERMINAL_NONE;
 *     terminal_save(&t, STDIN_FILENO, e), terminal_raw(&t, e)
 *     relay_start(&relay, ...)
 *     SIGWINCH: terminal_copy_size.  SIGTSTP: terminal_suspend.  SIGCONT: terminal_continue.
 *     relay.pidfd readable: relay_wait, terminal_restore.
 *
 * The order at the end matters: the relay's fence comes before the flush, see relay/termfilter.h, 4. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "base/err.h"
#include "relay/relay.h"

struct terminal {
	int fd;    /* borrowed, -1 if none */
	bool raw;  /* by us */
	int flags; /* file status flags of fd, shared with the shell */
	struct termios saved;
};

/* clang-format off */
#define TERMINAL_NONE { .fd = -1 }
/* clang-format on */
#define auto_terminal __attribute__((cleanup(terminal_restore))) struct terminal

/* Remembers modes and flags. -SYSTEM: fd is no terminal. */
int terminal_save(struct terminal *t, int fd, struct err *e);
/* Keys as bytes, no echo, no signals, nothing done to output: all of that is now the pty's. In the background this
 * stops the job until it is in front, as for every program that sets a terminal. */
int terminal_raw(struct terminal *t, struct err *e);
/* As it was, input that nobody read thrown away. Does nothing if it is not raw; may be called again. */
void terminal_restore(struct terminal *t);

/* The window's size to the pty; the kernel tells the programs. 0 or -SYSTEM. */
int terminal_copy_size(const struct terminal *t, int master, struct err *e);

/* A description of its own for what fd is, so that O_NONBLOCK on it is nobody else's. Gives an owned descriptor; where it
 * cannot be opened again (a socket, a terminal of another user's) a copy that shares the description, and
 * terminal_restore puts the flags back. flags: O_RDONLY or O_WRONLY. -1 with errno. */
int terminal_open_own(int fd, int flags);

/* Whether a locale (LC_ALL, LC_CTYPE or LANG, the first that is set) names a charset, and that is not UTF-8. A locale
 * that names none, as "C" does, says nothing about the terminal. */
bool terminal_is_8bit(const char *locale);

struct relay_process {
	int pidfd; /* owned, -1 if none; readable when the relay has ended */
};

/* clang-format off */
#define RELAY_NONE { .pidfd = -1 }
/* clang-format on */

struct relay_start {
	const char *path; /* of ambit-relay, absolute; may be /proc/self/fd/N */
	int terminal_in;  /* borrowed; terminal_open_own of the terminal */
	int terminal_out;
	int master;
	bool ascii;     /* terminal_is_8bit */
	bool mute;      /* terminal_in is not the terminal, or it stays cooked: no answer would reach the program */
	size_t n_pairs; /* at most RELAY_PAIRS_MAX */
	struct {
		const char *word; /* "in", "out", "plain" */
		int from, to;
	} pairs[RELAY_PAIRS_MAX];
};

/* Starts the relay with these descriptors and no others, an empty environment, default signals, in /. It is a child like
 * others (an exit signal of 0 would not survive exec): SIGCHLD must not be ignored, and nobody may wait for just any
 * child. -NOT_FOUND, -SYSTEM. */
int relay_start(const struct relay_start *how, struct relay_process *ret, struct err *e);
/* Waits for its end and gives enum relay_exit; 128 + n if a signal ended it, and then writes what resets a terminal in
 * an unknown state to terminal_out (-1: nowhere). Closes pidfd. -SYSTEM. */
int relay_wait(struct relay_process *r, int terminal_out, struct err *e);
/* Ends it if it runs, waits, closes. Accepts NULL and RELAY_NONE. */
void relay_finish(struct relay_process *r);
#define auto_relay __attribute__((cleanup(relay_finish))) struct relay_process

/* On SIGTSTP: stops the relay, gives the terminal back, stops this process; when continued, all as it was, and
 * terminal_continue. Modes that the program set (mouse, alternate screen) stay meanwhile: nobody could tell it to set
 * them again. master may be -1 (whose size is set elsewhere), r NULL. */
int terminal_suspend(struct terminal *t, int master, struct relay_process *r, struct err *e);
/* On SIGCONT, also after a SIGSTOP that we did not see: raw again if it was, size, the relay goes on. */
int terminal_continue(struct terminal *t, int master, struct relay_process *r, struct err *e);

#endif
