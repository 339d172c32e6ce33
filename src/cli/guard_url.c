#include "cli/guard_url.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "lib/helper.h"
#include "lib/public.h"

#define HELP "ambit guard --help"
#ifdef AMBIT_SANITIZED /* shadow memory is reserved by the terabyte, which RLIMIT_DATA counts where no cgroup holds the limit */
#define LIMITS "tasks=4,memory=none"
#else
#define LIMITS "tasks=4,memory=512M"
#endif

/* Its process is ours, and can have nothing but that one address. */
static int refuse_grants(const struct run_options *o, struct ambit_error *e)
{
	const struct policy *p = &o->policy->policy;

	for (uint32_t i = 0; i < p->n_lines; i++)
		if (p->lines[i].verb != VERB_TOOL && policy_means(p, &p->lines[i]))
			return cli_misused(
				e, HELP,
				"a server that is reached by --url has no process here that could be granted something: %s",
				verb_word(p->lines[i].verb));
	if (o->event.base != NULL || o->event.observe != NULL || o->event.without != NULL || o->event.changes != 0)
		return cli_misused(
			e, HELP,
			"--base, --observe, --without, --stage and --discard are for a command, and not for --url");
	return 0;
}

/* The one path, however it is asked for. */
static int grant(const struct guard_url *u, const char *secret, struct ambit_error *e)
{
	char at[ENDPOINT_TEXT_MAX], path[3 * HTTP_PATTERN_MAX], text[TERMS_TEXT_MAX];
	int n;

	endpoint_put(&u->url.at, at);
	if (!http_pattern_put(u->url.path, path, sizeof path))
		return cli_misused(e, HELP, "--url: its path cannot be granted");
	n = snprintf(text, sizeof text, "%s http='POST %s, GET %s, DELETE %s'%s%s%s", at, path, path, path,
		     secret != NULL ? " secret='" : "", secret != NULL ? secret : "", secret != NULL ? "'" : "");
	if (n < 0 || (size_t)n >= sizeof text)
		return cli_misused(e, HELP, "--url: its path is too long");
	return ambit_policy_grant(u->policy, "connect", text, e);
}

static int make_policy(struct guard_url *u, const struct run_options *o, struct ambit_error *e)
{
	const char *agent = o->policy->policy.agent;
	struct err why;
	int r = ambit_policy_new(&u->policy, e);

	r = r < 0 ? r : grant(u, o->secret, e);
	r = r < 0 ? r : ambit_policy_limit(u->policy, LIMITS, e);
	r = r < 0 || o->limits[0] == 0 ? r : ambit_policy_limit(u->policy, o->limits, e);
	if (r == 0 && agent[0] != 0 && policy_set_agent(&u->policy->policy, agent, &why) < 0)
		return public_error(e, -(int)why.code, &why);
	return r;
}

int guard_url_open(struct guard_url *u, const struct run_options *o, struct ambit_error *e)
{
	struct err why;
	int r = url_take(o->url, &u->url, &why);

	if (r < 0)
		return public_error(e, r, &why);
	if (o->secret != NULL && !u->url.tls)
		return cli_misused(e, HELP, "--secret is sent under TLS only, and %s is without", o->url);
	r = refuse_grants(o, e);
	r = r < 0 ? r : make_policy(u, o, e);
	if (r < 0)
		return r;
	r = helper_path("ambit-bridge", u->program, &why);
	if (r < 0)
		return public_error(e, r, &why);
	url_put(&u->url, u->text);
	u->argv[0] = u->program;
	u->argv[1] = u->text;
	return 0;
}

void guard_url_close(struct guard_url *u)
{
	ambit_policy_free(u->policy);
	u->policy = NULL;
}

void guard_url_fill(struct guard_url *u, struct ambit_event_options *o)
{
	o->argv = u->argv;
	o->workspace = "/";
	o->observe = "off";
	o->changes = 0;
#ifndef AMBIT_SANITIZED /* a sanitized role is not static */
	o->base = "minimal";
#endif
}

bool guard_url_name(const char *text, char *ret, size_t size)
{
	static const char *const common[] = { "mcp", "www", "api" };
	const char *at;
	struct url u;
	struct err e;
	size_t n;

	if (url_take(text, &u, &e) < 0 || u.at.kind != ENDPOINT_NAME)
		return false;
	at = u.host;
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		if (strncmp(at, common[i], strlen(common[i])) == 0 && at[strlen(common[i])] == '.' &&
		    strchr(at + strlen(common[i]) + 1, '.') != NULL)
			at += strlen(common[i]) + 1;
	n = strcspn(at, ".");
	return (size_t)snprintf(ret, size, "%.*s", (int)n, at) < size;
}
