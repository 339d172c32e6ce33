#include "ask/issuer.h"

#include <string.h>

/* GitHub: X-OAuth-Scopes and GitHub-Authentication-Token-Expiration of any answer; of a server of one's own the API lies below /api/v3. GitLab: tokens that
 * a person made may ask for themselves, whatever their scopes. npm tells whose a token is, and of tokens only what cannot be matched with this one. Slack:
 * X-OAuth-Scopes, and in the body whether it is one. OAuth: the token stands in a form, where ambit-http puts it. */
static const struct issuer_row rows[] = {
	[ISSUER_GITHUB] = { "github", "GitHub", "api.github.com", "GET", "/user", "/api/v3/user", true, true },
	[ISSUER_GITLAB] = { "gitlab", "GitLab", "gitlab.com", "GET", "/api/v4/personal_access_tokens/self",
			    "/api/v4/personal_access_tokens/self", true, true },
	[ISSUER_NPM] = { "npm", "npm", "registry.npmjs.org", "GET", "/-/whoami", "/-/whoami", false, false },
	[ISSUER_SLACK] = { "slack", "Slack", "slack.com", "POST", "/api/auth.test", "/api/auth.test", true, false },
	[ISSUER_OAUTH] = { "oauth", "its issuer", "", "POST", "", "", true, true },
};

const struct issuer_row *issuer_row(enum issuer which)
{
	return &rows[which];
}

bool issuer_find(const char *word, enum issuer *ret)
{
	for (unsigned i = 0; i < ISSUER_COUNT; i++)
		if (strcmp(rows[i].word, word) == 0) {
			*ret = (enum issuer)i;
			return true;
		}
	return false;
}

const char *issuer_path(enum issuer which, const char *host)
{
	return strcmp(host, rows[which].host) == 0 ? rows[which].path : rows[which].path_elsewhere;
}
