/* mcp - one client of the Model Context Protocol, and what it has of one session.
 *
 * Owns:   struct mcp: the client's streams, the channel to the session, the connection to the command line, and the calls that are not answered.
 * Holds:  all of it is bounded by the numbers below, whatever client and programs do: nothing is read for a client who does not read. Each request gets one answer, and
 *         none after it was cancelled. What the client carries for us is believed only with our seal.
 * Called: main.c; tests, with descriptors of their own. */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include "base/sha256.h"
#include "core/id.h"
#include "mcp/link.h"
#include "mcp/say.h"
#include "mcp/tools.h"
#include "rpc/chunk.h"
#include "rpc/frame.h"
#include "rpc/port.h"
#include "session/pace.h"

#define MCP_CALLS_MAX 32            /* that are not answered */
#define MCP_ID_MAX 160              /* of a request or a progress token, as JSON, with a NUL */
#define MCP_OUT_LOW (256u << 10)    /* with so much that the client has not taken, nothing more is read for it */
#define MCP_OUT_MAX (16u << 20)     /* one answer more, at its longest */
#define MCP_STDOUT_MAX (256u << 10) /* of what a program wrote, in an answer */
#define MCP_STDERR_MAX (64u << 10)
#define MCP_RESOURCE_MAX (2u << 20) /* of one, which escaped is still less than MCP_OUT_MAX */
#define MCP_RESULT_MAX (4u << 20)   /* of what code came to */
#define MCP_RESULT_VALUES 500000u   /* of it, at the most: each costs a hundred bytes */
#define MCP_RECORD_MAX (4u << 20)   /* of a record, to see what was denied */
#define MCP_DENIED_MAX 16           /* that are told */
#define MCP_ROWS_MAX 50             /* events that are listed as resources */
#define MCP_PROGRESS_MS 250         /* between two notes on one call */
#define MCP_STRAY_MAX 64            /* answers to what was never asked, before the client is left */

#define DIGEST_HEX (2 * SHA256_BYTES + 1)
#define TASKS_EXTENSION "io.modelcontextprotocol/tasks"
#define MCP_LEGACY "2025-11-25"
#define MCP_MODERN "2026-07-28"

enum call_state {
	CALL_FREE,
	CALL_TAKEN, /* asked for: it is not written down yet */
	CALL_FILES, /* what it writes is asked for */
	CALL_RUNS,
	CALL_RECORD,  /* it is over, and its record is asked for */
	CALL_ASKED,   /* of the command line, or a record or file of an event, to be read */
	CALL_ROWS,    /* a list of events */
	CALL_PERSON,  /* the client asks its user whether a person has approved */
	CALL_LISTENS, /* subscriptions/listen: nothing here ever changes, so nothing is told until it is cancelled */
};

/* What a call has to do with tasks: it may become one, or asks about one. */
enum task {
	TASK_NONE,
	TASK_MAY,    /* MODERN: if it takes long */
	TASK_WANTED, /* LEGACY: at once */
	TASK_GET,    /* MODERN: status, and its result when it is over */
	TASK_STATUS, /* LEGACY */
	TASK_RESULT, /* LEGACY: when it is over */
	TASK_CANCEL,
};

struct call {
	enum call_state state;
	enum era era;
	enum tool tool;          /* TOOL_COUNT: it reads a resource, or lists them */
	uint32_t number;         /* of what was asked last of session or command line */
	uint32_t input_number;   /* 0: not asked */
	bool cancelled;          /* nobody waits for its answer */
	char id[MCP_ID_MAX];     /* JSON */
	char token[MCP_ID_MAX];  /* of its progress, JSON; "": not told */
	char key[129];           /* "": none */
	bool elicits;            /* the client can ask its user */
	bool again;              /* it was asked for before, and its user said that a person has approved */
	char digest[DIGEST_HEX]; /* of the tool and its arguments */
	struct buf run;          /* owned: what was sent, to be sent again; only while the client can ask its user */
	char uri[96];            /* of a resource */
	const char *mime;        /* likewise */
	unsigned stream;         /* of it: 1: of the files that come, the second */
	uint64_t n;
	char event[ID_TEXT_MAX];
	char question[ID_TEXT_MAX]; /* PERSON */
	bool replayed;
	enum task task;
	uint64_t until_ms;            /* then it is answered that it goes on */
	uint64_t told_ms, told_bytes; /* progress */
	uint64_t bytes;               /* it has written, by the last word */
	int file[3];                  /* owned: what it writes, and its result; -1 */
	int input_fd;                 /* owned */
	struct buf input;             /* owned: what is to be written there */
	size_t input_at;
	bool has_input;
	struct event_row row; /* over */
	struct buf rows;      /* owned: resources, of a list */
	unsigned n_rows;
};

struct mcp {
	int in, out_fd; /* owned: what the client says, and hears */
	bool said_all, deaf;
	enum pin { PIN_NONE, PIN_LEGACY, PIN_MODERN } pin; /* what the first request said, and all others must */
	bool elicits;                                      /* legacy: the client can ask its user */
	char version[16];                                  /* legacy: that was agreed upon */
	bool dry;
	unsigned stray;
	struct frame lines;
	struct pace pace;
	struct buf out;
	size_t out_at;
	struct port session; /* owned; once it is open */
	enum opened { OPEN_NOT, OPEN_ASKED, OPEN_IS, OPEN_FAILED } open;
	struct err why_not; /* FAILED */
	const char *line;   /* borrowed: what is being heard */
	size_t line_n;
	struct buf held;   /* owned: the line that waits for the session */
	struct port owner; /* owned: the command line */
	struct mcp_begin begin;
	char name[ID_TEXT_MAX]; /* of the session */
	struct buf about;       /* owned: what `session` tells */
	uint32_t last_number;
	uint64_t latest;  /* number of an event that was told of */
	uint32_t listing; /* number of the list of events that is being told; 0: none */
	struct call calls[MCP_CALLS_MAX];
	uint8_t room[WIRE_BODY_MAX + WIRE_HEAD];
	uint8_t page[MCP_STDOUT_MAX];
};

/* Takes all descriptors. NULL: no memory. */
struct mcp *mcp_new(int in, int out, int owner, const struct mcp_begin *begin);
void mcp_free(struct mcp *m);
/* One turn; waits for something to do for so long at most, -1: for ever. False: it is over. */
bool mcp_turn(struct mcp *m, int wait_ms);

/* ---- between its files ---- */

/* said.c: one line of the client. */
void mcp_heard(struct mcp *m, const char *line, size_t n);
void mcp_heard_too_long(struct mcp *m);

/* A request that came whole. */
struct asked {
	enum era era;
	char id[MCP_ID_MAX]; /* JSON */
	const char *version; /* MODERN */
	const char *method;
	const json_t *params; /* an object, or NULL */
	char token[MCP_ID_MAX];
	char key[129];
	bool elicits; /* MODERN: the client can ask its user */
	bool tasks;   /* MODERN: it takes tasks for results */
};

/* methods.c */
void mcp_ask(struct mcp *m, const struct asked *a);
void mcp_note(struct mcp *m, const char *method, const json_t *params);

/* call.c */
int call_tool(struct mcp *m, const struct asked *a, struct mistake *why);
void call_cancel(struct mcp *m, const char *id);
struct call *call_new(struct mcp *m, const struct asked *a, struct mistake *why);
void call_free(struct call *c);
bool call_is_taken(const struct mcp *m, const char *id);
/* Of event n its record, its changes, or one of its streams, as name says. */
int call_resource(struct mcp *m, const struct asked *a, const char *uri, uint64_t n, const char *name, const char *mime,
		  struct mistake *why);
int call_resources(struct mcp *m, const struct asked *a, struct mistake *why);
/* The event is written down. */
void call_taken(struct mcp *m, struct call *c, const struct session_taken *t);
void call_write_input(struct mcp *m, struct call *c);
uint32_t call_next_number(struct mcp *m);
/* A message about its event, to the session. On failure the call was answered, and is free. */
int call_again(struct mcp *m, struct call *c, struct err *e); /* the same once more */
int call_ask(struct mcp *m, struct call *c, enum wire_number what, uint32_t number, uint32_t a);
void call_tell_progress(struct mcp *m, uint64_t now_ms);
/* -1: none waits for the time; else how long until one is told. */
int call_timeout(const struct mcp *m, uint64_t now_ms);

/* told.c: false: the other side is gone, or says what it may not. */
bool mcp_told_by_session(struct mcp *m);
bool mcp_told_by_owner(struct mcp *m);

/* answer.c: answers, and frees the call. */
void answer_event(struct mcp *m, struct call *c, int record_fd);
void answer_stage(struct mcp *m, struct call *c, uint32_t status, int fd);
void answer_resource(struct mcp *m, struct call *c, int fd);
/* Of a list of events, one, and the end. */
void answer_row(struct mcp *m, const struct event_row *row);
void answer_rows(struct mcp *m);
/* Of a tool, for the model that called it: no error of the protocol. */
void answer_refused(struct mcp *m, const char *id, enum era era, const struct mistake *why);
void answer_failed(struct mcp *m, struct call *c, const struct err *e);
/* task.c. wanted: LEGACY: the client said so. */
void task_may(struct call *c, bool wanted);
void task_tell(struct mcp *m, uint64_t now_ms);
int task_timeout(const struct mcp *m, uint64_t now_ms); /* as call_timeout */
int task_ask(struct mcp *m, const struct asked *a, enum task what, struct mistake *why);
bool task_is(struct call *c);
void task_answer_status(struct mcp *m, const struct call *c);
void task_put_before(struct json *j, const struct call *c);
void task_put_behind(struct json *j, const struct call *c);

/* denied.c. NULL: there is none, or it cannot be read. The caller frees it. */
json_t *record_read(int fd);
/* What it says was denied, as a list of objects, and as lines of text. */
void denied_put(const json_t *record, struct json *j, struct buf *text);
/* The question that waits for a person since that event; false: none does. */
bool question_of(const json_t *record, const struct event_row *row, char ret[ID_TEXT_MAX]);

/* person.c: a question is a person's to answer, by `ambit approve`, and by nothing that a client says. All that its user is asked is whether that was done. True: they are; the call
 * waits (LEGACY), or was answered by a question. */
bool person_ask(struct mcp *m, struct call *c, const json_t *record, bool *ret_waits);
/* LEGACY: what the user said. False: it answers nothing that was asked. */
bool person_answered(struct mcp *m, const json_t *said);
/* MODERN: what the request brought back. 0; 1: the user did not accept; or what is wrong with it. */
int person_returned(struct mcp *m, const json_t *params, const char digest[DIGEST_HEX], bool *ret_again,
		    struct mistake *why);

#endif
