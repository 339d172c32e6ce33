/* line - one message of the Model Context Protocol, as its line and as what was parsed of it.
 *
 * Owns:   what a message is, and where in its line a member stands.
 * Holds:  a line goes on to the byte, but for what was put in another's place. What is found in it was found by the parser, too: else it is refused.
 * Called: the roles ambit-guard and ambit-many; pure. */
#ifndef GUARD_LINE_H
#define GUARD_LINE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "guard/link.h"

#define GUARD_ID_MAX 160 /* of a request or a progress token, as JSON, with a NUL */

bool line_is_blank(const char *line, size_t n);
/* As JSON, by the strictest reading there is; owned by the caller. NULL: -MALFORMED, it is none, or more than one to some; -LIMIT. */
json_t *line_read(const char *line, size_t n, struct err *e);
/* Whether it is a message: one object, with what one has and nothing else. */
int said_check(const json_t *said, struct err *e);
/* Some read names without regard to case, and would find a member that was not looked at. */
bool has_other_case(const json_t *object, const char *name);
/* The id of a message, as JSON. False: it is none, or too long. */
bool id_take(const json_t *id, char ret[GUARD_ID_MAX]);

/* The line with another value at that path (rpc/member.h), without its end. False: there is none, or it is written in a way that we do not look for; then out is as it was. */
bool line_put_at(struct buf *out, const char *line, size_t n, const char *const *path, const char *value);
/* The line with another id, and its end: the value of the member `id` of the outermost object. False: it is written in a way that we do not look for. */
bool line_put(struct buf *out, const char *line, size_t n, const char *id);
/* Its own id's answer. */
void answer_error(struct buf *out, const char *id, int number, const struct err *e);
/* In place of one that cannot pass: whoever waits for it waits no longer. */
void answer_lost(struct buf *out, const char *id, const char *why);

#endif
