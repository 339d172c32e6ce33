/* verdict - whether a run, or one call, is usual, and why not.
 *
 * Owns:   the reasons' texts.
 * Holds:  the strongest reason decides, in bits (profile/novelty.h): many small ones do not add up to one. What the user's own prompt names is no reason. A young profile says that it is.
 *         It can only stop or ask for what grants allow anyway.
 * Called: profile/events_eval.c, the gate; pure. */
#ifndef PROFILE_VERDICT_H
#define PROFILE_VERDICT_H

#include "profile/novelty.h"

#define VERDICT_REASONS 3
#define VERDICT_REASON_MAX 320
/* From how many bits on something is unusual: where fewer than one in 11 runs have something new. What is measured hardly changes from 2.5 to 4.3 (eval/README.md). */
#define VERDICT_BITS 3.5

struct verdict_rules {
	unsigned support; /* principals that make an item known; 1, and 2 or 3 where somebody may teach */
	double bits;      /* acceptance: up to that, not included, a run is usual */
};
extern const struct verdict_rules VERDICT_RULES;

struct reason {
	double bits;
	char text[VERDICT_REASON_MAX];
};

struct verdict {
	bool unusual, young;
	uint32_t runs; /* that the profile knows */
	double bits;   /* of the strongest reason */
	double score;  /* for ranking: also all others, a little */
	size_t n;
	struct reason reasons[VERDICT_REASONS]; /* the strongest first; only those that are unusual by themselves */
};

/* Bits of one item as a reason; 0: none. ret: what they are made of, may be NULL. */
double verdict_bits(const struct novelty *n, const struct scopes *s, const struct verdict_rules *r,
		    const struct mark *m, struct surprise *ret);

void verdict_begin(struct verdict *v, const struct novelty *n, const struct scopes *s);
/* What a run did, without texts. */
void verdict_doings(struct verdict *v, const struct novelty *n, const struct scopes *s, const struct verdict_rules *r,
		    const struct doings *d);
/* The same for one call, with reasons in words. Of a call that comes again nothing is added. */
void verdict_call(struct verdict *v, const struct novelty *n, const struct scopes *s, const struct verdict_rules *r,
		  const struct call *c);

#endif
