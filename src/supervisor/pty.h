/* pty - what the private terminal of a cell is like when its program starts.
 *
 * Owns:   struct pty_settings, the settings and the size of the person's terminal as data, and their encoding.
 * Holds:  they are applied before the program starts: a program that found its terminal otherwise, and changed it, would
 *         see its changes undone. What cannot be applied leaves the kernel's defaults.
 * Called: lib (pty_read), supervisor (pty_apply). */
#ifndef SUPERVISOR_PTY_H
#define SUPERVISOR_PTY_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/buf.h"

struct pty_settings {
	uint32_t known;    /* 1: the rest is set */
	uint32_t modes[4]; /* of input, output, control, local */
	uint8_t keys[NCCS];
	uint16_t rows, columns;
};

/* As `terminal` (a descriptor) is now. alone: it will be raw; else it goes on to show what is typed, and to put CR before
 * LF, and the private one does neither. Not known if it is no terminal. */
void pty_read(int terminal, bool alone, struct pty_settings *ret);
void pty_apply(const struct pty_settings *p, int master);

void pty_encode(const struct pty_settings *p, struct buf *out);
void pty_decode(struct rbuf *in, struct pty_settings *ret);

#endif
