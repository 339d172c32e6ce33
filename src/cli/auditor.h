/* auditor - the role that reads logs, as `ambit ledger` uses it.
 *
 * Owns:   nothing; it runs ambit-audit (ambit-index, ambit-backup) in a parser's cell that may read the log's directory.
 * Holds:  what the role says reaches a terminal only after what could move it was taken out: the role has read foreign bytes. Memory is
 *         bounded, however long the log is (but for rows, which are for the command line).
 * Called: cli_ledger, cli_explain. */
#ifndef CLI_AUDITOR_H
#define CLI_AUDITOR_H

#include <stdbool.h>

#include "audit/ask.h"

/* Runs the role for rows (audit/row.h) or numbers, into rows, which is empty unless it gives AUDIT_DONE; its status as below. -LIMIT: they are more than
 * there is room for. */
int auditor_rows(const struct audit_ask *ask, struct buf *rows, struct err *ret_complaint, struct err *e);

/* Runs the role, writes what it says to out_fd (as: text for people; else byte for byte where out_fd is no terminal), and gives its status;
 * *ret_complaint says why that is not AUDIT_DONE, if it said so (else its code is AMBIT_OK). A reader that went is no failure:
 * *ret_gone. */
int auditor_run(const struct audit_ask *ask, int out_fd, bool text, struct err *ret_complaint, bool *ret_gone,
		struct err *e);

#endif
