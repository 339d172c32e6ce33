#include "supervisor/request.h"

#include <string.h>

#define REQUEST_VERSION 23

void request_put_grants(struct buf *out, const struct grant_set *set, const char (*ids)[ID_TEXT_MAX])
{
	buf_put_u32(out, set->count);
	for (uint32_t i = 0; i < set->count; i++) {
		buf_put_u16(out, set->grants[i].verb);
		buf_put_u16(out, set->grants[i].flags);
		qualifiers_put(out, &set->grants[i].qualifiers);
		buf_put_str(out, grant_terms(set, i));
		buf_put_str(out, grant_flow(set, i));
		buf_put_str(out, grant_object(set, i));
		buf_put_str(out, ids != NULL ? ids[i] : "");
	}
}

static void encode(const struct event_request *q, bool named, struct buf *out)
{
	static const struct qualifiers unbounded;

	buf_put_u32(out, REQUEST_VERSION);
	buf_put_u32(out, q->base);
	buf_put_u32(out, q->observe);
	buf_put_u32(out, q->source);
	buf_put_u32(out, q->flags);
	buf_put_u32(out, q->without);
	buf_put_u32(out, q->staged);
	buf_put_u32(out, q->beside);
	buf_put_u32(out, q->own);
	buf_put_u32(out, q->umask);
	buf_put_u32(out, named ? q->kind : 0);
	buf_put_u32(out, q->kernel);
	buf_put_str(out, named ? q->event : "");
	buf_put_str(out, q->parent);
	buf_put_str(out, named ? q->session : "");
	buf_put_u64(out, named ? q->n : 0);
	buf_put_str(out, q->user);
	buf_put_str(out, q->home);
	buf_put_str(out, q->workspace);
	buf_put_str(out, q->workdir);
	buf_put_str(out, q->store);
	buf_put_str(out, q->ledger);
	buf_put_str(out, q->secrets);
	buf_put_str(out, q->secrets_key);
	buf_put_str(out, q->approvers);
	buf_put_str(out, q->authority);
	buf_put_str(out, named ? q->command : "");
	pty_encode(&q->terminal, out);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		buf_put_u64(out, q->limits.value[i]);
	request_put_grants(out, &q->grants, named ? q->grant_ids : NULL);
	buf_put_str(out, q->agent);
	buf_put_str(out, named ? q->stream : "");
	buf_put_u32(out, named ? q->kept : 0);
	buf_put_u64(out, named ? q->labels : 0);
	buf_put_u64(out, named ? q->labels_most : 0);
	for (size_t i = 0; i < BUDGET_COUNT; i++)
		qualifiers_put(out, named ? &q->budgets[i] : &unbounded);
	buf_put_u32(out, q->n_policies);
	for (uint32_t i = 0; i < q->n_policies; i++) {
		buf_put_str(out, q->policies[i].name);
		buf_put(out, q->policies[i].sha256, SHA256_BYTES);
		buf_put_u32(out, q->policies[i].size);
	}
	buf_put_u32(out, q->n_links);
	for (uint32_t i = 0; i < q->n_links; i++) {
		buf_put_str(out, q->links[i].name);
		buf_put_str(out, q->links[i].real);
	}
	buf_put_u32(out, q->n_hides);
	for (uint32_t i = 0; i < q->n_hides; i++)
		buf_put_str(out, q->hides[i]);
	buf_put_u32(out, q->n_asked);
	for (uint32_t i = 0; i < q->n_asked; i++)
		buf_put_str(out, q->asked[i]);
	buf_put_u32(out, named ? q->canary : 0);
	buf_put_u32(out, named ? q->n_decoys : 0);
	for (uint32_t i = 0; named && i < q->n_decoys; i++) {
		buf_put_u64(out, q->decoy_sizes[i]);
		buf_put_str(out, q->decoys[i]);
	}
}

const char *request_workdir(const struct event_request *q)
{
	return q->workdir[0] != 0 ? q->workdir : q->workspace;
}

void request_encode(const struct event_request *q, struct buf *out)
{
	encode(q, true, out);
}

void request_encode_cell(const struct event_request *q, struct buf *out)
{
	encode(q, false, out);
}

bool request_same_cell(const struct event_request *a, const struct event_request *b)
{
	auto_buf of_a = { .max = REQUEST_BYTES_MAX }, of_b = { .max = REQUEST_BYTES_MAX };

	request_encode_cell(a, &of_a);
	request_encode_cell(b, &of_b);
	return buf_is_same(&of_a, &of_b) && strcmp(a->event, b->event) == 0;
}

int request_take_grants(struct rbuf *in, struct grant_set *set, char (*ids)[ID_TEXT_MAX], struct err *e)
{
	const uint32_t n = rbuf_u32(in);
	char object[GRANT_OBJECT_MAX], terms[TERMS_TEXT_MAX], flow[FLOW_TEXT_MAX], none[ID_TEXT_MAX];

	grant_set_init(set);
	for (uint32_t i = 0; i < n; i++) {
		const uint16_t verb = rbuf_u16(in), flags = rbuf_u16(in);
		struct qualifiers qualifiers;
		uint32_t id;
		int r;

		qualifiers_take(in, &qualifiers);
		rbuf_str(in, terms, sizeof terms);
		rbuf_str(in, flow, sizeof flow);
		rbuf_str(in, object, sizeof object);
		if (i < GRANTS_MAX)
			rbuf_str(in, ids != NULL ? ids[i] : none, ID_TEXT_MAX);
		if (in->failed || i >= GRANTS_MAX || verb >= VERB_COUNT)
			return err_set(e, AMBIT_MALFORMED, NULL, "request: grant %u is not well-formed", i);
		r = grant_add_qualified(set, (enum grant_verb)verb, object, flags, &qualifiers, terms, flow, &id, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* An agent without a name has no budget: it would be that of all who have none. */
static bool take_budgets(struct rbuf *in, struct event_request *ret)
{
	for (size_t i = 0; i < BUDGET_COUNT; i++) {
		qualifiers_take(in, &ret->budgets[i]);
		if (in->failed || !qualifiers_are_only(&ret->budgets[i], BUDGET_QUALIFIERS))
			return false;
	}
	return ret->agent[0] != 0 || qualifiers_are_none(&ret->budgets[BUDGET_AGENT]);
}

static int decode_policies(struct rbuf *in, struct event_request *ret, struct err *e)
{
	rbuf_str(in, ret->agent, sizeof ret->agent);
	rbuf_str(in, ret->stream, sizeof ret->stream);
	ret->kept = rbuf_u32(in);
	ret->labels = rbuf_u64(in);
	ret->labels_most = rbuf_u64(in);
	if (!take_budgets(in, ret))
		return err_set(e, AMBIT_MALFORMED, NULL, "request: its budgets are not well-formed");
	ret->n_policies = rbuf_u32(in);
	for (uint32_t i = 0; i < ret->n_policies && i < POLICY_SOURCES_MAX && !in->failed; i++) {
		const uint8_t *sum;

		rbuf_str(in, ret->policies[i].name, sizeof ret->policies[i].name);
		sum = rbuf_bytes(in, SHA256_BYTES);
		if (sum != NULL)
			memcpy(ret->policies[i].sha256, sum, SHA256_BYTES);
		ret->policies[i].size = rbuf_u32(in);
	}
	return in->failed || ret->n_policies > POLICY_SOURCES_MAX ||
			       (ret->stream[0] != 0 && !id_is('b', ret->stream, strlen(ret->stream))) ||
			       (ret->labels & ~ret->labels_most) != 0 || ret->kept > 1
		       ? err_set(e, AMBIT_MALFORMED, NULL, "request: its policies are not well-formed")
		       : 0;
}

static int decode_links(struct rbuf *in, struct event_request *ret, struct err *e)
{
	ret->n_links = rbuf_u32(in);
	if (in->failed || ret->n_links > REQUEST_LINKS_MAX)
		return err_set(e, AMBIT_LIMIT, "name the target instead of the link",
			       "more than %d grants that are links", REQUEST_LINKS_MAX);
	for (uint32_t i = 0; i < ret->n_links; i++) {
		rbuf_str(in, ret->links[i].name, sizeof ret->links[i].name);
		rbuf_str(in, ret->links[i].real, sizeof ret->links[i].real);
		if (in->failed || !path_is_normal(ret->links[i].name) || !path_is_normal(ret->links[i].real))
			return err_set(e, AMBIT_MALFORMED, NULL, "request: link %u is not well-formed", i);
	}
	return 0;
}

static int decode_hides(struct rbuf *in, struct event_request *ret, struct err *e)
{
	ret->n_hides = rbuf_u32(in);
	if (in->failed || ret->n_hides > REQUEST_HIDES_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d hidden paths", REQUEST_HIDES_MAX);
	for (uint32_t i = 0; i < ret->n_hides; i++) {
		rbuf_str(in, ret->hides[i], sizeof ret->hides[i]);
		if (in->failed || !path_is_normal(ret->hides[i]))
			return err_set(e, AMBIT_MALFORMED, NULL, "request: hidden path %u is not well-formed", i);
	}
	return 0;
}

static int decode_asked(struct rbuf *in, struct event_request *ret, struct err *e)
{
	ret->n_asked = rbuf_u32(in);
	if (in->failed || ret->n_asked > REQUEST_ASKED_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d paths that are asked for", REQUEST_ASKED_MAX);
	for (uint32_t i = 0; i < ret->n_asked; i++) {
		rbuf_str(in, ret->asked[i], sizeof ret->asked[i]);
		if (in->failed || !path_is_normal(ret->asked[i]))
			return err_set(e, AMBIT_MALFORMED, NULL, "request: path %u is not well-formed", i);
	}
	return 0;
}

static int decode_decoys(struct rbuf *in, struct event_request *ret, struct err *e)
{
	ret->canary = rbuf_u32(in);
	ret->n_decoys = rbuf_u32(in);
	if (in->failed || ret->canary > POLICY_CANARY_LAST || ret->n_decoys > CANARIES_MAX)
		return err_set(e, AMBIT_MALFORMED, NULL, "request: its canaries are not well-formed");
	for (uint32_t i = 0; i < ret->n_decoys; i++) {
		ret->decoy_sizes[i] = rbuf_u64(in);
		rbuf_str(in, ret->decoys[i], sizeof ret->decoys[i]);
		if (in->failed || !canary_is_path(ret->decoys[i]))
			return err_set(e, AMBIT_MALFORMED, NULL, "request: canary %u is not well-formed", i);
	}
	return 0;
}

/* It becomes part of a file name. */
static bool is_id(const char *s)
{
	return s[0] != 0 && strspn(s, "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == strlen(s);
}

int request_decode(struct rbuf *in, struct event_request *ret, struct err *e)
{
	const uint32_t version = rbuf_u32(in);
	int r;

	ret->base = rbuf_u32(in);
	ret->observe = rbuf_u32(in);
	ret->source = rbuf_u32(in);
	ret->flags = rbuf_u32(in);
	ret->without = rbuf_u32(in);
	ret->staged = rbuf_u32(in);
	ret->beside = rbuf_u32(in);
	ret->own = rbuf_u32(in);
	ret->umask = rbuf_u32(in);
	ret->kind = rbuf_u32(in);
	ret->kernel = rbuf_u32(in);
	rbuf_str(in, ret->event, sizeof ret->event);
	rbuf_str(in, ret->parent, sizeof ret->parent);
	rbuf_str(in, ret->session, sizeof ret->session);
	ret->n = rbuf_u64(in);
	rbuf_str(in, ret->user, sizeof ret->user);
	rbuf_str(in, ret->home, sizeof ret->home);
	rbuf_str(in, ret->workspace, sizeof ret->workspace);
	rbuf_str(in, ret->workdir, sizeof ret->workdir);
	rbuf_str(in, ret->store, sizeof ret->store);
	rbuf_str(in, ret->ledger, sizeof ret->ledger);
	rbuf_str(in, ret->secrets, sizeof ret->secrets);
	rbuf_str(in, ret->secrets_key, sizeof ret->secrets_key);
	rbuf_str(in, ret->approvers, sizeof ret->approvers);
	rbuf_str(in, ret->authority, sizeof ret->authority);
	rbuf_str(in, ret->command, sizeof ret->command);
	pty_decode(in, &ret->terminal);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		ret->limits.value[i] = rbuf_u64(in);
	if (in->failed || version != REQUEST_VERSION || !is_id(ret->event) || !is_id(ret->session) ||
	    (ret->parent[0] != 0 && !is_id(ret->parent)) || ret->n == 0 || ret->staged > 1 ||
	    ret->beside > ret->staged || ret->own > 1 || ret->umask > 0777 || ret->kind >= KIND_COUNT ||
	    ret->source > (ret->observe == CELL_OBSERVE_FULL ? CELL_SOURCE_EBPF : CELL_SOURCE_EYE) ||
	    ret->kernel > (ret->kind != KIND_RUN) || (ret->store[0] != 0 && !path_is_normal(ret->store)) ||
	    (ret->flags & ~(unsigned)(CELL_TTY_ANY | CELL_BY_FD)) != 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "request: not of this version");
	r = request_take_grants(in, &ret->grants, ret->grant_ids, e);
	r = r < 0 ? r : decode_policies(in, ret, e);
	r = r < 0 ? r : decode_links(in, ret, e);
	r = r < 0 ? r : decode_hides(in, ret, e);
	r = r < 0 ? r : decode_asked(in, ret, e);
	return r < 0 ? r : decode_decoys(in, ret, e);
}
