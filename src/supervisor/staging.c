#include "supervisor/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/filesystem.h"
#include "base/text.h"
#include "stage/before.h"
#include "stage/claim.h"
#include "stage/durable.h"
#include "stage/hidden.h"
#include "stage/listing.h"
#include "stage/place.h"
#include "stage/unseen.h"
#include "supervisor/frozen.h"
#include "supervisor/holding.h"
#include "supervisor/inplace.h"

#define HIDDEN_IN_PLACE_MAX 200 /* each is a path of the cell: CELL_PATHS_MAX */

/* The stage of which tree this is the whole, or in which it lies; 0 if there is none. */
static uint16_t stage_over(const struct cell_spec *spec, const bool *whole, const char *path)
{
	for (uint32_t i = 0; i < spec->n_stages; i++)
		if (whole[i] && path_is_beneath(path, spec_text(spec, spec->stages[i].tree)))
			return (uint16_t)(i + 1); /* at most CELL_STAGES_MAX */
	return 0;
}

/* The stage in which single files of a directory lie. */
static int stage_of_file(struct cell_spec *spec, bool *whole, const char *path, uint16_t *ret, struct err *e)
{
	char above[GRANT_OBJECT_MAX];
	char *slash;
	int r;

	(void)snprintf(above, sizeof above, "%s", path); /* objects are shorter */
	slash = strrchr(above, '/');
	slash[slash == above ? 1 : 0] = 0;
	for (uint32_t i = 0; i < spec->n_stages; i++)
		if (!whole[i] && strcmp(spec_text(spec, spec->stages[i].tree), above) == 0) {
			*ret = (uint16_t)(i + 1); /* at most CELL_STAGES_MAX */
			return 0;
		}
	r = spec_add_stage(spec, above, ret, e);
	if (r == 0)
		whole[*ret - 1] = false;
	return r;
}

static int stage_path(struct cell_spec *spec, bool *whole, struct cell_path *p, struct err *e)
{
	const char *path = spec_text(spec, p->path);
	struct stat st;
	int r;

	p->stage = stage_over(spec, whole, path);
	if (p->stage != 0 || (p->rights & RIGHT_WRITE) == 0 || lstat(path, &st) < 0)
		return 0; /* what is not there, the cell finds out */
	if (S_ISREG(st.st_mode))
		return stage_of_file(spec, whole, path, &p->stage, e);
	if (!S_ISDIR(st.st_mode))
		return 0; /* a device or a pipe holds nothing */
	r = spec_add_stage(spec, path, &p->stage, e);
	if (r == 0)
		whole[p->stage - 1] = true;
	return r;
}

int staging_plan(const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	bool whole[CELL_STAGES_MAX] = { false };
	int r = 0;

	spec_sort(spec); /* parents first */
	for (uint32_t i = 0; i < spec->n_paths && r == 0 && q->staged != 0; i++) {
		struct cell_path *p = &spec->paths[i];

		if (p->grant != GRANT_NONE && (p->flags & (CELL_PATH_LINK | CELL_PATH_HIDE | CELL_PATH_DEVICE)) == 0)
			r = stage_path(spec, whole, p, e);
	}
	return r;
}

static uint64_t unix_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Whether the cell sees all of the tree: only then the tree itself is among the paths. */
static bool is_whole(const struct cell_spec *spec, uint32_t stage)
{
	for (uint32_t i = 0; i < spec->n_paths; i++)
		if (spec->paths[i].stage == stage + 1 &&
		    strcmp(spec_text(spec, spec->paths[i].path), spec_text(spec, spec->stages[stage].tree)) == 0)
			return true;
	return false;
}

static int add_name(struct stage_meta *m, const char *name, enum stage_asks asks, struct err *e)
{
	if (m->n_names == STAGE_NAMES_MAX)
		return err_set(e, AMBIT_LIMIT, "grant directories instead of single files",
			       "more than %d grants for writing", STAGE_NAMES_MAX);
	m->asks[m->n_names] = (uint8_t)asks;
	(void)text_copy(m->names[m->n_names++], STAGE_PATH_MAX, name); /* objects are shorter */
	return 0;
}

static int add_declassify(struct stage_meta *m, const char *label, const struct qualifiers *q, struct err *e)
{
	if (m->n_declassify == STAGE_DECLASSIFY_MAX)
		return err_set(e, AMBIT_LIMIT, "grant those that matter", "more than %d grants declassify",
			       STAGE_DECLASSIFY_MAX);
	(void)text_copy(m->declassify[m->n_declassify].label, FLOW_LABEL_MAX, label); /* no label is longer */
	m->declassify[m->n_declassify].uses = q->uses;
	m->declassify[m->n_declassify++].asks = q->ask != 0;
	return 0;
}

static int describe(const struct event_request *q, const struct cell_spec *spec, struct stage_meta *m, struct err *e)
{
	int r = 0;

	(void)text_copy(m->event, sizeof m->event, q->event);             /* of the same size */
	(void)text_copy(m->command, sizeof m->command, q->command);       /* likewise */
	(void)text_copy(m->ledger, sizeof m->ledger, q->ledger);          /* likewise */
	(void)text_copy(m->agent, sizeof m->agent, q->agent);             /* likewise */
	(void)text_copy(m->workspace, sizeof m->workspace, q->workspace); /* likewise */
	(void)text_copy(m->session, sizeof m->session, q->session);       /* likewise */
	(void)text_copy(m->stream, sizeof m->stream, q->stream);          /* likewise */
	m->labels = q->labels_most;
	/* as files have it: compared with theirs where upper has no birth */
	m->started_ns = unix_ns(CLOCK_REALTIME_COARSE);
	durable_boot(m->boot);
	m->n_trees = spec->n_stages;
	for (uint32_t i = 0; i < spec->n_stages; i++) {
		(void)text_copy(m->trees[i].real, STAGE_PATH_MAX, spec_text(spec, spec->stages[i].tree));
		m->trees[i].whole = is_whole(spec, i);
	}
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++)
		if ((q->grants.grants[i].rights & RIGHT_WRITE) != 0)
			r = add_name(m, grant_object(&q->grants, i),
				     q->grants.grants[i].qualifiers.ask != 0 ? STAGE_ASKS : STAGE_ASKS_NOT, e);
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++)
		if (q->grants.grants[i].verb == VERB_DECLASSIFY)
			r = add_declassify(m, grant_object(&q->grants, i), &q->grants.grants[i].qualifiers, e);
	for (uint32_t i = 0; i < q->n_asked && r == 0; i++)
		r = add_name(m, q->asked[i], STAGE_ASKS_ONLY, e);
	return r;
}

/* ---- hidden names ---- */

void staging_init(struct staging *s)
{
	s->store = s->claim_event = NULL;
	s->spec = NULL;
	s->n_masks = 0;
	s->claim_store_fd = s->claim_fd = -1;
}

/* Whether a grant of it is one of a secret: of a file, or of a directory that is one. One of any other directory hides what is in it. */
static bool is_named(const char *object)
{
	char parent[GRANT_OBJECT_MAX];
	char *slash, *above;
	struct stat st;

	if (lstat(object, &st) < 0 || !S_ISDIR(st.st_mode) || !text_copy(parent, sizeof parent, object))
		return true;
	slash = strrchr(parent, '/'); /* it is absolute */
	*slash = 0;
	above = strrchr(parent, '/');
	return hidden_match(above != NULL ? above + 1 : "", slash + 1) != NULL;
}

/* What grants name beneath the tree, relative to it: secrets, and directories that are none. */
struct named {
	const char *secrets[GRANTS_MAX], *directories[GRANTS_MAX];
};

static void list_named(const struct grant_set *set, const char *tree, struct named *room, struct exempt *ret)
{
	const size_t skip = strcmp(tree, "/") == 0 ? 1 : strlen(tree) + 1;

	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);

		if (set->grants[i].rights == 0 || object[0] != '/' || strcmp(object, tree) == 0 ||
		    !path_is_beneath(object, tree))
			continue;
		if (is_named(object))
			room->secrets[ret->n++] = object + skip;
		else
			room->directories[ret->n_directories++] = object + skip;
	}
	ret->paths = room->secrets;
	ret->directories = room->directories;
}

/* The store, or where there can be none a spare one: an event that only reads needs it for no more than masks. */
static int open_store(const struct event_request *q, char path[STAGE_PATH_MAX], int *ret_fd, struct err *e)
{
	struct err told;

	(void)snprintf(path, STAGE_PATH_MAX, "%s", q->store); /* it is as long */
	if (q->store[0] != 0 && place_open_store(q->store, ret_fd, &told) == 0)
		return 0;
	*ret_fd = place_open_spare(path, STAGE_PATH_MAX);
	if (*ret_fd >= 0)
		return 0;
	return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME to a directory of your own",
		       "no place for what hides likely secrets: neither %s nor %s",
		       q->store[0] != 0 ? q->store : "a home", "one in /var/tmp");
}

/* Where masks of the tree are kept; its path in path. */
static int open_cache(const char *store, const char *tree, int tree_fd, int store_fd, char *path, size_t size,
		      int *ret_fd, struct err *e)
{
	const struct place_ask ask = { .store = store, .tree = tree, .store_fd = store_fd, .tree_fd = tree_fd };
	auto_fd int above = -1;
	struct stat st;
	size_t n;
	int r = place_open_cache(&ask, path, size, &above, e);

	r = r < 0 ? r : mask_cache_open(above, tree_fd, tree, ret_fd, e);
	if (r < 0)
		return r;
	n = strlen(path);
	if (fstat(tree_fd, &st) < 0 || snprintf(path + n, size - n, "/" MASK_CACHE_NAME, (unsigned long long)st.st_dev,
						(unsigned long long)st.st_ino) >= (int)(size - n))
		return err_set(e, AMBIT_LIMIT, "set XDG_STATE_HOME to a shorter path", "%s: the path is too long",
			       store);
	return 0;
}

enum hide {
	HIDE_BY_LAYER,
	HIDE_IN_PLACE,       /* only the list is asked for */
	HIDE_BY_LAYER_IF_CAN /* in place, if no layer can lie where the cache does: the home of most containers */
};

/* What the person may enter and not list, a cell can open by names that it knows; and its owner can make it listed where it can be written. */
static bool open_in_cell(const char *tree, enum hide how, int sys_errno)
{
	struct stat st;

	return sys_errno == EACCES && lstat(tree, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (access(tree, X_OK) == 0 || (how != HIDE_BY_LAYER_IF_CAN && st.st_uid == geteuid()));
}

static int cannot_look(const char *tree, struct err *e)
{
	return err_set(e, AMBIT_DENIED, "let its owner list it (chmod u+rx); or grant something else",
		       "%s cannot be looked into for what is to be hidden, or held", tree);
}

/* What becomes of what was found in a tree: NULLs, nothing. */
struct found {
	struct scan *scan; /* takes it */
	int keep_fd;
	const char *keep; /* a file for it */
};

/* The mask of a tree, which is empty if nothing is to be hidden; its place as a text of the spec, 0 if there is no layer. */
static int hide_names(const struct event_request *q, struct cell_spec *spec, const char *tree, enum hide how,
		      struct found found, struct mask *ret, uint32_t *ret_text, struct err *e)
{
	static struct named named;
	auto_fd int tree_fd = place_open(tree), store_fd = -1, cache_fd = -1;
	struct mask_ask ask = { .tree_fd = tree_fd, .path = tree };
	char store[STAGE_PATH_MAX], path[STAGE_PATH_MAX], layer[STAGE_PATH_MAX + sizeof ret->dir];
	bool full = false;
	int r;

	*ret_text = 0;
	mask_init(ret);
	if (found.scan != NULL)
		scan_init(found.scan, 0);
	if (tree_fd < 0)
		return open_in_cell(tree, how, errno) ? cannot_look(tree, e) : 0; /* else the cell says why */
	r = open_store(q, store, &store_fd, e);
	r = r < 0 ? r : open_cache(store, tree, tree_fd, store_fd, path, sizeof path, &cache_fd, e);
	if (r < 0)
		return r;
	ask.cache_fd = cache_fd;
	ask.store_fd = store_fd;
	ask.scan = found.scan;
	ask.keep_fd = found.keep_fd;
	ask.keep = found.keep;
	list_named(&q->grants, tree, &named, &ask.exempt);
	ask.apart = how == HIDE_BY_LAYER_IF_CAN;
	ask.list_only = how == HIDE_IN_PLACE || (how == HIDE_BY_LAYER_IF_CAN && !filesystem_takes_overlay(cache_fd));
	r = mask_make(&ask, ret, e);
	if (r < 0 || ret->dir[0] == 0)
		return r;
	(void)snprintf(layer, sizeof layer, "%s/%s", path, ret->dir); /* it fits */
	*ret_text = spec_add_text(spec, layer, &full);
	return full ? err_set(e, AMBIT_LIMIT, NULL, "the texts of the cell do not fit") : 0;
}

/* The first place in the tree at which something is mounted; NULL: there is none. An ordinary user's overlay cannot lie over a tree that has
 * one: the kernel keeps a user namespace from seeing what a mount of its parent covers. */
static const char *find_mounted(const char *tree, const struct mask_list *l)
{
	auto_fd int tree_fd = place_open(tree);
	const uint64_t mount = tree_fd < 0 || geteuid() == 0 ? 0 : place_mount_of(tree_fd, "");

	for (uint32_t i = 0; i < l->n && mount != 0; i++) {
		const struct mask_entry entry = mask_list_entry(l, i);
		const uint64_t there = entry.kind == MASK_FOREIGN ? place_mount_of(tree_fd, entry.path) : mount;

		if (there != 0 && there != mount)
			return entry.path;
	}
	return NULL;
}

/* A directory that is granted to be read and lies in no tree that was looked at before. */
static bool is_read_tree(const struct cell_spec *spec, const struct cell_path *p, const char *last)
{
	const char *path = spec_text(spec, p->path);
	struct stat st;

	return p->stage == 0 && p->grant != GRANT_NONE && (p->rights & RIGHT_READ) != 0 &&
	       (p->flags & (CELL_PATH_LINK | CELL_PATH_HIDE | CELL_PATH_DEVICE)) == 0 &&
	       (last == NULL || !path_is_beneath(path, last)) && lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void stage_beneath(struct cell_spec *spec, const char *tree, uint16_t stage)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		struct cell_path *p = &spec->paths[i];

		if (p->stage == 0 && p->grant != GRANT_NONE && (p->rights & RIGHT_WRITE) == 0 &&
		    (p->flags & (CELL_PATH_LINK | CELL_PATH_HIDE | CELL_PATH_DEVICE)) == 0 &&
		    path_is_beneath(spec_text(spec, p->path), tree))
			p->stage = stage;
	}
}

/* One by one: something empty is mounted on each. A link is shown, since what it leads to has a name of its own; and so is, if
 * `foreign`, what is mounted in the tree, of which nothing is known. */
static int hide_list(struct cell_spec *spec, const char *tree, const struct mask_list *l, bool foreign, struct err *e)
{
	char path[STAGE_PATH_MAX];
	int r = 0;

	for (uint32_t i = 0, n = 0; i < l->n && r == 0; i++) {
		const struct mask_entry entry = mask_list_entry(l, i);

		if (entry.kind == MASK_ON_THE_WAY || (entry.kind == MASK_FOREIGN && foreign))
			continue;
		if (++n > HIDDEN_IN_PLACE_MAX ||
		    snprintf(path, sizeof path, "%s/%s", tree[1] == 0 ? "" : tree, entry.path) >= (int)sizeof path)
			return err_set(
				e, AMBIT_LIMIT,
				"run it without --direct, with XDG_STATE_HOME on ext4, xfs or btrfs; grant less, or grant "
				"them by name",
				"%s: more than %d names to hide, or too long ones, where no layer hides them", tree,
				HIDDEN_IN_PLACE_MAX);
		r = spec_hide_path(spec, path, e);
	}
	return r;
}

/* Likewise, where no layer gives the cell pipes of its own. */
static int hide_pipes_of(struct cell_spec *spec, const char *tree, int tree_fd, const char *directory,
			 struct listing *room, struct err *e)
{
	auto_fd int fd = scan_open(tree_fd, directory);
	char path[STAGE_PATH_MAX];
	enum listing_kind unused;
	const char *name;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : cannot_look(tree, e);
	listing_begin(room, fd);
	while (r == 0 && (name = listing_next(room, &unused)) != NULL) {
		if (!room->is_pipe)
			continue;
		if (snprintf(path, sizeof path, "%s/%s%s%s", tree[1] == 0 ? "" : tree, directory,
			     directory[0] == 0 ? "" : "/", name) >= (int)sizeof path)
			return err_set(e, AMBIT_LIMIT, "grant a smaller tree", "%s: the path of a pipe is too long",
				       tree);
		r = spec_hide_path(spec, path, e);
	}
	return r == 0 && room->sys_errno != 0 && room->sys_errno != ENOENT ? cannot_look(tree, e)
									   : r; /* removed meanwhile */
}

static int hide_pipes(struct cell_spec *spec, const char *tree, const struct scan *s, struct err *e)
{
	auto_fd int tree_fd = place_open(tree);
	auto_free struct listing *room = malloc(sizeof *room);
	char directory[SCAN_PATH_MAX];
	int r = 0;

	if (room == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "hidden names: begin");
	for (uint32_t i = 0; i < s->n_dirs && r == 0; i++)
		if ((s->dirs[i].flags & SCAN_PIPES) != 0 && !scan_path(s, i, directory, sizeof directory))
			r = cannot_look(tree, e); /* it was listed: it fits */
		else if ((s->dirs[i].flags & SCAN_PIPES) != 0)
			r = hide_pipes_of(spec, tree, tree_fd, directory, room, e);
	return r;
}

static int hide_in_read_trees(const struct event_request *q, struct cell_spec *spec, struct staging *s, struct err *e)
{
	const uint32_t n = spec->n_paths;
	const char *last = NULL;
	int r = 0;

	for (uint32_t i = 0; i < n && r == 0; i++) {
		const char *tree = spec_text(spec, spec->paths[i].path);
		struct mask mask;
		struct scan scan;
		uint32_t text = 0;
		uint16_t stage = 0;

		if (!is_read_tree(spec, &spec->paths[i], last) || (spec->paths[i].rights & RIGHT_WRITE) != 0)
			continue;
		last = tree;
		r = hide_names(q, spec, tree, HIDE_BY_LAYER_IF_CAN, (struct found){ .scan = &scan }, &mask, &text, e);
		if (r == 0 && s->meta.n_trees > 0) /* else nothing is staged, and no index can change */
			r = unseen_add_elsewhere(s->stage.dir_fd, tree, &mask.list, e);
		if (r == 0 && text != 0 && find_mounted(tree, &mask.list) != NULL)
			text = 0;
		s->unkept = s->unkept || text == 0;
		if (r == 0 && text != 0)
			r = spec_add_stage(spec, tree, &stage, e);
		else if (r == 0)
			r = hide_list(spec, tree, &mask.list, false, e);
		if (r == 0 && text == 0)
			r = hide_pipes(spec, tree, &scan, e);
		scan_finish(&scan);
		if (r < 0 || text == 0) {
			mask_finish(&mask);
			continue;
		}
		spec->stages[stage - 1].mask = text;
		s->masks[stage - 1] = mask;
		s->n_masks = stage;
		stage_beneath(spec, tree, stage);
	}
	if (spec->n_paths > n)
		spec_sort(spec);
	return r;
}

/* In what can be written there is no overlay that could hide anything, and nothing is judged. What is held comes first: hiding it wins. */
static int hold_and_hide(const struct event_request *q, struct cell_spec *spec, const struct inplace_tree *tree,
			 struct err *e)
{
	auto_fd int tree_fd = place_open(tree->path);
	struct scan scan;
	struct mask mask;
	uint32_t text = 0;
	int r = hide_names(q, spec, tree->path, HIDE_IN_PLACE, (struct found){ .scan = &scan }, &mask, &text, e);

	if (r == 0 && (tree_fd < 0 || scan.n_dirs == 0))
		r = cannot_look(tree->path, e);
	else if (r == 0)
		r = inplace_hold(tree, tree_fd, &scan, &mask, spec, e);
	r = r < 0 ? r : hide_list(spec, tree->path, &mask.list, true, e);
	mask_finish(&mask);
	scan_finish(&scan);
	return r;
}

/* Whether the cell has the host's own directory there, to be written. */
static bool is_in_place(const struct cell_spec *spec, const char *path)
{
	struct stat st;

	for (uint32_t i = 0; i < spec->n_paths; i++) {
		const struct cell_path *p = &spec->paths[i];

		if (p->grant != GRANT_NONE && p->stage == 0 && (p->rights & RIGHT_WRITE) != 0 &&
		    (p->flags & (CELL_PATH_LINK | CELL_PATH_HIDE | CELL_PATH_DEVICE | CELL_PATH_PIN)) == 0 &&
		    path_is_beneath(path, spec_text(spec, p->path)))
			return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each directory that is granted for writing is a tree of its own, also in another one or in what is held there: parents first. */
static size_t list_in_place(const struct grant_set *set, const struct cell_spec *spec, const char *ret[GRANTS_MAX])
{
	size_t n = 0, unique = 0;

	for (uint32_t i = 0; i < set->count; i++)
		if ((set->grants[i].rights & RIGHT_WRITE) != 0 && grant_object(set, i)[0] == '/' &&
		    is_in_place(spec, grant_object(set, i)))
			ret[n++] = grant_object(set, i);
	qsort(ret, n, sizeof *ret, by_text);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || strcmp(ret[unique - 1], ret[i]) != 0)
			ret[unique++] = ret[i];
	return unique;
}

/* What lies on the way to a directory of Ambit's own (the ledger, the secrets; "" is none) cannot be moved aside with it: another one could be
 * put in its place. */
static int hold_way_to(const char *own, const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	struct holding h;
	char path[GRANT_OBJECT_MAX];
	int r = 0;

	if (!text_copy(path, sizeof path, own))
		return err_set(e, AMBIT_LIMIT, "choose a shorter path", "%s: the path is too long", own);
	holding_begin(&h, &q->grants, own, spec);
	for (char *slash = strrchr(path, '/'); slash != NULL && slash != path && r >= 0; slash = strrchr(path, '/')) {
		*slash = 0;
		r = holding_pin(&h, path, false, e);
	}
	return holding_finish(&h, r < 0 ? r : 0, e);
}

static int look_in_place(const struct event_request *q, struct cell_spec *spec, const char *const *trees, size_t n,
			 struct err *e)
{
	struct inplace_tree tree = { .set = &q->grants, .all = trees, .n_all = n };
	char frozen[GRANT_OBJECT_MAX];
	int r = n > 0 ? hold_way_to(q->ledger, q, spec, e) : 0;

	r = r < 0 || n == 0 ? r : hold_way_to(q->secrets, q, spec, e);
	r = r < 0 || n == 0 ? r : hold_way_to(q->secrets_key, q, spec, e);
	r = r < 0 || n == 0 || !frozen_place(q->store, frozen) ? r : hold_way_to(frozen, q, spec, e);
	r = r < 0 || n == 0 ? r : hold_way_to(q->authority, q, spec, e);
	for (size_t i = 0; i < n && r == 0; i++) {
		tree.path = trees[i];
		if (tree.outer == NULL || !path_is_beneath(tree.path, tree.outer))
			tree.outer = tree.path;
		r = inplace_hold_top(&tree, spec, e);
		r = r < 0 ? r : hold_and_hide(q, spec, &tree, e);
	}
	spec_drop_hidden(spec);
	spec_sort(spec);
	return r;
}

static int nothing_is_mounted(const char *tree, const struct mask_list *l, struct err *e)
{
	const char *at = find_mounted(tree, l);

	if (at == NULL)
		return 0;
	return err_why(e,
		       err_set(e, AMBIT_HOST, "grant the directories around it; or --direct writes in place",
			       "cannot stage what is written beneath %s", tree),
		       "something is mounted in it: %s", at);
}

static int hide_in_stages(const struct event_request *q, struct cell_spec *spec, struct staging *s, struct err *e)
{
	char name[BEFORE_NAME_MAX];
	int r = 0;

	for (uint32_t i = 0; i < s->meta.n_trees && r == 0; i++) {
		const struct found found = { .keep_fd = s->stage.dir_fd, .keep = name };

		before_name(i, name);
		mask_init(&s->masks[i]);
		s->n_masks = i + 1;
		if (s->meta.trees[i].whole)
			r = hide_names(q, spec, s->meta.trees[i].real, HIDE_BY_LAYER, found, &s->masks[i],
				       &spec->stages[i].mask, e);
		r = r < 0 ? r : nothing_is_mounted(s->meta.trees[i].real, &s->masks[i].list, e);
		if (r == 0 && s->masks[i].list.n > 0)
			r = unseen_write(s->stage.dir_fd, i, &s->masks[i], e);
	}
	return r;
}

static void finish_masks(struct staging *s)
{
	for (uint32_t i = 0; i < s->n_masks; i++)
		mask_finish(&s->masks[i]);
	s->n_masks = 0;
}

bool staging_hides(const struct staging *s, const char *path)
{
	for (uint32_t i = 0; i < s->n_masks; i++) {
		const char *tree = spec_text(s->spec, s->spec->stages[i].tree);

		if (s->masks[i].list.n > 0 && path_is_beneath(path, tree) && strcmp(path, tree) != 0 &&
		    mask_hides(&s->masks[i], path + (tree[1] == 0 ? 1 : strlen(tree) + 1)))
			return true;
	}
	return false;
}

/* ---- claims ---- */

/* Also a store that others can look into is one that a commit opens; -1: nobody can commit from it. */
static int open_claims(const char *store)
{
	int fd = -1;

	if (store[0] != 0 && place_open_store(store, &fd, NULL) < 0)
		fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

/* A commit to what this event writes would put other files in the place of those that are held in the cell. */
static int claim_in_place(const struct event_request *q, const char *const *trees, size_t n, struct staging *s,
			  struct err *e)
{
	if (n > 0)
		s->claim_store_fd = open_claims(q->store);
	if (s->claim_store_fd < 0)
		return 0;
	s->claim_event = q->event;
	return claim_make(s->claim_store_fd, q->event, trees, n, &s->claim_fd, e);
}

static void end_claim(struct staging *s)
{
	claim_end(s->claim_store_fd, s->claim_event, &s->claim_fd);
	fd_close(&s->claim_store_fd);
}

/* ---- the whole ---- */

/* Whoever lets go of a tree last takes its lock's file away: mostly that is this event. */
static void let_go_of_trees(const char *store, struct staging *s)
{
	auto_fd int store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (uint32_t i = 0; i < s->meta.n_trees && store_fd >= 0; i++)
		stage_tree_unlock(store_fd, &s->meta.trees[i], &s->stage.tree_lock[i]);
}

static int make_stages(const struct event_request *q, struct cell_spec *spec, struct staging *ret, struct err *e)
{
	bool full = false;
	int r = describe(q, spec, &ret->meta, e);

	r = r < 0 ? r : stage_create(q->store, &ret->meta, &ret->stage, e);
	if (r == 0 && q->beside != 0)
		let_go_of_trees(q->store, ret); /* a commit that was under way is over; later ones need not wait */
	if (r < 0)
		return r;
	ret->store = q->store;
	for (uint32_t i = 0; i < spec->n_stages; i++)
		spec->stages[i].part = spec_add_text(spec, ret->meta.trees[i].dir, &full);
	return full ? err_set(e, AMBIT_LIMIT, NULL, "the texts of the cell do not fit") : 0;
}

int staging_make(const struct event_request *q, struct cell_spec *spec, struct staging *ret, struct err *e)
{
	const char *trees[GRANTS_MAX];
	size_t n = 0;
	int r = 0;

	ret->spec = spec;
	ret->unkept = q->staged == 0 || q->beside != 0 || q->own != 0 || spec->base == CELL_BASE_HOST;
	if (spec->n_stages > 0)
		r = make_stages(q, spec, ret, e);
	if (spec->base == CELL_BASE_HOST || q->own != 0) /* learning has a list of its own */
		return r;
	if (q->staged == 0)
		n = list_in_place(&q->grants, spec, trees);
	r = r < 0 ? r : claim_in_place(q, trees, n, ret, e); /* before anything is looked at */
	r = r < 0 || spec->n_stages == 0 ? r : hide_in_stages(q, spec, ret, e);
	r = r < 0 ? r : hide_in_read_trees(q, spec, ret, e);
	return r < 0 || q->staged != 0 ? r : look_in_place(q, spec, trees, n, e);
}

/* ---- waiting ---- */

int staging_wait(const struct event_request *q, struct staging *s, struct err *e)
{
	if (s->unkept)
		return err_set(e, AMBIT_UNAVAILABLE, NULL,
			       "a cell that does more than stage its workspace does not wait");
	for (uint32_t i = 0; s->store != NULL && i < s->meta.n_trees; i++)
		if (!path_is_beneath(s->meta.trees[i].dir, q->store))
			return err_set(e, AMBIT_UNAVAILABLE, NULL,
				       "a cell holds the file system of %s, and does not wait", s->meta.trees[i].real);
	s->made_ns = unix_ns(CLOCK_REALTIME_COARSE);
	for (uint32_t i = 0; s->store != NULL && i < s->meta.n_trees; i++)
		if (stat(s->meta.trees[i].real, &s->was[i]) < 0)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot look at %s", s->meta.trees[i].real);
	if (s->store != NULL)
		let_go_of_trees(q->store, s);
	return 0;
}

/* Whether the tree is still what its stage was made from, and nobody wrote in its stage. */
static bool is_same_tree(const struct staging *s, uint32_t i)
{
	const struct stat *was = &s->was[i];
	struct stat st;

	/* its time of change is of its owner, mode, attributes, and names: an overlay has the first three of when it was made */
	return stat(s->meta.trees[i].real, &st) == 0 && st.st_dev == was->st_dev && st.st_ino == was->st_ino &&
	       st.st_ctim.tv_sec == was->st_ctim.tv_sec && st.st_ctim.tv_nsec == was->st_ctim.tv_nsec;
}

/* Looks for hidden names once more: what is hidden is a layer that stands already. */
static int look_again(const struct event_request *q, struct staging *s, uint32_t i, bool *ret_same, struct err *e)
{
	static struct cell_spec scratch; /* for the layer's path, of which one is there */
	const struct mask *was = &s->masks[i];
	const bool own = i < s->meta.n_trees;
	char name[BEFORE_NAME_MAX];
	const struct found found = { .keep_fd = s->stage.dir_fd, .keep = own ? name : NULL };
	struct mask now;
	uint32_t text;
	int r;

	before_name(i, name);
	if (own)
		(void)unlinkat(s->stage.dir_fd, name, 0);
	r = hide_names(q, &scratch, spec_text(s->spec, s->spec->stages[i].tree),
		       own ? HIDE_BY_LAYER : HIDE_BY_LAYER_IF_CAN, found, &now, &text, e);
	*ret_same = r == 0 && strcmp(now.dir, was->dir) == 0 && buf_is_same(&now.list.bytes, &was->list.bytes);
	mask_finish(&now);
	return r;
}

/* The clock that changes of files are told by, which no call tells (fs/inode.c, inode_set_ctime_current: since Linux 6.13 some are later than CLOCK_REALTIME_COARSE). */
static int tick(struct staging *s, struct err *e)
{
	struct stat st;

	if (futimens(s->stage.lock_fd, NULL) < 0 || fstat(s->stage.lock_fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot tell the time of a stage");
	s->meta.started_ns = (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec;
	return 0;
}

int staging_begin(const struct event_request *q, struct staging *s, struct err *e)
{
	auto_fd int store_fd = s->store != NULL ? open(q->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = s->store != NULL && store_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open %s", q->store)
						 : 0;

	for (uint32_t i = 0; s->store != NULL && i < s->meta.n_trees && r == 0; i++)
		r = stage_tree_share(store_fd, &s->meta.trees[i], &s->stage.tree_lock[i], e);
	return r < 0 || s->store == NULL ? r : tick(s, e);
}

/* A clock that was set back would make what changed before look as if that came after. */
static bool is_as_before(const struct staging *s)
{
	if (s->meta.started_ns < s->made_ns)
		return false;
	for (uint32_t i = 0; i < s->meta.n_trees; i++)
		if (!is_same_tree(s, i))
			return false;
	return stage_is_untouched(&s->stage, &s->meta);
}

int staging_resume(const struct event_request *q, struct staging *s, bool *ret_stale, struct err *e)
{
	bool same = s->store == NULL || is_as_before(s);
	int r = 0;

	for (uint32_t i = 0; i < s->n_masks && r == 0 && same; i++)
		if (i >= s->meta.n_trees || s->meta.trees[i].whole)
			r = look_again(q, s, i, &same, e);
	*ret_stale = !same;
	if (r < 0 || !same || s->store == NULL)
		return r;
	(void)text_copy(s->meta.command, sizeof s->meta.command, q->command); /* of the same size */
	(void)text_copy(s->meta.ledger, sizeof s->meta.ledger, q->ledger);    /* likewise */
	(void)text_copy(s->meta.session, sizeof s->meta.session, q->session);
	(void)text_copy(s->meta.stream, sizeof s->meta.stream, q->stream);
	s->meta.labels = q->labels_most;
	return stage_write_meta(&s->stage, &s->meta, STAGE_WRITE_CACHED, e);
}

static enum stage_why why_of(const struct event_outcome *o)
{
	switch (o->cause) {
	case CAUSE_EXITED: return o->status == 0 ? STAGE_WHY_ASKED : STAGE_WHY_FAILED;
	case CAUSE_LIMIT: return STAGE_WHY_LIMIT;
	case CAUSE_KILLED: return STAGE_WHY_KILLED;
	case CAUSE_CANARY: return STAGE_WHY_CANARY;
	case CAUSE_LOST:
	case CAUSE_REFUSED: return STAGE_WHY_LOST;
	}
	return STAGE_WHY_LOST;
}

static void let_go(struct staging *s)
{
	let_go_of_trees(s->store, s);
	stage_finish(&s->stage);
}

void staging_close(struct staging *s, struct event_outcome *o)
{
	finish_masks(s);
	end_claim(s);
	if (s->store != NULL)
		o->workspace = stage_is_untouched(&s->stage, &s->meta) ? WORKSPACE_UNTOUCHED : WORKSPACE_STAGED;
}

void staging_end(struct staging *s, bool alone, const struct event_outcome *o)
{
	if (s->store == NULL)
		return;
	s->meta.labels = o->labels;
	if (o->workspace == WORKSPACE_UNTOUCHED) {
		(void)stage_remove_untouched(s->store, &s->stage, &s->meta); /* what is left, a later event sweeps */
	} else {
		s->meta.state = STAGE_KEPT;
		s->meta.why = why_of(o);
		s->meta.ended_ns = unix_ns(CLOCK_REALTIME);
		if (alone)                                             /* who settles it would sync */
			(void)durable_sync(&s->stage, &s->meta, NULL); /* noted in the meta */
		/* without it, it counts as lost, which is kept */
		(void)stage_write_meta(&s->stage, &s->meta, alone ? STAGE_WRITE_NOW : STAGE_WRITE_CACHED, NULL);
		let_go(s);
	}
	s->store = NULL;
}

void staging_drop(struct staging *s)
{
	finish_masks(s);
	end_claim(s);
	/* what is left, a later event sweeps */
	if (s->store != NULL && stage_waits(&s->meta))
		(void)stage_remove_waiting(s->store, &s->stage, &s->meta);
	else if (s->store != NULL)
		(void)stage_remove_untouched(s->store, &s->stage, &s->meta);
	s->store = NULL;
}
