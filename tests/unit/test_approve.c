/* Approvals: the text that is signed, of which each byte counts; signatures in SSH's form, with each part of them changed; the file of a key; messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "approve/key.h"
#include "base/timestamp.h"
#include "sign/sshtext.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ID "a_01JDTE6Q8W3RZ5K7M9N2P4S6TX"
#define HEX_32 "000102030405060708090a0b0c0d0e0f"
#define HEX_64 HEX_32 "101112131415161718191a1b1c1d1e1f"

#define REALM "realm: " HEX_32 "\n"
#define APPROVAL "approval: " ID "\n"
#define SHOWN "shown: " HEX_64 "\n"
#define ANSWER "answer: grant\n"
#define SCOPE "scope: once\n"
#define UNTIL "until: 2026-01-31T09:15:02.123Z\n"
#define NONCE "nonce: " HEX_32 "\n"
#define HEAD "ambit approval 1\n"
#define WHOLE HEAD REALM APPROVAL SHOWN ANSWER SCOPE UNTIL NONCE

static struct statement sample(void)
{
	struct statement s = { .answer = STATEMENT_GRANT, .scope = STATEMENT_ONCE, .until_ms = 1769850902123 };

	for (uint8_t i = 0; i < 32; i++) {
		s.shown[i] = i;
		s.realm[i % 16] = s.nonce[i % 16] = i % 16;
	}
	strcpy(s.approval, ID);
	return s;
}

/* ---- statements ---- */

static void a_statement_has_one_text(void **state)
{
	struct statement s = sample(), back;
	char room[STATEMENT_MAX];
	struct buf out;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	statement_put(&out, &s);
	assert_false(out.failed);
	assert_int_equal(out.len, strlen(WHOLE));
	assert_memory_equal(out.data, WHOLE, out.len);
	assert_int_equal(statement_take(span_of(WHOLE), &back, NULL), 0);
	assert_memory_equal(&s, &back, sizeof s);
}

static void what_is_no_statement_is_not_written(void **state)
{
	struct statement rows[6];
	char room[STATEMENT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rows[i] = sample();
	rows[0].answer = 0;
	rows[1].answer = STATEMENT_DENY + 1;
	rows[2].scope = STATEMENT_SESSION + 1;
	rows[3].approval[0] = 'e';
	memset(rows[4].approval, 'A', sizeof rows[4].approval);
	rows[5].until_ms = TIMESTAMP_END_MS;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf out;

		buf_init_in(&out, room, sizeof room);
		statement_put(&out, &rows[i]);
		if (!out.failed)
			fail_msg("row %zu is written", i);
	}
}

static void other_texts_are_refused_with_the_place(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "line 1: the first says no version" },
		{ "ambit approval 2\n" REALM, "line 1: the first says no version" },
		{ "ambit approval 1", "line 1: the first says no version" },
		{ HEAD, "line 2: missing: realm" },
		{ HEAD APPROVAL, "line 2: before it is missing: realm" },
		{ HEAD REALM REALM, "line 3: a second realm" },
		{ HEAD REALM "extra: x\n", "line 3: a key that is none; here belongs approval" },
		{ HEAD REALM "approval " ID "\n", "line 3: no key and value; here belongs approval" },
		{ HEAD REALM "approval:" ID "\n", "line 3: no key and value" },
		{ HEAD REALM "approval:  " ID "\n", "line 3: wanted is the id of one" },
		{ HEAD REALM "approval: " ID " \n", "line 3: wanted is the id of one" },
		{ HEAD REALM "approval: e_01JDTE6Q8W3RZ5K7M9N2P4S6TX\n", "line 3: wanted is the id of one" },
		{ HEAD REALM "approval: a_01jdte6q8w3rz5k7m9n2p4s6tx\n", "line 3: wanted is the id of one" },
		{ HEAD REALM APPROVAL "shown: " HEX_32 "\n", "line 4: wanted is 64 hexadecimal digits" },
		{ HEAD "realm: 000102030405060708090A0B0C0D0E0F\n", "line 2: wanted is 32 hexadecimal digits" },
		{ HEAD "realm: 00010203040506070809 a0b0c0d0e0f\n", "line 2: wanted is 32 hexadecimal digits" },
		{ HEAD "realm: 0x0102030405060708090a0b0c0d0e0f\n", "line 2: wanted is 32 hexadecimal digits" },
		{ HEAD "realm: \n", "line 2: wanted is 32" },
		{ HEAD REALM APPROVAL SHOWN "answer: yes\n", "line 5: wanted is grant or deny" },
		{ HEAD REALM APPROVAL SHOWN "answer: Grant\n", "line 5: wanted is grant or deny" },
		{ HEAD REALM APPROVAL SHOWN ANSWER "scope: always\n", "line 6: wanted is once or session" },
		{ HEAD REALM APPROVAL SHOWN ANSWER SCOPE "until: 2026-01-31T09:15:02Z\n", "line 7: wanted is a time" },
		{ HEAD REALM APPROVAL SHOWN ANSWER SCOPE "until: 2026-02-31T09:15:02.123Z\n",
		  "line 7: wanted is a time" },
		{ HEAD REALM APPROVAL SHOWN ANSWER SCOPE UNTIL, "line 8: missing: nonce" },
		{ HEAD REALM APPROVAL SHOWN ANSWER SCOPE UNTIL "nonce: " HEX_32, "line 8: it is cut: nonce" },
		{ HEAD REALM APPROVAL SHOWN ANSWER SCOPE NONCE, "line 7: before it is missing: until" },
		{ HEAD REALM APPROVAL SHOWN SCOPE ANSWER, "line 5: before it is missing: answer" },
		{ WHOLE NONCE, "line 9: a second nonce" },
		{ WHOLE "more: x\n", "line 9: more than belongs in it" },
		{ WHOLE "\n", "line 9: more than belongs in it" },
		{ WHOLE "x", "line 9: more than belongs in it" },
		{ " " WHOLE, "line 1: the first" },
		{ HEAD "\r\n" REALM, "line 2: no key and value" },
		{ HEAD "REALM: " HEX_32 "\n", "line 2: a key that is none" },
		{ HEAD "realm\xc2\xa0: " HEX_32 "\n", "line 2: a key that is none" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct statement s;
		struct err e = { .code = AMBIT_OK };

		if (statement_take(span_of(rows[i].text), &s, &e) != -AMBIT_MALFORMED ||
		    strncmp(e.why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("row %zu: '%s', and not '%s'", i, e.why, rows[i].why);
	}
}

/* What another byte makes of it is refused, or it is another statement: never the same. */
static void each_byte_of_a_statement_counts(void **state)
{
	static const char whole[] = WHOLE;
	const struct statement same = sample();
	char text[sizeof whole + 1];
	struct statement s;

	(void)state;
	for (size_t i = 0; i < strlen(whole); i++)
		for (unsigned c = 0; c < 256; c++) {
			memcpy(text, whole, sizeof whole);
			text[i] = (char)c;
			if (text[i] != whole[i] && statement_take(span_bytes(text, strlen(whole)), &s, NULL) == 0 &&
			    memcmp(&s, &same, sizeof s) == 0)
				fail_msg("byte %zu may be %u, too", i, c);
		}
	for (size_t n = 0; n < strlen(whole); n++)
		assert_int_equal(statement_take(span_bytes(whole, n), &s, NULL), -AMBIT_MALFORMED);
	memcpy(text, whole, sizeof whole);
	assert_int_equal(statement_take(span_bytes(text, sizeof whole), &s, NULL), -AMBIT_MALFORMED); /* with its NUL */
}

static void a_statement_is_bounded(void **state)
{
	static char text[STATEMENT_MAX + 1];
	struct statement s;
	struct err e;

	(void)state;
	memset(text, 'x', sizeof text);
	assert_int_equal(statement_take(span_bytes(text, STATEMENT_MAX), &s, &e), -AMBIT_MALFORMED);
	assert_null(strstr(e.why, "too long"));
	assert_int_equal(statement_take(span_bytes(text, sizeof text), &s, &e), -AMBIT_MALFORMED);
	assert_non_null(strstr(e.why, "too long"));
}

/* ---- signatures ---- */

static uint8_t public[SSHSIG_KEY_BYTES], secret[SSHSIG_SECRET_BYTES];

static int make_keys(void **state)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = "a seed that everybody knows, 32.";

	(void)state;
	return sodium_init() < 0 || crypto_sign_seed_keypair(public, secret, seed) != 0;
}

static struct sshsig signed_sample(void)
{
	struct sshsig s;

	assert_int_equal(sshsig_make(secret, SSHSIG_APPROVAL, span_of(WHOLE), &s, NULL), 0);
	return s;
}

static void a_signature_is_of_its_message_and_purpose(void **state)
{
	struct sshsig s = signed_sample();

	(void)state;
	assert_memory_equal(s.key, public, sizeof public);
	assert_int_equal(sshsig_check(&s, SSHSIG_APPROVAL, span_of(WHOLE), NULL), 0);
	assert_int_equal(sshsig_check(&s, SSHSIG_APPROVAL, span_of(WHOLE " "), NULL), -AMBIT_DENIED);
	assert_int_equal(sshsig_check(&s, SSHSIG_APPROVAL, span_of(""), NULL), -AMBIT_DENIED);
	assert_int_equal(sshsig_check(&s, SSHSIG_APPROVER, span_of(WHOLE), NULL), -AMBIT_DENIED);
	for (size_t i = 0; i < 8 * sizeof s.raw; i++) {
		s.raw[i / 8] ^= (uint8_t)(1 << i % 8);
		if (sshsig_check(&s, SSHSIG_APPROVAL, span_of(WHOLE), NULL) == 0)
			fail_msg("bit %zu of the signature does not count", i);
		s.raw[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < 8 * sizeof s.key; i++) {
		s.key[i / 8] ^= (uint8_t)(1 << i % 8);
		if (sshsig_check(&s, SSHSIG_APPROVAL, span_of(WHOLE), NULL) == 0)
			fail_msg("bit %zu of the key does not count", i);
		s.key[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(sshsig_check(&s, SSHSIG_APPROVAL, span_of(WHOLE), NULL), 0);
}

/* S + L is the same number to who does not look (RFC 8032, 5.1.7). */
static void a_signature_has_one_form(void **state)
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
					   0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
					   0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10 };
	struct sshsig s = signed_sample();
	unsigned carry = 0;

	(void)state;
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)s.raw[32 + i] + order[i];
		s.raw[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_int_equal(sshsig_check(&s, SSHSIG_APPROVAL, span_of(WHOLE), NULL), -AMBIT_DENIED);
}

static void keys_that_prove_nothing_are_refused(void **state)
{
	static const uint8_t
		rows[][32] = {
			{ 1 }, /* the neutral element: R = 0, S = 0 signs everything under it */
			{ 0 }, /* of order 4 */
			{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
			{ 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f }, /* 1, not in its normal form */
			{ 2 },                                                          /* no point at all */
		};
	uint8_t room[SSHSIG_KEY_BLOB_BYTES], back[SSHSIG_KEY_BYTES];
	struct buf out;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sshsig s = { .raw = { 1 } };

		memcpy(s.key, rows[i], sizeof s.key);
		assert_int_equal(sshsig_check(&s, SSHSIG_APPROVAL, span_of(WHOLE), NULL), -AMBIT_DENIED);
		buf_init_in(&out, room, sizeof room);
		sshsig_put_key(&out, rows[i]);
		if (sshsig_take_key(span_bytes(out.data, out.len), back))
			fail_msg("key %zu is taken", i);
	}
	buf_init_in(&out, room, sizeof room);
	sshsig_put_key(&out, public);
	assert_int_equal(out.len, sizeof room);
	assert_true(sshsig_take_key(span_bytes(out.data, out.len), back)); /* the twin */
	assert_memory_equal(back, public, sizeof back);
}

struct parts {
	const char *magic, *key_kind, *name_space, *reserved, *hash, *kind, *more;
	uint32_t version;
	size_t key, raw;
};

static void put_parts(struct buf *out, const struct parts *p)
{
	static const uint8_t zeros[256];
	const struct sshsig s = signed_sample();
	uint8_t room[512];
	struct buf inner;

	buf_put(out, p->magic, strlen(p->magic));
	buf_put_be32(out, p->version);
	buf_init_in(&inner, room, sizeof room);
	ssh_put_string(&inner, span_of(p->key_kind));
	ssh_put_string(&inner, span_bytes(p->key == 32 ? s.key : zeros, p->key));
	ssh_put_string(out, span_bytes(inner.data, inner.len));
	ssh_put_string(out, span_of(p->name_space));
	ssh_put_string(out, span_of(p->reserved));
	ssh_put_string(out, span_of(p->hash));
	buf_reset(&inner);
	ssh_put_string(&inner, span_of(p->kind));
	ssh_put_string(&inner, span_bytes(p->raw == 64 ? s.raw : zeros, p->raw));
	ssh_put_string(out, span_bytes(inner.data, inner.len));
	buf_put(out, p->more, strlen(p->more));
}

static void each_part_of_the_binary_form_is_looked_at(void **state)
{
	static const struct parts usual = {
		"SSHSIG", "ssh-ed25519", "ambit-approval", "", "sha512", "ssh-ed25519", "", 1, 32, 64
	};
	struct parts rows[18];
	uint8_t room[1024], ours_room[SSHSIG_MAX];
	struct sshsig s = signed_sample(), back;
	struct buf out, ours;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rows[i] = usual;
	rows[n++].magic = "SSHSIC";
	rows[n++].version = 0;
	rows[n++].version = 2;
	rows[n++].key_kind = "ssh-rsa";
	rows[n++].key_kind = "sk-ssh-ed25519@openssh.com";
	rows[n++].key = 31;
	rows[n++].key = 33;
	rows[n++].key = 0;
	rows[n++].name_space = "file";
	rows[n++].name_space = "";
	rows[n++].name_space = "ambit-approver-1";
	rows[n++].reserved = "x";
	rows[n++].hash = "sha256";
	rows[n++].hash = "";
	rows[n++].kind = "ssh-rsa";
	rows[n++].raw = 63;
	rows[n++].raw = 65;
	rows[n++].more = "x";
	assert_int_equal(n, COUNT_OF(rows));
	for (size_t i = 0; i < n; i++) {
		buf_init_in(&out, room, sizeof room);
		put_parts(&out, &rows[i]);
		assert_false(out.failed);
		if (sshsig_take(span_bytes(out.data, out.len), SSHSIG_APPROVAL, &back, NULL) != -AMBIT_MALFORMED)
			fail_msg("row %zu is taken", i);
	}
	buf_init_in(&out, room, sizeof room);
	put_parts(&out, &usual);
	assert_int_equal(sshsig_take(span_bytes(out.data, out.len), SSHSIG_APPROVAL, &back, NULL), 0);
	assert_memory_equal(&back, &s, sizeof s);
	buf_init_in(&ours, ours_room, sizeof ours_room);
	sshsig_put(&ours, SSHSIG_APPROVAL, &s);
	assert_true(buf_is_same(&ours, &out));
	for (size_t i = 0; i < out.len; i++)
		assert_int_equal(sshsig_take(span_bytes(out.data, i), SSHSIG_APPROVAL, &back, NULL), -AMBIT_MALFORMED);
}

static void each_byte_of_the_binary_form_counts(void **state)
{
	uint8_t room[SSHSIG_MAX];
	struct sshsig s = signed_sample(), back;
	struct buf out;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	sshsig_put(&out, SSHSIG_APPROVAL, &s);
	for (size_t i = 0; i < 8 * out.len; i++) {
		room[i / 8] ^= (uint8_t)(1 << i % 8);
		if (sshsig_take(span_bytes(out.data, out.len), SSHSIG_APPROVAL, &back, NULL) == 0 &&
		    sshsig_check(&back, SSHSIG_APPROVAL, span_of(WHOLE), NULL) == 0)
			fail_msg("bit %zu does not count", i);
		room[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

static void the_armored_form_comes_back(void **state)
{
	static const char *const bad[] = {
		"",
		"-----BEGIN SSH SIGNATURE-----\n",
		"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
		"-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----",
		"-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\nx",
		"-----BEGIN SSH SIGNATURE-----\nU1NIU0l\n-----END SSH SIGNATURE-----\n",
		"-----BEGIN SSH SIGNATURE-----\nU1NI U0lH\n-----END SSH SIGNATURE-----\n",
		"-----BEGIN SSH SIGNATURE-----\nU1NIU0lH=\n-----END SSH SIGNATURE-----\n",
		" -----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n",
		"-----BEGIN PGP SIGNATURE-----\nU1NIU0lH\n-----END PGP SIGNATURE-----\n",
	};
	static const char *const good[] = {
		"-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n",
		"-----BEGIN SSH SIGNATURE-----\r\nU1NI\r\nU0lH\r\n-----END SSH SIGNATURE-----\r\n",
	};
	uint8_t room[SSHSIG_MAX], text_room[SSHSIG_ARMORED_MAX], back_room[SSHSIG_MAX];
	const struct sshsig s = signed_sample();
	struct buf out, text, back;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	buf_init_in(&text, text_room, sizeof text_room);
	sshsig_put(&out, SSHSIG_APPROVAL, &s);
	sshsig_put_armored(&text, span_bytes(out.data, out.len));
	assert_false(text.failed);
	buf_init_in(&back, back_room, sizeof back_room);
	assert_int_equal(sshsig_take_armored(&back, span_bytes(text.data, text.len), NULL), 0);
	assert_true(buf_is_same(&out, &back));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		buf_init_in(&back, back_room, sizeof back_room);
		if (sshsig_take_armored(&back, span_of(bad[i]), NULL) != -AMBIT_MALFORMED)
			fail_msg("row %zu is taken", i);
	}
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		buf_init_in(&back, back_room, sizeof back_room);
		assert_int_equal(sshsig_take_armored(&back, span_of(good[i]), NULL), 0);
		assert_int_equal(back.len, 6);
		assert_memory_equal(back.data, "SSHSIG", 6);
	}
}

static void a_fingerprint_is_as_ssh_says_it(void **state)
{
	/* of github.com, as it publishes key and fingerprint */
	static const uint8_t key[32] = { 0xe3, 0x2a, 0xaa, 0x79, 0x15, 0xce, 0xb9, 0xb4, 0x49, 0xd1, 0xba,
					 0x50, 0xea, 0x2a, 0x28, 0xbb, 0x1a, 0x6e, 0x01, 0xf9, 0x0b, 0xda,
					 0x24, 0x5a, 0x2d, 0x1d, 0x87, 0x69, 0x7d, 0x18, 0xa2, 0x65 };
	char text[SSHSIG_FINGERPRINT_MAX];

	(void)state;
	sshsig_fingerprint(key, text);
	assert_string_equal(text, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
}

/* ---- the file of a key ---- */

static struct key_secret hidden;

static size_t make_file(uint8_t room[KEY_FILE_MAX], const char *password)
{
	const struct approve_key head = { .made_ms = 7, .name = "laptop" };
	struct buf out;

	buf_init_in(&out, room, KEY_FILE_MAX);
	assert_int_equal(key_make(&out, &head, span_of(password), &hidden, NULL), 0);
	assert_false(out.failed);
	return out.len;
}

static void a_key_opens_by_its_password_alone(void **state)
{
	uint8_t file[KEY_FILE_MAX];
	const size_t n = make_file(file, "correct horse");
	struct key_secret made = hidden;
	struct key_file f;
	struct sshsig s;
	struct err e;

	(void)state;
	assert_int_equal(key_take(file, n, &f, NULL), 0);
	assert_string_equal(f.head.name, "laptop");
	assert_int_equal(f.head.made_ms, 7);
	assert_int_equal(f.head.kind, APPROVE_BY_PASSWORD);
	memset(&hidden, 0, sizeof hidden);
	assert_int_equal(key_open(&f, span_of("correct horse"), &hidden, NULL), 0);
	assert_memory_equal(hidden.secret, made.secret, sizeof made.secret);
	assert_int_equal(sshsig_make(hidden.secret, SSHSIG_APPROVAL, span_of(WHOLE), &s, NULL), 0);
	assert_memory_equal(s.key, f.head.key, sizeof s.key);
	assert_int_equal(key_open(&f, span_of("correct horsf"), &hidden, &e), -AMBIT_DENIED);
	assert_string_equal(e.msg, "this password does not open the key 'laptop'");
	assert_string_equal(e.why, "");
	for (size_t i = 0; i + sizeof made.seed <= n; i++)
		assert_memory_not_equal(file + i, made.seed, sizeof made.seed);
}

static void two_keys_of_one_password_are_two(void **state)
{
	uint8_t one[KEY_FILE_MAX], two[KEY_FILE_MAX];
	struct key_file a, b;
	const size_t n = make_file(one, "same"), m = make_file(two, "same");

	(void)state;
	assert_int_equal(key_take(one, n, &a, NULL), 0);
	assert_int_equal(key_take(two, m, &b, NULL), 0);
	assert_memory_not_equal(a.head.key, b.head.key, sizeof a.head.key);
	assert_memory_not_equal(a.salt.at, b.salt.at, a.salt.len);
	assert_memory_not_equal(a.nonce.at, b.nonce.at, a.nonce.len);
}

/* Without its password: its own signature holds all of it. */
static void each_bit_of_a_key_file_counts(void **state)
{
	uint8_t file[KEY_FILE_MAX + 1];
	const size_t n = make_file(file, "x");
	struct key_file f;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 8 * n; i++) {
		file[i / 8] ^= (uint8_t)(1 << i % 8);
		if (key_take(file, n, &f, &e) != -AMBIT_MALFORMED)
			fail_msg("bit %zu does not count", i);
		file[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(key_take(file, i, &f, NULL), -AMBIT_MALFORMED);
	file[n] = 0;
	assert_int_equal(key_take(file, n + 1, &f, NULL), -AMBIT_MALFORMED);
	assert_int_equal(key_take(file, n, &f, NULL), 0); /* the twin */
}

/* What a password costs, signed anew by who has the key: only the bounds refuse it. */
static void what_a_password_costs_is_bounded(void **state)
{
	static const struct {
		uint32_t passes, kib;
		bool good;
	} rows[] = {
		{ KEY_PASSES, KEY_KIB, true },
		{ KEY_PASSES_MIN, KEY_KIB_MIN, true },
		{ KEY_PASSES_MAX, KEY_KIB_MAX, true },
		{ KEY_PASSES_MIN - 1, KEY_KIB, false },
		{ 0, KEY_KIB, false },
		{ KEY_PASSES_MAX + 1, KEY_KIB, false },
		{ KEY_PASSES, KEY_KIB_MIN - 1, false },
		{ KEY_PASSES, KEY_KIB_MAX + 1, false },
		{ UINT32_MAX, UINT32_MAX, false },
	};
	uint8_t file[KEY_FILE_MAX], room[KEY_FILE_MAX];
	const size_t n = make_file(file, "x");
	struct key_file f, g;

	(void)state;
	assert_int_equal(key_take(file, n, &f, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t at = (size_t)((const uint8_t *)f.salt.at - file) + f.salt.len;
		struct sshsig proof;
		struct buf out;

		buf_init_in(&out, room, sizeof room);
		buf_put(&out, file, at);
		buf_put_u32(&out, rows[i].passes);
		buf_put_u32(&out, rows[i].kib);
		buf_put(&out, file + at + 8, n - at - 8 - SSHSIG_RAW_BYTES);
		assert_int_equal(
			sshsig_make(hidden.secret, SSHSIG_APPROVER, span_bytes(out.data, out.len), &proof, NULL), 0);
		key_put_proof(&out, proof.raw);
		if ((key_take(out.data, out.len, &g, NULL) == 0) != rows[i].good)
			fail_msg("row %zu", i);
	}
}

/* Sealed and signed as it should be, by who has the key that its head names. */
static void what_holds_another_key_is_refused(void **state)
{
	static const uint8_t another[KEY_SEED_BYTES] = { 1 };
	uint8_t file[KEY_FILE_MAX];
	const size_t n = make_file(file, "x");
	const struct key_secret made = hidden;
	struct key_file f;
	struct sshsig proof;
	struct err e;

	(void)state;
	assert_int_equal(key_take(file, n, &f, NULL), 0);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(file + (f.sealed.at - (const char *)file), NULL, another,
							 sizeof another, (const uint8_t *)f.before.at, f.before.len,
							 NULL, (const uint8_t *)f.nonce.at, made.wrap);
	assert_int_equal(
		sshsig_make(made.secret, SSHSIG_APPROVER, span_bytes(file, n - SSHSIG_RAW_BYTES), &proof, NULL), 0);
	memcpy(file + n - SSHSIG_RAW_BYTES, proof.raw, sizeof proof.raw);
	assert_int_equal(key_take(file, n, &f, NULL), 0);
	assert_int_equal(key_open(&f, span_of("x"), &hidden, &e), -AMBIT_MALFORMED);
	assert_true(sodium_is_zero((const uint8_t *)&hidden, sizeof hidden));
}

static void a_key_of_an_agent_shows_that_it_signs(void **state)
{
	struct approve_key head = { .kind = APPROVE_BY_AGENT, .made_ms = 9, .name = "yubikey" };
	uint8_t room[KEY_FILE_MAX];
	struct sshsig proof;
	struct key_file f;
	struct buf out;

	(void)state;
	memcpy(head.key, public, sizeof public);
	buf_init_in(&out, room, sizeof room);
	key_put_head(&out, &head);
	assert_int_equal(sshsig_make(secret, SSHSIG_APPROVER, span_bytes(out.data, out.len), &proof, NULL), 0);
	key_put_proof(&out, proof.raw);
	assert_int_equal(key_take(out.data, out.len, &f, NULL), 0);
	assert_int_equal(f.head.kind, APPROVE_BY_AGENT);
	out.len -= SSHSIG_RAW_BYTES;
	assert_int_equal(sshsig_make(secret, SSHSIG_APPROVAL, span_bytes(out.data, out.len), &proof, NULL), 0);
	key_put_proof(&out, proof.raw); /* of another purpose */
	assert_int_equal(key_take(out.data, out.len, &f, NULL), -AMBIT_MALFORMED);
}

/* ---- messages ---- */

static void messages_come_back(void **state)
{
	const struct approve_enroll enroll = { .sources = APPROVE_AGENT, .name = "a", .agent = "me@here" };
	struct approve_enroll enroll_again = { .sources = 0 };
	struct approve_ask ask = { .sources = APPROVE_TERMINAL | APPROVE_AGENT, .name = "a" },
			   ask_again = { .sources = 0 };
	static struct approve_check check = { .n_keys = 2, .keys = { { 1 }, { 2 } }, .signature = { 3, "abc" } },
				    check_again;
	const struct approve_key key = {
		.kind = APPROVE_BY_PASSWORD, .made_ms = 3, .name = "a", .fingerprint = "SHA256:x", .key = { 5 }
	};
	struct approve_key key_again = { .kind = 0 };
	uint8_t room[2048];
	struct buf out;
	struct rbuf in;

	(void)state;
	ask.statement = check.statement = sample();
	buf_init_in(&out, room, sizeof room);
	approve_put_enroll(&out, &enroll);
	rbuf_init(&in, out.data, out.len);
	assert_true(approve_take_enroll(&in, &enroll_again));
	assert_memory_equal(&enroll, &enroll_again, sizeof enroll);
	buf_reset(&out);
	approve_put_check(&out, &check);
	rbuf_init(&in, out.data, out.len);
	assert_true(approve_take_check(&in, &check_again));
	assert_memory_equal(&check, &check_again, sizeof check);
	buf_reset(&out);
	approve_put_key(&out, &key);
	rbuf_init(&in, out.data, out.len);
	assert_true(approve_take_key(&in, &key_again));
	assert_memory_equal(&key, &key_again, sizeof key);
	buf_reset(&out);
	approve_put_ask(&out, &ask);
	for (size_t n = 0; n <= out.len; n++) {
		rbuf_init(&in, out.data, n);
		assert_int_equal(approve_take_ask(&in, &ask_again), n == out.len);
	}
	assert_memory_equal(&ask, &ask_again, sizeof ask);
}

static void messages_are_checked(void **state)
{
	static const struct approve_enroll enrolls[] = {
		{ .sources = 0, .name = "a" },
		{ .sources = APPROVE_TERMINAL | APPROVE_PIPE, .name = "a" },
		{ .sources = APPROVE_TERMINAL | APPROVE_AGENT, .name = "a", .agent = "x" },
		{ .sources = 8, .name = "a" },
		{ .sources = APPROVE_AGENT, .name = "a" },
		{ .sources = APPROVE_PIPE, .name = "a", .agent = "x" },
		{ .sources = APPROVE_PIPE, .name = "../a" },
		{ .sources = APPROVE_PIPE, .name = "" },
	};
	struct approve_enroll q;
	struct approve_ask ask = { .sources = APPROVE_TERMINAL | APPROVE_PIPE, .name = "a", .statement = sample() };
	static struct approve_check check = { .n_keys = APPROVE_KEYS_MAX };
	static uint8_t room[4096];
	struct buf out;
	struct rbuf in;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(enrolls); i++) {
		buf_init_in(&out, room, sizeof room);
		approve_put_enroll(&out, &enrolls[i]);
		rbuf_init(&in, out.data, out.len);
		if (approve_take_enroll(&in, &q))
			fail_msg("enroll %zu is taken", i);
	}
	buf_init_in(&out, room, sizeof room);
	approve_put_ask(&out, &ask);
	rbuf_init(&in, out.data, out.len);
	assert_false(approve_take_ask(&in, &ask));
	check.statement = sample();
	buf_init_in(&out, room, sizeof room);
	approve_put_check(&out, &check);
	assert_false(out.failed);
	rbuf_init(&in, out.data, out.len);
	assert_true(approve_take_check(&in, &check));
	memmove(room + 4 + sizeof check.keys[0], room + 4, out.len - 4); /* one key more, and whole but for that */
	room[0]++;
	rbuf_init(&in, room, out.len + sizeof check.keys[0]);
	assert_false(approve_take_check(&in, &check));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_statement_has_one_text),
		cmocka_unit_test(what_is_no_statement_is_not_written),
		cmocka_unit_test(other_texts_are_refused_with_the_place),
		cmocka_unit_test(each_byte_of_a_statement_counts),
		cmocka_unit_test(a_statement_is_bounded),
		cmocka_unit_test(a_signature_is_of_its_message_and_purpose),
		cmocka_unit_test(a_signature_has_one_form),
		cmocka_unit_test(keys_that_prove_nothing_are_refused),
		cmocka_unit_test(each_part_of_the_binary_form_is_looked_at),
		cmocka_unit_test(each_byte_of_the_binary_form_counts),
		cmocka_unit_test(the_armored_form_comes_back),
		cmocka_unit_test(a_fingerprint_is_as_ssh_says_it),
		cmocka_unit_test(a_key_opens_by_its_password_alone),
		cmocka_unit_test(two_keys_of_one_password_are_two),
		cmocka_unit_test(each_bit_of_a_key_file_counts),
		cmocka_unit_test(what_a_password_costs_is_bounded),
		cmocka_unit_test(what_holds_another_key_is_refused),
		cmocka_unit_test(a_key_of_an_agent_shows_that_it_signs),
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(messages_are_checked),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
