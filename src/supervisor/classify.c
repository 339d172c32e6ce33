#include "supervisor/classify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cell/base.h"
#include "core/denial.h"
#include "core/endpoint.h"
#include "net/link.h"
#include "stage/store.h"

#define LINKS_MAX 40     /* as the kernel follows */
#define MADE_MAX 4096    /* names remembered as the workload's own */
#define PARTS_MAX 400000 /* of all paths together, a few tenths of a second; as many effects as fit have far fewer */

void classify_init(struct classifier *c, const struct cell_spec *spec, const struct grant_set *grants)
{
	*c = (struct classifier){ .spec = spec, .grants = grants };
}

void classify_finish(struct classifier *c)
{
	for (size_t i = 0; i < c->n_made; i++)
		free(c->made[i]);
	free(c->made);
	for (size_t i = 0; i < c->n_written; i++)
		free(c->written[i].path);
	free(c->written);
	*c = (struct classifier){ .made = NULL };
}

/* Whether the cell has something of its own under this name, so that the host's file of the same name says nothing. */
static bool is_own_place(const struct classifier *c, const char *path)
{
	return !decide_is_granted_place(c->grants, path) && base_is_private(c->spec, path);
}

static bool drop_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || path[1] == 0)
		return false;
	slash[slash == path ? 1 : 0] = 0;
	return true;
}

static bool append(char *path, size_t size, const char *name, size_t n)
{
	const size_t at = strlen(path);
	const int r = snprintf(path + at, size - at, "%s%.*s", path[1] == 0 ? "" : "/", (int)n, name);

	return r >= 0 && (size_t)r < size - at;
}

/* The text of a link as the cell has it: the host's, but in places of the cell's own only the links that were shown there. */
static size_t read_link(struct classifier *c, const char *path, char *ret, size_t size)
{
	if (!is_own_place(c, path))
		return hostlook_link(&c->host, path, ret, size - 1);
	for (uint32_t i = 0; i < c->spec->n_paths; i++) {
		const struct cell_path *p = &c->spec->paths[i];

		if ((p->flags & CELL_PATH_LINK) != 0 && strcmp(spec_text(c->spec, p->path), path) == 0)
			return text_copy(ret, size, spec_text(c->spec, p->link)) ? strlen(ret) : 0;
	}
	return 0;
}

/* Whether nothing needs to be walked, as for nearly every path. */
static bool is_plain(struct classifier *c, const char *path, bool follow_last)
{
	return path_is_normal(path) && !is_own_place(c, path) && hostlook_is_plain(path, follow_last);
}

/* Walks `path` (absolute) as the kernel would on the host, following links (one at the end only if follow_last), and not inside places
 * of the cell's own. False: a loop, too long, or enough walked; then the lexical form must do. */
static bool resolve(struct classifier *c, const char *path, bool follow_last, char *ret, size_t size)
{
	char rest[2 * EFFECT_OBJECT_MAX], text[EFFECT_OBJECT_MAX], joined[2 * EFFECT_OBJECT_MAX];
	int links = 0;

	if (snprintf(rest, sizeof rest, "%s", path) >= (int)sizeof rest || size < 2)
		return false;
	(void)text_copy(ret, size, "/");
	for (char *at = rest; *at != 0;) {
		const char *name = at + strspn(at, "/");
		const size_t n = strcspn(name, "/");
		const char *after = name + n;
		size_t len;

		if (at == rest && is_plain(c, rest, follow_last))
			return text_copy(ret, size, rest);
		if (n == 0)
			return true;
		if (c->parts++ >= PARTS_MAX)
			return false;
		if ((n == 2 && memcmp(name, "..", 2) == 0) || (n == 1 && name[0] == '.')) {
			if (n == 2)
				(void)drop_last(ret); /* ".." of the root is the root */
			at = rest + (after - rest);
			continue;
		}
		if (!append(ret, size, name, n))
			return false;
		len = *after == 0 && !follow_last ? 0 : read_link(c, ret, text, sizeof text);
		if (len == 0) {
			at = rest + (after - rest);
			continue;
		}
		text[len] = 0;
		(void)drop_last(ret);
		if (++links > LINKS_MAX ||
		    snprintf(joined, sizeof joined, "%s%s%s%s", text[0] == '/' || ret[1] == 0 ? "" : ret,
			     text[0] == '/' ? "" : "/", text, after) >= (int)sizeof joined)
			return false;
		(void)text_copy(ret, size, "/");
		(void)text_copy(rest, sizeof rest, joined); /* same size */
		at = rest;
	}
	return true;
}

/* Opening and executing goes through a link; changing names does not. */
static bool opens(uint8_t kind)
{
	return kind == EFFECT_READ || kind == EFFECT_WRITE || kind == EFFECT_EXEC;
}

static bool was_made(const struct classifier *c, const char *path)
{
	for (size_t i = 0; i < c->n_made; i++)
		if (path_is_beneath(path, c->made[i]))
			return true;
	return false;
}

static void remember_made(struct classifier *c, const char *path)
{
	char **grown;

	if (c->n_made == MADE_MAX || was_made(c, path))
		return;
	grown = realloc(c->made, (c->n_made + 1) * sizeof *grown);
	if (grown == NULL)
		return; /* costs at most a denial too many in the explanation */
	c->made = grown;
	c->made[c->n_made] = strdup(path);
	if (c->made[c->n_made] != NULL)
		c->n_made++;
}

static struct classify_name *find_written(const struct classifier *c, const char *path)
{
	for (size_t i = 0; i < c->n_written; i++)
		if (strcmp(c->written[i].path, path) == 0)
			return &c->written[i];
	return NULL;
}

static void add_written(struct classifier *c, const char *path, bool is_link)
{
	struct classify_name *grown;
	char *copy;

	if (c->n_written == MADE_MAX)
		return;
	grown = realloc(c->written, (c->n_written + 1) * sizeof *grown);
	if (grown == NULL)
		return; /* costs a denial in the explanation */
	c->written = grown;
	copy = strdup(path);
	if (copy != NULL)
		c->written[c->n_written++] = (struct classify_name){ .path = copy, .is_link = is_link };
}

/* Files with bytes of the workload's own. What a link leads to is not known, and may be a program that is executed: then
 * nothing is said, for a denial that was none would be worse. */
static void remember_written(struct classifier *c, const struct effect *f)
{
	const bool is_link = f->kind == EFFECT_LINK;
	struct classify_name *known = find_written(c, f->object);

	c->links_made |= is_link;
	if (f->kind != EFFECT_WRITE && f->kind != EFFECT_MODE && !is_link &&
	    (f->kind != EFFECT_RENAME || c->links_made))
		return;
	if (known != NULL)
		known->is_link |= is_link;
	else
		add_written(c, f->object, is_link);
}

static bool was_written(const struct classifier *c, const char *path)
{
	const struct classify_name *known = find_written(c, path);

	return known != NULL && !known->is_link;
}

/* What stands nearest above the path, or on it, if it is shown without `write`, whatever is granted farther up; else NULL. */
static const char *find_protecting(const struct cell_spec *spec, const char *path)
{
	const struct cell_path *nearest = NULL;

	for (uint32_t i = 0; i < spec->n_paths; i++) { /* parents stand before children */
		const struct cell_path *p = &spec->paths[i];

		if ((p->flags & (CELL_PATH_LINK | CELL_PATH_HIDE)) == 0 &&
		    path_is_beneath(path, spec_text(spec, p->path)))
			nearest = p;
	}
	return nearest != NULL && (nearest->rights & RIGHT_WRITE) == 0 ? spec_text(spec, nearest->path) : NULL;
}

/* What hides it, or NULL. */
static const char *find_hiding(const struct cell_spec *spec, const char *path)
{
	for (uint32_t i = 0; i < spec->n_paths; i++)
		if ((spec->paths[i].flags & CELL_PATH_HIDE) != 0 &&
		    path_is_beneath(path, spec_text(spec, spec->paths[i].path)))
			return spec_text(spec, spec->paths[i].path);
	return NULL;
}

/* The store of stages, or what belongs to it beside a tree on another file system. */
static bool is_store(const struct classifier *c, const char *path)
{
	char beside[sizeof STORE_BESIDE + 16];
	const char *slash = strrchr(path, '/');

	(void)snprintf(beside, sizeof beside, STORE_BESIDE, geteuid()); /* it fits */
	return (c->store != NULL && strcmp(path, c->store) == 0) || (slash != NULL && strcmp(slash, beside) == 0);
}

/* What the cell wrote in a staged tree lies in the stage: 1 it is there, 0 it was removed, -1 the stage does not say. */
static int stage_says(const struct cell_spec *spec, const char *path)
{
	for (uint32_t i = 0; i < spec->n_stages; i++) {
		const char *tree = spec_text(spec, spec->stages[i].tree), *part = spec_text(spec, spec->stages[i].part);
		char upper[2 * EFFECT_OBJECT_MAX];
		struct stat st;

		if (!path_is_beneath(path, tree) || part[0] == 0 ||
		    snprintf(upper, sizeof upper, "%s/upper%s", part, path + (tree[1] == 0 ? 0 : strlen(tree))) >=
			    (int)sizeof upper)
			continue;
		if (lstat(upper, &st) ==
		    0) /* links on the way, which the cell may have made, cost at most a wrong word */
			return S_ISCHR(st.st_mode) ? 0 : 1;
	}
	return -1;
}

static bool is_there(struct classifier *c, const char *path)
{
	const int said = stage_says(c->spec, path);

	return said < 0 ? hostlook_is_there(&c->host, path) : said == 1;
}

/* Hidden by its name, and no file of that name was made by the cell itself. The stage tells how it was at the end: what was read before
 * the cell was seen to make one was not there. */
static bool is_unseen(struct classifier *c, const struct effect *f, uint32_t right)
{
	const bool hides = c->staging != NULL && staging_hides(c->staging, f->object);

	if (hides && stage_says(c->spec, f->object) != 1)
		return true;
	if (hides && right != RIGHT_WRITE)
		return c->n_made < MADE_MAX && !was_made(c, f->object);
	if (right == RIGHT_WRITE &&
	    (hides || (f->kind == EFFECT_RENAME && c->staging != NULL && c->staging->n_masks > 0)))
		remember_made(c, f->object);
	return false;
}

/* Whether the cell has this name, other than as a place of its own: it is on the way to what is shown, or in it. */
static bool is_in_cell(struct classifier *c, const char *path)
{
	bool is_shown = base_allows(c->spec, path, RIGHT_READ);

	if (path_is_beneath(spec_text(c->spec, c->spec->home), path))
		return true;
	for (uint32_t i = 0; i < c->spec->n_paths; i++) {
		const char *shown = spec_text(c->spec, c->spec->paths[i].path);

		if ((c->spec->paths[i].flags & CELL_PATH_HIDE) != 0)
			continue;
		if (path_is_beneath(shown, path))
			return true;
		is_shown = is_shown || path_is_beneath(path, shown);
	}
	return is_shown && is_there(c, path);
}

/* ---- facts, as core/decide.h asks for them ---- */

struct looking {
	struct classifier *c;
	const struct effect *f;
	const char *path; /* of a socket, or the effect's object */
	bool usr;
};

static bool is_directory_there(struct classifier *c, const char *path)
{
	char above[EFFECT_OBJECT_MAX];

	(void)text_copy(above, sizeof above, path); /* same size */
	return drop_last(above) && is_there(c, above);
}

static bool look(void *arg, enum fact fact)
{
	const struct looking *l = arg;
	struct classifier *c = l->c;
	const struct cell_spec *spec = c->spec;
	const uint32_t right = effect_right(l->f->kind);
	const char *found;

	switch (fact) {
	case FACT_USR: return l->usr;
	case FACT_HIDDEN: return find_hiding(spec, l->path) != NULL;
	case FACT_STORE: return (found = find_hiding(spec, l->path)) != NULL && is_store(c, found);
	case FACT_UNSEEN: return is_unseen(c, l->f, right);
	case FACT_PROTECTED: return find_protecting(spec, l->path) != NULL;
	case FACT_HELD: return (found = find_protecting(spec, l->path)) != NULL && strcmp(found, l->path) == 0;
	case FACT_PRIVATE: return base_is_private(spec, l->path);
	case FACT_BASE: return base_allows(spec, l->path, right);
	case FACT_SYSTEM: return base_shows((enum cell_base)spec->base, l->path, right);
	case FACT_MADE: return was_made(c, l->path);
	case FACT_WRITTEN: return was_written(c, l->path);
	case FACT_EXISTS: return is_in_cell(c, l->path);
	case FACT_THERE: return is_there(c, l->path);
	case FACT_ABOVE: return is_directory_there(c, l->path);
	case FACT_STAGED: return spec->n_stages > 0;
	case FACT_OTHER_NAME:
	case FACT_BAD_HELLO:
	case FACT_HIDDEN_NAME:
	case FACT_REFUSED: return (c->told & FACT_BIT(fact)) != 0;
	case FACT_WITHDRAWN: return c->withdrawn;
	case FACT_BEYOND:
	case FACT_COUNT: break; /* no rule asks for it */
	}
	return false;
}

/* Whether the grant that would allow it is one that the person cannot give. */
static bool is_beyond(struct classifier *c, const struct effect *f)
{
	static const int modes[] = {
		[VERB_READ] = R_OK, [VERB_WRITE] = W_OK, [VERB_RUN] = X_OK, [VERB_WORK] = R_OK | W_OK | X_OK
	};
	struct denial d;

	if (!effect_is_denied(f->verdict))
		return false;
	denial_of(c->grants, f, &d);
	return d.grantable && !hostlook_may(&c->host, d.object, modes[d.verb]); /* it is one of these */
}

/* Most opens by far: no look at the host for them. */
static bool is_usr(const struct classifier *c, const struct effect *f)
{
	return f->kind == EFFECT_READ && base_shows((enum cell_base)c->spec->base, "/usr", RIGHT_READ) &&
	       path_is_normal(f->object) && path_is_beneath(f->object, "/usr");
}

/* Gives the place where `path` lies as the workload meant it, or its lexical form. path may be ret. */
static void resolve_or_keep(struct classifier *c, const char *path, bool follow_last, char *ret, size_t size)
{
	char found[EFFECT_OBJECT_MAX];

	if (resolve(c, path, follow_last, found, sizeof found) || path_normalise("/", path, found, sizeof found))
		path = found;
	if (path != ret)
		(void)text_copy(ret, size, path); /* not longer */
}

/* What it wrote in a place of the cell's own is there from now on. */
static void remember(struct classifier *c, const struct effect *f)
{
	if (effect_right(f->kind) != RIGHT_WRITE || f->base == EFFECT_BASE_NOT || !is_own_place(c, f->object))
		return;
	remember_made(c, f->object);
	remember_written(c, f);
}

/* What an address stands for in the cell; NULL: for itself. */
static const char *name_of(const struct classifier *c, const struct address *at)
{
	const uint32_t index = link_index_of(at);

	for (uint32_t i = 0; i < c->spec->n_endpoints; i++)
		if (c->spec->endpoints[i].kind == ENDPOINT_NAME && address_is_same(&c->spec->endpoints[i].at.base, at))
			return spec_text(c->spec, c->spec->endpoints[i].name);
	return index < c->n_given ? c->given[index].text : NULL;
}

/* An address that stands for a name in the cell is told by the name. */
static void name_endpoint(const struct classifier *c, struct effect *f)
{
	static const char inet[] = "inet ";
	const char *name;
	struct endpoint p;

	if (f->kind != EFFECT_CONNECT || strncmp(f->object, inet, sizeof inet - 1) != 0 ||
	    endpoint_take(f->object + sizeof inet - 1, &p, NULL) < 0 || p.kind != ENDPOINT_RANGE)
		return;
	name = name_of(c, &p.range.base);
	if (name != NULL)
		(void)snprintf(f->object, sizeof f->object, "%s%s:%u", inet, name,
			       (unsigned)p.port); /* a name is short */
}

void classify_effect(struct classifier *c, struct effect *f)
{
	struct looking l = { .c = c, .f = f, .path = f->object, .usr = is_usr(c, f) };
	struct decide_ask ask = { .grants = c->grants,
				  .home = spec_text(c->spec, c->spec->home),
				  .shows_host = c->spec->base == CELL_BASE_HOST,
				  .kind = f->kind,
				  .object = f->object };
	struct decision d;

	c->socket[0] = 0;
	name_endpoint(c, f);
	if (strncmp(f->object, "unix /", 6) == 0 && f->kind == EFFECT_CONNECT) {
		resolve_or_keep(c, f->object + 5, true, c->socket, sizeof c->socket);
		l.path = ask.socket = c->socket;
	} else if (effect_right(f->kind) != 0 && !l.usr) {
		resolve_or_keep(c, f->object, opens(f->kind), f->object, sizeof f->object);
	}
	d = decide(&ask, look, &l);
	f->verdict = d.verdict;
	f->base = d.base;
	f->grant = d.grant;
	f->beyond = 0;
	if (effect_right(f->kind) != 0) {
		remember(c, f);
		f->beyond = is_beyond(c, f);
	}
	c->facts = d.facts | (f->beyond != 0 ? FACT_BIT(FACT_BEYOND) : 0);
}
