#include <stdio.h>

#include "cli/check.h"

static void warn(struct check *c, const char *code, const char *scope, const char *text)
{
	struct warning *w = &c->warnings[c->n_warnings];

	if (c->n_warnings == CHECK_WARNINGS_MAX) /* it cannot: each scope has one, and there are four others */
		return;
	*w = (struct warning){ .code = code, .scope = scope };
	(void)snprintf(w->text, sizeof w->text, "%s", text);
	c->n_warnings++;
}

enum scope_use check_use_of(const struct check *c, const char *scope)
{
	static struct terms t;
	enum scope_use use = scope_use_of(c->scopes_of, scope, &(const struct terms){ .n_rules = 0 }) == SCOPE_UNKNOWN
				     ? SCOPE_UNKNOWN
				     : SCOPE_UNUSED;

	for (uint32_t i = 0; i < c->policy->policy.n_lines && use != SCOPE_UNKNOWN && use != SCOPE_USED; i++)
		if (check_uses_it(c, &c->policy->policy.lines[i], &t)) {
			const enum scope_use one = scope_use_of(c->scopes_of, scope, &t);

			use = one == SCOPE_UNUSED ? use : one;
		}
	return use;
}

static void compare(struct check *c)
{
	for (uint32_t i = 0; i < c->answer.n_scopes; i++) {
		const char *scope = c->answer.scopes[i];

		switch (check_use_of(c, scope)) {
		case SCOPE_UNUSED: warn(c, "unused", scope, "no request that is granted with it needs this"); break;
		case SCOPE_ONLY_READ: warn(c, "writes", scope, "it can change what grants with it only read"); break;
		case SCOPE_USED:
		case SCOPE_UNKNOWN: break; /* who reads on is told what was not compared */
		}
	}
}

static bool is_used(const struct check *c)
{
	static struct terms t;

	for (uint32_t i = 0; i < c->policy->policy.n_lines; i++)
		if (check_uses_it(c, &c->policy->policy.lines[i], &t))
			return true;
	return false;
}

void check_judge(struct check *c)
{
	const struct issuer_row *row = issuer_row(c->issuer);

	if (c->answer.state == ASK_REFUSED) {
		warn(c, c->issuer == ISSUER_OAUTH ? "inactive" : "refused", NULL,
		     c->issuer == ISSUER_OAUTH
			     ? "it is expired or revoked, none of this issuer's, or none that who asked may know of"
			     : "the issuer refuses it: it is revoked or expired, or none of this issuer's");
		return;
	}
	if (row->tells_expiry && c->answer.expires[0] == 0)
		warn(c, "no-expiry", NULL,
		     c->issuer == ISSUER_OAUTH
			     ? "the issuer does not say when it expires: whoever has it may have it for good"
			     : "it never expires, as far as the issuer says: whoever has it once has it for good");
	if (c->answer.left_out > 0)
		warn(c, "left-out", NULL,
		     "some of what the issuer gave as scopes can be none, or was too much, and is left out");
	if (c->compares && !is_used(c))
		warn(c, "no-grant", NULL, "no grant there uses it");
	else if (c->compares)
		compare(c);
}
