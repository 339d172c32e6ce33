#include "profile/call_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "paper/paper.h"
#include "profile/draw.h"

#define CELL 48
#define DAY_S 86400

static const char *count(char room[CELL], uint64_t n)
{
	(void)snprintf(room, CELL, "%" PRIu64, n);
	return room;
}

/* What was learned, by the tools' names, and of one in the order in which it was. */
static int by_tool(const void *a, const void *b)
{
	const struct call_known *const *x = a, *const *y = b;
	const int r = strcmp((*x)->tool, (*y)->tool);

	return r != 0 ? r : (*x > *y) - (*x < *y);
}

static size_t tools_of(const struct call_known **sorted, size_t n)
{
	size_t tools = 0;

	for (size_t i = 0; i < n; i++)
		tools += i == 0 || strcmp(sorted[i]->tool, sorted[i - 1]->tool) != 0;
	return tools;
}

static uint32_t runs_by(const struct call_profile *p, const char *agent)
{
	const struct scopes s = call_profile_scopes(p, agent);

	return novelty_runs(p->novelty, &s);
}

static uint32_t most_runs(const struct call_profile *p)
{
	uint32_t most = 0;

	for (size_t i = 0; i < p->n_agents; i++)
		most = runs_by(p, p->agents[i]) > most ? runs_by(p, p->agents[i]) : most;
	return most;
}

static void put_figures(const struct call_profile *p, size_t tools, struct paper *paper)
{
	char room[CELL];

	paper_figures(paper);
	paper_figure(paper, count(room, most_runs(p)), "runs, of the agent that has most", false);
	paper_figure(paper, count(room, p->n_agents), "agents called", false);
	paper_figure(paper, count(room, tools), "tools are named below", false);
	paper_figure(paper, count(room, p->n_known), "things that were learned last", false);
	paper_figures_end(paper);
}

static void put_agents(const struct call_profile *p, struct paper *paper)
{
	static const struct paper_column columns[] = { { "Agent", PAPER_CODE },
						       { "Runs", PAPER_NUMBER },
						       { "Promises", PAPER_TEXT } };
	const uint32_t most = most_runs(p);

	if (p->n_agents == 0)
		paper_say(paper, "Nobody yet.");
	if (p->n_agents == CALL_AGENTS_MAX)
		paper_warn(paper, "More agents are not named.");
	if (p->n_agents == 0)
		return;
	paper_table_drawn(paper, "Runs that taught", columns, 3, "Of the most");
	for (size_t i = 0; i < p->n_agents; i++) {
		const uint32_t runs = runs_by(p, p->agents[i]);
		auto_buf drawing = { .max = 1024 };
		char room[CELL];

		draw_part(&drawing, most > 0 ? (double)runs / most : 0);
		paper_row_drawn(paper,
				(const char *const[]){ p->agents[i], count(room, runs),
						       runs < NOVELTY_YOUNG
							       ? "it is young: nobody is asked"
							       : "a person is asked where the policy says so" },
				&drawing, false);
	}
	paper_table_end(paper);
}

static const char *day_of(uint32_t when, char room[CELL])
{
	const time_t at = (time_t)when * DAY_S;
	struct tm day;

	if (gmtime_r(&at, &day) == NULL || strftime(room, CELL, "%Y-%m-%d", &day) == 0)
		return "";
	return room;
}

static void put_tool(const struct call_known **sorted, size_t n, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{ "Where", PAPER_CODE }, { "What", PAPER_CODE }, { "Kind", PAPER_WORD }, { "Learned", PAPER_WORD }
	};
	char room[CELL], caption[80];

	(void)snprintf(caption, sizeof caption, "%zu", n);
	paper_heading(paper, sorted[0]->tool);
	paper_table(paper, caption, columns, 4);
	for (size_t i = 0; i < n; i++)
		paper_row(paper,
			  (const char *const[]){ sorted[i]->place, sorted[i]->value, item_kind_word(sorted[i]->kind),
						 day_of(sorted[i]->when, room) },
			  false);
	paper_table_end(paper);
}

static void put_known(const struct call_profile *p, const struct call_known **sorted, struct paper *paper)
{
	size_t n = 0;

	if (p->n_known == 0)
		paper_say(paper, "Nothing yet.");
	if (p->n_known == CALL_KNOWN_MAX)
		paper_say(paper,
			  "These were learned last, and there is more: what was before is counted, and not named.");
	if (novelty_is_full(p->novelty))
		paper_warn(paper, "It is full: nothing more is learned, and what else comes is new each time.");
	for (size_t from = 0; from < p->n_known; from += n) {
		n = 1;
		while (from + n < p->n_known && strcmp(sorted[from]->tool, sorted[from + n]->tool) == 0)
			n++;
		put_tool(sorted + from, n, paper);
	}
}

void page_of_calls(const struct call_profile *p, struct buf *out)
{
	static const char *const ids[] = { "agents", "learned" }, *const heads[] = { "Who called", "What was learned" };
	auto_free const struct call_known **sorted =
		calloc(CALL_KNOWN_MAX, sizeof *sorted); /* NOLINT(bugprone-sizeof-expression): pointers are sorted */
	char title[CALL_SERVER_MAX + 32];
	struct paper paper;

	if (sorted == NULL) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < p->n_known; i++)
		sorted[i] = &p->known[i];
	qsort(sorted, p->n_known, sizeof *sorted, by_tool); /* NOLINT(bugprone-sizeof-expression) */
	(void)snprintf(title, sizeof title, "Profile: calls of %s", p->server);
	paper_begin_in(&paper, out, draw_style, title);
	paper_contents(&paper, ids, heads, 2);
	put_figures(p, tools_of(sorted, p->n_known), &paper);
	paper_chapter(&paper, ids[0], heads[0]);
	put_agents(p, &paper);
	paper_chapter_end(&paper);
	paper_chapter(&paper, ids[1], heads[1]);
	put_known(p, sorted, &paper);
	paper_chapter_end(&paper);
	(void)paper_end(&paper, "The same profile gives the same page."); /* out says if there was no room */
}
