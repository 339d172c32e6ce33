#include "warden/arena.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#define SLOTS 16384u /* a power of two; at most three quarters are used */
#define ENTRIES_MAX (SLOTS / 4 * 3)
#define SLOTS_BYTES ((SLOTS + 1) * sizeof(uint32_t)) /* the last one counts the entries */

int arena_init(struct arena *a, void *shared)
{
	/* mapped and not from the heap, which would clear it: most events touch few of its pages */
	void *slots = mmap(NULL, SLOTS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (slots == MAP_FAILED)
		return -ENOMEM;
	a->head = shared;
	a->slots = slots;
	*a->head = (struct arena_head){ .magic = ARENA_MAGIC };
	return 0;
}

void arena_finish(struct arena *a)
{
	if (a->slots != NULL)
		(void)munmap(a->slots, SLOTS_BYTES);
	a->slots = NULL;
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

void arena_note(struct arena *a, uint8_t kind, const char *object, size_t length)
{
	uint32_t slot = hash(kind, object, length) % SLOTS;
	struct arena_entry *e;

	a->head->seen++;
	for (; a->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
		e = entry_at(a, a->slots[slot] - 1);
		if (!is_same(e, kind, object, length))
			continue;
		if (e->count < UINT32_MAX)
			e->count++;
		return;
	}
	if (length > UINT16_MAX || a->slots[SLOTS] >= ENTRIES_MAX ||
	    a->head->used + padded(length) > ARENA_BYTES - sizeof *a->head) {
		a->head->dropped++;
		return;
	}
	e = entry_at(a, a->head->used);
	*e = (struct arena_entry){ .count = 1, .length = (uint16_t)length, .kind = kind };
	memcpy(e + 1, object, length);
	a->slots[slot] = a->head->used + 1;
	a->slots[SLOTS]++;
	a->head->used += (uint32_t)padded(length);
}

void arena_read(const void *shared, size_t size,
		void (*each)(void *user, uint8_t kind, uint32_t count, const char *object, size_t length), void *user,
		struct arena_head *ret)
{
	const char *at = (const char *)shared + sizeof *ret;
	size_t left;

	memcpy(ret, shared, sizeof *ret);
	left = ret->magic == ARENA_MAGIC && ret->used <= size - sizeof *ret ? ret->used : 0;
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
