#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/harmless.h"
#include "cli/place.h"
#include "cli/reader.h"
#include "cli/recorded.h"
#include "lib/public.h"

static const char help_text[] =
	"ambit explain RECORD\n"
	"ambit explain EVENT [--ledger DIR]\n"
	"\n"
	"Reads a record, as `ambit run --record` wrote it (- is standard input) or as the ledger has it, in a cell of its own,\n"
	"and says for each denial what was asked, why it was denied, and the flag and the policy line that would allow it.\n"
	"EVENT is an id or the beginning of one; `last` is the one of the latest entry of the ledger.\n"
	"\n"
	"Options:\n"
	"  --ledger DIR  another ledger than your own\n"
	"  --help        this text\n";

static int explain(const char *word, const char *ledger)
{
	struct ambit_error e = { .size = sizeof e };
	struct err err;
	auto_buf text = { .max = READER_TEXT_MAX };
	int r = recorded_read(word, ledger, "explain", &text, &err);

	if (r == 0 && (r = harmless_write(STDOUT_FILENO, &text, true)) < 0)
		r = err_sys(&err, AMBIT_SYSTEM, -r, NULL, "cannot write to standard output");
	return public_error(&e, r, &err) < 0 ? cli_error(&e) : 0;
}

int cli_explain(int argc, char **argv)
{
	static const char *const options[] = { "help", "ledger" };
	const char *word = NULL, *ledger = NULL;

	if (argc == 2 && cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--ledger") == 0 && i + 1 < argc)
			ledger = argv[++i];
		else if (strncmp(argv[i], "--ledger=", 9) == 0)
			ledger = argv[i] + 9;
		else if (argv[i][0] == '-' && argv[i][1] != 0 && !cli_is_help(argv[i]))
			return strcmp(argv[i], "--ledger") == 0
				       ? cli_usage("ambit explain --help", "--ledger needs a value")
				       : cli_no_option("ambit explain --help", argv[i], options, 2);
		else if (word != NULL || cli_is_help(argv[i]))
			return cli_usage("ambit explain --help", "name one record or event");
		else
			word = argv[i];
	}
	if (word == NULL)
		return cli_usage("ambit explain --help", "name one record or event");
	if (ledger != NULL && (ledger[0] == 0 || !place_is_event(word)))
		return ledger[0] == 0
			       ? cli_usage("ambit explain --help", "an empty path for the ledger")
			       : cli_usage("ambit explain --help", "--ledger is for events, and '%s' is none", word);
	return explain(word, ledger);
}
