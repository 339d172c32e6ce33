/* How staged overlays are mounted, before a kernel that is played: what it is asked, and what is done when it refuses. */
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
#include <unistd.h>

#include <cmocka.h>

#include "cell/build.h"
#include "cell/kernel.h"

static struct {
	int unknown;  /* errno of the option `volatile`; 0: the kernel knows it */
	int refuses;  /* errno of making an overlay that is volatile */
	int fails;    /* errno of making one that is not */
	char log[64]; /* one letter a mount that was tried: v or s (it syncs), with an upper layer; r without */
	bool is_volatile, has_upper;
} kernel;

static int answer(int error)
{
	errno = error;
	return error != 0 ? -1 : 0;
}

static int configure(unsigned command, const char *key)
{
	if (command == FSCONFIG_CMD_CREATE) {
		const size_t at = strlen(kernel.log);

		assert_true(at + 1 < sizeof kernel.log);
		kernel.log[at] = !kernel.has_upper ? 'r' : kernel.is_volatile ? 'v' : 's'; /* zeroes follow */
		return answer(kernel.is_volatile ? kernel.refuses : kernel.fails);
	}
	kernel.has_upper |= strcmp(key, "upperdir") == 0;
	if (strcmp(key, "volatile") != 0)
		return 0;
	kernel.is_volatile = true;
	return answer(kernel.unknown);
}

int __wrap_fsopen(const char *type, unsigned flags);
int __wrap_fsopen(const char *type, unsigned flags)
{
	(void)flags;
	assert_string_equal(type, "overlay");
	kernel.is_volatile = kernel.has_upper = false;
	return open("/", O_PATH | O_CLOEXEC);
}

int __wrap_fsconfig(int fs, unsigned command, const char *key, const void *value, int aux);
int __wrap_fsconfig(int fs, unsigned command, const char *key, const void *value, int aux)
{
	(void)fs;
	(void)value;
	(void)aux;
	return configure(command, key);
}

int __wrap_fsmount(int fs, unsigned flags, unsigned attributes);
int __wrap_fsmount(int fs, unsigned flags, unsigned attributes)
{
	(void)flags;
	(void)attributes;
	return dup(fs);
}

int root_open_host(const char *path)
{
	(void)path;
	return open("/", O_PATH | O_CLOEXEC);
}

int root_open(int dir_fd, const char *path)
{
	(void)dir_fd;
	return root_open_host(path);
}

int root_attach_aside(int mount_fd)
{
	(void)mount_fd;
	return 0;
}

static int mount_with(struct cell_spec *spec, bool has_part)
{
	static struct cell_trees trees;
	int fds[CELL_STAGES_MAX], r;
	const int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct cell_failure f;
	uint16_t stage;
	bool full = false;

	memset(&trees, 0xff, sizeof trees); /* all -1 */
	spec_init(spec);
	assert_int_equal(spec_add_stage(spec, "/tree", &stage, NULL), 0);
	if (has_part)
		spec->stages[0].part = spec_add_text(spec, "/part", &full);
	else
		spec->stages[0].mask = spec_add_text(spec, "/mask", &full);
	r = overlay_mount(spec, &trees, proc, fds, &f);
	if (r == 0)
		(void)close(fds[0]);
	(void)close(proc);
	return r == 0 ? 0 : f.sys_errno;
}

static void it_is_volatile_where_it_can_be(void **state)
{
	static const struct {
		const char *name;
		bool has_part;
		int unknown, refuses, fails;
		const char *log;
		int result;
	} rows[] = {
		{ "taken", true, 0, 0, 0, "v", 0 },
		{ "not known to the parser", true, EINVAL, 0, 0, "s", 0 },
		{ "not known when it is made", true, 0, EINVAL, 0, "vs", 0 },
		{ "a write failed, and nobody has heard", true, 0, EIO, 0, "vs", 0 },
		{ "what fails in any case", true, 0, EINVAL, EINVAL, "vs", EINVAL },
		{ "what is not of the option", true, 0, EPERM, EPERM, "v", EPERM },
		{ "nothing is written", false, EINVAL, EINVAL, 0, "r", 0 },
	};
	struct cell_spec *spec = calloc(1, sizeof *spec);

	(void)state;
	assert_non_null(spec);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int r;

		memset(&kernel, 0, sizeof kernel);
		kernel.unknown = rows[i].unknown;
		kernel.refuses = rows[i].refuses;
		kernel.fails = rows[i].fails;
		r = mount_with(spec, rows[i].has_part);
		if (r != rows[i].result || strcmp(kernel.log, rows[i].log) != 0)
			fail_msg("%s: %d, after %s", rows[i].name, r, kernel.log);
	}
	free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_volatile_where_it_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
