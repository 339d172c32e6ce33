/* Grants of tools: their terms, the arguments of a use, what is derived, a request as bytes, and which grant a use finds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "core/authority.h"
#include "where_say.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define NOW_MS 1000000
#define TOOL "files/read"

static const struct authority_size SIZE = { .badges = 2,
					    .grants = 16,
					    .asks = 8,
					    .keys = 4,
					    .passes = 2,
					    .marks = 2,
					    .agents = 2,
					    .origins = 2,
					    .text = 16384 };

struct world {
	void *room; /* owned */
	struct authority *a;
	authority_ref badge;
	uint8_t made;
};

static struct authority_request request(struct world *w, enum authority_op op)
{
	struct authority_request q = { .op = (uint8_t)op,
				       .now_ms = NOW_MS,
				       .badge = w->badge,
				       .minute = AUTHORITY_MINUTE_NONE,
				       .object = "",
				       .terms = "" };

	q.id[0] = ++w->made;
	return q;
}

static struct authority_answer step(struct world *w, const struct authority_request *q)
{
	struct authority_answer answer;

	authority_step(w->a, q, &answer);
	return answer;
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct authority_request q;

	assert_non_null(w);
	w->room = calloc(1, authority_bytes(&SIZE));
	assert_non_null(w->room);
	w->a = authority_init(w->room, &SIZE);
	q = request(w, AUTHORITY_OPEN);
	q.object = "agent";
	w->badge = step(w, &q).made;
	assert_true(w->badge != 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	free(w->room);
	free(w);
	return 0;
}

/* value: as a person writes it. */
static struct authority_request tool(struct world *w, enum authority_op op, const char *value,
				     char room[TERMS_TEXT_MAX])
{
	struct authority_request q = request(w, op);
	struct where where;

	say_where(value, &where);
	where_format(&where, room);
	q.verb = VERB_TOOL;
	q.object = TOOL;
	q.terms = room;
	return q;
}

static authority_ref give(struct world *w, const char *value, uint8_t flags, uint64_t unless, uint64_t uses)
{
	char room[TERMS_TEXT_MAX];
	struct authority_request q = tool(w, AUTHORITY_GIVE, value, room);

	q.flags = flags;
	q.n_unless = unless != 0;
	q.unless[0] = unless;
	q.bounds.q.uses = (uint32_t)uses;
	return step(w, &q).made;
}

static struct authority_request use(struct world *w, authority_ref grant, const struct said_arguments *said)
{
	struct authority_request q = request(w, AUTHORITY_USE);

	q.grant = grant;
	q.verb = VERB_TOOL;
	q.object = TOOL;
	q.until_ms = NOW_MS + 1000;
	q.arguments = said->args;
	return q;
}

static void terms_of_a_tool_are_conditions(void **state)
{
	static const struct {
		enum grant_verb verb;
		const char *object, *terms;
		bool are;
	} rows[] = {
		{ VERB_TOOL, TOOL, "", true },
		{ VERB_TOOL, TOOL, "where='{\"a\":[\"x\"]}'", true },
		{ VERB_TOOL, TOOL, "where='{\"a\":\"x\"}'", false },
		{ VERB_TOOL, TOOL, "where='{}'", false },
		{ VERB_TOOL, TOOL, "http='GET /a'", false },
		{ VERB_CONNECT, "a.test:443", "where='{\"a\":[\"x\"]}'", false },
		{ VERB_QUERY, "a", "where='{\"a\":[\"x\"]}'", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct authority_request q = request(*state, AUTHORITY_GIVE);

		q.verb = (uint8_t)rows[i].verb;
		q.object = rows[i].object;
		q.terms = rows[i].terms;
		if (step(*state, &q).why != (rows[i].are ? WHY_NONE : WHY_MALFORMED))
			fail_msg("%s", rows[i].terms);
	}
}

static void a_use_is_as_its_grant_wants_it(void **state)
{
	struct world *w = *state;
	const authority_ref grant = give(w, "{\"path\":\"./docs/**\",\"n\":{\"given\":true}}", 0, 0, 0);
	static const struct {
		const char *args;
		enum authority_why why;
	} rows[] = {
		{ "n n 1; t path ./docs/x", WHY_NONE },
		{ "n n 1", WHY_NONE },
		{ "n n 1; t path ./docs/../x", WHY_BEYOND },
		{ "t path ./docs/x", WHY_BEYOND },
		{ "", WHY_BEYOND },
		{ "n n 1,5", WHY_MALFORMED },
		{ "t *** 1", WHY_MALFORMED },
	};
	struct said_arguments said;
	struct authority_request q;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (unsigned own = 0; own < 2; own++) { /* "" is the grant's own object */
			say_arguments(rows[i].args, &said);
			q = use(w, grant, &said);
			q.object = own ? "" : TOOL;
			if (step(w, &q).why != rows[i].why)
				fail_msg("%s: %s", rows[i].args,
					 authority_why_word((enum authority_why)step(w, &q).why));
		}
	say_arguments("n n 1", &said);
	q = use(w, grant, &said);
	q.object = "files/write";
	assert_int_equal(step(w, &q).why, WHY_BEYOND);
}

static void other_verbs_have_no_arguments(void **state)
{
	struct world *w = *state;
	struct authority_request q = request(w, AUTHORITY_GIVE), opened;
	struct said_arguments said;
	authority_ref grant;

	q.verb = VERB_DELEGATE;
	q.object = "*";
	q.depth = 2;
	grant = step(w, &q).made;
	assert_true(grant != 0);
	say_arguments("t a x", &said);
	q = use(w, grant, &said);
	q.verb = VERB_DELEGATE;
	q.object = "helper";
	assert_int_equal(step(w, &q).why, WHY_MALFORMED);
	q.arguments.n = 0;
	assert_int_equal(step(w, &q).why, WHY_NONE);
	opened = request(w, AUTHORITY_OPEN); /* which is a use, and has none */
	opened.grant = grant;
	opened.object = "helper";
	opened.arguments = said.args;
	assert_int_equal(step(w, &opened).why, WHY_NONE);
}

static void what_is_derived_wants_no_less(void **state)
{
	struct world *w = *state;
	const authority_ref parent = give(w, "{\"path\":\"./docs/**\"}", 0, 0, 0);
	static const struct {
		const char *value;
		enum authority_why why;
	} rows[] = {
		{ "{\"path\":\"./docs/**\"}", WHY_NONE },
		{ "{\"path\":\"./docs/api/**\",\"n\":null}", WHY_NONE },
		{ "{\"path\":\"./**\"}", WHY_BEYOND },
		{ "{}", WHY_BEYOND },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char room[TERMS_TEXT_MAX];
		struct authority_request q = tool(w, AUTHORITY_DERIVE, rows[i].value, room);

		q.grant = parent;
		if (step(w, &q).why != rows[i].why)
			fail_msg("%s", rows[i].value);
	}
}

static void a_use_goes_there_and_back_with_its_arguments(void **state)
{
	struct said_arguments said;
	struct authority_request q, taken;
	auto_buf out = { .max = 4 * WHERE_BYTES_MAX };
	static uint8_t zeroes[WHERE_BYTES_MAX + 1];
	char room[AUTHORITY_TEXTS_MAX];
	struct rbuf in;

	say_arguments("t path ./x; n n 1; l body 70000", &said);
	q = use(*state, 1, &said);
	authority_put_request(&out, &q);
	rbuf_init(&in, out.data, out.len);
	assert_true(authority_take_request(&in, &taken, room) && rbuf_done(&in));
	assert_int_equal(taken.arguments.n, said.args.n);
	assert_memory_equal(taken.arguments.bytes, said.args.bytes, said.args.n);
	for (size_t n = 0; n < out.len; n++) { /* cut */
		rbuf_init(&in, out.data, n);
		assert_false(authority_take_request(&in, &taken, room));
	}
	for (size_t over = 0; over < 2; over++) {
		q.arguments = (struct where_arguments){ .bytes = zeroes, .n = WHERE_BYTES_MAX + over };
		buf_reset(&out);
		authority_put_request(&out, &q);
		rbuf_init(&in, out.data, out.len);
		assert_int_equal(authority_take_request(&in, &taken, room), over == 0);
	}
}

static void terms_live_on_with_the_state(void **state)
{
	struct world *w = *state;
	const authority_ref grant = give(w, "{\"a\":\"x\"}", 0, 0, 0);
	auto_buf out = { .max = 1 << 20 };
	struct said_arguments said;
	struct authority_request q;
	struct rbuf in;

	authority_put(w->a, &out);
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(authority_take(&in, w->a, NULL), 0);
	say_arguments("t a y", &said);
	q = use(w, grant, &said);
	assert_int_equal(step(w, &q).why, WHY_BEYOND);
	say_arguments("t a x", &said);
	q = use(w, grant, &said);
	assert_int_equal(step(w, &q).why, WHY_NONE);
}

/* Of these grants, made in this order, with these labels and arguments: which is found. */
static void a_use_finds_the_grant_with_which_it_gets_furthest(void **state)
{
	static const struct {
		const char *value;
		uint8_t flags;
		uint64_t unless, uses;
	} grants[] = {
		/* 0 */ { "{}", AUTHORITY_ASK, 0, 0 },
		/* 1 */ { "{\"to\":\"ann\"}", 0, 0, 2 },
		/* 2 */ { "{\"to\":[\"ann\",\"bob\"]}", 0, LABEL_UNTRUSTED, 0 },
		/* 3 */ { "{\"to\":\"b*\"}", AUTHORITY_ASK_LABELLED, LABEL_PRIVATE, 0 },
		/* 4 */ { "{\"to\":\"bo*\"}", AUTHORITY_ASK_LABELLED, LABEL_PRIVATE, 0 },
		/* 5 */ { "{\"to\":\"bob\",\"cc\":{\"given\":true}}", AUTHORITY_ASK, 0, 0 },
	};
	static const struct {
		uint64_t labels;
		const char *args;
		int found;
	} rows[] = {
		{ 0, "t to ann", 1 }, /* narrower than 2 */
		{ 0, "t to bob", 2 }, /* as narrow as 4, and there before it */
		{ 0, "t to ben", 3 },
		{ 0, "t to eve", 0 },
		{ 0, "t to bob; t cc x", 2 },                       /* 5 is narrower, and asks */
		{ LABEL_UNTRUSTED, "t to bob", 4 },                 /* narrower than 3; 2 refuses */
		{ LABEL_UNTRUSTED | LABEL_PRIVATE, "t to bob", 4 }, /* all but 2 ask */
		{ LABEL_UNTRUSTED | LABEL_PRIVATE, "t to bob; t cc x", 5 },
		{ LABEL_UNTRUSTED | LABEL_PRIVATE, "t to ann", 1 },
	};
	struct world *w = *state;
	authority_ref made[COUNT_OF(grants)];
	struct said_arguments said;
	struct authority_request q, other;

	for (size_t i = 0; i < COUNT_OF(grants); i++) {
		made[i] = give(w, grants[i].value, grants[i].flags, grants[i].unless, grants[i].uses);
		assert_true(made[i] != 0);
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		authority_ref found;
		int which = 0;

		q = request(w, AUTHORITY_LABEL);
		q.labels = rows[i].labels;
		(void)step(w, &q);
		say_arguments(rows[i].args, &said);
		q = use(w, 0, &said);
		found = authority_find_use(w->a, &q);
		while (which < (int)COUNT_OF(made) && made[which] != found)
			which++;
		if (which != rows[i].found)
			fail_msg("with %#x, %s: %d, not %d", (unsigned)rows[i].labels, rows[i].args, which,
				 rows[i].found);
	}
	/* What is used up no longer comes first. */
	say_arguments("t to ann", &said);
	q = use(w, made[1], &said);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(step(w, &q).verdict, AUTHORITY_ALLOWED);
	assert_true(authority_find_use(w->a, &q) == made[0]);
	/* What a person was asked, and what was said, stands, though another grant would ask anew. */
	say_arguments("t to bob", &said);
	q = use(w, made[0], &said);
	q.digest[0] = 1;
	assert_int_equal(step(w, &q).verdict, AUTHORITY_ASKS);
	assert_true(authority_find_use(w->a, &q) == made[0]);
	q.digest[0] = 2;
	assert_true(authority_find_use(w->a, &q) == made[4]);
	/* One of which the person wants to hear no more comes behind those that ask. */
	assert_int_equal(
		step(w,
		     &(struct authority_request){
			     .op = AUTHORITY_REVOKE, .now_ms = NOW_MS, .grant = made[3], .object = "", .terms = "" })
			.why,
		WHY_NONE);
	q = use(w, made[4], &said);
	q.digest[0] = 3;
	other = request(w, AUTHORITY_ANSWER);
	other.ask = step(w, &q).made;
	other.flags = AUTHORITY_STOP;
	other.until_ms = NOW_MS + 1;
	other.digest[0] = 3;
	assert_int_equal(step(w, &other).why, WHY_NONE);
	q.digest[0] = 4;
	assert_true(authority_find_use(w->a, &q) == made[0]);
	/* None. */
	q.object = "files/write";
	assert_true(authority_find_use(w->a, &q) == 0);
	q.object = "";
	assert_true(authority_find_use(w->a, &q) == 0);
	q = use(w, 0, &said);
	q.verb = VERB_COUNT;
	assert_true(authority_find_use(w->a, &q) == 0);
	q = use(w, 0, &said);
	q.badge++;
	assert_true(authority_find_use(w->a, &q) == 0);
}

static authority_ref give_of(struct world *w, const char *object, const char *value, uint8_t flags)
{
	char room[TERMS_TEXT_MAX];
	struct authority_request q = tool(w, AUTHORITY_GIVE, value, room);

	q.object = object;
	q.flags = flags;
	return step(w, &q).made;
}

/* Of these grants, made in this order: which is found. */
static void what_is_said_of_the_tool_itself_goes_first(void **state)
{
	static const struct {
		const char *object, *value;
		uint8_t flags;
	} grants[] = {
		/* 0 */ { "*", "{}", 0 },
		/* 1 */ { "files/*", "{\"path\":\"./docs/**\"}", 0 },
		/* 2 */ { "files/*", "{\"path\":\"./**\"}", AUTHORITY_ASK },
		/* 3 */ { "files/write", "{}", AUTHORITY_ASK },
		/* 4 */ { "files/move", "{\"path\":\"./docs/a\"}", AUTHORITY_ASK },
		/* 5 */ { "fil/*", "{}", AUTHORITY_ASK },
		/* 6 */ { "files/resources/read", "{}", AUTHORITY_ASK },
	};
	static const struct {
		const char *object, *args;
		int found;
	} rows[] = {
		{ "files/write", "t path ./docs/a", 3 },
		{ "files/move", "t path ./docs/a", 4 },
		{ "files/move", "t path ./docs/b", 1 }, /* of the tool nothing is said of these arguments */
		{ "files/read", "t path ./docs/a", 1 },
		{ "files/read", "t path ./x", 2 },
		{ "files/read", "t path /x", 0 },
		{ "files/resources/read", "", 6 },
		{ "files/prompts/get", "", 1 },
		{ "fil/es", "", 5 },
		{ "file/x", "", 0 },
		{ "files/*", "", 7 },
		{ "*", "", 7 },
		{ "files", "", 7 },
		{ "files/x/y", "", 7 },
	};
	struct world *w = *state;
	authority_ref made[COUNT_OF(grants)];

	for (size_t i = 0; i < COUNT_OF(grants); i++)
		assert_true((made[i] = give_of(w, grants[i].object, grants[i].value, grants[i].flags)) != 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct said_arguments said;
		struct authority_request q;
		int which = 0;

		say_arguments(rows[i].args, &said);
		q = use(w, 0, &said);
		q.object = rows[i].object;
		while (which < (int)COUNT_OF(made) && made[which] != authority_find_use(w->a, &q))
			which++;
		if (which != rows[i].found)
			fail_msg("%s of %s: %d, not %d", rows[i].object, rows[i].args, which, rows[i].found);
	}
}

static void what_is_given_since_is_not_for_what_a_key_has_recorded(void **state)
{
	struct world *w = *state;
	const authority_ref all = give_of(w, "files/*", "{}", 0);
	struct said_arguments said;
	struct authority_request q;

	say_arguments("t a x", &said);
	q = use(w, all, &said);
	q.flags = AUTHORITY_KEYED;
	assert_int_equal(step(w, &q).verdict, AUTHORITY_ALLOWED);
	assert_true(give_of(w, TOOL, "{}", AUTHORITY_ASK) != 0);
	assert_true(authority_find_use(w->a, &q) == all);
	assert_int_equal(step(w, &q).why, WHY_RECORDED);
	q.key[0]++;
	assert_true(authority_find_use(w->a, &q) != all);
}

static void what_a_key_has_recorded_comes_first(void **state)
{
	struct world *w = *state;
	const authority_ref wide = give(w, "{}", 0, 0, 0), narrow = give(w, "{\"a\":\"x\"}", 0, 0, 0);
	struct said_arguments said;
	struct authority_request q, revoke = request(w, AUTHORITY_REVOKE);

	say_arguments("t a x", &said);
	q = use(w, wide, &said);
	q.flags = AUTHORITY_KEYED;
	assert_true(authority_find_use(w->a, &q) == narrow);
	assert_int_equal(step(w, &q).verdict, AUTHORITY_ALLOWED);
	assert_true(authority_find_use(w->a, &q) == wide);
	/* What is revoked is not found, though there is no other. */
	for (unsigned i = 0; i < 2; i++) {
		revoke.grant = i == 0 ? wide : narrow;
		assert_int_equal(step(w, &revoke).why, WHY_NONE);
		assert_true(authority_find_use(w->a, &q) == (i == 0 ? narrow : 0));
	}
}

static void finding_changes_nothing(void **state)
{
	struct world *w = *state;
	auto_buf before = { .max = 1 << 20 }, after = { .max = 1 << 20 };
	struct said_arguments said;
	struct authority_request q;
	char room[TERMS_TEXT_MAX];

	q = tool(w, AUTHORITY_GIVE, "{\"a\":\"x\"}", room);
	q.bounds.q.rate = 2;
	q.bounds.q.period_s = 60;
	q.flags = AUTHORITY_ASK;
	assert_int_equal(step(w, &q).why, WHY_NONE);
	q = request(w, AUTHORITY_TIME);
	q.passed_ms = 12345;
	(void)step(w, &q);
	say_arguments("t a x", &said);
	q = use(w, 0, &said);
	authority_put(w->a, &before);
	assert_true(authority_find_use(w->a, &q) != 0);
	authority_put(w->a, &after);
	assert_true(buf_is_same(&before, &after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(terms_of_a_tool_are_conditions, begin, end),
		cmocka_unit_test_setup_teardown(a_use_is_as_its_grant_wants_it, begin, end),
		cmocka_unit_test_setup_teardown(other_verbs_have_no_arguments, begin, end),
		cmocka_unit_test_setup_teardown(what_is_derived_wants_no_less, begin, end),
		cmocka_unit_test_setup_teardown(a_use_goes_there_and_back_with_its_arguments, begin, end),
		cmocka_unit_test_setup_teardown(terms_live_on_with_the_state, begin, end),
		cmocka_unit_test_setup_teardown(a_use_finds_the_grant_with_which_it_gets_furthest, begin, end),
		cmocka_unit_test_setup_teardown(what_is_said_of_the_tool_itself_goes_first, begin, end),
		cmocka_unit_test_setup_teardown(what_is_given_since_is_not_for_what_a_key_has_recorded, begin, end),
		cmocka_unit_test_setup_teardown(what_a_key_has_recorded_comes_first, begin, end),
		cmocka_unit_test_setup_teardown(finding_changes_nothing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
