#include "audit/replay_say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "ledger/layout.h"

#define SHOWN_MAX 400 /* of a path */
#define GRANT_TEXT_MAX (SHOWN_MAX + 32 + QUALIFIERS_TEXT_MAX + TERMS_TEXT_MAX)

static const char *const answer_words[UNDER_COUNT] = {
	[UNDER_SAME] = "same", [UNDER_DENIED] = "denied", [UNDER_ALLOWED] = "allowed",
	[UNDER_LOST] = "lost", [UNDER_KEPT] = "kept",     [UNDER_UNKNOWN] = "unknown",
};

static const char *const skip_keys[SKIP_COUNT] = {
#define SKIP_KEY(name, key, what) [SKIP_##name] = (key),
	SKIPS(SKIP_KEY)
#undef SKIP_KEY
};

static const char *const skip_texts[SKIP_COUNT] = {
#define SKIP_TEXT(name, key, what) [SKIP_##name] = (what),
	SKIPS(SKIP_TEXT)
#undef SKIP_TEXT
};

/* A grant as a person writes it; "" is none. */
static void grant_text(const struct grant_set *set, uint32_t id, char *ret, size_t size)
{
	char shown[SHOWN_MAX];
	struct buf text;

	ret[0] = 0;
	if (id >= set->count)
		return;
	buf_init_in(&text, ret, size);
	buf_printf(&text, "%s: %s", verb_word((enum grant_verb)set->grants[id].verb),
		   text_escape(shown, sizeof shown, grant_object(set, id), set->grants[id].object_len));
	grant_put_conditions(set, id, &text);
	if (buf_cstr(&text) == NULL)
		ret[0] = 0; /* shown is shorter */
}

/* By which grant an effect is allowed. */
static uint32_t grant_of(const struct decision *d)
{
	return d->verdict == EFFECT_ALLOWED && d->base == EFFECT_BASE_NOT ? d->grant : GRANT_NONE;
}

/* Keeps what fits whole; else forgets it, and counts. */
static void keep(struct said *said, size_t before)
{
	if (!said->text.failed)
		return;
	said->text.failed = false;
	said->text.len = before;
	said->more++;
}

static size_t begin(struct said *said, struct json *j)
{
	const size_t before = said->text.len;

	json_begin(j, &said->text);
	j->comma = before > 0;
	return before;
}

/* ---- what differs ---- */

static void text_verdict(struct buf *out, const char *verdict, const char *grant, bool base)
{
	char shown[64];

	buf_printf(out, "%s%s%s", text_escape(shown, sizeof shown, verdict, strlen(verdict)),
		   grant[0] != 0 ? " by "
		   : base        ? " by the base"
				 : "",
		   grant);
}

static void json_verdict(struct json *j, const char *key, const char *verdict, const char *grant, bool base)
{
	json_put_object(json_put_key(j, key));
	json_put_name(json_put_key(j, "verdict"), verdict);
	json_put_name(json_put_key(j, "grant"), grant[0] != 0 ? grant : NULL);
	json_put_bool(json_put_key(j, "base"), base);
	json_put_object_end(j);
}

static void json_effect(struct json *j, const struct past_effect *f, uint64_t entry, const char *what)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "entry"), entry);
	json_put_word(json_put_key(j, "what"), what);
	json_put_word(json_put_key(j, "kind"), effect_word(f->kind));
	json_put_name(json_put_key(j, "object"), f->object);
}

/* The grant that an entry names, in words where the event has it. */
static void named_grant(const struct past *p, const char *grant_id, char *ret, size_t size)
{
	(void)text_copy(ret, size, grant_id); /* it is longer */
	for (uint32_t i = 0; i < p->grants.count && grant_id[0] != 0; i++)
		if (strcmp(p->grant_ids[i], grant_id) == 0)
			grant_text(&p->grants, i, ret, size);
}

void say_differs(struct said *said, const struct past *p, const struct past_effect *f, uint64_t entry, bool is_signed,
		 const char *grant_id, const struct decision *is)
{
	char was_by[GRANT_TEXT_MAX], is_by[GRANT_TEXT_MAX], shown[SHOWN_MAX];
	struct json j;
	const size_t before = begin(said, &j);
	const bool base = is->base != EFFECT_BASE_NOT;

	named_grant(p, grant_id, was_by, sizeof was_by);
	grant_text(&p->grants, grant_of(is), is_by, sizeof is_by);
	if (said->json) {
		json_effect(&j, f, entry, "differs");
		json_put_bool(json_put_key(&j, "signed"), is_signed);
		json_verdict(&j, "recorded", f->verdict, was_by, f->base);
		json_verdict(&j, "derived", effect_verdict_name(is->verdict), is_by, base);
		json_put_object_end(&j);
	} else {
		buf_printf(&said->text, "  entry %" PRIu64 "%s DIFFERS: %s %s: recorded as ", entry,
			   is_signed ? "" : ", which nobody signed yet,", effect_word(f->kind),
			   text_escape(shown, sizeof shown, f->object, strlen(f->object)));
		text_verdict(&said->text, f->verdict, was_by, f->base);
		buf_printf(&said->text, ", and by its facts ");
		text_verdict(&said->text, effect_verdict_name(is->verdict), is_by, base);
		buf_printf(&said->text, "\n");
	}
	keep(said, before);
}

/* ---- of an authority ---- */

void say_step_differs(struct said *said, const struct entry *entry, bool is_signed, const char *why)
{
	struct json j;
	const size_t before = begin(said, &j);

	if (said->json) {
		json_put_object(&j);
		json_put_count(json_put_key(&j, "entry"), entry->seq);
		json_put_bool(json_put_key(&j, "signed"), is_signed);
		json_put_word(json_put_key(&j, "type"), entry_type_word(entry->type));
		json_put_name(json_put_key(&j, "why"), why);
		json_put_object_end(&j);
	} else {
		char shown[128];

		buf_printf(&said->text, "the authority's entry %" PRIu64 "%s DIFFERS (%s): %s\n", entry->seq,
			   is_signed ? "" : ", which nobody signed yet,", entry_type_word(entry->type),
			   text_escape(shown, sizeof shown, why, strlen(why)));
	}
	keep(said, before);
}

static void text_steps(struct buf *out, const struct replay_counts *n, const struct said *said)
{
	const uint64_t all = n->steps_agree + n->steps_differ;

	if (said->text.len > 0)
		buf_put(out, said->text.data, said->text.len);
	if (said->more > 0)
		buf_printf(out, "  and %" PRIu64 " more\n", said->more);
	if (all > 0)
		buf_printf(out,
			   "%" PRIu64 " step%s of the authority made once more: %" PRIu64 " agree, %" PRIu64
			   " differ%s\n",
			   all, text_plural(all), n->steps_agree, n->steps_differ, n->steps_differ == 1 ? "s" : "");
}

static void json_steps(struct json *j, const struct replay_counts *n, const struct said *said)
{
	json_put_object(json_put_key(j, "steps"));
	json_put_count(json_put_key(j, "agree"), n->steps_agree);
	json_put_count(json_put_key(j, "differ"), n->steps_differ);
	json_put_count(json_put_key(j, "more"), said->more);
	json_put_array(json_put_key(j, "found"));
	if (said->text.len > 0)
		json_put_made(j, said->text.data, said->text.len);
	json_put_array_end(j);
	json_put_object_end(j);
}

/* ---- under another policy ---- */

static void suggest(const struct under_told *told, char *ret, size_t size)
{
	const struct grant_request want = denial_request(&told->denial);
	char line[GRANT_OBJECT_MAX * 2];

	ret[0] = 0;
	if (told->answer == UNDER_DENIED && told->denial.grantable)
		grant_suggest(&want, line, sizeof line, ret, size);
}

static void text_under(struct buf *out, const struct past_effect *f, uint64_t entry, const char *by, const char *flag,
		       const struct under_told *told)
{
	static const char *const texts[UNDER_COUNT] = {
		[UNDER_DENIED] = "would be denied",      [UNDER_ALLOWED] = "would be allowed",
		[UNDER_LOST] = "would go with the cell", [UNDER_KEPT] = "would be kept",
		[UNDER_UNKNOWN] = "cannot be told",
	};
	char shown[SHOWN_MAX];

	buf_printf(out, "  entry %" PRIu64 " %s: %s %s", entry, texts[told->answer], effect_word(f->kind),
		   text_escape(shown, sizeof shown, f->object, strlen(f->object)));
	if (told->answer == UNDER_DENIED)
		buf_printf(out, ": %s", denial_why(told->denial.reason));
	if (flag[0] != 0)
		buf_printf(out, "; %s", text_show(shown, sizeof shown, flag, strlen(flag)));
	if (told->answer == UNDER_UNKNOWN)
		buf_printf(out, ": it hangs on `%s`, and nobody looked at that", fact_word(told->unknown));
	if (by[0] != 0 && told->answer != UNDER_UNKNOWN)
		buf_printf(out, ", by %s", by);
	buf_printf(out, "\n");
}

static void json_under(struct json *j, const struct past_effect *f, uint64_t entry, const char *by, const char *flag,
		       const struct under_told *told)
{
	const bool is_denied = told->answer == UNDER_DENIED, is_unknown = told->answer == UNDER_UNKNOWN;

	json_effect(j, f, entry, answer_words[told->answer]);
	json_put_word(json_put_key(j, "verdict"), is_unknown ? NULL : effect_verdict_name(told->decision.verdict));
	json_put_name(json_put_key(j, "grant"), by[0] != 0 && !is_unknown ? by : NULL);
	json_put_word(json_put_key(j, "reason"), is_denied ? denial_word(told->denial.reason) : NULL);
	json_put_name(json_put_key(j, "flag"), flag[0] != 0 ? flag : NULL);
	json_put_word(json_put_key(j, "unknown"), is_unknown ? fact_word(told->unknown) : NULL);
	json_put_object_end(j);
}

void say_under(struct said *said, const struct past_effect *f, uint64_t entry, const struct grant_set *grants,
	       const struct under_told *told)
{
	char by[GRANT_TEXT_MAX], flag[GRANT_OBJECT_MAX * 2];
	struct json j;
	const size_t before = begin(said, &j);

	grant_text(grants, grant_of(&told->decision), by, sizeof by);
	suggest(told, flag, sizeof flag);
	if (said->json)
		json_under(&j, f, entry, by, flag, told);
	else
		text_under(&said->text, f, entry, by, flag, told);
	keep(said, before);
}

void say_not_tried(struct said *said, const char *why)
{
	struct json j;
	const size_t before = begin(said, &j);

	if (said->json) {
		json_put_object(&j);
		json_put_word(json_put_key(&j, "what"), "not_tried");
		json_put_word(json_put_key(&j, "why"), why);
		json_put_object_end(&j);
	} else {
		buf_printf(&said->text, "  the policy was not tried on it: %s\n", why);
	}
	keep(said, before);
}

/* ---- an event ---- */

void say_event(struct buf *out, const struct past *p, unsigned log, const struct said *said, bool first)
{
	char shown[SHOWN_MAX], where[32] = "";
	struct json j;

	if (!said->json) {
		if (log != 0)
			(void)snprintf(where, sizeof where, ", in " LEDGER_PAST "/%u", log); /* it fits */
		buf_printf(out, "%s  %s  (%s)%s\n", p->event, p->command,
			   text_escape(shown, sizeof shown, p->workdir, strlen(p->workdir)), where);
		buf_put(out, said->text.data, said->text.len);
		if (said->more > 0)
			buf_printf(out, "  and %" PRIu64 " more\n", said->more);
		return;
	}
	json_begin(&j, out);
	j.comma = !first;
	json_put_object(&j);
	json_put_word(json_put_key(&j, "event"), p->event);
	json_put_key(&j, "past");
	if (log != 0)
		json_put_count(&j, log);
	else
		json_put_null(&j);
	json_put_name(json_put_key(&j, "command"), p->command);
	json_put_name(json_put_key(&j, "workdir"), p->workdir);
	json_put_count(json_put_key(&j, "more"), said->more);
	json_put_array(json_put_key(&j, "found"));
	if (said->text.len > 0)
		json_put_made(&j, said->text.data, said->text.len);
	json_put_array_end(&j);
	json_put_object_end(&j);
}

/* ---- the whole ---- */

void say_begin(struct buf *out, bool json)
{
	if (json)
		buf_printf(out, "{\"events\":[");
}

static void text_counts(struct buf *out, const struct replay_counts *n)
{
	buf_printf(out,
		   "%" PRIu64 " decision%s of %" PRIu64 " event%s made once more: %" PRIu64 " agree, %" PRIu64
		   " differ%s\n",
		   n->agree + n->differ, text_plural(n->agree + n->differ), n->events, text_plural(n->events), n->agree,
		   n->differ, n->differ == 1 ? "s" : "");
	for (enum skip i = 0; i < SKIP_COUNT; i++)
		if (n->skipped[i] > 0)
			buf_printf(out, "  not made again: %s: %" PRIu64 "\n", skip_texts[i], n->skipped[i]);
	if (n->unsigned_entries > 0)
		buf_printf(out, "  among them is what %" PRIu64 " entr%s that nobody signed yet say%s\n",
			   n->unsigned_entries, n->unsigned_entries == 1 ? "y" : "ies",
			   n->unsigned_entries == 1 ? "s" : "");
}

/* Which grants of a policy have to do with effects: those of paths. */
static const char *unused_grant(const struct policy_asked *policy, const struct replay_counts *n, uint32_t line,
				char *ret, size_t size)
{
	const struct grant_set *set = line < GRANTS_MAX ? &policy->fixed : &policy->within;
	const uint32_t id = line % GRANTS_MAX;

	if (id >= set->count || set->grants[id].rights == 0 || n->used[line])
		return NULL;
	grant_text(set, id, ret, size);
	if (set == &policy->within) { /* "work: /src" is written "work: ./src" */
		char *object = strchr(ret, '/');

		if (object == NULL || strlen(ret) + 2 > size)
			return ret;
		memmove(object + 1, object, strlen(object) + 1);
		object[0] = '.';
		if (object[2] == 0)
			object[1] = 0;
	}
	return ret;
}

static void put_events(struct buf *out, uint64_t n, const char *what)
{
	if (n > 0)
		buf_printf(out, "  %" PRIu64 " %s\n", n, what);
}

static void text_policy(struct buf *out, const struct replay_counts *n, const struct policy_asked *policy)
{
	char grant[GRANT_TEXT_MAX];

	buf_printf(out, "under the policy, of %" PRIu64 " event%s:\n", n->events, text_plural(n->events));
	put_events(out, n->denied_events, "would be denied something that they did");
	put_events(out, n->lost_events, "would write something to a place that goes with the cell");
	put_events(out, n->other_events, "would go another way, or cannot be told");
	put_events(out, n->allowed_events, "would only be allowed more");
	put_events(out, n->untried_events, "were not tried");
	for (uint32_t line = 0; line < 2 * GRANTS_MAX; line++)
		if (unused_grant(policy, n, line, grant, sizeof grant) != NULL)
			buf_printf(out, "  nothing used %s\n", grant);
}

static void json_counts(struct json *j, const struct replay_counts *n)
{
	json_put_count(json_put_key(j, "seen"), n->events);
	json_put_count(json_put_key(j, "agree"), n->agree);
	json_put_count(json_put_key(j, "differ"), n->differ);
	json_put_object(json_put_key(j, "not_derived"));
	for (enum skip i = 0; i < SKIP_COUNT; i++)
		json_put_count(json_put_key(j, skip_keys[i]), n->skipped[i]);
	json_put_object_end(j);
	json_put_count(json_put_key(j, "unsigned"), n->unsigned_entries);
}

static void json_policy(struct json *j, const struct replay_counts *n, const struct policy_asked *policy)
{
	char grant[GRANT_TEXT_MAX];

	json_put_key(j, "policy");
	if (policy == NULL) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	json_put_object(json_put_key(j, "events"));
	json_put_count(json_put_key(j, "denied"), n->denied_events);
	json_put_count(json_put_key(j, "lost"), n->lost_events);
	json_put_count(json_put_key(j, "other"), n->other_events);
	json_put_count(json_put_key(j, "allowed"), n->allowed_events);
	json_put_count(json_put_key(j, "not_tried"), n->untried_events);
	json_put_object_end(j);
	json_put_object(json_put_key(j, "effects"));
	for (enum under_answer a = 0; a < UNDER_COUNT; a++)
		json_put_count(json_put_key(j, answer_words[a]), n->effects[a]);
	json_put_object_end(j);
	json_put_array(json_put_key(j, "unused"));
	for (uint32_t line = 0; line < 2 * GRANTS_MAX; line++)
		if (unused_grant(policy, n, line, grant, sizeof grant) != NULL)
			json_put_name(j, grant);
	json_put_array_end(j);
	json_put_object_end(j);
}

void say_end(struct buf *out, bool json, const struct replay_counts *n, const struct said *steps,
	     const struct policy_asked *policy, const struct report *report, const struct over_log *log)
{
	struct json j;

	if (!json) {
		report_text(report, log->present, log->chain, out);
		text_counts(out, n);
		text_steps(out, n, steps);
		if (policy != NULL)
			text_policy(out, n, policy);
		return;
	}
	buf_printf(out, "]");
	json_begin(&j, out);
	j.comma = true;
	json_counts(&j, n);
	json_steps(&j, n, steps);
	json_policy(&j, n, policy);
	json_put_key(&j, "log");
	report_json(report, log->present, log->chain, out);
	buf_printf(out, "}\n");
}
