/* ambit-session: keeps one session while it is in use. It has the person's authority, as `ambit run` has, and parses nothing but our own messages of fixed size.
 * Descriptor 3 is the daemon's connection, whose end is ours: what runs then is interrupted. The environment is that of who started the daemon, of which the
 * library takes where things are kept. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "session/keep.h"

#define DAEMON_FD 3
#define REST_MS 2000  /* without anything to do, before it asks to go */
#define AGAIN_MS 1000 /* until what could not be written down is tried again */
#define ROLE_FDS 2    /* with a client: its connection, and what is to be the same as the session's description */

struct role {
	struct keep *keep;
	struct err why;          /* code AMBIT_OK: the session is open */
	uint64_t rests_since_ms; /* 0: it does not */
	int reserve
		[ROLE_FDS]; /* owned: with which a client can be taken in any case, to be told that there are no more; -1 */
	int alarm_fd;       /* owned, -1 */
	struct pollfd polled[2 + KEEP_POLL_MAX];
};

static int take_session(struct role *r)
{
	auto_message m = { .n_fds = 0 };
	struct serve_name name;
	int n = wire_receive(DAEMON_FD, WIRE_DAEMON, WIRE_NEW, r->keep->room, sizeof r->keep->room, &m);

	if (n <= 0 || !serve_name_take(&m.body, &name))
		return -1;
	if (keep_begin(r->keep, m.fds[0], name.session, m.n_fds == 2 ? m.fds[1] : -1, &r->why) == 0)
		r->why.code = AMBIT_OK;
	return 0;
}

/* Whether it is whole. */
static bool take_reserve(struct role *r)
{
	bool whole = true;

	for (unsigned i = 0; i < ROLE_FDS; i++) {
		if (r->reserve[i] < 0)
			r->reserve[i] = fcntl(DAEMON_FD, F_DUPFD_CLOEXEC, 3);
		whole = whole && r->reserve[i] >= 0;
	}
	return whole;
}

static void open_reserve(struct role *r)
{
	for (unsigned i = 0; i < ROLE_FDS; i++)
		fd_close(&r->reserve[i]);
}

/* false: the daemon went. */
static bool hear_daemon(struct role *r)
{
	const struct err *why = r->why.code != AMBIT_OK ? &r->why : NULL;
	auto_message m = { .n_fds = 0 };
	struct err e;
	int n;

	open_reserve(r);
	n = wire_receive(DAEMON_FD, WIRE_DAEMON, WIRE_RUNNING, r->keep->room, sizeof r->keep->room, &m);
	if (n > 0 && m.number != WIRE_ROLE_CLIENT)
		return false;
	if (n > 0 && why == NULL && m.n_fds == 2 && keep_check_same(r->keep, m.fds[1], &e) < 0)
		why = &e;
	if (m.n_fds == 2)
		fd_close(&m.fds[1]);
	if (!take_reserve(r) && n > 0 && why == NULL) {
		(void)err_set(&e, AMBIT_LIMIT, "try again, or raise the limit of open files (ulimit -Hn)",
			      "the session's process has no descriptors left");
		why = &e;
	}
	if (n > 0)
		keep_client(r->keep, steal_fd(&m.fds[0]), why);
	return n > 0 || n == -EAGAIN;
}

static void tell_state(struct role *r)
{
	const struct keep *k = r->keep;
	const struct role_state now = { keep_running(k), k->taken, k->ended, k->failed, k->interrupted, k->denials };
	static struct role_state told = { .running = UINT64_MAX };
	uint8_t room[48];
	struct buf b;

	if (memcmp(&now, &told, sizeof now) == 0) /* numbers of one size, with nothing between them */
		return;
	buf_init_in(&b, room, sizeof room);
	role_state_put(&b, &now);
	if (wire_send(DAEMON_FD, WIRE_ROLE_STATE, &b, NULL, 0) == 0)
		told = now; /* else there was no room: with the next change, or it went */
}

/* Who has come meanwhile, and is on the way, keeps it here: the daemon counts, too. One that could not be opened stays for nobody: who tries again is heard anew. */
static void ask_to_go(struct role *r)
{
	uint8_t room[16];
	struct buf b;

	if (!keep_is_at_rest(r->keep)) {
		r->rests_since_ms = 0;
		return;
	}
	if (r->rests_since_ms == 0)
		r->rests_since_ms = clock_ms();
	if (r->why.code == AMBIT_OK && clock_ms() - r->rests_since_ms < REST_MS)
		return;
	buf_init_in(&b, room, sizeof room);
	link_number_put(&b, &(struct link_number){ .value = r->keep->came });
	(void)wire_send(DAEMON_FD, WIRE_ROLE_REST, &b, NULL, 0); /* if it has no room, later */
	r->rests_since_ms = clock_ms();
}

static bool waits_to_write(const struct keep *k)
{
	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n != 0 && k->jobs[i].row.state == EVENT_OVER)
			return true;
	return false;
}

static void loop(struct role *r)
{
	for (;;) {
		unsigned n = 2;
		int timeout;

		keep_step(r->keep);
		tell_state(r);
		keep_tell(r->keep);
		ask_to_go(r);
		timeout = keep_is_at_rest(r->keep) ? REST_MS : -1;
		r->polled[0] = (struct pollfd){ .fd = DAEMON_FD, .events = POLLIN };
		r->polled[1] = (struct pollfd){ .fd = r->alarm_fd, .events = POLLIN };
		n += keep_wants(r->keep, r->polled + 2);
		if (waits_to_write(r->keep))
			timeout = AGAIN_MS;
		if (poll(r->polled, n, clock_alarm(r->alarm_fd, keep_patience(r->keep, timeout))) < 0 && errno != EINTR)
			return;
		if (r->polled[0].revents != 0 && !hear_daemon(r))
			return;
	}
}

int main(void)
{
	static struct role r = { .reserve = { -1, -1 } };

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (fd_reserve_standard() < 0 || fd_set_cloexec(DAEMON_FD, true) < 0)
		return 2;
	fd_allow_many();
	r.alarm_fd = clock_alarm_open();
	(void)take_reserve(&r); /* it is asked again with each client */
	r.keep = calloc(1, sizeof *r.keep);
	if (r.keep == NULL || take_session(&r) < 0 || fd_set_nonblock(DAEMON_FD, true) < 0)
		return 2;
	loop(&r);
	keep_interrupt(r.keep);
	keep_finish(r.keep);
	free(r.keep);
	return 0;
}
