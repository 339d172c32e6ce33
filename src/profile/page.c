#include "profile/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "paper/paper.h"
#include "profile/draw.h"
#include "profile/show.h"

#define CELL 48
#define DRAWING_MAX (1u << 20)
#define TOO_MANY 1.5 /* of what was promised: no shadow is promoted (usual/) */

static const char *const rates[PROMISES] = { "1 in 100", "1 in 1,000" };

static const char *cell(char room[CELL], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *cell(char room[CELL], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(room, CELL, fmt, args); /* numbers, which fit */
	va_end(args);
	return room;
}

static const char *count(char room[CELL], uint64_t n)
{
	return cell(room, "%" PRIu64, n);
}

static const char *text_of(struct buf *b)
{
	return buf_cstr(b) != NULL ? (const char *)b->data : "";
}

/* ---- at the top ---- */

static void put_banner(const struct profile *p, struct paper *paper)
{
	struct seen_promise s[PROMISES];
	char text[256];
	bool broken = false;

	for (size_t i = 0; i < PROMISES; i++) {
		seen_promise(p, (enum promised)i, &s[i]);
		broken = broken || (s[i].is_made && s[i].ratio > TOO_MANY);
	}
	if (!s[PROMISED_LOG].is_made)
		return; /* neither kept nor broken */
	(void)snprintf(
		text, sizeof text,
		"%" PRIu64 " of %" PRIu64
		" usual events were flagged at 1 in 100, %.2f of what was promised; released alarms are among them.",
		s[PROMISED_LOG].flagged, s[PROMISED_LOG].events, s[PROMISED_LOG].ratio);
	paper_banner(paper, !broken, broken ? "More is flagged than was promised" : "What was promised is kept", text);
}

static void put_figures(const struct profile *p, struct paper *paper)
{
	struct seen_promise s;
	char room[CELL];

	seen_promise(p, PROMISED_LOG, &s);
	paper_figures(paper);
	paper_figure(paper, count(room, p->events), "events are known", false);
	paper_figure(paper, count(room, s.events), "were held against it", false);
	paper_figure(paper, count(room, s.flagged), "of these were flagged at 1 in 100", false);
	paper_figure(paper, count(room, p->firsts.n), "names are usual", false);
	paper_figure(paper, count(room, p->calls.words.n - WORD_FIRST), "kinds of calls", false);
	paper_figures_end(paper);
}

/* ---- chapters ---- */

static void chapter_of(const struct profile *p, struct paper *paper)
{
	static const char *const names[] = { "Agent", "Kind", "Program", "Shape of the grants" };
	const char *key = p->key;
	char part[PROFILE_NAME_MAX], room[CELL];

	paper_facts(paper);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const size_t n = strcspn(key, "\t");

		(void)snprintf(part, sizeof part, "%.*s", (int)n, key);
		paper_fact(paper, names[i], n > 0 ? part : "any", n > 0 ? PAPER_CODE : PAPER_TEXT);
		key += n + (key[n] != 0);
	}
	paper_fact(paper, "Epoch", cell(room, "%" PRIu32, p->epoch), PAPER_TEXT);
	paper_fact(paper, "Sessions that make something known", cell(room, "%u", p->support), PAPER_TEXT);
	paper_facts_end(paper);
	if (p->events < PROFILE_YOUNG)
		paper_say(paper, "It is young: below 20 events it promises nothing.");
}

static void say_limit(const struct profile *p, const struct seen_ring *r, enum promised which, struct buf *out)
{
	struct seen_promise s;

	seen_promise(p, which, &s);
	if (!s.is_made)
		buf_printf(out, " Nothing is promised at %s yet: that takes %" PRIu32 " events.", rates[which],
			   s.wants);
	else if (isfinite(r->above[which]))
		buf_printf(out, " Above %.3g an event is flagged at %s.", r->above[which], rates[which]);
	else
		buf_printf(out, " At %s every event is flagged now.", rates[which]);
}

static void chapter_scores(const struct profile *p, struct paper *paper)
{
	static const char *const says[RINGS] = {
		[LAYER_FIRSTS] = "What no earlier event named",
		[LAYER_AMOUNTS] = "How much of what there was",
		[LAYER_CALLS] = "The order of calls, and calls that were never there",
		[RING_WHOLE] = "All layers together, which is what is flagged by",
	};

	if (p->rings[0].n == 0) {
		paper_say(paper, "No event was held against it yet.");
		return;
	}
	paper_say(
		paper,
		"The last usual events in their order, each a dot; the line is the middle of each forty-eighth "
		"of them. Scores are surprises (-ln). Of all together, what lies above a threshold is flagged as that is now.");
	for (size_t i = 0; i < SEEN_RINGS; i++) {
		auto_buf drawing = { .max = DRAWING_MAX }, text = { .max = 1024 };
		struct seen_ring r;

		seen_ring(p, i, &r);
		buf_printf(&text, "%s: %" PRIu32 " events.", says[i], r.n);
		if (i == RING_WHOLE) {
			say_limit(p, &r, PROMISED_LOG, &text);
			say_limit(p, &r, PROMISED_ASK, &text);
		}
		draw_scores(&drawing, &r);
		paper_heading(paper, r.word);
		paper_drawing(paper, &drawing, text_of(&text));
	}
}

static void put_promises(const struct profile *p, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{ "Promised", PAPER_WORD },    { "Events", PAPER_NUMBER },
		{ "Flagged", PAPER_NUMBER },   { "Of what was promised", PAPER_NUMBER },
		{ "Level now", PAPER_NUMBER }, { "Is", PAPER_TEXT }
	};

	paper_table(paper, "Each promise, and what came of it since it was made", columns, 6);
	for (size_t i = 0; i < PROMISES; i++) {
		char events[CELL], flagged[CELL], ratio[CELL], level[CELL], is[CELL];
		struct seen_promise s;

		seen_promise(p, (enum promised)i, &s);
		if (!s.is_made)
			(void)cell(is, "not made yet: takes %" PRIu32 " events", s.wants);
		else
			(void)cell(is, "%s", s.ratio > TOO_MANY ? "not kept" : "kept");
		paper_row(paper,
			  (const char *const[]){ rates[i], count(events, s.events), count(flagged, s.flagged),
						 cell(ratio, "%.2f", s.ratio), cell(level, "%.3g", s.level), is },
			  s.is_made && s.ratio > TOO_MANY);
	}
	paper_table_end(paper);
}

static void chapter_promises(const struct profile *p, struct paper *paper)
{
	auto_free struct seen_ps *ps = malloc(sizeof *ps);
	auto_buf drawing = { .max = DRAWING_MAX };
	double part;

	put_promises(p, paper);
	if (ps == NULL)
		return;
	seen_ps(p, ps);
	if (!seen_realised(ps, 1, &part))
		return;
	draw_promised(&drawing, ps);
	paper_drawing(
		paper, &drawing,
		"Each of the last usual events was held against those before it. For each rate that was promised by then (to the right) "
		"the part of them that is flagged at it (upwards). Dotted: as much as was promised; below it is less. "
		"A rate is drawn once one flagged event is to be expected at it.");
}

static void put_item(const struct seen_item *item, unsigned kind, uint32_t all, struct paper *paper)
{
	auto_buf drawing = { .max = 1024 };
	char events[CELL] = "", sessions[CELL];

	draw_part(&drawing, all > 0 ? (double)item->had / all : 0);
	if (kind == DEED_CALL) {
		(void)count(sessions, item->had);
	} else {
		(void)count(events, item->had);
		(void)cell(sessions, "%u%s", item->principals,
			   item->principals >= FIRSTS_SUPPORT_MAX ? " or more" : "");
	}
	paper_row_drawn(paper, (const char *const[]){ item->text, events, sessions }, &drawing, false);
}

static void put_items(const struct profile *p, unsigned kind, struct paper *paper)
{
	static const struct paper_column columns[] = { { "Name", PAPER_CODE },
						       { "Events", PAPER_NUMBER },
						       { "Sessions", PAPER_NUMBER } };
	struct seen_item items[PAGE_ITEMS];
	const size_t n = seen_items(p, kind, items, PAGE_ITEMS);
	char caption[SEEN_SAYS_MAX + 80], says[SEEN_SAYS_MAX];
	int at;

	if (n == 0)
		return;
	at = snprintf(caption, sizeof caption, "%zu; %s", n, seen_says(p, kind, says));
	if (n > PAGE_ITEMS)
		(void)snprintf(caption + at, sizeof caption - (size_t)at, "; shown are the %d most frequent",
			       PAGE_ITEMS);
	paper_heading(paper, seen_plural(kind));
	paper_table_drawn(paper, caption, columns, 3, "Of all");
	for (size_t i = 0; i < n && i < PAGE_ITEMS; i++)
		put_item(&items[i], kind, seen_all(p, kind), paper);
	paper_table_end(paper);
}

static void chapter_usual(const struct profile *p, struct paper *paper)
{
	if (p->events == 0)
		paper_say(paper, "Nothing yet.");
	if (p->firsts.full)
		paper_warn(paper, "It is full: what else comes is new each time.");
	for (unsigned kind = 1; kind < DEED_KINDS; kind++)
		put_items(p, kind, paper);
}

static void chapter_amounts(const struct profile *p, struct paper *paper)
{
	static const struct paper_column columns[] = { { "What", PAPER_TEXT },
						       { "Half", PAPER_NUMBER },
						       { "9 in 10", PAPER_NUMBER },
						       { "99 in 100", PAPER_NUMBER },
						       { "At most", PAPER_NUMBER } };

	paper_table_drawn(paper,
			  "So much had that part of events at most, to a sixteenth. What no event had is left out",
			  columns, 5, "From the least to the most");
	for (size_t i = 0; i < AMOUNTS; i++) {
		const struct sketch *s = seen_amount(p, (enum amount)i);
		auto_buf drawing = { .max = DRAWING_MAX };
		char half[CELL], p90[CELL], p99[CELL], most[CELL];

		if (s->highest == 0)
			continue;
		draw_amounts(&drawing, s);
		paper_row_drawn(paper,
				(const char *const[]){
					amount_text((enum amount)i), count(half, sketch_quantile(s, 0.5)),
					count(p90, sketch_quantile(s, 0.9)), count(p99, sketch_quantile(s, 0.99)),
					count(most, sketch_quantile(s, 1)) },
				&drawing, false);
	}
	paper_table_end(paper);
}

/* ^ and $ are a thread's beginning and end: words of a trace are never that. */
static void spell(const struct seen_run *run, struct buf *out)
{
	for (size_t i = 0; i < run->n; i++) {
		const char *word = strcmp(run->words[i], "^") == 0   ? "(begins)"
				   : strcmp(run->words[i], "$") == 0 ? "(ends)"
								     : run->words[i];

		buf_printf(out, "%s%s", i > 0 ? " " : "", word);
	}
}

static void chapter_order(const struct profile *p, struct paper *paper)
{
	static const struct paper_column columns[] = { { "Times", PAPER_NUMBER },
						       { "Calls that follow each other", PAPER_CODE } };
	struct seen_run runs[PAGE_RUNS];
	size_t all;
	const size_t n = seen_runs(p, runs, PAGE_RUNS, &all);
	char text[256];

	(void)snprintf(text, sizeof text,
		       "%" PRIu64 " calls of %" PRIu64 " events, of %zu kinds; %zu runs of up to %d were told apart.",
		       p->calls.calls, p->calls.traces, p->calls.words.n - WORD_FIRST, p->calls.grammar.n,
		       GRAMMAR_ORDER);
	paper_say(paper, text);
	if (n == 0)
		return;
	(void)snprintf(text, sizeof text, "Runs of %zu: the %zu most frequent of %zu", runs[0].n, n, all);
	paper_table_drawn(paper, text, columns, 2, "Of the most frequent");
	for (size_t i = 0; i < n; i++) {
		auto_buf words = { .max = GRAMMAR_ORDER * (WORD_MAX + 16) }, drawing = { .max = 1024 };
		char times[CELL];

		spell(&runs[i], &words);
		draw_part(&drawing, (double)runs[i].times / runs[0].times);
		paper_row_drawn(paper, (const char *const[]){ count(times, runs[i].times), text_of(&words) }, &drawing,
				false);
	}
	paper_table_end(paper);
}

/* ---- the whole ---- */

static const struct chapter {
	const char *id, *head;
	void (*write)(const struct profile *p, struct paper *paper);
} chapters[] = {
	{ "of", "What it is of", chapter_of },
	{ "scores", "How unusual events were", chapter_scores },
	{ "promises", "Promised, and what came of it", chapter_promises },
	{ "usual", "What is usual", chapter_usual },
	{ "amounts", "How much is usual", chapter_amounts },
	{ "order", "Which calls follow each other", chapter_order },
};

#define CHAPTERS (sizeof chapters / sizeof chapters[0])

void page_of_profile(const struct profile *p, struct buf *out)
{
	const char *ids[CHAPTERS], *heads[CHAPTERS];
	auto_buf title = { .max = 4 * PROFILE_NAME_MAX };
	struct paper paper;

	buf_printf(&title, "Profile: ");
	show_key(&title, p->key);
	paper_begin_in(&paper, out, draw_style, text_of(&title));
	put_banner(p, &paper);
	for (size_t i = 0; i < CHAPTERS; i++) {
		ids[i] = chapters[i].id;
		heads[i] = chapters[i].head;
	}
	paper_contents(&paper, ids, heads, CHAPTERS);
	put_figures(p, &paper);
	for (size_t i = 0; i < CHAPTERS; i++) {
		paper_chapter(&paper, chapters[i].id, chapters[i].head);
		chapters[i].write(p, &paper);
		paper_chapter_end(&paper);
	}
	(void)paper_end(&paper, "The same profile gives the same page."); /* out says if there was no room */
}
