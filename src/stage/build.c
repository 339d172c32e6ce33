#include "stage/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "stage/copy.h"
#include "stage/remove.h"
#include "stage/run.h"
#include "stage/xattr.h"

/* What is found out about each entry. */
struct note {
	bool whole;   /* it can move with all that is in it */
	bool along;   /* it moves with a directory above it */
	bool touched; /* of a directory that stays: something in it changes */
	uint32_t slot;
	struct ident made; /* the directory that was made in its slot */
};

struct maker {
	const struct build *b;
	struct note *notes; /* owned; one for each entry */
	uint32_t slots;
};

/* --- slots --- */

/* The time is the text of a link in the stage, which is made in one step. */
#define TIME_NAME "root-time"

int build_keep_time(const struct trees *t, uint32_t tree)
{
	char text[24];
	struct look l;
	int r = sys_look(t->real[tree], "", &l);

	if (r < 0)
		return r;
	(void)snprintf(text, sizeof text, "%lld", (long long)l.id.mtime_ns); /* it fits */
	r = sys_symlink(text, t->part[tree], TIME_NAME);
	return r == -EEXIST ? 0 : r;
}

int build_settle_time(const struct trees *t, uint32_t tree)
{
	char text[24] = "";
	const ssize_t n = readlinkat(t->part[tree], TIME_NAME, text, sizeof text - 1);
	int r;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	r = sys_mtime_of_any(t->real[tree], ".", strtoll(text, NULL, 10)); /* our own text */
	return r < 0 ? r : sys_unlink(t->part[tree], TIME_NAME, 0);
}

static int make_far(const struct trees *t, uint16_t tree, const char *name)
{
	int r = build_keep_time(t, tree), settled;

	if (r == 0)
		r = sys_mkdir(t->real[tree], name, 0700);
	settled = build_settle_time(t, tree);
	return r < 0 ? r : settled;
}

int build_slots(const struct deed *d, const struct trees *t, uint16_t tree, bool far, uint32_t batch)
{
	const int root = far ? t->real[tree] : t->part[tree];
	char name[SLOTS_NAME_MAX];
	const int fd = sys_open_name(root, slots_name(d, far, batch, name), O_RDONLY | O_DIRECTORY);
	int r;

	if (fd != -ENOENT)
		return fd;
	r = far ? make_far(t, tree, name) : sys_mkdir(root, name, 0700);
	return r < 0 ? r : sys_open_name(root, name, O_RDONLY | O_DIRECTORY);
}

static int drop_one(const struct deed *d, const struct trees *t, uint32_t tree, bool far, uint32_t batch)
{
	const int root = far ? t->real[tree] : t->part[tree];
	char name[SLOTS_NAME_MAX];
	struct look l;
	int r = sys_look(root, slots_name(d, far, batch, name), &l), settled;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = far ? build_keep_time(t, tree) : 0;
	if (r == 0)
		r = remove_tree(root, name);
	settled = far ? build_settle_time(t, tree) : 0;
	return r < 0 ? r : settled;
}

int build_drop(const struct deed *d, const struct trees *t, uint32_t batch, bool near, bool far)
{
	int result = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		const int a = near ? drop_one(d, t, i, false, batch) : 0;
		const int b = far ? drop_one(d, t, i, true, batch) : 0;

		if (result == 0)
			result = a < 0 ? a : b;
	}
	return result;
}

static bool is_far(const struct maker *m, const struct plan_entry *x)
{
	return m->b->trees->far[x->tree];
}

static bool copies(const struct maker *m, const struct plan_entry *x)
{
	return m->b->copy || is_far(m, x);
}

static bool is_dir(const struct plan_entry *x)
{
	return S_ISDIR(x->act == ACT_OUT ? x->old.mode : x->new.mode);
}

/* Opens a directory of slots, and says the name of the entry's. */
static int slot_place(struct maker *m, const struct plan_entry *x, struct note *n, bool far, char name[12])
{
	if (n->slot == 0)
		n->slot = ++m->slots;
	(void)snprintf(name, 12, "%u", n->slot); /* it fits */
	return build_slots(m->b->deed, m->b->trees, x->tree, far, m->b->deed->batch);
}

/* Copies the entry's object, from upper or from the real tree, into its slot. */
static int fill_slot(struct maker *m, const struct plan_entry *x, struct note *n, bool far, bool of_real,
		     struct ident *ret)
{
	const struct trees *t = m->b->trees;
	const char *name;
	char number[12];
	struct look l;
	auto_fd int slots = slot_place(m, x, n, far, number);
	auto_fd int from = sys_open_parent(of_real ? t->real[x->tree] : t->upper[x->tree], x->path, &name);
	int r = slots < 0 ? slots : from < 0 ? from : 0;

	/* of a living event: what was found and judged, and nothing else */
	if (r == 0 && !of_real)
		r = sys_look(from, name, &l);
	if (r == 0 && !of_real && (!ident_is(&l.id, &x->new) || l.id.mode != x->new.mode))
		r = -EAGAIN;
	if (r == 0)
		r = of_real ? copy_tree(from, name, slots, number) : copy_one(from, name, slots, number);
	if (r == 0)
		r = sys_look(slots, number, &l);
	if (r == 0)
		*ret = l.id;
	return r;
}

/* Another name of a file whose copy is in a slot already. */
static int link_slot(struct maker *m, const struct plan_entry *x, struct note *n, const struct note *first,
		     struct ident *ret)
{
	char number[12], other[12];
	struct look l;
	auto_fd int slots = slot_place(m, x, n, is_far(m, x), number);
	int r = slots;

	(void)snprintf(other, sizeof other, "%u", first->slot); /* it fits */
	if (r >= 0)
		r = sys_link(slots, other, slots, number);
	if (r >= 0)
		r = sys_look(slots, number, &l);
	if (r >= 0)
		*ret = l.id;
	return r;
}

/* The attributes that a directory has now, on a directory of their own. */
static int keep_xattr(struct maker *m, const struct plan_entry *x, struct note *n)
{
	char number[12];
	auto_fd int slots = slot_place(m, x, n, false, number), real = -1, fd = -1;
	int r = slots < 0 ? slots : sys_mkdir(slots, number, 0700);

	if (r < 0)
		return r;
	fd = sys_open_name(slots, number, O_RDONLY | O_DIRECTORY);
	real = sys_open_beneath(m->b->trees->real[x->tree], x->path, O_RDONLY | O_DIRECTORY);
	return fd < 0 || real < 0 ? (fd < 0 ? fd : real) : xattr_copy(real, fd);
}

/* --- which operations --- */

static struct op op_of(const struct maker *m, const struct plan_entry *x, enum op_kind kind)
{
	return (struct op){ .kind = (uint8_t)kind,
			    .flags = x->held == HELD_CONFLICT ? OP_OVERRULED : 0,
			    .tree = x->tree,
			    .batch = m->b->deed->batch,
			    .a = x->new,
			    .b = x->old,
			    .path = x->path };
}

/* On an overlay, moving a file of a lower layer, or a name in a directory of one, makes another one with a birth of its own. */
static void forget_births(const struct maker *m, struct op *op)
{
	if (!m->b->trees->births[op->tree])
		op->a.btime_ns = op->b.btime_ns = 0;
}

static int add_move(struct maker *m, struct op op)
{
	forget_births(m, &op);
	return op_add(&m->b->deed->moves, &op) == NULL ? -ENOMEM : 0;
}

/* From the last entry to the first: a directory is whole if all that is in it is. */
static void find_whole(struct maker *m)
{
	const struct plan *p = m->b->plan;

	for (size_t i = 0; i < p->n; i++)
		m->notes[i].whole = p->entries[i].chosen && !(is_dir(&p->entries[i]) && copies(m, &p->entries[i]));
	for (size_t i = p->n; i-- > 0;)
		if (!m->notes[i].whole && p->entries[i].parent != PLAN_NONE)
			m->notes[p->entries[i].parent].whole = false;
	for (size_t i = 0; i < p->n; i++) {
		const uint32_t up = p->entries[i].parent;

		if (up != PLAN_NONE && p->entries[up].act != ACT_NONE)
			m->notes[i].along = m->notes[up].along || m->notes[up].whole;
	}
}

/* What goes along must be without the overlay's marks. */
static int add_strip(struct maker *m, const struct plan_entry *x)
{
	struct op op = op_of(m, x, x->act == ACT_DROP ? OP_DROP : OP_STRIP);

	if (x->act != ACT_DROP && (x->flags & PLAN_STRIP) == 0)
		return 0;
	op.flags |= (x->flags & PLAN_ORIGIN) != 0 ? OP_ORIGIN : 0;
	return add_move(m, op);
}

static int add_strips(struct maker *m)
{
	const struct plan *p = m->b->plan;
	int r = 0;

	for (size_t i = 0; i < p->n && r == 0; i++) {
		const struct plan_entry *x = &p->entries[i];
		const bool moves = x->act == ACT_IN || x->act == ACT_SWAP;
		const bool own = x->chosen && moves && !copies(m, x) && m->notes[i].whole;

		if (m->notes[i].along || own)
			r = add_strip(m, x);
		if (x->act == ACT_DROP && m->notes[i].along)
			m->notes[x->parent].touched = true;
	}
	return r;
}

/* --- opaque directories of which only a part is taken --- */

static bool has_chosen(const struct plan *p, uint32_t dir)
{
	for (size_t i = dir + 1; i < p->n && plan_is_beneath(&p->entries[dir], &p->entries[i]); i++)
		if (p->entries[i].parent == dir && p->entries[i].chosen && p->entries[i].act != ACT_NONE)
			return true;
	return false;
}

static int add_covers(struct maker *m, uint32_t dir)
{
	const struct plan *p = m->b->plan;
	int r = 0;

	for (size_t i = dir + 1; i < p->n && plan_is_beneath(&p->entries[dir], &p->entries[i]) && r == 0; i++) {
		struct plan_entry *x = &p->entries[i];

		if (x->parent != dir || x->act != ACT_OUT || (x->flags & PLAN_WHITEOUT) != 0)
			continue;
		x->flags |= PLAN_WHITEOUT;
		r = add_move(m, op_of(m, x, OP_COVER));
	}
	return r;
}

static int spell_out(struct maker *m)
{
	const struct plan *p = m->b->plan;
	int r = 0;

	for (uint32_t i = 0; i < p->n && r == 0; i++) {
		const struct plan_entry *x = &p->entries[i];

		if (x->act != ACT_NONE || (x->flags & PLAN_OPAQUE) == 0 || copies(m, x) || !has_chosen(p, i))
			continue;
		r = add_covers(m, i);
		if (r == 0)
			r = add_move(m, op_of(m, x, OP_UNOPAQUE));
	}
	return r;
}

/* --- moves --- */

static int add_out(struct maker *m, const struct plan_entry *x, struct note *n)
{
	struct op op = op_of(m, x, OP_OUT);
	const bool slot = copies(m, x) || m->b->partial;
	int r = 0;

	op.flags |= (uint16_t)((x->flags & PLAN_WHITEOUT) != 0 && !copies(m, x) ? OP_WHITEOUT : 0);
	if (slot) {
		char number[12];
		auto_fd int fd = slot_place(m, x, n, is_far(m, x), number);

		op.flags |= (uint16_t)(OP_SLOT | (is_far(m, x) ? OP_FAR : 0));
		op.slot = n->slot;
		r = fd < 0 ? fd : 0;
	}
	if (r == 0 && is_far(m, x))
		r = fill_slot(m, x, n, false, true, &(struct ident){ .ino = 0 });
	return r < 0 ? r : add_move(m, op);
}

/* A new object by way of its slot. */
static int add_in_slot(struct maker *m, const struct plan_entry *x, struct note *n)
{
	const struct note *first = x->link != PLAN_NONE ? &m->notes[x->link] : NULL;
	struct op op = op_of(m, x, x->act == ACT_SWAP ? OP_SWAP : OP_IN);
	struct op unopaque = op_of(m, x, OP_UNOPAQUE);
	int r;

	if (first != NULL && first->slot != 0)
		r = link_slot(m, x, n, first, &op.a);
	else
		r = fill_slot(m, x, n, is_far(m, x), false, &op.a);
	if (r == 0 && is_far(m, x) && x->act == ACT_SWAP)
		r = fill_slot(m, x, n, false, true, &(struct ident){ .ino = 0 });
	op.slot = n->slot;
	op.flags |= (uint16_t)(OP_SLOT | (is_far(m, x) ? OP_FAR : 0));
	n->made = op.a;
	if (r == 0 && is_far(m, x) && !m->b->copy && !is_dir(x) && m->b->moved != NULL)
		moved_note(m->b->moved, MOVED_ON, &x->new, &op.a);
	if (r == 0)
		r = add_move(m, op);
	if (r == 0 && is_dir(x) && !m->b->copy && (x->flags & PLAN_OPAQUE) != 0)
		r = add_move(m, unopaque);
	return r;
}

static int add_in(struct maker *m, const struct plan_entry *x, struct note *n)
{
	struct op op = op_of(m, x, x->act == ACT_SWAP ? OP_SWAP : OP_IN);
	int r;

	if (copies(m, x) || !n->whole)
		return add_in_slot(m, x, n);
	if (is_dir(x))
		op.flags |= OP_WHOLE;
	r = add_move(m, op);
	if (r == 0 && x->act == ACT_SWAP && m->b->partial) {
		char number[12];
		auto_fd int fd = slot_place(m, x, n, false, number);

		op.kind = OP_STOW;
		op.slot = n->slot;
		r = fd < 0 ? fd : add_move(m, op);
	}
	return r;
}

static void weaken(struct op *op)
{
	if (op->b.nlink > 1 && !S_ISDIR(op->b.mode))
		op->flags |= OP_WEAK; /* moving one name changes the others' time of change */
}

static int add_moves(struct maker *m, const struct plan_entry **ret_at)
{
	const struct plan *p = m->b->plan;
	int r = 0;

	for (size_t i = 0; i < p->n && r == 0; i++) {
		const struct plan_entry *x = &p->entries[i];

		if (!x->chosen || m->notes[i].along || x->act == ACT_NONE || x->act == ACT_DROP)
			continue;
		*ret_at = x;
		if (copies(m, x) && m->b->stopped != NULL && m->b->stopped(m->b->stopped_user))
			return -ECANCELED;
		if (x->parent != PLAN_NONE)
			m->notes[x->parent].touched = true;
		r = x->act == ACT_OUT ? add_out(m, x, &m->notes[i]) : add_in(m, x, &m->notes[i]);
	}
	for (size_t i = 0; i < m->b->deed->moves.n; i++)
		weaken(&m->b->deed->moves.ops[i]);
	return r;
}

/* --- directories --- */

static int add_dir(struct maker *m, struct op op)
{
	if (m->b->copy)
		op.flags |= OP_NO_UPPER;
	forget_births(m, &op);
	return op_add(&m->b->deed->dirs, &op) == NULL ? -ENOMEM : 0;
}

/* A directory that stays: its time is set where the event had it differ, also where nothing in it is listed. */
static int add_merged(struct maker *m, const struct plan_entry *x, struct note *n)
{
	const bool times = !m->b->partial && x->new.mtime_ns != x->old.mtime_ns && x->held == HELD_NOT;
	const bool mode = x->chosen && x->kind == CHANGE_MODE;
	struct op op = op_of(m, x, OP_DIR);
	int r = 0;

	if (!n->touched && !times && !mode && !(is_far(m, x) && x->path[0] == 0))
		return 0;
	op.hash = x->new.mode;
	op.a = x->old;
	op.a.mtime_ns = x->new.mtime_ns;
	if (mode)
		op.a.mode = x->new.mode;
	if (mode && (x->flags & PLAN_XATTR) != 0) {
		op.flags |= OP_XATTR;
		r = keep_xattr(m, x, n);
	}
	op.slot = n->slot;
	return r < 0 ? r : add_dir(m, op);
}

static int add_new(struct maker *m, const struct plan_entry *x, const struct note *n)
{
	struct op op = op_of(m, x, OP_DIR);

	op.hash = x->new.mode;
	op.b = (struct ident){ .ino = 0 };
	if (n->made.ino != 0) { /* made, and filled one by one */
		op.a.ino = n->made.ino;
		op.a.dev = n->made.dev;
	} else if (n->touched || (x->new.mode & 0700) != 0700) {
		op.flags |= OP_STAGED;
	} else {
		return 0;
	}
	return add_dir(m, op);
}

static int add_dirs(struct maker *m)
{
	const struct plan *p = m->b->plan;
	int r = 0;

	for (size_t i = 0; i < p->n && r == 0; i++) {
		const struct plan_entry *x = &p->entries[i];

		if (x->act == ACT_NONE && S_ISDIR(x->new.mode))
			r = add_merged(m, x, &m->notes[i]);
		else if ((x->act == ACT_IN || x->act == ACT_SWAP) && S_ISDIR(x->new.mode) && x->chosen)
			r = add_new(m, x, &m->notes[i]);
	}
	return r;
}

#define SHOWN_MAX 300 /* of a path in a sentence */

static const char *hint_of(int r)
{
	if (r == -EROFS)
		return "nothing was changed; mount it for writing, then try again";
	if (r == -ENOSPC || r == -EDQUOT)
		return "free some space there, then try again; nothing was changed";
	if (r == -EACCES || r == -EPERM)
		return "nothing was changed; look at who may write there";
	return "nothing was changed: try again";
}

/* The path in full; of no entry, "". */
static const char *shown(const struct build *b, const struct plan_entry *x, char room[SHOWN_MAX])
{
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX] = "";

	if (x != NULL)
		(void)snprintf(path, sizeof path, "%s/%s",
			       strcmp(b->meta->trees[x->tree].real, "/") == 0 ? "" : b->meta->trees[x->tree].real,
			       x->path);
	return text_escape(room, SHOWN_MAX, path, strlen(path));
}

static int failed(const struct build *b, const struct plan_entry *x, int r, struct err *e)
{
	const bool full = r == -ENOSPC || r == -EDQUOT;
	char path[SHOWN_MAX];

	(void)shown(b, x, path);
	if (r == -ECANCELED)
		return stop_check(b->stopped, b->stopped_user, e);
	if (r == -EAGAIN)
		return err_set(e, AMBIT_CONFLICT, "try again when the event has done with it",
			       "%s is still being written", path);
	if (full && x != NULL && b->trees->far[x->tree])
		return err_sys(e, AMBIT_SYSTEM, -r, hint_of(r), "no room for %s on the file system of %s", path,
			       b->meta->trees[x->tree].real);
	if (r == -EROFS && x != NULL) /* what goes in is copied there first, and nothing else is written */
		return err_sys(e, AMBIT_SYSTEM, -r, hint_of(r), "cannot write in %s", b->meta->trees[x->tree].real);
	if (x == NULL)
		return err_sys(e, r == -ENOMEM ? AMBIT_MEMORY : AMBIT_SYSTEM, -r, hint_of(r),
			       "cannot make the commit ready");
	return err_sys(e, r == -ENOMEM ? AMBIT_MEMORY : AMBIT_SYSTEM, -r, hint_of(r),
		       "cannot make the commit of %s ready", path);
}

int build_deed(const struct build *b, struct err *e)
{
	auto_free struct note *notes = calloc(b->plan->n + 1, sizeof notes[0]);
	struct maker m = { .b = b, .notes = notes };
	const struct plan_entry *at = NULL;
	int r = notes == NULL ? -ENOMEM : 0;

	if (r == 0) {
		find_whole(&m);
		r = b->partial ? spell_out(&m) : 0;
	}
	if (r == 0)
		r = add_strips(&m);
	if (r == 0)
		r = add_moves(&m, &at);
	if (r == 0)
		r = add_dirs(&m);
	return r < 0 ? failed(b, at, r, e) : 0;
}
