#include "explain/reader_usual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/policy.h"

static double take_number(struct take *t, const json_t *from, const char *key, double most)
{
	const json_t *v = json_object_get(from, key);
	const double number = json_number_value(v);

	if (!json_is_number(v) || !(number >= 0 && number <= most))
		take_fail(t, AMBIT_MALFORMED, key, "no number in its range");
	return number;
}

/* Of at most size - 1 bytes; null is "". */
static void take_into(struct take *t, const json_t *from, const char *key, char *ret, size_t size)
{
	char *text = take_name(t, json_object_get(from, key), key, true, size - 1);

	(void)text_copy(ret, size, text != NULL ? text : "");
	free(text);
}

static void take_reason(struct take *t, const json_t *from, struct reason_of *ret)
{
	const char *const words[LAYERS] = { layer_word(LAYER_FIRSTS), layer_word(LAYER_AMOUNTS),
					    layer_word(LAYER_CALLS) };

	if (!json_is_object(from)) {
		take_fail(t, AMBIT_MALFORMED, "reasons", "a reason that is none");
		return;
	}
	ret->layer = (enum layer)take_word(t, from, "layer", words, LAYERS);
	ret->surprise = take_number(t, from, "surprise", 1e30);
	take_into(t, from, "text", ret->text, sizeof ret->text);
}

/* With tabs between, as profile_key has it. */
static void take_key(struct take *t, const json_t *from, char ret[PROFILE_NAME_MAX])
{
	static const char *const parts[] = { "agent", "tool", "program", "shape" };
	size_t at = 0;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char part[104];

		take_into(t, from, parts[i], part, sizeof part);
		at += (size_t)snprintf(ret + at, PROFILE_NAME_MAX - at, "%s%s", i > 0 ? "\t" : "", part);
		if (at >= PROFILE_NAME_MAX)
			take_fail(t, AMBIT_MALFORMED, "key", "longer than a key is");
		at = at < PROFILE_NAME_MAX ? at : PROFILE_NAME_MAX - 1;
	}
}

static void take_layers(struct take *t, const json_t *from, struct unusual *ret)
{
	const json_t *layers = take_object(t, from, "layers");

	for (size_t i = 0; i < LAYERS && t->rc == 0; i++) {
		const json_t *layer = take_object(t, layers, layer_word((enum layer)i));

		ret->scores[i] = take_number(t, layer, "score", 1e30);
		ret->ps[i] = take_number(t, layer, "p", 1);
	}
}

static void take_promises(struct take *t, const json_t *from, struct usual_found *ret)
{
	static const char *const words[PROMISES] = { "log", "ask" };
	const json_t *flagged = take_object(t, from, "flagged"), *ratio = take_object(t, from, "ratio");

	for (size_t i = 0; i < PROMISES && t->rc == 0; i++) {
		ret->f.flagged[i] = take_bool(t, flagged, words[i]);
		ret->ratio[i] = take_number(t, ratio, words[i], 1e30);
	}
}

static void take_nearest(struct take *t, const json_t *from, struct likeness *ret)
{
	take_into(t, from, "event", ret->event, sizeof ret->event);
	ret->part = take_number(t, from, "part", 1);
	take_into(t, from, "text", ret->text, sizeof ret->text);
	if (t->rc == 0 && !id_is('e', ret->event, strlen(ret->event)))
		take_fail(t, AMBIT_MALFORMED, "nearest", "no id of an event");
}

static void take_found(struct take *t, const json_t *from, struct usual_found *ret)
{
	const json_t *reasons = take_array(t, from, "reasons", REASONS_MAX), *reason;
	size_t i;

	take_key(t, take_object(t, from, "key"), ret->key);
	ret->f.events = (uint32_t)take_count(t, from, "events", UINT32_MAX);
	ret->f.young = take_bool(t, from, "young");
	ret->f.p = take_number(t, from, "p", 1);
	ret->f.least = take_number(t, from, "least", 1);
	take_layers(t, from, &ret->f);
	take_promises(t, from, ret);
	ret->asks = take_bool(t, from, "asks");
	if (json_object_get(from, "others") != NULL)
		ret->others = (uint32_t)take_count(t, from, "others", UINT32_MAX);
	take_into(t, from, "not_taught", ret->not_taught, sizeof ret->not_taught);
	if (json_object_get(from, "nearest") != NULL && !json_is_null(json_object_get(from, "nearest")))
		take_nearest(t, take_object(t, from, "nearest"), &ret->nearest);
	json_array_foreach((json_t *)(uintptr_t)reasons, i, reason)
		take_reason(t, reason, &ret->f.reasons[ret->f.n_reasons++]);
}

void usual_take(struct take *t, const json_t *record, struct result_usual *ret)
{
	static const char *const words[] = { "log", "throttle", "ask", "hold", "kill" };
	const json_t *from = json_object_get(record, "usual");

	if (from == NULL || json_is_null(from))
		return;
	from = take_object(t, record, "usual");
	t->in = "usual";
	ret->judged = true;
	ret->profile = (uint8_t)(PROFILE_LOG + take_word(t, from, "profile", words, sizeof words / sizeof words[0]));
	ret->holds = ret->found.held = take_bool(t, from, "held");
	if (json_object_get(from, "ended") != NULL)
		ret->kills = take_bool(t, from, "ended");
	if (json_object_get(from, "throttled_ms") != NULL)
		ret->pause_ms = (uint32_t)take_count(t, from, "throttled_ms", UINT32_MAX);
	if (json_is_null(json_object_get(from, "error")))
		take_found(t, from, &ret->found);
	else
		take_error(t, from, "usual", &ret->error);
	t->in = "";
}
