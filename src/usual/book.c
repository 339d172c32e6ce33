#include "usual/book.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "profile/seed.h"
#include "profile/tripwire.h"
#include "usual/across.h"
#include "usual/file.h"
#include "usual/held.h"
#include "usual/layout.h"
#include "usual/pair.h"

#define NAME_LEN 26 /* "p_" and 24 digits of a keyed hash */
#define ASKS_FROM 5 /* events: from here on a first destination or program is a reason to ask */
#define WINDOW_KEEP_S (30 * 86400)
#define GROW_FIRST ASKS_FROM /* lessons: then it has something to say of what is new */
#define GROW_MOST 500        /* lessons from one promotion to the next */
#define GROW_RATIO 1.5       /* of what was promised: more, and what is usual is not known yet */
#define GROW_RATIO_OF 300    /* events from which on that says something */

_Static_assert(FORM_MAX == USUAL_TEXT_MAX, "what is kept can be had");

/* ---- names ---- */

void pair_name(const struct book *b, const char *key, const char *ending, char ret[NAME_MAX + 1])
{
	uint8_t hash[crypto_shorthash_BYTES], again[crypto_shorthash_BYTES];
	char text[2 * sizeof hash + 1], more[2 * sizeof again + 1];

	(void)crypto_shorthash(hash, (const uint8_t *)key, strlen(key), b->secret);
	(void)crypto_shorthash(again, hash, sizeof hash, b->secret + sizeof hash);
	hex_write(hash, sizeof hash, text);
	hex_write(again, sizeof again / 2, more);
	(void)snprintf(ret, NAME_MAX + 1, "p_%s%s%s", text, more, ending);
}

static bool has_ending(const char *name, const char *ending)
{
	const size_t n = strlen(name), m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

/* ---- the directory ---- */

/* Of a workspace that nobody came back to: which there are an agent says. */
static bool is_stale(const struct book *b, const char *window)
{
	struct stat st;

	return fstatat(b->dir_fd, window, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (uint64_t)st.st_mtime + WINDOW_KEEP_S < clock_unix_ms() / 1000;
}

static void count_file(void *of, const char *name)
{
	struct book *b = of;
	const bool is_window = has_ending(name, USUAL_WINDOW);

	if (is_window && is_stale(b, name) && unlinkat(b->dir_fd, name, 0) == 0)
		return;
	b->files += is_window || has_ending(name, USUAL_SCORES) || has_ending(name, USUAL_SHADOW);
}

int book_open(struct book *b, int dir_fd, struct err *e)
{
	auto_buf bytes = { .max = 0 };
	int r;

	memset(b, 0, sizeof *b);
	b->dir_fd = dir_fd;
	r = file_each(b->dir_fd, count_file, b, e);
	r = r < 0 ? r : file_read(b->dir_fd, USUAL_SECRET, sizeof b->secret, &bytes, e);
	if (r == 0 && bytes.len == sizeof b->secret) {
		memcpy(b->secret, bytes.data, bytes.len);
		return 0;
	}
	if (r < 0 && r != -AMBIT_NOT_FOUND)
		return r;
	if (r == 0)
		return err_set(e, AMBIT_MALFORMED, "move it away: profiles beside it are found no more",
			       "the profiles' " USUAL_SECRET " is not %zu bytes long", sizeof b->secret);
	if (getrandom(b->secret, sizeof b->secret, 0) != (ssize_t)sizeof b->secret)
		return file_cannot(e, "make", USUAL_SECRET);
	buf_finish(&bytes);
	buf_init(&bytes, sizeof b->secret);
	buf_put(&bytes, b->secret, sizeof b->secret);
	return file_write(b->dir_fd, USUAL_SECRET, &bytes, e);
}

/* ---- pairs ---- */

static int save_one(const struct book *b, const struct profile *p, const char *key, const char *ending, struct err *e)
{
	auto_buf text = { .max = FORM_MAX };
	char name[NAME_MAX + 1];

	form_write(p, &text);
	if (text.failed)
		return err_set(e, AMBIT_LIMIT, "`ambit profile reset` begins anew",
			       "a profile is longer than %u bytes, or memory is gone", FORM_MAX);
	pair_name(b, key, ending, name);
	return file_write(b->dir_fd, name, &text, e);
}

static int save_pair(const struct book *b, struct pair *p, struct err *e)
{
	int r = 0;

	p->is_new = p->is_new && !p->dirty && p->unsaved == 0;
	if (p->dirty)
		r = save_one(b, &p->scores, p->key, USUAL_SCORES, e);
	p->dirty = p->dirty && r < 0;
	if (r == 0 && p->unsaved > 0)
		r = save_one(b, &p->shadow, p->key, USUAL_SHADOW, e);
	if (r == 0)
		p->unsaved = 0;
	return r;
}

static void drop_pair(struct pair *p)
{
	if (p->key[0] != 0) {
		profile_finish(&p->scores);
		profile_finish(&p->shadow);
	}
	memset(p, 0, sizeof *p);
}

/* One that was only looked at leaves no file, and is counted as none. */
static void forget_pair(struct book *b, struct pair *p)
{
	b->files -= p->is_new ? 2 : 0;
	drop_pair(p);
}

int book_save(struct book *b, struct err *e)
{
	struct err ignored;
	int r = 0;

	for (size_t i = 0; i < BOOK_HOT; i++)
		if (b->pairs[i].key[0] != 0) {
			const int rc = save_pair(b, &b->pairs[i], r == 0 ? e : &ignored);

			r = r < 0 ? r : rc;
		}
	return r < 0 ? r : across_save(b, e);
}

static void forget_names(struct book *b)
{
	for (size_t i = 0; i < b->n_names; i++)
		free(b->names[i]);
	free(b->names);
	b->names = NULL;
	b->n_names = 0;
}

void book_close(struct book *b)
{
	across_close(b);
	forget_names(b);
	for (size_t i = 0; i < BOOK_HOT; i++)
		drop_pair(&b->pairs[i]);
	sodium_memzero(b->secret, sizeof b->secret);
}

/* *ret_new: there was none. */
static int load_one(const struct book *b, const char *key, const char *ending, struct profile *ret, bool *ret_new,
		    struct err *e)
{
	auto_buf text = { .max = 0 };
	char name[NAME_MAX + 1];
	int r;

	pair_name(b, key, ending, name);
	r = file_read(b->dir_fd, name, FORM_MAX, &text, e);
	*ret_new = r == -AMBIT_NOT_FOUND;
	if (*ret_new)
		return profile_init(ret, key, b->secret) < 0 ? err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile")
							     : 0;
	r = r < 0 ? r : form_read((const char *)text.data, text.len, b->secret, ret, e);
	if (r == 0 && strcmp(ret->key, key) != 0) {
		profile_finish(ret);
		r = err_set(e, AMBIT_MALFORMED, "move it away", "it is the profile of another key");
	}
	return r < 0 ? err_context(e, r, "%s", name) : 0;
}

static struct pair *oldest(struct book *b)
{
	struct pair *found = &b->pairs[0];

	for (size_t i = 0; i < BOOK_HOT && found->key[0] != 0; i++)
		if (b->pairs[i].key[0] == 0 || b->pairs[i].used < found->used)
			found = &b->pairs[i];
	return found;
}

/* With what is on disk, or new. */
int pair_of(struct book *b, const char *key, struct pair **ret, bool *ret_new, struct err *e)
{
	bool new_shadow;
	struct pair *p;
	int r;

	*ret_new = false;
	for (size_t i = 0; i < BOOK_HOT; i++)
		if (strcmp(b->pairs[i].key, key) == 0) {
			b->pairs[i].used = ++b->uses;
			*ret = &b->pairs[i];
			return 0;
		}
	p = oldest(b);
	r = p->key[0] != 0 ? save_pair(b, p, e) : 0;
	if (r < 0)
		return r;
	forget_pair(b, p);
	r = load_one(b, key, USUAL_SCORES, &p->scores, ret_new, e);
	if (r < 0)
		return r;
	if (*ret_new && b->files + 2 > BOOK_FILES_MAX) {
		profile_finish(&p->scores);
		memset(p, 0, sizeof *p);
		(void)err_set(e, AMBIT_LIMIT, "`ambit profile reset` removes those of no use",
			      "there are %d profiles, and no more can be", BOOK_FILES_MAX / 2);
		return -AMBIT_LIMIT;
	}
	r = load_one(b, key, USUAL_SHADOW, &p->shadow, &new_shadow, e);
	if (r < 0) {
		profile_finish(&p->scores);
		memset(p, 0, sizeof *p);
		return r;
	}
	p->is_new = *ret_new && new_shadow;
	b->files += p->is_new ? 2 : 0;
	(void)text_copy(p->key, sizeof p->key, key); /* of profile_key */
	p->used = ++b->uses;
	*ret = p;
	return 0;
}

/* ---- promotion ---- */

/* What scores becomes what the shadow is, by way of its form, and goes on with its own scores and promises. */
static int promote(struct pair *p, const uint8_t secret[PROFILE_KEY], bool by_person, struct err *e)
{
	auto_buf text = { .max = FORM_MAX };
	uint32_t before = 0, after = 0;
	struct profile made;
	int r;

	form_write(&p->shadow, &text);
	if (text.failed)
		return err_set(e, AMBIT_LIMIT, "`ambit profile reset` begins anew",
			       "a profile is longer than %u bytes, or memory is gone", FORM_MAX);
	r = form_read((const char *)text.data, text.len, secret, &made, e);
	if (r < 0)
		return r;
	memcpy(made.rings, p->scores.rings, sizeof made.rings);
	memcpy(made.promises, p->scores.promises, sizeof made.promises);
	if (!by_person) {
		r = tripwires_flagged(&p->scores, &before, e);
		r = r < 0 ? r : tripwires_flagged(&made, &after, e);
	}
	if (r < 0 || (before & ~after) != 0) { /* what it learned hides what it saw before: a person looks at that */
		profile_finish(&made);
		p->tripped_at = p->shadow.events;
		return r;
	}
	p->tripped_at = 0;
	made.epoch = p->scores.epoch + 1;
	made.n_pupils = 0;
	profile_finish(&p->scores);
	p->scores = made;
	p->shadow.epoch = made.epoch;
	p->shadow.n_pupils = 0;
	p->dirty = true;
	p->unsaved++;
	return 0;
}

static bool is_grown(const struct pair *p)
{
	const struct promise_kept *k = &p->scores.promises[PROMISED_LOG];
	uint32_t more = p->scores.events < GROW_FIRST ? GROW_FIRST : p->scores.events;

	more = more < GROW_MOST ? more : GROW_MOST;
	if (p->tripped_at != 0 && p->shadow.events < p->tripped_at + p->tripped_at / 10 + 1) /* not at each lesson */
		return false;
	return p->shadow.events >= p->scores.events && p->shadow.events - p->scores.events >= more &&
	       (k->events < GROW_RATIO_OF || promise_ratio(k) <= GROW_RATIO);
}

/* ---- scoring ---- */

/* What a person would be asked about whatever the scores are: it goes where it never went, or runs what it never ran. */
static bool breaks_rule(const struct unusual *f)
{
	return f->events >= ASKS_FROM && f->is_first;
}

int pair_teach(const struct book *b, struct pair *p, const struct deeds *d, const struct unusual *f, struct err *e)
{
	int r;

	if (!profile_is_tainted(d)) {
		profile_calibrate(&p->scores, f);
		p->dirty = true;
	}
	r = profile_learn(&p->shadow, &p->scores, d, f);
	p->unsaved++;
	if (r < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile");
	if (is_grown(p))
		r = promote(p, b->secret, false, e);
	return r == 0 && p->unsaved >= BOOK_SAVE_EVERY ? save_pair(b, p, e) : r;
}

static int accept_at(struct book *b, const struct deeds *d, unsigned level, struct err *e)
{
	char key[PROFILE_NAME_MAX];
	struct pair *p;
	bool is_new;
	int r;

	profile_key(d, level, key);
	r = pair_of(b, key, &p, &is_new, e);
	if (r < 0)
		return r;
	if (profile_accept(&p->scores, d) < 0 || profile_accept(&p->shadow, d) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile");
	p->dirty = true; /* both: what scores is the shadow, once that is promoted */
	p->unsaved++;
	return save_pair(b, p, e);
}

static int no_memory(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory for what an event did");
}

static int accept(struct book *b, const struct deeds *d, struct err *e)
{
	struct deeds firsts;
	int r = 0;

	for (unsigned level = 0; level < PROFILE_LEVELS && r == 0; level++)
		r = accept_at(b, d, level, e);
	if (r < 0 || d->program[0] == 0)
		return r;
	if (!deeds_firsts(d, &firsts))
		return no_memory(e);
	r = accept_at(b, &firsts, PROFILE_OF_AGENT, e);
	deeds_finish(&firsts);
	return r;
}

/* Whether a profile has the word for another that has had it so far: the narrowest that is not young, or the narrowest that knows what is new. */
static bool knows_better(const struct unusual *f, const struct unusual *so_far)
{
	return so_far->young && (!f->young || (so_far->events < ASKS_FROM && f->events >= ASKS_FROM));
}

/* It judges nobody, and is nobody's reason. */
static int teach_base(const struct book *b, struct pair *base, const struct deeds *d, struct err *e)
{
	struct unusual f;

	profile_score(&base->scores, NULL, d, &f);
	return pair_teach(b, base, d, &f, e);
}

/* Each level learns. */
static int at_all_levels(struct book *b, const struct deeds *d, bool teaches, struct usual_found *ret, struct err *e)
{
	char key[PROFILE_NAME_MAX];
	struct pair *base;
	bool is_new;
	int r;

	profile_key(d, PROFILE_BASE, key);
	r = pair_of(b, key, &base, &is_new, e);
	for (unsigned level = 0; level < PROFILE_LEVELS && r == 0; level++) {
		struct unusual f;
		struct pair *p;

		profile_key(d, level, key);
		r = pair_of(b, key, &p, &is_new, e);
		if (r < 0)
			break;
		profile_score(&p->scores, &base->scores, d, &f);
		if (level == 0 || knows_better(&f, &ret->f)) {
			const char *why = profile_refuses(&p->shadow, &p->scores, d, &f);

			ret->f = f;
			ret->level = (uint8_t)level;
			(void)text_copy(ret->key, sizeof ret->key, key);
			(void)text_copy(ret->not_taught, sizeof ret->not_taught, why != NULL ? why : "");
			for (size_t i = 0; i < PROMISES; i++)
				ret->ratio[i] = promise_ratio(&p->scores.promises[i]);
		}
		if (teaches)
			r = pair_teach(b, p, d, &f, e);
	}
	return r == 0 && teaches ? teach_base(b, base, d, e) : r;
}

/* What its agent never ran, or reached, by any program: where the program's own profiles know nothing yet. Nothing is pooled but what is new. */
static int by_agent(struct book *b, const struct deeds *d, bool teaches, struct usual_found *ret, struct err *e)
{
	static const enum deed_kind kinds[] = { DEED_PROGRAM, DEED_DESTINATION };
	char key[PROFILE_NAME_MAX];
	struct deeds firsts;
	struct unusual f;
	struct pair *p;
	bool is_new;
	int r;

	if (d->program[0] == 0)
		return 0;
	if (!deeds_firsts(d, &firsts))
		return no_memory(e);
	profile_key(d, PROFILE_OF_AGENT, key);
	r = pair_of(b, key, &p, &is_new, e);
	if (r == 0) {
		profile_score_firsts(&p->scores, &firsts, &f);
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && ret->f.events < ASKS_FROM; i++)
			ret->asks = ret->asks || (f.is_new[kinds[i]] && profile_is_rare(&p->scores, kinds[i]));
		if (ret->asks && ret->f.events < ASKS_FROM) {
			ret->f = f;
			ret->level = PROFILE_OF_AGENT;
			(void)text_copy(ret->key, sizeof ret->key, key);
		}
		r = teaches ? pair_teach(b, p, &firsts, &f, e) : 0;
	}
	deeds_finish(&firsts);
	return r;
}

static int teach_all(struct book *b, const struct deeds *d, struct err *e)
{
	struct usual_found ignored = { .asks = false };
	const int r = at_all_levels(b, d, true, &ignored, e);

	return r < 0 ? r : by_agent(b, d, true, &ignored, e);
}

/* Of what it did to others, and not of how long that took. */
static bool is_loud(const struct unusual *f)
{
	bool loud = false;

	for (size_t i = 0; i < AMOUNTS; i++)
		loud = loud || ((f->loud >> i & 1) != 0 && amount_adds_up((enum amount)i));
	return loud && f->flagged[PROMISED_LOG] && f->ps[LAYER_AMOUNTS] <= PROMISE_LOG;
}

/* For whoever reads why. Of the profile that has the word, what was learned last as well. */
static int find_nearest(struct book *b, const struct deeds *d, struct usual_found *ret, struct err *e)
{
	struct pair *p;
	bool is_new;
	int r;

	if (ret->level >= PROFILE_LEVELS || !(ret->asks || ret->f.flagged[PROMISED_LOG]))
		return 0;
	r = pair_of(b, ret->key, &p, &is_new, e);
	if (r == 0)
		(void)nearest_find(&p->shadow.nearest, p->shadow.secret, d, &ret->nearest);
	return r;
}

/* A verdict does not depend on whether there is room to keep what it is of: who fills a disk would have none. Then no later word makes it a lesson. */
static void keep_beside(const struct book *b, int (*keep)(int, const char *, const struct deeds *, struct err *),
			const struct deeds *d, struct usual_found *ret)
{
	struct err why;

	if (keep(b->dir_fd, d->event, d, &why) < 0) {
		ret->held = false;
		(void)snprintf(ret->not_taught, sizeof ret->not_taught, "it cannot be one later: %.90s", why.msg);
	}
}

int book_score(struct book *b, const struct usual_ask *ask, struct deeds *d, struct usual_found *ret, struct err *e)
{
	bool own, of_others;
	int r;

	*ret = (struct usual_found){ .asks = false };
	memcpy(d->event, ask->event, sizeof d->event); /* of the same size */
	r = at_all_levels(b, d, false, ret, e);
	if (r < 0)
		return r;
	ret->asks = ret->f.flagged[PROMISED_ASK] || breaks_rule(&ret->f);
	own = is_loud(&ret->f);
	r = by_agent(b, d, false, ret, e);
	r = r < 0 ? r : across_look(b, d, ask->time_s, ret, e);
	r = r < 0 ? r : find_nearest(b, d, ret, e);
	r = r < 0 ? r : seeds_look(b->seeds, d, ret, e);
	if (r < 0)
		return r;
	/* What others did together with it is a reason to look at it, and none to slow or to end who did little: else who floods slows and ends all. */
	of_others = ret->level == USUAL_LEVEL_ACROSS && !own;
	ret->loud = own || (!of_others && is_loud(&ret->f));
	ret->held = ask->use == USUAL_TEACH && ask->asks && ret->asks;
	if (ret->held) {
		keep_beside(b, held_keep, d, ret);
		return of_others ? 0 : held_others(b->dir_fd, ask->event, d->principal, &ret->others, e);
	}
	if (ask->use != USUAL_TEACH)
		return 0;
	if (ask->slows && ret->loud) { /* else what is much would soon be usual */
		(void)text_copy(ret->not_taught, sizeof ret->not_taught,
				"it did much, and is throttled: it is a lesson once a person releases it"); /* fits */
		keep_beside(b, held_slowed, d, ret);
	} else {
		r = teach_all(b, d, e);
	}
	return r < 0 ? r : across_add(b, d, ask->time_s, e);
}

int book_settle(struct book *b, const struct usual_settle *s, struct err *e)
{
	struct deeds d;
	int r;

	if (!s->released)
		return held_refuse(b->dir_fd, s->event, e);
	r = held_read(b->dir_fd, s->event, &d, e);
	if (r < 0)
		return r;
	memcpy(d.event, s->event, sizeof d.event); /* of the same size */
	r = accept(b, &d, e);
	r = r < 0 ? r : teach_all(b, &d, e);
	r = r < 0 ? r : across_released(b, &d, e);
	deeds_finish(&d);
	return r < 0 ? r : held_release(b->dir_fd, s->event, e);
}

/* ---- for a person ---- */

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void put_profile(void *of, const char *name)
{
	struct book *b = of;
	char **more;

	if (!has_ending(name, USUAL_SCORES) || b->n_names == BOOK_FILES_MAX)
		return;
	if ((b->n_names & (b->n_names - 1)) == 0) { /* grows at powers of two */
		more = realloc(b->names, (b->n_names == 0 ? 1 : 2 * b->n_names) * sizeof *more);
		if (more == NULL)
			return;
		b->names = more;
	}
	b->names[b->n_names] = strdup(name);
	b->n_names += b->names[b->n_names] != NULL; /* of what has no room nothing is told */
}

/* All names, in their order, when a list begins: what comes meanwhile is in the next one. */
static int list_names(struct book *b, struct err *e)
{
	int r = book_save(b, e);

	forget_names(b);
	r = r < 0 ? r : file_each(b->dir_fd, put_profile, b, e);
	if (b->n_names > 0)
		qsort(b->names, b->n_names, sizeof *b->names, by_name);
	return r;
}

/* How many are not behind it. */
static size_t place_behind(const struct book *b, const char *after)
{
	size_t low = 0, high = b->n_names;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (strcmp(b->names[middle], after) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t size_of(const struct book *b, const char *key)
{
	static const char *const endings[] = { USUAL_SCORES, USUAL_SHADOW };
	uint64_t bytes = 0;
	char name[NAME_MAX + 1];
	struct stat st;

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		pair_name(b, key, endings[i], name);
		if (fstatat(b->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)st.st_size;
	}
	return bytes;
}

/* Of one that is no profile its file's name, and nothing else. */
static bool head_of(const struct book *b, const char *name, struct form_head *ret)
{
	char head[FORM_HEAD_MAX];
	auto_fd int fd = openat(b->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, head, sizeof head);

	return n > 0 && form_head(head, (size_t)n, ret);
}

static void row_of(const struct book *b, const char *name, struct usual_row *ret)
{
	struct form_head head, shadow = { .events = 0 };
	char other[NAME_MAX + 1];

	*ret = (struct usual_row){ .epoch = 0 };
	(void)text_escape(ret->id, sizeof ret->id, name, strcspn(name, "."));
	if (!head_of(b, name, &head)) {
		ret->key[0] = '?';
		(void)text_escape(ret->key + 1, sizeof ret->key - 1, name, strlen(name));
		return;
	}
	pair_name(b, head.key, USUAL_SHADOW, other);
	(void)head_of(b, other, &shadow); /* or there is none */
	ret->epoch = head.epoch;
	ret->events = head.events;
	ret->shadow_events = shadow.events;
	ret->scored = head.scored;
	ret->flagged = head.flagged;
	ret->bytes = size_of(b, head.key);
	(void)text_copy(ret->key, sizeof ret->key, head.key);
}

int book_page(struct book *b, const char *after, struct usual_row rows[BOOK_PAGE], size_t *ret_n,
	      char ret_last[NAME_MAX + 1], struct err *e)
{
	const int r = after[0] == 0 || b->names == NULL ? list_names(b, e) : 0;
	size_t at;

	if (r < 0)
		return r;
	at = place_behind(b, after);
	(void)text_copy(ret_last, NAME_MAX + 1, "");
	for (*ret_n = 0; *ret_n < BOOK_PAGE && at < b->n_names; at++) {
		row_of(b, b->names[at], &rows[(*ret_n)++]);
		(void)text_copy(ret_last, NAME_MAX + 1, b->names[at]); /* of a directory */
	}
	if (*ret_n == 0)
		forget_names(b);
	return 0;
}

static int find(struct book *b, const char *key, struct pair **ret, struct err *e)
{
	bool is_new;
	int r = pair_of(b, key, ret, &is_new, e);

	if (r == 0 && is_new && (*ret)->shadow.events == 0) {
		forget_pair(b, *ret);
		r = err_set(e, AMBIT_NOT_FOUND, "`ambit profile show` lists them", "there is no such profile");
	}
	return r;
}

int book_get(struct book *b, const char *key, bool shadow, struct buf *out, struct err *e)
{
	struct pair *p;
	const int r = find(b, key, &p, e);

	if (r < 0)
		return r;
	form_write(shadow ? &p->shadow : &p->scores, out);
	return out->failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile") : 0;
}

int book_put(struct book *b, const char *text, size_t n, char ret_key[PROFILE_NAME_MAX], struct err *e)
{
	struct profile scores, shadow;
	struct pair *p;
	bool is_new;
	int r = form_read(text, n, b->secret, &scores, e);

	if (r < 0)
		return r;
	if (strncmp(scores.key, "\t" SEED_TOOL "\t", strlen(SEED_TOOL) + 2) == 0) {
		profile_finish(&scores);
		return err_set(e, AMBIT_USAGE, "put it into seeds.d (man ambit-profile)",
			       "it is a seed, and no profile of events here");
	}
	r = form_read(text, n, b->secret, &shadow, e);
	if (r < 0) {
		profile_finish(&scores);
		return r;
	}
	r = pair_of(b, scores.key, &p, &is_new, e);
	if (r < 0) {
		profile_finish(&scores);
		profile_finish(&shadow);
		return r;
	}
	profile_finish(&p->scores);
	profile_finish(&p->shadow);
	p->scores = scores;
	p->shadow = shadow;
	p->shadow.n_pupils = 0;
	p->dirty = true;
	p->unsaved = 1;
	(void)text_copy(ret_key, PROFILE_NAME_MAX, p->key);
	return save_pair(b, p, e);
}

int book_reset(struct book *b, const char *key, struct err *e)
{
	static const char *const endings[] = { USUAL_SCORES, USUAL_SHADOW };
	char name[NAME_MAX + 1];
	bool on_disk = true;
	struct pair *p;
	int r = find(b, key, &p, e);

	if (r < 0 && r != -AMBIT_MALFORMED && r != -AMBIT_LIMIT) /* one that cannot be read can be begun anew */
		return r;
	r = 0;
	for (size_t i = 0; i < BOOK_HOT; i++)
		if (strcmp(b->pairs[i].key, key) == 0) {
			on_disk = !b->pairs[i].is_new;
			forget_pair(b, &b->pairs[i]);
		}
	for (size_t i = 0; i < sizeof endings / sizeof endings[0] && r == 0; i++) {
		pair_name(b, key, endings[i], name);
		if (unlinkat(b->dir_fd, name, 0) < 0 && errno != ENOENT)
			r = file_cannot(e, "remove", name);
	}
	b->files -= r == 0 && on_disk && b->files >= 2 ? 2 : 0;
	return r;
}

int book_promote(struct book *b, const char *key, struct err *e)
{
	struct pair *p;
	int r = find(b, key, &p, e);

	r = r < 0 ? r : promote(p, b->secret, true, e);
	return r < 0 ? r : save_pair(b, p, e);
}
