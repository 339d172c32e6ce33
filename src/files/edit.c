/* `edit`: in a file one text becomes another.
 *
 * Where it stands is not said but found, so it must be there once: the others would be meant as well. Bytes are compared as they are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "files/content.h"
#include "files/files.h"
#include "files/save.h"

#define LINES_TOLD 10

struct edit {
	struct save target;
	struct buf content;       /* of the file */
	struct buf texts;         /* the old one, then the new one */
	const uint8_t *old, *new; /* in texts */
	size_t n_old, n_new;
};

/* The first one at `at` or behind; NULL: there is none. */
static const uint8_t *find(const struct edit *x, const uint8_t *at)
{
	const size_t left = x->content.len - (size_t)(at - x->content.data);

	return left < x->n_old ? NULL : memmem(at, left, x->old, x->n_old);
}

static uint64_t newlines(const uint8_t *from, const uint8_t *to)
{
	uint64_t n = 0;

	while (from < to && (from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
		from++;
		n++;
	}
	return n;
}

static int take_texts(struct edit *x, const struct request *q, struct answer *a)
{
	uint64_t n_old = 0, n_new = 0;
	int r = answer_number(a, q->words[1], "OLD_BYTES", 0, FILES_CONTENT_MAX / 2, &n_old);

	if (r == 0)
		r = answer_number(a, q->words[2], "NEW_BYTES", 0, FILES_CONTENT_MAX / 2, &n_new);
	if (r < 0)
		return r;
	r = fd_read_into(STDIN_FILENO, &x->texts);
	if (r < 0 && r != -EFBIG)
		return answer_sys(a, -r, "read what to change in", q->words[0]);
	if (r < 0 || x->texts.len != n_old + n_new)
		return answer_set(a, AMBIT_MALFORMED, "the old text, then the new one, and nothing else",
				  "standard input is not as long as the two texts", q->words[0]);
	x->n_old = n_old;
	x->n_new = n_new;
	if (n_old == 0)
		return answer_set(a, AMBIT_MALFORMED, "`write` makes a file", "the old text is empty", q->words[0]);
	x->old = x->texts.data;
	x->new = x->old + n_old;
	if (n_old == n_new && memcmp(x->old, x->new, n_old) == 0)
		return answer_set(a, AMBIT_MALFORMED, "leave it as it is", "the old text and the new one are the same",
				  q->words[0]);
	return 0;
}

/* What is read and what is replaced is the same file, or nothing is replaced. */
static int take_content(struct edit *x, const char *path, struct answer *a)
{
	auto_fd int fd = -1;
	struct stat st;
	int r = content_open(a, path, &fd, &st);

	if (r == 0)
		r = save_find(a, path, &x->target);
	if (r < 0)
		return r;
	x->target.st = st;
	r = fd_read_into(fd, &x->content);
	return r < 0 ? answer_sys(a, -r, "read", path) : 0;
}

static int refuse_none(const struct edit *x, struct answer *a)
{
	const bool returns = x->content.len > 0 && memmem(x->content.data, x->content.len, "\r\n", 2) != NULL &&
			     memchr(x->old, '\n', x->n_old) != NULL && memchr(x->old, '\r', x->n_old) == NULL;

	return answer_set(a, AMBIT_NOT_FOUND,
			  returns ? "the file's lines end with \\r\\n, those of the old text with \\n"
				  : "read the file again: blanks, tabs and ends of lines count",
			  "the old text is not there", x->target.path);
}

/* Once is right. That it overlaps itself is twice, too: which one would be meant? */
static int refuse_many(const struct edit *x, const uint8_t *first, struct answer *a)
{
	const uint8_t *at = first, *counted = x->content.data;
	uint64_t times = 0, line = 1;
	char room[256], what[320];
	struct buf lines;

	buf_init_in(&lines, room, sizeof room);
	for (size_t step = 1; at != NULL; at = find(x, at + step), step = x->n_old) {
		line += newlines(counted, at);
		counted = at;
		if (times++ < LINES_TOLD)
			buf_printf(&lines, "%s%llu", times > 1 ? ", " : "", (unsigned long long)line);
	}
	(void)snprintf(what, sizeof what, "the old text is there %llu times, in lines %s%s", (unsigned long long)times,
		       buf_cstr(&lines), times > LINES_TOLD ? ", ..." : ""); /* it fits */
	a->word = "AMBIGUOUS";
	return answer_set(a, AMBIT_CONFLICT, "give more of what stands around it, or --all", what, x->target.path);
}

/* The content with the new text in place of each, or of the one; how many they are. */
static uint64_t replace(const struct edit *x, const uint8_t *found, struct buf *ret)
{
	const uint8_t *at = x->content.data;
	uint64_t n = 0;

	for (; found != NULL && !ret->failed; found = find(x, at), n++) {
		buf_put(ret, at, (size_t)(found - at));
		buf_put(ret, x->new, x->n_new);
		at = found + x->n_old;
	}
	buf_put(ret, at, x->content.len - (size_t)(at - x->content.data));
	return n;
}

static int change(const struct edit *x, bool all, struct answer *a)
{
	const uint8_t *first = x->content.len > 0 ? find(x, x->content.data) : NULL;
	auto_buf changed;
	uint64_t n;
	int r;

	buf_init(&changed, FILES_CONTENT_MAX);
	if (first == NULL)
		return refuse_none(x, a);
	if (!all && find(x, first + 1) != NULL)
		return refuse_many(x, first, a);
	n = replace(x, first, &changed);
	if (changed.failed)
		return answer_sys(a, EFBIG, "change", x->target.path);
	r = save_do(a, &x->target, changed.data, changed.len);
	if (r < 0)
		return r;
	json_put_name(json_put_key(&a->json, "path"), x->target.path);
	json_put_count(json_put_key(&a->json, "replaced"), n);
	json_put_count(json_put_key(&a->json, "line"), newlines(x->content.data, first) + 1);
	return 0;
}

int files_edit(const struct request *q, struct answer *a)
{
	struct edit x = { .n_old = 0 };
	int r;

	buf_init(&x.texts, FILES_CONTENT_MAX);
	r = take_texts(&x, q, a);
	buf_init(&x.content, FILES_CONTENT_MAX);
	if (r == 0)
		r = take_content(&x, q->words[0], a);
	if (r == 0)
		r = change(&x, q->option[FILES_ALL] != NULL, a);
	buf_finish(&x.content);
	buf_finish(&x.texts);
	return r;
}
