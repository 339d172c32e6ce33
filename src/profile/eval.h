/* eval - how good profiles are at telling attacks: learned from one text, calibrated by another, tried on a third.
 *
 * Owns:   struct eval: a profile for each key, and what came of the test.
 * Holds:  a line is scored as an event is (profile.h), by those of its layers that are in it. Labels of the test are looked at to count, and in a stream to say which alarms a person releases; no threshold comes from them. Lines that are labelled as attacks are neither learned nor calibrated with. A key with less than USUAL_YOUNG lines has the profile of all keys, which is also what is known of other programs for each of them.
 * Called: profile's role, with what a person brought; pure but for the clock, which says what a symbol costs. */
#ifndef PROFILE_EVAL_H
#define PROFILE_EVAL_H

#include "base/buf.h"
#include "base/err.h"
#include "profile/amounts.h"
#include "profile/firsts.h"
#include "profile/line.h"
#include "profile/rank.h"
#include "profile/rings.h"
#include "profile/usual.h"

#define EVAL_ALPHAS_MAX 8
#define EVAL_KEYS_MAX 1024
#define EVAL_SLOTS (1u << 17) /* twice as many as a trace has symbols; what has no room is a gap */
#define EVAL_ATTACKS_MAX 4096 /* names of them */
#define EVAL_HELD_BACK 4      /* without a text to calibrate with each fourth line to be learned is kept for that */

struct eval_text {
	const char *bytes;
	size_t n;
};

struct eval_ask {
	struct eval_text train, calibrate, test;
	bool has_calibrate;
	bool streams; /* what was tested and is no attack is calibrated with from then on */
	size_t n_alphas;
	double alphas[EVAL_ALPHAS_MAX];
	uint8_t key[USUAL_KEY]; /* of the tables; any */
};

struct eval_count {
	uint64_t usual, attacks; /* of the test */
	uint64_t flagged_usual[EVAL_ALPHAS_MAX], flagged_attacks[EVAL_ALPHAS_MAX];
};

struct eval_key {
	char name[LINE_NAME_MAX + 1];
	struct usual model;
	struct amounts amounts;
	struct firsts firsts;
	struct calibration rings[RINGS];
	struct promise_kept promises[EVAL_ALPHAS_MAX];
	uint64_t lines, seen, learned, calibrated, attacks_left_out;
	struct eval_count count;
	struct rank rank;
};

struct eval_attack {
	char name[LINE_NAME_MAX + 1];
	uint64_t n, flagged[EVAL_ALPHAS_MAX];
};

struct eval {
	const struct eval_ask *ask;
	struct eval_key wide;  /* of all keys */
	struct eval_key *keys; /* owned */
	size_t n_keys, room;
	struct eval_attack *attacks; /* owned */
	size_t n_attacks;
	uint64_t other_attacks; /* of names that were too many */
	struct rank rank;
	struct eval_count count;
	uint64_t tested_by_wide, symbols;
	uint64_t scored_ns;
	uint16_t *steps; /* owned; of one trace */
	size_t n_steps, steps_room;
	struct sequence_symbol *named; /* owned: of that, each once */
	size_t n_symbols;
	uint16_t *slots;          /* owned: EVAL_SLOTS of them, by number from 1 */
	uint32_t *at;             /* owned: the slot of each */
	struct deeds_item *items; /* owned: DEEDS_ITEMS_MAX of them, of that trace */
	size_t n_items;
};

/* -MALFORMED: with the text and the line; -LIMIT, -MEMORY, -USAGE: nothing to learn from. */
int eval_run(struct eval *ev, const struct eval_ask *ask, struct err *e);
void eval_finish(struct eval *ev);

/* eval_say.c */
void eval_say(const struct eval *ev, struct buf *out);
void eval_say_json(const struct eval *ev, struct buf *out);
void eval_draw(const struct eval *ev, struct buf *out); /* the curve, as SVG */

#endif
