#include "diff/writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define PIECE_CUT UINT32_MAX
#define PENDING_MAX (DIFF_PIECE_MAX + DIFF_CHANGE_BYTES_MAX + DIFF_TREES_MAX * (CHANGE_PATH_MAX + 4) + 64)

static bool is_over(const struct diff_writer *w)
{
	return w->error.code != AMBIT_OK || w->too_many;
}

static void flush(struct diff_writer *w)
{
	int rc;

	if (w->pending.failed && w->error.code == AMBIT_OK)
		(void)err_set(&w->error, AMBIT_MEMORY, NULL, "no memory to write the changes");
	if (w->error.code != AMBIT_OK)
		return;
	rc = fd_write_all(w->fd, w->pending.data, w->pending.len);
	if (rc < 0)
		(void)err_sys(&w->error, AMBIT_SYSTEM, -rc, NULL, "cannot write the changes");
	buf_reset(&w->pending);
}

/* Before anything is put: there is room for a piece or a change. */
static void make_room(struct diff_writer *w)
{
	if (w->pending.len + DIFF_PIECE_MAX + DIFF_CHANGE_BYTES_MAX > w->pending.max)
		flush(w);
}

void diff_writer_init(struct diff_writer *w, int fd, const struct diff_options *o)
{
	memset(w, 0, sizeof *w);
	w->fd = fd;
	w->n_sides = 2;
	buf_init(&w->pending, 2 * PENDING_MAX);
	diff_options_encode(&w->pending, o);
}

void diff_writer_finish(struct diff_writer *w)
{
	buf_finish(&w->pending);
}

static void put_change(struct diff_writer *w, const struct change *c)
{
	uint8_t room[DIFF_CHANGE_BYTES_MAX];
	struct buf bytes;

	buf_init_in(&bytes, room, sizeof room);
	change_encode(&bytes, c);
	assert(!bytes.failed); /* it has room for the longest names */
	buf_put_u8(&w->pending, 1);
	buf_put_bytes(&w->pending, bytes.data, bytes.len);
}

void diff_writer_change(struct diff_writer *w, const struct change *c)
{
	assert(w->n_sides == 2);
	w->change = (struct change){ .kind = c->kind, .type = c->type };
	w->n_sides = 0;
	w->too_many = w->too_many || w->n_changes == DIFF_CHANGES_MAX;
	if (is_over(w))
		return;
	w->n_changes++;
	make_room(w);
	put_change(w, c);
}

static void put_side(struct diff_writer *w, uint8_t state, uint8_t type, uint8_t why)
{
	assert(w->n_sides < 2);
	w->sides[w->n_sides++] = (struct diff_side){ .state = state, .type = type, .why = why };
	assert(w->n_sides < 2 || diff_sides_are_good(&w->change, &w->sides[0], &w->sides[1]));
	if (is_over(w))
		return;
	make_room(w);
	buf_put_u8(&w->pending, state);
	buf_put_u8(&w->pending, type);
	buf_put_u8(&w->pending, why);
}

void diff_writer_absent(struct diff_writer *w)
{
	put_side(w, DIFF_ABSENT, 0, DIFF_WHY_NONE);
}

void diff_writer_omitted(struct diff_writer *w, uint8_t type, enum diff_why why)
{
	put_side(w, DIFF_OMITTED, type, (uint8_t)why);
}

void diff_writer_unchanged(struct diff_writer *w, uint8_t type)
{
	put_side(w, DIFF_UNCHANGED, type, DIFF_WHY_NONE);
}

static void put_piece(struct diff_writer *w, const void *bytes, size_t n)
{
	if (is_over(w))
		return;
	make_room(w);
	buf_put_bytes(&w->pending, bytes, n);
}

static void cut(struct diff_writer *w, enum diff_why why)
{
	if (is_over(w))
		return;
	make_room(w);
	buf_put_u32(&w->pending, PIECE_CUT);
	buf_put_u8(&w->pending, (uint8_t)why);
}

void diff_writer_bytes(struct diff_writer *w, uint8_t type, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	if (n > DIFF_CONTENT_MAX) {
		diff_writer_omitted(w, type, DIFF_TOO_LARGE);
		return;
	}
	put_side(w, DIFF_BYTES, type, DIFF_WHY_NONE);
	for (size_t now; n > 0; from += now, n -= now) {
		now = n < DIFF_PIECE_MAX ? n : DIFF_PIECE_MAX;
		put_piece(w, from, now);
	}
	put_piece(w, NULL, 0);
}

/* Gives how many bytes were read at `at`, short only at the end, or -errno. */
static ssize_t read_at(int fd, uint8_t *bytes, size_t n, size_t at)
{
	size_t got = 0;

	while (got < n) {
		const ssize_t now = pread(fd, bytes + got, n - got, (off_t)(at + got));

		if (now < 0 && errno == EINTR)
			continue;
		if (now < 0)
			return -errno;
		if (now == 0)
			break;
		got += (size_t)now;
	}
	return (ssize_t)got;
}

void diff_writer_file(struct diff_writer *w, uint8_t type, int fd)
{
	uint8_t piece[DIFF_PIECE_MAX];
	size_t total = 0;

	put_side(w, DIFF_BYTES, type, DIFF_WHY_NONE);
	while (!is_over(w)) {
		const ssize_t n = read_at(fd, piece, sizeof piece, total);

		if (n < 0 || (size_t)n > DIFF_CONTENT_MAX - total) {
			cut(w, n < 0 ? DIFF_UNREADABLE : DIFF_TOO_LARGE);
			return;
		}
		put_piece(w, piece, (size_t)n);
		if (n == 0)
			return;
		total += (size_t)n;
	}
}

int diff_writer_end(struct diff_writer *w, struct err *e)
{
	assert(w->n_sides == 2);
	make_room(w);
	buf_put_u8(&w->pending, 0);
	flush(w);
	if (w->error.code != AMBIT_OK && e != NULL)
		*e = w->error;
	if (w->error.code != AMBIT_OK)
		return -(int)w->error.code;
	return w->too_many ? err_set(e, AMBIT_LIMIT, NULL, "there are more than %u changes", DIFF_CHANGES_MAX) : 0;
}
