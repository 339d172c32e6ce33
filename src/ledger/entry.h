/* entry - one entry of the ledger, as bytes: what a leaf of its tree is the hash of.
 *
 * Owns:   the form, canonical JSON (canonical.h) with exactly these keys, which happen to be in order:
 *           body    an object, as its type wants it; of it only the form is known here
 *           boot    the boot of the machine in which t_mono counts: a UUID in lower case (/proc/sys/kernel/random/boot_id)
 *           event   "e_...", or null
 *           grant   "g_...", or null
 *           seq     its index in the log, from 0
 *           t_mono  microseconds since that boot, as the ledger's clock ran. Not nanoseconds: an integer of JSON is safe to
 *                   2^53 - 1, which is 104 days of them, and 285 years of these
 *           t_wall  RFC 3339 in UTC with milliseconds, as the machine's clock was set
 *           type    one of the table below
 *           v       1
 * Holds:  what entry_put gave, entry_take takes, with the same values; and of what entry_take takes, entry_put gives the same
 *         bytes. Nothing is skipped, guessed or mended: another key, another order or a blank is refused.
 * Called: by the writer, the verifier and whoever reads the log; pure, but for the memory of the buffer. */
#ifndef LEDGER_ENTRY_H
#define LEDGER_ENTRY_H

#include "base/buf.h"
#include "base/err.h"
#include "core/id.h"
#include "ledger/canonical.h"

#define ENTRY_VERSION 1
#define ENTRY_MAX 65535u                             /* the length of an entry in a bundle of tlog-tiles is 16 bits */
#define ENTRY_FRAME_MAX 244u                         /* all but the body */
#define ENTRY_BODY_MAX (ENTRY_MAX - ENTRY_FRAME_MAX) /* a body of this length fits, whatever stands around it */
#define ENTRY_BODY_LEVELS (CANONICAL_DEPTH_MAX - 1)  /* of brackets: the entry's own are around it */
#define ENTRY_BOOT_LEN 36

/* Whether entries of a type name an event or a grant. Where this version says NO or MUST, a later one may say MAY (it then
 * takes what was written before), and not the other way.
 *   event  MUST where it tells of what an event did or what was decided for it. MAY where a person or a clock can be the
 *          cause as well: a grant can be made, derived, revoked, used and expire between events, a session be frozen from outside; what a
 *          person's authority did (doc/AUTHORITY.md) names none, whatever it was for.
 *   grant  MUST where the entry is about one grant, or could not be without one: nothing irreversible happens
 *          (`intent`) but by a grant. MAY where there is none if it was denied, if
 *          the base of the cell allowed it, or if only the clock was at work (`expire`). NO where it concerns all that an event was granted.
 *
 *       name        word          event  grant    what it tells */
/* clang-format off */
#define ENTRY_TYPES(X)                                                                                              \
	X(START,      "start",      MAY,   NO)    /* an event's program does; without one the ledger, after a stop or a crash */ \
	X(STOP,       "stop",       MAY,   NO)    /* it ended, and how; the ledger, as it should */                  \
	X(CRASH,      "crash",      MAY,   NO)    /* there was no stop: of an event that was lost; of the ledger, found at its next start */ \
	X(POLICY,     "policy",     MAY,   NO)    /* what was granted by whom, in normalised form */                \
	X(GRANT,      "grant",      MAY,   MUST)  /* a grant is made */                                             \
	X(DERIVE,     "derive",     MAY,   MUST)  /* a grant is made of another, which the body names */            \
	X(REVOKE,     "revoke",     MAY,   MUST)                                                                    \
	X(EXPIRE,     "expire",     MAY,   MAY)                                                                     \
	X(REQUEST,    "request",    MAY,   MAY)   /* something is asked for; a grant, if it was named */            \
	X(DECISION,   "decision",   MAY,   MAY)   /* and answered; a denial has no grant */                         \
	X(INTENT,     "intent",     MUST,  MUST)  /* what cannot be undone is about to happen */                    \
	X(EFFECT,     "effect",     MUST,  MAY)   /* what happened */                                               \
	X(RESULT,     "result",     MUST,  MAY)   /* how a request ended, or the event */                           \
	X(COMMIT,     "commit",     MUST,  NO)    /* the changes of an event go to the real files */                \
	X(DISCARD,    "discard",    MUST,  NO)    /* or are thrown away */                                          \
	X(ASK,        "ask",        MAY,   MAY)   /* an approval is asked for, by a grant or by a verdict */        \
	X(APPROVE,    "approve",    MAY,   MAY)   /* the answer; a grant, if it was yes */                          \
	X(FREEZE,     "freeze",     MAY,   NO)                                                                      \
	X(THAW,       "thaw",       MAY,   NO)                                                                      \
	X(LABEL,      "label",      MAY,   MAY)   /* a label is put on; by a grant, or with what came in */         \
	X(DECLASSIFY, "declassify", MAY,   MAY)   /* and taken off; by a grant, or of a path by its owner */        \
	X(VERDICT,    "verdict",    MUST,  NO)    /* what the profile thinks of an event */                         \
	X(PRUNE,      "prune",      NO,    NO)    /* payloads beside the log are removed */                         \
	X(KEY,        "key",        NO,    NO)    /* the key of the log is another from here on */                  \
	X(STEP,       "step",       MUST,  NO)    /* code is given to an event whose interpreter takes one piece after the other */

enum entry_type {
#define ENTRY_TYPE_ENUM(name, word, event, grant) ENTRY_##name,
	ENTRY_TYPES(ENTRY_TYPE_ENUM)
#undef ENTRY_TYPE_ENUM
	ENTRY_TYPE_COUNT
};
/* clang-format on */

struct entry {
	enum entry_type type;
	uint64_t seq;
	uint64_t wall_ms; /* since 1970 */
	uint64_t mono_us; /* since boot */
	char boot[ENTRY_BOOT_LEN + 1];
	char event[ID_TEXT_MAX], grant[ID_TEXT_MAX]; /* empty: null */
	struct canonical_value body;                 /* borrowed: within the bytes that were taken */
};

/* NULL, and false, for what is no type. */
const char *entry_type_word(enum entry_type type);
bool entry_type_of(const void *word, size_t n, enum entry_type *ret);

/* Appends the entry. Its body is checked here, and all else too. -AMBIT_MALFORMED, -AMBIT_LIMIT: it would be none; the
 * message tells the place in the body, or in the entry. -AMBIT_MEMORY: memory is gone, or out's maximum reached. On failure out
 * is as it was. The body does not lie in out. Where out is in the caller's room, nothing is allocated. */
int entry_put(const struct entry *entry, struct buf *out, struct err *e);

/* The n bytes are one entry. *ret borrows its body from them. -AMBIT_MALFORMED; -AMBIT_LIMIT: longer than ENTRY_MAX, or a body
 * that is over a limit of canonical.h. The message tells the place. Then *ret is as it was. */
int entry_take(const void *bytes, size_t n, struct entry *ret, struct err *e);

#endif
