/* What is signed, whom a host is known by, and what proves a session: with keys and signatures that ssh-keygen and openssl made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sign/known.h"
#include "sign/prove.h"
#include "sign/talk.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct span from_hex(const char *hex, uint8_t *room)
{
	size_t n = 0;

	for (; hex[2 * n] != 0; n++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * n, "%2x", &byte), 1);
		room[n] = (uint8_t)byte;
	}
	return span_bytes(room, n);
}

/* ---- proofs ---- */

/* Keys of hosts, made for this, and their signatures of the bytes 0 to 31; those of a pair as two halves. */
static const struct vector {
	enum algorithm algorithm;
	const char *blob, *proof;
} vectors[] = {
	{ ALGORITHM_ED25519,
	  "0000000b7373682d6564323535313900000020ae0cffe5ea2643eb912c77f61db5e37ea6ec5fabb0404db8ea5411ee4d"
	  "b590da",
	  "bb3296d21decc71522a100456e80277c3b09dd839bc60f671da0286d9dcc73ba0d83b2c0300845dcf361e11450179846"
	  "e21d852fdd0f1baf16d5cafe82e9f603" },
	{ ALGORITHM_P256,
	  "0000001365636473612d736861322d6e69737470323536000000086e69737470323536000000410469aac90a40831e9b"
	  "f9beea86b707cd908083955e1f1a4262de6753355f5b66f1a85893c5dd4d3faf516e036f91b3d13dd54f93d73522e7d8"
	  "2a309cf5017ce9f2",
	  "dcbf5382209f10c1c4d0894288dd3bf1454678e20fb62c2795c565fe33e8340717ffc97769415a3c9d82ed45dae555fb"
	  "9190c6478907060477d8f69ace9999fd" },
	{ ALGORITHM_P384,
	  "0000001365636473612d736861322d6e69737470333834000000086e69737470333834000000610487127aad6af7fa45"
	  "d009db75831f998941bcc7edd4801324c837cfae7bed04f1a08d5caa3a44345ebf67f92e13e892abbaaa6c4be9a1dfc6"
	  "a3fe1811d2aa53dd5af31ed204af79f8b66c95a923dded69132a8645437ed17546b0c265f2bd7652",
	  "fcc71354af084f81335b9b614dc1807bacd66cd10637944fe75af2c49dc9b626a8eb4ea25b008123aed4bc8c2be53cca"
	  "87dcbdda68739040e8e9768a441bae872f5bc9a73587c054ba3fb14a2ecaabb63089218aeb2af04588d6d6dcefc30b23" },
	{ ALGORITHM_P521,
	  "0000001365636473612d736861322d6e69737470353231000000086e69737470353231000000850401160eb2f7e8fed3"
	  "495be35885aef5edbef2033561857315c877cc124a5b2783bd0d7806a0d44dc63f8513815631c66a7c274c8fa3b9ce16"
	  "f5c820367e3201360d82004edf103afc890cb92b9677bd88f8f657313e9b090788456e9010fb2fd22bc5d03232f2ac05"
	  "4418051ad47a3a5ecd4aebe2885356c7d19f49a6c0e16db0386587a5",
	  "01344dc779de9ec912a2822d2c02c19f6f3672aead14bb425ad150720e80c5e748bd341031a9d1bf4eb5bbfe43b1ea21"
	  "ed4f880cc21693039083a792f7552ba3e4ee008f4543903f5ef582befba3e5280b46607a7998956d837f3dcda5d687bc"
	  "aa50ec48ad61ea741e21041da404dc284ef4d6f5285e8f14fe1c08a4c549316004cba301" },
	{ ALGORITHM_RSA_SHA256,
	  "000000077373682d727361000000030100010000008100a2f8bf2389296c871d6a16fdcec7f93811228695d52581b385"
	  "29ce8ad45ec83fa9031e547821d3dc903e9eb0c1b553adaf3b752c29e48628ed06fa23ae4b7de2d68894ab0ddced5982"
	  "d08fcaec748d70ed6eb96ea0157092a81ffe1d9e73d40856b7533bbc6ff867cad76b178d94dfb105634da2be134b9108"
	  "9818f9654ace61",
	  "392aeaf5a1afc4f131523465b47d587c911c2f848186c80c34d56e614c85d169bd9535e29e4e1e16c72587b0608169cb"
	  "e9e80a45c2310979136447d82d344e9c26fd248f11de00b9923b2ca7d2265826b49bb49bc67ef1a36d691ecb4ed369b2"
	  "ea8893194e6c2da444d11b3952d5ad468a10b9fcbaed328d3270865f8456c5a8" },
	{ ALGORITHM_RSA_SHA512,
	  "000000077373682d727361000000030100010000008100a2f8bf2389296c871d6a16fdcec7f93811228695d52581b385"
	  "29ce8ad45ec83fa9031e547821d3dc903e9eb0c1b553adaf3b752c29e48628ed06fa23ae4b7de2d68894ab0ddced5982"
	  "d08fcaec748d70ed6eb96ea0157092a81ffe1d9e73d40856b7533bbc6ff867cad76b178d94dfb105634da2be134b9108"
	  "9818f9654ace61",
	  "2ecbe729c371863f3997f5543b5ba2679758aa8daf9fb58ad06c2cae39ac51f3637503177ec95cb6c67e8b0bba90ee94"
	  "ca8fd0ca83b1d6b9c684bdc5adc1c9f40b01204481033ce2cac6e8a12c4b5aec70060ea8c2349c69b6cff54f2395bb41"
	  "4129697613ff9f58239ae16d639ff29a4a92252d59eeeb335d599b298ea6b31c" },
};

struct proof {
	uint8_t blob_room[SIGN_BLOB_MAX], proof_room[SIGN_PROOF_MAX], session_room[SIGN_SESSION_MAX];
	struct span blob, proof, session;
	struct prover prover;
};

static void begin(struct proof *p, const struct vector *v)
{
	p->blob = from_hex(v->blob, p->blob_room);
	p->proof = from_hex(v->proof, p->proof_room);
	for (uint8_t i = 0; i < SIGN_SESSION_MAX; i++)
		p->session_room[i] = i;
	p->session = span_bytes(p->session_room, 32);
	assert_true(prover_init(&p->prover, p->blob));
}

static bool checks(const struct proof *p, enum algorithm a)
{
	return prover_checks(&p->prover, p->blob, a, p->session, p->proof);
}

static void a_host_proves_its_own_session(void **state)
{
	static struct proof p;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		begin(&p, &vectors[i]);
		for (enum algorithm a = 0; a < ALGORITHM_COUNT; a++)
			if (checks(&p, a) != (a == vectors[i].algorithm))
				fail_msg("key %zu, algorithm %u", i, (unsigned)a);
		prover_finish(&p.prover);
	}
}

static void any_bit_of_it_counts(void **state)
{
	static struct proof p;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		const enum algorithm a = vectors[i].algorithm;

		begin(&p, &vectors[i]);
		for (size_t bit = 0; bit < 8 * p.proof.len; bit += 7) {
			p.proof_room[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (checks(&p, a))
				fail_msg("key %zu, bit %zu of the proof", i, bit);
			p.proof_room[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t bit = 0; bit < 8 * p.session.len; bit++) {
			p.session_room[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (checks(&p, a))
				fail_msg("key %zu, bit %zu of the session", i, bit);
			p.session_room[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t n = 0; n <= sizeof p.session_room; n++) {
			p.session.len = n;
			assert_int_equal(checks(&p, a), n == 32);
		}
		p.session.len = 32;
		for (size_t n = 0; n <= sizeof p.proof_room; n += n < p.proof.len - 2 || n > p.proof.len + 2 ? 17 : 1) {
			const struct span cut = span_bytes(p.proof_room, n);

			assert_int_equal(prover_checks(&p.prover, p.blob, a, p.session, cut), n == p.proof.len);
		}
		assert_true(checks(&p, a));
		prover_finish(&p.prover);
	}
}

/* Each byte of a key cut off, or one too many; what is left of a bit changed is another key at most. */
static void a_key_is_whole_or_none(void **state)
{
	static struct proof p;
	struct prover other;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		begin(&p, &vectors[i]);
		for (size_t n = 0; n <= p.blob.len + 1; n++)
			if (n != p.blob.len && prover_init(&other, span_bytes(p.blob_room, n)))
				fail_msg("key %zu, of %zu bytes", i, n);
		for (size_t bit = 0; bit < 8 * p.blob.len; bit += 5) {
			p.blob_room[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (prover_init(&other, p.blob) &&
			    prover_checks(&other, p.blob, vectors[i].algorithm, p.session, p.proof))
				fail_msg("key %zu, bit %zu", i, bit);
			prover_finish(&other);
			p.blob_room[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		prover_finish(&p.prover);
	}
}

/* ---- known hosts ---- */

#define KEY_TEXT "AAAAC3NzaC1lZDI1NTE5AAAAIK4M/+XqJkPrkSx39h21436m7F+rsEBNuOpUEe5NtZDa"
#define HASH "|1|q/9bbZLrxAnhwWnrUZfa4HNnXSY=|9uFDy6j03DJOe2+KdwabScMt4bc="

static void names_of_hosts_match(void **state)
{
	static const struct {
		const char *names, *host;
		bool matches;
	} rows[] = {
		{ "open.test", "open.test", true },
		{ "OPEN.Test", "open.test", true },
		{ "open.tes", "open.test", false },
		{ "open.test2", "open.test", false },
		{ "a,open.test,b", "open.test", true },
		{ "a,b", "open.test", false },
		{ "", "open.test", false },
		{ ",,", "open.test", false },
		{ "*.test", "open.test", true },
		{ "*", "open.test", true },
		{ "*.test", "test", false },
		{ "o*n.t*t", "open.test", true },
		{ "o*x*t", "open.test", false },
		{ "????.test", "open.test", true },
		{ "???.test", "open.test", false },
		{ "open.test*", "open.test", true },
		{ "open.test?", "open.test", false },
		{ "*.test,!open.test", "open.test", false },
		{ "!open.test,*.test", "open.test", false },
		{ "!open.test", "other.test", false },
		{ "!other.test,*.test", "open.test", true },
		{ "!", "open.test", false },
		{ "open.test", "[open.test]:2222", false },
		{ "[open.test]:2222", "[open.test]:2222", true },
		{ "[open.test]:22*", "[open.test]:2222", true },
		{ "[open.test]:2222", "open.test", false },
		{ "****************************************x",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ HASH, "open.test", true },
		{ HASH, "other.test", false },
		{ HASH ",open.test", "open.test", false },
		{ "|1|", "open.test", false },
		{ "|1|q/9bbZLrxAnhwWnrUZfa4HNnXSY=", "open.test", false },
		{ "|1||", "open.test", false },
		{ "|2" HASH, "open.test", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (known_matches(span_of(rows[i].names), rows[i].host) != rows[i].matches)
			fail_msg("'%s', '%s'", rows[i].names, rows[i].host);
}

static void lines_say_which_keys(void **state)
{
	static const struct {
		const char *text;
		uint32_t n;
	} rows[] = {
		{ "", 0 },
		{ "open.test ssh-ed25519 " KEY_TEXT "\n", 1 },
		{ "open.test ssh-ed25519 " KEY_TEXT, 1 },
		{ "  open.test\tssh-ed25519  " KEY_TEXT " a comment\r\n", 1 },
		{ HASH " ssh-ed25519 " KEY_TEXT "\n", 1 },
		{ "open.test ssh-ed25519 " KEY_TEXT "\nopen.test ssh-ed25519 " KEY_TEXT "\n", 1 },
		{ "other.test ssh-ed25519 " KEY_TEXT "\n", 0 },
		{ "#open.test ssh-ed25519 " KEY_TEXT "\n", 0 },
		{ "open.test ssh-rsa " KEY_TEXT "\n", 0 }, /* it is none */
		{ "open.test ssh-ed25519\n", 0 },
		{ "open.test\n", 0 },
		{ "open.test ssh-ed25519 " KEY_TEXT "=\n", 0 },
		{ "open.test ssh-ed25519 AAAA" KEY_TEXT "\n", 0 },
		{ "open.test ssh-dss AAAAB3NzaC1kc3M=\n", 0 },
		{ "@cert-authority open.test ssh-ed25519 " KEY_TEXT "\n", 0 },
		{ "@unknown open.test ssh-ed25519 " KEY_TEXT "\n", 0 },
		{ "@revoked open.test ssh-ed25519 " KEY_TEXT "\n", 0 },
		{ "open.test ssh-ed25519 " KEY_TEXT "\n@revoked * ssh-ed25519 " KEY_TEXT "\n", 0 },
		{ "@revoked * ssh-ed25519 " KEY_TEXT "\nopen.test ssh-ed25519 " KEY_TEXT "\n", 0 },
		{ "@revoked other.test ssh-ed25519 " KEY_TEXT "\nopen.test ssh-ed25519 " KEY_TEXT "\n", 1 },
	};
	static struct known k;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		memset(&k, 0, sizeof k);
		assert_true(known_read(&k, span_of(rows[i].text), "open.test"));
		known_settle(&k);
		if (k.n != rows[i].n)
			fail_msg("%u keys: %s", k.n, rows[i].text);
	}
}

/* Seventeen of a host that has room for sixteen. */
static void too_many_are_none(void **state)
{
	static struct known k;
	char text[200];

	(void)state;
	memset(&k, 0, sizeof k);
	for (unsigned i = 0; i < KNOWN_MAX + 1; i++) {
		(void)snprintf(text, sizeof text, "open.test ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI%c%.42s\n",
			       (int)('A' + i), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
		assert_int_equal(known_read(&k, span_of(text), "open.test"), i < KNOWN_MAX);
	}
}

/* ---- what is signed ---- */

static void put_text(struct buf *out, const char *s)
{
	buf_put_be32(out, (uint32_t)strlen(s));
	buf_put(out, s, strlen(s));
}

/* RFC 4252, section 7, in the order in which it stands. */
static void expect(struct buf *out, const char *user, const char *method, const char *algorithm, const char *host)
{
	put_text(out, "session");
	buf_put_u8(out, 50);
	put_text(out, user);
	put_text(out, "ssh-connection");
	put_text(out, method);
	buf_put_u8(out, 1);
	put_text(out, algorithm);
	put_text(out, "key");
	if (host != NULL)
		put_text(out, host);
}

static void a_request_is_of_one_form(void **state)
{
	static const struct {
		struct request q;
		const char *method, *algorithm, *host;
		uint8_t flags;
	} rows[] = {
		{ { .user = "git", .method = SIGN_PUBLICKEY, .algorithm = ALGORITHM_ED25519 },
		  "publickey",
		  "ssh-ed25519",
		  NULL,
		  0 },
		{ { .user = "git", .method = SIGN_PUBLICKEY, .algorithm = ALGORITHM_RSA_SHA256 },
		  "publickey",
		  "rsa-sha2-256",
		  NULL,
		  2 },
		{ { .user = "alice", .method = SIGN_HOSTBOUND, .algorithm = ALGORITHM_RSA_SHA512 },
		  "publickey-hostbound-v00@openssh.com",
		  "rsa-sha2-512",
		  "host",
		  4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request q = rows[i].q;
		uint8_t room[2][2048];
		struct buf data, message, got;

		q.session = span_of("session");
		q.key = span_of("key");
		q.host_key = span_of("host");
		buf_init_in(&data, room[0], 1024);
		expect(&data, q.user, rows[i].method, rows[i].algorithm, rows[i].host);
		buf_init_in(&message, room[0] + 1024, 1024);
		buf_put_be32(&message, (uint32_t)(1 + 4 + 3 + 4 + data.len + 4));
		buf_put_u8(&message, 13);
		put_text(&message, "key");
		buf_put_be32(&message, (uint32_t)data.len);
		buf_put(&message, data.data, data.len);
		buf_put_be32(&message, rows[i].flags);
		buf_init_in(&got, room[1], sizeof room[1]);
		request_put_message(&got, &q);
		assert_int_equal(got.len, message.len);
		assert_memory_equal(got.data, message.data, got.len);
	}
}

/* ---- what is asked ---- */

static bool take(const struct sign_ask *a, size_t cut, struct sign_ask *ret)
{
	static uint8_t room[SIGN_ASK_BYTES + 8];
	struct rbuf in;
	struct buf out;

	buf_init_in(&out, room, sizeof room);
	sign_put_ask(&out, a);
	buf_put_u8(&out, 0);
	assert_int_equal(out.len, SIGN_ASK_BYTES + 1);
	rbuf_init(&in, room, SIGN_ASK_BYTES + 1 - cut);
	return sign_take_ask(&in, ret);
}

static void an_ask_is_within_its_bounds(void **state)
{
	static const struct sign_ask good = {
		.client = 1, .algorithm = 1, .method = 0, .proof_algorithm = 1, .session_n = 32, .proof_n = 64
	};
	struct sign_ask got, bad[16];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = good;
	bad[n++].grant = SIGN_GRANTS_MAX;
	bad[n++].host = SIGN_HOSTS_MAX;
	bad[n++].key = SIGN_KEYS_MAX;
	bad[n++].algorithm = ALGORITHM_NONE;
	bad[n++].algorithm = ALGORITHM_COUNT;
	bad[n++].method = SIGN_METHODS;
	bad[n++].proof_algorithm = ALGORITHM_NONE;
	bad[n++].proof_algorithm = ALGORITHM_COUNT;
	bad[n++].proof_algorithm = ALGORITHM_SK_ED25519;
	bad[n++].session_n = 0;
	bad[n++].session_n = 33;
	bad[n++].session_n = 128;
	bad[n++].proof_n = 0;
	bad[n++].proof_n = SIGN_PROOF_MAX + 1;
	for (size_t i = 0; i < n; i++)
		if (take(&bad[i], 1, &got))
			fail_msg("row %zu was taken", i);
	assert_false(take(&good, 0, &got));
	assert_false(take(&good, 2, &got));
	assert_true(take(&good, 1, &got));
	assert_int_equal(got.proof_n, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_proves_its_own_session), cmocka_unit_test(any_bit_of_it_counts),
		cmocka_unit_test(a_key_is_whole_or_none),        cmocka_unit_test(names_of_hosts_match),
		cmocka_unit_test(lines_say_which_keys),          cmocka_unit_test(too_many_are_none),
		cmocka_unit_test(a_request_is_of_one_form),      cmocka_unit_test(an_ask_is_within_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
