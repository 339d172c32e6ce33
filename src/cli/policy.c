#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const char help_text[] =
	"ambit policy check FILE   read a policy in a cell of its own and say what is wrong with it\n"
	"ambit policy trust FILE   remember a policy as it is now, by its digest\n";

static int check(const char *path)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p;
	int r = ambit_policy_new(&p, &e);

	if (r == 0)
		r = ambit_policy_load(p, path, &e);
	ambit_policy_free(p);
	if (r < 0)
		return cli_error(&e);
	(void)printf("%s: good\n", path);
	return 0;
}

int cli_policy(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "check") == 0)
		return check(argv[2]);
	return cli_usage("ambit policy --help", "say check or trust, and a file");
}
