/* Any text, behind a byte that says how much of it is shown: what is shown has nothing in it that moves a terminal, and the text can be had back from it. */
#include <string.h>

#include "approve/visible.h"
#include "base/text.h"
#include "fuzz.h"

/* What one piece of what is shown stands for. False: it is the mark of what was cut. */
static bool take_back(const char *shown, size_t n, size_t *at, struct buf *out)
{
	char *end;
	unsigned long c;
	const char *s = shown + *at;

	if (s[0] != '\\') {
		buf_put_u8(out, (uint8_t)s[0]);
		++*at;
		return true;
	}
	if (*at + 1 < n && s[1] == '\\') {
		buf_put_u8(out, '\\');
		*at += 2;
		return true;
	}
	if (s[1] == '{')
		return false;
	promise(s[1] == 'x' || (s[1] == 'u' && s[2] == '{'));
	if (s[1] == 'x') {
		const char digits[] = { s[2], s[3], 0 };

		c = strtoul(digits, &end, 16);
		promise(end == digits + 2 && c >= 0x80);
		buf_put_u8(out, (uint8_t)c);
		*at += 4;
		return true;
	}
	c = strtoul(s + 3, &end, 16);
	promise(*end == '}');
	if (c < 0x80)
		buf_put_u8(out, (uint8_t)c);
	else if (c < 0x800)
		buf_put_be16(out, (uint16_t)(0xc080 | (c >> 6) << 8 | (c & 0x3f)));
	else if (c < 0x10000)
		buf_printf(out, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3f)),
			   (int)(0x80 | (c & 0x3f)));
	else
		buf_put_be32(out, (uint32_t)(0xf0808080 | (c >> 18) << 24 | (c >> 12 & 0x3f) << 16 |
					     (c >> 6 & 0x3f) << 8 | (c & 0x3f)));
	*at = (size_t)(end - shown) + 1;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = 0 }, back = { .max = 0 }, notes = { .max = 0 };
	struct visible v;
	const char *shown;
	size_t at = 0;

	if (size == 0)
		return 0;
	buf_init(&out, 16 * size + 64);
	buf_init(&back, 16 * size + 64);
	buf_init(&notes, 8192);
	visible_put(&out, span_bytes(data + 1, size - 1), data[0] == 0 ? SIZE_MAX : data[0], &v);
	visible_put_notes(&notes, &v);
	shown = buf_cstr(&out);
	promise(shown != NULL && text_is_utf8(out.data, out.len, NULL) && text_is_utf8(notes.data, notes.len, NULL) &&
		!notes.failed);
	while (at < out.len && take_back(shown, out.len, &at, &back))
		promise((uint8_t)shown[at] >= 0x20 || at == out.len);
	promise(!back.failed && back.len + v.n_cut == size - 1 &&
		(back.len == 0 || memcmp(back.data, data + 1, back.len) == 0));
	promise((at < out.len) == (v.n_cut > 0));
	return 0;
}
