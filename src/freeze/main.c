/* ambit-freeze: freezes, thaws or kills one thing, says that it is so, and goes. It has the person's authority, and parses nothing but our own messages of fixed size.
 * Descriptor 3 is the connection of who asks: the daemon, the role of a session, a product's library, none of which may wait for supervisors. Who goes meanwhile is
 * not told, and it is done all the same. */
#include <signal.h>

#include "base/fd.h"
#include "lib/halt.h"
#include "wire/wire.h"

#define ASKER_FD 3

static int do_it(const struct link_halt *q, struct link_halted *ret, struct err *e)
{
	struct halt h = { .deed = (enum halt_deed)q->deed, .what = q->what, .reason = q->reason, .keep = q->keep != 0 };
	char found[ID_TEXT_MAX];
	struct halted done = { .before = false };
	int r = 0;

	if (q->what[0] != 'a')
		r = freeze_find(q->what, found,
				e); /* that there is one of that name: it is a whole id, and no other begins with it */
	r = r < 0 ? r : halt_do(&h, &done, e);
	*ret = (struct link_halted){ .before = done.before,
				     .events = (uint32_t)done.held.n,
				     .cancelled = done.cancelled };
	halted_finish(&done);
	return r;
}

int main(void)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[WIRE_HEAD + 2048];
	struct link_halted done;
	struct link_halt q;
	struct err e;
	struct buf b;
	int r;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (fd_reserve_standard() < 0 || fd_set_cloexec(ASKER_FD, true) < 0 ||
	    wire_receive(ASKER_FD, WIRE_OWNER, WIRE_NEW, room, sizeof room, &m) <= 0 || m.number != WIRE_HALT_ASK ||
	    !link_halt_take(&m.body, &q) || q.what[0] == 0)
		return 2;
	r = do_it(&q, &done, &e);
	buf_init_in(&b, room, sizeof room);
	if (r < 0)
		link_failed_put(&b, 0, &e);
	else
		link_halted_put(&b, &done);
	(void)wire_send(ASKER_FD, r < 0 ? WIRE_HALT_FAILED : WIRE_HALT_DONE, &b, NULL, 0); /* it may have gone */
	return 0;
}
