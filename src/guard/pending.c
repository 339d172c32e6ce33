#include <string.h>

#include "guard/guard.h"

/* Of those of which nobody waits for the answer the one that was sent first: who is told so need not answer. */
static struct pending *oldest_cancelled(struct pending *all)
{
	struct pending *oldest = NULL;

	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state == PENDING_SENT && all[i].cancelled && (oldest == NULL || all[i].own < oldest->own))
			oldest = &all[i];
	return oldest;
}

struct pending *pending_new(struct pending *all, struct guard *g)
{
	struct pending *p = NULL;

	for (size_t i = 0; i < GUARD_PENDING_MAX && p == NULL; i++)
		p = all[i].state == PENDING_FREE ? &all[i] : NULL;
	if (p == NULL && (p = oldest_cancelled(all)) != NULL) {
		guard_tell_over(g, p, GUARD_CANCELLED, "", 0);
		pending_free(g, p);
	}
	if (p != NULL)
		*p = (struct pending){ .state = PENDING_SENT, .own = ++g->last_own };
	return p;
}

void pending_free(struct guard *g, struct pending *p)
{
	if (p->state == PENDING_PERSON)
		person_forget(g, p);
	once_none(g, p);
	g->held -= p->line.len;
	buf_finish(&p->line);
	p->state = PENDING_FREE;
}

struct pending *pending_of_id(struct pending *all, const char *id)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state != PENDING_FREE && all[i].id[0] != 0 && strcmp(all[i].id, id) == 0)
			return &all[i];
	return NULL;
}

/* Of one that was sent. */
struct pending *pending_of_own(struct pending *all, const json_t *id)
{
	if (!json_is_integer(id) || json_integer_value(id) <= 0)
		return NULL;
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state == PENDING_SENT && all[i].own == (uint64_t)json_integer_value(id))
			return &all[i];
	return NULL;
}

bool pending_has_token(const struct pending *all, const char *token)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state != PENDING_FREE && all[i].token[0] != 0 && strcmp(all[i].token, token) == 0)
			return true;
	return false;
}
