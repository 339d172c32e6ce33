/* madefrom - what the paths of a cell led to when it was made.
 *
 * Owns:   the digest of that: of each path of the cell's description, of the directory where its program is to start, and of all directories on the way to them inside a tree that is
 *         staged, which file it is, whose, and of which mode. A mount stands on what its path led to, and so does a process, whatever is put there later.
 * Called: supervisor, of a cell that waits for its program. */
#ifndef SUPERVISOR_MADEFROM_H
#define SUPERVISOR_MADEFROM_H

#include <stdint.h>

#include "base/sha256.h"
#include "cell/spec.h"

void madefrom_look(const struct cell_spec *spec, uint8_t ret[SHA256_BYTES]);

#endif
