/* past - what a log says of one event: what it was granted and asked for, and of each effect what was decided on which facts.
 *
 * Owns:   struct past, which is large (100 KB): not for a stack.
 * Holds:  what is taken is in range: grants by the rules of core/grant.h, kinds and facts that this program knows. What it does not know, or
 *         what has another form than its type wants, is told by a reason and used for nothing.
 * Called: audit/replay.c; pure. */
#ifndef AUDIT_PAST_H
#define AUDIT_PAST_H

#include "core/decide.h"
#include "core/id.h"
#include "ledger/entry.h"

#define PAST_COMMAND_MAX 160

struct past {
	char event[ID_TEXT_MAX];
	struct grant_set grants;
	char grant_ids[GRANTS_MAX][ID_TEXT_MAX];
	bool asked;     /* its request was there */
	const char *no; /* static: why nothing can be derived again of it; NULL: it can */
	uint32_t base;  /* enum cell_base */
	bool staged;
	char home[GRANT_OBJECT_MAX], workdir[GRANT_OBJECT_MAX];
	char program[GRANT_OBJECT_MAX], real[GRANT_OBJECT_MAX]; /* real: "" where it is the same */
	char command[PAST_COMMAND_MAX];                         /* for people, cut */
};

void past_begin(struct past *p, const char *event);
void past_take_grant(struct past *p, const struct entry *entry);
void past_take_request(struct past *p, const struct entry *entry);

struct past_effect {
	uint8_t kind; /* enum effect_kind */
	bool proved; /* and no connection, which is decided by what was granted: a change that was committed, discarded or held: nothing else of it is taken */
	bool base;
	uint32_t facts;   /* bit set of enum fact */
	char verdict[24]; /* as it is written */
	char object[EFFECT_OBJECT_MAX], socket[EFFECT_OBJECT_MAX];
};

/* NULL, or why it cannot be used: static. */
const char *past_take_effect(const struct entry *entry, struct past_effect *ret);

/* What is asked of `decide` once more; it borrows from both. grants: those of p, or others. */
struct decide_ask past_ask(const struct past *p, const struct grant_set *grants, const struct past_effect *f);

/* The entry says the same: verdict, base and grant. */
bool past_agrees(const struct past *p, const struct past_effect *f, const char *grant_id, const struct decision *d);

#endif
