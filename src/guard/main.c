/* The role ambit-guard: stands between one client of the Model Context Protocol and one real server. It runs in a cell of its own, without a network, a file or another process; whoever takes it
 * over has what both say and the server can do, granted or not, and nothing of anybody else.
 * Standard input is the connection of the command line, which sends one message. */
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "guard/guard.h"
#include "guard/promise.h"

/* One of the file's records, of that length. */
static bool read_record(int fd, off_t *at, uint8_t *room, size_t n, struct rbuf *ret)
{
	if (pread(fd, room, n, *at) != (ssize_t)n)
		return false;
	*at += (off_t)n;
	rbuf_init(ret, room, n);
	return true;
}

static bool take_file(struct guard *g, int fd, const struct guard_begin *b)
{
	static struct guard_grant_of of;
	uint8_t room[GUARD_PIN_BYTES + GUARD_GRANT_BYTES + GUARD_SECRET_BYTES]; /* more than each of them */
	struct guard_canary canary;
	char secret[GUARD_SECRET_BYTES];
	struct guard_pin pin;
	struct rbuf in;
	off_t at = 0;
	bool good = true;

	for (uint32_t i = 0; i < b->n_pins && good; i++)
		good = read_record(fd, &at, room, GUARD_PIN_BYTES, &in) && guard_pin_take(&in, &pin) &&
		       guard_pinned(g, &pin);
	for (uint32_t i = 0; i < b->n_granted && good; i++)
		good = read_record(fd, &at, room, GUARD_GRANT_BYTES, &in) && guard_grant_take(&in, &of) &&
		       guard_granted(g, &of);
	for (uint32_t i = 0; i < b->n_secrets && good; i++)
		good = read_record(fd, &at, room, GUARD_SECRET_BYTES, &in) && guard_secret_take(&in, secret) &&
		       guard_secret(g, secret);
	for (uint32_t i = 0; i < b->n_canaries && good; i++)
		good = read_record(fd, &at, room, GUARD_CANARY_BYTES, &in) && guard_canary_take(&in, &canary) &&
		       guard_canary(g, &canary);
	return good;
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
	if (g != NULL && take_file(g, msg.fds[4], &b))
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
