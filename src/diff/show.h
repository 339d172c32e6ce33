/* show - changes in, text out.
 *
 * Owns:   the run: how much work all files together may take.
 * Holds:  every change of a whole input is shown or at least named; of a broken one, what came before it.
 * Called: main of the role, and its tests; no system call but those of source and sink. */
#ifndef DIFF_SHOW_H
#define DIFF_SHOW_H

#include "base/err.h"
#include "diff/input.h"
#include "diff/out.h"

#define SHOW_WORK (UINT64_C(1) << 29) /* steps for all files: a few seconds; then differences become coarse */

int show_changes(struct diff_source source, struct sink sink, struct err *e);

#endif
