/* question_away - a question that is carried to another machine, and the answer that comes back.
 *
 * Owns:   the two forms, as text: of a question a head of lines (which authority, which question, until when, how many bytes are shown), an empty line, and what
 *         is shown; of an answer the statement (approve/statement.h), which key signed it, and the signature in base64.
 * Holds:  files of another machine are anybody's: all is checked, and what is shown has the digest that is signed. An answer counts by its signature alone.
 * Called: cli/questions.c. */
#ifndef CLI_QUESTION_AWAY_H
#define CLI_QUESTION_AWAY_H

#include "cli/question.h"

/* On standard output; the exit status. */
int question_print(const struct question *q);
int answer_print(const struct keeper_signed *by);
/* path: "-" is standard input. ret->shown is the caller's to finish, also on failure. -MALFORMED, with the line. */
int question_read(const char *path, struct question *ret, struct err *e);
/* Without the question's reference, which nobody has elsewhere. */
int answer_read(const char *path, struct keeper_signed *ret, struct statement *ret_said, struct err *e);

#endif
