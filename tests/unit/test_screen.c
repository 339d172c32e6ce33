/* What of a client's words passes, and when: conversations of a client and a server, in whole pieces and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/screen.h"
#include "octets.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define STEPS 7

/* What a client says. */
#define HELLO(extensions) "160301 [2 01 [3 0303 32*11 [1] [2 1301] [1 00] [2 " extensions "]]]"
#define NAME(n) "0000 [2 [2 00 [2 " n "]]]"
#define ECH "fe0d [2 00 0001 0001 01 [2 11] [2 22]]"
#define GOOD HELLO(NAME("'a.example'"))
#define OTHER HELLO(NAME("'b.example'"))
#define NAMELESS HELLO("")
#define SPLIT "160301 [2 01 00003d 0303 16*11] 160301 [2 16*11 [1] [2 1301] [1 00] [2 " NAME("'a.example'") "]]"
#define TWO_NAMES HELLO("0000 [2 [2 00 [2 'a.example'] 00 [2 'b.example']]]")
#define CCS "140303 [2 01]"
#define DATA "170303 [2 5*aa]"
#define ALERT "150303 [2 0228]"
#define FINISHED "160303 [2 40*bb]"

/* And a server. */
#define ANSWER(random) "160303 [2 02 [3 0303 " random " [1] 1301 00 [2 002b [2 0304]]]]"
#define TAKEN ANSWER("32*55")
#define AGAIN ANSWER("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
#define REFUSAL "150303 [2 0228]"

struct step {
	char who; /* c: client, h: host; C, H: it ends; 0: no more */
	const char *bytes;
};

struct row {
	const char *name, *granted;
	uint32_t flags;
	struct step steps[STEPS];
	enum screen_state state;
	enum link_reason reason;
	const char *passed; /* all that passed, as octets.h has it */
};

#define OPEN SCREEN_OPEN, 0
#define REFUSED(why) SCREEN_REFUSED, LINK_##why

static const struct row rows[] = {
	/* a first hello */
	{ "its name", "a.example", 0, { { 'c', GOOD } }, SCREEN_ANSWER, 0, GOOD },
	{ "its name in capitals",
	  "a.example",
	  0,
	  { { 'c', HELLO(NAME("'A.Example'")) } },
	  SCREEN_ANSWER,
	  0,
	  HELLO(NAME("'A.Example'")) },
	{ "its name, over records", "a.example", 0, { { 'c', SPLIT } }, SCREEN_ANSWER, 0, SPLIT },
	{ "no name", "a.example", 0, { { 'c', NAMELESS } }, SCREEN_ANSWER, 0, NAMELESS },
	{ "another name", "a.example", 0, { { 'c', OTHER } }, REFUSED(OTHER_NAME), "" },
	{ "a name below", "example", 0, { { 'c', GOOD } }, REFUSED(OTHER_NAME), "" },
	{ "a name above", "x.a.example", 0, { { 'c', GOOD } }, REFUSED(OTHER_NAME), "" },
	{ "two names", "a.example", 0, { { 'c', TWO_NAMES } }, REFUSED(MALFORMED), "" },
	{ "two names, any may be asked for", "", 0, { { 'c', TWO_NAMES } }, OPEN, TWO_NAMES },
	{ "a dot at its end", "a.example", 0, { { 'c', HELLO(NAME("'a.example.'")) } }, REFUSED(MALFORMED), "" },
	{ "another version of a record", "a.example", 0, { { 'c', "160400" } }, REFUSED(MALFORMED), "" },
	{ "SSL 2", "a.example", 0, { { 'c', "802b 01 0303" } }, REFUSED(MALFORMED), "" },
	{ "not whole", "a.example", 0, { { 'c', "160301 0055 01 000051 0303 11" } }, SCREEN_FIRST, 0, "" },
	{ "not whole, and the end",
	  "a.example",
	  0,
	  { { 'c', "160301 0055 01 000051 0303 11" }, { 'C', "" } },
	  REFUSED(MALFORMED),
	  "" },
	{ "nothing, and the end", "a.example", 0, { { 'C', "" } }, OPEN, "" },
	{ "no TLS", "a.example", 0, { { 'c', "'GET / HTTP/1.1' 0d0a" } }, OPEN, "'GET / HTTP/1.1' 0d0a" },
	{ "no TLS, and then a hello",
	  "a.example",
	  0,
	  { { 'c', "'STARTTLS' 0d0a" }, { 'c', OTHER } },
	  OPEN,
	  "'STARTTLS' 0d0a" OTHER },
	{ "an address is granted", "", 0, { { 'c', OTHER } }, OPEN, OTHER },
	{ "the server speaks first",
	  "a.example",
	  0,
	  { { 'h', "'220 ready' 0d0a" }, { 'c', OTHER } },
	  REFUSED(OTHER_NAME),
	  "" },
	{ "what a server may say, too early",
	  "a.example",
	  0,
	  { { 'h', TAKEN }, { 'c', GOOD }, { 'h', AGAIN }, { 'c', OTHER } },
	  REFUSED(OTHER_NAME),
	  GOOD },

	/* patterns */

	/* a hidden name */
	{ "ECH", "a.example", 0, { { 'c', HELLO(NAME("'a.example'") ECH) } }, REFUSED(HIDDEN), "" },
	{ "ECH without a name", "a.example", 0, { { 'c', HELLO(ECH) } }, REFUSED(HIDDEN), "" },
	{ "ECH, which may be",
	  "a.example",
	  LINK_ECH,
	  { { 'c', HELLO(NAME("'b.example'") ECH) } },
	  SCREEN_ANSWER,
	  0,
	  HELLO(NAME("'b.example'") ECH) },
	{ "ECH may be, and is not", "a.example", LINK_ECH, { { 'c', OTHER } }, REFUSED(OTHER_NAME), "" },
	{ "ECH, twice", "a.example", LINK_ECH, { { 'c', HELLO(ECH ECH) } }, REFUSED(MALFORMED), "" },

	/* the server answers */
	{ "it takes it", "a.example", 0, { { 'c', GOOD }, { 'h', TAKEN } }, OPEN, GOOD },
	{ "it takes it, and so on",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', TAKEN }, { 'c', CCS FINISHED }, { 'h', DATA }, { 'c', DATA } },
	  OPEN,
	  GOOD CCS FINISHED DATA },
	{ "it refuses", "a.example", 0, { { 'c', GOOD }, { 'h', REFUSAL } }, SCREEN_ANSWER, 0, GOOD },
	{ "it refuses and ends", "a.example", 0, { { 'c', GOOD }, { 'h', REFUSAL }, { 'H', "" } }, OPEN, GOOD },
	{ "it is no TLS", "a.example", 0, { { 'c', GOOD }, { 'h', "'HTTP/1.1 400'" } }, OPEN, GOOD },
	{ "data that comes early",
	  "a.example",
	  0,
	  { { 'c', GOOD CCS DATA DATA } },
	  SCREEN_ANSWER,
	  0,
	  GOOD CCS DATA DATA },
	{ "the client gives up", "a.example", 0, { { 'c', GOOD ALERT }, { 'C', "" } }, OPEN, GOOD ALERT },
	{ "a part of a record", "a.example", 0, { { 'c', GOOD "170303 00" } }, SCREEN_ANSWER, 0, GOOD },
	{ "a part of a record's body",
	  "a.example",
	  0,
	  { { 'c', GOOD "170303 0005 aa" } },
	  SCREEN_ANSWER,
	  0,
	  GOOD "170303 0005 aa" },
	{ "the rest of it",
	  "a.example",
	  0,
	  { { 'c', GOOD "170303 0005 aa" }, { 'h', TAKEN }, { 'c', "aaaaaaaa" FINISHED } },
	  OPEN,
	  GOOD DATA FINISHED },

	/* a second hello that comes before it is asked for */
	{ "ahead", "a.example", 0, { { 'c', GOOD OTHER } }, SCREEN_ANSWER, 0, GOOD },
	{ "ahead, behind data", "a.example", 0, { { 'c', GOOD CCS DATA OTHER } }, SCREEN_ANSWER, 0, GOOD CCS DATA },
	{ "ahead, and asked for", "a.example", 0, { { 'c', GOOD OTHER }, { 'h', AGAIN } }, REFUSED(OTHER_NAME), GOOD },
	{ "ahead, right, and asked for",
	  "a.example",
	  0,
	  { { 'c', GOOD CCS GOOD DATA }, { 'h', AGAIN } },
	  OPEN,
	  GOOD CCS GOOD DATA },
	{ "ahead, and not asked for", "a.example", 0, { { 'c', GOOD OTHER }, { 'h', TAKEN } }, OPEN, GOOD OTHER },
	{ "ahead, and the end", "a.example", 0, { { 'c', GOOD OTHER }, { 'C', "" } }, SCREEN_ANSWER, 0, GOOD },
	{ "ahead, the end, and asked for",
	  "a.example",
	  0,
	  { { 'c', GOOD OTHER }, { 'C', "" }, { 'h', AGAIN } },
	  REFUSED(OTHER_NAME),
	  GOOD },

	/* a second hello */
	{ "asked for", "a.example", 0, { { 'c', GOOD }, { 'h', AGAIN } }, SCREEN_SECOND, 0, GOOD },
	{ "asked for after a warning",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', "150303 [2 0170]" AGAIN } },
	  SCREEN_SECOND,
	  0,
	  GOOD },
	{ "the same name",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', GOOD DATA } },
	  OPEN,
	  GOOD GOOD DATA },
	{ "the same name, over records",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', SPLIT } },
	  OPEN,
	  GOOD SPLIT },
	{ "the same name, after a change of ciphers",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN CCS }, { 'c', CCS GOOD } },
	  OPEN,
	  GOOD CCS GOOD },
	{ "another name in it",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', CCS OTHER } },
	  REFUSED(OTHER_NAME),
	  GOOD CCS },
	{ "no name in it",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', NAMELESS } },
	  REFUSED(OTHER_NAME),
	  GOOD },
	{ "a name in it alone",
	  "a.example",
	  0,
	  { { 'c', NAMELESS }, { 'h', AGAIN }, { 'c', GOOD } },
	  REFUSED(OTHER_NAME),
	  NAMELESS },
	{ "no name in both",
	  "a.example",
	  0,
	  { { 'c', NAMELESS }, { 'h', AGAIN }, { 'c', NAMELESS } },
	  OPEN,
	  NAMELESS NAMELESS },
	{ "another name of the pattern",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', OTHER } },
	  REFUSED(OTHER_NAME),
	  GOOD },
	{ "a hidden name in it",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', HELLO(NAME("'a.example'") ECH) } },
	  REFUSED(HIDDEN),
	  GOOD },
	{ "two names in it",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', TWO_NAMES } },
	  REFUSED(MALFORMED),
	  GOOD },
	{ "no hello", "a.example", 0, { { 'c', GOOD }, { 'h', AGAIN }, { 'c', "'GET'" } }, REFUSED(MALFORMED), GOOD },
	{ "another message",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', FINISHED } },
	  REFUSED(MALFORMED),
	  GOOD },
	{ "a warning, and none",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', ALERT }, { 'C', "" } },
	  OPEN,
	  GOOD ALERT },
	{ "a part of it, and the end",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'h', AGAIN }, { 'c', "160303 00" }, { 'C', "" } },
	  REFUSED(MALFORMED),
	  GOOD },
	{ "its end before it was asked for",
	  "a.example",
	  0,
	  { { 'c', GOOD }, { 'C', "" }, { 'h', AGAIN } },
	  OPEN,
	  GOOD },
};

/* ---- as net/gate.c does it ---- */

struct talk {
	struct screen screen;
	bool ended;
	uint8_t held[4096], passed[4096];
	size_t n_held, n_passed;
};

static void look(struct talk *t)
{
	const size_t n = screen_client(&t->screen, t->held, t->n_held);

	assert_true(n <= t->n_held);
	memcpy(t->passed + t->n_passed, t->held, n);
	t->n_passed += n;
	t->n_held -= n;
	memmove(t->held, t->held + n, t->n_held);
	if (t->ended)
		screen_client_ended(&t->screen, t->n_held);
}

static void hear_host(struct talk *t, const uint8_t *bytes, size_t n)
{
	if (t->screen.state == SCREEN_ANSWER)
		screen_host(&t->screen, bytes, n);
	look(t);
}

static void hear_client(struct talk *t, const uint8_t *bytes, size_t n)
{
	memcpy(t->held + t->n_held, bytes, n);
	t->n_held += n;
	look(t);
}

static void take(struct talk *t, const struct step *step, size_t piece)
{
	uint8_t bytes[1024];
	const size_t n = octets(step->bytes, bytes, sizeof bytes);

	if (step->who == 'H')
		screen_host_ended(&t->screen);
	t->ended = t->ended || step->who == 'C';
	if (n == 0)
		look(t);
	for (size_t at = 0; at < n; at += piece)
		(step->who == 'c' ? hear_client : hear_host)(t, bytes + at, n - at < piece ? n - at : piece);
}

static void expect(const struct row *row, size_t piece)
{
	struct host_name granted;
	static struct talk t;
	uint8_t passed[4096];
	const size_t n = octets(row->passed, passed, sizeof passed);

	(void)snprintf(granted.text, sizeof granted.text, "%s", row->granted);
	memset(&t, 0, sizeof t);
	screen_init(&t.screen, granted.text[0] != 0 ? &granted : NULL, (row->flags & LINK_ECH) != 0);
	for (size_t i = 0; i < STEPS && row->steps[i].who != 0; i++)
		take(&t, &row->steps[i], piece);
	if (t.screen.state != row->state || (row->state == SCREEN_REFUSED && t.screen.reason != row->reason))
		fail_msg("%s, in pieces of %zu: state %d, reason %d", row->name, piece, t.screen.state,
			 t.screen.reason);
	if (t.n_passed != n || memcmp(t.passed, passed, n) != 0)
		fail_msg("%s, in pieces of %zu: %zu bytes passed, not %zu", row->name, piece, t.n_passed, n);
}

static void conversations_go_as_they_should(void **state)
{
	static const size_t pieces[] = { 1024, 1, 2, 3, 7, 50 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 0; piece < COUNT(pieces); piece++)
			expect(&rows[i], pieces[piece]);
}

static void what_was_asked_for_is_told(void **state)
{
	static const struct host_name granted = { "a.example" };
	uint8_t bytes[256];
	struct screen s;

	(void)state;
	screen_init(&s, &granted, false);
	assert_int_equal(screen_client(&s, bytes, octets(OTHER, bytes, sizeof bytes)), 0);
	assert_string_equal(s.hello.name.text, "b.example");
	screen_init(&s, &granted, false);
	assert_int_equal(screen_client(&s, bytes, octets(TWO_NAMES, bytes, sizeof bytes)), 0);
	assert_string_equal(s.hello.name.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversations_go_as_they_should),
		cmocka_unit_test(what_was_asked_for_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
