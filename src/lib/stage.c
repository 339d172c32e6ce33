#include "lib/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "core/grant.h"
#include "lib/helper.h"
#include "lib/state.h"
#include "stage/changes.h"
#include "wire/wire.h"

#define KEEP_DEFAULT_MS (UINT64_C(7) * 24 * 3600 * 1000)
#define KEEP_SPACE_DEFAULT (UINT64_C(10) << 30)

struct stage_talk {
	int sock, pidfd; /* owned */
	bool over;
	struct stage_answer answer;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

void stage_talk_free(struct stage_talk *t)
{
	if (t == NULL)
		return;
	if (t->over) /* it is about to end, and its locks with it */
		helper_end(&t->pidfd);
	fd_close(&t->sock);
	helper_part(&t->pidfd);
	stage_answer_finish(&t->answer);
	free(t);
}

struct stage_answer *stage_talk_answer(struct stage_talk *t)
{
	return &t->answer;
}

void stage_talk_stop(struct stage_talk *t)
{
	(void)shutdown(t->sock, SHUT_WR); /* it is gone already: then it has answered */
}

int stage_talk_fd(const struct stage_talk *t)
{
	return t->sock;
}

static int start_role(struct stage_talk *t, struct err *e)
{
	auto_fd int exe = -1, theirs = -1;
	int pair[2];
	const int r = helper_open("ambit-stage", &exe, e);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for ambit-stage");
	t->sock = pair[0];
	theirs = pair[1];
	(void)fd_set_nonblock(t->sock, true); /* a question fits the socket's buffer */
	return helper_start(exe, "ambit-stage", theirs, &t->pidfd, e);
}

int stage_talk_start(const struct stage_ask *ask, int output_fd, struct stage_talk **ret, struct err *e)
{
	struct stage_talk *t = calloc(1, sizeof *t);
	auto_buf b = { .max = 0 };
	int r;

	if (t == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to ask for the stage");
	t->sock = t->pidfd = -1;
	buf_init(&b, WIRE_BODY_MAX);
	stage_ask_encode(&b, ask);
	r = b.failed ? err_set(e, AMBIT_LIMIT, "name directories, or a pattern", "too many paths") : start_role(t, e);
	if (r == 0) {
		r = wire_send(t->sock, WIRE_STAGE_ASK, &b, &output_fd, output_fd >= 0 ? 1 : 0);
		if (r < 0)
			r = err_sys(e, AMBIT_GONE, -r, NULL, "ambit-stage ended at once");
	}
	if (r < 0)
		stage_talk_free(t);
	else
		*ret = t;
	return r;
}

/* Makes room for one more of n things of `size` bytes: at powers of two. */
static void *grow(void *list, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? realloc(list, (n == 0 ? 1 : 2 * n) * size) : list;
}

static void take_change(struct stage_answer *a, const struct change *c)
{
	if (a->n_changes >= STAGE_CHANGES_MAX || changes_add(&a->changes, &a->n_changes, c) < 0)
		a->end.untold++;
}

static void on_changes(struct stage_answer *a, struct rbuf *body)
{
	struct change_room room;
	struct change c;

	while (rbuf_left(body) > 0) {
		change_decode(body, &room, &c);
		if (body->failed)
			return;
		take_change(a, &c);
	}
}

static void on_entry(struct stage_answer *a, struct rbuf *body)
{
	struct stage_entry *grown = grow(a->entries, a->n_entries, sizeof *grown);

	if (grown == NULL)
		return;
	a->entries = grown;
	stage_entry_decode(body, &a->entries[a->n_entries]);
	if (!body->failed)
		a->n_entries++;
}

/* The trees of the changes that follow. */
static void on_tree(struct stage_answer *a, struct rbuf *body)
{
	void *grown = grow(a->trees, a->n_trees, sizeof *a->trees);

	if (grown == NULL)
		return;
	a->trees = grown;
	rbuf_str(body, a->trees[a->n_trees], sizeof *a->trees);
	if (!body->failed)
		a->n_trees++;
}

/* With what became of the changes, if they are still there. */
static int on_failed(struct stage_talk *t, struct rbuf *body, struct err *e)
{
	const int r = wire_take_error(body, e);

	if (rbuf_left(body) > 0)
		stage_end_decode(body, &t->answer.end);
	return body->failed ? err_set(e, AMBIT_PROTOCOL, NULL, "ambit-stage failed and did not say why") : r;
}

static int on_end(struct stage_talk *t, struct rbuf *body, struct err *e)
{
	const uint64_t untold = t->answer.end.untold;

	stage_end_decode(body, &t->answer.end);
	t->answer.end.untold += untold;
	return body->failed ? err_set(e, AMBIT_PROTOCOL, NULL, "ambit-stage answered out of range") : 1;
}

static int take(struct stage_talk *t, struct wire_message *m, struct err *e)
{
	if (m->number == WIRE_STAGE_END)
		return on_end(t, &m->body, e);
	if (m->number == WIRE_STAGE_FAILED)
		return on_failed(t, &m->body, e);
	if (m->number == WIRE_STAGE_TREE)
		on_tree(&t->answer, &m->body);
	else if (m->number == WIRE_STAGE_CHANGES)
		on_changes(&t->answer, &m->body);
	else if (m->number == WIRE_STAGE_ENTRY)
		on_entry(&t->answer, &m->body);
	else if (m->number == WIRE_STAGE_PROGRESS) {
		t->answer.done = rbuf_u64(&m->body);
		t->answer.total = rbuf_u64(&m->body);
	} else if (m->number == WIRE_STAGE_WAITING) {
		t->answer.waits = rbuf_u8(&m->body) == 0;
		rbuf_str(&m->body, t->answer.waits_for, sizeof t->answer.waits_for);
	}
	return 0;
}

int stage_talk_step(struct stage_talk *t, struct err *e)
{
	int r = t->over ? 1 : 0;

	while (r == 0) {
		auto_message m = { .n_fds = 0 };
		const int got = wire_receive(t->sock, WIRE_STAGE, WIRE_RUNNING, t->room, sizeof t->room, &m);

		if (got == -EAGAIN)
			return 0;
		r = got > 0 ? take(t, &m, e)
			    : err_set(e, AMBIT_GONE,
				      "`ambit stage recover` puts the tree in order; run it, then look at "
				      "`ambit stage list`",
				      "ambit-stage ended before it was done");
	}
	t->over = true;
	return r;
}

int stage_talk_wait(struct stage_talk *t, struct err *e)
{
	int r;

	while ((r = stage_talk_step(t, e)) == 0) {
		struct pollfd p = { .fd = stage_talk_fd(t), .events = POLLIN };

		(void)poll(&p, 1, -1); /* interrupted: step looks again */
	}
	return r;
}

/* A journal is there while a commit goes on, or was broken off. */
static bool has_journal(const char *store)
{
	DIR *d = opendir(store);
	struct dirent *entry;
	bool found = false;

	while (d != NULL && !found && (entry = readdir(d)) != NULL) {
		char path[sizeof entry->d_name + 16];

		(void)snprintf(path, sizeof path, "%s/journal", entry->d_name); /* it fits */
		found = entry->d_name[0] == 'e' && faccessat(dirfd(d), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	if (d != NULL)
		(void)closedir(d);
	return found;
}

/* More than can be asked for are all. */
static int select_granted(struct stage_ask *ask, const struct grant_set *grants, struct err *e)
{
	for (uint32_t i = 0; i < grants->count; i++) {
		const char *object = grant_object(grants, i);

		if (object[0] != '/' || strlen(object) >= STAGE_PATH_MAX)
			continue;
		if (ask->n_selected == STAGE_SELECTED_MAX) {
			stage_ask_finish(ask);
			return 0;
		}
		ask->selected[ask->n_selected] = strdup(object);
		if (ask->selected[ask->n_selected] == NULL)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for the paths");
		ask->n_selected++;
	}
	return 0;
}

int stage_recover_first(const char *store, const struct grant_set *grants, struct err *e)
{
	struct stage_talk *t = NULL;
	struct stage_ask ask;
	int r;

	if (!has_journal(store))
		return 0;
	r = stage_ask_init(&ask, STAGE_OP_RECOVER, e);
	if (grants == NULL)
		ask.wait_ms = 0;
	else
		r = r < 0 ? r : select_granted(&ask, grants, e);
	r = r < 0 ? r : stage_talk_start(&ask, -1, &t, e);
	stage_ask_finish(&ask);
	r = r < 0 || t == NULL ? r : stage_talk_wait(t, e);
	stage_talk_free(t);
	return r < 0 ? r : 0;
}

static int keep_of(const char *text, uint64_t *ret_ns, struct err *e)
{
	uint64_t ms = KEEP_DEFAULT_MS;

	if (text != NULL && text[0] != 0 && !parse_duration(text, &ms))
		return err_set(e, AMBIT_USAGE, "give a time: 7d, 12h, 30m", "AMBIT_KEEP=%s is no time", text);
	*ret_ns = ms > UINT64_MAX / 1000000 ? UINT64_MAX : ms * 1000000;
	return 0;
}

static int space_of(const char *text, uint64_t *ret_bytes, struct err *e)
{
	*ret_bytes = KEEP_SPACE_DEFAULT;
	if (text != NULL && text[0] != 0 && !parse_bytes(text, ret_bytes))
		return err_set(e, AMBIT_USAGE, "give a size: 500M, 20G", "AMBIT_KEEP_SPACE=%s is no size", text);
	return 0;
}

int stage_store_path(char *ret, size_t size)
{
	return state_path("stages", ret, size);
}

int stage_ask_init(struct stage_ask *ask, enum stage_op op, struct err *e)
{
	const char *home;
	int r;

	*ask = (struct stage_ask){ .op = (uint32_t)op, .wait_ms = STAGE_WAIT_MS };
	if (stage_store_path(ask->store, sizeof ask->store) < 0)
		return err_set(e, AMBIT_HOST, "set HOME or XDG_STATE_HOME to an absolute path",
			       "there is no place for staged changes");
	home = getenv("HOME");
	if (home == NULL || home[0] != '/' || !path_normalise("/", home, ask->home, sizeof ask->home))
		ask->home[0] = 0;
	r = keep_of(getenv("AMBIT_KEEP"), &ask->keep_ns, e);
	return r < 0 ? r : space_of(getenv("AMBIT_KEEP_SPACE"), &ask->space_bytes, e);
}
