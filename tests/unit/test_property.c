#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cell/property.h"

#define B(name) MECHANISM_BIT(MECHANISM_##name)

/* What a cell of an ordinary user reaches on Linux 6.12 with delegation. */
#define FULL                                                                                                           \
	(B(USER_NS) | B(MOUNT_NS) | B(PID_NS) | B(PROC) | B(NET_NS) | B(IPC_NS) | B(LANDLOCK) | B(LANDLOCK_SCOPE) |    \
	 B(LANDLOCK_LAYER) | B(SECCOMP) | B(NO_NEW_PRIVS) | B(NO_CAPS) | B(NOEXEC) | B(NO_MEMFD) | B(MDWE) |           \
	 B(SESSION_KEYRING) | B(LIFELINE) | B(CGROUP_MEMORY) | B(CGROUP_TASKS) | B(SAMPLER) | B(FILE_SIZE) |           \
	 B(DEADLINE) | B(BASE_ONLY))
/* On 6.1, without a cgroup. */
#define OLD                                                                                                            \
	((FULL & ~(B(LANDLOCK_SCOPE) | B(MDWE) | B(CGROUP_MEMORY) | B(CGROUP_TASKS))) | B(WX_FILTER) | B(RLIMIT_TASKS))

static const struct row {
	const char *what;
	enum property p;
	mechanism_set achieved;
	mechanism_set held_by; /* 0: not held */
	enum mechanism missing;
} rows[] = {
	{ "files", PROPERTY_FILES, FULL, B(USER_NS) | B(MOUNT_NS) | B(LANDLOCK), 0 },
	{ "files without Landlock", PROPERTY_FILES, FULL & ~B(LANDLOCK), B(USER_NS) | B(MOUNT_NS), 0 },
	{ "files without mounts", PROPERTY_FILES, FULL & ~B(MOUNT_NS), 0, MECHANISM_MOUNT_NS },
	{ "files of nothing", PROPERTY_FILES, 0, 0, MECHANISM_USER_NS },
	{ "processes behind the host's /proc", PROPERTY_PROCESSES, FULL & ~B(PROC), 0, MECHANISM_PROC },
	{ "ipc, old", PROPERTY_IPC, OLD, B(IPC_NS) | B(NET_NS), 0 },
	{ "ipc without a network namespace", PROPERTY_IPC, FULL & ~B(NET_NS), 0, MECHANISM_NET_NS },
	{ "sockets of nobody", PROPERTY_SOCKETS, FULL, B(BASE_ONLY), 0 },
	{ "sockets by filter", PROPERTY_SOCKETS, OLD | B(NO_NAMED_SOCKETS), B(NO_NAMED_SOCKETS) | B(SECCOMP), 0 },
	{ "sockets by Landlock", PROPERTY_SOCKETS, FULL | B(LANDLOCK_UNIX), B(LANDLOCK_UNIX), 0 },
	{ "sockets not looked after", PROPERTY_SOCKETS, FULL & ~B(BASE_ONLY), 0, MECHANISM_LANDLOCK_UNIX },
	{ "network without a filter", PROPERTY_NETWORK, FULL & ~B(SECCOMP), 0, MECHANISM_SECCOMP },
	{ "written with memfd", PROPERTY_WRITTEN, FULL & ~B(NO_MEMFD), 0, MECHANISM_NO_MEMFD },
	{ "written with executable mounts", PROPERTY_WRITTEN, FULL & ~B(NOEXEC), 0, MECHANISM_NOEXEC },
	{ "code by MDWE", PROPERTY_CODE, FULL | B(WX_FILTER), B(MDWE) | B(NOEXEC) | B(NO_MEMFD) | B(PROC) | B(SECCOMP),
	  0 },
	{ "code by filter", PROPERTY_CODE, OLD, B(WX_FILTER) | B(NOEXEC) | B(NO_MEMFD) | B(PROC) | B(SECCOMP), 0 },
	{ "code with jit", PROPERTY_CODE, (FULL & ~B(MDWE)) | B(GRANTED), B(GRANTED), 0 },
	{ "code by neither", PROPERTY_CODE, FULL & ~B(MDWE), 0, MECHANISM_MDWE },
	{ "code with nothing: no grant is asked for", PROPERTY_CODE, 0, 0, MECHANISM_PROC },
	{ "MDWE and a writable /proc/self/mem", PROPERTY_CODE, FULL & ~B(PROC), 0, MECHANISM_PROC },
	{ "privilege of root", PROPERTY_PRIVILEGE, FULL | B(OTHER_UID),
	  B(USER_NS) | B(OTHER_UID) | B(NO_NEW_PRIVS) | B(NO_CAPS) | B(SECCOMP), 0 },
	{ "privilege", PROPERTY_PRIVILEGE, FULL, B(USER_NS) | B(NO_NEW_PRIVS) | B(NO_CAPS) | B(SECCOMP), 0 },
	{ "privilege with setuid programs", PROPERTY_PRIVILEGE, FULL & ~B(NO_NEW_PRIVS), 0, MECHANISM_NO_NEW_PRIVS },
	{ "keys inherited", PROPERTY_KEYS, FULL & ~B(SESSION_KEYRING), 0, MECHANISM_SESSION_KEYRING },
	{ "warden", PROPERTY_WARDEN, FULL, B(PID_NS) | B(LANDLOCK_LAYER) | B(LANDLOCK_SCOPE), 0 },
	{ "warden, old", PROPERTY_WARDEN, OLD, B(PID_NS) | B(LANDLOCK_LAYER), 0 },
	{ "warden without Landlock", PROPERTY_WARDEN, OLD & ~B(LANDLOCK_LAYER), B(PID_NS) | B(NO_CAPS) | B(SECCOMP),
	  0 },
	{ "warden that is not process 1", PROPERTY_WARDEN, FULL & ~B(PID_NS), 0, MECHANISM_PID_NS },
	{ "memory, exact", PROPERTY_MEMORY, FULL, B(CGROUP_MEMORY), 0 },
	{ "memory, sampled", PROPERTY_MEMORY, OLD, B(SAMPLER), 0 },
	{ "memory, not at all", PROPERTY_MEMORY, FULL & ~(B(CGROUP_MEMORY) | B(SAMPLER)), 0, MECHANISM_CGROUP_MEMORY },
	{ "tasks by limit", PROPERTY_TASKS, OLD, B(USER_NS) | B(RLIMIT_TASKS), 0 },
	{ "tasks by limit in the host's user namespace", PROPERTY_TASKS, OLD & ~B(USER_NS), 0, MECHANISM_CGROUP_TASKS },
	{ "disk", PROPERTY_DISK, FULL & ~B(FILE_SIZE), 0, MECHANISM_FILE_SIZE },
	{ "nothing counts but the sets", PROPERTY_TIME, B(GIVEN_UP) | B(GRANTED) | B(SPECULATION), 0,
	  MECHANISM_DEADLINE },
};

static void a_property_is_held_by_a_whole_set_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];

		if (property_held_by(row->p, row->achieved) != row->held_by)
			fail_msg("%s: held by %#llx", row->what,
				 (unsigned long long)property_held_by(row->p, row->achieved));
		if (row->held_by == 0 && property_missing(row->p, row->achieved) != row->missing)
			fail_msg("%s: missing is '%s'", row->what,
				 mechanism_word(property_missing(row->p, row->achieved)));
	}
}

/* Of each set, each mechanism is needed: without it this very set holds no longer. And from best to last a set never
 * contains one that stands before it, which would make it useless. */
static void every_mechanism_of_a_set_counts(void **state)
{
	const struct property_set *sets;

	(void)state;
	for (unsigned p = 0; p < PROPERTY_COUNT; p++) {
		const size_t n = property_sets((enum property)p, &sets);

		assert_true(n > 0);
		assert_int_equal(property_held_by((enum property)p, 0), 0);
		for (size_t i = 0; i < n; i++) {
			assert_true(property_held_by((enum property)p, sets[i].mechanisms) == sets[i].mechanisms);
			for (unsigned m = 0; m < MECHANISM_COUNT; m++)
				if ((sets[i].mechanisms & MECHANISM_BIT(m)) != 0)
					assert_true(property_held_by((enum property)p,
								     sets[i].mechanisms & ~MECHANISM_BIT(m)) !=
						    sets[i].mechanisms);
		}
	}
}

static void both_machines_hold_everything(void **state)
{
	(void)state;
	for (unsigned p = 0; p < PROPERTY_COUNT; p++) {
		if (property_held_by((enum property)p, FULL) == 0 || property_held_by((enum property)p, OLD) == 0)
			fail_msg("'%s' is not held", property_word((enum property)p));
	}
}

static void what_is_missing_has_words(void **state)
{
	(void)state;
	for (unsigned p = 0; p < PROPERTY_COUNT; p++) {
		const enum mechanism m = property_missing((enum property)p, 0);

		assert_true(mechanism_missing(m)[0] != 0);
		assert_true(mechanism_hint(m)[0] != 0);
		assert_true(property_text((enum property)p)[0] != 0);
	}
}

static void words_are_found(void **state)
{
	enum property p = PROPERTY_COUNT;

	(void)state;
	for (unsigned i = 0; i < PROPERTY_COUNT; i++) {
		assert_true(property_find(property_word((enum property)i), &p));
		assert_int_equal(p, i);
	}
	assert_false(property_find("", &p));
	assert_false(property_find("file", &p));
	assert_false(property_find("filess", &p));
	assert_int_equal(p, PROPERTY_COUNT - 1);
}

static void sets_are_told_in_words(void **state)
{
	char text[64], small[12];

	(void)state;
	property_describe(B(MOUNT_NS) | B(LANDLOCK), text, sizeof text);
	assert_string_equal(text, "mount namespace + Landlock files");
	property_describe(0, text, sizeof text);
	assert_string_equal(text, "nothing");
	property_describe(B(MOUNT_NS) | B(LANDLOCK), small, sizeof small);
	assert_string_equal(small, "mount names");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_property_is_held_by_a_whole_set_only),
		cmocka_unit_test(every_mechanism_of_a_set_counts),
		cmocka_unit_test(both_machines_hold_everything),
		cmocka_unit_test(what_is_missing_has_words),
		cmocka_unit_test(words_are_found),
		cmocka_unit_test(sets_are_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
