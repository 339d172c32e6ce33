/* The meaning of git's configuration: which keys name nothing to be run. */
#include <string.h>

#include "judge/gitconfig.h"
#include "judge/kinds.h"
#include "judge/protected.h"
#include "judge/where.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ENTRIES_MAX 4096 /* a repository of a thousand branches */
#define WORK_MAX                                                                                                       \
	(256u << 20) /* entries times bytes of the old content, in which new remotes are looked for: a second */

enum file { CONFIG, OPTS, MODULES };
enum subsection { NONE, SOME };
enum value { FLAG, TEXT, REF, REMOTE, ADDRESS, REFSPEC, TAGS, UPDATE, INSIDE };
enum when { SET, NEW };

static const struct inert {
	enum file file;
	const char *section;
	enum subsection subsection;
	const char *key;
	enum value value;
	enum when when;
} table[] = {
#define KEY(file, section, subsection, key, value, when) { file, section, subsection, key, value, when },
#include "judge/keys.def"
#undef KEY
};

static const char digits_and_letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Whether s is not empty and of letters, digits and these. */
static bool is_of(const char *s, size_t n, const char *others)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(digits_and_letters, s[i]) == NULL && strchr(others, s[i]) == NULL)
			return false;
	return n > 0;
}

static bool is_flag(const char *s)
{
	return s[0] == 0 || (is_of(s, strlen(s), "_+:.-") && (s[0] != '-' || is_of(s + 1, strlen(s + 1), "")));
}

/* Letters that git-check-ref-format(1) allows, with one `*` where that is said. Bytes of other scripts are letters. */
static bool is_ref(const char *s, size_t n, bool star)
{
	if (n == 0 || s[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '*' && star)
			star = false;
		else if ((unsigned char)s[i] <= ' ' || strchr("~^:?*[\\\"'`$;|&<>(){}\x7F", s[i]) != NULL)
			return false;
		if (i > 0 && s[i] == '.' && s[i - 1] == '.')
			return false;
	}
	return true;
}

/* The name of a remote, which git would otherwise take for an address or a path; `.` is the repository itself. */
static bool is_remote(const char *s)
{
	return strcmp(s, ".") == 0 || (is_of(s, strlen(s), "_-.") && strchr("-.", s[0]) == NULL);
}

static bool is_refspec(const char *s)
{
	const char *colon = strchr(s, ':'), *source = s + (s[0] == '+' || s[0] == '^');
	const size_t n = colon != NULL ? (size_t)(colon - source) : strlen(source);

	return is_ref(source, n, true) && (colon == NULL || is_ref(colon + 1, strlen(colon + 1), true));
}

/* user@host:port and its like: nothing in it begins like an option, and nothing is hidden by %. */
static bool is_authority(const char *s, size_t n)
{
	const char *at = memchr(s, '@', n);
	const size_t user = at != NULL ? (size_t)(at - s) + 1 : 0;

	return is_of(s, n, "._~+:@[]-") && s[0] != '-' && user < n && s[user] != '-';
}

/* No blank, no control, and none that git or a helper would decode. */
static bool is_rest(const char *s)
{
	for (; *s != 0; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7F || (s[0] == '%' && (s[1] == '0' || s[1] == '1')))
			return false;
	return true;
}

/* Addresses that git opens by itself: those below, host:path and paths. No helper (ext::, or any scheme that is not here,
 * for which git runs git-remote-SCHEME), and nothing that ssh or git could take for an option. */
static bool is_address(const char *s)
{
	static const char *const schemes[] = { "https://", "http://", "ssh://", "git://" };
	const char *colon = strchr(s, ':'), *slash = strchr(s, '/');

	if (s[0] == '-' || s[0] == 0 || strstr(s, "::") != NULL || !is_rest(s))
		return false;
	if (strncmp(s, "file:///", 8) == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		const char *authority = s + strlen(schemes[i]);

		if (strncmp(s, schemes[i], strlen(schemes[i])) == 0)
			return is_authority(authority, strcspn(authority, "/"));
	}
	if (strstr(s, "://") != NULL)
		return false;
	if (colon == NULL || (slash != NULL && slash < colon))
		return true; /* a path */
	return is_authority(s, (size_t)(colon - s)) && colon[1] != '-' && colon[1] != 0;
}

static bool is_update(const char *s)
{
	return strcmp(s, "checkout") == 0 || strcmp(s, "rebase") == 0 || strcmp(s, "merge") == 0 ||
	       strcmp(s, "none") == 0;
}

/* git will fill the directory with what a commit holds: so nothing else may obey what lies there. */
static bool stays_inside(const struct judge_case *c, const char *s)
{
	char led[CHANGE_PATH_MAX];
	const struct name_case filled = { .tree = c->tree, .path = led, .type = CHANGE_DIRECTORY, .replaced = true };
	struct name_verdict v;

	if (s[0] == '-' || !is_rest(s) || !where_leads(c->tree, c->path, s, strlen(s), led) || led[0] == 0)
		return false;
	protected_match(&filled, &v);
	return v.held == HELD_NOT && !where_is_in_git(led);
}

static bool value_is(const struct judge_case *c, enum value value, const struct gitconfig_entry *e)
{
	const char *s = e->value;

	if (!e->has_value)
		return value == FLAG;
	switch (value) {
	case FLAG: return is_flag(s);
	case TEXT: return true;
	case REF: return is_ref(s, strlen(s), false);
	case REMOTE: return is_remote(s);
	case ADDRESS: return is_address(s);
	case REFSPEC: return is_refspec(s);
	case TAGS: return strcmp(s, "--no-tags") == 0 || strcmp(s, "--tags") == 0;
	case UPDATE: return is_update(s);
	case INSIDE: return stays_inside(c, s);
	}
	return false;
}

/* The name of a submodule is a directory beneath .git/modules. */
static bool subsection_is_good(const struct gitconfig_entry *e)
{
	char name[GITCONFIG_NAME_MAX];

	if (e->subsection_len == 0 || e->subsection[0] == '-')
		return false;
	if (!word_is(e->section, e->section_len, "submodule"))
		return true;
	memcpy(name, e->subsection, e->subsection_len);
	name[e->subsection_len] = 0;
	return change_path_is_good(name) && strchr(name, '\\') == NULL;
}

static const struct inert *row_of(enum file file, const struct gitconfig_entry *e)
{
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].file == file && (table[i].subsection == SOME) == (e->subsection != NULL) &&
		    word_is(e->section, e->section_len, table[i].section) &&
		    (strcmp(table[i].key, "*") == 0 || strcmp(table[i].key, e->key) == 0))
			return &table[i];
	return NULL;
}

/* Whether the old content has any key in the section and subsection of e. */
static bool was_there(const struct judge_case *c, const struct gitconfig_entry *e)
{
	const size_t n = (size_t)(e->key - e->name);
	struct gitconfig old;
	struct gitconfig_entry o;

	gitconfig_init(&old, c->old, c->old_len);
	while (gitconfig_next(&old, &o) == 1)
		if ((size_t)(o.key - o.name) == n && memcmp(o.name, e->name, n) == 0)
			return true;
	return false;
}

static enum file file_of(uint8_t kind)
{
	if (kind == JUDGE_GIT_MODULES)
		return MODULES;
	return kind == JUDGE_GIT_OPTS ? OPTS : CONFIG;
}

static bool is_inert(const struct judge_case *c, const struct gitconfig_entry *e)
{
	const struct inert *row = row_of(file_of(c->kind), e);

	return row != NULL && value_is(c, row->value, e) && (e->subsection == NULL || subsection_is_good(e)) &&
	       (row->when == SET || !was_there(c, e));
}

/* The next entry that is not inert: 1, 0 at the end, -1 for a mistake or too many of them. */
static int next_live(const struct judge_case *c, struct gitconfig *g, size_t *n, struct gitconfig_entry *ret)
{
	for (;;) {
		const int rc = gitconfig_next(g, ret);

		if (rc == 1 && (++*n > ENTRIES_MAX || *n * c->old_len > WORK_MAX)) {
			g->mistake = "too many keys";
			return -1;
		}
		if (rc != 1 || !is_inert(c, ret))
			return rc;
	}
}

static bool is_equal(const struct gitconfig_entry *a, const struct gitconfig_entry *b)
{
	return strcmp(a->name, b->name) == 0 && a->has_value == b->has_value && strcmp(a->value, b->value) == 0;
}

/* What is left of the old and of the new content when all inert keys are taken out must be the same, in the same order: so
 * nothing that acts was added, changed, moved or taken away. */
void judge_git_config(const struct judge_case *c, struct judge_verdict *ret)
{
	struct gitconfig old, now;
	struct gitconfig_entry was, is;
	size_t n_old = 0, n_now = 0;

	gitconfig_init(&old, c->old, c->old_len);
	gitconfig_init(&now, c->now, c->now_len);
	for (;;) {
		const int rc_was = next_live(c, &old, &n_old, &was), rc_is = next_live(c, &now, &n_now, &is);

		if (rc_is < 0)
			hold(ret, now.at < c->now_len ? now.at : c->now_len, "not read as git reads it", now.mistake,
			     strlen(now.mistake));
		else if (rc_is == 1 && (rc_was != 1 || !is_equal(&was, &is)))
			hold(ret, is.offset, "not known to be harmless", is.name, strlen(is.name));
		else if (rc_was < 0)
			hold(ret, 0, "what it was before cannot be read", old.mistake, strlen(old.mistake));
		else if (rc_was == 1 && rc_is == 0)
			hold(ret, c->now_len, "no longer says", was.name, strlen(was.name));
		if (!ret->inert || rc_is == 0)
			return;
	}
}
