#include "rpc/frame.h"

#include <string.h>

#define KEEP (64u << 10) /* room that is kept for the next line */

void frame_init(struct frame *f)
{
	*f = (struct frame){ .skipping = false };
	buf_init(&f->bytes, FRAME_LINE_MAX + FRAME_READ);
}

void frame_finish(struct frame *f)
{
	buf_finish(&f->bytes);
}

/* What was taken makes room. */
static void compact(struct frame *f)
{
	buf_drop(&f->bytes, f->from);
	f->from = f->looked = 0;
	if (f->bytes.len == 0 && f->bytes.cap > KEEP)
		buf_finish(&f->bytes);
}

bool frame_add(struct frame *f, const void *bytes, size_t n)
{
	const size_t looked = f->looked - f->from;

	compact(f);
	f->looked = looked;
	buf_put(&f->bytes, bytes, n);
	return !f->bytes.failed;
}

/* Where the line at hand ends, in the bytes; false: its end is not there yet. */
static bool find_end(struct frame *f, size_t *ret)
{
	const uint8_t *end = f->looked < f->bytes.len
				     ? memchr(f->bytes.data + f->looked, '\n', f->bytes.len - f->looked)
				     : NULL;

	if (end == NULL) {
		f->looked = f->bytes.len;
		return false;
	}
	*ret = (size_t)(end - f->bytes.data);
	return true;
}

static void drop_to(struct frame *f, size_t at)
{
	f->from = f->looked = at;
}

enum frame_state frame_next(struct frame *f, bool ended, const char **ret_line, size_t *ret_n)
{
	size_t end;
	bool found = find_end(f, &end);

	if (f->skipping) {
		drop_to(f, found ? end + 1 : f->bytes.len);
		f->skipping = !found;
		if (!found)
			return FRAME_NONE;
		found = find_end(f, &end);
	}
	if (!found && f->bytes.len - f->from > FRAME_LINE_MAX) {
		f->skipping = true;
		drop_to(f, f->bytes.len);
		return FRAME_LONG;
	}
	if (!found && (!ended || f->from == f->bytes.len))
		return FRAME_NONE;
	*ret_line = (const char *)f->bytes.data + f->from;
	*ret_n = (found ? end : f->bytes.len) - f->from;
	drop_to(f, found ? end + 1 : f->bytes.len);
	return *ret_n > FRAME_LINE_MAX ? FRAME_LONG : FRAME_LINE;
}
