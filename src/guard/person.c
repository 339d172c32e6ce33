/* A question that waits for a person: what the client's user is asked, and what comes back. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "guard/guard.h"

#define KEY "approval" /* of our question, among those that a client answers */
#define SCOPE "guard"

static void put_question(struct json *j, const struct pending *p, const char *question)
{
	char text[640];

	(void)snprintf(
		text, sizeof text,
		"Ambit: %s wants something that you are to be asked about first. In a terminal, `ambit approve %s` shows it and takes your answer. Accept here when you have answered "
		"there: accepting alone allows nothing.",
		p->tool[0] != 0 ? p->tool : "the agent", question);
	json_put_object(j);
	json_put_word(json_put_key(j, "mode"), "form");
	json_put_name(json_put_key(j, "message"), text);
	json_put_object(json_put_key(j, "requestedSchema"));
	json_put_word(json_put_key(j, "type"), "object");
	json_put_object(json_put_key(j, "properties"));
	json_put_object_end(j);
	json_put_object_end(j);
	json_put_object_end(j);
}

static void ask_modern(struct guard *g, struct pending *p, const char *question)
{
	char state[SEAL_MAX];
	struct json j;

	seal_make(g->key, SCOPE, question, p->digest, state);
	buf_printf(&g->client.bytes, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", p->id);
	json_begin(&j, &g->client.bytes);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "resultType"), "input_required");
	json_put_object(json_put_key(&j, "inputRequests"));
	json_put_object(json_put_key(&j, KEY));
	json_put_word(json_put_key(&j, "method"), "elicitation/create");
	put_question(json_put_key(&j, "params"), p, question);
	json_put_object_end(&j);
	json_put_object_end(&j);
	json_put_word(json_put_key(&j, "requestState"), state);
	json_put_object_end(&j);
	buf_printf(&g->client.bytes, "}\n");
	pending_free(g, p);
}

/* Once for each request: who accepts without having answered gets the refusal. What brings something of the server's back cannot bring ours, too. */
bool person_ask(struct guard *g, struct pending *p, const char *question)
{
	struct pending *ours;
	struct json j;

	if (!p->elicits || p->again || p->cancelled || p->carries)
		return false;
	if (p->modern) {
		ask_modern(g, p, question);
		return true;
	}
	ours = pending_new(g->called, g);
	if (ours == NULL)
		return false;
	ours->about = p;
	p->state = PENDING_PERSON;
	buf_printf(&g->client.bytes, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"elicitation/create\",\"params\":",
		   (unsigned long long)ours->own);
	json_begin(&j, &g->client.bytes);
	put_question(&j, p, question);
	buf_printf(&g->client.bytes, "}\n");
	return true;
}

static bool is_accepted(const json_t *answer)
{
	const char *action = json_string_value(json_object_get(answer, "action"));

	return action != NULL && strcmp(action, "accept") == 0;
}

static int declined(struct err *e)
{
	return err_set(e, AMBIT_DENIED, "go on without it, or ask what they want instead",
		       "the user did not accept: nothing was done");
}

void person_answered(struct guard *g, struct pending *ours, const json_t *said)
{
	struct pending *p = ours->about;
	const bool is_over = ours->cancelled;
	struct err e;

	pending_free(g, ours);
	if (is_over)
		return;
	p->again = true;
	p->number = ++g->last_number;
	if (!is_accepted(json_object_get(said, "result")) ? declined(&e) < 0 : client_judge(g, p, &e) < 0)
		client_denied(g, p, &e, "");
}

void person_forget(struct guard *g, const struct pending *p)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++) {
		struct pending *ours = &g->called[i];

		if (ours->state != PENDING_SENT || ours->about != p || ours->cancelled)
			continue;
		ours->cancelled = true;
		side_cancel(&g->client, ours);
	}
}

int person_returned(struct guard *g, struct pending *p, json_t *said, char **ret_line, struct err *e)
{
	json_t *params = json_object_get(said, "params");
	const json_t *answers = json_object_get(params, "inputResponses"), *answer = json_object_get(answers, KEY);
	const char *state = json_string_value(json_object_get(params, "requestState"));
	bool accepted;

	*ret_line = NULL;
	p->carries = state != NULL || answers != NULL;
	if (state == NULL || strncmp(state, SEAL_PREFIX, strlen(SEAL_PREFIX)) != 0)
		return 0;
	if (!seal_take(g->key, SCOPE, state, p->digest))
		return err_set(e, AMBIT_DENIED, "call it again without it",
			       "a requestState that was not given for this request, or is too old");
	if (answer == NULL || json_object_size(answers) != 1)
		return err_set(e, AMBIT_USAGE, NULL, "the answer to `" KEY "`, and nothing else, was asked for");
	accepted = is_accepted(answer);
	(void)json_object_del(params, "requestState");
	(void)json_object_del(params, "inputResponses");
	p->carries = false;
	p->again = true;
	*ret_line = json_dumps(said, JSON_COMPACT);
	if (*ret_line == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the request");
	return accepted ? 0 : 1;
}
