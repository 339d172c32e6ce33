#include "judge/where.h"

#include <string.h>

#include "judge/name.h"

/* Takes the last part away; false if there is none. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (path[0] == 0)
		return false;
	if (slash != NULL)
		*slash = 0;
	else
		path[0] = 0;
	return true;
}

static bool join(char *path, const char *rest)
{
	const size_t n = strlen(path), m = strlen(rest);

	if (n + m + 2 > CHANGE_PATH_MAX)
		return false;
	if (n > 0 && m > 0)
		path[n] = '/';
	memcpy(path + n + (n > 0 && m > 0), rest, m + 1);
	return true;
}

/* An absolute path, from behind the tree on. */
static const char *behind_tree(const char *tree, const char *absolute)
{
	const size_t n = strlen(tree) == 1 ? 0 : strlen(tree);

	if (strncmp(absolute, tree, n) != 0)
		return NULL;
	if (absolute[n] == 0)
		return absolute + n;
	return absolute[n] == '/' && absolute[n + 1] != 0 ? absolute + n + 1 : NULL;
}

bool where_leads(const char *tree, const char *path, const char *text, size_t n, char ret[CHANGE_PATH_MAX])
{
	char copy[CHANGE_PATH_MAX];
	const char *rest = copy;

	if (n == 0 || n >= sizeof copy || strlen(path) >= CHANGE_PATH_MAX || memchr(text, 0, n) != NULL)
		return false;
	memcpy(copy, text, n);
	copy[n] = 0;
	ret[0] = 0;
	if (copy[0] == '/') {
		rest = behind_tree(tree, copy);
	} else {
		memcpy(ret, path, strlen(path) + 1);
		(void)go_up(ret);
		for (; strncmp(rest, "../", 3) == 0 || strcmp(rest, "..") == 0; rest += rest[2] == '/' ? 3 : 2)
			if (!go_up(ret))
				return false;
	}
	return rest != NULL && change_path_is_good(rest) && join(ret, rest);
}

static size_t part_len(const char *part)
{
	return strcspn(part, "/");
}

static bool ends_in_git(const char *part, size_t n)
{
	return n >= 4 && memcmp(part + n - 4, ".git", 4) == 0;
}

static bool part_is(const char *part, const char *word)
{
	return part_len(part) == strlen(word) && memcmp(part, word, strlen(word)) == 0;
}

/* What lies behind the first part of a path; NULL if nothing does. */
static const char *behind(const char *part)
{
	return part[part_len(part)] == '/' ? part + part_len(part) + 1 : NULL;
}

bool where_is_repository(const char *path)
{
	const char *part = path, *name;

	while (part != NULL && !ends_in_git(part, part_len(part)))
		part = behind(part);
	if (part == NULL)
		return false;
	part = behind(part);
	if (part == NULL)
		return true;
	name = behind(part);
	if (name == NULL)
		return false;
	return part_is(part, "modules") || (part_is(part, "worktrees") && behind(name) == NULL);
}

bool where_is_in_git(const char *path)
{
	struct name name;

	if (!name_split("/", path, &name))
		return true;
	for (size_t i = 0; i < name.n; i++)
		if (name_part_is(&name, i, "*.git", 5))
			return true;
	return false;
}
