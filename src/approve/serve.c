#include "approve/serve.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "approve/agent.h"
#include "approve/keyring.h"
#include "approve/promise.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/text.h"
#include "secret/typed.h"
#include "wire/wire.h"

#define ROOM 4608 /* for the longest message */
#define PAGE 4096
#define DIRECTORY "the directory of your approver's keys"

/* In pages of its own, which are neither swapped nor dumped. */
static struct {
	_Alignas(PAGE) struct key_secret key;
	struct typed typed;
} secret;

static const struct typed_words typed_words = { .what = "password",
						.otherwise = "give the password by --password-fd",
						.nothing = "no password was given" };

struct serving {
	int sock;                                            /* borrowed: the library's */
	int dir_fd, terminal_fd, pipe_fd, agent_fd, lock_fd; /* owned, -1 if none */
	struct keyring ring;
	uint8_t room[ROOM];
};

static int hide_memory(struct err *e)
{
	if (mlock(&secret, sizeof secret) < 0 || madvise(&secret, sizeof secret, MADV_DONTDUMP) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "raise the limit on locked memory (ulimit -l) to 64 KiB or more",
			       "cannot keep a private key out of the swap");
	return 0;
}

static int not_as_agreed(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, NULL, "ambit-approver was asked what it may not be");
}

/* ---- answers ---- */

static int answer(struct serving *s, enum wire_number number, const struct buf *body, struct err *e)
{
	const int r = body->failed ? -EMSGSIZE : wire_send(s->sock, number, body, NULL, 0);

	return r < 0 ? err_set(e, AMBIT_GONE, NULL, "who asked is gone") : 0;
}

static int done(struct serving *s, uint32_t what, struct err *e)
{
	struct buf body;

	buf_init_in(&body, s->room, sizeof s->room);
	buf_put_u32(&body, what);
	return answer(s, WIRE_APPROVE_DONE, &body, e);
}

static void refuse(struct serving *s, const struct err *why)
{
	struct buf body;

	buf_init_in(&body, s->room, sizeof s->room);
	wire_put_error(&body, why);
	(void)answer(s, WIRE_APPROVE_FAILED, &body, NULL); /* nobody is left to be told */
}

static int tell_key(struct serving *s, const struct approve_key *key, struct err *e)
{
	struct buf body;

	buf_init_in(&body, s->room, sizeof s->room);
	approve_put_key(&body, key);
	return answer(s, WIRE_APPROVE_KEY, &body, e);
}

/* ---- before anything is read ---- */

/* The names of the keys, of which no file was read. */
static int look(struct serving *s, struct err *e)
{
	int r = sodium_init() < 0 ? err_set(e, AMBIT_HOST, NULL, "libsodium does not work here") : 0;

	(void)umask(077);
	s->ring.dir_fd = s->dir_fd;
	s->ring.uid = geteuid();
	r = r < 0 ? r : own_check(s->dir_fd, s->ring.uid, DIRECTORY, e);
	return r < 0 ? r : keyring_list(&s->ring, e);
}

/* Nobody else changes anything from here on; what was seen may have changed while a person typed. */
static int lock(struct serving *s, struct err *e)
{
	const int r = own_lock(s->dir_fd, DIRECTORY, &s->lock_fd, e);

	return r < 0 ? r : keyring_list(&s->ring, e);
}

static int read_password(struct serving *s, const char *name, bool twice, struct err *e)
{
	struct typed *t = &secret.typed;
	char prompt[APPROVE_NAME_MAX + 32];
	int r;

	t->sock = s->sock;
	t->fd = s->pipe_fd >= 0 ? s->pipe_fd : s->terminal_fd;
	if (t->fd < 0)
		return err_set(e, AMBIT_HOST, "give the password by --password-fd, or bring this to the foreground",
			       "there is no terminal to ask for the password of the key '%s'", name);
	(void)snprintf(prompt, sizeof prompt, "Password of the key %s", name); /* fits */
	r = s->pipe_fd >= 0 ? typed_file(t, e) : typed_terminal(t, prompt, twice, e);
	return r < 0 || t->n > 0 ? r : err_set(e, AMBIT_MALFORMED, NULL, "the password is empty");
}

static struct span password(void)
{
	return span_bytes(secret.typed.bytes, secret.typed.n);
}

/* ---- enroll ---- */

static int make_by_agent(struct serving *s, const char *which, struct approve_key *head, struct buf *out, struct err *e)
{
	struct agent a;
	struct sshsig proof;
	int r;

	agent_init(&a, s->agent_fd, s->sock);
	head->kind = APPROVE_BY_AGENT;
	r = agent_find(&a, which, head->key, e);
	key_put_head(out, head);
	r = r < 0 ? r : agent_sign(&a, head->key, SSHSIG_APPROVER, span_bytes(out->data, out->len), &proof, e);
	if (r == 0)
		key_put_proof(out, proof.raw);
	agent_finish(&a);
	return r;
}

static int add(struct serving *s, const struct approve_enroll *q, struct err *e)
{
	uint8_t room[KEY_FILE_MAX];
	struct approve_key head = { .made_ms = clock_unix_ms() };
	struct key_file made;
	struct buf out;
	int r;

	buf_init_in(&out, room, sizeof room);
	(void)text_copy(head.name, sizeof head.name, q->name); /* of the same size */
	r = q->sources == APPROVE_AGENT ? make_by_agent(s, q->agent, &head, &out, e)
					: key_make(&out, &head, password(), &secret.key, e);
	r = r < 0 ? r : key_take(out.data, out.len, &made, e); /* as it will be read */
	r = r < 0 ? r : keyring_add(&s->ring, q->name, (enum approve_kind)made.head.kind, &out, e);
	return r < 0 ? r : tell_key(s, &made.head, e);
}

static int enroll(struct serving *s, const struct approve_enroll *q, struct err *e)
{
	int r = look(s, e);

	r = r < 0 ? r : keyring_may_add(&s->ring, q->name, e); /* before anybody types */
	r = r < 0 || q->sources == APPROVE_AGENT ? r : read_password(s, q->name, true, e);
	r = r < 0 ? r : lock(s, e);
	r = r < 0 ? r : keyring_may_add(&s->ring, q->name, e);
	r = r < 0 ? r : promise_keep(s->dir_fd, e);
	r = r < 0 ? r : add(s, q, e);
	return r < 0 ? r : done(s, 0, e);
}

/* ---- list, forget ---- */

/* One that cannot be taken is told with why. */
static int tell_row(struct serving *s, const struct keyring_row *row, struct err *e)
{
	uint8_t room[KEY_FILE_MAX + 1];
	struct key_file f;
	struct err why;
	char line[ERR_LINE_MAX];

	if (keyring_read(&s->ring, row, room, &f, &why) == 0)
		return tell_key(s, &f.head, e);
	if (why.code == AMBIT_NOT_FOUND) /* forgotten meanwhile */
		return 0;
	err_line(&why, line);
	f.head = (struct approve_key){ .kind = 0 };
	(void)text_copy(f.head.name, sizeof f.head.name, row->name); /* of the same size */
	(void)text_escape(f.head.why, sizeof f.head.why, line, strlen(line));
	return tell_key(s, &f.head, e);
}

static int list(struct serving *s, struct err *e)
{
	int r = look(s, e);

	r = r < 0 ? r : promise_keep(s->dir_fd, e);
	for (uint32_t i = 0; i < s->ring.n && r == 0; i++)
		r = tell_row(s, &s->ring.row[i], e);
	return r < 0 ? r : done(s, s->ring.n, e);
}

/* By its name, or by the fingerprint of one that can be taken. */
static int find(struct serving *s, const char *which, const struct keyring_row **ret, struct err *e)
{
	uint8_t room[KEY_FILE_MAX + 1];
	struct key_file f;

	for (uint32_t i = 0; i < s->ring.n; i++)
		if (keyring_read(&s->ring, &s->ring.row[i], room, &f, NULL) == 0 &&
		    strcmp(f.head.fingerprint, which) == 0) {
			*ret = &s->ring.row[i];
			return 0;
		}
	return keyring_find(&s->ring, which, ret, e);
}

static int forget(struct serving *s, const char *which, struct err *e)
{
	const struct keyring_row *row = NULL;
	int r = look(s, e);

	r = r < 0 ? r : lock(s, e);
	r = r < 0 ? r : promise_keep(s->dir_fd, e);
	r = r < 0 ? r : find(s, which, &row, e);
	r = r < 0 ? r : tell_row(s, row, e);
	r = r < 0 ? r : keyring_remove(&s->ring, row, e);
	return r < 0 ? r : done(s, 0, e);
}

/* ---- sign ---- */

static int sign_by_password(const struct key_file *f, struct span text, struct sshsig *ret, struct err *e)
{
	int r = key_open(f, password(), &secret.key, e);

	r = r < 0 ? r : sshsig_make(secret.key.secret, SSHSIG_APPROVAL, text, ret, e);
	sodium_memzero(&secret, sizeof secret);
	return r;
}

static int sign_by_agent(struct serving *s, const struct key_file *f, struct span text, struct sshsig *ret,
			 struct err *e)
{
	struct agent a;
	int r;

	if (s->agent_fd < 0)
		return err_set(e, AMBIT_NOT_FOUND, "start it and give it the key: eval $(ssh-agent); ssh-add",
			       "the key '%s' is your ssh agent's, and there is none", f->head.name);
	agent_init(&a, s->agent_fd, s->sock);
	r = agent_sign(&a, f->head.key, SSHSIG_APPROVAL, text, ret, e);
	agent_finish(&a);
	return r < 0 ? err_context(e, r, "key '%s'", f->head.name) : 0;
}

static int sign_with(struct serving *s, const struct keyring_row *row, const struct statement *statement, struct err *e)
{
	uint8_t file[KEY_FILE_MAX + 1], text_room[STATEMENT_MAX];
	struct key_file f;
	struct sshsig made;
	struct buf out, text;
	int r = keyring_read(&s->ring, row, file, &f, e);

	buf_init_in(&text, text_room, sizeof text_room);
	statement_put(&text, statement);
	if (r < 0)
		return r;
	r = row->kind == APPROVE_BY_AGENT ? sign_by_agent(s, &f, span_bytes(text.data, text.len), &made, e)
					  : sign_by_password(&f, span_bytes(text.data, text.len), &made, e);
	if (r < 0)
		return r;
	buf_init_in(&out, s->room, sizeof s->room);
	sshsig_put(&out, SSHSIG_APPROVAL, &made);
	return answer(s, WIRE_APPROVE_SIGNED, &out, e);
}

static int sign(struct serving *s, const struct approve_ask *q, struct err *e)
{
	const struct keyring_row *row = NULL;
	int r = look(s, e);

	r = r < 0 ? r : keyring_find(&s->ring, q->name, &row, e);
	r = r < 0 || row->kind == APPROVE_BY_AGENT ? r : read_password(s, q->name, false, e);
	r = r < 0 ? r : promise_keep(s->dir_fd, e);
	return r < 0 ? r : sign_with(s, row, &q->statement, e);
}

/* ---- check ---- */

static int check(struct serving *s, const struct approve_check *q, struct err *e)
{
	uint8_t room[STATEMENT_MAX];
	struct sshsig made;
	struct buf text;
	int r = sodium_init() < 0 ? err_set(e, AMBIT_HOST, NULL, "libsodium does not work here") : 0;

	r = r < 0 ? r : promise_keep(-1, e);
	r = r < 0 ? r : sshsig_take(span_bytes(q->signature.bytes, q->signature.n), SSHSIG_APPROVAL, &made, e);
	buf_init_in(&text, room, sizeof room);
	statement_put(&text, &q->statement);
	r = r < 0 ? r : sshsig_check(&made, SSHSIG_APPROVAL, span_bytes(text.data, text.len), e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < q->n_keys; i++)
		if (memcmp(q->keys[i], made.key, sizeof made.key) == 0)
			return done(s, i, e);
	return err_set(e, AMBIT_DENIED, NULL, "it was signed by a key that is not enrolled");
}

/* ---- the first message ---- */

/* The descriptors behind the directory, as sources says. */
static bool take_sources(struct serving *s, struct wire_message *m, uint8_t sources)
{
	size_t at = 1;

	if (m->n_fds != 1 + approve_sources_count(sources))
		return false;
	if ((sources & APPROVE_TERMINAL) != 0)
		s->terminal_fd = steal_fd(&m->fds[at++]);
	if ((sources & APPROVE_PIPE) != 0)
		s->pipe_fd = steal_fd(&m->fds[at++]);
	if ((sources & APPROVE_AGENT) != 0)
		s->agent_fd = steal_fd(&m->fds[at++]);
	return true;
}

static int on_enroll(struct serving *s, struct wire_message *m, struct err *e)
{
	struct approve_enroll q;

	return approve_take_enroll(&m->body, &q) && take_sources(s, m, q.sources) ? enroll(s, &q, e) : not_as_agreed(e);
}

static int on_sign(struct serving *s, struct wire_message *m, struct err *e)
{
	struct approve_ask q;

	return approve_take_ask(&m->body, &q) && take_sources(s, m, q.sources) ? sign(s, &q, e) : not_as_agreed(e);
}

static int on_check(struct serving *s, struct wire_message *m, struct err *e)
{
	static struct approve_check q;

	return approve_take_check(&m->body, &q) ? check(s, &q, e) : not_as_agreed(e);
}

static int on_forget(struct serving *s, struct wire_message *m, struct err *e)
{
	char which[APPROVE_NAME_MAX];

	rbuf_str(&m->body, which, sizeof which);
	return rbuf_done(&m->body) && which[0] != 0 ? forget(s, which, e) : not_as_agreed(e);
}

static int begin(struct serving *s, struct err *e)
{
	static uint8_t room[ROOM];
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(s->sock, WIRE_LIBRARY, WIRE_NEW, room, sizeof room, &m);

	if (n <= 0)
		return not_as_agreed(e);
	if (m.number == WIRE_APPROVE_CHECK)
		return on_check(s, &m, e);
	s->dir_fd = steal_fd(&m.fds[0]);
	if (m.number == WIRE_APPROVE_ENROLL)
		return on_enroll(s, &m, e);
	if (m.number == WIRE_APPROVE_SIGN)
		return on_sign(s, &m, e);
	return m.number == WIRE_APPROVE_FORGET ? on_forget(s, &m, e) : list(s, e);
}

int serve_run(int sock, struct err *e)
{
	static struct serving s;
	int r;

	s = (struct serving){
		.sock = sock, .dir_fd = -1, .terminal_fd = -1, .pipe_fd = -1, .agent_fd = -1, .lock_fd = -1
	};
	r = hide_memory(e);
	secret.typed.words = &typed_words;
	r = r < 0 ? r : begin(&s, e);
	sodium_memzero(&secret, sizeof secret);
	if (r < 0)
		refuse(&s, e);
	fd_close(&s.lock_fd);
	fd_close(&s.agent_fd);
	fd_close(&s.pipe_fd);
	fd_close(&s.terminal_fd);
	fd_close(&s.dir_fd);
	return r;
}
