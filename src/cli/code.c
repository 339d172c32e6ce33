#include "cli/code.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "code/code.h"

static int cannot_read(struct ambit_error *e, const char *path, int sys_errno)
{
	e->code = AMBIT_USAGE;
	e->sys_errno = sys_errno;
	(void)snprintf(e->message, sizeof e->message, "cannot read the code in %s: %s", path, strerror(sys_errno));
	(void)snprintf(e->hint, sizeof e->hint, "name a file, or give it on standard input");
	return -AMBIT_USAGE;
}

static int check(const struct buf *b, const char *path, struct ambit_error *e)
{
	if (memchr(b->data, 0, b->len) != NULL)
		return cli_misused(e, "ambit run --help", "the code in %s has a NUL in it, at byte %zu", path,
				   (size_t)((const uint8_t *)memchr(b->data, 0, b->len) - b->data));
	return 0;
}

int code_read(struct run_options *o, const char *path, struct ambit_error *e)
{
	auto_fd int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	const char *name = path != NULL ? path : "standard input";
	auto_buf b = { .max = 0 };
	int r;

	if (path != NULL && file < 0)
		return cannot_read(e, name, errno);
	buf_init(&b, CODE_SOURCE_MAX + 1);
	r = fd_read_into(path != NULL ? file : STDIN_FILENO, &b);
	if (r < 0 && r != -EFBIG)
		return cannot_read(e, name, -r);
	if (r == -EFBIG || b.len > CODE_SOURCE_MAX)
		return cli_misused(e, "ambit run --help", "the code in %s has more than %u bytes: run it as a file",
				   name, CODE_SOURCE_MAX);
	r = check(&b, name, e);
	if (r < 0)
		return r;
	o->code[0] = (char *)(uintptr_t)kind_word(o->kind); /* only read */
	o->code[1] = strndup(b.len > 0 ? (const char *)b.data : "", b.len);
	o->event.argv = o->code;
	o->event.code = o->result != NULL ? AMBIT_CODE : AMBIT_CODE_SHOWN;
	if (path == NULL)
		o->event.stream[0] = AMBIT_STREAM_NULL; /* it was read */
	return o->code[1] != NULL ? 0 : cli_misused(e, "ambit run --help", "no memory for the code");
}
