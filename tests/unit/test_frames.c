/* What a kernel's interpreter writes, which is a hostile program's word: rows of bytes, in one piece and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "code/code.h"
#include "lib/frames.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void put_head(struct buf *b, const char *mark, uint32_t step, uint32_t how, uint32_t bytes)
{
	buf_put(b, mark, 4);
	buf_put_u32(b, step);
	buf_put_u32(b, how);
	buf_put_u32(b, bytes);
}

/* As a stream of which at most `most` bytes are there at once; gives how many are of documents that are kept. */
static size_t feed(struct frames *f, const struct buf *b, size_t most)
{
	size_t kept = 0;

	for (size_t at = 0; at < b->len && !f->wrong;) {
		const size_t want = frames_want(f, most), n = want < b->len - at ? want : b->len - at;

		assert_true(want > 0 && want <= most);
		kept += frames_take(f, b->data + at, n);
		at += n;
	}
	return kept;
}

static void heads_are_checked_whole(void **state)
{
	static const struct {
		const char *what, *mark;
		uint32_t step, how, bytes, there;
		bool wrong, over;
		size_t kept;
		bool lost;
	} rows[] = {
		{ "nothing said", "STEP", 7, STEP_SAYS_OK, 0, 0, false, true, 0, false },
		{ "a document", "STEP", 7, STEP_SAYS_ERROR, 5, 5, false, true, 5, false },
		{ "half a document", "STEP", 7, STEP_SAYS_EXIT, 5, 4, false, false, 4, false },
		{ "another step", "STEP", 8, STEP_SAYS_OK, 0, 0, true, false, 0, false },
		{ "no step", "STEP", 0, STEP_SAYS_OK, 0, 0, true, false, 0, false },
		{ "another mark", "STEQ", 7, STEP_SAYS_OK, 0, 0, true, false, 0, false },
		{ "no end of ours", "STEP", 7, STEP_SAYS_COUNT, 0, 0, true, false, 0, false },
		{ "more than there may be", "STEP", 7, STEP_SAYS_OK, CODE_RESULT_MAX + 1, 0, true, false, 0, false },
		{ "as much as there may be", "STEP", 7, STEP_SAYS_OK, CODE_RESULT_MAX, 9, false, false, 0, true },
		{ "as much as there is room for", "STEP", 7, STEP_SAYS_OK, 100, 100, false, true, 100, false },
		{ "one more", "STEP", 7, STEP_SAYS_OK, 101, 101, false, true, 0, true },
		{ "something behind it", "STEP", 7, STEP_SAYS_OK, 1, 2, true, true, 1, false },
		{ "more than can be counted", "STEP", 7, STEP_SAYS_OK, UINT32_MAX, 0, true, false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t most = 1; most <= 64; most = most == 1 ? 64 : 65) {
			struct frames f = { .most = 100 };
			auto_buf b = { .max = 4096 };
			size_t kept;

			put_head(&b, rows[i].mark, rows[i].step, rows[i].how, rows[i].bytes);
			for (uint32_t n = 0; n < rows[i].there; n++)
				buf_put_u8(&b, 'x');
			frames_begin(&f, 7);
			kept = feed(&f, &b, most);
			if (f.wrong != rows[i].wrong || f.over != rows[i].over || kept != rows[i].kept ||
			    (!f.wrong && f.end.lost != rows[i].lost))
				fail_msg("%s, by %zu: wrong %d, over %d, kept %zu, lost %d", rows[i].what, most,
					 f.wrong, f.over, kept, f.end.lost);
		}
}

static void what_nobody_waits_for_is_wrong(void **state)
{
	struct frames f = { .most = 100 };

	(void)state;
	assert_int_equal(frames_want(&f, 64), 1);
	assert_int_equal(frames_take(&f, (const uint8_t *)"S", 1), 0);
	assert_true(f.wrong);
	assert_int_equal(frames_want(&f, 64), 0);
}

static void one_step_after_the_other_until_there_is_no_room(void **state)
{
	struct frames f = { .most = 100 };

	(void)state;
	for (uint32_t step = 1; step <= 5; step++) {
		auto_buf b = { .max = 4096 };

		put_head(&b, "STEP", step, STEP_SAYS_OK, 30);
		for (unsigned n = 0; n < 30; n++)
			buf_put_u8(&b, 'x');
		frames_begin(&f, step);
		assert_int_equal(feed(&f, &b, 64), step <= 3 ? 30 : 0);
		assert_true(f.over && !f.wrong && f.end.lost == (step > 3));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_checked_whole),
		cmocka_unit_test(what_nobody_waits_for_is_wrong),
		cmocka_unit_test(one_step_after_the_other_until_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
