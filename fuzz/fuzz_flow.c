/* Any text as a flow, and as a value of each of its words: what is taken has one way of being written, and is within itself. */
#include <string.h>

#include "base/cleanup.h"
#include "core/flow.h"
#include "fuzz.h"

static void as_value(const char *text, int (*set)(struct flow *f, const char *value, struct err *e))
{
	struct flow f = { .ask = false }, again;
	char once[FLOW_TEXT_MAX], twice[FLOW_TEXT_MAX];
	struct err e = { .msg = "" };

	if (set(&f, text, &e) < 0) {
		promise(e.msg[0] != 0 && e.hint[0] != 0 && flow_is_empty(&f));
		return;
	}
	promise(!flow_is_empty(&f) && flow_is_within(&f, &f));
	flow_format(&f, once);
	promise(flow_take(once, &again) == 0);
	flow_format(&again, twice);
	promise(strcmp(once, twice) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = strndup((const char *)data, size);
	struct flow f = { .ask = false };
	char again[FLOW_TEXT_MAX];

	promise(text != NULL);
	as_value(text, flow_set_label);
	as_value(text, flow_set_unless);
	if (flow_take(text, &f) < 0) {
		promise(flow_is_empty(&f));
		return 0;
	}
	flow_format(&f, again);
	promise(strcmp(text, again) == 0 && flow_check(&f, NULL) == 0 && flow_is_within(&f, &f));
	return 0;
}
