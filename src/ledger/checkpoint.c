#include "ledger/checkpoint.h"

#include <inttypes.h>

#include "base/base64.h"
#include "ledger/vkey.h"

/* The next line. One that is missing is an empty one with its number, and no line is valid when it is empty. */
static struct span next(struct lines *l)
{
	struct span line = { .at = NULL };

	if (!lines_next(l, &line))
		l->number++;
	return line;
}

/* Gives what is wrong with the line taken last, NULL if nothing. */
static const char *take(struct lines *l, struct checkpoint *c)
{
	c->origin = next(l);
	if (c->origin.len == 0)
		return "no origin";
	if (!span_decimal(next(l), CHECKPOINT_SIZE_MAX, &c->size))
		return "the size of a tree is a number below 2^63, in digits alone and without zeroes before it";
	if (!span_base64(next(l), c->root, sizeof c->root))
		return "the root of a tree is 32 bytes in base64";
	for (; l->left.len > 0; c->n_extensions++)
		if (next(l).len == 0)
			return "a line without its newline, or an empty one";
	return NULL;
}

int checkpoint_parse(struct span text, struct checkpoint *ret, struct err *e)
{
	struct checkpoint c = { .size = 0 };
	struct lines l = { .left = text };
	const char *wrong = take(&l, &c);

	if (wrong != NULL)
		return err_set(e, AMBIT_MALFORMED, NULL, "line %zu: %s", l.number, wrong);
	*ret = c;
	return 0;
}

int checkpoint_put(struct buf *out, struct span origin, uint64_t size, const uint8_t root[CHECKPOINT_ROOT_BYTES],
		   struct err *e)
{
	const size_t before = out->len;

	if (!vkey_name_is_good(origin))
		return err_set(e, AMBIT_MALFORMED, NULL,
			       "line 1: an origin is not empty, and has no white space and no plus");
	if (size > CHECKPOINT_SIZE_MAX)
		return err_set(e, AMBIT_MALFORMED, NULL, "line 2: the size of a tree is below 2^63");
	buf_put(out, origin.at, origin.len);
	buf_printf(out, "\n%" PRIu64 "\n", size);
	base64_put(out, root, CHECKPOINT_ROOT_BYTES);
	buf_put(out, "\n", 1);
	if (!out->failed)
		return 0;
	out->len = before;
	return err_set(e, AMBIT_MEMORY, NULL, "no room for a checkpoint");
}
