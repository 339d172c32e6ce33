#include "session/retain.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_AT_FIRST 64

void retain_finish(struct retain *r)
{
	free(r->ring);
	*r = (struct retain){ .ring = NULL };
}

/* Twice the room, with the first of them in the first place. */
static int grow(struct retain *r)
{
	const size_t room = r->room == 0 ? ROOM_AT_FIRST : 2 * r->room;
	struct retained *ring = calloc(room, sizeof *ring);

	if (ring == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < r->count; i++) {
		const size_t at = r->first + i;

		ring[i] = r->ring[at < r->room ? at : at - r->room];
	}
	free(r->ring);
	r->ring = ring;
	r->room = room;
	r->first = 0;
	return 0;
}

int retain_add(struct retain *r, const struct retained *one)
{
	if (r->count == r->room && grow(r) < 0)
		return -ENOMEM;
	r->ring[(r->first + r->count++) % r->room] = *one;
	r->bytes += one->bytes;
	return 0;
}

static int ended_before(const void *a, const void *b)
{
	const struct retained *x = a, *y = b;

	if (x->ended_ms != y->ended_ms)
		return x->ended_ms < y->ended_ms ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

void retain_sort(struct retain *r)
{
	if (r->count > 1 && (r->first == 0 || grow(r) == 0)) /* without memory they go in the order they have */
		qsort(r->ring, r->count, sizeof *r->ring, ended_before);
}

bool retain_next(struct retain *r, uint64_t bytes_max, uint64_t age_max_ms, uint64_t now_ms, struct retained *ret)
{
	const struct retained *first = r->count > 0 ? &r->ring[r->first] : NULL;

	if (first == NULL)
		return false;
	if ((r->bytes <= bytes_max || r->count == 1) && r->count <= RETAIN_EVENTS &&
	    (now_ms <= first->ended_ms || now_ms - first->ended_ms <= age_max_ms))
		return false;
	*ret = *first;
	r->bytes -= first->bytes;
	r->first = (r->first + 1) % r->room;
	r->count--;
	return true;
}
