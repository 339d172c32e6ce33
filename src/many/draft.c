#include <string.h>

#include "many/many.h"

static bool find(const struct buf *b, const char *const path[], size_t *from, size_t *to)
{
	*from = *to = 0;
	for (; *path != NULL; path++)
		if (!line_find((const char *)b->data, b->len, *path, from, to))
			return false;
	return true;
}

static bool splice(struct buf *b, size_t from, size_t to, const char *with)
{
	struct buf made;

	buf_init(&made, b->max);
	buf_put(&made, b->data, from);
	buf_put(&made, with, strlen(with));
	buf_put(&made, b->data + to, b->len - to);
	buf_finish(b);
	*b = made;
	return !made.failed;
}

bool draft_set(struct buf *b, const char *const path[], const char *with)
{
	size_t from, to;

	return find(b, path, &from, &to) && splice(b, from, to, with);
}

bool draft_prefix(struct buf *b, const char *const path[], const char *prefix)
{
	size_t from, to;

	return find(b, path, &from, &to) && b->data[from] == '"' && splice(b, from + 1, from + 1, prefix);
}

bool draft_strip(struct buf *b, const char *const path[], const char *prefix)
{
	const size_t n = strlen(prefix);
	size_t from, to;

	return find(b, path, &from, &to) && to - from >= n + 2 && b->data[from] == '"' &&
	       memcmp(b->data + from + 1, prefix, n) == 0 && splice(b, from + 1, from + 1 + n, "");
}
