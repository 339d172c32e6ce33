#include <stdio.h>

#include "base/json.h"
#include "cli/check.h"
#include "cli/cli.h"

#define JSON_MAX (64u << 10)

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
	for (uint32_t i = 0; c->compares && i < c->answer.n_scopes; i++)
		if (check_use_of(c, c->answer.scopes[i]) == SCOPE_UNKNOWN)
			return "not all of its scopes are known here: those were not held against the grants";
	return c->compares
		       ? NULL
		       : "it was held against no grants: name those that use it, by --policy, --preset or --connect";
}

static void say(const struct check *c)
{
	const struct ask_answer *a = &c->answer;
	const char *note = note_of(c);

	(void)printf("%s: %s, says %s (%s)\n", c->name, a->state == ASK_VALID ? "valid" : "refused",
		     issuer_row(c->issuer)->name, c->url);
	if (a->told_scopes != 0) {
		(void)printf("scopes: %s", a->n_scopes == 0 ? "none" : "");
		for (uint32_t i = 0; i < a->n_scopes; i++)
			(void)printf("%s%s", i == 0 ? "" : ", ", a->scopes[i]);
		(void)printf("\n");
	}
	if (a->expires[0] != 0)
		(void)printf("expires: %s\n", a->expires);
	for (uint32_t i = 0; i < c->n_warnings; i++)
		(void)printf("warning: %s%s%s\n", c->warnings[i].scope != NULL ? c->warnings[i].scope : "",
			     c->warnings[i].scope != NULL ? ": " : "", c->warnings[i].text);
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

static void put_scopes(struct json *j, const struct ask_answer *a)
{
	(void)json_put_key(j, "scopes");
	if (a->told_scopes == 0) {
		json_put_null(j);
		return;
	}
	json_put_array(j);
	for (uint32_t i = 0; i < a->n_scopes; i++)
		json_put_word(j, a->scopes[i]);
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
	put_scopes(&j, a);
	json_put_word(json_put_key(&j, "expires"), a->expires[0] != 0 ? a->expires : NULL);
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
