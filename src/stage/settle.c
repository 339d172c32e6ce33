/* What becomes of a stage: committed, kept, thrown away, taken back. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/grant.h"
#include "stage/account.h"
#include "stage/asking.h"
#include "stage/changes.h"
#include "stage/chosen.h"
#include "stage/commit.h"
#include "stage/durable.h"
#include "stage/each.h"
#include "stage/journal.h"
#include "stage/marking.h"
#include "stage/promise.h"
#include "stage/recover.h"
#include "stage/role.h"
#include "stage/tidy.h"
#include "stage/undo.h"
#include "supervisor/frozen.h"

#define SETTLED_NS UINT64_C(60000000000) /* by then an event that ended is being settled, or never will be */
#define UNDO_TOLD_MAX 65536              /* as of changes; the rest is counted */

static uint64_t unix_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- what is said and remembered ---- */

static void say(struct role *role, enum event_workspace workspace, enum stage_why why)
{
	answer_whose(role);
	role->end.workspace = workspace;
	role->end.why = (uint32_t)why;
	role->end.changes = role->counts.changes;
	role->end.held = role->counts.held;
	role->end.keep_until_ns = role->meta->keep_until_ns;
	role->end.commits = role->meta->commits;
}

static void add_directory(const struct role *role, uint32_t tree, const char *name, uint64_t *sum)
{
	auto_fd int fd = openat(role->stage.part_fd[tree], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		each_add_bytes(fd, sum);
}

/* On disk, whatever it is: what a cell makes its files look like must push nothing out. */
static uint64_t bytes_of(const struct role *role)
{
	uint64_t sum = 0;
	char name[24];

	for (uint32_t i = 0; i < role->meta->n_trees; i++) {
		add_directory(role, i, "upper", &sum);
		for (uint32_t n = 0; n < role->meta->commits; n++) {
			(void)snprintf(name, sizeof name, "undo.%u", n); /* it fits */
			add_directory(role, i, name, &sum);
		}
	}
	return sum;
}

/* Of this boot only: on a later one nobody can say any more what it wrote. An event that is settled has just ended. */
static bool needs_sync(const struct role *role, const struct stage_meta *m)
{
	return m->disk == STAGE_DISK_NOT_YET &&
	       (role->ask.op == STAGE_OP_SETTLE || !durable_is_incomplete(m, role->boot));
}

void secure(struct role *role)
{
	if (role->in_use || role->stage.dir_fd < 0 || !needs_sync(role, role->meta))
		return;
	(void)durable_sync(&role->stage, role->meta, NULL); /* noted in the meta */
	/* without it, it counts as not synced */
	(void)stage_write_meta(&role->stage, role->meta, STAGE_WRITE_NOW, NULL);
}

/* It was committed, and is in the stage again. All of it was on disk before, but whether the description on disk says so nobody
 * knows: that of a commit is not synced. */
static void came_back(struct role *role)
{
	role->meta->undone++;
	role->meta->disk = STAGE_DISK_NOT_YET;
	memcpy(role->meta->boot, role->boot, sizeof role->meta->boot);
}

/* What is kept is on disk then, if it was not before, and so is the word of it. After a commit or undo, whose journal has gone, the
 * stage's directory is not synced by itself: on some file systems the names in the tree, which it was for, would be behind. If the
 * machine goes down the description may be the one before it, with which agree() deals. */
static int remember(struct role *role, enum stage_state state, enum stage_why why, struct err *e)
{
	const uint64_t now = unix_ns();
	enum stage_write how = state == STAGE_KEPT ? STAGE_WRITE_WHOLE : STAGE_WRITE_CACHED;
	int synced = 0, r;

	if (role->in_use) /* its description is the supervisor's */
		return 0;
	role->meta->state = (uint32_t)state;
	role->meta->why = (uint32_t)why;
	if (role->meta->ended_ns == 0)
		role->meta->ended_ns = now;
	role->meta->keep_until_ns = now > UINT64_MAX - role->ask.keep_ns ? UINT64_MAX : now + role->ask.keep_ns;
	role->meta->bytes = bytes_of(role);
	if (needs_sync(role, role->meta)) {
		synced = durable_sync(&role->stage, role->meta, e);
		how = STAGE_WRITE_NOW;
	}
	r = stage_write_meta(&role->stage, role->meta, how, synced < 0 ? NULL : e);
	return synced < 0 ? synced : r;
}

/* Nothing is left in it but the way back of what was committed. */
static int keep_way_back(struct role *role, struct err *e)
{
	int r = deed_close(role->stage.dir_fd, e);

	r = r < 0 ? r : remember(role, STAGE_COMMITTED, STAGE_WHY_NONE, e);
	say(role, role->ask.op == STAGE_OP_SETTLE ? WORKSPACE_COMMITTED : WORKSPACE_UNTOUCHED, STAGE_WHY_NONE);
	return r;
}

static int remove_empty(struct role *role, struct err *e)
{
	int r;

	if (!role->in_use && role->meta->commits > 0)
		return keep_way_back(role, e);
	r = role->in_use ? 0 : shelf_remove(&role->shelf, &role->stage, role->meta, e);
	say(role, WORKSPACE_UNTOUCHED, STAGE_WHY_NONE);
	return r;
}

static int keep(struct role *role, enum stage_why why, struct err *e)
{
	const int r = remember(role, STAGE_KEPT, why, e);

	say(role, WORKSPACE_KEPT, why);
	answer_changes(role);
	return r;
}

static int tell_way_out(const struct role *role, int r, struct err *e);

/* ---- committing ---- */

struct wanted {
	struct selection selection;
	struct selection_item *items; /* owned */
	uint32_t *words;              /* owned: of each item */
};

static void add_wanted(struct wanted *w, int tree, const char *pattern, uint32_t word)
{
	w->items[w->selection.n_take] = (struct selection_item){ .tree = tree, .pattern = pattern };
	w->words[w->selection.n_take++] = word;
}

static void wanted_finish(struct wanted *w)
{
	free(w->items);
	free(w->words);
}

static int want(const struct role *role, struct wanted *ret, struct err *e)
{
	const size_t most = (size_t)role->ask.n_selected * role->meta->n_trees;

	*ret = (struct wanted){ .items = calloc(most + 1, sizeof *ret->items),
				.words = calloc(most + 1, sizeof *ret->words) };
	if (ret->items == NULL || ret->words == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the paths");
	for (uint32_t i = 0; i < role->ask.n_selected; i++) {
		const size_t before = ret->selection.n_take;

		for (uint32_t t = 0; t < role->meta->n_trees; t++) {
			const char *p = chosen_beneath(role->meta->trees[t].real, role->ask.selected[i]);

			if (p != NULL)
				add_wanted(ret, (int)t, p, i);
		}
		if (ret->selection.n_take == before)
			return no_such_change(role, role->ask.selected[i], e);
	}
	ret->selection.take = ret->items;
	ret->selection.word = ret->words;
	return 0;
}

static enum conflict_policy policy_of(const struct role *role)
{
	switch ((enum stage_conflict)role->ask.conflict) { /* in range: it was decoded */
	case STAGE_CONFLICT_THEIRS: return CONFLICT_THEIRS;
	case STAGE_CONFLICT_OURS: return CONFLICT_OURS;
	case STAGE_CONFLICT_FAIL:
	case STAGE_CONFLICT_COUNT: break;
	}
	return CONFLICT_FAIL;
}

/* Whether a yes is all that is missing, as far as they are listed. */
static bool only_asks(const struct role *role)
{
	uint64_t asked = 0;

	for (size_t i = 0; i < role->n_changes; i++)
		asked += role->changes[i]->held == HELD_ASKED;
	return asked > 0 && asked == role->counts.held;
}

/* Directories that are held and lead to what was chosen. */
static bool leads_to_chosen(const struct role *role, const struct change *dir)
{
	const size_t n = strlen(dir->path);

	for (size_t i = 0; i < role->n_changes && dir->held != HELD_NOT && dir->type == CHANGE_DIRECTORY; i++) {
		const struct change *c = role->changes[i];

		if (c->tree == dir->tree && strncmp(c->path, dir->path, n) == 0 && c->path[n] == '/' &&
		    chosen(&role->ask, role->meta, c))
			return true;
	}
	return false;
}

/* Of the changes that were found, those that were to be committed: nobody asked about the others. */
static int tell_chosen(struct role *role, bool done, struct err *e)
{
	auto_free bool *told = calloc(role->n_changes + 1, sizeof *told);
	size_t n = 0;

	if (told == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to tell what was committed");
	for (size_t i = 0; i < role->n_changes; i++)
		told[i] = chosen(&role->ask, role->meta, role->changes[i]) || leads_to_chosen(role, role->changes[i]);
	for (size_t i = 0; i < role->n_changes; i++) {
		struct change *c = role->changes[i];

		if (!told[i]) {
			free(c);
			continue;
		}
		if (done && c->held == HELD_CONFLICT && role->ask.conflict == STAGE_CONFLICT_OURS)
			c->held = HELD_NOT; /* it was there when it was committed */
		if (done && c->held == HELD_ASKED && role->approved)
			c->held = HELD_NOT;
		role->changes[n++] = c;
	}
	role->n_changes = n;
	return 0;
}

/* Nothing went into the tree, but all of it could have: every change gave way. */
static int keep_dropped(struct role *role, const struct commit_result *result, struct err *e)
{
	int r = tell_chosen(role, false, e);

	role->counts.held = result->dropped;
	r = r < 0 ? r : keep(role, STAGE_WHY_HELD, e);
	role->end.left = result->left + result->dropped;
	role->end.dropped = result->dropped;
	return r;
}

static int remember_commit(struct role *role, const struct commit_result *result, struct err *e)
{
	const uint32_t why = role->meta->why;
	int r = tell_chosen(role, true, e);

	role->counts.changes = result->done;
	role->counts.held = result->dropped;
	role->meta->commits++;
	r = r < 0 ? r
		  : remember(role, result->state,
			     result->dropped > 0 ? STAGE_WHY_HELD
			     : result->left > 0  ? (enum stage_why)why
						 : STAGE_WHY_NONE,
			     e);
	say(role, WORKSPACE_COMMITTED, STAGE_WHY_NONE);
	role->end.left = result->left + result->dropped;
	role->end.dropped = result->dropped;
	answer_changes(role);
	return r;
}

/* What was synced when it was kept is not lost by what happens now; the failure itself is told. */
static void note_failure(struct role *role, uint32_t disk)
{
	if (disk != STAGE_DISK_FAILED || role->meta->disk != STAGE_DISK_NOT_YET || role->in_use)
		return;
	role->meta->disk = STAGE_DISK_FAILED;
	(void)stage_write_meta(&role->stage, role->meta, STAGE_WRITE_NOW, NULL);
}

/* It failed with r, which is told, and so is that the changes are still there. */
static int keep_refused(struct role *role, int r)
{
	(void)remember(role, STAGE_KEPT, STAGE_WHY_REFUSED, NULL); /* then it is kept as it was described before */
	say(role, WORKSPACE_KEPT, STAGE_WHY_REFUSED);
	return r;
}

static int commit_wanted(struct role *role, const struct wanted *wanted, struct err *e)
{
	struct commit_result result = { .unmatched = -1 };
	struct commit_options o = { .conflicts = policy_of(role),
				    .copy = role->in_use,
				    .calls = &role->calls,
				    .stopped = turn_is_stopped,
				    .stopped_user = role };
	int r;

	if (role->approved)
		o.accept = 1u << HELD_ASKED;
	role->calls.digest = NULL; /* told already */
	if (role->ask.n_selected > 0)
		o.selection = &wanted->selection;
	if (!role->in_use)
		o.plan = &role->plan; /* upper is as it was; that of a living event is looked through again */
	r = durable_sync_stage(&role->stage, role->meta->n_trees, e);
	r = r < 0 ? r : promise_trees_only(&role->shelf, &role->stage, &role->trees, e);
	r = r < 0 ? r : stage_commit(&role->stage, role->meta, &o, &result, e);
	if (r == -AMBIT_CONFLICT && result.held > 0) {
		r = tell_chosen(role, false, e);
		role->counts.held = result.held;
		return r < 0 ? r : keep(role, only_asks(role) ? STAGE_WHY_ASKS : STAGE_WHY_HELD, e);
	}
	if (r == -AMBIT_NOT_FOUND && result.unmatched >= 0)
		return no_such_change(role, role->ask.selected[result.unmatched], e);
	if (r < 0) {
		note_failure(role, result.disk);
		/* stopped, or asked for what is not there: as it was */
		return r == -AMBIT_GONE || r == -AMBIT_NOT_FOUND ? r : keep_refused(role, r);
	}
	if (!role->in_use && result.state == STAGE_COMMITTED && result.disk == STAGE_DISK_ALL)
		role->meta->disk = STAGE_DISK_ALL; /* what is left is synced again as it is kept, with what was done */
	return result.done == 0 ? keep_dropped(role, &result, e) : remember_commit(role, &result, e);
}

/* How it ended, for the ledger: failed says that nobody but the stage knows. */
static const char *how(const struct role *role, int r, enum event_workspace if_done)
{
	if (r < 0)
		return "failed";
	return role->end.workspace == if_done ? "done" : "refused";
}

/* 1: it may be tried; 0: it waits for a person, and is kept. */
static int ask_before(struct role *role, struct err *e)
{
	int r = asking_allows(role, e);

	if (r == 0 && role->ask.conflict == STAGE_CONFLICT_FAIL && !role->in_use)
		return 1; /* nothing of it is committed, and that is told; of one that runs, what is held may have gone by then */
	if (r > 0 && (r = marking_declassify(role, e)) == 0)
		return keep(role, STAGE_WHY_ASKS, e);
	r = r < 0 ? r : marking_put(role, e);
	return r < 0 ? r : 1;
}

static int commit_found(struct role *role, struct err *e)
{
	struct wanted wanted;
	int r = want(role, &wanted, e);

	r = r < 0 ? r : check_granted(role, e);
	if (r == 0 && (r = ask_before(role, e)) != 0) {
		r = r < 0 ? r : account_begin(role, "commit", role->counts.changes, e);
		r = r < 0 ? keep_refused(role, r) : commit_wanted(role, &wanted, e);
		account_end(role, how(role, r, WORKSPACE_COMMITTED));
	}
	wanted_finish(&wanted);
	return r;
}

/* Under the lock of all commits: who froze waits for it after the word was written, so a commit has ended by then, or sees the word here. */
static int check_frozen(const struct role *role, struct err *e)
{
	char place[GRANT_OBJECT_MAX];

	return !frozen_place(role->ask.store, place) ? 0
						     : frozen_refuse(place, role->meta->session, role->meta->event, e);
}

/* What the event changed is kept, as of one that could not be committed; who asks for a commit is told. */
static int stay_frozen(struct role *role, struct err *e)
{
	int r;

	if (role->ask.op != STAGE_OP_SETTLE)
		return -AMBIT_FROZEN;
	err_clear(e);
	r = find_changes(role, e);
	return r < 0 ? r : role->counts.changes == 0 ? remove_empty(role, e) : keep(role, STAGE_WHY_FROZEN, e);
}

bool is_settled(const struct role *role)
{
	return !role->in_use && role->meta->keep_until_ns != 0;
}

/* Whose labels are not known is not committed, nor described anew: it counts as not settled. */
static int stay_unjoined(struct role *role, int r)
{
	say(role, WORKSPACE_KEPT, STAGE_WHY_REFUSED);
	return r;
}

static int commit_known(struct role *role, struct err *e)
{
	int r = role->ask.op == STAGE_OP_SETTLE || is_settled(role) ? 0 : marking_join(role, e);

	if (r < 0)
		return stay_unjoined(role, r);
	r = find_changes(role, e);
	if (r < 0)
		return r;
	return role->counts.changes == 0 ? remove_empty(role, e) : commit_found(role, e);
}

int commit(struct role *role, struct err *e)
{
	int r = turn_take(role, role->ask.wait_ms);

	if (r == -EWOULDBLOCK) {
		r = find_changes(role, e);
		r = r < 0 ? r : keep(role, STAGE_WHY_BUSY, e);
	} else if (r == -ECANCELED) {
		r = stop_check(turn_is_stopped, role, e);
	} else if (r < 0) {
		r = err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot lock %s", role->end.busy);
	} else if (check_frozen(role, e) < 0) {
		r = stay_frozen(role, e);
		turn_end(role);
	} else {
		r = commit_known(role, e);
		turn_end(role);
	}
	forget_changes(role);
	return r;
}

/* ---- the other ways ---- */

static int throw_away(struct role *role, struct err *e)
{
	const bool forced = (role->ask.flags & STAGE_FLAG_FORCE) != 0; /* also where the ledger is gone for good */
	int r = forced ? 0 : account_begin(role, "discard", 0, e);

	r = r < 0 ? r : shelf_remove(&role->shelf, &role->stage, role->meta, e);
	if (r == 0)
		asking_forget(role);
	say(role, WORKSPACE_DISCARDED, STAGE_WHY_NONE);
	account_end(role, how(role, r, WORKSPACE_DISCARDED));
	return r;
}

int settle(struct role *role, struct err *e)
{
	int r = marking_join(role, e);

	if (r < 0)
		return stay_unjoined(role, r);
	if ((role->ask.flags & STAGE_FLAG_COMMIT) != 0) {
		r = commit(role, e);
	} else if ((role->ask.flags & STAGE_FLAG_DISCARD) != 0 && role->meta->commits == 0) {
		r = throw_away(role, e);
	} else {
		const uint32_t why = role->ask.why != 0 ? role->ask.why : role->meta->why;

		r = find_changes(role, e);
		if (r == 0)
			r = role->counts.changes == 0 ? remove_empty(role, e) : keep(role, (enum stage_why)why, e);
		forget_changes(role);
	}
	return r;
}

/* In a stage whose commit was broken off lies what the tree had before: it goes only where that is finished, or the person says so. */
int ready_to_remove(struct role *role, struct err *e)
{
	int r = 0;

	if (role->state == SHELF_WHOLE)
		r = recover_taken(role, e);
	else if (is_broken_off(role))
		r = refuse_broken_off(role, e);
	if (r == 0 || (role->ask.flags & STAGE_FLAG_FORCE) == 0)
		return r < 0 && role->state != SHELF_WHOLE ? tell_way_out(role, r, e) : r;
	if (e != NULL)
		err_clear(e);
	return 0;
}

static int discard_one(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	struct role *role = user;

	if (in_use || (meta != NULL && meta->state == STAGE_COMMITTED) ||
	    shelf_take_to_remove(&role->shelf, event, &role->stage, role->meta, &role->state, NULL) < 0)
		return 0;
	if (ready_to_remove(role, NULL) < 0) {
		stage_finish(&role->stage);
		return 0;
	}
	if (account_begin(role, "discard", 0, NULL) < 0 ||
	    shelf_remove(&role->shelf, &role->stage, role->meta, NULL) < 0) {
		account_close(role);
		stage_finish(&role->stage);
		return 0;
	}
	if (role->state == SHELF_WHOLE)
		asking_forget(role);
	account_end(role, "done");
	account_close(role);
	answer_entry(role, event, role->state == SHELF_DAMAGED ? NULL : role->meta, false);
	role->end.changes++;
	return 0;
}

void age(struct role *role)
{
	shelf_age(&role->shelf, unix_ns(), role->ask.keep_ns, role->ask.space_bytes);
	tidy(&role->shelf, NULL);
}

int discard(struct role *role, struct err *e)
{
	int r;

	if ((role->ask.flags & STAGE_FLAG_ALL) != 0) {
		r = shelf_each(&role->shelf, discard_one, role);
		tidy(&role->shelf, NULL);
		return r < 0 ? err_set(e, AMBIT_MEMORY, NULL, "no memory to look for stages") : 0;
	}
	role->end.lost = deed_count(role->stage.dir_fd) > 0;
	r = throw_away(role, e);
	role->end.changes = r == 0;
	return r;
}

/* The first path that stands in the way, and how many there are. */
struct in_the_way {
	const struct role *role;
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX];
	uint64_t n;
};

static void tell_path(void *user, uint16_t tree, const char *path)
{
	struct in_the_way *w = user;

	if (w->n++ == 0)
		(void)snprintf(w->path, sizeof w->path, "%s/%s", w->role->meta->trees[tree].real, path);
}

static int explain(const struct in_the_way *w, int r, struct err *e)
{
	if (r != -AMBIT_CONFLICT || w->n == 0)
		return r;
	if (w->n == 1)
		return err_why(e, r, "%s has changed since", w->path);
	return err_why(e, r, "%s has changed since, and %llu more", w->path, (unsigned long long)(w->n - 1));
}

/* What is staged again, counted as a diff counts it: names that were moved are not changes. */
static void count_staged(struct role *role, uint64_t otherwise)
{
	static const struct walk_calls calls = { .user = NULL };
	const uint64_t untold = role->counts.dropped;

	if (stage_walk(&role->stage, role->meta, &calls, 0, NULL, NULL, &role->counts, NULL) < 0)
		role->counts.changes = otherwise;
	role->counts.held = 0; /* none are told */
	role->counts.dropped = untold;
}

static uint8_t type_of(uint32_t mode)
{
	if (S_ISDIR(mode))
		return CHANGE_DIRECTORY;
	if (S_ISLNK(mode))
		return CHANGE_SYMLINK;
	return S_ISREG(mode) ? CHANGE_FILE : CHANGE_OTHER;
}

/* What stands in the way of an undo is told as changes are: where, what the commit did, and what happened since. */
static void keep_conflict(void *user, const struct undo_conflict *c)
{
	struct role *role = user;
	const struct change told = { .tree = c->tree,
				     .kind = c->kind,
				     .type = type_of(c->mode),
				     .held = HELD_CONFLICT,
				     .path = c->path,
				     .from = "",
				     .reason = c->how };

	if (role->n_changes >= UNDO_TOLD_MAX || changes_add(&role->changes, &role->n_changes, &told) < 0)
		role->counts.dropped++;
}

/* Nothing was done. */
static int refuse_undo(struct role *role, uint64_t conflicts)
{
	say(role, WORKSPACE_COMMITTED, STAGE_WHY_NONE);
	role->end.changes = 0;
	role->end.held = conflicts;
	answer_changes(role);
	return 0;
}

int undo(struct role *role, struct err *e)
{
	const struct undo_options o = { .conflicts = policy_of(role),
					.told = keep_conflict,
					.user = role,
					.stopped = turn_is_stopped,
					.stopped_user = role };
	struct undo_result result = { .done = 0 };
	int r = turn_take(role, role->ask.wait_ms);

	if (r == -EWOULDBLOCK)
		return err_why(
			e, err_set(e, AMBIT_CONFLICT, "wait until it has ended", "cannot undo on %s", role->end.busy),
			"another event works on it");
	if (r == -ECANCELED)
		return stop_check(turn_is_stopped, role, e);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot lock %s", role->end.busy);
	r = check_frozen(role, e);
	if (r < 0) {
		turn_end(role);
		return r;
	}
	r = trees_open(&role->stage, role->meta, &role->trees, e);
	role->has_trees = r == 0;
	r = r < 0 ? r : account_begin(role, "undo", 0, e);
	r = r < 0 ? r : promise_trees_only(&role->shelf, &role->stage, &role->trees, e);
	r = r < 0 ? r : stage_undo(&role->stage, role->meta, &o, &result, e);
	if (r == -AMBIT_CONFLICT && result.conflicts > 0) {
		err_clear(e);
		r = refuse_undo(role, result.conflicts);
	} else if (r == 0) {
		count_staged(role, result.done);
		role->counts.held = result.left;
		role->meta->commits = 0;
		if (role->meta->state == STAGE_COMMITTED)
			came_back(role);
		else
			role->meta->undone++; /* a part of it */
		r = remember(role, STAGE_KEPT, STAGE_WHY_UNDONE, e);
		say(role, WORKSPACE_KEPT, STAGE_WHY_UNDONE);
		answer_changes(role);
	}
	account_end(role, how(role, r, WORKSPACE_KEPT));
	forget_changes(role);
	turn_end(role);
	return r;
}

/* ---- what was broken off ---- */

/* Killed between the end of a commit or undo and the word of it, or the word of it was not on disk when the machine went down: the
 * stage itself says what it is. */
static int agree(struct role *role, struct err *e)
{
	const bool committed = deed_is_last(role->stage.dir_fd);

	if (committed == (role->meta->state == STAGE_COMMITTED) || role->meta->disk == STAGE_DISK_GOING)
		return 0;
	if (committed && role->meta->commits == 0)
		role->meta->commits = 1;
	if (committed)
		role->meta->disk = STAGE_DISK_ALL; /* before that it was synced */
	else
		came_back(role);
	return remember(role, committed ? STAGE_COMMITTED : STAGE_KEPT, committed ? STAGE_WHY_NONE : STAGE_WHY_UNDONE,
			e);
}

/* What the person can do about a commit, or an undo, that can neither go on nor be turned back now. */
static int tell_way_out(const struct role *role, int r, struct err *e)
{
	if (e == NULL)
		return r;
	(void)snprintf(
		e->hint, sizeof e->hint,
		"mend that, then `ambit stage recover`; or `ambit discard --force %s` leaves the tree as it is now",
		role->meta->event);
	return err_context(e, r, "a commit of %s was broken off in %s", role->meta->event, role->meta->trees[0].real);
}

bool is_broken_off(const struct role *role)
{
	struct deed d = { .way = 0 };
	const bool is = deed_read(role->stage.dir_fd, "journal", &d, NULL) !=
			0; /* one that cannot be read may be whole */

	deed_finish(&d);
	return is;
}

int refuse_broken_off(const struct role *role, struct err *e)
{
	return err_set(e, AMBIT_CONFLICT, "`ambit stage recover` finishes it, or turns it back",
		       "a commit of %s was broken off in %s", role->meta->event, role->meta->trees[0].real);
}

int recover_taken(struct role *role, struct err *e)
{
	struct in_the_way w = { .role = role };
	struct recover_result result = { .conflicts = 0 };
	int r;

	if (faccessat(role->stage.dir_fd, "journal", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return agree(role, e);
	r = turn_take(role, role->ask.wait_ms);
	if (r == -ECANCELED)
		return stop_check(turn_is_stopped, role, e);
	if (r < 0)
		return err_why(e,
			       err_set(e, AMBIT_CONFLICT, "wait until it has ended",
				       "cannot finish a commit that was broken off"),
			       role->end.busy[0] != 0 ? "another event works on %s"
						      : "other changes are being committed%s",
			       role->end.busy);
	r = explain(&w, stage_recover(&role->stage, role->meta, tell_path, &w, &result, e), e);
	if (r == 0 && result.what != RECOVERED_NOTHING) {
		account_recovered(role, result.state == STAGE_COMMITTED);
		if (role->meta->state == STAGE_COMMITTED && result.state == STAGE_KEPT)
			came_back(role);
		r = remember(role, result.state, (enum stage_why)role->meta->why, e);
	}
	turn_end(role);
	return r < 0 ? tell_way_out(role, r, e) : 0;
}

static bool agrees(const struct role *role, const char *event, const struct stage_meta *meta)
{
	auto_fd int dir = openat(role->shelf.store_fd, event, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return dir < 0 || meta->disk == STAGE_DISK_GOING || deed_is_last(dir) == (meta->state == STAGE_COMMITTED);
}

/* Nobody who settles it comes any more: its supervisor was killed, or the command line before it could ask. */
static bool is_left_alone(const struct role *role, const struct stage_meta *meta)
{
	const uint64_t since = meta->ended_ns != 0 ? meta->ended_ns : meta->started_ns;

	return needs_sync(role, meta) && unix_ns() > since + SETTLED_NS;
}

struct recovery {
	struct role *role;
	struct err *e;
	int r;
};

/* Whether any of its trees is one of those that were asked for, holds one or lies in one; nothing asked for is all. */
static bool is_asked_for(const struct stage_ask *ask, const struct stage_meta *meta)
{
	for (uint32_t i = 0; i < ask->n_selected; i++)
		for (uint32_t t = 0; t < meta->n_trees; t++)
			if (path_is_beneath(ask->selected[i], meta->trees[t].real) ||
			    path_is_beneath(meta->trees[t].real, ask->selected[i]))
				return true;
	return ask->n_selected == 0;
}

static bool has_journal(const struct role *role, const char *event)
{
	char path[STAGE_ID_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/journal", event); /* it fits */
	return faccessat(role->shelf.store_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Somebody has it, and may commit it, or be about to finish what was broken off: until that is over nobody begins on its trees. 1: it is
 * taken, 0: it is over. */
static int take_broken(struct role *role, const char *event, struct err *e)
{
	for (uint32_t waited = 0; has_journal(role, event); waited += TURN_LOOK_MS) {
		const int r = shelf_take(&role->shelf, event, 0, &role->stage, role->meta, NULL, e);

		if (r != -AMBIT_CONFLICT || waited >= role->ask.wait_ms)
			return r < 0 ? r : 1;
		if (turn_is_stopped(role))
			return stop_check(turn_is_stopped, role, e);
		(void)poll(NULL, 0, TURN_LOOK_MS);
	}
	return 0;
}

static int recover_one(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	struct recovery *recovery = user;
	struct role *role = recovery->role;
	const bool journal = has_journal(role, event);
	bool broken;
	int r;

	if (meta == NULL || (in_use && !journal))
		return 0;
	broken = journal || !agrees(role, event, meta);
	if (!is_asked_for(&role->ask, meta) || (!broken && !is_left_alone(role, meta)))
		return 0;
	if (journal)
		r = take_broken(role, event, recovery->e);
	else
		r = shelf_take(&role->shelf, event, 0, &role->stage, role->meta, NULL, recovery->e);
	if (journal && r == 0)
		return 0;
	r = r < 0 ? r : recover_taken(role, recovery->e);
	secure(role);
	stage_finish(&role->stage);
	role->end.changes += broken && r == 0;
	if (r < 0 && broken)
		recovery->r = r; /* the others are tried all the same */
	return 0;
}

int recover_all(struct role *role, struct err *e)
{
	struct recovery recovery = { .role = role, .e = e };

	if (shelf_each(&role->shelf, recover_one, &recovery) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look for stages");
	return recovery.r;
}
