#include "cli/trusted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/public.h"
#include "policy/trust.h"

static int check(const char *file, char *dir, size_t dir_size, struct trust *t, struct err *e)
{
	const int r = trust_dir(getenv("XDG_STATE_HOME"), getenv("HOME"), dir, dir_size, e);

	return r < 0 ? r : trust_check(dir, file, t, e);
}

static int show_change(const struct trust *t, struct err *e)
{
	auto_buf diff = { .max = 0 };

	buf_init(&diff, TRUST_DIFF_MAX);
	if (!trust_diff(&t->old, &t->now, &diff))
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to show what changed");
	(void)fprintf(stderr, "ambit: %s is not what you trusted:\n%.*s", t->path, (int)diff.len,
		      (const char *)diff.data);
	return 0;
}

/* Only a person at a terminal can say yes: a script's standard input is not one. */
static int ask(const char *question, struct err *e)
{
	char answer[8] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return err_set(e, AMBIT_UNTRUSTED, "read the change, then `ambit policy trust FILE` at a terminal",
			       "a trusted policy has changed, and there is nobody to ask");
	(void)fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof answer, stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y'))
		return err_set(e, AMBIT_UNTRUSTED, "nothing was changed", "not trusted");
	return 0;
}

static int confirm_change(const struct trust *t, const char *question, struct err *e)
{
	const int r = show_change(t, e);

	return r < 0 ? r : ask(question, e);
}

int trusted_load(struct ambit_policy *p, const char *file, struct ambit_error *ret)
{
	char dir[GRANT_OBJECT_MAX];
	struct trust t;
	struct err e;
	int r;

	trust_init(&t);
	r = check(file, dir, sizeof dir, &t, &e);
	if (r == 0 && t.state == TRUST_CHANGED)
		r = confirm_change(&t, "Use it this once?", &e);
	r = public_error(ret, r, &e);
	if (r == 0)
		r = ambit_policy_load_text(p, file, t.now.data, t.now.len, ret);
	trust_finish(&t);
	return r;
}

/* Only a policy that is one can be trusted. */
static int read_once(const struct trust *t, const char *file, struct ambit_error *ret)
{
	struct ambit_policy *p;
	int r = ambit_policy_new(&p, ret);

	if (r == 0)
		r = ambit_policy_load_text(p, file, t->now.data, t->now.len, ret);
	ambit_policy_free(p);
	return r;
}

int trusted_store(const char *file, const char **ret_how, struct ambit_error *ret)
{
	char dir[GRANT_OBJECT_MAX];
	struct trust t;
	struct err e;
	int r;

	trust_init(&t);
	r = public_error(ret, check(file, dir, sizeof dir, &t, &e), &e);
	r = r < 0 ? r : read_once(&t, file, ret);
	if (r == 0 && t.state == TRUST_CHANGED)
		r = public_error(ret, confirm_change(&t, "Trust it as it is now?", &e), &e);
	*ret_how = t.state == TRUST_TRUSTED ? "trusted already" : "trusted";
	if (r == 0 && t.state != TRUST_TRUSTED)
		r = public_error(ret, trust_store(dir, &t, &e), &e);
	trust_finish(&t);
	return r;
}
