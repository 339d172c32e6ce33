#include "cli/cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/record.h"

#define ERROR_LINE_MAX (16u << 10) /* a message and a hint, each byte as long as JSON has one */

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
	if (e->why[0] != 0)
		(void)fprintf(stderr, "  why: %s\n", text_show(text, sizeof text, e->why, strlen(e->why)));
	if (e->hint[0] != 0)
		(void)fprintf(stderr, "  hint: %s\n", text_show(text, sizeof text, e->hint, strlen(e->hint)));
	return err_code_exit(e->code);
}

static void fill_usage(struct ambit_error *e, const char *help, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
static void fill_usage(struct ambit_error *e, const char *help, const char *fmt, va_list ap)
{
	*e = (struct ambit_error){ .size = sizeof *e, .code = AMBIT_USAGE };
	(void)vsnprintf(e->message, sizeof e->message, fmt, ap);   /* cut is fine */
	(void)snprintf(e->hint, sizeof e->hint, "see `%s`", help); /* it fits */
}

int cli_misused(struct ambit_error *e, const char *help, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill_usage(e, help, fmt, ap);
	va_end(ap);
	return -AMBIT_USAGE;
}

int cli_usage(const char *help, const char *fmt, ...)
{
	struct ambit_error e;
	va_list ap;

	va_start(ap, fmt);
	fill_usage(&e, help, fmt, ap);
	va_end(ap);
	return cli_error(&e);
}

int cli_refuse(bool json, const struct ambit_error *e)
{
	struct err error = { .code = (enum ambit_code)e->code };
	auto_buf line = { .max = 0 };

	buf_init(&line, ERROR_LINE_MAX);
	(void)snprintf(error.msg, sizeof error.msg, "%s", e->message); /* the same size */
	(void)snprintf(error.why, sizeof error.why, "%s", e->why);
	(void)snprintf(error.hint, sizeof error.hint, "%s", e->hint);
	if (json && record_write_error(&error, &line, NULL) == 0)
		(void)fd_write_all(STDOUT_FILENO, line.data, line.len); /* the same follows on standard error */
	return cli_error(e);
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
