#include "cli/guard_canary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/canary.h"

/* What lies there now: canary_look has told that it is the canary's. */
static uint32_t put_words(const struct canary *c, uint32_t number, struct buf *out)
{
	auto_fd int fd = open(c->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct guard_canary word = { .canary = number };
	char text[CANARY_SIZE_MAX];
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof text);
	uint32_t put = 0;
	size_t at = 0, length;

	while (n > 0 && put < CANARY_WORDS_MAX && (length = canary_word_next(text, (size_t)n, &at)) > 0) {
		memset(word.text, 0, sizeof word.text);
		memcpy(word.text, text + at - length, length);
		guard_canary_put(out, &word);
		put++;
	}
	return put;
}

int guard_canary_words(struct canaries **ret, struct buf *out, uint32_t *ret_n, struct err *e)
{
	auto_free struct canaries *c = calloc(1, sizeof *c);
	int r;

	*ret_n = 0;
	if (c == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for canaries");
	r = canaries_load(NULL, c, e);
	for (uint32_t i = 0; r == 0 && i < c->n; i++)
		if (canary_look(&c->list[i]) == CANARY_THERE)
			*ret_n += put_words(&c->list[i], i, out);
	if (r == 0 && *ret_n > 0)
		*ret = steal_ptr(&c);
	return r;
}

void guard_canary_tell(const struct canaries *c, uint32_t canary, const char *server, const char *name)
{
	char path[4 * CANARY_PATH_MAX];

	if (c == NULL || canary >= c->n)
		return; /* a role that says so was never told of it */
	(void)fprintf(stderr, "ambit: canary: the secret of %s was in %s %s%s%s\n",
		      text_escape(path, sizeof path, c->list[canary].path, strlen(c->list[canary].path)),
		      name != NULL ? "a call of" : "what was said by", server, name != NULL ? "/" : "",
		      name != NULL ? name : "");
}
