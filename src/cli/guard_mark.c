/* That a gate stands still outlives its run: it lies beside what is frozen, by a name that each run of the same gate finds again. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/guard_gate.h"
#include "lib/freeze.h"
#include "lib/standing.h"

/* Of an agent at a server. */
static void name_of(const struct gate *g, char ret[ID_TEXT_MAX])
{
	const char *agent = g->o->policy->policy.agent;
	uint8_t name[SHA256_BYTES];

	standing_name("gate", agent, strlen(agent), g->server, strlen(g->server), name);
	authority_id_text('c', name, ret);
}

int gate_check_mark(const struct gate *g, struct err *e)
{
	char place[GRANT_OBJECT_MAX], name[ID_TEXT_MAX];
	int r = freeze_place(place, e);

	name_of(g, name);
	return r < 0 ? r : frozen_refuse(place, "", name, e);
}

int gate_mark(const struct gate *g, struct err *e)
{
	struct frozen f = { .since_ms = clock_unix_ms(), .by = getuid() };
	char place[GRANT_OBJECT_MAX];
	int r = freeze_place(place, e);

	name_of(g, f.what);
	(void)snprintf(f.reason, sizeof f.reason, FROZEN_GATE "%s", ambit_event_id(g->ev)); /* fits */
	r = r < 0 ? r : frozen_write(place, &f, e);
	return r < 0 ? r : 0;
}
