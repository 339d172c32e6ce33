/* ambit-stage: takes one question about staged changes, answers it, ends. It has the authority of the person over their trees, and
 * reads of what a cell left only names, links, modes and bytes; what those mean is judged in a cell of its own (judging.c). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage/account.h"
#include "stage/durable.h"
#include "stage/journal.h"
#include "stage/pick.h"
#include "stage/role.h"
#include "wire/wire.h"

#define LIBRARY_FD 3

static int take_question(struct role *role, struct err *e)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	auto_message m = { .n_fds = 0 };

	if (wire_receive(role->lib, WIRE_LIBRARY, WIRE_NEW, room, sizeof room, &m) <= 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "no question came");
	if (m.n_fds == 1)
		role->output_fd = steal_fd(&m.fds[0]);
	return stage_ask_decode(&m.body, &role->ask, e);
}

/* The states in which a stage can be what the question is about. */
static unsigned states_of(enum stage_op op)
{
	return op == STAGE_OP_UNDO ? 1u << STAGE_COMMITTED : 1u << STAGE_KEPT | 1u << STAGE_RUNNING;
}

static bool needs_stage(const struct stage_ask *ask)
{
	return ask->op != STAGE_OP_LIST && ask->op != STAGE_OP_RECOVER &&
	       !(ask->op == STAGE_OP_DISCARD && (ask->flags & STAGE_FLAG_ALL) != 0);
}

/* How long a stage's own lock is waited for: the supervisor of an event that has just ended is about to go. */
#define LOCK_WAIT_MS 2000

/* What lies in a committed stage is what was there before: that is for undo alone. */
static int refuse_committed(const struct role *role, struct err *e)
{
	const bool looks = role->ask.op == STAGE_OP_CHANGES || role->ask.op == STAGE_OP_DIFF ||
			   role->ask.op == STAGE_OP_COMMIT;
	char hint[ERR_HINT_MAX];

	(void)snprintf(hint, sizeof hint, "`ambit undo %s` takes them back, and then they are kept again",
		       role->meta->event); /* it fits */
	if (!looks || role->in_use || role->meta->state != STAGE_COMMITTED)
		return 0;
	return err_why(e, err_set(e, AMBIT_NOT_FOUND, hint, "%s has no changes that wait", role->meta->event),
		       "they are committed");
}

/* Looking at it asks for nothing; an event that has just ended (SETTLE) ran on this boot. What was committed was on disk before, and
 * only its removal can leave a rest. */
static int refuse_incomplete(const struct role *role, struct err *e)
{
	const bool undoes = role->ask.op == STAGE_OP_UNDO;
	const bool refused = undoes ? role->meta->disk == STAGE_DISK_GOING
				    : role->ask.op == STAGE_OP_COMMIT && !role->in_use &&
					      durable_is_incomplete(role->meta, role->boot);

	return refused ? durable_refuse(role->meta, undoes ? "undo" : "commit", e) : 0;
}

/* An agent's own word releases nothing that was held for a person to look at. */
static int refuse_unusual(const struct role *role, struct err *e)
{
	const uint32_t why = role->meta->why, flags = role->ask.flags;
	char hint[ERR_HINT_MAX];

	(void)snprintf(hint, sizeof hint, "a person looks at it by `ambit diff %s`, and commits or discards it",
		       role->meta->event); /* it fits */
	if ((flags & STAGE_FLAG_UNTOUCHED) != 0 && !role->in_use && why == STAGE_WHY_CANARY)
		return err_set(e, AMBIT_DENIED, hint, "%s is held: it touched a canary", role->meta->event);
	if ((flags & STAGE_FLAG_USUAL) == 0 || (is_settled(role) && why != STAGE_WHY_UNUSUAL && why != STAGE_WHY_LOST))
		return 0;
	return err_set(e, AMBIT_DENIED, hint,
		       why == STAGE_WHY_UNUSUAL ? "%s is held: it is not like what is usual"
						: "%s was not held against what is usual yet",
		       role->meta->event);
}

/* What was broken off is finished first; but looking changes nothing. */
static int make_whole(struct role *role, struct err *e)
{
	const bool looks = role->ask.op == STAGE_OP_CHANGES || role->ask.op == STAGE_OP_DIFF;

	if (looks && is_broken_off(role))
		return refuse_broken_off(role, e);
	if (role->ask.op == STAGE_OP_DISCARD)
		return ready_to_remove(role, e);
	return looks ? 0 : recover_taken(role, e);
}

static int take_stage(struct role *role, struct err *e)
{
	const bool shows = role->ask.op == STAGE_OP_CHANGES || role->ask.op == STAGE_OP_DIFF;
	const bool may_run = shows || role->ask.op == STAGE_OP_COMMIT;
	const struct pick pick = { .word = role->ask.event,
				   .here = role->ask.here,
				   .states = states_of((enum stage_op)role->ask.op) };
	char event[STAGE_ID_MAX];
	int r = pick_stage(&role->shelf, &pick, event, e);

	if (r == 0 && role->ask.op == STAGE_OP_DISCARD)
		r = shelf_take_to_remove(&role->shelf, event, &role->stage, role->meta, &role->state, e);
	else if (r == 0)
		r = shelf_take(&role->shelf, event, role->ask.op == STAGE_OP_SETTLE ? LOCK_WAIT_MS : 0, &role->stage,
			       role->meta, may_run ? &role->in_use : NULL, e);
	role->taken = r == 0;
	if (role->taken && !role->in_use)
		r = make_whole(role, e);
	if (role->taken && !role->in_use) /* what was committed while the event ran its supervisor did not write down */
		role->meta->commits = deed_count(role->stage.dir_fd);
	r = r < 0 ? r : refuse_unusual(role, e);
	r = r < 0 ? r : refuse_committed(role, e);
	if (r == 0 && shows)
		secure(role); /* for the case that nobody settled it: who looks at it wants it tomorrow, too */
	return r < 0 ? r : refuse_incomplete(role, e);
}

static int answer_question(struct role *role, struct err *e)
{
	switch ((enum stage_op)role->ask.op) { /* in range: it was decoded */
	case STAGE_OP_SETTLE: return settle(role, e);
	case STAGE_OP_LIST: return list_stages(role, e);
	case STAGE_OP_CHANGES: return show_changes(role, e);
	case STAGE_OP_DIFF: return show_diff(role, e);
	case STAGE_OP_COMMIT: return commit(role, e);
	case STAGE_OP_DISCARD: return discard(role, e);
	case STAGE_OP_UNDO: return undo(role, e);
	case STAGE_OP_RECOVER: return recover_all(role, e);
	case STAGE_OP_COUNT: break;
	}
	return err_set(e, AMBIT_PROTOCOL, NULL, "stage: no such question");
}

static int work(struct role *role, struct err *e)
{
	int r = take_question(role, e);

	r = r < 0 ? r : shelf_open(&role->shelf, role->ask.store, e);
	if (r == 0 && needs_stage(&role->ask))
		r = take_stage(role, e);
	r = r < 0 ? r : answer_question(role, e);
	if (r < 0 && (role->ask.op == STAGE_OP_SETTLE || role->ask.op == STAGE_OP_COMMIT) && role->taken)
		secure(role);
	return r;
}

int main(void)
{
	static struct role role = { .lib = LIBRARY_FD, .output_fd = -1, .shelf = { .store_fd = -1 } };
	struct err e = { .code = AMBIT_OK };
	bool failed;

	(void)fd_set_cloexec(LIBRARY_FD, true);
	(void)fd_reserve_standard();    /* a host without /dev/null is refused for other reasons */
	(void)signal(SIGPIPE, SIG_IGN); /* who asked may go; what was begun ends */
	(void)umask(077);
	role.meta = calloc(1, sizeof *role.meta);
	stage_init(&role.stage);
	for (size_t i = 0; i < STAGE_TREES_MAX; i++)
		mask_init(&role.unseen[i]);
	durable_boot(role.boot);
	if (role.meta == NULL)
		(void)err_set(&e, AMBIT_MEMORY, NULL, "no memory for a stage");
	failed = role.meta == NULL || work(&role, &e) < 0;
	account_close(&role);
	stage_finish(&role.stage); /* whoever hears the answer may go on with the stage at once */
	if (failed)
		answer_failed(&role, &e);
	else
		answer_end(&role);
	if (role.taken && role.ask.op == STAGE_OP_SETTLE)
		age(&role); /* nobody waits for it */
	return e.code != AMBIT_OK;
}
