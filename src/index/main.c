/* ambit-index: reads from descriptor 0 what of a log is to be shown (audit/ask.h), writes it to descriptor 1, ends. It is run in a cell in
 * which there are the log, what lies beside it, and the directory of the index, which alone it may write: whoever could write to any of them may
 * have written anything.
 * Exit status: AUDIT_DONE, AUDIT_FAILED, AUDIT_REFUSED; 2 wrong usage. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/say.h"
#include "index/database.h"
#include "index/promise.h"
#include "index/show.h"

/* Entries behind the index that are read one by one before it is made anew: a hundredth of a second. */
#define BEHIND_MAX 4096u

static void aside(const struct audit_ask *ask, const char *what, const struct err *why)
{
	if ((ask->flags & AUDIT_VERBOSE) != 0)
		say_aside("the index: %s%s%s%s%s", what, why != NULL ? ": " : "", why != NULL ? why->msg : "",
			  why != NULL && why->why[0] != 0 ? ": " : "", why != NULL ? why->why : "");
}

static bool is_filtered(const struct audit_ask *ask)
{
	return ask->event[0] != 0 || ask->grant[0] != 0 || ask->type[0] != 0 || ask->since_ms != 0 ||
	       ask->until_ms != 0 || ask->limit != 0 || (ask->flags & AUDIT_DENIED) != 0;
}

/* The index, brought up to date where it is far behind and may be written. NULL: none. */
static struct database *get_index(const struct audit_ask *ask, const struct snapshot *s)
{
	verify_progress_fn *const progress = say_progress_of(ask);
	struct err why = { .code = AMBIT_OK };
	struct database *old, *new;
	uint64_t known;

	if (ask->target[0] == 0 || s->signature.code != AMBIT_OK || !is_filtered(ask))
		return NULL;
	old = database_open(ask->target, s, &why);
	known = old != NULL ? database_size(old) : 0;
	if (s->size - known <= BEHIND_MAX)
		return old;
	if (old == NULL)
		aside(ask, "not there", &why);
	if ((ask->flags & AUDIT_WRITES) == 0) {
		aside(ask, "not brought up to date, since somebody else does that or it cannot be written", NULL);
		return old;
	}
	/* one that cannot be gone on with goes */
	if ((old == NULL || database_make(ask->target, s, old, progress, &why) < 0) &&
	    database_make(ask->target, s, NULL, progress, &why) < 0) {
		aside(ask, "could not be made", &why);
		return old;
	}
	new = database_open(ask->target, s, &why);
	aside(ask, new != NULL ? "was brought up to date" : "is of no use", new != NULL ? NULL : &why);
	database_close(old);
	return new;
}

static int look(const struct audit_ask *ask, struct err *e)
{
	struct snapshot *s = NULL;
	struct database *d;
	bool broken = false;
	int r = ask->op == AUDIT_SHOW ? snapshot_take(ask->dir, ask->key, 0, &s, e)
				      : err_set(e, AMBIT_PROTOCOL, NULL, "that is asked of another role");

	if (r < 0 || s == NULL)
		return r;
	d = get_index(ask, s);
	r = show_log(s, ask, d, &broken, e);
	database_close(d);
	snapshot_free(s);
	return r < 0 ? r : broken ? AUDIT_FAILED : AUDIT_DONE;
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
	status = status < 0 ? status : look(&ask, &e);
	if (e.msg[0] != 0)
		say_error(&e);
	return status < 0 ? AUDIT_REFUSED : status;
}
