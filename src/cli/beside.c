#include "cli/beside.h"

#include <unistd.h>

#include "cell/spec.h"
#include "cli/cli.h"
#include "lib/launch.h"
#include "lib/public.h"
#include "supervisor/sibling.h"

bool beside_is_cell(void)
{
	return access("/" CELL_MARK, F_OK) == 0;
}

/* Everything else is its caller's. */
static bool says_more(const struct run_options *o)
{
	const struct ambit_event_options *e = &o->event;

	return o->session != NULL || o->key != NULL || o->background || o->kernel != NULL || o->kind != KIND_RUN ||
	       o->record != NULL || o->result != NULL || e->changes != 0 || e->on_conflict != NULL || e->wait_ms != 0 ||
	       e->ledger != NULL || e->unrecorded != 0 || e->base != NULL || e->observe != NULL || e->without != NULL;
}

static int tell_error(const struct run_options *o, const struct err *why)
{
	struct ambit_error e = { .size = sizeof e };
	struct err copy = *why;

	(void)public_error(&e, -(int)why->code, &copy);
	return cli_refuse(o->json, &e);
}

int beside_run(const struct run_options *o)
{
	struct sibling_end end;
	struct err e;

	if (o->event.labels != NULL) {
		(void)err_set(&e, AMBIT_UNAVAILABLE,
			      "give it to the event that asks: `ambit run --label`, outside of cells",
			      "a sub-agent is given no labels of its own");
		return tell_error(o, &e);
	}
	if (says_more(o)) {
		(void)err_set(
			&e, AMBIT_USAGE,
			"leave the others out: what is recorded, staged and shown is as for the cell that asks",
			"in a cell, ambit run takes grants, --agent, --limit, --workspace, --no-pty, --quiet and --json");
		return tell_error(o, &e);
	}
	if (launch_beside(o->policy, &o->event, &end, &e) < 0)
		return tell_error(o, &e);
	return end.error.code != AMBIT_OK ? tell_error(o, &end.error) : (int)end.exit_status;
}
