/* ambit-backup: reads from descriptor 0 which log is to be copied where (audit/ask.h), copies it, verifies the copy, says on descriptor 1 what it
 * did, ends. It is run in a cell in which there are the log, the records beside it, and the place of the copy, which alone it may write: whoever
 * could write to the log may have written anything.
 * Exit status: AUDIT_DONE; AUDIT_FAILED: the copy is not what was signed; AUDIT_REFUSED; 2 wrong usage. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/prove.h"
#include "audit/report.h"
#include "audit/say.h"
#include "audit/verify.h"
#include "backup/copy.h"
#include "backup/others.h"
#include "backup/promise.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "ledger/layout.h"

#define OUT_MAX 4096

/* All of it, as anybody would verify it later. */
static int verify_copy(const struct audit_ask *ask, struct err *e)
{
	const struct verify_watch watch = { .progress = say_progress_of(ask) };
	auto_free struct report *report = calloc(1, sizeof *report);
	char dir[GRANT_OBJECT_MAX + sizeof LEDGER_LOG];
	struct snapshot *s = NULL;
	int r;

	if (report == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to verify the copy");
	(void)snprintf(dir, sizeof dir, "%s/" LEDGER_LOG, ask->target); /* it fits */
	r = snapshot_take(dir, ask->key, SNAPSHOT_KEY | SNAPSHOT_LIST, &s, e);
	r = r < 0 ? r : verify_log(s, span_of(""), &watch, report, e);
	snapshot_free(s);
	if (r < 0 || report->n_faults == 0)
		return r < 0 ? r : AUDIT_DONE;
	(void)err_set(e, AMBIT_MALFORMED,
		      "`ambit ledger verify --ledger` of it says more; the ledger itself may be damaged",
		      "the copy is not what was signed");
	(void)err_why(e, 0, "%s", report->faults[0].why);
	return AUDIT_FAILED;
}

static void put_json(const struct copied *c, bool verified, struct buf *out)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_count(json_put_key(&j, "cosigned"), c->cosigned);
	json_put_count(json_put_key(&j, "entries"), c->size);
	json_put_count(json_put_key(&j, "entries_added"), c->added);
	json_put_count(json_put_key(&j, "records"), c->records);
	json_put_count(json_put_key(&j, "records_added"), c->records_added);
	json_put_count(json_put_key(&j, "records_bad"), c->records_bad);
	json_put_bool(json_put_key(&j, "verified"), verified);
	json_put_object_end(&j);
	buf_printf(out, "\n");
}

static void put_text(const struct copied *c, bool verified, struct buf *out)
{
	buf_printf(out, "%" PRIu64 " entries, %" PRIu64 " of them new", c->size, c->added);
	if (c->records > 0)
		buf_printf(out, "; %" PRIu64 " record%s, %" PRIu64 " new", c->records, text_plural(c->records),
			   c->records_added);
	if (c->cosigned > 0)
		buf_printf(out, "; cosigned by %" PRIu64 " witness%s", c->cosigned, c->cosigned == 1 ? "" : "es");
	if (c->records_bad > 0)
		buf_printf(out, "; %" PRIu64 " could not be read or %s not what %s name says, and %s not copied",
			   c->records_bad, c->records_bad == 1 ? "is" : "are", c->records_bad == 1 ? "its" : "their",
			   c->records_bad == 1 ? "is" : "are");
	buf_printf(out, verified ? "; the copy is what was signed\n" : "; not verified\n");
}

static int write_out(const struct buf *out, struct err *e)
{
	const int r = out->failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, out->data, out->len);

	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot say what was done") : 0;
}

static int copy_all(const struct audit_ask *ask, struct snapshot *s, struct copied *done, struct err *e)
{
	auto_fd int to_fd = open(ask->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = to_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open the place of the copy")
			  : prove_signature(s, e);

	r = r < 0 ? r : copy_log(s, ask->beside, to_fd, say_progress_of(ask), done, e);
	return r < 0 ? r : others_copy(s, ask, to_fd, &done->cosigned, e);
}

static int back_up(const struct audit_ask *ask, struct err *e)
{
	const bool verifies = (ask->flags & AUDIT_FILES) != 0;
	auto_buf out = { .max = OUT_MAX };
	struct copied done = { .size = 0 };
	struct snapshot *s = NULL;
	int status, r = ask->op == AUDIT_BACKUP ? snapshot_take(ask->dir, ask->key, SNAPSHOT_KEY, &s, e)
						: err_set(e, AMBIT_PROTOCOL, NULL, "that is asked of another role");

	r = r < 0 ? r : copy_all(ask, s, &done, e);
	snapshot_free(s);
	status = r < 0 ? r : verifies ? verify_copy(ask, e) : AUDIT_DONE;
	if (status < 0)
		return status;
	if ((ask->flags & AUDIT_JSON) != 0)
		put_json(&done, verifies && status == AUDIT_DONE, &out);
	else if (status == AUDIT_DONE)
		put_text(&done, verifies, &out);
	r = write_out(&out, e);
	return r < 0 ? r : status;
}

int main(int argc, char **argv)
{
	struct err e = { .code = AMBIT_OK };
	struct audit_ask ask = { .op = AUDIT_VERIFY };
	int status;

	(void)argv;
	if (argc != 1)
		return 2;
	status = promise_keep(&e);
	status = status < 0 ? status : say_read_ask(&ask, &e);
	status = status < 0 ? status : back_up(&ask, &e);
	if (e.msg[0] != 0)
		say_error(&e);
	return status < 0 ? AUDIT_REFUSED : status;
}
