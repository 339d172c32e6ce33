/* change - one difference between a staged tree and the real one, as data.
 *
 * Owns:   the kinds of changes, why one may be held back, and their wire form.
 * Holds:  a change is proved: it is what lies in the stage when the cell is dead, and not what anybody said. Names are foreign
 *         bytes, never UTF-8 by right; they hold no NUL, no empty part, no `.` and no `..`. Its texts are somebody else's: a
 *         pool, a struct change_room, or what lies behind a copy (stage/changes.h).
 * Called: stage (finds changes), lib (the record, the decision), diff (shows them); pure. */
#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CHANGE_PATH_MAX 4096   /* with its NUL; longer ones cannot be committed */
#define CHANGE_DIGEST_BYTES 32 /* SHA-256 */

/* CHANGE(name, number, word in the record) */
/* clang-format off */
#define CHANGES(X)                                                                                                     \
	X(ADDED,    1, "added")                                                                                        \
	X(MODIFIED, 2, "modified") /* other content, or another type under the same name */                            \
	X(DELETED,  3, "deleted")  /* of a directory: with all beneath it */                                           \
	X(RENAMED,  4, "renamed")  /* the path is the new name, `from` the old one; content may differ too */          \
	X(MODE,     5, "mode")     /* only mode, times or extended attributes differ */                                \
	X(LINK,     6, "link")     /* another name of the added or modified file `from` */
/* clang-format on */

enum change_kind {
#define CHANGE_ENUM(name, number, word) CHANGE_##name = number,
	CHANGES(CHANGE_ENUM)
#undef CHANGE_ENUM
};

enum change_type { CHANGE_FILE = 1, CHANGE_DIRECTORY, CHANGE_SYMLINK, CHANGE_FIFO, CHANGE_SOCKET, CHANGE_OTHER };

/* Why a change is held back: HELD(name, number, word in the record) */
/* clang-format off */
#define HELDS(X)                                                                                                       \
	X(NOT,       0, "no")                                                                                          \
	X(PROTECTED, 1, "protected") /* other programs obey the name; `reason` says how */                             \
	X(JUDGED,    2, "judged")    /* protected unless its content is harmless, which is still to be said */         \
	X(CONFLICT,  3, "conflict")  /* the real tree changed there */                                                 \
	X(HIDDEN,    4, "hidden")    /* something that the cell did not see lies there */                              \
	X(REFUSED,   5, "refused")   /* a device, setuid bits, a name that is too long: `reason` says what */          \
	X(ASKED,     6, "asked")     /* the policy wants a person to say yes to it */
/* clang-format on */

enum change_held {
#define HELD_ENUM(name, number, word) HELD_##name = number,
	HELDS(HELD_ENUM)
#undef HELD_ENUM
};

#define CHANGE_REASON_MAX 160

struct change {
	uint8_t kind;  /* enum change_kind */
	uint8_t type;  /* enum change_type, of what is there afterwards; of a deletion, of what was there */
	uint8_t held;  /* enum change_held */
	uint8_t later; /* 1: something executes it later (a script of a package, a Makefile): shown, not held */
	uint8_t has_digest;
	uint8_t judge;                       /* with HELD_JUDGED: enum judge_kind (judge/judge.h) */
	uint16_t tree;                       /* index of the staged tree */
	uint32_t mode_old, mode_new;         /* permission bits; 0 where there is none */
	uint64_t size_old, size_new;         /* bytes, of regular files */
	uint8_t digest[CHANGE_DIGEST_BYTES]; /* SHA-256 of the new content of a regular file, if has_digest */
	const char *path;                    /* relative to the tree; "" is the tree itself; below CHANGE_PATH_MAX */
	const char *from;                    /* with RENAMED and LINK, else empty; likewise */
	const char *reason; /* why it is held, or what executes it later; else empty; below CHANGE_REASON_MAX */
};

const char *change_word(uint8_t kind); /* NULL if there is no such kind */
const char *change_type_word(uint8_t type);
const char *held_word(uint8_t held);
/* Whether path is what a change may carry: relative, normal, not too long. */
bool change_path_is_good(const char *path);

void change_encode(struct buf *out, const struct change *c);
/* Where the texts of a decoded change lie. */
struct change_room {
	char path[CHANGE_PATH_MAX], from[CHANGE_PATH_MAX], reason[CHANGE_REASON_MAX];
};

/* Fails the cursor on anything out of range. */
void change_decode(struct rbuf *in, struct change_room *room, struct change *ret);

#endif
