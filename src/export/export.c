#include "export/export.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/over.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "export/ocsf.h"
#include "export/otlp.h"

#define OUT_STEP (64u << 10) /* written out when there is so much */
#define OUT_MAX (16u << 20)  /* all spans that are open at the end */

struct export
{
	struct otlp *otlp; /* owned, of all logs; NULL: the form is the other */
	struct ocsf *ocsf; /* owned, of the log at hand */
	struct buf out;    /* owned */
	verify_progress_fn *progress;
	bool failed;
};

static int flush(struct export *x)
{
	const int r = x->out.failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, x->out.data, x->out.len);

	buf_reset(&x->out);
	return r;
}

static int take(void *arg, const struct reading_entry *r)
{
	struct export *x = arg;
	const int rc = x->otlp != NULL ? otlp_take(x->otlp, r, &x->out) : ocsf_take(x->ocsf, r, &x->out);

	return rc < 0 ? rc : x->out.len >= OUT_STEP ? flush(x) : 0;
}

static int write_all(struct export *x, const struct over_log *log, struct report *report, struct err *e)
{
	struct reading reading = { .take = take, .arg = x, .progress = x->progress };
	int r;

	err_clear(e);
	r = reading_all(log->snapshot, log->ask, &reading, report, e);
	if (r < 0 && e->code != AMBIT_OK)
		return r;
	r = r < 0 || x->otlp == NULL ? r : otlp_end(x->otlp, &x->out);
	r = r < 0 ? r : flush(x);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what is exported") : 0;
}

/* What was given out was verified by itself; what is missing or was changed is not among it. */
static void tell_faults(const struct report *report, struct err *e)
{
	const struct finding *first = &report->faults[0];

	(void)err_set(e, AMBIT_MALFORMED, "`ambit ledger verify` says more",
		      "the log is not what was signed, and what is not was left out");
	(void)err_why(e, 0, "%s%s%s", first->file, first->file[0] != 0 ? ": " : "", first->why);
}

/* An event is in one log, so nothing goes on in the next; that it is not there once more is what the spans remember. */
static int begin(struct export *x, const struct snapshot *s)
{
	if (x->otlp != NULL)
		otlp_begin(x->otlp, s);
	else
		x->ocsf = ocsf_create(s);
	return x->otlp != NULL || x->ocsf != NULL ? 0 : -ENOMEM;
}

static int export_log(void *arg, const struct over_log *log, struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	struct export *x = arg;
	const struct report *found;
	int r = 0;

	if (report == NULL || begin(x, log->snapshot) < 0)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory to export the log");
	r = r < 0 ? r : write_all(x, log, report, e);
	ocsf_destroy(x->ocsf);
	x->ocsf = NULL;
	found = r == 0 ? over_found(log, report) : NULL;
	if (found != NULL && log->last && found->n_faults > 0) {
		x->failed = true;
		tell_faults(found, e);
	}
	return r;
}

int export_logs(const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed, struct err *e)
{
	const bool to_ocsf = (ask->flags & AUDIT_OCSF) != 0;
	struct export x = { .otlp = to_ocsf ? NULL : otlp_create(), .progress = progress };
	int r;

	*ret_failed = false;
	if (!to_ocsf && x.otlp == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to export the ledger");
	buf_init(&x.out, OUT_MAX);
	r = over_logs(ask, progress, export_log, &x, e);
	*ret_failed = x.failed;
	otlp_destroy(x.otlp);
	buf_finish(&x.out);
	return r;
}
