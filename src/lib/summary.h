/* summary - what a person needs to know about an event that did not go as asked.
 *
 * Owns:   the words of it; doc/parts/explain.md shows each case.
 * Holds:  nothing at all if nothing was denied or lost with the cell, the program ended by itself, it has no labels, nothing is kept and the ledger has what it should. At most SUMMARY_LINES lines; one line of
 *         what, one of why, one of what to do; every foreign text escaped.
 * Called: cli, after the event; summary_text is pure. */
#ifndef LIB_SUMMARY_H
#define LIB_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "lib/result.h"
#include "lib/summary_named.h"
#include "lib/summary_stage.h"

#define SUMMARY_DENIALS 4 /* of three lines each; more are counted */
#define SUMMARY_LINES (SUMMARY_NAMED_LINES + 3 + 3 + 3 + 3 * SUMMARY_DENIALS + 2 + 3 + 3 + 1 + SUMMARY_STAGE_LINES)

/* record: what `ambit explain` takes to tell all of it, a file or an event of the ledger; NULL: nothing was recorded. quiet: nothing of denials; how it ended is said all the same. */
void summary_text(const struct event_result *r, const char *record, bool quiet, struct buf *out);
void summary_write(FILE *out, const struct event_result *r, const char *record, bool quiet);
/* The labels that it ended with, in a line, if it has any. */
void summary_labels(const struct labels *l, struct buf *out);

#endif
