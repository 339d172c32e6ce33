/* What is kept of a session: what was answered for is there whichever call fails, and results go in the order in which their events ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "session/shelf.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define DAY UINT64_C(86400000)
#define SESSION "s_01ARZ3NDEKTSV4RRFFQ69G5FAV"
#define EVENT "e_01ARZ3NDEKTSV4RRFFQ69G5FAV"

/* ---- calls that fail ---- */

static unsigned calls, fails_at, syncs; /* fails_at: of the calls, from 1 on; 0: none */

static bool fails(void)
{
	errno = ENOSPC;
	return ++calls == fails_at;
}

#define WRAPPED(name, parameters, arguments)                                                                           \
	int __real_##name parameters;                                                                                  \
	int __wrap_##name parameters;                                                                                  \
	int __wrap_##name parameters                                                                                   \
	{                                                                                                              \
		return fails() ? -1 : __real_##name arguments;                                                         \
	}

WRAPPED(mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAPPED(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAPPED(fsync, (int fd), (fd))
WRAPPED(ftruncate64, (int fd, off64_t size), (fd, size))

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	syncs++;
	return fails() ? -1 : __real_fdatasync(fd);
}

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	return fails() ? -1 : __real_write(fd, bytes, n);
}

/* A full disk takes a part of it. */
ssize_t __real_pwrite64(int fd, const void *bytes, size_t n, off64_t at);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t n, off64_t at);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	return __real_pwrite64(fd, bytes, fails() ? n / 3 : n, at);
}

int __real_openat64(int fd, const char *path, int flags, ...);
int __wrap_openat64(int fd, const char *path, int flags, ...);
int __wrap_openat64(int fd, const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = va_arg(more, mode_t);
	va_end(more);
	return fails() ? -1 : __real_openat64(fd, path, flags, mode);
}

/* ---- a session ---- */

static char top[] = "/tmp/ambit-test-shelf-XXXXXX";
static int sessions_fd = -1;

static int begin(void **state)
{
	(void)state;
	strcpy(top + strlen(top) - 6, "XXXXXX");
	sessions_fd = mkdtemp(top) != NULL ? open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	calls = fails_at = syncs = 0;
	return sessions_fd < 0 ? -1 : 0;
}

static int finish(void **state)
{
	char command[64];

	(void)state;
	(void)close(sessions_fd);
	(void)snprintf(command, sizeof command, "rm -rf %s", top);
	return system(command);
}

static int make(struct shelf *s)
{
	struct session_row row = { .state = SESSION_IDLE, .made_ms = 1 };
	struct buf nothing = { .max = 0 };
	struct err e;

	shelf_init(s);
	strcpy(row.session, SESSION);
	return shelf_make(s, sessions_fd, &row, &nothing, &e);
}

static int reopen(struct shelf *s)
{
	struct session_row row;
	struct buf description;
	struct err e;
	int r;

	shelf_finish(s);
	buf_init(&description, 1024);
	r = shelf_open(s, sessions_fd, SESSION, &row, &description, &e);
	buf_finish(&description);
	return r;
}

static int take(struct shelf *s, const char *key)
{
	struct shelf_asked asked = { .taken_ms = 5, .event = EVENT, .command = "make" };
	struct err e;

	(void)snprintf(asked.key, sizeof asked.key, "%s", key);
	return shelf_take(s, &asked, "run", 3, &e);
}

static int end(struct shelf *s, uint64_t n, uint64_t ended_ms, size_t bytes)
{
	struct event_row row = {
		.n = n, .state = EVENT_OVER, .taken_ms = 5, .begun_ms = 5, .ended_ms = ended_ms, .out_bytes = bytes
	};
	const int fd = shelf_file(s, n, SHELF_OUT, O_WRONLY | O_CREAT);
	struct err e;

	row.outcome = (struct event_outcome){ .cause = CAUSE_EXITED, .workspace = WORKSPACE_NONE };
	if (fd >= 0) {
		(void)!ftruncate(fd, (off_t)bytes);
		(void)close(fd);
	}
	return shelf_end(s, &row, &e);
}

/* ---- what must be true ---- */

/* Three events are taken and two ended; each call fails once. Whatever was answered for is there when the session is opened again. */
static void what_was_answered_for_is_there(void **state)
{
	unsigned n_calls = 0;

	(void)state;
	for (fails_at = 0; fails_at <= n_calls; fails_at++) {
		struct shelf s;
		struct event_row row;
		uint64_t taken[3] = { 0 }, ended = 0, lost;
		const int made = (calls = 0, make(&s));

		for (unsigned i = 0; made == 0 && i < COUNT(taken); i++)
			if (take(&s, i == 1 ? "" : i == 0 ? "a" : "b") == 0)
				taken[i] = s.next - 1;
		if (made == 0 && taken[0] != 0 && end(&s, taken[0], 9, 10) == 0)
			ended = taken[0];
		n_calls = fails_at == 0 ? calls : n_calls;
		calls = UINT32_MAX / 2; /* none fails any more */
		if (made == 0) {
			lost = s.next - 1;
			assert_int_equal(reopen(&s), 0);
			assert_true(s.next > lost || taken[2] == 0);
			for (unsigned i = 0; i < COUNT(taken); i++) {
				struct shelf_asked asked;

				if (taken[i] == 0)
					continue;
				assert_true(shelf_read(&s, taken[i], &row));
				assert_int_equal(row.state, taken[i] == ended ? EVENT_OVER : EVENT_TAKEN);
				if (i != 1)
					assert_int_equal(shelf_find(&s, i == 0 ? "a" : "b", &asked), taken[i]);
			}
			assert_int_equal(take(&s, "c"), 0);
		}
		shelf_finish(&s);
		assert_int_equal(finish(NULL), 0);
		strcpy(top + strlen(top) - 6, "XXXXXX");
		sessions_fd = mkdtemp(top) != NULL ? open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	}
	assert_true(n_calls > 20);
}

static void one_with_a_key_is_on_disk_when_it_is_taken(void **state)
{
	struct shelf s;

	(void)state;
	assert_int_equal(make(&s), 0);
	syncs = 0;
	assert_int_equal(take(&s, ""), 0);
	assert_int_equal(syncs, 0);
	assert_int_equal(take(&s, "key"), 0);
	assert_int_equal(syncs, 1);
	shelf_finish(&s);
}

static bool is_pruned(const struct shelf *s, uint64_t n)
{
	struct event_row row;

	return shelf_read(s, n, &row) && (row.flags & EVENT_PRUNED) != 0;
}

/* The first one runs on while the others end, and then ends last. */
static void what_runs_keeps_nothing_else(void **state)
{
	struct shelf s;

	(void)state;
	assert_int_equal(make(&s), 0);
	for (uint64_t n = 1; n <= 5; n++) {
		assert_int_equal(take(&s, ""), 0);
		if (n > 1)
			assert_int_equal(end(&s, n, 10 * n, 400), 0);
	}
	shelf_prune(&s, 1000, DAY, 60);
	assert_true(is_pruned(&s, 2) && is_pruned(&s, 3) && !is_pruned(&s, 4) && !is_pruned(&s, 5) &&
		    !is_pruned(&s, 1));
	assert_int_equal(end(&s, 1, 70, 400), 0);
	for (unsigned again = 0; again < 2; again++) {
		shelf_prune(&s, 1000, DAY, 80);
		assert_true(is_pruned(&s, 4) && !is_pruned(&s, 5) && !is_pruned(&s, 1));
		assert_int_equal(s.oldest, 1);
		assert_int_equal(reopen(&s), 0);
	}
	shelf_prune(&s, 1000, 100, 165);
	assert_true(is_pruned(&s, 5) && !is_pruned(&s, 1));
	shelf_prune(&s, 1000, 100, 171);
	assert_true(is_pruned(&s, 1));
	assert_int_equal(s.oldest, 6);
	assert_int_equal(reopen(&s), 0);
	assert_true(is_pruned(&s, 1) && is_pruned(&s, 5));
	assert_int_equal(take(&s, ""), 0);
	assert_int_equal(end(&s, 6, 200, 5000), 0);
	shelf_prune(&s, 1000, DAY, 210);
	assert_false(is_pruned(&s, 6)); /* it is the last */
	assert_int_equal(take(&s, ""), 0);
	assert_int_equal(end(&s, 7, 220, 10), 0);
	shelf_prune(&s, 1000, DAY, 230);
	assert_true(is_pruned(&s, 6) && !is_pruned(&s, 7));
	shelf_finish(&s);
}

static void the_most_that_are_kept(void **state)
{
	struct retain r = { .ring = NULL };
	struct retained one;

	(void)state;
	for (uint64_t n = 1; n <= 3 * RETAIN_EVENTS; n++) {
		assert_int_equal(retain_add(&r, &(struct retained){ .n = n, .ended_ms = n, .bytes = 1 }), 0);
		while (retain_next(&r, UINT64_MAX, DAY, n, &one))
			assert_int_equal(one.n, n - RETAIN_EVENTS);
	}
	assert_true(r.count == RETAIN_EVENTS && r.bytes == RETAIN_EVENTS && r.room < 2 * RETAIN_EVENTS);
	retain_finish(&r);
}

/* What an interrupted event cost counts, and one that never began costs nothing. */
static void interrupted_ones_cost(void **state)
{
	struct event_row row = { .n = 1, .state = EVENT_INTERRUPTED, .begun_ms = 1000, .ended_ms = 3500 };
	struct shelf s;
	struct err e;

	(void)state;
	assert_int_equal(make(&s), 0);
	assert_int_equal(take(&s, ""), 0);
	assert_int_equal(take(&s, ""), 0);
	assert_int_equal(shelf_end(&s, &row, &e), 0);
	row = (struct event_row){ .n = 2, .state = EVENT_INTERRUPTED, .ended_ms = 9000 };
	assert_int_equal(shelf_end(&s, &row, &e), 0);
	for (unsigned again = 0; again < 2; again++) {
		assert_int_equal(s.wall_ms, 2500);
		assert_int_equal(s.cpu_ms, 2500);
		assert_int_equal(reopen(&s), 0);
	}
	shelf_finish(&s);
}

/* ---- labels ---- */

static int end_labelled(struct shelf *s, uint64_t n, const char *labels)
{
	struct event_row row = { .n = n, .state = EVENT_OVER, .taken_ms = 5, .begun_ms = 5, .ended_ms = 9 };
	struct err e;

	row.outcome = (struct event_outcome){ .cause = CAUSE_EXITED, .workspace = WORKSPACE_NONE };
	strcpy(row.labels.text, labels);
	return shelf_end(s, &row, &e);
}

static const char *labels_of(const struct shelf *s, uint64_t n)
{
	static struct event_row row;

	assert_true(shelf_read(s, n, &row));
	return row.labels.text;
}

static void labels_have_their_names_when_it_is_opened_again(void **state)
{
	static const char *const rows[] = { "", "private", "?", "mail,private", "untrusted,mail", "" };
	static const char *const told[] = {
		"", "private", "?", "private,mail", "mail,untrusted", ""
	}; /* in their own order */
	struct shelf s;

	(void)state;
	assert_int_equal(make(&s), 0);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		assert_int_equal(take(&s, ""), 0);
		assert_int_equal(end_labelled(&s, i + 1, rows[i]), 0);
	}
	for (unsigned again = 0; again < 2; again++) {
		for (unsigned i = 0; i < COUNT(rows); i++)
			assert_string_equal(labels_of(&s, i + 1), told[i]);
		assert_int_equal(reopen(&s), 0);
	}
	shelf_finish(&s);
}

/* Each call fails once: what ended with a label never ended with none. */
static void no_label_is_lost(void **state)
{
	unsigned n_calls = 0;

	(void)state;
	for (unsigned at = 0; at <= n_calls; at++) {
		const char *found;
		struct shelf s;
		int ended;

		calls = fails_at = 0;
		assert_int_equal(make(&s), 0);
		assert_int_equal(take(&s, ""), 0);
		calls = 0;
		fails_at = at;
		ended = end_labelled(&s, 1, "private");
		n_calls = at == 0 ? calls : n_calls;
		calls = UINT32_MAX / 2;
		for (unsigned again = 0; again < 2 && ended == 0; again++) {
			found = labels_of(&s, 1);
			if (strcmp(found, "private") != 0 && (strcmp(found, "?") != 0 || at == 0))
				fail_msg("call %u fails, and the label is '%s'", at, found);
			assert_int_equal(reopen(&s), 0);
		}
		shelf_finish(&s);
		assert_int_equal(finish(NULL), 0);
		assert_int_equal(begin(NULL), 0);
	}
	assert_true(n_calls > 3);
}

static void more_than_have_a_bit_are_unknown(void **state)
{
	struct shelf s;
	char name[16];

	(void)state;
	assert_int_equal(make(&s), 0);
	for (uint64_t n = 1; n <= SHELF_LABELS_MAX + 1; n++) {
		assert_int_equal(take(&s, ""), 0);
		(void)snprintf(name, sizeof name, "label-%u", (unsigned)n);
		assert_int_equal(end_labelled(&s, n, name), 0);
	}
	assert_int_equal(reopen(&s), 0);
	assert_string_equal(labels_of(&s, SHELF_LABELS_MAX), "label-63");
	assert_string_equal(labels_of(&s, SHELF_LABELS_MAX + 1), "?");
	shelf_finish(&s);
}

static void damaged_names_are_none(void **state)
{
	static const char *const wrong[] = { "private", "private\nPublic\n", "\n",
					     "0123456789012345678901234567890123\n" };
	struct shelf s;

	(void)state;
	assert_int_equal(make(&s), 0);
	assert_int_equal(take(&s, ""), 0);
	assert_int_equal(end_labelled(&s, 1, "private"), 0);
	for (unsigned i = 0; i < COUNT(wrong); i++) {
		const int fd = openat(s.dir_fd, SHELF_LABELS, O_WRONLY | O_TRUNC);

		assert_int_equal(write(fd, wrong[i], strlen(wrong[i])), strlen(wrong[i]));
		(void)close(fd);
		assert_true(reopen(&s) < 0);
	}
	shelf_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_answered_for_is_there, begin, finish),
		cmocka_unit_test_setup_teardown(one_with_a_key_is_on_disk_when_it_is_taken, begin, finish),
		cmocka_unit_test_setup_teardown(what_runs_keeps_nothing_else, begin, finish),
		cmocka_unit_test(the_most_that_are_kept),
		cmocka_unit_test_setup_teardown(interrupted_ones_cost, begin, finish),
		cmocka_unit_test_setup_teardown(labels_have_their_names_when_it_is_opened_again, begin, finish),
		cmocka_unit_test_setup_teardown(no_label_is_lost, begin, finish),
		cmocka_unit_test_setup_teardown(more_than_have_a_bit_are_unknown, begin, finish),
		cmocka_unit_test_setup_teardown(damaged_names_are_none, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
