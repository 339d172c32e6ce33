#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/mask.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define LONG 512

/* All at once, with the slowest code that cannot be wrong. */
static void cover_slowly(const struct mask_text *texts, size_t n_texts, const char *in, size_t n, char *out)
{
	memcpy(out, in, n);
	for (size_t k = 0; k < n_texts; k++)
		for (size_t at = 0; at + texts[k].n <= n; at++)
			if (memcmp(in + at, texts[k].at, texts[k].n) == 0)
				memset(out + at, '*', texts[k].n);
}

static struct mask_set *set_of(const void *secret, size_t n, const char *user)
{
	return mask_set_of(&(struct mask_secret){ secret, n, user }, 1, NULL);
}

/* In pieces of at most `most` bytes. The room is exact, so that a byte too many is seen by sanitizers. */
static size_t cover_in_pieces(const struct mask_set *set, struct prop *p, size_t most, const char *in, size_t n,
			      char *out)
{
	size_t given = 0;
	struct mask m = { .set = NULL };

	assert_true(mask_begin(&m, set));
	for (size_t at = 0, piece; at < n; at += piece) {
		size_t room, got;
		uint8_t *exact;

		piece = 1 + prop_below(p, (uint32_t)most);
		if (piece > n - at)
			piece = n - at;
		room = mask_room(&m, piece);
		exact = malloc(room);
		assert_non_null(exact);
		got = mask_run(&m, (const uint8_t *)in + at, piece, exact);
		assert_true(got <= room && given + got + mask_held(&m) == at + piece);
		memcpy(out + given, exact, got);
		free(exact);
		given += got;
	}
	given += mask_let_go(&m, (uint8_t *)out + given);
	mask_finish(&m);
	return given;
}

static void rows_are_covered(void **state)
{
	static const struct {
		const char *texts[4], *in, *out;
	} rows[] = {
		{ { "s3cret" }, "", "" },
		{ { "s3cret" }, "nothing", "nothing" },
		{ { "s3cret" }, "s3cret", "******" },
		{ { "s3cret" }, "s3cre", "s3cre" },
		{ { "s3cret" }, "s3creT", "s3creT" },
		{ { "s3cret" }, "<s3crets3cret>s3s3cret", "<************>s3******" },
		{ { "abab" }, "ababab", "******" },
		{ { "aaaa" }, "aaaaaaa b aaa", "******* b aaa" },
		{ { "abcd", "cdef" }, "abcdef", "******" },
		{ { "abcd", "xabcdy" }, "xabcdz xabcdy", "x****z ******" },
		{ { "abcd", "xabcdyabcdz" }, "xabcdyabcd!", "x****y****!" },
		{ { "aaab", "aaaacc" }, "aaaab aaaac aaaacc", "a**** aaaac ******" },
		/* covered from before all that may still become a text */
		{ { "bbbb", "bbxbbbby" }, "bbbbxbbbbz bbbb", "****x****z ****" },
		{ { "****a" }, "****a ****b", "***** ****b" },
		{ { "abcd", "abcd" }, "abcd", "****" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mask_text texts[4];
		struct prop p = prop_round(i);
		struct mask_set *set;
		char out[64];
		size_t n = 0;

		for (; n < 4 && rows[i].texts[n] != NULL; n++)
			texts[n] = (struct mask_text){ (const uint8_t *)rows[i].texts[n], strlen(rows[i].texts[n]) };
		set = mask_set_create(texts, n, NULL);
		assert_non_null(set);
		for (size_t most = 1; most < 8; most++) {
			const size_t got = cover_in_pieces(set, &p, most, rows[i].in, strlen(rows[i].in), out);

			if (got != strlen(rows[i].out) || memcmp(out, rows[i].out, got) != 0)
				fail_msg("row %zu in pieces of %zu: %.*s", i, most, (int)got, out);
		}
		mask_set_free(set);
	}
}

/* Texts that repeat themselves and lie in each other, in bytes that are made of them. */
static void one_round(struct prop *p)
{
	const uint32_t letters = 1 + prop_below(p, 3);
	const size_t n_texts = 1 + prop_below(p, MASK_TEXTS_MAX), n = prop_below(p, LONG);
	uint8_t bytes[MASK_TEXTS_MAX][16];
	struct mask_text texts[MASK_TEXTS_MAX];
	char in[LONG], slow[LONG], out[LONG];
	struct mask_set *set;
	size_t got;

	for (size_t k = 0; k < n_texts; k++) {
		texts[k] = (struct mask_text){ bytes[k], MASK_TEXT_LEAST + prop_below(p, 12) };
		for (size_t i = 0; i < texts[k].n; i++)
			bytes[k][i] = (uint8_t)(prop_below(p, 16) == 0 ? '*' : 'a' + prop_below(p, letters));
	}
	for (size_t i = 0; i < n; i++)
		in[i] = (char)(prop_below(p, 16) == 0 ? '*' : 'a' + prop_below(p, letters));
	for (size_t i = 0; n >= 16 && i < prop_below(p, 8); i++) {
		const struct mask_text *t = &texts[prop_below(p, (uint32_t)n_texts)];

		memcpy(in + prop_below(p, (uint32_t)(n - 15)), t->at, t->n);
	}
	set = mask_set_create(texts, n_texts, NULL);
	assert_non_null(set);
	cover_slowly(texts, n_texts, in, n, slow);
	got = cover_in_pieces(set, p, 1 + prop_below(p, 40), in, n, out);
	mask_set_free(set);
	if (got != n || memcmp(out, slow, n) != 0)
		prop_fail(p, "%.*s\nis   %.*s\nnot  %.*s", (int)n, in, (int)got, out, (int)n, slow);
}

static void any_pieces_are_covered_alike(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);

		one_round(&p);
	}
}

/* A secret that is told after a pause is covered from there. */
static void what_is_let_go_is_all(void **state)
{
	static const struct mask_text text = { (const uint8_t *)"s3cret", 6 };
	static const struct {
		const char *pieces[3], *out;
	} rows[] = {
		{ { "a s3cret", "", "" }, "a ******" },
		{ { "a s3c", "ret s3cret", "s3" }, "a s3c*** ******s3" },
		{ { "s", "3cre", "ts3cret" }, "s3cre*******" },
		{ { "s3cre", "s3cret", "" }, "s3cre******" },
		{ { "s3s3c", "ret", "s3cret" }, "s3s3c*********" },
	};
	struct mask_set *set = mask_set_create(&text, 1, NULL);
	struct mask m = { .set = NULL };
	uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t n = 0, came = 0;

		assert_true(mask_begin(&m, set));
		for (size_t k = 0; k < 3; k++) {
			const size_t piece = strlen(rows[i].pieces[k]);

			n += mask_run(&m, (const uint8_t *)rows[i].pieces[k], piece, room + n);
			n += mask_let_go(&m, room + n);
			came += piece;
			assert_int_equal(n, came);
		}
		assert_int_equal(mask_let_go(&m, room + n), 0);
		if (n != strlen(rows[i].out) || memcmp(room, rows[i].out, n) != 0)
			fail_msg("%.*s, not %s", (int)n, (const char *)room, rows[i].out);
	}
	mask_finish(&m);
	mask_set_free(set);
}

/* However right a guess is that is told back, as much goes on. */
static void what_is_held_is_told_by_nothing(void **state)
{
	static const struct {
		const char *in;
		size_t held;
	} rows[] = {
		{ "", 0 },
		{ "data", 4 },
		{ "data: 1\n\n", 0 },
		{ "data: 1\n\nd", 1 },
		{ "data: ......", 6 },
		{ "data: t.....", 6 },
		{ "data: toto..", 6 },
		{ "data: totoke", 6 },
		{ "data: totoken", 6 },
		{ "totokentotoken", 6 },
		{ "a\ttoto", 4 },
		{ "a\x7ftoto", 4 },
		{ "a toto\r", 0 },
		{ "\x80\xff toto", 6 },
	};
	const struct mask_text texts[] = { { (const uint8_t *)"totoken", 7 }, { (const uint8_t *)"oken", 4 } };
	struct mask_set *set = mask_set_create(texts, 2, NULL);
	struct mask m = { .set = NULL };
	uint8_t out[32];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t n = strlen(rows[i].in);

		assert_true(mask_begin(&m, set));
		assert_int_equal(mask_run(&m, (const uint8_t *)rows[i].in, n, out), n - rows[i].held);
		assert_int_equal(mask_held(&m), rows[i].held);
		assert_int_equal(mask_let_go(&m, out), rows[i].held);
		assert_int_equal(mask_let_go(&m, out), 0);
	}
	mask_finish(&m);
	mask_set_free(set);
}

/* What is begun anew knows nothing of what was before. */
static void streams_are_apart(void **state)
{
	static const struct mask_text text = { (const uint8_t *)"s3cret", 6 };
	struct mask_set *set = mask_set_create(&text, 1, NULL);
	struct mask m = { .set = NULL };
	uint8_t out[16];

	(void)state;
	assert_true(mask_begin(&m, set));
	assert_int_equal(mask_run(&m, (const uint8_t *)"<s3c", 4, out), 0);
	assert_true(mask_begin(&m, set));
	assert_int_equal(mask_run(&m, (const uint8_t *)"ret>\n", 5, out), 5);
	assert_memory_equal(out, "ret>\n", 5);
	mask_finish(&m);
	mask_set_free(set);
}

static void no_set_covers_nothing(void **state)
{
	struct mask m = { .set = NULL };
	uint8_t out[8];

	(void)state;
	assert_true(mask_begin(&m, NULL));
	assert_int_equal(mask_room(&m, 6), 6);
	assert_int_equal(mask_run(&m, (const uint8_t *)"s3cret", 6, out), 6);
	assert_memory_equal(out, "s3cret", 6);
	assert_int_equal(mask_let_go(&m, out), 0);
	mask_whole(NULL, out, 6);
	assert_memory_equal(out, "s3cret", 6);
	mask_finish(&m);
	mask_set_free(NULL);
}

static void no_text_has_a_break(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		const uint8_t bytes[] = { 'a', 'b', 'c', (uint8_t)byte, 'd' };
		const struct mask_text text = { bytes, sizeof bytes };
		struct mask_set *set = mask_set_create(&text, 1, NULL);

		assert_int_equal(set == NULL, byte < 32 || byte == 127);
		mask_set_free(set);
	}
}

static void lengths_are_checked(void **state)
{
	static const struct {
		size_t texts, n;
		int good;
	} rows[] = {
		{ 0, 8, 0 },
		{ 1, MASK_TEXT_LEAST - 1, 0 },
		{ 1, MASK_TEXT_LEAST, 1 },
		{ 1, MASK_TEXT_MAX, 1 },
		{ 1, MASK_TEXT_MAX + 1, 0 },
		{ MASK_TEXTS_MAX, 8, 1 },
		{ MASK_TEXTS_MAX + 1, 8, 0 },
	};
	static uint8_t bytes[MASK_TEXT_MAX + 1];

	(void)state;
	memset(bytes, 'a', sizeof bytes);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mask_text texts[MASK_TEXTS_MAX + 1];
		struct mask_set *set;

		for (size_t k = 0; k < COUNT_OF(texts); k++)
			texts[k] = (struct mask_text){ bytes, rows[i].n };
		set = mask_set_create(texts, rows[i].texts, NULL);
		assert_int_equal(set != NULL, rows[i].good);
		mask_set_free(set);
	}
}

/* ---- how a secret is written ---- */

static void forms_are_covered(void **state)
{
	static const struct {
		const char *secret, *user, *form;
		size_t left; /* of the form: what is not of the secret */
	} rows[] = {
		{ "plain-secret", NULL, "plain-secret", 0 },
		{ "pl+in/s=cret", NULL, "pl%2Bin%2Fs%3Dcret", 0 },
		{ "pl+in/s=cret", NULL, "pl%2bin%2fs%3dcret", 0 },
		{ "pl+in/s=cret", NULL, "pl+in\\/s=cret", 0 },
		{ "a\"b\\c/d", NULL, "a\\\"b\\\\c/d", 0 },
		{ "a\"b\\c/d", NULL, "a\\\"b\\\\c\\/d", 0 },
		{ "a%b/\xc3\xa4 c", NULL, "a%25b/%C3%A4 c", 0 },
		{ "Secret12", "me", "bWU6U2VjcmV0MTI=", 1 },
		{ "Secret12", "me", "Secret12", 0 },
		{ "Secret12", "", "OlNlY3JldDEy", 0 },
		{ "?\?\?>>>~~~ab", "x", "eDo/Pz8+Pj5+fn5hYg", 0 },
		{ "?\?\?>>>~~~ab", "x", "eDo_Pz8-Pj5-fn5hYg", 0 },
		{ "?\?\?>>>~~~ab", "x", "eDo%2FPz8%2BPj5%2Bfn5hYg", 0 },
		{ "?\?\?>>>~~~ab", "x", "eDo%2fPz8%2bPj5%2bfn5hYg", 0 },
		{ "?\?\?>>>~~~ab", "x", "eDo\\/Pz8+Pj5+fn5hYg", 0 },
		/* in a form, as others write it */
		{ "a b~c*d!e", NULL, "a+b~c%2Ad%21e", 0 },
		{ "a b~c*d!e", NULL, "a+b%7Ec*d%21e", 0 },
		{ "a b~c*d!e", NULL, "a+b%7ec*d%21e", 0 },
		{ "a b~c*d!e", NULL, "a+b%7Ec%2Ad%21e", 0 },
		{ "a b~c*d!e", NULL, "a%20b~c*d!e", 0 },
		{ "a+b cd", NULL, "a%2Bb+cd", 0 },
		{ "a+b cd", NULL, "a+b+cd", 6 },
		/* not by Basic */
		{ "Secret12", NULL, "bWU6U2VjcmV0MTI=", 16 },
		{ "Secret12", "me", "secret12", 8 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mask_set *set = set_of(rows[i].secret, strlen(rows[i].secret), rows[i].user);
		const size_t n = strlen(rows[i].form);
		struct prop p = prop_round(i);
		size_t left = 0;
		char out[64];

		assert_non_null(set);
		assert_int_equal(cover_in_pieces(set, &p, 5, rows[i].form, n, out), n);
		for (size_t k = 0; k < n; k++)
			left += out[k] != '*';
		if (left != rows[i].left)
			fail_msg("row %zu: %.*s", i, (int)n, out);
		mask_set_free(set);
	}
}

/* Of two, and where one is how the other is written. */
static void two_secrets_are_covered(void **state)
{
	static const struct {
		struct mask_secret secrets[2];
		const char *in, *out;
	} rows[] = {
		{ { { "token-1", 7, NULL }, { "Secret12", 8, "me" } },
		  "token-1 Secret12 bWU6U2VjcmV0MTI=",
		  "******* ******** ***************=" },
		{ { { "Secret12", 8, "me" }, { "token-1", 7, NULL } },
		  "bWU6U2VjcmV0MTI=token-1",
		  "***************=*******" },
		{ { { "a b\"", 4, NULL }, { "a b\"", 4, NULL } },
		  "a+b%22 a\x20"
		  "b\\\" a%20b%22 a b\"",
		  "****** ***** ******** ****" },
		{ { { "Secret12", 8, "me" }, { "bWU6U2VjcmV0MTI", 15, NULL } },
		  "bWU6U2VjcmV0MTI Secret12",
		  "*************** ********" },
		{ { { "a/b ", 4, NULL }, { "a%2Fb%20", 8, NULL } },
		  "a%2Fb%20 a%252Fb%2520 a%2fb+ a\\/b ",
		  "******** ************ ****** *****" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct mask_set *set = mask_set_of(rows[i].secrets, 2, NULL);
		const size_t n = strlen(rows[i].in);
		struct prop p = prop_round(i);
		char out[128] = "";

		assert_non_null(set);
		assert_int_equal(cover_in_pieces(set, &p, 5, rows[i].in, n, out), n);
		assert_string_equal(out, rows[i].out);
		mask_set_free(set);
	}
	assert_null(mask_set_of(rows[0].secrets, 0, NULL));
	assert_null(mask_set_of(
		(const struct mask_secret[]){ { "one-", 4, NULL }, { "two-", 4, NULL }, { "three", 5, NULL } }, 3,
		NULL));
	assert_null(mask_set_of((const struct mask_secret[]){ { "one-", 4, NULL }, { "two", 3, NULL } }, 2, NULL));
}

static void the_longest_secret_fits(void **state)
{
	static char secret[MASK_SECRET_MAX + 1];
	char user[MASK_USER_MAX + 1] = "";
	struct mask_set *set;

	(void)state;
	memset(secret, 0xff, sizeof secret); /* in base64 all `/`, and three bytes each in a query */
	memset(user, 0x7f, MASK_USER_MAX - 1);
	set = set_of(secret, MASK_SECRET_MAX, user);
	assert_non_null(set);
	mask_set_free(set);
	memset(secret, '"', sizeof secret);
	set = set_of(secret, MASK_SECRET_MAX, user);
	assert_non_null(set);
	mask_set_free(set);
	assert_null(set_of(secret, MASK_SECRET_MAX + 1, NULL));
	assert_null(set_of(secret, MASK_TEXT_LEAST - 1, NULL));
	user[MASK_USER_MAX - 1] = 'x';
	assert_null(set_of(secret, 8, user));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_covered),
		cmocka_unit_test(any_pieces_are_covered_alike),
		cmocka_unit_test(what_is_held_is_told_by_nothing),
		cmocka_unit_test(streams_are_apart),
		cmocka_unit_test(no_set_covers_nothing),
		cmocka_unit_test(no_text_has_a_break),
		cmocka_unit_test(lengths_are_checked),
		cmocka_unit_test(forms_are_covered),
		cmocka_unit_test(the_longest_secret_fits),
		cmocka_unit_test(two_secrets_are_covered),
		cmocka_unit_test(what_is_let_go_is_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
