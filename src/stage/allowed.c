#include "stage/allowed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "stage/nearby.h"

#define SHOWN_MAX 300 /* of a path in a sentence */

struct asking {
	const struct trees *trees;
	const struct stage_meta *m;
	const struct deed *deed;
	struct err *e;
	struct nearby parent;
	char good[CHANGE_PATH_MAX]; /* the last directory that was asked for, and its tree: many names lie in one */
	uint32_t good_tree;         /* UINT32_MAX: none yet */
	struct look dir;            /* of it */
};

static bool is_theirs(const struct look *l)
{
	const uid_t me = geteuid();

	return me != 0 && l->uid != me;
}

/* The path in full, or the directory above it. */
static const char *shown(const struct asking *a, const struct op *op, bool above, char room[SHOWN_MAX])
{
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX];
	const char *tree = a->m->trees[op->tree].real;
	char *slash;

	(void)text_copy(path, sizeof path, strcmp(tree, "/") == 0 ? "" : tree);
	if (op->path[0] != 0) {
		(void)text_copy(path + strlen(path), sizeof path - strlen(path), "/");
		(void)text_copy(path + strlen(path), sizeof path - strlen(path), op->path);
	}
	slash = above ? strrchr(path, '/') : NULL;
	if (slash != NULL)
		slash[slash == path ? 1 : 0] = 0;
	return text_escape(room, SHOWN_MAX, path, strlen(path));
}

/* The rest of a commit can go without it; that of an undo cannot. */
#define OR_THE_REST "; or `ambit commit` with the paths that are to be committed"

static int refuse(const struct asking *a, const struct op *op, bool above, const char *why, const char *first)
{
	const bool undo = a->deed->way == DEED_UNDO;
	char path[SHOWN_MAX], hint[ERR_HINT_MAX];
	int r;

	(void)snprintf(hint, sizeof hint, "%.*s%s", (int)(sizeof hint - sizeof OR_THE_REST), first,
		       undo ? "" : OR_THE_REST); /* it fits */
	r = err_set(a->e, AMBIT_SYSTEM, hint, "you may not %s %s", above ? "write in" : "change",
		    shown(a, op, above, path));

	return err_why(a->e, r, "%s", why);
}

#define HINT_FLAG "chattr takes that off, if you may"
#define HINT_OWNER "ask its owner"
#define HINT_MOUNT "mount it for writing, then try again"

/* In an append-only directory names can be made, but none could be taken back. */
static int ask_flags(const struct asking *a, const struct op *op, bool above, const struct look *l)
{
	if (l->is_immutable)
		return refuse(a, op, above, "it is immutable (chattr +i)", HINT_FLAG);
	if (l->is_append)
		return refuse(a, op, above,
			      "it is append-only (chattr +a): nothing in it can be replaced or taken back", HINT_FLAG);
	return 0;
}

static int ask_parent(const struct asking *a, const struct op *op, int fd, const struct look *l)
{
	const int may = sys_may_write(fd);

	if (l->is_immutable || l->is_append)
		return ask_flags(a, op, true, l);
	if (may == -EROFS)
		return refuse(a, op, true, "its file system is read-only", HINT_MOUNT);
	if (may == 0 || (may == -EACCES && !is_theirs(l))) /* its owner opens it for the time of the commit */
		return 0;
	return refuse(a, op, true, may == -EACCES ? "it is another's, and its mode keeps you out" : strerror(-may),
		      HINT_OWNER);
}

/* A new directory that the deed opens for as long as it works (run.c), in whichever direction. */
static bool is_opened(const struct asking *a, const struct op *op, const struct look *l)
{
	for (size_t i = 0; i < a->deed->dirs.n; i++) {
		const struct op *dir = &a->deed->dirs.ops[i];

		if (dir->b.ino == 0 && dir->a.ino == l->id.ino && dir->tree == op->tree &&
		    strcmp(dir->path, op->path) == 0)
			return !is_theirs(l);
	}
	return false;
}

static int refuse_closed(const struct asking *a, const struct op *op)
{
	char path[SHOWN_MAX], hint[ERR_HINT_MAX];

	(void)snprintf(hint, sizeof hint, "if it is yours, `chmod u+w %s`", shown(a, op, false, path));
	return refuse(a, op, false, "a directory in which you may not write cannot be moved out of the way", hint);
}

/* What is there is moved away: as rename(2) and the kernel's may_delete() see it. */
static int ask_object(const struct asking *a, const struct op *op, int dir_fd, const char *name, const struct look *dir)
{
	auto_fd int fd = -1;
	struct look l;

	if (sys_look(dir_fd, name, &l) < 0)
		return 0; /* nothing is there */
	if (l.is_immutable || l.is_append)
		return ask_flags(a, op, false, &l);
	if ((dir->id.mode & S_ISVTX) != 0 && is_theirs(dir) && is_theirs(&l))
		return refuse(a, op, false,
			      "it is another's, in a directory where only its owner may replace or remove it (sticky)",
			      HINT_OWNER);
	if (!S_ISDIR(l.id.mode))
		return 0;
	fd = sys_open_name(dir_fd, name, O_PATH | O_DIRECTORY);
	if (fd < 0 || sys_may_write(fd) == 0 || is_opened(a, op, &l)) /* the entry `..` in it is written */
		return 0;
	return refuse_closed(a, op);
}

static int ask_move(struct asking *a, const struct op *op)
{
	const char *name;
	const int fd = nearby_parent(&a->parent, a->trees->real[op->tree], op->path, &name);
	int r = 0;

	if (fd < 0)
		return 0; /* it goes in with the deed, or who carries it out sees */
	if (a->good_tree != op->tree || strcmp(a->good, a->parent.path) != 0) {
		if (sys_look(fd, "", &a->dir) < 0)
			return 0; /* likewise */
		r = ask_parent(a, op, fd, &a->dir);
		a->good_tree = op->tree;
		memcpy(a->good, a->parent.path, sizeof a->good);
	}
	return r < 0 ? r : ask_object(a, op, fd, name, &a->dir);
}

/* A directory that stays. */
static int ask_dir(const struct asking *a, const struct op *op)
{
	const bool mode = op->a.ino != 0 && op->b.ino != 0 && ((op->a.mode ^ op->b.mode) & 07777) != 0;
	auto_fd int fd = -1;
	struct look l;

	if (!mode && (op->flags & OP_XATTR) == 0)
		return 0;
	fd = sys_open_beneath(a->trees->real[op->tree], op->path, O_PATH | O_DIRECTORY);
	if (fd < 0 || sys_look(fd, "", &l) < 0)
		return 0; /* it goes in with the deed, or who carries it out sees */
	if (l.is_immutable || l.is_append)
		return ask_flags(a, op, false, &l);
	if (sys_may_write(fd) == -EROFS)
		return refuse(a, op, false, "its file system is read-only", HINT_MOUNT);
	if (!is_theirs(&l))
		return 0;
	return refuse(a, op, false, "its mode and attributes are its owner's to set", HINT_OWNER);
}

int allowed_check(const struct deed *d, const struct trees *t, const struct stage_meta *m, struct err *e)
{
	struct asking a = { .trees = t, .m = m, .deed = d, .e = e, .parent = NEARBY_NONE, .good_tree = UINT32_MAX };
	int r = 0;

	for (size_t i = 0; i < d->dirs.n && r == 0; i++)
		r = ask_dir(&a, &d->dirs.ops[i]);
	for (size_t i = 0; i < d->moves.n && r == 0; i++) {
		const uint8_t kind = d->moves.ops[i].kind;

		if ((d->moves.ops[i].flags & OP_LEFT) != 0)
			continue;
		if (kind == OP_IN || kind == OP_OUT || kind == OP_SWAP)
			r = ask_move(&a, &d->moves.ops[i]);
	}
	nearby_finish(&a.parent);
	return r;
}
