#include "lib/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

#define PATIENCE_S 10 /* for an answer */
#define LOOK_MS 50    /* for one of a list that is busy */
#define LOOKS_MAX 40  /* so often: others can take as many names as they like, and never answer */
#define SOCKETS "/proc/net/unix"

/* ---- one ---- */

static bool is_ours(int sock, uid_t *ret)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof peer;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	*ret = peer.uid;
	return peer.uid == getuid();
}

static int dial(const char *event, const struct timeval *patience)
{
	auto_fd int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un name;
	const socklen_t n = reach_address(event, &name);

	if (sock < 0)
		return -errno;
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, patience, sizeof *patience);
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, patience, sizeof *patience);
	return connect(sock, (const struct sockaddr *)&name, n) < 0 ? -errno : steal_fd(&sock);
}

static int not_there(struct err *e, const char *word)
{
	return err_set(e, AMBIT_NOT_FOUND, "`ambit grant list` shows those that run",
		       "no event of yours that runs is %s", word);
}

static int open_one(const char *event, struct running *ret, struct err *e)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	auto_fd int sock = dial(event, &patience);
	uid_t uid = (uid_t)-1;

	if (sock == -ECONNREFUSED)
		return not_there(e, event);
	if (sock == -EAGAIN)
		return err_set(e, AMBIT_GONE, "kill it, if it must end", "event %s does not answer", event);
	if (sock < 0)
		return err_sys(e, AMBIT_SYSTEM, -sock, NULL, "cannot reach event %s", event);
	if (!is_ours(sock, &uid) && getuid() != 0)
		return err_why(e, err_set(e, AMBIT_DENIED, "its owner can, and root", "event %s is not yours", event),
			       "user %u listens there", (unsigned)uid);
	(void)snprintf(ret->event, sizeof ret->event, "%s", event); /* an id fits */
	ret->sock = steal_fd(&sock);
	return 0;
}

void running_finish(struct running *r)
{
	fd_close(&r->sock);
}

/* ---- all ---- */

/* From the nth word of a line on. */
static const char *words_from(const char *line, unsigned n)
{
	line += strspn(line, " ");
	for (; n > 0; n--) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return line;
}

/* "...: 00000002 00000000 00010000 0005 01 12345 @ambit/e_...": the flags say that it listens, the type that it is for packets. */
static bool names_event(const char *line, char ret[ID_TEXT_MAX])
{
	static const char listens[] = "00010000 0005 ", prefix[] = "@" REACH_PREFIX;
	const char *name = words_from(line, 7);

	if (strncmp(words_from(line, 3), listens, sizeof listens - 1) != 0 ||
	    strncmp(name, prefix, sizeof prefix - 1) != 0)
		return false;
	name += sizeof prefix - 1;
	if (!id_is('e', name, strcspn(name, "\n")))
		return false;
	memcpy(ret, name, ID_LEN);
	ret[ID_LEN] = 0;
	return true;
}

/* Of ours, and when it began. */
static bool look_at(struct running_event *ev, unsigned *looks)
{
	/* zero would mean for ever */
	const struct timeval patience = { .tv_usec = *looks < LOOKS_MAX ? LOOK_MS * 1000 : 1 };
	struct running r = { .sock = dial(ev->event, &patience) };
	struct reach_event told = { .begun_ms = id_ms(ev->event) };
	uid_t uid;
	const bool is_dialed = r.sock >= 0, is_own = is_dialed && is_ours(r.sock, &uid);

	*looks += r.sock == -EAGAIN || (is_own && running_event(&r, &told, NULL) < 0);
	ev->begun_ms = told.begun_ms;
	running_finish(&r);
	return is_own;
}

static int add(struct running_list *l, const struct running_event *ev)
{
	struct running_event *grown;

	if ((l->n & (l->n - 1)) == 0) { /* grows at powers of two */
		grown = realloc(l->events, (l->n == 0 ? 1 : 2 * l->n) * sizeof *grown);
		if (grown == NULL)
			return -1;
		l->events = grown;
	}
	l->events[l->n++] = *ev;
	return 0;
}

static int latest_first(const void *a, const void *b)
{
	const struct running_event *x = a, *y = b;

	return x->begun_ms != y->begun_ms ? (x->begun_ms < y->begun_ms) - (x->begun_ms > y->begun_ms)
					  : strcmp(y->event, x->event);
}

int running_list(struct running_list *ret, struct err *e)
{
	struct running_list l = { .events = NULL };
	FILE *file = fopen(SOCKETS, "re");
	struct running_event ev;
	char line[256];
	unsigned looks = 0;
	int r = 0;

	if (file == NULL)
		return err_sys(e, AMBIT_SYSTEM, errno, "name an event by its id", "cannot read " SOCKETS);
	while (r == 0 && fgets(line, sizeof line, file) != NULL)
		if (names_event(line, ev.event) && look_at(&ev, &looks))
			r = add(&l, &ev);
	(void)fclose(file);
	if (r < 0) {
		running_list_finish(&l);
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the events");
	}
	if (l.n > 0)
		qsort(l.events, l.n, sizeof *l.events, latest_first);
	*ret = l;
	return 0;
}

void running_list_finish(struct running_list *l)
{
	free(l->events);
	*l = (struct running_list){ .events = NULL };
}

/* ---- the one that is meant ---- */

static int choose(const struct running_list *l, const char *word, const char **ret, struct err *e)
{
	const bool last = strcmp(word, "last") == 0;
	const char *found = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (!last && strncmp(l->events[i].event, word, strlen(word)) != 0)
			continue;
		if (found != NULL && !last)
			return err_set(e, AMBIT_CONFLICT, "give more of it", "%s begins more than one event: %s, %s",
				       word, l->events[i].event, found);
		found = found != NULL ? found : l->events[i].event;
	}
	if (found == NULL && last)
		return err_set(e, AMBIT_NOT_FOUND, NULL, "no event of yours runs");
	*ret = found;
	return found == NULL ? not_there(e, word) : 0;
}

int running_find(const char *word, struct running *ret, struct err *e)
{
	struct running_list l = { .events = NULL };
	const char *event = word;
	int r = 0;

	ret->sock = -1;
	if (!id_is('e', word, strlen(word))) {
		r = running_list(&l, e);
		r = r < 0 ? r : choose(&l, word, &event, e);
	}
	r = r < 0 ? r : open_one(event, ret, e);
	running_list_finish(&l);
	return r;
}

/* ---- asking ---- */

static int unheard(const struct running *r, struct err *e, int sys_errno)
{
	if (sys_errno == EAGAIN)
		return err_set(e, AMBIT_GONE, "kill it, if it must end", "event %s does not answer", r->event);
	return err_set(e, AMBIT_GONE, "what it was granted ended with it", "event %s ended meanwhile", r->event);
}

static int ask(struct running *r, enum wire_number number, const struct buf *body, struct wire_message *ret,
	       struct err *e)
{
	int n = wire_send(r->sock, number, body, NULL, 0);

	if (n < 0)
		return unheard(r, e, -n);
	n = wire_receive(r->sock, WIRE_SUPERVISOR, WIRE_RUNNING, r->room, sizeof r->room, ret);
	if (n == -EPROTO)
		return err_set(e, AMBIT_PROTOCOL, NULL, "event %s answers what is not allowed here", r->event);
	return n <= 0 ? unheard(r, e, -n) : 0;
}

static int ask_of_grant(struct running *r, enum wire_number number, uint32_t index, struct wire_message *ret,
			struct err *e)
{
	uint8_t body[4];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, index);
	return ask(r, number, &b, ret, e);
}

static int not_an_answer(const struct running *r, struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, NULL, "event %s answers what was not asked", r->event);
}

int running_event(struct running *r, struct reach_event *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int n = ask(r, WIRE_CONTROL_EVENT, NULL, &m, e);

	if (n < 0)
		return n;
	return m.number == WIRE_CONTROL_TOLD && reach_take_event(&m.body, ret) ? 0 : not_an_answer(r, e);
}

int running_grant(struct running *r, uint32_t index, struct reach_grant *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	struct reach_done done;
	const int n = ask_of_grant(r, WIRE_CONTROL_LIST, index, &m, e);

	if (n < 0)
		return n;
	if (m.number == WIRE_CONTROL_GRANT)
		return reach_take_grant(&m.body, ret) && ret->index == index ? 1 : not_an_answer(r, e);
	return m.number == WIRE_CONTROL_DONE && reach_take_done(&m.body, &done) && done.result == REACH_NO_GRANT
		       ? 0
		       : not_an_answer(r, e);
}

int running_revoke(struct running *r, uint32_t index, struct reach_done *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int n = ask_of_grant(r, WIRE_CONTROL_REVOKE, index, &m, e);

	if (n < 0)
		return n;
	return m.number == WIRE_CONTROL_DONE && reach_take_done(&m.body, ret) && ret->index == index
		       ? 0
		       : not_an_answer(r, e);
}

static int tell(struct running *r, enum wire_number number, const struct buf *body, struct err *e)
{
	const int n = wire_send(r->sock, number, body, NULL, 0);

	return n == -EPIPE || n == -ECONNRESET ? 0 : n < 0 ? unheard(r, e, -n) : 0; /* its end is what it answers */
}

int running_ask_freeze(struct running *r, const char *reason, struct err *e)
{
	char padded[FROZEN_REASON_MAX];
	uint8_t body[204];
	struct buf b;

	(void)text_copy(padded, sizeof padded, reason); /* fits: checked by who asks */
	buf_init_in(&b, body, sizeof body);
	reach_put_reason(&b, padded);
	return tell(r, WIRE_CONTROL_FREEZE, &b, e);
}

int running_ask_thaw(struct running *r, struct err *e)
{
	return tell(r, WIRE_CONTROL_THAW, NULL, e);
}

int running_ask_kill(struct running *r, struct err *e)
{
	return tell(r, WIRE_CONTROL_KILL, NULL, e);
}

int running_held(struct running *r, struct reach_held *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(r->sock, WIRE_SUPERVISOR, WIRE_RUNNING, r->room, sizeof r->room, &m);

	if (n == 0 || n == -ECONNRESET) {
		*ret = (struct reach_held){ .result = REACH_ENDED };
		return 0;
	}
	if (n == -EPROTO)
		return err_set(e, AMBIT_PROTOCOL, NULL, "event %s answers what is not allowed here", r->event);
	if (n < 0)
		return unheard(r, e, -n);
	return m.number == WIRE_CONTROL_HELD && reach_take_held(&m.body, ret) ? 0 : not_an_answer(r, e);
}
