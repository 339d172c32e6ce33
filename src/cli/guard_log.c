#include "cli/guard_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/found.h"
#include "ledger/talk.h"
#include "lib/ledger.h"
#include "lib/payload.h"
#include "lib/record.h"
#include "policy/policy.h"

#define OPEN_MAX 512           /* calls that were allowed and are not over: twice as many as a gate has */
#define BATCH_MAX 64           /* records that lie in one payload, which are told at once */
#define BATCH_BYTES (1u << 20) /* of those before the last */
#define BATCH_MS 50            /* one waits for others so long */
#define SOCK_BYTES (1 << 20)
#define SOCK_PATIENCE_S 20 /* more than a ledger gets that does not answer (ledger/talk.c) */
#define TRIES 3            /* to tell a ledger that dies meanwhile */

/* ---- between the two: as long as one program is both, its own form ---- */

struct told {
	uint32_t number;
	bool is_over;
	union {
		struct record_call call; /* its arguments follow */
		struct guard_over over;
	};
};

static int send_told(struct guard_log *l, const struct told *t, const struct where_arguments *more)
{
	struct iovec parts[2] = { { .iov_base = (void *)(uintptr_t)t, .iov_len = sizeof *t },
				  { .iov_base = (void *)(uintptr_t)more->bytes, .iov_len = more->n } };
	const struct msghdr m = { .msg_iov = parts, .msg_iovlen = more->n > 0 ? 2 : 1 };

	if (sendmsg(l->sock, &m, MSG_NOSIGNAL) >= 0)
		return 0;
	(void)shutdown(l->sock, SHUT_RDWR); /* it is not waited for again, and still has what was sent before */
	return -AMBIT_GONE;
}

int guard_log_asked(struct guard_log *l, uint32_t number, const struct record_call *c, struct err *e)
{
	const struct told t = { .number = number, .call = *c };

	if (l->sock < 0 || send_told(l, &t, &c->arguments) == 0)
		return 0;
	return err_set(e, AMBIT_GONE, "see what the gate said, and start it again",
		       "calls cannot be recorded any more, so none is made");
}

void guard_log_over(struct guard_log *l, const struct guard_over *o)
{
	static const struct where_arguments none;
	const struct told t = { .number = o->number, .is_over = true, .over = *o };

	if (l->sock >= 0)
		(void)send_told(l, &t, &none); /* who cannot be told says so at the next call */
}

/* ---- the process ---- */

struct open_call {
	uint32_t number;
	struct record_call call;
	uint8_t *arguments; /* owned; NULL: a free place */
};

static const struct guard_over lost = { .end = GUARD_LOST };

struct writer {
	int sock, ledger_dir_fd;
	const char *ledger, *workspace;
	struct open_call open[OPEN_MAX];
	size_t next;                         /* to be given up, where none is free */
	struct record_call batch[BATCH_MAX]; /* without their arguments */
	size_t n;
	struct buf records; /* owned: theirs, a line each */
	uint64_t until_ms;  /* then they are told */
	struct talk *talk;  /* owned */
};

static int connect_ledger(struct writer *w, struct err *e)
{
	struct ledger_hello ignored;
	int sock = -1;
	const int r = ledger_join(w->ledger_dir_fd, w->ledger, &sock, &ignored, e);

	if (r == 0)
		talk_init(w->talk, sock, "");
	return r;
}

static void put_digest(struct json *j, const uint8_t sha256[SHA256_BYTES], uint64_t n)
{
	json_put_hex(json_put_key(j, "sha256"), sha256, SHA256_BYTES);
	json_put_count(json_put_key(j, "size"), n);
}

static int tell_request(struct talk *t, const struct record_call *c, const char *workspace, struct err *e)
{
	struct json *j = talk_body(t);

	json_put_name(json_put_key(j, "agent"), c->agent[0] != 0 ? c->agent : NULL);
	json_put_count(json_put_key(j, "argc"), 1);
	json_put_array(json_put_key(j, "argv"));
	talk_put_text(j, c->object);
	json_put_array_end(j);
	json_put_word(json_put_key(j, "kind"), "tool");
	talk_put_text(json_put_key(j, "program"), c->object);
	json_put_word(json_put_key(j, "server"), c->server);
	put_digest(j, c->sha256, c->bytes);
	talk_put_text(json_put_key(j, "workdir"), workspace);
	return talk_put(t, ENTRY_REQUEST, "", e);
}

static int tell_refused(struct talk *t, const struct record_call *c, struct err *e)
{
	struct json *j = talk_body(t);

	json_put_word(json_put_key(j, "code"), err_code_name((int)c->why.code));
	talk_put_text(json_put_key(j, "message"), c->why.msg);
	if (c->question[0] != 0)
		json_put_word(json_put_key(j, "question"), c->question);
	json_put_word(json_put_key(j, "verdict"), "refused");
	return talk_put(t, ENTRY_DECISION, "", e);
}

/* As of other events, so that who counts ends counts these. */
static int tell_stop(struct talk *t, const struct record_call *c, struct err *e)
{
	struct json *j = talk_body(t);

	json_put_object(json_put_key(j, "answer"));
	put_digest(j, c->answer_sha256, c->answer_bytes);
	json_put_object_end(j);
	json_put_word(json_put_key(j, "cause"), c->end == GUARD_LOST        ? "lost"
						: c->end == GUARD_CANCELLED ? "killed"
									    : "exited");
	json_put_word(json_put_key(j, "end"), record_call_end(c->end));
	if (c->end != GUARD_LOST && c->end != GUARD_CANCELLED)
		json_put_count(json_put_key(j, "exit"), c->end == GUARD_DONE ? 0 : 1);
	return talk_put(t, ENTRY_STOP, "", e);
}

#define MILLI 1000 /* no fraction is in a ledger */

/* How it compared with what is usual, where that is to be looked at: also for who has the record no more. */
static int tell_verdict(struct talk *t, const struct record_call *c, struct err *e)
{
	const struct usual_verdict *v = &c->usual.v;
	const bool failed = c->usual.error.code != AMBIT_OK;
	struct json *j;

	if (c->usual.profile <= PROFILE_OFF || (!failed && !v->unusual))
		return 0;
	j = talk_body(t);
	json_put_bool(json_put_key(j, "asks"), v->asks);
	json_put_count(json_put_key(j, "bits_milli"), (uint64_t)(v->bits * MILLI));
	json_put_key(j, "error");
	if (failed)
		talk_put_text(j, c->usual.error.msg);
	else
		json_put_null(j);
	json_put_bool(json_put_key(j, "held"),
		      c->usual.profile >= PROFILE_ASK && (failed || v->asks) && c->verdict != GUARD_YES);
	json_put_word(json_put_key(j, "profile"), policy_profile_word(c->usual.profile));
	json_put_array(json_put_key(j, "reasons"));
	for (unsigned i = 0; i < v->n; i++)
		talk_put_text(j, v->reasons[i].text);
	json_put_array_end(j);
	json_put_count(json_put_key(j, "runs"), v->runs);
	json_put_bool(json_put_key(j, "young"), v->young);
	return talk_put(t, ENTRY_VERDICT, "", e);
}

static int tell_batch(struct writer *w, const struct payload *records, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < w->n && r == 0; i++) {
		const struct record_call *c = &w->batch[i];

		w->talk->event = c->event;
		r = tell_request(w->talk, c, w->workspace, e);
		r = r < 0 ? r : c->verdict != GUARD_YES ? tell_refused(w->talk, c, e) : tell_stop(w->talk, c, e);
		r = r < 0 ? r : tell_verdict(w->talk, c, e);
		r = r < 0 ? r : payload_tell(w->talk, records, w->n, e);
	}
	return r < 0 ? r : talk_settle(w->talk, false, e);
}

/* A ledger's process that died meanwhile is started again: what is told twice then was not accepted once, but for a death in between. */
static int tell_written(struct writer *w, const struct payload *records, struct err *e)
{
	int r = tell_batch(w, records, e);

	for (unsigned i = 0; i < TRIES && r == -AMBIT_GONE && e->sys_errno != EAGAIN; i++) {
		talk_finish(w->talk);
		r = connect_ledger(w, e);
		r = r < 0 ? r : tell_batch(w, records, e);
	}
	return r;
}

static int settle(struct writer *w, struct err *e)
{
	auto_fd int lock = -1;
	struct payload records;
	int r = w->n == 0 ? 0 : payload_write(w->ledger_dir_fd, w->records.data, w->records.len, &lock, &records, e);

	records.version = RECORD_VERSION;
	r = r < 0 || w->n == 0 ? r : tell_written(w, &records, e);
	buf_reset(&w->records);
	w->n = 0;
	return r;
}

static int end_call(struct writer *w, struct record_call *c, struct err *e)
{
	int r;

	c->workspace = w->workspace;
	c->ended_ms = clock_unix_ms();
	r = record_call_write(c, &w->records, e);
	if (r < 0)
		return r;
	if (w->n == 0)
		w->until_ms = clock_ms() + BATCH_MS;
	w->batch[w->n++] = *c;
	return w->n == BATCH_MAX || w->records.len > BATCH_BYTES ? settle(w, e) : 0;
}

static struct open_call *find_open(struct writer *w, uint32_t number, bool free_place)
{
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (free_place ? w->open[i].arguments == NULL
			       : w->open[i].arguments != NULL && w->open[i].number == number)
			return &w->open[i];
	return NULL;
}

static int close_call(struct writer *w, struct open_call *o, const struct guard_over *over, struct err *e)
{
	int r;

	o->call.end = over->end;
	o->call.answer_bytes = over->bytes;
	memcpy(o->call.answer_sha256, over->sha256, sizeof over->sha256);
	r = end_call(w, &o->call, e);
	free(o->arguments);
	o->arguments = NULL;
	return r;
}

/* A gate has fewer: who asks, and never says what came of it, loses no record by that. */
static int make_room(struct writer *w, struct open_call **ret, struct err *e)
{
	*ret = find_open(w, 0, true);
	if (*ret != NULL)
		return 0;
	*ret = &w->open[w->next++ % OPEN_MAX];
	return close_call(w, *ret, &lost, e);
}

static int take_call(struct writer *w, struct told *t, const uint8_t *arguments, size_t n, struct err *e)
{
	struct open_call *o;
	int r;

	t->call.arguments = (struct where_arguments){ .bytes = arguments, .n = n };
	if (t->call.verdict != GUARD_YES)
		return end_call(w, &t->call, e);
	r = make_room(w, &o, e);
	if (r < 0)
		return r;
	o->arguments = malloc(n + 1);
	if (o->arguments == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the record of a call");
	memcpy(o->arguments, arguments, n);
	o->number = t->number;
	o->call = t->call;
	o->call.arguments.bytes = o->arguments;
	return 0;
}

/* 1: the gate is gone. */
static int hear(struct writer *w, struct err *e)
{
	static uint8_t room[sizeof(struct told) + WHERE_BYTES_MAX];
	struct told t;
	struct open_call *o;
	const ssize_t n = recv(w->sock, room, sizeof room, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR
			       ? 0
			       : err_sys(e, AMBIT_SYSTEM, errno, NULL, "the gate is not heard");
	if ((size_t)n < sizeof t)
		return 1;
	memcpy(&t, room, sizeof t);
	if (!t.is_over)
		return take_call(w, &t, room + sizeof t, (size_t)n - sizeof t, e);
	o = find_open(w, t.number, false);
	return o != NULL ? close_call(w, o, &t.over, e) : 0;
}

/* Whether there is something to hear; or those that wait for others are told. */
static int wait_for_more(struct writer *w, bool *ret, struct err *e)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	const uint64_t now = clock_ms();
	const int wait = w->n == 0 ? -1 : w->until_ms > now ? (int)(w->until_ms - now) : 0;

	*ret = poll(&p, 1, wait) > 0;
	return w->n > 0 && clock_ms() >= w->until_ms ? settle(w, e) : 0;
}

static int write_all(struct writer *w, struct err *e)
{
	int r = connect_ledger(w, e);
	bool more;

	while (r == 0) {
		r = wait_for_more(w, &more, e);
		if (r == 0 && more)
			r = hear(w, e);
	}
	if (r < 0)
		return r;
	r = 0;
	for (size_t i = 0; i < OPEN_MAX && r == 0; i++)
		if (w->open[i].arguments != NULL)
			r = close_call(w, &w->open[i], &lost, e);
	return r < 0 ? r : settle(w, e);
}

/* Nothing of the gate's stays open here: its server, its client and its event see their ends by that. */
static void keep_two(int *a, int *b)
{
	const int high_a = fcntl(*a, F_DUPFD_CLOEXEC, 100), high_b = fcntl(*b, F_DUPFD_CLOEXEC, 100);
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	*a = dup2(high_a, 3);
	*b = dup2(high_b, 4);
	if (*a != 3 || *b != 4 || syscall(SYS_close_range, 5, ~0u, 0) < 0)
		_exit(1);
}

static void work(int sock, int ledger_dir_fd, const char *ledger, const char *workspace)
{
	struct writer *w = calloc(1, sizeof *w);
	struct err e;
	int r;

	(void)setsid(); /* who kills a gate kills its group of processes */
	keep_two(&sock, &ledger_dir_fd);
	if (w == NULL || (w->talk = malloc(sizeof *w->talk)) == NULL)
		_exit(1);
	buf_init(&w->records, BATCH_BYTES + RECORD_CALL_MAX);
	w->sock = sock;
	w->ledger_dir_fd = ledger_dir_fd;
	w->ledger = ledger;
	w->workspace = workspace;
	r = write_all(w, &e);
	if (r < 0)
		(void)found_refuse(false, &e);
	_exit(r < 0);
}

int guard_log_open(struct guard_log *l, int ledger_dir_fd, const char *ledger, const char *workspace, struct err *e)
{
	const struct timeval patience = { .tv_sec = SOCK_PATIENCE_S };
	const int size = SOCK_BYTES;
	auto_fd int found = -1;
	int ends[2], r;

	*l = (struct guard_log){ .sock = -1 };
	if (ledger_dir_fd < 0)
		return 0;
	r = payload_directory(ledger_dir_fd, true, &found, e); /* what is in the way is told before anything is done */
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no socket for records of calls");
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* else it waits sooner */
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)fflush(NULL);
	l->pid = fork();
	if (l->pid == 0)
		work(ends[1], ledger_dir_fd, ledger, workspace);
	(void)close(ends[1]);
	if (l->pid < 0) {
		(void)close(ends[0]);
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no process for records of calls");
	}
	l->sock = ends[0];
	return 0;
}

int guard_log_close(struct guard_log *l, struct err *e)
{
	int status = 0;

	if (l->sock < 0)
		return 0;
	fd_close(&l->sock);
	while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ? 0
			   : err_set(e, AMBIT_GONE, "`ambit ledger show` has each call that was allowed",
				     "records of calls are missing: what writes them ended too soon");
}
