#include <string.h>

#include "many/many.h"
#include "rpc/member.h"

static bool find(const struct buf *b, const char *const path[], struct member *ret)
{
	return member_find_in((const char *)b->data, b->len, path, ret);
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
	struct member at;

	return find(b, path, &at) && splice(b, at.from, at.to, with);
}

bool draft_prefix(struct buf *b, const char *const path[], const char *prefix)
{
	struct member at;

	return find(b, path, &at) && b->data[at.from] == '"' && splice(b, at.from + 1, at.from + 1, prefix);
}

bool draft_strip(struct buf *b, const char *const path[], const char *prefix)
{
	const size_t n = strlen(prefix);
	struct member at;

	return find(b, path, &at) && at.to - at.from >= n + 2 && b->data[at.from] == '"' &&
	       memcmp(b->data + at.from + 1, prefix, n) == 0 && splice(b, at.from + 1, at.from + 1 + n, "");
}
