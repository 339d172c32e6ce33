/* The authority beside a naive one, and under the eye of one who knows only what may never be: a row for each reason of each step, and schedules by
 * chance. AMBIT_SOAK=17 makes a million steps. AMBIT_CORPUS names a directory for seeds of fuzz/fuzz_authority.c. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authority_draw.h"
#include "authority_model.h"
#include "authority_watch.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "core/authority.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#ifdef AMBIT_SANITIZED
#define WORLDS 60
#else
#define WORLDS 350 /* of 40 to 300 steps each */
#endif

/* Which reasons were given for which steps. */
struct met {
	unsigned times[AUTHORITY_OP_COUNT][WHY_COUNT];
};

/* The authority, the naive one, and whoever watches. */
struct world {
	struct authority_size size;
	struct authority *a; /* owned */
	struct model *model; /* owned */
	struct watch *watch; /* owned */
	struct buf requests; /* each after a u32, its length */
	size_t last[20];     /* where they begin in requests, in turn */
	uint32_t n;
	bool unmade; /* a request cannot be encoded: in its place stands one of its time alone */
	struct met *met;
};

#define ORIGIN_BYTES (9 + 10 + 2 * AUTHORITY_ID) /* of a row as it is kept: turn, whether it lives, and what is in it */

static struct authority *create(const struct authority_size *size)
{
	void *room = calloc(1, authority_bytes(size));

	assert_non_null(room);
	return authority_init(room, size);
}

static void world_init(struct world *w, const struct authority_size *size, struct met *met)
{
	*w = (struct world){ .size = *size, .met = met };
	buf_init(&w->requests, 64u << 20);
	w->a = create(size);
	w->model = model_create(size);
	w->watch = watch_create();
}

static void world_finish(struct world *w)
{
	free(w->a);
	model_destroy(w->model);
	watch_destroy(w->watch);
	buf_finish(&w->requests);
}

static bool take_request(struct rbuf *in, struct authority_request *ret, char room[AUTHORITY_TEXTS_MAX])
{
	const size_t n = rbuf_u32(in);
	const uint8_t *at = rbuf_bytes(in, n);
	struct rbuf one;

	if (at == NULL)
		return false;
	rbuf_init(&one, at, n);
	return authority_take_request(&one, ret, room) && rbuf_done(&one);
}

/* For whoever makes all of them again. What no bytes mean was refused, and then nothing but time passed. */
static void keep_request(struct world *w, const struct authority_request *q, const struct authority_answer *answer)
{
	auto_buf one = { .max = 1u << 16 }, again = { .max = 1u << 16 };
	const struct authority_request time = {
		.op = AUTHORITY_TIME, .now_ms = q->now_ms, .passed_ms = q->passed_ms, .object = "", .terms = ""
	};
	struct authority_request taken;
	char room[AUTHORITY_TEXTS_MAX];
	struct rbuf in;

	authority_put_request(&one, q);
	rbuf_init(&in, one.data, one.len);
	if (!one.failed && authority_take_request(&in, &taken, room) && rbuf_done(&in)) {
		authority_put_request(&again, &taken);
		assert_true(buf_is_same(&one, &again));
	} else {
		assert_int_equal(answer->verdict, AUTHORITY_DENIED);
		buf_reset(&one);
		authority_put_request(&one, &time);
	}
	w->last[w->n++ % COUNT_OF(w->last)] = w->requests.len;
	buf_put_bytes(&w->requests, one.data, one.len);
}

static void tell_last(const struct world *w)
{
	auto_buf text = { .max = 1u << 20 };
	char room[AUTHORITY_TEXTS_MAX];

	for (uint32_t i = w->n > COUNT_OF(w->last) ? w->n - (uint32_t)COUNT_OF(w->last) : 0; i < w->n; i++) {
		const size_t at = w->last[i % COUNT_OF(w->last)];
		struct authority_request q;
		struct rbuf in;

		rbuf_init(&in, w->requests.data + at, w->requests.len - at);
		buf_printf(&text, "%3u: ", i);
		if (take_request(&in, &q, room))
			draw_tell(&text, &q, NULL);
	}
	(void)fprintf(stderr, "%s", buf_cstr(&text)); /* longer than what cmocka prints at once */
}

/* What is found by row is found by its reference, and there is nothing behind those that are in use. */
static bool rows_are_told(const struct authority *a)
{
	const struct authority_size *size = authority_size(a);
	struct authority_size used;
	struct authority_badge_told badge;
	struct authority_grant_told grant, again;
	struct authority_ask_told ask, asked;

	authority_used(a, &used);
	for (uint32_t row = 0; row < size->badges; row++)
		if (authority_badge_at(a, row, &badge) &&
		    (row >= used.badges || AUTHORITY_ROW(badge.ref) != row ||
		     !authority_is_in(a, badge.ref, badge.ref) ||
		     (badge.parent != 0 &&
		      (!authority_is_in(a, badge.ref, badge.parent) || authority_is_in(a, badge.parent, badge.ref)))))
			return false;
	for (uint32_t row = 0; row < size->grants; row++)
		if (authority_grant_at(a, row, &grant) &&
		    (row >= used.grants || !authority_grant_by(a, grant.ref, &again) || again.ref != grant.ref ||
		     AUTHORITY_ROW(grant.ref) != row || authority_holder(a, grant.ref) != grant.badge))
			return false;
	for (uint32_t row = 0; row < size->asks; row++)
		if (authority_ask_at(a, row, &ask) &&
		    (row >= used.asks || !authority_ask_by(a, ask.ref, &asked) || asked.ref != ask.ref))
			return false;
	return true;
}

static bool differ(char said[MODEL_SAID_MAX], const char *what)
{
	(void)snprintf(said, MODEL_SAID_MAX, "%s", what);
	return false;
}

/* One step of all three; false: they differ, and *said is how. */
static bool world_step(struct world *w, const struct authority_request *q, struct authority_answer *ret,
		       char said[MODEL_SAID_MAX])
{
	const bool is_early = q->passed_ms == 0 && q->now_ms < authority_next_ms(w->a);
	auto_buf before = { .max = 1u << 20 }, after = { .max = 1u << 20 };

	if (is_early)
		authority_put(w->a, &before);
	authority_step(w->a, q, ret);
	w->met->times[q->op][ret->why]++;
	keep_request(w, q, ret);
	if (is_early && authority_left_alone(q, ret)) {
		authority_put(w->a, &after);
		if (!buf_is_same(&before, &after))
			return differ(said, "all is said to be left alone, and is not");
	}
	if (!rows_are_told(w->a))
		return differ(said, "a row is not found by its reference");
	return model_agrees(w->model, q, ret, w->a, said) && watch_sees(w->watch, q, ret, w->a, said);
}

/* ---- a row for each reason ---- */

/* References are ordinals here: of the badges, grants and questions that were made in this row, each from 1. FORGED: none of them. */
#define FORGED 77
#define STEPS(...)                                                                                                     \
	.steps = (const struct authority_request[]){ __VA_ARGS__ },                                                    \
	.n = COUNT_OF(((const struct authority_request[]){ __VA_ARGS__ }))
#define LATER 100000 /* the clock is at 1000, if nothing is said */

#define TIME(...)                                                                                                      \
	{                                                                                                              \
		.op = AUTHORITY_TIME, __VA_ARGS__                                                                      \
	}
#define TOP(i, ...)                                                                                                    \
	{                                                                                                              \
		.op = AUTHORITY_OPEN, .object = "top", .id = { i }, __VA_ARGS__                                        \
	}
#define SUB(b, g, i, ...)                                                                                              \
	{                                                                                                              \
		.op = AUTHORITY_OPEN, .badge = (b), .grant = (g), .object = "sub", .id = { i }, .until_ms = LATER,     \
		__VA_ARGS__                                                                                            \
	}
#define GIVE(i, v, o, ...)                                                                                             \
	{                                                                                                              \
		.op = AUTHORITY_GIVE, .badge = 1, .id = { i }, .verb = VERB_##v, .object = (o), __VA_ARGS__            \
	}
#define MAY_OPEN(i, ...) GIVE(i, DELEGATE, "*", .depth = 2, __VA_ARGS__)
#define DERIVE(g, i, v, o, ...)                                                                                        \
	{                                                                                                              \
		.op = AUTHORITY_DERIVE, .badge = 1, .grant = (g), .id = { i }, .verb = VERB_##v, .object = (o),        \
		__VA_ARGS__                                                                                            \
	}
#define USE(g, v, ...)                                                                                                 \
	{                                                                                                              \
		.op = AUTHORITY_USE, .badge = 1, .grant = (g), .verb = VERB_##v, .id = { 9 }, .until_ms = LATER,       \
		__VA_ARGS__                                                                                            \
	}
#define TOOL(i, ...) GIVE(i, TOOL, "s/t", __VA_ARGS__)
#define CALL(...) USE(1, TOOL, __VA_ARGS__)
#define DO(o, ...)                                                                                                     \
	{                                                                                                              \
		.op = AUTHORITY_##o, __VA_ARGS__                                                                       \
	}
#define ANSWER(s, f, ...)                                                                                              \
	{                                                                                                              \
		.op = AUTHORITY_ANSWER, .ask = (s), .flags = (f), .until_ms = LATER, __VA_ARGS__                       \
	}
#define LABELLED(l)                                                                                                    \
	{                                                                                                              \
		.op = AUTHORITY_LABEL, .badge = 1, .labels = (l)                                                       \
	}
/* The first badge, which has a label, marks what the second reads, or not. */
#define TWO TOP(1, .labels = 1), TOP(2)
#define READS(path) TWO, GIVE(1, READ, path, .badge = 2)
#define MARKS DO(MARK, .badge = 1, .object = "/a/b")
#define MARKS_AT(ms) DO(MARK, .badge = 1, .object = "/a/b", .now_ms = (ms))
#define HAS_IT_AT(ms) DO(LABEL, .badge = 2, .labels = 1, .now_ms = (ms))
#define MARKS_WITH(l) DO(MARK, .badge = 1, .object = "/a/b", .labels = (l))
#define HAS_IT DO(LABEL, .badge = 2, .labels = 1) /* then nothing is new */
#define IN(e) .event = { e }
#define LABEL_IN(e, l) DO(LABEL, .badge = 1, .labels = (l), IN(e))
#define MARK_IN(e, path, l) DO(MARK, .badge = 1, .object = (path), .labels = (l), IN(e))
#define UNLESS(l) .n_unless = 1, .unless = { l }
#define ASKING .flags = AUTHORITY_ASK
#define FLOOD_OF(make)                                                                                                 \
	make(.digest = { 1 }), make(.digest = { 2 }), make(.digest = { 3 }), make(.digest = { 4 }),                    \
		make(.digest = { 5 }), make(.digest = { 6 }), make(.digest = { 7 }), make(.digest = { 8 }),            \
		make(.digest = { 9 })
#define OPEN_AGAIN(...) SUB(1, 1, 2, __VA_ARGS__)
#define HOUR_OF_ASKS(n) CALL(.digest = { n }), DO(FORGET, .ask = (n))
#define TEN_ASKS(n)                                                                                                    \
	HOUR_OF_ASKS(n), HOUR_OF_ASKS((n) + 1), HOUR_OF_ASKS((n) + 2), HOUR_OF_ASKS((n) + 3), HOUR_OF_ASKS((n) + 4),   \
		HOUR_OF_ASKS((n) + 5), HOUR_OF_ASKS((n) + 6), HOUR_OF_ASKS((n) + 7), HOUR_OF_ASKS((n) + 8),            \
		HOUR_OF_ASKS((n) + 9)

static const struct authority_size ample = { 12, 24, 40, 4, 4, 4, 4, 8, 4000 };
static const struct authority_size one_origin = { 12, 24, 40, 4, 4, 4, 4, 1, 4000 };
static const struct authority_size scant = { 1, 1, 1, 1, 1, 1, 1, 1, 40 };

struct row {
	const char *name;
	const struct authority_request *steps;
	size_t n;
	enum authority_verdict verdict;
	enum authority_why why; /* of the last step */
	enum authority_limit limit;
	const struct authority_size *size; /* NULL: ample */
	const char *came;                  /* of each label that a badge has, where from; NULL: not looked at */
};

#define GOES AUTHORITY_ALLOWED
#define STOPS AUTHORITY_DENIED
#define ASKS AUTHORITY_ASKS

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* a row says what differs from what is usual */
static const struct row rows[] = {
	{ "time", STEPS(TIME()), GOES, WHY_NONE },

	{ "open: at the top", STEPS(TOP(1)), GOES, WHY_NONE },
	{ "open: a sub-agent", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2)), GOES, WHY_NONE },
	{ "open: nobody's grant", STEPS(TOP(1), MAY_OPEN(1), SUB(1, FORGED, 2)), STOPS, WHY_NOT_HELD },
	{ "open: below nobody", STEPS(TOP(1), MAY_OPEN(1), SUB(FORGED, 1, 2)), STOPS, WHY_NOT_HELD },
	{ "open: another's grant", STEPS(TOP(1), MAY_OPEN(1), TOP(2), SUB(2, 1, 3)), STOPS, WHY_NOT_HELD },
	{ "open: by a grant of another verb", STEPS(TOP(1), TOOL(1), SUB(1, 1, 2)), STOPS, WHY_NOT_HELD },
	{ "open: frozen", STEPS(TOP(1), MAY_OPEN(1), DO(FREEZE, .badge = 1), SUB(1, 1, 2)), STOPS, WHY_FROZEN },
	{ "open: revoked", STEPS(TOP(1), MAY_OPEN(1), DO(REVOKE, .grant = 1), SUB(1, 1, 2)), STOPS, WHY_REVOKED },
	{ "open: expired", STEPS(TOP(1), MAY_OPEN(1, .bounds.q.until_s = 1), SUB(1, 1, 2)), STOPS, WHY_EXPIRED },
	{ "open: at another hour", STEPS(TOP(1), MAY_OPEN(1, .bounds.window = { 5, 6, "UTC" }), SUB(1, 1, 2)), STOPS,
	  WHY_NOT_NOW },
	{ "open: another name", STEPS(TOP(1), GIVE(1, DELEGATE, "other", .depth = 1), SUB(1, 1, 2)), STOPS,
	  WHY_BEYOND },
	{ "open: no depth", STEPS(TOP(1), GIVE(1, DELEGATE, "*"), SUB(1, 1, 2)), STOPS, WHY_DEPTH },
	{ "open: labelled", STEPS(TOP(1, .labels = 1), MAY_OPEN(1, UNLESS(1)), SUB(1, 1, 2)), STOPS, WHY_LABELLED },
	{ "open: spent", STEPS(TOP(1), MAY_OPEN(1, .bounds.q.uses = 1), SUB(1, 1, 2), SUB(1, 1, 3)), STOPS, WHY_SPENT },
	{ "open: asks", STEPS(TOP(1), MAY_OPEN(1, ASKING), SUB(1, 1, 2)), ASKS, WHY_NONE },
	{ "open: asked", STEPS(TOP(1), MAY_OPEN(1, ASKING), SUB(1, 1, 2), SUB(1, 1, 3)), ASKS, WHY_ALREADY },
	{ "open: approved", STEPS(TOP(1), MAY_OPEN(1, ASKING), SUB(1, 1, 2), ANSWER(1, AUTHORITY_YES), SUB(1, 1, 2)),
	  GOES, WHY_NONE },
	{ "open: a no", STEPS(TOP(1), MAY_OPEN(1, ASKING), SUB(1, 1, 2), ANSWER(1, 0), SUB(1, 1, 2)), STOPS,
	  WHY_REFUSED },
	{ "open: too many questions", STEPS(TOP(1), MAY_OPEN(1, ASKING), FLOOD_OF(OPEN_AGAIN)), STOPS, WHY_FLOOD },
	{ "open: the id is a badge's", STEPS(TOP(1), TOP(1)), STOPS, WHY_TAKEN },
	{ "open: a sub-agent again", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), SUB(1, 1, 2)), STOPS, WHY_TAKEN },
	{ "open: again, by what was revoked",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DO(REVOKE, .grant = 1), SUB(1, 1, 2)), STOPS, WHY_REVOKED },
	{ "open: again, by what expired",
	  STEPS(TOP(1), MAY_OPEN(1, .bounds.q.until_s = 9), SUB(1, 1, 2), SUB(1, 1, 2, .now_ms = 9000)), STOPS,
	  WHY_EXPIRED },
	{ "open: again, frozen", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DO(FREEZE, .badge = 2), SUB(1, 1, 2)), STOPS,
	  WHY_FROZEN },
	{ "open: again, below another",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), TOP(3), GIVE(2, DELEGATE, "*", .badge = 3, .depth = 1),
		SUB(3, 2, 2)),
	  STOPS, WHY_NOT_HELD },
	{ "open: a sub-agent at the top", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), TOP(2)), STOPS, WHY_NOT_HELD },
	{ "open: one at the top as a sub-agent", STEPS(TOP(1), MAY_OPEN(1), TOP(2), SUB(1, 1, 2)), STOPS,
	  WHY_NOT_HELD },
	{ "open: no row", STEPS(TOP(1), TOP(2)), STOPS, WHY_FULL, .size = &scant },
	{ "open: no room for the name", STEPS(TOP(1, .object = "0123456789012345678901234567890123456789")), STOPS,
	  WHY_FULL, .size = &scant },
	{ "open: just room for the name", STEPS(TOP(1, .object = "012345678901234567890123456789012345678")), GOES,
	  WHY_NONE, .size = &scant },
	{ "open: no id", STEPS(TOP(0)), STOPS, WHY_MALFORMED },
	{ "open: no name", STEPS(TOP(1, .object = "")), STOPS, WHY_MALFORMED },
	{ "open: a name with a blank", STEPS(TOP(1, .object = "a b")), STOPS, WHY_MALFORMED },
	{ "open: the longest name",
	  STEPS(TOP(1, .object = "012345678901234567890123456789012345678901234567890123456789012")), GOES, WHY_NONE },
	{ "open: a longer name",
	  STEPS(TOP(1, .object = "0123456789012345678901234567890123456789012345678901234567890123")), STOPS,
	  WHY_MALFORMED },
	{ "open: bounds with hours", STEPS(TOP(1, .bounds.window = { 1, 2, "UTC" })), STOPS, WHY_MALFORMED },
	{ "open: bounds with a moment", STEPS(TOP(1, .bounds.q.until_s = 9)), STOPS, WHY_MALFORMED },
	{ "open: a grant without a parent", STEPS(TOP(1, .grant = 1)), STOPS, WHY_MALFORMED },
	{ "open: an event without a parent", STEPS(TOP(1, .event = { 1 })), STOPS, WHY_MALFORMED },
	{ "open: a minute of no day", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2, .minute = 1440)), STOPS, WHY_MALFORMED },
	{ "open: the parent's bound is of what is done",
	  STEPS(TOP(1, .bounds.q.uses = 1), MAY_OPEN(1), SUB(1, 1, 2), SUB(1, 1, 3)), GOES, WHY_NONE },
	{ "open: the agent's bound is of what is done",
	  STEPS(TOP(1), MAY_OPEN(1), DO(AGENT, .object = "top", .bounds.q.uses = 1), SUB(1, 1, 2), SUB(1, 1, 3)), GOES,
	  WHY_NONE },

	{ "give", STEPS(TOP(1), TOOL(1)), GOES, WHY_NONE },
	{ "give: to nobody", STEPS(TOP(1), TOOL(1, .badge = FORGED)), STOPS, WHY_NOT_HELD },
	{ "give: to a sub-agent", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), TOOL(2, .badge = 2)), STOPS, WHY_BEYOND },
	{ "give: the id is a grant's", STEPS(TOP(1), TOOL(1), TOOL(1)), STOPS, WHY_TAKEN },
	{ "give: the id is that of a grant that was revoked", STEPS(TOP(1), TOOL(1), DO(REVOKE, .grant = 1), TOOL(1)),
	  STOPS, WHY_REVOKED },
	{ "give: the id is that of a grant that expired", STEPS(TOP(1), TOOL(1, .bounds.q.until_s = 1), TOOL(1)), STOPS,
	  WHY_EXPIRED },
	{ "give: no row", STEPS(TOP(1), TOOL(1), TOOL(2)), STOPS, WHY_FULL, .size = &scant },
	{ "give: no room", STEPS(TOP(1), GIVE(1, TOOL, "s/0123456789012345678901234567890123456789")), STOPS, WHY_FULL,
	  .size = &scant },
	{ "give: no id", STEPS(TOP(1), TOOL(0)), STOPS, WHY_MALFORMED },
	{ "give: no verb", STEPS(TOP(1), TOOL(1, .verb = VERB_COUNT)), STOPS, WHY_MALFORMED },
	{ "give: a flag of an answer", STEPS(TOP(1), TOOL(1, .flags = AUTHORITY_YES)), STOPS, WHY_MALFORMED },
	{ "give: unless nothing", STEPS(TOP(1), TOOL(1, UNLESS(0))), STOPS, WHY_MALFORMED },
	{ "give: too many sets", STEPS(TOP(1), TOOL(1, .n_unless = 5, .unless = { 1, 1, 1, 1 })), STOPS,
	  WHY_MALFORMED },
	{ "give: no object", STEPS(TOP(1), GIVE(1, TOOL, "")), STOPS, WHY_MALFORMED },
	{ "give: a path that is not normal", STEPS(TOP(1), GIVE(1, READ, "/a/../b")), STOPS, WHY_MALFORMED },
	{ "give: an endpoint in another spelling", STEPS(TOP(1), GIVE(1, CONNECT, "Example.org:443")), STOPS,
	  WHY_MALFORMED },
	{ "give: terms of a file", STEPS(TOP(1), GIVE(1, READ, "/a", .terms = "http='GET /a'")), STOPS, WHY_MALFORMED },
	{ "give: terms of a range", STEPS(TOP(1), GIVE(1, CONNECT, "10.0.0.0/8:80", .terms = "http='GET /a'")), STOPS,
	  WHY_MALFORMED },
	{ "give: terms", STEPS(TOP(1), GIVE(1, CONNECT, "example.org:443", .terms = "http='GET /a'")), GOES, WHY_NONE },
	{ "give: the most depth", STEPS(TOP(1), GIVE(1, DELEGATE, "*", .depth = 8)), GOES, WHY_NONE },
	{ "give: more depth", STEPS(TOP(1), GIVE(1, DELEGATE, "*", .depth = 9)), STOPS, WHY_MALFORMED },
	{ "give: depth of a tool", STEPS(TOP(1), TOOL(1, .depth = 1)), STOPS, WHY_MALFORMED },
	{ "give: declassify nothing", STEPS(TOP(1), GIVE(1, DECLASSIFY, "d")), STOPS, WHY_MALFORMED },
	{ "give: a rate without a period", STEPS(TOP(1), TOOL(1, .bounds.q.rate = 1)), STOPS, WHY_MALFORMED },
	{ "give: a period of half an hour", STEPS(TOP(1), TOOL(1, .bounds.q = { .rate = 1, .period_s = 1800 })), STOPS,
	  WHY_MALFORMED },
	{ "give: the most rows", STEPS(TOP(1), TOOL(1, .bounds.rows = UINT64_C(1) << 60)), GOES, WHY_NONE },
	{ "give: more rows", STEPS(TOP(1), TOOL(1, .bounds.rows = (UINT64_C(1) << 60) + 1)), STOPS, WHY_MALFORMED },
	{ "give: more bytes", STEPS(TOP(1), TOOL(1, .bounds.q.bytes = (UINT64_C(1) << 60) + 1)), STOPS, WHY_MALFORMED },
	{ "give: a window without a zone", STEPS(TOP(1), TOOL(1, .bounds.window = { 1, 2, "" })), STOPS,
	  WHY_MALFORMED },
	{ "give: a bound that asks", STEPS(TOP(1), TOOL(1, .bounds.q.ask = 1)), STOPS, WHY_MALFORMED },
	{ "give: a time of day that is no bound's own",
	  STEPS(TOP(1), TOOL(1, .bounds.q.between = { 540, 1080, "UTC" })), STOPS, WHY_MALFORMED },
	{ "give: until a moment beyond all", STEPS(TOP(1), TOOL(1, .bounds.q.until_s = UINT64_MAX)), STOPS,
	  WHY_MALFORMED },

	{ "derive", STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t")), GOES, WHY_NONE },
	{ "derive: for a sub-agent",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), TOOL(2), DERIVE(2, 3, TOOL, "s/t", .to = 2)), GOES, WHY_NONE },
	{ "derive: for its child's child",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DERIVE(1, 2, DELEGATE, "*", .depth = 1, .to = 2), SUB(2, 2, 3),
		DERIVE(1, 3, DELEGATE, "*", .to = 3)),
	  STOPS, WHY_NOT_HELD },
	{ "derive: one of all", STEPS(TOP(1), GIVE(1, TOOL, "s/*"), DERIVE(1, 2, TOOL, "s/t")), GOES, WHY_NONE },
	{ "derive: all of a server of everything", STEPS(TOP(1), GIVE(1, TOOL, "*"), DERIVE(1, 2, TOOL, "s/*")), GOES,
	  WHY_NONE },
	{ "derive: all of one", STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/*")), STOPS, WHY_BEYOND },
	{ "derive: everything of a server", STEPS(TOP(1), GIVE(1, TOOL, "s/*"), DERIVE(1, 2, TOOL, "*")), STOPS,
	  WHY_BEYOND },
	{ "derive: another server", STEPS(TOP(1), GIVE(1, TOOL, "s/*"), DERIVE(1, 2, TOOL, "t/t")), STOPS, WHY_BEYOND },
	{ "derive: for another at the top", STEPS(TOP(1), TOP(2), TOOL(1), DERIVE(1, 2, TOOL, "s/t", .to = 2)), STOPS,
	  WHY_NOT_HELD },
	{ "derive: from nothing", STEPS(TOP(1), DERIVE(FORGED, 1, TOOL, "s/t")), STOPS, WHY_NOT_HELD },
	{ "derive: malformed", STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "")), STOPS, WHY_MALFORMED },
	{ "derive: the id is a grant's", STEPS(TOP(1), TOOL(1), DERIVE(1, 1, TOOL, "s/t")), STOPS, WHY_TAKEN },
	{ "derive: frozen", STEPS(TOP(1), TOOL(1), DO(FREEZE), DERIVE(1, 2, TOOL, "s/t")), STOPS, WHY_FROZEN },
	{ "derive: revoked", STEPS(TOP(1), TOOL(1), DO(REVOKE, .grant = 1), DERIVE(1, 2, TOOL, "s/t")), STOPS,
	  WHY_REVOKED },
	{ "derive: expired",
	  STEPS(TOP(1), TOOL(1, .bounds.q.until_s = 1), DERIVE(1, 2, TOOL, "s/t", .bounds.q.until_s = 1)), STOPS,
	  WHY_EXPIRED },
	{ "derive: expired, and the clock was set back",
	  STEPS(TOP(1), TOOL(1, .bounds.q.until_s = 1), TIME(),
		DERIVE(1, 2, TOOL, "s/t", .now_ms = 1, .bounds.q.until_s = 1)),
	  STOPS, WHY_EXPIRED },
	{ "derive: another tool", STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/u")), STOPS, WHY_BEYOND },
	{ "derive: to read in what is worked on", STEPS(TOP(1), GIVE(1, WORK, "/a"), DERIVE(1, 2, READ, "/a/b")), GOES,
	  WHY_NONE },
	{ "derive: to read beside it", STEPS(TOP(1), GIVE(1, WORK, "/a"), DERIVE(1, 2, READ, "/ab")), STOPS,
	  WHY_BEYOND },
	{ "derive: to run what may be written", STEPS(TOP(1), GIVE(1, WRITE, "/a"), DERIVE(1, 2, RUN, "/a/b")), STOPS,
	  WHY_BEYOND },
	{ "derive: a host of many", STEPS(TOP(1), GIVE(1, CONNECT, "*.a.org:80"), DERIVE(1, 2, CONNECT, "b.a.org:80")),
	  GOES, WHY_NONE },
	{ "derive: another port", STEPS(TOP(1), GIVE(1, CONNECT, "*.a.org:80"), DERIVE(1, 2, CONNECT, "b.a.org:81")),
	  STOPS, WHY_BEYOND },
	{ "derive: any agent of one",
	  STEPS(TOP(1), GIVE(1, DELEGATE, "a", .depth = 1), DERIVE(1, 2, DELEGATE, "*", .depth = 1)), STOPS,
	  WHY_BEYOND },
	{ "derive: one agent of any", STEPS(TOP(1), MAY_OPEN(1), DERIVE(1, 2, DELEGATE, "a", .depth = 1)), GOES,
	  WHY_NONE },
	{ "derive: more uses",
	  STEPS(TOP(1), TOOL(1, .bounds.q.uses = 2), DERIVE(1, 2, TOOL, "s/t", .bounds.q.uses = 3)), STOPS,
	  WHY_BEYOND },
	{ "derive: without a bound of rows", STEPS(TOP(1), TOOL(1, .bounds.rows = 2), DERIVE(1, 2, TOOL, "s/t")), STOPS,
	  WHY_BEYOND },
	{ "derive: more rows", STEPS(TOP(1), TOOL(1, .bounds.rows = 2), DERIVE(1, 2, TOOL, "s/t", .bounds.rows = 3)),
	  STOPS, WHY_BEYOND },
	{ "derive: other hours",
	  STEPS(TOP(1), TOOL(1, .bounds.window = { 10, 20, "UTC" }),
		DERIVE(1, 2, TOOL, "s/t", .bounds.window = { 10, 21, "UTC" })),
	  STOPS, WHY_BEYOND },
	{ "derive: another zone",
	  STEPS(TOP(1), TOOL(1, .bounds.window = { 10, 20, "UTC" }),
		DERIVE(1, 2, TOOL, "s/t", .bounds.window = { 10, 20, "GMT" })),
	  STOPS, WHY_BEYOND },
	{ "derive: without terms",
	  STEPS(TOP(1), GIVE(1, CONNECT, "a.org:80", .terms = "http='GET /a'"), DERIVE(1, 2, CONNECT, "a.org:80")),
	  STOPS, WHY_BEYOND },
	{ "derive: asks no more", STEPS(TOP(1), TOOL(1, ASKING), DERIVE(1, 2, TOOL, "s/t")), STOPS, WHY_BEYOND },
	{ "derive: asks where it was refused",
	  STEPS(TOP(1), TOOL(1, UNLESS(1)), DERIVE(1, 2, TOOL, "s/t", UNLESS(1), .flags = AUTHORITY_ASK_LABELLED)),
	  STOPS, WHY_BEYOND },
	{ "derive: asks under labels of its own",
	  STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t", UNLESS(1), .flags = AUTHORITY_ASK_LABELLED)), GOES,
	  WHY_NONE },
	{ "derive: without its unless", STEPS(TOP(1), TOOL(1, UNLESS(3)), DERIVE(1, 2, TOOL, "s/t")), STOPS,
	  WHY_BEYOND },
	{ "derive: unless it has more", STEPS(TOP(1), TOOL(1, UNLESS(3)), DERIVE(1, 2, TOOL, "s/t", UNLESS(7))), STOPS,
	  WHY_BEYOND },
	{ "derive: unless it has fewer", STEPS(TOP(1), TOOL(1, UNLESS(3)), DERIVE(1, 2, TOOL, "s/t", UNLESS(1))), GOES,
	  WHY_NONE },
	{ "derive: fewer labels", STEPS(TOP(1), TOOL(1, .labels = 3), DERIVE(1, 2, TOOL, "s/t", .labels = 1)), STOPS,
	  WHY_BEYOND },
	{ "derive: takes off more",
	  STEPS(TOP(1), GIVE(1, DECLASSIFY, "d", .labels = 1), DERIVE(1, 2, DECLASSIFY, "d", .labels = 3)), STOPS,
	  WHY_BEYOND },
	{ "derive: takes off less",
	  STEPS(TOP(1), GIVE(1, DECLASSIFY, "d", .labels = 3), DERIVE(1, 2, DECLASSIFY, "d", .labels = 1)), GOES,
	  WHY_NONE },
	{ "derive: deeper", STEPS(TOP(1), MAY_OPEN(1), DERIVE(1, 2, DELEGATE, "*", .depth = 3)), STOPS, WHY_DEPTH },
	{ "derive: as deep, for another",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DERIVE(1, 2, DELEGATE, "*", .depth = 2, .to = 2)), STOPS,
	  WHY_DEPTH },
	{ "derive: of no depth, for another",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DERIVE(1, 2, DELEGATE, "*"), DERIVE(2, 3, DELEGATE, "*", .to = 2)),
	  STOPS, WHY_DEPTH },
	{ "derive: no row", STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t")), STOPS, WHY_FULL, .size = &scant },

	{ "revoke", STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t"), DO(REVOKE, .grant = 1)), GOES, WHY_NONE },
	{ "revoke: again",
	  STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t"), DO(REVOKE, .grant = 1), DO(REVOKE, .grant = 2)), GOES,
	  WHY_ALREADY },
	{ "revoke: nothing", STEPS(TOP(1), DO(REVOKE, .grant = FORGED)), STOPS, WHY_NOT_HELD },
	{ "end", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DO(END, .badge = 1)), GOES, WHY_NONE },
	{ "end: again", STEPS(TOP(1), DO(END, .badge = 1), DO(END, .badge = 1)), STOPS, WHY_NOT_HELD },
	{ "end: the same row, another turn", STEPS(TOP(1), DO(END, .badge = 1), TOP(1), DO(END, .badge = 1)), STOPS,
	  WHY_NOT_HELD, .size = &scant },
	{ "event end",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2, .event = { 1 }), DO(EVENT_END, .badge = 1, .event = { 1 })), GOES,
	  WHY_NONE },
	{ "event end: no event", STEPS(TOP(1), DO(EVENT_END, .badge = 1)), STOPS, WHY_MALFORMED },
	{ "event end: nobody's", STEPS(TOP(1), DO(EVENT_END, .badge = FORGED)), STOPS, WHY_NOT_HELD },
	{ "event end: handed over",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2, .event = { 1 }), DO(HAND_OVER, .badge = 1, .to = 2),
		DO(EVENT_END, .badge = 1, .event = { 1 }), DO(END, .badge = 2)),
	  GOES, WHY_NONE },
	{ "hand over", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2, .event = { 1 }), DO(HAND_OVER, .badge = 1, .to = 2)),
	  GOES, WHY_NONE },
	{ "hand over: of no event", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DO(HAND_OVER, .badge = 1, .to = 2)), GOES,
	  WHY_ALREADY },
	{ "hand over: another's", STEPS(TOP(1), TOP(2), DO(HAND_OVER, .badge = 1, .to = 2)), STOPS, WHY_NOT_HELD },

	{ "use", STEPS(TOP(1), TOOL(1), CALL()), GOES, WHY_NONE },
	{ "use: by its object", STEPS(TOP(1), TOOL(1), CALL(.object = "s/t")), GOES, WHY_NONE },
	{ "use: of all of a server", STEPS(TOP(1), GIVE(1, TOOL, "s/*"), CALL(.object = "s/t")), GOES, WHY_NONE },
	{ "use: of a method of it", STEPS(TOP(1), GIVE(1, TOOL, "s/*"), CALL(.object = "s/resources/read")), GOES,
	  WHY_NONE },
	{ "use: of all of another server", STEPS(TOP(1), GIVE(1, TOOL, "s/*"), CALL(.object = "ss/t")), STOPS,
	  WHY_BEYOND },
	{ "use: of everything", STEPS(TOP(1), GIVE(1, TOOL, "*"), CALL(.object = "s/t")), GOES, WHY_NONE },
	{ "use: of a name that begins so", STEPS(TOP(1), TOOL(1), CALL(.object = "s/tt")), STOPS, WHY_BEYOND },
	{ "use: several", STEPS(TOP(1), GIVE(1, TOOL, "*"), CALL(.object = "s/*")), STOPS, WHY_MALFORMED },
	{ "use: whatever the grant is of", STEPS(TOP(1), GIVE(1, TOOL, "s/*"), CALL()), STOPS, WHY_MALFORMED },
	{ "use: what is no tool", STEPS(TOP(1), GIVE(1, TOOL, "*"), CALL(.object = "s")), STOPS, WHY_BEYOND },
	{ "use: another's grant", STEPS(TOP(1), TOOL(1), TOP(2), CALL(.badge = 2)), STOPS, WHY_NOT_HELD },
	{ "use: its sub-agent's grant",
	  STEPS(TOP(1), TOOL(1), MAY_OPEN(2), SUB(1, 2, 2), DERIVE(1, 3, TOOL, "s/t", .to = 2), USE(3, TOOL)), STOPS,
	  WHY_NOT_HELD },
	{ "use: after the end", STEPS(TOP(1), TOOL(1), DO(END, .badge = 1), CALL()), STOPS, WHY_NOT_HELD },
	{ "use: no verb", STEPS(TOP(1), TOOL(1), CALL(.verb = VERB_COUNT)), STOPS, WHY_MALFORMED },
	{ "use: another flag", STEPS(TOP(1), TOOL(1), CALL(.flags = AUTHORITY_YES)), STOPS, WHY_MALFORMED },
	{ "use: a minute of no day", STEPS(TOP(1), TOOL(1), CALL(.minute = 1440)), STOPS, WHY_MALFORMED },
	{ "use: more than there is", STEPS(TOP(1), TOOL(1), CALL(.bytes = (UINT64_C(1) << 60) + 1)), STOPS,
	  WHY_MALFORMED },
	{ "use: frozen above",
	  STEPS(TOP(1), TOOL(1), MAY_OPEN(2), SUB(1, 2, 2), DERIVE(1, 3, TOOL, "s/t", .to = 2), DO(FREEZE, .badge = 1),
		USE(3, TOOL, .badge = 2)),
	  STOPS, WHY_FROZEN },
	{ "use: thawed below, frozen above",
	  STEPS(TOP(1), TOOL(1), MAY_OPEN(2), SUB(1, 2, 2), DERIVE(1, 3, TOOL, "s/t", .to = 2), DO(FREEZE, .badge = 1),
		DO(FREEZE, .badge = 2), DO(THAW, .badge = 2), USE(3, TOOL, .badge = 2)),
	  STOPS, WHY_FROZEN },
	{ "use: thawed", STEPS(TOP(1), TOOL(1), DO(FREEZE, .badge = 1), DO(THAW, .badge = 1), CALL()), GOES, WHY_NONE },
	{ "use: what it was derived from is revoked",
	  STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t"), DO(REVOKE, .grant = 1), USE(2, TOOL)), STOPS, WHY_REVOKED },
	{ "use: expired", STEPS(TOP(1), TOOL(1, .bounds.q.until_s = 2), CALL(.now_ms = 2000)), STOPS, WHY_EXPIRED },
	{ "use: a moment before", STEPS(TOP(1), TOOL(1, .bounds.q.until_s = 2), CALL(.now_ms = 1999)), GOES, WHY_NONE },
	{ "use: by a key, again",
	  STEPS(TOP(1), TOOL(1, .bounds.q.uses = 1), CALL(.flags = AUTHORITY_KEYED), CALL(.flags = AUTHORITY_KEYED)),
	  GOES, WHY_RECORDED },
	{ "use: by a key, of other bytes",
	  STEPS(TOP(1), TOOL(1), CALL(.flags = AUTHORITY_KEYED), CALL(.flags = AUTHORITY_KEYED, .bytes = 1)), STOPS,
	  WHY_CONFLICT },
	{ "use: by a key, of another digest",
	  STEPS(TOP(1), TOOL(1), CALL(.flags = AUTHORITY_KEYED), CALL(.flags = AUTHORITY_KEYED, .digest = { 1 })),
	  STOPS, WHY_CONFLICT },
	{ "use: by a key, another's",
	  STEPS(TOP(1), TOOL(1), CALL(.flags = AUTHORITY_KEYED), TOP(2), TOOL(2, .badge = 2),
		USE(2, TOOL, .badge = 2, .flags = AUTHORITY_KEYED, .bytes = 1)),
	  GOES, WHY_NONE },
	{ "use: no row for a key",
	  STEPS(TOP(1), TOOL(1), CALL(.flags = AUTHORITY_KEYED), CALL(.flags = AUTHORITY_KEYED, .key = { 1 })), STOPS,
	  WHY_FULL, .size = &scant },
	{ "use: no row for a pass",
	  STEPS(TOP(1), GIVE(1, DECLASSIFY, "d", .labels = 1), USE(1, DECLASSIFY), USE(1, DECLASSIFY)), STOPS, WHY_FULL,
	  .size = &scant },
	{ "use: no row for a question", STEPS(TOP(1), TOOL(1, ASKING), CALL(), CALL(.digest = { 1 })), STOPS, WHY_FULL,
	  .size = &scant },
	{ "use: in its hours", STEPS(TOP(1), TOOL(1, .bounds.window = { 10, 20, "UTC" }), CALL(.minute = 19)), GOES,
	  WHY_NONE },
	{ "use: after its hours", STEPS(TOP(1), TOOL(1, .bounds.window = { 10, 20, "UTC" }), CALL(.minute = 20)), STOPS,
	  WHY_NOT_NOW },
	{ "use: nobody knows the hour",
	  STEPS(TOP(1), TOOL(1, .bounds.window = { 10, 20, "UTC" }), CALL(.minute = AUTHORITY_MINUTE_NONE)), STOPS,
	  WHY_NOT_NOW },
	{ "use: nobody needs to know the hour", STEPS(TOP(1), TOOL(1), CALL(.minute = AUTHORITY_MINUTE_NONE)), GOES,
	  WHY_NONE },
	{ "use: another verb", STEPS(TOP(1), TOOL(1), USE(1, QUERY)), STOPS, WHY_BEYOND },
	{ "use: another object", STEPS(TOP(1), TOOL(1), CALL(.object = "u")), STOPS, WHY_BEYOND },
	{ "use: out of a directory by its parent",
	  STEPS(TOP(1), GIVE(1, WORK, "/a"), USE(1, READ, .object = "/a/../etc")), STOPS, WHY_BEYOND },
	{ "use: an endpoint in another spelling",
	  STEPS(TOP(1), GIVE(1, CONNECT, "a.org:80"), USE(1, CONNECT, .object = "A.org:80")), STOPS, WHY_BEYOND },
	{ "use: labelled", STEPS(TOP(1), TOOL(1, UNLESS(3)), LABELLED(3), CALL()), STOPS, WHY_LABELLED },
	{ "use: labelled, but not enough", STEPS(TOP(1), TOOL(1, UNLESS(3)), LABELLED(1), CALL()), GOES, WHY_NONE },
	{ "use: labelled by another use",
	  STEPS(TOP(1), TOOL(1, UNLESS(1)), TOOL(2, .labels = 1), CALL(), USE(2, TOOL), CALL()), STOPS, WHY_LABELLED },
	{ "use: labelled, with a pass",
	  STEPS(TOP(1, .labels = 1), TOOL(1, UNLESS(1)), GIVE(2, DECLASSIFY, "d", .labels = 1), USE(2, DECLASSIFY),
		CALL()),
	  GOES, WHY_NONE },
	{ "use: labelled, the pass was taken",
	  STEPS(TOP(1, .labels = 1), TOOL(1, UNLESS(1)), GIVE(2, DECLASSIFY, "d", .labels = 1), USE(2, DECLASSIFY),
		CALL(), CALL()),
	  STOPS, WHY_LABELLED },
	{ "use: labelled, a pass of another digest",
	  STEPS(TOP(1, .labels = 1), TOOL(1, UNLESS(1)), GIVE(2, DECLASSIFY, "d", .labels = 1), USE(2, DECLASSIFY),
		CALL(.digest = { 1 })),
	  STOPS, WHY_LABELLED },
	{ "use: labelled by what comes by it",
	  STEPS(TOP(1), GIVE(1, CONNECT, "a.org:80", UNLESS(3), .labels = 2), LABELLED(1), USE(1, CONNECT)), STOPS,
	  WHY_LABELLED },
	{ "use: labelled by what comes by it, asks",
	  STEPS(TOP(1, .labels = 1),
		GIVE(1, CONNECT, "a.org:80", UNLESS(3), .labels = 2, .flags = AUTHORITY_ASK_LABELLED), USE(1, CONNECT)),
	  ASKS, WHY_NONE },
	{ "use: labelled by what comes by it, with a pass",
	  STEPS(TOP(1, .labels = 1), GIVE(1, CONNECT, "a.org:80", UNLESS(3), .labels = 2),
		GIVE(2, DECLASSIFY, "d", .labels = 2), USE(2, DECLASSIFY), USE(1, CONNECT)),
	  GOES, WHY_NONE },
	{ "use: a tool answers when all was said", STEPS(TOP(1), TOOL(1, UNLESS(3), .labels = 2), LABELLED(1), CALL()),
	  GOES, WHY_NONE },
	{ "use: a tool answers when all was said, and the next call is labelled",
	  STEPS(TOP(1), TOOL(1, UNLESS(3), .labels = 2), LABELLED(1), CALL(), CALL()), STOPS, WHY_LABELLED },
	{ "use: what a declassify takes off does not come by it",
	  STEPS(TOP(1, .labels = 1), GIVE(1, DECLASSIFY, "d", UNLESS(3), .labels = 2), USE(1, DECLASSIFY)), GOES,
	  WHY_NONE },
	{ "use: labelled, asks",
	  STEPS(TOP(1, .labels = 1), TOOL(1, UNLESS(1), .flags = AUTHORITY_ASK_LABELLED), CALL()), ASKS, WHY_NONE },
	{ "use: spent", STEPS(TOP(1), TOOL(1, .bounds.q.uses = 1), CALL(), CALL()), STOPS, WHY_SPENT, AUTHORITY_USES },
	{ "use: spent by what is derived",
	  STEPS(TOP(1), TOOL(1, .bounds.q.uses = 1), DERIVE(1, 2, TOOL, "s/t", .bounds.q.uses = 1), USE(2, TOOL),
		CALL()),
	  STOPS, WHY_SPENT, AUTHORITY_USES },
	{ "use: no bytes left", STEPS(TOP(1), TOOL(1, .bounds.q.bytes = 5), CALL(.bytes = 3), CALL(.bytes = 3)), STOPS,
	  WHY_SPENT, AUTHORITY_BYTES },
	{ "use: no rows left", STEPS(TOP(1), TOOL(1, .bounds.rows = 5), CALL(.rows = 3), CALL(.rows = 3)), STOPS,
	  WHY_SPENT, AUTHORITY_ROWS },
	{ "use: the last rows", STEPS(TOP(1), TOOL(1, .bounds.rows = 5), CALL(.rows = 3), CALL(.rows = 2)), GOES,
	  WHY_NONE },
	{ "use: too fast",
	  STEPS(TOP(1), TOOL(1, .bounds.q = { .rate = 1, .period_s = 1 }), CALL(), CALL(.passed_ms = 999)), STOPS,
	  WHY_SPENT, AUTHORITY_RATE },
	{ "use: fast enough",
	  STEPS(TOP(1), TOOL(1, .bounds.q = { .rate = 1, .period_s = 1 }), CALL(), CALL(.passed_ms = 1000)), GOES,
	  WHY_NONE },
	{ "use: the clock that is set fills no rate",
	  STEPS(TOP(1), TOOL(1, .bounds.q = { .rate = 1, .period_s = 1 }), CALL(), CALL(.now_ms = 9000)), STOPS,
	  WHY_SPENT, AUTHORITY_RATE },
	{ "use: the badge's bound", STEPS(TOP(1, .bounds.rows = 5), TOOL(1), CALL(.rows = 6)), STOPS, WHY_SPENT,
	  AUTHORITY_ROWS },
	{ "use: the agent's bound",
	  STEPS(DO(AGENT, .object = "top", .bounds.q.uses = 1), TOP(1), TOP(2), TOOL(1), CALL(), TOOL(2, .badge = 2),
		USE(2, TOOL, .badge = 2)),
	  STOPS, WHY_SPENT, AUTHORITY_USES },
	{ "use: an agent above and below is charged once",
	  STEPS(DO(AGENT, .object = "sub", .bounds.q.uses = 1), TOP(1, .object = "sub"), TOOL(1), MAY_OPEN(2),
		DO(AGENT, .object = "sub"), SUB(1, 2, 2), DO(AGENT, .object = "sub", .bounds.q.uses = 1),
		DERIVE(1, 3, TOOL, "s/t", .to = 2), USE(3, TOOL, .badge = 2)),
	  GOES, WHY_NONE },
	{ "use: what no sum holds",
	  STEPS(TOP(1), TOOL(1), CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60),
		CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60),
		CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60),
		CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60),
		CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60),
		CALL(.bytes = UINT64_C(1) << 60), CALL(.bytes = UINT64_C(1) << 60)),
	  STOPS, WHY_SPENT, AUTHORITY_BYTES },
	{ "use: asks", STEPS(TOP(1), TOOL(1, ASKING), CALL()), ASKS, WHY_NONE },
	{ "use: asked", STEPS(TOP(1), TOOL(1, ASKING), CALL(), CALL()), ASKS, WHY_ALREADY },
	{ "use: approved", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES), CALL()), GOES, WHY_NONE },
	{ "use: approved, once", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES), CALL(), CALL()), ASKS,
	  WHY_NONE },
	{ "use: approved, another digest",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES), CALL(.digest = { 1 })), ASKS, WHY_NONE },
	{ "use: approved for the session",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES | AUTHORITY_SESSION), CALL(), CALL()), GOES,
	  WHY_NONE },
	{ "use: approved, too late",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES, .until_ms = 1001), CALL(.now_ms = 1001)),
	  ASKS, WHY_NONE },
	{ "use: approved, and taken back",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES), DO(FORGET, .ask = 1), CALL()), ASKS,
	  WHY_NONE },
	{ "use: a no", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, 0), CALL()), STOPS, WHY_REFUSED },
	{ "use: a no for this one", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, 0), CALL(.digest = { 1 })), ASKS,
	  WHY_NONE },
	{ "use: a no for all", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_STOP), CALL(.digest = { 1 })),
	  STOPS, WHY_REFUSED },
	{ "use: a no for all, of what is derived",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_STOP), DERIVE(1, 2, TOOL, "s/t", ASKING),
		USE(2, TOOL)),
	  STOPS, WHY_REFUSED },
	{ "use: asks without an id", STEPS(TOP(1), TOOL(1, ASKING), CALL(.id = { 0 })), STOPS, WHY_MALFORMED },
	{ "use: asks until now", STEPS(TOP(1), TOOL(1, ASKING), CALL(.until_ms = 1000)), STOPS, WHY_MALFORMED },
	{ "use: too many questions", STEPS(TOP(1), TOOL(1, ASKING), FLOOD_OF(CALL)), STOPS, WHY_FLOOD },
	{ "use: too many questions in an hour",
	  STEPS(TOP(1), TOOL(1, ASKING), TEN_ASKS(1), TEN_ASKS(11), TEN_ASKS(21), CALL(.digest = { 31 })), STOPS,
	  WHY_FLOOD },

	{ "return",
	  STEPS(TOP(1), TOOL(1, .bounds.q.bytes = 5), CALL(.bytes = 5), DO(RETURN, .badge = 1, .grant = 1, .bytes = 4),
		CALL(.bytes = 4)),
	  GOES, WHY_NONE },
	{ "return: more than was lent",
	  STEPS(TOP(1), TOOL(1), CALL(.bytes = 5), DO(RETURN, .badge = 1, .grant = 1, .bytes = 6)), STOPS, WHY_BEYOND },
	{ "return: what was lent to what is derived",
	  STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t"), USE(2, TOOL, .rows = 5),
		DO(RETURN, .badge = 1, .grant = 1, .rows = 1)),
	  STOPS, WHY_BEYOND },
	{ "return: after a restart",
	  STEPS(TOP(1), TOOL(1), CALL(.bytes = 5), DO(RESTART), DO(RETURN, .badge = 1, .grant = 1, .bytes = 1)), STOPS,
	  WHY_BEYOND },
	{ "return: nobody's", STEPS(TOP(1), DO(RETURN, .badge = 1, .grant = FORGED)), STOPS, WHY_NOT_HELD },
	{ "return: twice",
	  STEPS(TOP(1), TOOL(1), CALL(.bytes = 5), DO(RETURN, .badge = 1, .grant = 1, .bytes = 5),
		DO(RETURN, .badge = 1, .grant = 1, .bytes = 1)),
	  STOPS, WHY_BEYOND },
	{ "return", STEPS(TOP(1), TOOL(1), CALL(.bytes = 5), DO(RETURN, .badge = 1, .grant = 1, .bytes = 5)), GOES,
	  WHY_NONE },

	{ "more: no use, and no rate",
	  STEPS(TOP(1), TOOL(1, .bounds.q.uses = 1, .bounds.q.rate = 1, .bounds.q.period_s = 3600), CALL(),
		DO(MORE, .badge = 1, .grant = 1, .bytes = 4)),
	  GOES, WHY_NONE },
	{ "more: is charged",
	  STEPS(TOP(1), TOOL(1, .bounds.q.bytes = 5), CALL(), DO(MORE, .badge = 1, .grant = 1, .bytes = 4),
		CALL(.bytes = 2)),
	  STOPS, WHY_SPENT, AUTHORITY_BYTES },
	{ "more: of a badge",
	  STEPS(TOP(1, .bounds.q.bytes = 5), TOOL(1), CALL(), DO(MORE, .badge = 1, .grant = 1, .bytes = 6)), STOPS,
	  WHY_SPENT, AUTHORITY_BYTES },
	{ "more: can be given back",
	  STEPS(TOP(1), TOOL(1, .bounds.q.bytes = 5), CALL(), DO(MORE, .badge = 1, .grant = 1, .bytes = 5),
		DO(RETURN, .badge = 1, .grant = 1, .bytes = 5), CALL(.bytes = 5)),
	  GOES, WHY_NONE },
	{ "more: revoked", STEPS(TOP(1), TOOL(1), CALL(), DO(REVOKE, .grant = 1), DO(MORE, .badge = 1, .grant = 1)),
	  STOPS, WHY_REVOKED },
	{ "more: frozen", STEPS(TOP(1), TOOL(1), CALL(), DO(FREEZE, .badge = 1), DO(MORE, .badge = 1, .grant = 1)),
	  STOPS, WHY_FROZEN },
	{ "more: nobody's", STEPS(TOP(1), DO(MORE, .badge = 1, .grant = FORGED)), STOPS, WHY_NOT_HELD },
	{ "more: too much", STEPS(TOP(1), TOOL(1), DO(MORE, .badge = 1, .grant = 1, .bytes = (UINT64_C(1) << 60) + 1)),
	  STOPS, WHY_MALFORMED },
	{ "more: at another time of day",
	  STEPS(TOP(1), TOOL(1, .bounds.window = { .from = 60, .to = 120, .zone = "UTC" }),
		DO(MORE, .badge = 1, .grant = 1, .minute = 130)),
	  STOPS, WHY_NOT_NOW },

	{ "answer", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES)), GOES, WHY_NONE },
	{ "answer: no question", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(FORGED, AUTHORITY_YES)), STOPS,
	  WHY_NOT_HELD },
	{ "answer: revoked meanwhile",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), DO(REVOKE, .grant = 1), ANSWER(1, AUTHORITY_YES)), STOPS,
	  WHY_NOT_HELD },
	{ "answer: ended meanwhile",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), DO(END, .badge = 1), ANSWER(1, AUTHORITY_YES)), STOPS, WHY_NOT_HELD },
	{ "answer: too late",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(.until_ms = 1001), ANSWER(1, AUTHORITY_YES, .now_ms = 1001)), STOPS,
	  WHY_NOT_HELD },
	{ "answer: yes and stop", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES | AUTHORITY_STOP)),
	  STOPS, WHY_MALFORMED },
	{ "answer: no, for the session", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_SESSION)), STOPS,
	  WHY_MALFORMED },
	{ "answer: until now", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES, .until_ms = 1000)),
	  STOPS, WHY_MALFORMED },
	{ "answer: again", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, 0), ANSWER(1, AUTHORITY_YES)), STOPS,
	  WHY_ANSWERED },
	{ "answer: another digest", STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES, .digest = { 1 })),
	  STOPS, WHY_MISMATCH },
	{ "forget", STEPS(TOP(1), TOOL(1, ASKING), CALL(), DO(FORGET, .ask = 1)), GOES, WHY_NONE },
	{ "forget: again", STEPS(TOP(1), TOOL(1, ASKING), CALL(), DO(FORGET, .ask = 1), DO(FORGET, .ask = 1)), STOPS,
	  WHY_NOT_HELD },

	{ "freeze", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DO(FREEZE, .badge = 1)), GOES, WHY_NONE },
	{ "freeze: again", STEPS(TOP(1), DO(FREEZE, .badge = 1), DO(FREEZE, .badge = 1)), GOES, WHY_ALREADY },
	{ "freeze: nobody", STEPS(DO(FREEZE, .badge = FORGED)), STOPS, WHY_NOT_HELD },
	{ "freeze: everything", STEPS(TOP(1), TOP(2), DO(FREEZE)), GOES, WHY_NONE },
	{ "thaw", STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), DO(FREEZE, .badge = 2), DO(FREEZE), DO(THAW)), GOES,
	  WHY_NONE },
	{ "thaw: again", STEPS(TOP(1), DO(FREEZE), DO(THAW, .badge = 1)), GOES, WHY_ALREADY },
	{ "thaw: nobody", STEPS(DO(THAW, .badge = FORGED)), STOPS, WHY_NOT_HELD },

	{ "label", STEPS(TOP(1), TOOL(1, UNLESS(1)), LABELLED(1)), GOES, WHY_NONE },
	{ "label: again", STEPS(TOP(1), LABELLED(1), LABELLED(1)), GOES, WHY_ALREADY },
	{ "label: none", STEPS(TOP(1, .labels = 1), TOOL(1, UNLESS(1)), LABELLED(0)), GOES, WHY_ALREADY },
	{ "label: none, of one that is frozen", STEPS(TOP(1, .labels = 1), DO(FREEZE, .badge = 1), LABELLED(0)), GOES,
	  WHY_ALREADY },
	{ "label: by a grant", STEPS(TOP(1), TOOL(1), DO(LABEL, .badge = 1, .grant = 1, .labels = 1)), GOES, WHY_NONE },
	{ "label: by no grant", STEPS(TOP(1), DO(LABEL, .badge = 1, .grant = FORGED, .labels = 1)), STOPS,
	  WHY_NOT_HELD },
	{ "label: by another's grant", STEPS(TOP(1), TOP(2), TOOL(1), DO(LABEL, .badge = 2, .grant = 1, .labels = 1)),
	  STOPS, WHY_NOT_HELD },
	{ "label: nobody", STEPS(DO(LABEL, .badge = FORGED, .labels = 1)), STOPS, WHY_NOT_HELD },
	{ "take", STEPS(TOP(1), TOP(2, .labels = 1), DO(TAKE, .badge = 1, .to = 2)), GOES, WHY_NONE },
	{ "take: nothing", STEPS(TOP(1), TOP(2), DO(TAKE, .badge = 1, .to = 2)), GOES, WHY_ALREADY },
	{ "take: from nobody", STEPS(TOP(1), DO(TAKE, .badge = 1, .to = FORGED)), STOPS, WHY_NOT_HELD },
	{ "enter", STEPS(TOP(1), GIVE(1, READ, "/a", .labels = 1), DO(ENTER, .badge = 1)), GOES, WHY_NONE },
	{ "enter: above what is marked",
	  STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a/b"), TOP(2), GIVE(1, READ, "/a", .badge = 2),
		DO(ENTER, .badge = 2)),
	  GOES, WHY_NONE },
	{ "enter: below what is marked",
	  STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a/b"), TOP(2),
		GIVE(1, READ, "/a/b/c", .badge = 2), DO(ENTER, .badge = 2)),
	  GOES, WHY_NONE },
	{ "enter: beside what is marked",
	  STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a/b"), TOP(2), GIVE(1, READ, "/a/bc", .badge = 2),
		DO(ENTER, .badge = 2)),
	  GOES, WHY_ALREADY },
	{ "enter: a query is no file", STEPS(TOP(1), GIVE(1, QUERY, "/a", .labels = 1), DO(ENTER, .badge = 1)), GOES,
	  WHY_ALREADY },
	{ "enter: frozen", STEPS(TOP(1), DO(FREEZE), DO(ENTER, .badge = 1)), STOPS, WHY_FROZEN },
	{ "enter: nobody", STEPS(DO(ENTER, .badge = FORGED)), STOPS, WHY_NOT_HELD },
	{ "mark", STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a")), GOES, WHY_NONE },
	{ "mark: again",
	  STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a"), DO(MARK, .badge = 1, .object = "/a")), GOES,
	  WHY_ALREADY },
	{ "mark: with a pass",
	  STEPS(TOP(1, .labels = 1), GIVE(1, DECLASSIFY, "d", .labels = 1), USE(1, DECLASSIFY),
		DO(MARK, .badge = 1, .object = "/a")),
	  GOES, WHY_ALREADY },
	{ "mark: the pass was taken",
	  STEPS(TOP(1, .labels = 1), GIVE(1, DECLASSIFY, "d", .labels = 1), USE(1, DECLASSIFY),
		DO(MARK, .badge = 1, .object = "/a"), DO(MARK, .badge = 1, .object = "/a")),
	  GOES, WHY_NONE },
	{ "mark: with fewer labels than the badge has",
	  STEPS(TOP(1, .labels = 3), DO(MARK, .badge = 1, .object = "/a", .labels = 1),
		DO(MARK, .badge = 1, .object = "/a")),
	  GOES, WHY_NONE },
	{ "mark: with labels that the badge lacks",
	  STEPS(TOP(1), DO(MARK, .badge = 1, .object = "/a", .labels = 1), LABELLED(1)), GOES, WHY_NONE },
	{ "mark: with labels, and a pass for them",
	  STEPS(TOP(1), GIVE(1, DECLASSIFY, "d", .labels = 1), USE(1, DECLASSIFY),
		DO(MARK, .badge = 1, .object = "/a", .labels = 1)),
	  GOES, WHY_ALREADY },
	{ "mark: no row",
	  STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a"), DO(MARK, .badge = 1, .object = "/b")), STOPS,
	  WHY_FULL, .size = &scant },
	{ "mark: no row is needed",
	  STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a"), LABELLED(2),
		DO(MARK, .badge = 1, .object = "/a")),
	  GOES, WHY_NONE, .size = &scant },
	{ "mark: no row, and nobody is labelled",
	  STEPS(TOP(1), GIVE(1, READ, "/b"), DO(MARK, .badge = 1, .object = "/a", .labels = 1),
		DO(MARK, .badge = 1, .object = "/b", .labels = 1)),
	  STOPS, WHY_FULL, .size = &scant },
	{ "mark: labels who may reach it from above", STEPS(READS("/a"), MARKS, HAS_IT), GOES, WHY_ALREADY },
	{ "mark: labels who may reach just it", STEPS(READS("/a/b"), MARKS, HAS_IT), GOES, WHY_ALREADY },
	{ "mark: labels who may reach what is beneath", STEPS(READS("/a/b/c"), MARKS, HAS_IT), GOES, WHY_ALREADY },
	{ "mark: labels nobody beside it", STEPS(READS("/a/bc"), MARKS, HAS_IT), GOES, WHY_NONE },
	{ "mark: labels nobody by a query", STEPS(TWO, GIVE(1, QUERY, "/a", .badge = 2), MARKS, HAS_IT), GOES,
	  WHY_NONE },
	{ "mark: labels who reads it by what was revoked", STEPS(READS("/a"), DO(REVOKE, .grant = 1), MARKS, HAS_IT),
	  GOES, WHY_ALREADY },
	{ "mark: labels who reads it by what expired",
	  STEPS(TWO, GIVE(1, READ, "/a", .badge = 2, .bounds.q.until_s = 2), MARKS_AT(2000), HAS_IT_AT(2000)), GOES,
	  WHY_ALREADY },
	{ "mark: labels who is frozen", STEPS(READS("/a"), DO(FREEZE, .badge = 2), MARKS, HAS_IT), GOES, WHY_ALREADY },
	{ "mark: labels itself", STEPS(TOP(1), GIVE(1, READ, "/a"), MARKS_WITH(1), LABELLED(1)), GOES, WHY_ALREADY },
	{ "mark: labels who may reach it by now", STEPS(TWO, MARKS, GIVE(1, READ, "/a", .badge = 2), MARKS), GOES,
	  WHY_NONE },
	{ "mark: labels nobody anew", STEPS(READS("/a"), MARKS, MARKS), GOES, WHY_ALREADY },
	{ "mark: labels nobody with others that it has",
	  STEPS(TWO, MARKS, GIVE(1, READ, "/a", .badge = 2), MARKS_WITH(2), HAS_IT), GOES, WHY_NONE },
	{ "mark: labels nobody with what a pass takes off",
	  STEPS(READS("/a"), GIVE(2, DECLASSIFY, "d", .labels = 1), USE(2, DECLASSIFY), MARKS_WITH(3), HAS_IT), GOES,
	  WHY_NONE },
	{ "label: of a sub-agent closes what others of its tree hold",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), SUB(1, 1, 3), GIVE(2, CONNECT, "example.org:443", UNLESS(1)),
		DERIVE(2, 3, CONNECT, "example.org:443", .to = 3, UNLESS(1)), DO(LABEL, .badge = 2, .labels = 1),
		USE(3, CONNECT, .badge = 3)),
	  STOPS, WHY_LABELLED },
	{ "label: of who asked for it closes what a sub-agent holds",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), GIVE(2, CONNECT, "example.org:443", UNLESS(1)),
		DERIVE(2, 3, CONNECT, "example.org:443", .to = 2, UNLESS(1)), DO(LABEL, .badge = 1, .labels = 1),
		USE(3, CONNECT, .badge = 2)),
	  STOPS, WHY_LABELLED },
	{ "label: of another tree closes nothing",
	  STEPS(TOP(1), TOP(2), GIVE(1, CONNECT, "example.org:443", UNLESS(1)), DO(LABEL, .badge = 2, .labels = 1),
		USE(1, CONNECT)),
	  GOES, WHY_NONE },
	{ "mark: closes what others hold",
	  STEPS(TOP(1), TOP(2), GIVE(1, READ, "/a", .badge = 2, UNLESS(1)), GIVE(2, READ, "/", UNLESS(1)),
		MARKS_WITH(1)),
	  GOES, WHY_NONE },
	{ "mark: no path", STEPS(TOP(1), DO(MARK, .badge = 1, .object = "/a/")), STOPS, WHY_MALFORMED },
	{ "mark: nobody", STEPS(DO(MARK, .badge = FORGED, .object = "/a")), STOPS, WHY_NOT_HELD },

	{ "origin: a grant that was used", STEPS(TOP(1), TOOL(1, .labels = 5), CALL(IN(7)), CALL(IN(8))), GOES,
	  WHY_NONE, .came = "1 has 0 in 7 by grant tool s/t\n1 has 2 in 7 by grant tool s/t\n" },
	{ "origin: one that was refused brings none",
	  STEPS(TOP(1), GIVE(1, CONNECT, "a.org:80", .labels = 1, UNLESS(1)), USE(1, CONNECT, IN(7))), STOPS,
	  WHY_LABELLED, .came = "" },
	{ "origin: the first one stays", STEPS(TOP(1), LABEL_IN(7, 1), TOOL(1, .labels = 3), CALL(IN(8))), GOES,
	  WHY_NONE, .came = "1 has 0 in 7 by given -\n1 has 1 in 8 by grant tool s/t\n" },
	{ "origin: a grant that is said to bring it, whatever labels it has itself",
	  STEPS(TOP(1), GIVE(1, ENV, "A", .labels = 2), DO(LABEL, .badge = 1, .grant = 1, .labels = 1, IN(7))), GOES,
	  WHY_NONE, .came = "1 has 0 in 7 by grant env A\n" },
	{ "origin: of grants entered with, that with the first id",
	  STEPS(TOP(1), GIVE(3, READ, "/c", .labels = 1), GIVE(2, READ, "/b", .labels = 1), GIVE(1, READ, "/a"),
		DO(ENTER, .badge = 1, IN(7))),
	  GOES, WHY_NONE, .came = "1 has 0 in 7 by grant read /b\n" },
	{ "origin: one that was revoked brings it, too",
	  STEPS(TOP(1), GIVE(1, READ, "/a", .labels = 1), GIVE(2, READ, "/b", .labels = 1), DO(REVOKE, .grant = 1),
		DO(ENTER, .badge = 1, IN(7))),
	  GOES, WHY_NONE, .came = "1 has 0 in 7 by grant read /a\n" },
	{ "origin: a grant is told when it was revoked",
	  STEPS(TOP(1), TOOL(1, .labels = 1), CALL(IN(7)), DO(REVOKE, .grant = 1)), GOES, WHY_NONE,
	  .came = "1 has 0 in 7 by grant tool s/t\n" },
	{ "origin: a grant before a mark",
	  STEPS(TOP(1), MARK_IN(6, "/a", 3), GIVE(1, READ, "/a", .labels = 1), DO(ENTER, .badge = 1, IN(7))), GOES,
	  WHY_NONE, .came = "1 has 0 in 7 by grant read /a\n1 has 1 in 7 by mark /a\n" },
	{ "origin: of marks that it may reach, that with the first path",
	  STEPS(TOP(1), MARK_IN(6, "/b/d", 1), MARK_IN(6, "/a", 1), MARK_IN(6, "/b/c", 1), GIVE(1, READ, "/b"),
		DO(ENTER, .badge = 1, IN(7))),
	  GOES, WHY_NONE, .came = "1 has 0 in 7 by mark /b/c\n" },
	{ "origin: a mark that came later",
	  STEPS(TOP(1, .labels = 2), TOP(2), GIVE(1, READ, "/a", .badge = 2), MARK_IN(7, "/a/b", 0)), GOES, WHY_NONE,
	  .came = "1 has 1 in 0 by given -\n2 has 1 in 7 by mark /a/b\n" },
	{ "origin: another badge, and when it has gone",
	  STEPS(TOP(1), TOP(2), DO(LABEL, .badge = 2, .labels = 1, IN(6)), DO(TAKE, .badge = 1, .to = 2, IN(7)),
		DO(END, .badge = 2)),
	  GOES, WHY_NONE, .came = "1 has 0 in 7 by badge 2\n" },
	{ "origin: the badge above, what the request says, and what the use brings",
	  STEPS(TOP(1), LABEL_IN(6, 3), MAY_OPEN(1, .labels = 4), SUB(1, 1, 2, .labels = 10, IN(7))), GOES, WHY_NONE,
	  .came = "1 has 0 in 6 by given -\n1 has 1 in 6 by given -\n1 has 2 in 7 by grant delegate *\n"
		  "2 has 0 in 7 by badge 1\n2 has 1 in 7 by badge 1\n2 has 2 in 7 by badge 1\n2 has 3 in 7 by given -\n"
		  "1 has 3 in 7 by badge 2\n" },
	{ "origin: all of a tree",
	  STEPS(TOP(1), MAY_OPEN(1), SUB(1, 1, 2), SUB(1, 1, 3), DO(LABEL, .badge = 2, .labels = 1, IN(7))), GOES,
	  WHY_NONE, .came = "2 has 0 in 7 by given -\n1 has 0 in 7 by badge 2\n3 has 0 in 7 by badge 2\n" },
	{ "origin: no row", STEPS(TOP(1), LABEL_IN(6, 2), LABEL_IN(7, 1)), GOES, WHY_NONE, .size = &scant,
	  .came = "1 has 1 in 6 by given -\n" },
	{ "origin: no row, for who comes later",
	  STEPS(TOP(1), GIVE(1, READ, "/a"), TOP(2), GIVE(2, READ, "/a", .badge = 2), MARK_IN(7, "/a", 1)), GOES,
	  WHY_NONE, .size = &one_origin, .came = "1 has 0 in 7 by mark /a\n" },
	{ "origin: it goes with its badge", STEPS(TOP(1), LABEL_IN(6, 2), DO(END, .badge = 1), TOP(2, .labels = 1)),
	  GOES, WHY_NONE, .size = &scant, .came = "2 has 0 in 0 by given -\n" },

	{ "agent", STEPS(DO(AGENT, .object = "a", .bounds.rows = 1)), GOES, WHY_NONE },
	{ "agent: none", STEPS(DO(AGENT, .object = "a")), GOES, WHY_ALREADY },
	{ "agent: not by the name of a sub-agent",
	  STEPS(TOP(1), MAY_OPEN(1), TOOL(2), DO(AGENT, .object = "sub", .bounds.q.uses = 1), SUB(1, 1, 2),
		DERIVE(2, 3, TOOL, "s/t", .to = 2), USE(3, TOOL, .badge = 2), USE(3, TOOL, .badge = 2)),
	  GOES, WHY_NONE },
	{ "agent: by that of who asked for it",
	  STEPS(TOP(1), MAY_OPEN(1), TOOL(2), DO(AGENT, .object = "top", .bounds.q.uses = 1), SUB(1, 1, 2),
		DERIVE(2, 3, TOOL, "s/t", .to = 2), USE(3, TOOL, .badge = 2), USE(3, TOOL, .badge = 2)),
	  STOPS, WHY_SPENT },
	{ "agent: gone",
	  STEPS(DO(AGENT, .object = "a", .bounds.rows = 1), DO(AGENT, .object = "a"),
		DO(AGENT, .object = "b", .bounds.rows = 1)),
	  GOES, WHY_NONE, .size = &scant },
	{ "agent: no row",
	  STEPS(DO(AGENT, .object = "a", .bounds.rows = 1), DO(AGENT, .object = "b", .bounds.rows = 1)), STOPS,
	  WHY_FULL, .size = &scant },
	{ "agent: no name", STEPS(DO(AGENT, .object = "", .bounds.rows = 1)), STOPS, WHY_MALFORMED },
	{ "agent: with hours", STEPS(DO(AGENT, .object = "a", .bounds.window = { 1, 2, "UTC" })), STOPS,
	  WHY_MALFORMED },
	{ "restart", STEPS(DO(RESTART)), GOES, WHY_NONE },

	{ "unmark", STEPS(READS("/a"), MARK_IN(1, "/a/b", 3), DO(UNMARK, .object = "/a/b", .labels = 3)), GOES,
	  WHY_NONE, .came = "1 has 0 in 0 by given -\n" },
	{ "unmark: who has it keeps it", STEPS(READS("/a"), MARKS, DO(UNMARK, .object = "/a/b", .labels = 1), HAS_IT),
	  GOES, WHY_ALREADY },
	{ "unmark: nobody gets it any more",
	  STEPS(TWO, MARKS, DO(UNMARK, .object = "/a/b", .labels = 1), GIVE(1, READ, "/a", .badge = 2),
		DO(ENTER, .badge = 2)),
	  GOES, WHY_ALREADY },
	{ "unmark: others stay",
	  STEPS(TWO, MARKS_WITH(3), DO(UNMARK, .object = "/a/b", .labels = 1), GIVE(1, READ, "/a", .badge = 2),
		DO(ENTER, .badge = 2, IN(7))),
	  GOES, WHY_NONE, .came = "1 has 0 in 0 by given -\n2 has 1 in 7 by mark /a/b\n" },
	{ "unmark: its row is free",
	  STEPS(TOP(1, .labels = 1), DO(MARK, .badge = 1, .object = "/a"), DO(UNMARK, .object = "/a", .labels = 1),
		DO(MARK, .badge = 1, .object = "/b")),
	  GOES, WHY_NONE, .size = &scant },
	{ "unmark: what it has not", STEPS(TOP(1), MARKS_WITH(1), DO(UNMARK, .object = "/a/b", .labels = 2)), GOES,
	  WHY_ALREADY },
	{ "unmark: what is above", STEPS(TOP(1), MARKS_WITH(1), DO(UNMARK, .object = "/a/b/c", .labels = 1)), STOPS,
	  WHY_NOT_HELD },
	{ "unmark: no label", STEPS(TOP(1), MARKS_WITH(1), DO(UNMARK, .object = "/a/b")), STOPS, WHY_MALFORMED },
	{ "unmark: no path", STEPS(DO(UNMARK, .object = "a", .labels = 1)), STOPS, WHY_MALFORMED },

	{ "join: who reads any of it then has all",
	  STEPS(TOP(1), MARK_IN(5, "/a/b", 1), MARK_IN(6, "/a/c/d", 2), DO(JOIN, .object = "/a"), GIVE(1, READ, "/a/e"),
		DO(ENTER, .badge = 1, IN(7))),
	  GOES, WHY_NONE, .came = "1 has 0 in 7 by mark /a\n1 has 1 in 7 by mark /a\n" },
	{ "join: labels nobody who reads something else there",
	  STEPS(TOP(1), GIVE(1, READ, "/a/e"), MARK_IN(5, "/a/b", 1), MARK_IN(6, "/a/c", 1), DO(JOIN, .object = "/a"),
		LABELLED(1)),
	  GOES, WHY_NONE },
	{ "join: not what is beside it",
	  STEPS(TOP(1), MARK_IN(5, "/ab", 1), MARK_IN(6, "/a/b", 2), DO(JOIN, .object = "/a"), GIVE(1, READ, "/ab"),
		DO(ENTER, .badge = 1, IN(7))),
	  GOES, WHY_NONE, .came = "1 has 0 in 7 by mark /ab\n" },
	{ "join: what came from one of them came from it",
	  STEPS(TOP(1), GIVE(1, READ, "/a/c"), MARK_IN(5, "/a/b", 1), MARK_IN(6, "/a/c", 2), DO(JOIN, .object = "/a")),
	  GOES, WHY_NONE, .came = "1 has 1 in 6 by mark /a\n" },
	{ "join: with that of the directory",
	  STEPS(TOP(1), MARK_IN(5, "/a", 1), MARK_IN(6, "/a/c", 2), DO(JOIN, .object = "/a"),
		DO(UNMARK, .object = "/a", .labels = 3), GIVE(1, READ, "/a"), DO(ENTER, .badge = 1)),
	  GOES, WHY_ALREADY },
	{ "join: one alone",
	  STEPS(TOP(1), MARK_IN(5, "/a/b", 1), DO(JOIN, .object = "/a"), GIVE(1, READ, "/a/c"), DO(ENTER, .badge = 1)),
	  GOES, WHY_NONE, .size = &ample },
	{ "join: none", STEPS(TOP(1), MARK_IN(5, "/a", 1), DO(JOIN, .object = "/a")), GOES, WHY_ALREADY },
	{ "join: no path", STEPS(DO(JOIN, .object = "a")), STOPS, WHY_MALFORMED },

	{ "restore", STEPS(TOP(1), TOOL(1), DO(REVOKE, .grant = 1), DO(RESTORE, .grant = 1), CALL()), GOES, WHY_NONE },
	{ "restore: it can be given again",
	  STEPS(TOP(1), TOOL(1), DO(REVOKE, .grant = 1), DO(RESTORE, .grant = 1), TOOL(1)), STOPS, WHY_TAKEN },
	{ "restore: what was not revoked", STEPS(TOP(1), TOOL(1), DO(RESTORE, .grant = 1)), GOES, WHY_ALREADY },
	{ "restore: nobody's", STEPS(TOP(1), DO(RESTORE, .grant = FORGED)), STOPS, WHY_NOT_HELD },
	{ "restore: not what was derived from it",
	  STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t"), DO(REVOKE, .grant = 1), DO(RESTORE, .grant = 1),
		USE(2, TOOL)),
	  STOPS, WHY_REVOKED },
	{ "restore: what is derived from it since",
	  STEPS(TOP(1), TOOL(1), DO(REVOKE, .grant = 1), DO(RESTORE, .grant = 1), DERIVE(1, 2, TOOL, "s/t"),
		USE(2, TOOL)),
	  GOES, WHY_NONE },
	{ "restore: derived from what is revoked",
	  STEPS(TOP(1), TOOL(1), DERIVE(1, 2, TOOL, "s/t"), DO(REVOKE, .grant = 1), DO(RESTORE, .grant = 2)), STOPS,
	  WHY_REVOKED },
	{ "restore: derived from what expired",
	  STEPS(TOP(1), TOOL(1, .bounds.q.until_s = 2), DERIVE(1, 2, TOOL, "s/t", .bounds.q.until_s = 2),
		DO(REVOKE, .grant = 2), DO(RESTORE, .grant = 2, .now_ms = 2000)),
	  STOPS, WHY_EXPIRED },
	{ "restore: what would have expired meanwhile",
	  STEPS(TOP(1), TOOL(1, .bounds.q.until_s = 2), DO(REVOKE, .grant = 1), DO(RESTORE, .grant = 1, .now_ms = 2000),
		CALL(.now_ms = 2000)),
	  STOPS, WHY_EXPIRED },
	{ "restore: no question comes back",
	  STEPS(TOP(1), TOOL(1, ASKING), CALL(), ANSWER(1, AUTHORITY_YES), DO(REVOKE, .grant = 1),
		DO(RESTORE, .grant = 1), CALL()),
	  ASKS, WHY_NONE },
};
#pragma GCC diagnostic pop

/* What was made in a row, by its kind. */
struct made {
	authority_ref badges[16], grants[16], asks[64];
	size_t n_badges, n_grants, n_asks;
};

static authority_ref real(const authority_ref *made, size_t n, authority_ref ordinal)
{
	if (ordinal == 0 || ordinal > n)
		return ordinal == 0 ? 0 : ordinal << 20;
	return made[ordinal - 1];
}

static void note_made(struct made *made, const struct authority_request *q, const struct authority_answer *answer)
{
	if (answer->made == 0 || answer->why == WHY_ALREADY || answer->verdict == AUTHORITY_DENIED)
		return;
	if (answer->verdict == AUTHORITY_ASKS)
		made->asks[made->n_asks++] = answer->made;
	else if (q->op == AUTHORITY_OPEN)
		made->badges[made->n_badges++] = answer->made;
	else
		made->grants[made->n_grants++] = answer->made;
}

/* By the first bytes of ids. */
static void tell_origins(const struct authority *a, struct buf *out)
{
	static const char *const by[AUTHORITY_BY_COUNT] = { "grant", "mark", "badge", "given" };
	struct authority_origin_told t;
	struct authority_badge_told b;

	for (uint32_t row = 0; row < authority_size(a)->origins; row++) {
		if (!authority_origin_at(a, row, &t))
			continue;
		assert_true(authority_badge_at(a, AUTHORITY_ROW(t.badge), &b) && b.ref == t.badge);
		buf_printf(out, "%u has %u in %u by %s ", b.id[0], t.label, t.event[0], by[t.by]);
		if (t.by == AUTHORITY_BY_GRANT)
			buf_printf(out, "%s %s\n", verb_word((enum grant_verb)t.verb), t.object);
		else if (t.by == AUTHORITY_BY_BADGE)
			buf_printf(out, "%u\n", t.from[0]);
		else
			buf_printf(out, "%s\n", t.object[0] != 0 ? t.object : "-");
	}
}

static void try_row(const struct row *row, struct met *met)
{
	struct made made = { .n_badges = 0 };
	struct authority_answer answer = { .why = WHY_NONE };
	char said[MODEL_SAID_MAX];
	struct world w;

	world_init(&w, row->size != NULL ? row->size : &ample, met);
	for (size_t i = 0; i < row->n; i++) {
		struct authority_request q = row->steps[i];

		q.badge = real(made.badges, made.n_badges, q.badge);
		q.to = real(made.badges, made.n_badges, q.to);
		q.grant = real(made.grants, made.n_grants, q.grant);
		q.ask = real(made.asks, made.n_asks, q.ask);
		q.now_ms = q.now_ms != 0 ? q.now_ms : 1000;
		q.object = q.object != NULL ? q.object : "";
		q.terms = q.terms != NULL ? q.terms : "";
		if (!world_step(&w, &q, &answer, said))
			fail_msg("%s, step %zu: %s", row->name, i + 1, said);
		if (i + 1 < row->n && answer.verdict == AUTHORITY_DENIED)
			fail_msg("%s, step %zu: %s", row->name, i + 1,
				 authority_why_word((enum authority_why)answer.why));
		note_made(&made, &q, &answer);
	}
	if (answer.verdict != row->verdict || answer.why != row->why ||
	    (row->why == WHY_SPENT && answer.limit != row->limit))
		fail_msg("%s: verdict %u, %s, limit %u", row->name, answer.verdict,
			 authority_why_word((enum authority_why)answer.why), answer.limit);
	if (row->came != NULL) {
		auto_buf came = { .max = 1u << 16 };

		tell_origins(w.a, &came);
		if (strcmp(row->came, came.len > 0 ? buf_cstr(&came) : "") != 0)
			fail_msg("%s: %s", row->name, came.len > 0 ? buf_cstr(&came) : "nothing");
	}
	world_finish(&w);
}

static void each_reason_has_its_case(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		try_row(&rows[i], *state);
}

/* ---- schedules by chance ---- */

/* As after a restart of the role: what was kept is all there is. */
static void go_on_from_bytes(struct world *w)
{
	auto_buf kept = { .max = 1u << 20 }, again = { .max = 1u << 20 };
	struct authority *a = create(&w->size);
	struct rbuf in;

	authority_put(w->a, &kept);
	assert_false(kept.failed);
	rbuf_init(&in, kept.data, kept.len);
	assert_int_equal(authority_take(&in, a, NULL), 0);
	assert_true(rbuf_done(&in));
	authority_put(a, &again);
	assert_true(buf_is_same(&kept, &again));
	free(w->a);
	w->a = a;
}

/* Who has the requests has the state. */
static bool is_made_again(const struct world *w)
{
	auto_buf kept = { .max = 1u << 20 }, again = { .max = 1u << 20 };
	struct authority *a = create(&w->size);
	struct authority_request q;
	struct authority_answer answer;
	char room[AUTHORITY_TEXTS_MAX];
	struct rbuf in;

	rbuf_init(&in, w->requests.data, w->requests.len);
	while (rbuf_left(&in) > 0) {
		assert_true(take_request(&in, &q, room));
		authority_step(a, &q, &answer);
	}
	authority_put(w->a, &kept);
	authority_put(a, &again);
	free(a);
	return buf_is_same(&kept, &again);
}

static bool finds_as_ours(struct world *w, struct draw *d, const struct authority_request *q)
{
	const enum grant_verb verb = (enum grant_verb)prop_below(d->p, VERB_COUNT);
	struct authority_grant_told told;

	if (!authority_grant_at(w->a, prop_below(d->p, w->size.grants), &told))
		return true;
	(void)snprintf(d->object, sizeof d->object, "%s", prop_below(d->p, 4) == 0 ? q->object : told.object);
	return model_finds(w->model, told.badge, (enum grant_verb)told.verb, d->object,
			   authority_find(w->a, told.badge, (enum grant_verb)told.verb, d->object)) &&
	       model_finds(w->model, told.badge, verb, d->object, authority_find(w->a, told.badge, verb, d->object));
}

static void try_steps(struct world *w, struct prop *p, uint32_t n)
{
	struct draw *d = malloc(sizeof *d);
	struct authority_request q;
	struct authority_answer answer;
	char said[MODEL_SAID_MAX];

	assert_non_null(d);
	draw_init(d, p);
	for (; n > 0; n--) {
		draw_request(d, w->a, &q);
		if (!world_step(w, &q, &answer, said)) {
			tell_last(w);
			prop_fail(p, "step %u: %s", w->n - 1, said);
		}
		draw_was_made(d, answer.made);
		if (!finds_as_ours(w, d, &q))
			prop_fail(p, "step %u: a grant is found that is not the narrowest, or none", w->n - 1);
		if (prop_below(p, 50) == 0)
			go_on_from_bytes(w);
	}
	free(d);
}

static void try_world(uint64_t round, struct met *met)
{
	struct prop p = prop_round(round);
	const struct authority_size size = draw_size(&p);
	struct world w;

	world_init(&w, &size, met);
	try_steps(&w, &p, 40 + prop_below(&p, 261));
	if (!is_made_again(&w))
		prop_fail(&p, "the requests make another state");
	world_finish(&w);
}

/* Of the size that the fuzz target has: two states and two schedules, each with requests to its end. */
static void seeds_are_kept(void **state)
{
	static const struct authority_size size = { 6, 12, 6, 3, 3, 3, 2, 4, 300 };
	const char *dir = getenv("AMBIT_CORPUS");

	for (uint64_t number = 0; number < 8; number++) {
		struct prop p = prop_round(number);
		auto_buf seed = { .max = 1u << 20 }, kept = { .max = 1u << 20 };
		auto_fd int fd = -1;
		char path[4096];
		struct world w;
		const bool from_nothing = number % 2 != 0;
		size_t at = 0;

		world_init(&w, &size, *state);
		buf_put_u8(&seed, from_nothing);
		try_steps(&w, &p, 24);
		if (!from_nothing) {
			authority_put(w.a, &kept);
			buf_put_bytes(&seed, kept.data, kept.len);
			at = w.requests.len;
			try_steps(&w, &p, 4);
		}
		buf_put(&seed, w.requests.data + at, w.requests.len - at);
		(void)snprintf(path, sizeof path, "%s/%s-%" PRIu64, dir, from_nothing ? "requests" : "state", number);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		assert_true(fd >= 0 && fd_write_all(fd, seed.data, seed.len) == 0);
		world_finish(&w);
	}
}

static void any_schedule_is_as_the_naive_one_says(void **state)
{
	const uint64_t worlds = prop_rounds(WORLDS);

	for (uint64_t i = 0; i < worlds; i++)
		try_world(i, *state);
}

/* ---- that nothing was left to chance ---- */

#define W(why) (1u << WHY_##why)
#define USES                                                                                                           \
	(W(NONE) | W(ALREADY) | W(NOT_HELD) | W(FROZEN) | W(REVOKED) | W(EXPIRED) | W(NOT_NOW) | W(BEYOND) |           \
	 W(LABELLED) | W(SPENT) | W(REFUSED) | W(FLOOD) | W(FULL) | W(MALFORMED))

static const unsigned may_be[AUTHORITY_OP_COUNT] = {
	[AUTHORITY_TIME] = W(NONE),
	[AUTHORITY_OPEN] = USES | W(DEPTH) | W(TAKEN),
	[AUTHORITY_GIVE] = W(NONE) | W(NOT_HELD) | W(BEYOND) | W(MALFORMED) | W(TAKEN) | W(REVOKED) | W(EXPIRED) |
			   W(FULL),
	[AUTHORITY_DERIVE] = W(NONE) | W(NOT_HELD) | W(MALFORMED) | W(TAKEN) | W(FROZEN) | W(REVOKED) | W(EXPIRED) |
			     W(BEYOND) | W(DEPTH) | W(FULL),
	[AUTHORITY_REVOKE] = W(NONE) | W(NOT_HELD) | W(ALREADY),
	[AUTHORITY_END] = W(NONE) | W(NOT_HELD),
	[AUTHORITY_EVENT_END] = W(NONE) | W(NOT_HELD) | W(MALFORMED),
	[AUTHORITY_HAND_OVER] = W(NONE) | W(NOT_HELD) | W(ALREADY),
	[AUTHORITY_USE] = USES | W(RECORDED) | W(CONFLICT),
	[AUTHORITY_RETURN] = W(NONE) | W(NOT_HELD) | W(BEYOND),
	[AUTHORITY_MORE] = W(NONE) | W(NOT_HELD) | W(MALFORMED) | W(FROZEN) | W(REVOKED) | W(EXPIRED) | W(NOT_NOW) |
			   W(SPENT),
	[AUTHORITY_ANSWER] = W(NONE) | W(NOT_HELD) | W(MALFORMED) | W(ANSWERED) | W(MISMATCH),
	[AUTHORITY_FORGET] = W(NONE) | W(NOT_HELD),
	[AUTHORITY_FREEZE] = W(NONE) | W(NOT_HELD) | W(ALREADY),
	[AUTHORITY_THAW] = W(NONE) | W(NOT_HELD) | W(ALREADY),
	[AUTHORITY_LABEL] = W(NONE) | W(NOT_HELD) | W(ALREADY),
	[AUTHORITY_TAKE] = W(NONE) | W(NOT_HELD) | W(ALREADY),
	[AUTHORITY_ENTER] = W(NONE) | W(NOT_HELD) | W(FROZEN) | W(ALREADY),
	[AUTHORITY_MARK] = W(NONE) | W(NOT_HELD) | W(MALFORMED) | W(FULL) | W(ALREADY),
	[AUTHORITY_AGENT] = W(NONE) | W(MALFORMED) | W(ALREADY) | W(FULL),
	[AUTHORITY_RESTART] = W(NONE),
	[AUTHORITY_RESTORE] = W(NONE) | W(NOT_HELD) | W(ALREADY) | W(REVOKED) | W(EXPIRED),
	[AUTHORITY_UNMARK] = W(NONE) | W(NOT_HELD) | W(MALFORMED) | W(ALREADY),
	[AUTHORITY_JOIN] = W(NONE) | W(MALFORMED) | W(ALREADY),
};

static void each_reason_was_met(void **state)
{
	const struct met *met = *state;

	for (unsigned op = 0; op < AUTHORITY_OP_COUNT; op++)
		for (unsigned why = 0; why < WHY_COUNT; why++)
			if ((met->times[op][why] > 0) != ((may_be[op] >> why & 1) != 0))
				fail_msg("%s: %s was met %u times", draw_op_word(op),
					 authority_why_word((enum authority_why)why), met->times[op][why]);
}

/* A state of the version before has none, and is read; nothing else of it differs. */
static void a_state_without_origins_is_read(void **state)
{
	const struct authority_request top = {
		.op = AUTHORITY_OPEN, .id = { 1 }, .labels = 5, .object = "top", .terms = ""
	};
	struct authority *a = create(&ample), *again = create(&ample);
	auto_buf out = { .max = 1u << 16 };
	struct authority_badge_told b;
	struct authority_origin_told o;
	struct authority_answer answer;
	struct rbuf in;

	(void)state;
	authority_put(a, &out);
	out.data[0] = 1;
	rbuf_init(&in, out.data, out.len - 4); /* how many there were: 0 */
	assert_int_equal(authority_take(&in, again, NULL), 0);
	buf_reset(&out);
	authority_step(a, &top, &answer);
	authority_put(a, &out);
	out.data[0] = 1;
	rbuf_init(&in, out.data, out.len - (4 + 2 * ORIGIN_BYTES));
	assert_int_equal(authority_take(&in, again, NULL), 0);
	assert_true(authority_badge_at(again, 0, &b) && b.labels == 5 && !authority_origin_at(again, 0, &o));
	out.data[0] = 2;
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(authority_take(&in, again, NULL), 0);
	assert_true(authority_origin_at(again, 1, &o) && o.label == 2);
	out.data[0] = 3;
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(authority_take(&in, again, NULL), -AMBIT_PROTOCOL);
	free(a);
	free(again);
}

/* Of two, which stand at the end of a state: what no step could have left. */
static void origins_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t at; /* of the second one */
		uint8_t byte;
	} cases[] = {
		{ "of no badge", 9, 1 },
		{ "by a grant that is not there", 13 + 5, AUTHORITY_BY_GRANT },
		{ "by a mark that is not there", 13 + 5, AUTHORITY_BY_MARK },
		{ "by a badge without a name", 13 + 5, AUTHORITY_BY_BADGE },
		{ "given by a grant", 13, 1 },
		{ "a label that the badge lacks", 13 + 4, 1 },
		{ "a label twice", 13 + 4, 0 },
		{ "no label", 13 + 4, 64 },
		{ "by nothing", 13 + 5, AUTHORITY_BY_COUNT },
		{ "a name where no badge was", 13 + 6 + AUTHORITY_ID, 1 },
	};
	const struct authority_request top = {
		.op = AUTHORITY_OPEN, .id = { 1 }, .labels = 5, .object = "top", .terms = ""
	};
	struct authority *a = create(&ample);
	auto_buf out = { .max = 1u << 16 };
	struct authority_answer answer;

	(void)state;
	authority_step(a, &top, &answer);
	authority_put(a, &out);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t *byte = &out.data[out.len - ORIGIN_BYTES + cases[i].at];
		const uint8_t before = *byte;
		struct rbuf in;

		assert_int_not_equal(before, cases[i].byte);
		*byte = cases[i].byte;
		rbuf_init(&in, out.data, out.len);
		if (authority_take(&in, a, NULL) != -AMBIT_PROTOCOL)
			fail_msg("%s", cases[i].name);
		*byte = before;
	}
	free(a);
}

static void an_event_goes_there_and_back(void **state)
{
	static const uint8_t ops[] = { AUTHORITY_OPEN, AUTHORITY_EVENT_END, AUTHORITY_USE, AUTHORITY_LABEL,
				       AUTHORITY_TAKE, AUTHORITY_ENTER,     AUTHORITY_MARK };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		const struct authority_request q = { .op = ops[i], .event = { 1, 2, 3 }, .object = "", .terms = "" };
		auto_buf out = { .max = 1u << 16 };
		struct authority_request taken;
		char room[AUTHORITY_TEXTS_MAX];
		struct rbuf in;

		authority_put_request(&out, &q);
		rbuf_init(&in, out.data, out.len);
		assert_true(authority_take_request(&in, &taken, room) && rbuf_done(&in));
		assert_memory_equal(taken.event, q.event, sizeof q.event);
	}
}

static void what_is_no_step_is_malformed(void **state)
{
	const struct authority_request q = { .op = AUTHORITY_OP_COUNT, .object = "", .terms = "" };
	struct authority *a = create(&scant);
	struct authority_answer answer;
	auto_buf out = { .max = 1u << 16 };
	struct authority_request taken;
	char room[AUTHORITY_TEXTS_MAX];
	struct rbuf in;

	(void)state;
	authority_step(a, &q, &answer);
	assert_int_equal(answer.verdict, AUTHORITY_DENIED);
	assert_int_equal(answer.why, WHY_MALFORMED);
	authority_put_request(&out, &q);
	rbuf_init(&in, out.data, out.len);
	assert_false(authority_take_request(&in, &taken, room) && rbuf_done(&in));
	free(a);
}

int main(void)
{
	static struct met met;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(each_reason_has_its_case, &met),
		cmocka_unit_test_prestate(any_schedule_is_as_the_naive_one_says, &met),
		cmocka_unit_test_prestate(each_reason_was_met, &met),
		cmocka_unit_test(a_state_without_origins_is_read),
		cmocka_unit_test(origins_that_are_none_are_refused),
		cmocka_unit_test(an_event_goes_there_and_back),
		cmocka_unit_test(what_is_no_step_is_malformed),
	};

	const struct CMUnitTest seeds[] = { cmocka_unit_test_prestate(seeds_are_kept, &met) };

	return getenv("AMBIT_CORPUS") != NULL ? cmocka_run_group_tests(seeds, NULL, NULL)
					      : cmocka_run_group_tests(tests, NULL, NULL);
}
