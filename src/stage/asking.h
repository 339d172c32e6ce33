/* asking - a commit that a policy wants a person to say yes to.
 *
 * Owns:   how such a commit is put to the person's authority (doc/AUTHORITY.md): as a use of the grant that asks, by the agent in its workspace, of just what is shown.
 * Holds:  what was approved is what is committed, byte for byte, and for no other event; who may not be reached, or does not answer, has not said yes. A yes that was
 *         used for a commit which then failed holds for that commit when it is tried again; not so once it was done and is taken back.
 * Called: settle.c, allows before the rest of the files is shut out. */
#ifndef STAGE_ASKING_H
#define STAGE_ASKING_H

#include "lib/standing.h"
#include "stage/role.h"

/* 1: nothing that is to be committed is asked for, or it is approved: role->approved; 0: it waits, or is refused: role->end says which. */
int asking_allows(struct role *role, struct err *e);
/* To whose stream the event belongs. */
int asking_stream(struct keeper *k, const struct stage_meta *m, struct standing *ret, struct err *e);
/* A use of a grant of that stream, which may ask, of just what is shown; ret tells what the authority says. A question that waits: role->end.approval. */
int asking_use(struct keeper *k, struct role *role, const struct standing *who, enum grant_verb verb,
	       authority_ref grant, const struct buf *shown, struct keeper_answer *ret, struct err *e);
/* The event is thrown away: what waits about it waits no more. Whatever fails, its questions end by themselves. */
void asking_forget(const struct role *role);

#endif
