/* record_call - what there is to say about one call that passed, or did not pass, a gate (`ambit guard`), as JSON.
 *
 * Owns:   the form of that record; doc/RECORD.md has its normative text, doc/call.schema.json its schema.
 * Holds:  as record.h: one object on one line, keys in the order of RECORD.md. It has no room for what a gate does not ask about: arguments are at most WHERE_BYTES_MAX.
 * Called: cli/guard_log.c, tests; pure. */
#ifndef LIB_RECORD_CALL_H
#define LIB_RECORD_CALL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "core/id.h"
#include "core/where.h"
#include "guard/link.h"
#include "usual/calls_link.h"

#define RECORD_CALL_MAX (256u << 10) /* escaped six times, and base64 */

/* How it compares with what is usual of such calls. */
struct call_usual {
	uint8_t profile;  /* enum policy_profile; OFF: it was not compared */
	struct err error; /* why it could not be; AMBIT_OK: it was */
	struct usual_verdict v;
};

struct record_call {
	char event[ID_TEXT_MAX], server[ID_TEXT_MAX]; /* its own, and that in which the server runs */
	char agent[64];                               /* "": none */
	const char *workspace;                        /* borrowed */
	char object[2 * GUARD_NAME_MAX];              /* SERVER/TOOL */
	char grant[256], terms[TERMS_TEXT_MAX];       /* which decided; "": none did */
	uint32_t verdict;                             /* enum guard_verdict */
	char question[ID_TEXT_MAX];                   /* GUARD_PERSON */
	struct err why;                               /* else than GUARD_YES */
	uint64_t bytes;                               /* of all that was asked for */
	uint8_t sha256[SHA256_BYTES];
	struct where_arguments arguments; /* borrowed */
	struct call_usual usual;
	uint32_t end; /* enum guard_end, of GUARD_YES; 0: it was not done */
	uint64_t answer_bytes;
	uint8_t answer_sha256[SHA256_BYTES];
	uint64_t asked_ms, ended_ms; /* since 1970 */
};

/* Its words in records and in the ledger; NULL for what is none. */
const char *record_call_verdict(uint32_t verdict);
const char *record_call_end(uint32_t end);

/* Appends the record and a newline. -MEMORY: then out is as it was. */
int record_call_write(const struct record_call *c, struct buf *out, struct err *e);

#endif
