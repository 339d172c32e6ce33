/* Any bytes as the input of ambit-diff, in small pieces: whatever comes out, a terminal can have it. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diff/show.h"
#include "fuzz.h"

#define OUTPUT_MAX (16u << 20)

static ssize_t read_some(void *of, void *bytes, size_t n)
{
	struct rbuf *r = of;
	size_t now = rbuf_left(r) < 100 ? rbuf_left(r) : 100;

	now = now < n ? now : n;
	memcpy(bytes, rbuf_bytes(r, now), now);
	return (ssize_t)now;
}

static int keep(void *of, const void *bytes, size_t n)
{
	struct buf *b = of;

	buf_put(b, bytes, n);
	return b->failed ? -1 : 0;
}

/* One of our own colours: ESC [ digits m. Gives its length, 0 if it is none. */
static size_t colour_at(const uint8_t *s, size_t n)
{
	size_t i = 2;

	if (n < 3 || s[0] != 033 || s[1] != '[')
		return 0;
	while (i < n && s[i] >= '0' && s[i] <= '9')
		i++;
	return i < n && i < 5 && s[i] == 'm' ? i + 1 : 0;
}

static void check_output(const uint8_t *s, size_t n, bool coloured)
{
	promise(text_is_utf8(s, n, NULL));
	for (size_t i = 0; i < n;) {
		const size_t colour = coloured ? colour_at(s + i, n - i) : 0;

		promise(s[i] >= 0x20 || s[i] == '\n' || s[i] == '\t' || colour > 0 ||
			(s[i] == '\r' && i + 1 < n && s[i + 1] == '\n'));
		promise(s[i] != 0x7f && !(s[i] == 0xc2 && s[i + 1] < 0xa0) &&
			memcmp(s + i, "\xe2\x80\xae", n - i < 3 ? n - i : 3) != 0);
		i += colour > 0 ? colour : 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = OUTPUT_MAX };
	struct err e = { .code = AMBIT_OK };
	struct rbuf in;
	int rc;

	rbuf_init(&in, data, size);
	rc = show_changes((struct diff_source){ read_some, &in }, (struct sink){ keep, &out }, &e);
	promise(rc == 0 || (rc == -(int)e.code && e.msg[0] != 0));
	check_output(out.data, out.len, size > 7 && data[7] == 1);
	return 0;
}
