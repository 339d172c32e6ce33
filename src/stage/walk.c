#include "stage/walk.h"

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
#include "stage/conflict.h"
#include "stage/listing.h"
#include "stage/xattr.h"

/* A directory of upper that is still to be read. */
struct job {
	uint32_t entry;
	bool merged; /* the real tree has it too */
	bool opaque; /* and what is there shows no longer */
	bool lost;   /* the real tree had it */
	bool other;  /* what the real tree has is another one, or lies in another one */
	bool setgid; /* what is made in it is so too */
};

struct walk {
	const struct stage_meta *m;
	const struct walk_calls *calls;
	struct plan *p;
	struct conflicts conflicts;
	uint16_t tree;
	int real_fd, upper_fd; /* of the tree */
	struct job *jobs;      /* owned */
	size_t n_jobs, room_jobs;
	char *bytes;             /* owned: room for comparing */
	struct listing *listing; /* owned: room for the names of a directory */
};

#define COMPARE_BYTES 65536

/* What is looked at: one name, in upper and in the real tree. */
struct pair {
	int upper_dir, real_dir; /* real_dir -1: nothing there */
	const char *name;
	bool in_upper, in_real;
	struct look upper, real;
	struct xattr_scan scan; /* of a file or directory of upper */
	int fd;                 /* owned: of it, -1 if it has none */
};

static uint8_t type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return CHANGE_FILE;
	case S_IFDIR: return CHANGE_DIRECTORY;
	case S_IFLNK: return CHANGE_SYMLINK;
	case S_IFIFO: return CHANGE_FIFO;
	case S_IFSOCK: return CHANGE_SOCKET;
	default: return CHANGE_OTHER;
	}
}

/* Rule 2: written in place where the event saw it, before it was copied up. A file that took the name of another is not: a cell
 * that knew the old one goes on with that. */
static bool was_written_before_copy(const struct walk *w, const struct pair *at)
{
	const bool copied = at->in_upper && at->scan.origin && S_ISREG(at->upper.id.mode) && S_ISREG(at->real.id.mode);
	const int64_t t0_ns = w->conflicts.t0_ns;
	struct look dir;

	return copied && at->real.id.ctime_ns < at->upper.id.btime_ns && at->real.id.mtime_ns == at->real.id.ctime_ns &&
	       at->real.id.btime_ns != 0 && at->real.id.btime_ns < t0_ns && sys_look(at->real_dir, "", &dir) == 0 &&
	       dir.id.ctime_ns < t0_ns;
}

/* The rules 1 to 3 of the header. */
static int check_real(const struct walk *w, struct plan_entry *x, const struct pair *at, bool loses)
{
	const int64_t since_ns = was_written_before_copy(w, at) ? at->upper.id.btime_ns : w->conflicts.t0_ns;

	return conflicts_check(&w->conflicts, x, at->real_dir, at->name, &at->real, since_ns, loses);
}

/* --- what is refused --- */

/* Later events, and the search for links, could list the directory and pass through none in it. */
static bool shuts_itself(const struct pair *at)
{
	const uint32_t mode = at->upper.id.mode;

	return S_ISDIR(mode) && (mode & 0100) == 0 && geteuid() != 0 &&
	       (!at->in_real || !S_ISDIR(at->real.id.mode) || (at->real.id.mode & 0100) != 0);
}

static void check_upper(struct plan_entry *x, const struct pair *at, const struct job *job)
{
	const uint32_t mode = at->upper.id.mode;
	const bool same_group = at->in_real && S_ISDIR(at->real.id.mode) && (at->real.id.mode & S_ISGID) != 0;

	if (type_of(mode) == CHANGE_OTHER)
		plan_hold(x, HELD_REFUSED, "a device");
	if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)) != 0)
		plan_hold(x, HELD_REFUSED, "it would run with the rights of its owner or group");
	if (S_ISDIR(mode) && ((mode & S_ISUID) != 0 || ((mode & S_ISGID) != 0 && !same_group && !job->setgid)))
		plan_hold(x, HELD_REFUSED, "a directory with setuid or setgid bits");
	if (at->scan.foreign)
		plan_hold(x, HELD_REFUSED, "an extended attribute that is no user's (capabilities, for one)");
	if (at->fd == -EACCES)
		plan_hold(x, HELD_REFUSED, "its own owner may not read it, so it cannot be looked at");
	if (shuts_itself(at))
		plan_hold(x, HELD_REFUSED, "its own owner may not enter it, so what lies in it cannot be looked at");
}

/* Names that were not granted, in a tree of which only some were. */
static bool is_named(const struct walk *w, const char *path, bool or_above)
{
	const struct stage_tree *t = &w->m->trees[w->tree];
	const size_t n = strlen(t->real), n_path = strlen(path);

	for (uint32_t i = 0; i < w->m->n_names && !t->whole; i++) {
		const char *rest = w->m->names[i];

		if (w->m->asks[i] == STAGE_ASKS_ONLY || strncmp(rest, t->real, n) != 0 || rest[n] != '/')
			continue;
		rest += n + 1;
		if (strcmp(rest, path) == 0)
			return true;
		if (or_above && (n_path == 0 || (strncmp(rest, path, n_path) == 0 && rest[n_path] == '/')))
			return true;
	}
	return t->whole;
}

/* --- one name --- */

static int push_job(struct walk *w, struct job job)
{
	if (w->n_jobs == w->room_jobs) {
		const size_t room = w->room_jobs == 0 ? 64 : w->room_jobs * 2;
		struct job *jobs = reallocarray(w->jobs, room, sizeof jobs[0]);

		if (jobs == NULL)
			return -ENOMEM;
		w->jobs = jobs;
		w->room_jobs = room;
	}
	w->jobs[w->n_jobs++] = job;
	return 0;
}

/* 1 if both hold the same n bytes, 0 if not or if that cannot be told. */
static int same_bytes(const struct walk *w, int a, int b, uint64_t n)
{
	char *const left = w->bytes, *const right = w->bytes + COMPARE_BYTES;
	uint64_t at = 0;

	while (at < n) {
		const ssize_t got = pread(a, left, COMPARE_BYTES, (off_t)at);
		const ssize_t have = pread(b, right, COMPARE_BYTES, (off_t)at);

		if (got <= 0 || got != have || memcmp(left, right, (size_t)got) != 0)
			return 0;
		at += (uint64_t)got;
	}
	return 1;
}

/* Of two regular files of the same size: the kind of the change, or 0. */
static int compare_files(const struct walk *w, const struct pair *at)
{
	auto_fd int real = sys_open_name(at->real_dir, at->name, O_RDONLY);
	int same;

	if (real < 0 || same_bytes(w, at->fd, real, at->upper.id.size) == 0)
		return CHANGE_MODIFIED; /* what cannot be read is not the same */
	if (at->upper.id.mode != at->real.id.mode || at->upper.id.mtime_ns != at->real.id.mtime_ns)
		return CHANGE_MODE;
	same = xattr_same(&at->scan, at->fd, real);
	return same < 0 ? same : same == 1 ? 0 : CHANGE_MODE;
}

static int compare_links(const struct pair *at)
{
	char upper[CHANGE_PATH_MAX], real[CHANGE_PATH_MAX];
	const ssize_t n = readlinkat(at->upper_dir, at->name, upper, sizeof upper);
	const ssize_t m = readlinkat(at->real_dir, at->name, real, sizeof real);

	if (n < 0 || m < 0)
		return -errno;
	return n == m && memcmp(upper, real, (size_t)n) == 0 ? 0 : CHANGE_MODIFIED;
}

/* Of two objects of the same type that are no directories. */
static int compare(const struct walk *w, const struct pair *at)
{
	const uint32_t mode = at->upper.id.mode;

	if (S_ISLNK(mode))
		return compare_links(at);
	if (S_ISREG(mode) && (at->upper.id.size != at->real.id.size || at->fd < 0))
		return CHANGE_MODIFIED;
	if (S_ISREG(mode))
		return compare_files(w, at);
	return mode != at->real.id.mode ? CHANGE_MODE : 0;
}

static int add_entry(struct walk *w, const struct job *job, const struct pair *at, uint32_t *ret)
{
	const char *dir = w->p->entries[job->entry].path;
	char *path = plan_join(w->p, dir, at->name);
	struct plan_entry *x = path != NULL ? plan_add(w->p) : NULL;

	if (x == NULL)
		return -ENOMEM;
	x->path = path;
	x->tree = w->tree;
	x->type = type_of(at->in_upper ? at->upper.id.mode : at->real.id.mode);
	if (at->in_upper)
		x->new = at->upper.id;
	if (at->in_real)
		x->old = at->real.id;
	if (at->scan.overlay)
		x->flags |= PLAN_STRIP;
	if (at->scan.origin)
		x->flags |= PLAN_ORIGIN;
	if (at->scan.opaque)
		x->flags |= PLAN_OPAQUE;
	*ret = (uint32_t)(w->p->n - 1);
	return 0;
}

static int visit_deleted(struct walk *w, const struct job *job, struct pair *at, bool whiteout)
{
	struct plan_entry *x;
	uint32_t i;
	int r;

	at->in_upper = false;
	if (!at->in_real && job->merged)
		return 0; /* a whiteout over nothing */
	r = add_entry(w, job, at, &i);
	if (r < 0)
		return r;
	x = &w->p->entries[i];
	if (!at->in_real) {
		x->act = ACT_DROP;
		return 0;
	}
	x->act = ACT_OUT;
	x->kind = CHANGE_DELETED;
	x->type = type_of(at->real.id.mode);
	x->flags = whiteout ? PLAN_WHITEOUT : 0;
	if (!is_named(w, x->path, false))
		plan_hold(x, HELD_REFUSED, "its name was not granted");
	if (job->other)
		plan_hold(x, HELD_CONFLICT, CONFLICT_IN_OTHER);
	return check_real(w, x, at, true);
}

/* A directory of the real tree that stays. */
static int visit_merged(struct walk *w, struct plan_entry *x, const struct pair *at, bool *ret_enter)
{
	auto_fd int real = sys_open_beneath(at->real_dir, at->name, O_RDONLY | O_DIRECTORY);
	const int same = real < 0 ? real : at->fd < 0 ? 1 : xattr_same(&at->scan, at->fd, real);
	const bool differs = same == 0 || x->new.mode != x->old.mode;

	*ret_enter = at->fd >= 0 && !at->real.is_mount && real >= 0;
	if (same < 0 && same != -EACCES && same != -EXDEV)
		return same;
	if (same == 0)
		x->flags |= PLAN_XATTR;
	if (differs || !*ret_enter)
		x->kind = CHANGE_MODE;
	if (real == -EACCES)
		plan_hold(x, HELD_REFUSED, "it may not be looked at in the real tree");
	if (!*ret_enter)
		plan_hold(x, HELD_REFUSED, CONFLICT_MOUNTED);
	if (differs && !is_named(w, x->path, false))
		plan_hold(x, HELD_REFUSED, "its name was not granted");
	return differs ? check_real(w, x, at, false) : 0;
}

static int visit_directory(struct walk *w, const struct job *job, const struct pair *at)
{
	const bool merged = at->in_real && S_ISDIR(at->real.id.mode);
	const bool lost = !merged && (job->lost || (at->scan.origin && !at->scan.opaque));
	bool other = job->other;
	bool enter = at->fd >= 0;
	struct plan_entry *x;
	uint32_t i;
	int r = add_entry(w, job, at, &i);

	if (r < 0)
		return r;
	x = &w->p->entries[i];
	if (!is_named(w, x->path, merged))
		plan_hold(x, HELD_REFUSED, "its name was not granted");
	check_upper(x, at, job);
	if (merged) {
		other = other || conflicts_is_other(&w->conflicts, x->path, &at->real.id);
		r = visit_merged(w, x, at, &enter);
	} else {
		x->act = at->in_real ? ACT_SWAP : ACT_IN;
		x->kind = at->in_real ? CHANGE_MODIFIED : CHANGE_ADDED;
		if (lost)
			plan_hold(x, HELD_CONFLICT, "its directory is gone from the real tree");
		if (at->in_real)
			r = check_real(w, x, at, true);
	}
	if (other)
		plan_hold(x, HELD_CONFLICT, job->other ? CONFLICT_IN_OTHER : CONFLICT_OTHER);
	if (merged && x->held != HELD_NOT && x->kind == 0 && !job->other)
		x->kind = CHANGE_MODE; /* so that it is told */
	if (r < 0 || !enter)
		return r;
	return push_job(w, (struct job){ .entry = i,
					 .merged = merged,
					 .opaque = at->scan.opaque || job->opaque,
					 .lost = lost,
					 .other = other,
					 .setgid = (at->upper.id.mode & S_ISGID) != 0 && x->held != HELD_REFUSED });
}

static int visit_other(struct walk *w, const struct job *job, const struct pair *at)
{
	const bool same_type = at->in_real && ((at->upper.id.mode ^ at->real.id.mode) & S_IFMT) == 0;
	const int kind = !at->in_real ? CHANGE_ADDED : same_type ? compare(w, at) : CHANGE_MODIFIED;
	const bool linked = S_ISREG(at->upper.id.mode) && at->upper.id.nlink > 1;
	struct plan_entry *x;
	uint32_t i;
	int r;

	if (kind <= 0 && !(kind == 0 && linked))
		return kind;
	r = add_entry(w, job, at, &i);
	if (r < 0)
		return r;
	x = &w->p->entries[i];
	x->act = at->in_real ? ACT_SWAP : ACT_IN;
	x->kind = (uint8_t)kind;
	if (kind == 0)
		x->flags |= PLAN_QUIET;
	if (!is_named(w, x->path, false))
		plan_hold(x, HELD_REFUSED, "its name was not granted");
	check_upper(x, at, job);
	if (job->lost)
		plan_hold(x, HELD_CONFLICT, "its directory is gone from the real tree");
	if (job->other)
		plan_hold(x, HELD_CONFLICT, CONFLICT_IN_OTHER);
	return at->in_real ? check_real(w, x, at, true) : 0;
}

/* Opens what can have attributes. at->fd may be an error afterwards; only -EACCES is one to go on with. */
static int open_upper(struct pair *at)
{
	if (!S_ISREG(at->upper.id.mode) && !S_ISDIR(at->upper.id.mode))
		return 0;
	at->fd = sys_open_name(at->upper_dir, at->name, O_RDONLY);
	if (at->fd == -EACCES)
		return 0;
	return at->fd < 0 ? at->fd : xattr_scan(at->fd, &at->scan);
}

static void pair_close(struct pair *at)
{
	if (at->fd >= 0)
		fd_close(&at->fd);
}

static bool fits(const struct walk *w, const struct job *job, const char *name)
{
	return strlen(w->p->entries[job->entry].path) + 1 + strlen(name) < CHANGE_PATH_MAX;
}

static const char too_long[] = "a name in it makes a path that is too long";
static const char closed[] = "its own owner may not look into it";

static void refuse_directory(struct walk *w, const struct job *job, const char *reason)
{
	struct plan_entry *x = &w->p->entries[job->entry];

	if (x->kind == 0)
		x->kind = CHANGE_MODE; /* so that it is told */
	plan_hold(x, HELD_REFUSED, reason);
}

static int visit(struct walk *w, const struct job *job, int upper_dir, int real_dir, const char *name)
{
	__attribute__((cleanup(pair_close))) struct pair at = {
		.upper_dir = upper_dir, .real_dir = real_dir, .name = name, .in_upper = true, .fd = -1
	};
	int r = sys_look(upper_dir, name, &at.upper);

	if (r == -ENOENT)
		return 0; /* of a living event */
	if (r == -EACCES || !fits(w, job, name)) {
		refuse_directory(w, job, r == -EACCES ? closed : too_long);
		return 0;
	}
	if (r == 0 && real_dir >= 0) {
		r = sys_look(real_dir, name, &at.real);
		at.in_real = r == 0;
		r = r == -ENOENT ? 0 : r;
	}
	if (r < 0)
		return r;
	if (at.upper.is_whiteout)
		return visit_deleted(w, job, &at, true);
	r = open_upper(&at);
	if (r < 0)
		return r;
	return S_ISDIR(at.upper.id.mode) ? visit_directory(w, job, &at) : visit_other(w, job, &at);
}

/* What only the real tree has, in a directory that hides it. */
static int visit_covered(struct walk *w, const struct job *job, int upper_dir, int real_dir, const char *name)
{
	struct pair at = { .upper_dir = upper_dir, .real_dir = real_dir, .name = name, .fd = -1 };
	int r = sys_look(upper_dir, name, &at.upper);

	if (r != -ENOENT)
		return r;
	if (!fits(w, job, name)) {
		refuse_directory(w, job, too_long);
		return 0;
	}
	r = sys_look(real_dir, name, &at.real);
	at.in_real = r == 0;
	return r < 0 ? (r == -ENOENT ? 0 : r) : visit_deleted(w, job, &at, false);
}

/* --- one directory, one tree, all --- */

typedef int visit_fn(struct walk *w, const struct job *job, int upper_dir, int real_dir, const char *name);

/* Of upper_dir or real_dir, which were just opened for that. */
static int read_names(struct walk *w, const struct job *job, int upper_dir, int real_dir, int of, visit_fn *fn)
{
	const char *name;
	enum listing_kind unused;
	int r = 0;

	listing_begin(w->listing, of);
	while (r >= 0 && (name = listing_next(w->listing, &unused)) != NULL)
		r = fn(w, job, upper_dir, real_dir, name);
	return r < 0 ? r : -w->listing->sys_errno;
}

static int read_directory(struct walk *w, const struct job *job)
{
	const char *path = w->p->entries[job->entry].path;
	auto_fd int upper = sys_open_beneath(w->upper_fd, path, O_RDONLY | O_DIRECTORY), real = -1;
	int r;

	if (upper < 0)
		return upper == -EACCES ? (refuse_directory(w, job, closed), 0) : upper;
	if (job->merged)
		real = sys_open_beneath(w->real_fd, path, O_RDONLY | O_DIRECTORY);
	if (job->merged && real < 0) {
		plan_hold(&w->p->entries[job->entry], HELD_CONFLICT, CONFLICT_CHANGED); /* just now */
		w->p->entries[job->entry].kind = CHANGE_MODE;
		return 0;
	}
	r = read_names(w, job, upper, real, upper, visit);
	if (r >= 0 && job->merged && job->opaque)
		r = read_names(w, job, upper, real, real, visit_covered);
	if (r != -EACCES)
		return r;
	refuse_directory(w, job, closed);
	return 0;
}

/* The tree itself, as an entry with an empty path. */
static int add_root(struct walk *w)
{
	struct pair at = { .upper_dir = w->upper_fd, .real_dir = w->real_fd, .name = "", .fd = w->upper_fd };
	struct plan_entry *x = plan_add(w->p);
	bool enter = true;
	int r = sys_look(w->upper_fd, "", &at.upper);

	if (x == NULL)
		return -ENOMEM;
	if (r == 0)
		r = sys_look(w->real_fd, "", &at.real);
	if (r == 0)
		r = xattr_scan(w->upper_fd, &at.scan);
	if (r < 0)
		return r;
	at.in_upper = at.in_real = true;
	at.real.is_mount = false; /* a tree may well be one */
	w->conflicts.t0_ns = conflicts_t0(w->m, &at.upper);
	*x = (struct plan_entry){ .path = "",
				  .tree = w->tree,
				  .type = CHANGE_DIRECTORY,
				  .parent = PLAN_NONE,
				  .pair = PLAN_NONE,
				  .link = PLAN_NONE,
				  .old = at.real.id,
				  .new = at.upper.id };
	check_upper(x, &at, &(struct job){ .merged = true });
	r = visit_merged(w, x, &at, &enter);
	return r < 0 ? r
		     : push_job(w, (struct job){ .entry = (uint32_t)(w->p->n - 1),
						 .merged = true,
						 .setgid = (at.upper.id.mode & S_ISGID) != 0 });
}

static int walk_tree(struct walk *w)
{
	int r = add_root(w);

	while (r >= 0 && w->n_jobs > 0) {
		const struct job job = w->jobs[--w->n_jobs];

		r = read_directory(w, &job);
	}
	return r;
}

static int judge_one(const struct walk_calls *calls, struct plan *p, struct plan_entry *x)
{
	const uint8_t kind = x->kind;
	struct verdict v = { .held = HELD_NOT };
	struct change c = { .kind = 0 };

	if (kind == 0 && x->pair == PLAN_NONE)
		return 0;
	x->kind = kind == 0 ? CHANGE_DELETED : kind; /* of a renamed file, the old name */
	plan_change(p, x, &c);
	x->kind = kind;
	calls->judge_name(calls->user, &c, &v);
	v.reason[sizeof v.reason - 1] = 0;
	x->judged = v.held;
	x->later = v.later;
	x->judge = v.judge;
	if (v.reason[0] == 0)
		x->judge_reason = NULL;
	else if (x->judge_reason == NULL || strcmp(x->judge_reason, v.reason) != 0)
		x->judge_reason = plan_keep(p, v.reason);
	return v.reason[0] != 0 && x->judge_reason == NULL ? -ENOMEM : 0;
}

static void count_all(const struct walk_calls *calls, const struct plan *p)
{
	if (calls->count == NULL)
		return;
	calls->count(calls->user, NULL);
	for (size_t i = 0; i < p->n; i++) {
		struct change c = { .kind = 0 };

		if (p->entries[i].kind == 0)
			continue;
		plan_change(p, &p->entries[i], &c);
		calls->count(calls->user, &c);
	}
}

int walk_judge(const struct walk_calls *calls, struct plan *p)
{
	int r = 0;

	count_all(calls, p);
	for (size_t i = 0; i < p->n && r == 0 && calls->judge_name != NULL; i++)
		r = judge_one(calls, p, &p->entries[i]);
	return r;
}

/* After the last commit, upper holds what was there before. */
static int check_open(const struct stage *s, struct err *e)
{
	if (!deed_is_last(s->dir_fd))
		return 0;
	return err_set(e, AMBIT_CONFLICT, "take it back first: `ambit undo EVENT`",
		       "the event is committed: it has no more changes");
}

static void walk_finish(struct walk *w)
{
	free(w->jobs);
	free(w->bytes);
	free(w->listing);
	conflicts_finish(&w->conflicts);
}

int walk_plan(const struct stage *s, const struct stage_meta *m, const struct trees *t, const struct walk_calls *calls,
	      struct plan *ret, struct err *e)
{
	static const struct walk_calls none;
	__attribute__((
		cleanup(walk_finish))) struct walk w = { .m = m, .calls = calls != NULL ? calls : &none, .p = ret };
	int r = check_open(s, e);

	w.conflicts.calls = w.calls;
	if (r == 0)
		r = conflicts_load(s, m, &w.conflicts, e);
	if (r < 0)
		return r;
	w.bytes = malloc((size_t)2 * COMPARE_BYTES);
	w.listing = malloc(sizeof *w.listing);
	r = w.bytes == NULL || w.listing == NULL ? -ENOMEM : 0;
	for (uint16_t i = 0; i < t->n && r >= 0; i++) {
		w.tree = w.conflicts.tree = i;
		conflicts_next(&w.conflicts);
		w.real_fd = t->real[i];
		w.upper_fd = t->upper[i];
		r = walk_tree(&w);
	}
	if (r >= 0)
		r = plan_settle(ret);
	if (r >= 0)
		r = walk_judge(w.calls, ret);
	return r < 0 ? err_sys(e, r == -ENOMEM ? AMBIT_MEMORY : AMBIT_SYSTEM, -r,
			       "the stage is kept and nothing was changed: try again", "look for changes in the stage")
		     : 0;
}

static void add_digest(const struct trees *t, const struct walk_calls *calls, const struct plan_entry *x,
		       struct change *c)
{
	const char *name;
	auto_fd int dir = -1, fd = -1;

	if (calls == NULL || calls->digest == NULL || !S_ISREG(x->new.mode) || x->act == ACT_NONE ||
	    x->kind == CHANGE_MODE)
		return;
	dir = sys_open_parent(t->upper[x->tree], x->path, &name);
	fd = dir < 0 ? -1 : sys_open_name(dir, name, O_RDONLY);
	c->has_digest = fd >= 0 && calls->digest(calls->user, fd, c->digest) ? 1 : 0;
}

void walk_list(const struct trees *t, const struct walk_calls *calls, const struct plan *p, size_t list_max,
	       void (*list)(void *user, const struct change *c), void *list_user, struct walk_counts *ret)
{
	*ret = (struct walk_counts){ .changes = 0 };
	for (size_t i = 0; i < p->n; i++) {
		struct change c = { .kind = 0 };

		if (p->entries[i].kind == 0)
			continue;
		ret->held += plan_held(p, &p->entries[i]) != HELD_NOT ? 1u : 0u;
		if (ret->changes++ >= list_max || list == NULL)
			continue;
		plan_change(p, &p->entries[i], &c);
		add_digest(t, calls, &p->entries[i], &c);
		list(list_user, &c);
	}
	ret->dropped = ret->changes > list_max ? ret->changes - list_max : 0;
}

int stage_walk(const struct stage *s, const struct stage_meta *m, const struct walk_calls *calls, size_t list_max,
	       void (*list)(void *user, const struct change *c), void *list_user, struct walk_counts *ret,
	       struct err *e)
{
	__attribute__((cleanup(trees_finish))) struct trees t = { .n = 0 };
	__attribute__((cleanup(plan_finish))) struct plan p = { .entries = NULL };
	int r = trees_open(s, m, &t, e);

	if (r == 0)
		r = walk_plan(s, m, &t, calls, &p, e);
	if (r == 0)
		walk_list(&t, calls, &p, list_max, list, list_user, ret);
	return r;
}
