/* replay_say - what was found when decisions were made once more, as text or JSON.
 *
 * Owns:   the words.
 * Holds:  what is foreign is escaped. Of an event no more is said than SAID_MAX bytes; how much more there was is counted.
 * Called: audit/replay.c; pure, but for the memory of the buffers. */
#ifndef AUDIT_REPLAY_SAY_H
#define AUDIT_REPLAY_SAY_H

#include "audit/over.h"
#include "audit/report.h"
#include "audit/under.h"

#define SAID_MAX (64u << 10)

/* SKIP(name, key in JSON, what) */
#define SKIPS(X)                                                                                                       \
	X(START, "refused_starts", "starts that were refused, for what the host was like")                             \
	X(CONTENT, "changes", "changes of a commit, which hang on what is in them")                                    \
	X(ANSWER, "answers", "answers of a person or a profile")                                                       \
	X(FORM, "not_known", "effects without facts, or with what this program does not know")                         \
	X(LOST, "beginning_not_there", "effects of events whose beginning was not there")                              \
	X(CROWD, "too_many_open", "effects of events that were given up, since too many were open at once")            \
	X(STEP_LOST, "steps_behind_a_gap", "steps of an authority behind one that is not in the ledger")               \
	X(STEP_CROWD, "steps_too_many",                                                                                \
	  "steps of an authority that is larger than what is made again, or one of too many")

enum skip {
#define SKIP_ENUM(name, key, what) SKIP_##name,
	SKIPS(SKIP_ENUM)
#undef SKIP_ENUM
		SKIP_COUNT
};

struct replay_counts {
	uint64_t events, unsigned_entries;
	uint64_t agree, differ, skipped[SKIP_COUNT];
	uint64_t steps_agree, steps_differ; /* of an authority */
	/* under another policy */
	uint64_t effects[UNDER_COUNT];
	/* each event in the first that fits: something would be denied; go with the cell; be other than it was; be allowed */
	uint64_t denied_events, lost_events, other_events, allowed_events;
	uint64_t untried_events;
	bool used[2 * GRANTS_MAX]; /* by line, as in struct under */
};

/* One line, or one object, on an effect. The first of an event has nothing before it. */
struct said {
	struct buf text; /* owned; its max is SAID_MAX */
	uint64_t more;
	bool json;
};

void say_differs(struct said *said, const struct past *p, const struct past_effect *f, uint64_t entry, bool is_signed,
		 const char *grant_id, const struct decision *is);
void say_under(struct said *said, const struct past_effect *f, uint64_t entry, const struct grant_set *grants,
	       const struct under_told *told);
void say_not_tried(struct said *said, const char *why);

/* Of a step of an authority: in what it is not what the steps before it give. */
void say_step_differs(struct said *said, const struct entry *entry, bool is_signed, const char *why);

/* The event with all that was said of it. log: as in past/N, 0: the present one. first: of the list. */
void say_event(struct buf *out, const struct past *p, unsigned log, const struct said *said, bool first);

/* Around the list of events, in JSON. */
void say_begin(struct buf *out, bool json);
/* steps: what was said of those. */
void say_end(struct buf *out, bool json, const struct replay_counts *n, const struct said *steps,
	     const struct policy_asked *policy, const struct report *report, const struct over_log *log);

#endif
