#include "http/two_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static size_t size_of(const struct two_memory *m, void *at)
{
	return m->of != NULL ? m->of->size(at) : malloc_usable_size(at);
}

static void *change(void *at, size_t n, void *arg)
{
	struct two_memory *m = arg;
	const size_t before = size_of(m, at);
	const size_t least = n > 0 ? n : 1; /* of 0 bytes realloc(3) gives what was there back, or does not */
	void *changed = m->of != NULL ? m->of->grow(at, least) : realloc(at, least);

	if (changed == NULL)
		return NULL; /* what was there stays */
	m->held += size_of(m, changed) - before;
	return changed;
}

static void *take(size_t n, void *arg)
{
	return change(NULL, n, arg);
}

static void *take_zeroed(size_t n, size_t size, void *arg)
{
	void *at = size == 0 || n <= SIZE_MAX / size ? take(n * size, arg) : NULL;

	return at != NULL ? memset(at, 0, n * size) : NULL;
}

static void give_back(void *at, void *arg)
{
	struct two_memory *m = arg;

	m->held -= size_of(m, at);
	if (m->of != NULL)
		m->of->give(at);
	else
		free(at);
}

nghttp2_mem two_memory(struct two_memory *m)
{
	return (nghttp2_mem){
		.mem_user_data = m, .malloc = take, .free = give_back, .calloc = take_zeroed, .realloc = change
	};
}
