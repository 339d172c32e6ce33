#include "lib/result.h"

#include <stdlib.h>

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

void result_finish(struct event_result *r)
{
	if (r == NULL)
		return;
	free(r->grant_ids);
	free(r->withdrawn_ns);
	free(r->effects);
	for (size_t i = 0; i < r->kernel.n; i++)
		free(r->kernel.told[i].source);
	free(r->kernel.told);
	stage_answer_finish(&r->stage);
	buf_finish(&r->out);
	buf_finish(&r->err);
	*r = (struct event_result){ .ended = false };
}
