#include "stage/pick.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "core/grant.h"

#define NAMED_MAX 2 /* as many labels as an error has room for, beside its words */

/* Some stages: how many, and what the latest of them are called. */
struct some {
	size_t n;
	char event[STAGE_ID_MAX]; /* of the latest: ids are given when cells are made, and that can be long before */
	uint64_t started_ns;      /* it */
	char labels[NAMED_MAX][STAGE_LABEL_MAX];
};

static void add(struct some *some, const char *event, const struct stage_meta *meta)
{
	memmove(some->labels[1], some->labels[0], sizeof some->labels[0]);
	stage_label(some->labels[0], event, meta->command, meta->n_trees > 0 ? meta->trees[0].real : "", meta->n_trees);
	if (meta->started_ns >= some->started_ns) {
		(void)text_copy(some->event, sizeof some->event, event); /* an id */
		some->started_ns = meta->started_ns;
	}
	some->n++;
}

static void names_of(const struct some *some, char *ret, size_t size)
{
	const int n = snprintf(ret, size, "%s%s%s", some->labels[0], some->n > 1 ? ", " : "",
			       some->n > 1 ? some->labels[1] : "");

	if (some->n > NAMED_MAX && n > 0 && (size_t)n < size)
		(void)snprintf(ret + n, size - (size_t)n, ", and %zu more", some->n - NAMED_MAX); /* cut is fine */
}

/* ---- last ---- */

struct last {
	const struct pick *p;
	struct some waiting, running, elsewhere;
};

bool pick_is_at_hand(const struct stage_meta *meta, const char *here)
{
	for (uint32_t i = 0; i < meta->n_trees && here[0] != 0; i++)
		if (path_is_beneath(here, meta->trees[i].real) || path_is_beneath(meta->trees[i].real, here))
			return true;
	return here[0] == 0;
}

static int look_for_last(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	struct last *last = user;
	const unsigned states = last->p->states;

	/* of one that was committed in parts, the rest waits */
	if (meta == NULL ||
	    ((states & 1u << meta->state) == 0 && ((states & 1u << STAGE_COMMITTED) == 0 || meta->commits == 0)))
		return 0;
	if (!pick_is_at_hand(meta, last->p->here))
		add(&last->elsewhere, event, meta);
	else
		add(in_use ? &last->running : &last->waiting, event, meta);
	return 0;
}

static int none_is_last(const struct last *last, struct err *e)
{
	const bool committed = (last->p->states & 1u << STAGE_COMMITTED) != 0;
	char here[160], names[ERR_WHY_MAX];
	int r;

	if (last->elsewhere.n == 0) {
		r = err_set(e, AMBIT_NOT_FOUND, "`ambit stage list` shows what there is",
			    committed ? "nothing that could be undone is kept" : "no changes are kept");
		return err_why(e, r, "%s",
			       committed ? "nothing was committed, it is undone already, or it is too long ago"
					 : "what there was is committed, thrown away or too old");
	}
	names_of(&last->elsewhere, names, sizeof names);
	r = err_set(e, AMBIT_NOT_FOUND, "name it by its id; `ambit stage list` shows all there is",
		    committed ? "nothing that could be undone is kept of %s" : "no changes are kept of %s",
		    text_escape(here, sizeof here, last->p->here, strlen(last->p->here)));
	return err_why(e, r, "elsewhere there is %s", names);
}

static int find_last(const struct shelf *s, const struct pick *p, char ret[STAGE_ID_MAX], struct err *e)
{
	struct last last = { .p = p };
	char names[ERR_WHY_MAX];
	int r = shelf_each(s, look_for_last, &last);

	if (r < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look for a stage");
	if (last.waiting.n == 0 && last.running.n == 0)
		return none_is_last(&last, e);
	if (last.waiting.n == 0 && last.running.n > 1) {
		names_of(&last.running, names, sizeof names);
		r = err_set(e, AMBIT_CONFLICT, "name one by its id",
			    "nothing is kept here, and %zu events still run: which one?", last.running.n);
		return err_why(e, r, "%s", names);
	}
	(void)text_copy(ret, STAGE_ID_MAX, last.waiting.n > 0 ? last.waiting.event : last.running.event); /* an id */
	return 0;
}

/* ---- an id ---- */

struct search {
	const char *word;
	char whole[STAGE_ID_MAX + 2]; /* the word as ids are written */
	size_t found;
	char event[STAGE_ID_MAX];
	struct nearest nearest;
};

static int look_for_prefix(void *user, const char *event, const struct stage_meta *meta, bool in_use)
{
	struct search *search = user;

	(void)meta;
	(void)in_use;
	nearest_try(&search->nearest, event);
	if (strncmp(event, search->whole, strlen(search->whole)) == 0)
		nearest_set(&search->nearest, event);
	if (strncmp(event, search->word, strlen(search->word)) != 0)
		return 0;
	search->found++;
	(void)text_copy(search->event, sizeof search->event, event); /* an id */
	return 0;
}

static char as_in_ids(char c)
{
	if (c == 'i' || c == 'I' || c == 'l' || c == 'L')
		return '1';
	if (c == 'o' || c == 'O')
		return '0';
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* What somebody wrote in small letters, without what all begin with, or with letters that ids leave out since they look like digits. */
static void write_as_id(const char *word, char *ret, size_t size)
{
	const bool begins = (word[0] == 'e' || word[0] == 'E') && word[1] == '_';
	size_t n = 2;

	ret[0] = 'e';
	ret[1] = '_';
	for (const char *p = word + (begins ? 2 : 0); *p != 0 && n + 1 < size; p++)
		ret[n++] = as_in_ids(*p);
	ret[n] = 0;
}

static int find_id(const struct shelf *s, const char *word, char ret[STAGE_ID_MAX], struct err *e)
{
	static const char *const last[] = { "last" };
	struct search search = { .word = word };
	const char *meant;
	char hint[NEAREST_HINT_MAX];
	int r;

	write_as_id(word, search.whole, sizeof search.whole);
	nearest_begin(&search.nearest, search.whole);
	r = shelf_each(s, look_for_prefix, &search);
	if (r < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look for a stage");
	meant = nearest_found(&search.nearest) != NULL ? nearest_found(&search.nearest) : word_nearest(word, last, 1);
	if (search.found == 0)
		return err_set(e, AMBIT_NOT_FOUND,
			       nearest_hint(hint, "", meant, "`ambit stage list` shows what there is"), "no stage %s",
			       word);
	if (search.found > 1)
		return err_set(e, AMBIT_CONFLICT, "give more of its id: `ambit stage list`", "%zu stages begin with %s",
			       search.found, word);
	memcpy(ret, search.event, STAGE_ID_MAX);
	return 0;
}

int pick_stage(const struct shelf *s, const struct pick *p, char ret[STAGE_ID_MAX], struct err *e)
{
	if (strcmp(p->word, "last") == 0)
		return find_last(s, p, ret, e);
	if (shelf_has(s, p->word)) {
		(void)text_copy(ret, STAGE_ID_MAX, p->word); /* of an id's length */
		return 0;
	}
	return find_id(s, p->word, ret, e);
}
