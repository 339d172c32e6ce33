/* What is remembered of a stage, whether it outlives the machine, and the removal of one that nothing was written to. As root all of
 * it is tried as a user who has no power over modes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "stage/durable.h"
#include "stage/store.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ORDINARY 64123 /* user and group id of nobody */
#define BOOT "01234567-89ab-cdef-0123-456789abcdef"
#define OTHER "11234567-89ab-cdef-0123-456789abcdef"

/* ---- calls that sync: noted, and made to fail ---- */

static struct {
	char log[64]; /* a letter each: S syncfs, T of the other file system; f fsync of a file, d of a directory; r a rename */
	dev_t other; /* 0: there is none */
	int syncfs_error, fsync_error;
} calls;

static int note(const char *letter, int error)
{
	const size_t at = strlen(calls.log);

	(void)snprintf(calls.log + at, sizeof calls.log - at, "%s", letter);
	errno = error;
	return error != 0 ? -1 : 0;
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return note(calls.other != 0 && st.st_dev == calls.other ? "T" : "S", calls.syncfs_error);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return note(S_ISDIR(st.st_mode) ? "d" : "f", calls.fsync_error);
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	(void)note("r", 0);
	return __real_renameat(from_fd, from, to_fd, to);
}

/* ---- a store of two trees on one file system ---- */

struct room {
	char top[64], store[80];
	struct stage stage;
	struct stage_meta *meta;
};

static bool room_open(struct room *room)
{
	const char *tmp = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
	struct err e = { .code = AMBIT_OK };
	int r;

	(void)snprintf(room->top, sizeof room->top, "%.40s/store-XXXXXX", tmp);
	assert_non_null(mkdtemp(room->top));
	(void)snprintf(room->store, sizeof room->store, "%s/stages", room->top);
	room->meta = calloc(1, sizeof *room->meta);
	assert_non_null(room->meta);
	(void)snprintf(room->meta->event, sizeof room->meta->event, "e_test");
	(void)snprintf(room->meta->boot, sizeof room->meta->boot, BOOT);
	room->meta->n_trees = 2;
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(room->meta->trees[i].real, STAGE_PATH_MAX, "%s/tree%u", room->top, i);
		assert_int_equal(mkdir(room->meta->trees[i].real, 0755), 0);
	}
	r = stage_create(room->store, room->meta, &room->stage, &e);
	if (r == -AMBIT_HOST)
		return false;
	if (r < 0)
		fail_msg("%s: %s", e.msg, e.why);
	memset(&calls, 0, sizeof calls);
	return true;
}

static void room_close(struct room *room)
{
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(rmdir(room->meta->trees[i].real), 0);
	assert_int_equal(rmdir(room->store), 0);
	assert_int_equal(rmdir(room->top), 0);
	free(room->meta);
}

/* ---- */

static size_t encoded(const struct stage_meta *m, uint8_t *room, size_t size)
{
	struct buf b;
	size_t n;

	buf_init(&b, STAGE_META_MAX);
	stage_meta_encode(&b, m);
	n = b.len;
	assert_false(b.failed);
	assert_true(b.len <= size);
	memcpy(room, b.data, b.len);
	buf_finish(&b);
	return n;
}

static void sample(struct stage_meta *m)
{
	*m = (struct stage_meta){ .event = "e_test",
				  .state = STAGE_KEPT,
				  .why = STAGE_WHY_FAILED,
				  .started_ns = 1,
				  .ended_ns = 2,
				  .keep_until_ns = 3,
				  .commits = 4,
				  .bytes = 5,
				  .boot = BOOT,
				  .disk = STAGE_DISK_ALL,
				  .command = "make",
				  .n_trees = 1,
				  .n_names = 1 };
	m->trees[0] = (struct stage_tree){
		.real = "/tree", .dir = "/store/0", .dev = 6, .ino = 7, .part_ino = 8, .whole = true
	};
	(void)snprintf(m->names[0], STAGE_PATH_MAX, "/tree/.env");
}

static int decoded(const uint8_t *bytes, size_t n, struct stage_meta *ret)
{
	struct rbuf r;

	rbuf_init(&r, bytes, n);
	return stage_meta_decode(&r, ret, NULL);
}

static void meta_is_read_as_it_was_written(void **state)
{
	static struct stage_meta m, again;
	static uint8_t bytes[65536], cut[65536];
	size_t n;

	(void)state;
	sample(&m);
	n = encoded(&m, bytes, sizeof bytes);
	assert_int_equal(decoded(bytes, n, &again), 0);
	assert_string_equal(again.boot, BOOT);
	assert_int_equal(again.disk, STAGE_DISK_ALL);
	assert_int_equal(again.bytes, 5);
	assert_string_equal(again.command, "make");
	assert_string_equal(again.names[0], "/tree/.env");
	assert_int_equal(encoded(&again, cut, sizeof cut), n);
	assert_memory_equal(bytes, cut, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(decoded(bytes, i, &again), -AMBIT_MALFORMED);
	bytes[n] = 0;
	assert_int_equal(decoded(bytes, n + 1, &again), -AMBIT_MALFORMED);
}

/* What lies next to each other in the bytes: the boot, and then one byte. */
static void meta_is_checked(void **state)
{
	static struct stage_meta m, again;
	static uint8_t bytes[65536];
	uint8_t *boot;
	size_t n;

	(void)state;
	sample(&m);
	n = encoded(&m, bytes, sizeof bytes);
	boot = memmem(bytes, n, BOOT, strlen(BOOT));
	assert_non_null(boot);
	for (unsigned disk = 0; disk < 256; disk++) {
		boot[strlen(BOOT)] = (uint8_t)disk;
		assert_int_equal(decoded(bytes, n, &again), disk <= STAGE_DISK_LAST ? 0 : -AMBIT_MALFORMED);
	}
	boot[strlen(BOOT)] = 0;
	bytes[0] = 1; /* the version before: it knew nothing of boots */
	assert_int_equal(decoded(bytes, n, &again), -AMBIT_MALFORMED);
}

static void what_may_be_missing(void **state)
{
	static const struct {
		uint32_t disk;
		const char *ran, *now;
		bool incomplete;
		const char *why; /* of refusing it */
	} rows[] = {
		{ STAGE_DISK_NOT_YET, BOOT, BOOT, false, "" },
		{ STAGE_DISK_NOT_YET, BOOT, OTHER, true, "the machine went down before they were on disk" },
		{ STAGE_DISK_NOT_YET, "", "", true, "the machine went down before they were on disk" },
		{ STAGE_DISK_NOT_YET, "", BOOT, true, "the machine went down before they were on disk" },
		{ STAGE_DISK_NOT_YET, BOOT, "", true, "the machine went down before they were on disk" },
		{ STAGE_DISK_ALL, BOOT, BOOT, false, "" },
		{ STAGE_DISK_ALL, BOOT, OTHER, false, "" },
		{ STAGE_DISK_ALL, "", "", false, "" },
		{ STAGE_DISK_FAILED, BOOT, BOOT, true, "not all of them could be written to disk" },
		{ STAGE_DISK_FAILED, BOOT, OTHER, true, "not all of them could be written to disk" },
		{ STAGE_DISK_GOING, BOOT, BOOT, true, "their removal began, and did not end" },
	};
	static struct stage_meta m;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = { .code = AMBIT_OK };

		sample(&m);
		m.disk = rows[i].disk;
		(void)snprintf(m.boot, sizeof m.boot, "%s", rows[i].ran);
		if (durable_is_incomplete(&m, rows[i].now) != rows[i].incomplete)
			fail_msg("row %zu", i);
		if (!rows[i].incomplete)
			continue;
		assert_int_equal(durable_refuse(&m, "commit", &e), -AMBIT_UNTRUSTED);
		assert_string_equal(e.msg, "cannot commit e_test: its changes may be incomplete");
		assert_string_equal(e.why, rows[i].why);
		assert_string_not_equal(e.hint, "");
	}
}

static void the_boot_is_one(void **state)
{
	char boot[STAGE_BOOT_MAX], again[STAGE_BOOT_MAX];

	(void)state;
	durable_boot(boot);
	durable_boot(again);
	assert_string_equal(boot, again);
	assert_int_equal(strlen(boot), 36);
	assert_int_equal(strspn(boot, "0123456789abcdef-"), 36);
}

/* One sync of each file system, then the description, its bytes before its name. */
static void keeping_syncs(void **state)
{
	static const struct {
		int syncfs_error, fsync_error;
		int synced, written;
		uint32_t disk;
		const char *log;
	} rows[] = {
		{ 0, 0, 0, 0, STAGE_DISK_ALL, "Sfrd" },
		{ EIO, 0, -AMBIT_SYSTEM, 0, STAGE_DISK_FAILED, "Sfrd" },
		{ ENOSPC, 0, -AMBIT_SYSTEM, 0, STAGE_DISK_FAILED, "Sfrd" },
		{ 0, EIO, 0, -AMBIT_SYSTEM, STAGE_DISK_ALL, "Sf" },
	};
	struct room room;

	(void)state;
	if (!room_open(&room))
		skip();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = { .code = AMBIT_OK };

		memset(&calls, 0, sizeof calls);
		calls.syncfs_error = rows[i].syncfs_error;
		calls.fsync_error = rows[i].fsync_error;
		room.meta->disk = STAGE_DISK_NOT_YET;
		assert_int_equal(durable_sync(&room.stage, room.meta, &e), rows[i].synced);
		assert_int_equal(e.sys_errno, rows[i].syncfs_error);
		assert_int_equal(room.meta->disk, rows[i].disk);
		assert_int_equal(stage_write_meta(&room.stage, room.meta, STAGE_WRITE_NOW, &e), rows[i].written);
		if (strcmp(calls.log, rows[i].log) != 0)
			fail_msg("row %zu: %s", i, calls.log);
	}
	memset(&calls, 0, sizeof calls);
	assert_int_equal(durable_sync_stage(&room.stage, room.meta->n_trees, NULL), 0);
	assert_string_equal(calls.log, ""); /* a commit syncs it with its parts */
	assert_int_equal(stage_write_meta(&room.stage, room.meta, STAGE_WRITE_CACHED, NULL), 0);
	assert_string_equal(calls.log, "r");
	assert_int_equal(stage_write_meta(&room.stage, room.meta, STAGE_WRITE_WHOLE, NULL), 0);
	assert_string_equal(calls.log, "rfr");
	assert_int_equal(stage_remove_untouched(room.store, &room.stage, room.meta), 0);
	room_close(&room);
}

/* Where the stage lies on another file system than its parts, what describes them is synced, too, and after them. */
static void the_stage_may_lie_elsewhere(void **state)
{
	struct err e = { .code = AMBIT_OK };
	struct room room;
	struct stat here, there;
	int own;

	(void)state;
	if (!room_open(&room))
		skip();
	own = room.stage.dir_fd;
	room.stage.dir_fd = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fstat(own, &here) == 0 && fstat(room.stage.dir_fd, &there) == 0 && here.st_dev != there.st_dev) {
		calls.other = there.st_dev;
		assert_int_equal(durable_sync(&room.stage, room.meta, NULL), 0);
		assert_string_equal(calls.log, "ST");
		calls.log[0] = 0;
		assert_int_equal(durable_sync_stage(&room.stage, room.meta->n_trees, NULL), 0);
		assert_string_equal(calls.log, "T");
		calls.syncfs_error = EIO;
		assert_int_equal(durable_sync_stage(&room.stage, room.meta->n_trees, &e), -AMBIT_SYSTEM);
		assert_int_equal(e.sys_errno, EIO);
	} else {
		print_message("not tried: /dev/shm is no other file system\n");
	}
	if (room.stage.dir_fd >= 0)
		(void)close(room.stage.dir_fd);
	room.stage.dir_fd = own;
	assert_int_equal(stage_remove_untouched(room.store, &room.stage, room.meta), 0);
	room_close(&room);
}

/* As an overlay leaves its work directory: with or without `volatile`, or never mounted. */
static void an_untouched_one_goes(void **state)
{
	static const char *const made[] = { "work/work", "work/work/incompat", "work/work/incompat/volatile" };

	(void)state;
	for (size_t depth = 0; depth <= COUNT_OF(made); depth++) {
		struct room room;

		if (!room_open(&room))
			skip();
		for (unsigned part = 0; part < 2; part++) {
			const int fd = room.stage.part_fd[part];

			for (size_t i = 0; i < depth; i++)
				assert_int_equal(mkdirat(fd, made[i], 0700), 0);
			if (depth == COUNT_OF(made))
				assert_int_equal(mknodat(fd, "work/work/incompat/volatile/dirty", S_IFREG, 0), 0);
			for (size_t i = depth; i-- > 0;)
				assert_int_equal(fchmodat(fd, made[i], 0, 0), 0);
		}
		assert_true(stage_is_untouched(&room.stage, room.meta));
		assert_int_equal(stage_remove_untouched(room.store, &room.stage, room.meta), 0);
		room_close(&room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meta_is_read_as_it_was_written),
		cmocka_unit_test(meta_is_checked),
		cmocka_unit_test(what_may_be_missing),
		cmocka_unit_test(the_boot_is_one),
		cmocka_unit_test(keeping_syncs),
		cmocka_unit_test(the_stage_may_lie_elsewhere),
		cmocka_unit_test(an_untouched_one_goes),
	};

	if (geteuid() == 0 && (setgid(ORDINARY) != 0 || setuid(ORDINARY) != 0))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
