/* question - one question that waits for a person, as it is listed and shown.
 *
 * Owns:   struct question and struct questions_all, what waits; how it looks on a terminal and as JSON.
 * Holds:  what is shown is what the digest is of: that was compared. Lines are shown by themselves, each made visible (approve/visible.h).
 * Called: cli/questions.c, cli/question_away.c. */
#ifndef CLI_QUESTION_H
#define CLI_QUESTION_H

#include "base/span.h"
#include "lib/authority.h"

struct question {
	char id[ID_TEXT_MAX];
	uint8_t realm[STATEMENT_REALM_BYTES]; /* of the authority where it waits */
	struct authority_ask_told told; /* of one that was carried from elsewhere: id, digest and until_ms alone */
	struct buf shown;               /* owned */
};

struct questions_all {
	struct question *list; /* owned, and what each has; in the order of their ids */
	size_t n;
	bool answered; /* those that were, and whose answer holds still; else those that wait */
};
void questions_all_finish(struct questions_all *a);
#define auto_questions __attribute__((cleanup(questions_all_finish))) struct questions_all

/* What there is; ret->answered says of which. Nothing is made or started for a look: *ret_k NULL: nobody ever asked anything. One whose shown text has another digest shows nothing. */
int questions_find(struct keeper **ret_k, struct questions_all *ret, struct err *e);
/* "a_...", the beginning of one, "last". */
int questions_pick(const struct questions_all *a, const char *which, struct question **ret, struct err *e);

/* What stands behind `word: ` in the head of what is shown; empty: nothing does. */
struct span question_line(const struct question *q, const char *word);
bool question_is_commit(const struct question *q);
/* The exit status. */
int question_show(const struct question *q);
int questions_list(const struct questions_all *a);
int questions_list_json(const struct questions_all *a, const struct question *only);

#endif
