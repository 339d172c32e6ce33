/* Questions of a server in an answer: `inputRequests` (2026-07-28), and URLs to be opened in an error (2025-11-25). */
#include <string.h>

#include "core/tool.h"
#include "guard/guard.h"

enum { URL_ELICITATION = -32042, REFUSED = -32001, INTERNAL = -32603 };

bool inputs_are_hidden(const json_t *said)
{
	const json_t *error = json_object_get(said, "error");

	return has_other_case(json_object_get(said, "result"), "inputRequests") || has_other_case(error, "code") ||
	       has_other_case(error, "data") || has_other_case(json_object_get(error, "data"), "elicitations") ||
	       has_other_case(json_object_get(said, "params"), "inputRequests");
}

static const json_t *urls_of(const json_t *said)
{
	const json_t *error = json_object_get(said, "error");

	return json_integer_value(json_object_get(error, "code")) == URL_ELICITATION
		       ? json_object_get(json_object_get(error, "data"), "elicitations")
		       : NULL;
}

static int ask_one(struct guard *g, struct pending *p, const char *method, const json_t *params, struct err *e)
{
#define METHOD(name) name,
	static const char *const known[] = { TOOL_METHODS_OF_CLIENT(METHOD) };
#undef METHOD
	struct pending *input;
	size_t i = 0;
	int r;

	while (i < sizeof known / sizeof known[0] && (method == NULL || strcmp(known[i], method) != 0))
		i++;
	if (i == sizeof known / sizeof known[0])
		return err_set(e, AMBIT_DENIED, NULL, "the server asks by a method '%.64s', which does not pass here",
			       method != NULL ? method : "");
	input = pending_new(g->called, g);
	if (input == NULL)
		return err_set(e, AMBIT_LIMIT, NULL, "more is asked than can wait");
	input->number = ++g->last_number;
	input->about = p;
	input->about_own = p->own;
	input->is_input = true;
	p->inputs++;
	r = server_ask(g, input, known[i], params, e);
	if (r < 0)
		pending_free(g, input);
	return r;
}

static int ask_all(struct guard *g, struct pending *p, const json_t *inputs, const json_t *urls, struct err *e)
{
	const char *key;
	json_t *one;
	size_t i;
	int r = (inputs != NULL && !json_is_object(inputs)) || (urls != NULL && !json_is_array(urls))
			? err_set(e, AMBIT_PROTOCOL, NULL, "the server's questions have no form")
			: 0;

	json_object_foreach((json_t *)(uintptr_t)inputs, key, one)
	{
		const json_t *params = json_object_get(one, "params");

		r = r < 0 ? r
		    : json_object_size(one) > 1 + (size_t)(params != NULL) /* with its method: nothing else */
			    ? err_set(e, AMBIT_PROTOCOL, NULL, "the server's questions have no form")
			    : ask_one(g, p, json_string_value(json_object_get(one, "method")), params, e);
	}
	json_array_foreach((json_t *)(uintptr_t)urls, i, one)
	{
		r = r < 0 ? r : ask_one(g, p, "elicitation/create", one, e);
	}
	return r;
}

static int keep(struct guard *g, struct pending *p, const char *line, size_t n, struct err *e)
{
	buf_init(&p->line, n + sizeof p->id + 8);
	if (!line_put(&p->line, line, n, p->id))
		return err_set(e, AMBIT_PROTOCOL, NULL, "the server's answer has no id that can be found in its line");
	if (p->line.failed || g->held + p->line.len > GUARD_HELD_MAX) {
		buf_finish(&p->line);
		return err_set(e, AMBIT_LIMIT, NULL, "more is asked than can wait");
	}
	g->held += p->line.len;
	return 0;
}

static void give_back(struct guard *g, struct pending *p)
{
	if (!p->cancelled)
		buf_put(&g->client.bytes, p->line.data, p->line.len);
	guard_tell_over(g, p, p->is_error ? GUARD_ERROR : GUARD_DONE, p->line.data, p->line.len);
	pending_free(g, p);
}

static void refuse(struct guard *g, struct pending *p, const struct err *e, const char *question)
{
	guard_tell_over(g, p, GUARD_ERROR, "", 0);
	client_denied(g, p, e, question);
}

bool inputs_hold(struct guard *g, struct pending *p, const json_t *said, const char *line, size_t n)
{
	const json_t *inputs = json_object_get(json_object_get(said, "result"), "inputRequests"), *urls = urls_of(said);
	struct err e;
	int r;

	if (inputs == NULL && urls == NULL && !inputs_are_hidden(said))
		return false;
	p->state = PENDING_INPUTS;
	p->is_error = json_object_get(said, "error") != NULL;
	r = p->list != LIST_NONE      ? err_set(&e, AMBIT_PROTOCOL, NULL, "a list that asks for something")
	    : inputs_are_hidden(said) ? err_set(&e, AMBIT_PROTOCOL, NULL, "the server's questions have no form")
				      : keep(g, p, line, n, &e);
	r = r < 0 ? r : ask_all(g, p, inputs, urls, &e);
	if (r < 0)
		refuse(g, p, &e, "");
	else if (p->inputs == 0)
		give_back(g, p);
	return true;
}

void inputs_word(struct guard *g, struct pending *input, const struct guard_word *w)
{
	struct pending *p = input->about;
	const bool waits = p->state == PENDING_INPUTS && p->own == input->about_own;

	input->judged = w->verdict == GUARD_YES;
	guard_tell_over(g, input, waits ? GUARD_DONE : GUARD_LOST, "", 0);
	pending_free(g, input);
	if (waits && w->verdict != GUARD_YES)
		refuse(g, p, &w->why, w->question);
	else if (waits && --p->inputs == 0)
		give_back(g, p);
}
