#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/reader.h"
#include "lib/public.h"

static const char help_text[] =
	"ambit explain RECORD\n"
	"\n"
	"Reads a record, as `ambit run --record` wrote it (- is standard input), in a cell of its own, and says for each\n"
	"denial what was asked, why it was denied, and the flag and the policy line that would allow it.\n"
	"\n"
	"Options:\n"
	"  --help  this text\n";

static int explain(const char *path)
{
	struct ambit_error e = { .size = sizeof e };
	struct err err;
	auto_fd int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
						: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	auto_buf text = { .max = 0 };
	int r;

	buf_init(&text, READER_TEXT_MAX);
	if (fd < 0)
		r = err_sys(&err, AMBIT_USAGE, errno, "name a record that can be read, or - for standard input",
			    "cannot open the record %s", path);
	else
		r = reader_run(fd, "explain", &text, &err);
	if (public_error(&e, r, &err) < 0)
		return cli_error(&e);
	r = fd_write_all(STDOUT_FILENO, text.data, text.len);
	if (r == 0)
		return 0;
	(void)public_error(&e, err_sys(&err, AMBIT_SYSTEM, -r, NULL, "cannot write to standard output"), &err);
	return cli_error(&e);
}

int cli_explain(int argc, char **argv)
{
	static const char *const options[] = { "help" };

	if (argc == 2 && cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] != 0 && !cli_is_help(argv[i]))
			return cli_no_option("ambit explain --help", argv[i], options, 1);
	if (argc != 2)
		return cli_usage("ambit explain --help", "name one record");
	return explain(argv[1]);
}
