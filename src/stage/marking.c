#include "stage/marking.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "stage/asking.h"
#include "stage/chosen.h"
#include "stage/shown.h"

struct marking {
	const struct role *role;
	struct keeper *k; /* owned */
	struct standing who;
};

static void marking_finish(struct marking *m)
{
	keeper_close(m->k);
}

static int marking_begin(struct marking *m, struct err *e)
{
	const int r = standing_open(m->role->ask.store, m->role->meta->ledger, &m->k, e);

	return r < 0 ? r : asking_stream(m->k, m->role->meta, &m->who, e);
}

static int step(const struct marking *m, enum authority_op op, uint64_t labels, const char *path, uint64_t *ret,
		struct err *e)
{
	struct authority_request q = {
		.op = (uint8_t)op, .badge = m->who.badge, .labels = labels, .object = path, .terms = ""
	};
	struct keeper_answer a;
	int r;

	id_read(m->role->meta->event, q.event);
	r = keeper_step(m->k, &q, &a, e);
	if (r == 0 && a.verdict != AUTHORITY_ALLOWED)
		r = standing_refused(&a, e);
	if (r == 0 && a.n_late > 0)
		r = standing_late(e);
	if (r == 0)
		*ret = a.labels;
	return r;
}

/* Its stream was not there any more, or not yet: what it read since it began nobody knows, so it may have been any file that is labelled. */
static int enter_anywhere(const struct marking *m, uint64_t *ret, struct err *e)
{
	const struct standing_grant g = { .verb = VERB_READ, .object = "/", .terms = "" };
	authority_ref ignored;
	const int r = standing_grant(m->k, &m->who, &g, &ignored, e);

	return r < 0 ? r : step(m, AUTHORITY_ENTER, 0, "", ret, e);
}

int marking_join(struct role *role, struct err *e)
{
	__attribute__((cleanup(marking_finish))) struct marking m = { .role = role };
	uint64_t labels = 0;
	int r;

	if (role->meta->stream[0] == 0 || !standing_is_labelled(role->ask.store))
		return 0;
	r = marking_begin(&m, e);
	r = r < 0 ? r : step(&m, AUTHORITY_LABEL, 0, "", &labels, e);
	if (r == 0 && m.who.is_new)
		r = enter_anywhere(&m, &labels, e);
	role->meta->labels |= labels;
	return r < 0 ? err_context(e, r, "what labels %s has is not known", role->meta->event) : 0;
}

static int mark(const struct marking *m, const char *path, struct err *e)
{
	uint64_t ignored;

	return step(m, AUTHORITY_MARK, m->role->meta->labels & ~m->role->taken_off, path, &ignored, e);
}

static int mark_change(const struct marking *m, const struct change *c, struct err *e)
{
	const char *real = m->role->meta->trees[c->tree].real;
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX];

	return mark(m, path_normalise(real, c->path, path, GRANT_OBJECT_MAX) ? path : real, e);
}

static int mark_all(const struct marking *m, const bool *goes, struct err *e)
{
	const struct role *role = m->role;
	size_t n = 0;
	/* one that runs is looked through again, and what is committed may be more than was found; or more was found than is listed */
	bool whole = role->in_use || role->counts.dropped > 0;
	int r = 0;

	for (size_t i = 0; i < role->n_changes; i++)
		n += goes[i];
	whole = whole || n > MARKING_PATHS_MAX;
	for (size_t i = 0; i < role->n_changes && r == 0 && !whole; i++)
		if (goes[i])
			r = mark_change(m, role->changes[i], e);
	for (uint32_t i = 0; i < role->meta->n_trees && r == 0 && whole; i++)
		r = mark(m, role->meta->trees[i].real, e);
	return r;
}

/* ---- what is taken off ---- */

/* The authority keeps that the label is off for what was shown until something takes that: what the label is off from is not marked, and so takes it. */
static int consume(const struct marking *m, const struct buf *shown, uint64_t label, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_MARK,
				       .badge = m->who.badge,
				       .labels = label,
				       .object = m->role->meta->trees[0].real,
				       .terms = "" };
	struct keeper_answer a;

	id_read(m->role->meta->event, q.event);
	standing_digest(shown, q.digest);
	return keeper_step(m->k, &q, &a, e);
}

/* 1: it is off, or stays on; 0: it waits. */
static int take_off(struct marking *m, struct role *role, uint32_t i, const bool *goes, struct err *e)
{
	const struct stage_meta *meta = role->meta;
	struct standing_grant g = { .verb = VERB_DECLASSIFY,
				    .object = meta->declassify[i].label,
				    .terms = "",
				    .flags = meta->declassify[i].asks != 0 ? AUTHORITY_ASK : 0,
				    .bounds.q.uses = meta->declassify[i].uses };
	auto_buf shown = { .max = 0 };
	struct keeper_answer a;
	authority_ref grant;
	unsigned bit;
	int r = keeper_label(m->k, g.object, &bit, e);

	if (r < 0)
		return r;
	g.labels = UINT64_C(1) << bit;
	if ((meta->labels & ~role->taken_off & g.labels) == 0)
		return 1;
	buf_init(&shown, SHOWN_BYTES_MAX);
	r = shown_put(role, verb_word(VERB_DECLASSIFY), g.object, goes, &shown, e);
	if (r < 0)
		return r;
	r = standing_grant(m->k, &m->who, &g, &grant, e);
	if (r == -AMBIT_DENIED) /* it was revoked: it keeps its label */
		return 1;
	r = r < 0 ? r : asking_use(m->k, role, &m->who, VERB_DECLASSIFY, grant, &shown, &a, e);
	if (r < 0 || a.verdict == AUTHORITY_DENIED) /* by a person, or it is used up: it keeps its label */
		return r < 0 ? r : 1;
	if (a.verdict == AUTHORITY_ASKS)
		return 0;
	role->taken_off |= g.labels;
	r = a.why == WHY_RECORDED ? 0 : consume(m, &shown, g.labels, e);
	return r < 0 ? r : 1;
}

int marking_declassify(struct role *role, struct err *e)
{
	__attribute__((cleanup(marking_finish))) struct marking m = { .role = role };
	auto_free bool *goes = calloc(role->n_changes + 1, sizeof *goes);
	int r = 1;

	if (goes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what is to be shown");
	if (role->meta->labels == 0 || role->meta->n_declassify == 0 || role->in_use)
		return 1; /* of one that runs, what is committed may be more than can be shown */
	chosen_go(&role->ask, role->meta, role->changes, role->n_changes, goes);
	r = marking_begin(&m, e);
	r = r < 0 ? r : 1;
	for (uint32_t i = 0; i < role->meta->n_declassify && r > 0; i++)
		r = take_off(&m, role, i, goes, e);
	return r < 0 ? err_context(e, r, "labels of what %s changed are to be taken off", role->meta->event) : r;
}

int marking_put(const struct role *role, struct err *e)
{
	auto_free bool *goes = calloc(role->n_changes + 1, sizeof *goes);
	__attribute__((cleanup(marking_finish))) struct marking m = { .role = role };
	int r;

	if (goes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what is to be labelled");
	if ((role->meta->labels & ~role->taken_off) == 0)
		return 0;
	chosen_go(&role->ask, role->meta, role->changes, role->n_changes, goes);
	r = marking_begin(&m, e);
	r = r < 0 ? r : mark_all(&m, goes, e);
	return r < 0 ? err_context(e, r, "what %s changed is labelled, and so is what it is committed to",
				   role->meta->event)
		     : 0;
}
