/* patch - a change as `git diff` shows it.
 *
 * Owns:   the headers and the notes.
 * Holds:  of regular files and symbolic links it is a patch that `git apply` and patch take. A content that needed escapes, is binary, is
 *         not given or does not fit the output makes git refuse the whole patch, never apply something else: its lines stand behind
 *         `# ` (not with colours, which are for a person). With DIFF_BINARY the first two are given as git's binary patches, and then
 *         git applies it. What no patch can say (directories, devices, names of one file, what is held back) stands in
 *         lines that begin with `# ` between the files, which both git and patch pass over.
 * Called: show.c. */
#ifndef DIFF_PATCH_H
#define DIFF_PATCH_H

#include "diff/input.h"
#include "diff/out.h"

/* -AMBIT_MEMORY. */
int patch_write(struct out *o, const char *tree, const struct diff_change *c, const struct diff_options *options,
		uint64_t *work);

#endif
