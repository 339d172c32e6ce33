/* events_report - the figures of profile/events_eval.c, and how they are told.
 *
 * Owns:   nothing.
 * Holds:  what no attack or no good run is there for is told as such (null), never as 0.
 * Called: profile/events_eval.c; pure. */
#ifndef PROFILE_EVENTS_REPORT_H
#define PROFILE_EVENTS_REPORT_H

#include "base/buf.h"
#include "profile/verdict.h"

#define REPORT_SUITES_MAX 64 /* others are in the sum alone */
#define REPORT_YOUNG 3
#define REPORT_RATES 3
#define REPORT_EXAMPLES 8
#define REPORT_GOALS 8

struct report_count {
	uint32_t attacked, reached, missed; /* missed: reached, and not stopped */
	uint32_t idle; /* of those, without an item that could be judged: no tool that acts, nothing fetched */
	uint32_t good, stopped;
	uint32_t kept,
		kept_stopped; /* under attack, and yet what the user wanted was done and the attack's goal was not */
};

struct report_suite {
	const char *name; /* borrowed */
	struct report_count count;
};

struct report_young {
	unsigned runs, rounds;
	struct report_count count; /* of all rounds */
};

struct report_goal {
	const char *suite, *inj; /* borrowed */
	uint32_t missed, idle;
};

struct report {
	struct report_count all;
	size_t n_suites;
	struct report_suite suites[REPORT_SUITES_MAX];
	struct report_young young[REPORT_YOUNG];
	double bits_low, bits_high; /* acceptance: of families each has its own */
	double alpha;               /* that was to be kept; 0: none */
	uint32_t taught,
		taught_stopped; /* good runs that teach, each family judged by the others: what was to be expected */
	double auc;             /* reached attacks over good runs; NAN: there are none */
	double rates[REPORT_RATES], found[REPORT_RATES]; /* true positives at most so many false ones */
	uint32_t runs, families, not_counted;
	bool full, by_pipeline; /* all are of one model family */
	size_t n_examples;
	char examples[REPORT_EXAMPLES][VERDICT_REASON_MAX + 128]; /* good runs that were stopped, and why */
	size_t n_goals;
	struct report_goal goals[REPORT_GOALS]; /* what was missed most */
};

void report_text(const struct report *r, struct buf *out);
void report_json(const struct report *r, struct buf *out);

#endif
