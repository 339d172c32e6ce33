/* When it is said that an event stands still: by a /proc of our own making, and a warden that is played. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/freeze.h"
#include "wire/wire.h"

#define MS UINT64_C(1000000)

static char top[32];
static int proc_fd, cell, warden;
static struct freeze f;

static void put(const char *path, const char *text)
{
	char at[128], *slash;
	FILE *file;

	(void)snprintf(at, sizeof at, "%s/%s", top, path);
	for (slash = strchr(at + strlen(top) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		(void)mkdir(at, 0700);
		*slash = '/';
	}
	file = fopen(at, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void thread(unsigned pid, unsigned tid, char state, int call)
{
	char path[64], text[64];

	(void)snprintf(path, sizeof path, "%u/task/%u/stat", pid, tid);
	(void)snprintf(text, sizeof text, "%u (x) R 1) %c 1 3 3 0 -1", tid,
		       state); /* a name like that is anybody's to have */
	put(path, text);
	(void)snprintf(path, sizeof path, "%u/task/%u/syscall", pid, tid);
	(void)snprintf(text, sizeof text, call < 0 ? "running\n" : "%d 0x0 0x0\n", call);
	put(path, text);
}

static int begin(void **state)
{
	int pair[2];

	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/ambit-freeze-XXXXXX");
	if (mkdtemp(top) == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	proc_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cell = pair[0];
	warden = pair[1];
	f = (struct freeze){ .is_wanted = false };
	freeze_init(&f);
	put("self/what", "no number");
	thread(1, 1, 'R', -1); /* the warden does not stand */
	return 0;
}

static int end(void **state)
{
	char command[64];

	(void)state;
	freeze_finish(&f);
	(void)close(proc_fd);
	(void)close(cell);
	(void)close(warden);
	(void)snprintf(command, sizeof command, "rm -r %s", top);
	return system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe): a name of our own */
}

/* How many times the warden was asked since. */
static unsigned asked(enum wire_number what)
{
	uint8_t room[64];
	unsigned n = 0;

	for (;;) {
		auto_message m = { .n_fds = 0 };

		if (wire_receive(warden, WIRE_SUPERVISOR, WIRE_RUNNING, room, sizeof room, &m) <= 0)
			return n;
		assert_int_equal(m.number, what);
		n++;
		f.is_asked = false; /* it answers at once */
	}
}

static void what_stands_is_told_once(void **state)
{
	(void)state;
	thread(3, 3, 'R', -1);
	thread(3, 4, 't', -1);
	freeze_begin(&f, cell, 1 * MS);
	assert_int_equal(asked(WIRE_CELL_FREEZE), 1);
	assert_false(freeze_look(&f, cell, proc_fd, 2 * MS));
	assert_int_equal(f.running, 1);
	assert_false(f.is_true);
	thread(3, 3, 't', -1);
	assert_true(freeze_look(&f, cell, proc_fd, 3 * MS));
	assert_true(f.is_true);
	assert_int_equal(f.threads, 2);
	assert_false(freeze_look(&f, cell, proc_fd, 1002 * MS));
	thread(9, 9, 'S', -1); /* somebody continued one, or one is new: it is held, and that is no news */
	assert_false(freeze_look(&f, cell, proc_fd, 2002 * MS));
	assert_false(f.is_true);
	assert_int_equal(asked(WIRE_CELL_FREEZE), 1);
	assert_int_equal(freeze_total_ms(&f, 2501 * MS), 2500);
	assert_int_equal(freeze_end(&f, cell, 3001 * MS), 3000 * MS);
	assert_int_equal(asked(WIRE_CELL_THAW), 1);
	freeze_begin(&f, cell, 4000 * MS);
	assert_int_equal(freeze_total_ms(&f, 4007 * MS), 3007);
	assert_int_equal(f.times, 2);
}

static void each_state_counts_as_what_it_is(void **state)
{
	static const struct {
		char state;
		int call;
		bool stands;
	} rows[] = {
		{ 't', -1, true },         { 'T', -1, true },        { 'Z', -1, true },
		{ 'X', -1, true },         { 'R', -1, false },       { 'S', SYS_vfork, false },
		{ 'I', -1, false },        { 'D', -1, false },       { 'D', SYS_write, false },
		{ 'D', SYS_vfork, true },  { 'D', SYS_clone, true }, { 'D', SYS_clone3, true },
		{ 'R', SYS_clone, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		thread(3, 3, rows[i].state, rows[i].call);
		f.is_true = false;
		f.clean = 0;
		(void)freeze_look(&f, cell, proc_fd, 0);
		if (f.is_true != rows[i].stands)
			fail_msg("%c in %d", rows[i].state, rows[i].call);
	}
}

/* Told once, and tried on: the warden looks again now and then. */
static void what_does_not_stand_is_told(void **state)
{
	unsigned told = 0, asks = 0;

	(void)state;
	thread(3, 3, 'D', SYS_write);
	freeze_begin(&f, cell, 0);
	for (unsigned ms = 1; ms < FREEZE_PATIENCE_MS; ms += 100) {
		assert_false(freeze_look(&f, cell, proc_fd, ms * MS));
		asks += asked(WIRE_CELL_FREEZE);
	}
	assert_in_range(asks, 2, 20);
	for (unsigned ms = FREEZE_PATIENCE_MS; ms < 2 * FREEZE_PATIENCE_MS; ms += 100)
		told += freeze_look(&f, cell, proc_fd, ms * MS);
	assert_int_equal(told, 1);
	assert_true(f.is_late);
	assert_false(f.is_true);
	thread(3, 3, 't', -1);
	assert_true(freeze_look(&f, cell, proc_fd, 3 * FREEZE_PATIENCE_MS * MS));
	assert_true(f.is_true);
}

/* A /proc that cannot be read shows nothing that runs, and nothing that stands. */
static void what_cannot_be_seen_does_not_stand(void **state)
{
	(void)state;
	freeze_begin(&f, cell, 0);
	assert_false(freeze_look(&f, cell, warden, 1));
	assert_false(f.is_true);
	assert_true(freeze_look(&f, cell, proc_fd, 1)); /* and an empty cell does */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_stands_is_told_once, begin, end),
		cmocka_unit_test_setup_teardown(each_state_counts_as_what_it_is, begin, end),
		cmocka_unit_test_setup_teardown(what_does_not_stand_is_told, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_seen_does_not_stand, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
