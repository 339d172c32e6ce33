/* profile - what is usual for one key: what its events name, how much of what they do, and which call follows which.
 *
 * Owns:   struct profile: what is known, and how events scored lately.
 * Holds:  three layers score an event, each by what was learned before it; together they are one number, whose p is the part of usual events with one as high (rings.h), so the promise holds whatever the layers have to do with each other. A profile that knows fewer than PROFILE_YOUNG events promises nothing, and says that it is young.
 *         What scores is not what learns: `profile_learn` changes another profile, the shadow, which takes the place of the one that scores when it is promoted (shadow.h).
 * Called: usual, profile's role; pure. Reads no clock. */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include "profile/amounts.h"
#include "profile/deeds.h"
#include "profile/firsts.h"
#include "profile/nearest.h"
#include "profile/rings.h"
#include "profile/unusual.h"
#include "profile/usual.h"

#define PROFILE_YOUNG 20            /* events */
#define PROFILE_RUNS_MAX (1u << 16) /* of calls: 3 MB with what scores them */
#define PROFILE_KEY (FIRSTS_KEY + USUAL_KEY)
#define PROFILE_LESSONS_MAX 20 /* of one principal, until it is promoted */
#define PROFILE_PUPILS_MAX 512 /* principals whose lessons are counted; then nobody new teaches */

struct pupil {
	uint32_t principal, lessons;
};

struct profile {
	uint8_t secret[PROFILE_KEY];
	char key[PROFILE_NAME_MAX]; /* as profile_key has it */
	uint32_t epoch;             /* how often a shadow took its place */
	uint32_t events;            /* that were learned */
	unsigned support;           /* principals that make an item known, 1 to FIRSTS_SUPPORT_MAX */
	struct firsts firsts;
	struct amounts amounts;
	struct usual calls;
	struct nearest nearest; /* by the first bytes of the secret */
	struct calibration rings[RINGS];
	struct promise_kept promises[PROMISES];
	struct pupil *pupils; /* owned; PROFILE_PUPILS_MAX */
	size_t n_pupils;
};

/* The key of what an event belongs to: 0 is agent, tool, program and shape of the grants; 1, which is wider, tool and program. None that judges calls is without those: what is usual for one program makes nothing usual for another.
 * Of an event of a program there is one more, PROFILE_OF_AGENT: agent and tool. It knows programs and destinations alone (deeds_firsts), so that a program of a new name is one that this agent never ran.
 * PROFILE_BASE is of all events, and judges none: it says how unlikely what one of them never did is for any. */
#define PROFILE_LEVELS 2
#define PROFILE_OF_AGENT PROFILE_LEVELS
#define PROFILE_BASE (PROFILE_LEVELS + 1)
void profile_key(const struct deeds *d, unsigned level, char ret[PROFILE_NAME_MAX]);

/* secret: of its tables. -AMBIT_MEMORY. */
int profile_init(struct profile *p, const char *key, const uint8_t secret[PROFILE_KEY]);
void profile_finish(struct profile *p);

/* Of the events that it knows, few had something new of that kind: so few that one that has is to be looked at, whatever else. */
bool profile_is_rare(const struct profile *p, enum deed_kind kind);

/* What is new of that kind is a reason to ask, whatever the scores are: a program or destination, where few events had a new one, or none but the first that there was. */
bool profile_is_first(const struct profile *p, enum deed_kind kind);

/* base: the profile of PROFILE_BASE; NULL: there is none. */
void profile_score(const struct profile *p, const struct profile *base, const struct deeds *d, struct unusual *ret);
/* By what it never named alone, and without a promise: as one that is young. */
void profile_score_firsts(const struct profile *p, const struct deeds *d, struct unusual *ret);
/* It had seen what is labelled untrusted, and then changed or sent something: neither what it did nor what it scored is a lesson. */
bool profile_is_tainted(const struct deeds *d);
/* Of one that was released, or was no attack for all that is known: thresholds follow. */
void profile_calibrate(struct profile *p, const struct unusual *f);
/* Why it may not teach: NULL, it may. by: what it scored, by the profile that scores. */
const char *profile_refuses(const struct profile *shadow, const struct profile *scores, const struct deeds *d,
			    const struct unusual *by);
/* -AMBIT_MEMORY: something of it is not learned. */
int profile_learn(struct profile *shadow, const struct profile *scores, const struct deeds *d,
		  const struct unusual *by);
/* A person has seen what it did and said that it was right: what it named is known from here on, whoever else has named it. -AMBIT_MEMORY. */
int profile_accept(struct profile *p, const struct deeds *d);
/* From here on what was learned is what scores. -AMBIT_MEMORY. */
int profile_freeze(struct profile *p);

#endif
