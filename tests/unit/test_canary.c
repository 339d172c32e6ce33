/* Canaries: which lists are taken, and which names and files of a cell are one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/canary.h"
#include "warden/decoys.h"

#define HEAD "ambit canaries 1\n"
#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE "aws 1 2 3 4 " SUM " /a/b\n"

static void lists_that_are_taken_and_refused(void **state)
{
	static const struct {
		const char *name, *text;
		int rc;
		const char *says;
	} rows[] = {
		{ "one", HEAD LINE, 0, NULL },
		{ "none", HEAD, 0, NULL },
		{ "a path with blanks", HEAD "file 0 0 0 0 " SUM " /a  b c\n", 0, NULL },
		{ "the largest numbers", HEAD "ssh 18446744073709551615 1 16384 1 " SUM " /x\n", 0, NULL },
		{ "nothing", "", -AMBIT_MALFORMED, "line 1" },
		{ "another head", "ambit canaries 2\n" LINE, -AMBIT_MALFORMED, "line 1" },
		{ "cut off", HEAD LINE "aws 1", -AMBIT_MALFORMED, "line 3" },
		{ "a kind", HEAD "pin 1 2 3 4 " SUM " /a\n", -AMBIT_MALFORMED, "line 2" },
		{ "a leading zero", HEAD "aws 01 2 3 4 " SUM " /a\n", -AMBIT_MALFORMED, "line 2" },
		{ "too large a number", HEAD "aws 18446744073709551616 2 3 4 " SUM " /a\n", -AMBIT_MALFORMED,
		  "line 2" },
		{ "too large a file", HEAD "aws 1 2 16385 4 " SUM " /a\n", -AMBIT_MALFORMED, "line 2" },
		{ "two blanks", HEAD "aws  1 2 3 4 " SUM " /a\n", -AMBIT_MALFORMED, "line 2" },
		{ "a short digest", HEAD "aws 1 2 3 4 0a /a\n", -AMBIT_MALFORMED, "line 2" },
		{ "relative", HEAD "aws 1 2 3 4 " SUM " a\n", -AMBIT_MALFORMED, "line 2" },
		{ "the root", HEAD "aws 1 2 3 4 " SUM " /\n", -AMBIT_MALFORMED, "line 2" },
		{ "not normal", HEAD "aws 1 2 3 4 " SUM " /a/./b\n", -AMBIT_MALFORMED, "line 2" },
		{ "a control character", HEAD "aws 1 2 3 4 " SUM " /a\x1b[m\n", -AMBIT_MALFORMED, "line 2" },
		{ "the same path twice", HEAD LINE LINE, -AMBIT_MALFORMED, "line 3" },
		{ "an empty line", HEAD "\n", -AMBIT_MALFORMED, "line 2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct canaries c;
		auto_buf again = { .max = CANARIES_TEXT_MAX };
		struct err e = { .code = AMBIT_OK };
		const int r = canaries_read(rows[i].text, strlen(rows[i].text), &c, &e);

		if (r != rows[i].rc || (r < 0 && strstr(e.msg, rows[i].says) == NULL))
			fail_msg("%s: %d %s", rows[i].name, r, e.msg);
		if (r < 0)
			continue;
		canaries_write(&c, &again);
		assert_string_equal(buf_cstr(&again), rows[i].text);
	}
}

static void as_many_as_there_is_room_for(void **state)
{
	static struct canaries c;
	auto_buf text = { .max = 2 * CANARIES_TEXT_MAX };

	(void)state;
	buf_printf(&text, HEAD);
	for (int i = 0; i < CANARIES_MAX; i++) {
		buf_printf(&text, "env 1 2 3 4 " SUM " /");
		for (int k = 0; k < CANARY_PATH_MAX - 5; k++)
			buf_put_u8(&text, 'x');
		buf_printf(&text, "%03d\n", i);
	}
	assert_int_equal(canaries_read((const char *)text.data, text.len, &c, NULL), 0);
	assert_int_equal(c.n, CANARIES_MAX);
	assert_true(text.len <= CANARIES_TEXT_MAX);
	assert_int_equal(canaries_find(&c, c.list[CANARIES_MAX - 1].path), CANARIES_MAX - 1);
	buf_printf(&text, "env 1 2 3 4 " SUM " /y\n");
	assert_int_equal(canaries_read((const char *)text.data, text.len, &c, NULL), -AMBIT_LIMIT);
}

static void words_that_are_secret(void **state)
{
	static const struct {
		const char *text, *words; /* with a blank behind each */
	} rows[] = {
		{ "", "" },
		{ "[prod]\naws_access_key_id = AKIAQ7ABCDEFGHIJKLMN\naws_secret_access_key = ab+cd/ef0123456789ABCDEFGHIJKLMNOPQRSTUVW\n",
		  "AKIAQ7ABCDEFGHIJKLMN ab+cd/ef0123456789ABCDEFGHIJKLMNOPQRSTUVW " },
		{ "0123456789abcde", "" },
		{ "0123456789abcdef", "0123456789abcdef " },
		{ "abcdefghijklmnopqrstuvwxyz 01234567890123456789", "" },
		{ "sk_live_a1b2c3d4e5f6g7h8", "a1b2c3d4e5f6g7h8 " },
		{ "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB\nb3BlbnNzaC1rZXkt", "b3BlbnNzaC1rZXkt " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		auto_buf words = { .max = 1024 };
		size_t at = 0, n;

		while ((n = canary_word_next(rows[i].text, strlen(rows[i].text), &at)) > 0)
			buf_printf(&words, "%.*s ", (int)n, rows[i].text + at - n);
		assert_string_equal(buf_cstr(&words), rows[i].words);
	}
}

/* ---- what a name meets ---- */

static char top[64];
static struct decoys decoys;

static const char *at(const char *name)
{
	static char path[2][256];
	static unsigned turn;

	turn = !turn;
	(void)snprintf(path[turn], sizeof path[turn], "%s/%s", top, name);
	return path[turn];
}

static void make(const char *name, const char *text)
{
	auto_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static bool take(uint64_t size, const char *path, size_t n)
{
	auto_buf b = { .max = 8192 };
	struct rbuf in;

	buf_put_u32(&b, 1);
	buf_put_u32(&b, 1);
	buf_put_u64(&b, size);
	buf_put_bytes(&b, path, n);
	rbuf_init(&in, b.data, b.len);
	memset(&decoys, 0, sizeof decoys);
	return decoys_take(&decoys, &in);
}

static int begin(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/ambit-decoys-XXXXXX");
	assert_non_null(mkdtemp(top));
	make("decoy", "secret");
	make("other", "secret");
	assert_int_equal(link(at("decoy"), at("second")), 0);
	assert_int_equal(symlink("decoy", at("short")), 0);
	assert_int_equal(symlink("other", at("elsewhere")), 0);
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = { "decoy", "other", "second", "short", "elsewhere" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlink(at(names[i]));
	return rmdir(top);
}

static void names_that_are_one(void **state)
{
	static const struct {
		const char *name;
		bool follows, shown, hidden; /* it is met where the cell has the file, and where it has none */
	} rows[] = {
		{ "decoy", true, true, true },      { "./decoy", true, true, true },
		{ "x/../decoy", true, true, true }, { "/decoy", true, true, true },
		{ "decoy/", true, true, true },     { "second", true, true, false },
		{ "short", true, true, false },     { "short", false, false, false },
		{ "other", true, false, false },    { "elsewhere", true, false, false },
		{ "decoys", true, false, false },   { "", true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (unsigned hidden = 0; hidden < 2; hidden++) {
			assert_true(take(hidden ? 7 : 6, at("decoy"), strlen(at("decoy"))));
			assert_int_equal(decoys.any_near, !hidden);
			decoys_meet(&decoys, (uint32_t)getpid(), at(rows[i].name),
				    rows[i].follows ? DECOYS_FOLLOWED : DECOYS_NAMED);
			if ((decoys_untold(&decoys) != 0) != (hidden ? rows[i].hidden : rows[i].shown))
				fail_msg("%s: %d, hidden %u", rows[i].name, decoys_untold(&decoys) != 0, hidden);
		}
}

/* By the number of who asks, and not by this process's own. */
static void what_is_a_process_of_its_own(void **state)
{
	(void)state;
	assert_true(take(6, at("decoy"), strlen(at("decoy"))));
	assert_int_equal(chdir(top), 0);
	decoys_meet(&decoys, (uint32_t)getpid(), "/proc/self/cwd/second", DECOYS_FOLLOWED);
	assert_int_equal(decoys_untold(&decoys), 1);
	decoys.told = decoys.touched;
	assert_int_equal(decoys_untold(&decoys), 0);
	assert_true(take(6, at("decoy"), strlen(at("decoy"))));
	decoys_meet(&decoys, 0, "/proc/self/cwd/second", DECOYS_FOLLOWED); /* there is no such process */
	assert_int_equal(decoys_untold(&decoys), 0);
	assert_int_equal(chdir("/"), 0);
}

static void what_is_told_badly(void **state)
{
	static char longest[CANARY_PATH_MAX + 1];

	(void)state;
	memset(longest, 'x', sizeof longest);
	longest[0] = '/';
	assert_true(take(1, longest, CANARY_PATH_MAX - 1));
	assert_false(take(1, longest, CANARY_PATH_MAX));
	assert_false(take(1, "a/b", 3));
	assert_false(take(1, "/a\0b", 4));
	assert_false(take(1, "/a/../b", 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_that_are_taken_and_refused),
		cmocka_unit_test(as_many_as_there_is_room_for),
		cmocka_unit_test(words_that_are_secret),
		cmocka_unit_test(names_that_are_one),
		cmocka_unit_test(what_is_a_process_of_its_own),
		cmocka_unit_test(what_is_told_badly),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
