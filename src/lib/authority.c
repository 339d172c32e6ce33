#include "lib/authority.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority/layout.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "lib/ledger.h"
#include "lib/service.h"
#include "lib/state.h"

#define STEP_ATTEMPTS 4

struct keeper {
	int sock; /* owned */
	struct hello {
		uint64_t cut_bytes;
		uint8_t realm[STATEMENT_REALM_BYTES];
	} hello;
	bool ledger_is_named;  /* by the caller: then it is there already */
	char ledger[PATH_MAX]; /* for what is done over this connection; "": nothing of it is recorded */
	uint32_t own;          /* number of a connection that is not waited for; 0: none */
	struct buf message;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static int hear_hello(int sock, void *told, struct err *e);

static const struct service service = {
	.name = "authority",
	.role = "ambit-authority",
	.socket = AUTHORITY_SOCKET,
	.starting = AUTHORITY_STARTING,
	.reads = AUTHORITY_ZONES,
	.takes_descriptors = true, /* of the ledger: it reaches none by itself */
	.memory_bytes = UINT64_C(1536) << 20,
	.side = WIRE_KEEPER,
	.failed = WIRE_AUTHORITY_FAILED,
	.hear = hear_hello,
	.hint_another = "set XDG_STATE_HOME to a directory of your own",
	.hint_private = "chmod 700 it, or set XDG_STATE_HOME to a directory of your own",
	.hint_elsewhere = "set XDG_STATE_HOME to a directory of your own",
	.hint_overlay = "set XDG_STATE_HOME to a directory on ext4, xfs, btrfs or tmpfs (in a container, a volume)",
};

static int not_allowed(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, NULL, "the authority said what it may not");
}

static int hear_hello(int sock, void *told, struct err *e)
{
	uint8_t room[WIRE_HEAD + 2048];
	struct hello *hello = told;
	const uint8_t *realm;
	auto_message m = { .n_fds = 0 };
	const int n = service_receive(&service, sock, WIRE_NEW, room, sizeof room, &m, e);

	if (n <= 0)
		return n;
	(void)rbuf_u64(&m.body); /* steps so far */
	hello->cut_bytes = rbuf_u64(&m.body);
	realm = rbuf_bytes(&m.body, sizeof hello->realm);
	if (realm == NULL || !rbuf_done(&m.body))
		return not_allowed(e);
	memcpy(hello->realm, realm, sizeof hello->realm);
	return 1;
}

/* place: NULL: by the environment. */
static int path_of(const char *place, const char *name, char *ret, size_t size)
{
	if (place == NULL)
		return state_path(name, ret, size);
	return (size_t)snprintf(ret, size, "%s/%s", place, name) < size ? 0 : -AMBIT_HOST;
}

int keeper_find(char *ret, size_t size, struct err *e)
{
	char state[PATH_MAX];

	if (state_path(AUTHORITY_DIRECTORY, ret, size) < 0 ||
	    snprintf(state, sizeof state, "%s/" AUTHORITY_STATE, ret) >= (int)sizeof state)
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for a person's authority");
	return access(state, F_OK) == 0
		       ? 0
		       : err_set(e, AMBIT_NOT_FOUND, NULL, "nobody has asked for authority over time yet");
}

bool keeper_was_asked(const char *place)
{
	char state[PATH_MAX];

	return path_of(place, AUTHORITY_DIRECTORY "/" AUTHORITY_STATE, state, sizeof state) == 0 &&
	       access(state, F_OK) == 0;
}

bool keeper_is_labelled(const char *dir)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof path, "%s/" AUTHORITY_LABELLED, dir) >= (int)sizeof path ||
	       access(path, F_OK) == 0 || errno != ENOENT; /* who cannot see it asks */
}

/* Keys that are enrolled while the role runs are to be there, so the directory is. Its path is through no link: as grants have theirs. */
static int open_keys(const char *place, char *ret, size_t size, struct err *e)
{
	char named[PATH_MAX], real[PATH_MAX];
	auto_fd int fd = -1;
	int r = 0;

	if (path_of(place, AUTHORITY_KEYS, named, sizeof named) < 0)
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for an approver's keys");
	r = state_open(named, &fd, e);
	if (r < 0)
		return r;
	if (realpath(named, real) == NULL || !text_copy(ret, size, real))
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot find %s", named);
	return 0;
}

/* ---- the ledger ---- */

static int choose_ledger(struct keeper *k, const char *ledger, struct err *e)
{
	int r = 1;

	k->ledger_is_named = ledger != NULL;
	if (ledger == NULL)
		r = ledger_default(k->ledger, sizeof k->ledger, e);
	else if (!text_copy(k->ledger, sizeof k->ledger, ledger))
		return err_set(e, AMBIT_HOST, NULL, "the ledger's path is too long");
	if (r == 0)
		k->ledger[0] = 0;
	return r < 0 ? r : 0;
}

/* It cannot reach one from its cell. fd -1: there is none. */
static int give_ledger(struct keeper *k, int fd, struct err *e)
{
	const int r = wire_send(k->sock, WIRE_AUTHORITY_LEDGER, NULL, &fd, fd < 0 ? 0 : 1);

	return r == 0         ? 0
	       : r == -EAGAIN ? service_silent(&service, e)
			      : err_set(e, AMBIT_GONE, "try again", "the authority has gone");
}

static int connect_ledger(struct keeper *k, struct err *e)
{
	struct ledger_hello hello;
	auto_fd int fd = -1;
	int r = k->ledger_is_named ? ledger_reconnect(k->ledger, &fd, &hello, e)
				   : ledger_connect(k->ledger, &fd, &hello, e);

	if (r < 0)
		return err_context(e, r, "what the authority does is to be in the ledger");
	return give_ledger(k, fd, e);
}

int keeper_open(const char *place, const char *ledger, struct keeper **ret, struct err *e)
{
	auto_free struct keeper *k = calloc(1, sizeof *k);
	char named[PATH_MAX], path[PATH_MAX], keys[PATH_MAX];
	struct service with_keys = service;
	auto_fd int dir_fd = -1;
	int r;

	if (k == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a connection to the authority");
	if (path_of(place, AUTHORITY_DIRECTORY, named, sizeof named) < 0)
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for a person's authority");
	k->sock = -1;
	r = choose_ledger(k, ledger, e);
	r = r < 0 ? r : service_open(&service, named, &dir_fd, path, sizeof path, e);
	r = r < 0 ? r : open_keys(place, keys, sizeof keys, e);
	with_keys.also = keys;
	r = r < 0 ? r : service_join(&with_keys, dir_fd, path, &k->sock, &k->hello, e);
	if (r == 0 && k->ledger[0] == 0)
		r = give_ledger(k, -1, e);
	if (r < 0) {
		fd_close(&k->sock);
		return r;
	}
	buf_init(&k->message, WIRE_BODY_MAX);
	*ret = steal_ptr(&k);
	return 0;
}

int keeper_hand_on(struct keeper *k)
{
	const int sock = steal_fd(&k->sock);

	keeper_close(k);
	return sock;
}

void keeper_close(struct keeper *k)
{
	if (k == NULL)
		return;
	fd_close(&k->sock);
	buf_finish(&k->message);
	free(k);
}

uint64_t keeper_cut(const struct keeper *k)
{
	return k->hello.cut_bytes;
}

/* ---- asking ---- */

static int say(struct keeper *k, enum wire_number number, struct err *e)
{
	const int r = wire_send(k->sock, number, &k->message, NULL, 0);

	if (r == -EMSGSIZE)
		return err_set(e, AMBIT_LIMIT, NULL, "more than a message to the authority holds");
	return r == 0         ? 0
	       : r == -EAGAIN ? service_silent(&service, e)
			      : err_set(e, AMBIT_GONE, "try again", "the authority has gone");
}

static int hear_any(struct keeper *k, struct wire_message *m, struct err *e)
{
	const int n = service_receive(&service, k->sock, WIRE_RUNNING, k->room, sizeof k->room, m, e);

	if (n <= 0)
		return n < 0 ? n : err_set(e, AMBIT_GONE, "try again", "the authority has gone");
	if (m->number == WIRE_AUTHORITY_REFUSED)
		return wire_take_error(&m->body, e);
	return 0;
}

static int hear(struct keeper *k, enum wire_number expected, struct wire_message *m, struct err *e)
{
	const int r = hear_any(k, m, e);

	return r < 0 ? r : m->number == expected ? 0 : not_allowed(e);
}

/* A step, which is asked for again when the keeper has been given a ledger: it lets go of one that it does not use. */
static int ask_step(struct keeper *k, enum wire_number number, struct keeper_answer *ret, struct err *e)
{
	for (unsigned i = 0; i < STEP_ATTEMPTS; i++) {
		auto_message m = { .n_fds = 0 };
		int r = say(k, number, e);

		r = r < 0 ? r : hear_any(k, &m, e);
		if (r == 0 && m.number == WIRE_AUTHORITY_ANSWERED)
			return keeper_answer_take(&m.body, ret) ? 0 : not_allowed(e);
		if (r == 0 && (m.number != WIRE_AUTHORITY_UNRECORDED || k->ledger[0] == 0))
			return not_allowed(e);
		r = r < 0 ? r : connect_ledger(k, e);
		if (r < 0)
			return r;
	}
	return err_set(e, AMBIT_GONE, "try again", "the ledger ends as often as it is connected to");
}

static int ask(struct keeper *k, enum wire_number number, enum wire_number expected, struct wire_message *m,
	       struct err *e)
{
	const int r = say(k, number, e);

	return r < 0 ? r : hear(k, expected, m, e);
}

static int ask_number(struct keeper *k, enum wire_number number, uint64_t *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = ask(k, number, WIRE_AUTHORITY_TAKEN, &m, e);

	if (r == 0)
		*ret = rbuf_u64(&m.body);
	return r;
}

static int ask_about(struct keeper *k, enum wire_number number, uint64_t about, uint64_t *ret, struct err *e)
{
	buf_reset(&k->message);
	buf_put_u64(&k->message, about);
	return ask_number(k, number, ret, e);
}

int keeper_bind(struct keeper *k, authority_ref badge, struct err *e)
{
	uint64_t none = 0;

	return ask_about(k, WIRE_AUTHORITY_BIND, badge, &none, e);
}

int keeper_step(struct keeper *k, const struct authority_request *q, struct keeper_answer *ret, struct err *e)
{
	buf_reset(&k->message);
	buf_put_u32(&k->message, k->own);
	authority_put_request(&k->message, q);
	return ask_step(k, WIRE_AUTHORITY_STEP, ret, e);
}

int keeper_step_shown(struct keeper *k, const struct authority_request *q, const void *shown, size_t n,
		      struct keeper_answer *ret, struct err *e)
{
	const uint8_t *at = shown;

	if (n > KEEPER_SHOWN_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %u bytes to be shown with a question",
			       KEEPER_SHOWN_MAX);
	while (n > 0) {
		const size_t part = n < WIRE_BODY_MAX ? n : WIRE_BODY_MAX;
		int r;

		buf_reset(&k->message);
		buf_put(&k->message, at, part);
		r = say(k, WIRE_AUTHORITY_PART, e);
		if (r < 0)
			return r;
		at += part;
		n -= part;
	}
	return keeper_step(k, q, ret, e);
}

/* ---- watching ---- */

int keeper_sign(struct keeper *k, const struct keeper_signed *q, struct keeper_answer *ret, struct err *e)
{
	buf_reset(&k->message);
	keeper_signed_put(&k->message, q);
	return ask_step(k, WIRE_AUTHORITY_SIGNED, ret, e);
}

void keeper_realm(const struct keeper *k, uint8_t ret[STATEMENT_REALM_BYTES])
{
	memcpy(ret, k->hello.realm, STATEMENT_REALM_BYTES);
}

int keeper_watch(struct keeper *k, uint32_t *ret_number, struct err *e)
{
	uint64_t number = 0;
	int r;

	buf_reset(&k->message);
	r = ask_number(k, WIRE_AUTHORITY_WATCH, &number, e);
	if (r < 0)
		return r;
	*ret_number = (uint32_t)number; /* as the keeper counts them */
	return 0;
}

void keeper_does_not_wait_for(struct keeper *k, uint32_t number)
{
	k->own = number;
}

int keeper_fd(const struct keeper *k)
{
	return k->sock;
}

int keeper_hear(struct keeper *k, struct keeper_actions *ret, struct err *e)
{
	struct pollfd p = { .fd = k->sock, .events = POLLIN };
	auto_message m = { .n_fds = 0 };
	int r;

	if (poll(&p, 1, 0) <= 0)
		return 0;
	r = hear(k, WIRE_AUTHORITY_ACTIONS, &m, e);
	if (r < 0)
		return r;
	return keeper_actions_take(&m.body, ret) ? 1 : not_allowed(e);
}

int keeper_done(struct keeper *k, uint64_t step, struct err *e)
{
	buf_reset(&k->message);
	buf_put_u64(&k->message, step);
	return say(k, WIRE_AUTHORITY_DONE, e);
}

/* ---- what there is ---- */

int keeper_label(struct keeper *k, const char *name, unsigned *ret_bit, struct err *e)
{
	uint64_t bit = 0;
	int r;

	if (strnlen(name, AUTHORITY_NAME_MAX) == AUTHORITY_NAME_MAX)
		return err_set(e, AMBIT_MALFORMED, NULL, "the name of a label has at most %d characters",
			       AUTHORITY_NAME_MAX - 1);
	buf_reset(&k->message);
	buf_put_str(&k->message, name);
	r = ask_number(k, WIRE_AUTHORITY_LABEL_NAME, &bit, e);
	if (r < 0)
		return r;
	*ret_bit = (unsigned)bit;
	return bit < KEEPER_LABELS_MAX ? 0 : not_allowed(e);
}

int keeper_labels(struct keeper *k, struct keeper_labels *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	int r;

	buf_reset(&k->message);
	r = ask(k, WIRE_AUTHORITY_LABELS, WIRE_AUTHORITY_NAMES, &m, e);
	if (r < 0)
		return r;
	ret->n = rbuf_u8(&m.body);
	if (ret->n > KEEPER_LABELS_MAX)
		return not_allowed(e);
	for (unsigned i = 0; i < ret->n; i++)
		rbuf_str(&m.body, ret->names[i], sizeof ret->names[i]);
	return rbuf_done(&m.body) ? 0 : not_allowed(e);
}

static int hear_page(struct rbuf *in, enum keeper_kind kind, uint32_t *ret_next, struct keeper_row *row,
		     int (*each)(void *of, const struct keeper_row *row), void *of, struct err *e)
{
	int r = rbuf_u8(in) == kind ? 0 : not_allowed(e);

	*ret_next = rbuf_u32(in);
	while (r == 0 && rbuf_left(in) > 0)
		r = keeper_row_take(in, kind, row) ? each(of, row) : not_allowed(e);
	return r < 0 || !in->failed ? r : not_allowed(e);
}

int keeper_list(struct keeper *k, enum keeper_kind kind, int (*each)(void *of, const struct keeper_row *row), void *of,
		struct err *e)
{
	auto_free struct keeper_row *row = malloc(sizeof *row);
	uint32_t at = 0, next;

	if (row == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list");
	for (; at != KEEPER_PAGE_END; at = next) {
		auto_message m = { .n_fds = 0 };
		int r;

		buf_reset(&k->message);
		buf_put_u8(&k->message, (uint8_t)kind);
		buf_put_u32(&k->message, at);
		r = ask(k, WIRE_AUTHORITY_LIST, WIRE_AUTHORITY_PAGE, &m, e);
		r = r < 0 ? r : hear_page(&m.body, kind, &next, row, each, of, e);
		if (r < 0)
			return r;
		if (next <= at)
			return not_allowed(e);
	}
	return 0;
}

int keeper_grant(struct keeper *k, authority_ref badge, enum grant_verb verb, const char *object, authority_ref *ret,
		 struct err *e)
{
	buf_reset(&k->message);
	buf_put_u64(&k->message, badge);
	buf_put_u8(&k->message, (uint8_t)verb);
	buf_put_str(&k->message, object);
	return ask_number(k, WIRE_AUTHORITY_FIND, ret, e);
}

int keeper_shown(struct keeper *k, authority_ref question, int *ret_fd, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	int r;

	buf_reset(&k->message);
	buf_put_u64(&k->message, question);
	r = ask(k, WIRE_AUTHORITY_SHOWN, WIRE_AUTHORITY_SHOWS, &m, e);
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&m.fds[0]);
	return 0;
}
