#include "audit/wanted.h"

#include <string.h>

int wanted_init(struct wanted *w, const struct audit_ask *ask, const char *event, struct err *e)
{
	*w = (struct wanted){ .any_type = ask->type[0] == 0,
			      .denied = (ask->flags & AUDIT_DENIED) != 0,
			      .since_ms = ask->since_ms,
			      .until_ms = ask->until_ms };
	memcpy(w->event, event, strlen(event) + 1); /* an id, or "" */
	memcpy(w->grant, ask->grant, sizeof w->grant);
	return w->any_type || entry_type_of(ask->type, strlen(ask->type), &w->type)
		       ? 0
		       : err_set(e, AMBIT_USAGE, NULL, "no entry is of the type %s", ask->type);
}

bool wanted_was_denied(const struct entry *entry)
{
	static const char denied[] = "\"denied"; /* "denied-hidden" as well */
	struct canonical_value verdict;

	return (entry->type == ENTRY_EFFECT || entry->type == ENTRY_DECISION) &&
	       canonical_find(entry->body, "verdict", &verdict) && verdict.n > strlen(denied) &&
	       memcmp(verdict.at, denied, strlen(denied)) == 0;
}

bool wanted_is(const struct wanted *w, const struct entry *entry)
{
	return (w->event[0] == 0 || strcmp(w->event, entry->event) == 0) &&
	       strncmp(w->grant, entry->grant, strlen(w->grant)) == 0 && (w->any_type || w->type == entry->type) &&
	       entry->wall_ms >= w->since_ms && (w->until_ms == 0 || entry->wall_ms < w->until_ms) &&
	       (!w->denied || wanted_was_denied(entry));
}
