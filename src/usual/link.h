/* link - what is asked of the keeper of profiles, and what it answers.
 *
 * Owns:   the bodies of the USUAL_ messages.
 * Holds:  each message of a client gets one answer, in their order; a text comes in parts. Texts in a finding are of whatever program ran: bounded, without control characters.
 * Called: lib, cli (ask), usual (answers); pure. */
#ifndef USUAL_LINK_H
#define USUAL_LINK_H

#include "core/id.h"
#include "profile/unusual.h"

/* What becomes of an event that was scored. */
enum usual_use {
	USUAL_LOOK = 1, /* it is scored, and nothing is learned or counted */
	USUAL_TEACH, /* it is learned and calibrated with, unless it is flagged by PROMISED_ASK, or by a rule (usual_found.asks): then it is held until it is settled */
};

struct usual_ask {
	uint8_t use;
	bool asks; /* the caller holds what is unusual, and will settle it; else all that is not refused by profile_refuses teaches */
	bool slows; /* the caller throttles who did much: such an event teaches when a person says so */
	char event[ID_TEXT_MAX];
	uint64_t time_s; /* when it ended, since 1970; 0: before, and in no window of now (usual/across.h) */
};

#define USUAL_LEVEL_ACROSS 3 /* of no key of its own: what was done together (usual/across.h) */
#define USUAL_LEVEL_SEED 4   /* nor here: its own are young, and a seed has the word (profile/seed.h) */
struct usual_found {
	struct unusual f;
	bool asks; /* a person is to be asked: it is flagged at PROMISED_ASK, or does something first in a profile that is not young (rule) */
	bool loud; /* it is flagged at PROMISED_LOG by how much it did itself, of what adds up */
	bool held; /* it waits to be settled, */
	uint32_t others;            /* and so many of its session do, or were refused; 0: it is for what others did */
	struct likeness nearest;    /* of what is flagged, or asked about */
	uint8_t level;              /* of the key by which it was scored */
	char key[PROFILE_NAME_MAX]; /* that key */
	double ratio[PROMISES];     /* what was flagged, of what was promised */
	char not_taught[120];       /* why it does not teach; "": it does */
};

struct usual_settle {
	bool released; /* false: it was an attack, or nobody says: it teaches nothing */
	char event[ID_TEXT_MAX];
};

/* A profile of a list. */
#define USUAL_ID_MAX 32 /* of a profile, with its NUL */
struct usual_row {
	char id[USUAL_ID_MAX]; /* of both of its files */
	char key[PROFILE_NAME_MAX];
	uint32_t epoch, events, shadow_events;
	uint64_t scored, flagged; /* by PROMISED_LOG */
	uint64_t bytes;           /* of its two files */
};

#define USUAL_FOUND_MAX 4096
#define USUAL_TEXT_MAX (8u << 20) /* of a profile */
#define USUAL_LEVELS_MAX 8        /* of keys */

void usual_ask_put(struct buf *out, const struct usual_ask *a);
bool usual_ask_take(struct rbuf *in, struct usual_ask *ret);
void usual_found_put(struct buf *out, const struct usual_found *f);
bool usual_found_take(struct rbuf *in, struct usual_found *ret);
void usual_settle_put(struct buf *out, const struct usual_settle *s);
bool usual_settle_take(struct rbuf *in, struct usual_settle *ret);
void usual_row_put(struct buf *out, const struct usual_row *row);
bool usual_row_take(struct rbuf *in, struct usual_row *ret);

#endif
