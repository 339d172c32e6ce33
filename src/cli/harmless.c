#include "cli/harmless.h"

#include "base/fd.h"
#include "base/text.h"

/* Whether these are the beginning of a character that has more bytes. */
static bool is_begun(const uint8_t *bytes, size_t n)
{
	const size_t need = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : bytes[0] >= 0xc0 ? 2 : 1;

	return n < need;
}

int harmless_write(int fd, struct buf *text, bool last)
{
	uint8_t room[16384];
	struct buf shown;
	size_t at = 0;
	int r = 0;

	buf_init_in(&shown, room, sizeof room);
	while (r == 0 && at < text->len && (last || !is_begun(text->data + at, text->len - at))) {
		char piece[TEXT_PIECE];
		size_t n = 1;

		if (text->data[at] == '\n') {
			buf_put(&shown, "\n", 1);
			at++;
		} else {
			at += text_show_one(text->data + at, text->len - at, piece, &n);
			buf_put(&shown, piece, n);
		}
		if (shown.len + TEXT_PIECE > sizeof room) {
			r = fd_write_all(fd, shown.data, shown.len);
			buf_reset(&shown);
		}
	}
	buf_drop(text, at);
	return r < 0 ? r : fd_write_all(fd, shown.data, shown.len);
}
