#include "stage/conflict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "stage/before.h"
#include "stage/each.h"
#include "stage/run.h"

static int by_row(const void *left, const void *right)
{
	const struct op *const x = left, *const y = right;

	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return strcmp(x->path, y->path);
}

#define SECOND_NS INT64_C(1000000000)

/* The latest moment at which it can have changed. */
static int64_t latest_change(const struct ident *i)
{
	return ident_has_seconds(i) ? i->ctime_ns + SECOND_NS - 1 : i->ctime_ns;
}

int64_t conflicts_t0(const struct stage_meta *m, const struct look *upper)
{
	const int64_t started = (int64_t)m->started_ns; /* later than the birth where a cell waited for its program */

	return 1 + (upper->id.btime_ns > started ? upper->id.btime_ns : started);
}

struct late {
	struct moved moved;
	struct before before; /* of the tree */
	int stage_fd;         /* the stage's */
	bool loaded;          /* moved */
};

/* Mostly nothing has changed, and nobody asks. */
static const struct moved *moved_of(const struct conflicts *c)
{
	if (!c->late->loaded)
		moved_load(&c->late->moved, c->late->stage_fd);
	c->late->loaded = true;
	return &c->late->moved;
}

void conflicts_finish(struct conflicts *c)
{
	deed_finish(&c->rows);
	if (c->late != NULL) {
		moved_finish(&c->late->moved);
		before_finish(&c->late->before);
	}
	free(c->late);
	c->late = NULL;
}

int conflicts_load(const struct stage *s, const struct stage_meta *m, struct conflicts *ret, struct err *e)
{
	const int r = deed_read(s->dir_fd, "baseline", &ret->rows, e);
	const struct op_list *l = &ret->rows.moves;

	ret->ended_ns = m->ended_ns;
	ret->late = calloc(1, sizeof *ret->late);
	if (ret->late == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look for conflicts");
	ret->late->stage_fd = s->dir_fd;
	if (r > 0 && l->n > 1)
		qsort(l->ops, l->n, sizeof l->ops[0], by_row);
	return r < 0 ? r : 0;
}

static const struct op *row_of(const struct conflicts *c, const char *path)
{
	const struct op want = { .tree = c->tree, .path = path };

	if (c->rows.moves.n == 0)
		return NULL;
	return bsearch(&want, c->rows.moves.ops, c->rows.moves.n, sizeof want, by_row);
}

static const char changed_inside[] = "something in it changed in the real tree since the event started";
static const char unseen[] = "something that the event could not see is there";
static const char unseen_inside[] = "something that the event could not see is in it";

static bool is_hidden(const struct conflicts *c, const char *path)
{
	return c->calls->is_hidden != NULL && c->calls->is_hidden(c->calls->user, c->tree, path);
}

static bool is_named(const struct conflicts *c, const char *path)
{
	return c->calls->is_named != NULL && c->calls->is_named(c->calls->user, c->tree, path);
}

static bool is_as_left(const struct op *row, const struct ident *real)
{
	if (row->a.ino != real->ino || row->a.dev != real->dev || row->a.mode != real->mode)
		return false;
	/* What is in a directory is compared one by one. */
	return S_ISDIR(real->mode) || (row->a.ctime_ns == real->ctime_ns && row->a.size == real->size);
}

static bool is_changed(const struct conflicts *c, const char *path, const struct ident *real, int64_t since_ns)
{
	const struct op *row = row_of(c, path);

	if (row != NULL)
		return !is_as_left(row, real) &&
		       !(row->a.mode == real->mode && moved_is_same(moved_of(c), &row->a, real));
	return latest_change(real) >= since_ns &&
	       !moved_was_there(moved_of(c), real, c->t0_ns, c->ended_ns, latest_change);
}

void conflicts_next(const struct conflicts *c)
{
	before_finish(&c->late->before);
}

bool conflicts_is_other(const struct conflicts *c, const char *path, const struct ident *real)
{
	const struct op *row = row_of(c, path);
	const struct scan_dir *was;

	if (row != NULL)
		return row->a.ino != real->ino || row->a.dev != real->dev;
	if (latest_change(real) < c->t0_ns)
		return false; /* taking the name would have changed it */
	was = before_find(&c->late->before, c->late->stage_fd, c->tree, path);
	return was != NULL ? was->ino != real->ino : real->btime_ns < c->t0_ns;
}

struct inside {
	const struct conflicts *c;
	struct plan_entry *x;
	bool known; /* it is as the engine left it, with all in it */
	bool named; /* and what is hidden in it may go */
};

static bool is_final(const struct plan_entry *x)
{
	return x->held == HELD_HIDDEN || x->held == HELD_REFUSED;
}

static int look_inside(void *user, int dir_fd, const char *path, const char *name, const struct look *l)
{
	const struct inside *in = user;
	char full[CHANGE_PATH_MAX];

	(void)dir_fd;
	(void)name;
	if (snprintf(full, sizeof full, "%s/%s", in->x->path, path) >= (int)sizeof full)
		return -ENAMETOOLONG;
	if (l->is_mount)
		plan_hold(in->x, HELD_REFUSED, CONFLICT_MOUNTED);
	else if (!in->named && is_hidden(in->c, full))
		plan_hold(in->x, HELD_HIDDEN, unseen_inside);
	else if (!in->known && is_changed(in->c, full, &l->id, in->c->t0_ns))
		plan_hold(in->x, HELD_CONFLICT, changed_inside);
	return is_final(in->x) ? 1 : 0;
}

static bool is_inside_as_left(const struct op *row, int fd)
{
	uint64_t hash;

	return row != NULL && row->hash != 0 && each_hash(fd, &hash) == 0 && hash == row->hash;
}

/* The entry loses a whole directory of the real tree. */
static int check_inside(const struct conflicts *c, struct plan_entry *x, int dir_fd, const char *name)
{
	auto_fd int fd = sys_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY);
	struct inside in = { .c = c,
			     .x = x,
			     .known = fd >= 0 && is_inside_as_left(row_of(c, x->path), fd),
			     .named = is_named(c, x->path) };
	const int r = fd < 0 ? fd : each_beneath(fd, look_inside, &in);

	if (r == -ENAMETOOLONG)
		plan_hold(x, HELD_REFUSED, "what lies in it is too deep to be looked at");
	else if (r == -EACCES)
		plan_hold(x, HELD_REFUSED, "what lies in it may not be looked at");
	else if (r == -EXDEV)
		plan_hold(x, HELD_REFUSED, CONFLICT_MOUNTED);
	else if (r == -ENOENT || r == -ENOTDIR)
		plan_hold(x, HELD_CONFLICT, changed_inside); /* just now */
	else if (r < 0)
		return r;
	return 0;
}

int conflicts_check(const struct conflicts *c, struct plan_entry *x, int dir_fd, const char *name,
		    const struct look *real, int64_t since_ns, bool loses)
{
	if (real->is_mount)
		plan_hold(x, HELD_REFUSED, CONFLICT_MOUNTED);
	if (loses && is_hidden(c, x->path))
		plan_hold(x, HELD_HIDDEN, unseen);
	if (is_changed(c, x->path, &real->id, since_ns))
		plan_hold(x, HELD_CONFLICT, CONFLICT_CHANGED);
	return loses && S_ISDIR(real->id.mode) && !is_final(x) ? check_inside(c, x, dir_fd, name) : 0;
}
