/* writer - the input of ambit-diff, written piece by piece to a descriptor.
 *
 * Owns:   what is not written yet, and the first error.
 * Holds:  what is written is what input.h says, whatever happens to the files meanwhile: one that grows beyond
 *         DIFF_CONTENT_MAX, or cannot be read, becomes omitted. Calls out of order are our own mistakes (asserted). After an
 *         error every call does nothing; diff_writer_end tells it.
 * Called: lib, before the role runs (a memory file) or while it does (a pipe). Use:
 *
 *   diff_writer_init(&w, fd, &options);
 *   for each change:
 *     diff_writer_change(&w, &c);
 *     the old side: one of diff_writer_absent, _file, _bytes, _omitted, _unchanged;
 *     the new side: likewise
 *   rc = diff_writer_end(&w, e);         writes the rest
 *   diff_writer_finish(&w);
 *
 * What both sides must be is diff_sides_are_good. Of an ADDED change the old one is absent, of a DELETED one the new one; a
 * file and a symbolic link have content (a link the text it holds), anything else is omitted as DIFF_NOT_REGULAR; sides of the
 * same content may both be unchanged (MODE, RENAMED, LINK). A LINK whose content is shown with `from` is absent, unchanged. */
#ifndef DIFF_WRITER_H
#define DIFF_WRITER_H

#include "diff/input.h"

struct diff_writer {
	int fd; /* borrowed */
	struct buf pending;
	struct change change;      /* that is being written: its kind and type */
	struct diff_side sides[2]; /* its sides, without their bytes */
	uint8_t n_sides;           /* written of it; 2: a change or the end may follow */
	bool too_many;             /* changes were left out, from DIFF_CHANGES_MAX on */
	uint32_t n_changes;
	struct err error;
};

void diff_writer_init(struct diff_writer *w, int fd, const struct diff_options *o);
void diff_writer_finish(struct diff_writer *w);

void diff_writer_change(struct diff_writer *w, const struct change *c);

/* type: enum change_type of what is on this side. */
void diff_writer_absent(struct diff_writer *w);
/* All of a regular file from its start; fd is borrowed, its position unused. */
void diff_writer_file(struct diff_writer *w, uint8_t type, int fd);
void diff_writer_bytes(struct diff_writer *w, uint8_t type, const void *bytes, size_t n);
void diff_writer_omitted(struct diff_writer *w, uint8_t type, enum diff_why why);
void diff_writer_unchanged(struct diff_writer *w, uint8_t type);

/* 0, or the first error. -LIMIT: there are more changes than DIFF_CHANGES_MAX; all before them are written, and the end. */
int diff_writer_end(struct diff_writer *w, struct err *e);

#endif
