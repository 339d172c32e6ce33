#include "judge/protected.h"

#include <string.h>

#include "judge/judge.h"
#include "judge/name.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

enum { PASS = 254, HOLD = 255 }; /* beside the kinds of judge.h */
enum where { OUTSIDE, ANYWHERE };

struct row {
	const char *pattern;
	uint8_t how;
	uint8_t where;
	const char *why;
};

static const struct row protected_rows[] = {
#define PROTECTED(pattern, how, where, why) { pattern, how, where, why },
#include "judge/protected.def"
#undef PROTECTED
};

static const struct row later_rows[] = {
#define LATER(pattern, where, why) { pattern, PASS, where, why },
#include "judge/later.def"
#undef LATER
};

static const char *const dependency_rows[] = {
#define DEPENDENCY(pattern, why) pattern,
#include "judge/dependency.def"
#undef DEPENDENCY
};

/* The first bytes of the rows, close together: they tell most names from most patterns, which matters where an event unpacked
 * a hundred thousand files. */
static const char protected_first[] = {
#define PROTECTED(pattern, how, where, why) (pattern)[0],
#include "judge/protected.def"
#undef PROTECTED
};

static const char later_first[] = {
#define LATER(pattern, where, why) (pattern)[0],
#include "judge/later.def"
#undef LATER
};

static const char odd_name[] = "some file systems read this name as a protected one";
static const char link_in_git[] = "a link inside a repository: git would take what it leads to";
static const char made_of_old[] = "makes a repository, which git obeys, of a directory that was there";
static const char other_name[] = "can be changed by its other name, whatever it says now";
static const char takes_role[] = "takes the place of a directory in which protected names lie";
static const char too_long[] = "a path too long or too deep to be looked at";

/* How much of a name a pattern is of. */
enum fit { FIT_NONE, FIT_LEADS /* the name ends before the pattern does */, FIT_EXACT, FIT_DIRECTORY, FIT_BENEATH };

static char first_of(const struct name *name, size_t at)
{
	return name->folded[name->part[at].folded_at];
}

/* The next of n rows, from i on, that begins with c or with anything; n if there is none. */
static size_t next_row(const char *first, size_t n, size_t i, char c)
{
	const char *own = memchr(first + i, c, n - i);
	const char *any = memchr(first + i, '*', own != NULL ? (size_t)(own - first) - i : n - i);

	return any != NULL ? (size_t)(any - first) : own != NULL ? (size_t)(own - first) : n;
}

static size_t next_protected(size_t i, char c)
{
	return next_row(protected_first, COUNT_OF(protected_rows), i, c);
}

static size_t next_later(size_t i, char c)
{
	return next_row(later_first, COUNT_OF(later_rows), i, c);
}

/* The pattern against the parts from `at` on. "a/" is of directories and of what lies in them only. */
static enum fit fit_at(const char *pattern, const struct name *name, size_t at, size_t *ret_end)
{
	for (;;) {
		const size_t n = (size_t)(strchrnul(pattern, '/') - pattern);

		if (at == name->n)
			return FIT_LEADS;
		if (!name_part_is(name, at, pattern, n))
			return FIT_NONE;
		*ret_end = ++at;
		pattern += n + (pattern[n] == '/');
		if (*pattern == 0)
			break;
	}
	if (at < name->n)
		return FIT_BENEATH;
	return pattern[-1] == '/' ? FIT_DIRECTORY : FIT_EXACT;
}

/* What is asked, and the answer so far. */
struct match {
	const struct name_case *c;
	const struct name *name;
	struct name_verdict *ret;
};

static void settle(struct match *m, uint8_t held, const struct row *row, const char *reason, size_t end)
{
	const size_t start = m->name->tree_len + (m->name->tree_len < m->name->part[end - 1].end);

	m->ret->held = held;
	m->ret->judge = held == HELD_JUDGED ? row->how : JUDGE_NONE;
	m->ret->reason = reason;
	m->ret->row = row != NULL ? row->pattern : "";
	m->ret->name_len = m->name->part[end - 1].end > start ? m->name->part[end - 1].end - start : 0;
}

static bool any_odd(const struct name *name, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (name->part[i].odd)
			return true;
	return false;
}

/* Whether something else than a directory, or another directory, has (or had) this name. */
static bool is_other(const struct name_case *c)
{
	return c->replaced || c->deleted || c->type != CHANGE_DIRECTORY;
}

/* A plain file with a leading name that was not there before holds nothing and leads nowhere: the kernel's `.config`. */
static bool takes_the_role(const struct name_case *c, uint8_t how)
{
	if (how == PASS)
		return false;
	if (c->type != CHANGE_DIRECTORY && c->type != CHANGE_FILE)
		return true;
	return (c->replaced || (c->deleted && c->type == CHANGE_DIRECTORY)) &&
	       (how == HOLD || !judge_gone_is_inert(how));
}

/* The file that a judge would look at. HELD_NOT: nothing needs to be said. */
static uint8_t held_of_judged(const struct name_case *c, uint8_t how)
{
	if (c->type == CHANGE_DIRECTORY)
		return is_other(c) && !judge_gone_is_inert(how) ? HELD_PROTECTED : HELD_NOT;
	if (c->type != CHANGE_FILE || c->linked)
		return HELD_PROTECTED;
	if (c->deleted)
		return judge_gone_is_inert(how) ? HELD_NOT : HELD_PROTECTED;
	return HELD_JUDGED;
}

/* True if the row has said what there is to say about the name as seen from part `at`. */
static bool apply(struct match *m, const struct row *row, enum fit fit, size_t at, size_t end)
{
	const struct name_case *c = m->c;

	if (fit == FIT_NONE || (fit == FIT_DIRECTORY && c->type == CHANGE_FILE && !c->replaced))
		return false;
	if (any_odd(m->name, at, end)) {
		settle(m, HELD_PROTECTED, row, odd_name, end);
		return true;
	}
	if (fit == FIT_LEADS) {
		if (!takes_the_role(c, row->how))
			return false;
		settle(m, HELD_PROTECTED, row, takes_role, end);
		return true;
	}
	if (row->how == PASS)
		return true;
	if (row->how == HOLD && c->type == CHANGE_DIRECTORY && !is_other(c))
		return true; /* empty it is obeyed by nobody, and what lies in it is asked about by itself */
	if (row->how == HOLD) {
		settle(m, HELD_PROTECTED, row, row->why, end);
		return true;
	}
	if (fit != FIT_EXACT)
		return false; /* a directory of that name is nothing that its reader reads */
	if (held_of_judged(c, row->how) != HELD_NOT && m->ret->held != HELD_PROTECTED)
		settle(m, held_of_judged(c, row->how), row, c->linked ? other_name : row->why, end);
	return true;
}

/* Rows that are of repositories begin so; the rest of them is matched behind each directory that is one. */
static const char *in_git(const char *pattern)
{
	return strncmp(pattern, ".git/", 5) == 0 ? pattern + 5 : NULL;
}

static bool is_dependency(const struct name *name, size_t part)
{
	for (size_t i = 0; i < COUNT_OF(dependency_rows); i++)
		if (name_part_is(name, part, dependency_rows[i], strlen(dependency_rows[i])))
			return true;
	return false;
}

static bool is_dot_git(const struct name *name, size_t part)
{
	return name_part_is(name, part, ".git", 4);
}

/* The names that stand at part `at`, in no repository. */
static void match_at(struct match *m, size_t at, bool in_dependencies)
{
	const char c = first_of(m->name, at);

	for (size_t i = next_protected(0, c); i < COUNT_OF(protected_rows); i = next_protected(i + 1, c)) {
		const struct row *row = &protected_rows[i];
		size_t end = at;
		enum fit fit;

		if (in_git(row->pattern) != NULL || (in_dependencies && row->where == OUTSIDE))
			continue;
		fit = fit_at(row->pattern, m->name, at, &end);
		if (fit != FIT_NONE && apply(m, row, fit, at, end))
			return;
	}
}

static void match_plain(struct match *m)
{
	bool in_dependencies = false;

	for (size_t at = 0; at < m->name->n && m->ret->held != HELD_PROTECTED; at++) {
		match_at(m, at, in_dependencies);
		if (is_dot_git(m->name, at))
			return; /* what lies there is git's */
		in_dependencies = in_dependencies || (at >= m->name->n_tree && is_dependency(m->name, at));
	}
}

/* What lies in the repository whose name ends before part `at`. */
static void match_in_git(struct match *m, size_t at, enum git_dir git)
{
	if (any_odd(m->name, at - 1, at) && at < m->name->n) {
		settle(m, HELD_PROTECTED, NULL, odd_name, m->name->n);
		return;
	}
	if (git == GIT_DIR_MADE_OF_OLD && at < m->name->n && !m->c->deleted) {
		settle(m, HELD_PROTECTED, NULL, made_of_old, m->name->n);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(protected_rows); i++) {
		const char *pattern = in_git(protected_rows[i].pattern);
		size_t end = at;
		enum fit fit;

		if (pattern == NULL)
			continue;
		fit = fit_at(pattern, m->name, at, &end);
		if (fit != FIT_NONE && apply(m, &protected_rows[i], fit, at - 1, end))
			break;
	}
	if (at < m->name->n && m->c->type == CHANGE_SYMLINK && !m->c->deleted && m->ret->held != HELD_PROTECTED)
		settle(m, HELD_PROTECTED, NULL, link_in_git, m->name->n);
}

static bool has_data_part(const struct name *name, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (name_part_is(name, i, "refs", 4) || name_part_is(name, i, "logs", 4) ||
		    name_part_is(name, i, "objects", 7))
			return true;
	return false;
}

/* Whether the first n parts are a repository by where they lie in another, whose name has `above` parts. The name of a
 * submodule may have several parts; what looks like the references of a shorter one is not taken for a longer one. */
static bool lies_in_git(const struct name *name, size_t n, size_t above)
{
	if (above == 0 || above + 2 > n)
		return false;
	if (name_part_is(name, above, "worktrees", 9))
		return above + 2 == n;
	return name_part_is(name, above, "modules", 7) && !has_data_part(name, above + 2, n);
}

static enum git_dir git_dir_at(const struct match *m, size_t n, size_t above)
{
	const struct name *name = m->name;

	if (name_part_is(name, n - 1, "*.git", 5) || lies_in_git(name, n, above))
		return GIT_DIR_IS;
	return m->c->is_git_dir != NULL ? m->c->is_git_dir(m->c->arg, name->full, name->part[n - 1].end) : GIT_DIR_NOT;
}

static void match_git(struct match *m)
{
	size_t above = 0; /* parts of the outermost repository around a `modules` or `worktrees` */

	for (size_t n = 1; n <= m->name->n && m->ret->held != HELD_PROTECTED; n++) {
		const enum git_dir git = git_dir_at(m, n, above);

		if (git == GIT_DIR_NOT)
			continue;
		match_in_git(m, n, git);
		if (above == 0 || !name_part_is(m->name, above, "modules", 7))
			above = n;
	}
}

static bool ends_in_slash(const char *pattern)
{
	return pattern[strlen(pattern) - 1] == '/';
}

static void mark_later(struct match *m)
{
	bool in_dependencies = false;

	for (size_t at = 0; at < m->name->n; at++) {
		const char c = first_of(m->name, at);

		if (is_dot_git(m->name, at))
			return;
		for (size_t i = next_later(0, c); i < COUNT_OF(later_rows); i = next_later(i + 1, c)) {
			const struct row *row = &later_rows[i];
			size_t end = at;
			enum fit fit;

			if (in_dependencies && row->where == OUTSIDE)
				continue;
			fit = fit_at(row->pattern, m->name, at, &end);
			if (fit == FIT_EXACT || (fit == FIT_BENEATH && ends_in_slash(row->pattern))) {
				settle(m, HELD_NOT, row, row->why, end);
				m->ret->later = 1;
				return;
			}
		}
		in_dependencies = in_dependencies || (at >= m->name->n_tree && is_dependency(m->name, at));
	}
}

void protected_match(const struct name_case *c, struct name_verdict *ret)
{
	struct name name;
	struct match m = { .c = c, .name = &name, .ret = ret };

	*ret = (struct name_verdict){ .held = HELD_NOT, .reason = "", .row = "" };
	if (!name_split(c->tree, c->path, &name)) {
		ret->held = HELD_PROTECTED;
		ret->reason = too_long;
		return;
	}
	match_plain(&m);
	if (ret->held != HELD_PROTECTED)
		match_git(&m);
	if (ret->held == HELD_NOT && !c->deleted && c->type != CHANGE_DIRECTORY)
		mark_later(&m);
}

/* ---- parts alone ---- */

/* What is no row of its own, but is looked for. */
static const struct row beside[] = {
	{ "*.git", HOLD, ANYWHERE, "" },         /* below all repositories no link is to be trusted (link_in_git) */
	{ ".git/modules/", HOLD, ANYWHERE, "" }, /* repositories as well, of submodules */
};
#define N_PARTED (COUNT_OF(protected_rows) + COUNT_OF(beside))

static const struct row *row_at(size_t i)
{
	return i < COUNT_OF(protected_rows) ? &protected_rows[i] : &beside[i - COUNT_OF(protected_rows)];
}

/* Of the row's next part, and how much of it is taken. */
static size_t take_part(const struct row *row, const char *pattern, struct protected_parts *ret, size_t at)
{
	const size_t n = (size_t)(strchrnul(pattern, '/') - pattern);
	const bool last = pattern[n] == 0 || pattern[n + 1] == 0;
	const bool whole = last && (row->how == HOLD || (n == 4 && strncmp(pattern, ".git", 4) == 0));

	ret->parts[at].pattern = pattern;
	ret->parts[at].n = (uint8_t)n; /* patterns are short */
	ret->parts[at].role = PROTECTED_PART | (whole ? PROTECTED_WHOLE : 0);
	ret->parts[at].file = 0;
	ret->parts[at].before = 0;
	if (pattern[n] == 0 && row != &beside[0]) {
		const bool git = in_git(row->pattern) == pattern;
		const char *before = pattern;

		while (!git && before > row->pattern && (before == pattern || before[-1] != '/'))
			before--;
		ret->parts[at].file = git ? PROTECTED_GIT_FILE : PROTECTED_FILE;
		ret->parts[at].before = (uint8_t)(before < pattern ? pattern - before - 1 : 0); /* likewise */
	}
	return n + (pattern[n] == '/');
}

void protected_parts_make(struct protected_parts *ret)
{
	uint16_t next[257] = { 0 };

	for (size_t i = 0; i < N_PARTED; i++)
		for (const char *p = row_at(i)->pattern; row_at(i)->how != PASS && *p != 0;
		     p += strcspn(p, "/"), p += *p != 0)
			next[(uint8_t)p[0] + 1]++;
	for (size_t i = 1; i < COUNT_OF(next); i++)
		next[i] =
			(uint16_t)(next[i] + next[i - 1]); /* there are no more than PROTECTED_PARTS_MAX: see a test */
	memcpy(ret->first, next, sizeof next);
	for (size_t i = 0; i < N_PARTED; i++)
		for (const char *p = row_at(i)->pattern; row_at(i)->how != PASS && *p != 0;)
			p += take_part(row_at(i), p, ret, next[(uint8_t)p[0]]++);
}

static unsigned role_of(const struct protected_parts *p, uint8_t byte, const char *folded, size_t n)
{
	unsigned role = 0;

	for (size_t i = p->first[byte]; i < p->first[byte + 1] && role != (PROTECTED_PART | PROTECTED_WHOLE); i++)
		if (name_folded_is(folded, n, p->parts[i].pattern, p->parts[i].n))
			role |= p->parts[i].role;
	return role;
}

unsigned protected_part_role(const struct protected_parts *p, const char *part)
{
	char folded[NAME_PART_MAX + 1];
	const size_t n = name_fold(part, folded);

	return n == 0 ? 0 : role_of(p, (uint8_t)folded[0], folded, n) | role_of(p, '*', folded, n);
}

static bool is_part(const char *part, const char *pattern, size_t n)
{
	char folded[NAME_PART_MAX + 1];

	return name_folded_is(folded, name_fold(part, folded), pattern, n);
}

static unsigned file_role_of(const struct protected_parts *p, uint8_t byte, const char *folded, size_t n,
			     const char *parent)
{
	unsigned role = 0;

	for (size_t i = p->first[byte]; i < p->first[byte + 1]; i++) {
		const size_t before = p->parts[i].before;
		const char *pattern = p->parts[i].pattern;

		if (p->parts[i].file != 0 && name_folded_is(folded, n, pattern, p->parts[i].n) &&
		    (before == 0 || is_part(parent, pattern - before - 1, before)))
			role |= p->parts[i].file;
	}
	return role;
}

unsigned protected_file_role(const struct protected_parts *p, const char *parent, const char *name)
{
	char folded[NAME_PART_MAX + 1];
	const size_t n = name_fold(name, folded);

	if (n == 0)
		return 0;
	return file_role_of(p, (uint8_t)folded[0], folded, n, parent) | file_role_of(p, '*', folded, n, parent);
}

/* FNV-1a, as hidden_version. */
uint64_t protected_version(void)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < N_PARTED; i++) {
		for (const char *p = row_at(i)->pattern; *p != 0; p++)
			sum = (sum ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
		sum = (sum ^ 0x100u ^ row_at(i)->how) * UINT64_C(0x100000001b3);
	}
	return sum;
}

bool protected_in_dependencies(const char *tree, const char *path)
{
	struct name name;

	if (!name_split(tree, path, &name))
		return true;
	for (size_t at = name.n_tree; at < name.n; at++)
		if (is_dependency(&name, at))
			return true;
	return false;
}
