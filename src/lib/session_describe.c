#include "lib/session_describe.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "lib/policy_handle.h"

int session_options_take(void *own, size_t own_size, size_t least, const void *given, const char *what, struct err *e)
{
	size_t size;

	memcpy(&size, given, sizeof size); /* their first field */
	memset(own, 0, own_size);
	if (size < least || size > own_size)
		return err_set(e, AMBIT_USAGE, "set size to the sizeof of that struct", "a struct %s of another ABI",
			       what);
	memcpy(own, given, size);
	return 0;
}

static int too_long(const char *what, size_t most, struct err *e)
{
	return err_set(e, AMBIT_LIMIT, NULL, "%s has %zu bytes at most", what, most);
}

/* ---- a session ---- */

/* The value in a list of "NAME=value", the whole text; NULL: none. */
static const char *find(char *const *from, const char *name)
{
	const size_t n = strlen(name);

	for (; *from != NULL; from++)
		if (strncmp(*from, name, n) == 0 && (*from)[n] == '=')
			return *from;
	return NULL;
}

/* What `env NAME` grants pass on; false: no memory, and some of it is there. */
static bool take_values(const struct policy *p, char *const *from, struct description *ret)
{
	size_t n = 0;

	ret->env = calloc((size_t)p->n_lines + 1, sizeof *ret->env);
	for (uint32_t i = 0; ret->env != NULL && i < p->n_lines; i++) {
		const char *name = p->lines[i].object;
		const bool is_passed = p->lines[i].verb == VERB_ENV && policy_means(p, &p->lines[i]);
		const char *text = is_passed && strchr(name, '=') == NULL ? find(from, name) : NULL;

		if (text != NULL && (ret->env[n++] = strdup(text)) == NULL)
			return false;
	}
	return ret->env != NULL;
}

static int set_words(const struct ambit_session_options *o, struct description *d, struct err *e)
{
	const struct {
		const char *name, *word;
		char *to;
		size_t size;
	} words[] = { { "the name of a base", o->base, d->base, sizeof d->base },
		      { "the name of a level", o->observe, d->observe, sizeof d->observe },
		      { "a list of properties", o->without, d->without, sizeof d->without },
		      { "a key", o->key, d->key, sizeof d->key } };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].word != NULL && !text_copy(words[i].to, words[i].size, words[i].word))
			return too_long(words[i].name, words[i].size - 1, e);
	return 0;
}

int session_describe(const struct ambit_policy *p, const struct ambit_session_options *o, struct buf *policy,
		     struct description *ret, struct err *e)
{
	const char *workspace = o->workspace != NULL ? o->workspace : ".";
	char real[PATH_MAX];

	if (realpath(workspace, real) == NULL)
		return err_sys(e, AMBIT_USAGE, errno, "name a directory that is there with --workspace",
			       "cannot use the workspace %s", workspace);
	if (!text_copy(ret->workspace, sizeof ret->workspace, real))
		return err_set(e, AMBIT_LIMIT, NULL, "the workspace's path is too long");
	if ((o->changes & AMBIT_CHANGES_BESIDE) != 0)
		return err_set(e, AMBIT_USAGE, "run what is to be beside others in the background",
			       "all events of a session beside each other");
	ret->changes = o->changes;
	ret->events_max = o->events_max;
	ret->wall_ms_max = o->wall_ms_max;
	ret->cpu_ms_max = o->cpu_ms_max;
	ret->keep_ms = o->keep_ms;
	ret->keep_bytes = o->keep_bytes;
	policy_carry(&p->policy, p->texts, policy);
	ret->policy = policy->data;
	ret->policy_bytes = (uint32_t)policy->len; /* bounded by its maximum */
	if (policy->failed || !take_values(&p->policy, o->environment != NULL ? o->environment : environ, ret))
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to describe the session");
	return set_words(o, ret, e);
}

/* ---- a run ---- */

static enum event_kind kind_of(const struct ambit_run_options *o)
{
	const enum event_kind kind = o->code != AMBIT_COMMAND ? kind_of_word(o->argv[0]) : KIND_RUN;

	return o->code != AMBIT_COMMAND && kind == KIND_RUN ? KIND_COUNT : kind;
}

int session_describe_run(const struct ambit_run_options *o, struct run *ret, struct err *e)
{
	enum event_kind kind;

	if (o->argv == NULL || o->argv[0] == NULL || o->argv[0][0] == 0)
		return err_set(e, AMBIT_USAGE, "name a program in argv[0]", "no program to run");
	kind = kind_of(o);
	if (o->rows > UINT16_MAX || o->columns > UINT16_MAX)
		return err_set(e, AMBIT_USAGE, NULL, "a terminal has %d rows and columns at most", UINT16_MAX);
	if ((o->changes & (AMBIT_CHANGES_DIRECT | AMBIT_CHANGES_BESIDE)) != 0)
		return err_set(e, AMBIT_USAGE, "say it of the session, or run it in the background",
			       "whether events write in place is the session's to say");
	if (kind == KIND_COUNT)
		return err_set(e, AMBIT_UNKNOWN, "python, node or shell", "'%s' is no language of code", o->argv[0]);
	if (kind != KIND_RUN && (o->argv[1] == NULL || o->argv[2] != NULL || o->terminal != 0))
		return err_set(e, AMBIT_USAGE, NULL, "code is a language and one source text, and has no terminal");
	*ret = (struct run){ .flags = (o->background != 0 ? EVENT_BACKGROUND : 0) | (o->input != 0 ? EVENT_INPUT : 0) |
				      (o->terminal != 0 ? EVENT_TERMINAL : 0) |
				      (o->code == AMBIT_CODE_SHOWN ? EVENT_SHOWS : 0) |
				      (uint32_t)kind << EVENT_KIND_SHIFT,
			     .changes = o->changes,
			     .rows = o->rows,
			     .columns = o->columns,
			     .argv = (char **)(uintptr_t)o->argv, /* only written out, as the next */
			     .env = (char **)(uintptr_t)o->environment };
	if (o->key != NULL && !text_copy(ret->key, sizeof ret->key, o->key))
		return too_long("a key", sizeof ret->key - 1, e);
	if (o->limits != NULL && !text_copy(ret->limits, sizeof ret->limits, o->limits))
		return too_long("a list of limits", sizeof ret->limits - 1, e);
	if (o->on_conflict != NULL && !text_copy(ret->on_conflict, sizeof ret->on_conflict, o->on_conflict))
		return err_set(e, AMBIT_USAGE, "fail, theirs or ours", "'%s' is no way out of a conflict",
			       o->on_conflict);
	return labels_take_given(o->labels, &ret->labels, e);
}
