/* account - what the logs of a ledger say all in all: who was allowed what, did what, and was denied what.
 *
 * Owns:   the counts, the tables, the last ACCOUNT_EVENTS events one by one, and what happened to the ledger itself.
 * Holds:  memory is bounded, however long the log is. What a table has no room for is counted in it (`over`); events that are no longer
 *         there one by one still count in all tables.
 * Called: account/accounts.c fills it, account/page.c says it; pure, but for memory. */
#ifndef ACCOUNT_ACCOUNT_H
#define ACCOUNT_ACCOUNT_H

#include "account/tally.h"
#include "audit/reading.h"
#include "core/grant.h"

#define ACCOUNT_EVENTS 500
#define ACCOUNT_MARKS 200
#define ACCOUNT_GAPS 20
#define ACCOUNT_GAP_MS UINT64_C(3600000) /* from an hour on */

/* TALLY(name, names of a row, what n[] counts, rows, bytes of text) */
/* clang-format off */
#define ACCOUNT_TALLIES(X)                                                                                            \
	X(AGENTS,   256,  64u << 10)   /* agent | events, effects that a grant allowed, denials, changes held */      \
	X(POLICIES, 512,  256u << 10)  /* name, digest | events */                                                    \
	X(OUTCOMES, 64,   16u << 10)   /* cause, what of it | events */                                               \
	X(GRANTS,   2048, 2u << 20)    /* verb, object | events, events that used it, effects */                      \
	X(DENIALS,  4096, 4u << 20)    /* verdict, kind, object | times, events */                                    \
	X(WALL,     256,  64u << 10)   /* property, mechanism ("": given up) | events */                              \
	X(HELD,     2048, 2u << 20)    /* class, why, object | times, events */                                       \
	X(CHANGES,  64,   16u << 10)   /* verdict, kind | changes */                                                  \
	X(ENDINGS,  64,   16u << 10)   /* what, state | times, changes */
/* clang-format on */

enum account_tally {
#define ACCOUNT_ENUM(name, rows, text) ACCOUNT_##name,
	ACCOUNT_TALLIES(ACCOUNT_ENUM)
#undef ACCOUNT_ENUM
		ACCOUNT_TALLY_COUNT
};

#define ACCOUNT_WORD_MAX 48

/* Which entry: of past/N, which stands in the upper bits, or of the present log, 0. */
#define ACCOUNT_LOG_SHIFT 48
#define ACCOUNT_NUMBER_MASK ((UINT64_C(1) << ACCOUNT_LOG_SHIFT) - 1)

/* Which row of GRANTS a grant of an event is. */
struct account_grant {
	char id[ID_TEXT_MAX];
	uint32_t row;
	bool used;
};

struct account_event {
	char event[ID_TEXT_MAX]; /* empty: free */
	unsigned log;            /* that has it */
	uint64_t by_signed;      /* of which types it has signed entries: what those say nothing else changes */
	uint64_t first, last;    /* entries */
	uint64_t begin_ms, end_ms;
	uint64_t allowed, base, denied, held, changes;
	bool all_signed, ended;
	char agent[128], command[160], workdir[256]; /* as they are, cut */
	char cause[24], outcome[ACCOUNT_WORD_MAX];   /* of the program's end; in words */
	char settled[ACCOUNT_WORD_MAX];              /* of its changes; empty: nothing was told */
	char digest[65];                             /* of its record; empty: none */
	unsigned given_up;                           /* properties of its wall */
	struct account_grant *grants;                /* owned */
	size_t n_grants;
};

enum account_mark_kind { MARK_LEDGER_CRASH, MARK_EVENT_LOST, MARK_PRUNE, MARK_KEY };

struct account_mark {
	enum account_mark_kind kind;
	bool is_signed;
	uint64_t entry, ms;
	char event[ID_TEXT_MAX]; /* of MARK_EVENT_LOST */
	uint64_t n[3];           /* LEDGER_CRASH: signed, replayed, torn bytes; PRUNE: payloads, bytes */
	char before[32];         /* PRUNE */
};

struct account_gap {
	uint64_t from_ms, to_ms, entry; /* the one behind it */
	bool at_rest;                   /* the ledger had ended as it should */
};

struct account {
	unsigned log; /* of the entries at hand, as in past/N; 0: the present one */
	struct tally tally[ACCOUNT_TALLY_COUNT];
	struct account_event events[ACCOUNT_EVENTS];
	size_t next, last;            /* where the next one goes; the one that was found last */
	uint64_t n_events, forgotten; /* all; those that are no longer there one by one */

	uint64_t entries, signed_entries;
	uint64_t by_type[ENTRY_TYPE_COUNT];
	uint64_t first_ms, last_ms, last_entry; /* as above */
	bool after_stop;                        /* the last entry was the ledger's own end */
	uint64_t allowed, base, denied, held;
	uint64_t dropped; /* effects that were seen and not recorded, of which the entry `stop` tells */
	uint64_t connections, up_bytes, down_bytes; /* by grants `connect` */
	uint64_t unattributed;                      /* effects by grants of events that are no longer there */
	uint64_t starts, stops;
	uint64_t lost, given_up; /* events that ended without a word; properties of walls, summed over events */
	uint64_t contradicting;  /* entries that nobody signed, about what signed ones had said */

	struct account_mark marks[ACCOUNT_MARKS];
	size_t n_marks;
	uint64_t marks_over;
	struct account_gap gaps[ACCOUNT_GAPS]; /* the longest */
	size_t n_gaps;
	uint64_t all_gaps;

	char object[GRANT_OBJECT_MAX]; /* of the entry at hand */
};

/* It is large (half a megabyte beside its tables). NULL: no memory. */
struct account *account_create(void);
void account_destroy(struct account *a);
/* What is taken from now on is of past/N, or 0 of the present log, which comes last. */
void account_begin(struct account *a, unsigned log);
/* A reading_fn: arg is the account. -ENOMEM. */
int account_take(void *arg, const struct reading_entry *r);
/* When all were taken: puts the tables in order. */
void account_close(struct account *a);

#endif
