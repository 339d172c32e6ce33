/* input - what the judge is asked: a batch of files, as bytes.
 *
 * Owns:   the form: u32 magic, u32 count, what the cell did not see (u32 length and bytes; once, since all indices are asked about the
 *         same), then for each file u8 kind, u8 had_old, tree, path, old and new content, of an index also gitdir and config. Little-endian.
 * Holds:  a batch is bounded; content over the judge's limit is cut to one byte more than that, which the judge refuses. What
 *         is decoded was checked: kinds are known, the tree is absolute, paths are those of changes, nothing is left over.
 * Called: the writer by whoever decides about changes, the reader by the judge role. Pure but for the buffer's memory. */
#ifndef JUDGE_INPUT_H
#define JUDGE_INPUT_H

#include "base/buf.h"
#include "base/err.h"
#include "judge/judge.h"

#define JUDGE_BATCH_MAX                                                                                                \
	(2 * JUDGE_INDEX_MAX + (16u << 20)) /* bytes: the largest index, old and new, and what goes with it */
#define JUDGE_CASES_MAX 4096                /* files of one batch; another batch takes the rest */

/* The order of what is hidden: by text without case, as some file systems take names, and then with it. */
int judge_hidden_order(const char *a, const char *b);

struct judge_batch {
	struct buf bytes; /* owned */
	uint32_t n;
	const char *hidden; /* borrowed */
	size_t hidden_len;
};

/* hidden: as in struct judge_case, for all that follow. */
void judge_batch_init(struct judge_batch *b, const char *hidden, size_t n);
void judge_batch_finish(struct judge_batch *b);
/* 0, and the file is number b->n - 1 of the batch; -LIMIT: the batch is full and unchanged, send it and start another;
 * -MEMORY; -INTERNAL: such a case cannot be asked (its kind, its paths, or what is hidden). What is hidden is the batch's. */
int judge_batch_put(struct judge_batch *b, const struct judge_case *c);

struct judge_reader {
	struct rbuf in;
	uint32_t left;
	const char *hidden;
	size_t hidden_len;
	char tree[CHANGE_PATH_MAX], path[CHANGE_PATH_MAX];
};

/* False: not a batch. */
bool judge_reader_init(struct judge_reader *r, const void *bytes, size_t n, uint32_t *ret_count);
/* The next file; its content points into the bytes, its paths into the reader, until the next call. False: malformed. */
bool judge_reader_next(struct judge_reader *r, struct judge_case *ret);
/* True if all was read and nothing is left over. */
bool judge_reader_done(const struct judge_reader *r);

#endif
