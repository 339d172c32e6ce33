/* What a program says to `ambit cells`: each word with what it takes, and not with anything else. How many cells wait, while the clock is played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cells/said.h"
#include "cells/stock.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void a_message_is_whole_or_refused(void **state)
{
	static const struct {
		const char *message;
		int is; /* what said_take gives */
		enum said_word word;
		uint32_t number[2];
		const char *text;
	} rows[] = {
		{ "form 1", 0, SAID_FORM, { 1, 0 }, "" },
		{ "form 0", 0, SAID_FORM, { 0, 0 }, "" },
		{ "form 4294967295", 0, SAID_FORM, { UINT32_MAX, 0 }, "" },
		{ "arm 7 4294967295", 0, SAID_ARM, { 7, UINT32_MAX }, "" },
		{ "done", 0, SAID_DONE, { 0, 0 }, "" },
		{ "program /bin/cat", 0, SAID_PROGRAM, { 0, 0 }, "/bin/cat" },
		{ "argument ", 0, SAID_ARGUMENT, { 0, 0 }, "" },
		{ "argument  a b\n", 0, SAID_ARGUMENT, { 0, 0 }, " a b\n" },
		{ "grant read /srv/a b", 0, SAID_GRANT, { 0, 0 }, "read /srv/a b" },
		{ "", -AMBIT_UNKNOWN, SAID_WORDS, { 0, 0 }, NULL },
		{ " ", -AMBIT_UNKNOWN, SAID_WORDS, { 0, 0 }, NULL },
		{ "tak 1", -AMBIT_UNKNOWN, SAID_WORDS, { 0, 0 }, NULL },
		{ "takes 1", -AMBIT_UNKNOWN, SAID_WORDS, { 0, 0 }, NULL },
		{ "TAKE 1", -AMBIT_UNKNOWN, SAID_WORDS, { 0, 0 }, NULL },
		{ " take 1", -AMBIT_UNKNOWN, SAID_WORDS, { 0, 0 }, NULL },
		{ "take", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take ", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take  1", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take 1 ", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take 1 2", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take x", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take -1", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take +1", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take 0x1", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take 4294967296", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take 99999999999999999999", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "take 1\n", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "arm 1", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "arm 1 2 3", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "done x", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
		{ "program", -AMBIT_MALFORMED, SAID_WORDS, { 0, 0 }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct said s = { .word = SAID_WORDS };
		struct err e;
		const int r = said_take(rows[i].message, &s, &e);

		if (r != rows[i].is || s.word != rows[i].word || (r < 0 && e.msg[0] == 0))
			fail_msg("'%s': %d, word %d", rows[i].message, r, (int)s.word);
		if (r == 0 && (s.number[0] != rows[i].number[0] || s.number[1] != rows[i].number[1] ||
			       strcmp(s.text, rows[i].text) != 0))
			fail_msg("'%s': %u %u '%s'", rows[i].message, s.number[0], s.number[1], s.text);
	}
}

/* ---- how many wait ---- */

enum deed { TAKES_WARM, TAKES_COLD, FAILS, NOTHING };

static void so_many_are_wanted(void **state)
{
	static const struct {
		const char *name;
		uint32_t ready;
		struct {
			enum deed deed;
			unsigned times;
		} deeds[3];
		uint32_t wanted, later; /* and after one time of fading */
	} rows[] = {
		{ "none", 0, { { TAKES_COLD, 5 } }, 0, 0 },
		{ "two, and no one came", 2, { { TAKES_WARM, 0 } }, 2, 2 },
		{ "they suffice", 2, { { TAKES_WARM, 9 } }, 2, 2 },
		{ "they do not", 2, { { TAKES_COLD, 3 } }, 5, 4 },
		{ "more than are made for anybody", 2, { { TAKES_COLD, 99 } }, STOCK_MAX, STOCK_MAX - 1 },
		{ "more than that, since it says so",
		  STOCK_MAX + 1,
		  { { TAKES_COLD, 9 } },
		  STOCK_MAX + 1,
		  STOCK_MAX + 1 },
		{ "as many as may be", STOCK_READY_MAX, { { TAKES_COLD, 1 } }, STOCK_READY_MAX, STOCK_READY_MAX },
		{ "one more", STOCK_READY_MAX + 1, { { TAKES_COLD, 1 } }, STOCK_READY_MAX, STOCK_READY_MAX },
		{ "they end by themselves", 2, { { FAILS, 3 } }, 2, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct stock s;

		stock_init(&s, rows[i].ready);
		for (size_t d = 0; d < COUNT_OF(rows[i].deeds); d++)
			for (unsigned n = 0; n < rows[i].deeds[d].times; n++)
				switch (rows[i].deeds[d].deed) {
				case TAKES_WARM: stock_take(&s, true, 1000); break;
				case TAKES_COLD: stock_take(&s, false, 1000); break;
				case FAILS: stock_fail(&s, 1000); break;
				case NOTHING: break;
				}
		if (stock_surplus(&s, 100, 1000 + STOCK_FADES_MS - 1) != 100 - rows[i].wanted)
			fail_msg("%s: %u are wanted", rows[i].name, s.wanted);
		if (stock_surplus(&s, 100, 1000 + STOCK_FADES_MS) != 100 - rows[i].later ||
		    stock_surplus(&s, 100, 1000 + STOCK_FADES_MS) != 100 - rows[i].later)
			fail_msg("%s: later %u are wanted", rows[i].name, s.wanted);
		if (stock_surplus(&s, 0, 1000) != 0)
			fail_msg("%s: none is too many", rows[i].name);
	}
}

static void one_is_made_when_there_is_time(void **state)
{
	static const struct {
		const char *name;
		enum deed deed; /* at 1000; NOTHING: nothing */
		uint32_t waiting, cold;
		uint64_t now_ms;
		bool lacks;
		int patience;
	} rows[] = {
		{ "at once", NOTHING, 0, 0, 1000, true, -1 },
		{ "there are enough", NOTHING, 2, 0, 1000, false, -1 },
		{ "others begin", NOTHING, 0, STOCK_COLD_MAX, 1000, false, -1 },
		{ "one less begins", NOTHING, 0, STOCK_COLD_MAX - 1, 1000, true, -1 },
		{ "one was taken", TAKES_WARM, 1, 0, 1000, false, STOCK_RESTS_MS },
		{ "a moment later", TAKES_WARM, 1, 0, 1000 + STOCK_RESTS_MS - 1, false, 1 },
		{ "and another", TAKES_WARM, 1, 0, 1000 + STOCK_RESTS_MS, true, -1 },
		{ "taken, and enough wait", TAKES_WARM, 2, 0, 1000, false, -1 },
		{ "one ended", FAILS, 0, 0, 1000 + STOCK_FAILS_MS - 1, false, 1 },
		{ "it is tried again", FAILS, 0, 0, 1000 + STOCK_FAILS_MS, true, -1 },
		{ "one more is wanted, and later one less", TAKES_COLD, 3, 0, 1000, false, STOCK_FADES_MS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct stock s;

		stock_init(&s, 2);
		if (rows[i].deed == FAILS)
			stock_fail(&s, 1000);
		else if (rows[i].deed != NOTHING)
			stock_take(&s, rows[i].deed == TAKES_WARM, 1000);
		if (stock_lacks(&s, rows[i].waiting, rows[i].cold, rows[i].now_ms) != rows[i].lacks ||
		    stock_patience(&s, rows[i].waiting, -1, rows[i].now_ms) != rows[i].patience)
			fail_msg("%s: patience %d", rows[i].name,
				 stock_patience(&s, rows[i].waiting, -1, rows[i].now_ms));
	}
}

static void a_failure_is_not_forgotten_since_one_was_taken(void **state)
{
	struct stock s;

	(void)state;
	stock_init(&s, 1);
	stock_fail(&s, 1000);
	stock_take(&s, false, 1001);
	assert_false(stock_lacks(&s, 0, 0, 1000 + STOCK_FAILS_MS - 1));
}

static void the_sooner_of_two(void **state)
{
	static const struct {
		int timeout_ms;
		uint64_t at_ms;
		int is; /* at 1000 */
	} rows[] = {
		{ -1, 1000, 0 },
		{ -1, 0, 0 },
		{ -1, 1001, 1 },
		{ 0, 5000, 0 },
		{ 7, 1006, 6 },
		{ 7, 1008, 7 },
		{ 7, 999, 0 },
		{ -1, UINT64_MAX, INT32_MAX },
		{ -1, (uint64_t)1000 + INT32_MAX + 1, INT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (stock_sooner(rows[i].timeout_ms, rows[i].at_ms, 1000) != rows[i].is)
			fail_msg("row %zu: %d", i, stock_sooner(rows[i].timeout_ms, rows[i].at_ms, 1000));
}

static void which_is_taken(void **state)
{
	static const struct {
		struct stock_cell a, b;
		bool is;
	} rows[] = {
		{ { true, 9 }, { false, 1 }, true },  { { false, 1 }, { true, 9 }, false },
		{ { true, 1 }, { true, 2 }, true },   { { true, 2 }, { true, 1 }, false },
		{ { false, 1 }, { false, 2 }, true }, { { false, 2 }, { false, 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (stock_is_before(rows[i].a, rows[i].b) != rows[i].is)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_whole_or_refused),
		cmocka_unit_test(so_many_are_wanted),
		cmocka_unit_test(one_is_made_when_there_is_time),
		cmocka_unit_test(a_failure_is_not_forgotten_since_one_was_taken),
		cmocka_unit_test(the_sooner_of_two),
		cmocka_unit_test(which_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
