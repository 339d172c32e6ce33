#include "judge/input.h"

#include <string.h>
#include <strings.h>

#define MAGIC 0x32474A41u /* "AJG2" */
#define HEAD 12u          /* and what is hidden */
#define COUNT_AT 4u

void judge_batch_init(struct judge_batch *b, const char *hidden, size_t n)
{
	*b = (struct judge_batch){ .hidden = hidden, .hidden_len = n };
	buf_init(&b->bytes, JUDGE_BATCH_MAX);
}

void judge_batch_finish(struct judge_batch *b)
{
	buf_finish(&b->bytes);
}

static uint32_t cut_at(size_t most, size_t n)
{
	return (uint32_t)(n > most ? most + 1 : n); /* the largest is an index */
}

static uint32_t cut(const struct judge_case *c, size_t n)
{
	return cut_at(judge_content_max(c->kind), n);
}

int judge_hidden_order(const char *a, const char *b)
{
	const int order = strcasecmp(a, b);

	return order != 0 ? order : strcmp(a, b);
}

/* Sorted, without gaps, and each ended: who looks for a path relies on it. */
static bool is_list(const char *list, size_t n)
{
	if (n == 0)
		return true;
	if (list == NULL || n > JUDGE_HIDDEN_MAX || list[n - 1] != 0)
		return false;
	for (size_t at = 0, before = 0; at < n; before = at, at += strlen(list + at) + 1)
		if (list[at] != '/' || strlen(list + at) >= 2 * (size_t)CHANGE_PATH_MAX ||
		    (at > 0 && judge_hidden_order(list + before, list + at) >= 0))
			return false;
	return true;
}

static bool is_askable(const struct judge_case *c)
{
	return judge_kind_is_known(c->kind) && c->tree[0] == '/' &&
	       strnlen(c->tree, CHANGE_PATH_MAX) < CHANGE_PATH_MAX && change_path_is_good(c->path) &&
	       (c->kind == JUDGE_GIT_INDEX || (c->gitdir_len == 0 && c->config_len == 0));
}

/* The content that is too long is not sent whole, but its first bytes, so that it stays too long. */
static void put_case(struct buf *out, const struct judge_case *c)
{
	buf_put_u8(out, c->kind);
	buf_put_u8(out, c->had_old);
	buf_put_str(out, c->tree);
	buf_put_str(out, c->path);
	buf_put_bytes(out, c->old, c->had_old ? cut(c, c->old_len) : 0);
	buf_put_bytes(out, c->now, cut(c, c->now_len));
	if (c->kind != JUDGE_GIT_INDEX)
		return;
	buf_put_bytes(out, c->gitdir, cut_at(JUDGE_CONTENT_MAX, c->gitdir_len));
	buf_put_bytes(out, c->config, cut_at(JUDGE_CONTENT_MAX, c->config_len));
}

static void put_count(struct judge_batch *b)
{
	for (unsigned i = 0; i < 4; i++)
		b->bytes.data[COUNT_AT + i] = (uint8_t)(b->n >> (8 * i));
}

/* At most: two numbers of a byte, six lengths, and what they are of. */
static size_t room_for(const struct judge_case *c)
{
	return 2 + 6 * 4 + strlen(c->tree) + strlen(c->path) + (c->had_old ? cut(c, c->old_len) : 0) +
	       cut(c, c->now_len) + cut_at(JUDGE_CONTENT_MAX, c->gitdir_len) + cut_at(JUDGE_CONTENT_MAX, c->config_len);
}

int judge_batch_put(struct judge_batch *b, const struct judge_case *c)
{
	const size_t head = b->n == 0 ? HEAD + b->hidden_len : 0;

	if (!is_askable(c) || (b->n == 0 && !is_list(b->hidden, b->hidden_len)))
		return -AMBIT_INTERNAL;
	if (b->n == JUDGE_CASES_MAX || b->bytes.len + head + room_for(c) > JUDGE_BATCH_MAX)
		return -AMBIT_LIMIT;
	if (b->n == 0) {
		buf_put_u32(&b->bytes, MAGIC);
		buf_put_u32(&b->bytes, 0);
		buf_put_bytes(&b->bytes, b->hidden, b->hidden_len);
	}
	put_case(&b->bytes, c);
	if (b->bytes.failed)
		return -AMBIT_MEMORY;
	b->n++;
	put_count(b);
	return 0;
}

static const void *take_content(struct rbuf *in, size_t most, size_t *ret_n)
{
	const uint32_t n = rbuf_u32(in);

	if (n > most)
		in->failed = true;
	*ret_n = n;
	return in->failed ? NULL : rbuf_bytes(in, n);
}

bool judge_reader_init(struct judge_reader *r, const void *bytes, size_t n, uint32_t *ret_count)
{
	rbuf_init(&r->in, bytes, n);
	if (rbuf_u32(&r->in) != MAGIC)
		r->in.failed = true;
	r->left = rbuf_u32(&r->in);
	r->hidden = take_content(&r->in, JUDGE_HIDDEN_MAX, &r->hidden_len);
	if (n > JUDGE_BATCH_MAX || r->in.failed || r->left == 0 || r->left > JUDGE_CASES_MAX ||
	    !is_list(r->hidden, r->hidden_len))
		return false;
	*ret_count = r->left;
	return true;
}

bool judge_reader_next(struct judge_reader *r, struct judge_case *ret)
{
	uint8_t had_old;

	*ret = (struct judge_case){ .kind = rbuf_u8(&r->in), .tree = r->tree, .path = r->path };
	had_old = rbuf_u8(&r->in);
	ret->had_old = had_old == 1;
	rbuf_str(&r->in, r->tree, sizeof r->tree);
	rbuf_str(&r->in, r->path, sizeof r->path);
	ret->old = take_content(&r->in, judge_content_max(ret->kind) + 1, &ret->old_len);
	ret->now = take_content(&r->in, judge_content_max(ret->kind) + 1, &ret->now_len);
	if (ret->kind == JUDGE_GIT_INDEX) {
		ret->hidden = r->hidden;
		ret->hidden_len = r->hidden_len;
		ret->gitdir = take_content(&r->in, JUDGE_CONTENT_MAX + 1, &ret->gitdir_len);
		ret->config = take_content(&r->in, JUDGE_CONTENT_MAX + 1, &ret->config_len);
	}
	if (r->in.failed || r->left == 0 || had_old > 1 || (had_old == 0 && ret->old_len > 0) || !is_askable(ret))
		return false;
	r->left--;
	return true;
}

bool judge_reader_done(const struct judge_reader *r)
{
	return r->left == 0 && rbuf_done(&r->in);
}
