/* answer - the one line that ambit-files writes.
 *
 * Owns:   the line's buffer, the error, and what an error number of the kernel means to who asked for a file.
 * Holds:  a line is one whole JSON object, of a success or of a failure and never of half of each.
 * Called: the words of files.h and main.c. */
#ifndef FILES_ANSWER_H
#define FILES_ANSWER_H

#include "base/err.h"
#include "base/json.h"

#define ANSWER_MAX (32u << 20) /* the largest is 4 MiB of base64, or 256 KiB of text in which each byte takes six */
/* Lists take nothing more from here on: names may be long, and there are many. With the longest entry it is less than a mebibyte, which is what others allow for output. */
#define ANSWER_FULL (768u << 10)

struct answer {
	struct buf line;
	struct json json; /* writes into line */
	struct err e;
	const char *word; /* of the error; NULL: its code's name */
};

void answer_begin(struct answer *a);
/* Ends the line: r is what the word gave. The exit status. */
int answer_end(struct answer *a, int r);

/* A call of the kernel failed, with that (positive) number, when what it says was tried with path: gives the negative code. */
int answer_sys(struct answer *a, int sys_errno, const char *tried, const char *path);
/* The same without a number. */
int answer_set(struct answer *a, enum ambit_code code, const char *hint, const char *what, const char *path);
/* A word that is no number from min to max. */
int answer_number(struct answer *a, const char *word, const char *name, uint64_t min, uint64_t max, uint64_t *ret);

#endif
