#include "cli/cli.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/trusted.h"
#include "lib/policy_check.h"
#include "lib/policy_handle.h"
#include "lib/public.h"
#include "policy/policy.h"

static const char help_text[] =
	"ambit policy check [--json] FILE\n"
	"ambit policy trust FILE\n"
	"\n"
	"check reads a policy (- is standard input), in a cell of its own, and says what is wrong with it and where.\n"
	"trust remembers a policy as it is now: its path and its bytes. When --policy names it and it has\n"
	"changed since, you are shown what changed and asked; where there is nobody to ask, it is refused.\n"
	"A policy takes effect only when --policy names it, trusted or not; trust grants nothing.\n"
	"\n"
	"Options:\n"
	"  --json  check: print {\"good\":true}, or {\"error\": ...} with code, message, why and hint\n"
	"  --help  this text\n";

#define HELP "ambit policy --help"
#define STDIN_NAME "standard input"

static int load_stdin(struct ambit_policy *p, struct ambit_error *ret)
{
	auto_free uint8_t *bytes = malloc(POLICY_FILE_MAX + 1); /* one more shows that there is more */
	ssize_t n;
	struct err e;

	if (bytes == NULL)
		return public_error(ret, err_set(&e, AMBIT_MEMORY, NULL, "no memory to read a policy"), &e);
	n = fd_read_all(STDIN_FILENO, bytes, POLICY_FILE_MAX + 1);
	if (n < 0)
		return public_error(ret,
				    err_sys(&e, AMBIT_USAGE, (int)-n, "name a policy file that can be read",
					    "cannot read the policy on " STDIN_NAME),
				    &e);
	return ambit_policy_load_text(p, STDIN_NAME, bytes, (size_t)n, ret);
}

static int check(const char *path, bool json)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p;
	struct err err;
	int r = ambit_policy_new(&p, &e);

	if (r == 0)
		r = is_stdin ? load_stdin(p, &e) : ambit_policy_load(p, path, &e);
	if (r == 0)
		r = public_error(&e, policy_check(&p->policy, &err), &err);
	ambit_policy_free(p);
	if (r < 0)
		return cli_refuse(json, &e);
	if (json)
		(void)puts("{\"good\":true}");
	else
		(void)printf("%s: good\n", is_stdin ? STDIN_NAME : path);
	return 0;
}

static int trust(const char *path, bool json)
{
	struct ambit_error e = { .size = sizeof e };
	const char *how;

	(void)json; /* not taken */
	if (trusted_store(path, &how, &e) < 0)
		return cli_error(&e);
	(void)printf("%s: %s\n", path, how);
	return 0;
}

static const struct action {
	const char *name;
	int (*call)(const char *path, bool json);
	bool takes_json;
} actions[] = { { "check", check, true }, { "trust", trust, false } };

#define ACTIONS (sizeof actions / sizeof actions[0])

static int no_action(const char *word)
{
	static const char *const options[] = { "help" };
	const char *names[ACTIONS];

	if (word[0] == '-')
		return cli_no_option(HELP, word, options, 1);
	for (size_t i = 0; i < ACTIONS; i++)
		names[i] = actions[i].name;
	return cli_no_word(HELP, word, names, ACTIONS, "no command 'policy %s'", word);
}

struct words {
	const char *file; /* NULL: not named */
	bool json, help;
};

/* What follows the action. -USAGE; w->json is right in any case, for who tells of the mistake. */
static int read_words(const struct action *a, char **words, struct words *w, struct ambit_error *e)
{
	static const char *const options[] = { "help", "json" };
	int r = 0;

	for (; *words != NULL; words++) {
		if (cli_is_help(*words))
			w->help = true;
		else if (a->takes_json && strcmp(*words, "--json") == 0)
			w->json = true;
		else if (r == 0 && (*words)[0] == '-' && (*words)[1] != 0)
			r = cli_misused_option(e, HELP, *words, options, a->takes_json ? 2 : 1);
		else if (r == 0 && w->file != NULL)
			r = cli_misused(e, HELP, "policy %s takes one file, and not '%s' too", a->name, *words);
		else if (r == 0)
			w->file = *words;
	}
	if (r == 0 && !w->help && w->file == NULL)
		r = cli_misused(e, HELP, "no file: name one after policy %s", a->name);
	return r;
}

static int act(const struct action *a, char **words)
{
	struct ambit_error e = { .size = sizeof e };
	struct words w = { .file = NULL };

	if (read_words(a, words, &w, &e) < 0)
		return cli_refuse(w.json, &e);
	if (!w.help)
		return a->call(w.file, w.json);
	(void)fputs(help_text, stdout);
	return 0;
}

int cli_policy(int argc, char **argv)
{
	if (argc < 2)
		return cli_usage(HELP, "say check or trust, and a file");
	if (argc == 2 && cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	for (size_t i = 0; i < ACTIONS; i++)
		if (strcmp(actions[i].name, argv[1]) == 0)
			return act(&actions[i], argv + 2);
	return no_action(argv[1]);
}
