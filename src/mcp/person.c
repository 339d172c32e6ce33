/* A question that waits for a person: what the client's user is asked, and what comes back. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "mcp/mcp.h"
#include "mcp/seal.h"

#define KEY "approval"          /* of our question, among those that a client answers */
#define REQUEST_PREFIX "ambit-" /* of our requests (LEGACY) */

/* ---- asking ---- */

static void put_question(struct json *j, const struct call *c)
{
	char text[512];

	(void)snprintf(
		text, sizeof text,
		"Ambit: %s wants something that you are to be asked about first. In a terminal, `ambit approve %s` shows it and takes your answer. Accept here when you have "
		"answered there: accepting alone allows nothing.",
		tool_name(c->tool), c->question);
	json_put_object(j);
	json_put_word(json_put_key(j, "mode"), "form");
	json_put_word(json_put_key(j, "message"), text);
	json_put_object(json_put_key(j, "requestedSchema"));
	json_put_word(json_put_key(j, "type"), "object");
	json_put_object(json_put_key(j, "properties"));
	json_put_object_end(j);
	json_put_object_end(j);
	json_put_object_end(j);
}

static void ask_modern(struct mcp *m, const struct call *c)
{
	char state[SEAL_MAX];
	struct json j;

	seal_make(m->begin.key, m->name, c->question, c->digest, state);
	say_result(&j, &m->out, c->id);
	json_put_word(json_put_key(&j, "resultType"), "input_required");
	json_put_object(json_put_key(&j, "inputRequests"));
	json_put_object(json_put_key(&j, KEY));
	json_put_word(json_put_key(&j, "method"), "elicitation/create");
	put_question(json_put_key(&j, "params"), c);
	json_put_object_end(&j);
	json_put_object_end(&j);
	json_put_word(json_put_key(&j, "requestState"), state);
	say_result_end(&j);
}

static void ask_legacy(struct mcp *m, const struct call *c)
{
	struct json j;

	buf_printf(&m->out,
		   "{\"jsonrpc\":\"2.0\",\"id\":\"" REQUEST_PREFIX "%u\",\"method\":\"elicitation/create\",\"params\":",
		   c->number);
	json_begin(&j, &m->out);
	put_question(&j, c);
	buf_printf(&m->out, "}\n");
}

/* Once for each call: who accepts without having answered gets the refusal. Changes that wait are taken over by the answer itself: nothing is to be done again. */
bool person_ask(struct mcp *m, struct call *c, const json_t *record, bool *ret_waits)
{
	if (!c->elicits || c->again || c->row.outcome.workspace == WORKSPACE_KEPT ||
	    !question_of(record, &c->row, c->question))
		return false;
	if (c->era == ERA_MODERN) {
		ask_modern(m, c);
		return true;
	}
	if (c->run.len == 0)
		return false;
	c->state = CALL_PERSON;
	c->number = call_next_number(m);
	ask_legacy(m, c);
	*ret_waits = true;
	return true;
}

/* ---- what comes back ---- */

static bool is_accepted(const json_t *answer)
{
	const char *action = json_string_value(json_object_get(answer, "action"));

	return action != NULL && strcmp(action, "accept") == 0;
}

bool person_answered(struct mcp *m, const json_t *said)
{
	const char *id = json_string_value(json_object_get(said, "id"));
	struct mistake why = { .place = "" };
	uint32_t number;

	if (id == NULL || strncmp(id, REQUEST_PREFIX, strlen(REQUEST_PREFIX)) != 0 ||
	    !parse_u32(id + strlen(REQUEST_PREFIX), 1, UINT32_MAX, &number))
		return false;
	for (size_t i = 0; i < MCP_CALLS_MAX; i++) {
		struct call *c = &m->calls[i];

		if (c->state != CALL_PERSON || c->number != number)
			continue;
		if (c->cancelled) {
			call_free(c);
		} else if (!is_accepted(json_object_get(said, "result"))) {
			(void)err_set(&why.err, AMBIT_DENIED, "go on without it, or ask what they want instead",
				      "the user did not accept: nothing was done");
			answer_failed(m, c, &why.err);
		} else if (call_again(m, c, &why.err) < 0) {
			answer_failed(m, c, &why.err);
		}
		return true;
	}
	return false;
}

int person_returned(struct mcp *m, const json_t *params, const char digest[DIGEST_HEX], bool *ret_again,
		    struct mistake *why)
{
	const json_t *state = json_object_get(params, "requestState"),
		     *answers = json_object_get(params, "inputResponses");

	if (state == NULL && answers == NULL)
		return 0;
	(void)snprintf(why->place, sizeof why->place, "/params/requestState");
	if (!json_is_string(state) || !seal_take(m->begin.key, m->name, json_string_value(state), digest))
		return err_set(&why->err, AMBIT_DENIED, "call the tool again without it",
			       "a requestState that was not given for this call, or is too old");
	(void)snprintf(why->place, sizeof why->place, "/params/inputResponses");
	if (!json_is_object(answers) || json_object_size(answers) != 1 || json_object_get(answers, KEY) == NULL)
		return err_set(&why->err, AMBIT_USAGE, NULL,
			       "the answer to `" KEY "`, and nothing else, was asked for");
	why->place[0] = 0;
	*ret_again = true;
	return is_accepted(json_object_get(answers, KEY)) ? 0 : 1;
}
