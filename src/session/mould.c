#include "session/mould.h"

#include <unistd.h>

#include "base/clock.h"
#include "lib/scarce.h"
#include "lib/template.h"

#define SOON_MS 5000 /* events that follow each other as fast are worth one */
#define UNWANTED_MS 60000

void mould_finish(struct mould *m)
{
	template_release(m->t); /* cells of its copies hold it */
	m->t = NULL;
}

void mould_note(struct mould *m, bool went_without)
{
	const uint64_t now = clock_boot_ms();

	if (went_without) {
		m->refused = true;
		mould_finish(m);
	}
	m->wanted = m->asked_ms != 0 && now - m->asked_ms < SOON_MS;
	m->asked_ms = now;
}

void mould_make(struct mould *m, const struct job_terms *t)
{
	if (m->t != NULL || !m->wanted || m->refused || memory_is_scarce() ||
	    geteuid() == 0) /* whose cells have another id each */
		return;
	m->t = template_new();
	if (m->t == NULL || job_make_template(t, KIND_PYTHON, m->t) < 0) {
		m->refused =
			true; /* as it would be again: one that events could have a say in, or it is not installed */
		mould_finish(m);
	}
}

void mould_step(struct mould *m)
{
	if (m->t == NULL)
		return;
	if (template_step(m->t) < 0) {
		m->refused = true; /* it cannot be copied, or this host does not let it */
		mould_finish(m);
	} else if (m->t->copies >= MOULD_COPIES || clock_boot_ms() - m->asked_ms >= UNWANTED_MS) {
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
	const uint64_t now = clock_boot_ms(), until = m->asked_ms + UNWANTED_MS;
	const int left = until > now ? (int)(until - now) : 0;

	if (m->t == NULL)
		return timeout;
	return timeout < 0 || left < timeout ? left : timeout;
}
