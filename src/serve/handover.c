#include "serve/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "lib/helper.h"
#include "session/sealed.h"

#define BYTES_MAX (PARTS_MAX + (8u << 20)) /* parts, and 512 clients with an answer each */
#define NONE UINT32_MAX
#define ANSWER_MS 5000 /* for the new program to say whether it understands us */

/* Descriptors that go on: set before the exec, and back if there is none. */
struct writer {
	struct buf bytes;
	struct {
		int fd[6 + 2 * ROLES_MAX + (3 + LINE_FDS_MAX) * CLIENTS_MAX];
		size_t n;
	} kept;
};

/* ---- writing ---- */

static void put_fd(struct writer *w, int fd)
{
	buf_put_u32(&w->bytes, fd < 0 ? NONE : (uint32_t)fd);
	if (fd >= 0)
		w->kept.fd[w->kept.n++] = fd;
}

static void put_place(struct writer *w, const struct place *p)
{
	put_fd(w, p->sessions_fd);
	put_fd(w, p->lock_fd);
	put_fd(w, p->native_fd);
	put_fd(w, p->rpc_fd);
	put_fd(w, p->run_fd);
	put_fd(w, p->run_lock_fd);
}

static void put_roles(struct writer *w, const struct roles *r)
{
	struct buf *b = &w->bytes;

	buf_put_u64(b, r->made);
	role_state_put(b, &r->gone);
	buf_put_u32(b, r->n);
	for (unsigned i = 0; i < ROLES_MAX; i++) {
		const struct session_role *s = &r->role[i];

		if (s->sock < 0)
			continue;
		buf_put_text(b, s->session, sizeof s->session);
		buf_put_u64(b, s->sent);
		role_state_put(b, &s->now);
		put_fd(w, s->sock);
		put_fd(w, s->pidfd);
	}
}

static void put_line(struct writer *w, const struct line *l)
{
	put_fd(w, l->sock);
	buf_put_u32(&w->bytes, (uint32_t)l->answer);
	buf_put_bytes(&w->bytes, l->room, l->answer != 0 ? l->n : 0);
	buf_put_u32(&w->bytes, l->n_fds);
	for (unsigned i = 0; i < l->n_fds; i++)
		put_fd(w, l->fds[i]);
}

static void put_client(struct writer *w, struct client *c)
{
	struct buf *b = &w->bytes;

	speaker_hand_on(&c->speaker);
	put_line(w, &c->line);
	put_fd(w, c->speaker.sock);
	put_fd(w, c->speaker.pidfd);
	buf_put_u32(b, (uint32_t)c->pid);
	buf_put_text(b, c->only, sizeof c->only);
	buf_put_u32(b, c->list_request);
	buf_put_text(b, c->listed, sizeof c->listed);
	buf_put_u32(b, c->told);
	buf_put_u32(b, c->reload);
	buf_put_bytes(b, c->parts.data, c->parts.len);
}

static void put_clients(struct writer *w, struct clients *c)
{
	struct buf *b = &w->bytes;

	buf_put_u64(b, c->came);
	buf_put_u64(b, c->refused);
	buf_put_u64(b, c->started_ms);
	buf_put_u64(b, c->generation);
	buf_put_u32(b, clients_now(c));
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (c->client[i].line.sock >= 0)
			put_client(w, &c->client[i]);
}

/* ---- reading: what we wrote ---- */

static bool take_fd(struct rbuf *in, int *ret)
{
	const uint32_t fd = rbuf_u32(in);

	*ret = -1;
	if (in->failed || fd == NONE)
		return !in->failed;
	if (fd > INT32_MAX || fd_set_cloexec((int)fd, true) < 0)
		return false;
	*ret = (int)fd;
	return true;
}

static bool take_place(struct rbuf *in, struct place *p)
{
	return take_fd(in, &p->sessions_fd) && take_fd(in, &p->lock_fd) && take_fd(in, &p->native_fd) &&
	       take_fd(in, &p->rpc_fd) && take_fd(in, &p->run_fd) && take_fd(in, &p->run_lock_fd) &&
	       p->sessions_fd >= 0 && p->native_fd >= 0 && p->rpc_fd >= 0;
}

static bool take_roles(struct rbuf *in, struct roles *r)
{
	uint32_t n;

	r->made = rbuf_u64(in);
	role_state_take(in, &r->gone);
	n = rbuf_u32(in);
	if (in->failed || n > ROLES_MAX)
		return false;
	for (r->n = 0; r->n < n; r->n++) {
		struct session_role *s = &r->role[r->n];

		rbuf_text(in, s->session, sizeof s->session);
		s->sent = rbuf_u64(in);
		role_state_take(in, &s->now);
		if (!take_fd(in, &s->sock) || !take_fd(in, &s->pidfd) || s->sock < 0)
			return false;
	}
	return true;
}

static bool take_bytes(struct rbuf *in, struct buf *ret)
{
	const uint32_t n = rbuf_u32(in);
	const uint8_t *bytes = rbuf_bytes(in, n);

	if (bytes != NULL)
		buf_put(ret, bytes, n);
	return !in->failed && !ret->failed;
}

static bool take_line(struct rbuf *in, struct line *l)
{
	struct buf answer;
	uint32_t number;

	if (!take_fd(in, &l->sock) || l->sock < 0)
		return false;
	number = rbuf_u32(in);
	buf_init_in(&answer, l->room, sizeof l->room);
	if (!take_bytes(in, &answer))
		return false;
	l->n = answer.len;
	l->answer = (enum wire_number)number; /* as we wrote it */
	l->blocked = number != 0;
	l->n_fds = rbuf_u32(in);
	if (in->failed || l->n_fds > LINE_FDS_MAX)
		return false;
	for (unsigned i = 0; i < l->n_fds; i++)
		if (!take_fd(in, &l->fds[i]) || l->fds[i] < 0)
			return false;
	return true;
}

static bool take_client(struct rbuf *in, struct client *c)
{
	if (!take_line(in, &c->line) || !take_fd(in, &c->speaker.sock) || !take_fd(in, &c->speaker.pidfd))
		return false;
	c->pid = (pid_t)rbuf_u32(in);
	rbuf_text(in, c->only, sizeof c->only);
	c->list_request = rbuf_u32(in);
	rbuf_text(in, c->listed, sizeof c->listed);
	c->told = rbuf_u32(in);
	c->reload = rbuf_u32(in);
	return take_bytes(in, &c->parts);
}

static bool take_clients(struct rbuf *in, struct clients *c)
{
	uint32_t n;

	c->came = rbuf_u64(in);
	c->refused = rbuf_u64(in);
	c->started_ms = rbuf_u64(in);
	c->generation = rbuf_u64(in) + 1;
	n = rbuf_u32(in);
	if (in->failed || n > CLIENTS_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!take_client(in, &c->client[i]))
			return false;
	return true;
}

/* ---- becoming the other program ---- */

static int keep_open(const struct writer *w, bool open)
{
	int r = 0;

	for (size_t i = 0; i < w->kept.n; i++)
		if (fd_set_cloexec(w->kept.fd[i], !open) < 0)
			r = -EBADF;
	return r;
}

/* What a child needs, and no signal that we hold back. */
static void ask_in_child(int exe_fd)
{
	char revision[16], *argv[] = { (char[]){ "ambit-serve" }, (char[]){ "--takes" }, revision, NULL };
	sigset_t none;

	(void)snprintf(revision, sizeof revision, "%u", HANDOVER_REVISION);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)syscall(SYS_execveat, exe_fd, "", argv, environ, 0x1000 /* AT_EMPTY_PATH */);
	_exit(127);
}

/* In a child, since it may be any program by now. */
static int check_takes(int exe_fd, struct err *e)
{
	const pid_t pid = fork();
	auto_fd int pidfd = -1;
	struct pollfd p;
	int status = -1;

	if (pid < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot start the installed ambit-serve");
	if (pid == 0)
		ask_in_child(exe_fd);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	p = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	if (poll(&p, 1, ANSWER_MS) != 1)
		(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, AMBIT_UNAVAILABLE,
		       "`ambit serve --stop`, which waits for what runs; the next command starts it",
		       "the installed ambit-serve does not take over what this one has");
}

static int become(int exe_fd, int state_fd, const struct writer *w, struct err *e)
{
	char number[16], *argv[] = { (char[]){ "ambit-serve" }, (char[]){ "--handed" }, number, NULL };
	int r = fd_set_cloexec(state_fd, false);

	(void)snprintf(number, sizeof number, "%d", state_fd);
	r = r < 0 ? r : keep_open(w, true);
	if (r == 0) {
		(void)syscall(SYS_execveat, exe_fd, "", argv, environ, 0x1000 /* AT_EMPTY_PATH */);
		r = -errno;
	}
	(void)keep_open(w, false); /* each was open a moment ago */
	return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot become the installed ambit-serve");
}

int handover_give(struct handover *h, struct err *e)
{
	static struct writer w;
	auto_fd int exe = -1, state = -1;
	int r = helper_open("ambit-serve", &exe, e);

	r = r < 0 ? r : check_takes(exe, e);
	if (r < 0)
		return r;
	w.kept.n = 0;
	buf_init(&w.bytes, BYTES_MAX);
	buf_put_u32(&w.bytes, HANDOVER_REVISION);
	buf_put_u64(&w.bytes, h->idle_max_ms);
	put_place(&w, h->place);
	put_roles(&w, h->roles);
	put_clients(&w, h->clients);
	state = sealed_make("ambit-serve", &w.bytes);
	buf_finish(&w.bytes);
	return state < 0 ? err_sys(e, AMBIT_SYSTEM, -state, NULL, "cannot write down what is to be taken over")
			 : become(exe, state, &w, e);
}

int handover_take(struct handover *h, int fd, struct err *e)
{
	auto_fd int own = fd;
	auto_buf bytes = { .max = BYTES_MAX };
	struct rbuf in;

	if (fd_set_cloexec(own, true) < 0 || sealed_read(own, &bytes) < 0)
		return err_set(e, AMBIT_USAGE, "ambit serve --reload", "what is to be taken over cannot be read");
	rbuf_init(&in, bytes.data, bytes.len);
	if (rbuf_u32(&in) != HANDOVER_REVISION)
		return err_set(e, AMBIT_PROTOCOL, NULL, "what is to be taken over is of another revision");
	h->idle_max_ms = rbuf_u64(&in);
	if (!take_place(&in, h->place) || !take_roles(&in, h->roles) || !take_clients(&in, h->clients) ||
	    !rbuf_done(&in))
		return err_set(e, AMBIT_PROTOCOL, NULL, "what is to be taken over is not what it should be");
	return 0;
}
