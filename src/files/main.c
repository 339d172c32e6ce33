/* ambit-files: reads and changes files for an agent's tool calls, from within the cell.
 *
 *   ambit-files read PATH [FROM [LINES]] [--bytes FROM COUNT]
 *   ambit-files list PATH [DEPTH]
 *   ambit-files search PATTERN PATH [--fixed] [--ignore-case] [--glob GLOB] [--max N]
 *   ambit-files write PATH                              new content: standard input
 *   ambit-files edit PATH OLD_BYTES NEW_BYTES [--all]   standard input: the old text, then the new one
 *
 * It is a program of the cell as any other, and has no authority but the cell's. One JSON object on one line says what came of it: exit status 0, or 1 with an
 * error, or 2 where the words were wrong. Behind `--` nothing is an option. */
#include <signal.h>
#include <string.h>

#include "base/fd.h"
#include "files/files.h"

#define WORDS_MAX 3

static const struct word {
	const char *name, *usage;
	int (*run)(const struct request *q, struct answer *a);
	size_t least, most; /* words behind it */
	unsigned options;   /* 1 << enum files_option */
} words[] = {
	{ "read", "read PATH [FROM [LINES]] [--bytes FROM COUNT]", files_read, 1, 3, 1u << FILES_BYTES },
	{ "list", "list PATH [DEPTH]", files_list, 1, 2, 0 },
	{ "search", "search PATTERN PATH [--fixed] [--ignore-case] [--glob GLOB] [--max N]", files_search, 2, 2,
	  1u << FILES_FIXED | 1u << FILES_IGNORE_CASE | 1u << FILES_GLOB | 1u << FILES_MAX },
	{ "write", "write PATH", files_write, 1, 1, 0 },
	{ "edit", "edit PATH OLD_BYTES NEW_BYTES [--all]", files_edit, 3, 3, 1u << FILES_ALL },
};

static const struct option {
	const char *name;
	int values;
} options[FILES_OPTIONS] = {
	[FILES_ALL] = { "--all", 0 },
	[FILES_BYTES] = { "--bytes", 2 },
	[FILES_FIXED] = { "--fixed", 0 },
	[FILES_GLOB] = { "--glob", 1 },
	[FILES_IGNORE_CASE] = { "--ignore-case", 0 },
	[FILES_MAX] = { "--max", 1 },
};

static const struct word *word_of(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

/* How many values it has; -1: the word knows no such option, or too few words are left. */
static int take_option(const struct word *w, char *const *at, int left, struct request *q)
{
	for (unsigned i = 0; i < FILES_OPTIONS; i++)
		if (strcmp(options[i].name, at[0]) == 0 && (w->options & 1u << i) != 0 && options[i].values < left) {
			q->option[i] = at + 1;
			return options[i].values;
		}
	return -1;
}

/* What stands behind the word is taken apart; ret has room for WORDS_MAX and NULL. */
static bool take_words(const struct word *w, int argc, char *const *argv, char **ret, struct request *q)
{
	bool ended = false;
	size_t n = 0;

	for (int i = 2; i < argc; i++) {
		const bool dashes = !ended && strncmp(argv[i], "--", 2) == 0;

		if (dashes && argv[i][2] == 0) {
			ended = true;
		} else if (dashes) {
			const int values = take_option(w, argv + i, argc - i, q);

			if (values < 0)
				return false;
			i += values;
		} else if (n == w->most) {
			return false;
		} else {
			ret[n++] = argv[i];
		}
	}
	q->words = ret;
	return n >= w->least;
}

int main(int argc, char **argv)
{
	const struct word *w = word_of(argc > 1 ? argv[1] : NULL);
	char *taken[WORDS_MAX + 1] = { NULL };
	struct request q = { .words = taken };
	struct answer a;
	int r;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	(void)signal(SIGXFSZ, SIG_IGN); /* so is a limit on the size of files */
	if (fd_reserve_standard() < 0)
		return 2;
	answer_begin(&a);
	if (w == NULL)
		r = err_set(&a.e, AMBIT_USAGE, "ambit-files read, list, search, write or edit", "no such word");
	else if (!take_words(w, argc, argv, taken, &q))
		r = err_set(&a.e, AMBIT_USAGE, NULL, "usage: ambit-files %s", w->usage);
	else
		r = w->run(&q, &a);
	return answer_end(&a, r);
}
