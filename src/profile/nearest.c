#include "profile/nearest.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

_Static_assert(crypto_shorthash_KEYBYTES == NEAREST_KEY, "one hash");
_Static_assert(DEEDS_ITEMS_MAX <= UINT16_MAX, "they can be counted");

static uint32_t hash_of(const uint8_t key[NEAREST_KEY], const struct deeds_item *item)
{
	uint8_t bytes[2 + DEED_TEXT_MAX] = { 'n', item->kind }; /* no hash of firsts.c, which has the same key */
	const size_t n = strlen(item->text);
	uint64_t hash;

	memcpy(bytes + 2, item->text, n);
	(void)crypto_shorthash((uint8_t *)&hash, bytes, n + 2, key);
	return (uint32_t)hash;
}

static int rising(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sketch(const uint8_t key[NEAREST_KEY], const struct deeds *d, struct near *ret)
{
	uint32_t all[DEEDS_ITEMS_MAX];
	size_t n = 0;

	*ret = (struct near){ .items = (uint16_t)d->n_items };
	for (size_t i = 0; i < d->n_items; i++)
		all[i] = hash_of(key, &d->items[i]);
	qsort(all, d->n_items, sizeof *all, rising);
	for (size_t i = 0; i < d->n_items && n < NEAREST_LOW; i++)
		if (n == 0 || all[i] != ret->low[n - 1])
			ret->low[n++] = all[i];
	ret->n = (uint16_t)n;
	if (n < NEAREST_LOW)
		ret->items = (uint16_t)n; /* two that have the same hash are one */
}

static bool is_same(const struct near *a, const struct near *b)
{
	return a->items == b->items && a->n == b->n && memcmp(a->low, b->low, sizeof a->low) == 0;
}

static void drop(struct nearest *s, size_t at)
{
	memmove(&s->list[at], &s->list[at + 1], (--s->n - at) * sizeof s->list[0]);
}

void nearest_add(struct nearest *s, const uint8_t key[NEAREST_KEY], const struct deeds *d)
{
	struct near one;

	if (!id_is('e', d->event, strlen(d->event)) || d->n_items == 0)
		return;
	sketch(key, d, &one);
	memcpy(one.event, d->event, sizeof one.event); /* of the same size */
	for (size_t i = 0; i < s->n; i++)
		if (is_same(&s->list[i], &one)) {
			drop(s, i);
			break;
		}
	if (s->n == NEAREST_MAX)
		drop(s, 0);
	s->list[s->n++] = one;
}

/* Of the lowest hashes of both together, which part both have. */
static double likeness(const struct near *a, const struct near *b)
{
	size_t i = 0, k = 0, all = 0, both = 0;

	while (all < NEAREST_LOW && (i < a->n || k < b->n)) {
		const uint64_t x = i < a->n ? a->low[i] : UINT64_MAX, y = k < b->n ? b->low[k] : UINT64_MAX;

		both += x == y;
		all++;
		i += x <= y;
		k += y <= x;
	}
	return all > 0 ? (double)both / (double)all : 0;
}

/* Whether it surely did not name what has that hash. */
static bool lacks(const struct near *one, uint32_t hash)
{
	if (bsearch(&hash, one->low, one->n, sizeof hash, rising) != NULL)
		return false;
	return one->n == one->items || hash < one->low[one->n - 1];
}

/* In words: what this one named and that did not, and how much the other way round. */
static void tell(const uint8_t key[NEAREST_KEY], const struct near *mine, const struct near *other,
		 const struct deeds *d, char ret[REASON_MAX])
{
	const struct deeds_item *first = NULL;
	size_t more = 0, fewer = 0, at;

	for (size_t i = 0; i < d->n_items; i++)
		if (lacks(other, hash_of(key, &d->items[i]))) {
			first = first != NULL ? first : &d->items[i];
			more++;
		}
	for (size_t i = 0; i < other->n; i++)
		fewer += lacks(mine, other->low[i]);
	if (first == NULL)
		at = (size_t)snprintf(ret, REASON_MAX, "the same");
	else
		at = (size_t)snprintf(ret, REASON_MAX, "the same but for %s %s", deed_word(first->kind), first->text);
	if (more > 1)
		at += (size_t)snprintf(ret + at, REASON_MAX - at, ", and %zu more", more - 1);
	if (fewer > 0)
		(void)snprintf(ret + at, REASON_MAX - at, "%s without %zu of what that named",
			       first != NULL ? ", and" : ", but", fewer); /* a text of an item is half of a reason */
}

bool nearest_find(const struct nearest *s, const uint8_t key[NEAREST_KEY], const struct deeds *d, struct likeness *ret)
{
	const struct near *found = NULL;
	struct near mine;
	double most = 0;

	if (s->n == 0 || d->n_items == 0)
		return false;
	sketch(key, d, &mine);
	for (size_t i = s->n; i-- > 0;) { /* of several the latest */
		const double like = likeness(&mine, &s->list[i]);

		if (like > most) {
			most = like;
			found = &s->list[i];
		}
	}
	if (found == NULL)
		return false;
	memcpy(ret->event, found->event, sizeof ret->event); /* of the same size */
	ret->part = most;
	tell(key, &mine, found, d, ret->text);
	return true;
}

bool nearest_restore(struct nearest *s, const struct near *one)
{
	bool good = s->n < NEAREST_MAX && id_is('e', one->event, strlen(one->event)) && one->n > 0 &&
		    (one->n == NEAREST_LOW ? one->items >= NEAREST_LOW : one->items == one->n);

	for (size_t i = 1; i < one->n && good; i++)
		good = one->low[i] > one->low[i - 1];
	for (size_t i = 0; i < s->n && good; i++)
		good = !is_same(&s->list[i], one);
	if (good)
		s->list[s->n++] = *one;
	return good;
}
