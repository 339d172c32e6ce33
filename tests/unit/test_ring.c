/* What the warden makes of the records that the kernel's programs leave: each row is one record, and what is noted of it. The ring is a file of memory that this test writes as the kernel would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "warden/calls.h"
#include "warden/ring.h"
#include "warden/seen.h"

#define REFUSED 255 /* as a kind: it is no record */
#define OPAQUE EFFECT_OPAQUE

static uint16_t call_of(int nr)
{
	for (size_t i = 0; i < calls_n; i++)
		if (calls[i].nr == nr)
			return (uint16_t)i;
	fail_msg("no system call %d", nr);
	return 0;
}

/* ---- one record ---- */

static const struct row {
	const char *name;
	int nr;
	uint64_t flags;
	const char *given; /* the path */
	const char *above; /* names of directories, the last one first, each followed by `|` */
	uint16_t state;
	uint8_t kind;
	const char *object;
} rows[] = {
	{ "absolute", SYS_openat, 0, "/a/b", "", 0, EFFECT_READ, "/a/b" },
	{ "for writing", SYS_openat, 0101, "/a/b", "", 0, EFFECT_WRITE, "/a/b" },
	{ "of an absolute path nothing is above", SYS_openat, 0, "/a", "", SEEN_NOWHERE, EFFECT_READ, "/a" },
	{ "relative", SYS_openat, 0, "x", "c|b|a|", 0, EFFECT_READ, "/a/b/c/x" },
	{ "relative to the root", SYS_openat, 0, "x", "", 0, EFFECT_READ, "/x" },
	{ "links and dots as they are", SYS_openat, 0, "../x", "b|a|", 0, EFFECT_READ, "/a/b/../x" },
	{ "the descriptor itself", SYS_openat, 0, "", "b|a|", 0, EFFECT_READ, "/a/b" },
	{ "the root itself", SYS_openat, 0, "", "", 0, EFFECT_READ, "/" },
	{ "of a directory without a name", SYS_openat, 0, "x", "b|a|", SEEN_DELETED, EFFECT_READ, "/a/b (deleted)/x" },
	{ "nowhere", SYS_openat, 0, "x", "", SEEN_NOWHERE, OPAQUE, NULL },
	{ "executed by a descriptor", SYS_execveat, 0, "/dev/fd/12/x/y", "b|a|", SEEN_BEHIND, EFFECT_EXEC, "/a/b/x/y" },
	{ "the descriptor itself executed", SYS_execveat, 0, "/dev/fd/3", "x|b|a|", SEEN_BEHIND, EFFECT_EXEC,
	  "/a/b/x" },
	{ "by one that is closed then", SYS_execveat, 0, "/dev/fd/3/x", "", SEEN_BEHIND | SEEN_NOWHERE, OPAQUE, NULL },
	{ "such a path that was given", SYS_execveat, 0, "/dev/fd/3/x", "", 0, EFFECT_EXEC, "/dev/fd/3/x" },
	{ "could not be read", SYS_openat, 0, "", "", SEEN_UNREAD, OPAQUE, NULL },
	{ "executed", SYS_execve, 0, "/bin/sh", "", 0, EFFECT_EXEC, "/bin/sh" },
	{ "made", SYS_mkdirat, 0, "d", "a|", 0, EFFECT_MKDIR, "/a/d" },
	{ "a name without a letter", SYS_openat, 0, "x", "|a|", 0, OPAQUE, NULL },
	{ "names without an end", SYS_openat, 0, "x", "b|a", 0, OPAQUE, NULL },
};

struct noted {
	unsigned n;
	uint8_t kind;
	char object[EFFECT_OBJECT_MAX];
};

static void take(void *user, uint8_t kind, uint32_t count, const char *object, size_t length)
{
	struct noted *ret = user;

	ret->n += count;
	ret->kind = kind;
	assert_in_range(length, 0, sizeof ret->object - 1);
	memcpy(ret->object, object, length);
	ret->object[length] = 0;
}

struct world {
	void *shared;
	struct arena arena;
};

static void begin(struct world *w)
{
	w->shared = calloc(1, ARENA_BYTES);
	assert_non_null(w->shared);
	assert_int_equal(arena_init(&w->arena, w->shared), 0);
}

static struct noted end(struct world *w, struct arena_head *ret)
{
	struct noted noted = { .n = 0 };

	arena_finish(&w->arena);
	arena_read(w->shared, take, &noted, ret);
	free(w->shared);
	return noted;
}

/* How long it is. */
static size_t put(uint8_t *room, const struct row *row, uint32_t thread)
{
	struct seen_record r = { .flags = row->flags,
				 .thread = thread,
				 .call = call_of(row->nr),
				 .state = row->state,
				 .length = (uint16_t)strlen(row->given),
				 .above = (uint16_t)strlen(row->above) };

	memcpy(room, &r, sizeof r);
	memcpy(room + sizeof r, row->given, r.length);
	for (size_t i = 0; i < r.above; i++)
		room[sizeof r + r.length + i] = row->above[i] == '|' ? 0 : (uint8_t)row->above[i];
	return sizeof r + r.length + r.above;
}

static void a_record_is_noted_as_the_eye_would(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t bytes[256];
		char room[EFFECT_OBJECT_MAX], unread[64];
		const size_t n = put(bytes, &rows[i], 7);
		struct arena_head head;
		struct noted noted;
		struct world w;

		(void)snprintf(unread, sizeof unread, "system call %d", rows[i].nr);
		begin(&w);
		print_message("# %s\n", rows[i].name);
		assert_true(ring_note(&w.arena, bytes, n, room));
		noted = end(&w, &head);
		assert_int_equal(noted.n, 1);
		assert_int_equal(noted.kind, rows[i].kind);
		assert_string_equal(noted.object, rows[i].object != NULL ? rows[i].object : unread);
	}
}

static void addresses_are_told_as_the_eye_would(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = { 0, 'a', 'b' } };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	const struct {
		const void *bytes;
		uint16_t n, state;
		const char *object; /* NULL: nothing is noted */
	} addresses[] = {
		{ &in, sizeof in, 0, "inet 192.0.2.1:443" },
		{ &un, 5, 0, "unix @ab" },
		{ &none, sizeof none, 0, NULL },
		{ &none, sizeof none, SEEN_LATE, "system call 42" },
		{ &in, sizeof in, SEEN_LATE, "inet 192.0.2.1:443" },
		{ &in, 1, 0, "system call 42" },
	};

	(void)state;
	(void)inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		struct seen_record r = {
			.thread = 1, .call = call_of(SYS_connect), .state = addresses[i].state, .length = addresses[i].n
		};
		uint8_t bytes[sizeof r + 64];
		char room[EFFECT_OBJECT_MAX], unread[64];
		struct arena_head head;
		struct noted noted;
		struct world w;

		(void)snprintf(unread, sizeof unread, "system call %ld", (long)SYS_connect);
		memcpy(bytes, &r, sizeof r);
		memcpy(bytes + sizeof r, addresses[i].bytes, addresses[i].n);
		begin(&w);
		assert_true(ring_note(&w.arena, bytes, sizeof r + addresses[i].n, room));
		noted = end(&w, &head);
		assert_int_equal(noted.n, addresses[i].object != NULL);
		if (addresses[i].object != NULL)
			assert_string_equal(noted.object, strncmp(addresses[i].object, "system", 6) == 0
								  ? unread
								  : addresses[i].object);
	}
}

static void what_is_no_record_is_refused(void **state)
{
	const struct row *row = &rows[3];
	uint8_t bytes[256], changed[256];
	char room[EFFECT_OBJECT_MAX];
	const size_t n = put(bytes, row, 7);
	struct arena_head head;
	struct seen_record r;
	struct world w;

	(void)state;
	begin(&w);
	for (size_t cut = 0; cut < n; cut++)
		assert_false(ring_note(&w.arena, bytes, cut, room));
	memcpy(&r, bytes, sizeof r);
	memcpy(changed, bytes, n);
	r.call = (uint16_t)calls_n;
	memcpy(changed, &r, sizeof r);
	assert_false(ring_note(&w.arena, changed, n, room));
	memcpy(changed, bytes, n);
	changed[sizeof r] = 0; /* in the path */
	assert_false(ring_note(&w.arena, changed, n, room));
	assert_int_equal(end(&w, &head).n, 0);
	assert_int_equal(head.seen, 0);
}

/* The longest that a record can be. */
static void what_is_too_long_is_opaque(void **state)
{
	struct seen_record r = { .thread = 1, .call = call_of(SYS_openat), .length = 4095, .above = 4000 };
	static uint8_t bytes[sizeof r + 8192];
	char room[EFFECT_OBJECT_MAX];
	struct arena_head head;
	struct noted noted;
	struct world w;

	(void)state;
	memset(bytes, 'a', sizeof bytes);
	for (size_t i = 0; i < 4000; i += 100)
		bytes[sizeof r + 4095 + i + 99] = 0;
	memcpy(bytes, &r, sizeof r);
	begin(&w);
	assert_true(ring_note(&w.arena, bytes, sizeof r + 4095 + 4000, room));
	bytes[sizeof r] = '/'; /* the twin: as an absolute path it fits */
	assert_true(ring_note(&w.arena, bytes, sizeof r + 4095 + 4000, room));
	noted = end(&w, &head);
	assert_int_equal(noted.n, 2);
	assert_int_equal(head.seen, 2);
	assert_int_equal(noted.kind, EFFECT_READ);
	assert_int_equal(strlen(noted.object), 4095);
}

/* ---- the ring ---- */

#define BUSY (1u << 31)
#define DISCARDED (1u << 30)

struct kernel {
	int fd;
	uint8_t *all; /* the consumer's page, the producer's, the records twice */
	size_t page;
	uint64_t written;
};

static void kernel_begin(struct kernel *k)
{
	k->page = (size_t)sysconf(_SC_PAGESIZE);
	k->fd = memfd_create("ring", MFD_CLOEXEC);
	assert_true(k->fd >= 0 && ftruncate(k->fd, (off_t)(2 * k->page + 2 * (size_t)SEEN_RING_BYTES)) == 0);
	k->all = mmap(NULL, 2 * k->page + 2 * (size_t)SEEN_RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, k->fd, 0);
	assert_ptr_not_equal(k->all, MAP_FAILED);
	k->written = 0;
}

static void kernel_end(struct kernel *k)
{
	(void)munmap(k->all, 2 * k->page + 2 * (size_t)SEEN_RING_BYTES);
}

/* Into both halves, which are one in the kernel. */
static void kernel_store(struct kernel *k, uint64_t at, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const size_t where = (at + i) % SEEN_RING_BYTES;

		k->all[2 * k->page + where] = ((const uint8_t *)bytes)[i];
		k->all[2 * k->page + SEEN_RING_BYTES + where] = ((const uint8_t *)bytes)[i];
	}
}

static uint64_t kernel_write(struct kernel *k, const uint8_t *bytes, size_t n, uint32_t mark)
{
	const uint32_t head[2] = { (uint32_t)n | mark, 0 };
	const uint64_t at = k->written;

	kernel_store(k, at, head, sizeof head);
	kernel_store(k, at + sizeof head, bytes, n);
	k->written += (n + sizeof head + 7) & ~(size_t)7;
	memcpy(k->all + k->page, &k->written, sizeof k->written);
	return at;
}

static void it_is_read_around_its_end_and_not_beyond(void **state)
{
	struct ring ring = { .fd = -1 };
	struct arena_head head;
	struct kernel k;
	struct world w;
	uint8_t bytes[256];
	const size_t n = put(bytes, &rows[0], 7);
	uint64_t wrote = 0, busy;
	uint32_t done = (uint32_t)n;

	(void)state;
	kernel_begin(&k);
	begin(&w);
	assert_int_equal(ring_open(&ring, k.fd), 0);
	while (k.written < 3 * (uint64_t)SEEN_RING_BYTES) {
		(void)kernel_write(&k, bytes, n, 0);
		(void)kernel_write(&k, bytes, n, DISCARDED);
		wrote++;
		if (wrote % 1000 == 0)
			ring_read(&ring, &w.arena);
	}
	ring_read(&ring, &w.arena);
	assert_int_equal(w.arena.head->seen, wrote);
	assert_int_equal(w.arena.head->taken, wrote);
	busy = kernel_write(&k, bytes, n, BUSY); /* what is being written, and what is ready behind it */
	(void)kernel_write(&k, bytes, n, 0);
	ring_read(&ring, &w.arena);
	assert_int_equal(w.arena.head->seen, wrote);
	kernel_store(&k, busy, &done, sizeof done);
	ring_read(&ring, &w.arena);
	assert_int_equal(w.arena.head->seen, wrote + 2);
	ring_close(&ring);
	kernel_end(&k);
	(void)end(&w, &head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_noted_as_the_eye_would),
		cmocka_unit_test(addresses_are_told_as_the_eye_would),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(what_is_too_long_is_opaque),
		cmocka_unit_test(it_is_read_around_its_end_and_not_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
