/* files - what ambit-files can do, a function for each of its words.
 *
 * Owns:   how a request looks when its words have been taken apart (main.c), and how long anything may be.
 * Holds:  each word writes the members of one JSON object, or fills the error. It has the authority of the cell that it runs in and no other: what it may
 *         not do the kernel refuses, so no path is judged here. What it reads is hostile all the same: nothing blocks it, and all that others make longer has a limit.
 * Called: main.c, once in the life of the process. */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include "files/answer.h"

#define FILES_CONTENT_MAX (64u << 20) /* of a file that is changed, or read as lines: all of it is in memory then */

enum files_option { FILES_ALL, FILES_BYTES, FILES_FIXED, FILES_GLOB, FILES_IGNORE_CASE, FILES_MAX, FILES_OPTIONS };

struct request {
	char *const
		*words; /* what stands behind the word, up to NULL, without options; as many as main.c's table says */
	char *const *option[FILES_OPTIONS]; /* where its values stand; NULL: not given */
};

/* 0 or the negative of a code; -USAGE: a word is no number, or out of its range. What each answers, beside `path`:
 *
 *   read     text, from, lines, total_lines (null: too many to be counted), bytes (of the file), truncated (more comes behind), line_cut; of what is
 *            no text, and with --bytes: base64, bytes, from_byte (the first is 0), truncated, media_type. FROM and LINES count nothing there
 *   list     entries of path, kind, bytes (of a file, else null), modified and, of a link, target; truncated; unreadable: so many could not be looked into
 *   search   (no path) matches of path, line, column (in characters, both from 1 on) and text (the beginning of the line); files: so many were looked
 *            through; truncated; skipped: so many that were to be are no text, too large, too deep or unreadable
 *   write    bytes, created
 *   edit     replaced, line (of the first) */
int files_read(const struct request *q, struct answer *a);
int files_list(const struct request *q, struct answer *a);
int files_search(const struct request *q, struct answer *a);
int files_write(const struct request *q, struct answer *a);
int files_edit(const struct request *q, struct answer *a);

#endif
