/* What there is: a list, and changes as data. */
#include "base/text.h"
#include "stage/durable.h"
#include "stage/role.h"
#include "stage/tidy.h"

static int tell_entry(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	const struct role *role = user;
	struct stage_entry entry = { .state = STAGE_KEPT, .damaged = meta == NULL, .in_use = in_use };

	(void)text_copy(entry.event, sizeof entry.event, event); /* an id */
	if (meta != NULL) {
		(void)text_copy(entry.command, sizeof entry.command, meta->command); /* the same size */
		(void)text_copy(entry.tree, sizeof entry.tree, meta->n_trees > 0 ? meta->trees[0].real : "");
		entry.n_trees = meta->n_trees;
		entry.state = meta->state;
		entry.why = meta->state == STAGE_RUNNING && !in_use ? STAGE_WHY_LOST : meta->why;
		entry.started_ns = meta->started_ns;
		entry.ended_ns = meta->ended_ns;
		entry.keep_until_ns = meta->keep_until_ns;
		entry.bytes = meta->bytes;
		entry.incomplete = !in_use && (meta->state != STAGE_COMMITTED || meta->disk == STAGE_DISK_GOING) &&
				   durable_is_incomplete(meta, role->boot);
	}
	answer_entry(user, &entry);
	return 0;
}

int list_stages(struct role *role, struct err *e)
{
	struct tidy_counts left;

	(void)recover_all(role, NULL); /* what cannot be finished now is listed as it is */
	role->end.changes = 0;
	age(role);
	tidy(&role->shelf, &left);
	role->end.caches = left.caches;
	role->end.cache_bytes = left.bytes;
	return shelf_each(&role->shelf, tell_entry, role) < 0
		       ? err_set(e, AMBIT_MEMORY, NULL, "no memory to list the stages")
		       : 0;
}

int show_changes(struct role *role, struct err *e)
{
	const int r = find_changes(role, e);

	if (r < 0)
		return r;
	answer_changes(role);
	(void)text_copy(role->end.event, sizeof role->end.event, role->meta->event); /* the same size */
	role->end.workspace = role->counts.changes == 0 ? WORKSPACE_UNTOUCHED : WORKSPACE_KEPT;
	role->end.why = role->meta->why;
	role->end.changes = role->counts.changes;
	role->end.held = role->counts.held;
	role->end.keep_until_ns = role->meta->keep_until_ns;
	return 0;
}
