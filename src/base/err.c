#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct code_row {
	enum ambit_code code;
	const char *name;
	const char *text;
	int exit_status;
	int rpc;
};

static const struct code_row code_rows[] = {
#define CODE_ROW(n, number, t, exit_st, rpc_number)                                                                    \
	{ .code = AMBIT_##n, .name = #n, .text = (t), .exit_status = (exit_st), .rpc = (rpc_number) },
	AMBIT_CODES(CODE_ROW)
#undef CODE_ROW
};

static const struct code_row *row_of(int code)
{
	const int positive = code < 0 ? -code : code;

	for (size_t i = 0; i < sizeof code_rows / sizeof code_rows[0]; i++)
		if ((int)code_rows[i].code == positive)
			return &code_rows[i];
	return row_of(AMBIT_INTERNAL);
}

const char *err_code_name(int code)
{
	return row_of(code)->name;
}

const char *err_code_text(int code)
{
	return row_of(code)->text;
}

int err_code_exit(int code)
{
	return row_of(code)->exit_status;
}

int err_code_rpc(int code)
{
	return row_of(code)->rpc;
}

void err_clear(struct err *e)
{
	if (e != NULL)
		*e = (struct err){ .code = AMBIT_OK };
}

static void fill(struct err *e, enum ambit_code code, const char *hint, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));
static void fill(struct err *e, enum ambit_code code, const char *hint, const char *fmt, va_list ap)
{
	const int saved = errno;

	e->code = code;
	e->sys_errno = 0;
	e->why[0] = 0;
	(void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);                         /* cut is fine */
	(void)snprintf(e->hint, sizeof e->hint, "%s", hint != NULL ? hint : ""); /* likewise */
	errno = saved;
}

int err_set(struct err *e, enum ambit_code code, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -(int)code;
	va_start(ap, fmt);
	fill(e, code, hint, fmt, ap);
	va_end(ap);
	return -(int)code;
}

/* What to do about errors that have nothing to do with what was tried. */
static const char *usual_hint(int sys_errno)
{
	switch (sys_errno) {
	case EMFILE: return "raise the limit on open files (ulimit -n)";
	case ENFILE: return "the whole machine has too many open files: close some, or raise fs.file-max";
	case ENOMEM: return "free some memory, or raise the limit on it (ulimit -v)";
	case EAGAIN: return "too many processes: end some, or raise the limit (ulimit -u)";
	case ENOSPC: return "free some space";
	case ENOSYS:
		return "the kernel is older than 5.13, or a filter around this process (a container's) refuses the call";
	default: return NULL;
	}
}

int err_sys(struct err *e, enum ambit_code code, int sys_errno, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -(int)code;
	va_start(ap, fmt);
	fill(e, code, hint != NULL ? hint : usual_hint(sys_errno), fmt, ap);
	va_end(ap);
	e->sys_errno = sys_errno;
	(void)snprintf(e->why, sizeof e->why, "%s", strerror(sys_errno));
	return -(int)code;
}

int err_why(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(e->why, sizeof e->why, fmt, ap); /* cut is fine */
	va_end(ap);
	return code;
}

int err_context(struct err *e, int code, const char *fmt, ...)
{
	char tail[ERR_MSG_MAX];
	va_list ap;
	int n;

	if (e == NULL)
		return code;
	memcpy(tail, e->msg, sizeof tail);
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof e->msg)
		(void)snprintf(e->msg + n, sizeof e->msg - (size_t)n, ": %s", tail);
	return -(int)e->code;
}

void err_line(const struct err *e, char room[ERR_LINE_MAX])
{
	(void)snprintf(room, ERR_LINE_MAX, "%s%s%s", e->msg, e->why[0] != 0 ? ": " : "", e->why); /* it fits */
}
