#include "session/mould.h"

#include <unistd.h>

#include "base/clock.h"
#include "lib/event.h"
#include "lib/scarce.h"
#include "lib/template.h"

#define SOON_MS 5000    /* events that follow each other as fast are worth one */
#define UNUSED_MS 60000 /* as long it stays for nobody; and where none could be made, another is tried then */

void mould_finish(struct mould *m)
{
	template_release(m->t); /* cells of its copies hold it */
	m->t = NULL;
}

static void give_up(struct mould *m)
{
	mould_finish(m);
	m->again_ms = clock_boot_ms() + UNUSED_MS;
}

void mould_note(struct mould *m, const struct ambit_event *ev)
{
	const uint64_t now = clock_boot_ms();

	if (event_went_without(ev))
		give_up(m);
	if (event_was_copied(ev))
		m->used_ms = now;
	m->wanted = m->asked_ms != 0 && now - m->asked_ms < SOON_MS;
	m->asked_ms = now;
}

void mould_make(struct mould *m, const struct job_terms *t)
{
	const uint64_t now = clock_boot_ms();

	if (m->t != NULL || !m->wanted || now < m->again_ms || memory_is_scarce() ||
	    geteuid() == 0) /* whose cells have another id each */
		return;
	m->used_ms = now;
	m->t = template_new();
	if (m->t == NULL || job_make_template(t, KIND_PYTHON, m->t) < 0)
		give_up(m); /* one that events could have a say in, or it is not installed */
}

void mould_step(struct mould *m)
{
	if (m->t == NULL)
		return;
	if (template_step(m->t) < 0) {
		give_up(m); /* it cannot be copied, or this host does not let it */
	} else if (m->t->copies >= MOULD_COPIES || clock_boot_ms() - m->used_ms >= UNUSED_MS) {
		m->wanted = false;
		mould_finish(m);
	}
}

struct template *mould_template(const struct mould *m)
{
	return m->t != NULL && m->t->copies < MOULD_COPIES ? m->t : NULL;
}

int mould_fd(const struct mould *m)
{
	return m->t != NULL && m->t->ev != NULL ? event_wait_fd(m->t->ev) : -1;
}

int mould_timeout(const struct mould *m, int timeout)
{
	const uint64_t now = clock_boot_ms(), until = m->used_ms + UNUSED_MS;
	const int left = until > now ? (int)(until - now) : 0;

	if (m->t == NULL)
		return timeout;
	return timeout < 0 || left < timeout ? left : timeout;
}
