#include "profile/words.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ambit/ambit.h"

#define ROOM_FIRST 128u

_Static_assert(crypto_shorthash_KEYBYTES == WORDS_KEY && crypto_shorthash_BYTES == sizeof(uint64_t), "one hash");

void words_finish(struct words *w)
{
	free(w->texts);
	free(w->slots);
	*w = (struct words){ .n = 0 };
}

bool word_is(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return n > 0 && n <= WORD_MAX;
}

/* Its slot, or the empty one where it would be: there are twice as many as words. */
static uint16_t *slot_of(const struct words *w, const char *text, size_t n)
{
	const size_t mask = 2 * w->room - 1;
	uint64_t hash;

	(void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)text, n, w->key);
	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		const char *there = w->texts[w->slots[at]];

		if (w->slots[at] == 0 || (strncmp(there, text, n) == 0 && there[n] == 0))
			return &w->slots[at];
	}
}

/* Doubles it. */
static bool make_room(struct words *w)
{
	const size_t room = w->room == 0 ? ROOM_FIRST : 2 * w->room;
	char(*texts)[WORD_MAX + 1] = realloc(w->texts, room * sizeof *texts);
	uint16_t *slots = texts != NULL ? calloc(2 * room, sizeof *slots) : NULL;

	if (texts != NULL)
		w->texts = texts;
	if (slots == NULL)
		return false;
	free(w->slots);
	w->slots = slots;
	w->room = room;
	memset(w->texts[0], 0, sizeof w->texts[0]); /* what an empty slot says */
	for (size_t i = WORD_FIRST; i < w->n; i++)
		*slot_of(w, w->texts[i], strlen(w->texts[i])) = (uint16_t)i;
	return true;
}

int words_init(struct words *w, const uint8_t key[WORDS_KEY])
{
	*w = (struct words){ .n = WORD_FIRST };
	memcpy(w->key, key, WORDS_KEY);
	if (make_room(w))
		return 0;
	words_finish(w);
	return -AMBIT_MEMORY;
}

uint16_t words_find(const struct words *w, const char *text, size_t n)
{
	return n > WORD_MAX ? WORD_UNKNOWN : *slot_of(w, text, n);
}

uint16_t words_learn(struct words *w, const char *text, size_t n)
{
	uint16_t *slot = slot_of(w, text, n);

	if (*slot != 0 || w->n == WORDS_MAX || (w->n == w->room && !make_room(w)))
		return *slot;
	memcpy(w->texts[w->n], text, n);
	w->texts[w->n][n] = 0;
	*slot_of(w, text, n) = (uint16_t)w->n;
	return (uint16_t)w->n++;
}

const char *words_text(const struct words *w, uint16_t word)
{
	static const char *const of_no_text[] = { "?", "^", "$" };

	return word < WORD_FIRST ? of_no_text[word] : word < w->n ? w->texts[word] : "?";
}
