/* What lies beside the log: its writer dies and fails at every step; names, rows and entries that are none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/payload.h"
#include "base/fd.h"
#include "ledger/layout.h"
#include "ledger/result.h"
#include "lib/payload.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define RECORD "{\"v\":1}\n"

/* ---- calls that end the process, or fail, when their turn comes ---- */

static struct {
	int left;       /* calls until then; negative: never */
	int error;      /* 0: it dies */
	char done[256]; /* the calls so far, a letter each */
} fate = { .left = -1 };

static bool meets_fate(char call)
{
	const size_t n = strlen(fate.done);

	if (n + 1 < sizeof fate.done)
		fate.done[n] = call;
	if (fate.left < 0 || fate.left-- > 0)
		return false;
	if (fate.error == 0)
		_exit(77);
	errno = fate.error;
	return true;
}

int __real_mkdirat(int at, const char *name, mode_t mode);
int __wrap_mkdirat(int at, const char *name, mode_t mode);
int __wrap_mkdirat(int at, const char *name, mode_t mode)
{
	return meets_fate('m') ? -1 : __real_mkdirat(at, name, mode);
}

int __real_openat64(int at, const char *name, int flags, mode_t mode);
int __wrap_openat64(int at, const char *name, int flags, mode_t mode);
int __wrap_openat64(int at, const char *name, int flags, mode_t mode)
{
	return meets_fate('o') ? -1 : __real_openat64(at, name, flags, mode);
}

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	return meets_fate('w') ? -1 : __real_write(fd, bytes, n);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat st;

	return meets_fate(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? 'd' : 'f') ? -1 : __real_fsync(fd);
}

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how)
{
	return meets_fate('l') ? -1 : __real_flock(fd, how);
}

/* ---- a ledger's directory ---- */

struct world {
	char top[64];
	int fd;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	(void)snprintf(w->top, sizeof w->top, "/tmp/ambit-payload-XXXXXX");
	assert_non_null(mkdtemp(w->top));
	w->fd = open(w->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = w;
	return w->fd < 0;
}

static int end(void **state)
{
	struct world *w = *state;
	char command[128];

	fate.left = -1;
	(void)close(w->fd);
	(void)snprintf(command, sizeof command, "rm -rf %s", w->top);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static int write_one(struct world *w, struct err *e)
{
	struct payload p;
	auto_fd int dir_fd = -1;

	return payload_write(w->fd, RECORD, strlen(RECORD), &dir_fd, &p, e);
}

/* Whole, under the name that its bytes have. */
static bool is_whole(int dir_fd, const char *name)
{
	uint8_t bytes[256], got[SHA256_BYTES], want[SHA256_BYTES];
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd_read_all(fd, bytes, sizeof bytes);
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, bytes, (size_t)n);
	sha256_end(&s, got);
	return n == PAYLOAD_SALT + (ssize_t)strlen(RECORD) && payload_name_take(name, strlen(name), want) &&
	       memcmp(got, want, sizeof got) == 0 && memcmp(bytes + PAYLOAD_SALT, RECORD, strlen(RECORD)) == 0;
}

/* How many are whole, and how many are not. */
static unsigned whole_ones(struct world *w, unsigned *ret_torn)
{
	auto_fd int fd = openat(w->fd, LEDGER_PAYLOAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(dup(fd));
	const struct dirent *d;
	unsigned whole = 0;

	*ret_torn = 0;
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		if (is_whole(fd, d->d_name))
			whole++;
		else
			++*ret_torn;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return whole;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* fresh: each time in a ledger that has had no payload yet. */
static void die_at_any_step(struct world *w, bool fresh, unsigned steps)
{
	unsigned deaths = 0, torn, before = 0;
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s/" LEDGER_PAYLOAD, w->top);
	for (int step = 0;; step++, deaths++) {
		int status;
		pid_t child;

		if (fresh) {
			assert_int_equal(system(command), 0);
			before = 0;
		}
		child = fork();
		if (child == 0) {
			fate.left = step;
			_exit(write_one(w, NULL) == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0));
		assert_in_range(whole_ones(w, &torn), before, before + 1); /* what was not told may be there */
		before = whole_ones(w, &torn);
		if (WEXITSTATUS(status) == 0)
			break;
	}
	assert_int_equal(deaths, steps);
	assert_true(before == 1 && torn == (fresh ? 0 : 2));
	assert_int_equal(write_one(w, NULL), 0); /* nothing that was left is in the way */
}

static void whoever_writes_dies_at_any_step(void **state)
{
	struct world *w = *state;

	assert_int_equal(mkdirat(w->fd, LEDGER_PAYLOAD, 0700), 0);
	die_at_any_step(w, false, strlen("oloww"));
	die_at_any_step(w, true, strlen("omoloww"));
}

static void every_failure_is_told_and_leaves_nothing(void **state)
{
	static const int errors[] = { ENOSPC, EIO, EDQUOT };
	struct world *w = *state;
	unsigned torn;

	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		for (int step = 0;; step++) {
			struct err e = { .code = AMBIT_OK };
			const int fds = open_fds();
			int r;

			fate.left = step;
			fate.error = errors[i];
			r = write_one(w, &e);
			assert_int_equal(open_fds(), fds);
			if (fate.left >= 0) {
				fate.left = -1;
				assert_int_equal(r, 0);
				break;
			}
			assert_true(r < 0 && r == -(int)e.code && e.msg[0] != 0 && e.why[0] != 0);
			(void)whole_ones(w, &torn);
			assert_int_equal(torn, 0);
		}
	}
}

static void nobody_waits_for_the_disk(void **state)
{
	struct world *w = *state;

	memset(fate.done, 0, sizeof fate.done);
	assert_int_equal(write_one(w, NULL), 0);
	assert_string_equal(fate.done, "omoloww"); /* the lock before the file, and no sync */
}

static void the_lock_is_held_until_the_entry_is_there(void **state)
{
	struct world *w = *state;
	auto_fd int dir_fd = -1, other = -1;
	struct payload p;

	assert_int_equal(payload_write(w->fd, RECORD, strlen(RECORD), &dir_fd, &p, NULL), 0);
	assert_int_equal(p.size, strlen(RECORD));
	other = openat(w->fd, LEDGER_PAYLOAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fd_lock(other, 0), -EWOULDBLOCK);
	assert_int_equal(write_one(w, NULL), 0); /* others write as well */
	fd_close(&dir_fd);
	assert_int_equal(fd_lock(other, 0), 0);
}

static void what_is_too_long_is_not_written(void **state)
{
	struct world *w = *state;
	struct payload p = { .size = 7 };
	struct err e;
	int dir_fd = -1;
	uint8_t *bytes = calloc(PAYLOAD_MAX + 1, 1);
	unsigned torn;

	assert_non_null(bytes);
	assert_int_equal(payload_write(w->fd, bytes, PAYLOAD_MAX + 1, &dir_fd, &p, &e), -AMBIT_LIMIT);
	assert_true(dir_fd == -1 && p.size == 7 && whole_ones(w, &torn) == 0);
	assert_int_equal(payload_write(w->fd, bytes, PAYLOAD_MAX, &dir_fd, &p, &e), 0);
	assert_int_equal(p.size, PAYLOAD_MAX);
	(void)close(dir_fd);
	free(bytes);
}

/* ---- names, rows, entries ---- */

#define HEX "0123456789abcdef"
#define NAME HEX HEX HEX HEX

static void names_that_are_none(void **state)
{
	static const char *const none[] = { "",
					    NAME "0",
					    HEX HEX HEX "0123456789abcde",
					    "0123456789ABCDEF" HEX HEX HEX,
					    HEX HEX HEX "0123456789abcdeg",
					    HEX HEX HEX "0123456789abcde/",
					    " " HEX HEX HEX "0123456789abcde" };
	uint8_t digest[SHA256_BYTES];
	char again[PAYLOAD_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++)
		if (payload_name_take(none[i], strlen(none[i]), digest))
			fail_msg("'%s' is taken", none[i]);
	assert_true(payload_name_take(NAME, strlen(NAME), digest));
	payload_name(digest, again);
	assert_string_equal(again, NAME);
}

static void rows_that_are_none(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t byte;
	} rows[] = { { "a flag that is none", 16, 4 },
		     { "a size over the limit", 24 + 3, 0x10 },
		     { "another prefix", 64, 's' },
		     { "a letter of no id", 64 + 5, 'i' },
		     { "an id of no possible time", 66, '8' },
		     { "something behind the id", 64 + ID_LEN, 'x' } };
	struct audit_row row = { .seq = 41,
				 .wall_ms = 7,
				 .flags = AUDIT_ROW_PRUNED,
				 .payload.size = PAYLOAD_MAX,
				 .event = "e_01M8DNE24ECCTG32HASREWXH6C" };
	auto_buf out = { .max = 2 * AUDIT_ROW_BYTES };
	struct audit_row got;
	struct rbuf r;

	(void)state;
	audit_row_encode(&row, &out);
	assert_int_equal(out.len, AUDIT_ROW_BYTES);
	rbuf_init(&r, out.data, out.len);
	assert_true(audit_row_decode(&r, &got) && rbuf_done(&r) && memcmp(&got, &row, sizeof row) == 0);
	for (size_t n = 0; n < out.len; n++) {
		rbuf_init(&r, out.data, n);
		assert_false(audit_row_decode(&r, &got));
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const uint8_t before = out.data[rows[i].at];

		out.data[rows[i].at] = rows[i].byte;
		rbuf_init(&r, out.data, out.len);
		if (audit_row_decode(&r, &got))
			fail_msg("%s is taken", rows[i].name);
		out.data[rows[i].at] = before;
	}
}

static void entries_and_their_payloads(void **state)
{
	static const struct {
		const char *name, *body;
		int rc;
	} rows[] = {
		{ "a record", "{\"digest\":\"" NAME "\",\"size\":9,\"version\":1}", 1 },
		{ "as large as may be", "{\"digest\":\"" NAME "\",\"size\":134217728,\"version\":4294967295}", 1 },
		{ "with more in it", "{\"digest\":\"" NAME "\",\"of\":\"x\",\"size\":9,\"version\":1}", 1 },
		{ "of nothing", "{}", 0 },
		{ "too large", "{\"digest\":\"" NAME "\",\"size\":134217729,\"version\":1}", -AMBIT_MALFORMED },
		{ "a version too high", "{\"digest\":\"" NAME "\",\"size\":9,\"version\":4294967296}",
		  -AMBIT_MALFORMED },
		{ "no size", "{\"digest\":\"" NAME "\",\"version\":1}", -AMBIT_MALFORMED },
		{ "no version", "{\"digest\":\"" NAME "\",\"size\":9}", -AMBIT_MALFORMED },
		{ "a short digest", "{\"digest\":\"" HEX "\",\"size\":9,\"version\":1}", -AMBIT_MALFORMED },
		{ "a path", "{\"digest\":\"../ledger.key\",\"size\":9,\"version\":1}", -AMBIT_MALFORMED },
		{ "no text", "{\"digest\":7,\"size\":9,\"version\":1}", -AMBIT_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct entry entry = { .type = ENTRY_RESULT,
				       .body = { .at = (const uint8_t *)rows[i].body, .n = strlen(rows[i].body) } };
		struct payload p;

		if (payload_of(&entry, &p) != rows[i].rc)
			fail_msg("%s: gives %d", rows[i].name, payload_of(&entry, &p));
		entry.type = ENTRY_EFFECT;
		assert_int_equal(payload_of(&entry, &p), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whoever_writes_dies_at_any_step, begin, end),
		cmocka_unit_test_setup_teardown(every_failure_is_told_and_leaves_nothing, begin, end),
		cmocka_unit_test_setup_teardown(nobody_waits_for_the_disk, begin, end),
		cmocka_unit_test_setup_teardown(the_lock_is_held_until_the_entry_is_there, begin, end),
		cmocka_unit_test_setup_teardown(what_is_too_long_is_not_written, begin, end),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(rows_that_are_none),
		cmocka_unit_test(entries_and_their_payloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
