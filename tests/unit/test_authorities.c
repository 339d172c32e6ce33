/* Whom the person's programs believe: the file that they name, and nothing in its place; else the system's. */
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

#include "base/cleanup.h"
#include "base/fd.h"
#include "lib/authorities.h"

static const char *const system_places[] = {
#define BUNDLE(path) path,
#define KEYSTORE(path)
#include "base/authorities.def"
#undef BUNDLE
#undef KEYSTORE
};

static bool is_open_at(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void what_is_named_is_opened_or_nothing(void **state)
{
	char dir[] = "/tmp/ambit-authorities.XXXXXX", file[64], pipe[64], none[64];
	const char *const bad[] = { none, dir, pipe, "/dev/null" };
	auto_fd int fd = -1;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof file, "%s/file", dir);
	(void)snprintf(pipe, sizeof pipe, "%s/pipe", dir);
	(void)snprintf(none, sizeof none, "%s/none", dir);
	fclose(fopen(file, "we"));
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", file, 1), 0);
	assert_int_equal(authorities_open(&fd, &e), 0);
	assert_true(is_open_at(fd, file));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int other = -1;

		assert_int_equal(setenv("SSL_CERT_FILE", bad[i], 1), 0);
		if (authorities_open(&other, &e) >= 0 || other != -1 || e.code != AMBIT_NOT_FOUND ||
		    strstr(e.msg, bad[i]) == NULL || e.hint[0] == 0)
			fail_msg("%s: %s", bad[i], e.msg);
	}
	assert_int_equal(unlink(file) | unlink(pipe) | rmdir(dir), 0);
}

static void otherwise_it_is_the_systems(void **state)
{
	const char *first = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof system_places / sizeof system_places[0] && first == NULL; i++)
		first = access(system_places[i], R_OK) == 0 ? system_places[i] : NULL;
	for (int set = 0; set < 2; set++) {
		auto_fd int fd = -1;
		struct err e;

		assert_int_equal(set ? setenv("SSL_CERT_FILE", "", 1) : unsetenv("SSL_CERT_FILE"), 0);
		if (first == NULL)
			assert_int_equal(authorities_open(&fd, &e), -AMBIT_NOT_FOUND);
		else
			assert_true(authorities_open(&fd, &e) == 0 && is_open_at(fd, first));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_named_is_opened_or_nothing),
		cmocka_unit_test(otherwise_it_is_the_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
