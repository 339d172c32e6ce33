#include "stage/undo.h"

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
#include "stage/nearby.h"
#include "stage/run.h"

struct undoing {
	const struct stage *stage;
	const struct trees *trees;
	const struct undo_options *o;
	struct undo_result *ret;
	struct deed *parts; /* owned, and each: in them are the paths */
	uint32_t n_parts;
	struct deed deed;    /* owned: all of them in one */
	struct op **by_path; /* owned: its moves, sorted; only of several commits */
};

static void undoing_finish(struct undoing *u)
{
	for (uint32_t i = 0; i < u->n_parts; i++)
		deed_finish(&u->parts[i]);
	free(u->parts);
	free(u->by_path);
	deed_finish(&u->deed);
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

static void tell(struct undoing *u, const struct op *op)
{
	u->ret->conflicts++;
	if (u->o->told != NULL)
		u->o->told(u->o->user, op->tree, op->path);
}

static bool is_inside_same(const struct undoing *u, const struct op *op)
{
	auto_fd int fd = sys_open_beneath(u->trees->real[op->tree], op->path, O_RDONLY | O_DIRECTORY);
	uint64_t hash;

	return fd >= 0 && each_hash(fd, &hash) == 0 && hash == op->hash;
}

static bool is_as_left(const struct undoing *u, const struct op *op, struct nearby *near)
{
	const char *name;
	const int dir = nearby_parent(near, u->trees->real[op->tree], op->path, &name);
	struct look l;
	const int r = dir < 0 ? dir : sys_look(dir, name, &l);

	if (op->kind == OP_OUT)
		return dir >= 0 && r == -ENOENT;
	if (r < 0 || !ident_is_same(&l.id, &op->a, (op->flags & OP_WEAK) != 0))
		return false;
	if (!S_ISDIR(l.id.mode))
		return l.id.mode == op->a.mode;
	return (op->flags & OP_WHOLE) == 0 || is_inside_same(u, op);
}

static void compare_moves(struct undoing *u)
{
	auto_nearby near = NEARBY_NONE;

	for (size_t i = 0; i < u->deed.moves.n; i++) {
		struct op *op = &u->deed.moves.ops[i];

		if (op->kind != OP_IN && op->kind != OP_OUT && op->kind != OP_SWAP)
			continue;
		u->ret->done++;
		if (is_changed_later(u, op))
			op->flags |= OP_WEAK;
		else if (!is_as_left(u, op, &near))
			tell(u, op);
	}
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
			tell(u, op);
	}
}

/* --- trees that renaming does not reach: what comes back is copied into the tree first --- */

static int bring_near(struct undoing *u, struct op *op)
{
	char name[SLOTS_NAME_MAX], number[12];
	auto_fd int far = build_slots(&u->deed, u->trees, op->tree, true, op->batch);
	auto_fd int near = sys_open_name(u->trees->part[op->tree], slots_name(&u->deed, false, op->batch, name),
					 O_RDONLY | O_DIRECTORY);
	struct look l;
	int r = far < 0 ? far : 0;

	(void)snprintf(number, sizeof number, "%u", op->slot); /* it fits */
	if (r < 0 || op->kind == OP_IN)
		return r;
	r = near < 0 ? near : copy_tree(near, number, far, number);
	if (r == 0)
		r = sys_look(far, number, &l);
	if (r == 0)
		op->b = l.id;
	return r;
}

static int bring_all_near(struct undoing *u, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < u->deed.moves.n && r == 0; i++) {
		struct op *op = &u->deed.moves.ops[i];

		if ((op->flags & OP_FAR) != 0 && (op->kind == OP_IN || op->kind == OP_OUT || op->kind == OP_SWAP))
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

static int take_back(struct undoing *u, const struct stage_meta *m, struct err *e)
{
	const struct run run = { .trees = u->trees,
				 .deed = &u->deed,
				 .fresh = u->n_parts < 2,
				 .backwards = true,
				 .strict = true,
				 .told = u->o->told,
				 .user = u->o->user };
	const struct finish f = { .stage = u->stage, .trees = u->trees, .deed = &u->deed };
	int r = allowed_check(&u->deed, u->trees, m, e);

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
	if (r == 0 && sort_paths(&u) < 0)
		r = err_set(e, AMBIT_MEMORY, NULL, "compare with what was committed");
	if (r < 0)
		return r;
	compare_moves(&u);
	compare_dirs(&u);
	if (ret->conflicts > 0)
		return err_set(e, AMBIT_CONFLICT, "look at what changed there; the changes of the event stay",
			       "cannot undo: %llu name%s changed since the event was committed",
			       (unsigned long long)ret->conflicts, ret->conflicts == 1 ? " was" : "s were");
	return take_back(&u, m, e);
}
