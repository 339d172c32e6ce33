/* judge - whether the new content of a protected file can make anything run, or leads somewhere else.
 *
 * Owns:   the kinds of content and the rules of each; the tables of what is inert (keys.def, npm_keys.def, drivers.def).
 * Holds:  what is not known to be inert holds: an unknown key, a word that is no command, bad syntax, a NUL, a control
 *         character, too much. A mistake of a judge costs the person a question; there is no answer "perhaps".
 * Called: by the judge role (main.c), which has no authority, since the bytes are anybody's; by tests. Pure; no heap.
 *
 * What a judge takes for granted, and its caller has to see to: the path and the tree are real (no part of them is a
 * symbolic link), and the file has no other name by which it could be changed later (protected.h, `linked`). */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"

#define JUDGE_CONTENT_MAX (256u << 10) /* bytes of one file: configuration that a person could read */
#define JUDGE_INDEX_MAX (64u << 20) /* of an index of git: some 600,000 files; the largest projects have half of that */
#define JUDGE_HIDDEN_MAX (8u << 20) /* of the paths that go with it */

/* JUDGE(name, number, gone: 1 if deleting the file can make nothing run and lead nowhere, what is judged) */
/* clang-format off */
#define JUDGES(X)                                                                                                      \
	X(GIT_CONFIG,     1, 0, "each key that is new or changed is one of keys.def")                                  \
	X(GIT_FILE,       2, 0, "a .git file: leads to a repository of the same tree")                                 \
	X(GIT_COMMONDIR,  3, 1, "of a worktree, as git writes it: ../..")                                              \
	X(GIT_DIR,        4, 1, "the gitdir of a worktree: leads to a .git file of the same tree")                     \
	X(GIT_ATTRIBUTES, 5, 1, "names no filter and no driver but those of git itself and of LFS")                    \
	X(GIT_MODULES,    6, 1, ".gitmodules: addresses and places, no command")                                       \
	X(GIT_TODO,       7, 1, "what is left of a rebase or sequence: no `exec`")                                     \
	X(GIT_AUTHOR,     8, 1, "who wrote a commit, which older git gave to a shell: three quoted values")            \
	X(GIT_WORD,       9, 1, "one plain word, which git may make part of a command")                                \
	X(NPMRC,         10, 0, "each key that is new or changed is one of npm_keys.def")                              \
	X(GIT_OPTS,      11, 1, "options of a sequence of picks: each key is one of keys.def")                         \
	X(GIT_INDEX,     12, 0, "has all names that it had and that the cell could not see")
/* clang-format on */

enum judge_kind {
	JUDGE_NONE = 0,
#define JUDGE_ENUM(name, number, gone, what) JUDGE_##name = number,
	JUDGES(JUDGE_ENUM)
#undef JUDGE_ENUM
};

struct judge_case {
	uint8_t kind; /* enum judge_kind; another number holds */
	bool had_old; /* false: there was no file, or its content is not known */
	const void *old, *now;
	size_t old_len, now_len;
	const char *tree, *path; /* as in struct name_case */

	/* GIT_INDEX alone; else all are empty. An empty `now` is an index that is gone. */
	const char *
		hidden; /* what the cell did not see: absolute paths, each with its NUL, in the order of judge_hidden_order() */
	const char *gitdir, *config; /* the files of these names beside it, which say where the work tree is */
	size_t hidden_len, gitdir_len, config_len;
};

struct judge_verdict {
	bool inert;
	uint32_t offset;             /* into `now`, of what holds; 0 if inert */
	char why[CHANGE_REASON_MAX]; /* names the key or the line; escaped; empty if inert */
};

bool judge_kind_is_known(uint8_t kind);
/* So many bytes of a file of this kind are looked at; one that has more holds. */
size_t judge_content_max(uint8_t kind);
/* Whether nothing is left to be said of a deletion. */
bool judge_gone_is_inert(uint8_t kind);

void judge(const struct judge_case *c, struct judge_verdict *ret);

#endif
