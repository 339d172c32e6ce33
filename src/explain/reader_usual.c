#include "explain/reader_usual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/policy.h"

static double take_part(struct take *t, const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);
	const double p = json_number_value(v);

	if (!json_is_number(v) || !(p >= 0 && p <= 1))
		take_fail(t, AMBIT_MALFORMED, key, "no part between 0 and 1");
	return p;
}

static void take_reason(struct take *t, const json_t *from, struct reason_of *ret)
{
	const char *const words[LAYERS] = { layer_word(LAYER_FIRSTS), layer_word(LAYER_AMOUNTS),
					    layer_word(LAYER_CALLS) };
	char *text;

	if (!json_is_object(from)) {
		take_fail(t, AMBIT_MALFORMED, "reasons", "a reason that is none");
		return;
	}
	ret->layer = (enum layer)take_word(t, from, "layer", words, LAYERS);
	text = take_name(t, json_object_get(from, "text"), "text", false, REASON_MAX - 1);
	if (text != NULL)
		(void)text_copy(ret->text, sizeof ret->text, text);
	free(text);
}

static void take_found(struct take *t, const json_t *from, struct usual_found *ret)
{
	const json_t *reasons = take_array(t, from, "reasons", REASONS_MAX), *flagged = take_object(t, from, "flagged");
	const json_t *reason;
	size_t i;

	ret->f.events = (uint32_t)take_count(t, from, "events", UINT32_MAX);
	ret->f.young = take_bool(t, from, "young");
	ret->f.p = take_part(t, from, "p");
	ret->f.least = take_part(t, from, "least");
	ret->f.flagged[PROMISED_LOG] = take_bool(t, flagged, "log");
	ret->f.flagged[PROMISED_ASK] = take_bool(t, flagged, "ask");
	ret->asks = take_bool(t, from, "asks");
	json_array_foreach((json_t *)(uintptr_t)reasons, i, reason)
		take_reason(t, reason, &ret->f.reasons[ret->f.n_reasons++]);
}

static void take_error(struct take *t, const json_t *from, struct err *ret)
{
	char *text = take_name(t, json_object_get(from, "message"), "message", false, ERR_MSG_MAX - 1);

	ret->code = AMBIT_GONE; /* which it was is not told again */
	if (text != NULL)
		(void)text_copy(ret->msg, sizeof ret->msg, text);
	free(text);
}

void usual_take(struct take *t, const json_t *record, struct result_usual *ret)
{
	static const char *const words[] = { "log", "ask", "hold" };
	const json_t *from = json_object_get(record, "usual");

	if (from == NULL || json_is_null(from))
		return;
	from = take_object(t, record, "usual");
	t->in = "usual";
	ret->judged = true;
	ret->profile = (uint8_t)(PROFILE_LOG + take_word(t, from, "profile", words, sizeof words / sizeof words[0]));
	ret->holds = ret->found.held = take_bool(t, from, "held");
	if (json_is_null(json_object_get(from, "error")))
		take_found(t, from, &ret->found);
	else
		take_error(t, take_object(t, from, "error"), &ret->error);
	t->in = "";
}
