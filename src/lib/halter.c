#include "lib/halter.h"

#include <string.h>
#include <unistd.h>

#include "ambit/ambit.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/helper.h"
#include "lib/public.h"
#include "lib/role.h"
#include "wire/wire.h"

void halter_init(struct halter *h)
{
	*h = (struct halter){ .sock = -1, .pidfd = -1 };
}

void halter_finish(struct halter *h)
{
	fd_close(&h->sock);
	helper_part(&h->pidfd);
}

static int ended(struct err *e)
{
	return err_set(e, AMBIT_GONE, "ask again: what is frozen already stays so", "ambit-freeze ended at once");
}

int halter_begin(struct halter *h, const struct link_halt *q, char *const *envp, struct err *e)
{
	uint8_t room[256];
	struct buf b;
	int r = role_start_on_host("ambit-freeze", envp, &h->pidfd, &h->sock, e);

	buf_init_in(&b, room, sizeof room);
	link_halt_put(&b, q);
	if (r == 0 && wire_send(h->sock, WIRE_HALT_ASK, &b, NULL, 0) < 0)
		r = ended(e);
	if (r < 0)
		halter_finish(h);
	return r;
}

int halter_hear(struct halter *h, struct link_halted *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[WIRE_HEAD + 2048];
	uint32_t request;
	const int r = wire_receive(h->sock, WIRE_FREEZER, WIRE_NEW, room, sizeof room, &m);

	if (r <= 0)
		return ended(e);
	if (m.number == WIRE_HALT_FAILED)
		return link_failed_take(&m.body, &request, e);
	return link_halted_take(&m.body, ret) ? 0 : err_set(e, AMBIT_PROTOCOL, NULL, "ambit-freeze is another Ambit's");
}

int halter_do(const struct link_halt *q, struct err *e)
{
	struct link_halted done = { .before = 0 };
	struct halter h;
	int r;

	halter_init(&h);
	r = halter_begin(&h, q, environ, e);
	r = r < 0 ? r : halter_hear(&h, &done, e);
	fd_close(&h.sock);
	helper_end(&h.pidfd);
	return r < 0 ? r : (int)done.events;
}

/* ---- the public header's ---- */

static int halt(enum halt_deed deed, const char *which, const char *reason, int keep, struct ambit_error *ret)
{
	struct link_halt q = { .deed = deed, .keep = keep != 0, .what = HALT_ALL };
	struct err e;
	int r = 0;

	if (which != NULL && !id_is('s', which, strlen(which)) && !id_is('e', which, strlen(which)))
		r = err_set(&e, AMBIT_USAGE, "NULL is everything", "'%s' is no id of a session or an event", which);
	else if (which != NULL)
		(void)text_copy(q.what, sizeof q.what, which); /* an id */
	if (r == 0 && reason != NULL && !text_copy(q.reason, sizeof q.reason, reason))
		r = err_set(&e, AMBIT_LIMIT, NULL, "the reason has more than %d bytes", HALT_REASON_MAX - 1);
	r = r < 0 ? r : halter_do(&q, &e);
	return r < 0 ? public_error(ret, r, &e) : r;
}

int ambit_freeze(const char *which, const char *reason, struct ambit_error *e)
{
	return halt(HALT_FREEZE, which, reason, 0, e);
}

int ambit_thaw(const char *which, struct ambit_error *e)
{
	return halt(HALT_THAW, which, NULL, 0, e);
}

int ambit_kill(const char *which, const char *reason, int keep_frozen, struct ambit_error *e)
{
	return halt(HALT_KILL, which, reason, keep_frozen, e);
}
