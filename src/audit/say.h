/* say - what a role that reads logs hears and says, beside what it was asked for.
 *
 * Owns:   the lines of its standard error: progress, asides, and at the end why it failed; reading what is asked.
 * Holds:  what is foreign is escaped.
 * Called: audit/main.c, index/main.c. */
#ifndef AUDIT_SAY_H
#define AUDIT_SAY_H

#include "audit/ask.h"
#include "audit/verify.h"

/* From descriptor 0. What it borrows stays. */
int say_read_ask(struct audit_ask *ret, struct err *e);
/* As verify_progress_fn. */
void say_progress(void *arg, uint64_t done, uint64_t all);
/* That, if it was asked for, and else NULL. */
verify_progress_fn *say_progress_of(const struct audit_ask *ask);
void say_aside(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_error(const struct err *e);

#endif
