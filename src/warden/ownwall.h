/* ownwall - what a program has of the wall for itself, besides what stands around the whole cell.
 *
 * Owns:   its limits, its Landlock layer, the loss of its capabilities, its filters.
 * Holds:  after ownwall_raise nothing is gained back, and each step that failed is told. Whoever calls it is the program's process already, in its cell.
 * Called: the warden's child before it executes a program (workload.c); a copy of an interpreter before code comes to it (copy.c). */
#ifndef WARDEN_OWNWALL_H
#define WARDEN_OWNWALL_H

#include "cell/build.h"

/* Of spec its limits, its flags and what is observed, of made what was achieved and the rules. The listener goes to the warden, by report_fd, before the first call that it would hold up. */
int ownwall_raise(const struct cell_spec *spec, const struct cell_made *made, int report_fd, struct cell_failure *f);
/* Waits for the word that the supervisor accepts the wall. End of file: the warden went, and nothing is to be executed. */
int ownwall_await_release(int report_fd, struct cell_failure *f);

#endif
