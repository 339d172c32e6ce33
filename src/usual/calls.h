/* calls - what is usual of the tool calls that pass gates (doc/PROFILE-CALLS.md), on disk, what is in use in memory.
 *
 * Owns:   the files c_SERVER.calls, struct calls: some of them, and struct calls_run: one run of one gate, with what it did so far.
 * Holds:  as book.h of its files. A run teaches when it ends, and what was let through alone; nothing of it while a question of it waits, once a person said no, or once it acted after it had read what is labelled untrusted, but for
 *         what a person released. An agent's calls of a server are taught NOVELTY_LESSONS_MAX runs a day, beside those of which a person released something.
 * Called: serve.c. */
#ifndef USUAL_CALLS_H
#define USUAL_CALLS_H

#include <limits.h>

#include "profile/call_form.h"
#include "usual/calls_link.h"
#include "usual/link.h"

#define CALLS_HOT 16         /* servers in memory: 3.3 MB each */
#define CALLS_FILES_MAX 1024 /* servers that have a profile; another has none, and a gate of it is told so */
#define CALLS_HELD_MAX 256   /* calls that wait for a word: 24 KB each at most */

struct calls;
struct calls_run;

int calls_new(int dir_fd, struct calls **ret, struct err *e); /* dir_fd: borrowed */
void calls_free(struct calls *c);
/* What was learned and could not be written is tried once more. The first thing that went wrong. */
int calls_save(struct calls *c, struct err *e);

/* -MALFORMED: its file is none, with the line. -LIMIT: too many servers at once. */
int calls_begin(struct calls *c, const struct usual_calls *who, struct calls_run **ret, struct usual_begun *ret_begun,
		struct err *e);
/* -PROTOCOL: it is no call. */
int calls_score(struct calls_run *run, const struct usual_call *q, struct usual_verdict *ret, struct err *e);
int calls_said(struct calls_run *run, const struct usual_called *q, struct err *e);
/* A person's word on a call that waited, also when its run is over: released, what it is made of is known from here on. -NOT_FOUND: none waits by that event. -CONFLICT: its profile was begun anew since. */
int calls_settle(struct calls *c, const struct usual_settle *s, struct err *e);
/* It teaches. What could not be written is told whoever begins one of that server next. NULL: nothing. */
void calls_end(struct calls *c, struct calls_run *run);

/* For a person. Names are those of files without their endings, "c_SERVER"; a key is the same. As book.h has its. */
bool calls_is_key(const char *key);
int calls_page(struct calls *c, const char *after, struct usual_row *rows, size_t most, size_t *ret_n,
	       char ret_last[NAME_MAX + 1], struct err *e);
int calls_get(struct calls *c, const char *key, struct buf *out, struct err *e);
/* -CONFLICT: a run of it goes on. */
int calls_put(struct calls *c, const char *text, size_t n, char ret_key[PROFILE_NAME_MAX], struct err *e);
int calls_reset(struct calls *c, const char *key, struct err *e);

#endif
