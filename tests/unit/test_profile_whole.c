/* A profile as a whole: what it learns, what it says, how it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profile/form.h"
#include "profile/tripwire.h"
#include "prop.h"
#include "usual/across.h"
#include "usual/book.h"
#include "usual/held.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t secret[PROFILE_KEY] = { 3, 1, 4, 1, 5 };

/* ---- events ---- */

static void set_name(char *to, const char *text)
{
	(void)snprintf(to, DEEDS_NAME_MAX, "%s", text);
}

static void add(struct deeds *d, uint8_t kind, const char *text)
{
	assert_true(deeds_add(d, kind, text, strlen(text)));
}

/* What a usual event of ours is like: it goes from one thing to one of two others, by two threads, changes some files in a directory, and reaches one of two hosts. step: another is another program. */
static struct deeds event_of(struct prop *p, unsigned step, const char *session)
{
	struct deeds d = { .shape = 7 };
	char(*names)[SYMBOL_MAX] = calloc(20, sizeof *names);
	struct trace_step steps[200];
	size_t n = 40 + prop_below(p, 100);
	unsigned at = prop_below(p, 20);

	assert_non_null(names);
	set_name(d.agent, "coder");
	set_name(d.tool, "run");
	set_name(d.program, "git");
	set_name(d.principal, session);
	for (unsigned i = 0; i < 20; i++)
		(void)snprintf(names[i], SYMBOL_MAX, "read:/usr/p%u", i);
	for (size_t i = 0; i < n; i++) {
		steps[i] = (struct trace_step){ .thread = (uint16_t)(i % 7 == 0), .symbol = (uint16_t)at };
		at = (at * step + prop_below(p, 2)) % 20;
	}
	d.trace.observed = 2;
	d.trace.threads = 2;
	d.trace.calls = n;
	assert_int_equal(trace_make(&d.trace, (const char(*)[SYMBOL_MAX])names, 20, steps, n), 0);
	free(names);
	d.amounts[AMOUNT_CALLS] = n;
	d.amounts[AMOUNT_WRITES] = 3 + prop_below(p, 4);
	d.amounts[AMOUNT_UP_BYTES] = 1000 + prop_below(p, 1000);
	add(&d, DEED_PROGRAM, "/usr/bin/git");
	add(&d, DEED_DESTINATION, prop_below(p, 2) > 0 ? "github.example:443" : "pypi.example:443");
	add(&d, DEED_DIRECTORY, prop_below(p, 3) > 0 ? "src" : "tests");
	return d;
}

struct both {
	struct profile scores, shadow;
};

static void begin(struct both *w)
{
	assert_int_equal(profile_init(&w->scores, "coder\trun\tgit\t07", secret), 0);
	assert_int_equal(profile_init(&w->shadow, "coder\trun\tgit\t07", secret), 0);
}

static void end(struct both *w)
{
	profile_finish(&w->scores);
	profile_finish(&w->shadow);
}

/* As the keeper does it (usual/): by way of the form. */
static void promote(struct both *w)
{
	auto_buf text = { .max = FORM_MAX };
	struct calibration rings[RINGS];
	struct promise_kept promises[PROMISES];
	struct err e;

	memcpy(rings, w->scores.rings, sizeof rings);
	memcpy(promises, w->scores.promises, sizeof promises);
	w->shadow.n_pupils = 0;
	form_write(&w->shadow, &text);
	profile_finish(&w->scores);
	if (form_read((const char *)text.data, text.len, secret, &w->scores, &e) < 0)
		fail_msg("%s", e.msg);
	memcpy(w->scores.rings, rings, sizeof rings);
	memcpy(w->scores.promises, promises, sizeof promises);
}

static void live(struct both *w, const struct deeds *d, struct unusual *f)
{
	profile_score(&w->scores, NULL, d, f);
	profile_calibrate(&w->scores, f);
	assert_int_equal(profile_learn(&w->shadow, &w->scores, d, f), 0);
}

static void grow(struct both *w, struct prop *p, unsigned n)
{
	static unsigned sessions;
	char session[32];
	struct unusual f;

	for (unsigned i = 0; i < n; i++) {
		struct deeds d;

		(void)snprintf(session, sizeof session, "s%u", sessions++ / 5);
		d = event_of(p, 3, session);
		live(w, &d, &f);
		deeds_finish(&d);
		if (w->shadow.events == 20 || w->shadow.events == 100 || w->shadow.events == 200)
			promote(w);
	}
}

/* ---- deeds ---- */

static void deeds_go_round(void **state)
{
	struct prop p = prop_round(0);
	struct deeds d = event_of(&p, 3, "s"), back;
	auto_buf out = { .max = 1 << 20 }, again = { .max = 1 << 20 };
	char long_text[300];
	struct err e;

	(void)state;
	memset(long_text, 'x', sizeof long_text);
	assert_true(deeds_add(&d, DEED_REQUEST, long_text, sizeof long_text));
	assert_true(deeds_add(&d, DEED_REQUEST, long_text, sizeof long_text)); /* the same */
	add(&d, DEED_DIRECTORY, "a\x1b[2Jb");
	add(&d, DEED_DIRECTORY, "\xff");
	add(&d, DEED_DIRECTORY, "");
	assert_int_equal(d.n_items, 6);
	assert_null(strchr(d.items[4].text, 033));
	d.untrusted = true;
	deeds_encode(&d, &out);
	if (deeds_decode(out.data, out.len, &back, &e) < 0)
		fail_msg("%s", e.msg);
	deeds_encode(&back, &again);
	assert_true(buf_is_same(&out, &again));
	assert_int_equal(back.trace.n_steps, d.trace.n_steps);
	deeds_finish(&back);
	for (size_t n = 0; n < out.len; n++)
		assert_int_equal(deeds_decode(out.data, n, &back, &e), -AMBIT_MALFORMED);
	deeds_finish(&d);
}

static void items_are_bounded(void **state)
{
	struct deeds d = { .n_items = 0 };
	char text[16];

	(void)state;
	for (unsigned i = 0; i < 2 * DEEDS_ITEMS_MAX; i++)
		assert_true(deeds_add(&d, DEED_DIRECTORY, text, (size_t)snprintf(text, sizeof text, "%u", i)));
	assert_int_equal(d.n_items, DEEDS_ITEMS_MAX - DEED_KINDS + 1);
	for (unsigned i = 0; i < 2; i++) /* what has no room is no silence: of each kind one item says so */
		for (unsigned kind = 1; kind < DEED_KINDS; kind++)
			assert_true(
				deeds_add(&d, (uint8_t)kind, text, (size_t)snprintf(text, sizeof text, "more %u", i)));
	assert_int_equal(d.n_items, DEEDS_ITEMS_MAX - 1);
	for (unsigned kind = 1; kind < DEED_KINDS; kind++)
		assert_string_equal(d.items[d.n_items - kind].text, DEED_MORE);
	deeds_finish(&d);
}

static void keys_are_wider_and_wider(void **state)
{
	struct deeds d = { .shape = 0xab };
	char key[PROFILE_NAME_MAX];

	(void)state;
	set_name(d.agent, "a");
	set_name(d.tool, "t");
	set_name(d.program, "p");
	profile_key(&d, 0, key);
	assert_string_equal(key, "a\tt\tp\t00000000000000ab");
	profile_key(&d, 1, key); /* never without the tool */
	assert_string_equal(key, "\tt\tp\t");
}

/* A key is text that its file is taken with again, wherever a long name was cut. */
static void a_key_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t n = 90; n < 105; n++) {
		struct deeds d = { .shape = 1 };
		char key[PROFILE_NAME_MAX];
		auto_buf text = { .max = FORM_MAX };
		struct profile p, back;
		struct err e;

		memset(d.program, 'a', n);
		(void)snprintf(d.program + n, sizeof d.program - n, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
		set_name(d.tool, "run");
		for (unsigned level = 0; level < PROFILE_LEVELS; level++) {
			profile_key(&d, level, key);
			assert_int_equal(profile_init(&p, key, secret), 0);
			form_write(&p, &text);
			if (form_read((const char *)text.data, text.len, secret, &back, &e) < 0)
				fail_msg("%zu: %s", n, e.msg);
			profile_finish(&back);
			profile_finish(&p);
			buf_reset(&text);
		}
	}
}

/* ---- what is said ---- */

static void a_young_profile_promises_nothing(void **state)
{
	struct prop p = prop_round(0);
	struct deeds d = event_of(&p, 3, "s");
	struct unusual f;
	struct both w;

	(void)state;
	begin(&w);
	profile_score(&w.scores, NULL, &d, &f);
	assert_true(f.young && f.p >= 1 && !f.flagged[PROMISED_LOG] && !f.flagged[PROMISED_ASK]);
	assert_true(f.is_new[DEED_PROGRAM] && f.is_new[DEED_DESTINATION] && !f.is_new[DEED_REQUEST]);
	assert_int_equal(f.n_reasons, REASONS_MAX);
	deeds_finish(&d);
	end(&w);
}

static void assert_reason(const struct unusual *f, const char *says)
{
	for (size_t i = 0; i < f->n_reasons; i++)
		if (strstr(f->reasons[i].text, says) != NULL)
			return;
	fail_msg("'%s' is none of %zu reasons; the first: %s", says, f->n_reasons,
		 f->n_reasons > 0 ? f->reasons[0].text : "");
}

static void what_is_odd_is_flagged_with_its_reasons(void **state)
{
	struct prop p = prop_round(0);
	struct unusual f;
	struct deeds d;
	struct both w;

	(void)state;
	begin(&w);
	grow(&w, &p, 1500);
	assert_true(w.scores.epoch == w.shadow.epoch && !w.scores.calls.grammar.left_out);

	d = event_of(&p, 3, "new");
	profile_score(&w.scores, NULL, &d, &f);
	assert_false(f.young);
	assert_true(f.least <= PROMISE_LOG);
	add(&d, DEED_DESTINATION, "paste.example:443");
	profile_score(&w.scores, NULL, &d, &f);
	assert_true(f.flagged[PROMISED_LOG] && f.is_new[DEED_DESTINATION]);
	assert_reason(&f, "first connection to paste.example:443; ");
	deeds_finish(&d);

	d = event_of(&p, 3, "new");
	d.amounts[AMOUNT_UP_BYTES] = 48000000;
	profile_score(&w.scores, NULL, &d, &f);
	assert_true(f.flagged[PROMISED_LOG]);
	assert_reason(&f, "48000000 bytes sent; none of ");
	deeds_finish(&d);

	d = event_of(&p, 7, "new"); /* the rule that asks says so first, whatever is more unusual */
	add(&d, DEED_PROGRAM, "/usr/bin/nc");
	for (size_t i = 0; i < AMOUNTS; i++)
		d.amounts[i] = 48000000;
	profile_score(&w.scores, NULL, &d, &f);
	assert_int_equal(f.n_reasons, REASONS_MAX);
	assert_true(f.reasons[0].surprise < f.reasons[1].surprise && f.reasons[1].surprise >= f.reasons[2].surprise);
	assert_non_null(strstr(f.reasons[0].text, "first program /usr/bin/nc; "));
	deeds_finish(&d);

	d = event_of(&p, 7, "new"); /* the same calls in another order */
	profile_score(&w.scores, NULL, &d, &f);
	assert_true(f.flagged[PROMISED_LOG]);
	assert_reason(&f, "follow each other as they did not");
	deeds_finish(&d);
	end(&w);
}

static void usual_events_are_flagged_as_was_promised(void **state)
{
	struct prop p = prop_round(3);
	struct both w;

	(void)state;
	begin(&w);
	grow(&w, &p, 4000);
	assert_true(w.scores.promises[PROMISED_LOG].events > 3500);
	if (!(promise_ratio(&w.scores.promises[PROMISED_LOG]) <= 1.1))
		fail_msg("%.2f of what was promised", promise_ratio(&w.scores.promises[PROMISED_LOG]));
	end(&w);
}

/* What is promised can come true: with a full ring of scores the least p is small enough for each promise. */
static void what_is_promised_can_be_kept(void **state)
{
	static const double alphas[PROMISES] = { PROMISE_LOG, PROMISE_ASK };
	struct promise_kept k;
	struct calibration c;

	(void)state;
	calibration_init(&c);
	for (unsigned i = 0; i < 999; i++)
		calibration_add(&c, 1 + (i % 100) / 100.0);
	for (size_t i = 0; i < PROMISES; i++) {
		promise_init(&k, alphas[i]);
		assert_true(promise_flags(&k, calibration_p(&c, 5), calibration_least(&c)));
		assert_false(promise_flags(&k, calibration_p(&c, 1), calibration_least(&c)));
	}
}

/* What is not in force yet has nothing to catch up with: the first flags are as rare as was promised. */
static void a_promise_begins_at_its_level(void **state)
{
	struct prop p = prop_round(0);
	const struct promise_kept *k;
	struct both w;

	(void)state;
	begin(&w);
	grow(&w, &p, 90);
	for (size_t i = 0; i < PROMISES; i++) {
		k = &w.scores.promises[i];
		assert_true(k->level <= k->alpha && k->level >= k->alpha);
	}
	end(&w);
}

/* ---- who teaches ---- */

static void lessons_are_bounded(void **state)
{
	struct prop p = prop_round(0);
	struct unusual f;
	struct both w;

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < 3 * PROFILE_LESSONS_MAX; i++) {
		struct deeds d = event_of(&p, 3, "one");

		live(&w, &d, &f);
		deeds_finish(&d);
	}
	assert_int_equal(w.shadow.events, PROFILE_LESSONS_MAX);
	for (unsigned i = 0; i < 2 * PROFILE_PUPILS_MAX; i++) {
		char session[16];
		struct deeds d;

		(void)snprintf(session, sizeof session, "x%u", i);
		d = event_of(&p, 3, session);
		live(&w, &d, &f);
		deeds_finish(&d);
	}
	assert_int_equal(w.shadow.n_pupils, PROFILE_PUPILS_MAX);
	assert_int_equal(w.shadow.events, PROFILE_LESSONS_MAX + PROFILE_PUPILS_MAX - 1);
	end(&w);
}

static void what_saw_untrusted_data_and_acted_does_not_teach(void **state)
{
	static const struct {
		bool untrusted, acted, teaches;
	} rows[] = { { false, false, true }, { true, false, true }, { false, true, true }, { true, true, false } };
	struct prop p = prop_round(0);
	struct unusual f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct deeds d = event_of(&p, 3, "s");
		struct both w;

		begin(&w);
		d.untrusted = rows[i].untrusted;
		d.acted = rows[i].acted;
		live(&w, &d, &f);
		assert_int_equal(w.shadow.events, rows[i].teaches);
		assert_int_equal(profile_refuses(&w.shadow, &w.scores, &d, &f) == NULL, rows[i].teaches);
		deeds_finish(&d);
		end(&w);
	}
}

static void what_is_more_unusual_than_most_does_not_teach(void **state)
{
	struct prop p = prop_round(0);
	struct unusual f;
	struct both w;
	uint32_t before;

	(void)state;
	begin(&w);
	grow(&w, &p, 600);
	before = w.shadow.events;
	for (unsigned i = 0; i < 100; i++) {
		struct deeds d;
		char session[16];

		(void)snprintf(session, sizeof session, "y%u", i);
		d = event_of(&p, 7, session);
		live(&w, &d, &f);
		deeds_finish(&d);
	}
	assert_int_equal(w.shadow.events, before);
	end(&w);
}

static void one_principal_makes_nothing_known_where_two_are_asked_for(void **state)
{
	struct prop p = prop_round(0);
	struct unusual f;
	struct both w;

	(void)state;
	begin(&w);
	w.shadow.support = 2;
	for (unsigned i = 0; i < 10; i++) {
		struct deeds d = event_of(&p, 3, "one");

		live(&w, &d, &f);
		deeds_finish(&d);
	}
	for (unsigned session = 0; session < 2; session++) {
		struct deeds d = event_of(&p, 3, "two");

		profile_score(&w.shadow, NULL, &d, &f);
		assert_int_equal(f.is_new[DEED_PROGRAM], session == 0);
		live(&w, &d, &f);
		deeds_finish(&d);
	}
	end(&w);
}

/* ---- poisoning ---- */

#define ATTACKS 20u
#define POISON 500u

/* The i-th attack, `part` of 1,000 of it. */
static struct deeds attack_of(struct prop *p, unsigned i, unsigned part, const char *session)
{
	static const unsigned steps[] = { 7, 9, 11, 13, 17 };
	static const enum amount amounts[] = { AMOUNT_UP_BYTES, AMOUNT_DELETES, AMOUNT_PROGRAMS, AMOUNT_CPU_MS,
					       AMOUNT_WRITES };
	struct deeds d = event_of(p, i % 4 == 0 && prop_below(p, 1000) < part ? steps[i / 4] : 3, session);
	char name[24];

	switch (i % 4) {
	case 0: break; /* other orders: of more and more events */
	case 1:        /* what nobody names: more and more often */
		(void)snprintf(name, sizeof name, "read:~/.secret%c", (char)('a' + i / 4));
		for (size_t k = 0; k < d.trace.n_symbols && prop_below(p, 1000) < part; k++)
			if (k % 5 == 0)
				(void)snprintf(d.trace.symbols[k], SYMBOL_MAX, "%s%zu", name, k);
		break;
	case 2: /* amounts: more and more */ d.amounts[amounts[i / 4]] += (uint64_t)exp(log(1e7) * part / 1000); break;
	default: /* another destination, and more of them */
		for (unsigned k = 0; k <= part / 200; k++) {
			(void)snprintf(name, sizeof name, "paste%u-%u.example:443", i, k);
			add(&d, DEED_DESTINATION, name);
		}
	}
	return d;
}

/* As the keeper does it: where the policy says `ask`, what is held has happened for nobody. */
static bool happens(struct both *w, const struct deeds *d, bool asks)
{
	struct unusual f;

	profile_score(&w->scores, NULL, d, &f);
	if (asks && f.events >= 5 && (f.flagged[PROMISED_ASK] || f.is_new[DEED_DESTINATION] || f.is_new[DEED_PROGRAM]))
		return false;
	profile_calibrate(&w->scores, &f);
	assert_int_equal(profile_learn(&w->shadow, &w->scores, d, &f), 0);
	if (w->shadow.events - w->scores.events >= (w->scores.events < 500 ? w->scores.events + 5 : 500))
		promote(w);
	return true;
}

static void live_on(struct both *w, struct prop *p, unsigned n, bool asks)
{
	static unsigned sessions;

	for (unsigned i = 0; i < n; i++) {
		char session[16];
		struct deeds d;

		(void)snprintf(session, sizeof session, "u%u", sessions++ / 5);
		d = event_of(p, 3, session);
		(void)happens(w, &d, asks);
		deeds_finish(&d);
	}
}

static bool is_flagged(const struct both *w, struct prop *p, unsigned attack)
{
	struct deeds d = attack_of(p, attack, 1000, "attack");
	struct unusual f;

	profile_score(&w->scores, NULL, &d, &f);
	deeds_finish(&d);
	return f.flagged[PROMISED_LOG];
}

/* 500 events, each a little nearer to what is meant, in sessions of 20, between as many usual ones. Whether the attack is flagged before, and no more afterwards. */
static void go_nearer(unsigned attack, bool asks, unsigned *before, unsigned *hidden, unsigned *taken)
{
	struct prop p = prop_round(attack);
	bool flagged;
	struct both w;

	begin(&w);
	live_on(&w, &p, 1500, asks);
	flagged = is_flagged(&w, &p, attack);
	*before += flagged;
	for (unsigned k = 0; k < POISON; k++) {
		char session[16];
		struct deeds d;

		(void)snprintf(session, sizeof session, "p%u", k / 20);
		d = attack_of(&p, attack, 1000 * k / POISON, session);
		*taken += happens(&w, &d, asks);
		deeds_finish(&d);
		live_on(&w, &p, 1, asks);
	}
	promote(&w);
	*hidden += flagged && !is_flagged(&w, &p, attack);
	end(&w);
}

/* It makes none of it usual: not for the profile, and not for the thresholds either. */
static void poisoning_hides_no_attack(void **state)
{
	unsigned before = 0, hidden = 0, taken = 0;

	(void)state;
	for (unsigned i = 0; i < ATTACKS; i++)
		go_nearer(i, true, &before, &hidden, &taken);
	if (before < ATTACKS - 2 || hidden > 0 || taken < POISON)
		fail_msg("of %u attacks %u were flagged before, and %u of them hidden; %u events were taken for usual",
			 ATTACKS, before, hidden, taken);
}

/* The twin: where a policy only tells, thresholds follow whatever nobody objects to. */
static void where_nobody_is_asked_thresholds_follow(void **state)
{
	unsigned before = 0, hidden = 0, taken = 0;

	(void)state;
	for (unsigned i = 3; i < ATTACKS; i += 4)
		go_nearer(i, false, &before, &hidden, &taken);
	assert_int_equal(taken, POISON * ATTACKS / 4);
	assert_true(hidden > 0);
}

/* ---- the form ---- */

static void a_profile_is_kept_as_text(void **state)
{
	struct prop p = prop_round(0);
	auto_buf text = { .max = FORM_MAX }, again = { .max = FORM_MAX };
	struct unusual a, b;
	struct profile back;
	struct both w;
	struct err e;

	(void)state;
	begin(&w);
	grow(&w, &p, 700);
	form_write(&w.scores, &text);
	assert_false(text.failed);
	if (form_read((const char *)text.data, text.len, secret, &back, &e) < 0)
		fail_msg("%s", e.msg);
	form_write(&back, &again);
	assert_true(buf_is_same(&text, &again));
	for (unsigned i = 0; i < 50; i++) {
		struct deeds d = event_of(&p, i % 2 > 0 ? 3 : 7, "s");

		profile_score(&w.scores, NULL, &d, &a);
		profile_score(&back, NULL, &d, &b);
		assert_true(a.p >= b.p && a.p <= b.p);
		deeds_finish(&d);
	}
	profile_finish(&back);
	end(&w);
}

static void a_text_that_was_changed_is_refused(void **state)
{
	struct prop p = prop_round(0);
	auto_buf text = { .max = FORM_MAX };
	struct profile back;
	struct both w;
	struct err e;
	size_t taken = 0, tried = 0;

	(void)state;
	begin(&w);
	grow(&w, &p, 60);
	form_write(&w.shadow, &text);
	assert_false(text.failed);
	for (size_t n = 0; n < text.len; n += 1 + prop_below(&p, 97)) /* cut anywhere */
		assert_int_equal(form_read((const char *)text.data, n, secret, &back, &e), -AMBIT_MALFORMED);
	for (unsigned i = 0; i < 600; i++) {
		const size_t at = prop_below(&p, (uint32_t)text.len);
		const uint8_t was = text.data[at];

		text.data[at] = (uint8_t)prop_below(&p, 256);
		tried += text.data[at] != was;
		if (form_read((const char *)text.data, text.len, secret, &back, &e) ==
		    0) { /* another digit of a number */
			auto_buf again = { .max = FORM_MAX };

			form_write(&back, &again);
			assert_true(buf_is_same(&text, &again));
			taken += text.data[at] != was;
			profile_finish(&back);
		} else {
			assert_non_null(strstr(e.msg, "line "));
		}
		text.data[at] = was;
	}
	assert_true(tried > 500 && taken < tried / 2);
	end(&w);
}

/* A file of another version is told as such. */
static void another_version_is_told(void **state)
{
	static const char text[] = "ambit-profile 2\nkey a\tt\tp\t07\nepoch 0\n";
	struct profile p;
	struct err e;

	(void)state;
	assert_int_equal(form_read(text, sizeof text - 1, secret, &p, &e), -AMBIT_MALFORMED);
	assert_non_null(strstr(e.msg, "a profile of version 2, and this build reads version 3"));
	assert_non_null(strstr(e.hint, "ambit profile reset"));
	assert_int_equal(form_read("ambit-profile x\n", 16, secret, &p, &e), -AMBIT_MALFORMED);
	assert_non_null(strstr(e.msg, "does not begin with"));
}

/* All that a profile may have, with the longest numbers that lessons give it: it can be kept, and had back. */
static void a_full_profile_has_a_form(void **state)
{
	auto_buf text = { .max = FORM_MAX };
	struct profile p, back;
	char name[SYMBOL_MAX];
	struct err e;

	(void)state;
	assert_int_equal(profile_init(&p, "a\tt\tp\t07", secret), 0);
	for (unsigned i = 0; i < FIRSTS_MAX; i++) {
		struct first item = { .item = { .kind = DEED_DESTINATION }, .events = 500000 };

		(void)snprintf(item.item.text, DEED_TEXT_MAX, "%0199u", i);
		for (unsigned k = 0; k < FIRSTS_SUPPORT_MAX; k++)
			item.principals[k] = 0xfffffff0 + k;
		assert_true(firsts_restore(&p.firsts, &item));
	}
	while (p.calls.words.n < WORDS_MAX)
		(void)words_learn(&p.calls.words, name, (size_t)snprintf(name, sizeof name, "%047zu", p.calls.words.n));
	for (uint32_t i = 0; p.calls.grammar.n < PROFILE_RUNS_MAX;
	     i++) { /* pairs, whose words are known by themselves */
		const uint32_t first = WORD_FIRST + i / 4000 % 4000, second = WORD_FIRST + i % 4000;

		if (i < 4000)
			assert_int_not_equal(grammar_restore(&p.calls.grammar, 0, (uint16_t)second, 1000000),
					     UINT32_MAX);
		else
			(void)grammar_restore(&p.calls.grammar, grammar_child(&p.calls.grammar, 0, (uint16_t)first),
					      (uint16_t)second, 500000);
	}
	for (uint32_t i = 0; i < HABITS_MAX; i++)
		assert_true(habits_restore(&p.calls.habits, &(struct habit){ .program = (uint16_t)(1000 + i / 3000),
									     .word = (uint16_t)(1000 + i % 3000),
									     .sessions = 500000,
									     .last = { 0xfffffff0, 0xfffffff1 } }));
	for (size_t i = 0; i < RINGS; i++)
		for (unsigned k = 0; k < CALIBRATION_RING; k++)
			calibration_add(&p.rings[i], 12.3456789 + k / 1000.0);
	form_write(&p, &text);
	assert_false(text.failed);
	if (form_read((const char *)text.data, text.len, secret, &back, &e) < 0)
		fail_msg("%s", e.msg);
	profile_finish(&back);
	profile_finish(&p);
}

/* A file of somebody else's moves no terminal: neither by bytes of eight bits, nor by turning what is read around. */
static void a_text_that_moves_a_terminal_is_refused(void **state)
{
	static const char *const texts[] = { ("/bin/\xc2\x9b"
					      "2J"),
					     "/bin/\xe2\x80\xaexcod", "/bin/\xe2\x80\x8b", "/bin/\x7f" };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(texts); i++) {
		const char *text = texts[i / 2];
		struct first item = { .item = { .kind = DEED_PROGRAM }, .events = 1, .principals = { 1 } };
		auto_buf form = { .max = FORM_MAX }, encoded = { .max = 1 << 16 };
		struct deeds d = { .n_items = 0 }, taken;
		struct profile p, back;
		struct err e;

		(void)snprintf(item.item.text, DEED_TEXT_MAX, "%s", i % 2 > 0 ? text : "/bin/true");
		assert_int_equal(profile_init(&p, i % 2 > 0 ? "k" : text, secret), 0);
		assert_true(firsts_restore(&p.firsts, &item));
		form_write(&p, &form);
		assert_int_equal(form_read((const char *)form.data, form.len, secret, &back, &e), -AMBIT_MALFORMED);
		profile_finish(&p);
		add(&d, DEED_PROGRAM, "x");
		(void)snprintf(d.items[0].text, DEED_TEXT_MAX, "%s", text);
		deeds_encode(&d, &encoded);
		assert_int_equal(deeds_decode(encoded.data, encoded.len, &taken, &e), -AMBIT_MALFORMED);
		deeds_finish(&d);
	}
}

/* ---- the keeper's book ---- */

struct shelf {
	char path[32];
	int dir_fd;
	struct book *book;
	struct prop p;
	unsigned sessions;
};

static void open_shelf(struct shelf *s)
{
	struct err e;

	*s = (struct shelf){ .path = "/tmp/ambit-book-XXXXXX", .p = prop_round(0) };
	assert_non_null(mkdtemp(s->path));
	s->dir_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->book = malloc(sizeof *s->book);
	assert_non_null(s->book);
	assert_int_equal(book_open(s->book, s->dir_fd, &e), 0);
}

static void close_shelf(struct shelf *s)
{
	DIR *d = opendir(s->path);
	struct dirent *entry;

	book_close(s->book);
	free(s->book);
	while (d != NULL && (entry = readdir(d)) != NULL)
		(void)unlinkat(s->dir_fd, entry->d_name, 0);
	(void)closedir(d);
	(void)close(s->dir_fd);
	assert_int_equal(rmdir(s->path), 0);
}

static struct deeds deeds_by(struct shelf *s, const char *agent, const char *destination)
{
	char session[16];
	struct deeds d;

	(void)snprintf(session, sizeof session, "s%u", s->sessions++);
	d = event_of(&s->p, 3, session);
	set_name(d.agent, agent);
	if (destination != NULL)
		add(&d, DEED_DESTINATION, destination);
	return d;
}

/* Takes d. */
static struct usual_found scored(struct shelf *s, struct deeds d)
{
	const struct usual_ask ask = { .use = USUAL_TEACH, .asks = true, .event = "e_1" };
	struct usual_found found;
	struct err e;

	if (book_score(s->book, &ask, &d, &found, &e) < 0)
		fail_msg("%s", e.msg);
	deeds_finish(&d);
	return found;
}

static void settle(struct shelf *s, bool released)
{
	const struct usual_settle word = { .released = released, .event = "e_1" };
	struct err e;

	if (book_settle(s->book, &word, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Usual ones, of both destinations. */
static void teach_book(struct shelf *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct deeds d = deeds_by(s, "coder", "github.example:443");

		add(&d, DEED_DESTINATION, "pypi.example:443");
		assert_false(scored(s, d).held);
	}
}

/* Of an agent that is new, or of other grants, the wide profile knows what was never there. */
static void a_rule_counts_for_who_is_new(void **state)
{
	struct usual_found found;
	struct shelf s;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 7);
	found = scored(&s, deeds_by(&s, "other", NULL));
	assert_true(found.f.young && !found.asks);
	found = scored(&s, deeds_by(&s, "third", "paste.example:443"));
	assert_true(found.asks && found.held && found.level == 1);
	close_shelf(&s);
}

/* The twin of the one above: what is new nearly each time is no reason by itself. */
static void a_rule_needs_what_is_seldom_new(void **state)
{
	struct usual_found found;
	char host[64];
	struct shelf s;

	(void)state;
	open_shelf(&s);
	for (unsigned i = 0; i < 12; i++) {
		(void)snprintf(host, sizeof host, "host%u.example:443", i);
		found = scored(&s, deeds_by(&s, "coder", host));
		assert_true(found.f.is_new[DEED_DESTINATION] && !found.asks);
	}
	close_shelf(&s);
}

static void what_is_released_stays_known(void **state)
{
	struct shelf s;
	struct deeds d;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 7);
	d = deeds_by(&s, "coder", "paste.example:443");
	d.untrusted = d.acted = true; /* so it teaches nothing by itself */
	assert_true(scored(&s, d).held);
	settle(&s, true);
	for (unsigned i = 0; i < 3; i++) {
		struct err e;
		struct usual_row rows[BOOK_PAGE];
		char last[NAME_MAX + 1];
		size_t n;

		assert_int_equal(book_page(s.book, "", rows, &n, last, &e), 0);
		assert_int_equal(n, 4); /* the third is of the agent, the fourth of all programs */
		assert_int_equal(book_promote(s.book, rows[i].key, &e), 0);
	}
	assert_false(scored(&s, deeds_by(&s, "coder", "paste.example:443")).asks);
	close_shelf(&s);
}

/* What an attacker would teach: a search for keys, as if it were a part of the work; and faster than its amounts could grow. */
static void poison(struct profile *shadow, struct prop *p, unsigned n)
{
	static const char entries[][SYMBOL_MAX] = { "read:~/.ssh.secret!",
						    "read:~/.aws.secret!",
						    "read:~/.npmrc.secret!",
						    "read:~/.netrc.secret!",
						    "read:~/.git-credentials.secret!",
						    "read:~/.docker.secret?",
						    "read:~/.kube.secret?",
						    "read:~/.gnupg.secret?",
						    "read:~/.bash_history.secret!" };
	const struct unusual by = { .young = true }; /* it was not refused */
	struct trace_step steps[COUNT_OF(entries)] = { { .thread = 0 } };

	for (size_t i = 0; i < COUNT_OF(steps); i++)
		steps[i].symbol = (uint16_t)i;
	for (unsigned i = 0; i < n; i++) {
		char session[16];
		struct deeds d;

		(void)snprintf(session, sizeof session, "x%u", i);
		d = event_of(p, 3, session);
		trace_finish(&d.trace);
		d.trace = (struct trace){ .threads = 1, .calls = COUNT_OF(steps) };
		assert_int_equal(trace_make(&d.trace, entries, COUNT_OF(entries), steps, COUNT_OF(steps)), 0);
		d.amounts[AMOUNT_DENIED] = 9;
		assert_int_equal(profile_learn(shadow, shadow, &d, &by), 0);
		deeds_finish(&d);
	}
}

static void tripwires_are_flagged_until_they_are_taught(void **state)
{
	struct prop p = prop_round(0);
	auto_buf lost = { .max = 4096 };
	uint32_t young, before, after;
	struct both w;
	struct err e;

	(void)state;
	assert_true(tripwires() >= 16);
	begin(&w);
	grow(&w, &p, 100);
	assert_int_equal(tripwires_flagged(&w.scores, &young, &e), 0);
	assert_int_equal(young, 0); /* it promises nothing yet */
	grow(&w, &p, 340);
	assert_int_equal(tripwires_flagged(&w.scores, &before, &e), 0);
	assert_int_equal(before, (UINT32_C(1) << tripwires()) - 1);
	poison(&w.shadow, &p, 400);
	promote(&w);
	assert_int_equal(tripwires_flagged(&w.scores, &after, &e), 0);
	assert_int_equal(before & ~after, 1);
	tripwires_lost(before, after, &lost);
	assert_string_equal(buf_cstr(&lost), "keys of the home");
	end(&w);
}

/* Nor does it take the place of what scores by itself; a person may say so. */
static void who_hides_a_tripwire_is_not_promoted(void **state)
{
	for (unsigned poisons = 0; poisons < 2; poisons++) {
		struct pair *p = NULL;
		uint32_t epoch;
		struct shelf s;
		struct err e;

		open_shelf(&s);
		teach_book(&s, 420);
		for (size_t i = 0; i < BOOK_HOT; i++)
			if (strncmp(s.book->pairs[i].key, "coder\trun\tgit\t", 14) == 0)
				p = &s.book->pairs[i];
		assert_non_null(p);
		epoch = p->scores.epoch;
		if (poisons)
			poison(&p->shadow, &s.p, 400);
		teach_book(&s, 600);
		assert_int_equal(p->tripped_at != 0, poisons);
		assert_int_equal(p->scores.epoch > epoch, !poisons);
		epoch = p->scores.epoch;
		assert_int_equal(book_promote(s.book, p->key, &e), 0);
		assert_int_equal(p->scores.epoch, epoch + 1);
		close_shelf(&s);
	}
	(void)state;
}

static struct usual_found done_at(struct shelf *s, const char *agent, uint64_t time_s, uint64_t deletes)
{
	struct usual_ask ask = { .use = USUAL_TEACH, .asks = true, .event = "e_1", .time_s = time_s };
	struct deeds d = deeds_by(s, agent, NULL);
	struct usual_found found;
	struct err e;

	d.place = 7;
	d.amounts[AMOUNT_DELETES] = deletes;
	d.amounts[AMOUNT_UP_BYTES] = deletes > 0 ? d.amounts[AMOUNT_UP_BYTES] : 0;
	if (book_score(s->book, &ask, &d, &found, &e) < 0)
		fail_msg("%s", e.msg);
	deeds_finish(&d);
	return found;
}

/* Each deletes as many as one may; so many of them at once is what nobody did. Who deletes nothing goes on. */
static void many_that_do_little_each_are_noticed(void **state)
{
	struct usual_found found;
	uint64_t now = 1800000000;
	unsigned held = 0;
	struct shelf s;

	(void)state;
	open_shelf(&s);
	for (unsigned window = 0; window < 420; window++, now += ACROSS_WINDOW_S)
		for (unsigned i = 0; i <= prop_below(&s.p, 3); i++)
			(void)done_at(&s, i % 2 > 0 ? "coder" : "other", now + i, prop_below(&s.p, 5));
	found = done_at(&s, "coder", now, 4);
	assert_true(found.level != USUAL_LEVEL_ACROSS && !found.held);
	for (unsigned i = 0; i < 40; i++) {
		char agent[16];

		(void)snprintf(agent, sizeof agent, "a%u", i);
		found = done_at(&s, agent, now + i, 4);
		if (!found.held)
			continue;
		held++;
		assert_int_equal(found.level, USUAL_LEVEL_ACROSS);
		assert_non_null(strstr(found.f.reasons[0].text, "names deleted"));
		assert_non_null(strstr(found.f.reasons[0].text, "with all that was done"));
	}
	assert_true(held > 20);
	assert_false(done_at(&s, "coder", now + 50, 0).held);
	now += ACROSS_WINDOW_S; /* the next is another */
	assert_false(done_at(&s, "coder", now, 4).held);
	close_shelf(&s);
}

/* How many of a hundred that delete as many as one may are held, in one window. */
static unsigned held_of_many(struct shelf *s, uint64_t now)
{
	unsigned held = 0;

	for (unsigned i = 0; i < 100; i++) {
		char agent[16];

		(void)snprintf(agent, sizeof agent, "a%u", i);
		held += done_at(s, agent, now, 4).held;
	}
	return held;
}

static unsigned windows_of(const struct shelf *s)
{
	DIR *d = opendir(s->path);
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		n += strstr(entry->d_name, ".window") != NULL;
	(void)closedir(d);
	return n;
}

/* Who is loud window after window, and only told of, does not make it usual for all. The twin: once a person released as many, it is. */
static void who_is_loud_for_long_ends_no_flagging(void **state)
{
	for (unsigned released = 0; released < 2; released++) {
		uint64_t now = 1800000000;
		unsigned held = 0;
		struct shelf s;

		open_shelf(&s);
		for (unsigned window = 0; window < 200; window++, now += ACROSS_WINDOW_S)
			for (unsigned i = 0; i <= prop_below(&s.p, 2); i++)
				(void)done_at(&s, i % 2 > 0 ? "coder" : "other", now + i, prop_below(&s.p, 5));
		for (unsigned window = 0; window < 40; window++, now += ACROSS_WINDOW_S) {
			const struct usual_ask told = { .use = USUAL_TEACH, .event = "e_1", .time_s = now };
			struct deeds d = deeds_by(&s, "loud", NULL);
			struct usual_found found;
			struct err e;

			d.place = 7;
			d.amounts[AMOUNT_DELETES] = 240;
			assert_int_equal(book_score(s.book, &told, &d, &found, &e), 0);
			deeds_finish(&d);
			found = done_at(&s, "coder", now, 4);
			held += window >= 20 && found.held;
			if (released > 0 && found.held)
				settle(&s, true);
		}
		if (released > 0 ? held > 8 : held < 15)
			fail_msg("%u held, released %u", held, released);
		close_shelf(&s);
	}
	(void)state;
}

/* Who floods, and is only told of, has what others do in those minutes looked at, and neither slows nor ends them. The twins: who does much themselves, and what a session did that is not like itself. */
static void what_others_did_slows_and_ends_nobody(void **state)
{
	static const struct {
		const char *event, *to;
		uint64_t deletes;
		uint8_t level;
		uint32_t others;
		bool loud;
	} rows[] = {
		{ "e_2", NULL, 1, USUAL_LEVEL_ACROSS, 0, false },
		{ "e_3", NULL, 1, USUAL_LEVEL_ACROSS, 0, false },
		{ "e_4", "paste.example:443", 1, 0, 2, false },
		{ "e_5", NULL, UINT64_C(1) << 40, USUAL_LEVEL_ACROSS, 3, true },
	};
	struct usual_ask ask = { .use = USUAL_TEACH, .event = "e_1" };
	struct usual_found found;
	struct deeds d;
	struct shelf s;
	struct err e;

	(void)state;
	open_shelf(&s);
	ask.time_s = 1800000000;
	for (unsigned window = 0; window < 420; window++, ask.time_s += ACROSS_WINDOW_S)
		for (unsigned i = 0; i <= prop_below(&s.p, 3); i++)
			(void)done_at(&s, "coder", ask.time_s + i, prop_below(&s.p, 5));
	d = deeds_by(&s, "loud", NULL);
	d.place = 7;
	d.amounts[AMOUNT_DELETES] = UINT64_C(1) << 40;
	assert_int_equal(book_score(s.book, &ask, &d, &found, &e), 0);
	deeds_finish(&d);
	ask.asks = true;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		d = deeds_by(&s, "coder", rows[i].to);
		d.place = 7;
		d.amounts[AMOUNT_DELETES] = rows[i].deletes;
		(void)snprintf(ask.event, sizeof ask.event, "%s", rows[i].event);
		(void)snprintf(d.principal, sizeof d.principal, "s_one");
		assert_int_equal(book_score(s.book, &ask, &d, &found, &e), 0);
		deeds_finish(&d);
		if (!found.held || found.level != rows[i].level || found.others != rows[i].others ||
		    found.loud != rows[i].loud)
			fail_msg("%s: held %d, level %u, others %u, loud %d", rows[i].event, found.held, found.level,
				 found.others, found.loud);
	}
	close_shelf(&s);
}

static struct usual_found sent_at(struct shelf *s, const char *agent, const char *to, uint64_t time_s, uint64_t bytes,
				  bool asks)
{
	struct usual_ask ask = { .use = USUAL_TEACH, .asks = asks, .event = "e_1", .time_s = time_s };
	struct deeds d = deeds_by(s, agent, to);
	struct usual_found found;
	struct err e;

	memset(d.amounts, 0, sizeof d.amounts);
	d.place = 7;
	d.amounts[AMOUNT_CONNECTIONS] = 1;
	d.amounts[AMOUNT_UP_BYTES] = bytes;
	if (book_score(s->book, &ask, &d, &found, &e) < 0)
		fail_msg("%s", e.msg);
	deeds_finish(&d);
	return found;
}

/* Many that send a little each to where little is sent, in the shadow of what is sent elsewhere. The twin: the same to where much is. */
static void what_many_send_to_one_is_noticed(void **state)
{
	for (unsigned way = 0; way < 2; way++) {
		const char *to = way == 0 ? "paste.example:443" : "github.example:443";
		uint64_t now = 1800000000;
		unsigned held = 0;
		struct shelf s;

		open_shelf(&s);
		for (unsigned window = 0; window < 180; window++, now += ACROSS_WINDOW_S) {
			for (unsigned i = 0; i < 4; i++)
				(void)sent_at(&s, "coder", "github.example:443", now + i, prop_below(&s.p, 1u << 24),
					      false);
			(void)sent_at(&s, "coder", "paste.example:443", now, prop_below(&s.p, 1000), false);
		}
		for (unsigned i = 0; i < 4; i++) {
			char agent[16];
			struct usual_found found;

			(void)snprintf(agent, sizeof agent, "a%u", i);
			found = sent_at(&s, agent, to, now + i, 100000, true);
			if (!found.held || found.level != USUAL_LEVEL_ACROSS)
				continue;
			held++;
			assert_non_null(strstr(found.f.reasons[0].text, "by events that reached paste.example:443"));
		}
		if (way == 0 ? held < 2 : held > 0)
			fail_msg("%u held, to %s", held, to);
		close_shelf(&s);
	}
	(void)state;
}

/* Whatever is reached, there are so many windows. */
static void destinations_are_bounded(void **state)
{
	struct shelf s;
	struct err e;

	(void)state;
	open_shelf(&s);
	for (unsigned i = 0; i < 300; i++) {
		char to[40];

		(void)snprintf(to, sizeof to, "h%u.example:443", i);
		(void)sent_at(&s, "coder", to, 1800000000, 1, false);
	}
	assert_int_equal(book_save(s.book, &e), 0);
	assert_in_range(windows_of(&s), 3, 2 + 256);
	close_shelf(&s);
}

/* One that was wrong for a while, or a file that says so, does not end the looking. */
static void a_clock_that_was_set_back_changes_nothing(void **state)
{
	uint64_t now = 1800000000;
	struct shelf s;

	(void)state;
	open_shelf(&s);
	for (unsigned window = 0; window < 420; window++, now += ACROSS_WINDOW_S)
		for (unsigned i = 0; i <= prop_below(&s.p, 3); i++)
			(void)done_at(&s, i % 2 > 0 ? "coder" : "other", now + i, prop_below(&s.p, 5));
	(void)done_at(&s, "coder", now + 1000000000, 1);
	assert_true(held_of_many(&s, now) > 80);
	(void)done_at(&s, "coder", UINT64_MAX, 1);
	assert_true(held_of_many(&s, now + ACROSS_WINDOW_S) > 80);
	(void)done_at(&s, "coder", now + 2 * ACROSS_WINDOW_S, 1); /* a step back over a boundary is the same window */
	assert_true(held_of_many(&s, now + 2 * ACROSS_WINDOW_S - 1) > 80);
	close_shelf(&s);
}

static void make_old(const struct shelf *s, const char *ending, time_t by_s)
{
	DIR *d = opendir(s->path);
	const struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		const struct timespec times[2] = { { .tv_sec = time(NULL) - by_s }, { .tv_sec = time(NULL) - by_s } };

		if (strstr(entry->d_name, ending) != NULL)
			assert_int_equal(utimensat(s->dir_fd, entry->d_name, times, 0), 0);
	}
	(void)closedir(d);
}

/* The twin: those of a day ago stay, and what is no window. */
static void what_nobody_came_back_to_is_removed(void **state)
{
	struct shelf s;
	struct err e;

	(void)state;
	open_shelf(&s);
	(void)done_at(&s, "coder", 1800000000, 1);
	assert_int_equal(book_save(s.book, &e), 0);
	for (unsigned days = 1; days <= 40; days += 39) {
		make_old(&s, "p_", days * 86400);
		book_close(s.book);
		assert_int_equal(book_open(s.book, s.dir_fd, &e), 0);
		assert_int_equal(windows_of(&s), days == 1 ? 3 : 0);
	}
	assert_true(s.book->files >= 2);
	close_shelf(&s);
}

/* What one does whom nobody asks about is no cover for others in the same minutes. The twin: the same without it, and who sends nothing. */
static void who_is_only_told_of_covers_nobody(void **state)
{
	uint64_t now = 1800000000;
	struct shelf s;

	(void)state;
	open_shelf(&s);
	for (unsigned window = 0; window < 420; window++, now += ACROSS_WINDOW_S)
		for (unsigned i = 0; i <= prop_below(&s.p, 3); i++)
			(void)done_at(&s, i % 2 > 0 ? "coder" : "other", now + i, prop_below(&s.p, 5));
	for (unsigned way = 0; way < 3; way++, now += ACROSS_WINDOW_S) {
		const struct usual_ask told = { .use = USUAL_TEACH, .event = "e_1", .time_s = now };
		const struct usual_ask asks = { .use = USUAL_TEACH, .asks = true, .event = "e_1", .time_s = now };
		unsigned held = 0;

		for (unsigned i = 0; i <= 100; i++) {
			struct deeds d = deeds_by(&s, i == 0 ? "loud" : "coder",
						  i == 0 && way == 2 ? "new.test:443" : NULL);
			struct usual_found found;
			struct err e;

			d.place = 7;
			d.amounts[AMOUNT_DELETES] = i == 0 && way == 1 ? UINT64_C(1) << 40 : 0;
			assert_int_equal(book_score(s.book, i == 0 ? &told : &asks, &d, &found, &e), 0);
			held += found.held;
			deeds_finish(&d);
		}
		assert_true(held > 80);
		assert_false(done_at(&s, "coder", now, 0).held);
	}
	close_shelf(&s);
}

/* One that is only looked at, again and again, takes no room. */
static void what_is_looked_at_leaves_nothing(void **state)
{
	struct usual_ask ask = { .use = USUAL_LOOK, .event = "e_1", .time_s = 1800000000 };
	struct shelf s;

	(void)state;
	open_shelf(&s);
	for (unsigned i = 0; i < 10 * BOOK_HOT; i++) {
		struct deeds d = deeds_by(&s, "coder", NULL);
		struct usual_found found;
		struct err e;

		d.place = 1 + i % (3 * BOOK_HOT);
		assert_int_equal(book_score(s.book, &ask, &d, &found, &e), 0);
		deeds_finish(&d);
		assert_true(s.book->files <= 2 * BOOK_HOT);
	}
	close_shelf(&s);
}

/* Names are the agent's: what has no room is no profile, and its event is told so. Those that are there go on. */
static void profiles_are_so_many_and_no_more(void **state)
{
	const struct usual_ask ask = { .use = USUAL_TEACH, .asks = true, .event = "e_1" };
	const struct usual_ask at = { .use = USUAL_TEACH, .asks = true, .event = "e_1", .time_s = 1800000000 };
	struct usual_found found;
	struct shelf s;
	struct deeds d;
	struct err e;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 7);
	for (unsigned i = 0; i < BOOK_FILES_MAX; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "p_%u.profile", i);
		assert_int_equal(mknodat(s.dir_fd, name, S_IFREG | 0600, 0), 0);
	}
	assert_int_equal(book_save(s.book, &e), 0);
	book_close(s.book);
	assert_int_equal(book_open(s.book, s.dir_fd, &e), 0);
	for (uint64_t place = 1; place < 200; place++) { /* nor is it a window */
		d = deeds_by(&s, "coder", NULL);
		d.place = place;
		assert_int_equal(book_score(s.book, &at, &d, &found, &e), 0);
		assert_false(found.asks);
		deeds_finish(&d);
	}
	assert_int_equal(book_save(s.book, &e), 0);
	assert_true(windows_of(&s) <= 1);
	d = deeds_by(&s, "another", NULL);
	assert_int_equal(book_score(s.book, &ask, &d, &found, &e), -AMBIT_LIMIT);
	deeds_finish(&d);
	close_shelf(&s);
}

/* What cannot be read any more can be refused; it cannot be released. */
static void what_is_held_can_always_be_refused(void **state)
{
	const struct usual_settle yes = { .released = true, .event = "e_1" };
	struct shelf s;
	struct err e;
	int fd;

	(void)state;
	open_shelf(&s);
	fd = openat(s.dir_fd, "h_e_1", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	(void)close(fd);
	assert_int_equal(book_settle(s.book, &yes, &e), -AMBIT_MALFORMED);
	settle(&s, false);
	assert_int_equal(book_settle(s.book, &yes, &e), -AMBIT_NOT_FOUND);
	close_shelf(&s);
}

/* Whatever an agent does that is held, its files are so many: of the oldest nobody can say any more what they were. */
static void what_is_held_is_bounded(void **state)
{
	struct usual_ask ask = { .use = USUAL_TEACH, .asks = true };
	struct usual_settle word = { .released = false };
	struct usual_found found;
	struct shelf s;
	struct err e;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 7);
	for (unsigned i = 0; i < HELD_MAX + 10; i++) {
		struct deeds d = deeds_by(&s, "coder", "paste.example:443");

		(void)snprintf(ask.event, sizeof ask.event, "e_%05u", i);
		assert_int_equal(book_score(s.book, &ask, &d, &found, &e), 0);
		assert_true(found.held);
		deeds_finish(&d);
	}
	for (unsigned i = 0; i < HELD_MAX + 10; i++) {
		(void)snprintf(word.event, sizeof word.event, "e_%05u", i);
		assert_int_equal(book_settle(s.book, &word, &e), i < 10 ? -AMBIT_NOT_FOUND : 0);
	}
	close_shelf(&s);
}

/* Who fills the disk is held and slowed all the same, and counted as far as what is there says. */
static void a_verdict_takes_no_room(void **state)
{
	static const char *const no_room[] = { "h_e_3.new", "t_e_3.new" };
	struct usual_ask ask = { .use = USUAL_TEACH };
	struct usual_found found;
	struct shelf s;
	struct err e;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 7);
	for (size_t i = 0; i < sizeof no_room / sizeof no_room[0]; i++)
		assert_int_equal(mkdirat(s.dir_fd, no_room[i], 0700), 0);
	for (unsigned i = 1; i <= 3; i++) {
		struct deeds d = deeds_by(&s, "coder", i % 2 > 0 ? "paste.example:443" : "github.example:443");

		ask.asks = true;
		(void)snprintf(ask.event, sizeof ask.event, "e_%u", i);
		(void)snprintf(d.principal, sizeof d.principal, "s_one");
		assert_int_equal(book_score(s.book, &ask, &d, &found, &e), 0);
		deeds_finish(&d);
		assert_int_equal(found.asks, i % 2 > 0);
	}
	assert_false(found.held);
	assert_int_equal(found.others, 1);
	assert_non_null(strstr(found.not_taught, "it cannot be one later"));
	for (size_t i = 0; i < sizeof no_room / sizeof no_room[0]; i++)
		assert_int_equal(unlinkat(s.dir_fd, no_room[i], AT_REMOVEDIR), 0);
	close_shelf(&s);
}

/* What one of a session did counts for the next, until a person says that it was right: that they said no does not end it. Another session's does not. */
static void others_that_are_held_are_counted(void **state)
{
	static const struct {
		const char *event, *session, *said; /* "yes", "no": of the event before */
		uint32_t others;
	} rows[] = {
		{ "e_1", "s_one", "", 0 },    { "e_2", "s_two", "", 0 },   { "e_3", "s_one", "", 1 },
		{ "e_4", "s_one", "yes", 1 }, { "e_5", "s_one", "no", 2 }, { "e_6", "s_two", "yes", 1 },
		{ "e_7", "s_three", "", 0 },
	};
	struct usual_ask ask = { .use = USUAL_TEACH, .asks = true };
	struct usual_settle word;
	struct usual_found found;
	struct shelf s;
	struct err e;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 7);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char to[40];
		struct deeds d;

		if (rows[i].said[0] != 0) {
			word = (struct usual_settle){ .released = rows[i].said[0] == 'y' };
			(void)snprintf(word.event, sizeof word.event, "%s", rows[i - 1].event);
			assert_int_equal(book_settle(s.book, &word, &e), 0);
		}
		(void)snprintf(to, sizeof to, "paste%zu.example:443", i);
		d = deeds_by(&s, "coder", to);
		(void)snprintf(d.principal, sizeof d.principal, "%s", rows[i].session);
		(void)snprintf(ask.event, sizeof ask.event, "%s", rows[i].event);
		assert_int_equal(book_score(s.book, &ask, &d, &found, &e), 0);
		deeds_finish(&d);
		if (!found.held || found.others != rows[i].others)
			fail_msg("%s: %u others", rows[i].event, found.others);
	}
	close_shelf(&s);
}

static void names_of_files_move_no_terminal(void **state)
{
	static const char name[] = "p_\033[2J\xff.profile";
	struct usual_row rows[BOOK_PAGE];
	char last[NAME_MAX + 1];
	struct shelf s;
	struct err e;
	size_t n;
	int fd;

	(void)state;
	open_shelf(&s);
	fd = openat(s.dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(book_page(s.book, "", rows, &n, last, &e), 0);
	assert_int_equal(n, 1);
	assert_true(text_is_plain(rows[0].id, strlen(rows[0].id)) && text_is_plain(rows[0].key, strlen(rows[0].key)));
	assert_string_equal(last, name);
	close_shelf(&s);
}

/* A shadow that was saved before what scores, as where the keeper was killed between both, takes no place. */
static void an_older_shadow_takes_no_place(void **state)
{
	struct usual_found found;
	uint32_t events;
	struct shelf s;
	struct err e;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 7);
	assert_int_equal(book_save(s.book, &e), 0);
	for (size_t i = 0; i < BOOK_HOT; i++) /* as it would have been read */
		if (s.book->pairs[i].key[0] != 0)
			s.book->pairs[i].scores.events += 10;
	found = scored(&s, deeds_by(&s, "coder", NULL));
	events = found.f.events;
	found = scored(&s, deeds_by(&s, "coder", NULL));
	assert_int_equal(found.f.events, events);
	close_shelf(&s);
}

/* Thresholds are no lesson either of what saw untrusted data and acted. */
static void what_saw_untrusted_data_and_acted_moves_no_threshold(void **state)
{
	struct shelf s;
	uint32_t n = 0;

	(void)state;
	open_shelf(&s);
	teach_book(&s, 60);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 5; i++) {
			struct deeds d = deeds_by(&s, "coder", NULL);

			d.untrusted = d.acted = round == 0;
			if (i == 0)
				n = s.book->pairs[0].scores.rings[0].n;
			(void)scored(&s, d);
			assert_int_equal(s.book->pairs[0].scores.rings[0].n, n + (round == 0 ? 0 : i + 1));
		}
	close_shelf(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deeds_go_round),
		cmocka_unit_test(items_are_bounded),
		cmocka_unit_test(keys_are_wider_and_wider),
		cmocka_unit_test(a_key_is_cut_between_characters),
		cmocka_unit_test(a_young_profile_promises_nothing),
		cmocka_unit_test(what_is_odd_is_flagged_with_its_reasons),
		cmocka_unit_test(usual_events_are_flagged_as_was_promised),
		cmocka_unit_test(what_is_promised_can_be_kept),
		cmocka_unit_test(a_promise_begins_at_its_level),
		cmocka_unit_test(lessons_are_bounded),
		cmocka_unit_test(what_saw_untrusted_data_and_acted_does_not_teach),
		cmocka_unit_test(what_is_more_unusual_than_most_does_not_teach),
		cmocka_unit_test(one_principal_makes_nothing_known_where_two_are_asked_for),
		cmocka_unit_test(poisoning_hides_no_attack),
		cmocka_unit_test(where_nobody_is_asked_thresholds_follow),
		cmocka_unit_test(a_profile_is_kept_as_text),
		cmocka_unit_test(a_text_that_was_changed_is_refused),
		cmocka_unit_test(a_text_that_moves_a_terminal_is_refused),
		cmocka_unit_test(another_version_is_told),
		cmocka_unit_test(a_full_profile_has_a_form),
		cmocka_unit_test(a_rule_counts_for_who_is_new),
		cmocka_unit_test(a_rule_needs_what_is_seldom_new),
		cmocka_unit_test(what_is_released_stays_known),
		cmocka_unit_test(tripwires_are_flagged_until_they_are_taught),
		cmocka_unit_test(who_hides_a_tripwire_is_not_promoted),
		cmocka_unit_test(many_that_do_little_each_are_noticed),
		cmocka_unit_test(who_is_loud_for_long_ends_no_flagging),
		cmocka_unit_test(what_others_did_slows_and_ends_nobody),
		cmocka_unit_test(what_many_send_to_one_is_noticed),
		cmocka_unit_test(destinations_are_bounded),
		cmocka_unit_test(a_clock_that_was_set_back_changes_nothing),
		cmocka_unit_test(what_nobody_came_back_to_is_removed),
		cmocka_unit_test(who_is_only_told_of_covers_nobody),
		cmocka_unit_test(what_is_looked_at_leaves_nothing),
		cmocka_unit_test(profiles_are_so_many_and_no_more),
		cmocka_unit_test(what_is_held_can_always_be_refused),
		cmocka_unit_test(what_is_held_is_bounded),
		cmocka_unit_test(a_verdict_takes_no_room),
		cmocka_unit_test(others_that_are_held_are_counted),
		cmocka_unit_test(names_of_files_move_no_terminal),
		cmocka_unit_test(an_older_shadow_takes_no_place),
		cmocka_unit_test(what_saw_untrusted_data_and_acted_moves_no_threshold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
