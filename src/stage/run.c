#include "stage/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/text.h"
#include "stage/nearby.h"
#include "stage/xattr.h"

struct work {
	const struct run *r;
	struct nearby upper, slots; /* in the stage, where nobody else works */
	struct ident kept;          /* what was moved last, and known as what it was; ino 0: nothing */
};

/* Where an object is, or should be. */
struct place {
	int fd;
	const char *name;
	char number[12];
};

/* ext4 gives the number of a file that was removed to the next one that is made; no program can set a birth. */
static bool is_born_as(const struct ident *now, const struct ident *id)
{
	return now->btime_ns == id->btime_ns || now->btime_ns == 0 || id->btime_ns == 0;
}

bool ident_is(const struct ident *now, const struct ident *id)
{
	return now->ino != 0 && now->ino == id->ino && now->dev == id->dev && is_born_as(now, id) &&
	       ((now->mode ^ id->mode) & S_IFMT) == 0;
}

bool ident_is_same(const struct ident *now, const struct ident *id, bool weak)
{
	if (!ident_is(now, id))
		return false;
	if (weak)
		return S_ISDIR(now->mode) || (now->mtime_ns == id->mtime_ns && now->size == id->size);
	return now->ctime_ns == id->ctime_ns && now->mtime_ns == id->mtime_ns && now->size == id->size;
}

bool ident_has_seconds(const struct ident *id)
{
	return id->btime_ns == 0 && id->ctime_ns % INT64_C(1000000000) == 0;
}

const char *slots_name(const struct deed *d, bool far, uint32_t batch, char room[SLOTS_NAME_MAX])
{
	if (far)
		(void)snprintf(room, SLOTS_NAME_MAX, ".ambit-%s.%u", d->event, batch); /* it fits */
	else
		(void)snprintf(room, SLOTS_NAME_MAX, "undo.%u", batch); /* likewise */
	return room;
}

static int in_upper(struct work *w, const struct op *op, struct place *ret)
{
	ret->fd = nearby_parent(&w->upper, w->r->trees->upper[op->tree], op->path, &ret->name);
	return ret->fd < 0 ? ret->fd : 0;
}

static int in_slot(struct work *w, const struct op *op, bool far, struct place *ret)
{
	const struct trees *t = w->r->trees;
	char name[SLOTS_NAME_MAX];

	(void)slots_name(w->r->deed, far, op->batch, name);
	ret->fd = nearby_open(&w->slots, far ? t->real[op->tree] : t->part[op->tree], name);
	(void)snprintf(ret->number, sizeof ret->number, "%u", op->slot); /* it fits */
	ret->name = ret->number;
	return ret->fd < 0 ? ret->fd : 0;
}

static int in_stage(struct work *w, const struct op *op, struct place *ret)
{
	return (op->flags & OP_SLOT) != 0 ? in_slot(w, op, (op->flags & OP_FAR) != 0, ret) : in_upper(w, op, ret);
}

/* What is there: ino 0 for nothing. */
static int look_at(const struct place *p, struct look *ret)
{
	const int r = sys_look(p->fd, p->name, ret);

	if (r == -ENOENT)
		*ret = (struct look){ .mount = 0 };
	return r == -ENOENT ? 0 : r;
}

/* Somebody else was there. */
static int stale_if(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV || r == -EEXIST || r == -EBUSY ? -ESTALE : r;
}

/* --- moves between the real tree and the stage --- */

struct both {
	struct place real, stage;
	struct look in_real, in_stage;
};

static int look_both(struct both *b)
{
	int r = 0;

	if (b->real.fd < 0)
		b->in_real = (struct look){ .mount = 0 };
	else
		r = look_at(&b->real, &b->in_real);
	return r < 0 ? r : look_at(&b->stage, &b->in_stage);
}

static int whiteout_make(struct work *w, const struct op *op)
{
	struct place at;
	int r = (op->flags & OP_WHITEOUT) != 0 ? in_upper(w, op, &at) : 1;

	if (r == 0)
		r = sys_node(at.fd, at.name, S_IFCHR);
	return r > 0 || r == -EEXIST ? 0 : r;
}

static int whiteout_remove(struct work *w, const struct op *op)
{
	struct place at;
	struct look l;
	int r = (op->flags & OP_WHITEOUT) != 0 ? in_upper(w, op, &at) : 1;

	if (r == 0)
		r = look_at(&at, &l);
	if (r == 0 && l.id.ino != 0 && l.is_whiteout)
		r = sys_unlink(at.fd, at.name, 0);
	return r > 0 ? 0 : r;
}

/* On an overlay what is moved may have another birth each time. */
static void note(struct work *w, const struct op *op, enum moved_kind kind, const struct ident *before,
		 const struct place *at)
{
	struct ident from = *before;
	struct look now;

	if (w->r->moved == NULL || sys_look(at->fd, at->name, &now) < 0)
		return;
	if (!w->r->trees->births[op->tree])
		from.btime_ns = now.id.btime_ns = 0;
	if (ident_is_same(&now.id, &from, true) && now.id.mtime_ns == from.mtime_ns && now.id.mode == from.mode)
		moved_note(w->r->moved, kind, &from, &now.id);
}

/* Nobody else takes anything out of the stage: what it does not hold any more went in, and what it holds came out. That is so also
 * where a later operation, or somebody else, went on from there. */
static int move_in(struct work *w, const struct op *op, const struct ident *in, struct both *b)
{
	int r = 0;

	if (!ident_is(&b->in_stage.id, in))
		return w->r->strict && !ident_is(&b->in_real.id, in) ? -ESTALE : whiteout_make(w, op);
	if (b->real.fd < 0 || b->in_real.id.ino != 0)
		return -ESTALE;
	r = sys_move(b->stage.fd, b->stage.name, b->real.fd, b->real.name, RENAME_NOREPLACE);
	if (r < 0)
		return stale_if(r);
	note(w, op, MOVED_IN, &b->in_stage.id, &b->real);
	return whiteout_make(w, op);
}

/* The object that came out must be the one that was looked at: it may have been exchanged, or written, just before. (Its time of
 * change is that of the move by now.) */
static bool is_what_came(const struct op *op, struct both *b, const struct ident *out)
{
	const struct ident *now = &b->in_stage.id;

	return look_at(&b->stage, &b->in_stage) == 0 && ident_is_same(now, out, true) &&
	       ((op->flags & OP_WEAK) != 0 || now->mtime_ns == out->mtime_ns);
}

static bool may_go(const struct run *r, const struct op *op, const struct both *b, const struct ident *out)
{
	if (!r->strict)
		return ident_is(&b->in_real.id, out);
	return ident_is_same(&b->in_real.id, out, (op->flags & OP_WEAK) != 0);
}

static int move_out(struct work *w, const struct op *op, const struct ident *out, struct both *b)
{
	int r;

	if (ident_is(&b->in_stage.id, out))
		return whiteout_remove(w, op); /* of a slot */
	if (!may_go(w->r, op, b, out))
		return -ESTALE;
	r = whiteout_remove(w, op);
	if (r == 0)
		r = sys_move(b->real.fd, b->real.name, b->stage.fd, b->stage.name, RENAME_NOREPLACE);
	if (r < 0)
		return stale_if(r);
	if (!w->r->strict || is_what_came(op, b, out)) {
		note(w, op, MOVED_OUT, &b->in_real.id, &b->stage);
		return 0;
	}
	r = sys_move(b->stage.fd, b->stage.name, b->real.fd, b->real.name, RENAME_NOREPLACE);
	return r < 0 ? r : -ESTALE;
}

static int exchange(struct work *w, const struct op *op, const struct ident *in, const struct ident *out,
		    struct both *b)
{
	const struct ident was_in_stage = b->in_stage.id;
	int r;

	if (out->ino == 0) /* forced: nothing is there any more */
		return move_in(w, op, in, b);
	if (in->ino == 0)
		return move_out(w, op, out, b);
	if (ident_is(&b->in_real.id, in) || ident_is(&b->in_stage.id, out))
		return 0;
	if (!ident_is(&b->in_stage.id, in) || !may_go(w->r, op, b, out))
		return -ESTALE;
	r = sys_move(b->stage.fd, b->stage.name, b->real.fd, b->real.name, RENAME_EXCHANGE);
	if (r < 0)
		return stale_if(r);
	if (!w->r->strict || is_what_came(op, b, out)) {
		note(w, op, MOVED_OUT, &b->in_real.id, &b->stage);
		note(w, op, MOVED_IN, &was_in_stage, &b->real);
		return 0;
	}
	r = sys_move(b->stage.fd, b->stage.name, b->real.fd, b->real.name, RENAME_EXCHANGE);
	return r < 0 ? r : -ESTALE;
}

/* Right before and right after each of our own calls: somebody else's then lies between two of them. */
static bool look_dir(struct work *w, int fd, struct look *ret)
{
	return w->r->moved != NULL && w->r->moved->dirs != NULL && fd >= 0 && sys_look(fd, "", ret) == 0;
}

static void note_dir(struct work *w, const struct op *op, size_t n, struct look before, int fd)
{
	struct look after;

	if (!look_dir(w, fd, &after))
		return;
	if (!w->r->trees->births[op->tree])
		before.id.btime_ns = after.id.btime_ns = 0;
	moved_note_dir(w->r->moved, op->tree, op->path, n, &before.id, &after.id);
}

static size_t length_of_parent(const struct op *op)
{
	const char *slash = strrchr(op->path, '/');

	return slash != NULL ? (size_t)(slash - op->path) : 0;
}

/* What it is where it went, for who wants to take it back, or to commit it again: it is that only if nobody else wrote it meanwhile. */
static void keep(struct work *w, struct ident *id, const struct ident *was, const struct place *at, bool weak)
{
	const int64_t born_ns = id->btime_ns;
	struct look now;

	if (id->ino == 0 || look_at(at, &now) < 0 || !ident_is_same(&now.id, id, true) ||
	    (!S_ISDIR(id->mode) && now.id.mode != id->mode))
		return;
	if (!w->r->found && !ident_is_same(was, id, weak) && !ident_is_same(was, &w->kept, false))
		return;
	*id = w->kept = now.id;
	id->btime_ns = born_ns;
}

static bool is_of_many(const struct ident *id)
{
	return S_ISDIR(id->mode) || id->nlink > 1; /* other operations change its times, too */
}

static int do_move(struct work *w, struct op *op)
{
	const struct ident *in = w->r->backwards ? &op->b : &op->a, *out = w->r->backwards ? &op->a : &op->b;
	auto_fd int parent = -1;
	struct look dir;
	struct both b, was;
	bool watched;
	int r = in_stage(w, op, &b.stage);

	parent = sys_open_parent(w->r->trees->real[op->tree], op->path, &b.real.name);
	b.real.fd = parent;
	if (r < 0 || (parent < 0 && stale_if(parent) != -ESTALE))
		return r < 0 ? r : parent;
	watched = look_dir(w, parent, &dir);
	r = look_both(&b);
	if (r < 0)
		return r;
	was = b;
	if (op->kind == OP_SWAP || (op->kind == OP_OUT && (op->flags & OP_FORCED) != 0 && op->a.ino != 0))
		r = exchange(w, op, in, out, &b);
	else if ((op->kind == OP_IN) != w->r->backwards)
		r = move_in(w, op, in, &b);
	else
		r = move_out(w, op, out, &b);
	if (watched)
		note_dir(w, op, length_of_parent(op), dir, parent);
	if (parent >= 0 && w->r->backwards) {
		keep(w, &op->b, &was.in_stage.id, &b.real, is_of_many(&op->b));
	} else if (parent >= 0) {
		keep(w, &op->a, &was.in_stage.id, &b.real, true); /* the stage is nobody else's */
		keep(w, &op->b, &was.in_real.id, &b.stage, is_of_many(&op->b));
	}
	return r;
}

/* --- what makes the stage ready --- */

/* A file must be writable for its attributes to be changed. Its mode is put right also where a crash left it open. */
static int change_xattr(const struct op *op, int fd, const struct look *l, bool backwards)
{
	const bool is_file = S_ISREG(l->id.mode), open_it = is_file && (l->id.mode & 0200) == 0;
	int r = open_it ? sys_chmod(fd, (l->id.mode & 07777) | 0200) : 0;

	if (r == 0 && !backwards)
		r = xattr_strip(fd);
	else if (r == 0 && (op->flags & OP_ORIGIN) != 0)
		r = xattr_set_origin(fd);
	if (open_it || (is_file && l->id.mode != op->a.mode)) {
		const int closed = sys_chmod(fd, op->a.mode);

		r = r < 0 ? r : closed;
	}
	return r;
}

static int do_strip(struct work *w, const struct op *op)
{
	struct place at;
	struct look l;
	auto_fd int fd = -1;
	int r = in_upper(w, op, &at);

	if (r == 0)
		r = look_at(&at, &l);
	if (r != 0 || !ident_is(&l.id, &op->a))
		return r == -ENOENT ? 0 : r; /* it went in already */
	fd = sys_open_name(at.fd, at.name, O_RDONLY);
	r = fd < 0 ? fd : change_xattr(op, fd, &l, w->r->backwards);
	if (w->r->moved != NULL && w->r->moved->notes_in)
		note(w, op, MOVED_ON, &l.id, &at);
	return r;
}

static int do_drop(struct work *w, const struct op *op)
{
	struct place at;
	struct look l;
	int r = w->r->backwards ? 1 : in_upper(w, op, &at);

	if (r == 0)
		r = look_at(&at, &l);
	if (r == 0 && l.id.ino != 0 && l.is_whiteout)
		r = sys_unlink(at.fd, at.name, 0);
	return r > 0 || r == -ENOENT ? 0 : r;
}

/* In an opaque directory, where the name is free: "all that is not here is gone" becomes "this, this and this is gone", which means
 * the same, and still does when some of it was committed. */
static int do_cover(struct work *w, const struct op *op)
{
	struct place at;
	int r = in_upper(w, op, &at);

	if (r == 0)
		r = sys_node(at.fd, at.name, S_IFCHR);
	return r == -EEXIST ? 0 : r;
}

/* The old object, between its place in the stage and its slot. */
static int move_old(struct work *w, struct op *op, const struct place *up, bool to_slot)
{
	struct place slot;
	struct look l;
	const struct place *from = to_slot ? up : &slot, *to = to_slot ? &slot : up;
	int r = in_slot(w, op, false, &slot);

	if (r == 0)
		r = look_at(from, &l);
	if (r == 0 && ident_is(&l.id, &op->b))
		r = sys_move(from->fd, from->name, to->fd, to->name, RENAME_NOREPLACE);
	if (r == 0 && l.id.ino != 0)
		note(w, op, MOVED_ON, &l.id, to);
	if (r == 0)
		keep(w, &op->b, &l.id, to, is_of_many(&op->b));
	return r;
}

static int do_stow(struct work *w, struct op *op)
{
	struct place up;
	const int r = in_upper(w, op, &up);

	return r < 0 ? r : move_old(w, op, &up, !w->r->backwards);
}

/* The other way round: forwards it is put back. */
static int do_leave(struct work *w, struct op *op)
{
	struct place up;
	const int r = in_upper(w, op, &up);

	if (r == -ENOENT)
		return 0; /* nor is there an old object */
	return r < 0 ? r : move_old(w, op, &up, w->r->backwards);
}

static int do_unopaque(struct work *w, const struct op *op)
{
	auto_fd int fd = sys_open_beneath(w->r->trees->upper[op->tree], op->path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return w->r->backwards ? xattr_set_opaque(fd) : xattr_unset_opaque(fd);
}

/* --- directories --- */

/* A directory of either side, or -1 if it is not there or another one. */
static int dir_open(int root, const struct op *op, uint64_t ino, struct look *ret, int *ret_fd)
{
	auto_fd int fd = sys_open_beneath(root, op->path, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : sys_look(fd, "", ret);

	if (stale_if(r) == -ESTALE || (r == 0 && ino != 0 && ret->id.ino != ino))
		return 0;
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

static int dir_let_in(struct work *w, int root, const struct op *op, uint64_t ino)
{
	auto_fd int fd = -1;
	struct look l;
	int r = dir_open(root, op, ino, &l, &fd);

	if (r == 0 && fd >= 0 && (l.id.mode & 0700) != 0700) {
		r = sys_chmod(fd, (l.id.mode & 07777) | 0700);
		if (root == w->r->trees->real[op->tree])
			note_dir(w, op, strlen(op->path), l, fd);
	}
	return r == -EPERM ? 0 : r; /* another's: its group or all may write in it, as was asked before (allowed.h) */
}

/* Whether the owner can work in it however far the deed came: as it was, as it will be, and in upper. */
static bool is_open(const struct op *op)
{
	const uint32_t before = op->b.ino != 0 ? op->b.mode : 0700, after = op->a.ino != 0 ? op->a.mode : 0700;

	return (before & after & (uint32_t)op->hash & 0700) == 0700; /* hash: the mode that the event saw */
}

/* Of a commit that begins: what was found out of a directory is true of no other one that took its name since. */
static int dir_check(const struct work *w, const struct op *op)
{
	auto_fd int fd = -1;
	struct look l;
	int r;

	if (!w->r->fresh || w->r->backwards || op->b.ino == 0)
		return 0;
	fd = sys_open_beneath(w->r->trees->real[op->tree], op->path, O_PATH | O_DIRECTORY);
	r = fd < 0 ? stale_if(fd) : sys_look(fd, "", &l);
	return r == 0 && l.id.ino != op->b.ino ? -ESTALE : r;
}

static int dir_begin(struct work *w, const struct op *op)
{
	const struct trees *t = w->r->trees;
	int r = dir_check(w, op);

	if (r < 0)
		return r;
	if (w->r->fresh && is_open(op) && (op->b.ino != 0 || !w->r->backwards))
		return 0;
	r = dir_let_in(w, t->real[op->tree], op, op->a.ino);

	if (r == 0 && (op->flags & OP_NO_UPPER) == 0)
		r = dir_let_in(w, t->upper[op->tree], op, 0);
	return r;
}

static int dir_set(int fd, const struct look *l, uint32_t mode, int64_t mtime_ns, bool keep_time)
{
	const bool same_mode = ((l->id.mode ^ mode) & 07777) == 0;
	int r = same_mode ? 0 : sys_chmod(fd, mode);

	if (r == 0 && !keep_time && l->id.mtime_ns != mtime_ns)
		r = sys_mtime_of_any(fd, "", mtime_ns);
	return r;
}

static int dir_copy_xattr(struct work *w, const struct op *op, int fd)
{
	struct place slot;
	auto_fd int from = -1;
	int r = 0;

	if (!w->r->backwards) {
		from = sys_open_beneath(w->r->trees->upper[op->tree], op->path, O_RDONLY | O_DIRECTORY);
	} else {
		r = in_slot(w, op, false, &slot);
		from = r < 0 ? -1 : sys_open_name(slot.fd, slot.name, O_RDONLY | O_DIRECTORY);
	}
	if (r == 0)
		r = from < 0 ? from : xattr_copy(from, fd);
	return r;
}

static int dir_end_real(struct work *w, const struct op *op)
{
	const struct ident *now = w->r->backwards ? &op->b : &op->a;
	auto_fd int fd = -1;
	struct look l, before;
	int r = now->ino == 0 ? 0 : dir_open(w->r->trees->real[op->tree], op, now->ino, &l, &fd);

	if (r < 0 || fd < 0)
		return r;
	before = l;
	if ((op->flags & OP_XATTR) != 0) {
		r = dir_copy_xattr(w, op, fd);
		if (r == 0)
			r = sys_look(fd, "", &l); /* access lists are in the mode too */
	}
	r = r < 0 ? r : dir_set(fd, &l, now->mode, now->mtime_ns, (op->flags & OP_KEEP_TIME) != 0);
	note_dir(w, op, strlen(op->path), before, fd);
	return r;
}

static int dir_end_upper(struct work *w, const struct op *op)
{
	auto_fd int fd = -1;
	struct look l;
	const int r = dir_open(w->r->trees->upper[op->tree], op, 0, &l, &fd);

	if (r < 0 || fd < 0)
		return r;
	return dir_set(fd, &l, (uint32_t)op->hash, op->a.mtime_ns, false); /* hash: the mode that the event saw */
}

/* Where all of the stage was committed, nobody looks at the times in upper before the way back, which sets them. */
static int dir_end(struct work *w, const struct op *op)
{
	const struct run *run = w->r;
	const int r = dir_end_real(w, op);
	const bool leave = (op->flags & OP_NO_UPPER) != 0 ||
			   (run->fresh && is_open(op) && !run->backwards && run->deed->left == 0);

	return r < 0 || leave ? r : dir_end_upper(w, op);
}

/* --- all of it --- */

static int do_op(struct work *w, struct op *op)
{
	if ((op->flags & OP_LEFT) != 0)
		return 0;
	switch (op->kind) {
	case OP_STRIP: return do_strip(w, op);
	case OP_DROP: return do_drop(w, op);
	case OP_COVER: return w->r->backwards ? 0 : do_cover(w, op);
	case OP_IN:
	case OP_OUT:
	case OP_SWAP: return do_move(w, op);
	case OP_STOW: return do_stow(w, op);
	case OP_LEAVE: return do_leave(w, op);
	case OP_UNOPAQUE: return do_unopaque(w, op);
	default: return 0; /* a row */
	}
}

static const char *hint_of(int r)
{
	switch (r) {
	case -ENOSPC:
	case -EDQUOT: return "free some space, then try again";
	case -EACCES:
	case -EPERM: return "look at the modes of the directories on the way";
	case -EINVAL: return "the file system may not be able to exchange two names";
	default: return "look at the health of the file system, then try again";
	}
}

static int tell(const struct run *r, const struct op *op, int result, struct err *e)
{
	char path[256];

	(void)text_escape(path, sizeof path, op->path, strlen(op->path));
	if (result != -ESTALE)
		return err_sys(e, AMBIT_SYSTEM, -result, hint_of(result), "change '%s' in the real tree", path);
	if (r->told != NULL)
		r->told(r->user, op->tree, op->path);
	return err_set(e, AMBIT_CONFLICT, "look at what changed it, then try again",
		       "'%s' was changed by somebody else just now", path);
}

static int run_moves(struct work *w, struct err *e)
{
	const struct op_list *l = &w->r->deed->moves;
	int result = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct op *op = &l->ops[w->r->backwards ? l->n - 1 - i : i];
		const int r = do_op(w, op);

		if (r < 0)
			result = tell(w->r, op, r, e);
		if (r < 0 && (r != -ESTALE || !w->r->lenient))
			return result;
	}
	return result;
}

/* Also after a failure: the modes must not stay open. The first error is the one that counts. */
static int end_dirs(struct work *w, int result, struct err *e)
{
	const struct op_list *l = &w->r->deed->dirs;

	for (size_t i = l->n; i-- > 0;) {
		const int r = dir_end(w, &l->ops[i]);

		if (r < 0 && result == 0)
			result = tell(w->r, &l->ops[i], r, e);
	}
	return result;
}

int run_deed(const struct run *r, struct err *e)
{
	struct work w = { .r = r, .upper = NEARBY_NONE, .slots = NEARBY_NONE };
	int result = 0;

	for (size_t i = 0; i < r->deed->dirs.n && result == 0; i++) {
		const int began = dir_begin(&w, &r->deed->dirs.ops[i]);

		if (began < 0)
			result = tell(r, &r->deed->dirs.ops[i], began, e);
	}
	if (result == 0)
		result = run_moves(&w, e);
	if (result == 0 || r->lenient)
		result = end_dirs(&w, result, e);
	nearby_finish(&w.upper);
	nearby_finish(&w.slots);
	return result;
}
