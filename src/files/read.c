/* `read`: lines of what is text, else bytes.
 *
 * What is text is decided of the whole file, so that it does not change from one page of it to the next. Of a file above FILES_CONTENT_MAX so much is looked
 * at, up to a whole line: how many lines there are is not told then. `--bytes` reads any file anywhere, and as bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "files/content.h"
#include "files/files.h"

#define LINES_USUAL 2000
#define TEXT_MAX (256u << 10)
#define BYTES_USUAL (256u << 10)
#define BYTES_MAX (4u << 20)
#define WHOLE_MAX                                                                                                      \
	(704u                                                                                                          \
	 << 10) /* of a picture, which is of no use in parts: its answer is less than a mebibyte, as code may write */

struct source {
	const char *path;
	int fd;        /* owned by files_read */
	uint64_t size; /* as the kernel tells it: 0 in /proc */
	bool is_cut;   /* more is there than lines are looked for in */
};

static void put_base64(struct json *j, const void *bytes, size_t n)
{
	auto_buf text;

	buf_init(&text, BASE64_LEN(BYTES_MAX) + 1);
	base64_put(&text, bytes, n);
	json_put_word(j, buf_cstr(&text));
	j->out->failed = j->out->failed || text.failed;
}

static int give_bytes(struct answer *a, const struct source *s, uint64_t from, uint64_t count)
{
	auto_free char *bytes = malloc(count + 1); /* one more tells that there is more */
	char head[CONTENT_HEAD] = { 0 };
	const ssize_t n_head = pread(s->fd, head, sizeof head, 0);
	const ssize_t n = bytes == NULL                             ? -ENOMEM
			  : lseek(s->fd, (off_t)from, SEEK_SET) < 0 ? -errno
								    : fd_read_all(s->fd, bytes, count + 1);
	const size_t given = n > (ssize_t)count ? count : (size_t)n;

	if (n < 0)
		return answer_sys(a, (int)-n, "read", s->path);
	put_base64(json_put_key(&a->json, "base64"), bytes, given);
	json_put_count(json_put_key(&a->json, "bytes"),
		       s->size > from + (size_t)n || n == 0 ? s->size : from + (size_t)n);
	json_put_count(json_put_key(&a->json, "from_byte"), from);
	json_put_bool(json_put_key(&a->json, "truncated"), given < (size_t)n);
	json_put_word(json_put_key(&a->json, "media_type"), content_media_type(head, n_head > 0 ? (size_t)n_head : 0));
	return 0;
}

/* What is not asked for in bytes and is no text: a picture or a document whole, if it can be. */
static int give_no_text(struct answer *a, const struct source *s, const struct buf *b)
{
	const bool known = strcmp(content_media_type((const char *)b->data, b->len), CONTENT_UNKNOWN) != 0;

	return give_bytes(a, s, 0, known ? WHOLE_MAX : BYTES_USUAL);
}

struct piece {
	size_t start, end; /* of the text */
	uint64_t n, total; /* lines of it, and of the whole */
	bool is_cut;       /* its one line is */
};

/* The lines from `from` on, as many as there may be; all are counted. */
static struct piece find_lines(const char *text, size_t len, uint64_t from, uint64_t lines)
{
	struct piece p = { .start = len, .end = len };
	bool full = false;

	for (size_t at = 0; at < len; p.total++) {
		const char *newline = memchr(text + at, '\n', len - at);
		const size_t end = newline != NULL ? (size_t)(newline - text) + 1 : len;

		if (p.total + 1 == from)
			p.start = p.end = at;
		if (p.start != len && !full) {
			full = p.n == lines || end - p.start > TEXT_MAX;
			p.is_cut = full && p.n == 0;
			if (p.is_cut)
				p.end = p.start + content_cut(text + at, end - at, TEXT_MAX);
			else if (!full)
				p.end = end;
			p.n += !full || p.is_cut;
		}
		at = end;
	}
	return p;
}

static int give_lines(struct answer *a, const struct source *s, const char *text, size_t len, uint64_t from,
		      uint64_t lines)
{
	const struct piece p = find_lines(text, len, from, lines);
	auto_free char *given = strndup(len > 0 ? text + p.start : "", p.end - p.start);

	if (given == NULL)
		return answer_sys(a, ENOMEM, "read", s->path);
	if (s->is_cut && from > p.total)
		return answer_set(a, AMBIT_LIMIT, "read it in pieces, with --bytes",
				  "that line lies behind the first 64 MiB", s->path);
	json_put_word(json_put_key(&a->json, "text"), given);
	json_put_count(json_put_key(&a->json, "from"), from);
	json_put_count(json_put_key(&a->json, "lines"), p.n);
	if (s->is_cut)
		json_put_null(json_put_key(&a->json, "total_lines"));
	else
		json_put_count(json_put_key(&a->json, "total_lines"), p.total);
	json_put_count(json_put_key(&a->json, "bytes"), s->is_cut ? s->size : len);
	json_put_bool(json_put_key(&a->json, "truncated"), s->is_cut || p.end < len);
	json_put_bool(json_put_key(&a->json, "line_cut"), p.is_cut);
	return 0;
}

/* Of a file that is too long so much as ends with a line, or else a character. */
static size_t whole_lines(const struct buf *b)
{
	const char *last = memrchr(b->data, '\n', b->len);

	return last != NULL ? (size_t)(last - (const char *)b->data) + 1
			    : content_cut((const char *)b->data, b->len, b->len - 1);
}

static int give(struct answer *a, struct source *s, uint64_t from, uint64_t lines)
{
	auto_buf b;
	size_t len;
	int r;

	buf_init(&b, FILES_CONTENT_MAX);
	r = fd_read_into(s->fd, &b);
	s->is_cut = r == -EFBIG;
	if (r < 0 && !s->is_cut)
		return answer_sys(a, -r, "read", s->path);
	len = s->is_cut ? whole_lines(&b) : b.len;
	if (content_is_text(b.data, len))
		return give_lines(a, s, (const char *)b.data, len, from, lines);
	return give_no_text(a, s, &b);
}

int files_read(const struct request *q, struct answer *a)
{
	char *const *bytes = q->option[FILES_BYTES], *const *words = q->words;
	struct source s = { .path = words[0] };
	auto_fd int fd = -1;
	uint64_t from = 1, n = LINES_USUAL;
	struct stat st = { .st_size = 0 };
	int r = 0;

	if (bytes != NULL && words[1] != NULL)
		return err_set(&a->e, AMBIT_USAGE, NULL, "lines or --bytes, and not both");
	if (bytes != NULL)
		r = answer_number(a, bytes[0], "FROM", 0, INT64_MAX - BYTES_MAX - 1, &from);
	else if (words[1] != NULL)
		r = answer_number(a, words[1], "FROM", 1, INT64_MAX, &from);
	if (r == 0 && bytes != NULL)
		r = answer_number(a, bytes[1], "COUNT", 1, BYTES_MAX, &n);
	else if (r == 0 && words[1] != NULL && words[2] != NULL)
		r = answer_number(a, words[2], "LINES", 1, INT64_MAX, &n);
	if (r == 0)
		r = content_open(a, s.path, &fd, &st);
	if (r < 0)
		return r;
	s.fd = fd;
	s.size = (uint64_t)st.st_size;
	json_put_name(json_put_key(&a->json, "path"), s.path);
	return bytes != NULL ? give_bytes(a, &s, from, n) : give(a, &s, from, n);
}
