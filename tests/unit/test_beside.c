/* What lies beside the log is on disk before its entries are: each that was named, once, and nothing that was planted there holds anybody up. */
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

#include "base/fd.h"
#include "ledger/beside.h"
#include "ledger/layout.h"

#define MANY 5000u

/* ---- syncs are counted, and fail when they are to ---- */

static struct {
	unsigned files, directories; /* that were synced */
	int error;                   /* 0: none fails */
	bool of_directories;         /* it is theirs that fails */
} disk;

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	disk.files++;
	errno = disk.error;
	return disk.error != 0 && !disk.of_directories ? -1 : 0;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	disk.directories++;
	errno = disk.error;
	return disk.error != 0 && disk.of_directories ? -1 : 0;
}

/* ---- a ledger's directory ---- */

struct world {
	char top[64];
	int fd;
	struct beside b;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	memset(&disk, 0, sizeof disk);
	(void)snprintf(w->top, sizeof w->top, "/tmp/ambit-beside-XXXXXX");
	assert_non_null(mkdtemp(w->top));
	w->fd = open(w->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	beside_init(&w->b, w->fd);
	*state = w;
	return w->fd < 0 || mkdirat(w->fd, LEDGER_PAYLOAD, 0700) < 0;
}

static int end(void **state)
{
	struct world *w = *state;
	char command[128];

	beside_finish(&w->b);
	(void)close(w->fd);
	(void)snprintf(command, sizeof command, "rm -rf %s", w->top);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void digest_of(uint32_t number, uint8_t ret[SHA256_BYTES])
{
	memset(ret, 0xab, SHA256_BYTES);
	memcpy(ret, &number, sizeof number);
}

static void name_of(uint32_t number, char ret[PAYLOAD_NAME_MAX + 8])
{
	uint8_t digest[SHA256_BYTES];

	digest_of(number, digest);
	memcpy(ret, LEDGER_PAYLOAD "/", 8);
	payload_name(digest, ret + 8);
}

static void make(struct world *w, uint32_t number)
{
	char name[PAYLOAD_NAME_MAX + 8];
	auto_fd int fd = -1;

	name_of(number, name);
	fd = openat(w->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
}

static int note(struct world *w, uint32_t number)
{
	uint8_t digest[SHA256_BYTES];

	digest_of(number, digest);
	return beside_note(&w->b, digest);
}

/* ---- */

static void each_is_synced_once(void **state)
{
	struct world *w = *state;

	assert_int_equal(beside_settle(&w->b), 0);
	assert_int_equal(disk.files + disk.directories, 0); /* nothing was named */
	for (uint32_t i = 0; i < 3; i++) {
		make(w, i);
		assert_int_equal(note(w, i), 0);
	}
	assert_int_equal(disk.files, 0); /* it waits */
	assert_int_equal(beside_settle(&w->b), 0);
	assert_int_equal(disk.files, 3);
	assert_int_equal(disk.directories, 1);
	assert_int_equal(beside_settle(&w->b), 0);
	assert_int_equal(disk.files, 3);
}

static void more_than_wait_are_settled_on_the_way(void **state)
{
	struct world *w = *state;

	for (uint32_t i = 0; i < MANY; i++) {
		make(w, i);
		assert_int_equal(note(w, i), 0);
	}
	assert_true(disk.files > 0 && disk.files < MANY);
	assert_int_equal(beside_settle(&w->b), 0);
	assert_int_equal(disk.files, MANY);
}

static void a_failure_is_told(void **state)
{
	struct world *w = *state;

	make(w, 1);
	disk.error = EIO;
	assert_int_equal(note(w, 1), 0);
	assert_int_equal(beside_settle(&w->b), -EIO);
	disk.of_directories = true;
	assert_int_equal(note(w, 1), 0);
	assert_int_equal(beside_settle(&w->b), -EIO);
}

static void what_was_planted_holds_nobody_up(void **state)
{
	struct world *w = *state;
	char name[PAYLOAD_NAME_MAX + 8];

	for (uint32_t i = 0; i < 5; i++) {
		name_of(i, name);
		if (i == 1)
			assert_int_equal(symlinkat("/etc/passwd", w->fd, name), 0);
		else if (i == 2)
			assert_int_equal(mkfifoat(w->fd, name, 0600), 0);
		else if (i == 3)
			assert_int_equal(mkdirat(w->fd, name, 0700), 0);
		else if (i == 4)
			make(w, i);
		assert_int_equal(note(w, i), 0);
	}
	assert_int_equal(beside_settle(&w->b), 0);
	assert_int_equal(disk.files, 1);
	assert_int_equal(renameat(w->fd, LEDGER_PAYLOAD, w->fd, "away"), 0);
	assert_int_equal(note(w, 4), 0);
	assert_int_equal(beside_settle(&w->b), 0); /* there is no such directory any more */
	assert_int_equal(symlinkat("away", w->fd, LEDGER_PAYLOAD), 0);
	assert_int_equal(note(w, 4), 0);
	assert_int_equal(beside_settle(&w->b), 0); /* and none is followed */
	assert_int_equal(disk.files, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_synced_once, begin, end),
		cmocka_unit_test_setup_teardown(more_than_wait_are_settled_on_the_way, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_is_told, begin, end),
		cmocka_unit_test_setup_teardown(what_was_planted_holds_nobody_up, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
