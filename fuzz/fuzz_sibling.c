/* What a program of a cell asks for a sub-agent with, and how that ended, by the first byte: what is taken is the same when it is written and taken once more, and what is derived from it is within the
 * grants of its caller. */
#include <string.h>

#include "fuzz.h"
#include "supervisor/derive.h"

static struct grant_set caller;
static struct sibling_ask ask, again;
static struct derived given;

static void fill(void)
{
	static const struct qualifiers bounds = { .uses = 3, .depth = 2 }, none = { .uses = 0 };

	grant_set_init(&caller);
	promise(grant_add_qualified(&caller, VERB_DELEGATE, DELEGATE_ANY, 0, &bounds, "", NULL, NULL, NULL) == 0 &&
		grant_add_qualified(&caller, VERB_WORK, "/w", 0, &none, "", "label=private", NULL, NULL) == 0 &&
		grant_add_qualified(&caller, VERB_CONNECT, "a.test:443", 0, &none, "",
				    "label=x unless=a+b ask=labelled", NULL, NULL) == 0);
}

static bool is_flow_within(uint32_t given_id, uint32_t caller_id)
{
	struct flow inner, outer;

	promise(flow_take(grant_flow(&given.grants, given_id), &inner) == 0 &&
		flow_take(grant_flow(&caller, caller_id), &outer) == 0);
	return flow_is_within(&inner, &outer);
}

static void derive_it(void)
{
	static const bool withdrawn[GRANTS_MAX];
	uint32_t used[GRANTS_MAX] = { 0 };
	const struct derive_from from = { .grants = &caller, .withdrawn = withdrawn, .used = used };

	fill();
	if (derive(&from, &ask, &given, NULL) < 0)
		return;
	promise(given.of.delegate < caller.count && given.of.n == given.grants.count);
	promise(used[0] >= 1 && used[0] <= 3 && agent_is_name(given.agent));
	for (uint32_t i = 0; i < given.grants.count; i++) {
		const enum grant_verb verb = (enum grant_verb)given.grants.grants[i].verb;
		bool within = false;

		for (uint32_t k = 0; k < caller.count; k++)
			within = within ||
				 (grant_object_covers((enum grant_verb)caller.grants[k].verb, grant_object(&caller, k),
						      verb, grant_object(&given.grants, i)) &&
				  is_flow_within(i, k));
		promise(within && given.of.grant[i] < caller.count);
		promise(grant_object_covers((enum grant_verb)caller.grants[given.of.grant[i]].verb,
					    grant_object(&caller, given.of.grant[i]), verb,
					    grant_object(&given.grants, i)));
	}
}

static void look_at_ask(const uint8_t *data, size_t size)
{
	auto_buf one = { .max = 1u << 20 }, two = { .max = 1u << 20 };
	struct rbuf in;

	rbuf_init(&in, data, size);
	if (sibling_take(&in, &ask, NULL) < 0)
		return;
	sibling_put(&one, &ask);
	rbuf_init(&in, one.data, one.len);
	promise(!one.failed && sibling_take(&in, &again, NULL) == 0);
	sibling_put(&two, &again);
	promise(buf_is_same(&one, &two));
	derive_it();
}

static void look_at_end(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = 1u << 20 };
	struct sibling_end end;
	struct rbuf in;

	rbuf_init(&in, data, size);
	if (!sibling_take_end(&in, &end))
		return;
	sibling_put_end(&out, &end);
	rbuf_init(&in, out.data, out.len);
	promise(!out.failed && sibling_take_end(&in, &end));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if ((data[0] & 1) == 0)
		look_at_ask(data + 1, size - 1);
	else
		look_at_end(data + 1, size - 1);
	return 0;
}
