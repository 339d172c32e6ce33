#include "session/ready.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "lib/event.h"

#define UNWANTED_MS 60000 /* then it costs more than it saves */
#define FAILED_MS 5000

void ready_finish(struct ready *r)
{
	ambit_event_free(r->ev);
	r->ev = NULL;
	r->promised = false;
}

void ready_make(struct ready *r, const struct job_terms *t)
{
	const uint64_t now = clock_ms();

	if (r->ev != NULL || !r->wanted || now < r->not_before_ms)
		return;
	r->made_ms = now;
	if (job_make_ready(t, r->kind, r->event, &r->ev) < 0)
		r->not_before_ms = now + FAILED_MS;
}

void ready_step(struct ready *r)
{
	const uint64_t now = clock_ms();

	if (r->ev == NULL)
		return;
	if (ambit_event_step(r->ev, NULL) != 0) { /* it cannot wait, or was ended: nobody need know why */
		r->not_before_ms = now + FAILED_MS;
		ready_finish(r);
	} else if (!r->promised && now - r->made_ms >= UNWANTED_MS) {
		r->wanted = false;
		ready_finish(r);
	}
}

const char *ready_promise(struct ready *r)
{
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
	const uint64_t now = clock_ms(), until = r->ev != NULL ? r->made_ms + UNWANTED_MS : r->not_before_ms;
	const int left = until > now ? (int)(until - now) : 0;

	if (left == 0 || (r->ev == NULL && !r->wanted))
		return timeout;
	return timeout < 0 || left < timeout ? left : timeout;
}
