/* questions - what waits for a person's answer: listed, shown, answered.
 *
 * Owns:   how a question is shown (approve/visible.h: line by line, made visible), and what a person may say to it.
 * Holds:  an answer is signed for the digest of what was read from the authority and shown here, or that a script says it saw (--digest), and for nothing else. After a
 *         yes what waits goes on at once.
 * Called: cli/approve.c. */
#ifndef CLI_QUESTIONS_H
#define CLI_QUESTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum question_answer { QUESTION_UNSAID, QUESTION_ONCE, QUESTION_SESSION, QUESTION_NO, QUESTION_NEVER };

struct questions {
	const char *which;           /* "a_...", the beginning of one, "last"; NULL: all are listed */
	const char *key;             /* by which it is signed; NULL: the only one there is */
	const char *digest;          /* that was seen, in hexadecimal digits; NULL: it is shown here */
	uint64_t until_ms;           /* how long the answer holds; 0: as usual */
	enum question_answer answer; /* UNSAID: the terminal is asked, if there is one */
	bool shows;                  /* and nothing else */
	bool answers;                /* those are listed that were answered, */
	bool takes_back;             /* or the answer to one is forgotten */
	bool line;                   /* the line of a policy that would not ask is printed */
	bool exports;                /* it is printed, to be carried to another machine, */
	const char *sign;            /* where this file of it is answered; the answer is printed, to be carried back, */
	const char *take;            /* where this file of that is taken; NULL: none of it */
	bool json;
	int password_fd; /* borrowed; -1: the terminal is asked */
};

/* Whether anything waits for an answer; nothing is made or started for it. */
bool questions_wait(void);
/* The exit status, or a code. */
int questions_run(const struct questions *q, struct err *e);

#endif
