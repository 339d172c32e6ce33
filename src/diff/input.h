/* input - what the role ambit-diff reads: options, then one change after another with both contents.
 *
 * Owns:   the format. Numbers are little-endian:
 *           u32 DIFF_MAGIC, u16 DIFF_VERSION,
 *           u8 form, u8 colour, u32 context, u16 width, u64 output_max, u16 n_trees, n_trees times a string (u32, bytes);
 *           then for each change
 *             u8 1, u32 length and the change (change_encode), the old side, the new side;
 *           then u8 0, and nothing behind it.
 *         A side is u8 enum diff_state, u8 enum change_type (0 where nothing is), u8 enum diff_why (0 but with OMITTED); with BYTES
 *         pieces follow, each a u32 and that many bytes (1 to DIFF_PIECE_MAX), until one of length 0: that is all; or of
 *         length 0xffffffff and a u8 enum diff_why: the content is omitted after all.
 * Holds:  a file is written while it is read, so its length is not said in advance, and either side of a change may still turn
 *         out not to be shown. The reader holds one change with its contents, never the input; each content has at most
 *         DIFF_CONTENT_MAX bytes. What does not make sense (a deletion with a new content, a tree without a name) is
 *         refused with its offset.
 * Called: role ambit-diff (reads), diff/writer.h (writes); no system call but the reader's source. */
#ifndef DIFF_INPUT_H
#define DIFF_INPUT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/change.h"

#define DIFF_MAGIC 0x66666964u /* "diff" */
#define DIFF_VERSION 1
#define DIFF_PIECE_MAX (64u << 10)
#define DIFF_CONTENT_MAX                                                                                               \
	(32u << 20) /* the largest sources and lock files lie far below; both sides fit in the role's memory */
#define DIFF_CONTEXT_MAX (1u << 20)
#define DIFF_CONTEXT 3
#define DIFF_WIDTH_MIN 40
#define DIFF_WIDTH_MAX 1000
#define DIFF_WIDTH 80
#define DIFF_TREES_MAX 64         /* as many as a stage has (stage/store.h) */
#define DIFF_CHANGES_MAX 1000000u /* what `stat` keeps of each is 100 bytes and more */
#define DIFF_CHANGE_BYTES_MAX (2 * CHANGE_PATH_MAX + CHANGE_REASON_MAX + 128) /* of an encoded change */

enum diff_form {
	DIFF_PATCH = 1,
	DIFF_STAT,
	DIFF_NAME_ONLY,
	DIFF_BINARY, /* a patch to be applied: what cannot be shown as it is, is given as git gives binary files */
};

struct diff_options {
	uint8_t form; /* enum diff_form */
	bool colour;
	uint32_t context; /* lines around each difference; of DIFF_PATCH */
	uint16_t width;   /* columns; of DIFF_STAT */
	uint64_t
		output_max; /* bytes, 0: no bound. Contents beyond it are left out, and that is said; every change is named */
	uint16_t n_trees;
	const char *tree[DIFF_TREES_MAX]; /* what stands before the names of each tree, without a slash; "" for none */
};

/* A patch without colours, with git's context and no bound, of one tree. */
void diff_options_init(struct diff_options *o);

enum diff_state {
	DIFF_ABSENT,    /* nothing is there */
	DIFF_BYTES,     /* its content follows */
	DIFF_OMITTED,   /* something is there, but its content is not given */
	DIFF_UNCHANGED, /* both sides have the same content, which is not given; of MODE, RENAMED and LINK */
};

enum diff_why { DIFF_WHY_NONE, DIFF_TOO_LARGE, DIFF_NOT_REGULAR, DIFF_UNREADABLE };

struct diff_side {
	uint8_t state, type, why;
	struct buf bytes; /* owned; of a symbolic link what it points to */
};

struct diff_change {
	struct change change;
	struct change_room room; /* its texts */
	struct diff_side old, new;
};

/* Whether the sides are what the kind of change says. */
bool diff_sides_are_good(const struct change *c, const struct diff_side *old, const struct diff_side *new);

void diff_options_encode(struct buf *out, const struct diff_options *o);

/* Gives up to n bytes, 0 at the end, or -errno. */
struct diff_source {
	ssize_t (*read)(void *of, void *bytes, size_t n);
	void *of;
};

struct diff_reader;

/* Reads as far as the first change. The reader owns what options point to. */
int diff_reader_create(struct diff_source source, struct diff_options *ret, struct diff_reader **ret_reader,
		       struct err *e);
void diff_reader_destroy(struct diff_reader *r);

void diff_change_init(struct diff_change *c);
void diff_change_finish(struct diff_change *c);

/* 1: the next change, in *c, whose storage is used again; 0: that was all. */
int diff_reader_next(struct diff_reader *r, struct diff_change *c, struct err *e);

#endif
