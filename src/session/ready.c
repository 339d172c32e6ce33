#include "session/ready.h"

#include <string.h>

#include "base/clock.h"
#include "lib/event.h"
#include "lib/scarce.h"

#define UNWANTED_MS 60000 /* then it costs more than it saves */

void ready_finish(struct ready *r)
{
	event_free_by(r->ev, clock_ms() + READY_LEAVE_MS);
	r->ev = NULL;
	r->promised = false;
}

void ready_make(struct ready *r, const struct job_terms *t)
{
	if (r->barren && clock_boot_ms() - r->made_ms < UNWANTED_MS)
		r->wanted = false;
	if (r->ev != NULL || !r->wanted)
		return;
	r->made_ms = clock_boot_ms();
	r->wanted = !memory_is_scarce();
	r->barren = r->wanted && job_make_ready(t, r->kind, r->event, &r->ev) < 0;
}

void ready_step(struct ready *r)
{
	const bool stood = r->ev != NULL && event_is_ready(r->ev);

	if (r->ev == NULL)
		return;
	if (ambit_event_step(r->ev, NULL) != 0 || (!r->promised && clock_boot_ms() - r->made_ms >= UNWANTED_MS)) {
		r->barren = !stood;
		r->wanted = false; /* it cannot wait, or was ended, or nobody came: nobody need know why */
		ready_finish(r);
	}
}

const char *ready_promise(struct ready *r)
{
	ready_step(r); /* it may have gone meanwhile */
	if (r->ev == NULL || r->promised || !event_is_ready(r->ev))
		return NULL;
	r->promised = true;
	return r->event;
}

struct ambit_event *ready_take(struct ready *r, const char *event)
{
	struct ambit_event *ev = r->ev;

	if (!r->promised || strcmp(r->event, event) != 0)
		return NULL;
	r->promised = false;
	r->ev = NULL;
	return ev;
}

int ready_fd(const struct ready *r)
{
	return r->ev != NULL ? event_wait_fd(r->ev) : -1;
}

int ready_timeout(const struct ready *r, int timeout)
{
	const uint64_t now = clock_boot_ms(), until = r->made_ms + UNWANTED_MS;
	const int left = until > now ? (int)(until - now) : 0;

	if (r->ev == NULL || r->promised)
		return timeout;
	return timeout < 0 || left < timeout ? left : timeout;
}
