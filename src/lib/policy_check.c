#include "lib/policy_check.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "supervisor/endpoints.h"

/* What is granted together: to events, of tools, to a guarded server that the policy does not name, and to each that it does. */
enum { OF_EVENTS, OF_TOOLS, OF_SERVER, TOGETHER = OF_SERVER + 1 + POLICY_SERVERS_MAX };

struct checking {
	struct grant_set sets[TOGETHER];
	struct cell_spec spec;
};

static unsigned owner_of(const struct policy_line *l)
{
	if (l->verb == VERB_TOOL)
		return OF_TOOLS;
	return (l->flags & POLICY_GUARD) != 0 ? OF_SERVER + (l->flags >> POLICY_SERVER_SHIFT) : OF_EVENTS;
}

/* Each line is judged with those before it, so that it is known which one is wrong; a policy has few. */
static int check_line(const struct policy *p, uint32_t line, struct checking *c, struct err *e)
{
	const unsigned owner = owner_of(&p->lines[line]);
	int r = policy_resolve_anywhere(p, line, &c->sets[owner], e);

	if (r < 0 || owner == OF_TOOLS)
		return r;
	spec_init(&c->spec);
	r = endpoints_plan(&c->sets[owner], &c->spec, e);
	return r < 0 ? policy_say_line(p, line, r, e) : 0;
}

int policy_check(const struct policy *p, struct err *e)
{
	auto_free struct checking *c = calloc(1, sizeof *c);
	int r = 0;

	if (c == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to check a policy");
	for (unsigned i = 0; i < TOGETHER; i++)
		grant_set_init(&c->sets[i]);
	for (uint32_t i = 0; r == 0 && i < p->n_lines; i++)
		r = check_line(p, i, c, e);
	return r;
}
