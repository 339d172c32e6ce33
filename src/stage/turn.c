/* Whose turn it is to change trees: one commit, undo or recovery of a person at a time, and on no tree that an event works on. */
#include <errno.h>
#include <poll.h>
#include <sys/file.h>

#include "base/text.h"
#include "stage/claim.h"
#include "stage/holder.h"
#include "stage/role.h"

#define TELL_MS 500 /* a wait that a person notices, and then what it is for */

/* Whoever asked for a commit or an undo stops it by letting go of their side, as long as it has not begun. An event's own commit is
 * asked for by its end, whoever listens. */
bool turn_is_stopped(void *user)
{
	const struct role *role = user;
	struct pollfd p = { .fd = role->lib, .events = POLLRDHUP };

	return role->ask.op != STAGE_OP_SETTLE && poll(&p, 1, 0) == 1 &&
	       (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* tree NULL: of the lock of all commits. */
static void tell_holder(struct role *role, const struct stage_tree *tree, bool over)
{
	char event[STAGE_ID_MAX];

	(void)holder_find(&role->shelf, tree, role->meta->event, event);
	answer_waiting(role, event, over);
}

/* Until the next look at a lock. */
static int wait_for(struct role *role, const struct stage_tree *tree, uint32_t *waited)
{
	if (turn_is_stopped(role))
		return -ECANCELED;
	if (*waited == TELL_MS)
		tell_holder(role, tree, false);
	(void)poll(NULL, 0, TURN_LOOK_MS);
	*waited += TURN_LOOK_MS;
	return 0;
}

void turn_end(struct role *role)
{
	for (uint32_t i = 0; i < role->meta->n_trees; i++)
		stage_tree_unlock(role->shelf.store_fd, &role->meta->trees[i], &role->stage.tree_lock[i]);
	(void)flock(role->shelf.store_fd, LOCK_UN);
}

/* No living event may write any of them in place: names that are held there would come loose under what is renamed over them. */
static int look_for_claims(const struct role *role, const struct stage_tree **ret_busy)
{
	char unused[STAGE_ID_MAX];

	for (uint32_t i = 0; i < role->meta->n_trees; i++)
		if (claim_find(role->shelf.store_fd, role->meta->trees[i].real, unused)) {
			*ret_busy = &role->meta->trees[i];
			return -EWOULDBLOCK;
		}
	return 0;
}

/* One commit of a person at a time, which keeps new claims away; then the trees, for which nobody else may be working on them. A living
 * event holds its trees itself, and is not alone in any case. *ret_busy: what could not be had; NULL: the first. */
static int try_trees(struct role *role, const struct stage_tree **ret_busy)
{
	const struct stage_meta *m = role->meta;
	int r;

	*ret_busy = NULL;
	if (flock(role->shelf.store_fd, LOCK_EX | LOCK_NB) < 0)
		return -EWOULDBLOCK; /* the descriptor is open: nothing else can be the reason */
	r = look_for_claims(role, ret_busy);
	for (uint32_t i = 0; i < m->n_trees && r == 0 && !role->in_use; i++) {
		r = stage_tree_lock(role->shelf.store_fd, &m->trees[i], LOCK_EX, &role->stage.tree_lock[i]);
		if (r < 0)
			*ret_busy = &m->trees[i];
	}
	return r;
}

/* All of them, or none: who waits holds nothing, so that commits to other trees, and events that begin there, need not wait with it. The tree that
 * could not be had is named in role->end.busy. */
int turn_take(struct role *role, uint32_t wait_ms)
{
	const struct stage_tree *busy = NULL;
	uint32_t waited = 0;
	int r;

	while ((r = try_trees(role, &busy)) < 0) {
		turn_end(role);
		if (r != -EWOULDBLOCK || waited >= wait_ms) {
			tell_holder(role, busy, true);
			if (busy != NULL)
				(void)text_copy(role->end.busy, sizeof role->end.busy, busy->real);
			return r;
		}
		if (wait_for(role, busy, &waited) < 0)
			return -ECANCELED;
	}
	return 0;
}
