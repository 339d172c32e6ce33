#include "authority/told.h"

#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "ledger/append.h"

static const char *const op_words[AUTHORITY_OP_COUNT] = {
	[AUTHORITY_TIME] = "time",           [AUTHORITY_OPEN] = "open",           [AUTHORITY_GIVE] = "give",
	[AUTHORITY_DERIVE] = "derive",       [AUTHORITY_REVOKE] = "revoke",       [AUTHORITY_END] = "end",
	[AUTHORITY_EVENT_END] = "event-end", [AUTHORITY_HAND_OVER] = "hand-over", [AUTHORITY_USE] = "use",
	[AUTHORITY_MORE] = "more",           [AUTHORITY_RETURN] = "return",       [AUTHORITY_ANSWER] = "answer",
	[AUTHORITY_FORGET] = "forget",       [AUTHORITY_FREEZE] = "freeze",       [AUTHORITY_THAW] = "thaw",
	[AUTHORITY_LABEL] = "label",         [AUTHORITY_TAKE] = "take",           [AUTHORITY_ENTER] = "enter",
	[AUTHORITY_MARK] = "mark",           [AUTHORITY_AGENT] = "agent",         [AUTHORITY_RESTART] = "restart",
	[AUTHORITY_RESTORE] = "restore",     [AUTHORITY_UNMARK] = "unmark",       [AUTHORITY_JOIN] = "join",
};

static const char *const verdict_words[] = {
	[AUTHORITY_ALLOWED] = "allowed",
	[AUTHORITY_DENIED] = "denied",
	[AUTHORITY_ASKS] = "asks",
};

static const char *const limit_words[] = {
	[AUTHORITY_USES] = "uses",
	[AUTHORITY_BYTES] = "bytes",
	[AUTHORITY_ROWS] = "rows",
	[AUTHORITY_RATE] = "rate",
};

static const struct {
	uint8_t flag;
	const char *word;
} flag_words[] = {
	{ AUTHORITY_ASK, "ask" },   { AUTHORITY_ASK_LABELLED, "ask-labelled" },
	{ AUTHORITY_YES, "yes" },   { AUTHORITY_SESSION, "session" },
	{ AUTHORITY_STOP, "stop" }, { AUTHORITY_KEYED, "keyed" },
};

/* ---- names ---- */

static bool is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static bool badge_by(const struct authority *a, authority_ref ref, struct authority_badge_told *ret)
{
	return ref != 0 && authority_badge_at(a, AUTHORITY_ROW(ref), ret) && ret->ref == ref;
}

void told_find(const struct authority *a, const struct authority_request *q, struct told_names *ret)
{
	struct authority_badge_told badge;
	struct authority_grant_told grant;
	struct authority_ask_told ask;

	memset(ret, 0, sizeof *ret);
	ret->verb = VERB_COUNT;
	if (badge_by(a, q->badge, &badge)) {
		authority_id_text('b', badge.id, ret->badge);
		(void)text_copy(ret->agent, sizeof ret->agent, badge.agent); /* a name of an agent */
		memcpy(ret->event, badge.event, sizeof ret->event);
	}
	if (badge_by(a, q->to, &badge))
		authority_id_text('b', badge.id, ret->to);
	if (authority_grant_by(a, q->grant, &grant)) {
		authority_id_text('g', grant.id, ret->grant);
		ret->verb = grant.verb;
	}
	if (authority_ask_by(a, q->ask, &ask)) {
		authority_id_text('a', ask.id, ret->ask);
		if (authority_grant_by(a, ask.grant, &grant))
			authority_id_text('g', grant.id, ret->grant);
		if (badge_by(a, ask.badge, &badge))
			authority_id_text('b', badge.id, ret->badge);
	}
}

/* ---- which entry ---- */

static enum entry_type type_of_use(const struct told *t)
{
	if (t->answer->verdict == AUTHORITY_ASKS)
		return ENTRY_ASK;
	return t->names->verb == VERB_DECLASSIFY ? ENTRY_DECLASSIFY : ENTRY_DECISION;
}

/* What was refused is kept for what the clock did with it. What has no type of its own is a request. */
static enum entry_type type_of(const struct told *t)
{
	if (t->answer->verdict == AUTHORITY_DENIED)
		return ENTRY_EXPIRE;
	switch ((enum authority_op)t->q->op) {
	case AUTHORITY_TIME: return ENTRY_EXPIRE;
	case AUTHORITY_GIVE:
	case AUTHORITY_RESTORE: return ENTRY_GRANT;
	case AUTHORITY_DERIVE: return ENTRY_DERIVE;
	case AUTHORITY_REVOKE: return ENTRY_REVOKE;
	case AUTHORITY_USE: return type_of_use(t);
	case AUTHORITY_ANSWER:
	case AUTHORITY_FORGET: return ENTRY_APPROVE;
	case AUTHORITY_FREEZE: return ENTRY_FREEZE;
	case AUTHORITY_THAW: return ENTRY_THAW;
	case AUTHORITY_LABEL:
	case AUTHORITY_TAKE:
	case AUTHORITY_ENTER:
	case AUTHORITY_MARK:
	case AUTHORITY_JOIN: return ENTRY_LABEL;
	case AUTHORITY_UNMARK: return ENTRY_DECLASSIFY;
	case AUTHORITY_OPEN: return t->answer->verdict == AUTHORITY_ASKS ? ENTRY_ASK : ENTRY_REQUEST;
	case AUTHORITY_END:
	case AUTHORITY_EVENT_END:
	case AUTHORITY_HAND_OVER:
	case AUTHORITY_RETURN:
	case AUTHORITY_MORE:
	case AUTHORITY_AGENT:
	case AUTHORITY_RESTART:
	case AUTHORITY_OP_COUNT: break;
	}
	return ENTRY_REQUEST;
}

static bool makes_grant(const struct authority_request *q)
{
	return q->op == AUTHORITY_GIVE || q->op == AUTHORITY_DERIVE;
}

/* The one that it is about: of freezing none is. */
static void grant_of(const struct told *t, enum entry_type type, char ret[ID_TEXT_MAX])
{
	ret[0] = 0;
	if (type == ENTRY_FREEZE || type == ENTRY_THAW)
		return;
	if (makes_grant(t->q))
		authority_id_text('g', t->q->id, ret);
	else
		memcpy(ret, t->names->grant, ID_TEXT_MAX);
}

/* ---- pieces, each left out where there is nothing to say ---- */

static void put_word(struct json *j, const char *key, const char *word)
{
	if (word[0] != 0)
		json_put_word(json_put_key(j, key), word);
}

/* What came from outside. */
static void put_text(struct json *j, const char *key, const char *text)
{
	if (text[0] != 0)
		json_put_bytes(json_put_key(j, key), text, strlen(text));
}

static void put_count(struct json *j, const char *key, uint64_t n)
{
	if (n != 0)
		json_put_count(json_put_key(j, key), n);
}

static void put_hex(struct json *j, const char *key, const uint8_t *bytes, size_t n)
{
	if (!is_zero(bytes, n))
		json_put_hex(json_put_key(j, key), bytes, n);
}

static void put_id(struct json *j, const char *key, char prefix, const uint8_t id[AUTHORITY_ID])
{
	char text[ID_TEXT_MAX];

	if (is_zero(id, AUTHORITY_ID))
		return;
	authority_id_text(prefix, id, text);
	json_put_word(json_put_key(j, key), text);
}

static void put_base64(struct json *j, const char *key, const void *bytes, size_t n)
{
	auto_buf text = { .max = BASE64_LEN(APPEND_MADE_MAX) };

	base64_put(&text, bytes, n);
	buf_put_u8(&text, 0);
	if (text.failed)
		j->out->failed = true;
	else
		json_put_word(json_put_key(j, key), (const char *)text.data);
}

static void put_labels(struct json *j, const struct told *t, uint64_t labels)
{
	json_put_array(j);
	for (unsigned i = 0; i < t->n_labels; i++)
		if ((labels & UINT64_C(1) << i) != 0)
			json_put_word(j, t->labels[i]);
	json_put_array_end(j);
}

static void put_unless(struct json *j, const struct told *t)
{
	if (t->q->n_unless == 0)
		return;
	json_put_array(json_put_key(j, "unless"));
	for (unsigned i = 0; i < t->q->n_unless; i++)
		put_labels(j, t, t->q->unless[i]);
	json_put_array_end(j);
}

static void put_closed(struct json *j, const struct told *t)
{
	if (t->closed->n == 0)
		return;
	json_put_array(json_put_key(j, "closed"));
	for (unsigned i = 0; i < t->closed->n; i++) {
		char text[ID_TEXT_MAX];

		authority_id_text('g', t->closed->ids[i], text);
		json_put_word(j, text);
	}
	json_put_array_end(j);
}

static void put_flags(struct json *j, uint8_t flags)
{
	if (flags == 0)
		return;
	json_put_array(json_put_key(j, "flags"));
	for (size_t i = 0; i < sizeof flag_words / sizeof flag_words[0]; i++)
		if ((flags & flag_words[i].flag) != 0)
			json_put_word(j, flag_words[i].word);
	json_put_array_end(j);
}

static bool has_bounds(const struct authority_request *q)
{
	return q->op == AUTHORITY_OPEN || q->op == AUTHORITY_AGENT || makes_grant(q);
}

/* As those of a policy are told. */
static void put_qualifiers(struct json *j, const struct authority_request *q)
{
	static const struct flow none;                               /* the step has its labels by their bits */
	const char *terms = q->verb == VERB_CONNECT ? q->terms : ""; /* those of a tool stand beside them */

	if (!has_bounds(q) || (qualifiers_are_none(&q->bounds.q) && q->terms[0] == 0))
		return;
	qualifiers_put_json(json_put_key(j, "qualifiers"), &q->bounds.q, terms, &none);
}

static void put_request(struct json *j, const struct authority_request *q)
{
	auto_buf bytes = { .max = APPEND_MADE_MAX };

	authority_put_request(&bytes, q);
	if (bytes.failed)
		j->out->failed = true;
	else
		put_base64(j, "request", bytes.data, bytes.len);
}

static void put_approval(struct json *j, const struct told *t)
{
	struct authority_ask_told ask;

	if (t->answer->verdict == AUTHORITY_ASKS && authority_ask_by(t->a, t->answer->made, &ask))
		put_id(j, "approval", 'a', ask.id);
	else
		put_word(j, "approval", t->names->ask);
}

static const char *agent_of(const struct told *t)
{
	return t->q->op == AUTHORITY_OPEN || t->q->op == AUTHORITY_AGENT ? t->q->object : t->names->agent;
}

static void put_window(struct json *j, const struct window *w)
{
	char text[WINDOW_TEXT_MAX];

	window_put(w, text);
	put_word(j, "window", text);
}

static bool is_used(const struct authority_request *q)
{
	return q->op == AUTHORITY_USE || makes_grant(q);
}

/* For which it was done; of other steps, if there is none, the one that the badge came with. */
static const uint8_t *event_of(const struct told *t)
{
	const uint8_t op = t->q->op;

	if (op == AUTHORITY_USE || op == AUTHORITY_LABEL || op == AUTHORITY_TAKE || op == AUTHORITY_ENTER ||
	    op == AUTHORITY_MARK || !is_zero(t->q->event, sizeof t->q->event))
		return t->q->event;
	return t->names->event;
}

/* Keys in order. */
static void put_body(struct json *j, const struct told *t)
{
	const struct authority_request *q = t->q;
	const bool opens = q->op == AUTHORITY_OPEN;
	char made[ID_TEXT_MAX] = "";

	if (opens)
		authority_id_text('b', q->id, made);
	json_put_object(j);
	put_text(j, "agent", agent_of(t));
	put_approval(j, t);
	put_word(j, "badge", opens ? made : t->names->badge);
	put_count(j, "bytes", q->bytes);
	put_closed(j, t);
	put_count(j, "depth", q->depth);
	put_hex(j, "digest", q->digest, sizeof q->digest);
	put_id(j, "event", 'e', event_of(t));
	put_flags(j, q->flags);
	put_hex(j, "key", q->key, sizeof q->key);
	if (q->labels != 0)
		put_labels(json_put_key(j, "labels"), t, q->labels);
	if (t->answer->why == WHY_SPENT)
		put_word(j, "limit", limit_words[t->answer->limit]);
	put_text(j, "object", opens || q->op == AUTHORITY_AGENT ? "" : q->object);
	put_word(j, "of", opens ? t->names->badge : q->op == AUTHORITY_DERIVE ? t->names->grant : "");
	put_word(j, "op", op_words[q->op]);
	put_qualifiers(j, q);
	json_put_hex(json_put_key(j, "realm"), t->realm, STATEMENT_REALM_BYTES);
	put_request(j, q);
	put_count(j, "rows", has_bounds(q) ? q->bounds.rows : q->rows);
	if (t->by != NULL)
		put_base64(j, "signature", t->by->signature.bytes, t->by->signature.n);
	if (t->by != NULL)
		json_put_hex(json_put_key(j, "signed_with"), t->key, APPROVE_KEY_BYTES);
	put_text(j, "signer", t->by != NULL ? t->by->key : "");
	put_text(j, "statement", t->by != NULL ? t->by->statement : "");
	json_put_count(json_put_key(j, "step"), t->step);
	put_word(j, "to", t->names->to);
	put_unless(j, t);
	if (q->until_ms != 0)
		json_put_ms(json_put_key(j, "until"), q->until_ms);
	put_word(j, "verb", is_used(q) && q->verb < VERB_COUNT ? verb_word((enum grant_verb)q->verb) : "");
	put_word(j, "verdict", verdict_words[t->answer->verdict]);
	put_text(j, "where", q->verb == VERB_TOOL ? q->terms : "");
	put_word(j, "why", authority_why_word((enum authority_why)t->answer->why));
	put_window(j, &q->bounds.window);
	json_put_object_end(j);
}

void told_entry(struct buf *out, const struct told *t, enum entry_type *ret, char ret_grant[ID_TEXT_MAX])
{
	struct json j;

	*ret = type_of(t);
	grant_of(t, *ret, ret_grant);
	json_begin(&j, out);
	put_body(&j, t);
	out->failed = out->failed || out->len > ENTRY_BODY_MAX;
}

void told_put(struct buf *out, const struct told *t)
{
	auto_buf body = { .max = ENTRY_BODY_MAX };
	char grant[ID_TEXT_MAX];
	enum entry_type type;

	told_entry(&body, t, &type, grant);
	buf_put_u8(out, APPEND_WANTS_ACCEPTED);
	buf_put_u8(out, (uint8_t)type);
	buf_put_str(out, ""); /* of no event: the body names the one that it was for */
	buf_put_str(out, grant);
	if (!body.failed)
		buf_put_bytes(out, body.data, body.len);
	out->failed = out->failed || body.failed;
}

/* ---- a person's answer ---- */

static uint8_t flags_of(const struct statement *said)
{
	const bool all = said->scope == STATEMENT_SESSION;

	if (said->answer == STATEMENT_GRANT)
		return AUTHORITY_YES | (all ? AUTHORITY_SESSION : 0);
	return all ? AUTHORITY_STOP : 0;
}

void told_answer(const struct statement *said, authority_ref ask, struct authority_request *ret)
{
	*ret = (struct authority_request){ .op = AUTHORITY_ANSWER,
					   .flags = flags_of(said),
					   .ask = ask,
					   .until_ms = said->until_ms,
					   .object = "",
					   .terms = "" };
	memcpy(ret->digest, said->shown, sizeof ret->digest);
}
