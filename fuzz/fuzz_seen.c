/* A record that the kernel's programs left, with what a workload chose in it: it is noted once, or not at all. */
#include <string.h>

#include "fuzz.h"
#include "warden/ring.h"

static void check(void *user, uint8_t kind, uint32_t count, const char *object, size_t length)
{
	unsigned *n = user;

	(void)object;
	promise(effect_word(kind) != NULL && count == 1 && length < EFFECT_OBJECT_MAX);
	*n += 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t shared[ARENA_BYTES / 8];
	static char object[EFFECT_OBJECT_MAX];
	struct arena_head head;
	struct arena a;
	unsigned n = 0;
	bool noted;

	memset(shared, 0, sizeof head);
	if (arena_init(&a, shared) < 0)
		return 0;
	noted = ring_note(&a, data, size, object);
	arena_finish(&a);
	arena_read(shared, check, &n, &head);
	promise(head.seen == n && n <= noted);
	return 0;
}
