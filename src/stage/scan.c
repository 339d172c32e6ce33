#include "stage/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/num.h"
#include "judge/protected.h"
#include "stage/hidden.h"
#include "stage/listing.h"

#define NONE UINT32_MAX

/* The kernel's clock for ctime ticks 100 to 1,000 times a second. File systems that keep whole seconds, or two, show no part
 * of one. */
#define TICK_NS INT64_C(50000000)
#define COARSE_TICK_NS INT64_C(2100000000)
#define SECOND_NS INT64_C(1000000000)

void scan_init(struct scan *s, size_t text_max)
{
	*s = (struct scan){ .dev = 0 };
	buf_init(&s->text, text_max);
}

void scan_finish(struct scan *s)
{
	free(s->dirs);
	free(s->hidden);
	free(s->links);
	free(s->files);
	buf_finish(&s->text);
	s->dirs = NULL;
	s->hidden = s->links = s->files = NULL;
	s->n_dirs = s->room_dirs = s->n_hidden = s->room_hidden = 0;
	s->n_links = s->room_links = s->n_files = s->room_files = 0;
}

/* Room for one more of `size` bytes. */
static bool make_room(void **items, uint32_t n, uint32_t *room, size_t size)
{
	const uint32_t want = n < 64 ? 64 : n > NONE / 2 ? NONE : n * 2;
	size_t bytes;
	void *grown;

	if (n < *room)
		return true;
	if (n >= want || !size_mul(want, size, &bytes))
		return false;
	grown = realloc(*items, bytes);
	if (grown == NULL)
		return false;
	*items = grown;
	*room = want;
	return true;
}

static uint32_t add_text(struct scan *s, const char *name)
{
	const size_t at = s->text.len;

	buf_put(&s->text, name, strlen(name) + 1);
	return s->text.failed || at >= NONE ? NONE : (uint32_t)at;
}

uint32_t scan_add_dir(struct scan *s, uint32_t parent, const char *name)
{
	const uint32_t text = add_text(s, name);
	void *dirs = s->dirs;

	if (text == NONE || !make_room(&dirs, s->n_dirs, &s->room_dirs, sizeof *s->dirs))
		return NONE;
	s->dirs = dirs;
	s->dirs[s->n_dirs] = (struct scan_dir){ .parent = parent, .name = text };
	return s->n_dirs++;
}

static uint32_t add_name(struct scan *s, const char *name, uint32_t **list, uint32_t *n, uint32_t *room)
{
	const uint32_t text = add_text(s, name);
	void *names = *list;

	if (text == NONE || !make_room(&names, *n, room, sizeof **list))
		return NONE;
	*list = names;
	(*list)[*n] = text;
	return (*n)++;
}

uint32_t scan_add_hidden(struct scan *s, const char *name)
{
	return add_name(s, name, &s->hidden, &s->n_hidden, &s->room_hidden);
}

uint32_t scan_add_link(struct scan *s, const char *name)
{
	return add_name(s, name, &s->links, &s->n_links, &s->room_links);
}

uint32_t scan_add_file(struct scan *s, const char *name)
{
	return add_name(s, name, &s->files, &s->n_files, &s->room_files);
}

bool scan_has_pipes(const struct scan *s)
{
	for (uint32_t i = 0; i < s->n_dirs; i++)
		if ((s->dirs[i].flags & SCAN_PIPES) != 0)
			return true;
	return false;
}

/* Compares a part of a path, which ends at n, with a name. */
static int part_order(const char *part, size_t n, const char *name)
{
	const int order = strncmp(part, name, n);

	return order != 0 ? order : -(name[n] != 0);
}

static uint32_t find_part(const struct scan *s, const struct scan_dir *d, const char *part, size_t n)
{
	uint32_t low = d->first_dir, high = d->first_dir + d->n_dirs;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const int order = part_order(part, n, scan_text(s, s->dirs[middle].name));

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return UINT32_MAX;
}

uint32_t scan_find(const struct scan *s, const char *path)
{
	uint32_t at = s->n_dirs > 0 ? 0 : UINT32_MAX;

	while (*path != 0 && at != UINT32_MAX) {
		const size_t n = strcspn(path, "/");

		at = find_part(s, &s->dirs[at], path, n);
		path += n + (path[n] == '/' ? 1 : 0);
	}
	return at;
}

/* From its end to its beginning. */
bool scan_path(const struct scan *s, uint32_t i, char *room, size_t size)
{
	size_t at = size - 1;

	room[at] = 0;
	for (; i != 0; i = s->dirs[i].parent) {
		const char *name = scan_text(s, s->dirs[i].name);
		const size_t n = strlen(name), slash = room[at] != 0;

		if (n + slash > at)
			return false;
		if (slash != 0)
			room[--at] = '/';
		at -= n;
		memcpy(room + at, name, n);
	}
	memmove(room, room + at, size - at);
	return true;
}

int scan_open(int tree_fd, const char *path)
{
	const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
				      .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };

	return (int)syscall(SYS_openat2, tree_fd, path[0] != 0 ? path : ".", &how, sizeof how);
}

int scan_stat(int tree_fd, const char *path, struct stat *ret)
{
	return fstatat(tree_fd, path[0] != 0 ? path : ".", ret, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
}

bool scan_is_same(const struct scan *s, const struct scan_dir *d, const struct stat *st)
{
	return S_ISDIR(st->st_mode) && st->st_dev == s->dev && st->st_ino == d->ino &&
	       st->st_ctim.tv_sec == d->ctime_s && st->st_ctim.tv_nsec == (long)d->ctime_ns;
}

/* One look at a tree. */
struct job {
	const struct scan_ask *ask;
	const struct scan *old; /* or NULL */
	struct scan *s;
	uint32_t *was; /* owned: of each directory the number in old, or NONE */
	uint32_t room_was;
	struct err *e;
	struct buf hidden, links,
		files; /* of the directory at hand, each with its NUL: there may be too many to keep */
	uint32_t n_hidden, n_links, n_files;
	bool has_parts;
	struct protected_parts parts;
	/* rooms that are written before they are read, and so not cleared: 36 KB would cost more than a small tree */
	struct listing listing;
	char path[SCAN_PATH_MAX];
};

static int too_much(struct job *j, const char *what, unsigned long long most)
{
	return err_set(j->e, AMBIT_LIMIT, "name the files, or grant a smaller tree",
		       "hidden names: the tree has more than %llu %s", most, what);
}

/* Why an append failed. */
static int is_full(struct job *j)
{
	const size_t most = j->ask->limits.text;

	if (j->s->text.len + 256 > most)
		return too_much(j, "bytes of names", most);
	return err_sys(j->e, AMBIT_MEMORY, ENOMEM, NULL, "hidden names: remember the tree");
}

static int add_dir(struct job *j, uint32_t parent, const char *name, unsigned flags, uint32_t was)
{
	void *all = j->was;
	uint32_t i;

	if (j->s->n_dirs >= j->ask->limits.directories && j->ask->is_home)
		return 0;
	if (j->s->n_dirs >= j->ask->limits.directories)
		return too_much(j, "directories", j->ask->limits.directories);
	if (!make_room(&all, j->s->n_dirs, &j->room_was, sizeof *j->was))
		return is_full(j);
	j->was = all;
	i = scan_add_dir(j->s, parent, name);
	if (i == NONE)
		return is_full(j);
	j->was[i] = was;
	j->s->dirs[i].flags = (uint8_t)flags; /* SCAN_INHERITED */
	return 0;
}

static int add_hidden(struct job *j, const char *name)
{
	if (j->s->n_hidden >= j->ask->limits.names)
		return too_much(j, "names that are to be hidden", j->ask->limits.names);
	return scan_add_hidden(j->s, name) == NONE ? is_full(j) : 0;
}

/* For what can be left out, half of the text is left to what cannot. */
static bool has_text(const struct job *j, const char *name)
{
	return j->s->text.len + strlen(name) < j->ask->limits.text / 2;
}

/* Whoever asks for links of directory i has to look themselves, if they cannot be kept. */
static int add_link(struct job *j, uint32_t i, const char *name)
{
	struct scan *s = j->s;
	const bool fits = s->n_links < SCAN_LINKS_MAX && has_text(j, name);

	if ((s->dirs[i].flags & SCAN_LINKS_UNKEPT) == 0 && !fits) {
		s->n_links = s->dirs[i].first_link;
		s->dirs[i].flags |= SCAN_LINKS_UNKEPT;
	}
	if ((s->dirs[i].flags & SCAN_LINKS_UNKEPT) != 0)
		return 0;
	return scan_add_link(s, name) == NONE ? is_full(j) : 0;
}

/* Likewise. */
static int add_file(struct job *j, uint32_t i, const char *name)
{
	struct scan *s = j->s;
	const bool fits = s->n_files < SCAN_FILES_MAX && has_text(j, name);

	if ((s->dirs[i].flags & SCAN_FILES_UNKEPT) == 0 && !fits) {
		s->n_files = s->dirs[i].first_file;
		s->dirs[i].flags |= SCAN_FILES_UNKEPT;
	}
	if ((s->dirs[i].flags & SCAN_FILES_UNKEPT) != 0)
		return 0;
	return scan_add_file(s, name) == NONE ? is_full(j) : 0;
}

static void note(struct scan_dir *d, const struct stat *st, enum scan_state state)
{
	d->ino = st->st_ino;
	d->ctime_s = st->st_ctim.tv_sec;
	d->ctime_ns = (uint32_t)st->st_ctim.tv_nsec; /* below a second */
	d->state = (uint8_t)state;
}

static bool is_store(const struct job *j, const struct stat *st)
{
	return st->st_dev == j->ask->store_dev && st->st_ino == j->ask->store_ino;
}

/* What was listed then, once more. */
static int repeat(struct job *j, uint32_t i, const struct scan_dir *was)
{
	const struct scan *old = j->old;
	int r = 0;

	j->s->dirs[i].flags = was->flags;
	for (uint32_t k = was->first_dir; k < was->first_dir + was->n_dirs && r == 0; k++)
		r = add_dir(j, i, scan_text(old, old->dirs[k].name), old->dirs[k].flags & SCAN_INHERITED, k);
	for (uint32_t k = was->first_hidden; k < was->first_hidden + was->n_hidden && r == 0; k++)
		r = add_hidden(j, scan_text(old, old->hidden[k]));
	for (uint32_t k = was->first_link; k < was->first_link + was->n_links && r == 0; k++)
		r = add_link(j, i, scan_text(old, old->links[k]));
	for (uint32_t k = was->first_file; k < was->first_file + was->n_files && r == 0; k++)
		r = add_file(j, i, scan_text(old, old->files[k]));
	return r;
}

static int by_text(const void *a, const void *b, void *text)
{
	return strcmp((const char *)text + *(const uint32_t *)a, (const char *)text + *(const uint32_t *)b);
}

/* Fresh directories have nothing but a name and what they inherit. */
static int by_name(const void *a, const void *b, void *text)
{
	return by_text(&((const struct scan_dir *)a)->name, &((const struct scan_dir *)b)->name, text);
}

/* What directory i may have been; NULL if it is new. */
static const struct scan_dir *was_of(const struct job *j, uint32_t i)
{
	return j->old != NULL && j->was != NULL && j->was[i] != NONE ? &j->old->dirs[j->was[i]] : NULL;
}

/* Both lists are sorted: what has the name of one that was there before may be it. */
static void recall(struct job *j, const struct scan_dir *d, const struct scan_dir *was)
{
	uint32_t k = was->first_dir;
	const uint32_t end = k + was->n_dirs;

	for (uint32_t i = d->first_dir; i < d->first_dir + d->n_dirs; i++) {
		const char *name = scan_text(j->s, j->s->dirs[i].name);

		while (k < end && strcmp(scan_text(j->old, j->old->dirs[k].name), name) < 0)
			k++;
		if (k < end && strcmp(scan_text(j->old, j->old->dirs[k].name), name) == 0)
			j->was[i] = k;
	}
}

static unsigned part_role(struct job *j, const char *name)
{
	if (!j->has_parts)
		protected_parts_make(&j->parts);
	j->has_parts = true;
	return protected_part_role(&j->parts, name);
}

static unsigned file_role(struct job *j, const char *parent, const char *name)
{
	if (!j->has_parts)
		protected_parts_make(&j->parts);
	j->has_parts = true;
	return protected_file_role(&j->parts, parent, name);
}

/* Whether a link of this name, in the directory at hand of a home, would stand for something that programs obey. */
static bool is_obeyed_at_home(struct job *j, const char *name)
{
	char path[SCAN_PATH_MAX + 257];
	const struct name_case c = { .tree = j->ask->path, .path = path, .type = CHANGE_SYMLINK };
	struct name_verdict v;

	(void)snprintf(path, sizeof path, "%s%s%s", j->path, j->path[0] != 0 ? "/" : "", name); /* it fits */
	protected_match(&c, &v);
	return v.held != HELD_NOT;
}

static void keep(struct buf *names, uint32_t *n, uint32_t most, const char *name)
{
	if (++*n <= most)
		buf_put(names, name, strlen(name) + 1);
}

static int take_directory(struct job *j, uint32_t i, const char *name, bool hidden)
{
	const unsigned above = j->s->dirs[i].flags & SCAN_INHERITED;
	const unsigned role = part_role(j, name);

	if (j->ask->is_home)
		return is_obeyed_at_home(j, name) ? add_dir(j, i, name, SCAN_ALL_LINKS, NONE) : 0;
	/* what other events changed is nobody's to follow, and could be any size */
	if (strncmp(name, STORE_PREFIX, strlen(STORE_PREFIX)) == 0)
		return 0;
	return add_dir(j, i, name,
		       above | (hidden ? SCAN_IN_HIDDEN : 0) | ((role & PROTECTED_WHOLE) != 0 ? SCAN_ALL_LINKS : 0),
		       NONE);
}

static int take_entry(struct job *j, uint32_t i, const char *name, enum listing_kind kind)
{
	struct scan_dir *d = &j->s->dirs[i];
	const bool inside = (d->flags & SCAN_IN_HIDDEN) != 0;
	const bool hidden = !inside && !j->ask->is_home && hidden_match(scan_text(j->s, d->name), name) != NULL;

	if (j->listing.is_pipe)
		d->flags |= SCAN_PIPES;
	if (hidden)
		keep(&j->hidden, &j->n_hidden, i == 0 ? j->ask->limits.names : SCAN_CROWD_MAX, name);
	if (kind == LISTING_LINK && ((d->flags & SCAN_ALL_LINKS) != 0 || part_role(j, name) != 0))
		keep(&j->links, &j->n_links, SCAN_LINKS_DIRECTORY_MAX, name);
	if (kind == LISTING_OTHER && !inside && !j->ask->is_home && file_role(j, scan_text(j->s, d->name), name) != 0)
		keep(&j->files, &j->n_files, SCAN_FILES_DIRECTORY_MAX, name);
	return kind == LISTING_DIRECTORY ? take_directory(j, i, name, hidden || inside) : 0;
}

/* The names that were found, now that it is known how many there are. */
static int keep_names(struct job *j, uint32_t i)
{
	const char *name = (const char *)j->hidden.data, *end = name + j->hidden.len;
	int r = 0;

	if (j->hidden.failed || j->links.failed || j->files.failed)
		return err_sys(j->e, AMBIT_MEMORY, ENOMEM, NULL, "hidden names: remember a directory");
	if (i == 0 && j->n_hidden > j->ask->limits.names)
		return too_much(j, "names that are to be hidden", j->ask->limits.names);
	if (i != 0 && j->n_hidden > SCAN_CROWD_MAX)
		j->s->dirs[i].flags |= SCAN_CROWDED;
	for (; (j->s->dirs[i].flags & SCAN_CROWDED) == 0 && name < end && r == 0; name += strlen(name) + 1)
		r = add_hidden(j, name);
	if (j->n_links > SCAN_LINKS_DIRECTORY_MAX)
		j->s->dirs[i].flags |= SCAN_LINKS_UNKEPT;
	name = (const char *)j->links.data;
	end = name + j->links.len;
	for (; name < end && r == 0; name += strlen(name) + 1)
		r = add_link(j, i, name);
	if (j->n_files > SCAN_FILES_DIRECTORY_MAX)
		j->s->dirs[i].flags |= SCAN_FILES_UNKEPT;
	name = (const char *)j->files.data;
	end = name + j->files.len;
	for (; name < end && r == 0; name += strlen(name) + 1)
		r = add_file(j, i, name);
	return r;
}

/* What lies in a directory that is hidden since it holds too many hidden names is not hidden besides. */
static void hide_beneath(struct job *j, uint32_t first_dir)
{
	for (uint32_t k = first_dir; k < j->s->n_dirs; k++)
		j->s->dirs[k].flags |= SCAN_IN_HIDDEN;
}

static int read_entries(struct job *j, uint32_t i, int fd)
{
	const uint32_t first_dir = j->s->n_dirs;
	const char *name;
	enum listing_kind kind;
	int r = 0;

	buf_reset(&j->hidden);
	buf_reset(&j->links);
	buf_reset(&j->files);
	j->n_hidden = j->n_links = j->n_files = 0;
	listing_begin(&j->listing, fd);
	while (r == 0 && (name = listing_next(&j->listing, &kind)) != NULL)
		r = take_entry(j, i, name, kind);
	if (r == 0 && j->listing.sys_errno != 0 && j->listing.sys_errno != ENOENT) /* removed meanwhile: empty */
		return err_sys(j->e, AMBIT_SYSTEM, j->listing.sys_errno, NULL, "hidden names: list '%s'", j->path);
	r = r < 0 ? r : keep_names(j, i);
	if (r == 0 && (j->s->dirs[i].flags & SCAN_CROWDED) != 0)
		hide_beneath(j, first_dir);
	return r;
}

static int read_sorted(struct job *j, uint32_t i, int fd)
{
	struct scan *s = j->s;
	const uint32_t first_dir = s->n_dirs, first_hidden = s->n_hidden, first_link = s->n_links,
		       first_file = s->n_files;
	const int r = read_entries(j, i, fd);

	if (s->n_dirs > first_dir)
		qsort_r(s->dirs + first_dir, s->n_dirs - first_dir, sizeof *s->dirs, by_name, s->text.data);
	if (s->n_hidden > first_hidden)
		qsort_r(s->hidden + first_hidden, s->n_hidden - first_hidden, sizeof *s->hidden, by_text, s->text.data);
	if (s->n_links > first_link)
		qsort_r(s->links + first_link, s->n_links - first_link, sizeof *s->links, by_text, s->text.data);
	if (s->n_files > first_file)
		qsort_r(s->files + first_file, s->n_files - first_file, sizeof *s->files, by_text, s->text.data);
	s->n_listed++;
	return r;
}

int64_t scan_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &t); /* it is there since Linux 2.6.32 */
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* A ctime in the future (a clock was set back) is as good as one of this moment. */
bool scan_is_recent(const struct stat *st, int64_t now_ns)
{
	const int64_t tick = st->st_ctim.tv_nsec == 0 ? COARSE_TICK_NS : TICK_NS;
	const int64_t seconds = st->st_ctim.tv_sec - now_ns / SECOND_NS;

	if (seconds < -4 || seconds > 4)
		return seconds > 0;
	return seconds * SECOND_NS + st->st_ctim.tv_nsec + tick >= now_ns % SECOND_NS;
}

/* A directory that cannot be looked into. The mount of a cell's tree has the power over modes that its owner has, and so may
 * the cell: chmod needs nothing but being the owner. So only what is somebody else's, and cannot even be passed through, is
 * left as it is. */
static enum scan_state closed_state(const struct job *j, const struct stat *st)
{
	if (st->st_uid == geteuid() || faccessat(j->ask->tree_fd, j->path, X_OK, AT_EACCESS) == 0)
		return SCAN_UNLISTED;
	return SCAN_SEALED;
}

/* What is to be said of a directory that could not be opened, or never is; negative if that is an error. */
static int shut(struct job *j, struct scan_dir *d, enum scan_state state, int sys_errno)
{
	struct stat st;

	if (sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == ELOOP)
		state = SCAN_GONE;
	else if (sys_errno == EXDEV)
		state = SCAN_FOREIGN;
	else if (sys_errno != 0 && sys_errno != EACCES && sys_errno != EPERM)
		return err_sys(j->e, AMBIT_SYSTEM, sys_errno, NULL, "hidden names: open '%s'", j->path);
	d->state = (uint8_t)state;
	if (state != SCAN_GONE && scan_stat(j->ask->tree_fd, j->path, &st) == 0)
		note(d, &st, sys_errno == EACCES || sys_errno == EPERM ? closed_state(j, &st) : state);
	return 0;
}

/* Names can be read without the right to pass through; what lies in the directories among them cannot. */
static bool can_pass(const struct job *j, const struct stat *st)
{
	return (st->st_mode & 0111) == 0111 ||
	       faccessat(j->ask->tree_fd, j->path[0] != 0 ? j->path : ".", X_OK, AT_EACCESS) == 0;
}

static int list(struct job *j, uint32_t i)
{
	struct scan_dir *d = &j->s->dirs[i];
	auto_fd int fd = scan_open(j->ask->tree_fd, j->path);
	const struct scan_dir *was = was_of(j, i);
	const int64_t now = scan_now();
	struct stat st;
	int r;

	if (fd < 0)
		return shut(j, d, SCAN_UNLISTED, errno);
	if (fstat(fd, &st) < 0)
		return err_sys(j->e, AMBIT_SYSTEM, errno, NULL, "hidden names: look at '%s'", j->path);
	if (st.st_dev != j->s->dev || is_store(j, &st))
		return shut(j, d, SCAN_FOREIGN, 0);
	if (!can_pass(j, &st))
		return shut(j, d, SCAN_UNLISTED, EACCES);
	note(d, &st, scan_is_recent(&st, now) ? SCAN_RECENT : SCAN_SETTLED);
	r = read_sorted(j, i, fd);
	d = &j->s->dirs[i]; /* they may have moved */
	d->n_dirs = j->s->n_dirs - d->first_dir;
	d->n_hidden = j->s->n_hidden - d->first_hidden;
	d->n_links = j->s->n_links - d->first_link;
	d->n_files = j->s->n_files - d->first_file;
	if (r == 0 && was != NULL)
		recall(j, d, was);
	return r;
}

/* Whether directory i is what it was, so that it need not be listed. */
static const struct scan_dir *unchanged(struct job *j, uint32_t i)
{
	const struct scan_dir *was = was_of(j, i);
	struct stat st;

	if (was == NULL || was->state != SCAN_SETTLED || ((was->flags ^ j->s->dirs[i].flags) & SCAN_INHERITED) != 0 ||
	    scan_stat(j->ask->tree_fd, j->path, &st) < 0)
		return NULL;
	return scan_is_same(j->old, was, &st) && !is_store(j, &st) ? was : NULL;
}

static int visit(struct job *j, uint32_t i)
{
	struct scan_dir *d = &j->s->dirs[i];
	const struct scan_dir *was;
	int r;

	d->first_dir = j->s->n_dirs;
	d->first_hidden = j->s->n_hidden;
	d->first_link = j->s->n_links;
	d->first_file = j->s->n_files;
	if (!scan_path(j->s, i, j->path, sizeof j->path)) {
		d->state = SCAN_DEEP;
		return 0;
	}
	was = unchanged(j, i);
	if (was == NULL)
		return list(j, i);
	d->ino = was->ino;
	d->ctime_s = was->ctime_s;
	d->ctime_ns = was->ctime_ns;
	r = repeat(j, i, was);
	d = &j->s->dirs[i];                      /* they may have moved */
	d->n_dirs = j->s->n_dirs - d->first_dir; /* of a home, fewer than there were */
	d->n_hidden = was->n_hidden;
	d->n_links = j->s->n_links - d->first_link; /* none, where there are too many now */
	d->n_files = j->s->n_files - d->first_file; /* likewise */
	return r;
}

/* Whether a row may be of all that lies in the tree, by its own name or one above it. */
static bool is_whole(struct job *j)
{
	char part[256];

	for (const char *p = j->ask->path; *p != 0; p += strcspn(p, "/")) {
		p += *p == '/';
		if (strcspn(p, "/") >= sizeof part)
			return true;                                                /* no file's name */
		(void)snprintf(part, sizeof part, "%.*s", (int)strcspn(p, "/"), p); /* just measured */
		if ((part_role(j, part) & PROTECTED_WHOLE) != 0)
			return true;
	}
	return false;
}

static int walk(struct job *j)
{
	int r = add_dir(j, 0, j->ask->name, is_whole(j) ? SCAN_ALL_LINKS : 0, j->old != NULL ? 0 : NONE);

	for (uint32_t i = 0; r == 0 && i < j->s->n_dirs; i++)
		r = visit(j, i);
	if (r == 0 && j->s->dirs[0].state > SCAN_RECENT)
		return err_set(j->e, AMBIT_SYSTEM, "grant what you may read",
			       "hidden names: the tree cannot be listed");
	return r;
}

/* Rows that ask for the parent's name depend on what the tree itself is called. */
static bool is_of(const struct scan *old, const struct scan_ask *ask, uint64_t dev)
{
	return old->n_dirs > 0 && old->dev == dev && strcmp(scan_text(old, old->dirs[0].name), ask->name) == 0;
}

int scan_tree(const struct scan_ask *ask, const struct scan *old, struct scan *ret, struct err *e)
{
	auto_free struct job *j = malloc(sizeof *j);
	struct stat st;
	int r;

	scan_init(ret, ask->limits.text);
	if (j == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "hidden names: begin");
	memset(j, 0, offsetof(struct job, listing));
	if (fstat(ask->tree_fd, &st) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "hidden names: look at the tree");
	ret->dev = st.st_dev;
	j->ask = ask;
	j->s = ret;
	j->e = e;
	j->old = old != NULL && is_of(old, ask, ret->dev) ? old : NULL;
	buf_init(&j->hidden, (size_t)256 * SCAN_NAMES_MAX);
	buf_init(&j->links, (size_t)256 * SCAN_LINKS_DIRECTORY_MAX);
	buf_init(&j->files, (size_t)256 * SCAN_FILES_DIRECTORY_MAX);
	r = walk(j);
	buf_finish(&j->hidden);
	buf_finish(&j->links);
	buf_finish(&j->files);
	free(j->was);
	if (r < 0)
		scan_finish(ret);
	return r;
}
