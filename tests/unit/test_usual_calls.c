/* What is usual of calls: which runs teach, what of them, and how it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "profile/call_link.h"
#include "usual/calls.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define EVENT "e_01JXAMPXE00000000000000000"

struct place {
	char dir[64];
	int fd;
	struct calls *c;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof p->dir, "/tmp/ambit-calls-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(calls_new(p->fd, &p->c, NULL), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char line[128];

	calls_free(p->c);
	(void)close(p->fd);
	(void)snprintf(line, sizeof line, "rm -rf %s", p->dir);
	assert_int_equal(system(line), 0);
	free(p);
	return 0;
}

static void again(struct place *p)
{
	calls_free(p->c);
	assert_int_equal(calls_new(p->fd, &p->c, NULL), 0);
}

/* ---- runs ---- */

static struct usual_calls who(const char *server, const char *agent, unsigned number)
{
	struct usual_calls ret = { .event = EVENT };

	(void)snprintf(ret.server, sizeof ret.server, "%s", server);
	(void)snprintf(ret.agent, sizeof ret.agent, "%s", agent);
	(void)snprintf(ret.event, sizeof ret.event, "e_01JXAMPXE0%016u", number);
	return ret;
}

struct run {
	struct calls_run *run;
	struct usual_begun begun;
};

static struct run begin(struct place *p, const char *server, const char *agent)
{
	static unsigned number;
	const struct usual_calls q = who(server, agent, ++number);
	struct run ret = { .run = NULL };
	struct err e = { .code = AMBIT_OK };

	if (calls_begin(p->c, &q, &ret.run, &ret.begun, &e) < 0)
		fail_msg("%s", e.msg);
	return ret;
}

static struct usual_verdict score(const struct run *r, const char *tool, const char *to, bool untrusted)
{
	static struct call c;
	auto_buf items = { .max = CALL_BYTES_MAX };
	struct usual_call q = { .untrusted = untrusted };
	struct usual_verdict v;

	call_begin(&c, r->begun.key, NULL, tool, strlen(tool), TOOL_UNTOLD);
	call_argument(&c, "to", 2, to, strlen(to), VALUE_TEXT, ITEM_OF_ANSWER);
	call_put(&items, &c);
	q.items = items.data;
	q.n = items.len;
	assert_int_equal(calls_score(r->run, &q, &v, NULL), 0);
	return v;
}

static void said(const struct run *r, enum usual_fate fate, bool untrusted)
{
	const struct usual_called q = { .fate = (uint8_t)fate, .untrusted = untrusted };

	assert_int_equal(calls_said(r->run, &q, NULL), 0);
}

static void one(struct place *p, const char *agent, const char *to, enum usual_fate fate, bool untrusted)
{
	const struct run r = begin(p, "mail", agent);

	(void)score(&r, "send_mail", to, untrusted);
	said(&r, fate, untrusted);
	calls_end(p->c, r.run);
}

static struct usual_verdict now(struct place *p, const char *agent, const char *to)
{
	const struct run r = begin(p, "mail", agent);
	const struct usual_verdict v = score(&r, "send_mail", to, false);

	calls_end(p->c, r.run);
	return v;
}

/* ---- what teaches ---- */

static void a_run_teaches_when_it_ends(void **state)
{
	struct place *p = *state;
	struct run r = begin(p, "mail", "a");
	struct usual_verdict v = score(&r, "send_mail", "ann@mail.test", false);

	assert_true(v.unusual && v.young && !v.asks && v.runs == 0 && v.n > 0);
	said(&r, USUAL_LET, false);
	assert_false(score(&r, "send_mail", "ann@mail.test", false).unusual); /* it did that already */
	assert_int_equal(now(p, "a", "x@y.test").runs, 0);
	calls_end(p->c, r.run);
	for (unsigned i = 1; i < NOVELTY_YOUNG; i++)
		one(p, "a", "ann@mail.test", USUAL_LET, false);
	v = now(p, "a", "eve@bad.test");
	assert_true(v.unusual && !v.young && v.asks && v.runs == NOVELTY_YOUNG);
	assert_non_null(strstr(v.reasons[0].text, "0 of 5 earlier runs"));
	assert_false(now(p, "a", "ann@mail.test").unusual);
	again(p); /* and so it is on disk */
	v = now(p, "a", "eve@bad.test");
	assert_true(v.asks && v.runs == NOVELTY_YOUNG && !now(p, "a", "ann@mail.test").unusual);
	assert_true(now(p, "b", "eve@bad.test").young); /* another agent's are its own */
}

static void what_was_not_let_through_teaches_nothing(void **state)
{
	static const struct {
		const char *name;
		enum usual_fate fate;
		bool untrusted, learned;
	} rows[] = {
		{ "let through", USUAL_LET, false, true },
		{ "released", USUAL_RELEASED, false, true },
		{ "a person is asked", USUAL_WAITS, false, false },
		{ "a person said no", USUAL_NEVER, false, false },
		{ "it had read what is untrusted", USUAL_LET, true, false },
		{ "and a person released it", USUAL_RELEASED, true, true },
	};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char agent[16];

		(void)snprintf(agent, sizeof agent, "agent%zu", i);
		one(p, agent, "ann@mail.test", rows[i].fate, rows[i].untrusted);
		if ((now(p, agent, "ann@mail.test").runs == 1) != rows[i].learned)
			fail_msg("%s", rows[i].name);
	}
}

/* What else such a run did teaches nothing either, but for what a person released. */
static void a_doubt_spoils_all_of_a_run(void **state)
{
	static const struct {
		const char *name;
		enum usual_fate first, second;
		bool all, released; /* of the run teach */
	} rows[] = {
		{ "a no", USUAL_NEVER, 0, false, false },
		{ "a question that waits", USUAL_WAITS, 0, false, false },
		{ "one that was answered by yes", USUAL_WAITS, USUAL_RELEASED, true, true },
		{ "by no", USUAL_WAITS, USUAL_NEVER, false, false },
	};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char agent[16];
		struct run r;

		(void)snprintf(agent, sizeof agent, "agent%zu", i);
		r = begin(p, "mail", agent);
		(void)score(&r, "send_mail", "ann@mail.test", false);
		said(&r, USUAL_LET, false);
		(void)score(&r, "send_mail", "eve@bad.test", false);
		said(&r, rows[i].first, false);
		if (rows[i].second != 0) {
			(void)score(&r, "send_mail", "eve@bad.test", false);
			said(&r, rows[i].second, false);
		}
		calls_end(p->c, r.run);
		if (now(p, agent, "ann@mail.test").unusual == rows[i].all ||
		    now(p, agent, "eve@bad.test").unusual == rows[i].released)
			fail_msg("%s", rows[i].name);
	}
}

static void of_a_spoiled_run_what_was_released_teaches(void **state)
{
	struct place *p = *state;
	const struct run r = begin(p, "mail", "a");

	(void)score(&r, "send_mail", "ann@mail.test", false);
	said(&r, USUAL_LET, false);
	(void)score(&r, "send_mail", "bob@mail.test", false);
	said(&r, USUAL_RELEASED, false);
	(void)score(&r, "send_mail", "eve@bad.test", false);
	said(&r, USUAL_NEVER, false);
	calls_end(p->c, r.run);
	assert_true(now(p, "a", "ann@mail.test").unusual && now(p, "a", "eve@bad.test").unusual);
	assert_false(now(p, "a", "bob@mail.test").unusual);
}

static void a_day_teaches_so_much(void **state)
{
	struct place *p = *state;

	for (unsigned i = 0; i < 2 * NOVELTY_LESSONS_MAX; i++)
		one(p, "a", "ann@mail.test", USUAL_LET, false);
	assert_int_equal(now(p, "a", "ann@mail.test").runs, NOVELTY_LESSONS_MAX);
	one(p, "a", "eve@bad.test", USUAL_LET, false);
	assert_true(now(p, "a", "eve@bad.test").asks);
	one(p, "a", "eve@bad.test", USUAL_RELEASED, false); /* a person is always heard */
	assert_false(now(p, "a", "eve@bad.test").unusual);
}

static void what_is_untrusted_weighs_more(void **state)
{
	struct place *p = *state;
	struct run r;
	double plain, worse;

	for (unsigned i = 0; i < 9; i++)
		one(p, "a", "ann@mail.test", USUAL_LET, false);
	r = begin(p, "mail", "a");
	plain = score(&r, "send_mail", "eve@bad.test", false).bits;
	worse = score(&r, "send_mail", "eve@bad.test", true).bits;
	assert_true(worse > plain);
	calls_end(p->c, r.run);
}

static void a_word_is_on_one_call(void **state)
{
	struct place *p = *state;
	const struct run r = begin(p, "mail", "a");
	const struct usual_called q = { .fate = USUAL_LET };
	const struct usual_call none = { .items = (const uint8_t *)"x", .n = 1 };
	struct usual_verdict v;
	struct err e;

	assert_int_equal(calls_said(r.run, &q, &e), -AMBIT_PROTOCOL);
	(void)score(&r, "send_mail", "ann@mail.test", false);
	said(&r, USUAL_LET, false);
	assert_int_equal(calls_said(r.run, &q, &e), -AMBIT_PROTOCOL);
	assert_int_equal(calls_score(r.run, &none, &v, &e), -AMBIT_PROTOCOL);
	assert_int_equal(calls_said(r.run, &q, &e), -AMBIT_PROTOCOL);
	calls_end(p->c, r.run);
}

static void a_word_may_come_with_the_next_call(void **state)
{
	struct place *p = *state;
	const struct run r = begin(p, "mail", "a");
	static struct call c;
	auto_buf items = { .max = CALL_BYTES_MAX };
	struct usual_call q = { .before = { .fate = USUAL_LET } };
	struct usual_verdict v;
	struct err e;

	call_begin(&c, r.begun.key, NULL, "read", 4, TOOL_UNTOLD);
	call_put(&items, &c);
	q.items = items.data;
	q.n = items.len;
	assert_int_equal(calls_score(r.run, &q, &v, &e), -AMBIT_PROTOCOL); /* there was none */
	(void)score(&r, "send_mail", "ann@mail.test", false);
	assert_int_equal(calls_score(r.run, &q, &v, &e), 0);
	calls_end(p->c, r.run);
	assert_false(now(p, "a", "ann@mail.test").unusual);
}

/* ---- how it is kept ---- */

static void more_servers_than_are_in_memory(void **state)
{
	struct place *p = *state;
	struct run runs[CALLS_HOT];
	char name[16], last[NAME_MAX + 1];
	static struct usual_row rows[2 * CALLS_HOT];
	struct usual_calls q = who("more", "a", 1);
	struct usual_begun begun;
	struct calls_run *run;
	struct err e;
	size_t n;

	for (unsigned i = 0; i < CALLS_HOT + 5; i++) {
		struct run r;

		(void)snprintf(name, sizeof name, "s%02u", i);
		r = begin(p, name, "a");
		(void)score(&r, "send_mail", "ann@mail.test", false);
		said(&r, USUAL_LET, false);
		calls_end(p->c, r.run);
	}
	for (unsigned i = 0; i < CALLS_HOT; i++) {
		(void)snprintf(name, sizeof name, "s%02u", i);
		runs[i] = begin(p, name, "a");
		assert_int_equal(runs[i].begun.runs, 1);
	}
	assert_int_equal(calls_begin(p->c, &q, &run, &begun, &e), -AMBIT_LIMIT);
	for (unsigned i = 0; i < CALLS_HOT; i++)
		calls_end(p->c, runs[i].run);
	assert_int_equal(calls_page(p->c, "", rows, 5, &n, last, &e), 0);
	assert_true(n == 5 && strcmp(rows[0].key, "\tcalls\ts00\t") == 0 && rows[4].events == 1);
	assert_int_equal(calls_page(p->c, last, rows, COUNT_OF(rows), &n, last, &e), 0);
	assert_int_equal(n, CALLS_HOT);
	assert_string_equal(rows[0].id, "c_s05");
}

static void put_file(struct place *p, const char *name, const char *text)
{
	auto_fd int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static void what_is_no_profile_is_told_with_its_line(void **state)
{
	static const char key[] = "key 000102030405060708090a0b0c0d0e0f\n";
	static const struct {
		const char *name, *head, *tail, *says;
	} rows[] = {
		{ "empty", "", "", "line 0" },
		{ "another form", "ambit-calls 2\n", "", "line 1" },
		{ "another server", "ambit-calls 1\nserver other\n", "runs 0\nend\n", "another server" },
		{ "no end", "ambit-calls 1\nserver mail\n", "runs 0\n", "it has no end" },
		{ "behind the end", "ambit-calls 1\nserver mail\n", "runs 0\nend\nx\n", "line 6" },
		{ "runs that were not", "ambit-calls 1\nserver mail\n", "runs 7\nend\n", "line 4" },
		{ "a word", "ambit-calls 1\nserver mail\n", "runs 0\nbad x\nend\n", "line 5" },
		{ "a counter with a zero", "ambit-calls 1\nserver mail\n", "runs 0\ncount 1 01 0 0 0 0 0 0\nend\n",
		  "line 5" },
		{ "one of nothing", "ambit-calls 1\nserver mail\n", "runs 0\ncount 0 1 0 0 0 0 0 0\nend\n", "line 5" },
		{ "one twice", "ambit-calls 1\nserver mail\n",
		  "runs 0\ncount 1 1 0 0 0 0 0 0\ncount 1 1 0 0 0 0 0 0\nend\n", "line 6" },
		{ "out of their order", "ambit-calls 1\nserver mail\n",
		  "runs 0\ncount 2 1 0 0 0 0 0 0\ncount 1 1 0 0 0 0 0 0\nend\n", "line 5" },
		{ "one that is too much", "ambit-calls 1\nserver mail\n",
		  "runs 0\ncount 1 4294967296 0 0 0 0 0 0\nend\n", "line 5" },
		{ "an escape", "ambit-calls 1\nserver mail\n", "runs 0\nknown 1 1 name\tt\tp\t\033[2J\nend\n",
		  "line 5" },
		{ "a kind", "ambit-calls 1\nserver mail\n", "runs 0\nknown 1 1 odd\tt\tp\tv\nend\n", "line 5" },
		{ "a place too much", "ambit-calls 1\nserver mail\n", "runs 0\nknown 1 1 name\tt\tp\tv\tw\nend\n",
		  "line 5" },
	};
	struct place *p = *state;
	const struct usual_calls q = who("mail", "a", 9);
	struct usual_begun begun;
	struct calls_run *run;
	char text[512], got[PROFILE_NAME_MAX];
	struct err e;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)snprintf(text, sizeof text, "%s%s%s", rows[i].head, rows[i].head[0] != 0 ? key : "",
			       rows[i].tail);
		put_file(p, "c_mail.calls", text);
		again(p);
		if (calls_begin(p->c, &q, &run, &begun, &e) != -AMBIT_MALFORMED ||
		    strstr(e.msg, rows[i].says) == NULL || strstr(e.msg, "c_mail.calls") == NULL)
			fail_msg("%s: %s", rows[i].name, e.msg);
	}
	(void)snprintf(text, sizeof text, "ambit-calls 1\nserver mail\n%sruns 0\nend\n", key); /* the twin */
	put_file(p, "c_mail.calls", text);
	assert_int_equal(calls_begin(p->c, &q, &run, &begun, &e), 0);
	assert_int_equal(begun.key[15], 15);
	assert_int_equal(calls_put(p->c, text, strlen(text), got, &e), -AMBIT_CONFLICT);
	assert_int_equal(calls_reset(p->c, "\tcalls\tmail\t", &e), -AMBIT_CONFLICT);
	calls_end(p->c, run);
	assert_int_equal(calls_put(p->c, text, strlen(text), got, &e), 0);
	assert_string_equal(got, "\tcalls\tmail\t");
	assert_int_equal(calls_reset(p->c, got, &e), 0);
	assert_int_equal(calls_reset(p->c, got, &e), -AMBIT_NOT_FOUND);
	assert_int_equal(faccessat(p->fd, "c_mail.calls", F_OK, 0), -1);
}

static void what_was_kept_is_had_back(void **state)
{
	struct place *p = *state;
	auto_buf text = { .max = CALL_FORM_BYTES_MAX }, back = { .max = CALL_FORM_BYTES_MAX };
	char key[PROFILE_NAME_MAX];

	for (unsigned i = 0; i < 9; i++)
		one(p, i % 2 == 0 ? "" : "b",
		    i % 3 == 0 ? "ann@mail.test"
			       : "\x1b[2J\xff odd\t\x7f"
				 "@x",
		    USUAL_LET, false);
	assert_int_equal(calls_get(p->c, "\tcalls\tmail\t", &text, NULL), 0);
	assert_null(memchr(text.data, 033, text.len));
	assert_int_equal(calls_reset(p->c, "\tcalls\tmail\t", NULL), 0);
	assert_int_equal(calls_get(p->c, "\tcalls\tmail\t", &back, NULL), -AMBIT_NOT_FOUND);
	assert_int_equal(calls_put(p->c, (const char *)text.data, text.len, key, NULL), 0);
	again(p);
	assert_int_equal(calls_get(p->c, key, &back, NULL), 0);
	assert_true(buf_is_same(&text, &back));
	assert_false(now(p, "", "ann@mail.test").unusual);
}

/* ---- a word that comes later ---- */

static void waits(const struct run *r, const char *event)
{
	struct usual_called q = { .fate = USUAL_WAITS };

	(void)snprintf(q.event, sizeof q.event, "%s", event);
	assert_int_equal(calls_said(r->run, &q, NULL), 0);
}

static int settle(struct place *p, const char *event, bool released)
{
	struct usual_settle s = { .released = released };
	struct err e;

	(void)snprintf(s.event, sizeof s.event, "%s", event);
	return calls_settle(p->c, &s, &e);
}

static bool is_held(struct place *p, const char *event)
{
	char name[64];

	(void)snprintf(name, sizeof name, "k_%s", event);
	return faccessat(p->fd, name, F_OK, 0) == 0;
}

static void grow_five(struct place *p)
{
	for (unsigned i = 0; i < NOVELTY_YOUNG; i++)
		one(p, "a", "ann@mail.test", USUAL_LET, false);
}

/* The run is over, and its question with it. The twin: what was refused is new again. */
static void what_waited_is_released_later(void **state)
{
	struct place *p = *state;
	struct run r;

	grow_five(p);
	r = begin(p, "mail", "a");
	assert_true(score(&r, "send_mail", "eve@bad.test", false).asks);
	waits(&r, EVENT);
	calls_end(p->c, r.run);
	assert_true(is_held(p, EVENT) && now(p, "a", "eve@bad.test").asks);
	assert_int_equal(settle(p, EVENT, true), 0);
	assert_false(is_held(p, EVENT));
	assert_false(now(p, "a", "eve@bad.test").unusual);
	again(p);
	assert_false(now(p, "a", "eve@bad.test").unusual); /* and so it is on disk */
	assert_true(now(p, "a", "kim@worse.test").asks);
	assert_int_equal(settle(p, EVENT, true), -AMBIT_NOT_FOUND);
	r = begin(p, "mail", "a");
	(void)score(&r, "send_mail", "kim@worse.test", false);
	waits(&r, EVENT);
	calls_end(p->c, r.run);
	assert_int_equal(settle(p, EVENT, false), 0);
	assert_true(!is_held(p, EVENT) && now(p, "a", "kim@worse.test").asks);
}

/* By the question, in the run: yes or no. */
static void who_has_answered_is_not_asked_later(void **state)
{
	static const uint8_t words[] = { USUAL_RELEASED, USUAL_NEVER };
	struct place *p = *state;

	grow_five(p);
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		const struct run r = begin(p, "mail", "a");
		const char *to = i == 0 ? "eve@bad.test" : "kim@worse.test";

		(void)score(&r, "send_mail", to, false);
		waits(&r, EVENT);
		assert_true(is_held(p, EVENT));
		(void)score(&r, "send_mail", to, false);
		said(&r, words[i], false);
		assert_false(is_held(p, EVENT));
		calls_end(p->c, r.run);
	}
}

/* Hashes of another key mean nothing in this one. */
static void what_was_begun_anew_takes_no_word(void **state)
{
	struct place *p = *state;
	struct run r;
	struct err e;

	grow_five(p);
	r = begin(p, "mail", "a");
	(void)score(&r, "send_mail", "eve@bad.test", false);
	waits(&r, EVENT);
	calls_end(p->c, r.run);
	assert_int_equal(calls_reset(p->c, "\tcalls\tmail\t", &e), 0);
	assert_int_equal(settle(p, EVENT, true), -AMBIT_NOT_FOUND); /* there is none */
	grow_five(p);
	assert_int_equal(settle(p, EVENT, true), -AMBIT_CONFLICT);
	assert_true(is_held(p, EVENT));
	assert_int_equal(settle(p, EVENT, false), 0);
	assert_false(is_held(p, EVENT));
}

/* However a file came to be so: it is refused, and can be forgotten. */
static void what_waits_and_is_none_is_told(void **state)
{
	struct place *p = *state;
	char bytes[4096];
	struct run r;
	ssize_t n;
	int fd;

	grow_five(p);
	r = begin(p, "mail", "a");
	(void)score(&r, "send_mail", "eve@bad.test", false);
	waits(&r, EVENT);
	calls_end(p->c, r.run);
	fd = openat(p->fd, "k_" EVENT, O_RDWR | O_CLOEXEC);
	n = fd_read_all(fd, bytes, sizeof bytes);
	assert_true(n > 40);
	for (ssize_t cut = 0; cut < n; cut++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, (size_t)cut, 0), cut);
		assert_int_equal(settle(p, EVENT, true), -AMBIT_MALFORMED);
	}
	memcpy(bytes + 5, "../x", 4); /* in place of "mail" */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, bytes, (size_t)n, 0), n);
	assert_int_equal(settle(p, EVENT, true), -AMBIT_MALFORMED);
	assert_true(is_held(p, EVENT) && now(p, "a", "eve@bad.test").asks);
	assert_int_equal(settle(p, EVENT, false), 0);
	(void)close(fd);
}

static void what_waits_is_bounded(void **state)
{
	struct place *p = *state;

	grow_five(p);
	for (unsigned i = 0; i <= CALLS_HELD_MAX; i++) {
		const struct run r = begin(p, "mail", "a");
		char event[ID_TEXT_MAX];

		(void)score(&r, "send_mail", "eve@bad.test", false);
		(void)snprintf(event, sizeof event, "e_01JXAMPXE1%016u", i);
		waits(&r, event);
		calls_end(p->c, r.run);
	}
	assert_false(is_held(p, "e_01JXAMPXE10000000000000000"));
	assert_true(is_held(p, "e_01JXAMPXE10000000000000001"));
	assert_true(is_held(p, "e_01JXAMPXE10000000000000256"));
}

/* A disk that was full when a run ended is tried again before the keeper goes. */
static void what_could_not_be_written_is_tried_again(void **state)
{
	struct place *p = *state;
	struct err e;

	grow_five(p);
	assert_int_equal(mkdirat(p->fd, "c_mail.calls.new", 0700), 0); /* nothing can be written beside */
	one(p, "a", "eve@bad.test", USUAL_LET, false);
	assert_int_equal(calls_save(p->c, &e), -AMBIT_SYSTEM);
	assert_int_equal(unlinkat(p->fd, "c_mail.calls.new", AT_REMOVEDIR), 0);
	assert_int_equal(calls_save(p->c, &e), 0);
	again(p);
	assert_false(now(p, "a", "eve@bad.test").unusual);
}

/* Who names servers without end fills no disk; those that are there go on. */
static void profiles_are_so_many_and_no_more(void **state)
{
	const struct usual_calls q = who("another", "a", 1);
	struct place *p = *state;
	struct calls_run *run = NULL;
	struct usual_begun begun;
	struct err e;

	grow_five(p);
	for (unsigned i = 1; i < CALLS_FILES_MAX; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "c_s%u.calls", i);
		(void)close(openat(p->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	assert_int_equal(calls_begin(p->c, &q, &run, &begun, &e), -AMBIT_LIMIT);
	assert_null(run);
	assert_true(now(p, "a", "eve@bad.test").asks);
	assert_int_equal(unlinkat(p->fd, "c_s1.calls", 0), 0);
	assert_int_equal(calls_begin(p->c, &q, &run, &begun, &e), 0);
	calls_end(p->c, run);
}

/* A gate knows no prompt: whoever says that its user named it, or that it is made up, is no gate of ours. */
static void who_knows_more_than_a_gate_is_refused(void **state)
{
	static const uint8_t from[] = { ITEM_OF_ANSWER, ITEM_OF_MANY, ITEM_OF_PROMPT, ITEM_OF_NOWHERE };
	struct place *p = *state;
	struct run r;

	grow_five(p);
	r = begin(p, "mail", "a");
	for (size_t i = 0; i < COUNT_OF(from); i++) {
		static struct call c;
		auto_buf items = { .max = CALL_BYTES_MAX };
		struct usual_call q = { .untrusted = false };
		struct usual_verdict v;

		call_begin(&c, r.begun.key, NULL, "send_mail", 9, TOOL_UNTOLD);
		call_argument(&c, "to", 2, "eve@bad.test", 12, VALUE_TEXT, from[i]);
		call_put(&items, &c);
		q.items = items.data;
		q.n = items.len;
		assert_int_equal(calls_score(r.run, &q, &v, NULL), i < 2 ? 0 : -AMBIT_PROTOCOL);
	}
	calls_end(p->c, r.run);
}

static void keys_are_of_servers(void **state)
{
	(void)state;
	assert_true(calls_is_key("\tcalls\tmail\t") && calls_is_key("\tcalls\ta.b-c\t"));
	assert_false(calls_is_key("\tcalls\t\t") || calls_is_key("\tcalls\t../x\t") ||
		     calls_is_key("a\tcalls\tmail\t") || calls_is_key("\tcalls\tmail") ||
		     calls_is_key("\tcalls\tma il\t") || calls_is_key(""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_teaches_when_it_ends),
		TEST(what_was_not_let_through_teaches_nothing),
		TEST(a_doubt_spoils_all_of_a_run),
		TEST(of_a_spoiled_run_what_was_released_teaches),
		TEST(a_day_teaches_so_much),
		TEST(what_is_untrusted_weighs_more),
		TEST(a_word_is_on_one_call),
		TEST(a_word_may_come_with_the_next_call),
		TEST(more_servers_than_are_in_memory),
		TEST(what_is_no_profile_is_told_with_its_line),
		TEST(what_waited_is_released_later),
		TEST(who_has_answered_is_not_asked_later),
		TEST(what_was_begun_anew_takes_no_word),
		TEST(what_waits_and_is_none_is_told),
		TEST(what_could_not_be_written_is_tried_again),
		TEST(profiles_are_so_many_and_no_more),
		TEST(who_knows_more_than_a_gate_is_refused),
		TEST(what_waits_is_bounded),
		TEST(what_was_kept_is_had_back),
		cmocka_unit_test(keys_are_of_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
