/* "verb<line break>text": as a grant, as limits and as a budget. A refusal leaves nothing behind. */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free struct policy *p = calloc(1, sizeof *p);
	auto_free char *verb = strndup((const char *)data, size), *text = NULL;
	struct err e;

	promise(p != NULL && verb != NULL);
	text = strdup(strchr(verb, '\n') != NULL ? strchr(verb, '\n') + 1 : "");
	promise(text != NULL);
	verb[strcspn(verb, "\n")] = 0;
	if (policy_add_flag(p, verb, text, &e) < 0)
		promise(p->n_lines == 0 && e.msg[0] != 0 && e.hint[0] != 0);
	else
		promise(p->n_lines > 0);
	if (policy_add_limit(p, text, &e) < 0)
		promise(p->limits_given == 0);
	promise((policy_add_budget(p, text, &e) == 0) == policy_has_budgets(p));
	return 0;
}
