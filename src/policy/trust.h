/* trust - the policies that a person has read and said yes to.
 *
 * Owns:   a directory of records, one file for each policy file that was trusted: its path and a copy.
 * Holds:  trusted means: this path, these bytes. Another path or another byte is not trusted. A record is written whole
 *         or not at all, and one that is damaged or could have been written by somebody else counts as an error, never
 *         as trust. What was checked is what is returned: use those bytes, do not open the file again.
 * Called: from the command line, with the person's own authority; never in a cell. Nothing here asks or decides. */
#ifndef POLICY_TRUST_H
#define POLICY_TRUST_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/grant.h"
#include "policy/policy.h"

enum trust_state {
	TRUST_UNKNOWN, /* this path was never trusted */
	TRUST_CHANGED, /* it was, with other bytes: `old` has them */
	TRUST_TRUSTED,
};

struct trust {
	enum trust_state state;
	char path[GRANT_OBJECT_MAX]; /* where the file lies, links resolved */
	struct buf now;              /* the file's bytes */
	struct buf old;              /* those that were trusted; empty if unknown */
};

void trust_init(struct trust *t);
void trust_finish(struct trust *t);

/* The directory of records: "$XDG_STATE_HOME/ambit/trust", or "~/.local/state/ambit/trust". Values of the environment,
 * either may be NULL; one that is not absolute is ignored. */
int trust_dir(const char *xdg_state_home, const char *home, char *ret, size_t size, struct err *e);

/* Reads the policy file and says what is known about it. *t must be initialised; it is the caller's to finish.
 * -NOT_FOUND, -MALFORMED (not a regular file), -LIMIT (POLICY_FILE_MAX): the file. -UNTRUSTED: the records. */
int trust_check(const char *dir, const char *file, struct trust *t, struct err *e);

/* Trusts the bytes in t->now, and no others, for t->path: those that the person was shown. Makes the directory.
 * On failure nothing changed. */
int trust_store(const char *dir, struct trust *t, struct err *e);

/* Writes what changed from `old` to `now` as lines with "-", "+" or " ", fit for a terminal. Nothing if they are
 * equal. False if out of memory. */
bool trust_diff(const struct buf *old, const struct buf *now, struct buf *out);

/* Room that is enough for any diff of two policies: control bytes are escaped to at most eight. */
#define TRUST_DIFF_MAX (16u * POLICY_FILE_MAX + 4096u)

#endif
