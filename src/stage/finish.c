#include "stage/finish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "stage/build.h"
#include "stage/each.h"
#include "stage/nearby.h"
#include "stage/remove.h"
#include "stage/run.h"

#define HINT_AGAIN "the journal is kept: the next command that needs this stage finishes the work"

/* --- what the real tree was left with --- */

static void look_real(const struct finish *f, const struct op *op, struct nearby *near, struct ident *ret)
{
	const char *name;
	const int dir = nearby_parent(near, f->trees->real[op->tree], op->path, &name);
	struct look l;

	*ret = (struct ident){ .ino = 0 };
	if (dir >= 0 && sys_look(dir, name, &l) == 0)
		*ret = l.id;
}

static int by_path(const void *left, const void *right)
{
	const struct op *const x = left, *const y = right;

	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int hash_of(const struct finish *f, const struct op *op, uint64_t *ret)
{
	auto_fd int fd = sys_open_beneath(f->trees->real[op->tree], op->path, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : each_hash(fd, ret);
}

/* What went in at a path, or, where it was taken back, what came back. */
static int row_of(const struct finish *f, const struct op *op, bool back, struct nearby *near, struct op *ret)
{
	*ret = (struct op){ .kind = OP_ROW, .tree = op->tree, .path = op->path };
	look_real(f, op, near, &ret->a);
	if (!ident_is_same(&ret->a, back ? &op->b : &op->a, S_ISDIR(ret->a.mode) || ret->a.nlink > 1) ||
	    (back && (op->flags & OP_OVERRULED) != 0))
		ret->a.ino = 0; /* somebody else's */
	/* A copy is younger than the event, with all that is in it. */
	if (ret->a.ino != 0 && back && (op->flags & OP_FAR) != 0 && S_ISDIR(ret->a.mode))
		return hash_of(f, op, &ret->hash);
	return 0;
}

/* A directory that stays: its mode is what is compared later. */
static int add_dir_row(const struct finish *f, const struct op *op, bool back, struct op_list *ret)
{
	auto_fd int fd = sys_open_beneath(f->trees->real[op->tree], op->path, O_PATH | O_DIRECTORY);
	const struct ident *want = back ? &op->b : &op->a;
	struct op row = { .kind = OP_ROW, .tree = op->tree, .path = op->path };
	struct look l;

	if (op->b.ino == 0 || (back && (op->flags & OP_OVERRULED) != 0) || fd < 0 || sys_look(fd, "", &l) < 0 ||
	    !ident_is(&l.id, want) || l.id.mode != want->mode)
		return 0;
	row.a = l.id;
	return op_add(ret, &row) == NULL ? -ENOMEM : 0;
}

static int rows_of(const struct finish *f, bool back, struct op_list *ret)
{
	auto_nearby near = NEARBY_NONE;

	for (size_t i = 0; i < f->deed->dirs.n; i++)
		if (add_dir_row(f, &f->deed->dirs.ops[i], back, ret) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < f->deed->moves.n; i++) {
		const struct op *op = &f->deed->moves.ops[i];
		struct op row;
		int r;

		if ((op->kind != OP_IN && op->kind != OP_OUT && op->kind != OP_SWAP) || (op->flags & OP_LEFT) != 0)
			continue;
		r = row_of(f, op, back, &near, &row);
		if (r < 0 || op_add(ret, &row) == NULL)
			return r < 0 ? r : -ENOMEM;
	}
	if (ret->n > 1)
		qsort(ret->ops, ret->n, sizeof ret->ops[0], by_path);
	return 0;
}

/* The old rows that have no new one, and the new ones that say something. */
static int join_rows(const struct op_list *old, const struct op_list *new, struct op_list *ret)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct op *row = &old->ops[i];

		if (new->n > 0 && bsearch(row, new->ops, new->n, sizeof *row, by_path) != NULL)
			continue;
		if (op_add(ret, row) == NULL)
			return -ENOMEM;
	}
	for (size_t i = 0; i < new->n; i++)
		if (new->ops[i].a.ino != 0 && op_add(ret, &new->ops[i]) == NULL)
			return -ENOMEM;
	return 0;
}

static int write_baseline(const struct finish *f, bool back, struct err *e)
{
	__attribute__((cleanup(deed_finish))) struct deed old = { .way = 0 }, new = { .way = 0 },
							  all = { .way = DEED_COMMIT };
	int r = deed_read(f->stage->dir_fd, "baseline", &old, e);

	if (r < 0)
		return r;
	r = rows_of(f, back, &new.moves);
	if (r == 0)
		r = join_rows(&old.moves, &new.moves, &all.moves);
	if (r < 0)
		return err_sys(e, AMBIT_MEMORY, -r, NULL, "remember what the stage left in the real tree");
	return deed_replace(f->stage->dir_fd, "baseline", &all, true, e);
}

/* --- what was committed --- */

static void first_of(void *user, struct ident *id)
{
	moved_first(user, id);
}

/* As undo.c looks at it again: what is in it may have been moved in and out before. */
static int hash_by_first(const struct finish *f, const struct op *op, uint64_t *ret)
{
	auto_fd int fd = sys_open_beneath(f->trees->real[op->tree], op->path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	return f->moved->n > 0 ? each_hash_as(fd, first_of, f->moved, ret) : each_hash(fd, ret);
}

/* Of a file with several names each of them changed its time when it went in. */
static void look_at_names(const struct finish *f, struct op *op, struct nearby *near)
{
	struct ident now;

	look_real(f, op, near, &now);
	if (ident_is_same(&now, &op->a, true))
		op->a.ctime_ns = now.ctime_ns;
}

/* What undoing compares with. */
static int describe(const struct finish *f, struct err *e)
{
	auto_nearby near = NEARBY_NONE;

	for (size_t i = 0; i < f->deed->moves.n; i++) {
		struct op *op = &f->deed->moves.ops[i];
		const bool in = (op->kind == OP_IN || op->kind == OP_SWAP) && (op->flags & (OP_LEFT | OP_FORCED)) == 0;
		const int r = in && (op->flags & OP_WHOLE) != 0 ? hash_by_first(f, op, &op->hash) : 0;

		if (r < 0)
			return err_sys(e, AMBIT_SYSTEM, -r, NULL, "look at what was committed");
		if ((op->flags & OP_LEFT) != 0)
			continue; /* as it was described before */
		op->flags &= (uint16_t)~OP_WEAK;
		if (in && !S_ISDIR(op->a.mode) && op->a.nlink > 1)
			look_at_names(f, op, &near);
		if (in && (S_ISDIR(op->a.mode) || op->a.nlink > 1))
			op->flags |= OP_WEAK;
	}
	return 0;
}

/* Of an undo that was turned back: what somebody else changed since is that to the next one, too. */
static int add_done(struct op_list *to, const struct op *op)
{
	struct op done = *op;

	if (op->kind == OP_LEAVE)
		return 0;
	if ((op->flags & OP_FORCED) != 0)
		done.a.ctime_ns = done.a.mtime_ns = 0;
	done.flags &= (uint16_t) ~(OP_LEFT | OP_FORCED);
	return op_add(to, &done) == NULL ? -ENOMEM : 0;
}

static int write_batch(const struct finish *f, uint32_t batch, struct err *e)
{
	__attribute__((
		cleanup(deed_finish))) struct deed d = { .way = DEED_COMMIT, .left = f->deed->left, .batch = batch };
	const struct op_list *from[2] = { &f->deed->dirs, &f->deed->moves };
	struct op_list *to[2] = { &d.dirs, &d.moves };
	char name[24];

	memcpy(d.event, f->deed->event, sizeof d.event);
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < from[i]->n; j++)
			if (from[i]->ops[j].batch == batch && add_done(to[i], &from[i]->ops[j]) < 0)
				return err_set(e, AMBIT_MEMORY, NULL, "write down what was committed");
	deed_name(batch, name);
	return deed_replace(f->stage->dir_fd, name, &d, true, e);
}

static int forget_batches(const struct finish *f, struct err *e)
{
	char name[24];

	for (uint32_t i = f->deed->batch; i-- > 0;) {
		int r;

		deed_name(i, name);
		r = sys_unlink(f->stage->dir_fd, name, 0);
		if (r < 0 && r != -ENOENT)
			return err_sys(e, AMBIT_SYSTEM, -r, HINT_AGAIN, "remove '%s'", name);
	}
	return 0;
}

/* Where the tree is on another file system than the journal, the two are not in order by themselves. */
static int sync_trees(const struct finish *f, struct err *e)
{
	struct look dir, real;

	if (sys_look(f->stage->dir_fd, "", &dir) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "look at the stage");
	for (uint32_t i = 0; i < f->trees->n; i++) {
		auto_fd int fd = -1;
		int r = sys_look(f->trees->real[i], "", &real);

		if (r == 0 && real.id.dev == dir.id.dev)
			continue;
		fd = sys_open_beneath(f->trees->real[i], "", O_RDONLY | O_DIRECTORY);
		if (r == 0)
			r = fd < 0 ? fd : sys_sync_all(fd);
		if (r < 0)
			return err_sys(e, AMBIT_SYSTEM, -r, "look at the health of the file system",
				       "write the tree to disk");
	}
	return 0;
}

/* The slots that are of no use when the journal is gone. They are found again if they cannot be removed now. */
static void drop_slots(const struct finish *f, bool near)
{
	const struct deed *d = f->deed;

	for (uint32_t i = d->way == DEED_UNDO ? 0 : d->batch; i < d->batch + (d->way == DEED_UNDO ? 0 : 1u); i++)
		(void)build_drop(d, f->trees, i, near, true);
}

/* What went in again is described as those know it who look later: with what was recorded just now. */
static void record(const struct finish *f)
{
	moved_save(f->moved, f->stage->dir_fd);
	moved_finish(f->moved);
	moved_load(f->moved, f->stage->dir_fd);
	moved_begin(f->moved, f->deed, true);
}

int finish_done(const struct finish *f, struct err *e)
{
	const bool undo = f->deed->way == DEED_UNDO;
	int r = 0;

	if (!undo && f->moved->notes_in)
		record(f);
	else
		moved_save(f->moved, f->stage->dir_fd);
	if (!undo) {
		r = describe(f, e);
		if (r == 0)
			r = write_batch(f, f->deed->batch, e);
	}
	if (r == 0 && (undo || f->deed->left != 0))
		r = write_baseline(f, undo, e);
	if (r == 0)
		r = sync_trees(f, e);
	if (r == 0 && undo)
		r = forget_batches(f, e);
	if (r < 0)
		return r;
	/* It is done. Whoever finds the journal goes through it once more, to no effect, and needs the slots for that. */
	if (sys_unlink(f->stage->dir_fd, JOURNAL_NAME, 0) == 0)
		drop_slots(f, undo);
	return 0;
}

/* The table of a commit whose journal could not be finished. */
static void forget_batch(const struct finish *f)
{
	char name[24];

	deed_name(f->deed->batch, name);
	(void)sys_unlink(f->stage->dir_fd, name, 0); /* mostly there is none */
}

static int write_batches(const struct finish *f, struct err *e)
{
	int r = describe(f, e);

	for (uint32_t i = 0; i < f->deed->batch && r == 0; i++)
		r = write_batch(f, i, e);
	return r;
}

int finish_back(const struct finish *f, struct err *e)
{
	const bool undo = f->deed->way == DEED_UNDO;
	const struct run run = { .trees = f->trees,
				 .deed = f->deed,
				 .moved = f->moved,
				 .backwards = !undo,
				 .found = f->found,
				 .lenient = true,
				 .told = f->told,
				 .user = f->user };
	struct err other = { .code = AMBIT_OK };
	int result, r;

	if (!f->deed->turned)
		(void)deed_turn(f->stage->dir_fd,
				JOURNAL_NAME); /* else whoever finds it tries once more, and then turns back */
	f->deed->turned = true;
	if (!undo)
		forget_batch(f);
	moved_unwatch(f->moved);
	result = run_deed(&run, e);
	record(f);
	if (result < 0 && result != -AMBIT_CONFLICT)
		return result;
	if (undo)
		r = write_batches(f, &other);
	else
		r = write_baseline(f, true,
				   &other); /* without it, the next commit sees conflicts where there are none */
	if (r == 0 || !undo)
		r = sync_trees(f, &other);
	if (r == 0)
		r = sys_unlink(f->stage->dir_fd, JOURNAL_NAME, 0);
	if (r < 0)
		return err_set(e, AMBIT_SYSTEM, HINT_AGAIN, "turn back what was done: %s", other.msg);
	drop_slots(f, !undo);
	return result;
}

int finish_failed(const struct finish *f, int r, struct err *e)
{
	struct err other = { .code = AMBIT_OK }, first;
	const int back = finish_back(f, &other);

	if (back == 0 || back == -AMBIT_CONFLICT || e == NULL)
		return r;
	first = *e;
	(void)err_why(e, r, "%s%swhat was changed already could not be turned back: %s: %s", first.why,
		      first.why[0] != 0 ? "; and " : "", other.msg, other.why);
	(void)snprintf(
		e->hint, sizeof e->hint,
		"mend that, then `ambit stage recover` turns back the rest; or `ambit discard --force %s` leaves the "
		"tree as it is now",
		f->deed->event);
	return r;
}

/* --- leftovers --- */

/* Whether the name is that of a directory of slots whose commit is not there. */
static bool is_leftover(const struct stage *s, const char *name, const char *prefix, bool always)
{
	const size_t n = strlen(prefix);
	char committed[24];
	struct look l;
	uint32_t batch;

	if (strncmp(name, prefix, n) != 0 || !parse_u32(name + n, 0, UINT32_MAX, &batch))
		return false;
	deed_name(batch, committed);
	return always || sys_look(s->dir_fd, committed, &l) == -ENOENT;
}

static int clean_in(const struct stage *s, int root, const char *prefix, bool always)
{
	const int fd = sys_open_beneath(root, "", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (d == NULL)
		return fd < 0 ? fd : -errno;
	while (r == 0 && (entry = readdir(d)) != NULL)
		if (is_leftover(s, entry->d_name, prefix, always))
			r = remove_tree(root, entry->d_name);
	(void)closedir(d); /* nothing was written */
	return r;
}

static int clean_far(const struct stage *s, const struct trees *t, uint32_t tree, const char *event)
{
	char prefix[STAGE_ID_MAX + 16];
	int r = build_keep_time(t, tree), settled;

	(void)snprintf(prefix, sizeof prefix, ".ambit-%s.", event); /* it fits */
	if (r == 0)
		r = clean_in(s, t->real[tree], prefix, true);
	settled = build_settle_time(t, tree);
	return r < 0 ? r : settled;
}

int finish_clean(const struct stage *s, const struct trees *t, const char *event, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < t->n && r == 0; i++) {
		r = clean_in(s, t->part[i], "undo.", false);
		if (r == 0 && t->far[i])
			r = clean_far(s, t, i, event);
	}
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "nothing depends on it: try again",
			       "remove what is left of a commit")
		     : 0;
}
