#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "guard/guard.h"
#include "http/credential.h"

/* What stands between quotes is looked at as what it says: escapes hide nothing. A number is, as it is written in short. What a server writes in another way (base64, in pieces, a number with more digits than one has) is not seen. */

static bool is_secret(const struct guard *g, const char *text, size_t n, char ret[SCAN_WHAT_MAX])
{
	const char *token = g->tokens ? credential_find((const uint8_t *)text, n) : NULL;

	if (token != NULL) {
		(void)text_copy(ret, SCAN_WHAT_MAX, token); /* ours, and short */
		return true;
	}
	for (size_t i = 0; i < g->n_secrets; i++)
		if (match_is_in(&g->secrets[i].match, text, n)) {
			(void)snprintf(ret, SCAN_WHAT_MAX, "what `%s` matches", g->secrets[i].text);
			return true;
		}
	return false;
}

static bool is_secret_number(const struct guard *g, const json_t *value, char ret[SCAN_WHAT_MAX])
{
	auto_free char *text = flat_number(value);

	return text != NULL && is_secret(g, text, strlen(text), ret);
}

static bool has_secret(const struct guard *g, const json_t *value, char ret[SCAN_WHAT_MAX])
{
	const char *key;
	const json_t *inner;
	size_t i;

	if (json_is_string(value))
		return is_secret(g, json_string_value(value), json_string_length(value), ret);
	if (json_is_number(value))
		return is_secret_number(g, value, ret);
	if (json_is_array(value))
		json_array_foreach(value, i, inner) if (has_secret(g, inner, ret)) return true;
	if (json_is_object(value))
		json_object_foreach((json_t *)(uintptr_t)value, key, inner) if (is_secret(g, key, strlen(key), ret) ||
										has_secret(g, inner, ret)) return true;
	return false;
}

bool guard_secret(struct guard *g, const char *text)
{
	if (strcmp(text, GUARD_TOKENS) == 0) {
		g->tokens = true;
		return true;
	}
	if (g->n_secrets == GUARD_SECRETS_MAX ||
	    match_compile(text, strlen(text), &g->secrets[g->n_secrets].match, NULL) < 0)
		return false;
	return text_copy(g->secrets[g->n_secrets++].text, GUARD_SECRET_BYTES, text);
}

bool guard_canary(struct guard *g, const struct guard_canary *c)
{
	if (g->n_canaries == GUARD_CANARIES_MAX)
		return false;
	g->canaries[g->n_canaries++] = *c;
	return true;
}

static uint32_t canary_in(const struct guard *g, const char *text, size_t n)
{
	for (size_t i = 0; n >= CANARY_WORD_MIN && i < g->n_canaries; i++)
		if (memmem(text, n, g->canaries[i].text, strlen(g->canaries[i].text)) != NULL)
			return g->canaries[i].canary + 1;
	return 0;
}

uint32_t scan_canary(const struct guard *g, const json_t *said)
{
	const char *key;
	const json_t *inner;
	uint32_t found = 0;
	size_t i;

	if (g->n_canaries == 0)
		return 0;
	if (json_is_string(said))
		return canary_in(g, json_string_value(said), json_string_length(said));
	if (json_is_array(said))
		json_array_foreach(said, i, inner) if ((found = scan_canary(g, inner)) != 0) return found;
	if (json_is_object(said))
		json_object_foreach((json_t *)(uintptr_t)said, key,
				    inner) if ((found = canary_in(g, key, strlen(key))) != 0 ||
					       (found = scan_canary(g, inner)) != 0) return found;
	return 0;
}

bool scan_touched(struct guard *g, const json_t *said, struct err *e)
{
	const uint32_t canary = scan_canary(g, said);
	uint8_t room[4];
	struct buf body;

	if (canary == 0)
		return false;
	buf_init_in(&body, room, sizeof room);
	guard_touched_put(&body, canary - 1);
	(void)port_send(&g->owner, WIRE_GUARD_TOUCHED, &body, e); /* a command line that is gone ends the role */
	(void)err_set(e, AMBIT_DENIED, NULL, "it was not passed on: it has a secret");
	return true;
}

/* All but its id, which is one of ours or goes no further. */
static bool says_secret(const struct guard *g, const json_t *said, char ret[SCAN_WHAT_MAX])
{
	static const char *const parts[] = { "method", "params", "result", "error" };

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (has_secret(g, json_object_get(said, parts[i]), ret))
			return true;
	return false;
}

bool scan_finds(struct guard *g, const json_t *said, size_t n, bool is_answer, struct err *e)
{
	char what[SCAN_WHAT_MAX];

	if (scan_touched(g, said, e))
		return true;
	if (is_answer && g->answer_bytes != 0 && n > g->answer_bytes) {
		(void)err_set(e, AMBIT_DENIED,
			      "ask for less of it; the person can allow longer ones in the policy (answers)",
			      "the answer was not passed on: it has %zu bytes, of %llu that the policy lets pass", n,
			      (unsigned long long)g->answer_bytes);
		return true;
	}
	if ((!g->tokens && g->n_secrets == 0) || !says_secret(g, said, what))
		return false;
	(void)err_set(e, AMBIT_DENIED, "what was asked for was done; ask for less of it, or go on without it",
		      "the answer was not passed on: it has %s, which the policy calls secret", what);
	return true;
}
