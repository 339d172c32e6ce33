/* What a client of the cell's agent says, and what it gets: messages as OpenSSH writes them, and each with one thing changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sign/request.h"
#include "ssh/client.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t session[32] = "the hash of a key exchange";

/* Keys of one type, which differ in their last byte. */
static void set_key(struct sign_key *k, uint32_t grant, const char *type, uint8_t last)
{
	struct buf b;

	k->grant = grant;
	buf_init_in(&b, k->blob, sizeof k->blob);
	ssh_put_string(&b, span_of(type));
	buf_put_be32(&b, 1);
	buf_put_u8(&b, last);
	k->n = (uint32_t)b.len;
}

static struct span blob(const struct sign_key *k)
{
	return span_bytes(k->blob, k->n);
}

/* Two grants: git at hosts with the keys 0 and 1, alice at one with the key 1 and another 2. */
static struct knowledge known;

static int learn(void **state)
{
	static const struct {
		uint32_t grant;
		uint8_t last;
	} hosts[] = { { 0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 2 } };

	(void)state;
	known.n_grants = 2;
	strcpy(known.grants[0].user, "git");
	strcpy(known.grants[1].user, "alice");
	for (; known.n_hosts < COUNT_OF(hosts); known.n_hosts++)
		set_key(&known.hosts[known.n_hosts], hosts[known.n_hosts].grant, "ssh-ed25519",
			hosts[known.n_hosts].last);
	set_key(&known.keys[0], 0, "ssh-ed25519", 10);
	set_key(&known.keys[1], 0, "ssh-rsa", 11);
	known.n_keys = 2;
	return 0;
}

/* ---- messages ---- */

struct wanted {
	const char *user, *service, *method, *algorithm;
	const struct sign_key *key, *inner_key, *host; /* host NULL: none in it */
	uint8_t number, signature, flags, session;
	bool longer, longer_data;
};

static struct wanted usual(void)
{
	return (struct wanted){ .user = "git",
				.service = "ssh-connection",
				.method = "publickey-hostbound-v00@openssh.com",
				.algorithm = "ssh-ed25519",
				.key = &known.keys[0],
				.inner_key = &known.keys[0],
				.host = &known.hosts[0],
				.number = 50,
				.signature = 1,
				.session = sizeof session };
}

static void put_data(struct buf *out, const struct wanted *w)
{
	ssh_put_string(out, span_bytes(session, w->session));
	buf_put_u8(out, w->number);
	ssh_put_string(out, span_of(w->user));
	ssh_put_string(out, span_of(w->service));
	ssh_put_string(out, span_of(w->method));
	buf_put_u8(out, w->signature);
	ssh_put_string(out, span_of(w->algorithm));
	ssh_put_string(out, blob(w->inner_key));
	if (w->host != NULL)
		ssh_put_string(out, blob(w->host));
	if (w->longer_data)
		buf_put_u8(out, 0);
}

static void put_sign(struct buf *out, const struct wanted *w)
{
	uint8_t room[1024];
	struct buf data;

	buf_init_in(&data, room, sizeof room);
	put_data(&data, w);
	buf_put_u8(out, AGENT_ASKS_SIGN);
	ssh_put_string(out, blob(w->key));
	ssh_put_string(out, span_bytes(data.data, data.len));
	buf_put_be32(out, w->flags);
	if (w->longer)
		buf_put_u8(out, 0);
}

struct binding {
	const char *name, *algorithm;
	const struct sign_key *host;
	const char *proof;
	size_t session;
	uint8_t forwards;
	bool longer;
};

static struct binding bound_to(const struct sign_key *host)
{
	return (struct binding){ .name = "session-bind@openssh.com",
				 .algorithm = "ssh-ed25519",
				 .host = host,
				 .proof = "a signature",
				 .session = sizeof session };
}

static void put_bind(struct buf *out, const struct binding *b)
{
	uint8_t room[256];
	struct buf signature;

	buf_init_in(&signature, room, sizeof room);
	ssh_put_string(&signature, span_of(b->algorithm));
	ssh_put_string(&signature, span_of(b->proof));
	buf_put_u8(out, AGENT_ASKS_EXTENSION);
	ssh_put_string(out, span_of(b->name));
	ssh_put_string(out, blob(b->host));
	ssh_put_string(out, span_bytes(session, b->session));
	ssh_put_string(out, span_bytes(signature.data, signature.len));
	buf_put_u8(out, b->forwards);
	if (b->longer)
		buf_put_u8(out, 0);
}

/* ---- a client ---- */

static enum client_next say(struct client *c, const struct buf *body, struct sign_ask *ret)
{
	struct buf whole;
	uint8_t room[4096];

	buf_init_in(&whole, room, sizeof room);
	ssh_put_string(&whole, span_bytes(body->data, body->len));
	memcpy(c->room, whole.data, whole.len);
	for (c->n = 0; c->n < whole.len;)
		c->n += client_wants(c) > 3 ? 3 : client_wants(c); /* in pieces */
	assert_int_equal(c->n, whole.len);
	assert_int_equal(client_wants(c), 0);
	return client_serve(c, &known, ret);
}

/* The first byte of what goes back, 0: nothing does. */
static uint8_t answered(struct client *c)
{
	const uint8_t kind = c->answer.len > 4 ? c->answer.data[4] : 0;

	buf_reset(&c->answer);
	return kind;
}

static uint8_t bind_client(struct client *c, const struct binding *b)
{
	uint8_t room[1024];
	struct sign_ask ask;
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	put_bind(&body, b);
	assert_int_equal(say(c, &body, &ask), CLIENT_READS);
	return answered(c);
}

/* True: it goes to the signer; else it is refused. */
static bool asks(struct client *c, const struct wanted *w, struct sign_ask *ret)
{
	uint8_t room[2048];
	struct buf body;
	enum client_next next;

	buf_init_in(&body, room, sizeof room);
	put_sign(&body, w);
	next = say(c, &body, ret);
	assert_int_equal(answered(c), next == CLIENT_ASKS ? 0 : AGENT_FAILURE);
	return next == CLIENT_ASKS;
}

static struct client client;

static void begin(const struct sign_key *host)
{
	const struct binding b = bound_to(host);

	client_finish(&client);
	client_init(&client);
	if (host != NULL)
		assert_int_equal(bind_client(&client, &b), AGENT_SUCCESS);
}

static void the_signer_is_asked_for_what_is_granted(void **state)
{
	struct wanted w = usual();
	struct sign_ask ask;

	(void)state;
	begin(&known.hosts[0]);
	assert_true(asks(&client, &w, &ask));
	assert_int_equal(ask.grant, 0);
	assert_int_equal(ask.host, 0);
	assert_int_equal(ask.key, 0);
	assert_int_equal(ask.algorithm, ALGORITHM_ED25519);
	assert_int_equal(ask.method, SIGN_HOSTBOUND);
	assert_int_equal(ask.proof_algorithm, ALGORITHM_ED25519);
	assert_int_equal(ask.proof_n, strlen("a signature"));
	assert_memory_equal(ask.proof, "a signature", ask.proof_n);
	assert_int_equal(ask.session_n, sizeof session);
	assert_memory_equal(ask.session, session, sizeof session);
	w.method = "publickey";
	w.host = NULL;
	assert_true(asks(&client, &w, &ask));
	assert_int_equal(ask.method, SIGN_PUBLICKEY);
	w.key = w.inner_key = &known.keys[1];
	w.algorithm = "rsa-sha2-512";
	w.flags = 4;
	assert_true(asks(&client, &w, &ask));
	assert_int_equal(ask.key, 1);
	/* a host of two grants: the user says which */
	begin(&known.hosts[1]);
	assert_true(asks(&client, &w, &ask));
	assert_int_equal(ask.grant * 100 + ask.host, 1);
	w.user = "alice";
	assert_true(asks(&client, &w, &ask));
	assert_int_equal(ask.grant * 100 + ask.host, 102);
}

static void and_for_nothing_else(void **state)
{
	static struct sign_key other;
	struct wanted rows[24], w = usual();
	struct sign_ask ask;
	size_t n = 0;

	(void)state;
	set_key(&other, 0, "ssh-ed25519", 99);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rows[i] = w;
	rows[n++].user = "alice";
	rows[n++].user = "gi";
	rows[n++].user = "git2";
	rows[n++].user = "";
	rows[n++].service = "ssh-userauth";
	rows[n++].service = "ssh-connection2";
	rows[n++].method = "hostbased";
	rows[n++].method = "publickey"; /* with something behind it */
	rows[n++].host = NULL;
	rows[n++].host = &known.hosts[1];
	rows[n++].host = &other;
	rows[n++].algorithm = "ssh-rsa";
	rows[n++].algorithm = "rsa-sha2-512";
	rows[n++].algorithm = "ssh-ed25519-cert-v01@openssh.com";
	rows[n++].inner_key = &known.keys[1];
	rows[n++].key = &known.keys[1];
	rows[n].key = &other;
	rows[n++].inner_key = &other;
	rows[n++].number = 51;
	rows[n++].signature = 0;
	rows[n++].signature = 2;
	rows[n++].flags = 2;
	rows[n++].session = 20;
	rows[n++].longer = true;
	rows[n++].longer_data = true;
	for (size_t i = 0; i < n; i++) {
		begin(&known.hosts[0]);
		if (asks(&client, &rows[i], &ask))
			fail_msg("row %zu", i);
		assert_true(asks(&client, &w, &ask)); /* and a refusal changes nothing */
	}
	begin(NULL);
	assert_false(asks(&client, &w, &ask));
	begin(&known.hosts[3]); /* alice's alone */
	w.host = &known.hosts[3];
	assert_false(asks(&client, &w, &ask));
	w.user = "alice";
	assert_true(asks(&client, &w, &ask));
}

static void it_is_bound_once_and_to_a_known_host(void **state)
{
	static struct sign_key other;
	const struct binding good = bound_to(&known.hosts[0]);
	struct binding rows[12];
	const struct wanted w = usual();
	struct sign_ask ask;
	size_t n = 0;

	(void)state;
	set_key(&other, 0, "ssh-ed25519", 99);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rows[i] = good;
	rows[n++].name = "query";
	rows[n++].name = "session-bind@openssh.co";
	rows[n++].host = &other;
	rows[n++].algorithm = "ssh-rsa"; /* SHA-1 */
	rows[n++].algorithm = "sk-ssh-ed25519@openssh.com";
	rows[n++].algorithm = "ecdsa-sha2-nistp256"; /* no pair */
	rows[n++].proof = "";
	rows[n++].session = 31;
	rows[n++].session = 0;
	rows[n++].longer = true;
	for (size_t i = 0; i < n; i++) {
		begin(NULL);
		assert_int_equal(bind_client(&client, &rows[i]), AGENT_FAILURE);
		if (asks(&client, &w, &ask))
			fail_msg("row %zu", i);
		assert_false(client.ends);
		assert_int_equal(bind_client(&client, &good), AGENT_SUCCESS);
	}
	begin(&known.hosts[0]);
	assert_int_equal(bind_client(&client, &good), AGENT_FAILURE);
	assert_true(client.ends);
	rows[0] = good;
	for (unsigned forwards = 1; forwards < 256; forwards += 127) {
		begin(NULL);
		rows[0].forwards = (uint8_t)forwards;
		assert_int_equal(bind_client(&client, &rows[0]), AGENT_FAILURE);
		assert_true(client.ends && !client.bound);
	}
}

/* Every kind of message, with something in it or nothing. */
static void anything_else_is_refused(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 256; kind++)
		for (size_t n = 1; n <= 40; n += 13) {
			uint8_t bytes[64] = { (uint8_t)kind };
			const struct buf body = { .data = bytes, .len = n };
			struct sign_ask ask;

			begin(&known.hosts[0]);
			assert_int_equal(say(&client, &body, &ask), CLIENT_READS);
			assert_int_equal(answered(&client),
					 kind == AGENT_ASKS_LIST && n == 1 ? AGENT_LIST : AGENT_FAILURE);
		}
}

static void a_list_has_keys_and_no_comments(void **state)
{
	uint8_t one[] = { AGENT_ASKS_LIST };
	const struct buf body = { .data = one, .len = 1 };
	struct sign_key keys[SIGN_KEYS_MAX];
	struct rbuf in;
	struct sign_ask ask;

	(void)state;
	begin(NULL);
	assert_int_equal(say(&client, &body, &ask), CLIENT_READS);
	rbuf_init(&in, client.answer.data, client.answer.len);
	assert_int_equal(ssh_u32(&in), client.answer.len - 4);
	assert_int_equal(rbuf_u8(&in), AGENT_LIST);
	assert_int_equal(ssh_u32(&in), 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(span_equal(ssh_string(&in), blob(&known.keys[i])));
		assert_int_equal(ssh_string(&in).len, 0);
	}
	assert_true(rbuf_done(&in));
	memset(keys, 0, sizeof keys);
	client_signed(&client, NULL, 0);
	assert_int_equal(client.answer.data[client.answer.len - 1], AGENT_FAILURE);
}

static void lengths_are_bounded(void **state)
{
	static const struct {
		uint32_t length;
		bool broken;
	} rows[] = { { 0, true },
		     { 1, false },
		     { CLIENT_MESSAGE_MAX - 4, false },
		     { CLIENT_MESSAGE_MAX - 3, true },
		     { UINT32_MAX, true },
		     { 0x80000000, true } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sign_ask ask;
		struct buf head;

		begin(NULL);
		buf_init_in(&head, client.room, 4);
		buf_put_be32(&head, rows[i].length);
		client.n = 4;
		assert_int_equal(client_wants(&client), rows[i].broken ? 0 : rows[i].length);
		if (rows[i].broken)
			assert_int_equal(client_serve(&client, &known, &ask), CLIENT_BROKEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signer_is_asked_for_what_is_granted), cmocka_unit_test(and_for_nothing_else),
		cmocka_unit_test(it_is_bound_once_and_to_a_known_host),    cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(a_list_has_keys_and_no_comments),         cmocka_unit_test(lengths_are_bounded),
	};

	return cmocka_run_group_tests(tests, learn, NULL);
}
