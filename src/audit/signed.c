#include "audit/signed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ledger/head.h"
#include "ledger/layout.h"

static void check_key_beside(const struct snapshot *s, struct report *report)
{
	uint8_t room[VKEY_TEXT_MAX + 2], given[VKEY_TEXT_MAX + 1];
	struct buf found, want;
	int r;

	if (!s->key_was_given)
		return;
	buf_init_in(&found, room, sizeof room);
	buf_init_in(&want, given, sizeof given);
	r = source_read(&s->source, LEDGER_PUBLIC, &found);
	vkey_put(&want, &s->key);
	if (r == -ENOENT)
		return; /* a copy has no need of it */
	if (found.len > 0 && found.data[found.len - 1] == '\n')
		found.len--;
	if (r < 0 || !buf_is_same(&found, &want))
		report_fault(report, LEDGER_PUBLIC, "it is another key than the one given");
}

static void check_signature(const struct snapshot *s, struct report *report)
{
	if (s->checkpoint.len == 0)
		report_fault(report, LEDGER_CHECKPOINT, "it is missing");
	else if (s->signature.code != AMBIT_OK)
		report_fault(report, LEDGER_CHECKPOINT, "%s", s->signature.msg);
}

void signed_check(const struct snapshot *s, struct report *report)
{
	check_key_beside(s, report);
	check_signature(s, report);
}

/* ---- a checkpoint of before ---- */

enum growth signed_growth(struct snapshot *s, uint64_t old, const struct hash *old_root, struct err *e)
{
	const struct tile_source source = snapshot_tiles(s);
	struct hash proof[MERKLE_PROOF_MAX];
	size_t n = 0;

	if (old > s->size)
		return GROWTH_CUT;
	if (old == s->size)
		return hash_is(old_root, &s->root) ? GROWTH_GOOD : GROWTH_OTHER_ROOT;
	if (old == 0)
		return GROWTH_GOOD;
	if (merkle_prove_growth(old, s->size, &source, proof, &n, e) < 0)
		return GROWTH_UNKNOWN;
	return merkle_check_growth(old, old_root, s->size, &s->root, proof, n) ? GROWTH_GOOD : GROWTH_OTHER;
}

static void check_growth(struct snapshot *s, uint64_t old, const struct hash *old_root, struct report *report)
{
	struct err e;

	switch (signed_growth(s, old, old_root, &e)) {
	case GROWTH_GOOD: return;
	case GROWTH_CUT:
		report_fault(report, LEDGER_CHECKPOINT,
			     "it has %" PRIu64 " entries, and the saved one %" PRIu64
			     ": the log was rolled back, or cut",
			     s->size, old);
		return;
	case GROWTH_OTHER_ROOT:
		report_fault(report, LEDGER_CHECKPOINT,
			     "the saved one has as many entries and another root: the log was rewritten");
		return;
	case GROWTH_UNKNOWN:
		report_fault(report, NULL, "whether it grew from the saved checkpoint cannot be told: %s", e.msg);
		return;
	case GROWTH_OTHER:
		report_fault(report, NULL,
			     report->n_faults == 0
				     ? "its first %" PRIu64
				       " entries are not those of the saved checkpoint: the log was rewritten"
				     : "whether its first %" PRIu64
				       " entries are those of the saved checkpoint cannot be told of what is left",
			     old);
	}
}

void signed_check_growth(struct snapshot *s, struct span saved, struct report *report)
{
	struct hash old_root;
	struct err e;
	uint64_t old;

	if (saved.len == 0)
		return;
	if (head_take(&s->key, saved.at, saved.len, &old, &old_root, &e) < 0) {
		report_fault(report, NULL, "the saved checkpoint: %s: it is of another log, or the key was changed",
			     e.msg);
		return;
	}
	report->has_saved = true;
	report->saved_size = old;
	check_growth(s, old, &old_root, report);
}
