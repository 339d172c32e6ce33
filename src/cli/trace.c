#include "cli/cli.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/harmless.h"
#include "cli/place.h"
#include "cli/reader.h"
#include "cli/recorded.h"
#include "lib/public.h"

#define HELP "ambit trace --help"

static const char help_text[] =
	"ambit trace EVENT [--json | [--line [--facts] | --lines] [--label TEXT --key TEXT]] [--ledger DIR]\n"
	"ambit trace RECORD ...\n"
	"\n"
	"Shows what an event asked of the kernel, in order, thread by thread: each call as one word, its kind and the class of\n"
	"its object, with `!` for what was denied and `?` for what was not there. Words that repeat are one, with how often.\n"
	"EVENT is an id or the beginning of one; `last` is the one of the latest entry of the ledger. RECORD is a file, as\n"
	"`ambit run --record` wrote it; - is standard input. It is read in a cell of its own.\n"
	"\n"
	"Options:\n"
	"  --json        one object, with the steps of all threads as they came, and what else was counted\n"
	"  --line        one line, as `ambit profile eval` reads it: words with blanks between them, each as often as it came,\n"
	"                and | between threads\n"
	"  --lines       the same with a thread a line\n"
	"  --facts       with --line and --label: and before the words what else a profile compares: amounts, and what was named\n"
	"  --label TEXT  with --key, and one of these two: stands before each line, a tab behind it\n"
	"  --key TEXT    with --label: likewise, behind the label\n"
	"  --ledger DIR  another ledger than your own\n"
	"  --help        this text\n";

struct asked {
	const char *word, *ledger, *label, *key;
	bool json, line, lines, facts;
};

static const struct {
	const char *name;
	size_t at;
} valued[] = {
	{ "--ledger", offsetof(struct asked, ledger) },
	{ "--label", offsetof(struct asked, label) },
	{ "--key", offsetof(struct asked, key) },
};

/* Its value, of the same word or the next; 1, 0: it is another, or -1: it has none. */
static int take_valued(struct asked *a, int argc, char **argv, int *i)
{
	for (size_t k = 0; k < sizeof valued / sizeof valued[0]; k++) {
		const size_t n = strlen(valued[k].name);
		const char **value = (const char **)((char *)a + valued[k].at);

		if (strncmp(argv[*i], valued[k].name, n) != 0 || (argv[*i][n] != 0 && argv[*i][n] != '='))
			continue;
		if (argv[*i][n] == 0 && *i + 1 >= argc)
			return -1;
		*value = argv[*i][n] == '=' ? argv[*i] + n + 1 : argv[++*i];
		return 1;
	}
	return 0;
}

static int take_word(struct asked *a, char *word)
{
	static const char *const options[] = { "facts", "help", "json", "key", "label", "ledger", "line", "lines" };

	if (strcmp(word, "--json") == 0)
		a->json = true;
	else if (strcmp(word, "--line") == 0)
		a->line = true;
	else if (strcmp(word, "--lines") == 0)
		a->lines = true;
	else if (strcmp(word, "--facts") == 0)
		a->facts = true;
	else if (word[0] == '-' && word[1] != 0 && !cli_is_help(word))
		return cli_no_option(HELP, word, options, sizeof options / sizeof options[0]);
	else if (a->word != NULL || cli_is_help(word))
		return cli_usage(HELP, "name one event or record");
	else
		a->word = word;
	return 0;
}

#define COLUMN_MAX 127 /* as profile/line.h takes them */

static bool is_column(const char *text)
{
	return text == NULL || (text[0] != 0 && strpbrk(text, "\t\n") == NULL && strlen(text) <= COLUMN_MAX);
}

static int check(const struct asked *a)
{
	if (a->word == NULL)
		return cli_usage(HELP, "name one event or record");
	if (a->ledger != NULL && a->ledger[0] == 0)
		return cli_usage(HELP, "an empty path for the ledger");
	if (a->ledger != NULL && !place_is_event(a->word))
		return cli_usage(HELP, "--ledger is for events, and '%s' is none", a->word);
	if (a->json + a->line + a->lines > 1)
		return cli_usage(HELP, "--json, --line and --lines are three forms: name one");
	if ((a->label != NULL) != (a->key != NULL) || (a->label != NULL && !a->line && !a->lines))
		return cli_usage(HELP, "--label and --key go together, with --line or --lines");
	if (a->facts && (!a->line || a->label == NULL))
		return cli_usage(HELP, "--facts goes with --line, --label and --key");
	if (!is_column(a->label) || !is_column(a->key))
		return cli_usage(HELP, "a label and a key are texts of up to %d bytes without tabs and newlines",
				 COLUMN_MAX);
	return 0;
}

/* Before each line what was asked for, which is the person's own and as it is. A line of facts is one more column, before the next. 0 or -errno. */
static int write_columns(const struct asked *a, const struct buf *raw)
{
	auto_buf line = { .max = READER_TEXT_MAX };
	bool joins = false;
	int r = 0;

	for (size_t at = 0; r == 0 && at < raw->len;) {
		const uint8_t *end = memchr(raw->data + at, '\n', raw->len - at);
		const size_t n = end != NULL ? (size_t)(end - (raw->data + at)) + 1 : raw->len - at;
		char columns[2 * COLUMN_MAX + 3];
		const int length = joins ? snprintf(columns, sizeof columns, "\t")
					 : snprintf(columns, sizeof columns, "%s\t%s\t", a->label, a->key);

		joins = a->facts && !joins;
		buf_put(&line, raw->data + at, joins && end != NULL ? n - 1 : n);
		r = fd_write_all(STDOUT_FILENO, columns, (size_t)length);
		r = r < 0 ? r : line.failed ? -ENOMEM : harmless_write(STDOUT_FILENO, &line, true);
		at += n;
	}
	return r;
}

static int show(const struct asked *a)
{
	const char *how = a->json    ? EXPLAIN_TRACE_JSON
			  : a->facts ? EXPLAIN_TRACE_FACTS
			  : a->line  ? EXPLAIN_TRACE_LINE
			  : a->lines ? EXPLAIN_TRACE_LINES
				     : EXPLAIN_TRACE;
	auto_buf raw = { .max = READER_TEXT_MAX };
	struct ambit_error e = { .size = sizeof e };
	struct err err;
	int r = recorded_read(a->word, a->ledger, how, &raw, &err);

	if (r == 0 && (r = a->label != NULL ? write_columns(a, &raw) : harmless_write(STDOUT_FILENO, &raw, true)) < 0)
		r = err_sys(&err, AMBIT_SYSTEM, -r, NULL, "cannot write to standard output");
	return public_error(&e, r, &err) < 0 ? cli_refuse(a->json, &e) : 0;
}

int cli_trace(int argc, char **argv)
{
	struct asked a = { .word = NULL };
	int r = 0;

	if (argc == 2 && cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	for (int i = 1; r == 0 && i < argc; i++) {
		const int taken = take_valued(&a, argc, argv, &i);

		if (taken < 0)
			return cli_usage(HELP, "%s needs a value", argv[i]);
		r = taken > 0 ? 0 : take_word(&a, argv[i]);
	}
	r = r != 0 ? r : check(&a);
	return r != 0 ? r : show(&a);
}
