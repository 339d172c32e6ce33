#include "supervisor/plan.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell/base.h"
#include "judge/judge.h"
#include "supervisor/staging.h"

#define LINKS_MAX 40                    /* as the kernel follows */
#define SCRATCH_MAX (UINT64_C(4) << 30) /* /tmp, home and /dev/shm together, if no limit says less */

/* All rights that the grants together give on path; *ret_grant is the narrowest that covers it. */
static uint32_t rights_on(const struct grant_set *set, const char *path, uint32_t *ret_grant)
{
	uint32_t rights = 0;
	size_t narrowest = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);

		if (set->grants[i].rights == 0 || object[0] != '/' || !path_is_beneath(path, object))
			continue;
		rights |= set->grants[i].rights;
		if (set->grants[i].object_len >= narrowest) {
			narrowest = set->grants[i].object_len;
			*ret_grant = i;
		}
	}
	return rights;
}

/* The rights that path has anyway, because something above it is mounted with them. */
static uint32_t rights_above(const struct grant_set *set, const char *path)
{
	char above[GRANT_OBJECT_MAX];
	char *slash;
	uint32_t grant;

	(void)snprintf(above, sizeof above, "%s", path); /* objects are shorter than GRANT_OBJECT_MAX */
	slash = strrchr(above, '/');
	if (slash == NULL || slash == above)
		return strcmp(path, "/") == 0 ? 0 : rights_on(set, "/", &grant);
	*slash = 0;
	return rights_on(set, above, &grant);
}

/* Whether the very path, and not only something above it, is granted for writing. */
static bool is_written_by_name(const struct grant_set *set, const char *path)
{
	for (uint32_t i = 0; i < set->count; i++)
		if ((set->grants[i].rights & RIGHT_WRITE) != 0 && strcmp(grant_object(set, i), path) == 0)
			return true;
	return false;
}

/* A program in a tree that may be written but not run: it could be overwritten and executed, which only `work` and a
 * `write` of its name mean. */
static uint32_t not_both(const struct grant_set *set, uint32_t i, uint32_t rights)
{
	const char *object = grant_object(set, i);

	if (set->grants[i].verb != VERB_RUN || (rights & RIGHT_WRITE) == 0 ||
	    (rights_above(set, object) & RIGHT_RUN) != 0 || is_written_by_name(set, object))
		return rights;
	return rights & ~(uint32_t)RIGHT_WRITE;
}

static int add_grants(const struct grant_set *set, struct cell_spec *spec, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < set->count && r == 0; i++) {
		const char *object = grant_object(set, i);
		const uint32_t flags = (set->grants[i].flags & GRANT_OPTIONAL) != 0 ? CELL_PATH_OPTIONAL : 0;
		uint32_t grant = i, rights;

		if (set->grants[i].rights == 0 || object[0] != '/')
			continue;
		rights = not_both(set, i, rights_on(set, object, &grant));
		if (rights != rights_above(set, object) &&
		    !base_shows((enum cell_base)spec->base, object, rights)) /* checked by spec_check */
			r = spec_add_path(spec, object, rights, flags, grant, e);
	}
	return r;
}

static bool is_granted_by_name(const struct grant_set *set, const char *tree, const char *path)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);

		if ((set->grants[i].rights & RIGHT_WRITE) != 0 && strcmp(object, tree) != 0 &&
		    path_is_beneath(path, object) && path_is_beneath(object, tree))
			return true;
	}
	return false;
}

#define IN_GIT ".git/"

/* A repository granted by itself: a bare one, or the `.git` of a tree elsewhere. */
static bool is_repository(const char *tree)
{
	const size_t n = strlen(tree);

	return n >= 5 && strcmp(tree + n - 4, ".git") == 0;
}

/* A row of the table of protected names, as far as it says something of a name that is there already. */
struct protected_name {
	const char *name;
	int how; /* enum judge_kind, or one of these */
};
enum { PASS = -1, HOLD = -2 };

/* In place nothing is judged: what is obeyed all the time cannot be changed at all. A pattern would have to be looked for, and what
 * git keeps while it is in the middle of something is for git to change. */
static bool is_held_in_place(const struct protected_name *p)
{
	if (strchr(p->name, '*') != NULL || strncmp(p->name, ".git/rebase", 11) == 0 ||
	    strncmp(p->name, ".git/sequencer", 14) == 0)
		return false;
	switch (p->how) {
	case HOLD:
	case JUDGE_GIT_CONFIG:
	case JUDGE_GIT_FILE:
	case JUDGE_GIT_COMMONDIR:
	case JUDGE_GIT_MODULES:
	case JUDGE_NPMRC: return true;
	case JUDGE_GIT_ATTRIBUTES: return strncmp(p->name, ".git/", 5) == 0;
	default: return false;
	}
}

/* A writable tree in which names are held. */
struct holding {
	const struct grant_set *set;
	struct cell_spec *spec;
	const char *tree;
	uint32_t grant;
	bool file_only; /* of the name at hand */
	unsigned links; /* followed on the way to it */
};

/* Mounted on itself a name cannot be renamed away. What was held read-only once stays so, whoever leads there again: links are
 * a program's to make. */
static int pin(const struct holding *h, const char *path, bool read_only, struct err *e)
{
	uint32_t grant = h->grant, rights = rights_on(h->set, path, &grant);

	for (uint32_t i = 0; i < h->spec->n_paths; i++) {
		struct cell_path *p = &h->spec->paths[i];

		if (strcmp(spec_text(h->spec, p->path), path) != 0)
			continue;
		p->rights &= (uint16_t) ~(read_only ? RIGHT_WRITE : 0u);
		return 0;
	}
	if (read_only)
		rights &= ~(uint32_t)RIGHT_WRITE;
	return spec_add_path(h->spec, path, rights, CELL_PATH_PIN | (read_only ? CELL_PATH_OPTIONAL : 0u), grant, e);
}

static int hold(struct holding *h, const char *name, size_t done, struct err *e);

/* A link is held itself, and what it leads to if that can be written as well. 1: it leads to something. */
static int hold_link(struct holding *h, const char *path, const char *rest, struct err *e)
{
	char text[GRANT_OBJECT_MAX], above[GRANT_OBJECT_MAX], target[GRANT_OBJECT_MAX];
	const ssize_t n = readlink(path, text, sizeof text - 1);
	const size_t tree_len = strcmp(h->tree, "/") == 0 ? 0 : strlen(h->tree);
	struct stat st;

	if (n <= 0 || ++h->links > LINKS_MAX || (size_t)n + strlen(rest) >= sizeof text)
		return 0;
	memcpy(text + n, rest, strlen(rest) + 1); /* just measured */
	(void)snprintf(above, sizeof above, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (!path_normalise(above[0] != 0 ? above : "/", text, target, sizeof target))
		return 0;
	if (target[1] != 0 && path_is_beneath(target, h->tree) && target[tree_len] != 0)
		return hold(h, target + tree_len + 1, 0, e);
	return stat(target, &st) == 0 ? 1 : 0;
}

/* Holds what stands at name, from its part behind `done` on: 1 if there is something, and everything on the way to it. */
static int hold(struct holding *h, const char *name, size_t done, struct err *e)
{
	const size_t end = done + strcspn(name + done, "/");
	const bool last = name[end] == 0;
	char path[GRANT_OBJECT_MAX];
	struct stat st;
	int r;

	if (snprintf(path, sizeof path, "%s/%.*s", strcmp(h->tree, "/") == 0 ? "" : h->tree, (int)end, name) >=
		    (int)sizeof path ||
	    lstat(path, &st) < 0)
		return 0; /* longer than any path, or not there */
	if (last && !S_ISLNK(st.st_mode) && !S_ISREG(st.st_mode) && (h->file_only || !S_ISDIR(st.st_mode)))
		return 0;
	if (last && is_granted_by_name(h->set, h->tree, path))
		return 0;
	if (S_ISLNK(st.st_mode))
		r = hold_link(h, path, name + end, e);
	else
		r = last ? 1 : hold(h, name, end + 1, e);
	if (r < 0 || (r == 0 && !last))
		return r;
	r = pin(h, path, last || S_ISLNK(st.st_mode), e);
	return r < 0 ? r : 1;
}

static int protect(struct holding *h, const struct protected_name *protected, struct err *e)
{
	char name[64];
	int r;

	(void)snprintf(name, sizeof name, "%s", protected->name);
	if (name[strlen(name) - 1] == '/') /* only of a directory */
		name[strlen(name) - 1] = 0;
	r = hold(h,
		 is_repository(h->tree) && strncmp(name, IN_GIT, sizeof IN_GIT - 1) == 0 ? name + sizeof IN_GIT - 1
											 : name,
		 0, e);

	return r < 0 ? r : 0;
}

static int protect_names(const struct grant_set *set, struct cell_spec *spec, struct err *e)
{
	static const struct protected_name names[] = {
#define PROTECTED(name, how, where, why) { name, how },
#include "judge/protected.def"
#undef PROTECTED
		{ ".git/modules",
		  HOLD }, /* submodules' configuration and hooks, which staged are looked for one by one */
	};
	const uint32_t n = spec->n_paths;
	int r = 0;

	for (uint32_t i = 0; i < n && r == 0; i++) {
		const struct cell_path p = spec->paths[i];

		if (p.grant == GRANT_NONE || p.stage != 0 || (p.rights & RIGHT_WRITE) == 0)
			continue;
		for (size_t k = 0; k < sizeof names / sizeof names[0] && r == 0; k++) {
			struct holding h = { .set = set,
					     .spec = spec,
					     .tree = spec_text(spec, p.path),
					     .grant = p.grant,
					     .file_only = names[k].how == JUDGE_GIT_FILE };

			if (is_held_in_place(&names[k]))
				r = protect(&h, &names[k], e);
		}
	}
	return r;
}

/* In a directory of the cell's own, which is empty when it starts. */
static bool is_free_name(const struct cell_spec *spec, const char *path)
{
	const char *const rooms[] = { spec_text(spec, spec->home), "/tmp", "/var/tmp", "/dev/shm" };

	for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
		if (path_is_beneath(path, rooms[i]) && strcmp(path, rooms[i]) != 0)
			return true;
	return false;
}

/* A grant that was asked for by the name of a link: the link is shown too, unless something else stands there. */
static int add_links(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < q->n_links && r == 0; i++) {
		uint32_t grant;

		if (rights_on(&q->grants, q->links[i].name, &grant) == 0 &&
		    (is_free_name(spec, q->links[i].name) || !base_allows(spec, q->links[i].name, RIGHT_READ)))
			r = spec_add_link(spec, q->links[i].name, q->links[i].real, e);
	}
	return r;
}

/* What other events changed is nobody's to see, not even beneath a grant of the home, or of the directory beside a tree that lies on
 * another file system. */
static int hide_store(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	const uint32_t flags = CELL_PATH_HIDE | CELL_PATH_OPTIONAL;
	uint32_t grant;
	int r = 0;

	if (q->store[0] != 0 && rights_on(&q->grants, q->store, &grant) != 0)
		r = spec_add_path(spec, q->store, 0, flags, GRANT_NONE, e);
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++) {
		const char *object = grant_object(&q->grants, i);
		char path[GRANT_OBJECT_MAX];

		if (q->grants.grants[i].rights != 0 && object[0] == '/' &&
		    snprintf(path, sizeof path, "%s" STORE_BESIDE, object, geteuid()) < (int)sizeof path)
			r = spec_add_path(spec, path, 0, flags, GRANT_NONE, e);
	}
	return r;
}

static int add_hides(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	int r = hide_store(q, spec, e);

	for (uint32_t i = 0; i < q->n_hides && r == 0; i++)
		r = spec_hide_path(spec, q->hides[i], e);
	return r;
}

static uint32_t jit_of(const struct grant_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].verb == VERB_JIT)
			return CELL_JIT;
	return 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

/* Where the program starts: the workspace if the cell shows it or something in it, else its home. */
static const char *workdir_of(const struct event_request *q, const struct cell_spec *spec)
{
	uint32_t grant;

	if (spec->base == CELL_BASE_NONE)
		return "/";
	if (rights_on(&q->grants, q->workspace, &grant) != 0 ||
	    base_shows((enum cell_base)spec->base, q->workspace, RIGHT_READ)) /* checked by spec_check */
		return q->workspace;
	for (uint32_t i = 0; i < q->grants.count; i++)
		if (path_is_beneath(grant_object(&q->grants, i), q->workspace))
			return q->workspace;
	return q->home;
}

static int add_texts(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	bool full = false;

	spec->user = spec_add_text(spec, q->user, &full);
	spec->home = spec_add_text(spec, q->home, &full);
	spec->hostname = spec_add_text(spec, "cell", &full);
	spec->workdir = spec_add_text(spec, workdir_of(q, spec), &full);
	return full ? err_set(e, AMBIT_LIMIT, NULL, "the texts of the cell do not fit") : 0;
}

int plan_cell(const struct event_request *q, uint32_t inside_uid, uint32_t inside_gid, struct cell_spec *ret,
	      struct err *e)
{
	const uint64_t *limit = q->limits.value;
	int r;

	spec_init(ret);
	ret->base = q->base;
	ret->observe = q->observe;
	ret->flags = q->flags | jit_of(&q->grants);
	ret->without = q->without;
	ret->umask = q->umask;
	ret->uid = inside_uid;
	ret->gid = inside_gid;
	ret->limits = q->limits;
	ret->scratch_bytes = smaller(smaller(SCRATCH_MAX, limit[LIMIT_DISK]), limit[LIMIT_MEMORY]);
	r = add_texts(q, ret, e);
	r = r < 0 ? r : base_add(ret, e);
	r = r < 0 ? r : add_grants(&q->grants, ret, e);
	r = r < 0 ? r : staging_plan(q, ret, e);
	r = r < 0 ? r : protect_names(&q->grants, ret, e);
	r = r < 0 ? r : add_links(q, ret, e);
	r = r < 0 ? r : add_hides(q, ret, e);
	if (r < 0)
		return r;
	spec_sort(ret);
	return spec_check(ret, e);
}
