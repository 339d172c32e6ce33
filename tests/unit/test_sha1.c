/* SHA-1: the standard's own answers, in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha1.h"

static void digest(const char *bytes, size_t n, size_t piece, char hex[2 * SHA1_BYTES + 1])
{
	uint8_t got[SHA1_BYTES];
	struct sha1 s;

	sha1_init(&s);
	for (size_t at = 0; at < n; at += piece)
		sha1_add(&s, bytes + at, n - at < piece ? n - at : piece);
	sha1_end(&s, got);
	for (size_t i = 0; i < SHA1_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", got[i]);
}

static void the_answers_of_the_standard(void **state)
{
	static char million[1000000];
	const struct {
		const char *text, *hex;
	} rows[] = {
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmno"
		  "pqrstnopqrstu",
		  "a49b2446a02c645bf419f995b67091253a04a259" },
		{ million, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
	};
	static const size_t pieces[] = { 1, 3, 63, 64, 65, 1000 };

	(void)state;
	memset(million, 'a', sizeof million);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
			char hex[2 * SHA1_BYTES + 1];

			digest(rows[i].text, rows[i].text == million ? sizeof million : strlen(rows[i].text), pieces[p],
			       hex);
			assert_string_equal(hex, rows[i].hex);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_answers_of_the_standard) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
