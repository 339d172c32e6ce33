/* side - one whose lines are read, and who is told lines.
 *
 * Owns:   struct side: both streams, what came and was not read yet, and what was not taken.
 * Holds:  nothing waits for who does not read, and what is kept for them is bounded. Streams may be shared with others: they are not made to be ones that do not block.
 * Called: the roles ambit-guard and ambit-many. SIGPIPE must be ignored. */
#ifndef GUARD_SIDE_H
#define GUARD_SIDE_H

#include "base/buf.h"
#include "rpc/frame.h"
#include "session/pace.h"

#define GUARD_OUT_LOW (256u << 10) /* with so much that one has not taken, nothing more is read for it */
#define GUARD_OUT_MAX (16u << 20)

struct side {
	int in, out; /* owned */
	bool said_all, deaf, dry;
	unsigned stray;
	struct frame lines;
	struct pace pace;
	struct buf bytes; /* that it has not taken */
	size_t at;
};

void side_init(struct side *s, int in, int out); /* takes both */
void side_finish(struct side *s);
bool side_is_gone(const struct side *s); /* nothing more comes from it */
bool side_has_room(const struct side *s);
/* As much as it takes now. */
void side_give(struct side *s);
/* What it said, when there is something. */
void side_read(struct side *s, uint8_t page[FRAME_READ]);

#endif
