/* What the keeper wrote is read again, whichever byte is missing or changed, and whichever call fails. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "authority/book.h"
#include "base/cleanup.h"
#include "base/fd.h"

#define BOOT "00000000-0000-4000-8000-000000000000"
#define OTHER_BOOT "00000000-0000-4000-8000-000000000001"
#define FILE_MAX_BYTES (1u << 20)
#define STEPS 12

static const struct authority_size size = { .badges = 8,
					    .grants = 16,
					    .asks = 4,
					    .keys = 4,
					    .passes = 4,
					    .marks = 4,
					    .agents = 4,
					    .origins = 4,
					    .text = 4096 };

/* ---- calls that fail ---- */

static unsigned calls, fails_at; /* fails_at: of the calls, from 1 on; 0: none */
static bool half;                /* what is written is written by half before that */

static bool fails(void)
{
	errno = ENOSPC;
	return ++calls == fails_at;
}

int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
	return fails() ? -1 : __real_renameat(a, from, b, to);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	return fails() ? -1 : fcntl(fd, F_GETFD) < 0 ? -1 : 0; /* power is lost in other ways here */
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	return fails() ? -1 : fcntl(fd, F_GETFD) < 0 ? -1 : 0; /* power is lost in other ways here */
}

ssize_t __real_pwrite64(int fd, const void *bytes, size_t n, off64_t at);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t n, off64_t at);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	if (!fails())
		return __real_pwrite64(fd, bytes, n, at);
	if (half)
		(void)__real_pwrite64(fd, bytes, n / 2, at);
	errno = ENOSPC;
	return -1;
}

/* ---- a directory ---- */

static char in_memory[] = "/dev/shm/ambit-authority-XXXXXX", on_disk[] = "/tmp/ambit-authority-XXXXXX";
static char *place = in_memory; /* some thousands of files are made */
static int dir_fd = -1;

static void empty_it(void)
{
	static const char *const names[] = { "state", "journal", "state.new", "journal.new" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlinkat(dir_fd, names[i], 0);
}

static size_t read_it(const char *name, uint8_t *ret)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : fd_read_all(fd, ret, FILE_MAX_BYTES);

	assert_true(n >= 0);
	return (size_t)n;
}

static void write_it(const char *name, const uint8_t *bytes, size_t n)
{
	auto_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, n), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(place) == NULL && mkdtemp(place = on_disk) == NULL)
		return -1;
	dir_fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	empty_it();
	fd_close(&dir_fd);
	return rmdir(place);
}

/* ---- what is done ---- */

static struct book_time now = { .now_ms = 1000000, .boot_ms = 5000 };

static int open_book(struct book *b, struct journal_found *found)
{
	static struct err e;
	const int r = book_open(b, dir_fd, &size, BOOT, &now, found, &e);

	if (r < 0)
		book_close(b);
	return r;
}

/* Before anything was done: so nothing passes until RESTART. */
static int open_at_rest(struct book *b, struct journal_found *found)
{
	static const struct book_time before = { .now_ms = 1000000 };
	static struct err e;
	const int r = book_open(b, dir_fd, &size, BOOT, &before, found, &e);

	if (r < 0)
		book_close(b);
	return r;
}

static authority_ref badge, grant;

/* The nth of them, which all change something, and do not depend on what a run before did. */
static bool do_step(struct book *b, unsigned n, struct authority_answer *ret)
{
	struct authority_request q = { .object = "agent", .terms = "", .id = { 1, (uint8_t)n } };

	now.now_ms += 7;
	now.boot_ms += 11;
	if (n == 0) {
		q.op = AUTHORITY_OPEN;
	} else if (n == 1) {
		q.op = AUTHORITY_GIVE;
		q.badge = badge;
		q.verb = VERB_TOOL;
		q.object = "server/tool";
		q.bounds.q.rate = 3;
		q.bounds.q.period_s = 3600;
		q.bounds.rows = 1000;
	} else if (n % 4 == 3) {
		q.op = AUTHORITY_LABEL;
		q.badge = badge;
		q.labels = UINT64_C(1) << n;
	} else {
		q.op = AUTHORITY_USE;
		q.badge = badge;
		q.grant = grant;
		q.verb = VERB_TOOL;
		q.object = "";
		now.boot_ms += 1200000; /* one of the rate's */
	}
	(void)book_step(b, &q, &now, ret);
	if (n == 0)
		badge = ret->made;
	if (n == 1)
		grant = ret->made;
	return ret->verdict == AUTHORITY_ALLOWED;
}

static void put(const struct book *b, struct buf *out)
{
	buf_init(out, FILE_MAX_BYTES);
	buf_put_u64(out, b->steps);
	buf_put_u8(out, (uint8_t)b->n_labels);
	authority_put(b->a, out);
	assert_false(out->failed);
}

static void same(const struct book *b, const struct buf *expected)
{
	auto_buf is = { .max = 0 };

	put(b, &is);
	assert_int_equal(is.len, expected->len);
	assert_memory_equal(is.data, expected->data, is.len);
}

/* RESTART is a step, too. */
static void same_but_number(const struct book *b, const struct buf *expected)
{
	auto_buf is = { .max = 0 };

	put(b, &is);
	assert_int_equal(is.len, expected->len);
	assert_memory_equal(is.data + 8, expected->data + 8, is.len - 8);
}

/* State by state: `after[n]` when n steps were made. */
static struct buf after[STEPS + 1];

static void forget_all(void)
{
	for (unsigned i = 0; i <= STEPS; i++)
		buf_finish(&after[i]);
}

/* Without what RESTART adds to a state: nothing but its number, here, where nothing is lent. */
static bool is_after(const struct book *b, unsigned n)
{
	auto_buf is = { .max = 0 };

	put(b, &is);
	return is.len == after[n].len && memcmp(is.data + 8, after[n].data + 8, is.len - 8) == 0;
}

static void write_all(void)
{
	struct journal_found found;
	struct authority_answer answer;
	struct book b;

	empty_it();
	assert_int_equal(open_book(&b, &found), 0);
	put(&b, &after[0]);
	for (unsigned n = 0; n < STEPS; n++) {
		assert_true(do_step(&b, n, &answer));
		assert_int_equal(book_write(&b), 0);
		assert_int_equal(book_sync(&b), 0);
		put(&b, &after[n + 1]);
	}
	book_close(&b);
}

/* ---- tests ---- */

/* The clock stands still: so what RESTART passes is nothing. */
static void all_is_read_again(void **state)
{
	struct journal_found found;
	struct book b;

	(void)state;
	write_all();
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(open_book(&b, &found), 0);
		assert_true(is_after(&b, STEPS));
		assert_int_equal(found.cut_bytes, 0);
		book_close(&b);
	}
	forget_all();
}

static enum authority_why use_it(struct book *b)
{
	struct authority_request q = {
		.op = AUTHORITY_USE, .object = "", .terms = "", .badge = badge, .grant = grant, .verb = VERB_TOOL
	};
	struct authority_answer answer;

	(void)book_step(b, &q, &now, &answer);
	assert_int_equal(book_write(b), 0);
	return (enum authority_why)answer.why;
}

/* What changes nothing is not kept, and what passed meanwhile is. */
static void refusals_are_not_kept_and_time_is(void **state)
{
	struct authority_request refused = { .op = AUTHORITY_USE, .object = "", .terms = "" };
	struct journal_found found;
	struct authority_answer answer;
	auto_buf is = { .max = 0 };
	struct book b;
	uint64_t end;

	(void)state;
	empty_it();
	assert_int_equal(open_book(&b, &found), 0);
	for (unsigned n = 0; n < STEPS; n++) {
		assert_true(do_step(&b, n, &answer));
		assert_int_equal(book_write(&b), 0);
		end = b.journal.end;
		now.boot_ms += 3;
		assert_false(book_step(&b, &refused, &now, &answer));
		assert_int_equal(answer.why, WHY_NOT_HELD);
		assert_int_equal(book_write(&b), 0);
		assert_int_equal(b.journal.end, end);
		for (unsigned i = 0; n > 0 && i < 8; i++) {
			now.boot_ms += 13;
			(void)use_it(&b); /* of which most are SPENT */
		}
	}
	assert_true(do_step(&b, 15, &answer));
	assert_int_equal(book_write(&b), 0);
	put(&b, &is);
	assert_int_equal(book_again(&b, NULL), 0);
	same(&b, &is);
	book_close(&b);
}

/* A death at any byte: what stands before it is there, nothing else, and it is told; also when something was appended again and lost again. */
static void the_end_is_cut_at_each_byte(void **state)
{
	static uint8_t journal[FILE_MAX_BYTES], snapshot[FILE_MAX_BYTES];
	size_t n, n_state;

	(void)state;
	write_all();
	n = read_it("journal", journal);
	n_state = read_it("state", snapshot);
	for (size_t cut = n; cut-- > 60;) { /* the head is on disk before it has its name */
		struct journal_found found;
		struct book b;
		unsigned steps = 0;

		write_it("state", snapshot, n_state);
		write_it("journal", journal, cut);
		assert_int_equal(open_at_rest(&b, &found), 0);
		while (steps < STEPS && !is_after(&b, steps))
			steps++;
		assert_true(is_after(&b, steps));
		if (cut < n && cut > n - 8)
			assert_true(steps == STEPS - 1 && found.cut_bytes > 0);
		book_close(&b);
		assert_int_equal(open_at_rest(&b, &found), 0);
		assert_true(is_after(&b, steps) && found.cut_bytes == 0);
		book_close(&b);
	}
	for (size_t cut = 0; cut < 60; cut++) {
		struct journal_found found;
		struct book b;

		write_it("state", snapshot, n_state);
		write_it("journal", journal, cut);
		assert_int_equal(open_book(&b, &found), -AMBIT_PROTOCOL);
	}
	forget_all();
}

static void damage(const char *name, size_t from, const uint8_t *bytes, size_t n, size_t until)
{
	static uint8_t changed[FILE_MAX_BYTES], found_there[FILE_MAX_BYTES];

	for (size_t at = from; at < until; at++) {
		struct journal_found found;
		struct book b;

		memcpy(changed, bytes, n);
		changed[at] ^= (uint8_t)(1u << at % 8);
		write_it(name, changed, n);
		assert_int_equal(open_book(&b, &found), -AMBIT_PROTOCOL);
		assert_int_equal(read_it(name, found_there), n);
		assert_memory_equal(found_there, changed, n);
	}
	write_it(name, bytes, n);
}

/* Of what was on disk, any byte: it is told, and nothing is changed. Of the last group nobody knows that it was. */
static void damage_is_told_at_each_byte(void **state)
{
	static uint8_t journal[FILE_MAX_BYTES], snapshot[FILE_MAX_BYTES];
	struct journal_found found;
	struct book b;
	size_t n, n_state, last;

	(void)state;
	write_all();
	n = read_it("journal", journal);
	n_state = read_it("state", snapshot);
	damage("state", 0, snapshot, n_state, n_state);
	last = n - 20 - (1 + 8 + 1 + 1 + 8 + 4 + 24 + AUTHORITY_ID); /* a label's */
	damage("journal", 0, journal, n, last);
	for (size_t at = last; at < n; at++) {
		write_it("state", snapshot, n_state);
		journal[at] ^= 1;
		write_it("journal", journal, n);
		journal[at] ^= 1;
		assert_int_equal(open_at_rest(&b, &found), 0);
		assert_true(is_after(&b, STEPS - 1) && found.cut_bytes > 0);
		book_close(&b);
	}
	forget_all();
}

/* What power took in any order was never on disk for certain: what stands before the first gap counts. */
static void what_was_not_synced_may_go_in_any_order(void **state)
{
	static uint8_t journal[FILE_MAX_BYTES];
	struct journal_found found;
	struct authority_answer answer;
	struct book b;
	uint64_t synced;
	size_t n;

	(void)state;
	empty_it();
	assert_int_equal(open_book(&b, &found), 0);
	put(&b, &after[0]);
	for (unsigned i = 0; i < STEPS; i++) {
		assert_true(do_step(&b, i, &answer));
		assert_int_equal(book_write(&b), 0);
		if (i == 5)
			assert_int_equal(book_sync(&b), 0);
		put(&b, &after[i + 1]);
	}
	synced = b.journal.synced;
	book_close(&b);
	n = read_it("journal", journal);
	memset(journal + synced, 0, 30);
	write_it("journal", journal, n);
	assert_int_equal(open_at_rest(&b, &found), 0);
	assert_true(is_after(&b, 6) && found.cut_bytes == n - synced);
	book_close(&b);
	forget_all();
}

/* Each call fails once: the step has not happened, and the next one does. */
static void a_step_that_fails_has_not_happened(void **state)
{
	(void)state;
	for (unsigned broken = 0; broken < 2; broken++) {
		unsigned failed = 0;

		half = broken == 1;
		for (unsigned at = 1; at < 64; at++) {
			struct journal_found found;
			struct authority_answer answer;
			struct book b;
			auto_buf before = { .max = 0 }, is = { .max = 0 };

			write_all();
			assert_int_equal(open_book(&b, &found), 0);
			put(&b, &before);
			calls = 0;
			fails_at = at;
			assert_true(do_step(&b, 15, &answer));
			if (book_write(&b) < 0) {
				failed++;
				fails_at = 0;
				assert_int_equal(book_again(&b, NULL), 0);
				same(&b, &before);
				assert_true(do_step(&b, 19, &answer));
				assert_int_equal(book_write(&b), 0);
			}
			fails_at = 0;
			put(&b, &is);
			assert_int_equal(book_again(&b, NULL), 0);
			same(&b, &is);
			book_close(&b);
			assert_int_equal(open_book(&b, &found), 0);
			same_but_number(&b, &is);
			book_close(&b);
			forget_all();
		}
		assert_int_equal(failed, 1);
	}
}

/* Each call of a snapshot fails once: the state is the same, whether the process goes on or another one reads. */
static void a_snapshot_that_fails_loses_nothing(void **state)
{
	unsigned failed = 0;

	(void)state;
	half = true;
	for (unsigned at = 1; at < 16; at++) {
		struct journal_found found;
		struct book b;
		auto_buf file = { .max = 0 };
		bool lost = false;
		int r;

		write_all();
		assert_int_equal(open_book(&b, &found), 0);
		calls = 0;
		fails_at = at;
		buf_init(&file, FILE_MAX_BYTES);
		buf_put_u64(&file, b.steps);
		buf_put_text(&file, b.boot, sizeof b.boot);
		buf_put_u64(&file, b.boot_ms);
		buf_put_u8(&file, (uint8_t)b.n_labels);
		for (unsigned i = 0; i < b.n_labels; i++)
			buf_put_str(&file, b.labels[i]);
		authority_put(b.a, &file);
		r = journal_fold(&b.journal, file.data, file.len, &lost);
		fails_at = 0;
		failed += r < 0;
		if (!lost) {
			struct authority_answer answer;

			assert_true(do_step(&b, 15, &answer));
			assert_int_equal(book_write(&b), 0);
			buf_finish(&after[STEPS]);
			put(&b, &after[STEPS]);
		}
		book_close(&b);
		assert_int_equal(open_book(&b, &found), 0);
		assert_true(is_after(&b, STEPS));
		assert_int_equal(found.cut_bytes, 0);
		book_close(&b);
		forget_all();
	}
	assert_int_equal(failed, 8); /* two files, each written and synced, and each renamed and the directory synced */
}

/* A rate of three in an hour: what passed while no process was there counts, within one boot of the machine. */
static void time_goes_on_within_a_boot(void **state)
{
	struct journal_found found;
	static struct err e;
	struct book b;

	(void)state;
	write_all();
	forget_all();
	assert_int_equal(open_book(&b, &found), 0);
	while (use_it(&b) == WHY_NONE)
		;
	assert_int_equal(use_it(&b), WHY_SPENT);
	book_close(&b);
	now.boot_ms += 1200000;
	assert_int_equal(open_book(&b, &found), 0);
	assert_int_equal(use_it(&b), WHY_NONE);
	assert_int_equal(use_it(&b), WHY_SPENT);
	book_close(&b);
	now.boot_ms += 1200000; /* of another boot */
	assert_int_equal(book_open(&b, dir_fd, &size, OTHER_BOOT, &now, &found, &e), 0);
	assert_int_equal(use_it(&b), WHY_SPENT);
	now.boot_ms += 1200000;
	assert_int_equal(use_it(&b), WHY_NONE);
	book_close(&b);
}

static void labels_are_read_again(void **state)
{
	struct journal_found found;
	struct book b;

	(void)state;
	empty_it();
	assert_int_equal(open_book(&b, &found), 0);
	assert_int_equal(book_label(&b, "finance", false), -AMBIT_NOT_FOUND);
	assert_int_equal(book_label(&b, "finance", true), 2);
	assert_int_equal(book_label(&b, "two words", true), -AMBIT_MALFORMED);
	assert_int_equal(book_write(&b), 0);
	assert_int_equal(book_label(&b, "lost", true), 3);
	fails_at = 1;
	calls = 0;
	assert_int_equal(book_write(&b), -ENOSPC);
	fails_at = 0;
	assert_int_equal(book_again(&b, NULL), 0);
	assert_int_equal(book_label(&b, "lost", false), -AMBIT_NOT_FOUND);
	assert_int_equal(book_label(&b, "finance", false), 2);
	book_close(&b);
}

/* A full-size state costs what it uses. */
static void a_new_state_is_small(void **state)
{
	static const struct authority_size large = { .badges = 16384,
						     .grants = 262144,
						     .asks = 1024,
						     .keys = 65536,
						     .passes = 1024,
						     .marks = 16384,
						     .agents = 256,
						     .origins = 4096,
						     .text = 32u << 20 };
	struct journal_found found;
	static struct err e;
	struct stat st;
	struct book b;
	long before = 0, pages = 0;
	FILE *f;

	(void)state;
	empty_it();
	f = fopen("/proc/self/statm", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld", &before), 1);
	(void)fclose(f);
	assert_int_equal(book_open(&b, dir_fd, &large, BOOT, &now, &found, &e), 0);
	f = fopen("/proc/self/statm", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
	(void)fclose(f);
	assert_true(pages - before < 256); /* 1 MiB */
	assert_int_equal(fstatat(dir_fd, "state", &st, 0), 0);
	assert_true(st.st_size < 512);
	book_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_read_again),
		cmocka_unit_test(refusals_are_not_kept_and_time_is),
		cmocka_unit_test(the_end_is_cut_at_each_byte),
		cmocka_unit_test(damage_is_told_at_each_byte),
		cmocka_unit_test(what_was_not_synced_may_go_in_any_order),
		cmocka_unit_test(a_step_that_fails_has_not_happened),
		cmocka_unit_test(a_snapshot_that_fails_loses_nothing),
		cmocka_unit_test(time_goes_on_within_a_boot),
		cmocka_unit_test(labels_are_read_again),
		cmocka_unit_test(a_new_state_is_small),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
