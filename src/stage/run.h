/* run - carries a deed out, in either direction.
 *
 * Owns:   what each operation does and how it tells that it was done already.
 * Holds:  every path of the real tree is resolved anew, beneath its descriptor, right before its operation, and what is there is
 *         compared with what the deed says; what an exchange gave is compared once more. Doing a deed again changes nothing.
 * Called: from stage/ only. */
#ifndef STAGE_RUN_H
#define STAGE_RUN_H

#include "stage/journal.h"
#include "stage/moved.h"
#include "stage/walk.h"

struct run {
	const struct trees *trees;
	struct deed *deed;
	struct moved *moved; /* where it is recorded; may be NULL */
	bool fresh;     /* it was built, or compared, just now: modes of directories that were there are as it says */
	bool backwards; /* the last operation first, each turned round */
	bool strict; /* what goes out of the real tree must be as the deed says; else it only must be the same object */
	bool found; /* another process began it: what is where it should go may have been moved already, or never away */
	bool lenient; /* go on where somebody else changed the tree, and tell */
	void (*told)(void *user, uint16_t tree, const char *path);
	void *user;
};

/* 0; -CONFLICT: somebody else changed the tree (told; with `lenient` all the rest is done); else a system call failed. */
int run_deed(const struct run *r, struct err *e);

/* The directory of slots of a batch: in the stage, or, for a tree out of reach, in the tree. */
#define SLOTS_NAME_MAX 64
const char *slots_name(const struct deed *d, bool far, uint32_t batch, char room[SLOTS_NAME_MAX]);

/* Whether it is the object that id says, and whether it is as id says. */
bool ident_is(const struct ident *now, const struct ident *id);
bool ident_is_same(const struct ident *now, const struct ident *id, bool weak);
/* Whether its times are of whole seconds, so that two changes may have the same: such a file system keeps no births either, mostly (ext4
 * has no room for both). A time without a fraction alone says little: on some machines the clock has one each second. */
bool ident_has_seconds(const struct ident *id);

#endif
