/* Takes the place of ambit-index, as one that was taken over: answers with what the files `answer` and `complaint` in the directory of the index hold,
 * byte for byte, and ends with the status in `status` (none: 0; "kill": by a signal). */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/ask.h"
#include "base/fd.h"

#define SAID_MAX (16u << 20)

static size_t take(const char *dir, const char *name, char *ret)
{
	char path[GRANT_OBJECT_MAX + 16];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name); /* it fits */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : fd_read_all(fd, ret, SAID_MAX);
	ret[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		(void)close(fd);
	return n > 0 ? (size_t)n : 0;
}

int main(void)
{
	static uint8_t given[AUDIT_ASK_MAX];
	static char said[SAID_MAX + 1];
	const ssize_t n = fd_read_all(STDIN_FILENO, given, sizeof given);
	struct audit_ask ask;

	if (n < 0 || audit_ask_decode(given, (size_t)n, &ask, NULL) < 0 || ask.op != AUDIT_LOOKUP)
		return 99;
	(void)fd_write_all(STDERR_FILENO, said, take(ask.target, "complaint", said));
	(void)fd_write_all(STDOUT_FILENO, said, take(ask.target, "answer", said));
	(void)take(ask.target, "status", said);
	if (strcmp(said, "kill") == 0)
		(void)raise(SIGKILL); /* which no sanitizer takes for its own */
	return atoi(said);
}
