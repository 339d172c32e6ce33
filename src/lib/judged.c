#include "lib/judged.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "lib/ledger.h"
#include "lib/standing.h"
#include "supervisor/judge_told.h"
#include "wire/wire.h"

static bool asks(const struct event_request *q, uint32_t grant)
{
	return q->grants.grants[grant].verb == VERB_CONNECT && q->grants.grants[grant].qualifiers.ask != 0;
}

bool judged_is_needed(const struct event_request *q)
{
	for (uint32_t i = 0; i < q->grants.count; i++)
		if (asks(q, i))
			return true;
	return false;
}

static int prepare(struct keeper *k, const struct event_request *q, struct judge_told *ret, struct err *e)
{
	struct standing who;
	int r = standing_take(k, q->agent, q->workspace, &who, e);

	ret->badge = who.badge;
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++) {
		if (!asks(q, i))
			continue;
		ret->grants[ret->n].grant = i;
		r = standing_grant(k, &who, VERB_CONNECT, grant_object(&q->grants, i), grant_terms(&q->grants, i),
				   &ret->grants[ret->n++].ref, e);
	}
	return r < 0 ? r : keeper_bind(k, who.badge, e);
}

int judged_tell(int sock, const struct event_request *q, uint64_t keep_ms, uint64_t *ret_badge, struct err *e)
{
	struct judge_told told = { .keep_ms = keep_ms };
	auto_buf b = { .max = 4096 };
	auto_fd int fd = -1, ledger = -1;
	struct ledger_hello ignored;
	struct keeper *k = NULL;
	int r = standing_open(q->store, q->ledger, &k, e);

	r = r < 0 ? r : prepare(k, q, &told, e);
	if (r == 0 && q->ledger[0] != 0) /* the event's own is for its entries alone */
		r = ledger_reconnect(q->ledger, &ledger, &ignored, e);
	if (r < 0) {
		keeper_close(k);
		return err_context(e, r, "a grant asks a person first");
	}
	fd = keeper_hand_on(k);
	judge_told_put(&b, &told);
	r = wire_send(sock, WIRE_EVENT_AUTHORITY, &b, (int[]){ fd, ledger }, ledger < 0 ? 1 : 2);
	*ret_badge = told.badge;
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor ended at once") : 0;
}
