/* The role ambit-many: makes several servers of the Model Context Protocol look like one. It runs in a cell of its own, without a network, a file or another process, and in front of the gates: whoever takes it over
 * can ask of them what its client can, and tell the client what they could. Standard input is the connection of the command line. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "many/many.h"
#include "many/promise.h"

/* 1: there is more to come. */
static int take(struct many *m, struct wire_message *msg)
{
	char name[MANY_SERVER_MAX];
	struct many_like like;
	struct many_begin b;

	switch ((int)msg->number) {
	case WIRE_MANY_SERVER:
		return many_server_take(&msg->body, name) &&
				       many_add(m, name, steal_fd(&msg->fds[0]), steal_fd(&msg->fds[1]))
			       ? 1
			       : -1;
	case WIRE_MANY_LIKED: return many_like_take(&msg->body, &like) && many_liked(m, &like) ? 1 : -1;
	case WIRE_MANY_BEGIN:
		if (!many_begin_take(&msg->body, &b))
			return -1;
		many_begin(m, &b, steal_fd(&msg->fds[0]), steal_fd(&msg->fds[1]));
		return 0;
	default: return -1;
	}
}

static bool begin(struct many *m)
{
	uint8_t room[512];
	int r = 1;

	while (r == 1) {
		auto_message msg = { .n_fds = 0 };

		r = wire_receive(m->owner.fd, WIRE_OWNER, WIRE_NEW, room, sizeof room, &msg);
		if (r == -EAGAIN) {
			struct pollfd p = { .fd = m->owner.fd, .events = POLLIN };

			(void)poll(&p, 1, -1);
			r = 1;
		} else {
			r = r <= 0 ? -1 : take(m, &msg);
		}
	}
	return r == 0 && m->n > 0;
}

int main(void)
{
	struct many *m;
	struct err e;

	json_object_seed(0);            /* from the kernel, before files can no longer be opened */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	m = many_new(0);
	if (m != NULL && begin(m))
		while (many_turn(m, -1))
			;
	many_free(m);
	return 0;
}
