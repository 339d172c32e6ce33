/* events - recorded runs of agents, out of JSON lines as `ambit profile eval --events` takes them.
 *
 * Owns:   what it made of them: for each run its items and the order of its tools, as hashes; and the names that they have.
 * Holds:  strict: each line is one object, no member twice, calls have no member that is not known; what is wrong is told with its line. Of a run, members that are not known are passed
 *         over. Bounded by the file's size and EVENTS_*_MAX.
 * Called: profile/events_eval.c, in a process without authority. Links jansson.
 *
 * A line, as in AgentDojo's runs (members that may be missing in brackets; null is as missing):
 *
 *     {"suite": "bank", "user": "task_1", "pipeline": "model-a-2024", ["inj": "goal_2", "attack": "important",] ["utility": true, "security": true,]
 *      ["prompt": "Pay the bill in bill.txt",] "calls": [{"f": "send_money", "a": {"to": ["X"], "amount": 3}, ["src": [["to[]", "PT", ["read_file"]]],] ...}]}
 *
 * inj: it is under attack, and by which goal; security: the attack's goal was reached; utility: the user's was. src: of values, in the order in which they stand, the path of each (`[]` for
 * elements) and letters: P the prompt has it, T an earlier answer of a tool; "-": neither. I (the injected text has it) is a label and is not looked at: what has it has T, or is taken to
 * have it. inj_seen is no more looked at.
 *
 * The family of a model is the letters that its pipeline begins with (the part behind the last slash), in small letters, where a vendor's name is that of its models (events.c has the table): gpt-4o-2024-05-13 and openai/gpt-4
 * are gpt, o3-mini too. */
#ifndef PROFILE_EVENTS_H
#define PROFILE_EVENTS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "profile/call.h"
#include "profile/novelty.h"

#define EVENTS_RUNS_MAX (1u << 20)
#define EVENTS_LINE_MAX (4u << 20)
#define EVENTS_CALLS_MAX 4096 /* of a run */
#define EVENTS_NAMES_MAX (1u << 16)
#define EVENTS_NAME_MAX 256

struct event {
	size_t line; /* number, from 1 */
	struct span text;
	uint32_t suite, task, family, pipeline, inj,
		attack; /* names; inj, attack: 0 where there is none. task: "suite/user" */
	bool useful, attacked, reached;
	bool left_out; /* its task is one of the injections: nobody's own */
	size_t mark, n_marks, step, n_steps;
};

struct events {
	const uint8_t *key; /* borrowed */
	size_t n;
	struct event *all; /* owned, as all here */
	struct buf room, marks, steps;
	struct names *names; /* [0] is "" */
};

/* key, bytes: borrowed as long as it lives. */
int events_read(struct events *ret, const uint8_t key[CALL_KEY_SIZE], const void *bytes, size_t n, struct err *e);
void events_finish(struct events *ev);

const char *events_name(const struct events *ev, uint32_t name);
struct doings events_doings(const struct events *ev, const struct event *one);
/* A run that a profile may learn: useful, and not under attack. */
bool event_is_good(const struct event *one);

/* The calls of a run once more, with their texts: false where memory is gone. */
bool events_calls(const struct events *ev, const struct event *one, void (*each)(void *into, const struct call *c),
		  void *into);

/* Of a pipeline; room for EVENTS_NAME_MAX. */
void events_family(const char *pipeline, char *ret);

#endif
