#include "account/accounts.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "account/page.h"
#include "audit/cosigned.h"
#include "base/cleanup.h"

static int no_memory(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory for a report on the log");
}

static int write_report(struct account *a, struct report *report, struct snapshot *s, const struct audit_ask *ask,
			verify_progress_fn *progress, struct err *e)
{
	struct page page = { .account = a, .report = report, .snapshot = s, .ask = ask };
	struct reading reading = { .take = account_take, .arg = a, .progress = progress };
	int r;

	err_clear(e);
	r = reading_all(s, ask, &reading, report, e);
	if (r < 0)
		return e->code != AMBIT_OK ? r : no_memory(e);
	r = cosigned_verify(s, ask, report, e);
	if (r < 0)
		return r;
	account_close(a);
	page.unsigned_entries = reading.unsigned_entries;
	r = page_write(&page, STDOUT_FILENO, (ask->flags & AUDIT_HTML) != 0);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write the report") : 0;
}

int accounts_write(struct snapshot *s, const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed,
		   struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	struct account *a = account_create();
	const int r = report == NULL || a == NULL ? no_memory(e) : write_report(a, report, s, ask, progress, e);

	*ret_failed = r == 0 && report != NULL && report->n_faults > 0;
	account_destroy(a);
	return r;
}
