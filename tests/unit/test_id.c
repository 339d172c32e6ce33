#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/id.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void what_is_an_id(void **state)
{
	static const struct {
		char prefix;
		const char *text;
		bool good;
	} rows[] = {
		{ 'e', "e_01KDVQJZ00000000000000EVEN", true },  { 'g', "g_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", true },
		{ 'a', "a_00000000000000000000000000", true },  { 'e', "g_01KDVQJZ00000000000000EVEN", false },
		{ 'e', "e_81KDVQJZ00000000000000EVEN", false }, /* more than 128 bits */
		{ 'e', "e_A1KDVQJZ00000000000000EVEN", false }, { 'e', "e-01KDVQJZ00000000000000EVEN", false },
		{ 'e', "e_01KDVQJZ00000000000000EVE", false },  { 'e', "e_01KDVQJZ00000000000000EVENT", false },
		{ 'e', "e_01kdvqjz00000000000000even", false }, { 'e', "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (id_is(rows[i].prefix, rows[i].text, strlen(rows[i].text)) != rows[i].good)
			fail_msg("%c: %s", rows[i].prefix, rows[i].text);
}

/* Each byte at each place: what id_write could have put there, and nothing else. */
static void each_character_is_looked_at(void **state)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	(void)state;
	for (size_t at = 2; at < ID_LEN; at++)
		for (int c = 0; c < 256; c++) {
			char text[] = "e_00000000000000000000000000";
			const char *found = c != 0 ? strchr(alphabet, c) : NULL;

			text[at] = (char)c;
			if (id_is('e', text, ID_LEN) != (found != NULL && (at > 2 || found - alphabet < 8)))
				fail_msg("byte %d at %zu", c, at);
		}
}

static void what_is_written_is_one(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		uint8_t random[ID_RANDOM];
		const uint64_t ms = prop_next(&p) & ((UINT64_C(1) << 48) - 1);
		char text[ID_TEXT_MAX];
		uint8_t read[6 + ID_RANDOM];

		for (size_t i = 0; i < sizeof random; i++)
			random[i] = (uint8_t)prop_below(&p, 256);
		id_write('s', ms, random, text);
		id_read(text, read);
		if (!id_is('s', text, strlen(text)) || id_ms(text) != ms || memcmp(read + 6, random, ID_RANDOM) != 0)
			prop_fail(&p, "%s", text);
	}
}

static void the_time_is_its_first_bytes(void **state)
{
	static const struct {
		uint64_t ms;
		uint8_t bytes[ID_TIME];
	} rows[] = {
		{ 0, { 0, 0, 0, 0, 0, 0 } },
		{ UINT64_C(0x010203040506), { 1, 2, 3, 4, 5, 6 } },
		{ UINT64_C(0xff80000000000001), { 0, 0, 0, 0, 0, 1 } }, /* the lowest 48 bits */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static const uint8_t random[ID_RANDOM];
		uint8_t time[ID_TIME], read[ID_TIME + ID_RANDOM];
		char text[ID_TEXT_MAX];

		id_put_time(time, rows[i].ms);
		id_write('s', rows[i].ms, random, text);
		id_read(text, read);
		if (memcmp(time, rows[i].bytes, ID_TIME) != 0 || memcmp(read, time, ID_TIME) != 0)
			fail_msg("row %zu: %s", i, text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_an_id),
		cmocka_unit_test(each_character_is_looked_at),
		cmocka_unit_test(what_is_written_is_one),
		cmocka_unit_test(the_time_is_its_first_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
