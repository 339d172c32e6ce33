/* call - what one call of a tool is made of, as far as it can be usual or new.
 *
 * Owns:   the texts of its items, cut, for explaining. What is compared are 64-bit hashes (SipHash) under the key of who owns the profile, over all of a value in its
 *         one form, so that nobody without the key makes two that are taken for each other.
 * Holds:  bounded: CALL_ITEMS_MAX items, and one that says that there were more. Linear in what the call says. Nothing depends on which tools there are.
 * Called: profile/events.c, the gate; pure, allocates nothing.
 *
 * An *item* is one thing that a call names, at one *place*: the tool, and the path of an argument (lists do not show in it: each element is an item). Kinds:
 *
 *   ITEM_TOOL     the tool itself, of one that acts; ITEM_TOOL_UNSURE: that is taken for one since nothing says what it does
 *   ITEM_ADDRESS  an argument of one that acts that is one address: mail, URL, account, path (profile/address.h)
 *   ITEM_INSIDE   such an address inside a longer text of one that acts
 *   ITEM_FETCH    a URL that is given to one that only reads: whoever is there learns of it, with all that stands in it
 *   ITEM_SITE     of an address, a URL: its host, domain, or directory
 *   ITEM_NAME     one word: a channel, a file, an id
 *   ITEM_WORDS    two or three; ITEM_TITLE: up to eight
 *   ITEM_NUMBER, ITEM_TIME, ITEM_SWITCH   name nothing by themselves
 *   ITEM_MORE     all for which there was no room, together
 *
 * Longer texts are not items: only what is inside them is. */
#ifndef PROFILE_CALL_H
#define PROFILE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/prompt.h"
#include "profile/tool.h"

#define CALL_ITEMS_MAX 128 /* of one call */
#define CALL_VALUE_MAX 96  /* of a value, for explaining */
#define CALL_PLACE_MAX 64  /* of a path, likewise */
#define CALL_TOOL_MAX 96
#define CALL_TEXT_MIN 81  /* characters from which on a value is a text */
#define CALL_WORDS_MAX 8  /* words likewise */
#define CALL_FORM_MAX 512 /* of a value in its one form; of a longer one that and the hash of all */
#define CALL_KEY_SIZE 16

enum item_kind {
	ITEM_TOOL,
	ITEM_TOOL_UNSURE,
	ITEM_ADDRESS,
	ITEM_INSIDE,
	ITEM_FETCH,
	ITEM_SITE,
	ITEM_NAME,
	ITEM_WORDS,
	ITEM_TITLE,
	ITEM_NUMBER,
	ITEM_TIME,
	ITEM_SWITCH,
	ITEM_MORE,
	ITEM_KINDS
};

/* Where a value comes from, as far as somebody knows. */
enum item_from {
	ITEM_OF_PROMPT = 1,  /* the user's own words have it */
	ITEM_OF_ANSWER = 2,  /* an earlier answer of a tool has it */
	ITEM_OF_NOWHERE = 4, /* neither has: the model made it up */
	ITEM_UNTRUSTED = 8,  /* the answer, or all that was read before, is labelled untrusted */
	ITEM_OF_MANY = 16,   /* more was read than is remembered: an earlier answer may have it */
};

/* What sets hold of an item. */
struct mark {
	uint64_t item;  /* hash of tool, place and value */
	uint64_t place; /* hash of tool and place */
	uint8_t kind;   /* enum item_kind */
	uint8_t from;   /* enum item_from */
};
/* The same item once more. It is made up if nobody says otherwise. */
void mark_join(struct mark *m, uint8_t from);

struct item {
	struct mark mark;
	char place[CALL_PLACE_MAX]; /* "": of the tool itself */
	char value[CALL_VALUE_MAX]; /* in its one form; cut with "..." */
};

struct call {
	const uint8_t *key;          /* borrowed, CALL_KEY_SIZE bytes */
	const struct prompt *prompt; /* borrowed; NULL: none */
	char tool[CALL_TOOL_MAX];    /* for explaining */
	uint64_t step;               /* hash of the tool, also of one that only reads */
	uint64_t tool_hash;
	bool acts;
	size_t n;
	struct item items[CALL_ITEMS_MAX + 1];
};

void call_begin(struct call *c, const uint8_t key[CALL_KEY_SIZE], const struct prompt *prompt, const char *tool,
		size_t n, enum tool_told told);
enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_SWITCH };
/* One value; a number as it was written. from: what is known of where it comes from, besides the prompt. */
void call_argument(struct call *c, const char *path, size_t path_n, const char *value, size_t n, enum value_kind kind,
		   uint8_t from);

/* SipHash-2-4 of up to four numbers and bytes: what all sets are made of. */
uint64_t call_hash(const uint8_t key[CALL_KEY_SIZE], uint64_t domain, uint64_t a, uint64_t b, const void *bytes,
		   size_t n);

#endif
