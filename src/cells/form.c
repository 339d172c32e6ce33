#include "cells/form.h"

#include <stdlib.h>
#include <string.h>

#include "lib/launch.h"
#include "lib/policy_handle.h"

static int take_error(int r, const struct ambit_error *from, struct err *e)
{
	if (r >= 0)
		return r;
	return err_why(
		e, err_set(e, (enum ambit_code)from->code, from->hint[0] != 0 ? from->hint : NULL, "%s", from->message),
		"%s", from->why);
}

int form_init(struct form *f, uint32_t number, struct err *e)
{
	struct ambit_error error = { .size = sizeof error };

	*f = (struct form){ .there = true, .number = number };
	return take_error(ambit_policy_new(&f->policy, &error), &error, e);
}

void form_finish(struct form *f)
{
	ambit_policy_free(f->policy);
	for (size_t i = 0; i < sizeof f->arguments / sizeof f->arguments[0]; i++)
		free(f->arguments[i]);
	free(f->workspace);
	free(f->ledger);
	free(f->observe);
	*f = (struct form){ .there = false };
}

static int keep(char **to, const char *text, struct err *e)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a form");
	free(*to);
	*to = copy;
	return 0;
}

static int grant(struct form *f, const char *text, struct err *e)
{
	struct ambit_error error = { .size = sizeof error };
	char verb[16];
	const size_t n = strcspn(text, " ");

	if (n == 0 || n >= sizeof verb)
		return err_set(e, AMBIT_MALFORMED, "a verb and what is granted: `read /srv/data`",
			       "'%.64s' is no grant", text);
	memcpy(verb, text, n);
	verb[n] = 0;
	f->granted = true;
	return take_error(ambit_policy_grant(f->policy, verb, text[n] == ' ' ? text + n + 1 : "", &error), &error, e);
}

static int bound(const struct form *f, const char *text, struct err *e)
{
	struct ambit_error error = { .size = sizeof error };

	return take_error(ambit_policy_limit(f->policy, text, &error), &error, e);
}

static int add_argument(struct form *f, const char *text, struct err *e)
{
	if (f->n_arguments == FORM_ARGUMENTS_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "a form has %d arguments at most", FORM_ARGUMENTS_MAX);
	return keep(&f->arguments[++f->n_arguments], text, e);
}

static int ledger(struct form *f, const char *text, struct err *e)
{
	f->recorded = true;
	return strcmp(text, "own") == 0 ? 0 : keep(&f->ledger, text, e);
}

static int agent(struct form *f, const char *text, struct err *e)
{
	return policy_set_agent(&f->policy->policy, text, e);
}

static int complete(struct form *f, struct err *e)
{
	if (f->arguments[0] == NULL)
		return err_set(e, AMBIT_USAGE, NULL, "the form has no program");
	f->whole = true;
	return 0;
}

int form_take(struct form *f, const struct said *s, struct err *e)
{
	switch (s->word) {
	case SAID_PROGRAM: return keep(&f->arguments[0], s->text, e);
	case SAID_ARGUMENT: return add_argument(f, s->text, e);
	case SAID_GRANT: return grant(f, s->text, e);
	case SAID_LIMIT: return bound(f, s->text, e);
	case SAID_WORKSPACE: return keep(&f->workspace, s->text, e);
	case SAID_AGENT: return agent(f, s->text, e);
	case SAID_LEDGER: return ledger(f, s->text, e);
	case SAID_OBSERVE: return keep(&f->observe, s->text, e);
	case SAID_READY: stock_init(&f->stock, s->number[0]); return 0;
	case SAID_DONE: return complete(f, e);
	case SAID_FORM:
	case SAID_TAKE:
	case SAID_OPENED:
	case SAID_ARM:
	case SAID_DROP:
	case SAID_WHY:
	case SAID_FREE:
	case SAID_WORDS: break;
	}
	return err_set(e, AMBIT_PROTOCOL, NULL, "a form ends with `done`");
}

int form_launch(const struct form *f, struct libraries *known, const int fd[3], struct ambit_event **ret, struct err *e)
{
	struct ambit_error error = { .size = sizeof error };
	struct ambit_event_options o = { .size = sizeof o,
					 .argv = (char *const *)f->arguments,
					 .workspace = f->workspace != NULL ? f->workspace : "/",
					 .base = "minimal",
					 .observe = f->observe != NULL ? f->observe
						    : f->granted       ? "effects"
								       : "off",
					 .changes = AMBIT_CHANGES_DIRECT,
					 .ledger = f->ledger,
					 .unrecorded = f->recorded ? 0 : 1 };

	memcpy(o.stream_fd, fd, sizeof o.stream_fd);
	return take_error(launch_lent(f->policy, &o, known, ret, &error), &error, e);
}
