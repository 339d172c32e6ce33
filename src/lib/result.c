#include "lib/result.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CLOSING_SHOWN_MAX 300 /* of a name in a line */

bool result_has_denial(const struct event_result *r)
{
	for (size_t i = 0; i < r->n_effects; i++)
		if (effect_is_denied(r->effects[i].verdict) ||
		    (effect_has_meter(&r->effects[i]) && r->effects[i].meter.stopped != 0))
			return true;
	return false;
}

bool result_asked_to_connect(const struct event_result *r)
{
	for (size_t i = 0; i < r->n_effects; i++)
		if (effect_has_meter(&r->effects[i]) && (r->effects[i].meter.stopped & METER_BY(METER_ASKED)) != 0)
			return true;
	return false;
}

const char *result_question(const struct event_result *r)
{
	return r->stage.end.approval[0] != 0 ? r->stage.end.approval : r->asked;
}

bool result_was_denied(const struct event_result *r)
{
	return r->effects_dropped > 0 || result_has_denial(r);
}

bool result_is_held(const struct event_result *r)
{
	const bool as_meant = r->stage_error.code == AMBIT_OK &&
			      (r->stage.end.why == STAGE_WHY_ASKED || r->stage.end.why == STAGE_WHY_DENIED);

	return r->workspace == WORKSPACE_KEPT && !as_meant && r->cause == CAUSE_EXITED && r->signal == 0 &&
	       r->exit_status == 0;
}

static void put_shown(const char *text, struct buf *out)
{
	char shown[CLOSING_SHOWN_MAX];

	buf_printf(out, "%s", text_escape(shown, sizeof shown, text, strlen(text)));
}

void result_put_closing(const struct result_closing *closing, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct result_closing *c = &closing[i];

		put_shown(i > 0 ? ", " : "", out);
		put_shown(c->label, out);
		if (c->by[0] == 0)
			continue;
		buf_printf(out, " (");
		put_shown(c->by, out);
		put_shown(c->object != NULL ? " " : "", out);
		put_shown(c->object != NULL ? c->object : "", out);
		put_shown(c->event[0] != 0 ? ", in " : "", out);
		put_shown(c->event, out);
		buf_printf(out, ")");
	}
}

void result_finish(struct event_result *r)
{
	if (r == NULL)
		return;
	free(r->grant_ids);
	free(r->withdrawn_ns);
	free(r->effects);
	for (size_t i = 0; i < r->n_closing; i++)
		free(r->closing[i].object);
	free(r->closing);
	for (size_t i = 0; i < r->n_canaries; i++)
		free(r->canaries[i]);
	free(r->canaries);
	for (size_t i = 0; i < r->kernel.n; i++)
		free(r->kernel.told[i].source);
	free(r->kernel.told);
	stage_answer_finish(&r->stage);
	buf_finish(&r->trace.form);
	buf_finish(&r->out);
	buf_finish(&r->err);
	*r = (struct event_result){ .ended = false };
}
