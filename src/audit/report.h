/* report - what was found in a log: where, and why it is not as it should be.
 *
 * Owns:   the list of findings, of bounded length, and how a verification is said as text or JSON.
 * Holds:  a finding is either a fault, which fails the verification, or a remark. What is foreign in it is escaped.
 * Called: audit. */
#ifndef AUDIT_REPORT_H
#define AUDIT_REPORT_H

#include <stdarg.h>
#include <stdbool.h>

#include "audit/ask.h"
#include "audit/snapshot.h"
#include "ledger/tile.h"

#define REPORT_FAULTS_MAX                                                                                              \
	100 /* who looks for the reason needs no more, and a log of nothing but faults is not read to its end */
#define REPORT_REMARKS_MAX 32

struct finding {
	bool has_entry;
	uint64_t entry;
	char file[96]; /* beneath the log's directory, or a payload beside it; empty: it is not of one file */
	char why[384];
};

struct report_cosigned {
	char name[VKEY_NAME_MAX + 1];
	uint64_t size, time_s;
	bool given; /* its key was named by who asks */
};

struct report {
	struct finding faults[REPORT_FAULTS_MAX], remarks[REPORT_REMARKS_MAX];
	size_t n_faults, n_remarks;
	bool given_up; /* there was no room for more faults */

	uint64_t entries; /* that were found to be those of the checkpoint, if the key signed it; else 0 */
	uint64_t unsigned_entries;
	uint64_t first_ms, last_ms; /* t_wall of the first and the last of them; 0: there is none */
	bool has_payloads;          /* they were looked at: */
	uint64_t payloads, pruned,
		lost; /* those that are what was recorded; those that are gone, as a later entry says */
	struct report_cosigned cosigned[AUDIT_WITNESSES_MAX]; /* those that are good */
	size_t n_cosigned;
	bool has_saved;
	uint64_t saved_size; /* of the checkpoint that was given */
};

/* file may be NULL. */
void report_fault(struct report *r, const char *file, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void report_entry(struct report *r, uint64_t entry, const char *file, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void report_remark(struct report *r, const char *file, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* One that another report has. */
void report_copy(struct report *r, const struct finding *f, bool is_fault);

/* chain: of the logs before (chain.h); NULL: they were not looked at. */
struct chain;
void report_text(const struct report *r, const struct snapshot *s, const struct chain *chain, struct buf *out);
void report_json(const struct report *r, const struct snapshot *s, const struct chain *chain, struct buf *out);

#endif
