#include "lib/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/network.h"

static size_t find(const struct environment *env, const char *name, size_t len)
{
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->entries[i], name, len) == 0 && env->entries[i][len] == '=')
			return i;
	return env->n;
}

static int set(struct environment *env, const char *name, size_t len, const char *value, struct err *e)
{
	const size_t at = find(env, name, len);
	char *entry = NULL;

	if (at >= CELL_ARGS_MAX - 1 || asprintf(&entry, "%.*s=%s", (int)len, name, value) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no room for the environment");
	free(env->entries[at]);
	env->entries[at] = entry;
	if (at == env->n)
		env->n++;
	return 0;
}

static const char *value_in(char *const *from, const char *name)
{
	const size_t n = strlen(name);

	for (; from != NULL && *from != NULL; from++)
		if (strncmp(*from, name, n) == 0 && (*from)[n] == '=')
			return *from + n + 1;
	return from == NULL ? getenv(name) : NULL;
}

/* `NAME` passes the caller's value on, if there is one; `NAME=value` is that value. */
static int set_granted(struct environment *env, char *const *from, const char *object, struct err *e)
{
	const char *equals = strchr(object, '=');
	const char *value = equals != NULL ? equals + 1 : value_in(from, object);

	if (value == NULL)
		return 0;
	return set(env, object, equals != NULL ? (size_t)(equals - object) : strlen(object), value, e);
}

/* A terminal's name is letters, digits and few signs; anything else is not one. */
static const char *terminal_name(char *const *from)
{
	const char *term = value_in(from, "TERM");

	if (term == NULL || term[0] == 0 || strlen(term) > 64 ||
	    strspn(term, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._") != strlen(term))
		return "dumb";
	return term;
}

static int set_trust(struct environment *env, struct err *e)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
#define VARIABLE(name, file) { name, file },
#include "cell/trust.def"
#undef VARIABLE
	};
	int r = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && r == 0; i++)
		r = set(env, rows[i].name, strlen(rows[i].name), rows[i].value, e);
	return r;
}

int environment_make(const struct event_request *q, char *const *from, bool terminal, bool trusting,
		     struct environment *ret, struct err *e)
{
	const struct {
		const char *name, *value;
	} own[] = {
		{ "PATH", CELL_PATH_DEFAULT }, { "HOME", q->home },   { "USER", q->user },  { "LOGNAME", q->user },
		{ "SHELL", "/bin/sh" },        { "LANG", "C.UTF-8" }, { "TMPDIR", "/tmp" }, { "AMBIT", "cell" },
	};
	int r = 0;

	memset(ret, 0, sizeof *ret);
	for (size_t i = 0; i < sizeof own / sizeof own[0] && r == 0; i++)
		r = set(ret, own[i].name, strlen(own[i].name), own[i].value, e);
	if (r == 0 && terminal)
		r = set(ret, "TERM", 4, terminal_name(from), e);
	if (r == 0 && network_wants_agent(&q->grants))
		r = set(ret, "SSH_AUTH_SOCK", strlen("SSH_AUTH_SOCK"), CELL_AGENT, e);
	if (r == 0 && trusting)
		r = set_trust(ret, e);
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++)
		if (q->grants.grants[i].verb == VERB_ENV)
			r = set_granted(ret, from, grant_object(&q->grants, i), e);
	return r;
}

void environment_finish(struct environment *env)
{
	for (size_t i = 0; i < env->n; i++)
		free(env->entries[i]);
	env->n = 0;
}

const char *environment_get(const struct environment *env, const char *name)
{
	const size_t len = strlen(name), at = find(env, name, len);

	return at < env->n ? env->entries[at] + len + 1 : NULL;
}
