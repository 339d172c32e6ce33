#include "cli/secret_check.h"

#include <stdio.h>
#include <string.h>

#include "cli/check.h"
#include "cli/cli.h"
#include "cli/trusted.h"
#include "lib/public.h"
#include "lib/secret.h"

#define HELP "ambit secret --help"

/* KIND[:HOST[:PORT]] */
static int take_issuer(struct check *c, const char *word, struct ambit_error *e)
{
	const size_t n = strcspn(word, ":");
	char kind[16];
	struct err why;
	int r;

	(void)snprintf(kind, sizeof kind, "%.*s", (int)(n < sizeof kind ? n : 0), word);
	if (!issuer_find(kind, &c->issuer) || c->issuer == ISSUER_OAUTH)
		return cli_misused(
			e, HELP,
			"--issuer takes github, gitlab, npm or slack, with :HOST where it is run elsewhere, and not '%s'",
			word);
	c->has_issuer = true;
	c->has_host = word[n] == ':';
	r = c->has_host ? check_take_host(c, word + n + 1, &why) : 0;
	return r < 0 ? public_error(e, r, &why) : 0;
}

static int take_introspect(struct check *c, const char *word, struct ambit_error *e)
{
	struct err why;
	const int r = check_take_endpoint(c, word, &why);

	return r < 0 ? public_error(e, r, &why) : 0;
}

static int take_client(struct check *c, const char *word, struct ambit_error *e)
{
	struct err why;
	const int r = check_take_client(c, word, &why);

	return r < 0 ? public_error(e, r, &why) : 0;
}

static int take_bearer(struct check *c, const char *word, struct ambit_error *e)
{
	struct err why;
	const int r = check_take_bearer(c, word, &why);

	return r < 0 ? public_error(e, r, &why) : 0;
}

static int take_policy(struct check *c, const char *word, struct ambit_error *e)
{
	c->compares = true;
	return trusted_load(c->policy, word, e);
}

static int take_preset(struct check *c, const char *word, struct ambit_error *e)
{
	c->compares = true;
	return ambit_policy_preset(c->policy, word, e);
}

static int take_connect(struct check *c, const char *word, struct ambit_error *e)
{
	c->compares = true;
	return ambit_policy_grant(c->policy, "connect", word, e);
}

static const struct {
	const char *name;
	int (*take)(struct check *c, const char *word, struct ambit_error *e);
} options[] = { { "issuer", take_issuer },  { "introspect", take_introspect }, { "client", take_client },
		{ "bearer", take_bearer },  { "policy", take_policy },         { "preset", take_preset },
		{ "connect", take_connect } };

#define OPTIONS (sizeof options / sizeof options[0])

static int take_option(struct check *c, char ***at, struct ambit_error *e)
{
	const char *names[OPTIONS + 2] = { "help", "json" }, *word = **at;
	const size_t n = strcspn(word, "=");

	for (size_t i = 0; i < OPTIONS; i++) {
		names[2 + i] = options[i].name;
		if (strncmp(word, "--", 2) != 0 || n != strlen(options[i].name) + 2 ||
		    strncmp(word + 2, options[i].name, n - 2) != 0)
			continue;
		if (word[n] == 0 && (*at)[1] == NULL)
			return cli_misused(e, HELP, "%s: which?", word);
		return options[i].take(c, word[n] == '=' ? word + n + 1 : *++*at, e);
	}
	return cli_misused_option(e, HELP, word, names, OPTIONS + 2);
}

static int take_word(struct check *c, char ***at, struct ambit_error *e)
{
	if ((**at)[0] == '-')
		return take_option(c, at, e);
	if (c->name != NULL)
		return cli_misused(e, HELP, "secret check takes one name, and not '%s' too", **at);
	c->name = **at;
	return 0;
}

/* c->json is right in any case. */
static int read_words(struct check *c, char **argv, struct ambit_error *e)
{
	struct err why;
	int r = ambit_policy_new(&c->policy, e);

	for (; *argv != NULL; argv++) {
		if (cli_is_help(*argv))
			c->help = true;
		else if (strcmp(*argv, "--json") == 0)
			c->json = true;
		else if (r == 0)
			r = take_word(c, &argv, e);
	}
	if (r < 0 || c->help)
		return r;
	if (c->name == NULL)
		return cli_misused(e, HELP, "secret check: which? its name");
	if (!c->introspects && (c->client[0] != 0 || c->asking_secret[0] != 0))
		return cli_misused(e, HELP, "--client and --bearer are for --introspect: where is it asked?");
	if (c->introspects && c->has_host)
		return cli_misused(e, HELP,
				   "--introspect names the host: --issuer says beside it whose scopes they are");
	r = secret_name_check(c->name, &why);
	return r < 0 ? public_error(e, r, &why) : 0;
}

static int check(struct check *c, struct ambit_error *e)
{
	struct err why;
	int r = check_find_whom(c, &why);

	r = r < 0 ? public_error(e, r, &why) : check_ask(c, e);
	if (r < 0)
		return r;
	r = check_has_answer(c, &why);
	if (r < 0)
		return public_error(e, r, &why);
	check_judge(c);
	return 0;
}

int secret_check(char **argv, const char *help)
{
	static struct check c;
	struct ambit_error e = { .size = sizeof e };
	int r = read_words(&c, argv, &e);
	int status = 0;

	if (r == 0 && c.help)
		(void)fputs(help, stdout);
	else if (r < 0 || check(&c, &e) < 0)
		status = cli_refuse(c.json, &e);
	else
		status = check_tell(&c);
	ambit_policy_free(c.policy);
	return status;
}
