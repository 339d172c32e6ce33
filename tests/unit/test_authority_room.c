/* What goes where the authority is full: whoever holds anything stays, and of the rest those that were used last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "authority/room.h"
#include "base/cleanup.h"

static const struct authority_size size = { 128, 32, 8, 4, 4, 8, 4, 8, 8192 };

struct world {
	struct authority *a;
	struct room *r;
	authority_ref made; /* last */
};

static void open_world(struct world *w)
{
	w->a = authority_init(calloc(1, authority_bytes(&size)), &size);
	w->r = room_create(&size);
	assert_true(w->a != NULL && w->r != NULL);
}

static void close_world(struct world *w)
{
	room_destroy(w->r);
	free(w->a);
}

static struct authority_answer step(struct world *w, struct authority_request q)
{
	static uint8_t n;
	struct authority_answer answer;

	q.object = q.object == NULL ? "" : q.object;
	q.terms = "";
	q.now_ms = 1000;
	q.id[0] = 1;
	q.id[1] = ++n;
	authority_step(w->a, &q, &answer);
	assert_int_not_equal(answer.verdict, AUTHORITY_DENIED);
	w->made = answer.made != 0 ? answer.made : w->made;
	return answer;
}

#define STEP(w, ...) step((w), (struct authority_request){ __VA_ARGS__ })

static authority_ref top(struct world *w)
{
	return STEP(w, .op = AUTHORITY_OPEN, .object = "top").made;
}

static bool is_that(void *of, authority_ref badge)
{
	return of != NULL && *(const authority_ref *)of == badge;
}

static uint32_t idle(struct world *w, authority_ref in_use, authority_ref ret[ROOM_IDLE_MAX])
{
	return room_idle(w->r, w->a, is_that, &in_use, ret);
}

/* Each thing that a badge may hold, and what is none. */
enum held {
	NOTHING,
	A_GRANT,
	LABEL,
	FROZEN,
	OWN_BOUND,
	BOUND,
	BYTES,
	ROWS,
	RATE,
	REVOKED,
	WAITS,
	ANSWERED,
	ALL_FROZEN,
	AN_AGENTS_BOUND,
	A_KEY
};

static void hold(struct world *w, authority_ref b, enum held what)
{
	struct authority_request give = { .op = AUTHORITY_GIVE, .badge = b, .verb = VERB_TOOL, .object = "s/t" };
	struct authority_request use = { .op = AUTHORITY_USE, .badge = b, .verb = VERB_TOOL, .until_ms = 9000 };

	give.bounds.q.uses = what == BOUND;
	give.bounds.q.bytes = what == BYTES;
	give.bounds.rows = what == ROWS;
	give.bounds.q.rate = what == RATE;
	give.bounds.q.period_s = what == RATE;
	give.flags = what == WAITS || what == ANSWERED ? AUTHORITY_ASK : 0;
	if (what == LABEL)
		(void)STEP(w, .op = AUTHORITY_LABEL, .badge = b, .labels = 1);
	if (what == FROZEN || what == ALL_FROZEN)
		(void)STEP(w, .op = AUTHORITY_FREEZE, .badge = what == FROZEN ? b : 0);
	if (what == AN_AGENTS_BOUND)
		(void)STEP(w, .op = AUTHORITY_AGENT, .object = "top", .bounds.q.uses = 5);
	if (what == NOTHING || what == LABEL || what == FROZEN || what == OWN_BOUND || what == ALL_FROZEN)
		return;
	use.grant = step(w, give).made;
	if (what == REVOKED)
		(void)STEP(w, .op = AUTHORITY_REVOKE, .grant = use.grant);
	if (what == A_KEY)
		use.flags = AUTHORITY_KEYED;
	if (what == WAITS || what == ANSWERED || what == A_KEY)
		use.grant = step(w, use).made;
	if (what == ANSWERED)
		(void)STEP(w, .op = AUTHORITY_ANSWER, .ask = use.grant, .until_ms = 9000);
}

static void who_holds_anything_stays(void **state)
{
	static const struct {
		const char *name;
		enum held what;
		bool goes;
	} rows[] = {
		{ "nothing", NOTHING, true },
		{ "a grant", A_GRANT, true },
		{ "a key", A_KEY, true },
		{ "what its agent is bounded by, which stays", AN_AGENTS_BOUND, true },
		{ "a label", LABEL, false },
		{ "frozen", FROZEN, false },
		{ "everything is frozen", ALL_FROZEN, false },
		{ "a bound of its own", OWN_BOUND, false },
		{ "a bound of uses", BOUND, false },
		{ "of bytes", BYTES, false },
		{ "of rows", ROWS, false },
		{ "of a rate", RATE, false },
		{ "a grant that was revoked", REVOKED, false },
		{ "a question that waits", WAITS, false },
		{ "a no", ANSWERED, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		authority_ref found[ROOM_IDLE_MAX], b;
		struct world w;
		uint32_t n;

		open_world(&w);
		b = STEP(&w, .op = AUTHORITY_OPEN, .object = "top", .bounds.q.uses = rows[i].what == OWN_BOUND ? 9 : 0)
			    .made;
		hold(&w, b, rows[i].what);
		n = idle(&w, 0, found);
		if (n != rows[i].goes || (n == 1 && found[0] != b))
			fail_msg("%s: %u go", rows[i].name, n);
		assert_int_equal(idle(&w, b, found), 0); /* somebody is connected */
		close_world(&w);
	}
}

/* Its labels, and what it used, are those of who asked for it, too; what was taken back from it alone is nobody's else. */
static void a_sub_agent_goes_before_who_asked(void **state)
{
	authority_ref found[ROOM_IDLE_MAX], top, delegate, tool, sub, derived;
	struct world w;

	(void)state;
	for (int revoked = 0; revoked < 2; revoked++) {
		open_world(&w);
		top = STEP(&w, .op = AUTHORITY_OPEN, .object = "top").made;
		delegate = STEP(&w, .op = AUTHORITY_GIVE, .badge = top, .verb = VERB_DELEGATE, .object = "*",
				.depth = 1)
				   .made;
		tool = STEP(&w, .op = AUTHORITY_GIVE, .badge = top, .verb = VERB_TOOL, .object = "s/t").made;
		sub = STEP(&w, .op = AUTHORITY_OPEN, .badge = top, .grant = delegate, .object = "sub", .until_ms = 9000)
			      .made;
		derived = STEP(&w, .op = AUTHORITY_DERIVE, .badge = top, .to = sub, .grant = tool, .verb = VERB_TOOL,
			       .object = "s/t", .bounds.q.uses = 3)
				  .made;
		assert_true(sub != 0 && derived != 0);
		assert_int_equal(idle(&w, 0, found), 1);
		assert_true(found[0] == sub);
		assert_int_equal(idle(&w, sub, found), 0); /* it runs */
		if (revoked)
			(void)STEP(&w, .op = AUTHORITY_REVOKE, .grant = derived);
		(void)STEP(&w, .op = AUTHORITY_LABEL, .badge = sub, .labels = 1);
		assert_int_equal(idle(&w, 0, found), revoked ? 0 : 1);
		if (!revoked)
			(void)STEP(&w, .op = AUTHORITY_END, .badge = sub);
		assert_int_equal(idle(&w, 0, found), 0); /* who asked has the label */
		close_world(&w);
	}
}

static void who_was_used_last_goes_last(void **state)
{
	authority_ref badges[128], found[ROOM_IDLE_MAX];
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; i < 128; i++)
		badges[i] = top(&w);
	assert_int_equal(idle(&w, badges[1], found), ROOM_IDLE_MAX); /* none was used: by their rows */
	assert_true(found[0] == badges[0] && found[1] == badges[2] &&
		    found[ROOM_IDLE_MAX - 1] == badges[ROOM_IDLE_MAX]);
	for (size_t i = 128; i-- > 0;)
		room_used(w.r, badges[i]);
	room_used(w.r, badges[127]);
	room_used(w.r, 0);
	assert_int_equal(idle(&w, 0, found), ROOM_IDLE_MAX);
	for (size_t i = 0; i < ROOM_IDLE_MAX; i++)
		assert_true(found[i] == badges[126 - i]);
	close_world(&w);
}

static void the_deepest_directory_is_joined(void **state)
{
	static const struct {
		const char *name;
		const char *marks[8];
		const char *directory; /* NULL: none */
	} rows[] = {
		{ "none", { NULL }, NULL },
		{ "one", { "/a/b" }, NULL },
		{ "each in another", { "/a/b", "/c/d", "/e/f/g" }, NULL },
		{ "never the root", { "/a", "/b", "/" }, NULL },
		{ "two", { "/a/b", "/a/c" }, "/a" },
		{ "with the directory's own", { "/a", "/a/c", "/d" }, "/a" },
		{ "not by the beginning of a name", { "/a/b", "/ab/c", "/a" }, "/a" },
		{ "the deepest", { "/a/b", "/a/c", "/a/d", "/a/e/f/g", "/a/e/f/h" }, "/a/e/f" },
		{ "the one with the most", { "/a/b", "/a/c", "/d/e", "/d/f", "/d/g" }, "/d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char directory[GRANT_OBJECT_MAX] = "";
		struct authority_mark_told m;
		struct world w;
		uint32_t before = 0, after = 0;
		bool any;

		open_world(&w);
		(void)top(&w);
		for (size_t k = 0; k < 8 && rows[i].marks[k] != NULL; k++, before++)
			(void)STEP(&w, .op = AUTHORITY_MARK, .badge = w.made, .labels = 1, .object = rows[i].marks[k]);
		any = room_join(w.r, w.a, directory);
		if (any != (rows[i].directory != NULL) || (any && strcmp(directory, rows[i].directory) != 0))
			fail_msg("%s: '%s'", rows[i].name, directory);
		if (any)
			(void)STEP(&w, .op = AUTHORITY_JOIN, .object = directory);
		for (uint32_t row = 0; row < size.marks; row++)
			after += authority_mark_at(w.a, row, &m);
		if ((after < before) != any)
			fail_msg("%s: %u marks, then %u", rows[i].name, before, after);
		close_world(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_holds_anything_stays),
		cmocka_unit_test(a_sub_agent_goes_before_who_asked),
		cmocka_unit_test(who_was_used_last_goes_last),
		cmocka_unit_test(the_deepest_directory_is_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
