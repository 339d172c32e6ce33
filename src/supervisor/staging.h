/* staging - which trees of an event are staged, what is hidden of them, and what becomes of the stage while the supervisor lives.
 *
 * Owns:   struct staging: the stage on disk and its description, the masks that the cell uses, and the claim.
 * Holds:  with a store every tree that may be written is staged, and nothing else; without one every write is in place. The stage's
 *         lock is held until staging_end, which is called when the cell is dead. What nothing was written to is gone
 *         after that; anything else is kept, and says why. What is written in place is claimed just as long.
 * Called: supervisor. */
#ifndef SUPERVISOR_STAGING_H
#define SUPERVISOR_STAGING_H

#include <sys/stat.h>

#include "core/outcome.h"
#include "stage/mask.h"
#include "stage/store.h"
#include "supervisor/request.h"

struct staging {
	const char *store; /* borrowed, of the request; NULL while there is no stage */
	struct stage stage;
	struct stage_meta meta;
	const struct cell_spec *spec; /* borrowed */
	uint32_t n_masks;
	struct mask masks[CELL_STAGES_MAX]; /* of each stage of the spec */
	int claim_store_fd, claim_fd;       /* owned; -1: nothing is written in place */
	const char *claim_event;            /* borrowed, of the request */
	struct stat was[CELL_STAGES_MAX];   /* of each tree of one that waits, when it began to */
	uint64_t made_ns;                   /* then */
	bool unkept;                        /* something was looked at of which nothing is kept to compare with */
};

void staging_init(struct staging *s);

/* Gives each path of spec that can be written, or lies in such a tree, its stage: data only. Sorts the paths. */
int staging_plan(const struct event_request *q, struct cell_spec *spec, struct err *e);
/* Makes what was planned, and completes the spec with the places. Of every tree that is granted whole it looks for what must be hidden;
 * one that is only read, and hides something, becomes a stage without a part. */
int staging_make(const struct event_request *q, struct cell_spec *spec, struct staging *ret, struct err *e);

/* While a cell waits for its program, nobody's commit waits for it. -UNAVAILABLE: it cannot wait, since what it rests on could not be compared again, or would be held (a file system
 * of a tree's own). */
int staging_wait(const struct event_request *q, struct staging *s, struct err *e);
/* The wait is over: nobody commits from here on, and what changes outside does so while the event runs. */
int staging_begin(const struct event_request *q, struct staging *s, struct err *e);
/* Behind that: of what may have changed before, everything is as it was made from, or *ret_stale. From here on the stage is that of q. */
int staging_resume(const struct event_request *q, struct staging *s, bool *ret_stale, struct err *e);

/* Whether a name was hidden from the cell, which its grants cover. */
bool staging_hides(const struct staging *s, const char *path);

/* When the cell is dead: gives o->workspace. */
void staging_close(struct staging *s, struct event_outcome *o);
/* After that. alone: the library is gone, and asks nobody to settle what is kept. */
void staging_end(struct staging *s, bool alone, const struct event_outcome *o);
/* When it never ran. */
void staging_drop(struct staging *s);

#endif
