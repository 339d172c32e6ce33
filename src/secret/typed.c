#include "secret/typed.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

static int too_long(const struct typed *t, struct err *e)
{
	return err_set(e, AMBIT_LIMIT, NULL, "the %s is longer than %d bytes", t->words->what, SECRET_VALUE_MAX);
}

static int gone(const struct typed *t, struct err *e)
{
	return err_set(e, AMBIT_GONE, NULL, "who asked for the %s is gone", t->words->what);
}

/* 1: something can be read; 0: who asked is gone. */
static int wait_input(const struct typed *t)
{
	struct pollfd p[2] = { { .fd = t->fd, .events = POLLIN }, { .fd = t->sock, .events = 0 } };

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return 0;
	return p[1].revents == 0;
}

/* Bytes, 0 at the end. */
static int read_some(const struct typed *t, void *ret, size_t n, struct err *e)
{
	for (;;) {
		ssize_t got;

		if (wait_input(t) == 0)
			return gone(t, e);
		got = read(t->fd, ret, n);
		if (got >= 0)
			return (int)got; /* n is small */
		if (errno != EINTR && errno != EAGAIN)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot read the %s", t->words->what);
	}
}

int typed_file(struct typed *t, struct err *e)
{
	int r = 1;

	for (t->n = 0; t->n < sizeof t->bytes && r > 0; t->n += r > 0 ? (size_t)r : 0)
		r = read_some(t, t->bytes + t->n, sizeof t->bytes - t->n, e);
	if (r < 0)
		return r;
	t->n -= t->n > 0 && t->bytes[t->n - 1] == '\n';
	return t->n > SECRET_VALUE_MAX ? too_long(t, e) : 0;
}

/* ---- a terminal ---- */

static bool is_key(const struct termios *t, int which, uint8_t c)
{
	return t->c_cc[which] != 0 && c == t->c_cc[which]; /* 0 is _POSIX_VDISABLE */
}

/* The last character, with all of its bytes. */
static void erase(const uint8_t *bytes, size_t *n)
{
	while (*n > 0 && (bytes[--*n] & 0xc0) == 0x80)
		;
}

static int cancelled(const struct typed *t, struct err *e)
{
	return err_set(e, AMBIT_USAGE, NULL, "%s", t->words->nothing);
}

/* 1: the line goes on; 0: it has ended. */
static int take_key(const struct typed *t, const struct termios *was, uint8_t c, uint8_t *bytes, size_t *n,
		    struct err *e)
{
	if (c == '\n' || c == '\r')
		return 0;
	if (is_key(was, VINTR, c) || is_key(was, VQUIT, c) || (is_key(was, VEOF, c) && *n == 0))
		return cancelled(t, e);
	if (is_key(was, VEOF, c))
		return 0;
	if (is_key(was, VERASE, c) || c == 0x7f || c == '\b')
		erase(bytes, n);
	else if (is_key(was, VKILL, c))
		*n = 0;
	else if (*n <= SECRET_VALUE_MAX)
		bytes[(*n)++] = c; /* one too many is kept, which tells that they are */
	return 1;
}

static int read_line(const struct typed *t, const struct termios *was, uint8_t *bytes, size_t *n, struct err *e)
{
	int r = 1;

	*n = 0;
	while (r > 0) {
		uint8_t c = 0;

		r = read_some(t, &c, 1, e);
		r = r == 0 ? cancelled(t, e) : r < 0 ? r : take_key(t, was, c, bytes, n, e);
	}
	(void)fd_write_all(t->fd, "\n", 1); /* which was not shown; a terminal that is gone says so when it is read */
	return r < 0 ? r : *n > SECRET_VALUE_MAX ? too_long(t, e) : 0;
}

static void say(const struct typed *t, const char *text)
{
	(void)fd_write_all(t->fd, text, strlen(text));
}

static int ask_again(struct typed *t, const struct termios *was, struct err *e)
{
	size_t n = 0;
	int r;

	say(t, "Once more: ");
	r = read_line(t, was, t->again, &n, e);
	if (r == 0 && (n != t->n || sodium_memcmp(t->bytes, t->again, t->n) != 0))
		r = err_set(e, AMBIT_USAGE, "type it again", "the two %ss differ", t->words->what);
	return r;
}

static int ask(struct typed *t, const struct termios *was, const char *prompt, bool twice, struct err *e)
{
	int r;

	say(t, prompt);
	say(t, ", which is not shown: ");
	r = read_line(t, was, t->bytes, &t->n, e);
	return r < 0 || !twice ? r : ask_again(t, was, e);
}

int typed_terminal(struct typed *t, const char *prompt, bool twice, struct err *e)
{
	struct termios was, quiet;
	int r;

	if (tcgetattr(t->fd, &was) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, t->words->otherwise, "cannot ask on this terminal");
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (tcsetattr(t->fd, TCSAFLUSH, &quiet) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, t->words->otherwise,
			       "cannot keep this terminal from showing what is typed");
	r = ask(t, &was, prompt, twice, e);
	(void)tcsetattr(t->fd, TCSAFLUSH, &was); /* a terminal that is gone shows nothing */
	sodium_memzero(t->again, sizeof t->again);
	return r;
}
