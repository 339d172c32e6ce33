/* The role ambit-guard: stands between one client of the Model Context Protocol and one real server. It runs in a cell of its own, without a network, a file or another process; whoever takes it
 * over has what the client says and may have said what that client may, and nothing of anybody else.
 * Standard input is the connection of the command line, which sends one message. */
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "guard/guard.h"
#include "guard/promise.h"

static bool take_pins(struct guard *g, int fd, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t room[GUARD_PIN_BYTES];
		struct guard_pin pin;
		struct rbuf in;

		if (pread(fd, room, sizeof room, (off_t)(i * sizeof room)) != (ssize_t)sizeof room)
			return false;
		rbuf_init(&in, room, sizeof room);
		if (!guard_pin_take(&in, &pin) || !guard_pinned(g, &pin))
			return false;
	}
	return true;
}

static struct guard *begin(void)
{
	auto_message msg = { .n_fds = 0 };
	uint8_t room[128];
	struct guard_begin b;
	struct guard *g;
	int fds[4];

	if (wire_receive(0, WIRE_OWNER, WIRE_NEW, room, sizeof room, &msg) <= 0 || msg.number != WIRE_GUARD_BEGIN ||
	    !guard_begin_take(&msg.body, &b))
		return NULL;
	for (size_t i = 0; i < 4; i++)
		fds[i] = steal_fd(&msg.fds[i]);
	g = guard_new(fds, 0, &b);
	if (g != NULL && take_pins(g, msg.fds[4], b.n_pins))
		return g;
	guard_free(g);
	return NULL;
}

int main(void)
{
	struct guard *g;
	struct err e;

	json_object_seed(0);            /* from the kernel, before files can no longer be opened */
	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (promise_keep(&e) < 0)
		return 1;
	g = begin();
	while (g != NULL && guard_turn(g, -1))
		;
	guard_free(g);
	return 0;
}
