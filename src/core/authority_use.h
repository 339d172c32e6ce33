/* authority_use - one use of a grant: whether it is allowed, what it is charged to, and which labels it leaves.
 *
 * Owns:   nothing.
 * Holds:  rules 5 to 9 and 12 of authority.h, in the order of doc/AUTHORITY.md: all is looked at before anything changes.
 * Called: core/authority.c. */
#ifndef CORE_AUTHORITY_USE_H
#define CORE_AUTHORITY_USE_H

#include "core/authority_rows.h"

/* Which badge uses which grant for what, and what was found out about it. */
struct use {
	const struct authority_request *q;
	uint32_t badge, grant;
	enum grant_verb verb;
	const char *object;
	bool opens;   /* a sub-agent */
	bool blocked; /* by a label, where that asks */
	uint32_t ask; /* the approval that allows it, or ROW_NONE */
};

/* Whether what is done lies within the grant: the object, and the arguments of a tool. */
bool use_is_covered(const struct authority *a, const struct use *u);
/* Whether it may be, but for what a person says: nothing changes. False: ret has the answer. */
bool use_is_open(struct authority *a, struct use *u, struct authority_answer *ret);
/* Of one that is open. */
bool use_asks(const struct authority *a, const struct use *u);
/* The question of just that use, in whatever state, or ROW_NONE. */
uint32_t use_question(const struct authority *a, const struct use *u);
/* False: ret has the answer, and nothing but a question has changed. */
bool use_is_allowed(struct authority *a, struct use *u, struct authority_answer *ret);
/* What use_is_allowed said is charged, and leaves its labels. */
void use_charge(struct authority *a, const struct use *u);
/* What was lent and not needed; no more than that. */
/* Amounts alone, of a use that was allowed before. */
void use_more(struct authority *a, uint32_t badge, uint32_t grant, const struct authority_request *q,
	      struct authority_answer *ret);
void use_give_back(struct authority *a, uint32_t grant, uint64_t bytes, uint64_t rows);

/* What brings labels, and in which event. */
struct bringer {
	enum authority_by by;
	uint32_t which;       /* row of the grant, mark or badge */
	const uint8_t *event; /* borrowed */
};
/* Puts labels on a badge and all of its tree, keeps where they came from, and tells which of their grants that closes. False: there was nothing new. */
bool labels_grow(struct authority *a, uint32_t badge, uint64_t labels, const struct bringer *from);
/* A new one has those of its parent. */
void labels_inherit(struct authority *a, uint32_t badge, const uint8_t event[AUTHORITY_ID]);
/* What the badge's passes for that digest leave of these. */
uint64_t labels_less_passes(const struct authority *a, uint32_t badge, const uint8_t digest[AUTHORITY_DIGEST],
			    uint64_t labels);
void passes_take(struct authority *a, uint32_t badge, const uint8_t digest[AUTHORITY_DIGEST]);
bool is_frozen(const struct authority *a, uint32_t badge);
/* A person said no to all of it, or of what it is derived from. */
bool is_muted(const struct authority *a, uint32_t grant);

void account_init(struct authority *a, struct account *c, const struct authority_bounds *bounds);
bool refuse(struct authority_answer *ret, enum authority_why why);

#endif
