#include "cli/secret_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask/issuer.h"
#include "ask/link.h"
#include "ask/scopes.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "cli/trusted.h"
#include "core/endpoint.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/policy_handle.h"
#include "lib/public.h"
#include "lib/secret.h"

#define HELP "ambit secret --help"
#define JSON_MAX (64u << 10)
#ifdef AMBIT_SANITIZED /* shadow memory is reserved by the terabyte, which RLIMIT_DATA counts where no cgroup holds the limit */
#define LIMITS "wall=60s,tasks=4,output=64K,memory=none"
#else
#define LIMITS "wall=60s,tasks=4,output=64K"
#endif
#define WARNINGS_MAX (ASK_SCOPES_MAX + 4)

struct check {
	const char *name;            /* NULL: not named */
	struct ambit_policy *policy; /* owned: whose grants are held against it */
	bool compares, json, help;
	bool has_issuer, has_host; /* named */
	bool is_there;             /* the secret */
	enum issuer issuer;
	struct endpoint at;
	char host[HOST_NAME_MAX_LEN + 1]; /* of it, without brackets */
	char url[HOST_NAME_MAX_LEN + 64];
	struct secret_hosts bound;
	struct ask_answer answer;
	uint32_t n_warnings;
	struct warning {
		const char *code, *scope; /* scope: borrowed of the answer; NULL: it is of none */
		char text[256];
	} warnings[WARNINGS_MAX];
};

/* ---- words ---- */

/* KIND[:HOST[:PORT]] */
static int take_issuer(struct check *c, const char *word, struct ambit_error *e)
{
	const size_t n = strcspn(word, ":");
	char kind[16], place[ENDPOINT_TEXT_MAX];

	(void)snprintf(kind, sizeof kind, "%.*s", (int)(n < sizeof kind ? n : 0), word);
	if (!issuer_find(kind, &c->issuer))
		return cli_misused(
			e, HELP,
			"--issuer takes github, gitlab, npm or slack, with :HOST where it is run elsewhere, and not '%s'",
			word);
	c->has_issuer = true;
	c->has_host = word[n] == ':';
	if (!c->has_host)
		return 0;
	(void)snprintf(place, sizeof place, "%s:443", word + n + 1);
	if ((endpoint_take(word + n + 1, &c->at, NULL) < 0 && endpoint_take(place, &c->at, NULL) < 0) ||
	    (c->at.kind != ENDPOINT_NAME && (c->at.kind != ENDPOINT_RANGE || endpoint_is_wide(&c->at))))
		return cli_misused(e, HELP, "--issuer takes one host, and not '%s'", word + n + 1);
	return 0;
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
} options[] = {
	{ "issuer", take_issuer }, { "policy", take_policy }, { "preset", take_preset }, { "connect", take_connect }
};

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
	r = secret_name_check(c->name, &why);
	return r < 0 ? public_error(e, r, &why) : 0;
}

/* ---- whom to ask ---- */

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
static bool uses_it(const struct check *c, const struct policy_line *line, struct terms *ret)
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
		if (uses_it(c, &c->policy->policy.lines[i], &t) &&
		    endpoint_take(c->policy->policy.lines[i].object, &at, NULL) == 0 && strcmp(at.name.text, host) == 0)
			return true;
	return false;
}

/* By where it is sent: a credential says of itself who made it, and is not looked at. */
static int find_issuer(struct check *c, struct err *e)
{
	for (unsigned pass = 0; pass < 2 && !c->has_issuer; pass++)
		for (unsigned i = 0; i < ISSUER_COUNT && !c->has_issuer; i++) {
			const char *host = issuer_row((enum issuer)i)->host;

			c->issuer = (enum issuer)i;
			c->has_issuer = pass == 0 ? c->bound.n > 0 && secret_hosts_mean(&c->bound, host)
						  : is_granted_at(c, host);
		}
	return c->has_issuer
		       ? 0
		       : err_set(e, AMBIT_USAGE,
				 "name it: --issuer github, gitlab, npm or slack, as --issuer gitlab:git.example.com where it is run elsewhere",
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

	if (!c->has_host) {
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
	(void)snprintf(c->url, sizeof c->url, "https://%s%s", text, issuer_path(c->issuer, c->host)); /* fits */
	return 0;
}

static int find_whom(struct check *c, struct err *e)
{
	int r = secret_list(take_row, c, e);

	if (r == 0 && !c->is_there)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit secret list` says which there are", "you have no secret %s",
			       c->name);
	r = r < 0 ? r : find_issuer(c, e);
	return r < 0 ? r : find_host(c, e);
}

/* ---- asking ---- */

/* Where the program lies: it is run in a cell as one of the person's would be. */
static int find_program(char ret[PATH_MAX], struct err *e)
{
	char link[64];
	auto_fd int fd = -1;
	ssize_t n;
	int r = helper_open("ambit-ask", &fd, e);

	if (r < 0)
		return r;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	ret[n > 0 ? n : 0] = 0;
	return n > 0 ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot find ambit-ask");
}

/* One request, once. */
static int grant(const struct check *c, struct ambit_policy *p, struct ambit_error *e)
{
	char text[ENDPOINT_TEXT_MAX + 256], at[ENDPOINT_TEXT_MAX];
	int r;

	endpoint_put(&c->at, at);
	(void)snprintf(text, sizeof text, "%s uses=1 http='%s %s' secret='%s'", at, issuer_row(c->issuer)->method,
		       issuer_path(c->issuer, c->host), c->name); /* fits */
	r = ambit_policy_grant(p, "connect", text, e);
	return r < 0 ? r : ambit_policy_limit(p, LIMITS, e);
}

static int take_answer(struct check *c, const struct event_result *result, struct err *e)
{
	if (result->cause == CAUSE_REFUSED) {
		*e = result->error;
		return -(int)e->code;
	}
	if (result->cause != CAUSE_EXITED || result->exit_status != 0 ||
	    !ask_answer_take(result->out.data, result->out.len, &c->answer))
		return err_set(e, AMBIT_PROTOCOL, "`ambit explain last` tells more, where events are recorded",
			       "ambit-ask did not survive what %s sent", c->url);
	return 0;
}

static int run(struct check *c, const struct ambit_policy *p, char *program, struct ambit_error *e)
{
	char port[8];
	char *argv[] = { program, (char *)(uintptr_t)issuer_row(c->issuer)->word /* only copied */, c->host, port,
			 NULL };
	const struct ambit_event_options o = { .size = sizeof o,
					       .argv = argv,
					       .workspace = "/",
#ifndef AMBIT_SANITIZED /* a sanitized role is not static */
					       .base = "minimal",
#endif
					       .observe = "off",
					       .stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_CAPTURE,
							   AMBIT_STREAM_NULL } };
	struct ambit_event *ev = NULL;
	struct err why = { .code = AMBIT_OK };
	int r;

	(void)snprintf(port, sizeof port, "%u", c->at.port);
	r = ambit_event_start(p, &o, &ev, e);
	r = r < 0 ? r : ambit_event_wait(ev, e);
	if (r >= 0) {
		session_tell_key(ev);
		r = take_answer(c, event_result(ev), &why);
		r = r < 0 ? public_error(e, r, &why) : 0;
	}
	ambit_event_free(ev);
	return r;
}

static int ask(struct check *c, struct ambit_error *e)
{
	char program[PATH_MAX];
	struct ambit_policy *p = NULL;
	struct err why;
	int r = find_program(program, &why);

	r = r < 0 ? public_error(e, r, &why) : ambit_policy_new(&p, e);
	r = r < 0 ? r : grant(c, p, e);
	r = r < 0 ? r : run(c, p, program, e);
	ambit_policy_free(p);
	return r;
}

/* That there was no answer, or one that says nothing. */
static int check_answer(const struct check *c, struct err *e)
{
	const struct ask_answer *a = &c->answer;

	if (a->outcome != ASK_ANSWERED)
		return err_why(e,
			       err_set(e, a->outcome == ASK_NO_HTTP ? AMBIT_PROTOCOL : AMBIT_GONE,
				       "is there a network? `ambit explain last` tells more, where events are recorded",
				       "%s could not be asked: %s", c->url, ask_outcome_text(a)),
			       "what %s may do is not known", c->name);
	if (a->state == ASK_UNCLEAR)
		return err_set(e, AMBIT_PROTOCOL,
			       a->status == 502 ? "Ambit says so, too, where the host did not prove to be itself"
						: "is this the issuer? name it: --issuer KIND:HOST",
			       "%s answered with HTTP %u, and nothing that tells what %s may do", c->url, a->status,
			       c->name);
	return 0;
}

/* ---- holding it against the grants ---- */

static void warn(struct check *c, const char *code, const char *scope, const char *text)
{
	struct warning *w = &c->warnings[c->n_warnings];

	if (c->n_warnings == WARNINGS_MAX) /* it cannot: each scope has one, and there are four others */
		return;
	*w = (struct warning){ .code = code, .scope = scope };
	(void)snprintf(w->text, sizeof w->text, "%s", text);
	c->n_warnings++;
}

/* Of all grants that use it; UNUSED where none does. */
static enum scope_use use_of(const struct check *c, const char *scope)
{
	static struct terms t;
	enum scope_use use = scope_use_of(c->issuer, scope, &(const struct terms){ .n_rules = 0 }) == SCOPE_UNKNOWN
				     ? SCOPE_UNKNOWN
				     : SCOPE_UNUSED;

	for (uint32_t i = 0; i < c->policy->policy.n_lines && use != SCOPE_UNKNOWN && use != SCOPE_USED; i++)
		if (uses_it(c, &c->policy->policy.lines[i], &t)) {
			const enum scope_use one = scope_use_of(c->issuer, scope, &t);

			use = one == SCOPE_UNUSED ? use : one;
		}
	return use;
}

static void compare(struct check *c)
{
	for (uint32_t i = 0; i < c->answer.n_scopes; i++) {
		const char *scope = c->answer.scopes[i];

		switch (use_of(c, scope)) {
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
		if (uses_it(c, &c->policy->policy.lines[i], &t))
			return true;
	return false;
}

static void judge(struct check *c)
{
	const struct issuer_row *row = issuer_row(c->issuer);

	if (c->answer.state == ASK_REFUSED) {
		warn(c, "refused", NULL, "the issuer refuses it: it is revoked or expired, or none of this issuer's");
		return;
	}
	if (row->tells_expiry && c->answer.expires[0] == 0)
		warn(c, "no-expiry", NULL,
		     "it never expires, as far as the issuer says: whoever has it once has it for good");
	if (c->answer.left_out > 0)
		warn(c, "left-out", NULL,
		     "some of what the issuer gave as scopes can be none, or was too much, and is left out");
	if (c->compares && !is_used(c))
		warn(c, "no-grant", NULL, "no grant there uses it");
	else if (c->compares)
		compare(c);
}

/* ---- telling ---- */

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
		if (use_of(c, c->answer.scopes[i]) == SCOPE_UNKNOWN)
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

static int tell(const struct check *c)
{
	const int status = c->json ? say_json(c) : 0;

	if (!c->json)
		say(c);
	return status == 0 && c->n_warnings > 0 ? 1 : status;
}

static int check(struct check *c, struct ambit_error *e)
{
	struct err why;
	int r = find_whom(c, &why);

	r = r < 0 ? public_error(e, r, &why) : ask(c, e);
	if (r < 0)
		return r;
	r = check_answer(c, &why);
	if (r < 0)
		return public_error(e, r, &why);
	judge(c);
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
		status = tell(&c);
	ambit_policy_free(c.policy);
	return status;
}
