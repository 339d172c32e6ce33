/* link - what the command line and the role ambit-guard tell each other.
 *
 * Owns:   the bodies of the messages GUARD_* (wire/messages.def).
 * Holds:  all are bounded, and what was put is taken again. What the role asks is about one server, whose name it does not say: the command line knows it.
 * Called: guard, cli; pure. */
#ifndef GUARD_LINK_H
#define GUARD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "core/canary.h"
#include "core/id.h"
#include "core/match.h"
#include "core/where.h"

#define GUARD_NAME_MAX 129 /* of a tool, or a method of the protocol, with its NUL */
#define GUARD_PINS_MAX 512 /* tools of a server */
#define GUARD_GRANTS_MAX 256
#define GUARD_SECRETS_MAX 8   /* as a policy has them */
#define GUARD_TOKENS "tokens" /* likewise */
#define GUARD_DEPTH_MAX 64u   /* of a message that passes */
#define GUARD_VALUES_MAX 200000u

/* GUARD_BEGIN, with five descriptors: what the client says and hears, what the server hears and says, and a file of the pins, as guard_pin_put writes them, and behind these of what is
 * granted, as guard_grant_put does (a star: all of the server's), of what no answer may have, as guard_secret_put does, and of what nothing may have, as guard_canary_put does. Lists show no tool that is none of these; whether a call is granted is judged for itself. */
#define GUARD_KEY_BYTES 32
#define GUARD_ITEMS_KEY_BYTES 16
struct guard_begin {
	uint32_t n_pins, n_granted;
	uint32_t is_first; /* 1: the server was never seen: what it has is pinned as it is */
	uint32_t n_secrets;
	uint32_t n_canaries;          /* words of the person's canaries, of each of which they are some */
	uint32_t tells_risk;          /* 1: it is asked which tools are risky (core/where.h) */
	uint64_t answer_bytes;        /* that an answer may have; 0: any number */
	uint8_t key[GUARD_KEY_BYTES]; /* of what the client carries for us (mcp/seal.h) */
	uint32_t wants_items;         /* 1: it is told what calls are made of, under that key (profile/call.h) */
	uint8_t items_key[GUARD_ITEMS_KEY_BYTES];
};
void guard_begin_put(struct buf *out, const struct guard_begin *b);
bool guard_begin_take(struct rbuf *in, struct guard_begin *ret);

struct guard_pin {
	char name[GUARD_NAME_MAX];
	uint8_t sha256[SHA256_BYTES]; /* of its definition, as guard/pins.h has it */
};
#define GUARD_PIN_BYTES (GUARD_NAME_MAX + SHA256_BYTES)
void guard_pin_put(struct buf *out, const struct guard_pin *p);
bool guard_pin_take(struct rbuf *in, struct guard_pin *ret);
/* An expression, or GUARD_TOKENS. */
#define GUARD_SECRET_BYTES (MATCH_TEXT_MAX + 1)
void guard_secret_put(struct buf *out, const char *text);
bool guard_secret_take(struct rbuf *in, char ret[GUARD_SECRET_BYTES]);
/* A word of a canary, which is known by a number of the command line's. */
#define GUARD_CANARIES_MAX (CANARIES_MAX * CANARY_WORDS_MAX)
struct guard_canary {
	uint32_t canary;
	char text[CANARY_WORD_MAX + 1];
};
#define GUARD_CANARY_BYTES (4 + CANARY_WORD_MAX + 1)
void guard_canary_put(struct buf *out, const struct guard_canary *c);
bool guard_canary_take(struct rbuf *in, struct guard_canary *ret);
/* What is granted of the server: a name, and the terms of its conditions. Those of a star are of all its tools. */
struct guard_grant_of {
	char name[GUARD_NAME_MAX];
	char terms[TERMS_TEXT_MAX];
};
#define GUARD_GRANT_BYTES (GUARD_NAME_MAX + TERMS_TEXT_MAX)
void guard_grant_put(struct buf *out, const struct guard_grant_of *of);
bool guard_grant_take(struct rbuf *in, struct guard_grant_of *ret);

/* GUARD_TOOL: a tool whose definition is not the pinned one, with a file of its text: new, changed, (bad) one that is never shown, or added. On the first use what is new is pinned as it is, until a tool is called: what comes then is added, and waits. */
enum guard_odd {
	GUARD_ODD_NEW = 1,
	GUARD_ODD_CHANGED,
	GUARD_ODD_BAD,
	GUARD_ODD_ADDED,
	GUARD_ODD_ABSENT /* a tool that is granted by its name, and is not listed */,
	GUARD_ODD_COUNT
};
struct guard_tool {
	uint32_t odd;   /* enum guard_odd */
	uint32_t bytes; /* of the text, which came before in GUARD_PART */
	struct guard_pin pin;
};
void guard_tool_put(struct buf *out, const struct guard_tool *t);
bool guard_tool_take(struct rbuf *in, struct guard_tool *ret);

/* GUARD_LACKS: no tool that a grant is of has an argument that this condition is on, so it narrows nothing. Both count from 0: the grants as GUARD_BEGIN had them, the conditions as core/where.h has them. */
struct guard_lacks {
	uint32_t grant, condition;
};
void guard_lacks_put(struct buf *out, const struct guard_lacks *l);
bool guard_lacks_take(struct rbuf *in, struct guard_lacks *ret);

/* GUARD_ASK: whether it may be done. GUARD_WORD answers. */
#define GUARD_ITEMS_MAX 24200 /* CALL_BYTES_MAX of profile/call_link.h */
struct guard_items {
	const uint8_t *bytes; /* as profile/call_link.h has it, for the keeper of profiles: here it is not read */
	size_t n;             /* 0: there are none */
};
struct guard_ask {
	uint32_t number;
	char name[GUARD_NAME_MAX];
	uint8_t sha256[SHA256_BYTES];     /* of all that is asked for, also of what the arguments have no room for */
	uint64_t bytes;                   /* how long that is */
	uint32_t canary;                  /* 1 and that of which it has a word; 0: of none */
	struct where_arguments arguments; /* borrowed, of the message */
	struct guard_items items;         /* likewise */
};
void guard_ask_put(struct buf *out, const struct guard_ask *a);
bool guard_ask_take(struct rbuf *in, struct guard_ask *ret);

/* GUARD_TOUCHED: what the server said had a word of a canary; it did not pass. */
void guard_touched_put(struct buf *out, uint32_t canary);
bool guard_touched_take(struct rbuf *in, uint32_t *ret_canary);

enum guard_verdict { GUARD_YES = 1, GUARD_NO, GUARD_PERSON /* one is asked */, GUARD_VERDICT_COUNT };
struct guard_word {
	uint32_t number, verdict;
	char event[ID_TEXT_MAX];
	char question[ID_TEXT_MAX]; /* PERSON */
	struct err why;             /* else than YES */
};
void guard_word_put(struct buf *out, const struct guard_word *w);
bool guard_word_take(struct rbuf *in, struct guard_word *ret);

/* GUARD_OVER: what came of what was allowed. */
enum guard_end {
	GUARD_DONE = 1,
	GUARD_FAILED /* the tool says so */,
	GUARD_ERROR /* of the protocol */,
	GUARD_CANCELLED,
	GUARD_LOST,
	GUARD_WITHHELD /* the answer has what the policy calls secret, or is too long: the client has not got it */,
	GUARD_END_COUNT
};
struct guard_over {
	uint32_t number, end;
	uint64_t bytes;
	uint8_t sha256[SHA256_BYTES]; /* of the answer, as the client got it but for its id */
};
void guard_over_put(struct buf *out, const struct guard_over *o);
bool guard_over_take(struct rbuf *in, struct guard_over *ret);

#endif
