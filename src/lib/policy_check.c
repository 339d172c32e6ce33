#include "lib/policy_check.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "supervisor/endpoints.h"

/* Each line is judged with those before it, so that it is known which one is wrong; a policy has few. */
static int check_line(const struct policy *p, uint32_t line, struct grant_set *set, struct cell_spec *spec,
		      struct err *e)
{
	int r = policy_resolve_anywhere(p, line, set, e);

	if (r < 0)
		return r;
	spec_init(spec);
	r = endpoints_plan(set, spec, e);
	return r < 0 ? policy_say_line(p, line, r, e) : 0;
}

int policy_check(const struct policy *p, struct err *e)
{
	auto_free struct grant_set *set = calloc(1, sizeof *set);
	auto_free struct cell_spec *spec = calloc(1, sizeof *spec);
	int r = 0;

	if (set == NULL || spec == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to check a policy");
	grant_set_init(set);
	for (uint32_t i = 0; r == 0 && i < p->n_lines; i++)
		r = check_line(p, i, set, spec, e);
	return r;
}
