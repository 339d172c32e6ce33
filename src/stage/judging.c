#include "stage/judging.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/grant.h"
#include "judge/answer.h"
#include "judge/input.h"
#include "judge/protected.h"
#include "lib/parser.h"
#include "stage/aliases.h"
#include "stage/asked.h"
#include "stage/hidden.h"
#include "stage/sys.h"
#include "stage/unseen_list.h"

#define NEW_HIDDEN_MAX 1000                /* names that one event may add to a tree and that later ones do not see */
#define JUDGE_MEMORY (UINT64_C(256) << 20) /* of the role that judges */
#define INDEX_BYTES_MAX (UINT64_C(512) << 20) /* of all indices of git that one event changed: a second or two */
#define GIT_DIRS 64                           /* directories that are remembered: the deepest path of a tree, mostly */

struct judged {
	uint16_t tree;
	char *path; /* owned */
	struct judge_verdict verdict;
};

/* What is known of a directory: the paths asked for lie close to each other. */
struct known_dir {
	uint16_t tree;
	enum git_dir is;
	char *path; /* owned */
};

struct judging {
	struct role *role;         /* borrowed */
	const struct trees *trees; /* borrowed */
	struct judged *judged;     /* owned, sorted */
	size_t n_judged;
	struct known_dir known[GIT_DIRS];
	size_t next_known;
	struct aliases *aliases; /* owned; NULL before the first change, and where they cannot be found */
	struct err unknown;      /* why they cannot; code 0 before */
	struct buf unseen;       /* as unseen_list() has it; empty before an index changed */
	uint64_t index_bytes;    /* read so far */
	int unseen_state;        /* 0: not asked for yet, 1: it is known, or why it is not */
	char home[STAGE_PATH_MAX];
	uint32_t new_hidden[STAGE_TREES_MAX]; /* of each tree: new names that later events would not see */
	uint16_t tree;                        /* of the name that is being judged */
	const char *plain; /* that name, if neither there nor in the real tree there is a directory; else NULL */
};

int judging_create(struct role *role, const struct trees *trees, struct judging **ret, struct err *e)
{
	*ret = calloc(1, sizeof **ret);
	if (*ret == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	(*ret)->role = role;
	(*ret)->trees = trees;
	if (role->ask.home[0] == 0 || realpath(role->ask.home, (*ret)->home) == NULL)
		(*ret)->home[0] = 0;
	return 0;
}

void judging_destroy(struct judging *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n_judged; i++)
		free(j->judged[i].path);
	for (size_t i = 0; i < GIT_DIRS; i++)
		free(j->known[i].path);
	free(j->judged);
	aliases_destroy(j->aliases);
	buf_finish(&j->unseen);
	free(j);
}

/* ---- what git takes for a repository ---- */

enum layer { LAYER_NONE, LAYER_REAL, LAYER_UPPER };

/* Where `name` of the directory would come from once all is committed. Best effort: what cannot be looked at is taken to be
 * there, in the upper layer. */
static enum layer layer_of(const struct judging *j, uint16_t tree, const char *dir, const char *name)
{
	char path[CHANGE_PATH_MAX + 16];
	struct look l;
	auto_fd int upper = -1, real = -1;

	if (snprintf(path, sizeof path, "%s%s%s", dir, dir[0] != 0 ? "/" : "", name) >= (int)sizeof path)
		return LAYER_UPPER;
	upper = sys_open_beneath(j->trees->upper[tree], path, O_PATH | O_NOFOLLOW);
	/* what is deleted may stay after all: a person can commit a part */
	if (upper == -EXDEV || (upper >= 0 && (sys_look(upper, "", &l) < 0 || !l.is_whiteout)))
		return LAYER_UPPER;
	real = sys_open_beneath(j->trees->real[tree], path, O_PATH | O_NOFOLLOW);
	return real == -EXDEV || real >= 0 ? LAYER_REAL : LAYER_NONE;
}

static enum git_dir look_at_dir(const struct judging *j, uint16_t tree, const char *dir)
{
	static const char *const names[] = { "HEAD", "objects", "refs" };
	bool some_real = false, some_new = false;

	if (layer_of(j, tree, dir, "HEAD") == LAYER_NONE)
		return GIT_DIR_NOT;
	if (layer_of(j, tree, dir, "commondir") != LAYER_NONE)
		return layer_of(j, tree, dir, "HEAD") == LAYER_REAL ? GIT_DIR_IS : GIT_DIR_MADE_OF_OLD;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const enum layer l = layer_of(j, tree, dir, names[i]);

		if (l == LAYER_NONE)
			return GIT_DIR_NOT;
		some_real |= l == LAYER_REAL;
		some_new |= l == LAYER_UPPER;
	}
	/* one whose HEAD or references changed was one before; so was none of which a part is missing in the real tree */
	if (some_real && some_new) {
		auto_fd int real = sys_open_beneath(j->trees->real[tree], dir, O_PATH | O_DIRECTORY);
		struct look l;

		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			if (real < 0 || sys_look(real, names[i], &l) < 0)
				return GIT_DIR_MADE_OF_OLD;
	}
	return GIT_DIR_IS;
}

/* arg: the judging; the path is absolute, in the tree of the change at hand or above it. */
static enum git_dir is_git_dir(void *arg, const char *path, size_t n)
{
	struct judging *j = arg;
	const char *tree = j->role->meta->trees[j->tree].real;
	const size_t skip = strcmp(tree, "/") == 0 ? 0 : strlen(tree);
	char dir[CHANGE_PATH_MAX];
	struct known_dir *k;

	if (n < skip || n - skip >= sizeof dir)
		return GIT_DIR_NOT; /* above the tree nothing changes, and names tell */
	if (j->plain != NULL && n - skip == strlen(j->plain) + 1)
		return GIT_DIR_NOT;
	(void)snprintf(dir, sizeof dir, "%.*s", (int)(n > skip ? n - skip - 1 : 0), n > skip ? path + skip + 1 : "");
	for (size_t i = 0; i < GIT_DIRS; i++)
		if (j->known[i].path != NULL && j->known[i].tree == j->tree && strcmp(j->known[i].path, dir) == 0)
			return j->known[i].is;
	k = &j->known[j->next_known++ % GIT_DIRS];
	free(k->path);
	*k = (struct known_dir){ .tree = j->tree, .is = look_at_dir(j, j->tree, dir), .path = strdup(dir) };
	return k->is;
}

/* ---- names ---- */

static void join(const char *tree, const char *path, size_t n, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s%s%.*s", strcmp(tree, "/") == 0 ? "" : tree, n > 0 ? "/" : "", (int)n, path);
}

/* A grant of the protected name, or of something beneath it. */
static bool is_granted(const struct judging *j, const struct change *c, size_t name_len)
{
	const struct stage_meta *m = j->role->meta;
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX], name[STAGE_PATH_MAX + CHANGE_PATH_MAX];

	join(m->trees[c->tree].real, c->path, strlen(c->path), path, sizeof path);
	join(m->trees[c->tree].real, c->path, name_len, name, sizeof name);
	for (uint32_t i = 0; i < m->n_names; i++)
		if (m->asks[i] != STAGE_ASKS_ONLY && path_is_beneath(path, m->names[i]) &&
		    path_is_beneath(m->names[i], name))
			return true;
	for (uint32_t i = 0; i < j->role->ask.n_granted; i++)
		if (path_is_beneath(path, j->role->ask.granted[i]) && path_is_beneath(j->role->ask.granted[i], name))
			return true;
	return false;
}

/* A grant of something in the tree that covers it: what a link leads to is named so, too. */
static bool is_granted_apart(const struct judging *j, const struct change *c)
{
	const struct stage_meta *m = j->role->meta;
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX];

	join(m->trees[c->tree].real, c->path, strlen(c->path), path, sizeof path);
	for (uint32_t i = 0; i < m->n_names; i++)
		if (m->asks[i] != STAGE_ASKS_ONLY && path_is_beneath(path, m->names[i]) &&
		    !path_is_beneath(m->trees[c->tree].real, m->names[i]))
			return true;
	return false;
}

/* A file that has another name can be changed by that, unseen. */
static bool has_other_name(const struct judging *j, const struct change *c)
{
	const char *name;
	auto_fd int dir = -1;
	struct look l;

	if (c->kind == CHANGE_LINK)
		return true;
	if (c->type != CHANGE_FILE || c->path[0] == 0)
		return false;
	dir = sys_open_parent(j->trees->upper[c->tree], c->path, &name);
	return dir >= 0 && sys_look(dir, name, &l) == 0 && l.id.nlink > 1;
}

static bool names(const struct judging *j, uint16_t tree, const char *path)
{
	char full[STAGE_PATH_MAX + CHANGE_PATH_MAX];

	join(j->role->meta->trees[tree].real, path, strlen(path), full, sizeof full);
	for (uint32_t i = 0; i < j->role->ask.n_granted; i++)
		if (strcmp(full, j->role->ask.granted[i]) == 0)
			return true;
	return false;
}

bool judging_is_named(void *user, uint16_t tree, const char *path)
{
	return names(user, tree, path);
}

/* Whether it, or a directory above it that is hidden itself, is named now. */
static bool is_shown_now(const struct judging *j, uint16_t tree, const char *path)
{
	char above[CHANGE_PATH_MAX];
	char *slash;

	if (j->role->ask.n_granted == 0 || !text_copy(above, sizeof above, path))
		return false;
	do {
		if (names(j, tree, above))
			return true;
		slash = strrchr(above, '/');
		if (slash != NULL)
			*slash = 0;
	} while (slash != NULL && mask_hides(&j->role->unseen[tree], above));
	return false;
}

bool judging_is_hidden(void *user, uint16_t tree, const char *path)
{
	const struct judging *j = user;

	return mask_hides(&j->role->unseen[tree], path) && !is_shown_now(j, tree, path);
}

static int by_path(const void *a, const void *b)
{
	const struct judged *ja = a, *jb = b;

	return ja->tree != jb->tree ? (int)ja->tree - (int)jb->tree : strcmp(ja->path, jb->path);
}

static const struct judged *find_judged(const struct judging *j, const struct change *c)
{
	struct judged want = { .tree = c->tree, .path = (char *)(uintptr_t)c->path }; /* only compared */

	return j->n_judged == 0 ? NULL : bsearch(&want, j->judged, j->n_judged, sizeof want, by_path);
}

static void as_judged(const struct judging *j, const struct change *c, const char *reason, struct verdict *ret)
{
	const struct judged *found = find_judged(j, c);

	if (found == NULL)
		return;
	ret->held = found->verdict.inert ? HELD_NOT : HELD_PROTECTED;
	ret->reason[0] = 0;
	if (!found->verdict.inert && ret->judge == JUDGE_GIT_INDEX)
		(void)text_copy(ret->reason, sizeof ret->reason, found->verdict.why); /* it says all there is to say */
	else if (!found->verdict.inert && snprintf(ret->reason, sizeof ret->reason, "%s: %s", reason,
						   found->verdict.why) >= (int)sizeof ret->reason)
		(void)text_copy(ret->reason, sizeof ret->reason, found->verdict.why); /* the same size */
}

/* What was there before is of the same kind, or there was nothing. */
static bool is_plain(const struct change *c)
{
	return c->type != CHANGE_DIRECTORY && c->kind != CHANGE_MODIFIED && c->kind != CHANGE_LINK;
}

/* path: a name of the changed thing, in a tree or in the home. */
static void match_in(struct judging *j, const struct change *c, uint16_t tree, const char *path,
		     struct name_verdict *ret)
{
	const bool at_home = tree == ALIASES_HOME;
	struct name_case name = { .tree = at_home ? j->home : j->role->meta->trees[tree].real,
				  .path = path,
				  .type = c->type,
				  .deleted = c->kind == CHANGE_DELETED,
				  .replaced = c->kind == CHANGE_MODIFIED && c->type == CHANGE_DIRECTORY,
				  .is_git_dir = at_home ? NULL : is_git_dir,
				  .arg = j };

	j->tree = tree;
	j->plain = path == c->path && is_plain(c) ? path : NULL;
	protected_match(&name, ret);
	if (ret->held == HELD_JUDGED && has_other_name(j, c)) {
		name.linked = true;
		protected_match(&name, ret);
	}
}

static void match(struct judging *j, const struct change *c, const char *path, struct name_verdict *ret)
{
	match_in(j, c, c->tree, path, ret);
}

/* ---- names that later events would not see ---- */

/* The part of the path that ends at `end`, and where it begins. False: it is no file's name. */
static bool part_before(const char *path, size_t end, char ret[NAME_MAX + 1], size_t *ret_at)
{
	size_t at = end;

	while (at > 0 && path[at - 1] != '/')
		at--;
	if (end - at > NAME_MAX)
		return false;
	memcpy(ret, path + at, end - at);
	ret[end - at] = 0;
	*ret_at = at;
	return true;
}

/* By the first n bytes of a path, absolute or relative to what is called root. */
static bool looks_hidden(const char *root, const char *path, size_t n)
{
	char name[NAME_MAX + 1], above[NAME_MAX + 1];
	size_t at, unused;

	if (n == 0 || !part_before(path, n, name, &at))
		return false;
	if (at == 0)
		return hidden_match(root, name) != NULL;
	return part_before(path, at - 1, above, &unused) && hidden_match(above, name) != NULL;
}

/* A new name that is hidden from now on, in what is not hidden anyway. In a tree that is called like a secret nothing is. */
static bool is_new_hidden(const struct judging *j, const struct change *c)
{
	const char *tree = j->role->meta->trees[c->tree].real, *root = strrchr(tree, '/') + 1; /* it is absolute */

	if ((c->kind != CHANGE_ADDED && c->kind != CHANGE_RENAMED && c->kind != CHANGE_LINK) ||
	    !looks_hidden(root, c->path, strlen(c->path)) || looks_hidden("", tree, strlen(tree)))
		return false;
	for (const char *slash = strchr(c->path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		if (looks_hidden(root, c->path, (size_t)(slash - c->path)))
			return false;
	return true;
}

/* ---- links with protected names ---- */

static bool is_obeyed(void *user, uint16_t tree, const char *path)
{
	const struct change link = { .kind = CHANGE_MODE, .type = CHANGE_SYMLINK };
	struct name_verdict v;

	match_in(user, &link, tree, path, &v);
	return v.held != HELD_NOT;
}

/* Once, with the first change: what changes nothing costs nothing. */
static bool know_aliases(struct judging *j)
{
	const struct aliases_ask ask = { .trees = j->trees,
					 .meta = j->role->meta,
					 .store_fd = j->role->shelf.store_fd,
					 .store = j->role->ask.store,
					 .home = j->home,
					 .is_obeyed = is_obeyed,
					 .user = j };

	if (j->aliases == NULL && j->unknown.code == AMBIT_OK)
		(void)aliases_find(&ask, &j->aliases, &j->unknown); /* told with each change */
	return j->aliases != NULL;
}

/* ---- floods of hidden names ---- */

void judging_count(void *user, const struct change *c)
{
	struct judging *j = user;

	if (c == NULL) {
		memset(j->new_hidden, 0, sizeof j->new_hidden);
		if (j->aliases != NULL)
			aliases_count_hidden(j->aliases, 0, NULL);
	} else if (is_new_hidden(j, c)) {
		j->new_hidden[c->tree]++;
		if (know_aliases(j))
			aliases_count_hidden(j->aliases, c->tree, c->path);
	}
}

/* Each is an inode in front of later events, and there is room for no more than SCAN_NAMES_MAX. A program that makes so many
 * seldom means to. A grant is to name the directory at the top of the tree, or one further down. */
static void match_flood(const struct judging *j, const struct change *c, struct name_verdict *ret)
{
	static const char many[] =
		"one of more than 1000 new names that look like secrets and that later events would not see; --write of their directory lets all pass";
	static const char full[] =
		"it looks like a secret, and the tree would hold more of those than any later event can start with";
	static const char crowd[] =
		"it looks like a secret, and its directory would hold more than 4096 of those, so that later events would see nothing of it; --write of that lets it pass";
	const uint32_t added = j->new_hidden[c->tree];
	const bool is_full = added > 0 && j->aliases != NULL &&
			     aliases_hidden(j->aliases, c->tree) + added > SCAN_NAMES_MAX;
	const bool is_crowd = added > 0 && j->aliases != NULL && aliases_would_crowd(j->aliases, c->tree, c->path);
	struct name_verdict v = { .held = HELD_PROTECTED, .reason = full, .row = "", .name_len = strlen(c->path) };

	if (!is_full) {
		v.reason = added > NEW_HIDDEN_MAX ? many : crowd;
		v.name_len = strcspn(c->path, "/");
	}
	if ((is_full || is_crowd || added > NEW_HIDDEN_MAX) && is_new_hidden(j, c) && !is_granted(j, c, v.name_len))
		*ret = v; /* else what holds it still does, be it its content */
}

/* ---- what a link leads to ---- */

struct match_job {
	struct judging *j;
	const struct change *c;
	struct name_verdict *ret;
	char *link; /* by which it is held, for the person */
	size_t link_size;
};

/* What lay beneath the name is gone, or is another; or the name is a link now. A new directory is judged by what lies in it. */
static bool leads_elsewhere(const struct change *c)
{
	return c->kind == CHANGE_DELETED || c->kind == CHANGE_MODIFIED || c->kind == CHANGE_RENAMED ||
	       (c->type == CHANGE_SYMLINK && c->kind != CHANGE_MODE);
}

/* As a person finds it: from the tree of the change, from their home, or absolute. */
static void name_link(const struct judging *j, const struct change *c, const struct alias_match *m, char *ret,
		      size_t size)
{
	if (m->link_tree == c->tree)
		(void)snprintf(ret, size, "%s", m->link);
	else if (m->link_tree == ALIASES_HOME)
		(void)snprintf(ret, size, "~/%s", m->link);
	else
		join(j->role->meta->trees[m->link_tree].real, m->link, strlen(m->link), ret, size);
}

/* A link with a protected name leads to it, or over it. */
static bool match_alias(void *user, const struct alias_match *m)
{
	static const char road[] = "a link with a protected name leads over it";
	struct match_job *job = user;
	const struct change *c = job->c;
	struct name_verdict v = { .held = HELD_NOT };

	if (m->kind == ALIAS_SAME)
		match_in(job->j, c, m->link_tree, m->name, &v);
	else if (m->kind == ALIAS_ROAD || leads_elsewhere(c))
		v = (struct name_verdict){ .held = HELD_PROTECTED, .reason = road, .row = "" };
	if (v.held == HELD_NOT)
		return true;
	if (m->kind == ALIAS_SAME && v.name_len == 0 && m->link_tree == c->tree)
		return true; /* the whole tree has a protected name, by which it was granted */
	*job->ret = v;
	job->ret->name_len = m->len; /* of the path itself, which a grant would have to name */
	name_link(job->j, c, m, job->link, job->link_size);
	return false;
}

static void match_aliases(struct judging *j, const struct change *c, struct name_verdict *ret, char *link, size_t size)
{
	struct match_job job = { .j = j, .c = c, .ret = ret, .link = link, .link_size = size };

	aliases_each(j->aliases, c->tree, c->path, match_alias, &job);
}

/* The same file under a protected name could be changed by this one. */
static void match_first_name(struct judging *j, const struct change *c, struct name_verdict *ret)
{
	struct name_verdict v;

	match(j, c, c->from, &v);
	if (v.held != HELD_NOT)
		*ret = (struct name_verdict){
			.held = HELD_PROTECTED, .reason = v.reason, .row = v.row, .name_len = strlen(c->path)
		};
}

/* A file that is merely called so is none. */
static bool leads_into_dependencies(const struct judging *j, uint16_t tree, char *path)
{
	const char *real = j->role->meta->trees[tree].real;
	auto_fd int upper = sys_open_beneath(j->trees->upper[tree], path, O_PATH | O_DIRECTORY);
	auto_fd int lower = sys_open_beneath(j->trees->real[tree], path, O_PATH | O_DIRECTORY);
	char *slash;

	if (upper >= 0 || lower >= 0)
		return protected_in_dependencies(real, path);
	slash = strrchr(path, '/');
	if (slash == NULL)
		return false;
	*slash = 0;
	return protected_in_dependencies(real, path);
}

/* In dependencies less is held, since nobody stands there when a program looks: so nothing may lead there from outside of them. */
static void match_target(struct judging *j, const struct change *c, struct name_verdict *ret)
{
	static const char why[] = "a link into dependencies, in which editors and shells are not expected to look";
	const char *real = j->role->meta->trees[c->tree].real, *name;
	char text[CHANGE_PATH_MAX], above[STAGE_PATH_MAX + CHANGE_PATH_MAX], full[GRANT_OBJECT_MAX];
	auto_fd int dir = c->path[0] == 0 ? -1 : sys_open_parent(j->trees->upper[c->tree], c->path, &name);
	const ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, text, sizeof text - 1);

	const size_t skip = strcmp(real, "/") == 0 ? 0 : strlen(real);

	if (n <= 0 || protected_in_dependencies(real, c->path))
		return;
	text[n] = 0;
	join(real, c->path, (size_t)(name - c->path), above, sizeof above);
	if (path_normalise(above, text, full, sizeof full) && path_is_beneath(full, real) && full[skip] != 0 &&
	    leads_into_dependencies(j, c->tree, full + skip + 1))
		*ret = (struct name_verdict){
			.held = HELD_PROTECTED, .reason = why, .row = "", .name_len = strlen(c->path)
		};
}

/* ---- the index of git ---- */

/* Whether the event's trees had anything that it could not see. Once, with the first index that changed. */
static bool could_not_see(struct judging *j)
{
	if (j->unseen_state == 0) {
		const int r = unseen_list(j->role, &j->unseen);

		j->unseen_state = r < 0 ? r : 1;
	}
	return j->unseen_state < 0 || j->unseen.len > 0;
}

static bool was_there(const struct judging *j, uint16_t tree, const char *path)
{
	auto_fd int fd = sys_open_beneath(j->trees->real[tree], path, O_PATH | O_NOFOLLOW);

	return fd != -ENOENT && fd != -ENOTDIR;
}

/* Git takes what it cannot see for deleted, and `git commit -a` for what is to be deleted from the repository. No protection from a program that
 * means to: that can make a commit without an index. So it is judged of an event that still runs as well. */
static void match_index(struct judging *j, const struct change *c, struct name_verdict *ret)
{
	static const char unknown[] = "whether it still has the names that git could not see is not known";
	static const char many[] = "more names were hidden than can be looked for in it";
	const char *slash = strrchr(c->path, '/');
	char dir[STAGE_PATH_MAX + CHANGE_PATH_MAX];

	if (strcasecmp(slash != NULL ? slash + 1 : c->path, "index") != 0 || c->kind == CHANGE_MODE ||
	    !could_not_see(j))
		return;
	join(j->role->meta->trees[c->tree].real, c->path, slash != NULL ? (size_t)(slash - c->path) : 0, dir,
	     sizeof dir);
	j->tree = c->tree;
	j->plain = NULL;
	if (is_git_dir(j, dir, strlen(dir)) == GIT_DIR_NOT || !was_there(j, c->tree, c->path))
		return;
	*ret = (struct name_verdict){
		.held = HELD_JUDGED, .judge = JUDGE_GIT_INDEX, .reason = unknown, .row = "", .name_len = strlen(c->path)
	};
	if (j->unseen_state < 0) {
		ret->held = HELD_PROTECTED;
		ret->reason = many;
	}
}

/* With the link, if it is held by one: nobody thinks of that by themselves. */
static void explain(const struct name_verdict *v, const char *link, char ret[CHANGE_REASON_MAX])
{
	char shown[CHANGE_REASON_MAX];

	if (link[0] == 0 || snprintf(ret, CHANGE_REASON_MAX, "%s (by the link %s)", v->reason,
				     text_escape(shown, sizeof shown, link, strlen(link))) >= CHANGE_REASON_MAX)
		(void)snprintf(ret, CHANGE_REASON_MAX, "%s", v->reason); /* cut is fine */
}

void judging_name(void *user, const struct change *c, struct verdict *ret)
{
	struct judging *j = user;
	char link[STAGE_PATH_MAX + CHANGE_PATH_MAX] = "", reason[CHANGE_REASON_MAX];
	struct name_verdict v;

	match(j, c, c->path, &v);
	if (c->kind == CHANGE_LINK && v.held == HELD_NOT)
		match_first_name(j, c, &v);
	if (c->type == CHANGE_SYMLINK && c->kind != CHANGE_DELETED && v.held == HELD_NOT)
		match_target(j, c, &v);
	if (v.held == HELD_NOT && !is_granted_apart(j, c)) {
		if (know_aliases(j))
			match_aliases(j, c, &v, link, sizeof link);
		else
			v = (struct name_verdict){
				.held = HELD_PROTECTED, .reason = j->unknown.msg, .row = "", .name_len = strlen(c->path)
			};
	}
	if (v.held == HELD_NOT || v.held == HELD_JUDGED)
		match_flood(j, c, &v);
	if (v.held == HELD_NOT || is_granted(j, c, v.name_len))
		match_index(j, c, &v); /* a grant of what holds it names no index */
	explain(&v, link, reason);
	ret->held = v.held;
	ret->judge = v.judge;
	ret->later = v.later;
	memcpy(ret->reason, reason, sizeof reason);
	if (v.held != HELD_NOT && is_granted(j, c, v.name_len)) {
		ret->held = HELD_NOT;
		ret->reason[0] = 0;
	} else if (v.held == HELD_JUDGED && v.judge != JUDGE_GIT_INDEX && j->role->in_use) {
		ret->held = HELD_PROTECTED; /* what was judged could be something else by the time it is copied */
		if (snprintf(ret->reason, sizeof ret->reason, "%s, and its event still runs", reason) >=
		    (int)sizeof ret->reason)
			(void)text_copy(ret->reason, sizeof ret->reason, v.reason); /* it is short */
	} else if (v.held == HELD_JUDGED) {
		as_judged(j, c, reason, ret);
	}
	if (ret->held == HELD_NOT && asked_by(j->role->meta, c, NULL) >= 0) {
		ret->held = HELD_ASKED;
		(void)text_copy(ret->reason, sizeof ret->reason, "a grant says ask"); /* fits */
	}
}

/* ---- contents ---- */

struct contents {
	struct buf old, now, gitdir, config, more;
};

static void contents_init(struct contents *c)
{
	buf_init(&c->old, JUDGE_INDEX_MAX + 8192);
	buf_init(&c->now, JUDGE_INDEX_MAX + 8192);
	buf_init(&c->gitdir, JUDGE_CONTENT_MAX + 8192);
	buf_init(&c->config, 2 * (JUDGE_CONTENT_MAX + 8192));
	buf_init(&c->more, JUDGE_CONTENT_MAX + 8192);
}

static void contents_finish(struct contents *c)
{
	buf_finish(&c->old);
	buf_finish(&c->now);
	buf_finish(&c->gitdir);
	buf_finish(&c->config);
	buf_finish(&c->more);
}

/* At most a piece more than `most`; false if there is no such regular file. */
static bool read_content(int tree_fd, const char *path, size_t most, struct buf *ret)
{
	const char *name;
	auto_fd int dir = sys_open_parent(tree_fd, path, &name), fd = -1;
	struct stat st;
	ssize_t n = 0;

	buf_reset(ret);
	fd = dir < 0 ? -1 : sys_open_name(dir, name, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	for (uint8_t piece[4096]; ret->len <= most && (n = read(fd, piece, sizeof piece)) > 0;)
		buf_put(ret, piece, (size_t)n);
	return n >= 0 && !ret->failed;
}

/* Of a renamed file the old name can be what is judged: an index that was moved away. */
static bool is_by_old_name(const struct change *c)
{
	return c->judge == JUDGE_NONE && c->from[0] != 0;
}

static const char *judged_path(const struct change *c)
{
	return is_by_old_name(c) ? c->from : c->path;
}

/* As it was before the event, which says where git found the work tree. Not there is as good as empty; what is there and cannot be read (a
 * link) may say anything, as does what is in no form. */
static void read_beside(const struct judging *j, const struct change *c, const char *name, struct buf *ret)
{
	const char *index = judged_path(c), *slash = strrchr(index, '/');
	char path[CHANGE_PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%.*s%s", slash != NULL ? (int)(slash - index + 1) : 0, index,
		       name); /* it fits */
	if (read_content(j->trees->real[c->tree], path, JUDGE_CONTENT_MAX, ret))
		return;
	buf_reset(ret);
	if (was_there(j, c->tree, path))
		buf_put(ret, "[", 1);
}

static void add_beside(const struct judging *j, const struct change *c, struct contents *room, struct judge_case *ret)
{
	read_beside(j, c, "gitdir", &room->gitdir);
	read_beside(j, c, "config", &room->config);
	read_beside(j, c, "config.worktree", &room->more); /* says the last word, where sparse checkouts are */
	buf_put(&room->config, "\n\n", 2);                 /* a last line may go on in the next one */
	buf_put(&room->config, room->more.data, room->more.len);
	ret->gitdir = (const char *)room->gitdir.data;
	ret->gitdir_len = room->gitdir.len;
	ret->config = (const char *)room->config.data;
	ret->config_len = room->config.len;
}

static int put_case(struct judging *j, struct judge_batch *batch, const struct change *c, struct contents *room)
{
	struct judge_case judge = { .kind = is_by_old_name(c) ? JUDGE_GIT_INDEX : c->judge,
				    .tree = j->role->meta->trees[c->tree].real,
				    .path = judged_path(c) };
	const bool is_index = judge.kind == JUDGE_GIT_INDEX;
	const size_t most = judge_content_max(judge.kind);
	uint64_t bytes;
	int r;

	if (is_index && j->index_bytes > INDEX_BYTES_MAX)
		return -AMBIT_UNKNOWN;
	judge.had_old = read_content(j->trees->real[c->tree], judge.path, most, &room->old);
	if (is_index && !judge.had_old)
		return -AMBIT_UNKNOWN; /* a link, for one */
	if (!read_content(j->trees->upper[c->tree], judge.path, most, &room->now)) {
		if (!is_index || room->now.failed)
			return -AMBIT_UNKNOWN; /* nothing to be judged: it is held */
		buf_reset(&room->now);         /* it is gone */
	}
	bytes = is_index ? room->old.len + room->now.len : 0;
	j->index_bytes += bytes;
	if (j->index_bytes > INDEX_BYTES_MAX)
		return -AMBIT_UNKNOWN;
	judge.old = room->old.data;
	judge.old_len = judge.had_old ? room->old.len : 0;
	judge.now = room->now.data;
	judge.now_len = room->now.len;
	if (is_index)
		add_beside(j, c, room, &judge);
	r = judge_batch_put(batch, &judge);
	if (r == -AMBIT_LIMIT)
		j->index_bytes -= bytes; /* it is read again, for the next batch */
	return r;
}

/* The batch as standard input of the role that judges, and its answer. */
static int ask_judge(const struct judge_batch *batch, struct judge_verdict *ret, struct err *e)
{
	auto_fd int fd = memfd_create("ambit-judge", MFD_CLOEXEC);
	struct parser_ask ask = { .role = "ambit-judge", .input_fd = fd, .memory_bytes = JUDGE_MEMORY };
	auto_buf out = { .max = 0 };
	int status, r;

	if (fd < 0 || fd_write_all(fd, batch->bytes.data, batch->bytes.len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot hand over what is to be judged");
	buf_init(&out, JUDGE_ANSWER_MAX);
	r = parser_run(&ask, &out, &status, e);
	if (r == 0 && status != 0)
		r = err_set(e, AMBIT_LIMIT, NULL, "ambit-judge failed with status %d", status);
	return r < 0 ? r : judge_answer_decode(out.data, out.len, batch->n, ret, e);
}

static int keep_answers(struct judging *j, const struct change *const *asked, const struct judge_verdict *v, size_t n,
			struct err *e)
{
	struct judged *grown = realloc(j->judged, (j->n_judged + n) * sizeof *grown);

	if (grown == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	j->judged = grown;
	for (size_t i = 0; i < n; i++) {
		char *path = asked[i] != NULL ? strdup(judged_path(asked[i]))
					      : NULL; /* each of a batch has its change */

		if (path == NULL)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
		j->judged[j->n_judged++] = (struct judged){ .tree = asked[i]->tree, .path = path, .verdict = v[i] };
	}
	return 0;
}

static int judge_some(struct judging *j, const struct change *const *asked, const struct judge_batch *batch,
		      struct err *e)
{
	auto_free struct judge_verdict *v = calloc(batch->n, sizeof *v);
	int r;

	if (batch->n == 0)
		return 0;
	if (v == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	r = ask_judge(batch, v, e);
	if (r ==
	    -AMBIT_LIMIT) { /* it did not survive: then what it was asked about is held, and all else can be looked at */
		for (size_t i = 0; i < batch->n; i++)
			v[i] = (struct judge_verdict){
				.why = "it could not be judged: it takes more than a judge has"
			};
		r = 0;
	}
	return r < 0 ? r : keep_answers(j, asked, v, batch->n, e);
}

int judging_contents(struct judging *j, struct change *const *changes, size_t n, struct err *e)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
	auto_free const struct change **asked = calloc(JUDGE_CASES_MAX, sizeof *asked);
	struct contents room;
	struct judge_batch batch;
	int r = 0;

	if (asked == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to judge changes");
	contents_init(&room);
	judge_batch_init(&batch, (const char *)j->unseen.data, j->unseen.len);
	for (size_t i = 0; i < n && r == 0; i++) {
		int put;

		if (changes[i]->held != HELD_JUDGED)
			continue;
		put = put_case(j, &batch, changes[i], &room);
		if (put == -AMBIT_LIMIT) {
			r = judge_some(j, asked, &batch, e);
			judge_batch_finish(&batch);
			judge_batch_init(&batch, (const char *)j->unseen.data, j->unseen.len);
			put = r < 0 ? r : put_case(j, &batch, changes[i], &room);
		}
		if (put == 0)
			asked[batch.n - 1] = changes[i];
	}
	r = r < 0 ? r : judge_some(j, asked, &batch, e);
	judge_batch_finish(&batch);
	contents_finish(&room);
	if (r == 0 && j->n_judged > 1)
		qsort(j->judged, j->n_judged, sizeof *j->judged, by_path);
	return r;
}

bool judging_knows_more(const struct judging *j)
{
	return j->n_judged > 0;
}
