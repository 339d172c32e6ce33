/* Bytes of anybody as the keeper's two files: they are taken or refused, and what was taken is written again, read again, and the same. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority/book.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "fuzz.h"

#define BOOT "00000000-0000-4000-8000-000000000000"

static const struct authority_size size = { .badges = 8,
					    .grants = 16,
					    .asks = 4,
					    .keys = 4,
					    .passes = 4,
					    .marks = 4,
					    .agents = 4,
					    .origins = 4,
					    .text = 4096 };

static char place[] = "/tmp/ambit-fuzz-book-XXXXXX";
static int dir_fd = -1;

static void clean(void)
{
	static const char *const names[] = { "state", "journal", "state.new", "journal.new" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlinkat(dir_fd, names[i], 0);
	(void)rmdir(place);
}

static void begin(void)
{
	if (dir_fd >= 0)
		return;
	promise(mkdtemp(place) != NULL);
	dir_fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	promise(dir_fd >= 0 && atexit(clean) == 0);
}

static void make(const char *name, const void *bytes, size_t n)
{
	auto_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	promise(fd >= 0 && fd_write_all(fd, bytes, n) == 0);
}

static void put(const struct book *b, struct buf *out)
{
	buf_init(out, 1u << 20);
	authority_put(b->a, out);
	promise(!out->failed);
}

/* A u32 length of the snapshot; that; the journal. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct book_time now = { .now_ms = 1, .boot_ms = 1 };
	auto_buf first = { .max = 0 }, second = { .max = 0 };
	struct journal_found found;
	struct book b;
	struct rbuf in;
	uint32_t part;

	begin();
	rbuf_init(&in, data, n);
	part = rbuf_u32(&in);
	if (in.failed || part > rbuf_left(&in))
		return 0;
	make("state", data + 4, part);
	make("journal", data + 4 + part, n - 4 - part);
	if (book_open(&b, dir_fd, &size, BOOT, &now, &found, NULL) == 0) {
		put(&b, &first);
		book_close(&b);
		promise(book_open(&b, dir_fd, &size, BOOT, &now, &found, NULL) == 0 && found.cut_bytes == 0);
		put(&b, &second);
		promise(buf_is_same(&first, &second));
	}
	book_close(&b);
	return 0;
}
