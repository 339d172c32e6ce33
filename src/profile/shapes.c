#include "profile/shapes.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ambit/ambit.h"

#define ROOM_FIRST 256u

/* Orders of magnitude, and no more: of ten sessions two do something known to another class of file where they did before; of a thousand one does what nobody did anywhere. */
#define OTHER_CLASS SHAPES_KNOWN
#define OTHER_DEED 0.1
#define OTHER_PLACE 0.01
#define OTHER 0.001
/* Whoever may read the system looks at more of it now and then: a cell sees nothing there that is anybody's. */
#define SYSTEM_READ 0.02

struct parts {
	const char *what, *place, *class;
	size_t n_what, n_place, n_class;
	char mark; /* '!', '?' or 0 */
};

/* The class of a file is behind the last dot of its last name, if that does not begin with it; of a connection behind the first. */
static const char *dot_of(const struct parts *p, const char *end)
{
	const char *slash = memrchr(p->place, '/', (size_t)(end - p->place));
	const char *name = slash != NULL ? slash + 1 : p->place;
	const char *dot = memrchr(name, '.', (size_t)(end - name));

	if (p->n_what == 7 && memcmp(p->what, "connect", 7) == 0)
		return memchr(p->place, '.', (size_t)(end - p->place));
	return dot == NULL || dot == name || p->place[0] == '~' ? NULL : dot;
}

static struct parts parts_of(const char *symbol, size_t n)
{
	const bool marked = n > 1 && (symbol[n - 1] == '!' || symbol[n - 1] == '?');
	const char *end = symbol + n - marked, *colon = memchr(symbol, ':', (size_t)(end - symbol)), *dot;
	struct parts p = { .what = symbol, .mark = marked ? *end : (char)0 };

	p.n_what = (size_t)((colon != NULL ? colon : end) - symbol);
	p.place = colon != NULL ? colon + 1 : end;
	dot = dot_of(&p, end);
	p.n_place = (size_t)((dot != NULL ? dot : end) - p.place);
	p.class = dot != NULL ? dot + 1 : end;
	p.n_class = (size_t)(end - p.class);
	return p;
}

enum sort { SORT_PLACE = 1, SORT_CLASS, SORT_WHAT };

static uint64_t hash_of(const struct shapes *s, enum sort sort, const struct parts *p)
{
	char bytes[2 + 2 * (WORD_MAX + 1)] = { (char)sort, p->mark };
	const bool what = sort != SORT_CLASS, place = sort != SORT_WHAT;
	size_t n = 2;
	uint64_t hash;

	if (what)
		memcpy(bytes + n, p->what, p->n_what), n += p->n_what + 1; /* a NUL between */
	if (place)
		memcpy(bytes + n, p->place, p->n_place), n += p->n_place + 1;
	if (sort == SORT_CLASS)
		memcpy(bytes + n, p->class, p->n_class), n += p->n_class;
	(void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)bytes, n, s->key);
	return hash != 0 ? hash : 1;
}

static uint64_t *slot_of(const struct shapes *s, uint64_t hash)
{
	for (size_t at = (size_t)hash & (s->room - 1);; at = (at + 1) & (s->room - 1))
		if (s->slots[at] == hash || s->slots[at] == 0)
			return &s->slots[at];
}

static bool make_room(struct shapes *s)
{
	const struct shapes before = *s;

	s->room = before.room == 0 ? ROOM_FIRST : 2 * before.room;
	s->slots = calloc(s->room, sizeof *s->slots);
	if (s->slots == NULL) {
		*s = before;
		return false;
	}
	for (size_t i = 0; i < before.room; i++)
		if (before.slots[i] != 0)
			*slot_of(s, before.slots[i]) = before.slots[i];
	free(before.slots);
	return true;
}

int shapes_init(struct shapes *s, const uint8_t key[WORDS_KEY])
{
	*s = (struct shapes){ .n = 0 };
	memcpy(s->key, key, WORDS_KEY);
	return make_room(s) ? 0 : -AMBIT_MEMORY;
}

void shapes_finish(struct shapes *s)
{
	free(s->slots);
	*s = (struct shapes){ .slots = NULL };
}

int shapes_add(struct shapes *s, const char *symbol, size_t n)
{
	const struct parts p = parts_of(symbol, n);

	for (enum sort sort = SORT_PLACE; sort <= SORT_WHAT; sort++) {
		const uint64_t hash = hash_of(s, sort, &p);

		if (2 * (s->n + 1) > s->room && !make_room(s))
			return -AMBIT_MEMORY;
		s->n += *slot_of(s, hash) == 0;
		*slot_of(s, hash) = hash;
	}
	return 0;
}

static bool has(const struct shapes *s, enum sort sort, const struct parts *p)
{
	return *slot_of(s, hash_of(s, sort, p)) != 0;
}

double shapes_of(const struct shapes *s, const char *symbol, size_t n)
{
	const struct parts p = parts_of(symbol, n);
	const bool reads_system = p.mark != '!' && p.n_what == 4 && memcmp(p.what, "read", 4) == 0 && p.n_place > 0 &&
				  p.place[0] == '/';

	if (has(s, SORT_PLACE, &p))
		return OTHER_CLASS;
	if (has(s, SORT_CLASS, &p))
		return OTHER_DEED;
	if (reads_system)
		return SYSTEM_READ;
	return has(s, SORT_WHAT, &p) ? OTHER_PLACE : OTHER;
}
