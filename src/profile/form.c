#include "profile/form.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"

#define VERSION "3"
#define HEAD_OF "ambit-profile "
#define HEAD HEAD_OF VERSION

/* ---- writing ---- */

static void write_sketch(struct buf *out, const char *what, const char *word, const struct sketch *s)
{
	buf_printf(out, "%s %s", what, word);
	for (size_t i = 0; i < SKETCH_BINS; i++)
		if (s->bins[i] > 0)
			buf_printf(out, " %zu:%u", i, s->bins[i]);
	buf_printf(out, "\n");
}

static void write_firsts(struct buf *out, const struct firsts *f)
{
	buf_printf(out, "fresh %u", f->events);
	for (unsigned kind = 1; kind < DEED_KINDS; kind++)
		buf_printf(out, " %u", f->fresh[kind]);
	buf_printf(out, "\n");
	for (size_t i = 0; i < f->n; i++) {
		const struct first *item = &f->items[i];

		buf_printf(out, "item %s %u", deed_word(item->item.kind), item->events);
		for (size_t k = 0; k < FIRSTS_SUPPORT_MAX; k++)
			buf_printf(out, " %x", item->principals[k]);
		buf_printf(out, " %s\n", item->item.text);
	}
}

struct ranked {
	uint64_t key; /* rank of the parent, word */
	uint32_t node;
};

static int by_key(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Runs by their length, each behind what it is longer than by a word. rank: by node, of those that were written. */
static void write_runs(struct buf *out, const struct grammar *g)
{
	auto_free uint32_t *rank = calloc(g->n, sizeof *rank);
	auto_free uint8_t *depth = calloc(g->n, 1);
	auto_free struct ranked *level = calloc(g->n, sizeof *level);
	uint32_t next = 2; /* the root is 0, and the run of what threads begin with 1 */

	if (rank == NULL || depth == NULL || level == NULL) {
		out->failed = true;
		return;
	}
	rank[1] = depth[1] = 1;
	for (uint32_t i = 2; i < g->n; i++)
		depth[i] = (uint8_t)(depth[g->nodes[i].parent] + 1);
	for (unsigned d = 1; d <= GRAMMAR_ORDER; d++) {
		size_t n = 0;

		for (uint32_t i = 2; i < g->n; i++)
			if (depth[i] == d)
				level[n++] = (struct ranked){
					(uint64_t)rank[g->nodes[i].parent] << 16 | g->nodes[i].word, i
				};
		qsort(level, n, sizeof *level, by_key);
		for (size_t i = 0; i < n; i++) {
			const struct grammar_node *node = &g->nodes[level[i].node];

			rank[level[i].node] = next++;
			buf_printf(out, "run %u %u %u\n", rank[node->parent], node->word, node->count);
		}
	}
}

static void write_habits(struct buf *out, const struct habits *h)
{
	buf_printf(out, "sessions %u %x %x %" PRIu64 "\n", h->all.sessions, h->all.last[0], h->all.last[1],
		   h->left_out);
	for (size_t i = 0; i < h->n; i++)
		buf_printf(out, "habit %u %u %u %x %x\n", h->rows[i].program, h->rows[i].word, h->rows[i].sessions,
			   h->rows[i].last[0], h->rows[i].last[1]);
}

static const char *ring_word(size_t ring)
{
	return ring == RING_WHOLE ? "whole" : layer_word((enum layer)ring);
}

void form_write(const struct profile *p, struct buf *out)
{
	buf_printf(out, HEAD "\nkey %s\nepoch %u\nevents %u\nsupport %u\n", p->key, p->epoch, p->events, p->support);
	for (size_t i = 0; i < PROMISES; i++)
		buf_printf(out, "promise %.17g %.17g %" PRIu64 " %" PRIu64 "\n", p->promises[i].alpha,
			   p->promises[i].level, p->promises[i].events, p->promises[i].flagged);
	write_firsts(out, &p->firsts);
	for (size_t i = 0; i < AMOUNTS; i++)
		write_sketch(out, "amount", amount_word((enum amount)i), &p->amounts.of[i]);
	buf_printf(out, "calls %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", p->calls.traces, p->calls.calls,
		   p->calls.grammar.left_out);
	for (size_t i = 0; i < LOSSES_KINDS; i++)
		write_sketch(out, "losses", losses_word((enum losses_of)i), &p->calls.refers[i]);
	for (size_t i = WORD_FIRST; i < p->calls.words.n; i++)
		buf_printf(out, "word %s\n", p->calls.words.texts[i]);
	write_habits(out, &p->calls.habits);
	write_runs(out, &p->calls.grammar);
	for (size_t i = 0; i < RINGS; i++) {
		const struct calibration *c = &p->rings[i];

		buf_printf(out, "ring %s", ring_word(i));
		for (uint32_t k = 0; k < c->n; k++)
			buf_printf(out, " %.9g",
				   (double)c->ring[(c->n < CALIBRATION_RING ? k : c->at + k) % CALIBRATION_RING]);
		buf_printf(out, "\n");
	}
	for (size_t i = 0; i < p->n_pupils; i++)
		buf_printf(out, "pupil %x %u\n", p->pupils[i].principal, p->pupils[i].lessons);
	buf_printf(out, "end\n");
}

/* ---- reading: by lines, whose first word says what they are ---- */

struct reader {
	const char *at; /* of the line; not ended by NUL */
	size_t left;    /* of the text, from there */
	size_t length;  /* of the line */
	size_t line;    /* its number */
	const char *field;
	size_t fields_left;
	struct profile *p;
	struct err *e;
};

static int bad(const struct reader *r, const char *what)
{
	return err_set(r->e, AMBIT_MALFORMED, "a profile is what `ambit profile export` writes", "line %zu: %s",
		       r->line, what);
}

/* 1; 0: there is none. */
static bool next_line(struct reader *r)
{
	const char *end = memchr(r->at + r->length, '\n', r->left - r->length);

	if (r->line > 0) {
		if (end == NULL)
			return false;
		r->left -= (size_t)(end + 1 - r->at);
		r->at = end + 1;
	}
	end = memchr(r->at, '\n', r->left);
	if (end == NULL)
		return false;
	r->length = (size_t)(end - r->at);
	r->line++;
	r->field = r->at;
	r->fields_left = r->length;
	return true;
}

/* The next field, up to a blank, as a text of its own. */
static bool take_field(struct reader *r, char *room, size_t size)
{
	const char *blank = memchr(r->field, ' ', r->fields_left);
	const size_t n = blank != NULL ? (size_t)(blank - r->field) : r->fields_left;

	if (n == 0 || n >= size || memchr(r->field, 0, n) != NULL)
		return false;
	memcpy(room, r->field, n);
	room[n] = 0;
	r->field += n + (blank != NULL);
	r->fields_left -= n + (blank != NULL);
	return true;
}

/* All that is left of the line. */
static bool take_rest(struct reader *r, char *room, size_t size)
{
	if (r->fields_left == 0 || r->fields_left >= size || memchr(r->field, 0, r->fields_left) != NULL)
		return false;
	memcpy(room, r->field, r->fields_left);
	room[r->fields_left] = 0;
	r->fields_left = 0;
	return true;
}

static bool is_line(const struct reader *r, const char *word)
{
	const size_t n = strlen(word);

	return r->length >= n && memcmp(r->at, word, n) == 0 && (r->length == n || r->at[n] == ' ');
}

static bool take_number(struct reader *r, uint64_t max, uint64_t *ret)
{
	char text[24];

	return take_field(r, text, sizeof text) && parse_u64(text, 0, max, ret);
}

static bool take_u32(struct reader *r, uint32_t max, uint32_t *ret)
{
	uint64_t v;

	if (!take_number(r, max, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool take_hex(struct reader *r, uint32_t *ret)
{
	char text[10];
	char *end;

	if (!take_field(r, text, sizeof text))
		return false;
	*ret = (uint32_t)strtoul(text, &end, 16);
	return *end == 0 && strlen(text) <= 8;
}

static bool take_double(struct reader *r, double least, double most, double *ret)
{
	char text[40], *end;

	if (!take_field(r, text, sizeof text))
		return false;
	*ret = strtod(text, &end);
	return *end == 0 && *ret >= least && *ret <= most;
}

static bool take_word(struct reader *r, const char *word)
{
	char text[40];

	return take_field(r, text, sizeof text) && strcmp(text, word) == 0;
}

/* A line that begins so. */
static bool begin(struct reader *r, const char *word)
{
	return next_line(r) && is_line(r, word) && take_word(r, word);
}

static bool take_bins(struct reader *r, struct sketch *s)
{
	while (r->fields_left > 0) {
		char text[24], *colon;
		uint32_t bin, count;

		if (!take_field(r, text, sizeof text) || (colon = strchr(text, ':')) == NULL)
			return false;
		*colon = 0;
		if (!parse_u32(text, 0, SKETCH_BINS - 1, &bin) || !parse_u32(colon + 1, 1, UINT16_MAX, &count))
			return false;
		s->n += count - s->bins[bin];
		s->bins[bin] = (uint16_t)count;
		s->highest = bin > s->highest ? bin : s->highest;
	}
	return s->n <= SKETCH_FULL + SKETCH_BINS;
}

/* Words of several parts have a blank: "worst tenth". */
static bool read_sketches(struct reader *r, const char *what, const char *(*word)(int), size_t n, struct sketch *s)
{
	for (size_t i = 0; i < n; i++) {
		char head[40];

		(void)snprintf(head, sizeof head, "%s %s", what, word((int)i));
		if (!next_line(r) || !is_line(r, head))
			return false;
		r->field += strlen(head) + (r->length > strlen(head));
		r->fields_left -= strlen(head) + (r->length > strlen(head));
		if (!take_bins(r, &s[i]))
			return false;
	}
	return true;
}

static const char *word_of_amount(int i)
{
	return amount_word((enum amount)i);
}

static const char *word_of_losses(int i)
{
	return losses_word((enum losses_of)i);
}

/* Agent, tool, program and shape, with tabs between. */
static bool is_key(const char *text)
{
	for (size_t n; *text != 0; text += n + (text[n] != 0)) {
		n = strcspn(text, "\t");
		if (!text_is_plain(text, n))
			return false;
	}
	return true;
}

static bool read_item(struct reader *r)
{
	struct first item = { .events = 0 };
	char kind[24];

	if (!take_word(r, "item") || !take_field(r, kind, sizeof kind) || (item.item.kind = deed_of_word(kind)) == 0 ||
	    !take_u32(r, UINT32_MAX, &item.events))
		return false;
	for (size_t i = 0; i < FIRSTS_SUPPORT_MAX; i++)
		if (!take_hex(r, &item.principals[i]))
			return false;
	return take_rest(r, item.item.text, sizeof item.item.text) &&
	       text_is_plain(item.item.text, strlen(item.item.text)) && firsts_restore(&r->p->firsts, &item);
}

/* What follows a line that may be there any number of times has been read as the next one. */
static bool read_firsts(struct reader *r)
{
	struct firsts *f = &r->p->firsts;

	if (!begin(r, "fresh") || !take_u32(r, UINT32_MAX, &f->events))
		return false;
	for (unsigned kind = 1; kind < DEED_KINDS; kind++)
		if (!take_u32(r, f->events, &f->fresh[kind]))
			return false;
	return r->fields_left == 0;
}

struct runs {
	uint32_t *nodes; /* owned: by rank */
	size_t n;
};

static bool read_run(struct reader *r, struct runs *runs)
{
	struct grammar *g = &r->p->calls.grammar;
	uint32_t parent, word, count;

	if (!take_word(r, "run") || !take_u32(r, (uint32_t)runs->n - 1, &parent) ||
	    !take_u32(r, (uint32_t)r->p->calls.words.n - 1, &word) || !take_u32(r, UINT32_MAX, &count) ||
	    runs->n == PROFILE_RUNS_MAX || word == WORD_UNKNOWN || word == WORD_BEGIN)
		return false;
	runs->nodes[runs->n] = grammar_restore(g, runs->nodes[parent], (uint16_t)word, count);
	return runs->nodes[runs->n++] != UINT32_MAX;
}

static bool read_word(struct reader *r)
{
	struct words *w = &r->p->calls.words;
	char text[WORD_MAX + 1];
	const size_t n = w->n;

	return take_word(r, "word") && take_rest(r, text, sizeof text) && word_is(text, strlen(text)) &&
	       words_learn(w, text, strlen(text)) == n;
}

static bool read_rings(struct reader *r)
{
	for (size_t i = 0; i < RINGS; i++) {
		struct calibration *c = &r->p->rings[i];
		double score;

		if (!begin(r, "ring") || !take_word(r, ring_word(i)))
			return false;
		for (uint32_t n = 0; r->fields_left > 0; n++) {
			if (n == CALIBRATION_RING || !take_double(r, 0, CALIBRATION_MOST, &score))
				return false;
			calibration_add(c, score);
		}
		if (c->n != r->p->rings[0].n)
			return false;
	}
	return true;
}

static bool read_promises(struct reader *r)
{
	for (size_t i = 0; i < PROMISES; i++) {
		struct promise_kept *k = &r->p->promises[i];
		double alpha;

		if (!begin(r, "promise") || !take_double(r, 0, 1, &alpha) || alpha < k->alpha || alpha > k->alpha ||
		    !take_double(r, -1, 1, &k->level) || !take_number(r, UINT64_MAX, &k->events) ||
		    !take_number(r, k->events, &k->flagged))
			return false;
	}
	return true;
}

static bool read_pupil(struct reader *r)
{
	struct profile *p = r->p;
	struct pupil pupil;

	if (!take_word(r, "pupil") || !take_hex(r, &pupil.principal) ||
	    !take_u32(r, PROFILE_LESSONS_MAX, &pupil.lessons) || p->n_pupils == PROFILE_PUPILS_MAX)
		return false;
	p->pupils[p->n_pupils++] = pupil;
	return true;
}

/* Lines of one kind, as many as there are; the one behind them is the next. */
static bool read_each(struct reader *r, const char *word, bool (*each)(struct reader *r))
{
	struct reader before;

	for (;;) {
		before = *r;
		if (!next_line(r))
			return false;
		if (!is_line(r, word))
			break;
		if (!each(r) || r->fields_left > 0)
			return false;
	}
	*r = before;
	return true;
}

static bool read_runs(struct reader *r)
{
	struct runs runs = { .nodes = calloc(PROFILE_RUNS_MAX, sizeof *runs.nodes), .n = 2 };
	auto_free uint32_t *owned = runs.nodes;
	struct reader before;

	if (owned == NULL)
		return false;
	runs.nodes[1] = 1;
	for (;;) {
		before = *r;
		if (!next_line(r))
			return false;
		if (!is_line(r, "run"))
			break;
		if (!read_run(r, &runs) || r->fields_left > 0)
			return false;
	}
	*r = before;
	return true;
}

static bool read_counts(struct reader *r, struct habit *h)
{
	return take_u32(r, UINT32_MAX, &h->sessions) && take_hex(r, &h->last[0]) && take_hex(r, &h->last[1]);
}

static bool read_sessions(struct reader *r)
{
	struct habits *h = &r->p->calls.habits;

	return begin(r, "sessions") && read_counts(r, &h->all) && take_number(r, UINT64_MAX, &h->left_out) &&
	       r->fields_left == 0;
}

static bool read_habit(struct reader *r)
{
	const uint32_t last = (uint32_t)r->p->calls.words.n - 1;
	struct habit row = { .sessions = 0 };
	uint32_t program, word;

	if (!take_word(r, "habit") || !take_u32(r, last, &program) || !take_u32(r, last, &word) ||
	    !read_counts(r, &row))
		return false;
	row.program = (uint16_t)program;
	row.word = (uint16_t)word;
	return habits_restore(&r->p->calls.habits, &row);
}

static bool read_all(struct reader *r)
{
	struct profile *p = r->p;
	uint32_t support;

	if (!begin(r, "epoch") || !take_u32(r, UINT32_MAX, &p->epoch) || !begin(r, "events") ||
	    !take_u32(r, UINT32_MAX, &p->events) || !begin(r, "support") ||
	    !take_u32(r, FIRSTS_SUPPORT_MAX, &support) || support == 0)
		return false;
	p->support = support;
	return read_promises(r) && read_firsts(r) && read_each(r, "item", read_item) &&
	       read_sketches(r, "amount", word_of_amount, AMOUNTS, p->amounts.of) && begin(r, "calls") &&
	       take_number(r, UINT64_MAX, &p->calls.traces) && take_number(r, UINT64_MAX, &p->calls.calls) &&
	       take_number(r, UINT64_MAX, &p->calls.grammar.left_out) &&
	       read_sketches(r, "losses", word_of_losses, LOSSES_KINDS, p->calls.refers) &&
	       read_each(r, "word", read_word) && read_sessions(r) && read_each(r, "habit", read_habit) &&
	       read_runs(r) && read_rings(r) && read_each(r, "pupil", read_pupil) && begin(r, "end");
}

/* The line in which two texts differ. */
static size_t line_of_difference(const char *a, const char *b, size_t n)
{
	size_t line = 1;

	for (size_t i = 0; i < n && a[i] == b[i]; i++)
		line += a[i] == '\n';
	return line;
}

/* What was read has one form, so what is not that has something that was not read, or in another way: blanks, zeroes before numbers, an order. */
static int check_form(const struct profile *p, const char *text, size_t n, struct err *e)
{
	auto_buf again = { .max = FORM_MAX };

	form_write(p, &again);
	if (again.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profile");
	if (again.len == n && memcmp(again.data, text, n) == 0)
		return 0;
	return err_set(e, AMBIT_MALFORMED, "a profile is what `ambit profile export` writes",
		       "line %zu: it is not written as a profile has it",
		       line_of_difference(text, (const char *)again.data, again.len < n ? again.len : n));
}

bool form_head(const char *text, size_t n, struct form_head *ret)
{
	struct reader r = { .at = text, .left = n };
	double ignored;
	uint32_t support;

	return next_line(&r) && r.length == strlen(HEAD) && memcmp(r.at, HEAD, r.length) == 0 && begin(&r, "key") &&
	       take_rest(&r, ret->key, sizeof ret->key) && is_key(ret->key) && begin(&r, "epoch") &&
	       take_u32(&r, UINT32_MAX, &ret->epoch) && begin(&r, "events") && take_u32(&r, UINT32_MAX, &ret->events) &&
	       begin(&r, "support") && take_u32(&r, UINT32_MAX, &support) && begin(&r, "promise") &&
	       take_double(&r, 0, 1, &ignored) && take_double(&r, -1, 1, &ignored) &&
	       take_number(&r, UINT64_MAX, &ret->scored) && take_number(&r, ret->scored, &ret->flagged);
}

/* The first line of another version. */
static bool is_older(const struct reader *r)
{
	const size_t n = strlen(HEAD_OF);

	return r->length == strlen(HEAD) && memcmp(r->at, HEAD_OF, n) == 0 && r->at[n] >= '1' && r->at[n] <= '9';
}

static int older(const struct reader *r)
{
	return err_set(
		r->e, AMBIT_MALFORMED, "`ambit profile reset` begins it anew; what it knew has to be learned again",
		"line 1: a profile of version %c, and this build reads version %s", r->at[strlen(HEAD_OF)], VERSION);
}

int form_read(const char *text, size_t n, const uint8_t secret[PROFILE_KEY], struct profile *ret, struct err *e)
{
	struct reader r = { .at = text, .left = n, .p = ret, .e = e };
	char key[PROFILE_NAME_MAX];
	int rc;

	if (n > FORM_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "a profile of more than %u bytes", FORM_MAX);
	if (!next_line(&r) || r.length != strlen(HEAD) || memcmp(r.at, HEAD, r.length) != 0)
		return is_older(&r) ? older(&r) : bad(&r, "it does not begin with \"" HEAD "\"");
	if (!begin(&r, "key") || !take_rest(&r, key, sizeof key) || !is_key(key))
		return bad(&r, "no key, or a longer one than there is");
	if (profile_init(ret, key, secret) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profile");
	rc = read_all(&r) ? 0 : bad(&r, "it is not what stands there in a profile");
	rc = rc < 0 ? rc : check_form(ret, text, n, e);
	if (rc == 0 && profile_freeze(ret) < 0)
		rc = err_set(e, AMBIT_MEMORY, NULL, "no memory for the profile");
	if (rc < 0)
		profile_finish(ret);
	return rc;
}
