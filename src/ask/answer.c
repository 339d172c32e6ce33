#include "ask/answer.h"

#include <jansson.h>
#include <string.h>

#include "base/timestamp.h"

/* `a, b,c` of a field; scopes of GitHub and Slack. */
static void add_list(struct ask_answer *a, const struct http_text *list)
{
	size_t at = 0;

	while (at < list->n) {
		size_t end = at, last;

		while (end < list->n && list->at[end] != ',')
			end++;
		last = end;
		while (at < last && list->at[at] == ' ')
			at++;
		while (last > at && list->at[last - 1] == ' ')
			last--;
		if (last > at)
			ask_add_scope(a, list->at + at, last - at);
		at = end + 1;
	}
}

/* All fields of that name. */
static void take_scopes_field(const struct http_head *head, struct ask_answer *a)
{
	for (uint32_t i = 0; i < head->n_fields; i++)
		if (http_text_is(&head->fields[i].name, "x-oauth-scopes")) {
			a->told_scopes = 1;
			add_list(a, &head->fields[i].value);
		}
}

/* ---- each issuer ---- */

static void judge_github(const struct http_head *head, struct ask_answer *a)
{
	const struct http_field *expires = http_head_find(head, "github-authentication-token-expiration");

	a->state = ASK_VALID;
	take_scopes_field(head, a);
	if (expires != NULL)
		ask_set_expires(a, expires->value.at, expires->value.n);
}

static void judge_gitlab(json_t *body, struct ask_answer *a)
{
	json_t *scopes = json_object_get(body, "scopes"), *expires = json_object_get(body, "expires_at");
	json_t *scope;
	size_t i;

	if (!json_is_array(scopes))
		return;
	a->state = json_is_true(json_object_get(body, "revoked")) || json_is_false(json_object_get(body, "active"))
			   ? ASK_REFUSED
			   : ASK_VALID;
	a->told_scopes = 1;
	json_array_foreach(scopes, i, scope)
	{
		if (json_is_string(scope))
			ask_add_scope(a, json_string_value(scope), json_string_length(scope));
		else
			a->left_out++;
	}
	if (json_is_string(expires))
		ask_set_expires(a, json_string_value(expires), json_string_length(expires));
}

static void judge_npm(json_t *body, struct ask_answer *a)
{
	if (json_is_string(json_object_get(body, "username")))
		a->state = ASK_VALID;
}

/* Its status is 200 whatever it says. */
static void judge_slack(const struct http_head *head, json_t *body, struct ask_answer *a)
{
	static const char *const refusals[] = { "account_inactive", "invalid_auth", "not_authed", "token_expired",
						"token_revoked" };
	const char *why = json_string_value(json_object_get(body, "error"));

	if (json_is_true(json_object_get(body, "ok"))) {
		a->state = ASK_VALID;
		take_scopes_field(head, a);
	}
	for (size_t i = 0;
	     json_is_false(json_object_get(body, "ok")) && why != NULL && i < sizeof refusals / sizeof refusals[0]; i++)
		if (strcmp(refusals[i], why) == 0)
			a->state = ASK_REFUSED;
}

/* ---- introspection (RFC 7662, 2.2) ---- */

static void add_words(struct ask_answer *a, const char *text, size_t n)
{
	for (size_t at = 0, end; at < n; at = end + 1) {
		for (end = at; end < n && text[end] != ' '; end++)
			;
		if (end > at)
			ask_add_scope(a, text + at, end - at);
	}
}

/* Words in a text; some servers give a list. */
static void take_scope(json_t *scope, struct ask_answer *a)
{
	json_t *one;
	size_t i;

	if (!json_is_string(scope) && !json_is_array(scope))
		return;
	a->told_scopes = 1;
	if (json_is_string(scope))
		add_words(a, json_string_value(scope), json_string_length(scope));
	json_array_foreach(scope, i, one)
	{
		if (json_is_string(one))
			ask_add_scope(a, json_string_value(one), json_string_length(one));
		else
			a->left_out++;
	}
}

#define SECONDS_LEN 19 /* of a timestamp, before its milliseconds */

/* Seconds since 1970. 0 is what some say for never. */
static void take_time(const json_t *seconds, struct ask_answer *a)
{
	char text[TIMESTAMP_LEN + 1];

	if (!json_is_integer(seconds) || json_integer_value(seconds) <= 0 ||
	    !timestamp_write(timestamp_ms_of((uint64_t)json_integer_value(seconds)), text))
		return;
	text[SECONDS_LEN] = 'Z';
	ask_set_expires(a, text, SECONDS_LEN + 1);
}

/* One, or a list. */
static void take_audience(json_t *audience, struct ask_answer *a)
{
	json_t *one;
	size_t i;

	if (json_is_string(audience))
		ask_add_audience(a, json_string_value(audience), json_string_length(audience));
	json_array_foreach(audience, i, one)
	{
		if (json_is_string(one))
			ask_add_audience(a, json_string_value(one), json_string_length(one));
	}
}

static void judge_introspection(json_t *body, struct ask_answer *a)
{
	const json_t *active = json_object_get(body, "active");

	if (json_is_false(active))
		a->state = ASK_REFUSED;
	if (!json_is_true(active))
		return;
	a->state = ASK_VALID;
	take_scope(json_object_get(body, "scope"), a);
	take_time(json_object_get(body, "exp"), a);
	take_audience(json_object_get(body, "aud"), a);
	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++) {
		const json_t *claim = json_object_get(body, ask_claim_word((enum ask_claim)i, false));

		if (json_is_string(claim))
			ask_set_claim(a, (enum ask_claim)i, json_string_value(claim), json_string_length(claim));
	}
}

/* It answers to who asks: 401 and 403 say nothing of the token, and neither does 400, but for who is not known (RFC 6749, 5.2). */
static void judge_asker(json_t *body, struct ask_answer *a)
{
	const char *why = json_string_value(json_object_get(body, "error"));

	if (a->status == 401 || a->status == 403 ||
	    (a->status == 400 && why != NULL &&
	     (strcmp(why, "invalid_client") == 0 || strcmp(why, "unauthorized_client") == 0)))
		a->state = ASK_ASKER;
}

static void judge_oauth(const struct http_head *head, const void *body, size_t n, struct ask_answer *ret)
{
	json_t *json = json_loadb(body, n, JSON_REJECT_DUPLICATES, NULL);

	if (head->status == 200)
		judge_introspection(json, ret);
	else
		judge_asker(json, ret);
	json_decref(json);
}

void answer_judge(enum issuer which, const struct http_head *head, const void *body, size_t n, struct ask_answer *ret)
{
	json_t *json;

	*ret = (struct ask_answer){ .status = head->status };
	if (which == ISSUER_OAUTH) {
		judge_oauth(head, body, n, ret);
		return;
	}
	if (head->status == 401)
		ret->state = ASK_REFUSED;
	if (head->status != 200)
		return;
	json = which == ISSUER_GITHUB ? NULL : json_loadb(body, n, JSON_REJECT_DUPLICATES, NULL);
	switch (which) {
	case ISSUER_GITHUB: judge_github(head, ret); break;
	case ISSUER_GITLAB: judge_gitlab(json, ret); break;
	case ISSUER_NPM: judge_npm(json, ret); break;
	case ISSUER_SLACK: judge_slack(head, json, ret); break;
	case ISSUER_OAUTH:
	case ISSUER_COUNT: break;
	}
	json_decref(json);
}
