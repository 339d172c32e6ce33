/* harmless - foreign text, written where it may reach a terminal.
 *
 * Owns:   nothing.
 * Holds:  what could move a terminal, or is no text, is shown as what it is (text_show_one); a newline is one.
 * Called: cli. */
#ifndef CLI_HARMLESS_H
#define CLI_HARMLESS_H

#include <stdbool.h>

#include "base/buf.h"

/* Writes what is in text and takes it out; but for the beginning of a character whose end may still come, unless it is the last. -errno. */
int harmless_write(int fd, struct buf *text, bool last);

#endif
