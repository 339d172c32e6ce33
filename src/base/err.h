/* err - one error: what failed, why, what to do.
 *
 * Owns:   nothing on the heap; the texts are inside, so it works when memory is gone.
 * Holds:  every function that fills an error returns its negative code, so `return err_set(...)` reads well.
 * Called: from everywhere; never prints, never logs, keeps errno. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "ambit/codes.h"

/* hints that another place says something better than */
#define ERR_DOCTOR "run `ambit doctor`"
#define ERR_OWNERS                                                                                                     \
	"root's cells need idmapped mounts (Linux 5.12, and a file system that can): or run as an ordinary user"
#define ERR_MSG_MAX 512
#define ERR_WHY_MAX 512
#define ERR_HINT_MAX 512

struct err {
	enum ambit_code code;
	int sys_errno;         /* 0 if no system call was to blame */
	char msg[ERR_MSG_MAX]; /* what failed */
	char why[ERR_WHY_MAX]; /* empty where the message says it all */
	char hint[ERR_HINT_MAX];
};

/* Fills *e (which may be NULL) and returns -code. hint may be NULL. */
int err_set(struct err *e, enum ambit_code code, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same; the text of sys_errno (positive) is why. Without a hint, one for errors that are not about what was tried (no
 * memory, no descriptors). */
int err_sys(struct err *e, enum ambit_code code, int sys_errno, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Says why of the error that was just filled, of which code is the value; returns it. */
int err_why(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message of an error that is passed on; returns -e->code.
 * With e NULL returns code unchanged. */
int err_context(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "what: why" in room, for where there is one line for both. */
#define ERR_LINE_MAX (ERR_MSG_MAX + ERR_WHY_MAX + 2)
void err_line(const struct err *e, char room[ERR_LINE_MAX]);

void err_clear(struct err *e);

/* The table of codes; an unknown code is AMBIT_INTERNAL. code may be negative or positive. */
const char *err_code_name(int code);
const char *err_code_text(int code);
int err_code_exit(int code);
int err_code_rpc(int code); /* the number in an error of JSON-RPC */

#endif
