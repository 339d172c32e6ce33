/* ask - what the role ambit-setup is to do, what it tells, and which clients there are.
 *
 * Owns:   the format of both: fields one by one, little-endian, in a memory file and back on standard output.
 * Holds:  what comes back is bounded, and has no control characters but in the new text and the command of a hook: those are bytes.
 * Called: cli (asks), the role. */
#ifndef SETUP_ASK_H
#define SETUP_ASK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "setup/tree.h"

#define SETUP_PROGRAM "ambit"
#define SETUP_WORDS_MAX 256       /* of options that are passed on */
#define SETUP_WORD_MAX 4096       /* a path at most */
#define SETUP_NOTES_MAX 256       /* servers and what else there is to be said; the rest is counted */
#define SETUP_NAME_MAX 128        /* of a server, as it is told; cut */
#define SETUP_HOOK_MAX (1u << 20) /* of what a client says of one call */
#define SETUP_TOLD_MAX (SETUP_TEXT_MAX + (2u << 20))

enum setup_client {
#define CLIENT(id, ...) SETUP_##id,
#include "setup/clients.def"
#undef CLIENT
	SETUP_CLIENTS
};

enum setup_hook { HOOK_NONE, HOOK_CLAUDE, HOOK_CODEX, HOOK_CURSOR };

struct setup_about {
	const char *word, *title, *servers, *user, *project, *user_hook, *project_hook;
	enum setup_form form;
	enum setup_hook hook;
};
const struct setup_about *setup_about(enum setup_client c);
enum setup_client setup_client_of(const char *word); /* SETUP_CLIENTS: there is none */

enum setup_op { SETUP_CHANGE, SETUP_UNDO, SETUP_CALL };

#define SETUP_WRAP 1u    /* servers that are started by a command run behind the gate */
#define SETUP_ADD 2u     /* the server `ambit` */
#define SETUP_HOOKS 4u   /* its shell commands run in cells */
#define SETUP_SANDBOX 8u /* its own sandbox is looked for */
#define SETUP_OFF 16u    /* and turned off */

struct setup_words {
	const char *word[SETUP_WORDS_MAX];
	uint32_t n;
};

struct setup_ask {
	enum setup_op op;
	enum setup_client client;
	uint32_t what;                 /* SETUP_WRAP ... */
	const char *policy;            /* of each server behind the gate; "": none */
	const char *hook;              /* the command of the hook */
	const char *program;           /* `ambit`, or where it is */
	struct setup_words mcp, guard; /* behind `ambit mcp`, and behind `ambit guard` */
	const uint8_t *text, *before;  /* borrowed: the file as it is, and for UNDO as it was */
	uint32_t text_len, before_len;
};

void setup_ask_put(struct buf *out, const struct setup_ask *a);
/* Its texts lie in room. */
bool setup_ask_take(struct rbuf *in, struct setup_ask *ret, char *room, size_t room_size);

/* What there is to be said of a file. NOTE(id, about what name is, sentence) */
enum setup_note_id {
#define NOTE(id, text) NOTE_##id,
#include "setup/notes.def"
#undef NOTE
	NOTE_COUNT
};
const char *setup_note_text(enum setup_note_id id);

struct setup_note {
	uint8_t id;
	uint32_t line; /* 0: none */
	char name[SETUP_NAME_MAX];
};

enum setup_field_kind { FIELD_TEXT, FIELD_COUNT, FIELD_FLAG };
enum setup_field {
#define FIELD(id, ...) FIELD_##id,
#include "setup/fields.def"
#undef FIELD
	SETUP_FIELDS
};
struct setup_field_about {
	const char *name;
	enum setup_field_kind kind;
};
const struct setup_field_about *setup_field_about(enum setup_field f);

#define SETUP_SESSION_MAX 49 /* with its NUL: behind the client's word it is the name of an agent */
/* What a client calls a conversation, if it can be part of the name of an agent: letters, digits, '_' and '-'. */
bool setup_is_session(const char *text, size_t n);

struct setup_told {
	struct err error; /* code AMBIT_OK: the rest counts */
	uint32_t n_notes;
	struct setup_note notes[SETUP_NOTES_MAX];
	uint32_t changes;    /* that were made; 0: the text is as it was, and not here */
	const uint8_t *text; /* borrowed */
	uint32_t text_len;
	/* of SETUP_CALL */
	bool is_shell;                   /* it runs a command, which is text */
	char session[SETUP_SESSION_MAX]; /* "": none is named */
	struct {
		bool is_there;
		uint64_t count;
		const uint8_t *text; /* borrowed */
		uint32_t len;
	} field[SETUP_FIELDS];
};

void setup_told_put(struct buf *out, const struct setup_told *t);
bool setup_told_take(struct rbuf *in, struct setup_told *ret);

#endif
