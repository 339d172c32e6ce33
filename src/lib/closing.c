#include "lib/closing.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/flow.h"
#include "lib/standing.h"

bool closing_init(struct closing *c, struct keeper *k)
{
	c->n = 0;
	c->found = calloc(RESULT_LABELS_MAX, sizeof *c->found);
	return c->found != NULL && keeper_labels(k, &c->names, NULL) == 0;
}

void closing_finish(struct closing *c)
{
	for (size_t i = 0; c->found != NULL && i < c->n; i++)
		free(c->found[i].object);
	free(c->found);
	c->found = NULL;
}

/* ---- which ---- */

static uint64_t bit_of(const struct closing *c, const char *name)
{
	for (unsigned i = 0; i < c->names.n; i++)
		if (strcmp(c->names.names[i], name) == 0)
			return UINT64_C(1) << i;
	return 0;
}

static uint64_t bits_of(const struct closing *c, const struct flow_set *set)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < set->n; i++)
		bits |= bit_of(c, set->names[i]);
	return bits;
}

static struct result_closing *found(const struct closing *c, const char *label)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->found[i].label, label) == 0)
			return &c->found[i];
	return NULL;
}

static void add_set(struct closing *c, const struct flow_set *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (found(c, set->names[i]) == NULL && c->n < RESULT_LABELS_MAX)
			(void)text_copy(c->found[c->n++].label, RESULT_LABEL_MAX, set->names[i]); /* it is shorter */
}

static void brought(struct result_closing *l, const char *by, const char *object, size_t n)
{
	(void)text_copy(l->by, sizeof l->by, by); /* one of ours */
	free(l->object);
	l->object = n > 0 ? strndup(object, n) : NULL;
}

static void brought_by_grant(const struct closing *c, uint32_t grant, struct result_closing *l)
{
	brought(l, verb_word((enum grant_verb)c->grants->grants[grant].verb), grant_object(c->grants, grant),
		grant_told(c->grants, grant));
}

/* What a use of the grant itself would bring, it would bring now. */
static void brought_by_itself(struct closing *c, uint32_t grant, const struct flow_set *own)
{
	for (uint32_t i = 0; i < own->n; i++) {
		struct result_closing *l = found(c, own->names[i]);

		if (l != NULL && l->by[0] == 0 && (c->labels & bit_of(c, own->names[i])) == 0)
			brought_by_grant(c, grant, l);
	}
}

void closing_add(struct closing *c, uint32_t grant)
{
	struct flow_set sets[FLOW_UNLESS_MAX];
	struct flow f;
	uint64_t there;
	uint32_t n;

	if (grant >= c->grants->count || flow_take(grant_flow(c->grants, grant), &f) < 0)
		return;
	n = flow_closes(&f, sets);
	there = c->labels | c->more | bits_of(c, &f.label);
	for (uint32_t i = 0; i < n; i++) {
		bool all = true;

		for (uint32_t k = 0; k < sets[i].n; k++)
			all = all && (there & bit_of(c, sets[i].names[k])) != 0;
		if (all)
			add_set(c, &sets[i]);
	}
	brought_by_itself(c, grant, &f.label);
}

/* ---- where from ---- */

struct looking {
	struct closing *c;
	authority_ref badge;
};

static void brought_as_told(struct result_closing *l, const struct authority_origin_told *o)
{
	static const uint8_t none[AUTHORITY_ID];
	char id[ID_TEXT_MAX];

	switch ((enum authority_by)o->by) {
	case AUTHORITY_BY_GRANT: brought(l, verb_word((enum grant_verb)o->verb), o->object, strlen(o->object)); break;
	case AUTHORITY_BY_MARK: brought(l, "path", o->object, strlen(o->object)); break;
	case AUTHORITY_BY_BADGE:
		authority_id_text('b', o->from, id);
		brought(l, "stream", id, strlen(id));
		break;
	case AUTHORITY_BY_GIVEN: brought(l, "given", "", 0); break;
	case AUTHORITY_BY_COUNT: return;
	}
	if (memcmp(o->event, none, sizeof none) != 0)
		authority_id_text('e', o->event, l->event);
}

static int look(void *of, const struct keeper_row *row)
{
	const struct looking *at = of;
	const struct authority_origin_told *o = &row->origin;
	struct result_closing *l = NULL;

	if (o->badge == at->badge && o->label < at->c->names.n)
		l = found(at->c, at->c->names.names[o->label]);
	if (l != NULL)
		brought_as_told(l, o);
	return 0;
}

/* What the stream does not have would come with the event. */
static void look_at_grants(struct closing *c, struct result_closing *l)
{
	struct flow f;

	if (l->by[0] != 0 || (c->labels & bit_of(c, l->label)) != 0)
		return;
	for (uint32_t i = 0; i < c->grants->count && l->by[0] == 0; i++)
		for (uint32_t k = 0; flow_take(grant_flow(c->grants, i), &f) == 0 && k < f.label.n; k++)
			if (strcmp(f.label.names[k], l->label) == 0)
				brought_by_grant(c, i, l);
	if (l->by[0] == 0)
		brought(l, "given", "", 0);
}

void closing_find(struct closing *c, struct keeper *k, authority_ref badge)
{
	struct looking at = { .c = c, .badge = badge };

	(void)keeper_list(k, KEEPER_ORIGINS, look, &at, NULL); /* what is not told is not known */
	for (size_t i = 0; i < c->n; i++)
		look_at_grants(c, &c->found[i]);
}

/* ---- of an event that is over ---- */

static bool is_closed(const struct effect *f)
{
	return effect_has_meter(f) && (f->meter.stopped & METER_BY(METER_LABELLED)) != 0;
}

static void find_all(struct closing *c, struct keeper *k, authority_ref badge, struct event_result *r)
{
	for (size_t i = 0; i < r->n_effects; i++)
		if (is_closed(&r->effects[i]))
			closing_add(c, r->effects[i].grant);
	if (keeper_bind(k, badge, NULL) == 0)
		closing_find(c, k, badge);
	r->closing = c->found; /* handed over */
	r->n_closing = c->n;
	c->found = NULL;
}

void closing_of(const char *store, authority_ref badge, struct event_result *r)
{
	struct closing c = { .grants = r->grants, .labels = r->label_bits };
	struct keeper *k = NULL;
	bool any = false;

	for (size_t i = 0; i < r->n_effects; i++)
		any = any || is_closed(&r->effects[i]);
	if (!any || r->closing != NULL || r->grants == NULL || standing_open(store, "", &k, NULL) < 0)
		return;
	if (closing_init(&c, k))
		find_all(&c, k, badge, r);
	closing_finish(&c);
	keeper_close(k);
}
