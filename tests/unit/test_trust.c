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

#include "policy/trust.h"

#define POLICY "version: 1\n"
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct place {
	char top[64];
	char dir[96];  /* of records: two parts of it do not exist yet */
	char file[96]; /* the policy */
};

static void write_text(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	if (p == NULL)
		return -1;
	(void)snprintf(p->top, sizeof p->top, "/tmp/ambit-trust.XXXXXX");
	if (mkdtemp(p->top) == NULL)
		return -1;
	(void)snprintf(p->dir, sizeof p->dir, "%s/state/ambit/trust", p->top);
	(void)snprintf(p->file, sizeof p->file, "%s/a\nb.yaml", p->top); /* a line break in its name changes nothing */
	write_text(p->file, POLICY, strlen(POLICY));
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	char command[128];
	int rc;

	(void)snprintf(command, sizeof command, "rm -rf '%s'", p->top);
	rc = system(command);
	free(p);
	return rc;
}

static enum trust_state state_of(const struct place *p, const char *file)
{
	struct trust t;
	struct err e;
	enum trust_state s;

	trust_init(&t);
	if (trust_check(p->dir, file, &t, &e) < 0)
		fail_msg("%s", e.msg);
	s = t.state;
	trust_finish(&t);
	return s;
}

static void store(const struct place *p)
{
	struct trust t;
	struct err e;

	trust_init(&t);
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), 0);
	if (trust_store(p->dir, &t, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(t.state, TRUST_TRUSTED);
	trust_finish(&t);
}

/* The one record of the directory. */
static void record_path(const struct place *p, char *ret, size_t size)
{
	char command[160];
	FILE *pipe;

	(void)snprintf(command, sizeof command, "find '%s' -type f | sort", p->dir);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	assert_non_null(fgets(ret, (int)size, pipe));
	ret[strcspn(ret, "\n")] = 0;
	assert_null(fgets(command, sizeof command, pipe)); /* nothing half-written lies beside it */
	assert_int_equal(pclose(pipe), 0);
}

static void trust_is_of_this_path_and_these_bytes(void **state)
{
	const struct place *p = *state;
	char other[96], link[96];
	struct trust t;
	struct stat st;

	(void)snprintf(other, sizeof other, "%s/other.yaml", p->top);
	(void)snprintf(link, sizeof link, "%s/link.yaml", p->top);
	assert_int_equal(state_of(p, p->file), TRUST_UNKNOWN);
	store(p);
	assert_int_equal(state_of(p, p->file), TRUST_TRUSTED);
	assert_int_equal(stat(p->dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	write_text(other, POLICY, strlen(POLICY)); /* the same bytes elsewhere */
	assert_int_equal(state_of(p, other), TRUST_UNKNOWN);
	assert_int_equal(symlink(p->file, link), 0); /* the same file by another name */
	assert_int_equal(state_of(p, link), TRUST_TRUSTED);

	write_text(p->file, "version: 1\n#", 12);
	trust_init(&t);
	assert_int_equal(trust_check(p->dir, p->file, &t, NULL), 0);
	assert_int_equal(t.state, TRUST_CHANGED);
	assert_int_equal(t.old.len, 11);
	assert_int_equal(t.now.len, 12);
	write_text(p->file, "version: 1\n# later\n",
		   19); /* what is trusted is what was shown, not what lies there now */
	assert_int_equal(trust_store(p->dir, &t, NULL), 0);
	trust_finish(&t);
	assert_int_equal(state_of(p, p->file), TRUST_CHANGED);
	write_text(p->file, "version: 1\n#", 12);
	assert_int_equal(state_of(p, p->file), TRUST_TRUSTED);
	write_text(p->file, POLICY, strlen(POLICY)); /* what was trusted before is no longer */
	assert_int_equal(state_of(p, p->file), TRUST_CHANGED);
}

static void an_empty_policy_can_be_trusted(void **state)
{
	const struct place *p = *state;

	write_text(p->file, "", 0);
	store(p);
	assert_int_equal(state_of(p, p->file), TRUST_TRUSTED);
}

/* Any byte of a record changed, or its end cut off: never trust. Among the policy's own bytes it is a change to be shown. */
static void a_damaged_record_is_never_trust(void **state)
{
	const struct place *p = *state;
	char record[192], text[512];
	struct err e;
	FILE *f;
	size_t n;

	store(p);
	record_path(p, record, sizeof record);
	f = fopen(record, "re");
	assert_non_null(f);
	n = fread(text, 1, sizeof text, f);
	assert_int_equal(fclose(f), 0);
	for (size_t i = 0; i < n; i++) {
		struct trust t;
		int rc;

		trust_init(&t);
		text[i] ^= 4;
		write_text(record, text, n);
		rc = trust_check(p->dir, p->file, &t, &e);
		if (i >= n - strlen(POLICY) ? rc != 0 || t.state != TRUST_CHANGED : rc != -AMBIT_UNTRUSTED)
			fail_msg("byte %zu: %d, state %d", i, rc, (int)t.state);
		text[i] ^= 4;
		write_text(record, text, i);
		rc = trust_check(p->dir, p->file, &t, &e);
		if (rc != -AMBIT_UNTRUSTED)
			fail_msg("cut at %zu: %d, state %d", i, rc, (int)t.state);
		trust_finish(&t);
	}
	write_text(record, text, n);
	assert_int_equal(state_of(p, p->file), TRUST_TRUSTED);
}

static void records_that_others_may_write_are_never_trust(void **state)
{
	const struct place *p = *state;
	char record[192], moved[96];
	struct trust t;
	struct err e;

	trust_init(&t);
	store(p);
	record_path(p, record, sizeof record);
	assert_int_equal(chmod(p->dir, 0770), 0);
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), -AMBIT_UNTRUSTED);
	assert_int_equal(trust_store(p->dir, &t, &e), -AMBIT_UNTRUSTED);
	assert_int_equal(chmod(p->dir, 0702), 0);
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), -AMBIT_UNTRUSTED);
	assert_int_equal(chmod(p->dir, 0755), 0);
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), 0);
	assert_int_equal(chmod(record, 0622), 0);
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), -AMBIT_UNTRUSTED);
	assert_int_equal(chmod(record, 0600), 0);
	if (geteuid() == 0) { /* only root can give them away */
		assert_int_equal(chown(p->dir, 12345, 12345), 0);
		assert_int_equal(trust_check(p->dir, p->file, &t, &e), -AMBIT_UNTRUSTED);
		assert_int_equal(chown(p->dir, 0, 0), 0);
	}
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), 0);
	(void)snprintf(moved, sizeof moved, "%s/moved", p->top);
	assert_int_equal(rename(record, moved), 0);
	assert_int_equal(symlink(moved, record), 0); /* a link in its place, to a good record */
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), -AMBIT_UNTRUSTED);
	trust_finish(&t);
}

static void what_is_no_policy_file_is_refused(void **state)
{
	const struct place *p = *state;
	char *large = calloc(1, POLICY_FILE_MAX + 1), fifo[96];
	struct trust t;
	struct err e;

	assert_non_null(large);
	(void)snprintf(fifo, sizeof fifo, "%s/fifo", p->top);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	trust_init(&t);
	assert_int_equal(trust_check(p->dir, "/nothing/here", &t, &e), -AMBIT_NOT_FOUND);
	assert_int_equal(trust_check(p->dir, p->top, &t, &e), -AMBIT_MALFORMED);
	assert_int_equal(trust_check(p->dir, fifo, &t, &e), -AMBIT_MALFORMED); /* and does not wait for a writer */
	write_text(p->file, large, POLICY_FILE_MAX + 1);
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), -AMBIT_LIMIT);
	write_text(p->file, large, POLICY_FILE_MAX);
	assert_int_equal(trust_check(p->dir, p->file, &t, &e), 0);
	assert_int_equal(trust_store(p->dir, &t, &e), 0); /* a record has room for the largest policy */
	assert_int_equal(state_of(p, p->file), TRUST_TRUSTED);
	trust_finish(&t);
	free(large);
}

static void the_directory_comes_from_the_environment(void **state)
{
	static const struct {
		const char *xdg, *home, *expected;
	} rows[] = {
		{ "/x", "/h", "/x/ambit/trust" },
		{ NULL, "/h", "/h/.local/state/ambit/trust" },
		{ "", "/h", "/h/.local/state/ambit/trust" },
		{ "x", "/h", "/h/.local/state/ambit/trust" },
		{ NULL, NULL, NULL },
		{ NULL, "h", NULL },
		{ "/long/long/long/long/long", "/h", NULL },
	};
	char ret[32];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const int rc = trust_dir(rows[i].xdg, rows[i].home, ret, sizeof ret, NULL);

		assert_int_equal(rc, rows[i].expected != NULL ? 0 : -AMBIT_NOT_FOUND);
		if (rc == 0)
			assert_string_equal(ret, rows[i].expected);
	}
}

static void fill(struct buf *b, const char *text)
{
	buf_reset(b);
	buf_put(b, text, strlen(text));
}

static void a_change_is_shown_as_lines(void **state)
{
	static const struct {
		const char *old, *now, *expected;
	} rows[] = {
		{ "", "", "" },
		{ "a\n", "a\n", "" },
		{ "", "a\n", "+a\n" },
		{ "a\n", "", "-a\n" },
		{ "a\nb\nc\n", "a\nx\nc\n", " a\n-b\n+x\n c\n" },
		{ "a\nb\nc\n", "a\nc\n", " a\n-b\n c\n" },
		{ "a\nc\n", "a\nb\nc\n", " a\n+b\n c\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n", " 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
		{ "a\nb\nc\nd\n", "x\nb\nc\ny\n", "-a\n+x\n b\n c\n-d\n+y\n" },
		{ "a\na\n", "a\n", " a\n-a\n" },
		{ "a\n", "a", "-(a line break at the end)\n" },
		{ "a", "a\n", "+(a line break at the end)\n" },
		{ "a\n", "\033[2Jb\n", "-a\n+\\x1b[2Jb\n" }, /* it is shown on a terminal */
	};
	auto_buf old, now, out;

	(void)state;
	buf_init(&old, POLICY_FILE_MAX);
	buf_init(&now, POLICY_FILE_MAX);
	buf_init(&out, TRUST_DIFF_MAX);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		fill(&old, rows[i].old);
		fill(&now, rows[i].now);
		buf_reset(&out);
		assert_true(trust_diff(&old, &now, &out));
		assert_string_equal(buf_cstr(&out), rows[i].expected);
	}
}

static void count_marks(const struct buf *diff, size_t *kept, size_t *out, size_t *in)
{
	bool start = true;

	*kept = *out = *in = 0;
	for (size_t i = 0; i < diff->len; i++) {
		*kept += start && diff->data[i] == ' ';
		*out += start && diff->data[i] == '-';
		*in += start && diff->data[i] == '+';
		start = diff->data[i] == '\n';
	}
}

/* Every other line changed: line by line where the table has room, whole where it has not. */
static void many_changes_are_bounded(void **state)
{
	static const struct {
		unsigned int pairs;
		size_t kept, out, in;
	} rows[] = { { 1000, 999, 1000, 1000 }, { 1100, 0, 2199, 2199 } };
	auto_buf old, now, out;

	(void)state;
	buf_init(&old, POLICY_FILE_MAX);
	buf_init(&now, POLICY_FILE_MAX);
	buf_init(&out, TRUST_DIFF_MAX);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t kept, gone, come;

		buf_reset(&old);
		buf_reset(&now);
		buf_reset(&out);
		for (unsigned int k = 0; k < rows[i].pairs; k++) {
			buf_printf(&old, "old\n%s", k + 1 < rows[i].pairs ? "same\n" : "");
			buf_printf(&now, "new\n%s", k + 1 < rows[i].pairs ? "same\n" : "");
		}
		assert_true(trust_diff(&old, &now, &out));
		count_marks(&out, &kept, &gone, &come);
		assert_int_equal(kept, rows[i].kept);
		assert_int_equal(gone, rows[i].out);
		assert_int_equal(come, rows[i].in);
	}
}

/* Beyond the table: all out, all in; and the room is enough for the worst bytes. */
static void a_large_change_is_shown_whole(void **state)
{
	auto_buf old, now, out;
	size_t lines = 0;

	(void)state;
	buf_init(&old, POLICY_FILE_MAX);
	buf_init(&now, POLICY_FILE_MAX);
	buf_init(&out, TRUST_DIFF_MAX);
	for (unsigned int i = 0; i < POLICY_FILE_MAX / 2; i++) {
		buf_put(&old, "\n\033", 2);
		buf_put(&now, "\001\n", 2);
	}
	assert_true(trust_diff(&old, &now, &out));
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	assert_int_equal(lines, POLICY_FILE_MAX + 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trust_is_of_this_path_and_these_bytes, make_place, remove_place),
		cmocka_unit_test_setup_teardown(an_empty_policy_can_be_trusted, make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_damaged_record_is_never_trust, make_place, remove_place),
		cmocka_unit_test_setup_teardown(records_that_others_may_write_are_never_trust, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(what_is_no_policy_file_is_refused, make_place, remove_place),
		cmocka_unit_test(the_directory_comes_from_the_environment),
		cmocka_unit_test(a_change_is_shown_as_lines),
		cmocka_unit_test(many_changes_are_bounded),
		cmocka_unit_test(a_large_change_is_shown_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
