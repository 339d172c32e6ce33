#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/check.h"
#include "lib/secret.h"

static int take_row(void *arg, const struct secret_row *row)
{
	struct check *c = arg;

	if (strcmp(row->name, c->name) == 0) {
		c->bound = row->hosts;
		c->is_there = true;
	}
	return 0;
}

/* Terms of a grant in the policy that use it; false: of another. */
bool check_uses_it(const struct check *c, const struct policy_line *line, struct terms *ret)
{
	*ret = (struct terms){ .credentials = 0 };
	if (line->verb != VERB_CONNECT || terms_take(policy_terms(&c->policy->policy, line), ret, NULL) < 0)
		return false;
	for (uint32_t i = 0; i < ret->n_secrets; i++)
		if (strcmp(ret->secrets[i].name, c->name) == 0)
			return true;
	return false;
}

static bool is_granted_at(const struct check *c, const char *host)
{
	static struct terms t;
	struct endpoint at;

	for (uint32_t i = 0; i < c->policy->policy.n_lines; i++)
		if (check_uses_it(c, &c->policy->policy.lines[i], &t) &&
		    endpoint_take(c->policy->policy.lines[i].object, &at, NULL) == 0 && strcmp(at.name.text, host) == 0)
			return true;
	return false;
}

/* Whose own host this is, if it is one's. */
static enum issuer issuer_at(const char *host)
{
	unsigned i = 0;

	while (i < ISSUER_OAUTH && strcmp(issuer_row((enum issuer)i)->host, host) != 0)
		i++;
	return (enum issuer)i;
}

/* By where it is sent: a credential says of itself who made it, and is not looked at. */
static int find_issuer(struct check *c, struct err *e)
{
	if (c->introspects) {
		c->scopes_of = c->has_issuer ? c->issuer : issuer_at(c->at.name.text);
		c->issuer = ISSUER_OAUTH;
		return 0;
	}
	for (unsigned pass = 0; pass < 2 && !c->has_issuer; pass++)
		for (unsigned i = 0; i < ISSUER_OAUTH && !c->has_issuer; i++) {
			const char *host = issuer_row((enum issuer)i)->host;

			c->issuer = (enum issuer)i;
			c->has_issuer = pass == 0 ? c->bound.n > 0 && secret_hosts_mean(&c->bound, host)
						  : is_granted_at(c, host);
		}
	c->scopes_of = c->issuer;
	return c->has_issuer
		       ? 0
		       : err_set(e, AMBIT_USAGE,
				 "name it: --issuer github, gitlab, npm or slack, as --issuer gitlab:git.example.com where it is run elsewhere; or --introspect URL",
				 "who issued %s is not known from the hosts that it is for", c->name);
}

/* A host of one's own that it is bound to, and nothing else. */
static bool is_elsewhere(const struct check *c, const char *own)
{
	const char *only = c->bound.list[0];
	const size_t n = strlen(own), m = strlen(only);

	return c->bound.n == 1 && only[0] != '*' && !secret_hosts_mean(&c->bound, own) &&
	       !(m < n && own[n - m - 1] == '.' && strcmp(own + n - m, only) == 0);
}

static int find_host(struct check *c, struct err *e)
{
	const char *own = issuer_row(c->issuer)->host;
	char text[ENDPOINT_TEXT_MAX];
	int r = 0;

	if (!c->has_host && !c->introspects) {
		const char *host = is_elsewhere(c, own) ? c->bound.list[0] : own;

		(void)snprintf(text, sizeof text, strchr(host, ':') != NULL ? "[%s]:443" : "%s:443", host); /* fits */
		r = endpoint_take(text, &c->at, e);
	}
	if (r < 0)
		return r;
	if (c->at.kind == ENDPOINT_NAME)
		(void)text_copy(c->host, sizeof c->host, c->at.name.text); /* as long */
	else
		address_put(&c->at.range.base, c->host);
	endpoint_put(&c->at, text);
	if (c->at.port == 443)
		text[strlen(text) - strlen(":443")] = 0;
	if (!c->introspects)
		(void)text_copy(c->path, sizeof c->path, issuer_path(c->issuer, c->host)); /* fits */
	(void)snprintf(c->url, sizeof c->url, "https://%s%s", text, c->path);              /* fits */
	return 0;
}

int check_find_whom(struct check *c, struct err *e)
{
	int r = secret_list(take_row, c, e);

	if (r == 0 && !c->is_there)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit secret list` says which there are", "you have no secret %s",
			       c->name);
	r = r < 0 ? r : find_issuer(c, e);
	return r < 0 ? r : find_host(c, e);
}
