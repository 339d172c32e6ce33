#include "supervisor/holding.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "stage/listing.h"
#include "stage/place.h"
#include "supervisor/plan.h"

#define LINKS_MAX 40     /* as the kernel follows */
#define WITHIN_MAX 2048u /* directories: a link may lead to anything */

void holding_begin(struct holding *h, const struct grant_set *set, const char *tree, struct cell_spec *spec)
{
	*h = (struct holding){ .set = set, .spec = spec, .tree = tree };
	buf_init(&h->within, (size_t)WITHIN_MAX * GRANT_OBJECT_MAX);
}

static int too_many(const struct holding *h, struct err *e)
{
	return err_set(e, AMBIT_LIMIT, "run it without --direct; grant less, or grant the names",
		       "%s: to hold what other programs obey there takes more than %d paths", h->tree,
		       HOLDING_PATHS_MAX);
}

int holding_too_long(const struct holding *h, struct err *e)
{
	return err_set(e, AMBIT_LIMIT, "run it without --direct; or move the tree to where its path is shorter",
		       "%s: too long a path for what other programs obey", h->tree);
}

static bool is_pin(const struct cell_path *p)
{
	return (p->flags & CELL_PATH_PIN) != 0;
}

/* The path of the cell itself, and the one next above it, which decides about it. */
static struct cell_path *find(struct cell_spec *spec, const char *path, struct cell_path **ret_above)
{
	struct cell_path *found = NULL;
	size_t most = 0;

	*ret_above = NULL;
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		struct cell_path *p = &spec->paths[i];
		const char *there = spec_text(spec, p->path);
		const size_t n = strlen(there);

		if ((p->flags & CELL_PATH_LINK) != 0)
			continue;
		if (strcmp(there, path) == 0)
			found = p;
		else if (n >= most && path_is_beneath(path, there)) {
			most = n;
			*ret_above = p;
		}
	}
	return found;
}

static uint32_t count_pins(const struct cell_spec *spec)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < spec->n_paths; i++)
		n += is_pin(&spec->paths[i]);
	return n;
}

/* Whether something that is granted lies between the two. */
static bool is_freed_between(struct cell_spec *spec, const char *path, const char *above)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		const char *there = spec_text(spec, spec->paths[i].path);

		if (!is_pin(&spec->paths[i]) && (spec->paths[i].rights & RIGHT_WRITE) != 0 &&
		    strcmp(there, above) != 0 && path_is_beneath(there, above) && path_is_beneath(path, there))
			return true;
	}
	return false;
}

/* What a read-only directory holds is read-only with it, and what a link made writable there before is so no more. */
static void hold_beneath(struct cell_spec *spec, const char *path)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		const char *there = spec_text(spec, spec->paths[i].path);

		if (is_pin(&spec->paths[i]) && path_is_beneath(there, path) && !is_freed_between(spec, there, path))
			spec->paths[i].rights &= (uint16_t)~RIGHT_WRITE;
	}
}

/* It may be on the way to what is held. */
static int free_path(struct cell_spec *spec, const char *object, uint32_t rights, uint32_t grant, struct err *e)
{
	struct cell_path *above, *there = find(spec, object, &above);

	if (there == NULL || !is_pin(there))
		return spec_add_path(spec, object, rights, CELL_PATH_OPTIONAL, grant, e);
	there->rights = (uint16_t)rights;
	there->flags = CELL_PATH_OPTIONAL;
	there->grant = grant;
	return 0;
}

/* What a grant names in a directory that is held is shown as granted, and not as the directory. */
static int free_beneath(const struct holding *h, const char *path, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < h->set->count && r == 0; i++) {
		const char *object = grant_object(h->set, i);
		uint32_t grant = i, rights;

		if ((h->set->grants[i].rights & RIGHT_WRITE) == 0 || object[0] != '/' || strcmp(object, path) == 0 ||
		    !path_is_beneath(object, path))
			continue;
		rights = plan_rights(h->set, object, &grant);
		r = free_path(h->spec, object, rights, grant, e);
	}
	return r;
}

/* Of a tree that is granted, root's cell is given no other mount in it (identity.c): holding would show one. */
static bool is_not_shown(const struct cell_spec *spec, const char *path)
{
	const struct cell_path *granted = geteuid() == 0 ? spec_granted_above(spec, path) : NULL;
	const uint64_t mount = granted == NULL ? 0 : place_mount_of(AT_FDCWD, path);

	return mount != 0 && place_mount_of(AT_FDCWD, spec_text(spec, granted->path)) != mount;
}

/* Mounted on itself a name cannot be renamed away. What was held read-only once stays so, whoever leads there again: links are
 * a program's to make. What goes before the cell starts is missed there. 1: it is read-only from now on. */
int holding_pin(const struct holding *h, const char *path, bool read_only, struct err *e)
{
	struct cell_path *above, *there = find(h->spec, path, &above);
	uint32_t grant = GRANT_NONE, rights = plan_rights(h->set, path, &grant);
	int r;

	/* no more than its surroundings have: hidden ones none, those that are held or may be run no right to write */
	if (there == NULL && above != NULL)
		rights &= above->rights;
	if ((rights & RIGHT_WRITE) == 0)
		return 0;
	if (there != NULL ? !read_only || (there->rights & RIGHT_WRITE) == 0 : is_not_shown(h->spec, path))
		return 0;
	if (there != NULL) {
		there->rights &= (uint16_t)~RIGHT_WRITE;
	} else {
		if (count_pins(h->spec) == HOLDING_PATHS_MAX)
			return too_many(h, e);
		if (read_only)
			rights &= ~(uint32_t)RIGHT_WRITE;
		r = spec_add_path(h->spec, path, rights, CELL_PATH_PIN, grant, e);
		if (r < 0 || !read_only)
			return r == -AMBIT_LIMIT ? too_many(h, e) : r;
	}
	r = free_beneath(h, path, e);
	hold_beneath(h->spec, path);
	return r < 0 ? r : 1;
}

/* The way from the root to what a name stands for, as the kernel goes. */
struct way {
	char at[GRANT_OBJECT_MAX];       /* how far it is known: through no link, "" for the root */
	char rest[2 * GRANT_OBJECT_MAX]; /* what is still to be gone */
	struct buf passed;               /* owned: 'l' for a link or 'd', and the path with its NUL; in order */
	size_t sure;                     /* of passed: what is held whether or not it leads to anything */
	unsigned links;
};

static void pass(struct way *w, char kind)
{
	buf_put(&w->passed, &kind, 1);
	buf_put(&w->passed, w->at, strlen(w->at) + 1);
}

static void go_up(struct way *w)
{
	char *slash = strrchr(w->at, '/');

	if (slash != NULL)
		*slash = 0;
}

/* Takes a link's text in place of its name. 1, or 0: the kernel does not follow so many; -ENAMETOOLONG. */
static int follow(struct way *w, const char *rest)
{
	char text[GRANT_OBJECT_MAX], longer[sizeof w->rest];
	const ssize_t n = readlink(w->at, text, sizeof text - 1);

	if (n <= 0 || ++w->links > LINKS_MAX)
		return 0;
	text[n] = 0;
	if (snprintf(longer, sizeof longer, "%s%s", text, rest) >= (int)sizeof longer)
		return -ENAMETOOLONG;
	memcpy(w->rest, longer, strlen(longer) + 1); /* of the same size */
	if (text[0] == '/')
		w->at[0] = 0;
	else
		go_up(w);
	return 1;
}

/* One part further. 1, or 0: it leads to nothing; -ENAMETOOLONG. */
static int step(struct way *w)
{
	const char *part = w->rest + strspn(w->rest, "/");
	const size_t n = strcspn(part, "/"), begun = strlen(w->at);
	const char *rest = part + n;
	struct stat st;

	if (n == 2 && memcmp(part, "..", 2) == 0) {
		go_up(w);
	} else if (n != 1 || part[0] != '.') {
		if (begun + 1 + n >= sizeof w->at)
			return -ENAMETOOLONG;
		w->at[begun] = '/';
		memcpy(w->at + begun + 1, part, n);
		w->at[begun + 1 + n] = 0;
		if (lstat(w->at, &st) < 0)
			return 0;
		pass(w, S_ISLNK(st.st_mode) ? 'l' : 'd');
		if (S_ISLNK(st.st_mode)) {
			if (rest[strspn(rest, "/")] == 0)
				w->sure = w->passed.len;
			return follow(w, rest);
		}
		if (rest[0] != 0 && !S_ISDIR(st.st_mode))
			return 0;
	}
	memmove(w->rest, rest, strlen(rest) + 1);
	return 1;
}

/* 1: there is something, and w->at is where. */
static int go(struct way *w, const char *name)
{
	int r = 1;

	if (snprintf(w->rest, sizeof w->rest, "%s", name) >= (int)sizeof w->rest)
		return -ENAMETOOLONG;
	while (r > 0 && w->rest[strspn(w->rest, "/")] != 0)
		r = step(w);
	return w->passed.failed ? -ENOMEM : r;
}

static int hold_passed(const struct holding *h, const struct way *w, size_t n, struct err *e)
{
	int r = 0;

	for (size_t at = 0; at < n && r >= 0;) {
		const char *path = (const char *)w->passed.data + at + 1;

		r = holding_pin(h, path, w->passed.data[at] == 'l', e);
		at += 1 + strlen(path) + 1;
	}
	return r < 0 ? r : 0;
}

/* What there is at the end of the way, if it is anything to hold: 1, or 0. */
static bool is_to_hold(const struct holding *h, const struct way *w, bool *ret_directory)
{
	struct stat st;

	if (w->at[0] == 0 || plan_is_written_by_name(h->set, w->at) || lstat(w->at, &st) < 0)
		return false;
	*ret_directory = S_ISDIR(st.st_mode);
	return !*ret_directory || !h->file_only;
}

/* A directory that the cell cannot write: a link in it may lead back. Once is enough. */
static bool is_elsewhere(const struct holding *h, const char *path)
{
	uint32_t grant;

	if ((plan_rights(h->set, path, &grant) & RIGHT_WRITE) != 0)
		return false;
	for (size_t at = 0; at < h->within.len; at += strlen((const char *)h->within.data + at) + 1)
		if (strcmp((const char *)h->within.data + at, path) == 0)
			return false;
	return true;
}

/* It would be obeyed as a whole, and what is granted as a whole cannot be held. */
static int leads_around(const char *name, struct err *e)
{
	return err_set(e, AMBIT_DENIED, "remove the link, or run it without --direct",
		       "%s stands for what other programs obey, and leads to a directory in which it lies itself",
		       name);
}

static int hold_way(struct holding *h, struct way *w, const char *name, struct err *e)
{
	bool directory = false;
	int r = go(w, name), held;

	if (r == -ENAMETOOLONG)
		return holding_too_long(h, e);
	if (r < 0)
		return err_sys(e, AMBIT_MEMORY, -r, NULL, "protected names: follow '%s'", name);
	if (r > 0 && w->links > 0 && plan_is_written_by_name(h->set, w->at) && path_is_beneath(name, w->at))
		return leads_around(name, e);
	if (r == 0 || !is_to_hold(h, w, &directory)) {
		r = hold_passed(h, w, w->sure, e);
		return r < 0 ? r : w->sure > 0;
	}
	r = hold_passed(h, w, w->passed.len, e);
	held = r < 0 ? r : holding_pin(h, w->at, true, e);
	if (directory && w->links > 0 && (held > 0 || (held == 0 && is_elsewhere(h, w->at))))
		buf_put(&h->within, w->at, strlen(w->at) + 1);
	return held < 0 ? held : 1;
}

/* Holds what the name stands for, and everything on the way there that can be written: links and directories can be neither changed nor
 * moved aside. 1, or 0: there is nothing. */
int holding_take(struct holding *h, const char *name, struct err *e)
{
	struct way w = { .links = 0 };
	struct stat st;
	int r;

	if (lstat(name, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0; /* most names: no way need be gone, since none leads to anything */
	buf_init(&w.passed, (size_t)4 * LINKS_MAX * GRANT_OBJECT_MAX);
	r = hold_way(h, &w, name, e);
	buf_finish(&w.passed);
	return r;
}

/* ---- directories that links led to ---- */

static int take_within(struct holding *h, const char *dir, struct err *e)
{
	auto_free struct listing *l = malloc(sizeof *l);
	auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum listing_kind kind;
	const char *name;
	int r = 0;

	if (l == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "protected names: list '%s'", dir);
	if (fd < 0)
		return 0; /* gone meanwhile, or nobody's to look into */
	listing_begin(l, fd);
	while (r >= 0 && (name = listing_next(l, &kind)) != NULL) {
		char path[GRANT_OBJECT_MAX];

		if (kind == LISTING_OTHER)
			continue;
		if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
			return holding_too_long(h, e);
		if (kind == LISTING_LINK)
			r = holding_take(h, path, e);
		else
			buf_put(&h->within, path, strlen(path) + 1);
	}
	if (r >= 0 && l->sys_errno != 0 && l->sys_errno != ENOENT) /* removed meanwhile */
		return err_sys(e, AMBIT_SYSTEM, l->sys_errno, NULL, "protected names: list '%s'", dir);
	return r < 0 ? r : 0;
}

/* What a link leads to in such a directory can be obeyed as well, and the index knows nothing of it: links lead anywhere. */
static int hold_within(struct holding *h, struct err *e)
{
	uint32_t n = 0;
	int r = 0;

	for (size_t at = 0; at < h->within.len && r == 0;) {
		char dir[GRANT_OBJECT_MAX];

		(void)snprintf(dir, sizeof dir, "%s",
			       (const char *)h->within.data + at); /* the list moves as it grows */
		at += strlen(dir) + 1;
		h->file_only = false;
		if (++n > WITHIN_MAX)
			return err_set(
				e, AMBIT_LIMIT, "run it without --direct; or let the link lead to less",
				"%s: a link stands for what other programs obey, and leads to more than %u directories",
				h->tree, WITHIN_MAX);
		r = take_within(h, dir, e);
	}
	if (r == 0 && h->within.failed)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "protected names: remember a directory");
	return r;
}

int holding_finish(struct holding *h, int r, struct err *e)
{
	r = r < 0 ? r : hold_within(h, e);
	buf_finish(&h->within);
	return r;
}
