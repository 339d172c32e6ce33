#include "cli/cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"

static const char help_text[] =
	"Ambit runs programs that nobody has read, with exactly the authority you name,\n"
	"and tells you what they did.\n"
	"\n"
	"  ambit run [GRANTS] -- COMMAND...   run a command in a cell of its own\n"
	"  ambit explain RECORD               why something was denied, and what would allow it\n"
	"  ambit learn -- COMMAND...          write the narrowest policy that a command needs\n"
	"  ambit doctor                       what this host can enforce, and how to get the rest\n"
	"  ambit policy check FILE            read a policy and say what is wrong with it\n"
	"  ambit policy trust FILE            remember a policy as it is now\n"
	"  ambit help [VERB] | ambit version\n"
	"\n"
	"Try:  ambit run --read . -- ls -l\n"
	"More: ambit run --help, man ambit\n";

static int cli_help(int argc, char **argv);
static int cli_version(int argc, char **argv);

static const struct verb {
	const char *name;
	int (*call)(int argc, char **argv);
} verbs[] = {
	{ "run", cli_run },       { "explain", cli_explain }, { "learn", cli_learn },     { "doctor", cli_doctor },
	{ "policy", cli_policy }, { "help", cli_help },       { "version", cli_version },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int cli_help(int argc, char **argv)
{
	const struct verb *v = argc > 1 ? find_verb(argv[1]) : NULL;
	char *as_asked[] = { argv[argc > 1 ? 1 : 0], (char[]){ "--help" }, NULL };

	if (v != NULL && v->call != cli_help && v->call != cli_version)
		return v->call(2, as_asked);
	if (argc > 1)
		return cli_usage("ambit help", "no verb '%s'", argv[1]);
	(void)fputs(help_text, stdout);
	return 0;
}

static int cli_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)printf("ambit %s\n", ambit_version());
	return 0;
}

int cli_error(const struct ambit_error *e)
{
	char text[2 * sizeof e->message];

	(void)fprintf(stderr, "ambit: %s\n", text_show(text, sizeof text, e->message, strlen(e->message)));
	if (e->hint[0] != 0)
		(void)fprintf(stderr, "  hint: %s\n", text_show(text, sizeof text, e->hint, strlen(e->hint)));
	return err_code_exit(e->code);
}

int cli_usage(const char *help, const char *fmt, ...)
{
	char text[512], shown[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "ambit: %s\n  hint: see `%s`\n", text_show(shown, sizeof shown, text, strlen(text)),
		      help);
	return EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	const struct verb *v;

	(void)fd_reserve_standard();    /* a host without /dev/null is refused for other reasons */
	(void)signal(SIGPIPE, SIG_IGN); /* a write says so itself */
	(void)fd_reserve_standard();    /* or what is opened first would be taken for a closed standard input */
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return cli_help(1, argv);
	if (strcmp(argv[1], "--version") == 0)
		return cli_version(1, argv);
	v = find_verb(argv[1]);
	if (v == NULL)
		return cli_usage("ambit help", "no verb '%s'", argv[1]);
	return v->call(argc - 1, argv + 1);
}
