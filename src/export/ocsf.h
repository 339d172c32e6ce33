/* ocsf - entries as events of the Open Cybersecurity Schema Framework, one object in a line.
 *
 * Owns:   which class an entry is of, and what stands in it; the requests of the last events, for what their other entries are about.
 * Holds:  of each entry there is exactly one event, in the same order, with the entry's number and hash, so that it leads back to the proof. What
 *         has no place in the class is in `unmapped`, as the entry has it.
 * Called: export/export.c. */
#ifndef EXPORT_OCSF_H
#define EXPORT_OCSF_H

#include "audit/reading.h"

#define OCSF_VERSION "1.8.0"

struct ocsf;

/* NULL: no memory. s: for its name; borrowed. */
struct ocsf *ocsf_create(const struct snapshot *s);
void ocsf_destroy(struct ocsf *o);
/* -ENOMEM. */
int ocsf_take(struct ocsf *o, const struct reading_entry *r, struct buf *out);

#endif
