#include "secret/serve.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/url.h"
#include "secret/login.h"
#include "secret/promise.h"
#include "secret/runner.h"
#include "secret/store.h"
#include "secret/words.h"
#include "wire/wire.h"

#define ROOM 16640 /* for the longest message */
#define PAGE 4096

/* In pages of its own, which are neither swapped nor dumped. */
static struct {
	_Alignas(PAGE) struct store store;
	struct typed typed;
	struct login_terms terms; /* of the login that was read last */
	struct login_tokens tokens, fresh;
} secret;

static const struct typed_words typed_words = { .what = "value",
						.otherwise = "give the value by standard input",
						.nothing = "nothing was set" };

struct serving {
	int sock;                              /* borrowed: the library's */
	int dir_fd, key_fd, input_fd, lock_fd; /* owned, -1 if none */
	struct runner runner;
	uint8_t room[ROOM];
};

static int hide_memory(struct err *e)
{
	if (mlock(&secret, sizeof secret) < 0 || madvise(&secret, sizeof secret, MADV_DONTDUMP) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "raise the limit on locked memory (ulimit -l) to 64 KiB or more",
			       "cannot keep secrets out of the swap");
	return 0;
}

static int not_as_agreed(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, NULL, "ambit-secret was asked what it may not be");
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
	return answer(s, WIRE_SECRET_DONE, &body, e);
}

static void refuse(struct serving *s, const struct err *why)
{
	struct buf body;

	buf_init_in(&body, s->room, sizeof s->room);
	wire_put_error(&body, why);
	(void)answer(s, WIRE_SECRET_FAILED, &body, NULL); /* nobody is left to be told */
}

static int tell_row(struct serving *s, const struct secret_row *row, struct err *e)
{
	struct buf body;

	buf_init_in(&body, s->room, sizeof s->room);
	secret_put_row(&body, row);
	return answer(s, WIRE_SECRET_ROW, &body, e);
}

/* Of what was read, or written, last; it is a login. */
static bool take_login(void)
{
	const struct secret_value *v = &secret.store.value;

	return login_value_take((const char *)v->bytes, v->n, &secret.terms, &secret.tokens);
}

/* False: it says that it is a login, and is none. */
static bool row_of(const struct sealed_head *h, struct secret_row *ret)
{
	struct buf login;

	*ret = (struct secret_row){ .kind = h->kind, .set_ms = h->set_ms, .hosts = h->hosts };
	(void)text_copy(ret->name, sizeof ret->name, h->name); /* of the same size */
	if (h->kind != SECRET_IS_LOGIN)
		return true;
	if (!take_login())
		return false;
	ret->expires_ms = secret.tokens.expires;
	buf_init_in(&login, ret->login, sizeof ret->login - 1);
	login_terms_put(&login, &secret.terms);
	return true;
}

/* ---- before anything is read ---- */

/* From here on there is nothing but the two directories. */
static int enter(struct serving *s, bool changes, struct err *e)
{
	int r = sodium_init() < 0 ? err_set(e, AMBIT_HOST, NULL, "libsodium does not work here") : 0;

	secret.store.dir_fd = s->dir_fd;
	secret.store.key_fd = s->key_fd;
	secret.store.uid = geteuid();
	(void)umask(077);
	r = r < 0 ? r : store_check(&secret.store, e);
	r = r < 0 || !changes ? r : store_lock(s->dir_fd, &s->lock_fd, e);
	return r < 0 ? r : promise_keep(s->dir_fd, s->key_fd, e);
}

static int take_value(const struct typed *t, struct secret_value *ret, const char *what, struct err *e)
{
	sodium_memzero(ret, sizeof *ret);
	memcpy(ret->bytes, t->bytes, t->n); /* at most SECRET_VALUE_MAX */
	ret->n = t->n;
	return secret_value_check(ret, what, e);
}

/* ---- set ---- */

static int read_typed(struct typed *t, const char *name, struct err *e)
{
	char prompt[sizeof "Value of " + SECRET_NAME_MAX];

	(void)snprintf(prompt, sizeof prompt, "Value of %s", name); /* fits */
	return typed_terminal(t, prompt, true, e);
}

static int read_value(struct serving *s, const struct secret_set *set, struct err *e)
{
	struct typed *t = &secret.typed;
	char words[WORDS_BYTES_MAX + 1];
	int r;

	t->fd = s->input_fd;
	t->sock = s->sock;
	if ((s->input_fd >= 0) != (set->source != SECRET_FROM_COMMAND))
		return not_as_agreed(e);
	if (set->source == SECRET_FROM_FILE || set->source >= SECRET_FROM_LOGIN)
		return typed_file(t, e);
	if (set->source == SECRET_FROM_TERMINAL)
		return read_typed(t, set->name, e);
	t->n = strlen(set->command);
	memcpy(t->bytes, set->command, t->n); /* at most SECRET_VALUE_MAX */
	r = words_split(set->command, t->n, words, e);
	return r < 0 ? r : 0;
}

static uint8_t kind_of(uint8_t source)
{
	return source == SECRET_FROM_COMMAND ? SECRET_IS_COMMAND
	       : source >= SECRET_FROM_LOGIN ? SECRET_IS_LOGIN
					     : SECRET_IS_VALUE;
}

/* Which hosts it is bound to from now on: those that were named, or as before. 1: there was one of this name. */
static int take_hosts(const struct secret_set *set, struct secret_hosts *ret, struct err *e)
{
	struct err why;
	int r = store_read(&secret.store, set->name, &why);

	*ret = set->hosts;
	if (r == -AMBIT_NOT_FOUND)
		return 0;
	if (r == 0 && set->hosts.n == 0)
		*ret = secret.store.head.hosts;
	if (r < 0 && set->hosts.n == 0) {
		*e = why;
		return r; /* else it would be bound to none, and nobody would know */
	}
	return 1;
}

/* What came by the pipe, with its terms, or those that it had; what renews it stays where there is no other. */
static int join_login(const struct secret_set *set, bool is_there, struct err *e)
{
	const bool renews = set->source == SECRET_FROM_RENEWAL;
	const uint64_t now = clock_unix_ms();
	struct buf out;

	if (!login_tokens_take((const char *)secret.typed.bytes, secret.typed.n, &secret.fresh) ||
	    secret.fresh.expires > UINT32_MAX || /* in seconds yet */
	    (!renews && !login_terms_take(set->command, strlen(set->command), &secret.terms)))
		return not_as_agreed(e);
	if (renews && (!is_there || secret.store.head.kind != SECRET_IS_LOGIN || !take_login()))
		return err_set(e, AMBIT_NOT_FOUND, "ambit secret login NAME URL", "there is no login '%s'", set->name);
	secret.fresh.expires = secret.fresh.expires == 0 ? 0 : now + secret.fresh.expires * 1000;
	if (renews && secret.fresh.refresh[0] == 0)
		memcpy(secret.fresh.refresh, secret.tokens.refresh, sizeof secret.fresh.refresh);
	buf_init_in(&out, secret.typed.bytes, SECRET_VALUE_MAX);
	login_value_put(&out, &secret.terms, &secret.fresh);
	secret.typed.n = out.len;
	return out.failed ? err_set(e, AMBIT_LIMIT, NULL, "the tokens are too long") : 0;
}

static int put(const struct secret_set *set, int *ret_replaced, struct err *e)
{
	struct sealed_head *h = &secret.store.head;
	struct secret_hosts hosts;
	int r = take_hosts(set, &hosts, e);

	if (r < 0)
		return r;
	*ret_replaced = r;
	if (set->source >= SECRET_FROM_LOGIN) {
		r = join_login(set, r == 1, e);
		if (r < 0)
			return r;
	}
	*h = (struct sealed_head){ .kind = kind_of(set->source), .set_ms = clock_unix_ms(), .hosts = hosts };
	(void)text_copy(h->name, sizeof h->name, set->name); /* of the same size */
	r = take_value(&secret.typed, &secret.store.value, h->kind == SECRET_IS_COMMAND ? "the command" : "the value",
		       e);
	return r < 0 ? r : store_write(&secret.store, e);
}

static int set_one(struct serving *s, struct wire_message *m, struct err *e)
{
	static struct secret_set set;
	struct secret_row row;
	int replaced = 0, r = secret_take_set(&m->body, &set) ? 0 : not_as_agreed(e);

	r = r < 0 ? r : read_value(s, &set, e);
	r = r < 0 ? r : enter(s, true, e);
	r = r < 0 ? r : store_key(&secret.store, true, e);
	r = r < 0 ? r : put(&set, &replaced, e);
	if (r < 0)
		return r;
	r = row_of(&secret.store.head, &row) ? tell_row(s, &row, e) : not_as_agreed(e);
	return r < 0 ? r : done(s, (uint32_t)replaced, e);
}

/* ---- list, remove ---- */

static int no_login(const char *name, struct err *e)
{
	return err_set(e, AMBIT_MALFORMED, "ambit secret login NAME URL", "login '%s' is none", name);
}

/* One that cannot be opened is told with why. */
static int tell_one(struct serving *s, const char *name, const struct err *no_key, struct err *e)
{
	struct err why = *no_key;
	struct secret_row row = { .kind = 0 };
	char line[ERR_LINE_MAX];

	if (why.code == AMBIT_OK && store_read(&secret.store, name, &why) == 0) {
		const bool good = row_of(&secret.store.head, &row);

		sodium_memzero(&secret.store.value, sizeof secret.store.value);
		if (good)
			return tell_row(s, &row, e);
		(void)no_login(name, &why);
		row = (struct secret_row){ .kind = 0 };
	}
	if (why.code == AMBIT_NOT_FOUND && no_key->code == AMBIT_OK) /* removed meanwhile */
		return 0;
	err_line(&why, line);
	(void)text_copy(row.name, sizeof row.name, name); /* of the same size */
	(void)text_escape(row.why, sizeof row.why, line, strlen(line));
	return tell_row(s, &row, e);
}

static int list(struct serving *s, struct err *e)
{
	static struct store_names names;
	struct err no_key = { .code = AMBIT_OK };
	int r = enter(s, false, e);

	r = r < 0 ? r : store_list(&secret.store, &names, e);
	if (r == 0 && names.n > 0)
		(void)store_key(&secret.store, false, &no_key); /* told of each */
	for (uint32_t i = 0; i < names.n && r == 0; i++)
		r = tell_one(s, names.list[i], &no_key, e);
	return r < 0 ? r : done(s, names.n, e);
}

static int remove_one(struct serving *s, struct wire_message *m, struct err *e)
{
	char name[SECRET_NAME_MAX];
	int r;

	rbuf_str(&m->body, name, sizeof name);
	r = rbuf_done(&m->body) && secret_name_is_good(name) ? 0 : not_as_agreed(e);
	r = r < 0 ? r : enter(s, true, e);
	r = r < 0 ? r : store_remove(&secret.store, name, e);
	return r < 0 ? r : done(s, 0, e);
}

/* ---- give ---- */

static int other_host(const struct sealed_head *h, const char *host, struct err *e)
{
	return err_why(e,
		       err_set(e, AMBIT_DENIED,
			       "grant it for its own host; or bind it anew: ambit secret set NAME --host HOST",
			       "secret '%s' is not for %s", h->name, host),
		       "it is bound to %s%s", h->hosts.list[0], h->hosts.n > 1 ? " and others" : "");
}

static int run_command(struct serving *s, struct err *e)
{
	struct secret_value *v = &secret.store.value;
	char words[WORDS_BYTES_MAX + 1];
	int r = words_split((const char *)v->bytes, v->n, words, e);

	secret.typed.sock = s->sock;
	r = r < 0 ? r : runner_run(&s->runner, words, (size_t)r, &secret.typed, e);
	r = r < 0 ? r : take_value(&secret.typed, v, "what its command wrote", e);
	sodium_memzero(secret.typed.bytes, sizeof secret.typed.bytes);
	return r < 0 ? err_context(e, r, "secret '%s'", secret.store.head.name) : 0;
}

static int hand_over(int to, struct err *e)
{
	const struct secret_value *v = &secret.store.value;
	const struct buf body = {
		.data = secret.store.value.bytes, .len = v->n, .cap = v->n, .max = v->n, .lent = true
	};
	const int r = wire_send(to, WIRE_HTTP_SECRET, &body, NULL, 0);

	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "who is to have secret '%s' is gone", secret.store.head.name)
		     : 0;
}

/* The one of a login's tokens that is meant becomes the value. */
static int pick_token(const struct secret_give *g, bool refresh, struct err *e)
{
	struct secret_value *v = &secret.store.value;
	struct url at;
	const char *token;

	if (!take_login())
		return no_login(secret.store.head.name, e);
	token = refresh ? secret.tokens.refresh : secret.tokens.access;
	if (refresh && (url_take(secret.terms.token_url, &at, e) < 0 || strcmp(at.host, g->host) != 0))
		return err_set(e, AMBIT_DENIED, NULL, "what renews login '%s' is not for %s", secret.store.head.name,
			       g->host);
	if (token[0] == 0)
		return err_set(e, AMBIT_NOT_FOUND, "ambit secret login NAME URL", "login '%s' cannot be renewed",
			       secret.store.head.name);
	sodium_memzero(v, sizeof *v);
	v->n = strlen(token);
	memcpy(v->bytes, token, v->n); /* shorter than a value */
	return 0;
}

/* What renews a login, for the host that does: NAME.refresh. 1: it was handed over. */
static int give_refresh(const struct secret_give *g, int to, struct err *e)
{
	char name[SECRET_NAME_MAX];
	int r;

	if (!login_is_refresh(g->name, name) || store_read(&secret.store, name, e) < 0 ||
	    secret.store.head.kind != SECRET_IS_LOGIN)
		return 0; /* then it is a name as any */
	r = pick_token(g, true, e);
	r = r < 0 ? r : hand_over(to, e);
	sodium_memzero(&secret.store.value, sizeof secret.store.value);
	return r < 0 ? r : 1;
}

static int give(struct serving *s, const struct secret_give *g, int to, struct err *e)
{
	int r = give_refresh(g, to, e);

	if (r != 0)
		return r;
	r = store_read(&secret.store, g->name, e);

	if (r == 0 && !secret_hosts_mean(&secret.store.head.hosts, g->host))
		r = other_host(&secret.store.head, g->host, e);
	if (r == 0 && secret.store.head.kind == SECRET_IS_COMMAND)
		r = run_command(s, e);
	if (r == 0 && secret.store.head.kind == SECRET_IS_LOGIN)
		r = pick_token(g, false, e);
	r = r < 0 ? r : hand_over(to, e);
	sodium_memzero(&secret.store.value, sizeof secret.store.value);
	return r;
}

/* One that cannot be given ends nothing: the library says what then. 0: it has hung up. */
static int serve_one(struct serving *s, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	struct secret_give g;
	struct err why;
	const int n = wire_receive(s->sock, WIRE_LIBRARY, WIRE_RUNNING, s->room, sizeof s->room, &m);

	if (n <= 0)
		return n == 0 ? 0 : not_as_agreed(e);
	if (!secret_take_give(&m.body, &g))
		return not_as_agreed(e);
	if (give(s, &g, m.fds[0], &why) < 0)
		refuse(s, &why);
	else if (done(s, 0, e) < 0)
		return -AMBIT_GONE;
	return 1;
}

static int serve(struct serving *s, struct err *e)
{
	int r = runner_start(&s->runner, s->input_fd, e);

	fd_close(&s->input_fd);
	r = r < 0 ? r : enter(s, false, e);
	r = r < 0 ? r : store_key(&secret.store, false, e);
	r = r < 0 ? r : done(s, 0, e);
	if (r < 0)
		return r;
	do
		r = serve_one(s, e);
	while (r > 0);
	return r;
}

/* ---- the first message ---- */

static int begin(struct serving *s, struct err *e)
{
	static uint8_t room[ROOM];
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(s->sock, WIRE_LIBRARY, WIRE_NEW, room, sizeof room, &m);

	if (n <= 0)
		return not_as_agreed(e);
	s->dir_fd = steal_fd(&m.fds[0]);
	s->key_fd = steal_fd(&m.fds[1]);
	if (m.n_fds > 2)
		s->input_fd = steal_fd(&m.fds[2]);
	if (m.number == WIRE_SECRET_SET)
		return set_one(s, &m, e);
	if (m.number == WIRE_SECRET_LIST)
		return list(s, e);
	return m.number == WIRE_SECRET_REMOVE ? remove_one(s, &m, e) : serve(s, e);
}

int serve_run(int sock, struct err *e)
{
	static struct serving s;
	int r;

	s = (struct serving){
		.sock = sock, .dir_fd = -1, .key_fd = -1, .input_fd = -1, .lock_fd = -1, .runner = { .sock = -1 }
	};
	secret.typed.words = &typed_words;
	r = hide_memory(e);
	r = r < 0 ? r : begin(&s, e);
	sodium_memzero(&secret, sizeof secret);
	if (r < 0)
		refuse(&s, e);
	runner_finish(&s.runner);
	fd_close(&s.lock_fd);
	fd_close(&s.input_fd);
	fd_close(&s.key_fd);
	fd_close(&s.dir_fd);
	return r;
}
