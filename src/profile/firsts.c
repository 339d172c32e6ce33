#include "profile/firsts.h"

#include "profile/amounts.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64u
#define MORE 0.25 /* of its surprise each doubling of how many are new of a kind adds */

_Static_assert(crypto_shorthash_KEYBYTES == FIRSTS_KEY, "one hash");
_Static_assert(FIRSTS_MAX < UINT16_MAX, "numbers of items");

static uint64_t hash_of(const struct firsts *f, const void *bytes, size_t n)
{
	uint64_t hash;

	(void)crypto_shorthash((uint8_t *)&hash, bytes, n, f->key);
	return hash;
}

static uint16_t *slot_of(const struct firsts *f, const struct deeds_item *item)
{
	uint8_t bytes[1 + DEED_TEXT_MAX];
	const size_t n = strlen(item->text), mask = 2 * f->room - 1;

	bytes[0] = item->kind;
	memcpy(bytes + 1, item->text, n);
	for (size_t at = hash_of(f, bytes, n + 1) & mask;; at = (at + 1) & mask) {
		const struct first *there = f->slots[at] > 0 ? &f->items[f->slots[at] - 1] : NULL;

		if (there == NULL || (there->item.kind == item->kind && strcmp(there->item.text, item->text) == 0))
			return &f->slots[at];
	}
}

static bool make_room(struct firsts *f)
{
	const size_t room = f->room == 0 ? ROOM_FIRST : 2 * f->room;
	struct first *items = realloc(f->items, room * sizeof *items);
	uint16_t *slots = items != NULL ? calloc(2 * room, sizeof *slots) : NULL;

	if (items != NULL)
		f->items = items;
	if (slots == NULL)
		return false;
	free(f->slots);
	f->slots = slots;
	f->room = room;
	for (size_t i = 0; i < f->n; i++)
		*slot_of(f, &f->items[i].item) = (uint16_t)(i + 1);
	return true;
}

int firsts_init(struct firsts *f, const uint8_t key[FIRSTS_KEY])
{
	memset(f, 0, sizeof *f);
	memcpy(f->key, key, FIRSTS_KEY);
	if (make_room(f))
		return 0;
	firsts_finish(f);
	return -AMBIT_MEMORY;
}

void firsts_finish(struct firsts *f)
{
	free(f->items);
	free(f->slots);
	f->items = NULL;
	f->slots = NULL;
	f->n = f->room = 0;
}

uint32_t firsts_principal(const struct firsts *f, const char *name)
{
	const uint32_t hash = (uint32_t)hash_of(f, name, strlen(name));

	return hash != 0 ? hash : 1;
}

const struct first *firsts_find(const struct firsts *f, const struct deeds_item *item)
{
	const uint16_t *slot = slot_of(f, item);

	return *slot != 0 ? &f->items[*slot - 1] : NULL;
}

unsigned firsts_support(const struct first *found)
{
	unsigned n = 0;

	while (found != NULL && n < FIRSTS_SUPPORT_MAX && found->principals[n] != 0)
		n++;
	return n;
}

/* NULL: no room. */
static struct first *put(struct firsts *f, const struct deeds_item *item)
{
	if (f->n == FIRSTS_MAX || (f->n == f->room && !make_room(f)))
		return NULL;
	*slot_of(f, item) = (uint16_t)(f->n + 1);
	f->items[f->n] = (struct first){ .item = *item };
	return &f->items[f->n++];
}

int firsts_add(struct firsts *f, const struct deeds_item *item, uint32_t principal)
{
	const uint16_t *slot = slot_of(f, item);
	struct first *there = *slot != 0 ? &f->items[*slot - 1] : put(f, item);

	if (there == NULL) {
		f->full = true;
		return f->n == FIRSTS_MAX ? 0 : -AMBIT_MEMORY;
	}
	there->events += there->events < UINT32_MAX;
	for (size_t i = 0; i < FIRSTS_SUPPORT_MAX; i++) {
		if (there->principals[i] == principal)
			break;
		if (there->principals[i] != 0)
			continue;
		there->principals[i] = principal;
		break;
	}
	return 0;
}

void firsts_event(struct firsts *f, uint32_t kinds)
{
	f->events += f->events < UINT32_MAX;
	for (size_t kind = 1; kind < DEED_KINDS; kind++)
		if ((kinds & 1u << kind) != 0 && f->fresh[kind] < UINT32_MAX)
			f->fresh[kind]++;
}

double firsts_surprise(const struct firsts *f, unsigned kind)
{
	return -log((f->fresh[kind] + 1.0) / (f->events + 2.0));
}

double firsts_score(const struct firsts *f, const struct deeds_item *items, size_t n, unsigned support,
		    struct firsts_fresh *ret)
{
	double surprises[DEED_KINDS] = { 0 };

	*ret = (struct firsts_fresh){ .n = { 0 } };
	for (size_t i = 0; i < n; i++)
		if (firsts_support(firsts_find(f, &items[i])) < support && ret->n[items[i].kind]++ == 0)
			ret->first[items[i].kind] = &items[i];
	for (unsigned kind = 1; kind < DEED_KINDS; kind++)
		if (ret->n[kind] > 0)
			surprises[kind] = firsts_surprise(f, kind) * (1 + MORE * log2((double)ret->n[kind]));
	return fading_sum(surprises, DEED_KINDS);
}

int firsts_learn(struct firsts *f, const struct deeds_item *items, size_t n, unsigned support, uint32_t principal)
{
	uint32_t fresh = 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (firsts_support(firsts_find(f, &items[i])) < support)
			fresh |= 1u << items[i].kind;
		r = firsts_add(f, &items[i], principal);
	}
	firsts_event(f, fresh);
	return r;
}

bool firsts_restore(struct firsts *f, const struct first *item)
{
	struct first *there = *slot_of(f, &item->item) == 0 ? put(f, &item->item) : NULL;

	if (there != NULL)
		*there = *item;
	return there != NULL;
}
