/* many - several servers of the Model Context Protocol as one.
 *
 * Owns:   struct many: the streams of the client, and of each gate (role ambit-guard) that stands around one server; what was asked and is not answered.
 * Holds:  what may be done is the gates' to say: this names things, and finds out whose they are. A tool or prompt is SERVER__NAME, a resource SERVER+URI; what asks all is answered by what all of them said, without those that
 *         did not in time. Whatever passes goes on to the byte but for ids and such names, where no list of them is in it. A server that ends, hangs or floods takes nothing from the others.
 * Called: main.c; tests, with descriptors of their own. */
#ifndef MANY_MANY_H
#define MANY_MANY_H

#include "guard/line.h"
#include "guard/side.h"
#include "many/link.h"
#include "rpc/parse.h"
#include "rpc/port.h"

#define MANY_ASKED_MAX 2048 /* as many as all gates ask together: GUARD_PENDING_MAX */
#define MANY_GATHERS_MAX 64
#define MANY_HELD_MAX 64
#define MANY_HELD_BYTES (16u << 20)
#define MANY_KNOWN_MAX                                                                                                 \
	(MANY_SERVERS_MAX * GUARD_PINS_MAX) /* tools of all, together: no server takes the place of another's */
#define MANY_NAME_MAX 128                   /* of a tool with its prefix, as the protocol has it */
#define MANY_PAGES_MAX 64                   /* of one server's list */
#define MANY_LIST_MAX (1u << 20)            /* bytes of one server's list, before no more of its pages are read, */
#define MANY_ITEMS_MAX 2048                 /* and what is taken of it */
#define MANY_PAGE_MAX (1u << 20)            /* of ours */
#define MANY_WORD_MAX (256u << 10) /* bytes of what one server says to what is no list: one more does not begin */
#define MANY_STRAY_MAX 64          /* answers to what was never asked, before a server is left */

enum server_state {
	SERVER_NEW,    /* it was not asked to begin: a client of 2026-07-28 does not */
	SERVER_BEGINS, /* it was */
	SERVER_READY,
	SERVER_FAILED, /* it refused */
	SERVER_GONE,
};

struct server {
	char name[MANY_SERVER_MAX];
	struct side side;
	enum server_state state;
	json_t *can; /* owned: its capabilities; NULL: not known */
};

/* What all are asked. */
enum gather_kind {
	GATHER_BEGIN,    /* initialize */
	GATHER_DISCOVER, /* server/discover */
	GATHER_LEVEL,    /* logging/setLevel */
	GATHER_LISTEN,   /* subscriptions/listen */
	GATHER_TOOLS,    /* lists, from here on */
	GATHER_PROMPTS,
	GATHER_RESOURCES,
	GATHER_TEMPLATES,
	GATHER_TASKS,
	GATHER_COUNT
};

struct gather {
	bool used, cancelled;
	enum gather_kind kind;
	char id[GUARD_ID_MAX];          /* the client's; "": it is our own */
	json_t *params;                 /* owned: as the client gave them */
	json_t *said[MANY_SERVERS_MAX]; /* owned: results; of lists what is in them, without the pages */
	json_t *refusal;                /* owned: the first error that was said */
	json_t *told;                   /* owned, of LISTEN: what is acknowledged */
	uint32_t waits;                 /* a bit for each server that was asked */
	uint32_t silent;                /* LISTEN: likewise, that has not acknowledged; 0: the client was told */
	unsigned pages[MANY_SERVERS_MAX];
	size_t bytes[MANY_SERVERS_MAX];
	uint64_t until_ms; /* by clock_ms; 0: for ever */
};

/* A request that was sent on and is not answered. */
struct asked {
	bool used, cancelled;
	unsigned server;
	uint64_t own;
	char id[GUARD_ID_MAX];    /* as who asked wrote it */
	char token[GUARD_ID_MAX]; /* of a server's request: of its progress; "": none */
	struct gather *gather;    /* borrowed: it is a part of that; NULL: it is answered by itself */
	enum gather_kind late;    /* of one that was not waited for; COUNT: it was */
};

/* A call, and the server at the same place, which was started for it. */
enum call_state {
	CALL_NONE,
	CALL_WANTED, /* there is no server yet */
	CALL_BEGINS, /* it was asked to begin */
	CALL_SENT,
	CALL_ENDS, /* it has answered, and the command line ends it */
};

struct call {
	enum call_state state;
	bool cancelled;
	uint32_t number; /* by which the command line knows it */
	char id[GUARD_ID_MAX];
	struct buf line; /* owned: what it is asked; ENDS: what is answered */
};

struct many {
	bool fresh;  /* the first server is one, and each call has another */
	char *begin; /* owned, FRESH: the line of initialize */
	uint32_t last_call;
	struct call calls[MANY_SERVERS_MAX]; /* but for the first */
	struct side client;
	struct port owner; /* owned */
	unsigned n;
	struct server servers[MANY_SERVERS_MAX];
	struct many_begin patience;
	bool initialized; /* the client said so */
	bool listed;      /* tools are known */
	char *first;      /* owned: the line of notifications/initialized */
	uint64_t last_own;
	struct asked asked[MANY_ASKED_MAX], called[MANY_ASKED_MAX]; /* of the client, of servers */
	struct gather gathers[MANY_GATHERS_MAX];
	struct kept {
		json_t *items, *frame; /* owned: of a list all of it, and what else its pages have */
		unsigned generation;
	} kept[GATHER_COUNT];
	size_t held_bytes;
	struct held {
		char id[GUARD_ID_MAX]; /* "": a free place */
		struct buf line;       /* owned */
	} held[MANY_HELD_MAX];         /* calls that wait for a list */
	size_t n_likes;
	struct many_like likes[MANY_LIKES_MAX];
	size_t n_known;
	struct known_tool {
		unsigned server;
		char name[MANY_TOOL_MAX];
	} * known; /* owned: those that are shown */
	size_t n_shadows;
	struct known_tool *shadows; /* owned: those that look like one of them */
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	uint8_t page[FRAME_READ];
};

struct many *many_new(int owner);                                             /* takes it; NULL: no memory */
bool many_add(struct many *m, const char *name, int to, int from);            /* takes both; false: too many */
bool many_liked(struct many *m, const struct many_like *l);                   /* false: too many */
void many_begin(struct many *m, const struct many_begin *b, int in, int out); /* takes both */
void many_free(struct many *m);
/* One turn; waits for something to do for so long at most, -1: for ever. False: it is over. */
bool many_turn(struct many *m, int wait_ms);

/* ---- between its files ---- */

/* client.c, server.c: one line. */
void client_release(struct many *m); /* calls that waited for a list go on */
void client_line(struct many *m, const char *line, size_t n);
void client_long(struct many *m);
void server_line(struct many *m, unsigned server, const char *line, size_t n);
void server_ended(struct many *m, unsigned server);

/* What both ways to have many servers do with a line. */
void client_answer(struct many *m, const json_t *said, const char *line, size_t n);
void client_progress(struct many *m, const json_t *params, const char *line, size_t n);
void server_answer(struct many *m, unsigned server, json_t *said, const char *line, size_t n);
void server_request(struct many *m, unsigned server, const json_t *said, const char *id, const char *line, size_t n);
void server_cancelled(struct many *m, unsigned server, const json_t *params);

/* fresh.c: a server for each call. */
void fresh_client_line(struct many *m, const char *line, size_t n);
void fresh_server_line(struct many *m, unsigned at, const char *line, size_t n);
void fresh_server_ended(struct many *m, unsigned at);
/* The command line's words: a server, which is taken; and what became of it. */
void fresh_given(struct many *m, uint32_t number, int to, int from);
void fresh_done(struct many *m, const struct many_done *d);

/* ask.c */
struct asked *asked_new(struct many *m, struct asked *all, unsigned server); /* NULL: there are too many */
struct asked *asked_of_id(struct asked *all, const char *id, int server);    /* server -1: whosoever */
struct asked *asked_of_own(struct asked *all, const json_t *id);
/* Whether it has taken most of what it was told. */
bool server_takes(const struct many *m, unsigned server);
/* Asks it for something of our own. NULL: there are too many, or it takes nothing. */
struct asked *ask_server(struct many *m, unsigned server, const char *method, const json_t *params);
void refuse_client(struct many *m, const char *id, int number, const struct err *e);
void note_cancelled(struct buf *out, uint64_t own);
/* What was made, as one line. key: result, error, params. */
void answer_json(struct buf *out, const char *id, const char *key, const json_t *value);
void note_json(struct buf *out, const char *method, const json_t *params);

/* gather.c: what all are asked. */
void gather_begin(struct many *m, enum gather_kind kind, const char *id, const json_t *params);
void gather_said(struct many *m, struct gather *g, unsigned server, const json_t *said, size_t n);
/* From one that was not waited for. */
void gather_late(struct many *m, enum gather_kind kind, unsigned server, const json_t *said);
/* No answer comes from it any more. */
void gather_lost(struct many *m, unsigned server);
void gather_cancel(struct many *m, struct gather *g);
struct gather *gather_of_id(struct many *m, const char *id);
/* Those that were waited for long enough are answered. Gives for how long poll(2) may wait, -1: for ever. */
int gather_look(struct many *m, int wait_ms);
/* One has had its time, and waits for room. */
bool gather_is_due(const struct many *m);
/* LISTEN: a server said what it tells of. */
void gather_acknowledged(struct many *m, struct gather *g, unsigned server, const json_t *params);
bool server_can(const struct server *s, enum gather_kind kind);
/* A list is another now: the client asks again. */
void tell_changed(struct many *m, enum gather_kind kind);

/* merge.c: one answer of many, which the caller frees; NULL: no memory. */
json_t *merge_begin(struct many *m, const struct gather *g);
json_t *merge_discover(struct many *m, const struct gather *g);
/* Keeps what the servers listed, in their order. */
void merge_list(struct many *m, const struct gather *g);
/* The page of what is kept that begins there. */
json_t *merge_page(const struct many *m, enum gather_kind kind, size_t from);
/* Where the page begins that a cursor of ours stands for. False: it is of no list that is kept. */
bool merge_cursor(const struct many *m, enum gather_kind kind, const char *cursor, size_t *ret);
extern const char *const merge_keys[GATHER_COUNT]; /* of lists: what is in them is called so */

/* shadow.c: tools that look like another server's. */
bool shadow_is_known(const struct many *m, unsigned server, const char *name);
/* -DENIED: it looks like another. */
int shadow_check(const struct many *m, unsigned server, const char *name, struct err *e);
void shadow_begin(struct many *m);                                   /* all are looked at anew, */
bool shadow_take(struct many *m, unsigned server, const char *name); /* one after the other. False: it is left out */

/* names.c: whose something is. */
bool name_split(const struct many *m, const char *name, unsigned *ret_server);
bool uri_split(const struct many *m, const char *uri, unsigned *ret_server);
/* What a text of that server has in front. */
void name_prefix(const struct many *m, unsigned server, char ret[MANY_SERVER_MAX + 2]);
void uri_prefix(const struct many *m, unsigned server, char ret[MANY_SERVER_MAX + 2]);
void who_prefix(const struct many *m, unsigned server, char ret[MANY_SERVER_MAX + 2]); /* a question of its */
/* The member of that object gets the prefix. False: it is no text. */
bool json_prefix(json_t *object, const char *member, const char *prefix);
/* Names of resources and tasks in a result, and whose questions those in an answer are. True: there were some. */
bool names_in_result(const struct many *m, unsigned server, json_t *result);
bool names_in_error(const struct many *m, unsigned server, json_t *error);

/* draft.c: a line that is changed where something stands. path: names of members, from the outermost on, ended by NULL. False: it is not there, or not so. */
bool draft_set(struct buf *b, const char *const path[], const char *with);
bool draft_prefix(struct buf *b, const char *const path[], const char *prefix);
bool draft_strip(struct buf *b, const char *const path[], const char *prefix);

#endif
