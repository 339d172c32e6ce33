/* What is remembered of a stage, whether it outlives the machine, and the removal of one that nothing was written to; claims. As root all
 * of it is tried as a user who has no power over modes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "stage/claim.h"
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

/* ---- calls that wait and lock, where claims are tried: no time passes ---- */

static struct {
	bool on;
	char log[64]; /* a letter each: L the store is locked, U let go of; C a claim is locked, c without being had */
	int store_fd; /* of who commits: lets go of the store after `waits` looks */
	int waits;    /* -1: never */
	int waited;
	int swept_fd; /* >= 0: the store, of which all claims go just before the first is locked */
} locks;

static void sweep(int store_fd)
{
	(void)unlinkat(store_fd, CLAIM_PREFIX "e_new", 0);
	locks.swept_fd = -1;
}

int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	if (!locks.on)
		return __real_poll(fds, n, timeout);
	if (++locks.waited == locks.waits)
		assert_int_equal(__real_flock(locks.store_fd, LOCK_UN), 0);
	return 0;
}

int __wrap_flock(int fd, int operation)
{
	const size_t at = strlen(locks.log);
	struct stat st;
	int r;

	if (!locks.on)
		return __real_flock(fd, operation);
	assert_int_equal(fstat(fd, &st), 0);
	if (!S_ISDIR(st.st_mode) && locks.swept_fd >= 0)
		sweep(locks.swept_fd);
	r = __real_flock(fd, operation);
	if (S_ISDIR(st.st_mode) && r < 0) /* looked at again */
		return r;
	(void)snprintf(locks.log + at, sizeof locks.log - at, "%s",
		       S_ISDIR(st.st_mode) ? (operation == LOCK_UN ? "U" : "L") : (r < 0 ? "c" : "C"));
	return r;
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

/* ---- claims ---- */

struct claims {
	char store[64];
	int fd; /* owned */
};

static void claims_open(struct claims *c)
{
	(void)snprintf(c->store, sizeof c->store, "%.40s/claim-XXXXXX",
		       getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(c->store));
	c->fd = open(c->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(c->fd >= 0);
}

static void claims_close(struct claims *c)
{
	assert_int_equal(rmdir(c->store), 0); /* nothing is left in it */
	assert_int_equal(close(c->fd), 0);
}

static void claims_are_found_by_path(void **state)
{
	static const struct {
		const char *trees[3], *path;
		bool found;
	} rows[] = {
		{ { "/a/b" }, "/a/b", true },
		{ { "/a/b" }, "/a", true },
		{ { "/a/b" }, "/", true },
		{ { "/a/b" }, "/a/b/c/d", true },
		{ { "/a/b" }, "/a/c", false },
		{ { "/a/b" }, "/a/bc", false },
		{ { "/a/bc" }, "/a/b", false },
		{ { "/a/b" }, "/b", false },
		{ { "/" }, "/a", true },
		{ { "/" }, "/", true },
		{ { "/a", "/b", "/c" }, "/b/x", true },
		{ { "/a", "/b", "/c" }, "/c", true },
		{ { "/a", "/b", "/c" }, "/d", false },
	};
	char event[STAGE_ID_MAX];
	struct claims c;

	(void)state;
	claims_open(&c);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t n = 0;
		int fd = -1;

		while (n < COUNT_OF(rows[i].trees) && rows[i].trees[n] != NULL)
			n++;
		assert_false(claim_find(c.fd, rows[i].path, event));
		assert_int_equal(claim_make(c.fd, "e_new", rows[i].trees, n, &fd, NULL), 0);
		if (claim_find(c.fd, rows[i].path, event) != rows[i].found ||
		    strcmp(event, rows[i].found ? "e_new" : "") != 0)
			fail_msg("row %zu: '%s'", i, event);
		claim_end(c.fd, "e_new", &fd);
		assert_int_equal(fd, -1);
		assert_false(claim_find(c.fd, rows[i].path, event));
	}
	claims_close(&c);
}

static void one_of_several_claims_is_found(void **state)
{
	const char *const trees[] = { "/a", "/b" };
	char event[STAGE_ID_MAX];
	int fd[2] = { -1, -1 };
	struct claims c;

	(void)state;
	claims_open(&c);
	assert_int_equal(claim_make(c.fd, "e_1", &trees[0], 1, &fd[0], NULL), 0);
	assert_int_equal(claim_make(c.fd, "e_2", &trees[1], 1, &fd[1], NULL), 0);
	assert_true(claim_find(c.fd, "/a", event));
	assert_string_equal(event, "e_1");
	assert_true(claim_find(c.fd, "/b", event));
	assert_string_equal(event, "e_2");
	assert_false(claim_find(c.fd, "/c", event));
	claim_end(c.fd, "e_1", &fd[0]);
	assert_false(claim_find(c.fd, "/a", event));
	assert_true(claim_find(c.fd, "/b", event));
	claim_end(c.fd, "e_2", &fd[1]);
	claims_close(&c);
}

/* Unlocked it is a leftover, whatever it holds, and goes. Locked, and not of ours, it claims everything. */
static void claims_are_not_believed(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
		off_t size; /* 0: as the bytes are */
		bool found; /* for /tree, while it is locked */
		const char *event;
	} rows[] = {
		{ "e_x", "/other", 7, 0, false, "" }, /* the twin */
		{ "e_x", "/tree", 6, 0, true, "e_x" },
		{ "e_x", "", 0, 0, true, "e_x" },
		{ "e_x", "/other", 6, 0, true, "e_x" },
		{ "e_x", "/other\0/fur", 11, 0, true, "e_x" },
		{ "e_x", "\0", 1, 0, true, "e_x" },
		{ "e_x", "/other\0", 8, 0, true, "e_x" },
		{ "e_x", "other", 6, 0, true, "e_x" },
		{ "e_x", "/other/../tree", 15, 0, true, "e_x" },
		{ "e_x", "/other/", 8, 0, true, "e_x" },
		{ "e_x", "/other", 7, 64, true, "e_x" }, /* zeroes behind it */
		{ "e_x", "/other", 7, (off_t)CLAIM_BYTES_MAX + 1, true, "e_x" },
		{ "e_x", "/other", 7, (off_t)1 << 40, true, "e_x" },
		{ "nothing", "/tree", 6, 0, true, "" },
		{ "e_0123456789012345678901234567890123456789", "/tree", 6, 0, true, "" },
	};
	char event[STAGE_ID_MAX], name[80];
	struct claims c;

	(void)state;
	claims_open(&c);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int fd;

		(void)snprintf(name, sizeof name, CLAIM_PREFIX "%s", rows[i].name);
		fd = openat(c.fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, rows[i].bytes, rows[i].n), (ssize_t)rows[i].n);
		if (rows[i].size != 0)
			assert_int_equal(ftruncate(fd, rows[i].size), 0);
		assert_int_equal(flock(fd, LOCK_EX), 0);
		if (claim_find(c.fd, "/tree", event) != rows[i].found || strcmp(event, rows[i].event) != 0)
			fail_msg("row %zu: '%s'", i, event);
		assert_int_equal(faccessat(c.fd, name, F_OK, 0), 0);
		assert_int_equal(close(fd), 0);
		if (claim_find(c.fd, "/tree", event) || faccessat(c.fd, name, F_OK, 0) == 0)
			fail_msg("row %zu: a leftover", i);
	}
	claims_close(&c);
}

/* As large as one may be, and a byte more: that is not read. */
static void a_claim_is_read_to_a_bound(void **state)
{
	char event[STAGE_ID_MAX];
	struct claims c;

	(void)state;
	claims_open(&c);
	for (size_t more = 0; more < 2; more++) {
		const size_t size = CLAIM_BYTES_MAX + more;
		const int fd = openat(c.fd, CLAIM_PREFIX "e_x", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		char *bytes = malloc(size);

		assert_true(fd >= 0);
		assert_non_null(bytes);
		memset(bytes, 'o', size);
		for (size_t at = 0; at < CLAIM_BYTES_MAX;
		     at += 1024) { /* paths of 1023 bytes; the last may be longer */
			bytes[at] = '/';
			if (at != 0)
				bytes[at - 1] = 0;
		}
		bytes[size - 1] = 0;
		assert_int_equal(write(fd, bytes, size), (ssize_t)size);
		assert_int_equal(flock(fd, LOCK_EX), 0);
		assert_int_equal(claim_find(c.fd, "/tree", event), more != 0);
		free(bytes);
		assert_int_equal(close(fd), 0);
	}
	assert_false(claim_find(c.fd, "/tree", event)); /* a leftover */
	claims_close(&c);
}

static void what_is_no_file_is_no_claim(void **state)
{
	char event[STAGE_ID_MAX];
	struct claims c;

	(void)state;
	claims_open(&c);
	assert_int_equal(mkdirat(c.fd, CLAIM_PREFIX "e_directory", 0700), 0);
	assert_int_equal(symlinkat("/etc/passwd", c.fd, CLAIM_PREFIX "e_link"), 0);
	assert_int_equal(mkfifoat(c.fd, CLAIM_PREFIX "e_fifo", 0600), 0);
	assert_false(claim_find(c.fd, "/tree", event));
	assert_int_equal(unlinkat(c.fd, CLAIM_PREFIX "e_fifo", 0), 0); /* they are all there still */
	assert_int_equal(unlinkat(c.fd, CLAIM_PREFIX "e_link", 0), 0);
	assert_int_equal(unlinkat(c.fd, CLAIM_PREFIX "e_directory", AT_REMOVEDIR), 0);
	if (geteuid() != 0) { /* one that cannot be looked at */
		const int fd = openat(c.fd, CLAIM_PREFIX "e_shut", O_RDWR | O_CREAT | O_CLOEXEC, 0);

		assert_true(fd >= 0);
		assert_true(claim_find(c.fd, "/tree", event));
		assert_int_equal(unlinkat(c.fd, CLAIM_PREFIX "e_shut", 0), 0);
		assert_int_equal(close(fd), 0);
	}
	claims_close(&c);
}

/* Under the lock of the store, which it waits for; locked before anybody else can have it. */
static void a_claim_waits_for_a_commit(void **state)
{
	static const struct {
		bool committing;
		int waits;
		bool swept;
		int result, waited;
		const char *log;
	} rows[] = {
		{ false, 0, false, 0, 0, "LCU" },
		{ true, 1, false, 0, 1, "LCU" },
		{ true, 7, false, 0, 7, "LCU" },
		{ true, -1, false, -AMBIT_CONFLICT, COMMIT_PATIENCE_MS / COMMIT_LOOK_MS, "" },
		{ false, 0, true, 0, 0, "LCCU" },
	};
	static const char *const trees[] = { "/tree", "/other" };
	char event[STAGE_ID_MAX];
	struct claims c;

	(void)state;
	claims_open(&c);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = { .code = AMBIT_OK };
		const int other = open(c.store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct stat st;
		int fd = -1;

		if (rows[i].committing)
			assert_int_equal(flock(other, LOCK_EX), 0);
		memset(&locks, 0, sizeof locks);
		locks.on = true;
		locks.store_fd = other;
		locks.waits = rows[i].waits;
		locks.swept_fd = rows[i].swept ? c.fd : -1;
		assert_int_equal(claim_make(c.fd, "e_new", trees, 2, &fd, &e), rows[i].result);
		locks.on = false;
		if (strcmp(locks.log, rows[i].log) != 0 || locks.waited != rows[i].waited)
			fail_msg("row %zu: %s, %d looks", i, locks.log, locks.waited);
		if (rows[i].result < 0) {
			assert_string_equal(e.msg, "cannot begin on /tree");
			assert_string_equal(e.why, "changes are being committed, to it or to another tree");
			assert_int_equal(fd, -1);
		} else {
			assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
			assert_int_equal(fstat(fd, &st), 0);
			assert_int_equal(st.st_mode, S_IFREG | 0600);
			assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0); /* it was let go of */
			assert_true(claim_find(c.fd, "/other", event));
		}
		claim_end(c.fd, "e_new", &fd);
		assert_false(claim_find(c.fd, "/tree", event));
		assert_int_equal(close(other), 0);
	}
	claims_close(&c);
}

static void a_claim_that_cannot_be_made(void **state)
{
	static const char *const trees[] = { "/tree" };
	struct err e = { .code = AMBIT_OK };
	struct claims c;
	int fd = -1;

	(void)state;
	claims_open(&c);
	assert_int_equal(fchmod(c.fd, 0500), 0);
	if (geteuid() != 0) {
		assert_int_equal(claim_make(c.fd, "e_new", trees, 1, &fd, &e), -AMBIT_SYSTEM);
		assert_int_equal(e.sys_errno, EACCES);
		assert_int_equal(fd, -1);
	}
	claims_close(&c);
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
		cmocka_unit_test(claims_are_found_by_path),
		cmocka_unit_test(one_of_several_claims_is_found),
		cmocka_unit_test(claims_are_not_believed),
		cmocka_unit_test(a_claim_is_read_to_a_bound),
		cmocka_unit_test(what_is_no_file_is_no_claim),
		cmocka_unit_test(a_claim_waits_for_a_commit),
		cmocka_unit_test(a_claim_that_cannot_be_made),
	};

	if (geteuid() == 0 && (setgid(ORDINARY) != 0 || setuid(ORDINARY) != 0))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
