/* plan - from grants to the description of a cell.
 *
 * Owns:   the one place that decides what a cell shows and with which rights.
 * Holds:  a path has the union of the rights of the grants that cover it, whatever their order; names in writable trees
 *         that others execute or obey are read-only where they exist, unless granted by name.
 * Called: supervisor. Looks at the host only for which protected names exist. */
#ifndef SUPERVISOR_PLAN_H
#define SUPERVISOR_PLAN_H

#include "cell/spec.h"
#include "supervisor/request.h"

int plan_cell(const struct event_request *q, uint32_t inside_uid, uint32_t inside_gid, struct cell_spec *ret,
	      struct err *e);

#endif
