/* A pattern, a line feed, and a path: what is taken has one way of being written, which is taken as the same and matches the same. */
#include <string.h>

#include "core/http_path.h"
#include "core/http_shape.h"
#include "fuzz.h"

#define WRITTEN_MAX (3 * HTTP_PATH_MAX)

static size_t count_slashes(const char *text)
{
	size_t n = 0;

	for (; *text != 0; text++)
		n += *text == '/';
	return n;
}

/* Its shape means it, and no longer or shorter path; and is its own. */
static void of_shape(const char *path)
{
	static char shape[HTTP_PATTERN_MAX], again[HTTP_PATTERN_MAX], written[3 * HTTP_PATTERN_MAX];

	if (!http_shape(path, shape))
		return;
	promise(http_pattern_matches(shape, path) && count_slashes(shape) == count_slashes(path));
	promise(http_pattern_put(shape, written, sizeof written));
	promise(http_pattern_take(written, strlen(written), again) == NULL && strcmp(shape, again) == 0);
}

static void of_path(const char *path, char again[HTTP_PATH_MAX])
{
	static char written[WRITTEN_MAX];

	promise(http_pattern_put(path, written, sizeof written));
	promise(http_path_take(written, strlen(written), again, HTTP_PATH_MAX) == NULL);
	promise(strcmp(path, again) == 0);
	of_shape(path);
	promise(path[0] == '/' && strstr(path, "//") == NULL && strstr(path, "/../") == NULL &&
		strchr(path, '\\') == NULL);
}

static void of_pattern(const char *pattern, char again[HTTP_PATTERN_MAX])
{
	static char written[WRITTEN_MAX];

	promise(http_pattern_put(pattern, written, sizeof written));
	promise(http_pattern_take(written, strlen(written), again) == NULL);
	promise(strcmp(pattern, again) == 0);
	promise(http_pattern_is_within(pattern, pattern));
	promise(http_patterns_may_meet(pattern, pattern));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[HTTP_PATH_MAX], path_again[HTTP_PATH_MAX];
	static char pattern[HTTP_PATTERN_MAX], pattern_again[HTTP_PATTERN_MAX];
	const char *text = (const char *)data, *end = size > 0 ? memchr(data, '\n', size) : NULL;
	const size_t n = end != NULL ? (size_t)(end - text) : size;
	const bool has_pattern = http_pattern_take(text, n, pattern) == NULL;
	const bool has_path = end != NULL && http_path_take(end + 1, size - n - 1, path, sizeof path) == NULL;
	bool matches;

	if (has_pattern)
		of_pattern(pattern, pattern_again);
	if (has_path)
		of_path(path, path_again);
	if (!has_pattern || !has_path)
		return 0;
	matches = http_pattern_matches(pattern, path);
	promise(http_pattern_matches(pattern_again, path_again) == matches);
	promise(!matches || (http_patterns_may_meet(pattern, path) && http_pattern_is_like(pattern, path)));
	promise(!matches || http_patterns_may_be_like(pattern, path));
	return 0;
}
