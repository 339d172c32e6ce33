/* standing - who acts in the person's authority, and by which of its grants: an agent in a workspace.
 *
 * Owns:   how badges and grants are named there: by a digest of what they are, so that nobody has to remember them, and the same thing is the same one.
 * Holds:  what is there already is found again, with what was used of it, asked and said.
 * Called: lib (an event that begins), ambit-stage (one that is committed). */
#ifndef LIB_STANDING_H
#define LIB_STANDING_H

#include "base/sha256.h"
#include "core/grant.h"
#include "lib/authority.h"

/* Of things with the same names. Neither may have a NUL in it, nor kind. */
void standing_name(const char *kind, const void *a, size_t a_n, const void *b, size_t b_n, uint8_t ret[SHA256_BYTES]);

#define STANDING_PATH_MAX 4096

struct standing {
	authority_ref badge;
	uint8_t name[SHA256_BYTES];
};

/* The keeper beside the store of stages, for who has no environment. ledger: as keeper_open has it. -HOST: there is no store. */
int standing_open(const char *store, const char *ledger, struct keeper **ret, struct err *e);
/* The badge, which is made where it is missing. agent: "" if nobody named one. */
int standing_take(struct keeper *k, const char *agent, const char *workspace, struct standing *ret, struct err *e);
/* A grant that asks before each use. object and terms as core/grant.h keeps them. */
int standing_grant(struct keeper *k, const struct standing *s, enum grant_verb verb, const char *object,
		   const char *terms, authority_ref *ret, struct err *e);

/* The question of this badge that was asked last and waits; "": none does. A keeper that cannot be had says none. */
void standing_waits(const char *store, authority_ref badge, char ret[ID_TEXT_MAX]);

#endif
