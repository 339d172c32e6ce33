/* guard - what passes between one client of the Model Context Protocol and one real server.
 *
 * Owns:   struct guard: the streams of both, the connection to the command line, what was asked and is not answered, and which definitions of tools may be seen.
 * Holds:  what passes was one object of JSON by the strictest reading there is, and goes on to the byte, but for its id, which is one of ours: so neither can answer, cancel or follow what is not its own.
 *         A request that does something goes on when the command line said yes, with just what was judged. Nothing is read for who does not read, and all is bounded.
 * Called: main.c; tests, with descriptors of their own. */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include <jansson.h>

#include "core/tool.h"
#include "guard/items.h"
#include "guard/line.h"
#include "guard/link.h"
#include "guard/side.h"
#include "mcp/seal.h"
#include "rpc/parse.h"
#include "rpc/port.h"

#define GUARD_PENDING_MAX 128                 /* of each direction, that are not answered */
#define GUARD_HELD_MAX (16u << 20)            /* of all requests that wait for a word */
#define GUARD_STRAY_MAX 64                    /* answers to what was never asked, before a side is left */
#define GUARD_PAGES_MAX 64                    /* of a list of tools */
#define GUARD_KNOWN_MAX (2u * GUARD_PINS_MAX) /* tools of a server, with those that were */
#define GUARD_DEFINITION_MAX (256u << 10)     /* of one tool */
#define GUARD_PARTS_MAX (2u << 20)            /* of schemas, for all conditions: half a second */

enum pending_state {
	PENDING_FREE,
	PENDING_JUDGED, /* the command line is asked */
	PENDING_LISTED, /* the server is asked for its tools first */
	PENDING_PERSON, /* the client asks its user whether a person has approved */
	PENDING_TWIN,   /* the same is on its way, with the same key */
	PENDING_INPUTS, /* it was answered by questions, of which the command line is asked */
	PENDING_SENT,   /* to the other side */
};

enum listed { LIST_NONE, LIST_OF_CLIENT, LIST_OWN /* asked by us, for a call of what was not seen yet */ };

/* A request, of the client (or ours) to the server, or of the server to the client. */
struct pending {
	enum pending_state state;
	bool cancelled;
	bool modern;                  /* of 2026-07-28, which wants to know what kind of a result it is */
	bool elicits;                 /* the client can ask its user */
	bool again;                   /* it did, and they say that a person has approved */
	bool carries;                 /* it brings what the server gave to be brought back */
	struct pending *about;        /* of a question: the request that it is about; borrowed */
	uint64_t about_own;           /* its id: another may stand there by now */
	bool is_input;                /* it stands in an answer, and is no request */
	unsigned inputs;              /* INPUTS: that are not judged */
	bool is_error;                /* likewise: the answer is one */
	char digest[SEAL_DIGEST_MAX]; /* of what is asked for, once that was judged */
	uint8_t sha256[SHA256_BYTES]; /* the same */
	uint64_t bytes;               /* how long that is */
	bool judged;                  /* the command line waits for its end */
	enum listed list;             /* its answer has definitions of tools */
	uint64_t own;                 /* the id by which the other side knows it */
	uint32_t number;              /* by which the command line does */
	char id[GUARD_ID_MAX];        /* as who asked wrote it */
	char token[GUARD_ID_MAX];     /* of its progress; "": none */
	char tool[GUARD_NAME_MAX];    /* of a call */
	struct once *once;            /* of a call with a key; borrowed; NULL: it has none */
	struct buf line;              /* owned: what goes on; INPUTS: what goes back */
};

/* A call with a key: the first, and what it had as its answer. */
#define GUARD_ONCE_MAX 64
#define GUARD_ONCE_BYTES (8u << 20) /* of all answers that are kept */
#define GUARD_KEY_MAX 129           /* with its NUL */
struct once {
	enum { ONCE_FREE, ONCE_RUNS, ONCE_OVER } state;
	char key[GUARD_KEY_MAX];
	uint8_t sha256[SHA256_BYTES]; /* of the call */
	uint64_t own;                 /* the id of the first */
	enum guard_end end;
	struct buf answer; /* owned: as the server gave it; empty: none was, or it was not kept */
};

/* A definition: what was pinned, and what was seen since the start. */
struct known {
	struct guard_pin pin;      /* what was approved, if it is pinned */
	uint8_t now[SHA256_BYTES]; /* what it is, if it was seen */
	bool pinned, seen, bad;
	bool risky; /* its server does not call it read-only, or calls it destructive */
};

/* A grant: of one tool, or of all (`*`), and what of its conditions it has, or may have. */
struct granted {
	char name[GUARD_NAME_MAX];
	bool seen, told;
	uint32_t may_have; /* a bit for each condition */
	struct where where;
};

struct guard {
	struct side client, server;
	struct port owner; /* owned */
	bool tells_risk;   /* some grant is of tools that are not risky */
	bool is_first;     /* nothing was pinned before, and none was called yet with all of them listed */
	bool was_first;    /* nothing was pinned before */
	bool whole;        /* a list of tools came to its end */
	bool listed;       /* all tools were seen once */
	bool stale;        /* they changed since our own list was begun */
	bool elicits;      /* legacy: the client can ask its user */
	uint8_t key[GUARD_KEY_BYTES];
	json_t *envelope;     /* owned: what the client says with each request (2026-07-28), for our own; NULL */
	unsigned pages;       /* of our own list */
	unsigned list_failed; /* how often it was asked for, and was none, since it was one */
	uint64_t last_own;
	uint32_t last_number;
	size_t held;                                                        /* bytes of lines that wait */
	struct pending asked[GUARD_PENDING_MAX], called[GUARD_PENDING_MAX]; /* of the client, of the server */
	size_t n_known;
	struct known known[GUARD_KNOWN_MAX];
	size_t n_granted;
	struct granted granted[GUARD_GRANTS_MAX]; /* that something is granted for */
	uint32_t parts;                           /* of schemas that may still be looked at for them */
	size_t once_bytes;
	struct once once[GUARD_ONCE_MAX];
	struct items *items;   /* owned; NULL: calls are not held against a profile */
	uint64_t answer_bytes; /* 0: any number */
	bool tokens;           /* no answer has a token of a known form */
	size_t n_secrets;
	struct {
		char text[GUARD_SECRET_BYTES];
		struct match match;
	} secrets[GUARD_SECRETS_MAX]; /* that none has */
	size_t n_canaries;
	struct guard_canary canaries[GUARD_CANARIES_MAX]; /* that nothing has, whoever says it */
	uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	uint8_t page[FRAME_READ];
};

/* Takes all descriptors. NULL: no memory. */
struct guard *guard_new(const int fds[4], int owner, const struct guard_begin *b);
void guard_free(struct guard *g);
bool guard_pinned(struct guard *g, const struct guard_pin *p); /* false: too many */
bool guard_granted(
	struct guard *g,
	const struct guard_grant_of *of); /* one of GUARD_BEGIN's; likewise; false also: its terms are none */
bool guard_secret(struct guard *g, const char *text);             /* likewise; false also: it is none */
bool guard_canary(struct guard *g, const struct guard_canary *c); /* likewise */
/* One turn; waits for something to do for so long at most, -1: for ever. False: it is over. */
bool guard_turn(struct guard *g, int wait_ms);

/* ---- between its files ---- */

/* client.c, server.c: one line. */
void client_said(struct guard *g, const char *line, size_t n);
void client_said_too_much(struct guard *g);
void server_said(struct guard *g, const char *line, size_t n);
void server_said_too_much(struct guard *g);
/* The command line's word, on what the client asked, and on what the server did. False: on nothing that it was asked. */
bool guard_word(struct guard *g, const struct guard_word *w);
bool server_word(struct guard *g, const struct guard_word *w);
/* Asks the command line, of one that is held. */
int client_judge(struct guard *g, struct pending *p, struct err *e);
void client_denied(struct guard *g, struct pending *p, const struct err *e, const char *question);

/* person.c: a question is a person's to answer, by `ambit approve`, and by nothing that a client says. True: its user is asked whether that was done; p waits (LEGACY), or was answered and is free. */
bool person_ask(struct guard *g, struct pending *p, const char *question);
/* LEGACY: what the user said to one of ours. */
void person_answered(struct guard *g, struct pending *ours, const json_t *said);
/* Nobody waits for its question any longer: an answer that is on its way is of nothing. */
void person_forget(struct guard *g, const struct pending *p);
/* Before judging, of a request that brings our state back: it is taken out of *said, and *ret_line is what goes on, which the caller frees. 0; 1: the user did not accept; or what is wrong with it. */
int person_returned(struct guard *g, struct pending *p, json_t *said, char **ret_line, struct err *e);

/* inputs.c: what a server asks of the client's user or model in an answer: the client sees it when all of that was judged, as if the server had asked by requests. False: it asks nothing so. True: the request
 * waits, or was refused and is free. */
bool inputs_hold(struct guard *g, struct pending *p, const json_t *said, const char *line, size_t n);
/* Whether it has what some take for that, by another case of its name. */
bool inputs_are_hidden(const json_t *said);
void inputs_word(struct guard *g, struct pending *input, const struct guard_word *w);
/* Asks the command line whether the server may ask for that. */
int server_ask(struct guard *g, struct pending *p, const char *method, const json_t *params, struct err *e);

/* Tells one of the two that nobody waits for what it was asked. */
void side_cancel(struct side *to, const struct pending *p);
/* Tells the command line what came of what it allowed. */
void guard_tell_over(struct guard *g, const struct pending *p, enum guard_end end, const void *bytes, size_t n);
/* The server is gone: what was asked of it is answered so. */
void server_lost(struct guard *g);
/* All its tools were seen: what waited for that goes on. failed: it did not say which; what was not seen is answered so. */
void client_go_on(struct guard *g, const struct err *failed);
/* Asks the server, which has answered with so much, for the next page; NULL: for the first. */
int guard_list(struct guard *g, const char *cursor);

/* pending.c */
struct pending *pending_new(struct pending *all, struct guard *g);
void pending_free(struct guard *g, struct pending *p);
struct pending *pending_of_id(struct pending *all, const char *id);
struct pending *pending_of_own(struct pending *all, const json_t *id);
bool pending_has_token(const struct pending *all, const char *token);

/* pins.c: definitions in an answer to tools/list. *ret_changed: some were taken out of *result, since they may not be seen. */
void pins_look(struct guard *g, json_t *result, bool *ret_changed);
/* No more are listed: it is said which conditions none of them has. has_some: not where there are none yet. */
void pins_end(struct guard *g, bool has_some);
/* The server says that they changed: they are looked at again before any is called. */
void pins_forget(struct guard *g);
/* Whether a call of that tool may go on. -DENIED: why not. -NOT_FOUND: it was not seen yet, or not all that a grant of it is of. */
int pins_check(const struct guard *g, const char *tool, struct err *e);
int pins_check_all(const struct guard *g, struct err *e);     /* likewise, of what is no tool */
bool pins_are_risky(const struct guard *g, const char *tool); /* of one that may */

/* described.c: whether a tool may have an argument of that path (core/where.h), by what is said of it. True where that is left open, or *left are no more: how many parts of schemas may be looked at. */
bool described_may_have(const json_t *tool, const char *path, uint32_t *left);
/* Whether a condition narrows nothing where its argument is none: one that says so by refusing the call needs no look. */
bool described_is_needed(const struct where *w, const struct where_condition *c);

/* client.c: whether a method of that name, which is judged and no call, may have such a parameter; `*`: whether one of them may. Of a tool: false. */
bool client_may_have(const char *name, const char *path);

/* scan.c: 1 and the number of a canary of which this has a word; 0: of none. */
uint32_t scan_canary(const struct guard *g, const json_t *said);
/* Likewise, for what nobody is asked about: true, and the command line is told, and *e says that it does not pass. */
bool scan_touched(struct guard *g, const json_t *said, struct err *e);
/* Whether what the server said may not pass, since it has what the policy calls secret, or a word of a canary (which the command line is told), or, of an answer, is too long; *e says so to the client. */
#define SCAN_WHAT_MAX 320
bool scan_finds(struct guard *g, const json_t *said, size_t n, bool is_answer, struct err *e);

/* once.c: calls with a key. 0: it goes on. 1: it was answered, or waits for the one that is on its way. -CONFLICT: the key is another call's; -LIMIT, -USAGE. */
int once_begin(struct guard *g, struct pending *p, const json_t *params, struct err *e);
void once_over(struct guard *g, const struct pending *p, enum guard_end end, const void *bytes, size_t n);
void once_none(struct guard *g, const struct pending *p); /* it ends, and was not made */
void once_finish(struct guard *g);

/* flat.c: arguments as the authority looks at them (core/where.h), and, if it is not NULL, as the profile does, behind what *items has. -MALFORMED: two names that some server takes for one; -LIMIT. */
int flat_put(struct buf *out, const char *prefix, const json_t *value, struct call *items, struct err *e);
/* As short as it can be written: 0.1 is to be 0.1 in a condition, and not what a double has behind it. The caller frees it; NULL: no memory. */
char *flat_number(const json_t *v);

#endif
