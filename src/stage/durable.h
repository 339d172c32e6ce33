/* durable - whether what an event wrote outlives the machine.
 *
 * Owns:   `boot` and `disk` of a stage's description.
 * Holds:  overlays are mounted `volatile`, so nothing that an event wrote is surely on disk, whatever it synced itself, before
 *         durable_sync(). A stage that was not synced is good as long as the machine has not been down, and cannot be told from a
 *         good one afterwards: then it counts as incomplete.
 * Called: supervisor, role ambit-stage. syncfs reports errors since Linux 5.8. */
#ifndef STAGE_DURABLE_H
#define STAGE_DURABLE_H

#include "stage/store.h"

/* Since when the machine runs, as the kernel names it: the same in every container and namespace. "" if it cannot be read. */
void durable_boot(char ret[STAGE_BOOT_MAX]);

/* When the cell is dead: syncs the file systems of the parts and the stage, once each, and notes in m how that went; then m is to
 * be written, STAGE_WRITE_NOW. -SYSTEM: what the event wrote may be incomplete from now on, though it reads well, perhaps, until the machine goes
 * down; the kernel says it only once. */
int durable_sync(const struct stage *s, struct stage_meta *m, struct err *e);

/* Before a commit, which syncs the parts itself: the stage, where it lies on another file system than they do. After a crash the
 * journal is of use only if the stage is found and its description can be read. */
int durable_sync_stage(const struct stage *s, uint32_t n_trees, struct err *e);

/* Whether some of what the event wrote may be missing, when it is `boot`. An unknown one is no other's. */
bool durable_is_incomplete(const struct stage_meta *m, const char *boot);
/* -UNTRUSTED, and why, of such a stage; verb: what is refused. */
int durable_refuse(const struct stage_meta *m, const char *verb, struct err *e);

#endif
