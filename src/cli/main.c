#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "base/text.h"
#include "lib/record.h"

#define ERROR_LINE_MAX (16u << 10) /* a message and a hint, each byte as long as JSON has one */

static const char help_text[] =
	"Ambit runs programs that nobody has read, with exactly the authority you name,\n"
	"and tells you what they did.\n"
	"\n"
	"  ambit run [GRANTS] -- COMMAND...   run a command in a cell of its own\n"
	"  ambit explain RECORD               why something was denied, and what would allow it\n"
	"  ambit trace EVENT                  what it asked of the kernel, in order\n"
	"  ambit learn -- COMMAND...          write the narrowest policy that a command needs\n"
	"  ambit diff [EVENT] [PATH...]       what an event changed, before it is committed\n"
	"  ambit commit [EVENT] [PATH...]     commit what is kept, or a part of it\n"
	"  ambit discard [EVENT]              throw it away\n"
	"  ambit undo EVENT                   take a commit back\n"
	"  ambit stage list                   what is kept, and what can be undone\n"
	"  ambit session new | list | end     a session that outlives its clients\n"
	"  ambit events [SESSION]             what ran in it, and runs\n"
	"  ambit ps [--watch]                 what runs in all of them\n"
	"  ambit mcp [GRANTS]                 a server of the Model Context Protocol: an agent's calls, each in a cell\n"
	"  ambit guard [GRANTS] -- COMMAND    somebody's server of that protocol, in a cell, and what may be called there\n"
	"  ambit cells                        cells for the program that starts it: the package @ambit/vm2\n"
	"  ambit setup CLIENT                 has an agent's client start its servers there: claude-code, codex, ...\n"
	"  ambit serve                        the daemon that keeps sessions; started by itself\n"
	"  ambit grant list | revoke|restore  what running events may do, and taking it back\n"
	"  ambit freeze | thaw | kill --all   everything stands still, goes on, or ends; or one session or event\n"
	"  ambit ledger verify | show         what was recorded, and whether it is what was signed\n"
	"  ambit ledger replay                its decisions made once more, or under another policy\n"
	"  ambit ledger prove | check         a proof of one entry, for who has no ledger\n"
	"  ambit secret set | list | remove   what is attached to requests, and no cell sees\n"
	"  ambit secret check NAME            what its issuer says that it may do, beside what grants use\n"
	"  ambit approve [QUESTION]           what waits for your answer; shows it, asks you, and signs what you say\n"
	"  ambit labels                       what has labels, and forgetting a stream\n"
	"  ambit profile show | eval ...      what is usual, and how well that tells attacks\n"
	"  ambit canary add | list | remove   decoys: what touches one is ended\n"
	"  ambit doctor                       what this host can enforce, and how to get the rest\n"
	"  ambit policy check FILE            read a policy and say what is wrong with it\n"
	"  ambit policy trust FILE            remember a policy as it is now\n"
	"  ambit help [COMMAND] | ambit version\n"
	"\n"
	"Try:  ambit run --read . -- ls -l\n"
	"More: ambit run --help, man ambit\n";

static int cli_help(int argc, char **argv);
static int cli_version(int argc, char **argv);

static const struct command {
	const char *name;
	int (*call)(int argc, char **argv);
} commands[] = {
	{ "run", cli_run },
	{ "explain", cli_explain },
	{ "trace", cli_trace },
	{ "learn", cli_learn },
	{ "diff", cli_stage_short },
	{ "commit", cli_stage_short },
	{ "discard", cli_stage_short },
	{ "undo", cli_stage_short },
	{ "stage", cli_stage },
	{ "doctor", cli_doctor },
	{ "policy", cli_policy },
	{ "ledger", cli_ledger },
	{ "grant", cli_grant },
	{ "freeze", cli_freeze },
	{ "thaw", cli_freeze },
	{ "kill", cli_freeze },
	{ "secret", cli_secret },
	{ "approve", cli_approve },
	{ "labels", cli_labels },
	{ "profile", cli_profile },
	{ "canary", cli_canary },
	{ "cells", cli_cells },
	{ "session", cli_session },
	{ "events", cli_events },
	{ "ps", cli_ps },
	{ "serve", cli_serve },
	{ "mcp", cli_mcp },
	{ "guard", cli_guard },
	{ "setup", cli_setup },
	{ "help", cli_help },
	{ "version", cli_version },
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int no_command(const char *word)
{
	static const char *const options[] = { "help", "version" };
	const char *names[COMMANDS];

	if (word[0] == '-')
		return cli_no_option("ambit help", word, options, sizeof options / sizeof options[0]);
	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	return cli_no_word("ambit help", word, names, COMMANDS, "no command '%s'", word);
}

static int cli_help(int argc, char **argv)
{
	const struct command *c = argc > 1 ? find_command(argv[1]) : NULL;
	char *as_asked[] = { argv[argc > 1 ? 1 : 0], (char[]){ "--help" }, NULL };

	if (argc > 2)
		return cli_usage("ambit help", "help takes one command, and not '%s' too", argv[2]);
	if (c != NULL && c->call != cli_help)
		return c->call(2, as_asked);
	if (c == NULL && argc > 1 && !cli_is_help(argv[1]))
		return no_command(argv[1]);
	(void)fputs(help_text, stdout);
	return 0;
}

static int cli_version(int argc, char **argv)
{
	if (argc == 2 && cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout); /* it has no other */
		return 0;
	}
	if (argc > 1)
		return cli_usage("ambit help", "version takes no '%s'", argv[1]);
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

bool cli_is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static void hint_at(struct ambit_error *e, const char *dashes, const char *meant)
{
	char hint[NEAREST_HINT_MAX];

	if (meant != NULL)
		(void)snprintf(e->hint, sizeof e->hint, "%s", nearest_hint(hint, dashes, meant, NULL)); /* it fits */
}

int cli_no_word(const char *help, const char *word, const char *const *words, size_t n, const char *fmt, ...)
{
	struct ambit_error e;
	va_list ap;

	va_start(ap, fmt);
	fill_usage(&e, help, fmt, ap);
	va_end(ap);
	hint_at(&e, "", word_nearest(word, words, n));
	return cli_error(&e);
}

const char *cli_argument(char ***at, const char *help, const char *option, int *r, struct ambit_error *e)
{
	const size_t n = strlen(option);
	const char *word = **at;

	if (strncmp(word, option, n) != 0 || (word[n] != 0 && word[n] != '='))
		return NULL;
	if (word[n] == '=')
		return word + n + 1;
	if ((*at)[1] != NULL)
		return *++*at;
	*r = cli_misused(e, help, "%s: which?", option);
	return "";
}

int cli_misused_option(struct ambit_error *e, const char *help, const char *word, const char *const *names, size_t n)
{
	const char *name = word + strspn(word, "-");
	const int length = (int)strcspn(name, "="); /* of an argument */
	char only[64];

	(void)snprintf(only, sizeof only, "%.*s", length, name); /* cut, it is near nothing */
	(void)cli_misused(e, help, "no option '%.*s'", (int)(name - word) + length, word);
	hint_at(e, "--", word_nearest(only, names, n));
	return -AMBIT_USAGE;
}

int cli_no_option(const char *help, const char *word, const char *const *names, size_t n)
{
	struct ambit_error e;

	(void)cli_misused_option(&e, help, word, names, n);
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

static bool is_reader_gone(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

static int cannot_write(int sys_errno)
{
	struct ambit_error e = { .size = sizeof e, .code = AMBIT_SYSTEM };

	if (is_reader_gone())
		return 0;
	(void)snprintf(e.message, sizeof e.message, "cannot write on standard output");
	(void)snprintf(e.why, sizeof e.why, "%s", sys_errno != 0 ? strerror(sys_errno) : "not all of it was taken");
	(void)snprintf(e.hint, sizeof e.hint, "free some space, or write it elsewhere");
	return cli_error(&e);
}

int cli_flush(void)
{
	const int sys_errno = fflush(stdout) != 0 ? errno : 0;
	const bool failed = sys_errno != 0 || ferror(stdout) != 0;

	clearerr(stdout); /* told once */
	return failed ? cannot_write(sys_errno) : 0;
}

int cli_write(const void *bytes, size_t n)
{
	const int before = cli_flush(), r = before != 0 ? 0 : fd_write_all(STDOUT_FILENO, bytes, n);

	return r < 0 ? cannot_write(-r) : before;
}

static int run_words(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2 || cli_is_help(argv[1]))
		return cli_help(1, argv);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return cli_version(argc - 1, argv + 1);
	c = find_command(argv[1]);
	return c == NULL ? no_command(argv[1]) : c->call(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	static char room[64u << 10]; /* more than any text, so that what is wrong with writing shows in flushing it */
	int status;

	(void)fd_reserve_standard();    /* a host without /dev/null is refused for other reasons */
	(void)signal(SIGPIPE, SIG_IGN); /* a write says so itself */
	(void)fd_reserve_standard();    /* or what is opened first would be taken for a closed standard input */
	if (isatty(STDOUT_FILENO) != 1)
		(void)setvbuf(stdout, room, _IOFBF, sizeof room);
	status = run_words(argc, argv);
	return cli_flush() != 0 && status == 0 ? EXIT_REFUSED : status;
}
