#include "guard/items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/address.h"
#include "profile/letter.h"
#include "profile/value.h"

#define DOMAIN_HEARD 32u
#define BEGINNING (CALL_VALUE_MAX - 4) /* bytes of an item's text that count: a longer one is cut for being shown */

struct items *items_new(const uint8_t key[CALL_KEY_SIZE])
{
	struct items *it = calloc(1, sizeof *it);

	if (it != NULL)
		memcpy(it->key, key, sizeof it->key);
	return it;
}

void items_begin(struct items *it, const char *tool, bool calm)
{
	const size_t n = strlen(tool);

	call_begin(&it->call, it->key, NULL, tool, n,
		   calm && tool_tells(tool, n) == TOOL_UNTOLD ? TOOL_READS : TOOL_UNTOLD);
}

/* ---- what answers had ---- */

static bool is_full(const struct items *it)
{
	return it->n_heard >= ITEMS_HEARD / 4 * 3;
}

/* Where it stands, or would. */
static uint64_t *slot_of(struct items *it, const char *form, size_t n, uint64_t *ret_hash)
{
	const size_t counts = n < BEGINNING ? n : BEGINNING;
	const uint64_t hash = call_hash(it->key, DOMAIN_HEARD, 0, 0, form, counts) | 1; /* never 0 */

	*ret_hash = hash;
	for (uint32_t i = (uint32_t)(hash >> 1);; i++) {
		uint64_t *slot = &it->heard[i & (ITEMS_HEARD - 1)];

		if (*slot == 0 || *slot == hash)
			return slot; /* some are always free */
	}
}

static void put(struct items *it, struct span form)
{
	uint64_t hash, *slot;

	if (form.len == 0 || is_full(it))
		return;
	slot = slot_of(it, form.at, form.len, &hash);
	it->n_heard += *slot == 0;
	*slot = hash;
}

void items_end(struct items *it)
{
	struct call *c = &it->call;
	uint64_t hash;

	for (size_t i = 0; i < c->n && it->n_heard > 0; i++) {
		struct item *item = &c->items[i];
		const size_t n = strlen(item->value);

		if (n > 0 && *slot_of(it, item->value, n, &hash) != 0)
			mark_join(&item->mark, ITEM_OF_ANSWER);
		else if (n > 0 && is_full(it)) /* or a server says much first, and what matters then */
			mark_join(&item->mark, ITEM_OF_MANY);
	}
}

static void hear_addresses(struct items *it, struct span text)
{
	struct address_search s;
	char room[CALL_FORM_MAX];

	address_begin(&s, text.at, text.len);
	for (struct address a; !is_full(it) && address_next(&s, &a);) {
		const size_t n = address_write(&a, room, sizeof room);
		const struct span form = span_bytes(room, n < sizeof room ? n : sizeof room);

		put(it, form);
		if (n <= sizeof room)
			put(it, address_place(a.kind, form));
	}
}

static bool parts_words(char c)
{
	return letter_is_blank(c) || strchr("\"'`,;()[]{}<>|", c) != NULL;
}

static void hear_words(struct items *it, struct span text)
{
	char room[CALL_TEXT_MIN];
	struct span form;
	size_t words;

	for (size_t at = 0, from; at < text.len && !is_full(it);) {
		while (at < text.len && parts_words(text.at[at]))
			at++;
		for (from = at; at < text.len && !parts_words(text.at[at]);)
			at++;
		if (at > from && value_form(span_bytes(text.at + from, at - from), room, &form, &words))
			put(it, form);
	}
}

static void hear_text(struct items *it, struct span text)
{
	char room[CALL_TEXT_MIN];
	struct span form;
	size_t words;

	if (value_form(text, room, &form, &words))
		put(it, form);
	hear_addresses(it, text);
	hear_words(it, text);
}

static void hear_number(struct items *it, const json_t *v)
{
	char text[32];
	const int n = snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(v));

	put(it, span_bytes(text, (size_t)n));
}

void items_hear(struct items *it, const json_t *answer)
{
	json_t *any = (json_t *)(uintptr_t)answer, *v;
	const char *key;
	size_t i;

	if (is_full(it))
		return;
	if (json_is_string(answer))
		hear_text(it, span_bytes(json_string_value(answer), json_string_length(answer)));
	else if (json_is_integer(answer))
		hear_number(it, answer);
	json_object_foreach(any, key, v) items_hear(it, v);
	json_array_foreach(any, i, v) items_hear(it, v);
}
