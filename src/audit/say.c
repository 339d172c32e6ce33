#include "audit/say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

static uint8_t given[AUDIT_ASK_MAX + 1];

int say_read_ask(struct audit_ask *ret, struct err *e)
{
	const ssize_t n = fd_read_all(STDIN_FILENO, given, sizeof given);

	return n < 0 ? err_sys(e, AMBIT_SYSTEM, (int)-n, NULL, "cannot read what is asked")
		     : audit_ask_decode(given, (size_t)n, ret, e);
}

/* Who is gone is not told. */
static void put_line(const char *text)
{
	(void)fd_write_all(STDERR_FILENO, text, strlen(text));
	(void)fd_write_all(STDERR_FILENO, "\n", 1);
}

void say_progress(void *arg, uint64_t done, uint64_t all)
{
	char line[64];

	(void)arg;
	(void)snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64, done, all); /* it fits */
	put_line(line);
}

verify_progress_fn *say_progress_of(const struct audit_ask *ask)
{
	return (ask->flags & AUDIT_PROGRESS) != 0 ? say_progress : NULL;
}

void say_aside(const char *fmt, ...)
{
	char text[ERR_MSG_MAX] = AUDIT_ASIDE;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text + strlen(AUDIT_ASIDE), sizeof text - strlen(AUDIT_ASIDE), fmt, args); /* cut */
	va_end(args);
	put_line(text);
}

void say_error(const struct err *e)
{
	char text[2 * ERR_LINE_MAX], code[16];
	const char *const parts[] = { e->msg, e->why, e->hint, code };

	(void)snprintf(code, sizeof code, "%d", (int)e->code); /* it fits */
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		(void)text_escape(text, sizeof text, parts[i], strlen(parts[i]));
		put_line(text);
	}
}
