/* ambit profile: what is usual. */
#include "cli/profile.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define HELP "ambit profile --help"

static const char help_text[] =
	"ambit profile eval --train FILE [--calibrate FILE] --test FILE [OPTIONS]\n"
	"\n"
	"A profile is what is usual for an agent.\n"
	"\n"
	"  eval    how well profiles that are learned from your own data tell attacks: ambit profile eval --help\n"
	"\n"
	"  --help  this text\n";

static const struct verb {
	const char *name;
	int (*call)(char **argv);
} verbs[] = {
	{ "eval", profile_eval },
};

#define VERBS (sizeof verbs / sizeof verbs[0])

int cli_profile(int argc, char **argv)
{
	const char *names[VERBS];

	if (argc < 2)
		return cli_usage(HELP, "profile what?");
	if (cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].call(argv + 2);
		names[i] = verbs[i].name;
	}
	return cli_no_word(HELP, argv[1], names, VERBS, "profile knows no '%s'", argv[1]);
}
