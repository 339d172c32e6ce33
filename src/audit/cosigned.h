/* cosigned - checkpoints of this log that witnesses cosigned, as they lie beside it (C2SP tlog-cosignature).
 *
 * Owns:   what was read of them, each with what is wrong with it.
 * Holds:  one is good if the log's key signed it, the key in its file's name cosigned it, and the log goes on from it. That the key is a
 *         witness's is nobody's word but that of who names it (audit_ask.witness): whoever can write there can cosign.
 * Called: audit. */
#ifndef AUDIT_COSIGNED_H
#define AUDIT_COSIGNED_H

#include "audit/ask.h"
#include "audit/report.h"
#include "audit/snapshot.h"
#include "witness/list.h"

struct cosigned {
	char file[WITNESS_FILE_LEN + 16]; /* for people: with its directory */
	char wrong[512];                  /* empty: it is good */
	struct buf bytes;                 /* owned */
	struct note note;
	struct vkey key; /* of the witness, as the file's name has it; without a name before the note was read */
	uint64_t size, time_s;
	bool required; /* its key was named by who asks */
};

struct cosigned_set {
	size_t n;
	struct cosigned of[AUDIT_WITNESSES_MAX];
	size_t missing;   /* witnesses that were named, of which there is none, or none that is good */
	char strange[64]; /* a file that is of no witness, cut; empty: there is none */
	bool more;        /* there are more than are looked at */
};

/* Of the directory in `ask`; without one there are none. -USAGE: a key that was named is none; -MEMORY; -NOT_FOUND. */
int cosigned_take(struct snapshot *s, const struct audit_ask *ask, struct cosigned_set **ret, struct err *e);
void cosigned_free(struct cosigned_set *set);

/* What is wrong, or missing, becomes faults; the others are told. */
void cosigned_report(struct cosigned_set *set, const struct audit_ask *ask, struct report *report);

/* The two together. */
int cosigned_verify(struct snapshot *s, const struct audit_ask *ask, struct report *report, struct err *e);

/* The newest that covers this entry, with each cosignature that there is of the same state, as one note. *ret_size 0: there is none. -MEMORY. */
int cosigned_newest(const struct cosigned_set *set, uint64_t index, struct buf *ret_note, uint64_t *ret_size,
		    struct hash *ret_root, struct err *e);

/* Whether a note is cosigned by those that were named, of which `quorum` will do (0: all). Appends a line for each to out. -USAGE; -MALFORMED: it is
 * not. */
int cosigned_check(const struct note *n, const struct audit_ask *ask, struct buf *out, struct err *e);

/* "cosigned by NAME at TIME" */
void cosigned_say(const char *name, uint64_t time_s, struct buf *out);

#endif
