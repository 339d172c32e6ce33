#include "login/read.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/target.h"
#include "rpc/parse.h"

#define DEPTH_MAX 16
#define VALUES_MAX 20000

/* ---- a challenge (RFC 9110, 11.6.1) ---- */

struct cursor {
	const char *at, *end;
};

static void skip(struct cursor *c, const char *what)
{
	while (c->at < c->end && *c->at != 0 && strchr(what, *c->at) != NULL)
		c->at++;
}

static struct http_text token(struct cursor *c)
{
	const char *from = c->at;

	while (c->at < c->end && http_is_token((uint8_t)*c->at))
		c->at++;
	return (struct http_text){ from, (size_t)(c->at - from) };
}

/* Within quotes, or a word; gives how long it is, of what fits. */
static size_t value(struct cursor *c, char ret[LOGIN_FIELD_MAX])
{
	size_t n = 0;

	if (c->at == c->end || *c->at != '"') {
		const struct http_text t = token(c);

		n = t.n < LOGIN_FIELD_MAX ? t.n : 0;
		memcpy(ret, t.at, n);
		return n;
	}
	for (c->at++; c->at < c->end && *c->at != '"'; c->at++) {
		c->at += *c->at == '\\' && c->at + 1 < c->end;
		if (n < LOGIN_FIELD_MAX)
			ret[n++] = *c->at;
	}
	c->at += c->at < c->end;
	return n < LOGIN_FIELD_MAX ? n : 0;
}

void read_challenge(struct login_answer *a, const struct http_text *field)
{
	struct cursor c = { field->at, field->at + field->n };

	while (c.at < c.end) {
		char text[LOGIN_FIELD_MAX];
		struct http_text name;
		size_t n;

		skip(&c, " \t,");
		name = token(&c);
		if (name.n == 0) {
			c.at += c.at < c.end; /* what belongs nowhere */
			continue;
		}
		if (c.at == c.end || *c.at != '=')
			continue; /* a scheme */
		skip(&c, "=");
		n = value(&c, text);
		if (http_text_is(&name, "resource_metadata"))
			login_set(a, LOGIN_METADATA, text, n);
		else if (http_text_is(&name, "scope"))
			login_set(a, LOGIN_SCOPE, text, n);
		else if (http_text_is(&name, "error"))
			login_set(a, LOGIN_ERROR, text, n);
	}
}

/* ---- bodies ---- */

static void take(struct login_answer *a, enum login_field which, const json_t *value)
{
	if (json_is_string(value))
		login_set(a, which, json_string_value(value), json_string_length(value));
}

static bool lists(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_is_string(json_array_get(list, i)) &&
		    strcmp(json_string_value(json_array_get(list, i)), word) == 0)
			return true;
	return false;
}

/* Those that are there, with blanks between, as many as fit. */
static void take_scopes(struct login_answer *a, const json_t *list)
{
	char text[LOGIN_FIELD_MAX];
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *scope = json_string_value(json_array_get(list, i));

		if (scope == NULL || !login_is_word(scope) || n + strlen(scope) + 2 > sizeof text)
			continue;
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? " " : "", scope);
	}
	login_set(a, LOGIN_SCOPE, text, n);
}

static void of_resource(struct login_answer *a, const json_t *said)
{
	take(a, LOGIN_RESOURCE_ID, json_object_get(said, "resource"));
	take(a, LOGIN_ISSUER, json_array_get(json_object_get(said, "authorization_servers"), 0));
	take_scopes(a, json_object_get(said, "scopes_supported"));
	if (a->text[LOGIN_ISSUER][0] == 0)
		a->outcome = LOGIN_UNCLEAR;
}

static void of_server(struct login_answer *a, const json_t *said)
{
	take(a, LOGIN_ISSUER, json_object_get(said, "issuer"));
	take(a, LOGIN_AUTHORIZE, json_object_get(said, "authorization_endpoint"));
	take(a, LOGIN_TOKEN_URL, json_object_get(said, "token_endpoint"));
	take(a, LOGIN_REGISTRATION, json_object_get(said, "registration_endpoint"));
	if (lists(json_object_get(said, "code_challenge_methods_supported"), "S256"))
		a->flags |= LOGIN_S256;
	if (json_is_true(json_object_get(said, "authorization_response_iss_parameter_supported")))
		a->flags |= LOGIN_ISS;
	if (a->text[LOGIN_ISSUER][0] == 0 || a->text[LOGIN_AUTHORIZE][0] == 0 || a->text[LOGIN_TOKEN_URL][0] == 0)
		a->outcome = LOGIN_UNCLEAR;
}

static void of_registration(struct login_answer *a, const json_t *said)
{
	const char *how = json_string_value(json_object_get(said, "token_endpoint_auth_method"));

	take(a, LOGIN_CLIENT, json_object_get(said, "client_id"));
	if (json_object_get(said, "client_secret") != NULL && (how == NULL || strcmp(how, "none") != 0))
		a->flags |= LOGIN_SECRET;
	if (!login_is_word(a->text[LOGIN_CLIENT]))
		a->outcome = LOGIN_UNCLEAR;
}

static bool take_token(char *ret, size_t size, const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) && login_is_word(text) &&
	       text_copy(ret, size, text);
}

/* What covers a token that went out is no token: then it is the one that there was. */
static bool is_covered(const char *text)
{
	return strspn(text, "*") == strlen(text);
}

static void of_tokens(struct login_answer *a, const json_t *said, struct login_tokens *ret)
{
	const char *type = json_string_value(json_object_get(said, "token_type"));
	const json_t *lasts = json_object_get(said, "expires_in");

	if (!take_token(ret->access, sizeof ret->access, json_object_get(said, "access_token")) || type == NULL ||
	    strcasecmp(type, "bearer") != 0) {
		a->outcome = LOGIN_UNCLEAR;
		return;
	}
	if (!take_token(ret->refresh, sizeof ret->refresh, json_object_get(said, "refresh_token")) ||
	    is_covered(ret->refresh))
		ret->refresh[0] = 0;
	ret->expires = json_is_integer(lasts) && json_integer_value(lasts) > 0 ? (uint64_t)json_integer_value(lasts)
									       : 0;
	ret->expires = ret->expires < UINT32_MAX ? ret->expires : UINT32_MAX;
}

void read_body(struct login_answer *a, enum login_step step, const char *text, size_t n,
	       struct login_tokens *ret_tokens)
{
	struct mistake m;
	json_t *said = n == 0 ? NULL : parse_json_within(text, n, DEPTH_MAX, VALUES_MAX, &m);

	a->outcome = LOGIN_ANSWERED;
	if (a->status < 200 || a->status > 299) {
		a->outcome = a->status >= 300 && a->status < 400 ? LOGIN_AWAY : LOGIN_REFUSED;
		take(a, LOGIN_ERROR, json_object_get(said, "error"));
		take(a, LOGIN_ERROR_TEXT, json_object_get(said, "error_description"));
	} else if (!json_is_object(said)) {
		a->outcome = LOGIN_UNCLEAR;
	} else if (step == LOGIN_RESOURCE) {
		of_resource(a, said);
	} else if (step == LOGIN_SERVER) {
		of_server(a, said);
	} else if (step == LOGIN_REGISTER) {
		of_registration(a, said);
	} else if (step == LOGIN_TOKEN) {
		of_tokens(a, said, ret_tokens);
	}
	json_decref(said);
}

/* ---- what a browser brings ---- */

/* False: it is there twice. */
static bool take_parameter(struct login_answer *a, const struct http_parameter *p)
{
	static const struct {
		const char *name;
		enum login_field which;
	} known[] = { { "code", LOGIN_CODE },
		      { "state", LOGIN_STATE },
		      { "iss", LOGIN_ISSUER },
		      { "error", LOGIN_ERROR },
		      { "error_description", LOGIN_ERROR_TEXT } };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (p->name.n != strlen(known[i].name) || memcmp(p->name.at, known[i].name, p->name.n) != 0)
			continue;
		if (a->text[known[i].which][0] != 0)
			return false;
		login_set(a, known[i].which, p->value.at, p->value.n);
	}
	return true;
}

void read_callback(struct login_answer *a, const char *line, const char *path)
{
	static struct http_parameters all;
	static struct http_head head;
	struct http_parameter p;
	struct http_target target;
	char text[LOGIN_VALUE_MAX + 8];
	const char *why;
	const int n = snprintf(text, sizeof text, "%s\r\n\r\n", line);

	a->outcome = LOGIN_UNCLEAR;
	if (n < 0 || (size_t)n >= sizeof text ||
	    http_head_request((const uint8_t *)text, (size_t)n, &head, &why) != 1 ||
	    !http_text_is(&head.method, "get") || !http_target_take(&head.target, &target, &why) ||
	    target.form != HTTP_TARGET_ORIGIN || target.path.n != strlen(path) ||
	    memcmp(target.path.at, path, target.path.n) != 0 || !target.has_query)
		return;
	http_parameters_begin(&all, &target.query);
	while (http_parameters_next(&all, &p))
		if (p.malformed || !take_parameter(a, &p))
			return;
	if (a->text[LOGIN_STATE][0] != 0 && (a->text[LOGIN_CODE][0] != 0 || a->text[LOGIN_ERROR][0] != 0))
		a->outcome = LOGIN_ANSWERED;
}
