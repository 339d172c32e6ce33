#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/decide.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define HOME "/home/u"

/* One of each verb; `read: /home/u/work/docs` lies in a tree that may be written. */
static void fill(struct grant_set *set)
{
	static const struct {
		enum grant_verb verb;
		const char *object;
	} rows[] = {
		{ VERB_WORK, HOME "/work" },           /* 0 */
		{ VERB_READ, "/srv/data" },            /* 1 */
		{ VERB_WRITE, "/srv/out" },            /* 2 */
		{ VERB_RUN, "/opt/tool" },             /* 3 */
		{ VERB_READ, HOME "/work/docs" },      /* 4 */
		{ VERB_ENV, "LANG" },                  /* 5 */
		{ VERB_CONNECT, "a.test:443" },        /* 6 */
		{ VERB_CONNECT, "unix:/run/granted" }, /* 7 */
	};

	grant_set_init(set);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(grant_add(set, rows[i].verb, rows[i].object, 0, NULL, NULL), 0);
}

static bool holds(void *arg, enum fact f)
{
	return (*(const uint32_t *)arg & FACT_BIT(f)) != 0;
}

#define F(name) FACT_BIT(FACT_##name)
#define NONE GRANT_NONE

static const struct {
	uint8_t kind;
	const char *object, *socket;
	bool host;
	uint32_t facts;
	uint8_t verdict, base;
	uint32_t grant;
	uint32_t used; /* beside those that hold: what had to be known */
} rows[] = {
	/* what is told as it is, and what is not looked at */
	{ EFFECT_OPAQUE, "openat", NULL, false, 0, EFFECT_ALLOWED, 0, NONE, 0 },
	{ EFFECT_READ, "/usr/lib/x", NULL, false, F(USR), EFFECT_ALLOWED, 1, NONE, 0 },

	/* a grant: the narrowest; nothing of the host is looked at */
	{ EFFECT_READ, "/srv/data/x", NULL, false, 0, EFFECT_ALLOWED, 0, 1, F(USR) | F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_READ, HOME "/work/docs/x", NULL, false, 0, EFFECT_ALLOWED, 0, 4, F(USR) | F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_WRITE, HOME "/work/docs/x", NULL, false, 0, EFFECT_ALLOWED, 0, 0,
	  F(HIDDEN) | F(UNSEEN) | F(PROTECTED) },
	{ EFFECT_EXEC, HOME "/work/x", NULL, false, 0, EFFECT_ALLOWED, 0, 0, F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_DELETE, "/srv/out/x", NULL, false, 0, EFFECT_ALLOWED, 0, 2, F(HIDDEN) | F(UNSEEN) | F(PROTECTED) },

	/* what is hidden, by a mount or by its name, whatever is granted */
	{ EFFECT_READ, "/srv/data/x", NULL, false, F(HIDDEN), EFFECT_DENIED_HIDDEN, 0, NONE, F(USR) | F(STORE) },
	{ EFFECT_READ, "/srv/data/x", NULL, false, F(HIDDEN) | F(STORE), EFFECT_DENIED_STORE, 0, NONE, F(USR) },
	{ EFFECT_READ, "/srv/data/.env", NULL, false, F(UNSEEN), EFFECT_DENIED_HIDDEN, 0, NONE, F(USR) | F(HIDDEN) },

	/* what is held in a tree that may be written */
	{ EFFECT_WRITE, HOME "/work/.git/config", NULL, false, F(PROTECTED) | F(HELD), EFFECT_DENIED_HELD, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_WRITE, HOME "/work/.git/hooks/x", NULL, false, F(PROTECTED) | F(THERE), EFFECT_DENIED, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(HELD) | F(SYSTEM) },

	/* where all of the host is shown a name that is not there was a probe */
	{ EFFECT_READ, "/srv/data/x", NULL, true, 0, EFFECT_ABSENT, 0, 1,
	  F(USR) | F(HIDDEN) | F(UNSEEN) | F(MADE) | F(THERE) },
	{ EFFECT_READ, "/srv/data/x", NULL, true, F(THERE), EFFECT_ALLOWED, 0, 1,
	  F(USR) | F(HIDDEN) | F(UNSEEN) | F(MADE) },
	{ EFFECT_READ, "/srv/data/x", NULL, true, F(MADE), EFFECT_ALLOWED, 0, 1, F(USR) | F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_WRITE, "/srv/out/x", NULL, true, 0, EFFECT_ALLOWED, 0, 2, F(HIDDEN) | F(UNSEEN) | F(PROTECTED) },

	/* a place of the cell's own */
	{ EFFECT_WRITE, "/tmp/x", NULL, false, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, 1, NONE, F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_EXEC, "/tmp/x", NULL, false, F(PRIVATE) | F(BASE) | F(WRITTEN), EFFECT_DENIED_WRITTEN, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_EXEC, "/tmp/x", NULL, false, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, 1, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(WRITTEN) },
	{ EFFECT_READ, HOME "/.netrc", NULL, false, F(PRIVATE) | F(BASE) | F(THERE), EFFECT_DENIED, 0, NONE,
	  F(USR) | F(HIDDEN) | F(UNSEEN) | F(MADE) },
	{ EFFECT_READ, HOME "/.netrc", NULL, false, F(PRIVATE) | F(BASE), EFFECT_ABSENT, 0, NONE,
	  F(USR) | F(HIDDEN) | F(UNSEEN) | F(MADE) | F(THERE) },
	{ EFFECT_READ, HOME "/.netrc", NULL, false, F(PRIVATE) | F(BASE) | F(MADE), EFFECT_ALLOWED, 1, NONE,
	  F(USR) | F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_READ, HOME, NULL, false, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, 1, NONE,
	  F(USR) | F(HIDDEN) | F(UNSEEN) },

	/* beside what is granted it goes with the cell; not beneath a dot, not in /tmp itself, not on the way to a grant */
	{ EFFECT_WRITE, HOME "/notes", NULL, false, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, EFFECT_BASE_GONE, NONE,
	  F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_WRITE, HOME "/notes", NULL, true, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, EFFECT_BASE, NONE,
	  F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_WRITE, HOME "/.cache", NULL, false, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, EFFECT_BASE, NONE,
	  F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_WRITE, HOME "/a/b", NULL, false, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, EFFECT_BASE, NONE,
	  F(HIDDEN) | F(UNSEEN) },
	{ EFFECT_MKDIR, "/tmp", NULL, false, F(PRIVATE) | F(BASE), EFFECT_ALLOWED, EFFECT_BASE, NONE,
	  F(HIDDEN) | F(UNSEEN) },

	/* the base, in a granted tree only by what it shows of the host */
	{ EFFECT_READ, "/etc/ssl/certs/x", NULL, false, F(BASE), EFFECT_ALLOWED, 1, NONE,
	  F(USR) | F(HIDDEN) | F(UNSEEN) | F(PRIVATE) },
	{ EFFECT_EXEC, "/usr/bin/x", NULL, false, F(BASE) | F(THERE), EFFECT_ALLOWED, 1, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(PRIVATE) },
	{ EFFECT_EXEC, "/usr/bin/none", NULL, false, F(BASE), EFFECT_ABSENT, 1, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(PRIVATE) | F(THERE) },
	{ EFFECT_EXEC, "/srv/data/x", NULL, false, F(BASE) | F(PRIVATE) | F(THERE), EFFECT_DENIED, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(SYSTEM) },

	/* what nothing allows */
	{ EFFECT_READ, "/etc/shadow", NULL, false, F(THERE), EFFECT_DENIED, 0, NONE,
	  F(USR) | F(HIDDEN) | F(UNSEEN) | F(PRIVATE) | F(BASE) },
	{ EFFECT_READ, "/etc/none", NULL, false, 0, EFFECT_ABSENT, 0, NONE,
	  F(USR) | F(HIDDEN) | F(UNSEEN) | F(PRIVATE) | F(BASE) | F(THERE) },
	{ EFFECT_WRITE, "/etc/new", NULL, false, F(ABOVE), EFFECT_DENIED_NEW, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(PRIVATE) | F(BASE) | F(THERE) },
	{ EFFECT_WRITE, "/etc/a/b", NULL, false, 0, EFFECT_ABSENT, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(PRIVATE) | F(BASE) | F(THERE) | F(ABOVE) },
	{ EFFECT_MKDIR, "/srv", NULL, false, F(EXISTS), EFFECT_ALLOWED, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(PRIVATE) | F(BASE) },
	{ EFFECT_WRITE, "/srv", NULL, false, F(EXISTS) | F(THERE), EFFECT_DENIED, 0, NONE,
	  F(HIDDEN) | F(UNSEEN) | F(PRIVATE) | F(BASE) },

	/* addresses */
	{ EFFECT_CONNECT, "inet 127.0.0.1:80", NULL, false, 0, EFFECT_ALLOWED, 1, NONE, 0 },
	{ EFFECT_CONNECT, "inet [::1]:80", NULL, false, 0, EFFECT_ALLOWED, 1, NONE, 0 },
	{ EFFECT_CONNECT, "inet 192.0.2.1:443", NULL, false, F(STAGED) | F(PRIVATE), EFFECT_DENIED, 0, NONE, 0 },
	{ EFFECT_CONNECT, "inet a.test:443", NULL, false, 0, EFFECT_ALLOWED, 0, 6,
	  F(WITHDRAWN) | F(OTHER_NAME) | F(BAD_HELLO) | F(HIDDEN_NAME) },
	{ EFFECT_CONNECT, "inet a.test:443", NULL, false, F(WITHDRAWN), EFFECT_DENIED_WITHDRAWN, 0, NONE, 0 },
	{ EFFECT_CONNECT, "inet b.test:443", NULL, false, F(WITHDRAWN), EFFECT_DENIED, 0, NONE, 0 },
	{ EFFECT_CONNECT, "inet a.test:443 as b.test", NULL, false, F(OTHER_NAME), EFFECT_DENIED_OTHER_NAME, 0, NONE,
	  F(WITHDRAWN) },
	{ EFFECT_CONNECT, "inet a.test:443", NULL, false, F(BAD_HELLO), EFFECT_DENIED_BAD_HELLO, 0, NONE,
	  F(WITHDRAWN) | F(OTHER_NAME) },
	{ EFFECT_CONNECT, "inet a.test:443", NULL, false, F(HIDDEN_NAME), EFFECT_DENIED_HIDDEN_NAME, 0, NONE,
	  F(WITHDRAWN) | F(OTHER_NAME) | F(BAD_HELLO) },
	{ EFFECT_CONNECT, "inet b.test:443 as a.test", NULL, false, 0, EFFECT_DENIED, 0, NONE, 0 },
	{ EFFECT_REQUEST, "inet a.test:443 GET /x/** 200", NULL, false, 0, EFFECT_ALLOWED, 0, 6, F(REFUSED) },
	{ EFFECT_REQUEST, "inet a.test:443 GET /y 403", NULL, false, F(REFUSED), EFFECT_DENIED_REQUEST, 0, NONE, 0 },
	{ EFFECT_REQUEST, "inet b.test:443 GET /x 200", NULL, false, 0, EFFECT_DENIED_REQUEST, 0, NONE, 0 },
	{ EFFECT_CONNECT, "unix @x", NULL, false, 0, EFFECT_ALLOWED, 1, NONE, 0 },
	{ EFFECT_CONNECT, "unix s", NULL, false, F(STAGED), EFFECT_ALLOWED, 1, NONE, 0 },
	{ EFFECT_CONNECT, "unix s", NULL, false, 0, EFFECT_ALLOWED, 1, NONE, F(STAGED) }, /* since one is granted */
	{ EFFECT_CONNECT, "unix /run/granted", "/run/granted", false, 0, EFFECT_ALLOWED, 0, 7, F(WITHDRAWN) },
	{ EFFECT_CONNECT, "unix /var/run/granted", "/run/granted", false, 0, EFFECT_ALLOWED, 0, 7, F(WITHDRAWN) },
	{ EFFECT_CONNECT, "unix /run/granted", "/elsewhere", false, 0, EFFECT_ALLOWED, 0, 7, F(WITHDRAWN) },
	{ EFFECT_CONNECT, "unix /run/granted", "/run/granted", false, F(WITHDRAWN), EFFECT_DENIED_WITHDRAWN, 0, NONE,
	  0 },
	{ EFFECT_CONNECT, "unix /run/granted/x", "/run/granted/x", false, F(THERE), EFFECT_DENIED, 0, NONE,
	  F(PRIVATE) },
	{ EFFECT_CONNECT, "unix /x", "/srv/data/s", false, 0, EFFECT_ALLOWED, 1, NONE, 0 },
	{ EFFECT_CONNECT, "unix /x", "/tmp/s", false, F(PRIVATE), EFFECT_ALLOWED, 1, NONE, 0 },
	{ EFFECT_CONNECT, "unix /x", "/run/s", false, F(THERE), EFFECT_DENIED, 0, NONE, F(PRIVATE) },
	{ EFFECT_CONNECT, "unix /x", "/run/s", false, 0, EFFECT_ABSENT, 0, NONE, F(PRIVATE) | F(THERE) },
};

static void each_rule(void **state)
{
	struct grant_set grants;

	(void)state;
	fill(&grants);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct decide_ask ask = { .grants = &grants,
						.home = HOME,
						.shows_host = rows[i].host,
						.kind = rows[i].kind,
						.object = rows[i].object,
						.socket = rows[i].socket };
		uint32_t facts = rows[i].facts;
		const struct decision d = decide(&ask, holds, &facts);

		if (d.verdict != rows[i].verdict || d.base != rows[i].base || d.grant != rows[i].grant)
			fail_msg("%zu: %s %s: %s, base %d, grant %u", i, effect_word(rows[i].kind), rows[i].object,
				 effect_verdict_name(d.verdict), d.base, d.grant);
		if ((d.facts & ~facts) != 0 || (d.used & ~d.facts) != (rows[i].used & ~d.facts) ||
		    (rows[i].used & ~d.used) != 0)
			fail_msg("%zu: %s %s: used %#x of %#x", i, effect_word(rows[i].kind), rows[i].object, d.used,
				 facts);
	}
}

static void nothing_is_allowed_without_grants(void **state)
{
	struct grant_set none;

	(void)state;
	grant_set_init(&none);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct decide_ask ask = { .grants = &none,
						.home = HOME,
						.kind = rows[i].kind,
						.object = rows[i].object,
						.socket = rows[i].socket };
		uint32_t facts = 0;
		const struct decision d = decide(&ask, holds, &facts);

		if (d.verdict == EFFECT_ALLOWED && effect_right(rows[i].kind) != 0)
			fail_msg("%s %s is allowed", effect_word(rows[i].kind), rows[i].object);
	}
}

static void a_relative_socket_is_denied_where_none_is_granted(void **state)
{
	static const uint32_t facts[] = { 0, F(STAGED) };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		struct grant_set none;
		const struct decide_ask ask = {
			.grants = &none, .home = HOME, .kind = EFFECT_CONNECT, .object = "unix s"
		};
		uint32_t given = facts[i];

		grant_set_init(&none);
		assert_int_equal(decide(&ask, holds, &given).verdict, i == 0 ? EFFECT_DENIED : EFFECT_ALLOWED);
	}
}

static void words_of_facts_lead_back(void **state)
{
	enum fact f = FACT_COUNT;

	(void)state;
	for (enum fact i = 0; i < FACT_COUNT; i++) {
		assert_true(fact_of(fact_word(i), &f));
		assert_int_equal(f, i);
	}
	assert_false(fact_of("", &f));
	assert_false(fact_of("THERE", &f));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule),
		cmocka_unit_test(nothing_is_allowed_without_grants),
		cmocka_unit_test(a_relative_socket_is_denied_where_none_is_granted),
		cmocka_unit_test(words_of_facts_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
