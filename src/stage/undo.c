#include "stage/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "stage/allowed.h"
#include "stage/build.h"
#include "stage/copy.h"
#include "stage/each.h"
#include "stage/finish.h"
#include "stage/moved.h"
#include "stage/nearby.h"
#include "stage/run.h"

struct undoing {
	const struct stage *stage;
	const struct trees *trees;
	const struct undo_options *o;
	struct undo_result *ret;
	struct moved moved; /* owned */
	struct deed *parts; /* owned, and each: in them are the paths */
	uint32_t n_parts;
	struct deed deed;     /* owned: all of them in one */
	struct op **by_path;  /* owned: its moves, sorted; only of several commits */
	struct op **by_place; /* owned: those between the tree and the stage, sorted by path alone */
	size_t n_places;
};

static void undoing_finish(struct undoing *u)
{
	for (uint32_t i = 0; i < u->n_parts; i++)
		deed_finish(&u->parts[i]);
	free(u->parts);
	free(u->by_path);
	free(u->by_place);
	deed_finish(&u->deed);
	moved_finish(&u->moved);
}

static int append(struct op_list *to, const struct op_list *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (op_add(to, &from->ops[i]) == NULL)
			return -ENOMEM;
	return 0;
}

static int load(struct undoing *u, uint32_t n, struct err *e)
{
	char name[24];

	u->parts = calloc((size_t)n + 1, sizeof u->parts[0]);
	for (uint32_t i = 0; u->parts != NULL && i < n; i++) {
		int r;

		deed_name(i, name);
		r = deed_read(u->stage->dir_fd, name, &u->parts[i], e);
		if (r <= 0)
			return r < 0 ? r
				     : err_set(e, AMBIT_SYSTEM,
					       "the real tree is as it was committed; discard the stage",
					       "'%s' of the stage is damaged", name);
		u->n_parts = i + 1;
		u->deed.left = u->parts[i].left;
		if (append(&u->deed.dirs, &u->parts[i].dirs) < 0 || append(&u->deed.moves, &u->parts[i].moves) < 0)
			return err_set(e, AMBIT_MEMORY, NULL, "read what was committed");
	}
	return u->parts == NULL ? err_set(e, AMBIT_MEMORY, NULL, "read what was committed") : 0;
}

/* --- several commits: what a later one changed again is compared less strictly, when its turn comes --- */

static int order(const struct op *x, const struct op *y)
{
	const int by_name = x->tree != y->tree ? (x->tree < y->tree ? -1 : 1) : strcmp(x->path, y->path);

	return by_name != 0 ? by_name : (x->batch > y->batch) - (x->batch < y->batch);
}

static int by_order(const void *left, const void *right)
{
	const struct op *const *const x = left;
	const struct op *const *const y = right;

	return order(*x, *y);
}

/* Whether a commit after `batch` did something at that very path. */
static bool is_done_later(const struct undoing *u, const struct op *of, const char *path)
{
	const struct op want = { .tree = of->tree, .path = path, .batch = of->batch + 1 };
	size_t low = 0, high = u->deed.moves.n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (order(u->by_path[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < u->deed.moves.n && u->by_path[low]->tree == of->tree && strcmp(u->by_path[low]->path, path) == 0;
}

static bool is_changed_later(const struct undoing *u, const struct op *op)
{
	char path[CHANGE_PATH_MAX];
	char *slash = path;

	if (u->by_path == NULL)
		return false;
	(void)text_copy(path, sizeof path, op->path); /* as decoded */
	while (slash != NULL) {
		if (is_done_later(u, op, path))
			return true;
		slash = strrchr(path, '/');
		if (slash != NULL)
			*slash = 0;
	}
	return false;
}

static int sort_paths(struct undoing *u)
{
	if (u->n_parts < 2 || u->deed.moves.n == 0)
		return 0;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	u->by_path = calloc(u->deed.moves.n, sizeof *u->by_path);
	if (u->by_path == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < u->deed.moves.n; i++)
		u->by_path[i] = &u->deed.moves.ops[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	qsort(u->by_path, u->deed.moves.n, sizeof *u->by_path, by_order);
	return 0;
}

/* --- whether all is as it was left --- */

static bool is_a_move(const struct op *op)
{
	return op->kind == OP_IN || op->kind == OP_OUT || op->kind == OP_SWAP;
}

static int by_place(const void *left, const void *right)
{
	const struct op *const *const x = left;
	const struct op *const *const y = right;

	return (*x)->tree != (*y)->tree ? ((*x)->tree < (*y)->tree ? -1 : 1) : strcmp((*x)->path, (*y)->path);
}

static struct op **find_place(const struct undoing *u, uint16_t tree, const char *path)
{
	const struct op want = { .tree = tree, .path = path };
	const struct op *key = &want;

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	return bsearch(&key, u->by_place, u->n_places, sizeof *u->by_place, by_place);
}

static int sort_places(struct undoing *u)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	u->by_place = calloc(u->deed.moves.n + 1, sizeof *u->by_place);
	if (u->by_place == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < u->deed.moves.n; i++)
		if (is_a_move(&u->deed.moves.ops[i]))
			u->by_place[u->n_places++] = &u->deed.moves.ops[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	qsort(u->by_place, u->n_places, sizeof *u->by_place, by_place);
	return 0;
}

static void tell(struct undoing *u, const struct op *op, const char *how)
{
	const struct undo_conflict c = {
		.tree = op->tree,
		.path = op->path,
		.kind = op->kind == OP_DIR   ? CHANGE_MODE
			: op->kind == OP_IN  ? CHANGE_ADDED
			: op->kind == OP_OUT ? CHANGE_DELETED
					     : CHANGE_MODIFIED,
		.mode = op->kind == OP_OUT ? op->b.mode : op->a.mode,
		.how = how,
	};

	if (u->o->told != NULL)
		u->o->told(u->o->user, &c);
}

static void first_of(void *user, struct ident *id)
{
	moved_first(user, id);
}

static bool is_inside_same(const struct undoing *u, const struct op *op)
{
	auto_fd int fd = sys_open_beneath(u->trees->real[op->tree], op->path, O_RDONLY | O_DIRECTORY);
	struct moved moved = u->moved; /* it is only looked at */
	uint64_t hash;

	if (fd < 0 || each_hash(fd, &hash) < 0)
		return false;
	return hash == op->hash || (each_hash_as(fd, first_of, &moved, &hash) == 0 && hash == op->hash);
}

/* Whether something lies in a directory that was made, and filled name by name, which the commits did not put there. */
static bool has_strangers(const struct undoing *u, const struct op *op)
{
	const int fd = sys_open_beneath(u->trees->real[op->tree], op->path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char path[CHANGE_PATH_MAX + sizeof entry->d_name];
	bool found = d == NULL; /* who cannot look in does not take it away */

	while (!found && (entry = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", op->path, entry->d_name); /* it fits */
		found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			find_place(u, op->tree, path) == NULL;
	}
	if (d != NULL)
		(void)closedir(d);
	return found;
}

/* Whether it is as it was left, but for what Ambit did to it since: then it is known as what it is now. */
static bool is_as_left(const struct undoing *u, struct op *op, const struct ident *now)
{
	struct ident id = *now;

	if (!u->trees->births[op->tree])
		id.btime_ns = 0;
	if (ident_is_same(now, &op->a, S_ISDIR(now->mode) && (op->flags & OP_WEAK) != 0))
		return true;
	if (!moved_is_same(&u->moved, &op->a, &id))
		return false;
	op->a = id;
	return true;
}

/* What happened since to what the commit left: NULL for nothing. What is there now, ino 0 for nothing. */
static const char *what_happened(const struct undoing *u, struct op *op, struct nearby *near, struct ident *now,
				 bool *ret_no_parent)
{
	const char *name;
	const int dir = nearby_parent(near, u->trees->real[op->tree], op->path, &name);
	struct look l = { .mount = 0 };
	const int r = dir < 0 ? dir : sys_look(dir, name, &l);

	*now = r < 0 ? (struct ident){ .ino = 0 } : l.id;
	*ret_no_parent = dir < 0;
	if (dir < 0)
		return "the directory in which it lay is gone";
	if (op->kind == OP_OUT)
		return r == -ENOENT ? NULL : "something is there again";
	if (r < 0)
		return "it is gone";
	if (!is_as_left(u, op, &l.id))
		return "it has changed";
	if (!S_ISDIR(l.id.mode))
		return l.id.mode == op->a.mode ? NULL : "its mode has changed";
	if ((op->flags & OP_WHOLE) != 0 ? is_inside_same(u, op) : !has_strangers(u, op))
		return NULL;
	return "something in it has changed";
}

/* It is taken back all the same. False: it cannot be. */
static bool force(struct op *op, const struct ident *now, bool no_parent)
{
	if (op->kind == OP_IN && now->ino == 0) {
		op->flags |= OP_LEFT; /* nothing is there to be taken away */
		return true;
	}
	if (no_parent)
		return false;
	op->a = *now;
	op->flags = (uint16_t)((op->flags | OP_FORCED) & ~OP_WEAK);
	if (now->nlink > 1 && !S_ISDIR(now->mode))
		op->flags |= OP_WEAK; /* another of its names may go first */
	return true;
}

static void on_conflict(struct undoing *u, struct op *op, const struct ident *now, bool no_parent, const char *how)
{
	if (u->o->conflicts == CONFLICT_THEIRS)
		op->flags |= OP_LEFT;
	else if (u->o->conflicts != CONFLICT_OURS || !force(op, now, no_parent))
		u->ret->conflicts++;
	else
		return;
	tell(u, op, how);
}

static void compare_moves(struct undoing *u)
{
	auto_nearby near = NEARBY_NONE;

	for (size_t i = 0; i < u->deed.moves.n; i++) {
		struct op *op = &u->deed.moves.ops[i];
		struct ident now;
		bool no_parent;
		const char *how;

		if (!is_a_move(op))
			continue;
		u->ret->done++;
		if (is_changed_later(u, op)) {
			op->flags |= OP_WEAK;
			continue;
		}
		how = what_happened(u, op, &near, &now, &no_parent);
		if (how != NULL)
			on_conflict(u, op, &now, no_parent, how);
	}
}

/* Its mode since is the person's. */
static void on_mode_conflict(struct undoing *u, struct op *op, uint32_t mode)
{
	if (u->o->conflicts == CONFLICT_OURS)
		return;
	if (u->o->conflicts == CONFLICT_THEIRS)
		op->b.mode = op->a.mode = mode;
	else
		u->ret->conflicts++;
	tell(u, op, "its mode has changed");
}

/* The times of a directory that somebody else used since are theirs, and so is its mode if the commit left it alone. */
static void compare_dirs(struct undoing *u)
{
	for (size_t i = 0; i < u->deed.dirs.n; i++) {
		struct op *op = &u->deed.dirs.ops[i];
		auto_fd int fd = sys_open_beneath(u->trees->real[op->tree], op->path, O_RDONLY | O_DIRECTORY);
		struct look l;

		if (op->b.ino == 0 || fd < 0 || sys_look(fd, "", &l) < 0)
			continue; /* a new one; or gone, which its moves tell */
		op->flags &= (uint16_t)~OP_KEEP_TIME;
		if (u->n_parts < 2 && l.id.mtime_ns != op->a.mtime_ns)
			op->flags |= OP_KEEP_TIME;
		if (u->n_parts > 1 || l.id.mode == op->a.mode)
			continue;
		if (op->b.mode == op->a.mode)
			op->b.mode = op->a.mode = l.id.mode;
		else
			on_mode_conflict(u, op, l.id.mode);
	}
}

/* --- what stays, stays with the new directory in which it lies, and that with all in it --- */

/* The first of the highest directory above it, or of its own name, that the commits moved; NULL if there is none. */
static struct op *top_of(const struct undoing *u, const struct op *op)
{
	char path[CHANGE_PATH_MAX];
	struct op **found = NULL;

	for (size_t n = strcspn(op->path, "/");; n += 1 + strcspn(op->path + n + 1, "/")) {
		(void)snprintf(path, sizeof path, "%.*s", (int)n, op->path); /* as decoded */
		found = find_place(u, op->tree, path);
		if (found != NULL || op->path[n] == 0)
			break;
	}
	while (found != NULL && found > u->by_place && by_place(found - 1, found) == 0)
		found--; /* of several commits */
	return found != NULL ? *found : NULL;
}

static int add_leave(struct undoing *u, const struct op *of, uint32_t slot)
{
	struct op op = *of;
	auto_fd int slots = build_slots(&u->deed, u->trees, op.tree, false, op.batch);

	op.kind = OP_LEAVE;
	op.flags = OP_SLOT;
	op.slot = slot;
	return slots < 0 ? slots : op_add(&u->deed.moves, &op) == NULL ? -ENOMEM : 0;
}

/* What the stage has of them goes with their slots: it is neither what is there nor what the event made. */
static int leave_old(struct undoing *u)
{
	const size_t n = u->deed.moves.n;
	uint32_t slot = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (u->deed.moves.ops[i].slot > slot)
			slot = u->deed.moves.ops[i].slot;
	for (size_t i = 0; i < n && r == 0; i++) {
		const struct op *op = &u->deed.moves.ops[i];

		if ((op->flags & OP_LEFT) != 0 && (op->flags & OP_SLOT) == 0 &&
		    (op->kind == OP_OUT || op->kind == OP_SWAP))
			r = add_leave(u, op, ++slot);
	}
	return r;
}

static void leave_with(struct undoing *u, struct op *op)
{
	if ((op->flags & OP_LEFT) == 0 && is_a_move(op))
		tell(u, op, "it stays with what has changed around it");
	op->flags |= OP_LEFT;
	u->ret->left += is_a_move(op);
}

static int leave_groups(struct undoing *u)
{
	struct op *ops = u->deed.moves.ops;
	bool *left = calloc(u->deed.moves.n + 1, sizeof *left);

	if (left == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < u->n_places; i++)
		if ((u->by_place[i]->flags & OP_LEFT) != 0)
			left[top_of(u, u->by_place[i]) - ops] = true;
	for (size_t i = 0; i < u->deed.moves.n; i++) {
		const struct op *top = top_of(u, &ops[i]);

		if (top != NULL && left[top - ops])
			leave_with(u, &ops[i]);
	}
	free(left);
	return 0;
}

static bool lies_in_forced(const struct undoing *u, const struct op *op)
{
	char path[CHANGE_PATH_MAX];

	for (size_t n = strcspn(op->path, "/");; n += 1 + strcspn(op->path + n + 1, "/")) {
		struct op **found;

		(void)snprintf(path, sizeof path, "%.*s", (int)n, op->path); /* as decoded */
		found = find_place(u, op->tree, path);
		while (found != NULL && found > u->by_place && by_place(found - 1, found) == 0)
			found--; /* of several commits */
		for (; found != NULL && found < u->by_place + u->n_places && strcmp((*found)->path, path) == 0; found++)
			if ((*found)->tree == op->tree && ((*found)->flags & OP_FORCED) != 0)
				return true;
		if (op->path[n] == 0)
			return false;
	}
}

/* What is somebody else's by now is not made again what the event left: attributes of the overlay, and the mode with them. */
static void leave_forced(struct undoing *u)
{
	for (size_t i = 0; i < u->deed.moves.n; i++)
		if (u->deed.moves.ops[i].kind == OP_STRIP && lies_in_forced(u, &u->deed.moves.ops[i]))
			u->deed.moves.ops[i].flags |= OP_LEFT;
}

static int leave(struct undoing *u, struct err *e)
{
	int r = u->o->conflicts == CONFLICT_THEIRS ? leave_groups(u) : 1;

	if (u->o->conflicts == CONFLICT_OURS)
		leave_forced(u);
	if (r == 0 && u->ret->left > 0 && u->ret->left < u->ret->done)
		r = leave_old(u);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "nothing was changed: try again", "leave what has changed") : 0;
}

/* --- trees that renaming does not reach: what comes back is copied into the tree first --- */

static bool ident_is_copy(const struct ident *now, const struct ident *of)
{
	return now->mode == of->mode && now->size == of->size && now->mtime_ns == of->mtime_ns;
}

static int bring_near(struct undoing *u, struct op *op)
{
	char name[SLOTS_NAME_MAX], number[12];
	auto_fd int far = build_slots(&u->deed, u->trees, op->tree, true, op->batch);
	auto_fd int near = sys_open_name(u->trees->part[op->tree], slots_name(&u->deed, false, op->batch, name),
					 O_RDONLY | O_DIRECTORY);
	struct look l = { .mount = 0 };
	int r = far < 0 ? far : 0;

	(void)snprintf(number, sizeof number, "%u", op->slot); /* it fits */
	if (r < 0 || op->kind == OP_IN)
		return r;
	r = near < 0 ? near : copy_tree(near, number, far, number);
	if (r == 0)
		r = sys_look(far, number, &l);
	if (r < 0)
		return r;
	/* Of one name, which the commit took out as it was then: the copy is of that. */
	if (!S_ISDIR(l.id.mode) && op->b.nlink == 1 && ident_is_copy(&l.id, &op->b))
		moved_note(&u->moved, MOVED_ON, &op->b, &l.id);
	op->b = l.id;
	return 0;
}

static int bring_all_near(struct undoing *u, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < u->deed.moves.n && r == 0; i++) {
		struct op *op = &u->deed.moves.ops[i];

		if ((op->flags & (OP_FAR | OP_LEFT)) == OP_FAR &&
		    (op->kind == OP_IN || op->kind == OP_OUT || op->kind == OP_SWAP))
			r = bring_near(u, op);
	}
	for (uint32_t i = 0; i < u->trees->n && r == 0; i++) {
		auto_fd int fd = u->trees->far[i] ? sys_open_beneath(u->trees->real[i], "", O_RDONLY | O_DIRECTORY)
						  : -1;

		if (u->trees->far[i])
			r = fd < 0 ? fd : sys_sync_all(fd);
	}
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "free some space, then try again; nothing was changed",
			       "copy what was there before into the tree")
		     : 0;
}

static int drop_far(struct undoing *u, int result)
{
	for (uint32_t i = 0; i < u->n_parts; i++)
		(void)build_drop(&u->deed, u->trees, i, false, true); /* else found by stage_recover() */
	return result;
}

static bool is_all(const struct undoing *u)
{
	for (size_t i = 0; i < u->deed.moves.n; i++)
		if ((u->deed.moves.ops[i].flags & (OP_LEFT | OP_FORCED)) != 0)
			return false;
	return true;
}

static int take_back(struct undoing *u, const struct stage_meta *m, struct err *e)
{
	const struct run run = { .trees = u->trees,
				 .deed = &u->deed,
				 .moved = &u->moved,
				 .fresh = u->n_parts < 2,
				 .backwards = true,
				 .strict = true,
				 .told = NULL };
	const struct finish f = { .stage = u->stage, .trees = u->trees, .deed = &u->deed, .moved = &u->moved };
	int r = allowed_check(&u->deed, u->trees, m, e);

	moved_begin(&u->moved, &u->deed, true);
	if (is_all(u))
		moved_watch(&u->moved, &u->deed);
	r = r < 0 ? r : bring_all_near(u, e);
	r = r < 0 ? r : stop_check(u->o->stopped, u->o->stopped_user, e);
	if (r == 0)
		r = deed_write(u->stage->dir_fd, JOURNAL_NAME, &u->deed, true, e);
	if (r < 0)
		return drop_far(u, r);
	r = run_deed(&run, e);
	if (r == 0)
		r = finish_done(&f, e);
	return r < 0 ? finish_failed(&f, r, e) : 0;
}

static int check_free(const struct stage *s, struct err *e)
{
	__attribute__((cleanup(deed_finish))) struct deed d = { .way = 0 };
	const int r = deed_read(s->dir_fd, JOURNAL_NAME, &d, e);

	if (r == 1)
		return err_set(e, AMBIT_CONFLICT, "let it be finished first (recover)",
			       "a commit or undo of this stage was cut short");
	if (r == 0)
		(void)sys_unlink(s->dir_fd, JOURNAL_NAME, 0); /* torn, as good as none; mostly there is none */
	return r;
}

int stage_undo(const struct stage *s, const struct stage_meta *m, const struct undo_options *o, struct undo_result *ret,
	       struct err *e)
{
	static const struct undo_options none;
	__attribute__((cleanup(trees_finish))) struct trees t = { .n = 0 };
	__attribute__((cleanup(undoing_finish))) struct undoing u = {
		.stage = s, .trees = &t, .o = o != NULL ? o : &none, .ret = ret
	};
	const uint32_t n = deed_count(s->dir_fd);
	int r = check_free(s, e);

	*ret = (struct undo_result){ .done = 0 };
	u.deed.way = DEED_UNDO;
	u.deed.batch = n;
	memcpy(u.deed.event, m->event, sizeof u.deed.event);
	if (r == 0 && n == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit stage list` shows what can be undone",
			       "nothing of it was committed");
	if (r == 0)
		r = trees_open(s, m, &t, e);
	if (r == 0)
		r = load(&u, n, e);
	if (r == 0 && (sort_paths(&u) < 0 || sort_places(&u) < 0))
		r = err_set(e, AMBIT_MEMORY, NULL, "compare with what was committed");
	if (r < 0)
		return r;
	moved_load(&u.moved, s->dir_fd);
	compare_moves(&u);
	compare_dirs(&u);
	r = ret->conflicts > 0 ? 0 : leave(&u, e);
	if (r < 0)
		return r;
	if (ret->left > 0 && ret->left == ret->done)
		ret->conflicts = ret->left; /* nothing else is there to be undone */
	if (ret->conflicts > 0)
		return err_set(e, AMBIT_CONFLICT, "look at what changed there; the changes of the event stay",
			       "cannot undo: %llu name%s changed since the event was committed",
			       (unsigned long long)ret->conflicts, ret->conflicts == 1 ? " was" : "s were");
	ret->done -= ret->left;
	return take_back(&u, m, e);
}
