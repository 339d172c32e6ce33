#include "cli/beside.h"

#include <stdio.h>

#include "cli/cli.h"
#include "lib/event.h"
#include "lib/public.h"
#include "lib/summary.h"

/* What is of no event, the library does not see. */
static bool says_more(const struct run_options *o)
{
	return o->session != NULL || o->key != NULL || o->kernel != NULL || o->kind != KIND_RUN || o->record != NULL ||
	       o->result != NULL;
}

static int tell(const struct run_options *o, struct ambit_event *ev)
{
	struct ambit_error e = { .size = sizeof e };
	const char *json;
	size_t n;

	if (o->background && !o->json && event_result(ev)->event[0] != 0) {
		(void)printf("%s\n", event_result(ev)->event);
		return cli_flush();
	}
	summary_write(stderr, event_result(ev), NULL, true);
	if (event_result(ev)->denied_beside && !o->quiet)
		(void)fprintf(stderr, "ambit: something was denied\n  hint: ambit explain %s, outside\n",
			      event_result(ev)->event);
	if (!o->json)
		return ambit_event_exit_status(ev);
	return ambit_event_record(ev, &json, &n, &e) < 0 || cli_write(json, n) != 0 ? EXIT_REFUSED
										    : ambit_event_exit_status(ev);
}

int beside_run(struct run_options *o)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	struct err why;
	int status;

	if (says_more(o)) {
		(void)err_set(
			&why, AMBIT_USAGE,
			"leave the others out: what is recorded, staged and shown is as for the cell that asks",
			"in a cell, ambit run takes grants, --agent, --limit, --workspace, --background, --no-pty, --quiet and --json");
		(void)public_error(&e, -AMBIT_USAGE, &why);
		return cli_refuse(o->json, &e);
	}
	if (o->background)
		o->event.changes |= AMBIT_CHANGES_BESIDE;
	if (o->json)
		o->event.stream[1] = o->event.stream[2] = AMBIT_STREAM_CAPTURE;
	if (o->json || o->no_pty)
		o->event.terminal = 0;
	if (ambit_event_start(o->policy, &o->event, &ev, &e) < 0)
		return cli_refuse(o->json, &e);
	(void)ambit_event_wait(ev, NULL); /* how it ended is its result */
	status = tell(o, ev);
	ambit_event_free(ev);
	return status;
}
