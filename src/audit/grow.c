#include "audit/grow.h"

#include <inttypes.h>
#include <string.h>

#include "audit/prove.h"
#include "audit/signed.h"
#include "ledger/head.h"

/* What this witness cosigned before: when, and of what. */
static int take_given(struct snapshot *s, const struct audit_ask *ask, struct audit_growth *g, struct err *e)
{
	static const char hint[] = "`ambit ledger verify` says what is wrong; where it is no use, move the file away";
	struct hash root;
	struct note note;
	struct vkey k;
	struct err why;

	if (vkey_parse(span_of(ask->witness[0]), &k, &why) < 0)
		return err_set(e, AMBIT_USAGE, NULL, "the key of a witness: %s", why.msg);
	if (ask->given.len == 0)
		return 0;
	if (head_take(&s->key, ask->given.at, ask->given.len, &g->old, &root, &why) < 0 ||
	    note_parse(ask->given, &note, &why) < 0 || note_verify(&note, &k, &g->time_s) != NOTE_GOOD)
		return err_set(e, AMBIT_MALFORMED, hint,
			       "what is kept as cosigned by %.200s is not a checkpoint of this log that it cosigned",
			       k.name);
	switch (signed_growth(s, g->old, &root, &why)) {
	case GROWTH_GOOD:
	case GROWTH_CUT: return 0; /* the size says it */
	case GROWTH_OTHER_ROOT:
	case GROWTH_OTHER:
	case GROWTH_UNKNOWN: break;
	}
	return err_set(e, AMBIT_MALFORMED, hint,
		       "this log does not go on from the %" PRIu64
		       " entries that %.200s has cosigned: it was rewritten, "
		       "or is damaged",
		       g->old, k.name);
}

static int prove(struct snapshot *s, struct audit_growth *g, struct err *e)
{
	const struct tile_source source = snapshot_tiles(s);
	struct hash hashes[MERKLE_PROOF_MAX];
	size_t n = 0;
	int r;

	if (g->old == 0 || g->old >= s->size)
		return 0;
	r = merkle_prove_growth(g->old, s->size, &source, hashes, &n, e);
	if (r < 0)
		return r;
	if (n > GROWTH_HASHES_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "the proof is longer than a witness takes");
	memcpy(g->hashes, hashes, n * sizeof hashes[0]);
	g->n_hashes = (uint32_t)n; /* at most 63 */
	return 0;
}

int grow_prove(struct snapshot *s, const struct audit_ask *ask, struct buf *out, struct err *e)
{
	struct audit_growth g = { .size = s->size,
				  .old = (ask->flags & AUDIT_BY_SEQ) != 0 ? ask->seq : 0,
				  .checkpoint = span_bytes(s->checkpoint.data, s->checkpoint.len) };
	int r = prove_signature(s, e);

	r = r < 0 || (ask->flags & AUDIT_BY_SEQ) != 0 ? r : take_given(s, ask, &g, e);
	r = r < 0 ? r : prove(s, &g, e);
	if (r < 0)
		return r;
	growth_encode(&g, out);
	return 0;
}
