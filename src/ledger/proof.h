/* proof - that an entry is in a log, for who has no log at hand (C2SP tlog-proof v1; files end in .tlog-proof).
 *
 * Owns:   nothing; what was parsed are spans of the caller's bytes, and copies of hashes.
 * Holds:  form alone: parsing says nothing about who signed the checkpoint (ledger/note.h), nor whether the hashes lead
 *         from an entry to its root. The index is that of an entry of the tree. What is written was parsed first.
 *         Each refusal is -MALFORMED and names the line (the first is 1); behind "checkpoint from line N" lines and bytes
 *         are the checkpoint's own.
 * Called: from src/ledger; pure. */
#ifndef LEDGER_PROOF_H
#define LEDGER_PROOF_H

#include "ledger/checkpoint.h"
#include "ledger/note.h"

#define PROOF_MAX (2 * NOTE_MAX) /* bytes: the checkpoint may have half, and 63 hashes are 3 kB */
#define PROOF_HASHES_MAX 63      /* the height of a tree of CHECKPOINT_SIZE_MAX entries */
#define PROOF_HASH_BYTES 32

struct proof {
	struct span extra; /* base64 of what nobody has signed; empty if there is none */
	uint64_t index;    /* of the entry; the first is 0 */
	size_t n_hashes;
	uint8_t hashes[PROOF_HASHES_MAX][PROOF_HASH_BYTES]; /* from the entry's sibling up to the root's child */
	struct span signed_checkpoint;                      /* a note, as it came; then what it says */
	struct note note;
	struct checkpoint checkpoint;
};

/* On failure *ret is untouched. */
int proof_parse(struct span bytes, struct proof *ret, struct err *e);

/* Appends the proof; its note and checkpoint are not looked at, but made of signed_checkpoint. Nothing is appended on failure:
 * -MALFORMED as above, of what would have been written; -MEMORY: out is full (it is failed then). */
int proof_put(struct buf *out, const struct proof *p, struct err *e);

#endif
