#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/proctext.h"

#define TAIL " S 1 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 3 0 5678 2703360 300 18446744073709551615"

static void stat_lines_with_any_name(void **state)
{
	static const struct {
		const char *name, *line;
		bool good;
	} rows[] = {
		{ "plain", "7 (sh)" TAIL, true },
		{ "blanks", "7 (a b c)" TAIL, true },
		{ "a closing parenthesis", "7 (x) R 1 1 1 1 1 1 1 1 1 1 9 9 9 9 1 1 1 1 9 1 1)" TAIL, true },
		{ "nothing but parentheses", "7 ()))(()" TAIL, true },
		{ "a newline", "7 (a\n8 (b)" TAIL, true },
		{ "an empty name", "7 ()" TAIL, true },
		{ "no parenthesis", "7 sh" TAIL, false },
		{ "nothing behind it", "7 (sh)", false },
		{ "too short by one", "7 (sh) S 1 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 3 0", false },
		{ "a negative time", "7 (sh) S 1 7 7 0 -1 4194560 100 0 0 0 -11 22 33 44 20 0 3 0 5678 2703360",
		  false },
		{ "a sum that overflows",
		  "7 (sh) S 1 7 7 0 -1 4194560 100 0 0 0 18446744073709551615 22 33 44 20 0 3 0 5678 2703360", false },
		{ "empty", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct proctext_stat stat = { 0 };

		if (proctext_stat(rows[i].line, &stat) != rows[i].good)
			fail_msg("%s", rows[i].name);
		if (rows[i].good && (stat.state != 'S' || stat.cpu_ticks != 110 || stat.start_ticks != 5678))
			fail_msg("%s: %lu %lu", rows[i].name, stat.cpu_ticks, stat.start_ticks);
		if (!rows[i].good && (stat.cpu_ticks != 0 || stat.start_ticks != 0))
			fail_msg("%s: written on failure", rows[i].name);
	}
}

static void ends_are_seen(void **state)
{
	static const struct {
		const char *name, *line;
		bool ending;
	} rows[] = {
		{ "running", "7 (sh) R 1 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 3 0 5678 1", false },
		{ "waited for by nobody", "7 (sh) Z 1 7 7 0 -1 4194564 100 0 0 0 11 22 33 44 20 0 3 0 5678 1", true },
		{ "dead", "7 (sh) X 1 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 3 0 5678 1", true },
		{ "on its way, still shown as running",
		  "7 (sh) R 1 7 7 0 -1 4194564 100 0 0 0 11 22 33 44 20 0 3 0 5678 1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct proctext_stat stat = { 0 };

		if (!proctext_stat(rows[i].line, &stat) || stat.ending != rows[i].ending)
			fail_msg("%s", rows[i].name);
	}
}

static void fields_by_key(void **state)
{
	static const struct {
		const char *text, *key;
		bool good;
		uint64_t value;
	} rows[] = {
		{ "Name:\tx\nRssAnon:\t     123 kB\nRssShmem:\t 4 kB\n", "RssAnon", true, 123 },
		{ "Name:\tx\nRssAnon:\t     123 kB\nRssShmem:\t 4 kB\n", "RssShmem", true, 4 },
		/* a name that imitates a field: the kernel writes its newline as \n, so it never starts a line */
		{ "Name:\tRssAnon: 9\nRssAnon:\t 123 kB\n", "RssAnon", true, 123 },
		{ "Name:\ta\\nRssAnon: 9\nRssAnon:\t 123 kB\n", "RssAnon", true, 123 },
		{ "Name:\tRssAnon: 9\n", "RssAnon", false, 0 },
		{ "write_bytes: 4096\ncancelled_write_bytes: 7\n", "write_bytes", true, 4096 },
		{ "cancelled_write_bytes: 7\n", "write_bytes", false, 0 },
		{ "low 0\noom 3\noom_kill 2\noom_group_kill 1\n", "oom_kill", true, 2 },
		{ "low 0\noom_kill 2\noom 3\n", "oom", true, 3 },
		{ "populated 1\nfrozen 0\n", "populated", true, 1 },
		{ "max 18446744073709551615", "max", true, UINT64_MAX },
		{ "max 18446744073709551616", "max", false, 0 },
		{ "max -1\n", "max", false, 0 },
		{ "max\n", "max", false, 0 },
		{ "max 1x\n", "max", false, 0 },
		{ "", "max", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t v = 0;

		if (proctext_field(rows[i].text, rows[i].key, &v) != rows[i].good || v != rows[i].value)
			fail_msg("row %zu: '%s' in '%s': %lu", i, rows[i].key, rows[i].text, v);
	}
}

static void words_of_lists(void **state)
{
	static const struct {
		const char *list, *word;
		bool there;
	} rows[] = {
		{ "cpu memory pids\n", "memory", true },
		{ "cpu memory pids\n", "pids", true },
		{ "memory", "memory", true },
		{ "memory_recursiveprot", "memory", false },
		{ "rw,memory", "memory", true },
		{ "nomemory", "memory", false },
		{ "", "memory", false },
		{ "\n", "", false },
		{ "cpu,cpuacct", "cpu", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (proctext_has_word(rows[i].list, strlen(rows[i].list), rows[i].word) != rows[i].there)
			fail_msg("'%s' in '%s'", rows[i].word, rows[i].list);
}

#define V1_MOUNTS                                                                                                      \
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"                                          \
	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"                                         \
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 master:3 - cgroup cgroup rw,memory\n"                 \
	"39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"                                       \
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
#define V2_MOUNTS "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void the_own_cgroup_is_found(void **state)
{
	static const struct {
		const char *name, *cgroup, *mountinfo, *controller, *path; /* NULL: none */
	} rows[] = {
		{ "version 2", "0::/user.slice/run-1.scope\n", V2_MOUNTS, "", "/sys/fs/cgroup/user.slice/run-1.scope" },
		{ "version 2, at the root", "0::/\n", V2_MOUNTS, "", "/sys/fs/cgroup" },
		{ "version 1", "8:pids:/\n4:memory:/a/b\n0::/\n", V1_MOUNTS, "memory", "/sys/fs/cgroup/memory/a/b" },
		{ "version 1, at the root", "8:pids:/\n4:memory:/a/b\n", V1_MOUNTS, "pids", "/sys/fs/cgroup/pids" },
		{ "both, the second", "8:pids:/\n4:memory:/a\n0::/x\n", V1_MOUNTS, "", "/sys/fs/cgroup/unified/x" },
		{ "no such controller", "8:pids:/\n", V1_MOUNTS, "memory", NULL },
		{ "not mounted", "4:memory:/a\n", V2_MOUNTS, "memory", NULL },
		{ "two controllers in one hierarchy", "4:cpu,memory:/a\n",
		  "35 31 0:32 / /cg rw - cgroup cgroup rw,cpu,memory\n", "memory", "/cg/a" },
		{ "a named hierarchy is no controller", "9:name=memory:/a\n", V1_MOUNTS, "memory", NULL },
		{ "a colon in the path", "0::/a:b:c\n", V2_MOUNTS, "", "/sys/fs/cgroup/a:b:c" },
		{ "a blank in the mount point", "0::/a\n", "30 23 0:26 / /my\\040cg\\134x rw - cgroup2 cgroup2 rw\n",
		  "", "/my cg\\x/a" },
		{ "a dash in the mount point", "0::/a\n", "30 23 0:26 / - rw - cgroup2 cgroup2 rw\n", "", "-/a" },
		{ "a broken escape", "0::/a\n", "30 23 0:26 / /my\\04 rw - cgroup2 cgroup2 rw\n", "", NULL },
		{ "an escaped NUL", "0::/a\n", "30 23 0:26 / /my\\000x rw - cgroup2 cgroup2 rw\n", "", NULL },
		{ "a part is mounted", "4:memory:/docker/x/y\n",
		  "35 31 0:32 /docker/x /cg rw - cgroup cgroup rw,memory\n", "memory", "/cg/y" },
		{ "a part is mounted, at its top", "4:memory:/docker/x\n",
		  "35 31 0:32 /docker/x /cg rw - cgroup cgroup rw,memory\n", "memory", "/cg" },
		{ "another part is mounted", "4:memory:/docker/xy\n",
		  "35 31 0:32 /docker/x /cg rw - cgroup cgroup rw,memory\n", "memory", NULL },
		{ "outside the namespace", "0::/../x\n", V2_MOUNTS, "", NULL },
		{ "removed", "0::/a (deleted)\n", V2_MOUNTS, "", NULL },
		{ "a file system that names itself so", "0::/a\n", "30 23 0:26 / /cg rw - fuse cgroup2 rw\n", "",
		  NULL },
		{ "a line cut short", "0::/a\n", "30 23 0:26 / /cg rw - cgroup2\n", "", NULL },
		{ "a line that is no line", "nonsense\n0::/a\n", "nonsense\n" V2_MOUNTS, "", "/sys/fs/cgroup/a" },
		{ "nothing at all", "", "", "", NULL },
	};
	char path[PROCTEXT_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const bool found = proctext_own_cgroup(rows[i].cgroup, rows[i].mountinfo, rows[i].controller, path);

		if (found != (rows[i].path != NULL) || (found && strcmp(path, rows[i].path) != 0))
			fail_msg("%s: %s", rows[i].name, found ? path : "none");
	}
}

/* At the limit and one more. */
static void a_path_that_does_not_fit_is_none(void **state)
{
	static char cgroup[PROCTEXT_PATH_MAX + 16];
	char path[PROCTEXT_PATH_MAX];
	const size_t fits = PROCTEXT_PATH_MAX - 1 - strlen("/cg");

	(void)state;
	for (size_t len = fits; len <= fits + 1; len++) {
		(void)snprintf(cgroup, sizeof cgroup, "0::/%0*d\n", (int)len - 1, 0);
		assert_int_equal(proctext_own_cgroup(cgroup, "1 1 0:1 / /cg rw - cgroup2 x rw\n", "", path),
				 len == fits);
	}
}

static void mounts(void **state)
{
	static const struct {
		const char *line, *point, *type; /* NULL: not one */
		bool read_only;
		const char *upper;
	} rows[] = {
		{ "22 1 0:20 / /tmp rw,nosuid - tmpfs x rw,size=1k\n", "/tmp", "tmpfs", false, NULL },
		{ "22 1 0:20 / /tmp rw,nosuid shared:3 master:4 - tmpfs x rw\n", "/tmp", "tmpfs", false, NULL },
		{ "22 1 0:20 /a /b\\040c ro - tmpfs x rw\n", "/b c", "tmpfs", true, NULL },
		{ "22 1 0:20 / /tmp rw - tmpfs x ro,size=1k\n", "/tmp", "tmpfs", true, NULL },
		{ "22 1 0:20 / /tmp rw,row - fuse.sshfs x rw,root=ro", "/tmp", "fuse.sshfs", false, NULL },
		{ "22 1 0:20 / /-\\040tmpfs rw - ext4 ro rw", "/- tmpfs", "ext4", false, NULL },
		{ "22 1 0:20 / - rw - ext4 ro rw", "-", "ext4", false, NULL },
		{ "22 1 0:20 / /o rw - overlay x rw,lowerdir=/upperdir=,upperdir=/a\\040b,workdir=/w", "/o", "overlay",
		  false, "/a b" },
		{ "22 1 0:20 / /o rw - overlay x rw,upperdir=/u", "/o", "overlay", false, "/u" },
		{ "22 1 0:20 / /tmp rw - tmpfs x", NULL, NULL, false, NULL },
		{ "22 1 0:20 / /tmp rw tmpfs x rw", NULL, NULL, false, NULL },
		{ "22 1 0:20 / /a\\04 rw - tmpfs x rw", NULL, NULL, false, NULL },
		{ "22 1 0:20 / /a rw - fuse.of-a-name-that-is-longer-than-any x rw", NULL, NULL, false, NULL },
		{ "", NULL, NULL, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct proctext_mount got = { .type = "none" };

		if (proctext_mount(rows[i].line, &got) != (rows[i].point != NULL))
			fail_msg("%s", rows[i].line);
		if (rows[i].point == NULL
			    ? strcmp(got.type, "none") != 0
			    : strcmp(got.point, rows[i].point) != 0 || strcmp(got.type, rows[i].type) != 0 ||
				      got.read_only != rows[i].read_only ||
				      strcmp(got.upper, rows[i].upper != NULL ? rows[i].upper : "") != 0)
			fail_msg("%s: %s %s %d", rows[i].line, got.point, got.type, got.read_only);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_lines_with_any_name),
		cmocka_unit_test(ends_are_seen),
		cmocka_unit_test(fields_by_key),
		cmocka_unit_test(words_of_lists),
		cmocka_unit_test(the_own_cgroup_is_found),
		cmocka_unit_test(a_path_that_does_not_fit_is_none),
		cmocka_unit_test(mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
