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
#include "lib/public.h"

static int cannot_read(struct err *e, const char *name, int sys_errno)
{
	return err_sys(e, AMBIT_USAGE, sys_errno, "name a file, or give it on standard input",
		       "cannot read the code in %s", name);
}

/* As a command it may be as long as its interpreter takes. */
static int too_long(const struct run_options *o, const char *path, struct err *e)
{
	const bool in_session = o->session != NULL;
	char hint[ERR_HINT_MAX];

	(void)snprintf(hint, sizeof hint, "%sambit run %s %s -- %s %s", path == NULL ? "write it to a file: " : "",
		       in_session ? "--session" : "--read", in_session ? o->session : ".", code_argv(o->kind)[0],
		       path != NULL ? path : "FILE"); /* cut is fine */
	return err_set(e, AMBIT_USAGE, hint, "the code in %s has more than %u bytes: run its file as a command",
		       path != NULL ? path : "standard input", CODE_SOURCE_MAX);
}

static int read_source(const struct run_options *o, const char *path, struct buf *b, struct err *e)
{
	auto_fd int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	const char *name = path != NULL ? path : "standard input";
	const uint8_t *nul;
	int r;

	if (path != NULL && file < 0)
		return cannot_read(e, name, errno);
	r = fd_read_into(path != NULL ? file : STDIN_FILENO, b);
	if (r < 0 && r != -EFBIG)
		return cannot_read(e, name, -r);
	if (r == -EFBIG || b->len > CODE_SOURCE_MAX)
		return too_long(o, path, e);
	nul = b->len > 0 ? memchr(b->data, 0, b->len) : NULL;
	return nul == NULL ? 0
			   : err_set(e, AMBIT_USAGE, "code is text: UTF-8, and neither UTF-16 nor a compiled file",
				     "the code in %s has a NUL in it, at byte %zu", name, (size_t)(nul - b->data));
}

int code_read(struct run_options *o, const char *path, struct ambit_error *e)
{
	auto_buf b = { .max = 0 };
	struct err err;
	int r;

	buf_init(&b, CODE_SOURCE_MAX + 1);
	r = read_source(o, path, &b, &err);
	if (r < 0)
		return public_error(e, r, &err);
	o->code[0] = (char *)(uintptr_t)kind_word(o->kind); /* only read */
	o->code[1] = strndup(b.len > 0 ? (const char *)b.data : "", b.len);
	o->event.argv = o->code;
	o->event.code = o->result != NULL ? AMBIT_CODE : AMBIT_CODE_SHOWN;
	if (path == NULL)
		o->event.stream[0] = AMBIT_STREAM_NULL; /* it was read */
	return o->code[1] != NULL ? 0 : cli_misused(e, "ambit run --help", "no memory for the code");
}
