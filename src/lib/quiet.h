/* quiet - writing in somebody else's process.
 *
 * Holds:  a pipe whose reader is gone raises SIGPIPE, and a file at its limit SIGXFSZ, which are not ours to handle there: such a signal is held back,
 *         and taken away if it came. Errors are the same as write(2)'s.
 * Called: lib only. */
#ifndef LIB_QUIET_H
#define LIB_QUIET_H

#include <sys/types.h>

ssize_t quiet_write(int fd, const void *bytes, size_t n);

#endif
