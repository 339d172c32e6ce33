#include "audit/behind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ledger/entry.h"
#include "ledger/layout.h"
#include "ledger/tile.h"

/* Entries that nobody signed fail nothing: whoever may write there may write anything. */
static void check_group(const struct journal_group *g, struct report *report)
{
	const uint8_t *bytes;
	struct rbuf r;
	size_t len;

	rbuf_init(&r, g->entries, g->bytes);
	for (uint64_t i = g->first; (bytes = bundle_next(&r, &len)) != NULL; i++) {
		struct entry entry;
		struct err e;

		if (entry_take(bytes, len, &entry, &e) < 0)
			report_remark(report, LEDGER_JOURNAL, "what would be entry %" PRIu64 " is none: %s", i, e.msg);
		else if (entry.seq != i)
			report_remark(report, LEDGER_JOURNAL,
				      "what would be entry %" PRIu64 " says that it is %" PRIu64, i, entry.seq);
	}
}

static void check_journal(const struct snapshot *s, struct report *report)
{
	struct snapshot_journal *j = calloc(1, sizeof *j);
	struct journal_group g;

	if (s->journal_error < 0 && s->journal_error != -ENOENT)
		report_remark(report, LEDGER_JOURNAL, "%s", source_why(s->journal_error));
	if (j != NULL && snapshot_journal_begin(s, j)) {
		while (snapshot_journal_next(j, &g)) {
			report->unsigned_entries += g.n;
			check_group(&g, report);
		}
		if (j->folded > 0)
			report_remark(
				report, LEDGER_JOURNAL,
				"it has %" PRIu64
				" entries that are under the checkpoint already: the ledger has just signed them, or was killed then, or it was changed",
				j->folded);
		if (j->torn)
			report_remark(
				report, LEDGER_JOURNAL,
				"its last %zu bytes are no group of entries that follows: being written, torn by a crash, or changed",
				rbuf_left(&j->left));
	}
	free(j);
}

static void check_strays(const struct snapshot *s, struct report *report)
{
	const struct source_found *f = &s->found;
	const uint64_t known = s->size + report->unsigned_entries;

	if (f->size > known)
		report_remark(report, f->largest,
			      "it is of a log of at least %" PRIu64 " entries, and the checkpoint has %" PRIu64
			      ": was the log rolled back? A checkpoint saved elsewhere says it (--from)",
			      f->size, s->size);
	if (f->strange > 0)
		report_remark(report, "tile", "%" PRIu64 " file%s there of no log, '%s' for one", f->strange,
			      f->strange == 1 ? " is" : "s are", f->stranger);
}

void behind_check(const struct snapshot *s, struct report *report)
{
	check_journal(s, report);
	check_strays(s, report);
}
