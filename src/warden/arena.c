#include "warden/arena.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#define SLOTS 16384u /* a power of two; at most three quarters are used */
#define ENTRIES_MAX (SLOTS / 4 * 3)

_Static_assert(ENTRIES_MAX <= TRACE_UNKEPT, "an entry whose number says something else");

struct arena_slots {
	struct {
		uint32_t at; /* offset of the entry + 1; 0: a free place */
		uint32_t number;
	} slots[SLOTS];
	uint32_t entries;
};

int arena_init(struct arena *a, void *shared)
{
	/* mapped and not from the heap, which would clear it: most events touch few of its pages */
	void *own = mmap(NULL, sizeof *a->own, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (own == MAP_FAILED)
		return -ENOMEM;
	a->head = shared;
	a->own = own;
	*a->head = (struct arena_head){ .magic = ARENA_MAGIC };
	return steps_init(&a->steps, (char *)shared + ARENA_ENTRIES_BYTES);
}

void arena_finish(struct arena *a)
{
	if (a->own != NULL)
		(void)munmap(a->own, sizeof *a->own);
	a->own = NULL;
	steps_finish(&a->steps);
}

static size_t padded(size_t length)
{
	return sizeof(struct arena_entry) + ((length + 7) & ~(size_t)7);
}

/* FNV-1a: objects are few thousand, and a workload that makes them collide slows only itself. */
static uint32_t hash(uint8_t kind, const char *object, size_t length)
{
	uint32_t h = 2166136261u ^ kind;

	for (size_t i = 0; i < length; i++)
		h = (h ^ (uint8_t)object[i]) * 16777619u;
	return h;
}

static struct arena_entry *entry_at(const struct arena *a, uint32_t offset)
{
	return (struct arena_entry *)((char *)(a->head + 1) + offset);
}

static bool is_same(const struct arena_entry *e, uint8_t kind, const char *object, size_t length)
{
	return e->kind == kind && e->length == length && memcmp(e + 1, object, length) == 0;
}

/* Its number; ENTRIES_MAX: there is no room for it. */
static uint32_t find_entry(struct arena *a, uint8_t kind, const char *object, size_t length)
{
	struct arena_slots *own = a->own;
	uint32_t slot = hash(kind, object, length) % SLOTS;
	struct arena_entry *e;

	for (; own->slots[slot].at != 0; slot = (slot + 1) % SLOTS) {
		e = entry_at(a, own->slots[slot].at - 1);
		if (!is_same(e, kind, object, length))
			continue;
		if (e->count < UINT32_MAX)
			e->count++;
		return own->slots[slot].number;
	}
	if (length > UINT16_MAX || own->entries >= ENTRIES_MAX ||
	    a->head->used + padded(length) > ARENA_ENTRIES_BYTES - sizeof *a->head) {
		a->head->dropped++;
		return ENTRIES_MAX;
	}
	e = entry_at(a, a->head->used);
	*e = (struct arena_entry){ .count = 1, .length = (uint16_t)length, .kind = kind };
	memcpy(e + 1, object, length);
	own->slots[slot].at = a->head->used + 1;
	own->slots[slot].number = own->entries++;
	a->head->used += (uint32_t)padded(length);
	return own->slots[slot].number;
}

void arena_note(struct arena *a, uint32_t thread, uint8_t kind, const char *object, size_t length)
{
	const uint32_t number = find_entry(a, kind, object, length);

	a->head->seen++;
	steps_note(&a->steps, thread, (uint16_t)(number < ENTRIES_MAX ? number : TRACE_UNKEPT + kind));
}

void arena_read(const void *shared,
		void (*each)(void *user, uint8_t kind, uint32_t count, const char *object, size_t length), void *user,
		struct arena_head *ret)
{
	const char *at = (const char *)shared + sizeof *ret;
	size_t left;

	memcpy(ret, shared, sizeof *ret);
	left = ret->magic == ARENA_MAGIC && ret->used <= ARENA_ENTRIES_BYTES - sizeof *ret ? ret->used : 0;
	while (left >= sizeof(struct arena_entry)) {
		struct arena_entry e;

		memcpy(&e, at, sizeof e);
		if (padded(e.length) > left)
			return;
		each(user, e.kind, e.count, at + sizeof e, e.length);
		at += padded(e.length);
		left -= padded(e.length);
	}
}
