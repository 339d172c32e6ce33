#include "lib/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/environment.h"
#include "lib/judged.h"
#include "lib/usual_event.h"

#define END_ROOM 2400
#define ASK_ROOM 49152

bool delegate_is_granted(const struct grant_set *grants)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->grants[i].verb == VERB_DELEGATE)
			return true;
	return false;
}

/* ---- starting one ---- */

static void fill_request(const struct ambit_event *caller, const struct sibling_ask *a, struct event_request *q)
{
	*q = *caller->request;
	memcpy(q->parent, caller->result.event, sizeof q->parent); /* same size */
	memcpy(q->agent, a->agent, sizeof q->agent);
	memcpy(q->workdir, a->workdir, sizeof q->workdir); /* same size */
	q->limits = a->limits;
	q->grants = a->grants;
	q->flags = 0;
	q->kind = KIND_RUN;
	q->kernel = 0;
	q->n_policies = 0;
	q->staged = q->beside = 0;
	q->own =
		1; /* its trees are as they are: what is staged, hidden and held in them is so for its caller already */
}

struct recorded {
	int dir_fd, fd; /* owned */
	struct ledger_hello hello;
};

static void recorded_finish(struct recorded *r)
{
	fd_close(&r->dir_fd);
	fd_close(&r->fd);
}

static int reach_ledger(const struct ambit_event *caller, struct recorded *ret, struct err *e)
{
	int r;

	if (caller->ledger_dir_fd < 0)
		return 0;
	ret->dir_fd = fcntl(caller->ledger_dir_fd, F_DUPFD_CLOEXEC, 3);
	if (ret->dir_fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot reach the ledger");
	r = ledger_call(ret->dir_fd, &ret->fd, e);
	return r < 0 ? r : ledger_join(ret->dir_fd, caller->request->ledger, &ret->fd, &ret->hello, e);
}

struct judged_caller delegate_caller(struct ambit_event *ev, const struct sibling_from *from)
{
	return (struct judged_caller){ .q = ev->request,
				       .grants = &ev->grants,
				       .held = &ev->badge_fd,
				       .delegate = from->delegate,
				       .from = from->grant };
}

static int start(struct ambit_event *caller, struct sibling_ask *a, const struct sibling_trees *trees,
		 const struct sibling_from *from, const int streams[3], struct ambit_event **ret, struct err *e)
{
	const struct judged_caller asked = delegate_caller(caller, from);
	__attribute__((cleanup(recorded_finish))) struct recorded ledger = { .dir_fd = -1, .fd = -1 };
	__attribute__((cleanup(program_finish))) struct cell_program program = { .block = NULL };
	auto_free struct environment *env = calloc(1, sizeof *env);
	struct event_request *q = calloc(1, sizeof *q);
	struct event_plan plan = {
		.request = q, .result_fd = -1, .program_fd = -1, .reached = true, .trees = trees, .caller = &asked
	};
	int r;

	if (q == NULL || env == NULL) {
		free(q);
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a sub-agent");
	}
	r = program_decode(&a->program, &program, e);
	if (r == 0 && program.argv[0] == NULL)
		r = err_set(e, AMBIT_MALFORMED, NULL, "a sub-agent without a program");
	if (r == 0) {
		fill_request(caller, a, q);
		kind_describe(KIND_RUN, program.argv, q->command, sizeof q->command);
		r = environment_make(q, program.envp, (a->flags & SIBLING_TERMINAL) != 0,
				     network_wants_judges(&q->grants), env, e);
	}
	r = r < 0 ? r : reach_ledger(caller, &ledger, e);
	if (r < 0) {
		environment_finish(env);
		free(q);
		return r;
	}
	plan.path = program.path;
	plan.argv = program.argv;
	plan.envp = env->entries;
	plan.recorded = ledger.fd >= 0;
	plan.ledger_fd = ledger.fd;
	plan.ledger_dir_fd = ledger.dir_fd;
	plan.changes = AMBIT_CHANGES_UNHASHED | (caller->changes & AMBIT_CHANGES_STRICT);
	for (int i = 0; i < 3; i++) {
		plan.stream[i] = STREAM_OURS;
		plan.stream_fd[i] = streams[i];
	}
	r = event_start(&plan, ret, e);
	environment_finish(env);
	if (r == 0) {
		event_set_ledger(*ret, &ledger.hello);
		(void)text_copy(event_agent(*ret), EVENT_AGENT_MAX, a->agent); /* same size */
	}
	return r;
}

static int cannot_hand_over(struct err *e)
{
	return err_why(e,
		       err_set(e, AMBIT_UNAVAILABLE,
			       "without --background it ends with its caller; or begin that by `ambit run --session`",
			       "nobody takes a sub-agent that goes on by itself"),
		       "only events of a session hand one over");
}

static void handed_free(struct handed *h)
{
	if (h != NULL)
		program_finish(&h->program);
	free(h);
}

static int keep_handed(struct delegated *d, const struct sibling_ask *a, const struct sibling_from *from, struct err *e)
{
	struct handed *h = calloc(1, sizeof *h);
	struct rbuf program = a->program;
	int r;

	if (h == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a sub-agent");
	h->number = d->end.number;
	h->ask = *a;
	rbuf_init(&h->ask.program, NULL, 0); /* which is decoded, and gone with the message */
	h->from = *from;
	r = program_decode(&program, &h->program, e);
	if (r == 0 && h->program.argv[0] == NULL)
		r = err_set(e, AMBIT_MALFORMED, NULL, "a sub-agent without a program");
	if (r < 0)
		handed_free(h);
	else
		d->handed = h;
	return r;
}

void delegate_hands_over(struct ambit_event *ev)
{
	ev->hands_over = true;
}

const struct handed *delegate_handed(const struct ambit_event *ev)
{
	for (size_t i = 0; i < EVENT_DELEGATED_MAX; i++)
		if (ev->delegated[i].handed != NULL)
			return ev->delegated[i].handed;
	return NULL;
}

static bool take_trees(struct wire_message *m, struct sibling_trees *ret)
{
	ret->uid = rbuf_u32(&m->body);
	ret->n = rbuf_u32(&m->body);
	if (m->body.failed || ret->n > SIBLING_TREES_MAX || m->n_fds != 3 + ret->n)
		return false;
	for (uint32_t i = 0; i < ret->n; i++) {
		ret->grant[i] = rbuf_u32(&m->body);
		ret->fd[i] = m->fds[3 + i];
	}
	return true;
}

static struct delegated *find(struct ambit_event *ev, uint32_t number)
{
	for (size_t i = 0; i < EVENT_DELEGATED_MAX; i++)
		if (ev->delegated[i].end.number == number)
			return &ev->delegated[i];
	return NULL;
}

void delegate_begin(struct ambit_event *ev, struct wire_message *m)
{
	auto_free struct sibling_ask *a = calloc(1, sizeof *a);
	const uint32_t number = rbuf_u32(&m->body);
	struct delegated *d = find(ev, 0);
	struct sibling_trees trees;
	struct sibling_from from;
	struct err e;
	int r;

	if (d == NULL || number == 0) /* it keeps to the same number of places */
		return;
	d->end = (struct sibling_end){ .number = number };
	if (a == NULL) {
		(void)err_set(&e, AMBIT_MEMORY, NULL, "no memory for a sub-agent");
		sibling_refuse(&d->end, &e);
		return;
	}
	r = take_trees(m, &trees) && sibling_take_from(&m->body, ev->request->grants.count, &from)
		    ? sibling_take(&m->body, a, &e)
		    : -AMBIT_PROTOCOL;
	if (r == -AMBIT_PROTOCOL || (r == 0 && from.n != a->grants.count))
		r = err_set(&e, AMBIT_PROTOCOL, NULL, "the supervisor asked for what is none");
	if (r == 0 && (a->flags & SIBLING_HANDED) != 0)
		r = ev->hands_over ? keep_handed(d, a, &from, &e) : cannot_hand_over(&e);
	else
		r = r < 0 ? r : start(ev, a, &trees, &from, m->fds, &d->ev, &e);
	if (r < 0)
		sibling_refuse(&d->end, &e);
}

void delegate_kill(struct ambit_event *ev, uint32_t number)
{
	struct delegated *d = number != 0 ? find(ev, number) : NULL;

	if (d != NULL && d->ev != NULL)
		(void)ambit_event_kill(d->ev, NULL); /* ended meanwhile is as good */
}

/* ---- going on with them ---- */

static void take_end(struct ambit_event *ev, struct delegated *d)
{
	const struct event_result *r = event_result(d->ev);

	d->end.cause = r->cause;
	d->end.limit = r->limit;
	d->end.exit_status = r->exit_status > 0 ? (uint32_t)r->exit_status & 255 : 0;
	d->end.signal = (uint32_t)r->signal;
	d->end.denied = result_was_denied(r);
	memcpy(d->end.event, r->event, sizeof d->end.event); /* same size */
	d->end.error = r->error;
	usual_beside(ev, d->ev);
	if (r->unrecorded.code != AMBIT_OK)
		sibling_refuse(&d->end, &r->unrecorded);
	event_free_by(d->ev, clock_ms() + READY_LEAVE_MS);
	d->ev = NULL;
}

/* Without a supervisor nobody is to be told. */
static void tell(struct ambit_event *ev, struct delegated *d)
{
	uint8_t room[END_ROOM];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	sibling_put_end(&b, &d->end);
	if (ev->told_end || wire_send(ev->sock, WIRE_EVENT_DELEGATED, &b, NULL, 0) != -EAGAIN)
		d->end = (struct sibling_end){ .number = 0 };
}

void delegate_step(struct ambit_event *ev)
{
	for (size_t i = 0; i < EVENT_DELEGATED_MAX; i++) {
		struct delegated *d = &ev->delegated[i];

		if (d->ev != NULL && ev->told_end)
			delegate_kill(ev, d->end.number);
		if (d->ev != NULL && ambit_event_step(d->ev, NULL) != 0)
			take_end(ev, d);
		if (d->ev == NULL && d->handed == NULL && d->end.number != 0)
			tell(ev, d);
	}
}

void delegate_handed_done(struct ambit_event *ev, uint32_t number, const char *event, const struct err *why)
{
	struct delegated *d = find(ev, number);

	if (d == NULL || d->handed == NULL)
		return;
	handed_free(steal_ptr(&d->handed));
	d->end.cause = CAUSE_EXITED;
	if (event != NULL)
		(void)text_copy(d->end.event, sizeof d->end.event, event); /* an id */
	else
		sibling_refuse(&d->end, why);
	tell(ev, d);
}

bool delegate_is_over(const struct ambit_event *ev)
{
	for (size_t i = 0; i < EVENT_DELEGATED_MAX; i++)
		if (ev->delegated[i].ev != NULL)
			return false;
	return true;
}

bool delegate_is_untold(const struct ambit_event *ev)
{
	for (size_t i = 0; i < EVENT_DELEGATED_MAX; i++)
		if (ev->delegated[i].ev == NULL && ev->delegated[i].handed == NULL && ev->delegated[i].end.number != 0)
			return true;
	return false;
}

void delegate_interests(const struct ambit_event *ev, void (*add)(void *user, int fd, uint32_t events), void *user)
{
	for (size_t i = 0; i < EVENT_DELEGATED_MAX; i++)
		if (ev->delegated[i].ev != NULL)
			add(user, ambit_event_fd(ev->delegated[i].ev), POLLIN);
}

void delegate_finish(struct ambit_event *ev)
{
	for (size_t i = 0; i < EVENT_DELEGATED_MAX; i++) {
		ambit_event_free(ev->delegated[i].ev);
		handed_free(ev->delegated[i].handed);
		ev->delegated[i].ev = NULL;
		ev->delegated[i].handed = NULL;
	}
}

/* ---- in a cell ---- */

bool delegate_is_cell(void)
{
	return access("/" CELL_MARK, F_OK) == 0;
}

bool delegate_is_there(void)
{
	return access(CELL_DELEGATE, F_OK) == 0;
}

int delegate_refused(struct err *e)
{
	return err_why(e,
		       err_set(e, AMBIT_UNAVAILABLE,
			       "run it outside, or let that cell ask for others beside it: --delegate '*'",
			       "this is a cell already"),
		       "a cell contains no other, and this one was not granted delegate");
}

/* Nobody is waited for: whoever is not heard yet, and what it asks, waits in the socket. */
static int call(int *ret_sock, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = CELL_DELEGATE };
	auto_fd int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock >= 0 && connect(sock, (const struct sockaddr *)&at, sizeof at) == 0) {
		*ret_sock = steal_fd(&sock);
		return 0;
	}
	return sock >= 0 && errno == EAGAIN ? err_set(e, AMBIT_LIMIT, "try again", "as many ask for sub-agents as may")
					    : delegate_refused(e);
}

int delegate_ask(const struct event_plan *plan, struct sibling_ask *a, const int streams[3], int *ret_sock,
		 struct err *e)
{
	auto_buf program = { .max = ASK_ROOM }, body = { .max = ASK_ROOM };
	auto_fd int sock = -1;
	int r;

	program_encode(&program, plan->path, plan->argv, plan->envp);
	rbuf_init(&a->program, program.data, program.len);
	sibling_put(&body, a);
	if (program.failed || body.failed)
		return err_set(e, AMBIT_LIMIT, "pass long input on standard input, and fewer variables (env -i)",
			       "arguments, variables and grants of a sub-agent exceed %d bytes", ASK_ROOM);
	r = call(&sock, e);
	if (r < 0)
		return r;
	r = wire_send(sock, WIRE_DELEGATE_ASK, &body, streams, 3);
	if (r < 0)
		return err_sys(e, AMBIT_GONE, -r, "try again", "who starts sub-agents is gone");
	*ret_sock = steal_fd(&sock);
	return 0;
}

void delegate_done(struct wire_message *m, struct event_result *r)
{
	struct sibling_end end;

	if (!sibling_take_end(&m->body, &end)) {
		r->cause = CAUSE_LOST;
		return;
	}
	r->cause = (enum event_cause)end.cause; /* one of them, and the next likewise: sibling_take_end */
	r->limit = (enum limit)end.limit;
	r->signal = (int)end.signal;
	r->denied_beside = end.denied != 0;
	if (end.cause == CAUSE_EXITED && end.signal == 0)
		r->exit_status = (int)end.exit_status;
	memcpy(r->event, end.event, sizeof r->event); /* same size */
	r->error = end.error;
}
