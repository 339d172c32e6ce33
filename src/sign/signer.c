#include "sign/signer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "sign/known.h"
#include "sign/promise.h"
#include "sign/prove.h"
#include "sign/sshtext.h"
#include "sign/talk.h"
#include "wire/wire.h"

#define FILE_MAX (8u << 20) /* of known_hosts: forty thousand hosts */

struct signer {
	int supervisor;        /* borrowed */
	int client;            /* owned: ambit-ssh; -1 until it came */
	int file[FD_PASS_MAX]; /* owned: known_hosts, -1 once read */
	size_t n_files;
	uint32_t n_grants, n_hosts, n_keys;
	struct sign_grant grants[SIGN_GRANTS_MAX];
	bool withdrawn[SIGN_GRANTS_MAX];
	struct sign_key hosts[SIGN_HOSTS_MAX]; /* of each its grant */
	struct prover provers[SIGN_HOSTS_MAX];
	struct sign_key keys[SIGN_KEYS_MAX];
	struct known known; /* of one host at a time */
	struct talk talk;
	struct sign_ask ask;
	struct sign_done done;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static struct span blob_of(const struct sign_key *k)
{
	return span_bytes(k->blob, k->n);
}

/* ---- what is withdrawn ---- */

/* 0, 1: the supervisor is gone. It says that a grant is withdrawn, and nothing else. */
static int on_supervisor(struct signer *s)
{
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(s->supervisor, WIRE_SUPERVISOR, WIRE_RUNNING, s->room, sizeof s->room, &m);
	uint32_t grant;

	if (r <= 0)
		return r == 0 ? 1 : r;
	grant = rbuf_u32(&m.body);
	if (m.number != WIRE_SIGN_WITHDRAW || grant >= s->n_grants)
		return -EPROTO;
	s->withdrawn[grant] = true;
	return 0;
}

/* All that it has said by now. */
static int hear_supervisor(struct signer *s)
{
	struct pollfd p = { .fd = s->supervisor, .events = POLLIN };
	int r = 0;

	while (r == 0 && poll(&p, 1, 0) > 0)
		r = on_supervisor(s);
	return r;
}

/* ---- what is signed ---- */

/* The host of the ask is one of its grant, which is there still, and has signed the session. */
static bool is_proved(const struct signer *s, const struct sign_ask *a)
{
	return a->grant < s->n_grants && !s->withdrawn[a->grant] && a->host < s->n_hosts &&
	       s->hosts[a->host].grant == a->grant &&
	       prover_checks(&s->provers[a->host], blob_of(&s->hosts[a->host]), (enum algorithm)a->proof_algorithm,
			     span_bytes(a->session, a->session_n), span_bytes(a->proof, a->proof_n));
}

static bool signs_so(const struct signer *s, const struct sign_ask *a)
{
	return a->key < s->n_keys && span_equal(span_of(algorithm_key((enum algorithm)a->algorithm)),
						span_of(algorithm_key(algorithm_of_key(blob_of(&s->keys[a->key])))));
}

/* 0: refused, which is an answer. */
static int sign(struct signer *s, const struct sign_ask *a, struct sign_done *ret)
{
	struct request q;

	if (!signs_so(s, a) || !is_proved(s, a))
		return 0;
	q = (struct request){ .session = span_bytes(a->session, a->session_n),
			      .user = s->grants[a->grant].user,
			      .method = (enum sign_method)a->method, /* checked when it was taken, as all are */
			      .algorithm = (enum algorithm)a->algorithm,
			      .key = blob_of(&s->keys[a->key]),
			      .host_key = blob_of(&s->hosts[a->host]) };
	return talk_sign(&s->talk, &q, ret);
}

static int on_client(struct signer *s)
{
	auto_message m = { .n_fds = 0 };
	struct buf b;
	int r = wire_receive(s->client, WIRE_SSH, WIRE_RUNNING, s->room, sizeof s->room, &m);

	if (r <= 0)
		return r == 0 ? 1 : r;
	if (m.number != WIRE_SIGN_ASK || !sign_take_ask(&m.body, &s->ask))
		return -EPROTO;
	s->done.client = s->ask.client;
	s->done.n = 0;
	r = sign(s, &s->ask, &s->done);
	if (r < 0)
		return 1;       /* without an agent there is nothing to do any more */
	r = hear_supervisor(s); /* the agent may have asked the person, and taken its time */
	if (r != 0)
		return r;
	if (s->ask.grant < s->n_grants && s->withdrawn[s->ask.grant])
		s->done.n = 0;
	buf_init_in(&b, s->room, sizeof s->room);
	sign_put_done(&b, &s->done);
	return wire_write(s->client, WIRE_SIGN_DONE, &b);
}

/* 1: one of the two is gone. */
static int turn(struct signer *s)
{
	struct pollfd p[] = { { .fd = s->supervisor, .events = POLLIN }, { .fd = s->client, .events = POLLIN } };

	if (poll(p, 2, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[0].revents != 0)
		return on_supervisor(s); /* before what was asked meanwhile */
	return p[1].revents != 0 ? on_client(s) : 0;
}

/* ---- what is known ---- */

static int no_memory(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory to sign");
}

static int add_host(struct signer *s, const struct sign_key *key, uint32_t grant)
{
	const uint32_t i = s->n_hosts;

	if (!prover_init(&s->provers[i], blob_of(key)))
		return 0; /* a key that nobody can prove to have: as if it was not known */
	s->hosts[i] = *key;
	s->hosts[i].grant = grant;
	s->n_hosts++;
	return 1;
}

static int add_hosts(struct signer *s, const struct sign_grant *g, struct err *e)
{
	int added = 0;

	for (uint32_t i = 0; i < s->known.n; i++) {
		if (s->n_hosts == SIGN_HOSTS_MAX)
			return err_set(e, AMBIT_LIMIT, "grant fewer hosts", "more than %d keys of hosts",
				       SIGN_HOSTS_MAX);
		added += add_host(s, &s->known.key[i], g->index);
	}
	if (added > 0)
		return 0;
	return err_why(
		e,
		err_set(e, AMBIT_NOT_FOUND,
			"connect to it once outside and compare its fingerprint, or add what it publishes to ~/.ssh/known_hosts",
			"connect: ssh://%s: no key of this host is known", g->host),
		"a signature is given only in a session with a host that you know: ~/.ssh/known_hosts");
}

static int know(struct signer *s, const struct sign_grant *g, const struct buf *files, struct err *e)
{
	bool fits = true;

	s->known.n = s->known.n_revoked = 0;
	for (size_t i = 0; i < s->n_files && fits; i++)
		fits = known_read(&s->known, span_bytes(files[i].data, files[i].len), g->host);
	if (!fits)
		return err_set(e, AMBIT_LIMIT, "remove old ones: ssh-keygen -R", "more than %d keys are known of %s",
			       KNOWN_MAX, g->host);
	known_settle(&s->known);
	return add_hosts(s, g, e);
}

static int read_files(struct signer *s, struct buf *files, struct err *e)
{
	for (size_t i = 0; i < s->n_files; i++) {
		const int r = fd_read_into(s->file[i], &files[i]);

		if (r < 0)
			return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read your known_hosts");
		fd_close(&s->file[i]);
	}
	return 0;
}

static int know_all(struct signer *s, struct err *e)
{
	struct buf files[FD_PASS_MAX];
	int r;

	for (size_t i = 0; i < FD_PASS_MAX; i++)
		buf_init(&files[i], FILE_MAX);
	r = read_files(s, files, e);
	for (uint32_t i = 0; i < s->n_grants && r == 0; i++)
		r = know(s, &s->grants[i], files, e);
	for (size_t i = 0; i < FD_PASS_MAX; i++)
		buf_finish(&files[i]);
	return r;
}

/* ---- telling ---- */

static int tell_keys(int to, enum wire_number number, const struct sign_key *keys, uint32_t n)
{
	uint8_t room[SIGN_BLOB_MAX + 16];
	int r = 0;

	for (uint32_t i = 0; i < n && r == 0; i++) {
		struct buf b;

		buf_init_in(&b, room, sizeof room);
		sign_put_key(&b, &keys[i]);
		r = wire_write(to, number, &b);
	}
	return r;
}

static int tell_grants(struct signer *s)
{
	int r = 0;

	for (uint32_t i = 0; i < s->n_grants && r == 0; i++) {
		uint8_t room[512];
		struct buf b;

		buf_init_in(&b, room, sizeof room);
		sign_put_grant(&b, &s->grants[i]);
		r = wire_write(s->client, WIRE_SIGN_GRANT, &b);
	}
	return r;
}

static int tell_ready(int to)
{
	struct buf nothing;

	buf_init(&nothing, 0);
	return wire_write(to, WIRE_SIGN_READY, &nothing);
}

/* The supervisor first: the client is not served before the cell is built. */
static int tell(struct signer *s)
{
	int r = tell_keys(s->supervisor, WIRE_SIGN_HOST, s->hosts, s->n_hosts);

	r = r < 0 ? r : tell_ready(s->supervisor);
	r = r < 0 ? r : tell_grants(s);
	r = r < 0 ? r : tell_keys(s->client, WIRE_SIGN_HOST, s->hosts, s->n_hosts);
	r = r < 0 ? r : tell_keys(s->client, WIRE_SIGN_KEY, s->keys, s->n_keys);
	return r < 0 ? r : tell_ready(s->client);
}

static int tell_failed(struct signer *s, const struct err *why)
{
	struct buf b;

	buf_init_in(&b, s->room, 2048);
	wire_put_error(&b, why);
	return wire_write(s->supervisor, WIRE_SIGN_FAILED, &b);
}

/* ---- beginning and end ---- */

static int take_agent(struct signer *s)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(s->supervisor, WIRE_LIBRARY, WIRE_NEW, s->room, sizeof s->room, &m);

	if (n <= 0)
		return n == 0 ? 1 : n;
	if (m.number != WIRE_SIGN_AGENT)
		return -EPROTO;
	s->talk.agent = steal_fd(&m.fds[0]);
	for (size_t i = 1; i < m.n_fds; i++)
		s->file[s->n_files++] = steal_fd(&m.fds[i]);
	return 0;
}

static int allow(struct signer *s, struct rbuf *body)
{
	struct sign_grant *g = &s->grants[s->n_grants];

	if (s->n_grants == SIGN_GRANTS_MAX || !sign_take_grant(body, g) || g->index != s->n_grants)
		return -EPROTO;
	s->n_grants++;
	return 0;
}

/* What is allowed comes first, and the client last. */
static int take_orders(struct signer *s)
{
	int n = take_agent(s);

	while (n == 0 && s->client < 0) {
		auto_message m = { .n_fds = 0 };

		n = wire_receive(s->supervisor, WIRE_SUPERVISOR, WIRE_NEW, s->room, sizeof s->room, &m);
		if (n <= 0)
			return n == 0 ? 1 : n;
		n = 0;
		if (m.number == WIRE_SIGN_CLIENT)
			s->client = steal_fd(&m.fds[0]);
		else
			n = m.number == WIRE_SIGN_ALLOW ? allow(s, &m.body) : -EPROTO;
	}
	return n;
}

static int serve(struct signer *s, struct err *e)
{
	struct err why;
	int n, r;

	prove_prepare();
	n = take_orders(s);
	r = promise_keep(e);
	if (r < 0 || n > 0)
		return r;
	if (n == 0 && (know_all(s, &why) < 0 || talk_list(&s->talk, s->keys, &s->n_keys, &why) < 0))
		return tell_failed(s, &why) < 0 ? 1 : 0; /* whose supervisor is gone has nobody to tell */
	n = n < 0 ? n : tell(s);
	while (n == 0)
		n = turn(s);
	return n >= 0 ? 0 : err_sys(e, n == -EPROTO ? AMBIT_PROTOCOL : AMBIT_SYSTEM, -n, NULL, "cannot sign");
}

int signer_run(int supervisor, struct err *e)
{
	auto_free struct signer *s = calloc(1, sizeof *s);

	if (s == NULL)
		return no_memory(e);
	s->supervisor = s->talk.supervisor = supervisor;
	s->client = s->talk.agent = -1;
	buf_init(&s->talk.answer, TALK_ANSWER_MAX);
	return serve(s, e); /* what it holds goes with the process */
}
