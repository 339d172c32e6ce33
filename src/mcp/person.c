/* A question that waits for a person: what the client's user is asked, and what comes back. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "base/text.h"
#include "mcp/mcp.h"

#define KEY "approval"           /* of our question, among those that a client answers */
#define STATE_S (UINT64_C(3600)) /* for so long a client may bring it back */
#define REQUEST_PREFIX "ambit-"  /* of our requests (LEGACY) */

/* ---- what the client carries for us ---- */

/* HMAC-SHA-256 (RFC 2104). */
static void seal(const uint8_t key[MCP_KEY_BYTES], const char *text, char ret[DIGEST_HEX])
{
	uint8_t inner[64], outer[64], digest[SHA256_BYTES];
	struct sha256 s;

	_Static_assert(MCP_KEY_BYTES <= sizeof inner, "a key is not longer than a block");
	memset(inner, 0x36, sizeof inner);
	memset(outer, 0x5c, sizeof outer);
	for (size_t i = 0; i < MCP_KEY_BYTES; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	sha256_init(&s);
	sha256_add(&s, inner, sizeof inner);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, digest);
	sha256_init(&s);
	sha256_add(&s, outer, sizeof outer);
	sha256_add(&s, digest, sizeof digest);
	sha256_end(&s, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* "v1.QUESTION.SECONDS.DIGEST.SEAL": of one question, about one call of one tool with these arguments, in this session, until then. */
#define STATE_MAX 384
static void make_state(const struct mcp *m, const char *question, const char *digest, char ret[STATE_MAX])
{
	char sealed[STATE_MAX + ID_TEXT_MAX], mac[DIGEST_HEX];

	(void)snprintf(ret, STATE_MAX, "v1.%s.%llu.%s", question, (unsigned long long)time(NULL) + STATE_S, digest);
	(void)snprintf(sealed, sizeof sealed, "%s.%s", m->name, ret);
	seal(m->begin.key, sealed, mac);
	(void)snprintf(ret + strlen(ret), STATE_MAX - strlen(ret), ".%s", mac);
}

/* All of the bytes are looked at, whichever differs. */
static bool is_same(const char *a, const char *b, size_t n)
{
	uint8_t differs = 0;

	for (size_t i = 0; i < n; i++)
		differs |= (uint8_t)(a[i] ^ b[i]);
	return differs == 0;
}

static bool take_state(const struct mcp *m, const char *state, const char *digest)
{
	char sealed[STATE_MAX + ID_TEXT_MAX], mac[DIGEST_HEX], text[STATE_MAX], *at;
	uint64_t until;

	if (!text_copy(text, sizeof text, state))
		return false;
	at = strrchr(text, '.');
	if (at == NULL || strlen(at + 1) != DIGEST_HEX - 1)
		return false;
	*at = 0;
	(void)snprintf(sealed, sizeof sealed, "%s.%s", m->name, text);
	seal(m->begin.key, sealed, mac);
	if (!is_same(mac, at + 1, DIGEST_HEX - 1))
		return false;
	/* ours: v1.a_....SECONDS.DIGEST */
	at = strrchr(text, '.');
	if (strcmp(at + 1, digest) != 0)
		return false;
	*at = 0;
	return parse_u64(strrchr(text, '.') + 1, 0, UINT64_MAX, &until) && (uint64_t)time(NULL) <= until;
}

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
	char state[STATE_MAX];
	struct json j;

	make_state(m, c->question, c->digest, state);
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
	if (!json_is_string(state) || !take_state(m, json_string_value(state), digest))
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
