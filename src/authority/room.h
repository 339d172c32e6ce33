/* room - what can go where the authority is full: badges that hold nothing, and marks that their directory can tell for them.
 *
 * Owns:   struct room: which badges were used last, by a counter of this process.
 * Holds:  nobody would miss a badge that is chosen: it has no label, no question, no sub-agent, is not frozen, nothing of it is bounded or revoked, and nobody is
 *         connected for it. A sub-agent's labels, and what it used of what was derived, are there without it. A directory that is chosen has two marks at least, so that joining them frees one. Nothing is decided that is replayed: what goes does
 *         so by steps of its own (END, JOIN).
 * Called: serve.c. */
#ifndef AUTHORITY_ROOM_H
#define AUTHORITY_ROOM_H

#include "core/authority.h"

#define ROOM_IDLE_MAX 64

struct room;

/* NULL: no memory. */
struct room *room_create(const struct authority_size *size);
void room_destroy(struct room *r);

/* 0 is none. */
void room_used(struct room *r, authority_ref badge);
/* Gives how many: those that were used least recently, these first. is_in_use: somebody is connected for it. */
uint32_t room_idle(struct room *r, const struct authority *a, bool (*is_in_use)(void *of, authority_ref badge),
		   void *of, authority_ref ret[ROOM_IDLE_MAX]);
/* The deepest directory whose marks can be joined, of several that with the most. False: there is none below `/`. */
bool room_join(struct room *r, const struct authority *a, char ret[GRANT_OBJECT_MAX]);

#endif
