#include "account/account.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/body.h"
#include "audit/verdict.h"
#include "base/sat.h"
#include "base/text.h"

struct account *account_create(void)
{
	static const struct {
		size_t rows, text;
	} sizes[ACCOUNT_TALLY_COUNT] = {
#define SIZES(name, rows, text) [ACCOUNT_##name] = { rows, text },
		ACCOUNT_TALLIES(SIZES)
#undef SIZES
	};
	struct account *a = calloc(1, sizeof *a);

	for (size_t i = 0; a != NULL && i < ACCOUNT_TALLY_COUNT; i++) {
		if (tally_init(&a->tally[i], sizes[i].rows, sizes[i].text) < 0) {
			account_destroy(a);
			return NULL;
		}
	}
	return a;
}

void account_destroy(struct account *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < ACCOUNT_TALLY_COUNT; i++)
		tally_finish(&a->tally[i]);
	for (size_t i = 0; i < ACCOUNT_EVENTS; i++)
		free(a->events[i].grants);
	free(a);
}

void account_begin(struct account *a, unsigned log)
{
	a->log = log;
}

static uint64_t place_of(const struct account *a, const struct entry *entry)
{
	return (uint64_t)a->log << ACCOUNT_LOG_SHIFT | (entry->seq & ACCOUNT_NUMBER_MASK);
}

/* ---- rows ---- */

/* NULL: there is no room, which the table knows. */
static struct tally_row *row_at(struct account *a, enum account_tally which, const struct entry *entry,
				const char *first, const char *second, const char *third)
{
	const char *const names[] = { first, second, third };
	struct tally_row *row = tally_at(&a->tally[which], names, third != NULL ? 3 : second != NULL ? 2 : 1);

	if (row == NULL)
		return NULL;
	row->first = row->n[0] == 0 ? place_of(a, entry) : row->first;
	row->last = place_of(a, entry);
	return row;
}

/* Counts in n[0], and in n[1] events: entries of one stand together, mostly. */
static void count_in(struct account *a, enum account_tally which, const struct entry *entry, uint64_t n,
		     const char *first, const char *second, const char *third)
{
	struct tally_row *row = row_at(a, which, entry, first, second, third);

	if (row == NULL)
		return;
	sat_count(&row->n[0], n);
	if (strcmp(row->event, entry->event) == 0)
		return;
	row->n[1]++;
	memcpy(row->event, entry->event, sizeof row->event);
}

static uint64_t count_of(const struct entry *entry)
{
	uint64_t count;

	return body_find_count(entry->body, "count", &count) && count > 0 ? count : 1;
}

/* ---- events ---- */

static bool begins(enum entry_type type)
{
	return type == ENTRY_POLICY || type == ENTRY_GRANT || type == ENTRY_REQUEST;
}

static struct account_event *find_event(struct account *a, const char *event)
{
	for (size_t i = 0; i < ACCOUNT_EVENTS; i++) {
		const size_t at = (a->last + ACCOUNT_EVENTS - i) % ACCOUNT_EVENTS;

		if (a->events[at].log == a->log && strcmp(a->events[at].event, event) == 0) {
			a->last = at;
			return &a->events[at];
		}
	}
	return NULL;
}

static struct account_event *begin_event(struct account *a, const struct reading_entry *r)
{
	struct account_event *e = &a->events[a->next];

	a->forgotten += e->event[0] != 0 ? 1 : 0;
	free(e->grants);
	*e = (struct account_event){ .first = place_of(a, r->entry),
				     .begin_ms = r->entry->wall_ms,
				     .all_signed = true };
	memcpy(e->event, r->entry->event, sizeof e->event);
	e->log = a->log;
	a->last = a->next;
	a->next = (a->next + 1) % ACCOUNT_EVENTS;
	a->n_events++;
	return e;
}

/* NULL: of none, or of one that is no longer there. */
static struct account_event *event_of(struct account *a, const struct reading_entry *r)
{
	struct account_event *e = r->entry->event[0] != 0 ? find_event(a, r->entry->event) : NULL;

	if (e == NULL && r->entry->event[0] != 0 && begins(r->entry->type))
		e = begin_event(a, r);
	if (e == NULL)
		return NULL;
	e->last = place_of(a, r->entry);
	e->end_ms = r->entry->wall_ms;
	e->all_signed = e->all_signed && r->is_signed;
	return e;
}

/* ---- what was granted, and used ---- */

static int add_grant(struct account_event *e, const char *id, uint32_t row)
{
	struct account_grant *more;

	if (e->n_grants == GRANTS_MAX)
		return 0; /* the ledger has no event with more; effects by it are told as nobody's */
	more = reallocarray(e->grants, e->n_grants + 1, sizeof *more);
	if (more == NULL)
		return -ENOMEM;
	e->grants = more;
	more[e->n_grants] = (struct account_grant){ .row = row };
	memcpy(more[e->n_grants++].id, id, ID_TEXT_MAX);
	return 0;
}

static int take_grant(struct account *a, struct account_event *e, const struct entry *entry)
{
	char verb[ACCOUNT_WORD_MAX];
	struct tally_row *row;

	(void)body_find_word(entry->body, "verb", verb, sizeof verb);
	row = row_at(a, ACCOUNT_GRANTS, entry, verb, a->object, NULL);
	if (row == NULL)
		return 0;
	row->n[0]++;
	return e == NULL ? 0 : add_grant(e, entry->grant, (uint32_t)(row - a->tally[ACCOUNT_GRANTS].rows));
}

static void use_grant(struct account *a, struct account_event *e, const struct entry *entry, uint64_t count)
{
	for (size_t i = 0; e != NULL && i < e->n_grants; i++) {
		struct account_grant *grant = &e->grants[i];
		struct tally_row *row = &a->tally[ACCOUNT_GRANTS].rows[grant->row];

		if (strcmp(grant->id, entry->grant) != 0)
			continue;
		row->n[1] += grant->used ? 0 : 1;
		sat_count(&row->n[2], count);
		row->last = place_of(a, entry);
		grant->used = true;
		return;
	}
	sat_count(&a->unattributed, count);
}

/* ---- effects ---- */

static struct tally_row *agent_of(struct account *a, const struct account_event *e, const struct entry *entry)
{
	return e == NULL ? NULL : row_at(a, ACCOUNT_AGENTS, entry, e->agent, NULL, NULL);
}

static void take_allowed(struct account *a, struct account_event *e, const struct entry *entry, uint64_t count)
{
	struct tally_row *agent = agent_of(a, e, entry);

	if (entry->grant[0] == 0) {
		sat_count(&a->base, count);
		if (e != NULL)
			sat_count(&e->base, count);
		return;
	}
	sat_count(&a->allowed, count);
	use_grant(a, e, entry, count);
	if (e != NULL)
		sat_count(&e->allowed, count);
	if (agent != NULL)
		sat_count(&agent->n[1], count);
}

static void take_denied(struct account *a, struct account_event *e, const struct entry *entry, uint64_t count)
{
	char verdict[ACCOUNT_WORD_MAX], kind[ACCOUNT_WORD_MAX];
	struct tally_row *agent = agent_of(a, e, entry);

	(void)body_find_word(entry->body, "verdict", verdict, sizeof verdict);
	(void)body_find_word(entry->body, "kind", kind, sizeof kind);
	count_in(a, ACCOUNT_DENIALS, entry, count, verdict, kind, a->object);
	sat_count(&a->denied, count);
	if (e != NULL)
		sat_count(&e->denied, count);
	if (agent != NULL)
		sat_count(&agent->n[2], count);
}

static void take_held(struct account *a, struct account_event *e, const struct entry *entry, uint64_t count)
{
	char class[ACCOUNT_WORD_MAX], why[384];
	struct tally_row *agent = agent_of(a, e, entry);

	(void)body_find_word(entry->body, "held", class, sizeof class);
	(void)body_find_name(entry->body, "why", why, sizeof why);
	count_in(a, ACCOUNT_HELD, entry, count, class, why, a->object);
	sat_count(&a->held, count);
	if (e != NULL)
		sat_count(&e->held, count);
	if (agent != NULL)
		sat_count(&agent->n[3], count);
}

static void take_meter(struct account *a, const struct entry *entry)
{
	struct canonical_value meter;
	uint64_t n;

	if (!canonical_find(entry->body, "meter", &meter))
		return;
	(void)body_find_count(meter, "opened", &n);
	sat_count(&a->connections, n);
	(void)body_find_count(meter, "up_bytes", &n);
	sat_count(&a->up_bytes, n);
	(void)body_find_count(meter, "down_bytes", &n);
	sat_count(&a->down_bytes, n);
}

/* Changes are proved, and told when it is settled what becomes of them; all else was asked for, and connections are proved, too. */
static void take_effect(struct account *a, struct account_event *e, const struct entry *entry)
{
	const uint64_t count = count_of(entry);
	const bool is_change = body_is(entry->body, "source", "proved") && !body_is(entry->body, "kind", "connect");
	char verdict[ACCOUNT_WORD_MAX], kind[ACCOUNT_WORD_MAX];

	if (is_change) {
		(void)body_find_word(entry->body, "verdict", verdict, sizeof verdict);
		(void)body_find_word(entry->body, "kind", kind, sizeof kind);
		count_in(a, ACCOUNT_CHANGES, entry, count, verdict, kind, NULL);
		if (e != NULL)
			sat_count(&e->changes, count);
	}
	take_meter(a, entry);
	switch (verdict_of(entry)) {
	case VERDICT_HELD: take_held(a, e, entry, count); break;
	case VERDICT_ALLOWED:
		if (!is_change)
			take_allowed(a, e, entry, count);
		break;
	case VERDICT_NONE:
	case VERDICT_DENIED:
	case VERDICT_REFUSED:
	case VERDICT_STRANGE: take_denied(a, e, entry, count); break;
	}
}

/* ---- how events go ---- */

static void take_request(struct account *a, struct account_event *e, const struct entry *entry)
{
	char workdir[GRANT_OBJECT_MAX];
	struct tally_row *agent;

	if (e == NULL)
		return;
	(void)body_find_name(entry->body, "agent", e->agent, sizeof e->agent);
	body_command(entry->body, e->command, sizeof e->command);
	(void)body_find_name(entry->body, "workdir", workdir, sizeof workdir);
	(void)snprintf(e->workdir, sizeof e->workdir, "%.252s%s", workdir, strlen(workdir) > 252 ? "..." : "");
	agent = agent_of(a, e, entry);
	if (agent != NULL)
		agent->n[0]++;
}

static void take_wall(struct account *a, struct account_event *e, const struct entry *entry)
{
	struct canonical_value wall, key, value;
	size_t at = 0;

	if (!canonical_find(entry->body, "wall", &wall))
		return;
	while (canonical_member(wall, &at, &key, &value)) {
		char property[ACCOUNT_WORD_MAX], mechanism[256];

		if (!canonical_string(key, property, sizeof property))
			(void)text_copy(property, sizeof property, "?");
		if (!canonical_string(value, mechanism, sizeof mechanism) && !canonical_is(value, "null"))
			(void)text_copy(mechanism, sizeof mechanism, "?");
		count_in(a, ACCOUNT_WALL, entry, 1, property, mechanism, NULL);
		a->given_up += mechanism[0] == 0 ? 1 : 0;
		if (e != NULL && mechanism[0] == 0)
			e->given_up++;
	}
}

static void end_event(struct account *a, struct account_event *e, const struct entry *entry, const char *cause,
		      const char *what)
{
	count_in(a, ACCOUNT_OUTCOMES, entry, 1, cause, what, NULL);
	a->lost += strcmp(cause, "lost") == 0 ? 1 : 0;
	if (e == NULL)
		return;
	e->ended = true;
	(void)snprintf(e->cause, sizeof e->cause, "%s", cause);                                        /* cut */
	(void)snprintf(e->outcome, sizeof e->outcome, "%s%s%s", cause, what[0] != 0 ? " " : "", what); /* cut */
}

/* "exited 3", "limit memory", "signal KILL": the cause, and which. */
static void take_stop(struct account *a, struct account_event *e, const struct entry *entry)
{
	static const char *const keys[] = { "exit", "limit", "signal", "code" };
	char cause[24], what[24] = "";
	struct canonical_value effects;
	uint64_t n;

	(void)body_find_word(entry->body, "cause", cause, sizeof cause);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && what[0] == 0; i++) {
		if (body_find_count(entry->body, keys[i], &n))
			(void)snprintf(what, sizeof what, "%" PRIu64, n); /* it fits */
		else
			(void)body_find_word(entry->body, keys[i], what, sizeof what);
	}
	if (canonical_find(entry->body, "effects", &effects) && body_find_count(effects, "dropped", &n))
		sat_count(&a->dropped, n);
	end_event(a, e, entry, cause, what);
}

static void take_decision(struct account *a, struct account_event *e, const struct entry *entry)
{
	char code[24];

	(void)body_find_word(entry->body, "code", code, sizeof code);
	end_event(a, e, entry, "refused", code);
}

/* What becomes of its changes; of an event that was committed in parts, or undone, what came last. */
static void take_settled(struct account *a, struct account_event *e, const struct entry *entry)
{
	char what[20], state[20];
	uint64_t changes = 0;
	struct tally_row *row;

	(void)body_find_word(entry->body, "what", what, sizeof what);
	(void)body_find_word(entry->body, "state", state, sizeof state);
	(void)body_find_count(entry->body, "changes", &changes);
	row = row_at(a, ACCOUNT_ENDINGS, entry, what, state, NULL);
	if (row != NULL) {
		row->n[0]++;
		sat_count(&row->n[1], changes);
	}
	if (e != NULL)
		(void)snprintf(e->settled, sizeof e->settled, "%s %s", what, state); /* they fit */
}

static void take_result(struct account_event *e, const struct entry *entry)
{
	if (e != NULL)
		(void)body_find_word(entry->body, "digest", e->digest, sizeof e->digest);
}

static void take_policy(struct account *a, const struct entry *entry)
{
	char digest[80];

	(void)body_find_word(entry->body, "sha256", digest, sizeof digest);
	(void)body_find_name(entry->body, "name", a->object, sizeof a->object);
	count_in(a, ACCOUNT_POLICIES, entry, 1, a->object, digest, NULL);
}

/* ---- the ledger itself ---- */

static struct account_mark *mark(struct account *a, enum account_mark_kind kind, const struct reading_entry *r)
{
	struct account_mark *m = &a->marks[a->n_marks];

	if (a->n_marks == ACCOUNT_MARKS) {
		a->marks_over++;
		return NULL;
	}
	a->n_marks++;
	*m = (struct account_mark){
		.kind = kind, .is_signed = r->is_signed, .entry = place_of(a, r->entry), .ms = r->entry->wall_ms
	};
	memcpy(m->event, r->entry->event, sizeof m->event);
	return m;
}

static void take_crash(struct account *a, struct account_event *e, const struct reading_entry *r)
{
	const struct entry *entry = r->entry;
	const bool of_event = entry->event[0] != 0;
	struct account_mark *m = mark(a, of_event ? MARK_EVENT_LOST : MARK_LEDGER_CRASH, r);

	if (of_event)
		end_event(a, e, entry, "lost", "");
	if (m == NULL)
		return;
	(void)body_find_count(entry->body, "signed", &m->n[0]);
	(void)body_find_count(entry->body, "replayed", &m->n[1]);
	(void)body_find_count(entry->body, "torn_bytes", &m->n[2]);
}

static void take_prune(struct account *a, const struct reading_entry *r)
{
	const struct entry *entry = r->entry;
	struct account_mark *m = mark(a, MARK_PRUNE, r);

	if (m == NULL)
		return;
	(void)body_find_count(entry->body, "payloads", &m->n[0]);
	(void)body_find_count(entry->body, "bytes", &m->n[1]);
	(void)body_find_word(entry->body, "before", m->before, sizeof m->before);
}

static size_t shortest_gap(const struct account *a)
{
	size_t at = 0;

	for (size_t i = 1; i < a->n_gaps; i++)
		if (a->gaps[i].to_ms - a->gaps[i].from_ms < a->gaps[at].to_ms - a->gaps[at].from_ms)
			at = i;
	return at;
}

/* The last entry that was taken stands right before this one; the first of a log, behind the last of the one before. */
static bool follows(const struct account *a, const struct entry *entry)
{
	const uint64_t here = place_of(a, entry);

	return here == a->last_entry + 1 ||
	       (entry->seq == 0 && a->last_entry >> ACCOUNT_LOG_SHIFT != here >> ACCOUNT_LOG_SHIFT);
}

static void note_gap(struct account *a, const struct entry *entry)
{
	const struct account_gap gap = {
		.from_ms = a->last_ms, .to_ms = entry->wall_ms, .entry = place_of(a, entry), .at_rest = a->after_stop
	};
	size_t at = a->n_gaps;

	if (a->entries == 0 || !follows(a, entry) || gap.to_ms < gap.from_ms + ACCOUNT_GAP_MS)
		return; /* between entries that were not chosen nobody knows what there is */
	a->all_gaps++;
	if (a->n_gaps == ACCOUNT_GAPS) {
		at = shortest_gap(a);
		if (gap.to_ms - gap.from_ms <= a->gaps[at].to_ms - a->gaps[at].from_ms)
			return;
	} else {
		a->n_gaps++;
	}
	a->gaps[at] = gap;
}

static void note_time(struct account *a, const struct reading_entry *r)
{
	note_gap(a, r->entry);
	if (a->entries == 0)
		a->first_ms = r->entry->wall_ms;
	a->last_ms = r->entry->wall_ms;
	a->last_entry = place_of(a, r->entry);
	a->after_stop = r->entry->type == ENTRY_STOP && r->entry->event[0] == 0;
	a->entries++;
	a->signed_entries += r->is_signed ? 1 : 0;
	a->by_type[r->entry->type]++;
}

/* ---- entries ---- */

static uint64_t bit_of(enum entry_type type)
{
	return UINT64_C(1) << type;
}

/* What is not signed yet goes on from what is; about what a signed entry has said already it says nothing, since anybody may have put it there who
 * can write to the log. */
static bool contradicts(const struct account_event *e, const struct reading_entry *r)
{
	const enum entry_type type = r->entry->type;
	const bool ended = (e->by_signed & (bit_of(ENTRY_STOP) | bit_of(ENTRY_CRASH) | bit_of(ENTRY_DECISION))) != 0;
	const bool said = (e->by_signed & bit_of(type)) != 0;

	if (r->is_signed)
		return false;
	if (type == ENTRY_REQUEST || type == ENTRY_START)
		return ended || said;
	if (type == ENTRY_POLICY || type == ENTRY_GRANT || type == ENTRY_STOP || type == ENTRY_CRASH ||
	    type == ENTRY_DECISION)
		return ended;
	if (type == ENTRY_EFFECT) /* changes are told behind the end, when it is settled what becomes of them */
		return ended && !body_is(r->entry->body, "source", "proved");
	return type == ENTRY_RESULT && said;
}

/* The event of an entry; *ret_heard: the entry is to be taken. */
static struct account_event *hear(struct account *a, const struct reading_entry *r, bool *ret_heard)
{
	struct account_event *e = r->entry->event[0] != 0 ? find_event(a, r->entry->event) : NULL;

	*ret_heard = e == NULL || !contradicts(e, r);
	if (!*ret_heard) {
		a->contradicting++;
		return e;
	}
	e = event_of(a, r);
	if (e != NULL && r->is_signed)
		e->by_signed |= bit_of(r->entry->type);
	return e;
}

int account_take(void *arg, const struct reading_entry *r)
{
	const struct entry *entry = r->entry;
	const bool of_event = entry->event[0] != 0;
	struct account *a = arg;
	bool heard;
	struct account_event *e = hear(a, r, &heard);

	note_time(a, r);
	if (!heard)
		return 0;
	if (!body_find_name(entry->body, "object", a->object, sizeof a->object))
		(void)text_copy(a->object, sizeof a->object, "?");
	switch (entry->type) {
	case ENTRY_GRANT: return of_event ? take_grant(a, e, entry) : 0; /* without one: of the person's authority */
	case ENTRY_POLICY: take_policy(a, entry); break;
	case ENTRY_REQUEST: take_request(a, e, entry); break;
	case ENTRY_DECISION:
		if (of_event)
			take_decision(a, e, entry);
		break;
	case ENTRY_EFFECT: take_effect(a, e, entry); break;
	case ENTRY_RESULT: take_result(e, entry); break;
	case ENTRY_CRASH: take_crash(a, e, r); break;
	case ENTRY_PRUNE: take_prune(a, r); break;
	case ENTRY_KEY: (void)mark(a, MARK_KEY, r); break;
	case ENTRY_COMMIT:
	case ENTRY_DISCARD: take_settled(a, e, entry); break;
	case ENTRY_START:
		if (of_event)
			take_wall(a, e, entry);
		else
			a->starts++;
		break;
	case ENTRY_STOP:
		if (of_event)
			take_stop(a, e, entry);
		else
			a->stops++;
		break;
	case ENTRY_DERIVE:
	case ENTRY_REVOKE:
	case ENTRY_EXPIRE:
	case ENTRY_INTENT:
	case ENTRY_ASK:
	case ENTRY_APPROVE:
	case ENTRY_FREEZE:
	case ENTRY_THAW:
	case ENTRY_LABEL:
	case ENTRY_DECLASSIFY:
	case ENTRY_VERDICT:
	case ENTRY_STEP:
	case ENTRY_TYPE_COUNT: break; /* counted by type */
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct account_gap *x = a, *y = b;

	return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

void account_close(struct account *a)
{
	for (size_t i = 0; i < ACCOUNT_TALLY_COUNT; i++)
		tally_sort(&a->tally[i], 0);
	qsort(a->gaps, a->n_gaps, sizeof a->gaps[0], by_time);
}
