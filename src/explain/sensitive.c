#include "explain/sensitive.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "core/grant.h"
#include "stage/hidden.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *pattern, *reason;
} places[] = {
#define SENSITIVE(pattern, reason) { pattern, reason },
#include "explain/sensitive.def"
#undef SENSITIVE
};

static const char *const broad[] = {
#define BROAD(pattern) pattern,
#include "explain/broad.def"
#undef BROAD
};

/* The part of a path beneath a home, "/x" or ""; NULL if it is in none. Other people's homes are homes. */
static const char *in_home(const char *path, const char *home)
{
	const char *rest;

	if (home != NULL && path_is_beneath(path, home))
		return path + strlen(home);
	if (path_is_beneath(path, "/root"))
		return path + strlen("/root");
	if (!path_is_beneath(path, "/home") || path[5] == 0)
		return NULL;
	rest = strchr(path + strlen("/home/"), '/');
	return rest != NULL ? rest : path + strlen(path);
}

/* Whether path, or what it lies beneath, is of the pattern "/a/b*": as many parts, each by the wildcards of the shell. */
static bool tree_matches(const char *pattern, const char *path)
{
	char head[GRANT_OBJECT_MAX];
	size_t n = 0, parts = 0;

	for (const char *p = pattern; *p != 0; p++)
		parts += *p == '/';
	while (path[n] != 0 && (path[n] != '/' || parts-- > 0))
		n++;
	if (n >= sizeof head)
		return false;
	memcpy(head, path, n);
	head[n] = 0;
	return fnmatch(pattern, head, FNM_PATHNAME) == 0;
}

/* Whether any part of path is of the pattern. */
static bool part_matches(const char *pattern, const char *path)
{
	while (*path == '/') {
		char part[256]; /* NAME_MAX and a NUL: a longer one is no file's name */
		const size_t n = strcspn(path + 1, "/");

		if (n < sizeof part) {
			memcpy(part, path + 1, n);
			part[n] = 0;
			if (fnmatch(pattern, part, 0) == 0)
				return true;
		}
		path += n + 1;
	}
	return false;
}

static bool matches(const char *pattern, const char *path, const char *home)
{
	const char *rest;

	if (pattern[0] == '/')
		return tree_matches(pattern, path);
	if (pattern[0] != '~')
		return part_matches(pattern, path);
	rest = in_home(path, home);
	return rest != NULL && tree_matches(pattern + 1, rest);
}

const char *sensitive_hidden(const char *path)
{
	const struct hidden_row *row = hidden_path(path);

	return row != NULL ? row->why : NULL;
}

const char *sensitive_reason(const char *path, const char *home)
{
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (matches(places[i].pattern, path, home))
			return places[i].reason;
	return sensitive_hidden(path);
}

/* Whether the pattern "/a/b*" could be of something beneath "/a", part by part. "" is above everything. */
static bool tree_is_above(const char *directory, const char *pattern)
{
	while (*directory == '/') {
		char want[256], have[256];
		const size_t n = strcspn(directory + 1, "/"), m = *pattern == '/' ? strcspn(pattern + 1, "/") : 0;

		if (m == 0 || n >= sizeof have || m >= sizeof want)
			return false;
		memcpy(have, directory + 1, n);
		memcpy(want, pattern + 1, m);
		have[n] = want[m] = 0;
		if (fnmatch(want, have, 0) != 0)
			return false;
		directory += n + 1;
		pattern += m + 1;
	}
	return *pattern == '/';
}

/* The rest of the way from directory to home, if home lies beneath it. */
static bool holds_home(const char *directory, const char *home)
{
	return (home != NULL && path_is_beneath(home, directory)) || path_is_beneath("/root", directory) ||
	       path_is_beneath("/home", directory);
}

bool sensitive_is_beneath(const char *directory, const char *home)
{
	const char *top = strcmp(directory, "/") == 0 ? "" : directory;
	const char *rest = in_home(directory, home);

	if (holds_home(directory, home))
		return true;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		const char *pattern = places[i].pattern;

		if (pattern[0] == '/' ? tree_is_above(top, pattern)
				      : pattern[0] == '~' && rest != NULL && tree_is_above(rest, pattern + 1))
			return true;
	}
	return false;
}

bool is_broad(const char *directory, const char *home)
{
	const char *rest = in_home(directory, home);

	if (holds_home(directory, home))
		return true;
	for (size_t i = 0; i < COUNT_OF(broad); i++) {
		if (broad[i][0] == '/' && fnmatch(broad[i], directory, FNM_PATHNAME) == 0)
			return true;
		if (broad[i][0] == '~' && rest != NULL && fnmatch(broad[i] + 1, rest, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}
