/* running - events that run, and what their owner does to them from another process.
 *
 * Owns:   struct running: the connection to the supervisor of one event.
 * Holds:  names of sockets are anybody's to take: whoever listens is believed only if the kernel says that it is of our own user. (Root asks whoever
 *         has the name that it gave: what is answered is of fixed size, and checked.) An event that is named by its whole id is
 *         found without a list, so that nobody who fills the list keeps a grant from being withdrawn.
 * Called: cli. */
#ifndef LIB_RUNNING_H
#define LIB_RUNNING_H

#include "base/err.h"
#include "supervisor/reach.h"
#include "wire/wire.h"

struct running {
	int sock; /* owned, -1 */
	char event[ID_TEXT_MAX];
	uint8_t room[WIRE_HEAD + 4144];
};

struct running_list {
	struct running_event {
		char event[ID_TEXT_MAX];
		uint64_t begun_ms; /* by its own word; by its id, if it has none now */
	} * events;                /* owned; the latest first */
	size_t n;
};

/* Events of our own user in this network namespace. -SYSTEM, -MEMORY. */
int running_list(struct running_list *ret, struct err *e);
void running_list_finish(struct running_list *l);

/* word: an id, the beginning of one, or "last". -NOT_FOUND, -CONFLICT: several begin so, -DENIED: it is somebody else's. */
int running_find(const char *word, struct running *ret, struct err *e);
void running_finish(struct running *r);

/* -GONE: it ended meanwhile, or does not answer. */
int running_event(struct running *r, struct reach_event *ret, struct err *e);
/* 1; 0: it has no grant of that index. */
int running_grant(struct running *r, uint32_t index, struct reach_grant *ret, struct err *e);
/* Asks it to freeze (for a reason), to go on, or to end; the answer comes when that is true, and is waited for by itself, so that many can be asked at once. -GONE. */
int running_ask_freeze(struct running *r, const char *reason, struct err *e);
int running_ask_thaw(struct running *r, struct err *e);
int running_ask_kill(struct running *r, struct err *e);
/* One that ended instead is REACH_ENDED. */
int running_held(struct running *r, struct reach_held *ret, struct err *e);
int running_revoke(struct running *r, uint32_t index, struct reach_done *ret, struct err *e);

#endif
