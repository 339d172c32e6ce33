/* ambit-diff: reads changes from descriptor 0 (input.h), writes them as `git diff` does to descriptor 1, ends. Nothing else:
 * it is run in a cell with an empty root, because names and contents may have been written by anybody.
 * Exit status: 0; 1 the input is none or ends too early, or there is no memory: the last line of descriptor 1 says
 * which, behind what could be shown; 2 wrong usage. */
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "diff/promise.h"
#include "diff/show.h"

static ssize_t read_fd(void *of, void *bytes, size_t n)
{
	return fd_read_all(*(const int *)of, bytes, n);
}

static int write_fd(void *of, const void *bytes, size_t n)
{
	return fd_write_all(*(const int *)of, bytes, n);
}

static void complain(const struct err *e)
{
	char line[ERR_LINE_MAX], text[4 * ERR_LINE_MAX];

	err_line(e, line);
	(void)text_escape(text, sizeof text, line, strlen(line));
	(void)fd_write_all(STDOUT_FILENO, text, strlen(text)); /* the status says it too */
	(void)fd_write_all(STDOUT_FILENO, "\n", 1);
}

int main(int argc, char **argv)
{
	int in = STDIN_FILENO, out = STDOUT_FILENO;
	struct err e = { .code = AMBIT_OK };

	(void)argv;
	if (argc != 1)
		return 2;
	if (promise_keep(&e) < 0 ||
	    show_changes((struct diff_source){ read_fd, &in }, (struct sink){ write_fd, &out }, &e) < 0) {
		complain(&e);
		return 1;
	}
	return 0;
}
