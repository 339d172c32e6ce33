/* Seed profiles: what they say of an event, which file counts, and when a seed has the word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "profile/form.h"
#include "profile/seed.h"
#include "usual/book.h"
#include "usual/seeds_link.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define SHELL "\t" SEED_TOOL "\tshell\t"

static const uint8_t secret[PROFILE_KEY] = { 2, 7, 1 };

/* ---- events ---- */

struct symbols {
	const char *of[8]; /* NULL ends them; "|" begins another thread */
};

static struct deeds event_of(const char *program, const char *session, const struct symbols *s)
{
	struct deeds d = { .shape = 7 };
	char names[8][SYMBOL_MAX] = { { 0 } };
	struct trace_step steps[8];
	size_t n = 0;

	(void)snprintf(d.tool, sizeof d.tool, "run");
	(void)snprintf(d.agent, sizeof d.agent, "coder");
	(void)snprintf(d.program, sizeof d.program, "%s", program);
	(void)snprintf(d.principal, sizeof d.principal, "%s", session);
	for (size_t i = 0; i < COUNT_OF(s->of) && s->of[i] != NULL; i++) {
		if (strcmp(s->of[i], "|") == 0) {
			d.trace.threads++;
			continue;
		}
		(void)snprintf(names[n], SYMBOL_MAX, "%s", s->of[i]);
		steps[n] = (struct trace_step){ .thread = (uint16_t)d.trace.threads, .symbol = (uint16_t)n };
		n++;
	}
	d.trace.threads++;
	d.trace.observed = 2;
	d.trace.calls = n;
	assert_int_equal(trace_make(&d.trace, (const char(*)[SYMBOL_MAX])names, n, steps, n), 0);
	for (size_t i = 0; i < AMOUNTS; i++)
		d.amounts[i] = 0;
	d.amounts[AMOUNT_CALLS] = n;
	d.amounts[AMOUNT_THREADS] = d.trace.threads;
	assert_true(deeds_add(&d, DEED_PROGRAM, "/usr/bin/bash", 13));
	return d;
}

static const struct symbols work[] = {
	{ { "exec:bash", "read:/usr/lib", "|", "exec:cat", "read:granted" } },
	{ { "exec:bash", "read:/usr/lib", "|", "exec:curl", "connect:granted.web" } },
	{ { "exec:bash", "read:/usr/lib", "write:granted" } },
};

/* A seed as the trainer makes them: 24 sessions, one of three things in each. */
static void make_seed(const char *key, const char *more, struct buf *out)
{
	const struct unusual young = { .young = true };
	double scores[LAYERS] = { 0 };
	struct profile p, none;

	assert_int_equal(profile_init(&p, key, secret), 0);
	assert_int_equal(profile_init(&none, key, secret), 0);
	p.calls.grammar.most = p.calls.grammar.n;
	for (unsigned i = 0; i < 24; i++) {
		struct symbols s = work[i % COUNT_OF(work)];
		char session[16];
		struct deeds d;

		if (more != NULL && i % COUNT_OF(work) == 0)
			s.of[5] = more;
		(void)snprintf(session, sizeof session, "s%u", i);
		d = event_of("bash", session, &s);
		assert_int_equal(profile_learn(&p, &none, &d, &young), 0);
		deeds_finish(&d);
	}
	for (unsigned i = 0; i < 12; i++) {
		scores[LAYER_CALLS] = 1 + i / 4.0;
		rings_add(p.rings, scores, 1 + i / 4.0);
	}
	seed_strip(&p);
	form_write(&p, out);
	assert_false(out->failed);
	profile_finish(&p);
	profile_finish(&none);
}

/* ---- one seed ---- */

static void programs_have_their_seed(void **state)
{
	static const struct {
		const char *tool, *program, *seed;
	} rows[] = {
		{ "run", "sh", "shell" },       { "run", "bash", "shell" }, { "run", "python3.11", "python" },
		{ "run", "python3", "python" }, { "run", "gcc-12", "cc" },  { "run", "g++", "cc" },
		{ "run", "node", "node" },      { "run", "./git", NULL },   { "run", "~/bin/python3", NULL },
		{ "run", "vim", NULL },         { "run", "", NULL },        { "python", "", NULL },
		{ "code", "sh", NULL },         { "run", "3", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *seed = seed_of(rows[i].tool, rows[i].program, 0);

		if ((seed == NULL) != (rows[i].seed == NULL) || (seed != NULL && strcmp(seed, rows[i].seed) != 0))
			fail_msg("%s %s: %s", rows[i].tool, rows[i].program, seed != NULL ? seed : "none");
	}
}

static void a_seed_is_of_a_kind_and_a_program(void **state)
{
	static const struct {
		const char *key;
		bool good;
	} rows[] = {
		{ SHELL, true },
		{ "\trun\tcargo\t", true },
		{ "coder\trun\tgit\t", false },
		{ "\trun\tgit\t00ab", false },
		{ "\trun\t\t", false },
		{ "\t\t*\t", false },
		{ "\t*\t\t", false },
		{ "", false },
		{ "\trun\tgit", false },
		{ "\trun\tgit\t\t", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (seed_is_of(rows[i].key) != rows[i].good)
			fail_msg("'%s'", rows[i].key);
}

/* A row of what is told of an event: whoever started what connects. */
static void a_program_that_connects_and_never_did_is_told(void **state)
{
	static const struct {
		const char *name;
		struct symbols of;
		bool connects;
	} rows[] = {
		{ "a shell does", { { "exec:bash", "read:/usr/lib", "connect:granted.high" } }, true },
		{ "and is denied", { { "exec:bash", "read:/usr/lib", "connect:net.high!" } }, true },
		{ "a fork of it", { { "exec:bash", "|", "connect:granted.high" } }, true },
		{ "a fork of it, beside what reads",
		  { { "exec:bash", "|", "exec:cat", "|", "connect:net.web" } },
		  true },
		{ "what always does", { { "exec:bash", "|", "exec:curl", "connect:granted.high" } }, false },
		{ "a fork, maybe of that", { { "exec:bash", "|", "exec:curl", "|", "connect:net.web" } }, false },
		{ "what nobody knows", { { "exec:bash", "|", "exec:new", "connect:net.web" } }, false },
		{ "a fork, maybe of that", { { "exec:bash", "|", "exec:new", "|", "connect:net.web" } }, false },
		{ "a fork, before that", { { "exec:bash", "|", "connect:net.web", "|", "exec:curl" } }, true },
		{ "a fork that goes on as a shell",
		  { { "exec:bash", "|", "exec:curl", "|", "connect:net.web", "exec:cat" } },
		  true },
		{ "a fork that goes on and connects",
		  { { "exec:bash", "|", "exec:curl", "connect:net.web", "exec:cat" } },
		  false },
		{ "by a socket of the machine", { { "exec:bash", "unix:granted" } }, false },
		{ "nothing", { { "exec:bash", "read:/usr/lib" } }, false },
		{ "no program at all", { { "connect:net.web" } }, false },
	};
	auto_buf text = { .max = SEED_BYTES_MAX };
	struct profile seed;
	struct err e;

	(void)state;
	make_seed(SHELL, NULL, &text);
	assert_int_equal(form_read((const char *)text.data, text.len, secret, &seed, &e), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct deeds d = event_of("bash", "x", &rows[i].of);
		struct seed_found found;

		assert_true(seed_score(&seed, &d, &found));
		if (found.connects != rows[i].connects)
			fail_msg("%s", rows[i].name);
		if (found.connects)
			assert_true(found.f.flagged[PROMISED_LOG] && found.f.n_reasons > 0 &&
				    strstr(found.f.reasons[0].text, "connects") != NULL);
		assert_true(found.f.young && found.f.p == 1 &&
			    !found.f.flagged[PROMISED_ASK]); /* nothing is promised */
		deeds_finish(&d);
	}
	profile_finish(&seed);
}

/* Names, times and memory of another machine say nothing of this one; how much is done does. */
static void what_a_machine_is_like_is_in_no_seed(void **state)
{
	auto_buf text = { .max = SEED_BYTES_MAX };
	struct deeds d = event_of("bash", "x", &work[0]);
	struct seed_found plain, other, more;
	struct profile seed;
	struct err e;

	(void)state;
	make_seed(SHELL, NULL, &text);
	assert_int_equal(form_read((const char *)text.data, text.len, secret, &seed, &e), 0);
	assert_true(seed_score(&seed, &d, &plain));
	d.amounts[AMOUNT_WALL_MS] = d.amounts[AMOUNT_CPU_MS] = d.amounts[AMOUNT_MEMORY_BYTES] = 1000000000;
	assert_true(deeds_add(&d, DEED_DESTINATION, "github.example:443", 18));
	assert_true(seed_score(&seed, &d, &other));
	assert_true(other.f.whole <= plain.f.whole && !other.above);
	d.amounts[AMOUNT_CALLS] = 1000000;
	assert_true(seed_score(&seed, &d, &more));
	assert_true(more.above && more.f.n_reasons > 0);
	deeds_finish(&d);
	profile_finish(&seed);
}

/* Also of one that a site exported as it had grown, which knows the times of that machine. */
static void times_of_another_machine_are_not_compared(void **state)
{
	auto_buf text = { .max = FORM_MAX };
	struct deeds d = event_of("bash", "x", &work[0]);
	struct seed_found before, after;
	struct profile seed;
	struct err e;

	(void)state;
	make_seed(SHELL, NULL, &text);
	assert_int_equal(form_read((const char *)text.data, text.len, secret, &seed, &e), 0);
	for (unsigned i = 0; i < 100; i++)
		sketch_add(&seed.amounts.of[AMOUNT_WALL_MS], 10 + i % 3);
	assert_int_equal(profile_freeze(&seed), 0);
	assert_true(seed_score(&seed, &d, &before));
	d.amounts[AMOUNT_WALL_MS] = 1000000000;
	assert_true(amounts_score(&seed.amounts, d.amounts, NULL) > 5); /* its own would notice */
	assert_true(seed_score(&seed, &d, &after));
	assert_true(after.f.whole <= before.f.whole);
	deeds_finish(&d);
	profile_finish(&seed);
}

/* One task that was as unusual: it is told, and nobody is asked. Two: neither. */
static void all_but_one_is_told(void **state)
{
	struct deeds d = event_of("bash", "x", &work[0]);
	struct err e;

	(void)state;
	d.amounts[AMOUNT_CALLS] = 1000000;
	for (unsigned higher = 0; higher < 3; higher++) {
		auto_buf text = { .max = SEED_BYTES_MAX };
		const double none[LAYERS] = { 0 };
		struct seed_found found;
		struct profile seed;

		make_seed(SHELL, NULL, &text);
		assert_int_equal(form_read((const char *)text.data, text.len, secret, &seed, &e), 0);
		for (unsigned i = 0; i < higher; i++)
			rings_add(seed.rings, none, CALIBRATION_MOST);
		assert_true(seed_score(&seed, &d, &found));
		assert_int_equal(found.above, higher == 0);
		assert_int_equal(found.f.flagged[PROMISED_LOG], higher <= 1);
		profile_finish(&seed);
	}
	deeds_finish(&d);
}

/* ---- which counts ---- */

struct file {
	uint8_t from;
	const char *name, *why, *text;
	size_t n; /* 0: all of the text */
};

static struct seeds *seeds_of(const struct file *files, size_t n)
{
	auto_fd int fd = memfd_create("seeds", MFD_CLOEXEC);
	auto_buf all = { .max = SEEDS_ALL_MAX };
	struct seeds *s = NULL;
	struct err e;

	for (size_t i = 0; i < n; i++) {
		const struct file *file = &files[i];
		const char *text = file->text != NULL ? file->text : "";
		struct seeds_file f = { .from = file->from,
					.bytes = (const uint8_t *)text,
					.n = file->n > 0 ? file->n : strlen(text) };

		(void)snprintf(f.name, sizeof f.name, "%s", file->name);
		(void)snprintf(f.why, sizeof f.why, "%s", file->why != NULL ? file->why : "");
		seeds_file_put(&all, &f);
	}
	assert_true(fd >= 0 && !all.failed && fd_write_all(fd, all.data, all.len) == 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(seeds_new(fd, &s, &e), 0);
	return s;
}

/* The list, by a page of two at a time: "id key;" of each. */
static void list(struct seeds *s, char *ret, size_t size)
{
	char last[NAME_MAX + 1] = "";
	struct usual_row rows[2];
	size_t n, at = 0;

	ret[0] = 0;
	do {
		char next[NAME_MAX + 1];

		assert_int_equal(seeds_page(s, last, rows, 2, &n, next), 0);
		memcpy(last, next, sizeof last);
		for (size_t i = 0; i < n; i++)
			at += (size_t)snprintf(ret + at, size - at, "%s %s;", rows[i].id, rows[i].key);
		assert_true(at < size);
	} while (n > 0);
}

static void the_nearest_counts_and_a_bad_one_is_told(void **state)
{
	auto_buf shell = { .max = 1 << 20 }, other = { .max = 1 << 20 }, cargo = { .max = 1 << 20 },
		 narrow = { .max = 1 << 20 }, both = { .max = 1 << 20 };
	char said[4096];
	const char *a, *b, *c, *d, *two;

	(void)state;
	make_seed(SHELL, NULL, &shell);
	make_seed(SHELL, "read:/usr/share", &other);
	make_seed("\trun\tcargo\t", NULL, &cargo);
	make_seed("coder\trun\tcargo\t", NULL, &narrow);
	buf_put(&both, shell.data, shell.len);
	buf_put(&both, cargo.data, cargo.len);
	buf_put_u8(&shell, 0);
	buf_put_u8(&other, 0);
	buf_put_u8(&cargo, 0);
	buf_put_u8(&narrow, 0);
	buf_put_u8(&both, 0);
	a = (const char *)shell.data, b = (const char *)other.data, c = (const char *)cargo.data,
	d = (const char *)narrow.data;
	two = (const char *)both.data;
	{
		const struct {
			const char *name;
			struct file files[4];
			size_t n;
			const char *said;
		} rows[] = {
			{ "none", { { 0 } }, 0, "" },
			{ "Ambit's own, two in one",
			  { { SEEDS_OF_AMBIT, "ambit-seeds", NULL, two, 0 } },
			  1,
			  "s_shell seed" SHELL ";s_cargo seed\trun\tcargo\t;" },
			{ "the machine's before it",
			  { { SEEDS_OF_MACHINE, "mine", NULL, b, 0 }, { SEEDS_OF_AMBIT, "ambit-seeds", NULL, two, 0 } },
			  2,
			  "s_mine seed" SHELL ";s_cargo seed\trun\tcargo\t;" },
			{ "an empty file is none of its name",
			  { { SEEDS_OF_PERSON, "shell", NULL, "", 0 },
			    { SEEDS_OF_AMBIT, "ambit-seeds", NULL, two, 0 } },
			  2,
			  "s_cargo seed\trun\tcargo\t;" },
			{ "all of Ambit's",
			  { { SEEDS_OF_MACHINE, "all", NULL, "", 0 },
			    { SEEDS_OF_MACHINE, "cargo", NULL, c, 0 },
			    { SEEDS_OF_AMBIT, "ambit-seeds", NULL, two, 0 } },
			  3,
			  "s_cargo seed\trun\tcargo\t;" },
			{ "one that was not taken",
			  { { SEEDS_OF_MACHINE, "x", "others may write it", "", 0 },
			    { SEEDS_OF_AMBIT, "ambit-seeds", NULL, a, 0 } },
			  2,
			  "s_x ?x, the machine's: others may write it;s_shell seed" SHELL ";" },
			{ "one of an agent",
			  { { SEEDS_OF_MACHINE, "x", NULL, d, 0 } },
			  1,
			  "s_x ?x, the machine's: line 2: a seed is of a kind and a program, whoever runs it;" },
			{ "no profile",
			  { { SEEDS_OF_PERSON, "x", NULL, "hello\n", 0 } },
			  1,
			  "s_x ?x, yours: its beginning is not that of a profile of this version;" },
			{ "cut, and hides none",
			  { { SEEDS_OF_PERSON, "x", NULL, a, strlen(a) - 40 }, { SEEDS_OF_AMBIT, "a", NULL, a, 0 } },
			  2,
			  "s_x ?x, yours: line 1: it is not what stands there in a profile;s_shell seed" SHELL ";" },
		};

		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			struct seeds *s = seeds_of(rows[i].files, rows[i].n);
			char *line;

			list(s, said, sizeof said);
			line = strstr(said, "yours: line "); /* whichever it is of the seed */
			if (line != NULL)
				memmove(line + 13, line + 12 + strspn(line + 12, "0123456789"),
					strlen(line + 12 + strspn(line + 12, "0123456789")) + 1),
					line[12] = '1';
			if (strcmp(said, rows[i].said) != 0)
				fail_msg("%s: %s", rows[i].name, said);
			seeds_free(s);
		}
	}
}

/* Whatever is handed over: nothing is read beyond it, and what stands before what is none counts. */
static void a_form_that_is_cut_has_what_was_whole(void **state)
{
	auto_buf shell = { .max = 1 << 20 }, all = { .max = 1 << 20 };
	char said[1024];
	struct err e;

	(void)state;
	make_seed(SHELL, NULL, &shell);
	for (unsigned i = 0; i < 2; i++) {
		struct seeds_file f = { .from = SEEDS_OF_MACHINE, .bytes = shell.data, .n = shell.len };

		(void)snprintf(f.name, sizeof f.name, "f%u", i);
		seeds_file_put(&all, &f);
	}
	for (size_t n = 0; n < all.len; n += n < 40 || n + 40 > all.len ? 1 : 997) {
		auto_fd int fd = memfd_create("seeds", MFD_CLOEXEC);
		struct seeds *s = NULL;

		assert_true(fd_write_all(fd, all.data, n) == 0 && lseek(fd, 0, SEEK_SET) == 0);
		assert_int_equal(seeds_new(fd, &s, &e), 0);
		list(s, said, sizeof said);
		assert_int_equal(said[0] != 0, n >= all.len / 2);
		seeds_free(s);
	}
}

/* ---- when it has the word ---- */

struct shelf {
	char path[32];
	int dir_fd;
	struct book *book;
	struct seeds *seeds;
	unsigned sessions;
};

static void open_shelf(struct shelf *s, struct seeds *seeds)
{
	struct err e;

	*s = (struct shelf){ .path = "/tmp/ambit-seed-XXXXXX", .seeds = seeds };
	assert_non_null(mkdtemp(s->path));
	s->dir_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->book = malloc(sizeof *s->book);
	assert_non_null(s->book);
	assert_int_equal(book_open(s->book, s->dir_fd, &e), 0);
	s->book->seeds = seeds;
}

static void close_shelf(struct shelf *s)
{
	DIR *d = opendir(s->path);
	struct dirent *entry;

	book_close(s->book);
	seeds_free(s->seeds);
	free(s->book);
	while (d != NULL && (entry = readdir(d)) != NULL)
		(void)unlinkat(s->dir_fd, entry->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	(void)close(s->dir_fd);
	assert_int_equal(rmdir(s->path), 0);
}

static struct usual_found scored(struct shelf *s, const char *program, const struct symbols *of, bool asks)
{
	const struct usual_ask ask = { .use = USUAL_TEACH, .asks = asks, .event = "e_1" };
	struct usual_found found;
	char session[16];
	struct deeds d;
	struct err e;

	(void)snprintf(session, sizeof session, "e%u", s->sessions++);
	d = event_of(program, session, of);
	if (book_score(s->book, &ask, &d, &found, &e) < 0)
		fail_msg("%s", e.msg);
	deeds_finish(&d);
	return found;
}

static const struct symbols back = { { "exec:bash", "read:/usr/lib", "connect:granted.high" } };

static void the_first_event_of_all_is_held_against_a_seed(void **state)
{
	auto_buf text = { .max = SEED_BYTES_MAX };
	struct usual_found found;
	struct shelf s;

	(void)state;
	make_seed(SHELL, NULL, &text);
	open_shelf(
		&s,
		seeds_of(&(struct file){ SEEDS_OF_AMBIT, "ambit-seeds", NULL, (const char *)text.data, text.len }, 1));
	found = scored(&s, "bash", &back, true);
	assert_true(found.asks && found.held && found.level == USUAL_LEVEL_SEED && found.f.young);
	assert_string_equal(found.key, "seed" SHELL);
	found = scored(&s, "bash", &work[0], true);
	assert_true(!found.asks && !found.held && found.level != USUAL_LEVEL_SEED && !found.f.flagged[PROMISED_LOG]);
	found = scored(&s, "vim", &back, true); /* which has none */
	assert_true(!found.asks && found.level != USUAL_LEVEL_SEED);
	found = scored(&s, "bash", &back, false); /* where it only tells nothing waits, */
	assert_true(found.asks && !found.held);
	close_shelf(&s);
	open_shelf(&s, NULL); /* and without seeds nobody is asked */
	found = scored(&s, "bash", &back, true);
	assert_true(!found.asks && found.f.young && found.level != USUAL_LEVEL_SEED);
	close_shelf(&s);
}

/* Of Node there are two. The second alone has no word: who puts the first aside wants none. */
static void what_either_of_two_knows_is_usual(void **state)
{
	static const struct symbols odd = { { "exec:bash", "read:/usr/lib", "|", "exec:cat", "read:granted",
					      "read:likely_secret!" } };
	static const struct {
		const char *more[2]; /* what each knows besides; NULL: it is not there */
		bool told;
	} rows[] = {
		{ { "read:granted", NULL }, true },
		{ { "read:granted", "read:granted" }, true },
		{ { "read:granted", "read:likely_secret!" }, false },
		{ { "read:likely_secret!", "read:granted" }, false },
		{ { NULL, "read:granted" }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static const char *const keys[] = { "\t" SEED_TOOL "\tnode\t", "\t" SEED_TOOL "\tserver\t" };
		auto_buf text = { .max = SEEDS_FILE_MAX };
		struct usual_found found;
		struct shelf s;

		for (size_t k = 0; k < COUNT_OF(keys); k++)
			if (rows[i].more[k] != NULL)
				make_seed(keys[k], rows[i].more[k], &text);
		open_shelf(&s, seeds_of(&(struct file){ SEEDS_OF_AMBIT, "ambit-seeds", NULL, (const char *)text.data,
							text.len },
					1));
		found = scored(&s, "node", &odd, true);
		if ((found.level == USUAL_LEVEL_SEED) != rows[i].told ||
		    (rows[i].told && strcmp(found.key, "seed\t" SEED_TOOL "\tnode\t") != 0))
			fail_msg("row %zu: level %d, %s", i, (int)found.level, found.key);
		close_shelf(&s);
	}
}

/* From 20 events on its own profiles have the word: also where the seed would ask. */
static void who_knows_it_here_is_asked_first(void **state)
{
	auto_buf text = { .max = SEED_BYTES_MAX };
	struct usual_found found;
	struct shelf s;
	bool was_asked = false;

	(void)state;
	make_seed(SHELL, NULL, &text);
	open_shelf(
		&s,
		seeds_of(&(struct file){ SEEDS_OF_AMBIT, "ambit-seeds", NULL, (const char *)text.data, text.len }, 1));
	for (unsigned i = 0; i < 60; i++) {
		found = scored(&s, "bash", &back, false); /* it is what this agent does */
		was_asked = was_asked || found.level == USUAL_LEVEL_SEED;
	}
	assert_true(was_asked && !found.f.young && !found.asks && found.level != USUAL_LEVEL_SEED);
	close_shelf(&s);
}

/* Neither what is done here, nor what a person released, changes a byte of it. */
static void nothing_is_learned_by_a_seed(void **state)
{
	auto_buf text = { .max = SEED_BYTES_MAX }, after = { .max = SEED_BYTES_MAX };
	const struct usual_settle word = { .released = true, .event = "e_1" };
	struct usual_found found;
	struct shelf s;
	struct err e;

	(void)state;
	make_seed(SHELL, NULL, &text);
	open_shelf(
		&s,
		seeds_of(&(struct file){ SEEDS_OF_AMBIT, "ambit-seeds", NULL, (const char *)text.data, text.len }, 1));
	for (unsigned i = 0; i < 3; i++) {
		found = scored(&s, "bash", &back, true);
		assert_true(found.held);
		assert_int_equal(book_settle(s.book, &word, &e), 0);
	}
	assert_int_equal(seeds_get(s.seeds, "seed" SHELL, &after, &e), 0);
	assert_true(buf_is_same(&text, &after));
	close_shelf(&s);
}

/* A file of a seed is no profile of events, which somebody would take for one of this machine. */
static void a_seed_is_not_imported(void **state)
{
	auto_buf text = { .max = SEED_BYTES_MAX }, out = { .max = SEED_BYTES_MAX };
	char key[PROFILE_NAME_MAX];
	struct shelf s;
	struct err e;

	(void)state;
	make_seed(SHELL, NULL, &text);
	open_shelf(&s, NULL);
	assert_int_equal(book_put(s.book, (const char *)text.data, text.len, key, &e), -AMBIT_USAGE);
	assert_int_equal(book_get(s.book, SHELL, false, &out, &e), -AMBIT_NOT_FOUND);
	close_shelf(&s);
}

/* ---- what is built ---- */

static const char *built; /* the file that is installed */

/* Each word of seeds.def has a seed, each of which is one; and it knows what is usual from what opens a connection by a shell. */
static void what_is_installed_has_each(void **state)
{
	static const struct {
		const char *program, *seed;
	} rows[] = {
#define SEED(program, seed) { program, seed },
#include "profile/seeds.def"
#undef SEED
	};
	auto_fd int from = open(built, O_RDONLY | O_CLOEXEC);
	auto_buf text = { .max = SEEDS_FILE_MAX };
	char said[4096];
	struct shelf s;

	(void)state;
	assert_true(from >= 0 && fd_read_into(from, &text) == 0);
	open_shelf(
		&s,
		seeds_of(&(struct file){ SEEDS_OF_AMBIT, "ambit-seeds", NULL, (const char *)text.data, text.len }, 1));
	list(s.seeds, said, sizeof said);
	assert_null(strchr(said, '?'));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t nth = i > 0 && strcmp(rows[i - 1].program, rows[i].program) == 0;
		const char *seed = seed_of("run", rows[i].program, nth);
		char row[PROFILE_NAME_MAX + 8];

		assert_string_equal(seed, rows[i].seed);
		(void)snprintf(row, sizeof row, "s_%s seed\t" SEED_TOOL "\t%s\t;", seed, seed);
		if (strstr(said, row) == NULL)
			fail_msg("%s: there is no seed %s", rows[i].program, seed);
	}
	assert_true(scored(&s, "sh", &back, true).held);
	assert_false(scored(&s, "sh", &(struct symbols){ { "exec:bash", "read:/usr/lib" } }, true).held);
	close_shelf(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_have_their_seed),
		cmocka_unit_test(a_seed_is_of_a_kind_and_a_program),
		cmocka_unit_test(a_program_that_connects_and_never_did_is_told),
		cmocka_unit_test(what_a_machine_is_like_is_in_no_seed),
		cmocka_unit_test(times_of_another_machine_are_not_compared),
		cmocka_unit_test(all_but_one_is_told),
		cmocka_unit_test(the_nearest_counts_and_a_bad_one_is_told),
		cmocka_unit_test(a_form_that_is_cut_has_what_was_whole),
		cmocka_unit_test(the_first_event_of_all_is_held_against_a_seed),
		cmocka_unit_test(what_either_of_two_knows_is_usual),
		cmocka_unit_test(who_knows_it_here_is_asked_first),
		cmocka_unit_test(nothing_is_learned_by_a_seed),
		cmocka_unit_test(a_seed_is_not_imported),
		cmocka_unit_test(what_is_installed_has_each),
	};

	if (argc < 2)
		return 2;
	built = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
