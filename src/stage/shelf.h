/* shelf - the stages of a person: opened, listed, removed, aged out.
 *
 * Owns:   struct shelf: the store.
 * Holds:  a stage that is opened is locked, so that nobody else commits, removes or runs in it; one whose description is damaged
 *         can only be listed and removed. What is older than its time goes, then the oldest until the rest fits; what is
 *         in use stays, and so does the latest however large it is.
 * Called: role ambit-stage. */
#ifndef STAGE_SHELF_H
#define STAGE_SHELF_H

#include <stdbool.h>

#include "stage/ask.h"
#include "stage/store.h"

struct shelf {
	int store_fd; /* owned; -1: there is no store yet, and so no stage */
	const char *store;
};

int shelf_open(struct shelf *s, const char *store, struct err *e);
void shelf_finish(struct shelf *s);

/* Opens and locks one. wait_ms: for whoever holds it. *ret_in_use: its event lives, and it is opened without its lock.
 * -NOT_FOUND; -MALFORMED: damaged; -CONFLICT: in use and not wanted so (ret_in_use NULL). */
int shelf_take(const struct shelf *s, const char *event, uint32_t wait_ms, struct stage *ret,
	       struct stage_meta *ret_meta, bool *ret_in_use, struct err *e);

/* Whether there is a stage of exactly that id. */
bool shelf_has(const struct shelf *s, const char *event);

/* Each stage, oldest first, until fn gives something else than 0. meta is NULL for a damaged one. */
int shelf_each(const struct shelf *s,
	       int (*fn)(void *user, const char *event, const struct stage_meta *meta, bool in_use), void *user);

/* Opens and locks one that is to be removed and no more: also where its description is damaged (the meta then has only its id), or where
 * a part is not there: not mounted, or another in its place. It is not in use. */
enum shelf_state { SHELF_WHOLE, SHELF_APART, SHELF_DAMAGED };
int shelf_take_to_remove(const struct shelf *s, const char *event, struct stage *ret, struct stage_meta *ret_meta,
			 enum shelf_state *ret_state, struct err *e);

/* Removes a stage that is taken, with everything that is there of it; its locks go with it. Noted in its description first: a rest
 * of it is not taken for all of it. 0 or -SYSTEM. */
int shelf_remove(const struct shelf *s, struct stage *stage, struct stage_meta *meta, struct err *e);

/* Removes what is too old at now_ns, or too much; of what is too much not the latest, of which a person was just told that it is kept.
 * Best effort: what cannot be removed is listed and tried again. */
void shelf_age(const struct shelf *s, uint64_t now_ns, uint64_t keep_ns, uint64_t space_bytes);

#endif
