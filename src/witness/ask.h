/* ask - what the role ambit-witness is to ask of a witness, and what it says of the answer.
 *
 * Owns:   both messages. The ask is one packet over a socket pair, with the connected socket and, for TLS, a file of
 *         certificates; the verdict is the role's standard output.
 * Holds:  what is decoded has lengths and words in range. The checkpoint in both is bytes: the command line stores it and looks at nothing
 *         in it.
 * Called: cli (encodes asks, decodes verdicts), witness (the other way round); pure. */
#ifndef WITNESS_ASK_H
#define WITNESS_ASK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "witness/list.h"

#define WITNESS_HASHES_MAX 63 /* lines of a proof, by tlog-witness */
#define WITNESS_ASK_MAX (NOTE_MAX + WITNESS_HASHES_MAX * HASH_BYTES + 4096u)
#define WITNESS_VERDICT_MAX (NOTE_MAX + 64u)
#define WITNESS_PATIENCE_MS 20000u /* for the whole of an answer */
#define WITNESS_EARLY_S 600u       /* so far may its clock be ahead of ours */

struct witness_ask {
	struct witness_url url;
	uint64_t now_s;              /* since 1970 */
	uint64_t old;                /* entries of the checkpoint that it saw last, as far as is known */
	char key[VKEY_TEXT_MAX + 1]; /* its verifier key */
	size_t n_hashes;             /* the proof from old to the checkpoint */
	struct hash hashes[WITNESS_HASHES_MAX];
	struct span checkpoint; /* a note; borrowed */
};

void witness_ask_encode(const struct witness_ask *ask, struct buf *out);
/* -PROTOCOL. */
int witness_ask_decode(const void *bytes, size_t n, struct witness_ask *ret, struct err *e);

/* name, error code, what is said, and what can be done */
#define WITNESS_OUTCOMES(X)                                                                                            \
	X(COSIGNED, OK, "", NULL)                                                                                      \
	X(OTHER_SIZE, CONFLICT, "it saw another size last", NULL)                                                      \
	X(OTHER_HISTORY, MALFORMED, "it has cosigned another history of this log, of as many entries",                 \
	  "`ambit ledger verify` with a checkpoint that you saved says where they part")                               \
	X(UNKNOWN_LOG, NOT_FOUND, "it does not know this log",                                                         \
	  "send its operator the line in log/key.pub, and ask again when it is there")                                 \
	X(FORBIDDEN, DENIED, "it does not believe the signature of this log",                                          \
	  "its operator has another key for this name than log/key.pub")                                               \
	X(NO_GROWTH, MALFORMED, "it does not see that this log goes on from what it cosigned",                         \
	  "`ambit ledger verify` says whether the log is as it was signed")                                            \
	X(BAD_REQUEST, PROTOCOL, "it did not understand what it was asked", "is this the address of a witness?")       \
	X(REDIRECT, PROTOCOL, "it points to another address, which is not followed",                                   \
	  "name the address itself with --url, if you trust it")                                                       \
	X(STATUS, PROTOCOL, "it answered with another status than a witness has", "try again later")                   \
	X(UNSIGNED, NOT_FOUND, "none of the signatures that it gave is by this key",                                   \
	  "see what key its operator publishes, and name that with --key")                                             \
	X(BAD_SIGNATURE, MALFORMED, "the cosignature that it gave is not one of this checkpoint",                      \
	  "nothing was stored; tell its operator if it goes on")                                                       \
	X(BAD_TIME, MALFORMED, "the cosignature names no time, or one that is still to come",                          \
	  "see that the clock is right here; else tell its operator")                                                  \
	X(NO_LINES, PROTOCOL, "it did not answer with lines of signatures", "is this the address of a witness?")       \
	X(NO_SIZE, PROTOCOL, "it says that it saw another size, and not which", "is this the address of a witness?")   \
	X(TOO_MUCH, LIMIT, "it answers with more than a witness has to say", "is this the address of a witness?")      \
	X(SLOW, LIMIT, "it did not finish its answer in time", "try again later")                                      \
	X(CLOSED, PROTOCOL, "it broke off before it had answered", "try again later")                                  \
	X(NO_HTTP, PROTOCOL, "what it answered is not HTTP", "is this the address of a witness?")                      \
	X(CERTIFICATE, DENIED, "its certificate is not that of this name, or nobody trusted vouches for it",           \
	  "SSL_CERT_FILE can name a file of other authorities")                                                        \
	X(NO_TLS, PROTOCOL, "what it answered is not TLS that is spoken here", "is it http:// and not https://?")      \
	X(NOT_ASKED, USAGE, "what was to be asked is no checkpoint, or the key is none of a witness",                  \
	  "a witness's key begins with its name, and its type is 0x04")

enum witness_outcome {
#define OUTCOME(name, code, text, hint) WITNESS_##name,
	WITNESS_OUTCOMES(OUTCOME)
#undef OUTCOME
		WITNESS_OUTCOME_COUNT
};

struct witness_verdict {
	enum witness_outcome outcome;
	uint32_t status;  /* of HTTP; 0: there was none */
	uint64_t size;    /* COSIGNED: of the checkpoint; OTHER_SIZE: of the one that it saw last */
	uint64_t time_s;  /* COSIGNED: what the cosignature names */
	struct span note; /* COSIGNED: the checkpoint with this cosignature; borrowed */
};

void witness_verdict_encode(const struct witness_verdict *v, struct buf *out);
/* -PROTOCOL. */
int witness_verdict_decode(const void *bytes, size_t n, struct witness_verdict *ret, struct err *e);

#endif
