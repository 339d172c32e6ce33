/* ask - what the role ambit-audit is to do with which log, or ambit-index or ambit-backup.
 *
 * Owns:   struct audit_ask and its encoding, which is the role's standard input: the command line writes it, into a memory file.
 * Holds:  what is decoded has lengths and words in range. The note and the proof in it are foreign: bytes, for the role to judge.
 * Called: cli (audit_ask_encode), audit, index and backup (audit_ask_decode). */
#ifndef AUDIT_ASK_H
#define AUDIT_ASK_H

#include "audit/numbers.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "core/grant.h"
#include "core/id.h"
#include "ledger/vkey.h"

#define AUDIT_GIVEN_MAX NUMBERS_BYTES_MAX /* a proof is shorter */
#define AUDIT_ASK_MAX (AUDIT_GIVEN_MAX + 32768u)
#define AUDIT_WORD_MAX 16
#define AUDIT_WITNESSES_MAX 16

enum audit_op {
	AUDIT_VERIFY,
	AUDIT_SHOW,
	AUDIT_PROVE,
	AUDIT_CHECK,
	AUDIT_REPLAY,
	AUDIT_RESULT,   /* the row (row.h) of an event's last `result` with a payload */
	AUDIT_PAYLOADS, /* those of all, of a log that is what was signed */
	AUDIT_BACKUP,   /* of ambit-backup */
	AUDIT_GROWTH,   /* how the log goes on from what a witness has seen (growth.h) */
	AUDIT_EXPORT,
	AUDIT_REPORT,
	AUDIT_LOOKUP, /* of ambit-index: which entries may be those that AUDIT_SHOW is to show (numbers.h) */
	AUDIT_OP_COUNT
};

#define AUDIT_JSON 1u
#define AUDIT_DENIED 2u   /* show: only what was denied */
#define AUDIT_PROGRESS 4u /* say on standard error how far it is: "N M" and a newline, entries of entries */
#define AUDIT_BY_SEQ 8u   /* prove: the entry `seq`, and not one of `event` */
#define AUDIT_FILES 16u   /* verify: the payloads, too; backup: verify the copy */
#define AUDIT_FRAMED 32u /* show: each line behind a frame (below), so that those of several logs can be put in order */
#define AUDIT_WRITES 64u /* lookup: the index may be written; backup: the copy */
#define AUDIT_VERBOSE 128u /* show, lookup: say on standard error, behind AUDIT_ASIDE, how it was looked up */
#define AUDIT_WHOLE 256u   /* verify, payloads: no log before may be missing */
#define AUDIT_OCSF 512u    /* export: as OCSF; else as OTLP */
#define AUDIT_HTML 1024u   /* report: a page; else text */
#define AUDIT_FLAGS 2047u

#define AUDIT_ASIDE "# "     /* a line of standard error that is neither progress nor a complaint */
#define AUDIT_FRAME_BYTES 12 /* u64 the time of the entry in milliseconds, u32 the bytes that follow */

struct audit_ask {
	enum audit_op op;
	uint32_t flags;
	uint64_t since_ms; /* show, replay, export, report: from this time on, 0: all */
	uint64_t until_ms; /* show, export, report: before this time, 0: all */
	uint64_t limit;    /* show: the last so many, 0: all */
	uint64_t seq;
	char dir[GRANT_OBJECT_MAX]; /* of the log; empty for AUDIT_CHECK */
	char beside
		[GRANT_OBJECT_MAX]; /* show, verify: of the payloads; empty: there are none, or they are not asked for */
	char past[GRANT_OBJECT_MAX]; /* verify, prove, result, payloads: of the logs before; empty: there are none */
	char target
		[GRANT_OBJECT_MAX]; /* what may be written. lookup: where the index lies; backup: where the copy goes; empty: nowhere */
	char event[ID_TEXT_MAX];     /* an id, the beginning of one, "last"; empty: any */
	char grant[ID_TEXT_MAX];     /* show: the same of a grant; "last" is none */
	char session[ID_TEXT_MAX];   /* show: the same of the session of an event */
	char type[AUDIT_WORD_MAX];   /* of entries to be shown; empty: any */
	char key[VKEY_TEXT_MAX + 1]; /* the verifier key that is trusted; empty: the one beside the log */
	char cosigned
		[GRANT_OBJECT_MAX]; /* verify, prove: of checkpoints that witnesses cosigned; empty: there are none */
	/* verify, check: whose cosignature there must be; growth: of the one whose checkpoint is given */
	char witness[AUDIT_WITNESSES_MAX][VKEY_TEXT_MAX + 1];
	uint32_t n_witnesses;
	uint32_t quorum; /* verify, check: so many of them will do; 0: all */
	struct span
		given; /* verify: a saved checkpoint; check: a proof; show: numbers, empty: none; replay: policy_asked.h, growth: a cosigned checkpoint, empty: none; borrowed */
};

void audit_ask_encode(const struct audit_ask *ask, struct buf *out);
int audit_ask_decode(const void *bytes, size_t n, struct audit_ask *ret, struct err *e);

/* How the role ends. Its standard output has what was asked for; with AUDIT_REFUSED and after AUDIT_FAILED of all but verify and report its
 * standard error ends with four lines: what, why, hint, and the number of the code. */
#define AUDIT_DONE 0
#define AUDIT_FAILED 1  /* it is not as it was signed, or there is something that could not be read */
#define AUDIT_REFUSED 3 /* it could not be looked at */

#endif
