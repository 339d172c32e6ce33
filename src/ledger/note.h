/* note - text that keys have signed (C2SP signed-note v1, and tlog-cosignature v1 for witnesses).
 *
 * Owns:   nothing; what was parsed are spans of the caller's bytes. Nothing is allocated.
 * Holds:  a note that was parsed is written again as it came from its text and its signatures' names and base64. Parsing says
 *         nothing about who signed: until note_verify answers NOTE_GOOD for a key that is trusted, the text is anybody's.
 *         Each refusal is -MALFORMED and names the line (the first is 1) or the byte (the first is 0).
 * Called: from src/ledger; pure. Ed25519 is libsodium's, which needs no sodium_init for it. It takes one encoding of each
 *         signature only, and no public key of small order. */
#ifndef LEDGER_NOTE_H
#define LEDGER_NOTE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "ledger/vkey.h"

#define NOTE_MAX (64u << 10)   /* bytes; the specification wants one. A post-quantum signature has 5 kB */
#define NOTE_SIGNATURES_MAX 64 /* it wants at least 16; a quorum of witnesses is a dozen */
#define NOTE_SECRET_BYTES 64   /* seed and public key, as libsodium keeps them */
#define NOTE_TIME_MAX ((uint64_t)INT64_MAX)

struct note_signature {
	struct span name;   /* of the key */
	struct span base64; /* of the id and at least one byte more */
	uint32_t id;        /* of the key */
};

struct note {
	struct span text; /* with its last newline, without the empty line */
	size_t n_signatures;
	struct note_signature signatures[NOTE_SIGNATURES_MAX]; /* in their order */
};

/* Control characters are those below U+0020, as the specification says: DEL, C1 and what else a terminal obeys may be in a
 * note, so escape what is shown. On failure *ret is untouched. */
int note_parse(struct span bytes, struct note *ret, struct err *e);

enum note_answer {
	NOTE_UNSIGNED, /* by this key: no signature has both its name and its id */
	NOTE_GOOD,     /* each signature that has them is good */
	NOTE_BAD,      /* one is not: refuse the note, whoever else signed it */
};

/* Of a cosignature that is good *ret_time (may be NULL) is the time it names, in seconds since 1970; of several the latest. */
enum note_answer note_verify(const struct note *n, const struct vkey *k, uint64_t *ret_time);

/* Appends the line by which the key signs the text; a note is its text, a newline, then such lines. Time: for a cosignature,
 * otherwise not looked at. Nothing is appended on failure: -MALFORMED: the text is none of a note, or the note would be
 * over NOTE_MAX with this line alone; -CONFLICT: the secret is another key's; -USAGE: a time over NOTE_TIME_MAX;
 * -MEMORY: out is full (it is failed then). That the seed in the secret is of the public key in it is for whoever reads it
 * from a file to see: signatures of one text by one seed with two public keys give the secret away. */
int note_put_signature(struct buf *out, struct span text, const struct vkey *k, const uint8_t secret[NOTE_SECRET_BYTES],
		       uint64_t time, struct err *e);

#endif
