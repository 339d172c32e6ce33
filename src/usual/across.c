#include "usual/across.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "usual/file.h"
#include "usual/layout.h"
#include "usual/pair.h"

#define WINDOW_MAX (1u << 20) /* bytes of its file */
#define KEYS_MAX 6            /* of one event: four destinations */
#define RELEASED_MAX 16

/* ---- windows ---- */

static int no_memory(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory for what was done together");
}

/* The nth destination that it reached; NULL: there is none. */
static const char *destination_of(const struct deeds *d, unsigned n)
{
	for (size_t i = 0; i < d->n_items; i++)
		if (d->items[i].kind == DEED_DESTINATION && n-- == 0)
			return d->items[i].text;
	return NULL;
}

/* The person's, that of a workspace, and those of the destinations, which are so many: a keyed hash says which, so nobody chooses with whom another is counted. False: it has none. */
static bool key_of(const struct book *b, const struct deeds *d, unsigned which, char ret[PROFILE_NAME_MAX])
{
	const char *to = which >= 2 ? destination_of(d, which - 2) : NULL;
	uint8_t hash[crypto_shorthash_BYTES];

	if (which == 0)
		(void)snprintf(ret, PROFILE_NAME_MAX, "\t*\t\t");
	else if (which == 1)
		(void)snprintf(ret, PROFILE_NAME_MAX, "\t*\t\t%016llx", (unsigned long long)d->place);
	if (which < 2)
		return which == 0 || d->place != 0;
	if (to == NULL)
		return false;
	(void)crypto_shorthash(hash, (const uint8_t *)to, strlen(to), b->secret);
	(void)snprintf(ret, PROFILE_NAME_MAX, "\t*\t@%02x\t", hash[0]);
	return true;
}

/* To one destination all that its events sent: of an event with several nobody knows how much went to which. */
static bool is_sent(enum amount a)
{
	return a == AMOUNT_CONNECTIONS || a == AMOUNT_REQUESTS || a == AMOUNT_UP_BYTES;
}

static bool part_of(const struct deeds *d, unsigned which, struct deeds *ret)
{
	*ret = (struct deeds){ .items = NULL };
	if (which < 2 && !deeds_firsts(d, ret))
		return false;
	for (size_t i = 0; i < AMOUNTS; i++)
		if (which < 2 ? amount_adds_up((enum amount)i) : is_sent((enum amount)i))
			ret->amounts[i] = d->amounts[i];
	return true;
}

static int read_window(const struct book *b, const char *key, struct together *ret, struct err *e)
{
	auto_buf bytes = { .max = 0 };
	char name[NAME_MAX + 1];
	struct rbuf in;
	int r;

	*ret = (struct together){ .number = 0 };
	pair_name(b, key, USUAL_WINDOW, name);
	r = file_read(b->dir_fd, name, WINDOW_MAX, &bytes, e);
	if (r == -AMBIT_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	rbuf_init(&in, bytes.data, bytes.len);
	ret->number = rbuf_u64(&in);
	r = in.failed ? err_set(e, AMBIT_MALFORMED, "remove it", "a window that is none")
		      : deeds_decode(bytes.data + in.at, bytes.len - in.at, &ret->done, e);
	return r < 0 ? err_context(e, r, "%s", name) : 0;
}

static int write_window(const struct book *b, struct together *w, struct err *e)
{
	auto_buf bytes = { .max = WINDOW_MAX };
	char name[NAME_MAX + 1];
	int r;

	if (!w->dirty)
		return 0;
	buf_put_u64(&bytes, w->number);
	deeds_encode(&w->done, &bytes);
	if (bytes.failed)
		return no_memory(e);
	pair_name(b, w->key, USUAL_WINDOW, name);
	r = file_write(b->dir_fd, name, &bytes, e);
	w->dirty = w->dirty && r < 0;
	return r;
}

static void drop(struct together *w)
{
	deeds_finish(&w->done);
	*w = (struct together){ .key = "" };
}

/* Borrowed, until another is asked for. */
static int window_of(struct book *b, const char *key, struct together **ret, struct err *e)
{
	struct together *w = &b->windows[0];
	int r;

	for (size_t i = 0; i < BOOK_WINDOWS; i++) {
		struct together *one = &b->windows[i];

		if (strcmp(one->key, key) == 0) {
			one->used = ++b->uses;
			*ret = one;
			return 0;
		}
		if (w->key[0] != 0 && (one->key[0] == 0 || one->used < w->used))
			w = one;
	}
	r = w->key[0] != 0 ? write_window(b, w, e) : 0;
	if (r < 0)
		return r;
	drop(w);
	r = read_window(b, key, w, e);
	if (r < 0) {
		drop(w);
		return r;
	}
	(void)text_copy(w->key, sizeof w->key, key); /* of key_of */
	w->used = ++b->uses;
	*ret = w;
	return 0;
}

int across_save(struct book *b, struct err *e)
{
	struct err ignored;
	int r = 0;

	for (size_t i = 0; i < BOOK_WINDOWS; i++) {
		const int rc = write_window(b, &b->windows[i], r == 0 ? e : &ignored);

		r = r < 0 ? r : rc;
	}
	return r;
}

void across_close(struct book *b)
{
	for (size_t i = 0; i < BOOK_WINDOWS; i++)
		drop(&b->windows[i]);
}

/* Flagged at what was promised, and not at a level that follows: who is loud under a policy that only tells would lower it for all. */
static bool is_flagged(const struct unusual *f)
{
	return !f->young && f->least <= PROMISE_LOG && f->p <= PROMISE_LOG;
}

/* So few of those that are flagged are lessons that the next one like them is flagged as well: half of what was promised. But for those of which a person released an event, which are usual from then on. */
static bool may_teach(struct together *w, const struct pair *p, const struct unusual *f)
{
	const struct promise_kept *k = &p->scores.promises[PROMISED_LOG];

	if (!is_flagged(f) || (double)(k->flagged + 1) <= (double)k->events * PROMISE_LOG / 2)
		return true;
	if (w->released == 0)
		return false;
	w->released--;
	return true;
}

/* One that is over is a lesson. Where there is no room for another profile there is none. */
static int close_window(struct book *b, struct together *w, struct err *e)
{
	struct deeds *was = &w->done;
	struct unusual f;
	struct pair *p;
	bool is_new;
	int r = pair_of(b, w->key, &p, &is_new, e);

	if (r == 0) {
		(void)snprintf(was->principal, sizeof was->principal, "w%llu", (unsigned long long)w->number);
		was->acted = was->untrusted = false; /* who may teach is asked of each event */
		profile_score(&p->scores, NULL, was, &f);
		f.flagged[PROMISED_LOG] = is_flagged(&f);
		r = may_teach(w, p, &f) ? pair_teach(b, p, was, &f, e) : 0;
	}
	deeds_finish(was);
	*was = (struct deeds){ .items = NULL };
	return r == -AMBIT_LIMIT ? 0 : r;
}

/* ---- an event ---- */

/* Whether it added to what makes its window unusual: to what does most, or to what would do alone, since what another did covers nobody. */
static bool is_of_it(const struct profile *p, const struct deeds *all, const struct deeds *d, const struct unusual *f)
{
	const bool by_firsts = f->ps[LAYER_FIRSTS] < f->ps[LAYER_AMOUNTS] || f->ps[LAYER_FIRSTS] <= PROMISE_LOG;
	double most = 0, each[AMOUNTS];
	size_t at = 0;

	for (unsigned kind = 1; kind < DEED_KINDS && by_firsts; kind++)
		for (size_t i = 0; i < d->n_items && f->is_new[kind]; i++)
			if (d->items[i].kind == kind &&
			    firsts_support(firsts_find(&p->firsts, &d->items[i])) < p->support)
				return true;
	(void)amounts_score(&p->amounts, all->amounts, each);
	for (size_t i = 0; i < AMOUNTS; i++) {
		at = each[i] > most ? i : at;
		most = each[i] > most ? each[i] : most;
		if (d->amounts[i] > 0 && calibration_p(&p->rings[LAYER_AMOUNTS], each[i]) <= PROMISE_LOG)
			return true;
	}
	return f->ps[LAYER_AMOUNTS] <= f->ps[LAYER_FIRSTS] && d->amounts[at] > 0;
}

static void tell(const struct unusual *f, const char *key, const char *where, struct usual_found *ret)
{
	struct unusual told = *f;

	for (size_t i = 0; i < told.n_reasons; i++)
		(void)snprintf(told.reasons[i].text, REASON_MAX, "with all that was done %.100s in %d minutes: %.240s",
			       where, ACROSS_WINDOW_S / 60, f->reasons[i].text);
	ret->f = told;
	ret->level = USUAL_LEVEL_ACROSS;
	ret->asks = true; /* one window in a hundred, at most */
	(void)text_copy(ret->key, sizeof ret->key, key);
}

/* A clock that was set back a little goes on with what is there; one that was set back further begins anew. */
static bool goes_on(const struct together *w, uint64_t number)
{
	return w->number != 0 && (w->number == number || w->number - 1 == number);
}

static int look(struct book *b, const struct deeds *part, const char *key, const char *where, uint64_t number,
		struct usual_found *ret, struct err *e)
{
	struct deeds all = { .items = NULL };
	struct together *w;
	struct unusual f;
	struct pair *p;
	bool is_new;
	int r = window_of(b, key, &w, e);

	r = r < 0 ? r : pair_of(b, key, &p, &is_new, e);
	if (r < 0)
		return r == -AMBIT_LIMIT ? 0 : r;
	if (deeds_join(&all, part) && (!goes_on(w, number) || deeds_join(&all, &w->done))) {
		profile_score(&p->scores, NULL, &all, &f);
		f.flagged[PROMISED_LOG] = is_flagged(&f);
		if (f.flagged[PROMISED_LOG] && is_of_it(&p->scores, &all, part, &f))
			tell(&f, key, where, ret);
	} else {
		r = no_memory(e);
	}
	deeds_finish(&all);
	return r;
}

static void where_of(const struct deeds *d, unsigned which, char *ret, size_t size)
{
	if (which < 2)
		(void)snprintf(ret, size, "%s", which == 0 ? "by anybody" : "in its workspace");
	else
		(void)snprintf(ret, size, "by events that reached %.80s", destination_of(d, which - 2));
}

int across_look(struct book *b, const struct deeds *d, uint64_t time_s, struct usual_found *ret, struct err *e)
{
	char key[PROFILE_NAME_MAX], where[120];
	int r = 0;

	for (unsigned which = 0; time_s != 0 && which < KEYS_MAX && r == 0 && !ret->asks; which++) {
		struct deeds part;

		if (!key_of(b, d, which, key))
			continue;
		if (!part_of(d, which, &part))
			return no_memory(e);
		where_of(d, which, where, sizeof where);
		r = look(b, &part, key, where, time_s / ACROSS_WINDOW_S, ret, e);
		deeds_finish(&part);
	}
	return r;
}

static int add(struct book *b, const struct deeds *part, const char *key, uint64_t number, struct err *e)
{
	struct together *w;
	struct pair *p;
	bool is_new;
	int r = pair_of(b, key, &p, &is_new, e);

	if (r == -AMBIT_LIMIT) /* where there is no room for its profile a window is of no use */
		return 0;
	r = r < 0 ? r : window_of(b, key, &w, e);
	if (r == 0 && w->number != 0 && !goes_on(w, number))
		r = close_window(b, w, e);
	if (r < 0)
		return r;
	w->number = goes_on(w, number) ? w->number : number;
	(void)text_copy(w->done.tool, sizeof w->done.tool, "*");
	w->dirty = true;
	return deeds_join(&w->done, part) ? 0 : no_memory(e);
}

int across_add(struct book *b, const struct deeds *d, uint64_t time_s, struct err *e)
{
	char key[PROFILE_NAME_MAX];
	int r = 0;

	for (unsigned which = 0; time_s != 0 && which < KEYS_MAX && r == 0; which++) {
		struct deeds part;

		if (!key_of(b, d, which, key))
			continue;
		if (!part_of(d, which, &part))
			return no_memory(e);
		r = add(b, &part, key, time_s / ACROSS_WINDOW_S, e);
		deeds_finish(&part);
	}
	return r;
}

int across_released(struct book *b, const struct deeds *d, struct err *e)
{
	char key[PROFILE_NAME_MAX];
	struct together *w;
	int r = 0;

	for (unsigned which = 0; which < KEYS_MAX && r == 0; which++)
		if (key_of(b, d, which, key) && (r = window_of(b, key, &w, e)) == 0)
			w->released += w->released < RELEASED_MAX;
	return r;
}
