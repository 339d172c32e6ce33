/* Small files of git that lead somewhere: each must lead where protected.def looks anyway. */
#include <string.h>

#include "judge/kinds.h"
#include "judge/where.h"

/* The one line of the content, with or without its end; git takes the rest of a line as it stands, so nothing else passes. */
static bool one_line(const struct judge_case *c, const char **ret_text, size_t *ret_n)
{
	const char *text = c->now;
	size_t n = c->now_len;

	if (n > 0 && text[n - 1] == '\n')
		n--;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
			return false;
	*ret_text = text;
	*ret_n = n;
	return n > 0;
}

void judge_git_file(const struct judge_case *c, struct judge_verdict *ret)
{
	static const char begin[] = "gitdir: ";
	const size_t begin_len = sizeof begin - 1;
	char led[CHANGE_PATH_MAX];
	const char *text;
	size_t n;

	if (!one_line(c, &text, &n) || n <= begin_len || memcmp(text, begin, begin_len) != 0)
		hold(ret, 0, "not a line that begins with gitdir", NULL, 0);
	else if (!where_leads(c->tree, c->path, text + begin_len, n - begin_len, led))
		hold(ret, begin_len, "leads out of the tree, or cannot be told where", text + begin_len, n - begin_len);
	else if (!where_is_repository(led))
		hold(ret, begin_len, "leads to what is no repository by its name", text + begin_len, n - begin_len);
}

/* Whether the path is x.git/worktrees/NAME/file. */
static bool is_of_worktree(const char *path, const char *file)
{
	const size_t n = strlen(path), m = strlen(file);
	char directory[CHANGE_PATH_MAX];
	const char *name;

	if (n >= sizeof directory || n <= m + 1 || path[n - m - 1] != '/' || strcmp(path + n - m, file) != 0)
		return false;
	memcpy(directory, path, n - m - 1);
	directory[n - m - 1] = 0;
	name = strrchr(directory, '/');
	return name != NULL && where_is_repository(directory) && name - directory >= 10 &&
	       memcmp(name - 10, "/worktrees", 10) == 0;
}

void judge_git_commondir(const struct judge_case *c, struct judge_verdict *ret)
{
	const char *text;
	size_t n;

	if (!is_of_worktree(c->path, "commondir"))
		hold(ret, 0, "makes a repository of a directory that is no worktree's", NULL, 0);
	else if (!one_line(c, &text, &n) || !word_is(text, n, "../.."))
		hold(ret, 0, "does not lead to the repository that it lies in", NULL, 0);
}

void judge_git_dir(const struct judge_case *c, struct judge_verdict *ret)
{
	char led[CHANGE_PATH_MAX];
	const char *text;
	size_t n;

	if (!is_of_worktree(c->path, "gitdir"))
		hold(ret, 0, "no worktree's", NULL, 0);
	else if (!one_line(c, &text, &n) || n < 5 || memcmp(text + n - 5, "/.git", 5) != 0)
		hold(ret, 0, "does not lead to a .git file", NULL, 0);
	else if (!where_leads(c->tree, c->path, text, n - 5, led) || where_is_in_git(led))
		hold(ret, 0, "leads out of the tree, or into a repository", text, n);
}
