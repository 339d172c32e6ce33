/* Any bytes as a policy file: read or refused, and what is read passes the checks of the other side. */
#include "base/cleanup.h"
#include "fuzz.h"
#include "policy/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free struct policy *p = calloc(1, sizeof *p), *back = calloc(1, sizeof *back);
	struct policy_mistake m, ignored;
	auto_buf out = { .max = 0 };

	buf_init(&out, POLICY_ANSWER_MAX);
	promise(p != NULL && back != NULL);
	if (policy_parse_yaml(data, size, p, &m) == 0) {
		policy_answer_encode(p, &out);
		promise(!out.failed && policy_answer_decode(out.data, out.len, back, &ignored) == 0);
		promise(back->n_lines == p->n_lines && back->limits_given == p->limits_given);
		for (size_t i = 0; i < BUDGET_COUNT; i++)
			promise(qualifiers_are_same(&back->budgets[i], &p->budgets[i]));
		return 0;
	}
	promise(m.err.code != AMBIT_OK && m.err.msg[0] != 0 && m.line <= size + 1 && m.column <= size + 1);
	policy_answer_encode_mistake(&m, &out);
	promise(!out.failed && policy_answer_decode(out.data, out.len, back, &ignored) == -(int)m.err.code);
	return 0;
}
