/* book - the profiles of a person, on disk, the ones in use in memory.
 *
 * Owns:   the files of its directory, and struct book: some pairs of a profile that scores and its shadow, which learns.
 * Holds:  a file is whole or as it was before: it is written beside and takes its name at once. What was learned last may be lost with the machine's power, and nothing else. A file that is none is told, with its line, and stays: it is neither used nor replaced.
 *         A shadow takes the place of what scores when it has learned enough more (book.c), and what scores has kept its promises.
 * Called: serve.c. */
#ifndef USUAL_BOOK_H
#define USUAL_BOOK_H

#include <limits.h>

#include "profile/form.h"
#include "profile/profile.h"
#include "usual/link.h"
#include "usual/seeds.h"

#define BOOK_HOT 32          /* pairs in memory: 11 MiB each, if they are full */
#define BOOK_SAVE_EVERY 50   /* lessons that may be lost */
#define BOOK_FILES_MAX 65536 /* of profiles: two for each; and of windows */

struct pair {
	struct profile scores, shadow;
	char key[PROFILE_NAME_MAX]; /* "": a free place */
	uint64_t used;              /* by order */
	unsigned unsaved;           /* lessons */
	bool dirty;                 /* what scores was calibrated since */
	bool is_new;                /* nothing of it is on disk yet */
	uint32_t
		tripped_at; /* lessons of the shadow when it was not promoted, since a tripwire would be missed; 0: it was not so */
};

/* What was done in the minutes that go on (across.h), for a key; written when it makes room, and at the end. */
#define BOOK_WINDOWS 64
struct together {
	char key[PROFILE_NAME_MAX]; /* "": a free place */
	uint64_t number, used;      /* of the window; by order */
	struct deeds done;          /* owned */
	unsigned released; /* events that a person released: so many flagged windows are lessons; in memory alone */
	bool dirty;
};

struct book {
	int dir_fd; /* borrowed */
	uint8_t secret[PROFILE_KEY];
	struct pair pairs[BOOK_HOT];
	struct together windows[BOOK_WINDOWS];
	char **names; /* owned, n_names: of profiles, in their order, while a list of them is told; else NULL */
	size_t n_names;
	uint64_t uses;
	struct seeds *seeds; /* borrowed; NULL: there are none */
	uint32_t files; /* that there are, since it was opened at least: another key has none where there is no room */
};

/* Reads, or makes, the secret. */
int book_open(struct book *b, int dir_fd, struct err *e);
/* Saves what was learned. The first thing that went wrong. */
int book_save(struct book *b, struct err *e);
void book_close(struct book *b);

/* What it scores, by the narrowest profile that is not young; and, if it teaches, what becomes of that. d gets the event's id. */
int book_score(struct book *b, const struct usual_ask *ask, struct deeds *d, struct usual_found *ret, struct err *e);
/* -NOT_FOUND: nothing is held of it. */
int book_settle(struct book *b, const struct usual_settle *s, struct err *e);

/* Profiles, in the order of their files' names, from behind that one ("": from the first); of a file that is none, its name behind "?". *ret_n 0: there are no more. */
#define BOOK_PAGE 64
int book_page(struct book *b, const char *after, struct usual_row rows[BOOK_PAGE], size_t *ret_n,
	      char ret_last[NAME_MAX + 1], struct err *e);
/* As text. -NOT_FOUND. */
int book_get(struct book *b, const char *key, bool shadow, struct buf *out, struct err *e);
/* A profile out of a file takes the place of what there is of its key, both of it. -MALFORMED, with the line. */
int book_put(struct book *b, const char *text, size_t n, char ret_key[PROFILE_NAME_MAX], struct err *e);
int book_reset(struct book *b, const char *key, struct err *e);
int book_promote(struct book *b, const char *key, struct err *e);

#endif
