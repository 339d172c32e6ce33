#include "stage/pattern.h"

#include <fnmatch.h>
#include <string.h>

#include "core/change.h"

/* What stands behind the first part: "" if nothing does. */
static const char *behind(const char *path)
{
	path += strcspn(path, "/");
	return *path == '/' ? path + 1 : path;
}

static bool first_fits(const char *pattern, const char *path)
{
	char want[CHANGE_PATH_MAX], have[CHANGE_PATH_MAX];
	const size_t n = strcspn(pattern, "/"), m = strcspn(path, "/");

	if (n >= sizeof want || m >= sizeof have)
		return false;
	memcpy(want, pattern, n);
	memcpy(have, path, m);
	want[n] = have[m] = 0;
	return fnmatch(want, have, 0) == 0;
}

static bool is_any(const char *pattern)
{
	return pattern[0] == '*' && pattern[1] == '*' && (pattern[2] == '/' || pattern[2] == 0);
}

static bool is_literally(const char *pattern, const char *path)
{
	const size_t n = strlen(pattern);

	return n == 0 || (strncmp(pattern, path, n) == 0 && (path[n] == 0 || path[n] == '/'));
}

/* Where a `**` stood for too few directories it takes one more, and the rest is tried again: only the last one is ever moved. */
bool pattern_fits(const char *pattern, const char *path)
{
	const char *again = NULL, *from = NULL;

	if (is_literally(pattern, path))
		return true;
	while (*pattern != 0) {
		if (is_any(pattern)) {
			again = pattern = behind(pattern);
			from = path;
			if (*pattern == 0)
				return *path != 0;
		} else if (*path != 0 && first_fits(pattern, path)) {
			pattern = behind(pattern);
			path = behind(path);
		} else if (again != NULL && *from != 0) {
			path = from = behind(from);
			pattern = again;
		} else {
			return false;
		}
	}
	return true; /* it ended at this directory, or at the whole */
}

bool pattern_is_wide(const char *word)
{
	return strpbrk(word, "*?[\\") != NULL;
}
