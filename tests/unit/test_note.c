#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/base64.h"
#include "err_text.h"
#include "ledger/note.h"
#include "note_vectors.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define FIVE "AAAAAAA=" /* an id and one byte: as short as a signature can be */
#define A_LINE DASH "n " FIVE "\n"
#define PUBLIC "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

static struct vkey key_of(const char *text)
{
	struct vkey k;
	struct err e;

	if (vkey_parse(span_of(text), &k, &e) < 0)
		fail_msg("%s: %s", text, err_text(&e).s);
	return k;
}

static void peters_secret(uint8_t ret[NOTE_SECRET_BYTES])
{
	uint8_t seed[crypto_sign_SEEDBYTES], public[VKEY_PUBLIC_BYTES];

	assert_true(span_base64(span_of(PETER_SEED), seed, sizeof seed));
	assert_int_equal(crypto_sign_seed_keypair(public, ret, seed), 0);
}

static void keys_are_written_as_they_came(void **state)
{
	static const struct {
		const char *text, *name;
		enum vkey_type type;
		uint32_t id;
	} rows[] = {
		{ FOO_KEY, "example.com/foo", VKEY_ED25519, 0x530d903a },
		{ PETER_KEY, "PeterNeumann", VKEY_ED25519, 0xc74f20a3 },
		{ ENOCH_KEY, "EnochRoot", VKEY_ED25519, 0xaf0cfe78 },
		{ "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", "TEST", VKEY_ED25519, 0x7997405c },
		{ "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", "sum.golang.org",
		  VKEY_ED25519, 0x033de0ae },
		{ GARDEN_KEY, "transparency.dev/DEV:witness-little-garden", VKEY_COSIGNATURE, 0xd8042a87 },
		{ REMORA_KEY, "remora.n621.de", VKEY_COSIGNATURE, 0xda77ade7 },
		{ STAGEMOLE_KEY, "witness.stagemole.eu", VKEY_COSIGNATURE, 0x67f7aea0 },
		{ WITNESS_KEY, "witness.example/w", VKEY_COSIGNATURE, 0x20e9690b },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct vkey k = key_of(rows[i].text);
		auto_buf out = { .max = VKEY_TEXT_MAX + 1 };

		vkey_put(&out, &k);
		assert_string_equal(buf_cstr(&out), rows[i].text);
		assert_string_equal(k.name, rows[i].name);
		assert_int_equal(k.type, rows[i].type);
		assert_int_equal(k.id, rows[i].id);
	}
}

static void keys_that_are_refused(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} rows[] = {
		{ "empty", "", "byte 0: the text of a key is" },
		{ "a name alone", "abc", "byte 3: the text of a key is" },
		{ "no base64", "PeterNeumann+c74f20a3", "byte 13: the id" },
		{ "base64 empty", "PeterNeumann+c74f20a3+", "byte 22: not base64" },
		{ "no name", "+84bfd9f4+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "byte 0: the name" },
		{ "a space in the name", "a b+1f91e367+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		  "byte 0: the name" },
		{ "seven digits", "PeterNeumann+c74f20a+" PUBLIC, "byte 13: the id" },
		{ "nine digits", "PeterNeumann+0c74f20a3+" PUBLIC, "byte 13: the id" },
		{ "no digit", "PeterNeumann+c74f20ag+" PUBLIC, "byte 13: the id" },
		{ "great digits", "PeterNeumann+C74F20A3+" PUBLIC, "byte 13: the id" },
		{ "another's id", "PeterNeumann+c74f20a4+" PUBLIC, "byte 13: the id is not that" },
		{ "another's name", "PeterNeuman+c74f20a3+" PUBLIC, "byte 12: the id is not that" },
		{ "a type that is not known", "n+150aad16+BgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		  "byte 11: a type of key" },
		{ "the same, of Go's tests", "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		  "byte 22: a type of key" },
		{ "too long, of Go's tests",
		  "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "byte 22: not base64" },
		{ "padding behind", PETER_KEY "=", "byte 22: not base64" },
		{ "a newline behind", PETER_KEY "\n", "byte 22: not base64" },
		{ "a type alone", "PeterNeumann+c74f20a3+AQ==", "byte 22: not base64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct vkey k = { .id = 7 };
		struct err e = { .code = AMBIT_OK };

		if (vkey_parse(span_of(rows[i].text), &k, &e) != -AMBIT_MALFORMED || !err_says(&e, rows[i].says) ||
		    strncmp(e.msg, "byte ", 5) != 0 || k.id != 7)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
	}
}

/* As Go's own test has it: no part of a key is a key, nor is one with a byte that is one more. */
static void no_part_of_a_key_is_a_key(void **state)
{
	const char *const keys[] = { PETER_KEY, REMORA_KEY };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		char text[VKEY_TEXT_MAX + 1];
		const size_t n = strlen(keys[i]);
		struct vkey k;

		(void)snprintf(text, sizeof text, "%s", keys[i]);
		for (size_t from = 0; from <= n; from++)
			for (size_t to = from; to <= n; to++)
				if (from != 0 || to != n)
					assert_true(vkey_parse(span_bytes(text + from, to - from), &k, NULL) < 0);
		for (size_t at = 0; at < n; at++) {
			text[at]++;
			if (vkey_parse(span_of(text), &k, NULL) == 0)
				fail_msg("%s", text);
			text[at]--;
		}
	}
}

static void names_of_keys(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{ "n", true },
		{ "example.com/log?a=b&c:8080", true },
		{ "sch\xc3\xb6n", true },
		{ "\xe2\x80\x94", true },  /* the dash itself is no space */
		{ "a\xe2\x80\x8b", true }, /* nor is U+200B, whatever it is called */
		{ "a\xef\xbb\xbf", true }, /* U+FEFF */
		{ "a\xe1\xa0\x8e", true }, /* U+180E, which was one until Unicode 6.3 */
		{ "a\x7f", true },         /* above U+0020 */
		{ "\xf0\x9f\x98\x80", true },
		{ "", false },
		{ "a+b", false },
		{ "+", false },
		{ " a", false },
		{ "a ", false },
		{ "a\tb", false },
		{ "a\nb", false },
		{ "a\x0b", false },
		{ "a\x0c", false },
		{ "a\r", false },
		{ "a\x1b", false },
		{ "a\xc2\x85", false },    /* U+0085 */
		{ "a\xc2\xa0z", false },   /* U+00A0 */
		{ "\xe1\x9a\x80", false }, /* U+1680 */
		{ "\xe2\x80\x80", false }, /* U+2000 */
		{ "\xe2\x80\x84", false },
		{ "\xe2\x80\x8a", false }, /* U+200A */
		{ "\xe2\x80\xa8", false }, /* U+2028 */
		{ "\xe2\x80\xa9", false },
		{ "\xe2\x80\xaf", false }, /* U+202F */
		{ "\xe2\x81\x9f", false }, /* U+205F */
		{ "\xe3\x80\x80", false }, /* U+3000 */
		{ "a\xff", false },
		{ "a\xe2\x80", false },
		{ "\xc0\xab", false }, /* a plus in two bytes */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char note[64];
		struct note n;
		struct vkey k;

		if (vkey_name_is_good(span_of(rows[i].name)) != rows[i].good)
			fail_msg("row %zu: '%s'", i, rows[i].name);
		(void)snprintf(note, sizeof note, "text\n\n" DASH "%s " FIVE "\n", rows[i].name);
		if ((note_parse(span_of(note), &n, NULL) == 0) != rows[i].good)
			fail_msg("row %zu: a note signed by '%s'", i, rows[i].name);
		if ((vkey_init(&k, VKEY_ED25519, span_of(rows[i].name), (const uint8_t[VKEY_PUBLIC_BYTES]){ 0 },
			       NULL) == 0) != rows[i].good)
			fail_msg("row %zu: a key of '%s'", i, rows[i].name);
	}
}

static void names_have_a_limit_in_keys_alone(void **state)
{
	const uint8_t public[VKEY_PUBLIC_BYTES] = { 1 };
	char name[VKEY_NAME_MAX + 2], note[1024];
	auto_buf out = { .max = VKEY_TEXT_MAX + 1 };
	struct note n;
	struct vkey k, back;
	struct err e;

	(void)state;
	memset(name, 'n', VKEY_NAME_MAX + 1);
	name[VKEY_NAME_MAX + 1] = 0;
	assert_int_equal(vkey_init(&k, VKEY_ED25519, span_of(name), public, &e), -AMBIT_MALFORMED);
	assert_true(err_says(&e, "byte 255: the name of a key has at most 255 bytes"));
	(void)snprintf(note, sizeof note, "text\n\n" DASH "%s " FIVE "\n", name);
	assert_int_equal(note_parse(span_of(note), &n, NULL), 0);
	name[VKEY_NAME_MAX] = 0;
	assert_int_equal(vkey_init(&k, VKEY_ED25519, span_of(name), public, &e), 0);
	assert_int_equal(k.id, 0xdce2d1a8); /* computed elsewhere */
	vkey_put(&out, &k);
	assert_int_equal(out.len, VKEY_TEXT_MAX);
	assert_int_equal(vkey_parse(span_bytes(out.data, out.len), &back, NULL), 0);
	assert_memory_equal(&back, &k, sizeof k);
}

static void notes_of_others(void **state)
{
	static const struct {
		const char *name, *note, *text;
		size_t n;
	} rows[] = {
		{ "foo", FOO_NOTE, "This is an example message.\n", 1 },
		{ "Peter's", PETER_TEXT "\n" PETER_LINE, PETER_TEXT, 1 },
		{ "Peter's and Enoch's", PETER_TEXT "\n" PETER_LINE ENOCH_LINE, PETER_TEXT, 2 },
		{ "an empty line in the text", QUASIMODO_NOTE, QUASIMODO_TEXT, 1 },
		{ "a checkpoint", SOFA_TEXT "\n" SOFA_LINE, SOFA_TEXT, 1 },
		{ "with a witness", SOFA_TEXT "\n" SOFA_LINE SOFA_WITNESS, SOFA_TEXT, 2 },
		{ "one name twice", SOFA_TEXT "\n" SOFA_LINE SOFA_SECOND, SOFA_TEXT, 2 },
		{ "a log's", ARCHE_NOTE, ARCHE_TEXT, 6 },
		{ "a text of one empty line", "\n\n" A_LINE, "\n", 1 },
		{ "empty lines at the end of the text", "a\n\n\n\n" A_LINE, "a\n\n\n", 1 },
		{ "a signature in the text", "a\n\n" A_LINE "\n" A_LINE, "a\n\n" A_LINE, 1 },
		{ "DEL and C1 are not below U+0020", "a\x7f\xc2\x9b\n\n" A_LINE, "a\x7f\xc2\x9b\n", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct note n;
		struct err e;

		if (note_parse(span_of(rows[i].note), &n, &e) < 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		if (n.n_signatures != rows[i].n || !span_equal(n.text, span_of(rows[i].text)))
			fail_msg("%s: %zu, '%.*s'", rows[i].name, n.n_signatures, (int)n.text.len, n.text.at);
	}
}

static void what_a_signature_says(void **state)
{
	struct note n;

	(void)state;
	assert_int_equal(note_parse(span_of(PETER_TEXT "\n" PETER_LINE ENOCH_LINE A_LINE), &n, NULL), 0);
	assert_int_equal(n.signatures[0].id, 0xc74f20a3);
	assert_int_equal(n.signatures[1].id, 0xaf0cfe78);
	assert_int_equal(n.signatures[2].id, 0);
	assert_true(span_equal(n.signatures[0].name, span_of("PeterNeumann")));
	assert_true(span_equal(n.signatures[1].name, span_of("EnochRoot")));
	assert_true(span_equal(n.signatures[0].base64, span_of(PETER_BASE64)));
	assert_true(span_equal(n.signatures[1].base64, span_of(ENOCH_BASE64)));
	assert_true(span_equal(n.signatures[2].base64, span_of(FIVE)));
}

static void notes_that_are_refused(void **state)
{
	static const struct {
		const char *name, *note, *says;
	} rows[] = {
		{ "empty", "", "byte 0: no newline at the end" },
		{ "a newline", "\n", "byte 1: no empty line" },
		{ "a text alone", PETER_TEXT, "byte 99: no empty line" },
		{ "a text and an empty line", "a\nb\n\n", "line 4: no signature" },
		{ "no text", "\n" A_LINE, "byte 16: no empty line" },
		{ "no empty line", "a\n" A_LINE, "byte 17: no empty line" },
		{ "two empty lines and no signature", "a\n\n\n", "line 4: no signature" },
		{ "an empty line at the end", "a\n\n" A_LINE "\n", "line 5: no signature" },
		{ "an empty line among signatures", "a\n\n" A_LINE "\nb\n", "line 5: a signature begins" },
		{ "no newline at the end", "a\n\n" DASH "n " FIVE, "byte 17: no newline at the end" },
		{ "a line that is no signature", "a\n\n" A_LINE "Unexpected line.\n", "line 4: a signature begins" },
		{ "a hyphen", "a\n\n- n " FIVE "\n", "line 3: a signature begins" },
		{ "an en dash", "a\n\n\xe2\x80\x93 n " FIVE "\n", "line 3: a signature begins" },
		{ "no space behind the dash", "a\n\n\xe2\x80\x94n " FIVE "\n", "line 3: a signature begins" },
		{ "two spaces behind the dash", "a\n\n" DASH " n " FIVE "\n", "line 3: the name of a key" },
		{ "a name alone", "a\n\n" DASH "n\n", "line 3: a signature is a name" },
		{ "no name", "a\n\n" DASH FIVE "\n", "line 3: a signature is a name" },
		{ "a name of two words", "a\n\n" DASH "Bad Name " FIVE "\n", "line 3: the signature is not base64" },
		{ "two spaces before the signature", "a\n\n" DASH "n  " FIVE "\n",
		  "line 3: the signature is not base64" },
		{ "a space behind it", "a\n\n" DASH "n " FIVE " \n", "line 3: the signature is not base64" },
		{ "a plus in the name", "a\n\n" DASH "n+ " FIVE "\n", "line 3: the name of a key" },
		{ "an empty signature", "a\n\n" DASH "n \n", "line 3: the signature is too short" },
		{ "an id alone", "a\n\n" DASH "n AAAAAA==\n", "line 3: the signature is too short" },
		{ "no padding", "a\n\n" DASH "n AAAAAAA\n", "line 3: the signature is not base64" },
		{ "too much padding", "a\n\n" DASH "n AAAAAAA==\n", "line 3: the signature is not base64" },
		{ "padding alone", "a\n\n" DASH "n AAAAAAAA====\n", "line 3: the signature is not base64" },
		{ "padding in the middle", "a\n\n" DASH "n AAA=AAAA\n", "line 3: the signature is not base64" },
		{ "bits behind the end", "a\n\n" DASH "n AAAAAAB=\n", "line 3: the signature is not base64" },
		{ "the other alphabet", "a\n\n" DASH "n AAAAAA_-\n", "line 3: the signature is not base64" },
		{ "a second that is not base64", "a\nb\n\n" A_LINE DASH "n AAAAAAA\n",
		  "line 5: the signature is not base64" },
		{ "a control character first", "\x01" PETER_TEXT "\n" PETER_LINE, "byte 0: a control character" },
		{ "a tab", "a\tb\n\n" A_LINE, "byte 1: a control character" },
		{ "a carriage return", "a\r\n\r\n" A_LINE, "byte 1: a control character" },
		{ "the last of them", "a\x1f\n\n" A_LINE, "byte 1: a control character" },
		{ "one in a signature", "a\n\n" DASH "n " FIVE "\r\n", "byte 17: a control character" },
		{ "not UTF-8", "\xff" PETER_TEXT "\n" PETER_LINE, "byte 0: not UTF-8" },
		{ "not UTF-8 in the text", "ab\xc3\n\n" A_LINE, "byte 2: not UTF-8" },
		{ "a surrogate", "ab\xed\xa0\x80\n\n" A_LINE, "byte 2: not UTF-8" },
		{ "not UTF-8 in a name", "a\n\n" DASH "n\x80 " FIVE "\n", "byte 8: not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct note n = { .n_signatures = 7 };
		struct err e = { .code = AMBIT_OK };

		if (note_parse(span_of(rows[i].note), &n, &e) != -AMBIT_MALFORMED || !err_says(&e, rows[i].says) ||
		    strncmp(e.msg, rows[i].says, strlen(rows[i].says)) != 0 || n.n_signatures != 7)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		assert_int_equal(note_parse(span_of(rows[i].note), &n, NULL), -AMBIT_MALFORMED);
	}
	{
		static const char nul[] = "a\0b\n\n" A_LINE;
		struct note n;
		struct err e;

		assert_int_equal(note_parse(span_bytes(nul, sizeof nul - 1), &n, &e), -AMBIT_MALFORMED);
		assert_true(err_says(&e, "byte 1: a control character"));
		assert_int_equal(note_parse(span_bytes(NULL, 0), &n, &e), -AMBIT_MALFORMED);
	}
}

static void signatures_have_a_limit(void **state)
{
	auto_buf b = { .max = NOTE_MAX };
	struct note n;
	struct err e;

	(void)state;
	buf_printf(&b, "text\n\n");
	for (size_t i = 0; i < NOTE_SIGNATURES_MAX; i++)
		buf_printf(&b, DASH "n%zu " FIVE "\n", i);
	assert_int_equal(note_parse(span_bytes(b.data, b.len), &n, &e), 0);
	assert_int_equal(n.n_signatures, NOTE_SIGNATURES_MAX);
	assert_true(span_equal(n.signatures[63].name, span_of("n63")));
	buf_printf(&b, A_LINE);
	assert_int_equal(note_parse(span_bytes(b.data, b.len), &n, &e), -AMBIT_MALFORMED);
	assert_true(err_says(&e, "line 67: a note has at most 64 signatures"));
}

/* A text of n bytes. */
static void put_text(struct buf *b, size_t n)
{
	for (size_t i = 1; i < n; i++)
		buf_put(b, i % 80 == 0 ? "\n" : "x", 1);
	buf_put(b, "\n", 1);
}

static void a_note_has_a_limit(void **state)
{
	const size_t room = NOTE_MAX - strlen("\n" A_LINE);

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		auto_buf b = { .max = NOTE_MAX + 2 };
		struct note n;
		struct err e;

		put_text(&b, room + more);
		buf_printf(&b, "\n" A_LINE);
		assert_int_equal(b.len, NOTE_MAX + more);
		if (more == 0) {
			assert_int_equal(note_parse(span_bytes(b.data, b.len), &n, &e), 0);
			assert_int_equal(n.text.len, room);
			continue;
		}
		assert_int_equal(note_parse(span_bytes(b.data, b.len), &n, &e), -AMBIT_MALFORMED);
		assert_true(err_says(&e, "byte 65536: a note has at most 65536 bytes"));
	}
}

#define WEAK_KEY "weak+8b94416d+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* the neutral point */
#define WEAK_LINE                                                                                                      \
	DASH "weak i5RBbQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
/* The same signature with its second half greater by the order of the group, which RFC 8032 refuses. */
#define PETER_AGAIN                                                                                                    \
	DASH "PeterNeumann "                                                                                           \
	     "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGP9oCMWy7HcIv5cyDCfR+vtngotpRZb6KE6RyyBwJnBM=\n"

static void who_signed(void **state)
{
	static const struct {
		const char *name, *note, *key;
		enum note_answer answer;
		uint64_t time; /* UINT64_MAX: none */
	} rows[] = {
		{ "foo", FOO_NOTE, FOO_KEY, NOTE_GOOD, UINT64_MAX },
		{ "Peter", PETER_TEXT "\n" PETER_LINE, PETER_KEY, NOTE_GOOD, UINT64_MAX },
		{ "Peter and Enoch: Peter", PETER_TEXT "\n" PETER_LINE ENOCH_LINE, PETER_KEY, NOTE_GOOD, UINT64_MAX },
		{ "Peter and Enoch: Enoch", PETER_TEXT "\n" PETER_LINE ENOCH_LINE, ENOCH_KEY, NOTE_GOOD, UINT64_MAX },
		{ "Peter: not Enoch", PETER_TEXT "\n" PETER_LINE, ENOCH_KEY, NOTE_UNSIGNED, UINT64_MAX },
		{ "a log", ARCHE_NOTE, ARCHE_KEY, NOTE_GOOD, UINT64_MAX },
		{ "a log: a witness", ARCHE_NOTE, GARDEN_KEY, NOTE_GOOD, ARCHE_TIME },
		{ "a log: another", ARCHE_NOTE, SMARTIT_KEY, NOTE_GOOD, ARCHE_TIME },
		{ "a log: one more", ARCHE_NOTE, REMORA_KEY, NOTE_GOOD, ARCHE_TIME },
		{ "a log: the last", ARCHE_NOTE, STAGEMOLE_KEY, NOTE_GOOD, ARCHE_TIME },
		{ "a log: nobody", ARCHE_NOTE, PETER_KEY, NOTE_UNSIGNED, UINT64_MAX },
		{ "Peter as a witness", SOFA_TEXT "\n" SOFA_LINE WITNESS_LINE, WITNESS_KEY, NOTE_GOOD, WITNESS_TIME },
		{ "the same key under his name", SOFA_TEXT "\n" SOFA_LINE WITNESS_LINE, PETER_KEY, NOTE_UNSIGNED,
		  UINT64_MAX },
		{ "time zero", SOFA_TEXT "\n" WITNESS_FIRST, WITNESS_KEY, NOTE_GOOD, 0 },
		{ "the last time", SOFA_TEXT "\n" WITNESS_LAST, WITNESS_KEY, NOTE_GOOD, INT64_MAX },
		{ "one second more", SOFA_TEXT "\n" WITNESS_TOO_LATE, WITNESS_KEY, NOTE_BAD, UINT64_MAX },
		{ "two times: the latest", SOFA_TEXT "\n" WITNESS_LINE WITNESS_FIRST, WITNESS_KEY, NOTE_GOOD,
		  WITNESS_TIME },
		{ "two times: whichever is first", SOFA_TEXT "\n" WITNESS_FIRST WITNESS_LINE, WITNESS_KEY, NOTE_GOOD,
		  WITNESS_TIME },
		{ "two times, of which one is bad", SOFA_TEXT "\n" WITNESS_LINE WITNESS_TOO_LATE, WITNESS_KEY, NOTE_BAD,
		  UINT64_MAX },
		{ "twice the same", PETER_TEXT "\n" PETER_LINE PETER_LINE, PETER_KEY, NOTE_GOOD, UINT64_MAX },
		{ "another text", "x" PETER_TEXT "\n" PETER_LINE, PETER_KEY, NOTE_BAD, UINT64_MAX },
		{ "another text of a witness", "x" SOFA_TEXT "\n" WITNESS_LINE, WITNESS_KEY, NOTE_BAD, UINT64_MAX },
		{ "an empty line more", PETER_TEXT "\n\n" PETER_LINE, PETER_KEY, NOTE_BAD, UINT64_MAX },
		{ "Enoch's signature as Peter's",
		  PETER_TEXT
		  "\n" DASH "PeterNeumann "
		  "x08goxzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n",
		  PETER_KEY, NOTE_BAD, UINT64_MAX },
		{ "good, then bad", PETER_TEXT "\n" PETER_LINE DASH "PeterNeumann x08gowA=\n", PETER_KEY, NOTE_BAD,
		  UINT64_MAX },
		{ "bad, then good", PETER_TEXT "\n" DASH "PeterNeumann x08gowA=\n" PETER_LINE, PETER_KEY, NOTE_BAD,
		  UINT64_MAX },
		{ "a byte too short",
		  PETER_TEXT
		  "\n" DASH "PeterNeumann "
		  "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnA==\n",
		  PETER_KEY, NOTE_BAD, UINT64_MAX },
		{ "a byte too long",
		  PETER_TEXT
		  "\n" DASH "PeterNeumann "
		  "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAMA\n",
		  PETER_KEY, NOTE_BAD, UINT64_MAX },
		{ "another name, the same id", PETER_TEXT "\n" DASH "Peter " PETER_BASE64 "\n", PETER_KEY,
		  NOTE_UNSIGNED, UINT64_MAX },
		{ "a longer name, the same id", PETER_TEXT "\n" DASH "PeterNeumannn " PETER_BASE64 "\n", PETER_KEY,
		  NOTE_UNSIGNED, UINT64_MAX },
		{ "the same name, another id", PETER_TEXT "\n" DASH "PeterNeumann " ENOCH_BASE64 "\n", PETER_KEY,
		  NOTE_UNSIGNED, UINT64_MAX },
		{ "both of them beside his own",
		  PETER_TEXT "\n" DASH "Peter " ENOCH_BASE64 "\n" DASH "PeterNeumann " ENOCH_BASE64 "\n" PETER_LINE,
		  PETER_KEY, NOTE_GOOD, UINT64_MAX },
		{ "a number too great", PETER_TEXT "\n" PETER_AGAIN, PETER_KEY, NOTE_BAD, UINT64_MAX },
		{ "a key that signs everything", PETER_TEXT "\n" WEAK_LINE, WEAK_KEY, NOTE_BAD, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct vkey k = key_of(rows[i].key);
		uint64_t time = UINT64_MAX;
		enum note_answer answer;
		struct note n;
		struct err e;

		if (note_parse(span_of(rows[i].note), &n, &e) < 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		answer = note_verify(&n, &k, &time);
		if (answer != rows[i].answer || time != rows[i].time)
			fail_msg("%s: %d, %" PRIu64, rows[i].name, (int)answer, time);
		assert_int_equal(note_verify(&n, &k, NULL), rows[i].answer);
	}
}

static void lines_are_signed_as_by_others(void **state)
{
	static const struct {
		const char *name, *text, *key, *line;
		uint64_t time;
	} rows[] = {
		{ "Peter", PETER_TEXT, PETER_KEY, PETER_LINE, 0 },
		{ "a time is not looked at", PETER_TEXT, PETER_KEY, PETER_LINE, UINT64_MAX },
		{ "a witness", SOFA_TEXT, WITNESS_KEY, WITNESS_LINE, WITNESS_TIME },
		{ "time zero", SOFA_TEXT, WITNESS_KEY, WITNESS_FIRST, 0 },
		{ "the last time", SOFA_TEXT, WITNESS_KEY, WITNESS_LAST, NOTE_TIME_MAX },
	};
	uint8_t secret[NOTE_SECRET_BYTES];

	(void)state;
	peters_secret(secret);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct vkey k = key_of(rows[i].key);
		auto_buf out = { .max = 256 };
		struct err e;

		if (note_put_signature(&out, span_of(rows[i].text), &k, secret, rows[i].time, &e) < 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		if (strcmp(buf_cstr(&out), rows[i].line) != 0)
			fail_msg("%s: %s", rows[i].name, buf_cstr(&out));
	}
}

static void what_is_not_signed(void **state)
{
	static const struct {
		const char *name, *text, *key;
		uint64_t time;
		int code;
		const char *says;
	} rows[] = {
		{ "nothing", "", PETER_KEY, 0, -AMBIT_MALFORMED, "byte 0: no newline" },
		{ "no newline", "abc", PETER_KEY, 0, -AMBIT_MALFORMED, "byte 3: no newline" },
		{ "a control character", "a\tb\n", PETER_KEY, 0, -AMBIT_MALFORMED, "byte 1: a control" },
		{ "not UTF-8", "a\xff\n", PETER_KEY, 0, -AMBIT_MALFORMED, "byte 1: not UTF-8" },
		{ "another's secret", "a\n", ENOCH_KEY, 0, -AMBIT_CONFLICT, "EnochRoot" },
		{ "one second too late", "a\n", WITNESS_KEY, NOTE_TIME_MAX + 1, -AMBIT_USAGE, "9223372036854775808" },
	};
	uint8_t secret[NOTE_SECRET_BYTES];

	(void)state;
	peters_secret(secret);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct vkey k = key_of(rows[i].key);
		auto_buf out = { .max = 256 };
		struct err e = { .code = AMBIT_OK };

		if (note_put_signature(&out, span_of(rows[i].text), &k, secret, rows[i].time, &e) != rows[i].code ||
		    !err_says(&e, rows[i].says) || out.len != 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
	}
}

static void what_is_signed_fits_a_note(void **state)
{
	static const char *const keys[] = { PETER_KEY, WITNESS_KEY };
	uint8_t secret[NOTE_SECRET_BYTES];

	(void)state;
	peters_secret(secret);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const struct vkey k = key_of(keys[i]);
		const size_t line = strlen(i == 0 ? PETER_LINE : WITNESS_LINE);
		auto_buf b = { .max = 2 * NOTE_MAX };
		struct note n;
		struct err e;

		put_text(&b, NOTE_MAX - line);
		assert_int_equal(note_put_signature(&b, span_bytes(b.data, b.len), &k, secret, NOTE_TIME_MAX, &e),
				 -AMBIT_MALFORMED);
		assert_true(err_says(&e, "a note has at most 65536 bytes, its signatures with it"));
		assert_int_equal(b.len, NOTE_MAX - line);
		buf_reset(&b);
		put_text(&b, NOTE_MAX - line - 1);
		buf_printf(&b, "\n");
		assert_int_equal(
			note_put_signature(&b, span_bytes(b.data, NOTE_MAX - line - 1), &k, secret, NOTE_TIME_MAX, &e),
			0);
		assert_int_equal(b.len, NOTE_MAX);
		assert_int_equal(note_parse(span_bytes(b.data, b.len), &n, &e), 0);
		assert_int_equal(note_verify(&n, &k, NULL), NOTE_GOOD);
	}
}

static void a_full_buffer_has_no_half_line(void **state)
{
	const struct vkey k = key_of(PETER_KEY);
	uint8_t secret[NOTE_SECRET_BYTES];
	size_t size = 0;

	(void)state;
	peters_secret(secret);
	for (;; size++) {
		char room[256];
		struct buf out;
		struct err e;

		buf_init_in(&out, room, size);
		if (note_put_signature(&out, span_of("a\n"), &k, secret, 0, &e) == 0)
			break;
		assert_int_equal(e.code, AMBIT_MEMORY);
		assert_true(out.failed && out.len == 0);
	}
	assert_int_equal(size, strlen(PETER_LINE));
}

/* Lines of letters, spaces, dashes and nothing. */
static void put_random_text(struct prop *p, struct buf *b)
{
	static const char line[] = A_LINE;
	static const char *const pieces[] = { "a", "\n", " ", DASH, "+", "\xc3\xa9", line, "\n\n", "=" };

	for (uint32_t n = prop_below(p, 40); n > 0; n--)
		buf_printf(b, "%s", pieces[prop_below(p, COUNT_OF(pieces))]);
	buf_put(b, "\n", 1);
}

static void a_random_key(struct prop *p, struct vkey *k, uint8_t secret[NOTE_SECRET_BYTES])
{
	static const char *const names[] = { "n", "example.com/log", "sch\xc3\xb6n", "a=b" };
	uint8_t seed[crypto_sign_SEEDBYTES] = { (uint8_t)prop_below(p, 256), (uint8_t)prop_below(p, 256) };
	uint8_t public[VKEY_PUBLIC_BYTES];

	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_int_equal(vkey_init(k, prop_below(p, 2) == 0 ? VKEY_ED25519 : VKEY_COSIGNATURE,
				   span_of(names[prop_below(p, COUNT_OF(names))]), public, NULL),
			 0);
}

/* Whatever is written is parsed as it was, and is signed by who signed it and by nobody else. */
static void what_is_written_is_read(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(300); round++) {
		struct prop p = prop_round(round);
		const uint32_t n_keys = 1 + prop_below(&p, 4);
		auto_buf b = { .max = NOTE_MAX };
		uint8_t secret[NOTE_SECRET_BYTES];
		struct vkey keys[4], other;
		uint64_t times[4];
		size_t text_len;
		struct note n;
		struct err e;

		put_random_text(&p, &b);
		text_len = b.len;
		buf_put(&b, "\n", 1);
		for (uint32_t i = 0; i < n_keys; i++) {
			a_random_key(&p, &keys[i], secret);
			times[i] = prop_next(&p) >> (1 + prop_below(&p, 63));
			if (note_put_signature(&b, span_bytes(b.data, text_len), &keys[i], secret, times[i], &e) < 0)
				prop_fail(&p, "%s", err_text(&e).s);
		}
		if (note_parse(span_bytes(b.data, b.len), &n, &e) < 0)
			prop_fail(&p, "%s", err_text(&e).s);
		if (n.n_signatures != n_keys || !span_equal(n.text, span_bytes(b.data, text_len)))
			prop_fail(&p, "%zu signatures, a text of %zu", n.n_signatures, n.text.len);
		for (uint32_t i = 0; i < n_keys; i++) {
			uint64_t time = UINT64_MAX;

			if (note_verify(&n, &keys[i], &time) != NOTE_GOOD ||
			    (keys[i].type == VKEY_COSIGNATURE ? time < times[i] : time != UINT64_MAX))
				prop_fail(&p, "key %u", i);
		}
		a_random_key(&p, &other, secret);
		for (uint32_t i = 0; i < n_keys; i++)
			if (memcmp(&keys[i], &other, sizeof other) == 0)
				other.name[0] = 'x'; /* with an id of another name: nobody's */
		if (note_verify(&n, &other, NULL) != NOTE_UNSIGNED)
			prop_fail(&p, "signed by another");
	}
}

static bool has(const struct note *n, const struct note_signature *s)
{
	for (size_t i = 0; i < n->n_signatures; i++)
		if (n->signatures[i].id == s->id && span_equal(n->signatures[i].name, s->name) &&
		    span_equal(n->signatures[i].base64, s->base64))
			return true;
	return false;
}

/* With any one bit turned, no key is said to have signed what it did not. */
static void a_turned_bit_is_seen(void **state)
{
	static const struct {
		const char *note;
		const char *keys[2];
	} rows[] = {
		{ PETER_TEXT "\n" PETER_LINE ENOCH_LINE, { PETER_KEY, ENOCH_KEY } },
		{ SOFA_TEXT "\n" SOFA_LINE WITNESS_LINE, { WITNESS_KEY, WITNESS_KEY } },
	};
	size_t n_good = 0, n_bad = 0, n_unsigned = 0, n_refused = 0;

	(void)state;
	for (size_t r = 0; r < COUNT_OF(rows); r++) {
		const struct vkey keys[2] = { key_of(rows[r].keys[0]), key_of(rows[r].keys[1]) };
		struct note whole, n;
		char bytes[512];
		const size_t len = strlen(rows[r].note);

		assert_true(len < sizeof bytes);
		assert_int_equal(note_parse(span_of(rows[r].note), &whole, NULL), 0);
		memcpy(bytes, rows[r].note, len);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
			if (note_parse(span_bytes(bytes, len), &n, NULL) < 0) {
				n_refused++;
			} else {
				for (size_t i = 0; i < COUNT_OF(keys); i++) {
					const enum note_answer answer = note_verify(&n, &keys[i], NULL);

					n_good += answer == NOTE_GOOD;
					n_bad += answer == NOTE_BAD;
					n_unsigned += answer == NOTE_UNSIGNED;
					if (answer == NOTE_GOOD && !(span_equal(n.text, whole.text) &&
								     has(&n, &whole.signatures[r == 0 ? i : 1])))
						fail_msg("row %zu, bit %zu of byte %zu", r, bit % 8, bit / 8);
				}
			}
			bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		}
	}
	/* Of the two signatures the one that was not touched stays good. */
	assert_true(n_good > 500 && n_bad > 500 && n_unsigned > 50 && n_refused > 500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_written_as_they_came),
		cmocka_unit_test(keys_that_are_refused),
		cmocka_unit_test(no_part_of_a_key_is_a_key),
		cmocka_unit_test(names_of_keys),
		cmocka_unit_test(names_have_a_limit_in_keys_alone),
		cmocka_unit_test(notes_of_others),
		cmocka_unit_test(what_a_signature_says),
		cmocka_unit_test(notes_that_are_refused),
		cmocka_unit_test(signatures_have_a_limit),
		cmocka_unit_test(a_note_has_a_limit),
		cmocka_unit_test(who_signed),
		cmocka_unit_test(lines_are_signed_as_by_others),
		cmocka_unit_test(what_is_not_signed),
		cmocka_unit_test(what_is_signed_fits_a_note),
		cmocka_unit_test(a_full_buffer_has_no_half_line),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_turned_bit_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
