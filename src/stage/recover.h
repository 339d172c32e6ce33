/* recover - finishes what a crash cut short.
 *
 * Owns:   the decision whether a deed goes on or is turned back.
 * Holds:  a deed whose journal is whole goes on; if somebody changed the trees meanwhile, it is turned back; where neither can be,
 *         both objects stay, one in the tree and one in the stage, and the path is told. Nothing is ever lost. Doing it again is
 *         harmless.
 * Called: role ambit-stage, with the locks of the stage and, exclusively, of the trees held, before anything else it does. */
#ifndef STAGE_RECOVER_H
#define STAGE_RECOVER_H

#include <stdint.h>

#include "base/err.h"
#include "stage/store.h"

enum recovered {
	RECOVERED_NOTHING, /* there was no journal */
	RECOVERED_FORWARD, /* the commit or undo is done now */
	RECOVERED_BACK,    /* it is as if it had never begun */
};

struct recover_result {
	enum recovered what;
	enum stage_state state; /* what the meta has to say, if the event is over: STAGE_COMMITTED or STAGE_KEPT */
	uint64_t conflicts;     /* paths told */
};

/* told: each path where the tree was left as somebody else made it. */
int stage_recover(const struct stage *s, const struct stage_meta *m,
		  void (*told)(void *user, uint16_t tree, const char *path), void *user, struct recover_result *ret,
		  struct err *e);

#endif
