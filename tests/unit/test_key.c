/* The file of a ledger's key: what is made is read again, signs what its public half verifies, and nothing else is taken for one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "ledger/key.h"
#include "ledger/layout.h"

/* Of the example of a key in the documentation of Go's note package. */
#define GO_SIGNER "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define GO_VERIFIER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

struct place {
	char path[64];
	int fd;
	struct disk *disk;
};

static struct place place_open(void)
{
	struct place p = { .path = "/tmp/ambit-test-key-XXXXXX" };

	assert_non_null(mkdtemp(p.path));
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(disk_create(p.fd, &p.disk), 0);
	return p;
}

static void place_close(struct place *p)
{
	disk_destroy(p->disk);
	assert_int_equal(unlinkat(p->fd, LEDGER_KEY, 0), 0);
	fd_close(&p->fd);
	assert_int_equal(rmdir(p->path), 0);
}

static void put(const struct place *p, const char *text)
{
	auto_fd int fd = openat(p->fd, LEDGER_KEY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void what_is_made_is_read_again(void **state)
{
	struct place p = place_open();
	struct log_key made, again, other;
	bool missing;
	struct stat st;

	(void)state;
	assert_int_equal(key_read(p.disk, LEDGER_KEY, &again, &missing, NULL), 0);
	assert_true(missing);
	assert_int_equal(key_make(&made, NULL), 0);
	assert_int_equal(key_write(p.disk, LEDGER_KEY, &made, NULL), 0);
	assert_int_equal(fstatat(p.fd, LEDGER_KEY, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(key_read(p.disk, LEDGER_KEY, &again, &missing, NULL), 0);
	assert_false(missing);
	assert_memory_equal(made.secret, again.secret, sizeof made.secret);
	assert_string_equal(made.public.name, again.public.name);
	assert_int_equal(made.public.id, again.public.id);
	assert_int_equal(strncmp(made.public.name, "ambit/", 6), 0);
	assert_int_equal(key_make(&other, NULL), 0);
	assert_string_not_equal(made.public.name, other.public.name);
	assert_memory_not_equal(made.secret, other.secret, sizeof made.secret);
	place_close(&p);
}

static void others_that_write_such_keys_are_understood(void **state)
{
	struct place p = place_open();
	auto_buf text = { .max = 512 };
	struct log_key key;
	bool missing;

	(void)state;
	put(&p, GO_SIGNER "\n");
	assert_int_equal(key_read(p.disk, LEDGER_KEY, &key, &missing, NULL), 0);
	vkey_put(&text, &key.public);
	assert_string_equal(buf_cstr(&text), GO_VERIFIER);
	place_close(&p);
}

static void what_is_no_key_is_refused(void **state)
{
	static const char cut[] = GO_SIGNER, behind[] = GO_SIGNER "\n\n", before[] = " " GO_SIGNER "\n",
			  verifier[] = GO_VERIFIER "\n";
	static const char *const rows[] = {
		"",
		"\n",
		cut,
		behind,
		before,
		verifier,
		"PRIVATE+KEY+\n",
		"PRIVATE+KEY+PeterNeumann\n",
		"PRIVATE+KEY+PeterNeumann+c74f20a3\n",
		"PRIVATE+KEY+PeterNeumann+c74f20a3+\n",
		"PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n", /* another id */
		"PRIVATE+KEY+PeterNeumann+C74F20A3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n",
		"PRIVATE+KEY+Peter+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n", /* or name */
		"PRIVATE+KEY+Peter Neumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n",
		"PRIVATE+KEY++c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n",
		"PRIVATE+KEY+PeterNeumann+c74f20a3+AoEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n", /* another type */
		"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDF\n",
		"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFzAAAA\n",
	};
	struct place p = place_open();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct log_key key;
		struct err e = { .code = AMBIT_OK };
		bool missing;

		put(&p, rows[i]);
		if (key_read(p.disk, LEDGER_KEY, &key, &missing, &e) != -AMBIT_MALFORMED || missing || e.why[0] == 0)
			fail_msg("row %zu was taken", i);
	}
	place_close(&p);
}

static void a_key_that_others_can_read_signs_nothing(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0601, 0644 };
	struct place p = place_open();
	struct log_key key;
	struct err e;
	bool missing;

	(void)state;
	put(&p, GO_SIGNER "\n");
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(fchmodat(p.fd, LEDGER_KEY, modes[i], 0), 0);
		assert_int_equal(key_read(p.disk, LEDGER_KEY, &key, &missing, &e), -AMBIT_DENIED);
	}
	assert_int_equal(fchmodat(p.fd, LEDGER_KEY, 0400, 0), 0);
	assert_int_equal(key_read(p.disk, LEDGER_KEY, &key, &missing, &e), 0);
	assert_int_equal(unlinkat(p.fd, LEDGER_KEY, 0), 0);
	assert_int_equal(symlinkat("/dev/null", p.fd, LEDGER_KEY), 0);
	assert_int_equal(key_read(p.disk, LEDGER_KEY, &key, &missing, &e), -AMBIT_SYSTEM);
	place_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_read_again),
		cmocka_unit_test(others_that_write_such_keys_are_understood),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(a_key_that_others_can_read_signs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
