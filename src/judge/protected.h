/* protected - which names other programs execute or obey.
 *
 * Owns:   the tables protected.def (held, or judged by content), later.def (shown: "executes later") and dependency.def.
 * Holds:  names are bytes and folded (name.h); a name that is protected only after more than ASCII case was folded is held,
 *         whatever its content. Rows hold at any depth, and in the tree's own path.
 * Called: by whoever decides about changes, once for each name that a change touches; pure but for the caller's is_git_dir.
 *
 * What the caller sees to, since names alone do not tell:
 *  - a renamed or linked file is asked about twice, by its old name as deleted and by its new name;
 *  - a renamed directory is asked about as `replaced`, and as all that lies in it, since that takes new names with it;
 *  - a directory that was deleted or replaced is asked about by its own name, and as what lay in it if that is known. */
#ifndef JUDGE_PROTECTED_H
#define JUDGE_PROTECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"

/* Whether git takes a directory for a repository: it holds HEAD and either `commondir` or both `objects` and `refs`. */
enum git_dir {
	GIT_DIR_NOT,
	GIT_DIR_IS,          /* it is one, or will be when the changes are committed */
	GIT_DIR_MADE_OF_OLD, /* the changes make it one, and something lay there before, which nobody judged as git would */
};

struct name_case {
	const char *tree; /* absolute and real */
	const char *path; /* relative to the tree, as in struct change; "" is the tree itself */
	uint8_t type;     /* enum change_type, afterwards; of a deletion, of what was there */
	bool deleted;
	bool replaced; /* a directory was there, and another one or something else has its name now; or it is a directory that
			* came here whole, by renaming */
	bool linked; /* the file has another name beside this one, or will have: it can be changed by that, unseen */

	/* Asked for the directories above the name and for the name itself, beginning with those above the tree, with the
	 * first n bytes of an absolute path. NULL: only what is called `.git` or `*.git` is one. */
	enum git_dir (*is_git_dir)(void *arg, const char *path, size_t n);
	void *arg;
};

struct name_verdict {
	uint8_t held;       /* HELD_NOT, HELD_PROTECTED, or HELD_JUDGED: see judge/judge.h */
	uint8_t judge;      /* enum judge_kind, with HELD_JUDGED */
	uint8_t later;      /* 1: not held, but something executes it later */
	const char *reason; /* static; "" if there is nothing to say */
	const char *row;    /* the row's pattern, static; "" if none */
	size_t name_len; /* the bytes of `path` that are the protected name, which a grant would have to name; 0: it is the
			     * tree itself, or something above it */
};

/* Whether the path in the tree lies in a directory of dependencies, or is one. What cannot be told does. */
bool protected_in_dependencies(const char *tree, const char *path);

void protected_match(const struct name_case *c, struct name_verdict *ret);

/* What one part of a path may have to do with the table, wherever it lies: for who keeps names in an index, to ask
 * protected_match about them later. Says too much rather than too little. */
enum protected_part {
	PROTECTED_PART = 1,  /* a row has a part like it: a link of this name may stand for what is obeyed */
	PROTECTED_WHOLE = 2, /* a row is of all that lies beneath: so may any link there */
};

/* Likewise of a file, by its last two parts: of a file that a row leads to, but is not of, nothing is ever said. */
enum protected_file {
	PROTECTED_FILE = 1,     /* a row may be of it, wherever it lies */
	PROTECTED_GIT_FILE = 2, /* a row is of it if the directory is a repository */
};

#define PROTECTED_PARTS_MAX 512

/* The parts of all rows, by their first byte. */
struct protected_parts {
	uint16_t first[257]; /* of each byte, where its parts begin; those that begin with `*` are asked besides */
	struct {
		const char *pattern; /* static */
		uint8_t n, role;
		uint8_t file; /* enum protected_file; 0: it is no row's last part, or of a directory only */
		uint8_t before; /* the length of the part before it, which ends one byte before `pattern`; 0: there is none, or any will do */
	} parts[PROTECTED_PARTS_MAX];
};

void protected_parts_make(struct protected_parts *ret);
unsigned protected_part_role(const struct protected_parts *p, const char *part); /* PROTECTED_PART | PROTECTED_WHOLE */
/* Of enum protected_file. parent: the directory's own name, "" for the root. */
unsigned protected_file_role(const struct protected_parts *p, const char *parent, const char *name);
/* Differs between tables that differ in this. */
uint64_t protected_version(void);

#endif
