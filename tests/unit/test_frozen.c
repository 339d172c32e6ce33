/* What is frozen, as files: their form, who is held by them, and what is done where the disk says no. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/frozen.h"

#define SESSION "s_01M8C9AH53WTA81NZN3BP0CGXM"
#define OTHER "s_01M8C9AH53WTA81NZN3BP0CGXN"
#define EVENT "e_01M8C9AH53WTA81NZN3BP0CGXM"

static char top[] = "/tmp/ambit-frozen-XXXXXX";
static char place[64];

/* The nth call of these fails. */
static unsigned fails_at, calls;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	errno = EIO;
	return ++calls == fails_at ? -1 : __real_fsync(fd);
}

int __real_linkat(int old, const char *from, int fd, const char *to, int flags);
int __wrap_linkat(int old, const char *from, int fd, const char *to, int flags);
int __wrap_linkat(int old, const char *from, int fd, const char *to, int flags)
{
	errno = ENOSPC;
	return ++calls == fails_at ? -1 : __real_linkat(old, from, fd, to, flags);
}

static int begin(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/ambit-frozen-XXXXXX");
	fails_at = calls = 0;
	if (mkdtemp(top) == NULL)
		return -1;
	(void)snprintf(place, sizeof place, "%s/frozen", top);
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = { FROZEN_ALL, SESSION, OTHER, EVENT, "noise", "" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", place, names[i]);
		(void)remove(path);
	}
	return rmdir(top);
}

static struct frozen word(const char *what, const char *reason)
{
	struct frozen f = { .since_ms = 1790000000123, .by = 1000 };

	(void)snprintf(f.what, sizeof f.what, "%s", what);
	(void)snprintf(f.reason, sizeof f.reason, "%s", reason);
	return f;
}

static void put(const char *what, const char *reason)
{
	const struct frozen f = word(what, reason);

	assert_int_equal(frozen_write(place, &f, NULL), 1);
}

static void the_form_is_checked(void **state)
{
	char longest[FROZEN_REASON_MAX];
	struct frozen f = word(FROZEN_ALL, ""), back;
	uint8_t bytes[FROZEN_BYTES + 1];
	struct buf b;

	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	memcpy(f.reason, longest, sizeof longest);
	buf_init_in(&b, bytes, FROZEN_BYTES);
	frozen_encode(&f, &b);
	assert_false(b.failed);
	assert_int_equal(b.len, FROZEN_BYTES);
	assert_true(frozen_decode(bytes, FROZEN_BYTES, &back));
	assert_int_equal(back.since_ms, f.since_ms);
	assert_int_equal(back.by, 1000);
	assert_string_equal(back.reason, longest);
	bytes[FROZEN_BYTES] = 0;
	assert_false(frozen_decode(bytes, FROZEN_BYTES + 1, &back));
	for (size_t n = 0; n < FROZEN_BYTES; n++)
		assert_false(frozen_decode(bytes, n, &back));
	bytes[FROZEN_BYTES - 1] = 1; /* what stands for nothing */
	assert_false(frozen_decode(bytes, FROZEN_BYTES, &back));
	bytes[FROZEN_BYTES - 1] = 0;
	bytes[20 + FROZEN_REASON_MAX - 1] = 'x'; /* a reason without an end */
	assert_false(frozen_decode(bytes, FROZEN_BYTES, &back));
	bytes[20 + FROZEN_REASON_MAX - 1] = 0;
	bytes[0]++;
	assert_false(frozen_decode(bytes, FROZEN_BYTES, &back));
}

static void each_word_holds_its_own(void **state)
{
	static const struct {
		const char *written, *session, *event;
		int frozen;
	} rows[] = {
		{ FROZEN_ALL, "", "", 1 },   { FROZEN_ALL, SESSION, EVENT, 1 },
		{ SESSION, SESSION, "", 1 }, { SESSION, OTHER, EVENT, 0 },
		{ SESSION, "", "", 0 },      { EVENT, SESSION, EVENT, 1 },
		{ EVENT, SESSION, "", 0 },
	};
	struct frozen f;

	(void)state;
	assert_int_equal(frozen_look(place, SESSION, EVENT, &f), 0); /* there is no directory, yet */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct err e = { .code = AMBIT_OK };

		put(rows[i].written, "because");
		assert_int_equal(frozen_look(place, rows[i].session, rows[i].event, &f), rows[i].frozen);
		assert_int_equal(frozen_refuse(place, rows[i].session, rows[i].event, &e),
				 rows[i].frozen ? -AMBIT_FROZEN : 0);
		if (rows[i].frozen) {
			assert_string_equal(f.what, rows[i].written);
			assert_string_equal(f.reason, "because");
			assert_string_equal(e.why, "user 1000: because");
			assert_non_null(strstr(e.hint, strcmp(f.what, FROZEN_ALL) == 0 ? "thaw --all" : f.what));
		}
		assert_int_equal(frozen_remove(place, rows[i].written, NULL), 1);
		assert_int_equal(frozen_remove(place, rows[i].written, NULL), 0);
		assert_int_equal(frozen_look(place, rows[i].session, rows[i].event, &f), 0);
	}
}

static void the_first_word_stays(void **state)
{
	const struct frozen later = word(FROZEN_ALL, "later");
	struct frozen f;

	(void)state;
	put(FROZEN_ALL, "first");
	assert_int_equal(frozen_write(place, &later, NULL), 0);
	assert_int_equal(frozen_look(place, "", "", &f), 1);
	assert_string_equal(f.reason, "first");
}

static void what_cannot_be_told_is_frozen(void **state)
{
	struct err e = { .code = AMBIT_OK };
	char path[128];
	struct frozen f;

	(void)state;
	put(FROZEN_ALL, "x");
	(void)snprintf(path, sizeof path, "%s/" FROZEN_ALL, place);
	assert_int_equal(truncate(path, 7), 0);
	assert_int_equal(frozen_look(place, "", "", &f), 1);
	assert_int_equal(f.since_ms, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(frozen_look(place, "", "", &f), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_int_equal(frozen_look(place, "", "", &f), -ELOOP);
	assert_int_equal(frozen_refuse(place, "", "", &e), -AMBIT_FROZEN);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(place), 0);
	assert_int_equal(symlink("/dev/null", place), 0);
	assert_int_equal(frozen_look(place, "", "", &f), -ENOTDIR);
	assert_int_equal(unlink(place), 0);
	assert_int_equal(frozen_refuse(place, "", "", &e), 0);
}

static void count(void *user, const struct frozen *f)
{
	*(unsigned *)user += f->by == 1000 ? 1 : 100;
}

static void all_are_listed(void **state)
{
	unsigned n = 0;
	char path[128];

	(void)state;
	assert_int_equal(frozen_list(place, count, &n, NULL), 0);
	put(FROZEN_ALL, "");
	put(SESSION, "");
	put(EVENT, "");
	(void)snprintf(path, sizeof path, "%s/noise", place);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	assert_int_equal(frozen_list(place, count, &n, NULL), 0);
	assert_int_equal(n, 3);
}

/* At each step: told, and either frozen or as it was; a name that nobody wrote does not stay. */
static void a_disk_that_fails_is_told(void **state)
{
	const struct frozen f = word(SESSION, "x");
	struct err e = { .code = AMBIT_OK };
	unsigned failed = 0;

	(void)state;
	for (fails_at = 1;; fails_at++) {
		int r;

		calls = 0;
		r = frozen_write(place, &f, &e);
		if (r == 1)
			break;
		assert_int_equal(r, -AMBIT_SYSTEM);
		assert_string_not_equal(e.hint, "");
		(void)frozen_remove(place, SESSION, NULL);
		assert_int_equal(rmdir(place), 0); /* empty */
		failed++;
	}
	assert_int_equal(failed, 3);
}

static void the_place_is_beside_the_store(void **state)
{
	char ret[GRANT_OBJECT_MAX];

	(void)state;
	assert_true(frozen_place("/home/ann/.local/state/ambit/stages", ret));
	assert_string_equal(ret, "/home/ann/.local/state/ambit/frozen");
	assert_false(frozen_place("", ret));
	assert_false(frozen_place("stages", ret));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_form_is_checked, begin, end),
		cmocka_unit_test_setup_teardown(each_word_holds_its_own, begin, end),
		cmocka_unit_test_setup_teardown(the_first_word_stays, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_told_is_frozen, begin, end),
		cmocka_unit_test_setup_teardown(all_are_listed, begin, end),
		cmocka_unit_test_setup_teardown(a_disk_that_fails_is_told, begin, end),
		cmocka_unit_test_setup_teardown(the_place_is_beside_the_store, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
