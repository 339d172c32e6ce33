/* plan - from grants to the description of a cell.
 *
 * Owns:   the one place that decides what a cell shows and with which rights.
 * Holds:  a path has the union of the rights of the grants that cover it, whatever their order. What lies in the trees is left to
 *         staging.h.
 * Called: supervisor. Looks at the host only for where the store is. */
#ifndef SUPERVISOR_PLAN_H
#define SUPERVISOR_PLAN_H

#include "cell/spec.h"
#include "supervisor/request.h"

/* All rights that the grants together give on path; *ret_grant is the narrowest that covers it. */
uint32_t plan_rights(const struct grant_set *set, const char *path, uint32_t *ret_grant);
/* Whether the very path, and not only something above it, is granted for writing. */
bool plan_is_written_by_name(const struct grant_set *set, const char *path);

int plan_cell(const struct event_request *q, uint32_t inside_uid, uint32_t inside_gid, struct cell_spec *ret,
	      struct err *e);

/* A template's cell: its limits are those of its copies, in their own cells, and so is the directory where they go. */
int plan_template(const struct event_request *q, struct cell_spec *spec, struct err *e);

#endif
