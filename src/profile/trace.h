/* trace - what an event asked of the kernel, in order, by thread.
 *
 * Owns:   struct trace, and its stored form (doc/TRACE.md): a head, the symbols, runs of steps. One trace has one form, and a form that is taken is
 *         given again byte by byte.
 * Holds:  symbols and threads are numbered in the order in which steps have them; each symbol is there once, and has a step. What was observed and
 *         is not in the order is counted.
 * Called: supervisor (writes it), explain and profile (read it, in a cell); pure, but for memory. */
#ifndef PROFILE_TRACE_H
#define PROFILE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "profile/symbol.h"

#define TRACE_VERSION 1
#define TRACE_WHOLE_MAX 65536u /* steps that are kept whatever they are; behind them, */
#define TRACE_TAIL_MAX 16384u  /* so many that are new, and gaps before them */
#define TRACE_STEPS_MAX (TRACE_WHOLE_MAX + TRACE_TAIL_MAX)
#define TRACE_THREADS_MAX 4096u                   /* those that come later share the last number */
#define TRACE_SYMBOLS_MAX 16384u                  /* more than an arena has entries */
#define TRACE_CALLS_MAX ((UINT64_C(1) << 53) - 1) /* what JSON can count */
#define TRACE_HEAD_BYTES 24u
/* A symbol has a byte for its length; a step that is a run of its own three for its symbol and two for its thread. */
#define TRACE_BYTES_MAX (TRACE_HEAD_BYTES + TRACE_SYMBOLS_MAX * SYMBOL_MAX + TRACE_STEPS_MAX * 5)

struct trace_step {
	uint16_t thread, symbol;
};

struct trace {
	uint32_t observed;           /* enum cell_observe */
	uint32_t threads;            /* that were seen; the first ones have steps here */
	uint64_t calls;              /* that were seen */
	uint64_t dropped;            /* of them, that are not here: all but the steps without the gaps */
	char (*symbols)[SYMBOL_MAX]; /* owned */
	size_t n_symbols;
	struct trace_step *steps; /* owned; of all threads, in the order in which they were seen */
	size_t n_steps;
};

void trace_finish(struct trace *t);

/* out fails where there is no room for it. */
void trace_encode(const struct trace *t, struct buf *out);
/* -MALFORMED, with the place; -LIMIT; -MEMORY. On failure ret holds nothing. */
int trace_decode(const void *bytes, size_t n, struct trace *ret, struct err *e);

/* What stands where the eye had no room for the object, and where it left out steps: of the entries below. */
#define TRACE_UNKEPT 0xff00u /* and the kind */
#define TRACE_GAP 0xffffu

/* Makes one of the symbols of entries, by their number, and of steps that name those (or TRACE_UNKEPT + kind, TRACE_GAP) in place of symbols; a step
 * that names nothing is dropped. `observed`, `threads` and `calls` are the caller's, as they were counted. -MEMORY. */
int trace_make(struct trace *t, const char (*entries)[SYMBOL_MAX], size_t n_entries, const struct trace_step *steps,
	       size_t n_steps);

#endif
