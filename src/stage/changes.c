#include "stage/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* The text, put at *at, which moves on behind it. */
static const char *put_text(char **at, const char *text)
{
	char *const to = *at;
	const size_t n = strlen(text) + 1;

	memcpy(to, text, n); /* it was measured */
	*at += n;
	return to;
}

static struct change *copy(const struct change *c)
{
	const size_t texts = strlen(c->path) + strlen(c->from) + strlen(c->reason) + 3;
	struct change *made = malloc(sizeof *made + texts);
	char *at = (char *)(made + 1);

	if (made == NULL)
		return NULL;
	*made = *c;
	made->path = put_text(&at, c->path);
	made->from = put_text(&at, c->from);
	made->reason = put_text(&at, c->reason);
	return made;
}

int changes_add(struct change ***list, size_t *n, const struct change *c)
{
	auto_free struct change *made = copy(c);
	struct change **grown = *list;

	if (made == NULL)
		return -ENOMEM;
	if ((*n & (*n - 1)) == 0) /* grows at powers of two */
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
		grown = realloc(*list, (*n == 0 ? 1 : 2 * *n) * sizeof *grown);
	if (grown == NULL)
		return -ENOMEM;
	grown[(*n)++] = steal_ptr(&made);
	*list = grown;
	return 0;
}

void changes_free(struct change **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}
