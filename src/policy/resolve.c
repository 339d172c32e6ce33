#include "policy/policy.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define LINKS_MAX 40 /* the kernel's own limit for one path */
#define SHOWN_MAX 200

/* ---- trees in which a link may not lead out ---- */

struct trees {
	size_t count;
	char *real[POLICY_LINES_MAX + 1]; /* owned; [0] is the workspace */
};

static void trees_finish(struct trees *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->real[i]);
	t->count = 0;
}

static bool trees_add(struct trees *t, const char *real)
{
	char *copy = strdup(real);

	if (copy == NULL)
		return false;
	t->real[t->count++] = copy;
	return true;
}

/* ---- walking a path as the kernel does ---- */

enum walk_end { WALK_FOUND, WALK_MISSING, WALK_REACH, WALK_LINKS, WALK_HOST, WALK_OUT, WALK_SOCKET };

struct walk {
	const struct trees *trees;
	char done[PATH_MAX]; /* what is resolved: "" is the root */
	size_t done_len;
	char rest[2 * PATH_MAX]; /* what is not */
	unsigned int links;
	bool held[POLICY_LINES_MAX + 1]; /* by tree: a link that lies in it was followed */
	int sys_errno;                   /* with WALK_REACH */
	char over[LINKS_MAX][PATH_MAX];  /* the links that were followed; the last, since it is not cleared */
};

static bool is_host_own(const char *path)
{
	return path_is_beneath(path, "/proc") || path_is_beneath(path, "/dev");
}

static void cut_last(struct walk *w)
{
	while (w->done_len > 0 && w->done[w->done_len - 1] != '/')
		w->done_len--;
	if (w->done_len > 0)
		w->done_len--;
	w->done[w->done_len] = 0;
}

/* Takes the first part off rest and appends it to done. False: there is none left. */
static bool take_part(struct walk *w, enum walk_end *end)
{
	const char *part = w->rest + strspn(w->rest, "/");
	const size_t n = strcspn(part, "/");

	if (n == 0)
		return false;
	if (n == 2 && memcmp(part, "..", 2) == 0) {
		cut_last(w);
	} else if (!(n == 1 && part[0] == '.')) {
		if (n + 2 > sizeof w->done - w->done_len) {
			*end = WALK_MISSING; /* no such path can exist */
			return false;
		}
		w->done[w->done_len++] = '/';
		memcpy(w->done + w->done_len, part, n);
		w->done_len += n;
		w->done[w->done_len] = 0;
	}
	memmove(w->rest, part + n, strlen(part + n) + 1);
	return true;
}

/* done is a link: its text goes in front of rest, and it leaves done. */
static enum walk_end follow(struct walk *w)
{
	char target[2 * PATH_MAX];
	const ssize_t n = readlink(w->done, target, PATH_MAX);
	size_t rest_len = strlen(w->rest);

	if (n < 0) {
		w->sys_errno = errno;
		return WALK_REACH;
	}
	if (n == 0 || n >= PATH_MAX || (size_t)n + rest_len + 1 > sizeof target)
		return WALK_MISSING;
	if (w->links == LINKS_MAX)
		return WALK_LINKS;
	(void)text_copy(w->over[w->links++], PATH_MAX, w->done); /* of the same size */
	for (size_t i = 0; i < w->trees->count; i++)
		if (path_is_beneath(w->done, w->trees->real[i]))
			w->held[i] = true;
	memcpy(target + n, w->rest, rest_len + 1); /* rest is "" or starts with a slash */
	memcpy(w->rest, target, (size_t)n + rest_len + 1);
	if (target[0] == '/')
		w->done_len = 0;
	else
		cut_last(w);
	w->done[w->done_len] = 0;
	return WALK_FOUND;
}

static enum walk_end step(struct walk *w)
{
	struct stat st;

	if (is_host_own(w->done))
		return WALK_HOST;
	if (lstat(w->done_len > 0 ? w->done : "/", &st) < 0) {
		w->sys_errno = errno;
		return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ? WALK_MISSING : WALK_REACH;
	}
	if (S_ISSOCK(st.st_mode)) /* nothing lies beneath one */
		return WALK_SOCKET;
	return S_ISLNK(st.st_mode) ? follow(w) : WALK_FOUND;
}

static enum walk_end end_within(const struct walk *w)
{
	for (size_t i = 0; i < w->trees->count; i++)
		if (w->held[i] && !path_is_beneath(w->done, w->trees->real[i]))
			return WALK_OUT;
	return WALK_FOUND;
}

/* path: absolute, shorter than PATH_MAX. Afterwards w->done is where it lies. */
static enum walk_end walk(struct walk *w, const struct trees *trees, const char *path)
{
	enum walk_end end = WALK_FOUND;

	memset(w, 0, offsetof(struct walk, over));
	w->trees = trees;
	if (!text_copy(w->rest, sizeof w->rest, path))
		return WALK_MISSING;
	while (end == WALK_FOUND && take_part(w, &end))
		end = step(w);
	if (end != WALK_FOUND)
		return end;
	if (w->done_len == 0)
		memcpy(w->done, "/", 2);
	return end_within(w);
}

/* ---- lines ---- */

struct resolving {
	const struct policy *p;
	struct trees trees;
	char workspace[PATH_MAX];       /* where it lies */
	char asked_workspace[PATH_MAX]; /* as it was named */
	char home[PATH_MAX];            /* as it was named; "" if there is none */
	struct walk walk;               /* of the line at hand */
};

static void resolving_destroy(struct resolving **r)
{
	if (*r == NULL)
		return;
	trees_finish(&(*r)->trees);
	free(*r);
}

#define auto_resolving __attribute__((cleanup(resolving_destroy))) struct resolving

static int prefix(struct err *e, int rc, const struct policy *p, const struct policy_line *l)
{
	if (l->line == 0)
		return p->sources[l->source][0] == 0 ? rc : err_context(e, rc, "%s", p->sources[l->source]);
	if (p->sources[l->source][0] == 0)
		return err_context(e, rc, "line %u, column %u", l->line, l->column);
	return err_context(e, rc, "%s:%u:%u", p->sources[l->source], l->line, l->column);
}

static bool is_by_name(const struct policy_line *l)
{
	return verb_object((enum grant_verb)l->verb) == OBJECT_PROGRAM && l->object[0] != '/' && l->object[0] != '.' &&
	       l->object[0] != '~';
}

static bool has_path(const struct policy_line *l)
{
	return verb_rights((enum grant_verb)l->verb) != 0 && !is_by_name(l);
}

/* The absolute, normal path that a line asks for. */
static int asked_path(const struct resolving *r, const struct policy_line *l, char *ret, size_t size, struct err *e)
{
	const char *base = r->asked_workspace;
	const char *rest = l->object;

	if (rest[0] == '~') {
		base = r->home;
		rest = rest[1] == '/' && rest[2] != 0 ? rest + 2 : ".";
		if (base[0] == 0)
			return err_set(e, AMBIT_NOT_FOUND, "set HOME, or name the path from the root",
				       "`~`: there is no home");
	}
	if (!path_normalise(base, rest, ret, size))
		return err_set(e, AMBIT_LIMIT, "a path has at most 4095 bytes", "%s: the path is too long",
			       verb_word((enum grant_verb)l->verb));
	return 0;
}

static const char *missing_hint(const struct policy_line *l)
{
	if (l->verb == VERB_WRITE || l->verb == VERB_WORK)
		return "create it, or grant the directory in which it will be; a final `?` only leaves the grant out";
	return "check the spelling; with a final `?` a missing path is left out";
}

static int refuse(const struct resolving *r, const struct policy_line *l, const char *asked, enum walk_end end,
		  struct err *e)
{
	const char *verb = verb_word((enum grant_verb)l->verb);
	char shown[SHOWN_MAX], real[SHOWN_MAX], hint[ERR_HINT_MAX];

	text_escape(shown, sizeof shown, asked, strlen(asked));
	text_escape(real, sizeof real, r->walk.done, strlen(r->walk.done));
	switch (end) {
	case WALK_MISSING:
		return err_why(e, err_set(e, AMBIT_NOT_FOUND, missing_hint(l), "%s: there is no '%s'", verb, shown),
			       "a grant is of what is there when the cell is made");
	case WALK_REACH:
		return err_sys(e, AMBIT_DENIED, r->walk.sys_errno, "only what you can reach yourself can be granted",
			       "%s: '%s' stops at '%s'", verb, shown, real);
	case WALK_LINKS:
		return err_set(e, AMBIT_NOT_FOUND, "name the place itself", "%s: '%s' goes through more than %d links",
			       verb, shown, LINKS_MAX);
	case WALK_HOST: return policy_check_place((enum grant_verb)l->verb, asked, r->walk.done, e);
	case WALK_OUT:
		(void)snprintf(hint, sizeof hint, "if that is what you mean, name it: %s: %s", verb,
			       real); /* cut is fine */
		return err_why(e, err_set(e, AMBIT_DENIED, hint, "%s: '%s' leads to '%s'", verb, shown, real),
			       "a program of an earlier cell may have put the link there");
	case WALK_SOCKET:
		return err_why(
			e,
			err_set(e, AMBIT_DENIED, "if it is to be connected to, say so: connect: unix: and its path",
				"%s: '%s' is a socket", verb, shown),
			"a cell reaches none of the host's by its file: whoever listens acts with an authority of its own");
	case WALK_FOUND: break;
	}
	return err_set(e, AMBIT_INTERNAL, NULL, "%s: '%s'", verb, shown);
}

/* ---- places and trees ---- */

static int take_place(const char *what, const char *path, char *ret, size_t size, struct err *e)
{
	if (path_normalise(NULL, path, ret, size))
		return 0;
	return err_set(e, AMBIT_MALFORMED, "give an absolute path", "the %s is not an absolute path", what);
}

static int find_workspace(struct resolving *r, struct err *e)
{
	const struct trees none = { .count = 0 };
	char shown[SHOWN_MAX];
	const enum walk_end end = walk(&r->walk, &none, r->asked_workspace);

	text_escape(shown, sizeof shown, r->asked_workspace, strlen(r->asked_workspace));
	if (end == WALK_REACH)
		return err_sys(e, AMBIT_DENIED, r->walk.sys_errno, "name another with --workspace",
			       "cannot use the workspace '%s'", shown);
	if (end == WALK_HOST)
		return err_set(e, AMBIT_DENIED, "name another with --workspace", "workspace '%s' lies in /proc or /dev",
			       shown);
	if (end != WALK_FOUND)
		return err_set(e, AMBIT_NOT_FOUND, "create it, or name another with --workspace",
			       "there is no workspace '%s'", shown);
	(void)text_copy(r->workspace, sizeof r->workspace, r->walk.done); /* the same size */
	return trees_add(&r->trees, r->workspace) ? 0 : err_set(e, AMBIT_MEMORY, NULL, "out of memory");
}

/* The trees are looked up before any line is judged, so that the order of lines does not matter. A line that cannot be
 * resolved is no tree, and is refused when its turn comes. */
static int find_trees(struct resolving *r, struct err *e)
{
	const struct trees none = { .count = 0 };

	for (uint32_t i = 0; i < r->p->n_lines; i++) {
		const struct policy_line *l = &r->p->lines[i];
		char asked[GRANT_OBJECT_MAX];

		if ((verb_rights((enum grant_verb)l->verb) & RIGHT_WRITE) == 0 ||
		    asked_path(r, l, asked, sizeof asked, NULL) < 0)
			continue;
		if (walk(&r->walk, &none, asked) == WALK_FOUND && !trees_add(&r->trees, r->walk.done))
			return err_set(e, AMBIT_MEMORY, NULL, "out of memory");
	}
	return 0;
}

static int places(struct resolving *r, const struct policy_place *place, struct err *e)
{
	int rc = take_place("workspace", place->workspace, r->asked_workspace, sizeof r->asked_workspace, e);

	if (rc == 0 && place->home != NULL)
		rc = take_place("home", place->home, r->home, sizeof r->home, e);
	if (rc == 0)
		rc = find_workspace(r, e);
	return rc < 0 ? rc : find_trees(r, e);
}

/* ---- grants ---- */

void policy_names_finish(struct policy_names *names)
{
	if (names == NULL)
		return;
	for (size_t i = 0; i < names->count; i++) {
		free(names->items[i].asked);
		free(names->items[i].real);
	}
	names->count = 0;
}

static int add_name(struct policy_names *names, const char *asked, const char *real, struct err *e)
{
	struct policy_name name = { .asked = NULL };

	if (names == NULL || (real != NULL && strcmp(asked, real) == 0))
		return 0;
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i].asked, asked) == 0 && (names->items[i].real == NULL) == (real == NULL))
			return 0;
	if (names->count == sizeof names->items / sizeof names->items[0])
		return err_set(e, AMBIT_LIMIT, "name the places themselves", "the grants lead over more than %d links",
			       POLICY_LINES_MAX);
	name = (struct policy_name){ .asked = strdup(asked), .real = real != NULL ? strdup(real) : NULL };
	if (name.asked == NULL || (real != NULL && name.real == NULL)) {
		free(name.asked);
		free(name.real);
		return err_set(e, AMBIT_MEMORY, NULL, "out of memory");
	}
	names->items[names->count++] = name;
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* A runtime brings what it needs to run at all. */
static int add_traits(struct grant_set *set, const struct policy_line *l, const char *name, struct err *e)
{
	const struct program_traits *t = policy_program_traits(base_name(name));

	if (l->verb != VERB_RUN || t == NULL || !t->jit)
		return 0;
	return grant_add(set, VERB_JIT, "", 0, NULL, e);
}

/* Who makes one of the links lead elsewhere, or makes what was missing, changes what is asked for. */
static int add_asked(const struct walk *w, enum walk_end end, struct policy_names *names, struct err *e)
{
	char path[GRANT_OBJECT_MAX];
	int rc = 0;

	for (unsigned int i = 0; i < w->links && rc == 0; i++)
		rc = add_name(names, w->over[i], NULL, e);
	if (rc < 0 || end == WALK_FOUND)
		return rc;
	return path_normalise(w->done, w->rest[0] == '/' ? w->rest + 1 : ".", path, sizeof path)
		       ? add_name(names, path, NULL, e)
		       : add_name(names, w->done, NULL, e);
}

static int add_path(struct resolving *r, const struct policy_line *l, struct grant_set *set, struct policy_names *names,
		    struct err *e)
{
	char asked[GRANT_OBJECT_MAX];
	int rc = asked_path(r, l, asked, sizeof asked, e);
	enum walk_end end;

	if (rc < 0)
		return rc;
	end = walk(&r->walk, &r->trees, asked);
	if (l->qualifiers.ask != 0 && (l->verb == VERB_WORK || l->verb == VERB_WRITE) &&
	    (end == WALK_FOUND || end == WALK_MISSING))
		rc = add_asked(&r->walk, end, names, e);
	if (rc < 0)
		return rc;
	if (end == WALK_MISSING && (l->flags & GRANT_OPTIONAL) != 0)
		return 0;
	if (end != WALK_FOUND)
		return refuse(r, l, asked, end, e);
	rc = policy_check_place((enum grant_verb)l->verb, r->walk.done, r->walk.done, e);
	if (rc == 0)
		rc = grant_add_qualified(set, (enum grant_verb)l->verb, r->walk.done, l->flags, &l->qualifiers, "",
					 policy_flow(r->p, l), NULL, e);
	if (rc == 0)
		rc = add_name(names, asked, r->walk.done, e);
	if (rc == 0)
		rc = add_traits(set, l, asked, e);
	return rc < 0 ? rc : add_traits(set, l, r->walk.done, e);
}

static int add_word(const struct policy *p, const struct policy_line *l, struct grant_set *set, struct err *e)
{
	const int rc = grant_add_qualified(set, (enum grant_verb)l->verb, l->object, l->flags, &l->qualifiers,
					   policy_terms(p, l), policy_flow(p, l), NULL, e);

	return rc < 0 ? rc : add_traits(set, l, l->object, e);
}

int policy_resolve_anywhere(const struct policy *p, uint32_t line, struct grant_set *set, struct err *e)
{
	const struct policy_line *l = &p->lines[line];
	const int rc = has_path(l) ? 0 : add_word(p, l, set, e);

	return rc < 0 ? prefix(e, rc, p, l) : 0;
}

int policy_resolve_tools(const struct policy *p, struct grant_set *set, struct err *e)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < p->n_lines; i++)
		if (p->lines[i].verb == VERB_TOOL)
			rc = policy_resolve_anywhere(p, i, set, e);
	return rc;
}

int policy_say_line(const struct policy *p, uint32_t line, int rc, struct err *e)
{
	return prefix(e, rc, p, &p->lines[line]);
}

int policy_resolve(const struct policy *p, const struct policy_place *place, struct grant_set *set,
		   struct limits *limits, struct policy_names *ret_names, struct err *e)
{
	auto_resolving *r = calloc(1, sizeof *r);
	int rc;

	if (r == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "out of memory");
	r->p = p;
	rc = places(r, place, e);
	for (uint32_t i = 0; rc == 0 && i < p->n_lines; i++) {
		const struct policy_line *l = &p->lines[i];

		if (!policy_means(p, l))
			continue;
		rc = has_path(l) ? add_path(r, l, set, ret_names, e) : add_word(p, l, set, e);
		if (rc < 0)
			rc = prefix(e, rc, p, l);
	}
	for (size_t i = 0; rc == 0 && i < LIMIT_COUNT; i++)
		if ((p->limits_given >> i & 1u) != 0)
			limits->value[i] = p->limits.value[i];
	return rc;
}
