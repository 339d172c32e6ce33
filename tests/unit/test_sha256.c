/* SHA-256: the standard's own answers, and libsodium's for every length around a block, in pieces of any size. */
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/sha256.h"

#include <setjmp.h>

#include <cmocka.h>

static void digest(const void *bytes, size_t n, size_t piece, uint8_t ret[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	for (size_t at = 0; at < n; at += piece)
		sha256_add(&s, (const uint8_t *)bytes + at, n - at < piece ? n - at : piece);
	sha256_end(&s, ret);
}

static void the_answers_of_the_standard(void **state)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t got[SHA256_BYTES];
		char hex[2 * SHA256_BYTES + 1];

		digest(rows[i].text, strlen(rows[i].text), 64, got);
		assert_string_equal(sodium_bin2hex(hex, sizeof hex, got, sizeof got), rows[i].hex);
	}
}

static void the_answers_of_another(void **state)
{
	static const size_t pieces[] = { 1, 3, 63, 64, 65, 1000 };
	uint8_t bytes[400], got[SHA256_BYTES], want[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		assert_int_equal(crypto_hash_sha256(want, bytes, n), 0);
		for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
			digest(bytes, n, pieces[i], got);
			assert_memory_equal(got, want, sizeof want);
		}
	}
}

static void a_million(void **state)
{
	static uint8_t bytes[1000000];
	uint8_t got[SHA256_BYTES], want[SHA256_BYTES];

	(void)state;
	memset(bytes, 'a', sizeof bytes);
	digest(bytes, sizeof bytes, 4096, got);
	assert_int_equal(crypto_hash_sha256(want, bytes, sizeof bytes), 0);
	assert_memory_equal(got, want, sizeof want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answers_of_the_standard),
		cmocka_unit_test(the_answers_of_another),
		cmocka_unit_test(a_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
