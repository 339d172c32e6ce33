/* patch - a change as `git diff` shows it.
 *
 * Owns:   the headers and the notes.
 * Holds:  of regular files and symbolic links it is a patch that `git apply` takes, unless a name or a content needed escapes
 *         or the output became full. What no patch can say (directories, devices, names of one file, what is held
 *         back) stands in lines that begin with `# ` between the files, which both git and patch pass over.
 * Called: show.c. */
#ifndef DIFF_PATCH_H
#define DIFF_PATCH_H

#include "diff/input.h"
#include "diff/out.h"

/* -AMBIT_MEMORY. */
int patch_write(struct out *o, const char *tree, const struct diff_change *c, uint32_t context, uint64_t *work);

#endif
