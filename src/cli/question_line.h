/* question_line - the line of a policy by which what waits would not be asked any more.
 *
 * Owns:   how a question's grant is written as such a line: without `ask`, and of a connection or a tool for what was asked for alone.
 * Holds:  it is printed and nothing is changed: a policy changes by the person's own hand.
 * Called: cli/questions.c. */
#ifndef CLI_QUESTION_LINE_H
#define CLI_QUESTION_LINE_H

#include "cli/question.h"

/* The exit status, or -UNAVAILABLE: what it asks for cannot be written in one line. */
int question_line_print(const struct question *q, bool json, struct err *e);

#endif
