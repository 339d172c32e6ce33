/* guard_usual - the calls that pass a gate, held against what is usual (doc/PROFILE-CALLS.md).
 *
 * Owns:   struct guard_usual: the connection to the keeper of profiles, by which this run of the gate teaches; and what a person is asked about.
 * Holds:  it allows nothing. What calls are made of goes on to the keeper as the role gave it, and is not read. A keeper that ended is started again, once for each call; what it had not learned of the run is lost, and of a run that teaches nothing what follows teaches nothing, either. So is the last call that was let through, if the gate is killed.
 * Called: guard.c. Waits for the keeper. */
#ifndef CLI_GUARD_USUAL_H
#define CLI_GUARD_USUAL_H

#include "lib/record_call.h"
#include "lib/usual.h"
#include "policy/policy.h"

#define USUAL_DOUBTS_MAX 64
#define USUAL_PAST_MAX 64
#define USUAL_PAST_BYTES 1024 /* what is longer is asked about again */

struct guard_usual {
	uint32_t profile;       /* enum policy_profile; OFF, or UNSAID: nothing is compared */
	struct usual_keeper *k; /* owned; NULL: it is not there */
	struct usual_calls who;
	struct usual_begun begun;
	struct usual_called
		before;  /* of the last call, which is told with the next one; fate 0: nothing is to be told */
	bool is_spoiled; /* the run: a person was asked, or said no */
	bool owes;       /* a keeper that was started again has to hear that */
	bool is_young;   /* the profile is, by the last verdict */
	bool is_past;    /* the call that is looked at */
	size_t n_past;
	struct usual_past { /* what calls are made of that were let through in this run: to that nothing is new */
		uint8_t sha256[SHA256_BYTES];
	} now, past[USUAL_PAST_MAX];
	size_t next;
	struct doubt { /* of which a person was asked: in the same words again, so that their answer is to the same question */
		bool used, waits; /* waits: nobody has said yes */
		uint8_t sha256[SHA256_BYTES];
		char text[3 * USUAL_REASON_MAX];
		char event
			[ID_TEXT_MAX]; /* of the first such call, by which `ambit profile release` means it; "": it was not told yet */
	} doubts[USUAL_DOUBTS_MAX];
	struct doubt *doubt; /* of the call that is looked at; NULL: there is none */
};

/* server, agent: names; event: in which the server runs. Where it cannot be reached, and the policy wants to be asked: as for any call. */
int guard_usual_open(struct guard_usual *u, uint32_t profile, const char *server, const char *agent, const char *event,
		     struct err *e);
bool guard_usual_is_on(const struct guard_usual *u);
/* Fills in *ret. *ret_doubt, borrowed: why a person is to be asked; "": nothing speaks for that. -code: it could not be compared, and may not go on. */
int guard_usual_score(struct guard_usual *u, const struct guard_ask *ask, bool untrusted, struct call_usual *ret,
		      const char **ret_doubt, struct err *e);
/* What became of it. doubt: as it was given. */
void guard_usual_said(struct guard_usual *u, const struct guard_ask *ask, const struct guard_word *w, const char *doubt,
		      bool untrusted);
/* Of how many calls a person was asked, and has not said yes. */
size_t guard_usual_waiting(const struct guard_usual *u);
/* Says on the standard error what is unusual. */
void guard_usual_tell(const struct guard_usual *u, const char *object, const struct call_usual *c,
		      const struct guard_word *w);
void guard_usual_close(struct guard_usual *u);

#endif
