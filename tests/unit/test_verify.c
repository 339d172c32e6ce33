/* A log on disk, in which every bit is changed and every length cut, one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/fd.h"
#include "ledger/entry.h"
#include "ledger/log.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define SIZE 259u /* a full tile of the first level, and one of three */
#define BEHIND 2u /* in the journal */

struct world {
	char dir[64];
	int fd;
	struct log_key key;
	char vkey[VKEY_TEXT_MAX + 1];
	struct report report;
	bool grows; /* when the first tile is opened */
};

static struct world w;

/* ---- a log ---- */

static void make_key(void)
{
	uint8_t seed[crypto_sign_SEEDBYTES] = { 7 }, public[VKEY_PUBLIC_BYTES];
	struct buf text;
	struct err e;

	crypto_sign_seed_keypair(public, w.key.secret, seed);
	assert_int_equal(vkey_init(&w.key.public, VKEY_ED25519, span_of("ambit.test/verify"), public, &e), 0);
	buf_init_in(&text, w.vkey, sizeof w.vkey);
	vkey_put(&text, &w.key.public);
	assert_non_null(buf_cstr(&text));
}

static void add(struct log *l, unsigned n)
{
	struct err e;

	for (unsigned i = 0; i < n; i++) {
		char room[512];
		struct buf out;
		const struct entry entry = { .type = ENTRY_POLICY,
					     .seq = log_size(l),
					     .wall_ms = 1790000000000 + log_size(l),
					     .boot = "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21",
					     .body = { (const uint8_t *)"{}", 2 } };

		buf_init_in(&out, room, sizeof room);
		assert_int_equal(entry_put(&entry, &out, &e), 0);
		assert_int_equal(log_add(l, out.data, out.len, &e), 0);
	}
	assert_int_equal(log_write(l, &e), 0);
	assert_int_equal(log_sync(l, &e), 0);
}

static int make_log(void **state)
{
	struct log_found found;
	struct disk *disk;
	struct log *l;
	struct err e;

	(void)state;
	strcpy(w.dir, "/tmp/ambit-verify.XXXXXX"); /* fits */
	assert_non_null(mkdtemp(w.dir));
	w.fd = open(w.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w.fd >= 0);
	make_key();
	assert_int_equal(disk_create(w.fd, &disk), 0);
	assert_int_equal(log_open(disk, &w.key, &l, &found, &e), 0);
	add(l, SIZE);
	assert_int_equal(log_publish(l, &e), 0);
	add(l, BEHIND);
	log_close(l);
	disk_destroy(disk);
	return 0;
}

static int remove_log(void **state)
{
	char command[128];

	(void)state;
	(void)close(w.fd);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", w.dir);
	return system(command);
}

/* ---- looking ---- */

static bool is_verified(void)
{
	struct snapshot *s;
	struct err e;
	bool good;

	if (snapshot_take(w.dir, w.vkey, SNAPSHOT_KEY | SNAPSHOT_LIST, &s, &e) < 0)
		fail_msg("it cannot be looked at: %s: %s", e.msg, e.why);
	assert_int_equal(verify_log(s, span_of(""), NULL, &w.report, &e), 0);
	good = w.report.n_faults == 0 && w.report.entries == SIZE && s->size == SIZE;
	snapshot_free(s);
	return good;
}

static size_t get(const char *name, uint8_t *bytes, size_t size)
{
	auto_fd int fd = openat(w.fd, name, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd_read_all(fd, bytes, size);

	assert_true(n > 0 && (size_t)n < size);
	return (size_t)n;
}

static void put(const char *name, const uint8_t *bytes, size_t n)
{
	auto_fd int fd = openat(w.fd, name, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(fd_write_all(fd, bytes, n), 0);
}

/* Of each file under the checkpoint: the entries that a fault in it may be told of, and whether that is the file itself. */
static const char *const files[] = { "checkpoint",     "tile/0/000",       "tile/0/001.p/3",
				     "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/3" };

static uint8_t room[128u << 10], changed[128u << 10];

static void expect_told(const char *name, const char *what, size_t at)
{
	if (is_verified())
		fail_msg("%s, %s %zu: nobody noticed", name, what, at);
	if (w.report.n_faults != 1 && strncmp(name, "tile/entries/", 13) != 0 && strcmp(name, "checkpoint") != 0)
		fail_msg("%s, %s %zu: %zu faults, %s: %s", name, what, at, w.report.n_faults, w.report.faults[1].file,
			 w.report.faults[1].why);
	if (strcmp(w.report.faults[0].file, name) != 0)
		fail_msg("%s, %s %zu: told of %s: %s", name, what, at, w.report.faults[0].file, w.report.faults[0].why);
}

/* In the larger files one bit of a byte, another one each time; in the largest here and there. */
static void every_changed_bit_is_told_of_its_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		const size_t n = get(files[i], room, sizeof room), step = n > 1000 ? 53 : 1;

		for (size_t at = 0; at < n; at += step)
			for (unsigned bit = 0; bit < 8; bit++) {
				if (n > 200 && bit != at / step % 8)
					continue;
				memcpy(changed, room, n);
				changed[at] ^= (uint8_t)(1u << bit);
				put(files[i], changed, n);
				expect_told(files[i], "byte", at);
			}
		put(files[i], room, n);
		assert_true(is_verified());
	}
}

static void every_length_that_is_cut_is_told_of_its_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		const size_t n = get(files[i], room, sizeof room), step = n > 1000 ? 53 : 1;

		for (size_t to = 0; to < n; to += step) {
			put(files[i], room, to);
			expect_told(files[i], "cut to", to);
		}
		memcpy(changed, room, n);
		changed[n] = 0;
		put(files[i], changed, n + 1);
		expect_told(files[i], "longer than", n);
		put(files[i], room, n);
	}
	assert_true(is_verified());
}

/* An entry that was changed is named, and so is nothing else. */
static void every_changed_entry_is_named(void **state)
{
	(void)state;
	for (size_t i = 4; i < COUNT_OF(files); i++) {
		const size_t n = get(files[i], room, sizeof room);
		uint64_t index = i == 4 ? 0 : 256;

		for (size_t at = 0; at < n; index++) {
			const size_t len = (size_t)room[at] << 8 | room[at + 1];

			memcpy(changed, room, n);
			changed[at + 2 + len / 2] ^= 4;
			put(files[i], changed, n);
			assert_false(is_verified());
			if (w.report.n_faults != 1 || !w.report.faults[0].has_entry ||
			    w.report.faults[0].entry != index || w.report.entries != SIZE - 1)
				fail_msg("entry %d: %zu faults, the first of %d: %s", (int)index, w.report.n_faults,
					 (int)w.report.faults[0].entry, w.report.faults[0].why);
			at += 2 + len;
		}
		put(files[i], room, n);
		assert_int_equal(index, i == 4 ? 256 : SIZE);
	}
	assert_true(is_verified());
}

/* Nobody signed it: it is told how far it can be read, and nothing fails. */
static void every_length_of_the_journal_is_told(void **state)
{
	const size_t n = get("journal", room, sizeof room);

	(void)state;
	for (size_t to = 0; to <= n; to++) {
		put("journal", room, to);
		assert_true(is_verified());
		assert_int_equal(w.report.unsigned_entries, to == n ? BEHIND : 0);
		assert_int_equal(w.report.n_remarks, to == 0 || to == n ? 0 : 1);
	}
	for (size_t at = 0; at < n; at++) {
		memcpy(changed, room, n);
		changed[at] ^= 1;
		put("journal", changed, n);
		assert_true(is_verified());
		if (w.report.unsigned_entries != 0 || w.report.n_remarks != 1)
			fail_msg("byte %zu of the journal: %d entries, %zu remarks", at, (int)w.report.unsigned_entries,
				 w.report.n_remarks);
	}
	put("journal", room, n);
}

/* ---- a writer beside it ---- */

int __real_openat64(int dir_fd, const char *name, int flags, ...);
int __wrap_openat64(int dir_fd, const char *name, int flags, ...);

/* Three checkpoints more, so that tiles of the one that was read are gone. */
static void grow(void)
{
	struct log_found found;
	struct disk *disk;
	struct log *l;
	struct err e;

	assert_int_equal(disk_create(w.fd, &disk), 0);
	assert_int_equal(log_open(disk, &w.key, &l, &found, &e), 0);
	for (unsigned i = 0; i < 2; i++) {
		add(l, 300);
		assert_int_equal(log_publish(l, &e), 0);
	}
	add(l, 1);
	log_close(l);
	disk_destroy(disk);
}

int __wrap_openat64(int dir_fd, const char *name, int flags, ...)
{
	if (w.grows && strncmp(name, "tile/0/", 7) == 0) {
		w.grows = false;
		grow();
	}
	return __real_openat64(dir_fd, name, flags, 0600);
}

static void a_log_that_grows_meanwhile_is_read_at_one_state(void **state)
{
	struct snapshot *s;
	struct err e;

	(void)state;
	w.grows = true;
	assert_int_equal(snapshot_take(w.dir, w.vkey, SNAPSHOT_KEY | SNAPSHOT_LIST, &s, &e), 0);
	assert_false(w.grows);
	assert_int_equal(s->size, SIZE + BEHIND + 600);
	assert_int_equal(verify_log(s, span_of(""), NULL, &w.report, &e), 0);
	assert_int_equal(w.report.n_faults, 0);
	assert_int_equal(w.report.unsigned_entries, 1);
	assert_int_equal(w.report.n_remarks, 0);
	snapshot_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_changed_bit_is_told_of_its_file),
		cmocka_unit_test(every_length_that_is_cut_is_told_of_its_file),
		cmocka_unit_test(every_changed_entry_is_named),
		cmocka_unit_test(every_length_of_the_journal_is_told),
		cmocka_unit_test(
			a_log_that_grows_meanwhile_is_read_at_one_state), /* the last: it is another log then */
	};

	return cmocka_run_group_tests(tests, make_log, remove_log);
}
