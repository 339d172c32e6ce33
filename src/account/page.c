#include "account/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/chapters.h"
#include "base/text.h"
#include "base/timestamp.h"

static const struct chapter {
	const char *id, *head;
	void (*write)(const struct page *page, struct paper *p);
} chapters[] = {
	{ "log", "What this is about", chapter_log },
	{ "who", "Who ran what", chapter_who },
	{ "allowed", "Allowed, and used", chapter_allowed },
	{ "denied", "Denied", chapter_denied },
	{ "wall", "The wall", chapter_wall },
	{ "changes", "Changes to real files", chapter_changes },
	{ "events", "Events one by one", chapter_events },
	{ "ledger", "The ledger itself", chapter_ledger },
	{ "check", "Check it yourself", chapter_check },
};

#define CHAPTERS (sizeof chapters / sizeof chapters[0])

/* Entries under the checkpoints of all logs that were read. */
static uint64_t signed_in_all(const struct page *page)
{
	uint64_t sum = 0;

	for (unsigned i = page->chain->first; i <= page->chain->n + 1; i++)
		sum += page->chain->logs[i].good ? page->chain->logs[i].size : 0;
	return sum;
}

static void put_bad_banner(const struct page *page, struct paper *p)
{
	const struct report *r = page->report;
	char text[512];

	if (page->chain != NULL)
		(void)snprintf(
			text, sizeof text,
			"%zu fault%s%s. What follows is told by those logs that are what was signed, and of the present one by the entries that still are; it is not all that happened.",
			r->n_faults, text_plural(r->n_faults), r->given_up ? " and more" : "");
	else
		(void)snprintf(
			text, sizeof text,
			"%zu fault%s%s. What follows is told by those entries that still are what was signed, %" PRIu64
			" of %" PRIu64 ", and is not all that happened.",
			r->n_faults, text_plural(r->n_faults), r->given_up ? " and more" : "", r->entries,
			page->snapshot->size);
	paper_banner(p, false,
		     page->chain != NULL ? "This ledger is not what was signed" : "This log is not what was signed",
		     text);
}

static void put_banner(const struct page *page, struct paper *p)
{
	const char *trust =
		page->snapshot->key_was_given
			? "The key was given by whoever made this page."
			: "But the key is the one found beside the log, and who can change the log can change that too.";
	char text[512];

	if (page->report->n_faults > 0) {
		put_bad_banner(page, p);
		return;
	}
	if (page->chain != NULL)
		(void)snprintf(
			text, sizeof text,
			"All %" PRIu64
			" entries under the checkpoints of %u logs are what was signed: none was altered, dropped or added; and each log names the one before it. %s",
			signed_in_all(page), page->chain->n + 2 - page->chain->first, trust);
	else
		(void)snprintf(
			text, sizeof text,
			"All %" PRIu64
			" entries under the checkpoint are what was signed: none was altered, dropped or added. %s",
			page->snapshot->size, trust);
	paper_banner(p, true, page->snapshot->key_was_given ? "Verified" : "Verified, by the key beside the log", text);
}

/* The faults stand at the top: who reads no further has read them. */
static void put_faults(const struct page *page, struct paper *p)
{
	static const struct paper_column columns[] = { { "Entry", PAPER_NUMBER },
						       { "File", PAPER_CODE },
						       { "What is wrong", PAPER_TEXT } };
	const struct report *r = page->report;

	if (r->n_faults == 0)
		return;
	paper_table(p, "Faults, as the verification found them", columns, 3);
	for (size_t i = 0; i < r->n_faults; i++) {
		char entry[24] = "";

		if (r->faults[i].has_entry)
			(void)snprintf(entry, sizeof entry, "%" PRIu64, r->faults[i].entry);
		paper_row(p, (const char *const[]){ entry, r->faults[i].file, r->faults[i].why }, true);
	}
	paper_table_end(p);
}

static void put_figure(struct paper *p, uint64_t n, const char *what, bool alarm)
{
	char number[24];

	(void)snprintf(number, sizeof number, "%" PRIu64, n); /* it fits */
	paper_figure(p, number, what, alarm && n > 0);
}

static void put_figures(const struct page *page, struct paper *p)
{
	const struct account *a = page->account;

	paper_figures(p);
	put_figure(p, a->n_events, "events", false);
	put_figure(p, a->allowed, "effects allowed by a grant", false);
	put_figure(p, a->denied, "denied", false);
	if (a->connections > 0) {
		put_figure(p, a->connections, "connections", false);
		put_figure(p, a->up_bytes, "bytes sent", false);
		put_figure(p, a->down_bytes, "bytes received", false);
	}
	put_figure(p, a->held, "changes held back", false);
	put_figure(p, a->lost, "events lost", true);
	put_figure(p, a->given_up, "wall properties given up", true);
	paper_figures_end(p);
}

int page_write(const struct page *page, int fd, bool html)
{
	const char *ids[CHAPTERS], *heads[CHAPTERS];
	char title[VKEY_NAME_MAX + 32];
	struct paper p;

	(void)snprintf(title, sizeof title, "Ledger report: %s", page->snapshot->key.name);
	paper_begin(&p, fd, html, title);
	put_banner(page, &p);
	for (size_t i = 0; i < CHAPTERS; i++) {
		ids[i] = chapters[i].id;
		heads[i] = chapters[i].head;
	}
	paper_contents(&p, ids, heads, CHAPTERS);
	put_faults(page, &p);
	put_figures(page, &p);
	for (size_t i = 0; i < CHAPTERS; i++) {
		paper_chapter(&p, chapters[i].id, chapters[i].head);
		chapters[i].write(page, &p);
		paper_chapter_end(&p);
	}
	return paper_end(&p, "The same log gives the same page.");
}
