/* line - what is told to somebody who may not read, and heard of somebody who may say too much.
 *
 * Owns:   struct line: the connection, and one answer that waits for room in it.
 * Holds:  never more than that one answer is kept: who asks is not heard again before it was told, and what is told beside answers is made when there is room.
 *         Who says too much (pace.h) waits in his own connection, and not others beside him.
 * Called: session, serve. */
#ifndef SESSION_LINE_H
#define SESSION_LINE_H

#include <stdbool.h>

#include "session/pace.h"
#include "wire/wire.h"

#define LINE_ANSWER_MAX 2048
#define LINE_FDS_MAX 3

struct line {
	int sock;                /* owned; -1: none */
	bool blocked;            /* something could not be told for want of room */
	enum wire_number answer; /* that waits for room; 0: none */
	uint8_t room[LINE_ANSWER_MAX];
	size_t n;
	int fds[LINE_FDS_MAX]; /* owned */
	unsigned n_fds;
	struct pace pace;
};

void line_init(struct line *l);
/* Takes sock, which does not block from here on. Little fits into it that is not read: descriptors on their way count against all that the person sends. */
void line_open(struct line *l, int sock);
void line_finish(struct line *l);

/* true: it was told. Else there is no room now, or nobody is left: then sock is -1. */
bool line_tell(struct line *l, enum wire_number number, const struct buf *body, const int *fds, unsigned n_fds);
/* Takes the descriptors. What has no room now waits: line_flush was true before. */
void line_answer(struct line *l, enum wire_number number, const struct buf *body, int *fds, unsigned n_fds);
/* Whether nothing waits, and somebody is there. */
bool line_flush(struct line *l);
/* Whether something could be told now that could not before. One call of poll(2), and only if so. */
bool line_has_room(struct line *l);
/* One message was heard, or as much was done for it as for so many. */
void line_heard(struct line *l, unsigned n);
/* Whether another may be heard now. */
bool line_may_hear(struct line *l);
/* poll(2)'s events, and its timeout: what was given, -1 for none, or until the line may be heard again. */
short line_wants(struct line *l);
int line_patience(const struct line *l, int timeout);

#endif
