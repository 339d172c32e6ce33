#include "export/known.h"

#include <string.h>

#include "audit/body.h"

const struct known_event *known_find(const struct known *k, const char *event)
{
	for (size_t i = 1; i <= KNOWN_MAX; i++) { /* the latest first: it is asked for most */
		const struct known_event *e = &k->events[(k->next + KNOWN_MAX - i) % KNOWN_MAX];

		if (e->event[0] != 0 && strcmp(e->event, event) == 0)
			return e;
	}
	return NULL;
}

void known_take(struct known *k, const struct entry *request)
{
	struct known_event *e = &k->events[k->next];

	if (known_find(k, request->event) != NULL)
		return;
	k->next = (k->next + 1) % KNOWN_MAX;
	memcpy(e->event, request->event, sizeof e->event);
	body_command(request->body, e->command, sizeof e->command);
	(void)body_find_name(request->body, "program", e->program, sizeof e->program);
	(void)body_find_name(request->body, "agent", e->agent, sizeof e->agent);
	(void)body_find_name(request->body, "workdir", e->workdir, sizeof e->workdir);
}
