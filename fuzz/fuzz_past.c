/* Any bytes as entries of one event, a line each, and as a policy that is tried on it. What is taken is decided without harm, and always alike. */
#include <string.h>

#include "audit/under.h"
#include "fuzz.h"

static bool noted(void *arg, enum fact f)
{
	return (*(const uint32_t *)arg & FACT_BIT(f)) != 0;
}

static void decide_twice(struct under *u, const struct past *p, struct past_effect *f, const struct entry *entry)
{
	const struct decide_ask ask = past_ask(p, &p->grants, f);
	const struct decision d = decide(&ask, noted, &f->facts), again = decide(&ask, noted, &f->facts);
	struct under_told told;

	promise(d.verdict == again.verdict && d.base == again.base && d.grant == again.grant && d.used == again.used);
	promise(d.verdict >= EFFECT_ALLOWED && d.verdict <= EFFECT_DENIED_WITHDRAWN);
	promise((d.facts & ~f->facts) == 0 && (d.grant == GRANT_NONE || d.grant < p->grants.count));
	(void)past_agrees(p, f, entry->grant, &d); /* either will do */
	under_decide(u, p, f, &d, &told);
	promise(told.answer < UNDER_COUNT);
	promise(told.decision.grant == GRANT_NONE || told.decision.grant < u->grants.count);
}

static void take(struct past *p, struct under *u, const struct policy_asked *policy, const struct entry *entry)
{
	static struct past_effect f;

	if (entry->type == ENTRY_GRANT && entry->grant[0] != 0)
		past_take_grant(p, entry);
	if (entry->type == ENTRY_REQUEST)
		past_take_request(p, entry);
	if (entry->type != ENTRY_EFFECT || past_take_effect(entry, &f) != NULL || f.proved || !p->asked ||
	    p->no != NULL)
		return;
	if (under_begin(u, p, policy) == NULL)
		decide_twice(u, p, &f, entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy_asked policy;
	static struct past p;
	static struct under u;
	struct err e;

	if (policy_asked_decode(span_bytes(data, size), &policy, &e) < 0) {
		promise(e.code == AMBIT_PROTOCOL);
		grant_set_init(&policy.fixed);
		grant_set_init(&policy.within);
		(void)grant_add(&policy.within, VERB_WORK, "/", 0, NULL, NULL); /* it fits */
		(void)grant_add(&policy.fixed, VERB_READ, "/srv", 0, NULL, NULL);
	}
	past_begin(&p, "e_00000000000000000000000000");
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		const size_t n = end != NULL ? (size_t)(end - data) : size, taken = end != NULL ? n + 1 : n;
		struct entry entry;

		if (entry_take(data, n, &entry, NULL) == 0)
			take(&p, &u, &policy, &entry);
		data += taken;
		size -= taken;
	}
	return 0;
}
