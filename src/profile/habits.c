#include "profile/habits.h"

#include <stdlib.h>

#include "ambit/ambit.h"

#define ROOM_FIRST 64u

_Static_assert(HABITS_MAX < UINT16_MAX, "numbers of rows");

static uint16_t *slot_of(const struct habits *h, uint16_t program, uint16_t word)
{
	const size_t mask = 2 * h->room - 1;
	const uint64_t hash = ((uint64_t)program << 16 | word) * h->key;

	for (size_t at = (hash >> 32) & mask;; at = (at + 1) & mask) {
		const struct habit *there = h->slots[at] > 0 ? &h->rows[h->slots[at] - 1] : NULL;

		if (there == NULL || (there->program == program && there->word == word))
			return &h->slots[at];
	}
}

/* Doubles it. */
static bool make_room(struct habits *h)
{
	const size_t room = h->room == 0 ? ROOM_FIRST : 2 * h->room;
	struct habit *rows = realloc(h->rows, room * sizeof *rows);
	uint16_t *slots = rows != NULL ? calloc(2 * room, sizeof *slots) : NULL;

	if (rows != NULL)
		h->rows = rows;
	if (slots == NULL)
		return false;
	free(h->slots);
	h->slots = slots;
	h->room = room;
	for (size_t i = 0; i < h->n; i++)
		*slot_of(h, h->rows[i].program, h->rows[i].word) = (uint16_t)(i + 1);
	return true;
}

int habits_init(struct habits *h, uint64_t key)
{
	*h = (struct habits){ .key = key };
	return make_room(h) ? 0 : (habits_finish(h), -AMBIT_MEMORY);
}

void habits_finish(struct habits *h)
{
	free(h->rows);
	free(h->slots);
	*h = (struct habits){ .n = 0 };
}

/* True: it counts. */
static bool count(struct habit *row, uint32_t session)
{
	for (size_t i = 0; i < HABITS_LAST; i++)
		if (row->last[i] == session)
			return false;
	for (size_t i = HABITS_LAST - 1; i > 0; i--)
		row->last[i] = row->last[i - 1];
	row->last[0] = session;
	row->sessions += row->sessions < UINT32_MAX;
	return true;
}

bool habits_event(struct habits *h, uint32_t session)
{
	return count(&h->all, session);
}

static struct habit *put(struct habits *h, uint16_t program, uint16_t word)
{
	if (h->n == HABITS_MAX || (h->n == h->room && !make_room(h)))
		return NULL;
	*slot_of(h, program, word) = (uint16_t)(h->n + 1);
	h->rows[h->n] = (struct habit){ .program = program, .word = word };
	return &h->rows[h->n++];
}

int habits_add(struct habits *h, uint16_t program, uint16_t word, uint32_t session)
{
	const uint16_t slot = *slot_of(h, program, word);
	struct habit *row = slot > 0 ? &h->rows[slot - 1] : put(h, program, word);

	if (row != NULL) {
		(void)count(row, session);
		return 0;
	}
	h->left_out++;
	return h->n == HABITS_MAX ? 0 : -AMBIT_MEMORY;
}

uint32_t habits_of(const struct habits *h, uint16_t program, uint16_t word)
{
	const uint16_t slot = *slot_of(h, program, word);

	return slot > 0 ? h->rows[slot - 1].sessions : 0;
}

bool habits_restore(struct habits *h, const struct habit *row)
{
	struct habit *there = *slot_of(h, row->program, row->word) == 0 ? put(h, row->program, row->word) : NULL;

	if (there != NULL)
		*there = *row;
	return there != NULL;
}
