/* ledger - reaching the ledger's process, which is started when nobody is there.
 *
 * Owns:   where a ledger lies, the socket in it, and the cell in which its process runs.
 * Holds:  whoever is answered here is of the caller's own user (SO_PEERCRED), and has the ledger's lock. Two who start it at once
 *         start one. The process outlives who started it and ends when nobody needs it (ledger/serve.h); one that ends
 *         just now is not mistaken for one that is there. Nobody is waited for without end: neither one that was stopped, nor who starts it.
 * Called: lib/launch.c, stage/account.c.
 *
 *   DIR/ledger.key    who signs (ledger/key.h)
 *   DIR/log/          the log itself: nothing in it is secret
 *   DIR/payload/      records of events (lib/payload.h)
 *   DIR/socket        Unix SOCK_SEQPACKET
 *   DIR/lock          flock: held by the process that writes
 *   DIR/starting      flock: held by who starts it */
#ifndef LIB_LEDGER_H
#define LIB_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LEDGER_KEY_MAX 320 /* VKEY_TEXT_MAX of ledger/vkey.h, with its NUL */

#define LEDGER_NONE "none" /* as AMBIT_LEDGER: nothing is recorded */

struct ledger_hello {
	char key[LEDGER_KEY_MAX]; /* by which others verify it */
	bool is_new;              /* it was made just now, */
	bool is_named;            /* and the key before named it: the ledger was rotated */
};

/* Where the person's events are recorded who name no ledger: what AMBIT_LEDGER says, or their own. 1; 0: nowhere; -MALFORMED,
 * -HOST. */
int ledger_default(char *ret, size_t size, struct err *e);

/* The directory, which is made where it is missing, and its path through no link: as grants have theirs. */
int ledger_open(const char *dir, int *ret_dir_fd, char *ret_path, size_t size, struct err *e);
/* Calls its process, if there is one: else *ret_fd is -1. */
int ledger_call(int dir_fd, int *ret_fd, struct err *e);
/* A connection for one event, ready for LEDGER_APPEND; *ret_fd: what was called, or -1. */
int ledger_join(int dir_fd, const char *path, int *ret_fd, struct ledger_hello *ret, struct err *e);
/* Both. */
int ledger_connect(const char *dir, int *ret_fd, struct ledger_hello *ret, struct err *e);
/* The same, to one that must be there already: -NOT_FOUND. */
int ledger_reconnect(const char *dir, int *ret_fd, struct ledger_hello *ret, struct err *e);

#endif
