#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/credential.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define SAMPLE_MAX 160

/* Characters of each kind, with what makes it more than the kind before. */
#define UPPER "ABC7XYZ2QRS5"
#define LOWER "abc7xyz2qrs5"
#define HEX "0a9fB3c8D1e7"
#define ALNUM "aB3xY7qR5zK9"
#define WORD "aB3xY7_R5zK9"
#define DASHED "aB3x-7_R5zK9"
#define DOTTED "aB3x.7_R-zK9"
#define BASE64 "aB3x/7+R5zK9"

static const struct {
	const char *beginning, *characters;
	size_t least;
	const char *what;
} forms[] = {
#define FIELD(name)
#define PARAMETER(name)
#define FORM(beginning, kind, least, what) { beginning, kind, least, what },
#define KEY(line)
#include "http/credential.def"
};

static const char *const keys[] = {
#undef FORM
#undef KEY
#define FORM(beginning, kind, least, what)
#define KEY(line) line,
#include "http/credential.def"
};

static const char *find(const char *text)
{
	return credential_find((const uint8_t *)text, strlen(text));
}

static size_t fill(char *dst, size_t n, const char *characters)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = characters[i % strlen(characters)];
	return n;
}

/* `before`, a token of form i with so many characters, and `after`. */
static const char *sample(char dst[2 * SAMPLE_MAX], size_t i, size_t n, const char *before, const char *after)
{
	size_t at = (size_t)snprintf(dst, SAMPLE_MAX, "%s%s", before, forms[i].beginning);

	at += fill(dst + at, n, forms[i].characters);
	(void)snprintf(dst + at, SAMPLE_MAX, "%s", after);
	return dst;
}

static void each_form_is_found(void **state)
{
	static const struct {
		const char *before, *after;
	} around[] = {
		{ "", "" },           { "\"", "\"" },        { "t=", "&u" },     { "a\\n", "\\n" },
		{ "%22", "%22" },     { "\\u003d", "!" },    { "\xff", "\xff" }, { "{\"a\":\"\\t", "\"}" },
		{ "http://u:", "@" }, { "Bearer ", "\r\n" },
	};
	char text[2 * SAMPLE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(forms); i++)
		for (size_t k = 0; k < COUNT_OF(around); k++) {
			const char *what = find(sample(text, i, forms[i].least, around[k].before, around[k].after));

			if (what == NULL || strcmp(what, forms[i].what) != 0)
				fail_msg("%s: %s", text, what == NULL ? "nothing" : what);
		}
}

static void one_less_is_no_token(void **state)
{
	char text[2 * SAMPLE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (find(sample(text, i, forms[i].least - 1, "", "")) != NULL ||
		    find(sample(text, i, forms[i].least - 1, "", "\"aaaaaaaaaaaaaaaaaaaa")) != NULL)
			fail_msg("%s", text);
		if (forms[i].beginning[0] == '.')
			continue;
		if (find(sample(text, i, forms[i].least, "s", "")) != NULL)
			fail_msg("within a word: %s", text);
	}
}

/* The bytes in two pieces, and one by one. */
static bool is_found_split(const char *text, size_t n, size_t at)
{
	struct credential_scan s;
	const char *what;

	credential_scan_init(&s);
	what = credential_scan_run(&s, (const uint8_t *)text, at);
	if (what == NULL)
		what = credential_scan_run(&s, (const uint8_t *)text + at, n - at);
	return what != NULL;
}

static bool is_found_by_one(const char *text, size_t n)
{
	struct credential_scan s;
	bool found = false;

	credential_scan_init(&s);
	for (size_t i = 0; i < n && !found; i++)
		found = credential_scan_run(&s, (const uint8_t *)text + i, 1) != NULL;
	return found;
}

static void each_form_is_found_in_pieces(void **state)
{
	static char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		size_t n = 300; /* more than a tail */

		memset(text, ' ', sizeof text);
		n += strlen(sample(text + n, i, forms[i].least, "\\n", ""));
		text[n] = ' ';
		for (size_t at = 1; at <= n + 1; at++)
			if (!is_found_split(text, n + 300, at))
				fail_msg("%s at %zu", text + 300, at);
		assert_true(is_found_by_one(text, n));
		assert_false(is_found_by_one(text, n - 1));
	}
}

static void keys_are_found(void **state)
{
	static const struct {
		const char *after;
		bool found;
	} rows[] = {
		{ "\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC", true },
		{ "\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC", true },
		{ "\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC", true },
		{ "%0D%0AMIIEvQIBADANBgkqhkiG9w0BAQEFAASC", true },
		{ "\nProc-Type: 4,ENCRYPTED\nDEK-Info",
		  false }, /* the line is too short: what follows is not known to be long */
		{ "\nMIIEvQIBADANBgkqhkiG9w0", false },
		{ "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", false },
		{ "\n-----END RSA PRIVATE KEY-----", false },
		{ "\n...\n-----END RSA PRIVATE KEY-----", false },
		{ "\\n\" + body + \"-----END PRIVATE KEY\"", false },
		{ "') != -1) { throw new Error('no key') }", false },
		{ "", false },
	};
	char text[SAMPLE_MAX];

	(void)state;
	for (size_t k = 0; k < COUNT_OF(keys); k++)
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			const int n = snprintf(text, sizeof text, "x%s%s", keys[k], rows[i].after);

			if ((find(text) != NULL) != rows[i].found)
				fail_msg("%s", text);
			for (size_t at = 1; at < (size_t)n; at++)
				assert_int_equal(is_found_split(text, (size_t)n, at), rows[i].found);
		}
}

#define HEADER "eyJhbGciOiJIUzI1NiJ9"
#define PAYLOAD "eyJzdWIiOiIxMjM0NTY3ODkwIn0"
#define SIGNATURE "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"

static void json_web_tokens_are_found(void **state)
{
	static const struct {
		const char *text;
		bool found;
	} rows[] = {
		{ HEADER "." PAYLOAD "." SIGNATURE, true },
		{ "t=" HEADER "." PAYLOAD "." SIGNATURE "&", true },
		{ "%22" HEADER "." PAYLOAD "." SIGNATURE, true },
		{ "x" HEADER "." PAYLOAD "." SIGNATURE, false },
		{ "eyJ0.eyJ0." HEADER "." PAYLOAD "." SIGNATURE, true },
		{ HEADER "." HEADER "." HEADER "." SIGNATURE, true },
		{ HEADER "." HEADER "." PAYLOAD ".abc", true }, /* a payload is long enough for a signature */
		{ HEADER "." PAYLOAD "." PAYLOAD, true },
		{ HEADER "." PAYLOAD ".dozjgNryP4J3jVmNHl0", false },
		{ HEADER "." PAYLOAD ".dozjgNryP4J3jVmNHl0w", true },
		{ HEADER "." PAYLOAD "", false },
		{ HEADER "." SIGNATURE "." SIGNATURE, false },
		{ HEADER ".." PAYLOAD "." SIGNATURE, false },
		{ HEADER "." PAYLOAD "/" SIGNATURE, false },
		{ "eyJhbGciOiJIUzI1." PAYLOAD "." SIGNATURE, false },
		{ "eyJhbGciOiJIUzI1N." PAYLOAD "." SIGNATURE, true },
		/* where a list goes on */
		{ "cursor=eyJpZCI6MTIzNDU2Nzg5MCwiZGlyIjoiYXNjIiwidCI6MTIzNDU2Nzg5MH0", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t n = strlen(rows[i].text);

		if ((find(rows[i].text) != NULL) != rows[i].found)
			fail_msg("%s", rows[i].text);
		for (size_t at = 1; at < n; at++)
			if (is_found_split(rows[i].text, n, at) != rows[i].found)
				fail_msg("%s at %zu", rows[i].text, at);
		assert_int_equal(is_found_by_one(rows[i].text, n), rows[i].found);
	}
}

static void ordinary_text_has_none(void **state)
{
	static const char *const rows[] = {
		"",
		"A token of GitHub begins with ghp_ and has 36 characters behind it, one of OpenAI with sk-.",
		"ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx sk_test_000000000000000000000000 AKIAXXXXXXXXXXXXXXXX",
		"const hf_token_from_the_environment_variables = process.env.HF_TOKEN || npm_config_registry_url_default;",
		"sk-circle sk-fading-circle .sk-cube-grid{width:40px}.sk-chasing-dots-and-a-very-long-name-of-a-class{}",
		"/task-0123456789abcdef0123456789abcdef/disk-0123456789abcdef0123456789abcdef",
		"glpat-<your token> github_pat_... xoxb-your-token-here AIza... pk_live_aB3xY7qR5zK9aB3xY7qR5zK9",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"integrity=\"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC\"",
		"550e8400-e29b-41d4-a716-446655440000",
		"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
		"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ5mZ0Y1sGZ0Y1sGZ0Y1sGZ0Y1sGZ0Y1s\n-----END CERTIFICATE-----",
		"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
		"!function(e,t){\"object\"==typeof exports?module.exports=t():e.SK=t()}(this,function(){var e={AKIA:1,hf_:2,npm_:3};return e});",
		"Basic dXNlcjpwYXNz",
		"Bearer 0123456789",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (find(rows[i]) != NULL)
			fail_msg("%s: %s", rows[i], find(rows[i]));
}

/* Base64 in lines, hexadecimal digits, and words of the alphabet of URLs. */
static void chance_makes_none(void **state)
{
	static const char *const alphabets[] = {
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"0123456789abcdef",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.",
	};
	static char text[1 << 18];

	(void)state;
	for (size_t k = 0; k < COUNT_OF(alphabets); k++) {
		struct prop p = prop_round(k);

		for (size_t i = 0; i < sizeof text; i++)
			text[i] = i % 77 == 76 ? '\n' : alphabets[k][prop_below(&p, (uint32_t)strlen(alphabets[k]))];
		assert_null(credential_find((const uint8_t *)text, sizeof text));
	}
}

/* What is found at all is found in any pieces, and the other way round. */
static void pieces_do_not_matter(void **state)
{
	static const char *const bits[] = { "\\",    "\\n",   "%2",      "%22",
					    "u003d", "s",     " ",       ".",
					    "_",     "-",     "eyJ",     "J",
					    HEADER,  PAYLOAD, SIGNATURE, "-----BEGIN PRIVATE KEY-----",
					    "\n" };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(3000); round++) {
		struct prop p = prop_round(round);
		struct credential_scan s;
		char text[4096];
		bool found = false;
		size_t n = 0;

		while (n < 1024 && prop_below(&p, 16) != 0) {
			const char *bit = bits[prop_below(&p, COUNT_OF(bits))];
			const size_t i = prop_below(&p, COUNT_OF(forms)), more = prop_below(&p, 2);

			if (prop_below(&p, 4) == 0)
				n += strlen(sample(text + n, i, forms[i].least - more, "", ""));
			else
				n += (size_t)snprintf(text + n, SAMPLE_MAX, "%s", bit);
		}
		credential_scan_init(&s);
		for (size_t at = 0, piece; at < n && !found; at += piece) {
			piece = 1 + prop_below(&p, round % 3 == 0 ? 4 : 400);
			piece = piece < n - at ? piece : n - at;
			found = credential_scan_run(&s, (const uint8_t *)text + at, piece) != NULL;
		}
		if (found != (credential_find((const uint8_t *)text, n) != NULL))
			prop_fail(&p, "%d in pieces: %.*s", found, (int)n, text);
	}
}

static void names_are_known(void **state)
{
	static const struct {
		const char *name;
		bool field, parameter;
	} rows[] = {
		{ "authorization", true, false },
		{ "Authorization", true, false },
		{ "proxy-authorization", true, false },
		{ "COOKIE", true, false },
		{ "x-api-key", true, true },
		{ "private-token", true, false },
		{ "Private_Token", true, true },
		{ "x-cmc_pro-api_key", true, false },
		{ "X.Api!Key", true, false }, /* as some name variables: whatever is no letter and no digit */
		{ "project-access-token", true, false },
		{ "set-cookie", false, false },
		{ "x-csrf-token", false, false },
		{ "idempotency-key", false, false },
		{ "www-authenticate", false, false },
		{ "authorizatio", false, false },
		{ "authorization2", false, false },
		{ "access_token", true, true }, /* as servers take it that give fields as variables */
		{ "API_KEY", true, true },
		{ "sig", false, true },
		{ "X-Amz-Signature", false, true },
		{ "X-Amz-Security-Token", true, true },
		{ "client_secret", false, true },
		{ "token", false, false },
		{ "key", false, false },
		{ "code", false, false },
		{ "page_token", false, false },
		{ "pageToken", false, false },
		{ "continuation_token", false, false },
		{ "state", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t n = strlen(rows[i].name);

		if (credential_is_field(rows[i].name, n) != rows[i].field ||
		    credential_is_parameter(rows[i].name, n) != rows[i].parameter)
			fail_msg("%s", rows[i].name);
	}
	assert_false(credential_is_field("cookie\0x", 8));
	assert_true(credential_is_field("cookies", 6)); /* the length counts */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_is_found),
		cmocka_unit_test(one_less_is_no_token),
		cmocka_unit_test(each_form_is_found_in_pieces),
		cmocka_unit_test(keys_are_found),
		cmocka_unit_test(json_web_tokens_are_found),
		cmocka_unit_test(ordinary_text_has_none),
		cmocka_unit_test(chance_makes_none),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(names_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
