/* unusual - what comes of holding an event against a profile.
 *
 * Owns:   the layers, what is promised, and struct unusual.
 * Holds:  texts in it are of whatever program ran: bounded, without control characters.
 * Called: profile, usual, lib; pure. */
#ifndef PROFILE_UNUSUAL_H
#define PROFILE_UNUSUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "profile/deeds.h"

#define PROFILE_NAME_MAX 320 /* of its key, with its NUL */

enum layer { LAYER_FIRSTS, LAYER_AMOUNTS, LAYER_CALLS, LAYERS };
const char *layer_word(enum layer l);

/* What is promised, and what a policy may act on. */
enum promised { PROMISED_LOG, PROMISED_ASK, PROMISES };
#define PROMISE_LOG 0.01
#define PROMISE_ASK 0.001

/* A part of why an event is unusual. */
#define REASONS_MAX 3
#define REASON_MAX 400
struct reason_of {
	enum layer layer;
	double surprise; /* -ln */
	bool asks;       /* of a kind that is looked at whatever the scores are; not told on (usual/link.h) */
	char text[REASON_MAX];
};

/* Which usual event one is most like (nearest.h). */
struct likeness {
	char event[ID_TEXT_MAX]; /* "": none is known */
	double part;             /* of what both named together, what both did */
	char text[REASON_MAX];
};

struct unusual {
	bool young;
	uint32_t events; /* that the profile knows */
	double p;        /* 1 where nothing is promised */
	double least;    /* no p of this profile is below */
	double scores[LAYERS], ps[LAYERS];
	double whole; /* what they come to together (rings.h) */
	bool flagged[PROMISES];
	bool is_new[DEED_KINDS]; /* something of that kind was */
	bool is_first;           /* and it is a program or destination, where few events had a new one; not told on */
	uint32_t loud;           /* amounts that are a reason: a bit for each enum amount */
	size_t n_reasons;
	struct reason_of reasons[REASONS_MAX]; /* those that ask first, and the strongest */
};

#endif
