/* code - code events: a text in a language instead of a command.
 *
 * Owns:   the drivers (python.py, node.js, shell.sh), which are part of the library and need no file, and with which interpreter each is started.
 * Holds:  an event of code is a command like any other: an interpreter with the driver as an argument. The source comes by descriptor CELL_CODE_FD, to its end; what
 *         became of it goes to CELL_RESULT_FD, as doc/CODE.md has it. So an interpreter can be started before anybody knows what it is to run. What a driver says is
 *         what the code says: whoever reads a result reads a hostile program's.
 * Called: lib/launch.c, lib/streams.c, cli; pure. */
#ifndef CODE_CODE_H
#define CODE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kind.h"

#define CODE_SOURCE_MAX (1u << 20)
#define CODE_RESULT_MAX (16u << 20)
#define CODE_HEAD_MAX 96
#define CODE_ARGV_MAX 6

/* The interpreter and its arguments, ends with NULL; NULL: no language. Lives for ever. */
char *const *code_argv(enum event_kind kind);
/* What stands before the source of n bytes, and behind it: whether the value is to be printed, and by what is known that it came whole: one of which the rest was lost with whoever sent it does
 * not run. Give their lengths. */
size_t code_head(enum event_kind kind, bool shows, size_t n, char ret[CODE_HEAD_MAX]);
size_t code_tail(enum event_kind kind, char ret[CODE_HEAD_MAX]);

/* Whether one can be a kernel, which takes one source after the other; what it is told first, and what stands before the source of a step. */
bool code_has_kernel(enum event_kind kind);
size_t code_kernel_head(char ret[CODE_HEAD_MAX]);
size_t code_step_head(uint32_t step, bool shows, size_t n, char ret[CODE_HEAD_MAX]);

#endif
