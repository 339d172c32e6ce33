/* frozen - what is frozen, as files that outlive whoever froze it.
 *
 * Owns:   the directory `frozen` beside the store of stages, with a file for each thing that is frozen: `all`, a session's id, that of an event
 *         that runs, or of a gate (cli/guard_mark.c). Others lie there, too (lib/throttle.h).
 * Holds:  that the file is there is all that counts, and it is there as a whole: what cannot be read says less, and freezes as much. Where nobody can
 *         tell (any error but "no such file") things count as frozen. Only a person's word takes a file away, and the end of the event that it names.
 * Called: lib and cli (write), supervisor and role ambit-stage (look), each with the person's authority; frozen_encode and frozen_decode are pure. */
#ifndef SUPERVISOR_FROZEN_H
#define SUPERVISOR_FROZEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/grant.h"
#include "core/id.h"

#define FROZEN_ALL "all"
#define FROZEN_REASON_MAX 201 /* with its NUL */
#define FROZEN_BYTES 224
#define FROZEN_GATE "a call was not like what is usual, of " /* the reason of a gate; then the event of its server */

struct frozen {
	char what[ID_TEXT_MAX]; /* FROZEN_ALL or an id; by the name of the file */
	uint64_t since_ms;      /* since 1970; 0: the file does not say */
	uint32_t by;            /* user */
	char reason[FROZEN_REASON_MAX];
};

void frozen_encode(const struct frozen *f, struct buf *out);
/* False: it is not one. */
bool frozen_decode(const uint8_t *bytes, size_t n, struct frozen *ret);

/* The directory that goes with a store of stages. False: it is not absolute, or too long. */
bool frozen_place(const char *store, char ret[GRANT_OBJECT_MAX]);

/* Whether everything is frozen, or the session, or the event; of the last two one may be "". Two or three system calls where nothing is. 0, 1, or
 * -errno: nobody can tell. */
int frozen_look(const char *dir, const char *session, const char *event, struct frozen *ret);
/* The same as an error: 0, or -FROZEN, also where nobody can tell. */
int frozen_refuse(const char *dir, const char *session, const char *event, struct err *e);

/* On disk when it returns. What is frozen already stays as it was first: 0. 1: it is frozen now. -SYSTEM, -HOST. */
int frozen_write(const char *dir, const struct frozen *f, struct err *e);
/* 1: it was frozen; 0: it was not. -SYSTEM. */
int frozen_remove(const char *dir, const char *what, struct err *e);
/* Calls `each` for all that is frozen. 0, or -SYSTEM. */
typedef void frozen_each_fn(void *user, const struct frozen *f);
int frozen_list(const char *dir, frozen_each_fn *each, void *user, struct err *e);

#endif
