#include "account/accounts.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "account/page.h"
#include "audit/cosigned.h"
#include "audit/over.h"
#include "base/cleanup.h"

static int no_memory(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory for a report on the log");
}

struct accounts {
	struct account *account; /* owned */
	struct page page;
	verify_progress_fn *progress;
	bool failed;
};

static void keep_witnesses(struct page *page, unsigned log, const struct report *report)
{
	for (size_t i = 0; i < report->n_cosigned; i++) {
		if (page->n_witnesses == PAGE_WITNESSES)
			page->witnesses_over++;
		else
			page->witnesses[page->n_witnesses++] = (struct page_witness){ .log = log,
										      .cosigned = report->cosigned[i] };
	}
}

static int write_page(struct accounts *a, const struct over_log *log, const struct report *report, struct err *e)
{
	int r;

	account_close(a->account);
	a->page.account = a->account;
	a->page.report = report;
	a->page.snapshot = log->present;
	a->page.ask = log->ask;
	a->page.chain = log->chain;
	a->failed = report->n_faults > 0;
	r = page_write(&a->page, STDOUT_FILENO, (log->ask->flags & AUDIT_HTML) != 0);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write the report") : 0;
}

static int take_log(void *arg, const struct over_log *log, struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	struct accounts *a = arg;
	struct reading reading = { .take = account_take, .arg = a->account, .progress = a->progress };
	const struct report *found;
	int r;

	if (report == NULL)
		return no_memory(e);
	account_begin(a->account, log->number);
	err_clear(e);
	r = reading_all(log->snapshot, log->ask, &reading, report, e);
	if (r < 0)
		return e->code != AMBIT_OK ? r : no_memory(e);
	r = cosigned_verify(log->snapshot, log->ask, report, e);
	if (r < 0)
		return r;
	keep_witnesses(&a->page, log->number, report);
	a->page.unsigned_entries += reading.unsigned_entries;
	found = over_found(log, report);
	return log->last ? write_page(a, log, found, e) : 0;
}

int accounts_write(const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed, struct err *e)
{
	auto_free struct accounts *a = calloc(1, sizeof *a);
	int r;

	if (a == NULL)
		return no_memory(e);
	a->progress = progress;
	a->account = account_create();
	r = a->account == NULL ? no_memory(e) : over_logs(ask, progress, take_log, a, e);
	*ret_failed = a->failed;
	account_destroy(a->account);
	return r;
}
