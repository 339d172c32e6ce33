#include <stdio.h>

#include "base/json.h"
#include "cli/check.h"
#include "cli/cli.h"

#define JSON_MAX (64u << 10)

static bool is_any(const struct check *c, const char *scope)
{
	(void)c;
	(void)scope;
	return true;
}

/* It was to be held against grants, and could not. */
static bool is_unknown(const struct check *c, const char *scope)
{
	return c->compares && c->answer.state == ASK_VALID && check_use_of(c, scope) == SCOPE_UNKNOWN;
}

static uint32_t count_unknown(const struct check *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->answer.n_scopes; i++)
		n += is_unknown(c, c->answer.scopes[i]);
	return n;
}

/* What is not known, and so was not warned of. */
static const char *note_of(const struct check *c)
{
	if (c->answer.state != ASK_VALID)
		return NULL;
	if (!issuer_row(c->issuer)->tells_scopes)
		return "this issuer does not tell what a token may do: look where it was made";
	if (c->answer.told_scopes == 0)
		return c->issuer == ISSUER_GITHUB
			       ? "it has no scopes: of a fine-grained token GitHub does not tell what it may do; look where it was made"
			       : "the issuer did not tell its scopes";
	if (!c->compares)
		return "it was held against no grants: name those that use it, by --policy, --preset or --connect";
	if (count_unknown(c) == 0)
		return NULL;
	return c->scopes_of == ISSUER_OAUTH
		       ? "what scopes of this issuer allow is not known here: those that were not judged were not held against the grants"
		       : "not all of its scopes are known here: those that were not judged were not held against the grants";
}

static void say_list(const char *name, const struct check *c,
		     bool (*is_meant)(const struct check *c, const char *scope))
{
	const struct ask_answer *a = &c->answer;
	bool any = false;

	(void)printf("%s: ", name);
	for (uint32_t i = 0; i < a->n_scopes; i++) {
		if (!is_meant(c, a->scopes[i]))
			continue;
		(void)printf("%s%s", any ? ", " : "", a->scopes[i]);
		any = true;
	}
	(void)printf("%s\n", any ? "" : "none");
}

static void say_claims(const struct ask_answer *a)
{
	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++)
		if (a->claims[i][0] != 0)
			(void)printf("%s: %s\n", ask_claim_word((enum ask_claim)i, true), a->claims[i]);
	for (uint32_t i = 0; i < a->n_audiences; i++)
		(void)printf("%s%s%s", i == 0 ? "audience: " : ", ", a->audiences[i],
			     i + 1 == a->n_audiences ? "\n" : "");
}

static const char *state_word(const struct check *c)
{
	if (c->answer.state == ASK_VALID)
		return "valid";
	return c->issuer == ISSUER_OAUTH ? "inactive" : "refused";
}

static void say(const struct check *c)
{
	const struct ask_answer *a = &c->answer;
	const char *note = note_of(c);

	(void)printf("%s: %s, says %s (%s)\n", c->name, state_word(c), issuer_row(c->issuer)->name, c->url);
	if (a->told_scopes != 0)
		say_list("scopes", c, is_any);
	if (a->expires[0] != 0)
		(void)printf("expires: %s\n", a->expires);
	say_claims(a);
	for (uint32_t i = 0; i < c->n_warnings; i++)
		(void)printf("warning: %s%s%s\n", c->warnings[i].scope != NULL ? c->warnings[i].scope : "",
			     c->warnings[i].scope != NULL ? ": " : "", c->warnings[i].text);
	if (count_unknown(c) > 0)
		say_list("not judged", c, is_unknown);
	if (note != NULL)
		(void)printf("note: %s\n", note);
}

static void put_warnings(struct json *j, const struct check *c)
{
	json_put_array(json_put_key(j, "warnings"));
	for (uint32_t i = 0; i < c->n_warnings; i++) {
		json_put_object(j);
		json_put_word(json_put_key(j, "code"), c->warnings[i].code);
		json_put_word(json_put_key(j, "scope"), c->warnings[i].scope);
		json_put_word(json_put_key(j, "text"), c->warnings[i].text);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

static void put_scopes(struct json *j, const char *key, const struct check *c,
		       bool (*is_meant)(const struct check *c, const char *scope))
{
	const struct ask_answer *a = &c->answer;

	(void)json_put_key(j, key);
	if (a->told_scopes == 0) {
		json_put_null(j);
		return;
	}
	json_put_array(j);
	for (uint32_t i = 0; i < a->n_scopes; i++)
		if (is_meant(c, a->scopes[i]))
			json_put_word(j, a->scopes[i]);
	json_put_array_end(j);
}

/* Of an introspection. */
static void put_claims(struct json *j, const struct ask_answer *a)
{
	for (unsigned i = 0; i < ASK_CLAIM_COUNT; i++)
		json_put_word(json_put_key(j, ask_claim_word((enum ask_claim)i, false)),
			      a->claims[i][0] != 0 ? a->claims[i] : NULL);
	json_put_array(json_put_key(j, "aud"));
	for (uint32_t i = 0; i < a->n_audiences; i++)
		json_put_word(j, a->audiences[i]);
	json_put_array_end(j);
}

static int say_json(const struct check *c)
{
	const struct ask_answer *a = &c->answer;
	auto_buf out = { .max = 0 };
	struct json j;

	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "name"), c->name);
	json_put_word(json_put_key(&j, "issuer"), issuer_row(c->issuer)->word);
	json_put_word(json_put_key(&j, "asked"), c->url);
	json_put_bool(json_put_key(&j, "valid"), a->state == ASK_VALID);
	put_scopes(&j, "scopes", c, is_any);
	put_scopes(&j, "not_judged", c, is_unknown);
	json_put_word(json_put_key(&j, "expires"), a->expires[0] != 0 ? a->expires : NULL);
	if (c->issuer == ISSUER_OAUTH)
		put_claims(&j, a);
	put_warnings(&j, c);
	json_put_word(json_put_key(&j, "note"), note_of(c));
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	if (!out.failed)
		return cli_write(out.data, out.len);
	(void)fputs("ambit: no memory for the JSON\n", stderr);
	return EXIT_REFUSED;
}

int check_tell(const struct check *c)
{
	const int status = c->json ? say_json(c) : 0;

	if (!c->json)
		say(c);
	return status == 0 && c->n_warnings > 0 ? 1 : status;
}
