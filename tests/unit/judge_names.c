/* judge_names TREE: what protected_match says of each change on descriptor 0: records of a type (f d l), a `-` for a deletion
 * or a `+`, and a path, each ended by a zero byte. One line each: held, judge, later, reason. Repositories are looked for in
 * the tree as it is. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "judge/protected.h"

static bool has(const char *directory, const char *name)
{
	char path[2 * CHANGE_PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum git_dir look(void *arg, const char *path, size_t n)
{
	char directory[2 * CHANGE_PATH_MAX];

	(void)arg;
	(void)snprintf(directory, sizeof directory, "%.*s", (int)n, path);
	return has(directory, "HEAD") &&
			       (has(directory, "commondir") || (has(directory, "objects") && has(directory, "refs")))
		       ? GIT_DIR_IS
		       : GIT_DIR_NOT;
}

static uint8_t type_of(char letter)
{
	return letter == 'd' ? CHANGE_DIRECTORY : letter == 'l' ? CHANGE_SYMLINK : CHANGE_FILE;
}

int main(int argc, char **argv)
{
	auto_free char *record = NULL;
	size_t room = 0;

	if (argc != 2)
		return 2;
	while (getdelim(&record, &room, 0, stdin) > 2) {
		const struct name_case c = { .tree = argv[1],
					     .path = record + 2,
					     .type = type_of(record[0]),
					     .deleted = record[1] == '-',
					     .is_git_dir = look };
		struct name_verdict v;

		protected_match(&c, &v);
		(void)printf("%d %d %d %s\n", v.held, v.judge, v.later, v.reason);
	}
	return 0;
}
