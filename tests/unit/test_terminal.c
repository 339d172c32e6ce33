#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/terminal.h"
#include "relay/termfilter.h"
#include "supervisor/pty.h"

#define PATIENCE_MS 20000
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* The person's terminal: the test holds what is behind the glass, `screen`; ambit holds `tty`. And the cell's pty. */
struct desk {
	int screen, tty;
	int master, cell;
};

static void make_pty(int *ret_master, int *ret_slave)
{
	const struct winsize size = { .ws_row = 30, .ws_col = 100 };

	assert_int_equal(openpty(ret_master, ret_slave, NULL, NULL, &size), 0);
	assert_int_equal(fd_set_cloexec(*ret_master, true), 0);
	assert_int_equal(fd_set_cloexec(*ret_slave, true), 0);
}

static int desk_set_up(void **state)
{
	static struct desk d;

	make_pty(&d.screen, &d.tty);
	make_pty(&d.master, &d.cell);
	*state = &d;
	return 0;
}

static int desk_clear(void **state)
{
	struct desk *d = *state;

	fd_close(&d->screen);
	fd_close(&d->tty);
	fd_close(&d->master);
	fd_close(&d->cell);
	return 0;
}

static bool is_cooked(int fd)
{
	struct termios m;

	assert_int_equal(tcgetattr(fd, &m), 0);
	return (m.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG) && (m.c_oflag & OPOST) != 0;
}

static bool is_raw(int fd)
{
	struct termios m;

	assert_int_equal(tcgetattr(fd, &m), 0);
	return (m.c_lflag & (ICANON | ECHO | ISIG)) == 0 && (m.c_oflag & OPOST) == 0;
}

/* Reads from fd until the text came; fails when it does not come. */
static void expect_text(int fd, const char *text)
{
	char got[1024] = "";
	size_t n = 0;

	while (strstr(got, text) == NULL) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t r;

		if (n + 1 == sizeof got || poll(&p, 1, PATIENCE_MS) <= 0)
			fail_msg("waited in vain for '%s'", text);
		r = read(fd, got + n, sizeof got - 1 - n);
		assert_true(r > 0);
		n += (size_t)r;
		got[n] = 0;
	}
}

static void say(int fd, const char *text)
{
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* What was written on the other side arrives a little later. */
static bool has_input(int fd, int patience_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, patience_ms) == 1;
}

/* ---- modes ---- */

static void raw_and_back(void **state)
{
	struct desk *d = *state;
	struct termios modes;
	auto_terminal t = TERMINAL_NONE;

	assert_int_equal(terminal_save(&t, d->tty, NULL), 0);
	assert_true(is_cooked(d->tty));
	assert_int_equal(terminal_raw(&t, NULL), 0);
	assert_true(is_raw(d->tty));
	say(d->screen, "\033[24;80R");
	assert_true(has_input(d->tty, PATIENCE_MS));
	terminal_restore(&t);
	assert_true(is_cooked(d->tty));
	assert_int_equal(tcgetattr(d->tty, &modes), 0);
	modes.c_lflag &= ~(tcflag_t)ICANON; /* half a line would not show */
	assert_int_equal(tcsetattr(d->tty, TCSANOW, &modes), 0);
	assert_false(has_input(d->tty, 0));
}

static void fails_half_way(struct desk *d)
{
	auto_terminal t = TERMINAL_NONE;

	assert_int_equal(terminal_save(&t, d->tty, NULL), 0);
	assert_int_equal(terminal_raw(&t, NULL), 0);
	assert_int_equal(fd_set_nonblock(d->tty, true), 0);
}

static void every_way_out_restores(void **state)
{
	struct desk *d = *state;

	fails_half_way(d);
	assert_true(is_cooked(d->tty));
	assert_int_equal(fcntl(d->tty, F_GETFL) & O_NONBLOCK, 0);
}

static void what_is_no_terminal_is_refused(void **state)
{
	struct err e = { 0 };
	auto_terminal t = TERMINAL_NONE;
	int pipe_ends[2];

	(void)state;
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	assert_int_equal(terminal_save(&t, pipe_ends[0], &e), -AMBIT_SYSTEM);
	assert_int_equal(e.sys_errno, ENOTTY);
	assert_int_equal(t.fd, -1);
	fd_close(&pipe_ends[0]);
	fd_close(&pipe_ends[1]);
}

static void the_pty_is_as_the_terminal(void **state)
{
	const struct winsize size = { .ws_row = 7, .ws_col = 11 };
	struct desk *d = *state;
	struct termios modes;
	struct winsize got;
	struct pty_settings settings, told = { .known = 0 };
	auto_buf b = { .max = 0 };
	struct rbuf in;

	assert_int_equal(tcgetattr(d->tty, &modes), 0);
	assert_true((modes.c_lflag & ECHO) != 0);
	modes.c_cc[VERASE] = 0x08;
	assert_int_equal(tcsetattr(d->tty, TCSANOW, &modes), 0);
	assert_int_equal(ioctl(d->screen, TIOCSWINSZ, &size), 0);
	pty_read(d->tty, false, &settings);
	buf_init(&b, 256);
	pty_encode(&settings, &b);
	rbuf_init(&in, b.data, b.len);
	pty_decode(&in, &told);
	assert_true(rbuf_done(&in));
	pty_apply(&told, d->master);
	assert_int_equal(tcgetattr(d->cell, &modes), 0);
	assert_int_equal(modes.c_cc[VERASE], 0x08);
	assert_int_equal(modes.c_lflag & ECHO, 0);
	assert_int_equal(modes.c_oflag & ONLCR, 0);
	assert_true((modes.c_lflag & ICANON) != 0);
	assert_int_equal(ioctl(d->cell, TIOCGWINSZ, &got), 0);
	assert_int_equal(got.ws_row, 7);
	assert_int_equal(got.ws_col, 11);
}

static void own_descriptions(void **state)
{
	struct desk *d = *state;
	int pair[2];
	int again;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	again = terminal_open_own(d->tty, O_WRONLY);
	assert_true(again >= 0);
	assert_int_equal(fcntl(again, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(d->tty, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(again, F_GETFD), FD_CLOEXEC);
	fd_close(&again);
	again = terminal_open_own(pair[0], O_RDONLY); /* cannot be opened: the same description */
	assert_true(again >= 3);
	assert_int_equal(fd_set_nonblock(again, true), 0);
	assert_int_equal(fcntl(pair[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	fd_close(&again);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	assert_int_equal(terminal_open_own(-1, O_RDONLY), -1);
}

static void charsets(void **state)
{
	static const struct {
		const char *locale;
		bool is_8bit;
	} rows[] = {
		{ "de_DE.UTF-8", false },
		{ "C.utf8", false },
		{ "C", false },
		{ "", false },
		{ NULL, false },
		{ "POSIX", false },
		{ "de_DE.ISO-8859-1", true },
		{ "ru_RU.KOI8-R", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (terminal_is_8bit(rows[i].locale) != rows[i].is_8bit)
			fail_msg("row %zu", i);
}

/* ---- the relay ---- */

static struct relay_start start_of(const struct desk *d)
{
	return (struct relay_start){
		.path = RELAY, .terminal_in = d->tty, .terminal_out = d->tty, .master = d->master
	};
}

static void await_end(const struct relay_process *r)
{
	struct pollfd p = { .fd = r->pidfd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static void a_relay_from_start_to_end(void **state)
{
	struct desk *d = *state;
	const struct relay_start how = start_of(d);
	auto_terminal t = TERMINAL_NONE;
	auto_relay r = RELAY_NONE;

	assert_int_equal(terminal_save(&t, d->tty, NULL), 0);
	assert_int_equal(terminal_raw(&t, NULL), 0);
	assert_int_equal(relay_start(&how, &r, NULL), 0);
	say(d->cell, "hello\033]0;x\a.");
	expect_text(d->screen, "hello.");
	fd_close(&d->cell);
	await_end(&r);
	assert_int_equal(relay_wait(&r, d->tty, NULL), RELAY_DONE);
	assert_int_equal(r.pidfd, -1);
}

static void descriptors_arrive_in_any_order(void **state)
{
	struct desk *d = *state;
	struct relay_start how = start_of(d);
	auto_relay r = RELAY_NONE;
	int ends[2], far[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(pipe2(far, O_CLOEXEC), 0);
	how.ascii = true;
	how.n_pairs = 1;
	how.pairs[0].word = "out";
	assert_int_equal(d->screen,
			 RELAY_MASTER); /* the pair's end at the number that the master gets, before its turn */
	d->screen = fcntl(d->screen, F_DUPFD_CLOEXEC, 20);
	assert_int_equal(dup3(ends[0], RELAY_MASTER, O_CLOEXEC), RELAY_MASTER);
	fd_close(&ends[0]);
	ends[0] = RELAY_MASTER;
	how.pairs[0].from = ends[0];
	how.pairs[0].to = far[1];
	assert_int_equal(relay_start(&how, &r, NULL), 0);
	fd_close(&ends[0]);
	fd_close(&far[1]);
	say(ends[1], "through");
	expect_text(far[0], "through");
	say(d->cell, "caf\xc3\xa9.");
	expect_text(d->screen, "caf?.");
	fd_close(&ends[1]);
	fd_close(&d->cell);
	await_end(&r);
	assert_int_equal(relay_wait(&r, -1, NULL), RELAY_DONE);
	fd_close(&far[0]);
}

/* A path may name a descriptor whose number the relay's own take. */
static void the_program_may_be_a_descriptor(void **state)
{
	struct desk *d = *state;
	struct relay_start how = start_of(d);
	auto_relay r = RELAY_NONE;
	auto_fd int exe = open(RELAY, O_PATH | O_CLOEXEC);
	char path[64];

	assert_true(exe > RELAY_MASTER); /* the desk's are below; one of them swaps its place with the program */
	assert_int_equal(d->screen, RELAY_MASTER);
	d->screen = fcntl(d->screen, F_DUPFD_CLOEXEC, 20);
	assert_int_equal(dup3(exe, RELAY_MASTER, O_CLOEXEC), RELAY_MASTER);
	fd_close(&exe);
	exe = RELAY_MASTER;
	fd_close(&d->cell);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", exe);
	how.path = path;
	assert_int_equal(relay_start(&how, &r, NULL), 0);
	assert_int_equal(relay_wait(&r, -1, NULL), RELAY_DONE);
}

static void move_high(int *fd)
{
	const int high = fcntl(*fd, F_DUPFD_CLOEXEC, 20);

	assert_true(high >= 20);
	fd_close(fd);
	*fd = high;
}

/* The program, opened in the child, gets the lowest free number: one of the relay's. */
static void low_numbers_may_be_free(void **state)
{
	struct desk *d = *state;
	struct relay_start how;
	auto_relay r = RELAY_NONE;

	fd_close(&d->cell);
	move_high(&d->screen);
	move_high(&d->tty);
	move_high(&d->master);
	how = start_of(d);
	how.n_pairs = 2; /* any descriptors will do */
	how.pairs[0].word = how.pairs[1].word = "in";
	how.pairs[0].from = how.pairs[0].to = how.pairs[1].from = how.pairs[1].to = d->tty;
	assert_int_equal(relay_start(&how, &r, NULL), 0);
	assert_int_equal(relay_wait(&r, -1, NULL), RELAY_DONE);
}

static void a_missing_relay_is_told(void **state)
{
	struct relay_start how = start_of(*state);
	struct err e = { 0 };
	auto_relay r = RELAY_NONE;

	how.path = "/nonexistent/ambit-relay";
	assert_int_equal(relay_start(&how, &r, &e), -AMBIT_NOT_FOUND);
	assert_int_equal(r.pidfd, -1);
	assert_non_null(strstr(e.msg, "/nonexistent/ambit-relay"));
	how.n_pairs = RELAY_PAIRS_MAX + 1;
	assert_int_equal(relay_start(&how, &r, &e), -AMBIT_INTERNAL);
}

static void a_killed_relay_leaves_a_usable_terminal(void **state)
{
	struct desk *d = *state;
	const struct relay_start how = start_of(d);
	auto_terminal t = TERMINAL_NONE;
	auto_relay r = RELAY_NONE;

	assert_int_equal(terminal_save(&t, d->tty, NULL), 0);
	assert_int_equal(terminal_raw(&t, NULL), 0);
	assert_int_equal(relay_start(&how, &r, NULL), 0);
	say(d->cell, "\033[?1049h\033[?1003h");
	expect_text(d->screen, "\033[?1003h");
	assert_int_equal((int)syscall(SYS_pidfd_send_signal, r.pidfd, SIGKILL, NULL, 0), 0);
	assert_int_equal(relay_wait(&r, d->tty, NULL), 128 + SIGKILL);
	expect_text(d->screen, termfilter_reset_all());
}

/* ---- job control: a child is `ambit`, which the test stops and continues as a shell does ---- */

static _Noreturn void be_ambit(struct desk *d)
{
	const struct relay_start how = start_of(d);
	struct terminal t = TERMINAL_NONE;
	struct relay_process r = RELAY_NONE;

	fd_close(&d->cell);
	fd_close(&d->screen);
	if (terminal_save(&t, d->tty, NULL) != 0 || relay_start(&how, &r, NULL) != 0 || terminal_raw(&t, NULL) != 0 ||
	    terminal_suspend(&t, d->master, &r, NULL) != 0 || relay_wait(&r, d->tty, NULL) != RELAY_DONE)
		_exit(1);
	terminal_restore(&t);
	_exit(0);
}

static void suspended_and_continued(void **state)
{
	const struct winsize size = { .ws_row = 5, .ws_col = 6 };
	struct desk *d = *state;
	struct winsize got;
	const pid_t ambit = fork();
	int status;

	if (ambit == 0)
		be_ambit(d);
	assert_int_equal(waitpid(ambit, &status, WUNTRACED), ambit);
	assert_true(WIFSTOPPED(status));
	assert_true(is_cooked(d->tty));
	assert_int_equal(ioctl(d->screen, TIOCSWINSZ, &size), 0);
	say(d->cell, "later");
	assert_false(has_input(d->screen, 100)); /* the relay is stopped as well */
	assert_int_equal(kill(ambit, SIGCONT), 0);
	expect_text(d->screen, "later");
	assert_true(is_raw(d->tty));
	assert_int_equal(ioctl(d->cell, TIOCGWINSZ, &got), 0);
	assert_int_equal(got.ws_row, 5);
	fd_close(&d->cell);
	assert_int_equal(waitpid(ambit, &status, 0), ambit);
	assert_int_equal(status, 0);
	assert_true(is_cooked(d->tty));
}

int main(void)
{
#define AT_A_DESK(f) cmocka_unit_test_setup_teardown(f, desk_set_up, desk_clear)
	static const struct CMUnitTest tests[] = {
		AT_A_DESK(raw_and_back),
		AT_A_DESK(every_way_out_restores),
		cmocka_unit_test(what_is_no_terminal_is_refused),
		AT_A_DESK(the_pty_is_as_the_terminal),
		AT_A_DESK(own_descriptions),
		cmocka_unit_test(charsets),
		AT_A_DESK(a_relay_from_start_to_end),
		AT_A_DESK(descriptors_arrive_in_any_order),
		AT_A_DESK(the_program_may_be_a_descriptor),
		AT_A_DESK(low_numbers_may_be_free),
		AT_A_DESK(a_missing_relay_is_told),
		AT_A_DESK(a_killed_relay_leaves_a_usable_terminal),
		AT_A_DESK(suspended_and_continued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
