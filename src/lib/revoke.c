#include "lib/revoke.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/authority.h"
#include "lib/standing.h"

struct revoking {
	const char *stream;
	authority_ref badge;   /* 0: it has none */
	authority_ref *grants; /* owned: its own, which are not revoked yet */
	size_t n;
};

void revoke_whose(const struct event_request *q, char ret[ID_TEXT_MAX])
{
	standing_stream(q->kept != 0 ? q->session : NULL, q->agent, q->workspace, ret);
}

static int find_badge(void *of, const struct keeper_row *row)
{
	struct revoking *rv = of;
	char id[ID_TEXT_MAX];

	authority_id_text('b', row->badge.id, id);
	if (strcmp(id, rv->stream) == 0)
		rv->badge = row->badge.ref;
	return 0;
}

/* What was derived from it for sub-agents goes with it. */
static int note_grant(void *of, const struct keeper_row *row)
{
	struct revoking *rv = of;
	authority_ref *more;

	if (row->grant.badge != rv->badge || row->grant.revoked)
		return 0;
	if ((rv->n & (rv->n - 1)) == 0) { /* grows at powers of two */
		more = realloc(rv->grants, (rv->n == 0 ? 1 : 2 * rv->n) * sizeof *more);
		if (more == NULL)
			return -AMBIT_MEMORY;
		rv->grants = more;
	}
	rv->grants[rv->n++] = row->grant.ref;
	return 0;
}

static int revoke_all(struct keeper *k, const struct revoking *rv, uint32_t *ret_n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < rv->n && r == 0; i++) {
		const struct authority_request q = {
			.op = AUTHORITY_REVOKE, .grant = rv->grants[i], .object = "", .terms = ""
		};
		struct keeper_answer a;

		r = keeper_step(k, &q, &a, e);
		*ret_n += r == 0 && a.verdict == AUTHORITY_ALLOWED && a.why != WHY_ALREADY;
	}
	return r;
}

static int revoke(const struct event_request *q, uint32_t *ret_n, struct err *e)
{
	char place[STANDING_PATH_MAX], stream[ID_TEXT_MAX];
	struct revoking rv = { .stream = stream };
	struct keeper *k = NULL;
	int r;

	revoke_whose(q, stream);
	if (standing_place(q->store, place, NULL) < 0 || !keeper_was_asked(place))
		return 0;
	r = keeper_open(place, q->ledger, &k, e);
	r = r < 0 ? r : keeper_list(k, KEEPER_BADGES, find_badge, &rv, e);
	if (r == 0 && rv.badge != 0)
		r = keeper_list(k, KEEPER_GRANTS, note_grant, &rv, e);
	if (r == -AMBIT_MEMORY)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory for the grants");
	r = r < 0 ? r : revoke_all(k, &rv, ret_n, e);
	free(rv.grants);
	keeper_close(k);
	return r;
}

void revoke_stream(const struct event_request *q, struct event_result *ret)
{
	const int r = revoke(q, &ret->revoked, &ret->unrevoked);

	if (r < 0)
		(void)err_context(&ret->unrevoked, r, "its grants could not be revoked");
}
