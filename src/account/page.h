/* page - the report for somebody who does not trust the machine: what the log is, what was verified, and what it says all in all.
 *
 * Owns:   the order of the report and its words.
 * Holds:  a list that is cut says so, and how much there is beside it. Nothing is told that is not in the log: no clock, no name of the machine; so
 *         the same log gives the same page.
 * Called: account/accounts.c. */
#ifndef ACCOUNT_PAGE_H
#define ACCOUNT_PAGE_H

#include "account/account.h"
#include "audit/chain.h"
#include "paper/paper.h"

#define PAGE_WITNESSES 64

struct page {
	const struct account *account;
	const struct report *report;
	const struct snapshot *snapshot;
	const struct audit_ask *ask;
	const struct chain *chain; /* of the logs before, all of which were read; NULL: of one log */
	uint64_t unsigned_entries; /* of all logs that were read */
	struct page_witness {
		unsigned log; /* as in past/N; 0: the present one */
		struct report_cosigned cosigned;
	} witnesses[PAGE_WITNESSES];
	size_t n_witnesses;
	uint64_t witnesses_over;
};

/* -errno. */
int page_write(const struct page *page, int fd, bool html);

#endif
