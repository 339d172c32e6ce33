#include "lib/event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lib/canary.h"
#include "lib/closing.h"
#include "lib/delegate.h"
#include "lib/ebpf.h"
#include "lib/helper.h"
#include "lib/judged.h"
#include "lib/pool.h"
#include "lib/public.h"
#include "lib/stage.h"
#include "lib/standing.h"
#include "lib/template.h"
#include "lib/usual_event.h"
#include "wire/wire.h"

static uint64_t unix_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int event_new_id(char prefix, uint64_t unix_ms, char ret[ID_TEXT_MAX])
{
	uint8_t random[ID_RANDOM];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return -errno;
	id_write(prefix, unix_ms, random, ret);
	return 0;
}

/* A bare event is a session of one. */
static int name_event(struct event_result *r, const struct event_names *names)
{
	int failed = 0;

	r->n = names != NULL ? names->n : 1;
	if (names != NULL) {
		memcpy(r->event, names->event, sizeof r->event);
		memcpy(r->session, names->session, sizeof r->session);
		return 0;
	}
	failed = event_new_id('e', r->started_ns / 1000000, r->event);
	return failed < 0 ? failed : event_new_id('s', r->started_ns / 1000000, r->session);
}

static int name_everything(struct ambit_event *ev, const struct event_names *names, struct err *e)
{
	struct event_result *r = &ev->result;
	int failed = name_event(r, names);

	r->grant_ids = calloc(ev->request->grants.count + 1, sizeof *r->grant_ids);
	r->withdrawn_ns = calloc(ev->request->grants.count + 1, sizeof *r->withdrawn_ns);
	if (r->grant_ids == NULL || r->withdrawn_ns == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for an event");
	for (uint32_t i = 0; i < ev->request->grants.count && failed == 0; i++) {
		failed = event_new_id('g', r->started_ns / 1000000, r->grant_ids[i]);
		memcpy(ev->request->grant_ids[i], r->grant_ids[i], ID_TEXT_MAX);
	}
	memcpy(ev->request->event, r->event, sizeof ev->request->event);
	memcpy(ev->request->session, r->session, sizeof ev->request->session);
	ev->request->n = r->n;
	return failed < 0 ? err_sys(e, AMBIT_SYSTEM, -failed, NULL, "cannot get random numbers") : 0;
}

_Static_assert(sizeof((struct event_request *)0)->event == ID_TEXT_MAX, "an id fits");

static size_t count(char *const *v)
{
	size_t n = 0;

	while (v[n] != NULL)
		n++;
	return n;
}

static char **copy_vector(char *const *v)
{
	const size_t n = count(v);
	char **copy = calloc(n + 1, sizeof *copy);

	for (size_t i = 0; i < n && copy != NULL; i++)
		copy[i] = strdup(v[i]);
	return copy;
}

static struct ambit_event *event_new(const struct event_plan *plan)
{
	struct ambit_event *ev = calloc(1, sizeof *ev);

	if (ev == NULL) {
		free(plan->request);
		return NULL;
	}
	ev->sock = ev->pidfd = ev->terminal_fd = ev->pool_fd = ev->badge_fd = ev->ebpf_fd = -1;
	ev->owner = getpid();
	network_roles_init(&ev->network);
	ev->ledger_fd = plan->recorded ? fcntl(plan->ledger_fd, F_DUPFD_CLOEXEC, 3) : -1;
	ev->ledger_dir_fd = plan->recorded ? fcntl(plan->ledger_dir_fd, F_DUPFD_CLOEXEC, 3) : -1;
	ev->request = plan->request;
	ev->argv = copy_vector(plan->asked != NULL ? plan->asked : plan->argv);
	ev->changes = plan->changes;
	ev->conflict = plan->conflict;
	ev->profile = plan->profile;
	ev->collects = plan->profile > PROFILE_OFF || plan->caller != NULL;
	ev->wait_ms = plan->wait_ms;
	ev->stays = plan->stays;
	ev->waits = plan->waits;
	ev->reads_nothing = plan->stream[0] == AMBIT_STREAM_NULL;
	ev->cell_pidfd = -1;
	buf_init(&ev->program, REQUEST_BYTES_MAX);
	if (plan->asked != NULL) /* a command is started when it is known */
		program_encode(&ev->program, plan->path, plan->argv, plan->envp);
	ev->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ev->always_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	streams_init(&ev->streams);
	ev->result = (struct event_result){ .grants = &ev->request->grants,
					    .limits = ev->request->limits,
					    .argv = ev->argv,
					    .kind = ev->request->kind,
					    .workdir = request_workdir(ev->request),
					    .home = ev->request->home,
					    .base = ev->request->base,
					    .observe = ev->request->observe,
					    .without = ev->request->without,
					    .strict = (plan->changes & AMBIT_CHANGES_STRICT) != 0,
					    .exit_status = -1,
					    .started_ns = unix_ns() };
	memcpy(ev->result.parent, ev->request->parent, sizeof ev->result.parent); /* same size */
	return ev;
}

/* The supervisor sees that nobody is there any more, and ends the cell before itself. By shutdown, since who forked meanwhile, in another thread, has a
 * copy of the socket. */
static void let_end(struct ambit_event *ev)
{
	if (ev->sock >= 0)
		(void)shutdown(ev->sock, SHUT_RDWR); /* it has gone already: as well */
	fd_close(&ev->sock);
}

/* What a fork copied is not the event, but descriptors that lead to it: they are closed, and the event goes on. */
static void let_go(struct ambit_event *ev)
{
	fd_close(&ev->sock);
	fd_close(&ev->pidfd);
	fd_close(&ev->network.dialer_pidfd);
	fd_close(&ev->network.signer_pidfd);
}

void event_hand_on(struct ambit_event *ev, int *ret_sock, int *ret_pidfd)
{
	*ret_sock = steal_fd(&ev->sock);
	*ret_pidfd = steal_fd(&ev->pidfd);
	ambit_event_free(ev);
}

void ambit_event_free(struct ambit_event *ev)
{
	if (ev == NULL)
		return;
	delegate_finish(ev);
	if (ev->owner == getpid())
		let_end(ev);
	else
		let_go(ev);
	fd_close(&ev->terminal_fd);
	fd_close(&ev->badge_fd);
	fd_close(&ev->ebpf_fd);
	fd_close(&ev->ledger_fd);
	fd_close(&ev->ledger_dir_fd);
	fd_close(&ev->epoll_fd);
	fd_close(&ev->always_fd);
	streams_finish(&ev->streams);
	stage_talk_free(ev->talk);
	if (ev->beside != NULL)
		deeds_finish(ev->beside);
	free(ev->beside);
	result_finish(&ev->result);
	for (size_t i = 0; ev->argv != NULL && ev->argv[i] != NULL; i++)
		free(ev->argv[i]);
	free(ev->argv);
	buf_finish(&ev->program);
	free(ev->record);
	free(ev->step.source);
	free(ev->grants);
	free(ev->request);
	if (!ev->stays)
		helper_end(
			&ev->pidfd); /* at last: it ends while the rest is tidied up. Nothing of the event is left then */
	network_roles_finish(&ev->network);
	helper_part(&ev->pidfd);
	fd_close(&ev->cell_pidfd);
	template_release(ev->from); /* when its cell is gone */
	fd_close(&ev->pool_fd);     /* when all of it is over */
	free(ev);
}

void event_free_by(struct ambit_event *ev, uint64_t until_ms)
{
	struct pollfd p = { .fd = ev != NULL ? ev->pidfd : -1, .events = POLLIN };
	uint64_t now;
	int n = 0;

	if (ev == NULL)
		return;
	let_end(ev);
	while (ev->pidfd >= 0 && n != 1 && (now = clock_ms()) < until_ms)
		n = poll(&p, 1, (int)(until_ms - now)); /* interrupted: again */
	if (ev->pidfd >= 0 && n != 1)
		event_abandon(ev);
	ambit_event_free(ev);
}

/* What is recorded of code is its text, and not with what it is run. */
static void put_asked(const struct event_plan *plan, struct buf *out)
{
	char *const nothing[] = { NULL };
	auto_buf asked = { .max = 0 };

	buf_init(&asked, REQUEST_BYTES_MAX);
	program_encode(&asked, plan->path, plan->asked, nothing);
	buf_put_bytes(out, asked.data, (uint32_t)asked.len); /* at most its max */
	out->failed = out->failed || asked.failed;
}

/* The request as a sealed memory file: what the supervisor checks cannot change under it. */
static int sealed_request(const struct ambit_event *ev, const struct event_plan *plan, int *ret_fd, struct err *e)
{
	auto_fd int fd = memfd_create("ambit-request", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	auto_buf b = { .max = 0 };
	int r;

	if (count(plan->argv) + count(plan->envp) > CELL_ARGS_MAX)
		return err_set(e, AMBIT_LIMIT, "pass them in a file, on standard input, or in several runs (xargs -n)",
			       "more than %d arguments and variables", CELL_ARGS_MAX);
	buf_init(&b, REQUEST_BYTES_MAX);
	request_encode(ev->request, &b);
	if (plan->asked != NULL) {
		put_asked(plan, &b);
		buf_put(&b, ev->program.data, ev->program.len);
	} else if (!plan->waits) {
		program_encode(&b, plan->path, plan->argv, plan->envp);
	}
	if (b.failed || ev->program.failed)
		return err_set(e, AMBIT_LIMIT, "pass long input in a file or on standard input",
			       "the arguments are too long");
	r = fd < 0 ? -errno : fd_write_all(fd, b.data, b.len);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot make a memory file for the request");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Before the request, with which as many descriptors travel as can. */
static int send_agent(struct ambit_event *ev, struct err *e)
{
	const int fds[] = { ev->network.agent_fd, ev->network.signer_fd };
	int r;

	if (ev->network.agent == NULL)
		return 0;
	r = wire_send(ev->sock, WIRE_EVENT_SSH, NULL, fds, 2);
	fd_close(&ev->network.agent_fd);
	fd_close(&ev->network.signer_fd);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor ended at once") : 0;
}

static int send_http(struct ambit_event *ev, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < ev->network.n_http && r == 0; i++) {
		r = wire_send(ev->sock, WIRE_EVENT_HTTP, NULL, &ev->network.http[i].fd, 1);
		fd_close(&ev->network.http[i].fd);
	}
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor ended at once") : 0;
}

static int send_authority(struct ambit_event *ev, struct judged *j, struct err *e)
{
	struct stage_ask times = { .keep_ns = 0 };
	int r = j->k != NULL ? stage_ask_init(&times, STAGE_OP_SETTLE, e) : 0;

	ev->badge = j->told.badge;
	if (ev->badge != 0)
		memcpy(ev->result.stream, ev->request->stream, sizeof ev->result.stream);
	for (unsigned i = 0; i < j->names.n; i++)
		labels_add(&ev->label_names, j->names.names[i]);
	if (j->k != NULL)
		labels_set_unknown(&ev->result.labels); /* until the supervisor says it, in whose place nobody can */
	r = r < 0 ? r : judged_tell(j, ev->sock, ev->request, times.keep_ns / 1000000, e);
	return r < 0 ? r : judged_hold(j, &ev->badge_fd, e);
}

/* Who observes, before anything is asked for that depends on it. Whoever left the choice gets the eye where this cannot be, and where canaries are watched, of which it tells before a call is done. */
static int choose_source(struct ambit_event *ev, bool is_template, struct err *e)
{
	struct event_request *q = ev->request;
	const bool any = q->source == CELL_SOURCE_ANY;
	int r = 0;

	if (is_template || q->observe != CELL_OBSERVE_FULL || (any && q->n_decoys > 0))
		q->source = CELL_SOURCE_EYE;
	if (q->source != CELL_SOURCE_EYE && q->n_decoys > 0)
		return err_set(e, AMBIT_USAGE,
			       "--observe auto or full; `ambit canary list` shows them, and `remove` takes one away",
			       "canaries are watched by notifications, and not by eBPF");
	if (q->source != CELL_SOURCE_EYE) {
		r = ebpf_connect(&ev->ebpf_fd, any ? NULL : e);
		q->source = r < 0 ? CELL_SOURCE_EYE : CELL_SOURCE_EBPF;
	}
	ev->result.source = q->source;
	return any ? 0 : r;
}

/* To one that makes a cell; the supervisor of one that waits has another. */
static int send_ebpf(struct ambit_event *ev, struct err *e)
{
	int r = 0;

	if (ev->ebpf_fd >= 0)
		r = wire_send(ev->sock, WIRE_EVENT_EBPF, NULL, &ev->ebpf_fd, 1);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor ended at once") : 0;
}

static int send_trees(struct ambit_event *ev, const struct sibling_trees *t, struct err *e)
{
	uint8_t room[4 + 4 * SIBLING_TREES_MAX];
	struct buf b;
	int r;

	if (t == NULL)
		return 0;
	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, t->uid);
	for (uint32_t i = 0; i < t->n; i++)
		buf_put_u32(&b, t->grant[i]);
	r = wire_send(ev->sock, WIRE_EVENT_TREES, &b, t->fd, t->n);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor ended at once") : 0;
}

static int send_request(struct ambit_event *ev, const struct event_plan *plan, enum wire_number how, struct err *e)
{
	auto_fd int request_fd = -1;
	int fds[FD_PASS_MAX], r;
	size_t n = 1;
	uint32_t present = 0;
	uint8_t body[8];
	struct buf b;

	r = sealed_request(ev, plan, &request_fd, e);
	if (r < 0)
		return r;
	fds[0] = request_fd;
	for (unsigned i = 0; i < 3; i++)
		if (ev->streams.cell_fd[i] >= 0) {
			present |= 1u << i;
			fds[n++] = ev->streams.cell_fd[i];
		}
	if (plan->program_fd >= 0) {
		present |= EVENT_HAS_PROGRAM;
		fds[n++] = plan->program_fd;
	}
	if (plan->recorded) {
		present |= EVENT_HAS_LEDGER;
		fds[n++] = plan->ledger_fd;
	}
	if (ev->network.relay != NULL) {
		present |= EVENT_HAS_NETWORK;
		fds[n++] = ev->network.relay_fd;
		fds[n++] = ev->network.dialer_fd;
	}
	if (ev->streams.cell_fd[STREAM_CODE] >= 0) {
		present |= EVENT_HAS_CODE;
		fds[n++] = ev->streams.cell_fd[STREAM_CODE];
		fds[n++] = ev->streams.cell_fd[STREAM_RESULT];
	}
	if (how == WIRE_EVENT_START && !plan->is_template && plan->template != NULL &&
	    template_serves(plan->template, ev->request, &ev->program)) {
		present |= EVENT_HAS_TEMPLATE;
		fds[n++] = plan->template->sock;
		fds[n++] = event_cell(plan->template->ev);
		ev->from = template_hold(plan->template);
		ev->from->copies++;
	}
	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, present);
	buf_put_u32(&b, (plan->command_line && how == WIRE_EVENT_START ? EVENT_COMMAND_LINE : 0) |
				(plan->stays ? EVENT_STAYS : 0) | (plan->reached ? EVENT_REACHED : 0) |
				(plan->waits ? EVENT_WAITS : 0) | (plan->is_template ? EVENT_TEMPLATE : 0));
	r = wire_send(ev->sock, how, &b, fds, n);
	/* else they are sent again: another cell may be made when it is known what runs. Not of a template: what it was not there to take would be here for ever, with the streams of an event */
	if (r == 0 && (!ev->waits || plan->is_template))
		streams_handed_over(&ev->streams);
	fd_close(&ev->network.relay_fd);
	fd_close(&ev->network.dialer_fd);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor ended at once") : 0;
}

static int start_supervisor(struct ambit_event *ev, struct err *e)
{
	auto_fd int exe = -1, theirs = -1;
	int pair[2], r;

	r = helper_open("ambit-supervisor", &exe, e);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for the supervisor");
	ev->sock = pair[0];
	theirs = pair[1];
	(void)fd_set_nonblock(ev->sock, true); /* a request fits the socket's buffer */
	return helper_start(exe, "ambit-supervisor", theirs, &ev->pidfd, e);
}

struct interests {
	struct {
		int fd;
		uint32_t events;
	} list[EVENT_WATCHED_MAX];
	size_t n;
};

static void add_interest(void *user, int fd, uint32_t events)
{
	struct interests *in = user;

	for (size_t i = 0; i < in->n; i++)
		if (in->list[i].fd == fd) {
			in->list[i].events |= events;
			return;
		}
	if (in->n < sizeof in->list / sizeof in->list[0]) {
		in->list[in->n].fd = fd;
		in->list[in->n++].events = events;
	}
}

/* Before any of them may be closed: of one that a fork has a copy of, epoll would go on to tell, and its number may be another thread's by then. */
static void watch_nothing(struct ambit_event *ev)
{
	for (size_t i = 0; i < ev->n_watched; i++)
		(void)epoll_ctl(ev->epoll_fd, EPOLL_CTL_DEL, ev->watched[i].fd, NULL); /* it is there */
	ev->n_watched = 0;
}

static bool is_gone(const struct ambit_event *ev)
{
	struct pollfd p = { .fd = ev->sock, .events = 0 };

	return poll(&p, 1, 0) != 0;
}

/* Whether the interpreter that was started is what would be started now, and there is nothing that it should have had from the beginning. */
static bool fits_program(const struct ambit_event *ready, const struct ambit_event *ev)
{
	if (ready->request->kind == KIND_RUN)
		return true;
	return ready->request->kind == ev->request->kind && ev->reads_nothing &&
	       buf_is_same(&ready->program, &ev->program);
}

/* Whether its cell is the one that ev needs. What the supervisor knows better, it looks at again. */
static bool fits(const struct ambit_event *ready, const struct ambit_event *ev)
{
	return fits_program(ready, ev) && ready->is_ready && !ready->told_end && !is_gone(ready) &&
	       !network_roles_are_needed(&ev->request->grants) && request_same_cell(ready->request, ev->request);
}

/* With the supervisor of the one that waits, or another one, or that which the daemon gave; the first has gone before the second makes what has the same name. What is left of one whose supervisor
 * was taken is *ret_rest's: it can be freed when that is at work. */
static enum wire_number find_supervisor(struct ambit_event *ev, const struct event_plan *plan,
					struct ambit_event *ready, struct ambit_event **ret_rest, int *ret,
					struct err *e)
{
	if (ready != NULL && fits(ready, ev)) {
		watch_nothing(ready);
		ev->sock = steal_fd(&ready->sock);
		ev->pidfd = steal_fd(&ready->pidfd);
		if (ready->request->kind != KIND_RUN)
			streams_adopt(&ev->streams, &ready->streams);
		ev->from = steal_ptr(&ready->from);
		*ret_rest = ready;
		*ret = 0;
		return WIRE_EVENT_GO;
	}
	event_free_by(ready, clock_ms() + READY_LEAVE_MS);
	*ret = 0;
	if (pool_take(ev, plan))
		return WIRE_EVENT_GO;
	*ret = start_supervisor(ev, e);
	return WIRE_EVENT_START;
}

/* What the daemon gave may have gone since: then it is as if it had given nothing, under another name. */
static int ask_supervisor(struct ambit_event *ev, const struct event_plan *plan, enum wire_number how, struct err *e)
{
	int r = how == WIRE_EVENT_START ? send_ebpf(ev, e) : 0;

	r = r < 0 ? r : send_request(ev, plan, how, e);
	if (r != -AMBIT_GONE || how != WIRE_EVENT_GO || !plan->pooled)
		return r;
	fd_close(&ev->sock);
	fd_close(&ev->pidfd);
	r = event_new_id('e', ev->result.started_ns / 1000000, ev->result.event);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot get random numbers");
	memcpy(ev->request->event, ev->result.event, sizeof ev->request->event);
	r = start_supervisor(ev, e);
	r = r < 0 ? r : send_ebpf(ev, e);
	return r < 0 ? r : send_request(ev, plan, WIRE_EVENT_START, e);
}

static bool tells_early(const struct ambit_event *ev)
{
	return ev->started && ev->early != 0;
}

/* Tells epoll what is waited for now. Few descriptors, few changes: taken out and put in again. */
static void watch_again(struct ambit_event *ev)
{
	struct interests in = { .n = 0 };

	if (ev->result.ended)
		return;
	if (!ev->told_end)
		add_interest(&in, ev->sock,
			     ev->kill_wanted || tells_early(ev) || delegate_is_untold(ev) ? POLLIN | POLLOUT : POLLIN);
	delegate_interests(ev, add_interest, &in);
	if (ev->talk != NULL)
		add_interest(&in, stage_talk_fd(ev->talk), POLLIN);
	if (!ev->waits)
		streams_interests(&ev->streams, add_interest, &in);
	for (size_t i = 0; i < in.n; i++) {
		struct epoll_event want = { .events = in.list[i].events };
		int fd = in.list[i].fd;

		if (epoll_ctl(ev->epoll_fd, EPOLL_CTL_ADD, fd, &want) < 0 && errno == EPERM) {
			fd = ev->always_fd; /* a regular file is always ready */
			want.events = EPOLLIN;
			(void)epoll_ctl(ev->epoll_fd, EPOLL_CTL_ADD, fd, &want);
		}
		ev->watched[ev->n_watched].fd = fd;
		ev->watched[ev->n_watched++].events = want.events;
	}
}

static bool is_whole(const struct ambit_event *ev, const struct event_plan *plan)
{
	return ev != NULL && ev->argv != NULL && ev->epoll_fd >= 0 && ev->always_fd >= 0 &&
	       (!plan->recorded || (ev->ledger_fd >= 0 && ev->ledger_dir_fd >= 0));
}

static int no_room(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory or descriptors for an event");
}

static bool captures(const struct event_plan *plan)
{
	return plan->stream[1] == AMBIT_STREAM_CAPTURE || plan->stream[2] == AMBIT_STREAM_CAPTURE;
}

int event_start_beside(const struct event_plan *plan, struct sibling_ask *a, struct ambit_event **ret, struct err *e)
{
	struct ambit_event *ev = event_new(plan);
	int r = is_whole(ev, plan) ? streams_open(&ev->streams, plan->stream, plan->stream_fd, false, false, e)
				   : no_room(e);

	r = r < 0 ? r : delegate_ask(plan, a, ev->streams.cell_fd, &ev->sock, e);
	if (r < 0) {
		ambit_event_free(ev);
		return r;
	}
	ev->is_beside = true;
	ev->result.captured = captures(plan);
	streams_handed_over(&ev->streams);
	watch_again(ev);
	*ret = ev;
	return 0;
}

int event_start(const struct event_plan *plan, struct ambit_event **ret, struct err *e)
{
	/* of code always: an interpreter that waits gets its pipes before it is known where they lead */
	const bool relay_all = plan->request->limits.value[LIMIT_OUTPUT] != 0 || plan->asked != NULL;
	struct ambit_event *ev = event_new(plan), *ready = plan->ready, *rest = NULL;
	__attribute__((cleanup(judged_finish))) struct judged judged = { .k = NULL };
	enum wire_number how = WIRE_EVENT_START;
	int r;

	if (delegate_is_cell()) { /* the kernel would refuse as well, and say less */
		event_free_by(ready, clock_ms() + READY_LEAVE_MS);
		ambit_event_free(ev);
		return delegate_refused(e);
	}
	if (!is_whole(ev, plan)) {
		event_free_by(ready, clock_ms() + READY_LEAVE_MS);
		ambit_event_free(ev);
		return no_room(e);
	}
	r = streams_open(&ev->streams, plan->stream, plan->stream_fd, plan->terminal, relay_all, e);
	ev->request->flags |= ev->streams.tty;
	streams_terminal(&ev->streams, plan->stream_fd, &ev->request->terminal);
	ev->result.kernel.is = plan->kernel;
	ev->result.captured = captures(plan);
	if (r == 0 && plan->is_template)
		streams_lend(&ev->streams, &plan->template->theirs, &plan->template->loaded);
	else if (r == 0 && plan->asked != NULL)
		r = (plan->kernel ? streams_open_kernel : streams_open_code)(
			&ev->streams,
			&(struct stream_code){ .kind = (enum event_kind)ev->request->kind,
					       .source = plan->asked[1],
					       .shows = plan->shows,
					       .result_fd = plan->result_fd,
					       .most = ev->request->limits.value[LIMIT_DISK] },
			e);
	r = r < 0 ? r : choose_source(ev, plan->is_template, e);
	r = r < 0 ? r : name_everything(ev, plan->names, e);
	if (r == 0 && plan->reached &&
	    !plan->waits) /* a role of ours is nobody's; what only waits has touched nothing yet */
		r = judged_begin(&judged, ev->request, ev->argv, plan->caller, e);
	ev->grants = steal_ptr(&judged.grants);
	if (r == 0)
		how = find_supervisor(ev, plan, steal_ptr(&ready), &rest, &r, e);
	if (r == 0 && network_roles_are_needed(&ev->request->grants))
		r = network_roles_start(&ev->network, e);
	if (r == 0 && network_wants_agent(&ev->request->grants))
		r = network_agent_start(&ev->network, ev->request->home, e);
	r = r < 0 ? r : network_http_start(&ev->network, &ev->request->grants, plan->renews, e);
	r = r < 0 ? r : send_agent(ev, e);
	r = r < 0 ? r : send_trees(ev, plan->trees, e);
	r = r < 0 ? r : send_http(ev, e);
	r = r < 0 ? r : send_authority(ev, &judged, e);
	r = r < 0 ? r : ask_supervisor(ev, plan, how, e);
	fd_close(&ev->ebpf_fd);
	ambit_event_free(rest);
	if (r < 0) {
		event_free_by(ready, clock_ms() + READY_LEAVE_MS);
		ambit_event_free(ev);
		return r;
	}
	watch_again(ev);
	*ret = ev;
	return 0;
}

/* Where writes go, unless the supervisor says more at the end. */
static enum event_workspace workspace_of(const struct event_request *q, enum event_workspace if_staged)
{
	for (uint32_t i = 0; i < q->grants.count && !request_shares_trees(q); i++) /* whose changes are its caller's */
		if ((q->grants.grants[i].rights & RIGHT_WRITE) != 0)
			return q->staged != 0 ? if_staged : WORKSPACE_DIRECT;
	return WORKSPACE_NONE;
}

static void on_started(struct ambit_event *ev, struct wire_message *m)
{
	ev->result.workspace = workspace_of(ev->request, WORKSPACE_NONE);
	ev->result.achieved = rbuf_u64(&m->body);
	ev->copied = rbuf_u64(&m->body) != 0;
	if (m->n_fds == 1)
		ev->terminal_fd = steal_fd(&m->fds[0]);
	ev->started = true;
	streams_give_code(&ev->streams);
}

static void on_ready(struct ambit_event *ev, struct wire_message *m)
{
	ev->is_ready = true;
	if (m->n_fds == 1)
		ev->cell_pidfd = steal_fd(&m->fds[0]);
}

bool event_went_without(const struct ambit_event *ev)
{
	return ev != NULL && ev->from != NULL && ev->started && !ev->copied;
}

bool event_was_copied(const struct ambit_event *ev)
{
	return ev != NULL && ev->started && ev->copied;
}

int event_cell(const struct ambit_event *ev)
{
	return ev->cell_pidfd;
}

static void on_listening(struct ambit_event *ev, struct wire_message *m)
{
	struct event_result *r = &ev->result;

	while (rbuf_left(&m->body) > 0 && r->n_ports < LINK_LISTENS_MAX) {
		r->ports[r->n_ports].grant = rbuf_u32(&m->body);
		r->ports[r->n_ports++].port = (uint16_t)rbuf_u32(&m->body); /* of 16 bits */
	}
}

bool event_listens(struct ambit_event *ev)
{
	const bool tells = ev->result.n_ports > 0 && !ev->told_ports;

	ev->told_ports = ev->result.n_ports > 0;
	return tells;
}

static void on_effects(struct ambit_event *ev, struct wire_message *m)
{
	struct event_result *r = &ev->result;
	struct effect f;

	while (rbuf_left(&m->body) > 0) {
		struct effect *grown;

		effect_decode(&m->body, &f);
		if (m->body.failed || r->n_effects >= EFFECTS_MAX)
			return;
		if ((r->n_effects & (r->n_effects - 1)) == 0) { /* grows at powers of two */
			grown = realloc(r->effects, (r->n_effects == 0 ? 1 : 2 * r->n_effects) * sizeof *grown);
			if (grown == NULL) {
				r->effects_dropped++;
				continue;
			}
			r->effects = grown;
		}
		r->effects[r->n_effects++] = f;
	}
}

static void on_withdrawn(struct ambit_event *ev, struct wire_message *m)
{
	const uint32_t grant = rbuf_u32(&m->body);
	const uint64_t ms = rbuf_u64(&m->body);

	if (grant < ev->request->grants.count && ms <= UINT64_MAX / 1000000)
		ev->result.withdrawn_ns[grant] = ms * 1000000;
}

static void on_frozen(struct ambit_event *ev, struct wire_message *m)
{
	ev->frozen = rbuf_u32(&m->body) != 0;
	ev->result.frozen_ms = rbuf_u64(&m->body);
}

bool event_is_frozen(const struct ambit_event *ev)
{
	return ev->frozen && !ev->told_end;
}

/* One that was made since it began has a bit, and no name yet. */
static void take_labels(struct ambit_event *ev, uint64_t bits)
{
	struct labels *ret = &ev->result.labels;
	const char *at = ev->label_names.text;
	char name[FLOW_LABEL_MAX];

	ev->result.label_bits = bits;
	ret->text[0] = 0;
	for (; bits != 0 && labels_next(&at, name); bits >>= 1)
		if ((bits & 1) != 0)
			labels_add(ret, name);
	if (bits != 0)
		labels_set_unknown(ret);
}

static void on_ended(struct ambit_event *ev, struct wire_message *m)
{
	struct event_result *r = &ev->result;
	struct event_outcome o;

	memset(&o, 0, sizeof o);
	outcome_decode(&m->body, &o);
	o.labels = rbuf_u64(&m->body);
	o.canaries = rbuf_u64(&m->body);
	event_trace_end(ev, m);
	ev->told_end = true;
	if (m->body.failed) {
		r->cause = CAUSE_LOST;
		return;
	}
	r->cause = o.cause;
	r->limit = o.limit;
	r->usage = o.usage;
	on_effects(ev, m); /* the last of them, behind the outcome */
	r->effects_dropped += o.effects_dropped;
	r->base_effects = o.base_effects;
	take_labels(ev, o.labels);
	canaries_touched(ev, o.canaries);
	if (o.workspace != WORKSPACE_NONE)
		r->workspace = o.workspace;
	if (o.cause == CAUSE_EXITED && WIFSIGNALED(o.status))
		r->signal = WTERMSIG(o.status);
	else if (o.cause == CAUSE_EXITED)
		r->exit_status = WEXITSTATUS(o.status);
}

static void on_refused(struct ambit_event *ev, struct wire_message *m)
{
	ev->told_end = true;
	ev->result.cause = CAUSE_REFUSED;
	take_labels(ev, ev->request->labels);
	(void)wire_take_error(&m->body, &ev->result.error); /* which it is, or that it is none */
}

static void lost(struct ambit_event *ev)
{
	ev->told_end = true;
	ev->result.cause = CAUSE_LOST;
	if (ev->is_beside) /* its changes are its caller's */
		return;
	ev->result.workspace = workspace_of(ev->request, WORKSPACE_KEPT);
	ev->result.stage.end.why = STAGE_WHY_LOST;
}

static void on_done(struct ambit_event *ev, struct wire_message *m)
{
	ev->told_end = true;
	delegate_done(m, &ev->result);
}

static void take_messages(struct ambit_event *ev)
{
	while (!ev->told_end) {
		auto_message m = { .n_fds = 0 };
		const int r = wire_receive(ev->sock, WIRE_SUPERVISOR, WIRE_NEW | WIRE_BUILDING | WIRE_RUNNING, ev->room,
					   sizeof ev->room, &m);

		if (r == -EAGAIN)
			return;
		if (r <= 0 || ev->is_beside != (m.number == WIRE_DELEGATE_DONE))
			lost(ev);
		else if (ev->is_beside)
			on_done(ev, &m);
		else if (m.number == WIRE_EVENT_STARTED)
			on_started(ev, &m);
		else if (m.number == WIRE_EVENT_READY)
			on_ready(ev, &m);
		else if (m.number == WIRE_EVENT_STEP_TOLD)
			event_step_told(ev, &m);
		else if (m.number == WIRE_EVENT_LISTENING)
			on_listening(ev, &m);
		else if (m.number == WIRE_EVENT_STOPPED)
			ev->stopped = true;
		else if (m.number == WIRE_EVENT_WITHDRAWN)
			on_withdrawn(ev, &m);
		else if (m.number == WIRE_EVENT_FROZEN)
			on_frozen(ev, &m);
		else if (m.number == WIRE_EVENT_EFFECTS)
			on_effects(ev, &m);
		else if (m.number == WIRE_EVENT_TRACE)
			event_trace_piece(ev, &m);
		else if (m.number == WIRE_EVENT_DELEGATE)
			delegate_begin(ev, &m);
		else if (m.number == WIRE_EVENT_DELEGATE_END)
			delegate_kill(ev, rbuf_u32(&m.body));
		else if (m.number == WIRE_EVENT_ENDED)
			on_ended(ev, &m);
		else
			on_refused(ev, &m);
	}
}

/* The limit on output is kept here, where the output passes, and so is that on the disk for the files to which it passes:
 * the cell has not written them itself. */
static void bound_output(struct ambit_event *ev)
{
	const uint64_t *limit = ev->request->limits.value;
	const bool over_output = limit[LIMIT_OUTPUT] != 0 && streams_output_total(&ev->streams) > limit[LIMIT_OUTPUT];
	const bool over_disk = limit[LIMIT_DISK] != 0 && streams_file_total(&ev->streams) > limit[LIMIT_DISK];

	if (ev->over_output || ev->over_disk || ev->told_end || (!over_output && !over_disk))
		return;
	ev->over_output = over_output;
	ev->over_disk = !over_output;
	ev->kill_wanted = true;
}

static int send_number(struct ambit_event *ev, enum wire_number number, uint32_t value)
{
	uint8_t room[4];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, value);
	return wire_send(ev->sock, number, &b, NULL, 0);
}

/* Of 1 to 64. */
static uint64_t signal_bit(int signal_number)
{
	return UINT64_C(1) << (signal_number - 1);
}

static bool tell_kill(struct ambit_event *ev)
{
	return (ev->is_beside ? shutdown(ev->sock, SHUT_WR) : send_number(ev, WIRE_EVENT_KILL, 0)) == 0;
}

/* What has no room waits for it (watch_again). A supervisor that is gone shows by itself. */
static void tell_waiting(struct ambit_event *ev)
{
	if (ev->told_end)
		return;
	if (ev->kill_wanted && tell_kill(ev))
		ev->kill_wanted = false;
	for (unsigned n = 1; n <= 64 && tells_early(ev); n++)
		if ((ev->early & signal_bit((int)n)) != 0 && send_number(ev, WIRE_EVENT_SIGNAL, n) == 0)
			ev->early &= ~signal_bit((int)n);
}

static bool has_succeeded(const struct ambit_event *ev)
{
	const struct event_result *r = &ev->result;

	return r->cause == CAUSE_EXITED && r->signal == 0 && r->exit_status == 0 && !ev->over_output &&
	       !ev->over_disk && !r->usual.holds && (!r->strict || !result_was_denied(r));
}

/* It has failed, and was not only held. */
static bool has_failed(const struct ambit_event *ev)
{
	const struct event_result *r = &ev->result;

	return !has_succeeded(ev) &&
	       !(r->usual.holds && r->cause == CAUSE_EXITED && r->signal == 0 && r->exit_status == 0);
}

static void cannot_settle(struct ambit_event *ev)
{
	ev->result.workspace = WORKSPACE_KEPT; /* who looks at it next syncs it */
	if (ev->result.stage.end.why == STAGE_WHY_NONE)
		ev->result.stage.end.why = STAGE_WHY_HELD;
}

/* What the event changed is committed, kept or thrown away: asked of a role of its own, which outlives us if it must. */
static void begin_to_settle(struct ambit_event *ev)
{
	struct event_result *r = &ev->result;
	struct stage_ask ask;
	int failed = stage_ask_init(&ask, STAGE_OP_SETTLE, &r->stage_error);

	if ((ev->changes & AMBIT_CHANGES_UNHASHED) == 0 || ev->ledger.key[0] != 0)
		ask.flags = STAGE_FLAG_DIGESTS;
	ask.conflict = ev->conflict;
	if (ev->wait_ms > 0)
		ask.wait_ms = ev->wait_ms;
	if (has_succeeded(ev) && (ev->changes & AMBIT_CHANGES_STAGE) == 0)
		ask.flags |= STAGE_FLAG_COMMIT;
	else if (has_failed(ev) && (ev->changes & AMBIT_CHANGES_DISCARD) != 0)
		ask.flags |= STAGE_FLAG_DISCARD;
	if (r->usual.holds) /* also where it failed: who commits it all the same is to see it */
		ask.why = STAGE_WHY_UNUSUAL;
	else if (r->cause == CAUSE_EXITED && r->exit_status == 0 && r->signal == 0 && !has_succeeded(ev))
		ask.why = STAGE_WHY_DENIED;
	memcpy(ask.store, ev->request->store, sizeof ask.store); /* the same size */
	memcpy(ask.event, r->event, sizeof ask.event);
	failed = failed < 0 ? failed : stage_talk_start(&ask, -1, &ev->talk, &r->stage_error);
	if (failed < 0)
		cannot_settle(ev);
}

static void settle(struct ambit_event *ev)
{
	struct event_result *r = &ev->result;
	int done;

	if (ev->badge != 0 && result_asked_to_connect(r))
		standing_waits(ev->request->store, ev->badge, r->asked);
	if (ev->badge != 0)
		closing_of(ev->request->store, ev->badge, r);
	if (ev->badge != 0)
		(void)judged_over(ev->request, &r->stage_error);
	ev->badge = 0;
	if (ev->talk == NULL && !r->usual.judged) {
		r->out_total = ev->streams.relay[1].total; /* as far as it was read: complete has all */
		r->err_total = ev->streams.relay[2].total;
		canaries_settle(ev);
		usual_event(ev);
	}
	if (ev->talk == NULL && r->workspace == WORKSPACE_STAGED)
		begin_to_settle(ev);
	if (ev->talk == NULL)
		return;
	done = stage_talk_step(ev->talk, &r->stage_error);
	if (done == 0)
		return;
	r->stage = *stage_talk_answer(ev->talk); /* handed over, storage and all */
	*stage_talk_answer(ev->talk) = (struct stage_answer){ .changes = NULL };
	r->workspace = r->stage.end.workspace;
	if (done < 0)
		cannot_settle(ev);
	stage_talk_free(ev->talk);
	ev->talk = NULL;
}

const struct stage_answer *event_waiting(struct ambit_event *ev)
{
	if (ev->talk == NULL || ev->told_wait || !stage_talk_answer(ev->talk)->waits)
		return NULL;
	ev->told_wait = true;
	return stage_talk_answer(ev->talk);
}

static bool is_settled(const struct ambit_event *ev)
{
	return ev->talk == NULL && ev->result.workspace != WORKSPACE_STAGED;
}

bool event_settles(const struct ambit_event *ev)
{
	return ev->told_end && !ev->result.ended;
}

void event_change(struct ambit_event *ev, unsigned changes)
{
	ev->changes = changes;
}

unsigned event_changes(const struct ambit_event *ev)
{
	return ev->changes;
}

int event_lost_output(const struct ambit_event *ev)
{
	return streams_lost(&ev->streams);
}

int event_wait_fd(const struct ambit_event *ev)
{
	return ev->result.ended ? ev->pidfd : ev->epoll_fd;
}

bool event_is_gone(const struct ambit_event *ev)
{
	struct pollfd p = { .fd = ev->pidfd, .events = POLLIN };

	return ev->result.ended && (ev->pidfd < 0 || poll(&p, 1, 0) == 1);
}

bool event_leaves(const struct ambit_event *ev)
{
	const enum event_cause cause = ev->result.cause;

	return ev->result.ended && cause != CAUSE_REFUSED && cause != CAUSE_LOST &&
	       !network_roles_are_needed(&ev->request->grants);
}

/* Says in the result what the exit status does not. */
static void fail_if_strict(struct event_result *r)
{
	if (!r->strict || r->cause != CAUSE_EXITED || r->exit_status != 0 || !result_was_denied(r))
		return;
	if (result_has_denial(r))
		(void)err_set(&r->error, AMBIT_DENIED, NULL, "something was denied, and it is strict");
	else
		(void)err_set(
			&r->error, AMBIT_DENIED, "split the command, so that each has fewer effects",
			"there were more effects than a record takes, and it is strict: a denial may be among them");
}

static void complete(struct ambit_event *ev)
{
	struct event_result *r = &ev->result;

	fail_if_strict(r);
	r->ended = true;
	r->ended_ns = unix_ns();
	fd_close(&ev->badge_fd);
	if ((ev->over_output || ev->over_disk) && r->cause == CAUSE_KILLED) {
		r->cause = CAUSE_LIMIT;
		r->limit = ev->over_output ? LIMIT_OUTPUT : LIMIT_DISK;
	}
	streams_give_back(&ev->streams);
	r->out = ev->streams.relay[1].kept; /* handed over, storage and all */
	r->err = ev->streams.relay[2].kept;
	buf_init(&ev->streams.relay[1].kept, 0);
	buf_init(&ev->streams.relay[2].kept, 0);
	r->out_total = ev->streams.relay[1].total;
	r->err_total = ev->streams.relay[2].total;
	event_keep_record(ev);
}

int ambit_event_step(struct ambit_event *ev, struct ambit_error *e)
{
	(void)e; /* how an event ended is its result, not an error of asking */
	if (ev->result.ended)
		return 1;
	watch_nothing(ev);
	if (!ev->waits)
		streams_step(&ev->streams);
	take_messages(ev);
	bound_output(ev);
	tell_waiting(ev);
	delegate_step(ev);
	if (ev->told_end) {
		streams_give_code(&ev->streams); /* it may never have started */
		streams_end_steps(&ev->streams);
		if (!ev->waits)
			streams_step(&ev->streams);
		if (delegate_is_over(ev)) /* they work in what is settled */
			settle(ev);
		if ((ev->waits || streams_drained(&ev->streams)) && is_settled(ev) && delegate_is_over(ev))
			complete(ev);
	}
	watch_again(ev);
	return ev->result.ended ? 1 : 0;
}

int ambit_event_wait(struct ambit_event *ev, struct ambit_error *e)
{
	for (;;) {
		struct pollfd p = { .fd = ev->epoll_fd, .events = POLLIN };
		const int r = ambit_event_step(ev, e);

		if (r != 0)
			return r < 0 ? r : 0;
		(void)poll(&p, 1, -1); /* interrupted: step looks again */
	}
}

int ambit_event_fd(const struct ambit_event *ev)
{
	return ev->epoll_fd;
}

int ambit_event_terminal(struct ambit_event *ev)
{
	return steal_fd(&ev->terminal_fd);
}

void event_set_ledger(struct ambit_event *ev, const struct ledger_hello *hello)
{
	ev->ledger = *hello;
}

const char *ambit_event_labels(const struct ambit_event *ev)
{
	return ev->is_beside || labels_are_unknown(&ev->result.labels) ? NULL : ev->result.labels.text;
}

const char *ambit_event_ledger(const struct ambit_event *ev)
{
	return ev->ledger.key[0] != 0 ? ev->request->ledger : NULL;
}

const char *ambit_event_ledger_key(struct ambit_event *ev, int *ret_is_new)
{
	*ret_is_new = ev->ledger.is_named ? 2 : ev->ledger.is_new;
	return ev->ledger.key[0] != 0 ? ev->ledger.key : NULL;
}

int ambit_event_stopped(struct ambit_event *ev)
{
	const bool stopped = ev->stopped;

	ev->stopped = false;
	return stopped ? 1 : 0;
}

static int has_ended(struct ambit_error *ret)
{
	struct err e;

	return public_error(ret, err_set(&e, AMBIT_GONE, NULL, "the event has ended"), &e);
}

/* Before the program is there, nobody can get it; stopping and continuing undo each other, as in the kernel. */
static int keep_signal(struct ambit_event *ev, int signal_number)
{
	const uint64_t stops = signal_bit(SIGSTOP) | signal_bit(SIGTSTP);

	if (signal_number < 1 || signal_number > 64)
		return 1; /* there is none, and 0 tells a program that is not there nothing */
	if (signal_number == SIGCONT)
		ev->early &= ~stops;
	if ((stops & signal_bit(signal_number)) != 0)
		ev->early &= ~signal_bit(SIGCONT);
	ev->early |= signal_bit(signal_number);
	return 1;
}

int ambit_event_signal(struct ambit_event *ev, int signal_number, struct ambit_error *e)
{
	struct err why;
	int r;

	if (ev->told_end)
		return has_ended(e);
	if (ev->is_beside)
		return public_error(
			e,
			err_set(&why, AMBIT_UNAVAILABLE, "ambit_event_kill ends it", "a sub-agent is sent no signals"),
			&why);
	if (!ev->started)
		return keep_signal(ev, signal_number);
	r = send_number(ev, WIRE_EVENT_SIGNAL, (uint32_t)signal_number);
	if (r == -EAGAIN)
		return public_error(e, err_set(&why, AMBIT_LIMIT, "try again", "more signals come than it takes"),
				    &why);
	return r < 0 ? has_ended(e) : 0;
}

int ambit_event_kill(struct ambit_event *ev, struct ambit_error *e)
{
	if (ev->told_end)
		return has_ended(e);
	ev->kill_wanted = true;
	watch_nothing(ev);
	tell_waiting(ev);
	watch_again(ev);
	return 0;
}

void event_steps_end(struct ambit_event *ev)
{
	watch_nothing(ev);
	streams_end_steps(&ev->streams);
	watch_again(ev);
}

int ambit_event_exit_status(const struct ambit_event *ev)
{
	const struct event_result *r = &ev->result;

	if (r->unrecorded.code != AMBIT_OK)
		return 125;
	switch (r->cause) {
	case CAUSE_EXITED:
		if (result_is_held(r))
			return 123;
		if (r->signal != 0)
			return 128 + r->signal;
		return r->exit_status == 0 ? err_code_exit((int)r->error.code) : r->exit_status; /* it may be strict */
	case CAUSE_LIMIT: return r->limit == LIMIT_WALL ? 124 : 125;
	case CAUSE_KILLED: return 128 + 9;
	case CAUSE_CANARY:
	case CAUSE_REFUSED: return err_code_exit((int)r->error.code);
	case CAUSE_LOST: break;
	}
	return 125;
}

bool event_has_started(const struct ambit_event *ev)
{
	return ev->started || ev->told_end;
}

bool event_is_ready(const struct ambit_event *ev)
{
	return ev->is_ready && !ev->told_end;
}

void event_abandon(struct ambit_event *ev)
{
	(void)syscall(SYS_pidfd_send_signal, ev->pidfd, SIGKILL, NULL, 0); /* gone already is as good */
}

const struct event_result *event_result(const struct ambit_event *ev)
{
	return &ev->result;
}

char *event_agent(struct ambit_event *ev)
{
	return ev->result.agent;
}
