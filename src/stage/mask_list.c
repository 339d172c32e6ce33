#include "stage/mask_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "stage/listing.h"

#define PATH_SIZE 4096

/* An entry while the list is made. */
struct item {
	uint64_t ino;
	int64_t ctime_s;
	uint32_t ctime_ns;
	uint32_t path; /* in paths */
	enum mask_kind kind;
	bool recent;
	bool enter; /* a hidden directory, of which something is exempt: still to be looked into */
};

struct job {
	const struct scan_ask *ask;
	const struct scan *s;
	const char *above; /* the path of the scan's own tree, "" for that of ask */
	const struct exempt *exempt;
	struct err *e;
	bool *on_the_way; /* owned: of each directory of the scan */
	bool layer;       /* as asked for */
	struct buf paths;
	struct item *items; /* owned */
	uint32_t n, room, n_hidden;
	/* rooms that are written before they are read, and so not cleared: 36 KB would cost more than a small tree */
	struct listing listing;
	char path[PATH_SIZE];
};

void mask_list_init(struct mask_list *l)
{
	*l = (struct mask_list){ .n = 0 };
	buf_init(&l->bytes, (size_t)2 * MASK_LIST_MAX); /* the paths, and the heads of entries */
}

void mask_list_finish(struct mask_list *l)
{
	buf_finish(&l->bytes);
	free(l->at);
	l->at = NULL;
	l->n = 0;
}

static int no_memory(struct job *j)
{
	if (j->paths.len + PATH_SIZE > j->paths.max)
		return err_set(j->e, AMBIT_LIMIT, "name the files, or grant a smaller tree",
			       "hidden names: their paths are longer than %u bytes together", MASK_LIST_MAX);
	return err_sys(j->e, AMBIT_MEMORY, ENOMEM, NULL, "hidden names: remember what is hidden");
}

/* Whether path is `above` or lies beneath it. */
static bool is_beneath(const char *path, const char *above)
{
	const size_t n = strlen(above);

	return n == 0 || (strncmp(path, above, n) == 0 && (path[n] == 0 || path[n] == '/'));
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* No scan looks into what may be a store (scan.c): a tree with the name of a secret does not show those in it. */
static bool is_exempt(const struct job *j, const char *path)
{
	for (size_t i = 0; i < j->exempt->n; i++)
		if (is_beneath(path, j->exempt->paths[i]))
			return true;
	return j->exempt->all && strncmp(last_part(path), STORE_PREFIX, strlen(STORE_PREFIX)) != 0;
}

static bool leads_to_exempt(const struct job *j, const char *path)
{
	for (size_t i = 0; i < j->exempt->n; i++)
		if (is_beneath(j->exempt->paths[i], path))
			return true;
	return false;
}

static bool make_room(struct job *j)
{
	const uint32_t want = j->room == 0 ? 64 : j->room * 2; /* at most twice what a scan holds */
	struct item *grown;

	if (j->n < j->room)
		return true;
	grown = realloc(j->items, want * sizeof *grown);
	if (grown == NULL)
		return false;
	j->items = grown;
	j->room = want;
	return true;
}

static int add(struct job *j, struct item item, const char *path)
{
	if (mask_kind_is_absent(item.kind) && ++j->n_hidden > j->ask->limits.names)
		return err_set(j->e, AMBIT_LIMIT, "name the files, or grant a smaller tree",
			       "hidden names: the tree has more than %u names that are to be hidden",
			       j->ask->limits.names);
	item.path = (uint32_t)j->paths.len; /* at most MASK_LIST_MAX */
	buf_put(&j->paths, path, strlen(path) + 1);
	if (j->paths.failed || !make_room(j))
		return no_memory(j);
	j->items[j->n++] = item;
	return 0;
}

/* A hidden name at j->path. */
static int hide(struct job *j, enum mask_kind kind)
{
	struct item item = { .kind = kind };
	const int64_t now = scan_now();
	struct stat st;

	if (is_exempt(j, j->path))
		return 0;
	if (!leads_to_exempt(j, j->path) || scan_stat(j->ask->tree_fd, j->path, &st) < 0 || !S_ISDIR(st.st_mode))
		return add(j, item, j->path);
	item = (struct item){ .kind = MASK_ON_THE_WAY, .enter = true, .ino = st.st_ino };
	item.ctime_s = st.st_ctim.tv_sec;
	item.ctime_ns = (uint32_t)st.st_ctim.tv_nsec; /* below a second */
	item.recent = scan_is_recent(&st, now);
	return add(j, item, j->path);
}

/* "directory/name" in j->path. */
static bool join(struct job *j, const char *directory, const char *name)
{
	const size_t n = strlen(directory), m = strlen(name), slash = n > 0;

	if (n + slash + m >= sizeof j->path)
		return false;
	memmove(j->path, directory, n);
	if (slash != 0)
		j->path[n] = '/';
	memcpy(j->path + n + slash, name, m + 1);
	return true;
}

/* Of directory i of the scan. False: no system call takes it. */
static bool path_of(const struct job *j, uint32_t i, char *room, size_t size)
{
	const size_t n = strlen(j->above);

	if (n + 1 >= size)
		return false;
	memcpy(room, j->above, n + 1);
	if (n == 0 || i == 0)
		return n > 0 || scan_path(j->s, i, room, size);
	room[n] = '/';
	return scan_path(j->s, i, room + n + 1, size - n - 1);
}

/* Marks the way from directory i of the scan to its tree. */
static void mark(struct job *j, uint32_t i)
{
	while (!j->on_the_way[i]) {
		j->on_the_way[i] = true;
		i = j->s->dirs[i].parent;
	}
}

static bool leads_to_named(const struct job *j, const char *path)
{
	for (size_t i = 0; i < j->exempt->n_directories; i++)
		if (is_beneath(j->exempt->directories[i], path))
			return true;
	return false;
}

static int collect(struct job *j, const struct scan *s, const char *above);

/* As a tree of its own, since of those all names are told. */
static int look_into(struct job *j, uint32_t i, const char *path)
{
	auto_fd int fd = scan_open(j->ask->tree_fd, path);
	struct scan_ask ask = *j->ask;
	struct scan s;
	int r;

	if (fd < 0)
		return err_sys(j->e, AMBIT_SYSTEM, errno, NULL, "hidden names: open '%s'", path);
	ask.tree_fd = fd;
	ask.name = scan_text(j->s, j->s->dirs[i].name);
	r = scan_tree(&ask, NULL, &s, j->e);
	r = r < 0 ? r : collect(j, &s, path);
	scan_finish(&s);
	return r;
}

/* The whole directory, which the limits of a scan leave nothing of. */
static int hide_crowd(struct job *j, uint32_t i)
{
	const uint32_t before = j->n;
	char path[SCAN_PATH_MAX];
	int r;

	if (!path_of(j, i, path, sizeof path) || !path_of(j, i, j->path, sizeof j->path)) /* it was listed: it fits */
		return 0;
	r = leads_to_named(j, path) ? look_into(j, i, path) : hide(j, MASK_CROWDED);
	if (j->n > before)
		mark(j, j->s->dirs[i].parent);
	return r;
}

static int hide_names(struct job *j, uint32_t i)
{
	const struct scan_dir *d = &j->s->dirs[i];
	const uint32_t before = j->n;
	char directory[SCAN_PATH_MAX];
	int r = 0;

	if (d->n_hidden == 0 || !path_of(j, i, directory, sizeof directory)) /* it was listed: it fits */
		return 0;
	for (uint32_t k = d->first_hidden; k < d->first_hidden + d->n_hidden && r == 0; k++)
		if (join(j, directory, scan_text(j->s, j->s->hidden[k])))
			r = hide(j, MASK_HIDDEN);
	if (j->n > before)
		mark(j, i);
	return r;
}

static enum mask_kind kind_of(enum scan_state state)
{
	switch (state) {
	case SCAN_UNLISTED: return MASK_UNLISTED;
	case SCAN_FOREIGN: return MASK_FOREIGN;
	case SCAN_DEEP: return MASK_DEEP;
	case SCAN_SETTLED:
	case SCAN_RECENT:
	case SCAN_GONE:
	case SCAN_SEALED:
	case SCAN_STATES: break;
	}
	return MASK_NOTHING;
}

static struct item item_of(const struct scan_dir *d, enum mask_kind kind)
{
	return (struct item){ .kind = kind,
			      .recent = d->state == SCAN_RECENT,
			      .ino = d->ino,
			      .ctime_s = d->ctime_s,
			      .ctime_ns = d->ctime_ns };
}

/* A directory that is shown empty. What another grant names is shown as far as it can be; but what lies under a mount, which
 * an overlay would show, nobody named. */
static int close_directory(struct job *j, uint32_t i)
{
	const struct scan_dir *d = &j->s->dirs[i];
	const enum mask_kind kind = kind_of((enum scan_state)d->state);

	if (kind == MASK_NOTHING || (d->flags & SCAN_IN_HIDDEN) != 0 || !path_of(j, i, j->path, sizeof j->path))
		return 0;
	if (kind == MASK_UNLISTED && is_exempt(j, j->path))
		return 0;
	mark(j, d->parent);
	return add(j, item_of(d, kind), j->path);
}

static int add_ways(struct job *j)
{
	int r = 0;

	for (uint32_t i = 0; i < j->s->n_dirs && r == 0; i++)
		if (j->on_the_way[i] && path_of(j, i, j->path, sizeof j->path))
			r = add(j, item_of(&j->s->dirs[i], MASK_ON_THE_WAY), j->path);
	return r;
}

/* Everything in a hidden directory that does not lead to an exempt path. */
static int hide_entries(struct job *j, const char *directory, int fd)
{
	const char *name;
	enum listing_kind unused;
	int r = 0;

	listing_begin(&j->listing, fd);
	while (r == 0 && (name = listing_next(&j->listing, &unused)) != NULL)
		if (join(j, directory, name))
			r = hide(j, MASK_HIDDEN);
	if (r == 0 && j->listing.sys_errno != 0 && j->listing.sys_errno != ENOENT) /* removed meanwhile */
		return err_sys(j->e, AMBIT_SYSTEM, j->listing.sys_errno, NULL, "hidden names: list '%s'", directory);
	return r;
}

/* What cannot be listed is hidden as a whole, or is shown empty where something is mounted. */
static int enter(struct job *j, uint32_t k)
{
	char directory[SCAN_PATH_MAX];
	auto_fd int fd = -1;
	const char *path = (const char *)j->paths.data + j->items[k].path;
	const size_t n = strlen(path);

	j->items[k].enter = false;
	if (n >= sizeof directory) {
		j->items[k].kind = MASK_HIDDEN;
		return 0;
	}
	memcpy(directory, path, n + 1);
	fd = scan_open(j->ask->tree_fd, directory);
	if (fd < 0)
		j->items[k].kind = errno == EXDEV ? MASK_FOREIGN : MASK_HIDDEN;
	return fd < 0 ? 0 : hide_entries(j, directory, fd);
}

/* The list grows at its end while hidden directories are entered. */
static int enter_all(struct job *j)
{
	int r = 0;

	for (uint32_t k = 0; k < j->n && r == 0; k++)
		if (j->items[k].enter)
			r = enter(j, k);
	return r;
}

static int collect_here(struct job *j)
{
	int r = 0;

	for (uint32_t i = 0; i < j->s->n_dirs && r == 0; i++) {
		r = close_directory(j, i);
		if (r == 0)
			r = (j->s->dirs[i].flags & SCAN_CROWDED) != 0 ? hide_crowd(j, i) : hide_names(j, i);
	}
	if (j->layer && j->above[0] == 0)
		mark(j, 0);
	return r == 0 ? add_ways(j) : r;
}

/* What is hidden of the scan's tree, which lies at `above`. Goes no deeper than there are grants. */
static int collect(struct job *j, const struct scan *s, const char *above)
{
	const struct scan *outer = j->s;
	const char *outer_above = j->above;
	bool *outer_way = j->on_the_way;
	int r;

	j->s = s;
	j->above = above;
	j->on_the_way = calloc(s->n_dirs, sizeof *j->on_the_way);
	r = j->on_the_way != NULL ? collect_here(j) : no_memory(j);
	free(j->on_the_way);
	j->s = outer;
	j->above = outer_above;
	j->on_the_way = outer_way;
	return r;
}

static int by_path(const void *a, const void *b, void *paths)
{
	return strcmp((const char *)paths + ((const struct item *)a)->path,
		      (const char *)paths + ((const struct item *)b)->path);
}

#define ENTRY_HEAD (1 + 1 + 8 + 8 + 4) /* kind, whether recent, inode, ctime; then the path with its NUL */

static bool is_settled(const struct job *j)
{
	for (uint32_t k = 0; k < j->n; k++)
		if (j->items[k].recent)
			return false;
	return true;
}

static int write_list(struct job *j, struct mask_list *l)
{
	struct buf *out = &l->bytes;

	qsort_r(j->items, j->n, sizeof *j->items, by_path, j->paths.data);
	l->at = calloc(j->n, sizeof *l->at);
	if (l->at == NULL)
		return no_memory(j);
	for (uint32_t k = 0; k < j->n; k++) {
		const struct item *item = &j->items[k];
		const char *path = (const char *)j->paths.data + item->path;

		l->at[k] = (uint32_t)out->len; /* at most MASK_LIST_MAX */
		buf_put_u8(out, (uint8_t)item->kind);
		buf_put_u8(out, item->recent);
		buf_put_u64(out, item->ino);
		buf_put_u64(out, (uint64_t)item->ctime_s);
		buf_put_u32(out, item->ctime_ns);
		buf_put(out, path, strlen(path) + 1);
	}
	l->n = j->n;
	l->settled = is_settled(j);
	return out->failed ? no_memory(j) : 0;
}

static void job_finish(struct job *j)
{
	free(j->items);
	buf_finish(&j->paths);
}

int mask_list_make(const struct scan_ask *ask, const struct scan *s, const struct exempt *exempt, bool layer,
		   struct mask_list *ret, struct err *e)
{
	auto_free struct job *j = malloc(sizeof *j);
	int r;

	mask_list_init(ret);
	if (j == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "hidden names: begin");
	memset(j, 0, offsetof(struct job, listing));
	j->ask = ask;
	j->exempt = exempt;
	j->layer = layer;
	j->e = e;
	buf_init(&j->paths, MASK_LIST_MAX);
	r = collect(j, s, "");
	r = r < 0 ? r : enter_all(j);
	if (r == 0 && j->n > 0)
		r = write_list(j, ret);
	job_finish(j);
	if (r < 0)
		mask_list_finish(ret);
	return r;
}

/* The length of the entry that begins here, 0 if there is none. */
static size_t entry_length(const uint8_t *at, size_t n)
{
	const uint8_t *end = n > ENTRY_HEAD ? memchr(at + ENTRY_HEAD, 0, n - ENTRY_HEAD) : NULL;

	if (end == NULL || at[0] <= MASK_NOTHING || at[0] > MASK_CROWDED)
		return 0;
	return (size_t)(end - at) + 1;
}

int mask_list_take(struct mask_list *l, const void *bytes, size_t n)
{
	buf_put(&l->bytes, bytes, n);
	if (l->bytes.failed)
		return -AMBIT_MEMORY;
	for (size_t at = 0; at < n;) {
		const size_t length = entry_length(l->bytes.data + at, n - at);
		uint32_t *grown = l->at;

		if (length == 0)
			return -AMBIT_MALFORMED;
		if ((l->n & (l->n - 1)) == 0) /* grows at powers of two */
			grown = realloc(l->at, (l->n == 0 ? 1 : 2 * (size_t)l->n) * sizeof *grown);
		if (grown == NULL)
			return -AMBIT_MEMORY;
		l->at = grown;
		l->at[l->n++] = (uint32_t)at; /* at most 2 * MASK_LIST_MAX */
		at += length;
	}
	return 0;
}

struct mask_entry mask_list_entry(const struct mask_list *l, uint32_t i)
{
	const uint8_t *at = l->bytes.data + l->at[i];

	return (struct mask_entry){ .kind = (enum mask_kind)at[0], .path = (const char *)at + ENTRY_HEAD };
}

enum mask_kind mask_list_find(const struct mask_list *l, const char *path)
{
	uint32_t low = 0, high = l->n;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const struct mask_entry entry = mask_list_entry(l, middle);
		const int order = strcmp(entry.path, path);

		if (order == 0)
			return entry.kind;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return MASK_NOTHING;
}
