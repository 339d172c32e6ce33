/* What happened: who ran what, what was allowed, denied and changed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/chapters.h"
#include "base/text.h"

/* ---- who ran what ---- */

static void agent_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char name[CELL_MAX], n[TALLY_COUNTS][24];
	const char *agent = tally_name(t, row, 0);

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n[0], row->n[0]), cell_count(n[1], row->n[1]),
					 cell_count(n[2], row->n[2]), cell_count(n[3], row->n[3]),
					 agent[0] != 0 ? cell_name(name, agent) : "(no policy named one)" },
		  false);
}

static void policy_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char name[CELL_MAX], digest[CELL_MAX], n[24];

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n, row->n[1]), cell_name(name, tally_name(t, row, 0)),
					 cell_name(digest, tally_name(t, row, 1)) },
		  false);
}

static bool is_bad(const char *cause)
{
	return strcmp(cause, "lost") == 0 || strcmp(cause, "refused") == 0 || strcmp(cause, "limit") == 0 ||
	       strcmp(cause, "canary") == 0;
}

static void outcome_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char cause[CELL_MAX], what[CELL_MAX], n[24];

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n, row->n[0]), cell_name(cause, tally_name(t, row, 0)),
					 cell_name(what, tally_name(t, row, 1)) },
		  is_bad(tally_name(t, row, 0)));
}

void chapter_who(const struct page *page, struct paper *p)
{
	static const struct paper_column agents[] = { { "Events", PAPER_NUMBER },
						      { "Allowed", PAPER_NUMBER },
						      { "Denied", PAPER_NUMBER },
						      { "Held", PAPER_NUMBER },
						      { "Agent", PAPER_TEXT } };
	static const struct paper_column policies[] = { { "Events", PAPER_NUMBER },
							{ "Policy", PAPER_CODE },
							{ "SHA-256 of what was read", PAPER_CODE } };
	static const struct paper_column outcomes[] = { { "Events", PAPER_NUMBER },
							{ "How they ended", PAPER_WORD },
							{ "Status, limit, signal", PAPER_TEXT } };
	const struct tally *t = page->account->tally;

	paper_say(
		p,
		"An agent's name is what the policy of the event says; nobody proved it. A ledger is one person's own, so entries name no user.");
	put_tally(page, p, &t[ACCOUNT_AGENTS], &(struct table){ "Agents", "No event.", agents, 5, agent_row });
	say_cut(p, &t[ACCOUNT_AGENTS], "agents");
	put_tally(page, p, &t[ACCOUNT_OUTCOMES],
		  &(struct table){ "Ends of events", "No event ended.", outcomes, 3, outcome_row });
	say_cut(p, &t[ACCOUNT_OUTCOMES], "ends");
	put_tally(page, p, &t[ACCOUNT_POLICIES],
		  &(struct table){ "Policies that were in force, by what was read of them",
				   "No policy file and no preset: all was granted by flags.", policies, 3,
				   policy_row });
	say_cut(p, &t[ACCOUNT_POLICIES], "policies");
}

/* ---- allowed ---- */

/* Effects are of paths; whether a variable or another thing was used, the ledger does not say. */
static bool is_of_paths(const char *word)
{
	enum grant_verb verb;

	return verb_find(word, strlen(word), &verb) && verb_rights(verb) != 0;
}

static bool was_never_used(const struct tally *t, const struct tally_row *row)
{
	return row->n[1] == 0 && is_of_paths(tally_name(t, row, 0));
}

static uint64_t never_used(const struct tally *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += was_never_used(t, &t->rows[i]) ? 1 : 0;
	return n;
}

static void grant_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char verb[CELL_MAX], object[CELL_MAX], n[3][24];

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n[0], row->n[0]),
					 was_never_used(t, row) ? "never"
					 : row->n[1] > 0        ? cell_count(n[1], row->n[1])
								: "",
					 cell_count(n[2], row->n[2]), cell_name(verb, tally_name(t, row, 0)),
					 cell_name(object, tally_name(t, row, 1)) },
		  false);
}

void chapter_allowed(const struct page *page, struct paper *p)
{
	static const struct paper_column columns[] = { { "Granted to", PAPER_NUMBER },
						       { "Used by", PAPER_NUMBER },
						       { "Effects", PAPER_NUMBER },
						       { "What", PAPER_TEXT },
						       { "On what", PAPER_CODE } };
	const struct account *a = page->account;
	const struct tally *t = &a->tally[ACCOUNT_GRANTS];
	char text[256];

	paper_say(
		p,
		"Nothing is allowed but by a grant, or by what every cell shows of the system (its base). One line is one grant as it was made in so many events; beside it, "
		"how many of them used it, and how often something was done by it.");
	put_tally(page, p, t,
		  &(struct table){ "Grants; events they were given to, events that used them", "Nothing was granted.",
				   columns, 5, grant_row });
	say_cut(p, t, "grants");
	(void)snprintf(
		text, sizeof text,
		"Never used: %" PRIu64
		" of %zu; of grants that are not about paths the ledger does not say. Effects allowed by the base: %" PRIu64
		".",
		never_used(t), t->n, a->base);
	paper_say(p, text);
	if (a->unattributed > 0) {
		(void)snprintf(text, sizeof text, "Effects whose grant is not told apart here: %" PRIu64 ".",
			       a->unattributed);
		paper_warn(p, text);
	}
	if (a->dropped > 0) {
		(void)snprintf(text, sizeof text,
			       "Effects that were seen and not recorded, since an event had too many: %" PRIu64 ".",
			       a->dropped);
		paper_warn(p, text);
	}
}

/* ---- denied ---- */

static const char *why_denied(const char *verdict)
{
	static const struct {
		const char *verdict, *why;
	} words[] = {
		{ "denied", "no grant allows it" },
		{ "denied-new", "no grant allows it; there was nothing of that name" },
		{ "denied-written", "the cell wrote it itself, and may not execute it" },
		{ "denied-hidden", "its name is that of a secret" },
		{ "denied-store", "changes of events are kept there" },
		{ "denied-held", "the name is held in place" },
		{ "denied-other-name", "a TLS client asked there for another host" },
		{ "denied-bad-hello", "not all servers would read alike what a TLS client said first" },
		{ "denied-hidden-name", "a TLS client hid for which host it asked" },
		{ "denied-withdrawn", "the grant was withdrawn" },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].verdict, verdict) == 0)
			return words[i].why;
	return NULL;
}

static void denial_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char verdict[CELL_MAX], kind[CELL_MAX], object[CELL_MAX], n[2][24], first[32];
	const char *why = why_denied(tally_name(t, row, 0));

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n[0], row->n[0]), cell_count(n[1], row->n[1]),
					 cell_entry(first, row->first), cell_name(kind, tally_name(t, row, 1)),
					 cell_name(object, tally_name(t, row, 2)),
					 why != NULL ? why : cell_name(verdict, tally_name(t, row, 0)) },
		  false);
}

void chapter_denied(const struct page *page, struct paper *p)
{
	static const struct paper_column columns[] = { { "Times", PAPER_NUMBER },       { "Events", PAPER_NUMBER },
						       { "First entry", PAPER_NUMBER }, { "What", PAPER_TEXT },
						       { "On what", PAPER_CODE },       { "Why", PAPER_TEXT } };
	const struct tally *t = &page->account->tally[ACCOUNT_DENIALS];

	paper_say(p,
		  "A denial is no attack: programs look for much that is not theirs. What was denied did not happen.");
	put_tally(page, p, t,
		  &(struct table){ "What was denied, the most frequent first", "Nothing was denied.", columns, 6,
				   denial_row });
	say_cut(p, t, "denials");
}

/* ---- the wall ---- */

static void wall_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char property[CELL_MAX], mechanism[CELL_MAX], n[24];
	const char *by = tally_name(t, row, 1);

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n, row->n[1]), cell_name(property, tally_name(t, row, 0)),
					 by[0] != 0 ? cell_name(mechanism, by) : "given up: nothing held it",
					 by[0] != 0 ? "" : row->event },
		  by[0] == 0);
}

void chapter_wall(const struct page *page, struct paper *p)
{
	static const struct paper_column columns[] = { { "Events", PAPER_NUMBER },
						       { "Property", PAPER_WORD },
						       { "Held by", PAPER_TEXT },
						       { "Last such event", PAPER_WORD } };
	const struct tally *t = &page->account->tally[ACCOUNT_WALL];

	paper_say(
		p,
		"What stood around each program, as its supervisor found it when it started: each property, and the mechanisms of the kernel that held it. A property is given up only "
		"where a person said so.");
	put_tally(page, p, t,
		  &(struct table){ "Properties and what held them", "No event started.", columns, 4, wall_row });
	say_cut(p, t, "mechanisms");
}

/* ---- changes ---- */

static void change_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char verdict[CELL_MAX], kind[CELL_MAX], n[24];

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n, row->n[0]), cell_name(kind, tally_name(t, row, 1)),
					 cell_name(verdict, tally_name(t, row, 0)) },
		  false);
}

static void ending_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char what[CELL_MAX], state[CELL_MAX], n[2][24];
	const bool failed = strcmp(tally_name(t, row, 1), "failed") == 0;

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n[0], row->n[0]), cell_count(n[1], row->n[1]),
					 cell_name(what, tally_name(t, row, 0)),
					 cell_name(state, tally_name(t, row, 1)) },
		  failed);
}

static void held_row(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row)
{
	char class[CELL_MAX], why[CELL_MAX], object[CELL_MAX], n[2][24], first[32];

	(void)page;
	paper_row(p,
		  (const char *const[]){ cell_count(n[0], row->n[0]), cell_count(n[1], row->n[1]),
					 cell_entry(first, row->first), cell_name(object, tally_name(t, row, 2)),
					 cell_name(class, tally_name(t, row, 0)),
					 cell_name(why, tally_name(t, row, 1)) },
		  false);
}

void chapter_changes(const struct page *page, struct paper *p)
{
	static const struct paper_column endings[] = {
		{ "Times", PAPER_NUMBER }, { "Changes", PAPER_NUMBER }, { "What", PAPER_WORD }, { "State", PAPER_TEXT }
	};
	static const struct paper_column changes[] = { { "Changes", PAPER_NUMBER },
						       { "Kind", PAPER_WORD },
						       { "Verdict", PAPER_TEXT } };
	static const struct paper_column held[] = { { "Times", PAPER_NUMBER },       { "Events", PAPER_NUMBER },
						    { "First entry", PAPER_NUMBER }, { "File", PAPER_CODE },
						    { "Class", PAPER_TEXT },         { "Why", PAPER_TEXT } };
	const struct tally *t = page->account->tally;

	paper_say(
		p,
		"What an event changes in its workspace goes to the real files when it is committed, and can be undone or discarded. `begins` is written, and on disk, before the first real "
		"file changes; one without an end was broken off. `refused`: no file was changed.");
	put_tally(page, p, &t[ACCOUNT_ENDINGS],
		  &(struct table){ "Commits, undos and discards", "None.", endings, 4, ending_row });
	say_cut(p, &t[ACCOUNT_ENDINGS], "of them");
	put_tally(page, p, &t[ACCOUNT_CHANGES],
		  &(struct table){ "Changes that were looked at for a commit", "No change.", changes, 3, change_row });
	say_cut(p, &t[ACCOUNT_CHANGES], "kinds");
	put_tally(page, p, &t[ACCOUNT_HELD],
		  &(struct table){ "Held back from the real files", "No change was held back.", held, 6, held_row });
	say_cut(p, &t[ACCOUNT_HELD], "changes");
}

/* ---- events ---- */

/* What ran, where, for whom; and its record. */
static void what_ran(const struct account_event *e, char *dst, size_t size)
{
	char workdir[CELL_MAX], agent[CELL_MAX], digest[CELL_MAX];

	(void)snprintf(dst, size, "%s\nin %s%s%s%s%s", e->command[0] != 0 ? e->command : "?",
		       cell_name(workdir, e->workdir[0] != 0 ? e->workdir : "?"), e->agent[0] != 0 ? "\nas " : "",
		       e->agent[0] != 0 ? cell_name(agent, e->agent) : "", e->digest[0] != 0 ? "\nrecord " : "",
		       cell_name(digest, e->digest));
}

static void event_row(const struct account_event *e, struct paper *p)
{
	char which[192], time[TIME_MAX], ran[3 * CELL_MAX], ended[CELL_MAX], settled[CELL_MAX], n[3][24];
	char state[2 * CELL_MAX], first[32], last[32];

	(void)snprintf(which, sizeof which, "%s\n%s\nentries %s to %s%s", cell_time(time, e->begin_ms), e->event,
		       cell_entry(first, e->first), cell_entry(last, e->last), e->all_signed ? "" : ", not all signed");
	what_ran(e, ran, sizeof ran);
	(void)snprintf(state, sizeof state, "%s%s",
		       e->ended ? cell_name(ended, e->outcome) : "no end: at work, or lost",
		       e->given_up > 0 ? "\nwall given up in part" : "");
	paper_row(p,
		  (const char *const[]){ which, ran, cell_count(n[0], e->allowed), cell_count(n[1], e->denied),
					 cell_count(n[2], e->held), state, cell_name(settled, e->settled) },
		  !e->ended || e->given_up > 0 || is_bad(e->cause));
}

void chapter_events(const struct page *page, struct paper *p)
{
	static const struct paper_column columns[] = { { "Event", PAPER_WORD },     { "What ran", PAPER_CODE },
						       { "Allowed", PAPER_NUMBER }, { "Denied", PAPER_NUMBER },
						       { "Held", PAPER_NUMBER },    { "Program ended", PAPER_TEXT },
						       { "Changes", PAPER_TEXT } };
	const struct account *a = page->account;
	char text[160];

	if (a->n_events == 0) {
		paper_say(p, "No event.");
		return;
	}
	if (a->forgotten > 0) {
		(void)snprintf(text, sizeof text,
			       "Shown are the last %d of %" PRIu64 " events; all of them count in the tables above.",
			       ACCOUNT_EVENTS, a->n_events);
		paper_warn(p, text);
	}
	paper_table(p, "Events, the oldest first; the record is known by its SHA-256", columns, 7);
	for (size_t i = 0; i < ACCOUNT_EVENTS; i++) {
		const struct account_event *e = &a->events[(a->next + i) % ACCOUNT_EVENTS];

		if (e->event[0] != 0)
			event_row(e, p);
	}
	paper_table_end(p);
}
