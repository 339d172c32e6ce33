#include "export/export.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "export/ocsf.h"
#include "export/otlp.h"

#define OUT_STEP (64u << 10) /* written out when there is so much */
#define OUT_MAX (16u << 20)  /* all spans that are open at the end */

struct export
{
	struct otlp *otlp; /* owned; one of the two is there */
	struct ocsf *ocsf; /* owned */
	struct buf out;    /* owned */
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

static int write_all(struct export *x, struct snapshot *s, const struct audit_ask *ask, verify_progress_fn *progress,
		     struct report *report, struct err *e)
{
	struct reading reading = { .take = take, .arg = x, .progress = progress };
	int r;

	err_clear(e);
	r = reading_all(s, ask, &reading, report, e);
	if (r < 0 && e->code != AMBIT_OK)
		return r;
	r = r < 0 || x->otlp == NULL ? r : otlp_end(x->otlp, &x->out);
	r = r < 0 ? r : flush(x);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what is exported") : 0;
}

/* What was given out was verified by itself; what is missing or was changed is not among it. */
static void tell_faults(const struct report *report, struct err *e)
{
	(void)err_set(e, AMBIT_MALFORMED, "`ambit ledger verify` says more",
		      "the log is not what was signed, and what is not was left out");
	(void)err_why(e, 0, "%s", report->faults[0].why);
}

int export_log(struct snapshot *s, const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed,
	       struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	const bool to_ocsf = (ask->flags & AUDIT_OCSF) != 0;
	struct export x = { .otlp = to_ocsf ? NULL : otlp_create(s), .ocsf = to_ocsf ? ocsf_create(s) : NULL };
	int r = report == NULL || (x.otlp == NULL && x.ocsf == NULL)
			? err_set(e, AMBIT_MEMORY, NULL, "no memory to export the log")
			: 0;

	buf_init(&x.out, OUT_MAX);
	r = r < 0 ? r : write_all(&x, s, ask, progress, report, e);
	*ret_failed = r == 0 && report != NULL && report->n_faults > 0;
	if (*ret_failed)
		tell_faults(report, e);
	otlp_destroy(x.otlp);
	ocsf_destroy(x.ocsf);
	buf_finish(&x.out);
	return r;
}
