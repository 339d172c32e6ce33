/* where - what a path in a file leads to, by its letters alone.
 *
 * Owns:   nothing.
 * Holds:  `..` is taken only in front, where what it leaves is real; behind a name it could leave what a link leads to.
 * Called: by the judges; pure, no heap. The tree and the file's path are real (judge.h). */
#ifndef JUDGE_WHERE_H
#define JUDGE_WHERE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/change.h"

/* The n bytes of text, read as a path from the directory of the file tree/path, as a path in the tree ("" is the tree).
 * False: it leaves the tree, or cannot be told. */
bool where_leads(const char *tree, const char *path, const char *text, size_t n, char ret[CHANGE_PATH_MAX]);

/* Whether a path in the tree is that of a repository as protected.def knows them by name alone: `.git` or `x.git`, a
 * worktree or a submodule in one. */
bool where_is_repository(const char *path);
/* Whether any part of it is `.git` or `x.git`, however file systems fold it. */
bool where_is_in_git(const char *path);

#endif
