/* What there is: a list, and changes as data. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "stage/chosen.h"
#include "stage/pick.h"
#include "stage/role.h"
#include "stage/tidy.h"

/* Of one that cannot be read nobody knows where its trees are. */
static int tell_entry(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	struct role *role = user;
	const bool waits = meta == NULL || (meta->state != STAGE_COMMITTED && !in_use);

	if (role->ask.event[0] != 0 && strcmp(role->ask.event, event) != 0)
		return 0;
	if (meta == NULL && in_use) /* it is being made */
		return 0;
	if ((waits || (role->ask.flags & STAGE_FLAG_KEPT) == 0) &&
	    (meta == NULL ? role->ask.here[0] == 0 : pick_is_at_hand(meta, role->ask.here)))
		answer_entry(role, event, meta, in_use);
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

/* Only what was asked for is told, and counted. */
static void show_chosen(struct role *role)
{
	size_t n = 0;

	if (role->ask.n_selected == 0)
		return;
	role->counts.held = 0;
	for (size_t i = 0; i < role->n_changes; i++) {
		struct change *c = role->changes[i];

		if (!chosen(&role->ask, role->meta, c)) {
			free(c);
			continue;
		}
		role->counts.held += c->held != HELD_NOT;
		role->changes[n++] = c;
	}
	role->n_changes = role->counts.changes = n;
}

int show_changes(struct role *role, struct err *e)
{
	int r = find_changes(role, e);

	r = r < 0 ? r : check_shown(role, e);
	if (r < 0)
		return r;
	show_chosen(role);
	answer_changes(role);
	answer_whose(role);
	role->end.workspace = role->counts.changes == 0 ? WORKSPACE_UNTOUCHED : WORKSPACE_KEPT;
	role->end.why = role->meta->why;
	role->end.changes = role->counts.changes;
	role->end.held = role->counts.held;
	role->end.keep_until_ns = role->meta->keep_until_ns;
	return 0;
}
