/* The record of an event for those who hold its handle. */
#include <string.h>

#include "lib/event.h"
#include "lib/public.h"
#include "lib/record.h"

static int make_record(struct ambit_event *ev, struct err *e)
{
	auto_buf out = { .max = 0 };
	int r;

	if (!ev->result.ended)
		return err_set(e, AMBIT_USAGE, "wait for its end", "there is no record of an event that still runs");
	buf_init(&out, RECORD_MAX);
	r = record_write(&ev->result, &out, e);
	if (r == 0 && buf_cstr(&out) == NULL)
		r = err_set(e, AMBIT_MEMORY, NULL, "the record of the event");
	if (r < 0)
		return r;
	ev->record = (char *)out.data; /* handed over, storage and all */
	buf_init(&out, 0);
	return 0;
}

int ambit_event_record(struct ambit_event *ev, const char **ret_json, size_t *ret_len, struct ambit_error *ret_error)
{
	struct err e;
	const int r = ev->record != NULL ? 0 : make_record(ev, &e);

	if (r < 0)
		return public_error(ret_error, r, &e);
	*ret_json = ev->record;
	/* just made; JSON has no NUL inside */
	*ret_len = strlen(ev->record); /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
	return 0;
}
