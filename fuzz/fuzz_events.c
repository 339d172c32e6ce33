/* Recorded runs, JSON lines: what is taken has marks and steps within bounds, the same twice and by its lines alone; what is not is told with its line, and nothing is left. Then an evaluation: it says
 * something, or why not, and the same twice. */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "profile/events.h"
#include "profile/events_eval.h"

static const uint8_t KEY[CALL_KEY_SIZE] = "a fuzzer's key";

struct seen {
	const struct events *ev;
	const struct event *one;
	size_t calls;
};

static void is_call(void *into, const struct call *c)
{
	struct seen *s = into;

	promise(c->n <= CALL_ITEMS_MAX + 1 && strlen(c->tool) < CALL_TOOL_MAX);
	for (size_t i = 0; i < c->n; i++) {
		promise(c->items[i].mark.kind < ITEM_KINDS && strlen(c->items[i].place) < CALL_PLACE_MAX);
		promise(strlen(c->items[i].value) < CALL_VALUE_MAX);
	}
	promise(s->calls < s->one->n_steps && events_doings(s->ev, s->one).steps[s->calls] == c->step);
	s->calls++;
}

static void is_run(const struct events *ev, const struct event *one)
{
	struct seen s = { .ev = ev, .one = one };

	promise(one->n_marks <= NOVELTY_MARKS_MAX && one->n_steps <= EVENTS_CALLS_MAX);
	promise(one->attacked == (one->inj != 0) && (one->attacked || !one->reached));
	promise(strlen(events_name(ev, one->family)) < EVENTS_NAME_MAX);
	promise(events_calls(ev, one, is_call, &s) && s.calls == one->n_steps);
}

static void is_eval(const uint8_t *data, size_t size)
{
	static const struct verdict_rules rules = { .support = 1, .bits = VERDICT_BITS };
	struct buf out[2];
	struct err e = { .msg = "" };
	int rc[2];

	for (size_t i = 0; i < 2; i++) {
		const struct events_eval how = { .test = span_bytes(data, size), .rules = rules, .json = true };

		buf_init(&out[i], 1u << 20);
		rc[i] = events_eval(&how, KEY, &out[i], &e);
	}
	promise(rc[0] == rc[1] && (rc[0] == 0) == (out[0].len > 0) && (rc[0] == 0 || e.msg[0] != 0));
	promise(rc[0] != 0 || buf_is_same(&out[0], &out[1]));
	buf_finish(&out[0]);
	buf_finish(&out[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct events ev;
	struct err e = { .msg = "" };
	const int rc = events_read(&ev, KEY, data, size, &e);

	if (rc != 0) {
		promise(strncmp(e.msg, "line ", 5) == 0 && rc == -(int)e.code);
		return 0;
	}
	for (size_t i = 0; i < ev.n; i++)
		is_run(&ev, &ev.all[i]);
	events_finish(&ev);
	if (size < 1u << 14) /* it takes 1 MB of counters for each pass */
		is_eval(data, size);
	return 0;
}
