/* ambit-index: reads from descriptor 0 what of a log is to be shown (audit/ask.h), writes to descriptor 1 which entries that may be
 * (audit/numbers.h), ends. It is run in a cell in which there are the log and the directory of the index, which alone it may write: whoever could
 * write to any of them may have written anything.
 * Exit status: AUDIT_DONE, AUDIT_FAILED, AUDIT_REFUSED; 2 wrong usage. */
#include <errno.h>
#include <unistd.h>

#include "audit/event.h"
#include "audit/say.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "index/database.h"
#include "index/promise.h"

/* Entries behind the index that are read one by one before it is made anew: a hundredth of a second. */
#define BEHIND_MAX 4096u

static void aside(const struct audit_ask *ask, const char *what, const struct err *why)
{
	if ((ask->flags & AUDIT_VERBOSE) != 0)
		say_aside("%s%s%s%s%s", what, why != NULL ? ": " : "", why != NULL ? why->msg : "",
			  why != NULL && why->why[0] != 0 ? ": " : "", why != NULL ? why->why : "");
}

/* The index, brought up to date where it is far behind and may be written. NULL: none. */
static struct database *get_index(const struct audit_ask *ask, const struct snapshot *s)
{
	verify_progress_fn *const progress = say_progress_of(ask);
	struct err why = { .code = AMBIT_OK };
	struct database *old, *new;
	uint64_t known;

	if (ask->target[0] == 0 || s->signature.code != AMBIT_OK)
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

/* What begins so is looked up with all its entries, whatever else is asked: whether there is one such event or more is seen by them. */
static int find_numbers(const struct audit_ask *ask, const struct snapshot *s, struct database *d, struct numbers *ret,
			uint64_t numbers[NUMBERS_MAX + 1], struct err *e)
{
	static const struct audit_ask anything;
	const bool begins = event_is_beginning(ask->event);
	const bool last = !begins && ask->limit > 0 && ask->limit <= NUMBERS_MAX;
	struct wanted wanted;
	int r = begins || ask->event[0] == 0 ? 0 : event_find(s, ask->event, ret->event, e);

	r = r < 0 ? r : wanted_init(&wanted, begins ? &anything : ask, begins ? ask->event : ret->event, e);
	if (r < 0)
		return r;
	r = database_numbers(d, &wanted, last, last ? (uint32_t)ask->limit : NUMBERS_MAX + 1, numbers);
	if (r < 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "it cannot be read to its end");
	ret->any = true;
	ret->size = (size_t)r > NUMBERS_MAX ? numbers[NUMBERS_MAX] : database_size(d);
	ret->n = (size_t)r > NUMBERS_MAX ? NUMBERS_MAX : (size_t)r;
	return 0;
}

static int answer(const struct numbers *head, const uint64_t *numbers, struct err *e)
{
	auto_buf out = { .max = NUMBERS_BYTES_MAX };
	int r;

	numbers_encode(head, numbers, &out);
	r = out.failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, out.data, out.len);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write what was found") : AUDIT_DONE;
}

static int look(const struct audit_ask *ask, struct err *e)
{
	static uint64_t numbers[NUMBERS_MAX + 1];
	struct numbers head = { .any = false };
	struct snapshot *s = NULL;
	struct database *d;
	int r = ask->op == AUDIT_LOOKUP ? snapshot_take(ask->dir, ask->key, 0, &s, e)
					: err_set(e, AMBIT_PROTOCOL, NULL, "that is asked of another role");

	if (r < 0 || s == NULL)
		return r;
	d = get_index(ask, s);
	r = d == NULL ? 0 : find_numbers(ask, s, d, &head, numbers, e);
	database_close(d);
	snapshot_free(s);
	return r < 0 ? r : answer(&head, numbers, e);
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
