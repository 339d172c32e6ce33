/* labels - the names of an event's labels, as one text.
 *
 * Owns:   struct labels: names between commas; "" is none, "?" that nobody knows which.
 * Holds:  each is a label's name (core/flow.h). None is left out in silence: where one has no room, or is no name, all of it is unknown.
 * Called: from any process; pure. */
#ifndef CORE_LABELS_H
#define CORE_LABELS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "core/flow.h"

#define LABELS_TEXT_MAX 2048 /* as many as the authority has, with the NUL */

struct labels {
	char text[LABELS_TEXT_MAX];
};

/* The caller sees to it that it is not there yet. */
void labels_add(struct labels *l, const char *name);
void labels_set_unknown(struct labels *l);
bool labels_are_unknown(const struct labels *l);
/* The name at *at, which begins as l->text and goes on behind it; false: there are no more. */
bool labels_next(const char **at, char ret[FLOW_LABEL_MAX]);
/* An array of names; null: unknown. */
void labels_put_json(struct json *j, const struct labels *l);

void labels_put(struct buf *out, const struct labels *l);
/* Fails the cursor on what is none. */
void labels_take(struct rbuf *in, struct labels *ret);

/* Those of what an event is given, as a person writes them: FLOW_SET_MAX at most, NULL and "" are none. They come out in order, each once.
 * -MALFORMED, -LIMIT. */
int labels_take_given(const char *text, struct labels *ret, struct err *e);

#endif
