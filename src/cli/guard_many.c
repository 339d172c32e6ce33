/* Several servers behind one gate: each has a cell, a role and grants of its own, as if it were alone; in front of them is the role ambit-many, which knows whose a name is. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/guard_gate.h"
#include "lib/event.h"
#include "lib/policy_handle.h"
#include "lib/role.h"
#include "many/link.h"
#include "wire/wire.h"

#define MANY_FILES 64
#define END_MS 1000
#define MANY_MEMORY (UINT64_C(224) << 20)
#define BEGIN_MS 15000 /* a server has so long to begin, before its client goes on without it, */
#define LIST_MS 5000   /* or to list what it has */
_Static_assert(MANY_SERVERS_MAX == POLICY_SERVERS_MAX && MANY_SERVER_MAX == POLICY_SERVER_NAME_MAX,
	       "they are the same");

struct set {
	const struct run_options *o;
	unsigned n;
	struct gate *gates[MANY_SERVERS_MAX]; /* owned */
	char *argv[MANY_SERVERS_MAX][POLICY_WORDS_MAX + 1];
	struct ambit_event *role; /* owned */
	int sock;                 /* owned: to the role */
	unsigned alikes;          /* that the role told of */
	bool role_is_over;
	uint64_t ends_ms; /* then the gates end; 0: they have their time */
};

/* ---- beginning ---- */

static int tell_role(const struct set *s, enum wire_number number, const struct buf *body, const int *fds, size_t n,
		     struct err *e)
{
	const int r = wire_send(s->sock, number, body, fds, n);

	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot begin the gate") : 0;
}

static struct gate *new_gate(struct set *s, uint32_t server, int in, int out)
{
	struct gate *g = malloc(sizeof *g);

	if (g == NULL)
		return NULL;
	policy_command(&s->o->policy->policy, server, s->argv[s->n]);
	gate_init(g, s->o, s->argv[s->n], in, out);
	(void)text_copy(g->server, sizeof g->server, s->o->policy->policy.servers[server].name); /* shorter */
	return g;
}

/* One that cannot be started is told of, and the others go on. */
static int add(struct set *s, uint32_t server, struct err *e)
{
	struct ambit_error told = { .size = sizeof told };
	auto_fd int hears = -1, says = -1, to = -1, from = -1;
	uint8_t room[64];
	int in[2], out[2];
	struct buf body;
	struct gate *g;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipes for the server");
	hears = in[0];
	to = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipes for the server");
	from = out[0];
	says = out[1];
	g = new_gate(s, server, hears, says);
	if (g == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the server");
	s->o->policy->policy.server = (uint8_t)(server + 1); /* below POLICY_SERVERS_MAX */
	if (gate_begin(g, &told) < 0) {
		(void)fprintf(stderr, "ambit: the server %s does not start, and the others go on without it\n",
			      g->server);
		(void)cli_error(&told);
		(void)gate_finish(g); /* nothing was recorded */
		free(g);
		return 0;
	}
	s->gates[s->n++] = g;
	buf_init_in(&body, room, sizeof room);
	many_server_put(&body, g->server);
	return tell_role(s, WIRE_MANY_SERVER, &body, (int[]){ to, from }, 2, e);
}

struct telling {
	const struct set *s;
	unsigned server, n;
	struct err *e;
};

static int tell_liked(void *of, const char *tool, const char *other, const char *other_tool)
{
	struct telling *t = of;
	struct many_like l = { .server = t->server };
	uint8_t room[sizeof l + 16];
	struct buf body;

	while (l.other < t->s->n && strcmp(t->s->gates[l.other]->server, other) != 0)
		l.other++;
	if (l.other == t->s->n || t->n == MANY_LIKES_MAX)
		return 0; /* it is not here now */
	t->n++;
	(void)text_copy(l.tool, sizeof l.tool, tool); /* both are measured */
	(void)text_copy(l.other_tool, sizeof l.other_tool, other_tool);
	buf_init_in(&body, room, sizeof room);
	many_like_put(&body, &l);
	return tell_role(t->s, WIRE_MANY_LIKED, &body, NULL, 0, t->e);
}

static int begin_role(struct set *s, struct err *e)
{
	const struct many_begin b = { .begin_ms = BEGIN_MS, .list_ms = LIST_MS };
	struct telling t = { .s = s, .e = e };
	uint8_t room[16];
	struct buf body;
	int r = 0;

	for (; t.server < s->n && r == 0; t.server++)
		r = guard_pins_liked(&s->gates[t.server]->pins, tell_liked, &t, e);
	buf_init_in(&body, room, sizeof room);
	many_begin_put(&body, &b);
	return r < 0 ? r : tell_role(s, WIRE_MANY_BEGIN, &body, (int[]){ STDIN_FILENO, STDOUT_FILENO }, 2, e);
}

static int begin(struct set *s, struct err *e)
{
	static const struct role_bounds bounds = { .files = MANY_FILES, .memory_bytes = MANY_MEMORY };
	int r = role_start_in_cell("ambit-many", &bounds, &s->role, &s->sock, e);

	for (uint32_t i = 0; i < s->o->policy->policy.n_servers && r == 0; i++)
		r = add(s, i, e);
	if (r == 0 && s->n == 0)
		return err_set(e, AMBIT_GONE, NULL, "none of the servers starts");
	return r < 0 ? r : begin_role(s, e);
}

/* ---- until all are over ---- */

static int on_alike(struct set *s, struct rbuf *body, struct err *e)
{
	const struct gate *g;
	struct many_like l;

	if (!many_like_take(body, &l) || l.server >= s->n || l.other >= s->n)
		return err_sys(e, AMBIT_PROTOCOL, EPROTO, NULL, "the gate said what it may not");
	if (s->alikes++ >= MANY_LIKES_MAX) /* each is a line for the person, and a file */
		return err_sys(e, AMBIT_PROTOCOL, EPROTO, NULL, "the gate said what it may not");
	g = s->gates[l.server];
	if (l.server == l.other) {
		(void)fprintf(stderr,
			      "ambit: the tool %s of %s is not used: with the name of its server it is too long\n",
			      l.tool, g->server);
		return 0;
	}
	(void)fprintf(
		stderr,
		"ambit: the tool %s of %s looks like %s of %s, and is not used\n  hint: `ambit guard --pins %s` shows it, with --approve it is used from the next start on\n",
		l.tool, g->server, l.other_tool, s->gates[l.other]->server, g->server);
	if (guard_pins_alike(&g->pins, l.tool, s->gates[l.other]->server, l.other_tool, e) < 0)
		(void)found_refuse(false, e);
	return 0;
}

static int hear_role(struct set *s, struct err *e)
{
	static uint8_t room[WIRE_HEAD + 512];
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(s->sock, WIRE_MANY, WIRE_RUNNING, room, sizeof room, &m);

	if (r == -EAGAIN)
		return 0;
	if (r > 0 && m.number == WIRE_MANY_ALIKE)
		return on_alike(s, &m.body, e);
	s->role_is_over = true;
	return r == 0 || r == -ECONNRESET ? 0
					  : err_sys(e, AMBIT_PROTOCOL, EPROTO, NULL, "the gate said what it may not");
}

/* Told to end: the roles end with us, and what they had said until then counts. */
static void tell_end(struct set *s)
{
	(void)shutdown(s->sock, SHUT_WR);
	for (unsigned i = 0; i < s->n; i++)
		(void)shutdown(s->gates[i]->sock, SHUT_WR);
}

/* The poll timeout: -1 while nobody is given time to end. */
static int look(struct set *s, bool *ret_over)
{
	int wait_ms = -1;

	*ret_over = s->role_is_over;
	if (s->role_is_over && s->ends_ms == 0)
		s->ends_ms = clock_ms() + END_MS;
	if (s->role_is_over && clock_ms() >= s->ends_ms)
		tell_end(s); /* they waited for what a server owes them */
	for (unsigned i = 0; i < s->n; i++) {
		const int own = gate_look(s->gates[i]);

		wait_ms = own >= 0 && (wait_ms < 0 || own < wait_ms) ? own : wait_ms;
		*ret_over = *ret_over && s->gates[i]->is_over;
	}
	wait_ms = s->role_is_over ? 100 : wait_ms;
	(void)ambit_event_step(s->role, NULL);
	return wait_ms;
}

static int serve(struct set *s, int *signal_fd, struct err *e)
{
	struct pollfd p[2 + 3 * MANY_SERVERS_MAX];
	bool is_over;
	int r = 0;

	for (;;) {
		const int wait_ms = look(s, &is_over);

		if (is_over || r < 0)
			return r;
		p[0] = (struct pollfd){ .fd = *signal_fd, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = s->role_is_over ? -1 : s->sock, .events = POLLIN };
		for (unsigned i = 0; i < s->n; i++) {
			struct gate *g = s->gates[i];

			p[2 + 3 * i] = (struct pollfd){ .fd = g->role_is_over ? -1 : g->sock, .events = POLLIN };
			p[3 + 3 * i] = (struct pollfd){ .fd = g->is_over ? -1 : ambit_event_fd(g->ev),
							.events = POLLIN };
			p[4 + 3 * i] = (struct pollfd){ .fd = fresh_fd(g->fresh), .events = POLLIN };
		}
		if (poll(p, 2 + 3 * s->n, wait_ms) < 0)
			continue;
		if (p[0].revents != 0) {
			fd_close(signal_fd);
			tell_end(s);
			continue;
		}
		if (p[1].revents != 0)
			r = hear_role(s, e);
		for (unsigned i = 0; i < s->n; i++)
			if (p[2 + 3 * i].revents != 0 && gate_hear(s->gates[i], e) < 0) {
				(void)found_refuse(false, e); /* it ends, and its server; the others stay */
				fd_close(&s->gates[i]->sock);
			}
	}
}

int guard_many(const struct run_options *o, int *signal_fd)
{
	static struct set s;
	bool unrecorded = false;
	struct err e;
	int r;

	s = (struct set){ .o = o, .sock = -1 };
	r = begin(&s, &e);
	r = r < 0 ? r : serve(&s, signal_fd, &e);
	for (unsigned i = 0; i < s.n; i++) {
		unrecorded = gate_finish(s.gates[i]) != 0 || unrecorded;
		free(s.gates[i]);
	}
	fd_close(&s.sock);
	if (s.role != NULL)
		ambit_event_free(s.role);
	return r < 0 ? found_refuse(false, &e) : unrecorded ? EXIT_REFUSED : 0;
}
