/* deeds - what one event did, as a profile sees it: whose it was, what it asked of the kernel in order, how much of what, and what it named.
 *
 * Owns:   struct deeds, and the form in which it is handed to who scores it.
 * Holds:  texts are of whatever program ran: bounded, without control characters, and valid UTF-8 or escaped by whoever made them. A form that is taken is given again byte by byte.
 * Called: lib (makes it out of a result), usual (scores it, in a cell), explain; pure, but for memory. */
#ifndef PROFILE_DEEDS_H
#define PROFILE_DEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/id.h"
#include "profile/trace.h"

#define DEEDS_NAME_MAX 128 /* with its NUL; of an agent, a program */
#define DEED_TEXT_MAX 200  /* likewise; of what an item names */
#define DEEDS_ITEMS_MAX 1024
#define DEED_MORE "more than are told apart" /* an item of its kind, which stands for those that had no room */

enum amount {
#define AMOUNT(name, word, text) AMOUNT_##name,
#include "profile/amounts.def"
#undef AMOUNT
	AMOUNTS
};
#define AMOUNT_UNKNOWN UINT64_MAX /* of one that nobody kept: it is neither scored nor learned */
const char *amount_word(enum amount a);
const char *amount_text(enum amount a); /* for a sentence */
bool amount_adds_up(enum amount a);     /* of what it did to others: that of several events is their sum */

/* DEED(name, number, word in files, what a reason calls a new one) */
#define DEEDS(X)                                                                                                       \
	X(CALL, 1, "call", "first")                             /* a symbol of the trace */                            \
	X(PROGRAM, 2, "program", "first program")               /* its path, or what stands for it in a tree */        \
	X(DESTINATION, 3, "destination", "first connection to") /* "host:443" */                                       \
	X(REQUEST, 4, "request", "first request")               /* "host:443 GET /x" */                                \
	X(DIRECTORY, 5, "directory", "first change in")         /* in a tree its first two names; else a path */       \
	X(LABEL, 6, "label", "first event with the label")

enum deed_kind {
#define DEED_ENUM(name, number, word, text) DEED_##name = number,
	DEEDS(DEED_ENUM)
#undef DEED_ENUM
		DEED_KINDS = 7
};
const char *deed_word(unsigned kind); /* NULL: there is no such kind */
const char *deed_text(unsigned kind);
uint8_t deed_of_word(const char *word); /* 0: none */

struct deeds_item {
	uint8_t kind;
	char text[DEED_TEXT_MAX];
};

struct deeds {
	char event[ID_TEXT_MAX];        /* which it was; in no form, "": nobody knows */
	char agent[DEEDS_NAME_MAX];     /* "": none was named */
	char tool[DEEDS_NAME_MAX];      /* the event's kind, or of a call the tool */
	char program[DEEDS_NAME_MAX];   /* as its item has it, or what was asked for where it was not seen */
	uint64_t shape;                 /* of its grants: what they are of, and not where */
	uint64_t place;                 /* of its workspace; 0: none is known */
	char principal[DEEDS_NAME_MAX]; /* whose lesson it is: the session, or the event itself */
	bool untrusted;                 /* it had seen what is labelled so, */
	bool acted;                     /* and changed or sent something */
	uint64_t amounts[AMOUNTS];
	struct trace trace;       /* owned; without symbols and steps where nothing was observed */
	const struct buf *form;   /* borrowed: its stored form, of who has not read it; NULL: trace says it */
	struct deeds_item *items; /* owned; each once */
	size_t n_items;
	uint16_t slots[2 * DEEDS_ITEMS_MAX]; /* finds them */
};

void deeds_finish(struct deeds *d);
/* Cut, control characters and what is no UTF-8 escaped; nothing where it is there. Where there is no room, DEED_MORE is what is new. False: no memory. */
bool deeds_add(struct deeds *d, uint8_t kind, const char *text, size_t n);

/* Its programs and destinations, and nothing else of what it did. False: no memory. */
bool deeds_firsts(const struct deeds *d, struct deeds *ret);
/* What others did in its tree, as its own: items and amounts, and whether it saw and did. The trace is each one's. False: no memory. */
bool deeds_join(struct deeds *d, const struct deeds *of);

void deeds_encode(const struct deeds *d, struct buf *out);
/* Whose lesson a form is, by its first DEEDS_HEAD_MAX bytes. False: it is none. */
#define DEEDS_HEAD_MAX 1024
bool deeds_whose(const void *bytes, size_t n, char ret[DEEDS_NAME_MAX]);
/* -MALFORMED, with the place; -MEMORY. On failure ret holds nothing. */
int deeds_decode(const void *bytes, size_t n, struct deeds *ret, struct err *e);

#endif
