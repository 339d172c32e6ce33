/* Which file systems a cell has of the host's: numbers out of lines of any length. What goes is tried on real mounts (run_warm.py). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "supervisor/mounted.h"

static char top[] = "/tmp/ambit-mounted.XXXXXX";
static unsigned own_major, own_minor; /* the first that the host has */

/* A cell with `lines` of the host's root, behind paths of that length, and `others` that only it has. */
static void look(struct mounted *m, unsigned lines, int length, unsigned others)
{
	auto_fd int proc = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int fd = openat(proc, "1/mountinfo", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fdopen(fd, "we");

	assert_non_null(file);
	for (unsigned i = 0; i < others; i++)
		(void)fprintf(file, "%u 1 99999:%u / /%0*d rw,nosuid shared:1 - tmpfs none rw\n", i, i, length, 0);
	for (unsigned i = 0; i < lines; i++)
		(void)fprintf(file, "%u 1 %u:%u / /%0*d rw,nosuid - ext4 /dev/x rw,a:b=9:9\n", i, own_major, own_minor,
			      length, 0);
	assert_int_equal(fclose(file), 0);
	mounted_init(m);
	mounted_look(m, proc);
}

static void what_the_host_has_too_is_kept(void **state)
{
	static const int lengths[] = { 1, 100, 4000, 4096, 9000 };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		for (unsigned lines = 0; lines < 3; lines++) {
			struct mounted m;

			look(&m, lines, lengths[i], 5);
			assert_true(m.fd >= 0);
			assert_int_equal(m.n, lines > 0);
			if (lines > 0)
				assert_true(m.one[0].major == own_major && m.one[0].minor == own_minor);
			assert_true(mounted_are_there(&m));
			mounted_finish(&m);
			assert_int_equal(m.fd, -1);
		}
}

/* As if it had been mounted when the cell was made. */
static void what_has_gone_is_missed(void **state)
{
	struct mounted m;

	(void)state;
	look(&m, 1, 1, 0);
	m.one[m.n++] = (struct mounted_one){ .major = 99999, .minor = 1 };
	assert_false(mounted_are_there(&m));
	m.n--;
	assert_true(mounted_are_there(&m));
	mounted_finish(&m);
}

static void of_too_many_any_may_have_gone(void **state)
{
	struct mounted m;

	(void)state;
	look(&m, 1, 1, MOUNTED_MAX - 2);
	assert_int_equal(m.n, 1);
	assert_true(mounted_are_there(&m));
	mounted_finish(&m);
	look(&m, 1, 1, MOUNTED_MAX - 1);
	assert_false(mounted_are_there(&m));
	mounted_finish(&m);
}

static void without_a_cell_nothing_is_watched(void **state)
{
	auto_fd int none = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mounted m;

	(void)state;
	mounted_init(&m);
	mounted_look(&m, none);
	assert_int_equal(m.fd, -1);
}

static int make(void **state)
{
	char path[64];
	FILE *host = fopen("/proc/self/mountinfo", "re");
	const int n = host == NULL ? 0 : fscanf(host, "%*d %*d %u:%u", &own_major, &own_minor);

	(void)state;
	if (host != NULL)
		(void)fclose(host);
	if (n != 2 || mkdtemp(top) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/1", top);
	return mkdir(path, 0700);
}

static int take_away(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/1/mountinfo", top);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/1", top);
	return rmdir(path) < 0 || rmdir(top) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_host_has_too_is_kept),
		cmocka_unit_test(what_has_gone_is_missed),
		cmocka_unit_test(of_too_many_any_may_have_gone),
		cmocka_unit_test(without_a_cell_nothing_is_watched),
	};

	return cmocka_run_group_tests(tests, make, take_away);
}
