#include "core/grant.h"

#include <string.h>

/* The end of the part that starts at s: the next slash or the end. */
static const char *part_end(const char *s)
{
	const char *slash = strchr(s, '/');

	return slash != NULL ? slash : s + strlen(s);
}

static bool is_dot(const char *part, size_t len)
{
	return len == 1 && part[0] == '.';
}

static bool is_dot_dot(const char *part, size_t len)
{
	return len == 2 && part[0] == '.' && part[1] == '.';
}

bool path_is_beneath(const char *path, const char *root)
{
	const size_t n = strlen(root);

	if (n == 1) /* "/": everything absolute lies beneath it */
		return root[0] == '/' && path[0] == '/';
	if (n == 0 || strncmp(path, root, n) != 0)
		return false;
	return path[n] == 0 || path[n] == '/';
}

bool path_is_normal(const char *path)
{
	if (path[0] != '/' || strnlen(path, GRANT_OBJECT_MAX) == GRANT_OBJECT_MAX)
		return false;
	if (path[1] == 0)
		return true;
	for (const char *at = path; *at != 0;) {
		const char *part = at + 1; /* at stands on a slash */
		const char *end = part_end(part);
		const size_t len = (size_t)(end - part);

		if (len == 0 || is_dot(part, len) || is_dot_dot(part, len))
			return false;
		at = end;
	}
	return true;
}

/* Cuts the last part off ret[0..len); the root, which is the empty text here, stays. */
static size_t cut_last(const char *ret, size_t len)
{
	while (len > 0 && ret[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

/* Appends the parts of path to ret[0..*len), which holds "" or "/a/b" without a NUL. False if one does not fit. */
static bool append_parts(char *ret, size_t ret_size, size_t *len, const char *path)
{
	while (*path != 0) {
		const char *end = part_end(path);
		const size_t n = (size_t)(end - path);

		if (is_dot_dot(path, n)) {
			*len = cut_last(ret, *len);
		} else if (n > 0 && !is_dot(path, n)) {
			if (n + 2 > ret_size - *len) /* the slash before it and the NUL after */
				return false;
			ret[(*len)++] = '/';
			memcpy(ret + *len, path, n);
			*len += n;
		}
		path = *end == '/' ? end + 1 : end;
	}
	return true;
}

static bool join(const char *base, const char *path, char *ret, size_t ret_size, size_t *len)
{
	if (path[0] == '/')
		return append_parts(ret, ret_size, len, path);
	if (path[0] == 0 || base == NULL || base[0] != '/')
		return false;
	return append_parts(ret, ret_size, len, base) && append_parts(ret, ret_size, len, path);
}

bool path_normalise(const char *base, const char *path, char *ret, size_t ret_size)
{
	size_t len = 0;

	if (ret_size == 0)
		return false;
	if (!join(base, path, ret, ret_size, &len) || (len == 0 && ret_size < 2)) {
		ret[0] = 0;
		return false;
	}
	if (len == 0)
		ret[len++] = '/';
	ret[len] = 0;
	return true;
}
