/* ambit-audit: reads from descriptor 0 what is asked (ask.h), reads the log, writes what it found to descriptor 1, ends. It is run in a
 * cell in which there is nothing but the log, to be read, since whoever could write to the log may have written anything.
 * Exit status: AUDIT_DONE, AUDIT_FAILED, AUDIT_REFUSED; 2 wrong usage. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account/accounts.h"
#include "audit/ask.h"
#include "audit/chain.h"
#include "audit/cosigned.h"
#include "audit/earlier.h"
#include "audit/grow.h"
#include "audit/payload.h"
#include "audit/promise.h"
#include "audit/prove.h"
#include "audit/replay.h"
#include "audit/report.h"
#include "audit/say.h"
#include "audit/show.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "export/export.h"

#define OUT_MAX (8u << 20) /* a hundred findings, or a proof; and each log that was closed */

static int write_out(const struct buf *out, struct err *e)
{
	const int r = out->failed ? 0 : fd_write_all(STDOUT_FILENO, out->data, out->len);

	if (out->failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what is to be said");
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what was found") : 0;
}

/* ---- what is asked: each gives a status, or a negative code that says that it could not be looked at ---- */

/* Of logs that are what was signed: of others nobody knows what is to be there. */
static int verify_payloads(const struct audit_ask *ask, const struct chain *c, const struct snapshot *s,
			   struct report *report, struct err *e)
{
	struct payloads p;
	int r = payloads_open(s, ask->beside, &p, e);

	r = r < 0 ? r : payloads_verify(&p, say_progress_of(ask), report, e);
	payloads_close(&p);
	return r < 0 ? r : payloads_verify_past(ask, c, s, say_progress_of(ask), report, e);
}

static int verify(const struct audit_ask *ask, struct buf *out, struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	struct chain chain;
	struct snapshot *s;
	int r;

	if (report == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the log");
	r = chain_verify(ask, say_progress_of(ask), &chain, report, &s, e);
	if (r == 0 && report->n_faults == 0 && (ask->flags & AUDIT_FILES) != 0)
		r = verify_payloads(ask, &chain, s, report, e);
	r = r < 0 ? r : cosigned_verify(s, ask, report, e);
	if (r == 0 && (ask->flags & AUDIT_JSON) != 0)
		report_json(report, s, &chain, out);
	else if (r == 0)
		report_text(report, s, &chain, out);
	snapshot_free(s);
	chain_finish(&chain);
	return r < 0 ? r : report->n_faults == 0 ? AUDIT_DONE : AUDIT_FAILED;
}

typedef int logs_fn(const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed, struct err *e);

static int read_logs(const struct audit_ask *ask, logs_fn *fn, struct err *e)
{
	bool failed = false;
	const int r = fn(ask, say_progress_of(ask), &failed, e);

	return r < 0 ? r : failed ? AUDIT_FAILED : AUDIT_DONE;
}

static int show(const struct audit_ask *ask, struct snapshot *s, struct err *e)
{
	bool broken = false;
	const int r = show_log(s, ask, &broken, e);

	return r < 0 ? r : broken ? AUDIT_FAILED : AUDIT_DONE;
}

/* A proof that is wrong is an answer, and no failure to look. */
static int judged(int r)
{
	return r == 0 ? AUDIT_DONE : r == -AMBIT_MALFORMED ? AUDIT_FAILED : r;
}

static int look(const struct audit_ask *ask, struct buf *out, struct err *e)
{
	struct snapshot *s = NULL;
	int r;

	if (ask->op == AUDIT_CHECK)
		return judged(prove_check(ask, out, e));
	if (ask->op == AUDIT_LOOKUP || ask->op == AUDIT_BACKUP)
		return err_set(e, AMBIT_PROTOCOL, NULL, "that is asked of another role");
	if (ask->op == AUDIT_VERIFY)
		return verify(ask, out, e);
	if (ask->op == AUDIT_PAYLOADS)
		return judged(payload_list(ask, say_progress_of(ask), e));
	if (ask->op == AUDIT_RESULT)
		return judged(earlier_find(ask, payload_find, out, e));
	if (ask->op == AUDIT_PROVE)
		return judged(earlier_find(ask, prove_entry, out, e));
	if (ask->op == AUDIT_REPLAY)
		return read_logs(ask, replay_logs, e);
	if (ask->op == AUDIT_EXPORT)
		return read_logs(ask, export_logs, e);
	if (ask->op == AUDIT_REPORT)
		return read_logs(ask, accounts_write, e);
	/* what is shown is no claim, and needs no key */
	r = snapshot_take(ask->dir, ask->key, ask->op == AUDIT_SHOW ? 0 : SNAPSHOT_KEY, &s, e);
	if (r < 0)
		return r;
	r = ask->op == AUDIT_SHOW ? show(ask, s, e) : judged(grow_prove(s, ask, out, e));
	snapshot_free(s);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = { .code = AMBIT_OK };
	auto_buf out = { .max = OUT_MAX };
	struct audit_ask ask = { .op = AUDIT_VERIFY };
	int status;

	(void)argv;
	if (argc != 1)
		return 2;
	status = promise_keep(&e);
	status = status < 0 ? status : say_read_ask(&ask, &e);
	status = status < 0 ? status : look(&ask, &out, &e);
	if (status >= 0 && write_out(&out, &e) < 0)
		status = -1;
	if (e.msg[0] != 0)
		say_error(&e);
	return status < 0 ? AUDIT_REFUSED : status;
}
