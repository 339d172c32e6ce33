/* What there is: a list, and changes as data. */
#include "stage/role.h"
#include "stage/tidy.h"

static int tell_entry(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	answer_entry(user, event, meta, in_use);
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
	answer_whose(role);
	role->end.workspace = role->counts.changes == 0 ? WORKSPACE_UNTOUCHED : WORKSPACE_KEPT;
	role->end.why = role->meta->why;
	role->end.changes = role->counts.changes;
	role->end.held = role->counts.held;
	role->end.keep_until_ns = role->meta->keep_until_ns;
	return 0;
}
