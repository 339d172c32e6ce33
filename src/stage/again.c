#include "stage/again.h"

#include <errno.h>
#include <sys/stat.h>

#include "stage/conflict.h"
#include "stage/nearby.h"
#include "stage/run.h"

struct again {
	const struct stage_meta *m;
	const struct trees *trees;
	struct plan *p;
	struct conflicts conflicts;
	struct nearby dir; /* in the real tree */
};

static void again_finish(struct again *a)
{
	nearby_finish(&a->dir);
	conflicts_finish(&a->conflicts);
}

static bool is_as_found(const struct plan_entry *x, const struct ident *now)
{
	return x->old.ino == 0 ? now->ino == 0 : ident_is_same(now, &x->old, false);
}

/* A directory that stays. */
static bool stays(const struct plan_entry *x)
{
	return x->act == ACT_NONE && S_ISDIR(x->old.mode) && x->parent != PLAN_NONE;
}

/* What will be done to it, or in it, where something is done in a directory that stays. */
static bool is_of_concern(const struct again *a, const struct plan_entry *x)
{
	if (x->act == ACT_NONE)
		return x->kind != 0 || stays(x);
	return x->act != ACT_DROP && x->parent != PLAN_NONE && a->p->entries[x->parent].act == ACT_NONE;
}

/* A directory that is gone, or is none any more, has nothing in it. */
static int look_at(struct again *a, const struct plan_entry *x, const char **ret_name, struct look *ret)
{
	const int fd = nearby_parent(&a->dir, a->trees->real[x->tree], x->path, ret_name);
	const int r = fd < 0 ? fd : sys_look(fd, *ret_name, ret);

	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV) {
		*ret = (struct look){ .mount = 0 };
		return 0;
	}
	return r;
}

static int look_again(struct again *a, struct plan_entry *x)
{
	struct conflicts *c = &a->conflicts;
	const char *name;
	struct look now;
	const int r = look_at(a, x, &name, &now);

	if (r < 0)
		return r;
	if (stays(x) && now.id.ino != x->old.ino) {
		plan_hold(x, HELD_CONFLICT, CONFLICT_OTHER);
		x->kind = CHANGE_MODE; /* so that it is told */
	} else if ((x->act != ACT_NONE || x->kind != 0) && !is_as_found(x, &now.id))
		plan_hold(x, HELD_CONFLICT, CONFLICT_CHANGED);
	else if ((x->act == ACT_OUT || x->act == ACT_SWAP) && S_ISDIR(now.id.mode))
		return conflicts_check(c, x, a->dir.fd, name, &now, c->t0_ns, true);
	return 0;
}

/* Where the entries of a tree begin. */
static int begin_tree(struct again *a, uint16_t tree)
{
	struct look upper;
	const int r = sys_look(a->trees->upper[tree], "", &upper);

	a->conflicts.tree = tree;
	a->conflicts.t0_ns = conflicts_t0(a->m, &upper);
	return r;
}

int again_look(const struct stage *s, const struct stage_meta *m, const struct trees *t, const struct walk_calls *calls,
	       struct plan *p, struct err *e)
{
	static const struct walk_calls none;
	__attribute__((cleanup(again_finish))) struct again a = { .m = m, .trees = t, .p = p, .dir = NEARBY_NONE };
	int r;

	a.conflicts.calls = calls != NULL ? calls : &none;
	r = conflicts_load(s, m, &a.conflicts, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->n && r == 0; i++) {
		struct plan_entry *x = &p->entries[i];

		if (x->parent == PLAN_NONE)
			r = begin_tree(&a, x->tree);
		if (r == 0 && is_of_concern(&a, x))
			r = look_again(&a, x);
	}
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "the stage is kept and nothing was changed: try again",
			       "look once more at the real tree")
		     : 0;
}
