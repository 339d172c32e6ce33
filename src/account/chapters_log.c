/* What the log is, and how it is checked: the first chapter, the one about the ledger itself, and the last. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/chapters.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "ledger/layout.h"

/* ---- what this is about ---- */

static void put_key(const struct page *page, struct paper *p)
{
	auto_buf text = { .max = VKEY_TEXT_MAX + 1 };

	vkey_put(&text, &page->snapshot->key);
	paper_fact(p, "Key that signed", buf_cstr(&text) != NULL ? (const char *)text.data : "?", PAPER_CODE);
	paper_fact(
		p, "Trust in the key",
		page->chain != NULL && page->chain->anchor != 0
			? "That of an earlier log was given with --key by whoever made this page, and from there on each log names the key of the next. Compare it with the one that you have from elsewhere."
		: page->snapshot->key_was_given
			? "It was given with --key by whoever made this page. Compare it with the one that you have from elsewhere."
			: "None was given: this is the one found beside the log. Who can change the log can change it too, so compare it with one from elsewhere.",
		PAPER_TEXT);
}

static void put_head_of_log(const struct page *page, struct paper *p)
{
	const struct snapshot *s = page->snapshot;
	auto_buf root = { .max = BASE64_LEN(HASH_BYTES) + 1 };
	char number[24];

	base64_put(&root, &s->root, sizeof s->root);
	paper_fact(p, "Entries that are signed", cell_count(number, s->size), PAPER_TEXT);
	paper_fact(p, "Root of their hash tree",
		   s->any_checkpoint && buf_cstr(&root) != NULL ? (const char *)root.data : "none", PAPER_CODE);
	paper_fact(p, "Entries not signed yet", cell_count(number, page->unsigned_entries), PAPER_TEXT);
}

static void put_span(const struct page *page, struct paper *p)
{
	const struct account *a = page->account;
	char text[160], from[TIME_MAX], to[TIME_MAX];

	(void)snprintf(text, sizeof text, "%" PRIu64 ", of which %" PRIu64 " %s signed", a->entries, a->signed_entries,
		       a->signed_entries == 1 ? "is" : "are");
	paper_fact(p, "Entries in this report", text, PAPER_TEXT);
	if (a->entries == 0)
		return;
	(void)snprintf(text, sizeof text, "%s to %s, by the machine's clock", cell_time(from, a->first_ms),
		       cell_time(to, a->last_ms));
	paper_fact(p, "They were written from", text, PAPER_TEXT);
}

static void put_choice(const struct page *page, struct paper *p)
{
	const struct audit_ask *ask = page->ask;
	char text[256] = "", from[TIME_MAX], to[TIME_MAX];

	if (ask->event[0] != 0)
		(void)snprintf(text, sizeof text, "Only the event %s.", ask->event);
	else if (ask->since_ms != 0 || ask->until_ms != 0)
		(void)snprintf(
			text, sizeof text, "Only events that began %s%s%s%s, with all their entries.",
			ask->since_ms != 0 ? "from " : "", ask->since_ms != 0 ? cell_time(from, ask->since_ms) : "",
			ask->until_ms != 0 ? " before " : "", ask->until_ms != 0 ? cell_time(to, ask->until_ms) : "");
	if (text[0] != 0)
		paper_warn(p, text);
}

static const char *name_of(char dst[32], unsigned log)
{
	(void)snprintf(dst, 32, log != 0 ? LEDGER_PAST "/%u" : LEDGER_LOG, log); /* it fits */
	return dst;
}

static void put_one_of_logs(const struct page *page, unsigned number, struct paper *p)
{
	const struct chain *c = page->chain;
	const struct chain_log *log = &c->logs[number];
	auto_buf root = { .max = BASE64_LEN(HASH_BYTES) + 1 };
	char name[32], entries[24], key[CELL_MAX];

	base64_put(&root, &log->root, sizeof log->root);
	paper_row(p,
		  (const char *const[]){ name_of(name, number <= c->n ? number : 0), cell_count(entries, log->size),
					 log->good ? cell_name(key, log->key.name) : "not what was signed",
					 log->good && buf_cstr(&root) != NULL ? (const char *)root.data : "",
					 number == c->anchor ? "its key was given" : "" },
		  !log->good);
}

/* Of a ledger that was rotated. */
static void put_logs(const struct page *page, struct paper *p)
{
	static const struct paper_column columns[] = { { "Log", PAPER_WORD },
						       { "Entries", PAPER_NUMBER },
						       { "Name", PAPER_CODE },
						       { "Root of its hash tree", PAPER_CODE },
						       { "", PAPER_TEXT } };
	const struct chain *c = page->chain;

	if (c == NULL)
		return;
	paper_table(
		p,
		"The logs of this ledger, the earliest first: each was closed with the key of the next, which names key, size and root of the one before",
		columns, 5);
	for (unsigned i = c->first; i <= c->n + 1; i++)
		put_one_of_logs(page, i, p);
	paper_table_end(p);
	paper_say(
		p,
		"An entry of a log that was closed has the number of the log before its own: 2:17 is entry 17 of " LEDGER_PAST
		"/2, which prove takes with --ledger COPY/" LEDGER_PAST "/2.");
}

/* What was shown to others, who then say that the log goes on from what they saw before. */
static void put_witnesses(const struct page *page, struct paper *p)
{
	static const struct paper_column columns[] = { { "Log", PAPER_WORD },
						       { "Entries", PAPER_NUMBER },
						       { "When", PAPER_WORD },
						       { "Cosigned by", PAPER_CODE },
						       { "Its key", PAPER_TEXT } };
	const bool one = page->chain == NULL;

	if (page->n_witnesses == 0) {
		paper_say(
			p,
			"No witness cosigned this log: that no older state was put back shows only a checkpoint that somebody kept.");
		return;
	}
	paper_table(
		p,
		"Witnesses that cosigned the log, and how far; whether they are independent of this machine is for you to say",
		one ? columns + 1 : columns, one ? 4 : 5);
	for (size_t i = 0; i < page->n_witnesses; i++) {
		const struct report_cosigned *c = &page->witnesses[i].cosigned;
		char log[32], entries[24], time[TIME_MAX], name[CELL_MAX];
		const char *const cells[] = { name_of(log, page->witnesses[i].log), cell_count(entries, c->size),
					      cell_time(time, timestamp_ms_of(c->time_s)), cell_name(name, c->name),
					      c->given ? "given"
						       : "found beside the log, so name and key may be anybody's" };

		paper_row(p, one ? cells + 1 : cells, false);
	}
	paper_table_end(p);
	if (page->witnesses_over > 0)
		paper_warn(p, "There are more of them, which this page has no room for.");
}

static void put_remarks(const struct page *page, struct paper *p)
{
	const struct report *r = page->report;

	if (r->n_remarks == 0)
		return;
	paper_heading(p, "Noticed, and no fault");
	for (size_t i = 0; i < r->n_remarks; i++) {
		char text[sizeof r->remarks[i].why + sizeof r->remarks[i].file + 4];

		(void)snprintf(text, sizeof text, "%s%s%s", r->remarks[i].file, r->remarks[i].file[0] != 0 ? ": " : "",
			       r->remarks[i].why);
		paper_say(p, text);
	}
}

void chapter_log(const struct page *page, struct paper *p)
{
	paper_say(
		p,
		"A ledger is a log to which Ambit writes what each event was allowed, what it did, what it was denied, and what became of its changes. An event is one "
		"run of a program in a cell. Entries are numbered without a gap, held together by a hash tree, and signed.");
	put_choice(page, p);
	paper_facts(p);
	paper_fact(p, "Name of the log", page->snapshot->key.name, PAPER_CODE);
	put_key(page, p);
	put_head_of_log(page, p);
	put_span(page, p);
	paper_facts_end(p);
	if (page->unsigned_entries > 0)
		paper_warn(p, "What is not signed yet may be anybody's who can write to the log.");
	if (page->account->contradicting > 0)
		paper_warn(
			p,
			"Some of it is about events of which signed entries say the same or something else: that is not told here.");
	if (page->chain != NULL && page->chain->first > 1)
		paper_warn(
			p,
			"Of the logs that were closed those that are not in the table could not be read, and nothing here is of them.");
	put_logs(page, p);
	put_witnesses(page, p);
	put_remarks(page, p);
	paper_heading(p, "What was verified");
	paper_say(
		p,
		"The signature of the checkpoint; each tile of the tree, from the root down; each entry, by its hash in there; that each has the form of an entry and its own "
		"number. Whatever stands in this page was read from entries in their place, or is told to be not signed.");
	paper_heading(p, "What a signature cannot show");
	paper_say(
		p,
		"That it is all, and that it was true. Who has the key can write another history, and who can write to the ledger's directory can put back an older state of it, which "
		"was signed once; both show only to somebody who kept a checkpoint elsewhere. Nor was the machine verified: of what was seen by a kernel or an Ambit that somebody "
		"replaced, the log says what they said. Times are those of the machine's clock.");
}

/* ---- the ledger itself ---- */

static void put_mark(const struct account_mark *m, struct paper *p)
{
	char entry[32], time[TIME_MAX], before[CELL_MAX], what[CELL_MAX + 256] = "";

	switch (m->kind) {
	case MARK_LEDGER_CRASH:
		(void)snprintf(what, sizeof what,
			       "The ledger's process had ended without saying so. Found: %" PRIu64
			       " entries signed, %" PRIu64 " taken from the journal, %" PRIu64 " bytes torn.",
			       m->n[0], m->n[1], m->n[2]);
		break;
	case MARK_EVENT_LOST:
		(void)snprintf(what, sizeof what, "The event %s was lost: its supervisor ended without a word.",
			       m->event);
		break;
	case MARK_PRUNE:
		(void)snprintf(what, sizeof what,
			       "Records of before %s were removed: %" PRIu64 ", %" PRIu64 " bytes. Their entries stay.",
			       cell_name(before, m->before), m->n[0], m->n[1]);
		break;
	case MARK_KEY:
		(void)snprintf(what, sizeof what, "The key of the log is another one before or after this entry.");
		break;
	}
	if (!m->is_signed)
		(void)strncat(what, " (Nobody signed that yet.)", sizeof what - strlen(what) - 1);
	paper_row(p, (const char *const[]){ cell_entry(entry, m->entry), cell_time(time, m->ms), what },
		  m->kind == MARK_LEDGER_CRASH || m->kind == MARK_EVENT_LOST);
}

static void put_marks(const struct account *a, struct paper *p)
{
	static const struct paper_column columns[] = { { "Entry", PAPER_NUMBER },
						       { "Time", PAPER_WORD },
						       { "What happened", PAPER_TEXT } };
	char text[128];

	if (a->n_marks == 0) {
		paper_say(p, "No crash, no event that was lost, nothing pruned, no other key.");
		return;
	}
	paper_table(p, "Crashes, events that were lost, records that were removed, changes of the key", columns, 3);
	for (size_t i = 0; i < a->n_marks; i++)
		put_mark(&a->marks[i], p);
	paper_table_end(p);
	if (a->marks_over > 0) {
		(void)snprintf(text, sizeof text, "Shown are the first %d; there are %" PRIu64 " more.", ACCOUNT_MARKS,
			       a->marks_over);
		paper_warn(p, text);
	}
}

static void length_of(char dst[32], uint64_t ms)
{
	const uint64_t minutes = ms / 60000;

	if (minutes < 48 * 60)
		(void)snprintf(dst, 32, "%" PRIu64 " h %02" PRIu64 " min", minutes / 60, minutes % 60);
	else
		(void)snprintf(dst, 32, "%" PRIu64 " d %" PRIu64 " h", minutes / 1440, minutes / 60 % 24);
}

static void put_gaps(const struct account *a, struct paper *p)
{
	static const struct paper_column columns[] = { { "Before entry", PAPER_NUMBER },
						       { "Length", PAPER_WORD },
						       { "From", PAPER_WORD },
						       { "To", PAPER_WORD },
						       { "Why", PAPER_TEXT } };
	char text[128];

	if (a->n_gaps == 0) {
		paper_say(p, "No gap of an hour or more between two entries that follow each other.");
		return;
	}
	paper_table(p, "Times of an hour or more without an entry", columns, 5);
	for (size_t i = 0; i < a->n_gaps; i++) {
		const struct account_gap *g = &a->gaps[i];
		char entry[32], length[32], from[TIME_MAX], to[TIME_MAX];

		length_of(length, g->to_ms - g->from_ms);
		paper_row(p,
			  (const char *const[]){ cell_entry(entry, g->entry), length, cell_time(from, g->from_ms),
						 cell_time(to, g->to_ms),
						 g->at_rest ? "the ledger had ended as it should: nothing ran"
							    : "not explained by the ledger: it had not ended" },
			  !g->at_rest);
	}
	paper_table_end(p);
	if (a->all_gaps > a->n_gaps) {
		(void)snprintf(text, sizeof text, "Shown are the %d longest of %" PRIu64 ".", ACCOUNT_GAPS,
			       a->all_gaps);
		paper_warn(p, text);
	}
}

static void put_types(const struct account *a, struct paper *p)
{
	static const struct paper_column columns[] = { { "Entries", PAPER_NUMBER }, { "Type", PAPER_TEXT } };

	paper_table(p, "Entries by type", columns, 2);
	for (enum entry_type t = 0; t < ENTRY_TYPE_COUNT; t++) {
		char number[24];

		if (a->by_type[t] > 0)
			paper_row(p, (const char *const[]){ cell_count(number, a->by_type[t]), entry_type_word(t) },
				  false);
	}
	paper_table_end(p);
}

void chapter_ledger(const struct page *page, struct paper *p)
{
	const struct account *a = page->account;
	char text[160];

	(void)snprintf(text, sizeof text,
		       "The ledger's process started %" PRIu64 " time%s and ended as it should %" PRIu64
		       " time%s; it ends when nothing runs.",
		       a->starts, text_plural(a->starts), a->stops, text_plural(a->stops));
	paper_say(p, text);
	put_marks(a, p);
	put_gaps(a, p);
	put_types(a, p);
}

/* ---- check it yourself ---- */

void chapter_check(const struct page *page, struct paper *p)
{
	static const char commands[] =
		"ambit ledger verify --ledger COPY --key \"$(cat auditor.pub)\"\n"
		"ambit ledger verify --ledger COPY --key \"$(cat auditor.pub)\" --from saved.checkpoint --payloads\n"
		"ambit ledger show --ledger COPY --event EVENT\n"
		"ambit ledger replay --ledger COPY --key \"$(cat auditor.pub)\"\n"
		"ambit ledger prove NUMBER --ledger COPY > entry.tlog-proof\n"
		"ambit ledger check entry.tlog-proof --key \"$(cat auditor.pub)\"\n"
		"ambit ledger report --ledger COPY --key \"$(cat auditor.pub)\" --html > again.html\n";
	const struct buf *checkpoint = &page->snapshot->checkpoint;

	paper_say(
		p,
		"Do it on a machine of your own, with an Ambit of your own and a copy of the ledger (ambit ledger backup). The file auditor.pub has the key as you know it "
		"from elsewhere, and not from this page: a name, an id and the public key in one line. The first command says whether the log is what was signed; the second, also "
		"whether it goes on from a checkpoint that you saved; replay makes each decision once more. The numbers of entries in this page are what prove takes: a proof "
		"can be checked without the log, also by programs that know nothing of Ambit, since the formats are those of C2SP (tlog-tiles, tlog-checkpoint, signed-note, "
		"tlog-proof).");
	paper_lines(p, commands, strlen(commands));
	paper_heading(p, "The checkpoint");
	paper_say(
		p,
		"Keep it where the machine cannot write: whoever has it can see later whether the log goes on from it.");
	paper_lines(p, (const char *)checkpoint->data, checkpoint->len);
	paper_heading(p, "Records");
	paper_say(
		p,
		"The full record of an event lies beside the log, in a file whose name is the SHA-256 that stands with the event. sha256sum of the file says whether it is "
		"the one; this page did not look at them (verify --payloads does).");
}
