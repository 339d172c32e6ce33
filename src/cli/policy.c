#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "cli/trusted.h"

static const char help_text[] =
	"ambit policy check [--json] FILE\n"
	"ambit policy trust FILE\n"
	"\n"
	"check reads a policy, in a cell of its own, and says what is wrong with it and where.\n"
	"trust remembers a policy as it is now: its path and its bytes. When --policy names it and it has\n"
	"changed since, you are shown what changed and asked; where there is nobody to ask, it is refused.\n"
	"A policy takes effect only when --policy names it, trusted or not; trust grants nothing.\n"
	"\n"
	"Options:\n"
	"  --json  check: print {\"good\":true}, or {\"error\": ...} with code, message, why and hint\n"
	"  --help  this text\n";

static int check(const char *path, bool json)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p;
	int r = ambit_policy_new(&p, &e);

	if (r == 0)
		r = ambit_policy_load(p, path, &e);
	ambit_policy_free(p);
	if (r < 0)
		return cli_refuse(json, &e);
	if (json)
		(void)puts("{\"good\":true}");
	else
		(void)printf("%s: good\n", path);
	return 0;
}

static int trust(const char *path)
{
	struct ambit_error e = { .size = sizeof e };
	const char *how;

	if (trusted_store(path, &how, &e) < 0)
		return cli_error(&e);
	(void)printf("%s: %s\n", path, how);
	return 0;
}

int cli_policy(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "check") == 0)
		return check(argv[2], false);
	if (argc == 4 && strcmp(argv[1], "check") == 0 && strcmp(argv[2], "--json") == 0)
		return check(argv[3], true);
	if (argc == 3 && strcmp(argv[1], "trust") == 0)
		return trust(argv[2]);
	return cli_usage("ambit policy --help", "say check or trust, and a file");
}
